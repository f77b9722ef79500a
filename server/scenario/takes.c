/* What keys take, in words. */
#include "scenario/tables.h"

#include <inttypes.h>
#include <string.h>

#include "scenario/inside.h"

bool
key_explains_words(const struct key *key)
{
	for (const struct word *w = key->words; w != NULL && w->text != NULL;
	     w++)
		if (w->help != NULL)
			return true;
	return false;
}

static void
print_duration(int64_t ms, struct buffer *out)
{
	char text[DURATION_SIZE];

	buffer_add_text(out, duration_print(ms, text));
}

static void
print_number(int64_t number, struct buffer *out)
{
	buffer_printf(out, "%" PRId64, number);
}

/* ", 1 to 3" */
static void
print_range(const struct key *key, void (*print)(int64_t, struct buffer *),
    struct buffer *out)
{
	bool least = key->min > INT64_MIN, most = key->max < INT64_MAX;

	if (!least && !most)
		return;
	buffer_add_text(out, least ? ", " : ", at most ");
	if (least)
		print(key->min, out);
	if (least)
		buffer_add_text(out, most ? " to " : " or more");
	if (most)
		print(key->max, out);
}

static void
print_words(const struct key *key, struct buffer *out)
{
	for (const struct word *w = key->words; w->text != NULL; w++)
		buffer_printf(out, "%s%s",
		    w == key->words	  ? "" :
			w[1].text == NULL ? " or " :
					    ", ",
		    w->text);
}

static const struct {
	const char *text;
	void (*range)(int64_t, struct buffer *);
} forms[] = {
	[VALUE_WORD] = { "", NULL },
	[VALUE_BOOL] = { "true or false", NULL },
	[VALUE_NUMBER] = { "a number", print_number },
	[VALUE_FRACTION] = { "a number from 0 to 1 such as 0.25", NULL },
	[VALUE_DURATION] = { "a duration", print_duration },
	[VALUE_AMOUNT] = { "octets or a part such as 50%", print_number },
	[VALUE_TEXT] = { "a text", NULL },
	[VALUE_BODY] = { "a text", NULL },
	[VALUE_FILE] = { "a file beside the scenario", NULL },
	[VALUE_STATUS] = { "a status: 503, 500.0 or 500.0.1346", NULL },
	[VALUE_WORDS] = { "one or a list of ", NULL },
	[VALUE_NUMBERS] = { "a number or a list of numbers", print_number },
	[VALUE_TEXTS] = { "a text or a list of texts", NULL },
	[VALUE_OIDS] = { "an OID or a list of OIDs", NULL },
	[VALUE_PAIRS] = { "texts by name: {name: text}", NULL },
	[VALUE_PERIOD] = { "[from, to], two durations", NULL },
};

void
key_takes(const struct key *key, struct buffer *out)
{
	buffer_add_text(out, forms[key->type].text);
	if (key->type == VALUE_TEXT && key->max > 0)
		buffer_printf(out,
		    " of at most %" PRId64 " characters of ASCII", key->max);
	if (forms[key->type].range != NULL)
		print_range(key, forms[key->type].range, out);
	if (key->words == NULL)
		return;
	if (key->type != VALUE_WORD && key->type != VALUE_WORDS)
		buffer_add_text(out, "; or ");
	print_words(key, out);
}
