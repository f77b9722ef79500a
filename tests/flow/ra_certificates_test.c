/* RAs whose certificates end earlier, or are for another use. */
#include "support/test.h"

#include <openssl/x509v3.h>

#include "support/ndes.h"

#define DAY (24 * 60 * 60L)

static struct fixture {
	struct ndes ndes;
	struct device device;
	STACK_OF(X509) * before;
} fixture;

static int
start(void **state)
{
	struct fixture *f = *state = &fixture;

	web_start();
	ndes_start(&f->ndes, NULL);
	f->before = device_ca_certs(f->ndes.server.url);
	return device_make(&f->device) ? 0 : -1;
}

static int
stop(void **state)
{
	struct fixture *f = *state;

	device_ca_certs_free(f->before);
	device_clear(&f->device);
	ndes_stop(&f->ndes);
	return 0;
}

static void
use(struct fixture *f, const char *first, const char *second)
{
	assert_int_equal(server_use_scenario(&f->ndes.server,
			     (const char *const[]){ first, second, NULL }),
	    0);
	ndes_look_again(&f->ndes);
}

/* In the order of the wire: signing RA, encryption RA, CA. */
static X509 *
shown(STACK_OF(X509) * certs, int at)
{
	assert_int_equal(sk_X509_num(certs), 3);
	return sk_X509_value(certs, at);
}

static const struct row {
	const char *set;
	int changed;  /* which of them */
	int64_t ends; /* from the start; 0: where it did */
	uint32_t key_usage;
	const char *why; /* what our device has against it; NULL: nothing */
} rows[] = {
	{ "server.ra.signing.not_after=2d", 0, 2 * DAY, KU_DIGITAL_SIGNATURE,
	    NULL },
	{ "server.ra.encryption.not_after=30d", 1, 30 * DAY,
	    KU_KEY_ENCIPHERMENT, NULL },
	{ "server.ra.signing.key_usage=none", 0, 0, UINT32_MAX,
	    "the signer is not the RA" },
	{ "server.ra.encryption.key_usage=both", 1, 0,
	    KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT, NULL },
};

/* To within the seconds that the start of a site may take. */
static void
must_end(X509 *cert, int64_t at)
{
	assert_true(
	    ASN1_TIME_cmp_time_t(X509_get0_notAfter(cert), at - 60) >= 0);
	assert_true(
	    ASN1_TIME_cmp_time_t(X509_get0_notAfter(cert), at + 60) <= 0);
}

static void
certificates_change_and_keys_do_not(void **state)
{
	struct fixture *f = *state;
	STACK_OF(X509) *recipients = sk_X509_new_null();
	const struct device_order order = { .challenge = NDES_CHALLENGE,
		.recipients = recipients };

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct row *t = &rows[i];
		struct device_answer a;
		X509 *cert;

		use(f, t->set, NULL);
		cert = shown(f->ndes.ca_certs, t->changed);
		assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(cert),
				     X509_get0_pubkey(
					 shown(f->before, t->changed))),
		    1);
		assert_int_equal(X509_verify(cert,
				     X509_get0_pubkey(shown(f->before, 2))),
		    1);
		for (int other = 0; other < 3; other++)
			assert_int_equal(X509_cmp(shown(f->ndes.ca_certs,
						      other),
					     shown(f->before, other)) == 0,
			    other != t->changed);
		if (t->ends != 0)
			must_end(cert, f->ndes.server.started + t->ends);
		assert_int_equal(X509_get_key_usage(cert), t->key_usage);
		/* The server works with it, whatever a device makes of it. */
		sk_X509_push(recipients, shown(f->ndes.ca_certs, 1));
		if (device_ask(&f->device, f->ndes.server.url, &order,
			f->ndes.ca_certs, &a) != (t->why == NULL))
			fail_msg("%s: %s", t->set, a.why);
		assert_string_equal(a.why, t->why == NULL ? "" : t->why);
		assert_int_equal(a.certificate != NULL, t->why == NULL);
		device_answer_clear(&a);
		sk_X509_pop(recipients);
	}
	sk_X509_free(recipients);
}

/* A device that has not asked again seals to what it knows. */
static void
the_certificate_before_is_known(void **state)
{
	struct fixture *f = *state;
	STACK_OF(X509) *recipients = sk_X509_new_null();
	struct device_order order = { .challenge = NDES_CHALLENGE,
		.recipients = recipients };

	use(f, NULL, NULL);
	sk_X509_push(recipients,
	    X509_dup(device_ra(f->ndes.ca_certs, KU_KEY_ENCIPHERMENT)));
	use(f, "server.ra.encryption.not_after=1d", NULL);
	ndes_expect(&f->ndes, "before", &f->device, &order, NDES_SUCCESS, 0);
	sk_X509_pop_free(recipients, X509_free);
}

/* Of the time of the site's opening, whenever the setting comes. */
static void
time_is_counted_from_the_opening(void **state)
{
	struct fixture *f = *state;
	X509 *first;

	use(f, "server.ra.signing.not_after=30d", NULL);
	first = X509_dup(shown(f->ndes.ca_certs, 0));
	server_advance_clock(&f->ndes.server, 20 * DAY);
	/* The same setting is the same certificate. */
	use(f, "server.ra.signing.not_after=30d", "server.mscep.bom=true");
	assert_int_equal(X509_cmp(first, shown(f->ndes.ca_certs, 0)), 0);
	use(f, NULL, NULL);
	use(f, "server.ra.signing.not_after=30d", NULL);
	assert_int_equal(ASN1_TIME_compare(X509_get0_notAfter(first),
			     X509_get0_notAfter(shown(f->ndes.ca_certs, 0))),
	    0);
	X509_free(first);
}

/* Another CA has such RAs too, and so has the next one. */
static void
the_ca_may_change_as_well(void **state)
{
	struct fixture *f = *state;
	X509 *cert;

	use(f, "server.ca.key=ec-p256", "server.ra.signing.key_usage=both");
	cert = shown(f->ndes.ca_certs, 0);
	assert_int_equal(X509_get_key_usage(cert),
	    KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT);
	assert_int_equal(X509_verify(cert,
			     X509_get0_pubkey(shown(f->ndes.ca_certs, 2))),
	    1);
	use(f, "server.ca.rollover_after=30d",
	    "server.ra.signing.key_usage=both");
	server_advance_clock(&f->ndes.server, 40 * DAY);
	ndes_look_again(&f->ndes);
	cert = shown(f->ndes.ca_certs, 0);
	assert_int_equal(X509_get_key_usage(cert),
	    KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT);
	assert_int_equal(X509_verify(cert,
			     X509_get0_pubkey(shown(f->ndes.ca_certs, 2))),
	    1);
	assert_int_not_equal(X509_cmp(shown(f->ndes.ca_certs, 2),
				 shown(f->before, 2)),
	    0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(certificates_change_and_keys_do_not),
		cmocka_unit_test(the_certificate_before_is_known),
		cmocka_unit_test(time_is_counted_from_the_opening),
		cmocka_unit_test(the_ca_may_change_as_well),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
