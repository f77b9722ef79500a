/* micromdm's scepclient, a client that knows nothing of us, and openssl. */
#include "support/test.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/device.h"
#include "support/openssl.h"
#include "support/program.h"
#include "support/scepclient.h"

#define LASTING "a lasting one"

static struct fixture {
	struct program program;
	char dir[FILE_PATH_SIZE], ca[FILE_PATH_SIZE];
	int clients; /* each has a directory of its own below dir */
} fixture;

static int
start(void **state)
{
	struct fixture *f = *state = &fixture;
	const char *arguments[] = { "--challenge", LASTING, "--ca-out", f->ca,
		NULL };

	web_start();
	dir_make(f->dir);
	path_in(f->ca, f->dir, "ca.pem");
	program_start(&f->program, arguments, NULL);
	return 0;
}

static int
stop(void **state)
{
	struct fixture *f = *state;

	program_stop(&f->program, SIGTERM);
	dir_remove(f->dir);
	return 0;
}

/* What one run of scepclient leaves. */
struct run {
	struct scepclient client;
	struct child_result result;
};

/* As a device of its own. */
static void
run_client(struct fixture *f, const char *url, const char *challenge,
    const char *const more[], struct run *run)
{
	char name[16];

	snprintf(name, sizeof(name), "%d", ++f->clients);
	scepclient_make(&run->client, f->dir, name);
	scepclient_run(&run->client, url, challenge, more, &run->result);
}

static void
assert_enrolled(const struct fixture *f, const struct run *run)
{
	if (run->result.status != 0 ||
	    !child_has_said(&run->result, "pkiStatus=SUCCESS"))
		fail_msg("scepclient: %d %s%s", run->result.status,
		    (char *)run->result.out.data, (char *)run->result.err.data);
	openssl_judge(run->client.cert, run->client.key, SCEPCLIENT_SUBJECT,
	    f->ca, 1);
}

static void
assert_refused(const struct run *run, const char *words)
{
	if (run->result.status != 1 || !child_has_said(&run->result, words))
		fail_msg("scepclient: %d %s%s", run->result.status,
		    (char *)run->result.out.data, (char *)run->result.err.data);
	assert_int_equal(access(run->client.cert, F_OK), -1);
}

static void
a_one_time_password_enrols_once(void **state)
{
	char password[DEVICE_PASSWORD_SIZE];
	struct fixture *f = *state;
	struct run run;

	assert_true(device_password(f->program.admin, password));
	run_client(f, f->program.url, password, NULL, &run);
	assert_enrolled(f, &run);
	child_result_clear(&run.result);
	run_client(f, f->program.url, password, NULL, &run);
	assert_refused(&run, "failInfo: badMessageCheck (1)");
	child_result_clear(&run.result);
}

static void
a_lasting_challenge_enrols_at_every_url(void **state)
{
	static const char *const paths[] = { "/certsrv/mscep/mscep.dll",
		"/certsrv/mscep/mscep.dll/pkiclient.exe", "/certsrv/mscep/",
		"/CertSrv/MSCEP/mscep.dll" };
	struct fixture *f = *state;
	char url[256];
	struct run run;

	for (size_t i = 0; i < COUNT_OF(paths); i++) {
		snprintf(url, sizeof(url), "%s%s", f->program.base, paths[i]);
		run_client(f, url, LASTING, NULL, &run);
		assert_enrolled(f, &run);
		child_result_clear(&run.result);
	}
}

static void
a_wrong_or_missing_challenge_is_refused(void **state)
{
	static const char *const challenges[] = { "wrong", "", LASTING "r",
		"a lasting" };
	struct fixture *f = *state;
	struct run run;

	for (size_t i = 0; i < COUNT_OF(challenges); i++) {
		run_client(f, f->program.url, challenges[i], NULL, &run);
		assert_refused(&run, "failInfo: badRequest (2)");
		child_result_clear(&run.result);
	}
}

static void
a_larger_key_enrols(void **state)
{
	static const char *const more[] = { "-keySize", "3072", NULL };
	struct fixture *f = *state;
	struct run run;

	run_client(f, f->program.url, LASTING, more, &run);
	assert_enrolled(f, &run);
	child_result_clear(&run.result);
}

/* Records the reply to a message of ours, and all that is needed to read it. */
static void
record(const struct fixture *f, const char *reply_file, const char *key_file,
    const char *signer_file, const char *ras_file)
{
	STACK_OF(X509) *certs = device_ca_certs(f->program.url);
	const struct device_order order = { .challenge = LASTING,
		.recipients = certs };
	struct device_message m;
	struct web_reply reply;
	struct device device;
	FILE *file;

	assert_true(device_make(&device));
	assert_true(device_message_make(&device, &order, &m));
	assert_true(device_post(f->program.url, &m, &reply));
	file_write(reply_file, reply.body.data, reply.body.len);
	assert_non_null(file = fopen(key_file, "we"));
	PEM_write_PrivateKey(file, device.key, NULL, NULL, 0, NULL, NULL);
	fclose(file);
	assert_non_null(file = fopen(signer_file, "we"));
	PEM_write_X509(file, device.signer);
	fclose(file);
	assert_non_null(file = fopen(ras_file, "we"));
	PEM_write_X509(file, device_ra(certs, KU_DIGITAL_SIGNATURE));
	fclose(file);
	web_reply_clear(&reply);
	device_message_clear(&m);
	device_clear(&device);
	device_ca_certs_free(certs);
}

static void
the_openssl_command_reads_a_recorded_reply(void **state)
{
	char reply[FILE_PATH_SIZE], key[FILE_PATH_SIZE], signer[FILE_PATH_SIZE];
	char ras[FILE_PATH_SIZE], content[FILE_PATH_SIZE];
	char degenerate[FILE_PATH_SIZE], issued[FILE_PATH_SIZE], *text;
	struct fixture *f = *state;

	path_in(reply, f->dir, "reply.der");
	path_in(key, f->dir, "device.key");
	path_in(signer, f->dir, "device.pem");
	path_in(ras, f->dir, "ras.pem");
	path_in(content, f->dir, "content.der");
	path_in(degenerate, f->dir, "degenerate.der");
	path_in(issued, f->dir, "issued.pem");
	record(f, reply, key, signer, ras);
	text = OPENSSL("asn1parse", "-inform", "DER", "-in", reply);
	/* pkiStatus, and Microsoft's "Issued" (ndes-facts 3.4). */
	assert_non_null(strstr(text, ":2.16.840.1.113733.1.9.3"));
	assert_non_null(strstr(text, "UTF8STRING        :Issued"));
	free(text);
	free(OPENSSL("cms", "-verify", "-inform", "DER", "-in", reply,
	    "-certfile", ras, "-noverify", "-binary", "-out", content));
	free(OPENSSL("cms", "-decrypt", "-inform", "DER", "-in", content,
	    "-inkey", key, "-recip", signer, "-binary", "-out", degenerate));
	free(OPENSSL("pkcs7", "-inform", "DER", "-in", degenerate,
	    "-print_certs", "-out", issued));
	free(OPENSSL("verify", "-CAfile", f->ca, issued));
	text = OPENSSL("x509", "-in", issued, "-noout", "-ext",
	    "subjectAltName");
	assert_non_null(strstr(text, "DNS:" DEVICE_DNS_NAME));
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_one_time_password_enrols_once),
		cmocka_unit_test(a_lasting_challenge_enrols_at_every_url),
		cmocka_unit_test(a_wrong_or_missing_challenge_is_refused),
		cmocka_unit_test(a_larger_key_enrols),
		cmocka_unit_test(the_openssl_command_reads_a_recorded_reply),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
