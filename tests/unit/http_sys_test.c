/* The kernel's refusals, octet by octet (ndes-facts 6.6, 7.2). */
#include "unit/exchanges.h"

#include "stack/stack.h"

#define PASSES (-1)
#define NO_LIMIT (-1)
#define PATH "/certsrv/mscep/mscep.dll"

static const struct page {
	const char *row;
	enum http_sys_refusal refusal;
	int status;
	const char *title, *heading, *message, *reason;
	size_t size; /* 0: no real one is known */
} pages[] = {
	{ "pool stopped", HTTP_SYS_SERVICE_UNAVAILABLE, 503,
	    "Service Unavailable", "Service Unavailable",
	    "The service is unavailable.", "AppOffline", 326 },
	{ "an administrator has stopped it", HTTP_SYS_DISABLED, 503,
	    "Service Unavailable", "Service Unavailable",
	    "The service is unavailable.", "Disabled", 326 },
	{ "too many connections", HTTP_SYS_CONNECTION_LIMIT, 503,
	    "Service Unavailable", "Service Unavailable",
	    "The service is unavailable.", "ConnLimit", 326 },
	{ "queue full", HTTP_SYS_QUEUE_FULL, 503, "Service Unavailable",
	    "Service Unavailable", "The service is unavailable.", "QueueFull",
	    326 },
	{ "URL too long", HTTP_SYS_URL_TOO_LONG, 414, "Request URL Too Long",
	    "Request URL Too Long", "The request URL is too long.",
	    "URL_Length", 329 },
	{ "field too long", HTTP_SYS_FIELD_TOO_LONG, 400, "Bad Request",
	    "Bad Request - Request Too Long",
	    "The size of the request headers is too long.", "FieldLength",
	    346 },
	{ "request too long", HTTP_SYS_REQUEST_TOO_LONG, 400, "Bad Request",
	    "Bad Request - Request Too Long",
	    "The size of the request headers is too long.", "RequestLength",
	    346 },
	{ "invalid URL", HTTP_SYS_INVALID_URL, 400, "Bad Request",
	    "Bad Request - Invalid URL", "The request URL is invalid.", "URL",
	    324 },
	{ "invalid verb", HTTP_SYS_INVALID_VERB, 400, "Bad Request",
	    "Bad Request - Invalid Verb", "The request verb is invalid.",
	    "Verb", 326 },
	{ "invalid host name", HTTP_SYS_INVALID_HOSTNAME, 400, "Bad Request",
	    "Bad Request - Invalid Hostname",
	    "The request hostname is invalid.", "Hostname", 334 },
	{ "no length", HTTP_SYS_LENGTH_REQUIRED, 411, "Length Required",
	    "Length Required",
	    "The request must be chunked or have a content length.",
	    "LengthRequired", 0 },
	{ "bad lengths", HTTP_SYS_BAD_REQUEST, 400, "Bad Request",
	    "Bad Request", "The request is badly formed.", "BadRequest", 0 },
	{ "unknown transfer coding", HTTP_SYS_BAD_ENCODING, 501,
	    "Not Implemented", "Not Implemented",
	    "The transfer encoding is not supported.", "BadRequest", 0 },
};

static void
page_octets(void **state)
{
	const struct page *t = *state;
	struct buffer b = { 0 };
	struct exchange ex;

	exchange_make(&ex, "GET", PATH);
	http_sys_answer(&ex, t->refusal);
	buffer_printf(&b,
	    "<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 4.01//EN\""
	    "\"http://www.w3.org/TR/html4/strict.dtd\">\r\n"
	    "<HTML><HEAD><TITLE>%s</TITLE>\r\n"
	    "<META HTTP-EQUIV=\"Content-Type\" Content=\"text/html; "
	    "charset=us-ascii\"></HEAD>\r\n"
	    "<BODY><h2>%s</h2>\r\n"
	    "<hr><p>HTTP Error %d. %s</p>\r\n"
	    "</BODY></HTML>\r\n",
	    t->title, t->heading, t->status, t->message);
	assert_octets(blob_span(&ex.reply.body), b.data, b.len);
	if (t->size != 0)
		assert_int_equal(ex.reply.body.len, t->size);
	buffer_free(&b);
	exchange_clear(&ex);
}

static void
page_head(void **state)
{
	const struct page *t = *state;
	struct exchange ex;

	exchange_make(&ex, "GET", PATH);
	http_sys_answer(&ex, t->refusal);
	exchange_must_say(&ex, LAYER_HTTP_SYS, t->status, 0, 0);
	assert_string_equal(ex.verdict.reason, t->reason);
	assert_string_equal(ex.reply.reason, t->title);
	assert_true(ex.wire.exact);
	exchange_must_have_headers(&ex, "Content-Type Server Date");
	exchange_must_have_header(&ex, "Content-Type",
	    "text/html; charset=us-ascii");
	exchange_must_have_header(&ex, "Server", "Microsoft-HTTPAPI/2.0");
	exchange_must_have_header(&ex, "Date", EXCHANGE_DATE);
	exchange_must_be_measured(&ex);
	exchange_clear(&ex);
}

static void
dropped(void **state)
{
	struct exchange ex;

	(void)state;
	exchange_make(&ex, "GET", PATH);
	http_sys_drop(&ex, "Timer_HeaderWait");
	exchange_must_say(&ex, LAYER_HTTP_SYS, 0, 0, 0);
	assert_string_equal(ex.verdict.reason, "Timer_HeaderWait");
	assert_int_equal(ex.reply.header_count, 0);
	assert_int_equal(ex.reply.body.len, 0);
	exchange_clear(&ex);
}

#define X8 "xxxxxxxx"
#define X64 X8 X8 X8 X8 X8 X8 X8 X8
#define X256 X64 X64 X64 X64
#define SLASHES "////////////////" /* 16 */
#define SLASHES_240                                                     \
	SLASHES SLASHES SLASHES SLASHES SLASHES SLASHES SLASHES SLASHES \
	    SLASHES SLASHES SLASHES SLASHES SLASHES SLASHES SLASHES

static const struct judged {
	const char *row, *method, *target;
	int refusal;
	const char *version; /* NULL: HTTP/1.1 */
	bool no_host;
	const char *name, *value; /* of one more header */
	bool twice;		  /* that header */
	bool with_length, chunked, broken, require_length;
	/* Limits; 0: those of health. */
	int64_t field, request, segment, segments;
	bool is_full; /* the queue */
} judgeds[] = {
	{ "a plain GET", "GET", PATH "?operation=GetCACaps",
	    .refusal = PASSES },
	{ "any word of a verb", "PROPFIND", PATH, .refusal = PASSES },
	{ "a verb with all that may be in it", "a!#$%&'*+-.^_`|~9", PATH,
	    .refusal = PASSES },
	{ "a verb with a bracket", "GE(T", PATH,
	    .refusal = HTTP_SYS_INVALID_VERB },
	{ "a verb above ASCII", "G\xc3\x89T", PATH,
	    .refusal = HTTP_SYS_INVALID_VERB },
	{ "a verb with a control", "GET\x01", PATH,
	    .refusal = HTTP_SYS_INVALID_VERB },
	{ "a POST with a length", "POST", PATH, .refusal = PASSES,
	    .with_length = true },
	{ "a POST in chunks", "POST", PATH, .refusal = PASSES,
	    .chunked = true },
	{ "a POST without a length", "POST", PATH,
	    .refusal = HTTP_SYS_LENGTH_REQUIRED },
	{ "a PUT without a length", "PUT", PATH,
	    .refusal = HTTP_SYS_LENGTH_REQUIRED },
	{ "a POST in chunks where a length is required", "POST", PATH,
	    .refusal = HTTP_SYS_LENGTH_REQUIRED, .chunked = true,
	    .require_length = true },
	{ "a GET in chunks where a length is required", "GET", PATH,
	    .refusal = PASSES, .chunked = true, .require_length = true },
	{ "another transfer coding", "POST", PATH,
	    .refusal = HTTP_SYS_BAD_ENCODING, .broken = true },
	{ "no Host", "GET", PATH, .refusal = HTTP_SYS_INVALID_HOSTNAME,
	    .no_host = true },
	{ "no Host in HTTP/1.0", "GET", PATH, .refusal = PASSES,
	    .version = "HTTP/1.0", .no_host = true },
	{ "an empty Host", "GET", PATH, .refusal = PASSES, .no_host = true,
	    .name = "Host", .value = "" },
	{ "a Host with a blank", "GET", PATH,
	    .refusal = HTTP_SYS_INVALID_HOSTNAME, .no_host = true,
	    .name = "Host", .value = "nd es" },
	{ "a Host with a tab", "GET", PATH,
	    .refusal = HTTP_SYS_INVALID_HOSTNAME, .no_host = true,
	    .name = "Host", .value = "nd\tes" },
	{ "a Host in quotes", "GET", PATH, .refusal = HTTP_SYS_INVALID_HOSTNAME,
	    .no_host = true, .name = "Host", .value = "\"ndes\"" },
	{ "a Host with a CR", "GET", PATH, .refusal = HTTP_SYS_INVALID_HOSTNAME,
	    .no_host = true, .name = "Host", .value = "nd\res" },
	{ "a Host with a bracket", "GET", PATH,
	    .refusal = HTTP_SYS_INVALID_HOSTNAME, .no_host = true,
	    .name = "Host", .value = "ndes<" },
	{ "a Host with a slash", "GET", PATH,
	    .refusal = HTTP_SYS_INVALID_HOSTNAME, .no_host = true,
	    .name = "Host", .value = "ndes/" },
	{ "a Host with a name before it", "GET", PATH,
	    .refusal = HTTP_SYS_INVALID_HOSTNAME, .no_host = true,
	    .name = "Host", .value = "me@ndes" },
	{ "a Host with a DEL", "GET", PATH,
	    .refusal = HTTP_SYS_INVALID_HOSTNAME, .no_host = true,
	    .name = "Host", .value = "ndes\x7f" },
	{ "a Host with a port", "GET", PATH, .refusal = PASSES, .no_host = true,
	    .name = "Host", .value = "ndes.example:8080" },
	{ "an IPv6 literal", "GET", PATH, .refusal = PASSES, .no_host = true,
	    .name = "Host", .value = "[2001:db8::1]" },
	{ "an IPv6 literal with a port", "GET", PATH, .refusal = PASSES,
	    .no_host = true, .name = "Host", .value = "[::1]:8080" },
	{ "a Host with all that may be in it", "GET", PATH, .refusal = PASSES,
	    .no_host = true, .name = "Host",
	    .value = "aZ09-._~%20!$&'()*+,;=:[]" },
	{ "two Hosts", "GET", PATH, .refusal = HTTP_SYS_INVALID_HOSTNAME,
	    .name = "host", .value = "ndes" },
	{ "two empty Hosts", "GET", PATH, .refusal = HTTP_SYS_INVALID_HOSTNAME,
	    .no_host = true, .name = "Host", .value = "", .twice = true },
	{ "two Hosts in HTTP/1.0", "GET", PATH,
	    .refusal = HTTP_SYS_INVALID_HOSTNAME, .version = "HTTP/1.0",
	    .name = "Host", .value = "ndes" },
	{ "one length", "POST", PATH, .refusal = PASSES, .with_length = true,
	    .name = "Content-Length", .value = "5" },
	{ "two lengths", "POST", PATH, .refusal = HTTP_SYS_BAD_REQUEST,
	    .with_length = true, .name = "Content-Length", .value = "5",
	    .twice = true },
	{ "two lengths of a GET", "GET", PATH, .refusal = HTTP_SYS_BAD_REQUEST,
	    .with_length = true, .name = "content-length", .value = "0",
	    .twice = true },
	{ "a length and chunks", "POST", PATH, .refusal = HTTP_SYS_BAD_REQUEST,
	    .with_length = true, .chunked = true },
	{ "a length and another transfer coding", "POST", PATH,
	    .refusal = HTTP_SYS_BAD_REQUEST, .with_length = true,
	    .broken = true },
	{ "a bad Host before bad lengths", "POST", PATH,
	    .refusal = HTTP_SYS_INVALID_HOSTNAME, .no_host = true,
	    .with_length = true, .chunked = true },
	{ "a target as long as allowed", "GET", "/" X64, .refusal = PASSES,
	    .field = 65 },
	{ "a target one octet longer", "GET", "/" X64,
	    .refusal = HTTP_SYS_URL_TOO_LONG, .field = 64 },
	{ "a query counts too", "GET", "/?" X64,
	    .refusal = HTTP_SYS_URL_TOO_LONG, .field = 65 },
	{ "a header as long as allowed", "GET", "/", .refusal = PASSES,
	    .name = "A", .value = X64, .field = 64 },
	{ "a header one octet longer", "GET", "/",
	    .refusal = HTTP_SYS_FIELD_TOO_LONG, .name = "A", .value = X64,
	    .field = 63 },
	/* "GET / HTTP/1.1", "Host: ndes", "A: " and 256, empty line */
	{ "a head as long as allowed", "GET", "/", .refusal = PASSES,
	    .name = "A", .value = X256, .request = 16 + 12 + 5 + 256 + 2 },
	{ "a head one octet longer", "GET", "/",
	    .refusal = HTTP_SYS_REQUEST_TOO_LONG, .name = "A", .value = X256,
	    .request = 16 + 12 + 5 + 256 + 1 },
	{ "the URL is looked at before the fields", "GET", "/" X64,
	    .refusal = HTTP_SYS_URL_TOO_LONG, .name = "A", .value = X256,
	    .field = 64 },
	{ "escapes", "GET", "/certsrv/%6dscep/%C3%A4", .refusal = PASSES },
	{ "an escape without digits", "GET", "/certsrv/%zz",
	    .refusal = HTTP_SYS_INVALID_URL },
	{ "an escape with one digit", "GET", "/certsrv/%4",
	    .refusal = HTTP_SYS_INVALID_URL },
	{ "an escape cut", "GET", "/certsrv/%",
	    .refusal = HTTP_SYS_INVALID_URL },
	{ "an escape cut by the query", "GET", "/certsrv/%4?1",
	    .refusal = HTTP_SYS_INVALID_URL },
	{ "two percent signs", "GET", "/%%41",
	    .refusal = HTTP_SYS_INVALID_URL },
	{ "an escaped NUL", "GET", "/certsrv/%00",
	    .refusal = HTTP_SYS_INVALID_URL },
	{ "a control", "GET", "/certsrv/\x01",
	    .refusal = HTTP_SYS_INVALID_URL },
	{ "a DEL", "GET", "/certsrv/\x7f", .refusal = HTTP_SYS_INVALID_URL },
	{ "the query is not looked at", "GET", PATH "?message=%zz%",
	    .refusal = PASSES },
	{ "a target without a slash", "GET", "certsrv",
	    .refusal = HTTP_SYS_INVALID_URL },
	{ "a target that is a star", "OPTIONS", "*", .refusal = PASSES },
	{ "two stars", "OPTIONS", "**", .refusal = HTTP_SYS_INVALID_URL },
	{ "an absolute target", "GET", "http://ndes:80" PATH,
	    .refusal = PASSES },
	{ "an absolute target without a path", "GET", "http://ndes",
	    .refusal = PASSES },
	{ "an absolute target of an invalid path", "GET", "http://ndes/%zz",
	    .refusal = HTTP_SYS_INVALID_URL },
	{ "a segment of 260", "GET", "/a/" X256 "xxxx/b", .refusal = PASSES },
	{ "a segment of 261", "GET", "/a/" X256 "xxxxx/b",
	    .refusal = HTTP_SYS_INVALID_URL },
	{ "255 segments", "GET", SLASHES_240 "///////////////",
	    .refusal = PASSES },
	{ "256 segments", "GET", SLASHES_240 SLASHES,
	    .refusal = HTTP_SYS_INVALID_URL },
	{ "a segment as long as is set", "GET", "/a/" X8 "/b",
	    .refusal = PASSES, .segment = 8 },
	{ "a segment longer than is set", "GET", "/a/" X8 "x/b",
	    .refusal = HTTP_SYS_INVALID_URL, .segment = 8 },
	{ "as many segments as are set", "GET", "/a/b", .refusal = PASSES,
	    .segments = 2 },
	{ "more segments than are set", "GET", "/a/b/",
	    .refusal = HTTP_SYS_INVALID_URL, .segments = 2 },
	{ "a segment of any length", "GET", "/a/" X256 "xxxxx/b",
	    .refusal = PASSES, .segment = NO_LIMIT },
	{ "any number of segments", "GET", SLASHES_240 SLASHES,
	    .refusal = PASSES, .segments = NO_LIMIT },
	{ "a full queue", "GET", PATH, .refusal = HTTP_SYS_QUEUE_FULL,
	    .is_full = true },
	{ "it is NDES's alone", "GET", "/elsewhere", .refusal = PASSES,
	    .is_full = true },
	{ "what is refused never comes to it", "GE(T", PATH,
	    .refusal = HTTP_SYS_INVALID_VERB, .is_full = true },
};

static void
set_limit(int64_t *limit, int64_t value)
{
	if (value != 0)
		*limit = value == NO_LIMIT ? 0 : value;
}

static void
judge(void **state)
{
	const struct judged *t = *state;
	struct stack_state s;
	struct exchange ex;

	stack_healthy(&s);
	set_limit(&s.http_sys.max_field_length, t->field);
	set_limit(&s.http_sys.max_request_bytes, t->request);
	set_limit(&s.http_sys.url_segment_max_length, t->segment);
	set_limit(&s.http_sys.url_segment_max_count, t->segments);
	s.http_sys.queue = t->is_full ? HTTP_QUEUE_FULL : HTTP_QUEUE_OPEN;
	s.http_sys.require_content_length = t->require_length;
	exchange_make(&ex, t->method, t->target);
	if (!t->no_host)
		exchange_header(&ex, "Host", "ndes");
	for (int i = 0; t->name != NULL && i <= t->twice; i++)
		exchange_header(&ex, t->name, t->value);
	if (t->version != NULL)
		ex.request.version = exchange_text(t->version);
	if (t->with_length)
		ex.request.content_length = 5;
	ex.request.chunked = t->chunked;
	ex.request.broken = t->broken;
	http_sys_pass(&ex, &s);
	assert_int_equal(exchange_is_answered(&ex), t->refusal != PASSES);
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
		if ((int)pages[i].refusal == t->refusal) {
			assert_string_equal(ex.verdict.reason, pages[i].reason);
			assert_true(exchange_body_has(&ex, pages[i].message));
		}
	exchange_clear(&ex);
}

static const struct queued {
	const char *row, *target, *reason; /* no target: nothing was read */
	const char *queue;		   /* NULL: none */
} queueds[] = {
	{ "a pool that is off", PATH, "AppOffline", "SCEP" },
	{ "one that was stopped", PATH, "Disabled", "SCEP" },
	{ "a full queue", "/certsrv/mscep_admin/", "QueueFull", "SCEP" },
	{ "a process that died", PATH, "Connection_Abandoned_By_ReqQueue",
	    "SCEP" },
	{ "a body that does not come", PATH, "Timer_EntityBody", "SCEP" },
	{ "or comes for the web site", "/x", "Timer_EntityBody",
	    "DefaultAppPool" },
	{ "a head that does not end", PATH, "Timer_HeaderWait", NULL },
	{ "a field too long", PATH, "FieldLength", NULL },
	{ "too many connections", NULL, "ConnLimit", NULL },
	{ "a reason of a pool, and no request", NULL, "QueueFull", NULL },
};

static void
names_the_queue(void **state)
{
	const struct queued *t = *state;
	struct exchange ex;

	if (t->target != NULL)
		exchange_make(&ex, "POST", t->target);
	else
		exchange_init(&ex);
	http_sys_drop(&ex, t->reason);
	assert_string_equal(ex.verdict.reason, t->reason);
	if (t->queue == NULL)
		assert_null(ex.verdict.queue);
	else
		assert_string_equal(ex.verdict.queue, t->queue);
	exchange_clear(&ex);
}

int
main(void)
{
	static const struct table tables[] = {
		ROWS(page_octets, pages),
		ROWS(page_head, pages),
		ONE(dropped, "what is dropped gets no answer"),
		ROWS(judge, judgeds),
		ROWS(names_the_queue, queueds),
	};

	return ROWS_RUN(tables, NULL, NULL);
}
