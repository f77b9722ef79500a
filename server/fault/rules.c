/* Rules: what follows from their rows, and what they do. */
#include "fault/inside.h"

#include <stdlib.h>
#include <string.h>

static const struct fault_section *const sections[] = { &fault_http,
	&fault_caps, &fault_ca_certs, &fault_certificate, &fault_scep,
	&fault_scep_seal, &fault_scep_attributes, &fault_bytes, &fault_wire };
#define SECTIONS (sizeof(sections) / sizeof(sections[0]))

const struct fault_kind *
fault_kind_at(size_t at)
{
	for (size_t i = 0; i < SECTIONS; at -= sections[i++]->count)
		if (at < sections[i]->count)
			return &sections[i]->kinds[at];
	return NULL;
}

bool
fault_always(const struct value *value)
{
	(void)value;
	return true;
}

uint64_t
fault_mix(uint64_t seed, size_t rule, uint32_t count)
{
	uint64_t x = seed + 0x9e3779b97f4a7c15U * (rule + 1) +
	    0xd1b54a32d192ed03U * count;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9U;
	x = (x ^ x >> 27) * 0x94d049bb133111ebU;
	return x ^ x >> 31;
}

uint64_t
fault_draw(struct fault_context *ctx)
{
	return ctx->draw = fault_mix(ctx->draw, 0, 1);
}

static size_t
place(const struct fault_kind *kind)
{
	size_t i = 0;

	while (fault_kind_at(i) != kind)
		i++;
	return i;
}

static int
compare_edits(const void *a, const void *b)
{
	const struct fault_edit *x = a, *y = b;
	size_t i = place(x->kind), k = place(y->kind);

	return (i > k) - (i < k);
}

/* What the type of a value does not say. */
static const struct {
	const char *key;
	int (*check)(const struct value *, struct error *);
} checks[] = {
	{ "certificate.subject", fault_check_subject },
};

static void
check_edit(const struct fault_edit *e, struct errors *errors)
{
	struct error err = { 0 };

	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
		if (strcmp(checks[i].key, e->kind->key.name) == 0 &&
		    checks[i].check(&e->value, &err) == -1)
			errors_at(errors, &e->value.at, "%s", err.text);
}

/* In YAML the keys of a map have no order; here the tables give them one. */
static void
finish_rule(struct fault_rule *rule, struct errors *errors)
{
	fault_when_finish(rule, errors);
	if (rule->edit_count > 1)
		qsort(rule->edits, rule->edit_count, sizeof(rule->edits[0]),
		    compare_edits);
	for (size_t i = 0; i < rule->edit_count; i++) {
		const struct fault_edit *e = &rule->edits[i];

		rule->stages |= e->kind->stages;
		check_edit(e, errors);
		if (e->kind->instead != NULL && e->kind->instead(&e->value))
			rule->instead = true;
	}
}

void
faults_finish(struct faults *faults, struct errors *errors)
{
	for (size_t i = 0; i < faults->count; i++) {
		finish_rule(&faults->rules[i], errors);
		fault_check_rule(&faults->rules[i], errors);
		faults->stages |= faults->rules[i].stages;
		faults->needs_message |= faults->rules[i].needs_message;
	}
	fault_check_order(faults, errors);
}

void
faults_clear(struct faults *faults)
{
	for (size_t i = 0; i < faults->count; i++) {
		struct fault_rule *rule = &faults->rules[i];

		for (size_t t = 0; t < rule->test_count; t++)
			value_clear(&rule->tests[t].value);
		for (size_t e = 0; e < rule->edit_count; e++)
			value_clear(&rule->edits[e].value);
		free(rule->tests);
		free(rule->edits);
	}
	free(faults->rules);
	*faults = (struct faults){ 0 };
}

static int
apply_rule(const struct fault_rule *rule, struct fault_context *ctx, void *plan)
{
	for (size_t i = 0; i < rule->edit_count; i++) {
		const struct fault_edit *e = &rule->edits[i];

		if ((e->kind->stages & ctx->stage) != 0 &&
		    e->kind->apply(ctx, &e->value, plan) == -1)
			return error_set(ctx->err, "%s could not be done",
			    e->kind->key.name);
	}
	return 0;
}

int
faults_apply(const struct faults *faults, uint64_t seed,
    struct fault_context *ctx, void *plan)
{
	const struct decision *d = &ctx->exchange->decision;

	if (!d->made || (faults->stages & ctx->stage) == 0)
		return 0;
	for (size_t i = 0; i < faults->count; i++) {
		if (d->rules[i] != RULE_APPLIES ||
		    (ctx->stage == FAULT_ORDER && !faults->rules[i].instead))
			continue;
		ctx->draw = fault_mix(seed, i, d->counts[i]) ^ ctx->stage;
		if (apply_rule(&faults->rules[i], ctx, plan) == -1)
			return -1;
		if (ctx->stage == FAULT_ORDER)
			break;
	}
	return 0;
}
