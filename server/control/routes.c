/* Every path that there is, and what it takes. */
#include <stdint.h>
#include <string.h>

#include "control/inside.h"

#define PORT_MAX 65535
#define WAIT_MAX 60
#define LIMIT_MAX 1000
#define END       \
	{         \
		0 \
	}

static const struct member form[] = {
	{ "format", MEMBER_TEXT, 1, 0, false },
	END,
};

static const struct member new_site[] = {
	{ "id", MEMBER_TEXT, 0, 0, false },
	{ "scenario", MEMBER_TEXT, 0, 0, false },
	{ "yaml", MEMBER_TEXT, 0, 0, false },
	{ "set", MEMBER_OBJECT, 0, 0, false },
	{ "port", MEMBER_NUMBER, 0, PORT_MAX, false },
	END,
};

static const struct member switch_scenario[] = {
	{ "scenario", MEMBER_TEXT, 0, 0, false },
	{ "yaml", MEMBER_TEXT, 0, 0, false },
	{ "set", MEMBER_OBJECT, 0, 0, false },
	END,
};

static const struct member request_parameters[] = {
	{ "since", MEMBER_NUMBER, 0, INT64_MAX, false },
	{ "limit", MEMBER_NUMBER, 1, LIMIT_MAX, false },
	{ "wait", MEMBER_NUMBER, 0, WAIT_MAX, false },
	{ "operation", MEMBER_TEXT, 1, 0, false },
	{ "message_type", MEMBER_TEXT, 1, 0, false },
	{ "transaction_id", MEMBER_TEXT, 1, 0, false },
	{ "status", MEMBER_NUMBER, 100, 999, false },
	END,
};

static const struct member new_challenge[] = {
	{ "size", MEMBER_NUMBER, 8, CHALLENGE_LONGEST, false },
	END,
};

static const struct member new_time[] = {
	{ "advance", MEMBER_TEXT, 1, 0, true },
	END,
};

static const struct member revocation[] = {
	{ "reason", MEMBER_TEXT, 1, 0, false },
	END,
};

#define SITE "/v1/sites/{id}"
#define REQUEST SITE "/requests/{seq}"
#define PENDING SITE "/pending/{transaction}"
#define CERTIFICATE SITE "/certificates/{serial}"

static const struct route routes[] = {
	{ "GET", "/healthz", get_health, ROUTE_PUBLIC, NULL, NULL },
	{ "GET", "/metrics", get_metrics, ROUTE_PUBLIC, NULL, NULL },
	{ "GET", "/v1/openapi.json", get_openapi, 0, NULL, NULL },
	{ "GET", "/v1/scenarios", list_scenarios, ROUTE_LONG, NULL, NULL },
	{ "GET", "/v1/scenarios/{name}", get_scenario, ROUTE_LONG, NULL, form },
	{ "GET", "/v1/sites", list_sites, ROUTE_LONG, NULL, NULL },
	{ "POST", "/v1/sites", make_site, ROUTE_LONG, new_site, NULL },
	{ "GET", SITE, get_site, ROUTE_LONG, NULL, NULL },
	{ "DELETE", SITE, delete_site, ROUTE_LONG, NULL, NULL },
	{ "PUT", SITE "/scenario", use_scenario, ROUTE_LONG | ROUTE_YAML,
	    switch_scenario, NULL },
	{ "PATCH", SITE "/server", change_server, ROUTE_LONG | ROUTE_FREE, NULL,
	    NULL },
	{ "POST", SITE "/reset", reset_site, ROUTE_LONG, NULL, NULL },
	{ "GET", SITE "/requests", list_requests, ROUTE_LONG, NULL,
	    request_parameters },
	{ "DELETE", SITE "/requests", clear_requests, 0, NULL, NULL },
	{ "GET", REQUEST, get_request, 0, NULL, NULL },
	{ "GET", REQUEST "/request", get_request_octets, 0, NULL, NULL },
	{ "GET", REQUEST "/reply", get_reply_octets, 0, NULL, NULL },
	{ "POST", SITE "/challenge", make_challenge, 0, new_challenge, NULL },
	{ "GET", SITE "/clock", get_clock, 0, NULL, NULL },
	{ "POST", SITE "/clock", advance_clock, 0, new_time, NULL },
	{ "GET", SITE "/pending", list_pending, ROUTE_LONG, NULL, NULL },
	{ "POST", PENDING "/approve", approve_request, 0, NULL, NULL },
	{ "POST", PENDING "/deny", deny_request, 0, NULL, NULL },
	{ "GET", SITE "/certificates", list_certificates, ROUTE_LONG, NULL,
	    NULL },
	{ "GET", CERTIFICATE ".pem", get_certificate, 0, NULL, NULL },
	{ "POST", CERTIFICATE "/revoke", revoke_certificate, ROUTE_LONG,
	    revocation, NULL },
	{ "GET", SITE "/ca.pem", get_ca, ROUTE_LONG, NULL, NULL },
	{ "GET", SITE "/crl.pem", get_crl, ROUTE_LONG, NULL, NULL },
	{ "GET", SITE "/evidence", list_evidence, 0, NULL, NULL },
	{ "GET", SITE "/evidence/{name}", get_evidence, ROUTE_LONG, NULL,
	    form },
	{ "GET", SITE "/actions", list_actions, 0, NULL, NULL },
	{ "POST", SITE "/actions/{name}", do_action, ROUTE_LONG | ROUTE_FREE,
	    NULL, NULL },
};
#define ROUTES (sizeof(routes) / sizeof(routes[0]))

bool
control_route_at(size_t i, const char **method, const char **path)
{
	if (i >= ROUTES)
		return false;
	*method = routes[i].method;
	*path = routes[i].path;
	return true;
}

/* Up to the next slash, which *rest begins with then, or to the end. */
static struct span
next_part(struct span *rest)
{
	const uint8_t *slash;
	struct span part;

	if (rest->len == 0)
		return SPAN_EMPTY;
	*rest = span_of(rest->data + 1, rest->len - 1);
	slash = memchr(rest->data, '/', rest->len);
	part = span_of(rest->data,
	    slash == NULL ? rest->len : (size_t)(slash - rest->data));
	*rest = span_of(rest->data + part.len, rest->len - part.len);
	return part;
}

static bool
matches(struct span row, struct span part, struct span *value)
{
	const uint8_t *close = row.len > 0 && *row.data == '{' ?
	    memchr(row.data, '}', row.len) :
	    NULL;
	size_t end;

	if (close == NULL)
		return span_equal(row, part);
	end = row.len - (size_t)(close + 1 - row.data);
	if (part.len <= end ||
	    memcmp(part.data + part.len - end, close + 1, end) != 0)
		return false;
	*value = span_of(part.data, part.len - end);
	return true;
}

static bool
route_matches(const struct route *route, struct span path,
    struct span values[ROUTE_VALUES_MAX])
{
	struct span row = span_text(route->path), value, part;
	size_t count = 0;

	for (size_t i = 0; i < ROUTE_VALUES_MAX; i++)
		values[i] = SPAN_EMPTY;
	while (row.len > 0 && path.len > 0 && *path.data == '/') {
		value = SPAN_EMPTY;
		part = next_part(&path);
		if (!matches(next_part(&row), part, &value))
			return false;
		if (value.len > 0)
			values[count++] = value;
	}
	return row.len == 0 && path.len == 0;
}

const struct route *
route_find(const char *method, struct span path,
    struct span values[ROUTE_VALUES_MAX], bool *other_methods)
{
	*other_methods = false;
	if (strcmp(method, "HEAD") == 0)
		method = "GET";
	for (size_t i = 0; i < ROUTES; i++) {
		if (!route_matches(&routes[i], path, values))
			continue;
		if (strcmp(routes[i].method, method) == 0)
			return &routes[i];
		*other_methods = true;
	}
	return NULL;
}

void
routes_allow(struct span path, struct buffer *out)
{
	struct span values[ROUTE_VALUES_MAX];

	for (size_t i = 0; i < ROUTES; i++) {
		if (!route_matches(&routes[i], path, values))
			continue;
		if (out->len > 0)
			buffer_add_text(out, ", ");
		buffer_add_text(out, routes[i].method);
		if (strcmp(routes[i].method, "GET") == 0)
			buffer_add_text(out, ", HEAD");
	}
}
