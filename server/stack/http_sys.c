/* The kernel's HTTP driver: what it refuses never reaches IIS or its log. */
#include "stack/stack.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* The pages (6.6) and the s-reason of the HTTPERR log (7.2). */
static const struct page {
	int status;
	const char *title, *heading, *message, *reason;
} pages[] = {
	[HTTP_SYS_SERVICE_UNAVAILABLE] = { 503, "Service Unavailable",
	    "Service Unavailable", "The service is unavailable.",
	    "AppOffline" },
	[HTTP_SYS_DISABLED] = { 503, "Service Unavailable",
	    "Service Unavailable", "The service is unavailable.", "Disabled" },
	[HTTP_SYS_CONNECTION_LIMIT] = { 503, "Service Unavailable",
	    "Service Unavailable", "The service is unavailable.", "ConnLimit" },
	[HTTP_SYS_QUEUE_FULL] = { 503, "Service Unavailable",
	    "Service Unavailable", "The service is unavailable.", "QueueFull" },
	[HTTP_SYS_URL_TOO_LONG] = { 414, "Request URL Too Long",
	    "Request URL Too Long", "The request URL is too long.",
	    "URL_Length" },
	[HTTP_SYS_FIELD_TOO_LONG] = { 400, "Bad Request",
	    "Bad Request - Request Too Long",
	    "The size of the request headers is too long.", "FieldLength" },
	[HTTP_SYS_REQUEST_TOO_LONG] = { 400, "Bad Request",
	    "Bad Request - Request Too Long",
	    "The size of the request headers is too long.", "RequestLength" },
	[HTTP_SYS_INVALID_URL] = { 400, "Bad Request",
	    "Bad Request - Invalid URL", "The request URL is invalid.", "URL" },
	[HTTP_SYS_INVALID_VERB] = { 400, "Bad Request",
	    "Bad Request - Invalid Verb", "The request verb is invalid.",
	    "Verb" },
	[HTTP_SYS_INVALID_HOSTNAME] = { 400, "Bad Request",
	    "Bad Request - Invalid Hostname",
	    "The request hostname is invalid.", "Hostname" },
	/* Its reason is assumed: 7.2 has none for it. */
	[HTTP_SYS_NOT_FOUND] = { 404, "Not Found", "Not Found",
	    "The requested resource is not found.", "NotFound" },
	/* The three below: heading and message are assumed (14.2, 10). */
	[HTTP_SYS_LENGTH_REQUIRED] = { 411, "Length Required",
	    "Length Required",
	    "The request must be chunked or have a content length.",
	    "LengthRequired" },
	[HTTP_SYS_BAD_REQUEST] = { 400, "Bad Request", "Bad Request",
	    "The request is badly formed.", "BadRequest" },
	[HTTP_SYS_BAD_ENCODING] = { 501, "Not Implemented", "Not Implemented",
	    "The transfer encoding is not supported.", "BadRequest" },
};

#define PAGES (sizeof(pages) / sizeof(pages[0]))

static const struct page *
find_page(int status)
{
	for (size_t i = 0; i < PAGES; i++)
		if (pages[i].status == status)
			return &pages[i];
	return NULL;
}

static void
build(const struct page *p, struct blob *out)
{
	struct buffer b = { 0 };

	buffer_printf(&b,
	    "<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 4.01//EN\""
	    "\"http://www.w3.org/TR/html4/strict.dtd\">\r\n"
	    "<HTML><HEAD><TITLE>%s</TITLE>\r\n"
	    "<META HTTP-EQUIV=\"Content-Type\" Content=\"text/html; "
	    "charset=us-ascii\"></HEAD>\r\n"
	    "<BODY><h2>%s</h2>\r\n"
	    "<hr><p>HTTP Error %d. %s</p>\r\n"
	    "</BODY></HTML>\r\n",
	    p->title, p->heading, p->status, p->message);
	buffer_finish(&b, out);
}

/*
 * KB820729: the reasons of those that had been routed to an application pool.
 * Others are refused before anybody knows whose they are.
 */
static const char *const routed[] = { "AppOffline", "AppPoolTimer",
	"AppShutdown", "Connection_Abandoned_By_AppPool",
	"Connection_Abandoned_By_ReqQueue", "Disabled", "QueueFull",
	"Timer_AppPool", "Timer_EntityBody", "Timer_MinBytesPerSecond",
	"Timer_ReqQueue" };

/* Whose queue it is: NDES's, or that of the web site around it. */
static const char *
find_queue(const struct exchange *ex, const char *reason)
{
	if (ex->request.target == NULL || reason == NULL)
		return NULL;
	for (size_t i = 0; i < sizeof(routed) / sizeof(routed[0]); i++)
		if (strcmp(routed[i], reason) == 0)
			return iis_place(&ex->request) == PLACE_NOWHERE ?
			    "DefaultAppPool" :
			    "SCEP";
	return NULL;
}

static void
answer(struct exchange *ex, int status, const char *reason)
{
	exchange_answer(ex, LAYER_HTTP_SYS, status, 0, 0);
	ex->verdict.reason = reason;
	ex->verdict.queue = find_queue(ex, reason);
}

void
http_sys_send(struct exchange *ex, int status, const char *reason,
    const char *content_type, struct blob body)
{
	const struct page *p = find_page(status);
	char date[CLOCK_HTTP_SIZE];

	answer(ex, status, reason);
	ex->wire.exact = true;
	ex->reply.reason = p == NULL ? NULL : p->title;
	ex->reply.body = body;
	if (content_type != NULL)
		reply_header(&ex->reply, "Content-Type", "%s", content_type);
	reply_header(&ex->reply, "Server", "Microsoft-HTTPAPI/2.0");
	reply_header(&ex->reply, "Date", "%s", clock_http_date(ex->at, date));
}

static void
send_page(struct exchange *ex, const struct page *p)
{
	struct blob body;

	build(p, &body);
	http_sys_send(ex, p->status, p->reason, "text/html; charset=us-ascii",
	    body);
}

void
http_sys_answer(struct exchange *ex, enum http_sys_refusal refusal)
{
	send_page(ex, &pages[refusal]);
}

const char *
http_sys_reason(int status)
{
	const struct page *p = find_page(status);

	return p != NULL  ? p->reason :
	    status >= 500 ? "Internal" :
	    status >= 400 ? "BadRequest" :
			    NULL;
}

void
http_sys_answer_status(struct exchange *ex, int status)
{
	const char *phrase = reason_phrase(status);
	const struct page other = { status, phrase, phrase,
		"The request could not be completed.",
		http_sys_reason(status) };
	const struct page *p = find_page(status);

	send_page(ex, p != NULL ? p : &other);
}

void
http_sys_drop(struct exchange *ex, const char *reason)
{
	answer(ex, 0, reason);
}

/* RFC 9110 5.6.2 */
static bool
is_token(const char *s)
{
	for (; *s != '\0'; s++)
		if (!isalnum((unsigned char)*s) &&
		    strchr("!#$%&'*+-.^_`|~", *s) == NULL)
			return false;
	return true;
}

/* A limit of 0 is none (KB820129). */
static bool
path_is_valid(struct span path, const struct stack_state *state)
{
	const int64_t longest = state->http_sys.url_segment_max_length;
	const int64_t most = state->http_sys.url_segment_max_count;
	int64_t segment = 0, segments = 0;

	if (path.data[0] != '/' && !span_is(path, "*"))
		return false;
	for (size_t i = 0; i < path.len; i++) {
		uint8_t c = path.data[i];

		if (c == '%' && span_hex_pair(path, i + 1) <= 0)
			return false;
		if (c < 0x20 || c == 0x7f)
			return false;
		segment = c == '/' ? 0 : segment + 1;
		segments += c == '/';
		if ((longest != 0 && segment > longest) ||
		    (most != 0 && segments > most))
			return false;
	}
	return true;
}

/* RFC 9112 3.2; the letters of RFC 3986 3.2.2 and a port. */
static bool
host_is_valid(const struct request *r)
{
	const char *host = request_header(r, "Host");

	if (host == NULL)
		return strcmp(r->version, "HTTP/1.1") != 0;
	for (; *host != '\0'; host++)
		if (!isalnum((unsigned char)*host) &&
		    strchr("-._~%!$&'()*+,;=:[]", *host) == NULL)
			return false;
	return request_header_count(r, "Host") == 1;
}

/* Of the application pool SCEP: the web site around it has another. */
static bool
queue_is_full(const struct exchange *ex, const struct stack_state *state)
{
	return state->http_sys.queue == HTTP_QUEUE_FULL &&
	    iis_place(&ex->request) != PLACE_NOWHERE;
}

void
http_sys_pass(struct exchange *ex, const struct stack_state *state)
{
	const struct request *r = &ex->request;
	const int64_t field = state->http_sys.max_field_length;
	bool has_body = strcmp(r->method, "POST") == 0 ||
	    strcmp(r->method, "PUT") == 0;

	if (!is_token(r->method))
		http_sys_answer(ex, HTTP_SYS_INVALID_VERB);
	else if ((int64_t)strlen(r->target) > field)
		http_sys_answer(ex, HTTP_SYS_URL_TOO_LONG);
	else if ((int64_t)r->longest_header > field)
		http_sys_answer(ex, HTTP_SYS_FIELD_TOO_LONG);
	else if ((int64_t)r->head_size > state->http_sys.max_request_bytes)
		http_sys_answer(ex, HTTP_SYS_REQUEST_TOO_LONG);
	else if (!path_is_valid(r->path, state))
		http_sys_answer(ex, HTTP_SYS_INVALID_URL);
	else if (!host_is_valid(r))
		http_sys_answer(ex, HTTP_SYS_INVALID_HOSTNAME);
	else if (request_header_count(r, "Content-Length") > 1 ||
	    (r->content_length != -1 && (r->chunked || r->broken)))
		http_sys_answer(ex, HTTP_SYS_BAD_REQUEST);
	else if (r->broken)
		http_sys_answer(ex, HTTP_SYS_BAD_ENCODING);
	else if (has_body && r->content_length == -1 &&
	    (!r->chunked || state->http_sys.require_content_length))
		http_sys_answer(ex, HTTP_SYS_LENGTH_REQUIRED);
	else if (queue_is_full(ex, state))
		http_sys_answer(ex, HTTP_SYS_QUEUE_FULL);
}
