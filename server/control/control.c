#include "control/control.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/clock.h"

#define BODY_MAX (1 << 20)

static void
send_json(struct exchange *ex, int status, const char *type, struct span text)
{
	char date[CLOCK_HTTP_SIZE];

	/* Not a layer of the stack; it only has to be an answer. */
	exchange_answer(ex, LAYER_IIS, status, 0, 0);
	if (blob_copy(&ex->reply.body, text) == -1)
		ex->reply.status = 0;
	reply_header(&ex->reply, "Content-Type", "%s", type);
	reply_header(&ex->reply, "Cache-Control", "no-store");
	reply_header(&ex->reply, "Date", "%s", clock_http_date(ex->at, date));
}

static void
send_error(struct exchange *ex, int status, const char *code,
    const char *message)
{
	struct buffer b = { 0 };

	buffer_printf(&b, "{\"error\":{\"code\":\"%s\",\"message\":\"%s\"}}\n",
	    code, message);
	send_json(ex, status, "application/json", buffer_span(&b));
	buffer_free(&b);
}

/* "localhost", "127.0.0.1", "[::1]", with or without a port. */
static bool
host_is_loopback(const char *host)
{
	size_t len = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
	struct span name = span_of(host, len);

	return span_is_nocase(name, "localhost") || span_is(name, "[::1]") ||
	    (len >= 4 && strncmp(host, "127.", 4) == 0 &&
		strspn(host, "0123456789.") == len);
}

/* Pages of other web sites must not steer us, not even by DNS rebinding. */
static bool
is_foreign(const struct exchange *ex, bool loopback)
{
	const struct request *r = &ex->request;
	const char *host = request_header(r, "Host");
	const char *origin = request_header(r, "Origin");

	if (origin != NULL &&
	    (host == NULL || strncmp(origin, "http://", 7) != 0 ||
		strcasecmp(origin + 7, host) != 0))
		return true;
	return loopback && host != NULL && !host_is_loopback(host);
}

static void
begin_anywhere(struct exchange *ex, bool loopback)
{
	ex->at = (int64_t)time(NULL);
	ex->request.body_limit = BODY_MAX;
	if (ex->request.broken)
		send_error(ex, 501, "transfer_encoding",
		    "only chunked is known");
	else if (is_foreign(ex, loopback))
		send_error(ex, 403, "foreign",
		    "requests of other web sites are refused");
	else if (ex->request.content_length > BODY_MAX)
		send_error(ex, 413, "too_large", "a body has 1 MiB at most");
}

static void
begin(void *cls, struct exchange *ex)
{
	(void)cls;
	begin_anywhere(ex, false);
}

static void
begin_on_loopback(void *cls, struct exchange *ex)
{
	(void)cls;
	begin_anywhere(ex, true);
}

static void
answer(void *cls, struct exchange *ex)
{
	struct mockndes_reply reply;
	struct span body = buffer_span(&ex->request.body);

	if (ex->request.body_end != BODY_WHOLE) {
		send_error(ex, 413, "too_large", "a body has 1 MiB at most");
		return;
	}
	if (mockndes_control(cls, ex->request.method, ex->request.target,
		(const char *)body.data, body.len, &reply) == -1) {
		send_error(ex, 500, "memory", "out of memory");
		return;
	}
	send_json(ex, reply.status, reply.content_type,
	    span_of(reply.body, reply.length));
	mockndes_reply_clear(&reply);
}

static bool
is_long(void *cls, const struct exchange *ex)
{
	(void)cls, (void)ex;
	return false;
}

static void
refuse(void *cls, struct exchange *ex, enum http_refusal why)
{
	(void)cls;
	ex->at = (int64_t)time(NULL);
	if (why == HTTP_REFUSED_LIMIT)
		send_error(ex, 503, "busy", "too many connections");
}

static struct http_limits
limits(void *cls)
{
	(void)cls;
	return (struct http_limits){ 120000, 120000, 120000, 120000 };
}

static void
finish(void *cls, struct exchange *ex)
{
	(void)cls, (void)ex;
}

struct http_service
control_service(struct mockndes *instance, bool loopback)
{
	return (struct http_service){
		.begin = loopback ? begin_on_loopback : begin,
		.answer = answer,
		.is_long = is_long,
		.refuse = refuse,
		.limits = limits,
		.finish = finish,
		.reserved = true,
		.cls = instance,
	};
}
