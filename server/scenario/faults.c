/* `mockndes faults`: every key of `when:` and `do:`, for a terminal. */
#include "scenario/tables.h"

#include <stdio.h>
#include <string.h>

#include "scenario/scenario.h"

#define WORD_INDENT 8
#define WORD_ROOM 16 /* longer ones have a line of their own */

static const char intro[] =
    "Keys of a rule below `faults:`. One that says \"instead\" answers in\n"
    "place of the server, which does and spends nothing, unless the rule "
    "has\n`processed: true`; the others change what the server answers. "
    "The first\nrule that matches applies, and those after it if it has "
    "`continue: true`.\n\n";

void
terminal_wrap(const char *text, size_t indent, size_t column,
    struct buffer *out)
{
	const char *gap = "";
	size_t len;

	for (; column < indent; column++)
		buffer_add_byte(out, ' ');
	for (; *text != '\0'; text += len + strspn(text + len, " \n")) {
		len = strcspn(text, " \n");
		if (*gap != '\0' && column + 1 + len > TERMINAL_COLUMNS) {
			buffer_printf(out, "\n%*s", (int)indent, "");
			column = indent;
			gap = "";
		}
		buffer_printf(out, "%s%.*s", gap, (int)len, text);
		column += strlen(gap) + len;
		gap = " ";
	}
	buffer_add_byte(out, '\n');
}

static void
list_words(const struct key *key, struct buffer *out)
{
	for (const struct word *w = key->words; w->text != NULL; w++) {
		if (w->help == NULL)
			continue;
		buffer_printf(out, "%*s%-*s", WORD_INDENT, "", WORD_ROOM,
		    w->text);
		if (strlen(w->text) >= WORD_ROOM)
			buffer_printf(out, "\n%*s", WORD_INDENT + WORD_ROOM,
			    "");
		terminal_wrap(w->help, WORD_INDENT + WORD_ROOM,
		    WORD_INDENT + WORD_ROOM, out);
	}
}

/* `note`: what its row says beside the key; may be empty. */
static void
list_key(const struct key *key, const char *name, const char *note,
    struct buffer *out)
{
	struct buffer takes = { 0 };

	buffer_printf(&takes, "%s: ", name);
	key_takes(key, &takes);
	buffer_add_text(&takes, note);
	buffer_add_byte(&takes, '\0');
	if (takes.failed)
		out->failed = true;
	else
		terminal_wrap((char *)takes.data, 2, 0, out);
	buffer_free(&takes);
	if (key->help != NULL)
		terminal_wrap(key->help, TERMINAL_INDENT, 0, out);
	if (key_explains_words(key))
		list_words(key, out);
	buffer_add_byte(out, '\n');
}

static void
list_conditions(struct buffer *out)
{
	const struct fault_condition *c;
	const char *note;

	buffer_add_text(out, "when: which exchanges a rule is for\n\n");
	for (size_t i = 0; (c = fault_condition_at(i)) != NULL; i++) {
		note = c->holds == NULL ? " (counted)" :
		    c->needs_message	? " (of the message)" :
					  "";
		list_key(&c->key, c->key.name, note, out);
	}
}

/* A heading before the first of a section. */
static void
head_section(const char *name, const char *before, struct buffer *out)
{
	char heading[TERMINAL_COLUMNS * 4], section[64];
	size_t len = strcspn(name, ".");
	const char *help;

	if (before != NULL && strncmp(name, before, len) == 0 &&
	    before[len] == name[len] && name[len] == '.')
		return;
	if (name[len] == '\0')
		len = 0;
	snprintf(section, sizeof(section), "%.*s", (int)len, name);
	help = table_section_help(section);
	snprintf(heading, sizeof(heading), "do:%s%s%s%s", len > 0 ? " " : "",
	    section, help != NULL ? ": " : "", help != NULL ? help : "");
	terminal_wrap(heading, 0, 0, out);
	buffer_add_byte(out, '\n');
}

static void
list_kinds(struct buffer *out)
{
	const struct fault_kind *kind;
	const char *before = NULL, *name, *note;

	for (size_t i = 0; (kind = fault_kind_at(i)) != NULL; i++) {
		head_section(kind->key.name, before, out);
		before = kind->key.name;
		name = strchr(before, '.');
		note = kind->instead == NULL	  ? "" :
		    kind->instead == fault_always ? " (instead)" :
						    " (some instead)";
		list_key(&kind->key, name == NULL ? before : name + 1, note,
		    out);
	}
}

char *
scenario_faults_text(void)
{
	struct buffer out = { 0 };

	buffer_add_text(&out, intro);
	list_conditions(&out);
	list_kinds(&out);
	buffer_add_byte(&out, '\0');
	if (!out.failed)
		return (char *)out.data;
	buffer_free(&out);
	return NULL;
}
