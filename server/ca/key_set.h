/* The inside of struct key_set, for this folder alone. */
#ifndef CA_KEY_SET_H
#define CA_KEY_SET_H

#include "ca/ca.h"

struct key_set {
	struct crypto *crypto; /* borrowed */
	struct evp_pkey_st *keys[CA_ROLES];
	struct blob certs[CA_ROLES]; /* DER; empty: to be made */
	_Atomic int refs;
};

struct key_set *key_set_ref(struct key_set *);

#endif
