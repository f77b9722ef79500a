/* The CA and the RAs of a site, by its settings and its clock. */
#include "site/inside.h"

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

/* Its first CA, which a reset leads back to; a reference. */
static struct credentials *
first_credentials(struct site *site, const struct ca_shape *shape,
    struct error *err)
{
	struct credentials *first = NULL, *unused;

	pthread_mutex_lock(&site->lock);
	if (site->first != NULL && same_ca(&site->first->shape, shape))
		first = credentials_ref(site->first);
	pthread_mutex_unlock(&site->lock);
	if (first != NULL ||
	    credentials_new(site->sites->options.keys, shape, site->opened,
		&first, err) == -1)
		return first;
	pthread_mutex_lock(&site->lock);
	unused = site->first;
	if (unused != NULL && same_ca(&unused->shape, shape)) {
		unused = first;
		first = credentials_ref(site->first);
	} else {
		site->first = credentials_ref(first);
	}
	pthread_mutex_unlock(&site->lock);
	credentials_free(unused);
	return first;
}

/* One that nothing leads to; rollovers may have been planned for other days. */
static struct credentials *
other_credentials(struct site *site, const struct stack_state *state,
    unsigned generation, struct error *err)
{
	const struct ca_shape shape = { (int)state->ca.key,
		(int)state->ca.tiers, generation };
	int64_t now = clock_now(&site->clock),
		begin = begin_of(site, state, generation);
	struct credentials *cred = NULL;

	if (generation == 0)
		return first_credentials(site, &shape, err);
	credentials_new(site->sites->options.keys, &shape,
	    begin < now ? begin : now, &cred, err);
	return cred;
}

/* What the CA is like by now, from what it was; a reference. */
static struct credentials *
make_ca(struct site *site, const struct stack_state *state,
    struct credentials *old, unsigned generation, struct error *err)
{
	struct credentials *cred, *next;

	if (old == NULL || old->shape.key != (int)state->ca.key ||
	    old->shape.tiers != (int)state->ca.tiers)
		return other_credentials(site, state, generation, err);
	cred = credentials_ref(old);
	while (cred != NULL && cred->shape.generation < generation) {
		next = next_credentials(site, state, cred, err);
		credentials_free(cred);
		cred = next;
	}
	return cred;
}

struct credentials *
make_credentials(struct site *site, const struct stack_state *state,
    struct credentials *old, unsigned generation, struct error *err)
{
	return with_ras(site, state, make_ca(site, state, old, generation, err),
	    err);
}

unsigned
due_generation(const struct snapshot *s, int64_t now)
{
	unsigned has = s->credentials == NULL ?
	    0 :
	    s->credentials->shape.generation;
	int64_t due = 0;

	if (s->state.ca.rollover_after > 0)
		due = (now - s->site->opened) / s->state.ca.rollover_after;
	if (due > CA_GENERATIONS_MAX)
		due = CA_GENERATIONS_MAX;
	return due > has ? (unsigned)due : has;
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
