/* More clients than descriptors: http.sys refuses, and recovers. */
#include "support/test.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "support/files.h"
#include "support/program.h"
#include "support/server.h"
#include "support/tcp.h"

#define DLL "/certsrv/mscep/mscep.dll"
#define CAPS \
	"GET " DLL "?operation=GetCACaps HTTP/1.1\r\nHost: ndes.example\r\n\r\n"
#define DESCRIPTORS 160
#define CLIENTS_MAX DESCRIPTORS
#define OURS 1000 /* clients' descriptors: out of the server's way */
#define PATIENCE_MS 20000

struct fixture {
	struct server server;
	rlim_t usual;
	int fds[CLIENTS_MAX];
	size_t count;
};

static void
set_limit(rlim_t soft)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = soft;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/* The server counts what it may have; its clients live beyond that. */
static void
set_up(struct fixture *f, const struct server_options *options)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	if (limit.rlim_max < OURS + CLIENTS_MAX + 10)
		skip();
	memset(f, 0, sizeof(*f));
	f->usual = limit.rlim_cur;
	set_limit(DESCRIPTORS);
	server_start(&f->server, options);
	set_limit(limit.rlim_max);
}

static void
tear_down(struct fixture *f)
{
	while (f->count > 0)
		close(f->fds[--f->count]);
	server_stop(&f->server);
	set_limit(f->usual);
}

static int
connect_out_of_the_way(const struct fixture *f)
{
	int fd = tcp_connect(f->server.base), high;

	assert_int_not_equal(fd, -1);
	high = fcntl(fd, F_DUPFD_CLOEXEC, OURS);
	assert_int_not_equal(high, -1);
	close(fd);
	return high;
}

/* Each has had an answer, so each is known to be counted. */
static void
fill(struct fixture *f)
{
	unsigned limit = http_connection_limit(f->server.http);
	struct answer a;

	assert_in_range(limit, 10, CLIENTS_MAX);
	while (f->count < limit) {
		int fd = connect_out_of_the_way(f);

		f->fds[f->count++] = fd;
		assert_true(tcp_send_text(fd, CAPS));
		if (!answer_read(fd, true, &a) || a.status != 200)
			fail_msg("client %zu of %u: %d", f->count, limit,
			    a.status);
		answer_clear(&a);
	}
}

/* ndes-facts 6.6: 326 octets. */
static void
assert_refused(int fd)
{
	static const char page[] =
	    "<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 4.01//EN\""
	    "\"http://www.w3.org/TR/html4/strict.dtd\">\r\n"
	    "<HTML><HEAD><TITLE>Service Unavailable</TITLE>\r\n"
	    "<META HTTP-EQUIV=\"Content-Type\" Content=\"text/html; "
	    "charset=us-ascii\"></HEAD>\r\n"
	    "<BODY><h2>Service Unavailable</h2>\r\n"
	    "<hr><p>HTTP Error 503. The service is unavailable.</p>\r\n"
	    "</BODY></HTML>\r\n";
	char wanted[256], date[64];
	struct buffer rest;
	struct answer a;

	assert_int_equal(strlen(page), 326);
	assert_true(answer_read(fd, true, &a));
	assert_non_null(answer_header(&a, "Date", date, sizeof(date)));
	snprintf(wanted, sizeof(wanted),
	    "HTTP/1.1 503 Service Unavailable\r\n"
	    "Content-Type: text/html; charset=us-ascii\r\n"
	    "Server: Microsoft-HTTPAPI/2.0\r\n"
	    "Date: %s\r\nConnection: close\r\nContent-Length: 326\r\n\r\n",
	    date);
	assert_string_equal((char *)a.head.data, wanted);
	assert_string_equal((char *)a.body.data, page);
	assert_int_equal(tcp_read_all(fd, &rest), TCP_CLOSED);
	assert_int_equal(rest.len, 0);
	buffer_free(&rest);
	answer_clear(&a);
}

/* The server sees in its own time who has left. */
static void
assert_served_again(const char *base)
{
	int64_t until = clock_ticks_ms() + PATIENCE_MS;
	bool served = false;

	while (!(served = tcp_is_served(base)) && clock_ticks_ms() < until)
		poll(NULL, 0, 10);
	assert_true(served);
}

static void
one_client_too_many_gets_503_until_another_leaves(void **state)
{
	char dir[FILE_PATH_SIZE], path[FILE_PATH_SIZE];
	struct buffer log;
	struct fixture f;
	struct answer a;
	int fd;

	(void)state;
	set_up(&f, &(struct server_options){ .log_dir = dir_make(dir) });
	fill(&f);
	for (int i = 0; i < 3; i++) {
		fd = connect_out_of_the_way(&f);
		if (i > 0)
			tcp_send_text(fd, CAPS);
		assert_refused(fd);
		close(fd);
	}
	/* Those inside are served as before. */
	assert_true(tcp_send_text(f.fds[0], CAPS));
	assert_true(answer_read(f.fds[0], true, &a));
	assert_int_equal(a.status, 200);
	answer_clear(&a);
	close(f.fds[--f.count]);
	close(f.fds[--f.count]);
	assert_served_again(f.server.base);
	tear_down(&f);
	assert_true(
	    file_read(path_in(path, dir, "default/HTTPERR/httperr1.log"),
		&log));
	assert_non_null(strstr((char *)log.data, " 503 - ConnLimit -"));
	buffer_free(&log);
	dir_remove(dir);
}

/* Those told to go away stay: it must have descriptors left to say it. */
static void
a_crowd_beyond_the_limit_does_not_stop_service(void **state)
{
	struct fixture f;
	int crowd[20];

	(void)state;
	set_up(&f, NULL);
	fill(&f);
	for (size_t i = 0; i < COUNT_OF(crowd); i++)
		crowd[i] = connect_out_of_the_way(&f);
	for (size_t i = 0; i < COUNT_OF(crowd); i++)
		assert_refused(crowd[i]);
	while (f.count > 0)
		close(f.fds[--f.count]);
	assert_served_again(f.server.base);
	for (size_t i = 0; i < COUNT_OF(crowd); i++)
		close(crowd[i]);
	tear_down(&f);
}

/* Here the program cannot have more, so that it does run out of them. */
static void
a_crowd_beyond_the_descriptors_is_told_in_time(void **state)
{
	static const char *const by[] = { "sh", "-c",
		"ulimit -n 100; exec \"$0\" \"$@\"", NULL };
	int crowd[110], served = 0, refused = 0;
	struct program p;
	struct answer a;

	(void)state;
	program_start_by(&p, by, NULL, NULL);
	for (size_t i = 0; i < COUNT_OF(crowd); i++) {
		crowd[i] = tcp_connect(p.base);
		assert_int_not_equal(crowd[i], -1);
		tcp_send_text(crowd[i], CAPS);
	}
	for (size_t i = 0; i < COUNT_OF(crowd); i++) {
		if (!answer_read(crowd[i], true, &a))
			fail_msg("client %zu was told nothing", i);
		served += a.status == 200;
		refused += a.status == 503;
		answer_clear(&a);
	}
	assert_int_equal(served + refused, COUNT_OF(crowd));
	assert_true(served > 0 && refused > 0);
	for (size_t i = 0; i < COUNT_OF(crowd); i++)
		close(crowd[i]);
	assert_served_again(p.base);
	program_stop(&p, SIGTERM);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    one_client_too_many_gets_503_until_another_leaves),
		cmocka_unit_test(
		    a_crowd_beyond_the_limit_does_not_stop_service),
		cmocka_unit_test(
		    a_crowd_beyond_the_descriptors_is_told_in_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
