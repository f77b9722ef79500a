/*
 * What a device makes, made by OpenSSL alone: its key, its certificate, its
 * request and its messages. Nothing of the server takes part.
 */
#ifndef UNIT_DEVICE_H
#define UNIT_DEVICE_H

#include "unit/hex.h"

#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/x509v3.h>

/* 2022-06-15 12:00:00, in the middle of everything that is made here. */
#define DEVICE_NOW 1655294400LL

/* Takes what an i2d function made; without a spare octet. */
static inline struct blob
device_take(uint8_t *der, int len)
{
	struct blob out;

	assert_true(len > 0);
	out = exact_copy(der, (size_t)len);
	OPENSSL_free(der);
	return out;
}

static inline struct blob
device_cert_der(const X509 *cert)
{
	uint8_t *der = NULL;
	int len = i2d_X509(cert, &der);

	return device_take(der, len);
}

static inline struct blob
device_request_der(const X509_REQ *request)
{
	uint8_t *der = NULL;
	int len = i2d_X509_REQ((X509_REQ *)(uintptr_t)request, &der);

	return device_take(der, len);
}

/* Of tests/fixtures, e.g. "device/device.key". */
static inline EVP_PKEY *
device_key(const char *name)
{
	const char *source = getenv("MOCKNDES_SOURCE");
	char path[4096];
	EVP_PKEY *key;
	BIO *bio;

	snprintf(path, sizeof(path), "%s/tests/fixtures/%s",
	    source == NULL ? "." : source, name);
	assert_non_null(bio = BIO_new_file(path, "r"));
	key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	BIO_free(bio);
	assert_non_null(key);
	return key;
}

static inline void
device_name(X509_NAME *name, const char *common_name)
{
	assert_true(X509_NAME_add_entry_by_txt(name, "C", MBSTRING_ASC,
	    (const uint8_t *)"NL", -1, -1, 0));
	assert_true(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
	    (const uint8_t *)common_name, -1, -1, 0));
}

static inline void
device_extension(X509 *cert, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *ext;

	X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
	assert_non_null(ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value));
	assert_true(X509_add_ext(cert, ext, -1));
	X509_EXTENSION_free(ext);
}

/* Self-signed, as for a first enrolment; with a subjectKeyIdentifier. */
static inline X509 *
device_cert(EVP_PKEY *key, const char *common_name)
{
	X509 *cert = X509_new();

	assert_non_null(cert);
	assert_true(X509_set_version(cert, X509_VERSION_3));
	assert_true(ASN1_INTEGER_set(X509_get_serialNumber(cert), 0x5ce9));
	assert_non_null(
	    ASN1_TIME_set(X509_getm_notBefore(cert), DEVICE_NOW - 86400));
	assert_non_null(
	    ASN1_TIME_set(X509_getm_notAfter(cert), DEVICE_NOW + 86400));
	device_name(X509_get_subject_name(cert), common_name);
	assert_true(X509_set_issuer_name(cert, X509_get_subject_name(cert)));
	assert_true(X509_set_pubkey(cert, key));
	device_extension(cert, NID_key_usage,
	    "critical,digitalSignature,keyEncipherment");
	device_extension(cert, NID_subject_key_identifier, "hash");
	assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
	return cert;
}

/* Not signed yet, and without attributes. */
static inline X509_REQ *
device_request(EVP_PKEY *key, const char *common_name)
{
	X509_REQ *request = X509_REQ_new();

	assert_non_null(request);
	assert_true(X509_REQ_set_version(request, X509_REQ_VERSION_1));
	device_name(X509_REQ_get_subject_name(request), common_name);
	assert_true(X509_REQ_set_pubkey(request, key));
	return request;
}

/* `len` counts: with -1 OpenSSL would take `text` for an ASN1_STRING. */
static inline void
device_add_challenge(X509_REQ *request, int type, const void *text, int len)
{
	assert_true(X509_REQ_add1_attr_by_NID(request,
	    NID_pkcs9_challengePassword, type, text, len));
}

/* A signed request with a challengePassword, in DER. */
static inline struct blob
device_plain_request(EVP_PKEY *key, const char *challenge)
{
	X509_REQ *request = device_request(key, "device-0001");
	struct blob der;

	device_add_challenge(request, V_ASN1_PRINTABLESTRING, challenge,
	    (int)strlen(challenge));
	assert_true(X509_REQ_sign(request, key, EVP_sha256()) > 0);
	der = device_request_der(request);
	X509_REQ_free(request);
	return der;
}

#define DEVICE_RECIPIENTS 3
#define DEVICE_NONCE                       \
	"\x00\x01\x02\x03\x04\x05\x06\x07" \
	"\xf8\xf9\xfa\xfb\xfc\xfd\xfe\xff"

/* How a device writes a pkiMessage; all of it is borrowed. */
struct letter {
	const char *type, *transaction; /* NULL: left out */
	int text_type;			/* V_ASN1_... of both */
	EVP_PKEY *key;
	X509 *signer;
	const EVP_MD *md;
	const EVP_CIPHER *cipher;
	unsigned signer_flags;	  /* CMS_USE_KEYID, CMS_NOCERTS ... */
	unsigned recipient_flags; /* CMS_USE_KEYID */
	X509 *recipients[DEVICE_RECIPIENTS];
	void (*wrap)(EVP_PKEY_CTX *);	   /* how the key is; NULL: PKCS#1 */
	void (*invite)(CMS_ContentInfo *); /* recipients before, or NULL */
	void (*misname)(X509_ALGOR *);	   /* the key's algorithm, or NULL */
	bool stream_inner, stream_outer;   /* BER, indefinite lengths */
	bool no_nonce;
	X509 *extra;		       /* one more certificate, or NULL */
	int digest_nid, signature_nid; /* what is said instead; 0: honest */
	void (*add)(CMS_SignerInfo *); /* more attributes, or NULL */
};

static inline struct blob
device_finish(CMS_ContentInfo *cms, BIO *in, bool stream)
{
	BIO *out = BIO_new(BIO_s_mem());
	struct blob bytes;
	char *data;
	long len;

	assert_non_null(out);
	if (stream)
		assert_true(
		    i2d_CMS_bio_stream(out, cms, in, CMS_BINARY | CMS_STREAM));
	else
		assert_true(i2d_CMS_bio(out, cms));
	len = BIO_get_mem_data(out, &data);
	bytes = exact_copy(data, (size_t)len);
	BIO_free(out);
	BIO_free(in);
	CMS_ContentInfo_free(cms);
	return bytes;
}

static inline void
letter_add_recipient(const struct letter *l, CMS_ContentInfo *cms, X509 *cert)
{
	CMS_RecipientInfo *ri = CMS_add1_recipient_cert(cms, cert,
	    CMS_BINARY | CMS_KEY_PARAM | l->recipient_flags);

	assert_non_null(ri);
	if (l->wrap != NULL)
		l->wrap(CMS_RecipientInfo_get0_pkey_ctx(ri));
}

/* Of every recipient by key transport; only once all is encrypted. */
static inline void
letter_misname(const struct letter *l, CMS_ContentInfo *cms)
{
	STACK_OF(CMS_RecipientInfo) *list = CMS_get0_RecipientInfos(cms);
	X509_ALGOR *algorithm;

	for (int i = 0; i < sk_CMS_RecipientInfo_num(list); i++) {
		CMS_RecipientInfo *ri = sk_CMS_RecipientInfo_value(list, i);

		if (CMS_RecipientInfo_type(ri) != CMS_RECIPINFO_TRANS)
			continue;
		CMS_RecipientInfo_ktri_get0_algs(ri, NULL, NULL, &algorithm);
		l->misname(algorithm);
	}
}

/* The content in an envelope for the recipients. */
static inline struct blob
letter_seal(const struct letter *l, struct span content)
{
	BIO *in = BIO_new_mem_buf(content.data, (int)content.len);
	unsigned flags = CMS_BINARY | CMS_PARTIAL |
	    (l->stream_inner ? CMS_STREAM : 0);
	CMS_ContentInfo *cms = CMS_encrypt(NULL, NULL, l->cipher, flags);

	assert_non_null(cms);
	if (l->invite != NULL)
		l->invite(cms);
	for (size_t i = 0; i < DEVICE_RECIPIENTS; i++)
		if (l->recipients[i] != NULL)
			letter_add_recipient(l, cms, l->recipients[i]);
	if (!l->stream_inner)
		assert_true(CMS_final(cms, in, NULL, flags));
	if (l->misname != NULL)
		letter_misname(l, cms);
	return device_finish(cms, in, l->stream_inner);
}

static inline void
letter_add(CMS_SignerInfo *si, const char *oid, int type, struct span value)
{
	assert_true(CMS_signed_add1_attr_by_txt(si, oid, type, value.data,
	    (int)value.len));
}

static inline void
letter_add_attributes(const struct letter *l, CMS_SignerInfo *si)
{
	if (l->type != NULL)
		letter_add(si, "2.16.840.1.113733.1.9.2", l->text_type,
		    span_text(l->type));
	if (l->transaction != NULL)
		letter_add(si, "2.16.840.1.113733.1.9.7", l->text_type,
		    span_text(l->transaction));
	if (!l->no_nonce)
		letter_add(si, "2.16.840.1.113733.1.9.5", V_ASN1_OCTET_STRING,
		    span_of(DEVICE_NONCE, 16));
	if (l->add != NULL)
		l->add(si);
}

static inline void
letter_rename(const struct letter *l, CMS_SignerInfo *si)
{
	X509_ALGOR *digest, *signature;

	CMS_SignerInfo_get0_algs(si, NULL, NULL, &digest, &signature);
	if (l->digest_nid != 0)
		X509_ALGOR_set0(digest, OBJ_nid2obj(l->digest_nid), V_ASN1_NULL,
		    NULL);
	if (l->signature_nid != 0)
		X509_ALGOR_set0(signature, OBJ_nid2obj(l->signature_nid),
		    V_ASN1_NULL, NULL);
}

static inline struct blob
letter_sign(const struct letter *l, struct span content)
{
	BIO *in = BIO_new_mem_buf(content.data, (int)content.len);
	unsigned flags = CMS_BINARY | CMS_PARTIAL | CMS_NOSMIMECAP;
	CMS_ContentInfo *cms;
	CMS_SignerInfo *si;

	if (l->stream_outer)
		flags |= CMS_STREAM;
	assert_non_null(cms = CMS_sign(NULL, NULL, NULL, NULL, flags));
	si = CMS_add1_signer(cms, l->signer, l->key, l->md,
	    flags | l->signer_flags);
	assert_non_null(si);
	letter_add_attributes(l, si);
	if (l->extra != NULL)
		assert_true(CMS_add1_cert(cms, l->extra));
	if (!l->stream_outer) {
		assert_true(CMS_final(cms, in, NULL, flags));
		letter_rename(l, si);
	}
	return device_finish(cms, in, l->stream_outer);
}

static inline struct blob
letter_write(const struct letter *l, struct span content)
{
	struct blob sealed = letter_seal(l, content);
	struct blob message = letter_sign(l, blob_span(&sealed));

	blob_free(&sealed);
	return message;
}

#endif
