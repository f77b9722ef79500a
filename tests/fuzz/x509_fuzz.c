/* Certificates and keys, held against what OpenSSL reads in them. */
#include "fuzz/fuzz.h"
#include "fuzz/mutate.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "base/der.h"

static struct crypto *crypto;

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	REQUIRE(crypto_new(&crypto, NULL) == 0);
	return 0;
}

size_t
LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
	return mutate_der_input(data, size, max, seed);
}

static void
compare_name(struct span ours, const X509_NAME *name)
{
	const uint8_t *theirs;
	size_t len;

	REQUIRE(X509_NAME_get0_der((X509_NAME *)(uintptr_t)name, &theirs,
		    &len) == 1);
	REQUIRE(span_equal(ours, span_of(theirs, len)));
}

static void
compare_time(int64_t ours, const ASN1_TIME *theirs)
{
	struct tm tm;

	/* A year of four digits below 1950 is none that RFC 5280 allows. */
	if (ASN1_TIME_to_tm(theirs, &tm) == 1)
		REQUIRE(ours == (int64_t)timegm(&tm));
}

/* OpenSSL would write them as they stand: both read the same. */
static bool
has_plain_extensions(struct span der, const X509 *cert)
{
	uint8_t *list = NULL;
	int len = i2d_X509_EXTENSIONS(X509_get0_extensions(cert), &list);
	bool plain = len > 0 &&
	    memmem(der.data, der.len, list, (size_t)len) != NULL;

	OPENSSL_free(list);
	return plain;
}

static void
compare(struct span der, const struct x509 *ours)
{
	const uint8_t *at = der.data;
	X509 *theirs = d2i_X509(NULL, &at, (long)der.len);
	const ASN1_OCTET_STRING *key_id;
	const ASN1_BIT_STRING *signature;

	if (theirs == NULL)
		return;
	X509_get0_signature(&signature, NULL, theirs);
	/* Before it stands how many bits are unused, which OpenSSL clears. */
	if (ours->signature.data[-1] == 0)
		REQUIRE(span_equal(ours->signature,
		    span_of(ASN1_STRING_get0_data(signature),
			(size_t)ASN1_STRING_length(signature))));
	REQUIRE((size_t)(at - der.data) == ours->whole.len);
	compare_name(ours->issuer, X509_get_issuer_name(theirs));
	compare_name(ours->subject, X509_get_subject_name(theirs));
	compare_time(ours->not_before, X509_get0_notBefore(theirs));
	compare_time(ours->not_after, X509_get0_notAfter(theirs));
	key_id = X509_get0_subject_key_id(theirs);
	if (key_id != NULL && has_plain_extensions(der, theirs))
		REQUIRE(span_equal(ours->key_id,
		    span_of(ASN1_STRING_get0_data(key_id),
			(size_t)ASN1_STRING_length(key_id))));
	X509_free(theirs);
}

static void
read_spki(struct span der)
{
	struct evp_pkey_st *key;
	struct error err = { 0 };
	const uint8_t *at = der.data;
	uint8_t key_id[20];
	struct blob again;
	EVP_PKEY *theirs;

	if (crypto_key_from_spki(crypto, der, &key, &err) == -1) {
		REQUIRE(key == NULL && err.text[0] != '\0');
		return;
	}
	REQUIRE(crypto_key_bits(key) >= 256);
	REQUIRE(x509_key_id(crypto, der, key_id) == 0);
	theirs = d2i_PUBKEY(NULL, &at, (long)der.len);
	REQUIRE(theirs == NULL || EVP_PKEY_eq(key, theirs) == 1);
	EVP_PKEY_free(theirs);
	REQUIRE(crypto_key_to_spki(key, &again, &err) == 0);
	at = again.data;
	theirs = d2i_PUBKEY(NULL, &at, (long)again.len);
	REQUIRE(theirs != NULL && EVP_PKEY_eq(key, theirs) == 1);
	EVP_PKEY_free(theirs);
	blob_free(&again);
	crypto_key_free(key);
}

static void
read_certificate(struct span in)
{
	struct x509 cert;
	struct blob pem, der, canonical;
	struct error err = { 0 };
	char text[64];

	if (x509_read(in, &cert) == -1)
		return;
	REQUIRE(strlen(x509_name_text(cert.subject, text, sizeof(text))) <
	    sizeof(text));
	if (der_from_ber(in, &canonical) == 0 &&
	    span_equal(blob_span(&canonical), cert.whole))
		compare(cert.whole, &cert);
	blob_free(&canonical);
	read_spki(cert.spki);
	REQUIRE(x509_to_pem(cert.whole, &pem) == 0);
	REQUIRE(x509_from_pem(blob_span(&pem), "fuzz", &der, &err) == 0);
	REQUIRE(span_equal(blob_span(&der), cert.whole));
	blob_free(&pem);
	blob_free(&der);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, size);
	struct error err = { 0 }, key_err = { 0 };
	struct evp_pkey_st *key;
	struct blob der;

	read_certificate(in);
	read_spki(in);
	if (x509_from_pem(in, "fuzz", &der, &err) == 0)
		read_certificate(blob_span(&der));
	blob_free(&der);
	/* Its decoders are OpenSSL's, and slow: only where there is hope. */
	if (memmem(data, size, "PRIVATE KEY", 11) != NULL &&
	    crypto_key_from_pem(crypto, in, "fuzz", &key, &key_err) == 0)
		crypto_key_free(key);
	ERR_clear_error();
	return 0;
}
