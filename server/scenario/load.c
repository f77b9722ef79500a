/* A whole document, and what it extends. */
#include "scenario/inside.h"

#include <stdlib.h>
#include <string.h>

static const struct key references[] = {
	[REFERENCE_ARTICLE] = { .name = "article",
	    .type = VALUE_TEXTS,
	    .help = "The article of Microsoft's that documents it" },
	[REFERENCE_SECTION] = { .name = "section",
	    .type = VALUE_TEXTS,
	    .help = "Its section" },
	[REFERENCE_CAUSE] = { .name = "cause",
	    .type = VALUE_TEXTS,
	    .help = "Which of the causes in that section it is" },
	[REFERENCE_QUIRK] = { .name = "quirk",
	    .type = VALUE_TEXTS,
	    .help = "The row of the catalogue of quirks" },
	[REFERENCE_THREAD] = { .name = "thread",
	    .type = VALUE_TEXTS,
	    .help = "Where users told of it" },
	[REFERENCE_RFC] = { .name = "rfc",
	    .type = VALUE_TEXTS,
	    .help = "The section of the RFC that asks for something else" },
};

const struct key *
scenario_reference(enum reference which)
{
	return which < REFERENCE_COUNT ? &references[which] : NULL;
}

const char *
keep_file(struct scenario *s, const char *file)
{
	char **files = reallocarray(s->files, s->file_count + 1,
	    sizeof(*files));

	if (files == NULL)
		return NULL;
	s->files = files;
	if ((files[s->file_count] = strdup(file)) == NULL)
		return NULL;
	return files[s->file_count++];
}

static void
take_text(struct loading *l, const char *name, const struct yaml *node,
    char **out)
{
	if (node->kind == YAML_BROKEN)
		return;
	if (node->kind != YAML_SCALAR)
		errors_at(l->errors, &node->at, "\"%s\" takes a text", name);
	else if ((*out = strdup(node->text)) == NULL)
		errors_at(l->errors, &node->at, "out of memory");
}

static void
read_version(struct loading *l, const struct yaml *node)
{
	if (node != NULL && node->kind == YAML_BROKEN)
		return;
	if (node == NULL || node->kind != YAML_SCALAR ||
	    strcmp(node->text, "1") != 0)
		errors_at(l->errors, node == NULL ? &l->at : &node->at,
		    "a scenario begins with \"mockndes: 1\"");
}

static void
read_name(struct loading *l, const struct yaml *node)
{
	if (node == NULL) {
		errors_at(l->errors, &l->at, "the key \"name\" is missing");
		return;
	}
	take_text(l, "name", node, &l->out->name);
	if (l->out->name == NULL)
		return;
	if (!scenario_is_name(l->out->name))
		errors_at(l->errors, &node->at,
		    "a name is made of A-Z a-z 0-9 . _ -, 64 of them at most, "
		    "with no dot in front");
	else if (l->name != NULL && strcmp(l->name, l->out->name) != 0)
		errors_at(l->errors, &node->at,
		    "the name is \"%s\", but the file is called \"%.60s\"",
		    l->out->name, l->name);
}

static void
read_title(struct loading *l, const struct yaml *node)
{
	if (node != NULL)
		take_text(l, "title", node, &l->out->title);
}

static void
read_description(struct loading *l, const struct yaml *node)
{
	if (node != NULL)
		take_text(l, "description", node, &l->out->description);
}

static void
read_extends(struct loading *l, const struct yaml *node)
{
	if (node == NULL || node->kind == YAML_BROKEN)
		return;
	if (node->kind != YAML_SCALAR)
		errors_at(l->errors, &node->at, "\"extends\" takes a text");
	else
		find_parent(l, node);
}

static const struct key *
reference_at(size_t row)
{
	return scenario_reference((enum reference)row);
}

static void
put_reference(struct loading *l, void *to, size_t row, struct value *v)
{
	(void)l;
	((struct scenario *)to)->reference[row] = *v;
}

static void
read_reference(struct loading *l, const struct yaml *node)
{
	static const struct key_table table = { reference_at, put_reference };

	if (node == NULL || node->kind == YAML_BROKEN)
		return;
	if (node->kind == YAML_MAP)
		keys_read(l, &table, node, l->out);
	else
		errors_at(l->errors, &node->at,
		    "\"reference\" takes keys of its own");
}

static void
read_faults(struct loading *l, const struct yaml *node)
{
	if (node != NULL)
		rules_read(l, node);
}

/* In the order in which they are read; the node may be NULL. */
static const struct part {
	const char *name;
	void (*read)(struct loading *, const struct yaml *);
} parts[] = {
	{ "mockndes", read_version },
	{ "name", read_name },
	{ "title", read_title },
	{ "description", read_description },
	{ "reference", read_reference },
	{ "extends", read_extends },
	{ "server", server_read },
	{ "faults", read_faults },
	{ "evidence", evidence_read },
	{ "cure", cure_read },
};
#define PARTS (sizeof(parts) / sizeof(parts[0]))

static void
check_names(struct loading *l, const struct yaml *root)
{
	const char *names[PARTS + 1] = { NULL };
	size_t i;

	for (i = 0; i < PARTS; i++)
		names[i] = parts[i].name;
	for (size_t k = 0; k < root->count; k++) {
		for (i = 0; i < PARTS; i++)
			if (strcmp(names[i], root->keys[k]->text) == 0)
				break;
		if (i == PARTS)
			keys_unknown(l, &root->keys[k]->at, root->keys[k]->text,
			    names);
	}
}

void
load_text(struct loading *l, struct span yaml)
{
	struct yaml *root = yaml_read(yaml, l->file, l->errors);

	if (root == NULL)
		return;
	l->at = root->at;
	if (root->kind == YAML_MAP) {
		check_names(l, root);
		for (size_t i = 0; i < PARTS; i++)
			parts[i].read(l, yaml_get(root, parts[i].name));
	} else if (root->kind != YAML_BROKEN) {
		errors_at(l->errors, &root->at,
		    "a scenario is a map that begins with \"mockndes: 1\"");
	}
	yaml_node_free(root);
}

int
load_scenario(const struct scenario_text *text, const char *name,
    const char *id, const struct scenario_options *options,
    struct scenario **out, struct errors *errors)
{
	static const struct scenario_options nothing = { 0 };
	struct scenario *s = calloc(1, sizeof(*s));
	struct loading l = { .options = options != NULL ? options : &nothing,
		.errors = errors,
		.out = s,
		.root = s,
		.dir = text->dir,
		.name = name,
		.id = id };
	size_t before = errors->count;

	*out = NULL;
	if (s == NULL || (l.file = keep_file(s, text->file)) == NULL) {
		free(s);
		return errors_at(errors, NULL, "out of memory");
	}
	s->refs = 1;
	stack_healthy(&s->state);
	load_text(&l, text->yaml);
	if (errors->count == before)
		faults_finish(&s->faults, errors);
	if (errors->count == before) {
		*out = s;
		return 0;
	}
	errors_sort(errors);
	for (size_t i = 0; i < s->file_count; i++)
		errors_keep(errors, s->files[i]);
	scenario_free(s);
	return -1;
}

int
scenario_parse(const struct scenario_text *text,
    const struct scenario_options *options, struct scenario **out,
    struct errors *errors)
{
	return load_scenario(text, NULL, NULL, options, out, errors);
}

struct scenario *
scenario_ref(struct scenario *s)
{
	s->refs++;
	return s;
}

void
scenario_free(struct scenario *s)
{
	if (s == NULL || --s->refs > 0)
		return;
	free(s->name);
	free(s->title);
	free(s->description);
	for (size_t i = 0; i < REFERENCE_COUNT; i++)
		value_clear(&s->reference[i]);
	faults_clear(&s->faults);
	evidence_clear(s);
	for (size_t i = 0; i < s->file_count; i++)
		free(s->files[i]);
	free(s->files);
	free(s);
}
