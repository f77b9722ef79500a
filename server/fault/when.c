/* `when:`: which exchanges a rule is for. */
#include "fault/inside.h"

#include <stdlib.h>

struct fault_counters {
	uint32_t counts[FAULT_RULES_MAX];
};

const struct fault_condition *
fault_condition_at(size_t at)
{
	(void)at;
	return NULL;
}

struct fault_counters *
fault_counters_new(const struct faults *faults)
{
	(void)faults;
	return calloc(1, sizeof(struct fault_counters));
}

void
fault_counters_free(struct fault_counters *counters)
{
	free(counters);
}

void
faults_decide(const struct faults *faults, struct fault_counters *counters,
    const struct fault_facts *facts, uint64_t seed, struct decision *out)
{
	(void)facts, (void)seed;
	out->made = true;
	for (size_t i = 0; i < faults->count; i++) {
		const struct fault_rule *rule = &faults->rules[i];

		out->rules[i] = RULE_APPLIES;
		out->counts[i] = ++counters->counts[i];
		out->instead |= rule->instead;
		out->processed |= rule->processed;
		if (!rule->goes_on)
			break;
	}
}
