/*
 * Messages as OpenSSL writes them: encodings, algorithms, recipients; and the
 * parties of all these tests.
 */
#ifndef UNIT_FINDINGS_LETTERS_H
#define UNIT_FINDINGS_LETTERS_H

#include "unit/findings.h"
#include "unit/notation.h"

#include <openssl/rsa.h>

static struct authority ra;
static EVP_PKEY *key, *other, *curve;
static X509 *cert, *curve_cert, *others_ca;
static struct blob request;

/* Who signs. */
enum signer { ITSELF, ISSUED, ISSUED_ELSEWHERE };

struct letter_row {
	const char *row, *found;
	void (*write)(struct letter *); /* how OpenSSL writes it */
	void (*certify)(X509 *);	/* the signer's, before it is signed */
	void (*ask)(X509_REQ *);	/* the request, before it is */
	void (*pack)(struct buffer *);	/* what comes into the envelope, */
	void (*envelop)(struct blob *); /* the envelope, */
	void (*post)(struct blob *);	/* and the whole */
	const char *type;		/* NULL: PKCSReq */
	enum signer signer;
	bool other_key; /* of the signer than of the request */
	int64_t after;	/* seconds after DEVICE_NOW */
};

static void
by_md5(struct letter *l)
{
	l->md = EVP_md5();
}

static void
by_sha1(struct letter *l)
{
	l->md = EVP_sha1();
}

static void
by_sha512(struct letter *l)
{
	l->md = EVP_sha512();
}

static void
by_sha3(struct letter *l)
{
	l->md = EVP_sha3_256();
}

static void
in_des(struct letter *l)
{
	l->cipher = EVP_des_cbc();
}

static void
in_triple_des(struct letter *l)
{
	l->cipher = EVP_des_ede3_cbc();
}

static void
in_aes256(struct letter *l)
{
	l->cipher = EVP_aes_256_cbc();
}

static void
in_camellia(struct letter *l)
{
	l->cipher = EVP_camellia_128_cbc();
}

static void
outer_stream(struct letter *l)
{
	l->stream_outer = true;
}

static void
inner_stream(struct letter *l)
{
	l->stream_inner = true;
}

static void
signer_by_key_id(struct letter *l)
{
	l->signer_flags = CMS_USE_KEYID;
}

static void
without_certificate(struct letter *l)
{
	l->signer_flags = CMS_NOCERTS;
}

static void
with_chain(struct letter *l)
{
	l->extra = ra.certs[CA_ISSUING];
}

static void
with_curve(struct letter *l)
{
	l->key = curve;
	l->signer = curve_cert;
}

static void
with_curve_by_its_name(struct letter *l)
{
	with_curve(l);
	l->signature_nid = NID_X9_62_id_ecPublicKey;
}

static void
wrap_oaep(EVP_PKEY_CTX *ctx)
{
	assert_true(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING));
}

static void
by_oaep(struct letter *l)
{
	l->wrap = wrap_oaep;
}

static void
leave_out_parameters(X509_ALGOR *algorithm)
{
	X509_ALGOR_set0(algorithm, OBJ_nid2obj(NID_rsaEncryption), V_ASN1_UNDEF,
	    NULL);
}

static void
without_key_parameters(struct letter *l)
{
	l->misname = leave_out_parameters;
}

static void
to_all(struct letter *l)
{
	memcpy(l->recipients, ra.certs, sizeof(l->recipients));
}

static void
to_us_by_key_id(struct letter *l)
{
	l->recipient_flags = CMS_USE_KEYID;
}

static void
to_ca(struct letter *l)
{
	l->recipients[0] = ra.certs[CA_ISSUING];
}

static void
to_signing_ra(struct letter *l)
{
	l->recipients[0] = ra.certs[CA_RA_SIGNING];
}

static void
to_both_but_us(struct letter *l)
{
	to_ca(l);
	l->recipients[1] = ra.certs[CA_RA_SIGNING];
}

static void
to_itself(struct letter *l)
{
	l->recipients[0] = cert;
}

static void
to_itself_by_key_id(struct letter *l)
{
	to_itself(l);
	to_us_by_key_id(l);
}

static void
invite_curve(CMS_ContentInfo *cms)
{
	assert_non_null(CMS_add1_recipient_cert(cms, curve_cert, CMS_BINARY));
}

static void
to_curve_too(struct letter *l)
{
	l->invite = invite_curve;
}

static void
invite_password(CMS_ContentInfo *cms)
{
	assert_non_null(CMS_add0_recipient_password(cms, -1, NID_undef,
	    NID_id_alg_PWRI_KEK, (uint8_t *)OPENSSL_strdup("secret"), 6, NULL));
}

static void
to_password_alone(struct letter *l)
{
	l->invite = invite_password;
	l->recipients[0] = NULL;
}

/* The encryption RA's certificate with an issuer in other words. */
static X509 *misspelt;

static X509_NAME *
misspell(void)
{
	X509_free(misspelt);
	assert_non_null(misspelt = X509_dup(ra.certs[CA_RA_ENCRYPTION]));
	return (X509_NAME *)(uintptr_t)X509_get_issuer_name(misspelt);
}

static void
to_reordered(struct letter *l)
{
	X509_NAME *name = misspell();
	X509_NAME_ENTRY *first = X509_NAME_delete_entry(name, 0);

	assert_true(X509_NAME_entry_count(name) > 0);
	assert_true(X509_NAME_add_entry(name, first, -1, 0));
	X509_NAME_ENTRY_free(first);
	l->recipients[0] = misspelt;
}

static void
to_retyped(struct letter *l)
{
	X509_NAME *name = misspell();
	X509_NAME_ENTRY *entry = X509_NAME_delete_entry(name, 0);
	ASN1_STRING *text = X509_NAME_ENTRY_get_data(entry);

	text->type = text->type == V_ASN1_UTF8STRING ? V_ASN1_PRINTABLESTRING :
						       V_ASN1_UTF8STRING;
	assert_true(X509_NAME_add_entry(name, entry, 0, 0));
	X509_NAME_ENTRY_free(entry);
	l->recipients[0] = misspelt;
}

/* The same serial number by chance. */
static void
to_namesake(struct letter *l)
{
	X509_NAME *name = misspell();

	X509_NAME_ENTRY_free(X509_NAME_delete_entry(name, 0));
	l->recipients[0] = misspelt;
}
/* What becomes of the bytes afterwards. */

static void
append(struct blob *bytes)
{
	struct blob longer = { calloc(1, bytes->len + 2), bytes->len + 2 };

	memcpy(longer.data, bytes->data, bytes->len);
	blob_free(bytes);
	*bytes = longer;
}

/* Its first such octets become others. */
static void
patch(struct blob *bytes, const char *from, const char *to)
{
	struct blob old = notation_blob(from), new = notation_blob(to);
	uint8_t *at = memmem(bytes->data, bytes->len, old.data, old.len);

	assert_non_null(at);
	assert_int_equal(old.len, new.len);
	memcpy(at, new.data, new.len);
	blob_free(&old);
	blob_free(&new);
}

static void
envelope_version(struct blob *bytes)
{
	patch(bytes, "02{00} 31", "02{02} 31");
}

static void
recipient_version(struct blob *bytes)
{
	patch(bytes, "02{00} 30", "02{02} 30");
}

static void
inner_type(struct blob *bytes)
{
	patch(bytes, PKCS7("01"), PKCS7("02"));
}

static void
bare_request(struct blob *bytes)
{
	blob_free(bytes);
	*bytes = exact_copy(request.data, request.len);
}

static void
no_content(struct blob *bytes)
{
	blob_free(bytes);
	*bytes = exact_copy("", 0);
}

static const struct letter_row letters[] = {
	{ "a plain message", .found = "" },
	{ "indefinite lengths outside", "outer-ber", .write = outer_stream },
	{ "indefinite lengths inside", "inner-ber", .write = inner_stream },
	{ "bytes after the envelope", "inner-trailing", .envelop = append },
	{ "bytes after the message", "trailing", .post = append },
	{ "EnvelopedData of version 2", "version",
	    .envelop = envelope_version },
	{ "a recipient of version 2", "version", .envelop = recipient_version },
	{ "the signer by its key id", "signer-by-key-id",
	    .write = signer_by_key_id },
	{ "no certificate", "no-signer-certificate",
	    .write = without_certificate },
	{ "a chain", "extra-certificates", .write = with_chain },
	{ "MD5", "md5", .write = by_md5 },
	{ "SHA-1", "sha1", .write = by_sha1 },
	{ "SHA-512", "other-sha2", .write = by_sha512 },
	{ "SHA-3", "unknown-digest", .write = by_sha3 },
	{ "single DES", "single-des", .write = in_des },
	{ "triple DES", "triple-des", .write = in_triple_des },
	{ "AES-256", "other-aes", .write = in_aes256 },
	{ "Camellia", "unknown-cipher", .write = in_camellia },
	{ "RSAES-OAEP", "oaep", .write = by_oaep },
	{ "rsaEncryption of a content key, without NULL", "key-parameters",
	    .write = without_key_parameters },
	{ "an EC key", "ec-key signer-key", .write = with_curve },
	{ "an EC key by the name of id-ecPublicKey",
	    "signature-algorithm ec-key signer-key",
	    .write = with_curve_by_its_name },
	{ "no envelope", "no-envelope", .envelop = bare_request },
	{ "no content", "no-envelope", .envelop = no_content },
	{ "SignedData in the envelope, it says", "inner-not-data",
	    .envelop = inner_type },
	{ "to all of GetCACert", "several-recipients", .write = to_all },
	{ "to us by key id", "recipient-by-key-id", .write = to_us_by_key_id },
	{ "to an EC key too", "several-recipients recipient-kind",
	    .write = to_curve_too },
	{ "to a password alone", "recipient-kind recipient-unknown",
	    .write = to_password_alone },
	{ "to the CA", "recipient-ca", .write = to_ca },
	{ "to the signing RA", "recipient-signing-ra", .write = to_signing_ra },
	{ "to both of them",
	    "several-recipients recipient-ca recipient-signing-ra",
	    .write = to_both_but_us },
	{ "to itself", "recipient-unknown", .write = to_itself },
	{ "to itself by key id", "recipient-by-key-id recipient-unknown",
	    .write = to_itself_by_key_id },
	{ "to us, the issuer in another order", "recipient-form",
	    .write = to_reordered },
	{ "to us, the issuer in another string type", "recipient-form",
	    .write = to_retyped },
	{ "to another with our serial number", "recipient-unknown",
	    .write = to_namesake },
};

#endif
