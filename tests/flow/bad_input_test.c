/* Octets that no client should send: an answer or a close, never a hang. */
#include "support/test.h"

#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/device.h"
#include "support/server.h"
#include "support/tcp.h"

#define DLL "/certsrv/mscep/mscep.dll"
#define PKI DLL "?operation=PKIOperation"
#define HOST "Host: ndes.example\r\n"
#define POST_PKI "POST " PKI " HTTP/1.1\r\n" HOST
#define LASTING "lasting"

/* Of a row: no answer is due, only an end. */
#define JUST_AN_END 0

static struct fixture {
	struct server server;
	struct device device;
	STACK_OF(X509) * ca_certs;
	struct device_message message; /* a valid one */
} fixture;

static int
start(void **state)
{
	static const char *const set[] = {
		"server.iis.max_allowed_content_length=3000000", NULL
	};
	struct fixture *f = *state = &fixture;
	STACK_OF(X509) *recipients = sk_X509_new_null();
	const struct device_order order = { .challenge = LASTING,
		.recipients = recipients };
	bool good;

	web_start();
	server_start(&f->server,
	    &(struct server_options){ .challenge = LASTING, .set = set });
	f->ca_certs = device_ca_certs(f->server.url);
	good = device_make(&f->device) &&
	    sk_X509_push(recipients,
		device_ra(f->ca_certs, KU_KEY_ENCIPHERMENT)) > 0 &&
	    device_message_make(&f->device, &order, &f->message);
	sk_X509_free(recipients);
	return good ? 0 : -1;
}

static int
stop(void **state)
{
	struct fixture *f = *state;

	device_message_clear(&f->message);
	device_ca_certs_free(f->ca_certs);
	device_clear(&f->device);
	server_stop(&f->server);
	return 0;
}

static void
assert_serves(const struct fixture *f, const char *after)
{
	if (!tcp_is_served(f->server.base))
		fail_msg("no service after: %s", after);
}

#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define FILLER A64 A64 A64 A64 A64 A64

/* What is sent is head, then `count` times `fill`, then tail; "" is NUL. */
static const struct row {
	const char *row, *head;
	size_t head_len; /* 0: up to the NUL */
	const char *fill;
	size_t count;
	const char *tail;
	int status; /* JUST_AN_END: whatever it is, or none */
	const char *words;
} rows[] = {
	{ "URL of 60000 octets", "GET " DLL "?operation=GetCACaps&message=", 0,
	    "a", 60000, " HTTP/1.1\r\n" HOST "\r\n", 200, "POSTPKIOperation" },
	{ "URL beyond 65534 octets",
	    "GET " DLL "?operation=GetCACaps&message=", 0, "a", 65534,
	    " HTTP/1.1\r\n" HOST "\r\n", 414, "The request URL is too long." },
	{ "URL of 200000 octets", "GET " DLL "?message=", 0, "a", 200000,
	    " HTTP/1.1\r\n" HOST "\r\n", JUST_AN_END, NULL },
	{ "header of 60000 octets",
	    "GET " DLL "?operation=GetCACaps HTTP/1.1\r\n" HOST "X: ", 0, "a",
	    60000, "\r\n\r\n", 200, "POSTPKIOperation" },
	{ "header beyond 65534 octets",
	    "GET " DLL " HTTP/1.1\r\n" HOST "X: ", 0, "a", 65600, "\r\n\r\n",
	    400, "The size of the request headers is too long." },
	{ "headers beyond 65534 octets together",
	    "GET " DLL " HTTP/1.1\r\n" HOST, 0, "X: " FILLER "\r\n", 180,
	    "\r\n", 400, "The size of the request headers is too long." },
	{ "too many headers", "GET " DLL " HTTP/1.1\r\n" HOST, 0, "X: y\r\n",
	    20000, "\r\n", JUST_AN_END, NULL },
	{ "header of 200000 octets", "GET " DLL " HTTP/1.1\r\n" HOST "X: ", 0,
	    "a", 200000, "\r\n\r\n", JUST_AN_END, NULL },
	{ "a header line without a colon",
	    "GET " DLL " HTTP/1.1\r\n" HOST "nonsense\r\n\r\n", 0, NULL, 0, "",
	    400, "" },
	{ "nothing but line ends", "\r\n\r\n\r\n\r\n", 0, NULL, 0, "",
	    JUST_AN_END, NULL },
	{ "nothing but zeros", "", 0, "", 5000, "", JUST_AN_END, NULL },
	{ "a TLS handshake", "\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03", 11,
	    "x", 300, "", JUST_AN_END, NULL },
	{ "HTTP/0.9", "GET " DLL "\r\n", 0, NULL, 0, "", JUST_AN_END, NULL },
	{ "HTTP/2.0's preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 0, NULL, 0,
	    "", 505, "" },
	{ "HTTP/9.9", "GET " DLL " HTTP/9.9\r\n" HOST "\r\n", 0, NULL, 0, "",
	    JUST_AN_END, NULL },
	{ "NUL in the path", "GET " DLL "\0x HTTP/1.1\r\n" HOST "\r\n",
	    sizeof("GET " DLL "\0x HTTP/1.1\r\n" HOST "\r\n") - 1, NULL, 0, "",
	    JUST_AN_END, NULL },
	{ "NUL for a verb", "\0 " DLL " HTTP/1.1\r\n" HOST "\r\n",
	    sizeof("\0 " DLL " HTTP/1.1\r\n" HOST "\r\n") - 1, NULL, 0, "",
	    JUST_AN_END, NULL },
	{ "control octets in the path",
	    "GET " DLL "\x01\x02\x7f HTTP/1.1\r\n" HOST "\r\n", 0, NULL, 0, "",
	    400, "The request URL is invalid." },
	{ "a control octet in the verb",
	    "G\x01T " DLL " HTTP/1.1\r\n" HOST "\r\n", 0, NULL, 0, "", 400,
	    "The request verb is invalid." },
	{ "an escape without digits",
	    "GET /certsrv/%zz/mscep.dll HTTP/1.1\r\n" HOST "\r\n", 0, NULL, 0,
	    "", 400, "The request URL is invalid." },
	{ "an escaped NUL",
	    "GET /certsrv/mscep/mscep.dll%00 HTTP/1.1\r\n" HOST "\r\n", 0, NULL,
	    0, "", 400, "The request URL is invalid." },
	{ "a target without a slash", "GET mscep.dll HTTP/1.1\r\n" HOST "\r\n",
	    0, NULL, 0, "", 400, "The request URL is invalid." },
	{ "a segment of 300 octets", "GET " DLL "/", 0, "a", 300,
	    " HTTP/1.1\r\n" HOST "\r\n", 400, "The request URL is invalid." },
	{ "300 segments", "GET " DLL, 0, "/", 300, " HTTP/1.1\r\n" HOST "\r\n",
	    400, "The request URL is invalid." },
	{ "CONNECT", "CONNECT ndes.example:443 HTTP/1.1\r\n" HOST "\r\n", 0,
	    NULL, 0, "", JUST_AN_END, NULL },
	{ "OPTIONS *", "OPTIONS * HTTP/1.1\r\n" HOST "\r\n", 0, NULL, 0, "",
	    JUST_AN_END, NULL },
	{ "a verb of 5000 octets", "A", 0, "A", 5000,
	    " " DLL " HTTP/1.1\r\n" HOST "\r\n", JUST_AN_END, NULL },
	{ "POST without a length", POST_PKI "\r\n", 0, NULL, 0, "", 411,
	    "Length Required" },
	{ "Transfer-Encoding: foo", POST_PKI "Transfer-Encoding: foo\r\n\r\n",
	    0, NULL, 0, "", 501, "The transfer encoding is not supported." },
	{ "chunks that are none",
	    POST_PKI "Transfer-Encoding: chunked\r\n\r\nxyz\r\nabc\r\n", 0,
	    NULL, 0, "", JUST_AN_END, NULL },
	{ "a chunk of 2^64 - 1",
	    POST_PKI "Transfer-Encoding: chunked\r\n\r\n"
		     "ffffffffffffffff\r\nabc",
	    0, NULL, 0, "", JUST_AN_END, NULL },
	{ "chunked and a length",
	    POST_PKI "Content-Length: 3\r\n"
		     "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	    0, NULL, 0, "", JUST_AN_END, NULL },
	{ "two lengths",
	    POST_PKI "Content-Length: 3\r\nContent-Length: 5\r\n\r\nabcde", 0,
	    NULL, 0, "", JUST_AN_END, NULL },
	{ "Content-Length: abc", POST_PKI "Content-Length: abc\r\n\r\n", 0,
	    NULL, 0, "", JUST_AN_END, NULL },
	{ "Content-Length: -5", POST_PKI "Content-Length: -5\r\n\r\n", 0, NULL,
	    0, "", JUST_AN_END, NULL },
	{ "Content-Length beyond 64 bits",
	    POST_PKI "Content-Length: 99999999999999999999999\r\n\r\n", 0, NULL,
	    0, "", JUST_AN_END, NULL },
	{ "a body beyond the limit is refused unread",
	    POST_PKI "Content-Length: 3000001\r\n\r\n", 0, NULL, 0, "", 413,
	    "the request entity is too large." },
	{ "so is one that waits to be asked for",
	    POST_PKI "Content-Length: 3000001\r\nExpect: 100-continue\r\n\r\n",
	    0, NULL, 0, "", 413, "the request entity is too large." },
	{ "a chunk beyond the limit",
	    POST_PKI "Transfer-Encoding: chunked\r\n\r\n400000\r\n", 0, "x",
	    0x400000, "\r\n0\r\n\r\n", 413,
	    "the request entity is too large." },
	{ "an empty body", POST_PKI "Content-Length: 0\r\n\r\n", 0, NULL, 0, "",
	    200, "" },
	{ "a body of text", POST_PKI "Content-Length: 4\r\n\r\ntext", 0, NULL,
	    0, "", 200, "" },
	{ "a body of 2 MiB", POST_PKI "Content-Length: 2097152\r\n\r\n", 0, "A",
	    2097152, "", 200, "" },
	{ "2 MiB of nested sequences",
	    POST_PKI "Content-Length: 2097152\r\n\r\n", 0, "\x30", 2097152, "",
	    200, "" },
	{ "2 MiB of indefinite lengths",
	    POST_PKI "Content-Length: 2097152\r\n\r\n", 0, "\x80", 2097152, "",
	    200, "" },
};

static void
build(const struct row *r, struct buffer *out)
{
	size_t len = r->head_len == 0 ? strlen(r->head) : r->head_len;

	*out = (struct buffer){ 0 };
	buffer_add(out, r->head, len);
	for (size_t i = 0; i < r->count; i++)
		buffer_add(out, r->fill,
		    *r->fill == '\0' ? 1 : strlen(r->fill));
	buffer_add_text(out, r->tail);
	assert_false(out->failed);
}

static void
is_answered(const struct fixture *f, const struct row *r,
    const struct buffer *request)
{
	int fd = tcp_connect(f->server.base);
	struct answer a;

	tcp_send(fd, request->data, request->len);
	if (!answer_read(fd, true, &a) || a.status != r->status ||
	    strstr((char *)a.body.data, r->words) == NULL)
		fail_msg("%s: %s%s", r->row, (char *)a.head.data,
		    (char *)a.body.data);
	answer_clear(&a);
	close(fd);
}

static void
each_bad_request_is_answered_and_service_goes_on(void **state)
{
	struct buffer request;

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (rows[i].status == JUST_AN_END)
			continue;
		build(&rows[i], &request);
		is_answered(*state, &rows[i], &request);
		assert_serves(*state, rows[i].row);
		buffer_free(&request);
	}
}

/* All at once, because some end by a time-out alone. */
static void
each_hopeless_request_ends_and_service_goes_on(void **state)
{
	const struct fixture *f = *state;
	struct buffer request, answer;
	int fds[COUNT_OF(rows)];

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (rows[i].status != JUST_AN_END)
			continue;
		build(&rows[i], &request);
		fds[i] = tcp_connect(f->server.base);
		/* The server may close before it has seen it all. */
		tcp_send(fds[i], request.data, request.len);
		tcp_half_close(fds[i]);
		assert_serves(f, rows[i].row);
		buffer_free(&request);
	}
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (rows[i].status != JUST_AN_END)
			continue;
		if (tcp_read_all(fds[i], &answer) == TCP_SILENT)
			fail_msg("%s: neither an answer nor an end",
			    rows[i].row);
		buffer_free(&answer);
		close(fds[i]);
	}
}

/* At the limits that real servers have by default. */
static void
a_body_beyond_30000000_is_refused_unread(void **state)
{
	struct server s;
	struct answer a;

	(void)state;
	server_start(&s, NULL);
	assert_true(answer_ask(s.base,
	    POST_PKI "Content-Length: 30000001\r\n\r\n", &a));
	assert_int_equal(a.status, 413);
	assert_string_equal((char *)a.body.data,
	    "The page was not displayed because the request entity is too "
	    "large.");
	answer_clear(&a);
	server_stop(&s);
}

static void
post_part(struct fixture *f, const uint8_t *data, size_t len,
    struct web_reply *reply)
{
	char url[SERVER_URL_SIZE];
	const struct web_request request = {
		.url = server_url(url, f->server.base,
		    "operation=PKIOperation"),
		.body = data,
		.length = len,
	};

	assert_true(web_ask(&request, reply));
	assert_int_equal(reply->status, 200);
}

static void
a_message_that_was_cut_gets_the_general_page(void **state)
{
	struct fixture *f = *state;
	const struct buffer *der = &f->message.der;
	struct web_reply reply;

	for (size_t len = 1; len < der->len; len += 50) {
		post_part(f, der->data, len, &reply);
		if (strcmp(reply.content_type, "text/html") != 0)
			fail_msg("cut to %zu of %zu: %s", len, der->len,
			    reply.content_type);
		web_reply_clear(&reply);
	}
	assert_serves(f, "messages that were cut");
}

static void
a_message_with_a_wrong_octet_never_ends_in_an_error(void **state)
{
	struct fixture *f = *state;
	const struct buffer *der = &f->message.der;
	uint8_t *copy = malloc(der->len);
	struct web_reply reply;

	assert_non_null(copy);
	for (size_t at = 0; at < der->len; at += 23) {
		memcpy(copy, der->data, der->len);
		copy[at] ^= 0x81;
		post_part(f, copy, der->len, &reply);
		web_reply_clear(&reply);
	}
	free(copy);
	assert_serves(f, "messages with a wrong octet");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    each_bad_request_is_answered_and_service_goes_on),
		cmocka_unit_test(
		    each_hopeless_request_ends_and_service_goes_on),
		cmocka_unit_test(a_body_beyond_30000000_is_refused_unread),
		cmocka_unit_test(a_message_that_was_cut_gets_the_general_page),
		cmocka_unit_test(
		    a_message_with_a_wrong_octet_never_ends_in_an_error),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
