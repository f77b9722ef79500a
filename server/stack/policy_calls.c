/*
 * The calls of the policy module into the connector, and what they leave
 * (ndes-facts 10). The phrases are [C]; assumed is what stands in brackets
 * behind them here, the order of NDES's lines and the connector's, and what
 * NDES makes of a call that fails.
 */
#include "stack/stack.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PLUGIN "NDESPlugin.log"
#define SVCLOG "CertificateRegistrationPoint.svclog"
#define SERVICE "/CertificateRegistrationSvc/Certificate/"
#define VERIFY SERVICE "VerifyRequest"
#define NOTIFY SERVICE "Notify"

#define OLD_SOURCE "Microsoft Intune Connector"
#define NEW_LOG "Microsoft-Intune-CertificateConnectors"
#define INFORMATION "Information"

static void
line(struct exchange *ex, const char *log, const char *text)
{
	exchange_event(ex, log, NULL, 0, "", "%s", text);
}

/* Some lines; NULL ends them. */
static void
lines(struct exchange *ex, const char *log, const char *const *texts)
{
	for (; *texts != NULL; texts++)
		line(ex, log, *texts);
}

static bool
is_old(const struct stack_state *state)
{
	return state->policy_module.connector == CONNECTOR_OLD;
}

/* As 10.4 and 10.5 number and name them; more is not known of their texts. */
static void
old_event(struct exchange *ex, int id, const char *level, const char *text)
{
	exchange_event(ex, OLD_SOURCE, OLD_SOURCE, id, level, "%s", text);
}

static void
new_event(struct exchange *ex, int id, const char *level, const char *name)
{
	exchange_event(ex,
	    id < 4003 ? NEW_LOG "/Admin" : NEW_LOG "/Operational", NEW_LOG, id,
	    level, "%s", name);
}

/* What one of the calls is answered with; status 0: nothing. */
struct answered {
	int status, substatus;
	uint32_t win32;
	size_t octets; /* that are sent, as 10.1 shows them */
};

/*
 * The server calls itself, over TLS: another line in the log of IIS, in the
 * form that the site's lines have (7.1). That it takes no time is the mock's.
 */
static void
leave_iis_line(struct exchange *ex, const struct stack_state *state,
    const char *path, const struct answered *a)
{
	char ip[ENDPOINT_TEXT_SIZE], octets[24] = "";
	const char *address = state->iis.log_s_ip;
	struct tm tm = clock_utc(ex->at);

	if (*address == '\0')
		address = endpoint_text(&ex->request.local, ip);
	if (state->iis.log_fields == LOG_FIELDS_ARTICLE)
		snprintf(octets, sizeof(octets), " %zu", a->octets);
	exchange_event(ex, "W3SVC1", NULL, 0, "",
	    "%04d-%02d-%02d %02d:%02d:%02d %s POST %s - 443 - %s "
	    "NDES_Plugin%s %d %d %" PRIu32 "%s 0",
	    tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
	    tm.tm_sec, address, path, address,
	    state->windows > WINDOWS_2008R2 ? " -" : "", a->status,
	    a->substatus, a->win32, octets);
}

/* B1 to B4. REFUSAL_VERIFY_FALSE is a verdict, the others are none. */
static const struct failure {
	enum verify_request which;
	struct answered answered;
	const char *lines[3]; /* of the policy module, after it has sent */
	bool shows_page;      /* "Verify challenge returns", and IIS's page */
	enum refusal refusal;
	const char *why;
} failures[] = {
	{ VERIFY_REQUEST_NAME_MISMATCH, { 0, 0, 0, 0 },
	    { "WINHTTP_CALLBACK_STATUS_FLAG_CERT_CN_INVALID",
		"Failed to send http request " VERIFY ". Error 12175", NULL },
	    false, REFUSAL_VERIFY_UNSENT,
	    "name-mismatch: the server's certificate is not for the name that "
	    "the policy module calls" },
	{ VERIFY_REQUEST_UNTRUSTED, { 403, 16, 2148204809, 0 }, { NULL }, true,
	    REFUSAL_VERIFY_FORBIDDEN,
	    "untrusted: IIS does not trust the policy module's certificate" },
	{ VERIFY_REQUEST_NO_CLIENT_AUTH, { 403, 7, 5, 0 }, { NULL }, true,
	    REFUSAL_VERIFY_FORBIDDEN,
	    "no-client-auth: the policy module's certificate is not for client "
	    "authentication" },
	{ VERIFY_REQUEST_SIGNING_CERTIFICATE, { 0, 0, 0, 0 }, { NULL }, false,
	    REFUSAL_VERIFY_FALSE,
	    "signing-certificate: the connector's signing certificate is "
	    "missing" },
	{ VERIFY_REQUEST_TEMP_FOLDER, { 500, 0, 0, 0 }, { NULL }, false,
	    REFUSAL_VERIFY_UNSENT,
	    "temp-folder: ASP.NET cannot write to its folder, and the pool "
	    "dies of it" },
};

/* The one of the registry is meant: another is another chance. */
static bool
is_so(const struct stack_state *state, enum verify_request which)
{
	return state->policy_module.verify_request == which &&
	    (which != VERIFY_REQUEST_NO_CLIENT_AUTH ||
		policy_module_shows_first(state));
}

static const struct failure *
failure_of(const struct stack_state *state)
{
	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++)
		if (is_so(state, failures[i].which))
			return &failures[i];
	return NULL;
}

bool
policy_module_cannot_verify(const struct stack_state *state, struct error *why)
{
	const struct failure *f = state->policy_module.installed ?
	    failure_of(state) :
	    NULL;

	if (f != NULL)
		error_set(why, "policy_module.verify_request: %s", f->why);
	return f != NULL;
}

/* [C] that the whole page is there; which of IIS's it is, assumed. */
static size_t
leave_page(struct exchange *ex, const struct stack_state *state,
    const struct answered *a)
{
	struct exchange scratch;
	struct blob *body = &scratch.reply.body;
	size_t len;

	exchange_init(&scratch);
	iis_answer_form(&scratch, state, IIS_FORM_STATIC, LAYER_IIS, a->status,
	    a->substatus, a->win32);
	len = body->len;
	exchange_event(ex, PLUGIN, NULL, 0, "", "Verify challenge returns %.*s",
	    (int)len, len == 0 ? "" : (const char *)body->data);
	exchange_clear(&scratch);
	return len;
}

static void
leave_compilation_error(struct exchange *ex)
{
	exchange_event(ex, "Application", "ASP.NET 4.0.30319.0", 1310,
	    "Warning",
	    "Event code: 3007\r\n"
	    "Event message: A compilation error has occurred.");
}

void
policy_module_begin_call(struct exchange *ex)
{
	static const char *const begin[] = { "Calling VerifyRequest ...",
		"Sending request to certificate registration point.", NULL };

	lines(ex, PLUGIN, begin);
}

enum refusal
policy_module_call(struct exchange *ex, const struct stack_state *state,
    struct error *why, bool *dies)
{
	const struct failure *f = failure_of(state);
	struct answered a;

	*dies = f != NULL && f->which == VERIFY_REQUEST_TEMP_FOLDER;
	policy_module_begin_call(ex);
	if (f == NULL)
		return REFUSAL_NONE;
	a = f->answered;
	lines(ex, PLUGIN, f->lines);
	if (f->shows_page)
		a.octets = leave_page(ex, state, &a);
	if (a.status != 0)
		leave_iis_line(ex, state, VERIFY, &a);
	if (*dies)
		leave_compilation_error(ex);
	if (f->refusal == REFUSAL_VERIFY_FALSE)
		policy_module_answered(ex, state, f->refusal);
	error_set(why, "policy_module.verify_request: %s", f->why);
	return f->refusal;
}

/*
 * Where the connector finds what is wrong, and what its events say of it. Which
 * code belongs to a wrong or used challenge, and which phase, is assumed.
 */
static const struct finding_of_connector {
	enum refusal refusal;
	bool phase1, phase3;
	const char *instead; /* of the phases */
	int id;
	const char *level, *text;
} verdicts[] = {
	{ REFUSAL_NONE, true, true, NULL, 20500, INFORMATION,
	    "CRPVerifyMetric_Success" },
	{ REFUSAL_EXPIRED_CHALLENGE, true, false, NULL, 20501, "Warning",
	    "CRPSCEPChallenge_Expired (0x411): Request denied due to expired "
	    "certificate challenge" },
	{ REFUSAL_VERIFY_FALSE, false, false,
	    "Signing certificate could not be retrieved. "
	    "System.Security.Cryptography.CryptographicException: "
	    "m_safeCertContext is an invalid handle",
	    20502, "Error", "CRPSCEPSigningCert_NotFound (0x409)" },
	{ REFUSAL_WRONG_CHALLENGE, false, false, NULL, 20502, "Error",
	    "CRPSCEPDeserialize_Failed (0x410)" },
	/* Any other. */
	{ REFUSAL_COUNT, true, false, NULL, 20502, "Error",
	    "Diagnostic code: 0x400" },
};

static const struct finding_of_connector *
verdict_of(enum refusal refusal)
{
	size_t i = 0;

	while (verdicts[i].refusal != refusal &&
	    verdicts[i].refusal != REFUSAL_COUNT)
		i++;
	return &verdicts[i];
}

static void
leave_old_verdict(struct exchange *ex, enum refusal refusal)
{
	const struct finding_of_connector *v = verdict_of(refusal);

	line(ex, SVCLOG, "VerifyRequest Started.");
	if (v->instead != NULL) {
		line(ex, SVCLOG, v->instead);
	} else {
		line(ex, SVCLOG,
		    v->phase1 ?
			"Validation Phase 1 finished with status True." :
			"Validation Phase 1 finished with status "
			"False.");
		if (v->phase1)
			line(ex, SVCLOG,
			    v->phase3 ? "Validation Phase 3 finished with "
					"status True." :
					"Validation Phase 3 finished with "
					"status False.");
	}
	line(ex, SVCLOG,
	    refusal == REFUSAL_NONE ?
		"VerifyRequest Finished with status True" :
		"VerifyRequest Finished with status False");
	old_event(ex, v->id, v->level, v->text);
}

static void
leave_new_verdict(struct exchange *ex, enum refusal refusal)
{
	new_event(ex, 4003, INFORMATION, "ScepRequestReceived");
	if (refusal == REFUSAL_NONE)
		new_event(ex, 4004, INFORMATION, "ScepVerifySuccess");
	else
		new_event(ex, 4005, "Error", "ScepVerifyFailure");
}

void
policy_module_answered(struct exchange *ex, const struct stack_state *state,
    enum refusal refusal)
{
	static const struct answered created = { 201, 0, 0, 341 };

	leave_iis_line(ex, state, VERIFY, &created);
	if (is_old(state))
		leave_old_verdict(ex, refusal);
	else
		leave_new_verdict(ex, refusal);
	line(ex, PLUGIN,
	    refusal == REFUSAL_NONE ? "Verify challenge returns true" :
				      "Verify challenge returns false");
	line(ex, PLUGIN, "Exiting VerifyRequest with 0x0");
}

/* One a request: made of what is its own (FNV-1a). */
static void
make_guid(const struct exchange *ex, char out[37])
{
	uint64_t h[2] = { 0xcbf29ce484222325, 0x84222325cbf29ce4 };

	for (int i = 0; i < 2; i++)
		for (const char *c = ex->scep.transaction_id; *c != '\0'; c++)
			h[i] = (h[i] ^ (uint8_t)*c) * 0x100000001b3;
	snprintf(out, 37, "%08" PRIx32 "-%04x-4%03x-8%03x-%012" PRIx64,
	    (uint32_t)(h[0] >> 32), (unsigned)(h[0] >> 16 & 0xffff),
	    (unsigned)(h[0] & 0xfff), (unsigned)(h[1] >> 48 & 0xfff),
	    h[1] & 0xffffffffffff);
}

/* 10.3 [C]; "Retrieveing" is theirs. */
static void
leave_old_notify(struct exchange *ex)
{
#define CONNECTOR_KEY \
	"HKLM\\SOFTWARE\\Microsoft\\MicrosoftIntune\\NDESConnector."
	static const char *const texts[] = { "Notify Started",
		"Retrieveing the CRP certificate",
		"Reading EncryptionCertThumbprint from " CONNECTOR_KEY,
		"Retrieving the GWP or MP certificate.",
		"Reading SigningCertificate from " CONNECTOR_KEY,
		"Verifying the signature", "Decrypt the body",
		"Deserialize the decoded challenge password.", NULL };
	char guid[37];

	make_guid(ex, guid);
	lines(ex, SVCLOG, texts);
	exchange_event(ex, SVCLOG, NULL, 0, "",
	    "Dropping file %s.CRS for Certificate Request Status Data for "
	    "User : , Device : ",
	    guid);
	line(ex, SVCLOG, "Successfully dropped file.");
	line(ex, SVCLOG, "Notify Finished.");
	old_event(ex, 20600, INFORMATION, "CRPNotifyMetric_Success");
}

static void
leave_new_notify(struct exchange *ex, bool works, enum scep_status disposition)
{
	if (disposition == SCEP_SUCCESS)
		new_event(ex, 4006, INFORMATION, "ScepIssuedSuccess");
	else if (disposition == SCEP_FAILURE)
		new_event(ex, 4007, "Error", "ScepIssuedFailure");
	if (works)
		new_event(ex, 4008, INFORMATION, "ScepNotifySuccess");
	else
		new_event(ex, 4009, "Error", "ScepNotifyAttemptFailed");
	if (works && disposition == SCEP_SUCCESS)
		new_event(ex, 4000, INFORMATION, "ScrepRequestSuccess");
	else if (works && disposition == SCEP_FAILURE)
		new_event(ex, 4001, "Error", "ScepRequestIssuedFailure");
}

/*
 * B13 [C]: no 204, and the CRS file stays where it is. The words of the
 * policy module are those of VerifyRequest; the code, a time-out, is assumed.
 */
static void
leave_failed_notify(struct exchange *ex, const struct stack_state *state)
{
	static const char *const texts[] = {
		"Failed to send http request " NOTIFY ". Error 12002",
		"Exiting Notify with 0x80072ee2", NULL
	};
	char guid[37];

	lines(ex, PLUGIN, texts);
	if (!is_old(state))
		return;
	make_guid(ex, guid);
	exchange_event(ex, SVCLOG, NULL, 0, "",
	    "(%%ProgramFiles%%\\Microsoft Intune\\CertificateRequestStatus\\"
	    "Processing\\%s.CRS stays there)",
	    guid);
	old_event(ex, 20602, "Error", "CRPNotifyMetric_Failure");
}

void
policy_module_notify(struct exchange *ex, const struct stack_state *state,
    enum scep_status disposition)
{
	static const struct answered no_content = { 204, 0, 0, 277 };
	bool works = state->policy_module.notify == NOTIFY_WORKS;

	line(ex, PLUGIN, "Calling Notifyrequest ...");
	if (works) {
		leave_iis_line(ex, state, NOTIFY, &no_content);
		if (is_old(state))
			leave_old_notify(ex);
		line(ex, PLUGIN, "Exiting Notify with 0x0");
	} else {
		leave_failed_notify(ex, state);
	}
	if (!is_old(state))
		leave_new_notify(ex, works, disposition);
}
