/*
 * SCEP messages as bytes (RFC 8894). This room reads and writes; it never
 * decides whether somebody gets a certificate.
 */
#ifndef SCEP_SCEP_H
#define SCEP_SCEP_H

#include "base/blob.h"
#include "base/error.h"
#include "base/finding.h"
#include "crypto/crypto.h"

/* RFC 8894 3.2.1.2 */
enum scep_type {
	SCEP_CERT_REP = 3,
	SCEP_RENEWAL_REQ = 17,
	SCEP_PKCS_REQ = 19,
	SCEP_CERT_POLL = 20,
	SCEP_GET_CERT = 21,
	SCEP_GET_CRL = 22,
};

/* RFC 8894 3.2.1.3 */
enum scep_status {
	SCEP_SUCCESS = 0,
	SCEP_FAILURE = 2,
	SCEP_PENDING = 3,
};

/* RFC 8894 3.2.1.4.1 */
enum scep_fail_info {
	SCEP_BAD_ALG = 0,
	SCEP_BAD_MESSAGE_CHECK = 1,
	SCEP_BAD_REQUEST = 2,
	SCEP_BAD_TIME = 3,
	SCEP_BAD_CERT_ID = 4,
};

/* How far a message could be read; each stage implies those before it. */
enum scep_flaw {
	SCEP_SOUND,
	SCEP_NOT_CMS,		/* not a SignedData at all */
	SCEP_NO_INFO,		/* no messageType, transactionID or signer */
	SCEP_BAD_SIGNATURE,	/* digest or signature of the message */
	SCEP_UNKNOWN_ALGORITHM, /* of the signature or of the envelope */
	SCEP_UNDECRYPTABLE,	/* not for us, or the envelope is broken */
	SCEP_BAD_CSR,		/* the content is not a PKCS#10 request */
	SCEP_BAD_PROOF,		/* the request is not signed by its own key */
	/*
	 * In place of the two above: the content is not an IssuerAndSubject
	 * (3.3.3: CertPoll) or an IssuerAndSerialNumber (3.3.4: GetCert,
	 * GetCRL). A poll can be answered all the same: 3.3.3 calls its
	 * content redundant, and lets the transactionID decide.
	 */
	SCEP_BAD_QUERY,
};

/* PKCS#10 (RFC 2986). Spans borrow from the message that holds it. */
struct scep_csr {
	struct span subject;	/* whole Name */
	struct span spki;	/* whole SubjectPublicKeyInfo */
	struct span extensions; /* content of the Extensions asked for */
	char *challenge;	/* UTF-8; NULL: no challengePassword */
	int key_bits;		/* of the key, once it has been read */
};

/* A pkiMessage from a client, RFC 8894 3.2. */
struct scep_request {
	int type;		  /* 3.2.1.2; -1: absent */
	char *transaction_id;	  /* 3.2.1.1, as sent; NULL: absent */
	struct span sender_nonce; /* 3.2.1.5 */
	struct x509 signer;	  /* self-signed on first enrolment */
	enum digest digest;
	enum cipher cipher;
	enum key_transport transport;
	bool ber;	     /* indefinite lengths in the message */
	struct scep_csr csr; /* PKCSReq and RenewalReq */
	struct span issuer;  /* CertPoll, GetCert, GetCRL: whole Name */
	struct span subject; /* CertPoll: whole Name */
	struct span serial;  /* GetCert, GetCRL: content of the INTEGER */
	struct evp_pkey_st *signer_key;
	/*
	 * What is odd or wrong in it, as far as reading came; complete after
	 * scep_request_inspect(), which needs the rest.
	 */
	struct findings found;
	bool has_challenge;	/* a challengePassword, sound or not */
	bool has_signing_time;	/* RFC 5652 11.3 */
	int64_t signing_time;	/* seconds since 1970 */
	struct span recipients; /* content of recipientInfos */
	/* What the spans above point into. */
	struct blob outer, envelope, sealed;
	struct blob plain; /* decrypted: DER, or as sent if no type of ours */
};

/* Whom messages are for: an RSA key; everything borrowed. */
struct scep_recipient {
	struct crypto *crypto;
	struct evp_pkey_st *key;
	const struct x509 *cert;
	const struct x509 *before; /* an earlier one of this key, or NULL */
};

/*
 * Reads as much as there is: *out is always usable (unless it is NULL for
 * lack of memory) and the flaw says where reading ended; `err` says why, and
 * names the rule. The caller frees *out with scep_request_free().
 */
enum scep_flaw scep_request_decode(struct scep_request **out,
    struct span message, const struct scep_recipient *, struct error *err);
void scep_request_free(struct scep_request *);

/* What a message is held against; NULL or 0: not known, not judged. */
struct scep_surroundings {
	const struct x509 *ca;			 /* that issues */
	const struct x509 *signing, *encryption; /* of the RA */
	int64_t now;				 /* the site's time */
};
/*
 * Adds to `found` what a message does not tell itself: for whom it is, the
 * time, who signed and for whom. To be called once, whatever the flaw was.
 */
void scep_request_inspect(struct scep_request *,
    const struct scep_surroundings *);
/* The table of all that can be found; row 0 is none. NULL: no count. */
const struct finding *scep_findings(size_t *count);

/* PKCS#10 from DER; the spans borrow from it. -1: not one. */
int scep_csr_read(struct span der, struct scep_csr *out, struct error *err);
/* 0 if the request is signed by the key in it. */
int scep_csr_verify(struct crypto *, struct span der, struct evp_pkey_st *,
    struct error *err);

/*
 * The `message` of a GET (RFC 8894 4.1) as clients really spell it: percent
 * escapes or none, plus signs as they are, line ends, URL-safe alphabet,
 * missing padding (quirks 23-25). -1: not base64, or empty.
 */
int scep_get_message(struct span value, struct blob *out);

/* What is signed where there is nothing to say: FAILURE and PENDING. */
enum scep_content {
	SCEP_CONTENT_ZERO,   /* NDES: one zero byte (quirks.md 1) */
	SCEP_CONTENT_EMPTY,  /* an OCTET STRING of no bytes */
	SCEP_CONTENT_ABSENT, /* no eContent: RFC 8894 3.3.2.2, 3.3.2.3 */
};

/* What a CertRep says (3.3.2); everything borrowed. */
struct scep_reply {
	enum scep_status status;
	enum scep_fail_info fail_info; /* if FAILURE */
	const char *fail_info_text;    /* UTF-8, 3.2.1.4; NULL: left out */
	const char *transaction_id;    /* NULL: left out */
	struct span sender_nonce;      /* ours, fresh */
	struct span recipient_nonce;   /* the client's; empty: left out */
	int32_t ms_error;	       /* .311.21.33; 0: left out */
	const char *ms_message;	       /* .311.21.38; NULL: left out */
	enum scep_content no_content;  /* unless SUCCESS */
	/* If SUCCESS (3.3.2.1): a whole CRL in DER, or, if that is empty, */
	struct span crl;
	struct span certificate; /* the leaf in DER, */
	const struct span *more; /* and others after it */
	size_t more_count;
};

/*
 * How it is said: by whom it is signed and to whom it is sealed. An RSA key
 * gets a KeyTransRecipientInfo, an EC key a KeyAgreeRecipientInfo (RFC 5753):
 * the form NDES is seen to use (quirk 56; its details are assumed), where
 * RFC 8894 3.1 has a PasswordRecipientInfo.
 */
struct scep_seal {
	struct crypto *crypto;
	struct evp_pkey_st *signer_key;
	const struct x509 *signer;
	enum digest digest;
	enum cipher cipher;
	enum key_transport transport;	   /* to an RSA key */
	struct evp_pkey_st *recipient_key; /* if SUCCESS */
	const struct x509 *recipient;
};

/* Says what `reply` says, as `seal` orders. Never decides. */
int scep_reply_encode(struct blob *out, const struct scep_reply *,
    const struct scep_seal *, struct error *err);

/*
 * A signed attribute (RFC 5652 5.3); everything borrowed. A messageDigest
 * without a value gets its own, which is known last.
 */
struct scep_attribute {
	struct span oid;
	int tag; /* of its value */
	struct span value;
	unsigned values; /* how often it is in the SET: once */
};
#define SCEP_ATTRIBUTES_MAX 48

/* What is signed beside a content, and how a SignedData says so. */
struct scep_signed {
	struct scep_attribute attributes[SCEP_ATTRIBUTES_MAX];
	size_t count;
	enum scep_order { /* in which they are sent, and signed */
		SCEP_ORDER_DER,
		SCEP_ORDER_LISTED,
		SCEP_ORDER_REVERSED, /* of DER's */
	} order;
	struct span certificates; /* whole ones; empty: no such field */
	bool names_digest;	  /* shaXWithRSAEncryption, not rsaEncryption */
	bool wrong_digest, wrong_signature;
};

/*
 * A CertRep before it becomes bytes. The plan has all attributes, so that
 * whoever changes the status of a reply changes them too.
 */
struct scep_message {
	struct scep_reply *reply;
	struct scep_seal *seal;
	struct scep_signed sign;
	enum scep_envelope { /* what the eContent of a SUCCESS is */
		SCEP_ENVELOPE_SEALED,
		SCEP_ENVELOPE_PLAIN, /* the certificates, not encrypted */
		SCEP_ENVELOPE_EMPTY, /* as enum scep_content */
		SCEP_ENVELOPE_ZERO,
		SCEP_ENVELOPE_ABSENT,
	} envelope;
	char numbers[4][12]; /* that attributes point to */
};
void scep_message_plan(struct scep_message *, struct scep_reply *,
    struct scep_seal *);
int scep_message_encode(struct blob *out, const struct scep_message *,
    struct error *err);

/* The answer to GetCACaps (3.5.2); everything borrowed. */
#define SCEP_CAPS_MAX 64
struct scep_caps {
	enum {
		SCEP_CAPS_LIST,
		SCEP_CAPS_PAGE,	  /* a page for browsers */
		SCEP_CAPS_ABSENT, /* as if there were no such operation */
	} form;
	struct span prefix; /* octets before the first word */
	struct span words[SCEP_CAPS_MAX];
	size_t count;
	const char *separator;
	bool final_separator;
	const char *content_type; /* empty: none */
};
int scep_caps_encode(struct blob *out, const struct scep_caps *);

/* A SignedData without signers, around these certificates (3.4), DER. */
int scep_degenerate(struct buffer *out, const struct span *certs, size_t count);
/* The same around a CRL. */
int scep_degenerate_crl(struct buffer *out, struct span crl);

/*
 * The answer to GetNextCACert (4.7.1): the coming certificates in a degenerate
 * SignedData, in a SignedData by the current CA, whose key may be EC. The
 * inner one is a whole ContentInfo as id-data, as in a pkiMessage (3.2).
 *
 * The outer one carries no certificates, which are optional (3, figure 6):
 * the client must hold the CA's already, since one that came with a message
 * could not prove it, and whoever mixes up the layers (quirk 77) cannot take
 * the current CA for the next.
 */
int scep_next_ca_encode(struct blob *out, struct crypto *,
    struct evp_pkey_st *ca_key, const struct x509 *ca, enum digest,
    const struct span *certs, size_t count, struct error *err);

const char *scep_type_name(int type);		/* "PKCSReq" */
const char *scep_fail_info_name(int fail_info); /* "badRequest" */

#endif
