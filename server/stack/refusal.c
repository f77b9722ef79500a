/* What NDES says when it refuses, to the client and in the event log. */
#include "stack/stack.h"

#include <inttypes.h>
#include <string.h>

/* What RFC 8894 3.2.1.4.1 gives for it, and the words of failInfoText. */
static const struct {
	enum scep_fail_info fail_info;
	const char *text;
} reasons[REFUSAL_COUNT] = {
	[REFUSAL_WRONG_CHALLENGE] = { SCEP_BAD_REQUEST,
	    "The challenge password is not known here." },
	[REFUSAL_USED_CHALLENGE] = { SCEP_BAD_REQUEST,
	    "The challenge password has been used already." },
	[REFUSAL_EXPIRED_CHALLENGE] = { SCEP_BAD_REQUEST,
	    "The challenge password has expired." },
	[REFUSAL_NO_CHALLENGE] = { SCEP_BAD_REQUEST,
	    "The request has no challenge password." },
	[REFUSAL_UNREADABLE] = { SCEP_BAD_REQUEST,
	    "The message is not a CMS SignedData." },
	[REFUSAL_NO_INFO] = { SCEP_BAD_REQUEST,
	    "The message has no messageType, no transactionID or no signer." },
	[REFUSAL_UNDECRYPTABLE] = { SCEP_BAD_REQUEST,
	    "The envelope is not for this server's encryption certificate, or "
	    "it is broken." },
	[REFUSAL_BAD_SIGNATURE] = { SCEP_BAD_MESSAGE_CHECK,
	    "The signature of the message does not verify." },
	[REFUSAL_BAD_ALGORITHM] = { SCEP_BAD_ALG,
	    "An algorithm of the message is unknown or too weak." },
	[REFUSAL_BAD_CSR] = { SCEP_BAD_REQUEST,
	    "The content is not a PKCS#10 request that can be read." },
	[REFUSAL_BAD_PROOF] = { SCEP_BAD_REQUEST,
	    "The PKCS#10 request is not signed by its own key." },
	[REFUSAL_UNKNOWN_TYPE] = { SCEP_BAD_REQUEST,
	    "The messageType is not one of RFC 8894." },
	[REFUSAL_VERIFY_UNSENT] = { SCEP_BAD_REQUEST,
	    "The policy module cannot reach the connector." },
	[REFUSAL_VERIFY_FORBIDDEN] = { SCEP_BAD_REQUEST,
	    "The connector refuses the policy module's certificate." },
	[REFUSAL_VERIFY_FALSE] = { SCEP_BAD_REQUEST,
	    "The connector cannot verify any challenge password." },
	[REFUSAL_EXPECTATION] = { SCEP_BAD_REQUEST,
	    "The request does not hold what the policy module expects." },
	[REFUSAL_CA_OFFLINE] = { SCEP_BAD_REQUEST, "The CA is not available." },
	[REFUSAL_CA_ACCESS] = { SCEP_BAD_REQUEST,
	    "NDES has no permission to request certificates from the CA." },
	[REFUSAL_CA_REVOCATION] = { SCEP_BAD_REQUEST,
	    "The CA could not check revocation." },
	[REFUSAL_TEMPLATE] = { SCEP_BAD_REQUEST,
	    "The CA does not support the certificate template." },
	[REFUSAL_KEY_SIZE] = { SCEP_BAD_REQUEST,
	    "The public key is smaller than the CA's policy demands." },
	[REFUSAL_SUBJECT] = { SCEP_BAD_REQUEST,
	    "The subject is missing or too long." },
	[REFUSAL_CA_FAILED] = { SCEP_BAD_REQUEST,
	    "The CA could not issue the certificate." },
	[REFUSAL_RENEWAL_OFF] = { SCEP_BAD_REQUEST,
	    "Renewal is not supported here." },
	[REFUSAL_RENEWAL_SIGNER] = { SCEP_BAD_REQUEST,
	    "The renewal is not signed with a certificate of this CA." },
	[REFUSAL_RENEWAL_EXPIRED] = { SCEP_BAD_TIME,
	    "The certificate that signed the renewal is not valid now." },
	[REFUSAL_RENEWAL_REVOKED] = { SCEP_BAD_REQUEST,
	    "The certificate that signed the renewal has been revoked." },
	[REFUSAL_RENEWAL_SUBJECT] = { SCEP_BAD_REQUEST,
	    "The subject is not that of the certificate to be renewed." },
	/* RFC 8894 4.4: it MUST be rejected. */
	[REFUSAL_UNKNOWN_TRANSACTION] = { SCEP_BAD_CERT_ID,
	    "No request with this transactionID and key is known." },
	[REFUSAL_TRANSACTION_KEY] = { SCEP_BAD_REQUEST,
	    "A request with this transactionID and another key is pending." },
	[REFUSAL_DENIED] = { SCEP_BAD_REQUEST,
	    "The CA's manager has denied the request." },
	[REFUSAL_PENDING_EXPIRED] = { SCEP_BAD_REQUEST,
	    "Nobody has decided on the request in time." },
	[REFUSAL_TOO_MANY_PENDING] = { SCEP_BAD_REQUEST,
	    "Too many requests are pending." },
	[REFUSAL_QUERIES_OFF] = { SCEP_BAD_REQUEST,
	    "GetCert and GetCRL are not supported here." },
	[REFUSAL_BAD_QUERY] = { SCEP_BAD_REQUEST,
	    "The content is not an IssuerAndSerialNumber." },
	[REFUSAL_UNKNOWN_CERT] = { SCEP_BAD_CERT_ID,
	    "This CA has not issued a certificate with this serial number." },
	[REFUSAL_UNKNOWN_ISSUER] = { SCEP_BAD_CERT_ID,
	    "The issuer is not this CA." },
};

#define ACCESS_DENIED (-2147024891)	/* 0x80070005 */
#define OUT_OF_MEMORY (-2147024882)	/* 0x8007000e */
#define NOT_SUPPORTED (-2147024846)	/* 0x80070032 */
#define INVALID_PARAMETER (-2147024809) /* 0x80070057 */
#define NOT_FOUND (-2147023728)		/* 0x80070490 ERROR_NOT_FOUND */
#define FORBIDDEN (-2145844845)		/* 0x80190193 HTTP_E_STATUS_FORBIDDEN */
#define SECURE_FAILURE (-2147012721)	/* 0x80072f8f, 12175 */
#define RPC_UNAVAILABLE (-2147023174)	/* 0x800706ba */
#define FAILED (-2147467259)		/* 0x80004005 E_FAIL */
#define BAD_DATA (-2146893819)		/* 0x80090005 NTE_BAD_DATA */
#define BAD_SIGNATURE (-2146893818)	/* 0x80090006 NTE_BAD_SIGNATURE */
#define BAD_ALGORITHM (-2146893816)	/* 0x80090008 NTE_BAD_ALGID */
#define REVOKED (-2146885616)		/* 0x80092010 CRYPT_E_REVOKED */
#define REVOCATION_OFFLINE (-2146885613) /* 0x80092013 */
#define BAD_TAG (-2146881269)		 /* 0x8009310b CRYPT_E_ASN1_BADTAG */
#define BAD_SUBJECT (-2146877439)  /* 0x80094001 CERTSRV_E_BAD_REQUESTSUBJECT */
#define NO_REQUEST (-2146877438)   /* 0x80094002 CERTSRV_E_NO_REQUEST */
#define BAD_STATUS (-2146877437)   /* 0x80094003 CERTSRV_E_BAD_REQUESTSTATUS */
#define ADMIN_DENIED (-2146877420) /* 0x80094014 */
#define CERT_TYPE (-2146875392) /* 0x80094800 CERTSRV_E_UNSUPPORTED_CERT_TYPE */
#define KEY_LENGTH (-2146875375)      /* 0x80094811 CERTSRV_E_KEY_LENGTH */
#define TRUST_SIGNATURE (-2146869244) /* 0x80096004 TRUST_E_CERT_SIGNATURE */
#define EXPIRED (-2146762495)	      /* 0x800b0101 CERT_E_EXPIRED */
#define UNTRUSTED (-2146762487)	      /* 0x800b0109 CERT_E_UNTRUSTEDROOT */
#define WRONG_USAGE (-2146762480)     /* 0x800b0110 CERT_E_WRONG_USAGE */

#define EVENT_17                                                              \
	"The Network Device Enrollment Service cannot retrieve "              \
	"required information, such as the transaction ID, message type, or " \
	"signing certificate, from the client's PKCS7 message "
#define EVENT_18                                                             \
	"The Network Device Enrollment Service cannot decrypt the client's " \
	"PKCS7 message "
#define EVENT_29                                                             \
	"The password in the certificate request cannot be "                 \
	"verified. It may have been used already. Obtain a new password to " \
	"submit with this request."
#define EVENT_31                                                   \
	"The Network Device Enrollment Service cannot submit the " \
	"certificate request "

#define KEY_LENGTH_TEXT                                  \
	"The public key does not meet the minimum size " \
	"required by the specified certificate template."
#define SUBJECT_TEXT "The request subject name is invalid or too long."
#define TEMPLATE_TEXT \
	"The requested certificate template is not supported by this CA."
#define REVOCATION_TEXT                                                   \
	"The revocation function was unable to check revocation because " \
	"the revocation server was offline."
/* How the CA's words to NDES end; the event of the CA has them apart (9.2). */
#define BY_POLICY " Denied by Policy Module"
#define DENIED_TEXT                                              \
	"The request was denied by a certificate manager or CA " \
	"administrator."
#define EXPIRED_TEXT                                                      \
	"A required certificate is not within its validity period when "  \
	"verifying against the current system clock or the timestamp in " \
	"the signed file."

#define ALL WINDOWS_2008R2, WINDOWS_2025
#define OLD WINDOWS_2008R2, WINDOWS_2012
#define NEW WINDOWS_2012R2, WINDOWS_2025

/*
 * Case by Windows generation: the CertRep and the event. [C] 3.3: wrong
 * challenge up to 2012. [C] 3.5, 9.2: the errors of wrong, used and missing
 * since; failInfo 1 for a used one as sscep saw it, and for what cannot be
 * decrypted (quirks 1). [C] 9.1: events 17, 18, 29 and 31; 28 for renewals
 * that fail (quirks 73), in the words of 31. The rest is assumed.
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
	{ REFUSAL_WRONG_CHALLENGE, OLD, SCEP_BAD_REQUEST, INVALID_PARAMETER, 29,
	    EVENT_29, NULL },
	{ REFUSAL_WRONG_CHALLENGE, NEW, SCEP_BAD_REQUEST, NOT_FOUND, 29,
	    EVENT_29, NULL },
	{ REFUSAL_USED_CHALLENGE, OLD, SCEP_BAD_REQUEST, INVALID_PARAMETER, 29,
	    EVENT_29, NULL },
	{ REFUSAL_USED_CHALLENGE, NEW, SCEP_BAD_MESSAGE_CHECK, WRONG_USAGE, 29,
	    EVENT_29, NULL },
	{ REFUSAL_EXPIRED_CHALLENGE, OLD, SCEP_BAD_REQUEST, INVALID_PARAMETER,
	    29, EVENT_29, NULL },
	{ REFUSAL_EXPIRED_CHALLENGE, NEW, SCEP_BAD_REQUEST, NOT_FOUND, 29,
	    EVENT_29, NULL },
	{ REFUSAL_NO_CHALLENGE, OLD, SCEP_BAD_REQUEST, INVALID_PARAMETER, 29,
	    EVENT_29, NULL },
	{ REFUSAL_NO_CHALLENGE, NEW, SCEP_BAD_REQUEST, TRUST_SIGNATURE, 29,
	    EVENT_29, NULL },
	{ REFUSAL_UNREADABLE, ALL, SCEP_BAD_REQUEST, BAD_TAG, 17,
	    EVENT_17 "(0x8009310b).  ASN1 bad tag value met.", NULL },
	{ REFUSAL_NO_INFO, ALL, SCEP_BAD_REQUEST, BAD_TAG, 17,
	    EVENT_17 "(0x8009310b).  ASN1 bad tag value met.", NULL },
	{ REFUSAL_UNDECRYPTABLE, ALL, SCEP_BAD_MESSAGE_CHECK, BAD_DATA, 18,
	    EVENT_18 "(0x80090005).  Bad Data.", NULL },
	{ REFUSAL_BAD_SIGNATURE, ALL, SCEP_BAD_MESSAGE_CHECK, BAD_SIGNATURE, 17,
	    EVENT_17 "(0x80090006).  Invalid Signature.", NULL },
	{ REFUSAL_BAD_ALGORITHM, ALL, SCEP_BAD_ALG, BAD_ALGORITHM, 17,
	    EVENT_17 "(0x80090008).  Invalid algorithm specified.", NULL },
	{ REFUSAL_BAD_CSR, ALL, SCEP_BAD_REQUEST, BAD_TAG, 31,
	    EVENT_31 "(ASN1 bad tag value met.).  0x80004005", NULL },
	{ REFUSAL_BAD_PROOF, ALL, SCEP_BAD_REQUEST, BAD_SIGNATURE, 31,
	    EVENT_31 "(Invalid Signature.).  0x80004005", NULL },
	{ REFUSAL_UNKNOWN_TYPE, ALL, SCEP_BAD_REQUEST, INVALID_PARAMETER, 17,
	    EVENT_17 "(0x80070057).  The parameter is incorrect.", NULL },
	/* VerifyRequest judges the challenge (10.6), hence the event. */
	{ REFUSAL_VERIFY_UNSENT, ALL, SCEP_BAD_REQUEST, SECURE_FAILURE, 29,
	    EVENT_29, NULL },
	{ REFUSAL_VERIFY_FORBIDDEN, ALL, SCEP_BAD_REQUEST, FORBIDDEN, 29,
	    EVENT_29, NULL },
	{ REFUSAL_VERIFY_FALSE, ALL, SCEP_BAD_REQUEST, ACCESS_DENIED, 29,
	    EVENT_29, NULL },
	{ REFUSAL_EXPECTATION, ALL, SCEP_BAD_REQUEST, ACCESS_DENIED, 29,
	    EVENT_29, NULL },
	/* The events of the first, third and fourth are [C] (9.1). */
	{ REFUSAL_CA_OFFLINE, ALL, SCEP_BAD_REQUEST, RPC_UNAVAILABLE, 31,
	    EVENT_31 "(0x800706ba). The RPC server is unavailable.", NULL },
	{ REFUSAL_CA_ACCESS, ALL, SCEP_BAD_REQUEST, ACCESS_DENIED, 31,
	    EVENT_31 "(0x80070005). Access is denied.", NULL },
	{ REFUSAL_CA_REVOCATION, ALL, SCEP_BAD_REQUEST, REVOCATION_OFFLINE, 31,
	    EVENT_31 "(" REVOCATION_TEXT "). 0x80004005",
	    REVOCATION_TEXT
	    " 0x80092013 (-2146885613 CRYPT_E_REVOCATION_OFFLINE)" BY_POLICY },
	{ REFUSAL_TEMPLATE, ALL, SCEP_BAD_REQUEST, CERT_TYPE, 31,
	    EVENT_31 "(" TEMPLATE_TEXT ").  0x80004005",
	    TEMPLATE_TEXT
	    " 0x80094800 (-2146875392 CERTSRV_E_UNSUPPORTED_CERT_TYPE)" BY_POLICY },
	{ REFUSAL_KEY_SIZE, ALL, SCEP_BAD_REQUEST, KEY_LENGTH, 31,
	    EVENT_31 "(" KEY_LENGTH_TEXT ").  0x80004005",
	    KEY_LENGTH_TEXT
	    " 0x80094811 (-2146875375 CERTSRV_E_KEY_LENGTH)" BY_POLICY },
	{ REFUSAL_SUBJECT, ALL, SCEP_BAD_REQUEST, BAD_SUBJECT, 31,
	    EVENT_31 "(" SUBJECT_TEXT "). 0x80004005",
	    SUBJECT_TEXT " 0x80094001 (-2146877439 "
			 "CERTSRV_E_BAD_REQUESTSUBJECT)" BY_POLICY },
	{ REFUSAL_CA_FAILED, ALL, SCEP_BAD_REQUEST, FAILED, 31,
	    EVENT_31 "(0x80004005).  Unspecified error", NULL },
	{ REFUSAL_RENEWAL_OFF, ALL, SCEP_BAD_REQUEST, NOT_SUPPORTED, 28,
	    EVENT_31 "(0x80070032).  The request is not supported.", NULL },
	{ REFUSAL_RENEWAL_SIGNER, ALL, SCEP_BAD_REQUEST, UNTRUSTED, 28,
	    EVENT_31 "(0x800b0109).  A certificate chain processed, but "
		     "terminated in a root certificate which is not trusted by "
		     "the trust provider.",
	    NULL },
	{ REFUSAL_RENEWAL_EXPIRED, ALL, SCEP_BAD_REQUEST, EXPIRED, 28,
	    EVENT_31 "(0x800b0101).  " EXPIRED_TEXT, NULL },
	{ REFUSAL_RENEWAL_REVOKED, ALL, SCEP_BAD_REQUEST, REVOKED, 28,
	    EVENT_31 "(0x80092010).  The certificate is revoked.", NULL },
	{ REFUSAL_RENEWAL_SUBJECT, ALL, SCEP_BAD_REQUEST, BAD_SUBJECT, 28,
	    EVENT_31 "(0x80094001).  " SUBJECT_TEXT, NULL },
	{ REFUSAL_UNKNOWN_TRANSACTION, ALL, SCEP_BAD_CERT_ID, NO_REQUEST, 31,
	    EVENT_31 "(0x80094002).  The request does not exist.", NULL },
	{ REFUSAL_TRANSACTION_KEY, ALL, SCEP_BAD_REQUEST, BAD_STATUS, 31,
	    EVENT_31 "(0x80094003).  The request's current status does not "
		     "allow this operation.",
	    NULL },
	{ REFUSAL_DENIED, ALL, SCEP_BAD_REQUEST, ADMIN_DENIED, 31,
	    EVENT_31 "(" DENIED_TEXT ").  0x80004005",
	    DENIED_TEXT " 0x80094014 (-2146877420 "
			"CERTSRV_E_ADMIN_DENIED_REQUEST)" },
	{ REFUSAL_PENDING_EXPIRED, ALL, SCEP_BAD_REQUEST, BAD_STATUS, 31,
	    EVENT_31 "(0x80094003).  The request's current status does not "
		     "allow this operation.",
	    NULL },
	{ REFUSAL_TOO_MANY_PENDING, ALL, SCEP_BAD_REQUEST, OUT_OF_MEMORY, 31,
	    EVENT_31 "(0x8007000e).  Not enough memory resources are available "
		     "to complete this operation.",
	    NULL },
	{ REFUSAL_QUERIES_OFF, ALL, SCEP_BAD_REQUEST, NOT_SUPPORTED, 17,
	    EVENT_17 "(0x80070032).  The request is not supported.", NULL },
	{ REFUSAL_BAD_QUERY, ALL, SCEP_BAD_REQUEST, BAD_TAG, 17,
	    EVENT_17 "(0x8009310b).  ASN1 bad tag value met.", NULL },
	{ REFUSAL_UNKNOWN_CERT, ALL, SCEP_BAD_CERT_ID, NO_REQUEST, 31,
	    EVENT_31 "(0x80094002).  The request does not exist.", NULL },
	{ REFUSAL_UNKNOWN_ISSUER, ALL, SCEP_BAD_CERT_ID, INVALID_PARAMETER, 31,
	    EVENT_31 "(0x80070057).  The parameter is incorrect.", NULL },
};
#define REFUSALS (sizeof(refusals) / sizeof(refusals[0]))

/* REFUSALS: there is no such row. */
static size_t
find_row(const struct stack_state *state, enum refusal refusal)
{
	size_t i = 0;

	while (i < REFUSALS &&
	    (refusals[i].refusal != refusal ||
		state->windows < refusals[i].from ||
		state->windows > refusals[i].to))
		i++;
	return i;
}

void
mscep_leave_event(struct exchange *ex, const struct stack_state *state,
    enum refusal refusal)
{
	size_t i = find_row(state, refusal);

	if (i < REFUSALS)
		exchange_event(ex, "Application", MSCEP_EVENT_SOURCE,
		    refusals[i].event, "Error", "%s", refusals[i].text);
}

/* What the CA's words are about, without how they end; 0: none of its own. */
static size_t
denial_length(size_t row)
{
	const char *message = row < REFUSALS ? refusals[row].message : NULL;
	const char *end = message == NULL ? NULL : strstr(message, BY_POLICY);

	return end == NULL ? 0 : (size_t)(end - message);
}

bool
ca_has_denied(const struct stack_state *state, enum refusal refusal)
{
	return denial_length(find_row(state, refusal)) > 0;
}

void
ca_leave_event(struct exchange *ex, const struct stack_state *state,
    enum refusal refusal, uint32_t request)
{
	size_t row = find_row(state, refusal);

	if (denial_length(row) > 0)
		exchange_event(ex, "Application",
		    "Microsoft-Windows-CertificationAuthority", 53, "Warning",
		    "Active Directory Certificate Services denied request "
		    "%" PRIu32 " because %.*s.  The request was for %s.  "
		    "Additional information:%s",
		    request, (int)denial_length(row), refusals[row].message,
		    ex->scep.subject, BY_POLICY);
}

const char *
mscep_refuse(struct exchange *ex, const struct stack_state *state,
    enum refusal refusal, struct scep_reply *reply)
{
	struct reply_form form = mscep_reply_form(state, DIGEST_COUNT,
	    CIPHER_COUNT);
	size_t i = find_row(state, refusal);

	if (i == REFUSALS)
		return NULL;
	reply->status = SCEP_FAILURE;
	reply->fail_info = state->mscep.reply.profile == PROFILE_RFC8894 ?
	    reasons[refusal].fail_info :
	    refusals[i].fail_info;
	if (form.microsoft) {
		reply->ms_error = refusals[i].error;
		reply->ms_message = refusals[i].message;
	}
	mscep_leave_event(ex, state, refusal);
	return reasons[refusal].text;
}
