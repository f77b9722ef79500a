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
/* The same as key_set_load(), with the keys in DIR/`folder`, "" or "x/". */
int key_set_load_from(struct crypto *, const char *dir, const char *folder,
    struct key_set **out, struct error *);

#endif
