/* What is left of an exchange: logs and journal. */
#include "site/inside.h"

#include <string.h>

static const char *
unless_empty(const char *text)
{
	return *text == '\0' ? NULL : text;
}

void
site_log_form(const struct stack_state *state, struct iis_log_form *form)
{
	form->version = windows_server_header(state->windows) +
	    strlen("Microsoft-IIS/");
	form->referer = state->windows > WINDOWS_2008R2;
	form->bytes = state->iis.log_fields == LOG_FIELDS_ARTICLE;
	form->s_ip = unless_empty(state->iis.log_s_ip);
	form->c_ip = unless_empty(state->iis.log_c_ip);
	form->s_port = (unsigned)state->iis.log_s_port;
}

/*
 * What was on its way to a client when its process died: that nothing more of
 * it goes out is http.sys's to log. What has gone out stays so.
 */
static void
lose(struct exchange *ex)
{
	int status = ex->reply.status;

	app_pool_drop(ex);
	ex->reply.status = status;
}

/* Who watches must know which site it is about. */
static void
say(void *cls, const char *line)
{
	const struct site *site = cls;
	const struct sites_options *o = &site->sites->options;
	struct buffer b = { 0 };

	if (site->kind == SITE_IS_DEFAULT) {
		o->narrate(o->cls, line);
		return;
	}
	buffer_printf(&b, "[%s] %s", site->id, line);
	buffer_add_byte(&b, '\0');
	if (!b.failed)
		o->narrate(o->cls, (char *)b.data);
	buffer_free(&b);
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
	if (ex->ending == ENDED_CUT && site_lost(site, ex))
		lose(ex);
	ex->snapshot = NULL;
	faults_note(&s->scenario->faults, &ex->decision, &ex->notes);
	site_log_form(&s->state, &form);
	if (log_files_write(site->logs, ex, &form, &err) == -1 &&
	    options->narrate != NULL)
		say(site, err.text);
	if (options->narrate != NULL)
		narrate(ex, &form, say, site);
	log_memory_add(site->evidence, ex, &form);
	journal_add(site->journal, ex);
	metrics_add(site->sites->metrics, ex);
	snapshot_free(s);
	site_unref(site);
}
