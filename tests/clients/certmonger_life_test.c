/*
 * certmonger after its first request: waiting, renewing, another CA, and the
 * replies that it can read.
 */
#include "unit/rows.h"

#include <unistd.h>

#include "support/certmonger.h"
#include "support/device.h"
#include "support/openssl.h"
#include "support/server.h"
#include "support/test.h"

#define LASTING "a lasting one"
#define SUBJECT "CN=" DEVICE_SUBJECT
#define SETTINGS 2

static struct fixture {
	char dir[FILE_PATH_SIZE], cas[FILE_PATH_SIZE];
	struct certmonger client;
	struct server server; /* each test has its scenario */
	uint64_t seq;	      /* in its journal: each CertRep is waited for */
	char id[16];	      /* of the request, another in each test */
	int ids;
	struct buffer key; /* of all of them: to make one takes long */
} fixture;

static int
start(void **state)
{
	const struct server_options options = { .challenge = LASTING };
	struct fixture *f = &fixture;
	char key[FILE_PATH_SIZE];

	(void)state;
	web_start();
	dir_make(f->dir);
	path_in(f->cas, f->dir, "cas.pem");
	path_in_source(key, "tests/fixtures/device/device.key");
	assert_true(file_read(key, &f->key));
	server_start(&f->server, &options);
	f->seq = 1;
	certmonger_start(&f->client, f->dir, f->server.url);
	return 0;
}

/* After a start that failed, too: cmocka has no teardown for that. */
static void
stop(struct fixture *f)
{
	if (f->dir[0] == '\0')
		return;
	certmonger_stop(&f->client);
	buffer_free(&f->key);
	if (f->server.http != NULL)
		server_stop(&f->server);
	dir_remove(f->dir);
}

static void
look_at_the_ca(const struct fixture *f)
{
	certmonger_must(&f->client, GETCERT("refresh-ca", "-c", "NDES"), NULL);
	certmonger_wait_for_ca(&f->client, f->server.url);
}

static void
begin(struct fixture *f, const char *const *set)
{
	char key[FILE_PATH_SIZE];

	assert_int_equal(server_use_scenario(&f->server, set), 0);
	snprintf(f->id, sizeof(f->id), "id-%d", ++f->ids);
	file_write(certmonger_key(&f->client, f->id, key), f->key.data,
	    f->key.len);
}
#define SET(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* The client makes one. */
static void
forget_key(const struct fixture *f)
{
	char key[FILE_PATH_SIZE];

	assert_int_equal(unlink(certmonger_key(&f->client, f->id, key)), 0);
}

static void
request(const struct fixture *f, const char *challenge,
    const char *const more[])
{
	certmonger_request(&f->client, f->id, challenge, more);
}

/* "getcert VERB" for the request, to the end of it, whatever it is. */
static void
again(const struct fixture *f, const char *verb)
{
	struct child_result said;

	certmonger_run(&f->client,
	    GETCERT(verb, "-i", f->id, "-w", "--wait-timeout", CERTMONGER_WAIT),
	    &said);
	child_result_clear(&said);
}

static void
must_be(const struct fixture *f, const char *words)
{
	certmonger_must(&f->client, GETCERT("list", "-i", f->id), words);
}

static void
must_become(const struct fixture *f, const char *words)
{
	certmonger_wait(&f->client, GETCERT("list", "-i", f->id), words);
}

/* The next such CertRep is for a message of this type. */
static void
must_be_asked(struct fixture *f, enum scep_status status, enum scep_type type,
    struct journal_entry *entry)
{
	server_wait(&f->server, &f->seq, status, entry);
	assert_int_equal(entry->scep.message_type, type);
}

/* It has a certificate, which verifies through so many CAs. */
static void
must_have_got(const struct fixture *f, int tiers)
{
	char key[FILE_PATH_SIZE], cert[FILE_PATH_SIZE];

	must_be(f, "status: MONITORING");
	must_be(f, "stuck: no");
	openssl_get_ca_certs(f->server.url, f->cas);
	openssl_judge(certmonger_cert(&f->client, f->id, cert),
	    certmonger_key(&f->client, f->id, key), SUBJECT, f->cas, tiers);
}

static void
serial_now(const struct fixture *f, char out[OPENSSL_SERIAL_SIZE])
{
	char cert[FILE_PATH_SIZE];

	openssl_serial(certmonger_cert(&f->client, f->id, cert), out);
}

/* Its own interval is far longer than a test: getcert has it ask now. */
static void
poll_now(struct fixture *f)
{
	certmonger_must(&f->client, GETCERT("refresh", "-i", f->id), NULL);
}

/* It has polled once in vain, and polls again after the manager's word. */
static void
wait_and_settle(struct fixture *f, bool approve)
{
	struct journal_entry entry;

	must_be_asked(f, SCEP_PENDING, SCEP_PKCS_REQ, &entry);
	must_become(f, "status: CA_WORKING");
	poll_now(f);
	must_be_asked(f, SCEP_PENDING, SCEP_PKCS_REQ, &entry);
	must_become(f, "status: CA_WORKING");
	server_settle(&f->server, entry.scep.transaction_id, approve);
	poll_now(f);
	must_be_asked(f, approve ? SCEP_SUCCESS : SCEP_FAILURE, SCEP_PKCS_REQ,
	    &entry);
}

static void
it_polls_by_PKCSReq_for_an_approved_request(void **state)
{
	char password[DEVICE_PASSWORD_SIZE];
	struct fixture *f = &fixture;

	(void)state;
	begin(f, SET("server.ca.approval=manual"));
	assert_true(device_password(f->server.admin, password));
	request(f, password, NULL);
	wait_and_settle(f, true);
	must_become(f, "status: MONITORING");
	must_have_got(f, 1);
}

/* scep-submit's words for failInfo badRequest. */
#define REFUSED                                                \
	"ca-error: Transaction either is not permitted or is " \
	"not supported by server."

static void
it_hears_from_a_poll_that_a_request_is_denied(void **state)
{
	struct fixture *f = &fixture;

	(void)state;
	begin(f, SET("server.ca.approval=manual"));
	request(f, LASTING, NULL);
	wait_and_settle(f, false);
	must_become(f, "status: CA_REJECTED");
	must_be(f, REFUSED);
}

/* It has a certificate by a password that is good once. */
static void
enrol(struct fixture *f)
{
	char password[DEVICE_PASSWORD_SIZE];
	struct journal_entry entry;

	assert_true(device_password(f->server.admin, password));
	request(f, password, certmonger_to_the_end);
	must_have_got(f, 1);
	must_be_asked(f, SCEP_SUCCESS, SCEP_PKCS_REQ, &entry);
	assert_string_equal(entry.scep.challenge, "good");
}

static const struct renewal {
	const char *row, *verb, *set;
	bool same_key;
} renewals[] = {
	{ "resubmit: the same key", "resubmit", NULL, true },
	{ "rekey: a new key", "rekey", NULL, false },
	{ "rekey where Renewal is not listed", "rekey",
	    "server.mscep.capabilities=[SHA-256, DES3]", false },
};

static void
it_renews_by_PKCSReq_and_needs_no_challenge(void **state)
{
	char before[OPENSSL_SERIAL_SIZE], after[OPENSSL_SERIAL_SIZE];
	char key[FILE_PATH_SIZE], *old_key, *new_key;
	const struct renewal *row = *state;
	struct fixture *f = &fixture;
	struct journal_entry entry;

	begin(f, SET(row->set));
	enrol(f);
	serial_now(f, before);
	certmonger_key(&f->client, f->id, key);
	old_key = OPENSSL("pkey", "-in", key, "-pubout");
	again(f, row->verb);
	must_have_got(f, 1);
	must_be_asked(f, SCEP_SUCCESS, SCEP_PKCS_REQ, &entry);
	assert_null(entry.scep.challenge);
	serial_now(f, after);
	assert_string_not_equal(before, after);
	new_key = OPENSSL("pkey", "-in", key, "-pubout");
	assert_int_equal(strcmp(old_key, new_key) == 0, row->same_key);
	free(old_key);
	free(new_key);
}

static void
a_refused_renewal_leaves_it_what_it_has(void **state)
{
	char before[OPENSSL_SERIAL_SIZE], after[OPENSSL_SERIAL_SIZE];
	struct fixture *f = &fixture;
	struct journal_entry entry;

	(void)state;
	begin(f, SET("server.mscep.accept.renewal=false"));
	enrol(f);
	serial_now(f, before);
	again(f, "rekey");
	must_be_asked(f, SCEP_FAILURE, SCEP_PKCS_REQ, &entry);
	must_be(f, REFUSED);
	must_have_got(f, 1);
	serial_now(f, after);
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
	serial_now(f, before);
	server_use_scenario(&f->server, SET("server.ca.approval=manual"));
	certmonger_must(&f->client, GETCERT("rekey", "-i", f->id), NULL);
	wait_and_settle(f, true);
	must_become(f, "status: MONITORING");
	must_have_got(f, 1);
	serial_now(f, after);
	assert_string_not_equal(before, after);
}

static void
it_renews_at_the_CA_after_a_rollover(void **state)
{
	char cert[FILE_PATH_SIZE], *before, *after;
	struct fixture *f = &fixture;
	struct journal_entry entry;

	(void)state;
	begin(f, NULL);
	enrol(f);
	certmonger_cert(&f->client, f->id, cert);
	before = OPENSSL("x509", "-in", cert, "-noout", "-issuer");
	server_roll_over(&f->server, NULL);
	look_at_the_ca(f);
	again(f, "rekey");
	must_have_got(f, 1);
	must_be_asked(f, SCEP_SUCCESS, SCEP_PKCS_REQ, &entry);
	after = OPENSSL("x509", "-in", cert, "-noout", "-issuer");
	assert_string_not_equal(before, after);
	free(before);
	free(after);
}

/* It asks with SHA-256 and 3DES. */
static const struct reading {
	const char *row, *set[SETTINGS + 1];
	int tiers; /* of CAs */
} readable[] = {
	{ "SHA-512 and AES-256",
	    { "server.mscep.reply.digest=sha512",
		"server.mscep.reply.cipher=aes-256-cbc" },
	    1 },
	{ "SHA-1 and AES-192",
	    { "server.mscep.reply.digest=sha1",
		"server.mscep.reply.cipher=aes-192-cbc" },
	    1 },
	{ "an empty eContent", { "server.mscep.reply.content=empty" }, 1 },
	{ "profile rfc8894 with a zero octet",
	    { "server.mscep.reply.profile=rfc8894",
		"server.mscep.reply.content=zero" },
	    1 },
};
/* After these the CA is another, again: they come last. */
static const struct reading other_cas[] = {
	{ "a P-256 key", { "server.ca.key=ec-p256" }, 1 },
	{ "three tiers", { "server.ca.tiers=3" }, 3 },
};

static void
read_both(struct fixture *f, const struct reading *row)
{
	struct journal_entry entry;

	request(f, LASTING, certmonger_to_the_end);
	must_have_got(f, row->tiers);
	must_be_asked(f, SCEP_SUCCESS, SCEP_PKCS_REQ, &entry);
	begin(f, row->set);
	request(f, "other", certmonger_to_the_end);
	must_be_asked(f, SCEP_FAILURE, SCEP_PKCS_REQ, &entry);
	must_be(f, "status: CA_REJECTED");
	must_be(f, REFUSED);
}

static void
it_reads_a_certificate_and_a_refusal(void **state)
{
	const struct reading *row = *state;
	struct fixture *f = &fixture;

	begin(f, row->set);
	read_both(f, row);
}

static void
it_enrols_at_a_CA_with(void **state)
{
	const struct reading *row = *state;
	struct fixture *f = &fixture;

	begin(f, row->set);
	look_at_the_ca(f);
	read_both(f, row);
}

#define NO_CONTENT "PKCS7 routines::no content"

static const struct unable {
	const char *row, *set[SETTINGS + 1], *challenge, *status, *words;
	enum scep_status said;
	bool waits; /* with its key, which no other must have then */
} unreadable[] = {
	{ "RSAES-OAEP", { "server.mscep.reply.key_transport=oaep" }, LASTING,
	    "status: NEED_GUIDANCE", "stuck: yes", SCEP_SUCCESS, false },
	{ "FAILURE without eContent", { "server.mscep.reply.content=absent" },
	    "other", "status: CA_UNREACHABLE", NO_CONTENT, SCEP_FAILURE,
	    false },
	{ "FAILURE in profile rfc8894",
	    { "server.mscep.reply.profile=rfc8894" }, "other",
	    "status: CA_UNREACHABLE", NO_CONTENT, SCEP_FAILURE, false },
	{ "PENDING in profile rfc8894",
	    { "server.mscep.reply.profile=rfc8894",
		"server.ca.approval=manual" },
	    LASTING, "status: CA_UNREACHABLE", NO_CONTENT, SCEP_PENDING, true },
};

static void
version_0_79_17_does_not_read(void **state)
{
	const struct unable *row = *state;
	struct fixture *f = &fixture;
	struct journal_entry entry;
	char cert[FILE_PATH_SIZE];

	if (!certmonger_is_known())
		skip();
	begin(f, row->set);
	if (row->waits)
		forget_key(f);
	request(f, row->challenge, certmonger_to_the_end);
	must_be_asked(f, row->said, SCEP_PKCS_REQ, &entry);
	must_be(f, row->status);
	must_be(f, row->words);
	certmonger_cert(&f->client, f->id, cert);
	assert_int_equal(access(cert, F_OK), -1);
}

static void
it_reads_a_certificate_in_profile_rfc8894(void **state)
{
	struct fixture *f = &fixture;
	struct journal_entry entry;

	(void)state;
	begin(f, SET("server.mscep.reply.profile=rfc8894"));
	request(f, LASTING, certmonger_to_the_end);
	must_have_got(f, 1);
	must_be_asked(f, SCEP_SUCCESS, SCEP_PKCS_REQ, &entry);
}

static void
version_0_79_17_asks_for_RSA_keys_alone(void **state)
{
	struct fixture *f = &fixture;

	(void)state;
	if (!certmonger_is_known())
		skip();
	begin(f, NULL);
	forget_key(f);
	request(f, LASTING,
	    SET("-G", "ec", "-w", "--wait-timeout", CERTMONGER_WAIT));
	must_be(f, "status: NEED_SCEP_RSA_CLIENT_KEY");
}

static const struct table tables[] = {
	ONE(it_polls_by_PKCSReq_for_an_approved_request,
	    "it polls by PKCSReq for an approved request"),
	ONE(it_hears_from_a_poll_that_a_request_is_denied,
	    "it hears from a poll that a request is denied"),
	ROWS(it_renews_by_PKCSReq_and_needs_no_challenge, renewals),
	ONE(a_refused_renewal_leaves_it_what_it_has,
	    "a refused renewal leaves it what it has"),
	ONE(a_renewal_can_wait_for_approval, "a renewal can wait for approval"),
	ONE(it_renews_at_the_CA_after_a_rollover,
	    "it renews at the CA after a rollover"),
	ROWS(it_reads_a_certificate_and_a_refusal, readable),
	ONE(it_reads_a_certificate_in_profile_rfc8894,
	    "it reads a certificate in profile rfc8894"),
	ROWS(version_0_79_17_does_not_read, unreadable),
	ONE(version_0_79_17_asks_for_RSA_keys_alone,
	    "version 0.79.17 asks for RSA keys alone"),
	ROWS(it_enrols_at_a_CA_with, other_cas),
};

int
main(void)
{
	int failed = ROWS_RUN(tables, start, NULL);

	stop(&fixture);
	return failed;
}
