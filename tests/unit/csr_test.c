/* PKCS#10 as OpenSSL writes it, and as clients write it all the same. */
#include "unit/device.h"

#include "scep/scep.h"

static EVP_PKEY *key, *other;
static struct crypto *crypto;

static struct blob
signed_request(X509_REQ *request, const EVP_MD *md)
{
	struct blob der;

	assert_true(X509_REQ_sign(request, key, md) > 0);
	der = device_request_der(request);
	X509_REQ_free(request);
	return der;
}

static const struct challenge {
	const char *row;
	int type;
	const char *octets;
	int len;
	const char *utf8; /* NULL: refused */
} challenges[] = {
	{ "PrintableString", V_ASN1_PRINTABLESTRING, "8CE317021F690069", 16,
	    "8CE317021F690069" },
	{ "UTF8String", V_ASN1_UTF8STRING, "p\xc3\xa4ss", 5, "p\xc3\xa4ss" },
	{ "IA5String", V_ASN1_IA5STRING, "a@b", 3, "a@b" },
	{ "T61String is Latin-1", V_ASN1_T61STRING, "p\xe4ss", 4,
	    "p\xc3\xa4ss" },
	{ "BMPString", V_ASN1_BMPSTRING, "\0p\0\xe4\x20\xac", 6,
	    "p\xc3\xa4\xe2\x82\xac" },
	{ "UniversalString", V_ASN1_UNIVERSALSTRING, "\0\0\0p\0\1\xf5\x11", 8,
	    "p\xf0\x9f\x94\x91" },
	{ "an empty PrintableString", V_ASN1_PRINTABLESTRING, "", 0, "" },
	{ "a NUL in a PrintableString", V_ASN1_PRINTABLESTRING, "ab\0cd", 5,
	    NULL },
	{ "a NUL in a BMPString", V_ASN1_BMPSTRING, "\0a\0\0\0b", 6, NULL },
	{ "an OCTET STRING", V_ASN1_OCTET_STRING, "secret", 6, NULL },
	{ "an INTEGER", V_ASN1_INTEGER, "\x17", 1, NULL },
};

static void
reads_challenge(void **state)
{
	const struct challenge *t = *state;
	X509_REQ *request = device_request(key, "device-0001");
	struct error err = { 0 };
	struct scep_csr csr;
	struct blob der;

	device_add_challenge(request, t->type, t->octets, t->len);
	der = signed_request(request, EVP_sha256());
	assert_int_equal(scep_csr_read(blob_span(&der), &csr, &err),
	    t->utf8 == NULL ? -1 : 0);
	if (t->utf8 == NULL) {
		assert_null(csr.challenge);
		assert_non_null(strstr(err.text, "RFC 2985 5.4.1"));
	} else {
		assert_string_equal(csr.challenge, t->utf8);
	}
	free(csr.challenge);
	blob_free(&der);
}

static const struct challenge odd_challenges[] = {
	{ "a UTF8String that is not UTF-8", V_ASN1_UTF8STRING, "p\xe4ss", 4,
	    NULL },
	{ "UTF-16 surrogates in a BMPString", V_ASN1_BMPSTRING,
	    "\xd8\x3d\xdd\x11", 4, NULL },
	{ "half of a surrogate pair", V_ASN1_BMPSTRING, "\xd8\x3d\0a", 4,
	    NULL },
	{ "a UniversalString beyond Unicode", V_ASN1_UNIVERSALSTRING,
	    "\0\x11\0\1", 4, NULL },
};

/* Refused or not, what is read is UTF-8, as the header promises. */
static void
odd_challenge_is_utf8(void **state)
{
	const struct challenge *t = *state;
	X509_REQ *request = device_request(key, "device-0001");
	struct error err = { 0 };
	struct scep_csr csr;
	struct blob der;
	unsigned long c;

	device_add_challenge(request, t->type, t->octets, t->len);
	der = signed_request(request, EVP_sha256());
	if (scep_csr_read(blob_span(&der), &csr, &err) == 0) {
		const uint8_t *at = (const uint8_t *)csr.challenge;
		int left = (int)strlen(csr.challenge), len;

		for (; left > 0; at += len, left -= len)
			assert_true((len = UTF8_getc(at, left, &c)) > 0);
	}
	free(csr.challenge);
	blob_free(&der);
}

/* The parts of a request are OpenSSL's, octet by octet. */
static void
check_parts(const struct scep_csr *csr, X509_REQ *request)
{
	uint8_t *part = NULL;
	int len = i2d_X509_NAME(X509_REQ_get_subject_name(request), &part);

	assert_same_der(csr->subject, part, len);
	part = NULL;
	len = i2d_X509_PUBKEY(X509_REQ_get_X509_PUBKEY(request), &part);
	assert_same_der(csr->spki, part, len);
}

static void
plain_request(void **state)
{
	X509_REQ *request = device_request(key, "no attributes");
	struct error err = { 0 };
	struct scep_csr csr;
	struct blob der;

	(void)state;
	assert_true(X509_REQ_sign(request, key, EVP_sha256()) > 0);
	der = device_request_der(request);
	assert_int_equal(scep_csr_read(blob_span(&der), &csr, &err), 0);
	check_parts(&csr, request);
	assert_null(csr.challenge);
	assert_int_equal(csr.extensions.len, 0);
	assert_string_equal(err.text, "");
	X509_REQ_free(request);
	blob_free(&der);
}

static STACK_OF(X509_EXTENSION) * wanted_extensions(void)
{
	static const struct {
		int nid;
		const char *value;
	} wanted[] = {
		{ NID_key_usage, "critical,digitalSignature" },
		{ NID_subject_alt_name,
		    "DNS:device-0001.example,"
		    "email:user@example.org" },
		{ NID_ext_key_usage, "clientAuth" },
	};
	STACK_OF(X509_EXTENSION) *list = sk_X509_EXTENSION_new_null();

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		assert_true(sk_X509_EXTENSION_push(list,
		    X509V3_EXT_conf_nid(NULL, NULL, wanted[i].nid,
			wanted[i].value)));
	return list;
}

static void
many_attributes(void **state)
{
	X509_REQ *request = device_request(key, "device-0001");
	STACK_OF(X509_EXTENSION) *list = wanted_extensions();
	struct error err = { 0 };
	struct scep_csr csr;
	struct span rest;
	uint8_t *part = NULL;
	struct blob der;
	int len;

	(void)state;
	assert_true(X509_REQ_add1_attr_by_NID(request, NID_friendlyName,
	    V_ASN1_BMPSTRING, (const uint8_t *)"\0m\0y", 4));
	assert_true(X509_REQ_add_extensions(request, list));
	device_add_challenge(request, V_ASN1_UTF8STRING, "secret", 6);
	assert_true(X509_REQ_add1_attr_by_txt(request, "1.3.6.1.4.1.311.13.2.3",
	    V_ASN1_IA5STRING, (const uint8_t *)"10.0.20348.2", 12));
	assert_true(X509_REQ_sign(request, key, EVP_sha256()) > 0);
	der = device_request_der(request);
	assert_int_equal(scep_csr_read(blob_span(&der), &csr, &err), 0);
	check_parts(&csr, request);
	assert_string_equal(csr.challenge, "secret");
	len = i2d_X509_EXTENSIONS(list, &part);
	rest = csr.extensions;
	assert_true(rest.len < (size_t)len && rest.len > (size_t)len - 4);
	assert_octets(rest, part + len - rest.len, rest.len);
	OPENSSL_free(part);
	sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
	free(csr.challenge);
	X509_REQ_free(request);
	blob_free(&der);
}

/* One element around what is there, by OpenSSL's writer of heads. */
static void
wrap(struct buffer *b, int tag, int class, bool constructed)
{
	uint8_t head[8], *at = head;

	ASN1_put_object(&at, constructed, (int)b->len, tag, class);
	assert_non_null(buffer_extend(b, (size_t)(at - head)));
	memmove(b->data + (at - head), b->data, b->len - (size_t)(at - head));
	memcpy(b->data, head, (size_t)(at - head));
}

/* A request around these attributes as they are, signed. */
static struct blob
sign_attributes(const char *hex, bool whole)
{
	X509_REQ *request = device_request(key, "device-0001");
	struct blob attributes = hex_blob(hex), out;
	struct buffer info = { 0 }, tail = { 0 };
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t *part = NULL, signature[512];
	size_t size = sizeof(signature);
	int len;

	buffer_add(&info, "\x02\x01\x00", 3);
	len = i2d_X509_NAME(X509_REQ_get_subject_name(request), &part);
	buffer_add(&info, part, (size_t)len);
	OPENSSL_free(part);
	part = NULL;
	len = i2d_X509_PUBKEY(X509_REQ_get_X509_PUBKEY(request), &part);
	buffer_add(&info, part, (size_t)len);
	OPENSSL_free(part);
	buffer_add(&tail, attributes.data, attributes.len);
	if (whole)
		wrap(&tail, 0, V_ASN1_CONTEXT_SPECIFIC, true);
	buffer_add_span(&info, buffer_span(&tail));
	wrap(&info, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL, true);
	assert_true(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key));
	assert_true(EVP_DigestSign(ctx, signature, &size, info.data, info.len));
	tail.len = 0;
	buffer_add_byte(&tail, 0);
	buffer_add(&tail, signature, size);
	wrap(&tail, V_ASN1_BIT_STRING, V_ASN1_UNIVERSAL, false);
	/* sha256WithRSAEncryption */
	buffer_add(&info,
	    "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x00", 15);
	buffer_add_span(&info, buffer_span(&tail));
	wrap(&info, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL, true);
	out = exact_copy(info.data, info.len);
	EVP_MD_CTX_free(ctx);
	buffer_free(&info);
	buffer_free(&tail);
	blob_free(&attributes);
	X509_REQ_free(request);
	return out;
}

#define CHALLENGE_OID "06 09 2a 86 48 86 f7 0d 01 09 07 "
#define CHALLENGE "30 11 " CHALLENGE_OID "31 04 13 02 68 69 "
#define FRIENDLY "30 11 06 09 2a 86 48 86 f7 0d 01 09 14 31 04 1e 02 00 6d "
#define EXTENSIONS "06 09 2a 86 48 86 f7 0d 01 09 0e "

static const struct attributes {
	const char *row, *hex;
	bool bare; /* `hex` is the whole [0] */
	const char *challenge, *error;
} attribute_rows[] = {
	{ "in the order of DER", CHALLENGE FRIENDLY, false, "hi", NULL },
	{ "not in the order of DER", FRIENDLY CHALLENGE, false, "hi", NULL },
	{ "an attribute twice that is not ours", FRIENDLY FRIENDLY CHALLENGE,
	    false, "hi", NULL },
	{ "an empty list", "", false, NULL, NULL },
	{ "no list at all", "", true, NULL, NULL },
	{ "a value of an attribute that is not ours",
	    "30 0f 06 09 2a 86 48 86 f7 0d 01 09 14 31 02 05 00 " CHALLENGE,
	    false, "hi", NULL },
	{ "two challengePasswords", CHALLENGE CHALLENGE, false, NULL,
	    "RFC 2985 5.4.1: two challengePasswords" },
	{ "a challengePassword without a value", "30 0d " CHALLENGE_OID "31 00",
	    false, NULL,
	    "RFC 2985 5.4.1: the challengePassword is not a DirectoryString" },
	{ "a BMPString of odd length",
	    "30 12 " CHALLENGE_OID "31 05 1e 03 00 70 00", false, NULL,
	    "RFC 2985 5.4.1: the challengePassword is not a DirectoryString" },
	{ "a UniversalString of six octets",
	    "30 15 " CHALLENGE_OID "31 08 1c 06 00 00 00 70 00 00", false, NULL,
	    "RFC 2985 5.4.1: the challengePassword is not a DirectoryString" },
	{ "Extensions that are a string", "30 0f " EXTENSIONS "31 02 04 00",
	    false, NULL,
	    "RFC 2985 5.4.2: the extensionRequest is not Extensions" },
	{ "an attribute without an OID", "30 04 31 02 05 00", false, NULL,
	    "RFC 2986 4.1: a broken attribute" },
	{ "an attribute without a SET",
	    "30 0b 06 09 2a 86 48 86 f7 0d 01 09 07", false, NULL,
	    "RFC 2986 4.1: a broken attribute" },
	{ "an attribute that is a string", "04 02 68 69", false, NULL,
	    "RFC 2986 4.1: the attributes are broken" },
	{ "an attribute longer than its list", "30 20 06 01", false, NULL,
	    "RFC 2986 4.1: the attributes are broken" },
	{ "a list longer than the request", "a0 20 30 00", true, NULL,
	    "RFC 2986 4.1: the attributes are broken" },
};

static void
reads_attributes(void **state)
{
	const struct attributes *t = *state;
	struct blob der = sign_attributes(t->hex, !t->bare);
	struct error err = { 0 };
	struct scep_csr csr;
	int ret = scep_csr_read(blob_span(&der), &csr, &err);

	assert_string_equal(err.text, t->error == NULL ? "" : t->error);
	assert_int_equal(ret, t->error == NULL ? 0 : -1);
	if (t->challenge == NULL)
		assert_null(csr.challenge);
	else
		assert_string_equal(csr.challenge, t->challenge);
	if (ret == 0)
		assert_int_equal(scep_csr_verify(crypto, blob_span(&der), key,
				     &err),
		    0);
	free(csr.challenge);
	blob_free(&der);
}

static const struct nonsense {
	const char *row, *hex;
} nonsenses[] = {
	{ "nothing", "" },
	{ "a string", "04 02 68 69" },
	{ "an empty sequence", "30 00" },
	{ "an empty info", "30 02 30 00" },
	{ "only a version", "30 05 30 03 02 01 00" },
	{ "no key", "30 07 30 05 02 01 00 30 00" },
	{ "a name that is a set", "30 09 30 07 02 01 00 31 00 30 00" },
	{ "a key that is a string", "30 09 30 07 02 01 00 30 00 04 00" },
};

static void
refuses_nonsense(void **state)
{
	const struct nonsense *t = *state;
	struct blob der = hex_blob(t->hex);
	struct error err = { 0 };
	struct scep_csr csr;

	assert_int_equal(scep_csr_read(blob_span(&der), &csr, &err), -1);
	assert_string_equal(err.text,
	    "RFC 2986 4.1: the content is not a CertificationRequest");
	blob_free(&der);
}

static const struct signing {
	const char *row;
	const EVP_MD *(*md)(void);
	const char *curve; /* NULL: RSA */
} signings[] = {
	{ "md5WithRSA", EVP_md5, NULL },
	{ "sha1WithRSA", EVP_sha1, NULL },
	{ "sha224WithRSA", EVP_sha224, NULL },
	{ "sha256WithRSA", EVP_sha256, NULL },
	{ "sha384WithRSA", EVP_sha384, NULL },
	{ "sha512WithRSA", EVP_sha512, NULL },
	{ "ecdsa-with-SHA1 on P-256", EVP_sha1, "P-256" },
	{ "ecdsa-with-SHA224 on P-256", EVP_sha224, "P-256" },
	{ "ecdsa-with-SHA256 on P-256", EVP_sha256, "P-256" },
	{ "ecdsa-with-SHA384 on P-384", EVP_sha384, "P-384" },
	{ "ecdsa-with-SHA512 on P-521", EVP_sha512, "P-521" },
};

static void
verifies(void **state)
{
	const struct signing *t = *state;
	EVP_PKEY *own = t->curve == NULL ? key : EVP_EC_gen(t->curve);
	X509_REQ *request = device_request(own, "device-0001");
	struct evp_pkey_st *read = NULL;
	struct error err = { 0 };
	struct scep_csr csr;
	struct blob der;

	assert_true(X509_REQ_sign(request, own, t->md()) > 0);
	der = device_request_der(request);
	assert_int_equal(scep_csr_read(blob_span(&der), &csr, &err), 0);
	assert_int_equal(crypto_key_from_spki(crypto, csr.spki, &read, &err),
	    0);
	assert_int_equal(scep_csr_verify(crypto, blob_span(&der), read, &err),
	    0);
	assert_string_equal(err.text, "");
	assert_int_equal(scep_csr_verify(crypto, blob_span(&der), other, &err),
	    -1);
	assert_string_equal(err.text,
	    "RFC 2986 4.2: the signature of the CSR does not verify with its "
	    "own key");
	crypto_key_free(read);
	if (own != key)
		EVP_PKEY_free(own);
	X509_REQ_free(request);
	blob_free(&der);
}

static void
unknown_signature(void **state)
{
	X509_REQ *request = device_request(key, "device-0001");
	struct error err = { 0 };
	struct blob der = signed_request(request, EVP_sha3_256());

	(void)state;
	assert_int_equal(scep_csr_verify(crypto, blob_span(&der), key, &err),
	    -1);
	assert_string_equal(err.text,
	    "RFC 2986 4.2: the CSR is signed with an unknown algorithm");
	blob_free(&der);
}

/* No single octet can be another, wherever it stands. */
static void
tampered(void **state)
{
	static const uint8_t flips[] = { 0x01, 0x80 };
	struct blob der = device_plain_request(key, "secret");
	size_t verified = 0;

	(void)state;
	for (size_t i = 0; i < 2 * der.len; i++) {
		struct error err = { 0 };
		struct scep_csr csr;

		der.data[i / 2] ^= flips[i % 2];
		if (scep_csr_read(blob_span(&der), &csr, &err) == 0 &&
		    scep_csr_verify(crypto, blob_span(&der), key, &err) == 0)
			verified++;
		else
			assert_string_not_equal(err.text, "");
		free(csr.challenge);
		der.data[i / 2] ^= flips[i % 2];
	}
	/* The parameters of the algorithm and the unused bits say nothing. */
	assert_in_range(verified, 0, 6);
	blob_free(&der);
}

static void
truncated(void **state)
{
	struct blob der = device_plain_request(key, "secret");

	(void)state;
	for (size_t len = 0; len < der.len; len++) {
		struct blob cut = exact_copy(der.data, len);
		struct error err = { 0 };
		struct scep_csr csr;

		assert_int_equal(scep_csr_read(blob_span(&cut), &csr, &err),
		    -1);
		assert_int_equal(scep_csr_verify(crypto, blob_span(&cut), key,
				     &err),
		    -1);
		blob_free(&cut);
	}
	blob_free(&der);
}

static int
set_up(void **state)
{
	struct error err = { 0 };

	(void)state;
	key = device_key("device/device.key");
	other = device_key("device/other.key");
	return crypto_new(&crypto, &err);
}

static int
tear_down(void **state)
{
	(void)state;
	crypto_free(crypto);
	EVP_PKEY_free(key);
	EVP_PKEY_free(other);
	return 0;
}

int
main(void)
{
	static const struct table tables[] = {
		ROWS(reads_challenge, challenges),
		ROWS(odd_challenge_is_utf8, odd_challenges),
		ONE(plain_request, "a request may have no attributes"),
		ONE(many_attributes, "other attributes stand beside ours"),
		ROWS(reads_attributes, attribute_rows),
		ROWS(refuses_nonsense, nonsenses),
		ROWS(verifies, signings),
		ONE(unknown_signature, "an unknown algorithm is said to be so"),
		ONE(tampered, "no octet of a request can be another"),
		ONE(truncated, "no beginning of a request is one"),
	};

	return ROWS_RUN(tables, set_up, tear_down);
}
