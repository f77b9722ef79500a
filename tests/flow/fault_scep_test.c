/* What a device makes of faulted CertReps, and who waits for how long. */
#include "support/test.h"

#include <openssl/obj_mac.h>
#include <stdio.h>
#include <string.h>

#include "support/ndes.h"

#define HOUR (60 * 60L)
#define YAML_SIZE 1024

static struct fixture {
	struct ndes ndes;
	struct device device, other;
	X509 *issued; /* to the device */
} fixture;

/* Without a scenario of its own; each test begins with one. */
static int
start(void **state)
{
	struct fixture *f = *state = &fixture;

	web_start();
	ndes_start(&f->ndes, NULL);
	if (!device_make(&f->device) ||
	    !device_make_with(&f->other, DEVICE_P256))
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
	device_clear(&f->other);
	ndes_stop(&f->ndes);
	return 0;
}

/* Both in YAML's flow style, without their braces. */
static void
use_rule(struct fixture *f, const char *server, const char *when,
    const char *what)
{
	char yaml[YAML_SIZE];

	snprintf(yaml, sizeof(yaml),
	    "mockndes: 1\nname: test\nserver: {%s}\n"
	    "faults:\n  - when: {%s}\n    do: {scep: {%s}}\n",
	    server, when, what);
	server_use_yaml(&f->ndes.server, yaml);
}

static bool
has_triple_des(const struct device_answer *a)
{
	return a->cipher == NID_des_ede3_cbc && a->certificate != NULL;
}

static bool
has_sha512(const struct device_answer *a)
{
	return a->digest == NID_sha512 && a->certificate != NULL;
}

static bool
has_oaep(const struct device_answer *a)
{
	return a->transport == NID_rsaesOaep && a->certificate != NULL;
}

static bool
names_its_digest(const struct device_answer *a)
{
	return a->signature == NID_sha256WithRSAEncryption;
}

static bool
has_certificates(const struct device_answer *a)
{
	return a->has_certificates;
}

static bool
has_time(const struct device_answer *a)
{
	return a->has_signing_time;
}

static bool
fails_with_bad_time(const struct device_answer *a)
{
	return a->pki_status == NDES_FAILURE && a->fail_info == NDES_BAD_TIME &&
	    a->certificate == NULL &&
	    strcmp(a->fail_info_text, "too late") == 0;
}

static bool
fails_without_content(const struct device_answer *a)
{
	return a->pki_status == NDES_FAILURE &&
	    a->content == DEVICE_CONTENT_ABSENT;
}

/* Either the device refuses the reply, and says why, or it sees something. */
static const struct row {
	const char *row; /* what to do, in YAML's flow style */
	const char *why;
	bool (*sees)(const struct device_answer *);
} rows[] = {
	{ "sender_nonce: missing", "no fresh senderNonce", NULL },
	{ "sender_nonce: echo", "no fresh senderNonce", NULL },
	{ "sender_nonce: short", "no fresh senderNonce", NULL },
	{ "recipient_nonce: wrong", "recipientNonce is not our nonce", NULL },
	{ "recipient_nonce: missing", "recipientNonce is not our nonce", NULL },
	{ "transaction_id: wrong", "another transactionID", NULL },
	{ "transaction_id: missing", "another transactionID", NULL },
	{ "message_type: 19", "messageType is not 3", NULL },
	{ "pki_status: missing", "no pkiStatus", NULL },
	{ "pki_status: 3", "content, although it is no SUCCESS", NULL },
	{ "signature: wrong", "no SignedData that verifies", NULL },
	{ "message_digest: wrong", "no SignedData that verifies", NULL },
	{ "signer: stranger", "no SignedData that verifies", NULL },
	{ "signer: ca", "the signer is not the RA", NULL },
	{ "signer: expired, certificates: signer", "the signer is not the RA",
	    NULL },
	{ "recipient: stranger", "the envelope is not for us", NULL },
	{ "recipient: other-serial", "the envelope is not for us", NULL },
	{ "envelope: empty", "the envelope is not for us", NULL },
	{ "envelope: plain", "the envelope is not for us", NULL },
	{ "bag: empty", "not the one thing that was asked for", NULL },
	{ "bag: ca-first", "not the one thing that was asked for", NULL },
	{ "bag: ca", "nothing for our key", NULL },
	{ "attributes: {strings: utf8}", "messageType is not 3", NULL },
	{ "attributes: {drop: [contentType]}", "no SignedData that verifies",
	    NULL },
	{ "attributes: {duplicate: [messageType, pkiStatus]}",
	    "messageType is not 3", NULL },
	{ "cipher: des3", NULL, has_triple_des },
	{ "digest: sha512", NULL, has_sha512 },
	{ "key_transport: oaep", NULL, has_oaep },
	{ "signature_algorithm: with-digest", NULL, names_its_digest },
	{ "certificates: [signer, ca]", NULL, has_certificates },
	{ "attributes: {add: [signingTime, unknown], order: reversed}", NULL,
	    has_time },
	{ "fail_info: badTime, fail_info_text: too late, status: failure", NULL,
	    fails_with_bad_time },
	{ "status: failure, content: absent", NULL, fails_without_content },
};

static void
is_seen(struct fixture *f, const struct device *d, const struct row *r)
{
	const struct device_order order = { .challenge = NDES_CHALLENGE };
	struct device_answer a;
	bool sound;

	use_rule(f, "", "message_type: PKCSReq, first: 1", r->row);
	sound = device_ask(d, f->ndes.server.url, &order, f->ndes.ca_certs, &a);
	if (sound != (r->why == NULL) || (!sound && strcmp(a.why, r->why) != 0))
		fail_msg("%s: %s", r->row, a.why);
	if (sound && !r->sees(&a))
		fail_msg("%s: it is not seen", r->row);
	device_answer_clear(&a);
	/* And the one after it is as always. */
	X509_free(ndes_enrol(&f->ndes, d, &order));
}

/* An EC key has its content key by agreement, not by transport. */
static void
a_device_sees_what_was_ordered(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		is_seen(f, &f->device, &rows[i]);
		if (rows[i].sees != has_oaep)
			is_seen(f, &f->other, &rows[i]);
	}
}

/* The two ways to ask what has become of a request. */
static const struct way {
	const char *row;
	int type;
} ways[] = {
	{ "CertPoll", DEVICE_CERT_POLL },
	{ "PKCSReq again", DEVICE_PKCS_REQ },
};

static void
must_wait(struct fixture *f, const struct device_order *order)
{
	ndes_expect(&f->ndes, order->transaction_id, &f->device, order,
	    NDES_PENDING, 0);
}

static void
who_is_told_to_wait_gets_it_when_nobody_says_so_any_more(void **state)
{
	struct fixture *f = *state;
	char password[DEVICE_PASSWORD_SIZE];
	struct device_order order = { .challenge = password }, poll;

	for (size_t i = 0; i < COUNT_OF(ways); i++) {
		use_rule(f, "",
		    "message_type: [PKCSReq, CertPoll], first: 3, "
		    "per: transaction",
		    "status: pending");
		assert_true(device_password(f->ndes.server.admin, password));
		order.transaction_id = ways[i].row;
		poll = (struct device_order){ .type = ways[i].type,
			.transaction_id = ways[i].row };
		must_wait(f, &order);
		must_wait(f, &poll);
		must_wait(f, &poll);
		X509_free(ndes_enrol(&f->ndes, &f->device, &poll));
		/* It was spent by the first one, and only once. */
		order.transaction_id = "spent";
		ndes_expect(&f->ndes, "spent", &f->other, &order, NDES_FAILURE,
		    NDES_BAD_MESSAGE_CHECK);
	}
}

/* Each transaction has a count of its own. */
static void
others_wait_on_their_own(void **state)
{
	struct fixture *f = *state;
	struct device_order one = { .challenge = NDES_CHALLENGE,
		.transaction_id = "one" };
	struct device_order two = { .challenge = NDES_CHALLENGE,
		.transaction_id = "two" };

	use_rule(f, "", "first: 2, per: transaction", "status: pending");
	must_wait(f, &one);
	must_wait(f, &one);
	must_wait(f, &two);
	X509_free(ndes_enrol(&f->ndes, &f->device, &one));
	must_wait(f, &two);
	X509_free(ndes_enrol(&f->ndes, &f->device, &two));
}

/* By the site's clock, and longer than the manager of a CA may take. */
static void
who_waits_for_a_time_gets_it_after_it(void **state)
{
	struct fixture *f = *state;
	struct device_order order = { .challenge = NDES_CHALLENGE,
		.transaction_id = "in an hour" };
	const struct device_order poll = { .type = DEVICE_CERT_POLL,
		.transaction_id = "in an hour" };

	use_rule(f, "ca: {pending_lifetime: 10m}", "between: [0s, 1h]",
	    "status: pending");
	must_wait(f, &order);
	server_advance_clock(&f->ndes.server, HOUR / 2);
	must_wait(f, &poll);
	server_advance_clock(&f->ndes.server, HOUR / 2);
	X509_free(ndes_enrol(&f->ndes, &f->device, &poll));
}

static void
what_the_manager_approves_waits_for_the_rule_too(void **state)
{
	struct fixture *f = *state;
	struct device_order order = { .challenge = NDES_CHALLENGE,
		.transaction_id = "both" };
	const struct device_order poll = { .type = DEVICE_CERT_POLL,
		.transaction_id = "both" };

	use_rule(f, "ca: {approval: manual}",
	    "message_type: CertPoll, nth: [2, 3]", "status: pending");
	must_wait(f, &order);
	must_wait(f, &poll);
	ndes_settle(&f->ndes, "both", true);
	must_wait(f, &poll);
	must_wait(f, &poll);
	X509_free(ndes_enrol(&f->ndes, &f->device, &poll));
}

static void
who_is_refused_does_not_wait(void **state)
{
	struct fixture *f = *state;
	const struct device_order order = { .challenge = "wrong",
		.transaction_id = "wrong" };
	const struct device_order poll = { .type = DEVICE_CERT_POLL,
		.transaction_id = "wrong" };

	use_rule(f, "", "message_type: [PKCSReq, CertPoll]", "status: pending");
	ndes_expect(&f->ndes, "request", &f->device, &order, NDES_FAILURE,
	    NDES_BAD_REQUEST);
	ndes_expect(&f->ndes, "poll", &f->device, &poll, NDES_FAILURE,
	    NDES_BAD_CERT_ID);
}

/* With mscep.repeat=same there would be one already. */
static void
who_has_one_waits_for_another_all_the_same(void **state)
{
	struct fixture *f = *state;
	const struct device_order order = { .challenge = "not asked for",
		.transaction_id = "again" };
	const struct device_order poll = { .type = DEVICE_CERT_POLL,
		.transaction_id = "again" };

	use_rule(f, "mscep: {repeat: same}", "first: 2", "status: pending");
	must_wait(f, &order);
	must_wait(f, &poll);
	X509_free(ndes_enrol(&f->ndes, &f->device, &poll));
}

static void
queries_are_only_told_to_wait(void **state)
{
	static const int types[] = { DEVICE_GET_CERT, DEVICE_GET_CRL };
	struct fixture *f = *state;
	struct device_answer a;

	for (size_t i = 0; i < COUNT_OF(types); i++) {
		const struct device_order order = { .type = types[i],
			.transaction_id = "query",
			.serial = X509_get0_serialNumber(f->issued) };

		use_rule(f, "", "message_type: [GetCert, GetCRL], first: 1",
		    "status: pending");
		must_wait(f, &order);
		ndes_ask(&f->ndes, &f->device, &order, &a);
		assert_int_equal(a.pki_status, NDES_SUCCESS);
		assert_true(a.certificate != NULL || a.crl != NULL);
		device_answer_clear(&a);
	}
}

/* quirk 72: the server has issued what the client was never told of. */
static void
a_failure_may_have_issued(void **state)
{
	struct fixture *f = *state;
	const struct device_order order = { .challenge = NDES_CHALLENGE };
	const struct device_order again = { .challenge = "not asked for" };

	use_rule(f, "mscep: {repeat: same}", "first: 1", "status: failure");
	ndes_expect(&f->ndes, "issued", &f->other, &order, NDES_FAILURE,
	    NDES_BAD_REQUEST);
	X509_free(ndes_enrol(&f->ndes, &f->other, &again));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_device_sees_what_was_ordered),
		cmocka_unit_test(
		    who_is_told_to_wait_gets_it_when_nobody_says_so_any_more),
		cmocka_unit_test(others_wait_on_their_own),
		cmocka_unit_test(who_waits_for_a_time_gets_it_after_it),
		cmocka_unit_test(
		    what_the_manager_approves_waits_for_the_rule_too),
		cmocka_unit_test(who_is_refused_does_not_wait),
		cmocka_unit_test(who_has_one_waits_for_another_all_the_same),
		cmocka_unit_test(queries_are_only_told_to_wait),
		cmocka_unit_test(a_failure_may_have_issued),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
