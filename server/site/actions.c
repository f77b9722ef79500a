/* What an administrator does to a site, and whether it is well. */
#include "site/inside.h"

#include <stdlib.h>
#include <string.h>

#define YEAR 31557600LL /* a Julian one */

static bool
field_is_other(const struct server_key *key, const struct stack_state *a,
    const struct stack_state *b)
{
	const char *one = (const char *)a + key->offset;
	const char *two = (const char *)b + key->offset;

	switch (key->key.type) {
	case VALUE_TEXT:
	case VALUE_TEXTS:
	case VALUE_OIDS:
		return strcmp(one, two) != 0;
	default:
		return memcmp(one, two, key->room) != 0;
	}
}

/* The list is the caller's; -1 without memory. */
static int
list_changes(const struct stack_state *before, const struct stack_state *after,
    const char ***out, size_t *count)
{
	const struct server_key *key;
	size_t keys = 0;

	while (server_key_at(keys) != NULL)
		keys++;
	*count = 0;
	if ((*out = calloc(keys, sizeof(**out))) == NULL)
		return -1;
	for (size_t i = 0; (key = server_key_at(i)) != NULL; i++)
		if (field_is_other(key, before, after))
			(*out)[(*count)++] = key->key.name;
	return 0;
}

/* What could never show is refused at once, not when IIS is restarted. */
static int
check_effect(const struct site *site, const struct action *action,
    const struct action_call *call, const struct stack_state *now,
    struct error *err)
{
	struct stack_state then = *now;

	if (site->state == NULL || action->apply == NULL)
		return 0;
	action->apply(&then, call);
	return site_check_state(&then, err);
}

/* What dies with the worker process; under the lock. */
static void
end_process(struct site *site, const struct action *action,
    const struct stack_state *before)
{
	if (action_is_idle(action, before) ||
	    (!action_does(action, ACTION_START) &&
		!action_does(action, ACTION_STOP)))
		return;
	challenge_restart(&site->challenges);
	app_pool_restart(&site->worker);
}

/* One try: *done is whether nothing came between. */
static int
try_it(struct change *c, const struct action *action,
    const struct action_call *call, struct site_acted *out, bool *done,
    struct error *err)
{
	struct site *site = c->site;
	struct action_waits waits;
	struct stack_state state;

	pthread_mutex_lock(&site->lock);
	c->old = snapshot_ref(site->now);
	waits = site->waits;
	pthread_mutex_unlock(&site->lock);
	state = c->old->state;
	if (check_effect(site, action, call, &state, err) == -1)
		return -1;
	action_do(action, call, &state, &waits, &out->waits_for);
	if (change_begin(c, c->old->scenario, &state, false, err) == -1)
		return -1;
	c->fresh->began = c->old->began;
	if (list_changes(&c->old->state, &state, &out->changed,
		&out->changed_count) == -1)
		return error_set(err, "out of memory");
	pthread_mutex_lock(&site->lock);
	if ((*done = change_swap(c))) {
		site->waits = waits;
		end_process(site, action, &c->old->state);
	}
	pthread_mutex_unlock(&site->lock);
	return 0;
}

int
site_act(struct site *site, const struct action *action,
    const struct action_call *given, struct site_acted *out, struct error *err)
{
	struct action_call call = *given;
	struct change c = { .site = site };
	bool done = false;
	int ret = 0;

	*out = (struct site_acted){ .healthy = false };
	call.elapsed = clock_now(&site->clock) - site->opened;
	while (ret == 0 && !done) {
		site_acted_clear(out);
		ret = try_it(&c, action, &call, out, &done, err);
		change_end(&c);
	}
	if (ret == 0)
		out->healthy = site_is_healthy(site, &out->why);
	else
		site_acted_clear(out);
	return ret;
}

void
site_acted_clear(struct site_acted *acted)
{
	free(acted->changed);
	*acted = (struct site_acted){ .healthy = false };
}

void
site_configured(struct site *site, struct stack_state *out)
{
	pthread_mutex_lock(&site->lock);
	action_configured(&site->now->state, &site->waits, out);
	pthread_mutex_unlock(&site->lock);
}

bool
site_waits(struct site *site, const struct action *action)
{
	bool waits = false;

	pthread_mutex_lock(&site->lock);
	for (size_t i = 0; i < site->waits.count; i++)
		waits |= site->waits.list[i].action == action;
	pthread_mutex_unlock(&site->lock);
	return waits;
}

/*
 * Those that a site has not needed yet are good for two years once made, unless
 * they are there already.
 */
static bool
needs_credentials(const struct snapshot *s, int64_t now)
{
	return s->credentials != NULL ||
	    key_set_has_certificates(s->site->sites->options.keys) ||
	    s->state.ra.signing.not_before != RA_USUAL ||
	    s->state.ra.signing.not_after != RA_USUAL ||
	    s->state.ra.encryption.not_before != RA_USUAL ||
	    s->state.ra.encryption.not_after != RA_USUAL ||
	    now - s->site->opened > YEAR;
}

bool
site_doubts_ras(const struct exchange *ex)
{
	return site_is_behind(ex) && needs_credentials(ex->snapshot, ex->at);
}

static bool
is_healthy(const struct snapshot *s, struct error *why)
{
	int64_t now = clock_now(&s->site->clock);

	if (!stack_is_healthy(&s->state, s->credentials, now, why) ||
	    app_pool_is_broken(&s->state, now - s->site->opened, why))
		return false;
	if (s->scenario->faults.count == 0)
		return true;
	error_set(why, "the scenario \"%.64s\" has faults",
	    s->scenario->name == NULL ? "" : s->scenario->name);
	return false;
}

bool
site_is_healthy(struct site *site, struct error *why)
{
	struct error unasked = { 0 };
	struct snapshot *s = site_now(site);
	bool healthy;

	if (why == NULL)
		why = &unasked;
	if (needs_credentials(s, clock_now(&site->clock))) {
		snapshot_free(s);
		if ((s = site_caught_up(site, why)) == NULL)
			return false;
	}
	healthy = is_healthy(s, why);
	snapshot_free(s);
	return healthy;
}
