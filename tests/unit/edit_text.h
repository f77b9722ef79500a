/*
 * Rows of the tables below `do:`, applied by their names. What a row takes is
 * a text: a word, a number, "50%", "500.0.1346", "A: b, C: d", or literally.
 */
#ifndef UNIT_EDIT_TEXT_H
#define UNIT_EDIT_TEXT_H

#include "unit/exchanges.h"

#include "fault/fault.h"

#define EDITS_LIST 32 /* texts of one value */

struct edit {
	const char *key, *value; /* NULL ends a list of them */
};

static inline const struct fault_kind *
edit_kind(const char *key)
{
	const struct fault_kind *k;

	for (size_t i = 0; (k = fault_kind_at(i)) != NULL; i++)
		if (strcmp(k->key.name, key) == 0)
			return k;
	fail_msg("there is no %s", key);
	return NULL;
}

static inline bool
edit_read_word(const struct key *key, struct value *v, const char *text)
{
	for (const struct word *w = key->words; w != NULL && w->text != NULL;
	     w++)
		if (strcmp(w->text, text) == 0) {
			v->number = w->value;
			v->is_word = true;
			return true;
		}
	return false;
}

/* Splits a copy of the text, "A: b, C: d", in place. */
static inline void
edit_read_texts(struct value *v, bool pairs)
{
	char *save, *item = strtok_r(v->text, ",", &save), *colon;

	v->texts = calloc(EDITS_LIST, sizeof(v->texts[0]));
	for (; item != NULL; item = strtok_r(NULL, ",", &save)) {
		item += strspn(item, " ");
		if (pairs && (colon = strstr(item, ": ")) != NULL) {
			*colon = '\0';
			v->texts[v->count++] = strdup(item);
			item = colon + 2;
		}
		v->texts[v->count++] = strdup(item);
		assert_in_range(v->count, 1, EDITS_LIST - 2);
	}
}

static inline void
edit_read_status(struct value *v)
{
	char *at = v->text;

	v->numbers = calloc(3, sizeof(v->numbers[0]));
	v->count = 3;
	for (size_t i = 0; i < 3 && *at != '\0'; i++, at += *at == '.')
		v->numbers[i] = strtoll(at, &at, 10);
}

/* The caller clears it. */
static inline struct value
edit_value(const struct key *key, const char *text)
{
	struct value v = { .text = strdup(text), .length = strlen(text) };
	char *end;

	assert_non_null(v.text);
	switch (key->type) {
	case VALUE_STATUS:
		edit_read_status(&v);
		break;
	case VALUE_TEXTS:
	case VALUE_PAIRS:
		edit_read_texts(&v, key->type == VALUE_PAIRS);
		break;
	case VALUE_BOOL:
		v.number = strcmp(text, "true") == 0;
		break;
	case VALUE_NUMBER:
	case VALUE_AMOUNT:
		if (edit_read_word(key, &v, text))
			break;
		v.number = strtoll(text, &end, 10);
		v.is_percent = *end == '%';
		break;
	case VALUE_WORD:
		assert_true(edit_read_word(key, &v, text));
		break;
	default:
		break;
	}
	return v;
}

/* -1: it could not be done. */
static inline int
edit_try(struct fault_context *ctx, const char *key, const struct value *v,
    void *plan)
{
	const struct fault_kind *k = edit_kind(key);

	ctx->stage = (enum fault_stage)k->stages;
	return k->apply(ctx, v, plan);
}

/* All of a list that are of this stage; what they made is borrowed of `v`. */
#define EDITS_MAX 8
struct edits {
	struct value values[EDITS_MAX];
	size_t count;
};
static inline struct edits
edits_apply(const struct edit *list, struct fault_context *ctx, unsigned stage,
    void *plan)
{
	struct edits done = { .count = 0 };

	for (; list->key != NULL; list++) {
		const struct fault_kind *k = edit_kind(list->key);

		assert_in_range(done.count, 0, EDITS_MAX - 1);
		if (k->stages != stage)
			continue;
		done.values[done.count] = edit_value(&k->key, list->value);
		assert_int_equal(edit_try(ctx, list->key,
				     &done.values[done.count++], plan),
		    0);
	}
	return done;
}

static inline void
edits_clear(struct edits *e)
{
	while (e->count > 0)
		value_clear(&e->values[--e->count]);
}

/*
 * Fails for each key that begins so, and each word of it, of which has_row()
 * knows no row; `word` is NULL for the key itself.
 */
static inline void
edits_must_have_rows(const char *section,
    bool (*has_row)(const char *key, const char *word))
{
	const struct fault_kind *k;
	size_t found = 0;

	for (size_t i = 0; (k = fault_kind_at(i)) != NULL; i++) {
		if (strncmp(k->key.name, section, strlen(section)) != 0)
			continue;
		found++;
		if (!has_row(k->key.name, NULL))
			fail_msg("no row for %s", k->key.name);
		for (const struct word *w = k->key.words;
		     w != NULL && w->text != NULL; w++)
			if (!has_row(k->key.name, w->text))
				fail_msg("no row for %s: %s", k->key.name,
				    w->text);
	}
	assert_in_range(found, 2, 1000);
}

#endif
