/*
 * SCEP messages as bytes (RFC 8894). This room reads and writes; it never
 * decides whether somebody gets a certificate.
 */
#ifndef SCEP_SCEP_H
#define SCEP_SCEP_H

#include "base/blob.h"
#include "base/error.h"
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
	bool ber;	     /* indefinite lengths in the message */
	struct scep_csr csr; /* PKCSReq and RenewalReq */
	struct evp_pkey_st *signer_key;
	/* What the spans above point into. */
	struct blob outer, content, envelope, sealed, plain;
};

/* Whom messages are for; everything borrowed. */
struct scep_recipient {
	struct crypto *crypto;
	struct evp_pkey_st *key;
	const struct x509 *cert;
};

/*
 * Reads as much as there is: *out is always usable (unless it is NULL for
 * lack of memory) and the flaw says where reading ended; `err` says why, and
 * names the rule. The caller frees *out with scep_request_free().
 */
enum scep_flaw scep_request_decode(struct scep_request **out,
    struct span message, const struct scep_recipient *, struct error *err);
void scep_request_free(struct scep_request *);

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

/* What a CertRep says (3.3.2). */
struct scep_reply {
	enum scep_status status;
	enum scep_fail_info fail_info; /* if FAILURE */
	const char *transaction_id;    /* borrowed; NULL: left out */
	struct span sender_nonce;      /* ours, fresh */
	struct span recipient_nonce;   /* the client's; empty: left out */
	int32_t ms_error;	       /* .311.21.33; 0: left out */
	const char *ms_message;	       /* .311.21.38; NULL: left out */
	struct span certificate;       /* if SUCCESS: the leaf, DER */
};

/* How it is said: by whom it is signed and to whom it is sealed. */
struct scep_seal {
	struct crypto *crypto;
	struct evp_pkey_st *signer_key;
	const struct x509 *signer;
	enum digest digest;
	enum cipher cipher;
	struct evp_pkey_st *recipient_key; /* if SUCCESS */
	const struct x509 *recipient;
};

/* Says what `reply` says, as `seal` orders. Never decides. */
int scep_reply_encode(struct blob *out, const struct scep_reply *,
    const struct scep_seal *, struct error *err);

/* A SignedData without signers, around these certificates (3.4), DER. */
int scep_degenerate(struct buffer *out, const struct span *certs, size_t count);

const char *scep_type_name(int type);		/* "PKCSReq" */
const char *scep_fail_info_name(int fail_info); /* "badRequest" */

#endif
