/* What IIS Manager shows. */
#include "admin/inside.h"

#include <inttypes.h>

/* IIS Manager has no word of its own for a pool that WAS has disabled. */
void
view_app_pools(const struct admin_look *look, struct report *out)
{
	static const char *const pools[] = { "Name", "Status", "Identity",
		"Applications", NULL };
	static const char *const settings[] = { "Start automatically",
		"Rapid-fail protection", "Failure interval (minutes)",
		"Maximum failures", NULL };
	const struct stack_state *s = look->state;

	report_begin(out, FORM_TABLE, NULL, NULL, pools);
	report_row(out,
	    (const char *const[]){ "DefaultAppPool", "Started",
		"ApplicationPoolIdentity", "/" });
	report_row(out,
	    (const char *const[]){ "SCEP",
		either(app_pool_runs(s), "Started", "Stopped"), ACCOUNT,
		"/CertSrv/mscep, /CertSrv/mscep_admin" });
	/* One of its own for the old connector alone: 10.1, inferred. */
	if (s->policy_module.installed &&
	    s->policy_module.connector == CONNECTOR_OLD)
		report_row(out,
		    (const char *const[]){ "CertificateRegistrationSvc",
			"Started", "NetworkService",
			"/CertificateRegistrationSvc" });
	report_begin(out, FORM_LIST, "Advanced Settings of", "SCEP", settings);
	report_cell(out, "%s",
	    either(s->app_pool.start_with_server, "True", "False"));
	report_cell(out, "%s",
	    either(s->app_pool.rapid_fail_protection, "True", "False"));
	report_cell(out, "%" PRId64, s->app_pool.rapid_fail_interval / 60);
	report_cell(out, "%" PRId64, s->app_pool.rapid_fail_max_crashes);
}

/* As the article names them, in the dialog of that name. */
void
view_request_filtering(const struct admin_look *look, struct report *out)
{
	static const char *const columns[] = {
		"Maximum allowed content length (Bytes)",
		"Maximum URL length (Bytes)", "Maximum query string (Bytes)",
		NULL
	};
	const struct stack_state *s = look->state;

	report_begin(out, FORM_LIST, "Request Filtering Settings of",
	    "Default Web Site", columns);
	report_cell(out, "%" PRId64, s->iis.max_allowed_content_length);
	report_cell(out, "%" PRId64, s->iis.max_url);
	report_cell(out, "%" PRId64, s->iis.max_query_string);
}

static void
add_authentication(struct report *out, const char *application, bool anonymous,
    bool basic, bool windows)
{
	report_row(out,
	    (const char *const[]){ application,
		either(anonymous, "Enabled", "Disabled"),
		either(basic, "Enabled", "Disabled"),
		either(windows, "Enabled", "Disabled") });
}

void
view_iis_authentication(const struct admin_look *look, struct report *out)
{
	static const char *const columns[] = { "Application",
		"Anonymous Authentication", "Basic Authentication",
		"Windows Authentication", NULL };
	const struct stack_state *s = look->state;
	bool basic = s->mscep.admin.authentication == AUTHENTICATION_BASIC;

	report_begin(out, FORM_TABLE, NULL, NULL, columns);
	add_authentication(out, "Default Web Site", true, false, false);
	add_authentication(out, "CertSrv/mscep", true, false, false);
	add_authentication(out, "CertSrv/mscep_admin", !basic, basic, false);
	if (s->policy_module.installed)
		add_authentication(out, "CertificateRegistrationSvc",
		    s->iis.certificate_registration.anonymous, false,
		    s->iis.certificate_registration.windows);
}
