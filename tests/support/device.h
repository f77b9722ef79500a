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

/* Key and self-signed certificate; const once made. */
struct device {
	EVP_PKEY *key;
	X509 *signer;
};
bool device_make(struct device *);
void device_clear(struct device *);

/* What GetCACert at this URL of mscep.dll says; NULL: nothing useful. */
STACK_OF(X509) * device_ca_certs(const char *url);
void device_ca_certs_free(STACK_OF(X509) *);
/* The CA's, or the RA's with this key usage; borrowed. */
X509 *device_ca(STACK_OF(X509) *);
X509 *device_ra(STACK_OF(X509) *, uint32_t key_usage);

/* A one-time password from the admin page. */
#define DEVICE_PASSWORD_SIZE 65
bool device_password(const char *admin_url, char out[DEVICE_PASSWORD_SIZE]);

/* How to ask; what is NULL is left out, or is the usual one. */
struct device_order {
	const char *challenge;
	const EVP_MD *digest;	     /* SHA-256 */
	const EVP_CIPHER *cipher;    /* AES-128-CBC */
	STACK_OF(X509) * recipients; /* borrowed */
	bool spoil_proof;	     /* the CSR's signature is wrong */
};
struct device_message {
	struct buffer der;
	char transaction_id[33];
	uint8_t nonce[DEVICE_NONCE_SIZE];
};
/* A PKCSReq. The caller clears *out in any case. */
bool device_message_make(const struct device *, const struct device_order *,
    struct device_message *out);
void device_message_clear(struct device_message *);

struct device_answer {
	int pki_status, fail_info; /* -1: not said */
	long ms_error;		   /* .311.21.33; 0: not said */
	int digest, cipher;	   /* NIDs; 0: not known */
	X509 *certificate;	   /* NULL: none */
	char why[160];		   /* what is wrong with the CertRep */
};
/*
 * Reads a CertRep as its receiver must: signature by the RA, nonces,
 * transaction, envelope. true: it is sound, whatever it says. The caller
 * clears *out in any case.
 */
bool device_answer_read(const struct device *, const struct device_message *,
    STACK_OF(X509) * ca_certs, struct span reply, struct device_answer *out);
void device_answer_clear(struct device_answer *);

/* Sends it by POST. */
bool device_post(const char *url, const struct device_message *,
    struct web_reply *reply);
/*
 * All of it: makes a message for the RA, posts it, reads the CertRep, and
 * checks that a certificate is for our key and verifies.
 */
bool device_enrol(const struct device *, const char *url, const char *challenge,
    STACK_OF(X509) * ca_certs, struct device_answer *out);
/* Empty if the certificate is what was asked for, else what is not. */
const char *device_judge(const struct device *, STACK_OF(X509) * ca_certs,
    X509 *certificate);

#endif
