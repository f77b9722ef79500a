/* The application proxy, and who reaches whom. */
#include "admin/inside.h"

#include <inttypes.h>

void
view_app_proxy(const struct admin_look *look, struct report *out)
{
	static const char *const columns[] = { "Application", "External Url",
		"Internal Url", "Back end timeout (seconds)", "Connector",
		"Connector status", "Service startup type", NULL };
	/* Both as the article has them. */
	static const char *const urls[] = {
		[EXTERNAL_URL_DEFAULT_DOMAIN] =
		    "https://yourtenant.msappproxy.net/certsrv/mscep/mscep.dll",
		[EXTERNAL_URL_WRONG] =
		    "https://contoso.com/certsrv/mscep/mscep.dll",
	};
	static const char *const startups[] = {
		[STARTUP_AUTOMATIC] = "Automatic",
		[STARTUP_MANUAL] = "Manual",
		[STARTUP_DISABLED] = "Disabled",
	};
	const struct stack_state *s = look->state;

	report_begin(out, FORM_LIST, NULL, NULL, columns);
	report_cell(out, "NDES");
	report_cell(out, "%s", urls[s->app_proxy.external_url]);
	report_cell(out, "http://" SERVER ".contoso.com/");
	if (s->app_proxy.back_end_timeout > 0)
		report_cell(out, "%" PRId64, s->app_proxy.back_end_timeout);
	else
		report_cell(out, "none");
	report_cell(out, SERVER ".contoso.com");
	report_cell(out, "%s",
	    either(s->app_proxy.connector_service == SERVICE_RUNNING, "active",
		"inactive"));
	report_cell(out, "%s", startups[s->app_proxy.connector_startup]);
}

static void
add_way(struct report *out, const char *from, const char *to,
    const char *result)
{
	report_row(out, (const char *const[]){ from, to, result });
}

void
view_network(const struct admin_look *look, struct report *out)
{
	static const char *const columns[] = { "From", "To", "Result", NULL };
	static const char *const devices[] = {
		[DEVICE_REACHES] = "connected",
		[DEVICE_REFUSED] = "refused",
		[DEVICE_SILENT] = "no answer",
	};
	const struct stack_state *s = look->state;

	report_begin(out, FORM_TABLE, NULL, NULL, columns);
	add_way(out, "device", "application proxy, HTTPS",
	    devices[s->network.device]);
	add_way(out, "application proxy connector", SERVER ", HTTP",
	    either(s->app_proxy.back_end == BACK_END_REACHABLE, "connected",
		"no answer"));
	add_way(out, SERVER, "CRL URLs of the certificates of the connector",
	    either(s->certificates.crl_urls == REACHABLE, "connected",
		"no answer"));
	add_way(out, SERVER, CA_HOST ", RPC",
	    either(s->ca.online, "connected", "no answer"));
	add_way(out, CA_HOST, "CRL URLs of the CA",
	    either(s->ca.crl == REACHABLE, "connected", "no answer"));
}
