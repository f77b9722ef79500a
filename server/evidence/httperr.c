#include "evidence/w3c.h"

#include <stdio.h>
#include <string.h>

#define URI_MAX 4096
#define SITE_ID 1 /* of the Default Web Site */

bool
httperr_wants(const struct exchange *ex)
{
	return ex->verdict.layer == LAYER_HTTP_SYS;
}

static bool
has_stream_id(const struct iis_log_form *form)
{
	return strncmp(form->version, "10.", 3) == 0;
}

void
httperr_header(const struct iis_log_form *form, int64_t at, struct buffer *b)
{
	buffer_add_text(b,
	    "#Software: Microsoft HTTP API 2.0\r\n"
	    "#Version: 1.0\r\n#Date: ");
	w3c_time(b, at);
	buffer_printf(b,
	    "\r\n#Fields: date time c-ip c-port s-ip s-port "
	    "cs-version cs-method cs-uri%s sc-status s-siteid "
	    "s-reason s-queuename\r\n",
	    has_stream_id(form) ? " streamid" : "");
}

bool
httperr_turns(struct iis_log_place *place, const struct iis_log_form *form)
{
	bool same = place->form.version != NULL &&
	    has_stream_id(&place->form) == has_stream_id(form);

	place->form = *form;
	return !same;
}

/* A site is named with the queue of its pool, or not at all (7.2 [C]). */
void
httperr_line(const struct exchange *ex, const struct iis_log_form *form,
    struct buffer *b)
{
	const struct request *r = &ex->request;
	const struct verdict *v = &ex->verdict;
	struct span uri = span_text(r->target);
	char ip[ENDPOINT_TEXT_SIZE], status[16] = "", site[16] = "";
	size_t start = b->len;

	if (uri.len > URI_MAX)
		uri.len = URI_MAX;
	if (v->status != 0)
		snprintf(status, sizeof(status), "%d", v->status);
	if (v->queue != NULL)
		snprintf(site, sizeof(site), "%d", SITE_ID);
	w3c_time(b, ex->at);
	w3c_text(b, endpoint_text(&r->source, ip));
	buffer_printf(b, " %u", endpoint_port(&r->source));
	w3c_text(b, endpoint_text(&r->local, ip));
	buffer_printf(b, " %u", endpoint_port(&r->local));
	w3c_text(b, r->version);
	w3c_text(b, r->method);
	w3c_field(b, uri);
	if (has_stream_id(form))
		buffer_add_text(b, " -");
	w3c_text(b, status);
	w3c_text(b, site);
	w3c_text(b, v->reason);
	w3c_text(b, v->queue);
	w3c_cut(b, start);
}
