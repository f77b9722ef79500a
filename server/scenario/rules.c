/* `faults:`: rules, by the tables of the fault room. */
#include "scenario/inside.h"

#include <stdlib.h>
#include <string.h>

static const struct key *
condition_key_at(size_t row)
{
	const struct fault_condition *c = fault_condition_at(row);

	return c == NULL ? NULL : &c->key;
}

static const struct key *
kind_key_at(size_t row)
{
	const struct fault_kind *k = fault_kind_at(row);

	return k == NULL ? NULL : &k->key;
}

static void
put_test(struct loading *l, void *to, size_t row, struct value *v)
{
	struct fault_rule *rule = to;
	struct fault_test *tests = reallocarray(rule->tests,
	    rule->test_count + 1, sizeof(*tests));

	if (tests == NULL) {
		errors_at(l->errors, &v->at, "out of memory");
		value_clear(v);
		return;
	}
	rule->tests = tests;
	tests[rule->test_count].kind = fault_condition_at(row);
	tests[rule->test_count++].value = *v;
}

static void
put_edit(struct loading *l, void *to, size_t row, struct value *v)
{
	struct fault_rule *rule = to;
	struct fault_edit *edits = reallocarray(rule->edits,
	    rule->edit_count + 1, sizeof(*edits));

	if (edits == NULL) {
		errors_at(l->errors, &v->at, "out of memory");
		value_clear(v);
		return;
	}
	rule->edits = edits;
	edits[rule->edit_count].kind = fault_kind_at(row);
	edits[rule->edit_count++].value = *v;
}

static const struct key_table conditions = { condition_key_at, put_test };
static const struct key_table kinds = { kind_key_at, put_edit };

static void
read_part(struct loading *l, const char *name, const struct key_table *table,
    const struct yaml *node, struct fault_rule *rule)
{
	if (node->kind == YAML_MAP)
		keys_read(l, table, node, rule);
	else if (node->kind != YAML_BROKEN)
		errors_at(l->errors, &node->at, "\"%s\" takes keys of its own",
		    name);
}

static bool
read_switch(struct loading *l, const char *name, const struct yaml *node)
{
	const struct key key = { .name = name, .type = VALUE_BOOL };
	struct value v;

	return value_read(l, &key, node, &v) == 0 && v.number != 0;
}

static void
read_rule(struct loading *l, const struct yaml *node, struct fault_rule *rule)
{
	static const char *const names[] = { "when", "do", "continue",
		"processed", NULL };
	size_t before = l->errors->count;

	rule->at = node->at;
	for (size_t i = 0; i < node->count; i++) {
		const struct yaml *key = node->keys[i], *item = node->items[i];

		if (strcmp(key->text, "when") == 0)
			read_part(l, "when", &conditions, item, rule);
		else if (strcmp(key->text, "do") == 0)
			read_part(l, "do", &kinds, item, rule);
		else if (strcmp(key->text, "continue") == 0)
			rule->goes_on = read_switch(l, "continue", item);
		else if (strcmp(key->text, "processed") == 0)
			rule->processed = read_switch(l, "processed", item);
		else
			keys_unknown(l, &key->at, key->text, names);
	}
	/* Of a map with a key that is wrong, enough has been said. */
	if (yaml_get(node, "do") == NULL && l->errors->count == before)
		errors_at(l->errors, &node->at,
		    "a rule without \"do\" does nothing; \"do: {}\" would spare "
		    "those it is for the rules after it");
}

/* Room for those of the list, in front of the others. */
static int
make_room(struct loading *l, const struct yaml *list)
{
	struct faults *f = &l->out->faults;
	struct fault_rule *rules;

	if (list->count + f->count > FAULT_RULES_MAX)
		return errors_at(l->errors, &list->at,
		    "%zu rules, more than the %d that there may be",
		    list->count + f->count, FAULT_RULES_MAX);
	if (list->count == 0)
		return 0;
	rules = reallocarray(f->rules, f->count + list->count, sizeof(*rules));
	if (rules == NULL)
		return errors_at(l->errors, &list->at, "out of memory");
	memmove(rules + list->count, rules, f->count * sizeof(*rules));
	memset(rules, 0, list->count * sizeof(*rules));
	f->rules = rules;
	f->count += list->count;
	return 0;
}

void
rules_read(struct loading *l, const struct yaml *list)
{
	if (list->kind == YAML_BROKEN)
		return;
	if (list->kind != YAML_LIST) {
		errors_at(l->errors, &list->at,
		    "\"faults\" takes a list, "
		    "- when: {...}");
		return;
	}
	if (make_room(l, list) == -1)
		return;
	for (size_t i = 0; i < list->count; i++) {
		const struct yaml *node = list->items[i];

		if (node->kind == YAML_MAP)
			read_rule(l, node, &l->out->faults.rules[i]);
		else if (node->kind != YAML_BROKEN)
			errors_at(l->errors, &node->at,
			    "a rule is a map, {when: ..., do: ...}");
	}
}
