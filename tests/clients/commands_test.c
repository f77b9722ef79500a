/* The verbs that tell of the language and its scenarios. */
#include "support/test.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/child.h"
#include "support/files.h"
#include "support/program.h"

#define WORDS_MAX 6
#define COLUMNS 80
#define GOOD(name, title)                            \
	"mockndes: 1\nname: " name "\ntitle: " title \
	"\nserver: {windows: 2016}\n"

static const struct row {
	const char *row, *words[WORDS_MAX];
	int status;
	const char *says;
} refusals[] = {
	{ "show without a name", { "show" }, 2, "show wants the name" },
	{ "show of nothing", { "show", "helthy" }, 1,
	    "unknown scenario \"helthy\", did you mean \"healthy\"?" },
	{ "show of two", { "show", "healthy", "healthy" }, 2,
	    "unexpected argument \"healthy\"" },
	{ "show of a path", { "show", "../healthy" }, 1,
	    "unknown scenario \"../healthy\"" },
	{ "check of nothing", { "check" }, 2, "check wants a file" },
	{ "check with a flag", { "check", "--jsn", "x.yaml" }, 2,
	    "unknown flag --jsn" },
	{ "scenarios of one", { "scenarios", "healthy" }, 2,
	    "unexpected argument \"healthy\"" },
	{ "scenarios with another flag", { "scenarios", "--yaml" }, 2,
	    "unknown flag --yaml" },
	{ "no directory", { "scenarios", "--scenario-dir" }, 2,
	    "--scenario-dir wants a value" },
	{ "an empty directory's name", { "scenarios", "--scenario-dir=" }, 2,
	    "--scenario-dir wants a value" },
	{ "a directory that is not there",
	    { "scenarios", "--scenario-dir", "/nonexistent" }, 1,
	    "/nonexistent: No such file or directory" },
	{ "faults of one", { "faults", "http" }, 2,
	    "unexpected argument \"http\"" },
	{ "actions of one", { "actions", "iisreset" }, 2,
	    "unexpected argument \"iisreset\"" },
	{ "schema with a flag", { "schema", "--json" }, 2,
	    "unknown flag --json" },
	{ "a verb misspelt", { "shwo", "healthy" }, 2,
	    "unknown command \"shwo\", did you mean \"show\"?" },
};

static void
what_is_wrong_is_said_in_one_line(void **state)
{
	struct child_result result;
	const char *err;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(refusals); i++) {
		const struct row *r = &refusals[i];

		program_run(r->words, NULL, &result);
		err = (char *)result.err.data;
		if (result.status != r->status || result.out.len != 0 ||
		    strncmp(err, "mockndes: ", 10) != 0 ||
		    strstr(err, r->says) == NULL ||
		    strchr(err, '\n') != err + strlen(err) - 1)
			fail_msg("%s: %d \"%s\" \"%s\"", r->row, result.status,
			    (char *)result.out.data, err);
		child_result_clear(&result);
	}
}

/* What is printed by these words; the caller frees it. */
static char *
output(const char *const words[], const char *const env[])
{
	struct child_result result;
	char *text;

	program_run(words, env, &result);
	if (result.status != 0 || result.err.len != 0)
		fail_msg("%s: %d \"%s\"", words[0], result.status,
		    (char *)result.err.data);
	text = (char *)result.out.data;
	result.out = (struct buffer){ 0 };
	child_result_clear(&result);
	return text;
}

static json_t *
output_json(const char *const words[], const char *const env[])
{
	char *text = output(words, env);
	json_error_t error;
	json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, &error);

	if (json == NULL)
		fail_msg("%s: %s", words[0], error.text);
	free(text);
	return json;
}

/* "title: " of a file of ours stands in one line, perhaps in 'quotes'. */
static void
title_of(const char *yaml, char out[256])
{
	const char *at = strstr(yaml, "\ntitle: ");
	bool quoted;
	size_t len = 0;

	assert_non_null(at);
	at += strlen("\ntitle: ");
	quoted = *at == '\'';
	for (at += quoted; *at != '\n' && len < 255; at++)
		if (!quoted || *at != '\'' || *++at == '\'')
			out[len++] = *at;
		else
			break;
	out[len] = '\0';
}

static void
name_of(const char *path, char out[128])
{
	const char *slash = strrchr(path, '/');

	snprintf(out, 128, "%.*s",
	    (int)strlen(slash + 1) - (int)strlen(".yaml"), slash + 1);
}

/* The line of a list that begins with this name. */
static const char *
line_of(const char *list, const char *name, char out[256])
{
	size_t len = strlen(name);

	for (const char *at = list; *at != '\0'; at = strchr(at, '\n') + 1) {
		if (strncmp(at, name, len) != 0 || at[len] != ' ')
			continue;
		at += len;
		at += strspn(at, " ");
		snprintf(out, 256, "%.*s", (int)strcspn(at, "\n"), at);
		return out;
	}
	fail_msg("%s is not listed", name);
	return NULL;
}

static json_t *
entry_of(const json_t *list, const char *name)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *entry = json_array_get(list, i);

		if (strcmp(json_string_value(json_object_get(entry, "name")),
			name) == 0)
			return entry;
	}
	fail_msg("%s is not listed", name);
	return NULL;
}

static void
are_sorted(const json_t *list)
{
	const char *before = "", *name;

	for (size_t i = 0; i < json_array_size(list); i++) {
		name = json_string_value(
		    json_object_get(json_array_get(list, i), "name"));
		assert_true(strcmp(before, name) < 0);
		before = name;
	}
}

static size_t
lines(const char *text)
{
	size_t count = 0;

	for (; *text != '\0'; text++)
		count += *text == '\n';
	return count;
}

static void
scenarios_that_ship_are_listed_and_shown(void **state)
{
	static const char *const plain[] = { "scenarios", NULL };
	static const char *const json[] = { "scenarios", "--json", NULL };
	char pattern[FILE_PATH_SIZE], name[128], title[256], line[256];
	const char *const show[] = { "show", name, NULL };
	json_t *entries = output_json(json, NULL), *entry;
	char *list = output(plain, NULL), *shown;
	struct buffer yaml;
	glob_t files;

	(void)state;
	path_in_source(pattern, "scenarios/*.yaml");
	if (glob(pattern, 0, NULL, &files) != 0)
		skip();
	assert_int_equal(lines(list), files.gl_pathc);
	assert_int_equal(json_array_size(entries), files.gl_pathc);
	are_sorted(entries);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		assert_true(file_read(files.gl_pathv[i], &yaml));
		name_of(files.gl_pathv[i], name);
		shown = output(show, NULL);
		assert_string_equal(shown, (char *)yaml.data);
		title_of(shown, title);
		assert_string_equal(line_of(list, name, line), title);
		entry = entry_of(entries, name);
		assert_string_equal(json_string_value(
					json_object_get(entry, "title")),
		    title);
		assert_true(
		    json_is_object(json_object_get(entry, "reference")));
		assert_non_null(json_object_get(entry, "description"));
		assert_int_equal(json_object_size(entry),
		    json_object_get(entry, "cure") == NULL ? 4 : 5);
		buffer_free(&yaml);
		free(shown);
	}
	globfree(&files);
	json_decref(entries);
	free(list);
}

static void
write_text(const char *dir, const char *name, const char *text)
{
	char path[FILE_PATH_SIZE];

	file_write(path_in(path, dir, name), text, strlen(text));
}

static void
a_directory_goes_first(void **state)
{
	static const char mine[] = GOOD("healthy",
	    "Mine") "reference:\n"
		    "  cause: 2\n  thread: [a, b]\n";
	char dir[FILE_PATH_SIZE], twin[FILE_PATH_SIZE + 32], line[256];
	const char *const env[] = { twin, NULL };
	const char *const list[] = { "scenarios", "--scenario-dir", dir, NULL };
	const char *const json[] = { "scenarios", "--json", NULL };
	const char *const show[] = { "show", "healthy", "--scenario-dir", dir,
		NULL };
	const char *const check[] = { "check", "healthy", NULL };
	json_t *entries, *reference;
	char *text;

	(void)state;
	dir_make(dir);
	snprintf(twin, sizeof(twin), "MOCKNDES_SCENARIO_DIR=%s", dir);
	write_text(dir, "healthy.yaml", mine);
	write_text(dir, "broken.yaml", "mockndes: 1\nname: borken\n");
	write_text(dir, "notes.txt", "no scenario");
	text = output(list, NULL);
	assert_string_equal(line_of(text, "healthy", line), "Mine");
	assert_non_null(strstr(line_of(text, "broken", line),
	    "/broken.yaml:2:7: the name is \"borken\""));
	assert_null(strstr(text, "notes"));
	free(text);
	text = output(show, NULL);
	assert_string_equal(text, mine);
	free(text);
	text = output(check, env);
	assert_string_equal(text, "healthy: ok\n");
	free(text);

	entries = output_json(json, env);
	are_sorted(entries);
	assert_non_null(
	    strstr(json_string_value(
		       json_object_get(entry_of(entries, "broken"), "error")),
		"borken"));
	reference = json_object_get(entry_of(entries, "healthy"), "reference");
	assert_string_equal(json_string_value(
				json_object_get(reference, "cause")),
	    "2");
	assert_int_equal(json_array_size(json_object_get(reference, "thread")),
	    2);
	json_decref(entries);
	dir_remove(dir);
}

static void
each_error_of_each_file_is_told(void **state)
{
	char dir[FILE_PATH_SIZE], good[FILE_PATH_SIZE], bad[FILE_PATH_SIZE],
	    wanted[3 * FILE_PATH_SIZE + 256];
	const char *const words[] = { "check", good, bad, "/nonexistent.yaml",
		good, NULL };
	struct child_result result;

	(void)state;
	dir_make(dir);
	path_in(good, dir, "good.yaml");
	path_in(bad, dir, "bad.yaml");
	write_text(dir, "good.yaml", GOOD("good", "Good"));
	write_text(dir, "bad.yaml",
	    "mockndes: 1\nname: bad\nservre: {}\n"
	    "server: {windows: 2O16,\n  iis: {max_url: many}}\n");
	program_run(words, NULL, &result);
	assert_int_equal(result.status, 1);
	snprintf(wanted, sizeof(wanted), "%s: ok\n%s: ok\n", good, good);
	assert_string_equal((char *)result.out.data, wanted);
	snprintf(wanted, sizeof(wanted),
	    "%s:3:1: unknown key \"servre\", did you mean \"server\"?\n"
	    "%s:4:19: unknown value \"2O16\", did you mean \"2016\"?\n"
	    "%s:5:18: \"many\" is not a number\n"
	    "/nonexistent.yaml: No such file or directory\n",
	    bad, bad, bad);
	assert_string_equal((char *)result.err.data, wanted);
	child_result_clear(&result);
	dir_remove(dir);
}

static void
twenty_errors_are_enough(void **state)
{
	char dir[FILE_PATH_SIZE], path[FILE_PATH_SIZE];
	const char *const words[] = { "check", path, NULL };
	struct buffer yaml = { 0 };
	struct child_result result;

	(void)state;
	dir_make(dir);
	buffer_add_text(&yaml, GOOD("many", "Many"));
	for (int i = 0; i < 23; i++)
		buffer_printf(&yaml, "key%d: x\n", i);
	file_write(path_in(path, dir, "many.yaml"), yaml.data, yaml.len);
	program_run(words, NULL, &result);
	assert_int_equal(result.status, 1);
	assert_int_equal(lines((char *)result.err.data), 21);
	assert_non_null(strstr((char *)result.err.data, ":24:1: "));
	assert_null(strstr((char *)result.err.data, ":25:1: "));
	assert_true(child_has_said(&result, "and 3 more\n"));
	child_result_clear(&result);
	buffer_free(&yaml);
	dir_remove(dir);
}

/* In a shell, for what it does with the standard streams. */
static void
run_in_shell(const char *script, struct child_result *result)
{
	const char *const argv[] = { "sh", "-c", script, NULL };

	child_run(argv, NULL, result);
}

static void
standard_input_is_checked(void **state)
{
	struct child_result result;

	(void)state;
	run_in_shell("printf 'mockndes: 1\\nname: x\\n' | "
		     "$MOCKNDES_PROGRAM check -",
	    &result);
	assert_int_equal(result.status, 0);
	assert_string_equal((char *)result.out.data, "-: ok\n");
	child_result_clear(&result);
	run_in_shell("printf 'mockndes: 1\\nname: x\\nx: y\\n' | "
		     "$MOCKNDES_PROGRAM check -",
	    &result);
	assert_int_equal(result.status, 1);
	assert_non_null(
	    strstr((char *)result.err.data, "stdin:3:1: unknown key \"x\""));
	child_result_clear(&result);
}

static void
what_cannot_be_written_is_said(void **state)
{
	static const char *const verbs[] = { "schema", "faults", "actions",
		"scenarios", "show healthy" };
	struct child_result result;
	char script[128];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(verbs); i++) {
		snprintf(script, sizeof(script),
		    "exec $MOCKNDES_PROGRAM %s >/dev/full", verbs[i]);
		run_in_shell(script, &result);
		assert_int_equal(result.status, 1);
		assert_non_null(strstr((char *)result.err.data,
		    "standard output: No space left"));
		child_result_clear(&result);
	}
}

/* Maps know their keys, but for those that are texts by name. */
static void
is_closed(const json_t *form)
{
	const json_t *open = json_object_get(form, "additionalProperties");
	const json_t *type = json_object_get(form, "type");
	const char *key;
	json_t *below;
	size_t i;

	if (json_is_string(type) &&
	    strcmp(json_string_value(type), "object") == 0)
		assert_true(json_object_get(form, "properties") != NULL ?
			json_is_false(open) :
			json_is_object(open));
	json_object_foreach((json_t *)form, key, below) is_closed(below);
	json_array_foreach(form, i, below) is_closed(below);
}

static json_t *
property(const json_t *form, const char *name)
{
	json_t *out = json_object_get(json_object_get(form, "properties"),
	    name);

	if (out == NULL)
		fail_msg("the schema has no %s", name);
	return out;
}

static void
the_schema_knows_every_part(void **state)
{
	static const char *const words[] = { "schema", NULL };
	static const char *const rule_keys[] = { "when", "do", "continue",
		"processed" };
	json_t *schema = output_json(words, NULL), *rule;

	(void)state;
	assert_string_equal(json_string_value(
				json_object_get(schema, "$schema")),
	    "https://json-schema.org/draft/2020-12/schema");
	assert_int_equal(json_array_size(json_object_get(schema, "required")),
	    2);
	is_closed(schema);
	property(property(property(property(schema, "server"), "mscep"),
		     "reply"),
	    "digest");
	rule = json_object_get(property(schema, "faults"), "items");
	for (size_t i = 0; i < COUNT_OF(rule_keys); i++)
		property(rule, rule_keys[i]);
	json_decref(schema);
}

/* Each key of the schema, and of the sections in it, has its line. */
static void
are_listed(const char *list, const json_t *form, const char *prefix)
{
	char name[128], line[160];
	const char *key;
	json_t *below;

	json_object_foreach(json_object_get(form, "properties"), key, below)
	{
		snprintf(name, sizeof(name), "%s%s", prefix, key);
		snprintf(line, sizeof(line), "\n  %s: ", name);
		if (json_object_get(below, "properties") == NULL) {
			if (strstr(list, line) == NULL)
				fail_msg("not listed: %s", name);
			continue;
		}
		snprintf(name, sizeof(name), "%s%s.", prefix, key);
		are_listed(list, below, name);
	}
}

static void
must_fit(const char *list)
{
	for (; *list != '\0'; list += strcspn(list, "\n") + 1)
		if (strcspn(list, "\n") > COLUMNS)
			fail_msg("%.*s", (int)strcspn(list, "\n"), list);
}

static void
the_faults_are_listed_in_80_columns(void **state)
{
	static const char *const faults[] = { "faults", NULL };
	static const char *const schema[] = { "schema", NULL };
	char *list = output(faults, NULL), heading[80];
	json_t *all = output_json(schema, NULL), *rule, *below;
	const char *key;

	(void)state;
	must_fit(list);
	rule = json_object_get(property(all, "faults"), "items");
	are_listed(list, property(rule, "when"), "");
	json_object_foreach(json_object_get(property(rule, "do"), "properties"),
	    key, below)
	{
		if (json_object_get(below, "properties") == NULL)
			continue;
		snprintf(heading, sizeof(heading), "\ndo: %s: ", key);
		assert_non_null(strstr(list, heading));
		are_listed(strstr(list, heading), below, "");
	}
	json_decref(all);
	free(list);
}

static void
the_actions_are_listed_in_80_columns(void **state)
{
	static const char *const actions[] = { "actions", NULL };
	static const char *const parts[] = {
		"\n  iisreset, which is start-app-pool as well\n",
		"\n  set-http-sys-limits, then restart-server\n",
		"\n        max_field_length: a number, 64 to 65534; without it "
		"65534.\n",
		"\n        passwords: a number, 1 to 100000; it must be given. ",
		"\n  restart-server, which is iisreset as well\n",
		"-agent-certificate, then import-enrollment-agent-to-machine"
		"\n  and iisreset\n"
	};
	char *list = output(actions, NULL);

	(void)state;
	must_fit(list);
	for (size_t i = 0; i < COUNT_OF(parts); i++)
		if (strstr(list, parts[i]) == NULL)
			fail_msg("\"%s\" is not in:\n%s", parts[i], list);
	free(list);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_wrong_is_said_in_one_line),
		cmocka_unit_test(scenarios_that_ship_are_listed_and_shown),
		cmocka_unit_test(a_directory_goes_first),
		cmocka_unit_test(each_error_of_each_file_is_told),
		cmocka_unit_test(twenty_errors_are_enough),
		cmocka_unit_test(standard_input_is_checked),
		cmocka_unit_test(what_cannot_be_written_is_said),
		cmocka_unit_test(the_schema_knows_every_part),
		cmocka_unit_test(the_faults_are_listed_in_80_columns),
		cmocka_unit_test(the_actions_are_listed_in_80_columns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
