#include "site.h"

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "state/state_dir.h"

#define ID_SIZE 130	     /* SCENARIO~LABEL */
#define CA_GENERATIONS_MAX 8 /* each has a key of its own */

struct site {
	char id[ID_SIZE];
	struct sites *sites;
	uint64_t seed;	      /* of chance; const */
	pthread_mutex_t lock; /* everything below */
	struct snapshot *now;
	struct challenge_cache challenges;
	struct transactions transactions;
	struct fault_counters *counters; /* of now->scenario */
	struct issued issued;
	uint32_t next_request, crl_number;
	struct credentials *next; /* what a rollover leads to, or NULL */
	struct journal journal;
	struct clock clock;	 /* atomic by itself */
	int64_t opened;		 /* by its clock; const */
	struct state_dir *state; /* borrowed, safe by itself; or NULL */
	struct log_files *logs;	 /* safe by itself */
	UT_hash_handle hh;
};

struct sites {
	struct sites_options options;
	pthread_mutex_t lock; /* the table */
	struct site *table;
};

static struct snapshot *
snapshot_ref(struct snapshot *s)
{
	atomic_fetch_add(&s->refs, 1);
	return s;
}

static void
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
static struct snapshot *
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

static struct snapshot *
site_now(struct site *site)
{
	struct snapshot *s;

	pthread_mutex_lock(&site->lock);
	s = snapshot_ref(site->now);
	pthread_mutex_unlock(&site->lock);
	return s;
}

int
sites_new(struct sites **out, const struct sites_options *options,
    struct error *err)
{
	struct sites *sites = calloc(1, sizeof(*sites));

	if ((*out = sites) == NULL)
		return error_set(err, "out of memory");
	sites->options = *options;
	pthread_mutex_init(&sites->lock, NULL);
	return 0;
}

static void
site_free(struct site *site)
{
	snapshot_free(site->now);
	fault_counters_free(site->counters);
	credentials_free(site->next);
	challenge_clear(&site->challenges);
	transactions_clear(&site->transactions);
	issued_clear(&site->issued);
	journal_clear(&site->journal);
	log_files_close(site->logs);
	pthread_mutex_destroy(&site->lock);
	free(site);
}

void
sites_free(struct sites *sites)
{
	struct site *site, *next;

	if (sites == NULL)
		return;
	HASH_ITER(hh, sites->table, site, next) {
		HASH_DEL(sites->table, site);
		site_free(site);
	}
	pthread_mutex_destroy(&sites->lock);
	free(sites);
}

static int
open_logs(struct site *site, struct error *err)
{
	const char *dir = site->sites->options.log_dir;
	char path[PATH_MAX];

	if (dir == NULL)
		return 0;
	snprintf(path, sizeof(path), "%s/%s", dir, site->id);
	return log_files_open(path, &site->logs, err);
}

struct remembering {
	struct site *site;
	struct error *err;
};

/* What an earlier run has issued. */
static int
remember(void *cls, const struct state_entry *entry)
{
	struct remembering *r = cls;

	if (issued_add(&r->site->issued, entry->der, r->err) == -1)
		return -1;
	if (entry->revoked_at == 0)
		return 0;
	/* `openssl ca` knows removeFromCRL too, and lists it as revoked. */
	return issued_revoke(&r->site->issued, entry->serial, entry->revoked_at,
	    ca_reason_name(entry->reason) != NULL ? entry->reason :
						    CA_REASON_UNSPECIFIED,
	    r->err);
}

static int
open_state(struct site *site, struct error *err)
{
	struct remembering r = { site, err };

	if (strcmp(site->id, SITE_DEFAULT) != 0 ||
	    (site->state = site->sites->options.state) == NULL)
		return 0;
	site->next_request = state_dir_next_request(site->state);
	return state_dir_each(site->state, remember, &r, err);
}

/* FNV-1a: sites differ, runs with the same seed do not. */
static uint64_t
seed_of(uint64_t seed, const char *id)
{
	uint64_t hash = 0xcbf29ce484222325U ^ seed;

	for (; *id != '\0'; id++)
		hash = (hash ^ (uint8_t)*id) * 0x100000001b3U;
	return hash;
}

int
site_open(struct sites *sites, const char *id, struct scenario *scenario,
    struct error *err)
{
	struct site *site = calloc(1, sizeof(*site)), *taken;

	if (site == NULL)
		return error_set(err, "out of memory");
	snprintf(site->id, sizeof(site->id), "%s", id);
	site->sites = sites;
	site->next_request = CA_FIRST_REQUEST;
	site->opened = clock_now(&site->clock);
	site->seed = seed_of(sites->options.seed, id);
	pthread_mutex_init(&site->lock, NULL);
	if ((site->counters = fault_counters_new(&scenario->faults)) == NULL ||
	    open_logs(site, err) == -1 || open_state(site, err) == -1 ||
	    (site->now = snapshot_new(site, scenario, NULL, 0, err)) == NULL) {
		site_free(site);
		return error_set(err, "out of memory");
	}
	pthread_mutex_lock(&sites->lock);
	HASH_FIND_STR(sites->table, site->id, taken);
	if (taken == NULL)
		HASH_ADD_STR(sites->table, id, site);
	pthread_mutex_unlock(&sites->lock);
	if (taken == NULL)
		return 0;
	site_free(site);
	return error_set(err, "there is a site \"%s\" already", id);
}

struct site *
site_find(struct sites *sites, const char *id)
{
	struct site *site;

	pthread_mutex_lock(&sites->lock);
	HASH_FIND_STR(sites->table, id, site);
	pthread_mutex_unlock(&sites->lock);
	return site;
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

void
site_begin(struct sites *sites, struct exchange *ex)
{
	struct site *site = site_find(sites, SITE_DEFAULT);

	ex->snapshot = site_now(site);
	ex->at = clock_now(&site->clock);
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

bool
site_decides_late(const struct exchange *ex)
{
	return ex->snapshot->scenario->faults.needs_message;
}

/* As `when: operation` has it, whoever answers. */
static const char *
operation_of(const struct request *r)
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
	facts.operation = operation_of(&ex->request);
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
site_state(struct sites *sites, struct stack_state *out)
{
	struct site *site = site_find(sites, SITE_DEFAULT);

	pthread_mutex_lock(&site->lock);
	*out = site->now->state;
	pthread_mutex_unlock(&site->lock);
}

bool
site_refuses(struct sites *sites, bool *may_change)
{
	struct site *site = site_find(sites, SITE_DEFAULT);
	struct snapshot *s = site_now(site);
	const struct faults *faults = &s->scenario->faults;
	bool refuses = faults_refuse(faults, s->began, clock_now(&site->clock));

	*may_change = faults_may_refuse(faults);
	snapshot_free(s);
	return refuses;
}

static void
log_form(const struct stack_state *state, struct iis_log_form *form)
{
	form->version = windows_server_header(state->windows) +
	    strlen("Microsoft-IIS/");
	form->referer = state->windows > WINDOWS_2008R2;
	form->bytes = state->iis.log_fields == LOG_FIELDS_ARTICLE;
}

void
site_commit(struct sites *sites, struct exchange *ex)
{
	struct snapshot *s = ex->snapshot;
	struct iis_log_form form;
	struct error err = { 0 };

	if (s == NULL)
		return;
	ex->snapshot = NULL;
	faults_note(&s->scenario->faults, &ex->decision, &ex->notes);
	log_form(&s->state, &form);
	if (log_files_write(s->site->logs, ex, &form, &err) == -1 &&
	    sites->options.narrate != NULL)
		sites->options.narrate(sites->options.cls, err.text);
	if (sites->options.narrate != NULL)
		narrate(ex, &form, sites->options.narrate, sites->options.cls);
	pthread_mutex_lock(&s->site->lock);
	journal_add(&s->site->journal, ex);
	pthread_mutex_unlock(&s->site->lock);
	snapshot_free(s);
}

/*
 * What follows outlives a switch of the scenario, so that exchanges which
 * began before it count as well.
 */
enum challenge_answer
site_make_challenge(struct exchange *ex, char out[CHALLENGE_SIZE])
{
	struct site *site = ex->snapshot->site;
	enum challenge_answer answer;

	pthread_mutex_lock(&site->lock);
	answer = challenge_make(&site->challenges, &ex->snapshot->state,
	    site->sites->options.crypto, ex->at, out);
	pthread_mutex_unlock(&site->lock);
	return answer;
}

enum refusal
site_spend_challenge(struct exchange *ex, const char *password)
{
	struct site *site = ex->snapshot->site;
	const char *lasting = site->sites->options.challenge;
	enum refusal refusal;

	/* Unless the scenario sets the challenge itself. */
	if (lasting != NULL && password != NULL &&
	    ex->snapshot->state.mscep.challenge.mode == CHALLENGES_ONE_TIME &&
	    strcmp(lasting, password) == 0)
		return REFUSAL_NONE;
	pthread_mutex_lock(&site->lock);
	refusal = challenge_judge(&site->challenges, &ex->snapshot->state,
	    password, ex->at, true);
	pthread_mutex_unlock(&site->lock);
	return refusal;
}

int
site_next_serial(struct exchange *ex, uint8_t out[CA_SERIAL_SIZE])
{
	struct site *site = ex->snapshot->site;
	uint32_t number;

	pthread_mutex_lock(&site->lock);
	number = site->next_request++;
	pthread_mutex_unlock(&site->lock);
	return ca_serial(site->sites->options.crypto, number, out);
}

void
site_ask(struct exchange *ex, const struct scep_request *request, bool hold,
    struct ruling *out)
{
	struct site *site = ex->snapshot->site;

	pthread_mutex_lock(&site->lock);
	transaction_ask(&site->transactions, request, hold, ex->at, out);
	pthread_mutex_unlock(&site->lock);
}

enum refusal
site_hold(struct exchange *ex, const struct scep_request *request)
{
	struct site *site = ex->snapshot->site;
	enum refusal refusal;

	pthread_mutex_lock(&site->lock);
	refusal = transaction_hold(&site->transactions, request,
	    ex->snapshot->state.ca.pending_lifetime, ex->at);
	pthread_mutex_unlock(&site->lock);
	return refusal;
}

void
site_end_transaction(struct exchange *ex, const char *id,
    struct span certificate)
{
	struct site *site = ex->snapshot->site;

	pthread_mutex_lock(&site->lock);
	transaction_end(&site->transactions, id, certificate);
	pthread_mutex_unlock(&site->lock);
}

int
site_settle(struct site *site, const char *transaction_id, bool approve)
{
	int ret;

	pthread_mutex_lock(&site->lock);
	ret = transaction_settle(&site->transactions, transaction_id, approve,
	    clock_now(&site->clock));
	pthread_mutex_unlock(&site->lock);
	return ret;
}

/* The disk first: what a client has must be there after a crash. */
int
site_keep_certificate(struct exchange *ex, struct span der, struct error *err)
{
	struct site *site = ex->snapshot->site;
	int ret;

	if (site->state != NULL && state_dir_add(site->state, der, err) == -1)
		return -1;
	pthread_mutex_lock(&site->lock);
	ret = issued_add(&site->issued, der, err);
	pthread_mutex_unlock(&site->lock);
	return ret;
}

bool
site_certificate_of_key(struct exchange *ex, struct span spki,
    const struct x509 *signer, struct blob *out)
{
	struct site *site = ex->snapshot->site;
	const struct issued_cert *entry;
	bool found;

	pthread_mutex_lock(&site->lock);
	entry = issued_newest(&site->issued, spki);
	found = entry != NULL && !entry->revoked &&
	    ex->at <= entry->cert.not_after &&
	    !span_equal(entry->cert.whole, signer->whole) &&
	    blob_copy(out, entry->cert.whole) == 0;
	pthread_mutex_unlock(&site->lock);
	return found;
}

static const struct x509 *
find_own(const struct credentials *cred, struct span issuer, struct span serial)
{
	for (int role = 0; role < CA_ROLES; role++)
		if (span_equal(cred->certs[role].serial, serial) &&
		    span_equal(cred->certs[role].issuer, issuer))
			return &cred->certs[role];
	return NULL;
}

bool
site_find_certificate(struct exchange *ex, struct span issuer,
    struct span serial, struct blob *out)
{
	const struct x509 *own = find_own(ex->snapshot->credentials, issuer,
	    serial);
	struct site *site = ex->snapshot->site;
	const struct issued_cert *entry;
	bool found;

	if (own != NULL)
		return blob_copy(out, own->whole) == 0;
	pthread_mutex_lock(&site->lock);
	entry = issued_find(&site->issued, serial);
	found = entry != NULL && span_equal(entry->cert.issuer, issuer) &&
	    blob_copy(out, entry->cert.whole) == 0;
	pthread_mutex_unlock(&site->lock);
	return found;
}

/* Known here, or signed by this CA, as by a server with the same keys. */
enum refusal
site_judge_signer(struct exchange *ex, const struct x509 *signer)
{
	const struct credentials *cred = ex->snapshot->credentials;
	struct site *site = ex->snapshot->site;
	const struct issued_cert *entry;
	bool known, revoked;

	pthread_mutex_lock(&site->lock);
	entry = issued_find(&site->issued, signer->serial);
	known = entry != NULL && span_equal(entry->cert.whole, signer->whole);
	revoked = known && entry->revoked;
	pthread_mutex_unlock(&site->lock);
	if (!known &&
	    (find_own(cred, signer->issuer, signer->serial) != NULL ||
		!ca_has_signed(cred, signer)))
		return REFUSAL_RENEWAL_SIGNER;
	if (revoked)
		return REFUSAL_RENEWAL_REVOKED;
	return signer->not_before <= ex->at && ex->at <= signer->not_after ?
	    REFUSAL_NONE :
	    REFUSAL_RENEWAL_EXPIRED;
}

/*
 * On disk before anybody gets it, so that its number is nobody else's after a
 * crash; unless a later one is there by now.
 */
static int
keep_crl(struct site *site, struct span crl, uint32_t number, struct error *err)
{
	struct error why = { 0 };

	if (site->state == NULL ||
	    state_dir_write_crl(site->state, crl, number, &why) == 0 ||
	    state_dir_next_crl(site->state) > number)
		return 0;
	return error_set(err, "%s", why.text);
}

int
site_make_crl(struct exchange *ex, struct blob *out, struct error *err)
{
	struct site *site = ex->snapshot->site;
	struct ca_revocation *list;
	uint32_t number, least = 0;
	size_t count;
	int ret;

	if (site->state != NULL)
		least = state_dir_next_crl(site->state);
	pthread_mutex_lock(&site->lock);
	number = site->crl_number + 1 > least ? site->crl_number + 1 : least;
	site->crl_number = number;
	count = site->issued.revoked;
	ret = issued_revocations(&site->issued, &list);
	pthread_mutex_unlock(&site->lock);
	if (ret == -1)
		return error_set(err, "out of memory");
	ret = ca_crl(ex->snapshot->credentials, list, count, number, ex->at,
	    ex->snapshot->state.ca.crl_lifetime, out, err);
	free(list);
	if (ret == 0 &&
	    (ret = keep_crl(site, blob_span(out), number, err)) == -1)
		blob_free(out);
	return ret;
}

/* The disk first: what it refuses must not be on a CRL until the next start. */
int
site_revoke(struct site *site, struct span serial, int reason,
    struct error *err)
{
	int64_t now = clock_now(&site->clock);
	int ret;

	if (site->state != NULL &&
	    state_dir_revoke(site->state, serial, now, reason, err) == -1)
		return -1;
	pthread_mutex_lock(&site->lock);
	ret = issued_revoke(&site->issued, serial, now, reason, err);
	pthread_mutex_unlock(&site->lock);
	return ret;
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

struct clock *
site_clock(struct site *site)
{
	return &site->clock;
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

bool
site_journal(struct site *site, uint64_t seq, struct journal_entry *out)
{
	const struct journal_entry *entry;

	pthread_mutex_lock(&site->lock);
	if ((entry = journal_from(&site->journal, seq)) != NULL)
		*out = *entry;
	pthread_mutex_unlock(&site->lock);
	return entry != NULL;
}
