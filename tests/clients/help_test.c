/* What the program and its manual say about themselves. */
#include "support/test.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "support/child.h"
#include "support/files.h"
#include "support/program.h"

static const char *const every_flag[] = { "scenario", "set", "listen",
	"scenario-dir", "control", "tls-listen", "tls-name", "challenge",
	"keys", "log-dir", "ready-file", "ca-out", "public-url", "site-ports",
	"max-sites", "journal", "seed", "control-token", "allow-remote",
	"verbose" };

static void
help_and_version_are_told(void **state)
{
	static const char *const asks[][3] = { { "--help" }, { "-h" },
		{ "serve", "--help" }, { "keys", "-h" } };
	static const char *const version[] = { "--version", NULL };
	struct child_result result;
	char flag[32];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(asks); i++) {
		program_run(asks[i], NULL, &result);
		assert_int_equal(result.status, 0);
		assert_int_equal(result.err.len, 0);
		for (size_t j = 0; j < COUNT_OF(every_flag); j++) {
			snprintf(flag, sizeof(flag), "  --%s ", every_flag[j]);
			assert_non_null(strstr((char *)result.out.data, flag));
		}
		child_result_clear(&result);
	}
	program_run(version, NULL, &result);
	assert_int_equal(result.status, 0);
	assert_int_equal(strncmp((char *)result.out.data, "mockndes ", 9), 0);
	child_result_clear(&result);
}

/* ".Fl -name" of mdoc; the next letter must not go on with the name. */
static bool
names(const char *page, const char *flag)
{
	char wanted[80];

	snprintf(wanted, sizeof(wanted), "Fl -%s", flag);
	for (const char *at = page; (at = strstr(at, wanted)) != NULL; at++)
		if (strchr(" \n,", at[strlen(wanted)]) != NULL)
			return true;
	return false;
}

static void
the_manual_names_each_flag_of_help(void **state)
{
	static const char *const help[] = { "--help", NULL };
	char path[FILE_PATH_SIZE], flag[64];
	struct child_result result;
	struct buffer page;
	const char *at;

	(void)state;
	if (!file_read(path_in_source(path, "server/mockndes.1"), &page))
		skip();
	program_run(help, NULL, &result);
	at = (char *)result.out.data;
	for (size_t flags = 0; (at = strstr(at, "\n  --")) != NULL; flags++) {
		at += strlen("\n  --");
		snprintf(flag, sizeof(flag), "%.*s", (int)strcspn(at, " \n"),
		    at);
		if (!names((char *)page.data, flag))
			fail_msg("the manual does not name --%s", flag);
	}
	buffer_free(&page);
	child_result_clear(&result);
}

static void
the_manual_of_the_library_names_each_function(void **state)
{
	char path[FILE_PATH_SIZE], wanted[80];
	struct buffer header, page;
	size_t functions = 0, len;
	const char *at;

	(void)state;
	if (!file_read(path_in_source(path, "include/mockndes.h"), &header) ||
	    !file_read(path_in_source(path, "server/mockndes.3"), &page))
		skip();
	at = (char *)header.data;
	while ((at = strstr(at, "\nMOCKNDES_API ")) != NULL) {
		at = strchr(at, '(');
		for (len = 0; at[-1] == '_' || islower((unsigned char)at[-1]);
		     len++)
			at--;
		snprintf(wanted, sizeof(wanted), "\n.Fn %.*s ", (int)len, at);
		if (strstr((char *)page.data, wanted) == NULL)
			fail_msg("the manual does not name%s", wanted + 4);
		functions++;
	}
	assert_true(functions > 10);
	buffer_free(&header);
	buffer_free(&page);
}

/* In place: without comments and white space. */
static void
squeeze(char *text)
{
	char *to = text;
	const char *end;

	for (const char *at = text; *at != '\0'; at++) {
		if (strncmp(at, "/*", 2) == 0 &&
		    (end = strstr(at, "*/")) != NULL)
			at = end + 1;
		else if (!isspace((unsigned char)*at))
			*to++ = *at;
	}
	*to = '\0';
}

static void
the_manual_of_the_library_shows_each_struct(void **state)
{
	char path[FILE_PATH_SIZE], *at, *end;
	struct buffer header, page;
	size_t structs = 0;

	(void)state;
	if (!file_read(path_in_source(path, "include/mockndes.h"), &header) ||
	    !file_read(path_in_source(path, "server/mockndes.3"), &page))
		skip();
	squeeze((char *)header.data);
	squeeze((char *)page.data);
	for (at = (char *)header.data;
	     (at = strstr(at, ";structmockndes_")) != NULL; at++) {
		if (at[1 + strcspn(at + 1, "{;(")] != '{')
			continue;
		end = strstr(at, ";};");
		*end = '\0';
		if (strstr((char *)page.data, at + 1) == NULL)
			fail_msg("the manual does not show %s", at + 1);
		*end = ';';
		structs++;
	}
	assert_int_equal(structs, 4);
	buffer_free(&header);
	buffer_free(&page);
}

/* All that mandoc has to say, but for pages that are not installed here. */
static void
is_good_mdoc(const char *path)
{
	const char *const words[] = { "mandoc", "-T", "lint", path, NULL };
	struct child_result result;
	char *line, *rest;

	child_run(words, NULL, &result);
	for (line = strtok_r((char *)result.out.data, "\n", &rest);
	     line != NULL; line = strtok_r(NULL, "\n", &rest))
		if (strstr(line, "referenced manual not found") == NULL)
			fail_msg("%s", line);
	child_result_clear(&result);
}

static void
the_manuals_are_good_mdoc(void **state)
{
	char path[FILE_PATH_SIZE];
	struct buffer page;

	(void)state;
	if (!file_read(path_in_source(path, "server/mockndes.1"), &page))
		skip();
	buffer_free(&page);
	is_good_mdoc(path);
	is_good_mdoc(path_in_source(path, "server/mockndes.3"));
	/* Beside the program, unless it was built with a sanitizer. */
	snprintf(path, sizeof(path), "%.*s-scenario.5", FILE_PATH_SIZE - 16,
	    program_path());
	if (!file_read(path, &page))
		return;
	assert_null(strstr((char *)page.data, "@KEYS@"));
	assert_non_null(strstr((char *)page.data, "\n.Sh SERVER\n"));
	assert_non_null(strstr((char *)page.data, "\n.Sh DO\n"));
	buffer_free(&page);
	is_good_mdoc(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(help_and_version_are_told),
		cmocka_unit_test(the_manual_names_each_flag_of_help),
		cmocka_unit_test(the_manual_of_the_library_names_each_function),
		cmocka_unit_test(the_manual_of_the_library_shows_each_struct),
		cmocka_unit_test(the_manuals_are_good_mdoc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
