/* The application proxy in front of NDES: what it says in NDES's place. */
#include "stack/stack.h"

#include <stdio.h>

#define CANNOT "This corporate app can't be accessed"

/* ndes-facts 6.7 */
static const struct page {
	int status;
	const char *title, *text, *more;
} pages[] = {
	[APP_PROXY_GATEWAY_TIMEOUT] = { 504,
	    "GatewayTimeout:", "The corporate app cannot be accessed", NULL },
	[APP_PROXY_NO_CONNECTORS] = { 504,
	    "GatewayTimeout:", "The corporate app cannot be accessed",
	    "This application is associated with a connector group that "
	    "contains no connectors. Make sure to add connectors to this group "
	    "for the application to be available." },
	[APP_PROXY_BAD_GATEWAY] = { 502, "BadGateway:", CANNOT ".",
	    "Connection to the server failed. For more details, check the "
	    "Application Proxy Connector Event Log" },
	[APP_PROXY_FORBIDDEN] = { 403, "Forbidden:", CANNOT, NULL },
	[APP_PROXY_CONNECTOR_ERROR] = { 500, "InternalServerError:",
	    "This corporate app can\u2019t be accessed right now. Please try "
	    "again later\u2026",
	    "ConnectorError:Unauthorized." },
};

void
app_proxy_send(struct exchange *ex, int status, const char *content_type,
    struct blob body)
{
	char date[CLOCK_HTTP_SIZE];

	exchange_answer(ex, LAYER_APP_PROXY, status, 0, 0);
	ex->reply.body = body;
	if (content_type != NULL)
		reply_header(&ex->reply, "Content-Type", "%s", content_type);
	reply_header(&ex->reply, "Date", "%s", clock_http_date(ex->at, date));
}

static void
send_page(struct exchange *ex, const struct page *p)
{
	struct buffer b = { 0 };
	struct blob body;

	buffer_printf(&b,
	    "<!DOCTYPE html>\n<!-- synthetic: the real markup is unknown -->\n"
	    "<html><head><title>%s %s</title></head>\n"
	    "<body><h1>%s %s</h1>\n",
	    p->title, p->text, p->title, p->text);
	if (p->more != NULL)
		buffer_printf(&b, "<p>%s</p>\n", p->more);
	buffer_add_text(&b, "</body></html>\n");
	buffer_finish(&b, &body);
	app_proxy_send(ex, p->status, "text/html; charset=utf-8", body);
}

void
app_proxy_answer(struct exchange *ex, enum app_proxy_page page)
{
	send_page(ex, &pages[page]);
}

void
app_proxy_answer_status(struct exchange *ex, int status)
{
	const struct page other = { status, reason_phrase(status), CANNOT,
		NULL };

	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
		if (pages[i].status == status) {
			send_page(ex, &pages[i]);
			return;
		}
	send_page(ex, &other);
}

/* An external URL that is wrong leads to nobody: there is no HTTP at all. */
static void
leave_unanswered(struct exchange *ex)
{
	exchange_answer(ex, LAYER_NETWORK, 0, 0, 0);
	ex->wire.is_cut = true;
	ex->wire.end = WIRE_END_CLOSE;
}

void
app_proxy_pass(struct exchange *ex, const struct stack_state *state)
{
	if (state->app_proxy.external_url == EXTERNAL_URL_WRONG)
		leave_unanswered(ex);
	else if (state->app_proxy.connector_service == SERVICE_STOPPED)
		app_proxy_answer(ex, APP_PROXY_GATEWAY_TIMEOUT);
	else if (state->app_proxy.back_end == BACK_END_UNREACHABLE)
		app_proxy_answer(ex, APP_PROXY_BAD_GATEWAY);
}

/* Whether the first octet, as far as it can be told, comes after that. */
static bool
is_late(const struct wire *w, int64_t ms)
{
	bool is_mute = w->is_cut && w->end == WIRE_END_HANG &&
	    (w->cut_at == 0 || w->cut_at == WIRE_HALF_HEAD);

	return w->delay_ms > ms ||
	    (is_mute && (w->hang_ms == 0 || w->delay_ms + w->hang_ms > ms));
}

/* Whether the proxy had a request for NDES that it waits for. */
static bool
is_waiting(const struct exchange *ex, const struct stack_state *state)
{
	return state->app_proxy.back_end_timeout > 0 &&
	    state->network.device == DEVICE_REACHES &&
	    state->app_proxy.external_url == EXTERNAL_URL_DEFAULT_DOMAIN &&
	    ex->verdict.layer != LAYER_APP_PROXY &&
	    ex->verdict.layer != LAYER_MOCK;
}

bool
app_proxy_pass_answer(struct exchange *ex, const struct stack_state *state)
{
	const int64_t seconds = state->app_proxy.back_end_timeout;
	const struct verdict of_server = ex->verdict;

	if (!is_waiting(ex, state) || !is_late(&ex->wire, seconds * 1000))
		return false;
	reply_clear(&ex->reply);
	ex->wire = (struct wire){ .delay_ms = seconds * 1000 };
	app_proxy_answer(ex, APP_PROXY_GATEWAY_TIMEOUT);
	ex->verdict = of_server;
	if (ex->scep.why[0] == '\0')
		snprintf(ex->scep.why, sizeof(ex->scep.why),
		    "the application proxy did not wait longer than %llds",
		    (long long)seconds);
	return true;
}
