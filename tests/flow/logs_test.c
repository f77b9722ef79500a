/* What IIS and http.sys leave in their logs, against what was on the wire. */
#include "support/test.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "support/device.h"
#include "support/files.h"
#include "support/server.h"
#include "support/tcp.h"

#define DLL "/certsrv/mscep/mscep.dll"
#define SERVICE "/CertificateRegistrationSvc/Certificate"
#define LASTING "lasting"
#define HOST "Host: ndes.example\r\n"
#define AGENT "User-Agent: Device 1.0\r\n"
#define DAY 86400
#define LINES_MAX 64

/* A log, taken apart; texts live in `text`. */
struct log {
	struct buffer text;
	char *lines[LINES_MAX]; /* without headers */
	size_t count, headers;	/* headers: "#Software" lines */
};

static void
log_read(const char *dir, const char *name, struct log *log)
{
	char path[FILE_PATH_SIZE], *line, *save = NULL;

	memset(log, 0, sizeof(*log));
	if (!file_read(path_in(path, dir, name), &log->text))
		fail_msg("there is no %s", path);
	/* Each line ends in CRLF, the last one too. */
	if (log->text.len > 0)
		assert_string_equal((char *)log->text.data + log->text.len - 2,
		    "\r\n");
	for (line = strtok_r((char *)log->text.data, "\r\n", &save);
	     line != NULL; line = strtok_r(NULL, "\r\n", &save)) {
		log->headers += strncmp(line, "#Software: ", 11) == 0;
		if (*line == '#')
			continue;
		assert_true(log->count < LINES_MAX);
		log->lines[log->count++] = line;
	}
}

static void
log_clear(struct log *log)
{
	buffer_free(&log->text);
}

/* Starts at noon, so that no midnight comes between; says when that is. */
static time_t
start_at_noon(struct server *s, const struct server_options *options)
{
	time_t now = time(NULL), noon = now - now % DAY + DAY + DAY / 2;

	server_start(s, options);
	server_advance_clock(s, noon - now);
	return noon;
}

/* "default/W3SVC1/u_exYYMMDD.log" of that day. */
static char *
log_name(char out[64], time_t at)
{
	struct tm tm;

	gmtime_r(&at, &tm);
	snprintf(out, 64, "default/W3SVC1/u_ex%02d%02d%02d.log",
	    tm.tm_year % 100, tm.tm_mon + 1, tm.tm_mday);
	return out;
}

static const struct row {
	const char *request, *method, *stem, *query, *agent, *status;
} rows[] = {
	{ "GET " DLL "?operation=GetCACaps HTTP/1.1\r\n" HOST AGENT "\r\n",
	    "GET", DLL, "operation=GetCACaps", "Device+1.0", "200 0 0" },
	{ "GET " DLL "?operation=GetCACert&message=ca HTTP/1.1\r\n" HOST
	  "Connection: close\r\n\r\n",
	    "GET", DLL, "operation=GetCACert&message=ca", "-", "200 0 0" },
	{ "GET " DLL "?operation=GetCACaps HTTP/1.0\r\n\r\n", "GET", DLL,
	    "operation=GetCACaps", "-", "200 0 0" },
	{ "GET " DLL "?operation=GetCACaps HTTP/1.0\r\n"
	  "Connection: keep-alive\r\n\r\n",
	    "GET", DLL, "operation=GetCACaps", "-", "200 0 0" },
	{ "HEAD " DLL "?operation=GetCACert HTTP/1.1\r\n" HOST "\r\n", "HEAD",
	    DLL, "operation=GetCACert", "-", "200 0 0" },
	{ "GET " DLL "/pkiclient.exe HTTP/1.1\r\n" HOST "\r\n", "GET",
	    DLL "/pkiclient.exe", "-", "-", "403 0 0" },
	{ "GET /CertSrv/%4Dscep/mscep.dll HTTP/1.1\r\n" HOST "\r\n", "GET",
	    "/CertSrv/Mscep/mscep.dll", "-", "-", "403 0 0" },
	{ "GET /certsrv/mscep_admin/ HTTP/1.1\r\n" HOST "\r\n", "GET",
	    "/certsrv/mscep_admin/", "-", "-", "200 0 0" },
	{ "GET http://ndes.example" DLL "?operation=GetCACaps HTTP/1.1\r\n" HOST
	  "\r\n",
	    "GET", DLL, "operation=GetCACaps", "-", "200 0 0" },
	{ "POST " DLL "?operation=PKIOperation HTTP/1.1\r\n" HOST
	  "Content-Length: 4\r\n\r\ntext",
	    "POST", DLL, "operation=PKIOperation", "-", "200 0 0" },
	{ "POST " DLL "?operation=PKIOperation HTTP/1.1\r\n" HOST
	  "Content-Length: 30000001\r\n\r\n",
	    "POST", DLL, "operation=PKIOperation", "-", "413 1 0" },
	{ "GET /nowhere?a=b HTTP/1.1\r\n" HOST "\r\n", "GET", "/nowhere", "a=b",
	    "-", "404 0 2" },
	{ "GET /nowhere HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n", "GET",
	    "/nowhere", "-", "-", "404 0 2" },
	{ "GET /nowhere HTTP/1.0\r\n\r\n", "GET", "/nowhere", "-", "-",
	    "404 0 2" },
	{ "DELETE " DLL " HTTP/1.1\r\n" HOST "\r\n", "DELETE", DLL, "-", "-",
	    "405 0 1" },
	{ "GET /certsrv/mscep_admin HTTP/1.1\r\n" HOST "\r\n", "GET",
	    "/certsrv/mscep_admin", "-", "-", "301 0 0" },
};

#define MESSAGE COUNT_OF(rows) /* the line after theirs */

static const char *const with_bytes[] = { "server.iis.log_fields=article",
	NULL };

/* Octets that came back: all of them, if the server closes after them. */
static size_t
send_and_count(const struct server *s, const void *request, size_t len)
{
	int fd = tcp_connect(s->base);
	bool body = strncmp(request, "HEAD ", 5) != 0;
	struct answer a;
	size_t octets;

	assert_true(tcp_send(fd, request, len));
	assert_true(answer_read(fd, body, &a));
	octets = a.octets;
	answer_clear(&a);
	close(fd);
	return octets;
}

/* The reply of an enrolment, which is signed, sealed and not of one size. */
static size_t
enrol_and_count(const struct server *s)
{
	STACK_OF(X509) *ca_certs = device_ca_certs(s->url);
	const struct device_order order = { .challenge = LASTING,
		.recipients = ca_certs };
	struct buffer request = { 0 };
	struct device_message m;
	struct device device;
	size_t octets;

	assert_true(device_make(&device));
	assert_true(device_message_make(&device, &order, &m));
	buffer_printf(&request,
	    "POST " DLL "?operation=PKIOperation HTTP/1.1\r\n" HOST
	    "Content-Length: %zu\r\n\r\n",
	    m.der.len);
	buffer_add(&request, m.der.data, m.der.len);
	octets = send_and_count(s, request.data, request.len);
	buffer_free(&request);
	device_message_clear(&m);
	device_clear(&device);
	device_ca_certs_free(ca_certs);
	return octets;
}

/* A line without its time at the front and the time taken at the end. */
static char *
without_times(char *line)
{
	char *end = strrchr(line, ' ');
	int len = 0;

	assert_int_equal(sscanf(line, "%*4d-%*2d-%*2d %*2d:%*2d:%*2d %n", &len),
	    0);
	assert_int_equal(len, strlen("2026-01-31 23:59:59 "));
	assert_non_null(end);
	assert_int_equal(strspn(end + 1, "0123456789"), strlen(end + 1));
	*end = '\0';
	return line + len;
}

/* Lines are found, not counted: two threads write them. */
static void
assert_has(struct log *log, const char *wanted)
{
	for (size_t i = 0; i < log->count; i++)
		if (log->lines[i] != NULL &&
		    strcmp(log->lines[i], wanted) == 0) {
			log->lines[i] = NULL;
			return;
		}
	for (size_t i = 0; i < log->count; i++)
		if (log->lines[i] != NULL)
			print_message("%s\n", log->lines[i]);
	fail_msg("no line %s", wanted);
}

/* #Fields: [date time] s-ip cs-method cs-uri-stem cs-uri-query s-port
 * cs-username c-ip cs(User-Agent) cs(Referer) sc-status sc-substatus
 * sc-win32-status sc-bytes [time-taken] */
static void
assert_has_row(struct log *log, const struct row *r, const char *port,
    size_t octets)
{
	char wanted[1024];

	snprintf(wanted, sizeof(wanted),
	    "127.0.0.1 %s %s %s %s - 127.0.0.1 %s - %s %zu", r->method, r->stem,
	    r->query, port, r->agent, r->status, octets);
	assert_has(log, wanted);
}

static void
each_line_says_what_was_asked_and_sent(void **state)
{
	static const struct row enrolment = { "", "POST", DLL,
		"operation=PKIOperation", "-", "200 0 0" };
	static const struct row verify = { "", "POST", SERVICE "/VerifyRequest",
		"-", "NDES_Plugin", "201 0 0" };
	static const struct row notify = { "", "POST", SERVICE "/Notify", "-",
		"NDES_Plugin", "204 0 0" };
	size_t octets[COUNT_OF(rows) + 1];
	char dir[FILE_PATH_SIZE], name[64], port[8];
	struct server s;
	struct log log;
	time_t noon;

	(void)state;
	noon = start_at_noon(&s,
	    &(struct server_options){ .challenge = LASTING,
		.log_dir = dir_make(dir),
		.set = with_bytes });
	snprintf(port, sizeof(port), "%s", strrchr(s.base, ':') + 1);
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		octets[i] = send_and_count(&s, rows[i].request,
		    strlen(rows[i].request));
	octets[MESSAGE] = enrol_and_count(&s);
	server_stop(&s);
	log_read(dir, log_name(name, noon), &log);
	assert_int_equal(log.headers, 1);
	/* The device's own GetCACert, and two calls of the policy module. */
	assert_int_equal(log.count, COUNT_OF(rows) + 4);
	for (size_t i = 0; i < log.count; i++)
		log.lines[i] = without_times(log.lines[i]);
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_has_row(&log, &rows[i], port, octets[i]);
	assert_has_row(&log, &enrolment, port, octets[MESSAGE]);
	/* ndes-facts 10.1, to the octet but for the time. */
	assert_has_row(&log, &verify, "443", 341);
	assert_has_row(&log, &notify, "443", 277);
	log_clear(&log);
	dir_remove(dir);
}

static void
ask(const struct server *s, const char *request, int status)
{
	struct answer a;

	assert_true(answer_ask(s->base, request, &a));
	assert_int_equal(a.status, status);
	answer_clear(&a);
}

static void
what_http_sys_answers_is_in_its_own_log_alone(void **state)
{
	char dir[FILE_PATH_SIZE], path[FILE_PATH_SIZE], wanted[160], port[8];
	struct server s;
	struct log log;

	(void)state;
	server_start(&s, &(struct server_options){ .log_dir = dir_make(dir) });
	snprintf(port, sizeof(port), "%s", strrchr(s.base, ':') + 1);
	ask(&s, "GET " DLL "?a=b HTTP/1.1\r\n\r\n", 400);
	ask(&s, "GET /%zz HTTP/1.1\r\n" HOST "\r\n", 400);
	server_stop(&s);
	log_read(dir, "default/HTTPERR/httperr1.log", &log);
	assert_int_equal(log.headers, 1);
	assert_int_equal(log.count, 2);
	/* date time c-ip c-port s-ip s-port cs-version cs-method cs-uri
	 * streamid sc-status s-siteid s-reason s-queuename */
	snprintf(wanted, sizeof(wanted),
	    " 127.0.0.1 %s HTTP/1.1 GET " DLL "?a=b - 400 - Hostname -", port);
	assert_non_null(strstr(log.lines[0], wanted));
	snprintf(wanted, sizeof(wanted),
	    " 127.0.0.1 %s HTTP/1.1 GET /%%zz - 400 - URL -", port);
	assert_non_null(strstr(log.lines[1], wanted));
	log_clear(&log);
	assert_int_equal(rmdir(path_in(path, dir, "default/W3SVC1")), 0);
	dir_remove(dir);
}

/* Neither has anything to say about a request that never was one. */
static void
who_leaves_half_way_is_in_no_log(void **state)
{
	static const char *const halves[] = { "", "GET " DLL,
		"GET " DLL " HTTP/1.1\r\nHost: nd" };
	char dir[FILE_PATH_SIZE], path[FILE_PATH_SIZE];
	struct server s;
	int fd;

	(void)state;
	server_start(&s, &(struct server_options){ .log_dir = dir_make(dir) });
	for (size_t i = 0; i < COUNT_OF(halves); i++) {
		fd = tcp_connect(s.base);
		tcp_send_text(fd, halves[i]);
		tcp_abort(fd);
	}
	server_stop(&s);
	assert_int_equal(rmdir(path_in(path, dir, "default/W3SVC1")), 0);
	assert_int_equal(rmdir(path_in(path, dir, "default/HTTPERR")), 0);
	dir_remove(dir);
}

#define CAPS "GET " DLL "?operation=GetCACaps HTTP/1.1\r\n" HOST

static void
a_new_day_of_the_clock_begins_a_new_file(void **state)
{
	char dir[FILE_PATH_SIZE], name[64];
	struct server s;
	struct log log;
	time_t noon;

	(void)state;
	noon = start_at_noon(&s,
	    &(struct server_options){ .log_dir = dir_make(dir) });
	for (int day = 0; day < 3; day++) {
		ask(&s, CAPS "\r\n", 200);
		ask(&s, CAPS "Connection: close\r\n\r\n", 200);
		server_advance_clock(&s, DAY);
	}
	server_stop(&s);
	for (int day = 0; day < 3; day++) {
		log_read(dir, log_name(name, noon + day * DAY), &log);
		assert_int_equal(log.headers, 1);
		assert_int_equal(log.count, 2);
		log_clear(&log);
	}
	dir_remove(dir);
}

static void
the_fields_are_those_of_that_windows(void **state)
{
	static const struct {
		const char *windows, *first, *fields;
		int blanks; /* in a line */
	} forms[] = {
		{ "server.windows=2022",
		    "#Software: Microsoft Internet Information Services 10.0",
		    " cs(User-Agent) cs(Referer) sc-status sc-substatus "
		    "sc-win32-status time-taken\r\n",
		    14 },
		{ "server.windows=2008r2",
		    "#Software: Microsoft Internet Information Services 7.5",
		    " cs(User-Agent) sc-status sc-substatus sc-win32-status "
		    "time-taken\r\n",
		    13 },
	};
	char dir[FILE_PATH_SIZE], path[FILE_PATH_SIZE], name[64];
	struct buffer text;
	struct server s;
	struct log log;
	time_t noon;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(forms); i++) {
		const char *const set[] = { forms[i].windows, NULL };
		int blanks = 0;

		noon = start_at_noon(&s,
		    &(struct server_options){ .log_dir = dir_make(dir),
			.set = set });
		ask(&s, CAPS "\r\n", 200);
		server_stop(&s);
		log_name(name, noon);
		assert_true(file_read(path_in(path, dir, name), &text));
		assert_int_equal(strncmp((char *)text.data, forms[i].first,
				     strlen(forms[i].first)),
		    0);
		assert_non_null(strstr((char *)text.data, forms[i].fields));
		buffer_free(&text);
		log_read(dir, name, &log);
		assert_int_equal(log.count, 1);
		for (const char *at = log.lines[0]; *at != '\0'; at++)
			blanks += *at == ' ';
		assert_int_equal(blanks, forms[i].blanks);
		log_clear(&log);
		dir_remove(dir);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_line_says_what_was_asked_and_sent),
		cmocka_unit_test(what_http_sys_answers_is_in_its_own_log_alone),
		cmocka_unit_test(who_leaves_half_way_is_in_no_log),
		cmocka_unit_test(a_new_day_of_the_clock_begins_a_new_file),
		cmocka_unit_test(the_fields_are_those_of_that_windows),
	};

	web_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
