/* What a test is told of the exchanges that are over. */
#include <jansson.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "handles.h"

#define RULES_SIZE 256

/* Texts are those of the entry, which lives as long. */
struct told {
	struct mockndes_request request; /* first: all that is public */
	struct journal_entry *entry;
	char source[ENDPOINT_TEXT_SIZE], rules[RULES_SIZE];
	char *json;
};

static const char *
text(const char *text)
{
	return text == NULL ? "" : text;
}

static void
tell_rules(struct told *t)
{
	const struct rule_notes *notes = &t->entry->notes;
	size_t len = 0;

	t->request.rules = t->rules;
	for (size_t i = 0; i < notes->count && len < sizeof(t->rules); i++) {
		const struct rule_note *note = &notes->list[i];

		if (note->unmet != NULL)
			continue;
		if (len == 0)
			t->request.rule_turn = note->turn;
		len += (size_t)snprintf(t->rules + len, sizeof(t->rules) - len,
		    "%s%s:%d", len == 0 ? "" : " ", notes->files[note->file],
		    note->line);
	}
}

static void
tell_answer(struct mockndes_request *r, const struct journal_entry *e)
{
	r->layer = layer_name(e->verdict.layer);
	r->status = e->status;
	r->substatus = e->verdict.substatus;
	r->win32 = e->verdict.win32;
	r->pki_status = e->scep.pki_status;
	r->fail_info = e->scep.fail_info;
	r->serial = e->scep.serial;
	r->why = e->scep.why;
	r->ended = ending_name(e->ending);
}

static void
tell(struct told *t)
{
	struct mockndes_request *r = &t->request;
	const struct journal_entry *e = t->entry;

	r->seq = e->seq;
	r->at = e->at;
	r->duration_ms = e->duration_ms;
	r->source = endpoint_text(&e->source, t->source);
	r->method = e->method;
	r->target = e->target;
	r->user_agent = e->user_agent;
	r->operation = text(e->scep.operation);
	r->message_type = text(e->scep.type_name);
	r->transaction_id = e->scep.transaction_id;
	r->subject = e->scep.subject;
	r->challenge = text(e->scep.challenge);
	r->json = t->json;
	tell_answer(r, e);
	tell_rules(t);
}

/* Takes over the entry. */
static struct mockndes_request *
request_new(struct journal_entry *e, uint64_t lost)
{
	struct told *t = calloc(1, sizeof(*t));
	json_t *json = journal_entry_json(e);

	if (t == NULL || (t->json = json_dumps(json, JSON_COMPACT)) == NULL) {
		json_decref(json);
		journal_entry_free(e);
		free(t);
		return NULL;
	}
	json_decref(json);
	t->entry = e;
	t->request.lost = lost;
	tell(t);
	return &t->request;
}

void
mockndes_request_free(struct mockndes_request *request)
{
	struct told *t = (struct told *)request;

	if (t == NULL)
		return;
	journal_entry_free(t->entry);
	free(t->json);
	free(t);
}

struct mockndes_request *
mockndes_next_request(struct mockndes_site *h, const char *operation,
    unsigned timeout_ms)
{
	const struct journal_filter filter = { .operation = operation };
	struct journal *journal = handle_journal(h);
	int64_t left, end = clock_ticks_ms() + timeout_ms;
	uint64_t since = atomic_load(handle_taken(h)), lost;
	struct journal_entry *e;

	for (;;) {
		left = end - clock_ticks_ms();
		e = journal_wait(journal, since, &filter, left > 0 ? left : 0);
		if (e == NULL)
			return NULL;
		/* Another thread may have taken this one, or one behind it. */
		if (atomic_compare_exchange_strong(handle_taken(h), &since,
			e->seq))
			break;
		journal_entry_free(e);
	}
	lost = journal_lost(journal, since);
	return request_new(e,
	    lost < e->seq - since ? lost : e->seq - since - 1);
}

size_t
mockndes_count_requests(struct mockndes_site *h, const char *operation)
{
	const struct journal_filter filter = { .operation = operation };

	return journal_count(handle_journal(h), &filter);
}

void
mockndes_forget_requests(struct mockndes_site *h)
{
	journal_clear(handle_journal(h));
}
