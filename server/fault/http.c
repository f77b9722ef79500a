/* `do: http`: the answer as HTTP has it, ordered or edited. */
#include "fault/inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TEXT_MAX 4096
#define TEXTS_MAX REPLY_HEADERS_MAX
#define BODY_MAX (1 << 20)
#define LENGTH_MAX ((int64_t)1 << 40)

static const struct word layers[] = {
	{ "network", LAYER_NETWORK,
	    "Nothing but the end of the connection; in no log" },
	{ "app-proxy", LAYER_APP_PROXY,
	    "The application proxy; in no log of the server" },
	{ "http-sys", LAYER_HTTP_SYS,
	    "The kernel's http.sys; in HTTPERR alone, and the connection ends" },
	{ "iis", LAYER_IIS, "IIS; in its log" },
	{ "mscep", LAYER_MSCEP, "As iis, but the journal says mscep.dll" },
	{ 0 },
};

static const struct word pages[] = {
	{ "general", PAGE_GENERAL,
	    "mscep.dll for browsers: \"allows you to obtain certificates\"" },
	{ "admin-password", PAGE_ADMIN_PASSWORD,
	    "mscep_admin with a password; it is all zeros and good for "
	    "nothing" },
	{ "admin-cache-full", PAGE_ADMIN_CACHE_FULL,
	    "mscep_admin: \"The password cache is full.\"" },
	{ "admin-no-permission", PAGE_ADMIN_NO_PERMISSION,
	    "mscep_admin: \"You do not have sufficient permission\", and its "
	    "event" },
	{ "401-static", PAGE_401_STATIC, "IIS's 401.htm, as 401.2" },
	{ "403-static", PAGE_403_STATIC,
	    "IIS's 403.htm, as for clients elsewhere" },
	{ "403-detailed", PAGE_403_DETAILED,
	    "IIS's \"HTTP Error 403.0 - Forbidden\", as on the server itself" },
	{ "404-static", PAGE_404_STATIC, "IIS's 404.htm" },
	{ "404-detailed", PAGE_404_DETAILED,
	    "IIS's \"HTTP Error 404.0 - Not Found\"" },
	{ "404.15-detailed", PAGE_404_15_DETAILED,
	    "IIS's \"HTTP Error 404.15 - Not Found\": the query is too long" },
	{ "405-static", PAGE_405_STATIC, "IIS's 405.htm" },
	{ "406-static", PAGE_406_STATIC, "IIS's 406.htm; words are assumed" },
	{ "412-static", PAGE_412_STATIC, "IIS's 412.htm; words are assumed" },
	{ "413-plain", PAGE_413_PLAIN,
	    "IIS's line \"the request entity is too large\", as 413.1" },
	{ "500-static", PAGE_500_STATIC, "IIS's 500.htm" },
	{ "500-detailed", PAGE_500_DETAILED,
	    "IIS's \"HTTP Error 500.0 - Internal Server Error\"" },
	{ "500-plain", PAGE_500_PLAIN,
	    "IIS's line \"an internal server error has occurred\", 75 octets" },
	{ "501-static", PAGE_501_STATIC, "IIS's 501.htm; words are assumed" },
	{ "502-static", PAGE_502_STATIC, "IIS's 502.htm" },
	{ "service-unavailable", PAGE_SERVICE_UNAVAILABLE,
	    "http.sys's 503: \"The service is unavailable.\"" },
	{ "request-too-long", PAGE_REQUEST_TOO_LONG,
	    "http.sys's 400: \"Bad Request - Request Too Long\"" },
	{ "invalid-url", PAGE_INVALID_URL,
	    "http.sys's 400: \"Bad Request - Invalid URL\"" },
	{ "invalid-hostname", PAGE_INVALID_HOSTNAME,
	    "http.sys's 400: \"Bad Request - Invalid Hostname\"" },
	{ "not-found", PAGE_NOT_FOUND,
	    "http.sys's 404: \"The requested resource is not found.\"" },
	{ "invalid-verb", PAGE_INVALID_VERB,
	    "http.sys's 400: \"Bad Request - Invalid Verb\"" },
	{ "url-too-long", PAGE_URL_TOO_LONG,
	    "http.sys's 414: \"The request URL is too long.\"" },
	{ "gateway-timeout", PAGE_GATEWAY_TIMEOUT,
	    "Application proxy's 504: \"The corporate app cannot be accessed\"; "
	    "markup is synthetic" },
	{ "no-connectors", PAGE_NO_CONNECTORS,
	    "Application proxy's 504 of a connector group without connectors; "
	    "markup is synthetic" },
	{ "bad-gateway", PAGE_BAD_GATEWAY,
	    "Application proxy's 502: the connector does not reach NDES; "
	    "markup is synthetic" },
	{ "proxy-forbidden", PAGE_PROXY_FORBIDDEN,
	    "Application proxy's 403; markup is synthetic" },
	{ "connector-error", PAGE_CONNECTOR_ERROR,
	    "Application proxy's 500: \"ConnectorError:Unauthorized.\"; markup "
	    "is synthetic" },
	{ 0 },
};

static const struct word lengths[] = {
	{ "absent", REPLY_LENGTH_ABSENT,
	    "None: the answer ends where the connection does" },
	{ 0 },
};

static const struct word versions[] = {
	{ "1.0", 0, "The status line says HTTP/1.0; the connection ends" },
	{ "1.1", 1, NULL },
	{ 0 },
};

enum { SAY_KEEP_ALIVE, SAY_CLOSE, SAY_NOTHING };
static const struct word connections[] = {
	{ "keep-alive", SAY_KEEP_ALIVE, "Says that it stays, which is a lie" },
	{ "close", SAY_CLOSE, "Says so" },
	{ "absent", SAY_NOTHING, "Says nothing" },
	{ 0 },
};

/* FAULT_ORDER */

static bool
is_network(const struct value *v)
{
	return v->number == LAYER_NETWORK;
}

static int
order_status(struct fault_context *ctx, const struct value *v, void *plan)
{
	struct ordered_answer *o = plan;

	(void)ctx;
	o->status = (int)v->numbers[0];
	o->substatus = v->count > 1 ? (int)v->numbers[1] : 0;
	o->win32 = v->count > 2 ? (uint32_t)v->numbers[2] : 0;
	return 0;
}

static int
order_as(struct fault_context *ctx, const struct value *v, void *plan)
{
	struct ordered_answer *o = plan;

	(void)ctx;
	o->as = (enum layer)v->number;
	return 0;
}

static int
order_page(struct fault_context *ctx, const struct value *v, void *plan)
{
	struct ordered_answer *o = plan;

	(void)ctx;
	o->page = (enum ordered_page)v->number;
	return 0;
}

static int
order_body(struct fault_context *ctx, const struct value *v, void *plan)
{
	struct ordered_answer *o = plan;

	(void)ctx;
	o->has_body = true;
	o->body = span_of(v->text, v->length);
	o->content_type = "text/html";
	return 0;
}

static int
order_file(struct fault_context *ctx, const struct value *v, void *plan)
{
	struct ordered_answer *o = plan;

	order_body(ctx, v, plan);
	o->content_type = "application/octet-stream";
	return 0;
}

static int
order_redirect(struct fault_context *ctx, const struct value *v, void *plan)
{
	struct ordered_answer *o = plan;

	(void)ctx;
	o->location = v->text;
	return 0;
}

/* FAULT_HTTP */

static int
add_header(struct fault_context *ctx, struct reply *r, const char *name,
    const char *value)
{
	size_t before = r->header_count;

	if (before == REPLY_HEADERS_MAX)
		return error_set(ctx->err,
		    "an answer has room for %d headers, not for \"%.80s\" too",
		    REPLY_HEADERS_MAX, name);
	reply_header(r, name, "%s", value);
	return r->header_count > before ? 0 :
					  error_set(ctx->err, "out of memory");
}

/* Those that a reply has in its fields: false: it is another. */
static bool
set_framing(struct reply *r, const char *name, const char *value)
{
	if (strcasecmp(name, "Connection") == 0)
		r->connection = value;
	else if (strcasecmp(name, "Content-Length") == 0)
		r->length = REPLY_LENGTH_ABSENT;
	else if (strcasecmp(name, "Transfer-Encoding") == 0)
		r->chunked = false;
	else
		return false;
	return true;
}

static void
remove_header(struct reply *r, const char *name)
{
	size_t kept = 0;

	set_framing(r, name, "");
	for (size_t i = 0; i < r->header_count; i++) {
		if (strcasecmp(r->headers[i].name, name) == 0)
			free(r->headers[i].value);
		else
			r->headers[kept++] = r->headers[i];
	}
	r->header_count = kept;
}

/* What a client goes by holds; keep_open and connection are for lies. */
static void
set_connection(struct reply *r, const char *value)
{
	remove_header(r, "Connection");
	r->connection = value;
	if (strcasecmp(value, "close") == 0)
		r->close = true;
}

/* It stays where it was, or comes last. */
static int
set_header(struct fault_context *ctx, struct reply *r, const char *name,
    const char *value)
{
	char *copy;

	if (strcasecmp(name, "Connection") == 0) {
		set_connection(r, value);
		return 0;
	}
	set_framing(r, name, value);
	for (size_t i = 0; i < r->header_count; i++) {
		if (strcasecmp(r->headers[i].name, name) != 0)
			continue;
		if ((copy = strdup(value)) == NULL)
			return error_set(ctx->err, "out of memory");
		free(r->headers[i].value);
		r->headers[i].value = copy;
		r->headers[i].name = name;
		return 0;
	}
	return add_header(ctx, r, name, value);
}

static int
edit_content_type(struct fault_context *ctx, const struct value *v, void *plan)
{
	if (v->length > 0)
		return set_header(ctx, plan, "Content-Type", v->text);
	remove_header(plan, "Content-Type");
	return 0;
}

static int
edit_headers(struct fault_context *ctx, const struct value *v, void *plan)
{
	for (size_t i = 0; i + 1 < v->count; i += 2)
		if (set_header(ctx, plan, v->texts[i], v->texts[i + 1]) == -1)
			return -1;
	return 0;
}

static int
edit_add(struct fault_context *ctx, const struct value *v, void *plan)
{
	for (size_t i = 0; i + 1 < v->count; i += 2)
		if (add_header(ctx, plan, v->texts[i], v->texts[i + 1]) == -1)
			return -1;
	return 0;
}

static int
edit_remove(struct fault_context *ctx, const struct value *v, void *plan)
{
	(void)ctx;
	for (size_t i = 0; i < v->count; i++)
		remove_header(plan, v->texts[i]);
	return 0;
}

/* What the HTTP room will say by itself is not among the headers. */
static int
duplicate_framing(struct fault_context *ctx, struct reply *r, const char *name)
{
	char length[24];

	if (strcasecmp(name, "Connection") == 0) {
		r->close = true;
		return add_header(ctx, r, name,
		    r->connection != NULL ? r->connection : "close");
	}
	if (strcasecmp(name, "Transfer-Encoding") == 0 && r->chunked)
		return add_header(ctx, r, name, "chunked");
	if (strcasecmp(name, "Content-Length") == 0 &&
	    r->length != REPLY_LENGTH_ABSENT && !r->chunked) {
		snprintf(length, sizeof(length), "%lld",
		    r->length < 0 ? (long long)r->body.len :
				    (long long)r->length);
		return add_header(ctx, r, name, length);
	}
	return 0;
}

static int
edit_duplicate(struct fault_context *ctx, const struct value *v, void *plan)
{
	struct reply *r = plan;
	const char *there;
	int ret = 0;

	for (size_t i = 0; i < v->count && ret == 0; i++) {
		there = reply_header_value(r, v->texts[i]);
		ret = there != NULL ? add_header(ctx, r, v->texts[i], there) :
				      duplicate_framing(ctx, r, v->texts[i]);
	}
	return ret;
}

static int
edit_chunked(struct fault_context *ctx, const struct value *v, void *plan)
{
	struct reply *r = plan;

	(void)ctx;
	r->chunked = v->number != 0;
	return 0;
}

static int
edit_length(struct fault_context *ctx, const struct value *v, void *plan)
{
	struct reply *r = plan;

	(void)ctx;
	r->length = v->number;
	return 0;
}

static int
edit_length_off(struct fault_context *ctx, const struct value *v, void *plan)
{
	struct reply *r = plan;
	int64_t length = (int64_t)r->body.len + v->number;

	(void)ctx;
	r->length = length < 0 ? 0 : length;
	return 0;
}

static int
edit_version(struct fault_context *ctx, const struct value *v, void *plan)
{
	struct reply *r = plan;

	(void)ctx;
	r->version = v->number == 0 ? "HTTP/1.0" : NULL;
	return 0;
}

static int
edit_connection(struct fault_context *ctx, const struct value *v, void *plan)
{
	static const char *const says[] = {
		[SAY_KEEP_ALIVE] = "keep-alive",
		[SAY_CLOSE] = "close",
		[SAY_NOTHING] = "",
	};
	struct reply *r = plan;

	(void)ctx;
	r->connection = says[v->number];
	r->close = true;
	return 0;
}

static int
edit_reason(struct fault_context *ctx, const struct value *v, void *plan)
{
	struct reply *r = plan;

	(void)ctx;
	r->reason = v->text;
	return 0;
}

static const struct fault_kind kinds[] = {
	{ { "http.status", VALUE_STATUS, NULL, 100, 999,
	      "Answer with this status and the page that the layer has for it, "
	      "below 400 with an empty body; 500.0.1346 is for IIS's log" },
	    FAULT_ORDER, fault_always, order_status },
	{ { "http.as", VALUE_WORD, layers, 0, 0,
	      "Which layer gives the ordered answer, with its headers and its "
	      "log; by itself that of the page, else iis" },
	    FAULT_ORDER, is_network, order_as },
	{ { "http.page", VALUE_WORD, pages, 0, 0,
	      "Answer with this page; its status and layer unless http.status "
	      "and http.as say others" },
	    FAULT_ORDER, fault_always, order_page },
	{ { "http.body", VALUE_BODY, NULL, 0, BODY_MAX,
	      "Answer with this text as text/html, with status 200 unless said" },
	    FAULT_ORDER, fault_always, order_body },
	{ { "http.file", VALUE_FILE, NULL, 0, BODY_MAX,
	      "Answer with the content of this file as "
	      "application/octet-stream, with status 200 unless said" },
	    FAULT_ORDER, fault_always, order_file },
	{ { "http.redirect", VALUE_TEXT, NULL, 1, TEXT_MAX,
	      "Answer with this Location and IIS's \"Object Moved\", with "
	      "status 302 unless said" },
	    FAULT_ORDER, fault_always, order_redirect },
	{ { "http.reason", VALUE_TEXT, NULL, 0, TEXT_MAX,
	      "The reason phrase of the status line" },
	    FAULT_HTTP, NULL, edit_reason },
	{ { "http.content_type", VALUE_TEXT, NULL, 0, TEXT_MAX,
	      "Content-Type; empty: there is none" },
	    FAULT_HTTP, NULL, edit_content_type },
	{ { "http.headers", VALUE_PAIRS, NULL, 0, TEXTS_MAX,
	      "Set these headers, in place of those of the same name; "
	      "Connection: close ends the connection" },
	    FAULT_HTTP, NULL, edit_headers },
	{ { "http.remove", VALUE_TEXTS, NULL, 0, TEXTS_MAX,
	      "Leave out these headers" },
	    FAULT_HTTP, NULL, edit_remove },
	{ { "http.add", VALUE_PAIRS, NULL, 0, TEXTS_MAX,
	      "Append these headers, even if others have the same name" },
	    FAULT_HTTP, NULL, edit_add },
	{ { "http.chunked", VALUE_BOOL, NULL, 0, 0,
	      "Send the body in chunks, without Content-Length" },
	    FAULT_HTTP, NULL, edit_chunked },
	{ { "http.length", VALUE_NUMBER, lengths, 0, LENGTH_MAX,
	      "Content-Length says this, whatever the body is; a lie ends the "
	      "connection after the answer" },
	    FAULT_HTTP, NULL, edit_length },
	{ { "http.length_off", VALUE_NUMBER, NULL, -LENGTH_MAX, LENGTH_MAX,
	      "Content-Length is wrong by so many octets" },
	    FAULT_HTTP, NULL, edit_length_off },
	{ { "http.version", VALUE_WORD, versions, 0, 0,
	      "The version in the status line" },
	    FAULT_HTTP, NULL, edit_version },
	{ { "http.connection", VALUE_WORD, connections, 0, 0,
	      "What Connection says; the connection ends after the answer" },
	    FAULT_HTTP, NULL, edit_connection },
	{ { "http.duplicate", VALUE_TEXTS, NULL, 0, TEXTS_MAX,
	      "Send these headers twice; of Connection, with close unless "
	      "another word was set; others that are not there stay away" },
	    FAULT_HTTP, NULL, edit_duplicate },
};

const struct fault_section fault_http = FAULT_SECTION(kinds);
