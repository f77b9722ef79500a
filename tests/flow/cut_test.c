/* Exchanges that hang, drip or wait are ended from outside; others are not. */
#include "support/test.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/service.h"
#include "support/tcp.h"

#define GRACE_MS 5000

/* What keeps an exchange from its end, and what its client gets of it. */
static const struct {
	const char *row, *headers;
	const char *begins; /* with this, which is known to have come */
	bool is_held;
} rows[] = {
	{ "hangs", "X-Cut: 0\r\nX-Hang: 0\r\n", "", true },
	{ "hangs within", "X-Cut: 10\r\nX-Hang: 0\r\n", "HTTP/1.1 2", true },
	{ "is delayed", "X-Delay: 3600000\r\n", "", true },
	{ "pauses", "X-Pause: 4\r\n", "HTTP", true },
	{ "drips", "X-Fill: 1000000\r\nX-Drip: 1\r\n", "HTTP/1.1 200", true },
	{ "waits", "X-Wait: 3600000\r\n", "", false },
	{ "waits on a worker", "X-Wait: 3600000\r\nX-Long: yes\r\n", "",
	    false },
};

static bool
is_of_site(void *cls, const struct exchange *ex)
{
	const char *site = request_header(&ex->request, "X-Site");

	return site != NULL && strcmp(site, cls) == 0;
}

static bool
is_any(void *cls, const struct exchange *ex)
{
	(void)cls, (void)ex;
	return true;
}

static int
ask(const struct service *s, const char *site, const char *headers)
{
	char request[256];
	int fd = tcp_connect(s->base);

	snprintf(request, sizeof(request), SERVICE_GET "X-Site: %s\r\n%s\r\n",
	    site, headers);
	assert_int_not_equal(fd, -1);
	assert_true(tcp_send_text(fd, request));
	return fd;
}

static void
assert_begun(int fd, const char *row, const char *text)
{
	char got[32];

	if (*text == '\0')
		return;
	if (recv(fd, got, strlen(text), MSG_WAITALL) != (ssize_t)strlen(text) ||
	    memcmp(got, text, strlen(text)) != 0)
		fail_msg("%s: it begins with %.20s", row, got);
}

/* Whatever has been on its way, then the end of the connection. */
static void
assert_ended(int fd, const char *row)
{
	struct buffer got;

	if (tcp_read_all(fd, &got) == TCP_SILENT)
		fail_msg("%s: its connection goes on", row);
	buffer_free(&got);
	close(fd);
}

static void
assert_open(int fd, const char *row)
{
	char c;
	ssize_t len = recv(fd, &c, 1, MSG_DONTWAIT);

	if (len == 0 || (len == -1 && errno != EAGAIN))
		fail_msg("%s: its connection has been ended", row);
}

static void
those_of_one_site_end(void **state)
{
	int fds[2][COUNT_OF(rows)];
	struct service s;
	unsigned held = 0;

	(void)state;
	service_start(&s, NULL);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		fds[0][i] = ask(&s, "a", rows[i].headers);
		fds[1][i] = ask(&s, "b", rows[i].headers);
		held += 2 * rows[i].is_held;
	}
	service_wait(&s, asked, 2 * COUNT_OF(rows));
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		assert_begun(fds[0][i], rows[i].row, rows[i].begins);
		assert_begun(fds[1][i], rows[i].row, rows[i].begins);
	}
	/* One loop has dealt with all before it. */
	assert_true(service_answers(s.base));
	assert_int_equal(http_held(s.http), held);
	service_wait(&s, finished, 1);
	http_cut(s.http, is_of_site, "a");
	assert_int_equal(service_count(&s, finished), 1 + COUNT_OF(rows));
	assert_int_equal(s.last.ending, ENDED_CUT);
	assert_int_equal(http_held(s.http), held / 2);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		assert_ended(fds[0][i], rows[i].row);
		assert_open(fds[1][i], rows[i].row);
	}
	http_cut(s.http, is_of_site, "nobody");
	assert_int_equal(service_count(&s, finished), 1 + COUNT_OF(rows));
	service_tell(&s, 0);
	service_wait(&s, finished, 3 + COUNT_OF(rows));
	http_cut(s.http, is_any, NULL);
	assert_int_equal(http_held(s.http), 0);
	assert_int_equal(service_count(&s, finished), 1 + 2 * COUNT_OF(rows));
	assert_true(service_answers(s.base));
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (rows[i].is_held)
			assert_ended(fds[1][i], rows[i].row);
		else
			close(fds[1][i]);
	service_stop(&s, GRACE_MS);
}

static void
each_kind_ends_alone(void **state)
{
	struct service s;
	int fd;

	(void)state;
	service_start(&s, NULL);
	for (unsigned i = 0; i < COUNT_OF(rows); i++) {
		fd = ask(&s, "a", rows[i].headers);
		service_wait(&s, asked, i + 1);
		assert_begun(fd, rows[i].row, rows[i].begins);
		/* Until it is known to be held or to wait. */
		while (service_count(&s, finished) == i)
			http_cut(s.http, is_any, NULL);
		assert_int_equal(service_count(&s, finished), i + 1);
		assert_ended(fd, rows[i].row);
	}
	assert_int_equal(http_held(s.http), 0);
	service_stop(&s, GRACE_MS);
}

/* Where a whole answer has gone out, its exchange is over. */
static void
what_is_over_is_not_cut(void **state)
{
	struct answer a;
	struct service s;
	int fd;

	(void)state;
	service_start(&s, NULL);
	fd = ask(&s, "a", "X-Hang: 0\r\n");
	assert_true(answer_read(fd, true, &a));
	answer_clear(&a);
	service_wait(&s, finished, 1);
	assert_int_equal(s.last.ending, ENDED_SENT);
	http_cut(s.http, is_any, NULL);
	assert_int_equal(service_count(&s, finished), 1);
	assert_open(fd, "held open");
	assert_int_equal(http_held(s.http), 1);
	close(fd);
	service_stop(&s, GRACE_MS);
}

/* As a control API does it that deletes a site. */
static void
cut_all_of_site(struct service *s)
{
	http_cut(s->http, is_of_site, "a");
}

static void
a_worker_may_cut(void **state)
{
	struct service s;
	int fds[4], ours;

	(void)state;
	service_start(&s, NULL);
	for (size_t i = 0; i < COUNT_OF(fds); i++) {
		fds[i] = ask(&s, "a", rows[i % 2 == 0 ? 0 : 5].headers);
		service_wait(&s, asked, (unsigned)i + 1);
	}
	assert_true(service_answers(s.base));
	s.meanwhile = cut_all_of_site;
	ours = ask(&s, "b", "X-Wait: 10\r\nX-Long: yes\r\n");
	for (size_t i = 0; i < COUNT_OF(fds); i++)
		assert_ended(fds[i], "cut by a worker");
	service_wait(&s, finished, 2 + COUNT_OF(fds));
	close(ours);
	service_stop(&s, GRACE_MS);
}

struct cutter {
	struct service *s;
	atomic_bool stop;
};

static void *
cut_again_and_again(void *cls)
{
	struct cutter *c = cls;

	while (!atomic_load(&c->stop))
		http_cut(c->s->http, is_of_site, "a");
	return NULL;
}

/* Two threads cut while they come, are woken and leave. */
static void
cuts_may_come_at_any_time(void **state)
{
	struct cutter c = { 0 };
	pthread_t threads[2];
	struct service s;
	int fds[60];

	(void)state;
	service_start(&s, NULL);
	c.s = &s;
	for (size_t i = 0; i < COUNT_OF(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL,
				     cut_again_and_again, &c),
		    0);
	for (unsigned round = 0; round < 10; round++) {
		for (unsigned i = 0; i < COUNT_OF(fds); i++)
			fds[i] = ask(&s, "a", rows[i % COUNT_OF(rows)].headers);
		http_wake(s.http, &s.news[0]);
		for (size_t i = 0; i < COUNT_OF(fds) / 2; i++)
			assert_ended(fds[i], "cut");
		for (size_t i = COUNT_OF(fds) / 2; i < COUNT_OF(fds); i++)
			close(fds[i]);
	}
	service_wait(&s, finished, service_count(&s, begun));
	atomic_store(&c.stop, true);
	for (size_t i = 0; i < COUNT_OF(threads); i++)
		pthread_join(threads[i], NULL);
	assert_true(service_answers(s.base));
	service_stop(&s, GRACE_MS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(those_of_one_site_end),
		cmocka_unit_test(each_kind_ends_alone),
		cmocka_unit_test(what_is_over_is_not_cut),
		cmocka_unit_test(a_worker_may_cut),
		cmocka_unit_test(cuts_may_come_at_any_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
