/* What keys of a rule cannot mean together, as JSON Schema. */
#include "scenario/json_forms.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "scenario/scenario.h"
#include "scenario/tables.h"

#define NAME_SIZE 128

static const struct {
	const char *where;
	key_rows *at;
} tables[] = { { "when", when_rows }, { "do", do_rows } };
#define TABLES (sizeof(tables) / sizeof(tables[0]))

static json_t *
negation(json_t *form)
{
	return form_put(json_object(), "not", form);
}

static json_t *
both(json_t *one, json_t *other)
{
	return form_put(json_object(), "allOf",
	    form_add(form_add(json_array(), one), other));
}

/* What the value of a key is that counts: this word, or anything but false. */
static json_t *
value_form(const struct key *key, const char *word)
{
	json_t *words = json_array();

	if (*word != '\0')
		return form_put(json_object(), "enum",
		    form_add_word(words, word));
	if (key->type == VALUE_BOOL)
		return negation(form_put(json_object(), "enum",
		    form_add_word(words, "false")));
	json_decref(words);
	return json_object();
}

/* A map with this key; one with a dot lies deeper. */
static json_t *
map_with(const char *name, json_t *form)
{
	const char *dot = strchr(name, '.');
	char first[NAME_SIZE];

	snprintf(first, sizeof(first), "%.*s", (int)strcspn(name, "."), name);
	if (dot != NULL)
		form = map_with(dot + 1, form);
	form = form_put(json_object(), "properties",
	    form_put(json_object(), first, form));
	return form_put(form, "required",
	    form_add(json_array(), json_string(first)));
}

/* Adds a form for each key that one of these names means. */
static json_t *
add_keys(json_t *forms, const char *glob, const char *word)
{
	char name[NAME_SIZE];
	const struct key *key;

	for (size_t t = 0; t < TABLES; t++)
		for (size_t i = 0; (key = tables[t].at(i)) != NULL; i++) {
			snprintf(name, sizeof(name), "%s.%s", tables[t].where,
			    key->name);
			if (fnmatch(glob, name, 0) == 0)
				forms = form_add(forms,
				    map_with(name, value_form(key, word)));
		}
	return forms;
}

/* A rule with one of these keys; a list of the ways. */
static json_t *
ways(const char *names)
{
	json_t *forms = json_array();
	char name[NAME_SIZE], *word;
	size_t len;

	for (; *names != '\0'; names += len + (names[len] == ' ')) {
		len = strcspn(names, " ");
		snprintf(name, sizeof(name), "%.*s", (int)len, names);
		word = name + strcspn(name, "=");
		if (*word == '=')
			*word++ = '\0';
		forms = add_keys(forms, name, word);
	}
	return forms;
}

/* false, where there is no such key. */
static json_t *
any_of(const char *names)
{
	json_t *forms = ways(names);

	if (forms == NULL || json_array_size(forms) > 0)
		return form_put(json_object(), "anyOf", forms);
	json_decref(forms);
	return json_false();
}

/* What no rule is, so that an editor says why; of a "not" it would not. */
static json_t *
add_refusal(json_t *list, json_t *form, const char *why)
{
	return form_add(list,
	    form_put(form_put(json_object(), "if", form), "then",
		form_put_text(form_of_type("null"), "errorMessage", why)));
}

/* Any two of them. */
static json_t *
add_pairs(json_t *list, const struct fault_relation *r)
{
	json_t *forms = ways(r->keys);

	if (forms == NULL) {
		json_decref(list);
		return NULL;
	}
	for (size_t i = 0; i < json_array_size(forms); i++)
		for (size_t k = i + 1; k < json_array_size(forms); k++)
			list = add_refusal(list,
			    both(json_incref(json_array_get(forms, i)),
				json_incref(json_array_get(forms, k))),
			    r->why);
	json_decref(forms);
	return list;
}

json_t *
form_of_relations(void)
{
	const struct fault_relation *r;
	json_t *list = json_array();

	for (size_t i = 0; (r = fault_relation_at(i)) != NULL; i++) {
		if (r->kind == ONE_OF)
			list = add_pairs(list, r);
		else if (r->kind == EXCLUDES)
			list = add_refusal(list,
			    both(any_of(r->keys), any_of(r->others)), r->why);
		else
			list = add_refusal(list,
			    both(any_of(r->keys), negation(any_of(r->others))),
			    r->why);
	}
	return list;
}
