/* What an administrator finds where he looks, healthy and not. */
#include "unit/authority.h"
#include "unit/scenarios.h"

#include <jansson.h>

#include "admin/admin.h"

#define DAY 86400LL
#define SETS_MAX 3
#define CRLF "\r\n"
#define MSCEP "HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Cryptography\\MSCEP"
#define INTUNE "HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\MicrosoftIntune"
#define HTTP                                                              \
	"HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\HTTP\\" \
	"Parameters"
#define QUESTION                                                           \
	"PS C:\\> Get-Childitem -Path cert:\\LocalMachine\\root -Recurse " \
	"| Where-Object {$_.Issuer -ne $_.Subject}" CRLF
#define ANSWER                                                            \
	CRLF CRLF "   PSParentPath: Microsoft.PowerShell.Security\\"      \
		  "Certificate::LocalMachine\\root" CRLF CRLF             \
		  "Thumbprint                               Subject" CRLF \
		  "----------                               -------" CRLF
/* ndes-facts 10.7 */
#define INSTALLED                                                          \
	"MSI (c) (28:54) [16:13:11:905]: Product: Microsoft Intune "       \
	"Connector -- Installation completed successfully." CRLF           \
	"MSI (c) (28:54) [16:13:11:999]: Windows Installer installed the " \
	"product. Product Name: Microsoft Intune Connector. Product "      \
	"Version: 6.1711.4.0. Product Language: 1033. Manufacturer: "      \
	"Microsoft Corporation. Installation success or error status: 0." CRLF

static struct authority a;

static const struct seen {
	const char *row;
	enum evidence in;
	const char *sets[SETS_MAX];
	const char *has, *lacks; /* lacks: or NULL */
} seens[] = {
	{ "the proxy's service runs", EVIDENCE_SERVICES, { NULL },
	    "Running Automatic WAPCSvc          Microsoft AAD Application "
	    "Proxy Connector" CRLF,
	    "Stopped" },
	{ "or not", EVIDENCE_SERVICES,
	    { "app_proxy.connector_service=stopped",
		"app_proxy.connector_startup=manual" },
	    "Stopped Manual    WAPCSvc          Microsoft AAD Application "
	    "Proxy Connector" CRLF,
	    NULL },
	{ "the connector has a service", EVIDENCE_SERVICES, { NULL },
	    "Intune Connector Service", NULL },
	{ "the new one another", EVIDENCE_SERVICES,
	    { "policy_module.connector=new" },
	    "Certificate Connector for Microsoft Intune",
	    "Intune Connector Service" },
	{ "a missing one none", EVIDENCE_SERVICES,
	    { "policy_module.installed=false" }, "W3SVC", "Intune" },
	{ "the pool is started", EVIDENCE_APP_POOLS, { NULL },
	    CRLF "SCEP                       Started ", "Stopped" },
	{ "stopped", EVIDENCE_APP_POOLS, { "app_pool.state=stopped" },
	    CRLF "SCEP                       Stopped ", NULL },
	{ "or disabled", EVIDENCE_APP_POOLS, { "app_pool.state=disabled" },
	    CRLF "SCEP                       Stopped ", NULL },
	{ "rapid-fail protection is on", EVIDENCE_APP_POOLS, { NULL },
	    "Rapid-fail protection      : True" CRLF
	    "Failure interval (minutes) : 5" CRLF
	    "Maximum failures           : 5" CRLF,
	    NULL },
	{ "or off", EVIDENCE_APP_POOLS,
	    { "app_pool.rapid_fail_protection=false",
		"app_pool.rapid_fail_max_crashes=3" },
	    "Rapid-fail protection      : False" CRLF
	    "Failure interval (minutes) : 5" CRLF
	    "Maximum failures           : 3" CRLF,
	    NULL },
	{ "the limits of http.sys", EVIDENCE_REGISTRY, { NULL },
	    "    MaxFieldLength    REG_DWORD    0xfffe" CRLF
	    "    MaxRequestBytes    REG_DWORD    0xfffe" CRLF,
	    NULL },
	{ "below their key", EVIDENCE_REGISTRY, { NULL },
	    CRLF HTTP CRLF "    AllowRestrictedChars    REG_DWORD    0x0" CRLF,
	    NULL },
	{ "its defaults", EVIDENCE_REGISTRY,
	    { "http_sys.max_field_length=16384",
		"http_sys.max_request_bytes=16384" },
	    "    MaxFieldLength    REG_DWORD    0x4000" CRLF
	    "    MaxRequestBytes    REG_DWORD    0x4000" CRLF,
	    "0xfffe" },
	{ "values in keys of their names", EVIDENCE_REGISTRY, { NULL },
	    CRLF MSCEP "\\UseSinglePassword" CRLF
		       "    UseSinglePassword    REG_DWORD    0x0" CRLF,
	    "EncryptedPassword" },
	{ "a single password", EVIDENCE_REGISTRY,
	    { "mscep.challenge.mode=single" },
	    CRLF MSCEP "\\UseSinglePassword" CRLF
		       "    UseSinglePassword    REG_DWORD    0x1" CRLF,
	    NULL },
	{ "which is encrypted", EVIDENCE_REGISTRY,
	    { "mscep.challenge.mode=single" },
	    CRLF MSCEP "\\EncryptedPassword" CRLF
		       "    EncryptedPassword    REG_BINARY    ",
	    NULL },
	{ "if it could be written", EVIDENCE_REGISTRY,
	    { "mscep.challenge.mode=single",
		"mscep.encrypted_password=not-writable" },
	    CRLF MSCEP "\\EncryptedPassword" CRLF CRLF, "REG_BINARY" },
	{ "and may be of another account", EVIDENCE_REGISTRY,
	    { "mscep.encrypted_password=undecryptable" },
	    "    EncryptedPassword    REG_BINARY    ", NULL },
	{ "no password", EVIDENCE_REGISTRY, { "mscep.challenge.mode=none" },
	    "    EnforcePassword    REG_DWORD    0x0" CRLF, NULL },
	{ "a consistent registry", EVIDENCE_REGISTRY, { NULL },
	    CRLF MSCEP "\\EnforcePassword" CRLF
		       "    EnforcePassword    REG_DWORD    0x1" CRLF,
	    NULL },
	{ "an inconsistent one", EVIDENCE_REGISTRY,
	    { "mscep.registry=inconsistent" },
	    CRLF MSCEP "\\EnforcePassword" CRLF CRLF,
	    "    EnforcePassword    " },
	{ "passwords as they are set", EVIDENCE_REGISTRY,
	    { "mscep.challenge.cache=16", "mscep.challenge.validity=2h",
		"mscep.challenge.length=16" },
	    CRLF MSCEP
	    "\\PasswordLength" CRLF
	    "    PasswordLength    REG_DWORD    0x10" CRLF CRLF MSCEP
	    "\\PasswordMax" CRLF
	    "    PasswordMax    REG_DWORD    0x10" CRLF CRLF MSCEP
	    "\\PasswordVDir" CRLF
	    "    PasswordVDir    REG_SZ    CertSrv/mscep_admin" CRLF CRLF MSCEP
	    "\\PasswordValidity" CRLF
	    "    PasswordValidity    REG_DWORD    0x78" CRLF,
	    NULL },
	{ "templates by name", EVIDENCE_REGISTRY, { NULL },
	    MSCEP CRLF
	    "    EncryptionTemplate    REG_SZ    IPSECIntermediateOffline" CRLF
	    "    GeneralPurposeTemplate    REG_SZ    "
	    "IPSECIntermediateOffline" CRLF
	    "    SignatureTemplate    REG_SZ    IPSECIntermediateOffline" CRLF,
	    NULL },
	{ "or not", EVIDENCE_REGISTRY, { "mscep.templates=wrong" },
	    "    SignatureTemplate    REG_SZ    IPSec (Offline request)" CRLF,
	    "IPSECIntermediateOffline" },
	{ "the CA", EVIDENCE_REGISTRY, { NULL },
	    CRLF MSCEP "\\CAInfo" CRLF "    Configuration    REG_SZ    "
		       "CA01.contoso.com\\mockndes TEST ONLY CA" CRLF,
	    NULL },
	{ "a thumbprint as it was typed", EVIDENCE_REGISTRY,
	    { "policy_module.thumbprint=AB CD" },
	    CRLF MSCEP "\\Modules\\NDESPolicy" CRLF
		       "    NDESCertThumbprint    REG_SZ    AB CD" CRLF,
	    NULL },
	{ "without the connector no module", EVIDENCE_REGISTRY,
	    { "policy_module.installed=false" }, MSCEP, "Modules" },
	{ "nor a key of its own", EVIDENCE_REGISTRY,
	    { "policy_module.installed=false" }, MSCEP, INTUNE },
	{ "a signing certificate", EVIDENCE_REGISTRY, { NULL },
	    "    SigningCertificate    REG_SZ    ", "PFXCertificateConnector" },
	{ "that is missing", EVIDENCE_REGISTRY,
	    { "policy_module.verify_request=signing-certificate" },
	    CRLF INTUNE "\\NDESConnector" CRLF,
	    "    SigningCertificate    REG_SZ    " },
	{ "the new connector", EVIDENCE_REGISTRY,
	    { "policy_module.connector=new" },
	    CRLF INTUNE "\\PFXCertificateConnector" CRLF
			"    EncryptionCertThumbprint    REG_SZ    ",
	    NULL },
	{ "no intermediates in Trusted Root", EVIDENCE_CERTIFICATES, { NULL },
	    QUESTION CRLF, ANSWER },
	{ "two of them", EVIDENCE_CERTIFICATES,
	    { "certificates.intermediates_in_root=2" },
	    QUESTION ANSWER
	    "6A3F14D763C0D74DEBF58BC6AF26ABFEBE623309 CN=Contoso Issuing CA "
	    "1, DC=contoso, DC=com" CRLF
	    "0E19D173AC6BB40EBCC3D24E6F4CE8E109C6D313 CN=Contoso Issuing CA "
	    "2, DC=contoso, DC=com" CRLF CRLF,
	    "Contoso Issuing CA 3" },
	{ "RA certificates that are good", EVIDENCE_CERTIFICATES, { NULL },
	    "Template           : CEP Encryption" CRLF
	    "Enhanced Key Usage : Certificate Request Agent "
	    "(1.3.6.1.4.1.311.20.2.1)" CRLF,
	    "has expired" },
	{ "that have ended", EVIDENCE_CERTIFICATES,
	    { "ra.signing.not_before=-9d", "ra.signing.not_after=-2d" },
	    "Template           : Exchange Enrollment Agent (Offline "
	    "request)" CRLF "Enhanced Key Usage : Certificate Request Agent "
	    "(1.3.6.1.4.1.311.20.2.1)" CRLF
	    "Valid from         : 2022-06-06 12:00:00" CRLF
	    "Valid to           : 2022-06-13 12:00:00" CRLF
	    "Status             : has expired" CRLF,
	    NULL },
	{ "a key that can be read", EVIDENCE_CERTIFICATES, { NULL },
	    "Private key        : CONTOSO\\NDESService: Read" CRLF,
	    "no access" },
	{ "that cannot", EVIDENCE_CERTIFICATES,
	    { "ra.encryption.key_readable=false" },
	    "Private key        : CONTOSO\\NDESService: no access" CRLF, NULL },
	{ "a certificate of the policy module", EVIDENCE_CERTIFICATES, { NULL },
	    "Client Authentication (1.3.6.1.5.5.7.3.2)", NULL },
	{ "from the CA, by the name that it has", EVIDENCE_CERTIFICATES,
	    { NULL },
	    "Subject            : CN=NDESServer01.contoso.com" CRLF
	    "Issuer             : O=mockndes TEST ONLY, CN=mockndes TEST ONLY "
	    "CA" CRLF,
	    NULL },
	{ "that has expired", EVIDENCE_CERTIFICATES,
	    { "policy_module.certificate.not_after=-1d" },
	    "Status             : has expired" CRLF, NULL },
	{ "none without it", EVIDENCE_CERTIFICATES,
	    { "policy_module.installed=false" }, "CEP Encryption",
	    "Client Authentication" },
	{ "long URLs are allowed", EVIDENCE_REQUEST_FILTERING, { NULL },
	    "Maximum allowed content length (Bytes) : 30000000" CRLF
	    "Maximum URL length (Bytes)             : 65534" CRLF
	    "Maximum query string (Bytes)           : 65534" CRLF,
	    NULL },
	{ "by default not", EVIDENCE_REQUEST_FILTERING,
	    { "iis.max_url=4096", "iis.max_query_string=2048" },
	    "Maximum URL length (Bytes)             : 4096" CRLF
	    "Maximum query string (Bytes)           : 2048" CRLF,
	    NULL },
	{ "anonymous at the registration service", EVIDENCE_IIS_AUTHENTICATION,
	    { NULL },
	    "CertificateRegistrationSvc Enabled                  Disabled     "
	    "        Disabled" CRLF,
	    NULL },
	{ "Windows there", EVIDENCE_IIS_AUTHENTICATION,
	    { "iis.certificate_registration.anonymous=false",
		"iis.certificate_registration.windows=true" },
	    "CertificateRegistrationSvc Disabled                 Disabled     "
	    "        Enabled" CRLF,
	    NULL },
	{ "IIS_IUSRS may impersonate", EVIDENCE_USER_RIGHTS, { NULL },
	    "Impersonate a client after authentication LOCAL SERVICE,NETWORK "
	    "SERVICE,Administrators,IIS_IUSRS,SERVICE" CRLF,
	    NULL },
	{ "or not", EVIDENCE_USER_RIGHTS, { "iis.impersonation_right=false" },
	    "Impersonate a client after authentication LOCAL SERVICE,NETWORK "
	    "SERVICE,Administrators,SERVICE" CRLF,
	    NULL },
	{ "the account may log on", EVIDENCE_USER_RIGHTS, { NULL },
	    "Operators,CONTOSO\\NDESService,IIS_IUSRS" CRLF, NULL },
	{ "or not as a batch job", EVIDENCE_USER_RIGHTS,
	    { "app_pool.identity=no-logon-right" }, "Operators,IIS_IUSRS" CRLF,
	    NULL },
	{ "the account is well", EVIDENCE_SERVICE_ACCOUNT, { NULL },
	    "Account locked               : No" CRLF
	    "Password expired             : No" CRLF,
	    NULL },
	{ "locked", EVIDENCE_SERVICE_ACCOUNT, { "app_pool.identity=locked" },
	    "Account locked               : Yes" CRLF
	    "Password expired             : No" CRLF,
	    NULL },
	{ "its password has expired", EVIDENCE_SERVICE_ACCOUNT,
	    { "app_pool.identity=password-expired" },
	    "Account locked               : No" CRLF
	    "Password expired             : Yes" CRLF,
	    NULL },
	{ "the external URL is right", EVIDENCE_APP_PROXY, { NULL },
	    "https://yourtenant.msappproxy.net/certsrv/mscep/mscep.dll" CRLF,
	    "inactive" },
	{ "or not", EVIDENCE_APP_PROXY, { "app_proxy.external_url=wrong" },
	    "https://contoso.com/certsrv/mscep/mscep.dll" CRLF, "msappproxy" },
	{ "the connector is inactive", EVIDENCE_APP_PROXY,
	    { "app_proxy.connector_service=stopped",
		"app_proxy.connector_startup=disabled",
		"app_proxy.back_end_timeout=85s" },
	    "Back end timeout (seconds) : 85" CRLF
	    "Connector                  : NDESServer01.contoso.com" CRLF
	    "Connector status           : inactive" CRLF
	    "Service startup type       : Disabled" CRLF,
	    NULL },
	{ "everybody is reached", EVIDENCE_NETWORK, { NULL }, "connected",
	    "no answer" },
	{ "devices are not", EVIDENCE_NETWORK, { "network.device=refused" },
	    "HTTPS                      refused" CRLF, NULL },
	{ "CRLs are not", EVIDENCE_NETWORK,
	    { "certificates.crl_urls=unreachable" },
	    "CRL URLs of the certificates of the connector no answer" CRLF,
	    NULL },
	{ "the CA is not", EVIDENCE_NETWORK, { "ca.online=false" },
	    "CA01.contoso.com, RPC                         no answer" CRLF,
	    NULL },
	{ "no policy pushes anything", EVIDENCE_GROUP_POLICY, { NULL },
	    "Default Domain Policy", "Contoso PKI" },
	{ "one does", EVIDENCE_GROUP_POLICY,
	    { "certificates.group_policy=pushes" },
	    "Contoso PKI" CRLF
	    "Applied                                : Yes" CRLF
	    "Filtering                              : " CRLF
	    "Trusted Root Certification Authorities : CN=Contoso Issuing CA "
	    "1, DC=contoso, DC=com" CRLF,
	    NULL },
	{ "another intermediate has come from elsewhere", EVIDENCE_GROUP_POLICY,
	    { "certificates.group_policy=pushes",
		"certificates.intermediates_in_root=2" },
	    "Contoso Issuing CA 1", "Contoso Issuing CA 2" },
	{ "not here", EVIDENCE_GROUP_POLICY,
	    { "certificates.group_policy=excluded" },
	    "Contoso PKI" CRLF
	    "Applied                                : No" CRLF
	    "Filtering                              : Denied (Security)" CRLF,
	    NULL },
	{ "the setup was good", EVIDENCE_SETUP_LOG, { NULL }, INSTALLED,
	    "1603" },
	{ "or not", EVIDENCE_SETUP_LOG, { "policy_module.installed=false" },
	    "Product: Microsoft Intune Connector -- Installation failed." CRLF,
	    "successfully" },
};

static size_t
count_sets(const struct seen *t)
{
	size_t count = 0;

	while (count < SETS_MAX && t->sets[count] != NULL)
		count++;
	return count;
}

static void
set(struct stack_state *state, const struct seen *t)
{
	struct errors errors = { 0 };
	char text[TEXT_SIZE];

	stack_healthy(state);
	if (scenario_set(state, t->sets, count_sets(t), &errors) == -1)
		fail_msg("%s", errors_print(&errors, text, sizeof(text)));
}

static struct admin_look
look_at(const struct stack_state *state)
{
	return (
	    struct admin_look){ state, a.credentials, DEVICE_NOW, DEVICE_NOW };
}

static void
is_seen(void **state)
{
	const struct seen *t = *state;
	struct stack_state s;
	struct buffer text = { 0 };
	struct admin_look look;

	set(&s, t);
	look = look_at(&s);
	assert_int_equal(admin_print(t->in, &look, &text), 0);
	buffer_add_byte(&text, '\0');
	if (strstr((char *)text.data, t->has) == NULL)
		fail_msg("\"%s\" is not in:\n%s", t->has, (char *)text.data);
	if (t->lacks != NULL && strstr((char *)text.data, t->lacks) != NULL)
		fail_msg("\"%s\" is in:\n%s", t->lacks, (char *)text.data);
	buffer_free(&text);
}

/* Whatever the text has, rows have too. */
static void
rows_are_the_same(void **state)
{
	const struct seen *t = *state;
	struct stack_state s;
	struct buffer text = { 0 };
	struct admin_look look;
	json_t *json, *entry, *value;
	const char *name;
	size_t i, cells = 0;

	set(&s, t);
	look = look_at(&s);
	assert_int_equal(admin_print(t->in, &look, &text), 0);
	buffer_add_byte(&text, '\0');
	assert_non_null(json = admin_json(t->in, &look));
	assert_string_equal(json_string_value(json_object_get(json, "name")),
	    evidence_name(t->in));
	json_array_foreach(json_object_get(json, "entries"), i, entry)
	{
		json_object_foreach(entry, name, value)
		{
			assert_non_null(strstr((char *)text.data,
			    json_string_value(value)));
			cells++;
		}
	}
	assert_true(cells > 0);
	json_decref(json);
	buffer_free(&text);
}

/* To the octet, as the article has them and nothing beside. */
static void
setup_log_is_that_of_the_article(void **state)
{
	struct stack_state s;
	struct buffer text = { 0 };
	struct admin_look look;

	(void)state;
	stack_healthy(&s);
	look = look_at(&s);
	assert_int_equal(admin_print(EVIDENCE_SETUP_LOG, &look, &text), 0);
	buffer_add_byte(&text, '\0');
	assert_string_equal((char *)text.data, INSTALLED);
	buffer_free(&text);
}

/* Those of the policy module that NDESCertThumbprint can name. */
static void
thumbprints_meet(void **state)
{
	struct policy_certificate list[POLICY_CERTIFICATES];
	struct stack_state s;
	struct admin_look look;
	json_t *json, *entry;
	const char *thumbprint;
	size_t i, count, met = 0;

	(void)state;
	stack_healthy(&s);
	s.policy_module.renewed.not_before = DAY;
	s.policy_module.renewed.not_after = 2 * DAY;
	assert_int_equal(count = policy_module_certificates(&s, list), 2);
	look = look_at(&s);
	assert_non_null(json = admin_json(EVIDENCE_CERTIFICATES, &look));
	json_array_foreach(json_object_get(json, "entries"), i, entry)
	{
		thumbprint = json_string_value(
		    json_object_get(entry, "Thumbprint"));
		for (size_t k = 0; k < count; k++)
			met += strcasecmp(thumbprint, list[k].thumbprint) == 0;
	}
	assert_int_equal(met, 2);
	json_decref(json);
}

/* NDES has it from its next start on, an administrator finds it before. */
static void
a_renewed_certificate_is_there(void **state)
{
	static const struct seen renewed = { "renewed", EVIDENCES,
		{ "ra.signing.not_before=5d", "ra.signing.not_after=8d" }, NULL,
		NULL };
	struct stack_state s;
	struct admin_look look;
	json_t *json, *entry;

	(void)state;
	set(&s, &renewed);
	look = look_at(&s);
	assert_non_null(json = admin_json(EVIDENCE_CERTIFICATES, &look));
	entry = json_array_get(json_object_get(json, "entries"), 0);
	assert_string_equal(json_string_value(
				json_object_get(entry, "Valid to")),
	    "2022-06-23 12:00:00");
	assert_string_equal(json_string_value(json_object_get(entry, "Status")),
	    "is not valid yet");
	json_decref(json);
}

/* A chain has its own store; only a root is in that of roots. */
static void
a_chain_is_in_its_store(void **state)
{
	const struct ca_shape shape = { CA_KEY_GIVEN, 3, 0 };
	struct credentials *three;
	struct stack_state s;
	struct buffer text = { 0 };
	struct error err = { 0 };
	struct admin_look look;

	(void)state;
	stack_healthy(&s);
	assert_int_equal(credentials_new(a.keys, &shape, DEVICE_NOW, &three,
			     &err),
	    0);
	look = look_at(&s);
	look.credentials = three;
	assert_int_equal(admin_print(EVIDENCE_CERTIFICATES, &look, &text), 0);
	buffer_add_byte(&text, '\0');
	assert_non_null(strstr((char *)text.data,
	    "LocalMachine\\Root (Trusted Root Certification Authorities)" CRLF
		CRLF
	    "Subject            : O=mockndes TEST ONLY, CN=mockndes TEST "
	    "ONLY Root CA" CRLF));
	assert_non_null(strstr((char *)text.data,
	    "LocalMachine\\CA (Intermediate Certification Authorities)" CRLF
		CRLF
	    "Subject            : O=mockndes TEST ONLY, CN=mockndes TEST "
	    "ONLY CA" CRLF));
	assert_non_null(strstr((char *)text.data,
	    "Subject            : O=mockndes TEST ONLY, CN=mockndes TEST ONLY "
	    "Policy CA" CRLF));
	buffer_free(&text);
	credentials_free(three);
}

static int
open_authority(void **state)
{
	(void)state;
	a = authority_open();
	return 0;
}

static int
close_authority(void **state)
{
	(void)state;
	authority_close(&a);
	return 0;
}

int
main(void)
{
	const struct table tables[] = {
		ROWS(is_seen, seens),
		ROWS(rows_are_the_same, seens),
		ONE(setup_log_is_that_of_the_article,
		    "the setup log is that of the article"),
		ONE(thumbprints_meet, "thumbprints of the policy module"),
		ONE(a_renewed_certificate_is_there,
		    "a renewed certificate is there before it is used"),
		ONE(a_chain_is_in_its_store, "a chain is in its store"),
	};

	return ROWS_RUN(tables, open_authority, close_authority);
}
