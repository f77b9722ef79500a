/* What the control API refuses, each row over HTTP and in the process. */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/control.h"
#include "support/tcp.h"

#define SITE "/v1/sites/a"
#define BODY_MAX (1 << 20)

static const struct row {
	const char *row, *method, *path, *body;
	const char *type; /* of HTTP alone; NULL: JSON, in the process too */
	int status;
	const char *code, *says;
} rows[] = {
	/* Paths and methods */
	{ "no path", "GET", "/", NULL, NULL, 404, "path_unknown",
	    "openapi.json" },
	{ "a path below one", "GET", "/healthz/x", NULL, NULL, 404,
	    "path_unknown", "/healthz/x" },
	{ "a slash at the end", "GET", "/v1/sites/", NULL, NULL, 404,
	    "path_unknown", "/v1/sites/" },
	{ "two slashes", "GET", "/v1//sites", NULL, NULL, 404, "path_unknown",
	    "" },
	{ "a path that begins so", "GET", "/v1/site", NULL, NULL, 404,
	    "path_unknown", "" },
	{ "not the SCEP port", "GET", "/certsrv/mscep/mscep.dll", NULL, NULL,
	    404, "path_unknown", "" },
	{ "a method", "BREW", "/healthz", NULL, NULL, 405, "method",
	    "GET, HEAD" },
	{ "lower case", "get", "/healthz", NULL, NULL, 405, "method",
	    "\"get\"" },
	{ "a method of a site", "PUT", SITE, NULL, NULL, 405, "method",
	    "GET, HEAD, DELETE" },
	{ "half an escape", "GET", "/v1/sites/%4", NULL, NULL, 400, "path",
	    "%4" },
	{ "a NUL", "GET", "/v1/sites/a%00b", NULL, NULL, 400, "path", "a%00b" },
	/* Queries */
	{ "a parameter", "GET", SITE "/requests?limt=1", NULL, NULL, 400,
	    "parameter", "\"limt\", did you mean \"limit\"" },
	{ "where there are none", "GET", SITE "?x=1", NULL, NULL, 400,
	    "parameter", "there are none here" },
	{ "no number", "GET", SITE "/requests?limit=ten", NULL, NULL, 400,
	    "parameter", "\"limit\" takes a whole number" },
	{ "too much", "GET", SITE "/requests?limit=1001", NULL, NULL, 400,
	    "parameter", "\"limit\" is not between 1 and 1000" },
	{ "too long", "GET", SITE "/requests?wait=61", NULL, NULL, 400,
	    "parameter", "\"wait\" is not between 0 and 60" },
	{ "negative", "GET", SITE "/requests?since=-1", NULL, NULL, 400,
	    "parameter", "\"since\" takes a whole number" },
	{ "twice", "GET", SITE "/requests?limit=1&limit=2", NULL, NULL, 400,
	    "parameter", "twice" },
	{ "nothing", "GET", SITE "/requests?operation=", NULL, NULL, 400,
	    "parameter", "\"operation\" is empty" },
	{ "not UTF-8", "GET", SITE "/requests?operation=%ff", NULL, NULL, 400,
	    "parameter", "not UTF-8" },
	{ "an escape", "GET", SITE "/requests?operation=%zz", NULL, NULL, 400,
	    "parameter", "%zz" },
	{ "a format", "GET", "/v1/scenarios/healthy?format=toml", NULL, NULL,
	    400, "parameter", "\"toml\"" },
	/* Things that are not there */
	{ "a site", "GET", "/v1/sites/b", NULL, NULL, 404, "site_unknown",
	    "\"b\"" },
	{ "a site's things", "GET", "/v1/sites/b/requests", NULL, NULL, 404,
	    "site_unknown", "\"b\"" },
	{ "a site by no id", "GET", "/v1/sites/a%2Fb", NULL, NULL, 404,
	    "site_unknown", "a/b" },
	{ "a site that is gone", "GET", "/v1/sites/gone", NULL, NULL, 410,
	    "site_gone", "gone" },
	{ "to change a site that is gone", "PATCH", "/v1/sites/gone/server",
	    "{}", NULL, 410, "site_gone", "gone" },
	{ "a scenario", "GET", "/v1/scenarios/helthy", NULL, NULL, 404,
	    "scenario_unknown", "did you mean \"healthy\"" },
	{ "a path as a scenario", "GET", "/v1/scenarios/..%2Fhealthy", NULL,
	    NULL, 404, "scenario_unknown", "../healthy" },
	{ "a request", "GET", SITE "/requests/1", NULL, NULL, 404,
	    "request_unknown", "1" },
	{ "no number of one", "GET", SITE "/requests/x", NULL, NULL, 404,
	    "request_unknown", "\"x\"" },
	{ "a number that is none", "GET", SITE "/requests/1x/reply", NULL, NULL,
	    404, "request_unknown", "\"1x\"" },
	{ "a huge number", "GET", SITE "/requests/99999999999999999999/request",
	    NULL, NULL, 404, "request_unknown", "99999999999999999999" },
	{ "a transaction", "POST", SITE "/pending/a%2Bb%2F/approve", NULL, NULL,
	    404, "transaction_unknown", "\"a+b/\"" },
	{ "to deny one", "POST", SITE "/pending/1/deny", NULL, NULL, 404,
	    "transaction_unknown", "\"1\"" },
	{ "a certificate", "GET", SITE "/certificates/0A.pem", NULL, NULL, 404,
	    "certificate_unknown", "\"0A\"" },
	{ "no serial number", "GET", SITE "/certificates/0.pem", NULL, NULL,
	    404, "certificate_unknown", "\"0\"" },
	{ "to revoke it", "POST", SITE "/certificates/xx/revoke", NULL, NULL,
	    404, "certificate_unknown", "\"xx\"" },
	/* Bodies */
	{ "no JSON", "POST", "/v1/sites", "{\"id\": \"x\",\n \"port\": }", NULL,
	    400, "json", "body:2:" },
	{ "a list", "POST", "/v1/sites", "[]", NULL, 400, "json", "body:1:1" },
	{ "text", "POST", "/v1/sites", "x", NULL, 400, "json", "body:1:" },
	{ "twice a member", "POST", "/v1/sites", "{\"port\":0,\"port\":0}",
	    NULL, 400, "json", "duplicate" },
	{ "a member", "POST", "/v1/sites", "{\"scenaro\": \"x\"}", NULL, 400,
	    "member", "\"scenaro\", did you mean \"scenario\"" },
	{ "a member where none is", "POST", SITE "/reset", "{\"x\": 1}", NULL,
	    400, "member", "there are none here" },
	{ "a type", "POST", "/v1/sites", "{\"port\": \"1\"}", NULL, 400,
	    "member", "\"port\" takes a whole number" },
	{ "another", "POST", "/v1/sites", "{\"set\": []}", NULL, 400, "member",
	    "\"set\" takes an object" },
	{ "a fraction", "POST", "/v1/sites", "{\"port\": 1.5}", NULL, 400,
	    "member", "\"port\" takes a whole number" },
	{ "a range", "POST", "/v1/sites", "{\"port\": 65536}", NULL, 400,
	    "member", "between 0 and 65535" },
	{ "an id", "POST", "/v1/sites", "{\"id\": \"a b\"}", NULL, 400,
	    "site_id", "A-Z" },
	{ "an id of none", "POST", "/v1/sites", "{\"id\": \"\"}", NULL, 400,
	    "site_id", "" },
	{ "one that is taken", "POST", "/v1/sites", "{\"id\": \"a\"}", NULL,
	    409, "site_taken", "\"a\"" },
	{ "the default one", "POST", "/v1/sites", "{\"id\": \"default\"}", NULL,
	    409, "site_taken", "default" },
	{ "two scenarios", "POST", "/v1/sites",
	    "{\"scenario\": \"healthy\", \"yaml\": \"mockndes: 1\"}", NULL, 400,
	    "member", "twice" },
	{ "a scenario", "POST", "/v1/sites", "{\"scenario\": \"helthy\"}", NULL,
	    400, "scenario", "did you mean \"healthy\"" },
	{ "a file as a scenario", "POST", "/v1/sites",
	    "{\"scenario\": \"/etc/passwd\"}", NULL, 400, "scenario",
	    "unknown scenario \"/etc/passwd\"" },
	{ "the directory's other files", "POST", "/v1/sites",
	    "{\"scenario\": \"./healthy.yaml\"}", NULL, 400, "scenario",
	    "unknown scenario" },
	{ "YAML with errors", "POST", "/v1/sites",
	    "{\"yaml\": \"mockndes: 1\\nname: x\\ntitel: y\\n"
	    "server: {windows: 1999}\\n\"}",
	    NULL, 400, "scenario", "yaml:3:1: unknown key \"titel\"" },
	{ "all of them", "POST", "/v1/sites",
	    "{\"yaml\": \"mockndes: 1\\nname: x\\ntitel: y\\n"
	    "server: {windows: 1999}\\n\"}",
	    NULL, 400, "scenario", "\nyaml:4:19: unknown value \"1999\"" },
	{ "YAML that names a file", "POST", "/v1/sites",
	    "{\"yaml\": \"mockndes: 1\\nname: x\\nextends: ./y.yaml\\n\"}",
	    NULL, 400, "scenario", "yaml:3:10: " },
	/* Switching */
	{ "to nothing", "PUT", SITE "/scenario", "{}", NULL, 400, "member",
	    "\"scenario\" is missing" },
	{ "without a body", "PUT", SITE "/scenario", NULL, NULL, 400, "member",
	    "\"scenario\" is missing" },
	{ "to YAML with errors", "PUT", SITE "/scenario",
	    "mockndes: 1\nname: [\n", CONTROL_YAML, 400, "scenario", "body:" },
	{ "to another version", "PUT", SITE "/scenario",
	    "mockndes: 2\nname: x\n", CONTROL_YAML, 400, "scenario",
	    "body:1:11: " },
	{ "to no YAML at all", "PUT", SITE "/scenario", "", CONTROL_YAML, 400,
	    "scenario", "body:" },
	{ "with a setting", "PUT", SITE "/scenario",
	    "{\"scenario\": \"healthy\", \"set\": {\"windos\": 1}}", NULL, 400,
	    "scenario", "did you mean \"windows\"" },
	/* Settings */
	{ "a setting", "PATCH", SITE "/server", "{\"widnows\": \"2016\"}", NULL,
	    400, "setting", "did you mean \"windows\"" },
	{ "one with dots", "PATCH", SITE "/server",
	    "{\"server.iis.verson\": \"10.0\"}", NULL, 400, "setting",
	    "unknown key \"iis.verson\"" },
	{ "one in a section", "PATCH", SITE "/server",
	    "{\"iis\": {\"verson\": \"10.0\"}}", NULL, 400, "setting",
	    "unknown key \"iis.verson\"" },
	{ "a value of one", "PATCH", SITE "/server", "{\"windows\": 1999}",
	    NULL, 400, "setting", "unknown value \"1999\"" },
	{ "null", "PATCH", SITE "/server", "{\"windows\": null}", NULL, 400,
	    "setting", "\"windows\" cannot be null" },
	{ "null in a section", "PATCH", SITE "/server",
	    "{\"iis\": {\"max_url\": null}}", NULL, 400, "setting",
	    "\"iis\" cannot be null" },
	{ "a section as a value", "PATCH", SITE "/server", "{\"iis\": 1}", NULL,
	    400, "setting", "takes keys of its own" },
	{ "a fraction, said again as it came", "PATCH", SITE "/server",
	    "{\"iis\": {\"max_url\": 401.2}}", NULL, 400, "setting",
	    "\"max_url\": 401.2}" },
	{ "a value as a section", "PATCH", SITE "/server", "{\"windows\": {}}",
	    NULL, 400, "setting", "takes one value" },
	{ "an equals sign", "PATCH", SITE "/server", "{\"windows=2016\": 1}",
	    NULL, 400, "setting", "\"windows=2016\" is no setting" },
	{ "a second line of YAML", "PATCH", SITE "/server",
	    "{\"windows\": \"2016\\nx: y\"}", NULL, 400, "setting", "windows" },
	/* The rest */
	{ "no time", "POST", SITE "/clock", "{}", NULL, 400, "member",
	    "\"advance\" is missing" },
	{ "a number as a time", "POST", SITE "/clock", "{\"advance\": 90}",
	    NULL, 400, "member", "\"advance\" takes a text" },
	{ "no duration", "POST", SITE "/clock", "{\"advance\": \"90\"}", NULL,
	    400, "member", "\"90\" is not a duration" },
	{ "back", "POST", SITE "/clock", "{\"advance\": \"-1s\"}", NULL, 400,
	    "member", "goes back" },
	{ "half a second", "POST", SITE "/clock", "{\"advance\": \"500ms\"}",
	    NULL, 400, "member", "whole seconds" },
	{ "for ever", "POST", SITE "/clock", "{\"advance\": \"8000y\"}", NULL,
	    400, "member", "the year 9999" },
	{ "longer", "POST", SITE "/clock", "{\"advance\": \"200000000y\"}",
	    NULL, 400, "member", "the year 9999" },
	{ "a short password", "POST", SITE "/challenge", "{\"size\": 7}", NULL,
	    400, "member", "between 8 and 8192" },
	{ "a long password", "POST", SITE "/challenge", "{\"size\": 8193}",
	    NULL, 400, "member", "between 8 and 8192" },
	{ "a reason", "POST", SITE "/certificates/01/revoke",
	    "{\"reason\": \"keyCompromized\"}", NULL, 400, "member",
	    "did you mean \"keyCompromise\"" },
	{ "the default site", "DELETE", "/v1/sites/default", NULL, NULL, 409,
	    "site_default", "reset" },
	/* What HTTP alone can say */
	{ "a type of body", "POST", "/v1/sites", "{}", "text/plain", 415,
	    "content_type", "\"text/plain\"" },
	{ "that of a form", "POST", SITE "/reset", "{}",
	    "application/x-www-form-urlencoded", 415, "content_type",
	    "application/json here" },
	{ "YAML where it is not taken", "POST", "/v1/sites", "{}", CONTROL_YAML,
	    415, "content_type", "" },
	{ "JSON as YAML", "PUT", SITE "/scenario",
	    "{\"scenario\": \"healthy\"}", CONTROL_YAML, 400, "scenario",
	    "body:1:" },
	{ "YAML as JSON", "PUT", SITE "/scenario", "mockndes: 1\n",
	    CONTROL_JSON, 400, "json", "body:1:" },
};

static int
start(void **state)
{
	static struct controlled c;

	web_start();
	controlled_start(&c, NULL);
	json_decref(
	    control_do(&c, 201, "POST", "{\"id\": \"a\"}", "/v1/sites"));
	json_decref(
	    control_do(&c, 201, "POST", "{\"id\": \"gone\"}", "/v1/sites"));
	control_do(&c, 204, "DELETE", NULL, "/v1/sites/gone");
	*state = &c;
	return 0;
}

static int
stop(void **state)
{
	controlled_stop(*state);
	return 0;
}

static void
judge(const char *way, const struct row *r, const struct said *s)
{
	const char *code = json_string_value(
	    json_object_get(json_object_get(s->json, "error"), "code"));
	const char *message = json_string_value(
	    json_object_get(json_object_get(s->json, "error"), "message"));

	if (s->status != r->status || code == NULL || message == NULL ||
	    json_object_size(s->json) != 1 || strcmp(code, r->code) != 0 ||
	    strstr(message, r->says) == NULL || *message == '\0')
		fail_msg("%s, %s: %d %s", way, r->row, s->status,
		    s->http.body.data == NULL ?
			"" :
			(const char *)s->http.body.data);
}

static void
each_row_is_refused(void **state)
{
	const struct controlled *c = *state;
	struct said said;

	for (const struct row *r = rows; r < rows + COUNT_OF(rows); r++) {
		const struct saying saying = { .method = r->method,
			.path = r->path,
			.body = r->body,
			.type = r->type };

		assert_true(control_try(c, &saying, &said));
		judge("HTTP", r, &said);
		said_clear(&said);
		if (r->type != NULL)
			continue;
		assert_true(control_try_inside(c, &saying, &said));
		judge("process", r, &said);
		said_clear(&said);
	}
}

static void
nothing_has_come_of_it(void **state)
{
	const struct controlled *c = *state;
	json_t *sites = control_do(c, 200, "GET", NULL, "/v1/sites");
	json_t *clock = control_do(c, 200, "GET", NULL, SITE "/clock");

	assert_int_equal(json_array_size(json_object_get(sites, "sites")), 2);
	assert_string_equal(json_at(sites, "sites.1.scenario"), "healthy");
	assert_int_equal(json_number_at(sites, "sites.1.last"), 0);
	assert_int_equal(json_number_at(clock, "offset"), 0);
	json_decref(sites);
	json_decref(clock);
}

static void
other_methods_are_told(void **state)
{
	static const struct {
		const char *path, *allow;
	} paths[] = {
		{ "/healthz", "Allow: GET, HEAD" },
		{ "/v1/sites", "Allow: GET, HEAD, POST" },
		{ SITE, "Allow: GET, HEAD, DELETE" },
		{ SITE "/server", "Allow: PATCH" },
		{ SITE "/requests", "Allow: GET, HEAD, DELETE" },
	};
	const struct controlled *c = *state;
	struct said said;

	for (size_t i = 0; i < COUNT_OF(paths); i++) {
		assert_true(control_try(c,
		    &(struct saying){ .method = "OPTIONS",
			.path = paths[i].path },
		    &said));
		assert_int_equal(said.status, 405);
		assert_true(web_reply_has(&said.http, paths[i].allow));
		said_clear(&said);
	}
}

static void
a_body_has_a_mebibyte_at_most(void **state)
{
	const struct controlled *c = *state;
	char *spaces = malloc(BODY_MAX + 1);
	struct saying saying = { .method = "POST",
		.path = SITE "/reset",
		.body = spaces };
	struct said said;

	assert_non_null(spaces);
	memset(spaces, ' ', BODY_MAX + 1);
	memcpy(spaces, "{}", 2);
	for (saying.length = BODY_MAX; saying.length <= BODY_MAX + 1;
	     saying.length++) {
		assert_true(control_try(c, &saying, &said));
		assert_int_equal(said.status,
		    saying.length > BODY_MAX ? 413 : 200);
		if (said.status == 413)
			assert_string_equal(json_at(said.json, "error.code"),
			    "body_too_large");
		said_clear(&said);
	}
	free(spaces);
}

static void
neither_has_one_in_chunks(void **state)
{
	static const char head[] = "POST " SITE
				   "/reset HTTP/1.1\r\nHost: localhost\r\n"
				   "Content-Type: application/json\r\n"
				   "Transfer-Encoding: chunked\r\n\r\n";
	const struct controlled *c = *state;
	char *chunk = malloc(BODY_MAX + 1);
	int fd = tcp_connect(c->base);
	struct answer a;

	assert_non_null(chunk);
	memset(chunk, ' ', BODY_MAX + 1);
	assert_int_not_equal(fd, -1);
	assert_true(tcp_send_text(fd, head));
	assert_true(tcp_send_text(fd, "100001\r\n"));
	assert_true(tcp_send(fd, chunk, BODY_MAX + 1));
	assert_true(answer_read(fd, true, &a));
	assert_int_equal(a.status, 413);
	assert_non_null(strstr((char *)a.body.data, "body_too_large"));
	answer_clear(&a);
	tcp_abort(fd);
	free(chunk);
}

static void
json_that_is_deep_or_large_is_only_refused(void **state)
{
	const struct controlled *c = *state;
	char *deep = malloc(BODY_MAX);
	struct saying saying = { .method = "PATCH",
		.path = SITE "/server",
		.body = deep,
		.length = BODY_MAX };
	struct said said;

	assert_non_null(deep);
	memset(deep, '[', BODY_MAX);
	for (size_t i = 0; i < BODY_MAX / 5 * 5; i += 5)
		memcpy(deep + i, "{\"a\":", 5);
	assert_true(control_try(c, &saying, &said));
	assert_int_equal(said.status, 400);
	assert_string_equal(json_at(said.json, "error.code"), "json");
	said_clear(&said);
	/* Deep, but whole. */
	memset(deep, '[', 5000);
	memset(deep + 5000, ']', 5000);
	memcpy(deep, "{\"x\":", 5);
	deep[9994] = '}';
	deep[9995] = '\0';
	saying.length = 0;
	assert_true(control_try_inside(c, &saying, &said));
	assert_int_equal(said.status, 400);
	said_clear(&said);
	free(deep);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_row_is_refused),
		cmocka_unit_test(nothing_has_come_of_it),
		cmocka_unit_test(other_methods_are_told),
		cmocka_unit_test(a_body_has_a_mebibyte_at_most),
		cmocka_unit_test(neither_has_one_in_chunks),
		cmocka_unit_test(json_that_is_deep_or_large_is_only_refused),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
