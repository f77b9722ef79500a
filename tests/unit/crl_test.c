/* What the CA has revoked, as OpenSSL sees it. */
#include "unit/chain.h"

#define DAY 86400LL
#define LIST_MAX 11

static struct authority ca;
static EVP_PKEY *ec;

#define OCTETS(bytes)                                       \
	{                                                   \
		(const uint8_t *)(bytes), sizeof(bytes) - 1 \
	}

static const struct list {
	const char *row;
	int key, tiers;
	uint32_t number;
	int64_t now;
	struct ca_revocation revoked[LIST_MAX];
} lists[] = {
	{ "of nothing", CA_KEY_GIVEN, 1, 1, DEVICE_NOW,
	    { { { NULL, 0 }, 0, 0 } } },
	{ "of nothing, by an EC key", KEY_EC_P256, 1, 0, DEVICE_NOW,
	    { { { NULL, 0 }, 0, 0 } } },
	{ "of one for no reason", KEY_EC_P384, 2, 127, DEVICE_NOW,
	    { { OCTETS("\x47"), DEVICE_NOW, 0 } } },
	{ "of one for each reason", KEY_EC_P256, 3, 128, DEVICE_NOW,
	    { { OCTETS("\x01"), DEVICE_NOW - DAY, 1 },
		{ OCTETS("\x02"), DEVICE_NOW, 2 },
		{ OCTETS("\x03"), DEVICE_NOW, 3 },
		{ OCTETS("\x04"), DEVICE_NOW, 4 },
		{ OCTETS("\x05"), DEVICE_NOW, 5 },
		{ OCTETS("\x06"), DEVICE_NOW, 6 },
		{ OCTETS("\x07"), DEVICE_NOW, 9 },
		{ OCTETS("\x08"), DEVICE_NOW + 5 * DAY, 10 } } },
	{ "of odd serial numbers", CA_KEY_GIVEN, 3, 0x7fffffff, DEVICE_NOW,
	    { { OCTETS("\x00"), DEVICE_NOW, 1 },
		{ OCTETS("\x00\x80"), DEVICE_NOW, 1 },
		{ OCTETS("\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
			 "\xff\xff\xff\xff\xff\xff\xff\xff"),
		    DEVICE_NOW, 1 } } },
	{ "with the last of all numbers", KEY_EC_P256, 1, 0xffffffff,
	    DEVICE_NOW, { { OCTETS("\x47"), 0, 1 } } },
	{ "after 2049", KEY_EC_P256, 1, 7, 2524608000 + DAY,
	    { { OCTETS("\x47"), 2524608000, 1 } } },
};

static struct credentials *
shaped(int key, int tiers)
{
	const struct ca_shape shape = { key, tiers, 0 };
	struct credentials *c;
	struct error err = { 0 };

	if (credentials_new(ca.keys, &shape, DEVICE_NOW, &c, &err) == -1)
		fail_msg("%s", err.text);
	return c;
}

static size_t
count_of(const struct list *t)
{
	size_t count = 0;

	while (count < LIST_MAX && t->revoked[count].serial.len > 0)
		count++;
	return count;
}

static X509_CRL *
read_crl(struct span der)
{
	const uint8_t *at = der.data;
	X509_CRL *crl = d2i_X509_CRL(NULL, &at, (long)der.len);
	uint8_t *tbs = NULL;
	int len;

	assert_non_null(crl);
	assert_ptr_equal(at, der.data + der.len);
	/* OpenSSL writes the same of it: it is DER. */
	len = i2d_re_X509_CRL_tbs(crl, &tbs);
	assert_non_null(memmem(der.data, der.len, tbs, (size_t)len));
	OPENSSL_free(tbs);
	return crl;
}

static X509_CRL *
make_crl(const struct credentials *c, const struct list *t, int64_t lifetime)
{
	struct error err = { 0 };
	struct blob der;
	X509_CRL *crl;

	if (ca_crl(c, t->revoked, count_of(t), t->number, t->now, lifetime,
		&der, &err) == -1)
		fail_msg("%s", err.text);
	crl = read_crl(blob_span(&der));
	blob_free(&der);
	return crl;
}

static void
check_extensions(const X509_CRL *crl, const struct list *t, X509 *issuer)
{
	const ASN1_OCTET_STRING *id = X509_get0_subject_key_id(issuer);
	ASN1_INTEGER *number = X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL,
	    NULL);
	AUTHORITY_KEYID *authority = X509_CRL_get_ext_d2i(crl,
	    NID_authority_key_identifier, NULL, NULL);
	uint64_t value;

	assert_int_equal(X509_CRL_get_ext_count(crl), 2);
	assert_true(ASN1_INTEGER_get_uint64(&value, number));
	assert_int_equal(value, t->number);
	assert_int_equal(ASN1_OCTET_STRING_cmp(authority->keyid, id), 0);
	ASN1_INTEGER_free(number);
	AUTHORITY_KEYID_free(authority);
}

static void
is_signed(void **state)
{
	const struct list *t = *state;
	struct credentials *c = shaped(t->key, t->tiers);
	X509 *issuer = authority_read(blob_span(&c->der[CA_ISSUING]));
	X509_CRL *crl = make_crl(c, t, 7 * DAY);

	assert_int_equal(X509_CRL_verify(crl, X509_get0_pubkey(issuer)), 1);
	assert_int_equal(X509_CRL_get_version(crl), X509_CRL_VERSION_2);
	assert_int_equal(X509_NAME_cmp(X509_CRL_get_issuer(crl),
			     X509_get_subject_name(issuer)),
	    0);
	assert_int_equal(ASN1_TIME_cmp_time_t(X509_CRL_get0_lastUpdate(crl),
			     t->now - 600),
	    0);
	assert_int_equal(ASN1_TIME_cmp_time_t(X509_CRL_get0_nextUpdate(crl),
			     t->now + 7 * DAY),
	    0);
	check_extensions(crl, t, issuer);
	X509_CRL_free(crl);
	X509_free(issuer);
	credentials_free(c);
}

/* RFC 5280 5.3.1: "unspecified" is said by saying nothing. */
static void
check_reason(X509_REVOKED *entry, int wanted)
{
	ASN1_ENUMERATED *reason = X509_REVOKED_get_ext_d2i(entry,
	    NID_crl_reason, NULL, NULL);

	assert_int_equal(X509_REVOKED_get_ext_count(entry), wanted != 0);
	if (wanted == 0)
		assert_null(reason);
	else
		assert_int_equal(ASN1_ENUMERATED_get(reason), wanted);
	ASN1_ENUMERATED_free(reason);
}

static void
has_entries(void **state)
{
	const struct list *t = *state;
	struct credentials *c = shaped(t->key, t->tiers);
	X509_CRL *crl = make_crl(c, t, DAY);
	STACK_OF(X509_REVOKED) *entries = X509_CRL_get_REVOKED(crl);
	size_t count = count_of(t);

	if (count == 0)
		assert_null(entries);
	for (size_t i = 0; i < count; i++) {
		X509_REVOKED *entry = sk_X509_REVOKED_value(entries, (int)i);
		struct span wanted = t->revoked[i].serial;
		const ASN1_INTEGER *got = X509_REVOKED_get0_serialNumber(entry);
		BIGNUM *number = ASN1_INTEGER_to_BN(got, NULL);
		uint8_t octets[20];

		while (wanted.len > 1 && wanted.data[0] == 0)
			wanted = span_of(wanted.data + 1, wanted.len - 1);
		assert_int_equal(ASN1_STRING_type(got), V_ASN1_INTEGER);
		assert_int_equal(BN_bn2binpad(number, octets, (int)wanted.len),
		    wanted.len);
		assert_memory_equal(octets, wanted.data, wanted.len);
		assert_int_equal(ASN1_TIME_cmp_time_t(
				     X509_REVOKED_get0_revocationDate(entry),
				     t->revoked[i].at),
		    0);
		check_reason(entry, t->revoked[i].reason);
		BN_free(number);
	}
	if (count > 0)
		assert_int_equal(sk_X509_REVOKED_num(entries), count);
	X509_CRL_free(crl);
	credentials_free(c);
}

static const struct shape {
	const char *row;
	int key, tiers;
} shapes[] = {
	{ "RSA, its own root", CA_KEY_GIVEN, 1 },
	{ "RSA, below a root", CA_KEY_GIVEN, 2 },
	{ "EC P-256, its own root", KEY_EC_P256, 1 },
	{ "EC P-256, below a policy CA", KEY_EC_P256, 3 },
	{ "EC P-384, below a root", KEY_EC_P384, 2 },
};

/* The way a client finds out. */
static void
is_checked(void **state)
{
	const struct shape *t = *state;
	struct credentials *c = shaped(t->key, t->tiers), *next;
	X509 *good = chain_issue(c, ec, 4, DEVICE_NOW);
	X509 *bad = chain_issue(c, ec, 5, DEVICE_NOW);
	const ASN1_INTEGER *serial = X509_get0_serialNumber(bad);
	struct list list = { NULL, 0, 0, 1, DEVICE_NOW,
		{ { span_of(serial->data, (size_t)serial->length), DEVICE_NOW,
		    CA_REASON_KEY_COMPROMISE } } };
	X509_CRL *crl = make_crl(c, &list, DAY), *other;
	struct path p = { good, c, c, crl, DEVICE_NOW };
	struct error err = { 0 };

	assert_int_equal(chain_verify(&p), X509_V_OK);
	p.cert = bad;
	assert_int_equal(chain_verify(&p), X509_V_ERR_CERT_REVOKED);
	p.cert = good;
	p.at = DEVICE_NOW - 600;
	assert_int_equal(chain_verify(&p), X509_V_OK);
	p.at = DEVICE_NOW + DAY + 1;
	assert_int_equal(chain_verify(&p), X509_V_ERR_CRL_HAS_EXPIRED);
	/* That of the CA after the next rollover says nothing about it. */
	p.at = DEVICE_NOW;
	assert_int_equal(credentials_next(c, DEVICE_NOW, &next, &err), 0);
	p.crl = other = make_crl(next, &list, DAY);
	assert_int_equal(chain_verify(&p), X509_V_ERR_UNABLE_TO_GET_CRL);
	X509_CRL_free(crl);
	X509_CRL_free(other);
	X509_free(good);
	X509_free(bad);
	credentials_free(c);
	credentials_free(next);
}

static const struct reason {
	const char *row;
	int reason;
	const char *name; /* NULL: none */
	const char *error;
} reasons[] = {
	{ "a negative one", -1, NULL,
	    "RFC 5280 5.3.1: -1 is no reason on a CRL" },
	{ "unspecified", 0, "unspecified", NULL },
	{ "key compromise", 1, "keyCompromise", NULL },
	{ "hold", 6, "certificateHold", NULL },
	{ "one that is not used", 7, NULL,
	    "RFC 5280 5.3.1: 7 is no reason on a CRL" },
	{ "one of delta CRLs", 8, NULL,
	    "RFC 5280 5.3.1: 8 is no reason on a CRL" },
	{ "compromise of an attribute authority", 10, "aACompromise", NULL },
	{ "one too many", 11, NULL,
	    "RFC 5280 5.3.1: 11 is no reason on a CRL" },
};

static void
reason_is_known(void **state)
{
	const struct reason *t = *state;
	const struct ca_revocation revoked = { span_text("G"), DEVICE_NOW,
		t->reason };
	struct error err = { 0 };
	struct blob der;

	assert_int_equal(ca_crl(ca.credentials, &revoked, 1, 1, DEVICE_NOW, DAY,
			     &der, &err),
	    t->error == NULL ? 0 : -1);
	assert_string_equal(err.text, t->error == NULL ? "" : t->error);
	if (t->name == NULL)
		assert_null(ca_reason_name(t->reason));
	else
		assert_string_equal(ca_reason_name(t->reason), t->name);
	assert_int_equal(der.data == NULL, t->error != NULL);
	blob_free(&der);
}

static int
set_up(void **state)
{
	(void)state;
	ca = authority_open();
	ec = EVP_EC_gen("P-256");
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	EVP_PKEY_free(ec);
	authority_close(&ca);
	return 0;
}

int
main(void)
{
	static const struct table tables[] = {
		ROWS(is_signed, lists),
		ROWS(has_entries, lists),
		ROWS(is_checked, shapes),
		ROWS(reason_is_known, reasons),
	};

	return ROWS_RUN(tables, set_up, tear_down);
}
