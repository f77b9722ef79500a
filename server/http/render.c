/*
 * The bytes of an answer. An ordinary one is what libmicrohttpd sends: it does
 * so itself, here is what that comes to. Edited ones differ in their edits.
 */
#include "http/inside.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CHUNK_SIZE 512 /* octets, so that most answers have some */

/* Writes octets, or counts them if there is nowhere to put them. */
struct pen {
	uint8_t *to;
	size_t len;
};

static void
put(struct pen *p, const void *data, size_t len)
{
	if (p->to != NULL && len > 0)
		memcpy(p->to + p->len, data, len);
	p->len += len;
}

static void
put_text(struct pen *p, const char *text)
{
	put(p, text, strlen(text));
}

static void
put_number(struct pen *p, uint64_t number, unsigned base)
{
	char text[20];
	size_t at = sizeof(text);

	do
		text[--at] = "0123456789abcdef"[number % base];
	while ((number /= base) > 0);
	put(p, text + at, sizeof(text) - at);
}

static void
put_header(struct pen *p, const char *name, const char *value)
{
	put_text(p, name);
	put_text(p, ": ");
	put_text(p, value);
	put_text(p, "\r\n");
}

static bool
is_head(const struct exchange *ex)
{
	return ex->request.method != NULL &&
	    strcmp(ex->request.method, "HEAD") == 0;
}

/* RFC 9110 15.3.5, 15.4.5: no client looks for a body there. */
static bool
is_bodiless(const struct reply *r)
{
	return r->status == 204 || r->status == 304;
}

/* Whether a client finds the end of it without that of the connection. */
static bool
ends_by_itself(const struct exchange *ex)
{
	const struct reply *r = &ex->reply;

	if (is_head(ex))
		return true;
	if (is_bodiless(r))
		return r->body.len == 0 && !r->chunked && r->length <= 0;
	if (r->chunked)
		return r->length < 0;
	return r->length == REPLY_LENGTH_TRUE ||
	    r->length == (int64_t)r->body.len;
}

/* As libmicrohttpd 0.9.75 decides it. */
bool
reply_keeps_connection(const struct exchange *ex)
{
	const char *asked = request_header(&ex->request, "Connection");
	const char *version = ex->request.version;

	if (ex->wire.exact || ex->reply.close || ex->reply.version != NULL ||
	    !ends_by_itself(ex) || version == NULL)
		return false;
	if (asked != NULL && strcasestr(asked, "close") != NULL)
		return false;
	return strcmp(version, "HTTP/1.0") != 0 ||
	    (asked != NULL && strcasestr(asked, "keep-alive") != NULL);
}

static void
put_connection(struct pen *p, const struct exchange *ex)
{
	const char *says = ex->reply.connection;

	if (says == NULL && !reply_keeps_connection(ex))
		says = "close";
	else if (says == NULL && strcmp(ex->request.version, "HTTP/1.0") == 0)
		says = "Keep-Alive";
	if (says != NULL && *says != '\0')
		put_header(p, "Connection", says);
}

static void
put_length(struct pen *p, const struct reply *r)
{
	if (r->chunked)
		put_header(p, "Transfer-Encoding", "chunked");
	if (r->length == REPLY_LENGTH_ABSENT ||
	    (r->length == REPLY_LENGTH_TRUE &&
		(r->chunked || (is_bodiless(r) && r->body.len == 0))))
		return;
	put_text(p, "Content-Length: ");
	put_number(p, r->length < 0 ? r->body.len : (uint64_t)r->length, 10);
	put_text(p, "\r\n");
}

static void
put_head(struct pen *p, const struct exchange *ex)
{
	const struct reply *r = &ex->reply;

	put_text(p, r->version != NULL ? r->version : "HTTP/1.1");
	put_text(p, " ");
	put_number(p, (uint64_t)r->status, 10);
	put_text(p, " ");
	put_text(p, r->reason != NULL ? r->reason : reason_phrase(r->status));
	put_text(p, "\r\n");
	/* http.sys has it near the end. */
	if (!ex->wire.exact)
		put_connection(p, ex);
	for (size_t i = 0; i < r->header_count; i++)
		put_header(p, r->headers[i].name, r->headers[i].value);
	if (ex->wire.exact)
		put_connection(p, ex);
	put_length(p, r);
	put_text(p, "\r\n");
}

/* RFC 9112 7.1 */
static void
put_chunks(struct pen *p, struct span body)
{
	size_t len;

	for (size_t at = 0; at < body.len; at += len) {
		len = body.len - at < CHUNK_SIZE ? body.len - at : CHUNK_SIZE;
		put_number(p, len, 16);
		put_text(p, "\r\n");
		put(p, body.data + at, len);
		put_text(p, "\r\n");
	}
	put_text(p, "0\r\n\r\n");
}

static void
put_reply(struct pen *p, const struct exchange *ex)
{
	put_head(p, ex);
	if (is_head(ex))
		return;
	if (ex->reply.chunked)
		put_chunks(p, blob_span(&ex->reply.body));
	else
		put(p, ex->reply.body.data, ex->reply.body.len);
}

uint64_t
render_size(const struct exchange *ex)
{
	struct pen p = { NULL, 0 };

	put_reply(&p, ex);
	return p.len;
}

uint64_t
http_answer_size(const struct exchange *ex)
{
	return ex->reply.status == 0 ? 0 : render_size(ex);
}

int
render_reply(const struct exchange *ex, struct blob *out)
{
	struct pen p = { malloc(render_size(ex)), 0 };

	*out = (struct blob){ NULL, 0 };
	if (p.to == NULL)
		return -1;
	put_reply(&p, ex);
	*out = (struct blob){ p.to, p.len };
	return 0;
}

/* Of which libmicrohttpd has its own idea. */
static bool
is_own_status(int status)
{
	return status == 204 || status == 304 || status == 413 ||
	    status == 414 || strcmp(reason_phrase(status), "Unknown") == 0;
}

static bool
is_own_header(const char *name, const char *value)
{
	return *name == '\0' || strpbrk(name, " \t\r\n") != NULL ||
	    *value == '\0' || strpbrk(value, "\t\r\n") != NULL ||
	    strcasecmp(name, "Connection") == 0 ||
	    strcasecmp(name, "Content-Length") == 0 ||
	    strcasecmp(name, "Transfer-Encoding") == 0;
}

bool
reply_is_ordinary(const struct exchange *ex)
{
	const struct reply *r = &ex->reply;
	size_t dates = 0;

	if (!wire_is_ordinary(&ex->wire) || r->reason != NULL ||
	    r->version != NULL || r->connection != NULL ||
	    r->length != REPLY_LENGTH_TRUE || r->chunked ||
	    is_own_status(r->status))
		return false;
	for (size_t i = 0; i < r->header_count; i++) {
		if (is_own_header(r->headers[i].name, r->headers[i].value))
			return false;
		dates += strcasecmp(r->headers[i].name, "Date") == 0;
	}
	return dates <= 1;
}
