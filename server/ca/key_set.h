/* The inside of struct key_set, for this folder alone. */
#ifndef CA_KEY_SET_H
#define CA_KEY_SET_H

#include "ca/ca.h"

#include <pthread.h>

enum ca_tier {
	TIER_ISSUING,
	TIER_POLICY,
	TIER_ROOT,
	/* Of nobody's chain: the CA that is not ours, its RAs by their role. */
	TIER_STRANGER,
	TIER_STRANGER_END = TIER_STRANGER + CA_ROLES - 1,
	TIER_NOBODY,	/* its generation tells those of a type apart */
	TIER_TLS,	/* no CA: the server's own */
	TIER_TLS_ABOVE, /* issues its certificate where the CA does not */
};

/* Made on demand; `generation` is 0 but for the issuing CA. */
struct ca_key {
	enum ca_tier tier;
	int type; /* enum key_type, or CA_KEY_GIVEN */
	unsigned generation;
	struct evp_pkey_st *key;
};

/* One made on demand. */
struct made_key {
	struct ca_key is; /* NULL as its key: in the making */
	struct made_key *next;
};

struct key_set {
	struct crypto *crypto; /* borrowed */
	struct evp_pkey_st *keys[CA_ROLES];
	struct blob certs[CA_ROLES]; /* DER; empty: to be made */
	pthread_mutex_t lock;	     /* of `made`; not held over RSA */
	pthread_cond_t ready;
	struct made_key *made;
	_Atomic int refs;
};

/* Without keys yet; NULL without memory. */
struct key_set *key_set_new(struct crypto *);

/* KEY_TYPES: another one. */
enum key_type key_type_of(struct crypto *, const struct evp_pkey_st *);
/*
 * Fills in the `key` of each, borrowed from the set; makes those that are not
 * there in parallel.
 */
int key_set_find(struct key_set *, struct ca_key *list, size_t count,
    struct error *);
/* Takes a key made elsewhere; -1 (and does not): there is one, no memory. */
int key_set_put(struct key_set *, const struct ca_key *);

#endif
