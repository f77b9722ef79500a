/* The sites: opened, found, evicted, freed. */
#include "site/inside.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#define GONE_MAX 4096
#define SECRET 16 /* octets of an id that nobody can guess */

int
sites_new(struct sites **out, const struct sites_options *options,
    struct error *err)
{
	const struct log_memories_options logs = { 0 };
	struct sites *sites = calloc(1, sizeof(*sites));

	if ((*out = sites) == NULL)
		return error_set(err, "out of memory");
	sites->options = *options;
	if (sites->options.most == 0)
		sites->options.most = SITES_MOST;
	if (sites->options.octets == 0)
		sites->options.octets = SITES_OCTETS_MAX;
	pthread_mutex_init(&sites->lock, NULL);
	if (journals_new(&sites->journals, &options->journals, err) == 0 &&
	    log_memories_new(&sites->evidence, &logs, err) == 0 &&
	    metrics_new(&sites->metrics, err) == 0)
		return 0;
	sites_free(sites);
	*out = NULL;
	return -1;
}

static size_t
octets_of(const struct site *site)
{
	return site->issued.octets + site->transactions.octets;
}

struct holding
site_holding(const struct site *site)
{
	return (struct holding){ octets_of(site),
		atomic_load(&site->sites->octets) <
		    site->sites->options.octets };
}

void
site_held(struct site *site, const struct holding *h)
{
	/* Less than before wraps around, and back again. */
	atomic_fetch_add(&site->sites->octets, octets_of(site) - h->before);
}

static void
site_free(struct site *site)
{
	atomic_fetch_sub(&site->sites->octets, octets_of(site));
	snapshot_free(site->now);
	fault_counters_free(site->counters);
	credentials_free(site->first);
	credentials_free(site->next);
	challenge_clear(&site->challenges);
	transactions_clear(&site->transactions);
	issued_clear(&site->issued);
	journal_close(site->journal);
	log_memory_close(site->evidence);
	log_files_close(site->logs);
	pthread_mutex_destroy(&site->lock);
	free(site);
}

struct site *
site_ref(struct site *site)
{
	atomic_fetch_add(&site->refs, 1);
	return site;
}

void
site_unref(struct site *site)
{
	if (site != NULL && atomic_fetch_sub(&site->refs, 1) == 1)
		site_free(site);
}

void
sites_free(struct sites *sites)
{
	struct site *site, *next;
	struct gone *gone, *after;

	if (sites == NULL)
		return;
	HASH_ITER(hh, sites->table, site, next) {
		HASH_DEL(sites->table, site);
		site_unref(site);
	}
	HASH_ITER(hh, sites->gone, gone, after) {
		HASH_DEL(sites->gone, gone);
		free(gone);
	}
	metrics_free(sites->metrics);
	journals_free(sites->journals);
	log_memories_free(sites->evidence);
	pthread_mutex_destroy(&sites->lock);
	free(sites);
}

struct metrics *
sites_metrics(struct sites *sites)
{
	return sites->metrics;
}

struct journals *
sites_journals(struct sites *sites)
{
	return sites->journals;
}

struct log_memories *
sites_evidence(struct sites *sites)
{
	return sites->evidence;
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
	int ret;

	if (site->kind != SITE_IS_DEFAULT ||
	    (site->state = site->sites->options.state) == NULL)
		return 0;
	site->next_request = state_dir_next_request(site->state);
	ret = state_dir_each(site->state, remember, &r, err);
	atomic_fetch_add(&site->sites->octets, octets_of(site));
	return ret;
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

static struct site *
site_new(struct sites *sites, const char *id, enum site_kind kind,
    struct scenario *scenario, struct error *err)
{
	struct site *site = calloc(1, sizeof(*site));

	if (site == NULL) {
		error_set(err, "out of memory");
		return NULL;
	}
	snprintf(site->id, sizeof(site->id), "%s", id);
	site->kind = kind;
	site->sites = sites;
	site->next_request = CA_FIRST_REQUEST;
	site->opened = clock_now(&site->clock);
	site->seed = seed_of(sites->options.seed, id);
	site->refs = 1;
	pthread_mutex_init(&site->lock, NULL);
	if ((site->counters = fault_counters_new(&scenario->faults)) != NULL &&
	    journal_open(sites->journals, &site->journal, err) == 0 &&
	    log_memory_open(sites->evidence, &site->evidence, err) == 0 &&
	    open_logs(site, err) == 0 && open_state(site, err) == 0 &&
	    (site->now = snapshot_first(site, scenario, err)) != NULL)
		return site;
	error_set(err, "out of memory");
	site_free(site);
	return NULL;
}

/* What follows is under the table's lock, unless it says otherwise. */

static struct site *
find(struct sites *sites, const char *id)
{
	struct site *site;

	HASH_FIND_STR(sites->table, id, site);
	return site;
}

static struct gone *
find_gone(struct sites *sites, const char *id)
{
	struct gone *gone;

	HASH_FIND_STR(sites->gone, id, gone);
	return gone;
}

static void
forget_gone(struct sites *sites, struct gone *gone)
{
	if (gone == NULL)
		return;
	HASH_DEL(sites->gone, gone);
	free(gone);
}

static void
remember_gone(struct sites *sites, const char *id, bool evicted)
{
	struct gone *gone = calloc(1, sizeof(*gone));

	if (gone == NULL)
		return;
	snprintf(gone->id, sizeof(gone->id), "%s", id);
	gone->evicted = evicted;
	HASH_ADD_STR(sites->gone, id, gone);
	if (gone->hh.tbl == NULL)
		free(gone);
	else if (HASH_COUNT(sites->gone) > GONE_MAX)
		forget_gone(sites, sites->gone);
}

/* Gives the table's reference. */
static struct site *
take_out(struct sites *sites, struct site *site, bool evicted)
{
	HASH_DEL(sites->table, site);
	if (site->kind == SITE_OF_LABEL)
		DL_DELETE2(sites->oldest, site, older, newer);
	site->closed = true;
	remember_gone(sites, site->id, evicted);
	return site;
}

static void
use(struct sites *sites, struct site *site)
{
	if (site->kind != SITE_OF_LABEL)
		return;
	DL_DELETE2(sites->oldest, site, older, newer);
	DL_APPEND2(sites->oldest, site, older, newer);
}

/*
 * Room for one more. *evicted is the site that had to go for it, or NULL; those
 * without a label, and those in use, stay.
 */
static bool
make_room(struct sites *sites, struct site **evicted)
{
	struct site *site;

	*evicted = NULL;
	if (HASH_COUNT(sites->table) < sites->options.most)
		return true;
	DL_FOREACH2(sites->oldest, site, newer)
	{
		if (atomic_load(&site->refs) > 1)
			continue;
		*evicted = take_out(sites, site, true);
		sites->evicted++;
		return true;
	}
	return false;
}

/*
 * Takes the site, gives a reference to it, or to the one that another thread
 * has opened meanwhile. Takes the lock itself.
 */
static enum site_answer
enter(struct sites *sites, struct site *site, struct site **out,
    struct error *err)
{
	struct site *unused = NULL, *there;
	enum site_answer answer = SITE_OK;

	pthread_mutex_lock(&sites->lock);
	if ((there = find(sites, site->id)) != NULL) {
		answer = SITE_TAKEN;
	} else if (!make_room(sites, &unused)) {
		answer = SITE_NO_ROOM;
	} else {
		HASH_ADD_STR(sites->table, id, site);
		if (site->hh.tbl == NULL)
			answer = SITE_FAILED;
	}
	if (answer == SITE_OK) {
		forget_gone(sites, find_gone(sites, site->id));
		if (site->kind == SITE_OF_LABEL)
			DL_APPEND2(sites->oldest, site, older, newer);
		sites->opened++;
		*out = site_ref(site);
	} else if (answer == SITE_TAKEN) {
		*out = site_ref(there);
	}
	pthread_mutex_unlock(&sites->lock);
	site_unref(unused);
	if (answer != SITE_OK)
		site_unref(site);
	if (answer == SITE_NO_ROOM)
		error_set(err,
		    "there are %u sites, and none of them may go: delete some, "
		    "or raise --max-sites",
		    sites->options.most);
	if (answer == SITE_FAILED)
		error_set(err, "out of memory");
	return answer;
}

/* From here on, all take the lock themselves. */

static enum site_answer
not_there(struct sites *sites, const char *id, struct error *err)
{
	struct gone *gone = find_gone(sites, id);

	if (gone == NULL) {
		error_set(err, "there is no site \"%s\"", id);
		return SITE_UNKNOWN;
	}
	error_set(err,
	    gone->evicted ? "the site \"%s\" had to go for newer ones: raise "
			    "--max-sites, or delete those that are done with" :
			    "the site \"%s\" was deleted",
	    id);
	return SITE_GONE;
}

enum site_answer
site_get(struct sites *sites, const char *id, struct site **out,
    struct error *err)
{
	enum site_answer answer = SITE_OK;
	struct site *site;

	*out = NULL;
	pthread_mutex_lock(&sites->lock);
	if ((site = find(sites, id)) != NULL) {
		use(sites, site);
		*out = site_ref(site);
	} else {
		answer = not_there(sites, id, err);
	}
	pthread_mutex_unlock(&sites->lock);
	return answer;
}

enum site_answer
site_open(struct sites *sites, const char *id, enum site_kind kind,
    struct scenario *scenario, struct site **out, struct error *err)
{
	struct site *site = site_new(sites, id, kind, scenario, err);
	enum site_answer answer = SITE_FAILED;

	if (site != NULL)
		answer = enter(sites, site, out, err);
	if (answer == SITE_OK)
		site_past(*out);
	return answer;
}

bool
site_was_evicted(struct sites *sites, const char *id)
{
	struct gone *gone;
	bool evicted;

	pthread_mutex_lock(&sites->lock);
	gone = find_gone(sites, id);
	evicted = gone != NULL && gone->evicted;
	pthread_mutex_unlock(&sites->lock);
	return evicted;
}

/* By the control API and the library */

bool
site_is_label(struct span text)
{
	static const char others[] = "._-";

	if (text.len == 0 || text.len > SITE_LABEL_MAX ||
	    span_is_nocase(text, "certsrv"))
		return false;
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.data[i];

		if (!(c >= 'A' && c <= 'Z') && !(c >= 'a' && c <= 'z') &&
		    !(c >= '0' && c <= '9') &&
		    memchr(others, c, sizeof(others) - 1) == NULL)
			return false;
	}
	return true;
}

static int
make_id(struct sites *sites, char out[SITE_ID_SIZE])
{
	uint8_t secret[SECRET];

	if (crypto_random(sites->options.crypto, secret, sizeof(secret)) == -1)
		return -1;
	for (size_t i = 0; i < SECRET; i++)
		snprintf(out + 2 * i, 3, "%02x", secret[i]);
	return 0;
}

/* Its own site would be found under the same id. */
static bool
is_scenario(struct sites *sites, const char *id)
{
	const struct scenario_options options = {
		.dir = sites->options.scenario_dir
	};
	struct errors errors = { 0 };
	struct blob yaml = { 0 };
	bool found = scenario_source(id, &options, &yaml, &errors) == 0;

	blob_free(&yaml);
	errors_clear(&errors);
	return found;
}

static enum site_answer
check_id(struct sites *sites, const char *id, struct error *err)
{
	if (!site_is_label(span_text(id)) || strspn(id, ".") == strlen(id)) {
		error_set(err,
		    "an id has 1 to %d of A-Z a-z 0-9 . _ -, not only dots, and "
		    "is not \"certsrv\"",
		    SITE_LABEL_MAX);
		return SITE_BAD_ID;
	}
	if (!is_scenario(sites, id))
		return SITE_OK;
	error_set(err, "\"%s\" is the id of the scenario's own site", id);
	return SITE_TAKEN;
}

enum site_answer
site_make(struct sites *sites, const char *id, struct scenario *scenario,
    struct site **out, struct error *err)
{
	bool is_default = id != NULL && strcmp(id, SITE_DEFAULT) == 0;
	enum site_answer answer = SITE_OK;
	char secret[SITE_ID_SIZE];

	*out = NULL;
	if (id == NULL && make_id(sites, secret) == -1) {
		error_set(err, "no random numbers");
		return SITE_FAILED;
	}
	if (id != NULL && !is_default)
		answer = check_id(sites, id, err);
	if (answer == SITE_OK)
		answer = site_open(sites, id == NULL ? secret : id,
		    is_default ? SITE_IS_DEFAULT : SITE_MADE, scenario, out,
		    err);
	if (answer == SITE_TAKEN && *out != NULL) {
		site_unref(*out);
		*out = NULL;
		error_set(err, "there is a site \"%s\" already", id);
	}
	return answer;
}

enum site_answer
site_close(struct sites *sites, const char *id, struct error *err)
{
	enum site_answer answer = SITE_OK;
	struct site *site;

	pthread_mutex_lock(&sites->lock);
	site = find(sites, id);
	if (site == NULL)
		answer = not_there(sites, id, err);
	else if (site->kind == SITE_IS_DEFAULT)
		answer = SITE_TAKEN;
	else
		take_out(sites, site, false);
	pthread_mutex_unlock(&sites->lock);
	if (answer == SITE_TAKEN)
		error_set(err, "the default site stays; it can be reset");
	if (answer == SITE_OK)
		site_unref(site);
	return answer;
}

int
sites_list(struct sites *sites, struct site ***out, size_t *count)
{
	struct site *site, *next;

	pthread_mutex_lock(&sites->lock);
	*count = 0;
	*out = calloc(HASH_COUNT(sites->table) + 1, sizeof(**out));
	if (*out != NULL)
		HASH_ITER(hh, sites->table, site, next)
			(*out)[(*count)++] = site_ref(site);
	pthread_mutex_unlock(&sites->lock);
	return *out == NULL ? -1 : 0;
}

void
sites_list_free(struct site **list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		site_unref(list[i]);
	free(list);
}

void
sites_count(struct sites *sites, struct sites_count *out)
{
	pthread_mutex_lock(&sites->lock);
	*out = (struct sites_count){ HASH_COUNT(sites->table),
		sites->options.most, sites->opened, sites->evicted };
	pthread_mutex_unlock(&sites->lock);
}

struct site *
site_default(struct sites *sites)
{
	struct site *site;

	pthread_mutex_lock(&sites->lock);
	site = find(sites, SITE_DEFAULT);
	pthread_mutex_unlock(&sites->lock);
	return site;
}

const char *
site_id(const struct site *site)
{
	return site->id;
}

enum site_kind
site_kind(const struct site *site)
{
	return site->kind;
}

char *
site_path(const struct site *site, char out[SITE_PATH_SIZE])
{
	static const char *const prefixes[] = { "", "/s/", "/s/", "/t/" };
	char *tilde;

	snprintf(out, SITE_PATH_SIZE, "%s%s", prefixes[site->kind],
	    site->kind == SITE_IS_DEFAULT ? "" : site->id);
	if (site->kind == SITE_OF_LABEL && (tilde = strchr(out, '~')) != NULL)
		*tilde = '/';
	return out;
}

struct clock *
site_clock(struct site *site)
{
	return &site->clock;
}

struct journal *
site_journal(struct site *site)
{
	return site->journal;
}

int64_t
site_opened(const struct site *site)
{
	return site->opened;
}

struct log_memory *
site_evidence(struct site *site)
{
	return site->evidence;
}

bool
site_is_closed(const struct site *site)
{
	return atomic_load(&site->closed);
}

unsigned
site_port(const struct site *site)
{
	return atomic_load(&site->port);
}

void
site_set_port(struct site *site, unsigned port)
{
	atomic_store(&site->port, port);
}
