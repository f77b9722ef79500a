/*
 * The failures that only some clients meet: who sends long URLs, and who does
 * not.
 */
#include "support/test.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mockndes.h"
#include "support/certmonger.h"
#include "support/embedded.h"
#include "support/scepclient.h"
#include "support/web.h"

#define SECRET "secret"
#define IIS_URL_MAX 2048 /* of a query, as IIS comes */

static struct fixture {
	struct mockndes *mockndes;
	struct mockndes_site *site;
	struct certmonger certmonger;
	char dir[FILE_PATH_SIZE];
} fixture;

static void
start(struct fixture *f)
{
	struct mockndes_options options = MOCKNDES_OPTIONS_INIT;
	char keys[FILE_PATH_SIZE], error[MOCKNDES_ERROR_SIZE];

	web_start();
	dir_make(f->dir);
	options.keys = path_in_source(keys, "tests/fixtures/keys");
	options.challenge = SECRET;
	options.scenario = "request-filtering-default";
	if (mockndes_start(&options, &f->mockndes, error) != 0)
		fail_msg("%s", error);
	f->site = mockndes_default_site(f->mockndes);
	certmonger_start(&f->certmonger, f->dir, mockndes_site_url(f->site));
}

/* After a start that failed, too. */
static void
stop(struct fixture *f)
{
	if (f->dir[0] == '\0')
		return;
	certmonger_stop(&f->certmonger);
	mockndes_stop(f->mockndes);
	dir_remove(f->dir);
}

/* By POST. */
static int
run_scepclient(struct fixture *f, const char *name)
{
	struct child_result result;
	struct scepclient client;
	int status;

	scepclient_make(&client, f->dir, name);
	scepclient_run(&client, mockndes_site_url(f->site), SECRET, NULL,
	    &result);
	status = result.status;
	if ((status == 0) != (access(client.cert, F_OK) == 0))
		fail_msg("scepclient: %d %s%s", status, (char *)result.out.data,
		    (char *)result.err.data);
	child_result_clear(&result);
	return status;
}

/* By GET, whatever GetCACaps says. */
static void
certmonger_must_be(struct fixture *f, const char *id, const char *status,
    bool enrols)
{
	char path[FILE_PATH_SIZE];

	certmonger_request(&f->certmonger, id, SECRET, certmonger_to_the_end);
	certmonger_must(&f->certmonger, GETCERT("list", "-i", id), status);
	assert_int_equal(access(certmonger_cert(&f->certmonger, id, path),
			     F_OK) == 0,
	    enrols);
}

/* A PKIOperation: how it was sent, whether IIS's own limit is too small. */
static void
was_asked(struct fixture *f, const char *method, bool is_long, int status)
{
	struct mockndes_request *r = embedded_next(f->site, "PKIOperation");
	json_t *json = json_loads(r->json, 0, NULL);
	json_int_t length = json_integer_value(
	    json_object_get(json, "target_length"));

	assert_string_equal(r->method, method);
	assert_int_equal(r->status, status);
	if (is_long)
		assert_in_range(length, IIS_URL_MAX + 1, 2 * 4096);
	else
		assert_in_range(length, 1, 100);
	json_decref(json);
	mockndes_request_free(r);
}

static void
act(struct fixture *f, const char *action)
{
	char error[MOCKNDES_ERROR_SIZE];

	if (mockndes_action(f->site, action, NULL, 0, error) != 0)
		fail_msg("%s: %s", action, error);
}

static void
request_filtering_stops_who_asks_by_get(void **state)
{
	struct fixture *f = &fixture;

	(void)state;
	start(f);
	certmonger_must_be(f, "before", "status: CA_UNREACHABLE", false);
	was_asked(f, "GET", true, 414);
	mockndes_forget_requests(f->site);
	assert_int_equal(run_scepclient(f, "s-before"), 0);
	was_asked(f, "POST", false, 200);
	act(f, "set-request-filtering-limits");
	certmonger_must_be(f, "between", "status: CA_UNREACHABLE", false);
	act(f, "restart-server");
	assert_int_equal(mockndes_healthy(f->site, NULL), 1);
	mockndes_forget_requests(f->site);
	certmonger_must_be(f, "after", "status: MONITORING", true);
	was_asked(f, "GET", true, 200);
	mockndes_forget_requests(f->site);
	assert_int_equal(run_scepclient(f, "s-after"), 0);
	was_asked(f, "POST", false, 200);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(request_filtering_stops_who_asks_by_get),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	stop(&fixture);
	return failed;
}
