/* The bytes of an answer: all of them, in the order they were given. */
#include "http/inside.h"

#include <string.h>
#include <strings.h>

static bool
has_no_body(const struct exchange *ex)
{
	return ex->request.method != NULL &&
	    strcmp(ex->request.method, "HEAD") == 0;
}

int
render_reply(const struct exchange *ex, struct blob *out)
{
	const struct reply *r = &ex->reply;
	struct buffer b = { 0 };

	buffer_printf(&b, "HTTP/1.1 %d %s\r\n", r->status,
	    r->reason != NULL ? r->reason : reason_phrase(r->status));
	for (size_t i = 0; i < r->header_count; i++)
		buffer_printf(&b, "%s: %s\r\n", r->headers[i].name,
		    r->headers[i].value);
	if (reply_header_value(r, "Connection") == NULL)
		buffer_add_text(&b, "Connection: close\r\n");
	if (reply_header_value(r, "Content-Length") == NULL)
		buffer_printf(&b, "Content-Length: %zu\r\n", r->body.len);
	buffer_add_text(&b, "\r\n");
	if (!has_no_body(ex))
		buffer_add_span(&b, blob_span(&r->body));
	return buffer_finish(&b, out);
}

static size_t
digits(size_t n)
{
	size_t count = 1;

	while (n >= 10) {
		n /= 10;
		count++;
	}
	return count;
}

/* What libmicrohttpd 0.9.75 puts there by itself. */
static size_t
connection_header_size(const struct exchange *ex)
{
	const char *asked = request_header(&ex->request, "Connection");
	bool old = strcmp(ex->request.version, "HTTP/1.0") == 0;

	if (ex->reply.close ||
	    (asked != NULL && strcasestr(asked, "close") != NULL))
		return strlen("Connection: close\r\n");
	if (!old)
		return 0;
	return asked != NULL && strcasestr(asked, "keep-alive") != NULL ?
	    strlen("Connection: Keep-Alive\r\n") :
	    strlen("Connection: close\r\n");
}

uint64_t
render_ordinary_size(const struct exchange *ex, bool head_only)
{
	const struct reply *r = &ex->reply;
	size_t size = strlen("HTTP/1.1 200 \r\n") +
	    strlen(reason_phrase(r->status)) + strlen("\r\n") +
	    strlen("Content-Length: \r\n") + digits(r->body.len) +
	    connection_header_size(ex);

	for (size_t i = 0; i < r->header_count; i++)
		if (strcasecmp(r->headers[i].name, "Content-Length") != 0 &&
		    strcasecmp(r->headers[i].name, "Connection") != 0)
			size += strlen(r->headers[i].name) +
			    strlen(r->headers[i].value) + strlen(": \r\n");
	return size + (head_only ? 0 : r->body.len);
}
