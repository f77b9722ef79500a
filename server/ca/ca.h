/*
 * The throwaway certification authority: a key set, the certificates made
 * of it, what it issues and what it revokes. "TEST ONLY" stands in every name
 * it bears.
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
 * with the same set are one NDES. What else credentials ask for (keys of other
 * types, of the CAs above, of the next CA) is made on demand, once, and kept;
 * safe for use by several threads.
 */
struct key_set;
int key_set_generate(struct crypto *, struct key_set **out, struct error *);
/*
 * Reads what key_set_save() wrote. The RAs have RSA keys; that of the CA may
 * also be EC P-256 or P-384. The message names the file.
 */
int key_set_load(struct crypto *, const char *dir, struct key_set **out,
    struct error *);
/* The same, with the keys themselves in DIR/`folder`, such as "private/". */
int key_set_load_from(struct crypto *, const char *dir, const char *folder,
    struct key_set **out, struct error *);
/* Makes the directory (0700); refuses to overwrite a key. */
int key_set_save(struct key_set *, const char *dir, int64_t now,
    struct error *);
/* Whether it has brought certificates, which may be out of time. */
bool key_set_has_certificates(const struct key_set *);
struct key_set *key_set_ref(struct key_set *);
void key_set_free(struct key_set *);

/* What a site's CA is like. */
struct ca_shape {
	int key;   /* enum key_type, or CA_KEY_GIVEN */
	int tiers; /* 1: its own root; 2: root, issuing; 3: with a policy CA */
	unsigned generation; /* 0; 1 is the CA after the next rollover, ... */
};
/* The key of the set; others like it, or RSA-2048 if it is of an odd size. */
#define CA_KEY_GIVEN (-1)
/* With the certificates of the set, if it has them; no other shape has. */
#define CA_SHAPE_GIVEN ((struct ca_shape){ CA_KEY_GIVEN, 1, 0 })
#define CA_CHAIN_MAX 2
#define CA_CERTS_MAX (CA_ROLES + CA_CHAIN_MAX)
#define CA_CERTS_CAS 2

/* What the certificate of an RA is like; zeroed: as NDES has it. */
struct ra_shape {
	int64_t not_before, not_after; /* 0: two years, from the CA's begin */
	enum ra_usage {
		RA_USAGE_USUAL, /* what the template of the role gives it */
		RA_USAGE_NONE,	/* no keyUsage */
		RA_USAGE_SIGNING,
		RA_USAGE_ENCRYPTION,
		RA_USAGE_BOTH,
	} key_usage;
};

/* Keys and certificates of one site; const once built, counted. */
struct credentials {
	struct crypto *crypto;		    /* borrowed */
	struct evp_pkey_st *keys[CA_ROLES]; /* borrowed */
	struct x509 certs[CA_ROLES];
	char thumbprint[36]; /* MD5 of the CA, as NDES shows it */
	char ca_sha256[65];
	struct blob der[CA_ROLES]; /* owns what `certs` points to */
	/* The CAs above: the issuer of the issuing CA first, the root last. */
	struct blob chain[CA_CHAIN_MAX];
	size_t chain_count;
	/*
	 * For GetCACert: signing RA, encryption RA, issuing CA, its chain. For
	 * GetNextCACert: those from CA_CERTS_CAS on.
	 */
	struct span ca_certs[CA_CERTS_MAX];
	size_t ca_cert_count;
	struct ca_shape shape;
	struct ra_shape ras[CA_ROLES]; /* of the RAs */
	/*
	 * The encryption RA's certificate before the last change, of the
	 * same key: clients that knew no better still seal to it. Or empty.
	 */
	struct x509 encryption_before;
	struct blob encryption_before_der;
	/* Those whose RAs were changed, a reference; NULL: none were. */
	struct credentials *origin;
	struct key_set *key_set;
	_Atomic int refs;
};

/*
 * Generation 0 is valid from ten minutes before `now`, a later one from `now`
 * on. Root thirty years, policy CA twenty, issuing CA ten, RAs two. Slow when
 * keys are to be made.
 */
int credentials_new(struct key_set *, const struct ca_shape *, int64_t now,
    struct credentials **out, struct error *);
/*
 * The next generation, valid from the moment of the rollover on (RFC 8894
 * 4.7): another CA key and another CA name, the same RA keys, and the same
 * CAs above, unless these end before the new CA does: then theirs are new
 * certificates too.
 */
int credentials_next(const struct credentials *, int64_t rollover,
    struct credentials **out, struct error *);
/*
 * The same with other certificates of the RAs; those that are like this
 * already stay as they are, and those that it began with come back. Of two
 * moments one may be left to the other.
 */
int credentials_with_ras(struct credentials *,
    const struct ra_shape ras[CA_ROLES], struct credentials **out,
    struct error *);
bool credentials_have_ras(const struct credentials *,
    const struct ra_shape ras[CA_ROLES]);
/*
 * Another CA with RAs of its own, that nobody has asked for: "mockndes TEST
 * ONLY Stranger CA", valid as long as this one, and for all that have its key
 * set the same keys. Slow when these are to be made. The caller frees *out.
 */
int credentials_stranger(const struct credentials *, struct credentials **out,
    struct error *);
/*
 * A key that is nobody's, the same for all that have its key set; `which`
 * tells those of a type apart. Slow when it is to be made. Borrowed from the
 * key set.
 */
int credentials_other_key(const struct credentials *, enum key_type,
    unsigned which, struct evp_pkey_st **out, struct error *);
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

/* How something is signed; zeroed: with what fits the key. */
struct ca_signature {
	bool other;
	enum digest digest; /* if `other` */
	bool pss;	    /* RSASSA-PSS, if `other`; of an RSA key */
};

/* Everything a certificate says; spans are borrowed. */
struct certificate_plan {
	int version;	    /* 1 and 2 have no extensions; 0: 3 */
	struct span serial; /* big endian, made positive */
	bool serial_as_is;  /* or content of the INTEGER, whatever it is */
	struct ca_signature signature;
	struct span issuer, subject; /* whole Names */
	struct span spki;
	int64_t not_before, not_after;
	bool is_ca;
	/* Of a CA: tiers of CAs from here down, itself too; 0: no limit. */
	unsigned path_tiers;
	uint8_t key_usage;		/* first octet of the BIT STRING */
	struct span extended_key_usage; /* one OID, or empty */
	/* Others, one after the other as whole elements, or empty. */
	struct span more_extended_key_usage;
	struct span subject_alt_name; /* whole Extension, or empty */
	const char *template_name;    /* Microsoft's, or NULL */
	struct span authority_key_id; /* empty: none */
};

/*
 * Unless the plan has another wish signed with SHA-256, by a P-384 key with
 * SHA-384. The caller frees *out.
 */
int certificate_build(struct crypto *, const struct certificate_plan *,
    struct evp_pkey_st *signer, struct blob *out, struct error *);

/* The whole subjectAltName among the content of Extensions, or empty. */
struct span ca_alt_name(struct span extensions);

/* What GetCACert shows, before it becomes bytes; everything borrowed. */
#define CA_CERTS_PLAN_MAX 32
struct ca_certs_plan {
	struct shown_cert {
		enum shown_as {
			SHOWN_RA_SIGNING,
			SHOWN_RA_ENCRYPTION,
			SHOWN_CA,
			SHOWN_CHAIN, /* a CA above; the last one is the root */
			SHOWN_OTHER,
		} as;
		struct span der;
	} certs[CA_CERTS_PLAN_MAX];
	size_t count;
	bool bare;		  /* the first one alone, not in a PKCS#7 */
	const char *content_type; /* NULL: what fits */
};
/* As the credentials have them. */
void ca_certs_plan(const struct credentials *, struct ca_certs_plan *);

/* A certificate to be signed. */
struct issue_plan {
	struct certificate_plan certificate;
	struct evp_pkey_st *signer;
};

/*
 * What a device gets: one year, back-dated ten minutes, both within what the
 * CA's own certificate allows, as AD CS does; subject and SAN as
 * asked for, EKU clientAuth, keyUsage as its kind of key allows (RFC 5480 3).
 * `extensions` is the content of the Extensions in the CSR, or empty.
 */
int ca_issue(const struct credentials *, struct span subject, struct span spki,
    struct span extensions, struct span serial, int64_t now, struct blob *out,
    struct error *);
/* The plan of that; everything borrowed. */
int ca_plan_issue(const struct credentials *, struct span subject,
    struct span spki, struct span extensions, struct span serial, int64_t now,
    struct issue_plan *out, struct error *);

/*
 * The certificate of an RA as it is, but for its number: what another one
 * begins with. It borrows from the credentials and from `serial`.
 */
int credentials_plan_ra(const struct credentials *, enum ca_role,
    uint8_t serial[CA_SERIAL_SIZE], struct issue_plan *out, struct error *);
/*
 * The same key and name in one of two years that ended a day before `now`,
 * with a number of its own. The caller frees *out.
 */
int credentials_expired_ra(const struct credentials *, enum ca_role,
    int64_t now, struct blob *out, struct error *);

/* What is wrong with the certificate that TLS clients see. */
enum server_certificate {
	SERVER_CERTIFICATE_GOOD,
	SERVER_CERTIFICATE_EXPIRED,	  /* a day ago */
	SERVER_CERTIFICATE_NOT_YET_VALID, /* in a day */
	SERVER_CERTIFICATE_WRONG_HOST,	  /* for another name */
	SERVER_CERTIFICATE_SELF_SIGNED,
	SERVER_CERTIFICATE_UNTRUSTED, /* by a CA that nobody knows */
};
struct tls_order {
	enum server_certificate is;
	/* By an intermediate CA that is not shown. */
	bool incomplete;
	const char *const *names; /* of hosts, or numeric addresses */
	size_t name_count;
	/* Of the clocks that clients may have. */
	int64_t earliest, latest;
};
/* Its own certificate first, then what leads to the root, not shown. */
struct tls_chain {
	struct evp_pkey_st *key; /* borrowed of the key set; RSA-2048 */
	struct blob certs[CA_CHAIN_MAX + 1];
	size_t count;
};
/* Makes its keys, once for all that have this set; slow. */
int ca_tls_prepare(struct key_set *, struct error *);
/* After that it only signs. The caller clears *out, which is empty on -1. */
int ca_tls_chain(const struct credentials *, const struct tls_order *,
    struct tls_chain *out, struct error *);
void ca_tls_clear(struct tls_chain *);

/* Whether the issuing CA has, by issuer and signature; says no more. */
bool ca_has_signed(const struct credentials *, const struct x509 *);

/* CRLReason, RFC 5280 5.3.1. */
enum ca_reason {
	CA_REASON_UNSPECIFIED = 0,
	CA_REASON_KEY_COMPROMISE = 1,
	CA_REASON_HOLD = 6,
};
/* "keyCompromise"; NULL: no reason to be on a CRL that is no delta. */
const char *ca_reason_name(int reason);

struct ca_revocation {
	struct span serial; /* content of the INTEGER */
	int64_t at;
	int reason;
};
/*
 * A complete CRL of the issuing CA (RFC 5280 5), from ten minutes before `now`
 * to `lifetime` seconds after. The caller frees *out.
 */
int ca_crl(const struct credentials *, const struct ca_revocation *list,
    size_t count, uint32_t number, int64_t now, int64_t lifetime,
    struct blob *out, struct error *);

/*
 * The certificates that a CA has issued; empty when zeroed. Not safe for
 * threads: the caller locks, and what is found lives until the next
 * issued_add() or issued_clear().
 */
#define ISSUED_MAX 10000
#define ISSUED_OCTETS_MAX (64 << 20) /* of DER: 6 KiB each */
struct issued_entry;
struct issued {
	size_t count, revoked; /* those revoked are counted in both */
	size_t octets;
	size_t octets_max; /* 0: ISSUED_OCTETS_MAX */
	uint64_t forgotten;
	struct issued_entry *by_serial;	 /* in the order of their coming */
	struct issued_entry *by_key;	 /* the newest of each key */
	struct issued_entry *good, *bad; /* bad: in the order of revocation */
};
struct issued_cert {
	struct x509 cert; /* its `whole` is the DER */
	bool revoked;
	int64_t revoked_at;
	int reason;
};
/*
 * Copies. Beyond both limits the oldest that is not revoked is forgotten, or
 * the first revoked if all are. A serial number can be there once.
 */
int issued_add(struct issued *, struct span der, struct error *);
/* By the content of its serial number; NULL: there is none. */
const struct issued_cert *issued_find(const struct issued *,
    struct span serial);
/* The newest with this public key, revoked or not. */
const struct issued_cert *issued_newest(const struct issued *,
    struct span spki);
/* The one after this, after NULL the oldest; NULL at the end. */
const struct issued_cert *issued_next(const struct issued *,
    const struct issued_cert *);
/* Again only after certificateHold. */
int issued_revoke(struct issued *, struct span serial, int64_t at, int reason,
    struct error *);
/*
 * For ca_crl(): `revoked` entries in one block of their own, so that the CRL
 * can be signed without the lock. The caller frees it with free(). -1 without
 * memory.
 */
int issued_revocations(const struct issued *, struct ca_revocation **out);
void issued_clear(struct issued *);

#endif
