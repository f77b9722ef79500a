/*
 * In front of IIS: a network that lets nobody through, the application proxy,
 * http.sys; on ports of sites and by their paths, and what the logs have.
 */
#include "support/test.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "support/control.h"
#include "support/device.h"
#include "support/files.h"
#include "support/tcp.h"

#define DLL "/certsrv/mscep/mscep.dll"
#define SECRET "lasting"
#define SILENCE_MS 150 /* in which nothing comes */
#define LONG_GET 20000 /* octets of a request line */
#define HTTP_SYS "Microsoft-HTTPAPI/2.0"

/* Two requests, before and behind their path. */
static const struct asking {
	const char *method, *rest;
} get_caps = { "GET", "?operation=GetCACaps HTTP/1.1\r\nHost: x\r\n\r\n" },
  post_pki = { "POST",
	  "?operation=PKIOperation HTTP/1.1\r\nHost: x\r\n"
	  "Content-Length: 9\r\n\r\nnot much." };

static int
start(void **state)
{
	static struct controlled c;
	struct mockndes_options options = MOCKNDES_OPTIONS_INIT;

	web_start();
	options.challenge = SECRET;
	controlled_start(&c, &options);
	*state = &c;
	return 0;
}

static int
stop(void **state)
{
	controlled_stop(*state);
	return 0;
}

/* A site with a port of its own. */
struct own {
	const struct controlled *c;
	json_t *json;
	const char *id, *url, *base, *path;
};

static struct own
own_open(const struct controlled *c, const char *members)
{
	struct own own = { .c = c };
	char body[1024];

	snprintf(body, sizeof(body), "{\"port\": 0%s%s}",
	    *members == '\0' ? "" : ", ", members);
	own.json = control_do(c, 201, "POST", body, "/v1/sites");
	own.id = json_at(own.json, "id");
	own.url = json_at(own.json, "url");
	own.base = json_at(own.json, "base_url");
	own.path = json_at(own.json, "path");
	return own;
}

static struct own
own_open_scenario(const struct controlled *c, const char *name)
{
	char members[128];

	snprintf(members, sizeof(members), "\"scenario\": \"%s\"", name);
	return own_open(c, members);
}

static void
own_close(struct own *own)
{
	control_do(own->c, 204, "DELETE", NULL, "/v1/sites/%s", own->id);
	json_decref(own->json);
}

static void
patch(const struct own *own, const char *body)
{
	json_decref(control_do(own->c, 200, "PATCH", body,
	    "/v1/sites/%s/server", own->id));
}

static void
act(const struct own *own, const char *action, bool healthy)
{
	json_t *json = control_do(own->c, 200, "POST", NULL,
	    "/v1/sites/%s/actions/%s", own->id, action);

	assert_int_equal(json_is_true(json_object_get(json, "healthy")),
	    healthy);
	json_decref(json);
}

/* Its entries, which are so many. */
static json_t *
read_log(const struct own *own, const char *name, size_t count)
{
	json_t *json = control_do(own->c, 200, "GET", NULL,
	    "/v1/sites/%s/evidence/%s?format=json", own->id, name);
	json_t *entries = json_incref(json_object_get(json, "entries"));

	if (json_array_size(entries) != count)
		fail_msg("%s: %s: %s", own->id, name,
		    json_dumps(entries, JSON_INDENT(1)));
	json_decref(json);
	return entries;
}

static void
logs_are_empty(const struct own *own)
{
	static const char *const logs[] = { "iis-log", "httperr-log",
		"application-log", "system-log" };

	for (size_t i = 0; i < COUNT_OF(logs); i++)
		json_decref(read_log(own, logs[i], 0));
}

/* The newest of so many. */
static json_t *
read_journal(const struct own *own, int64_t count)
{
	json_t *json, *entry;

	control_await(own->c, own->id, count);
	json = control_do(own->c, 200, "GET", NULL,
	    "/v1/sites/%s/requests?since=%lld", own->id, (long long)count - 1);
	entry = json_incref(
	    json_array_get(json_object_get(json, "requests"), 0));
	assert_non_null(entry);
	json_decref(json);
	return entry;
}

/* Connected, and the request sent; `prefix` of its path. */
static int
send_to(const char *url, const struct asking *request, const char *prefix)
{
	char text[512];
	int fd = tcp_connect(url);

	assert_int_not_equal(fd, -1);
	snprintf(text, sizeof(text), "%s %s" DLL "%s", request->method, prefix,
	    request->rest);
	assert_true(tcp_send_text(fd, text));
	return fd;
}

enum seen {
	SEEN_REFUSED, /* at connect() */
	SEEN_RESET,   /* once the request was there */
	SEEN_CLOSED,
	SEEN_NOTHING,
	SEEN_502 = 502,
	SEEN_504 = 504,
};

static enum seen
read_end(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	enum seen seen = SEEN_NOTHING;
	struct answer answer = { 0 };
	char first;

	if (poll(&p, 1, SILENCE_MS) == 0) {
		close(fd);
		return seen;
	}
	switch (recv(fd, &first, 1, MSG_PEEK)) {
	case -1:
		seen = errno == ECONNRESET ? SEEN_RESET : SEEN_NOTHING;
		break;
	case 0:
		seen = SEEN_CLOSED;
		break;
	default:
		assert_true(answer_read(fd, true, &answer));
		seen = (enum seen)answer.status;
		answer_clear(&answer);
	}
	close(fd);
	return seen;
}

static enum seen
see(const char *url, const struct asking *request, const char *prefix)
{
	int fd = tcp_connect(url);

	if (fd == -1 && errno == ECONNREFUSED)
		return SEEN_REFUSED;
	close(fd);
	return read_end(send_to(url, request, prefix));
}

/* Who is kept from the server: by its path, at its port, in the journal. */
static const struct kept_out {
	const char *scenario, *set;
	enum seen by_path, at_port;
	const char *layer;
} kept_outs[] = {
	{ "device-blocked", "{}", SEEN_RESET, SEEN_REFUSED, "network" },
	{ "device-blocked", "{\"network\": {\"device\": \"silent\"}}",
	    SEEN_NOTHING, SEEN_NOTHING, "network" },
	{ "external-url-wrong", "{}", SEEN_CLOSED, SEEN_REFUSED, "network" },
	{ "gateway-timeout", "{}", SEEN_504, SEEN_504, "app-proxy" },
	{ "bad-gateway", "{}", SEEN_502, SEEN_502, "app-proxy" },
};

static void
no_log_has_a_line(void **state)
{
	static const struct asking *const requests[] = { &get_caps, &post_pki };
	const struct controlled *c = *state;
	const char *shared = json_at(c->ready, "base_url");

	for (size_t i = 0; i < COUNT_OF(kept_outs); i++) {
		const struct kept_out *t = &kept_outs[i];
		struct own own = own_open_scenario(c, t->scenario);
		json_t *entry;
		int count = 0;

		patch(&own, t->set);
		for (size_t k = 0; k < COUNT_OF(requests); k++) {
			assert_int_equal(see(shared, requests[k], own.path),
			    t->by_path);
			assert_int_equal(see(own.base, requests[k], ""),
			    t->at_port);
			count += t->at_port == SEEN_REFUSED ? 1 : 2;
			entry = read_journal(&own, count);
			assert_string_equal(json_at(entry, "verdict.layer"),
			    t->layer);
			json_decref(entry);
		}
		logs_are_empty(&own);
		own_close(&own);
	}
}

/* As http.sys would say of a client that never sends a request. */
static void
nor_of_who_sends_nothing(void **state)
{
	const struct controlled *c = *state;
	struct own own = own_open_scenario(c, "device-blocked");
	struct buffer nothing;
	json_t *entry;
	int fd;

	patch(&own,
	    "{\"network\": {\"device\": \"silent\"}, "
	    "\"http_sys\": {\"connection_timeout\": \"1s\"}}");
	assert_int_not_equal(fd = tcp_connect(own.base), -1);
	assert_int_not_equal(tcp_read_all(fd, &nothing), TCP_SILENT);
	assert_int_equal(nothing.len, 0);
	buffer_free(&nothing);
	close(fd);
	entry = read_journal(&own, 1);
	assert_string_equal(json_at(entry, "verdict.layer"), "network");
	json_decref(entry);
	logs_are_empty(&own);
	own_close(&own);
}

static bool
is_refused(const char *url)
{
	int fd = tcp_connect(url);
	bool refused = fd == -1 && errno == ECONNREFUSED;

	close(fd);
	return refused;
}

/* Each way of changing the state of a site, and its port at once. */
static void
ports_follow_the_state(void **state)
{
	const struct controlled *c = *state;
	struct own own = own_open(c, "");

	assert_true(tcp_is_served(own.base));
	patch(&own, "{\"network\": {\"device\": \"refused\"}}");
	assert_true(is_refused(own.base));
	patch(&own, "{\"network\": {\"device\": \"silent\"}}");
	assert_false(is_refused(own.base));
	patch(&own, "{\"network\": {\"device\": \"reachable\"}}");
	assert_true(tcp_is_served(own.base));
	patch(&own, "{\"app_proxy\": {\"external_url\": \"wrong\"}}");
	assert_true(is_refused(own.base));
	json_decref(
	    control_do(c, 200, "POST", NULL, "/v1/sites/%s/reset", own.id));
	assert_true(tcp_is_served(own.base));
	json_decref(
	    control_do(c, 200, "PUT", "{\"scenario\": \"device-blocked\"}",
		"/v1/sites/%s/scenario", own.id));
	assert_true(is_refused(own.base));
	json_decref(control_do(c, 200, "PUT", "{\"scenario\": \"healthy\"}",
	    "/v1/sites/%s/scenario", own.id));
	assert_true(tcp_is_served(own.base));
	own_close(&own);
}

/* A connection that was there before is reset when it asks again. */
static void
open_connections_are_cut(void **state)
{
	const struct controlled *c = *state;
	struct own own = own_open(c, "");
	struct answer answer;
	int fd = send_to(own.base, &get_caps, "");

	assert_true(answer_read(fd, true, &answer));
	assert_int_equal(answer.status, 200);
	answer_clear(&answer);
	patch(&own, "{\"network\": {\"device\": \"refused\"}}");
	assert_true(tcp_send_text(fd,
	    "GET " DLL "?operation=GetCACaps HTTP/1.1\r\nHost: x\r\n\r\n"));
	assert_int_equal(read_end(fd), SEEN_RESET);
	own_close(&own);
}

struct enrolling {
	struct device device;
	struct device_message message;
	STACK_OF(X509) * ca_certs;
};

static void
enrolling_make(struct enrolling *e, const struct own *own)
{
	STACK_OF(X509) *recipients = sk_X509_new_null();
	const struct device_order order = { .challenge = SECRET,
		.recipients = recipients };

	e->ca_certs = device_ca_certs(own->url);
	assert_true(device_make(&e->device));
	sk_X509_push(recipients, device_ra(e->ca_certs, KU_KEY_ENCIPHERMENT));
	assert_true(device_message_make(&e->device, &order, &e->message));
	sk_X509_free(recipients);
}

static void
enrolling_clear(struct enrolling *e)
{
	device_message_clear(&e->message);
	device_clear(&e->device);
	device_ca_certs_free(e->ca_certs);
}

/* The first request is late, the second is not. */
#define LATE(fault)                                         \
	"\"yaml\": \"mockndes: 1\\nname: late\\nserver:\\n" \
	"  app_proxy: {back_end_timeout: 1s}\\n"            \
	"  iis: {log_fields: article}\\nfaults:\\n"         \
	"  - when: {first: 1}\\n    do: {" fault "}\\n\""

/* At least after the second that the proxy waits. */
static void
must_time_out(int64_t since, const struct web_reply *reply)
{
	assert_true(clock_ticks_ms() - since >= 1000);
	assert_int_equal(reply->status, 504);
	assert_non_null(strstr((char *)reply->body.data,
	    "GatewayTimeout: The corporate app cannot be accessed"));
	assert_string_equal(reply->server, "");
}

static void
a_late_answer_is_a_time_out(void **state)
{
	struct own own = own_open(*state, LATE("delay: 1h"));
	int64_t since = clock_ticks_ms();
	char url[CONTROL_URL_SIZE];
	struct web_reply reply;
	json_t *log, *entry;

	snprintf(url, sizeof(url), "%s?operation=GetCACaps", own.url);
	assert_true(web_get(url, &reply));
	must_time_out(since, &reply);
	web_reply_clear(&reply);
	entry = read_journal(&own, 1);
	assert_int_equal(json_number_at(entry, "reply.status"), 504);
	assert_int_equal(json_number_at(entry, "verdict.status"), 200);
	assert_string_equal(json_at(entry, "verdict.layer"), "mscep");
	assert_string_equal(json_at(entry, "why"),
	    "the application proxy did not wait longer than 1s");
	json_decref(entry);
	assert_true(web_get(url, &reply));
	assert_int_equal(reply.status, 200);
	web_reply_clear(&reply);
	control_await(own.c, own.id, 2);
	/* The server has said the same both times. */
	log = read_log(&own, "iis-log", 2);
	assert_string_equal(json_at(log, "0.sc-status"), "200");
	assert_string_equal(json_at(log, "0.sc-bytes"),
	    json_at(log, "1.sc-bytes"));
	json_decref(log);
	own_close(&own);
}

/* The certificate is issued, and the device does not get it. */
static void
the_server_has_done_its_work(void **state)
{
	struct own own = own_open(*state, "");
	struct web_reply reply;
	struct enrolling e;
	int64_t since;
	json_t *json;

	enrolling_make(&e, &own);
	json_decref(control_do(own.c, 200, "PUT", "{" LATE("delay: 1h") "}",
	    "/v1/sites/%s/scenario", own.id));
	since = clock_ticks_ms();
	assert_true(device_post(own.url, &e.message, &reply));
	must_time_out(since, &reply);
	web_reply_clear(&reply);
	json = control_do(own.c, 200, "GET", NULL, "/v1/sites/%s/certificates",
	    own.id);
	assert_int_equal(json_array_size(json_object_get(json, "certificates")),
	    1);
	json_decref(json);
	enrolling_clear(&e);
	own_close(&own);
}

static void
so_is_one_that_never_comes(void **state)
{
	struct own own = own_open(*state, LATE("wire: {hang: forever}"));
	int64_t since = clock_ticks_ms();
	struct web_reply reply;

	assert_true(web_get(own.url, &reply));
	must_time_out(since, &reply);
	web_reply_clear(&reply);
	control_await(own.c, own.id, 1);
	logs_are_empty(&own);
	own_close(&own);
}

/* "URL?operation=PKIOperation&message=...", as long as a GET is to be. */
static char *
long_url(const struct own *own, const struct device_message *m)
{
	size_t size = LONG_GET + 512;
	char *url = malloc(size);
	int at = snprintf(url, size,
	    "%s?operation=PKIOperation&message=", own->url);

	at += EVP_EncodeBlock((unsigned char *)url + at, m->der.data,
	    (int)m->der.len);
	at += snprintf(url + at, size - (size_t)at, "&padding=");
	assert_true(at < LONG_GET);
	memset(url + at, 'x', LONG_GET - (size_t)at);
	url[LONG_GET] = '\0';
	return url;
}

/* What it answers to a GET of this URL, and whether that is a certificate. */
static long
enrol_by_get(const struct enrolling *e, const char *url, const char *server)
{
	struct device_answer answer;
	struct web_reply reply;
	long status;

	assert_true(web_get(url, &reply));
	status = reply.status;
	assert_non_null(strstr(reply.server, server));
	if (status == 200) {
		assert_true(device_answer_read(&e->device, &e->message,
		    e->ca_certs, buffer_span(&reply.body), &answer));
		assert_non_null(answer.certificate);
		device_answer_clear(&answer);
	}
	web_reply_clear(&reply);
	return status;
}

static long
ask_with_long_header(const struct own *own)
{
	static char header[LONG_GET] = "X-Long: ";
	const char *const headers[] = { header, NULL };
	const struct web_request request = { .url = own->url,
		.headers = headers };
	struct web_reply reply;
	long status;

	memset(header + strlen("X-Long: "), 'x',
	    sizeof(header) - strlen("X-Long: ") - 1);
	assert_true(web_ask(&request, &reply));
	status = reply.status;
	web_reply_clear(&reply);
	return status;
}

static void
line_must_be(const json_t *log, const char *row, const char *status,
    const char *site, const char *reason, const char *queue)
{
	const struct {
		const char *name, *value;
	} fields[] = {
		{ "sc-status", status },
		{ "s-siteid", site },
		{ "s-reason", reason },
		{ "s-queuename", queue },
	};
	char path[64];

	for (size_t i = 0; i < COUNT_OF(fields); i++) {
		snprintf(path, sizeof(path), "%s.%s", row, fields[i].name);
		assert_string_equal(json_at(log, path), fields[i].value);
	}
}

static void
http_sys_limits_are_cured(void **state)
{
	struct own own = own_open_scenario(*state, "http-sys-limits-default");
	struct enrolling e;
	json_t *log;
	char *url;

	enrolling_make(&e, &own);
	url = long_url(&own, &e.message);
	assert_int_equal(enrol_by_get(&e, url, HTTP_SYS), 414);
	assert_int_equal(ask_with_long_header(&own), 400);
	control_await(own.c, own.id, 3);
	json_decref(read_log(&own, "iis-log", 1));
	log = read_log(&own, "httperr-log", 2);
	line_must_be(log, "0", "414", "-", "URL_Length", "-");
	line_must_be(log, "1", "400", "-", "FieldLength", "-");
	json_decref(log);
	act(&own, "set-http-sys-limits", false);
	assert_int_equal(enrol_by_get(&e, url, HTTP_SYS), 414);
	act(&own, "restart-server", true);
	assert_int_equal(enrol_by_get(&e, url, "Microsoft-IIS/"), 200);
	assert_int_equal(ask_with_long_header(&own), 403);
	free(url);
	enrolling_clear(&e);
	own_close(&own);
}

static long
status_of(const struct own *own, const char *path)
{
	char url[CONTROL_URL_SIZE];
	struct web_reply reply;
	long status;

	snprintf(url, sizeof(url), "%s%s", own->base, path);
	assert_true(web_get(url, &reply));
	status = reply.status;
	web_reply_clear(&reply);
	return status;
}

static void
a_full_queue_is_of_one_pool(void **state)
{
	struct own own = own_open_scenario(*state, "http-queue-full");
	json_t *log;

	assert_int_equal(status_of(&own, DLL "?operation=GetCACaps"), 503);
	assert_int_equal(status_of(&own, "/certsrv/mscep_admin/"), 503);
	assert_int_equal(status_of(&own, "/elsewhere"), 404);
	control_await(own.c, own.id, 3);
	log = read_log(&own, "httperr-log", 2);
	line_must_be(log, "0", "503", "1", "QueueFull", "SCEP");
	line_must_be(log, "1", "503", "1", "QueueFull", "SCEP");
	assert_string_equal(json_at(log, "0.streamid"), "-");
	json_decref(log);
	json_decref(read_log(&own, "iis-log", 1));
	/* Another Windows has other columns, from its first line on. */
	patch(&own, "{\"windows\": \"2012r2\"}");
	assert_int_equal(status_of(&own, DLL), 503);
	control_await(own.c, own.id, 4);
	log = read_log(&own, "httperr-log", 3);
	line_must_be(log, "1", "503", "1", "QueueFull", "SCEP");
	line_must_be(log, "2", "503", "1", "QueueFull", "SCEP");
	assert_null(json_object_get(json_array_get(log, 2), "streamid"));
	json_decref(log);
	own_close(&own);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_log_has_a_line),
		cmocka_unit_test(nor_of_who_sends_nothing),
		cmocka_unit_test(ports_follow_the_state),
		cmocka_unit_test(open_connections_are_cut),
		cmocka_unit_test(a_late_answer_is_a_time_out),
		cmocka_unit_test(the_server_has_done_its_work),
		cmocka_unit_test(so_is_one_that_never_comes),
		cmocka_unit_test(http_sys_limits_are_cured),
		cmocka_unit_test(a_full_queue_is_of_one_pool),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
