/* CAs and RAs that are not as they ought to be, as OpenSSL sees them. */
#include "unit/chain.h"
#include "unit/parts.h"

#define DAY 86400LL

static struct authority ca;
static struct credentials *other;

static const struct role {
	const char *row;
	enum ca_role role;
	uint32_t key_usage;
} roles[] = {
	{ "the CA", CA_ISSUING,
	    KU_DIGITAL_SIGNATURE | KU_KEY_CERT_SIGN | KU_CRL_SIGN },
	{ "the signing RA", CA_RA_SIGNING, KU_DIGITAL_SIGNATURE },
	{ "the encryption RA", CA_RA_ENCRYPTION, KU_KEY_ENCIPHERMENT },
};

/* Good for those who trust it, and for nobody who trusts ours. */
static void
is_a_stranger(void **state)
{
	const struct role *t = *state;
	X509 *cert = authority_read(blob_span(&other->der[t->role]));
	X509 *issuer = authority_read(blob_span(&other->der[CA_ISSUING]));
	struct path p = { cert, other, NULL, NULL, DEVICE_NOW };
	char name[100];

	assert_int_equal(chain_verify(&p), X509_V_OK);
	p.trusted = ca.credentials;
	assert_int_not_equal(chain_verify(&p), X509_V_OK);
	assert_int_equal(X509_verify(cert, X509_get0_pubkey(issuer)), 1);
	assert_int_equal(X509_verify(cert,
			     X509_get0_pubkey(ca.certs[CA_ISSUING])),
	    0);
	X509_NAME_get_text_by_NID(X509_get_issuer_name(cert), NID_commonName,
	    name, sizeof(name));
	assert_string_equal(name, "mockndes TEST ONLY Stranger CA");
	assert_int_equal(X509_get_key_usage(cert), t->key_usage);
	assert_int_equal(X509_check_private_key(cert, other->keys[t->role]), 1);
	for (int role = 0; role < CA_ROLES; role++)
		assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(cert),
				     X509_get0_pubkey(ca.certs[role])),
		    0);
	assert_int_equal(ASN1_TIME_compare(X509_get0_notBefore(cert),
			     X509_get0_notBefore(ca.certs[t->role])),
	    0);
	assert_int_equal(ASN1_TIME_compare(X509_get0_notAfter(cert),
			     X509_get0_notAfter(ca.certs[t->role])),
	    0);
	X509_free(issuer);
	X509_free(cert);
}

static void
keys_are_kept(void **state)
{
	struct credentials *again;
	struct error err = { 0 };

	(void)state;
	assert_int_equal(credentials_stranger(ca.credentials, &again, &err), 0);
	for (int role = 0; role < CA_ROLES; role++)
		assert_ptr_equal(again->keys[role], other->keys[role]);
	assert_int_equal(again->ca_cert_count, CA_ROLES);
	credentials_free(again);
}

/* The same RA in every way but for its time and its number. */
static void
has_expired(void **state)
{
	const struct role *t = *state;
	X509 *was = ca.certs[t->role], *cert;
	struct error err = { 0 };
	struct blob der;
	struct path p = { NULL, ca.credentials, NULL, NULL, DEVICE_NOW };

	assert_int_equal(credentials_expired_ra(ca.credentials, t->role,
			     DEVICE_NOW, &der, &err),
	    0);
	p.cert = cert = authority_read(blob_span(&der));
	assert_int_equal(X509_verify(cert,
			     X509_get0_pubkey(ca.certs[CA_ISSUING])),
	    1);
	assert_int_equal(chain_verify(&p), X509_V_ERR_CERT_HAS_EXPIRED);
	assert_int_equal(ASN1_TIME_cmp_time_t(X509_get0_notAfter(cert),
			     DEVICE_NOW - DAY),
	    0);
	assert_true(ASN1_TIME_cmp_time_t(X509_get0_notBefore(cert),
			DEVICE_NOW - 700 * DAY) < 0);
	parts_must_differ(was, cert, PART_SERIAL | PART_BEGIN | PART_END);
	X509_free(cert);
	blob_free(&der);
}

#define SIGNING KU_DIGITAL_SIGNATURE
#define ENCRYPTION KU_KEY_ENCIPHERMENT
#define TWO_YEARS (2 * (365 * DAY + DAY / 4))

/* Of one RA, while the other stays; seconds from DEVICE_NOW. */
static const struct changed {
	const char *row;
	enum ca_role role;
	int64_t not_before, not_after; /* 0: not said */
	enum ra_usage usage;
	int parts; /* beside the number */
	int64_t begins, ends;
	uint32_t key_usage;
	int error; /* of OpenSSL, at DEVICE_NOW */
} changeds[] = {
	{ "a signing RA that has ended", CA_RA_SIGNING, 0, -2 * DAY,
	    RA_USAGE_USUAL, PART_BEGIN | PART_END, -2 * DAY - TWO_YEARS,
	    -2 * DAY, SIGNING, X509_V_ERR_CERT_HAS_EXPIRED },
	{ "an encryption RA that has ended", CA_RA_ENCRYPTION, 0, -1,
	    RA_USAGE_USUAL, PART_END, -600, -1, ENCRYPTION,
	    X509_V_ERR_CERT_HAS_EXPIRED },
	{ "one that ends soon", CA_RA_SIGNING, 0, DAY, RA_USAGE_USUAL, PART_END,
	    -600, DAY, SIGNING, X509_V_OK },
	{ "one that begins soon", CA_RA_ENCRYPTION, DAY, 0, RA_USAGE_USUAL,
	    PART_BEGIN, DAY, TWO_YEARS - 600, ENCRYPTION,
	    X509_V_ERR_CERT_NOT_YET_VALID },
	{ "one that begins after its usual end", CA_RA_SIGNING, 3 * TWO_YEARS,
	    0, RA_USAGE_USUAL, PART_BEGIN | PART_END, 3 * TWO_YEARS,
	    4 * TWO_YEARS, SIGNING, X509_V_ERR_CERT_NOT_YET_VALID },
	{ "one of a day", CA_RA_SIGNING, -2 * DAY, -DAY, RA_USAGE_USUAL,
	    PART_BEGIN | PART_END, -2 * DAY, -DAY, SIGNING,
	    X509_V_ERR_CERT_HAS_EXPIRED },
	{ "without usage", CA_RA_ENCRYPTION, 0, 0, RA_USAGE_NONE,
	    PART_KEY_USAGE, -600, TWO_YEARS - 600, UINT32_MAX, X509_V_OK },
	{ "an encryption RA to sign", CA_RA_ENCRYPTION, 0, 0, RA_USAGE_SIGNING,
	    PART_KEY_USAGE, -600, TWO_YEARS - 600, SIGNING, X509_V_OK },
	{ "a signing RA to encrypt", CA_RA_SIGNING, 0, 0, RA_USAGE_ENCRYPTION,
	    PART_KEY_USAGE, -600, TWO_YEARS - 600, ENCRYPTION, X509_V_OK },
	{ "for both", CA_RA_SIGNING, 0, -DAY, RA_USAGE_BOTH,
	    PART_BEGIN | PART_END | PART_KEY_USAGE, -DAY - TWO_YEARS, -DAY,
	    SIGNING | ENCRYPTION, X509_V_ERR_CERT_HAS_EXPIRED },
};

static struct credentials *
with_ras(struct credentials *from, const struct ra_shape *ras)
{
	struct credentials *cred;
	struct error err = { 0 };

	if (credentials_with_ras(from, ras, &cred, &err) == -1)
		fail_msg("%s", err.text);
	assert_true(credentials_have_ras(cred, ras));
	return cred;
}

/* All that is no certificate of this RA stays, to the octet. */
static void
check_rest(const struct credentials *cred, enum ca_role changed)
{
	for (int role = 0; role < CA_ROLES; role++) {
		const struct blob *was = &ca.credentials->der[role];

		assert_ptr_equal(cred->keys[role], ca.credentials->keys[role]);
		if (role == (int)changed)
			continue;
		assert_octets(blob_span(&cred->der[role]), was->data, was->len);
	}
	assert_string_equal(cred->ca_sha256, ca.credentials->ca_sha256);
	assert_string_equal(cred->thumbprint, ca.credentials->thumbprint);
	assert_int_equal(cred->ca_cert_count, CA_ROLES);
	assert_ptr_equal(cred->ca_certs[changed - CA_RA_SIGNING].data,
	    cred->der[changed].data);
}

static void
is_changed(void **state)
{
	const struct changed *t = *state;
	struct ra_shape ras[CA_ROLES] = { 0 };
	struct credentials *cred;
	struct path p = { NULL, ca.credentials, NULL, NULL, DEVICE_NOW };
	X509 *cert;

	ras[t->role] = (struct ra_shape){ t->not_before == 0 ?
		    0 :
		    DEVICE_NOW + t->not_before,
		t->not_after == 0 ? 0 : DEVICE_NOW + t->not_after, t->usage };
	assert_false(credentials_have_ras(ca.credentials, ras));
	cred = with_ras(ca.credentials, ras);
	p.cert = cert = authority_read(blob_span(&cred->der[t->role]));
	parts_must_differ(ca.certs[t->role], cert, PART_SERIAL | t->parts);
	assert_int_equal(ASN1_TIME_cmp_time_t(X509_get0_notBefore(cert),
			     DEVICE_NOW + t->begins),
	    0);
	assert_int_equal(ASN1_TIME_cmp_time_t(X509_get0_notAfter(cert),
			     DEVICE_NOW + t->ends),
	    0);
	assert_int_equal(X509_get_key_usage(cert), t->key_usage);
	assert_int_equal(chain_verify(&p), t->error);
	check_rest(cred, t->role);
	X509_free(cert);
	credentials_free(cred);
}

/* Who knew the certificate before can go on with it. */
static void
remembers_one_before(void **state)
{
	struct ra_shape ras[CA_ROLES] = { [CA_RA_SIGNING] = {
					      .not_after = 1 } };
	struct credentials *a = with_ras(ca.credentials, ras), *b;
	const struct blob *was = &ca.credentials->der[CA_RA_ENCRYPTION];

	(void)state;
	assert_int_equal(a->encryption_before.whole.len, 0);
	ras[CA_RA_ENCRYPTION].key_usage = RA_USAGE_NONE;
	b = with_ras(a, ras);
	assert_octets(b->encryption_before.whole, was->data, was->len);
	assert_octets(blob_span(&b->der[CA_RA_SIGNING]),
	    a->der[CA_RA_SIGNING].data, a->der[CA_RA_SIGNING].len);
	credentials_free(a);
	/* Once more, with another change elsewhere. */
	ras[CA_RA_SIGNING].not_after = 0;
	a = with_ras(b, ras);
	assert_octets(blob_span(&a->der[CA_RA_SIGNING]),
	    ca.credentials->der[CA_RA_SIGNING].data,
	    ca.credentials->der[CA_RA_SIGNING].len);
	assert_octets(a->encryption_before.whole, was->data, was->len);
	credentials_free(a);
	credentials_free(b);
}

/* A rollover changes the CA; what the RAs are like is another matter. */
static void
outlives_a_rollover(void **state)
{
	const struct ra_shape ras[CA_ROLES] = {
		[CA_RA_SIGNING] = { .not_after = DEVICE_NOW - DAY },
		[CA_RA_ENCRYPTION] = { .key_usage = RA_USAGE_BOTH },
	};
	struct credentials *cred = with_ras(ca.credentials, ras), *next;
	struct error err = { 0 };
	X509 *issuer, *cert;

	(void)state;
	assert_int_equal(credentials_next(cred, DEVICE_NOW + DAY, &next, &err),
	    0);
	issuer = authority_read(blob_span(&next->der[CA_ISSUING]));
	cert = authority_read(blob_span(&next->der[CA_RA_SIGNING]));
	assert_int_equal(X509_verify(cert, X509_get0_pubkey(issuer)), 1);
	assert_int_equal(ASN1_TIME_cmp_time_t(X509_get0_notAfter(cert),
			     DEVICE_NOW - DAY),
	    0);
	X509_free(cert);
	cert = authority_read(blob_span(&next->der[CA_RA_ENCRYPTION]));
	assert_int_equal(X509_get_key_usage(cert), SIGNING | ENCRYPTION);
	X509_free(cert);
	X509_free(issuer);
	credentials_free(next);
	credentials_free(cred);
}

static int
set_up(void **state)
{
	struct error err = { 0 };

	(void)state;
	ca = authority_open();
	if (credentials_stranger(ca.credentials, &other, &err) == -1)
		fail_msg("%s", err.text);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	credentials_free(other);
	authority_close(&ca);
	return 0;
}

int
main(void)
{
	const struct table tables[] = {
		ROWS(is_changed, changeds),
		ONE(remembers_one_before, "the certificate before is known"),
		ONE(outlives_a_rollover, "RAs stay as they are in a rollover"),
		ROWS(is_a_stranger, roles),
		ONE(keys_are_kept, "all strangers have the same keys"),
		{ has_expired, "has_expired", roles + 1, sizeof(roles[0]), 2 },
	};

	return ROWS_RUN(tables, set_up, tear_down);
}
