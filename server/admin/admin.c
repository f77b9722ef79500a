#include "admin/inside.h"

#include <stdio.h>
#include <string.h>

static const struct {
	view *make;
	bool needs_credentials;
} views[EVIDENCES] = {
	[EVIDENCE_SERVICES] = { view_services, false },
	[EVIDENCE_APP_POOLS] = { view_app_pools, false },
	[EVIDENCE_REGISTRY] = { view_registry, true },
	[EVIDENCE_CERTIFICATES] = { view_certificates, true },
	[EVIDENCE_REQUEST_FILTERING] = { view_request_filtering, false },
	[EVIDENCE_IIS_AUTHENTICATION] = { view_iis_authentication, false },
	[EVIDENCE_USER_RIGHTS] = { view_user_rights, false },
	[EVIDENCE_SERVICE_ACCOUNT] = { view_service_account, false },
	[EVIDENCE_APP_PROXY] = { view_app_proxy, false },
	[EVIDENCE_NETWORK] = { view_network, false },
	[EVIDENCE_GROUP_POLICY] = { view_group_policy, false },
	[EVIDENCE_SETUP_LOG] = { view_setup_log, false },
};

bool
admin_needs_credentials(enum evidence e)
{
	return views[e].needs_credentials;
}

int
admin_print(enum evidence e, const struct admin_look *look, struct buffer *out)
{
	struct report report = { .first = NULL };

	views[e].make(look, &report);
	report_print(&report, out);
	report_clear(&report);
	return out->failed ? -1 : 0;
}

struct json_t *
admin_json(enum evidence e, const struct admin_look *look)
{
	struct report report = { .first = NULL };
	struct json_t *json;

	views[e].make(look, &report);
	json = report_json(&report, evidence_name(e));
	report_clear(&report);
	return json;
}

char *
moment(int64_t at, char out[MOMENT_SIZE])
{
	struct tm tm = clock_utc(at);

	strftime(out, MOMENT_SIZE, "%Y-%m-%d %H:%M:%S", &tm);
	return out;
}

char *
ca_name(const struct admin_look *look, char out[CA_NAME_SIZE])
{
	static const char begin[] = "CN=";
	const char *at;

	x509_name_text(look->credentials->certs[CA_ISSUING].subject, out,
	    CA_NAME_SIZE);
	if ((at = strstr(out, begin)) != NULL) {
		at += strlen(begin);
		memmove(out, at, strlen(at) + 1);
		out[strcspn(out, ",")] = '\0';
	}
	return out;
}

char *
intermediate_name(size_t which, char out[INTERMEDIATE_SIZE])
{
	snprintf(out, INTERMEDIATE_SIZE,
	    "CN=Contoso Issuing CA %u, DC=contoso, DC=com",
	    (unsigned)which + 1);
	return out;
}
