/*
 * What an administrator can do: the table. Where a source does not say when
 * something takes effect, that is assumed.
 */
#include "stack/stack.h"

#include <string.h>

#define YEAR 31557600LL	       /* a Julian one */
#define CERTIFICATE_YEARS 2    /* ndes-facts 2.3 */
#define BACK_DATED (10 * 60LL) /* seconds, as all that the CA issues */

#define IISRESET "iisreset"
#define RESTART "restart-server"
#define IMPORT "import-enrollment-agent-to-machine"

/* What does one thing only, whatever was there before. */
#define SETS(name, field, value)                                             \
	static void name(struct stack_state *s, const struct action_call *c) \
	{                                                                    \
		(void)c;                                                     \
		s->field = (value);                                          \
	}
/* The same, if it was like this; any other trouble stays. */
#define CURES(name, field, from, to)                                         \
	static void name(struct stack_state *s, const struct action_call *c) \
	{                                                                    \
		(void)c;                                                     \
		if (s->field == (from))                                      \
			s->field = (to);                                     \
	}

SETS(unblock_network, network.device, DEVICE_REACHES)
SETS(set_startup, app_proxy.connector_startup, STARTUP_AUTOMATIC)
SETS(use_default_domain, app_proxy.external_url, EXTERNAL_URL_DEFAULT_DOMAIN)
SETS(reach_back_end, app_proxy.back_end, BACK_END_REACHABLE)
SETS(raise_queue_length, http_sys.queue, HTTP_QUEUE_OPEN)
SETS(assign_right, iis.impersonation_right, true)
SETS(enable_anonymous, iis.certificate_registration.anonymous, true)
SETS(disable_windows, iis.certificate_registration.windows, false)
SETS(order_handlers, iis.handlers_ordered, true)
SETS(start_pool, app_pool.state, POOL_STARTED)
SETS(stop_pool, app_pool.state, POOL_STOPPED)
CURES(unlock_account, app_pool.identity, IDENTITY_LOCKED, IDENTITY_GOOD)
CURES(reset_password, app_pool.identity, IDENTITY_PASSWORD_EXPIRED,
    IDENTITY_GOOD)
CURES(grant_logon, app_pool.identity, IDENTITY_NO_LOGON_RIGHT, IDENTITY_GOOD)
CURES(delete_password, mscep.encrypted_password,
    ENCRYPTED_PASSWORD_UNDECRYPTABLE, ENCRYPTED_PASSWORD_GOOD)
SETS(set_templates, mscep.templates, TEMPLATES_RIGHT)
SETS(grant_enroll, mscep.admin.permission, true)
CURES(grant_temp_folder, policy_module.verify_request,
    VERIFY_REQUEST_TEMP_FOLDER, VERIFY_REQUEST_WORKS)
SETS(start_notify, policy_module.notify, NOTIFY_WORKS)
CURES(exclude, certificates.group_policy, GROUP_POLICY_PUSHES,
    GROUP_POLICY_EXCLUDED)
SETS(open_crls, certificates.crl_urls, REACHABLE)
SETS(enable_capi2, certificates.capi2_log, true)
SETS(start_ca, ca.online, true)
SETS(publish_template, ca.template_published, true)
SETS(publish_crl, ca.crl, REACHABLE)
SETS(grant_request, ca.grants_request, true)

static bool
pool_is_started(const struct stack_state *s)
{
	return s->app_pool.state == POOL_STARTED;
}

/* Error 1058 of Windows: the service cannot be started. */
static bool
service_is_disabled(const struct stack_state *s)
{
	return s->app_proxy.connector_startup == STARTUP_DISABLED;
}

SETS(start_service, app_proxy.connector_service, SERVICE_RUNNING)

/* Whoever stopped or disabled the pool: WAS keeps no memory of it. */
static void
restart_iis(struct stack_state *s, const struct action_call *c)
{
	(void)c;
	s->app_pool.state = s->app_pool.start_with_server ? POOL_STARTED :
							    POOL_STOPPED;
}

static void
restart_server(struct stack_state *s, const struct action_call *c)
{
	restart_iis(s, c);
	s->app_proxy.connector_service = s->app_proxy.connector_startup ==
		STARTUP_AUTOMATIC ?
	    SERVICE_RUNNING :
	    SERVICE_STOPPED;
	if (s->certificates.group_policy == GROUP_POLICY_PUSHES &&
	    s->certificates.intermediates_in_root == 0)
		s->certificates.intermediates_in_root = 1;
}

static void
put(int64_t *field, int64_t number)
{
	if (number != ACTION_STAYS)
		*field = number;
}

static void
set_request_filtering(struct stack_state *s, const struct action_call *c)
{
	put(&s->iis.max_url, c->numbers[0]);
	put(&s->iis.max_query_string, c->numbers[1]);
	put(&s->iis.max_allowed_content_length, c->numbers[2]);
}

static void
set_http_sys(struct stack_state *s, const struct action_call *c)
{
	put(&s->http_sys.max_field_length, c->numbers[0]);
	put(&s->http_sys.max_request_bytes, c->numbers[1]);
}

static void
set_password_max(struct stack_state *s, const struct action_call *c)
{
	put(&s->mscep.challenge.cache, c->numbers[0]);
}

/* Not: what cannot be decrypted is as consistent as before. */
static void
repair_registry(struct stack_state *s, const struct action_call *c)
{
	(void)c;
	s->mscep.registry = REGISTRY_CONSISTENT;
	if (s->mscep.encrypted_password == ENCRYPTED_PASSWORD_NOT_WRITABLE)
		s->mscep.encrypted_password = ENCRYPTED_PASSWORD_GOOD;
}

static void
remove_intermediates(struct stack_state *s, const struct action_call *c)
{
	(void)c;
	s->certificates.intermediates_in_root = 0;
	if (s->policy_module.verify_request == VERIFY_REQUEST_UNTRUSTED)
		s->policy_module.verify_request = VERIFY_REQUEST_WORKS;
}

/* That its setup registers the newest certificate that is good is assumed. */
static void
register_certificate(struct stack_state *s, int64_t elapsed)
{
	struct policy_certificate list[POLICY_CERTIFICATES], *newest = NULL;
	size_t count = policy_module_certificates(s, list);
	char named[THUMBPRINT_SIZE];

	for (size_t i = 0; i < count; i++)
		if (elapsed >= list[i].not_before &&
		    elapsed <= list[i].not_after &&
		    (newest == NULL ||
			list[i].not_before >= newest->not_before))
			newest = &list[i];
	if (newest != NULL &&
	    strcmp(policy_module_thumbprint(s, named), newest->thumbprint) != 0)
		strcpy(s->policy_module.thumbprint, newest->thumbprint);
}

static void
install_connector(struct stack_state *s, const struct action_call *c)
{
	s->policy_module.installed = true;
	register_certificate(s, c->elapsed);
	s->policy_module.notify = NOTIFY_WORKS;
	if (s->policy_module.verify_request ==
	    VERIFY_REQUEST_SIGNING_CERTIFICATE)
		s->policy_module.verify_request = VERIFY_REQUEST_WORKS;
}

static void
set_thumbprint(struct stack_state *s, const struct action_call *c)
{
	_Static_assert(sizeof(c->text) <= sizeof(s->policy_module.thumbprint),
	    "all that can be said has room");
	strcpy(s->policy_module.thumbprint, c->text);
}

/* A second renewal leaves the first certificate where it is named. */
static void
keep_renewed(struct stack_state *s)
{
	struct policy_certificate list[POLICY_CERTIFICATES];

	if (policy_module_certificates(s, list) < POLICY_CERTIFICATES ||
	    strcmp(list[1].thumbprint, s->policy_module.thumbprint) != 0)
		return;
	s->policy_module.certificate.not_before = list[1].not_before;
	s->policy_module.certificate.not_after = list[1].not_after;
	if (s->policy_module.verify_request == VERIFY_REQUEST_NO_CLIENT_AUTH)
		s->policy_module.verify_request = VERIFY_REQUEST_WORKS;
}

static void
renew_policy(struct stack_state *s, const struct action_call *c)
{
	keep_renewed(s);
	s->policy_module.renewed.not_before = c->elapsed - BACK_DATED;
	s->policy_module.renewed.not_after = c->elapsed - BACK_DATED +
	    CERTIFICATE_YEARS * YEAR;
}

/*
 * As the template has it, from the moment of the request on. The key is new:
 * nobody but its owner may read it (article, step 15).
 */
static void
request(struct ra_settings *ra, const struct action_call *c)
{
	ra->not_before = c->elapsed - BACK_DATED;
	ra->not_after = ra->not_before + CERTIFICATE_YEARS * YEAR;
	ra->key_usage = RA_USAGE_USUAL;
	ra->key_readable = false;
}

static void
request_encryption(struct stack_state *s, const struct action_call *c)
{
	request(&s->ra.encryption, c);
}

static void
request_signing(struct stack_state *s, const struct action_call *c)
{
	request(&s->ra.signing, c);
}

static void
grant_read(struct stack_state *s, const struct action_call *c)
{
	(void)c;
	s->ra.signing.key_readable = s->ra.encryption.key_readable = true;
}

static void
renew_both(struct stack_state *s, const struct action_call *c)
{
	request_signing(s, c);
	request_encryption(s, c);
	grant_read(s, c);
}

/* That its setup writes the registry anew is assumed. */
static void
install_role(struct stack_state *s, const struct action_call *c)
{
	renew_both(s, c);
	s->mscep.registry = REGISTRY_CONSISTENT;
	s->mscep.templates = TEMPLATES_RIGHT;
	s->mscep.encrypted_password = ENCRYPTED_PASSWORD_GOOD;
	restart_iis(s, c);
}

static void
bind_certificate(struct stack_state *s, const struct action_call *c)
{
	(void)c;
	s->tls.certificate = SERVER_CERTIFICATE_GOOD;
	s->tls.chain = TLS_CHAIN_COMPLETE;
	if (s->policy_module.verify_request == VERIFY_REQUEST_NAME_MISMATCH)
		s->policy_module.verify_request = VERIFY_REQUEST_WORKS;
}

#define ARTICLE "article device-to-ndes, "
#define POLICY_MODULE "article ndes-policy-module"
#define ASSUMED "; that it takes effect at once is assumed"

static const struct action actions[] = {
	{ .name = IISRESET,
	    .title = "Restart IIS: iisreset, in an elevated prompt. NDES "
		     "begins anew and forgets its unused passwords; the "
		     "application pool starts, if it starts with IIS",
	    .source = ARTICLE "\"HTTP Error 503\"; the admin page itself",
	    .also = ACTION_START,
	    .apply = restart_iis },
	{ .name = RESTART,
	    .title = "Restart the server, and IIS with it. Services run again "
		     "whose startup type is Automatic; group policy is "
		     "applied again",
	    .source = ARTICLE "\"Status code 500\" and others",
	    .also = IISRESET,
	    .apply = restart_server },
	{ .name = "unblock-network",
	    .title = "Let the device's packets through, between the device "
		     "and NDES",
	    .source = ARTICLE "\"Review IIS logs for a connection from the "
			      "device\"" ASSUMED,
	    .apply = unblock_network },
	{ .name = "assign-impersonation-right",
	    .title = "Give IIS_IUSRS the right \"Impersonate a client after "
		     "authentication\": secpol.msc, Local Policies, User "
		     "Rights Assignment",
	    .source = ARTICLE "\"Status code 500\", steps 1 to 6",
	    .waits_for = { RESTART },
	    .apply = assign_right },
	{ .name = ACTION_START,
	    .title = "Start the application pool SCEP: IIS Manager, "
		     "Application Pools. Nothing comes of it if it is started",
	    .source = ARTICLE "\"HTTP Error 503\"",
	    .apply = start_pool,
	    .idle = pool_is_started },
	{ .name = ACTION_STOP,
	    .title = "Stop the application pool SCEP, which ends its worker "
		     "process: IIS Manager, Application Pools",
	    .source = "assumed: an administrator did, where the article finds "
		      "it not started; it starts with IIS all the same",
	    .apply = stop_pool },
	{ .name = "remove-intermediate-certificates",
	    .title = "Remove the certificates of intermediate CAs from the "
		     "store Trusted Root Certification Authorities, after "
		     "Get-Childitem -Path cert:\\LocalMachine\\root -Recurse "
		     "| Where-Object {$_.Issuer -ne $_.Subject}",
	    .source = ARTICLE "\"HTTP Error 503\", cause 1; " POLICY_MODULE
			      ": 403.16",
	    .waits_for = { RESTART },
	    .apply = remove_intermediates },
	{ .name = "exclude-from-group-policy",
	    .title = "Exclude the server from the group policy that pushes "
		     "intermediate CAs into its Trusted Root store. Those that "
		     "are there stay",
	    .source = ARTICLE "\"HTTP Error 503\", cause 1" ASSUMED,
	    .apply = exclude },
	{ .name = "open-crl-urls",
	    .title = "Let the server reach the CRL URLs of the connector's "
		     "certificates",
	    .source = ARTICLE "\"HTTP Error 503\", cause 2" ASSUMED,
	    .apply = open_crls },
	{ .name = "enable-capi2-log",
	    .title = "Enable the log CAPI2, Operational: Event Viewer, "
		     "Applications and Services Logs, Microsoft, Windows. What "
		     "happened before is not in it",
	    .source = ARTICLE "\"HTTP Error 503\", cause 2, steps 1 to 3",
	    .apply = enable_capi2 },
	{ .name = "enable-anonymous-authentication",
	    .title = "Enable Anonymous Authentication of "
		     "CertificateRegistrationSvc: IIS Manager, Authentication",
	    .source = ARTICLE "\"HTTP Error 503\", cause 3",
	    .waits_for = { RESTART },
	    .apply = enable_anonymous },
	{ .name = "disable-windows-authentication",
	    .title = "Disable Windows Authentication of "
		     "CertificateRegistrationSvc: IIS Manager, Authentication",
	    .source = ARTICLE "\"HTTP Error 503\", cause 3",
	    .waits_for = { RESTART },
	    .apply = disable_windows },
	{ .name = "renew-policy-certificate",
	    .title = "Renew the client certificate of the policy module, in "
		     "the computer's store; the registry names the one before",
	    .source = ARTICLE "\"HTTP Error 503\", cause 4, step 1; that it is "
			      "good for two years is assumed",
	    .apply = renew_policy },
	{ .name = "set-ndes-certificate-thumbprint",
	    .title = "Write a thumbprint into the registry: "
		     "NDESCertThumbprint, below HKLM\\SOFTWARE\\Microsoft\\"
		     "Cryptography\\MSCEP\\Modules\\NDESPolicy",
	    .source = ARTICLE "\"HTTP Error 503\", cause 4, steps 3 and 4",
	    .waits_for = { ACTION_START },
	    .arguments = { { { "thumbprint", VALUE_TEXT, NULL, 1,
				 ACTION_TEXT_SIZE - 1,
				 "It is taken as it is: good is lower case, "
				 "without white space" },
		ACTION_WANTED } },
	    .apply = set_thumbprint },
	{ .name = "start-connector-service",
	    .title = "Start the service Microsoft AAD Application Proxy "
		     "Connector: services.msc. One whose startup type is "
		     "Disabled does not start",
	    .source = ARTICLE "\"GatewayTimeout\"",
	    .apply = start_service,
	    .idle = service_is_disabled },
	{ .name = "set-connector-startup-automatic",
	    .title = "Set the startup type of the service Microsoft AAD "
		     "Application Proxy Connector to Automatic: services.msc. "
		     "It starts with the server",
	    .source = ARTICLE "\"GatewayTimeout\"",
	    .apply = set_startup },
	{ .name = "reach-back-end",
	    .title = "Let the application proxy's connector reach NDES: name, "
		     "port, firewall",
	    .source = "Microsoft Entra application proxy, \"BadGateway\"; that "
		      "this is the way out, and takes effect at once, is "
		      "assumed",
	    .apply = reach_back_end },
	{ .name = "use-msappproxy-domain",
	    .title = "Use the default domain yourtenant.msappproxy.net for the "
		     "external URL, in the application proxy's configuration",
	    .source = ARTICLE "\"This page can't be displayed\"" ASSUMED,
	    .apply = use_default_domain },
	{ .name = "set-request-filtering-limits",
	    .title = "Set the limits of IIS request filtering: IIS Manager, "
		     "Default Web Site, Request Filtering, Edit Feature "
		     "Settings",
	    .source = ARTICLE "\"HTTP 414 Request-URI Too Long\", step 5",
	    .waits_for = { RESTART },
	    .arguments = { { { "max_url", VALUE_NUMBER, NULL, 0, INT32_MAX,
				 "Octets of the path" },
			       65534 },
		{ { "max_query_string", VALUE_NUMBER, NULL, 0, INT32_MAX,
		      "Octets of the query" },
		    65534 },
		{ { "max_allowed_content_length", VALUE_NUMBER, NULL, 0,
		      UINT32_MAX, "Octets of a body" },
		    ACTION_STAYS } },
	    .apply = set_request_filtering },
	{ .name = "set-http-sys-limits",
	    .title = "Set the limits of http.sys in the registry, below "
		     "HKLM\\SYSTEM\\CurrentControlSet\\Services\\HTTP\\"
		     "Parameters",
	    .source = ARTICLE "\"HTTP 414 Request-URI Too Long\", step 5",
	    .waits_for = { RESTART },
	    .arguments = { { { "max_field_length", VALUE_NUMBER, NULL, 64,
				 65534,
				 "MaxFieldLength: octets of the request line, or of one header" },
			       65534 },
		{ { "max_request_bytes", VALUE_NUMBER, NULL, 256, 16777216,
		      "MaxRequestBytes: octets of request line and headers" },
		    65534 } },
	    .apply = set_http_sys },
	{ .name = "raise-queue-length",
	    .title = "Raise the queue length of the application pool SCEP "
		     "above what waits in it: IIS Manager, Advanced Settings",
	    .source = "assumed, as is that it takes effect at once; QueueFull "
		      "in the HTTPERR log is documented",
	    .apply = raise_queue_length },
	{ .name = "unlock-account",
	    .title = "Unlock the service account of NDES: Active Directory "
		     "Users and Computers",
	    .source = ARTICLE
	    "\"500 - Internal server error\", cause 1" ASSUMED,
	    .apply = unlock_account },
	{ .name = "reset-password",
	    .title = "Reset the password of NDES's service account, in Active "
		     "Directory and in the application pool's identity; an "
		     "account that is locked stays so",
	    .source = ARTICLE
	    "\"500 - Internal server error\", cause 1" ASSUMED,
	    .apply = reset_password },
	{ .name = "grant-logon-rights",
	    .title = "Give the service account the rights to log on as a "
		     "batch job and as a service",
	    .source = "article certificates-scep-configure: a restart of the "
		      "server, not iisreset",
	    .waits_for = { RESTART },
	    .apply = grant_logon },
	{ .name = "reinstall-connector",
	    .title = "Uninstall and reinstall the Microsoft Intune Connector, "
		     "with its policy module for NDES and its certificates",
	    .source = ARTICLE
	    "\"General NDES message\"; " POLICY_MODULE ASSUMED,
	    .apply = install_connector },
	{ .name = "request-cep-encryption-certificate",
	    .title = "Request a new CEP Encryption certificate, in the "
		     "computer's store. NDES's service account may not read "
		     "its key",
	    .source = ARTICLE "\"500 - Internal server error\", steps 3 to 7 "
			      "and 16",
	    .waits_for = { IISRESET },
	    .apply = request_encryption },
	{ .name = "request-enrollment-agent-certificate",
	    .title = "Request a new Exchange Enrollment Agent (Offline "
		     "request) certificate, in the user's store. NDES's "
		     "service account may not read its key",
	    .source = ARTICLE "\"500 - Internal server error\", steps 8 to 16",
	    .waits_for = { IMPORT, IISRESET },
	    .apply = request_signing },
	{ .name = IMPORT,
	    .title = "Export the Exchange Enrollment Agent certificate from "
		     "the user's store with its key, and import it into the "
		     "computer's",
	    .source = ARTICLE "\"500 - Internal server error\", steps 13 and "
			      "14" },
	{ .name = "grant-read-on-ra-keys",
	    .title = "Give the service account of NDES Read on the private "
		     "keys of the RA certificates that are in the computer's "
		     "store by now",
	    .source = ARTICLE "\"500 - Internal server error\", steps 15 and "
			      "16",
	    .waits_for = { IISRESET },
	    .apply = grant_read },
	{ .name = "renew-ra-certificates",
	    .title = "Request both new RA certificates, bring them into the "
		     "computer's store, and give the service account Read on "
		     "their keys",
	    .source = ARTICLE "\"500 - Internal server error\", steps 1 to 16",
	    .waits_for = { IISRESET },
	    .apply = renew_both },
	{ .name = "reinstall-ndes-role",
	    .title = "Remove the NDES role and add it again: its setup "
		     "requests new RA certificates and writes its part of the "
		     "registry, and NDES begins anew",
	    .source = ARTICLE "\"500 - Internal server error\", cause 2; of "
			      "the registry it is assumed",
	    .also = IISRESET,
	    .apply = install_role },
	{ .name = "repair-mscep-registry",
	    .title = "Write the missing values below HKLM\\SOFTWARE\\"
		     "Microsoft\\Cryptography\\MSCEP, and let the service "
		     "account write EncryptedPassword",
	    .source = "event 2 of NDES, 0x80070002",
	    .waits_for = { IISRESET },
	    .apply = repair_registry },
	{ .name = "delete-encrypted-password",
	    .title = "Delete EncryptedPassword, below HKLM\\SOFTWARE\\"
		     "Microsoft\\Cryptography\\MSCEP; NDES writes another",
	    .source = "event 49 of NDES, 0x8009000b",
	    .waits_for = { IISRESET },
	    .apply = delete_password },
	{ .name = "order-admin-handlers",
	    .title = "Move ExtensionlessUrlHandler-ISAPI-4.0_64bit below "
		     "StaticFile: IIS Manager, Handler Mappings of "
		     "mscep_admin",
	    .source = "KB2800975" ASSUMED,
	    .apply = order_handlers },
	{ .name = "set-mscep-templates",
	    .title = "Name the right template in SignatureTemplate, "
		     "EncryptionTemplate and GeneralPurposeTemplate, below "
		     "HKLM\\SOFTWARE\\Microsoft\\Cryptography\\MSCEP",
	    .source = "article scep-certificate-request-fails",
	    .waits_for = { RESTART },
	    .apply = set_templates },
	{ .name = "grant-enroll-permission",
	    .title = "Give who asks for passwords Enroll on the template of "
		     "NDES",
	    .source = "event 6 of NDES" ASSUMED,
	    .apply = grant_enroll },
	{ .name = "set-password-max",
	    .title = "Let NDES keep so many unused passwords: PasswordMax, "
		     "below HKLM\\SOFTWARE\\Microsoft\\Cryptography\\MSCEP",
	    .source = "the admin page \"The password cache is full.\"; that "
		      "NDES reads it when it begins is assumed",
	    .waits_for = { IISRESET },
	    .arguments = { { { "passwords", VALUE_NUMBER, NULL, 1, 100000,
				 "How many" },
		ACTION_WANTED } },
	    .apply = set_password_max },
	{ .name = "bind-server-certificate",
	    .title = "Bind a certificate to the web site that is good for its "
		     "name, and install the CAs above it",
	    .source = POLICY_MODULE ": error 12175" ASSUMED,
	    .apply = bind_certificate },
	{ .name = "grant-temp-folder-write",
	    .title = "Give Network Service Write on C:\\Windows\\Temp",
	    .source = "article certificateregistrationsvc-verify-request-"
		      "error" ASSUMED,
	    .apply = grant_temp_folder },
	{ .name = "start-intune-connector-service",
	    .title = "Start the service Intune Connector Service",
	    .source = "article on reporting" ASSUMED,
	    .apply = start_notify },
	{ .name = "start-ca-service",
	    .title = "Start Active Directory Certificate Services on the CA",
	    .source = "event 31 of NDES, 0x800706ba" ASSUMED,
	    .apply = start_ca },
	{ .name = "publish-template",
	    .title = "Publish the template of NDES: Certification Authority, "
		     "Certificate Templates, New",
	    .source = "article devices-receive-scep-certificates-error-"
		      "0x80094800" ASSUMED,
	    .apply = publish_template },
	{ .name = "publish-ca-crl",
	    .title = "Publish the CRL of the CA where its certificates say "
		     "that it is: certutil -crl",
	    .source = "event 31 of NDES, \"the revocation server was "
		      "offline\"" ASSUMED,
	    .apply = publish_crl },
	{ .name = "grant-request-certificates",
	    .title = "Give the service account of NDES Request Certificates "
		     "on the CA",
	    .source = "assumed, as is that it takes effect at once; 0x80070005 "
		      "in event 31",
	    .apply = grant_request },
};

const struct action *
action_at(size_t row)
{
	return row < sizeof(actions) / sizeof(actions[0]) ? &actions[row] :
							    NULL;
}
