/*
 * What is done to a site: another scenario, other settings, a reset. The next
 * snapshot is built without the lock, since it may sign, and takes the place of
 * the one that it was built from; if that one is gone meanwhile, it is built
 * again.
 */
#include "site/inside.h"

static bool
is_usual(const struct ra_settings *ra)
{
	return ra->not_before == RA_USUAL && ra->not_after == RA_USUAL &&
	    ra->key_usage == RA_USAGE_USUAL;
}

int
site_check_state(const struct stack_state *s, struct error *err)
{
	if (s->ca.key != CA_KEY_GIVEN || s->ca.tiers != 1 ||
	    s->ca.rollover_after != 0)
		return error_set(err,
		    "--state-dir keeps one CA: server.ca.key, tiers and "
		    "rollover_after cannot be set with it");
	if (!is_usual(&s->ra.signing) || !is_usual(&s->ra.encryption))
		return error_set(err,
		    "--state-dir keeps the RAs: server.ra cannot be set with "
		    "it");
	return 0;
}

int
change_begin(struct change *c, struct scenario *scenario,
    const struct stack_state *state, bool first, struct error *err)
{
	if (c->site->state != NULL && site_check_state(state, err) == -1)
		return -1;
	c->fresh = snapshot_next(c->old, scenario, state, first, err);
	return c->fresh == NULL ? -1 : 0;
}

static int
change_count_anew(struct change *c, struct error *err)
{
	c->fresh->generation++;
	c->counters = fault_counters_new(&c->fresh->scenario->faults);
	return c->counters == NULL ? error_set(err, "out of memory") : 0;
}

/* Whoever starts the pool, and however. */
static bool
starts_pool(const struct change *c)
{
	return c->old->state.app_pool.state != POOL_STARTED &&
	    c->fresh->state.app_pool.state == POOL_STARTED;
}

bool
change_swap(struct change *c)
{
	struct site *site = c->site;
	struct fault_counters *counters = site->counters;

	if (site->now != c->old)
		return false;
	if (c->counters != NULL || starts_pool(c))
		app_pool_restart(&site->worker);
	site->now = c->fresh;
	c->fresh = c->old; /* the site's reference to it */
	if (c->counters != NULL) {
		site->counters = c->counters;
		c->counters = counters;
	}
	return true;
}

void
change_end(struct change *c)
{
	snapshot_free(c->old);
	snapshot_free(c->fresh);
	fault_counters_free(c->counters);
	*c = (struct change){ .site = c->site };
}

static bool
change_put(struct change *c)
{
	bool done;

	pthread_mutex_lock(&c->site->lock);
	done = change_swap(c);
	/* What an administrator has prepared was for the causes of before. */
	if (done && c->counters != NULL)
		c->site->waits.count = 0;
	pthread_mutex_unlock(&c->site->lock);
	return done;
}

int
site_use_scenario(struct site *site, struct scenario *scenario,
    struct error *err)
{
	struct change c = { .site = site };
	bool done = false;
	int ret = 0;

	while (ret == 0 && !done) {
		c.old = site_now(site);
		ret = change_begin(&c, scenario, &scenario->state, false, err);
		if (ret == 0)
			ret = change_count_anew(&c, err);
		if (ret == 0)
			done = change_put(&c);
		change_end(&c);
	}
	if (ret == 0)
		site_past(site);
	return ret;
}

int
site_set(struct site *site, const char *const *sets, size_t count,
    struct errors *errors)
{
	struct change c = { .site = site };
	struct stack_state state;
	struct error err = { 0 };
	bool done = false;
	int ret = 0;

	while (ret == 0 && !done) {
		c.old = site_now(site);
		state = c.old->state;
		if (scenario_set(&state, sets, count, errors) == -1)
			ret = -1;
		else if ((ret = change_begin(&c, c.old->scenario, &state, false,
			      &err)) == -1)
			errors_at(errors, NULL, "%s", err.text);
		else {
			c.fresh->began = c.old->began;
			done = change_put(&c);
		}
		change_end(&c);
	}
	return ret;
}

/* Under the lock. */
static void
forget(struct site *site)
{
	const struct holding held = site_holding(site);

	site->waits.count = 0;
	challenge_clear(&site->challenges);
	transactions_clear(&site->transactions);
	credentials_free(site->next);
	site->next = NULL;
	if (site->state == NULL) {
		issued_clear(&site->issued);
		site->next_request = CA_FIRST_REQUEST;
	}
	site_held(site, &held);
}

int
site_reset(struct site *site, struct error *err)
{
	struct change c = { .site = site };
	bool done = false;
	int ret = 0;

	clock_reset(&site->clock);
	site->opened = clock_now(&site->clock);
	while (ret == 0 && !done) {
		c.old = site_now(site);
		ret = change_begin(&c, c.old->scenario, &c.old->scenario->state,
		    true, err);
		if (ret == 0)
			ret = change_count_anew(&c, err);
		if (ret == 0) {
			c.fresh->resets++;
			pthread_mutex_lock(&site->lock);
			if ((done = change_swap(&c)))
				forget(site);
			pthread_mutex_unlock(&site->lock);
		}
		change_end(&c);
	}
	if (ret == 0) {
		journal_clear(site->journal);
		log_memory_clear(site->evidence);
		site_past(site);
	}
	return ret;
}

bool
site_is_current(const struct exchange *ex)
{
	const struct snapshot *s = ex->snapshot;

	return s->site->now->resets == s->resets;
}
