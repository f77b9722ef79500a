/*
 * A SCEP client made of OpenSSL's CMS and of libcurl. It shares no code
 * with the server, so that both cannot be wrong together. Nothing here fails
 * a test, so that threads can use it.
 */
#ifndef SUPPORT_DEVICE_H
#define SUPPORT_DEVICE_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "support/web.h"

#define DEVICE_SUBJECT "device-1"
#define DEVICE_DNS_NAME "device-1.example"
#define DEVICE_NONCE_SIZE 16

enum device_key {
	DEVICE_RSA_2048,
	DEVICE_RSA_1024,
	DEVICE_RSA_4096, /* always the same one, of tests/fixtures */
	DEVICE_P256,
	DEVICE_P384,
	DEVICE_P521,
};

/*
 * A key and the certificate that its messages are signed with: self-signed
 * at first, later one that was issued for it. Const once made.
 */
struct device {
	EVP_PKEY *key;
	X509 *signer;
};
bool device_make(struct device *); /* RSA-2048 */
bool device_make_with(struct device *, enum device_key);
/* The same key with this certificate; shares both. */
void device_make_renewing(struct device *, const struct device *,
    X509 *certificate);
void device_clear(struct device *);

/* What GetCACert at this URL of mscep.dll says; NULL: nothing useful. */
STACK_OF(X509) * device_ca_certs(const char *url);
STACK_OF(X509) * device_ca_certs_in(const struct web_reply *);
/*
 * What GetNextCACert says; NULL: nothing, or not in the form of RFC 8894
 * 4.7.1, or not signed by the CA among those.
 */
STACK_OF(X509) * device_next_ca_certs(const char *url, STACK_OF(X509) *);
void device_ca_certs_free(STACK_OF(X509) *);
/* The CA that has issued the RAs', or an RA's with this key usage; borrowed. */
X509 *device_ca(STACK_OF(X509) *);
X509 *device_ra(STACK_OF(X509) *, uint32_t key_usage);
/*
 * How many certificates there are from this one to a root among ca_certs,
 * both counted; 0: it does not verify for X509_PURPOSE_..., at that time
 * (0: now).
 */
int device_chain(STACK_OF(X509) * ca_certs, X509 *, int purpose, int64_t at);
/* Whether it is by the CA and good at that time (0: now). */
bool device_crl_verifies(STACK_OF(X509) * ca_certs, X509_CRL *, int64_t at);

/* A one-time password from the admin page. */
#define DEVICE_PASSWORD_SIZE 65
bool device_password(const char *admin_url, char out[DEVICE_PASSWORD_SIZE]);

/* RFC 8894 3.2.1.2 */
enum device_type {
	DEVICE_PKCS_REQ = 19,
	DEVICE_RENEWAL_REQ = 17,
	DEVICE_CERT_POLL = 20,
	DEVICE_GET_CERT = 21,
	DEVICE_GET_CRL = 22,
};

/* What to ask and how; what is 0 is left out, or is the usual one. */
struct device_order {
	int type;		     /* PKCSReq; unknown ones carry a CSR */
	const struct device *signer; /* the device; also gets the answer */
	const char *transaction_id;  /* random */
	const char *challenge;
	const char *subject;	     /* common name: DEVICE_SUBJECT */
	const EVP_MD *digest;	     /* SHA-256; of message and CSR */
	const EVP_CIPHER *cipher;    /* AES-128-CBC */
	const EVP_MD *oaep;	     /* of the key transport; NULL: PKCS#1 */
	STACK_OF(X509) * recipients; /* borrowed */
	/* Of CertPoll, GetCert, GetCRL. */
	const X509_NAME *issuer;    /* that of the first recipient */
	const ASN1_INTEGER *serial; /* 1 */
	bool spoil_proof;	    /* the CSR's signature is wrong */
	bool by_get;		    /* for device_ask() */
};

#define DEVICE_TRANSACTION_SIZE 128
struct device_message {
	struct buffer der;
	char transaction_id[DEVICE_TRANSACTION_SIZE];
	uint8_t nonce[DEVICE_NONCE_SIZE];
	int type;		     /* 0: PKCSReq */
	const struct device *signer; /* borrowed; NULL: the device */
};
/* The caller clears *out in any case. */
bool device_message_make(const struct device *, const struct device_order *,
    struct device_message *out);
void device_message_clear(struct device_message *);

/* A transactionID as clients derive it from their public key. */
enum device_id_form {
	DEVICE_ID_HEX_MD5,     /* sscep */
	DEVICE_ID_HEX_SHA256,  /* jscep, certmonger */
	DEVICE_ID_BASE64_SHA1, /* micromdm: with + / and = */
	DEVICE_ID_DECIMAL,     /* as long as they get */
};
bool device_transaction_id(const struct device *, enum device_id_form,
    char out[DEVICE_TRANSACTION_SIZE]);

/* What stands where a CertRep without a certificate has its content. */
enum device_content {
	DEVICE_CONTENT_ABSENT,
	DEVICE_CONTENT_EMPTY,
	DEVICE_CONTENT_ZERO, /* one zero octet */
	DEVICE_CONTENT_OTHER,
};

#define DEVICE_TEXT_SIZE 256
struct device_answer {
	int pki_status, fail_info;	       /* -1: not said */
	long ms_error;			       /* .311.21.33; 0: not said */
	char ms_message[DEVICE_TEXT_SIZE];     /* .311.21.38; "": not said */
	char fail_info_text[DEVICE_TEXT_SIZE]; /* "": not said */
	enum device_content content;
	bool has_certificates, has_signing_time;
	int digest, signature; /* NIDs; 0: not known */
	int cipher, transport; /* NIDs; 0: no envelope */
	X509 *certificate;     /* NULL: none */
	X509_CRL *crl;	       /* NULL: none */
	char why[160];	       /* what is wrong with the CertRep */
};
/*
 * Reads a CertRep as its receiver must: signature by the RA, attributes,
 * nonces, transaction, envelope, and one thing in it: after a request or a
 * poll a certificate for the device's key, after GetCert a certificate, after
 * GetCRL a CRL. true: it is sound, whatever it says. The caller clears *out
 * in any case.
 */
bool device_answer_read(const struct device *, const struct device_message *,
    STACK_OF(X509) * ca_certs, struct span reply, struct device_answer *out);
void device_answer_clear(struct device_answer *);

/* Sends it by POST. */
bool device_post(const char *url, const struct device_message *,
    struct web_reply *reply);
/* Sends it by GET, these characters of its base64 escaped: "+/=". */
bool device_get(const char *url, const struct device_message *,
    const char *escaped, struct web_reply *reply);
/*
 * Makes a message (for the RA, unless the order says for whom), sends it,
 * and reads the CertRep.
 */
bool device_ask(const struct device *, const char *url,
    const struct device_order *, STACK_OF(X509) * ca_certs,
    struct device_answer *out);
/*
 * All of it: asks for a certificate by POST, and checks that what comes is
 * for our key and verifies.
 */
bool device_enrol(const struct device *, const char *url, const char *challenge,
    STACK_OF(X509) * ca_certs, struct device_answer *out);
/* Empty if the certificate is what was asked for, else what is not. */
const char *device_judge(const struct device *, STACK_OF(X509) * ca_certs,
    X509 *certificate);
const char *device_judge_at(const struct device *, STACK_OF(X509) * ca_certs,
    X509 *certificate, int64_t at);

#endif
