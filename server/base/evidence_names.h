/* What an administrator can look at, by name. */
#ifndef BASE_EVIDENCE_NAMES_H
#define BASE_EVIDENCE_NAMES_H

#include "base/value.h"

/* First the logs, which are kept; then what is told of the state. */
enum evidence {
	EVIDENCE_IIS_LOG,
	EVIDENCE_HTTPERR_LOG,
	EVIDENCE_APPLICATION_LOG,
	EVIDENCE_SYSTEM_LOG,
	EVIDENCE_CAPI2_LOG,
	EVIDENCE_POLICY_MODULE_LOG,
	EVIDENCE_CONNECTOR_LOG,
	EVIDENCE_LOGS,
	EVIDENCE_SERVICES = EVIDENCE_LOGS,
	EVIDENCE_APP_POOLS,
	EVIDENCE_REGISTRY,
	EVIDENCE_CERTIFICATES,
	EVIDENCE_REQUEST_FILTERING,
	EVIDENCE_IIS_AUTHENTICATION,
	EVIDENCE_USER_RIGHTS,
	EVIDENCE_SERVICE_ACCOUNT,
	EVIDENCE_APP_PROXY,
	EVIDENCE_NETWORK,
	EVIDENCE_GROUP_POLICY,
	EVIDENCE_SETUP_LOG,
	EVIDENCES
};
/* In that order: "iis-log", and what it is. */
extern const struct word evidence_words[EVIDENCES + 1];
const char *evidence_name(enum evidence);
const char *evidence_title(enum evidence);
enum evidence evidence_find(const char *name); /* EVIDENCES: none */

#endif
