#include "evidence/w3c.h"

#include <string.h>

#include "base/clock.h"

#define CLIENT_GONE 64 /* ERROR_NETNAME_DELETED */

bool
iis_log_wants(const struct exchange *ex)
{
	return ex->verdict.layer >= LAYER_IIS && ex->verdict.layer < LAYER_MOCK;
}

void
iis_log_header(const struct iis_log_form *form, int64_t at, struct buffer *b)
{
	buffer_printf(b,
	    "#Software: Microsoft Internet Information Services "
	    "%s\r\n#Version: 1.0\r\n#Date: ",
	    form->version);
	w3c_time(b, at);
	buffer_printf(b,
	    "\r\n#Fields: date time s-ip cs-method cs-uri-stem "
	    "cs-uri-query s-port cs-username c-ip cs(User-Agent)%s sc-status "
	    "sc-substatus sc-win32-status%s time-taken\r\n",
	    form->referer ? " cs(Referer)" : "",
	    form->bytes ? " sc-bytes" : "");
}

bool
iis_log_turns(struct iis_log_place *place, const struct iis_log_form *form,
    int64_t at)
{
	struct tm tm = clock_utc(at);
	const struct iis_log_place now = { *form,
		tm.tm_year * 1000 + tm.tm_yday };
	bool same = place->day == now.day && place->form.version != NULL &&
	    strcmp(place->form.version, form->version) == 0 &&
	    place->form.referer == form->referer &&
	    place->form.bytes == form->bytes;

	*place = now;
	place->form.s_ip = place->form.c_ip = NULL; /* they may go away */
	return !same;
}

/* The stem is logged with its escapes resolved, the query raw. */
static void
add_stem(struct buffer *b, struct span path)
{
	struct buffer plain = { 0 };
	int c, escaped;

	for (size_t i = 0; i < path.len; i++) {
		c = path.data[i];
		if (c == '%' && (escaped = span_hex_pair(path, i + 1)) != -1) {
			c = escaped;
			i += 2;
		}
		buffer_add_byte(&plain, (uint8_t)c);
	}
	w3c_field(b, buffer_span(&plain));
	buffer_free(&plain);
}

/* Of an answer that another layer took nobody knows who would have left. */
static bool
is_client_gone(const struct exchange *ex)
{
	return ex->ending == ENDED_CLIENT_LEFT && ex->verdict.octets == 0;
}

void
iis_log_line(const struct exchange *ex, const struct iis_log_form *form,
    struct buffer *b)
{
	const struct request *r = &ex->request;
	const struct verdict *v = &ex->verdict;
	char ip[ENDPOINT_TEXT_SIZE];
	size_t start = b->len;

	w3c_time(b, ex->at);
	w3c_text(b,
	    form->s_ip != NULL ? form->s_ip : endpoint_text(&r->local, ip));
	w3c_text(b, r->method);
	add_stem(b, r->path);
	w3c_field(b, r->query);
	buffer_printf(b, " %u",
	    form->s_port != 0 ? form->s_port : endpoint_port(&r->local));
	w3c_text(b, ex->user);
	w3c_text(b,
	    form->c_ip != NULL ? form->c_ip : endpoint_text(&r->source, ip));
	w3c_text(b, request_header(r, "User-Agent"));
	if (form->referer)
		w3c_text(b, request_header(r, "Referer"));
	buffer_printf(b, " %d %d %u", v->status, v->substatus,
	    is_client_gone(ex) && v->win32 == 0 ? CLIENT_GONE : v->win32);
	if (form->bytes)
		buffer_printf(b, " %llu",
		    (unsigned long long)(v->octets != 0 ? v->octets :
							  ex->sent));
	buffer_printf(b, " %lld", (long long)ex->duration_ms);
	w3c_cut(b, start);
}
