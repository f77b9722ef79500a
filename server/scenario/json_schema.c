/*
 * The language as JSON Schema, for editors. It refuses nothing that the loader
 * takes. YAML readers make numbers, booleans and nulls of what is not quoted,
 * so many a text may be one. Nothing in it is read differently by draft-07.
 */
#include <stdio.h>
#include <string.h>

#include "scenario/json_forms.h"
#include "scenario/scenario.h"
#include "scenario/tables.h"

#define NAME_SIZE 128
#define DIALECT "https://json-schema.org/draft/2020-12/schema"

/* A map that knows its keys. */
static json_t *
closed(json_t *properties)
{
	return form_put(form_put(form_of_type("object"), "properties",
			    properties),
	    "additionalProperties", json_false());
}

/* All keys that begin so: those with more dots are sections of their own. */
static json_t *
section_form(key_rows *table, const char *prefix)
{
	json_t *properties = json_object();
	char name[NAME_SIZE], section[NAME_SIZE], deeper[NAME_SIZE + 1];
	const struct key *key;
	const char *rest;

	for (size_t i = 0; (key = table(i)) != NULL; i++) {
		if (strncmp(key->name, prefix, strlen(prefix)) != 0)
			continue;
		rest = key->name + strlen(prefix);
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(rest, "."),
		    rest);
		if (rest[strlen(name)] == '\0') {
			properties = form_put(properties, name,
			    form_of_key(key));
			continue;
		}
		if (json_object_get(properties, name) != NULL)
			continue;
		snprintf(section, sizeof(section), "%s%s", prefix, name);
		snprintf(deeper, sizeof(deeper), "%s.", section);
		properties = form_put(properties, name,
		    form_put_text(section_form(table, deeper), "description",
			table_section_help(section)));
	}
	return closed(properties);
}

static json_t *
version_form(void)
{
	return form_put(json_object(), "enum",
	    form_add_word(json_array(), "1"));
}

static json_t *
name_form(void)
{
	return form_put_text(form_any_text(), "pattern",
	    "^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$");
}

static json_t *
reference_form(void)
{
	return section_form(reference_rows, "");
}

static json_t *
server_form(void)
{
	return section_form(server_rows, "");
}

static json_t *
when_form(void)
{
	return section_form(when_rows, "");
}

static json_t *
do_form(void)
{
	return section_form(do_rows, "");
}

struct part {
	const char *name;
	json_t *(*form)(void);
	const char *help;
};

static json_t *
parts_form(const struct part *parts)
{
	json_t *properties = json_object();

	for (; parts->name != NULL; parts++)
		properties = form_put(properties, parts->name,
		    form_put_text(parts->form(), "description", parts->help));
	return closed(properties);
}

static json_t *
faults_form(void)
{
	static const struct part parts[] = {
		{ "when", when_form,
		    "Which exchanges the rule is for: those for which all of "
		    "this holds" },
		{ "do", do_form, "What is done to them" },
		{ "continue", form_of_bool,
		    "Rules after this one may apply too" },
		{ "processed", form_of_bool,
		    "The server does its work although something else is "
		    "answered" },
		{ NULL, NULL, NULL },
	};

	json_t *rule = form_put(parts_form(parts), "required",
	    form_add(json_array(), json_string("do")));

	rule = form_put(rule, "allOf", form_of_relations());
	return form_put_number(form_array_of(rule), "maxItems",
	    FAULT_RULES_MAX);
}

static json_t *
evidence_form(void)
{
	json_t *one = section_form(evidence_rows, "");

	one = form_put(one, "required",
	    form_add(form_add(json_array(), json_string("in")),
		json_string("text")));
	return form_put_number(form_array_of(one), "maxItems", EVIDENCE_MAX);
}

static json_t *
cure_form(void)
{
	json_t *names = json_array(), *way;
	const struct action *a;

	for (size_t i = 0; (a = action_at(i)) != NULL; i++)
		names = form_add(names, json_string(a->name));
	way = form_array_of(form_put(json_object(), "enum", names));
	way = form_put_number(way, "minItems", 1);
	way = form_put_number(way, "maxItems", CURE_STEPS_MAX);
	return form_put_number(form_array_of(way), "maxItems", CURES_MAX);
}

static const struct part top[] = {
	{ "mockndes", version_form, "The version of the language" },
	{ "name", name_form, "The name of the file, without .yaml" },
	{ "title", form_any_text, "What is wrong, in one line" },
	{ "description", form_any_text,
	    "What is wrong, why, how it shows, and what clients say to it" },
	{ "reference", reference_form, "Where it is documented" },
	{ "extends", form_any_text,
	    "Another scenario, by name or file, that this one begins with" },
	{ "server", server_form,
	    "The state of the server; what is not said is healthy" },
	{ "faults", faults_form,
	    "Rules, of which the first that matches applies" },
	{ "evidence", evidence_form,
	    "What an administrator finds beyond what the layers leave" },
	{ "cure", cure_form,
	    "Documented ways out, each the actions to do one after the other" },
	{ NULL, NULL, NULL },
};

char *
scenario_json_schema(void)
{
	json_t *schema = parts_form(top), *head = json_object();
	char *text = NULL;

	schema = form_put(schema, "required",
	    form_add(form_add(json_array(), json_string("mockndes")),
		json_string("name")));
	head = form_put_text(head, "$schema", DIALECT);
	head = form_put_text(head, "title", "A scenario of mockndes");
	if (schema != NULL && json_object_update(head, schema) == 0)
		text = json_dumps(head,
		    JSON_INDENT(2) | JSON_REAL_PRECISION(6));
	json_decref(schema);
	json_decref(head);
	return text;
}
