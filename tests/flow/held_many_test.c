/* Thousands of clients that hang, drip and wait: what they cost, and others. */
#include "support/test.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "support/ndes.h"
#include "support/tcp.h"

#define WANTED 5000
#define LEAST 300
#define OWN_FDS 200
#define PATIENCE_MS 60000
#define ENROLMENTS 5
#define KIB_EACH 10

/* A sanitizer has memory of its own for everything, and keeps what is freed. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED true
#else
#define IS_SANITIZED false
#endif

static const char faults[] =
    "mockndes: 1\n"
    "name: test\n"
    "faults:\n"
    "- {when: {user_agent: hang}, do: {wire: {hang: forever}}}\n"
    "- {when: {user_agent: drip},"
    " do: {wire: {drip: {octets: 1, every: 500ms}}}}\n"
    "- {when: {user_agent: wait}, do: {delay: 10h}}\n"
    "- {when: {user_agent: half}, do: {wire: {half_head: hang}}}\n";

static struct crowd {
	int fds[WANTED];
	int count;
} crowd;

/* Both ends of each connection are in this process. */
static int
raise_limit(void)
{
	struct rlimit limit;
	rlim_t count;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	count = (limit.rlim_cur - OWN_FDS) / 2;
	return count < WANTED ? (int)count : WANTED;
}

static long
resident_kib(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	long size, resident = 0;

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%ld %ld", &size, &resident), 2);
	fclose(f);
	return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

static void
come(const struct server *s)
{
	static const char *const kinds[] = { "hang", "drip", "wait", "half" };
	char request[256];

	for (int i = 0; i < crowd.count; i++) {
		snprintf(request, sizeof(request),
		    "GET /certsrv/mscep/mscep.dll?operation=GetCACert HTTP/1.1"
		    "\r\nHost: ndes\r\nUser-Agent: %s\r\n\r\n",
		    kinds[i % 4]);
		crowd.fds[i] = tcp_connect(s->base);
		assert_int_not_equal(crowd.fds[i], -1);
		assert_true(tcp_send_text(crowd.fds[i], request));
	}
	/* One loop reads what all have sent, in their order. */
	for (int i = 0; i < 3; i++)
		assert_true(tcp_is_served(s->base));
}

static void
wait_for_connections(const struct server *s, unsigned at_most)
{
	int64_t until = clock_ticks_ms() + PATIENCE_MS;

	while (http_connections(s->http) > at_most && clock_ticks_ms() < until)
		poll(NULL, 0, 5);
	if (http_connections(s->http) > at_most)
		fail_msg("%u connections are left, not %u",
		    http_connections(s->http), at_most);
}

static void
leave(int from, int to)
{
	for (int i = from; i < to; i++) {
		if (i % 3 == 0)
			tcp_abort(crowd.fds[i]);
		else
			close(crowd.fds[i]);
	}
}

static void
enrol(const struct ndes *n, const struct device *device)
{
	for (int i = 0; i < ENROLMENTS; i++)
		X509_free(ndes_enrol(n, device,
		    &(struct device_order){ .challenge = NDES_CHALLENGE }));
}

/* What each of them takes, in KiB. */
static double
cost(long before)
{
	return (double)(resident_kib() - before) / crowd.count;
}

static void
assert_cheap(long before)
{
	double kib = cost(before);

	print_message("%d held, %.2f KiB each\n", crowd.count, kib);
	if (!IS_SANITIZED && kib > KIB_EACH)
		fail_msg("%.2f KiB for each held connection", kib);
}

/* Every one gets the octets that it is to get, and then none. */
static void
assert_held(void)
{
	char c[16];

	for (int i = 0; i < crowd.count; i++) {
		struct pollfd p = { .fd = crowd.fds[i], .events = POLLIN };
		ssize_t len;

		if (i % 2 != 0)
			assert_int_equal(poll(&p, 1, TCP_SECONDS * 1000), 1);
		len = recv(crowd.fds[i], c, sizeof(c), MSG_DONTWAIT);
		if (i % 2 == 0) {
			assert_int_equal(len, -1);
			assert_int_equal(errno, EAGAIN);
		} else {
			assert_in_range(len, 1, sizeof(c));
			assert_memory_equal(c, "HTTP/1.1 200 OK\r", len);
		}
	}
}

static void
assert_ended(int from, int to)
{
	char c[4096];

	for (int i = from; i < to; i++) {
		ssize_t len;

		while (
		    (len = recv(crowd.fds[i], c, sizeof(c), MSG_DONTWAIT)) > 0)
			continue;
		assert_true(len == 0 || errno == ECONNRESET);
		close(crowd.fds[i]);
	}
}

static void
thousands_are_held(void **state)
{
	struct device device;
	struct ndes n;
	int64_t start;
	long before;

	(void)state;
	crowd.count = raise_limit();
	assert_true(crowd.count >= LEAST);
	assert_true(device_make(&device));
	ndes_start(&n, NULL);
	server_use_yaml(&n.server, faults);
	enrol(&n, &device);
	wait_for_connections(&n.server, 0);
	before = resident_kib();
	come(&n.server);
	assert_in_range(http_connections(n.server.http), crowd.count,
	    crowd.count + 3);
	assert_cheap(before);
	assert_held();
	enrol(&n, &device);
	leave(0, crowd.count);
	wait_for_connections(&n.server, 0);
	/* Another time: they take what the first have given back. */
	come(&n.server);
	assert_cheap(before);
	leave(0, crowd.count / 2);
	wait_for_connections(&n.server,
	    (unsigned)(crowd.count - crowd.count / 2));
	enrol(&n, &device);
	start = clock_ticks_ms();
	ndes_stop(&n);
	print_message("stopped in %lld ms\n",
	    (long long)(clock_ticks_ms() - start));
	assert_ended(crowd.count / 2, crowd.count);
	device_clear(&device);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(thousands_are_held),
	};

	web_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
