/* CAs of every shape, and those that come after them, as OpenSSL sees them. */
#include "unit/chain.h"

#include <pthread.h>

#include "ca/key_set.h"

#define DAY 86400LL
#define THREADS 4

static struct authority ca;
static EVP_PKEY *rsa, *ec;

#define TYPES(row, tiers)                                                    \
	{ row ", of the key given", CA_KEY_GIVEN, tiers,                     \
		NID_sha256WithRSAEncryption, 2048 },                         \
	    { row ", RSA-2048", KEY_RSA_2048, tiers,                         \
		    NID_sha256WithRSAEncryption, 2048 },                     \
	    { row ", RSA-3072", KEY_RSA_3072, tiers,                         \
		    NID_sha256WithRSAEncryption, 3072 },                     \
	    { row ", RSA-4096", KEY_RSA_4096, tiers,                         \
		    NID_sha256WithRSAEncryption, 4096 },                     \
	    { row ", EC P-256", KEY_EC_P256, tiers, NID_ecdsa_with_SHA256,   \
		    256 },                                                   \
	{                                                                    \
		row ", EC P-384", KEY_EC_P384, tiers, NID_ecdsa_with_SHA384, \
		    384                                                      \
	}

static const struct shape {
	const char *row;
	int key, tiers;
	int signature, bits;
} shapes[] = {
	TYPES("its own root", 1),
	TYPES("below a root", 2),
	TYPES("below a policy CA", 3),
};

/* Made once; the keys that take long to make are in tests/fixtures. */
static struct credentials *made[sizeof(shapes) / sizeof(shapes[0])];

static struct credentials *
shaped(const struct shape *t)
{
	const struct ca_shape shape = { t->key, t->tiers, 0 };
	struct credentials **c = &made[t - shapes];
	struct error err = { 0 };

	if (*c == NULL &&
	    credentials_new(ca.keys, &shape, DEVICE_NOW, c, &err) == -1)
		fail_msg("%s", err.text);
	return *c;
}

static struct credentials *
after(const struct credentials *before, int64_t rollover)
{
	struct credentials *next;
	struct error err = { 0 };

	if (credentials_next(before, rollover, &next, &err) == -1)
		fail_msg("%s", err.text);
	return next;
}

/* The CA, and what it issues: with its chain, not without. */
static void
verifies(void **state)
{
	const struct shape *t = *state;
	const struct credentials *c = shaped(t);
	X509 *certs[4] = { authority_read(blob_span(&c->der[CA_RA_SIGNING])),
		authority_read(blob_span(&c->der[CA_RA_ENCRYPTION])),
		chain_issue(c, rsa, 4, DEVICE_NOW),
		chain_issue(c, ec, 5, DEVICE_NOW) };
	struct path p = { NULL, c, c, NULL, DEVICE_NOW };

	for (int i = 0; i < 4; i++) {
		p.cert = certs[i];
		p.given = c;
		assert_int_equal(chain_verify(&p), X509_V_OK);
		assert_int_equal(X509_get_signature_nid(certs[i]),
		    t->signature);
		p.given = NULL;
		assert_int_equal(chain_verify(&p),
		    t->tiers == 1 ?
			X509_V_OK :
			X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
		X509_free(certs[i]);
	}
}

static void
check_name(X509 *cert, const char *wanted)
{
	X509_NAME *name = X509_get_subject_name(cert);
	char text[80];

	X509_NAME_get_text_by_NID(name, NID_commonName, text, sizeof(text));
	assert_string_equal(text, wanted);
	assert_non_null(strstr(text, "TEST ONLY"));
	X509_NAME_get_text_by_NID(name, NID_organizationName, text,
	    sizeof(text));
	assert_string_equal(text, "mockndes TEST ONLY");
}

/* A path is bound to be as long as it is; a root sets no bounds. */
static const struct {
	const char *name;
	long path_length;
	int years;
} cas[][3] = {
	{ { "mockndes TEST ONLY CA", -1, 10 } },
	{ { "mockndes TEST ONLY CA", 0, 10 },
	    { "mockndes TEST ONLY Root CA", -1, 30 } },
	{ { "mockndes TEST ONLY CA", 0, 10 },
	    { "mockndes TEST ONLY Policy CA", 1, 20 },
	    { "mockndes TEST ONLY Root CA", -1, 30 } },
};

static void
is_chained(void **state)
{
	const struct shape *t = *state;
	const struct credentials *c = shaped(t);
	X509 *cert[3] = { NULL };

	for (int i = 0; i < t->tiers; i++)
		cert[i] = authority_read(c->ca_certs[CA_CERTS_CAS + i]);
	for (int i = 0; i < t->tiers; i++) {
		X509 *up = cert[i == t->tiers - 1 ? i : i + 1];
		int64_t end = DEVICE_NOW +
		    cas[t->tiers - 1][i].years * 365 * DAY;

		check_name(cert[i], cas[t->tiers - 1][i].name);
		assert_int_equal(X509_get_pathlen(cert[i]),
		    cas[t->tiers - 1][i].path_length);
		assert_int_equal(X509_get_key_usage(cert[i]),
		    KU_DIGITAL_SIGNATURE | KU_KEY_CERT_SIGN | KU_CRL_SIGN);
		assert_int_equal(X509_check_ca(cert[i]), 1);
		assert_int_equal(EVP_PKEY_get_bits(X509_get0_pubkey(cert[i])),
		    t->bits);
		assert_int_equal(X509_get_signature_nid(cert[i]), t->signature);
		assert_int_equal(X509_verify(cert[i], X509_get0_pubkey(up)), 1);
		assert_int_equal(X509_check_issued(up, cert[i]), X509_V_OK);
		assert_int_equal(ASN1_TIME_cmp_time_t(X509_get0_notBefore(
							  cert[i]),
				     DEVICE_NOW - 600),
		    0);
		assert_int_equal(
		    ASN1_TIME_cmp_time_t(X509_get0_notAfter(cert[i]), end), 1);
		assert_int_equal(ASN1_TIME_cmp_time_t(X509_get0_notAfter(
							  cert[i]),
				     end + 9 * DAY),
		    -1);
	}
	for (int i = 0; i < t->tiers; i++)
		X509_free(cert[i]);
}

/* No two tiers share a key, no two certificates a number. */
static void
is_told_apart(void **state)
{
	const struct shape *t = *state;
	const struct credentials *c = shaped(t);
	struct x509 a, b;

	for (size_t i = 0; i < c->ca_cert_count; i++)
		for (size_t j = 0; j < i; j++) {
			assert_int_equal(x509_read(c->ca_certs[i], &a), 0);
			assert_int_equal(x509_read(c->ca_certs[j], &b), 0);
			assert_false(span_equal(a.spki, b.spki));
			assert_false(span_equal(a.serial, b.serial));
		}
}

static void
is_listed(void **state)
{
	const struct shape *t = *state;
	const struct credentials *c = shaped(t);
	const struct blob *wanted[] = { &c->der[CA_RA_SIGNING],
		&c->der[CA_RA_ENCRYPTION], &c->der[CA_ISSUING], &c->chain[0],
		&c->chain[1] };

	assert_int_equal(c->chain_count, t->tiers - 1);
	assert_int_equal(c->ca_cert_count, 2 + t->tiers);
	for (size_t i = 0; i < c->ca_cert_count; i++)
		assert_octets(c->ca_certs[i], wanted[i]->data, wanted[i]->len);
}

/* The RAs are what NDES has: RSA-2048, whatever the CA is. */
static void
has_ras(void **state)
{
	const struct credentials *c = shaped(*state);

	for (int role = CA_RA_SIGNING; role < CA_ROLES; role++) {
		X509 *cert = authority_read(blob_span(&c->der[role]));

		assert_ptr_equal(c->keys[role], ca.credentials->keys[role]);
		assert_int_equal(X509_check_private_key(cert, c->keys[role]),
		    1);
		X509_free(cert);
	}
}

static const struct rollover {
	const char *row;
	int key, tiers;
	int64_t at; /* seconds after DEVICE_NOW */
	bool other_root;
} rollovers[] = {
	{ "its own root, RSA", CA_KEY_GIVEN, 1, 365 * DAY, true },
	{ "its own root, EC", KEY_EC_P256, 1, 365 * DAY, true },
	{ "at once", KEY_EC_P384, 1, 0, true },
	{ "below a root", KEY_EC_P256, 2, 365 * DAY, false },
	{ "below a policy CA", KEY_EC_P384, 3, 365 * DAY, false },
	{ "on the last day of the CA", KEY_EC_P256, 3, 3652 * DAY, false },
	{ "after the end of the CA", KEY_EC_P256, 2, 3700 * DAY, false },
	{ "too late for the policy CA", KEY_EC_P256, 3, 3700 * DAY, true },
};

static struct credentials *
rolling(const struct rollover *t)
{
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
		if (shapes[i].key == t->key && shapes[i].tiers == t->tiers)
			return shaped(&shapes[i]);
	fail_msg("no such shape");
	return NULL;
}

/* A client has the next CA before it is valid, and trusts it afterwards. */
static void
next_is_valid(void **state)
{
	const struct rollover *t = *state;
	const struct credentials *c = rolling(t);
	int64_t then = DEVICE_NOW + t->at;
	struct credentials *next = after(c, then);
	X509 *certs[4] = { authority_read(blob_span(&next->der[CA_ISSUING])),
		authority_read(blob_span(&next->der[CA_RA_SIGNING])),
		authority_read(blob_span(&next->der[CA_RA_ENCRYPTION])),
		chain_issue(next, ec, 4, then) };
	struct path p = { NULL, t->other_root ? next : c, next, NULL, 0 };

	for (int i = 0; i < 4; i++) {
		p.cert = certs[i];
		p.at = then - 601;
		assert_int_equal(chain_verify(&p),
		    X509_V_ERR_CERT_NOT_YET_VALID);
		p.at = then - 1;
		assert_int_equal(chain_verify(&p),
		    X509_V_ERR_CERT_NOT_YET_VALID);
		p.at = then;
		assert_int_equal(chain_verify(&p), X509_V_OK);
		p.at = then + 360 * DAY;
		assert_int_equal(chain_verify(&p), X509_V_OK);
		X509_free(certs[i]);
	}
	credentials_free(next);
}

static void
next_is_another(void **state)
{
	const struct rollover *t = *state;
	const struct credentials *c = rolling(t);
	struct credentials *next = after(c, DEVICE_NOW + t->at);
	struct credentials *last = after(next, DEVICE_NOW + t->at + DAY);
	const struct credentials *all[] = { c, next, last };

	for (unsigned i = 0; i < 3; i++) {
		X509 *cert = authority_read(
		    blob_span(&all[i]->der[CA_ISSUING]));
		struct span root = chain_root(all[i]);

		check_name(cert,
		    i == 0     ? "mockndes TEST ONLY CA" :
			i == 1 ? "mockndes TEST ONLY CA (1)" :
				 "mockndes TEST ONLY CA (2)");
		assert_int_equal(all[i]->shape.generation, i);
		assert_ptr_equal(all[i]->keys[CA_RA_SIGNING],
		    c->keys[CA_RA_SIGNING]);
		for (unsigned j = 0; j < i; j++)
			assert_int_equal(EVP_PKEY_eq(all[i]->keys[CA_ISSUING],
					     all[j]->keys[CA_ISSUING]),
			    0);
		if (i == 1)
			assert_int_equal(span_equal(root, chain_root(c)),
			    !t->other_root);
		X509_free(cert);
	}
	credentials_free(next);
	credentials_free(last);
}

static const struct refused {
	const char *row;
	struct ca_shape shape;
	const char *error;
} refuseds[] = {
	{ "no tier", { KEY_EC_P256, 0, 0 }, "a CA has 1 to 3 tiers, not 0" },
	{ "four tiers", { KEY_EC_P256, 4, 0 }, "a CA has 1 to 3 tiers, not 4" },
	{ "a negative number of tiers", { CA_KEY_GIVEN, -1, 0 },
	    "a CA has 1 to 3 tiers, not -1" },
	{ "a type that is none", { KEY_TYPES, 1, 0 },
	    "no type of key has number 5" },
	{ "a negative type", { -2, 2, 0 }, "no type of key has number -2" },
};

static void
refuses(void **state)
{
	const struct refused *t = *state;
	struct credentials *c = (void *)&ca;
	struct error err = { 0 };

	assert_int_equal(credentials_new(ca.keys, &t->shape, DEVICE_NOW, &c,
			     &err),
	    -1);
	assert_string_equal(err.text, t->error);
	assert_null(c);
}

static void *
make_credentials(void *cls)
{
	const struct ca_shape shape = { KEY_RSA_2048, 3, 7 };
	struct error err = { 0 };

	credentials_new(ca.keys, &shape, DEVICE_NOW, cls, &err);
	return NULL;
}

/* Sites that ask for the same keys at once get the same keys. */
static void
made_once(void **state)
{
	struct credentials *c[THREADS] = { NULL };
	pthread_t threads[THREADS];
	struct x509 root[THREADS];

	(void)state;
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL,
				     make_credentials, &c[i]),
		    0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < THREADS; i++) {
		assert_non_null(c[i]);
		assert_int_equal(x509_read(chain_root(c[i]), &root[i]), 0);
		assert_ptr_equal(c[i]->keys[CA_ISSUING],
		    c[0]->keys[CA_ISSUING]);
		assert_true(span_equal(root[i].spki, root[0].spki));
		assert_false(
		    span_equal(root[i].serial, root[(i + 1) % THREADS].serial));
	}
	for (int i = 0; i < THREADS; i++)
		credentials_free(c[i]);
}

static void
put(enum ca_tier tier, int type, const char *file)
{
	char path[100];
	struct ca_key key = { tier, type, 0, NULL };

	snprintf(path, sizeof(path), "tiers/%s.key", file);
	key.key = device_key(path);
	assert_int_equal(key_set_put(ca.keys, &key), 0);
	/* There can be one. */
	assert_int_equal(key_set_put(ca.keys, &key), -1);
}

static int
set_up(void **state)
{
	(void)state;
	ca = authority_open();
	rsa = device_key("device/device.key");
	ec = EVP_EC_gen("P-256");
	put(TIER_ISSUING, KEY_RSA_3072, "rsa-3072-issuing");
	put(TIER_POLICY, KEY_RSA_3072, "rsa-3072-policy");
	put(TIER_ROOT, KEY_RSA_3072, "rsa-3072-root");
	put(TIER_ISSUING, KEY_RSA_4096, "rsa-4096-issuing");
	put(TIER_POLICY, KEY_RSA_4096, "rsa-4096-policy");
	put(TIER_ROOT, KEY_RSA_4096, "rsa-4096-root");
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++)
		credentials_free(made[i]);
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(ec);
	authority_close(&ca);
	return 0;
}

int
main(void)
{
	static const struct table tables[] = {
		ROWS(verifies, shapes),
		ROWS(is_chained, shapes),
		ROWS(is_told_apart, shapes),
		ROWS(is_listed, shapes),
		ROWS(has_ras, shapes),
		ROWS(next_is_valid, rollovers),
		ROWS(next_is_another, rollovers),
		ROWS(refuses, refuseds),
		ONE(made_once, "keys are made once for all"),
	};

	return ROWS_RUN(tables, set_up, tear_down);
}
