/*
 * What certificates and CRLs have in common (RFC 5280 4.1.1 and 5.1.1), for
 * this folder alone.
 */
#ifndef CA_SIGNED_H
#define CA_SIGNED_H

#include "ca/ca.h"

#define BACK_DATE 600 /* seconds, as AD CS does, for clocks that differ */

/* The AlgorithmIdentifier of what this key signs. */
void signed_add_algorithm(struct buffer *, const struct evp_pkey_st *signer,
    const struct ca_signature *);
/* SEQUENCE { tbs, algorithm, signature }; *out is empty on failure. */
int signed_build(struct crypto *, const struct buffer *tbs,
    struct evp_pkey_st *signer, const struct ca_signature *, struct blob *out);

#define SIGNED_ORGANIZATION "mockndes TEST ONLY" /* in every name */
/* One RelativeDistinguishedName; nothing if `text` is NULL. */
void signed_add_name_part(struct buffer *, struct span oid, const char *text);

/* What is added until the end is the value of the extension. */
struct extension {
	size_t whole, value;
};
struct extension extension_begin(struct buffer *, struct span oid,
    bool critical);
void extension_end(struct buffer *, struct extension);
/* authorityKeyIdentifier; nothing if `key_id` is empty. */
void extension_add_authority(struct buffer *, struct span key_id);

#endif
