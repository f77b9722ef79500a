/*
 * A SCEP client and its test, in one file that can be copied: it needs
 * mockndes, cmocka and libcurl, and is C as well as C++. Of yours, the client
 * would be the part that you have already.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif
#include <cmocka.h>
#ifdef __cplusplus
}
#endif
#include <curl/curl.h>
#include <mockndes.h>

/* The client: asks what the server can do, and does not give up at once. */

#define CLIENT_ATTEMPTS 3
#define CLIENT_NAME "example-client/1.0"

struct answer {
	long status; /* of HTTP; 0: there was no answer */
	char text[1024];
	size_t length;
};

static size_t
keep(char *data, size_t size, size_t count, void *cls)
{
	struct answer *answer = (struct answer *)cls;
	size_t length = size * count;

	if (length >= sizeof(answer->text) - answer->length)
		return 0;
	memcpy(answer->text + answer->length, data, length);
	answer->length += length;
	answer->text[answer->length] = '\0';
	return length;
}

static void
get(const char *url, struct answer *answer)
{
	CURL *curl = curl_easy_init();

	memset(answer, 0, sizeof(*answer));
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, CLIENT_NAME);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, 10L);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
	if (curl_easy_perform(curl) == CURLE_OK)
		curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE,
		    &answer->status);
	curl_easy_cleanup(curl);
}

/* 0: the server answered 200, and *answer has its capabilities. */
static int
client_get_capabilities(const char *scep_url, struct answer *answer)
{
	char url[1024];

	snprintf(url, sizeof(url), "%s?operation=GetCACaps", scep_url);
	for (int i = 0; i < CLIENT_ATTEMPTS; i++) {
		get(url, answer);
		if (answer->status == 200)
			return 0;
		/* Only what may be better next time is worth another one. */
		if (answer->status != 0 && answer->status < 500)
			break;
	}
	return -1;
}

/* Its tests. One server for all of them; each has a site of its own. */

static int
start_server(void **state)
{
	struct mockndes_options options = MOCKNDES_OPTIONS_INIT;
	struct mockndes *server;
	char error[MOCKNDES_ERROR_SIZE];

	/* `mockndes keys --out DIR` makes some: starting is faster then. */
	options.keys = getenv("MOCKNDES_KEYS");
	if (mockndes_start(&options, &server, error) != 0) {
		fprintf(stderr, "mockndes: %s\n", error);
		return -1;
	}
	*state = server;
	return 0;
}

static int
stop_server(void **state)
{
	mockndes_stop((struct mockndes *)*state);
	return 0;
}

static struct mockndes_site *
open_site(void **state, const char *yaml)
{
	struct mockndes_site_options options = MOCKNDES_SITE_OPTIONS_INIT;
	struct mockndes_site *site;
	char error[MOCKNDES_ERROR_SIZE];

	options.yaml = yaml;
	if (mockndes_open_site((struct mockndes *)*state, &options, &site,
		error) != 0)
		fail_msg("%s", error);
	return site;
}

/* The next exchange in the site's journal, which must have this status. */
static void
expect_status(struct mockndes_site *site, int status, const char *rules)
{
	struct mockndes_request *request = mockndes_next_request(site, NULL,
	    10000);

	if (request == NULL)
		fail_msg("no request came");
	assert_string_equal(request->operation, "GetCACaps");
	assert_string_equal(request->user_agent, CLIENT_NAME);
	assert_int_equal(request->status, status);
	assert_string_equal(request->rules, rules);
	mockndes_request_free(request);
}

static void
the_client_tries_again_after_503(void **state)
{
	static const char yaml[] =
	    "mockndes: 1\n"
	    "name: unavailable-twice\n"
	    "title: The service is unavailable, twice\n"
	    "faults:\n"
	    "  - when: {operation: GetCACaps, first: 2}\n"
	    "    do: {http: {status: 503}}\n";
	struct mockndes_site *site = open_site(state, yaml);
	struct answer answer;

	assert_int_equal(client_get_capabilities(mockndes_site_url(site),
			     &answer),
	    0);
	assert_non_null(strstr(answer.text, "SHA-256"));

	expect_status(site, 503, "yaml:5");
	expect_status(site, 503, "yaml:5");
	expect_status(site, 200, "");
	assert_int_equal(mockndes_count_requests(site, NULL), 3);
	mockndes_close_site(site);
}

static void
the_client_gives_up_after_404(void **state)
{
	static const char yaml[] = "mockndes: 1\n"
				   "name: not-installed\n"
				   "title: NDES is not installed\n"
				   "faults:\n"
				   "  - do: {http: {status: 404}}\n";
	struct mockndes_site *site = open_site(state, yaml);
	struct answer answer;

	assert_int_equal(client_get_capabilities(mockndes_site_url(site),
			     &answer),
	    -1);
	expect_status(site, 404, "yaml:5");
	assert_int_equal(mockndes_count_requests(site, NULL), 1);
	mockndes_close_site(site);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_client_tries_again_after_503),
		cmocka_unit_test(the_client_gives_up_after_404),
	};

	curl_global_init(CURL_GLOBAL_DEFAULT);
	return cmocka_run_group_tests(tests, start_server, stop_server);
}
