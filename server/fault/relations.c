/* What cannot be meant: keys of a rule, and rules of a file, together. */
#include "fault/inside.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#define NAME_SIZE 96

static const struct fault_relation relations[] = {
	{ ONE_OF, "do.http.page do.http.body do.http.file do.http.redirect",
	    NULL, "an answer has one body" },
	{ NEEDS,
	    "do.http.as=app-proxy do.http.as=http-sys do.http.as=iis "
	    "do.http.as=mscep",
	    "do.http.status do.http.page do.http.body do.http.file "
	    "do.http.redirect",
	    "only such an answer has a layer of its own" },
	{ ONE_OF, "do.http.length do.http.length_off", NULL,
	    "an answer has one length" },
	{ ONE_OF,
	    "do.wire.hang do.wire.refuse do.wire.reset do.wire.close "
	    "do.wire.half_head do.wire.keep_open",
	    NULL, "a connection ends in one way" },
	{ EXCLUDES,
	    "do.wire.hang do.wire.refuse do.wire.reset=before "
	    "do.wire.close=before",
	    "do.http.* do.bytes.* do.wire.drip.* do.wire.pause.* "
	    "do.wire.garbage",
	    "nothing is sent" },
	{ EXCLUDES, "do.caps.answer",
	    "do.caps.list do.caps.add do.caps.remove do.caps.separator "
	    "do.caps.case do.caps.noise do.caps.final_newline",
	    "there are no words then" },
	{ EXCLUDES, "do.ca_certs.empty",
	    "do.ca_certs.order do.ca_certs.include do.ca_certs.exclude "
	    "do.ca_certs.ra do.ca_certs.ra_key_usage",
	    "there are no certificates then" },
	{ ONE_OF, "do.certificate.san do.certificate.san_dns", NULL,
	    "a certificate has one subjectAltName" },
	{ EXCLUDES, "do.scep.status", "do.certificate.*",
	    "no certificate is sent then" },
	{ ONE_OF, "when.first when.nth", NULL, "nth names them all" },
	{ ONE_OF, "when.every when.nth", NULL, "nth names them all" },
};

#define RELATIONS (sizeof(relations) / sizeof(relations[0]))

const struct fault_relation *
fault_relation_at(size_t row)
{
	return row < RELATIONS ? &relations[row] : NULL;
}

/* Edits of what only one operation answers. */
static const struct {
	unsigned stages;
	const char *operation;
} operations[] = {
	{ FAULT_CAPS, "GetCACaps" },
	{ FAULT_CA_CERTS, "GetCACert" },
	{ FAULT_APPROVAL | FAULT_CERTIFICATE | FAULT_SCEP, "PKIOperation" },
};
#define OPERATIONS (sizeof(operations) / sizeof(operations[0]))
#define OF_WORK                                                             \
	(FAULT_CAPS | FAULT_CA_CERTS | FAULT_APPROVAL | FAULT_CERTIFICATE | \
	    FAULT_SCEP)

/* A test or an edit, whichever it is. */
struct part {
	const char *where;
	const struct key *key;
	const struct value *value;
};

static bool
part_at(const struct fault_rule *rule, size_t i, struct part *out)
{
	if (i < rule->test_count)
		*out = (struct part){ "when", &rule->tests[i].kind->key,
			&rule->tests[i].value };
	else if (i - rule->test_count < rule->edit_count)
		*out = (struct part){ "do",
			&rule->edits[i - rule->test_count].kind->key,
			&rule->edits[i - rule->test_count].value };
	else
		return false;
	return true;
}

static bool
says(const struct part *p, const char *word, size_t len)
{
	const struct word *w = p->key->words;

	if (p->key->type != VALUE_WORD && !p->value->is_word)
		return false;
	for (; w != NULL && w->text != NULL; w++)
		if (w->value == p->value->number && strlen(w->text) == len &&
		    strncmp(w->text, word, len) == 0)
			return true;
	return false;
}

/* Whether it is one of the names; what is switched off is none. */
static bool
match(const char *names, const struct part *p)
{
	char glob[NAME_SIZE], name[NAME_SIZE];
	size_t len, before;

	if (p->key->type == VALUE_BOOL && p->value->number == 0)
		return false;
	snprintf(name, sizeof(name), "%s.%s", p->where, p->key->name);
	for (; *names != '\0'; names += len + (names[len] == ' ')) {
		len = strcspn(names, " ");
		before = strcspn(names, " =");
		snprintf(glob, sizeof(glob), "%.*s", (int)before, names);
		if (fnmatch(glob, name, 0) == 0 &&
		    (before == len ||
			says(p, names + before + 1, len - before - 1)))
			return true;
	}
	return false;
}

static bool
has(const struct fault_rule *rule, const char *names)
{
	struct part p;

	for (size_t i = 0; part_at(rule, i, &p); i++)
		if (match(names, &p))
			return true;
	return false;
}

static bool
is_before(const struct part *a, const struct part *b)
{
	const struct mark *x = &a->value->at, *y = &b->value->at;

	return x->line < y->line || (x->line == y->line && x->col < y->col);
}

/* The place is that of the later one. */
static void
say_both(const struct fault_relation *r, const struct part *a,
    const struct part *b, struct errors *errors)
{
	const struct part *first = is_before(a, b) ? a : b;
	const struct part *later = first == a ? b : a;

	errors_at(errors, &later->value->at,
	    "\"%s\" cannot stand beside \"%s\": %s", later->key->name,
	    first->key->name, r->why);
}

static void
check_excludes(const struct fault_rule *rule, const struct fault_relation *r,
    const struct part *p, struct errors *errors)
{
	struct part other;

	for (size_t i = 0; part_at(rule, i, &other); i++)
		if (other.key != p->key && match(r->others, &other))
			say_both(r, p, &other, errors);
}

static void
check_one_of(const struct fault_rule *rule, const struct fault_relation *r,
    struct errors *errors)
{
	struct part first, p;
	bool found = false;

	for (size_t i = 0; part_at(rule, i, &p); i++) {
		if (!match(r->keys, &p))
			continue;
		if (found)
			say_both(r, &first, &p, errors);
		else
			first = p;
		found = true;
	}
}

/* Of those that would do, the first is told. */
static void
say_missing(const struct fault_relation *r, const struct part *p,
    struct errors *errors)
{
	const char *other = strchr(r->others, '.') + 1;

	errors_at(errors, &p->value->at, "\"%s\" needs \"%.*s\": %s",
	    p->key->name, (int)strcspn(other, " ="), other, r->why);
}

static void
check_relation(const struct fault_rule *rule, const struct fault_relation *r,
    struct errors *errors)
{
	struct part p;

	if (r->kind == ONE_OF) {
		check_one_of(rule, r, errors);
		return;
	}
	for (size_t i = 0; part_at(rule, i, &p); i++) {
		if (!match(r->keys, &p))
			continue;
		if (r->kind == EXCLUDES)
			check_excludes(rule, r, &p, errors);
		else if (!has(rule, r->others))
			say_missing(r, &p, errors);
	}
}

/* Whether the words of `operation`, if there is one, have this one. */
static bool
may_be(const struct fault_rule *rule, const char *operation)
{
	for (size_t i = 0; i < rule->test_count; i++) {
		const struct fault_test *t = &rule->tests[i];
		const struct word *w = t->kind->key.words;

		if (strcmp(t->kind->key.name, "operation") != 0)
			continue;
		while (w->text != NULL && strcmp(w->text, operation) != 0)
			w++;
		for (size_t n = 0; n < t->value.count; n++)
			if (w->text != NULL && t->value.numbers[n] == w->value)
				return true;
		return false;
	}
	return true;
}

/* What waits for a message is a PKIOperation. */
static bool
needs_message(const struct fault_rule *rule)
{
	for (size_t i = 0; i < rule->test_count; i++)
		if (rule->tests[i].kind->needs_message)
			return true;
	return false;
}

static void
check_operation(const struct fault_rule *rule, const struct fault_edit *e,
    struct errors *errors)
{
	for (size_t i = 0; i < OPERATIONS; i++) {
		const char *name = operations[i].operation;

		if ((e->kind->stages & ~operations[i].stages) != 0)
			continue;
		if (!may_be(rule, name) ||
		    (needs_message(rule) && strcmp(name, "PKIOperation") != 0))
			errors_at(errors, &e->value.at,
			    "\"%s\" is of %s, which this rule is not for",
			    e->kind->key.name, name);
	}
}

static const struct fault_edit *
find_instead(const struct fault_rule *rule)
{
	for (size_t i = 0; i < rule->edit_count; i++) {
		const struct fault_edit *e = &rule->edits[i];

		if (e->kind->instead != NULL && e->kind->instead(&e->value))
			return e;
	}
	return NULL;
}

/* What changes an answer that is never given. */
static void
check_work(const struct fault_rule *rule, struct errors *errors)
{
	const struct fault_edit *instead = find_instead(rule);

	if (rule->processed && instead == NULL)
		errors_at(errors, &rule->at,
		    "\"processed\" needs something in place of an answer, such "
		    "as \"http.status\"");
	for (size_t i = 0; i < rule->edit_count; i++) {
		const struct fault_edit *e = &rule->edits[i];

		check_operation(rule, e, errors);
		if (instead != NULL && (e->kind->stages & ~OF_WORK) == 0)
			errors_at(errors, &e->value.at,
			    "\"%s\" changes what \"%s\" takes the place of",
			    e->kind->key.name, instead->kind->key.name);
	}
}

void
fault_check_rule(const struct fault_rule *rule, struct errors *errors)
{
	for (size_t i = 0; i < RELATIONS; i++)
		check_relation(rule, &relations[i], errors);
	check_work(rule, errors);
}

/* What is extended may well be hidden. */
void
fault_check_order(const struct faults *faults, struct errors *errors)
{
	const struct fault_rule *all = NULL, *rule;

	for (size_t i = 0; i < faults->count; i++) {
		rule = &faults->rules[i];
		if (all != NULL && rule->at.file == all->at.file)
			errors_at(errors, &rule->at,
			    "no exchange comes to this rule: that of line %d "
			    "takes them all",
			    all->at.line);
		else if (rule->test_count == 0 && !rule->goes_on)
			all = rule;
	}
}
