/* certmonger, a daemon, enrols with the program. */
#include "support/test.h"

#include <glob.h>
#include <openssl/pem.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "support/certmonger.h"
#include "support/device.h"
#include "support/program.h"

#define LOG_SECONDS 10

static struct fixture {
	struct program program;
	struct certmonger client;
	STACK_OF(X509) * ca_certs;
	char dir[FILE_PATH_SIZE];
} fixture;

static int
start(void **state)
{
	struct fixture *f = *state = &fixture;
	char logs[FILE_PATH_SIZE];
	const char *const arguments[] = { "--challenge", "secret", "--log-dir",
		logs, NULL };

	web_start();
	dir_make(f->dir);
	path_in(logs, f->dir, "logs");
	program_start(&f->program, arguments, NULL);
	f->ca_certs = device_ca_certs(f->program.url);
	assert_non_null(device_ca(f->ca_certs));
	certmonger_start(&f->client, f->dir, f->program.url);
	return 0;
}

/* After a start that failed, too: cmocka has no teardown for that. */
static void
stop(struct fixture *f)
{
	if (f->dir[0] == '\0')
		return;
	certmonger_stop(&f->client);
	device_ca_certs_free(f->ca_certs);
	if (f->program.ready != NULL)
		program_stop(&f->program, SIGTERM);
	dir_remove(f->dir);
}

static bool
has_certificate(const struct fixture *f, const char *id)
{
	char path[FILE_PATH_SIZE];

	return access(certmonger_cert(&f->client, id, path), F_OK) == 0;
}

/* Key and certificate are what was asked for, and fit together. */
static void
assert_enrolled(const struct fixture *f, const char *id)
{
	struct device device = { 0 };
	char path[FILE_PATH_SIZE];
	BIO *key_file = BIO_new_file(certmonger_key(&f->client, id, path), "r");
	BIO *cert_file = BIO_new_file(certmonger_cert(&f->client, id, path),
	    "r");

	assert_non_null(key_file);
	assert_non_null(cert_file);
	device.key = PEM_read_bio_PrivateKey(key_file, NULL, NULL, NULL);
	device.signer = PEM_read_bio_X509(cert_file, NULL, NULL, NULL);
	assert_non_null(device.key);
	assert_non_null(device.signer);
	assert_string_equal(device_judge(&device, f->ca_certs, device.signer),
	    "");
	device_clear(&device);
	BIO_free(key_file);
	BIO_free(cert_file);
}

/* How often it asked for this, as the IIS log has it. */
static int
count_asked(const struct fixture *f, const char *verb, const char *operation)
{
	char pattern[FILE_PATH_SIZE], words[128];
	struct buffer log;
	glob_t found;
	int count = 0;

	path_in(pattern, f->dir, "logs/*/W3SVC1/*.log");
	snprintf(words, sizeof(words),
	    " %s /certsrv/mscep/mscep.dll operation=%s&", verb, operation);
	if (glob(pattern, 0, NULL, &found) != 0)
		return 0;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		assert_true(file_read(found.gl_pathv[i], &log));
		for (char *at = (char *)log.data;
		     (at = strstr(at, words)) != NULL; at++)
			count++;
		buffer_free(&log);
	}
	globfree(&found);
	return count;
}

/* A line is written when the client may have gone already. */
static bool
wait_for_asked(const struct fixture *f, const char *operation, int count)
{
	for (int i = 0; i < LOG_SECONDS * 50; i++) {
		if (count_asked(f, "GET", operation) >= count)
			return true;
		poll(NULL, 0, 20);
	}
	return false;
}

static void
the_right_challenge_enrols_by_get(void **state)
{
	const struct fixture *f = *state;
	int before = count_asked(f, "GET", "PKIOperation");

	certmonger_request(&f->client, "right", "secret",
	    certmonger_to_the_end);
	certmonger_must(&f->client, GETCERT("list", "-i", "right"),
	    "status: MONITORING");
	certmonger_must(&f->client, GETCERT("list", "-i", "right"),
	    "stuck: no");
	assert_enrolled(f, "right");
	/* POSTPKIOperation is listed, but it never posts. */
	assert_true(wait_for_asked(f, "PKIOperation", before + 1));
}

static void
a_wrong_challenge_is_rejected(void **state)
{
	const struct fixture *f = *state;

	assert_int_not_equal(certmonger_request(&f->client, "wrong", "other",
				 certmonger_to_the_end),
	    0);
	certmonger_must(&f->client, GETCERT("list", "-i", "wrong"),
	    "status: CA_REJECTED");
	/* scep-submit's words for failInfo badRequest. */
	certmonger_must(&f->client, GETCERT("list", "-i", "wrong"),
	    "ca-error: Transaction either is not permitted or is not "
	    "supported by server.");
	certmonger_must(&f->client, GETCERT("list", "-i", "wrong"),
	    "stuck: yes");
	assert_false(has_certificate(f, "wrong"));
}

static void
no_challenge_is_rejected(void **state)
{
	const struct fixture *f = *state;

	assert_int_not_equal(certmonger_request(&f->client, "none", NULL,
				 certmonger_to_the_end),
	    0);
	certmonger_must(&f->client, GETCERT("list", "-i", "none"),
	    "status: CA_REJECTED");
	assert_false(has_certificate(f, "none"));
}

static void
refreshing_asks_for_the_ca_and_leaves_what_was_issued(void **state)
{
	const struct fixture *f = *state;
	int before;

	certmonger_request(&f->client, "fresh", "secret",
	    certmonger_to_the_end);
	before = count_asked(f, "GET", "GetCACert");
	certmonger_must(&f->client, GETCERT("refresh-ca", "-c", "NDES"), NULL);
	assert_true(wait_for_asked(f, "GetCACert", before + 1));
	certmonger_must(&f->client, GETCERT("refresh", "-i", "fresh"), NULL);
	certmonger_wait_for_ca(&f->client, f->program.url);
	certmonger_must(&f->client, GETCERT("list", "-i", "fresh"),
	    "status: MONITORING");
	assert_enrolled(f, "fresh");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_right_challenge_enrols_by_get),
		cmocka_unit_test(a_wrong_challenge_is_rejected),
		cmocka_unit_test(no_challenge_is_rejected),
		cmocka_unit_test(
		    refreshing_asks_for_the_ca_and_leaves_what_was_issued),
	};
	int failed = cmocka_run_group_tests(tests, start, NULL);

	stop(&fixture);
	return failed;
}
