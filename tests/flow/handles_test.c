/* Sites that an embedder opens: their URLs, ports, options and end. */
#include "support/test.h"

#include <stdio.h>
#include <string.h>

#include "support/embedded.h"
#include "support/tcp.h"
#include "support/web.h"

static void
the_default_site_is_that_of_the_instance(void **state)
{
	struct mockndes *m = embedded_start(0);
	struct mockndes_site *site = mockndes_default_site(m);
	char pem[MOCKNDES_PEM_SIZE], error[MOCKNDES_ERROR_SIZE];

	(void)state;
	assert_ptr_equal(site, mockndes_default_site(m));
	assert_string_equal(mockndes_site_id(site), "default");
	assert_string_equal(mockndes_site_url(site), mockndes_url(m));
	assert_non_null(
	    strstr(mockndes_ready(m), mockndes_site_admin_url(site)));
	assert_int_equal(mockndes_site_ca_pem(site, pem, error), 0);
	assert_string_equal(pem, mockndes_ca_pem(m));
	mockndes_close_site(site);
	assert_int_equal(embedded_get(mockndes_site_url(site)), 200);
	mockndes_stop(m);
}

static void
a_site_has_an_url_until_it_is_closed(void **state)
{
	struct mockndes_site_options options = MOCKNDES_SITE_OPTIONS_INIT;
	struct mockndes *m = embedded_start(0);
	struct mockndes_site *site, *again;
	char url[256], error[MOCKNDES_ERROR_SIZE];

	(void)state;
	options.id = "mine.1_a-b";
	assert_int_equal(mockndes_open_site(m, &options, &site, error), 0);
	assert_string_equal(mockndes_site_id(site), options.id);
	snprintf(url, sizeof(url), "%s/certsrv/mscep/mscep.dll",
	    mockndes_site_base_url(site));
	assert_string_equal(mockndes_site_url(site), url);
	assert_non_null(strstr(url, "/t/mine.1_a-b/"));
	assert_int_equal(embedded_get(url), 200);

	assert_int_equal(mockndes_open_site(m, &options, &again, error), -1);
	assert_null(again);
	assert_string_equal(error, "there is a site \"mine.1_a-b\" already");

	mockndes_close_site(site);
	assert_int_equal(embedded_get(url), 410);
	assert_int_equal(mockndes_open_site(m, &options, &again, error), 0);
	assert_int_equal(embedded_get(url), 200);
	mockndes_close_site(NULL);
	mockndes_stop(m);
}

/* As it is when somebody else has deleted it, and made another one. */
static void
closing_ends_no_other_site_of_the_same_id(void **state)
{
	struct mockndes_site_options options = MOCKNDES_SITE_OPTIONS_INIT;
	struct mockndes *m = embedded_start(0);
	struct mockndes_site *first, *second;
	struct mockndes_reply reply;
	char error[MOCKNDES_ERROR_SIZE], password[MOCKNDES_CHALLENGE_SIZE];

	(void)state;
	options.id = "twice";
	assert_int_equal(mockndes_open_site(m, &options, &first, error), 0);
	mockndes_control(m, "DELETE", "/v1/sites/twice", NULL, 0, &reply);
	assert_int_equal(reply.status, 204);
	mockndes_reply_clear(&reply);
	assert_int_equal(embedded_get(mockndes_site_url(first)), 410);
	assert_int_equal(mockndes_use_scenario(first, "healthy", NULL, 0,
			     error),
	    -1);
	assert_string_equal(error, "the site was deleted");
	assert_int_equal(mockndes_set(first, "windows=2016", error), -1);
	assert_int_equal(mockndes_reset(first, error), -1);
	assert_int_equal(mockndes_challenge(first, 0, password, error), -1);
	assert_int_equal(mockndes_action(first, "iisreset", NULL, 0, error),
	    -1);
	assert_string_equal(error, "the site was deleted");
	assert_int_equal(mockndes_open_site(m, &options, &second, error), 0);
	mockndes_close_site(first);
	assert_int_equal(embedded_get(mockndes_site_url(second)), 200);
	mockndes_stop(m);
}

static void
a_port_of_its_own_goes_with_the_site(void **state)
{
	struct mockndes_site_options options = MOCKNDES_SITE_OPTIONS_INIT;
	struct mockndes *m = embedded_start(0);
	struct mockndes_site *site, *other;
	char url[256], error[MOCKNDES_ERROR_SIZE];
	unsigned port;

	(void)state;
	options.port = MOCKNDES_ANY_PORT;
	assert_int_equal(mockndes_open_site(m, &options, &site, error), 0);
	snprintf(url, sizeof(url), "%s", mockndes_site_url(site));
	assert_int_equal(sscanf(url,
			     "http://127.0.0.1:%u/certsrv/mscep/mscep.dll",
			     &port),
	    1);
	assert_int_equal(embedded_get(url), 200);
	assert_int_equal(mockndes_count_requests(mockndes_default_site(m),
			     NULL),
	    0);

	options.port = (int)port;
	assert_int_equal(mockndes_open_site(m, &options, &other, error), -1);
	assert_null(other);

	mockndes_close_site(site);
	assert_int_equal(tcp_connect(url), -1);
	assert_int_equal(mockndes_open_site(m, &options, &other, error), 0);
	assert_int_equal(embedded_get(url), 200);
	mockndes_stop(m);
}

static void
what_hangs_is_cut_when_its_site_is_closed(void **state)
{
	struct mockndes *m = embedded_start(0);
	struct mockndes_site *site = embedded_open(m,
	    "faults: [{do: {wire: {hang: forever}}}]\n");
	struct buffer octets = { 0 };
	int fd = tcp_connect(mockndes_site_url(site));
	char ask[512];

	(void)state;
	snprintf(ask, sizeof(ask), "GET %s HTTP/1.0\r\n\r\n",
	    strchr(mockndes_site_url(site) + strlen("http://"), '/'));
	assert_true(tcp_send_text(fd, ask));
	mockndes_close_site(site);
	/* Before it was asked, or after. */
	assert_int_not_equal(tcp_read_all(fd, &octets), TCP_SILENT);
	buffer_free(&octets);
	mockndes_stop(m);
}

static const char *const sets[] = { "server.windows=2012r2", "server.x=1" };

static const struct {
	const char *row;
	struct mockndes_site_options options;
	const char *error;
} bad[] = {
	{ "an id with a slash", { .id = "a/b" },
	    "an id has 1 to 64 of A-Z a-z 0-9 . _ -" },
	{ "no id", { .id = "" }, "an id has 1 to 64 of A-Z a-z 0-9 . _ -" },
	{ "the default site's id", { .id = "default" },
	    "there is a site \"default\" already" },
	{ "a scenario's id", { .id = "healthy" },
	    "\"healthy\" is the id of the scenario's own site" },
	{ "a scenario that is not there", { .scenario = "helthy" }, "healthy" },
	{ "both", { .scenario = "healthy", .yaml = "mockndes: 1\n" },
	    "set one of them" },
	{ "YAML with a mistake", { .yaml = "mockndes: 1\nnam: x\n" },
	    "yaml:2:1: " },
	{ "a key that is not there", { .set = sets, .set_count = 2 },
	    "server.x" },
	{ "a port too large", { .port = 65536 },
	    "mockndes_site_options.port is 65536" },
	{ "a port below all", { .port = -2 },
	    "mockndes_site_options.port is -2" },
	{ "no size", { .id = NULL }, "begin with MOCKNDES_SITE_OPTIONS_INIT" },
};

static void
bad_options_are_named(void **state)
{
	struct mockndes_site_options options;
	struct mockndes *m = embedded_start(0);
	struct mockndes_site *site;
	char error[MOCKNDES_ERROR_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		options = bad[i].options;
		if (strcmp(bad[i].row, "no size") != 0)
			options.size = sizeof(options);
		error[0] = '\0';
		if (mockndes_open_site(m, &options, &site, error) != -1 ||
		    site != NULL || strstr(error, bad[i].error) == NULL)
			fail_msg("%s: %s", bad[i].row, error);
		assert_int_equal(mockndes_open_site(m, &options, &site, NULL),
		    -1);
	}
	mockndes_stop(m);
}

/* A program that was compiled with an earlier header. */
static void
options_of_an_older_caller_end_earlier(void **state)
{
	struct mockndes_site_options options = MOCKNDES_SITE_OPTIONS_INIT;
	struct mockndes *m = embedded_start(0);
	struct mockndes_site *site;
	char error[MOCKNDES_ERROR_SIZE];

	(void)state;
	options.size = offsetof(struct mockndes_site_options, set);
	options.set = sets;
	options.set_count = 1000;
	options.port = -1000;
	if (mockndes_open_site(m, &options, &site, error) != 0)
		fail_msg("%s", error);
	mockndes_stop(m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_default_site_is_that_of_the_instance),
		cmocka_unit_test(a_site_has_an_url_until_it_is_closed),
		cmocka_unit_test(closing_ends_no_other_site_of_the_same_id),
		cmocka_unit_test(a_port_of_its_own_goes_with_the_site),
		cmocka_unit_test(what_hangs_is_cut_when_its_site_is_closed),
		cmocka_unit_test(bad_options_are_named),
		cmocka_unit_test(options_of_an_older_caller_end_earlier),
	};

	web_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
