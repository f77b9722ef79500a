/* Scenarios that are taken, and why others are not. */
#ifndef UNIT_SCENARIOS_H
#define UNIT_SCENARIOS_H

#include "unit/rows.h"

#include "scenario/scenario.h"

#define TOP "mockndes: 1\nname: x\n"
#define SERVER TOP "server:\n"

static inline int
parse(const char *yaml, const struct scenario_set *set, struct scenario **out,
    char text[400])
{
	struct error err = { 0 };
	int ret = scenario_parse(span_text(yaml), "pki.yaml", set, out, &err);

	error_print(&err, text, 400);
	return ret;
}

/* NULL, and why not; the text is good until the next call. */
static inline const char *
refusal(const char *yaml, const struct scenario_set *set)
{
	static char text[400];
	struct scenario *s = (void *)text;

	assert_int_equal(parse(yaml, set, &s, text), -1);
	assert_null(s);
	return text;
}

static inline struct scenario *
accept_all(const char *yaml, const struct scenario_set *set)
{
	struct scenario *s = NULL;
	char text[400];

	if (parse(yaml, set, &s, text) == -1)
		fail_msg("%s", text);
	assert_string_equal(text, "");
	assert_non_null(s);
	return s;
}

#endif
