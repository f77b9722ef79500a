/* Ports that close while others go on, and places that others cannot take. */
#include "support/test.h"

#include <dirent.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "support/service.h"
#include "support/tcp.h"

#define GRACE_MS 5000
#define CYCLES 1000
#define BACKLOG 20
#define LIMIT 10U
#define PATIENCE_MS 20000

static unsigned
count_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned count = 0;

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		count++;
	closedir(dir);
	return count;
}

/* "127.0.0.1:40001" of "http://127.0.0.1:40001" */
static const char *
address(const char *base)
{
	return base + strlen("http://");
}

static bool
is_answered(int fd)
{
	struct answer a;
	bool good = tcp_send_text(fd, SERVICE_GET "\r\n") &&
	    answer_read(fd, true, &a);

	if (good) {
		good = a.status == 200;
		answer_clear(&a);
	}
	return good;
}

static void
connections_outlive_their_port(void **state)
{
	char base[HTTP_URL_SIZE];
	struct listener *listener;
	struct service s;
	int fd, slow;

	(void)state;
	service_start(&s, NULL);
	listener = service_listen(&s, "127.0.0.1:0", false, base);
	fd = tcp_connect(base);
	slow = tcp_connect(base);
	assert_true(is_answered(fd));
	assert_true(is_answered(slow));
	assert_true(tcp_send_text(slow, SERVICE_GET "X-Hang: 0\r\n\r\n"));
	service_wait(&s, asked, 3);
	http_close(s.http, listener);
	assert_int_equal(tcp_connect(base), -1);
	assert_true(is_answered(fd));
	assert_true(service_answers(s.base));
	assert_int_equal(service_count(&s, released), 0);
	/* The call of an exchange and its connection need the service. */
	close(fd);
	assert_true(service_answers(s.base));
	assert_int_equal(service_count(&s, released), 0);
	close(slow);
	service_wait(&s, released, 1);
	assert_true(service_answers(s.base));
	service_stop(&s, GRACE_MS);
}

static void
a_port_can_be_had_again(void **state)
{
	char base[HTTP_URL_SIZE], again[HTTP_URL_SIZE];
	struct listener *listener;
	struct service s;
	int fd;

	(void)state;
	service_start(&s, NULL);
	listener = service_listen(&s, "127.0.0.1:0", false, base);
	fd = tcp_connect(base);
	assert_true(is_answered(fd));
	for (int i = 0; i < 20; i++) {
		http_close(s.http, listener);
		listener = service_listen(&s, address(base), false, again);
		assert_string_equal(again, base);
		assert_true(service_answers(base));
	}
	assert_true(is_answered(fd));
	close(fd);
	service_wait(&s, released, 20);
	service_stop(&s, GRACE_MS);
}

struct opener {
	struct service *s;
	atomic_bool stop;
};

static void *
open_and_close(void *cls)
{
	struct opener *o = cls;
	char base[HTTP_URL_SIZE];

	while (!atomic_load(&o->stop))
		http_close(o->s->http,
		    service_listen(o->s, "127.0.0.1:0", false, base));
	return NULL;
}

static void
a_thousand_ports_come_and_go(void **state)
{
	struct opener other = { 0 };
	char base[HTTP_URL_SIZE];
	struct listener *listener;
	unsigned descriptors;
	pthread_t thread;
	struct service s;

	(void)state;
	service_start(&s, NULL);
	other.s = &s;
	descriptors = count_descriptors();
	assert_int_equal(pthread_create(&thread, NULL, open_and_close, &other),
	    0);
	for (int i = 0; i < CYCLES; i++) {
		listener = service_listen(&s, "127.0.0.1:0", false, base);
		if (i % 10 == 0)
			assert_true(service_answers(base));
		http_close(s.http, listener);
	}
	atomic_store(&other.stop, true);
	pthread_join(thread, NULL);
	service_wait(&s, released, CYCLES);
	for (int64_t until = clock_ticks_ms() + PATIENCE_MS;
	     count_descriptors() > descriptors && clock_ticks_ms() < until;)
		poll(NULL, 0, 5);
	assert_int_equal(count_descriptors(), descriptors);
	assert_true(service_answers(s.base));
	service_stop(&s, GRACE_MS);
}

/* Keeps the acceptor's thread in limits() for as long as it is shut. */
static struct gate {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool is_shut, has_come;
} gate = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, false };

static struct http_limits
limits_behind_gate(void *cls)
{
	(void)cls;
	pthread_mutex_lock(&gate.lock);
	gate.has_come = true;
	pthread_cond_broadcast(&gate.changed);
	while (gate.is_shut)
		pthread_cond_wait(&gate.changed, &gate.lock);
	pthread_mutex_unlock(&gate.lock);
	return (struct http_limits){ 60000, 60000, 60000, 60000 };
}

static void
shut_gate(void)
{
	gate.is_shut = true;
	gate.has_come = false;
}

static void
wait_until_somebody_stands_at_the_gate(void)
{
	pthread_mutex_lock(&gate.lock);
	while (!gate.has_come)
		pthread_cond_wait(&gate.changed, &gate.lock);
	pthread_mutex_unlock(&gate.lock);
}

static void
open_gate(void)
{
	pthread_mutex_lock(&gate.lock);
	gate.is_shut = false;
	pthread_cond_broadcast(&gate.changed);
	pthread_mutex_unlock(&gate.lock);
}

static void
whoever_waits_to_be_accepted_is_reset(void **state)
{
	char base[HTTP_URL_SIZE];
	struct listener *listener;
	int first, fds[BACKLOG];
	struct buffer got;
	struct service s;

	(void)state;
	shut_gate();
	service_start(&s, NULL);
	s.calls.limits = limits_behind_gate;
	listener = service_listen(&s, "127.0.0.1:0", false, base);
	first = tcp_connect(base);
	wait_until_somebody_stands_at_the_gate();
	for (int i = 0; i < BACKLOG; i++) {
		fds[i] = tcp_connect(base);
		assert_int_not_equal(fds[i], -1);
	}
	http_close(s.http, listener);
	assert_int_equal(tcp_connect(base), -1);
	for (int i = 0; i < BACKLOG; i++) {
		assert_int_equal(tcp_read_all(fds[i], &got), TCP_RESET);
		buffer_free(&got);
		close(fds[i]);
	}
	assert_int_equal(service_count(&s, released), 0);
	open_gate();
	/* That one had been accepted. */
	assert_true(is_answered(first));
	assert_true(service_answers(s.base));
	close(first);
	service_wait(&s, released, 1);
	service_stop(&s, GRACE_MS);
}

/* At once, before anybody has been accepted from any of them. */
static void
ports_may_close_before_the_first_is_accepted(void **state)
{
	struct http_options options = { .workers = 1 };
	struct service s;
	int fd;

	(void)state;
	service_start(&s, &options);
	http_close(s.http, s.listener);
	service_wait(&s, released, 1);
	http_stop(s.http, GRACE_MS);
	assert_int_equal(service_count(&s, released), 1);
	assert_int_equal(http_start(&s.http, &options, NULL), 0);
	s.listener = service_listen(&s, "127.0.0.1:0", false, s.base);
	fd = tcp_connect(s.base);
	http_close(s.http, s.listener);
	assert_int_equal(tcp_connect(s.base), -1);
	service_stop(&s, GRACE_MS);
	assert_int_equal(s.is.released, 2);
	close(fd);
}

struct crowd {
	int fds[HTTP_RESERVED + 1];
	unsigned count;
};

/* Each has had an answer, so each is known to be counted. */
static void
fill(struct crowd *c, const char *base, unsigned count)
{
	for (c->count = 0; c->count < count; c->count++) {
		c->fds[c->count] = tcp_connect(base);
		if (!is_answered(c->fds[c->count]))
			fail_msg("client %u of %u", c->count, count);
	}
}

static void
leave(struct crowd *c)
{
	while (c->count > 0)
		close(c->fds[--c->count]);
}

static void
assert_refused(const char *base)
{
	struct answer a;

	assert_true(answer_ask(base, SERVICE_GET "\r\n", &a));
	assert_int_equal(a.status, 503);
	answer_clear(&a);
}

static unsigned
reserved_limit(void)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	return limit.rlim_cur / 8 < HTTP_RESERVED ?
	    (unsigned)limit.rlim_cur / 8 :
	    HTTP_RESERVED;
}

/* An answer would end the last eighth of them: those ask for nothing. */
static void
fill_reserved(struct crowd *c, const char *base)
{
	unsigned limit = reserved_limit();

	fill(c, base, limit - limit / 8);
	for (; c->count < limit; c->count++)
		assert_int_not_equal(c->fds[c->count] = tcp_connect(base), -1);
}

static void
assert_answered_again(const char *base)
{
	int64_t until = clock_ticks_ms() + PATIENCE_MS;

	while (!service_answers(base) && clock_ticks_ms() < until)
		poll(NULL, 0, 5);
	assert_true(service_answers(base));
}

static void
neither_kind_takes_the_places_of_the_other(void **state)
{
	const struct http_options options = { .workers = 1,
		.connection_limit = LIMIT };
	static struct crowd common, reserved;
	char base[HTTP_URL_SIZE];
	struct service s;

	(void)state;
	service_start(&s, &options);
	http_close(s.http, service_listen(&s, "127.0.0.1:0", true, base));
	service_listen(&s, "127.0.0.1:0", true, base);
	assert_int_equal(http_connection_limit(s.http), LIMIT);
	/* A port that was opened later takes a descriptor as well. */
	fill(&common, s.base, LIMIT - 1);
	assert_int_equal(http_connections(s.http), LIMIT - 1);
	assert_refused(s.base);
	fill_reserved(&reserved, base);
	assert_refused(base);
	assert_refused(s.base);
	leave(&common);
	assert_answered_again(s.base);
	assert_refused(base);
	leave(&reserved);
	assert_answered_again(base);
	service_stop(&s, GRACE_MS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(connections_outlive_their_port),
		cmocka_unit_test(a_port_can_be_had_again),
		cmocka_unit_test(a_thousand_ports_come_and_go),
		cmocka_unit_test(whoever_waits_to_be_accepted_is_reset),
		cmocka_unit_test(ports_may_close_before_the_first_is_accepted),
		cmocka_unit_test(neither_kind_takes_the_places_of_the_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
