#include "support/device.h"

#include <openssl/cms.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

/* RFC 8894 3.2.1 */
#define ATTRIBUTE(n) "2.16.840.1.113733.1.9." #n
#define MESSAGE_TYPE ATTRIBUTE(2)
#define SENDER_NONCE ATTRIBUTE(5)
#define TRANSACTION_ID ATTRIBUTE(7)
#define PKCS_REQ "19"

static bool
set_name(X509_NAME *name, const char *common_name)
{
	return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
		   (const unsigned char *)common_name, -1, -1, 0) == 1;
}

bool
device_make(struct device *d)
{
	X509_NAME *name;

	d->key = EVP_RSA_gen(2048);
	d->signer = X509_new();
	if (d->key == NULL || d->signer == NULL)
		return false;
	name = X509_get_subject_name(d->signer);
	return set_name(name, DEVICE_SUBJECT) &&
	    X509_set_issuer_name(d->signer, name) == 1 &&
	    X509_set_version(d->signer, X509_VERSION_3) == 1 &&
	    ASN1_INTEGER_set(X509_get_serialNumber(d->signer), 77) == 1 &&
	    X509_gmtime_adj(X509_getm_notBefore(d->signer), -60) != NULL &&
	    X509_gmtime_adj(X509_getm_notAfter(d->signer), 86400) != NULL &&
	    X509_set_pubkey(d->signer, d->key) == 1 &&
	    X509_sign(d->signer, d->key, EVP_sha256()) > 0;
}

void
device_clear(struct device *d)
{
	EVP_PKEY_free(d->key);
	X509_free(d->signer);
	*d = (struct device){ NULL, NULL };
}

static bool
add_san(X509_REQ *req)
{
	X509_EXTENSION *san = X509V3_EXT_conf_nid(NULL, NULL,
	    NID_subject_alt_name, "DNS:" DEVICE_DNS_NAME);
	STACK_OF(X509_EXTENSION) *list = sk_X509_EXTENSION_new_null();
	bool good = san != NULL && sk_X509_EXTENSION_push(list, san) > 0 &&
	    X509_REQ_add_extensions(req, list) == 1;

	sk_X509_EXTENSION_free(list);
	X509_EXTENSION_free(san);
	return good;
}

/* A PKCS#10 in memory; NULL: it could not be made. */
static BIO *
make_csr(const struct device *d, const struct device_order *order)
{
	X509_REQ *req = X509_REQ_new();
	BIO *bio = BIO_new(BIO_s_mem());
	char *der;
	long len;
	bool good = req != NULL && bio != NULL &&
	    set_name(X509_REQ_get_subject_name(req), DEVICE_SUBJECT) &&
	    X509_REQ_set_pubkey(req, d->key) == 1 && add_san(req) &&
	    (order->challenge == NULL ||
		X509_REQ_add1_attr_by_NID(req, NID_pkcs9_challengePassword,
		    V_ASN1_UTF8STRING, (const unsigned char *)order->challenge,
		    (int)strlen(order->challenge)) == 1) &&
	    X509_REQ_sign(req, d->key, EVP_sha256()) > 0 &&
	    i2d_X509_REQ_bio(bio, req) == 1;

	if (good && order->spoil_proof) {
		len = BIO_get_mem_data(bio, &der);
		der[len - 1] ^= 1;
	}
	X509_REQ_free(req);
	if (!good) {
		BIO_free(bio);
		return NULL;
	}
	return bio;
}

static BIO *
make_envelope(const struct device *d, const struct device_order *order)
{
	BIO *csr = make_csr(d, order), *out = BIO_new(BIO_s_mem());
	CMS_ContentInfo *cms = csr == NULL ?
	    NULL :
	    CMS_encrypt(order->recipients, csr,
		order->cipher == NULL ? EVP_aes_128_cbc() : order->cipher,
		CMS_BINARY);

	if (cms == NULL || i2d_CMS_bio(out, cms) != 1) {
		BIO_free(out);
		out = NULL;
	}
	CMS_ContentInfo_free(cms);
	BIO_free(csr);
	return out;
}

static CMS_ContentInfo *
sign(const struct device *d, const struct device_order *order,
    const struct device_message *m, BIO *content)
{
	CMS_ContentInfo *cms = CMS_sign(NULL, NULL, NULL, NULL,
	    CMS_PARTIAL | CMS_BINARY);
	CMS_SignerInfo *si = cms == NULL ?
	    NULL :
	    CMS_add1_signer(cms, d->signer, d->key,
		order->digest == NULL ? EVP_sha256() : order->digest,
		CMS_BINARY | CMS_NOSMIMECAP);

	if (si != NULL &&
	    CMS_signed_add1_attr_by_txt(si, MESSAGE_TYPE,
		V_ASN1_PRINTABLESTRING, PKCS_REQ, strlen(PKCS_REQ)) == 1 &&
	    CMS_signed_add1_attr_by_txt(si, TRANSACTION_ID,
		V_ASN1_PRINTABLESTRING, m->transaction_id,
		strlen(m->transaction_id)) == 1 &&
	    CMS_signed_add1_attr_by_txt(si, SENDER_NONCE, V_ASN1_OCTET_STRING,
		m->nonce, sizeof(m->nonce)) == 1 &&
	    CMS_final(cms, content, NULL, CMS_BINARY) == 1)
		return cms;
	CMS_ContentInfo_free(cms);
	return NULL;
}

bool
device_message_make(const struct device *d, const struct device_order *order,
    struct device_message *out)
{
	uint8_t random[16], *der = NULL;
	CMS_ContentInfo *cms = NULL;
	BIO *envelope;
	int len;

	memset(out, 0, sizeof(*out));
	if (RAND_bytes(random, sizeof(random)) != 1 ||
	    RAND_bytes(out->nonce, sizeof(out->nonce)) != 1 ||
	    (envelope = make_envelope(d, order)) == NULL)
		return false;
	for (size_t i = 0; i < sizeof(random); i++)
		sprintf(out->transaction_id + 2 * i, "%02X", random[i]);
	if ((cms = sign(d, order, out, envelope)) != NULL &&
	    (len = i2d_CMS_ContentInfo(cms, &der)) > 0)
		buffer_add(&out->der, der, (size_t)len);
	OPENSSL_free(der);
	CMS_ContentInfo_free(cms);
	BIO_free(envelope);
	return out->der.len > 0 && !out->der.failed;
}

void
device_message_clear(struct device_message *m)
{
	buffer_free(&m->der);
}

bool
device_post(const char *url, const struct device_message *m,
    struct web_reply *reply)
{
	char with_query[512];
	const struct web_request request = { .url = with_query,
		.body = m->der.data,
		.length = m->der.len };

	snprintf(with_query, sizeof(with_query), "%s?operation=PKIOperation",
	    url);
	return web_ask(&request, reply);
}

bool
device_enrol(const struct device *d, const char *url, const char *challenge,
    STACK_OF(X509) * ca_certs, struct device_answer *out)
{
	STACK_OF(X509) *recipients = sk_X509_new_null();
	const struct device_order order = { .challenge = challenge,
		.recipients = recipients };
	struct device_message m = { 0 };
	struct web_reply reply = { 0 };
	bool good;

	memset(out, 0, sizeof(*out));
	good = recipients != NULL &&
	    sk_X509_push(recipients, device_ra(ca_certs, KU_KEY_ENCIPHERMENT)) >
		0 &&
	    device_message_make(d, &order, &m) && device_post(url, &m, &reply);
	if (!good)
		snprintf(out->why, sizeof(out->why), "no answer");
	else
		good = device_answer_read(d, &m, ca_certs,
		    buffer_span(&reply.body), out);
	if (good && out->certificate != NULL) {
		snprintf(out->why, sizeof(out->why), "%s",
		    device_judge(d, ca_certs, out->certificate));
		good = out->why[0] == '\0';
	}
	web_reply_clear(&reply);
	device_message_clear(&m);
	sk_X509_free(recipients);
	return good;
}
