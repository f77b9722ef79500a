/* Ports: opened at the start and later, taken ones, foreign ones. */
#include "support/test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mockndes.h"
#include "support/device.h"
#include "support/files.h"
#include "support/tcp.h"

#define LASTING "lasting"
#define THREADS 3
#define URL_SIZE 80

static int
start_with(struct mockndes **out, const char *listen, int allow_remote,
    char error[MOCKNDES_ERROR_SIZE])
{
	struct mockndes_options options = MOCKNDES_OPTIONS_INIT;
	char keys[FILE_PATH_SIZE];

	options.listen = listen;
	options.allow_remote = allow_remote;
	options.keys = path_in_source(keys, "tests/fixtures/keys");
	options.challenge = LASTING;
	return mockndes_start(&options, out, error);
}

static struct mockndes *
start(int allow_remote)
{
	char error[MOCKNDES_ERROR_SIZE];
	struct mockndes *m;

	if (start_with(&m, NULL, allow_remote, error) != 0)
		fail_msg("%s", error);
	return m;
}

static void
open_port(struct mockndes *m, const char *address, char url[URL_SIZE])
{
	char error[MOCKNDES_ERROR_SIZE];

	if (mockndes_listen(m, address, url, URL_SIZE, error) != 0)
		fail_msg("%s: %s", address, error);
}

/* Whether ::1 can be bound to here; some containers have no IPv6. */
static bool
has_ipv6(struct mockndes *m)
{
	char url[URL_SIZE], error[MOCKNDES_ERROR_SIZE];

	if (mockndes_listen(m, "[::1]:0", url, sizeof(url), error) == 0)
		return true;
	print_message("no IPv6: %s\n", error);
	return false;
}

struct hammer {
	const char *url;
	atomic_bool stop;
	atomic_int asked, failed;
};

static void *
ask_again_and_again(void *cls)
{
	struct hammer *h = cls;

	while (!atomic_load(&h->stop)) {
		atomic_fetch_add(&h->asked, 1);
		if (!tcp_is_served(h->url))
			atomic_fetch_add(&h->failed, 1);
	}
	return NULL;
}

static void
ports_open_while_others_are_busy(void **state)
{
	/* Its threads go on when a check has failed. */
	static struct hammer h;
	struct mockndes *m = start(0);
	char urls[20][URL_SIZE];
	pthread_t threads[THREADS];

	(void)state;
	h.url = mockndes_url(m);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL,
				     ask_again_and_again, &h),
		    0);
	for (size_t i = 0; i < COUNT_OF(urls); i++) {
		open_port(m, "127.0.0.1:0", urls[i]);
		assert_int_equal(strncmp(urls[i], "http://127.0.0.1:", 17), 0);
		assert_true(tcp_is_served(urls[i]));
	}
	for (size_t i = 0; i < COUNT_OF(urls); i++)
		assert_true(tcp_is_served(urls[i]));
	atomic_store(&h.stop, true);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_true(atomic_load(&h.asked) > 0);
	assert_int_equal(atomic_load(&h.failed), 0);
	mockndes_stop(m);
	assert_int_equal(tcp_connect(urls[0]), -1);
}

/* A device gets the CA from one port and enrols at the other. */
static void
each_port_is_the_same_ndes(void **state)
{
	char url[URL_SIZE], dll[2 * URL_SIZE];
	struct mockndes *m = start(0);
	STACK_OF(X509) *ca_certs = device_ca_certs(mockndes_url(m));
	struct device_answer answer;
	struct device device;

	(void)state;
	assert_true(device_make(&device));
	open_port(m, has_ipv6(m) ? "[::1]:0" : "127.0.0.1:0", url);
	snprintf(dll, sizeof(dll), "%s/certsrv/mscep/mscep.dll", url);
	if (!device_enrol(&device, dll, LASTING, ca_certs, &answer))
		fail_msg("%s: %s", url, answer.why);
	assert_non_null(answer.certificate);
	device_answer_clear(&answer);
	device_ca_certs_free(ca_certs);
	device_clear(&device);
	mockndes_stop(m);
}

static void
ipv6_can_be_the_first_port(void **state)
{
	char error[MOCKNDES_ERROR_SIZE];
	struct mockndes *probe = start(0), *m;
	bool can = has_ipv6(probe);

	(void)state;
	mockndes_stop(probe);
	if (!can)
		skip();
	if (start_with(&m, "[::1]:0", 0, error) != 0)
		fail_msg("%s", error);
	assert_int_equal(strncmp(mockndes_url(m), "http://[::1]:", 13), 0);
	assert_true(tcp_is_served(mockndes_url(m)));
	mockndes_stop(m);
}

/* "ADDR:PORT" of "http://ADDR:PORT/..." */
static char *
address_of(const char *url, char out[URL_SIZE])
{
	snprintf(out, URL_SIZE, "%.*s", (int)strcspn(url + 7, "/"), url + 7);
	return out;
}

static void
a_taken_port_is_named(void **state)
{
	char taken[URL_SIZE], wanted[160], error[MOCKNDES_ERROR_SIZE];
	struct mockndes *m = start(0), *second;
	char url[URL_SIZE];

	(void)state;
	address_of(mockndes_url(m), taken);
	snprintf(wanted, sizeof(wanted),
	    "cannot listen on 127.0.0.1 port %s: Address already in use",
	    strchr(taken, ':') + 1);
	assert_int_equal(mockndes_listen(m, taken, url, sizeof(url), error),
	    -1);
	assert_string_equal(error, wanted);
	assert_int_equal(start_with(&second, taken, 0, error), -1);
	assert_null(second);
	assert_string_equal(error, wanted);
	assert_true(tcp_is_served(mockndes_url(m)));
	mockndes_stop(m);
}

/* Every address in 192.0.2.0/24 is nobody's (RFC 5737). */
static const struct {
	const char *row, *address;
	int allow_remote;
	int start; /* what mockndes_start() returns */
	const char *error;
} bad[] = {
	{ "not loopback", "192.0.2.1:0", 0, MOCKNDES_USAGE,
	    "192.0.2.1:0 is not a loopback address" },
	{ "any address", "0.0.0.0:0", 0, MOCKNDES_USAGE,
	    "0.0.0.0:0 is not a loopback address" },
	{ "any IPv6 address", "[::]:0", 0, MOCKNDES_USAGE,
	    "[::]:0 is not a loopback address" },
	{ "an address of others", "192.0.2.1:0", 1, -1,
	    "cannot listen on 192.0.2.1 port 0: "
	    "Cannot assign requested address" },
	{ "no port", "127.0.0.1", 0, MOCKNDES_USAGE,
	    "\"127.0.0.1\" is not an address and port" },
	{ "a name", "localhost:80", 0, MOCKNDES_USAGE,
	    "\"localhost:80\" is not an address and port" },
	{ "a port too large", "127.0.0.1:65536", 0, MOCKNDES_USAGE,
	    "\"127.0.0.1:65536\" is not an address and port" },
	{ "IPv6 without brackets", "::1:0", 0, MOCKNDES_USAGE,
	    "\"::1:0\" is not an address and port" },
	{ "something after it", "127.0.0.1:0 ", 0, MOCKNDES_USAGE,
	    "\"127.0.0.1:0 \" is not an address and port" },
	{ "nothing", "", 0, MOCKNDES_USAGE, "\"\" is not an address and port" },
};

static void
a_bad_address_is_named(void **state)
{
	char error[MOCKNDES_ERROR_SIZE], url[URL_SIZE];
	struct mockndes *m, *second;
	int ret;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		m = start(bad[i].allow_remote);
		if (mockndes_listen(m, bad[i].address, url, sizeof(url),
			error) != -1 ||
		    strstr(error, bad[i].error) == NULL)
			fail_msg("%s, listen: %s", bad[i].row, error);
		assert_true(tcp_is_served(mockndes_url(m)));
		mockndes_stop(m);
		ret = start_with(&second, bad[i].address, bad[i].allow_remote,
		    error);
		if (ret != bad[i].start || second != NULL ||
		    strstr(error, bad[i].error) == NULL)
			fail_msg("%s, start: %d %s", bad[i].row, ret, error);
	}
}

/* What the command line never lets through. */
static const struct {
	unsigned first, last;
	const char *error;
} bad_ranges[] = {
	{ 5, 0, "ports of sites from 5 to 0: they go up from 1 or more" },
	{ 0, 5, "ports of sites from 0 to 5" },
	{ 6, 5, "ports of sites from 6 to 5" },
	{ 1, 65536, "ports of sites from 1 to 65536" },
};

static void
assert_no_start(const struct mockndes_options *options, const char *why)
{
	char error[MOCKNDES_ERROR_SIZE];
	struct mockndes *m;

	assert_int_equal(mockndes_start(options, &m, error), MOCKNDES_USAGE);
	assert_null(m);
	if (strstr(error, why) == NULL)
		fail_msg("%s", error);
}

static void
a_bad_option_is_told(void **state)
{
	const struct mockndes_options none = MOCKNDES_OPTIONS_INIT;
	struct mockndes_options options;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad_ranges); i++) {
		options = none;
		options.site_port_first = bad_ranges[i].first;
		options.site_port_last = bad_ranges[i].last;
		assert_no_start(&options, bad_ranges[i].error);
	}
	options = none;
	options.public_url = "ndes.example.com";
	assert_no_start(&options, "--public-url: \"ndes.example.com\"");
	options = none;
	options.control_token = "no\ttoken";
	assert_no_start(&options, "--control-token: a token has");
}

/* Its caller was compiled when tls_name_count was the last one. */
static void
older_options_are_understood(void **state)
{
	struct mockndes_options options = MOCKNDES_OPTIONS_INIT;
	char error[MOCKNDES_ERROR_SIZE], keys[FILE_PATH_SIZE];
	struct mockndes *m;

	(void)state;
	options.size = offsetof(struct mockndes_options, public_url);
	options.keys = path_in_source(keys, "tests/fixtures/keys");
	options.public_url = "nothing that anybody has set";
	options.max_sites = 1;
	options.journal = -1;
	if (mockndes_start(&options, &m, error) != 0)
		fail_msg("%s", error);
	assert_int_equal(strncmp(mockndes_url(m), "http://127.0.0.1:", 17), 0);
	mockndes_stop(m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ports_open_while_others_are_busy),
		cmocka_unit_test(each_port_is_the_same_ndes),
		cmocka_unit_test(ipv6_can_be_the_first_port),
		cmocka_unit_test(a_taken_port_is_named),
		cmocka_unit_test(a_bad_address_is_named),
		cmocka_unit_test(a_bad_option_is_told),
		cmocka_unit_test(older_options_are_understood),
	};

	web_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
