/*
 * Rules of a scenario from a line of text, by the table of conditions alone:
 * "operation=PKIOperation, browse; first=2". A rule may begin with "continue",
 * "instead" and "processed". Values are in the units of struct value: ms,
 * octets; of a fraction, as a scenario has it.
 */
#ifndef UNIT_RULES_H
#define UNIT_RULES_H

#include "unit/exchanges.h"

#include "fault/fault.h"

#define RULES_SEED 7
#define RULES_SERVICE "/certsrv/mscep/mscep.dll"
#define RULES_FILE "scenarios/x.yaml"
#define RULES_TESTS 8
#define RULES_LIST 8 /* of one value */

static inline char *
rules_copy(const char *text, size_t len)
{
	char *copy = strndup(text, len);

	assert_non_null(copy);
	return copy;
}

static inline const struct fault_condition *
rules_condition(const char *name, size_t len)
{
	const struct fault_condition *c;

	for (size_t i = 0; (c = fault_condition_at(i)) != NULL; i++)
		if (strlen(c->key.name) == len &&
		    memcmp(c->key.name, name, len) == 0)
			return c;
	fail_msg("there is no condition %.*s", (int)len, name);
	return NULL;
}

static inline int64_t
rules_word(const struct key *key, const char *text, size_t len)
{
	for (const struct word *w = key->words; w->text != NULL; w++)
		if (strlen(w->text) == len && memcmp(w->text, text, len) == 0)
			return w->value;
	fail_msg("%s: no word %.*s", key->name, (int)len, text);
	return 0;
}

static inline int64_t
rules_number(const struct key *key, const char *text, size_t len)
{
	char *copy = rules_copy(text, len);
	double number = strtod(copy, NULL);

	free(copy);
	return (
	    int64_t)(key->type == VALUE_FRACTION ? number * 1e6 + .5 : number);
}

static inline void
rules_add(const struct key *key, struct value *v, const char *text, size_t len)
{
	const char *colon;

	assert_in_range(v->count, 0, RULES_LIST - 2);
	switch (key->type) {
	case VALUE_WORDS:
		v->numbers[v->count++] = rules_word(key, text, len);
		break;
	case VALUE_PAIRS:
		assert_non_null(colon = memchr(text, ':', len));
		v->texts[v->count++] = rules_copy(text, (size_t)(colon - text));
		v->texts[v->count++] = rules_copy(colon + 1,
		    (size_t)(text + len - colon - 1));
		break;
	default: /* numbers */
		v->numbers[v->count++] = rules_number(key, text, len);
	}
}

static inline void
rules_list(const struct key *key, struct value *v, const char *text, size_t len)
{
	const char *end = text + len;
	size_t part;

	v->numbers = calloc(RULES_LIST, sizeof(*v->numbers));
	if (key->type == VALUE_PAIRS)
		v->texts = calloc(RULES_LIST, sizeof(*v->texts));
	for (; text < end; text += part + 2) {
		part = strcspn(text, ",;");
		rules_add(key, v, text, part);
	}
}

static inline struct value
rules_value(const struct key *key, const char *text, size_t len, int line)
{
	struct value v = { .at = { RULES_FILE, line, 1 } };

	switch (key->type) {
	case VALUE_WORD:
		v.number = rules_word(key, text, len);
		break;
	case VALUE_TEXT:
		v.text = rules_copy(text, len);
		v.length = len;
		break;
	case VALUE_NUMBER:
	case VALUE_DURATION:
	case VALUE_FRACTION:
		v.number = rules_number(key, text, len);
		break;
	default:
		rules_list(key, &v, text, len);
	}
	return v;
}

static inline int
rules_do_nothing(struct fault_context *ctx, const struct value *v, void *plan)
{
	(void)ctx, (void)v, (void)plan;
	return 0;
}

static const struct fault_kind rules_instead = {
	.key = { "instead", VALUE_BOOL, NULL, 0, 0, NULL },
	.stages = FAULT_ORDER,
	.instead = fault_always,
	.apply = rules_do_nothing,
};

static inline bool
rules_flag(const char **text, const char *flag)
{
	size_t len = strlen(flag);

	if (strncmp(*text, flag, len) != 0)
		return false;
	*text += len;
	*text += strspn(*text, " ");
	return true;
}

static inline void
rules_fill(struct fault_rule *rule, const char *text, int line)
{
	const char *equals;
	size_t len;

	rule->at = (struct mark){ RULES_FILE, line, 3 };
	rule->goes_on = rules_flag(&text, "continue");
	if (rules_flag(&text, "instead")) {
		rule->edits = calloc(1, sizeof(*rule->edits));
		rule->edits[rule->edit_count++].kind = &rules_instead;
	}
	rule->processed = rules_flag(&text, "processed");
	rule->tests = calloc(RULES_TESTS, sizeof(*rule->tests));
	for (; *text != '\0'; text += len, text += strspn(text, "; ")) {
		struct fault_test *t = &rule->tests[rule->test_count++];

		assert_in_range(rule->test_count, 1, RULES_TESTS);
		len = strcspn(text, ";");
		assert_non_null(equals = memchr(text, '=', len));
		t->kind = rules_condition(text, (size_t)(equals - text));
		t->value = rules_value(&t->kind->key, equals + 1,
		    (size_t)(text + len - equals - 1), line);
	}
}

/* Lines are 10, 20, 30 ...; `texts` ends in NULL. For faults_clear(). */
static inline struct faults
rules_make(const char *const *texts, struct errors *errors)
{
	struct faults faults = { .rules = calloc(FAULT_RULES_MAX,
				     sizeof(*faults.rules)) };

	for (; texts[faults.count] != NULL; faults.count++)
		rules_fill(&faults.rules[faults.count], texts[faults.count],
		    10 * (int)(faults.count + 1));
	faults_finish(&faults, errors);
	return faults;
}

/* A request, and what has been made of it; zeroed: a browser's. */
struct asked {
	const char *operation, *method, *target, *source, *name, *value;
	size_t body;
	int64_t length; /* Content-Length of a body that never came */
	int64_t later;	/* seconds since the scenario began */
	const struct fault_message *message;
	bool ber; /* the encoding of that */
};

static inline void
asked_fill(struct exchange *ex, const struct asked *a)
{
	exchange_make(ex, a->method == NULL ? "GET" : a->method,
	    a->target == NULL ? RULES_SERVICE : a->target);
	if (a->name != NULL)
		exchange_header(ex, a->name, a->value);
	if (a->source != NULL)
		ex->request.source = exchange_endpoint(a->source, 50123);
	if (a->length > 0)
		ex->request.content_length = a->length;
	if (a->body > 0)
		memset(buffer_extend(&ex->request.body, a->body), 'x', a->body);
	ex->at = EXCHANGE_AT + a->later;
	ex->scep.ber = a->ber;
}

static inline void
rules_decide(const struct faults *faults, struct fault_counters *counters,
    const struct asked *a, uint64_t seed, struct exchange *ex)
{
	struct fault_facts facts = { ex, a->message, EXCHANGE_AT,
		a->operation == NULL ? "browse" : a->operation };

	asked_fill(ex, a);
	faults_decide(faults, counters, &facts, seed, &ex->decision);
}

/* The condition that failed first, or NULL: it applies. */
static inline const char *
rules_unmet(uint8_t rule)
{
	assert_int_not_equal(rule, RULE_UNSEEN);
	return rule == RULE_APPLIES ? NULL :
				      fault_condition_at(rule - 1U)->key.name;
}

static inline struct asked
asked_by(char letter, int64_t later)
{
	static const struct fault_message messages[] = {
		{ "PKCSReq", "CN=a", "a" },
		{ "PKCSReq", "CN=b", "b" },
		{ "PKCSReq", "CN=c", "c" },
		{ "PKCSReq", "CN=d", "d" },
	};

	if (letter == 'C')
		return (
		    struct asked){ .operation = "GetCACaps", .later = later };
	return (struct asked){ .operation = "PKIOperation",
		.message = &messages[letter - 'a'],
		.later = later };
}

#endif
