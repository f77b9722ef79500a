#include "exchange/exchange.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"

char *
endpoint_text(const struct endpoint *e, char out[ENDPOINT_TEXT_SIZE])
{
	snprintf(out, ENDPOINT_TEXT_SIZE, "-");
	if (e->address.any.sa_family == AF_INET)
		inet_ntop(AF_INET, &e->address.v4.sin_addr, out,
		    ENDPOINT_TEXT_SIZE);
	else if (e->address.any.sa_family == AF_INET6 &&
	    IN6_IS_ADDR_V4MAPPED(&e->address.v6.sin6_addr))
		inet_ntop(AF_INET, &e->address.v6.sin6_addr.s6_addr[12], out,
		    ENDPOINT_TEXT_SIZE);
	else if (e->address.any.sa_family == AF_INET6)
		inet_ntop(AF_INET6, &e->address.v6.sin6_addr, out,
		    ENDPOINT_TEXT_SIZE);
	return out;
}

unsigned
endpoint_port(const struct endpoint *e)
{
	if (e->address.any.sa_family == AF_INET)
		return ntohs(e->address.v4.sin_port);
	if (e->address.any.sa_family == AF_INET6)
		return ntohs(e->address.v6.sin6_port);
	return 0;
}

size_t
request_header_count(const struct request *r, const char *name)
{
	size_t count = 0;

	for (size_t i = 0; i < r->header_count; i++)
		count += strcasecmp(r->headers[i].name, name) == 0;
	return count;
}

const char *
request_header(const struct request *r, const char *name)
{
	for (size_t i = 0; i < r->header_count; i++)
		if (strcasecmp(r->headers[i].name, name) == 0)
			return r->headers[i].value;
	return NULL;
}

void
request_split_target(struct request *r)
{
	const char *path = r->asked, *query;

	r->target = r->asked;
	if (strncasecmp(path, "http://", 7) == 0 ||
	    strncasecmp(path, "https://", 8) == 0) {
		path = strchr(path, ':') + 3;
		path += strcspn(path, "/?");
	}
	query = strchr(path, '?');
	r->has_query = query != NULL;
	if (query == NULL) {
		r->path = span_text(path);
		r->query = SPAN_EMPTY;
	} else {
		r->path = span_of(path, (size_t)(query - path));
		r->query = span_text(query + 1);
	}
	if (r->path.len == 0)
		r->path = span_text("/");
}

void
request_hide_prefix(struct request *r, size_t len)
{
	const char *target = (const char *)r->path.data + len;

	r->head_size -= (size_t)(target - r->target);
	r->target = target;
	r->path.data += len;
	r->path.len -= len;
	if (r->path.len == 0)
		r->path = span_text("/");
	if (*r->target == '\0') {
		r->target = "/";
		r->head_size++;
	}
}

void
reply_header(struct reply *r, const char *name, const char *fmt, ...)
{
	va_list ap;
	char *value;

	if (r->header_count == REPLY_HEADERS_MAX)
		return;
	va_start(ap, fmt);
	if (vasprintf(&value, fmt, ap) == -1)
		value = NULL;
	va_end(ap);
	if (value == NULL)
		return;
	r->headers[r->header_count].name = name;
	r->headers[r->header_count++].value = value;
}

void
reply_clear(struct reply *r)
{
	for (size_t i = 0; i < r->header_count; i++)
		free(r->headers[i].value);
	blob_free(&r->body);
	*r = (struct reply){ .length = REPLY_LENGTH_TRUE };
}

const char *
reply_header_value(const struct reply *r, const char *name)
{
	for (size_t i = 0; i < r->header_count; i++)
		if (strcasecmp(r->headers[i].name, name) == 0)
			return r->headers[i].value;
	return NULL;
}

const char *
reason_phrase(int status)
{
	static const struct {
		int status;
		const char *phrase;
	} phrases[] = {
		{ 200, "OK" },
		{ 201, "Created" },
		{ 202, "Accepted" },
		{ 204, "No Content" },
		{ 301, "Moved Permanently" },
		{ 302, "Found" },
		{ 303, "See Other" },
		{ 304, "Not Modified" },
		{ 307, "Temporary Redirect" },
		{ 308, "Permanent Redirect" },
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 402, "Payment Required" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 406, "Not Acceptable" },
		{ 407, "Proxy Authentication Required" },
		{ 408, "Request Timeout" },
		{ 409, "Conflict" },
		{ 410, "Gone" },
		{ 411, "Length Required" },
		{ 412, "Precondition Failed" },
		{ 413, "Request Entity Too Large" },
		{ 414, "Request-URI Too Long" },
		{ 415, "Unsupported Media Type" },
		{ 429, "Too Many Requests" },
		{ 431, "Request Header Fields Too Large" },
		{ 500, "Internal Server Error" },
		{ 501, "Not Implemented" },
		{ 502, "Bad Gateway" },
		{ 503, "Service Unavailable" },
		{ 504, "Gateway Timeout" },
		{ 505, "HTTP Version Not Supported" },
	};

	for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
		if (phrases[i].status == status)
			return phrases[i].phrase;
	return "Unknown";
}

bool
wire_is_ordinary(const struct wire *w)
{
	return !w->exact && !w->is_cut && w->delay_ms == 0 &&
	    w->pause_ms == 0 && w->drip_octets == 0 && w->prefix.len == 0 &&
	    w->end == WIRE_END_USUAL;
}

void
exchange_init(struct exchange *ex)
{
	memset(ex, 0, sizeof(*ex));
	ex->request.content_length = -1;
	ex->request.body_limit = INT64_MAX;
	ex->reply.length = REPLY_LENGTH_TRUE;
	ex->waiting.ms = WAITING_NEW;
	ex->scep.pki_status = ex->scep.fail_info = -1;
	ex->started_ms = clock_ticks_ms();
}

struct exchange_block {
	struct exchange_block *next;
	max_align_t data[];
};

void *
exchange_alloc(struct exchange *ex, size_t size)
{
	struct exchange_block *block = calloc(1, sizeof(*block) + size);

	if (block == NULL)
		return NULL;
	block->next = ex->blocks;
	ex->blocks = block;
	return block->data;
}

void
exchange_trim(struct exchange *ex)
{
	struct exchange_block *block;

	buffer_free(&ex->request.body);
	while (ex->reply.header_count > 0)
		free(ex->reply.headers[--ex->reply.header_count].value);
	blob_free(&ex->reply.body);
	ex->reply.reason = NULL;
	ex->wire.prefix = SPAN_EMPTY;
	while ((block = ex->blocks) != NULL) {
		ex->blocks = block->next;
		free(block);
	}
}

void
exchange_clear(struct exchange *ex)
{
	events_free(ex->events);
	ex->events = NULL;
	free(ex->request.asked);
	free(ex->request.headers);
	free(ex->request.memory);
	exchange_trim(ex);
}

__attribute__((format(printf, 6, 0))) static struct event *
events_addv(struct event **at, const char *log, const char *source, int id,
    const char *level, const char *fmt, va_list ap)
{
	struct event *event = calloc(1, sizeof(*event));

	if (event == NULL)
		return NULL;
	if (vasprintf(&event->text, fmt, ap) == -1) {
		free(event);
		return NULL;
	}
	event->log = log;
	event->source = source;
	event->id = id;
	event->level = level;
	while (*at != NULL)
		at = &(*at)->next;
	return *at = event;
}

struct event *
events_add(struct event **list, const char *log, const char *source, int id,
    const char *level, const char *fmt, ...)
{
	struct event *event;
	va_list ap;

	va_start(ap, fmt);
	event = events_addv(list, log, source, id, level, fmt, ap);
	va_end(ap);
	return event;
}

void
events_free(struct event *event)
{
	struct event *next;

	for (; event != NULL; event = next) {
		next = event->next;
		free(event->text);
		free(event);
	}
}

void
exchange_event(struct exchange *ex, const char *log, const char *source, int id,
    const char *level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	events_addv(&ex->events, log, source, id, level, fmt, ap);
	va_end(ap);
}

void
exchange_answer(struct exchange *ex, enum layer layer, int status,
    int substatus, uint32_t win32)
{
	ex->verdict.layer = layer;
	ex->verdict.status = ex->reply.status = status;
	ex->verdict.substatus = substatus;
	ex->verdict.win32 = win32;
}
