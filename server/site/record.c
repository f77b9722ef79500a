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
site_commit(struct exchange *ex)
{
	struct snapshot *s = ex->snapshot;
	const struct sites_options *options;
	struct site *site;
	struct iis_log_form form;
	struct error err = { 0 };

	if (s == NULL)
		return;
	site = s->site;
	options = &site->sites->options;
	ex->snapshot = NULL;
	faults_note(&s->scenario->faults, &ex->decision, &ex->notes);
	log_form(&s->state, &form);
	if (log_files_write(site->logs, ex, &form, &err) == -1 &&
	    options->narrate != NULL)
		options->narrate(options->cls, err.text);
	if (options->narrate != NULL)
		narrate(ex, &form, options->narrate, options->cls);
	journal_add(site->journal, ex);
	snapshot_free(s);
	site_unref(site);
}
