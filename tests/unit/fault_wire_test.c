/* `do: wire` and `do: delay`: from a value to the plan. */
#include "fault/fault.h"
#include "support/test.h"
#include "unit/rows.h"

static const struct fault_kind *
kind_named(const char *name)
{
	const struct fault_kind *k;

	for (size_t i = 0; (k = fault_kind_at(i)) != NULL; i++)
		if (strcmp(k->key.name, name) == 0)
			return k;
	fail_msg("there is no %s", name);
	return NULL;
}

static const struct row {
	const char *row, *key;
	struct value value;
	bool instead;
	struct wire wire;
} rows[] = {
	{ "hang", "wire.hang", { .number = 1500 }, true,
	    { .is_cut = true, .end = WIRE_END_HANG, .hang_ms = 1500 } },
	{ "hang forever", "wire.hang", { .is_word = true }, true,
	    { .is_cut = true, .end = WIRE_END_HANG } },
	{ "drip octets", "wire.drip.octets", { .number = 7 }, false,
	    { .drip_octets = 7, .drip_ms = 100 } },
	{ "drip every", "wire.drip.every", { .number = 30 }, false,
	    { .drip_octets = 1, .drip_ms = 30 } },
	{ "reset before", "wire.reset", { .is_word = true, .number = 0 }, true,
	    { .is_cut = true, .end = WIRE_END_RESET } },
	{ "reset after", "wire.reset", { .is_word = true, .number = 1 }, false,
	    { .end = WIRE_END_RESET } },
	{ "reset at 0", "wire.reset", { .number = 0 }, false,
	    { .is_cut = true, .end = WIRE_END_RESET } },
	{ "reset at 12", "wire.reset", { .number = 12 }, false,
	    { .is_cut = true, .cut_at = 12, .end = WIRE_END_RESET } },
	{ "reset at a third", "wire.reset",
	    { .number = 33, .is_percent = true }, false,
	    { .is_cut = true,
		.cut_percent = true,
		.cut_at = 33,
		.end = WIRE_END_RESET } },
	{ "close before", "wire.close", { .is_word = true, .number = 0 }, true,
	    { .is_cut = true, .end = WIRE_END_CLOSE } },
	{ "close after", "wire.close", { .is_word = true, .number = 1 }, false,
	    { .end = WIRE_END_CLOSE } },
	{ "close at 12", "wire.close", { .number = 12 }, false,
	    { .is_cut = true, .cut_at = 12, .end = WIRE_END_CLOSE } },
	{ "garbage", "wire.garbage", { .text = "a\0b", .length = 3 }, false,
	    { .prefix = { (const uint8_t *)"a\0b", 3 } } },
	{ "half a head, close", "wire.half_head", { .number = WIRE_END_CLOSE },
	    false,
	    { .is_cut = true,
		.cut_at = WIRE_HALF_HEAD,
		.end = WIRE_END_CLOSE } },
	{ "half a head, reset", "wire.half_head", { .number = WIRE_END_RESET },
	    false,
	    { .is_cut = true,
		.cut_at = WIRE_HALF_HEAD,
		.end = WIRE_END_RESET } },
	{ "half a head, hang", "wire.half_head", { .number = WIRE_END_HANG },
	    false,
	    { .is_cut = true,
		.cut_at = WIRE_HALF_HEAD,
		.end = WIRE_END_HANG } },
	{ "pause at 9", "wire.pause.at", { .number = 9 }, false,
	    { .pause_at = 9, .pause_ms = 1000 } },
	{ "pause at 90%", "wire.pause.at", { .number = 90, .is_percent = true },
	    false,
	    { .pause_at = 90, .pause_percent = true, .pause_ms = 1000 } },
	{ "pause for 20ms", "wire.pause.time", { .number = 20 }, false,
	    { .pause_at = 50, .pause_percent = true, .pause_ms = 20 } },
	{ "keep open", "wire.keep_open", { .number = 400 }, false,
	    { .end = WIRE_END_HANG, .hang_ms = 400 } },
	{ "keep open forever", "wire.keep_open", { .is_word = true }, false,
	    { .end = WIRE_END_HANG } },
	{ "refuse", "wire.refuse", { .number = 1 }, true,
	    { .is_cut = true, .end = WIRE_END_RESET } },
	{ "refuse not", "wire.refuse", { .number = 0 }, false, { 0 } },
	{ "delay", "delay", { .number = 5000 }, false, { .delay_ms = 5000 } },
};

static void
assert_wire(const struct wire *is, const struct wire *wanted)
{
	assert_int_equal(is->exact, wanted->exact);
	assert_int_equal(is->delay_ms, wanted->delay_ms);
	assert_int_equal(is->is_cut, wanted->is_cut);
	assert_int_equal(is->cut_percent, wanted->cut_percent);
	assert_int_equal(is->cut_at, wanted->cut_at);
	assert_int_equal(is->pause_at, wanted->pause_at);
	assert_int_equal(is->pause_ms, wanted->pause_ms);
	assert_int_equal(is->pause_percent, wanted->pause_percent);
	assert_int_equal(is->drip_octets, wanted->drip_octets);
	assert_int_equal(is->drip_ms, wanted->drip_ms);
	assert_true(span_equal(is->prefix, wanted->prefix));
	assert_int_equal(is->end, wanted->end);
	assert_int_equal(is->hang_ms, wanted->hang_ms);
}

static void
apply(const char *key, const struct value *v, struct wire *w)
{
	const struct fault_kind *k = kind_named(key);
	struct exchange ex;
	struct fault_context ctx = { .exchange = &ex, .stage = FAULT_WIRE };

	exchange_init(&ex);
	assert_true((k->stages & FAULT_WIRE) != 0);
	assert_int_equal(k->apply(&ctx, v, w), 0);
	exchange_clear(&ex);
}

static void
edits(void **state)
{
	const struct row *r = *state;
	const struct fault_kind *k = kind_named(r->key);
	struct wire w = { 0 };

	apply(r->key, &r->value, &w);
	assert_wire(&w, &r->wire);
	assert_int_equal(k->instead != NULL && k->instead(&r->value),
	    r->instead);
}

/* Both halves of a pair are kept, in either order. */
static void
pairs_go_together(void **state)
{
	const struct value octets = { .number = 3 }, every = { .number = 40 },
			   at = { .number = 8 }, length = { .number = 60 };
	const struct wire wanted = { .drip_octets = 3,
		.drip_ms = 40,
		.pause_at = 8,
		.pause_ms = 60 };
	struct wire w = { 0 };

	(void)state;
	apply("wire.drip.octets", &octets, &w);
	apply("wire.drip.every", &every, &w);
	apply("wire.pause.at", &at, &w);
	apply("wire.pause.time", &length, &w);
	assert_wire(&w, &wanted);
	w = (struct wire){ 0 };
	apply("wire.drip.every", &every, &w);
	apply("wire.drip.octets", &octets, &w);
	apply("wire.pause.time", &length, &w);
	apply("wire.pause.at", &at, &w);
	assert_wire(&w, &wanted);
}

/* A row here for each of the table, and for each of its words. */
static void
nothing_is_left_out(void **state)
{
	const struct fault_kind *k;
	size_t seen = 0, words, wanted;

	(void)state;
	for (size_t i = 0; (k = fault_kind_at(i)) != NULL; i++) {
		if (strncmp(k->key.name, "wire.", 5) != 0 &&
		    strcmp(k->key.name, "delay") != 0)
			continue;
		seen++;
		words = wanted = 0;
		for (size_t r = 0; r < COUNT_OF(rows); r++)
			words += strcmp(rows[r].key, k->key.name) == 0;
		while (k->key.words != NULL && k->key.words[wanted].text)
			wanted++;
		if (words == 0 || words < wanted)
			fail_msg("%s: %zu rows for %zu words", k->key.name,
			    words, wanted);
		assert_non_null(k->key.help);
		assert_int_not_equal(k->key.help[strlen(k->key.help) - 1], '.');
	}
	assert_int_equal(seen, 12);
}

static void
keep_open_says_close(void **state)
{
	const struct fault_kind *k = kind_named("wire.keep_open");
	struct fault_context ctx = { .stage = FAULT_HTTP };
	const struct value v = { .number = 1 };
	struct reply reply = { 0 };

	(void)state;
	assert_true((k->stages & FAULT_HTTP) != 0);
	assert_int_equal(k->apply(&ctx, &v, &reply), 0);
	assert_true(reply.close);
}

/* Holds from second 10 to 20 of the scenario. */
static bool
holds_between(const struct fault_facts *facts, const struct value *v)
{
	int64_t at = facts->exchange->at - facts->began;

	(void)v;
	return at >= 10 && at < 20;
}

static bool
holds_never(const struct fault_facts *facts, const struct value *v)
{
	(void)facts, (void)v;
	return false;
}

static const struct fault_condition between = { .key = { .name = "between" },
	.holds = holds_between };
static const struct fault_condition method = { .key = { .name = "method" },
	.holds = holds_never };

/* A letter a rule: what it is; capital: `continue: true`. */
static const struct ports {
	const char *row, *rules;
	bool may, before, within;
} ports[] = {
	{ "no rules", "", false, false, false },
	{ "refuse", "r", true, true, true },
	{ "refuse and go on", "R", true, true, true },
	{ "refuse: false", "n", false, false, false },
	{ "for a time", "t", true, false, true },
	{ "of some requests", "m", false, false, false },
	{ "after a delay for all", "dr", false, false, false },
	{ "after a delay that goes on", "Dr", true, true, true },
	{ "after one for some requests", "mr", false, false, false },
	{ "after one for some that goes on", "Mr", true, true, true },
	{ "after one for a time", "er", true, true, false },
	{ "two times", "te", true, false, true },
};

static void
fill(struct fault_rule *rule, char letter)
{
	bool refuses = strchr("rtmn", letter | 0x20) != NULL;

	rule->edits[0].kind = kind_named(refuses ? "wire.refuse" : "delay");
	rule->edits[0].value.number = (letter | 0x20) != 'n';
	rule->edit_count = 1;
	rule->test_count = strchr("tme", letter | 0x20) != NULL;
	rule->tests[0].kind = (letter | 0x20) == 'm' ? &method : &between;
	rule->goes_on = (letter & 0x20) == 0;
}

static void
closes_ports(void **state)
{
	const struct ports *p = *state;
	struct fault_test tests[4] = { 0 };
	struct fault_edit edited[4] = { 0 };
	struct fault_rule rules[4] = { 0 };
	const struct faults faults = { .rules = rules,
		.count = strlen(p->rules) };

	for (size_t i = 0; i < faults.count; i++) {
		rules[i].tests = &tests[i];
		rules[i].edits = &edited[i];
		fill(&rules[i], p->rules[i]);
	}
	assert_int_equal(faults_may_refuse(&faults), p->may);
	assert_int_equal(faults_refuse(&faults, 1000, 1005), p->before);
	assert_int_equal(faults_refuse(&faults, 1000, 1015), p->within);
}

int
main(void)
{
	static const struct table tables[] = {
		ROWS(edits, rows),
		ROWS(closes_ports, ports),
		ONE(pairs_go_together, "both halves of a pair are kept"),
		ONE(nothing_is_left_out, "every key and word has a row here"),
		ONE(keep_open_says_close, "what is kept open says close"),
	};

	return ROWS_RUN(tables, NULL, NULL);
}
