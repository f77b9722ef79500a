#include "site.h"

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#define ID_SIZE 130 /* SCENARIO~LABEL */

struct site {
	char id[ID_SIZE];
	struct sites *sites;
	pthread_mutex_t lock; /* everything below */
	struct snapshot *now;
	struct challenge_cache challenges;
	uint32_t next_request;
	struct journal journal;
	struct clock clock;	/* atomic by itself */
	struct log_files *logs; /* safe by itself */
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

/* Slow: it may sign. Without the lock. */
static struct snapshot *
snapshot_new(struct site *site, struct scenario *scenario,
    struct credentials *credentials, struct error *err)
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
	if (credentials != NULL)
		s->credentials = credentials_ref(credentials);
	else if (credentials_new(site->sites->options.keys, &CA_SHAPE_GIVEN,
		     clock_now(&site->clock), &s->credentials, err) == -1)
		goto fail;
	if (mscep_ca_certs(s->credentials, &s->ca_certs) == 0)
		return s;
	error_set(err, "out of memory");
fail:
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
	challenge_clear(&site->challenges);
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
	pthread_mutex_init(&site->lock, NULL);
	if (open_logs(site, err) == -1 ||
	    (site->now = snapshot_new(site, scenario, NULL, err)) == NULL) {
		site_free(site);
		return -1;
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

int
site_use_scenario(struct sites *sites, const char *id,
    struct scenario *scenario, struct error *err)
{
	struct site *site = site_find(sites, id);
	struct snapshot *old, *fresh;

	if (site == NULL)
		return error_set(err, "there is no site \"%s\"", id);
	old = site_now(site);
	fresh = snapshot_new(site, scenario, old->credentials, err);
	snapshot_free(old);
	if (fresh == NULL)
		return -1;
	pthread_mutex_lock(&site->lock);
	old = site->now;
	fresh->generation = old->generation + 1;
	site->now = fresh;
	pthread_mutex_unlock(&site->lock);
	snapshot_free(old);
	return 0;
}

void
site_begin(struct sites *sites, struct exchange *ex)
{
	struct site *site = site_find(sites, SITE_DEFAULT);

	ex->snapshot = site_now(site);
	ex->at = clock_now(&site->clock);
}

void
site_state(struct sites *sites, struct stack_state *out)
{
	struct site *site = site_find(sites, SITE_DEFAULT);

	pthread_mutex_lock(&site->lock);
	*out = site->now->state;
	pthread_mutex_unlock(&site->lock);
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

static bool
is_stale(const struct exchange *ex)
{
	return ex->snapshot->generation != ex->snapshot->site->now->generation;
}

enum challenge_answer
site_make_challenge(struct exchange *ex, char out[CHALLENGE_SIZE])
{
	struct site *site = ex->snapshot->site;
	enum challenge_answer answer = CHALLENGE_FAILED;

	pthread_mutex_lock(&site->lock);
	if (!is_stale(ex))
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

	if (lasting != NULL && password != NULL &&
	    strcmp(lasting, password) == 0)
		return REFUSAL_NONE;
	pthread_mutex_lock(&site->lock);
	refusal = challenge_judge(&site->challenges, &ex->snapshot->state,
	    password, ex->at, !is_stale(ex));
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
