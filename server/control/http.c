/* The calls over HTTP: who may make them, and what becomes of them there. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/clock.h"
#include "control/inside.h"

#define BODY_MAX (1 << 20)

/* Takes the body. */
static void
send_body(struct exchange *ex, int status, const char *type, struct buffer *b)
{
	char date[CLOCK_HTTP_SIZE];

	exchange_answer(ex, LAYER_MOCK, status, 0, 0);
	if (buffer_finish(b, &ex->reply.body) == -1)
		ex->reply.status = 0;
	if (type != NULL)
		reply_header(&ex->reply, "Content-Type", "%s", type);
	reply_header(&ex->reply, "Cache-Control", "no-store");
	reply_header(&ex->reply, "Date", "%s", clock_http_date(ex->at, date));
}

static void
send_failure(struct exchange *ex, enum failure failure, const char *message)
{
	json_t *json = failure_json(failure, message);
	char *text = json == NULL ? NULL : json_dumps(json, JSON_COMPACT);
	struct buffer b = { 0 };

	json_decref(json);
	buffer_printf(&b, "%s\n", text == NULL ? "" : text);
	free(text);
	send_body(ex, failure_status(failure), "application/json", &b);
}

/* "localhost", "127.0.0.1", "[::1]", with or without a port. */
static bool
host_is_loopback(const char *host)
{
	size_t len = *host == '[' ? strcspn(host, "]") : strcspn(host, ":");
	struct span name;
	const char *port;

	len += host[len] == ']';
	name = span_of(host, len);
	port = host + len + (host[len] == ':');
	if (port[strspn(port, "0123456789")] != '\0')
		return false;
	return span_is_nocase(name, "localhost") || span_is(name, "[::1]") ||
	    (len >= 4 && strncmp(host, "127.", 4) == 0 &&
		strspn(host, "0123456789.") == len);
}

/* All that are said: who reads which of two is not known (RFC 9112 3.2). */
static bool
hosts_are_loopback(const struct request *r)
{
	const char *host = request_header(r, "Host");

	return host == NULL ||
	    (request_header_count(r, "Host") == 1 && host_is_loopback(host));
}

/* Pages of other web sites must not steer us, not even by DNS rebinding. */
static bool
origin_is_ours(const struct request *r)
{
	const char *origin = request_header(r, "Origin");
	const char *host = request_header(r, "Host");

	return origin == NULL ||
	    (request_header_count(r, "Origin") == 1 && host != NULL &&
		strncmp(origin, "http://", 7) == 0 &&
		strcasecmp(origin + 7, host) == 0);
}

/* In a time that tells nothing of where they differ. */
static bool
same_secret(const char *a, size_t len, const char *secret)
{
	size_t length = strlen(secret), at = 0;
	unsigned differ = len != length;

	for (size_t i = 0; i < len; i++, at = at + 1 < length ? at + 1 : 0)
		differ |= (unsigned)(a[i] ^ secret[at]);
	return differ == 0;
}

/* RFC 6750 2.1 */
static bool
bears_token(const struct request *r, const char *token)
{
	const char *said = request_header(r, "Authorization");

	if (said == NULL || request_header_count(r, "Authorization") != 1 ||
	    strncasecmp(said, "Bearer ", 7) != 0)
		return false;
	said += 7 + strspn(said + 7, " ");
	return same_secret(said, strlen(said), token);
}

static const struct route *
route_of(const struct exchange *ex)
{
	struct span values[ROUTE_VALUES_MAX];
	bool other_methods;

	return route_find(ex->request.method, ex->request.path, values,
	    &other_methods);
}

static bool
has_flag(const struct exchange *ex, unsigned flag)
{
	const struct route *route = route_of(ex);

	return route != NULL && (route->flags & flag) != 0;
}

static bool
may_ask(const struct control *c, const struct exchange *ex)
{
	return c->token == NULL || has_flag(ex, ROUTE_PUBLIC) ||
	    bears_token(&ex->request, c->token);
}

static void
begin_anywhere(const struct control *c, struct exchange *ex, bool loopback)
{
	const struct request *r = &ex->request;

	ex->at = (int64_t)time(NULL);
	ex->request.body_limit = BODY_MAX;
	if (r->broken) {
		send_failure(ex, FAIL_TRANSFER_ENCODING,
		    "only chunked is known");
	} else if (!origin_is_ours(r)) {
		send_failure(ex, FAIL_ORIGIN,
		    "requests of other web sites are refused");
	} else if (loopback && !hosts_are_loopback(r)) {
		send_failure(ex, FAIL_HOST,
		    "Host is to be localhost or a loopback address");
	} else if (!may_ask(c, ex)) {
		send_failure(ex, FAIL_TOKEN,
		    "the header Authorization: Bearer TOKEN is missing, or the "
		    "token is another");
		reply_header(&ex->reply, "WWW-Authenticate",
		    "Bearer realm=\"mockndes\"");
	} else if (r->content_length > BODY_MAX) {
		send_failure(ex, FAIL_BODY_TOO_LARGE,
		    "a body has 1 MiB at most");
	}
}

static void
begin(void *cls, struct exchange *ex)
{
	begin_anywhere(cls, ex, false);
}

static void
begin_on_loopback(void *cls, struct exchange *ex)
{
	begin_anywhere(cls, ex, true);
}

/* A reference of its own keeps what it waits for. */
static void
wait(struct exchange *ex, struct control_reply *reply)
{
	ex->waiting = reply->waiting;
	if (ex->own != NULL)
		return;
	ex->own = reply->waits_for;
	reply->waits_for = NULL;
}

static void
send_reply(struct exchange *ex, struct control_reply *reply)
{
	ex->waiting = (struct waiting){ 0 };
	send_body(ex, reply->status, reply->content_type, &reply->body);
	for (size_t i = 0; i < reply->header_count; i++)
		reply_header(&ex->reply, reply->headers[i].name, "%s",
		    reply->headers[i].value);
}

static void
call(const struct control *c, struct exchange *ex)
{
	const struct request *r = &ex->request;
	const char *type = request_header(r, "Content-Type");
	const struct control_request request = {
		.method = r->method,
		.path = r->path,
		.query = r->query,
		.body = buffer_span(&r->body),
		.content_type = type == NULL ? "" : type,
		.accept = request_header(r, "Accept"),
		.started_ms = ex->started_ms,
		.may_return = ex->waiting.ms != 0,
	};
	struct control_reply reply;

	if (control_call(c, &request, &reply) == -1)
		send_failure(ex, FAIL_INTERNAL, "out of memory");
	else if (reply.waiting.key != NULL)
		wait(ex, &reply);
	else
		send_reply(ex, &reply);
	control_reply_clear(&reply);
}

static void
answer(void *cls, struct exchange *ex)
{
	switch (ex->request.body_end) {
	case BODY_WHOLE:
		call(cls, ex);
		break;
	case BODY_TOO_LARGE:
		send_failure(ex, FAIL_BODY_TOO_LARGE,
		    "a body has 1 MiB at most");
		break;
	case BODY_NO_ROOM:
		send_failure(ex, FAIL_BUSY, "too many bodies at once");
		break;
	}
}

static bool
is_long(void *cls, const struct exchange *ex)
{
	(void)cls;
	return has_flag(ex, ROUTE_LONG);
}

static void
refuse(void *cls, struct exchange *ex, enum http_refusal why)
{
	(void)cls;
	ex->at = (int64_t)time(NULL);
	if (why == HTTP_REFUSED_LIMIT)
		send_failure(ex, FAIL_BUSY, "too many connections");
}

static struct http_limits
limits(void *cls)
{
	(void)cls;
	/* Who does not say what it wants must not keep others out. */
	return (struct http_limits){ .idle = 120000,
		.head = 10000,
		.body = 30000,
		.send = 30000 };
}

static void
finish(void *cls, struct exchange *ex)
{
	(void)cls;
	site_unref(ex->own);
	ex->own = NULL;
}

struct http_service
control_service(const struct control *control, bool loopback)
{
	return (struct http_service){
		.begin = loopback ? begin_on_loopback : begin,
		.answer = answer,
		.is_long = is_long,
		.refuse = refuse,
		.limits = limits,
		.finish = finish,
		.reserved = true,
		.cls = (void *)control,
	};
}
