/* Who may ask the control API over HTTP, and many who do at once. */
#include "support/test.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/control.h"
#include "support/tcp.h"

#define TOKEN "kX0-this.is~a+secret/=="
#define THREADS 8
#define ROUNDS 15

static struct mockndes_options
options_with(const char *control, const char *token)
{
	struct mockndes_options options = MOCKNDES_OPTIONS_INIT;

	options.control = control;
	options.control_token = token;
	options.allow_remote = 1;
	return options;
}

static int
start(void **state)
{
	(void)state;
	web_start();
	return 0;
}

/* Status of GET of this path with these header lines, as they are. */
static int
ask(const struct controlled *c, const char *path, const char *headers,
    char code[32])
{
	char request[2048], url[64];
	struct answer a;
	json_t *json;
	int status;

	/* It may be bound to all addresses. */
	snprintf(url, sizeof(url), "http://127.0.0.1%s", strrchr(c->base, ':'));
	snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\n%s\r\n", path,
	    headers);
	assert_true(answer_ask(url, request, &a));
	status = a.status;
	json = json_loads((const char *)a.body.data, 0, NULL);
	snprintf(code, 32, "%s",
	    status == 200 ? "" : json_at(json, "error.code"));
	json_decref(json);
	answer_clear(&a);
	return status;
}

/* "@" stands for the host and port of the control API. */
static void
fill(const struct controlled *c, const char *template, char *out, size_t size)
{
	const char *own = c->base + strlen("http://");
	size_t len = 0;

	for (; *template != '\0' && len + 1 < size; template ++) {
		if (*template != '@')
			out[len++] = *template;
		else
			len += (size_t)snprintf(out + len, size - len, "%s",
			    own);
	}
	out[len] = '\0';
}

static const struct {
	const char *headers;
	int status, anywhere; /* on loopback, on all addresses */
	const char *code;
} strangers[] = {
	{ "Host: @\r\n", 200, 200, "" },
	{ "Host: localhost\r\n", 200, 200, "" },
	{ "Host: LOCALHOST:1\r\n", 200, 200, "" },
	{ "Host: 127.1.2.3\r\n", 200, 200, "" },
	{ "Host: [::1]\r\n", 200, 200, "" },
	{ "Host: [::1]:8081\r\n", 200, 200, "" },
	{ "Host: evil.example\r\n", 403, 200, "host" },
	{ "Host: localhost\r\nHost: evil.example\r\n", 403, 200, "host" },
	{ "Host: evil.example\r\nHost: localhost\r\n", 403, 200, "host" },
	{ "Host: localhost.evil.example\r\n", 403, 200, "host" },
	{ "Host: 127.0.0.1.evil.example\r\n", 403, 200, "host" },
	{ "Host: 127.evil.example\r\n", 403, 200, "host" },
	{ "Host: [::1].evil.example\r\n", 403, 200, "host" },
	{ "Host: [::1\r\n", 403, 200, "host" },
	{ "Host: [::2]\r\n", 403, 200, "host" },
	{ "Host: localhost:x\r\n", 403, 200, "host" },
	{ "Host: 0.0.0.0\r\n", 403, 200, "host" },
	{ "Host: 10.0.0.1\r\n", 403, 200, "host" },
	{ "Host: \r\n", 403, 200, "host" },
	{ "Host: @\r\nOrigin: http://@\r\n", 200, 200, "" },
	{ "Host: @\r\nOrigin: https://@\r\n", 403, 403, "origin" },
	{ "Host: @\r\nOrigin: http://evil.example\r\n", 403, 403, "origin" },
	{ "Host: @\r\nOrigin: http://localhost\r\n", 403, 403, "origin" },
	{ "Host: @\r\nOrigin: http://@.evil.example\r\n", 403, 403, "origin" },
	{ "Host: @\r\nOrigin: null\r\n", 403, 403, "origin" },
	{ "Host: @\r\nOrigin: \r\n", 403, 403, "origin" },
	{ "Host: @\r\nOrigin: http://@\r\nOrigin: http://evil.example\r\n", 403,
	    403, "origin" },
	{ "Host: @\r\nOrigin: http://evil.example\r\nOrigin: http://@\r\n", 403,
	    403, "origin" },
};

static void
check_strangers(const char *control, bool anywhere)
{
	struct mockndes_options options = options_with(control, NULL);
	char headers[512], code[32];
	struct controlled c;

	controlled_start(&c, &options);
	for (size_t i = 0; i < COUNT_OF(strangers); i++) {
		int wanted = anywhere ? strangers[i].anywhere :
					strangers[i].status;
		int status;

		fill(&c, strangers[i].headers, headers, sizeof(headers));
		status = ask(&c, "/v1/sites", headers, code);
		if (status != wanted ||
		    (wanted == 403 && strcmp(code, strangers[i].code) != 0))
			fail_msg("%s: %d %s", headers, status, code);
	}
	controlled_stop(&c);
}

static void
pages_of_others_are_refused(void **state)
{
	(void)state;
	check_strangers("127.0.0.1:0", false);
}

/* Nobody knows which names lead there; an Origin still has to be the Host. */
static void
any_host_will_do_on_other_addresses(void **state)
{
	(void)state;
	check_strangers("0.0.0.0:0", true);
}

static void
nothing_is_done_for_them(void **state)
{
	struct controlled c;
	static const char *const evil[] = { "Origin: http://evil.example",
		NULL };
	const struct saying make = { .method = "POST",
		.path = "/v1/sites",
		.body = "{\"id\": \"evil\"}",
		.header = evil };
	struct said said;

	(void)state;
	controlled_start(&c, NULL);
	assert_true(control_try(&c, &make, &said));
	assert_int_equal(said.status, 403);
	said_clear(&said);
	json_decref(control_do(&c, 404, "GET", NULL, "/v1/sites/evil"));
	controlled_stop(&c);
}

#define LOCAL "Host: localhost\r\n"
static const struct {
	const char *path, *headers;
	int status;
} bearers[] = {
	{ "/healthz", LOCAL, 200 },
	{ "/healthz", LOCAL "Authorization: Bearer wrong\r\n", 200 },
	{ "/v1/sites", LOCAL, 401 },
	{ "/v1/openapi.json", LOCAL, 401 },
	{ "/nowhere", LOCAL, 401 },
	{ "/v1/sites", LOCAL "Authorization: Bearer " TOKEN "\r\n", 200 },
	{ "/v1/sites", LOCAL "Authorization: bearer  " TOKEN "\r\n", 200 },
	{ "/nowhere", LOCAL "Authorization: Bearer " TOKEN "\r\n", 404 },
	{ "/v1/sites", LOCAL "Authorization: Bearer\r\n", 401 },
	{ "/v1/sites", LOCAL "Authorization: Bearer \r\n", 401 },
	{ "/v1/sites", LOCAL "Authorization: Bearer k\r\n", 401 },
	{ "/v1/sites", LOCAL "Authorization: Bearer " TOKEN "x\r\n", 401 },
	{ "/v1/sites", LOCAL "Authorization: Bearer x" TOKEN "\r\n", 401 },
	{ "/v1/sites", LOCAL "Authorization: Bearer " TOKEN TOKEN "\r\n", 401 },
	{ "/v1/sites", LOCAL "Authorization: " TOKEN "\r\n", 401 },
	{ "/v1/sites", LOCAL "Authorization: Basic " TOKEN "\r\n", 401 },
	{ "/v1/sites",
	    LOCAL "Authorization: Bearer " TOKEN "\r\nAuthorization: Bearer "
		  "x\r\n",
	    401 },
	{ "/v1/sites?token=" TOKEN, LOCAL, 401 },
};

static pthread_mutex_t told_lock = PTHREAD_MUTEX_INITIALIZER;
static struct buffer told;

static void
keep_line(void *cls, const char *line)
{
	(void)cls;
	pthread_mutex_lock(&told_lock);
	buffer_add_text(&told, line);
	buffer_add_byte(&told, '\n');
	pthread_mutex_unlock(&told_lock);
}

static void
who_has_no_token_is_refused(void **state)
{
	struct mockndes_options options = options_with(NULL, TOKEN);
	struct controlled c;
	char code[32];

	(void)state;
	options.narrate = keep_line;
	controlled_start(&c, &options);
	for (size_t i = 0; i < COUNT_OF(bearers); i++) {
		int status = ask(&c, bearers[i].path, bearers[i].headers, code);

		if (status != bearers[i].status ||
		    (status == 401 && strcmp(code, "token") != 0))
			fail_msg("%s: %d %s", bearers[i].headers, status, code);
	}
	assert_null(strstr(mockndes_ready(c.mockndes), TOKEN));
	controlled_stop(&c);
	buffer_add_byte(&told, 0);
	assert_true(told.len > 1);
	assert_null(strstr((char *)told.data, TOKEN));
	buffer_free(&told);
}

static void
it_is_said_how_to_show_one(void **state)
{
	struct mockndes_options options = options_with(NULL, TOKEN);
	const struct saying ask_sites = { .method = "GET",
		.path = "/v1/sites" };
	struct controlled c;
	struct said said;

	(void)state;
	controlled_start(&c, &options);
	assert_true(control_try(&c, &ask_sites, &said));
	assert_int_equal(said.status, 401);
	assert_true(web_reply_has(&said.http,
	    "WWW-Authenticate: Bearer realm=\"mockndes\""));
	assert_null(strstr((char *)said.http.body.data, TOKEN));
	said_clear(&said);
	/* In the process there is nobody else. */
	assert_true(control_try_inside(&c, &ask_sites, &said));
	assert_int_equal(said.status, 200);
	said_clear(&said);
	assert_true(control_metric(&c, "mockndes_sites") == 1);
	controlled_stop(&c);
}

static void
the_scep_port_has_none_of_it(void **state)
{
	static const char *const paths[] = { "/healthz", "/metrics",
		"/v1/sites", "/v1/openapi.json" };
	struct controlled c;
	struct web_reply reply;
	char url[CONTROL_URL_SIZE];

	(void)state;
	controlled_start(&c, NULL);
	for (size_t i = 0; i < COUNT_OF(paths); i++) {
		snprintf(url, sizeof(url), "%s%s", json_at(c.ready, "base_url"),
		    paths[i]);
		assert_true(web_get(url, &reply));
		assert_int_equal(reply.status, 404);
		assert_null(strstr((char *)reply.body.data, "error\""));
		web_reply_clear(&reply);
	}
	controlled_stop(&c);
}

/* One of the pair that uses a site, over HTTP or in the process. */
struct worker {
	const struct controlled *c;
	int number, failed;
	bool inside;
	pthread_t thread;
};

static void
expect(struct worker *w, int status, int other, const char *method,
    const char *path, const char *body)
{
	const struct saying saying = { .method = method,
		.path = path,
		.body = body };
	struct said said;
	bool answered = w->inside ? control_try_inside(w->c, &saying, &said) :
				    control_try(w->c, &saying, &said);

	if (!answered || (said.status != status && said.status != other))
		w->failed++;
	said_clear(&said);
}

static void
use(struct worker *w)
{
	char path[128], url[CONTROL_URL_SIZE];
	struct web_reply reply;

	snprintf(path, sizeof(path), "/v1/sites/w%d/scenario", w->number / 2);
	expect(w, 200, 410, "PUT", path, "{\"scenario\": \"caps-empty\"}");
	snprintf(path, sizeof(path), "/v1/sites/w%d/server", w->number / 2);
	expect(w, 200, 410, "PATCH", path, "{\"windows\": \"2016\"}");
	snprintf(path, sizeof(path), "/v1/sites/w%d/clock", w->number / 2);
	expect(w, 200, 410, "POST", path, "{\"advance\": \"1s\"}");
	snprintf(url, sizeof(url), "%s/t/w%d/certsrv/mscep/mscep.dll",
	    json_at(w->c->ready, "base_url"), w->number / 2);
	web_get(url, &reply);
	web_reply_clear(&reply);
	snprintf(path, sizeof(path), "/v1/sites/w%d/requests?wait=%d",
	    w->number / 2, !w->inside);
	expect(w, 200, 410, "GET", path, NULL);
	snprintf(path, sizeof(path), "/v1/sites/w%d/reset", w->number / 2);
	expect(w, 200, 410, "POST", path, NULL);
}

static void *
work(void *cls)
{
	struct worker *w = cls;
	char path[128], body[128];

	snprintf(body, sizeof(body), "{\"id\": \"w%d\", \"port\": 0}",
	    w->number / 2);
	snprintf(path, sizeof(path), "/v1/sites/w%d", w->number / 2);
	for (int i = 0; i < ROUNDS; i++) {
		expect(w, 201, 409, "POST", "/v1/sites", body);
		use(w);
		expect(w, 200, 200, "GET", "/v1/sites", NULL);
		expect(w, 200, 200, "GET", "/metrics", NULL);
		expect(w, 204, 410, "DELETE", path, NULL);
	}
	return NULL;
}

static void
many_at_once_find_it_whole(void **state)
{
	struct worker workers[THREADS];
	struct controlled c;
	json_t *json;

	(void)state;
	controlled_start(&c, NULL);
	for (int i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){ .c = &c,
			.number = i,
			.inside = i % 2 == 1 };
		assert_int_equal(pthread_create(&workers[i].thread, NULL, work,
				     &workers[i]),
		    0);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(workers[i].thread, NULL);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(workers[i].failed, 0);
	json = control_do(&c, 200, "GET", NULL, "/v1/sites");
	assert_int_equal(json_array_size(json_object_get(json, "sites")), 1);
	json_decref(json);
	controlled_stop(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_of_others_are_refused),
		cmocka_unit_test(any_host_will_do_on_other_addresses),
		cmocka_unit_test(nothing_is_done_for_them),
		cmocka_unit_test(who_has_no_token_is_refused),
		cmocka_unit_test(it_is_said_how_to_show_one),
		cmocka_unit_test(the_scep_port_has_none_of_it),
		cmocka_unit_test(many_at_once_find_it_whole),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
