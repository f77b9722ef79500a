/* Answers that a scenario orders, in the words of the layer it names. */
#include "stack/stack.h"

#include <stdlib.h>
#include <string.h>

/* What to say, before it is known who says it. */
struct words {
	char *type; /* of the body; NULL: none is said */
	struct blob body;
	const char *reason; /* of http.sys, for its log */
};

/* What one layer has answered, for another to say. */
static void
take_words(struct exchange *ex, struct words *out)
{
	const char *type = reply_header_value(&ex->reply, "Content-Type");

	out->type = type == NULL ? NULL : strdup(type);
	out->body = ex->reply.body;
	out->reason = ex->verdict.reason;
	ex->reply.body = (struct blob){ NULL, 0 };
	reply_clear(&ex->reply);
	ex->wire = (struct wire){ 0 };
}

struct row;
typedef void make_page(struct exchange *, const struct stack_state *,
    const struct ordered_answer *, const struct row *);
static make_page make_general, make_admin, make_iis, make_http_sys, make_proxy;

/* A page, as its layer gives it by itself. */
static const struct row {
	make_page *make;
	int which; /* for make() */
	enum layer layer;
	int status, substatus;
	uint32_t win32;
} rows[ORDERED_PAGES] = {
	[PAGE_GENERAL] = { make_general, 0, LAYER_MSCEP, 200, 0, 0 },
	[PAGE_ADMIN_PASSWORD] = { make_admin, CHALLENGE_MADE, LAYER_MSCEP, 200,
	    0, 0 },
	[PAGE_ADMIN_CACHE_FULL] = { make_admin, CHALLENGE_CACHE_FULL,
	    LAYER_MSCEP, 200, 0, 0 },
	[PAGE_ADMIN_NO_PERMISSION] = { make_admin, CHALLENGE_NO_PERMISSION,
	    LAYER_MSCEP, 200, 0, 0 },
	/* Anonymous: 401.2 and access denied (7.4 [C]). */
	[PAGE_401_STATIC] = { make_iis, IIS_FORM_STATIC, LAYER_IIS, 401, 2, 5 },
	[PAGE_403_STATIC] = { make_iis, IIS_FORM_STATIC, LAYER_IIS, 403, 0, 0 },
	[PAGE_403_DETAILED] = { make_iis, IIS_FORM_DETAILED, LAYER_IIS, 403, 0,
	    0 },
	[PAGE_404_STATIC] = { make_iis, IIS_FORM_STATIC, LAYER_IIS, 404, 0, 2 },
	[PAGE_404_DETAILED] = { make_iis, IIS_FORM_DETAILED, LAYER_IIS, 404, 0,
	    2 },
	[PAGE_404_15_DETAILED] = { make_iis, IIS_FORM_DETAILED, LAYER_IIS, 404,
	    15, 0 },
	[PAGE_405_STATIC] = { make_iis, IIS_FORM_STATIC, LAYER_IIS, 405, 0, 1 },
	[PAGE_406_STATIC] = { make_iis, IIS_FORM_STATIC, LAYER_IIS, 406, 0, 0 },
	[PAGE_412_STATIC] = { make_iis, IIS_FORM_STATIC, LAYER_IIS, 412, 0, 0 },
	[PAGE_413_PLAIN] = { make_iis, IIS_FORM_PLAIN, LAYER_IIS, 413, 1, 0 },
	[PAGE_500_STATIC] = { make_iis, IIS_FORM_STATIC, LAYER_IIS, 500, 0, 0 },
	[PAGE_500_DETAILED] = { make_iis, IIS_FORM_DETAILED, LAYER_IIS, 500, 0,
	    0 },
	[PAGE_500_PLAIN] = { make_iis, IIS_FORM_PLAIN, LAYER_IIS, 500, 0, 0 },
	[PAGE_501_STATIC] = { make_iis, IIS_FORM_STATIC, LAYER_IIS, 501, 0, 0 },
	[PAGE_502_STATIC] = { make_iis, IIS_FORM_STATIC, LAYER_IIS, 502, 0, 0 },
	[PAGE_SERVICE_UNAVAILABLE] = { make_http_sys,
	    HTTP_SYS_SERVICE_UNAVAILABLE, LAYER_HTTP_SYS, 503, 0, 0 },
	[PAGE_REQUEST_TOO_LONG] = { make_http_sys, HTTP_SYS_REQUEST_TOO_LONG,
	    LAYER_HTTP_SYS, 400, 0, 0 },
	[PAGE_INVALID_URL] = { make_http_sys, HTTP_SYS_INVALID_URL,
	    LAYER_HTTP_SYS, 400, 0, 0 },
	[PAGE_INVALID_HOSTNAME] = { make_http_sys, HTTP_SYS_INVALID_HOSTNAME,
	    LAYER_HTTP_SYS, 400, 0, 0 },
	[PAGE_NOT_FOUND] = { make_http_sys, HTTP_SYS_NOT_FOUND, LAYER_HTTP_SYS,
	    404, 0, 0 },
	[PAGE_INVALID_VERB] = { make_http_sys, HTTP_SYS_INVALID_VERB,
	    LAYER_HTTP_SYS, 400, 0, 0 },
	[PAGE_URL_TOO_LONG] = { make_http_sys, HTTP_SYS_URL_TOO_LONG,
	    LAYER_HTTP_SYS, 414, 0, 0 },
	[PAGE_GATEWAY_TIMEOUT] = { make_proxy, APP_PROXY_GATEWAY_TIMEOUT,
	    LAYER_APP_PROXY, 504, 0, 0 },
	[PAGE_NO_CONNECTORS] = { make_proxy, APP_PROXY_NO_CONNECTORS,
	    LAYER_APP_PROXY, 504, 0, 0 },
	[PAGE_BAD_GATEWAY] = { make_proxy, APP_PROXY_BAD_GATEWAY,
	    LAYER_APP_PROXY, 502, 0, 0 },
	[PAGE_PROXY_FORBIDDEN] = { make_proxy, APP_PROXY_FORBIDDEN,
	    LAYER_APP_PROXY, 403, 0, 0 },
	[PAGE_CONNECTOR_ERROR] = { make_proxy, APP_PROXY_CONNECTOR_ERROR,
	    LAYER_APP_PROXY, 500, 0, 0 },
};

static void
make_general(struct exchange *ex, const struct stack_state *state,
    const struct ordered_answer *order, const struct row *row)
{
	(void)order, (void)row;
	mscep_answer_general(ex, state);
}

/* Nothing is spent: the password is none that was ever given out. */
static void
make_admin(struct exchange *ex, const struct stack_state *state,
    const struct ordered_answer *order, const struct row *row)
{
	char password[CHALLENGE_SIZE] = "";

	memset(password, '0', 2 * (size_t)state->mscep.challenge.length);
	admin_page_answer(ex, state, (enum challenge_answer)row->which,
	    password, order->thumbprint != NULL ? order->thumbprint : "");
}

/* A detailed page shows the codes; those ordered, if they are its own. */
static void
make_iis(struct exchange *ex, const struct stack_state *state,
    const struct ordered_answer *order, const struct row *row)
{
	bool as_ordered = order->status == row->status;

	iis_answer_form(ex, state, (enum iis_form)row->which, LAYER_IIS,
	    row->status, as_ordered ? order->substatus : row->substatus,
	    as_ordered ? order->win32 : row->win32);
}

static void
make_http_sys(struct exchange *ex, const struct stack_state *state,
    const struct ordered_answer *order, const struct row *row)
{
	(void)state, (void)order;
	http_sys_answer(ex, (enum http_sys_refusal)row->which);
}

static void
make_proxy(struct exchange *ex, const struct stack_state *state,
    const struct ordered_answer *order, const struct row *row)
{
	(void)state, (void)order;
	app_proxy_answer(ex, (enum app_proxy_page)row->which);
}

/* The error page that a layer has for this status; no error, no page. */
static void
make_by_status(struct exchange *ex, const struct stack_state *state,
    const struct verdict *v)
{
	if (v->status < 400)
		return;
	if (v->layer == LAYER_HTTP_SYS)
		http_sys_answer_status(ex, v->status);
	else if (v->layer == LAYER_APP_PROXY)
		app_proxy_answer_status(ex, v->status);
	else
		iis_answer(ex, state, v->layer, v->status, v->substatus,
		    v->win32);
}

static void
find_words(struct exchange *ex, const struct stack_state *state,
    const struct ordered_answer *order, const struct verdict *v,
    struct words *out)
{
	const struct row *row = &rows[order->page];

	*out = (struct words){ 0 };
	if (order->has_body) {
		blob_copy(&out->body, order->body);
		if (order->content_type != NULL)
			out->type = strdup(order->content_type);
		return;
	}
	if (order->location != NULL) {
		iis_build_moved(order->location, &out->body);
		out->type = strdup(IIS_MOVED_TYPE);
		return;
	}
	if (row->make != NULL)
		row->make(ex, state, order, row);
	else
		make_by_status(ex, state, v);
	take_words(ex, out);
}

/* Who answers, and with which status. */
static struct verdict
judge(const struct ordered_answer *order)
{
	const struct row *row = &rows[order->page];
	struct verdict v = { .layer = order->as };

	if (v.layer == LAYER_NONE)
		v.layer = row->layer != LAYER_NONE ? row->layer : LAYER_IIS;
	if (order->status != 0) {
		v.status = order->status;
		v.substatus = order->substatus;
		v.win32 = order->win32;
	} else if (order->location != NULL) {
		v.status = 302;
	} else if (order->has_body) {
		v.status = 200;
	} else {
		v.status = row->status;
		v.substatus = row->substatus;
		v.win32 = row->win32;
	}
	return v;
}

static void
say(struct exchange *ex, const struct stack_state *state,
    const struct verdict *v, const struct words *w)
{
	if (v->layer == LAYER_HTTP_SYS) {
		http_sys_send(ex, v->status,
		    w->reason != NULL ? w->reason : http_sys_reason(v->status),
		    w->type, w->body);
	} else if (v->layer == LAYER_APP_PROXY) {
		app_proxy_send(ex, v->status, w->type, w->body);
	} else {
		exchange_answer(ex, v->layer, v->status, v->substatus,
		    v->win32);
		iis_send(ex, state, w->type, w->body);
	}
}

void
stack_answer_ordered(struct exchange *ex, const struct stack_state *state,
    const struct ordered_answer *order)
{
	struct verdict v = judge(order);
	struct words words;

	reply_clear(&ex->reply);
	ex->wire = (struct wire){ 0 };
	ex->verdict = (struct verdict){ 0 };
	if (v.status == 0 || v.layer == LAYER_NETWORK) {
		exchange_answer(ex, LAYER_NETWORK, 0, 0, 0);
		return;
	}
	find_words(ex, state, order, &v, &words);
	if (order->location != NULL)
		reply_header(&ex->reply, "Location", "%s", order->location);
	say(ex, state, &v, &words);
	free(words.type);
}
