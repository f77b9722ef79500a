/*
 * JSON Schema, piece by piece; for this folder alone. Without memory a piece is
 * NULL, and so is all that is made of it. Whatever is handed in is taken.
 */
#ifndef SCENARIO_JSON_FORMS_H
#define SCENARIO_JSON_FORMS_H

#include <jansson.h>

#include "base/value.h"

json_t *form_put(json_t *object, const char *name, json_t *value);
/* NULL: it stays as it is. */
json_t *form_put_text(json_t *object, const char *name, const char *text);
json_t *form_put_number(json_t *object, const char *name, int64_t number);
json_t *form_add(json_t *array, json_t *value);
/* A word, and what YAML makes of it when it is not quoted. */
json_t *form_add_word(json_t *array, const char *text);

json_t *form_of_type(const char *type);
json_t *form_array_of(json_t *item);
json_t *form_of_bool(void);
/* A text of which an unquoted one may have become something else. */
json_t *form_any_text(void);
json_t *form_of_key(const struct key *);

/* json_relations.c: what keys of a rule cannot mean together, a list. */
json_t *form_of_relations(void);

#endif
