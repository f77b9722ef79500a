/* What a client and the event log are told when NDES refuses (3.5, 9.1). */
#include "unit/exchanges.h"

#include "stack/stack.h"

#define PATH "/certsrv/mscep/mscep.dll"

static void
check_event(const struct exchange *ex, int id)
{
	const struct event *e = ex->events;

	assert_non_null(e);
	assert_null(e->next);
	assert_int_equal(e->id, id);
	assert_string_equal(e->log, "Application");
	assert_string_equal(e->level, "Error");
	assert_non_null(strstr(e->source, "NetworkDeviceEnrollmentService"));
}

#define OLD 0, WINDOWS_2012
#define NEW WINDOWS_2012R2, WINDOWS_2025
#define ALL 0, WINDOWS_2025

/* HRESULTs as Windows names them; NDES sends them as signed numbers. */
static const struct refused {
	const char *row;
	enum refusal refusal;
	int from, to;
	enum scep_fail_info fail_info;
	uint32_t error;
	int event;
	const char *message; /* of the CA */
} refuseds[] = {
	{ "wrong challenge, up to 2012", REFUSAL_WRONG_CHALLENGE, OLD,
	    SCEP_BAD_REQUEST, 0x80070057, 29, NULL },
	{ "wrong challenge, since 2012 R2", REFUSAL_WRONG_CHALLENGE, NEW,
	    SCEP_BAD_REQUEST, 0x80070490, 29, NULL },
	{ "used challenge, up to 2012", REFUSAL_USED_CHALLENGE, OLD,
	    SCEP_BAD_REQUEST, 0x80070057, 29, NULL },
	{ "used challenge, since 2012 R2", REFUSAL_USED_CHALLENGE, NEW,
	    SCEP_BAD_MESSAGE_CHECK, 0x800b0110, 29, NULL },
	{ "expired challenge, up to 2012", REFUSAL_EXPIRED_CHALLENGE, OLD,
	    SCEP_BAD_REQUEST, 0x80070057, 29, NULL },
	{ "expired challenge, since 2012 R2", REFUSAL_EXPIRED_CHALLENGE, NEW,
	    SCEP_BAD_REQUEST, 0x80070490, 29, NULL },
	{ "no challenge, up to 2012", REFUSAL_NO_CHALLENGE, OLD,
	    SCEP_BAD_REQUEST, 0x80070057, 29, NULL },
	{ "no challenge, since 2012 R2", REFUSAL_NO_CHALLENGE, NEW,
	    SCEP_BAD_REQUEST, 0x80096004, 29, NULL },
	{ "no SignedData", REFUSAL_UNREADABLE, ALL, SCEP_BAD_REQUEST,
	    0x8009310b, 17, NULL },
	{ "no type or transaction", REFUSAL_NO_INFO, ALL, SCEP_BAD_REQUEST,
	    0x8009310b, 17, NULL },
	{ "an envelope for others", REFUSAL_UNDECRYPTABLE, ALL,
	    SCEP_BAD_MESSAGE_CHECK, 0x80090005, 18, NULL },
	{ "bad signature", REFUSAL_BAD_SIGNATURE, ALL, SCEP_BAD_MESSAGE_CHECK,
	    0x80090006, 17, NULL },
	{ "unknown algorithm", REFUSAL_BAD_ALGORITHM, ALL, SCEP_BAD_ALG,
	    0x80090008, 17, NULL },
	{ "no CSR", REFUSAL_BAD_CSR, ALL, SCEP_BAD_REQUEST, 0x8009310b, 31,
	    NULL },
	{ "CSR of another key", REFUSAL_BAD_PROOF, ALL, SCEP_BAD_REQUEST,
	    0x80090006, 31, NULL },
	{ "unknown message type", REFUSAL_UNKNOWN_TYPE, ALL, SCEP_BAD_REQUEST,
	    0x80070057, 17, NULL },
	{ "not what is expected", REFUSAL_EXPECTATION, ALL, SCEP_BAD_REQUEST,
	    0x80070005, 29, NULL },
	{ "VerifyRequest is not sent", REFUSAL_VERIFY_UNSENT, ALL,
	    SCEP_BAD_REQUEST, 0x80072f8f, 29, NULL },
	{ "VerifyRequest gets a 403", REFUSAL_VERIFY_FORBIDDEN, ALL,
	    SCEP_BAD_REQUEST, 0x80190193, 29, NULL },
	{ "VerifyRequest says no", REFUSAL_VERIFY_FALSE, ALL, SCEP_BAD_REQUEST,
	    0x80070005, 29, NULL },
	{ "CA down", REFUSAL_CA_OFFLINE, ALL, SCEP_BAD_REQUEST, 0x800706ba, 31,
	    NULL },
	{ "CA refuses NDES", REFUSAL_CA_ACCESS, ALL, SCEP_BAD_REQUEST,
	    0x80070005, 31, NULL },
	{ "CA cannot check", REFUSAL_CA_REVOCATION, ALL, SCEP_BAD_REQUEST,
	    0x80092013, 31,
	    "The revocation function was unable to check revocation because "
	    "the revocation server was offline. 0x80092013 (-2146885613 "
	    "CRYPT_E_REVOCATION_OFFLINE) Denied by Policy Module" },
	{ "unknown template", REFUSAL_TEMPLATE, ALL, SCEP_BAD_REQUEST,
	    0x80094800, 31,
	    "The requested certificate template is not supported by this CA. "
	    "0x80094800 (-2146875392 CERTSRV_E_UNSUPPORTED_CERT_TYPE) Denied "
	    "by Policy Module" },
	{ "key too small", REFUSAL_KEY_SIZE, ALL, SCEP_BAD_REQUEST, 0x80094811,
	    31,
	    "The public key does not meet the minimum size required by the "
	    "specified certificate template. 0x80094811 (-2146875375 "
	    "CERTSRV_E_KEY_LENGTH) Denied by Policy Module" },
	{ "subject too long", REFUSAL_SUBJECT, ALL, SCEP_BAD_REQUEST,
	    0x80094001, 31,
	    "The request subject name is invalid or too long. 0x80094001 "
	    "(-2146877439 CERTSRV_E_BAD_REQUESTSUBJECT) Denied by Policy "
	    "Module" },
	{ "the CA failed", REFUSAL_CA_FAILED, ALL, SCEP_BAD_REQUEST, 0x80004005,
	    31, NULL },
	{ "renewal off", REFUSAL_RENEWAL_OFF, ALL, SCEP_BAD_REQUEST, 0x80070032,
	    28, NULL },
	{ "renewal by a stranger", REFUSAL_RENEWAL_SIGNER, ALL,
	    SCEP_BAD_REQUEST, 0x800b0109, 28, NULL },
	{ "renewal too late", REFUSAL_RENEWAL_EXPIRED, ALL, SCEP_BAD_REQUEST,
	    0x800b0101, 28, NULL },
	{ "renewal by a revoked one", REFUSAL_RENEWAL_REVOKED, ALL,
	    SCEP_BAD_REQUEST, 0x80092010, 28, NULL },
	{ "renewal of another subject", REFUSAL_RENEWAL_SUBJECT, ALL,
	    SCEP_BAD_REQUEST, 0x80094001, 28, NULL },
	{ "poll of nothing", REFUSAL_UNKNOWN_TRANSACTION, ALL, SCEP_BAD_CERT_ID,
	    0x80094002, 31, NULL },
	{ "another key in a transaction", REFUSAL_TRANSACTION_KEY, ALL,
	    SCEP_BAD_REQUEST, 0x80094003, 31, NULL },
	{ "denied", REFUSAL_DENIED, ALL, SCEP_BAD_REQUEST, 0x80094014, 31,
	    "The request was denied by a certificate manager or CA "
	    "administrator. 0x80094014 (-2146877420 "
	    "CERTSRV_E_ADMIN_DENIED_REQUEST)" },
	{ "waited too long", REFUSAL_PENDING_EXPIRED, ALL, SCEP_BAD_REQUEST,
	    0x80094003, 31, NULL },
	{ "too many wait", REFUSAL_TOO_MANY_PENDING, ALL, SCEP_BAD_REQUEST,
	    0x8007000e, 31, NULL },
	{ "queries off", REFUSAL_QUERIES_OFF, ALL, SCEP_BAD_REQUEST, 0x80070032,
	    17, NULL },
	{ "no IssuerAndSerialNumber", REFUSAL_BAD_QUERY, ALL, SCEP_BAD_REQUEST,
	    0x8009310b, 17, NULL },
	{ "a certificate never issued", REFUSAL_UNKNOWN_CERT, ALL,
	    SCEP_BAD_CERT_ID, 0x80094002, 31, NULL },
	{ "another issuer", REFUSAL_UNKNOWN_ISSUER, ALL, SCEP_BAD_CERT_ID,
	    0x80070057, 31, NULL },
};

static void
refuses(void **state)
{
	const struct refused *t = *state;
	struct stack_state s;

	stack_healthy(&s);
	for (int windows = t->from; windows <= t->to; windows++) {
		struct scep_reply reply = { .status = SCEP_PENDING };
		struct exchange ex;

		s.windows = (enum windows)windows;
		exchange_make(&ex, "POST", PATH "?operation=PKIOperation");
		assert_non_null(mscep_refuse(&ex, &s, t->refusal, &reply));
		assert_int_equal(reply.status, SCEP_FAILURE);
		assert_int_equal(reply.fail_info, t->fail_info);
		assert_int_equal((uint32_t)reply.ms_error, t->error);
		if (t->message == NULL)
			assert_null(reply.ms_message);
		else
			assert_string_equal(reply.ms_message, t->message);
		check_event(&ex, t->event);
		exchange_clear(&ex);
	}
}

/* RFC 8894 3.2.1.4.1: what is not said here is badRequest. */
static enum scep_fail_info
fail_info_of_rfc(enum refusal refusal)
{
	switch (refusal) {
	case REFUSAL_BAD_ALGORITHM:
		return SCEP_BAD_ALG;
	case REFUSAL_BAD_SIGNATURE:
		return SCEP_BAD_MESSAGE_CHECK;
	case REFUSAL_RENEWAL_EXPIRED:
		return SCEP_BAD_TIME;
	case REFUSAL_UNKNOWN_TRANSACTION:
	case REFUSAL_UNKNOWN_CERT:
	case REFUSAL_UNKNOWN_ISSUER:
		return SCEP_BAD_CERT_ID;
	default:
		return SCEP_BAD_REQUEST;
	}
}

/* Every refusal, whatever the Windows; each in words of its own. */
static void
refuses_as_rfc(void **state)
{
	const char *texts[REFUSAL_COUNT];
	struct stack_state s;

	(void)state;
	stack_healthy(&s);
	s.mscep.reply.profile = PROFILE_RFC8894;
	for (int w = 0; w <= WINDOWS_2025; w++) {
		s.windows = (enum windows)w;
		for (int r = 1; r < REFUSAL_COUNT; r++) {
			struct scep_reply reply = { .status = SCEP_PENDING };
			struct exchange ex;

			exchange_make(&ex, "POST", PATH);
			texts[r] = mscep_refuse(&ex, &s, (enum refusal)r,
			    &reply);
			assert_non_null(texts[r]);
			assert_in_range(strlen(texts[r]), 20, 100);
			assert_int_equal(reply.status, SCEP_FAILURE);
			assert_int_equal(reply.fail_info,
			    fail_info_of_rfc((enum refusal)r));
			assert_int_equal(reply.ms_error, 0);
			assert_null(reply.ms_message);
			assert_non_null(ex.events);
			for (int i = 1; i < r; i++)
				assert_string_not_equal(texts[i], texts[r]);
			exchange_clear(&ex);
		}
	}
}

static void
refuses_nothing(void **state)
{
	struct scep_reply reply = { .status = SCEP_PENDING };
	struct stack_state s;
	struct exchange ex;

	(void)state;
	stack_healthy(&s);
	exchange_make(&ex, "POST", PATH);
	assert_null(mscep_refuse(&ex, &s, REFUSAL_NONE, &reply));
	assert_int_equal(reply.status, SCEP_PENDING);
	assert_null(ex.events);
	exchange_clear(&ex);
}

/* Of one profile, what the other has. */
static void
attributes_by_setting(void **state)
{
	struct scep_reply reply = { .status = SCEP_PENDING };
	struct stack_state s;
	struct exchange ex;

	(void)state;
	stack_healthy(&s);
	s.mscep.reply.microsoft_attributes = false;
	exchange_make(&ex, "POST", PATH);
	mscep_refuse(&ex, &s, REFUSAL_KEY_SIZE, &reply);
	assert_int_equal(reply.ms_error, 0);
	assert_null(reply.ms_message);
	s.mscep.reply.profile = PROFILE_RFC8894;
	s.mscep.reply.microsoft_attributes = true;
	mscep_refuse(&ex, &s, REFUSAL_KEY_SIZE, &reply);
	assert_int_equal((uint32_t)reply.ms_error, 0x80094811);
	assert_non_null(reply.ms_message);
	exchange_clear(&ex);
}

/* To the letter, blanks and all, as 9.1 and 9.2 have them [C]. */
#define EVENT_31                                                   \
	"The Network Device Enrollment Service cannot submit the " \
	"certificate request "
#define EVENT_53 \
	"Active Directory Certificate Services denied request 35 because "

static const struct told {
	const char *row;
	enum refusal refusal;
	const char *ndes, *ca; /* ca NULL: it leaves nothing */
} tolds[] = {
	{ "the CA is down", REFUSAL_CA_OFFLINE,
	    EVENT_31 "(0x800706ba). The RPC server is unavailable.", NULL },
	{ "the CA refuses NDES", REFUSAL_CA_ACCESS,
	    EVENT_31 "(0x80070005). Access is denied.", NULL },
	{ "unknown template", REFUSAL_TEMPLATE,
	    EVENT_31 "(The requested certificate template is not supported by "
		     "this CA.).  0x80004005",
	    EVENT_53
	    "The requested certificate template is not supported by this CA. "
	    "0x80094800 (-2146875392 CERTSRV_E_UNSUPPORTED_CERT_TYPE).  The "
	    "request was for CN=Testuser1.  Additional information: Denied by "
	    "Policy Module" },
	{ "no revocation check", REFUSAL_CA_REVOCATION,
	    EVENT_31 "(The revocation function was unable to check revocation "
		     "because the revocation server was offline.). 0x80004005",
	    EVENT_53
	    "The revocation function was unable to check revocation because "
	    "the revocation server was offline. 0x80092013 (-2146885613 "
	    "CRYPT_E_REVOCATION_OFFLINE).  The request was for CN=Testuser1.  "
	    "Additional information: Denied by Policy Module" },
	{ "a key too small", REFUSAL_KEY_SIZE,
	    EVENT_31 "(The public key does not meet the minimum size required "
		     "by the specified certificate template.).  0x80004005",
	    EVENT_53
	    "The public key does not meet the minimum size required by the "
	    "specified certificate template. 0x80094811 (-2146875375 "
	    "CERTSRV_E_KEY_LENGTH).  The request was for CN=Testuser1.  "
	    "Additional information: Denied by Policy Module" },
	{ "denied by the manager", REFUSAL_DENIED,
	    EVENT_31 "(The request was denied by a certificate manager or CA "
		     "administrator.).  0x80004005",
	    NULL },
	{ "a wrong password", REFUSAL_WRONG_CHALLENGE,
	    "The password in the certificate request cannot be verified. It "
	    "may have been used already. Obtain a new password to submit with "
	    "this request.",
	    NULL },
};

static void
tells(void **state)
{
	const struct told *t = *state;
	struct stack_state s;
	struct exchange ex;

	stack_healthy(&s);
	exchange_make(&ex, "POST", PATH "?operation=PKIOperation");
	strcpy(ex.scep.subject, "CN=Testuser1");
	assert_int_equal(ca_has_denied(&s, t->refusal), t->ca != NULL);
	ca_leave_event(&ex, &s, t->refusal, 35);
	if (t->ca != NULL) {
		assert_int_equal(ex.events->id, 53);
		assert_string_equal(ex.events->source,
		    "Microsoft-Windows-CertificationAuthority");
		assert_string_equal(ex.events->text, t->ca);
	}
	events_free(ex.events);
	ex.events = NULL;
	mscep_leave_event(&ex, &s, t->refusal);
	assert_non_null(ex.events);
	assert_string_equal(ex.events->text, t->ndes);
	exchange_clear(&ex);
}

static void
event_of_passwords(void **state)
{
	struct scep_reply reply = { .status = SCEP_PENDING };
	struct stack_state s;
	struct exchange ex;

	(void)state;
	stack_healthy(&s);
	exchange_make(&ex, "POST", PATH "?operation=PKIOperation");
	mscep_refuse(&ex, &s, REFUSAL_USED_CHALLENGE, &reply);
	assert_string_equal(ex.events->text,
	    "The password in the certificate request cannot be verified. It "
	    "may have been used already. Obtain a new password to submit with "
	    "this request.");
	exchange_clear(&ex);
}

int
main(void)
{
	static const struct table tables[] = {
		ROWS(refuses, refuseds),
		ROWS(tells, tolds),
		ONE(refuses_as_rfc, "the RFC's failInfo, each in words"),
		ONE(refuses_nothing, "what is not refused leaves nothing"),
		ONE(attributes_by_setting, "Microsoft's attributes by choice"),
		ONE(event_of_passwords, "event 29 is in Microsoft's words"),
	};

	return ROWS_RUN(tables, NULL, NULL);
}
