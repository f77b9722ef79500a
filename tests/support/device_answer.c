/* How a device reads what a CA says. */
#include <openssl/cms.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/device.h"

#define ATTRIBUTE(n) "2.16.840.1.113733.1.9." #n
#define MESSAGE_TYPE ATTRIBUTE(2)
#define PKI_STATUS ATTRIBUTE(3)
#define FAIL_INFO ATTRIBUTE(4)
#define SENDER_NONCE ATTRIBUTE(5)
#define RECIPIENT_NONCE ATTRIBUTE(6)
#define TRANSACTION_ID ATTRIBUTE(7)
#define MS_ERROR "1.3.6.1.4.1.311.21.33"

#define SUCCESS 0

static CMS_ContentInfo *
read_cms(const uint8_t *der, size_t len)
{
	return d2i_CMS_ContentInfo(NULL, &der, (long)len);
}

STACK_OF(X509) * device_ca_certs(const char *url)
{
	STACK_OF(X509) *certs = NULL;
	CMS_ContentInfo *cms = NULL;
	struct web_reply reply;
	char with_query[512];

	snprintf(with_query, sizeof(with_query),
	    "%s?operation=GetCACert&message=ca", url);
	if (web_get(with_query, &reply) &&
	    (cms = read_cms(reply.body.data, reply.body.len)) != NULL)
		certs = CMS_get1_certs(cms);
	CMS_ContentInfo_free(cms);
	web_reply_clear(&reply);
	return certs;
}

void
device_ca_certs_free(STACK_OF(X509) * certs)
{
	sk_X509_pop_free(certs, X509_free);
}

X509 *
device_ca(STACK_OF(X509) * certs)
{
	for (int i = 0; i < sk_X509_num(certs); i++)
		if (X509_check_ca(sk_X509_value(certs, i)) == 1)
			return sk_X509_value(certs, i);
	return NULL;
}

X509 *
device_ra(STACK_OF(X509) * certs, uint32_t key_usage)
{
	X509 *cert;

	for (int i = 0; i < sk_X509_num(certs); i++) {
		cert = sk_X509_value(certs, i);
		if (X509_check_ca(cert) == 0 &&
		    X509_get_key_usage(cert) == key_usage)
			return cert;
	}
	return NULL;
}

bool
device_password(const char *admin_url, char out[DEVICE_PASSWORD_SIZE])
{
	static const char before[] = "challenge password is: <B> ";
	struct buffer text = { 0 };
	struct web_reply reply;
	const char *at = NULL;

	if (web_get(admin_url, &reply) && reply.status == 200 &&
	    web_page_text(&reply, &text) &&
	    (at = strstr((char *)text.data, before)) != NULL)
		snprintf(out, DEVICE_PASSWORD_SIZE, "%.*s",
		    (int)strcspn(at + strlen(before), " "),
		    at + strlen(before));
	buffer_free(&text);
	web_reply_clear(&reply);
	return at != NULL;
}

static bool
not_good(struct device_answer *a, const char *why)
{
	snprintf(a->why, sizeof(a->why), "%s", why);
	return false;
}

/* The only value of a signed attribute; NULL: there is none such. */
static ASN1_STRING *
attribute(CMS_SignerInfo *si, const char *oid, int type)
{
	ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
	ASN1_STRING *s = CMS_signed_get0_data_by_OBJ(si, object, -3, type);

	ASN1_OBJECT_free(object);
	return s;
}

static bool
is_bytes(const ASN1_STRING *s, const void *data, size_t len)
{
	return s != NULL && (size_t)ASN1_STRING_length(s) == len &&
	    memcmp(ASN1_STRING_get0_data(s), data, len) == 0;
}

static bool
read_number(CMS_SignerInfo *si, const char *oid, long *out)
{
	const ASN1_STRING *s = attribute(si, oid, V_ASN1_PRINTABLESTRING);
	char text[16], *end;

	if (s == NULL)
		return false;
	snprintf(text, sizeof(text), "%.*s", ASN1_STRING_length(s),
	    (const char *)ASN1_STRING_get0_data(s));
	*out = strtol(text, &end, 10);
	return end != text && *end == '\0';
}

static bool
read_attributes(CMS_SignerInfo *si, const struct device_message *m,
    struct device_answer *a)
{
	const ASN1_STRING *nonce;
	long number;

	if (!is_bytes(attribute(si, MESSAGE_TYPE, V_ASN1_PRINTABLESTRING), "3",
		1))
		return not_good(a, "messageType is not 3");
	if (!is_bytes(attribute(si, TRANSACTION_ID, V_ASN1_PRINTABLESTRING),
		m->transaction_id, strlen(m->transaction_id)))
		return not_good(a, "another transactionID");
	if (!is_bytes(attribute(si, RECIPIENT_NONCE, V_ASN1_OCTET_STRING),
		m->nonce, sizeof(m->nonce)))
		return not_good(a, "recipientNonce is not our nonce");
	nonce = attribute(si, SENDER_NONCE, V_ASN1_OCTET_STRING);
	if (nonce == NULL || ASN1_STRING_length(nonce) != DEVICE_NONCE_SIZE ||
	    is_bytes(nonce, m->nonce, sizeof(m->nonce)))
		return not_good(a, "no fresh senderNonce");
	if (!read_number(si, PKI_STATUS, &number))
		return not_good(a, "no pkiStatus");
	a->pki_status = (int)number;
	if (read_number(si, FAIL_INFO, &number))
		a->fail_info = (int)number;
	if (!read_number(si, MS_ERROR, &a->ms_error))
		a->ms_error = 0;
	return true;
}

static int
cipher_of(CMS_ContentInfo *envelope)
{
	static const int known[] = { NID_aes_128_cbc, NID_aes_192_cbc,
		NID_aes_256_cbc, NID_des_ede3_cbc, NID_des_cbc };
	unsigned char *der = NULL, oid[32], *to;
	int len = i2d_CMS_ContentInfo(envelope, &der), found = NID_undef;

	/* OpenSSL has no call for it: its object identifier is in there. */
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		to = oid;
		int size = i2d_ASN1_OBJECT(OBJ_nid2obj(known[i]), &to);

		if (len > 0 && memmem(der, (size_t)len, oid, (size_t)size))
			found = known[i];
	}
	OPENSSL_free(der);
	return found;
}

/* The certificate of ours in a degenerate SignedData. */
static X509 *
find_ours(const struct device *d, BIO *degenerate)
{
	CMS_ContentInfo *cms = d2i_CMS_bio(degenerate, NULL);
	STACK_OF(X509) *certs = cms == NULL ? NULL : CMS_get1_certs(cms);
	X509 *found = NULL;

	for (int i = 0; i < sk_X509_num(certs) && found == NULL; i++)
		if (X509_check_private_key(sk_X509_value(certs, i), d->key) ==
		    1)
			found = X509_dup(sk_X509_value(certs, i));
	device_ca_certs_free(certs);
	CMS_ContentInfo_free(cms);
	return found;
}

static bool
open_envelope(const struct device *d, BIO *content, struct device_answer *a)
{
	CMS_ContentInfo *envelope = d2i_CMS_bio(content, NULL);
	BIO *plain = BIO_new(BIO_s_mem());
	bool good = envelope != NULL &&
	    CMS_decrypt(envelope, d->key, d->signer, NULL, plain, CMS_BINARY) ==
		1;

	if (good) {
		a->cipher = cipher_of(envelope);
		a->certificate = find_ours(d, plain);
	}
	BIO_free(plain);
	CMS_ContentInfo_free(envelope);
	return good;
}

static bool
read_content(const struct device *d, BIO *content, struct device_answer *a)
{
	if (a->pki_status != SUCCESS)
		return BIO_pending(content) <= 1 ||
		    not_good(a, "a FAILURE with content");
	if (!open_envelope(d, content, a))
		return not_good(a, "the envelope is not for us");
	return a->certificate != NULL || not_good(a, "nothing for our key");
}

bool
device_answer_read(const struct device *d, const struct device_message *m,
    STACK_OF(X509) * ca_certs, struct span reply, struct device_answer *a)
{
	CMS_ContentInfo *cms = read_cms(reply.data, reply.len);
	X509 *ra = device_ra(ca_certs, KU_DIGITAL_SIGNATURE), *signer = NULL;
	BIO *content = BIO_new(BIO_s_mem());
	X509_ALGOR *digest = NULL;
	CMS_SignerInfo *si;
	bool good;

	*a = (struct device_answer){ .pki_status = -1, .fail_info = -1 };
	/* Whom the RA's own certificate is by is asked elsewhere. */
	if (cms == NULL ||
	    CMS_verify(cms, ca_certs, NULL, NULL, content,
		CMS_BINARY | CMS_NO_SIGNER_CERT_VERIFY) != 1) {
		good = not_good(a, "no SignedData that verifies");
		goto out;
	}
	si = sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(cms), 0);
	CMS_SignerInfo_get0_algs(si, NULL, &signer, &digest, NULL);
	a->digest = OBJ_obj2nid(digest->algorithm);
	if (ra == NULL || signer == NULL || X509_cmp(signer, ra) != 0)
		good = not_good(a, "the signer is not the RA");
	else
		good = read_attributes(si, m, a) && read_content(d, content, a);
out:
	BIO_free(content);
	CMS_ContentInfo_free(cms);
	return good;
}

void
device_answer_clear(struct device_answer *a)
{
	X509_free(a->certificate);
	a->certificate = NULL;
}

static bool
verifies(STACK_OF(X509) * ca_certs, X509 *cert)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	bool good = X509_STORE_add_cert(store, device_ca(ca_certs)) == 1 &&
	    X509_STORE_CTX_init(ctx, store, cert, NULL) == 1 &&
	    X509_STORE_CTX_set_purpose(ctx, X509_PURPOSE_SSL_CLIENT) == 1 &&
	    X509_verify_cert(ctx) == 1;

	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	return good;
}

const char *
device_judge(const struct device *d, STACK_OF(X509) * ca_certs, X509 *cert)
{
	char name[64] = "";

	if (device_ca(ca_certs) == NULL || !verifies(ca_certs, cert))
		return "it does not verify";
	if (X509_check_private_key(cert, d->key) != 1)
		return "it is for another key";
	X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName,
	    name, sizeof(name));
	if (strcmp(name, DEVICE_SUBJECT) != 0)
		return "it has another subject";
	if (X509_check_host(cert, DEVICE_DNS_NAME, 0, 0, NULL) != 1)
		return "it has another subjectAltName";
	return "";
}
