/* What a site is like: made, changed, caught up with the clock. */
#include "site/inside.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

struct snapshot *
snapshot_ref(struct snapshot *s)
{
	atomic_fetch_add(&s->refs, 1);
	return s;
}

void
snapshot_free(struct snapshot *s)
{
	if (s == NULL || atomic_fetch_sub(&s->refs, 1) > 1)
		return;
	scenario_free(s->scenario);
	credentials_free(s->credentials);
	blob_free(&s->ca_certs);
	free(s);
}

static struct snapshot *
snapshot_new(struct site *site, struct scenario *scenario,
    const struct stack_state *state, struct error *err)
{
	struct snapshot *s = calloc(1, sizeof(*s));

	if (s == NULL) {
		error_set(err, "out of memory");
		return NULL;
	}
	s->refs = 1;
	s->site = site;
	s->scenario = scenario_ref(scenario);
	s->state = *state;
	s->began = clock_now(&site->clock);
	return s;
}

/* Slow: it may sign. Takes the snapshot, and frees it if it could not. */
static struct snapshot *
with_credentials(struct snapshot *s, struct credentials *old,
    unsigned generation, struct error *err)
{
	s->credentials = make_credentials(s->site, &s->state, old, generation,
	    err);
	if (s->credentials != NULL &&
	    mscep_ca_certs(s->credentials, &s->ca_certs) == 0)
		return s;
	error_set(err, "out of memory");
	snapshot_free(s);
	return NULL;
}

struct snapshot *
snapshot_next(const struct snapshot *old, struct scenario *scenario,
    const struct stack_state *state, bool first, struct error *err)
{
	struct snapshot *s = snapshot_new(old->site, scenario, state, err);

	if (s == NULL)
		return NULL;
	s->generation = old->generation;
	s->changes = old->changes + 1;
	s->resets = old->resets;
	if (old->credentials == NULL)
		return s;
	return with_credentials(s, first ? NULL : old->credentials,
	    first ? 0 : old->credentials->shape.generation, err);
}

struct snapshot *
snapshot_disabled(const struct snapshot *old)
{
	struct error unused = { 0 };
	struct snapshot *s = snapshot_new(old->site, old->scenario, &old->state,
	    &unused);

	if (s == NULL)
		return NULL;
	s->state.app_pool.state = POOL_DISABLED;
	s->generation = old->generation;
	s->changes = old->changes + 1;
	s->resets = old->resets;
	s->began = old->began;
	if (old->credentials == NULL)
		return s;
	s->credentials = credentials_ref(old->credentials);
	if (blob_copy(&s->ca_certs, blob_span(&old->ca_certs)) == 0)
		return s;
	snapshot_free(s);
	return NULL;
}

struct snapshot *
snapshot_first(struct site *site, struct scenario *scenario, struct error *err)
{
	return snapshot_new(site, scenario, &scenario->state, err);
}

struct snapshot *
site_now(struct site *site)
{
	struct snapshot *s;

	pthread_mutex_lock(&site->lock);
	s = snapshot_ref(site->now);
	pthread_mutex_unlock(&site->lock);
	return s;
}

/* A reference to the one of now. Takes the reference to `s`. */
static struct snapshot *
caught_up(struct snapshot *s, unsigned generation, struct error *err)
{
	struct site *site = s->site;
	struct snapshot *fresh = snapshot_new(site, s->scenario, &s->state,
	    err);
	struct snapshot *unused = NULL;

	if (fresh != NULL)
		fresh = with_credentials(fresh, s->credentials, generation,
		    err);
	if (fresh == NULL) {
		snapshot_free(s);
		return NULL;
	}
	fresh->generation = s->generation;
	fresh->changes = s->changes;
	fresh->resets = s->resets;
	fresh->began = s->began;
	pthread_mutex_lock(&site->lock);
	if (site->now == s) {
		unused = s; /* that of the site */
		site->now = snapshot_ref(fresh);
	} else if (site->now->changes == s->changes &&
	    site->now->credentials != NULL) {
		unused = fresh;
		fresh = snapshot_ref(site->now);
	} /* else an exchange keeps its state, with the CA of now */
	pthread_mutex_unlock(&site->lock);
	snapshot_free(unused);
	snapshot_free(s);
	return fresh;
}

bool
site_is_behind(const struct exchange *ex)
{
	const struct snapshot *s = ex->snapshot;

	return s->credentials == NULL ||
	    due_generation(s, ex->at) != s->credentials->shape.generation;
}

int
site_catch_up(struct exchange *ex)
{
	struct snapshot *fresh;
	struct error err = { 0 };

	if (!site_is_behind(ex))
		return 0;
	fresh = caught_up(snapshot_ref(ex->snapshot),
	    due_generation(ex->snapshot, ex->at), &err);
	if (fresh == NULL) {
		snprintf(ex->scep.why, sizeof(ex->scep.why), "%.150s",
		    err.text);
		return -1;
	}
	snapshot_free(ex->snapshot);
	ex->snapshot = fresh;
	return 0;
}

struct snapshot *
site_caught_up(struct site *site, struct error *err)
{
	struct snapshot *s = site_now(site);
	unsigned due = due_generation(s, clock_now(&site->clock));

	return s->credentials != NULL &&
		due == s->credentials->shape.generation ?
	    s :
	    caught_up(s, due, err);
}

struct credentials *
site_credentials(struct site *site, struct error *err)
{
	struct snapshot *s = site_caught_up(site, err);
	struct credentials *cred;

	if (s == NULL)
		return NULL;
	cred = credentials_ref(s->credentials);
	snapshot_free(s);
	return cred;
}
