/* One exchange on its way: what it holds, and how its service is told. */
#include "http/inside.h"

#include <stdlib.h>

#include "base/clock.h"

struct call *
call_new(const struct connection *conn)
{
	struct call *call = malloc(sizeof(*call));

	if (call == NULL)
		return NULL;
	exchange_init(&call->exchange);
	call->exchange.request.source = conn->source;
	call->exchange.request.local = conn->local;
	call->http = conn->http;
	call->listener = listener_ref(conn->listener);
	call->connection = NULL;
	call->mhd = NULL;
	call->active = false;
	call->is_told = false;
	call->stage = CALL_HEAD;
	call->is_last = false;
	atomic_init(&call->is_woken, false);
	call->wakes = 0;
	return call;
}

void
call_activate(struct call *call)
{
	call->active = true;
	atomic_fetch_add(&call->http->active, 1);
}

/* The beginning of it, in no more memory than that needs. */
static struct buffer
take_beginning(struct buffer *body)
{
	struct buffer taken = *body;
	uint8_t *less;

	*body = (struct buffer){ 0 };
	if (taken.len > EXCHANGE_KEPT_MAX)
		taken.len = EXCHANGE_KEPT_MAX;
	if (taken.len == 0) {
		buffer_free(&taken);
	} else if ((less = realloc(taken.data, taken.len)) != NULL) {
		taken.data = less;
		taken.cap = taken.len;
	}
	return taken;
}

void
call_trim(struct call *call)
{
	struct buffer *body = &call->exchange.request.body, kept = { 0 };
	size_t before = body->cap;

	if (call->listener->service.keeps)
		kept = take_beginning(body);
	exchange_trim(&call->exchange);
	*body = kept;
	atomic_fetch_sub(&call->http->body_bytes, before - kept.cap);
}

void
call_sent(struct call *call, struct span octets, uint64_t sent)
{
	struct exchange *ex = &call->exchange;

	ex->sent = sent;
	if (!call->listener->service.keeps)
		return;
	ex->octets = octets;
	if (ex->octets.len > sent)
		ex->octets.len = sent;
	if (ex->octets.len > EXCHANGE_KEPT_MAX)
		ex->octets.len = EXCHANGE_KEPT_MAX;
}

void
call_tell(struct call *call, enum ending ending)
{
	const struct http_service *s = &call->listener->service;
	struct exchange *ex = &call->exchange;

	if (call->is_told)
		return;
	call->is_told = true;
	ex->ending = ending;
	ex->duration_ms = clock_ticks_ms() - ex->started_ms;
	s->finish(s->cls, ex);
}

void
call_finish(struct call *call, enum ending ending)
{
	struct http *http = call->http;
	bool active = call->active;

	call_tell(call, ending);
	atomic_fetch_sub(&http->body_bytes, call->exchange.request.body.cap);
	exchange_clear(&call->exchange);
	listener_unref(call->listener);
	free(call);
	if (active)
		atomic_fetch_sub(&http->active, 1);
}
