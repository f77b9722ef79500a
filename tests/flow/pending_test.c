/* Requests that wait for the manager of the CA, and what asks for them. */
#include "support/test.h"

#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "support/ndes.h"

#define MANUAL "server.ca.approval=manual"
#define LIFETIME "server.ca.pending_lifetime=2d"
#define DAY (24 * 60 * 60L)

/* Some clients always use the same one. */
#define CONSTANT "client"

static struct fixture {
	struct device device, other;
	struct ndes ndes;
} fixture;

static int
make_devices(void **state)
{
	struct fixture *f = *state = &fixture;

	web_start();
	return device_make(&f->device) &&
		device_make_with(&f->other, DEVICE_P256) ?
	    0 :
	    -1;
}

static int
clear_devices(void **state)
{
	struct fixture *f = *state;

	device_clear(&f->device);
	device_clear(&f->other);
	return 0;
}

static struct ndes *
start(struct fixture *f, const char *more)
{
	const char *const set[] = { MANUAL, LIFETIME, more, NULL };

	ndes_start(&f->ndes, set);
	return &f->ndes;
}

/* The two ways to ask what has become of a request. */
static const struct way {
	const char *row;
	int type;
} ways[] = {
	{ "CertPoll", DEVICE_CERT_POLL },
	{ "PKCSReq again", DEVICE_PKCS_REQ },
};

static struct device_order
request(const char *id)
{
	return (struct device_order){ .challenge = NDES_CHALLENGE,
		.transaction_id = id };
}

/* Without a challenge: who only asks has none to show. */
static struct device_order
question(const struct way *w, const char *id)
{
	return (struct device_order){ .type = w->type, .transaction_id = id };
}

static void
leave(const struct ndes *n, const struct device *d, const char *id)
{
	const struct device_order order = request(id);

	ndes_expect(n, "the request", d, &order, NDES_PENDING, 0);
}

static void
approved_is_issued(struct fixture *f, const struct way *w)
{
	const struct device_order poll = question(w, w->row);
	struct ndes *n = &f->ndes;

	leave(n, &f->device, w->row);
	ndes_expect(n, w->row, &f->device, &poll, NDES_PENDING, 0);
	ndes_expect(n, w->row, &f->device, &poll, NDES_PENDING, 0);
	ndes_settle(n, w->row, true);
	X509_free(ndes_enrol(n, &f->device, &poll));
}

static void
what_is_approved_is_issued_to_who_asks(void **state)
{
	struct fixture *f = *state;

	start(f, NULL);
	for (size_t i = 0; i < COUNT_OF(ways); i++)
		approved_is_issued(f, &ways[i]);
	ndes_stop(&f->ndes);
}

static void
what_is_denied_fails(void **state)
{
	struct fixture *f = *state;
	struct ndes *n = start(f, NULL);
	struct device_order poll;

	for (size_t i = 0; i < COUNT_OF(ways); i++) {
		poll = question(&ways[i], ways[i].row);
		leave(n, &f->device, ways[i].row);
		ndes_settle(n, ways[i].row, false);
		ndes_expect(n, ways[i].row, &f->device, &poll, NDES_FAILURE,
		    NDES_BAD_REQUEST);
	}
	ndes_stop(n);
}

static void
what_nobody_decides_on_expires_by_the_clock(void **state)
{
	struct fixture *f = *state;
	struct ndes *n = start(f, NULL);
	struct device_order poll;

	for (size_t i = 0; i < COUNT_OF(ways); i++)
		leave(n, &f->device, ways[i].row);
	server_advance_clock(&n->server, 2 * DAY - 60);
	for (size_t i = 0; i < COUNT_OF(ways); i++) {
		poll = question(&ways[i], ways[i].row);
		ndes_expect(n, ways[i].row, &f->device, &poll, NDES_PENDING, 0);
	}
	server_advance_clock(&n->server, 60);
	for (size_t i = 0; i < COUNT_OF(ways); i++) {
		poll = question(&ways[i], ways[i].row);
		ndes_expect(n, ways[i].row, &f->device, &poll, NDES_FAILURE,
		    NDES_BAD_REQUEST);
	}
	ndes_stop(n);
}

static void
what_has_expired_cannot_be_approved(void **state)
{
	struct fixture *f = *state;
	struct ndes *n = start(f, NULL);
	const struct device_order poll = question(&ways[0], CONSTANT);

	leave(n, &f->device, CONSTANT);
	server_advance_clock(&n->server, 2 * DAY);
	assert_int_equal(site_settle(site_default(n->server.sites), CONSTANT,
			     true),
	    -1);
	ndes_expect(n, "expired", &f->device, &poll, NDES_FAILURE,
	    NDES_BAD_REQUEST);
	ndes_stop(n);
}

/* RFC 8894 4.4: such a poll MUST be rejected. */
static void
a_poll_for_nothing_is_rejected(void **state)
{
	struct fixture *f = *state;
	struct ndes *n = start(f, NULL);
	const struct device_order poll = question(&ways[0], "never heard of");

	ndes_expect(n, "unknown", &f->device, &poll, NDES_FAILURE,
	    NDES_BAD_CERT_ID);
	ndes_stop(n);
}

static void
another_key_is_refused_while_a_request_waits(void **state)
{
	struct fixture *f = *state;
	struct ndes *n = start(f, NULL);
	struct device_order theirs = request(CONSTANT), poll;

	leave(n, &f->device, CONSTANT);
	for (size_t i = 0; i < COUNT_OF(ways); i++) {
		poll = question(&ways[i], CONSTANT);
		ndes_expect(n, ways[i].row, &f->other, &poll, NDES_FAILURE,
		    NDES_BAD_REQUEST);
	}
	ndes_settle(n, CONSTANT, true);
	ndes_expect(n, "approved", &f->other, &theirs, NDES_FAILURE,
	    NDES_BAD_REQUEST);
	poll = question(&ways[0], CONSTANT);
	X509_free(ndes_enrol(n, &f->device, &poll));
	/* Now the name is free. */
	leave(n, &f->other, CONSTANT);
	ndes_settle(n, CONSTANT, true);
	X509_free(ndes_enrol(n, &f->other, &poll));
	ndes_stop(n);
}

/* RFC 8894 2.3: the key in the request need not be the one that signs. */
static void
who_signs_with_a_throw_away_key_may_poll_with_it(void **state)
{
	struct fixture *f = *state;
	struct ndes *n = start(f, NULL);
	struct device_order order = request(CONSTANT),
			    poll = question(&ways[0], CONSTANT);

	order.signer = poll.signer = &f->other;
	ndes_expect(n, "the request", &f->device, &order, NDES_PENDING, 0);
	ndes_settle(n, CONSTANT, true);
	X509_free(ndes_enrol(n, &f->device, &poll));
	ndes_stop(n);
}

/* As with a client whose answer was lost on its way. */
static void
a_poll_after_the_end_gets_the_same_certificate(void **state)
{
	struct fixture *f = *state;
	struct ndes *n = start(f, NULL);
	const struct device_order poll = question(&ways[0], CONSTANT);
	X509 *first, *again;

	leave(n, &f->device, CONSTANT);
	ndes_settle(n, CONSTANT, true);
	first = ndes_enrol(n, &f->device, &poll);
	again = ndes_enrol(n, &f->device, &poll);
	assert_int_equal(X509_cmp(first, again), 0);
	X509_free(first);
	X509_free(again);
	ndes_stop(n);
}

/* Static: a thread may go on when a check has failed. */
static struct impatient {
	const struct fixture *fixture;
	pthread_t thread;
	X509 *cert;
} impatient[4];

static void *
poll_until_it_is_issued(void *cls)
{
	const struct device_order poll = question(&ways[0], CONSTANT);
	struct impatient *who = cls;
	const struct ndes *n = &who->fixture->ndes;
	struct device_answer a;

	do
		device_ask(&who->fixture->device, n->server.url, &poll,
		    n->ca_certs, &a);
	while (a.pki_status == NDES_PENDING);
	who->cert = a.certificate;
	return NULL;
}

static void
polls_at_once_get_one_certificate(void **state)
{
	struct fixture *f = *state;
	struct ndes *n = start(f, NULL);

	leave(n, &f->device, CONSTANT);
	for (size_t i = 0; i < COUNT_OF(impatient); i++) {
		impatient[i].fixture = f;
		assert_int_equal(pthread_create(&impatient[i].thread, NULL,
				     poll_until_it_is_issued, &impatient[i]),
		    0);
	}
	ndes_settle(n, CONSTANT, true);
	for (size_t i = 0; i < COUNT_OF(impatient); i++)
		pthread_join(impatient[i].thread, NULL);
	for (size_t i = 0; i < COUNT_OF(impatient); i++) {
		assert_non_null(impatient[i].cert);
		assert_int_equal(X509_cmp(impatient[i].cert, impatient[0].cert),
		    0);
	}
	for (size_t i = 0; i < COUNT_OF(impatient); i++)
		X509_free(impatient[i].cert);
	ndes_stop(n);
}

/* The very octets again, as a proxy may do it. */
static void
the_same_message_again_is_a_poll(void **state)
{
	struct fixture *f = *state;
	struct ndes *n = start(f, NULL);
	STACK_OF(X509) *ra = sk_X509_new_null();
	struct device_order order = request(CONSTANT);
	struct device_message m;
	struct device_answer a;
	struct web_reply reply;

	sk_X509_push(ra, device_ra(n->ca_certs, KU_KEY_ENCIPHERMENT));
	order.recipients = ra;
	assert_true(device_message_make(&f->device, &order, &m));
	for (int i = 0; i < 3; i++) {
		if (i == 2)
			ndes_settle(n, CONSTANT, true);
		assert_true(device_post(n->server.url, &m, &reply));
		assert_true(device_answer_read(&f->device, &m, n->ca_certs,
		    buffer_span(&reply.body), &a));
		assert_int_equal(a.pki_status,
		    i == 2 ? NDES_SUCCESS : NDES_PENDING);
		device_answer_clear(&a);
		web_reply_clear(&reply);
	}
	device_message_clear(&m);
	sk_X509_free(ra);
	ndes_stop(n);
}

static void
a_one_time_password_is_spent_once_while_a_request_waits(void **state)
{
	struct fixture *f = *state;
	struct ndes *n = start(f, NULL);
	char password[DEVICE_PASSWORD_SIZE];
	struct device_order order = { .challenge = password,
		.transaction_id = CONSTANT };

	assert_true(device_password(n->server.admin, password));
	for (int i = 0; i < 3; i++)
		ndes_expect(n, "while it waits", &f->device, &order,
		    NDES_PENDING, 0);
	order.transaction_id = "another";
	ndes_expect(n, "spent", &f->other, &order, NDES_FAILURE,
	    NDES_BAD_MESSAGE_CHECK);
	order.transaction_id = CONSTANT;
	ndes_settle(n, CONSTANT, true);
	X509_free(ndes_enrol(n, &f->device, &order));
	/* Now it is a new request, and the password is gone. */
	ndes_expect(n, "after the end", &f->device, &order, NDES_FAILURE,
	    NDES_BAD_MESSAGE_CHECK);
	ndes_stop(n);
}

/* A wrong password is refused at once: nobody has to decide on it. */
static void
what_is_refused_does_not_wait(void **state)
{
	struct fixture *f = *state;
	struct ndes *n = start(f, NULL);
	struct device_order order = request(CONSTANT);
	const struct device_order poll = question(&ways[0], CONSTANT);

	order.challenge = "a wrong one";
	ndes_expect(n, "wrong", &f->device, &order, NDES_FAILURE,
	    NDES_BAD_REQUEST);
	ndes_expect(n, "poll", &f->device, &poll, NDES_FAILURE,
	    NDES_BAD_CERT_ID);
	ndes_stop(n);
}

static void
a_request_after_a_denial_waits_again(void **state)
{
	struct fixture *f = *state;
	struct ndes *n = start(f, NULL);
	const struct device_order poll = question(&ways[0], CONSTANT);

	leave(n, &f->device, CONSTANT);
	ndes_settle(n, CONSTANT, false);
	ndes_expect(n, "denied", &f->device, &poll, NDES_FAILURE,
	    NDES_BAD_REQUEST);
	leave(n, &f->device, CONSTANT);
	ndes_settle(n, CONSTANT, true);
	X509_free(ndes_enrol(n, &f->device, &poll));
	ndes_stop(n);
}

static void
a_renewal_waits_too(void **state)
{
	struct fixture *f = *state;
	struct ndes *n = start(f, NULL);
	struct device_order poll = question(&ways[0], CONSTANT), renewal;
	struct device renewing;
	X509 *cert;

	leave(n, &f->device, CONSTANT);
	ndes_settle(n, CONSTANT, true);
	cert = ndes_enrol(n, &f->device, &poll);
	device_make_renewing(&renewing, &f->device, cert);
	renewal = (struct device_order){ .type = DEVICE_RENEWAL_REQ,
		.transaction_id = "renewal",
		.signer = &renewing };
	ndes_expect(n, "the renewal", &f->other, &renewal, NDES_PENDING, 0);
	ndes_settle(n, "renewal", true);
	poll.transaction_id = "renewal";
	poll.signer = &renewing;
	X509_free(ndes_enrol(n, &f->other, &poll));
	X509_free(cert);
	device_clear(&renewing);
	ndes_stop(n);
}

/* After the end; whether it had to wait or not. */
static const struct again {
	const char *row, *approval, *repeat;
	bool same;
} after_the_end[] = {
	{ "issued at once, new", "server.ca.approval=automatic",
	    "server.mscep.repeat=new", false },
	{ "issued at once, same", "server.ca.approval=automatic",
	    "server.mscep.repeat=same", true },
	{ "approved, new", MANUAL, "server.mscep.repeat=new", false },
	{ "approved, same", MANUAL, "server.mscep.repeat=same", true },
};

static X509 *
get_certificate(const struct again *r, const struct ndes *n,
    const struct device *d, const struct device_order *order)
{
	struct device_answer a;

	ndes_ask(n, d, order, &a);
	if (a.pki_status == NDES_PENDING) {
		ndes_settle(n, order->transaction_id, true);
		device_answer_clear(&a);
		ndes_ask(n, d, order, &a);
	}
	if (a.certificate == NULL)
		fail_msg("%s: pkiStatus %d", r->row, a.pki_status);
	return a.certificate;
}

static void
is_repeated(struct fixture *f, const struct again *r)
{
	const char *const set[] = { r->approval, r->repeat, NULL };
	const struct device_order order = request(CONSTANT);
	X509 *first, *again;

	ndes_start(&f->ndes, set);
	first = get_certificate(r, &f->ndes, &f->device, &order);
	again = get_certificate(r, &f->ndes, &f->device, &order);
	if ((X509_cmp(first, again) == 0) != r->same)
		fail_msg("%s: it is not", r->row);
	X509_free(again);
	/* Not to somebody else. */
	again = get_certificate(r, &f->ndes, &f->other, &order);
	assert_int_not_equal(X509_cmp(first, again), 0);
	X509_free(first);
	X509_free(again);
	ndes_stop(&f->ndes);
}

static void
a_request_repeated_after_the_end_is_what_the_setting_says(void **state)
{
	for (size_t i = 0; i < COUNT_OF(after_the_end); i++)
		is_repeated(*state, &after_the_end[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_approved_is_issued_to_who_asks),
		cmocka_unit_test(what_is_denied_fails),
		cmocka_unit_test(what_nobody_decides_on_expires_by_the_clock),
		cmocka_unit_test(what_has_expired_cannot_be_approved),
		cmocka_unit_test(a_poll_for_nothing_is_rejected),
		cmocka_unit_test(another_key_is_refused_while_a_request_waits),
		cmocka_unit_test(
		    who_signs_with_a_throw_away_key_may_poll_with_it),
		cmocka_unit_test(
		    a_poll_after_the_end_gets_the_same_certificate),
		cmocka_unit_test(polls_at_once_get_one_certificate),
		cmocka_unit_test(the_same_message_again_is_a_poll),
		cmocka_unit_test(
		    a_one_time_password_is_spent_once_while_a_request_waits),
		cmocka_unit_test(what_is_refused_does_not_wait),
		cmocka_unit_test(a_request_after_a_denial_waits_again),
		cmocka_unit_test(a_renewal_waits_too),
		cmocka_unit_test(
		    a_request_repeated_after_the_end_is_what_the_setting_says),
	};

	return cmocka_run_group_tests(tests, make_devices, clear_devices);
}
