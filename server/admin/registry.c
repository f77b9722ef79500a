/*
 * The registry as `reg query KEY /s` prints it (ndes-facts 11). Values that are
 * not cited there are assumed.
 */
#include "admin/inside.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MSCEP "HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Cryptography\\MSCEP"
#define INTUNE "HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\MicrosoftIntune"
#define HTTP_PARAMETERS \
	"HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\HTTP\\Parameters"
#define CERTSVC                                                              \
	"HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\CertSvc\\" \
	"Configuration"

static void
add_key(struct report *out, const char *key)
{
	static const char *const columns[] = { "name", "type", "data", NULL };

	report_begin(out, FORM_REGISTRY, "key", key, columns);
}

static void
add_text(struct report *out, const char *name, const char *data)
{
	report_row(out, (const char *const[]){ name, "REG_SZ", data });
}

static void
add_number(struct report *out, const char *name, int64_t data)
{
	report_cell(out, "%s", name);
	report_cell(out, "REG_DWORD");
	report_cell(out, "0x%" PRIx64, data);
}

/* A trap: such a value lives in a key of the same name [C]. */
static void
add_named_key(struct report *out, const char *name)
{
	char key[160];

	snprintf(key, sizeof(key), MSCEP "\\%s", name);
	add_key(out, key);
}

static void
add_own_number(struct report *out, const char *name, int64_t data)
{
	add_named_key(out, name);
	add_number(out, name, data);
}

/* By name; one that says otherwise is the display name: assumed. */
static void
add_templates(const struct stack_state *s, struct report *out)
{
	static const char *const names[] = { "EncryptionTemplate",
		"GeneralPurposeTemplate", "SignatureTemplate" };

	add_key(out, MSCEP);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		add_text(out, names[i],
		    either(s->mscep.templates == TEMPLATES_RIGHT,
			"IPSECIntermediateOffline", "IPSec (Offline request)"));
}

/* What begins every blob of DPAPI; what is behind it is nobody's business. */
static void
add_encrypted_password(const struct stack_state *s, struct report *out)
{
	if (s->mscep.challenge.mode != CHALLENGES_SINGLE &&
	    s->mscep.encrypted_password == ENCRYPTED_PASSWORD_GOOD)
		return;
	add_named_key(out, "EncryptedPassword");
	if (s->mscep.encrypted_password != ENCRYPTED_PASSWORD_NOT_WRITABLE)
		report_row(out,
		    (const char *const[]){ "EncryptedPassword", "REG_BINARY",
			"01000000D08C9DDF0115D1118C7A00C04FC297EB" });
}

static void
add_mscep(const struct admin_look *look, struct report *out)
{
	const struct stack_state *s = look->state;
	char ca[CA_NAME_SIZE];

	add_templates(s, out);
	add_named_key(out, "CAInfo");
	report_cell(out, "Configuration");
	report_cell(out, "REG_SZ");
	report_cell(out, CA_HOST "\\%s", ca_name(look, ca));
	add_own_number(out, "CAType", 1);
	add_own_number(out, "CertsInMYStore", 1);
	add_encrypted_password(s, out);
	/* What is missing if it is inconsistent: 12 C2 [C]. */
	add_named_key(out, "EnforcePassword");
	if (s->mscep.registry == REGISTRY_CONSISTENT)
		add_number(out, "EnforcePassword",
		    s->mscep.challenge.mode != CHALLENGES_NONE);
	if (s->policy_module.installed) {
		add_named_key(out, "Modules");
		add_text(out, "Policy", "NDESPolicy.NDESPolicy");
		add_named_key(out, "Modules\\NDESPolicy");
		report_cell(out, "NDESCertThumbprint");
		report_cell(out, "REG_SZ");
		report_cell(out, "%s",
		    policy_module_thumbprint(s, (char[THUMBPRINT_SIZE]){ 0 }));
	}
	add_own_number(out, "PasswordLength", s->mscep.challenge.length);
	add_own_number(out, "PasswordMax", s->mscep.challenge.cache);
	add_named_key(out, "PasswordVDir");
	add_text(out, "PasswordVDir", "CertSrv/mscep_admin");
	add_own_number(out, "PasswordValidity",
	    s->mscep.challenge.validity / 60);
	add_own_number(out, "UseSinglePassword",
	    s->mscep.challenge.mode == CHALLENGES_SINGLE);
}

/* Which certificates the connector names there is assumed. */
static void
add_connector(const struct admin_look *look, struct report *out)
{
	const struct stack_state *s = look->state;
	struct policy_certificate list[POLICY_CERTIFICATES];
	size_t count = policy_module_certificates(s, list);
	char now[MOMENT_SIZE];

	if (count == 0)
		return;
	if (s->policy_module.connector == CONNECTOR_NEW) {
		add_key(out, INTUNE "\\PFXCertificateConnector");
		add_text(out, "EncryptionCertThumbprint", list[0].thumbprint);
	}
	add_key(out, INTUNE "\\NDESConnector");
	add_text(out, "EncryptionCertThumbprint", list[0].thumbprint);
	add_text(out, "KeyRecoveryAgentCertificate", "");
	add_text(out, "PfxSigningCertificate", "");
	if (s->policy_module.verify_request !=
	    VERIFY_REQUEST_SIGNING_CERTIFICATE)
		add_text(out, "SigningCertificate", list[0].thumbprint);
	add_key(out, INTUNE "\\NDESConnector\\ConnectionStatus");
	add_text(out, "IssueDetails", "");
	add_text(out, "LastConnectionTime", moment(look->now, now));
}

/* One that is not there counts as its default, and is shown with it. */
static void
add_http(const struct stack_state *s, struct report *out)
{
	add_key(out, HTTP_PARAMETERS);
	add_number(out, "AllowRestrictedChars", 0);
	add_number(out, "DisableServerHeader", 0);
	add_number(out, "EnableErrorLogging", 1);
	add_number(out, "ErrorLogFileTruncateSize", 0x100000);
	add_text(out, "ErrorLoggingDir", "%SystemRoot%\\System32\\LogFiles");
	add_number(out, "MaxFieldLength", s->http_sys.max_field_length);
	add_number(out, "MaxRequestBytes", s->http_sys.max_request_bytes);
	add_number(out, "PercentUAllowed", 1);
	add_number(out, "UrlSegmentMaxCount",
	    s->http_sys.url_segment_max_count);
	add_number(out, "UrlSegmentMaxLength",
	    s->http_sys.url_segment_max_length);
}

/* AD CS's own names, and those that NDES adds [C]. */
static void
add_ca(const struct admin_look *look, struct report *out)
{
	char ca[CA_NAME_SIZE], key[sizeof(CERTSVC) + CA_NAME_SIZE];

	snprintf(key, sizeof(key), CERTSVC "\\%s", ca_name(look, ca));
	add_key(out, key);
	report_row(out,
	    (const char *const[]){ "SubjectTemplate", "REG_MULTI_SZ",
		"EMail\\0CommonName\\0OrganizationalUnit\\0Organization\\0"
		"Locality\\0State\\0DomainComponent\\0Country\\0"
		"UnstructuredName\\0UnstructuredAddress\\0"
		"DeviceSerialNumber" });
}

void
view_registry(const struct admin_look *look, struct report *out)
{
	add_mscep(look, out);
	add_http(look->state, out);
	add_connector(look, out);
	add_ca(look, out);
}
