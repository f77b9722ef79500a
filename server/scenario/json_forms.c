/* Values of keys as JSON Schema, a form for each type. */
#include "scenario/json_forms.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario/tables.h"

#define NAME_SIZE 128
#define OID_PATTERN "^[012]([.](0|[1-9][0-9]*))+$"

json_t *
form_put(json_t *to, const char *name, json_t *value)
{
	if (json_object_set_new(to, name, value) == 0)
		return to;
	json_decref(to);
	return NULL;
}

json_t *
form_add(json_t *to, json_t *value)
{
	if (json_array_append_new(to, value) == 0)
		return to;
	json_decref(to);
	return NULL;
}

json_t *
form_put_text(json_t *to, const char *name, const char *text)
{
	return text == NULL ? to : form_put(to, name, json_string(text));
}

json_t *
form_put_number(json_t *to, const char *name, int64_t number)
{
	return form_put(to, name, json_integer(number));
}

json_t *
form_of_type(const char *type)
{
	return form_put_text(json_object(), "type", type);
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

json_t *
form_add_word(json_t *to, const char *text)
{
	json_t *other = unquoted(text);

	to = form_add(to, json_string(text));
	return other == NULL ? to : form_add(to, other);
}

/* Editors show what stands in enumDescriptions; JSON Schema ignores it. */
static json_t *
words_form(const struct word *words)
{
	json_t *texts = json_array(), *helps = json_array(), *form;
	bool explained = false;

	for (const struct word *w = words; w->text != NULL; w++) {
		explained |= w->help != NULL;
		texts = form_add_word(texts, w->text);
		while (helps != NULL &&
		    json_array_size(helps) < json_array_size(texts))
			helps = form_add(helps,
			    json_string(w->help != NULL ? w->help : ""));
	}
	form = form_put(json_object(), "enum", texts);
	if (explained)
		return form_put(form, "enumDescriptions", helps);
	json_decref(helps);
	return form;
}

static json_t *
put_types(json_t *to, const char *const types[])
{
	json_t *list = json_array();

	for (size_t i = 0; types[i] != NULL; i++)
		list = form_add(list, json_string(types[i]));
	return form_put(to, "type", list);
}

json_t *
form_any_text(void)
{
	static const char *const types[] = { "string", "number", "boolean",
		"null", NULL };

	return form_put_text(put_types(json_object(), types), "pattern",
	    "^[^\\u0000]*$");
}

static json_t *
number_or_text(const char *number, const char *pattern)
{
	const char *const types[] = { number, "string", NULL };

	return form_put_text(put_types(json_object(), types), "pattern",
	    pattern);
}

/* Binds numbers alone; those between quotes the loader looks at. */
static json_t *
put_range(json_t *to, const struct key *key)
{
	if (key->min > INT64_MIN)
		to = form_put_number(to, "minimum", key->min);
	return key->max < INT64_MAX ? form_put_number(to, "maximum", key->max) :
				      to;
}

json_t *
form_of_bool(void)
{
	return number_or_text("boolean", "^(true|false)$");
}

static json_t *
bool_form(const struct key *key)
{
	(void)key;
	return form_of_bool();
}

static json_t *
number_form(const struct key *key)
{
	return put_range(number_or_text("integer", "^[+-]?[0-9]+$"), key);
}

static json_t *
duration_form(const struct key *key)
{
	return form_put_text(form_of_type("string"), "pattern",
	    key->min < 0 ? "^[+-]?[0-9]+(ms|s|m|h|d|y)$" :
			   "^([+]?[0-9]+|-0+)(ms|s|m|h|d|y)$");
}

static json_t *
amount_form(const struct key *key)
{
	return put_range(
	    number_or_text("integer",
		key->min > 0 ? "^([+-]?[0-9]+|[+]?0*(100|[1-9][0-9]?)%)$" :
			       "^([+-]?[0-9]+|([+]?0*(100|[0-9]{1,2})|-0+)%)$"),
	    key);
}

static json_t *
fraction_form(const struct key *key)
{
	(void)key;
	return form_put_number(
	    form_put_number(number_or_text("number",
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
		to = form_put_number(to, name, key->min);
	snprintf(name, sizeof(name), "max%s", what);
	return key->max > 0 ? form_put_number(to, name, key->max) : to;
}

static json_t *
ascii(void)
{
	return form_put_text(form_any_text(), "pattern", "^[ -~]*$");
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

	return put_bounds(form_any_text(), "Length", &characters);
}

/* Whether it is there, the loader knows. */
static json_t *
file_form(const struct key *key)
{
	(void)key;
	return form_any_text();
}

static json_t *
status_form(const struct key *key)
{
	(void)key;
	return form_put_number(
	    form_put_number(number_or_text("number",
				"^0*[2-9][0-9]{2}([.][0-9]+){0,2}$"),
		"minimum", 200),
	    "exclusiveMaximum", 1000);
}

static json_t *
word_form(const struct key *key)
{
	return words_form(key->words);
}

static json_t *
oid_form(const struct key *key)
{
	(void)key;
	return form_put_number(form_put_number(number_or_text("number",
						   OID_PATTERN),
				   "minimum", 0),
	    "exclusiveMaximum", 3);
}

json_t *
form_array_of(json_t *item)
{
	return form_put(form_of_type("array"), "items", item);
}

/* One may stand alone. */
static json_t *
list_form(json_t *one, const struct key *key)
{
	json_t *more = put_bounds(form_array_of(json_incref(one)), "Items",
	    key);

	return form_put(json_object(), "anyOf",
	    form_add(form_add(json_array(), one), more));
}

static json_t *
list_of_words_form(const struct key *key)
{
	return list_form(word_form(key), key);
}

static json_t *
numbers_form(const struct key *key)
{
	const struct key unbound = { .min = 1 };

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
	return put_bounds(form_put(form_of_type("object"),
			      "additionalProperties", ascii()),
	    "Properties", key);
}

static json_t *
period_form(const struct key *key)
{
	return form_put_number(
	    form_put_number(form_array_of(duration_form(key)), "minItems", 2),
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
	[VALUE_WORDS] = { list_of_words_form },
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
		form = form_put(form, "default",
		    value != NULL ? value : json_string((char *)text.data));
	}
	buffer_free(&text);
	return form;
}

json_t *
form_of_key(const struct key *key)
{
	json_t *form = put_default(forms[key->type].form(key), key);

	if (key->words != NULL && key->type != VALUE_WORD &&
	    key->type != VALUE_WORDS)
		form = form_put(json_object(), "anyOf",
		    form_add(form_add(json_array(), form),
			words_form(key->words)));
	return form_put_text(form, "description", key->help);
}
