/*
 * Every documented failure, walked; what is seen stands in expected.txt, and
 * in short in README.md. With --record both are written anew, for a human to
 * read.
 */
#include "support/test.h"

#include <stdio.h>
#include <string.h>

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
	look_at(&site, false, out);
	lab_close(&site);
}

static void
every_failure_is_as_expected(void **state)
{
	struct buffer text = { 0 };
	json_t *list = list_scenarios(), *scenario;
	struct look healthy;
	struct walk w;
	size_t i;

	look_at_healthy(*state, &healthy);
	json_array_foreach(list, i, scenario)
	{
		if (!walk_wants(scenario))
			continue;
		walk(*state, scenario, &healthy, &w);
		buffer_printf(&text, "%s\n", (char *)w.text.data);
		walk_clear(&w);
	}
	hold("tests/failures/expected.txt", &text);
	buffer_free(&text);
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
	};

	recording = argc == 2 && strcmp(argv[1], "--record") == 0;
	return cmocka_run_group_tests(tests, start, stop);
}
