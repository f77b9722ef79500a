/* Clients that leave, stop, or never begin: nobody else may notice. */
#include "support/test.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "mockndes.h"
#include "support/device.h"
#include "support/files.h"
#include "support/server.h"
#include "support/tcp.h"

#define DLL "/certsrv/mscep/mscep.dll"
#define HOST "Host: ndes.example\r\n"
#define POST_PKI "POST " DLL "?operation=PKIOperation HTTP/1.1\r\n" HOST
#define LASTING "lasting"
#define AT_ONCE 60
#define SILENT 200
#define PATIENCE_MS 30000

static struct device device;

static int
prepare(void **state)
{
	(void)state;
	web_start();
	return device_make(&device) ? 0 : -1;
}

static int
clear(void **state)
{
	(void)state;
	device_clear(&device);
	return 0;
}

/* The POST of a message that this server would enrol. */
static void
make_enrolment(const char *url, struct buffer *out)
{
	STACK_OF(X509) *ca_certs = device_ca_certs(url);
	const struct device_order order = { .challenge = LASTING,
		.recipients = ca_certs };
	struct device_message m;

	assert_true(device_message_make(&device, &order, &m));
	*out = (struct buffer){ 0 };
	buffer_printf(out, POST_PKI "Content-Length: %zu\r\n\r\n", m.der.len);
	buffer_add(out, m.der.data, m.der.len);
	assert_false(out->failed);
	device_message_clear(&m);
	device_ca_certs_free(ca_certs);
}

static void
start(struct server *s)
{
	server_start(s, &(struct server_options){ .challenge = LASTING });
}

/* What a connection costs is given back once its client has left. */
static void
assert_all_gone(const struct server *s, const char *after)
{
	int64_t until = clock_ticks_ms() + PATIENCE_MS;

	while (http_connections(s->http) > 0 && clock_ticks_ms() < until)
		poll(NULL, 0, 10);
	if (http_connections(s->http) > 0)
		fail_msg("%u connections are left after: %s",
		    http_connections(s->http), after);
}

enum way { ORDERLY, RESET };

static void
send_and_leave(const struct server *s, const void *data, size_t len,
    enum way way)
{
	int fds[AT_ONCE];

	for (int i = 0; i < AT_ONCE; i++) {
		fds[i] = tcp_connect(s->base);
		assert_int_not_equal(fds[i], -1);
	}
	for (int i = 0; i < AT_ONCE; i++)
		assert_true(tcp_send(fds[i], data, len));
	for (int i = 0; i < AT_ONCE; i++)
		if (way == RESET)
			tcp_abort(fds[i]);
		else
			close(fds[i]);
}

static void
leaving_half_way_is_not_noticed_by_others(void **state)
{
	static const char head[] = "GET " DLL
				   "?operation=GetCACaps HTTP/1.1\r\n" HOST
				   "\r\n";
	struct buffer post;
	struct server s;

	(void)state;
	start(&s);
	make_enrolment(s.url, &post);
	const struct {
		const char *row;
		const void *data;
		size_t len;
	} rows[] = {
		{ "no octet at all", head, 0 },
		{ "half a request line", head, 20 },
		{ "half a head", head, strlen(head) - 2 },
		{ "a whole GET", head, strlen(head) },
		{ "half a body", post.data, post.len / 2 },
		{ "a whole enrolment", post.data, post.len },
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		send_and_leave(&s, rows[i].data, rows[i].len, ORDERLY);
		assert_true(tcp_is_served(s.base));
		send_and_leave(&s, rows[i].data, rows[i].len, RESET);
		if (!tcp_is_served(s.base))
			fail_msg("no service after: %s", rows[i].row);
	}
	assert_all_gone(&s, "clients that left half-way");
	buffer_free(&post);
	server_stop(&s);
}

/* The pages of http.sys go out on a descriptor that was taken over. */
static void
leaving_before_an_exact_page_is_not_noticed_by_others(void **state)
{
	static const char no_host[] = "GET " DLL " HTTP/1.1\r\n\r\n";
	struct server s;

	(void)state;
	start(&s);
	for (int i = 0; i < 20; i++) {
		send_and_leave(&s, no_host, strlen(no_host),
		    i % 2 == 0 ? ORDERLY : RESET);
		assert_true(tcp_is_served(s.base));
	}
	assert_all_gone(&s, "exact pages");
	server_stop(&s);
}

/* Asks until the server, which cannot write, reads no more either. */
static void
ask_until_it_stalls(int fd)
{
	static const char ask[] = "GET " DLL
				  "?operation=GetCACert HTTP/1.1\r\n" HOST
				  "\r\n";
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	for (int i = 0; i < 200000; i++)
		if (send(fd, ask, strlen(ask), MSG_DONTWAIT | MSG_NOSIGNAL) ==
			-1 &&
		    poll(&p, 1, 200) == 0)
			return;
	fail_msg("the server buffers without end");
}

static void
a_client_that_does_not_read_holds_up_nobody(void **state)
{
	struct server s;
	int fds[3];

	(void)state;
	start(&s);
	for (size_t i = 0; i < COUNT_OF(fds); i++) {
		fds[i] = tcp_connect(s.base);
		ask_until_it_stalls(fds[i]);
		assert_true(tcp_is_served(s.base));
	}
	for (size_t i = 0; i < COUNT_OF(fds); i++)
		close(fds[i]);
	assert_all_gone(&s, "clients that do not read");
	server_stop(&s);
}

static void
two_hundred_silent_clients_hold_up_nobody(void **state)
{
	int fds[SILENT];
	struct server s;

	(void)state;
	server_start(&s, NULL);
	for (int i = 0; i < SILENT; i++) {
		fds[i] = tcp_connect(s.base);
		assert_int_not_equal(fds[i], -1);
	}
	for (int i = 0; i < 10; i++)
		assert_true(tcp_is_served(s.base));
	/* They are still there, and it can end all the same. */
	server_stop(&s);
	for (int i = 0; i < SILENT; i++)
		close(fds[i]);
}

static void
start_public(struct mockndes **out)
{
	struct mockndes_options options = MOCKNDES_OPTIONS_INIT;
	char keys[FILE_PATH_SIZE], error[MOCKNDES_ERROR_SIZE];

	options.keys = path_in_source(keys, "tests/fixtures/keys");
	options.challenge = LASTING;
	if (mockndes_start(&options, out, error) != 0)
		fail_msg("%s", error);
}

/* Idle, half-sent, in progress, lingering: all at once. */
static void
stop_ends_whatever_is_open(void **state)
{
	struct buffer post;
	struct mockndes *m;
	int fds[6];

	(void)state;
	start_public(&m);
	make_enrolment(mockndes_url(m), &post);
	for (size_t i = 0; i < COUNT_OF(fds); i++)
		fds[i] = tcp_connect(mockndes_url(m));
	tcp_send_text(fds[1], "GET " DLL);
	tcp_send_text(fds[2], "GET " DLL " HTTP/1.1\r\nHost: ");
	tcp_send(fds[3], post.data, post.len / 2);
	tcp_send(fds[4], post.data, post.len);
	tcp_send_text(fds[5], "GET " DLL " HTTP/1.1\r\n\r\n");
	mockndes_stop(m);
	for (size_t i = 0; i < COUNT_OF(fds); i++)
		close(fds[i]);
	buffer_free(&post);
}

/* Work in progress has five seconds to end; here it has none. */
static void
stop_may_come_while_answers_are_computed(void **state)
{
	struct buffer post;
	struct server s;
	int fds[AT_ONCE];

	(void)state;
	for (int round = 0; round < 5; round++) {
		start(&s);
		make_enrolment(s.url, &post);
		for (int i = 0; i < AT_ONCE; i++)
			fds[i] = tcp_connect(s.base);
		for (int i = 0; i < AT_ONCE; i++)
			tcp_send(fds[i], post.data, post.len);
		if (round > 0)
			assert_true(tcp_is_served(s.base));
		server_cut(&s);
		for (int i = 0; i < AT_ONCE; i++)
			close(fds[i]);
		buffer_free(&post);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leaving_half_way_is_not_noticed_by_others),
		cmocka_unit_test(
		    leaving_before_an_exact_page_is_not_noticed_by_others),
		cmocka_unit_test(a_client_that_does_not_read_holds_up_nobody),
		cmocka_unit_test(two_hundred_silent_clients_hold_up_nobody),
		cmocka_unit_test(stop_ends_whatever_is_open),
		cmocka_unit_test(stop_may_come_while_answers_are_computed),
	};

	return cmocka_run_group_tests(tests, prepare, clear);
}
