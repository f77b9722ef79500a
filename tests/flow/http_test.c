/* What HTTP itself asks of a server, octet by octet. */
#include "support/test.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "support/server.h"
#include "support/tcp.h"

#define DLL "/certsrv/mscep/mscep.dll"
#define CAPS "GET " DLL "?operation=GetCACaps "
#define HOST "Host: ndes.example\r\n"
#define CAPS_WORDS "POSTPKIOperation"

static int
start(void **state)
{
	static struct server server;

	server_start(&server, NULL);
	*state = &server;
	return 0;
}

static int
stop(void **state)
{
	server_stop(*state);
	return 0;
}

static int
connect_to(const struct server *s)
{
	int fd = tcp_connect(s->base);

	assert_int_not_equal(fd, -1);
	return fd;
}

static void
assert_says(int fd, int status, const char *words)
{
	struct answer a;

	assert_true(answer_read(fd, true, &a));
	assert_int_equal(a.status, status);
	assert_non_null(strstr((char *)a.body.data, words));
	answer_clear(&a);
}

static void
assert_ends(int fd)
{
	struct buffer rest;

	assert_int_equal(tcp_read_all(fd, &rest), TCP_CLOSED);
	assert_int_equal(rest.len, 0);
	buffer_free(&rest);
	close(fd);
}

static void
a_connection_is_kept_for_the_next_request(void **state)
{
	int fd = connect_to(*state);

	for (int i = 0; i < 3; i++) {
		tcp_send_text(fd, CAPS "HTTP/1.1\r\n" HOST "\r\n");
		assert_says(fd, 200, CAPS_WORDS);
	}
	tcp_send_text(fd, "GET " DLL " HTTP/1.1\r\n" HOST "\r\n");
	assert_says(fd, 403, "HTTP Error 403.0 - Forbidden");
	tcp_send_text(fd, CAPS "HTTP/1.1\r\n" HOST "\r\n");
	assert_says(fd, 200, CAPS_WORDS);
	close(fd);
}

/* ndes-facts 6.3: the connection stays open. */
static void
an_error_page_of_iis_keeps_the_connection(void **state)
{
	static const struct {
		const char *request;
		int status;
	} errors[] = {
		{ "GET /nowhere HTTP/1.1\r\n" HOST "\r\n", 404 },
		{ "DELETE " DLL " HTTP/1.1\r\n" HOST "\r\n", 405 },
		{ "GET /certsrv/mscep_admin HTTP/1.1\r\n" HOST "\r\n", 301 },
	};

	for (size_t i = 0; i < COUNT_OF(errors); i++) {
		int fd = connect_to(*state);

		tcp_send_text(fd, errors[i].request);
		assert_says(fd, errors[i].status, "");
		tcp_send_text(fd, CAPS "HTTP/1.1\r\n" HOST "\r\n");
		assert_says(fd, 200, CAPS_WORDS);
		close(fd);
	}
}

static void
connection_close_is_honoured(void **state)
{
	int fd = connect_to(*state);

	tcp_send_text(fd, CAPS "HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
	assert_says(fd, 200, CAPS_WORDS);
	assert_ends(fd);
}

static void
http_1_0_is_answered_and_closed(void **state)
{
	static const char *const requests[] = {
		CAPS "HTTP/1.0\r\n\r\n",
		CAPS "HTTP/1.0\r\n" HOST "\r\n",
	};

	for (size_t i = 0; i < COUNT_OF(requests); i++) {
		int fd = connect_to(*state);

		tcp_send_text(fd, requests[i]);
		assert_says(fd, 200, CAPS_WORDS);
		assert_ends(fd);
	}
}

static void
http_1_0_can_ask_for_more(void **state)
{
	int fd = connect_to(*state);

	for (int i = 0; i < 2; i++) {
		tcp_send_text(fd,
		    CAPS "HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
		assert_says(fd, 200, CAPS_WORDS);
	}
	close(fd);
}

/* ndes-facts 6.6: 334 octets, headers in http.sys's order, then a close. */
static void
http_1_1_without_host_gets_the_page_of_http_sys(void **state)
{
	static const char body[] =
	    "<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 4.01//EN\""
	    "\"http://www.w3.org/TR/html4/strict.dtd\">\r\n"
	    "<HTML><HEAD><TITLE>Bad Request</TITLE>\r\n"
	    "<META HTTP-EQUIV=\"Content-Type\" Content=\"text/html; "
	    "charset=us-ascii\"></HEAD>\r\n"
	    "<BODY><h2>Bad Request - Invalid Hostname</h2>\r\n"
	    "<hr><p>HTTP Error 400. The request hostname is invalid.</p>\r\n"
	    "</BODY></HTML>\r\n";
	char wanted[512], date[64];
	int fd = connect_to(*state);
	struct answer a;

	assert_int_equal(strlen(body), 334);
	tcp_send_text(fd, CAPS "HTTP/1.1\r\n\r\n");
	assert_true(answer_read(fd, true, &a));
	assert_non_null(answer_header(&a, "Date", date, sizeof(date)));
	assert_int_equal(strlen(date), 29);
	snprintf(wanted, sizeof(wanted),
	    "HTTP/1.1 400 Bad Request\r\n"
	    "Content-Type: text/html; charset=us-ascii\r\n"
	    "Server: Microsoft-HTTPAPI/2.0\r\n"
	    "Date: %s\r\nConnection: close\r\nContent-Length: 334\r\n\r\n",
	    date);
	assert_string_equal((char *)a.head.data, wanted);
	assert_string_equal((char *)a.body.data, body);
	answer_clear(&a);
	assert_ends(fd);
}

static void
a_target_can_be_a_whole_url(void **state)
{
	int fd = connect_to(*state);

	tcp_send_text(fd,
	    "GET http://ndes.example:80" DLL
	    "?operation=GetCACaps HTTP/1.1\r\n" HOST "\r\n");
	assert_says(fd, 200, CAPS_WORDS);
	tcp_send_text(fd,
	    "GET http://ndes.example/nowhere HTTP/1.1\r\n" HOST
	    "Connection: close\r\n\r\n");
	assert_says(fd, 404, "404 - File or directory not found.");
	close(fd);
}

static void
head_is_a_get_without_its_body(void **state)
{
	static const char *const targets[] = { DLL, DLL "?operation=GetCACaps",
		DLL "?operation=GetCACert" };
	char request[256], of_get[32], of_head[32];
	int fd = connect_to(*state);
	struct answer get, head;

	for (size_t i = 0; i < COUNT_OF(targets); i++) {
		snprintf(request, sizeof(request),
		    "GET %s HTTP/1.1\r\n" HOST "\r\n"
		    "HEAD %s HTTP/1.1\r\n" HOST "\r\n",
		    targets[i], targets[i]);
		tcp_send_text(fd, request);
		assert_true(answer_read(fd, true, &get));
		assert_true(answer_read(fd, false, &head));
		assert_int_equal(get.status, head.status);
		assert_string_equal(answer_header(&get, "Content-Length",
					of_get, sizeof(of_get)),
		    answer_header(&head, "Content-Length", of_head,
			sizeof(of_head)));
		answer_clear(&get);
		answer_clear(&head);
	}
	close(fd);
}

/* The second is computed by a worker; the third has to wait for it. */
static void
pipelined_requests_are_answered_in_order(void **state)
{
	int fd = connect_to(*state);

	tcp_send_text(fd,
	    CAPS "HTTP/1.1\r\n" HOST "\r\n"
		 "POST " DLL "?operation=PKIOperation HTTP/1.1\r\n" HOST
		 "Content-Length: 3\r\n\r\nabc"
		 "GET " DLL " HTTP/1.1\r\n" HOST "\r\n" CAPS "HTTP/1.1\r\n" HOST
		 "Connection: close\r\n\r\n");
	assert_says(fd, 200, CAPS_WORDS);
	assert_says(fd, 200, "<");
	assert_says(fd, 403, "HTTP Error 403.0");
	assert_says(fd, 200, CAPS_WORDS);
	assert_ends(fd);
}

static void
expect_100_continue_is_answered_before_the_body(void **state)
{
	int fd = connect_to(*state);
	struct answer a;

	tcp_send_text(fd,
	    "POST " DLL "?operation=PKIOperation HTTP/1.1\r\n" HOST
	    "Content-Length: 5\r\nExpect: 100-continue\r\n\r\n");
	assert_true(answer_read(fd, true, &a));
	assert_int_equal(a.status, 100);
	answer_clear(&a);
	tcp_send_text(fd, "hello");
	assert_says(fd, 200, "<");
	tcp_send_text(fd, CAPS "HTTP/1.1\r\n" HOST "\r\n");
	assert_says(fd, 200, CAPS_WORDS);
	close(fd);
}

static void
a_body_may_come_in_chunks_and_octet_by_octet(void **state)
{
	static const char request[] =
	    "POST " DLL "?operation=PKIOperation HTTP/1.1\r\n" HOST
	    "Transfer-Encoding: chunked\r\n\r\n"
	    "3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\n\r\n";
	int fd = connect_to(*state);

	tcp_send_text(fd, request);
	assert_says(fd, 200, "<");
	for (size_t i = 0; i < strlen(request); i++)
		assert_true(tcp_send(fd, request + i, 1));
	assert_says(fd, 200, "<");
	tcp_send_text(fd, CAPS "HTTP/1.1\r\n" HOST "\r\n");
	assert_says(fd, 200, CAPS_WORDS);
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_connection_is_kept_for_the_next_request),
		cmocka_unit_test(an_error_page_of_iis_keeps_the_connection),
		cmocka_unit_test(connection_close_is_honoured),
		cmocka_unit_test(http_1_0_is_answered_and_closed),
		cmocka_unit_test(http_1_0_can_ask_for_more),
		cmocka_unit_test(
		    http_1_1_without_host_gets_the_page_of_http_sys),
		cmocka_unit_test(a_target_can_be_a_whole_url),
		cmocka_unit_test(head_is_a_get_without_its_body),
		cmocka_unit_test(pipelined_requests_are_answered_in_order),
		cmocka_unit_test(
		    expect_100_continue_is_answered_before_the_body),
		cmocka_unit_test(a_body_may_come_in_chunks_and_octet_by_octet),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
