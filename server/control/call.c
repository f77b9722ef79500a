/* The way of a call: to its route, its site and its handler. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "control/inside.h"

static bool
find_route(struct call *call, struct span values[ROUTE_VALUES_MAX])
{
	const struct control_request *r = call->request;
	struct buffer allow = { 0 };
	bool other_methods;

	call->route = route_find(r->method, r->path, values, &other_methods);
	if (call->route != NULL)
		return true;
	if (!other_methods) {
		call_fail(call, FAIL_PATH_UNKNOWN,
		    "there is no path \"%.*s\": /v1/openapi.json says which "
		    "there are",
		    r->path.len > 200 ? 200 : (int)r->path.len,
		    (const char *)r->path.data);
		return false;
	}
	routes_allow(r->path, &allow);
	buffer_add_byte(&allow, '\0');
	if (!allow.failed)
		call_header(call, "Allow", "%s", (const char *)allow.data);
	call_fail(call, FAIL_METHOD, "this path takes %s, not \"%.20s\"",
	    allow.failed ? "other methods" : (const char *)allow.data,
	    r->method);
	buffer_free(&allow);
	return false;
}

static bool
decode_values(struct call *call, const struct span values[ROUTE_VALUES_MAX])
{
	for (size_t i = 0; i < ROUTE_VALUES_MAX && values[i].len > 0; i++) {
		call->values[i] = percent_decode(values[i], false);
		if (call->values[i] != NULL)
			continue;
		call_fail(call, FAIL_PATH,
		    "\"%.*s\" in the path: not of the "
		    "form %%XX",
		    values[i].len > 60 ? 60 : (int)values[i].len,
		    (const char *)values[i].data);
		return false;
	}
	return true;
}

static bool
find_site(struct call *call)
{
	struct error err = { 0 };
	enum site_answer answer;

	if (strncmp(call->route->path, "/v1/sites/", 10) != 0)
		return true;
	answer = site_get(call->control->sites, call->values[0], &call->site,
	    &err);
	if (answer == SITE_OK)
		return true;
	call->site = NULL;
	call_fail_site(call, answer == SITE_BAD_ID ? SITE_UNKNOWN : answer,
	    &err);
	return false;
}

static void
run(struct call *call)
{
	struct span values[ROUTE_VALUES_MAX];

	if (find_route(call, values) && decode_values(call, values) &&
	    parameters_read(call) && find_site(call) && members_read(call))
		call->route->handle(call);
}

int
control_call(const struct control *control,
    const struct control_request *request, struct control_reply *reply)
{
	struct call call = {
		.control = control,
		.request = request,
		.members = json_object(),
		.parameters = json_object(),
		.reply = reply,
	};

	*reply = (struct control_reply){ 0 };
	if (call.members != NULL && call.parameters != NULL)
		run(&call);
	else
		reply->body.failed = true;
	for (size_t i = 0; i < ROUTE_VALUES_MAX; i++)
		free(call.values[i]);
	json_decref(call.members);
	json_decref(call.parameters);
	if (reply->waiting.key != NULL)
		reply->waits_for = call.site;
	else
		site_unref(call.site);
	if (!reply->body.failed)
		return 0;
	control_reply_clear(reply);
	return -1;
}

int
control_ask(const struct control *control, const char *method,
    const char *target, struct span body, struct mockndes_reply *out)
{
	size_t len = strcspn(target, "?");
	const struct control_request request = {
		.method = method,
		.path = span_of(target, len),
		.query = span_text(target + len + (target[len] == '?')),
		.body = body,
		.started_ms = clock_ticks_ms(),
		.may_block = true,
	};
	struct control_reply reply;

	*out = (struct mockndes_reply){ 0 };
	if (control_call(control, &request, &reply) == -1)
		return -1;
	buffer_add_byte(&reply.body, '\0');
	if (!reply.body.failed) {
		out->status = reply.status;
		out->content_type = reply.content_type;
		out->length = reply.body.len - 1;
		out->body = (char *)reply.body.data;
		reply.body = (struct buffer){ 0 };
	}
	control_reply_clear(&reply);
	return out->body == NULL ? -1 : 0;
}
