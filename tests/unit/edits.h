/*
 * Edits of a rule from a line of text, by the table of kinds alone:
 * "certificate.key=other; certificate.san=dropped". Lists have commas,
 * durations are seconds. What a line names is remembered, so that a test can
 * ask for what no line has named.
 */
#ifndef UNIT_EDITS_H
#define UNIT_EDITS_H

#include "unit/rows.h"

#include "fault/fault.h"

#define EDITS_MAX 8
#define EDITS_LIST 40 /* of one value */
#define EDITS_KINDS 400
#define EDITS_SEED 4711

/* Words of each kind that have been named; bit 63: the kind itself. */
static uint64_t edits_seen[EDITS_KINDS];

static inline size_t
edits_kind(const char *name, size_t len)
{
	const struct fault_kind *k;

	for (size_t i = 0; (k = fault_kind_at(i)) != NULL; i++)
		if (strlen(k->key.name) == len &&
		    memcmp(k->key.name, name, len) == 0)
			return i;
	fail_msg("there is no key %.*s", (int)len, name);
	return 0;
}

static inline int64_t
edits_word(size_t row, const char *text, size_t len)
{
	const struct key *key = &fault_kind_at(row)->key;

	for (int i = 0; key->words[i].text != NULL; i++)
		if (strlen(key->words[i].text) == len &&
		    memcmp(key->words[i].text, text, len) == 0) {
			edits_seen[row] |= UINT64_C(1) << i;
			return key->words[i].value;
		}
	fail_msg("%s: no word %.*s", key->name, (int)len, text);
	return 0;
}

static inline char *
edits_copy(const char *text, size_t len)
{
	char *copy = strndup(text, len);

	assert_non_null(copy);
	return copy;
}

static inline void
edits_list(size_t row, struct value *v, const char *text, size_t len)
{
	const char *end = text + len;
	size_t part;

	v->numbers = calloc(EDITS_LIST, sizeof(*v->numbers));
	v->texts = calloc(EDITS_LIST, sizeof(*v->texts));
	assert_non_null(v->numbers);
	assert_non_null(v->texts);
	for (; text < end; text += part + 1) {
		part = strcspn(text, ",;");
		assert_in_range(v->count, 0, EDITS_LIST - 1);
		if (fault_kind_at(row)->key.type == VALUE_WORDS)
			v->numbers[v->count] = edits_word(row, text, part);
		else
			v->texts[v->count] = edits_copy(text, part);
		v->count++;
	}
	if (fault_kind_at(row)->key.type == VALUE_WORDS) {
		free(v->texts);
		v->texts = NULL;
	}
}

static inline struct value
edits_value(size_t row, const char *text, size_t len)
{
	struct value v = { .at = { "x.yaml", 1, 1 } };

	edits_seen[row] |= UINT64_C(1) << 63;
	switch (fault_kind_at(row)->key.type) {
	case VALUE_WORD:
		v.number = edits_word(row, text, len);
		break;
	case VALUE_BOOL:
		v.number = len == 4 && memcmp(text, "true", 4) == 0;
		break;
	case VALUE_NUMBER:
		v.number = strtoll(text, NULL, 10);
		break;
	case VALUE_DURATION:
		v.number = 1000 * strtoll(text, NULL, 10);
		break;
	case VALUE_TEXT:
		v.text = edits_copy(text, len);
		v.length = len;
		break;
	default:
		edits_list(row, &v, text, len);
	}
	return v;
}

/* One rule; for faults_clear(). */
static inline struct faults
edits_make(const char *text)
{
	struct faults f = { .rules = calloc(1, sizeof(*f.rules)), .count = 1 };
	struct fault_edit *edits = calloc(EDITS_MAX, sizeof(*edits));
	struct errors errors = { 0 };
	size_t len, name;

	assert_non_null(f.rules);
	assert_non_null(f.rules[0].edits = edits);
	for (; *text != '\0'; text += len, text += strspn(text, "; ")) {
		struct fault_edit *e = &edits[f.rules[0].edit_count++];
		size_t row;

		assert_in_range(f.rules[0].edit_count, 1, EDITS_MAX);
		len = strcspn(text, ";");
		name = strcspn(text, "=");
		assert_in_range(name, 1, len - 1);
		row = edits_kind(text, name);
		e->kind = fault_kind_at(row);
		e->value = edits_value(row, text + name + 1, len - name - 1);
	}
	faults_finish(&f, &errors);
	if (errors.count > 0)
		fail_msg("%s", errors.list[0].text);
	return f;
}

/* The count-th exchange to which they apply. */
static inline int
edits_apply_count(const struct faults *f, struct exchange *ex,
    const struct credentials *cred, enum fault_stage stage, uint32_t count,
    void *plan, struct error *err)
{
	struct fault_context ctx = { .exchange = ex,
		.credentials = cred,
		.stage = stage,
		.err = err };

	ex->decision = (struct decision){ .made = true };
	ex->decision.rules[0] = RULE_APPLIES;
	ex->decision.counts[0] = count;
	return faults_apply(f, EDITS_SEED, &ctx, plan);
}

static inline int
edits_apply(const struct faults *f, struct exchange *ex,
    const struct credentials *cred, enum fault_stage stage, void *plan,
    struct error *err)
{
	return edits_apply_count(f, ex, cred, stage, 1, plan, err);
}

/* Fails for each key of the section, and each word of it, without a line. */
static inline void
edits_must_be_complete(const char *section)
{
	const struct fault_kind *k;
	size_t kinds = 0;

	for (size_t i = 0; (k = fault_kind_at(i)) != NULL; i++) {
		if (strncmp(k->key.name, section, strlen(section)) != 0)
			continue;
		kinds++;
		assert_in_range(i, 0, EDITS_KINDS - 1);
		assert_non_null(k->key.help);
		if (edits_seen[i] >> 63 == 0)
			fail_msg("%s is not tested", k->key.name);
		for (int w = 0;
		     k->key.words != NULL && k->key.words[w].text != NULL; w++)
			if ((edits_seen[i] >> w & 1) == 0)
				fail_msg("%s: %s is not tested", k->key.name,
				    k->key.words[w].text);
	}
	assert_in_range(kinds, 1, EDITS_KINDS);
}

#endif
