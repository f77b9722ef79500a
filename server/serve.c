/* The whole way of one request, on one page. */
#include "serve.h"

#include <string.h>
#include <time.h>

#include "pki_operation.h"

static void
answer_bare_url(struct exchange *ex)
{
	policy_module_pass(ex, &ex->snapshot->state);
	if (!exchange_is_answered(ex))
		mscep_answer_general(ex, &ex->snapshot->state);
}

static void
answer_next_ca(struct exchange *ex)
{
	const struct snapshot *s = ex->snapshot;
	struct credentials *next = NULL;
	struct error err = { 0 };

	if (site_next_ca(ex, &next, &err) == 0)
		mscep_answer_next_ca(ex, &s->state, s->credentials, next);
	else
		answer_bare_url(ex);
	credentials_free(next);
}

static void
answer_admin(struct exchange *ex)
{
	const struct snapshot *s = ex->snapshot;
	char password[CHALLENGE_SIZE] = "";
	enum challenge_answer answer;

	/* Nobody sees the page of a HEAD: it must not cost a password. */
	if (strcmp(ex->request.method, "HEAD") == 0 &&
	    challenge_costs(&s->state)) {
		memset(password, '0',
		    2 * (size_t)s->state.mscep.challenge.length);
		answer = CHALLENGE_MADE;
	} else {
		answer = site_make_challenge(ex, password);
	}

	admin_page_answer(ex, &s->state, answer, password,
	    s->credentials->thumbprint);
}

/* What an edit could not do is an error of the server. */
static bool
edit(struct exchange *ex, enum fault_stage stage, void *plan)
{
	if (site_edit(ex, stage, plan) == 0)
		return true;
	iis_answer(ex, &ex->snapshot->state, LAYER_MSCEP, 500, 0, 14);
	return false;
}

static void
answer_caps(struct exchange *ex)
{
	const struct stack_state *state = &ex->snapshot->state;
	struct scep_caps caps;

	mscep_plan_caps(state, &caps);
	if (edit(ex, FAULT_CAPS, &caps))
		mscep_answer_caps(ex, state, &caps);
}

static void
answer_ca_cert(struct exchange *ex)
{
	const struct snapshot *s = ex->snapshot;
	struct ca_certs_plan plan;

	if (!site_edits(ex, FAULT_CA_CERTS)) {
		mscep_answer_ca_cert(ex, &s->state, blob_span(&s->ca_certs));
		return;
	}
	ca_certs_plan(s->credentials, &plan);
	if (edit(ex, FAULT_CA_CERTS, &plan))
		mscep_answer_ca_certs_plan(ex, &s->state, &plan);
}

/* What some of the pages that can be ordered show. */
static const char *
thumbprint_of(struct exchange *ex, enum ordered_page page)
{
	if (page < PAGE_ADMIN_PASSWORD || page > PAGE_ADMIN_NO_PERMISSION)
		return NULL;
	return site_catch_up(ex) == 0 ? ex->snapshot->credentials->thumbprint :
					"";
}

/* The application proxy knows nothing of what it did not wait for. */
static void
pass_proxy(struct exchange *ex)
{
	const struct stack_state *state = &ex->snapshot->state;
	uint64_t octets;

	if (state->app_proxy.back_end_timeout == 0)
		return;
	octets = http_answer_size(ex);
	if (app_proxy_pass_answer(ex, state))
		ex->verdict.octets = octets;
}

/* The way up: what the scenario does to an answer, whoever gave it. */
static void
end(struct exchange *ex)
{
	struct ordered_answer order = { 0 };

	site_decide(ex, NULL);
	if (ex->decision.instead && site_edit(ex, FAULT_ORDER, &order) == 0) {
		order.thumbprint = thumbprint_of(ex, order.page);
		stack_answer_ordered(ex, &ex->snapshot->state, &order);
	}
	if (site_edit(ex, FAULT_BYTES, &ex->reply.body) == -1 ||
	    site_edit(ex, FAULT_HTTP, &ex->reply) == -1 ||
	    site_edit(ex, FAULT_WIRE, &ex->wire) == -1)
		http_sys_drop(ex, "Connection_Dropped");
	pass_proxy(ex);
	/* Nobody could let go of what it would hold. */
	if (site_is_closed(site_of(ex)))
		ex->wire = (struct wire){ .end = WIRE_END_RESET };
}

/* What no NDES says: there is no such site. */
static void
answer_without_site(struct exchange *ex, enum site_answer why,
    const struct error *err)
{
	static const int statuses[] = {
		[SITE_BAD_ID] = 404,
		[SITE_UNKNOWN] = 404,
		[SITE_GONE] = 410,
		[SITE_TAKEN] = 404,
		[SITE_NO_ROOM] = 503,
		[SITE_SCENARIO] = 500,
		[SITE_FAILED] = 500,
	};
	struct buffer text = { 0 };
	char date[CLOCK_HTTP_SIZE];

	ex->at = (int64_t)time(NULL);
	exchange_answer(ex, LAYER_MOCK, statuses[why], 0, 0);
	buffer_printf(&text, "mockndes: %s\n", err->text);
	if (buffer_finish(&text, &ex->reply.body) == -1)
		ex->reply.status = 0;
	reply_header(&ex->reply, "Content-Type", "text/plain; charset=utf-8");
	reply_header(&ex->reply, "Server", "mockndes");
	reply_header(&ex->reply, "Date", "%s", clock_http_date(ex->at, date));
}

/* Those that need no body, outermost first. */
static void (*const layers[])(struct exchange *, const struct stack_state *) = {
	network_pass,
	app_proxy_pass,
	http_sys_pass,
	app_pool_pass,
	iis_pass,
};
#define LAYERS (sizeof(layers) / sizeof(layers[0]))
#define OUTER_LAYERS 2 /* of them: those in front of the server */

static void
pass_layers(struct exchange *ex, size_t count)
{
	for (size_t i = 0; i < count && !exchange_is_answered(ex); i++)
		layers[i](ex, &ex->snapshot->state);
}

/* Between IIS and mscep.dll: what there is of a worker process. */
static void
pass_process(struct exchange *ex)
{
	const struct stack_state *state = &ex->snapshot->state;

	if (!exchange_is_answered(ex))
		app_pool_enter(ex, state, site_elapsed(ex));
	else if (app_pool_lacks_identity(ex))
		site_tell_identity(ex);
}

static void
begin(void *cls, struct exchange *ex)
{
	struct error err = { 0 };
	enum site_answer found = site_begin(cls, ex, &err);

	if (found != SITE_OK) {
		answer_without_site(ex, found, &err);
		return;
	}
	pass_layers(ex, LAYERS);
	pass_process(ex);
	if (exchange_is_answered(ex))
		end(ex);
}

/* The credentials of now, or an error of the server. */
static bool
catch_up(struct exchange *ex)
{
	if (site_catch_up(ex) == 0)
		return true;
	iis_answer(ex, &ex->snapshot->state, LAYER_MSCEP, 500, 0, 14);
	return false;
}

/* Whether mscep.dll can begin: its certificates, keys and registry. */
static bool
starts(struct exchange *ex)
{
	if (site_doubts_ras(ex) && !catch_up(ex))
		return false;
	mscep_pass(ex, &ex->snapshot->state, ex->snapshot->credentials);
	return !exchange_is_answered(ex);
}

/* After a rollover nobody gets the old one; some answers show none. */
static bool
wants_next_ca(const struct exchange *ex, enum operation operation)
{
	return operation != OPERATION_GET_CA_CAPS &&
	    operation != OPERATION_UNKNOWN && site_is_behind(ex);
}

static void
answer_operation(struct exchange *ex, enum operation operation)
{
	switch (operation) {
	case OPERATION_GET_CA_CAPS:
		answer_caps(ex);
		break;
	case OPERATION_GET_CA_CERT:
		answer_ca_cert(ex);
		break;
	case OPERATION_GET_NEXT_CA:
		answer_next_ca(ex);
		break;
	case OPERATION_PKI:
		pki_operation_answer(ex);
		break;
	case OPERATION_NONE:
		if (iis_place(&ex->request) == PLACE_ADMIN) {
			answer_admin(ex);
			break;
		}
		/* FALLTHROUGH */
	case OPERATION_UNKNOWN:
		answer_bare_url(ex);
		break;
	}
}

/* Its process dies of it, or has died since it came. */
static void
meet_death(struct exchange *ex)
{
	if (site_process_died(ex))
		app_pool_drop(ex);
	else if (ex->is_fatal)
		site_crash(ex);
}

/* Others may have brought down its process meanwhile. */
static void
leave(void *cls, struct exchange *ex)
{
	(void)cls;
	if (ex->snapshot != NULL && site_lost(site_of(ex), ex))
		app_pool_drop(ex);
}

static void
answer(void *cls, struct exchange *ex)
{
	enum operation operation = mscep_operation(&ex->request);
	bool late = operation == OPERATION_PKI && site_decides_late(ex);

	(void)cls;
	iis_pass_body(ex, &ex->snapshot->state);
	if (!exchange_is_answered(ex))
		meet_death(ex);
	if (!exchange_is_answered(ex) && starts(ex) &&
	    (late || !site_decide(ex, NULL))) {
		if (!wants_next_ca(ex, operation) || catch_up(ex))
			answer_operation(ex, operation);
	}
	end(ex);
}

/* What is shown may have to be signed first, with keys yet to be made. */
static bool
may_make_certs(const struct exchange *ex, enum operation operation)
{
	return operation == OPERATION_GET_CA_CERT &&
	    (ex->snapshot->scenario->faults.stages & FAULT_CA_CERTS) != 0;
}

static bool
is_long(void *cls, const struct exchange *ex)
{
	enum operation operation = mscep_operation(&ex->request);

	(void)cls;
	return ex->is_fatal || operation == OPERATION_PKI ||
	    operation == OPERATION_GET_NEXT_CA ||
	    may_make_certs(ex, operation) || wants_next_ca(ex, operation) ||
	    site_doubts_ras(ex);
}

/* A head that does not end has a target, if its first line has an end. */
static void
begin_in_part(const struct door *door, struct exchange *ex)
{
	struct error err = { 0 };

	if (ex->request.asked != NULL) {
		request_split_target(&ex->request);
		if (site_begin(door, ex, &err) == SITE_OK)
			return;
	}
	site_begin_unasked(door, ex);
}

/* What http.sys logs, unless it answers: HTTP_REFUSED_LIMIT. */
static const char *const reasons[] = {
	[HTTP_REFUSED_LIMIT] = NULL,
	[HTTP_EXPIRED_IDLE] = "Timer_ConnectionIdle",
	[HTTP_EXPIRED_HEAD] = "Timer_HeaderWait",
	[HTTP_EXPIRED_BODY] = "Timer_EntityBody",
	[HTTP_EXPIRED_SEND] = "Timer_MinBytesPerSecond",
};

static void
refuse(void *cls, struct exchange *ex, enum http_refusal why)
{
	if (ex->snapshot == NULL)
		begin_in_part(cls, ex);
	pass_layers(ex, OUTER_LAYERS);
	if (!exchange_is_answered(ex) && why == HTTP_REFUSED_LIMIT)
		http_sys_answer(ex, HTTP_SYS_CONNECTION_LIMIT);
	else if (!exchange_is_answered(ex))
		http_sys_drop(ex, reasons[why]);
	else if (why != HTTP_REFUSED_LIMIT)
		exchange_answer(ex, ex->verdict.layer, 0, 0, 0);
}

static struct http_limits
limits(void *cls)
{
	const struct door *door = cls;
	struct stack_state state;

	site_state(door->site != NULL ? door->site : site_default(door->sites),
	    &state);
	return (struct http_limits){
		.idle = state.http_sys.connection_timeout * 1000,
		.head = state.http_sys.header_wait * 1000,
		.body = state.http_sys.entity_body * 1000,
		.send = state.http_sys.connection_timeout * 1000,
	};
}

static void
finish(void *cls, struct exchange *ex)
{
	(void)cls;
	if (ex->snapshot != NULL)
		http_find(&ex->request, &ex->snapshot->state,
		    &ex->scep.http_findings);
	site_commit(ex);
}

static bool
refuses(void *cls, bool *may_change)
{
	return site_refuses(cls, may_change);
}

struct http_service
serve_service(const struct door *door)
{
	return (struct http_service){
		.begin = begin,
		.answer = answer,
		.leave = leave,
		.is_long = is_long,
		.refuse = refuse,
		.limits = limits,
		.finish = finish,
		.refuses = refuses,
		.keeps = door->keeps,
		.cls = (void *)(uintptr_t)door,
	};
}
