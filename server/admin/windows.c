/* Services, accounts and rights: what Windows itself shows. */
#include "admin/inside.h"

static const char *const startups[] = {
	[STARTUP_AUTOMATIC] = "Automatic",
	[STARTUP_MANUAL] = "Manual",
	[STARTUP_DISABLED] = "Disabled",
};

/*
 * The connector is one service of the old one, another of the new one [C]
 * (ndes-facts 10); their names are assumed, but for that of the proxy's.
 */
void
view_services(const struct admin_look *look, struct report *out)
{
	static const char *const columns[] = { "Status", "StartType", "Name",
		"DisplayName", NULL };
	const struct stack_state *s = look->state;
	bool proxy = s->app_proxy.connector_service == SERVICE_RUNNING;

	report_begin(out, FORM_TABLE, NULL, NULL, columns);
	report_row(out,
	    (const char *const[]){ "Running", "Automatic", "W3SVC",
		"World Wide Web Publishing Service" });
	report_row(out,
	    (const char *const[]){ "Running", "Manual", "WAS",
		"Windows Process Activation Service" });
	report_row(out,
	    (const char *const[]){ either(proxy, "Running", "Stopped"),
		startups[s->app_proxy.connector_startup], "WAPCSvc",
		PROXY_SERVICE });
	if (s->policy_module.installed &&
	    s->policy_module.connector == CONNECTOR_OLD)
		report_row(out,
		    (const char *const[]){ "Running", "Automatic",
			"NDESConnectorSvc", "Intune Connector Service" });
	else if (s->policy_module.installed)
		report_row(out,
		    (const char *const[]){ "Running", "Automatic",
			"PFXCertificateConnectorSvc",
			"Certificate Connector for Microsoft Intune" });
}

/* Impersonation: the article; the others: ndes-facts 12 B12. */
void
view_user_rights(const struct admin_look *look, struct report *out)
{
	static const char *const columns[] = { "Policy", "Security Setting",
		NULL };
	const struct stack_state *s = look->state;
	bool logon = s->app_pool.identity != IDENTITY_NO_LOGON_RIGHT;

	report_begin(out, FORM_TABLE, NULL, NULL, columns);
	report_cell(out, "Impersonate a client after authentication");
	report_cell(out,
	    "LOCAL SERVICE,NETWORK SERVICE,Administrators%s,SERVICE",
	    either(s->iis.impersonation_right, ",IIS_IUSRS", ""));
	report_cell(out, "Log on as a batch job");
	report_cell(out, "Administrators,Backup Operators%s,IIS_IUSRS",
	    either(logon, "," ACCOUNT, ""));
	report_cell(out, "Log on as a service");
	report_cell(out, "NT SERVICE\\ALL SERVICES%s",
	    either(logon, "," ACCOUNT, ""));
	report_cell(out, "Allow log on locally");
	report_cell(out, "Administrators,Users," ACCOUNT);
}

void
view_service_account(const struct admin_look *look, struct report *out)
{
	static const char *const columns[] = { "Account", "Used by",
		"Account enabled", "Account locked", "Password expired",
		"Log on as a batch job", "Member of",
		"Read on key of signing RA", "Read on key of encryption RA",
		NULL };
	const struct stack_state *s = look->state;
	enum pool_identity identity = s->app_pool.identity;

	report_begin(out, FORM_LIST, NULL, NULL, columns);
	report_row(out,
	    (const char *const[]){ ACCOUNT, "application pool SCEP", "Yes",
		either(identity == IDENTITY_LOCKED, "Yes", "No"),
		either(identity == IDENTITY_PASSWORD_EXPIRED, "Yes", "No"),
		either(identity != IDENTITY_NO_LOGON_RIGHT, "Yes", "No"),
		"IIS_IUSRS", either(s->ra.signing.key_readable, "Yes", "No"),
		either(s->ra.encryption.key_readable, "Yes", "No") });
}

/*
 * The two lines of success to the octet [C] (ndes-facts 10.7); those of a
 * failure are Windows Installer's usual ones, and 1603 is assumed.
 */
void
view_setup_log(const struct admin_look *look, struct report *out)
{
	static const char *const columns[] = { "text", NULL };
	static const char *const lines[][2] = {
		{ "MSI (c) (28:54) [16:13:11:905]: Product: Microsoft Intune "
		  "Connector -- Installation failed.",
		    "MSI (c) (28:54) [16:13:11:999]: Windows Installer "
		    "installed the product. Product Name: Microsoft Intune "
		    "Connector. Product Version: 6.1711.4.0. Product Language: "
		    "1033. Manufacturer: Microsoft Corporation. Installation "
		    "success or error status: 1603." },
		{ "MSI (c) (28:54) [16:13:11:905]: Product: Microsoft Intune "
		  "Connector -- Installation completed successfully.",
		    "MSI (c) (28:54) [16:13:11:999]: Windows Installer "
		    "installed the product. Product Name: Microsoft Intune "
		    "Connector. Product Version: 6.1711.4.0. Product Language: "
		    "1033. Manufacturer: Microsoft Corporation. Installation "
		    "success or error status: 0." },
	};

	report_begin(out, FORM_LINES, NULL, NULL, columns);
	for (size_t i = 0; i < 2; i++)
		report_cell(out, "%s",
		    lines[look->state->policy_module.installed][i]);
}
