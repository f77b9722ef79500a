#include "evidence/w3c.h"

#define URI_MAX 4096

bool
httperr_wants(const struct exchange *ex)
{
	return ex->verdict.layer == LAYER_HTTP_SYS;
}

void
httperr_header(int64_t at, struct buffer *b)
{
	buffer_add_text(b,
	    "#Software: Microsoft HTTP API 2.0\r\n"
	    "#Version: 1.0\r\n#Date: ");
	w3c_time(b, at);
	buffer_add_text(b,
	    "\r\n#Fields: date time c-ip c-port s-ip s-port "
	    "cs-version cs-method cs-uri streamid sc-status s-siteid "
	    "s-reason s-queuename\r\n");
}

void
httperr_line(const struct exchange *ex, struct buffer *b)
{
	const struct request *r = &ex->request;
	struct span uri = span_text(r->target);
	char ip[ENDPOINT_TEXT_SIZE];
	size_t start = b->len;

	if (uri.len > URI_MAX)
		uri.len = URI_MAX;
	w3c_time(b, ex->at);
	w3c_text(b, endpoint_text(&r->source, ip));
	buffer_printf(b, " %u", endpoint_port(&r->source));
	w3c_text(b, endpoint_text(&r->local, ip));
	buffer_printf(b, " %u", endpoint_port(&r->local));
	w3c_text(b, r->version);
	w3c_text(b, r->method);
	w3c_field(b, uri);
	if (ex->verdict.status == 0)
		buffer_add_text(b, " - - -");
	else
		buffer_printf(b, " - %d -", ex->verdict.status);
	w3c_text(b, ex->verdict.reason);
	buffer_add_text(b, " -");
	w3c_cut(b, start);
}
