/* What is healthy: what a setting does to clients decides. */
#include "unit/authority.h"
#include "unit/scenarios.h"

#include "stack/stack.h"

#define DAY 86400LL
#define YEAR 31557600LL
#define SETS_MAX 3

static struct authority a;

static const struct ill {
	const char *row;
	const char *sets[SETS_MAX];
	const char *why; /* what it begins with; NULL: it is healthy */
} ills[] = {
	{ "as it comes", { NULL }, NULL },
	{ "devices are refused", { "network.device=refused" },
	    "network.device: " },
	{ "devices hear nothing", { "network.device=silent" },
	    "network.device: " },
	{ "another external URL", { "app_proxy.external_url=wrong" },
	    "app_proxy.external_url: " },
	{ "the proxy's connector is stopped",
	    { "app_proxy.connector_service=stopped" },
	    "app_proxy.connector_service: " },
	{ "it will be, after the next restart",
	    { "app_proxy.connector_startup=manual" }, NULL },
	{ "the proxy reaches nobody", { "app_proxy.back_end=unreachable" },
	    "app_proxy.back_end: " },
	{ "it waits 85 seconds", { "app_proxy.back_end_timeout=85s" }, NULL },
	{ "the network counts before the proxy",
	    { "app_proxy.back_end=unreachable", "network.device=silent" },
	    "network.device: " },
	{ "a full queue", { "http_sys.queue=full" }, "http_sys.queue: " },
	{ "segments too short for NDES",
	    { "http_sys.url_segment_max_length=12" },
	    "http_sys.url_segment_max_length: " },
	{ "just long enough", { "http_sys.url_segment_max_length=13" }, NULL },
	{ "or of any length", { "http_sys.url_segment_max_length=0" }, NULL },
	{ "too few segments", { "http_sys.url_segment_max_count=3" },
	    "http_sys.url_segment_max_count: " },
	{ "just enough", { "http_sys.url_segment_max_count=4" }, NULL },
	{ "no handshake", { "tls.handshake=hang" }, "tls.handshake: " },
	{ "TLS 1.0", { "tls.versions=tls1.0" }, "tls.versions: " },
	{ "TLS 1.1", { "tls.versions=tls1.1" }, "tls.versions: " },
	{ "TLS 1.2", { "tls.versions=tls1.2" }, NULL },
	{ "TLS 1.3", { "tls.versions=tls1.3" }, NULL },
	{ "an expired server certificate", { "tls.certificate=expired" },
	    "tls.certificate: " },
	{ "an incomplete chain", { "tls.chain=incomplete" }, "tls.chain: " },
	{ "a client certificate is wanted",
	    { "tls.client_certificate=required" }, "tls.client_certificate: " },
	{ "or asked for", { "tls.client_certificate=asked" }, NULL },
	{ "the application pool is stopped", { "app_pool.state=stopped" },
	    "app_pool.state: " },
	{ "the application pool is disabled", { "app_pool.state=disabled" },
	    "app_pool.state: " },
	{ "its account may not log on", { "app_pool.identity=no-logon-right" },
	    "app_pool.identity: " },
	{ "neither GET nor POST",
	    { "mscep.accept.get=false", "mscep.accept.post=false" },
	    "mscep.accept: " },
	{ "POST is offered and refused", { "mscep.accept.post=false" },
	    "mscep.accept.post: " },
	{ "so says SCEPStandard",
	    { "mscep.accept.post=false", "mscep.capabilities=[scepstandard]" },
	    "mscep.accept.post: " },
	{ "POST is refused and not offered",
	    { "mscep.accept.post=false", "mscep.capabilities=[SHA-1, DES3]" },
	    NULL },
	{ "GET is refused where POST is offered", { "mscep.accept.get=false" },
	    NULL },
	{ "GET is refused where it is all there is",
	    { "mscep.accept.get=false", "mscep.capabilities=[SHA-1, DES3]" },
	    "mscep.accept.get: " },
	{ "renewal is offered and refused", { "mscep.accept.renewal=false" },
	    "mscep.accept.renewal: " },
	{ "renewal is refused and not offered",
	    { "mscep.accept.renewal=false",
		"mscep.capabilities=[POSTPKIOperation, SHA-1, DES3]" },
	    NULL },
	{ "no SHA is offered", { "mscep.capabilities=[DES3, AES]" },
	    "mscep.capabilities: " },
	{ "no cipher is offered", { "mscep.capabilities=[SHA-256]" },
	    "mscep.capabilities: " },
	{ "nothing is offered", { "mscep.capabilities=[]" },
	    "mscep.capabilities: " },
	{ "SCEPStandard says it all", { "mscep.capabilities=[SCEPStandard]" },
	    NULL },
	{ "SHA-1 is refused where others are offered",
	    { "mscep.accept.weakest_digest=sha256" }, NULL },
	{ "SHA-1 is refused where it is all there is",
	    { "mscep.accept.weakest_digest=sha256",
		"mscep.capabilities=[SHA-1, DES3]" },
	    "mscep.accept.weakest_digest: " },
	{ "single DES is refused", { "mscep.accept.weakest_cipher=des3" },
	    NULL },
	{ "3DES is refused where AES is not offered",
	    { "mscep.accept.weakest_cipher=aes-128-cbc" },
	    "mscep.accept.weakest_cipher: " },
	{ "3DES is refused where it is",
	    { "mscep.accept.weakest_cipher=aes-128-cbc",
		"mscep.capabilities=[SHA-256, AES, DES3]" },
	    NULL },
	{ "sealed with single DES", { "mscep.reply.cipher=des" },
	    "mscep.reply.cipher: " },
	{ "sealed with 3DES", { "mscep.reply.cipher=des3" }, NULL },
	{ "sealed with OAEP", { "mscep.reply.key_transport=oaep" },
	    "mscep.reply.key_transport: " },
	{ "nobody may enrol", { "mscep.admin.permission=false" },
	    "mscep.admin.permission: " },
	{ "nor learn the single password",
	    { "mscep.admin.permission=false", "mscep.challenge.mode=single" },
	    "mscep.admin.permission: " },
	{ "nobody may enrol where no password is needed",
	    { "mscep.admin.permission=false", "mscep.challenge.mode=none" },
	    NULL },
	{ "or everybody knows it",
	    { "mscep.admin.permission=false", "mscep.challenge.mode=static",
		"mscep.challenge.password=x" },
	    NULL },
	{ "no room for passwords", { "mscep.challenge.cache=0" },
	    "mscep.challenge.cache: " },
	{ "no room where there is but one",
	    { "mscep.challenge.cache=0", "mscep.challenge.mode=single" },
	    NULL },
	{ "room for one", { "mscep.challenge.cache=1" }, NULL },
	{ "the connector is not installed", { "policy_module.installed=false" },
	    "policy_module.installed: " },
	{ "VerifyRequest does not work",
	    { "policy_module.verify_request=untrusted" },
	    "policy_module.verify_request: " },
	{ "nobody calls VerifyRequest",
	    { "policy_module.verify_request=untrusted",
		"policy_module.installed=false" },
	    "policy_module.installed: " },
	{ "Notify does not work", { "policy_module.notify=fails" },
	    "policy_module.notify: " },
	{ "the CA is down", { "ca.online=false" }, "ca.online: " },
	{ "NDES may not request", { "ca.grants_request=false" },
	    "ca.grants_request: " },
	{ "the CA's CRL is not there", { "ca.crl=unreachable" }, "ca.crl: " },
	{ "the template is not published", { "ca.template_published=false" },
	    "ca.template_published: " },
	{ "NDES asks for another template", { "mscep.templates=wrong" },
	    "mscep.templates: " },
	{ "what the policy module expects",
	    { "policy_module.expect.subject=CN=x" }, NULL },
	{ "the signing RA cannot sign", { "ra.signing.key_usage=encryption" },
	    "ra.signing.key_usage: " },
	{ "the signing RA can all", { "ra.signing.key_usage=both" },
	    "ra.signing.key_usage: " },
	{ "the encryption RA has no keyUsage",
	    { "ra.encryption.key_usage=none" }, "ra.encryption.key_usage: " },
	{ "RAs that can what they must",
	    { "ra.signing.key_usage=signing",
		"ra.encryption.key_usage=encryption" },
	    NULL },
	{ "IIS may not impersonate", { "iis.impersonation_right=false" },
	    "iis.impersonation_right: " },
	{ "a status for everybody", { "iis.status=401.2" }, "iis.status: " },
	{ "the account is locked", { "app_pool.identity=locked" },
	    "app_pool.identity: " },
	{ "its password has expired, as WAS sees it",
	    { "app_pool.identity=password-expired",
		"app_pool.identity_failure=was" },
	    "app_pool.identity: " },
	{ "handlers of 2012", { "windows=2012", "iis.handlers_ordered=false" },
	    "iis.handlers_ordered: " },
	{ "of which others know nothing", { "iis.handlers_ordered=false" },
	    NULL },
	{ "an inconsistent registry", { "mscep.registry=inconsistent" },
	    "mscep.registry: " },
	{ "a password that cannot be opened",
	    { "mscep.encrypted_password=undecryptable" },
	    "mscep.encrypted_password: " },
	{ "or not be written", { "mscep.encrypted_password=not-writable" },
	    NULL },
	{ "where it is wanted",
	    { "mscep.encrypted_password=not-writable",
		"mscep.challenge.mode=single" },
	    "mscep.encrypted_password: " },
	{ "the signing RA's key is not readable",
	    { "ra.signing.key_readable=false" }, "ra.signing.key_readable: " },
	{ "nor is the other", { "ra.encryption.key_readable=false" },
	    "ra.encryption.key_readable: " },
	{ "other addresses in the log", { "iis.log_c_ip=10.1.2.3" }, NULL },
	{ "keys of 4096 bits", { "ca.minimum_key_size=4096" },
	    "ca.minimum_key_size: " },
	{ "keys of 2048 bits", { "ca.minimum_key_size=2048" }, NULL },
	{ "a manager approves", { "ca.approval=manual" }, NULL },
	{ "chunks are refused", { "http_sys.require_content_length=true" },
	    NULL },
	{ "http.sys as it comes with Windows",
	    { "http_sys.max_field_length=16384" },
	    "http_sys.max_field_length is 16384, less than 65534: " },
	{ "all headers together", { "http_sys.max_request_bytes=65533" },
	    "http_sys.max_request_bytes is 65533, less than 65534: " },
	{ "IIS as it comes", { "iis.max_query_string=2048" },
	    "iis.max_query_string is 2048, less than 65534: " },
	{ "its paths", { "iis.max_url=4096" }, "iis.max_url is 4096, " },
	{ "its bodies", { "iis.max_allowed_content_length=1000" },
	    "iis.max_allowed_content_length is 1000, " },
	{ "more than is needed",
	    { "iis.max_query_string=100000",
		"http_sys.max_request_bytes=100000" },
	    NULL },
	{ "short subjects", { "ca.subject_max=100" }, "ca.subject_max is " },
	{ "an EC CA", { "ca.key=ec-p256" }, NULL },
	{ "an old Windows", { "windows=2008r2" }, NULL },
};

static void
is_healthy(void **state)
{
	const struct ill *t = *state;
	struct stack_state s;
	struct errors errors = { 0 };
	struct error why = { 0 };
	size_t count = 0;

	while (count < SETS_MAX && t->sets[count] != NULL)
		count++;
	stack_healthy(&s);
	if (scenario_set(&s, t->sets, count, &errors) == -1)
		fail_msg("%s", errors.list[0].text);
	assert_int_equal(stack_is_healthy(&s, NULL, 0, &why), t->why == NULL);
	assert_int_equal(stack_is_healthy(&s, NULL, 0, NULL), t->why == NULL);
	if (t->why == NULL)
		assert_string_equal(why.text, "");
	else if (strncmp(why.text, t->why, strlen(t->why)) != 0)
		fail_msg("\"%s\" does not begin with \"%s\"", why.text, t->why);
}

/* By the clock of the authority's certificates. */
static const struct moment {
	const char *row;
	int64_t after; /* seconds from the begin of the CA on */
	const char *why;
} moments[] = {
	{ "at once", 0, NULL },
	{ "before its time", -DAY,
	    "the certificate of the CA is not valid "
	    "yet" },
	{ "after a year", YEAR, NULL },
	{ "after three years", 3 * YEAR,
	    "the certificate of the signing RA has expired" },
	{ "after eleven", 11 * YEAR, "the certificate of the CA has expired" },
};

static void
is_healthy_at(void **state)
{
	const struct moment *t = *state;
	struct stack_state s;
	struct error why = { 0 };

	stack_healthy(&s);
	assert_int_equal(stack_is_healthy(&s, a.credentials,
			     DEVICE_NOW + t->after, &why),
	    t->why == NULL);
	assert_string_equal(why.text, t->why == NULL ? "" : t->why);
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
		ROWS(is_healthy, ills),
		ROWS(is_healthy_at, moments),
	};

	return ROWS_RUN(tables, prepare, clean);
}
