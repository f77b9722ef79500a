/* `do: caps`: the answer to GetCACaps. */
#include "fault/inside.h"

#include <ctype.h>

#define WORDS_MAX 32 /* of one edit */
#define TYPE_MAX 127
#define BOM "\xef\xbb\xbf"

/* What is beyond the plan's room is left out. */
static void
add_word(struct scep_caps *caps, struct span word)
{
	if (caps->count < SCEP_CAPS_MAX)
		caps->words[caps->count++] = word;
}

static int
add_words(struct fault_context *ctx, const struct value *value, void *plan)
{
	(void)ctx;
	for (size_t i = 0; i < value->count; i++)
		add_word(plan, span_text(value->texts[i]));
	return 0;
}

static int
set_words(struct fault_context *ctx, const struct value *value, void *plan)
{
	((struct scep_caps *)plan)->count = 0;
	return add_words(ctx, value, plan);
}

static bool
is_among(struct span word, const struct value *value)
{
	for (size_t i = 0; i < value->count; i++)
		if (span_is_nocase(word, value->texts[i]))
			return true;
	return false;
}

static int
remove_words(struct fault_context *ctx, const struct value *value, void *plan)
{
	struct scep_caps *caps = plan;
	size_t kept = 0;

	(void)ctx;
	for (size_t i = 0; i < caps->count; i++)
		if (!is_among(caps->words[i], value))
			caps->words[kept++] = caps->words[i];
	caps->count = kept;
	return 0;
}

static const char *const separators[] = { "\n", "\r\n", "\r", " ", "," };

static int
set_separator(struct fault_context *ctx, const struct value *value, void *plan)
{
	(void)ctx;
	((struct scep_caps *)plan)->separator = separators[value->number];
	return 0;
}

enum { CASE_UPPER, CASE_LOWER, CASE_MIXED };

static uint8_t
in_case(uint8_t c, int64_t which, size_t at)
{
	bool upper = which == CASE_UPPER ||
	    (which == CASE_MIXED && at % 2 != 0);

	return (uint8_t)(upper ? toupper(c) : tolower(c));
}

static int
set_case(struct fault_context *ctx, const struct value *value, void *plan)
{
	struct scep_caps *caps = plan;

	for (size_t i = 0; i < caps->count; i++) {
		struct span was = caps->words[i];
		uint8_t *word = exchange_alloc(ctx->exchange, was.len + 1);

		if (word == NULL)
			return error_set(ctx->err, "out of memory");
		for (size_t at = 0; at < was.len; at++)
			word[at] = in_case(was.data[at], value->number, at);
		caps->words[i] = span_of(word, was.len);
	}
	return 0;
}

/* Each changes one word into what is sent for it. */
static int
trail(struct fault_context *ctx, struct span word, struct scep_caps *to)
{
	struct buffer b = { 0 };
	struct span spaced;

	buffer_add_span(&b, word);
	buffer_add_text(&b, "  ");
	if (fault_keep_buffer(ctx, &b, &spaced) == -1)
		return -1;
	add_word(to, spaced);
	return 0;
}

static int
add_blank(struct fault_context *ctx, struct span word, struct scep_caps *to)
{
	(void)ctx;
	add_word(to, word);
	add_word(to, SPAN_EMPTY);
	return 0;
}

static int
add_unknown(struct fault_context *ctx, struct span word, struct scep_caps *to)
{
	static const char *const unknown[] = { "X-Unknown", "Quantum-Ready",
		"SHA-0" };

	(void)ctx;
	add_word(to, word);
	add_word(to,
	    span_text(unknown[to->count / 2 %
		(sizeof(unknown) / sizeof(unknown[0]))]));
	return 0;
}

static int
add_comment(struct fault_context *ctx, struct span word, struct scep_caps *to)
{
	(void)ctx;
	add_word(to, span_text("# a comment"));
	add_word(to, word);
	return 0;
}

static int (*const noises[])(struct fault_context *, struct span,
    struct scep_caps *) = { add_unknown, add_comment, add_blank, trail };

static int
make_noise(struct fault_context *ctx, int64_t which, struct scep_caps *caps)
{
	const struct scep_caps was = *caps;

	caps->count = 0;
	for (size_t i = 0; i < was.count; i++)
		if (noises[which](ctx, was.words[i], caps) == -1)
			return -1;
	return 0;
}

/* In the order of the table above, whatever the order they are said in. */
static int
set_noise(struct fault_context *ctx, const struct value *value, void *plan)
{
	for (size_t which = 0; which < sizeof(noises) / sizeof(noises[0]);
	     which++)
		for (size_t i = 0; i < value->count; i++)
			if (value->numbers[i] == (int64_t)which) {
				if (make_noise(ctx, value->numbers[i], plan) ==
				    -1)
					return -1;
				break;
			}
	return 0;
}

static int
set_bom(struct fault_context *ctx, const struct value *value, void *plan)
{
	(void)ctx;
	((struct scep_caps *)plan)->prefix = value->number != 0 ?
	    span_text(BOM) :
	    SPAN_EMPTY;
	return 0;
}

static int
set_final_newline(struct fault_context *ctx, const struct value *value,
    void *plan)
{
	(void)ctx;
	((struct scep_caps *)plan)->final_separator = value->number != 0;
	return 0;
}

enum { ANSWER_EMPTY, ANSWER_HTML, ANSWER_ABSENT };

static int
set_answer(struct fault_context *ctx, const struct value *value, void *plan)
{
	struct scep_caps *caps = plan;

	(void)ctx;
	caps->form = SCEP_CAPS_LIST;
	if (value->number == ANSWER_HTML)
		caps->form = SCEP_CAPS_PAGE;
	else if (value->number == ANSWER_ABSENT)
		caps->form = SCEP_CAPS_ABSENT;
	caps->prefix = SPAN_EMPTY;
	caps->count = 0;
	return 0;
}

static int
set_content_type(struct fault_context *ctx, const struct value *value,
    void *plan)
{
	(void)ctx;
	((struct scep_caps *)plan)->content_type = value->text;
	return 0;
}

static const struct word separator_words[] = {
	{ "lf", 0, NULL },
	{ "crlf", 1, NULL },
	{ "cr", 2, "a carriage return alone" },
	{ "space", 3, NULL },
	{ "comma", 4, NULL },
	{ NULL, 0, NULL },
};
static const struct word case_words[] = {
	{ "upper", CASE_UPPER, NULL },
	{ "lower", CASE_LOWER, NULL },
	{ "mixed", CASE_MIXED, "pOsTpKi..." },
	{ NULL, 0, NULL },
};
static const struct word noise_words[] = {
	{ "unknown-words", 0, "after each word one that nobody knows" },
	{ "comments", 1, "before each word a line that begins with #" },
	{ "blank-lines", 2, "after each word an empty one" },
	{ "trailing-spaces", 3, "two at the end of each word" },
	{ NULL, 0, NULL },
};
static const struct word answer_words[] = {
	{ "empty", ANSWER_EMPTY, "200 without a word" },
	{ "html", ANSWER_HTML, "the page for browsers" },
	{ "absent", ANSWER_ABSENT, "404, as if the operation were not there" },
	{ NULL, 0, NULL },
};

#define ROW(name, type, words, min, max, help, apply)                          \
	{                                                                      \
		{ name, type, words, min, max, help }, FAULT_CAPS, NULL, apply \
	}

static const struct fault_kind kinds[] = {
	ROW("caps.answer", VALUE_WORD, answer_words, 0, 0,
	    "What answers GetCACaps in place of the words", set_answer),
	ROW("caps.list", VALUE_TEXTS, NULL, 0, WORDS_MAX,
	    "The words, in place of those of the server", set_words),
	ROW("caps.remove", VALUE_TEXTS, NULL, 1, WORDS_MAX,
	    "Takes words away, in whatever case they are written",
	    remove_words),
	ROW("caps.add", VALUE_TEXTS, NULL, 1, WORDS_MAX,
	    "Adds words at the end; what they promise is not kept by that",
	    add_words),
	ROW("caps.case", VALUE_WORD, case_words, 0, 0,
	    "The words in another case", set_case),
	ROW("caps.noise", VALUE_WORDS, noise_words, 0, 0,
	    "What RFC 8894 3.5.2 has clients ignore, and more; beyond 64 words "
	    "the answer ends",
	    set_noise),
	ROW("caps.separator", VALUE_WORD, separator_words, 0, 0,
	    "What stands between two words", set_separator),
	ROW("caps.final_newline", VALUE_BOOL, NULL, 0, 0,
	    "Whether the separator stands after the last word too",
	    set_final_newline),
	ROW("caps.bom", VALUE_BOOL, NULL, 0, 0,
	    "A byte order mark (UTF-8) before the first word", set_bom),
	ROW("caps.content_type", VALUE_TEXT, NULL, 0, TYPE_MAX,
	    "The Content-Type; empty for none", set_content_type),
};

const struct fault_section fault_caps = FAULT_SECTION(kinds);
