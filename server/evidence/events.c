/* Events and lines of text logs, and the logs that they go to. */
#include "evidence/record.h"

#include <string.h>

#include "evidence/w3c.h"

#define COMPUTER "NDESServer01"	       /* as in the pages of NDES */
#define CA_COMPUTER "CA01.contoso.com" /* as in CAInfo of the registry */

/*
 * `events`, `lines`: what `log` of an event says; `more`: what it begins with,
 * beside. NULL: there are none.
 */
static const struct {
	const char *events, *lines, *more;
	const char *file; /* of those that are no W3C logs */
} logs[EVIDENCE_LOGS] = {
	[EVIDENCE_IIS_LOG] = { NULL, "W3SVC1", NULL, NULL },
	[EVIDENCE_HTTPERR_LOG] = { NULL, "HTTPERR", NULL, NULL },
	[EVIDENCE_APPLICATION_LOG] = { "Application", NULL, NULL,
	    "Application.log" },
	[EVIDENCE_SYSTEM_LOG] = { "System", NULL, NULL, "System.log" },
	[EVIDENCE_CAPI2_LOG] = { "Microsoft-Windows-CAPI2/Operational", NULL,
	    NULL, "CAPI2.log" },
	[EVIDENCE_POLICY_MODULE_LOG] = { NULL, "NDESPlugin.log", NULL,
	    "NDESPlugin.log" },
	[EVIDENCE_CONNECTOR_LOG] = { "Microsoft Intune Connector",
	    "CertificateRegistrationPoint.svclog",
	    "Microsoft-Intune-CertificateConnectors/", "Connector.log" },
};

const char *
evidence_events(enum evidence e)
{
	return e < EVIDENCE_LOGS ? logs[e].events : NULL;
}

const char *
evidence_lines(enum evidence e)
{
	return e < EVIDENCE_LOGS ? logs[e].lines : NULL;
}

const char *
evidence_file(enum evidence e)
{
	return e < EVIDENCE_LOGS ? logs[e].file : NULL;
}

static bool
is_in(const struct event *event, int e)
{
	const char *log = event->source != NULL ? logs[e].events :
						  logs[e].lines;
	const char *more = event->source != NULL ? logs[e].more : NULL;

	return (log != NULL && strcmp(log, event->log) == 0) ||
	    (more != NULL && strncmp(more, event->log, strlen(more)) == 0);
}

enum evidence
evidence_of(const struct event *event)
{
	int e = 0;

	while (e < EVIDENCE_LOGS && !is_in(event, e))
		e++;
	return (enum evidence)e;
}

/*
 * What a log shows beside, by the source, and by the id unless it is 0; the
 * last row is of all others.
 */
static const struct appearance {
	const char *source;
	int id;
	const char *category, *keywords, *computer;
	bool one_line; /* the text begins behind "Description:" */
} appearances[] = {
	/* As the article prints event 1000 [C] (ndes-facts 8.4). */
	{ "Application Error", 0, "Application Crashing Events", "Classic",
	    COMPUTER, true },
	/* 9.3: of 11 and 30 [C], of the others assumed. */
	{ "Microsoft-Windows-CAPI2", 11, "Build Chain", "", COMPUTER, false },
	{ "Microsoft-Windows-CAPI2", 30, "Verify Chain Policy", "", COMPUTER,
	    false },
	{ "Microsoft-Windows-CAPI2", 41, "Verify Revocation", "", COMPUTER,
	    false },
	{ "Microsoft-Windows-CAPI2", 53, "Retrieve Object from Network", "",
	    COMPUTER, false },
	/* In the CA's own log, which is shown with that of NDES. */
	{ "Microsoft-Windows-CertificationAuthority", 0, "None", "",
	    CA_COMPUTER, false },
	{ NULL, 0, "None", "", COMPUTER, false },
};

static const struct appearance *
appearance_of(const struct event *event)
{
	const struct appearance *a = appearances;

	while (a->source != NULL &&
	    (strcmp(a->source, event->source) != 0 ||
		(a->id != 0 && a->id != event->id)))
		a++;
	return a;
}

void
event_print(const struct event *event, int64_t at, struct buffer *out)
{
	const struct appearance *a = appearance_of(event);

	buffer_printf(out,
	    "Log Name:      %s\r\n"
	    "Source:        %s\r\n"
	    "Date:          ",
	    event->log, event->source);
	w3c_time(out, at);
	buffer_printf(out,
	    "\r\nEvent ID:      %d\r\n"
	    "Task Category: %s\r\n"
	    "Level:         %s\r\n"
	    "Keywords:      %s\r\n"
	    "Computer:      %s\r\n"
	    "Description:%s",
	    event->id, a->category, event->level, a->keywords, a->computer,
	    a->one_line ? " " : "\r\n");
	for (const char *c = event->text; *c != '\0'; c++) {
		if (*c == '\n' && (c == event->text || c[-1] != '\r'))
			buffer_add_byte(out, '\r');
		buffer_add_byte(out, (uint8_t)*c);
	}
	buffer_add_text(out, "\r\n\r\n");
}

void
line_print(const char *text, int64_t at, struct buffer *out)
{
	w3c_time(out, at);
	buffer_printf(out, " %s\r\n", text);
}
