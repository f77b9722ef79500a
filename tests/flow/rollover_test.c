/* CAs of several tiers and kinds of keys, and the CA that comes next. */
#include "support/test.h"

#include <openssl/objects.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/ndes.h"

#define DAY (24 * 60 * 60L)
#define ROLLOVER "server.ca.rollover_after=30d"
#define TIERS_MAX 3
#define RAS 2

static struct fixture {
	struct ndes ndes;
	struct device device, ec;
} fixture;

static int
make_devices(void **state)
{
	struct fixture *f = *state = &fixture;

	web_start();
	return device_make(&f->device) &&
		device_make_with(&f->ec, DEVICE_P256) ?
	    0 :
	    -1;
}

static int
clear_devices(void **state)
{
	struct fixture *f = *state;

	device_clear(&f->device);
	device_clear(&f->ec);
	return 0;
}

/* Of the CA's key; RSA-4096 is left to the unit tests: its key is slow. */
static const struct kind {
	const char *name, *set;
	int type, bits;
	int signature; /* by it, as RFC 5754 and RFC 5758 name it */
} kinds[] = {
	{ "RSA-2048", "server.ca.key=rsa-2048", EVP_PKEY_RSA, 2048,
	    NID_sha256WithRSAEncryption },
	{ "P-256", "server.ca.key=ec-p256", EVP_PKEY_EC, 256,
	    NID_ecdsa_with_SHA256 },
	{ "P-384", "server.ca.key=ec-p384", EVP_PKEY_EC, 384,
	    NID_ecdsa_with_SHA384 },
};

static bool
is_of_kind(const struct kind *k, X509 *ca)
{
	const EVP_PKEY *key = X509_get0_pubkey(ca);

	return EVP_PKEY_get_base_id(key) == k->type &&
	    EVP_PKEY_get_bits(key) == k->bits;
}

/* The RAs, the issuing CA and those above it, up to a root; nothing else. */
static const char *
judge_ca_certs(const struct kind *k, int tiers, STACK_OF(X509) * certs,
    int64_t at)
{
	X509 *ca = device_ca(certs),
	     *ras[RAS] = { device_ra(certs, KU_DIGITAL_SIGNATURE),
		     device_ra(certs, KU_KEY_ENCIPHERMENT) };

	if (sk_X509_num(certs) != RAS + tiers || ca == NULL)
		return "another number of certificates";
	if (!is_of_kind(k, ca))
		return "another kind of key";
	if (device_chain(certs, ca, X509_PURPOSE_ANY, at) != tiers)
		return "the CA does not verify";
	for (size_t i = 0; i < RAS; i++)
		if (ras[i] == NULL ||
		    device_chain(certs, ras[i], X509_PURPOSE_ANY, at) !=
			tiers + 1 ||
		    EVP_PKEY_get_base_id(X509_get0_pubkey(ras[i])) !=
			EVP_PKEY_RSA)
			return "an RA does not verify";
	return "";
}

static void
ca_certs_are(const char *row, const struct kind *k, int tiers,
    STACK_OF(X509) * certs, int64_t at)
{
	const char *why = judge_ca_certs(k, tiers, certs, at);

	if (*why != '\0')
		fail_msg("%s, %d tiers, %s: %s", k->name, tiers, row, why);
}

static X509 *
enrol(const struct ndes *n, const struct kind *k, int tiers,
    const struct device *d, const struct device_order *order)
{
	X509 *cert = ndes_enrol(n, d, order);

	if (X509_get_signature_nid(cert) != k->signature)
		fail_msg("%s, %d tiers: signed with %s", k->name, tiers,
		    OBJ_nid2sn(X509_get_signature_nid(cert)));
	assert_int_equal(device_chain(n->ca_certs, cert,
			     X509_PURPOSE_SSL_CLIENT, ndes_now(n)),
	    tiers + 1);
	return cert;
}

static X509 *
enrol_new(const struct ndes *n, const struct kind *k, int tiers,
    const struct device *d)
{
	return enrol(n, k, tiers, d,
	    &(struct device_order){ .challenge = NDES_CHALLENGE });
}

static void
crl_verifies(const struct ndes *n, const struct kind *k, const struct device *d)
{
	struct device_answer a;

	ndes_ask(n, d, &(struct device_order){ .type = DEVICE_GET_CRL }, &a);
	if (a.crl == NULL ||
	    !device_crl_verifies(n->ca_certs, a.crl, ndes_now(n)))
		fail_msg("%s: the CRL does not verify", k->name);
	assert_int_equal(X509_CRL_get_signature_nid(a.crl), k->signature);
	device_answer_clear(&a);
}

static void
use(struct ndes *n, const struct kind *k, int tiers)
{
	char text[32];
	const char *const set[] = { k->set, text, NULL };

	snprintf(text, sizeof(text), "server.ca.tiers=%d", tiers);
	assert_int_equal(server_use_scenario(&n->server, set), 0);
	ndes_look_again(n);
}

static void
each_chain_verifies_up_to_its_root(void **state)
{
	struct fixture *f = *state;
	struct ndes *n = &f->ndes;

	ndes_start(n, NULL);
	for (size_t i = 0; i < COUNT_OF(kinds); i++)
		for (int tiers = 1; tiers <= TIERS_MAX; tiers++) {
			use(n, &kinds[i], tiers);
			ca_certs_are("now", &kinds[i], tiers, n->ca_certs, 0);
			X509_free(enrol_new(n, &kinds[i], tiers, &f->device));
			X509_free(enrol_new(n, &kinds[i], tiers, &f->ec));
			crl_verifies(n, &kinds[i], &f->device);
		}
	ndes_stop(n);
}

static void
start(struct ndes *n, const struct kind *k, int tiers)
{
	char text[32];
	const char *const set[] = { k->set, text, ROLLOVER, NULL };

	snprintf(text, sizeof(text), "server.ca.tiers=%d", tiers);
	ndes_start(n, set);
}

/* What a device keeps of the time before. */
struct past {
	STACK_OF(X509) * ca_certs, *announced;
	X509 *cert;
	struct device renewing;
};

static void
remember(struct past *p, const struct ndes *n, const struct kind *k, int tiers,
    const struct device *d)
{
	p->ca_certs = X509_chain_up_ref(n->ca_certs);
	p->announced = device_next_ca_certs(n->server.url, n->ca_certs);
	if (p->announced == NULL)
		fail_msg("%s, %d tiers: no next CA", k->name, tiers);
	p->cert = enrol_new(n, k, tiers, d);
	device_make_renewing(&p->renewing, d, p->cert);
}

static void
forget(struct past *p)
{
	device_ca_certs_free(p->ca_certs);
	device_ca_certs_free(p->announced);
	X509_free(p->cert);
	device_clear(&p->renewing);
}

static bool
is_among(STACK_OF(X509) * certs, const X509 *wanted)
{
	for (int i = 0; i < sk_X509_num(certs); i++)
		if (X509_cmp(sk_X509_value(certs, i), wanted) == 0)
			return true;
	return false;
}

/* Each CA certificate of the answer was announced, and the key is another. */
static void
answers_as_announced(const struct ndes *n, const struct past *p)
{
	X509 *cert, *before = device_ca(p->ca_certs),
		    *now = device_ca(n->ca_certs);

	for (int i = 0; i < sk_X509_num(n->ca_certs); i++) {
		cert = sk_X509_value(n->ca_certs, i);
		if (X509_check_ca(cert) == 1)
			assert_true(is_among(p->announced, cert));
	}
	assert_int_not_equal(EVP_PKEY_eq(X509_get0_pubkey(before),
				 X509_get0_pubkey(now)),
	    1);
	assert_false(is_among(n->ca_certs, before));
}

/* Until its last minute the old CA answers, and announces the same. */
static void
nothing_changes_before(struct ndes *n, const struct past *p,
    const struct kind *k, int tiers, const struct device *d)
{
	STACK_OF(X509) * again;

	ndes_look_again(n);
	assert_true(is_among(n->ca_certs, device_ca(p->ca_certs)));
	ca_certs_are("before", k, tiers, n->ca_certs, ndes_now(n));
	X509_free(enrol_new(n, k, tiers, d));
	again = device_next_ca_certs(n->server.url, n->ca_certs);
	assert_int_equal(sk_X509_num(again), sk_X509_num(p->announced));
	for (int i = 0; i < sk_X509_num(again); i++)
		assert_true(is_among(p->announced, sk_X509_value(again, i)));
	device_ca_certs_free(again);
}

static void
is_found(const struct ndes *n, const X509 *cert, const struct device *d)
{
	struct device_answer a;

	ndes_ask(n, d,
	    &(struct device_order){ .type = DEVICE_GET_CERT,
		.issuer = X509_get_issuer_name(cert),
		.serial = X509_get0_serialNumber(cert) },
	    &a);
	assert_non_null(a.certificate);
	assert_int_equal(X509_cmp(a.certificate, cert), 0);
	device_answer_clear(&a);
}

/* Who asked for the certificates before the switch, and sends after it. */
static void
the_old_recipient_is_understood(const struct ndes *n, const struct past *p,
    const struct kind *k, int tiers, const struct device *d)
{
	STACK_OF(X509) *recipients = sk_X509_new_null();

	assert_true(sk_X509_push(recipients,
			device_ra(p->ca_certs, KU_KEY_ENCIPHERMENT)) > 0);
	X509_free(enrol(n, k, tiers, d,
	    &(struct device_order){ .type = DEVICE_RENEWAL_REQ,
		.signer = &p->renewing,
		.recipients = recipients }));
	sk_X509_free(recipients);
}

static void
the_next_ca_does_all_of_it(struct ndes *n, const struct past *p,
    const struct kind *k, int tiers, const struct device *d)
{
	static const int types[] = { DEVICE_RENEWAL_REQ, DEVICE_PKCS_REQ };

	ndes_look_again(n);
	ca_certs_are("after", k, tiers, n->ca_certs, ndes_now(n));
	answers_as_announced(n, p);
	X509_free(enrol_new(n, k, tiers, d));
	for (size_t i = 0; i < COUNT_OF(types); i++)
		X509_free(enrol(n, k, tiers, d,
		    &(struct device_order){ .type = types[i],
			.signer = &p->renewing }));
	the_old_recipient_is_understood(n, p, k, tiers, d);
	crl_verifies(n, k, d);
	/* Nothing that was issued has been taken back. */
	is_found(n, p->cert, d);
	assert_string_equal(device_judge_at(d, p->ca_certs, p->cert,
				ndes_now(n)),
	    "");
}

static void
the_ca_is_followed(struct fixture *f, const struct kind *k, int tiers)
{
	struct ndes *n = &f->ndes;
	struct past past;

	start(n, k, tiers);
	remember(&past, n, k, tiers, &f->device);
	server_advance_clock(&n->server, 30 * DAY - 60);
	nothing_changes_before(n, &past, k, tiers, &f->device);
	server_advance_clock(&n->server, 60);
	the_next_ca_does_all_of_it(n, &past, k, tiers, &f->device);
	forget(&past);
	ndes_stop(n);
}

static void
the_ca_that_was_announced_follows(void **state)
{
	for (size_t i = 0; i < COUNT_OF(kinds); i++)
		for (int tiers = 1; tiers <= TIERS_MAX; tiers++)
			the_ca_is_followed(*state, &kinds[i], tiers);
}

/* And the one after that, whose keys nobody has seen yet. */
static void
a_ca_is_followed_more_than_once(void **state)
{
	const struct kind *k = &kinds[1];
	struct fixture *f = *state;
	struct ndes *n = &f->ndes;
	struct past past[2];

	start(n, k, 2);
	for (int i = 0; i < 2; i++) {
		remember(&past[i], n, k, 2, &f->device);
		server_advance_clock(&n->server, 30 * DAY);
		the_next_ca_does_all_of_it(n, &past[i], k, 2, &f->device);
	}
	/* The oldest certificate renews, two CAs later. */
	X509_free(enrol(n, k, 2, &f->device,
	    &(struct device_order){ .type = DEVICE_RENEWAL_REQ,
		.signer = &past[0].renewing }));
	for (int i = 0; i < 2; i++)
		forget(&past[i]);
	ndes_stop(n);
}

/* A machine that was off for long. */
static void
a_ca_that_was_never_announced_can_have_passed(void **state)
{
	const struct kind *k = &kinds[1];
	struct fixture *f = *state;
	struct ndes *n = &f->ndes;

	start(n, k, 1);
	server_advance_clock(&n->server, 65 * DAY);
	ndes_look_again(n);
	ca_certs_are("the third", k, 1, n->ca_certs, ndes_now(n));
	X509_free(enrol_new(n, k, 1, &f->device));
	ndes_stop(n);
}

static void
what_waits_is_issued_by_the_ca_that_follows(void **state)
{
	static const char *const set[] = { ROLLOVER,
		"server.ca.approval=manual", NULL };
	struct device_order order = { .challenge = NDES_CHALLENGE,
		.transaction_id = "client" };
	struct fixture *f = *state;
	struct ndes *n = &f->ndes;

	ndes_start(n, set);
	server_advance_clock(&n->server, 30 * DAY - 60);
	ndes_expect(n, "before", &f->device, &order, NDES_PENDING, 0);
	server_advance_clock(&n->server, 60);
	ndes_look_again(n);
	ndes_settle(n, "client", true);
	order.type = DEVICE_CERT_POLL;
	X509_free(enrol(n, &kinds[0], 1, &f->device, &order));
	ndes_stop(n);
}

static void
no_next_ca_is_announced_where_none_is_planned(void **state)
{
	struct fixture *f = *state;

	ndes_start(&f->ndes, NULL);
	assert_null(device_next_ca_certs(f->ndes.server.url, f->ndes.ca_certs));
	ndes_stop(&f->ndes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_chain_verifies_up_to_its_root),
		cmocka_unit_test(the_ca_that_was_announced_follows),
		cmocka_unit_test(a_ca_is_followed_more_than_once),
		cmocka_unit_test(a_ca_that_was_never_announced_can_have_passed),
		cmocka_unit_test(what_waits_is_issued_by_the_ca_that_follows),
		cmocka_unit_test(no_next_ca_is_announced_where_none_is_planned),
	};

	return cmocka_run_group_tests(tests, make_devices, clear_devices);
}
