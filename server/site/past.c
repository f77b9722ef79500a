/* What a site's logs hold before anybody has come. */
#include "site/inside.h"

#include <stdlib.h>
#include <string.h>

/* Each line of a text is one of its own. */
static void
add_lines(struct event **events, enum evidence in, const char *text)
{
	for (size_t len; *text != '\0'; text += len + (text[len] != '\0')) {
		len = strcspn(text, "\n");
		events_add(events, evidence_lines(in), NULL, 0, "", "%.*s",
		    (int)(len - (len > 0 && text[len - 1] == '\r')), text);
	}
}

static void
add_told(struct event **events, const struct scenario *scenario)
{
	for (size_t i = 0; i < scenario->evidence_count; i++) {
		const struct scenario_evidence *e = &scenario->evidence[i];

		if (e->in >= EVIDENCE_LOGS)
			continue;
		if (e->source != NULL)
			events_add(events, evidence_events(e->in), e->source,
			    e->id, e->level, "%s", e->text);
		else
			add_lines(events, e->in, e->text);
	}
}

void
site_past(struct site *site)
{
	struct snapshot *s = site_now(site);
	const struct sites_options *options = &site->sites->options;
	int64_t now = clock_now(&site->clock);
	struct stack_past past = { .state = &s->state };
	struct error err = { 0 };
	struct iis_log_form form;

	site_log_form(&s->state, &form);
	stack_past(&past);
	add_told(&past.events, s->scenario);
	log_memory_add_events(site->evidence, past.events, now, &form);
	if (log_files_write_events(site->logs, past.events, now, &form, &err) ==
		-1 &&
	    options->narrate != NULL)
		site_say(site, err.text);
	events_free(past.events);
	snapshot_free(s);
}
