/* Requests for certificates written by hand (RFC 2986). */
#ifndef UNIT_FINDINGS_CSR_H
#define UNIT_FINDINGS_CSR_H

#include "unit/findings.h"
#include "unit/notation.h"

#include <openssl/rsa.h>

#define CHALLENGE(value) HAS(PKCS9("07"), value)
#define GOOD_CHALLENGE CHALLENGE("13{'8CE317021F690069'}")
#define EXTENSIONS(list) HAS(PKCS9("0e"), "30{" list "}")
#define ALT_NAME "30{" OID("55 1d 11") "04{30{82{'device-0001.example'}}}}"
#define GOOD_EXTENSIONS EXTENSIONS(ALT_NAME)
#define IS(type, value) "31{30{" OID(type) value "}}"
#define C "55 04 06"
#define CN "55 04 03"
#define FOUR "0123"
#define SIXTEEN FOUR FOUR FOUR FOUR
#define SIXTY_FOUR SIXTEEN SIXTEEN SIXTEEN SIXTEEN
#define TWO_HUNDRED_FIFTY_SIX SIXTY_FOUR SIXTY_FOUR SIXTY_FOUR SIXTY_FOUR
#define EMAIL "2a 86 48 86 f7 0d 01 09 01"
#define DC "09 92 26 89 93 f2 2c 64 01 19"

static EVP_PKEY *
short_key(void)
{
	return EVP_RSA_gen(1024);
}

static EVP_PKEY *
key_of_2047_bits(void)
{
	return EVP_RSA_gen(2047);
}

static EVP_PKEY *
key_with_exponent_3(void)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	EVP_PKEY *made = NULL;
	BIGNUM *e = BN_new();

	assert_true(BN_set_word(e, 3));
	assert_true(EVP_PKEY_keygen_init(ctx) > 0);
	assert_true(EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, 2048) > 0);
	assert_true(EVP_PKEY_CTX_set1_rsa_keygen_pubexp(ctx, e) > 0);
	assert_true(EVP_PKEY_generate(ctx, &made) > 0);
	BN_free(e);
	EVP_PKEY_CTX_free(ctx);
	return made;
}

static EVP_PKEY *
ec_key(void)
{
	return EVP_EC_gen("P-256");
}

static const struct csr {
	const char *row, *found;
	const char *attributes; /* NULL: the usual ones */
	const char *subject;	/* content of the Name; NULL: the usual */
	const char *version;
	const EVP_MD *(*md)(void);  /* NULL: SHA-256 */
	EVP_PKEY *(*key)(void);	    /* NULL: the device's */
	const char *before, *after; /* in the envelope, around it */
	bool bare;		    /* no attributes field */
	bool indefinite, spoilt;
	bool unreadable; /* to OpenSSL */
} csrs[] = {
	{ "a plain request by hand", .found = "" },
	{ "an indefinite length", "content-ber", .indefinite = true },
	{ "bytes after it", "content-trailing", .after = "0a" },
	{ "no request at all", "content-mismatch", .before = "30{30{30{}30{}}}",
	    .unreadable = true },
	{ "not even ASN.1", "content-mismatch", .before = "'please'",
	    .unreadable = true },
	{ "version 1", "csr-version", .version = "02{01}" },
	{ "signed with MD5", "csr-md5", .md = EVP_md5 },
	{ "signed with SHA-1", "csr-sha1", .md = EVP_sha1 },
	{ "signed with SHA-512", "", .md = EVP_sha512 },
	{ "a spoilt signature", "csr-signature", .spoilt = true },
	{ "a key of 1024 bits", "short-key", .key = short_key },
	{ "a key of 2047 bits", "short-key", .key = key_of_2047_bits },
	{ "an exponent of 3", "exponent", .key = key_with_exponent_3 },
	{ "an EC key", "ec-key", .key = ec_key },
	/* The subject; OpenSSL takes all of these. */
	{ "an empty subject", "subject-empty", .subject = "" },
	{ "a CN of 64 characters", "",
	    .subject = IS(CN, "13{'" SIXTY_FOUR "'}") },
	{ "a CN of 65 characters", "subject-long",
	    .subject = IS(CN, "13{'" SIXTY_FOUR "4'}") },
	{ "a CN of 64 characters in 128 bytes", "subject-old-string",
	    .subject = IS(CN, "1e{'" SIXTY_FOUR SIXTY_FOUR "'}") },
	{ "a CN of 64 characters in UTF-8", "",
	    .subject = IS(CN,
		"0c{'" SIXTEEN SIXTEEN SIXTEEN "012345678901234'"
		"c3 a9}") },
	{ "a country of three letters", "subject-long",
	    .subject = IS(C, "13{'NLD'}") IS(CN, "13{'a'}") },
	{ "an address of 256 characters", "subject-long",
	    .subject = IS(EMAIL, "16{'" TWO_HUNDRED_FIFTY_SIX "'}") },
	{ "a country as UTF8String", "subject-string",
	    .subject = IS(C, "0c{'NL'}") IS(CN, "13{'a'}") },
	{ "a CN as IA5String", "subject-string", .subject = IS(CN, "16{'a'}") },
	{ "an address as UTF8String", "subject-string",
	    .subject = IS(EMAIL, "0c{'a@b.example'}") },
	{ "an address and domains as IA5String", "",
	    .subject = IS(DC, "16{'example'}") IS(EMAIL, "16{'a@b.example'}") },
	{ "an attribute of one's own", "",
	    .subject = IS("2a 03 04", "16{'a_b'}") },
	{ "a CN as TeletexString", "subject-old-string",
	    .subject = IS(CN, "14{'a'}") },
	{ "a CN as BMPString", "subject-old-string",
	    .subject = IS(CN, "1e{00 'a'}") },
	{ "a CN as UniversalString", "subject-old-string",
	    .subject = IS(CN, "1c{00 00 00 'a'}") },
	{ "two CNs in one RDN", "subject-old-string",
	    .subject = "31{30{" OID(CN) "13{'a'}} 30{" OID(CN) "14{'b'}}}" },
	{ "a star in a PrintableString", "subject-characters",
	    .subject = IS(CN, "13{'*.device.example'}") },
	{ "all that a PrintableString holds", "",
	    .subject = IS(CN, "13{'AZaz09 ()+,-./:=?' 27}") },
	/* The attributes. */
	{ "no attributes field", "csr-no-attributes no-challenge no-alt-name",
	    .bare = true },
	{ "an empty attributes field", "no-challenge no-alt-name",
	    .attributes = "" },
	{ "attributes backwards",
	    "csr-attributes-unsorted challenge-after-extensions",
	    .attributes = GOOD_EXTENSIONS GOOD_CHALLENGE },
	{ "two challengePasswords", "csr-attribute-twice",
	    .attributes = GOOD_CHALLENGE GOOD_CHALLENGE GOOD_EXTENSIONS },
	{ "two extensionRequests", "csr-attribute-twice",
	    .attributes = GOOD_CHALLENGE GOOD_EXTENSIONS GOOD_EXTENSIONS },
	{ "a challengePassword without a value", "csr-attribute-values",
	    .attributes = CHALLENGE("") GOOD_EXTENSIONS },
	{ "two values of a challengePassword", "csr-attribute-values",
	    .attributes = CHALLENGE("13{'a'} 13{'b'}") GOOD_EXTENSIONS },
	{ "a friendlyName", "csr-other-attributes",
	    .attributes = HAS(PKCS9("14"), "1e{00 'a'}")
		GOOD_CHALLENGE GOOD_EXTENSIONS },
	{ "no challengePassword", "no-challenge",
	    .attributes = GOOD_EXTENSIONS },
	{ "an empty challengePassword", "challenge-empty",
	    .attributes = CHALLENGE("13{}") GOOD_EXTENSIONS },
	{ "challengePassword as UTF8String, for nothing", "challenge-string",
	    .attributes = CHALLENGE("0c{'8CE317021F690069'}") GOOD_EXTENSIONS },
	{ "challengePassword as UTF8String, for a reason", "",
	    .attributes = CHALLENGE("0c{'p@ssw"
				    "\xc3\xb6"
				    "rd'}") GOOD_EXTENSIONS },
	{ "challengePassword as BMPString", "challenge-string",
	    .attributes = CHALLENGE("1e{00 'a' 00 'b'}") GOOD_EXTENSIONS },
	{ "challengePassword as TeletexString", "challenge-string",
	    .attributes = CHALLENGE("14{'8CE317021F690069'}") GOOD_EXTENSIONS },
	{ "challengePassword as IA5String", "challenge-not-directory",
	    .attributes = CHALLENGE("16{'8CE317021F690069'}") GOOD_EXTENSIONS },
	{ "challengePassword as OCTET STRING", "challenge-not-directory",
	    .attributes = CHALLENGE("04{'8CE317021F690069'}") GOOD_EXTENSIONS },
	{ "a star in a challengePassword", "challenge-characters",
	    .attributes = CHALLENGE("13{'********'}") GOOD_EXTENSIONS },
	{ "challengePassword of 17 characters", "challenge-long",
	    .attributes = CHALLENGE("13{'" SIXTEEN "0'}") GOOD_EXTENSIONS },
	{ "challengePassword of 255 characters",
	    "challenge-long challenge-after-extensions",
	    .attributes = GOOD_EXTENSIONS CHALLENGE(
		"13{'" SIXTY_FOUR SIXTY_FOUR SIXTY_FOUR SIXTEEN SIXTEEN SIXTEEN
		"012345678901234'}") },
	{ "challengePassword of 256 characters",
	    "challenge-over-255 challenge-after-extensions",
	    .attributes = GOOD_EXTENSIONS CHALLENGE(
		"13{'" TWO_HUNDRED_FIFTY_SIX "'}") },
	{ "a challengePassword among the extensions",
	    "no-challenge challenge-in-extension",
	    .attributes = EXTENSIONS(
		ALT_NAME "30{" PKCS9("07") "04{13{'8CE317021F690069'}}}") },
	{ "a subjectAltName twice", "extension-twice",
	    .attributes = GOOD_CHALLENGE EXTENSIONS(ALT_NAME ALT_NAME) },
	{ "extensions without subjectAltName", "no-alt-name",
	    .attributes = GOOD_CHALLENGE EXTENSIONS(
		"30{" OID("55 1d 0f") "01{ff} 04{03{05 a0}}}"
				      "30{" OID("55 1d 25") "04{30{" OID(
					  "2b 06 01 05 05 07 03 02") "}}}") },
	{ "no extensions", "no-alt-name", .attributes = GOOD_CHALLENGE },
};

static inline struct blob
csrs_key(EVP_PKEY *key)
{
	uint8_t *der = NULL;
	int len = i2d_PUBKEY(key, &der);

	return device_take(der, len);
}

/* The Name of the subject, whole. */
static inline struct blob
csrs_subject(const struct csr *t)
{
	struct buffer b = { 0 };
	size_t name = der_begin(&b, DER_SEQUENCE);
	struct blob out;

	notation_add(&b,
	    t->subject == NULL ? IS(C, "13{'NL'}") IS(CN, "0c{'device-0001'}") :
				 t->subject);
	der_end(&b, name);
	out = exact_copy(b.data, b.len);
	buffer_free(&b);
	return out;
}

static inline struct buffer
csrs_info(const struct csr *t, EVP_PKEY *key)
{
	struct blob subject = csrs_subject(t), spki = csrs_key(key);
	struct buffer b = { 0 };
	size_t info = der_begin(&b, DER_SEQUENCE), attributes;

	notation_add(&b, t->version == NULL ? "02{00}" : t->version);
	buffer_add_span(&b, blob_span(&subject));
	buffer_add_span(&b, blob_span(&spki));
	if (!t->bare) {
		attributes = der_begin(&b, DER_CONTEXT_CONSTRUCTED(0));
		notation_add(&b,
		    t->attributes == NULL ? GOOD_CHALLENGE GOOD_EXTENSIONS :
					    t->attributes);
		der_end(&b, attributes);
	}
	der_end(&b, info);
	blob_free(&subject);
	blob_free(&spki);
	return b;
}

/* As OpenSSL names and makes it. */
static inline void
csrs_sign(struct buffer *b, const struct csr *t, struct span info,
    EVP_PKEY *key)
{
	const EVP_MD *md = t->md == NULL ? EVP_sha256() : t->md();
	bool rsa = EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	X509_ALGOR *algorithm = X509_ALGOR_new();
	uint8_t signature[512], *der = NULL;
	size_t size = sizeof(signature);
	int nid, len;

	assert_true(OBJ_find_sigid_by_algs(&nid, EVP_MD_get_type(md),
	    EVP_PKEY_get_base_id(key)));
	X509_ALGOR_set0(algorithm, OBJ_nid2obj(nid),
	    rsa ? V_ASN1_NULL : V_ASN1_UNDEF, NULL);
	len = i2d_X509_ALGOR(algorithm, &der);
	buffer_add(b, der, (size_t)len);
	assert_true(EVP_DigestSignInit(ctx, NULL, md, NULL, key));
	assert_true(EVP_DigestSign(ctx, signature, &size, info.data, info.len));
	signature[size - 1] ^= t->spoilt;
	der_add_bit_string(b, span_of(signature, size));
	OPENSSL_free(der);
	X509_ALGOR_free(algorithm);
	EVP_MD_CTX_free(ctx);
}

/* What stands in the envelope. */
static inline struct blob
csrs_write(const struct csr *t, EVP_PKEY *key)
{
	struct buffer info = csrs_info(t, key), b = { 0 }, out = { 0 };
	struct blob whole;

	buffer_add_span(&b, buffer_span(&info));
	csrs_sign(&b, t, buffer_span(&info), key);
	if (t->before != NULL)
		notation_add(&out, t->before);
	if (t->indefinite) {
		buffer_add(&out, "\x30\x80", 2);
		buffer_add_span(&out, buffer_span(&b));
		buffer_add(&out, "\0\0", 2);
	} else if (t->before == NULL) {
		der_add(&out, DER_SEQUENCE, buffer_span(&b));
	}
	if (t->after != NULL)
		notation_add(&out, t->after);
	whole = exact_copy(out.data, out.len);
	buffer_free(&info);
	buffer_free(&b);
	buffer_free(&out);
	return whole;
}

#endif
