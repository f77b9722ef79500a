/* `do: wire`, `do: delay`: how the octets go out. */
#include "fault/inside.h"

#include <string.h>

#define HOUR (60LL * 60 * 1000)
#define DAY (24 * HOUR)
#define OCTETS_MAX (1LL << 30)

/* What the half of a pair comes to that nobody has set. */
#define DRIP_OCTETS 1
#define DRIP_MS 100
#define PAUSE_PERCENT 50
#define PAUSE_MS 1000

enum when {
	BEFORE,
	AFTER,
};

static const struct word whens[] = {
	{ "before", BEFORE,
	    "instead of an answer: no octet of one, nothing is spent" },
	{ "after", AFTER, "after the whole answer" },
	{ NULL, 0, NULL },
};

static const struct word forever[] = {
	{ "forever", 0, "until the client leaves" },
	{ NULL, 0, NULL },
};

static const struct word ends[] = {
	{ "close", WIRE_END_CLOSE, "an orderly end, a FIN" },
	{ "reset", WIRE_END_RESET, "a RST, once the client has that half" },
	{ "hang", WIRE_END_HANG, "silence, until the client leaves" },
	{ NULL, 0, NULL },
};

static bool
is_before(const struct value *v)
{
	return v->is_word && v->number == BEFORE;
}

static bool
is_true(const struct value *v)
{
	return v->number != 0;
}

/* No octet of an answer, whoever gave one. */
static void
cut_all(struct wire *w, enum wire_end then)
{
	w->is_cut = true;
	w->cut_percent = false;
	w->cut_at = 0;
	w->end = then;
}

static void
cut(struct wire *w, const struct value *v, enum wire_end then)
{
	if (is_before(v)) {
		cut_all(w, then);
		return;
	}
	w->is_cut = !v->is_word;
	w->cut_percent = v->is_percent;
	w->cut_at = v->is_word ? 0 : v->number;
	w->end = then;
}

static int
apply_hang(struct fault_context *ctx, const struct value *v, void *plan)
{
	struct wire *w = plan;

	(void)ctx;
	cut_all(w, WIRE_END_HANG);
	w->hang_ms = v->number;
	return 0;
}

static int
apply_drip_octets(struct fault_context *ctx, const struct value *v, void *plan)
{
	struct wire *w = plan;

	(void)ctx;
	w->drip_octets = v->number;
	if (w->drip_ms == 0)
		w->drip_ms = DRIP_MS;
	return 0;
}

static int
apply_drip_every(struct fault_context *ctx, const struct value *v, void *plan)
{
	struct wire *w = plan;

	(void)ctx;
	w->drip_ms = v->number;
	if (w->drip_octets == 0)
		w->drip_octets = DRIP_OCTETS;
	return 0;
}

static int
apply_reset(struct fault_context *ctx, const struct value *v, void *plan)
{
	(void)ctx;
	cut(plan, v, WIRE_END_RESET);
	return 0;
}

static int
apply_close(struct fault_context *ctx, const struct value *v, void *plan)
{
	(void)ctx;
	cut(plan, v, WIRE_END_CLOSE);
	return 0;
}

/* The scenario outlives the exchange. */
static int
apply_garbage(struct fault_context *ctx, const struct value *v, void *plan)
{
	struct wire *w = plan;

	(void)ctx;
	w->prefix = span_of(v->text, v->length);
	return 0;
}

static int
apply_half_head(struct fault_context *ctx, const struct value *v, void *plan)
{
	struct wire *w = plan;

	(void)ctx;
	w->is_cut = true;
	w->cut_percent = false;
	w->cut_at = WIRE_HALF_HEAD;
	w->end = (enum wire_end)v->number;
	w->hang_ms = 0;
	return 0;
}

static int
apply_pause_at(struct fault_context *ctx, const struct value *v, void *plan)
{
	struct wire *w = plan;

	(void)ctx;
	w->pause_at = v->number;
	w->pause_percent = v->is_percent;
	if (w->pause_ms == 0)
		w->pause_ms = PAUSE_MS;
	return 0;
}

static int
apply_pause_time(struct fault_context *ctx, const struct value *v, void *plan)
{
	struct wire *w = plan;

	(void)ctx;
	w->pause_ms = v->number;
	if (w->pause_at == 0) {
		w->pause_at = PAUSE_PERCENT;
		w->pause_percent = true;
	}
	return 0;
}

/* The answer says that it is the last, and then nothing ends. */
static int
apply_keep_open(struct fault_context *ctx, const struct value *v, void *plan)
{
	struct wire *w = plan;

	if (ctx->stage == FAULT_HTTP) {
		((struct reply *)plan)->close = true;
		return 0;
	}
	w->end = WIRE_END_HANG;
	w->hang_ms = v->number;
	return 0;
}

/* Of an exchange: then its connection was there before, or others may come. */
static int
apply_refuse(struct fault_context *ctx, const struct value *v, void *plan)
{
	(void)ctx;
	if (is_true(v))
		cut_all(plan, WIRE_END_RESET);
	return 0;
}

static int
apply_delay(struct fault_context *ctx, const struct value *v, void *plan)
{
	struct wire *w = plan;

	(void)ctx;
	w->delay_ms = v->number;
	return 0;
}

static const struct fault_kind kinds[] = {
	{ { "wire.hang", VALUE_DURATION, forever, 1, DAY,
	      "No answer for so long, then the connection is closed; the "
	      "request is read and nothing is spent" },
	    FAULT_WIRE, fault_always, apply_hang },
	{ { "wire.drip.octets", VALUE_NUMBER, NULL, 1, OCTETS_MAX,
	      "The answer goes out so many octets at a time; every 100ms unless "
	      "drip.every says otherwise" },
	    FAULT_WIRE, NULL, apply_drip_octets },
	{ { "wire.drip.every", VALUE_DURATION, NULL, 1, HOUR,
	      "The time between two pieces of the answer; of one octet unless "
	      "drip.octets says otherwise" },
	    FAULT_WIRE, NULL, apply_drip_every },
	{ { "wire.reset", VALUE_AMOUNT, whens, 0, OCTETS_MAX,
	      "The connection ends with a RST after so many octets of the "
	      "answer, head included, have arrived" },
	    FAULT_WIRE, is_before, apply_reset },
	{ { "wire.close", VALUE_AMOUNT, whens, 0, OCTETS_MAX,
	      "The connection ends with a FIN after so many octets of the "
	      "answer, head included; in TLS without a close_notify if that is "
	      "not all of it" },
	    FAULT_WIRE, is_before, apply_close },
	{ { "wire.garbage", VALUE_BODY, NULL, 1, 65536,
	      "Octets before the status line; reset, close and pause.at count "
	      "them too" },
	    FAULT_WIRE, NULL, apply_garbage },
	{ { "wire.half_head", VALUE_WORD, ends, 0, 0,
	      "What comes after the first half of the status line and headers, "
	      "in place of the rest" },
	    FAULT_WIRE, NULL, apply_half_head },
	{ { "wire.pause.at", VALUE_AMOUNT, NULL, 1, OCTETS_MAX,
	      "The answer stops after so many octets, head included; for 1s "
	      "unless pause.time says otherwise" },
	    FAULT_WIRE, NULL, apply_pause_at },
	{ { "wire.pause.time", VALUE_DURATION, NULL, 1, DAY,
	      "How long the answer stops on its way; in its middle unless "
	      "pause.at says otherwise" },
	    FAULT_WIRE, NULL, apply_pause_time },
	{ { "wire.keep_open", VALUE_DURATION, forever, 1, DAY,
	      "The answer says Connection: close, and the connection stays open "
	      "for so long; nothing on it is answered" },
	    FAULT_HTTP | FAULT_WIRE, NULL, apply_keep_open },
	{ { "wire.refuse", VALUE_BOOL, NULL, 0, 1,
	      "In a rule without conditions, or with `between` alone: the ports "
	      "of the site, for the default site the shared ones, are closed, "
	      "and connect() is refused; in any other, by the path of a shared "
	      "port, and on connections that were open: a reset once the "
	      "request has been read" },
	    FAULT_WIRE, is_true, apply_refuse },
	{ { "delay", VALUE_DURATION, NULL, 1, DAY,
	      "The first octet of the answer goes out so much later; a client "
	      "that closes its side meanwhile has left" },
	    FAULT_WIRE, NULL, apply_delay },
};

const struct fault_section fault_wire = FAULT_SECTION(kinds);

static bool
refuses(const struct fault_rule *rule)
{
	for (size_t i = 0; i < rule->edit_count; i++)
		if (rule->edits[i].kind->apply == apply_refuse &&
		    is_true(&rule->edits[i].value))
			return true;
	return false;
}

/* Whether all tests look at nothing but the time. */
static bool
is_for_all(const struct fault_rule *rule)
{
	for (size_t i = 0; i < rule->test_count; i++)
		if (strcmp(rule->tests[i].kind->key.name, "between") != 0)
			return false;
	return true;
}

static bool
holds(const struct fault_rule *rule, const struct fault_facts *facts)
{
	for (size_t i = 0; i < rule->test_count; i++)
		if (!rule->tests[i].kind->holds(facts, &rule->tests[i].value))
			return false;
	return true;
}

bool
faults_may_refuse(const struct faults *faults)
{
	for (size_t i = 0; i < faults->count; i++) {
		const struct fault_rule *rule = &faults->rules[i];
		bool for_all = is_for_all(rule);

		if (for_all && refuses(rule))
			return true;
		/* Some exchanges never come to the rules after it. */
		if (!rule->goes_on && (!for_all || rule->test_count == 0))
			return false;
	}
	return false;
}

bool
faults_refuse(const struct faults *faults, int64_t began, int64_t now)
{
	const struct exchange ex = { .at = now };
	const struct fault_facts facts = { .exchange = &ex, .began = began };

	if (!faults_may_refuse(faults))
		return false;
	for (size_t i = 0; i < faults->count; i++) {
		const struct fault_rule *rule = &faults->rules[i];
		bool for_all = is_for_all(rule);

		if (for_all && !holds(rule, &facts))
			continue;
		if (for_all && refuses(rule))
			return true;
		if (!rule->goes_on)
			return false;
	}
	return false;
}
