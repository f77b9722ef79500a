/* What works without TLS works in it, and no client holds up another. */
#include "support/test.h"

#include <dirent.h>
#include <glob.h>
#include <openssl/pem.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "support/device.h"
#include "support/files.h"
#include "support/server.h"
#include "support/tls.h"

#define DLL "/certsrv/mscep/mscep.dll"
#define HOST "Host: ndes.example\r\n"
#define GET_CAPS "GET " DLL "?operation=GetCACaps HTTP/1.1\r\n" HOST "\r\n"
#define LASTING "lasting"
#define MIB (1024 * 1024)
#define BIG (24 * MIB)
#define AT_ONCE 20
#define PATIENCE_MS 30000

static struct fixture {
	struct server server;
	struct device device;
	char dir[FILE_PATH_SIZE], ca[FILE_PATH_SIZE];
	struct http_service echo;
	char echo_base[HTTP_URL_SIZE];
	uint8_t *big; /* BIG octets that no two chunks have alike */
} fixture;

/*
 * A service of this test's own: a body comes back as it went, and the answer to
 * a GET is big.
 */
static void
echo_begin(void *cls, struct exchange *ex)
{
	(void)cls;
	ex->request.body_limit = 2 * BIG;
	ex->at = time(NULL);
}

static void
echo_answer(void *cls, struct exchange *ex)
{
	struct span body = buffer_span(&ex->request.body);

	(void)cls;
	if (strcmp(ex->request.method, "GET") == 0)
		body = span_of(fixture.big, BIG);
	exchange_answer(ex, LAYER_IIS, 200, 0, 0);
	if (blob_copy(&ex->reply.body, body) == 0)
		ex->reply.status = 200;
}

static bool
echo_is_long(void *cls, const struct exchange *ex)
{
	(void)cls, (void)ex;
	return false;
}

static void
echo_refuse(void *cls, struct exchange *ex, enum http_refusal why)
{
	(void)cls, (void)ex, (void)why;
}

static struct http_limits
echo_limits(void *cls)
{
	(void)cls;
	return (struct http_limits){ 60000, 60000, 60000, 60000 };
}

static void
echo_finish(void *cls, struct exchange *ex)
{
	(void)cls, (void)ex;
}

static void
listen_for_echo(struct fixture *f)
{
	struct endpoint at;
	struct error err = { 0 };

	f->echo = (struct http_service){ .begin = echo_begin,
		.answer = echo_answer,
		.is_long = echo_is_long,
		.refuse = echo_refuse,
		.limits = echo_limits,
		.finish = echo_finish };
	assert_int_equal(http_parse_address("127.0.0.1:0", &at, &err), 0);
	assert_int_equal(http_listen_tls(f->server.http, &at, &f->echo,
			     f->server.tls, &at, &err),
	    0);
	http_url_tls(&at, f->echo_base);
}

static void
write_ca(const struct fixture *f)
{
	STACK_OF(X509) *certs = device_ca_certs(f->server.url);
	FILE *file = fopen(f->ca, "w");

	assert_non_null(file);
	assert_int_equal(PEM_write_X509(file, device_ca(certs)), 1);
	fclose(file);
	device_ca_certs_free(certs);
}

static void
start_server(struct fixture *f, const struct server_options *given)
{
	struct server_options options = *given;

	options.tls = true;
	options.challenge = LASTING;
	server_start(&f->server, &options);
	write_ca(f);
}

static int
prepare(void **state)
{
	struct fixture *f = *state = &fixture;

	web_start();
	assert_true(device_make(&f->device));
	path_in(f->ca, dir_make(f->dir), "ca.pem");
	web_trust(f->ca);
	assert_non_null(f->big = malloc(BIG));
	for (size_t i = 0; i < BIG; i++)
		f->big[i] = (uint8_t)(i >> 12 ^ i >> 4 ^ i * 7);
	return 0;
}

static int
clear(void **state)
{
	struct fixture *f = *state;

	device_clear(&f->device);
	dir_remove(f->dir);
	free(f->big);
	return 0;
}

static int
start(void **state)
{
	struct fixture *f = *state = &fixture;

	start_server(f, &(struct server_options){ 0 });
	listen_for_echo(f);
	return 0;
}

static int
stop(void **state)
{
	struct fixture *f = *state;

	server_stop(&f->server);
	return 0;
}

static void
open_client(const struct fixture *f, struct tls_client *c, const char *url)
{
	const struct tls_client_options options = { .ca = f->ca,
		.host = "127.0.0.1" };

	if (!tls_connect(c, url, &options) || c->verified != X509_V_OK)
		fail_msg("no TLS: %ld, reason %d, end %d", c->verified,
		    c->reason, c->end);
}

static void
assert_served(const struct fixture *f)
{
	struct web_reply reply;
	char url[SERVER_URL_SIZE];

	assert_true(
	    web_get(server_url(url, f->server.tls_base, "operation=GetCACaps"),
		&reply));
	assert_int_equal(reply.status, 200);
	web_reply_clear(&reply);
}

static int
count_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		count++;
	closedir(dir);
	return count;
}

/* What connections cost is given back once their clients have left. */
static void
assert_descriptors(int most, const char *after)
{
	int64_t until = clock_ticks_ms() + PATIENCE_MS;

	while (count_descriptors() > most && clock_ticks_ms() < until)
		poll(NULL, 0, 10);
	if (count_descriptors() > most)
		fail_msg("%d descriptors, not %d, after: %s",
		    count_descriptors(), most, after);
}

static void
a_device_enrols(void **state)
{
	const struct fixture *f = *state;
	char password[DEVICE_PASSWORD_SIZE], admin[SERVER_URL_SIZE];
	STACK_OF(X509) *certs = device_ca_certs(f->server.tls_url);
	struct device_answer a;

	snprintf(admin, sizeof(admin), "%s%s", f->server.tls_base,
	    SERVER_ADMIN_PATH);
	assert_true(device_password(admin, password));
	if (!device_enrol(&f->device, f->server.tls_url, password, certs, &a))
		fail_msg("%s", a.why);
	assert_string_equal(device_judge(&f->device, certs, a.certificate), "");
	device_answer_clear(&a);
	device_ca_certs_free(certs);
}

static void
one_connection_serves_many_requests(void **state)
{
	const struct fixture *f = *state;
	struct tls_client c;
	struct answer a;

	open_client(f, &c, f->server.tls_url);
	for (int i = 0; i < 5; i++) {
		assert_true(tls_send_text(&c, GET_CAPS));
		assert_true(tls_read_answer(&c, &a));
		assert_int_equal(a.status, 200);
		assert_non_null(
		    strstr((char *)a.body.data, "POSTPKIOperation"));
		answer_clear(&a);
	}
	/* And when they come all at once. */
	for (int i = 0; i < 50; i++)
		assert_true(tls_send_text(&c, GET_CAPS));
	for (int i = 0; i < 50; i++) {
		assert_true(tls_read_answer(&c, &a));
		assert_int_equal(a.status, 200);
		answer_clear(&a);
	}
	tls_close(&c);
}

static void
send_body(struct tls_client *c, const char *framing, size_t chunk)
{
	const uint8_t *at = fixture.big;
	char line[32];

	assert_true(tls_send_text(c, "POST / HTTP/1.1\r\n" HOST));
	assert_true(tls_send_text(c, framing));
	for (size_t left = MIB; left > 0; left -= chunk, at += chunk) {
		if (left < chunk)
			chunk = left;
		snprintf(line, sizeof(line), "%zx\r\n", chunk);
		if (strstr(framing, "chunked") != NULL)
			assert_true(tls_send_text(c, line));
		assert_true(tls_send(c, at, chunk));
		if (strstr(framing, "chunked") != NULL)
			assert_true(tls_send_text(c, "\r\n"));
	}
	if (strstr(framing, "chunked") != NULL)
		assert_true(tls_send_text(c, "0\r\n\r\n"));
}

static void
a_body_arrives_as_it_was_sent(void **state)
{
	static const struct {
		const char *framing;
		size_t chunk;
	} rows[] = {
		{ "Content-Length: 1048576\r\n\r\n", MIB },
		{ "Content-Length: 1048576\r\n\r\n", 1000 },
		{ "Transfer-Encoding: chunked\r\n\r\n", 1000 },
		{ "Transfer-Encoding: chunked\r\n\r\n", 100000 },
	};
	const struct fixture *f = *state;
	struct tls_client c;
	struct answer a;

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		open_client(f, &c, f->echo_base);
		send_body(&c, rows[i].framing, rows[i].chunk);
		assert_true(tls_read_answer(&c, &a));
		assert_int_equal(a.status, 200);
		assert_int_equal(a.body.len, MIB);
		assert_memory_equal(a.body.data, f->big, MIB);
		answer_clear(&a);
		tls_close(&c);
	}
}

static void
a_client_that_waits_for_100_gets_it(void **state)
{
	const struct fixture *f = *state;
	struct tls_client c;
	struct answer a;

	open_client(f, &c, f->echo_base);
	assert_true(tls_send_text(&c,
	    "POST / HTTP/1.1\r\n" HOST "Expect: 100-continue\r\n"
	    "Content-Length: 4\r\n\r\n"));
	assert_true(tls_read_answer(&c, &a));
	assert_int_equal(a.status, 100);
	answer_clear(&a);
	assert_true(tls_send_text(&c, "four"));
	assert_true(tls_read_answer(&c, &a));
	assert_string_equal((char *)a.body.data, "four");
	answer_clear(&a);
	tls_close(&c);
}

/* The answer comes while the body is still being sent, and is not lost. */
static void
an_early_413_is_seen(void **state)
{
	static const char *const set[] = {
		"server.iis.max_allowed_content_length=1000", NULL
	};
	struct fixture *f = *state;
	struct buffer said;
	struct tls_client c;

	server_use_scenario(&f->server, set);
	for (int i = 0; i < AT_ONCE; i++) {
		open_client(f, &c, f->server.tls_url);
		tls_send_text(&c,
		    "POST " DLL "?operation=PKIOperation HTTP/1.1\r\n" HOST
		    "Content-Length: 1048576\r\n\r\n");
		tls_send(&c, f->big, MIB);
		tls_read_all(&c, &said);
		if (strncmp((char *)said.data, "HTTP/1.1 413 ", 13) != 0 ||
		    c.end != TLS_NOTIFIED)
			fail_msg("\"%.40s\", end %d", (char *)said.data, c.end);
		buffer_free(&said);
		tls_close(&c);
	}
	server_use_scenario(&f->server, NULL);
}

static const struct taking {
	const char *row;
	bool half_closes, waits;
	size_t at_once;
} takings[] = {
	{ "at once", false, false, 65536 },
	{ "in small pieces, after a while", false, true, 777 },
	{ "after it has closed its side", true, true, 65536 },
};

static void
a_big_answer_arrives_whole(void **state)
{
	const struct taking *t = *state;
	const struct fixture *f = &fixture;
	static uint8_t chunk[65536];
	struct tls_client c;
	size_t len, all = 0;
	char octet, end[4] = { 0 };

	open_client(f, &c, f->echo_base);
	assert_true(tls_send_text(&c, "GET / HTTP/1.1\r\n" HOST "\r\n"));
	if (t->half_closes)
		tls_half_close(&c);
	if (t->waits) /* The server is stuck by then, and serves others. */
		for (int i = 0; i < 5; i++)
			assert_served(f);
	while (memcmp(end, "\r\n\r\n", 4) != 0) {
		assert_int_equal(tls_read(&c, &octet, 1), 1);
		memmove(end, end + 1, 3);
		end[3] = octet;
	}
	for (; all < BIG; all += len) {
		len = tls_read(&c, chunk,
		    BIG - all < t->at_once ? BIG - all : t->at_once);
		if (len == 0)
			fail_msg("ends after %zu octets", all);
		assert_memory_equal(chunk, f->big + all, len);
	}
	if (t->half_closes) {
		assert_int_equal(tls_read(&c, &octet, 1), 0);
		assert_int_equal(c.end, TLS_NOTIFIED);
	}
	tls_close(&c);
}

static void
the_end_of_a_connection_is_notified(void **state)
{
	const struct fixture *f = *state;
	struct tls_client c;
	struct buffer said;

	open_client(f, &c, f->server.tls_url);
	assert_true(tls_send_text(&c,
	    "GET " DLL "?operation=GetCACaps HTTP/1.1\r\n" HOST
	    "Connection: close\r\n\r\n"));
	tls_read_all(&c, &said);
	assert_int_equal(c.end, TLS_NOTIFIED);
	assert_int_equal(strncmp((char *)said.data, "HTTP/1.1 200 ", 13), 0);
	buffer_free(&said);
	tls_close(&c);
	/* A page of http.sys goes out on a descriptor that was taken over. */
	open_client(f, &c, f->server.tls_url);
	assert_true(tls_send_text(&c, "GET " DLL " HTTP/1.1\r\n\r\n"));
	tls_read_all(&c, &said);
	assert_int_equal(c.end, TLS_NOTIFIED);
	assert_non_null(strstr((char *)said.data, "Invalid Hostname"));
	buffer_free(&said);
	tls_close(&c);
}

/* Ways to leave, after so many octets of a ClientHello or of a request. */
enum way { ORDERLY, HALF, RESET };

static void
leave_tcp(const struct fixture *f, size_t octets, enum way way)
{
	static const uint8_t hello[] = { 0x16, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3,
		1, 2, 3, 4, 5, 6, 7, 8 };
	int fds[AT_ONCE];

	for (int i = 0; i < AT_ONCE; i++) {
		fds[i] = tcp_connect(f->server.tls_url);
		assert_int_not_equal(fds[i], -1);
		tcp_send(fds[i], hello, octets);
	}
	for (int i = 0; i < AT_ONCE; i++)
		if (way == RESET)
			tcp_abort(fds[i]);
		else
			close(fds[i]);
}

static void
leave_tls(const struct fixture *f, const char *url, const char *after,
    enum way way)
{
	struct tls_client clients[AT_ONCE];

	for (int i = 0; i < AT_ONCE; i++) {
		open_client(f, &clients[i], url);
		tls_send_text(&clients[i], after);
	}
	for (int i = 0; i < AT_ONCE; i++)
		if (way == RESET)
			tls_abort(&clients[i]);
		else if (way == ORDERLY)
			tls_close(&clients[i]);
	for (int i = 0; i < AT_ONCE && way == HALF; i++) {
		struct buffer rest;

		tls_half_close(&clients[i]);
		tls_read_all(&clients[i], &rest);
		if (clients[i].end != TLS_NOTIFIED)
			fail_msg("\"%s\": end %d", after, clients[i].end);
		buffer_free(&rest);
		tls_close(&clients[i]);
	}
}

static void
who_leaves_half_way_is_not_noticed_by_others(void **state)
{
	static const size_t octets[] = { 0, 3, 19 };
	static const char *const after[] = { "", "GET /certs",
		"GET " DLL " HTTP/1.1\r\nHost: x\r\n", GET_CAPS,
		"POST " DLL "?operation=PKIOperation HTTP/1.1\r\n" HOST
		"Content-Length: 99\r\n\r\nhalf" };
	const struct fixture *f = *state;
	int before = count_descriptors();

	for (size_t i = 0; i < COUNT_OF(octets); i++) {
		leave_tcp(f, octets[i], ORDERLY);
		leave_tcp(f, octets[i], RESET);
		assert_served(f);
	}
	assert_descriptors(before, "half a ClientHello");
	for (size_t i = 0; i < COUNT_OF(after); i++) {
		leave_tls(f, f->server.tls_url, after[i], ORDERLY);
		leave_tls(f, f->server.tls_url, after[i], HALF);
		leave_tls(f, f->server.tls_url, after[i], RESET);
		assert_served(f);
		assert_descriptors(before, after[i]);
	}
	leave_tls(f, f->echo_base, "GET / HTTP/1.1\r\n" HOST "\r\n", ORDERLY);
	leave_tls(f, f->echo_base, "GET / HTTP/1.1\r\n" HOST "\r\n", RESET);
	assert_served(f);
	assert_descriptors(before, "answers that nobody took");
	assert_int_equal(http_connections(f->server.http), 0);
}

/* Asks until the server, which cannot write, reads no more either. */
static void
a_client_that_does_not_read_holds_up_nobody(void **state)
{
	const struct fixture *f = *state;
	int before = count_descriptors();
	struct tls_client c;
	struct pollfd p = { .events = POLLOUT };
	int ret = 1;

	open_client(f, &c, f->server.tls_url);
	p.fd = c.fd;
	SSL_set_mode(c.ssl, SSL_MODE_ENABLE_PARTIAL_WRITE);
	for (int i = 0; i < 200000 && ret > 0; i++)
		if ((ret = poll(&p, 1, 300)) > 0)
			ret = tls_send_text(&c, GET_CAPS) ? 1 : 0;
	assert_int_equal(ret, 0);
	assert_served(f);
	tls_close(&c);
	assert_descriptors(before, "a client that did not read");
}

struct crowd {
	const struct fixture *f;
	int failed;
};

static void *
enrol_and_ask(void *cls)
{
	struct crowd *crowd = cls;
	const struct fixture *f = crowd->f;
	STACK_OF(X509) *certs = device_ca_certs(f->server.tls_url);
	struct device_answer a;

	for (int i = 0; i < 3 && certs != NULL; i++) {
		if (!device_enrol(&f->device, f->server.tls_url, LASTING, certs,
			&a))
			crowd->failed++;
		device_answer_clear(&a);
	}
	crowd->failed += certs == NULL;
	device_ca_certs_free(certs);
	return NULL;
}

static void
many_enrol_at_once(void **state)
{
	struct crowd crowds[8];
	pthread_t threads[8];

	for (size_t i = 0; i < COUNT_OF(threads); i++) {
		crowds[i] = (struct crowd){ *state, 0 };
		assert_int_equal(pthread_create(&threads[i], NULL,
				     enrol_and_ask, &crowds[i]),
		    0);
	}
	for (size_t i = 0; i < COUNT_OF(threads); i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(crowds[i].failed, 0);
	}
}

/* Octets that are no TLS, HTTP without it among them. */
static void
other_octets_get_an_alert_or_an_end(void **state)
{
	static const char *const octets[] = { GET_CAPS,
		"\x16\x03\x01\xff\xff\x01\x01\x01",
		"\x15\x03\x01\x00\x02\x02\x28", "\x80\x2e\x01\x03\x01" };
	const struct fixture *f = *state;
	int before = count_descriptors();
	struct buffer said;

	for (size_t i = 0; i < COUNT_OF(octets); i++) {
		int fd = tcp_connect(f->server.tls_url);

		assert_true(tcp_send_text(fd, octets[i]));
		tcp_half_close(fd);
		assert_true(tcp_read_all(fd, &said) != TCP_SILENT);
		assert_null(strstr((char *)said.data, "HTTP/1.1 200"));
		buffer_free(&said);
		close(fd);
	}
	assert_served(f);
	assert_descriptors(before, "octets that are no TLS");
}

/* Each costs three descriptors, so fewer fit than without TLS. */
static void
the_number_of_connections_is_limited(void **state)
{
	struct fixture *f = &fixture;
	struct tls_client clients[8], late;
	int open = 0;

	(void)state;
	start_server(f, &(struct server_options){ .connection_limit = 10 });
	assert_descriptors(count_descriptors(), "a start");
	for (; open < 8; open++)
		if (!tls_connect(&clients[open], f->server.tls_url, NULL))
			break;
	assert_in_range(open, 1, 4);
	tls_close(&clients[open]);
	assert_false(tls_connect(&late, f->server.tls_url, NULL));
	tls_close(&late);
	for (int i = 0; i < open; i++)
		tls_close(&clients[i]);
	do
		poll(NULL, 0, 10);
	while (http_connections(f->server.http) > 0);
	for (int i = 0; i < 100; i++) {
		if (tls_connect(&late, f->server.tls_url, NULL))
			break;
		tls_close(&late);
		poll(NULL, 0, 20);
	}
	assert_true(late.shaken);
	tls_close(&late);
	server_stop(&f->server);
}

/* In the logs it is the client, and the port that it came to. */
static void
logs_know_who_came_where(void **state)
{
	char dir[FILE_PATH_SIZE], pattern[FILE_PATH_SIZE], words[64];
	struct fixture *f = &fixture;
	struct buffer log = { 0 };
	glob_t found;

	(void)state;
	start_server(f, &(struct server_options){ .log_dir = dir_make(dir) });
	snprintf(words, sizeof(words), " %s - 127.0.0.1 ",
	    strrchr(f->server.tls_base, ':') + 1);
	assert_served(f);
	server_stop(&f->server);
	path_in(pattern, dir, "default/W3SVC1/*.log");
	assert_int_equal(glob(pattern, 0, NULL, &found), 0);
	assert_true(file_read(found.gl_pathv[0], &log));
	assert_non_null(strstr((char *)log.data, words));
	buffer_free(&log);
	globfree(&found);
	dir_remove(dir);
}

/* Idle, half-sent, in the handshake, with an answer that nobody reads. */
static void
stop_ends_whatever_is_open(void **state)
{
	struct fixture *f = &fixture;
	int fds[2], before = count_descriptors();
	struct tls_client c[5];
	struct buffer said;
	void *none = NULL;

	(void)state;
	start(&none);
	for (size_t i = 0; i < COUNT_OF(c); i++)
		open_client(f, &c[i], i < 3 ? f->server.tls_url : f->echo_base);
	for (size_t i = 0; i < COUNT_OF(fds); i++)
		fds[i] = tcp_connect(f->server.tls_url);
	tcp_send(fds[1], "\x16\x03\x01", 3);
	tls_send_text(&c[1], "GET " DLL);
	tls_send_text(&c[2], GET_CAPS);
	tls_send_text(&c[3], "GET / HTTP/1.1\r\n" HOST "\r\n");
	tls_send_text(&c[4], "GET / HTTP/1.1\r\n" HOST "\r\n");
	tls_half_close(&c[4]);
	for (int i = 0; i < 3; i++)
		assert_served(f);
	server_cut(&f->server);
	tls_read_all(&c[0], &said);
	assert_int_equal(said.len, 0);
	assert_int_equal(c[0].end, TLS_NOTIFIED);
	buffer_free(&said);
	tls_read_all(&c[2], &said);
	assert_int_equal(strncmp((char *)said.data, "HTTP/1.1 200 ", 13), 0);
	assert_int_equal(c[2].end, TLS_NOTIFIED);
	buffer_free(&said);
	for (size_t i = 0; i < COUNT_OF(c); i++)
		tls_close(&c[i]);
	for (size_t i = 0; i < COUNT_OF(fds); i++)
		close(fds[i]);
	assert_descriptors(before, "a stop");
}

int
main(void)
{
	const struct CMUnitTest served[] = {
		cmocka_unit_test(a_device_enrols),
		cmocka_unit_test(one_connection_serves_many_requests),
		cmocka_unit_test(a_body_arrives_as_it_was_sent),
		cmocka_unit_test(a_client_that_waits_for_100_gets_it),
		cmocka_unit_test(an_early_413_is_seen),
		cmocka_unit_test(the_end_of_a_connection_is_notified),
		cmocka_unit_test(who_leaves_half_way_is_not_noticed_by_others),
		cmocka_unit_test(a_client_that_does_not_read_holds_up_nobody),
		cmocka_unit_test(many_enrol_at_once),
		cmocka_unit_test(other_octets_get_an_alert_or_an_end),
	};
	const struct CMUnitTest alone[] = {
		cmocka_unit_test(the_number_of_connections_is_limited),
		cmocka_unit_test(logs_know_who_came_where),
		cmocka_unit_test(stop_ends_whatever_is_open),
	};
	struct CMUnitTest big[COUNT_OF(takings)];
	void *state = NULL;
	int failed;

	for (size_t i = 0; i < COUNT_OF(takings); i++)
		big[i] = (struct CMUnitTest){ takings[i].row,
			a_big_answer_arrives_whole, NULL, NULL,
			(void *)(uintptr_t)&takings[i] };
	prepare(&state);
	failed = cmocka_run_group_tests(served, start, stop);
	/* A group with a setup would have its state, and not that of a row. */
	start(&state);
	failed += cmocka_run_group_tests(big, NULL, NULL);
	stop(&state);
	failed += cmocka_run_group_tests(alone, NULL, NULL);
	clear(&state);
	return failed;
}
