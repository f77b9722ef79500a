/*
 * libmicrohttpd: requests in, ordinary answers out. It lives here alone.
 * The loop's thread reads heads and bodies; what takes long is suspended and
 * computed by a worker.
 */
#include "http/inside.h"

#include <fcntl.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * http.sys allows a request line and headers of 65534 octets each once the
 * article's fix is applied; libmicrohttpd needs half as much again.
 */
#define POOL_SIZE (96 * 1024)
#define BODY_FIRST 256 /* what a buffer begins with */
#define BODIES_MAX \
	((size_t)HTTP_BODIES_MAX_MIB << 20) /* octets, of all bodies together */

/* The first sight of a request: its target as it came. */
static void *
on_target(void *cls, const char *target, struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd,
	    MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct connection *conn = info == NULL ? NULL : info->socket_context;
	struct call *call = conn == NULL ? NULL : call_new(conn);

	(void)cls;
	if (call == NULL)
		return NULL;
	call->mhd = mhd;
	call->connection = conn;
	call->exchange.request.asked = strdup(target);
	return call;
}

struct copying {
	struct request *request;
	char *to;
};

static enum MHD_Result
measure_header(void *cls, enum MHD_ValueKind kind, const char *name,
    const char *value)
{
	size_t *size = cls;

	(void)kind;
	*size += strlen(name) + 1 + (value == NULL ? 0 : strlen(value)) + 1;
	return MHD_YES;
}

static char *
copy(struct copying *c, const char *text)
{
	size_t size = strlen(text) + 1;
	char *to = memcpy(c->to, text, size);

	c->to += size;
	return to;
}

static enum MHD_Result
copy_header(void *cls, enum MHD_ValueKind kind, const char *name,
    const char *value)
{
	struct copying *c = cls;
	struct request *r = c->request;
	struct header *h = &r->headers[r->header_count++];
	size_t len;

	(void)kind;
	h->name = copy(c, name);
	h->value = copy(c, value == NULL ? "" : value);
	len = strlen(h->value);
	if (len > r->longest_header)
		r->longest_header = len;
	r->head_size += strlen(name) + strlen(": \r\n") + len;
	return MHD_YES;
}

static int64_t
read_length(const char *text)
{
	int64_t value = 0;

	if (*text == '\0')
		return -1;
	for (; *text >= '0' && *text <= '9'; text++)
		if ((value = value * 10 + *text - '0') > INT64_MAX / 20)
			return -1;
	return *text == '\0' ? value : -1;
}

/* Of a chunked body nobody says how many there are. */
static void
count_octets(struct call *call)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
	    call->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
	const struct request *r = &call->exchange.request;
	struct connection *conn = call->connection;

	if (info == NULL || r->chunked || conn->asked == ASKED_UNKNOWN) {
		conn->asked = ASKED_UNKNOWN;
		return;
	}
	conn->asked += info->header_size;
	if (r->content_length > 0)
		conn->asked += (uint64_t)r->content_length;
}

/* Copies the head, because libmicrohttpd's copy goes before our logs do. */
static int
read_head(struct call *call, const char *method, const char *version)
{
	struct request *r = &call->exchange.request;
	struct copying c = { .request = r };
	size_t size = strlen(method) + strlen(version) + 2;
	const char *value;
	int count;

	count = MHD_get_connection_values(call->mhd, MHD_HEADER_KIND,
	    measure_header, &size);
	r->headers = calloc((size_t)count + 1, sizeof(r->headers[0]));
	r->memory = c.to = malloc(size);
	if (r->asked == NULL || r->headers == NULL || r->memory == NULL)
		return -1;
	r->method = copy(&c, method);
	r->version = copy(&c, version);
	r->head_size = strlen(method) + strlen(r->asked) + strlen(version) +
	    strlen("  \r\n\r\n");
	MHD_get_connection_values(call->mhd, MHD_HEADER_KIND, copy_header, &c);
	if ((value = request_header(r, "Content-Length")) != NULL)
		r->content_length = read_length(value);
	if ((value = request_header(r, "Transfer-Encoding")) != NULL) {
		r->chunked = strcasecmp(value, "chunked") == 0;
		/* libmicrohttpd would wait for ever for any other. */
		r->broken = !r->chunked;
	}
	request_split_target(r);
	count_octets(call);
	return 0;
}

/*
 * What libmicrohttpd has read of a next request it does not give back: then
 * the client has to ask again, on another connection.
 */
static bool
has_read_ahead(const struct connection *conn)
{
	return watch_taken(conn) > conn->asked;
}

/* The descriptor becomes ours; libmicrohttpd drops its own without a FIN. */
static enum MHD_Result
take_over(struct call *call, void **con_cls, bool unread)
{
	struct exchange *ex = &call->exchange;
	int fd = fcntl(call->connection->fd, F_DUPFD_CLOEXEC, 0);
	struct connection *conn = fd == -1 ?
	    NULL :
	    connection_copy(call->connection, fd);
	struct blob bytes = { 0 };

	if (conn == NULL)
		return MHD_NO;
	if (unread || has_read_ahead(call->connection))
		ex->reply.close = true;
	if (ex->reply.status != 0 && render_reply(ex, &bytes) == -1) {
		connection_free(conn);
		return MHD_NO;
	}
	*con_cls = NULL;
	call->mhd = NULL;
	call->connection = NULL;
	held_send(call->http->held, conn, bytes, call,
	    reply_keeps_connection(ex));
	return MHD_NO;
}

static enum MHD_Result
send_ordinary(struct call *call)
{
	struct reply *r = &call->exchange.reply;
	struct MHD_Response *response;
	enum MHD_Result ret;

	response = MHD_create_response_from_buffer(r->body.len, r->body.data,
	    MHD_RESPMEM_PERSISTENT);
	if (response == NULL)
		return MHD_NO;
	for (size_t i = 0; i < r->header_count; i++)
		MHD_add_response_header(response, r->headers[i].name,
		    r->headers[i].value);
	if (r->close)
		MHD_add_response_header(response, "Connection", "close");
	ret = MHD_queue_response(call->mhd, (unsigned)r->status, response);
	MHD_destroy_response(response);
	watch_phase(call->connection, PHASE_SENDING);
	return ret;
}

static enum MHD_Result
send_reply(struct call *call, void **con_cls, bool unread)
{
	const struct http_service *s = &call->listener->service;
	struct exchange *ex = &call->exchange;

	if (s->leave != NULL)
		s->leave(s->cls, ex);
	if (ex->reply.status == 0 && wire_is_ordinary(&ex->wire))
		return MHD_NO;
	/* Clients that keep what they do not use must not keep others out. */
	if (s->reserved && places_are_scarce(call->listener->places))
		ex->reply.close = true;
	/* An answer while a body is still coming would end in a reset. */
	if (unread || !reply_is_ordinary(ex))
		return take_over(call, con_cls, unread);
	return send_ordinary(call);
}

static void
collect(struct call *call, const char *data, size_t size)
{
	struct request *r = &call->exchange.request;
	size_t before = r->body.cap, after = before;

	if ((int64_t)(r->body.len + size) > r->body_limit) {
		r->body_end = BODY_TOO_LARGE;
		return;
	}
	while (after < r->body.len + size)
		after = after == 0 ? BODY_FIRST : 2 * after;
	if (atomic_load(&call->http->body_bytes) + after - before >
	    BODIES_MAX) {
		r->body_end = BODY_NO_ROOM;
		return;
	}
	buffer_add(&r->body, data, size);
	if (r->body.failed)
		r->body_end = BODY_NO_ROOM;
	atomic_fetch_add(&call->http->body_bytes, r->body.cap - before);
}

static enum MHD_Result
answer(struct call *call, void **con_cls, bool unread)
{
	call_activate(call);
	call->stage = CALL_READY;
	watch_phase(call->connection, PHASE_ANSWER);
	if (unread) {
		call->exchange.waiting.ms = 0;
		waiting_answer(call);
	} else if (!waiting_ask(call)) {
		/* It comes back through the loop, so not before this. */
		MHD_suspend_connection(call->mhd);
		return MHD_YES;
	}
	return send_reply(call, con_cls, unread);
}

static enum MHD_Result
begin(struct call *call, void **con_cls)
{
	struct request *r = &call->exchange.request;
	bool has_body = r->chunked || r->broken || r->content_length > 0;

	call->listener->service.begin(call->listener->service.cls,
	    &call->exchange);
	if (!exchange_is_answered(&call->exchange)) {
		call->stage = CALL_BODY;
		watch_phase(call->connection, PHASE_BODY);
		return MHD_YES;
	}
	call_activate(call);
	call->stage = CALL_READY;
	watch_phase(call->connection, PHASE_ANSWER);
	if (has_body)
		return send_reply(call, con_cls, true);
	/* An answer given now would cost the client its connection. */
	return MHD_YES;
}

static enum MHD_Result
on_request(void *cls, struct MHD_Connection *mhd, const char *url,
    const char *method, const char *version, const char *data, size_t *size,
    void **con_cls)
{
	struct call *call = *con_cls;

	(void)cls, (void)mhd, (void)url;
	if (call == NULL)
		return MHD_NO;
	switch (call->stage) {
	case CALL_HEAD:
		if (atomic_load(&call->http->stopping) ||
		    read_head(call, method, version) == -1)
			return MHD_NO;
		return begin(call, con_cls);
	case CALL_BODY:
		if (*size == 0)
			return answer(call, con_cls, false);
		collect(call, data, *size);
		*size = 0;
		if (call->exchange.request.body_end != BODY_WHOLE)
			return answer(call, con_cls, true);
		return MHD_YES;
	case CALL_READY:
		return send_reply(call, con_cls, false);
	}
	return MHD_NO;
}

/* The client took too long. */
static void
refuse(struct call *call, int why)
{
	const struct http_service *s = &call->listener->service;

	s->refuse(s->cls, &call->exchange, (enum http_refusal)why);
}

/* libmicrohttpd has sent what we would have. */
static void
finish_sent(struct call *call)
{
	const struct exchange *ex = &call->exchange;
	struct blob octets = { 0 };

	if (call->listener->service.keeps)
		render_reply(ex, &octets);
	call_sent(call, blob_span(&octets), render_size(ex));
	call_finish(call, ENDED_SENT);
	blob_free(&octets);
}

static void
on_completed(void *cls, struct MHD_Connection *mhd, void **con_cls,
    enum MHD_RequestTerminationCode how)
{
	struct call *call = *con_cls;
	bool sent = how == MHD_REQUEST_TERMINATED_COMPLETED_OK;
	int why;

	(void)cls, (void)mhd;
	if (call == NULL)
		return;
	*con_cls = NULL;
	why = call->connection->expired;
	call->connection->expired = -1;
	if (why != -1 && !exchange_is_answered(&call->exchange))
		refuse(call, why);
	watch_phase(call->connection, PHASE_REQUEST);
	if (sent)
		finish_sent(call);
	else
		call_finish(call,
		    how == MHD_REQUEST_TERMINATED_DAEMON_SHUTDOWN ?
			ENDED_CUT :
			ENDED_CLIENT_LEFT);
}

/* Of a connection that ended before it had a request. */
static void
tell_expired(const struct connection *conn)
{
	int why = conn->expired;
	struct call *call;

	if (why == -1 || (call = call_new(conn)) == NULL)
		return;
	refuse(call, why);
	call_finish(call, ENDED_CUT);
}

static void
on_connection(void *cls, struct MHD_Connection *mhd, void **socket_context,
    enum MHD_ConnectionNotificationCode what)
{
	struct http *http = cls;
	struct connection *conn;

	(void)mhd;
	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		*socket_context = conn = http->arriving;
		http->arriving = NULL;
		watch_begin(http, conn);
		return;
	}
	conn = *socket_context;
	*socket_context = NULL;
	watch_end(http, conn);
	tell_expired(conn);
	/* Its descriptor is libmicrohttpd's to close. */
	conn->fd = -1;
	connection_free(conn);
}

void
parse_add(struct http *http, struct connection *conn)
{
	socklen_t len = conn->source.address.any.sa_family == AF_INET ?
	    sizeof(conn->source.address.v4) :
	    sizeof(conn->source.address.v6);

	http->arriving = conn;
	if (MHD_add_connection(http->daemon, conn->fd,
		&conn->source.address.any, len) == MHD_YES)
		return;
	/* It has closed the descriptor. */
	http->arriving = NULL;
	conn->fd = -1;
	connection_free(conn);
}

void
parse_resume(struct call *call)
{
	MHD_resume_connection(call->mhd);
}

int
parse_descriptor(struct http *http)
{
	return MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD)
	    ->epoll_fd;
}

bool
parse_has_work(struct http *http)
{
	MHD_UNSIGNED_LONG_LONG ms;

	/* Connections have no timer but ours: it knows only "now". */
	return MHD_get_timeout(http->daemon, &ms) == MHD_YES;
}

void
parse_run(struct http *http)
{
	MHD_run(http->daemon);
}

int
parse_start(struct http *http, struct error *err)
{
	http->daemon = MHD_start_daemon(MHD_USE_EPOLL |
		MHD_USE_NO_LISTEN_SOCKET | MHD_USE_TURBO |
		MHD_USE_SUPPRESS_DATE_NO_CLOCK | MHD_ALLOW_SUSPEND_RESUME,
	    0, NULL, NULL, on_request, http, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
	    (size_t)POOL_SIZE, MHD_OPTION_CONNECTION_LIMIT,
	    http->common.limit + http->reserved.limit + 16,
	    MHD_OPTION_URI_LOG_CALLBACK, on_target, http,
	    MHD_OPTION_NOTIFY_COMPLETED, on_completed, http,
	    MHD_OPTION_NOTIFY_CONNECTION, on_connection, http, MHD_OPTION_END);
	return http->daemon != NULL ?
	    0 :
	    error_set(err, "cannot start libmicrohttpd");
}

void
parse_stop(struct http *http)
{
	if (http->daemon != NULL)
		MHD_stop_daemon(http->daemon);
	http->daemon = NULL;
}
