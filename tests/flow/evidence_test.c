/* What a scenario leaves for an administrator, and how actions show in it. */
#include "support/test.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "mockndes.h"
#include "support/files.h"

#define SITE "/v1/sites/lab"
#define CRLF "\r\n"

/* One of each kind of evidence; what is no event has lines. */
#define TOLD                                                                \
	"mockndes: 1\n"                                                     \
	"name: told\n"                                                      \
	"evidence:\n"                                                       \
	"  - {in: application-log, text: \"one\\ntwo\", id: 4711,\n"        \
	"     source: Somebody, level: Warning}\n"                          \
	"  - {in: policy-module-log, text: \"Calling VerifyRequest ...\\n"  \
	"Exiting VerifyRequest with 0x0\"}\n"                               \
	"  - {in: iis-log, text: \"2019-06-01 10:00:00 - GET / - 500\\r\\n" \
	"2019-06-01 10:00:01 - GET / - 500\\r\\n\"}\n"                      \
	"  - {in: setup-log, text: AddNDESToCertPrivKey failed}\n"          \
	"cure: [[reinstall-connector, iisreset]]\n"

struct fixture {
	struct mockndes *mockndes;
	char logs[FILE_PATH_SIZE];
};

/* The answer; its text is NUL terminated. */
static void
call(struct fixture *f, const char *method, const char *path, const char *body,
    struct mockndes_reply *out)
{
	assert_int_equal(mockndes_control(f->mockndes, method, path, body,
			     body == NULL ? 0 : strlen(body), out),
	    0);
	if (out->status / 100 != 2)
		fail_msg("%s %s: %d %s", method, path, out->status, out->body);
}

static void
say(struct fixture *f, const char *method, const char *path, const char *body)
{
	struct mockndes_reply reply;

	call(f, method, path, body, &reply);
	mockndes_reply_clear(&reply);
}

/* A site with the scenario; it has logs of its own. */
static void
set_up(struct fixture *f, const char *yaml)
{
	struct mockndes_options options = MOCKNDES_OPTIONS_INIT;
	char keys[FILE_PATH_SIZE], error[MOCKNDES_ERROR_SIZE], *body;
	json_t *json = json_pack("{ss, ss}", "id", "lab", "yaml", yaml);

	options.keys = path_in_source(keys, "tests/fixtures/keys");
	options.log_dir = dir_make(f->logs);
	if (mockndes_start(&options, &f->mockndes, error) != 0)
		fail_msg("%s", error);
	assert_non_null(body = json_dumps(json, 0));
	say(f, "POST", "/v1/sites", body);
	free(body);
	json_decref(json);
}

static void
tear_down(struct fixture *f)
{
	mockndes_stop(f->mockndes);
	dir_remove(f->logs);
}

static size_t
count_of(const char *text, const char *part)
{
	size_t count = 0;

	for (; (text = strstr(text, part)) != NULL; text++)
		count++;
	return count;
}

/* How often it is there. */
static void
has(struct fixture *f, const char *name, const char *part, size_t times)
{
	struct mockndes_reply reply;
	char path[FILE_PATH_SIZE];

	snprintf(path, sizeof(path), SITE "/evidence/%s", name);
	call(f, "GET", path, NULL, &reply);
	if (count_of(reply.body, part) != times)
		fail_msg("%s: \"%s\" is not there %zu times:\n%s", name, part,
		    times, reply.body);
	mockndes_reply_clear(&reply);
}

static void
file_has(struct fixture *f, const char *name, const char *part, size_t times)
{
	char path[FILE_PATH_SIZE], below[FILE_PATH_SIZE];
	struct buffer text = { 0 };

	snprintf(below, sizeof(below), "lab/%s", name);
	assert_true(file_read(path_in(path, f->logs, below), &text));
	buffer_add_byte(&text, '\0');
	assert_int_equal(count_of((char *)text.data, part), times);
	buffer_free(&text);
}

static const struct told {
	const char *log, *file, *part;
} tolds[] = {
	{ "application-log", "Application.log",
	    "Event ID:      4711" CRLF "Task Category: None" CRLF
	    "Level:         Warning" CRLF "Keywords:      " CRLF
	    "Computer:      NDESServer01" CRLF "Description:" CRLF "one" CRLF
	    "two" CRLF },
	{ "policy-module-log", "NDESPlugin.log",
	    " Calling VerifyRequest ..." CRLF },
	{ "policy-module-log", "NDESPlugin.log",
	    " Exiting VerifyRequest with 0x0" CRLF },
	{ "iis-log", NULL,
	    CRLF "2019-06-01 10:00:00 - GET / - 500" CRLF
		 "2019-06-01 10:00:01 - GET / - 500" CRLF },
};
#define TOLDS (sizeof(tolds) / sizeof(tolds[0]))

static void
are_told(struct fixture *f, size_t in_memory, size_t in_files)
{
	for (size_t i = 0; i < TOLDS; i++) {
		has(f, tolds[i].log, tolds[i].part, in_memory);
		if (tolds[i].file != NULL)
			file_has(f, tolds[i].file, tolds[i].part, in_files);
	}
}

/* At the opening, after a reset as at the opening, after a switch once more. */
static void
scenarios_fill_logs(void **state)
{
	struct fixture f;

	(void)state;
	set_up(&f, TOLD);
	are_told(&f, 1, 1);
	say(&f, "POST", SITE "/reset", NULL);
	are_told(&f, 1, 2);
	say(&f, "PUT", SITE "/scenario", "{\"scenario\": \"healthy\"}");
	are_told(&f, 1, 2);
	/* What came of nothing that happened is not there. */
	has(&f, "system-log", "\n", 0);
	has(&f, "httperr-log", "\n", 0);
	tear_down(&f);
}

/* Behind what the state says, as long as the scenario is in use. */
static void
scenarios_add_to_views(void **state)
{
	struct mockndes_reply reply;
	struct fixture f;
	json_t *json, *entries;
	const char *text;

	(void)state;
	set_up(&f, TOLD);
	has(&f, "setup-log",
	    "Installation success or error status: 0." CRLF
	    "AddNDESToCertPrivKey failed\n",
	    1);
	call(&f, "GET", SITE "/evidence/setup-log?format=json", NULL, &reply);
	assert_non_null(json = json_loads(reply.body, 0, NULL));
	mockndes_reply_clear(&reply);
	entries = json_object_get(json, "entries");
	assert_int_equal(json_array_size(entries), 3);
	text = json_string_value(
	    json_object_get(json_array_get(entries, 2), "text"));
	assert_string_equal(text, "AddNDESToCertPrivKey failed");
	json_decref(json);
	has(&f, "registry", "AddNDES", 0);
	say(&f, "PUT", SITE "/scenario", "{\"scenario\": \"healthy\"}");
	has(&f, "setup-log", "AddNDES", 0);
	tear_down(&f);
}

/* What is set is found, whether or not it has taken effect. */
static void
what_waits_is_found(void **state)
{
	struct mockndes_reply reply;
	struct fixture f;

	(void)state;
	set_up(&f,
	    "mockndes: 1\n"
	    "name: x\n"
	    "server: {http_sys: {max_field_length: 16384}}\n");
	has(&f, "registry", "MaxFieldLength    REG_DWORD    0x4000", 1);
	call(&f, "POST", SITE "/actions/set-http-sys-limits", "{}", &reply);
	assert_non_null(strstr(reply.body, "\"waits_for\""));
	assert_non_null(strstr(reply.body, "\"healthy\":false"));
	mockndes_reply_clear(&reply);
	has(&f, "registry", "MaxFieldLength    REG_DWORD    0xfffe", 1);
	say(&f, "POST", SITE "/actions/restart-server", "{}");
	has(&f, "registry", "MaxFieldLength    REG_DWORD    0xfffe", 1);
	tear_down(&f);
}

static void
cures_are_told(void **state)
{
	struct mockndes_reply reply;
	struct fixture f;

	(void)state;
	set_up(&f, TOLD);
	call(&f, "GET", "/v1/scenarios/healthy", NULL, &reply);
	assert_non_null(strstr(reply.body, "\"cure\":[]"));
	mockndes_reply_clear(&reply);
	call(&f, "GET", "/v1/scenarios/ra-certificates-expired", NULL, &reply);
	assert_non_null(strstr(reply.body,
	    "\"cure\":[[\"renew-ra-certificates\",\"iisreset\"],"));
	mockndes_reply_clear(&reply);
	tear_down(&f);
}

/* RA certificates that end by themselves, and others by an action. */
static void
certificates_end_by_the_clock(void **state)
{
	struct fixture f;

	(void)state;
	set_up(&f, "mockndes: 1\nname: x\n");
	has(&f, "certificates", "Status             : has expired", 0);
	say(&f, "POST", SITE "/clock", "{\"advance\": \"3y\"}");
	has(&f, "certificates", "Status             : has expired", 2);
	say(&f, "POST", SITE "/actions/renew-ra-certificates", "{}");
	has(&f, "certificates", "Status             : has expired", 0);
	say(&f, "POST", SITE "/actions/iisreset", "{}");
	has(&f, "certificates", "Status             : has expired", 0);
	tear_down(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scenarios_fill_logs),
		cmocka_unit_test(scenarios_add_to_views),
		cmocka_unit_test(what_waits_is_found),
		cmocka_unit_test(cures_are_told),
		cmocka_unit_test(certificates_end_by_the_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
