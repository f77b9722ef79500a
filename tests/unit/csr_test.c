/* PKCS#10 as OpenSSL writes it, and as clients write it all the same. */
#include "unit/authority.h"

#include "base/der.h"
#include "scep/scep.h"

static EVP_PKEY *key, *other;
static struct crypto *crypto;
static struct authority ca;

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

static void
add_name(struct buffer *b, const X509_NAME *name)
{
	uint8_t *part = NULL;
	int len = i2d_X509_NAME(name, &part);

	buffer_add(b, part, (size_t)len);
	OPENSSL_free(part);
}

static void
add_hex(struct buffer *b, const char *hex)
{
	struct blob octets = hex_blob(hex);

	buffer_add_span(b, blob_span(&octets));
	blob_free(&octets);
}

/*
 * A request around these attributes as they are, signed; the subject too is
 * as it is, or a common name if it is NULL.
 */
static struct blob
sign_parts(const char *subject, const char *hex, bool whole)
{
	X509_REQ *request = device_request(key, "device-0001");
	struct blob out;
	struct buffer info = { 0 }, tail = { 0 };
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t *part = NULL, signature[512];
	size_t size = sizeof(signature);
	int len;

	buffer_add(&info, "\x02\x01\x00", 3);
	if (subject == NULL)
		add_name(&info, X509_REQ_get_subject_name(request));
	else
		add_hex(&info, subject);
	len = i2d_X509_PUBKEY(X509_REQ_get_X509_PUBKEY(request), &part);
	buffer_add(&info, part, (size_t)len);
	OPENSSL_free(part);
	add_hex(&tail, hex);
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
	struct blob der = sign_parts(NULL, t->hex, !t->bare);
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

/* A part of a request, octet by octet. */
struct part {
	const char *row, *hex;
};

static const struct part broken_subjects[] = {
	{ "a subject with a NULL for a part", "30 02 05 00" },
	{ "an empty part", "30 02 31 00" },
	{ "an attribute without a value", "30 09 31 07 30 05 06 03 55 04 03" },
	{ "octets after the value",
	    "30 0e 31 0c 30 0a 06 03 55 04 03 0c 01 61 05 00" },
	{ "octets after the attribute",
	    "30 0e 31 0c 30 08 06 03 55 04 03 0c 01 61 05 00" },
	{ "octets after the parts",
	    "30 0e 31 0a 30 08 06 03 55 04 03 0c 01 61 05 00" },
	{ "a UTF8String that is not UTF-8",
	    "30 0c 31 0a 30 08 06 03 55 04 03 0c 01 e4" },
	{ "an overlong UTF8String",
	    "30 0d 31 0b 30 09 06 03 55 04 03 0c 02 c1 80" },
	{ "a surrogate in a UTF8String",
	    "30 0e 31 0c 30 0a 06 03 55 04 03 0c 03 ed a0 80" },
	{ "a BMPString of odd length",
	    "30 0e 31 0c 30 0a 06 03 55 04 03 1e 03 00 61 00" },
	{ "half of a surrogate pair",
	    "30 0f 31 0d 30 0b 06 03 55 04 03 1e 04 d8 3d 00 61" },
	{ "a UniversalString of six octets",
	    "30 11 31 0f 30 0d 06 03 55 04 03 1c 06 00 00 00 61 00 00" },
	{ "a UniversalString beyond Unicode",
	    "30 0f 31 0d 30 0b 06 03 55 04 03 1c 04 00 11 00 00" },
	{ "an object identifier with a needless octet",
	    "30 0b 31 09 30 07 06 02 80 01 0c 01 61" },
	{ "an object identifier that is cut",
	    "30 0a 31 08 30 06 06 01 80 0c 01 61" },
	{ "an object identifier cut later",
	    "30 0c 31 0a 30 08 06 03 55 04 83 0c 01 61" },
	{ "an empty object identifier", "30 09 31 07 30 05 06 00 0c 01 61" },
	{ "a string for an object identifier",
	    "30 0a 31 08 30 06 0c 01 61 0c 01 61" },
	{ "a value cut", "30 0c 31 0a 30 08 06 03 55 04 03 0c 05 61" },
};

static void
is_refused(struct blob der, const char *why)
{
	struct error err = { 0 };
	struct scep_csr csr;

	assert_int_equal(scep_csr_read(blob_span(&der), &csr, &err), -1);
	assert_string_equal(err.text, why);
	assert_null(csr.challenge);
	blob_free(&der);
}

static void
refuses_subject(void **state)
{
	const struct part *t = *state;

	is_refused(sign_parts(t->hex, CHALLENGE, true),
	    "RFC 5280 4.1.2.4: the subject of the CSR is broken");
}

/* An extensionRequest with this for the content of Extensions. */
static struct blob
sign_extensions(const char *hex)
{
	struct buffer b = { 0 }, text = { 0 };
	struct blob out;

	add_hex(&b, hex);
	wrap(&b, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL, true);
	wrap(&b, V_ASN1_SET, V_ASN1_UNIVERSAL, true);
	for (size_t i = 0; i < b.len; i++)
		buffer_printf(&text, "%02x ", b.data[i]);
	b.len = 0;
	add_hex(&b, EXTENSIONS);
	add_hex(&b, (char *)text.data);
	wrap(&b, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL, true);
	text.len = 0;
	buffer_add_text(&text, CHALLENGE);
	for (size_t i = 0; i < b.len; i++)
		buffer_printf(&text, "%02x ", b.data[i]);
	out = sign_parts(NULL, (char *)text.data, true);
	buffer_free(&text);
	buffer_free(&b);
	return out;
}

static const struct part broken_extensions[] = {
	{ "a subjectAltName that is a string",
	    "30 09 06 03 55 1d 11 04 02 04 00" },
	{ "a subjectAltName that is a set",
	    "30 0e 06 03 55 1d 11 04 07 31 05 82 03 61 2e 62" },
	{ "a subjectAltName of no octets", "30 07 06 03 55 1d 11 04 00" },
	{ "a subjectAltName without a name",
	    "30 09 06 03 55 1d 11 04 02 30 00" },
	{ "a name with a universal tag",
	    "30 0c 06 03 55 1d 11 04 05 30 03 0c 01 61" },
	{ "a name with a tag beyond [8]",
	    "30 0c 06 03 55 1d 11 04 05 30 03 89 01 61" },
	{ "a name that is cut", "30 0c 06 03 55 1d 11 04 05 30 03 82 05 61" },
	{ "octets after the names",
	    "30 10 06 03 55 1d 11 04 09 30 05 82 03 61 2e 62 05 00" },
	{ "octets after the value",
	    "30 10 06 03 55 1d 11 04 07 30 05 82 03 61 2e 62 05 00" },
	{ "octets after the value of an unknown extension",
	    "30 08 06 02 2a 03 04 00 05 00" },
	{ "a BOOLEAN of two octets",
	    "30 12 06 03 55 1d 11 01 02 ff ff 04 07 30 05 82 03 61 2e 62" },
	{ "a BOOLEAN of no octets",
	    "30 10 06 03 55 1d 11 01 00 04 07 30 05 82 03 61 2e 62" },
	{ "no value", "30 05 06 03 55 1d 11" },
	{ "a value that is a bit string", "30 08 06 03 55 1d 11 03 01 00" },
	{ "no object identifier", "30 09 04 07 30 05 82 03 61 2e 62" },
	{ "an object identifier that is cut", "30 05 06 01 80 04 00" },
	{ "an extension that is a NULL", "05 00" },
};

static void
refuses_extensions(void **state)
{
	const struct part *t = *state;

	is_refused(sign_extensions(t->hex),
	    "RFC 5280 4.2: the extensions asked for are broken");
}

/* OpenSSL reads, to its last octet, what is issued for a request. */
static void
is_issued(const struct scep_csr *csr)
{
	static const uint8_t serial[] = { 0x17 };
	struct error err = { 0 };
	struct blob cert;

	assert_int_equal(ca_issue(ca.credentials, csr->subject, csr->spki,
			     csr->extensions, span_of(serial, sizeof(serial)),
			     DEVICE_NOW, &cert, &err),
	    0);
	X509_free(authority_read(blob_span(&cert)));
	blob_free(&cert);
}

static void
may_be_issued(struct blob der, bool must_be_read)
{
	struct error err = { 0 };
	struct scep_csr csr;
	int ret = scep_csr_read(blob_span(&der), &csr, &err);

	if (must_be_read)
		assert_string_equal(err.text, "");
	if (ret == 0)
		is_issued(&csr);
	free(csr.challenge);
	blob_free(&der);
}

static const struct part sound_extensions[] = {
	{ "a subjectAltName",
	    "30 0e 06 03 55 1d 11 04 07 30 05 82 03 61 2e 62" },
	{ "a critical subjectAltName",
	    "30 11 06 03 55 1d 11 01 01 ff 04 07 30 05 82 03 61 2e 62" },
	{ "a subjectAltName that says it is not critical",
	    "30 11 06 03 55 1d 11 01 01 00 04 07 30 05 82 03 61 2e 62" },
	{ "every kind of name",
	    "30 31 06 03 55 1d 11 04 2a 30 28 a0 09 06 02 2a 03 a0 03 "
	    "0c 01 61 81 03 61 40 62 82 03 61 2e 62 a4 02 30 00 86 03 "
	    "75 3a 61 87 04 0a 00 00 01 88 02 2a 03" },
	{ "an unknown extension", "30 08 06 02 2a 03 04 02 04 00" },
	{ "an unknown critical extension beside it",
	    "30 0b 06 02 2a 03 01 01 ff 04 02 05 00 30 0e 06 03 55 1d "
	    "11 04 07 30 05 82 03 61 2e 62" },
	{ "no extension at all", "" },
};

static void
takes_extensions(void **state)
{
	const struct part *t = *state;

	may_be_issued(sign_extensions(t->hex), true);
}

static const struct part sound_subjects[] = {
	{ "an empty subject", "30 00" },
	{ "several parts",
	    "30 18 31 0a 30 08 06 03 55 04 0a 0c 01 61 31 0a 30 08 06 "
	    "03 55 04 03 0c 01 61" },
	{ "a part of several values",
	    "30 16 31 14 30 08 06 03 55 04 03 0c 01 61 30 08 06 03 55 "
	    "04 0a 0c 01 61" },
	{ "parts of several values not in the order of DER",
	    "30 22 31 14 30 08 06 03 55 04 0a 0c 01 61 30 08 06 03 55 "
	    "04 03 0c 01 61 31 0a 30 08 06 03 55 04 03 0c 01 61" },
	{ "an empty value", "30 0b 31 09 30 07 06 03 55 04 03 0c 00" },
	{ "a NUL in a UTF8String",
	    "30 0e 31 0c 30 0a 06 03 55 04 03 0c 03 61 00 62" },
	{ "four octets of UTF-8",
	    "30 0f 31 0d 30 0b 06 03 55 04 03 0c 04 f0 9f 94 91" },
	{ "a BMPString", "30 0f 31 0d 30 0b 06 03 55 04 03 1e 04 00 e4 20 ac" },
	{ "a UniversalString",
	    "30 0f 31 0d 30 0b 06 03 55 04 03 1c 04 00 01 f5 11" },
	{ "a T61String above ASCII",
	    "30 0d 31 0b 30 09 06 03 55 04 03 14 02 e4 61" },
	{ "a PrintableString with what may not be in it",
	    "30 0d 31 0b 30 09 06 03 55 04 03 13 02 40 2a" },
	{ "a PrintableString above ASCII",
	    "30 0d 31 0b 30 09 06 03 55 04 03 13 02 e4 61" },
	{ "an IA5String above ASCII",
	    "30 0d 31 0b 30 09 06 03 55 04 03 16 02 e4 61" },
	{ "a NumericString", "30 0c 31 0a 30 08 06 03 55 04 03 12 01 31" },
	{ "a BIT STRING", "30 0d 31 0b 30 09 06 03 55 04 03 03 02 00 80" },
	{ "a sequence", "30 0d 31 0b 30 09 06 03 55 04 03 30 02 05 00" },
	{ "an attribute nobody knows",
	    "30 0b 31 09 30 07 06 02 2a 03 0c 01 61" },
	{ "an object identifier beyond 64 bits",
	    "30 14 31 12 30 10 06 0b 2a ff ff ff ff ff ff ff ff ff 7f 0c 01 61" },
};

static void
takes_subject(void **state)
{
	const struct part *t = *state;

	may_be_issued(sign_parts(t->hex, CHALLENGE, true), true);
}

/* Refused or not, nobody gets a certificate that cannot be read. */
static const struct part odd_subjects[] = {
	{ "UTF-16 surrogates in a BMPString",
	    "30 0f 31 0d 30 0b 06 03 55 04 03 1e 04 d8 3d dd 11" },
	{ "an INTEGER", "30 0c 31 0a 30 08 06 03 55 04 03 02 01 05" },
	{ "a BOOLEAN", "30 0c 31 0a 30 08 06 03 55 04 03 01 01 ff" },
	{ "a NULL", "30 0b 31 09 30 07 06 03 55 04 03 05 00" },
	{ "an OCTET STRING", "30 0c 31 0a 30 08 06 03 55 04 03 04 01 61" },
	{ "a VisibleString", "30 0c 31 0a 30 08 06 03 55 04 03 1a 01 61" },
	{ "a GeneralString", "30 0c 31 0a 30 08 06 03 55 04 03 1b 01 61" },
	{ "a UTCTime",
	    "30 18 31 16 30 14 06 03 55 04 03 17 0d 32 32 30 36 31 35 "
	    "31 32 30 30 30 30 5a" },
	{ "a set", "30 0b 31 09 30 07 06 03 55 04 03 31 00" },
	{ "an OID", "30 0d 31 0b 30 09 06 03 55 04 03 06 02 2a 03" },
	{ "an ENUMERATED", "30 0c 31 0a 30 08 06 03 55 04 03 0a 01 05" },
	{ "a value of a context tag",
	    "30 0c 31 0a 30 08 06 03 55 04 03 80 01 61" },
	{ "an application tag", "30 0c 31 0a 30 08 06 03 55 04 03 41 01 61" },
	{ "an empty BIT STRING", "30 0b 31 09 30 07 06 03 55 04 03 03 00" },
	{ "a BIT STRING with nine unused bits",
	    "30 0d 31 0b 30 09 06 03 55 04 03 03 02 09 80" },
	{ "a constructed UTF8String",
	    "30 0e 31 0c 30 0a 06 03 55 04 03 2c 03 0c 01 61" },
	{ "a constructed string of nothing sound",
	    "30 0d 31 0b 30 09 06 03 55 04 03 2c 02 05 00" },
	{ "a primitive sequence", "30 0c 31 0a 30 08 06 03 55 04 03 10 01 61" },
	{ "U+FFFD", "30 0e 31 0c 30 0a 06 03 55 04 03 0c 03 ef bf bd" },
	{ "a tag of two octets",
	    "30 0d 31 0b 30 09 06 03 55 04 03 1f 81 01 61" },
	{ "a sequence of nonsense",
	    "30 0d 31 0b 30 09 06 03 55 04 03 30 02 ff ff" },
};

static void
odd_subject_is_readable(void **state)
{
	const struct part *t = *state;

	may_be_issued(sign_parts(t->hex, CHALLENGE, true), false);
}

static const struct odd_key {
	const char *row, *parameters, *after; /* the bits */
} odd_keys[] = {
	{ "as it should be", "05 00", "" },
	{ "without parameters", "", "" },
	{ "with other parameters", "04 01 61", "" },
	{ "octets after the parameters", "05 00 05 00", "" },
	{ "parameters that are cut", "05 05", "" },
	{ "parameters of one octet", "05", "" },
	{ "a NULL with content", "05 01 61", "" },
	{ "octets after the bits", "05 00", "05 00" },
	{ "nonsense after the bits", "05 00", "ff" },
};

/* A request as far as its key, of the empty subject. */
static struct blob
request_with(const struct odd_key *t)
{
	struct buffer b = { 0 }, algorithm = { 0 };
	const uint8_t *bits;
	struct blob out;
	int len;

	assert_true(X509_PUBKEY_get0_param(NULL, &bits, &len, NULL,
	    X509_get_X509_PUBKEY(ca.certs[CA_ISSUING])));
	buffer_add_byte(&b, 0);
	buffer_add(&b, bits, (size_t)len);
	wrap(&b, V_ASN1_BIT_STRING, V_ASN1_UNIVERSAL, false);
	add_hex(&algorithm, "06 09 2a 86 48 86 f7 0d 01 01 01");
	add_hex(&algorithm, t->parameters);
	wrap(&algorithm, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL, true);
	buffer_add_span(&algorithm, buffer_span(&b));
	add_hex(&algorithm, t->after);
	wrap(&algorithm, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL, true);
	b.len = 0;
	add_hex(&b, "02 01 00 30 00");
	buffer_add_span(&b, buffer_span(&algorithm));
	wrap(&b, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL, true);
	wrap(&b, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL, true);
	out = exact_copy(b.data, b.len);
	buffer_free(&b);
	buffer_free(&algorithm);
	return out;
}

static void
odd_key_is_readable(void **state)
{
	struct blob request = request_with(*state), der = { NULL, 0 };
	struct evp_pkey_st *read = NULL;
	struct error err = { 0 };
	struct scep_csr csr;

	/* As messages come; what is no BER at all ends there. */
	if (der_from_ber(blob_span(&request), &der) == 0 &&
	    scep_csr_read(blob_span(&der), &csr, &err) == 0 &&
	    crypto_key_from_spki(crypto, csr.spki, &read, &err) == 0)
		is_issued(&csr);
	crypto_key_free(read);
	blob_free(&request);
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
	(void)state;
	key = device_key("device/device.key");
	other = device_key("device/other.key");
	ca = authority_open();
	crypto = ca.crypto;
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	authority_close(&ca);
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
		ROWS(refuses_subject, broken_subjects),
		ROWS(refuses_extensions, broken_extensions),
		ROWS(takes_extensions, sound_extensions),
		ROWS(takes_subject, sound_subjects),
		ROWS(odd_subject_is_readable, odd_subjects),
		ROWS(odd_key_is_readable, odd_keys),
		ROWS(refuses_nonsense, nonsenses),
		ROWS(verifies, signings),
		ONE(unknown_signature, "an unknown algorithm is said to be so"),
		ONE(tampered, "no octet of a request can be another"),
		ONE(truncated, "no beginning of a request is one"),
	};

	return ROWS_RUN(tables, set_up, tear_down);
}
