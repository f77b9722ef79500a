/* The tables as mdoc, for mockndes-scenario(5). */
#include "scenario/tables.h"

#include <ctype.h>
#include <string.h>

#include "scenario/scenario.h"

#define COLUMNS 80

/* An octet of running text; `words` are bold. */
static void
add_octet(const char *at, bool *bold, struct buffer *out)
{
	if (*at == '\\')
		buffer_add_text(out, "\\e");
	else if (*at == '`')
		buffer_add_text(out, (*bold = !*bold) ? "\\fB" : "\\fR");
	else
		buffer_add_byte(out, (uint8_t)*at);
	/* Else mandoc takes it for a function that lacks its markup. */
	if (*at != ' ' && at[1] == '(' && at[2] == ')')
		buffer_add_text(out, "\\&");
}

/* In lines of which none begins like a request. */
static void
add_text(const char *text, size_t len, struct buffer *out)
{
	size_t column = 0, word;
	bool bold = false;

	for (size_t i = 0; i < len; i++, column++) {
		word = strcspn(text + i + 1, " ");
		if (text[i] == ' ' && column + 8 + word > COLUMNS) {
			buffer_add_byte(out, '\n');
			column = 0;
			continue;
		}
		if (column == 0 && (text[i] == '.' || text[i] == '\''))
			buffer_add_text(out, "\\&");
		add_octet(&text[i], &bold, out);
	}
	if (bold)
		buffer_add_text(out, "\\fR");
}

/* Octets up to where the next sentence begins, or all. */
static size_t
sentence(const char *text)
{
	for (size_t i = 0; text[i] != '\0'; i++)
		if (strchr(".:;", text[i]) != NULL && text[i + 1] == ' ' &&
		    (text[i] != '.' || isupper((unsigned char)text[i + 2])))
			return i + 1;
	return strlen(text);
}

/* A line each, as mdoc wants it, with the full stop that helps lack. */
static void
add_sentences(const char *text, struct buffer *out)
{
	for (size_t len; *text != '\0'; text += len) {
		text += strspn(text, " ");
		len = sentence(text);
		add_text(text, len, out);
		buffer_add_text(out, text[len] == '\0' ? ".\n" : "\n");
	}
}

/* An argument of a macro. */
static void
add_quoted(const char *text, struct buffer *out)
{
	buffer_add_byte(out, '"');
	for (; *text != '\0'; text++) {
		if (*text == '"')
			buffer_add_text(out, "\\(dq");
		else if (*text == '\\')
			buffer_add_text(out, "\\e");
		else
			buffer_add_byte(out, (uint8_t)*text);
	}
	buffer_add_byte(out, '"');
}

static void
add_words(const struct key *key, struct buffer *out)
{
	buffer_add_text(out, ".Bl -tag -width 12n -compact\n");
	for (const struct word *w = key->words; w->text != NULL; w++) {
		if (w->help == NULL)
			continue;
		buffer_add_text(out, ".It Cm ");
		add_quoted(w->text, out);
		buffer_add_byte(out, '\n');
		add_sentences(w->help, out);
	}
	buffer_add_text(out, ".El\n");
}

static void
print_default(const struct key *key, struct buffer *out)
{
	struct buffer text = { 0 };

	if (key_default(key, &text))
		buffer_printf(out, "; default %.*s",
		    text.len == 0 ? 2 : (int)text.len,
		    text.len == 0 ? "\"\"" : (char *)text.data);
	out->failed |= text.failed;
	buffer_free(&text);
}

static void
add_key(const char *prefix, const struct key *key, struct buffer *out)
{
	struct buffer takes = { 0 };

	key_takes(key, &takes);
	print_default(key, &takes);
	buffer_add_byte(&takes, '\0');
	buffer_printf(out, ".It Cm %s%s : No ", prefix, key->name);
	if (takes.failed)
		out->failed = true;
	else
		add_quoted((char *)takes.data, out);
	buffer_free(&takes);
	buffer_add_byte(out, '\n');
	if (key->help != NULL)
		add_sentences(key->help, out);
	if (key_explains_words(key))
		add_words(key, out);
}

static const struct {
	const char *title, *intro, *prefix;
	key_rows *at;
} parts[] = {
	{ "SERVER",
	    "Keys below\n.Cm server ,\nwritten as for\n.Fl -set\nof\n"
	    ".Xr mockndes 1 ;\nin a file each dot is a map within a map.\n"
	    "What is called assumed has no public source; a real NDES may "
	    "differ.\n",
	    "server.", server_rows },
	{ "WHEN",
	    "Keys below\n.Cm when .\n"
	    "A rule is for the exchanges for which all of them hold; "
	    "without any, for all.\n",
	    "", when_rows },
	{ "DO", "Keys below\n.Cm do .\n", "", do_rows },
	{ "EVIDENCE", "Keys of each item of\n.Cm evidence .\n", "",
	    evidence_rows },
};

char *
scenario_manual(void)
{
	struct buffer out = { 0 };
	const struct key *key;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		buffer_printf(&out, ".Sh %s\n%s.Bl -tag -width Ds\n",
		    parts[i].title, parts[i].intro);
		for (size_t at = 0; (key = parts[i].at(at)) != NULL; at++)
			add_key(parts[i].prefix, key, &out);
		buffer_add_text(&out, ".El\n");
	}
	buffer_add_byte(&out, '\0');
	if (!out.failed)
		return (char *)out.data;
	buffer_free(&out);
	return NULL;
}
