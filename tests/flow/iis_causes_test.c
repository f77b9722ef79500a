/*
 * Failures of IIS and of mscep.dll's start, as clients and administrators see
 * them; the scenarios of the article, and those beside them.
 */
#include "support/test.h"

#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "mockndes.h"
#include "support/device.h"
#include "support/embedded.h"
#include "support/web.h"

#define YEARS (365 * 24 * 60 * 60LL)
#define URL_SIZE 4096
#define SCEP "/certsrv/mscep/mscep.dll"

static struct mockndes *mockndes;

enum {
	BROWSE = 1,
	CAPS = 2,
	CERT = 4,
	ADMIN = 8,
	POST = 16,
	LONG = 32,
	ALL = 63
};

/* What everybody asks for, and what health answers. */
static const struct visit {
	unsigned bit;
	const char *target;
	bool is_post, is_long;
	long status;
} visits[] = {
	{ BROWSE, SCEP, false, false, 403 },
	{ CAPS, SCEP "?operation=GetCACaps&message=default", false, false,
	    200 },
	{ CERT, SCEP "?operation=GetCACert&message=SCEP%20Authority", false,
	    false, 200 },
	{ ADMIN, "/certsrv/mscep_admin/", false, false, 200 },
	{ POST, SCEP "?operation=PKIOperation", true, false, 200 },
	{ LONG, SCEP "?operation=GetCACaps&message=", false, true, 200 },
};

#define STATIC_500 "<h2>500 - Internal server error.</h2>"
#define CANNOT_START "The Network Device Enrollment Service cannot be started "
#define CANNOT_RETRIEVE                                                     \
	"The Network Device Enrollment Service cannot retrieve one of its " \
	"required certificates "
#define PARAMETER "(0x80070057).  The parameter is incorrect."
#define NO_FILE "(0x80070002).  The system cannot find the file specified."

static const struct cause {
	const char *scenario;
	unsigned fails; /* which of the visits */
	long status;
	const char *triple; /* in the IIS log */
	const char *page;   /* words of it */
	const char *layer, *server;
	const char *events[2]; /* one of each with every failure */
} causes[] = {
	{ "impersonation-right-missing", ALL, 500, "500 0 1346", STATIC_500,
	    "iis", "Microsoft-IIS/10.0", { NULL } },
	{ "request-filtering-default", LONG, 414, "414 0 0",
	    "The page was not displayed because the request URI is too long.",
	    "iis", "Microsoft-IIS/10.0", { NULL } },
	{ "http-status", ALL, 401, "401 2 5", "<h2>401 - Unauthorized: ", "iis",
	    "Microsoft-IIS/10.0", { NULL } },
	{ "service-account-locked", ALL, 500, "500 0 1909", STATIC_500, "iis",
	    "Microsoft-IIS/10.0", { NULL } },
	{ "service-account-password-expired", ALL, 500, "500 0 1330",
	    STATIC_500, "iis", "Microsoft-IIS/10.0", { NULL } },
	{ "ra-certificates-expired", ALL, 500, "500 0 87", STATIC_500, "mscep",
	    "Microsoft-IIS/10.0",
	    { CANNOT_START PARAMETER, CANNOT_RETRIEVE PARAMETER } },
	{ "ra-keys-not-readable", ALL, 500, "500 0 87", STATIC_500, "mscep",
	    "Microsoft-IIS/10.0",
	    { CANNOT_START PARAMETER, CANNOT_RETRIEVE PARAMETER } },
	{ "ndes-registry-inconsistent", ALL, 500, "500 0 2", STATIC_500,
	    "mscep", "Microsoft-IIS/10.0",
	    { CANNOT_START NO_FILE, CANNOT_RETRIEVE NO_FILE } },
	{ "encrypted-password-undecryptable", ALL, 500, "500 0 2148073483",
	    STATIC_500, "mscep", "Microsoft-IIS/10.0",
	    { CANNOT_START "(0x8009000b).  Key not valid for use in specified "
			   "state.",
		NULL } },
	{ "admin-handler-order", ADMIN, 500, "500 0 234", STATIC_500, "iis",
	    "Microsoft-IIS/8.0",
	    { CANNOT_START "(0x800700ea).  More data is available.", NULL } },
};

static struct mockndes_site *
open_site(const char *scenario, const char *set)
{
	struct mockndes_site_options options = MOCKNDES_SITE_OPTIONS_INIT;
	char error[MOCKNDES_ERROR_SIZE];
	struct mockndes_site *site;

	options.scenario = scenario;
	options.set = &set;
	options.set_count = set != NULL;
	if (mockndes_open_site(mockndes, &options, &site, error) != 0)
		fail_msg("%s: %s", scenario, error);
	return site;
}

/* The octets of the URL alone: of a body IIS wants none. */
static void
visit(struct mockndes_site *site, const struct visit *v,
    struct web_reply *reply)
{
	char url[URL_SIZE];
	int len = snprintf(url, sizeof(url), "%s%s",
	    mockndes_site_base_url(site), v->target);
	const struct web_request request = { .url = url,
		.body = v->is_post ? "nothing" : NULL,
		.length = v->is_post ? 7 : 0 };

	if (v->is_long) {
		memset(url + len, 'x', 3000);
		url[len + 3000] = '\0';
	}
	assert_true(web_ask(&request, reply));
}

static size_t
count_in(struct mockndes_site *site, const char *evidence, const char *words)
{
	struct mockndes_reply reply;
	char path[128];
	size_t count = 0;

	snprintf(path, sizeof(path), "/v1/sites/%s/evidence/%s",
	    mockndes_site_id(site), evidence);
	assert_int_equal(mockndes_control(mockndes, "GET", path, NULL, 0,
			     &reply),
	    0);
	assert_int_equal(reply.status, 200);
	for (const char *at = reply.body; (at = strstr(at, words)) != NULL;
	     at += strlen(words))
		count++;
	mockndes_reply_clear(&reply);
	return count;
}

static void
must_fail_as(const struct cause *t, const struct visit *v,
    const struct web_reply *reply, const struct mockndes_request *r)
{
	char triple[64];

	if (strstr((char *)reply->body.data, t->page) == NULL)
		fail_msg("%s: %s: %s", t->scenario, v->target,
		    (char *)reply->body.data);
	assert_string_equal(reply->server, t->server);
	assert_string_equal(reply->content_type, "text/html");
	assert_string_equal(r->layer, t->layer);
	snprintf(triple, sizeof(triple), "%d %d %u", r->status, r->substatus,
	    r->win32);
	assert_string_equal(triple, t->triple);
}

/* By status, page, header, and what the logs have: a line a failure. */
static size_t
visit_all(struct mockndes_site *site, const struct cause *t)
{
	size_t failed = 0;

	for (size_t i = 0; i < COUNT_OF(visits); i++) {
		const struct visit *v = &visits[i];
		struct mockndes_request *r;
		struct web_reply reply;
		bool fails = t != NULL && (t->fails & v->bit) != 0;

		visit(site, v, &reply);
		r = embedded_next(site, NULL);
		if (reply.status != (fails ? t->status : v->status))
			fail_msg("%s: %s: %ld", t == NULL ? "" : t->scenario,
			    v->target, reply.status);
		if (fails)
			must_fail_as(t, v, &reply, r);
		failed += fails;
		mockndes_request_free(r);
		web_reply_clear(&reply);
	}
	return failed;
}

static void
each_shows_as_documented(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(causes); i++) {
		const struct cause *t = &causes[i];
		struct mockndes_site *site = open_site(t->scenario, NULL);
		char line_end[64];
		size_t failed;

		assert_int_equal(mockndes_healthy(site, NULL), 0);
		failed = visit_all(site, t);
		assert_int_not_equal(failed, 0);
		snprintf(line_end, sizeof(line_end), " - %s ", t->triple);
		assert_int_equal(count_in(site, "iis-log", line_end), failed);
		assert_int_equal(count_in(site, "httperr-log", " GET "), 0);
		for (size_t e = 0; e < COUNT_OF(t->events); e++)
			if (t->events[e] != NULL)
				assert_int_equal(count_in(site,
						     "application-log",
						     t->events[e]),
				    failed);
		if (t->events[0] == NULL)
			assert_int_equal(count_in(site, "application-log",
					     CANNOT_START),
			    0);
		mockndes_close_site(site);
	}
}

static void
the_status_line_is_the_article_s(void **state)
{
	struct mockndes_site *site = open_site("request-filtering-default",
	    NULL);
	struct web_reply reply;

	(void)state;
	visit(site, &visits[5], &reply);
	assert_int_equal(reply.status, 414);
	if (strstr((char *)reply.head.data, "414 Request-URI Too Long") == NULL)
		fail_msg("%s", (char *)reply.head.data);
	web_reply_clear(&reply);
	mockndes_close_site(site);
	site = open_site("request-filtering-default",
	    "server.iis.too_long=filtering");
	visit(site, &visits[5], &reply);
	assert_int_equal(reply.status, 404);
	web_reply_clear(&reply);
	mockndes_request_free(embedded_next(site, NULL));
	assert_int_equal(count_in(site, "iis-log", " 404 15 0 "), 1);
	mockndes_close_site(site);
}

static void
without_the_connector_there_is_ndes_s_page(void **state)
{
	struct mockndes_site *site = open_site("connector-not-installed", NULL);
	struct web_reply reply;
	struct buffer text;

	(void)state;
	assert_int_equal(mockndes_healthy(site, NULL), 0);
	visit(site, &visits[0], &reply);
	assert_int_equal(reply.status, 200);
	assert_true(web_page_text(&reply, &text));
	assert_non_null(strstr((char *)text.data,
	    "allows you to obtain certificates for routers or other network "
	    "devices using the Simple Certificate Enrollment Protocol"));
	buffer_free(&text);
	web_reply_clear(&reply);
	mockndes_close_site(site);
}

static void
any_status_can_be_ordered(void **state)
{
	struct mockndes_site *site = open_site("http-status",
	    "server.iis.status=403.16.2148204809");
	struct web_reply reply;

	(void)state;
	visit(site, &visits[1], &reply);
	assert_int_equal(reply.status, 403);
	web_reply_clear(&reply);
	mockndes_request_free(embedded_next(site, NULL));
	assert_int_equal(count_in(site, "iis-log", " - 403 16 2148204809 "), 1);
	mockndes_close_site(site);
}

static void
act(struct mockndes_site *site, const char *action)
{
	char error[MOCKNDES_ERROR_SIZE];

	if (mockndes_action(site, action, NULL, 0, error) != 0)
		fail_msg("%s: %s", action, error);
}

static void
begins_at(X509 *cert, int64_t at)
{
	assert_int_equal(X509_cmp_time(X509_get0_notBefore(cert),
			     &(time_t){ at - 3600 }),
	    1);
	assert_int_equal(X509_cmp_time(X509_get0_notBefore(cert),
			     &(time_t){ at }),
	    -1);
}

static void
enrol(struct mockndes_site *site, STACK_OF(X509) * certs)
{
	char challenge[MOCKNDES_CHALLENGE_SIZE], error[MOCKNDES_ERROR_SIZE];
	const struct device_order order = { .challenge = challenge };
	struct device_answer answer;
	struct device device;

	assert_int_equal(mockndes_challenge(site, 32, challenge, error), 0);
	assert_true(device_make(&device));
	if (!device_ask(&device, mockndes_site_url(site), &order, certs,
		&answer))
		fail_msg("%s", answer.why);
	assert_int_equal(answer.pki_status, 0);
	device_answer_clear(&answer);
	device_clear(&device);
}

/* With certificates that it has made before, and without. */
static void
three_years_are_a_cause(void **state)
{
	const struct cause *expired = &causes[5];

	(void)state;
	assert_string_equal(expired->scenario, "ra-certificates-expired");
	for (int made = 0; made <= 1; made++) {
		struct mockndes_site *site = open_site("healthy", NULL);
		STACK_OF(X509) * certs;
		int64_t now;

		if (made)
			visit_all(site, NULL);
		assert_int_equal(mockndes_healthy(site, NULL), 1);
		now = mockndes_advance_clock(site, 3 * YEARS);
		visit_all(site, expired);
		assert_int_equal(mockndes_healthy(site, NULL), 0);
		act(site, "iisreset");
		visit_all(site, expired);
		act(site, "renew-ra-certificates");
		visit_all(site, expired);
		act(site, "iisreset");
		visit_all(site, NULL);
		assert_int_equal(mockndes_healthy(site, NULL), 1);
		assert_non_null(
		    certs = device_ca_certs(mockndes_site_url(site)));
		begins_at(device_ra(certs, KU_DIGITAL_SIGNATURE), now);
		begins_at(device_ra(certs, KU_KEY_ENCIPHERMENT), now);
		enrol(site, certs);
		device_ca_certs_free(certs);
		mockndes_close_site(site);
	}
}

/* One that a rollover makes anew does not need what was before. */
static void
a_rollover_brings_new_ones(void **state)
{
	struct mockndes_site *site = open_site("healthy",
	    "server.ca.rollover_after=1000d");

	(void)state;
	visit_all(site, NULL);
	mockndes_advance_clock(site, 2 * YEARS + 30 * 24 * 60 * 60LL);
	visit_all(site, &causes[5]);
	mockndes_advance_clock(site, YEARS);
	visit_all(site, NULL);
	mockndes_close_site(site);
}

static int
start(void **state)
{
	(void)state;
	web_start();
	mockndes = embedded_start(0);
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	mockndes_stop(mockndes);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_shows_as_documented),
		cmocka_unit_test(the_status_line_is_the_article_s),
		cmocka_unit_test(without_the_connector_there_is_ndes_s_page),
		cmocka_unit_test(any_status_can_be_ordered),
		cmocka_unit_test(three_years_are_a_cause),
		cmocka_unit_test(a_rollover_brings_new_ones),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
