/* What the files of this folder know of each other. */
#ifndef SITE_INSIDE_H
#define SITE_INSIDE_H

#include <pthread.h>
#include <uthash.h>

#include "site/site.h"
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

/* snapshot.c */
struct snapshot *snapshot_ref(struct snapshot *);
void snapshot_free(struct snapshot *);
/*
 * Slow: it may sign. Without the lock. What it has in common with `old`, which
 * may be NULL, stays.
 */
struct snapshot *snapshot_new(struct site *, struct scenario *,
    const struct snapshot *old, unsigned ca_generation, struct error *);
/* A reference. */
struct snapshot *site_now(struct site *);

#endif
