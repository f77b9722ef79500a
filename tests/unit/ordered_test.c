/* Answers that a scenario orders: whose words, headers and log lines. */
#include "unit/edit_text.h"

#include "evidence/evidence.h"
#include "stack/stack.h"

#define SERVICE "/certsrv/mscep/mscep.dll"
#define THUMBPRINT "A656FA66 AB12B433 A2DA5CF7 CC153D9A"
#define IIS_HEADERS "Content-Type Server X-Powered-By Date"
#define IIS_MOVED "Location " IIS_HEADERS
#define IIS_EMPTY "Server X-Powered-By Date"
#define KERNEL_HEADERS "Content-Type Server Date"
#define PROXY_HEADERS "Content-Type Date"
#define KERNEL_TYPE "text/html; charset=us-ascii"
#define STATIC "text/html"
#define DETAILED "text/html; charset=utf-8"

static const struct ordered {
	const char *row;
	struct edit edits[4];
	enum layer layer;
	int status, substatus;
	uint32_t win32;
	const char *headers, *type;
	size_t size; /* 0: any but none */
	const char *words;
	const char *iis, *httperr; /* what its line ends in; NULL: no line */
} ordereds[] = {
	/* Status and layer. */
	{ "a status", { { "http.status", "503" } }, LAYER_IIS, 503, 0, 0,
	    IIS_HEADERS, STATIC, 0, "The page cannot be displayed.",
	    "503 0 0 7", NULL },
	{ "a whole triple", { { "http.status", "500.0.1346" } }, LAYER_IIS, 500,
	    0, 1346, IIS_HEADERS, STATIC, 0, "500 - Internal server error.",
	    "500 0 1346 7", NULL },
	{ "the detailed page of the article", { { "http.status", "403" } },
	    LAYER_IIS, 403, 0, 0, IIS_HEADERS, DETAILED, 0,
	    "HTTP Error 403.0 - Forbidden", "403 0 0 7", NULL },
	{ "the article has no other in detail",
	    { { "http.status", "403.16.2148204809" } }, LAYER_IIS, 403, 16,
	    2148204809, IIS_HEADERS, STATIC, 0,
	    "403 - Forbidden: Access is denied.", "403 16 2148204809 7", NULL },
	{ "an empty 200", { { "http.status", "200" } }, LAYER_IIS, 200, 0, 0,
	    IIS_EMPTY, NULL, SIZE_MAX, "", "200 0 0 7", NULL },
	{ "of mscep.dll", { { "http.status", "500" }, { "http.as", "mscep" } },
	    LAYER_MSCEP, 500, 0, 0, IIS_HEADERS, STATIC, 0,
	    "500 - Internal server error.", "500 0 0 7", NULL },
	{ "of IIS, said so",
	    { { "http.as", "iis" }, { "http.status", "404.15" } }, LAYER_IIS,
	    404, 15, 0, IIS_HEADERS, STATIC, 0, "404 - File or directory",
	    "404 15 0 7", NULL },
	{ "of http.sys",
	    { { "http.status", "503" }, { "http.as", "http-sys" } },
	    LAYER_HTTP_SYS, 503, 0, 0, KERNEL_HEADERS, KERNEL_TYPE, 326,
	    "HTTP Error 503. The service is unavailable.", NULL,
	    "- 503 1 AppOffline SCEP" },
	{ "of http.sys, which has no such page",
	    { { "http.status", "500" }, { "http.as", "http-sys" } },
	    LAYER_HTTP_SYS, 500, 0, 0, KERNEL_HEADERS, KERNEL_TYPE, 0,
	    "HTTP Error 500.", NULL, "- 500 - Internal -" },
	{ "of http.sys, which blames the client",
	    { { "http.status", "409" }, { "http.as", "http-sys" } },
	    LAYER_HTTP_SYS, 409, 0, 0, KERNEL_HEADERS, KERNEL_TYPE, 0,
	    "HTTP Error 409.", NULL, "- 409 - BadRequest -" },
	{ "an empty 200 of http.sys",
	    { { "http.status", "200" }, { "http.as", "http-sys" } },
	    LAYER_HTTP_SYS, 200, 0, 0, "Server Date", NULL, SIZE_MAX, "", NULL,
	    "- 200 - - -" },
	{ "of the application proxy",
	    { { "http.status", "502" }, { "http.as", "app-proxy" } },
	    LAYER_APP_PROXY, 502, 0, 0, PROXY_HEADERS, DETAILED, 0,
	    "BadGateway: This corporate app can't be accessed.", NULL, NULL },
	{ "of the application proxy, which has no such page",
	    { { "http.status", "429" }, { "http.as", "app-proxy" } },
	    LAYER_APP_PROXY, 429, 0, 0, PROXY_HEADERS, DETAILED, 0,
	    "Too Many Requests This corporate app can't be accessed", NULL,
	    NULL },
	{ "nothing at all", { { "http.as", "network" } }, LAYER_NETWORK, 0, 0,
	    0, "", NULL, SIZE_MAX, "", NULL, NULL },
	{ "nothing at all, whatever the status",
	    { { "http.as", "network" }, { "http.status", "500" } },
	    LAYER_NETWORK, 0, 0, 0, "", NULL, SIZE_MAX, "", NULL, NULL },
	{ "a 401 says how", { { "http.status", "401.2.5" } }, LAYER_IIS, 401, 2,
	    5, IIS_HEADERS, STATIC, 0, "401 - Unauthorized", "401 2 5 7",
	    NULL },
	{ "a 405 says what is", { { "http.status", "405.0.1" } }, LAYER_IIS,
	    405, 0, 1, "Allow " IIS_HEADERS, STATIC, 0, "405 - HTTP verb",
	    "405 0 1 7", NULL },
	/* Literal ones. */
	{ "a text", { { "http.body", "hello" } }, LAYER_IIS, 200, 0, 0,
	    IIS_HEADERS, STATIC, 5, "hello", "200 0 0 7", NULL },
	{ "an empty text", { { "http.body", "" } }, LAYER_IIS, 200, 0, 0,
	    IIS_HEADERS, STATIC, SIZE_MAX, "", "200 0 0 7", NULL },
	{ "a text with a status",
	    { { "http.body", "hello" }, { "http.status", "404" } }, LAYER_IIS,
	    404, 0, 0, IIS_HEADERS, STATIC, 5, "hello", "404 0 0 7", NULL },
	{ "a text of http.sys",
	    { { "http.body", "hello" }, { "http.as", "http-sys" },
		{ "http.status", "400" } },
	    LAYER_HTTP_SYS, 400, 0, 0, KERNEL_HEADERS, STATIC, 5, "hello", NULL,
	    "- 400 - FieldLength -" },
	{ "a text of the application proxy",
	    { { "http.body", "hello" }, { "http.as", "app-proxy" } },
	    LAYER_APP_PROXY, 200, 0, 0, PROXY_HEADERS, STATIC, 5, "hello", NULL,
	    NULL },
	{ "a file", { { "http.file", "0\x82" } }, LAYER_IIS, 200, 0, 0,
	    IIS_HEADERS, "application/octet-stream", 2, "0\x82", "200 0 0 7",
	    NULL },
	{ "a redirect", { { "http.redirect", "http://x/?a&b" } }, LAYER_IIS,
	    302, 0, 0, IIS_MOVED, "text/html; charset=UTF-8", 0,
	    "<h1>Object Moved</h1>This document may be found "
	    "<a HREF=\"http://x/?a&amp;b\">here</a>",
	    "302 0 0 7", NULL },
	{ "a redirect for good",
	    { { "http.redirect", "/y" }, { "http.status", "308" } }, LAYER_IIS,
	    308, 0, 0, IIS_MOVED, "text/html; charset=UTF-8", 0,
	    "<a HREF=\"/y\">here</a>", "308 0 0 7", NULL },
	/* Every page. */
	{ "general", { { "http.page", "general" } }, LAYER_MSCEP, 200, 0, 0,
	    IIS_HEADERS, STATIC, 0, "allows you to obtain certificates",
	    "200 0 0 7", NULL },
	{ "admin-password", { { "http.page", "admin-password" } }, LAYER_MSCEP,
	    200, 0, 0, IIS_HEADERS, STATIC, 0,
	    THUMBPRINT " </B> </P><P> The enrollment challenge password is: "
		       "<B> 0000000000000000 </B>",
	    "200 0 0 7", NULL },
	{ "admin-cache-full", { { "http.page", "admin-cache-full" } },
	    LAYER_MSCEP, 200, 0, 0, IIS_HEADERS, STATIC, 0,
	    "The password cache is full.", "200 0 0 7", NULL },
	{ "admin-no-permission", { { "http.page", "admin-no-permission" } },
	    LAYER_MSCEP, 200, 0, 0, IIS_HEADERS, STATIC, 0,
	    "You do not have sufficient permission to enroll with SCEP.  "
	    "Please contact your system administrator.",
	    "200 0 0 7", NULL },
	{ "401-static", { { "http.page", "401-static" } }, LAYER_IIS, 401, 2, 5,
	    IIS_HEADERS, STATIC, 0,
	    "<h2>401 - Unauthorized: Access is denied due to invalid "
	    "credentials.</h2>",
	    "401 2 5 7", NULL },
	{ "403-static", { { "http.page", "403-static" } }, LAYER_IIS, 403, 0, 0,
	    IIS_HEADERS, STATIC, 0, "<h2>403 - Forbidden: Access is denied.</",
	    "403 0 0 7", NULL },
	{ "403-detailed", { { "http.page", "403-detailed" } }, LAYER_IIS, 403,
	    0, 0, IIS_HEADERS, DETAILED, 0,
	    "<title>IIS 10.0 Detailed Error - 403.0 - Forbidden</title>",
	    "403 0 0 7", NULL },
	{ "404-static", { { "http.page", "404-static" } }, LAYER_IIS, 404, 0, 2,
	    IIS_HEADERS, STATIC, 0, "<h2>404 - File or directory not found.</",
	    "404 0 2 7", NULL },
	{ "404-detailed", { { "http.page", "404-detailed" } }, LAYER_IIS, 404,
	    0, 2, IIS_HEADERS, DETAILED, 0,
	    "<title>IIS 10.0 Detailed Error - 404.0 - Not Found</title>",
	    "404 0 2 7", NULL },
	{ "404.15-detailed", { { "http.page", "404.15-detailed" } }, LAYER_IIS,
	    404, 15, 0, IIS_HEADERS, DETAILED, 0,
	    "requestFiltering/requestLimits@maxQueryString setting",
	    "404 15 0 7", NULL },
	{ "405-static", { { "http.page", "405-static" } }, LAYER_IIS, 405, 0, 1,
	    "Allow " IIS_HEADERS, STATIC, 0, "<h2>405 - HTTP verb used to",
	    "405 0 1 7", NULL },
	{ "406-static", { { "http.page", "406-static" } }, LAYER_IIS, 406, 0, 0,
	    IIS_HEADERS, STATIC, 0, "<h2>406 - Client browser does not",
	    "406 0 0 7", NULL },
	{ "412-static", { { "http.page", "412-static" } }, LAYER_IIS, 412, 0, 0,
	    IIS_HEADERS, STATIC, 0, "<h2>412 - Precondition set by the client",
	    "412 0 0 7", NULL },
	{ "413-plain", { { "http.page", "413-plain" } }, LAYER_IIS, 413, 1, 0,
	    IIS_HEADERS, STATIC, 67,
	    "The page was not displayed because the request entity is too "
	    "large.",
	    "413 1 0 7", NULL },
	{ "500-static", { { "http.page", "500-static" } }, LAYER_IIS, 500, 0, 0,
	    IIS_HEADERS, STATIC, 0, "<h2>500 - Internal server error.</h2>",
	    "500 0 0 7", NULL },
	{ "500-detailed", { { "http.page", "500-detailed" } }, LAYER_IIS, 500,
	    0, 0, IIS_HEADERS, DETAILED, 0,
	    "<title>IIS 10.0 Detailed Error - 500.0 - Internal Server Error</",
	    "500 0 0 7", NULL },
	{ "500-plain", { { "http.page", "500-plain" } }, LAYER_IIS, 500, 0, 0,
	    IIS_HEADERS, STATIC, 75,
	    "The page cannot be displayed because an internal server error "
	    "has occurred.",
	    "500 0 0 7", NULL },
	{ "501-static", { { "http.page", "501-static" } }, LAYER_IIS, 501, 0, 0,
	    IIS_HEADERS, STATIC, 0, "<h2>501 - Header values specify",
	    "501 0 0 7", NULL },
	{ "502-static", { { "http.page", "502-static" } }, LAYER_IIS, 502, 0, 0,
	    IIS_HEADERS, STATIC, 0,
	    "<h2>502 - Web server received an invalid response while acting "
	    "as a gateway or proxy server.</h2>",
	    "502 0 0 7", NULL },
	{ "service-unavailable", { { "http.page", "service-unavailable" } },
	    LAYER_HTTP_SYS, 503, 0, 0, KERNEL_HEADERS, KERNEL_TYPE, 326,
	    "<hr><p>HTTP Error 503. The service is unavailable.</p>", NULL,
	    "- 503 1 AppOffline SCEP" },
	{ "request-too-long", { { "http.page", "request-too-long" } },
	    LAYER_HTTP_SYS, 400, 0, 0, KERNEL_HEADERS, KERNEL_TYPE, 346,
	    "<h2>Bad Request - Request Too Long</h2>", NULL,
	    "- 400 - RequestLength -" },
	{ "invalid-url", { { "http.page", "invalid-url" } }, LAYER_HTTP_SYS,
	    400, 0, 0, KERNEL_HEADERS, KERNEL_TYPE, 324,
	    "<h2>Bad Request - Invalid URL</h2>", NULL, "- 400 - URL -" },
	{ "invalid-hostname", { { "http.page", "invalid-hostname" } },
	    LAYER_HTTP_SYS, 400, 0, 0, KERNEL_HEADERS, KERNEL_TYPE, 334,
	    "<h2>Bad Request - Invalid Hostname</h2>", NULL,
	    "- 400 - Hostname -" },
	{ "not-found", { { "http.page", "not-found" } }, LAYER_HTTP_SYS, 404, 0,
	    0, KERNEL_HEADERS, KERNEL_TYPE, 315,
	    "<hr><p>HTTP Error 404. The requested resource is not found.</p>",
	    NULL, "- 404 - NotFound -" },
	{ "invalid-verb", { { "http.page", "invalid-verb" } }, LAYER_HTTP_SYS,
	    400, 0, 0, KERNEL_HEADERS, KERNEL_TYPE, 326,
	    "<h2>Bad Request - Invalid Verb</h2>", NULL, "- 400 - Verb -" },
	{ "url-too-long", { { "http.page", "url-too-long" } }, LAYER_HTTP_SYS,
	    414, 0, 0, KERNEL_HEADERS, KERNEL_TYPE, 329,
	    "<h2>Request URL Too Long</h2>", NULL, "- 414 - URL_Length -" },
	{ "gateway-timeout", { { "http.page", "gateway-timeout" } },
	    LAYER_APP_PROXY, 504, 0, 0, PROXY_HEADERS, DETAILED, 0,
	    "GatewayTimeout: The corporate app cannot be accessed", NULL,
	    NULL },
	{ "no-connectors", { { "http.page", "no-connectors" } },
	    LAYER_APP_PROXY, 504, 0, 0, PROXY_HEADERS, DETAILED, 0,
	    "This application is associated with a connector group that "
	    "contains no connectors. Make sure to add connectors to this group "
	    "for the application to be available.",
	    NULL, NULL },
	{ "bad-gateway", { { "http.page", "bad-gateway" } }, LAYER_APP_PROXY,
	    502, 0, 0, PROXY_HEADERS, DETAILED, 0,
	    "Connection to the server failed. For more details, check the "
	    "Application Proxy Connector Event Log",
	    NULL, NULL },
	{ "proxy-forbidden", { { "http.page", "proxy-forbidden" } },
	    LAYER_APP_PROXY, 403, 0, 0, PROXY_HEADERS, DETAILED, 0,
	    "Forbidden: This corporate app can't be accessed", NULL, NULL },
	{ "connector-error", { { "http.page", "connector-error" } },
	    LAYER_APP_PROXY, 500, 0, 0, PROXY_HEADERS, DETAILED, 0,
	    "InternalServerError: This corporate app can\u2019t be accessed "
	    "right now. Please try again later\u2026",
	    NULL, NULL },
	/* Pages with another status, and of another layer. */
	{ "a page of an error with 200 (quirk 32)",
	    { { "http.page", "404-static" }, { "http.status", "200" } },
	    LAYER_IIS, 200, 0, 0, IIS_HEADERS, STATIC, 0,
	    "<h2>404 - File or directory not found.</", "200 0 0 7", NULL },
	{ "a detailed page keeps its numbers under another status",
	    { { "http.page", "403-detailed" }, { "http.status", "500" } },
	    LAYER_IIS, 500, 0, 0, IIS_HEADERS, DETAILED, 0,
	    "HTTP Error 403.0 - Forbidden", "500 0 0 7", NULL },
	{ "a detailed page shows a code of its own status",
	    { { "http.page", "500-detailed" }, { "http.status", "500.19.13" } },
	    LAYER_IIS, 500, 19, 13, IIS_HEADERS, DETAILED, 0,
	    "<td>0x8007000d</td>", "500 19 13 7", NULL },
	{ "a page of http.sys with another status",
	    { { "http.page", "url-too-long" }, { "http.status", "400" } },
	    LAYER_HTTP_SYS, 400, 0, 0, KERNEL_HEADERS, KERNEL_TYPE, 329,
	    "<h2>Request URL Too Long</h2>", NULL, "- 400 - URL_Length -" },
	{ "a page of mscep.dll, said by the application proxy",
	    { { "http.page", "403-static" }, { "http.as", "app-proxy" } },
	    LAYER_APP_PROXY, 403, 0, 0, PROXY_HEADERS, STATIC, 0,
	    "<h2>403 - Forbidden: Access is denied.</", NULL, NULL },
	{ "a page of http.sys, said by IIS",
	    { { "http.page", "service-unavailable" }, { "http.as", "iis" } },
	    LAYER_IIS, 503, 0, 0, IIS_HEADERS, KERNEL_TYPE, 326,
	    "HTTP Error 503. The service is unavailable.", "503 0 0 7", NULL },
};

/* Of NDES's pages every second octet is zero. */
static bool
has_words(const struct exchange *ex, const char *words)
{
	struct buffer text = { 0 };
	bool found;

	for (size_t i = 0; i < ex->reply.body.len; i++)
		if (ex->reply.body.data[i] != 0)
			buffer_add_byte(&text, ex->reply.body.data[i]);
	buffer_add_byte(&text, 0);
	found = strstr((char *)text.data, words) != NULL;
	buffer_free(&text);
	return found;
}

static void
must_end_in(struct buffer *line, const char *wanted)
{
	size_t len = strlen(wanted);

	buffer_add_byte(line, 0);
	assert_in_range(len, 1, line->len);
	assert_string_equal((char *)line->data + line->len - 1 - len, wanted);
	buffer_free(line);
}

/* The lines of the two logs, or that there is none. */
static void
check_logs(const struct exchange *ex, const struct ordered *t)
{
	static const struct iis_log_form form = { .version = "10.0",
		.referer = true };
	struct buffer line = { 0 };

	assert_int_equal(iis_log_wants(ex), t->iis != NULL);
	assert_int_equal(httperr_wants(ex), t->httperr != NULL);
	if (t->iis != NULL) {
		iis_log_line(ex, &form, &line);
		must_end_in(&line, t->iis);
	}
	if (t->httperr != NULL) {
		httperr_line(ex, &form, &line);
		must_end_in(&line, t->httperr);
	}
}

/* After a healthy answer of which nothing may be left. */
static void
order(struct exchange *ex, const struct edit *edits)
{
	struct error err = { 0 };
	struct fault_context ctx = { .exchange = ex, .err = &err };
	struct ordered_answer plan = { 0 };
	struct stack_state s;
	struct edits done;

	stack_healthy(&s);
	exchange_make(ex, "GET", SERVICE "?operation=GetCACaps");
	exchange_header(ex, "Host", "ndes");
	ex->duration_ms = 7;
	mscep_answer_general(ex, &s);
	reply_header(&ex->reply, "X-Honest", "yes");
	ex->wire.delay_ms = 1;
	done = edits_apply(edits, &ctx, FAULT_ORDER, &plan);
	plan.thumbprint = THUMBPRINT;
	stack_answer_ordered(ex, &s, &plan);
	edits_clear(&done);
}

static void
answers(void **state)
{
	const struct ordered *t = *state;
	struct exchange ex;

	order(&ex, t->edits);
	exchange_must_say(&ex, t->layer, t->status, t->substatus, t->win32);
	exchange_must_have_headers(&ex, t->headers);
	if (t->type != NULL)
		exchange_must_have_header(&ex, "Content-Type", t->type);
	exchange_must_be_measured(&ex);
	if (t->size == 0)
		assert_in_range(ex.reply.body.len, 1, 100000);
	else
		assert_int_equal(ex.reply.body.len,
		    t->size == SIZE_MAX ? 0 : t->size);
	if (!has_words(&ex, t->words))
		fail_msg("\"%s\" is not in:\n%.*s", t->words,
		    (int)ex.reply.body.len, (char *)ex.reply.body.data);
	assert_int_equal(ex.wire.exact, t->layer == LAYER_HTTP_SYS);
	assert_int_equal(ex.wire.delay_ms, 0);
	check_logs(&ex, t);
	exchange_clear(&ex);
}

/* 6.7: the markup is ours, and says so. */
static void
synthetic(void **state)
{
	struct exchange ex;

	(void)state;
	order(&ex,
	    (const struct edit[]){ { "http.page", "bad-gateway" }, { 0 } });
	assert_true(has_words(&ex, "synthetic"));
	exchange_clear(&ex);
}

static void
permission_event(void **state)
{
	struct exchange ex;

	(void)state;
	order(&ex,
	    (const struct edit[]){ { "http.page", "admin-no-permission" },
		{ 0 } });
	assert_non_null(ex.events);
	assert_int_equal(ex.events->id, 6);
	exchange_clear(&ex);
}

static void
phrase(void **state)
{
	struct exchange ex;

	(void)state;
	order(&ex,
	    (const struct edit[]){ { "http.page", "url-too-long" }, { 0 } });
	assert_string_equal(ex.reply.reason, "Request URL Too Long");
	exchange_clear(&ex);
	order(&ex, (const struct edit[]){ { "http.status", "414" }, { 0 } });
	assert_null(ex.reply.reason);
	exchange_clear(&ex);
}

/* Beside a wire fault that answers in its place. */
static void
no_order(void **state)
{
	struct exchange ex;

	(void)state;
	order(&ex, (const struct edit[]){ { 0 } });
	exchange_must_say(&ex, LAYER_NETWORK, 0, 0, 0);
	exchange_clear(&ex);
	order(&ex, (const struct edit[]){ { "http.as", "iis" }, { 0 } });
	exchange_must_say(&ex, LAYER_NETWORK, 0, 0, 0);
	exchange_clear(&ex);
}

static bool
has_row(const char *key, const char *word)
{
	if (edit_kind(key)->stages != FAULT_ORDER)
		return true;
	for (size_t i = 0; i < sizeof(ordereds) / sizeof(ordereds[0]); i++)
		for (const struct edit *e = ordereds[i].edits; e->key != NULL;
		     e++)
			if (strcmp(e->key, key) == 0 &&
			    (word == NULL || strcmp(e->value, word) == 0))
				return true;
	return false;
}

static void
all_have_rows(void **state)
{
	(void)state;
	edits_must_have_rows("http.", has_row);
}

/* Each page has a word, each word a page. */
static void
all_pages(void **state)
{
	const struct word *words = edit_kind("http.page")->key.words;
	bool seen[ORDERED_PAGES] = { [PAGE_BY_STATUS] = true };

	(void)state;
	for (const struct word *w = words; w->text != NULL; w++) {
		assert_in_range(w->value, 1, ORDERED_PAGES - 1);
		assert_false(seen[w->value]);
		seen[w->value] = true;
	}
	for (int i = 0; i < ORDERED_PAGES; i++)
		assert_true(seen[i]);
}

/* Which keys answer in place of the server. */
static void
instead(void **state)
{
	static const struct {
		const char *key, *value;
		bool instead;
	} rows[] = {
		{ "http.status", "200", true },
		{ "http.page", "general", true },
		{ "http.body", "", true },
		{ "http.file", "", true },
		{ "http.redirect", "/", true },
		{ "http.as", "network", true },
		{ "http.as", "iis", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct fault_kind *k = edit_kind(rows[i].key);
		struct value v = edit_value(&k->key, rows[i].value);

		assert_int_equal(k->instead(&v), rows[i].instead);
		value_clear(&v);
	}
}

int
main(void)
{
	static const struct table tables[] = {
		ROWS(answers, ordereds),
		ONE(synthetic, "pages of the application proxy are synthetic"),
		ONE(permission_event, "a page leaves its event"),
		ONE(phrase, "http.sys has a phrase of its own for 414"),
		ONE(no_order, "nothing ordered is silence"),
		ONE(all_have_rows, "every key and word has a row here"),
		ONE(all_pages, "every page has one word"),
		ONE(instead, "what answers in the server's place"),
	};

	return ROWS_RUN(tables, NULL, NULL);
}
