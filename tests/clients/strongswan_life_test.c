/*
 * strongSwan's pki after its first request: polling, renewing, another CA,
 * and the replies that it can read.
 */
#include "unit/rows.h"

#include "support/device.h"
#include "support/openssl.h"
#include "support/server.h"
#include "support/strongswan.h"
#include "support/test.h"

#define LASTING "a lasting one"
#define SUBJECT "CN=" DEVICE_SUBJECT
#define SETTINGS 2

static struct fixture {
	char dir[FILE_PATH_SIZE], cas[FILE_PATH_SIZE];
	char key[FILE_PATH_SIZE], next_key[FILE_PATH_SIZE];
	char cert[FILE_PATH_SIZE], next_cert[FILE_PATH_SIZE];
	struct strongswan client;
	struct server server; /* each test has its scenario */
	uint64_t seq;	      /* in its journal: each CertRep is waited for */
	struct journal_entry last;
} fixture;

static void
look_at_the_ca(struct fixture *f)
{
	strongswan_get_ca(&f->client, f->server.url);
	openssl_get_ca_certs(f->server.url, f->cas);
}

static void
begin(struct fixture *f, const char *const *set)
{
	strongswan_configure(&f->client, "");
	assert_int_equal(server_use_scenario(&f->server, set), 0);
}
#define SET(...) \
	((const char *const[]){ STRONGSWAN_CAPABILITIES, __VA_ARGS__, NULL })

static int
start(void **state)
{
	const struct server_options options = { .challenge = LASTING };
	struct fixture *f = &fixture;

	(void)state;
	web_start();
	dir_make(f->dir);
	path_in(f->cas, f->dir, "cas.pem");
	path_in(f->cert, f->dir, "cert.pem");
	path_in(f->next_cert, f->dir, "next.pem");
	strongswan_make(&f->client, f->dir);
	strongswan_make_key(&f->client, "key.pem", f->key);
	strongswan_make_key(&f->client, "next-key.pem", f->next_key);
	server_start(&f->server, &options);
	f->seq = 1;
	look_at_the_ca(f);
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

/* The next such CertRep is for a message of this type. */
static void
must_be_asked(struct fixture *f, enum scep_status status, enum scep_type type)
{
	server_wait(&f->server, &f->seq, status, &f->last);
	assert_int_equal(f->last.scep.message_type, type);
}

/* In the answer to this; it trusts the certificate, and openssl does. */
static void
must_have_got(struct fixture *f, enum scep_type type, const char *key,
    const char *cert, struct child_result *said)
{
	if (said->status != 0 ||
	    !child_has_said(said, "Issued certificate is trusted"))
		fail_msg("pki: %d %s", said->status, (char *)said->err.data);
	file_write(cert, said->out.data, said->out.len);
	child_result_clear(said);
	openssl_judge(cert, key, SUBJECT, f->cas, f->client.tiers);
	must_be_asked(f, SCEP_SUCCESS, type);
}

static void
must_have_failed(struct child_result *said, const char *words)
{
	if (said->status != 1 || said->out.len != 0 ||
	    !child_has_said(said, words))
		fail_msg("pki: %d %s", said->status, (char *)said->err.data);
	child_result_clear(said);
}

static void
must_be_refused(struct fixture *f, enum scep_type type,
    struct child_result *said)
{
	must_have_failed(said,
	    "badRequest - transaction not permitted or supported");
	must_be_asked(f, SCEP_FAILURE, type);
}

/* The first key's, by a password that is good once. */
static void
enrol(struct fixture *f)
{
	char password[DEVICE_PASSWORD_SIZE];
	const struct strongswan_order order = { .key = f->key,
		.password = password };
	struct child_result said;

	assert_true(device_password(f->server.admin, password));
	strongswan_enrol(&f->client, f->server.url, &order, &said);
	must_have_got(f, SCEP_PKCS_REQ, f->key, f->cert, &said);
	assert_string_equal(f->last.scep.challenge, "good");
}

/* It waits a second before it polls: that is the least that it can. */
static void
poll_to_the_end(struct fixture *f, bool approve, struct child_result *said)
{
	char password[DEVICE_PASSWORD_SIZE];
	const struct strongswan_order order = { .key = f->key,
		.password = password };
	struct child client;

	assert_true(device_password(f->server.admin, password));
	strongswan_start(&f->client, f->server.url, &order, &client);
	must_be_asked(f, SCEP_PENDING, SCEP_PKCS_REQ);
	server_settle(&f->server, f->last.scep.transaction_id, approve);
	child_finish(&client, said);
}

static void
it_polls_by_CertPoll_for_an_approved_request(void **state)
{
	struct fixture *f = &fixture;
	struct child_result said;

	(void)state;
	begin(f, SET("server.ca.approval=manual"));
	poll_to_the_end(f, true, &said);
	must_have_got(f, SCEP_CERT_POLL, f->key, f->cert, &said);
}

static void
it_hears_from_a_poll_in_profile_rfc8894_of_a_denial(void **state)
{
	struct fixture *f = &fixture;
	struct child_result said;

	(void)state;
	begin(f,
	    SET("server.ca.approval=manual",
		"server.mscep.reply.profile=rfc8894"));
	poll_to_the_end(f, false, &said);
	must_be_refused(f, SCEP_CERT_POLL, &said);
}

static void
renew(const struct fixture *f, struct child_result *said)
{
	const struct strongswan_order order = { .key = f->next_key,
		.old_key = f->key,
		.old_cert = f->cert };

	strongswan_enrol(&f->client, f->server.url, &order, said);
}

static const struct renewal {
	const char *row, *config;
	enum scep_type type;
} renewals[] = {
	{ "RenewalReq", "", SCEP_RENEWAL_REQ },
	{ "PKCSReq", "pki {\nscep {\nrenewal_via_pkcs_req = yes\n}\n}\n",
	    SCEP_PKCS_REQ },
};

static void
it_renews_with_a_new_key_without_a_challenge(void **state)
{
	char before[OPENSSL_SERIAL_SIZE], after[OPENSSL_SERIAL_SIZE];
	const struct renewal *row = *state;
	struct fixture *f = &fixture;
	struct child_result said;

	begin(f, SET(NULL));
	enrol(f);
	strongswan_configure(&f->client, row->config);
	renew(f, &said);
	must_have_got(f, row->type, f->next_key, f->next_cert, &said);
	assert_null(f->last.scep.challenge);
	openssl_serial(f->cert, before);
	openssl_serial(f->next_cert, after);
	assert_string_not_equal(before, after);
}

static void
a_renewal_can_be_refused(void **state)
{
	struct fixture *f = &fixture;
	struct child_result said;

	(void)state;
	begin(f, SET("server.mscep.accept.renewal=false"));
	enrol(f);
	renew(f, &said);
	must_be_refused(f, SCEP_RENEWAL_REQ, &said);
}

static void
it_renews_at_the_CA_after_a_rollover(void **state)
{
	struct fixture *f = &fixture;
	struct child_result said;
	char *before, *after;

	(void)state;
	begin(f, SET(NULL));
	enrol(f);
	before = OPENSSL("x509", "-in", f->cert, "-noout", "-issuer");
	server_roll_over(&f->server, SET(NULL));
	look_at_the_ca(f);
	renew(f, &said);
	must_have_got(f, SCEP_RENEWAL_REQ, f->next_key, f->next_cert, &said);
	after = OPENSSL("x509", "-in", f->next_cert, "-noout", "-issuer");
	assert_string_not_equal(before, after);
	free(before);
	free(after);
}

/* It asks with 3DES. */
static const struct reading {
	const char *row, *set[SETTINGS + 1], *digest;
	int tiers; /* of CAs */
} readable[] = {
	{ "profile rfc8894", { "server.mscep.reply.profile=rfc8894" }, NULL,
	    1 },
	{ "SHA-1 as it asks", { NULL }, "sha1", 1 },
	{ "SHA-512 as it asks", { NULL }, "sha512", 1 },
	{ "AES-192", { "server.mscep.reply.cipher=aes-192-cbc" }, NULL, 1 },
	{ "AES-256", { "server.mscep.reply.cipher=aes-256-cbc" }, NULL, 1 },
	{ "single DES", { "server.mscep.reply.cipher=des" }, NULL, 1 },
	{ "no eContent", { "server.mscep.reply.content=absent" }, NULL, 1 },
	{ "an empty eContent", { "server.mscep.reply.content=empty" }, NULL,
	    1 },
};
/* After these the CA is another, again: they come last. */
static const struct reading other_cas[] = {
	{ "two tiers", { "server.ca.tiers=2" }, NULL, 2 },
	{ "a P-256 key", { "server.ca.key=ec-p256" }, NULL, 1 },
	{ "three tiers with P-384 keys",
	    { "server.ca.key=ec-p384", "server.ca.tiers=3" }, NULL, 3 },
};

static void
read_both(struct fixture *f, const struct reading *row)
{
	struct strongswan_order order = { .key = f->key,
		.password = LASTING,
		.digest = row->digest };
	struct child_result said;

	assert_int_equal(f->client.tiers, row->tiers);
	strongswan_enrol(&f->client, f->server.url, &order, &said);
	must_have_got(f, SCEP_PKCS_REQ, f->key, f->cert, &said);
	order.password = "other";
	strongswan_enrol(&f->client, f->server.url, &order, &said);
	must_be_refused(f, SCEP_PKCS_REQ, &said);
}

static void
it_reads_a_certificate_and_a_refusal(void **state)
{
	const struct reading *row = *state;
	struct fixture *f = &fixture;

	begin(f, SET(row->set[0], row->set[1]));
	read_both(f, row);
}

static void
it_enrols_at_a_CA_with(void **state)
{
	const struct reading *row = *state;
	struct fixture *f = &fixture;

	begin(f, SET(row->set[0], row->set[1]));
	look_at_the_ca(f);
	read_both(f, row);
}

static void
version_5_9_8_reads_no_OAEP(void **state)
{
	struct fixture *f = &fixture;
	const struct strongswan_order order = { .key = f->key,
		.password = LASTING };
	struct child_result said;

	(void)state;
	if (!strongswan_is_known())
		skip();
	begin(f, SET("server.mscep.reply.key_transport=oaep"));
	strongswan_enrol(&f->client, f->server.url, &order, &said);
	must_have_failed(&said, "only RSA encryption supported in PKCS#7");
	must_be_asked(f, SCEP_SUCCESS, SCEP_PKCS_REQ);
}

static void
its_RSASSA_PSS_is_refused_as_an_algorithm(void **state)
{
	struct fixture *f = &fixture;
	const struct strongswan_order order = { .key = f->key,
		.password = LASTING,
		.padding = "pss" };
	struct child_result said;

	(void)state;
	begin(f, SET(NULL));
	strongswan_enrol(&f->client, f->server.url, &order, &said);
	must_have_failed(&said, "badAlg - ");
	must_be_asked(f, SCEP_FAILURE, SCEP_PKCS_REQ);
}

static void
version_5_9_8_takes_RSA_keys_alone(void **state)
{
	struct fixture *f = &fixture;
	char path[FILE_PATH_SIZE];
	const struct strongswan_order order = { .key = path_in(path, f->dir,
						    "ec.key"),
		.password = LASTING };
	struct child_result said;

	(void)state;
	if (!strongswan_is_known())
		skip();
	begin(f, SET(NULL));
	free(OPENSSL("genpkey", "-algorithm", "EC", "-pkeyopt",
	    "ec_paramgen_curve:P-256", "-out", path));
	strongswan_enrol(&f->client, f->server.url, &order, &said);
	must_have_failed(&said, "building CRED_PRIVATE_KEY - RSA failed");
}

static const struct table tables[] = {
	ONE(it_polls_by_CertPoll_for_an_approved_request,
	    "it polls by CertPoll for an approved request"),
	ONE(it_hears_from_a_poll_in_profile_rfc8894_of_a_denial,
	    "it hears from a poll in profile rfc8894 of a denial"),
	ROWS(it_renews_with_a_new_key_without_a_challenge, renewals),
	ONE(a_renewal_can_be_refused, "a renewal can be refused"),
	ONE(it_renews_at_the_CA_after_a_rollover,
	    "it renews at the CA after a rollover"),
	ROWS(it_reads_a_certificate_and_a_refusal, readable),
	ONE(version_5_9_8_reads_no_OAEP, "version 5.9.8 reads no OAEP"),
	ONE(its_RSASSA_PSS_is_refused_as_an_algorithm,
	    "its RSASSA-PSS is refused as an algorithm"),
	ONE(version_5_9_8_takes_RSA_keys_alone,
	    "version 5.9.8 takes RSA keys alone"),
	ROWS(it_enrols_at_a_CA_with, other_cas),
};

int
main(void)
{
	return ROWS_RUN(tables, start, stop);
}
