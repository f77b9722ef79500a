/*
 * The throwaway certification authority: a key set, the certificates made
 * of it, and what it issues. "TEST ONLY" stands in every name it bears.
 */
#ifndef CA_CA_H
#define CA_CA_H

#include "base/blob.h"
#include "base/error.h"
#include "crypto/crypto.h"

/* The three keys of an NDES: its CA and its two registration authorities. */
enum ca_role {
	CA_ISSUING,	  /* the CA that NDES is configured for */
	CA_RA_SIGNING,	  /* Enrollment Agent (offline request) */
	CA_RA_ENCRYPTION, /* CEP Encryption */
	CA_ROLES,
};

/*
 * Keys are expensive: shared by all sites, counted by reference. A set read
 * from a directory brings its certificates along, so that several servers
 * with the same set are one NDES.
 */
struct key_set;
int key_set_generate(struct crypto *, struct key_set **out, struct error *);
/* Reads what key_set_save() wrote. The message names the file. */
int key_set_load(struct crypto *, const char *dir, struct key_set **out,
    struct error *);
/* Makes the directory (0700); refuses to overwrite a key. */
int key_set_save(struct key_set *, const char *dir, int64_t now,
    struct error *);
void key_set_free(struct key_set *);

/* Keys and certificates of one site; const once built, counted. */
struct credentials {
	struct crypto *crypto;		    /* borrowed */
	struct evp_pkey_st *keys[CA_ROLES]; /* borrowed */
	struct x509 certs[CA_ROLES];
	char thumbprint[36]; /* MD5 of the CA, as NDES shows it */
	char ca_sha256[65];
	struct blob der[CA_ROLES]; /* owns what `certs` points to */
	struct key_set *key_set;
	_Atomic int refs;
};

/* Valid from ten minutes before `now`; CA ten years, RAs two. */
int credentials_new(struct key_set *, int64_t now, struct credentials **out,
    struct error *);
struct credentials *credentials_ref(struct credentials *);
void credentials_free(struct credentials *);

/*
 * A serial number in the form AD CS gives them: a request number, eight
 * random octets, the CA's index, the request number again. Unique while
 * `number` is, and across servers that share a key set.
 */
#define CA_SERIAL_SIZE 19
int ca_serial(struct crypto *, uint32_t number, uint8_t out[CA_SERIAL_SIZE]);
/* The first request number left to a site; the RAs have those before. */
#define CA_FIRST_REQUEST 4

/* Everything a certificate says; spans are borrowed. */
struct certificate_plan {
	struct span serial;	     /* big endian, positive */
	struct span issuer, subject; /* whole Names */
	struct span spki;
	int64_t not_before, not_after;
	bool is_ca;
	uint8_t key_usage;		/* first octet of the BIT STRING */
	struct span extended_key_usage; /* one OID, or empty */
	struct span subject_alt_name;	/* whole Extension, or empty */
	const char *template_name;	/* Microsoft's, or NULL */
	struct span authority_key_id;	/* empty: none */
};
#define KEY_USAGE_DIGITAL_SIGNATURE 0x80
#define KEY_USAGE_KEY_ENCIPHERMENT 0x20
#define KEY_USAGE_CERT_SIGN 0x04
#define KEY_USAGE_CRL_SIGN 0x02

/* Signed with SHA-256. The caller frees *out. */
int certificate_build(struct crypto *, const struct certificate_plan *,
    struct evp_pkey_st *signer, struct blob *out, struct error *);

/* The whole subjectAltName among the content of Extensions, or empty. */
struct span ca_alt_name(struct span extensions);

/*
 * What a device gets: one year, back-dated ten minutes, subject and SAN as
 * asked for, EKU clientAuth. `extensions` is the content of the Extensions
 * in the CSR, or empty.
 */
int ca_issue(const struct credentials *, struct span subject, struct span spki,
    struct span extensions, struct span serial, int64_t now, struct blob *out,
    struct error *);

#endif
