#include "base/evidence_names.h"

#include <string.h>

const struct word evidence_words[EVIDENCES + 1] = {
	[EVIDENCE_IIS_LOG] = { "iis-log", EVIDENCE_IIS_LOG,
	    "The log of IIS, W3C extended" },
	[EVIDENCE_HTTPERR_LOG] = { "httperr-log", EVIDENCE_HTTPERR_LOG,
	    "The HTTPERR log of http.sys: what never reached IIS" },
	[EVIDENCE_APPLICATION_LOG] = { "application-log",
	    EVIDENCE_APPLICATION_LOG,
	    "The Application log of Windows: the events of NDES, of the CA, "
	    "and of programs that crash" },
	[EVIDENCE_SYSTEM_LOG] = { "system-log", EVIDENCE_SYSTEM_LOG,
	    "The System log of Windows: what WAS says of application pools" },
	[EVIDENCE_CAPI2_LOG] = { "capi2-log", EVIDENCE_CAPI2_LOG,
	    "The operational log of CAPI2: chains and revocation, once it is "
	    "enabled" },
	[EVIDENCE_POLICY_MODULE_LOG] = { "policy-module-log",
	    EVIDENCE_POLICY_MODULE_LOG,
	    "NDESPlugin.log, of the policy module of NDES" },
	[EVIDENCE_CONNECTOR_LOG] = { "connector-log", EVIDENCE_CONNECTOR_LOG,
	    "The log of the Microsoft Intune Connector, and of its "
	    "certificate registration point" },
	[EVIDENCE_SERVICES] = { "services", EVIDENCE_SERVICES,
	    "Services of Windows, their state and how they start" },
	[EVIDENCE_APP_POOLS] = { "app-pools", EVIDENCE_APP_POOLS,
	    "Application pools of IIS, with rapid-fail protection" },
	[EVIDENCE_REGISTRY] = { "registry", EVIDENCE_REGISTRY,
	    "The registry, as `reg query` prints it" },
	[EVIDENCE_CERTIFICATES] = { "certificates", EVIDENCE_CERTIFICATES,
	    "The certificate stores of the computer" },
	[EVIDENCE_REQUEST_FILTERING] = { "request-filtering",
	    EVIDENCE_REQUEST_FILTERING, "The limits of IIS request filtering" },
	[EVIDENCE_IIS_AUTHENTICATION] = { "iis-authentication",
	    EVIDENCE_IIS_AUTHENTICATION,
	    "How each application of IIS authenticates who comes" },
	[EVIDENCE_USER_RIGHTS] = { "user-rights", EVIDENCE_USER_RIGHTS,
	    "User rights assignment, of the local security policy" },
	[EVIDENCE_SERVICE_ACCOUNT] = { "service-account",
	    EVIDENCE_SERVICE_ACCOUNT, "The service account of NDES" },
	[EVIDENCE_APP_PROXY] = { "app-proxy", EVIDENCE_APP_PROXY,
	    "The application proxy and its connector" },
	[EVIDENCE_NETWORK] = { "network", EVIDENCE_NETWORK,
	    "Which of what has to be reached is reached" },
	[EVIDENCE_GROUP_POLICY] = { "group-policy", EVIDENCE_GROUP_POLICY,
	    "What group policy puts into Trusted Root" },
	[EVIDENCE_SETUP_LOG] = { "setup-log", EVIDENCE_SETUP_LOG,
	    "SetupMsi.log, of the setup of the connector" },
};

const char *
evidence_name(enum evidence e)
{
	return evidence_words[e].text;
}

const char *
evidence_title(enum evidence e)
{
	return evidence_words[e].help;
}

enum evidence
evidence_find(const char *name)
{
	int e = 0;

	while (e < EVIDENCES && strcmp(evidence_words[e].text, name) != 0)
		e++;
	return (enum evidence)e;
}
