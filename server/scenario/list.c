/* The scenarios that there are, for people and for programs. */
#include "scenario/inside.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define NAME_WIDTH 32

/* One of a list: what it says of itself, or the first error in it. */
struct entry {
	struct scenario *scenario; /* NULL: it cannot be loaded */
	struct errors errors;
	char why[512];
};

static void
load_entry(const char *name, const struct scenario_options *options,
    struct entry *out)
{
	*out = (struct entry){ 0 };
	if (scenario_find(name, options, &out->scenario, &out->errors) == -1)
		error_print(&out->errors.list[0], out->why, sizeof(out->why));
	errors_clear(&out->errors);
}

static void
print_line(const char *name, const struct entry *e, struct buffer *out)
{
	const char *title = e->scenario == NULL ? e->why : e->scenario->title;

	buffer_printf(out, "%-*s  %s\n", NAME_WIDTH, name,
	    title == NULL ? "" : title);
}

/* One text, or a list of them. */
static json_t *
reference_json(const struct value *v)
{
	json_t *list = json_array(), *only;

	for (size_t i = 0; i < v->count; i++)
		json_array_append_new(list, json_string(v->texts[i]));
	if (v->count != 1)
		return list;
	only = json_incref(json_array_get(list, 0));
	json_decref(list);
	return only;
}

static json_t *
references_json(const struct scenario *s)
{
	json_t *out = json_object();

	for (int i = 0; i < REFERENCE_COUNT; i++)
		if (s->reference[i].count > 0)
			json_object_set_new(out,
			    scenario_reference((enum reference)i)->name,
			    reference_json(&s->reference[i]));
	return out;
}

static json_t *
cures_json(const struct scenario *s)
{
	json_t *list = json_array(), *way;

	for (size_t i = 0; i < s->cure_count; i++) {
		way = json_array();
		for (size_t k = 0; k < s->cures[i].count; k++)
			json_array_append_new(way,
			    json_string(s->cures[i].steps[k]->name));
		json_array_append_new(list, way);
	}
	return list;
}

static json_t *
entry_json(const char *name, const struct entry *e)
{
	if (e->scenario == NULL)
		return json_pack("{ss, sn, sn, sn, sn, ss}", "name", name,
		    "title", "description", "reference", "cure", "error",
		    e->why);
	return json_pack("{ss, ss?, ss?, so, so}", "name", name, "title",
	    e->scenario->title, "description", e->scenario->description,
	    "reference", references_json(e->scenario), "cure",
	    cures_json(e->scenario));
}

static char *
print_lines(char *const *names, const struct scenario_options *options)
{
	struct buffer out = { 0 };
	struct entry e;

	for (; *names != NULL; names++) {
		load_entry(*names, options, &e);
		print_line(*names, &e, &out);
		scenario_free(e.scenario);
	}
	buffer_add_byte(&out, '\0');
	if (!out.failed)
		return (char *)out.data;
	buffer_free(&out);
	return NULL;
}

static char *
print_json(char *const *names, const struct scenario_options *options)
{
	json_t *list = json_array();
	struct entry e;
	char *text;
	int ret = 0;

	for (; *names != NULL && ret == 0; names++) {
		load_entry(*names, options, &e);
		ret = json_array_append_new(list, entry_json(*names, &e));
		scenario_free(e.scenario);
	}
	text = ret == -1 ? NULL : json_dumps(list, JSON_INDENT(2));
	json_decref(list);
	return text;
}

char *
scenario_list(const struct scenario_options *options, bool json,
    struct errors *errors)
{
	char **names = find_names(options, errors), *text = NULL;

	if (names != NULL)
		text = json ? print_json(names, options) :
			      print_lines(names, options);
	if (text == NULL && errors->count == 0)
		errors_at(errors, NULL, "out of memory");
	for (size_t i = 0; names != NULL && names[i] != NULL; i++)
		free(names[i]);
	free(names);
	return text;
}

char *
scenario_tell(const char *name, const struct scenario_options *options)
{
	struct entry e;
	json_t *json;
	char *text;

	load_entry(name, options, &e);
	json = entry_json(name, &e);
	text = json == NULL ? NULL : json_dumps(json, JSON_COMPACT);
	json_decref(json);
	scenario_free(e.scenario);
	return text;
}
