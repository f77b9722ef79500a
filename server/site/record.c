/* What is left of an exchange: logs and journal. */
#include "site/inside.h"

#include <string.h>

static void
log_form(const struct stack_state *state, struct iis_log_form *form)
{
	form->version = windows_server_header(state->windows) +
	    strlen("Microsoft-IIS/");
	form->referer = state->windows > WINDOWS_2008R2;
	form->bytes = state->iis.log_fields == LOG_FIELDS_ARTICLE;
}

void
site_commit(struct sites *sites, struct exchange *ex)
{
	struct snapshot *s = ex->snapshot;
	struct iis_log_form form;
	struct error err = { 0 };

	if (s == NULL)
		return;
	ex->snapshot = NULL;
	faults_note(&s->scenario->faults, &ex->decision, &ex->notes);
	log_form(&s->state, &form);
	if (log_files_write(s->site->logs, ex, &form, &err) == -1 &&
	    sites->options.narrate != NULL)
		sites->options.narrate(sites->options.cls, err.text);
	if (sites->options.narrate != NULL)
		narrate(ex, &form, sites->options.narrate, sites->options.cls);
	pthread_mutex_lock(&s->site->lock);
	journal_add(&s->site->journal, ex);
	pthread_mutex_unlock(&s->site->lock);
	snapshot_free(s);
}

bool
site_journal(struct site *site, uint64_t seq, struct journal_entry *out)
{
	const struct journal_entry *entry;

	pthread_mutex_lock(&site->lock);
	if ((entry = journal_from(&site->journal, seq)) != NULL)
		*out = *entry;
	pthread_mutex_unlock(&site->lock);
	return entry != NULL;
}
