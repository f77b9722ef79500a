/* The journal of a site through the control API: read, waited for, cleared. */
#include "support/test.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/control.h"
#include "support/device.h"
#include "support/ndes.h"
#include "support/tcp.h"

#define SITE "/v1/sites/j"
#define PATH "/t/j/certsrv/mscep/mscep.dll"
#define HOST "Host: ndes.example\r\n"
#define TRUNCATED "X-Mockndes-Truncated: true"
#define WHOLE "X-Mockndes-Truncated: false"
#define KEPT_MAX 65536 /* octets of a request or an answer */
#define WAITERS 20

static int
start(void **state)
{
	static struct controlled c;

	web_start();
	controlled_start(&c,
	    &(struct mockndes_options){ .size = sizeof(struct mockndes_options),
		.challenge = NDES_CHALLENGE });
	*state = &c;
	return 0;
}

static int
stop(void **state)
{
	controlled_stop(*state);
	return 0;
}

/* A new one for each test. */
static int
open_site(void **state)
{
	json_decref(
	    control_do(*state, 201, "POST", "{\"id\": \"j\"}", "/v1/sites"));
	return 0;
}

static int
delete_site(void **state)
{
	control_do(*state, 204, "DELETE", NULL, SITE);
	return 0;
}

static const char *
base_of(const struct controlled *c)
{
	return json_at(c->ready, "base_url");
}

/* GETs mscep.dll with this query: the `count`th request of the site. */
static void
get(const struct controlled *c, int count, const char *query)
{
	char url[CONTROL_URL_SIZE];
	struct web_reply reply;

	snprintf(url, sizeof(url), "%s" PATH "?%s", base_of(c), query);
	assert_true(web_get(url, &reply));
	web_reply_clear(&reply);
	control_await(c, "j", count);
}

static json_t *
read_from(const struct controlled *c, const char *query)
{
	return control_do(c, 200, "GET", NULL, SITE "/requests%s", query);
}

static void
expect(const json_t *json, const uint64_t *seqs, size_t count)
{
	const json_t *list = json_object_get(json, "requests");

	assert_int_equal(json_array_size(list), count);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(json_number_at(json_array_get(list, i), "seq"),
		    seqs[i]);
}

static void
they_are_read_in_parts(void **state)
{
	static const uint64_t seqs[] = { 1, 2, 3, 4, 5 };
	const struct controlled *c = *state;
	json_t *json = read_from(c, "");

	expect(json, NULL, 0);
	assert_int_equal(json_number_at(json, "next"), 0);
	json_decref(json);
	for (int i = 0; i < 5; i++)
		get(c, i + 1, "operation=GetCACaps");
	json = read_from(c, "");
	expect(json, seqs, 5);
	assert_int_equal(json_number_at(json, "next"), 5);
	assert_int_equal(json_number_at(json, "lost"), 0);
	json_decref(json);
	json = read_from(c, "?limit=2");
	expect(json, seqs, 2);
	assert_int_equal(json_number_at(json, "next"), 2);
	json_decref(json);
	json = read_from(c, "?limit=2&since=2");
	expect(json, seqs + 2, 2);
	json_decref(json);
	json = read_from(c, "?since=4&limit=2");
	expect(json, seqs + 4, 1);
	assert_int_equal(json_number_at(json, "next"), 5);
	json_decref(json);
	json = read_from(c, "?since=5");
	expect(json, NULL, 0);
	assert_int_equal(json_number_at(json, "next"), 5);
	json_decref(json);
}

static void
they_are_filtered(void **state)
{
	static const struct {
		const char *query;
		uint64_t seqs[4];
		size_t count;
	} rows[] = {
		{ "?operation=GetCACaps", { 1, 4 }, 2 },
		{ "?operation=getcacert", { 2 }, 1 },
		{ "?operation=GetCACaps&since=1", { 4 }, 1 },
		{ "?operation=GetCACaps&limit=1", { 1 }, 1 },
		{ "?status=403", { 3 }, 1 },
		{ "?status=200", { 1, 2, 4, 5 }, 4 },
		{ "?message_type=PKCSReq", { 5 }, 1 },
		{ "?transaction_id=a%2Fb%2Bc%3D", { 5 }, 1 },
		{ "?transaction_id=a", { 0 }, 0 },
		{ "?operation=PKIOperation&message_type=GetCRL", { 0 }, 0 },
	};
	const struct controlled *c = *state;
	const struct device_order order = { .transaction_id = "a/b+c=" };
	char url[CONTROL_URL_SIZE];
	STACK_OF(X509) * cas;
	struct device_answer a;
	struct device d;
	json_t *json;

	snprintf(url, sizeof(url), "%s" PATH, base_of(c));
	get(c, 1, "operation=GetCACaps");
	cas = device_ca_certs(url);
	get(c, 3, "");
	get(c, 4, "operation=GetCACaps");
	assert_true(device_make(&d));
	assert_true(device_ask(&d, url, &order, cas, &a));
	control_await(c, "j", 5);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		json = read_from(c, rows[i].query);
		expect(json, rows[i].seqs, rows[i].count);
		assert_int_equal(json_number_at(json, "lost"), 0);
		json_decref(json);
	}
	device_answer_clear(&a);
	device_clear(&d);
	device_ca_certs_free(cas);
}

/* Where there was nothing that matches, the next question begins behind it. */
static void
next_is_behind_what_does_not_match(void **state)
{
	const struct controlled *c = *state;
	json_t *json;

	get(c, 1, "operation=GetCACaps");
	get(c, 2, "operation=GetCACaps");
	json = read_from(c, "?operation=GetCACert");
	expect(json, NULL, 0);
	assert_int_equal(json_number_at(json, "next"), 2);
	json_decref(json);
}

static void
octets_are_those_that_went_over_the_wire(void **state)
{
	static const char request[] = "GET " PATH "?operation=GetCACaps"
				      " HTTP/1.1\r\n" HOST "X-Odd: a \xff\r\n"
				      "\r\n";
	const struct controlled *c = *state;
	const struct saying ask_request = { .method = "GET",
		.path = SITE "/requests/1/request" };
	const struct saying ask_reply = { .method = "GET",
		.path = SITE "/requests/1/reply" };
	struct answer a;
	struct said said;

	assert_true(answer_ask(base_of(c), request, &a));
	control_await(c, "j", 1);
	assert_true(control_try(c, &ask_request, &said));
	assert_int_equal(said.status, 200);
	assert_string_equal(said.content_type, "application/octet-stream");
	assert_true(web_reply_has(&said.http, WHOLE));
	assert_int_equal(said.http.body.len, sizeof(request) - 1);
	assert_memory_equal(said.http.body.data, request, sizeof(request) - 1);
	said_clear(&said);
	assert_true(control_try(c, &ask_reply, &said));
	assert_true(web_reply_has(&said.http, WHOLE));
	assert_int_equal(said.http.body.len, a.octets);
	assert_memory_equal(said.http.body.data, a.head.data, a.head.len);
	assert_memory_equal(said.http.body.data + a.head.len, a.body.data,
	    a.body.len);
	said_clear(&said);
	/* With a NUL in it, in the process too. */
	assert_true(control_try_inside(c, &ask_reply, &said));
	assert_int_equal(said.http.body.len, a.octets);
	said_clear(&said);
	answer_clear(&a);
}

static void
long_ones_are_cut_which_is_said(void **state)
{
	const struct controlled *c = *state;
	const struct saying ask = { .method = "GET",
		.path = SITE "/requests/1/request" };
	char url[CONTROL_URL_SIZE];
	char *body = calloc(1, KEPT_MAX);
	const struct web_request request = { .url = url,
		.body = body,
		.length = KEPT_MAX };
	struct web_reply reply;
	struct said said;

	assert_non_null(body);
	snprintf(url, sizeof(url), "%s" PATH "?operation=PKIOperation",
	    base_of(c));
	assert_true(web_ask(&request, &reply));
	control_await(c, "j", 1);
	assert_true(control_try(c, &ask, &said));
	assert_int_equal(said.http.body.len, KEPT_MAX);
	assert_true(web_reply_has(&said.http, TRUNCATED));
	said_clear(&said);
	web_reply_clear(&reply);
	free(body);
}

static void
what_is_cleared_is_gone_and_not_lost(void **state)
{
	static const uint64_t second[] = { 2 };
	const struct controlled *c = *state;
	json_t *json;

	get(c, 1, "operation=GetCACaps");
	json = control_do(c, 200, "GET", NULL, SITE "/requests/1");
	assert_int_equal(json_number_at(json, "seq"), 1);
	json_decref(json);
	assert_null(control_do(c, 204, "DELETE", NULL, SITE "/requests"));
	json = control_do(c, 410, "GET", NULL, SITE "/requests/1");
	assert_string_equal(json_at(json, "error.code"), "request_gone");
	json_decref(json);
	get(c, 2, "operation=GetCACaps");
	json = read_from(c, "");
	expect(json, second, 1);
	assert_int_equal(json_number_at(json, "lost"), 0);
	json_decref(json);
}

/* Of a server that keeps four of a site. */
static void
what_had_no_room_is_counted(void **state)
{
	static const uint64_t kept[] = { 3, 4, 5, 6 };
	struct mockndes_options options = MOCKNDES_OPTIONS_INIT;
	struct controlled small, *c = &small;
	json_t *json;

	(void)state;
	options.journal = 4;
	controlled_start(c, &options);
	json_decref(control_do(c, 201, "POST", "{\"id\": \"j\"}", "/v1/sites"));
	for (int i = 0; i < 6; i++)
		get(c, i + 1, "operation=GetCACaps");
	json = read_from(c, "");
	expect(json, kept, 4);
	assert_int_equal(json_number_at(json, "lost"), 2);
	json_decref(json);
	json = read_from(c, "?since=1&limit=1");
	expect(json, kept, 1);
	assert_int_equal(json_number_at(json, "lost"), 1);
	json_decref(json);
	json = read_from(c, "?since=3&limit=1");
	expect(json, kept + 1, 1);
	assert_int_equal(json_number_at(json, "lost"), 0);
	json_decref(json);
	json_decref(control_do(c, 410, "GET", NULL, SITE "/requests/2/reply"));
	controlled_stop(c);
}

/* Of one that keeps nothing: nobody waits for what never comes. */
static void
without_a_journal_nothing_is_waited_for(void **state)
{
	struct mockndes_options options = MOCKNDES_OPTIONS_INIT;
	struct controlled none, *c = &none;
	json_t *json;

	(void)state;
	options.journal = -1;
	controlled_start(c, &options);
	json = control_do(c, 200, "GET", NULL,
	    "/v1/sites/default/requests?wait=60");
	expect(json, NULL, 0);
	json_decref(json);
	controlled_stop(c);
}

/* One that asks in a thread of its own. */
struct waiter {
	const struct controlled *c;
	const char *path;
	bool inside, answered;
	struct said said;
	pthread_t thread;
};

static void *
ask(void *cls)
{
	struct waiter *w = cls;
	const struct saying saying = { .method = "GET", .path = w->path };

	w->answered = w->inside ? control_try_inside(w->c, &saying, &w->said) :
				  control_try(w->c, &saying, &w->said);
	return NULL;
}

static void
begin(struct waiter *w)
{
	assert_int_equal(pthread_create(&w->thread, NULL, ask, w), 0);
}

/* So many requests wait at the server by now. */
static void
until_waiting(const struct controlled *c, unsigned count)
{
	while (control_metric(c, "mockndes_waiting_requests") != count)
		;
}

static void
end(struct waiter *w, int status, size_t count)
{
	pthread_join(w->thread, NULL);
	assert_true(w->answered);
	assert_int_equal(w->said.status, status);
	if (status == 200)
		assert_int_equal(json_array_size(
				     json_object_get(w->said.json, "requests")),
		    count);
	said_clear(&w->said);
}

static void
who_waits_gets_the_next_one(void **state)
{
	const struct controlled *c = *state;
	struct waiter w[WAITERS],
	    other = { .c = c,
		    .path = SITE "/requests?wait=25&operation=GetCACert" };

	for (int i = 0; i < WAITERS; i++) {
		w[i] = (struct waiter){ .c = c,
			.path = SITE "/requests?wait=25" };
		begin(&w[i]);
	}
	begin(&other);
	until_waiting(c, WAITERS + 1);
	get(c, 1, "operation=GetCACaps");
	for (int i = 0; i < WAITERS; i++)
		end(&w[i], 200, 1);
	until_waiting(c, 1);
	get(c, 2, "operation=GetCACert");
	end(&other, 200, 1);
	until_waiting(c, 0);
}

static void
in_the_process_the_call_waits(void **state)
{
	const struct controlled *c = *state;
	struct waiter w = { .c = c,
		.path = SITE "/requests?wait=25&since=1",
		.inside = true };

	get(c, 1, "operation=GetCACaps");
	begin(&w);
	get(c, 2, "operation=GetCACaps");
	end(&w, 200, 1);
}

static void
the_time_passes(void **state)
{
	const struct controlled *c = *state;
	struct waiter w = { .c = c, .path = SITE "/requests?wait=1" };

	for (int i = 0; i < 2; i++) {
		w.inside = i == 1;
		begin(&w);
		end(&w, 200, 0);
	}
}

static void
who_waits_for_a_site_hears_of_its_end(void **state)
{
	const struct controlled *c = *state;
	struct waiter gone = { .c = c, .path = "/v1/sites/k/requests?wait=25" };
	struct waiter stays = { .c = c, .path = SITE "/requests?wait=25" };

	json_decref(control_do(c, 201, "POST", "{\"id\": \"k\"}", "/v1/sites"));
	begin(&gone);
	begin(&stays);
	until_waiting(c, 2);
	control_do(c, 204, "DELETE", NULL, "/v1/sites/k");
	end(&gone, 410, 0);
	until_waiting(c, 1);
	get(c, 1, "operation=GetCACaps");
	end(&stays, 200, 1);
}

static void
touch(const struct controlled *c, const char *label)
{
	char url[CONTROL_URL_SIZE];
	struct web_reply reply;

	snprintf(url, sizeof(url),
	    "%s/s/healthy/%s/certsrv/mscep/mscep.dll?operation=GetCACaps",
	    base_of(c), label);
	assert_true(web_get(url, &reply));
	assert_int_equal(reply.status, 200);
	web_reply_clear(&reply);
}

/* Else the least recently used one had to go. */
static void
a_site_that_is_waited_for_stays(void **state)
{
	struct mockndes_options options = MOCKNDES_OPTIONS_INIT;
	struct controlled c;
	struct waiter w = { .c = &c,
		.path = "/v1/sites/healthy~a/requests?wait=25&since=1" };

	(void)state;
	options.max_sites = 3;
	controlled_start(&c, &options);
	touch(&c, "a");
	control_await(&c, "healthy~a", 1);
	begin(&w);
	until_waiting(&c, 1);
	touch(&c, "b");
	control_await(&c, "healthy~b", 1);
	touch(&c, "c");
	json_decref(control_do(&c, 410, "GET", NULL, "/v1/sites/healthy~b"));
	touch(&c, "a");
	end(&w, 200, 1);
	controlled_stop(&c);
}

static void
who_leaves_waits_no_longer(void **state)
{
	static const char request[] = "GET " SITE "/requests?wait=60 HTTP/1.1"
				      "\r\nHost: localhost\r\n\r\n";
	const struct controlled *c = *state;
	int fd = tcp_connect(c->base);

	assert_int_not_equal(fd, -1);
	assert_true(tcp_send_text(fd, request));
	until_waiting(c, 1);
	tcp_abort(fd);
	until_waiting(c, 0);
}

static void
a_stop_waits_for_nobody(void **state)
{
	struct controlled c;
	struct waiter w = { .c = &c,
		.path = "/v1/sites/default/requests?wait=60" };

	(void)state;
	controlled_start(&c, NULL);
	begin(&w);
	until_waiting(&c, 1);
	mockndes_stop(c.mockndes);
	end(&w, 200, 0);
	json_decref(c.ready);
}

#define OF_SITE(test) \
	cmocka_unit_test_setup_teardown(test, open_site, delete_site)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		OF_SITE(they_are_read_in_parts),
		OF_SITE(they_are_filtered),
		OF_SITE(next_is_behind_what_does_not_match),
		OF_SITE(octets_are_those_that_went_over_the_wire),
		OF_SITE(long_ones_are_cut_which_is_said),
		OF_SITE(what_is_cleared_is_gone_and_not_lost),
		cmocka_unit_test(what_had_no_room_is_counted),
		cmocka_unit_test(without_a_journal_nothing_is_waited_for),
		OF_SITE(who_waits_gets_the_next_one),
		OF_SITE(in_the_process_the_call_waits),
		OF_SITE(the_time_passes),
		OF_SITE(who_waits_for_a_site_hears_of_its_end),
		cmocka_unit_test(a_site_that_is_waited_for_stays),
		OF_SITE(who_leaves_waits_no_longer),
		cmocka_unit_test(a_stop_waits_for_nobody),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
