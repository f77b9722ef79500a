/* What the scenario does to an exchange. */
#include "site/inside.h"

#include <stdio.h>

bool
site_decides_late(const struct exchange *ex)
{
	return ex->snapshot->scenario->faults.needs_message;
}

const char *
site_operation(const struct request *r)
{
	enum operation operation = mscep_operation(r);
	enum place place = iis_place(r);

	if (place == PLACE_NOWHERE || operation == OPERATION_UNKNOWN)
		return "other";
	if (operation != OPERATION_NONE)
		return mscep_operation_name(operation);
	return place == PLACE_ADMIN || place == PLACE_ADMIN_REDIRECT ? "admin" :
								       "browse";
}

/*
 * The counters are those of the scenario that is in force; an exchange that
 * began under another one is decided by it, and counts nowhere.
 */
bool
site_decide(struct exchange *ex, const struct fault_message *message)
{
	const struct snapshot *s = ex->snapshot;
	const struct faults *faults = &s->scenario->faults;
	struct fault_facts facts = { ex, message, s->began, NULL };
	struct site *site = s->site;
	struct decision *d = &ex->decision;

	if (d->made || faults->count == 0) {
		d->made = true;
		return d->instead && !d->processed;
	}
	facts.operation = site_operation(&ex->request);
	pthread_mutex_lock(&site->lock);
	faults_decide(faults,
	    site->now->generation == s->generation ? site->counters : NULL,
	    &facts, site->seed, d);
	pthread_mutex_unlock(&site->lock);
	return d->instead && !d->processed;
}

bool
site_edits(const struct exchange *ex, enum fault_stage stage)
{
	const struct faults *faults = &ex->snapshot->scenario->faults;

	for (size_t i = 0; i < faults->count; i++)
		if (ex->decision.rules[i] == RULE_APPLIES &&
		    (faults->rules[i].stages & stage) != 0)
			return true;
	return false;
}

int
site_edit(struct exchange *ex, enum fault_stage stage, void *plan)
{
	const struct snapshot *s = ex->snapshot;
	struct error err = { 0 };
	struct fault_context ctx = { .exchange = ex,
		.credentials = s->credentials,
		.stage = stage,
		.err = &err };

	if (faults_apply(&s->scenario->faults, s->site->seed, &ctx, plan) == 0)
		return 0;
	snprintf(ex->scep.why, sizeof(ex->scep.why), "%.150s", err.text);
	return -1;
}

void
site_state(struct site *site, struct stack_state *out)
{
	struct snapshot *s = site_now(site);

	*out = s->state;
	snapshot_free(s);
}

struct scenario *
site_scenario(struct site *site)
{
	struct snapshot *s = site_now(site);
	struct scenario *scenario = scenario_ref(s->scenario);

	snapshot_free(s);
	return scenario;
}

/* A shared port is the default site's, and closed for all of them. */
bool
site_refuses(const struct door *door, bool *may_change)
{
	struct site *site = door->site != NULL ? door->site :
						 site_default(door->sites);
	struct snapshot *s = site_now(site);
	const struct faults *faults = &s->scenario->faults;
	bool refuses = network_refuses(&s->state) ||
	    faults_refuse(faults, s->began, clock_now(&site->clock));

	*may_change = faults_may_refuse(faults);
	snapshot_free(s);
	return refuses;
}
