/*
 * The failures of the sibling articles, as their shipped scenarios have them:
 * what an independent client reads, what an administrator finds, and the way
 * out (ndes-facts 12B, 12C).
 */
#include "unit/rows.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "mockndes.h"
#include "support/device.h"
#include "support/files.h"

#define SECRET "lasting"
#define FAILURE 2
#define BAD_REQUEST 2
#define URL_SIZE 512

#define VERIFY "/CertificateRegistrationSvc/Certificate/VerifyRequest"
#define NOTIFY "/CertificateRegistrationSvc/Certificate/Notify"
#define PKI "/certsrv/mscep/mscep.dll operation=PKIOperation"

#define FOUND_MAX 8 /* NULL ends them */
struct found {
	const char *evidence, *text;
};

static const struct cause {
	const char *scenario;
	int pki_status; /* -1: no answer at all */
	uint32_t error; /* Microsoft's, of a FAILURE */
	const char *message;
	struct found there[FOUND_MAX], absent[FOUND_MAX];
	const char *cure[4]; /* "NAME" */
} causes[] = {
	{ "healthy", 0, 0, "Issued",
	    { { "iis-log",
		  " POST " VERIFY " - 443 - 127.0.0.1 NDES_Plugin - 201 0 0 " },
		{ "iis-log",
		    " POST " NOTIFY
		    " - 443 - 127.0.0.1 NDES_Plugin - 204 0 0 " },
		{ "iis-log", PKI },
		{ "policy-module-log", "Verify challenge returns true" },
		{ "policy-module-log", "Exiting Notify with 0x0" },
		{ "connector-log", "Event ID:      20500" } },
	    { { "application-log", "Event ID" }, { "system-log", "Event ID" } },
	    { NULL } },
	{ "verify-request-name-mismatch", FAILURE, 0x80072f8f, "",
	    { { "policy-module-log",
		  "Failed to send http request " VERIFY ". Error 12175" },
		{ "policy-module-log",
		    "WINHTTP_CALLBACK_STATUS_FLAG_CERT_CN_INVALID" },
		{ "application-log", "Event ID:      29" },
		{ "iis-log", PKI } },
	    { { "iis-log", VERIFY }, { "iis-log", NOTIFY },
		{ "policy-module-log", "Verify challenge returns" },
		{ "connector-log", "Event ID" } },
	    { "bind-server-certificate" } },
	{ "verify-request-403", FAILURE, 0x80190193, "",
	    { { "iis-log",
		  " POST " VERIFY " - 443 - 127.0.0.1 NDES_Plugin - "
		  "403 16 2148204809 " },
		{ "policy-module-log", "Verify challenge returns <!DOCTYPE" },
		{ "policy-module-log",
		    "<h2>403 - Forbidden: Access is denied.</h2>" } },
	    { { "iis-log", NOTIFY }, { "connector-log", "Event ID" },
		{ "system-log", "Event ID" } },
	    { "remove-intermediate-certificates", "restart-server" } },
	{ "verify-request-no-client-auth", FAILURE, 0x80190193, "",
	    { { "iis-log",
		  " POST " VERIFY " - 443 - 127.0.0.1 NDES_Plugin - 403 7 5 " },
		{ "certificates",
		    "Enhanced Key Usage : Server Authentication" } },
	    { { "iis-log", NOTIFY }, { "connector-log", "Event ID" },
		{ "certificates", "Client Authentication" } },
	    { "renew-policy-certificate", "set-ndes-certificate-thumbprint",
		"iisreset" } },
	{ "verify-request-500", -1, 0, "",
	    { { "iis-log", "operation=GetCACert&message=ca " },
		{ "iis-log",
		    " POST " VERIFY
		    " - 443 - 127.0.0.1 NDES_Plugin - 500 0 0 " },
		{ "httperr-log",
		    " - - 1 Connection_Abandoned_By_ReqQueue SCEP" },
		{ "application-log", "Event ID:      1310" },
		{ "application-log", "A compilation error has occurred." },
		{ "system-log", "The process exit code was '0x0000374'." } },
	    { { "iis-log", PKI }, { "policy-module-log", "Verify challenge" },
		{ "application-log", "Event ID:      29" } },
	    { "grant-temp-folder-write" } },
	{ "signing-certificate-missing", FAILURE, 0x80070005, "",
	    { { "policy-module-log", "Verify challenge returns false" },
		{ "connector-log",
		    "Signing certificate could not be retrieved. " },
		{ "connector-log", "m_safeCertContext is an invalid handle" },
		{ "connector-log", "Event ID:      20502" },
		{ "connector-log", "CRPSCEPSigningCert_NotFound (0x409)" } },
	    { { "iis-log", NOTIFY } }, { "reinstall-connector" } },
	{ "notify-fails", 0, 0, "Issued",
	    { { "iis-log", VERIFY }, { "policy-module-log", NOTIFY },
		{ "connector-log", ".CRS stays there" },
		{ "connector-log", "Event ID:      20602" } },
	    { { "iis-log", NOTIFY }, { "iis-log", " 204 0 0 " } },
	    { "start-intune-connector-service" } },
	{ "ca-offline", FAILURE, 0x800706ba, "",
	    { { "application-log", "Event ID:      31" },
		{ "application-log",
		    "(0x800706ba). The RPC server is unavailable." },
		/* The challenge was good, and Intune is told. */
		{ "iis-log", NOTIFY } },
	    { { "application-log", "Event ID:      53" } },
	    { "start-ca-service" } },
	{ "template-not-published", FAILURE, 0x80094800,
	    "The requested certificate template is not supported by this CA. "
	    "0x80094800 (-2146875392 CERTSRV_E_UNSUPPORTED_CERT_TYPE) Denied "
	    "by Policy Module",
	    { { "application-log",
		  "(The requested certificate template is not supported by "
		  "this CA.).  0x80004005" },
		{ "application-log",
		    "Active Directory Certificate Services denied request " },
		{ "application-log", "The request was for CN=device-1.  " } },
	    { { NULL, NULL } }, { "publish-template" } },
	{ "mscep-templates-wrong", FAILURE, 0x80094800,
	    "The requested certificate template is not supported by this CA. "
	    "0x80094800 (-2146875392 CERTSRV_E_UNSUPPORTED_CERT_TYPE) Denied "
	    "by Policy Module",
	    { { "application-log", "Event ID:      31" },
		{ "application-log", "Event ID:      53" } },
	    { { NULL, NULL } }, { "set-mscep-templates", "restart-server" } },
	{ "ca-crl-unreachable", FAILURE, 0x80092013,
	    "The revocation function was unable to check revocation because "
	    "the revocation server was offline. 0x80092013 (-2146885613 "
	    "CRYPT_E_REVOCATION_OFFLINE) Denied by Policy Module",
	    { { "application-log",
		"(The revocation function was unable to check revocation "
		"because the revocation server was offline.). 0x80004005" } },
	    { { NULL, NULL } }, { "publish-ca-crl" } },
	{ "ca-access-denied", FAILURE, 0x80070005, "",
	    { { "application-log", "(0x80070005). Access is denied." } },
	    { { "application-log", "Event ID:      53" } },
	    { "grant-request-certificates" } },
	{ "key-too-short", FAILURE, 0x80094811,
	    "The public key does not meet the minimum size required by the "
	    "specified certificate template. 0x80094811 (-2146875375 "
	    "CERTSRV_E_KEY_LENGTH) Denied by Policy Module",
	    { { "application-log", "Event ID:      31" },
		{ "application-log",
		    "because The public key does not meet the minimum size "
		    "required by the specified certificate template. "
		    "0x80094811 (-2146875375 CERTSRV_E_KEY_LENGTH).  The "
		    "request was for CN=device-1.  Additional information: "
		    "Denied by Policy Module" } },
	    { { NULL, NULL } }, { NULL } },
};

static struct fixture {
	struct mockndes *mockndes;
	struct device device;
} fixture;

struct visit {
	struct mockndes_site *site;
	const char *url;
	STACK_OF(X509) * ca_certs;
};

static void
call(const struct visit *v, const char *method, const char *what,
    const char *body, struct mockndes_reply *out)
{
	char path[256];

	snprintf(path, sizeof(path), "/v1/sites/%s%s",
	    mockndes_site_id(v->site), what);
	assert_int_equal(mockndes_control(fixture.mockndes, method, path, body,
			     body == NULL ? 0 : strlen(body), out),
	    0);
	if (out->status != 200)
		fail_msg("%s %s: %d %s", method, path, out->status, out->body);
}

/* GetCACert is answered whatever is wrong. */
static void
begin(struct visit *v, const char *scenario)
{
	struct mockndes_site_options options = MOCKNDES_SITE_OPTIONS_INIT;
	char error[MOCKNDES_ERROR_SIZE];

	options.scenario = scenario;
	if (mockndes_open_site(fixture.mockndes, &options, &v->site, error) !=
	    0)
		fail_msg("%s", error);
	v->url = mockndes_site_url(v->site);
	assert_non_null(v->ca_certs = device_ca_certs(v->url));
	mockndes_request_free(
	    mockndes_next_request(v->site, "GetCACert", 20000));
}

static void
end(struct visit *v)
{
	device_ca_certs_free(v->ca_certs);
	mockndes_close_site(v->site);
}

/* Once everything of it is in the logs. -1: no CertRep. */
static int
enrol(const struct visit *v, struct device_answer *answer)
{
	const struct device_order order = { .challenge = SECRET };
	struct mockndes_request *request;
	bool sound = device_ask(&fixture.device, v->url, &order, v->ca_certs,
	    answer);

	request = mockndes_next_request(v->site, "PKIOperation", 20000);
	assert_non_null(request);
	mockndes_request_free(request);
	return sound ? answer->pki_status : -1;
}

static void
must_be(const struct visit *v, const struct found *f, bool there)
{
	struct mockndes_reply reply;
	char what[64];

	for (; f->evidence != NULL; f++) {
		snprintf(what, sizeof(what), "/evidence/%s", f->evidence);
		call(v, "GET", what, NULL, &reply);
		if ((strstr(reply.body, f->text) != NULL) != there)
			fail_msg("%s %s \"%s\":\n%s", f->evidence,
			    there ? "lacks" : "has", f->text, reply.body);
		mockndes_reply_clear(&reply);
	}
}

static void
causes_show(void **state)
{
	const struct cause *t = *state;
	struct device_answer answer;
	struct visit v;

	begin(&v, t->scenario);
	assert_int_equal(enrol(&v, &answer), t->pki_status);
	if (t->pki_status == FAILURE)
		assert_int_equal(answer.fail_info, BAD_REQUEST);
	assert_int_equal((uint32_t)answer.ms_error, t->error);
	assert_string_equal(answer.ms_message, t->message);
	device_answer_clear(&answer);
	must_be(&v, t->there, true);
	must_be(&v, t->absent, false);
	end(&v);
}

/* Of the last certificate of the server's name: the one that was requested. */
static void
newest_thumbprint(const struct visit *v, char out[41])
{
	struct mockndes_reply reply;
	const char *at, *next;

	call(v, "GET", "/evidence/certificates", NULL, &reply);
	at = strstr(reply.body, "CN=NDESServer01.contoso.com");
	while (at != NULL &&
	    (next = strstr(at + 1, "CN=NDESServer01.contoso.com")) != NULL)
		at = next;
	assert_non_null(at);
	assert_non_null(at = strstr(at, "Thumbprint"));
	at += strcspn(at, "0123456789ABCDEF");
	snprintf(out, 41, "%s", at);
	for (char *c = out; *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	mockndes_reply_clear(&reply);
}

static void
act(const struct visit *v, const char *name)
{
	char what[96], body[128] = "", thumbprint[41];
	struct mockndes_reply reply;

	if (strcmp(name, "set-ndes-certificate-thumbprint") == 0) {
		newest_thumbprint(v, thumbprint);
		snprintf(body, sizeof(body), "{\"thumbprint\": \"%s\"}",
		    thumbprint);
	}
	snprintf(what, sizeof(what), "/actions/%s", name);
	call(v, "POST", what, *body == '\0' ? NULL : body, &reply);
	mockndes_reply_clear(&reply);
}

/* The last step makes it whole, and no step before. */
static void
causes_are_cured(void **state)
{
	const struct cause *t = *state;
	struct device_answer answer;
	struct visit v;

	begin(&v, t->scenario);
	for (size_t i = 0; t->cure[i] != NULL; i++) {
		assert_false(mockndes_healthy(v.site, NULL));
		act(&v, t->cure[i]);
	}
	assert_int_equal(mockndes_healthy(v.site, NULL),
	    t->cure[0] != NULL || t->pki_status == 0);
	if (mockndes_healthy(v.site, NULL)) {
		assert_int_equal(enrol(&v, &answer), 0);
		assert_string_equal(device_judge(&fixture.device, v.ca_certs,
					answer.certificate),
		    "");
		device_answer_clear(&answer);
		must_be(&v, causes[0].there, true);
	}
	end(&v);
}

static int
start(void **state)
{
	struct mockndes_options options = MOCKNDES_OPTIONS_INIT;
	char keys[FILE_PATH_SIZE], error[MOCKNDES_ERROR_SIZE];

	(void)state;
	web_start();
	options.keys = path_in_source(keys, "tests/fixtures/keys");
	options.challenge = SECRET;
	if (mockndes_start(&options, &fixture.mockndes, error) != 0)
		fail_msg("%s", error);
	return device_make(&fixture.device) ? 0 : -1;
}

static int
stop(void **state)
{
	(void)state;
	device_clear(&fixture.device);
	mockndes_stop(fixture.mockndes);
	return 0;
}

int
main(void)
{
	static const struct table tables[] = {
		ROWS(causes_show, causes),
		ROWS(causes_are_cured, causes),
	};

	return ROWS_RUN(tables, start, stop);
}
