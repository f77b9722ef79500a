/* The sites: opened, found, freed. */
#include "site/inside.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

void
site_begin(struct sites *sites, struct exchange *ex)
{
	struct site *site = site_find(sites, SITE_DEFAULT);

	ex->snapshot = site_now(site);
	ex->at = clock_now(&site->clock);
}

struct clock *
site_clock(struct site *site)
{
	return &site->clock;
}
