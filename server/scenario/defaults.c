/* What keys of `server:` are when nobody sets them. */
#include "scenario/inside.h"

#include <inttypes.h>
#include <string.h>

#include "scenario/tables.h"

/* Of numbers too, where a word may stand for one; NULL: none. */
static const char *
word_of(const struct key *key, int64_t value)
{
	for (const struct word *w = key->words; w != NULL && w->text != NULL;
	     w++)
		if (w->value == value)
			return w->text;
	return NULL;
}

static void
print_number(const struct key *key, int64_t number, struct buffer *out)
{
	const char *word = word_of(key, number);
	char text[DURATION_SIZE];

	if (word != NULL)
		buffer_add_text(out, word);
	else if (key->type == VALUE_DURATION)
		buffer_add_text(out, duration_print(number * 1000, text));
	else
		buffer_printf(out, "%" PRId64, number);
}

/* One a line, printed as [a, b]. */
static void
print_lines(const char *lines, struct buffer *out)
{
	buffer_add_byte(out, '[');
	for (; *lines != '\0'; lines++)
		if (*lines == '\n')
			buffer_add_text(out, ", ");
		else
			buffer_add_byte(out, (uint8_t)*lines);
	buffer_add_byte(out, ']');
}

static void
print_words(const struct key *key, int set, struct buffer *out)
{
	const char *gap = "";

	buffer_add_byte(out, '[');
	for (const struct word *w = key->words; w->text != NULL; w++) {
		if (w->value == 0 || (set & w->value) != w->value)
			continue;
		buffer_printf(out, "%s%s", gap, w->text);
		gap = ", ";
	}
	buffer_add_byte(out, ']');
}

static void
print_field(const struct key *key, const void *field, struct buffer *out)
{
	switch (key->type) {
	case VALUE_WORD:
		print_number(key, *(const int *)field, out);
		break;
	case VALUE_BOOL:
		buffer_add_text(out, *(const bool *)field ? "true" : "false");
		break;
	case VALUE_TEXT:
		buffer_add_text(out, field);
		break;
	case VALUE_TEXTS:
	case VALUE_OIDS:
		print_lines(field, out);
		break;
	case VALUE_WORDS:
		print_words(key, *(const int *)field, out);
		break;
	default:
		print_number(key, *(const int64_t *)field, out);
		break;
	}
}

bool
key_default(const struct key *key, struct buffer *out)
{
	const struct server_key *row;
	struct stack_state healthy;

	for (size_t i = 0; (row = server_key_at(i)) != NULL; i++) {
		if (&row->key != key)
			continue;
		stack_healthy(&healthy);
		print_field(key, (const char *)&healthy + row->offset, out);
		return true;
	}
	return false;
}
