/*
 * The control API answers whatever happens on the ports of SCEP: under every
 * scenario, while thousands hang, when there is no place left.
 */
#include "support/test.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "http/http.h"
#include "support/control.h"
#include "support/program.h"
#include "support/tcp.h"

#define WANTED 5000
#define OWN_FDS 600 /* of this process beside those */
#define FEW "300"   /* descriptors of a server that is soon full */
#define PATIENCE_MS 60000
#define SCEP_PATH "/certsrv/mscep/mscep.dll"

static int
prepare(void **state)
{
	(void)state;
	web_start();
	return 0;
}

static void
every_scenario_lets_it_answer(void **state)
{
	struct controlled c;
	json_t *list, *one;
	size_t i;

	(void)state;
	controlled_start(&c, NULL);
	list = control_do(&c, 200, "GET", NULL, "/v1/scenarios");
	assert_in_range(json_array_size(json_object_get(list, "scenarios")),
	    100, 1000);
	json_array_foreach(json_object_get(list, "scenarios"), i, one)
	{
		const char *name = json_at(one, "name");
		char body[128];

		snprintf(body, sizeof(body), "{\"scenario\":\"%s\"}", name);
		json_decref(control_do(&c, 200, "PUT", body,
		    "/v1/sites/default/scenario"));
		json_decref(control_do(&c, 200, "GET", NULL, "/healthz"));
		one = control_do(&c, 200, "GET", NULL, "/v1/sites/default");
		assert_string_equal(json_at(one, "scenario"), name);
		json_decref(one);
	}
	json_decref(list);
	controlled_stop(&c);
}

/* Both ends of each connection are in this process. */
static int
how_many(void)
{
	struct rlimit limit;
	rlim_t count;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	count = (limit.rlim_cur - OWN_FDS) / 2;
	return count < WANTED ? (int)count : WANTED;
}

static void
wait_for_held(const struct controlled *c, int count)
{
	int64_t until = clock_ticks_ms() + PATIENCE_MS;

	while ((int)control_metric(c, "mockndes_held_connections") != count) {
		if (clock_ticks_ms() > until)
			fail_msg("%d are held, not %d",
			    (int)control_metric(c, "mockndes_held_connections"),
			    count);
		poll(NULL, 0, 20);
	}
}

/* Everything that a test does while its clients hang. */
static void
use_all_of_it(const struct controlled *c)
{
	json_decref(control_do(c, 200, "GET", NULL, "/healthz"));
	json_decref(control_do(c, 200, "GET", NULL, "/v1/sites/stuck"));
	json_decref(control_do(c, 200, "POST", "{\"advance\":\"1h\"}",
	    "/v1/sites/stuck/clock"));
	json_decref(control_do(c, 200, "GET", NULL,
	    "/v1/sites/stuck/requests?since=0&limit=3"));
	json_decref(
	    control_do(c, 201, "POST", "{\"id\":\"beside\"}", "/v1/sites"));
	json_decref(control_do(c, 204, "DELETE", NULL, "/v1/sites/beside"));
}

static void
thousands_hang_beside_it(void **state)
{
	static int fds[WANTED];
	struct controlled c;
	struct buffer nothing;
	int count = how_many();

	(void)state;
	controlled_start(&c, NULL);
	json_decref(control_do(&c, 201, "POST",
	    "{\"id\":\"stuck\",\"yaml\":\"mockndes: 1\\nname: stuck\\nfaults:\\n"
	    "  - do: {wire: {hang: forever}}\\n\"}",
	    "/v1/sites"));
	for (int i = 0; i < count; i++) {
		fds[i] = tcp_connect(c.url);
		assert_true(fds[i] != -1 &&
		    tcp_send_text(fds[i],
			"GET /t/stuck" SCEP_PATH "?operation=GetCACaps "
			"HTTP/1.1\r\nHost: x\r\n\r\n"));
	}
	wait_for_held(&c, count);
	use_all_of_it(&c);
	/* A site that goes lets go of all who hang on it. */
	json_decref(control_do(&c, 204, "DELETE", NULL, "/v1/sites/stuck"));
	wait_for_held(&c, 0);
	for (int i = 0; i < count; i++) {
		assert_int_not_equal(tcp_read_all(fds[i], &nothing),
		    TCP_SILENT);
		assert_int_equal(nothing.len, 0);
		buffer_free(&nothing);
		close(fds[i]);
	}
	controlled_stop(&c);
}

/* Whether this one was told that there is no room. */
static bool
is_turned_away(int fd)
{
	struct pollfd p = { fd, POLLIN, 0 };

	return poll(&p, 1, 20) > 0;
}

static void
no_place_is_left_but_its_own(void **state)
{
	static const char *const by[] = { "sh", "-c",
		"ulimit -n " FEW " && exec \"$@\"", "sh", NULL };
	static int fds[1024];
	struct program p;
	struct controlled c;
	bool full = false;
	int count = 0;

	(void)state;
	program_start_by(&p, by, NULL, NULL);
	c = (struct controlled){ .base = p.control, .url = p.url };
	while (!full && count < 1024) {
		assert_int_not_equal(fds[count] = tcp_connect(p.url), -1);
		full = is_turned_away(fds[count++]);
	}
	assert_true(full);
	assert_true(count > 10);
	for (int i = 0; i < 20; i++)
		json_decref(control_do(&c, 200, "GET", NULL, "/v1/sites"));
	json_decref(
	    control_do(&c, 201, "POST", "{\"id\":\"one-more\"}", "/v1/sites"));
	assert_in_range((int)control_metric(&c, "mockndes_connections"),
	    count - 1, count + 20);
	for (int i = 0; i < count; i++)
		close(fds[i]);
	program_stop(&p, SIGTERM);
}

/* Clients with pools of connections keep them after their answers. */
static void
idle_clients_leave_room(void **state)
{
	static int fds[2 * HTTP_RESERVED];
	struct controlled c;
	struct answer a;

	(void)state;
	how_many();
	controlled_start(&c, NULL);
	for (size_t i = 0; i < COUNT_OF(fds); i++) {
		fds[i] = tcp_connect(c.base);
		assert_true(fds[i] != -1 &&
		    tcp_send_text(fds[i],
			"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n") &&
		    answer_read(fds[i], true, &a));
		assert_int_equal(a.status, 200);
		answer_clear(&a);
	}
	/* None may wait, so that others can ask. */
	json_decref(control_do(&c, 200, "GET", NULL,
	    "/v1/sites/default/requests?wait=60"));
	for (size_t i = 0; i < COUNT_OF(fds); i++)
		close(fds[i]);
	controlled_stop(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_scenario_lets_it_answer),
		cmocka_unit_test(thousands_hang_beside_it),
		cmocka_unit_test(no_place_is_left_but_its_own),
		cmocka_unit_test(idle_clients_leave_room),
	};

	return cmocka_run_group_tests(tests, prepare, NULL);
}
