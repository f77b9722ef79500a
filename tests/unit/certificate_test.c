/* What the CA makes, as OpenSSL sees it. */
#include "unit/chain.h"

#define DAY 86400LL

static struct authority ca;
static EVP_PKEY *key, *ec;

static const struct role {
	const char *row;
	enum ca_role role;
	const char *common_name;
	int years;
	uint32_t key_usage;
	const char *template_name; /* NULL: and no EKU */
} roles[] = {
	{ "the CA", CA_ISSUING, "mockndes TEST ONLY CA", 10,
	    KU_DIGITAL_SIGNATURE | KU_KEY_CERT_SIGN | KU_CRL_SIGN, NULL },
	{ "the signing RA", CA_RA_SIGNING, "NDESServer01-MSCEP-RA", 2,
	    KU_DIGITAL_SIGNATURE, "EnrollmentAgentOffline" },
	{ "the encryption RA", CA_RA_ENCRYPTION, "NDESServer01-MSCEP-RA", 2,
	    KU_KEY_ENCIPHERMENT, "CEPEncryption" },
};

/* Issuer, signature and validity at a moment; X.509's rules in earnest. */
static int
verify_at(X509 *cert, int64_t at)
{
	const struct path p = { cert, ca.credentials, NULL, NULL, at };

	return chain_verify(&p);
}

static void
role_is_valid(void **state)
{
	const struct role *t = *state;
	X509 *cert = ca.certs[t->role];
	int64_t end = DEVICE_NOW + t->years * 365 * DAY;

	assert_int_equal(X509_check_issued(ca.certs[CA_ISSUING], cert),
	    X509_V_OK);
	assert_int_equal(verify_at(cert, DEVICE_NOW - 601),
	    X509_V_ERR_CERT_NOT_YET_VALID);
	assert_int_equal(verify_at(cert, DEVICE_NOW - 600), X509_V_OK);
	assert_int_equal(verify_at(cert, DEVICE_NOW), X509_V_OK);
	assert_int_equal(verify_at(cert, end - DAY), X509_V_OK);
	assert_int_equal(verify_at(cert, end + 3 * DAY),
	    X509_V_ERR_CERT_HAS_EXPIRED);
}

static X509_EXTENSION *
find_extension(X509 *cert, const char *oid)
{
	ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
	int at = X509_get_ext_by_OBJ(cert, object, -1);

	if (at != -1)
		assert_int_equal(X509_get_ext_by_OBJ(cert, object, at), -1);
	ASN1_OBJECT_free(object);
	return at == -1 ? NULL : X509_get_ext(cert, at);
}

/* The only usage a certificate is for, or NULL. */
static void
check_extended_key_usage(X509 *cert, const char *oid)
{
	EXTENDED_KEY_USAGE *usage = X509_get_ext_d2i(cert, NID_ext_key_usage,
	    NULL, NULL);
	char text[80];

	if (oid == NULL) {
		assert_null(usage);
		return;
	}
	assert_int_equal(sk_ASN1_OBJECT_num(usage), 1);
	OBJ_obj2txt(text, sizeof(text), sk_ASN1_OBJECT_value(usage, 0), 1);
	assert_string_equal(text, oid);
	EXTENDED_KEY_USAGE_free(usage);
}

static void
check_template_name(X509 *cert, const char *name)
{
	X509_EXTENSION *ext = find_extension(cert, "1.3.6.1.4.1.311.20.2");
	const ASN1_OCTET_STRING *data;
	const uint8_t *at;
	ASN1_TYPE *value;
	uint8_t *utf8;

	if (name == NULL) {
		assert_null(ext);
		return;
	}
	assert_false(X509_EXTENSION_get_critical(ext));
	data = X509_EXTENSION_get_data(ext);
	at = data->data;
	assert_non_null(value = d2i_ASN1_TYPE(NULL, &at, data->length));
	assert_ptr_equal(at, data->data + data->length);
	assert_int_equal(ASN1_TYPE_get(value), V_ASN1_BMPSTRING);
	assert_int_equal(ASN1_STRING_to_UTF8(&utf8, value->value.asn1_string),
	    strlen(name));
	assert_string_equal((char *)utf8, name);
	OPENSSL_free(utf8);
	ASN1_TYPE_free(value);
}

static void
role_may(void **state)
{
	const struct role *t = *state;
	X509 *cert = ca.certs[t->role];
	X509_EXTENSION *usage = find_extension(cert, "2.5.29.15");
	X509_EXTENSION *basic = find_extension(cert, "2.5.29.19");

	assert_int_equal(X509_get_version(cert), X509_VERSION_3);
	assert_int_equal(X509_get_signature_nid(cert),
	    NID_sha256WithRSAEncryption);
	assert_int_equal(X509_get_key_usage(cert), t->key_usage);
	assert_true(X509_EXTENSION_get_critical(usage));
	if (t->role == CA_ISSUING)
		assert_true(X509_EXTENSION_get_critical(basic));
	else
		assert_null(basic);
	assert_int_equal(X509_check_ca(cert), t->role == CA_ISSUING);
	check_extended_key_usage(cert,
	    t->template_name == NULL ? NULL : "1.3.6.1.4.1.311.20.2.1");
	check_template_name(cert, t->template_name);
}

static void
role_is_called(void **state)
{
	const struct role *t = *state;
	X509_NAME *name = X509_get_subject_name(ca.certs[t->role]);
	char text[200];

	X509_NAME_oneline(name, text, sizeof(text));
	assert_non_null(strstr(text, "TEST ONLY"));
	assert_int_equal(X509_NAME_get_text_by_NID(name, NID_commonName, text,
			     sizeof(text)),
	    strlen(t->common_name));
	assert_string_equal(text, t->common_name);
	if (t->role == CA_ISSUING)
		return;
	assert_int_equal(X509_NAME_get_text_by_NID(name, NID_countryName, text,
			     sizeof(text)),
	    2);
	assert_string_equal(text, "US");
}

/* The identifiers of keys are SHA-1 over their bits, and chain. */
static void
check_key_ids(X509 *cert, bool with_authority)
{
	const ASN1_OCTET_STRING *own = X509_get0_subject_key_id(cert);
	const ASN1_OCTET_STRING *up = X509_get0_authority_key_id(cert);
	const ASN1_OCTET_STRING *root = X509_get0_subject_key_id(
	    ca.certs[CA_ISSUING]);
	uint8_t hash[EVP_MAX_MD_SIZE];
	unsigned len;

	assert_true(X509_pubkey_digest(cert, EVP_sha1(), hash, &len));
	assert_non_null(own);
	assert_octets(span_of(own->data, (size_t)own->length), hash, len);
	if (!with_authority) {
		assert_null(up);
		return;
	}
	assert_non_null(up);
	assert_int_equal(ASN1_OCTET_STRING_cmp(up, root), 0);
}

static void
role_key(void **state)
{
	const struct role *t = *state;
	X509 *cert = ca.certs[t->role];
	const struct x509 *read = &ca.credentials->certs[t->role];
	uint8_t *tbs = NULL;
	int len = i2d_re_X509_tbs(cert, &tbs);

	/* OpenSSL writes the same of it: it is DER. */
	assert_same_der(read->tbs, tbs, len);
	assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(cert),
			     ca.credentials->keys[t->role]),
	    1);
	check_key_ids(cert, t->role != CA_ISSUING);
}

static void
role_is_read(void **state)
{
	const struct role *t = *state;
	X509 *cert = ca.certs[t->role];
	const struct x509 *read = &ca.credentials->certs[t->role];
	const ASN1_INTEGER *serial = X509_get0_serialNumber(cert);
	uint8_t *part = NULL;
	int len = i2d_X509_NAME(X509_get_subject_name(cert), &part);

	assert_same_der(read->subject, part, len);
	part = NULL;
	len = i2d_X509_NAME(X509_get_issuer_name(cert), &part);
	assert_same_der(read->issuer, part, len);
	part = NULL;
	len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &part);
	assert_same_der(read->spki, part, len);
	assert_octets(read->serial, serial->data, (size_t)serial->length);
	assert_int_equal(ASN1_TIME_cmp_time_t(X509_get0_notBefore(cert),
			     read->not_before),
	    0);
	assert_int_equal(ASN1_TIME_cmp_time_t(X509_get0_notAfter(cert),
			     read->not_after),
	    0);
}

static void
thumbprints(void **state)
{
	uint8_t hash[EVP_MAX_MD_SIZE];
	char text[65], *to = text;
	unsigned len;

	(void)state;
	assert_true(X509_digest(ca.certs[CA_ISSUING], EVP_md5(), hash, &len));
	for (unsigned i = 0; i < len; i++)
		to += sprintf(to, "%s%02X", i > 0 && i % 4 == 0 ? " " : "",
		    hash[i]);
	assert_string_equal(ca.credentials->thumbprint, text);
	assert_true(
	    X509_digest(ca.certs[CA_ISSUING], EVP_sha256(), hash, &len));
	to = text;
	for (unsigned i = 0; i < len; i++)
		to += sprintf(to, "%02x", hash[i]);
	assert_string_equal(ca.credentials->ca_sha256, text);
}

static void
referenced(void **state)
{
	struct credentials *cred = NULL;
	struct error err = { 0 };

	(void)state;
	assert_int_equal(credentials_new(ca.keys, &CA_SHAPE_GIVEN, DEVICE_NOW,
			     &cred, &err),
	    0);
	assert_ptr_equal(credentials_ref(cred), cred);
	credentials_free(cred);
	assert_int_equal(cred->certs[CA_ISSUING].subject.data[0], 0x30);
	/* Others of the same keys have numbers of their own. */
	assert_false(span_equal(cred->certs[CA_RA_SIGNING].serial,
	    ca.credentials->certs[CA_RA_SIGNING].serial));
	credentials_free(cred);
	credentials_free(NULL);
}

static const struct issue {
	const char *row;
	bool ec;
	const char *alt_name; /* OpenSSL's words for it; NULL: none */
	bool others;	      /* asks for more than it gets */
	const char *name;     /* a whole Name in hex; NULL: an ordinary one */
	int64_t now;
} issues[] = {
	{ "a plain request", false, NULL, false, NULL, DEVICE_NOW },
	{ "with a name in the extension", false, "DNS:device-0001.example",
	    false, NULL, DEVICE_NOW },
	{ "with a critical extension", false,
	    "critical,DNS:a.example,email:b@example.org,URI:urn:x:1", false,
	    NULL, DEVICE_NOW },
	{ "asking for more than is given", false, "DNS:a.example", true, NULL,
	    DEVICE_NOW },
	{ "with an EC key", true, NULL, false, NULL, DEVICE_NOW },
	{ "with an empty subject", false, "critical,DNS:a.example", false,
	    "30 00", DEVICE_NOW },
	{ "with a BMPString in its subject", false, NULL, false,
	    "30 11 31 0f 30 0d 06 03 55 04 03 1e 06 00 61 00 e4 20 ac",
	    DEVICE_NOW },
	{ "with two attributes in one part of the subject", false, NULL, false,
	    "30 1c 31 1a 30 08 06 03 55 04 03 0c 01 61 "
	    "30 0e 06 03 55 04 05 13 07 31 32 33 34 35 36 37",
	    DEVICE_NOW },
	{ "whose year would end after the CA", false, NULL, false, NULL,
	    DEVICE_NOW + 3600 * DAY },
};

/* The content of the Extensions that a device asks for. */
static struct blob
asked_extensions(const struct issue *t)
{
	STACK_OF(X509_EXTENSION) *list = sk_X509_EXTENSION_new_null();
	uint8_t *der = NULL;
	const uint8_t *at;
	struct blob out;
	int len, tag, class;
	long size;

	if (t->others) {
		sk_X509_EXTENSION_push(list,
		    X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints,
			"critical,CA:TRUE"));
		sk_X509_EXTENSION_push(list,
		    X509V3_EXT_conf_nid(NULL, NULL, NID_key_usage,
			"keyCertSign"));
	}
	if (t->alt_name != NULL)
		sk_X509_EXTENSION_push(list,
		    X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name,
			t->alt_name));
	if (t->others)
		sk_X509_EXTENSION_push(list,
		    X509V3_EXT_conf_nid(NULL, NULL, NID_ext_key_usage,
			"serverAuth"));
	len = i2d_X509_EXTENSIONS(list, &der);
	at = der;
	ASN1_get_object(&at, &size, &tag, &class, len);
	out = exact_copy(at, (size_t)size);
	OPENSSL_free(der);
	sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
	return out;
}

static struct blob
asked_subject(const struct issue *t)
{
	X509_NAME *name = X509_NAME_new();
	uint8_t *der = NULL;
	int len;

	if (t->name != NULL) {
		X509_NAME_free(name);
		return hex_blob(t->name);
	}
	device_name(name, "device-0001");
	len = i2d_X509_NAME(name, &der);
	X509_NAME_free(name);
	return device_take(der, len);
}

static struct blob
issue(const struct issue *t, uint8_t serial[CA_SERIAL_SIZE])
{
	struct blob extensions = asked_extensions(t);
	struct blob subject = asked_subject(t), spki, out;
	struct error err = { 0 };
	uint8_t *der = NULL;
	int len = i2d_PUBKEY(t->ec ? ec : key, &der);

	spki = device_take(der, len);
	assert_int_equal(ca_serial(ca.crypto, 77, serial), 0);
	assert_int_equal(ca_issue(ca.credentials, blob_span(&subject),
			     blob_span(&spki), blob_span(&extensions),
			     span_of(serial, CA_SERIAL_SIZE), t->now, &out,
			     &err),
	    0);
	assert_string_equal(err.text, "");
	blob_free(&extensions);
	blob_free(&subject);
	blob_free(&spki);
	return out;
}

static void
issued_is_valid(void **state)
{
	const struct issue *t = *state;
	uint8_t serial[CA_SERIAL_SIZE];
	struct blob der = issue(t, serial);
	X509 *cert = authority_read(blob_span(&der));

	const ASN1_TIME *end = X509_get0_notAfter(ca.certs[CA_ISSUING]);

	assert_int_equal(verify_at(cert, t->now), X509_V_OK);
	assert_int_equal(X509_verify(cert,
			     X509_get0_pubkey(ca.certs[CA_ISSUING])),
	    1);
	assert_int_equal(ASN1_TIME_cmp_time_t(X509_get0_notBefore(cert),
			     t->now - 600),
	    0);
	if (ASN1_TIME_cmp_time_t(end, t->now + 365 * DAY) < 0)
		assert_int_equal(ASN1_TIME_compare(X509_get0_notAfter(cert),
				     end),
		    0);
	else
		assert_int_equal(ASN1_TIME_cmp_time_t(X509_get0_notAfter(cert),
				     t->now - 600 + 365 * DAY),
		    0);
	assert_int_equal(X509_check_purpose(cert, X509_PURPOSE_SSL_CLIENT, 0),
	    1);
	assert_int_equal(X509_check_purpose(cert, X509_PURPOSE_SSL_SERVER, 0),
	    0);
	assert_int_equal(X509_check_ca(cert), 0);
	X509_free(cert);
	blob_free(&der);
}

static void
nothing_after_its_end(void **state)
{
	uint8_t serial[CA_SERIAL_SIZE], *der = NULL;
	struct blob spki, out;
	struct error err = { 0 };
	int len = i2d_PUBKEY(key, &der);

	(void)state;
	spki = device_take(der, len);
	assert_int_equal(ca_serial(ca.crypto, 77, serial), 0);
	assert_int_equal(ca_issue(ca.credentials,
			     ca.credentials->certs[CA_ISSUING].subject,
			     blob_span(&spki), SPAN_EMPTY,
			     span_of(serial, CA_SERIAL_SIZE),
			     DEVICE_NOW + 3660 * DAY, &out, &err),
	    -1);
	assert_string_equal(err.text, "the certificate of the CA has expired");
	assert_null(out.data);
	blob_free(&spki);
}

static void
issued_is_as_asked(void **state)
{
	const struct issue *t = *state;
	uint8_t serial[CA_SERIAL_SIZE], *part = NULL;
	struct blob der = issue(t, serial), name = asked_subject(t);
	X509 *cert = authority_read(blob_span(&der));
	const ASN1_INTEGER *number = X509_get0_serialNumber(cert);
	struct x509 read;
	int len;

	/* Octet by octet, whatever OpenSSL would have made of it. */
	assert_int_equal(x509_read(blob_span(&der), &read), 0);
	assert_octets(read.subject, name.data, name.len);
	len = i2d_X509_NAME(X509_get_issuer_name(cert), &part);
	assert_same_der(ca.credentials->certs[CA_ISSUING].subject, part, len);
	assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(cert), t->ec ? ec : key),
	    1);
	assert_int_equal(ASN1_STRING_type(number), V_ASN1_INTEGER);
	assert_octets(span_of(number->data, (size_t)number->length), serial,
	    CA_SERIAL_SIZE);
	X509_free(cert);
	blob_free(&name);
	blob_free(&der);
}

static void
issued_extensions(void **state)
{
	const struct issue *t = *state;
	uint8_t serial[CA_SERIAL_SIZE], *part = NULL;
	struct blob der = issue(t, serial);
	X509 *cert = authority_read(blob_span(&der));
	X509_EXTENSION *wanted, *got = find_extension(cert, "2.5.29.17");
	int len;

	assert_int_equal(X509_get_ext_count(cert), t->alt_name ? 5 : 4);
	/* RFC 5480 3: keyEncipherment is not for EC keys. */
	assert_int_equal(X509_get_key_usage(cert),
	    KU_DIGITAL_SIGNATURE |
		(t->ec ? KU_KEY_AGREEMENT : KU_KEY_ENCIPHERMENT));
	assert_true(
	    X509_EXTENSION_get_critical(find_extension(cert, "2.5.29.15")));
	check_extended_key_usage(cert, "1.3.6.1.5.5.7.3.2");
	check_key_ids(cert, true);
	if (t->alt_name != NULL) {
		wanted = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name,
		    t->alt_name);
		len = i2d_X509_EXTENSION(wanted, &part);
		assert_non_null(memmem(der.data, der.len, part, (size_t)len));
		OPENSSL_free(part);
		X509_EXTENSION_free(wanted);
	} else {
		assert_null(got);
	}
	X509_free(cert);
	blob_free(&der);
}

static int
compare_serials(const void *a, const void *b)
{
	return memcmp(a, b, CA_SERIAL_SIZE);
}

static const struct numbering {
	const char *row;
	uint32_t first, step;
} numberings[] = {
	{ "as a site counts", CA_FIRST_REQUEST, 1 },
	{ "of many servers with one number", CA_FIRST_REQUEST, 0 },
	{ "at the end of the numbers", UINT32_MAX - 999, 1 },
};

/* Nineteen octets, positive, the number in it twice, no two alike. */
static void
serial_numbers(void **state)
{
	static uint8_t serials[1000][CA_SERIAL_SIZE];
	const struct numbering *t = *state;

	for (uint32_t i = 0; i < 1000; i++) {
		uint32_t number = t->first + i * t->step;
		uint8_t big_endian[4] = { (uint8_t)(number >> 24),
			(uint8_t)(number >> 16), (uint8_t)(number >> 8),
			(uint8_t)number };

		assert_int_equal(ca_serial(ca.crypto, number, serials[i]), 0);
		assert_in_range(serials[i][0], 0x01, 0x7f);
		assert_memory_equal(serials[i] + 1, big_endian, 4);
		assert_memory_equal(serials[i] + 13, "\0\0", 2);
		assert_memory_equal(serials[i] + 15, big_endian, 4);
	}
	qsort(serials, 1000, CA_SERIAL_SIZE, compare_serials);
	for (int i = 1; i < 1000; i++)
		assert_true(compare_serials(serials[i - 1], serials[i]) != 0);
}

static int
set_up(void **state)
{
	(void)state;
	ca = authority_open();
	key = device_key("device/device.key");
	ec = EVP_EC_gen("P-384");
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	EVP_PKEY_free(key);
	EVP_PKEY_free(ec);
	authority_close(&ca);
	return 0;
}

int
main(void)
{
	static const struct table tables[] = {
		ROWS(role_is_valid, roles),
		ROWS(role_may, roles),
		ROWS(role_is_called, roles),
		ROWS(role_key, roles),
		ROWS(role_is_read, roles),
		ONE(thumbprints, "the CA is shown by its hashes"),
		ONE(referenced, "credentials live until the last lets go"),
		ONE(nothing_after_its_end, "a CA that has expired issues none"),
		ROWS(issued_is_valid, issues),
		ROWS(issued_is_as_asked, issues),
		ROWS(issued_extensions, issues),
		ROWS(serial_numbers, numberings),
	};

	return ROWS_RUN(tables, set_up, tear_down);
}
