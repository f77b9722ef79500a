/* What is said of the server as a whole. */
#include "control/inside.h"
#include "control/openapi.h"

void
get_health(struct call *call)
{
	const struct control *c = call->control;

	call_json(call, 200,
	    json_pack("{ss, ss, ss, si}", "status", "ok", "version", c->version,
		"url", c->url, "connections", (int)http_connections(c->http)));
}

/* Read at one moment, for the rows below. */
struct numbers {
	const struct control *control;
	struct sites_count sites;
	struct journals_count journals;
};

static double
connections(const struct numbers *n)
{
	return http_connections(n->control->http);
}

static double
connection_limit(const struct numbers *n)
{
	return http_connection_limit(n->control->http);
}

static double
held(const struct numbers *n)
{
	return http_held(n->control->http);
}

static double
waiting(const struct numbers *n)
{
	return http_waiting(n->control->http);
}

static double
sites_now(const struct numbers *n)
{
	return n->sites.now;
}

static double
sites_most(const struct numbers *n)
{
	return n->sites.most;
}

static double
sites_opened(const struct numbers *n)
{
	return (double)n->sites.opened;
}

static double
sites_evicted(const struct numbers *n)
{
	return (double)n->sites.evicted;
}

static double
journal_octets(const struct numbers *n)
{
	return (double)n->journals.octets;
}

static double
journal_octets_max(const struct numbers *n)
{
	return (double)n->journals.octets_max;
}

static double
journal_entries(const struct numbers *n)
{
	return (double)n->journals.entries;
}

static double
journal_entries_lost(const struct numbers *n)
{
	return (double)n->journals.lost;
}

static double
evidence_octets(const struct numbers *n)
{
	return (double)log_memories_octets(sites_evidence(n->control->sites));
}

static double
evidence_octets_max(const struct numbers *n)
{
	(void)n;
	return (double)LOG_MEMORY_OCTETS;
}

static double
bodies_max(const struct numbers *n)
{
	(void)n;
	return (double)((uint64_t)HTTP_BODIES_MAX_MIB << 20);
}

static const struct metric {
	const char *name, *type, *help;
	double (*value)(const struct numbers *);
} metrics[] = {
	{ "mockndes_connections", "gauge",
	    "Open connections, without those of the control API.",
	    connections },
	{ "mockndes_connection_limit", "gauge",
	    "Connections that there can be.", connection_limit },
	{ "mockndes_held_connections", "gauge",
	    "Answers that are being held: delayed, dripped, hung.", held },
	{ "mockndes_waiting_requests", "gauge",
	    "Requests of the control API that wait for something to come.",
	    waiting },
	{ "mockndes_bodies_limit_bytes", "gauge",
	    "What the bodies of all requests may hold together.", bodies_max },
	{ "mockndes_sites", "gauge", "Sites that there are.", sites_now },
	{ "mockndes_sites_limit", "gauge", "Sites that there can be.",
	    sites_most },
	{ "mockndes_sites_opened_total", "counter",
	    "Sites opened since the start.", sites_opened },
	{ "mockndes_sites_evicted_total", "counter",
	    "Sites that had to go to make room.", sites_evicted },
	{ "mockndes_journal_bytes", "gauge", "Memory of all journals.",
	    journal_octets },
	{ "mockndes_journal_limit_bytes", "gauge",
	    "What all journals may hold together.", journal_octets_max },
	{ "mockndes_journal_entries", "gauge", "Entries of all journals.",
	    journal_entries },
	{ "mockndes_journal_lost_total", "counter",
	    "Entries lost for lack of room.", journal_entries_lost },
	{ "mockndes_evidence_bytes", "gauge",
	    "Memory of the logs of all sites.", evidence_octets },
	{ "mockndes_evidence_limit_bytes", "gauge",
	    "What these logs may hold together.", evidence_octets_max },
};

void
get_metrics(struct call *call)
{
	const struct control *c = call->control;
	struct numbers n = { .control = c };
	struct buffer out = { 0 };

	sites_count(c->sites, &n.sites);
	journals_count(sites_journals(c->sites), &n.journals);
	metrics_print(sites_metrics(c->sites), &out);
	for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++)
		metrics_value(&out, metrics[i].name, metrics[i].type,
		    metrics[i].help, metrics[i].value(&n));
	buffer_printf(&out,
	    "# HELP mockndes_build_info The version of the server.\n"
	    "# TYPE mockndes_build_info gauge\n"
	    "mockndes_build_info{version=\"%s\"} 1\n",
	    c->version);
	call_octets(call, 200, "text/plain; version=0.0.4; charset=utf-8",
	    buffer_span(&out));
	call->reply->body.failed |= out.failed;
	buffer_free(&out);
}

void
get_openapi(struct call *call)
{
	call_octets(call, 200, "application/json", control_openapi());
}
