/*
 * The language as JSON Schema, for editors. It refuses nothing that the
 * loader takes; what concerns two keys at once only the loader can say. YAML
 * readers make numbers, booleans and nulls of what is not quoted, so many a
 * text may be one. Nothing in it is read differently by draft-07.
 */
#include "scenario/tables.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario/scenario.h"

#define NAME_SIZE 128
#define OID_PATTERN "^[012]([.](0|[1-9][0-9]*))+$"
#define DIALECT "https://json-schema.org/draft/2020-12/schema"

/* Without memory: NULL, and so all the way up. Takes `value`. */
static json_t *
put(json_t *to, const char *name, json_t *value)
{
	if (json_object_set_new(to, name, value) == 0)
		return to;
	json_decref(to);
	return NULL;
}

static json_t *
add(json_t *to, json_t *value)
{
	if (json_array_append_new(to, value) == 0)
		return to;
	json_decref(to);
	return NULL;
}

static json_t *
put_text(json_t *to, const char *name, const char *text)
{
	return text == NULL ? to : put(to, name, json_string(text));
}

static json_t *
put_number(json_t *to, const char *name, int64_t number)
{
	return put(to, name, json_integer(number));
}

static json_t *
of_type(const char *type)
{
	return put_text(json_object(), "type", type);
}

/* What YAML makes of such a text when it is not quoted; NULL: a text. */
static json_t *
unquoted(const char *text)
{
	double number;
	char *end;

	if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
		return json_boolean(*text == 't');
	if (text[strspn(text, "+-.0123456789")] != '\0')
		return NULL;
	number = strtod(text, &end);
	if (end == text || *end != '\0')
		return NULL;
	return strchr(text, '.') == NULL ? json_integer((json_int_t)number) :
					   json_real(number);
}

static json_t *
add_word(json_t *to, const char *text)
{
	json_t *other = unquoted(text);

	to = add(to, json_string(text));
	return other == NULL ? to : add(to, other);
}

/* Adds to a list of alternatives, so that each word keeps its help. */
static json_t *
add_words(json_t *alternatives, const struct word *words)
{
	json_t *plain = json_array();

	for (const struct word *w = words; w->text != NULL; w++) {
		if (w->help == NULL) {
			plain = add_word(plain, w->text);
			continue;
		}
		alternatives = add(alternatives,
		    put_text(put(json_object(), "enum",
				 add_word(json_array(), w->text)),
			"description", w->help));
	}
	if (plain != NULL && json_array_size(plain) == 0) {
		json_decref(plain);
		return alternatives;
	}
	return add(alternatives, put(json_object(), "enum", plain));
}

/* One alternative needs no list of them. */
static json_t *
any_of(json_t *alternatives)
{
	json_t *only;

	if (json_array_size(alternatives) != 1)
		return put(json_object(), "anyOf", alternatives);
	only = json_incref(json_array_get(alternatives, 0));
	json_decref(alternatives);
	return only;
}

static json_t *
put_types(json_t *to, const char *const types[])
{
	json_t *list = json_array();

	for (size_t i = 0; types[i] != NULL; i++)
		list = add(list, json_string(types[i]));
	return put(to, "type", list);
}

/* A text of which an unquoted one may have become something else. */
static json_t *
any_text(void)
{
	static const char *const types[] = { "string", "number", "boolean",
		"null", NULL };

	return put_types(json_object(), types);
}

static json_t *
number_or_text(const char *number, const char *pattern)
{
	const char *const types[] = { number, "string", NULL };

	return put_text(put_types(json_object(), types), "pattern", pattern);
}

/* Binds numbers alone; those between quotes the loader looks at. */
static json_t *
put_range(json_t *to, const struct key *key)
{
	if (key->min > INT64_MIN)
		to = put_number(to, "minimum", key->min);
	return key->max < INT64_MAX ? put_number(to, "maximum", key->max) : to;
}

static json_t *
bool_form(const struct key *key)
{
	(void)key;
	return number_or_text("boolean", "^(true|false)$");
}

static json_t *
number_form(const struct key *key)
{
	return put_range(number_or_text("integer", "^[+-]?[0-9]+$"), key);
}

static json_t *
duration_form(const struct key *key)
{
	return put_text(of_type("string"), "pattern",
	    key->min < 0 ? "^[+-]?[0-9]+(ms|s|m|h|d|y)$" :
			   "^([+]?[0-9]+|-0+)(ms|s|m|h|d|y)$");
}

static json_t *
amount_form(const struct key *key)
{
	return put_range(number_or_text("integer",
			     "^([+-]?[0-9]+|([+]?0*(100|[0-9]{1,2})|-0+)%)$"),
	    key);
}

static json_t *
fraction_form(const struct key *key)
{
	(void)key;
	return put_number(put_number(number_or_text("number",
					 "^(0([.][0-9]{1,6})?|1([.]0{1,6})?)$"),
			      "minimum", 0),
	    "maximum", 1);
}

/* Bounds of `what`, "Length" or "Items"; 0: none. */
static json_t *
put_bounds(json_t *to, const char *what, const struct key *key)
{
	char name[NAME_SIZE];

	snprintf(name, sizeof(name), "min%s", what);
	if (key->min > 0)
		to = put_number(to, name, key->min);
	snprintf(name, sizeof(name), "max%s", what);
	return key->max > 0 ? put_number(to, name, key->max) : to;
}

static json_t *
ascii(void)
{
	return put_text(any_text(), "pattern", "^[ -~]*$");
}

static json_t *
text_form(const struct key *key)
{
	return put_bounds(ascii(), "Length", key);
}

/* Its bounds are octets, of which a character has up to four. */
static json_t *
body_form(const struct key *key)
{
	const struct key characters = { .min = (key->min + 3) / 4,
		.max = key->max };

	return put_bounds(any_text(), "Length", &characters);
}

/* Whether it is there, the loader knows. */
static json_t *
file_form(const struct key *key)
{
	(void)key;
	return any_text();
}

static json_t *
status_form(const struct key *key)
{
	(void)key;
	return put_number(put_number(number_or_text("number",
					 "^0*[1-9][0-9]{2}([.][0-9]+){0,2}$"),
			      "minimum", 100),
	    "exclusiveMaximum", 1000);
}

static json_t *
word_form(const struct key *key)
{
	return any_of(add_words(json_array(), key->words));
}

static json_t *
oid_form(const struct key *key)
{
	(void)key;
	return put_number(put_number(number_or_text("number", OID_PATTERN),
			      "minimum", 0),
	    "exclusiveMaximum", 3);
}

static json_t *
array_of(json_t *item)
{
	return put(of_type("array"), "items", item);
}

/* One may stand alone. */
static json_t *
list_form(json_t *one, const struct key *key)
{
	json_t *more = put_bounds(array_of(json_incref(one)), "Items", key);

	return put(json_object(), "anyOf", add(add(json_array(), one), more));
}

static json_t *
words_form(const struct key *key)
{
	return list_form(word_form(key), key);
}

static json_t *
numbers_form(const struct key *key)
{
	const struct key unbound = { .min = 0 };

	return list_form(number_form(key), &unbound);
}

static json_t *
texts_form(const struct key *key)
{
	return list_form(ascii(), key);
}

static json_t *
oids_form(const struct key *key)
{
	return list_form(oid_form(key), key);
}

static json_t *
pairs_form(const struct key *key)
{
	return put_bounds(put(of_type("object"), "additionalProperties",
			      ascii()),
	    "Properties", key);
}

static json_t *
period_form(const struct key *key)
{
	return put_number(put_number(array_of(duration_form(key)), "minItems",
			      2),
	    "maxItems", 2);
}

static const struct {
	json_t *(*form)(const struct key *);
} forms[] = {
	[VALUE_WORD] = { word_form },
	[VALUE_BOOL] = { bool_form },
	[VALUE_NUMBER] = { number_form },
	[VALUE_FRACTION] = { fraction_form },
	[VALUE_DURATION] = { duration_form },
	[VALUE_AMOUNT] = { amount_form },
	[VALUE_TEXT] = { text_form },
	[VALUE_BODY] = { body_form },
	[VALUE_FILE] = { file_form },
	[VALUE_STATUS] = { status_form },
	[VALUE_WORDS] = { words_form },
	[VALUE_NUMBERS] = { numbers_form },
	[VALUE_TEXTS] = { texts_form },
	[VALUE_OIDS] = { oids_form },
	[VALUE_PAIRS] = { pairs_form },
	[VALUE_PERIOD] = { period_form },
};

/* Lists have none here: editors would fill them in. */
static json_t *
put_default(json_t *form, const struct key *key)
{
	struct buffer text = { 0 };
	json_t *value;

	if (!key_default(key, &text))
		return form;
	buffer_add_byte(&text, '\0');
	if (text.failed) {
		json_decref(form);
		form = NULL;
	} else if (key->type != VALUE_TEXTS && key->type != VALUE_OIDS &&
	    key->type != VALUE_WORDS) {
		value = unquoted((char *)text.data);
		form = put(form, "default",
		    value != NULL ? value : json_string((char *)text.data));
	}
	buffer_free(&text);
	return form;
}

static json_t *
key_form(const struct key *key)
{
	json_t *form = put_default(forms[key->type].form(key), key);

	if (key->words != NULL && key->type != VALUE_WORD &&
	    key->type != VALUE_WORDS)
		form = any_of(add_words(add(json_array(), form), key->words));
	return put_text(form, "description", key->help);
}

/* A map that knows its keys. */
static json_t *
closed(json_t *properties)
{
	return put(put(of_type("object"), "properties", properties),
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
			properties = put(properties, name, key_form(key));
			continue;
		}
		if (json_object_get(properties, name) != NULL)
			continue;
		snprintf(section, sizeof(section), "%s%s", prefix, name);
		snprintf(deeper, sizeof(deeper), "%s.", section);
		properties = put(properties, name,
		    put_text(section_form(table, deeper), "description",
			table_section_help(section)));
	}
	return closed(properties);
}

static json_t *
version_form(void)
{
	return put(json_object(), "enum", add_word(json_array(), "1"));
}

static json_t *
name_form(void)
{
	return put_text(any_text(), "pattern",
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

static json_t *
switch_form(void)
{
	return bool_form(NULL);
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
		properties = put(properties, parts->name,
		    put_text(parts->form(), "description", parts->help));
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
		{ "continue", switch_form,
		    "Rules after this one may apply too" },
		{ "processed", switch_form,
		    "The server does its work although something else is "
		    "answered" },
		{ NULL, NULL, NULL },
	};

	return put_number(array_of(parts_form(parts)), "maxItems",
	    FAULT_RULES_MAX);
}

static const struct part top[] = {
	{ "mockndes", version_form, "The version of the language" },
	{ "name", name_form, "The name of the file, without .yaml" },
	{ "title", any_text, "What is wrong, in one line" },
	{ "description", any_text,
	    "What is wrong, why, how it shows, and what clients say to it" },
	{ "reference", reference_form, "Where it is documented" },
	{ "extends", any_text,
	    "Another scenario, by name or file, that this one begins with" },
	{ "server", server_form,
	    "The state of the server; what is not said is healthy" },
	{ "faults", faults_form,
	    "Rules, of which the first that matches applies" },
	{ NULL, NULL, NULL },
};

char *
scenario_json_schema(void)
{
	json_t *schema = parts_form(top), *head = json_object();
	char *text = NULL;

	schema = put(schema, "required",
	    add(add(json_array(), json_string("mockndes")),
		json_string("name")));
	head = put_text(head, "$schema", DIALECT);
	head = put_text(head, "title", "A scenario of mockndes");
	if (schema != NULL && json_object_update(head, schema) == 0)
		text = json_dumps(head,
		    JSON_INDENT(2) | JSON_REAL_PRECISION(6));
	json_decref(schema);
	json_decref(head);
	return text;
}
