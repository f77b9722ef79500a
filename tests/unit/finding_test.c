/* A set of findings out of a table. */
#include "unit/rows.h"

#include "base/finding.h"

static struct finding table[FINDINGS_MAX];

static const struct set {
	const char *row;
	unsigned rows[4]; /* 0: none; what is added, in this order */
	unsigned found[4];
} sets[] = {
	{ "nothing", { 0 }, { 0 } },
	{ "the first row", { 1 }, { 1 } },
	{ "the last row", { 127 }, { 127 } },
	{ "both sides of a word", { 64, 63 }, { 63, 64 } },
	{ "in the order of the table", { 100, 2, 65 }, { 2, 65, 100 } },
	{ "one twice", { 7, 7 }, { 7 } },
};

static void
holds(void **state)
{
	const struct set *t = *state;
	struct findings f = { .table = table }, copy;
	unsigned at = 0, count = 0;

	for (size_t i = 0; i < 4; i++)
		findings_add(&f, t->rows[i]);
	copy = f;
	for (; t->found[count] != 0; count++) {
		assert_true(findings_has(&copy, t->found[count]));
		assert_ptr_equal(findings_next(&copy, &at),
		    &table[t->found[count]]);
	}
	assert_null(findings_next(&copy, &at));
	assert_null(findings_next(&copy, &at));
	for (unsigned row = 0; row < FINDINGS_MAX; row++)
		count -= findings_has(&copy, row);
	assert_int_equal(count, 0);
}

static void
without_table(void **state)
{
	struct findings f = { 0 };
	unsigned at = 0;

	(void)state;
	findings_add(&f, 5);
	assert_null(findings_next(&f, &at));
}

static void
kinds(void **state)
{
	(void)state;
	assert_string_equal(finding_kind_name(FINDING_WRONG), "wrong");
	assert_string_equal(finding_kind_name(FINDING_WEAK), "weak");
	assert_string_equal(finding_kind_name(FINDING_UNUSUAL), "unusual");
}

int
main(void)
{
	static const struct table tables[] = {
		ROWS(holds, sets),
		ONE(without_table, "a set without a table is empty"),
		ONE(kinds, "every kind has a name"),
	};

	return ROWS_RUN(tables, NULL, NULL);
}
