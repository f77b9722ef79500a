/* Chance, transactions without end, which rule wins, and what is kept of it. */
#include "unit/rules.h"

#include "evidence/evidence.h"

#define RULES 4 /* of a row */
#define MANY 10000

static const struct fault_message enrolment = { "PKCSReq", "C=NL, CN=device-1",
	"0A1B" };

/* Which of so many exchanges the last of the rules applies to: "x..x". */
static void
draw(const char *const *rules, uint64_t seed, size_t count, char *out)
{
	struct errors errors = { 0 };
	struct faults faults = rules_make(rules, &errors);
	struct fault_counters *counters = fault_counters_new(&faults);
	struct asked asked;
	struct exchange ex;

	assert_int_equal(errors.count, 0);
	for (size_t i = 0; i < count; i++) {
		asked = asked_by((char)('a' + i % 4), 0);
		rules_decide(&faults, counters, &asked, seed, &ex);
		out[i] = ex.decision.rules[faults.count - 1] == RULE_APPLIES ?
		    'x' :
		    '.';
		exchange_clear(&ex);
	}
	out[count] = '\0';
	fault_counters_free(counters);
	faults_clear(&faults);
}

static size_t
count_of(const char *text, char c)
{
	size_t count = 0;

	for (; *text != '\0'; text++)
		count += *text == c;
	return count;
}

static size_t
differences(const char *a, const char *b)
{
	size_t count = 0;

	for (; *a != '\0'; a++, b++)
		count += *a != *b;
	return count;
}

/* Within five standard deviations of a fair draw of 10,000. */
static const struct odds {
	const char *row, *rule;
	size_t least, most;
} odds[] = {
	{ "one in a hundred", "chance=0.01", 51, 149 },
	{ "three in ten", "chance=0.3", 2771, 3229 },
	{ "a half", "chance=0.5", 4750, 5250 },
	{ "all but one in a hundred", "chance=0.99", 9851, 9949 },
	{ "the same by transaction", "per=transaction; after=1; chance=0.3",
	    2769, 3229 },
};

static void
chance_is_fair_and_replays(void **state)
{
	static char one[MANY + 1], again[MANY + 1], other[MANY + 1];
	const struct odds *t = *state;
	const char *const rules[] = { t->rule, NULL };
	const char *const later[] = { "continue", t->rule, NULL };
	size_t odd;

	draw(rules, 1, MANY, one);
	assert_in_range(count_of(one, 'x'), t->least, t->most);
	draw(rules, 1, MANY, again);
	assert_string_equal(one, again);
	/* Another seed and another rule draw otherwise, at a fair rate. */
	odd = count_of(one, 'x') / 2;
	if (odd > MANY / 4)
		odd = (MANY - count_of(one, 'x')) / 2;
	draw(rules, 2, MANY, other);
	assert_in_range(count_of(other, 'x'), t->least, t->most);
	assert_true(differences(one, other) > odd);
	draw(later, 1, MANY, other);
	assert_in_range(count_of(other, 'x'), t->least, t->most);
	assert_true(differences(one, other) > odd);
}

/* A seed that was printed once holds for every later version. */
static void
chance_is_the_same_everywhere(void **state)
{
	const char *const rules[] = { "chance=0.5", NULL };
	char got[33];

	(void)state;
	draw(rules, 1, 32, got);
	assert_string_equal(got, "x.xxx..xxx.......x...x..x.....x.");
}

/* A transaction has other luck than the one before it, as have its own. */
static void
chance_does_not_begin_anew_with_each_transaction(void **state)
{
	const char *const rules[] = { "per=transaction; first=1; chance=0.5",
		NULL };
	struct errors errors = { 0 };
	struct faults faults = rules_make(rules, &errors);
	struct fault_counters *counters = fault_counters_new(&faults);
	size_t applied = 0;
	struct exchange ex;
	char id[16];

	(void)state;
	for (int i = 0; i < 1000; i++) {
		struct fault_message message = { "PKCSReq", "CN=x", id };

		snprintf(id, sizeof(id), "%d", i);
		rules_decide(&faults, counters,
		    &(struct asked){ .message = &message }, RULES_SEED, &ex);
		applied += ex.decision.rules[0] == RULE_APPLIES;
		exchange_clear(&ex);
	}
	assert_in_range(applied, 421, 579);
	fault_counters_free(counters);
	faults_clear(&faults);
}

struct many {
	struct faults faults;
	struct fault_counters *counters;
};

/* Whether the first rule applies to this transaction. */
static bool
ask_as(struct many *m, int transaction)
{
	char id[16];
	struct fault_message message = { "PKCSReq", "CN=x", id };
	struct exchange ex;
	bool applies;

	snprintf(id, sizeof(id), "%d", transaction);
	rules_decide(&m->faults, m->counters,
	    &(struct asked){ .message = &message }, RULES_SEED, &ex);
	applies = ex.decision.rules[0] == RULE_APPLIES;
	exchange_clear(&ex);
	return applies;
}

static void
transactions_not_seen_for_long_are_forgotten(void **state)
{
	struct errors errors = { 0 };
	struct many m = {
		rules_make((const char *const[]){ "per=transaction; first=1",
			       NULL },
		    &errors),
		NULL
	};

	(void)state;
	m.counters = fault_counters_new(&m.faults);
	for (int i = 0; i < FAULT_TRANSACTIONS_MAX; i++)
		assert_true(ask_as(&m, i));
	for (int i = 0; i < FAULT_TRANSACTIONS_MAX; i++)
		assert_false(ask_as(&m, i));
	/* Seen again; so it is the second that makes room. */
	assert_false(ask_as(&m, 0));
	assert_true(ask_as(&m, FAULT_TRANSACTIONS_MAX));
	assert_false(ask_as(&m, 0));
	assert_false(ask_as(&m, 2));
	assert_true(ask_as(&m, 1));
	fault_counters_free(m.counters);
	faults_clear(&m.faults);
}

/* All rules share the room. */
static void
transactions_of_all_rules_are_bounded(void **state)
{
	struct errors errors = { 0 };
	struct many m = { rules_make(
			      (const char *const[]){
				  "continue per=transaction; first=1",
				  "per=transaction; first=1", NULL },
			      &errors),
		NULL };

	(void)state;
	m.counters = fault_counters_new(&m.faults);
	for (int i = 0; i <= FAULT_TRANSACTIONS_MAX / 2; i++)
		assert_true(ask_as(&m, i));
	assert_true(ask_as(&m, 0));
	fault_counters_free(m.counters);
	faults_clear(&m.faults);
}

static const struct orphan {
	const char *row, *rule, *unmet;
} orphans[] = {
	{ "nothing counts", "operation=PKIOperation", NULL },
	{ "what does not count decides", "method=POST; first=1", "method" },
	{ "what counts does not hold", "per=transaction; every=1", "every" },
	{ "nor does chance", "chance=1", "chance" },
};

/* An exchange that began under a scenario that is gone. */
static void
without_counters(void **state)
{
	const struct orphan *t = *state;
	struct errors errors = { 0 };
	struct faults faults = rules_make((const char *const[]){ t->rule,
					      NULL },
	    &errors);
	struct exchange ex;
	const char *got;

	rules_decide(&faults, NULL,
	    &(struct asked){ .operation = "PKIOperation",
		.message = &enrolment },
	    RULES_SEED, &ex);
	got = rules_unmet(ex.decision.rules[0]);
	assert_string_equal(got == NULL ? "(applies)" : got,
	    t->unmet == NULL ? "(applies)" : t->unmet);
	assert_int_equal(ex.decision.counts[0], 0);
	exchange_clear(&ex);
	faults_clear(&faults);
}

static const struct verdict_row {
	const char *row, *rules[RULES + 1];
	bool instead, processed;
} verdicts[] = {
	{ "after", { "" }, false, false },
	{ "instead", { "instead" }, true, false },
	{ "instead, but processed", { "instead processed" }, true, true },
	{ "processed means nothing to others", { "processed" }, false, false },
	{ "instead does not apply", { "instead method=POST", "" }, false,
	    false },
	{ "instead comes later", { "continue", "instead" }, true, false },
	{ "one that is not reached", { "", "instead" }, false, false },
	{ "the first instead wins", { "continue instead processed", "instead" },
	    true, true },
	{ "the first instead wins, unprocessed",
	    { "continue instead", "instead processed" }, true, false },
	{ "processed of another rule", { "continue processed", "instead" },
	    true, false },
};

static void
decides(void **state)
{
	const struct verdict_row *t = *state;
	struct errors errors = { 0 };
	struct faults faults = rules_make(t->rules, &errors);
	struct fault_counters *counters = fault_counters_new(&faults);
	struct exchange ex;

	rules_decide(&faults, counters, &(struct asked){ 0 }, RULES_SEED, &ex);
	assert_true(ex.decision.made);
	assert_int_equal(ex.decision.instead, t->instead);
	assert_int_equal(ex.decision.processed, t->processed);
	exchange_clear(&ex);
	fault_counters_free(counters);
	faults_clear(&faults);
}

/* Its value is one digit of what the plan becomes. */
static int
append_digit(struct fault_context *ctx, const struct value *v, void *plan)
{
	(void)ctx;
	*(int64_t *)plan = *(int64_t *)plan * 10 + v->number;
	return 0;
}

static void
the_first_instead_orders_and_all_edit(void **state)
{
	static const struct fault_kind order = {
		.key = { "x.order", VALUE_NUMBER, NULL, 0, 9, NULL },
		.stages = FAULT_ORDER | FAULT_WIRE,
		.instead = fault_always,
		.apply = append_digit,
	};
	static const struct fault_kind edit = {
		.key = { "x.edit", VALUE_NUMBER, NULL, 0, 9, NULL },
		.stages = FAULT_ORDER | FAULT_WIRE,
		.apply = append_digit,
	};
	const struct fault_kind *const kinds[] = { &edit, &order, &order,
		&edit };
	struct errors errors = { 0 };
	struct faults faults = rules_make((const char *const[]){ "continue",
					      "continue", "continue", "",
					      NULL },
	    &errors);
	struct exchange ex;
	struct fault_context ctx = { .exchange = &ex };
	int64_t ordered = 0, wired = 0;

	(void)state;
	for (size_t i = 0; i < faults.count; i++) {
		faults.rules[i].edits = calloc(1, sizeof(struct fault_edit));
		faults.rules[i].edit_count = 1;
		faults.rules[i].edits[0].kind = kinds[i];
		faults.rules[i].edits[0].value.number = (int64_t)i + 1;
	}
	faults_finish(&faults, &errors);
	rules_decide(&faults, NULL, &(struct asked){ 0 }, RULES_SEED, &ex);
	ctx.stage = FAULT_ORDER;
	assert_int_equal(faults_apply(&faults, RULES_SEED, &ctx, &ordered), 0);
	assert_int_equal(ordered, 2);
	ctx.stage = FAULT_WIRE;
	assert_int_equal(faults_apply(&faults, RULES_SEED, &ctx, &wired), 0);
	assert_int_equal(wired, 1234);
	exchange_clear(&ex);
	faults_clear(&faults);
}

static void
keep_line(void *cls, const char *line)
{
	if (strstr(line, "rule: ") != NULL)
		snprintf(cls, 256, "%s", line);
}

static const struct told {
	const char *row, *rules[RULES + 1];
	struct asked asked;
	const char *line; /* "": none */
} tolds[] = {
	{ "no rule", { NULL }, { 0 }, "" },
	{ "one applies", { "" }, { 0 }, "  rule: x.yaml:10 applies" },
	{ "one does not", { "method=POST" }, { 0 },
	    "  rule: x.yaml:10 not: method" },
	{ "what applies comes first", { "operation=admin", "method=GET", "" },
	    { 0 }, "  rule: x.yaml:20 applies; x.yaml:10 not: operation" },
	{ "several apply", { "continue", "chance=0", "" }, { 0 },
	    "  rule: x.yaml:10 applies; x.yaml:30 applies; "
	    "x.yaml:20 not: chance" },
	{ "none was asked for the message",
	    { "subject=x",
		"per=transaction; "
		"first=1" },
	    { 0 }, "  rule: x.yaml:10 not: subject; x.yaml:20 not: per" },
};

static void
is_told_and_kept(void **state)
{
	const struct told *t = *state;
	const struct iis_log_form form = { .version = "10.0", .referer = true };
	struct errors errors = { 0 };
	struct faults faults = rules_make(t->rules, &errors);
	struct fault_counters *counters = fault_counters_new(&faults);
	const struct journals_options options = { 0 };
	struct journals *journals;
	struct journal *journal;
	struct journal_entry *e;
	char line[256] = "";
	struct exchange ex;

	rules_decide(&faults, counters, &t->asked, RULES_SEED, &ex);
	faults_note(&faults, &ex.decision, &ex.notes);
	faults_clear(&faults);
	fault_counters_free(counters);
	narrate(&ex, &form, keep_line, line);
	assert_string_equal(line, t->line);
	assert_int_equal(journals_new(&journals, &options, NULL), 0);
	assert_int_equal(journal_open(journals, &journal, NULL), 0);
	journal_add(journal, &ex);
	e = journal_find(journal, 0, NULL);
	assert_int_equal(e->notes.count, ex.notes.count);
	assert_memory_equal(&e->notes, &ex.notes, sizeof(e->notes));
	journal_entry_free(e);
	journal_close(journal);
	journals_free(journals);
	exchange_clear(&ex);
}

/* What does not fit is counted; what applies always fits. */
static void
notes_are_bounded(void **state)
{
	const char *rules[FAULT_RULES_MAX + 1] = { NULL };
	struct errors errors = { 0 };
	struct rule_notes notes;
	struct faults faults;
	struct exchange ex;

	(void)state;
	for (size_t i = 0; i < FAULT_RULES_MAX; i++)
		rules[i] = i == FAULT_RULES_MAX - 1 ? "" : "method=POST";
	faults = rules_make(rules, &errors);
	rules_decide(&faults, NULL, &(struct asked){ 0 }, RULES_SEED, &ex);
	faults_note(&faults, &ex.decision, &notes);
	assert_int_equal(notes.count, RULE_NOTES_MAX);
	assert_int_equal(notes.more, FAULT_RULES_MAX - RULE_NOTES_MAX);
	assert_int_equal(notes.list[0].line, 10 * FAULT_RULES_MAX);
	assert_null(notes.list[0].unmet);
	assert_int_equal(notes.list[1].line, 10);
	assert_string_equal(notes.list[1].unmet, "method");
	exchange_clear(&ex);
	faults_clear(&faults);
}

/* A scenario and those that it extends. */
static void
notes_name_files(void **state)
{
	static const char *const files[] = { "/a/own.yaml", "base.yaml",
		"b/base.yaml", "/root.yaml", "beyond.yaml" };
	static const char *const names[] = { "own.yaml", "base.yaml",
		"base.yaml", "root.yaml" };
	const char *const rules[] = { "chance=0", "chance=0", "chance=0",
		"chance=0", "chance=0", NULL };
	struct errors errors = { 0 };
	struct faults faults = rules_make(rules, &errors);
	struct rule_notes notes;
	struct exchange ex;

	(void)state;
	for (size_t i = 0; i < faults.count; i++)
		faults.rules[i].at.file = files[i];
	rules_decide(&faults, NULL, &(struct asked){ 0 }, RULES_SEED, &ex);
	faults_note(&faults, &ex.decision, &notes);
	assert_int_equal(notes.count, 4);
	assert_int_equal(notes.more, 1);
	for (size_t i = 0; i < notes.count; i++)
		assert_string_equal(notes.files[notes.list[i].file], names[i]);
	exchange_clear(&ex);
	faults_clear(&faults);
}

int
main(void)
{
	const struct table tables[] = {
		ROWS(chance_is_fair_and_replays, odds),
		ROWS(without_counters, orphans),
		ROWS(decides, verdicts),
		ROWS(is_told_and_kept, tolds),
		ONE(chance_is_the_same_everywhere,
		    "chance is the same everywhere"),
		ONE(chance_does_not_begin_anew_with_each_transaction,
		    "chance does not begin anew with each transaction"),
		ONE(transactions_not_seen_for_long_are_forgotten,
		    "transactions not seen for long are forgotten"),
		ONE(transactions_of_all_rules_are_bounded,
		    "transactions of all rules are bounded"),
		ONE(the_first_instead_orders_and_all_edit,
		    "the first instead orders, and all edit"),
		ONE(notes_are_bounded, "notes are bounded"),
		ONE(notes_name_files, "notes name files"),
	};

	return ROWS_RUN(tables, NULL, NULL);
}
