/* An entry of a journal as JSON. */
#include "evidence/entry.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

/* An object in the making, which may fail for lack of memory. */
struct object {
	json_t *json;
	bool failed;
};

static struct object
begin(void)
{
	return (struct object){ json_object(), false };
}

static void
add(struct object *o, const char *name, json_t *value)
{
	if (json_object_set_new(o->json, name, value) == -1)
		o->failed = true;
}

/* NULL if it has failed. */
static json_t *
end(struct object *o)
{
	if (!o->failed)
		return o->json;
	json_decref(o->json);
	return NULL;
}

/* NULL and empty: null. What is no UTF-8 is shown as if it were ASCII. */
static json_t *
text(const char *value)
{
	json_t *json;
	size_t size;
	char *copy;

	if (value == NULL || *value == '\0')
		return json_null();
	if ((json = json_string(value)) != NULL)
		return json;
	size = strlen(value) + 1;
	if ((copy = malloc(size)) == NULL)
		return NULL;
	json = json_string(entry_printable(copy, size, span_text(value)));
	free(copy);
	return json;
}

static json_t *
number(bool known, json_int_t value)
{
	return known ? json_integer(value) : json_null();
}

/* RFC 3339 */
static json_t *
time_text(int64_t at)
{
	struct tm tm = clock_utc(at);

	return json_sprintf("%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900,
	    tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static json_t *
source_text(const struct endpoint *e)
{
	char ip[ENDPOINT_TEXT_SIZE];

	if (e->address.any.sa_family == AF_UNSPEC)
		return json_null();
	endpoint_text(e, ip);
	return json_sprintf(strchr(ip, ':') == NULL ? "%s:%u" : "[%s]:%u", ip,
	    endpoint_port(e));
}

static json_t *
request_json(const struct scep_facts *f)
{
	struct object o = begin();

	add(&o, "message_type", text(f->type_name));
	add(&o, "transaction_id", text(f->transaction_id));
	add(&o, "subject", text(f->subject));
	add(&o, "sans", text(f->sans));
	add(&o, "signer", text(f->signer));
	add(&o, "signer_serial", text(f->signer_serial));
	add(&o, "signed_by", text(f->signed_by));
	add(&o, "digest", text(f->digest));
	add(&o, "cipher", text(f->cipher));
	add(&o, "encoding",
	    text(f->message_type == 0 ? NULL :
		    f->ber	      ? "BER" :
					"DER"));
	add(&o, "challenge", text(f->challenge));
	return end(&o);
}

static json_t *
finding_json(const struct finding *f)
{
	struct object o = begin();

	add(&o, "name", text(f->name));
	add(&o, "kind", text(finding_kind_name(f->kind)));
	add(&o, "text", text(f->text));
	add(&o, "rule", text(f->rule));
	add(&o, "note", text(f->note));
	return end(&o);
}

/* -1 without memory. */
static int
add_findings(json_t *list, const struct findings *found)
{
	const struct finding *f;

	for (unsigned at = 0; (f = findings_next(found, &at)) != NULL;)
		if (json_array_append_new(list, finding_json(f)) == -1)
			return -1;
	return 0;
}

static json_t *
findings_json(const struct scep_facts *f)
{
	json_t *list = json_array();

	if (add_findings(list, &f->http_findings) == 0 &&
	    add_findings(list, &f->message_findings) == 0)
		return list;
	json_decref(list);
	return NULL;
}

static json_t *
rule_json(const struct rule_notes *notes, const struct rule_note *n)
{
	struct object o = begin();

	add(&o, "file", text(notes->files[n->file]));
	add(&o, "line", json_integer(n->line));
	add(&o, "applies", json_boolean(n->unmet == NULL));
	add(&o, "turn", number(n->turn != 0, n->turn));
	add(&o, "unmet", text(n->unmet));
	return end(&o);
}

static json_t *
rules_json(const struct rule_notes *notes)
{
	json_t *list = json_array();

	for (size_t i = 0; i < notes->count; i++)
		if (json_array_append_new(list,
			rule_json(notes, &notes->list[i])) == -1) {
			json_decref(list);
			return NULL;
		}
	return list;
}

static json_t *
verdict_json(const struct verdict *v)
{
	bool known = v->layer != LAYER_NONE;
	struct object o = begin();

	add(&o, "layer", text(known ? layer_name(v->layer) : NULL));
	add(&o, "status", number(v->status != 0, v->status));
	add(&o, "substatus", number(known, v->substatus));
	add(&o, "win32", number(known, v->win32));
	add(&o, "reason", text(v->reason));
	return end(&o);
}

static json_t *
reply_json(const struct journal_entry *e)
{
	const struct scep_facts *f = &e->scep;
	struct object o = begin();

	add(&o, "status", number(e->status != 0, e->status));
	add(&o, "content_type", text(e->content_type));
	add(&o, "pki_status",
	    text(f->pki_status < 0 ? NULL : pki_status_name(f->pki_status)));
	add(&o, "fail_info",
	    text(f->fail_info < 0 ? NULL : fail_info_name(f->fail_info)));
	add(&o, "fail_info_number", number(f->fail_info >= 0, f->fail_info));
	add(&o, "serial", text(f->serial));
	add(&o, "bytes", json_integer((json_int_t)e->sent));
	add(&o, "ended", text(ending_name(e->ending)));
	return end(&o);
}

static json_t *
raw_json(const struct journal_entry *e)
{
	struct object o = begin();

	add(&o, "request_bytes", json_integer((json_int_t)e->request.len));
	add(&o, "request_cut", json_boolean(e->request_cut));
	add(&o, "reply_bytes", json_integer((json_int_t)e->reply.len));
	add(&o, "reply_cut", json_boolean(e->reply_cut));
	return end(&o);
}

json_t *
journal_entry_json(const struct journal_entry *e)
{
	struct object o = begin();

	add(&o, "seq", json_integer((json_int_t)e->seq));
	add(&o, "time", time_text(e->at));
	add(&o, "duration_ms", json_integer(e->duration_ms));
	add(&o, "source", source_text(&e->source));
	add(&o, "method", text(e->method));
	add(&o, "target", text(e->target));
	add(&o, "target_length", json_integer((json_int_t)e->target_length));
	add(&o, "user_agent", text(e->user_agent));
	add(&o, "operation", text(e->scep.operation));
	add(&o, "request", request_json(&e->scep));
	add(&o, "findings", findings_json(&e->scep));
	add(&o, "rules", rules_json(&e->notes));
	add(&o, "more_rules", json_integer(e->notes.more));
	add(&o, "verdict", verdict_json(&e->verdict));
	add(&o, "reply", reply_json(e));
	add(&o, "why", text(e->scep.why));
	add(&o, "raw", raw_json(e));
	return end(&o);
}
