/* What a client sees of `do: wire` and `do: delay`, octet by octet. */
#include "support/test.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "support/ndes.h"
#include "support/tcp.h"
#include "support/tls.h"

#define DLL "/certsrv/mscep/mscep.dll"
#define CAPS DLL "?operation=GetCACaps"
#define HOST "Host: ndes.example\r\n"
#define GET_CAPS "GET " CAPS " HTTP/1.1\r\n" HOST "\r\n"
#define GET_CERT "GET " DLL "?operation=GetCACert HTTP/1.1\r\n" HOST "\r\n"
#define VICTIM "User-Agent: victim\r\n"
#define VICTIM_GET_CAPS "GET " CAPS " HTTP/1.1\r\n" HOST VICTIM "\r\n"
#define VICTIM_GET_CERT \
	"GET " DLL "?operation=GetCACert HTTP/1.1\r\n" HOST VICTIM "\r\n"
#define PATIENCE_MS 30000
#define HELD 200

#define RULES "mockndes: 1\nname: test\nfaults:\n"

/* A scenario of one rule. */
static void
use_rule(struct server *s, const char *rule)
{
	char yaml[512];

	snprintf(yaml, sizeof(yaml), RULES "  - {%s}\n", rule);
	server_use_yaml(s, yaml);
}

static void
use_do(struct server *s, const char *edits)
{
	char rule[256];

	snprintf(rule, sizeof(rule), "do: {%s}", edits);
	use_rule(s, rule);
}

/* For VICTIM alone: others see whether all is well. */
static void
use_do_to_victims(struct server *s, const char *edits)
{
	char rule[256];

	snprintf(rule, sizeof(rule), "when: {user_agent: victim}, do: {%s}",
	    edits);
	use_rule(s, rule);
}

static int
ask(const struct server *s, const char *request)
{
	int fd = tcp_connect(s->base);

	assert_int_not_equal(fd, -1);
	assert_true(tcp_send_text(fd, request));
	return fd;
}

static enum tcp_end
ask_to_the_end(const struct server *s, const char *request, struct buffer *out)
{
	int fd = ask(s, request);
	enum tcp_end end = tcp_read_all(fd, out);

	close(fd);
	return end;
}

/* Answers differ in their dates, which are as long as each other. */
static void
blank_date(struct buffer *b)
{
	char *date = memmem(b->data, b->len, "\r\nDate: ", 8);

	if (date != NULL && (uint8_t *)date + 37 <= b->data + b->len)
		memset(date + 8, '-', 29);
}

static void
assert_same(const struct buffer *a, const struct buffer *b)
{
	assert_int_equal(a->len, b->len);
	assert_memory_equal(a->data, b->data, b->len);
}

/* The answer of a server in order, to its end. */
static void
honest_answer(struct server *s, const char *request, struct buffer *out)
{
	struct answer a;
	int fd;

	server_use_scenario(s, NULL);
	fd = ask(s, request);
	assert_true(answer_read(fd, strncmp(request, "HEAD", 4) != 0, &a));
	*out = (struct buffer){ 0 };
	buffer_add(out, a.head.data, a.head.len);
	buffer_add(out, a.body.data, a.body.len);
	blank_date(out);
	answer_clear(&a);
	close(fd);
}

/* The next entry of the journal from *seq on. */
static void
wait_for_entry(struct server *s, uint64_t *seq, struct journal_entry *out)
{
	int64_t until = clock_ticks_ms() + PATIENCE_MS;

	while (!server_entry(s, *seq, out)) {
		if (clock_ticks_ms() > until)
			fail_msg("no entry in the journal");
		poll(NULL, 0, 2);
	}
	*seq = out->seq + 1;
}

static uint64_t
journal_end(struct server *s)
{
	struct journal_entry e;
	uint64_t seq = 1;

	while (server_entry(s, seq, &e))
		seq = e.seq + 1;
	return seq;
}

static void
wait_until_gone(const struct server *s)
{
	int64_t until = clock_ticks_ms() + PATIENCE_MS;

	while (http_connections(s->http) > 0 && clock_ticks_ms() < until)
		poll(NULL, 0, 2);
	assert_int_equal(http_connections(s->http), 0);
}

/* What was sent before is read by then: one loop reads it all. */
static void
serve_others(const struct server *s)
{
	for (int i = 0; i < 3; i++)
		assert_true(tcp_is_served(s->base));
}

/* Nothing has come, nor has it ended, while others were served. */
static void
assert_silent(struct server *s, int fd)
{
	char c;

	serve_others(s);
	assert_int_equal(recv(fd, &c, 1, MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
}

/* Parts of the honest answer: octets, or of them all. */
#define ALL (-1)
#define HALF (-2)
#define HALF_HEAD (-3)
static const struct end_row {
	const char *row, *edits;
	long octets;
	enum tcp_end end;
	enum ending ending;
} ends[] = {
	{ "reset before", "wire: {reset: before}", 0, TCP_RESET, ENDED_FAULT },
	{ "reset at 0", "wire: {reset: 0}", 0, TCP_RESET, ENDED_FAULT },
	{ "reset at 1", "wire: {reset: 1}", 1, TCP_RESET, ENDED_FAULT },
	{ "reset at 500", "wire: {reset: 500}", 500, TCP_RESET, ENDED_FAULT },
	{ "reset at half", "wire: {reset: 50%}", HALF, TCP_RESET, ENDED_FAULT },
	{ "reset beyond the end", "wire: {reset: 1000000}", ALL, TCP_RESET,
	    ENDED_FAULT },
	{ "reset after", "wire: {reset: after}", ALL, TCP_RESET, ENDED_FAULT },
	{ "close before", "wire: {close: before}", 0, TCP_CLOSED, ENDED_FAULT },
	{ "close at 1", "wire: {close: 1}", 1, TCP_CLOSED, ENDED_FAULT },
	{ "close at half", "wire: {close: 50%}", HALF, TCP_CLOSED,
	    ENDED_FAULT },
	{ "close after", "wire: {close: after}", ALL, TCP_CLOSED, ENDED_SENT },
	{ "half a head, close", "wire: {half_head: close}", HALF_HEAD,
	    TCP_CLOSED, ENDED_FAULT },
	{ "half a head, reset", "wire: {half_head: reset}", HALF_HEAD,
	    TCP_RESET, ENDED_FAULT },
	{ "hang for a time", "wire: {hang: 5ms}", 0, TCP_CLOSED, ENDED_FAULT },
	{ "a drip, then a reset",
	    "wire: {drip: {octets: 40, every: 1ms}, reset: 333}", 333,
	    TCP_RESET, ENDED_FAULT },
	{ "a delay and a pause, then a close",
	    "delay: 3ms, wire: {pause: {at: 7, time: 3ms}, close: 20}", 20,
	    TCP_CLOSED, ENDED_FAULT },
};

static size_t
octets_of(long octets, const struct buffer *whole)
{
	const uint8_t *head_end = memmem(whole->data, whole->len, "\r\n\r\n",
	    4);

	assert_non_null(head_end);
	return octets == ALL	? whole->len :
	    octets == HALF	? whole->len / 2 :
	    octets == HALF_HEAD ? (size_t)(head_end + 4 - whole->data) / 2 :
				  (size_t)octets;
}

static void
ends_as_it_says(void **state)
{
	struct buffer honest, got;
	struct journal_entry e;
	struct server s;
	uint64_t seq;

	(void)state;
	server_start(&s, NULL);
	honest_answer(&s, GET_CERT, &honest);
	for (size_t i = 0; i < COUNT_OF(ends); i++) {
		const struct end_row *r = &ends[i];
		size_t octets = octets_of(r->octets, &honest);
		enum tcp_end end;

		print_message("%s\n", r->row);
		wait_until_gone(&s);
		seq = journal_end(&s);
		use_do(&s, r->edits);
		end = ask_to_the_end(&s, GET_CERT, &got);
		blank_date(&got);
		assert_int_equal(end, r->end);
		assert_int_equal(got.len, octets);
		if (octets > 100)
			assert_memory_equal(got.data, honest.data, octets);
		wait_for_entry(&s, &seq, &e);
		assert_int_equal(e.ending, r->ending);
		assert_int_equal(e.sent, octets);
		buffer_free(&got);
	}
	buffer_free(&honest);
	server_stop(&s);
}

static enum tls_end
tls_end_of(const struct end_row *r)
{
	return r->end == TCP_RESET  ? TLS_RESET :
	    r->ending == ENDED_SENT ? TLS_NOTIFIED :
				      TLS_TRUNCATED;
}

/* The octets are as many, and TLS ends in three ways. */
static void
ends_as_it_says_in_tls(void **state)
{
	const struct tls_client_options options = { 0 };
	struct buffer honest, got;
	struct tls_client c;
	struct server s;

	(void)state;
	server_start(&s, &(struct server_options){ .tls = true });
	honest_answer(&s, GET_CERT, &honest);
	for (size_t i = 0; i < COUNT_OF(ends); i++) {
		const struct end_row *r = &ends[i];
		size_t octets = octets_of(r->octets, &honest);

		print_message("%s\n", r->row);
		use_do(&s, r->edits);
		assert_true(tls_connect(&c, s.tls_base, &options));
		assert_true(tls_send_text(&c, GET_CERT));
		tls_read_all(&c, &got);
		blank_date(&got);
		assert_int_equal(c.end, tls_end_of(r));
		assert_int_equal(got.len, octets);
		if (octets > 100)
			assert_memory_equal(got.data, honest.data, octets);
		buffer_free(&got);
		tls_close(&c);
	}
	wait_until_gone(&s);
	buffer_free(&honest);
	server_stop(&s);
}

static const char *const keep_whole[] = {
	"delay: 3ms",
	"wire: {drip: {octets: 7, every: 1ms}}",
	"wire: {drip: {octets: 500}}", /* every 100ms */
	"wire: {drip: {octets: 1000000}}",
	"wire: {pause: {at: 1, time: 3ms}}",
	"wire: {pause: {time: 3ms}}",
	"wire: {pause: {at: 100%, time: 3ms}}",
	("delay: 2ms, wire: {drip: {octets: 64, every: 2ms},"
	 " pause: {at: 64, time: 3ms}}"),
};

static const char *const requests[] = {
	GET_CAPS,
	"HEAD " CAPS " HTTP/1.1\r\n" HOST "\r\n",
	"GET " CAPS " HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
	"POST " CAPS " HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc",
	"POST " CAPS " HTTP/1.1\r\n" HOST
	"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
	"GET /nothing HTTP/1.1\r\n" HOST "\r\n",
};

static void
read_again_and_again(int fd, const char *request, const struct buffer *honest)
{
	struct buffer got = { 0 };
	struct answer a;

	for (int i = 0; i < 3; i++) {
		if (i > 0)
			assert_true(tcp_send_text(fd, request));
		assert_true(
		    answer_read(fd, strncmp(request, "HEAD", 4) != 0, &a));
		got.len = 0;
		buffer_add(&got, a.head.data, a.head.len);
		buffer_add(&got, a.body.data, a.body.len);
		blank_date(&got);
		assert_same(&got, honest);
		answer_clear(&a);
	}
	buffer_free(&got);
}

/* Slow, and nothing else: the octets, and that the connection goes on. */
static void
slow_answers_are_whole(void **state)
{
	struct buffer honest;
	struct server s;
	int fd;

	(void)state;
	server_start(&s, NULL);
	for (size_t r = 0; r < COUNT_OF(requests); r++) {
		honest_answer(&s, requests[r], &honest);
		for (size_t i = 0; i < COUNT_OF(keep_whole); i++) {
			print_message("%s: %s", keep_whole[i], requests[r]);
			use_do(&s, keep_whole[i]);
			fd = ask(&s, requests[r]);
			read_again_and_again(fd, requests[r], &honest);
			close(fd);
		}
		buffer_free(&honest);
	}
	wait_until_gone(&s);
	server_stop(&s);
}

static void
slow_answers_go_on_in_tls(void **state)
{
	const struct tls_client_options options = { 0 };
	struct buffer honest;
	struct tls_client c;
	struct answer a;
	struct server s;

	(void)state;
	server_start(&s, &(struct server_options){ .tls = true });
	honest_answer(&s, GET_CERT, &honest);
	use_do(&s, "delay: 2ms, wire: {drip: {octets: 99, every: 1ms}}");
	assert_true(tls_connect(&c, s.tls_base, &options));
	for (int i = 0; i < 4; i++) {
		assert_true(tls_send_text(&c, GET_CERT));
		assert_true(tls_read_answer(&c, &a));
		assert_int_equal(a.head.len + a.body.len, honest.len);
		assert_memory_equal(a.body.data,
		    honest.data + honest.len - a.body.len, a.body.len);
		answer_clear(&a);
	}
	tls_close(&c);
	buffer_free(&honest);
	server_stop(&s);
}

/* Those that end with the answer do so after a slow one, too. */
static void
slow_answers_end_as_others(void **state)
{
	static const char *const last[] = {
		"GET " CAPS " HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n",
		"GET " CAPS " HTTP/1.0\r\n\r\n",
		"GET " CAPS " HTTP/1.1\r\n\r\n", /* no Host: http.sys's */
	};
	struct buffer honest, got;
	struct server s;

	(void)state;
	server_start(&s, NULL);
	for (size_t i = 0; i < COUNT_OF(last); i++) {
		server_use_scenario(&s, NULL);
		assert_int_equal(ask_to_the_end(&s, last[i], &honest),
		    TCP_CLOSED);
		use_do(&s,
		    "delay: 2ms, wire: {drip: {octets: 50, every: 1ms}}");
		assert_int_equal(ask_to_the_end(&s, last[i], &got), TCP_CLOSED);
		blank_date(&honest);
		blank_date(&got);
		assert_same(&got, &honest);
		buffer_free(&honest);
		buffer_free(&got);
	}
	server_stop(&s);
}

/* It is still in the kernel, and libmicrohttpd finds it there. */
static void
a_request_sent_meanwhile_is_answered(void **state)
{
	char start[2] = "";
	struct answer a;
	struct server s;
	int fd;

	(void)state;
	server_start(&s, NULL);
	use_do(&s, "wire: {pause: {at: 2, time: 50ms}}");
	fd = ask(&s, GET_CAPS);
	/* By now it has been taken over. */
	assert_int_equal(recv(fd, start, 2, MSG_PEEK | MSG_WAITALL), 2);
	assert_memory_equal(start, "HT", 2);
	assert_true(tcp_send_text(fd, GET_CERT));
	assert_true(answer_read(fd, true, &a));
	assert_int_equal(a.status, 200);
	assert_non_null(strstr((char *)a.body.data, "POSTPKIOperation"));
	answer_clear(&a);
	assert_true(answer_read(fd, true, &a));
	assert_int_equal(a.status, 200);
	assert_true(a.body.len > 1000);
	answer_clear(&a);
	close(fd);
	server_stop(&s);
}

static void
continue_is_said_before_a_delay(void **state)
{
	static const char head[] = "POST " CAPS " HTTP/1.1\r\n" HOST
				   "Expect: 100-continue\r\n"
				   "Content-Length: 3\r\n\r\n";
	struct answer a;
	struct server s;
	int fd;

	(void)state;
	server_start(&s, NULL);
	use_do(&s, "delay: 3ms");
	fd = tcp_connect(s.base);
	for (int i = 0; i < 3; i++) {
		assert_true(tcp_send_text(fd, head));
		assert_true(answer_read(fd, false, &a));
		assert_int_equal(a.status, 100);
		answer_clear(&a);
		assert_true(tcp_send_text(fd, "abc"));
		assert_true(answer_read(fd, true, &a));
		assert_int_equal(a.status, 200);
		answer_clear(&a);
	}
	close(fd);
	server_stop(&s);
}

/* libmicrohttpd has it and does not give it back: the client is told so. */
static void
a_pipelined_request_has_to_be_asked_again(void **state)
{
	char value[32];
	struct answer a;
	struct server s;
	int fd;

	(void)state;
	server_start(&s, NULL);
	use_do(&s, "delay: 2ms");
	fd = ask(&s, GET_CAPS GET_CERT);
	assert_true(answer_read(fd, true, &a));
	assert_int_equal(a.status, 200);
	assert_string_equal(answer_header(&a, "Connection", value,
				sizeof(value)),
	    "close");
	assert_int_equal(recv(fd, value, 1, 0), 0);
	answer_clear(&a);
	close(fd);
	server_stop(&s);
}

static void
garbage_comes_first(void **state)
{
	static const char garbage[] = "SSH-2.0-x\r\n";
	struct buffer honest;
	struct answer a;
	char start[16];
	struct server s;
	int fd;

	(void)state;
	server_start(&s, NULL);
	honest_answer(&s, GET_CAPS, &honest);
	use_do(&s, "wire: {garbage: \"SSH-2.0-x\\r\\n\"}");
	fd = ask(&s, GET_CAPS);
	assert_int_equal(recv(fd, start, strlen(garbage), MSG_WAITALL),
	    strlen(garbage));
	assert_memory_equal(start, garbage, strlen(garbage));
	assert_true(answer_read(fd, true, &a));
	assert_int_equal(a.octets, honest.len);
	answer_clear(&a);
	close(fd);
	buffer_free(&honest);
	server_stop(&s);
}

/* What a held client may do: leave, or reset. What is told of it. */
static const struct leaving_row {
	const char *edits;
	long octets; /* that come before it hangs */
} leavings[] = {
	{ "wire: {hang: forever}", 0 },
	{ "wire: {hang: 10h}", 0 },
	{ "wire: {half_head: hang}", HALF_HEAD },
	{ "delay: 10h", 0 },
	{ "wire: {pause: {at: 30, time: 10h}}", 30 },
	{ "wire: {drip: {octets: 30, every: 1h}}", 30 },
};

static void
leave(int fd, bool orderly)
{
	if (orderly)
		close(fd);
	else
		tcp_abort(fd);
}

static void
who_leaves_is_noticed(void **state)
{
	struct buffer honest;
	struct journal_entry e;
	char start[4096];
	struct server s;
	uint64_t seq;
	int fd;

	(void)state;
	server_start(&s, NULL);
	honest_answer(&s, GET_CERT, &honest);
	for (size_t i = 0; i < 2 * COUNT_OF(leavings); i++) {
		const struct leaving_row *r = &leavings[i / 2];
		size_t octets = octets_of(r->octets, &honest);

		wait_until_gone(&s);
		seq = journal_end(&s);
		use_do_to_victims(&s, r->edits);
		fd = ask(&s, VICTIM_GET_CERT);
		if (octets > 0)
			assert_int_equal(recv(fd, start, octets, MSG_WAITALL),
			    octets);
		serve_others(&s);
		leave(fd, i % 2 == 0);
		wait_until_gone(&s);
		/* Those of others may be about it. */
		do
			wait_for_entry(&s, &seq, &e);
		while (strstr(e.target, "GetCACert") == NULL);
		assert_int_equal(e.ending, ENDED_CLIENT_LEFT);
		assert_int_equal(e.sent, octets);
	}
	buffer_free(&honest);
	server_stop(&s);
}

static void
who_leaves_tls_is_noticed(void **state)
{
	const struct tls_client_options options = { 0 };
	struct journal_entry e;
	struct tls_client c;
	struct server s;
	uint64_t seq = 1;

	(void)state;
	server_start(&s, &(struct server_options){ .tls = true });
	use_do_to_victims(&s, "wire: {hang: forever}");
	for (int i = 0; i < 4; i++) {
		assert_true(tls_connect(&c, s.tls_base, &options));
		assert_true(tls_send_text(&c, VICTIM_GET_CERT));
		serve_others(&s);
		if (i % 2 == 0)
			tls_close(&c);
		else
			tls_abort(&c);
		do
			wait_for_entry(&s, &seq, &e);
		while (strstr(e.target, "GetCACert") == NULL);
		assert_int_equal(e.ending, ENDED_CLIENT_LEFT);
	}
	wait_until_gone(&s);
	server_stop(&s);
}

static void
hanging_is_silence(void **state)
{
	struct server s;
	int fd;

	(void)state;
	server_start(&s, NULL);
	use_do_to_victims(&s, "wire: {hang: forever}");
	fd = ask(&s, VICTIM_GET_CAPS);
	assert_silent(&s, fd);
	close(fd);
	wait_until_gone(&s);
	server_stop(&s);
}

/* The body is taken, or its client would never come to its end. */
static void
hanging_takes_what_is_sent(void **state)
{
	static const char head[] = "POST " CAPS " HTTP/1.1\r\n" HOST
				   "Content-Length: 100000\r\n\r\n";
	char *body = calloc(1, 1 << 20);
	struct server s;
	int fd;

	(void)state;
	assert_non_null(body);
	server_start(&s, NULL);
	use_do(&s, "wire: {hang: forever}");
	fd = ask(&s, head);
	for (int i = 0; i < 16; i++)
		assert_true(tcp_send(fd, body, 1 << 20));
	close(fd);
	wait_until_gone(&s);
	free(body);
	server_stop(&s);
}

static void
what_is_kept_open_says_close(void **state)
{
	struct buffer honest, got;
	struct journal_entry e;
	char value[32];
	struct answer a;
	struct server s;
	uint64_t seq;
	int fd;

	(void)state;
	server_start(&s, NULL);
	honest_answer(&s, GET_CAPS, &honest);
	seq = journal_end(&s);
	use_do_to_victims(&s, "wire: {keep_open: forever}");
	fd = ask(&s, VICTIM_GET_CAPS);
	assert_true(answer_read(fd, true, &a));
	assert_string_equal(answer_header(&a, "Connection", value,
				sizeof(value)),
	    "close");
	wait_for_entry(&s, &seq, &e);
	assert_int_equal(e.ending, ENDED_SENT);
	assert_true(tcp_send_text(fd, VICTIM_GET_CAPS));
	assert_silent(&s, fd);
	close(fd);
	answer_clear(&a);
	wait_until_gone(&s);
	use_do(&s, "wire: {keep_open: 5ms}");
	assert_int_equal(ask_to_the_end(&s, GET_CAPS, &got), TCP_CLOSED);
	assert_int_equal(got.len, honest.len + strlen("Connection: close\r\n"));
	buffer_free(&got);
	buffer_free(&honest);
	server_stop(&s);
}

static bool
is_refused(const char *url)
{
	int fd = tcp_connect(url);

	if (fd == -1)
		return errno == ECONNREFUSED;
	close(fd);
	return false;
}

static void
ports_are_closed_and_opened(void **state)
{
	char second[HTTP_URL_SIZE], third[HTTP_URL_SIZE];
	struct buffer got;
	struct answer a;
	struct server s;
	int fd;

	(void)state;
	server_start(&s, NULL);
	assert_int_equal(server_listen(&s, "127.0.0.1:0", second), 0);
	fd = ask(&s, GET_CAPS);
	assert_true(answer_read(fd, true, &a));
	answer_clear(&a);
	for (int i = 0; i < 3; i++) {
		use_do(&s, "wire: {refuse: true}");
		assert_true(is_refused(s.base));
		assert_true(is_refused(second));
		server_use_scenario(&s, NULL);
		assert_true(tcp_is_served(s.base));
		assert_true(tcp_is_served(second));
	}
	use_do(&s, "wire: {refuse: true}");
	assert_int_equal(server_listen(&s, "127.0.0.1:0", third), 0);
	assert_true(is_refused(third));
	/* Who came before is reset. */
	assert_true(tcp_send_text(fd, GET_CAPS));
	assert_int_equal(tcp_read_all(fd, &got), TCP_RESET);
	assert_int_equal(got.len, 0);
	buffer_free(&got);
	close(fd);
	server_stop(&s);
}

/* Nobody tells the server to look. */
static void
advance_until(struct server *s, int64_t seconds, bool refused)
{
	int64_t until = clock_ticks_ms() + PATIENCE_MS;

	clock_advance(site_clock(site_default(s->sites)), seconds);
	while (is_refused(s->base) != refused) {
		assert_true(clock_ticks_ms() < until);
		poll(NULL, 0, 5);
	}
}

static void
ports_follow_the_clock(void **state)
{
	struct server s;

	(void)state;
	server_start(&s, NULL);
	use_rule(&s, "when: {between: [1h, 2h]}, do: {wire: {refuse: true}}");
	assert_true(tcp_is_served(s.base));
	advance_until(&s, 3700, true);
	advance_until(&s, 3600, false);
	assert_true(tcp_is_served(s.base));
	server_stop(&s);
}

/* The ports belong to others too: of those it means, it resets them. */
static void
some_are_refused_by_a_reset(void **state)
{
	struct buffer got;
	struct server s;

	(void)state;
	server_start(&s, NULL);
	use_rule(&s, "when: {method: POST}, do: {wire: {refuse: true}}");
	assert_true(tcp_is_served(s.base));
	assert_int_equal(ask_to_the_end(&s,
			     "POST " CAPS " HTTP/1.1\r\n" HOST
			     "Content-Length: 0\r\n\r\n",
			     &got),
	    TCP_RESET);
	assert_int_equal(got.len, 0);
	buffer_free(&got);
	server_stop(&s);
}

static void
enrolment_by_drips(void **state)
{
	struct device device;
	struct ndes n;

	(void)state;
	assert_true(device_make(&device));
	ndes_start(&n, NULL);
	use_do(&n.server,
	    "delay: 2ms, wire: {drip: {octets: 300, every: 1ms},"
	    " pause: {time: 2ms}}");
	X509_free(ndes_enrol(&n, &device,
	    &(struct device_order){ .challenge = NDES_CHALLENGE }));
	ndes_stop(&n);
	device_clear(&device);
}

/* They are cut; nobody waits until they are through. */
static void
stop_cuts_what_is_held(void **state)
{
	static const char kinds[] = RULES
	    "- {when: {user_agent: a}, do: {wire: {hang: forever}}}\n"
	    "- {when: {user_agent: b}, do: {delay: 10h}}\n"
	    "- {when: {user_agent: c}, do: {wire: {drip: {every: 1h}}}}\n"
	    "- {when: {user_agent: d}, do: {wire: {keep_open: forever}}}\n";
	char request[256], c;
	struct server s;
	int64_t start;
	int fds[HELD];

	(void)state;
	server_start(&s, NULL);
	server_use_yaml(&s, kinds);
	for (int i = 0; i < HELD; i++) {
		snprintf(request, sizeof(request),
		    "GET " CAPS " HTTP/1.1\r\n" HOST "User-Agent: %c\r\n\r\n",
		    'a' + i % 4);
		fds[i] = ask(&s, request);
	}
	serve_others(&s);
	start = clock_ticks_ms();
	server_stop(&s);
	/* Less than what honest ones have. */
	assert_true(clock_ticks_ms() - start < 4000);
	for (int i = 0; i < HELD; i++) {
		ssize_t len;

		while ((len = recv(fds[i], &c, 1, MSG_DONTWAIT)) == 1)
			continue;
		assert_true(len == 0 || errno == ECONNRESET);
		close(fds[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ends_as_it_says),
		cmocka_unit_test(ends_as_it_says_in_tls),
		cmocka_unit_test(slow_answers_are_whole),
		cmocka_unit_test(slow_answers_go_on_in_tls),
		cmocka_unit_test(slow_answers_end_as_others),
		cmocka_unit_test(a_request_sent_meanwhile_is_answered),
		cmocka_unit_test(continue_is_said_before_a_delay),
		cmocka_unit_test(a_pipelined_request_has_to_be_asked_again),
		cmocka_unit_test(garbage_comes_first),
		cmocka_unit_test(who_leaves_is_noticed),
		cmocka_unit_test(who_leaves_tls_is_noticed),
		cmocka_unit_test(hanging_is_silence),
		cmocka_unit_test(hanging_takes_what_is_sent),
		cmocka_unit_test(what_is_kept_open_says_close),
		cmocka_unit_test(ports_are_closed_and_opened),
		cmocka_unit_test(ports_follow_the_clock),
		cmocka_unit_test(some_are_refused_by_a_reset),
		cmocka_unit_test(enrolment_by_drips),
		cmocka_unit_test(stop_cuts_what_is_held),
	};

	web_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
