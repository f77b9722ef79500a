/* Keys wrapped with RSAES-OAEP, as OpenSSL writes it and as it never would. */
#include "unit/authority.h"

#include <openssl/rsa.h>

#include "scep/scep.h"

static struct authority ra;
static EVP_PKEY *key;
static X509 *cert;
static struct blob request;

static const struct {
	const char *name;
	const EVP_MD *(*md)(void);
} hashes[] = {
	{ "SHA-1", EVP_sha1 },
	{ "SHA-224", EVP_sha224 },
	{ "SHA-256", EVP_sha256 },
	{ "SHA-384", EVP_sha384 },
	{ "SHA-512", EVP_sha512 },
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct pair {
	char *row;
	size_t hash, mask;
} pairs[COUNT(hashes) * COUNT(hashes)];

static void
combine(void)
{
	for (size_t i = 0; i < COUNT(pairs); i++) {
		struct pair *p = &pairs[i];

		p->hash = i / COUNT(hashes);
		p->mask = i % COUNT(hashes);
		assert_int_not_equal(asprintf(&p->row, "%s, MGF1 with %s",
					 hashes[p->hash].name,
					 hashes[p->mask].name),
		    -1);
	}
}

static struct letter
plain_letter(void)
{
	return (struct letter){ .type = "19",
		.transaction = "9CB1CB998B7FCC0142297B492988AFB4",
		.text_type = V_ASN1_PRINTABLESTRING,
		.key = key,
		.signer = cert,
		.md = EVP_sha256(),
		.cipher = EVP_aes_128_cbc(),
		.recipients = { ra.certs[CA_RA_ENCRYPTION] } };
}

static enum scep_flaw
decode(const struct letter *l, struct scep_request **out, struct error *err)
{
	const struct scep_recipient us = { ra.crypto,
		ra.credentials->keys[CA_RA_ENCRYPTION],
		&ra.credentials->certs[CA_RA_ENCRYPTION], NULL };
	struct blob message = letter_write(l, blob_span(&request));
	enum scep_flaw flaw = scep_request_decode(out, blob_span(&message), &us,
	    err);

	blob_free(&message);
	return flaw;
}

/* The row whose turn it is: OpenSSL's callbacks know of none. */
static const struct pair *pair;

static void
wrap_pair(EVP_PKEY_CTX *ctx)
{
	assert_true(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING));
	assert_true(EVP_PKEY_CTX_set_rsa_oaep_md(ctx, hashes[pair->hash].md()));
	assert_true(EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, hashes[pair->mask].md()));
}

static void
unwraps(void **state)
{
	struct letter l = plain_letter();
	struct scep_request *r = NULL;
	struct error err = { 0 };

	pair = *state;
	l.wrap = wrap_pair;
	assert_int_equal(decode(&l, &r, &err), SCEP_SOUND);
	assert_string_equal(err.text, "");
	assert_int_equal(r->transport, TRANSPORT_OAEP);
	assert_octets(blob_span(&r->plain), request.data, request.len);
	scep_request_free(r);
}

#define SHA1_WITH_NULL "30 09 06 05 2b 0e 03 02 1a 05 00"
#define SHA1_ALONE "30 07 06 05 2b 0e 03 02 1a"
#define SHA256_WITH_NULL "30 0d 06 09 60 86 48 01 65 03 04 02 01 05 00"
#define MD5_WITH_NULL "30 0c 06 08 2a 86 48 86 f7 0d 02 05 05 00"
#define SHA3_ALONE "30 0b 06 09 60 86 48 01 65 03 04 02 08"
#define MGF1 "06 09 2a 86 48 86 f7 0d 01 01 08"
#define P_SPECIFIED "06 09 2a 86 48 86 f7 0d 01 01 09"

#define BROKEN "RFC 8017 A.2.1: the parameters of RSAES-OAEP are broken"
#define HASH "RFC 4055 2.1: unknown hash of RSAES-OAEP"
#define LABEL "RFC 4055 4.1: a label of RSAES-OAEP"
#define NO_DECRYPT "RFC 8894 3.1: the envelope does not decrypt"

/* What is said of a key that was wrapped with SHA-1 and MGF1 with SHA-1. */
static const struct said {
	const char *row;
	int nid;
	const char *parameters; /* NULL: none */
	enum scep_flaw flaw;
	const char *why;
} saids[] = {
	{ "no parameters", NID_rsaesOaep, NULL, SCEP_SOUND, "" },
	{ "NULL for parameters", NID_rsaesOaep, "05 00", SCEP_SOUND, "" },
	{ "all defaults left out", NID_rsaesOaep, "30 00", SCEP_SOUND, "" },
	{ "all defaults written", NID_rsaesOaep,
	    "30 38 a0 0b " SHA1_WITH_NULL " a1 18 30 16 " MGF1
	    " " SHA1_WITH_NULL " a2 0f 30 0d " P_SPECIFIED " 04 00",
	    SCEP_SOUND, "" },
	{ "hashes without parameters", NID_rsaesOaep,
	    "30 23 a0 09 " SHA1_ALONE " a1 16 30 14 " MGF1 " " SHA1_ALONE,
	    SCEP_SOUND, "" },
	{ "another hash than was used", NID_rsaesOaep,
	    "30 11 a0 0f " SHA256_WITH_NULL, SCEP_UNDECRYPTABLE, NO_DECRYPT },
	{ "PKCS#1", NID_rsaEncryption, "05 00", SCEP_UNDECRYPTABLE,
	    NO_DECRYPT },
	{ "MD5", NID_rsaesOaep, "30 10 a0 0e " MD5_WITH_NULL,
	    SCEP_UNKNOWN_ALGORITHM, HASH },
	{ "SHA3-256", NID_rsaesOaep, "30 0f a0 0d " SHA3_ALONE,
	    SCEP_UNKNOWN_ALGORITHM, HASH },
	{ "MGF1 with SHA3-256", NID_rsaesOaep,
	    "30 1c a1 1a 30 18 " MGF1 " " SHA3_ALONE, SCEP_UNKNOWN_ALGORITHM,
	    HASH },
	{ "another mask than MGF1", NID_rsaesOaep,
	    "30 1a a1 18 30 16 " P_SPECIFIED " " SHA1_WITH_NULL,
	    SCEP_UNKNOWN_ALGORITHM, BROKEN },
	{ "a label", NID_rsaesOaep,
	    "30 14 a2 12 30 10 " P_SPECIFIED " 04 03 61 62 63",
	    SCEP_UNKNOWN_ALGORITHM, LABEL },
	{ "a label of another kind", NID_rsaesOaep,
	    "30 11 a2 0f 30 0d " MGF1 " 04 00", SCEP_UNKNOWN_ALGORITHM,
	    BROKEN },
	{ "a label that is a text", NID_rsaesOaep,
	    "30 11 a2 0f 30 0d " P_SPECIFIED " 0c 00", SCEP_UNKNOWN_ALGORITHM,
	    BROKEN },
	{ "the hash last", NID_rsaesOaep,
	    "30 27 a1 18 30 16 " MGF1 " " SHA1_WITH_NULL
	    " a0 0b " SHA1_WITH_NULL,
	    SCEP_UNKNOWN_ALGORITHM, BROKEN },
	{ "a hash without its tag", NID_rsaesOaep, "30 0b " SHA1_WITH_NULL,
	    SCEP_UNKNOWN_ALGORITHM, BROKEN },
	{ "a hash that is none", NID_rsaesOaep, "30 04 a0 02 05 00",
	    SCEP_UNKNOWN_ALGORITHM, BROKEN },
	{ "a mask that is none", NID_rsaesOaep, "30 04 a1 02 30 00",
	    SCEP_UNKNOWN_ALGORITHM, BROKEN },
	{ "an INTEGER for parameters", NID_rsaesOaep, "02 01 05",
	    SCEP_UNKNOWN_ALGORITHM, BROKEN },
	{ "RSASSA-PSS", NID_rsassaPss, "30 00", SCEP_UNKNOWN_ALGORITHM,
	    "RFC 5652 6.2.1: unknown key encryption" },
};

static const struct said *said;

static void
wrap_plain(EVP_PKEY_CTX *ctx)
{
	assert_true(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING));
}

static void
say(X509_ALGOR *algorithm)
{
	struct blob der;
	ASN1_TYPE *parameters;
	const uint8_t *at;

	ASN1_TYPE_free(algorithm->parameter);
	ASN1_OBJECT_free(algorithm->algorithm);
	algorithm->algorithm = OBJ_nid2obj(said->nid);
	algorithm->parameter = NULL;
	if (said->parameters == NULL)
		return;
	der = hex_blob(said->parameters);
	at = der.data;
	parameters = d2i_ASN1_TYPE(NULL, &at, (long)der.len);
	assert_non_null(parameters);
	assert_ptr_equal(at, der.data + der.len);
	algorithm->parameter = parameters;
	blob_free(&der);
}

static void
takes(void **state)
{
	struct letter l = plain_letter();
	struct scep_request *r = NULL;
	struct error err = { 0 };
	enum scep_flaw flaw;

	said = *state;
	l.wrap = wrap_plain;
	l.misname = say;
	flaw = decode(&l, &r, &err);
	assert_string_equal(err.text, said->why);
	assert_int_equal(flaw, said->flaw);
	assert_int_equal(r->transport,
	    said->nid == NID_rsaesOaep ? TRANSPORT_OAEP : TRANSPORT_PKCS1);
	scep_request_free(r);
}

/* OpenSSL itself writes it, and reads it back. */
static void
wrap_label(EVP_PKEY_CTX *ctx)
{
	wrap_plain(ctx);
	assert_true(
	    EVP_PKEY_CTX_set0_rsa_oaep_label(ctx, OPENSSL_strdup("label"), 5));
}

static void
refuses_label(void **state)
{
	struct letter l = plain_letter();
	struct scep_request *r = NULL;
	struct error err = { 0 };

	(void)state;
	l.wrap = wrap_label;
	assert_int_equal(decode(&l, &r, &err), SCEP_UNKNOWN_ALGORITHM);
	assert_string_equal(err.text, LABEL);
	scep_request_free(r);
}

static int
set_up(void **state)
{
	(void)state;
	ra = authority_open();
	key = device_key("device/device.key");
	cert = device_cert(key, "device-0001");
	request = device_plain_request(key, "8CE317021F690069");
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	blob_free(&request);
	X509_free(cert);
	EVP_PKEY_free(key);
	authority_close(&ra);
	return 0;
}

int
main(void)
{
	static const struct table tables[] = {
		ROWS(unwraps, pairs),
		ROWS(takes, saids),
		ONE(refuses_label, "a label as OpenSSL writes it is refused"),
	};
	int ret;

	combine();
	ret = ROWS_RUN(tables, set_up, tear_down);
	for (size_t i = 0; i < COUNT(pairs); i++)
		free(pairs[i].row);
	return ret;
}
