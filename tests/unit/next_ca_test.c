/* The answer to GetNextCACert, opened by OpenSSL alone. */
#include "unit/authority.h"
#include "unit/reply.h"

#include "scep/scep.h"

static struct crypto *crypto;
static struct authority ca;

static const struct answer {
	const char *row;
	const char *curve; /* of the CA's key; NULL: RSA */
	enum digest digest;
	int digest_nid, signature_nid;
	size_t count; /* of certificates to come */
} answers[] = {
	{ "by an RSA CA", NULL, DIGEST_SHA256, NID_sha256, NID_rsaEncryption,
	    1 },
	{ "by an RSA CA with SHA-1", NULL, DIGEST_SHA1, NID_sha1,
	    NID_rsaEncryption, 1 },
	{ "a CA and its two RAs", NULL, DIGEST_SHA512, NID_sha512,
	    NID_rsaEncryption, 3 },
	{ "by a CA on P-256", "P-256", DIGEST_SHA256, NID_sha256,
	    NID_ecdsa_with_SHA256, 1 },
	{ "by a CA on P-384", "P-384", DIGEST_SHA384, NID_sha384,
	    NID_ecdsa_with_SHA384, 3 },
};

static void
check_signer(CMS_ContentInfo *cms, const struct answer *t)
{
	STACK_OF(CMS_SignerInfo) *list = CMS_get0_SignerInfos(cms);
	CMS_SignerInfo *si = sk_CMS_SignerInfo_value(list, 0);
	X509_ALGOR *digest, *signature;

	assert_int_equal(sk_CMS_SignerInfo_num(list), 1);
	CMS_SignerInfo_get0_algs(si, NULL, NULL, &digest, &signature);
	reply_check_algorithm(digest, t->digest_nid, V_ASN1_NULL);
	reply_check_algorithm(signature, t->signature_nid,
	    t->curve == NULL ? V_ASN1_NULL : V_ASN1_UNDEF);
	/* contentType and messageDigest, which CMS_verify() has read. */
	assert_int_equal(CMS_signed_get_attr_count(si), 2);
}

/* As a client does that is on OpenSSL's older interface: sscep. */
static void
check_older(struct span der, X509 *cert)
{
	const uint8_t *at = der.data;
	PKCS7 *p7 = d2i_PKCS7(NULL, &at, (long)der.len);
	STACK_OF(X509) *certs = sk_X509_new_null();
	X509_STORE *store = X509_STORE_new();
	BIO *out = BIO_new(BIO_s_mem());

	X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(store), DEVICE_NOW);
	sk_X509_push(certs, cert);
	X509_STORE_add_cert(store, cert);
	X509_VERIFY_PARAM_set_purpose(X509_STORE_get0_param(store),
	    X509_PURPOSE_ANY);
	assert_int_equal(PKCS7_verify(p7, certs, store, NULL, out,
			     PKCS7_BINARY),
	    1);
	BIO_free(out);
	X509_STORE_free(store);
	sk_X509_free(certs);
	PKCS7_free(p7);
}

static void
check_stranger(struct span der, X509 *stranger)
{
	CMS_ContentInfo *cms = reply_cms(der);
	STACK_OF(X509) *certs = sk_X509_new_null();

	sk_X509_push(certs, stranger);
	assert_int_not_equal(CMS_verify(cms, certs, NULL, NULL, NULL,
				 CMS_NO_SIGNER_CERT_VERIFY | CMS_BINARY),
	    1);
	sk_X509_free(certs);
	CMS_ContentInfo_free(cms);
}

static void
announces(void **state)
{
	const struct answer *t = *state;
	EVP_PKEY *key = t->curve == NULL ? device_key("device/device.key") :
					   EVP_EC_gen(t->curve);
	X509 *cert = device_cert(key, "CA that is to go");
	struct blob cert_der = device_cert_der(cert), out, inside;
	struct span next[CA_ROLES];
	struct error err = { 0 };
	CMS_ContentInfo *cms;
	struct x509 read;

	for (int role = 0; role < CA_ROLES; role++)
		next[role] = blob_span(&ca.credentials->der[role]);
	assert_int_equal(x509_read(blob_span(&cert_der), &read), 0);
	assert_int_equal(scep_next_ca_encode(&out, crypto, key, &read,
			     t->digest, next, t->count, &err),
	    0);
	inside = reply_verify(blob_span(&out), cert, false);
	reply_check_bag(blob_span(&inside), next, (int)t->count, SPAN_EMPTY);
	cms = reply_cms(blob_span(&out));
	check_signer(cms, t);
	check_older(blob_span(&out), cert);
	check_stranger(blob_span(&out), ca.certs[CA_ISSUING]);
	CMS_ContentInfo_free(cms);
	blob_free(&inside);
	blob_free(&out);
	blob_free(&cert_der);
	X509_free(cert);
	EVP_PKEY_free(key);
}

static void
key_cannot_sign(void **state)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = device_cert(key, "CA that is to go");
	struct blob der = device_cert_der(cert);
	struct span next = blob_span(&der);
	struct blob out = { (uint8_t *)"x", 1 };
	struct error err = { 0 };
	struct x509 read;

	(void)state;
	assert_int_equal(x509_read(next, &read), 0);
	/* There is no ECDSA with MD5. */
	assert_int_equal(scep_next_ca_encode(&out, crypto, key, &read,
			     DIGEST_MD5, &next, 1, &err),
	    -1);
	assert_string_equal(err.text, "cannot sign");
	assert_null(out.data);
	blob_free(&der);
	X509_free(cert);
	EVP_PKEY_free(key);
}

static int
set_up(void **state)
{
	(void)state;
	ca = authority_open();
	return crypto_new(&crypto, NULL);
}

static int
tear_down(void **state)
{
	(void)state;
	crypto_free(crypto);
	authority_close(&ca);
	return 0;
}

int
main(void)
{
	static const struct table tables[] = {
		ROWS(announces, answers),
		ONE(key_cannot_sign, "an EC key cannot sign with MD5"),
	};

	return ROWS_RUN(tables, set_up, tear_down);
}
