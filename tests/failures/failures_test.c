/*
 * Every documented failure, walked; what is seen stands in expected.txt, and
 * in short in README.md. With --record both are written anew, for somebody to
 * read.
 */
#include "support/test.h"

#include <stdio.h>
#include <string.h>

#include "failures/pairs.h"
#include "failures/walk.h"

static bool recording;

/* The first line that is another one. */
static void
fail_at_difference(const char *file, const char *is, const char *wanted)
{
	int line = 1;

	while (*is == *wanted && *is != '\0') {
		line += *is == '\n';
		is++;
		wanted++;
	}
	fail_msg("%s:%d is no longer so (see --record), now: ...%.200s", file,
	    line, is);
}

static void
hold(const char *name, struct buffer *is)
{
	char path[FILE_PATH_SIZE];
	struct buffer wanted = { 0 };

	path_in_source(path, name);
	if (recording)
		file_write(path, is->data, is->len);
	else if (!file_read(path, &wanted))
		fail_msg("%s: there is none", path);
	else if (strcmp(text_of(is), (char *)wanted.data) != 0)
		fail_at_difference(name, text_of(is), (char *)wanted.data);
	buffer_free(&wanted);
}

#define BEGIN "<!-- tests/failures: begin -->\n"
#define END "<!-- tests/failures: end -->\n"

/* What is between the marks is the table. */
static void
hold_readme(struct buffer *table)
{
	char path[FILE_PATH_SIZE];
	struct buffer old = { 0 }, is = { 0 };
	const char *begin, *end;

	assert_true(file_read(path_in_source(path, "README.md"), &old));
	begin = strstr((char *)old.data, BEGIN);
	assert_non_null(begin);
	begin += strlen(BEGIN);
	end = strstr(begin, END);
	assert_non_null(end);
	buffer_add(&is, old.data, (size_t)(begin - (char *)old.data));
	buffer_add_text(&is, text_of(table));
	buffer_add_text(&is, end);
	hold("README.md", &is);
	buffer_free(&old);
	buffer_free(&is);
}

static void
add_row(struct row *r, struct buffer *table)
{
	struct buffer *const cells[] = { &r->documented, &r->client, &r->logs,
		&r->cure };

	buffer_printf(table, "| [%s](scenarios/%s.yaml) |", text_of(&r->name),
	    text_of(&r->name));
	for (size_t i = 0; i < COUNT_OF(cells); i++)
		buffer_printf(table, " %s |", text_of(cells[i]));
	buffer_add_text(table, "\n");
}

/* What the mission is about stands first. */
static bool
is_first(const json_t *scenario)
{
	const json_t *reference = json_object_get(scenario, "reference");
	const char *article = json_string_value(
	    json_object_get(reference, "article"));

	return article != NULL ?
	    strcmp(article, "device-to-ndes") == 0 :
	    strcmp(json_at(scenario, "name"), "healthy") == 0;
}

static json_t *
list_scenarios(void)
{
	struct mockndes_reply reply;
	json_t *list;

	assert_int_equal(mockndes_describe(MOCKNDES_SCENARIOS_JSON, NULL, NULL,
			     &reply, NULL),
	    0);
	list = json_loads(reply.body, 0, NULL);
	assert_true(json_is_array(list));
	mockndes_reply_clear(&reply);
	return list;
}

static void
look_at_healthy(struct lab *lab, struct look *out)
{
	struct site_under_test site;

	lab_open(lab, "healthy", NULL, &site);
	assert_true(lab_is_healthy(&site, NULL));
	look_at(&site, true, out);
	lab_close(&site);
}

static void
the_outermost_answers(void **state)
{
	struct look healthy;

	look_at_healthy(*state, &healthy);
	pairs_walk(*state, &healthy);
	lab_check(*state);
	look_clear(&healthy);
}

static void
every_failure_is_as_expected(void **state)
{
	struct buffer text = { 0 }, table = { 0 }, others = { 0 };
	json_t *list = list_scenarios(), *scenario;
	struct look healthy;
	struct walk w;
	size_t i;

	look_at_healthy(*state, &healthy);
	buffer_add_text(&table,
	    "| scenario | documented as | what a client sees | what the logs "
	    "have | the cure |\n|---|---|---|---|---|\n");
	json_array_foreach(list, i, scenario)
	{
		if (!walk_wants(scenario))
			continue;
		walk(*state, scenario, &healthy, &w);
		buffer_printf(&text, "%s\n", text_of(&w.text));
		add_row(&w.row, is_first(scenario) ? &table : &others);
		walk_clear(&w);
	}
	hold("tests/failures/expected.txt", &text);
	buffer_add_span(&table, buffer_span(&others));
	hold_readme(&table);
	lab_check(*state);
	buffer_free(&text);
	buffer_free(&table);
	buffer_free(&others);
	look_clear(&healthy);
	json_decref(list);
}

static struct lab lab;

static int
start(void **state)
{
	*state = &lab;
	lab_start(&lab);
	return 0;
}

static int
stop(void **state)
{
	lab_stop(*state);
	return 0;
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_failure_is_as_expected),
		cmocka_unit_test(the_outermost_answers),
	};

	recording = argc == 2 && strcmp(argv[1], "--record") == 0;
	return cmocka_run_group_tests(tests, start, stop);
}
