/* What an embedder changes about a site, and what is told of its requests. */
#include "support/test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "support/device.h"
#include "support/embedded.h"

#define DAY (24 * 60 * 60)

static struct fixture {
	struct device device;
	struct mockndes *m;
} fixture;

static int
begin(void **state)
{
	struct fixture *f = *state = &fixture;

	web_start();
	if (!device_make(&f->device))
		return -1;
	f->m = embedded_start(0);
	return 0;
}

static int
end(void **state)
{
	struct fixture *f = *state;

	mockndes_stop(f->m);
	device_clear(&f->device);
	return 0;
}

/* What the CertRep to such a request says. */
static int
ask_for(struct fixture *f, struct mockndes_site *site,
    const struct device_order *order, char serial[64])
{
	STACK_OF(X509) *ca = device_ca_certs(mockndes_site_url(site));
	struct device_answer answer;
	int status;

	if (!device_ask(&f->device, mockndes_site_url(site), order, ca,
		&answer))
		fail_msg("%s", answer.why);
	status = answer.pki_status;
	if (answer.certificate != NULL) {
		const ASN1_INTEGER *number = X509_get0_serialNumber(
		    answer.certificate);
		BIGNUM *n = ASN1_INTEGER_to_BN(number, NULL);
		char *hex = BN_bn2hex(n);

		assert_string_equal(device_judge(&f->device, ca,
					answer.certificate),
		    "");
		snprintf(serial, 64, "%s", hex);
		OPENSSL_free(hex);
		BN_free(n);
	}
	device_answer_clear(&answer);
	device_ca_certs_free(ca);
	return status;
}

static char *
password_of(struct mockndes_site *site, size_t length,
    char out[MOCKNDES_CHALLENGE_SIZE])
{
	char error[MOCKNDES_ERROR_SIZE];

	if (mockndes_challenge(site, length, out, error) != 0)
		fail_msg("%zu: %s", length, error);
	return out;
}

static void
scenarios_and_settings_change(void **state)
{
	struct fixture *f = *state;
	struct mockndes_site *site = embedded_open(f->m,
	    "faults: [{do: {http: {status: 503}}}]\n");
	const char *url = mockndes_site_url(site),
		   *off[] = { "server.iis.max_query_string=10" };
	char error[MOCKNDES_ERROR_SIZE];

	assert_int_equal(embedded_get(url), 503);
	assert_int_equal(mockndes_use_scenario(site, "healthy", NULL, 0, error),
	    0);
	assert_int_equal(embedded_get(url), 200);
	assert_int_equal(mockndes_use_scenario(site, "healthy", off, 1, error),
	    0);
	assert_int_equal(embedded_get(url), 414);
	assert_int_equal(mockndes_set(site, "iis.max_query_string=2048", error),
	    0);
	assert_int_equal(embedded_get(url), 200);
	/* Its client knows the answer before the journal does. */
	for (int i = 0; i < 4; i++)
		mockndes_request_free(embedded_next(site, NULL));
	assert_int_equal(mockndes_reset(site, error), 0);
	assert_int_equal(mockndes_count_requests(site, NULL), 0);
	assert_int_equal(embedded_get(url), 414);
	assert_int_equal(mockndes_use_yaml(site,
			     "mockndes: 1\nname: y\n"
			     "faults: [{do: {http: {status: 403}}}]\n",
			     error),
	    0);
	assert_int_equal(embedded_get(url), 403);
	mockndes_close_site(site);
}

static void
what_cannot_be_changed_is_told_and_changes_nothing(void **state)
{
	struct fixture *f = *state;
	struct mockndes_site *site = embedded_open(f->m,
	    "faults: [{do: {http: {status: 503}}}]\n");
	const char *const set[] = { "server.iis.max_url=x" };
	char password[MOCKNDES_CHALLENGE_SIZE];
	char error[MOCKNDES_ERROR_SIZE];

	assert_int_equal(mockndes_use_scenario(site, "no-such", NULL, 0, error),
	    -1);
	assert_non_null(strstr(error, "no-such"));
	assert_int_equal(mockndes_use_scenario(site, "healthy", set, 1, error),
	    -1);
	assert_non_null(strstr(error, "server.iis.max_url"));
	assert_int_equal(mockndes_use_yaml(site, "mockndes: 1\n- x\n", error),
	    -1);
	assert_non_null(strstr(error, "yaml:"));
	assert_int_equal(mockndes_set(site, "iis.no_such=1", error), -1);
	assert_non_null(strstr(error, "no_such"));
	assert_int_equal(mockndes_set(site, "nonsense", NULL), -1);
	assert_int_equal(mockndes_approve(site, "nobody", error), -1);
	assert_string_equal(error,
	    "no request with the transactionID \"nobody\" waits");
	assert_int_equal(mockndes_challenge(site, 8193, password, error), -1);
	assert_string_equal(error, "a password has 8192 characters at most");
	assert_int_equal(embedded_get(mockndes_site_url(site)), 503);
	mockndes_close_site(site);
}

static void
an_enrolment_is_told(void **state)
{
	struct fixture *f = *state;
	struct mockndes_site *site = embedded_open(f->m, NULL);
	char password[MOCKNDES_CHALLENGE_SIZE], serial[64] = "";
	const struct device_order order = { .transaction_id = "4711",
		.challenge = password_of(site, 0, password) };
	struct mockndes_request *r;

	assert_int_equal(strlen(password), 16);
	assert_int_equal(ask_for(f, site, &order, serial), 0);
	r = embedded_next(site, "PKIOperation");
	assert_string_equal(r->source, "127.0.0.1");
	assert_string_equal(r->method, "POST");
	assert_non_null(strstr(r->target, "/certsrv/mscep/mscep.dll?"));
	assert_string_equal(r->operation, "PKIOperation");
	assert_string_equal(r->message_type, "PKCSReq");
	assert_string_equal(r->transaction_id, "4711");
	assert_non_null(strstr(r->subject, "CN=" DEVICE_SUBJECT));
	assert_string_equal(r->challenge, "good");
	assert_int_equal(r->status, 200);
	assert_int_equal(r->pki_status, 0);
	assert_int_equal(r->fail_info, -1);
	assert_int_equal(strcasecmp(r->serial, serial), 0);
	assert_string_equal(r->ended, "sent");
	assert_string_equal(r->rules, "");
	assert_non_null(strstr(r->json, "\"4711\""));
	mockndes_request_free(r);

	/* It was good once. */
	assert_int_equal(ask_for(f, site,
			     &(struct device_order){ .challenge = password,
				 .transaction_id = "4712" },
			     serial),
	    2);
	r = embedded_next(site, "PKIOperation");
	assert_string_equal(r->challenge, "used");
	assert_int_equal(r->pki_status, 2);
	assert_int_equal(r->fail_info, 1); /* badMessageCheck */
	assert_string_equal(r->serial, "");
	mockndes_request_free(r);
	mockndes_close_site(site);
}

static void
passwords_are_as_long_as_asked_for_and_expire(void **state)
{
	struct fixture *f = *state;
	struct mockndes_site *site = embedded_open(f->m, NULL);
	char password[MOCKNDES_CHALLENGE_SIZE], serial[64];
	struct device_order order = { .challenge = password };
	int64_t now = mockndes_advance_clock(site, 0);

	password_of(site, 2500, password);
	assert_int_equal(strlen(password), 2500);
	assert_int_equal(ask_for(f, site, &order, serial), 0);

	password_of(site, 8192, password);
	assert_int_equal(strlen(password), 8192);
	assert_true(mockndes_advance_clock(site, 2 * DAY) - now >= 2 * DAY);
	assert_int_equal(ask_for(f, site, &order, serial), 2);
	/* Neither end of time can be left. */
	assert_true(mockndes_advance_clock(site, INT64_MAX) < INT64_MAX);
	assert_true(mockndes_advance_clock(site, INT64_MIN) >= 0);
	mockndes_close_site(site);
}

static void
requests_wait_for_approval(void **state)
{
	struct fixture *f = *state;
	struct mockndes_site *site = embedded_open(f->m, NULL);
	char password[MOCKNDES_CHALLENGE_SIZE], serial[64];
	char error[MOCKNDES_ERROR_SIZE];
	struct device_order order = { .transaction_id = "one" };

	assert_int_equal(mockndes_set(site, "ca.approval=manual", error), 0);
	order.challenge = password_of(site, 0, password);
	assert_int_equal(ask_for(f, site, &order, serial), 3);
	assert_int_equal(mockndes_approve(site, "one", error), 0);
	assert_int_equal(ask_for(f, site, &order, serial), 0);

	order.transaction_id = "two";
	order.challenge = password_of(site, 0, password);
	order.subject = "another";
	assert_int_equal(ask_for(f, site, &order, serial), 3);
	assert_int_equal(mockndes_deny(site, "two", error), 0);
	assert_int_equal(ask_for(f, site, &order, serial), 2);
	mockndes_close_site(site);
}

static void
an_administrator_makes_it_healthy(void **state)
{
	struct fixture *f = *state;
	struct mockndes_site *site = embedded_open(f->m, NULL);
	static const char *const wrong[] = { "max_url=x" },
				 *const right[] = { "max_url=65534",
					 "max_query_string=65534" };
	char error[MOCKNDES_ERROR_SIZE] = "";

	assert_int_equal(mockndes_healthy(site, error), 1);
	assert_string_equal(error, "");
	assert_int_equal(mockndes_set(site, "iis.max_query_string=10", error),
	    0);
	assert_int_equal(mockndes_healthy(site, error), 0);
	assert_non_null(strstr(error, "iis.max_query_string is 10"));
	assert_int_equal(mockndes_healthy(site, NULL), 0);

	assert_int_equal(mockndes_action(site, "set-limits", NULL, 0, error),
	    -1);
	assert_non_null(strstr(error, "set-limits"));
	assert_int_equal(mockndes_action(site, "set-request-filtering-limits",
			     wrong, 1, error),
	    -1);
	assert_non_null(strstr(error, "max_url"));
	assert_int_equal(mockndes_action(site, "set-request-filtering-limits",
			     right, 2, error),
	    0);
	assert_int_equal(embedded_get(mockndes_site_url(site)), 414);
	assert_int_equal(mockndes_action(site, "restart-server", NULL, 0,
			     error),
	    0);
	assert_int_equal(embedded_get(mockndes_site_url(site)), 200);
	assert_int_equal(mockndes_healthy(site, error), 1);
	mockndes_close_site(site);
}

static void
each_request_is_taken_once(void **state)
{
	struct fixture *f = *state;
	struct mockndes_site *site = embedded_open(f->m,
	    "faults:\n"
	    "  - when: {nth: 2}\n"
	    "    do: {http: {status: 503}}\n");
	struct mockndes_request *r;

	assert_null(mockndes_next_request(site, NULL, 0));
	for (int i = 0; i < 3; i++)
		embedded_get(mockndes_site_url(site));
	for (unsigned i = 1; i <= 3; i++) {
		r = embedded_next(site, NULL);
		assert_int_equal(r->seq, i);
		assert_int_equal(r->lost, 0);
		assert_int_equal(r->status, i == 2 ? 503 : 200);
		assert_string_equal(r->rules, i == 2 ? "yaml:4" : "");
		assert_int_equal(r->rule_turn, i == 2 ? 2 : 0);
		mockndes_request_free(r);
	}
	assert_null(mockndes_next_request(site, NULL, 1));
	assert_int_equal(mockndes_count_requests(site, NULL), 3);
	assert_int_equal(mockndes_count_requests(site, "GetCACaps"), 3);
	assert_int_equal(mockndes_count_requests(site, "GetCACert"), 0);
	mockndes_close_site(site);
}

static void
forgotten_requests_are_not_told(void **state)
{
	struct fixture *f = *state;
	struct mockndes_site *site = embedded_open(f->m, NULL);
	struct mockndes_request *r;

	embedded_get(mockndes_site_url(site));
	/* It is over now. */
	mockndes_request_free(embedded_next(site, NULL));
	embedded_get(mockndes_site_base_url(site));
	mockndes_request_free(embedded_next(site, NULL));
	mockndes_forget_requests(site);
	assert_int_equal(mockndes_count_requests(site, NULL), 0);
	embedded_get(mockndes_site_url(site));
	r = embedded_next(site, NULL);
	assert_int_equal(r->seq, 3);
	assert_int_equal(r->lost, 0);
	mockndes_request_free(r);
	mockndes_request_free(NULL);
	mockndes_close_site(site);
}

static void
what_found_no_room_is_counted(void **state)
{
	struct mockndes *m = embedded_start(4);
	struct mockndes_site *site = mockndes_default_site(m);
	struct mockndes_request *r;

	(void)state;
	for (int i = 0; i < 10; i++)
		embedded_get(mockndes_site_url(site));
	r = embedded_next(site, NULL);
	assert_true(r->seq > 1);
	assert_int_equal(r->lost, r->seq - 1);
	mockndes_request_free(r);
	assert_int_equal(mockndes_count_requests(site, NULL), 4);
	mockndes_stop(m);
}

static void
without_a_journal_nothing_is_told(void **state)
{
	struct mockndes *m = embedded_start(-1);
	struct mockndes_site *site = mockndes_default_site(m);

	(void)state;
	assert_int_equal(embedded_get(mockndes_url(m)), 200);
	assert_null(mockndes_next_request(site, NULL, EMBEDDED_WAIT_MS));
	assert_int_equal(mockndes_count_requests(site, NULL), 0);
	mockndes_forget_requests(site);
	mockndes_stop(m);
}

#define THREADS 4
#define EACH 25

static struct takers {
	struct mockndes_site *site;
	atomic_uint taken[THREADS * EACH + 1];
} takers;

static void *
take(void *unused)
{
	struct mockndes_request *r;

	for (int i = 0; i < EACH; i++) {
		embedded_get(mockndes_site_url(takers.site));
		r = mockndes_next_request(takers.site, NULL, EMBEDDED_WAIT_MS);
		if (r != NULL && r->seq <= THREADS * EACH)
			atomic_fetch_add(&takers.taken[r->seq], 1);
		mockndes_request_free(r);
	}
	return unused;
}

static void
threads_share_what_there_is_to_take(void **state)
{
	struct fixture *f = *state;
	pthread_t threads[THREADS];

	takers.site = embedded_open(f->m, NULL);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, take, NULL),
		    0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (int i = 1; i <= THREADS * EACH; i++)
		assert_int_equal(atomic_load(&takers.taken[i]), 1);
	mockndes_close_site(takers.site);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scenarios_and_settings_change),
		cmocka_unit_test(
		    what_cannot_be_changed_is_told_and_changes_nothing),
		cmocka_unit_test(an_enrolment_is_told),
		cmocka_unit_test(passwords_are_as_long_as_asked_for_and_expire),
		cmocka_unit_test(requests_wait_for_approval),
		cmocka_unit_test(an_administrator_makes_it_healthy),
		cmocka_unit_test(each_request_is_taken_once),
		cmocka_unit_test(forgotten_requests_are_not_told),
		cmocka_unit_test(what_found_no_room_is_counted),
		cmocka_unit_test(without_a_journal_nothing_is_told),
		cmocka_unit_test(threads_share_what_there_is_to_take),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
