/* What an administrator sees and does, through mockndes_control(). */
#include "support/test.h"

#include <glob.h>
#include <jansson.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mockndes.h"
#include "support/device.h"
#include "support/files.h"
#include "support/tcp.h"

#define SECRET "lasting"
#define SITE "/v1/sites/default"
#define SETS_MAX 4
#define URL_SIZE 512
#define ADMIN "/certsrv/mscep_admin/"
#define GET_CA_CERT "/certsrv/mscep/mscep.dll?operation=GetCACert"

struct fixture {
	struct mockndes *mockndes;
	char url[URL_SIZE], base[URL_SIZE], logs[FILE_PATH_SIZE];
	struct device device;
	STACK_OF(X509) * ca_certs;
	uint64_t seen; /* requests of the default site */
};

/* The answer; its text is NUL terminated. */
static void
call(struct fixture *f, const char *method, const char *path, const char *body,
    int status, struct mockndes_reply *out)
{
	assert_int_equal(mockndes_control(f->mockndes, method, path, body,
			     body == NULL ? 0 : strlen(body), out),
	    0);
	if (out->status != status)
		fail_msg("%s %s: %d %s", method, path, out->status, out->body);
}

static json_t *
call_json(struct fixture *f, const char *method, const char *path,
    const char *body, int status)
{
	struct mockndes_reply reply;
	json_t *json;

	call(f, method, path, body, status, &reply);
	json = json_loads(reply.body, 0, NULL);
	if (json == NULL)
		fail_msg("%s %s: no JSON: %s", method, path, reply.body);
	mockndes_reply_clear(&reply);
	return json;
}

/* Enough of a long message that IIS's own limits are too small for it. */
static void
set_up(struct fixture *f, const char *const *sets)
{
	struct mockndes_options options = MOCKNDES_OPTIONS_INIT;
	char keys[FILE_PATH_SIZE], error[MOCKNDES_ERROR_SIZE];

	memset(f, 0, sizeof(*f));
	options.keys = path_in_source(keys, "tests/fixtures/keys");
	options.challenge = SECRET;
	options.log_dir = dir_make(f->logs);
	options.set = sets;
	while (sets != NULL && sets[options.set_count] != NULL)
		options.set_count++;
	if (mockndes_start(&options, &f->mockndes, error) != 0)
		fail_msg("%s", error);
	snprintf(f->url, sizeof(f->url), "%s", mockndes_url(f->mockndes));
	snprintf(f->base, sizeof(f->base), "%s", f->url);
	*strstr(f->base, "/certsrv/") = '\0';
	assert_true(device_make(&f->device));
	f->ca_certs = device_ca_certs(f->url);
	f->seen = f->ca_certs != NULL;
}

static void
tear_down(struct fixture *f)
{
	device_ca_certs_free(f->ca_certs);
	device_clear(&f->device);
	mockndes_stop(f->mockndes);
	dir_remove(f->logs);
}

/* Until so many have left everything that they leave. */
static void
wait_for(struct fixture *f, uint64_t seen)
{
	char path[128];
	json_t *json;

	snprintf(path, sizeof(path), SITE "/requests?since=%llu&wait=20",
	    (unsigned long long)seen - 1);
	json = call_json(f, "GET", path, NULL, 200);
	assert_int_not_equal(json_array_size(json_object_get(json, "requests")),
	    0);
	json_decref(json);
}

static long
visit(struct fixture *f, const char *target)
{
	char url[URL_SIZE * 2];
	struct web_reply reply;
	long status;

	snprintf(url, sizeof(url), "%s%s", f->base, target);
	assert_true(web_get(url, &reply));
	status = reply.status;
	web_reply_clear(&reply);
	f->seen++;
	return status;
}

/* By GET, as certmonger does; the answer's pkiStatus, or -1: there is none. */
static int
enrol(struct fixture *f, bool by_get, const char *challenge)
{
	const struct device_order order = { .challenge = challenge,
		.by_get = by_get };
	struct device_answer answer;
	bool sound;
	int status;

	sound = device_ask(&f->device, f->url, &order, f->ca_certs, &answer);
	status = sound ? answer.pki_status : -1;
	device_answer_clear(&answer);
	f->seen++;
	return status;
}

/* "[a, b]" */
static void
names_must_be(json_t *list, const char *wanted)
{
	char text[512] = "";
	json_t *name;
	size_t i;

	json_array_foreach(list, i, name)
	{
		size_t len = strlen(text);

		snprintf(text + len, sizeof(text) - len, "%s%s",
		    i > 0 ? " " : "", json_string_value(name));
	}
	assert_string_equal(text, wanted);
}

static void
act(struct fixture *f, const char *name, const char *body, bool healthy,
    const char *changed, const char *waits_for)
{
	char path[128];
	json_t *json;

	snprintf(path, sizeof(path), SITE "/actions/%s", name);
	json = call_json(f, "POST", path, body, 200);
	names_must_be(json_object_get(json, "changed"), changed);
	names_must_be(json_object_get(json, "waits_for"), waits_for);
	assert_int_equal(json_is_true(json_object_get(json, "healthy")),
	    healthy);
	assert_int_equal(json_object_get(json, "why") == NULL, healthy);
	json_decref(json);
}

static bool
is_healthy(struct fixture *f)
{
	json_t *json = call_json(f, "GET", SITE, NULL, 200);
	bool healthy = json_is_true(json_object_get(json, "healthy"));

	json_decref(json);
	return healthy;
}

/* The article's "HTTP 414", with IIS as it comes. */
static void
limits_need_both_places_and_a_restart(void **state)
{
	static const char *const sets[] = { "server.iis.max_query_string=2048",
		"server.http_sys.max_field_length=2500", NULL };
	struct fixture f;

	(void)state;
	set_up(&f, sets);
	assert_int_equal(enrol(&f, true, SECRET), -1);
	assert_int_equal(enrol(&f, false, SECRET), 0);
	act(&f, "set-request-filtering-limits", NULL, false, "",
	    "restart-server");
	assert_int_equal(enrol(&f, true, SECRET), -1);
	act(&f, "iisreset", NULL, false, "", "");
	assert_int_equal(enrol(&f, true, SECRET), -1);
	act(&f, "restart-server", NULL, false, "iis.max_query_string", "");
	assert_int_equal(enrol(&f, true, SECRET), -1);
	act(&f, "set-http-sys-limits", "{}", false, "", "restart-server");
	act(&f, "restart-server", NULL, true, "http_sys.max_field_length", "");
	assert_int_equal(enrol(&f, true, SECRET), 0);
	assert_true(is_healthy(&f));
	tear_down(&f);
}

static void
limits_can_be_made_too_small(void **state)
{
	struct fixture f;

	(void)state;
	set_up(&f, NULL);
	assert_true(is_healthy(&f));
	act(&f, "set-request-filtering-limits",
	    "{\"max_query_string\": 2048, \"max_url\": \"70000\"}", true, "",
	    "restart-server");
	assert_int_equal(enrol(&f, true, SECRET), 0);
	act(&f, "restart-server", NULL, false,
	    "iis.max_url iis.max_query_string", "");
	assert_int_equal(enrol(&f, true, SECRET), -1);
	assert_false(is_healthy(&f));
	tear_down(&f);
}

static void
the_connector_is_reinstalled(void **state)
{
	static const char *const sets[] = {
		"server.policy_module.installed=false", NULL
	};
	struct fixture f;

	(void)state;
	set_up(&f, sets);
	assert_int_equal(visit(&f, "/certsrv/mscep/mscep.dll"), 200);
	act(&f, "reinstall-connector", NULL, true, "policy_module.installed",
	    "");
	assert_int_equal(visit(&f, "/certsrv/mscep/mscep.dll"), 403);
	tear_down(&f);
}

static void
iisreset_forgets_passwords(void **state)
{
	char url[URL_SIZE * 2], password[DEVICE_PASSWORD_SIZE];
	struct fixture f;

	(void)state;
	set_up(&f, NULL);
	snprintf(url, sizeof(url), "%s" ADMIN, f.base);
	assert_true(device_password(url, password));
	act(&f, "iisreset", NULL, true, "", "");
	assert_int_equal(enrol(&f, false, password), 2);
	assert_true(device_password(url, password));
	assert_int_equal(enrol(&f, false, password), 0);
	tear_down(&f);
}

static void
must_be_valid_now(struct fixture *f, uint32_t key_usage)
{
	X509 *cert;

	device_ca_certs_free(f->ca_certs);
	assert_non_null(f->ca_certs = device_ca_certs(f->url));
	assert_non_null(cert = device_ra(f->ca_certs, key_usage));
	assert_int_equal(X509_cmp_current_time(X509_get0_notAfter(cert)), 1);
}

/* All the steps of the article, and one of them left out. */
static void
ra_certificates_are_renewed(void **state)
{
	static const char *const sets[] = { "server.ra.signing.not_after=-2d",
		"server.ra.encryption.not_after=-2d", NULL };
	struct fixture f;

	(void)state;
	set_up(&f, sets);
	assert_int_equal(visit(&f, GET_CA_CERT), 500);
	act(&f, "request-cep-encryption-certificate", NULL, false, "",
	    "iisreset");
	act(&f, "request-enrollment-agent-certificate", NULL, false, "",
	    "import-enrollment-agent-to-machine iisreset");
	act(&f, "iisreset", NULL, false,
	    "ra.encryption.not_before ra.encryption.not_after "
	    "ra.encryption.key_readable",
	    "");
	assert_int_equal(visit(&f, GET_CA_CERT), 500);
	act(&f, "import-enrollment-agent-to-machine", NULL, false, "",
	    "iisreset");
	act(&f, "grant-read-on-ra-keys", NULL, false, "", "iisreset");
	act(&f, "iisreset", NULL, true,
	    "ra.signing.not_before ra.signing.not_after "
	    "ra.encryption.key_readable",
	    "");
	must_be_valid_now(&f, KU_KEY_ENCIPHERMENT);
	must_be_valid_now(&f, KU_DIGITAL_SIGNATURE);
	assert_int_equal(enrol(&f, false, SECRET), 0);
	tear_down(&f);
}

static void
three_years_make_a_site_ill(void **state)
{
	struct fixture f;

	(void)state;
	set_up(&f, NULL);
	json_decref(
	    call_json(&f, "POST", SITE "/clock", "{\"advance\": \"3y\"}", 200));
	assert_false(is_healthy(&f));
	act(&f, "reinstall-ndes-role", NULL, true,
	    "ra.signing.not_before ra.signing.not_after "
	    "ra.encryption.not_before ra.encryption.not_after",
	    "");
	assert_true(is_healthy(&f));
	tear_down(&f);
}

/* What waits is a site's own, and shown there. */
static void
sites_do_not_meet(void **state)
{
	struct fixture f;
	json_t *json, *action;
	size_t i, waiting = 0;

	(void)state;
	set_up(&f, NULL);
	json_decref(
	    call_json(&f, "POST", "/v1/sites", "{\"id\": \"other\"}", 201));
	act(&f, "set-http-sys-limits", "{\"max_field_length\": 100}", true, "",
	    "restart-server");
	json_decref(call_json(&f, "POST",
	    "/v1/sites/other/actions/restart-server", NULL, 200));
	assert_true(is_healthy(&f));
	json = call_json(&f, "GET", SITE "/actions", NULL, 200);
	json_array_foreach(json_object_get(json, "actions"), i, action)
	{
		waiting += json_is_true(json_object_get(action, "waiting"));
		assert_non_null(json_object_get(action, "title"));
	}
	assert_int_equal(waiting, 1);
	json_decref(json);
	json = call_json(&f, "GET", "/v1/sites/other", NULL, 200);
	assert_true(json_is_true(json_object_get(json, "healthy")));
	json_decref(json);
	tear_down(&f);
}

/* What http.sys refuses, in octets of its own. */
static void
be_refused(struct fixture *f)
{
	static const char request[] = "G(T / HTTP/1.1\r\nHost: x\r\n\r\n";
	struct buffer reply = { 0 };
	int fd = tcp_connect(f->base);

	assert_int_not_equal(fd, -1);
	assert_true(tcp_send(fd, request, strlen(request)));
	tcp_read_all(fd, &reply);
	close(fd);
	assert_non_null(strstr((char *)reply.data, " 400 "));
	buffer_free(&reply);
	f->seen++;
}

/* All files of the pattern, in their order. */
static void
must_be_as_in(struct fixture *f, const char *pattern, const char *name)
{
	char path[FILE_PATH_SIZE];
	struct mockndes_reply reply;
	struct buffer files = { 0 };
	glob_t found;

	assert_int_equal(glob(path_in(path, f->logs, pattern), 0, NULL, &found),
	    0);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		struct buffer one = { 0 };

		assert_true(file_read(found.gl_pathv[i], &one));
		buffer_add(&files, one.data, one.len);
		buffer_free(&one);
	}
	globfree(&found);
	buffer_add_byte(&files, 0);
	snprintf(path, sizeof(path), SITE "/evidence/%s", name);
	call(f, "GET", path, NULL, 200, &reply);
	assert_string_equal(reply.content_type, "text/plain; charset=utf-8");
	assert_string_equal(reply.body, (char *)files.data);
	mockndes_reply_clear(&reply);
	buffer_free(&files);
}

static size_t
count_entries(struct fixture *f, const char *path)
{
	json_t *json = call_json(f, "GET", path, NULL, 200);
	size_t count = json_array_size(json_object_get(json, "entries"));

	assert_int_equal(json_integer_value(json_object_get(json, "lost")), 0);
	json_decref(json);
	return count;
}

/* Of the policy module: for the two that enrol, and what comes of the second. */
#define CALLS 3

static void
evidence_is_what_the_files_have(void **state)
{
	struct mockndes_reply reply;
	struct fixture f;

	(void)state;
	set_up(&f, NULL);
	assert_int_equal(visit(&f, "/certsrv/mscep/mscep.dll"), 403);
	assert_int_equal(visit(&f, "/nowhere?x=%20y"), 404);
	be_refused(&f);
	assert_int_equal(enrol(&f, false, "wrong"), 2);
	assert_int_equal(enrol(&f, true, SECRET), 0);
	wait_for(&f, f.seen);
	/* Another day, and other fields. */
	json_decref(
	    call_json(&f, "POST", SITE "/clock", "{\"advance\": \"1d\"}", 200));
	assert_int_equal(visit(&f, "/"), 404);
	wait_for(&f, f.seen);
	json_decref(call_json(&f, "PATCH", SITE "/server",
	    "{\"iis\": {\"log_fields\": \"article\"}}", 200));
	assert_int_equal(visit(&f, "/"), 404);
	wait_for(&f, f.seen);

	must_be_as_in(&f, "default/W3SVC1/u_ex*.log", "iis-log");
	must_be_as_in(&f, "default/HTTPERR/httperr1.log", "httperr-log");
	must_be_as_in(&f, "default/NDESPlugin.log", "policy-module-log");
	must_be_as_in(&f, "default/Connector.log", "connector-log");
	assert_int_equal(count_entries(&f,
			     SITE "/evidence/iis-log?format=json"),
	    f.seen - 1 + CALLS);
	assert_int_equal(count_entries(&f,
			     SITE "/evidence/httperr-log?format=json"),
	    1);
	assert_int_equal(count_entries(&f,
			     SITE "/evidence/application-log?format=json"),
	    1);
	call(&f, "GET", SITE "/evidence/application-log", NULL, 200, &reply);
	assert_non_null(strstr(reply.body, "Event ID:      29\r\n"));
	assert_non_null(strstr(reply.body,
	    "It may have been used already. Obtain a new password"));
	mockndes_reply_clear(&reply);
	tear_down(&f);
}

static void
a_reset_clears_evidence(void **state)
{
	struct fixture f;

	(void)state;
	set_up(&f, NULL);
	assert_int_equal(visit(&f, "/"), 404);
	wait_for(&f, f.seen);
	assert_int_equal(count_entries(&f,
			     SITE "/evidence/iis-log?format=json"),
	    f.seen);
	json_decref(call_json(&f, "POST", SITE "/reset", NULL, 200));
	assert_int_equal(count_entries(&f,
			     SITE "/evidence/iis-log?format=json"),
	    0);
	tear_down(&f);
}

static void
what_there_is_is_listed(void **state)
{
	struct fixture f;
	json_t *json, *one;
	char path[128];
	size_t i;

	(void)state;
	set_up(&f, NULL);
	json = call_json(&f, "GET", SITE "/evidence", NULL, 200);
	assert_int_equal(json_array_size(json_object_get(json, "evidence")),
	    19);
	json_array_foreach(json_object_get(json, "evidence"), i, one)
	{
		struct mockndes_reply reply;

		snprintf(path, sizeof(path), SITE "/evidence/%s",
		    json_string_value(json_object_get(one, "name")));
		call(&f, "GET", path, NULL, 200, &reply);
		mockndes_reply_clear(&reply);
	}
	json_decref(json);
	tear_down(&f);
}

static const struct nonsense {
	const char *method, *path, *body;
	int status;
	const char *code, *says;
} nonsense[] = {
	{ "GET", SITE "/evidence/capi3-log", NULL, 404, "evidence_unknown",
	    "there is no evidence \"capi3-log\"; there is: iis-log, "
	    "httperr-log, application-log, system-log, capi2-log, "
	    "policy-module-log, connector-log, services, app-pools, registry, "
	    "certificates, request-filtering, iis-authentication, user-rights, "
	    "service-account, app-proxy, network, group-policy, setup-log" },
	{ "GET", SITE "/evidence/", NULL, 404, "path_unknown", NULL },
	{ "GET", SITE "/evidence/iis-log?format=xml", NULL, 400, "parameter",
	    "\"format\" is text or json, not \"xml\"" },
	{ "GET", SITE "/evidence/iis-log?from=1", NULL, 400, "parameter",
	    NULL },
	{ "DELETE", SITE "/evidence/iis-log", NULL, 405, "method", NULL },
	{ "GET", "/v1/sites/nobody/evidence", NULL, 404, "site_unknown", NULL },
	{ "GET", SITE "/actions/iisreset", NULL, 405, "method", NULL },
	{ "POST", SITE "/actions/iis-reset", NULL, 404, "action_unknown",
	    "there is no action \"iis-reset\", did you mean \"iisreset\"?" },
	{ "POST", "/v1/sites/nobody/actions/iisreset", NULL, 404,
	    "site_unknown", NULL },
	{ "POST", SITE "/actions/iisreset", "{\"now\": 1}", 400, "member",
	    "iisreset takes no arguments" },
	{ "POST", SITE "/actions/iisreset", "[]", 400, "json", NULL },
	{ "POST", SITE "/actions/iisreset", "{", 400, "json", NULL },
	{ "POST", SITE "/actions/set-http-sys-limits",
	    "{\"max_request_bytes\": 1.5}", 400, "member",
	    "\"max_request_bytes\" is neither a number nor a text" },
	{ "POST", SITE "/actions/set-http-sys-limits",
	    "{\"max_request_bytes\": null}", 400, "member", NULL },
	{ "POST", SITE "/actions/set-http-sys-limits",
	    "{\"max_request_bytes\": {}}", 400, "member", NULL },
	{ "POST", SITE "/actions/set-http-sys-limits",
	    "{\"max_request_byte\": 1000}", 400, "member",
	    "set-http-sys-limits has no argument \"max_request_byte\", did you "
	    "mean \"max_request_bytes\"?" },
	{ "POST", SITE "/actions/set-http-sys-limits",
	    "{\"max_request_bytes\": -1}", 400, "member", NULL },
	{ "POST", SITE "/actions/set-http-sys-limits",
	    "{\"max_request_bytes=1\": \"6384\"}", 400, "member",
	    "\"max_request_bytes=1\" is no argument" },
	{ "POST", SITE "/actions/set-password-max", "{}", 400, "member",
	    "set-password-max wants \"passwords\"" },
};

static void
nonsense_changes_nothing(void **state)
{
	struct fixture f;
	json_t *json, *error;
	const char *says;

	(void)state;
	set_up(&f, NULL);
	for (size_t i = 0; i < sizeof(nonsense) / sizeof(nonsense[0]); i++) {
		json = call_json(&f, nonsense[i].method, nonsense[i].path,
		    nonsense[i].body, nonsense[i].status);
		error = json_object_get(json, "error");
		assert_string_equal(json_string_value(
					json_object_get(error, "code")),
		    nonsense[i].code);
		says = json_string_value(json_object_get(error, "message"));
		if (nonsense[i].says != NULL)
			assert_string_equal(says, nonsense[i].says);
		json_decref(json);
	}
	act(&f, "restart-server", NULL, true, "", "");
	tear_down(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(limits_need_both_places_and_a_restart),
		cmocka_unit_test(limits_can_be_made_too_small),
		cmocka_unit_test(the_connector_is_reinstalled),
		cmocka_unit_test(iisreset_forgets_passwords),
		cmocka_unit_test(ra_certificates_are_renewed),
		cmocka_unit_test(three_years_make_a_site_ill),
		cmocka_unit_test(sites_do_not_meet),
		cmocka_unit_test(evidence_is_what_the_files_have),
		cmocka_unit_test(a_reset_clears_evidence),
		cmocka_unit_test(what_there_is_is_listed),
		cmocka_unit_test(nonsense_changes_nothing),
	};

	web_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
