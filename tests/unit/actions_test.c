/* What an administrator can do, when it shows, and what it does to a site. */
#include "unit/authority.h"
#include "unit/exchanges.h"
#include "unit/folder.h"
#include "unit/scenarios.h"

#include <ctype.h>
#include <pthread.h>

#include "site/site.h"
#include "state/state_dir.h"
#include "support/test.h"

#define DAY 86400LL
#define YEAR 31557600LL
#define SETS_MAX 3
#define STEPS_MAX 9
#define WORDS_MAX 4

static struct authority a;

#define CRASH_ROOT "certificates.intermediates_in_root"
#define CRASH_EXPIRED "policy_module.certificate.not_after"
#define RENEWED \
	"policy_module.renewed.not_before policy_module.renewed.not_after"
#define RAS                                           \
	"ra.signing.not_before ra.signing.not_after " \
	"ra.encryption.not_before ra.encryption.not_after"

/* A site that is not as it should be, and what is done to it. */
static const struct walk {
	const char *row;
	const char *sets[SETS_MAX];
	int64_t later; /* seconds, before the first step */
	bool well;     /* before it */
	struct {
		/* And its arguments, "NAME A=1 B={renewed}", see put_in(). */
		const char *action;
		const char *waits_for, *changed;
		const char *why; /* begins with; NULL: it is healthy then */
	} steps[STEPS_MAX];
} walks[] = {
	{ "request filtering waits for the restart",
	    { "iis.max_query_string=2048", "iis.max_url=4096" }, 0, false,
	    { { "set-request-filtering-limits", "restart-server", "",
		  "iis.max_url is 4096" },
		{ "iisreset", "", "", "iis.max_url is 4096" },
		{ "restart-server", "", "iis.max_url iis.max_query_string",
		    NULL } } },
	{ "a restart alone cures no limits", { "iis.max_query_string=2048" }, 0,
	    false,
	    { { "restart-server", "", "", "iis.max_query_string is 2048" } } },
	{ "http.sys waits for it too",
	    { "http_sys.max_field_length=16384",
		"http_sys.max_request_bytes=16384" },
	    0, false,
	    { { "set-http-sys-limits", "restart-server", "",
		  "http_sys.max_field_length" },
		{ "restart-server", "",
		    "http_sys.max_field_length http_sys.max_request_bytes",
		    NULL } } },
	{ "one of the two places is not enough",
	    { "http_sys.max_field_length=16384", "iis.max_query_string=2048" },
	    0, false,
	    { { "set-request-filtering-limits", "restart-server", "",
		  "http_sys.max_field_length" },
		{ "restart-server", "", "iis.max_query_string",
		    "http_sys.max_field_length" },
		{ "set-http-sys-limits", "restart-server", "",
		    "http_sys.max_field_length" },
		{ "restart-server", "", "http_sys.max_field_length", NULL } } },
	{ "limits that are too small", { NULL }, 0, true,
	    { { "set-http-sys-limits max_field_length=64", "restart-server", "",
		  NULL },
		{ "restart-server", "", "http_sys.max_field_length",
		    "http_sys.max_field_length is 64" } } },
	{ "the last word counts", { NULL }, 0, true,
	    { { "set-request-filtering-limits max_url=1", "restart-server", "",
		  NULL },
		{ "set-request-filtering-limits max_url=70000 "
		  "max_allowed_content_length=40000000",
		    "restart-server", "", NULL },
		{ "restart-server", "",
		    "iis.max_url iis.max_allowed_content_length", NULL } } },
	{ "and nothing of the one before", { NULL }, 0, true,
	    { { "set-request-filtering-limits max_allowed_content_length=5",
		  "restart-server", "", NULL },
		{ "set-request-filtering-limits", "restart-server", "", NULL },
		{ "restart-server", "", "", NULL } } },
	{ "bodies stay as they are", { "iis.max_allowed_content_length=1000" },
	    0, false,
	    { { "set-request-filtering-limits", "restart-server", "",
		  "iis.max_allowed_content_length" },
		{ "restart-server", "", "",
		    "iis.max_allowed_content_length" } } },
	{ "the connector", { "policy_module.installed=false" }, 0, false,
	    { { "iisreset", "", "", "policy_module.installed" },
		{ "reinstall-connector", "", "policy_module.installed",
		    NULL } } },
	{ "permission to enrol", { "mscep.admin.permission=false" }, 0, false,
	    { { "grant-enroll-permission", "", "mscep.admin.permission",
		NULL } } },
	{ "room for passwords", { "mscep.challenge.cache=0" }, 0, false,
	    { { "set-password-max passwords=50", "iisreset", "",
		  "mscep.challenge.cache" },
		{ "iisreset", "", "mscep.challenge.cache", NULL } } },
	{ "a certificate for the web site",
	    { "tls.certificate=wrong-host", "tls.chain=incomplete" }, 0, false,
	    { { "bind-server-certificate", "", "tls.certificate tls.chain",
		NULL } } },
	{ "one RA certificate is not both",
	    { "ra.signing.not_after=-2d", "ra.encryption.not_after=-2d" }, 0,
	    false,
	    { { "request-cep-encryption-certificate", "iisreset", "",
		  "the certificate of the signing RA has expired" },
		{ "iisreset", "",
		    "ra.encryption.not_before ra.encryption.not_after "
		    "ra.encryption.key_readable",
		    "ra.encryption.key_readable" },
		{ "request-enrollment-agent-certificate",
		    "import-enrollment-agent-to-machine iisreset", "",
		    "ra.encryption.key_readable" },
		{ "import-enrollment-agent-to-machine", "iisreset", "",
		    "ra.encryption.key_readable" },
		{ "grant-read-on-ra-keys", "iisreset", "",
		    "ra.encryption.key_readable" },
		{ "iisreset", "",
		    "ra.signing.not_before ra.signing.not_after "
		    "ra.encryption.key_readable",
		    NULL } } },
	{ "the user's store is not the computer's",
	    { "ra.signing.not_after=-2d" }, 0, false,
	    { { "request-enrollment-agent-certificate",
		  "import-enrollment-agent-to-machine iisreset", "",
		  "the certificate of the signing RA" },
		{ "iisreset", "", "", "the certificate of the signing RA" },
		{ "restart-server", "", "",
		    "the certificate of the signing RA" },
		{ "import-enrollment-agent-to-machine", "iisreset", "",
		    "the certificate of the signing RA" },
		{ "grant-read-on-ra-keys", "iisreset", "",
		    "the certificate of the signing RA" },
		{ "restart-server", "",
		    "ra.signing.not_before ra.signing.not_after", NULL } } },
	{ "nothing to import", { "ra.signing.not_after=-2d" }, 0, false,
	    { { "import-enrollment-agent-to-machine", "", "",
		  "the certificate of the signing RA" },
		{ "iisreset", "", "", "the certificate of the signing RA" } } },
	{ "three years pass", { NULL }, 3 * YEAR, false,
	    { { "restart-server", "", "",
		  "the certificate of the signing RA has expired" },
		{ "renew-ra-certificates", "iisreset", "",
		    "the certificate of the signing RA has expired" },
		{ "iisreset", "",
		    "ra.signing.not_before ra.signing.not_after "
		    "ra.encryption.not_before ra.encryption.not_after",
		    NULL } } },
	{ "the role anew", { "ra.encryption.key_usage=none" }, YEAR, false,
	    { { "reinstall-ndes-role", "",
		"ra.signing.not_before ra.signing.not_after "
		"ra.encryption.not_before ra.encryption.not_after "
		"ra.encryption.key_usage",
		NULL } } },
	{ "the import is a new key: it is granted too late for it",
	    { "ra.signing.not_after=-2d" }, 0, false,
	    { { "request-enrollment-agent-certificate",
		  "import-enrollment-agent-to-machine iisreset", "",
		  "the certificate of the signing RA" },
		{ "grant-read-on-ra-keys", "iisreset", "",
		    "the certificate of the signing RA" },
		{ "import-enrollment-agent-to-machine", "iisreset", "",
		    "the certificate of the signing RA" },
		{ "iisreset", "",
		    "ra.signing.not_before ra.signing.not_after "
		    "ra.signing.key_readable",
		    "ra.signing.key_readable" },
		{ "grant-read-on-ra-keys", "iisreset", "",
		    "ra.signing.key_readable" },
		{ "iisreset", "", "ra.signing.key_readable", NULL } } },
	{ "granted before there is a key", { "ra.encryption.not_after=-2d" }, 0,
	    false,
	    { { "grant-read-on-ra-keys", "iisreset", "",
		  "the certificate of the encryption RA" },
		{ "request-cep-encryption-certificate", "iisreset", "",
		    "the certificate of the encryption RA" },
		{ "iisreset", "",
		    "ra.encryption.not_before ra.encryption.not_after "
		    "ra.encryption.key_readable",
		    "ra.encryption.key_readable" } } },
	{ "keys that nobody may read", { "ra.signing.key_readable=false" }, 0,
	    false,
	    { { "restart-server", "", "", "ra.signing.key_readable" },
		{ "grant-read-on-ra-keys", "iisreset", "",
		    "ra.signing.key_readable" },
		{ "start-app-pool", "", "", "ra.signing.key_readable" },
		{ "iisreset", "", "ra.signing.key_readable", NULL } } },
	{ "the right to impersonate", { "iis.impersonation_right=false" }, 0,
	    false,
	    { { "assign-impersonation-right", "restart-server", "",
		  "iis.impersonation_right" },
		{ "iisreset", "", "", "iis.impersonation_right" },
		{ "restart-server", "", "iis.impersonation_right", NULL } } },
	{ "a pool that was stopped", { "app_pool.state=stopped" }, 0, false,
	    { { "start-app-pool", "", "app_pool.state", NULL },
		{ "stop-app-pool", "", "app_pool.state", "app_pool.state" },
		{ "iisreset", "", "app_pool.state", NULL },
		{ "stop-app-pool", "", "app_pool.state", "app_pool.state" },
		{ "restart-server", "", "app_pool.state", NULL } } },
	{ "a pool that does not start with IIS",
	    { "app_pool.start_with_server=false" }, 0, true,
	    { { "restart-server", "", "app_pool.state", "app_pool.state" },
		{ "iisreset", "", "", "app_pool.state" },
		{ "start-app-pool", "", "app_pool.state", NULL } } },
	{ "intermediates in Trusted Root",
	    { "certificates.intermediates_in_root=2",
		"app_pool.state=disabled" },
	    0, false,
	    { { "start-app-pool", "", "app_pool.state", CRASH_ROOT },
		{ "remove-intermediate-certificates", "restart-server", "",
		    CRASH_ROOT },
		{ "iisreset", "", "", CRASH_ROOT },
		{ "restart-server", "", "certificates.intermediates_in_root",
		    NULL } } },
	{ "a group policy pushes them again",
	    { "certificates.intermediates_in_root=2",
		"certificates.group_policy=pushes" },
	    0, false,
	    { { "remove-intermediate-certificates", "restart-server", "",
		  CRASH_ROOT },
		{ "restart-server", "", "certificates.intermediates_in_root",
		    CRASH_ROOT },
		{ "exclude-from-group-policy", "", "certificates.group_policy",
		    CRASH_ROOT },
		{ "restart-server", "", "", CRASH_ROOT },
		{ "remove-intermediate-certificates", "restart-server", "",
		    CRASH_ROOT },
		{ "restart-server", "", "certificates.intermediates_in_root",
		    NULL },
		{ "restart-server", "", "", NULL } } },
	{ "excluded in time",
	    { "certificates.intermediates_in_root=1",
		"certificates.group_policy=pushes" },
	    0, false,
	    { { "remove-intermediate-certificates", "restart-server", "",
		  CRASH_ROOT },
		{ "exclude-from-group-policy", "", "certificates.group_policy",
		    CRASH_ROOT },
		{ "restart-server", "", "certificates.intermediates_in_root",
		    NULL } } },
	{ "CRLs that cannot be got",
	    { "certificates.crl_urls=unreachable", "app_pool.state=disabled" },
	    0, false,
	    { { "enable-capi2-log", "", "certificates.capi2_log",
		  "app_pool.state" },
		{ "open-crl-urls", "", "certificates.crl_urls",
		    "app_pool.state" },
		{ "start-app-pool", "", "app_pool.state", NULL } } },
	{ "Windows Authentication",
	    { "iis.certificate_registration.windows=true",
		"iis.certificate_registration.anonymous=false" },
	    0, false,
	    { { "enable-anonymous-authentication", "restart-server", "",
		  "iis.certificate_registration." },
		{ "restart-server", "",
		    "iis.certificate_registration.anonymous",
		    "iis.certificate_registration.windows" },
		{ "disable-windows-authentication", "restart-server", "",
		    "iis.certificate_registration.windows" },
		{ "iisreset", "", "", "iis.certificate_registration.windows" },
		{ "restart-server", "", "iis.certificate_registration.windows",
		    NULL } } },
	{ "the policy module's certificate",
	    { "policy_module.certificate.not_after=-2d",
		"app_pool.state=disabled" },
	    0, false,
	    { { "renew-policy-certificate", "", RENEWED, "app_pool.state" },
		{ "set-ndes-certificate-thumbprint thumbprint={renewed}",
		    "start-app-pool", "", "app_pool.state" },
		{ "start-app-pool", "",
		    "app_pool.state policy_module.thumbprint", NULL } } },
	{ "a pool that runs has read the registry",
	    { "policy_module.certificate.not_after=-2d" }, 0, false,
	    { { "renew-policy-certificate", "", RENEWED, CRASH_EXPIRED },
		{ "set-ndes-certificate-thumbprint thumbprint={renewed}",
		    "start-app-pool", "", CRASH_EXPIRED },
		{ "start-app-pool", "", "", CRASH_EXPIRED },
		{ "iisreset", "", "policy_module.thumbprint", NULL } } },
	{ "stopped and started, it reads it again",
	    { "policy_module.certificate.not_after=-2d" }, 0, false,
	    { { "renew-policy-certificate", "", RENEWED, CRASH_EXPIRED },
		{ "stop-app-pool", "", "app_pool.state", "app_pool.state" },
		{ "set-ndes-certificate-thumbprint thumbprint={renewed}",
		    "start-app-pool", "", "app_pool.state" },
		{ "start-app-pool", "",
		    "app_pool.state policy_module.thumbprint", NULL } } },
	{ "a thumbprint as Windows shows it",
	    { "policy_module.certificate.not_after=1y" }, YEAR + DAY, false,
	    { { "renew-policy-certificate", "", RENEWED, CRASH_EXPIRED },
		{ "set-ndes-certificate-thumbprint "
		  "thumbprint={renewed-spaced}",
		    "start-app-pool", "", CRASH_EXPIRED },
		{ "iisreset", "", "policy_module.thumbprint",
		    "policy_module.thumbprint" },
		{ "set-ndes-certificate-thumbprint "
		  "thumbprint={renewed-capitals}",
		    "start-app-pool", "", "policy_module.thumbprint" },
		{ "iisreset", "", "policy_module.thumbprint",
		    "policy_module.thumbprint" },
		{ "set-ndes-certificate-thumbprint thumbprint={renewed}",
		    "start-app-pool", "", "policy_module.thumbprint" },
		{ "restart-server", "", "policy_module.thumbprint", NULL } } },
	{ "renewed, and the old one named again",
	    { "policy_module.certificate.not_after=-2d" }, 0, false,
	    { { "renew-policy-certificate", "", RENEWED, CRASH_EXPIRED },
		{ "set-ndes-certificate-thumbprint thumbprint={first}",
		    "start-app-pool", "", CRASH_EXPIRED },
		{ "iisreset", "", "policy_module.thumbprint",
		    CRASH_EXPIRED } } },
	{ "reinstalling registers what is there",
	    { "policy_module.certificate.not_after=-2d" }, 0, false,
	    { { "reinstall-connector", "", "", CRASH_EXPIRED },
		{ "renew-policy-certificate", "", RENEWED, CRASH_EXPIRED },
		{ "reinstall-connector", "", "policy_module.thumbprint", NULL },
		{ "reinstall-connector", "", "", NULL } } },
	{ "renewed once more: the one that is named stays", { NULL }, DAY, true,
	    { { "renew-policy-certificate", "", RENEWED, NULL },
		{ "reinstall-connector", "", "policy_module.thumbprint", NULL },
		{ "renew-policy-certificate", "",
		    "policy_module.certificate.not_before "
		    "policy_module.certificate.not_after",
		    NULL } } },
	{ "the connector's service", { "app_proxy.connector_service=stopped" },
	    0, false,
	    { { "set-connector-startup-automatic", "", "",
		  "app_proxy.connector_service" },
		{ "start-connector-service", "", "app_proxy.connector_service",
		    NULL },
		{ "restart-server", "", "", NULL } } },
	{ "a service on manual startup is down after the next restart",
	    { "app_proxy.connector_service=stopped",
		"app_proxy.connector_startup=manual" },
	    0, false,
	    { { "restart-server", "", "", "app_proxy.connector_service" },
		{ "start-connector-service", "", "app_proxy.connector_service",
		    NULL },
		{ "iisreset", "", "", NULL },
		{ "restart-server", "", "app_proxy.connector_service",
		    "app_proxy.connector_service" },
		{ "set-connector-startup-automatic", "",
		    "app_proxy.connector_startup",
		    "app_proxy.connector_service" },
		{ "restart-server", "", "app_proxy.connector_service",
		    NULL } } },
	{ "a service that is disabled does not start",
	    { "app_proxy.connector_service=stopped",
		"app_proxy.connector_startup=disabled" },
	    0, false,
	    { { "start-connector-service", "", "",
		  "app_proxy.connector_service" },
		{ "set-connector-startup-automatic", "",
		    "app_proxy.connector_startup",
		    "app_proxy.connector_service" },
		{ "start-connector-service", "", "app_proxy.connector_service",
		    NULL } } },
	{ "the network", { "network.device=silent" }, 0, false,
	    { { "restart-server", "", "", "network.device" },
		{ "unblock-network", "", "network.device", NULL } } },
	{ "the external URL", { "app_proxy.external_url=wrong" }, 0, false,
	    { { "use-msappproxy-domain", "", "app_proxy.external_url",
		NULL } } },
	{ "the way to NDES", { "app_proxy.back_end=unreachable" }, 0, false,
	    { { "reach-back-end", "", "app_proxy.back_end", NULL } } },
	{ "the queue", { "http_sys.queue=full" }, 0, false,
	    { { "raise-queue-length", "", "http_sys.queue", NULL } } },
	{ "an account that is locked", { "app_pool.identity=locked" }, 0, false,
	    { { "reset-password", "", "", "app_pool.identity" },
		{ "restart-server", "", "", "app_pool.identity" },
		{ "unlock-account", "", "app_pool.identity", NULL } } },
	{ "a password that has expired",
	    { "app_pool.identity=password-expired",
		"app_pool.identity_failure=was", "app_pool.state=disabled" },
	    0, false,
	    { { "unlock-account", "", "", "app_pool." },
		{ "reset-password", "", "app_pool.identity", "app_pool.state" },
		{ "start-app-pool", "", "app_pool.state", NULL } } },
	{ "an account that may not log on",
	    { "app_pool.identity=no-logon-right", "app_pool.state=disabled" },
	    0, false,
	    { { "grant-logon-rights", "restart-server", "", "app_pool." },
		{ "iisreset", "", "app_pool.state", "app_pool.identity" },
		{ "restart-server", "", "app_pool.identity", NULL } } },
	{ "the registry of NDES", { "mscep.registry=inconsistent" }, 0, false,
	    { { "delete-encrypted-password", "iisreset", "", "mscep.registry" },
		{ "iisreset", "", "", "mscep.registry" },
		{ "repair-mscep-registry", "iisreset", "", "mscep.registry" },
		{ "iisreset", "", "mscep.registry", NULL } } },
	{ "a password that cannot be decrypted",
	    { "mscep.encrypted_password=undecryptable" }, 0, false,
	    { { "repair-mscep-registry", "iisreset", "",
		  "mscep.encrypted_password" },
		{ "iisreset", "", "", "mscep.encrypted_password" },
		{ "delete-encrypted-password", "iisreset", "",
		    "mscep.encrypted_password" },
		{ "iisreset", "", "mscep.encrypted_password", NULL } } },
	{ "a password that cannot be written",
	    { "mscep.encrypted_password=not-writable",
		"mscep.challenge.mode=single" },
	    0, false,
	    { { "delete-encrypted-password", "iisreset", "",
		  "mscep.encrypted_password" },
		{ "iisreset", "", "", "mscep.encrypted_password" },
		{ "repair-mscep-registry", "iisreset", "",
		    "mscep.encrypted_password" },
		{ "iisreset", "", "mscep.encrypted_password", NULL } } },
	{ "handlers of the admin site",
	    { "iis.handlers_ordered=false", "windows=2012" }, 0, false,
	    { { "order-admin-handlers", "", "iis.handlers_ordered", NULL } } },
	{ "templates in the registry", { "mscep.templates=wrong" }, 0, false,
	    { { "set-mscep-templates", "restart-server", "",
		  "mscep.templates" },
		{ "iisreset", "", "", "mscep.templates" },
		{ "restart-server", "", "mscep.templates", NULL } } },
	{ "VerifyRequest: another name",
	    { "policy_module.verify_request=name-mismatch" }, 0, false,
	    { { "bind-server-certificate", "", "policy_module.verify_request",
		NULL } } },
	{ "VerifyRequest: no trust",
	    { "policy_module.verify_request=untrusted" }, 0, false,
	    { { "remove-intermediate-certificates", "restart-server", "",
		  "policy_module.verify_request" },
		{ "restart-server", "", "policy_module.verify_request",
		    NULL } } },
	{ "VerifyRequest: no client authentication",
	    { "policy_module.verify_request=no-client-auth" }, 0, false,
	    { { "renew-policy-certificate", "", RENEWED,
		  "policy_module.verify_request" },
		{ "set-ndes-certificate-thumbprint thumbprint={renewed}",
		    "start-app-pool", "", "policy_module.verify_request" },
		{ "iisreset", "", "policy_module.thumbprint", NULL },
		{ "renew-policy-certificate", "",
		    "policy_module.certificate.not_before "
		    "policy_module.certificate.not_after "
		    "policy_module.verify_request",
		    NULL } } },
	{ "VerifyRequest: no signing certificate",
	    { "policy_module.verify_request=signing-certificate" }, 0, false,
	    { { "reinstall-connector", "", "policy_module.verify_request",
		NULL } } },
	{ "VerifyRequest: no room for temporary files",
	    { "policy_module.verify_request=temp-folder" }, 0, false,
	    { { "grant-temp-folder-write", "", "policy_module.verify_request",
		NULL } } },
	{ "Notify", { "policy_module.notify=fails" }, 0, false,
	    { { "start-intune-connector-service", "", "policy_module.notify",
		NULL } } },
	{ "the CA", { "ca.online=false" }, 0, false,
	    { { "start-ca-service", "", "ca.online", NULL } } },
	{ "the template on the CA", { "ca.template_published=false" }, 0, false,
	    { { "publish-template", "", "ca.template_published", NULL } } },
	{ "the CRL of the CA", { "ca.crl=unreachable" }, 0, false,
	    { { "publish-ca-crl", "", "ca.crl", NULL } } },
	{ "Request Certificates", { "ca.grants_request=false" }, 0, false,
	    { { "grant-request-certificates", "", "ca.grants_request",
		NULL } } },
	{ "the role anew, and its registry",
	    { "mscep.registry=inconsistent", "mscep.templates=wrong",
		"mscep.encrypted_password=undecryptable" },
	    YEAR, false,
	    { { "reinstall-ndes-role", "",
		"mscep.registry mscep.encrypted_password mscep.templates " RAS,
		NULL } } },
	{ "two causes, one after the other",
	    { "policy_module.installed=false", "mscep.admin.permission=false" },
	    0, false,
	    { { "reinstall-connector", "", "policy_module.installed",
		  "mscep.admin.permission" },
		{ "grant-enroll-permission", "", "mscep.admin.permission",
		    NULL } } },
};

static struct scenario *
scenario_with(const char *const *sets)
{
	struct scenario_options options = { .sets = sets };
	struct errors errors = { 0 };
	struct scenario *scenario;

	while (options.set_count < SETS_MAX && sets[options.set_count] != NULL)
		options.set_count++;
	if (scenario_find("healthy", &options, &scenario, &errors) == -1)
		fail_msg("%s", errors.list[0].text);
	return scenario;
}

static struct sites *
open_sites(struct state_dir *kept, const char *const *sets)
{
	const struct sites_options options = { .keys = a.keys,
		.crypto = a.crypto,
		.state = kept };
	static const char *with[SETS_MAX];
	struct scenario *scenario;
	struct sites *sites;
	struct site *site = NULL;
	struct error err = { 0 };
	size_t i;

	memset(with, 0, sizeof(with));
	for (i = 0; i < SETS_MAX && sets != NULL && sets[i] != NULL; i++)
		assert_true(asprintf((char **)(uintptr_t)&with[i], "server.%s",
				sets[i]) > 0);
	scenario = scenario_with(with);
	if (sites_new(&sites, &options, &err) == -1 ||
	    site_make(sites, SITE_DEFAULT, scenario, &site, &err) != SITE_OK)
		fail_msg("%s", err.text);
	site_unref(site);
	scenario_free(scenario);
	while (i-- > 0)
		free((char *)(uintptr_t)with[i]);
	return sites;
}

/* As certlm.msc shows it: "00 11 22". */
static void
space_out(const char *thumbprint, char out[64])
{
	size_t len = 0;

	for (size_t i = 0; thumbprint[i] != '\0'; i++) {
		if (i > 0 && i % 2 == 0)
			out[len++] = ' ';
		out[len++] = thumbprint[i];
	}
	out[len] = '\0';
}

/* The thumbprint of the site that has this name, in braces. */
static void
put_in(struct site *site, const char *value, char out[64])
{
	struct policy_certificate list[POLICY_CERTIFICATES];
	struct stack_state now;
	const char *renewed;

	site_state(site, &now);
	renewed = policy_module_certificates(&now, list) ==
		POLICY_CERTIFICATES ?
	    list[1].thumbprint :
	    "";
	snprintf(out, 64, "%s", renewed);
	if (strcmp(value, "{first}") == 0)
		snprintf(out, 64, "%s", list[0].thumbprint);
	else if (strcmp(value, "{renewed-spaced}") == 0)
		space_out(renewed, out);
	else if (strcmp(value, "{renewed-capitals}") == 0)
		for (size_t i = 0; i == 0 || renewed[i - 1] != '\0'; i++)
			out[i] = (char)toupper((unsigned char)renewed[i]);
}

/* The same with what it stands for. */
static void
put_into(struct site *site, char *argument, char out[128])
{
	char *value = strchr(argument, '='), text[64];

	if (value == NULL || value[1] != '{') {
		snprintf(out, 128, "%s", argument);
		return;
	}
	put_in(site, value + 1, text);
	*value = '\0';
	snprintf(out, 128, "%.60s=%s", argument, text);
}

/* "NAME A=1 B=2"; -1: it is refused. */
static int
act(struct site *site, const char *line, struct site_acted *out,
    struct error *err)
{
	char words[256], *save = NULL, *name, *word;
	char texts[WORDS_MAX][128];
	const char *arguments[WORDS_MAX];
	const struct action *action;
	struct action_call call;
	size_t count = 0;

	snprintf(words, sizeof(words), "%s", line);
	name = strtok_r(words, " ", &save);
	while ((word = strtok_r(NULL, " ", &save)) != NULL) {
		assert_in_range(count, 0, WORDS_MAX - 1);
		put_into(site, word, texts[count]);
		arguments[count] = texts[count];
		count++;
	}
	*out = (struct site_acted){ .healthy = false };
	if ((action = action_find(name, err)) == NULL ||
	    action_read(action, arguments, count, &call, err) == -1)
		return -1;
	return site_act(site, action, &call, out, err);
}

static void
names_must_be(const char *const *names, size_t count, const char *wanted)
{
	char text[512] = "";

	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(text);

		snprintf(text + len, sizeof(text) - len, "%s%s",
		    i > 0 ? " " : "", names[i]);
	}
	assert_string_equal(text, wanted);
}

static void
must_begin(const char *text, const char *begin)
{
	if (begin == NULL)
		assert_string_equal(text, "");
	else if (strncmp(text, begin, strlen(begin)) != 0)
		fail_msg("\"%s\" does not begin with \"%s\"", text, begin);
}

static void
shows_when_it_should(void **state)
{
	const struct walk *t = *state;
	struct sites *sites = open_sites(NULL, t->sets);
	struct site *site = site_default(sites);
	struct site_acted acted;
	struct error err = { 0 };

	clock_advance(site_clock(site), t->later);
	assert_int_equal(site_is_healthy(site, NULL), t->well);
	for (size_t i = 0; i < STEPS_MAX && t->steps[i].action != NULL; i++) {
		if (act(site, t->steps[i].action, &acted, &err) == -1)
			fail_msg("%s", err.text);
		names_must_be(acted.waits_for.names, acted.waits_for.count,
		    t->steps[i].waits_for);
		names_must_be(acted.changed, acted.changed_count,
		    t->steps[i].changed);
		assert_int_equal(acted.healthy, t->steps[i].why == NULL);
		must_begin(acted.why.text, t->steps[i].why);
		assert_int_equal(site_is_healthy(site, NULL), acted.healthy);
		site_acted_clear(&acted);
	}
	sites_free(sites);
}

#define THUMBPRINT "set-ndes-certificate-thumbprint"

static const struct wrong {
	const char *row, *line, *error;
} wrongs[] = {
	{ "no such action", "iis-reset",
	    "there is no action \"iis-reset\", did you mean \"iisreset\"?" },
	{ "no such argument", "set-request-filtering-limits max_uri=1",
	    "set-request-filtering-limits has no argument \"max_uri\", did you "
	    "mean \"max_url\"?" },
	{ "no arguments at all", "iisreset now=1",
	    "iisreset takes no arguments" },
	{ "no number", "set-http-sys-limits max_field_length=many",
	    "max_field_length: \"many\" is not a number" },
	{ "half a number", "set-http-sys-limits max_field_length=100k",
	    "max_field_length: \"100k\" is not a number" },
	{ "nothing", "set-http-sys-limits max_field_length=",
	    "max_field_length: \"\" is not a number" },
	{ "a sign", "set-http-sys-limits max_field_length=+100",
	    "max_field_length: \"+100\" is not a number" },
	{ "only a sign", "set-http-sys-limits max_field_length=-",
	    "max_field_length: \"-\" is not a number" },
	{ "too much", "set-http-sys-limits max_field_length=65535",
	    "max_field_length: 65535 is not between 64 and 65534" },
	{ "too little", "set-http-sys-limits max_request_bytes=255",
	    "max_request_bytes: 255 is not between 256 and 16777216" },
	{ "far too much",
	    "set-http-sys-limits max_field_length=99999999999999999999",
	    "max_field_length: 99999999999999999999 is not between 64 and "
	    "65534" },
	{ "twice",
	    "set-http-sys-limits max_field_length=64 "
	    "max_field_length=65",
	    "\"max_field_length\" is given twice" },
	{ "no value", "set-http-sys-limits max_field_length",
	    "\"max_field_length\" is not of the form NAME=VALUE" },
	{ "wanted", "set-password-max",
	    "set-password-max wants \"passwords\"" },
	{ "a wanted text", THUMBPRINT, THUMBPRINT " wants \"thumbprint\"" },
	{ "an empty text", THUMBPRINT " thumbprint=",
	    "thumbprint: it has to have 1 to 63 octets" },
	{ "a mark that nobody sees",
	    THUMBPRINT " thumbprint=\xe2\x80\x8e"
		       "00",
	    "thumbprint: only printable ASCII is taken here" },
	{ "a long text",
	    THUMBPRINT " thumbprint=0123456789012345678901234567890123456789"
		       "012345678901234567890123",
	    "thumbprint: it has to have 1 to 63 octets" },
	{ "a text twice", THUMBPRINT " thumbprint=0 thumbprint=0",
	    "\"thumbprint\" is given twice" },
};

static void
is_refused(void **state)
{
	const struct wrong *t = *state;
	struct sites *sites = open_sites(NULL, NULL);
	struct site_acted acted;
	struct error err = { 0 };

	assert_int_equal(act(site_default(sites), t->line, &acted, &err), -1);
	assert_string_equal(err.text, t->error);
	assert_int_equal(acted.changed_count, 0);
	for (size_t i = 0; action_at(i) != NULL; i++)
		assert_false(site_waits(site_default(sites), action_at(i)));
	sites_free(sites);
}

/* Bounds are those of the keys: whatever can be done can be set. */
static void
arguments_take_what_keys_do(void **state)
{
	static const struct {
		const char *action, *argument, *key;
	} same[] = {
		{ "set-request-filtering-limits", "max_url", "iis.max_url" },
		{ "set-request-filtering-limits", "max_query_string",
		    "iis.max_query_string" },
		{ "set-request-filtering-limits", "max_allowed_content_length",
		    "iis.max_allowed_content_length" },
		{ "set-http-sys-limits", "max_field_length",
		    "http_sys.max_field_length" },
		{ "set-http-sys-limits", "max_request_bytes",
		    "http_sys.max_request_bytes" },
	};
	struct error err = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		const struct action *action = action_find(same[i].action, &err);
		const struct action_argument *argument = action->arguments;
		const struct server_key *key;
		size_t row = 0;

		while (strcmp(argument->key.name, same[i].argument) != 0)
			argument++;
		while ((key = server_key_at(row++)) != NULL &&
		    strcmp(key->key.name, same[i].key) != 0)
			;
		assert_non_null(key);
		assert_true(argument->key.min == key->key.min);
		assert_true(argument->key.max == key->key.max);
	}
}

/* What is waited for can be done. */
static void
steps_are_actions(void **state)
{
	const struct action *action;
	struct error err = { 0 };
	size_t waiting = 0;

	(void)state;
	for (size_t i = 0; (action = action_at(i)) != NULL; i++) {
		for (size_t j = 0; action->waits_for[j] != NULL; j++)
			assert_non_null(
			    action_find(action->waits_for[j], &err));
		if (action->also != NULL)
			assert_non_null(action_find(action->also, &err));
		if (action->waits_for[0] != NULL) {
			assert_non_null(action->apply);
			waiting++;
		}
	}
	assert_in_range(waiting, 1, ACTION_WAITS_MAX);
}

/* Whatever starts more starts what is inside as well. */
static void
a_restart_is_all_that_it_contains(void **state)
{
	static const struct {
		const char *action;
		bool restarts, resets, starts;
	} does[] = {
		{ "restart-server", true, true, true },
		{ "iisreset", false, true, true },
		{ "reinstall-ndes-role", false, true, true },
		{ "start-app-pool", false, false, true },
		{ "stop-app-pool", false, false, false },
		{ "reinstall-connector", false, false, false },
	};
	const struct action *action;
	struct error err = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(does); i++) {
		action = action_find(does[i].action, &err);
		assert_int_equal(action_does(action, "restart-server"),
		    does[i].restarts);
		assert_int_equal(action_does(action, "iisreset"),
		    does[i].resets);
		assert_int_equal(action_does(action, ACTION_START),
		    does[i].starts);
	}
}

static void
begin(struct sites *sites, struct exchange *ex)
{
	const struct door door = { .sites = sites };
	struct error err = { 0 };

	exchange_make(ex, "GET", "/certsrv/mscep_admin/");
	assert_int_equal(site_begin(&door, ex, &err), SITE_OK);
}

static void
end(struct exchange *ex)
{
	site_commit(ex);
	exchange_clear(ex);
}

static void
must_act(struct sites *sites, const char *line)
{
	struct site_acted acted;
	struct error err = { 0 };

	if (act(site_default(sites), line, &acted, &err) == -1)
		fail_msg("%s", err.text);
	site_acted_clear(&acted);
}

static enum refusal
spend(struct sites *sites, const char *password)
{
	enum refusal refusal;
	struct exchange ex;

	begin(sites, &ex);
	refusal = site_spend_challenge(&ex, password);
	end(&ex);
	return refusal;
}

/* ndes-facts 5.5: the cache is memory [C]. */
static const struct restart {
	const char *row, *line;
	bool loses;
} restarts[] = {
	{ "iisreset", "iisreset", true },
	{ "a restart of the server", "restart-server", true },
	{ "the role anew", "reinstall-ndes-role", true },
	{ "not the connector", "reinstall-connector", false },
	{ "not limits", "set-http-sys-limits", false },
	{ "not the start of a pool that runs", "start-app-pool", false },
	{ "the end of its process", "stop-app-pool", true },
};

static void
forgets_passwords(void **state)
{
	const struct restart *t = *state;
	struct sites *sites = open_sites(NULL, NULL);
	char password[CHALLENGE_SIZE], *outside;
	struct exchange ex;
	int64_t expires;

	begin(sites, &ex);
	assert_int_equal(site_make_challenge(&ex, password), CHALLENGE_MADE);
	end(&ex);
	assert_int_equal(site_challenge(site_default(sites), 16, &outside,
			     &expires),
	    CHALLENGE_MADE);
	must_act(sites, t->line);
	assert_int_equal(spend(sites, password),
	    t->loses ? REFUSAL_WRONG_CHALLENGE : REFUSAL_NONE);
	/* Intune's are not NDES's to lose. */
	assert_int_equal(spend(sites, outside), REFUSAL_NONE);
	free(outside);
	sites_free(sites);
}

/* Five deaths within five minutes disable the pool: all that it remembers. */
static const struct forgiven {
	const char *row, *actions[2];
	enum pool_state then; /* after four deaths, and after one more */
} forgivens[] = {
	{ "nothing is done", { NULL }, POOL_DISABLED },
	{ "iisreset", { "iisreset" }, POOL_STARTED },
	{ "the server", { "restart-server" }, POOL_STARTED },
	{ "the role", { "reinstall-ndes-role" }, POOL_STARTED },
	{ "the pool", { "stop-app-pool", "start-app-pool" }, POOL_STARTED },
	{ "not the start of one that is started", { "start-app-pool" },
	    POOL_DISABLED },
	{ "not the connector", { "reinstall-connector" }, POOL_DISABLED },
};

static void
die(struct sites *sites, int times)
{
	struct exchange ex;

	while (times-- > 0) {
		begin(sites, &ex);
		site_crash(&ex);
		end(&ex);
	}
}

static void
forgets_deaths(void **state)
{
	static const char *const sets[SETS_MAX] = {
		"certificates.intermediates_in_root=1"
	};
	const struct forgiven *t = *state;
	struct sites *sites = open_sites(NULL, sets);
	struct stack_state now;

	die(sites, 4);
	for (size_t i = 0; i < COUNT_OF(t->actions) && t->actions[i] != NULL;
	     i++)
		must_act(sites, t->actions[i]);
	die(sites, 1);
	site_state(site_default(sites), &now);
	assert_int_equal(now.app_pool.state, t->then);
	die(sites, 4);
	site_state(site_default(sites), &now);
	assert_int_equal(now.app_pool.state, POOL_DISABLED);
	sites_free(sites);
}

/* An exchange ends as what it began in; the next one meets the cure. */
static void
exchanges_keep_their_state(void **state)
{
	static const char *const sets[SETS_MAX] = {
		"policy_module.installed=false"
	};
	struct sites *sites = open_sites(NULL, sets);
	struct exchange before, after;
	uint64_t generation;

	(void)state;
	begin(sites, &before);
	generation = before.snapshot->generation;
	clock_advance(site_clock(site_default(sites)), DAY);
	must_act(sites, "reinstall-connector");
	begin(sites, &after);
	assert_false(before.snapshot->state.policy_module.installed);
	assert_true(after.snapshot->state.policy_module.installed);
	/* The scenario is the same: its counters go on. */
	assert_int_equal(after.snapshot->generation, generation);
	assert_int_equal(after.snapshot->began, before.snapshot->began);
	end(&before);
	end(&after);
	sites_free(sites);
}

/* What an administrator finds set, and what requests still meet. */
static const struct configured {
	const char *row, *sets[SETS_MAX];
	const char *actions[4]; /* the last one decides */
	size_t offset, size;
	int64_t before, set;
} configureds[] = {
#define FIELD(field)                         \
	offsetof(struct stack_state, field), \
	    sizeof(((struct stack_state *)NULL)->field)
	{ "the registry of http.sys", { "http_sys.max_field_length=16384" },
	    { "set-http-sys-limits" }, FIELD(http_sys.max_field_length), 16384,
	    65534 },
	{ "the store of roots", { "certificates.intermediates_in_root=3" },
	    { "remove-intermediate-certificates" },
	    FIELD(certificates.intermediates_in_root), 3, 0 },
	{ "user rights", { "iis.impersonation_right=false" },
	    { "assign-impersonation-right" }, FIELD(iis.impersonation_right),
	    false, true },
	{ "rights on keys", { "ra.signing.key_readable=false" },
	    { "grant-read-on-ra-keys" }, FIELD(ra.signing.key_readable), false,
	    true },
	{ "a key in the computer's store", { NULL },
	    { "request-cep-encryption-certificate" },
	    FIELD(ra.encryption.key_readable), true, false },
	{ "a key in the user's store is not there", { NULL },
	    { "request-enrollment-agent-certificate" },
	    FIELD(ra.signing.key_readable), true, true },
	{ "until it is imported", { NULL },
	    { "request-enrollment-agent-certificate",
		"import-enrollment-agent-to-machine" },
	    FIELD(ra.signing.key_readable), true, false },
	{ "granted after that", { NULL },
	    { "request-enrollment-agent-certificate",
		"import-enrollment-agent-to-machine", "grant-read-on-ra-keys" },
	    FIELD(ra.signing.key_readable), true, true },
	{ "the pool is as it is", { "app_pool.state=stopped" },
	    { "set-http-sys-limits" }, FIELD(app_pool.state), POOL_STOPPED,
	    POOL_STOPPED },
};

static int64_t
number_at(const struct stack_state *state, const struct configured *t)
{
	const char *at = (const char *)state + t->offset;

	return t->size == sizeof(bool) ? *(const bool *)at :
	    t->size == sizeof(int)     ? *(const int *)(const void *)at :
					 *(const int64_t *)(const void *)at;
}

static void
is_set_before_it_shows(void **state)
{
	const struct configured *t = *state;
	struct sites *sites = open_sites(NULL, t->sets);
	struct stack_state now, set;

	for (size_t i = 0; i < COUNT_OF(t->actions) && t->actions[i] != NULL;
	     i++)
		must_act(sites, t->actions[i]);
	site_state(site_default(sites), &now);
	site_configured(site_default(sites), &set);
	assert_int_equal(number_at(&now, t), t->before);
	assert_int_equal(number_at(&set, t), t->set);
	must_act(sites, "restart-server");
	site_configured(site_default(sites), &set);
	site_state(site_default(sites), &now);
	assert_memory_equal(&set, &now, sizeof(now));
	sites_free(sites);
}

static const char *const too_short[SETS_MAX] = { "iis.max_url=4096" };

static void
prepare_and_forget(bool reset)
{
	struct sites *sites = open_sites(NULL, too_short);
	struct site *site = site_default(sites);
	struct scenario *scenario = site_scenario(site);
	const struct action *limits;
	struct error err = { 0 };
	struct stack_state now;

	limits = action_find("set-request-filtering-limits", &err);
	must_act(sites, limits->name);
	assert_true(site_waits(site, limits));
	if (reset)
		assert_int_equal(site_reset(site, &err), 0);
	else
		assert_int_equal(site_use_scenario(site, scenario, &err), 0);
	assert_false(site_waits(site, limits));
	must_act(sites, "restart-server");
	site_state(site, &now);
	assert_int_equal(now.iis.max_url, 4096);
	scenario_free(scenario);
	sites_free(sites);
}

static void
a_reset_forgets_what_waits(void **state)
{
	(void)state;
	prepare_and_forget(true);
}

static void
another_scenario_forgets_what_waits(void **state)
{
	(void)state;
	prepare_and_forget(false);
}

static void
settings_leave_what_waits(void **state)
{
	static const char *const other[] = { "iis.error_pages=detailed" };
	struct sites *sites = open_sites(NULL, too_short);
	struct errors errors = { 0 };
	struct stack_state now;

	(void)state;
	must_act(sites, "set-request-filtering-limits");
	assert_int_equal(site_set(site_default(sites), other, 1, &errors), 0);
	must_act(sites, "restart-server");
	site_state(site_default(sites), &now);
	assert_int_equal(now.iis.max_url, 65534);
	assert_int_equal(now.iis.error_pages, PAGES_DETAILED);
	sites_free(sites);
}

/* However often it is done: there is room for each action once. */
static void
what_waits_is_bounded(void **state)
{
	struct sites *sites = open_sites(NULL, too_short);

	(void)state;
	for (int i = 0; i < 3 * ACTION_WAITS_MAX; i++) {
		must_act(sites, "set-request-filtering-limits");
		must_act(sites, "renew-ra-certificates");
	}
	must_act(sites, "restart-server");
	assert_true(site_is_healthy(site_default(sites), NULL));
	sites_free(sites);
}

static void
rules_are_not_healthy(void **state)
{
	struct sites *sites = open_sites(NULL, NULL);
	struct scenario *hang;
	struct errors errors = { 0 };
	struct error err = { 0 };

	(void)state;
	assert_true(site_is_healthy(site_default(sites), &err));
	assert_int_equal(scenario_find("hang", NULL, &hang, &errors), 0);
	assert_int_equal(site_use_scenario(site_default(sites), hang, &err), 0);
	assert_false(site_is_healthy(site_default(sites), &err));
	assert_string_equal(err.text, "the scenario \"hang\" has faults");
	scenario_free(hang);
	sites_free(sites);
}

/* The RA is renewed on the day of the request, not of the restart. */
static void
certificates_begin_when_requested(void **state)
{
	struct sites *sites = open_sites(NULL, NULL);
	struct site *site = site_default(sites);
	struct credentials *cred;
	struct error err = { 0 };
	int64_t requested;

	(void)state;
	clock_advance(site_clock(site), YEAR);
	requested = clock_now(site_clock(site));
	must_act(sites, "renew-ra-certificates");
	clock_advance(site_clock(site), 30 * DAY);
	must_act(sites, "iisreset");
	assert_non_null(cred = site_credentials(site, &err));
	for (int role = CA_RA_SIGNING; role < CA_ROLES; role++) {
		assert_in_range(cred->certs[role].not_before, requested - 900,
		    requested);
		assert_in_range(cred->certs[role].not_after,
		    requested + 2 * YEAR - DAY, requested + 2 * YEAR);
	}
	credentials_free(cred);
	sites_free(sites);
}

/* A disk keeps the RAs as they are; who may read their keys is no such matter. */
static const struct kept {
	const char *row, *action;
	bool refused;
} kepts[] = {
	{ "both", "renew-ra-certificates", true },
	{ "the role", "reinstall-ndes-role", true },
	{ "encryption", "request-cep-encryption-certificate", true },
	{ "signing", "request-enrollment-agent-certificate", true },
	{ "rights on the keys", "grant-read-on-ra-keys", false },
	{ "the policy module's", "renew-policy-certificate", false },
};

static void
kept_ras_are_not_renewed(void **state)
{
	static const char *const sets[SETS_MAX] = {
		"ra.signing.key_readable=false"
	};
	const struct kept *t = *state;
	const struct state_dir_options options = { .path = folder_new().path,
		.crypto = a.crypto,
		.keys = a.keys };
	struct state_dir *kept;
	struct sites *sites;
	struct site_acted acted;
	struct stack_state now;
	struct error err = { 0 };

	if (state_dir_open(&kept, &options, &err) == -1)
		fail_msg("%s", err.text);
	sites = open_sites(kept, sets);
	assert_int_equal(act(site_default(sites), t->action, &acted, &err),
	    t->refused ? -1 : 0);
	assert_int_equal(strstr(err.text, "--state-dir keeps the RAs") != NULL,
	    t->refused);
	site_acted_clear(&acted);
	must_act(sites, "iisreset");
	site_state(site_default(sites), &now);
	assert_int_equal(now.ra.signing.key_readable,
	    strcmp(t->action, "grant-read-on-ra-keys") == 0);
	sites_free(sites);
	state_dir_close(kept);
}

#define AT_ONCE 8

static void *
work(void *cls)
{
	struct sites *sites = cls;

	for (int i = 0; i < 20; i++) {
		must_act(sites, "set-request-filtering-limits");
		must_act(sites, "set-http-sys-limits");
		must_act(sites, "grant-enroll-permission");
		must_act(sites, "restart-server");
	}
	return NULL;
}

static void
administrators_lose_nothing(void **state)
{
	static const char *const sets[SETS_MAX] = { "iis.max_url=4096",
		"http_sys.max_field_length=100",
		"mscep.admin.permission=false" };
	struct sites *sites = open_sites(NULL, sets);
	pthread_t threads[AT_ONCE];

	(void)state;
	for (int i = 0; i < AT_ONCE; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, work, sites),
		    0);
	for (int i = 0; i < AT_ONCE; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_true(site_is_healthy(site_default(sites), NULL));
	sites_free(sites);
}

static int
prepare(void **state)
{
	(void)state;
	a = authority_open();
	return 0;
}

static int
clean(void **state)
{
	(void)state;
	authority_close(&a);
	return 0;
}

int
main(void)
{
	const struct table tables[] = {
		ROWS(shows_when_it_should, walks),
		ROWS(is_refused, wrongs),
		ROWS(forgets_passwords, restarts),
		ROWS(forgets_deaths, forgivens),
		ROWS(is_set_before_it_shows, configureds),
		ONE(a_restart_is_all_that_it_contains,
		    "a restart is all that it contains"),
		ONE(arguments_take_what_keys_do, "arguments take what keys do"),
		ONE(steps_are_actions, "what is waited for can be done"),
		ONE(exchanges_keep_their_state, "exchanges keep their state"),
		ONE(a_reset_forgets_what_waits, "a reset forgets what waits"),
		ONE(another_scenario_forgets_what_waits,
		    "another scenario forgets what waits"),
		ONE(settings_leave_what_waits, "settings leave what waits"),
		ONE(what_waits_is_bounded, "what waits is bounded"),
		ONE(rules_are_not_healthy, "rules are not healthy"),
		ONE(certificates_begin_when_requested,
		    "certificates begin when they were requested"),
		ROWS(kept_ras_are_not_renewed, kepts),
		ONE(administrators_lose_nothing,
		    "several administrators lose nothing"),
	};

	return ROWS_RUN(tables, prepare, clean);
}
