/* Real clients enrol with the program in TLS, if they trust its CA. */
#include "support/test.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/certmonger.h"
#include "support/device.h"
#include "support/openssl.h"
#include "support/program.h"
#include "support/scepclient.h"
#include "support/strongswan.h"
#include "support/tls.h"
#include "support/trust.h"

#define CHALLENGE "secret"

static struct fixture {
	struct program program;
	STACK_OF(X509) * ca_certs;
	char dir[FILE_PATH_SIZE], ca[FILE_PATH_SIZE];
} fixture;

static int
start(void **state)
{
	struct fixture *f = *state = &fixture;
	const char *const arguments[] = { "--tls-listen", "127.0.0.1:0",
		"--challenge", CHALLENGE, "--ca-out", f->ca, "--set",
		STRONGSWAN_CAPABILITIES, NULL };

	web_start();
	path_in(f->ca, dir_make(f->dir), "ca.pem");
	program_start(&f->program, arguments, NULL);
	web_trust(f->ca);
	assert_non_null(f->program.tls);
	assert_int_equal(strncmp(f->program.tls, "https://127.0.0.1:", 18), 0);
	f->ca_certs = device_ca_certs(f->program.tls);
	assert_non_null(device_ca(f->ca_certs));
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

/* curl does what a device would; what it sends and gets is in files. */
static int
ask_by_curl(const struct fixture *f, const char *ca, const char *message,
    const char *answer, struct child_result *said)
{
	char data[FILE_PATH_SIZE + 1], url[256];
	const char *const argv[] = { "curl", "-sS", "--fail", "--noproxy", "*",
		"--cacert", ca, "-H", "Content-Type: application/x-pki-message",
		"--data-binary", data, "-o", answer, url, NULL };

	snprintf(data, sizeof(data), "@%s", message);
	snprintf(url, sizeof(url), "%s?operation=PKIOperation", f->program.tls);
	child_run(argv, NULL, said);
	return said->status;
}

static void
curl_enrols(void **state)
{
	const struct fixture *f = *state;
	char message[FILE_PATH_SIZE], answer[FILE_PATH_SIZE];
	char other[FILE_PATH_SIZE];
	const struct device_order order = { .challenge = CHALLENGE,
		.recipients = f->ca_certs };
	struct device device = { 0 };
	struct device_message m;
	struct device_answer a;
	struct child_result said;
	struct buffer got;
	FILE *file;

	assert_true(device_make(&device));
	assert_true(device_message_make(&device, &order, &m));
	file_write(path_in(message, f->dir, "request.der"), m.der.data,
	    m.der.len);
	path_in(answer, f->dir, "answer.der");
	if (ask_by_curl(f, f->ca, message, answer, &said) != 0)
		fail_msg("curl: %d: %s", said.status, (char *)said.err.data);
	child_result_clear(&said);
	assert_true(file_read(answer, &got));
	assert_true(device_answer_read(&device, &m, f->ca_certs,
	    buffer_span(&got), &a));
	assert_string_equal(device_judge(&device, f->ca_certs, a.certificate),
	    "");
	buffer_free(&got);
	device_answer_clear(&a);
	/* Who trusts somebody else does not even ask. */
	assert_non_null(file = fopen(path_in(other, f->dir, "o.pem"), "w"));
	assert_int_equal(PEM_write_X509(file, device.signer), 1);
	fclose(file);
	assert_int_equal(ask_by_curl(f, other, message, answer, &said), 60);
	assert_true(
	    child_has_said(&said, "unable to get local issuer certificate"));
	child_result_clear(&said);
	device_message_clear(&m);
	device_clear(&device);
}

static void
scepclient_enrols(void **state)
{
	const struct fixture *f = *state;
	struct child_result said;
	struct scepclient c;

	scepclient_make(&c, f->dir, "scepclient");
	/* Go knows no flag for it, but this. */
	setenv("SSL_CERT_FILE", f->ca, 1);
	scepclient_run(&c, f->program.tls, CHALLENGE, NULL, &said);
	if (said.status != 0)
		fail_msg("scepclient: %d: %s%s", said.status,
		    (char *)said.out.data, (char *)said.err.data);
	openssl_judge(c.cert, c.key, SCEPCLIENT_SUBJECT, f->ca, 1);
	child_result_clear(&said);
	unsetenv("SSL_CERT_FILE");
	scepclient_make(&c, f->dir, "distrustful");
	scepclient_run(&c, f->program.tls, CHALLENGE, NULL, &said);
	assert_int_equal(said.status, 1);
	assert_true(child_has_said(&said,
	    "x509: certificate signed by unknown authority"));
	child_result_clear(&said);
}

/* -R is for GetCACaps and GetCACert alone. */
static void
certmonger_asks_those_of_r_for_the_ca_alone(void **state)
{
	const struct fixture *f = *state;
	char dir[FILE_PATH_SIZE];
	struct certmonger c;

	if (!certmonger_is_known())
		skip();
	certmonger_start_tls(&c, dir_make(dir), f->program.tls, f->ca, false);
	certmonger_request(&c, "tls", CHALLENGE, certmonger_to_the_end);
	certmonger_must(&c, GETCERT("list", "-i", "tls"),
	    "status: CA_UNREACHABLE");
	certmonger_must(&c, GETCERT("list", "-i", "tls"),
	    "ca-error: Error 60 connecting to");
	certmonger_stop(&c);
	dir_remove(dir);
}

static void
certmonger_enrols(void **state)
{
	const struct fixture *f = *state;
	char dir[FILE_PATH_SIZE], key[FILE_PATH_SIZE], cert[FILE_PATH_SIZE];
	struct certmonger c;

	if (!trust_is_possible())
		skip();
	certmonger_start_tls(&c, dir_make(dir), f->program.tls, f->ca, true);
	certmonger_request(&c, "tls", CHALLENGE, certmonger_to_the_end);
	certmonger_must(&c, GETCERT("list", "-i", "tls"), "status: MONITORING");
	openssl_judge(certmonger_cert(&c, "tls", cert),
	    certmonger_key(&c, "tls", key), "CN=" DEVICE_SUBJECT, f->ca, 1);
	certmonger_stop(&c);
	dir_remove(dir);
}

static void
strongswan_enrols(void **state)
{
	const struct fixture *f = *state;
	char dir[FILE_PATH_SIZE], key[FILE_PATH_SIZE], cert[FILE_PATH_SIZE];
	struct strongswan_order order = { .key = key, .password = CHALLENGE };
	struct child_result said;
	struct strongswan c;

	if (!trust_is_possible())
		skip();
	strongswan_make(&c, dir_make(dir));
	c.trusted = f->ca;
	strongswan_get_ca(&c, f->program.tls);
	strongswan_make_key(&c, "key.pem", key);
	strongswan_enrol(&c, f->program.tls, &order, &said);
	if (said.status != 0)
		fail_msg("pki: %d: %s", said.status, (char *)said.err.data);
	file_write(path_in(cert, dir, "cert.pem"), said.out.data, said.out.len);
	openssl_judge(cert, key, "CN=" DEVICE_SUBJECT, f->ca, 1);
	child_result_clear(&said);
	/* Without the CA it does not even ask. */
	c.trusted = NULL;
	strongswan_enrol(&c, f->program.tls, &order, &said);
	assert_int_not_equal(said.status, 0);
	assert_true(child_has_said(&said, "libcurl request failed [60]"));
	child_result_clear(&said);
	dir_remove(dir);
}

static void
assert_is_for(const char *url, const char *ca, const char *host, bool is)
{
	const struct tls_client_options options = { .ca = ca, .host = host };
	struct tls_client c;

	assert_true(tls_connect(&c, url, &options));
	if ((c.verified == X509_V_OK) != is)
		fail_msg("%s: %ld", host, c.verified);
	tls_close(&c);
}

/* By flag and by environment, as lists. */
static void
the_certificate_is_for_the_names_given(void **state)
{
	char ca[FILE_PATH_SIZE];
	const char *const flags[] = { "--tls-listen", "[::1]:0", "--tls-name",
		"ndes.example", "--tls-name", "10.9.8.7", "--ca-out", ca,
		NULL };
	static const char *const env[] = { "MOCKNDES_TLS_LISTEN=[::1]:0",
		"MOCKNDES_TLS_NAME=ndes.example;10.9.8.7", NULL };
	const struct fixture *f = *state;
	struct program p;

	assert_is_for(f->program.tls, f->ca, "localhost", true);
	assert_is_for(f->program.tls, f->ca, "127.0.0.1", true);
	assert_is_for(f->program.tls, f->ca, "::1", true);
	assert_is_for(f->program.tls, f->ca, "ndes.example", false);
	path_in(ca, f->dir, "other-ca.pem");
	for (int i = 0; i < 2; i++) {
		program_start(&p, i == 0 ? flags : flags + 6,
		    i == 0 ? NULL : env);
		assert_int_equal(strncmp(p.tls, "https://[::1]:", 14), 0);
		assert_is_for(p.tls, ca, "ndes.example", true);
		assert_is_for(p.tls, ca, "10.9.8.7", true);
		assert_is_for(p.tls, ca, "localhost", false);
		program_stop(&p, SIGTERM);
	}
}

static const struct misuse {
	const char *words[8];
	const char *says;
} misuses[] = {
	{ { "serve", "--tls-listen", "0.0.0.0:0" },
	    "0.0.0.0:0 is not a loopback address: add --allow-remote" },
	{ { "serve", "--tls-listen", "here" },
	    "\"here\" is not an address and port" },
	{ { "serve", "--tls-listen", "127.0.0.1:0", "--tls-name", "a b" },
	    "\"a b\" is neither the name of a host nor a numeric address" },
	{ { "serve", "--set", "server.tls.certificate=expird" },
	    "did you mean \"expired\"?" },
};

static void
what_cannot_be_meant_is_refused(void **state)
{
	struct child_result said;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(misuses); i++) {
		program_run(misuses[i].words, NULL, &said);
		if (said.status != 2 || !child_has_said(&said, misuses[i].says))
			fail_msg("%d: %s", said.status, (char *)said.err.data);
		child_result_clear(&said);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(curl_enrols),
		cmocka_unit_test(scepclient_enrols),
		cmocka_unit_test(certmonger_asks_those_of_r_for_the_ca_alone),
		cmocka_unit_test(certmonger_enrols),
		cmocka_unit_test(strongswan_enrols),
		cmocka_unit_test(the_certificate_is_for_the_names_given),
		cmocka_unit_test(what_cannot_be_meant_is_refused),
	};
	int failed = cmocka_run_group_tests(tests, start, NULL);

	stop(&fixture);
	return failed;
}
