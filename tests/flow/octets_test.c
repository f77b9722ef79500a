/*
 * What an exchange shows at its end is what its client has received, and what
 * that client had sent.
 */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/inside.h"
#include "support/service.h"
#include "support/tcp.h"

#define GRACE_MS 5000
#define CLOSE "Connection: close\r\n"
#define LARGE 100000 /* more than is kept */

/* One port keeps, the other does not. */
struct fixture {
	struct service s;
	char keeping[HTTP_URL_SIZE];
};

static void
start(struct fixture *f)
{
	service_start(&f->s, NULL);
	f->s.calls.keeps = true;
	service_listen(&f->s, "127.0.0.1:0", false, f->keeping);
}

static int
ask(const char *base, const char *method, const char *headers, size_t body)
{
	int fd = tcp_connect(base);
	struct buffer b = { 0 };

	assert_int_not_equal(fd, -1);
	buffer_printf(&b, "%s / HTTP/1.1\r\n" SERVICE_HOST "%s", method,
	    headers);
	if (body > 0)
		buffer_printf(&b, "Content-Length: %zu\r\n", body);
	buffer_add_text(&b, "\r\n");
	for (size_t i = 0; i < body; i++)
		buffer_add_byte(&b, (uint8_t)('A' + i % 23));
	assert_true(tcp_send(fd, b.data, b.len));
	buffer_free(&b);
	return fd;
}

static size_t
kept(size_t len)
{
	return len < EXCHANGE_KEPT_MAX ? len : EXCHANGE_KEPT_MAX;
}

static const struct {
	const char *row, *headers;
	const char *method;
	enum ending ending;
} rows[] = {
	{ "ordinary", "X-Body: hello\r\n", "GET", ENDED_SENT },
	{ "without a body", "", "GET", ENDED_SENT },
	{ "of a worker", "X-Body: hello\r\nX-Long: yes\r\n", "GET",
	    ENDED_SENT },
	{ "that waited", "X-Wait: 5\r\n", "GET", ENDED_SENT },
	{ "to HEAD", "X-Body: hello\r\n", "HEAD", ENDED_SENT },
	{ "large", "X-Fill: 100000\r\n", "GET", ENDED_SENT },
	{ "chunked", "X-Fill: 3000\r\nX-Chunked: yes\r\n", "GET", ENDED_SENT },
	{ "large and chunked", "X-Fill: 100000\r\nX-Chunked: yes\r\n", "GET",
	    ENDED_SENT },
	{ "behind garbage", "X-Body: hello\r\nX-Prefix: garbage\r\n", "GET",
	    ENDED_SENT },
	{ "delayed", "X-Body: hello\r\nX-Delay: 5\r\n", "GET", ENDED_SENT },
	{ "large and delayed", "X-Fill: 100000\r\nX-Delay: 5\r\n", "GET",
	    ENDED_SENT },
	{ "dripped", "X-Fill: 300\r\nX-Drip: 7\r\n", "GET", ENDED_SENT },
	{ "cut short", "X-Body: hello\r\nX-Cut: 30\r\n", "GET", ENDED_FAULT },
	{ "cut short behind garbage",
	    "X-Body: hello\r\nX-Cut: 10\r\nX-Prefix: garbage\r\n", "GET",
	    ENDED_FAULT },
	{ "cut short behind much", "X-Fill: 100000\r\nX-Cut: 90000\r\n", "GET",
	    ENDED_FAULT },
	{ "reset", "X-Body: hello\r\nX-Cut: 30\r\nX-Reset: yes\r\n", "GET",
	    ENDED_FAULT },
	{ "never begun", "X-Cut: 0\r\nX-Reset: yes\r\n", "GET", ENDED_FAULT },
};

static void
assert_kept(const struct fixture *f, const char *row, const struct buffer *got)
{
	const struct service_end *last = &f->s.last;

	if (last->sent != got->len)
		fail_msg("%s: sent %llu, received %zu", row,
		    (unsigned long long)last->sent, got->len);
	if (last->octets.len != kept(got->len) ||
	    memcmp(last->octets.data, got->data, last->octets.len) != 0)
		fail_msg("%s: %zu octets\n%.*s\nand not %zu\n%.*s", row,
		    last->octets.len, (int)last->octets.len,
		    (const char *)last->octets.data, got->len, (int)got->len,
		    (const char *)got->data);
}

static void
the_octets_are_those_of_the_client(void **state)
{
	struct buffer got;
	char headers[128];
	struct fixture f;
	int fd;

	(void)state;
	start(&f);
	for (unsigned i = 0; i < COUNT_OF(rows); i++) {
		snprintf(headers, sizeof(headers), CLOSE "%s", rows[i].headers);
		fd = ask(f.keeping, rows[i].method, headers, 0);
		tcp_read_all(fd, &got);
		service_wait(&f.s, finished, i + 1);
		assert_kept(&f, rows[i].row, &got);
		assert_int_equal(f.s.last.ending, rows[i].ending);
		buffer_free(&got);
		close(fd);
	}
	service_stop(&f.s, GRACE_MS);
}

static void
nothing_is_kept_for_others(void **state)
{
	struct buffer got;
	char headers[128];
	struct fixture f;
	int fd;

	(void)state;
	start(&f);
	for (unsigned i = 0; i < COUNT_OF(rows); i++) {
		snprintf(headers, sizeof(headers), CLOSE "%s", rows[i].headers);
		fd = ask(f.s.base, rows[i].method, headers, 0);
		tcp_read_all(fd, &got);
		service_wait(&f.s, finished, i + 1);
		assert_int_equal(f.s.last.sent, got.len);
		assert_int_equal(f.s.last.octets.len, 0);
		buffer_free(&got);
		close(fd);
	}
	service_stop(&f.s, GRACE_MS);
}

static bool
is_any(void *cls, const struct exchange *ex)
{
	(void)cls, (void)ex;
	return true;
}

/* The client leaves, or we cut, in the middle. */
static void
half_an_answer_is_kept(void **state)
{
	struct buffer got = { 0 };
	struct fixture f;
	int fd;

	(void)state;
	start(&f);
	for (unsigned i = 0; i < 2; i++) {
		fd = ask(f.keeping, "GET", "X-Body: hello\r\nX-Pause: 25\r\n",
		    0);
		got.len = 0;
		assert_int_equal(recv(fd, buffer_extend(&got, 25), 25,
				     MSG_WAITALL),
		    25);
		if (i == 0) {
			close(fd);
			service_wait(&f.s, finished, 1);
			assert_int_equal(f.s.last.ending, ENDED_CLIENT_LEFT);
		} else {
			http_cut(f.s.http, is_any, NULL);
			assert_int_equal(service_count(&f.s, finished), 2);
			assert_int_equal(f.s.last.ending, ENDED_CUT);
			close(fd);
		}
		assert_kept(&f, i == 0 ? "left" : "cut", &got);
	}
	buffer_free(&got);
	service_stop(&f.s, GRACE_MS);
}

static size_t
memory_of_bodies(const struct fixture *f)
{
	return atomic_load(&f->s.http->body_bytes);
}

static void
assert_body(const struct fixture *f, size_t len)
{
	const struct buffer *body = &f->s.last.body;

	assert_int_equal(body->len, len);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(body->data[i], 'A' + i % 23);
}

static void
the_body_is_there_at_the_end(void **state)
{
	static const size_t sizes[] = { 0, 1, 100, EXCHANGE_KEPT_MAX, LARGE };
	static const char *const ends[] = { "", "X-Delay: 5\r\n",
		"X-Wait: 5\r\n" };
	unsigned count = 0;
	struct fixture f;
	struct answer a;
	int fd;

	(void)state;
	start(&f);
	for (size_t i = 0; i < COUNT_OF(sizes); i++)
		for (size_t k = 0; k < COUNT_OF(ends); k++) {
			fd = ask(f.keeping, "POST", ends[k], sizes[i]);
			assert_true(answer_read(fd, true, &a));
			answer_clear(&a);
			service_wait(&f.s, finished, ++count);
			assert_body(&f, k == 1 ? kept(sizes[i]) : sizes[i]);
			/* All threads are done with it after that. */
			http_cut(f.s.http, is_any, NULL);
			assert_int_equal(memory_of_bodies(&f), 0);
			close(fd);
		}
	service_stop(&f.s, GRACE_MS);
}

/* While it is held, no more of it stays in memory than is kept. */
static void
a_body_that_is_kept_is_counted(void **state)
{
	static const size_t sizes[] = { 0, 100, LARGE };
	unsigned count = 0;
	struct fixture f;
	size_t expected;
	int fd;

	(void)state;
	start(&f);
	for (size_t i = 0; i < COUNT_OF(sizes); i++)
		for (int keeps = 0; keeps < 2; keeps++) {
			expected = keeps ? kept(sizes[i]) : 0;
			fd = ask(keeps ? f.keeping : f.s.base, "POST",
			    "X-Delay: 3600000\r\n", sizes[i]);
			service_wait(&f.s, asked, ++count);
			/* The same loop is done with it then. */
			assert_true(service_answers(f.s.base));
			service_wait(&f.s, finished, count++);
			assert_int_equal(memory_of_bodies(&f), expected);
			http_cut(f.s.http, is_any, NULL);
			assert_body(&f, expected);
			assert_int_equal(memory_of_bodies(&f), 0);
			close(fd);
		}
	service_stop(&f.s, GRACE_MS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_octets_are_those_of_the_client),
		cmocka_unit_test(nothing_is_kept_for_others),
		cmocka_unit_test(half_an_answer_is_kept),
		cmocka_unit_test(the_body_is_there_at_the_end),
		cmocka_unit_test(a_body_that_is_kept_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
