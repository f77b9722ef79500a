/* GetCert and GetCRL (RFC 8894 3.3.4). */
#include "support/test.h"

#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "support/ndes.h"

#define DAY (24 * 60 * 60L)

static struct fixture {
	struct ndes ndes;
	struct device device, stranger;
	X509 *issued;
} fixture;

static int
start(void **state)
{
	struct fixture *f = *state = &fixture;

	web_start();
	ndes_start(&f->ndes, NULL);
	if (!device_make(&f->device) ||
	    !device_make_with(&f->stranger, DEVICE_P256))
		return -1;
	f->issued = ndes_enrol(&f->ndes, &f->device,
	    &(struct device_order){ .challenge = NDES_CHALLENGE });
	return 0;
}

static int
stop(void **state)
{
	struct fixture *f = *state;

	X509_free(f->issued);
	device_clear(&f->device);
	device_clear(&f->stranger);
	ndes_stop(&f->ndes);
	return 0;
}

static const X509_NAME *
subject_of(X509 *cert)
{
	return X509_get_subject_name(cert);
}

/* Whoever asks: certificates are no secrets. */
static void
a_certificate_is_found_by_its_serial_number(void **state)
{
	struct fixture *f = *state;
	const struct device *const who[] = { &f->device, &f->stranger };
	struct device_answer a;

	for (size_t i = 0; i < COUNT_OF(who); i++) {
		ndes_ask(&f->ndes, who[i],
		    &(struct device_order){ .type = DEVICE_GET_CERT,
			.serial = X509_get0_serialNumber(f->issued) },
		    &a);
		assert_non_null(a.certificate);
		assert_int_equal(X509_cmp(a.certificate, f->issued), 0);
		device_answer_clear(&a);
	}
}

static void
a_certificate_that_nobody_has_is_not_found(void **state)
{
	struct fixture *f = *state;
	ASN1_INTEGER *serial = ASN1_INTEGER_dup(
	    X509_get0_serialNumber(f->issued));
	struct device_order order = { .type = DEVICE_GET_CERT,
		.serial = serial };

	serial->data[serial->length - 1] ^= 1;
	ndes_expect(&f->ndes, "another serial number", &f->device, &order,
	    NDES_FAILURE, NDES_BAD_CERT_ID);
	assert_true(ASN1_INTEGER_set(serial, 0));
	ndes_expect(&f->ndes, "0", &f->device, &order, NDES_FAILURE,
	    NDES_BAD_CERT_ID);
	assert_true(ASN1_INTEGER_set(serial, -1));
	ndes_expect(&f->ndes, "-1", &f->device, &order, NDES_FAILURE,
	    NDES_BAD_CERT_ID);
	ASN1_INTEGER_free(serial);
}

/* Clients take the RA for the CA (quirks 76). */
static void
the_issuer_must_be_the_ca(void **state)
{
	struct fixture *f = *state;
	STACK_OF(X509) *certs = f->ndes.ca_certs;
	const struct {
		const char *row;
		const X509_NAME *issuer;
	} rows[] = {
		{ "the signing RA",
		    subject_of(device_ra(certs, KU_DIGITAL_SIGNATURE)) },
		{ "the encryption RA",
		    subject_of(device_ra(certs, KU_KEY_ENCIPHERMENT)) },
		{ "the device", subject_of(f->device.signer) },
	};
	struct device_order order = { .serial = X509_get0_serialNumber(
					  f->issued) };

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		order.issuer = rows[i].issuer;
		order.type = DEVICE_GET_CERT;
		ndes_expect(&f->ndes, rows[i].row, &f->device, &order,
		    NDES_FAILURE, NDES_BAD_CERT_ID);
		order.type = DEVICE_GET_CRL;
		ndes_expect(&f->ndes, rows[i].row, &f->device, &order,
		    NDES_FAILURE, NDES_BAD_CERT_ID);
	}
}

/* RFC 8894 3.3.4: how a client gets its own again, e.g. that of the RA. */
static void
the_certificates_of_ca_and_ras_are_found(void **state)
{
	struct fixture *f = *state;
	struct device_answer a;
	X509 *wanted;

	for (int i = 0; i < sk_X509_num(f->ndes.ca_certs); i++) {
		wanted = sk_X509_value(f->ndes.ca_certs, i);
		ndes_ask(&f->ndes, &f->device,
		    &(struct device_order){ .type = DEVICE_GET_CERT,
			.serial = X509_get0_serialNumber(wanted) },
		    &a);
		if (a.certificate == NULL ||
		    X509_cmp(a.certificate, wanted) != 0)
			fail_msg("certificate %d: pkiStatus %d", i,
			    a.pki_status);
		device_answer_clear(&a);
	}
}

static X509_CRL *
get_crl(const struct fixture *f)
{
	struct device_answer a;

	ndes_ask(&f->ndes, &f->device,
	    &(struct device_order){ .type = DEVICE_GET_CRL,
		.serial = X509_get0_serialNumber(f->issued) },
	    &a);
	assert_non_null(a.crl);
	assert_true(
	    device_crl_verifies(f->ndes.ca_certs, a.crl, ndes_now(&f->ndes)));
	return a.crl;
}

static bool
is_on(X509_CRL *crl, X509 *cert, long *reason)
{
	X509_REVOKED *entry = NULL;
	ASN1_ENUMERATED *code;

	if (X509_CRL_get0_by_cert(crl, &entry, cert) != 1)
		return false;
	code = X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, NULL, NULL);
	*reason = code == NULL ? -1 : ASN1_ENUMERATED_get(code);
	ASN1_ENUMERATED_free(code);
	return true;
}

static long
number_of(const X509_CRL *crl)
{
	ASN1_INTEGER *number = X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL,
	    NULL);
	long out = number == NULL ? -1 : ASN1_INTEGER_get(number);

	ASN1_INTEGER_free(number);
	return out;
}

static void
the_crl_has_what_was_revoked_and_grows_in_number(void **state)
{
	struct fixture *f = *state;
	X509 *other = ndes_enrol(&f->ndes, &f->device,
	    &(struct device_order){ .challenge = NDES_CHALLENGE });
	X509_CRL *before = get_crl(f), *after;
	long reason = -1;

	assert_false(is_on(before, other, &reason));
	ndes_revoke(&f->ndes, other);
	after = get_crl(f);
	assert_true(is_on(after, other, &reason));
	assert_int_equal(reason, NDES_KEY_COMPROMISE);
	assert_false(is_on(after, f->issued, &reason));
	assert_true(number_of(before) >= 0);
	assert_true(number_of(after) > number_of(before));
	X509_CRL_free(before);
	X509_CRL_free(after);
	X509_free(other);
}

static void
a_crl_is_fresh_whenever_it_is_asked_for(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 3; i++) {
		X509_CRL_free(get_crl(f));
		server_advance_clock(&f->ndes.server, 100 * DAY);
	}
}

/* What NDES does is not known (ndes-facts 3.8). */
static void
queries_are_refused_if_the_setting_says_so(void **state)
{
	static const char *const off[] = { "server.mscep.queries=refused",
		NULL };
	static const char *const usual[] = { NULL };
	static const int types[] = { DEVICE_GET_CERT, DEVICE_GET_CRL };
	struct fixture *f = *state;

	assert_int_equal(server_use_scenario(&f->ndes.server, off), 0);
	for (size_t i = 0; i < COUNT_OF(types); i++)
		ndes_expect(&f->ndes, "refused", &f->device,
		    &(struct device_order){ .type = types[i],
			.serial = X509_get0_serialNumber(f->issued) },
		    NDES_FAILURE, NDES_BAD_REQUEST);
	assert_int_equal(server_use_scenario(&f->ndes.server, usual), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_certificate_is_found_by_its_serial_number),
		cmocka_unit_test(a_certificate_that_nobody_has_is_not_found),
		cmocka_unit_test(the_issuer_must_be_the_ca),
		cmocka_unit_test(the_certificates_of_ca_and_ras_are_found),
		cmocka_unit_test(
		    the_crl_has_what_was_revoked_and_grows_in_number),
		cmocka_unit_test(queries_are_refused_if_the_setting_says_so),
		/* Last: afterwards the clock is wrong. */
		cmocka_unit_test(a_crl_is_fresh_whenever_it_is_asked_for),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
