/* What VerifyRequest and Notify leave, line by line (ndes-facts 10). */
#include "unit/exchanges.h"
#include "unit/scenarios.h"

#include "stack/stack.h"

#define PATH "/certsrv/mscep/mscep.dll"
#define SETS_MAX 4

#define P "NDESPlugin.log: "
#define S "CertificateRegistrationPoint.svclog: "
#define OLD_EVENT "Microsoft Intune Connector "
#define ADMIN "Microsoft-Intune-CertificateConnectors/Admin "
#define OPERATIONAL "Microsoft-Intune-CertificateConnectors/Operational "
#define IIS "W3SVC1: 2013-04-29 09:15:51 "
#define VERIFY "/CertificateRegistrationSvc/Certificate/VerifyRequest"
#define NOTIFY "/CertificateRegistrationSvc/Certificate/Notify"

#define BEGIN                             \
	P "Calling VerifyRequest ...\n" P \
	  "Sending request to certificate registration point.\n"
#define CREATED                     \
	IIS "10.0.0.1 POST " VERIFY \
	    " - 443 - 10.0.0.1 NDES_Plugin - 201 0 0 0\n"
#define FALSE_END                              \
	P "Verify challenge returns false\n" P \
	  "Exiting VerifyRequest with 0x0\n"
#define TRUE_END \
	P "Verify challenge returns true\n" P "Exiting VerifyRequest with 0x0\n"

static const struct call {
	const char *row;
	const char *sets[SETS_MAX];
	enum refusal challenge; /* how it is judged, if it comes so far */
	enum refusal refusal;	/* what comes of it */
	bool dies;
	const char *left; /* what there is, up to where a page begins */
} calls[] = {
	{ "a good challenge, old connector", { NULL }, REFUSAL_NONE,
	    REFUSAL_NONE, false,
	    BEGIN CREATED S
	    "VerifyRequest Started.\n" S
	    "Validation Phase 1 finished with status True.\n" S
	    "Validation Phase 3 finished with status True.\n" S
	    "VerifyRequest Finished with status True\n" OLD_EVENT
	    "20500 Information: CRPVerifyMetric_Success\n" TRUE_END },
	{ "a good challenge, new connector", { "policy_module.connector=new" },
	    REFUSAL_NONE, REFUSAL_NONE, false,
	    BEGIN CREATED OPERATIONAL
	    "4003 Information: ScepRequestReceived\n" OPERATIONAL
	    "4004 Information: ScepVerifySuccess\n" TRUE_END },
	{ "as the article shows the log of IIS",
	    { "policy_module.connector=new", "iis.log_fields=article",
		"iis.log_s_ip=fe80::1%13" },
	    REFUSAL_NONE, REFUSAL_NONE, false,
	    BEGIN IIS
	    "fe80::1%13 POST " VERIFY
	    " - 443 - fe80::1%13 NDES_Plugin - 201 0 0 341 0\n" OPERATIONAL
	    "4003 Information: ScepRequestReceived\n" OPERATIONAL
	    "4004 Information: ScepVerifySuccess\n" TRUE_END },
	{ "the log of IIS 7.5 has no Referer",
	    { "policy_module.connector=new", "windows=2008r2" },
	    REFUSAL_WRONG_CHALLENGE, REFUSAL_WRONG_CHALLENGE, false,
	    BEGIN IIS "10.0.0.1 POST " VERIFY
		      " - 443 - 10.0.0.1 NDES_Plugin 201 0 0 0\n" OPERATIONAL
		      "4003 Information: ScepRequestReceived\n" OPERATIONAL
		      "4005 Error: ScepVerifyFailure\n" FALSE_END },
	{ "an expired challenge", { NULL }, REFUSAL_EXPIRED_CHALLENGE,
	    REFUSAL_EXPIRED_CHALLENGE, false,
	    BEGIN CREATED S
	    "VerifyRequest Started.\n" S
	    "Validation Phase 1 finished with status True.\n" S
	    "Validation Phase 3 finished with status False.\n" S
	    "VerifyRequest Finished with status False\n" OLD_EVENT
	    "20501 Warning: CRPSCEPChallenge_Expired (0x411): Request denied "
	    "due to expired certificate challenge\n" FALSE_END },
	{ "a wrong challenge", { NULL }, REFUSAL_WRONG_CHALLENGE,
	    REFUSAL_WRONG_CHALLENGE, false,
	    BEGIN CREATED S
	    "VerifyRequest Started.\n" S
	    "Validation Phase 1 finished with status False.\n" S
	    "VerifyRequest Finished with status False\n" OLD_EVENT
	    "20502 Error: CRPSCEPDeserialize_Failed (0x410)\n" FALSE_END },
	{ "not what is expected", { NULL }, REFUSAL_EXPECTATION,
	    REFUSAL_EXPECTATION, false,
	    BEGIN CREATED S
	    "VerifyRequest Started.\n" S
	    "Validation Phase 1 finished with status True.\n" S
	    "Validation Phase 3 finished with status False.\n" S
	    "VerifyRequest Finished with status False\n" OLD_EVENT
	    "20502 Error: Diagnostic code: 0x400\n" FALSE_END },
	{ "no signing certificate",
	    { "policy_module.verify_request=signing-certificate" },
	    REFUSAL_NONE, REFUSAL_VERIFY_FALSE, false,
	    BEGIN CREATED S
	    "VerifyRequest Started.\n" S
	    "Signing certificate could not be retrieved. "
	    "System.Security.Cryptography.CryptographicException: "
	    "m_safeCertContext is an invalid handle\n" S
	    "VerifyRequest Finished with status False\n" OLD_EVENT
	    "20502 Error: CRPSCEPSigningCert_NotFound (0x409)\n" FALSE_END },
	{ "another name in TLS: nothing reaches IIS",
	    { "policy_module.verify_request=name-mismatch" }, REFUSAL_NONE,
	    REFUSAL_VERIFY_UNSENT, false,
	    BEGIN P "WINHTTP_CALLBACK_STATUS_FLAG_CERT_CN_INVALID\n" P
		    "Failed to send http request " VERIFY ". Error 12175\n" },
	{ "403.16", { "policy_module.verify_request=untrusted" }, REFUSAL_NONE,
	    REFUSAL_VERIFY_FORBIDDEN, false,
	    BEGIN P "Verify challenge returns <!DOCTYPE html PUBLIC" },
	{ "403.7", { "policy_module.verify_request=no-client-auth" },
	    REFUSAL_NONE, REFUSAL_VERIFY_FORBIDDEN, false,
	    BEGIN P "Verify challenge returns <!DOCTYPE html PUBLIC" },
	{ "the folder for what ASP.NET compiles",
	    { "policy_module.verify_request=temp-folder" }, REFUSAL_NONE,
	    REFUSAL_VERIFY_UNSENT, true,
	    BEGIN IIS "10.0.0.1 POST " VERIFY
		      " - 443 - 10.0.0.1 NDES_Plugin - 500 0 0 0\n"
		      "Application 1310 Warning: Event code: 3007\r\nEvent "
		      "message: A compilation error has occurred.\n" },
};

static void
begin(struct exchange *ex, struct stack_state *s, const char *const *sets)
{
	struct errors errors = { 0 };
	size_t count = 0;

	while (count < SETS_MAX && sets[count] != NULL)
		count++;
	stack_healthy(s);
	if (scenario_set(s, sets, count, &errors) == -1)
		fail_msg("%s", errors.list[0].text);
	exchange_make(ex, "POST", PATH "?operation=PKIOperation");
	ex->request.local = exchange_endpoint("10.0.0.1", 80);
	strcpy(ex->scep.transaction_id, "A1B2");
}

/* "LOG: line" or "LOG ID LEVEL: text", each with "\n". */
static void
print(const struct exchange *ex, struct buffer *out)
{
	memset(out, 0, sizeof(*out));
	for (const struct event *e = ex->events; e != NULL; e = e->next)
		if (e->source == NULL)
			buffer_printf(out, "%s: %s\n", e->log, e->text);
		else
			buffer_printf(out, "%s %d %s: %s\n", e->log, e->id,
			    e->level, e->text);
	buffer_add_byte(out, 0);
}

static bool
is_page(const struct call *t)
{
	return t->refusal == REFUSAL_VERIFY_FORBIDDEN;
}

static void
verifies(void **state)
{
	const struct call *t = *state;
	struct error why = { 0 };
	struct stack_state s;
	struct exchange ex;
	struct buffer left;
	enum refusal refusal;
	bool dies;

	begin(&ex, &s, t->sets);
	refusal = policy_module_call(&ex, &s, &why, &dies);
	assert_int_equal(refusal != REFUSAL_NONE,
	    policy_module_cannot_verify(&s, &(struct error){ 0 }));
	assert_int_equal(refusal == REFUSAL_NONE, *why.text == '\0');
	if (refusal == REFUSAL_NONE)
		policy_module_answered(&ex, &s, refusal = t->challenge);
	assert_int_equal(refusal, t->refusal);
	assert_int_equal(dies, t->dies);
	print(&ex, &left);
	if (is_page(t))
		left.data[strlen(t->left)] = '\0';
	assert_string_equal((char *)left.data, t->left);
	buffer_free(&left);
	exchange_clear(&ex);
}

/* The whole page, then the line with its numbers: 403.16 [C] in 10.1. */
static void
shows_the_page(void **state)
{
	static const struct {
		const char *sets[SETS_MAX], *end;
	} forms[] = {
		{ { "policy_module.verify_request=untrusted" },
		    "</html>\n" IIS "10.0.0.1 POST " VERIFY
		    " - 443 - 10.0.0.1 NDES_Plugin - 403 16 2148204809 0\n" },
		{ { "policy_module.verify_request=no-client-auth" },
		    "</html>\n" IIS "10.0.0.1 POST " VERIFY
		    " - 443 - 10.0.0.1 NDES_Plugin - 403 7 5 0\n" },
	};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct error why = { 0 };
		struct stack_state s;
		struct exchange ex;
		struct buffer left;
		bool dies;
		char *at;

		begin(&ex, &s, forms[i].sets);
		policy_module_call(&ex, &s, &why, &dies);
		print(&ex, &left);
		assert_non_null(strstr((char *)left.data,
		    "<h2>403 - Forbidden: Access is denied.</h2>"));
		at = strstr((char *)left.data, "</html>");
		assert_non_null(at);
		/* IIS's page may end in a line of its own. */
		if (strncmp(at, "</html>\r\n", 9) == 0)
			memmove(at + 7, at + 9, strlen(at + 9) + 1);
		assert_string_equal(at, forms[i].end);
		buffer_free(&left);
		exchange_clear(&ex);
	}
}

/* A certificate for clients takes the place of the one that is none. */
static void
another_certificate_is_for_clients(void **state)
{
	static const char *const sets[SETS_MAX] = {
		"policy_module.verify_request=no-client-auth"
	};
	struct policy_certificate list[POLICY_CERTIFICATES];
	struct error why = { 0 };
	struct stack_state s;
	struct exchange ex;
	bool dies;

	(void)state;
	begin(&ex, &s, sets);
	s.policy_module.renewed.not_after = 1000;
	assert_int_equal(policy_module_certificates(&s, list), 2);
	strcpy(s.policy_module.thumbprint, list[0].thumbprint);
	assert_true(policy_module_cannot_verify(&s, &why));
	strcpy(s.policy_module.thumbprint, list[1].thumbprint);
	assert_false(policy_module_cannot_verify(&s, &why));
	assert_int_equal(policy_module_call(&ex, &s, &why, &dies),
	    REFUSAL_NONE);
	exchange_clear(&ex);
}

#define NO_CONTENT                  \
	IIS "10.0.0.1 POST " NOTIFY \
	    " - 443 - 10.0.0.1 NDES_Plugin - 204 0 0 0\n"
#define KEY "HKLM\\SOFTWARE\\Microsoft\\MicrosoftIntune\\NDESConnector."
#define NOTIFY_BEGIN P "Calling Notifyrequest ...\n"
#define NOTIFY_END P "Exiting Notify with 0x0\n"

static const struct notified {
	const char *row;
	const char *sets[SETS_MAX];
	enum scep_status disposition;
	const char *left; /* %s: the GUID */
} notifieds[] = {
	{ "issued, old connector", { NULL }, SCEP_SUCCESS,
	    NOTIFY_BEGIN NO_CONTENT S
	    "Notify Started\n" S "Retrieveing the CRP certificate\n" S
	    "Reading EncryptionCertThumbprint from " KEY "\n" S
	    "Retrieving the GWP or MP certificate.\n" S
	    "Reading SigningCertificate from " KEY "\n" S
	    "Verifying the signature\n" S "Decrypt the body\n" S
	    "Deserialize the decoded challenge "
	    "password.\n" S "Dropping file %s.CRS for Certificate "
	    "Request Status Data for User : , Device : "
	    "\n" S "Successfully dropped file.\n" S
	    "Notify Finished.\n" OLD_EVENT "20600 Information: "
	    "CRPNotifyMetric_Success\n" NOTIFY_END },
	{ "issued, new connector", { "policy_module.connector=new" },
	    SCEP_SUCCESS,
	    NOTIFY_BEGIN NO_CONTENT NOTIFY_END OPERATIONAL
	    "4006 Information: ScepIssuedSuccess\n" OPERATIONAL
	    "4008 Information: ScepNotifySuccess\n" ADMIN
	    "4000 Information: ScrepRequestSuccess\n" },
	{ "denied, new connector", { "policy_module.connector=new" },
	    SCEP_FAILURE,
	    NOTIFY_BEGIN NO_CONTENT NOTIFY_END OPERATIONAL
	    "4007 Error: ScepIssuedFailure\n" OPERATIONAL
	    "4008 Information: ScepNotifySuccess\n" ADMIN
	    "4001 Error: ScepRequestIssuedFailure\n" },
	{ "pending, new connector", { "policy_module.connector=new" },
	    SCEP_PENDING,
	    NOTIFY_BEGIN NO_CONTENT NOTIFY_END OPERATIONAL
	    "4008 Information: ScepNotifySuccess\n" },
	{ "it fails, old connector: no 204", { "policy_module.notify=fails" },
	    SCEP_SUCCESS,
	    NOTIFY_BEGIN P
	    "Failed to send http request " NOTIFY ". Error 12002\n" P
	    "Exiting Notify with 0x80072ee2\n" S
	    "(%%ProgramFiles%%\\Microsoft Intune\\"
	    "CertificateRequestStatus\\Processing\\%s.CRS stays "
	    "there)\n" OLD_EVENT "20602 Error: CRPNotifyMetric_Failure\n" },
	{ "it fails, new connector: no 204",
	    { "policy_module.notify=fails", "policy_module.connector=new" },
	    SCEP_SUCCESS,
	    NOTIFY_BEGIN P "Failed to send http request " NOTIFY
			   ". Error 12002\n" P
			   "Exiting Notify with 0x80072ee2\n" OPERATIONAL
			   "4006 Information: ScepIssuedSuccess\n" OPERATIONAL
			   "4009 Error: ScepNotifyAttemptFailed\n" },
};

/* The first one, with digits of which each is told apart by its place. */
static void
find_guid(const char *text, char out[37])
{
	const char *end = strstr(text, ".CRS");

	snprintf(out, 37, "%s", "");
	if (end == NULL)
		return;
	assert_true(end - text > 36);
	snprintf(out, 37, "%.36s", end - 36);
	assert_int_equal(strspn(out, "0123456789abcdef-"), 36);
	for (int i = 0; i < 36; i++)
		assert_int_equal(out[i] == '-',
		    i == 8 || i == 13 || i == 18 || i == 23);
	assert_int_equal(out[14], '4');
}

static void
notifies(void **state)
{
	const struct notified *t = *state;
	struct buffer left, wanted = { 0 };
	struct stack_state s;
	struct exchange ex;
	const char *at = strstr(t->left, "%s");
	char guid[37];

	begin(&ex, &s, t->sets);
	policy_module_notify(&ex, &s, t->disposition);
	print(&ex, &left);
	find_guid((char *)left.data, guid);
	for (const char *c = t->left; *c != '\0'; c++)
		if (c == at) {
			buffer_add_text(&wanted, guid);
			c++;
		} else if (c[0] != '%' || c[1] != '%') {
			buffer_add_byte(&wanted, (uint8_t)*c);
		}
	buffer_add_byte(&wanted, 0);
	assert_string_equal((char *)left.data, (char *)wanted.data);
	buffer_free(&left);
	buffer_free(&wanted);
	exchange_clear(&ex);
}

int
main(void)
{
	static const struct table tables[] = {
		ROWS(verifies, calls),
		ROWS(notifies, notifieds),
		ONE(shows_the_page, "IIS's page for a 403, and its line"),
		ONE(another_certificate_is_for_clients,
		    "another certificate of the policy module is for clients"),
	};

	return ROWS_RUN(tables, NULL, NULL);
}
