/* strongSwan's pki enrols with the program. */
#include "support/test.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <string.h>

#include "support/device.h"
#include "support/program.h"
#include "support/strongswan.h"

static struct fixture {
	struct program program;
	struct strongswan client;
	STACK_OF(X509) * ca_certs;
	char dir[FILE_PATH_SIZE], key[FILE_PATH_SIZE];
} fixture;

static int
start(void **state)
{
	static const char *const arguments[] = { "--challenge", "secret",
		"--set", STRONGSWAN_CAPABILITIES, NULL };
	struct fixture *f = *state = &fixture;

	web_start();
	dir_make(f->dir);
	strongswan_make(&f->client, f->dir);
	program_start(&f->program, arguments, NULL);
	f->ca_certs = device_ca_certs(f->program.url);
	assert_non_null(device_ca(f->ca_certs));
	strongswan_get_ca(&f->client, f->program.url);
	strongswan_make_key(&f->client, "key.pem", f->key);
	return 0;
}

/* After a start that failed, too: cmocka has no teardown for that. */
static void
stop(struct fixture *f)
{
	if (f->dir[0] == '\0')
		return;
	device_ca_certs_free(f->ca_certs);
	if (f->program.ready != NULL)
		program_stop(&f->program, SIGTERM);
	dir_remove(f->dir);
}

static void
enrol(const struct fixture *f, const char *password, struct child_result *said)
{
	const struct strongswan_order order = { .key = f->key,
		.password = password };

	strongswan_enrol(&f->client, f->program.url, &order, said);
}

static X509 *
read_certificate(const char *path)
{
	BIO *file = BIO_new_file(path, "r");
	X509 *cert = file == NULL ? NULL :
				    PEM_read_bio_X509(file, NULL, NULL, NULL);

	if (cert == NULL)
		fail_msg("%s: no certificate", path);
	BIO_free(file);
	return cert;
}

static void
scepca_gets_the_ca_and_both_ras(void **state)
{
	const struct fixture *f = *state;
	const char *const paths[] = { f->client.cas[0], f->client.encryption_ra,
		f->client.signing_ra };
	X509 *const expected[] = { device_ca(f->ca_certs),
		device_ra(f->ca_certs, KU_KEY_ENCIPHERMENT),
		device_ra(f->ca_certs, KU_DIGITAL_SIGNATURE) };

	assert_int_equal(f->client.tiers, 1);
	for (size_t i = 0; i < COUNT_OF(paths); i++) {
		X509 *cert = read_certificate(paths[i]);

		assert_int_equal(X509_cmp(cert, expected[i]), 0);
		X509_free(cert);
	}
}

static void
the_right_challenge_enrols(void **state)
{
	const struct fixture *f = *state;
	struct device device = { 0 };
	struct child_result said;
	BIO *key, *cert;

	enrol(f, "secret", &said);
	if (said.status != 0)
		fail_msg("%d: %s", said.status, (char *)said.err.data);
	assert_non_null(
	    strstr((char *)said.err.data, "Issued certificate is trusted"));
	key = BIO_new_file(f->key, "r");
	cert = BIO_new_mem_buf(said.out.data, (int)said.out.len);
	device.key = PEM_read_bio_PrivateKey(key, NULL, NULL, NULL);
	device.signer = PEM_read_bio_X509(cert, NULL, NULL, NULL);
	assert_non_null(device.key);
	assert_non_null(device.signer);
	assert_string_equal(device_judge(&device, f->ca_certs, device.signer),
	    "");
	device_clear(&device);
	BIO_free(key);
	BIO_free(cert);
	child_result_clear(&said);
}

static void
is_refused(const struct fixture *f, const char *password)
{
	struct child_result said;

	enrol(f, password, &said);
	assert_int_equal(said.status, 1);
	assert_int_equal(said.out.len, 0);
	if (strstr((char *)said.err.data,
		"badRequest - transaction not permitted or supported") == NULL)
		fail_msg("%s", (char *)said.err.data);
	child_result_clear(&said);
}

static void
a_wrong_challenge_is_refused(void **state)
{
	is_refused(*state, "other");
}

static void
no_challenge_is_refused(void **state)
{
	is_refused(*state, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scepca_gets_the_ca_and_both_ras),
		cmocka_unit_test(the_right_challenge_enrols),
		cmocka_unit_test(a_wrong_challenge_is_refused),
		cmocka_unit_test(no_challenge_is_refused),
	};
	int failed = cmocka_run_group_tests(tests, start, NULL);

	stop(&fixture);
	return failed;
}
