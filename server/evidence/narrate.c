/* --verbose: what happened, for a person who watches. */
#include "evidence/entry.h"

#include <string.h>

static void
tell(struct buffer *b, void (*say)(void *, const char *), void *cls)
{
	buffer_add_byte(b, 0);
	if (!b->failed)
		say(cls, (char *)b->data);
	buffer_free(b);
}

static const char *
or_dash(const char *s)
{
	return s == NULL || *s == '\0' ? "-" : s;
}

static void
add_scep(struct buffer *b, const struct scep_facts *s)
{
	buffer_printf(b,
	    "  scep: %s transaction %s subject \"%s\" "
	    "challenge %s digest %s cipher %s%s",
	    or_dash(s->type_name), or_dash(s->transaction_id), s->subject,
	    or_dash(s->challenge), or_dash(s->digest), or_dash(s->cipher),
	    s->ber ? " BER" : "");
	if (s->pki_status >= 0)
		buffer_printf(b, " -> %s", pki_status_name(s->pki_status));
	if (s->fail_info >= 0)
		buffer_printf(b, " failInfo %d", s->fail_info);
	if (s->serial[0] != '\0')
		buffer_printf(b, " serial %s", s->serial);
	if (s->why[0] != '\0')
		buffer_printf(b, " (%s)", s->why);
}

/* Which rules of the scenario apply; of the others, what is not so. */
static void
add_rules(struct buffer *b, const struct rule_notes *notes)
{
	const struct rule_note *n = notes->list;

	buffer_add_text(b, "  rule: ");
	for (size_t i = 0; i < notes->count; i++, n++)
		buffer_printf(b, "%s%s:%d %s%s", i == 0 ? "" : "; ",
		    notes->files[n->file], n->line,
		    n->unmet == NULL ? "applies" : "not: ",
		    n->unmet == NULL ? "" : n->unmet);
	if (notes->more > 0)
		buffer_printf(b, "; and %u more", notes->more);
}

/* One line each: what it is, against which rule, and what comes of it. */
static void
tell_findings(struct buffer *b, const struct findings *found,
    void (*say)(void *, const char *), void *cls)
{
	const struct finding *f;

	for (unsigned at = 0; (f = findings_next(found, &at)) != NULL;) {
		buffer_printf(b, "  finding: %s: %s (%s",
		    finding_kind_name(f->kind), f->text, f->rule);
		if (f->note != NULL)
			buffer_printf(b, "; %s", f->note);
		buffer_add_text(b, ")");
		tell(b, say, cls);
	}
}

/* Those of a text log are lines and no more; other texts may have several. */
static void
add_event(struct buffer *b, const struct event *e)
{
	const char *text = e->text;

	buffer_printf(b, "  event: %s", e->log);
	if (e->source != NULL)
		buffer_printf(b, " %s %d %s", e->source, e->id, e->level);
	buffer_add_text(b, ": ");
	while (*text != '\0') {
		size_t len = strcspn(text, "\r\n");

		buffer_add(b, text, len);
		text += len + strspn(text + len, "\r\n");
		if (*text != '\0')
			buffer_add_byte(b, ' ');
	}
}

void
narrate(const struct exchange *ex, const struct iis_log_form *form,
    void (*say)(void *cls, const char *line), void *cls)
{
	struct buffer b = { 0 };

	if (iis_log_wants(ex)) {
		iis_log_line(ex, form, &b);
		tell(&b, say, cls);
	} else if (httperr_wants(ex)) {
		buffer_add_text(&b, "HTTPERR: ");
		httperr_line(ex, form, &b);
		tell(&b, say, cls);
	}
	if (ex->scep.message_type != 0 || ex->scep.why[0] != '\0') {
		add_scep(&b, &ex->scep);
		tell(&b, say, cls);
	}
	if (ex->notes.count > 0) {
		add_rules(&b, &ex->notes);
		tell(&b, say, cls);
	}
	tell_findings(&b, &ex->scep.http_findings, say, cls);
	tell_findings(&b, &ex->scep.message_findings, say, cls);
	for (const struct event *e = ex->events; e != NULL; e = e->next) {
		add_event(&b, e);
		tell(&b, say, cls);
	}
}
