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
#include "support/tcp.h"

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
	    "?operation=PKIOperation - - - Timer_EntityBody -" },
	{ "nothing after a first request",
	    "GET " DLL "?operation=GetCACaps HTTP/1.1\r\nHost: x\r\n\r\n",
	    " - - - - - - Timer_ConnectionIdle -" },
};

static void
whoever_takes_too_long_is_left(void **state)
{
	char dir[FILE_PATH_SIZE], path[FILE_PATH_SIZE];
	const struct row *t = *state;
	struct server_options options = { .log_dir = dir_make(dir),
		.set = impatient };
	struct buffer said = { 0 }, log = { 0 };
	struct server server;
	int fd;

	server_start(&server, &options);
	fd = tcp_connect(server.url);
	assert_true(fd != -1 && tcp_send_text(fd, t->sends));
	assert_true(tcp_read_all(fd, &said) != TCP_SILENT);
	close(fd);
	/* Others are served as before, and the log is written by now. */
	assert_true(tcp_is_served(server.url));
	server_stop(&server);
	assert_true(
	    file_read(path_in(path, dir, "default/HTTPERR/httperr1.log"),
		&log));
	assert_non_null(strstr((char *)log.data, t->line));
	buffer_free(&said);
	buffer_free(&log);
	dir_remove(dir);
}

int
main(void)
{
	struct CMUnitTest tests[COUNT_OF(rows)];

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		tests[i] = (struct CMUnitTest){ rows[i].row,
			whoever_takes_too_long_is_left, NULL, NULL,
			(void *)(uintptr_t)&rows[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
