/* CAs and RAs that are not as they ought to be, as OpenSSL sees them. */
#include "unit/chain.h"

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
	assert_int_equal(X509_NAME_cmp(X509_get_subject_name(cert),
			     X509_get_subject_name(was)),
	    0);
	assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(cert),
			     X509_get0_pubkey(was)),
	    1);
	assert_int_not_equal(ASN1_INTEGER_cmp(X509_get0_serialNumber(cert),
				 X509_get0_serialNumber(was)),
	    0);
	assert_int_equal(X509_get_ext_count(cert), X509_get_ext_count(was));
	for (int i = 0; i < X509_get_ext_count(was); i++) {
		uint8_t *a = NULL, *b = NULL;
		int len = i2d_X509_EXTENSION(X509_get_ext(was, i), &a);

		assert_int_equal(i2d_X509_EXTENSION(X509_get_ext(cert, i), &b),
		    len);
		assert_memory_equal(a, b, len);
		OPENSSL_free(a);
		OPENSSL_free(b);
	}
	X509_free(cert);
	blob_free(&der);
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
		ROWS(is_a_stranger, roles),
		ONE(keys_are_kept, "all strangers have the same keys"),
		{ has_expired, "has_expired", roles + 1, sizeof(roles[0]), 2 },
	};

	return ROWS_RUN(tables, set_up, tear_down);
}
