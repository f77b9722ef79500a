/*
 * strongSwan's pki --scepca and pki --scep. Version 5.9.8 looks for another
 * bit than the one that a keyword sets (quirk 19): it finds "DES3" only where
 * "AES" is listed, and AES never. So the server lists AES, which healthy NDES
 * does not, and the client is told to use 3DES.
 */
#include "support/test.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "support/child.h"
#include "support/device.h"
#include "support/files.h"
#include "support/program.h"

static struct fixture {
	struct program program;
	STACK_OF(X509) * ca_certs;
	char dir[FILE_PATH_SIZE];
	char config[FILE_PATH_SIZE], key[FILE_PATH_SIZE], ca[FILE_PATH_SIZE];
	char ra[2][FILE_PATH_SIZE]; /* for encryption, for signatures */
} fixture;

/* Runs pki with these arguments, NULL ended. */
static void
pki(const struct fixture *f, const char *const argv[],
    struct child_result *said)
{
	char config[FILE_PATH_SIZE + 32];
	/* What this machine has configured for its VPN shall not count. */
	const char *const env[] = { config, "no_proxy=*", "LC_ALL=C", NULL };

	snprintf(config, sizeof(config), "STRONGSWAN_CONF=%s", f->config);
	child_run(argv, env, said);
}
#define PKI(...) ((const char *const[]){ "pki", __VA_ARGS__, NULL })

static void
must(struct child_result *said, const char *what)
{
	if (said->status != 0)
		fail_msg("pki %s: %d: %s", what, said->status,
		    (char *)said->err.data);
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

/* It numbers the RAs in the order of GetCACert, which is any. */
static void
sort_ras(struct fixture *f)
{
	static const char *const names[] = { "ra.pem", "ra-2.pem" };

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		char path[FILE_PATH_SIZE];
		X509 *cert = read_certificate(path_in(path, f->dir, names[i]));
		uint32_t usage = X509_get_key_usage(cert);

		strcpy(f->ra[usage == KU_KEY_ENCIPHERMENT ? 0 : 1], path);
		X509_free(cert);
	}
}

static void
get_ca(struct fixture *f)
{
	struct child_result said;
	char ra[FILE_PATH_SIZE];

	pki(f,
	    PKI("--scepca", "--url", f->program.url, "--caout",
		path_in(f->ca, f->dir, "ca.pem"), "--raout",
		path_in(ra, f->dir, "ra.pem"), "--outform", "pem"),
	    &said);
	must(&said, "--scepca");
	child_result_clear(&said);
	sort_ras(f);
}

static void
make_key(struct fixture *f)
{
	struct child_result said;

	pki(f,
	    PKI("--gen", "--type", "rsa", "--size", "2048", "--outform", "pem"),
	    &said);
	must(&said, "--gen");
	file_write(path_in(f->key, f->dir, "key.pem"), said.out.data,
	    said.out.len);
	child_result_clear(&said);
}

static int
start(void **state)
{
	static const char *const arguments[] = { "--challenge", "secret",
		"--set",
		"server.mscep.capabilities=[POSTPKIOperation, Renewal, "
		"SHA-512, SHA-256, SHA-1, DES3, AES]",
		NULL };
	struct fixture *f = *state = &fixture;

	web_start();
	dir_make(f->dir);
	file_write(path_in(f->config, f->dir, "strongswan.conf"), "", 0);
	program_start(&f->program, arguments, NULL);
	f->ca_certs = device_ca_certs(f->program.url);
	assert_non_null(device_ca(f->ca_certs));
	get_ca(f);
	make_key(f);
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
	pki(f,
	    PKI("--scep", "--url", f->program.url, "--in", f->key, "--dn",
		"CN=" DEVICE_SUBJECT, "--san", DEVICE_DNS_NAME, "--cacert-enc",
		f->ra[0], "--cacert-sig", f->ra[1], "--cacert", f->ca,
		"--cipher", "des3", "--outform", "pem",
		password == NULL ? NULL : "--password", password),
	    said);
}

static void
scepca_gets_the_ca_and_both_ras(void **state)
{
	const struct fixture *f = *state;
	const char *const paths[] = { f->ca, f->ra[0], f->ra[1] };
	X509 *const expected[] = { device_ca(f->ca_certs),
		device_ra(f->ca_certs, KU_KEY_ENCIPHERMENT),
		device_ra(f->ca_certs, KU_DIGITAL_SIGNATURE) };

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
	must(&said, "--scep");
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
