/*
 * `do: certificate`: what is changed in a certificate, and that nothing else
 * is. OpenSSL reads both, the one that was meant and the one that was made.
 */
#include "unit/chain.h"
#include "unit/edits.h"
#include "unit/parts.h"

#define DAY 86400LL
#define SAN "DNS:device-0001.example"

static struct authority ca, ec_ca;
static struct credentials *stranger;
static EVP_PKEY *key;

/* The signature is the issuer's, whatever is in the certificate. */
static void
check_signed(X509 *made, const struct credentials *by)
{
	X509 *issuer = authority_read(blob_span(&by->der[CA_ISSUING]));
	const X509_ALGOR *outer, *inner = X509_get0_tbs_sigalg(made);

	X509_get0_signature(NULL, &outer, made);
	assert_int_equal(X509_ALGOR_cmp(outer, inner), 0);
	assert_int_equal(X509_verify(made, X509_get0_pubkey(issuer)), 1);
	X509_free(issuer);
}

static void
is_signed_with(X509 *cert, const char *name)
{
	assert_string_equal(OBJ_nid2sn(X509_get_signature_nid(cert)), name);
}

static void
has_no_extension(X509 *cert, const char *wanted)
{
	(void)wanted;
	assert_int_equal(X509_get_ext_count(cert), 0);
}

static void
has_version(X509 *cert, const char *wanted)
{
	assert_int_equal(X509_get_version(cert) + 1, atoi(wanted));
	assert_int_equal(X509_get_ext_count(cert), 0);
}

/* "-", or how many octets and a pattern of hex digits. */
static void
has_serial(X509 *cert, const char *wanted)
{
	BIGNUM *n = ASN1_INTEGER_to_BN(X509_get0_serialNumber(cert), NULL);
	char text[20];

	assert_non_null(n);
	snprintf(text, sizeof(text), "%s%d", BN_is_negative(n) ? "-" : "",
	    BN_num_bytes(n));
	assert_string_equal(text, wanted);
	BN_free(n);
}

static void
ends(X509 *cert, const char *wanted)
{
	assert_int_equal(ASN1_TIME_cmp_time_t(X509_get0_notAfter(cert),
			     DEVICE_NOW + atoll(wanted)),
	    0);
}

static void
begins(X509 *cert, const char *wanted)
{
	assert_int_equal(ASN1_TIME_cmp_time_t(X509_get0_notBefore(cert),
			     DEVICE_NOW + atoll(wanted)),
	    0);
}

static void
check_name(X509_NAME *name, const char *wanted)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long len;

	assert_true(X509_NAME_print_ex(bio, name, 0,
			XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_QUOTE) >= 0);
	len = BIO_get_mem_data(bio, &text);
	assert_int_equal(len, strlen(wanted));
	assert_memory_equal(text, wanted, len);
	BIO_free(bio);
}

static void
is_named(X509 *cert, const char *wanted)
{
	check_name(X509_get_subject_name(cert), wanted);
}

static void
is_issued_by(X509 *cert, const char *wanted)
{
	check_name(X509_get_issuer_name(cert), wanted);
}

/* The tag of the common name, which is as the device has it. */
static void
has_strings(X509 *cert, const char *wanted)
{
	X509_NAME *name = X509_get_subject_name(cert);
	int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
	ASN1_STRING *s = X509_NAME_ENTRY_get_data(
	    X509_NAME_get_entry(name, at));
	uint8_t *utf8;

	assert_int_equal(ASN1_STRING_type(s), atoi(wanted));
	assert_true(ASN1_STRING_to_UTF8(&utf8, s) > 0);
	assert_string_equal((char *)utf8, "device-0001");
	OPENSSL_free(utf8);
}

static void
has_usage(X509 *cert, const char *wanted)
{
	assert_int_equal(X509_get_key_usage(cert), strtoul(wanted, NULL, 0));
}

static void
has_purposes(X509 *cert, const char *wanted)
{
	EXTENDED_KEY_USAGE *usage = X509_get_ext_d2i(cert, NID_ext_key_usage,
	    NULL, NULL);
	char text[400] = "";

	for (int i = 0; i < sk_ASN1_OBJECT_num(usage); i++) {
		size_t len = strlen(text);

		if (i > 0)
			text[len++] = ',';
		OBJ_obj2txt(text + len, (int)(sizeof(text) - len),
		    sk_ASN1_OBJECT_value(usage, i), 1);
	}
	assert_string_equal(text, wanted);
	EXTENDED_KEY_USAGE_free(usage);
}

static void
has_alt_names(X509 *cert, const char *wanted)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name,
	    NULL, NULL);
	char text[200] = "";

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		GENERAL_NAME *n = sk_GENERAL_NAME_value(names, i);

		assert_int_equal(n->type, GEN_DNS);
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
		    "%s%.*s", i > 0 ? "," : "",
		    ASN1_STRING_length(n->d.dNSName),
		    ASN1_STRING_get0_data(n->d.dNSName));
	}
	assert_string_equal(text, wanted);
	GENERAL_NAMES_free(names);
}

static void
is_ca(X509 *cert, const char *wanted)
{
	assert_int_equal((X509_get_extension_flags(cert) & EXFLAG_CA) != 0,
	    atoi(wanted));
	assert_int_equal(X509_get_pathlen(cert), -1);
}

static void
has_key(X509 *cert, const char *wanted)
{
	assert_string_equal(OBJ_nid2sn(
				EVP_PKEY_get_base_id(X509_get0_pubkey(cert))),
	    wanted);
	assert_int_not_equal(EVP_PKEY_eq(X509_get0_pubkey(cert), key), 1);
}

#define RENAMED "O = mockndes TEST ONLY, CN = mockndes TEST ONLY Renamed CA"
#define STRANGER "O = mockndes TEST ONLY, CN = mockndes TEST ONLY Stranger CA"

static const struct row {
	const char *row, *edits;
	int changed;
	void (*check)(X509 *, const char *);
	const char *wanted;
	bool by_stranger;
} rows[] = {
	{ "another key", "certificate.key=other", PART_KEY | PART_KEY_ID,
	    has_key, "rsaEncryption", false },
	{ "another key, EC", "certificate.key=other-ec", PART_KEY | PART_KEY_ID,
	    has_key, "id-ecPublicKey", false },
	{ "another subject", "certificate.subject=C=DE, O=X, CN=other",
	    PART_SUBJECT, is_named, "C = DE, O = X, CN = other", false },
	{ "an escaped subject, and one part of two",
	    "certificate.subject=CN=a\\, b\\+c\\=+2.5.4.5=9,DC=x", PART_SUBJECT,
	    is_named, "serialNumber = 9 + CN = a\\, b\\+c=, DC = x", false },
	{ "no subject", "certificate.subject=", PART_SUBJECT, is_named, "",
	    false },
	{ "a subject in PrintableStrings",
	    "certificate.subject_strings=printable", PART_SUBJECT, has_strings,
	    "19", false },
	{ "a subject in IA5Strings", "certificate.subject_strings=ia5",
	    PART_SUBJECT, has_strings, "22", false },
	{ "a subject in T61Strings", "certificate.subject_strings=t61",
	    PART_SUBJECT, has_strings, "20", false },
	{ "a subject in BMPStrings", "certificate.subject_strings=bmp",
	    PART_SUBJECT, has_strings, "30", false },
	{ "a subject in UniversalStrings",
	    "certificate.subject_strings=universal", PART_SUBJECT, has_strings,
	    "28", false },
	{ "a subject in UTF8Strings", "certificate.subject_strings=utf8",
	    PART_SUBJECT, has_strings, "12", false },
	{ "a dropped SAN", "certificate.san=dropped", PART_SAN, has_alt_names,
	    "", false },
	{ "another SAN", "certificate.san_dns=a.example,b.example", PART_SAN,
	    has_alt_names, "a.example,b.example", false },
	{ "one wrong purpose",
	    "certificate.extended_key_usage=1.3.6.1.5.5.7.3.1", PART_PURPOSES,
	    has_purposes, "1.3.6.1.5.5.7.3.1", false },
	{ "several purposes",
	    "certificate.extended_key_usage=1.3.6.1.5.5.7.3.4,1.2.3.4.500",
	    PART_PURPOSES, has_purposes, "1.3.6.1.5.5.7.3.4,1.2.3.4.500",
	    false },
	{ "no purposes", "certificate.extended_key_usage=", PART_PURPOSES,
	    has_purposes, "", false },
	{ "no keyUsage", "certificate.key_usage=none", PART_KEY_USAGE,
	    has_usage, "0xffffffff", false },
	{ "digitalSignature", "certificate.key_usage=digitalSignature",
	    PART_KEY_USAGE, has_usage, "0x80", false },
	{ "nonRepudiation", "certificate.key_usage=nonRepudiation",
	    PART_KEY_USAGE, has_usage, "0x40", false },
	{ "keyEncipherment", "certificate.key_usage=keyEncipherment",
	    PART_KEY_USAGE, has_usage, "0x20", false },
	{ "dataEncipherment", "certificate.key_usage=dataEncipherment",
	    PART_KEY_USAGE, has_usage, "0x10", false },
	{ "keyAgreement", "certificate.key_usage=keyAgreement", PART_KEY_USAGE,
	    has_usage, "0x08", false },
	{ "keyCertSign", "certificate.key_usage=keyCertSign", PART_KEY_USAGE,
	    has_usage, "0x04", false },
	{ "cRLSign", "certificate.key_usage=cRLSign", PART_KEY_USAGE, has_usage,
	    "0x02", false },
	{ "encipherOnly", "certificate.key_usage=encipherOnly", PART_KEY_USAGE,
	    has_usage, "0x01", false },
	{ "several usages", "certificate.key_usage=keyCertSign,cRLSign",
	    PART_KEY_USAGE, has_usage, "0x06", false },
	{ "expired", "certificate.not_after=-1", PART_END, ends, "-1", false },
	{ "ends before it begins", "certificate.not_after=-86400", PART_END,
	    ends, "-86400", false },
	{ "ends in another century", "certificate.not_after=1577880000",
	    PART_END, ends, "1577880000", false },
	{ "not yet valid", "certificate.not_before=86400", PART_BEGIN, begins,
	    "86400", false },
	{ "begun before 1950", "certificate.not_before=-2400000000", PART_BEGIN,
	    begins, "-2400000000", false },
	{ "version 1", "certificate.version=1", PART_VERSION | PART_EXTENSIONS,
	    has_version, "1", false },
	{ "version 2", "certificate.version=2", PART_VERSION | PART_EXTENSIONS,
	    has_version, "2", false },
	{ "version 3, as it is", "certificate.version=3", 0, NULL, NULL,
	    false },
	{ "MD5", "certificate.signature=md5", PART_ALGORITHM, is_signed_with,
	    "RSA-MD5", false },
	{ "SHA-1", "certificate.signature=sha1", PART_ALGORITHM, is_signed_with,
	    "RSA-SHA1", false },
	{ "SHA-384", "certificate.signature=sha384", PART_ALGORITHM,
	    is_signed_with, "RSA-SHA384", false },
	{ "SHA-512", "certificate.signature=sha512", PART_ALGORITHM,
	    is_signed_with, "RSA-SHA512", false },
	{ "RSASSA-PSS", "certificate.signature=pss", PART_ALGORITHM,
	    is_signed_with, "RSASSA-PSS", false },
	{ "a strange issuer", "certificate.issuer=stranger",
	    PART_ISSUER | PART_AUTHORITY, is_issued_by, STRANGER, true },
	{ "another name for the issuer", "certificate.issuer=renamed",
	    PART_ISSUER, is_issued_by, RENAMED, false },
	{ "a number like others", "certificate.serial=duplicate", PART_SERIAL,
	    has_serial, "19", false },
	{ "a negative number", "certificate.serial=negative", PART_SERIAL,
	    has_serial, "-19", false },
	{ "a huge number", "certificate.serial=huge", PART_SERIAL, has_serial,
	    "40", false },
	{ "the number zero", "certificate.serial=zero", PART_SERIAL, has_serial,
	    "0", false },
	{ "a CA", "certificate.ca=true", PART_BASIC, is_ca, "1", false },
	{ "no CA, as it is", "certificate.ca=false", 0, is_ca, "0", false },
	{ "version 1 has no SAN either",
	    "certificate.version=1; certificate.san_dns=a.example",
	    PART_VERSION | PART_EXTENSIONS, has_no_extension, NULL, false },
	{ "a stranger signs with PSS",
	    "certificate.issuer=stranger; certificate.signature=pss",
	    PART_ISSUER | PART_AUTHORITY | PART_ALGORITHM, is_signed_with,
	    "RSASSA-PSS", true },
	{ "time and number at once",
	    "certificate.not_before=-200000; certificate.not_after=-100000; "
	    "certificate.serial=zero",
	    PART_BEGIN | PART_END | PART_SERIAL, ends, "-100000", false },
};

/* All of it, which no row may say by itself. */
struct issuing {
	struct exchange ex;
	struct blob subject, spki, extensions;
	uint8_t serial[CA_SERIAL_SIZE];
	struct issue_plan plan;
};

static struct blob
subject_der(int tag)
{
	X509_NAME *name = X509_NAME_new();
	uint8_t *der = NULL;
	int len;

	assert_true(X509_NAME_add_entry_by_txt(name, "CN", tag,
	    (const uint8_t *)"device-0001", -1, -1, 0));
	len = i2d_X509_NAME(name, &der);
	X509_NAME_free(name);
	return device_take(der, len);
}

static void
issuing_begin(struct issuing *i, const struct credentials *cred, int tag,
    uint32_t number)
{
	X509_EXTENSION *san = X509V3_EXT_conf_nid(NULL, NULL,
	    NID_subject_alt_name, SAN);
	struct error err = { 0 };
	uint8_t *der = NULL;
	int len = i2d_PUBKEY(key, &der);

	memset(i, 0, sizeof(*i));
	exchange_init(&i->ex);
	i->ex.at = DEVICE_NOW;
	i->spki = device_take(der, len);
	der = NULL;
	len = i2d_X509_EXTENSION(san, &der);
	i->extensions = device_take(der, len);
	X509_EXTENSION_free(san);
	i->subject = subject_der(tag);
	assert_int_equal(ca_serial(cred->crypto, number, i->serial), 0);
	if (ca_plan_issue(cred, blob_span(&i->subject), blob_span(&i->spki),
		blob_span(&i->extensions), span_of(i->serial, CA_SERIAL_SIZE),
		DEVICE_NOW, &i->plan, &err) == -1)
		fail_msg("%s", err.text);
}

static X509 *
issuing_build(struct issuing *i, const struct credentials *cred)
{
	struct error err = { 0 };
	struct blob der;
	X509 *cert;

	if (certificate_build(cred->crypto, &i->plan.certificate,
		i->plan.signer, &der, &err) == -1)
		fail_msg("%s", err.text);
	cert = authority_read(blob_span(&der));
	blob_free(&der);
	return cert;
}

static void
issuing_end(struct issuing *i)
{
	exchange_clear(&i->ex);
	blob_free(&i->subject);
	blob_free(&i->spki);
	blob_free(&i->extensions);
}

static void
is_changed(void **state)
{
	const struct row *t = *state;
	struct faults f = edits_make(t->edits);
	/* So that a UTF8String is a change as well. */
	int tag = t->wanted != NULL && strcmp(t->wanted, "12") == 0 ?
	    V_ASN1_PRINTABLESTRING :
	    V_ASN1_UTF8STRING;
	struct error err = { 0 };
	struct issuing i;
	X509 *meant, *made;

	issuing_begin(&i, ca.credentials, tag, 77);
	meant = issuing_build(&i, ca.credentials);
	if (edits_apply(&f, &i.ex, ca.credentials, FAULT_CERTIFICATE, &i.plan,
		&err) == -1)
		fail_msg("%s", err.text);
	made = issuing_build(&i, ca.credentials);
	parts_must_differ(meant, made, t->changed);
	check_signed(made, t->by_stranger ? stranger : ca.credentials);
	if (t->check != NULL)
		t->check(made, t->wanted);
	X509_free(meant);
	X509_free(made);
	issuing_end(&i);
	faults_clear(&f);
}

/* Without a fault the plan makes what it always made. */
static void
is_honest(void **state)
{
	struct issuing i;
	X509 *cert;
	struct path p = { NULL, ca.credentials, NULL, NULL, DEVICE_NOW };

	(void)state;
	issuing_begin(&i, ca.credentials, V_ASN1_UTF8STRING, 77);
	p.cert = cert = issuing_build(&i, ca.credentials);
	assert_int_equal(chain_verify(&p), X509_V_OK);
	has_purposes(cert, "1.3.6.1.5.5.7.3.2");
	has_alt_names(cert, "device-0001.example");
	has_usage(cert, "0xa0");
	X509_free(cert);
	issuing_end(&i);
}

static const struct verified {
	const char *row, *edits;
	int error; /* of OpenSSL */
} verifieds[] = {
	{ "expired", "certificate.not_after=-1", X509_V_ERR_CERT_HAS_EXPIRED },
	{ "not yet valid", "certificate.not_before=1",
	    X509_V_ERR_CERT_NOT_YET_VALID },
	{ "of another name", "certificate.issuer=renamed",
	    X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY },
	{ "of a stranger", "certificate.issuer=stranger",
	    X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY },
	{ "with another key", "certificate.key=other", X509_V_OK },
	{ "with another number", "certificate.serial=duplicate", X509_V_OK },
	{ "signed with PSS", "certificate.signature=pss", X509_V_OK },
};

/* What a client makes of it that has the CA. */
static void
is_verified(void **state)
{
	const struct verified *t = *state;
	struct faults f = edits_make(t->edits);
	struct error err = { 0 };
	struct path p = { NULL, ca.credentials, NULL, NULL, DEVICE_NOW };
	struct issuing i;

	issuing_begin(&i, ca.credentials, V_ASN1_UTF8STRING, 77);
	assert_int_equal(edits_apply(&f, &i.ex, ca.credentials,
			     FAULT_CERTIFICATE, &i.plan, &err),
	    0);
	p.cert = issuing_build(&i, ca.credentials);
	assert_int_equal(chain_verify(&p), t->error);
	X509_free(p.cert);
	issuing_end(&i);
	faults_clear(&f);
}

static X509 *
issue_with(const struct credentials *cred, const char *edits, uint32_t number)
{
	struct faults f = edits_make(edits);
	struct error err = { 0 };
	struct issuing i;
	X509 *cert;

	issuing_begin(&i, cred, V_ASN1_UTF8STRING, number);
	if (edits_apply_count(&f, &i.ex, cred, FAULT_CERTIFICATE, number,
		&i.plan, &err) == -1)
		fail_msg("%s", err.text);
	cert = issuing_build(&i, cred);
	issuing_end(&i);
	faults_clear(&f);
	return cert;
}

static const struct numbered {
	const char *row, *edits;
	bool same;
} numbereds[] = {
	{ "duplicate", "certificate.serial=duplicate", true },
	{ "zero", "certificate.serial=zero", true },
	{ "negative", "certificate.serial=negative", false },
	{ "huge", "certificate.serial=huge", false },
};

static void
is_numbered(void **state)
{
	const struct numbered *t = *state;
	X509 *a = issue_with(ca.credentials, t->edits, 77);
	X509 *b = issue_with(ca.credentials, t->edits, 78);

	assert_int_equal(ASN1_INTEGER_cmp(X509_get0_serialNumber(a),
			     X509_get0_serialNumber(b)) == 0,
	    t->same);
	X509_free(a);
	X509_free(b);
}

/* Another CA has another number for all. */
static void
duplicates_are_a_cas_own(void **state)
{
	X509 *a = issue_with(ca.credentials, "certificate.serial=duplicate",
	    77);
	X509 *b = issue_with(ec_ca.credentials, "certificate.serial=duplicate",
	    77);

	(void)state;
	assert_int_not_equal(ASN1_INTEGER_cmp(X509_get0_serialNumber(a),
				 X509_get0_serialNumber(b)),
	    0);
	X509_free(a);
	X509_free(b);
}

static const struct ec_signed {
	const char *row, *edits, *name; /* NULL: it cannot */
} ec_signeds[] = {
	{ "SHA-1", "certificate.signature=sha1", "ecdsa-with-SHA1" },
	{ "SHA-384", "certificate.signature=sha384", "ecdsa-with-SHA384" },
	{ "SHA-512", "certificate.signature=sha512", "ecdsa-with-SHA512" },
	{ "MD5", "certificate.signature=md5", NULL },
	{ "RSASSA-PSS", "certificate.signature=pss", NULL },
};

static void
is_signed_by_ec(void **state)
{
	const struct ec_signed *t = *state;
	struct faults f = edits_make(t->edits);
	struct error err = { 0 };
	struct issuing i;
	X509 *cert;
	int ret;

	issuing_begin(&i, ec_ca.credentials, V_ASN1_UTF8STRING, 77);
	ret = edits_apply(&f, &i.ex, ec_ca.credentials, FAULT_CERTIFICATE,
	    &i.plan, &err);
	assert_int_equal(ret, t->name == NULL ? -1 : 0);
	if (t->name != NULL) {
		cert = issuing_build(&i, ec_ca.credentials);
		is_signed_with(cert, t->name);
		check_signed(cert, ec_ca.credentials);
		X509_free(cert);
	} else {
		assert_string_equal(err.text,
		    "the CA has an EC key, which signs neither with RSASSA-PSS "
		    "nor with MD5");
	}
	issuing_end(&i);
	faults_clear(&f);
}

static const struct wrong {
	const char *row, *subject, *error;
} wrongs[] = {
	{ "no equals sign", "device",
	    "\"device\" is not of the form CN=x, O=y" },
	{ "an unknown type", "XY=1", "\"XY\" is no part of a name" },
	{ "a comma at the end", "CN=x,", "a name ends with a comma" },
	{ "a plus at the end", "CN=x+", "\"\" is not of the form CN=x, O=y" },
	{ "a country in full", "C=\\C3\\84", "\"C\" cannot be \xc3\x84" },
};

/* Found when the scenario is loaded. */
static void
is_refused(void **state)
{
	const struct wrong *t = *state;
	size_t row = edits_kind("certificate.subject", 19);
	struct fault_edit edit = { fault_kind_at(row),
		edits_value(row, t->subject, strlen(t->subject)) };
	struct fault_rule rule = { .edits = &edit, .edit_count = 1 };
	struct faults f = { .rules = &rule, .count = 1 };
	struct errors errors = { 0 };

	faults_finish(&f, &errors);
	assert_int_equal(errors.count, 1);
	assert_string_equal(errors.list[0].text, t->error);
	assert_int_equal(errors.list[0].at.line, 1);
	value_clear(&edit.value);
}

static void
all_are_tested(void **state)
{
	(void)state;
	edits_must_be_complete("certificate.");
}

static int
set_up(void **state)
{
	const struct ca_shape shape = { KEY_EC_P256, 1, 0 };
	struct error err = { 0 };

	(void)state;
	ca = authority_open();
	ec_ca = ca;
	if (credentials_new(ca.keys, &shape, DEVICE_NOW, &ec_ca.credentials,
		&err) == -1 ||
	    credentials_stranger(ca.credentials, &stranger, &err) == -1)
		fail_msg("%s", err.text);
	key = device_key("device/device.key");
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	EVP_PKEY_free(key);
	credentials_free(stranger);
	credentials_free(ec_ca.credentials);
	authority_close(&ca);
	return 0;
}

int
main(void)
{
	static const struct table tables[] = {
		ONE(is_honest, "nothing is changed without a fault"),
		ROWS(is_changed, rows),
		ROWS(is_verified, verifieds),
		ROWS(is_numbered, numbereds),
		ONE(duplicates_are_a_cas_own, "duplicates are a CA's own"),
		ROWS(is_signed_by_ec, ec_signeds),
		ROWS(is_refused, wrongs),
		ONE(all_are_tested, "every key and every word is tested"),
	};

	return ROWS_RUN(tables, set_up, tear_down);
}
