/*
 * Clients that take too long. The server's timers run by the machine's
 * clock and are looked at once a second, so each row waits for its end
 * rather than for a time.
 */
#include "support/test.h"

#include <string.h>
#include <unistd.h>

#include "support/files.h"
#include "support/server.h"
#include "support/tls.h"

#define DLL "/certsrv/mscep/mscep.dll"
#define POST "POST " DLL "?operation=PKIOperation HTTP/1.1\r\nHost: x\r\n"

static const char *const impatient[] = { "server.http_sys.header_wait=1s",
	"server.http_sys.entity_body=1s",
	"server.http_sys.connection_timeout=1s", NULL };

static const struct row {
	const char *row, *sends, *line;
} rows[] = {
	{ "nothing at all", "", " - - - - - - Timer_ConnectionIdle -" },
	{ "half a request line", "GET /certsrv",
	    " - - - - - - Timer_HeaderWait -" },
	{ "headers without an end", "GET " DLL " HTTP/1.1\r\nHost: x\r\n",
	    " - - " DLL " - - - Timer_HeaderWait -" },
	{ "half a body", POST "Content-Length: 9\r\n\r\nfour",
	    " HTTP/1.1 POST " DLL
	    "?operation=PKIOperation - - 1 Timer_EntityBody SCEP" },
	{ "nothing after a first request",
	    "GET " DLL "?operation=GetCACaps HTTP/1.1\r\nHost: x\r\n\r\n",
	    " - - - - - - Timer_ConnectionIdle -" },
};

static void
wait_for_the_end(const struct server *server, const struct row *t)
{
	int fd = tcp_connect(server->url);
	struct buffer said;

	assert_true(fd != -1 && tcp_send_text(fd, t->sends));
	assert_true(tcp_read_all(fd, &said) != TCP_SILENT);
	buffer_free(&said);
	close(fd);
}

static void
wait_for_the_end_of_tls(const struct server *server, const struct row *t)
{
	struct tls_client c;
	struct buffer said;

	assert_true(tls_connect(&c, server->tls_url, NULL));
	assert_true(tls_send_text(&c, t->sends));
	tls_read_all(&c, &said);
	assert_int_equal(c.end, TLS_NOTIFIED);
	buffer_free(&said);
	tls_close(&c);
}

static void
check(const struct row *t, bool tls)
{
	char dir[FILE_PATH_SIZE], path[FILE_PATH_SIZE];
	struct server_options options = { .log_dir = dir_make(dir),
		.set = impatient,
		.tls = tls };
	struct buffer log = { 0 };
	struct server server;

	server_start(&server, &options);
	if (tls)
		wait_for_the_end_of_tls(&server, t);
	else
		wait_for_the_end(&server, t);
	/* Others are served as before, and the log is written by now. */
	assert_true(tcp_is_served(server.url));
	server_stop(&server);
	assert_true(
	    file_read(path_in(path, dir, "default/HTTPERR/httperr1.log"),
		&log));
	assert_non_null(strstr((char *)log.data, t->line));
	buffer_free(&log);
	dir_remove(dir);
}

static void
whoever_takes_too_long_is_left(void **state)
{
	check(*state, false);
}

static void
the_same_in_tls(void **state)
{
	check(*state, true);
}

/* There is no request yet, and nothing to be logged. */
static void
a_handshake_takes_ten_seconds_at_most(void **state)
{
	struct server server;
	struct buffer said;
	int fd;

	(void)state;
	server_start(&server, &(struct server_options){ .tls = true });
	fd = tcp_connect(server.tls_url);
	assert_true(fd != -1 && tcp_send(fd, "\x16\x03\x01", 3));
	assert_true(tcp_read_all(fd, &said) != TCP_SILENT);
	assert_int_equal(said.len, 0);
	buffer_free(&said);
	close(fd);
	server_stop(&server);
}

int
main(void)
{
	struct CMUnitTest tests[2 * COUNT_OF(rows) + 1] = { cmocka_unit_test(
	    a_handshake_takes_ten_seconds_at_most) };

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		tests[2 * i + 1] = (struct CMUnitTest){ rows[i].row,
			whoever_takes_too_long_is_left, NULL, NULL,
			(void *)(uintptr_t)&rows[i] };
		tests[2 * i + 2] = (struct CMUnitTest){ rows[i].row,
			the_same_in_tls, NULL, NULL,
			(void *)(uintptr_t)&rows[i] };
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
