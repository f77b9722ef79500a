/*
 * Rows become tests: each row of a table is a test of its own, named by its
 * sentence, and finds its row in *state. The sentence is the row's first
 * member.
 */
#ifndef UNIT_ROWS_H
#define UNIT_ROWS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct table {
	CMUnitTestFunction test;
	const char *name; /* of the function, or the sentence */
	const void *rows; /* NULL: one test without a row */
	size_t size, count;
};

#define ROWS(test, rows)                              \
	{                                             \
		test, #test, rows, sizeof((rows)[0]), \
		    sizeof(rows) / sizeof((rows)[0])  \
	}
#define ONE(test, sentence)                \
	{                                  \
		test, sentence, NULL, 0, 1 \
	}

static inline struct CMUnitTest
rows_test(const struct table *t, size_t i)
{
	struct CMUnitTest test = { .test_func = t->test };
	const char *row;
	char *name;

	if (t->rows == NULL) {
		test.name = strdup(t->name);
		return test;
	}
	test.initial_state = (char *)(uintptr_t)t->rows + i * t->size;
	row = *(const char *const *)test.initial_state;
	test.name = asprintf(&name, "%s: %s", t->name, row) == -1 ? NULL : name;
	return test;
}

/* Returns the exit status of a test program. */
static inline int
rows_run(const struct table *tables, size_t count, CMFixtureFunction setup,
    CMFixtureFunction teardown)
{
	struct CMUnitTest *tests;
	size_t sum = 0, at = 0;
	int failed;

	for (size_t i = 0; i < count; i++)
		sum += tables[i].count;
	if ((tests = calloc(sum, sizeof(*tests))) == NULL)
		return 1;
	for (size_t i = 0; i < count; i++)
		for (size_t row = 0; row < tables[i].count; row++)
			tests[at++] = rows_test(&tables[i], row);
	failed = _cmocka_run_group_tests("unit", tests, sum, setup, teardown);
	for (size_t i = 0; i < sum; i++)
		free((char *)(uintptr_t)tests[i].name);
	free(tests);
	return failed != 0;
}

#define ROWS_RUN(tables, setup, teardown) \
	rows_run(tables, sizeof(tables) / sizeof((tables)[0]), setup, teardown)

#endif
