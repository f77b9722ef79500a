#include "failures/pairs.h"

#include <stdio.h>
#include <string.h>

#include "support/test.h"

#define STEPS_MAX 4
#define SET_SIZE 512

struct cause {
	const char *set; /* JSON */
	/* Words of what one of the probes gets, and has in the logs. */
	enum probe probe;
	const char *client, *log; /* "": nothing */
	const char *cure[STEPS_MAX];
};

static const struct cause
    blocked = { "\"network.device\": \"refused\"", PROBE_BROWSE, "reset", "",
	    { "unblock-network" } },
    no_connector = { "\"app_proxy.connector_service\": \"stopped\"",
	    PROBE_BROWSE, "504 Gateway Timeout \"GatewayTimeout:", "",
	    { "start-connector-service" } },
    wrong_url = { "\"app_proxy.external_url\": \"wrong\"", PROBE_BROWSE,
	    "no answer", "", { "use-msappproxy-domain" } },
    no_back_end = { "\"app_proxy.back_end\": \"unreachable\"", PROBE_BROWSE,
	    "502 Bad Gateway \"BadGateway:", "", { "reach-back-end" } },
    full_queue = { "\"http_sys.queue\": \"full\"", PROBE_BROWSE,
	    "HTTP Error 503. The service is unavailable.",
	    "HTTPERR 503 QueueFull SCEP", { "raise-queue-length" } },
    short_fields = { "\"http_sys.max_field_length\": 16384", PROBE_LONG_GET,
	    "HTTP Error 414. The request URL is too long.", "HTTPERR 414",
	    { "set-http-sys-limits", "restart-server" } },
    stopped_pool = { "\"app_pool.state\": \"stopped\"", PROBE_BROWSE,
	    "HTTP Error 503. The service is unavailable.",
	    "HTTPERR 503 Disabled SCEP", { "start-app-pool" } },
    /* A restart of the server does not start it. */
    idle_pool = { "\"app_pool.state\": \"stopped\", "
		  "\"app_pool.start_with_server\": false",
	    PROBE_BROWSE, "HTTP Error 503. The service is unavailable.",
	    "HTTPERR 503 Disabled SCEP", { "start-app-pool" } },
    short_queries = { "\"iis.max_url\": 4096, "
		      "\"iis.max_query_string\": 2048",
	    PROBE_GET, "414 Request-URI Too Long", "IIS 414",
	    { "set-request-filtering-limits", "restart-server" } },
    no_impersonation = { "\"iis.impersonation_right\": false", PROBE_BROWSE,
	    "500 - Internal server error.", "IIS 500 0 1346",
	    { "assign-impersonation-right", "restart-server" } },
    locked_account = { "\"app_pool.identity\": \"locked\"", PROBE_BROWSE,
	    "500 - Internal server error.", "IIS 500 ", { "unlock-account" } },
    crashing_pool = { "\"iis.certificate_registration.anonymous\": false, "
		      "\"iis.certificate_registration.windows\": true",
	    PROBE_BROWSE, "no answer",
	    "HTTPERR - Connection_Abandoned_By_ReqQueue SCEP",
	    { "enable-anonymous-authentication",
		"disable-windows-authentication", "restart-server" } },
    expired_ra = { "\"ra.signing.not_after\": \"-2d\", "
		   "\"ra.encryption.not_after\": \"-2d\"",
	    PROBE_CAPS, "500 - Internal server error.", "IIS 500 ",
	    { "renew-ra-certificates", "iisreset" } },
    bad_registry = { "\"mscep.registry\": \"inconsistent\"", PROBE_CAPS,
	    "500 - Internal server error.", "IIS 500 ",
	    { "repair-mscep-registry", "iisreset" } },
    untrusted = { "\"policy_module.verify_request\": \"untrusted\"", PROBE_POST,
	    "pkiStatus 2", "IIS 403 16 2148204809",
	    { "remove-intermediate-certificates", "restart-server" } },
    no_template = { "\"ca.template_published\": false", PROBE_POST,
	    "pkiStatus 2", "31 ", { "publish-template" } },
    no_ca = { "\"ca.online\": false", PROBE_POST, "pkiStatus 2", "0x800706ba",
	    { "start-ca-service" } };

static const struct pair {
	const struct cause *outer, *inner;
} pairs[] = {
	{ &blocked, &no_connector },
	{ &no_connector, &stopped_pool },
	{ &wrong_url, &full_queue },
	{ &no_back_end, &locked_account },
	{ &short_fields, &idle_pool },
	{ &full_queue, &crashing_pool },
	{ &stopped_pool, &no_impersonation },
	{ &short_queries, &no_impersonation },
	{ &no_impersonation, &expired_ra },
	{ &locked_account, &bad_registry },
	{ &crashing_pool, &expired_ra },
	{ &expired_ra, &no_template },
	{ &bad_registry, &untrusted },
	{ &untrusted, &no_ca },
};

static void
cure(struct site_under_test *site, const struct cause *c)
{
	struct acted acted;

	for (size_t i = 0; i < STEPS_MAX && c->cure[i] != NULL; i++) {
		lab_act(site, c->cure[i], &acted);
		buffer_free(&acted.waits_for);
	}
}

/* As the cause alone, which is as it is said to be. */
static void
look_at_cause(struct lab *lab, const struct cause *c, struct look *out)
{
	struct site_under_test site;
	const char *client, *log;

	lab_open(lab, "healthy", c->set, &site);
	look_at(&site, true, out);
	client = (char *)out->client[c->probe].data;
	log = (char *)out->logs[c->probe].data;
	if (strstr(client, c->client) == NULL ||
	    (*c->log == '\0' ? *log != '\0' : strstr(log, c->log) == NULL))
		lab_complain(lab, "%s: %s\n%s", c->set, client, log);
	lab_close(&site);
}

static bool
is_same(struct buffer *a, struct buffer *b)
{
	return strcmp((char *)a->data, (char *)b->data) == 0;
}

/* Where the outer one lets somebody through, the inner one is met. */
static void
expect(struct lab *lab, struct look *seen, struct look *outer,
    struct look *inner, struct look *healthy, const char *what)
{
	struct look *wanted;

	for (int p = 0; p < PROBES; p++) {
		wanted = outer == NULL ||
			is_same(&outer->client[p], &healthy->client[p]) ?
		    inner :
		    outer;
		if (!is_same(&seen->client[p], &wanted->client[p]))
			lab_complain(lab, "%s: %s\nis not: %s", what,
			    (char *)seen->client[p].data,
			    (char *)wanted->client[p].data);
	}
}

static void
walk_pair(struct lab *lab, const struct pair *p, struct look *healthy)
{
	struct look outer, inner, both, uncovered, well;
	struct site_under_test site;
	char set[SET_SIZE];

	look_at_cause(lab, p->outer, &outer);
	look_at_cause(lab, p->inner, &inner);
	snprintf(set, sizeof(set), "%s, %s", p->outer->set, p->inner->set);
	lab_open(lab, "healthy", set, &site);
	look_at(&site, false, &both);
	expect(lab, &both, &outer, &inner, healthy, set);
	cure(&site, p->outer);
	if (lab_is_healthy(&site, NULL))
		lab_complain(lab, "%s: healthy too soon", set);
	look_at(&site, false, &uncovered);
	expect(lab, &uncovered, NULL, &inner, healthy, set);
	cure(&site, p->inner);
	if (!lab_is_healthy(&site, NULL))
		lab_complain(lab, "%s: not healthy", set);
	look_at(&site, false, &well);
	expect(lab, &well, NULL, healthy, healthy, set);
	lab_close(&site);
	look_clear(&outer);
	look_clear(&inner);
	look_clear(&both);
	look_clear(&uncovered);
	look_clear(&well);
}

void
pairs_walk(struct lab *lab, struct look *healthy)
{
	for (size_t i = 0; i < COUNT_OF(pairs); i++)
		walk_pair(lab, &pairs[i], healthy);
}
