/* Scenarios that are taken, and why others are not. */
#ifndef UNIT_SCENARIOS_H
#define UNIT_SCENARIOS_H

#include "unit/rows.h"

#include "scenario/scenario.h"

#define TOP "mockndes: 1\nname: x\n"
#define SERVER TOP "server:\n"

#define TEXT_SIZE 8192

static inline int
parse(const char *yaml, const struct scenario_options *options,
    struct scenario **out, char text[TEXT_SIZE])
{
	const struct scenario_text from = { span_text(yaml), "pki.yaml", NULL };
	struct errors errors = { 0 };
	int ret = scenario_parse(&from, options, out, &errors);

	assert_int_equal(ret, errors.count == 0 ? 0 : -1);
	errors_print(&errors, text, TEXT_SIZE);
	errors_clear(&errors);
	return ret;
}

/* NULL, and why not; the text is good until the next call. */
static inline const char *
refusal(const char *yaml, const struct scenario_options *options)
{
	static char text[TEXT_SIZE];
	struct scenario *s = (void *)text;

	assert_int_equal(parse(yaml, options, &s, text), -1);
	assert_null(s);
	return text;
}

static inline struct scenario *
accept_all(const char *yaml, const struct scenario_options *options)
{
	struct scenario *s = NULL;
	char text[TEXT_SIZE];

	if (parse(yaml, options, &s, text) == -1)
		fail_msg("%s", text);
	assert_string_equal(text, "");
	assert_non_null(s);
	return s;
}

#endif
