/* What `do: wire` and `do: delay` do inside TLS: octets, and their end. */
#include "support/test.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "support/server.h"
#include "support/tls.h"
#include "support/web.h"

#define GET_CERT                                        \
	"GET " SERVER_SCEP_PATH "?operation=GetCACert " \
	"HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
#define PATIENCE_MS 30000
#define HELD 50

static struct server server;

static void
use_do(const char *edits)
{
	char yaml[512];

	snprintf(yaml, sizeof(yaml),
	    "mockndes: 1\nname: test\nfaults:\n  - {do: {%s}}\n", edits);
	server_use_yaml(&server, yaml);
}

static void
open_client(struct tls_client *c)
{
	if (!tls_connect(c, server.tls_url, NULL))
		fail_msg("no TLS: reason %d, end %d", c->reason, c->end);
}

static enum tls_end
ask_to_the_end(struct buffer *out)
{
	struct tls_client c;
	enum tls_end end;

	open_client(&c);
	assert_true(tls_send_text(&c, GET_CERT));
	tls_read_all(&c, out);
	end = c.end;
	tls_close(&c);
	return end;
}

/* Answers differ in their dates, which are as long as each other. */
static void
blank_date(struct buffer *b)
{
	char *date = memmem(b->data, b->len, "\r\nDate: ", 8);

	if (date != NULL && (uint8_t *)date + 37 <= b->data + b->len)
		memset(date + 8, '-', 29);
}

static void
wait_until_gone(void)
{
	int64_t until = clock_ticks_ms() + PATIENCE_MS;

	while (http_connections(server.http) > 0 && clock_ticks_ms() < until)
		poll(NULL, 0, 2);
	assert_int_equal(http_connections(server.http), 0);
}

/* How many octets of the honest answer. */
#define ALL (-1)
#define HALF (-2)
static const struct row {
	const char *row, *edits;
	long octets;
	enum tls_end end;
} rows[] = {
	{ "nothing", "delay: 1ms", ALL, TLS_NOTIFIED },
	{ "reset before", "wire: {reset: before}", 0, TLS_RESET },
	{ "reset at 1", "wire: {reset: 1}", 1, TLS_RESET },
	{ "reset at half", "wire: {reset: 50%}", HALF, TLS_RESET },
	{ "reset after", "wire: {reset: after}", ALL, TLS_RESET },
	{ "close before", "wire: {close: before}", 0, TLS_TRUNCATED },
	{ "close at 1", "wire: {close: 1}", 1, TLS_TRUNCATED },
	{ "close at half", "wire: {close: 50%}", HALF, TLS_TRUNCATED },
	{ "close after", "wire: {close: after}", ALL, TLS_NOTIFIED },
	{ "hang for a time", "wire: {hang: 5ms}", 0, TLS_TRUNCATED },
	{ "drip", "wire: {drip: {octets: 500, every: 1ms}}", ALL,
	    TLS_NOTIFIED },
	{ "a drip, then a reset",
	    "wire: {drip: {octets: 40, every: 1ms}, reset: 333}", 333,
	    TLS_RESET },
	{ "a pause", "wire: {pause: {at: 100, time: 5ms}}", ALL, TLS_NOTIFIED },
};

static void
the_client_sees_so_much_and_this_end(void **state)
{
	const struct row *t = *state;
	struct buffer honest, said;
	size_t octets;

	server_use_scenario(&server, NULL);
	assert_int_equal(ask_to_the_end(&honest), TLS_NOTIFIED);
	blank_date(&honest);
	octets = t->octets == ALL ? honest.len :
	    t->octets == HALF	  ? honest.len / 2 :
				    (size_t)t->octets;
	use_do(t->edits);
	for (int i = 0; i < 10; i++) {
		enum tls_end end = ask_to_the_end(&said);

		blank_date(&said);
		if (said.len != octets || end != t->end)
			fail_msg("%zu of %zu octets, end %d", said.len, octets,
			    end);
		assert_memory_equal(said.data, honest.data, octets);
		buffer_free(&said);
	}
	buffer_free(&honest);
	wait_until_gone();
}

static void
after_a_delay_the_connection_goes_on(void **state)
{
	static const char ask[] = "GET " SERVER_SCEP_PATH
				  "?operation=GetCACaps HTTP/1.1\r\n"
				  "Host: x\r\n\r\n";
	struct tls_client c;
	struct answer a;

	(void)state;
	use_do("delay: 5ms");
	open_client(&c);
	for (int i = 0; i < 5; i++) {
		assert_true(tls_send_text(&c, ask));
		assert_true(tls_read_answer(&c, &a));
		assert_int_equal(a.status, 200);
		answer_clear(&a);
	}
	tls_close(&c);
	wait_until_gone();
}

static void
garbage_comes_before_the_status_line(void **state)
{
	struct buffer said;

	(void)state;
	use_do("wire: {garbage: \"SSH-2.0-x\\r\\n\"}");
	ask_to_the_end(&said);
	assert_int_equal(strncmp((char *)said.data,
			     "SSH-2.0-x\r\nHTTP/1.1 200 ", 24),
	    0);
	buffer_free(&said);
	wait_until_gone();
}

static const struct hang_row {
	const char *edits;
	void (*leave)(struct tls_client *);
} hangs[] = {
	{ "wire: {hang: forever}", tls_close },
	{ "wire: {hang: forever}", tls_abort },
	{ "wire: {keep_open: forever}", tls_close },
	{ "wire: {drip: {octets: 1, every: 1h}}", tls_close },
	{ "wire: {drip: {octets: 1, every: 1h}}", tls_abort },
	{ "delay: 1h", tls_close },
};

/* Many at once; others are served, and that they leave is noticed. */
static void
those_that_hang_are_held_until_they_leave(void **state)
{
	static struct tls_client clients[HELD];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(hangs); i++) {
		use_do(hangs[i].edits);
		for (int j = 0; j < HELD; j++) {
			open_client(&clients[j]);
			tls_send_text(&clients[j], GET_CERT);
		}
		server_use_scenario(&server, NULL);
		for (int j = 0; j < 3; j++)
			assert_true(tcp_is_served(server.base));
		for (int j = 0; j < HELD; j++)
			hangs[i].leave(&clients[j]);
		wait_until_gone();
	}
}

static int
start(void **state)
{
	(void)state;
	web_start();
	server_start(&server, &(struct server_options){ .tls = true });
	return 0;
}

int
main(void)
{
	struct CMUnitTest tests[COUNT_OF(rows) + 3] = {
		cmocka_unit_test(after_a_delay_the_connection_goes_on),
		cmocka_unit_test(garbage_comes_before_the_status_line),
		cmocka_unit_test(those_that_hang_are_held_until_they_leave),
	};
	void *state = NULL;
	int failed;

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		tests[3 + i] = (struct CMUnitTest){ rows[i].row,
			the_client_sees_so_much_and_this_end, NULL, NULL,
			(void *)(uintptr_t)&rows[i] };
	start(&state);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	server_stop(&server);
	return failed;
}
