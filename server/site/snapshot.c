/* What a site is like: made, switched, caught up with the clock. */
#include "site/inside.h"

#include <stdatomic.h>
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

/* A key of another kind, or another place in a chain, is another CA. */
static bool
same_ca(const struct ca_shape *a, const struct ca_shape *b)
{
	return a->key == b->key && a->tiers == b->tiers &&
	    a->generation == b->generation;
}

/* When the CA of this generation begins. */
static int64_t
begin_of(const struct site *site, const struct stack_state *state,
    unsigned generation)
{
	return site->opened + (int64_t)generation * state->ca.rollover_after;
}

static bool
is_announced(const struct credentials *next, const struct ca_shape *shape,
    int64_t begin)
{
	return next != NULL && same_ca(&next->shape, shape) &&
	    next->certs[CA_ISSUING].not_before == begin;
}

/*
 * The CA after this one, a reference; what has been announced once stays so,
 * unless a scenario sets another day for it. Slow: it signs. Without the lock.
 */
static struct credentials *
next_credentials(struct site *site, const struct stack_state *state,
    struct credentials *from, struct error *err)
{
	struct ca_shape shape = from->shape;
	struct credentials *next = NULL, *unused;
	int64_t begin;

	shape.generation++;
	begin = begin_of(site, state, shape.generation);
	pthread_mutex_lock(&site->lock);
	if (is_announced(site->next, &shape, begin))
		next = credentials_ref(site->next);
	pthread_mutex_unlock(&site->lock);
	if (next != NULL || credentials_next(from, begin, &next, err) == -1)
		return next;
	pthread_mutex_lock(&site->lock);
	unused = site->next;
	if (is_announced(unused, &shape, begin)) {
		unused = next;
		next = credentials_ref(site->next);
	} else {
		site->next = credentials_ref(next);
	}
	pthread_mutex_unlock(&site->lock);
	credentials_free(unused);
	return next;
}

static int64_t
ra_moment(const struct site *site, int64_t after)
{
	return after == RA_USUAL ? 0 : site->opened + after;
}

static struct ra_shape
ra_shape(const struct site *site, const struct ra_settings *s)
{
	return (struct ra_shape){ ra_moment(site, s->not_before),
		ra_moment(site, s->not_after), (enum ra_usage)s->key_usage };
}

/* With the RAs that the state wants. Takes the reference, gives one. */
static struct credentials *
with_ras(const struct site *site, const struct stack_state *state,
    struct credentials *cred, struct error *err)
{
	const struct ra_shape ras[CA_ROLES] = {
		[CA_RA_SIGNING] = ra_shape(site, &state->ra.signing),
		[CA_RA_ENCRYPTION] = ra_shape(site, &state->ra.encryption),
	};
	struct credentials *other;

	if (cred == NULL || credentials_have_ras(cred, ras))
		return cred;
	credentials_with_ras(cred, ras, &other, err);
	credentials_free(cred);
	return other;
}

/* What the CA is like by now, from what it was; a reference. */
static struct credentials *
make_ca(struct site *site, const struct stack_state *state,
    struct credentials *old, unsigned generation, struct error *err)
{
	struct ca_shape shape = { (int)state->ca.key, (int)state->ca.tiers,
		generation };
	struct credentials *cred = NULL, *next;
	int64_t now = clock_now(&site->clock),
		begin = begin_of(site, state, generation);

	if (old == NULL || old->shape.key != shape.key ||
	    old->shape.tiers != shape.tiers) {
		/* Rollovers may have been planned for other days. */
		credentials_new(site->sites->options.keys, &shape,
		    begin < now ? begin : now, &cred, err);
		return cred;
	}
	cred = credentials_ref(old);
	while (cred != NULL && cred->shape.generation < generation) {
		next = next_credentials(site, state, cred, err);
		credentials_free(cred);
		cred = next;
	}
	return cred;
}

static struct credentials *
make_credentials(struct site *site, const struct stack_state *state,
    struct credentials *old, unsigned generation, struct error *err)
{
	return with_ras(site, state, make_ca(site, state, old, generation, err),
	    err);
}

/* Slow: it may sign. Without the lock. `old` may be NULL. */
struct snapshot *
snapshot_new(struct site *site, struct scenario *scenario,
    const struct snapshot *old, unsigned ca_generation, struct error *err)
{
	struct snapshot *s = calloc(1, sizeof(*s));

	if (s == NULL) {
		error_set(err, "out of memory");
		return NULL;
	}
	s->refs = 1;
	s->site = site;
	s->scenario = scenario_ref(scenario);
	s->state = scenario->state;
	s->began = old == NULL || old->scenario != scenario ?
	    clock_now(&site->clock) :
	    old->began;
	s->credentials = make_credentials(site, &s->state,
	    old == NULL ? NULL : old->credentials, ca_generation, err);
	if (s->credentials != NULL &&
	    mscep_ca_certs(s->credentials, &s->ca_certs) == 0)
		return s;
	error_set(err, "out of memory");
	snapshot_free(s);
	return NULL;
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
site_use_scenario(struct sites *sites, const char *id,
    struct scenario *scenario, struct error *err)
{
	struct site *site = site_find(sites, id);
	struct fault_counters *counters, *unused;
	struct snapshot *old, *fresh;

	if (site == NULL)
		return error_set(err, "there is no site \"%s\"", id);
	if (site->state != NULL &&
	    site_check_state(&scenario->state, err) == -1)
		return -1;
	old = site_now(site);
	fresh = snapshot_new(site, scenario, old,
	    old->credentials->shape.generation, err);
	snapshot_free(old);
	if (fresh == NULL)
		return -1;
	if ((counters = fault_counters_new(&scenario->faults)) == NULL) {
		snapshot_free(fresh);
		return error_set(err, "out of memory");
	}
	pthread_mutex_lock(&site->lock);
	old = site->now;
	fresh->generation = old->generation + 1;
	fresh->began = clock_now(&site->clock); /* if it is the same, too */
	site->now = fresh;
	unused = site->counters;
	site->counters = counters;
	pthread_mutex_unlock(&site->lock);
	fault_counters_free(unused);
	snapshot_free(old);
	return 0;
}

/* Which CA there should be by now; it never goes back. */
static unsigned
due_generation(const struct site *site, const struct snapshot *s, int64_t now)
{
	unsigned has = s->credentials->shape.generation;
	int64_t due = 0;

	if (s->state.ca.rollover_after > 0)
		due = (now - site->opened) / s->state.ca.rollover_after;
	if (due > CA_GENERATIONS_MAX)
		due = CA_GENERATIONS_MAX;
	return due > has ? (unsigned)due : has;
}

/* Takes the reference; gives one back, to the same if nothing came of it. */
static struct snapshot *
roll_over(struct site *site, struct snapshot *s, unsigned generation)
{
	struct error err = { 0 };
	struct snapshot *fresh = snapshot_new(site, s->scenario, s, generation,
	    &err);
	struct snapshot *unused = NULL;

	if (fresh == NULL)
		return s;
	fresh->generation = s->generation;
	pthread_mutex_lock(&site->lock);
	if (site->now == s) {
		unused = s;
		site->now = snapshot_ref(fresh);
	} else if (site->now->generation == s->generation) {
		unused = fresh;
		fresh = snapshot_ref(site->now);
	} /* else an exchange keeps its scenario, with the CA of now */
	pthread_mutex_unlock(&site->lock);
	snapshot_free(unused);
	snapshot_free(s);
	return fresh;
}

bool
site_is_behind(const struct exchange *ex)
{
	const struct snapshot *s = ex->snapshot;

	return due_generation(s->site, s, ex->at) !=
	    s->credentials->shape.generation;
}

void
site_catch_up(struct exchange *ex)
{
	struct snapshot *s = ex->snapshot;
	unsigned due = due_generation(s->site, s, ex->at);

	if (due != s->credentials->shape.generation)
		ex->snapshot = roll_over(s->site, s, due);
}

int
site_next_ca(struct exchange *ex, struct credentials **out, struct error *err)
{
	const struct snapshot *s = ex->snapshot;

	*out = NULL;
	if (s->state.ca.rollover_after == 0 ||
	    s->credentials->shape.generation >= CA_GENERATIONS_MAX)
		return error_set(err, "no rollover of the CA is planned");
	*out = next_credentials(s->site, &s->state, s->credentials, err);
	return *out == NULL ? -1 : 0;
}

struct credentials *
site_credentials(struct site *site)
{
	struct credentials *cred;

	pthread_mutex_lock(&site->lock);
	cred = credentials_ref(site->now->credentials);
	pthread_mutex_unlock(&site->lock);
	return cred;
}
