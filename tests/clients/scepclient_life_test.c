/*
 * scepclient after its first request: waiting, renewing, another CA, and the
 * replies that it can read.
 */
#include "unit/rows.h"

#include <unistd.h>

#include "support/device.h"
#include "support/openssl.h"
#include "support/scepclient.h"
#include "support/server.h"
#include "support/test.h"

#define LASTING "a lasting one"
#define SETTINGS 2

static struct fixture {
	char dir[FILE_PATH_SIZE], cas[FILE_PATH_SIZE];
	struct scepclient client; /* its key is slow to make, and stays */
	struct server server;	  /* each test has its scenario */
	uint64_t seq; /* in its journal: each CertRep is waited for */
	struct journal_entry last;
} fixture;

static int
start(void **state)
{
	const struct server_options options = { .challenge = LASTING };
	struct fixture *f = &fixture;

	(void)state;
	web_start();
	dir_make(f->dir);
	path_in(f->cas, f->dir, "cas.pem");
	scepclient_make(&f->client, f->dir, "client");
	server_start(&f->server, &options);
	f->seq = 1;
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	server_stop(&fixture.server);
	dir_remove(fixture.dir);
	return 0;
}

static void
begin(struct fixture *f, const char *const *set)
{
	scepclient_forget(&f->client);
	assert_int_equal(server_use_scenario(&f->server, set), 0);
}
#define SET(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void
run(struct fixture *f, const char *challenge, struct child_result *said)
{
	scepclient_run(&f->client, f->server.url, challenge, NULL, said);
}

/* The next such CertRep is for a message of this type. */
static void
must_be_asked(struct fixture *f, enum scep_status status, enum scep_type type)
{
	server_wait(&f->server, &f->seq, status, &f->last);
	assert_int_equal(f->last.scep.message_type, type);
}

/* By such a message a certificate, which verifies through so many CAs. */
static void
must_get(struct fixture *f, enum scep_type type, const char *challenge,
    int tiers)
{
	struct child_result said;

	run(f, challenge, &said);
	if (said.status != 0 || !child_has_said(&said, "pkiStatus=SUCCESS"))
		fail_msg("scepclient: %d %s", said.status,
		    (char *)said.err.data);
	child_result_clear(&said);
	openssl_get_ca_certs(f->server.url, f->cas);
	openssl_judge(f->client.cert, f->client.key, SCEPCLIENT_SUBJECT, f->cas,
	    tiers);
	must_be_asked(f, SCEP_SUCCESS, type);
}

static void
must_fail(struct fixture *f, const char *challenge, int status,
    const char *words)
{
	struct child_result said;

	run(f, challenge, &said);
	if (said.status != status || !child_has_said(&said, words))
		fail_msg("scepclient: %d %s", said.status,
		    (char *)said.err.data);
	child_result_clear(&said);
}

static void
must_be_refused(struct fixture *f, enum scep_type type, const char *challenge)
{
	must_fail(f, challenge, 1, "request failed, failInfo: badRequest (2)");
	must_be_asked(f, SCEP_FAILURE, type);
}

/* Its message again is the only way of polling that it has. */
static const struct pending {
	const char *row, *profile;
} profiles[] = {
	{ "profile ndes", "server.mscep.reply.profile=ndes" },
	{ "profile rfc8894", "server.mscep.reply.profile=rfc8894" },
};

static void
an_approved_request_gets_a_certificate_when_it_comes_again(void **state)
{
	const struct pending *row = *state;
	char password[DEVICE_PASSWORD_SIZE];
	struct fixture *f = &fixture;

	begin(f, SET("server.ca.approval=manual", row->profile));
	assert_true(device_password(f->server.admin, password));
	scepclient_run_to_pending(&f->client, f->server.url, password);
	must_be_asked(f, SCEP_PENDING, SCEP_PKCS_REQ);
	scepclient_run_to_pending(&f->client, f->server.url, password);
	must_be_asked(f, SCEP_PENDING, SCEP_PKCS_REQ);
	server_settle(&f->server, f->last.scep.transaction_id, true);
	must_get(f, SCEP_PKCS_REQ, password, 1);
}

static void
a_denied_request_is_refused_when_it_comes_again(void **state)
{
	const struct pending *row = *state;
	struct fixture *f = &fixture;

	begin(f, SET("server.ca.approval=manual", row->profile));
	scepclient_run_to_pending(&f->client, f->server.url, LASTING);
	must_be_asked(f, SCEP_PENDING, SCEP_PKCS_REQ);
	server_settle(&f->server, f->last.scep.transaction_id, false);
	must_be_refused(f, SCEP_PKCS_REQ, LASTING);
	assert_int_equal(access(f->client.cert, F_OK), -1);
}

/* It has a certificate by a password that is good once. */
static void
enrol(struct fixture *f)
{
	char password[DEVICE_PASSWORD_SIZE];

	assert_true(device_password(f->server.admin, password));
	must_get(f, SCEP_PKCS_REQ, password, 1);
	assert_string_equal(f->last.scep.challenge, "good");
}

static const struct renewal {
	const char *row, *set;
} renewals[] = {
	{ "Renewal is listed", NULL },
	{ "Renewal is not listed",
	    "server.mscep.capabilities=[POSTPKIOperation, SHA-256]" },
};

static void
it_renews_by_RenewalReq_and_needs_no_challenge(void **state)
{
	char before[OPENSSL_SERIAL_SIZE], after[OPENSSL_SERIAL_SIZE];
	const struct renewal *row = *state;
	struct fixture *f = &fixture;

	begin(f, SET(row->set));
	enrol(f);
	openssl_serial(f->client.cert, before);
	scepclient_forget_csr(&f->client);
	must_get(f, SCEP_RENEWAL_REQ, NULL, 1);
	assert_null(f->last.scep.challenge);
	openssl_serial(f->client.cert, after);
	assert_string_not_equal(before, after);
}

static void
a_refused_renewal_leaves_it_what_it_has(void **state)
{
	char before[OPENSSL_SERIAL_SIZE], after[OPENSSL_SERIAL_SIZE];
	struct fixture *f = &fixture;

	(void)state;
	begin(f, SET("server.mscep.accept.renewal=false"));
	enrol(f);
	openssl_serial(f->client.cert, before);
	must_be_refused(f, SCEP_RENEWAL_REQ, NULL);
	openssl_serial(f->client.cert, after);
	assert_string_equal(before, after);
}

static void
a_renewal_can_wait_for_approval(void **state)
{
	char before[OPENSSL_SERIAL_SIZE], after[OPENSSL_SERIAL_SIZE];
	struct fixture *f = &fixture;

	(void)state;
	begin(f, NULL);
	enrol(f);
	openssl_serial(f->client.cert, before);
	server_use_scenario(&f->server, SET("server.ca.approval=manual"));
	scepclient_run_to_pending(&f->client, f->server.url, NULL);
	must_be_asked(f, SCEP_PENDING, SCEP_RENEWAL_REQ);
	server_settle(&f->server, f->last.scep.transaction_id, true);
	must_get(f, SCEP_RENEWAL_REQ, NULL, 1);
	openssl_serial(f->client.cert, after);
	assert_string_not_equal(before, after);
}

static void
it_renews_at_the_CA_after_a_rollover(void **state)
{
	struct fixture *f = &fixture;
	char *before, *after;

	(void)state;
	begin(f, NULL);
	enrol(f);
	before = OPENSSL("x509", "-in", f->client.cert, "-noout", "-issuer");
	server_roll_over(&f->server, NULL);
	must_get(f, SCEP_RENEWAL_REQ, NULL, 1);
	after = OPENSSL("x509", "-in", f->client.cert, "-noout", "-issuer");
	assert_string_not_equal(before, after);
	free(before);
	free(after);
}

/* It asks with SHA-1 and single DES, and is answered with 3DES. */
static const struct reading {
	const char *row, *set[SETTINGS + 1];
	int tiers;
} readable[] = {
	{ "profile rfc8894", { "server.mscep.reply.profile=rfc8894" }, 1 },
	{ "SHA-512 and AES-256",
	    { "server.mscep.reply.digest=sha512",
		"server.mscep.reply.cipher=aes-256-cbc" },
	    1 },
	{ "single DES", { "server.mscep.reply.cipher=des" }, 1 },
	{ "no eContent", { "server.mscep.reply.content=absent" }, 1 },
	{ "an empty eContent", { "server.mscep.reply.content=empty" }, 1 },
	{ "three tiers of CAs", { "server.ca.tiers=3" }, 3 },
};

static void
it_reads_a_certificate_and_a_refusal(void **state)
{
	const struct reading *row = *state;
	struct fixture *f = &fixture;

	begin(f, row->set);
	must_get(f, SCEP_PKCS_REQ, LASTING, row->tiers);
	scepclient_forget(&f->client);
	must_be_refused(f, SCEP_PKCS_REQ, "other");
}

static void
version_2_1_0_reads_no_OAEP(void **state)
{
	struct fixture *f = &fixture;

	(void)state;
	if (!scepclient_is_known())
		skip();
	begin(f, SET("server.mscep.reply.key_transport=oaep"));
	must_fail(f, LASTING, 1,
	    "decrypt pkiEnvelope, msgType: PKCSReq (19), status 0: "
	    "crypto/rsa: decryption error");
	must_be_asked(f, SCEP_SUCCESS, SCEP_PKCS_REQ);
	assert_int_equal(access(f->client.cert, F_OK), -1);
}

/* It encrypts to every certificate of GetCACert, the CA's too. */
static void
version_2_1_0_panics_at_an_EC_key_of_the_CA(void **state)
{
	struct fixture *f = &fixture;

	(void)state;
	if (!scepclient_is_known())
		skip();
	begin(f, SET("server.ca.key=ec-p256"));
	must_fail(f, LASTING, 2,
	    "panic: interface conversion: interface {} is *ecdsa.PublicKey");
	assert_int_equal(access(f->client.cert, F_OK), -1);
}

static const struct table tables[] = {
	ROWS(an_approved_request_gets_a_certificate_when_it_comes_again,
	    profiles),
	ROWS(a_denied_request_is_refused_when_it_comes_again, profiles),
	ROWS(it_renews_by_RenewalReq_and_needs_no_challenge, renewals),
	ONE(a_refused_renewal_leaves_it_what_it_has,
	    "a refused renewal leaves it what it has"),
	ONE(a_renewal_can_wait_for_approval, "a renewal can wait for approval"),
	ONE(it_renews_at_the_CA_after_a_rollover,
	    "it renews at the CA after a rollover"),
	ROWS(it_reads_a_certificate_and_a_refusal, readable),
	ONE(version_2_1_0_reads_no_OAEP, "version 2.1.0 reads no OAEP"),
	ONE(version_2_1_0_panics_at_an_EC_key_of_the_CA,
	    "version 2.1.0 panics at an EC key of the CA"),
};

int
main(void)
{
	return ROWS_RUN(tables, start, stop);
}
