/* What handlers answer with, and all errors that there are. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/inside.h"

/* Room for all the lines about a scenario. */
#define MESSAGE_SIZE MOCKNDES_ERROR_SIZE

/* Codes are part of the interface: they stay. */
static const struct {
	const char *code;
	int status;
} failures[FAILURES] = {
	[FAIL_PATH] = { "path", 400 },
	[FAIL_PARAMETER] = { "parameter", 400 },
	[FAIL_JSON] = { "json", 400 },
	[FAIL_MEMBER] = { "member", 400 },
	[FAIL_SCENARIO] = { "scenario", 400 },
	[FAIL_SETTING] = { "setting", 400 },
	[FAIL_SITE_ID] = { "site_id", 400 },
	[FAIL_PORT_RANGE] = { "port_range", 400 },
	[FAIL_TOKEN] = { "token", 401 },
	[FAIL_ORIGIN] = { "origin", 403 },
	[FAIL_HOST] = { "host", 403 },
	[FAIL_PATH_UNKNOWN] = { "path_unknown", 404 },
	[FAIL_SITE_UNKNOWN] = { "site_unknown", 404 },
	[FAIL_SCENARIO_UNKNOWN] = { "scenario_unknown", 404 },
	[FAIL_REQUEST_UNKNOWN] = { "request_unknown", 404 },
	[FAIL_TRANSACTION_UNKNOWN] = { "transaction_unknown", 404 },
	[FAIL_CERTIFICATE_UNKNOWN] = { "certificate_unknown", 404 },
	[FAIL_EVIDENCE_UNKNOWN] = { "evidence_unknown", 404 },
	[FAIL_ACTION_UNKNOWN] = { "action_unknown", 404 },
	[FAIL_METHOD] = { "method", 405 },
	[FAIL_SITE_TAKEN] = { "site_taken", 409 },
	[FAIL_SITE_DEFAULT] = { "site_default", 409 },
	[FAIL_PORT_TAKEN] = { "port_taken", 409 },
	[FAIL_REFUSED] = { "refused", 409 },
	[FAIL_CHALLENGE_REFUSED] = { "challenge_refused", 409 },
	[FAIL_CERTIFICATE_REVOKED] = { "certificate_revoked", 409 },
	[FAIL_SITE_GONE] = { "site_gone", 410 },
	[FAIL_REQUEST_GONE] = { "request_gone", 410 },
	[FAIL_BODY_TOO_LARGE] = { "body_too_large", 413 },
	[FAIL_CONTENT_TYPE] = { "content_type", 415 },
	[FAIL_INTERNAL] = { "internal", 500 },
	[FAIL_TRANSFER_ENCODING] = { "transfer_encoding", 501 },
	[FAIL_BUSY] = { "busy", 503 },
	[FAIL_SITES_FULL] = { "sites_full", 503 },
	[FAIL_PORTS_FULL] = { "ports_full", 503 },
};

int
failure_status(enum failure failure)
{
	return failures[failure].status;
}

json_t *
text_json(const char *text)
{
	json_t *json = text == NULL ? NULL : json_string(text);
	char *copy;

	if (json != NULL || text == NULL || (copy = strdup(text)) == NULL)
		return json;
	for (char *at = copy; *at != '\0'; at++)
		if ((*at & 0x80) != 0)
			*at = '?';
	json = json_string(copy);
	free(copy);
	return json;
}

json_t *
failure_json(enum failure failure, const char *message)
{
	return json_pack("{s{ss, so}}", "error", "code", failures[failure].code,
	    "message", text_json(message));
}

void
control_reply_clear(struct control_reply *reply)
{
	for (size_t i = 0; i < reply->header_count; i++)
		free(reply->headers[i].value);
	site_unref(reply->waits_for);
	buffer_free(&reply->body);
	*reply = (struct control_reply){ 0 };
}

void
call_header(struct call *call, const char *name, const char *fmt, ...)
{
	struct control_reply *reply = call->reply;
	char *value;
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vasprintf(&value, fmt, ap);
	va_end(ap);
	if (len == -1)
		return;
	if (reply->header_count == CONTROL_HEADERS_MAX) {
		free(value);
		return;
	}
	reply->headers[reply->header_count].name = name;
	reply->headers[reply->header_count++].value = value;
}

void
call_octets(struct call *call, int status, const char *content_type,
    struct span octets)
{
	struct control_reply *reply = call->reply;

	reply->status = status;
	reply->content_type = content_type;
	buffer_free(&reply->body);
	buffer_add_span(&reply->body, octets);
}

static int
add_text(const char *text, size_t len, void *cls)
{
	buffer_add(cls, text, len);
	return ((struct buffer *)cls)->failed ? -1 : 0;
}

void
call_json(struct call *call, int status, json_t *json)
{
	struct buffer *body = &call->reply->body;

	call_octets(call, status, "application/json", SPAN_EMPTY);
	if (json == NULL ||
	    json_dump_callback(json, add_text, body, JSON_COMPACT) == -1)
		body->failed = true;
	buffer_add_byte(body, '\n');
	json_decref(json);
}

void
call_list(struct call *call, const char *name, json_t *list, int ret)
{
	if (ret == 0) {
		call_json(call, 200, json_pack("{so}", name, list));
		return;
	}
	json_decref(list);
	call_json(call, 200, NULL);
}

void
call_nothing(struct call *call)
{
	call_octets(call, 204, NULL, SPAN_EMPTY);
}

void
call_fail(struct call *call, enum failure failure, const char *fmt, ...)
{
	char message[MESSAGE_SIZE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	call_json(call, failures[failure].status,
	    failure_json(failure, message));
}

void
call_fail_errors(struct call *call, enum failure failure, struct errors *errors)
{
	char message[MESSAGE_SIZE];

	call_fail(call, failure, "%s",
	    errors_print(errors, message, sizeof(message)));
}

void
call_fail_site(struct call *call, enum site_answer answer,
    const struct error *err)
{
	static const enum failure of[] = {
		[SITE_OK] = FAIL_INTERNAL,
		[SITE_BAD_ID] = FAIL_SITE_ID,
		[SITE_UNKNOWN] = FAIL_SITE_UNKNOWN,
		[SITE_GONE] = FAIL_SITE_GONE,
		[SITE_TAKEN] = FAIL_SITE_TAKEN,
		[SITE_NO_ROOM] = FAIL_SITES_FULL,
		[SITE_SCENARIO] = FAIL_SCENARIO,
		[SITE_FAILED] = FAIL_INTERNAL,
	};

	call_fail(call, of[answer], "%s", err->text);
}

json_t *
time_json(int64_t at)
{
	struct tm tm = clock_utc(at);
	char text[32];

	if (at == 0)
		return json_null();
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return json_string(text);
}
