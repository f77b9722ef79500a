#include "unit/exchanges.h"

static const struct target {
	const char *row, *target, *path, *query; /* query NULL: none */
} targets[] = {
	{ "a path", "/certsrv/mscep", "/certsrv/mscep", NULL },
	{ "a path and a query", "/a?b=c&d", "/a", "b=c&d" },
	{ "an empty query", "/a?", "/a", "" },
	{ "a question mark in the query", "/a?b?c", "/a", "b?c" },
	{ "an absolute target", "http://ndes:8080/a/b?c", "/a/b", "c" },
	{ "an absolute target in capitals", "HTTPS://NDES/a", "/a", NULL },
	{ "an absolute target without a path", "http://ndes", "/", NULL },
	{ "an absolute target with only a query", "http://ndes?x", "/", "x" },
	{ "an absolute target of IPv6", "http://[::1]:80/a", "/a", NULL },
	{ "another scheme is a path", "ftp://ndes/a", "ftp://ndes/a", NULL },
	{ "a URL in the query", "/a?u=http://b/c", "/a", "u=http://b/c" },
	{ "a star", "*", "*", NULL },
	{ "nothing", "", "/", NULL },
};

static void
splits(void **state)
{
	const struct target *t = *state;
	struct exchange ex;

	exchange_make(&ex, "GET", t->target);
	assert_true(span_is(ex.request.path, t->path));
	assert_int_equal(ex.request.has_query, t->query != NULL);
	assert_true(
	    span_is(ex.request.query, t->query == NULL ? "" : t->query));
	exchange_clear(&ex);
}

static const struct address {
	const char *row, *address, *text;
} addresses[] = {
	{ "IPv4", "10.5.14.22", "10.5.14.22" },
	{ "IPv6", "FE80:0:0::1", "fe80::1" },
	{ "IPv4 in IPv6", "::ffff:10.5.14.22", "10.5.14.22" },
	{ "the longest", "2001:db8:1111:2222:3333:4444:5555:6666",
	    "2001:db8:1111:2222:3333:4444:5555:6666" },
};

static void
shows_address(void **state)
{
	const struct address *t = *state;
	struct endpoint e = exchange_endpoint(t->address, 50123);
	char text[ENDPOINT_TEXT_SIZE];

	assert_string_equal(endpoint_text(&e, text), t->text);
	assert_int_equal(endpoint_port(&e), 50123);
}

static void
no_address(void **state)
{
	struct endpoint e;
	char text[ENDPOINT_TEXT_SIZE];

	(void)state;
	memset(&e, 0, sizeof(e));
	assert_string_equal(endpoint_text(&e, text), "-");
	assert_int_equal(endpoint_port(&e), 0);
}

static void
request_headers(void **state)
{
	struct exchange ex;

	(void)state;
	exchange_make(&ex, "GET", "/");
	exchange_header(&ex, "Host", "first");
	exchange_header(&ex, "host", "second");
	assert_string_equal(request_header(&ex.request, "HOST"), "first");
	assert_null(request_header(&ex.request, "Hos"));
	exchange_clear(&ex);
}

static void
reply_headers(void **state)
{
	struct exchange ex;

	(void)state;
	exchange_make(&ex, "GET", "/");
	for (int i = 0; i < REPLY_HEADERS_MAX + 2; i++)
		reply_header(&ex.reply, i == 0 ? "First" : "Next", "%d%%", i);
	assert_int_equal(ex.reply.header_count, REPLY_HEADERS_MAX);
	assert_string_equal(reply_header_value(&ex.reply, "first"), "0%");
	assert_string_equal(reply_header_value(&ex.reply, "next"), "1%");
	assert_null(reply_header_value(&ex.reply, "Location"));
	exchange_clear(&ex);
}

static void
events(void **state)
{
	const struct event *e;
	struct exchange ex;

	(void)state;
	exchange_make(&ex, "GET", "/");
	for (int i = 1; i <= 3; i++)
		exchange_event(&ex, "Application", "NDES", i, "Error",
		    "number %d", i);
	e = ex.events;
	assert_string_equal(e->text, "number 1");
	assert_int_equal(e->next->id, 2);
	assert_string_equal(e->next->next->text, "number 3");
	assert_null(e->next->next->next);
	exchange_clear(&ex);
}

static const struct counted {
	const char *row, *name;
	size_t count;
} counteds[] = {
	{ "none", "Accept", 0 },
	{ "one", "Host", 1 },
	{ "of any case", "content-LENGTH", 2 },
	{ "the beginning of a name", "Content", 0 },
	{ "more than a name", "Host2", 0 },
	{ "no name", "", 0 },
};

static void
header_count(void **state)
{
	const struct counted *t = *state;
	struct exchange ex;

	exchange_make(&ex, "GET", "/");
	assert_int_equal(request_header_count(&ex.request, t->name), 0);
	exchange_header(&ex, "Content-Length", "5");
	exchange_header(&ex, "Host", "");
	exchange_header(&ex, "content-length", "6");
	assert_int_equal(request_header_count(&ex.request, t->name), t->count);
	exchange_clear(&ex);
}

static const struct phrase {
	const char *row;
	int status;
} phrases[] = {
	{ "OK", 200 },
	{ "No Content", 204 },
	{ "Moved Permanently", 301 },
	{ "Found", 302 },
	{ "Permanent Redirect", 308 },
	{ "Forbidden", 403 },
	{ "Not Found", 404 },
	{ "Request-URI Too Long", 414 },
	{ "Internal Server Error", 500 },
	{ "Service Unavailable", 503 },
	{ "Gateway Timeout", 504 },
	{ "Unknown", 299 },
	{ "Unknown", 0 },
};

static void
reason(void **state)
{
	const struct phrase *t = *state;

	assert_string_equal(reason_phrase(t->status), t->row);
}

int
main(void)
{
	static const struct table tables[] = {
		ROWS(splits, targets),
		ROWS(shows_address, addresses),
		ONE(no_address, "an end that is not known is a dash"),
		ONE(request_headers, "of headers alike the first counts"),
		ONE(reply_headers, "headers keep their order, up to eight"),
		ONE(events, "events keep their order"),
		ROWS(header_count, counteds),
		ROWS(reason, phrases),
	};

	return ROWS_RUN(tables, NULL, NULL);
}
