/* Which exchanges the rules of a scenario are applied to, from outside. */
#include "support/test.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/ndes.h"
#include "support/tcp.h"

#define TOP "mockndes: 1\nname: test\nfaults:\n"
#define CAPS SERVER_SCEP_PATH "?operation=GetCACaps"
#define THREADS 16
#define ASKED 400 /* by all of them */

static struct device device;

static int
make_device(void **state)
{
	(void)state;
	web_start();
	return device_make(&device) ? 0 : -1;
}

static int
clear_device(void **state)
{
	(void)state;
	device_clear(&device);
	return 0;
}

static long
status_of(const char *url)
{
	struct web_reply reply;
	long status = web_get(url, &reply) ? reply.status : 0;

	web_reply_clear(&reply);
	return status;
}

/* Posts it; *answer is what a CertRep says, where there is one. */
static long
post(const struct server *s, const struct device_message *message,
    STACK_OF(X509) * ca_certs, struct device_answer *answer)
{
	struct web_reply reply;
	long status = 0;

	memset(answer, 0, sizeof(*answer));
	answer->pki_status = -1;
	if (device_post(s->url, message, &reply))
		status = reply.status;
	if (status == 200 &&
	    !device_answer_read(&device, message, ca_certs,
		span_of(reply.body.data, reply.body.len), answer))
		fail_msg("%s", answer->why);
	web_reply_clear(&reply);
	return status;
}

static void
must_post(const struct server *s, const struct device_message *message,
    STACK_OF(X509) * ca_certs, long status, int pki_status)
{
	struct device_answer answer;

	assert_int_equal(post(s, message, ca_certs, &answer), status);
	assert_int_equal(answer.pki_status, pki_status);
	device_answer_clear(&answer);
}

/* The number of the request: the last octet of the serial number. */
static unsigned
request_of(const X509 *cert)
{
	const ASN1_INTEGER *serial = X509_get0_serialNumber(cert);

	return serial->data[serial->length - 1];
}

static const char *const twice[] = {
	TOP "  - when: {operation: PKIOperation, first: 2}\n"
	    "    do: {http: {status: 503}}\n",
	TOP "  - when: {message_type: [PKCSReq, RenewalReq], first: 2}\n"
	    "    do: {http: {status: 503}}\n",
	TOP
	"  - when: {subject: \"*CN=device-1*\", per: transaction, first: 2}\n"
	"    do: {http: {status: 503}}\n",
	TOP "  - when: {transaction_id: \"?*\", for: 1h, nth: [1, 2]}\n"
	    "    do: {http: {status: 503}}\n",
};

static void
what_is_ordered_instead_spends_nothing(void **state)
{
	char password[DEVICE_PASSWORD_SIZE];
	struct device_order order = { .challenge = password };
	struct device_message message;
	struct device_answer answer;
	struct server s;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(twice); i++) {
		server_start(&s, &(struct server_options){ .yaml = twice[i] });
		order.recipients = device_ca_certs(s.url);
		assert_true(device_password(s.admin, password));
		assert_true(device_message_make(&device, &order, &message));
		must_post(&s, &message, order.recipients, 503, -1);
		must_post(&s, &message, order.recipients, 503, -1);
		assert_int_equal(post(&s, &message, order.recipients, &answer),
		    200);
		assert_int_equal(answer.pki_status, NDES_SUCCESS);
		assert_string_equal(device_judge(&device, order.recipients,
					answer.certificate),
		    "");
		assert_int_equal(request_of(answer.certificate),
		    CA_FIRST_REQUEST & 0xff);
		device_answer_clear(&answer);
		device_message_clear(&message);
		device_ca_certs_free(order.recipients);
		server_stop(&s);
	}
}

static void
what_is_processed_spends_all_the_same(void **state)
{
	static const char yaml[] = TOP
	    "  - when: {message_type: PKCSReq, first: 1}\n"
	    "    processed: true\n"
	    "    do: {http: {status: 503}}\n";
	char password[DEVICE_PASSWORD_SIZE];
	struct device_order order = { .challenge = password };
	struct device_message message;
	struct server s;

	(void)state;
	server_start(&s, &(struct server_options){ .yaml = yaml });
	order.recipients = device_ca_certs(s.url);
	assert_true(device_password(s.admin, password));
	assert_true(device_message_make(&device, &order, &message));
	must_post(&s, &message, order.recipients, 503, -1);
	must_post(&s, &message, order.recipients, 200, NDES_FAILURE);
	device_message_clear(&message);
	device_ca_certs_free(order.recipients);
	server_stop(&s);
}

/* Its rules begin anew; passwords were given out by the server. */
static void
a_switch_resets_counters_and_keeps_passwords(void **state)
{
	static const char yaml[] = TOP
	    "  - when: {operation: PKIOperation, first: 1}\n"
	    "    do: {http: {status: 503}}\n";
	char password[DEVICE_PASSWORD_SIZE];
	struct device_order order = { .challenge = password };
	struct device_message message;
	struct server s;

	(void)state;
	server_start(&s, &(struct server_options){ .yaml = yaml });
	order.recipients = device_ca_certs(s.url);
	assert_true(device_password(s.admin, password));
	assert_true(device_message_make(&device, &order, &message));
	for (int i = 0; i < 2; i++) {
		must_post(&s, &message, order.recipients, 503, -1);
		server_use_yaml(&s, yaml);
	}
	must_post(&s, &message, order.recipients, 503, -1);
	must_post(&s, &message, order.recipients, 200, NDES_SUCCESS);
	must_post(&s, &message, order.recipients, 200, NDES_FAILURE);
	device_message_clear(&message);
	device_ca_certs_free(order.recipients);
	server_stop(&s);
}

static const char by_message[] = TOP
    "  - when: {subject: \"*cn=blocked*\"}\n"
    "    do: {http: {status: 551}}\n"
    "  - when: {transaction_id: \"T-[0-9]\"}\n"
    "    do: {http: {status: 552}}\n"
    "  - when: {message_type: CertPoll}\n"
    "    do: {http: {status: 553}}\n"
    "  - when: {message_type: [GetCert, GetCRL], subject: \"\"}\n"
    "    do: {http: {status: 554}}\n";

static const struct said {
	struct device_order order;
	long status;
} said[] = {
	{ { .subject = "Blocked-7" }, 551 },
	{ { .subject = "other" }, 200 },
	{ { .subject = "other", .by_get = true }, 200 },
	{ { .subject = "blocked", .by_get = true }, 551 },
	{ { .transaction_id = "T-5" }, 552 },
	{ { .transaction_id = "t-5" }, 200 },
	{ { .transaction_id = "T-55" }, 200 },
	{ { .subject = "blocked", .transaction_id = "T-5" }, 551 },
	{ { .type = DEVICE_CERT_POLL, .subject = "x" }, 553 },
	{ { .type = DEVICE_GET_CERT }, 554 },
	{ { .type = DEVICE_GET_CRL }, 554 },
};

static void
rules_may_ask_for_the_message(void **state)
{
	struct device_order order;
	struct device_message message;
	struct web_reply reply;
	struct server s;
	STACK_OF(X509) * ca_certs;
	bool answered;

	(void)state;
	server_start(&s,
	    &(struct server_options){ .challenge = NDES_CHALLENGE,
		.yaml = by_message });
	ca_certs = device_ca_certs(s.url);
	for (size_t i = 0; i < COUNT_OF(said); i++) {
		order = said[i].order;
		order.challenge = NDES_CHALLENGE;
		order.recipients = ca_certs;
		assert_true(device_message_make(&device, &order, &message));
		answered = order.by_get ?
		    device_get(s.url, &message, "+/=", &reply) :
		    device_post(s.url, &message, &reply);
		assert_true(answered);
		if (reply.status != said[i].status)
			fail_msg("row %zu: %ld", i, reply.status);
		web_reply_clear(&reply);
		device_message_clear(&message);
	}
	device_ca_certs_free(ca_certs);
	server_stop(&s);
}

#define PKI SERVER_SCEP_PATH "?operation=PKIOperation"
#define HOST "Host: ndes.example\r\n"

/* No layer before mscep.dll, and nothing that cannot be read, has one. */
static const struct without {
	const char *request;
	int status;
} withouts[] = {
	{ "POST " PKI " HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\ntext",
	    200 },
	{ "POST " PKI " HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", 200 },
	{ "POST " PKI " HTTP/1.1\r\n" HOST "Content-Length: 30000001\r\n\r\n",
	    413 },
	{ "GET " PKI "&message=%20%20 HTTP/1.1\r\n" HOST "\r\n", 200 },
	{ "GET " PKI " HTTP/1.1\r\n" HOST "\r\n", 200 },
	{ "HEAD " PKI " HTTP/1.1\r\n" HOST "\r\n", 200 },
	{ "DELETE " PKI " HTTP/1.1\r\n" HOST "\r\n", 405 },
	{ "GET " CAPS " HTTP/1.1\r\n" HOST "\r\n", 200 },
};

static void
no_message_matches_no_rule_for_one(void **state)
{
	static const char yaml[] = TOP
	    "  - when: {subject: \"*\", transaction_id: \"*\"}\n"
	    "    do: {http: {status: 551}}\n"
	    "  - when: {transaction_id: \"*\", per: transaction, first: 9}\n"
	    "    do: {http: {status: 552}}\n";
	struct journal_entry entry;
	struct answer a;
	struct server s;
	int fd;

	(void)state;
	server_start(&s, &(struct server_options){ .yaml = yaml });
	for (size_t i = 0; i < COUNT_OF(withouts); i++) {
		const struct without *t = &withouts[i];

		fd = tcp_connect(s.base);
		assert_true(tcp_send_text(fd, t->request));
		assert_true(
		    answer_read(fd, strncmp(t->request, "HEAD", 4) != 0, &a));
		if (a.status != t->status)
			fail_msg("%s: %d", t->request, a.status);
		answer_clear(&a);
		close(fd);
	}
	assert_true(server_entry(&s, 1, &entry));
	assert_int_equal(entry.notes.count, 2);
	assert_string_equal(entry.notes.list[0].unmet, "transaction_id");
	server_stop(&s);
}

static const char by_operation[] = TOP "  - when: {operation: GetCACaps}\n"
				       "    do: {http: {status: 551}}\n"
				       "  - when: {operation: GetCACert}\n"
				       "    do: {http: {status: 552}}\n"
				       "  - when: {operation: GetNextCACert}\n"
				       "    do: {http: {status: 553}}\n"
				       "  - when: {operation: PKIOperation}\n"
				       "    do: {http: {status: 554}}\n"
				       "  - when: {operation: browse}\n"
				       "    do: {http: {status: 555}}\n"
				       "  - when: {operation: admin}\n"
				       "    do: {http: {status: 556}}\n"
				       "  - when: {operation: other}\n"
				       "    do: {http: {status: 557}}\n";

static const struct asked_for {
	const char *method, *target;
	int status;
} places[] = {
	{ "GET", CAPS, 551 },
	{ "GET", SERVER_SCEP_PATH "/pkiclient.exe?OPERATION=getcacaps", 551 },
	{ "GET", SERVER_SCEP_PATH "?operation=GetCACert&message=x", 552 },
	{ "GET", SERVER_SCEP_PATH "?operation=GetCACerts", 552 },
	{ "HEAD", SERVER_SCEP_PATH "?operation=GetCACert", 552 },
	/* IIS would have said 405 before mscep.dll saw it. */
	{ "DELETE", SERVER_SCEP_PATH "?operation=GetCACert", 552 },
	{ "GET", "/certsrv/mscep/?operation=GetCACert", 552 },
	{ "GET", SERVER_SCEP_PATH "?operation=GetNextCACert", 553 },
	{ "GET", PKI "&message=AAAA", 554 },
	{ "GET", PKI, 554 },
	{ "GET", SERVER_SCEP_PATH, 555 },
	{ "GET", "/CertSrv/%6Dscep/", 555 },
	{ "GET", "/certsrv/mscep", 555 },
	{ "DELETE", SERVER_SCEP_PATH, 555 },
	{ "GET", SERVER_SCEP_PATH "?a=b", 555 },
	{ "GET", SERVER_ADMIN_PATH, 556 },
	{ "GET", "/certsrv/mscep_admin", 556 },
	{ "GET", "/certsrv/mscep_admin/mscep.dll", 556 },
	{ "GET", SERVER_SCEP_PATH "?operation=GetCRL", 557 },
	{ "GET", "/", 557 },
	{ "GET", "/certsrv/other?operation=GetCACaps", 557 },
};

static void
operations_have_names(void **state)
{
	struct journal_entry entry;
	char request[256];
	struct answer a;
	struct server s;
	int fd;

	(void)state;
	server_start(&s, &(struct server_options){ .yaml = by_operation });
	for (size_t i = 0; i < COUNT_OF(places); i++) {
		const struct asked_for *t = &places[i];

		snprintf(request, sizeof(request),
		    "%s %s HTTP/1.1\r\n" HOST "\r\n", t->method, t->target);
		fd = tcp_connect(s.base);
		assert_true(tcp_send_text(fd, request));
		assert_true(
		    answer_read(fd, strcmp(t->method, "HEAD") != 0, &a));
		if (a.status != t->status)
			fail_msg("%s %s: %d", t->method, t->target, a.status);
		answer_clear(&a);
		close(fd);
	}
	/* GetCACert was the third: lines 4, 6 and 8 of the text. */
	assert_true(server_entry(&s, 3, &entry));
	assert_int_equal(entry.notes.count, 2);
	assert_string_equal(entry.notes.files[entry.notes.list[0].file],
	    "test.yaml");
	assert_int_equal(entry.notes.list[0].line, 6);
	assert_null(entry.notes.list[0].unmet);
	assert_int_equal(entry.notes.list[1].line, 4);
	assert_string_equal(entry.notes.list[1].unmet, "operation");
	server_stop(&s);
}

/* By the site's time, which no test waits for. */
static void
time_is_that_of_the_site(void **state)
{
	static const char yaml[] = TOP "  - when: {between: [1h, 2h]}\n"
				       "    do: {http: {status: 551}}\n"
				       "  - when: {for: 30m}\n"
				       "    do: {http: {status: 552}}\n";
	static const struct {
		int64_t later;
		long status;
	} steps[] = { { 0, 552 }, { 1700, 552 }, { 200, 200 }, { 1800, 551 },
		{ 3400, 551 }, { 400, 200 } };
	char url[SERVER_URL_SIZE];
	struct server s;

	(void)state;
	server_start(&s, &(struct server_options){ .yaml = yaml });
	server_url(url, s.base, "operation=GetCACaps");
	for (size_t i = 0; i < COUNT_OF(steps); i++) {
		server_advance_clock(&s, steps[i].later);
		assert_int_equal(status_of(url), steps[i].status);
	}
	/* Another scenario begins now, even if it says the same. */
	server_use_yaml(&s, yaml);
	assert_int_equal(status_of(url), 552);
	server_stop(&s);
}

static const char by_chance[] = TOP
    "  - when: {operation: GetCACaps, chance: 0.3}\n"
    "    do: {http: {status: 503}}\n";

struct asker {
	const char *url;
	size_t asked, refused, odd;
	pthread_t thread;
};

static void *
ask_again_and_again(void *cls)
{
	struct asker *a = cls;
	long status;

	for (; a->asked < ASKED / THREADS; a->asked++) {
		status = status_of(a->url);
		a->refused += status == 503;
		a->odd += status != 503 && status != 200;
	}
	return NULL;
}

/* An entry is there soon after its answer has been sent. */
static void
wait_for_entry(const struct server *s, uint64_t seq)
{
	int64_t until = clock_ticks_ms() + SERVER_WAIT_SECONDS * 1000;
	struct journal_entry entry;

	while (!server_entry(s, seq, &entry)) {
		if (clock_ticks_ms() > until)
			fail_msg("entry %llu does not come",
			    (unsigned long long)seq);
		poll(NULL, 0, 5);
	}
}

/* Each turn comes once, with the status that it had one after the other. */
static void
must_have_same_turns(const struct server *s, const long *statuses)
{
	bool seen[ASKED] = { false };
	struct journal_entry entry;
	size_t count = 0;

	wait_for_entry(s, ASKED);
	for (uint64_t seq = 1; server_entry(s, seq, &entry);
	     seq = entry.seq + 1) {
		assert_int_equal(entry.notes.count, 1);
		assert_in_range(entry.notes.list[0].turn, 1, ASKED);
		assert_false(seen[entry.notes.list[0].turn - 1]);
		seen[entry.notes.list[0].turn - 1] = true;
		assert_int_equal(entry.verdict.status,
		    statuses[entry.notes.list[0].turn - 1]);
		count++;
	}
	assert_int_equal(count, JOURNAL_ENTRIES);
}

static void
chance_replays_under_parallel_requests(void **state)
{
	static struct asker askers[THREADS];
	static char url[SERVER_URL_SIZE];
	static struct server s;
	long statuses[ASKED];
	size_t wanted = 0, refused = 0;

	(void)state;
	server_start(&s, &(struct server_options){ .yaml = by_chance });
	server_url(url, s.base, "operation=GetCACaps");
	for (size_t i = 0; i < ASKED; i++) {
		statuses[i] = status_of(url);
		wanted += statuses[i] == 503;
	}
	/* 120 on average, within five standard deviations. */
	assert_in_range(wanted, 74, 166);
	server_stop(&s);
	server_start(&s, &(struct server_options){ .yaml = by_chance });
	server_url(url, s.base, "operation=GetCACaps");
	for (size_t i = 0; i < THREADS; i++) {
		askers[i].url = url;
		assert_int_equal(pthread_create(&askers[i].thread, NULL,
				     ask_again_and_again, &askers[i]),
		    0);
	}
	for (size_t i = 0; i < THREADS; i++) {
		pthread_join(askers[i].thread, NULL);
		assert_int_equal(askers[i].odd, 0);
		refused += askers[i].refused;
	}
	assert_int_equal(refused, wanted);
	must_have_same_turns(&s, statuses);
	server_stop(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_ordered_instead_spends_nothing),
		cmocka_unit_test(what_is_processed_spends_all_the_same),
		cmocka_unit_test(a_switch_resets_counters_and_keeps_passwords),
		cmocka_unit_test(rules_may_ask_for_the_message),
		cmocka_unit_test(no_message_matches_no_rule_for_one),
		cmocka_unit_test(operations_have_names),
		cmocka_unit_test(time_is_that_of_the_site),
		cmocka_unit_test(chance_replays_under_parallel_requests),
	};

	return cmocka_run_group_tests(tests, make_device, clear_device);
}
