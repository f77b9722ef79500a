/* What a device is, and the messages that it makes. */
#include "support/device.h"

#include <openssl/cms.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* RFC 8894 3.2.1 */
#define ATTRIBUTE(n) "2.16.840.1.113733.1.9." #n
#define MESSAGE_TYPE ATTRIBUTE(2)
#define SENDER_NONCE ATTRIBUTE(5)
#define TRANSACTION_ID ATTRIBUTE(7)

static bool
set_name(X509_NAME *name, const char *common_name)
{
	return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
		   (const unsigned char *)common_name, -1, -1, 0) == 1;
}

/* To make one takes seconds. */
static EVP_PKEY *
read_key(const char *name)
{
	const char *source = getenv("MOCKNDES_SOURCE");
	char path[512];
	EVP_PKEY *key;
	BIO *bio;

	snprintf(path, sizeof(path), "%s/tests/fixtures/device/%s",
	    source == NULL ? "." : source, name);
	bio = BIO_new_file(path, "r");
	key = bio == NULL ? NULL :
			    PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	BIO_free(bio);
	return key;
}

static EVP_PKEY *
make_key(enum device_key what)
{
	switch (what) {
	case DEVICE_RSA_2048:
		return EVP_RSA_gen(2048);
	case DEVICE_RSA_1024:
		return EVP_RSA_gen(1024);
	case DEVICE_RSA_4096:
		return read_key("rsa-4096.key");
	case DEVICE_P256:
		return EVP_EC_gen("P-256");
	case DEVICE_P384:
		return EVP_EC_gen("P-384");
	case DEVICE_P521:
		return EVP_EC_gen("P-521");
	}
	return NULL;
}

bool
device_make_with(struct device *d, enum device_key what)
{
	X509_NAME *name;

	d->key = make_key(what);
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

bool
device_make(struct device *d)
{
	return device_make_with(d, DEVICE_RSA_2048);
}

void
device_make_renewing(struct device *out, const struct device *d, X509 *cert)
{
	EVP_PKEY_up_ref(d->key);
	X509_up_ref(cert);
	*out = (struct device){ d->key, cert };
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

static const EVP_MD *
digest_of(const struct device_order *order)
{
	return order->digest == NULL ? EVP_sha256() : order->digest;
}

static const char *
subject_of(const struct device_order *order)
{
	return order->subject == NULL ? DEVICE_SUBJECT : order->subject;
}

static bool
add_csr(BIO *out, const struct device *d, const struct device_order *order)
{
	X509_REQ *req = X509_REQ_new();
	char *der;
	long len;
	bool good = req != NULL &&
	    set_name(X509_REQ_get_subject_name(req), subject_of(order)) &&
	    X509_REQ_set_pubkey(req, d->key) == 1 && add_san(req) &&
	    (order->challenge == NULL ||
		X509_REQ_add1_attr_by_NID(req, NID_pkcs9_challengePassword,
		    V_ASN1_UTF8STRING, (const unsigned char *)order->challenge,
		    (int)strlen(order->challenge)) == 1) &&
	    X509_REQ_sign(req, d->key, digest_of(order)) > 0 &&
	    i2d_X509_REQ_bio(out, req) == 1;

	if (good && order->spoil_proof) {
		len = BIO_get_mem_data(out, &der);
		der[len - 1] ^= 1;
	}
	X509_REQ_free(req);
	return good;
}

/* Of the CA, if nothing else is said: the RA's issuer. */
static const X509_NAME *
issuer_of(const struct device_order *order)
{
	return order->issuer != NULL ?
	    order->issuer :
	    X509_get_issuer_name(sk_X509_value(order->recipients, 0));
}

/* RFC 8894 3.3.3: IssuerAndSubject */
static bool
add_issuer_and_subject(BIO *out, const struct device_order *order)
{
	X509_NAME *subject = X509_NAME_new();
	uint8_t *parts[2] = { NULL, NULL }, head[8], *to = head;
	int lens[2] = { 0, 0 };
	bool good = subject != NULL && set_name(subject, subject_of(order));

	if (good) {
		lens[0] = i2d_X509_NAME(issuer_of(order), &parts[0]);
		lens[1] = i2d_X509_NAME(subject, &parts[1]);
		good = lens[0] > 0 && lens[1] > 0;
	}
	if (good) {
		ASN1_put_object(&to, 1, lens[0] + lens[1], V_ASN1_SEQUENCE,
		    V_ASN1_UNIVERSAL);
		good = BIO_write(out, head, (int)(to - head)) > 0 &&
		    BIO_write(out, parts[0], lens[0]) > 0 &&
		    BIO_write(out, parts[1], lens[1]) > 0;
	}
	OPENSSL_free(parts[0]);
	OPENSSL_free(parts[1]);
	X509_NAME_free(subject);
	return good;
}

/* RFC 8894 3.3.4: IssuerAndSerialNumber; PKCS#7's is the same. */
static bool
add_issuer_and_serial(BIO *out, const struct device_order *order)
{
	PKCS7_ISSUER_AND_SERIAL *both = PKCS7_ISSUER_AND_SERIAL_new();
	uint8_t *der = NULL;
	int len = 0;

	if (both != NULL &&
	    X509_NAME_set(&both->issuer, issuer_of(order)) == 1 &&
	    (order->serial == NULL ?
		    ASN1_INTEGER_set(both->serial, 1) :
		    ASN1_STRING_copy(both->serial, order->serial)) == 1)
		len = i2d_PKCS7_ISSUER_AND_SERIAL(both, &der);
	if (len > 0)
		BIO_write(out, der, len);
	OPENSSL_free(der);
	PKCS7_ISSUER_AND_SERIAL_free(both);
	return len > 0;
}

static bool
add_content(BIO *out, const struct device *d, const struct device_order *order)
{
	switch (order->type) {
	case DEVICE_CERT_POLL:
		return add_issuer_and_subject(out, order);
	case DEVICE_GET_CERT:
	case DEVICE_GET_CRL:
		return add_issuer_and_serial(out, order);
	default:
		return add_csr(out, d, order);
	}
}

static bool
add_recipient(CMS_ContentInfo *cms, X509 *cert, const EVP_MD *oaep)
{
	CMS_RecipientInfo *ri = CMS_add1_recipient_cert(cms, cert,
	    CMS_KEY_PARAM);
	EVP_PKEY_CTX *ctx = ri == NULL ? NULL :
					 CMS_RecipientInfo_get0_pkey_ctx(ri);

	return ctx != NULL &&
	    (oaep == NULL ||
		(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) ==
			1 &&
		    EVP_PKEY_CTX_set_rsa_oaep_md(ctx, oaep) == 1));
}

static CMS_ContentInfo *
encrypt(const struct device_order *order, BIO *plain)
{
	CMS_ContentInfo *cms = CMS_encrypt(NULL, NULL,
	    order->cipher == NULL ? EVP_aes_128_cbc() : order->cipher,
	    CMS_BINARY | CMS_PARTIAL);
	bool good = cms != NULL;

	for (int i = 0; good && i < sk_X509_num(order->recipients); i++)
		good = add_recipient(cms, sk_X509_value(order->recipients, i),
		    order->oaep);
	if (good && CMS_final(cms, plain, NULL, CMS_BINARY) == 1)
		return cms;
	CMS_ContentInfo_free(cms);
	return NULL;
}

/* In memory; NULL: it could not be made. */
static BIO *
make_envelope(const struct device *d, const struct device_order *order)
{
	BIO *plain = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
	CMS_ContentInfo *cms = add_content(plain, d, order) ?
	    encrypt(order, plain) :
	    NULL;

	if (cms == NULL || i2d_CMS_bio(out, cms) != 1) {
		BIO_free(out);
		out = NULL;
	}
	CMS_ContentInfo_free(cms);
	BIO_free(plain);
	return out;
}

static CMS_ContentInfo *
sign(const struct device *signer, const struct device_order *order,
    const struct device_message *m, BIO *content)
{
	CMS_ContentInfo *cms = CMS_sign(NULL, NULL, NULL, NULL,
	    CMS_PARTIAL | CMS_BINARY);
	CMS_SignerInfo *si = cms == NULL ?
	    NULL :
	    CMS_add1_signer(cms, signer->signer, signer->key, digest_of(order),
		CMS_BINARY | CMS_NOSMIMECAP);
	char type[16];

	snprintf(type, sizeof(type), "%d", m->type);
	if (si != NULL &&
	    CMS_signed_add1_attr_by_txt(si, MESSAGE_TYPE,
		V_ASN1_PRINTABLESTRING, type, (int)strlen(type)) == 1 &&
	    CMS_signed_add1_attr_by_txt(si, TRANSACTION_ID,
		V_ASN1_PRINTABLESTRING, m->transaction_id,
		(int)strlen(m->transaction_id)) == 1 &&
	    CMS_signed_add1_attr_by_txt(si, SENDER_NONCE, V_ASN1_OCTET_STRING,
		m->nonce, sizeof(m->nonce)) == 1 &&
	    CMS_final(cms, content, NULL, CMS_BINARY) == 1)
		return cms;
	CMS_ContentInfo_free(cms);
	return NULL;
}

static bool
choose_names(const struct device_order *order, struct device_message *m)
{
	uint8_t random[16];

	m->type = order->type == 0 ? DEVICE_PKCS_REQ : order->type;
	m->signer = order->signer;
	if (RAND_bytes(random, sizeof(random)) != 1 ||
	    RAND_bytes(m->nonce, sizeof(m->nonce)) != 1)
		return false;
	for (size_t i = 0; i < sizeof(random); i++)
		sprintf(m->transaction_id + 2 * i, "%02X", random[i]);
	if (order->transaction_id != NULL)
		snprintf(m->transaction_id, sizeof(m->transaction_id), "%s",
		    order->transaction_id);
	return true;
}

bool
device_message_make(const struct device *d, const struct device_order *order,
    struct device_message *out)
{
	const struct device *signer = order->signer == NULL ? d : order->signer;
	CMS_ContentInfo *cms;
	uint8_t *der = NULL;
	BIO *envelope;
	int len;

	memset(out, 0, sizeof(*out));
	if (!choose_names(order, out) ||
	    (envelope = make_envelope(d, order)) == NULL)
		return false;
	cms = sign(signer, order, out, envelope);
	if (cms != NULL && (len = i2d_CMS_ContentInfo(cms, &der)) > 0)
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

static bool
write_decimal(const uint8_t *digest, unsigned len,
    char out[DEVICE_TRANSACTION_SIZE])
{
	BIGNUM *n = BN_bin2bn(digest, (int)len, NULL);
	char *text = n == NULL ? NULL : BN_bn2dec(n);

	if (text != NULL)
		snprintf(out, DEVICE_TRANSACTION_SIZE, "%s", text);
	OPENSSL_free(text);
	BN_free(n);
	return text != NULL;
}

bool
device_transaction_id(const struct device *d, enum device_id_form form,
    char out[DEVICE_TRANSACTION_SIZE])
{
	const EVP_MD *md = form == DEVICE_ID_HEX_MD5 ? EVP_md5() :
	    form == DEVICE_ID_BASE64_SHA1	     ? EVP_sha1() :
						       EVP_sha256();
	uint8_t digest[EVP_MAX_MD_SIZE], *spki = NULL;
	int spki_len = i2d_PUBKEY(d->key, &spki);
	unsigned len = 0;
	bool good = spki_len > 0 &&
	    EVP_Digest(spki, (size_t)spki_len, digest, &len, md, NULL) == 1;

	OPENSSL_free(spki);
	if (!good || form == DEVICE_ID_DECIMAL)
		return good && write_decimal(digest, len, out);
	if (form == DEVICE_ID_BASE64_SHA1)
		return EVP_EncodeBlock((unsigned char *)out, digest, (int)len) >
		    0;
	for (unsigned i = 0; i < len; i++)
		sprintf(out + 2 * i, "%02x", digest[i]);
	return true;
}
