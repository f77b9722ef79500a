/* What TLS clients are shown, judged by OpenSSL as such a client does. */
#include "unit/chain.h"

#include <openssl/x509v3.h>

#define DAY 86400LL
#define AHEAD (400 * DAY) /* of the site's clock */

static const char *const names[] = { "ndes.example", "10.1.2.3", "::1",
	"*.lab.example" };

static struct authority ca;

static struct credentials *
with_tiers(int tiers)
{
	const struct ca_shape shape = { KEY_EC_P256, tiers, 0 };
	struct credentials *c = NULL;
	struct error err = { 0 };

	if (credentials_new(ca.keys, &shape, DEVICE_NOW, &c, &err) == -1)
		fail_msg("%s", err.text);
	return c;
}

static void
make(const struct credentials *c, enum server_certificate is, bool incomplete,
    int64_t latest, struct tls_chain *out)
{
	const struct tls_order order = { is, incomplete, names,
		sizeof(names) / sizeof(names[0]), DEVICE_NOW, latest };
	struct error err = { 0 };

	if (ca_tls_chain(c, &order, out, &err) == -1)
		fail_msg("%s", err.text);
}

/* What a client that trusts the root says, with what it has been shown. */
static int
judge(const struct credentials *c, const struct tls_chain *chain,
    const char *host, int64_t at)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	STACK_OF(X509) *shown = sk_X509_new_null();
	X509 *root = authority_read(chain_root(c));
	X509 *cert = authority_read(blob_span(&chain->certs[0]));
	X509_VERIFY_PARAM *param;
	int error;

	assert_true(X509_STORE_add_cert(store, root));
	for (size_t i = 1; i < chain->count; i++)
		sk_X509_push(shown,
		    authority_read(blob_span(&chain->certs[i])));
	assert_true(X509_STORE_CTX_init(ctx, store, cert, shown));
	assert_true(X509_STORE_CTX_set_default(ctx, "ssl_server"));
	param = X509_STORE_CTX_get0_param(ctx);
	X509_VERIFY_PARAM_set_time(param, at);
	X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_X509_STRICT);
	if (!X509_VERIFY_PARAM_set1_ip_asc(param, host))
		assert_true(X509_VERIFY_PARAM_set1_host(param, host, 0));
	X509_verify_cert(ctx);
	error = X509_STORE_CTX_get_error(ctx);
	sk_X509_pop_free(shown, X509_free);
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	X509_free(root);
	X509_free(cert);
	return error;
}

static const struct row {
	const char *row;
	enum server_certificate is;
	bool incomplete;
	int error, shown; /* shown: how many, for a CA that is its root */
} rows[] = {
	{ "good", SERVER_CERTIFICATE_GOOD, false, X509_V_OK, 1 },
	{ "expired", SERVER_CERTIFICATE_EXPIRED, false,
	    X509_V_ERR_CERT_HAS_EXPIRED, 1 },
	{ "not yet valid", SERVER_CERTIFICATE_NOT_YET_VALID, false,
	    X509_V_ERR_CERT_NOT_YET_VALID, 1 },
	{ "for another host", SERVER_CERTIFICATE_WRONG_HOST, false,
	    X509_V_ERR_HOSTNAME_MISMATCH, 1 },
	{ "self-signed", SERVER_CERTIFICATE_SELF_SIGNED, false,
	    X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, 1 },
	{ "of an unknown CA", SERVER_CERTIFICATE_UNTRUSTED, false,
	    X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, 2 },
	{ "incomplete", SERVER_CERTIFICATE_GOOD, true,
	    X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, 1 },
	{ "of an unknown CA that is not shown", SERVER_CERTIFICATE_UNTRUSTED,
	    true, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, 1 },
};

/* Below each CA, and whichever clock the client goes by. */
static void
has_its_flaw_and_no_other(void **state)
{
	const struct row *t = *state;
	struct tls_chain chain;
	int error, tiers;

	for (tiers = 1; tiers <= 3; tiers++) {
		struct credentials *c = with_tiers(tiers);
		bool by_ca = t->shown == 1 && !t->incomplete &&
		    t->is != SERVER_CERTIFICATE_SELF_SIGNED;

		make(c, t->is, t->incomplete, DEVICE_NOW + AHEAD, &chain);
		assert_int_equal(chain.count,
		    t->shown + (by_ca ? tiers - 1 : 0));
		for (int64_t at = DEVICE_NOW; at <= DEVICE_NOW + AHEAD;
		     at += AHEAD) {
			error = judge(c, &chain, "ndes.example", at);
			if (error != t->error)
				fail_msg("%d tiers: %s", tiers,
				    X509_verify_cert_error_string(error));
		}
		ca_tls_clear(&chain);
		credentials_free(c);
	}
}

static void
is_for_each_of_its_names(void **state)
{
	static const struct {
		const char *host;
		int error;
	} hosts[] = {
		{ "ndes.example", X509_V_OK },
		{ "NDES.example", X509_V_OK },
		{ "10.1.2.3", X509_V_OK },
		{ "::1", X509_V_OK },
		{ "a.lab.example", X509_V_OK },
		{ "other.example", X509_V_ERR_HOSTNAME_MISMATCH },
		{ "10.1.2.4", X509_V_ERR_IP_ADDRESS_MISMATCH },
	};
	struct tls_chain chain;

	(void)state;
	make(ca.credentials, SERVER_CERTIFICATE_GOOD, false, DEVICE_NOW,
	    &chain);
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++)
		if (judge(ca.credentials, &chain, hosts[i].host, DEVICE_NOW) !=
		    hosts[i].error)
			fail_msg("%s", hosts[i].host);
	ca_tls_clear(&chain);
}

static void
says_that_it_is_a_test(void **state)
{
	struct tls_chain chain, again;
	char text[100];
	X509 *cert;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		make(ca.credentials, rows[i].is, rows[i].incomplete, DEVICE_NOW,
		    &chain);
		for (size_t j = 0; j < chain.count; j++) {
			cert = authority_read(blob_span(&chain.certs[j]));
			X509_NAME_get_text_by_NID(X509_get_subject_name(cert),
			    NID_organizationName, text, sizeof(text));
			assert_string_equal(text, "mockndes TEST ONLY");
			X509_free(cert);
		}
		cert = authority_read(blob_span(&chain.certs[0]));
		assert_int_equal(X509_check_private_key(cert, chain.key), 1);
		assert_int_equal(X509_get_key_usage(cert),
		    KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT);
		assert_int_equal(X509_get_extended_key_usage(cert),
		    XKU_SSL_SERVER);
		assert_int_equal(EVP_PKEY_get_bits(X509_get0_pubkey(cert)),
		    2048);
		/* Another certificate of the same key. */
		make(ca.credentials, rows[i].is, rows[i].incomplete, DEVICE_NOW,
		    &again);
		assert_ptr_equal(again.key, chain.key);
		assert_false(span_equal(blob_span(&again.certs[0]),
		    blob_span(&chain.certs[0])));
		X509_free(cert);
		ca_tls_clear(&again);
		ca_tls_clear(&chain);
	}
}

/* RFC 5280 A.1: a common name has 64 characters at most. */
static void
a_long_name_is_not_its_common_name(void **state)
{
	static const char host[] =
	    "a-host-whose-name-is-longer-than-what-a-common-name-can-hold."
	    "example";
	static const char *const name = host;
	const struct tls_order order = { SERVER_CERTIFICATE_GOOD, false, &name,
		1, DEVICE_NOW, DEVICE_NOW };
	struct tls_chain chain;
	struct error err = { 0 };
	char text[100];
	X509 *cert;

	(void)state;
	assert_int_equal(ca_tls_chain(ca.credentials, &order, &chain, &err), 0);
	assert_int_equal(judge(ca.credentials, &chain, host, DEVICE_NOW),
	    X509_V_OK);
	cert = authority_read(blob_span(&chain.certs[0]));
	assert_int_equal(X509_NAME_get_text_by_NID(X509_get_subject_name(cert),
			     NID_commonName, text, sizeof(text)),
	    -1);
	X509_free(cert);
	ca_tls_clear(&chain);
}

static int
open_all(void **state)
{
	struct error err = { 0 };

	(void)state;
	ca = authority_open();
	return ca_tls_prepare(ca.keys, &err);
}

static int
close_all(void **state)
{
	(void)state;
	authority_close(&ca);
	return 0;
}

int
main(void)
{
	struct CMUnitTest tests[sizeof(rows) / sizeof(rows[0]) + 3] = {
		cmocka_unit_test(is_for_each_of_its_names),
		cmocka_unit_test(says_that_it_is_a_test),
		cmocka_unit_test(a_long_name_is_not_its_common_name),
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		tests[3 + i] = (struct CMUnitTest){ rows[i].row,
			has_its_flaw_and_no_other, NULL, NULL,
			(void *)(uintptr_t)&rows[i] };
	return cmocka_run_group_tests(tests, open_all, close_all);
}
