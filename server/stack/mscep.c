/* mscep.dll: operations, its own pages, and what it says when it refuses. */
#include "stack/stack.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define SOURCE "Microsoft-Windows-NetworkDeviceEnrollmentService"

/*
 * The value of a query parameter. Names without regard to case and in any
 * order is assumed (1.7).
 */
static bool
query_value(struct span query, const char *name, struct span *value)
{
	const uint8_t *end, *next, *equals;

	if (query.len == 0)
		return false;
	end = query.data + query.len;
	for (const uint8_t *at = query.data; at < end; at = next + 1) {
		if ((next = memchr(at, '&', (size_t)(end - at))) == NULL)
			next = end;
		equals = memchr(at, '=', (size_t)(next - at));
		if (equals == NULL ||
		    !span_is_nocase(span_of(at, (size_t)(equals - at)), name))
			continue;
		*value = span_of(equals + 1, (size_t)(next - equals - 1));
		return true;
	}
	return false;
}

static const struct {
	const char *name;
	enum operation operation;
} operations[] = {
	{ "GetCACaps", OPERATION_GET_CA_CAPS },
	{ "GetCACert", OPERATION_GET_CA_CERT },
	/* Microsoft's own script asks for this and expects an answer [C]. */
	{ "GetCACerts", OPERATION_GET_CA_CERT },
	{ "PKIOperation", OPERATION_PKI },
};

enum operation
mscep_operation(const struct request *r)
{
	struct span value;

	if (!query_value(r->query, "operation", &value) || value.len == 0)
		return OPERATION_NONE;
	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
		if (span_is_nocase(value, operations[i].name))
			return operations[i].operation;
	return OPERATION_UNKNOWN;
}

const char *
mscep_operation_name(enum operation operation)
{
	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
		if (operations[i].operation == operation)
			return operations[i].name;
	return operation == OPERATION_NONE ? NULL : "unknown";
}

int
mscep_message(const struct request *r, struct blob *decoded, struct span *out)
{
	struct span value;

	*decoded = (struct blob){ NULL, 0 };
	if (strcmp(r->method, "POST") == 0) {
		*out = buffer_span(&r->body);
		return 0;
	}
	if (!query_value(r->query, "message", &value) ||
	    scep_get_message(value, decoded) == -1)
		return -1;
	*out = blob_span(decoded);
	return 0;
}

int
mscep_ca_certs(const struct credentials *cred, struct blob *out)
{
	/* The order in which a real one was seen (2.2). */
	const struct span certs[] = { blob_span(&cred->der[CA_RA_SIGNING]),
		blob_span(&cred->der[CA_RA_ENCRYPTION]),
		blob_span(&cred->der[CA_ISSUING]) };
	struct buffer b = { 0 };

	if (scep_degenerate(&b, certs, 3) == -1) {
		buffer_free(&b);
		return -1;
	}
	return buffer_finish(&b, out);
}

/* An answer of the DLL itself: what IIS logs is its status alone. */
static void
send_copy(struct exchange *ex, const struct stack_state *state,
    const char *content_type, struct span body)
{
	struct blob copy;

	if (blob_copy(&copy, body) == -1) {
		iis_answer(ex, state, LAYER_MSCEP, 500, 0, 14);
		return;
	}
	exchange_answer(ex, LAYER_MSCEP, 200, 0, 0);
	iis_send(ex, state, content_type, copy);
}

void
mscep_answer_caps(struct exchange *ex, const struct stack_state *state)
{
	const char *type = state->mscep.capabilities_content_type;
	const char *end = state->mscep.capabilities_separator == LINE_END_CRLF ?
	    "\r\n" :
	    "\n";
	struct buffer b = { 0 };
	struct blob body;

	for (const char *c = state->mscep.capabilities; *c != '\0'; c++)
		buffer_add(&b, *c == '\n' ? end : c,
		    *c == '\n' ? strlen(end) : 1);
	if (state->mscep.capabilities_final_newline && b.len > 0)
		buffer_add_text(&b, end);
	if (buffer_finish(&b, &body) == -1) {
		iis_answer(ex, state, LAYER_MSCEP, 500, 0, 14);
		return;
	}
	exchange_answer(ex, LAYER_MSCEP, 200, 0, 0);
	iis_send(ex, state, *type == '\0' ? NULL : type, body);
}

void
mscep_answer_ca_cert(struct exchange *ex, const struct stack_state *state,
    struct span ca_certs)
{
	send_copy(ex, state, "application/x-x509-ca-ra-cert", ca_certs);
}

void
mscep_answer_general(struct exchange *ex, const struct stack_state *state)
{
	struct blob page;

	if (admin_page_build(state,
		"<P> Network Device Enrollment Service "
		"allows you to obtain certificates for routers or other network "
		"devices using the Simple Certificate Enrollment Protocol "
		"(SCEP). </P><P> This URL is used by network devices to submit "
		"certificate requests. </P><P> To obtain an enrollment challenge "
		"password, go to the admin URL. By default, the admin URL is "
		"<A HREF=\"http://NDESServer01/CertSrv/mscep_admin\">"
		"http://NDESServer01/CertSrv/mscep_admin</A> </P>",
		&page) == -1) {
		iis_answer(ex, state, LAYER_MSCEP, 500, 0, 14);
		return;
	}
	exchange_answer(ex, LAYER_MSCEP, 200, 0, 0);
	iis_send(ex, state, "text/html", page);
}

#define EVENT_29                                                             \
	"The password in the certificate request cannot be "                 \
	"verified. It may have been used already. Obtain a new password to " \
	"submit with this request."
#define EVENT_31                                                   \
	"The Network Device Enrollment Service cannot submit the " \
	"certificate request "
#define EVENT_17                                                              \
	"The Network Device Enrollment Service cannot retrieve "              \
	"required information, such as the transaction ID, message type, or " \
	"signing certificate, from the client's PKCS7 message "
/* Events 16 to 18 (9.1 [C]); that the body is the general page is assumed. */
void
mscep_answer_unreadable(struct exchange *ex, const struct stack_state *state,
    enum scep_flaw flaw)
{
	if (flaw == SCEP_NOT_CMS)
		exchange_event(ex, "Application", SOURCE, 16, "Error",
		    "The Network Device Enrollment Service cannot decode the "
		    "http message from the client (0x8009310b).  ASN1 bad "
		    "tag value met.");
	else if (flaw == SCEP_NO_INFO)
		exchange_event(ex, "Application", SOURCE, 17, "Error",
		    EVENT_17 "(0x8009310b).  ASN1 bad tag value met.");
	else
		exchange_event(ex, "Application", SOURCE, 18, "Error",
		    "The Network Device Enrollment Service cannot decrypt the "
		    "client's PKCS7 message (0x80090005).  Bad Data.");
	mscep_answer_general(ex, state);
}

void
mscep_answer_cert_rep(struct exchange *ex, const struct stack_state *state,
    const struct scep_reply *reply, struct blob der)
{
	ex->scep.pki_status = reply->status;
	if (reply->status == SCEP_FAILURE)
		ex->scep.fail_info = reply->fail_info;
	exchange_answer(ex, LAYER_MSCEP, 200, 0, 0);
	iis_send(ex, state, "application/x-pki-message", der);
}

/* A request with MD5 was answered with SHA-1 (3.3 [C]); else as asked. */
enum digest
mscep_reply_digest(enum digest asked)
{
	return asked == DIGEST_MD5 || asked == DIGEST_COUNT ? DIGEST_SHA1 :
							      asked;
}

/* Assumed: as asked, but nobody gets single DES. */
enum cipher
mscep_reply_cipher(enum cipher asked)
{
	return asked == CIPHER_DES || asked == CIPHER_COUNT ? CIPHER_DES3 :
							      asked;
}

#define INVALID_PARAMETER (-2147024809) /* 0x80070057 */
#define NOT_FOUND (-2147023728)		/* 0x80070490 ERROR_NOT_FOUND */
#define WRONG_USAGE (-2146762480)	/* 0x800b0110 CERT_E_WRONG_USAGE */
#define TRUST_SIGNATURE (-2146869244)	/* 0x80096004 TRUST_E_CERT_SIGNATURE */
#define BAD_SIGNATURE (-2146893818)	/* 0x80090006 NTE_BAD_SIGNATURE */
#define BAD_ALGORITHM (-2146893816)	/* 0x80090008 NTE_BAD_ALGID */
#define BAD_TAG (-2146881269)		/* 0x8009310b CRYPT_E_ASN1_BADTAG */
#define FAILED (-2147467259)		/* 0x80004005 E_FAIL */

#define KEY_LENGTH (-2146875375)  /* 0x80094811 CERTSRV_E_KEY_LENGTH */
#define BAD_SUBJECT (-2146877439) /* 0x80094001 CERTSRV_E_BAD_REQUESTSUBJECT */
#define KEY_LENGTH_TEXT                                  \
	"The public key does not meet the minimum size " \
	"required by the specified certificate template."
#define SUBJECT_TEXT "The request subject name is invalid or too long."

/*
 * Case by Windows generation: the CertRep and the event. [C] 3.3: wrong
 * challenge up to 2012. [C] 3.5, 9.2: the errors of wrong, used and missing
 * since; failInfo 1 for a used one as sscep saw it. The rest is assumed.
 */
static const struct {
	enum refusal refusal;
	enum windows from, to;
	enum scep_fail_info fail_info;
	int32_t error;
	int event;
	const char *text;    /* of the event */
	const char *message; /* of the CA, for the client; or NULL */
} refusals[] = {
	{ REFUSAL_WRONG_CHALLENGE, WINDOWS_2008R2, WINDOWS_2012,
	    SCEP_BAD_REQUEST, INVALID_PARAMETER, 29, EVENT_29, NULL },
	{ REFUSAL_WRONG_CHALLENGE, WINDOWS_2012R2, WINDOWS_2025,
	    SCEP_BAD_REQUEST, NOT_FOUND, 29, EVENT_29, NULL },
	{ REFUSAL_USED_CHALLENGE, WINDOWS_2008R2, WINDOWS_2012,
	    SCEP_BAD_REQUEST, INVALID_PARAMETER, 29, EVENT_29, NULL },
	{ REFUSAL_USED_CHALLENGE, WINDOWS_2012R2, WINDOWS_2025,
	    SCEP_BAD_MESSAGE_CHECK, WRONG_USAGE, 29, EVENT_29, NULL },
	{ REFUSAL_EXPIRED_CHALLENGE, WINDOWS_2008R2, WINDOWS_2012,
	    SCEP_BAD_REQUEST, INVALID_PARAMETER, 29, EVENT_29, NULL },
	{ REFUSAL_EXPIRED_CHALLENGE, WINDOWS_2012R2, WINDOWS_2025,
	    SCEP_BAD_REQUEST, NOT_FOUND, 29, EVENT_29, NULL },
	{ REFUSAL_NO_CHALLENGE, WINDOWS_2008R2, WINDOWS_2012, SCEP_BAD_REQUEST,
	    INVALID_PARAMETER, 29, EVENT_29, NULL },
	{ REFUSAL_NO_CHALLENGE, WINDOWS_2012R2, WINDOWS_2025, SCEP_BAD_REQUEST,
	    TRUST_SIGNATURE, 29, EVENT_29, NULL },
	{ REFUSAL_BAD_SIGNATURE, WINDOWS_2008R2, WINDOWS_2025,
	    SCEP_BAD_MESSAGE_CHECK, BAD_SIGNATURE, 17,
	    EVENT_17 "(0x80090006).  Invalid Signature.", NULL },
	{ REFUSAL_BAD_ALGORITHM, WINDOWS_2008R2, WINDOWS_2025, SCEP_BAD_ALG,
	    BAD_ALGORITHM, 17,
	    EVENT_17 "(0x80090008).  Invalid algorithm specified.", NULL },
	{ REFUSAL_BAD_CSR, WINDOWS_2008R2, WINDOWS_2025, SCEP_BAD_REQUEST,
	    BAD_TAG, 31, EVENT_31 "(ASN1 bad tag value met.).  0x80004005",
	    NULL },
	{ REFUSAL_BAD_PROOF, WINDOWS_2008R2, WINDOWS_2025, SCEP_BAD_REQUEST,
	    BAD_SIGNATURE, 31, EVENT_31 "(Invalid Signature.).  0x80004005",
	    NULL },
	{ REFUSAL_MESSAGE_TYPE, WINDOWS_2008R2, WINDOWS_2025, SCEP_BAD_REQUEST,
	    INVALID_PARAMETER, 17,
	    EVENT_17 "(0x80070057).  The parameter is incorrect.", NULL },
	{ REFUSAL_KEY_SIZE, WINDOWS_2008R2, WINDOWS_2025, SCEP_BAD_REQUEST,
	    KEY_LENGTH, 31, EVENT_31 "(" KEY_LENGTH_TEXT ").  0x80004005",
	    KEY_LENGTH_TEXT " 0x80094811 (-2146875375 CERTSRV_E_KEY_LENGTH) "
			    "Denied by Policy Module" },
	{ REFUSAL_SUBJECT, WINDOWS_2008R2, WINDOWS_2025, SCEP_BAD_REQUEST,
	    BAD_SUBJECT, 31, EVENT_31 "(" SUBJECT_TEXT "). 0x80004005",
	    SUBJECT_TEXT
	    " 0x80094001 (-2146877439 "
	    "CERTSRV_E_BAD_REQUESTSUBJECT) Denied by Policy Module" },
	{ REFUSAL_CA_FAILED, WINDOWS_2008R2, WINDOWS_2025, SCEP_BAD_REQUEST,
	    FAILED, 31, EVENT_31 "(0x80004005).  Unspecified error", NULL },
};

void
mscep_refuse(struct exchange *ex, const struct stack_state *state,
    enum refusal refusal, struct scep_reply *reply)
{
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		if (refusals[i].refusal != refusal ||
		    state->windows < refusals[i].from ||
		    state->windows > refusals[i].to)
			continue;
		reply->status = SCEP_FAILURE;
		reply->fail_info = refusals[i].fail_info;
		reply->ms_error = refusals[i].error;
		reply->ms_message = refusals[i].message;
		exchange_event(ex, "Application", SOURCE, refusals[i].event,
		    "Error", "%s", refusals[i].text);
		return;
	}
}
