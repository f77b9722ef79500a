/* `do: http` and `do: bytes` on the wire, and in the logs. */
#include "support/test.h"

#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/files.h"
#include "support/ndes.h"
#include "support/tcp.h"

#define TOP "mockndes: 1\nname: x\nfaults:\n"
#define CAPS "/certsrv/mscep/mscep.dll?operation=GetCACaps"
#define GET_CAPS "GET " CAPS " HTTP/1.1\r\nHost: x\r\n\r\n"
#define LAST_CAPS "GET " CAPS " HTTP/1.1\r\nHost: x\r\n" CLOSE "\r\n"
#define WORDS "POSTPKIOperation\nRenewal\nSHA-512\nSHA-256\nSHA-1\nDES3"
#define TYPE "Content-Type: text/plain\r\n"
#define SERVER "Server: Microsoft-IIS/10.0\r\n"
#define REST "X-Powered-By: ASP.NET\r\nDate: D\r\n"
#define HEADERS TYPE SERVER REST
#define LENGTH "Content-Length: 51\r\n"
#define OK "HTTP/1.1 200 OK\r\n"
#define CLOSE "Connection: close\r\n"

static int
start(void **state)
{
	static struct server server;

	web_start();
	server_start(&server, NULL);
	*state = &server;
	return 0;
}

static int
stop(void **state)
{
	server_stop(*state);
	return 0;
}

/* One rule for all requests: what is below `do:`, in flow style. */
static void
use(struct server *s, const char *faults)
{
	char yaml[1024];

	snprintf(yaml, sizeof(yaml), TOP "  - do: {%s}\n", faults);
	server_use_yaml(s, yaml);
}

/* The text with this date in place of each D. */
static void
expand(const char *text, const char *date, struct buffer *out)
{
	const char *at;

	for (; (at = strstr(text, "ate: D\r\n")) != NULL; text = at + 6) {
		buffer_add(out, text, (size_t)(at - text) + 5);
		buffer_add_text(out, date);
	}
	buffer_add_text(out, text);
	buffer_add_byte(out, 0);
	out->len--;
}

static const struct framed {
	const char *row, *faults, *wanted;
} frameds[] = {
	{ "a type", "http: {content_type: text/html}",
	    OK "Content-Type: text/html\r\n" SERVER REST LENGTH "\r\n" WORDS },
	{ "no type", "http: {content_type: ''}",
	    OK SERVER REST LENGTH "\r\n" WORDS },
	{ "headers set, added, removed",
	    "http: {headers: {Server: Other}, add: {X-A: '1'}, "
	    "remove: X-Powered-By}",
	    OK TYPE "Server: Other\r\nDate: D\r\nX-A: 1\r\n" LENGTH
		    "\r\n" WORDS },
	{ "a type twice", "http: {duplicate: Content-Type}",
	    OK HEADERS TYPE LENGTH "\r\n" WORDS },
	{ "two lengths that contradict each other",
	    "http: {add: {Content-Length: '5'}}",
	    OK HEADERS "Content-Length: 5\r\n" LENGTH "\r\n" WORDS },
	{ "two dates", "http: {duplicate: date}",
	    OK HEADERS "date: D\r\n" LENGTH "\r\n" WORDS },
	{ "a name with a blank", "http: {headers: {'X y': '1'}}",
	    OK HEADERS "X y: 1\r\n" LENGTH "\r\n" WORDS },
	{ "too long a length", "http: {length: 100}",
	    OK CLOSE HEADERS "Content-Length: 100\r\n\r\n" WORDS },
	{ "too short a length", "http: {length_off: -3}",
	    OK CLOSE HEADERS "Content-Length: 48\r\n\r\n" WORDS },
	{ "no length", "http: {length: absent}",
	    OK CLOSE HEADERS "\r\n" WORDS },
	{ "chunks", "http: {chunked: true}",
	    OK HEADERS "Transfer-Encoding: chunked\r\n\r\n33\r\n" WORDS
		       "\r\n0\r\n\r\n" },
	{ "HTTP/1.0", "http: {version: '1.0'}",
	    "HTTP/1.0 200 OK\r\n" CLOSE HEADERS LENGTH "\r\n" WORDS },
	{ "a connection that only says that it stays",
	    "http: {connection: keep-alive}",
	    OK "Connection: keep-alive\r\n" HEADERS LENGTH "\r\n" WORDS },
	{ "another phrase", "http: {reason: Almost}",
	    "HTTP/1.1 200 Almost\r\n" HEADERS LENGTH "\r\n" WORDS },
	{ "an empty 200", "http: {status: 200}",
	    OK SERVER REST "Content-Length: 0\r\n\r\n" },
	{ "a text", "http: {body: hello, content_type: text/x}",
	    OK "Content-Type: text/x\r\n" SERVER REST
	       "Content-Length: 5\r\n\r\nhello" },
	{ "a redirect", "http: {redirect: 'http://x/', status: 307}",
	    "HTTP/1.1 307 Temporary Redirect\r\nLocation: http://x/\r\n"
	    "Content-Type: text/html; charset=UTF-8\r\n" SERVER REST
	    "Content-Length: 132\r\n\r\n"
	    "<head><title>Document Moved</title></head>\n"
	    "<body><h1>Object Moved</h1>This document may be found "
	    "<a HREF=\"http://x/\">here</a></body>" },
	{ "a status without a body", "http: {status: 204}",
	    "HTTP/1.1 204 No Content\r\n" SERVER REST "\r\n" },
	{ "that status with chunks", "http: {status: 204, chunked: true}",
	    "HTTP/1.1 204 No Content\r\n" CLOSE SERVER REST
	    "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" },
	{ "nothing", "http: {as: network}", "" },
	{ "half the body, truly measured", "bytes: {cut: 50%}",
	    OK HEADERS
	    "Content-Length: 25\r\n\r\nPOSTPKIOperation\nRenewal\n" },
	{ "half the body, measured as before",
	    "bytes: {cut: 50%}, http: {length: 51}",
	    OK CLOSE HEADERS LENGTH "\r\nPOSTPKIOperation\nRenewal\n" },
	{ "an octet turned, and one more",
	    "bytes: {flip: 0, append: '!', cut: 3}",
	    OK HEADERS "Content-Length: 4\r\n\r\n\xafOS!" },
};

static void
read_octets(int fd, size_t wanted, struct buffer *out)
{
	char c;

	while (out->len < wanted && recv(fd, &c, 1, 0) == 1)
		buffer_add_byte(out, (uint8_t)c);
	buffer_add_byte(out, 0);
	out->len--;
}

static void
must_be(const struct framed *t, struct buffer *got)
{
	const char *at = strstr((char *)got->data, "Date: ");
	struct buffer wanted = { 0 };
	char date[30] = "";

	if (at != NULL)
		snprintf(date, sizeof(date), "%s", at + strlen("Date: "));
	expand(t->wanted, date, &wanted);
	if (strcmp((char *)got->data, (char *)wanted.data) != 0)
		fail_msg("%s:\n%s\nand not\n%s", t->row, (char *)got->data,
		    (char *)wanted.data);
	buffer_free(&wanted);
}

/* Not an octet more; then the end, or the next answer on its connection. */
static void
on_the_wire(void **state)
{
	struct server *s = *state;

	for (size_t i = 0; i < COUNT_OF(frameds); i++) {
		const struct framed *t = &frameds[i];
		bool stays = *t->wanted != '\0' &&
		    strstr(t->wanted, "Connection:") == NULL;
		struct buffer got = { 0 }, rest, wanted = { 0 };
		int fd = tcp_connect(s->base);

		use(s, t->faults);
		assert_int_not_equal(fd, -1);
		assert_true(tcp_send_text(fd, GET_CAPS));
		expand(t->wanted, "Mon, 29 Apr 2013 09:15:51 GMT", &wanted);
		read_octets(fd, wanted.len, &got);
		must_be(t, &got);
		if (stays)
			assert_true(tcp_send_text(fd, LAST_CAPS));
		assert_int_equal(tcp_read_all(fd, &rest), TCP_CLOSED);
		assert_int_equal(rest.len != 0, stays);
		buffer_free(&wanted);
		buffer_free(&got);
		buffer_free(&rest);
		close(fd);
	}
}

/* libcurl joins the chunks, of which there are several. */
static void
chunks_are_read_by_curl(void **state)
{
	struct server *s = *state;
	struct web_reply plain, chunked;
	char url[SERVER_URL_SIZE];

	server_url(url, s->base, "operation=GetCACert");
	server_use_yaml(s, "mockndes: 1\nname: x\n");
	assert_true(web_get(url, &plain));
	use(s, "http: {chunked: true}");
	assert_true(web_get(url, &chunked));
	assert_in_range(plain.body.len, 1025, 100000);
	assert_true(
	    span_equal(buffer_span(&plain.body), buffer_span(&chunked.body)));
	web_reply_clear(&plain);
	web_reply_clear(&chunked);
}

/* Nothing is spent: the same password, after two 503. */
static void
a_password_survives_two_503(void **state)
{
	char password[DEVICE_PASSWORD_SIZE];
	struct device_answer a;
	struct device device, other;
	struct ndes n = { 0 };

	(void)state;
	assert_true(device_make(&device));
	assert_true(device_make(&other));
	server_start(&n.server,
	    &(struct server_options){ .yaml = TOP
		"  - when: {operation: PKIOperation, first: 2}\n"
		"    do: {http: {status: 503}}\n" });
	ndes_look_again(&n);
	assert_true(device_password(n.server.admin, password));
	for (int i = 0; i < 2; i++) {
		assert_false(device_enrol(&device, n.server.url, password,
		    n.ca_certs, &a));
		device_answer_clear(&a);
	}
	assert_true(
	    device_enrol(&device, n.server.url, password, n.ca_certs, &a));
	assert_int_equal(a.pki_status, NDES_SUCCESS);
	device_answer_clear(&a);
	device_enrol(&other, n.server.url, password, n.ca_certs, &a);
	assert_int_equal(a.pki_status, NDES_FAILURE);
	device_answer_clear(&a);
	ndes_stop(&n);
	device_clear(&other);
	device_clear(&device);
}

/* A device enrols all the same: OpenSSL reads and verifies BER. */
static void
ber_enrols(void **state)
{
	static const char *const words[] = { "indefinite", "constructed",
		"both" };
	const struct device_order order = { .challenge = NDES_CHALLENGE };
	struct device device;
	struct ndes n;

	(void)state;
	assert_true(device_make(&device));
	ndes_start(&n, NULL);
	for (size_t i = 0; i < COUNT_OF(words); i++) {
		char faults[64];
		X509 *cert;

		snprintf(faults, sizeof(faults), "bytes: {ber: %s}", words[i]);
		use(&n.server, faults);
		ndes_look_again(&n);
		cert = ndes_enrol(&n, &device, &order);
		X509_free(cert);
	}
	ndes_stop(&n);
	device_clear(&device);
}

static void
pem_is_read_by_openssl(void **state)
{
	struct server *s = *state;
	char url[SERVER_URL_SIZE];
	struct web_reply reply;
	PKCS7 *p7;
	BIO *in;

	use(s, "bytes: {encoding: pem}");
	assert_true(
	    web_get(server_url(url, s->base, "operation=GetCACert"), &reply));
	assert_string_equal(reply.content_type,
	    "application/x-x509-ca-ra-cert");
	in = BIO_new_mem_buf(reply.body.data, (int)reply.body.len);
	p7 = PEM_read_bio_PKCS7(in, NULL, NULL, NULL);
	assert_non_null(p7);
	assert_int_equal(sk_X509_num(p7->d.sign->cert), 3);
	PKCS7_free(p7);
	BIO_free(in);
	web_reply_clear(&reply);
}

/* The same seed, the same octet. */
static void
a_random_octet_replays(void **state)
{
	struct server *s = *state;
	struct web_reply first, again;
	char url[SERVER_URL_SIZE];

	server_url(url, s->base, "operation=GetCACert");
	use(s, "bytes: {flip: random}");
	assert_true(web_get(url, &first));
	use(s, "bytes: {flip: random}");
	assert_true(web_get(url, &again));
	assert_true(
	    span_equal(buffer_span(&first.body), buffer_span(&again.body)));
	web_reply_clear(&again);
	server_use_yaml(s, "mockndes: 1\nname: x\n");
	assert_true(web_get(url, &again));
	assert_int_equal(first.body.len, again.body.len);
	assert_false(
	    span_equal(buffer_span(&first.body), buffer_span(&again.body)));
	web_reply_clear(&first);
	web_reply_clear(&again);
}

static const struct logged {
	const char *faults, *iis, *httperr; /* in its line; NULL: none */
} loggeds[] = {
	{ "http: {page: gateway-timeout}", NULL, NULL },
	{ "http: {as: network}", NULL, NULL },
	{ "http: {page: service-unavailable}", NULL, " 503 1 AppOffline SCEP" },
	{ "http: {status: 500.0.1346}", " 500 0 1346 ", NULL },
	{ "http: {status: 500, as: mscep}", " 500 0 0 ", NULL },
	{ "http: {page: general}", " 200 0 0 ", NULL },
	{ "bytes: {cut: 1}", " 403 0 0 ", NULL },
};

/* The only line of a log; NULL: there is none. The caller frees it. */
static char *
only_line(const char *dir, const char *glob)
{
	char command[FILE_PATH_SIZE + 80], line[1024] = "", more[8];
	FILE *p;

	snprintf(command, sizeof(command),
	    "cat %s/default/%s 2>&1 | grep -v '^#'", dir, glob);
	assert_non_null(p = popen(command, "r"));
	if (fgets(line, sizeof(line), p) != NULL)
		assert_null(fgets(more, sizeof(more), p));
	pclose(p);
	return *line == '\0' || strstr(line, "No such file") != NULL ?
	    NULL :
	    strdup(line);
}

static void
must_be_in(const char *dir, const char *glob, const char *wanted)
{
	char *line = only_line(dir, glob);

	if (wanted == NULL && line != NULL)
		fail_msg("there is %s", line);
	if (wanted != NULL && (line == NULL || strstr(line, wanted) == NULL))
		fail_msg("%s is not in %s", wanted, line == NULL ? "" : line);
	free(line);
}

static void
each_layer_has_its_log(void **state)
{
	char dir[FILE_PATH_SIZE];
	struct web_reply reply;
	struct server s;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(loggeds); i++) {
		const struct logged *t = &loggeds[i];

		server_start(&s,
		    &(struct server_options){ .log_dir = dir_make(dir) });
		use(&s, t->faults);
		web_get(s.url, &reply);
		web_reply_clear(&reply);
		server_stop(&s);
		must_be_in(dir, "W3SVC1/u_ex*.log", t->iis);
		must_be_in(dir, "HTTPERR/httperr*.log", t->httperr);
		dir_remove(dir);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(on_the_wire),
		cmocka_unit_test(chunks_are_read_by_curl),
		cmocka_unit_test(a_password_survives_two_503),
		cmocka_unit_test(ber_enrols),
		cmocka_unit_test(pem_is_read_by_openssl),
		cmocka_unit_test(a_random_octet_replays),
		cmocka_unit_test(each_layer_has_its_log),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
