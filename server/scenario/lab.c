/* What a scenario has for who learns from it: more evidence, and the cure. */
#include "scenario/inside.h"

#include <stdlib.h>
#include <string.h>

#include "scenario/tables.h"

#define WAYS "lists of actions, [[a, b], [c]]"

/* The logs that have events, and whose they are if nobody says. */
static const struct {
	const char *source;
	bool lines; /* it has those as well */
} events[EVIDENCES] = {
	[EVIDENCE_APPLICATION_LOG] = { MSCEP_EVENT_SOURCE, false },
	[EVIDENCE_SYSTEM_LOG] = { "Microsoft-Windows-WAS", false },
	[EVIDENCE_CAPI2_LOG] = { "Microsoft-Windows-CAPI2", false },
	[EVIDENCE_CONNECTOR_LOG] = { "Microsoft Intune Connector", true },
};

static const struct word levels[] = {
	{ "Information", 0, NULL },
	{ "Warning", 1, NULL },
	{ "Error", 2, NULL },
	{ "Critical", 3, NULL },
	{ NULL, 0, NULL },
};

enum part { PART_IN, PART_TEXT, PART_SOURCE, PART_ID, PART_LEVEL, PARTS };

static const struct key keys[PARTS] = {
	[PART_IN] = { .name = "in",
	    .type = VALUE_WORD,
	    .words = evidence_words,
	    .help = "Where it is found" },
	[PART_TEXT] = { .name = "text",
	    .type = VALUE_BODY,
	    .min = 1,
	    .max = EVIDENCE_TEXT_MAX,
	    .help = "A line or more; in an event log, what the event says" },
	[PART_SOURCE] = { .name = "source",
	    .type = VALUE_TEXT,
	    .min = 1,
	    .max = 64,
	    .help = "In an event log: whose event it is; without it, that of "
		    "whom the log is looked at for" },
	[PART_ID] = { .name = "id",
	    .type = VALUE_NUMBER,
	    .min = 0,
	    .max = UINT16_MAX,
	    .help = "In an event log: the number of the event; without it 0" },
	[PART_LEVEL] = { .name = "level",
	    .type = VALUE_WORD,
	    .words = levels,
	    .help = "In an event log: how bad it is; without it Error" },
};

const struct key *
evidence_rows(size_t row)
{
	return row < PARTS ? &keys[row] : NULL;
}

static void
put_part(struct loading *l, void *to, size_t row, struct value *v)
{
	(void)l;
	((struct value *)to)[row] = *v;
}

/* Whether it was said. */
static bool
has(const struct value parts[PARTS], enum part part)
{
	return parts[part].at.line != 0;
}

/* Takes the texts. */
static void
take_parts(struct value parts[PARTS], struct scenario_evidence *out)
{
	enum evidence in = (enum evidence)parts[PART_IN].number;
	bool is_event = has(parts, PART_SOURCE) || has(parts, PART_ID) ||
	    has(parts, PART_LEVEL);
	size_t len = parts[PART_TEXT].length;

	out->in = in;
	out->text = parts[PART_TEXT].text;
	parts[PART_TEXT].text = NULL;
	while (len > 0 && out->text[len - 1] == '\n')
		out->text[--len] = '\0';
	if (events[in].source == NULL || (events[in].lines && !is_event))
		return;
	out->source = parts[PART_SOURCE].text;
	parts[PART_SOURCE].text = NULL;
	if (out->source == NULL)
		out->source = strdup(events[in].source);
	out->id = (int)parts[PART_ID].number;
	out->level = has(parts, PART_LEVEL) ?
	    levels[parts[PART_LEVEL].number].text :
	    "Error";
}

static int
check_parts(struct loading *l, const struct yaml *node,
    const struct value parts[PARTS])
{
	for (enum part i = PART_IN; i <= PART_TEXT; i++)
		if (!has(parts, i))
			return errors_at(l->errors, &node->at,
			    "evidence says \"in\" and \"text\"");
	if (events[parts[PART_IN].number].source != NULL)
		return 0;
	for (enum part i = PART_SOURCE; i <= PART_LEVEL; i++)
		if (has(parts, i))
			return errors_at(l->errors, &parts[i].at,
			    "\"%s\" is for events, which \"%s\" has none of",
			    keys[i].name,
			    evidence_name(
				(enum evidence)parts[PART_IN].number));
	return 0;
}

static void
read_one(struct loading *l, const struct yaml *node)
{
	static const struct key_table table = { evidence_rows, put_part };
	struct scenario *s = l->out;
	struct value parts[PARTS] = { 0 };
	size_t before = l->errors->count;

	if (node->kind == YAML_BROKEN)
		return;
	if (node->kind != YAML_MAP) {
		errors_at(l->errors, &node->at,
		    "evidence is written as {in: ..., text: ...}");
		return;
	}
	keys_read(l, &table, node, parts);
	if (l->errors->count == before && check_parts(l, node, parts) == 0) {
		take_parts(parts, &s->evidence[s->evidence_count]);
		if (s->evidence[s->evidence_count++].text == NULL)
			errors_at(l->errors, &node->at, "out of memory");
	}
	for (size_t i = 0; i < PARTS; i++)
		value_clear(&parts[i]);
}

/* A list of at most so many. */
static bool
is_list(struct loading *l, const struct yaml *node, const char *name,
    size_t most, const char *what)
{
	if (node == NULL || node->kind == YAML_BROKEN)
		return false;
	if (node->kind != YAML_LIST)
		errors_at(l->errors, &node->at, "\"%s\" takes %s", name, what);
	else if (node->count > most)
		errors_at(l->errors, &node->at, "\"%s\" takes at most %zu",
		    name, most);
	return node->kind == YAML_LIST && node->count <= most;
}

void
evidence_read(struct loading *l, const struct yaml *node)
{
	if (!is_list(l, node, "evidence", EVIDENCE_MAX, "a list"))
		return;
	l->out->evidence = calloc(node->count + 1, sizeof(*l->out->evidence));
	if (l->out->evidence == NULL) {
		errors_at(l->errors, &node->at, "out of memory");
		return;
	}
	for (size_t i = 0; i < node->count; i++)
		read_one(l, node->items[i]);
}

static void
read_step(struct loading *l, const struct yaml *node, struct scenario_cure *to)
{
	const struct action *action;
	struct error err = { 0 };

	if (node->kind == YAML_BROKEN)
		return;
	if (node->kind != YAML_SCALAR)
		errors_at(l->errors, &node->at,
		    "the name of an action is wanted here");
	else if ((action = action_find(node->text, &err)) == NULL)
		errors_at(l->errors, &node->at, "%s", err.text);
	else
		to->steps[to->count++] = action;
}

static void
read_way(struct loading *l, const struct yaml *node)
{
	struct scenario *s = l->out;
	struct scenario_cure *to = &s->cures[s->cure_count];

	if (!is_list(l, node, "cure", CURE_STEPS_MAX, WAYS))
		return;
	if (node->count == 0)
		errors_at(l->errors, &node->at, "a way out has an action");
	for (size_t i = 0; i < node->count; i++)
		read_step(l, node->items[i], to);
	s->cure_count++;
}

void
cure_read(struct loading *l, const struct yaml *node)
{
	if (!is_list(l, node, "cure", CURES_MAX, WAYS))
		return;
	for (size_t i = 0; i < node->count; i++)
		read_way(l, node->items[i]);
}

void
evidence_clear(struct scenario *s)
{
	for (size_t i = 0; i < s->evidence_count; i++) {
		free(s->evidence[i].text);
		free(s->evidence[i].source);
	}
	free(s->evidence);
}
