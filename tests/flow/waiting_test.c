/* Answers that wait until there is something to say. */
#include "support/test.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "support/service.h"
#include "support/tcp.h"

#define GRACE_MS 5000
#define LONG "X-Wait: 3600000\r\n"
#define CROWD 200
#define PATIENCE_MS 20000

/* Where the service is asked. */
static const char *const places[] = { "", "X-Long: yes\r\n" };

static int
ask(const char *base, const char *headers)
{
	char request[256];
	int fd = tcp_connect(base);

	snprintf(request, sizeof(request), SERVICE_GET "%s\r\n", headers);
	assert_int_not_equal(fd, -1);
	assert_true(tcp_send_text(fd, request));
	return fd;
}

static int
ask_at(const char *base, const char *place, const char *headers)
{
	char both[200];

	snprintf(both, sizeof(both), "%s%s", place, headers);
	return ask(base, both);
}

static void
assert_said(int fd, const char *text)
{
	struct answer a;

	assert_true(answer_read(fd, true, &a));
	assert_int_equal(a.status, 200);
	assert_string_equal((char *)a.body.data, text);
	answer_clear(&a);
}

static void
assert_silent(int fd)
{
	char c;

	assert_int_equal(recv(fd, &c, 1, MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
}

static void
whoever_waits_is_told(void **state)
{
	struct service s;
	int fd, other;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(places); i++) {
		service_start(&s, NULL);
		fd = ask_at(s.base, places[i], LONG);
		other = ask_at(s.base, places[i], LONG "X-Key: 1\r\n");
		service_wait(&s, asked, 2);
		service_tell(&s, 2);
		assert_true(service_answers(s.base));
		assert_silent(fd);
		service_tell(&s, 0);
		assert_said(fd, "news");
		assert_silent(other);
		service_tell(&s, 1);
		assert_said(other, "news");
		/* The connection goes on. */
		assert_true(tcp_send_text(fd, SERVICE_GET "\r\n"));
		assert_said(fd, "");
		close(fd);
		close(other);
		service_stop(&s, GRACE_MS);
	}
}

static void
the_time_ends(void **state)
{
	struct service s;
	int fd;

	(void)state;
	service_start(&s, NULL);
	for (size_t i = 0; i < COUNT_OF(places); i++) {
		fd = ask_at(s.base, places[i], "X-Wait: 30\r\n");
		assert_said(fd, "over");
		close(fd);
		fd = ask_at(s.base, places[i], "X-Wait: 0\r\n");
		assert_said(fd, "over");
		close(fd);
	}
	service_stop(&s, GRACE_MS);
}

/* It has looked, and has not said yet that it waits. */
static void
tell_now(struct service *s)
{
	s->meanwhile = NULL;
	service_tell(s, 0);
}

static void *
tell_from_thread(void *cls)
{
	service_tell(cls, 0);
	return NULL;
}

static void
tell_from_another(struct service *s)
{
	pthread_t thread;

	s->meanwhile = NULL;
	assert_int_equal(pthread_create(&thread, NULL, tell_from_thread, s), 0);
	pthread_join(thread, NULL);
}

static void
news_that_come_too_early_are_not_lost(void **state)
{
	static void (*const ways[])(
	    struct service *) = { tell_now, tell_from_another };
	struct service s;
	int fd;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(places); i++)
		for (size_t k = 0; k < COUNT_OF(ways); k++) {
			service_start(&s, NULL);
			s.meanwhile = ways[k];
			fd = ask_at(s.base, places[i], LONG);
			assert_said(fd, "news");
			close(fd);
			service_stop(&s, GRACE_MS);
		}
}

static void
a_stop_ends_it(void **state)
{
	static const int grace[] = { GRACE_MS, 0 };
	struct service s;
	int fds[20];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(grace); i++) {
		service_start(&s, NULL);
		for (size_t k = 0; k < COUNT_OF(fds); k++)
			fds[k] = ask_at(s.base, places[k % 2], LONG);
		service_wait(&s, asked, COUNT_OF(fds));
		service_stop(&s, grace[i]);
		assert_int_equal(s.is.finished, COUNT_OF(fds));
		assert_int_equal(s.is.released, 1);
		for (size_t k = 0; k < COUNT_OF(fds); k++) {
			if (grace[i] > 0)
				assert_said(fds[k], "over");
			close(fds[k]);
		}
	}
}

/* It may come while they are on their way from one thread to another. */
static void
a_stop_may_come_at_any_time(void **state)
{
	struct service s;
	int fds[20];

	(void)state;
	for (int i = 0; i < 30; i++) {
		service_start(&s, NULL);
		for (size_t k = 0; k < COUNT_OF(fds); k++)
			fds[k] = ask_at(s.base, places[k % 2],
			    k % 3 == 0 ? "X-Wait: 1\r\n" : LONG);
		if (i % 2 == 0)
			service_tell(&s, 0);
		service_stop(&s, i % 3 == 0 ? GRACE_MS : 0);
		for (size_t k = 0; k < COUNT_OF(fds); k++)
			close(fds[k]);
	}
}

static void
a_client_that_leaves_is_noticed(void **state)
{
	struct service s;
	int fds[2];

	(void)state;
	service_start(&s, NULL);
	for (size_t i = 0; i < COUNT_OF(fds); i++)
		fds[i] = ask_at(s.base, places[i], LONG);
	service_wait(&s, asked, 2);
	close(fds[0]);
	tcp_abort(fds[1]);
	service_wait(&s, finished, 2);
	assert_int_equal(s.last.ending, ENDED_CLIENT_LEFT);
	assert_true(service_answers(s.base));
	service_stop(&s, GRACE_MS);
}

static void
raise_limit(void)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	if (limit.rlim_cur < 8 * HTTP_RESERVED)
		skip();
}

static void
two_hundred_wait_at_once(void **state)
{
	char base[HTTP_URL_SIZE];
	static int fds[CROWD];
	struct service s;

	(void)state;
	raise_limit();
	service_start(&s, NULL);
	service_listen(&s, "127.0.0.1:0", true, base);
	for (int i = 0; i < CROWD; i++)
		fds[i] = ask_at(base, places[i % 2], LONG);
	service_wait(&s, asked, CROWD);
	assert_true(service_answers(base));
	for (int i = 0; i < CROWD; i++)
		assert_silent(fds[i]);
	service_tell(&s, 0);
	for (int i = 0; i < CROWD; i++) {
		assert_said(fds[i], "news");
		/* And again: on another thread, for something else. */
		assert_true(tcp_send_text(fds[i],
		    i % 2 == 0 ? SERVICE_GET LONG
			"X-Key: 1\r\nX-Long: yes\r\n\r\n" :
				 SERVICE_GET LONG "X-Key: 1\r\n\r\n"));
	}
	service_wait(&s, asked, 3 * CROWD + 1);
	service_tell(&s, 1);
	for (int i = 0; i < CROWD; i++) {
		assert_said(fds[i], "news");
		close(fds[i]);
	}
	service_stop(&s, GRACE_MS);
}

/* Connections that have ended have their places for a moment yet. */
static int
ask_until_it_waits(const char *base)
{
	char c;
	int fd;

	for (;; close(fd)) {
		fd = ask(base, LONG);
		assert_true(service_answers(base));
		if (recv(fd, &c, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN)
			return fd;
	}
}

/* Who was asked waits a moment later, and could lose its place until then. */
static void
until_waiting(const struct service *s, size_t count)
{
	for (int i = 0; i < TCP_SECONDS * 100; i++) {
		if (http_waiting(s->http) == count)
			return;
		poll(NULL, 0, 10);
	}
	fail_msg("%u wait, not %zu", http_waiting(s->http), count);
}

/* Others must still be able to ask. */
static void
those_too_many_are_told_at_once(void **state)
{
	static int fds[HTTP_RESERVED];
	char base[HTTP_URL_SIZE];
	struct pollfd p = { .events = POLLIN };
	struct service s;
	size_t waiting = HTTP_RESERVED - HTTP_RESERVED / 8;

	(void)state;
	raise_limit();
	service_start(&s, NULL);
	service_listen(&s, "127.0.0.1:0", true, base);
	for (size_t i = 0; i < waiting; i++)
		fds[i] = ask(base, LONG);
	until_waiting(&s, waiting);
	for (int i = 0; i < 3; i++) {
		p.fd = ask(base, LONG);
		assert_said(p.fd, "over");
		close(p.fd);
	}
	close(fds[--waiting]);
	service_wait(&s, finished, 4);
	/* It may not be asked yet: then this news is not for it. */
	p.fd = ask_until_it_waits(base);
	for (int i = 0; i < 500; i++) {
		service_tell(&s, 0);
		if (poll(&p, 1, 20) > 0)
			break;
	}
	assert_said(p.fd, "news");
	close(p.fd);
	while (waiting > 0)
		close(fds[--waiting]);
	service_stop(&s, GRACE_MS);
}

static void
a_service_that_never_answers_loses_its_client(void **state)
{
	struct buffer got;
	struct service s;
	int fd;

	(void)state;
	service_start(&s, NULL);
	for (size_t i = 0; i < COUNT_OF(places); i++) {
		fd = ask_at(s.base, places[i],
		    "X-Wait: 10\r\nX-Stubborn: yes\r\n");
		assert_int_not_equal(tcp_read_all(fd, &got), TCP_SILENT);
		assert_int_equal(got.len, 0);
		buffer_free(&got);
		close(fd);
	}
	service_stop(&s, GRACE_MS);
}

/* There is more of the request to come: it is no time to wait. */
static void
half_a_request_does_not_wait(void **state)
{
	struct service s;
	int fd;

	(void)state;
	service_start(&s, NULL);
	fd = tcp_connect(s.base);
	assert_true(tcp_send_text(fd,
	    "POST / HTTP/1.1\r\n" SERVICE_HOST LONG
	    "X-Limit: 3\r\nContent-Length: 100\r\n\r\nabcdef"));
	assert_said(fd, "over");
	close(fd);
	service_stop(&s, GRACE_MS);
}

struct hammer {
	struct service *s;
	unsigned key;
	atomic_bool stop;
	atomic_uint answered;
};

static void *
tell_again_and_again(void *cls)
{
	struct hammer *h = cls;

	for (unsigned i = 0; !atomic_load(&h->stop); i++)
		http_wake(h->s->http, &h->s->news[i % SERVICE_KEYS]);
	return NULL;
}

static void *
wait_again_and_again(void *cls)
{
	struct hammer *h = cls;
	char request[128];
	struct answer a;

	for (int i = 0; i < 50; i++) {
		snprintf(request, sizeof(request),
		    SERVICE_GET "X-Wait: %d\r\nX-Key: %u\r\n%s\r\n", i % 7,
		    h->key, places[i % 2]);
		if (answer_ask(h->s->base, request, &a) && a.status == 200)
			atomic_fetch_add(&h->answered, 1);
		answer_clear(&a);
	}
	return NULL;
}

static void
all_are_answered_while_others_wake_them(void **state)
{
	struct hammer h[SERVICE_KEYS] = { 0 };
	pthread_t waking, waiting[SERVICE_KEYS];
	struct service s;

	(void)state;
	service_start(&s, NULL);
	for (unsigned i = 0; i < SERVICE_KEYS; i++) {
		h[i].s = &s;
		h[i].key = i;
		assert_int_equal(pthread_create(&waiting[i], NULL,
				     wait_again_and_again, &h[i]),
		    0);
	}
	assert_int_equal(pthread_create(&waking, NULL, tell_again_and_again,
			     &h[0]),
	    0);
	for (unsigned i = 0; i < SERVICE_KEYS; i++) {
		pthread_join(waiting[i], NULL);
		assert_int_equal(atomic_load(&h[i].answered), 50);
	}
	atomic_store(&h[0].stop, true);
	pthread_join(waking, NULL);
	service_stop(&s, GRACE_MS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whoever_waits_is_told),
		cmocka_unit_test(the_time_ends),
		cmocka_unit_test(news_that_come_too_early_are_not_lost),
		cmocka_unit_test(a_stop_ends_it),
		cmocka_unit_test(a_stop_may_come_at_any_time),
		cmocka_unit_test(a_client_that_leaves_is_noticed),
		cmocka_unit_test(two_hundred_wait_at_once),
		cmocka_unit_test(those_too_many_are_told_at_once),
		cmocka_unit_test(a_service_that_never_answers_loses_its_client),
		cmocka_unit_test(half_a_request_does_not_wait),
		cmocka_unit_test(all_are_answered_while_others_wake_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
