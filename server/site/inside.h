/* What the files of this folder know of each other. */
#ifndef SITE_INSIDE_H
#define SITE_INSIDE_H

#include <pthread.h>
#include <stdatomic.h>

/* The library must not exit: what found no memory has no table. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "site/site.h"
#include "state/state_dir.h"

#define CA_GENERATIONS_MAX 8 /* each has a key of its own */

struct site {
	char id[SITE_ID_SIZE];
	enum site_kind kind;
	struct sites *sites;
	uint64_t seed;		     /* of chance; const */
	atomic_int refs;	     /* one is the table's */
	atomic_uint port;	     /* of its own; 0: none */
	atomic_bool closed;	     /* no longer in the table */
	struct journal *journal;     /* safe by itself */
	struct log_memory *evidence; /* safe by itself */
	struct clock clock;	     /* atomic by itself */
	_Atomic int64_t opened;	     /* by its clock: the start, or the reset */
	_Atomic uint64_t died;	     /* as worker.died: for who has no lock */
	struct state_dir *state;     /* borrowed, safe by itself; or NULL */
	struct log_files *logs;	     /* safe by itself */
	pthread_mutex_t lock;	     /* what follows, but for the last ones */
	struct snapshot *now;
	struct challenge_cache challenges;
	struct transactions transactions;
	struct fault_counters *counters; /* of now->scenario */
	struct issued issued;
	struct action_waits waits; /* what actions have prepared */
	struct pool_worker worker;
	uint32_t next_request, crl_number;
	struct credentials *first; /* its CA before any rollover, or NULL */
	struct credentials *next;  /* what a rollover leads to, or NULL */
	/* Of the table's lock. */
	struct site *older, *newer; /* of those with labels, by their use */
	UT_hash_handle hh;
};

/* An id that had a site. */
struct gone {
	char id[SITE_ID_SIZE];
	bool evicted;
	UT_hash_handle hh;
};

struct sites {
	struct sites_options options;
	struct journals *journals;
	struct log_memories *evidence;
	struct metrics *metrics;
	atomic_size_t octets; /* of certificates and requests, see site.h */
	pthread_mutex_t lock; /* what follows */
	struct site *table;   /* in the order in which they were opened */
	struct site *oldest;  /* list of those with labels, by their use */
	struct gone *gone;    /* the first to be forgotten in front */
	uint64_t opened, evicted;
};

/* credentials.c */
/*
 * A reference; what they have in common with `old`, which may be NULL, stays.
 * Slow: it may sign. Without the lock.
 */
struct credentials *make_credentials(struct site *, const struct stack_state *,
    struct credentials *old, unsigned generation, struct error *);
/* Which CA there should be by now; it never goes back. */
unsigned due_generation(const struct snapshot *, int64_t now);

/* snapshot.c */
struct snapshot *snapshot_ref(struct snapshot *);
void snapshot_free(struct snapshot *);
/* The first one of a site: signs nothing. */
struct snapshot *snapshot_first(struct site *, struct scenario *,
    struct error *);
/*
 * What may come after `old`, with the credentials that go with it, unless
 * nobody has needed any: `first`, the first ones. Slow, as above.
 */
struct snapshot *snapshot_next(const struct snapshot *old, struct scenario *,
    const struct stack_state *, bool first, struct error *);
/* The same with the application pool disabled; NULL without memory. */
struct snapshot *snapshot_disabled(const struct snapshot *);
/* A reference. */
struct snapshot *site_now(struct site *);
/* The same, with credentials, as of now by the clock. Slow: it may sign. */
struct snapshot *site_caught_up(struct site *, struct error *);

/* table.c */
/* SITE_TAKEN: *out is a reference to the one that has the id. */
enum site_answer site_open(struct sites *, const char *id, enum site_kind,
    struct scenario *, struct site **out, struct error *);
/* Whether it can stand in a path. */
bool site_is_label(struct span);
bool site_was_evicted(struct sites *, const char *id);

/*
 * Around what changes how much a site holds, under its lock: whether there is
 * room for more, and what it was before.
 */
struct holding {
	size_t before;
	bool room;
};
struct holding site_holding(const struct site *);
void site_held(struct site *, const struct holding *);

/* record.c: to who watches; of a struct site. */
void site_say(void *cls, const char *line);
/* How the IIS log of such a server is written. */
void site_log_form(const struct stack_state *, struct iis_log_form *);

/*
 * past.c: what happened before anybody came goes into the logs. To be called,
 * without the lock, when a scenario has begun.
 */
void site_past(struct site *);

/* decide.c */
/* As `when: operation` has it, whoever answers. */
const char *site_operation(const struct request *);

/* change.c */
/* On its way into a site. */
struct change {
	struct site *site;
	struct snapshot *old, *fresh;
	struct fault_counters *counters; /* NULL: they go on */
};
/* Makes `fresh` of `old`. `first`: as snapshot_next() has it. */
int change_begin(struct change *, struct scenario *, const struct stack_state *,
    bool first, struct error *);
/* Under the lock. False: another change was faster. */
bool change_swap(struct change *);
/* Frees what it holds; it can begin again. */
void change_end(struct change *);
/* Whether what an exchange does still counts: no reset came between. Locked. */
bool site_is_current(const struct exchange *);

#endif
