/* Which rules apply to an exchange, and what is kept of that. */
#include "fault/inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The library must not exit: what found no memory has no table. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>
#include <utlist.h>

struct tally {
	uint64_t count;
	int64_t since; /* site's time of the first after `after` */
};

struct transaction_tally {
	struct tally_key {
		uint64_t rule, transaction;
	} key;
	struct tally tally;
	struct transaction_tally *prev, *next;
	UT_hash_handle hh;
};

struct fault_counters {
	struct transaction_tally *by_key;
	struct transaction_tally *list; /* not seen for longest first */
	struct tally rules[];
};

struct fault_counters *
fault_counters_new(const struct faults *faults)
{
	return calloc(1,
	    sizeof(struct fault_counters) +
		faults->count * sizeof(struct tally));
}

static void
forget(struct fault_counters *counters, struct transaction_tally *t)
{
	HASH_DEL(counters->by_key, t);
	DL_DELETE(counters->list, t);
	free(t);
}

void
fault_counters_free(struct fault_counters *counters)
{
	while (counters != NULL && counters->list != NULL)
		forget(counters, counters->list);
	free(counters);
}

/* FNV-1a */
static uint64_t
hash_of(const char *text)
{
	uint64_t hash = 0xcbf29ce484222325U;

	for (; *text != '\0'; text++)
		hash = (hash ^ (uint8_t)*text) * 0x100000001b3U;
	return hash;
}

static struct transaction_tally *
add_transaction(struct fault_counters *counters, const struct tally_key *key)
{
	struct transaction_tally *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->key = *key;
	HASH_ADD(hh, counters->by_key, key, sizeof(t->key), t);
	if (t->hh.tbl == NULL) {
		free(t);
		return NULL;
	}
	DL_APPEND(counters->list, t);
	if (HASH_COUNT(counters->by_key) > FAULT_TRANSACTIONS_MAX)
		forget(counters, counters->list);
	return t;
}

/* NULL: no memory. */
static struct tally *
tally_of_transaction(struct fault_counters *counters, size_t rule,
    const char *transaction_id)
{
	const struct tally_key key = { rule, hash_of(transaction_id) };
	struct transaction_tally *t;

	HASH_FIND(hh, counters->by_key, &key, sizeof(key), t);
	if (t == NULL) {
		if ((t = add_transaction(counters, &key)) == NULL)
			return NULL;
	} else {
		DL_DELETE(counters->list, t);
		DL_APPEND(counters->list, t);
	}
	return &t->tally;
}

struct judging {
	const struct faults *faults;
	struct fault_counters *counters;
	const struct fault_facts *facts;
	uint64_t seed;
	struct decision *out;
};

static uint8_t
failed(const struct fault_test *test)
{
	return (uint8_t)(1 + fault_when(test->kind));
}

static bool
holds(const struct fault_facts *facts, const struct fault_test *test)
{
	if (test->kind->needs_message && facts->message == NULL)
		return false;
	return test->kind->holds(facts, &test->value);
}

static void
count_one(struct tally *tally, int64_t skipped, int64_t now)
{
	if ((int64_t)++tally->count == skipped + 1)
		tally->since = now;
}

/*
 * Chance draws by the rule's own count even where transactions have theirs:
 * else the first exchange of each would meet the same fate.
 */
static int
take_turn(const struct judging *j, size_t at, struct fault_turn *turn)
{
	const struct fault_rule *rule = &j->faults->rules[at];
	const struct value *after = fault_when_value(rule, WHEN_AFTER);
	struct tally *all = &j->counters->rules[at], *own = all;
	int64_t skipped = after == NULL ? 0 : after->number;
	int64_t now = j->facts->exchange->at;

	if (fault_when_value(rule, WHEN_PER) != NULL) {
		own = tally_of_transaction(j->counters, at,
		    j->facts->message->transaction_id);
		if (own == NULL)
			return -1;
		count_one(all, 0, now);
	}
	count_one(own, skipped, now);
	j->out->counts[at] = (uint32_t)all->count;
	turn->count = (int64_t)own->count - skipped;
	turn->age_ms = (now - own->since) * 1000;
	turn->draw = (int64_t)(fault_mix(j->seed, at, j->out->counts[at]) %
	    FAULT_CERTAIN);
	return 0;
}

static uint8_t
judge_rule(const struct judging *j, size_t at)
{
	const struct fault_rule *rule = &j->faults->rules[at];
	const struct fault_test *test = rule->tests,
				*end = test + rule->test_count;
	struct fault_turn turn;

	for (; test < end && test->kind->holds != NULL; test++)
		if (!holds(j->facts, test))
			return failed(test);
	if (j->counters == NULL)
		return test < end ? failed(test) : RULE_APPLIES;
	if (take_turn(j, at, &turn) == -1)
		return 1 + WHEN_PER;
	for (; test < end; test++)
		if (!test->kind->counts(&turn, &test->value))
			return failed(test);
	return RULE_APPLIES;
}

void
faults_decide(const struct faults *faults, struct fault_counters *counters,
    const struct fault_facts *facts, uint64_t seed, struct decision *out)
{
	const struct judging j = { faults, counters, facts, seed, out };

	out->made = true;
	for (size_t i = 0; i < faults->count; i++) {
		const struct fault_rule *rule = &faults->rules[i];

		out->rules[i] = judge_rule(&j, i);
		if (out->rules[i] != RULE_APPLIES)
			continue;
		if (rule->instead && !out->instead) {
			out->instead = true;
			out->processed = rule->processed;
		}
		if (!rule->goes_on)
			break;
	}
}

/* Where the name of the file stands, without its directory; -1: no room. */
static int
note_file(struct rule_notes *notes, const char *file)
{
	const char *slash = strrchr(file, '/');
	char name[sizeof(notes->files[0])];

	snprintf(name, sizeof(name), "%s", slash == NULL ? file : slash + 1);
	for (int i = 0; i < RULE_FILES_MAX; i++) {
		if (notes->files[i][0] == '\0')
			memcpy(notes->files[i], name, sizeof(name));
		if (strcmp(notes->files[i], name) == 0)
			return i;
	}
	return -1;
}

static void
note_rule(const struct faults *faults, const struct decision *d, size_t at,
    struct rule_notes *notes)
{
	const struct mark *mark = &faults->rules[at].at;
	uint8_t is = d->rules[at];
	int file = note_file(notes, mark->file == NULL ? "-" : mark->file);

	if (file == -1 || notes->count == RULE_NOTES_MAX) {
		notes->more++;
		return;
	}
	notes->list[notes->count++] = (struct rule_note){
		.unmet = is == RULE_APPLIES ?
		    NULL :
		    fault_condition_at(is - 1U)->key.name,
		.line = mark->line,
		.turn = d->counts[at],
		.file = (uint8_t)file,
	};
}

void
faults_note(const struct faults *faults, const struct decision *d,
    struct rule_notes *notes)
{
	*notes = (struct rule_notes){ 0 };
	if (!d->made)
		return;
	for (size_t i = 0; i < faults->count; i++)
		if (d->rules[i] == RULE_APPLIES)
			note_rule(faults, d, i, notes);
	for (size_t i = 0; i < faults->count; i++)
		if (d->rules[i] != RULE_APPLIES && d->rules[i] != RULE_UNSEEN)
			note_rule(faults, d, i, notes);
}
