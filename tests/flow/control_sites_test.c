/* Sites through the control API: made, switched, set, reset, deleted. */
#include "support/test.h"

#include <stdio.h>
#include <string.h>

#include "support/control.h"
#include "support/files.h"
#include "support/tcp.h"

#define CAPS "%s?operation=GetCACaps"
#define STATUS_OF(n) \
	"mockndes: 1\\nname: own\\nfaults: [{do: {http: {status: " #n "}}}]\\n"
#define YAML_503                                      \
	"mockndes: 1\nname: own\ntitle: Always 503\n" \
	"faults:\n  - do: {http: {status: 503}}\n"

static int
start(void **state)
{
	static struct controlled c;

	web_start();
	controlled_start(&c, NULL);
	*state = &c;
	return 0;
}

static int
stop(void **state)
{
	controlled_stop(*state);
	return 0;
}

/* What GetCACaps answers there; the caller clears it. */
static struct web_reply
ask_caps(const char *url)
{
	char full[CONTROL_URL_SIZE];
	struct web_reply reply;

	snprintf(full, sizeof(full), CAPS, url);
	web_get(full, &reply);
	return reply;
}

static int
caps_status(const char *url)
{
	struct web_reply reply = ask_caps(url);
	int status = (int)reply.status;

	web_reply_clear(&reply);
	return status;
}

static json_t *
open_site(const struct controlled *c, const char *body)
{
	return control_do(c, 201, "POST", body, "/v1/sites");
}

static void
delete_site(const struct controlled *c, const char *id)
{
	assert_null(control_do(c, 204, "DELETE", NULL, "/v1/sites/%s", id));
}

static void
a_site_is_made_shown_and_deleted(void **state)
{
	const struct controlled *c = *state;
	const struct saying make = { .method = "POST",
		.path = "/v1/sites",
		.body = "{\"id\": \"mine\", \"scenario\": \"caps-empty\"}" };
	struct said said;
	json_t *site;

	assert_true(control_try(c, &make, &said));
	assert_int_equal(said.status, 201);
	assert_string_equal(said.http.location, "/v1/sites/mine");
	site = control_do(c, 200, "GET", NULL, "%s", said.http.location);
	assert_true(json_equal(site, said.json));
	said_clear(&said);
	assert_string_equal(json_at(site, "id"), "mine");
	assert_string_equal(json_at(site, "kind"), "made");
	assert_string_equal(json_at(site, "path"), "/t/mine");
	assert_string_equal(json_at(site, "scenario"), "caps-empty");
	assert_null(json_object_get(site, "port"));
	assert_int_equal(caps_status(json_at(site, "url")), 200);
	delete_site(c, "mine");
	assert_int_equal(caps_status(json_at(site, "url")), 410);
	json_decref(control_do(c, 410, "GET", NULL, "/v1/sites/mine"));
	json_decref(control_do(c, 410, "DELETE", NULL, "/v1/sites/mine"));
	json_decref(site);
}

/* All URLs that are said of it are its. */
static void
its_urls_are_its(void **state)
{
	const struct controlled *c = *state;
	json_t *site = open_site(c, "{}"), *other = open_site(c, NULL);
	char expected[CONTROL_URL_SIZE];
	struct web_reply reply;

	assert_string_not_equal(json_at(site, "id"), json_at(other, "id"));
	snprintf(expected, sizeof(expected), "%s/certsrv/mscep/mscep.dll",
	    json_at(site, "base_url"));
	assert_string_equal(json_at(site, "url"), expected);
	assert_true(web_get(json_at(site, "admin_url"), &reply));
	assert_int_equal(reply.status, 200);
	web_reply_clear(&reply);
	delete_site(c, json_at(site, "id"));
	delete_site(c, json_at(other, "id"));
	json_decref(site);
	json_decref(other);
}

static void
sites_made_by_their_paths_are_in_the_list(void **state)
{
	const struct controlled *c = *state;
	char url[CONTROL_URL_SIZE];
	json_t *list;

	snprintf(url, sizeof(url), "%s/s/caps-empty/x/certsrv/mscep/mscep.dll",
	    json_at(c->ready, "base_url"));
	assert_int_equal(caps_status(url), 200);
	control_await(c, "caps-empty~x", 1);
	list = control_do(c, 200, "GET", NULL, "/v1/sites");
	assert_string_equal(json_at(list, "sites.0.kind"), "default");
	assert_string_equal(json_at(list, "sites.0.url"), c->url);
	assert_string_equal(json_at(list, "sites.1.id"), "caps-empty~x");
	assert_string_equal(json_at(list, "sites.1.kind"), "label");
	assert_string_equal(json_at(list, "sites.1.url"), url);
	assert_int_equal(json_number_at(list, "sites.1.last"), 1);
	json_decref(list);
	delete_site(c, "caps-empty~x");
}

static void
a_port_of_its_own_refuses_when_it_has_to(void **state)
{
	const struct controlled *c = *state;
	json_t *site = open_site(c, "{\"id\": \"port\", \"port\": 0}"), *json;
	const char *url = json_at(site, "url");
	char body[64];

	assert_int_equal(caps_status(url), 200);
	snprintf(body, sizeof(body), "{\"port\": %d}",
	    (int)json_number_at(site, "port"));
	json = control_do(c, 409, "POST", body, "/v1/sites");
	assert_string_equal(json_at(json, "error.code"), "port_taken");
	json_decref(json);
	/* The one that had no port is gone: there are but two. */
	json = control_do(c, 200, "GET", NULL, "/v1/sites");
	assert_int_equal(json_array_size(json_object_get(json, "sites")), 2);
	json_decref(json);
	json_decref(
	    control_do(c, 200, "PUT", "{\"scenario\": \"connection-refused\"}",
		"/v1/sites/port/scenario"));
	assert_int_equal(tcp_connect(url), -1);
	json_decref(control_do(c, 200, "PUT", "{\"scenario\": \"healthy\"}",
	    "/v1/sites/port/scenario"));
	assert_int_equal(caps_status(url), 200);
	delete_site(c, "port");
	assert_int_equal(tcp_connect(url), -1);
	json_decref(site);
}

static void
settings_can_be_nested_or_have_dots(void **state)
{
	static const char *const ways[] = {
		"{\"server.windows\": \"2012r2\"}",
		"{\"windows\": \"2012r2\"}",
		"{\"server\": {\"windows\": \"2012r2\"}}",
	};
	const struct controlled *c = *state;
	struct web_reply reply;
	char body[256];
	json_t *site;

	for (size_t i = 0; i < COUNT_OF(ways); i++) {
		snprintf(body, sizeof(body), "{\"set\": %s}", ways[i]);
		site = open_site(c, body);
		reply = ask_caps(json_at(site, "url"));
		assert_string_equal(reply.server, "Microsoft-IIS/8.5");
		web_reply_clear(&reply);
		json_decref(control_do(c, 200, "POST", NULL,
		    "/v1/sites/%s/reset", json_at(site, "id")));
		json_decref(
		    control_do(c, 200, "PATCH", "{\"windows\": \"2022\"}",
			"/v1/sites/%s/server", json_at(site, "id")));
		reply = ask_caps(json_at(site, "url"));
		assert_string_equal(reply.server, "Microsoft-IIS/10.0");
		web_reply_clear(&reply);
		json_decref(control_do(c, 200, "PATCH", ways[i],
		    "/v1/sites/%s/server", json_at(site, "id")));
		reply = ask_caps(json_at(site, "url"));
		assert_string_equal(reply.server, "Microsoft-IIS/8.5");
		web_reply_clear(&reply);
		delete_site(c, json_at(site, "id"));
		json_decref(site);
	}
}

/* A list, a number, a text with what YAML would take for its own. */
static void
settings_have_the_types_of_json(void **state)
{
	const struct controlled *c = *state;
	json_t *site = open_site(c,
	    "{\"id\": \"types\", \"set\": {"
	    "\"mscep\": {\"challenge\": {\"mode\": \"static\", "
	    "\"password\": \"a: [b] # 'c' \\\"d\\\"\"}, \"bom\": true}}}");
	json_t *json = control_do(c, 200, "POST", NULL,
	    "/v1/sites/types/challenge");

	assert_string_equal(json_at(json, "password"), "a: [b] # 'c' \"d\"");
	assert_true(json_is_null(json_object_get(json, "expires")));
	json_decref(json);
	json_decref(site);
	delete_site(c, "types");
}

static const struct {
	const char *row, *body, *type, *name;
	int status;
} switches[] = {
	{ "by its name", "{\"scenario\": \"empty-200\"}", CONTROL_JSON,
	    "empty-200", 200 },
	{ "as YAML", YAML_503, CONTROL_YAML, "own", 503 },
	{ "as YAML of UTF-8", YAML_503, "application/yaml; charset=utf-8",
	    "own", 503 },
	{ "as YAML in JSON", "{\"yaml\": \"" STATUS_OF(501) "\"}", CONTROL_JSON,
	    "own", 501 },
	{ "with settings",
	    "{\"scenario\": \"healthy\", \"set\": {\"windows\": \"2016\"}}",
	    "application/json;charset=utf-8", "healthy", 200 },
};

static void
a_scenario_is_switched(void **state)
{
	const struct controlled *c = *state;
	json_t *site = open_site(c, "{\"id\": \"switch\"}");
	struct saying saying = { .method = "PUT",
		.path = "/v1/sites/switch/scenario" };
	struct said said;

	for (size_t i = 0; i < COUNT_OF(switches); i++) {
		saying.body = switches[i].body;
		saying.type = switches[i].type;
		assert_true(control_try(c, &saying, &said));
		if (said.status != 200 ||
		    strcmp(json_at(said.json, "scenario"), switches[i].name) !=
			0 ||
		    caps_status(json_at(site, "url")) != switches[i].status)
			fail_msg("%s: %d", switches[i].row, said.status);
		said_clear(&said);
	}
	json_decref(site);
	delete_site(c, "switch");
}

/* In the process nobody says what a body is. */
static void
a_body_is_looked_at_where_no_type_is_said(void **state)
{
	const struct controlled *c = *state;
	static const struct {
		const char *body, *name;
	} bodies[] = { { YAML_503, "own" },
		{ " \n\t{\"scenario\": \"healthy\"}", "healthy" } };
	json_t *site = open_site(c, "{\"id\": \"guess\"}");
	struct saying saying = { .method = "PUT",
		.path = "/v1/sites/guess/scenario" };
	struct said said;

	for (size_t i = 0; i < COUNT_OF(bodies); i++) {
		saying.body = bodies[i].body;
		assert_true(control_try_inside(c, &saying, &said));
		assert_int_equal(said.status, 200);
		assert_string_equal(json_at(said.json, "scenario"),
		    bodies[i].name);
		said_clear(&said);
	}
	json_decref(site);
	delete_site(c, "guess");
}

static void
the_clock_is_advanced_and_reset(void **state)
{
	const struct controlled *c = *state;
	json_t *site = open_site(c, "{\"id\": \"clock\"}"), *json;

	json = control_do(c, 200, "POST", "{\"advance\": \"90m\"}",
	    "/v1/sites/clock/clock");
	assert_int_equal(json_number_at(json, "offset"), 90 * 60);
	json_decref(json);
	json = control_do(c, 200, "POST", "{\"advance\": \"2d\"}",
	    "/v1/sites/clock/clock");
	assert_int_equal(json_number_at(json, "offset"), 90 * 60 + 2 * 86400);
	assert_int_equal(strlen(json_at(json, "now")),
	    strlen("2026-03-01T08:00:00Z"));
	assert_string_not_equal(json_at(json, "now"), json_at(site, "now"));
	json_decref(json);
	json = control_do(c, 200, "GET", NULL, "/v1/sites/default/clock");
	assert_int_equal(json_number_at(json, "offset"), 0);
	json_decref(json);
	json_decref(control_do(c, 200, "POST", "{}", "/v1/sites/clock/reset"));
	json = control_do(c, 200, "GET", NULL, "/v1/sites/clock/clock");
	assert_int_equal(json_number_at(json, "offset"), 0);
	json_decref(json);
	json_decref(site);
	delete_site(c, "clock");
}

/* Rules count anew, the settings of the scenario come back. */
static void
a_reset_begins_the_scenario_again(void **state)
{
	const struct controlled *c = *state;
	json_t *site = open_site(c,
	    "{\"id\": \"reset\", \"yaml\": \"mockndes: 1\\nname: once\\n"
	    "server: {windows: 2016}\\n"
	    "faults: [{when: {first: 1}, do: {http: {status: 503}}}]\\n\"}");
	const char *url = json_at(site, "url");
	json_t *json;

	for (int i = 0; i < 2; i++) {
		assert_int_equal(caps_status(url), 503);
		assert_int_equal(caps_status(url), 200);
		control_await(c, "reset", 2 * (i + 1));
		json = control_do(c, 200, "POST", NULL,
		    "/v1/sites/reset/reset");
		assert_string_equal(json_at(json, "scenario"), "once");
		assert_int_equal(json_number_at(json, "last"), 2 * (i + 1));
		json_decref(json);
	}
	json_decref(site);
	delete_site(c, "reset");
}

static void
scenarios_are_listed_and_read(void **state)
{
	const struct controlled *c = *state;
	static const char *const accept[] = {
		"Accept: text/html, application/yaml;q=0.9", NULL
	};
	const struct saying yaml = { .method = "GET",
		.path = "/v1/scenarios/drip",
		.header = accept };
	char path[FILE_PATH_SIZE];
	struct buffer file;
	struct said said;
	json_t *json = control_do(c, 200, "GET", NULL, "/v1/scenarios");

	assert_true(json_array_size(json_object_get(json, "scenarios")) > 100);
	json_decref(json);
	assert_true(
	    file_read(path_in_source(path, "scenarios/drip.yaml"), &file));
	json = control_do(c, 200, "GET", NULL, "/v1/scenarios/drip");
	assert_string_equal(json_at(json, "name"), "drip");
	assert_string_equal(json_at(json, "yaml"), (char *)file.data);
	assert_non_null(json_object_get(json, "reference"));
	json_decref(json);
	assert_true(control_try(c, &yaml, &said));
	assert_string_equal(said.content_type, CONTROL_YAML);
	assert_string_equal((char *)said.http.body.data, (char *)file.data);
	said_clear(&said);
	buffer_free(&file);
}

static void
metrics_follow(void **state)
{
	const struct controlled *c = *state;
	double opened = control_metric(c, "mockndes_sites_opened_total");
	json_t *site;

	assert_true(opened >= 1);
	assert_true(
	    control_metric(c, "mockndes_build_info{version=\"0.1.0\"}") == 1);
	assert_true(control_metric(c, "mockndes_connection_limit") > 0);
	site = open_site(c, "{\"id\": \"metrics\"}");
	assert_true(control_metric(c, "mockndes_sites") == 2);
	assert_true(
	    control_metric(c, "mockndes_sites_opened_total") == opened + 1);
	assert_int_equal(caps_status(json_at(site, "url")), 200);
	control_await(c, "metrics", 1);
	assert_true(control_metric(c, "mockndes_journal_entries") >= 1);
	assert_true(control_metric(c, "mockndes_journal_bytes") > 0);
	assert_true(control_metric(c, "mockndes_waiting_requests") == 0);
	delete_site(c, "metrics");
	assert_true(control_metric(c, "mockndes_sites") == 1);
	json_decref(site);
}

static void
health_and_the_document_are_json(void **state)
{
	const struct controlled *c = *state;
	json_t *json = control_do(c, 200, "GET", NULL, "/healthz");

	assert_string_equal(json_at(json, "status"), "ok");
	assert_string_equal(json_at(json, "version"), mockndes_version());
	assert_string_equal(json_at(json, "url"), c->url);
	json_decref(json);
	json = control_do(c, 200, "GET", NULL, "/v1/openapi.json");
	assert_string_equal(json_at(json, "openapi"), "3.1.0");
	json_decref(json);
}

static void
head_is_get_without_a_body(void **state)
{
	const struct controlled *c = *state;
	const struct saying head = { .method = "HEAD", .path = "/v1/sites" };
	struct said said;

	assert_true(control_try(c, &head, &said));
	assert_int_equal(said.status, 200);
	assert_string_equal(said.content_type, CONTROL_JSON);
	assert_int_equal(said.http.body.len, 0);
	said_clear(&said);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_site_is_made_shown_and_deleted),
		cmocka_unit_test(its_urls_are_its),
		cmocka_unit_test(sites_made_by_their_paths_are_in_the_list),
		cmocka_unit_test(a_port_of_its_own_refuses_when_it_has_to),
		cmocka_unit_test(settings_can_be_nested_or_have_dots),
		cmocka_unit_test(settings_have_the_types_of_json),
		cmocka_unit_test(a_scenario_is_switched),
		cmocka_unit_test(a_body_is_looked_at_where_no_type_is_said),
		cmocka_unit_test(the_clock_is_advanced_and_reset),
		cmocka_unit_test(a_reset_begins_the_scenario_again),
		cmocka_unit_test(scenarios_are_listed_and_read),
		cmocka_unit_test(metrics_follow),
		cmocka_unit_test(health_and_the_document_are_json),
		cmocka_unit_test(head_is_get_without_a_body),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
