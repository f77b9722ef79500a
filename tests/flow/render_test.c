/*
 * What render.c says that an ordinary answer comes to is what libmicrohttpd
 * sends, octet for octet; and so is what is sent in its place.
 */
#include "support/test.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "http/inside.h"
#include "support/tcp.h"

#define HOST "Host: x\r\n"

/* A service whose answers are in the headers of the requests. */
struct fixture {
	struct http *http;
	struct http_service service;
	char base[HTTP_URL_SIZE];
	pthread_mutex_t lock;
	pthread_cond_t over;
	struct blob rendered; /* of the last exchange */
	uint64_t sent;
	unsigned count;
};

static void
begin(void *cls, struct exchange *ex)
{
	(void)cls, (void)ex;
}

static void
answer(void *cls, struct exchange *ex)
{
	const char *status = request_header(&ex->request, "X-Status");
	const char *body = request_header(&ex->request, "X-Body");
	const char *header = request_header(&ex->request, "X-Header");
	struct fixture *f = cls;

	exchange_answer(ex, LAYER_IIS, status == NULL ? 200 : atoi(status), 0,
	    0);
	if (body != NULL && blob_copy(&ex->reply.body, span_text(body)) == -1)
		return;
	reply_header(&ex->reply, "Content-Type", "text/plain; charset=utf-8");
	reply_header(&ex->reply, "Server", "Microsoft-IIS/10.0");
	if (header != NULL)
		reply_header(&ex->reply, "Server", "%s", header);
	reply_header(&ex->reply, "Date", "Mon, 29 Apr 2013 09:15:51 GMT");
	ex->reply.close = request_header(&ex->request, "X-Close") != NULL;
	if (request_header(&ex->request, "X-Phrase") != NULL)
		ex->reply.reason = reason_phrase(ex->reply.status);
	pthread_mutex_lock(&f->lock);
	blob_free(&f->rendered);
	render_reply(ex, &f->rendered);
	pthread_mutex_unlock(&f->lock);
}

static bool
is_long(void *cls, const struct exchange *ex)
{
	(void)cls, (void)ex;
	return false;
}

static void
refuse(void *cls, struct exchange *ex, enum http_refusal why)
{
	(void)cls, (void)ex, (void)why;
}

static struct http_limits
limits(void *cls)
{
	(void)cls;
	return (struct http_limits){ 60000, 60000, 60000, 60000 };
}

static void
finish(void *cls, struct exchange *ex)
{
	struct fixture *f = cls;

	pthread_mutex_lock(&f->lock);
	f->sent = ex->sent;
	f->count++;
	pthread_cond_signal(&f->over);
	pthread_mutex_unlock(&f->lock);
}

static int
start(void **state)
{
	static struct fixture f;
	const struct http_options options = { .workers = 1 };
	struct endpoint at, bound;
	struct error err = { 0 };

	pthread_mutex_init(&f.lock, NULL);
	pthread_cond_init(&f.over, NULL);
	f.service.begin = begin;
	f.service.answer = answer;
	f.service.is_long = is_long;
	f.service.refuse = refuse;
	f.service.limits = limits;
	f.service.finish = finish;
	f.service.cls = &f;
	assert_int_equal(http_parse_address("127.0.0.1:0", &at, &err), 0);
	assert_int_equal(http_start(&f.http, &options, &err), 0);
	assert_int_equal(http_listen(f.http, &at, &f.service, &bound, NULL,
			     &err),
	    0);
	assert_int_equal(http_accept(f.http, &err), 0);
	http_url(&bound, f.base);
	*state = &f;
	return 0;
}

static int
stop(void **state)
{
	struct fixture *f = *state;

	http_stop(f->http, 5000);
	blob_free(&f->rendered);
	pthread_cond_destroy(&f->over);
	pthread_mutex_destroy(&f->lock);
	return 0;
}

/* The exchange after those counted so far is over. */
static void
wait_for(struct fixture *f, unsigned count)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += TCP_SECONDS;
	pthread_mutex_lock(&f->lock);
	while (f->count == count)
		assert_int_equal(pthread_cond_timedwait(&f->over, &f->lock,
				     &until),
		    0);
	pthread_mutex_unlock(&f->lock);
}

static void
must_match(struct fixture *f, const char *request)
{
	bool is_head = strncmp(request, "HEAD", 4) == 0;
	unsigned count = f->count;
	int fd = tcp_connect(f->base);
	struct answer a;

	assert_int_not_equal(fd, -1);
	assert_true(tcp_send_text(fd, request));
	assert_true(answer_read(fd, !is_head, &a));
	wait_for(f, count);
	buffer_add_span(&a.head, buffer_span(&a.body));
	if (a.head.len != f->rendered.len ||
	    memcmp(a.head.data, f->rendered.data, a.head.len) != 0)
		fail_msg("%s\ngets\n%.*s\nand not\n%.*s", request,
		    (int)a.head.len, (char *)a.head.data, (int)f->rendered.len,
		    (char *)f->rendered.data);
	assert_int_equal(f->sent, a.head.len);
	answer_clear(&a);
	close(fd);
}

static void
what_libmicrohttpd_sends(void **state)
{
	static const char *const requests[] = {
		"GET / HTTP/1.1\r\n" HOST "X-Body: hello\r\n\r\n",
		"GET / HTTP/1.1\r\n" HOST "\r\n",
		"HEAD / HTTP/1.1\r\n" HOST "X-Body: hello\r\n\r\n",
		"GET / HTTP/1.1\r\n" HOST
		"X-Body: a\r\nConnection: close\r\n\r\n",
		"GET / HTTP/1.1\r\n" HOST "Connection: CLOSE\r\n\r\n",
		"GET / HTTP/1.1\r\n" HOST "Connection: keep-alive\r\n\r\n",
		"GET / HTTP/1.1\r\n" HOST "X-Close: yes\r\n\r\n",
		"GET / HTTP/1.1\r\n" HOST
		"X-Close: yes\r\nConnection: keep-alive\r\n\r\n",
		"GET / HTTP/1.0\r\nX-Body: 0123456789\r\n\r\n",
		"GET / HTTP/1.0\r\nConnection: keep-alive\r\nX-Body: a\r\n\r\n",
		"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\nX-Close: y\r\n\r\n",
		"GET / HTTP/1.0\r\nConnection: close\r\n\r\n",
		"POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc",
		"GET / HTTP/1.1\r\n" HOST "X-Header: another\r\n\r\n",
	};

	for (size_t i = 0; i < COUNT_OF(requests); i++)
		must_match(*state, requests[i]);
}

/* Those of which libmicrohttpd has another idea go out as we say. */
static void
every_status(void **state)
{
	char request[128];

	for (int status = 200; status <= 999; status++) {
		snprintf(request, sizeof(request),
		    "GET / HTTP/1.1\r\n" HOST "X-Status: %d\r\n%s\r\n", status,
		    status == 204 || status == 304 ? "" : "X-Body: hello\r\n");
		must_match(*state, request);
	}
}

/* The same octets, whether libmicrohttpd sends them or we do. */
static void
no_difference(void **state)
{
	static const char *const heads[] = {
		"GET / HTTP/1.1\r\n" HOST "X-Body: hello\r\n",
		"HEAD / HTTP/1.1\r\n" HOST "X-Body: hello\r\n",
		"GET / HTTP/1.1\r\n" HOST "Connection: close\r\n",
		"GET / HTTP/1.0\r\nConnection: keep-alive\r\nX-Body: a\r\n",
		"GET / HTTP/1.0\r\nX-Body: a\r\n",
		"GET / HTTP/1.1\r\n" HOST "X-Status: 503\r\n",
	};
	struct fixture *f = *state;
	struct blob ordinary;
	char request[256];

	for (size_t i = 0; i < COUNT_OF(heads); i++) {
		snprintf(request, sizeof(request), "%s\r\n", heads[i]);
		must_match(f, request);
		assert_int_equal(blob_copy(&ordinary, blob_span(&f->rendered)),
		    0);
		snprintf(request, sizeof(request), "%sX-Phrase: usual\r\n\r\n",
		    heads[i]);
		must_match(f, request);
		assert_true(
		    span_equal(blob_span(&ordinary), blob_span(&f->rendered)));
		blob_free(&ordinary);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_libmicrohttpd_sends),
		cmocka_unit_test(every_status),
		cmocka_unit_test(no_difference),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
