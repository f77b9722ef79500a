/* The whole way of one request, on one page. */
#include "serve.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NONCE_SIZE 16 /* RFC 8894 3.2.1.5 */

/* Foreign text for logs and terminals: printable ASCII, cut. */
static void
copy_printable(char *out, size_t size, const char *text)
{
	size_t len = strlen(text);

	if (len > size - 1)
		len = size - 1;
	for (size_t i = 0; i < len; i++)
		out[i] = isprint((unsigned char)text[i]) ? text[i] : '?';
	out[len] = '\0';
}

static void
note_request(struct exchange *ex, const struct scep_request *request,
    const struct error *why)
{
	struct scep_facts *f = &ex->scep;

	copy_printable(f->why, sizeof(f->why), why->text);
	if (request == NULL)
		return;
	f->message_type = request->type == -1 ? 0 : request->type;
	f->type_name = scep_type_name(request->type);
	if (request->transaction_id != NULL)
		copy_printable(f->transaction_id, sizeof(f->transaction_id),
		    request->transaction_id);
	f->digest = request->digest == DIGEST_COUNT ?
	    NULL :
	    digest_name(request->digest);
	f->cipher = request->cipher == CIPHER_COUNT ?
	    NULL :
	    cipher_name(request->cipher);
	f->ber = request->ber;
	if (request->csr.subject.len > 0)
		x509_name_text(request->csr.subject, f->subject,
		    sizeof(f->subject));
}

static enum refusal
refusal_of(enum scep_flaw flaw)
{
	switch (flaw) {
	case SCEP_BAD_SIGNATURE:
		return REFUSAL_BAD_SIGNATURE;
	case SCEP_UNKNOWN_ALGORITHM:
		return REFUSAL_BAD_ALGORITHM;
	case SCEP_BAD_CSR:
		return REFUSAL_BAD_CSR;
	case SCEP_BAD_PROOF:
		return REFUSAL_BAD_PROOF;
	case SCEP_BAD_QUERY:
		return REFUSAL_MESSAGE_TYPE;
	default:
		return REFUSAL_NONE;
	}
}

/* What NDES and the policy module make of a request that could be read. */
static enum refusal
judge(struct exchange *ex, const struct scep_request *request,
    enum scep_flaw flaw, struct error *why)
{
	static const char *const names[] = {
		[REFUSAL_NONE] = "good",
		[REFUSAL_WRONG_CHALLENGE] = "wrong",
		[REFUSAL_USED_CHALLENGE] = "used",
		[REFUSAL_EXPIRED_CHALLENGE] = "expired",
		[REFUSAL_NO_CHALLENGE] = "missing",
	};
	enum refusal refusal;

	if (flaw != SCEP_SOUND)
		return refusal_of(flaw);
	refusal = mscep_judge_algorithms(&ex->snapshot->state, request->digest,
	    request->cipher);
	if (refusal != REFUSAL_NONE)
		return refusal;
	if (request->type != SCEP_PKCS_REQ)
		return REFUSAL_MESSAGE_TYPE;
	refusal = site_spend_challenge(ex, request->csr.challenge);
	ex->scep.challenge = names[refusal];
	/* There is no way yet to seal a reply to anything else. */
	if (refusal == REFUSAL_NONE && !crypto_key_is_rsa(request->signer_key))
		return REFUSAL_BAD_ALGORITHM;
	if (refusal == REFUSAL_NONE)
		refusal = policy_module_judge(&ex->snapshot->state,
		    &request->csr, why);
	return refusal != REFUSAL_NONE ?
	    refusal :
	    ca_judge(&ex->snapshot->state, &request->csr);
}

static enum refusal
issue(struct exchange *ex, const struct scep_request *request,
    struct blob *certificate, struct error *err)
{
	uint8_t serial[CA_SERIAL_SIZE];
	char *to = ex->scep.serial;

	if (site_next_serial(ex, serial) == -1 ||
	    ca_issue(ex->snapshot->credentials, request->csr.subject,
		request->csr.spki, request->csr.extensions,
		span_of(serial, sizeof(serial)), ex->at, certificate,
		err) == -1)
		return REFUSAL_CA_FAILED;
	for (size_t i = 0; i < sizeof(serial); i++)
		to += sprintf(to, "%02x", serial[i]);
	return REFUSAL_NONE;
}

static int
reply_to(struct exchange *ex, const struct scep_request *request,
    const struct scep_reply *reply, struct error *err)
{
	const struct credentials *cred = ex->snapshot->credentials;
	const struct reply_form form = mscep_reply_form(&ex->snapshot->state,
	    request->digest, request->cipher);
	const struct scep_seal seal = {
		.crypto = cred->crypto,
		.signer_key = cred->keys[CA_RA_SIGNING],
		.signer = &cred->certs[CA_RA_SIGNING],
		.digest = form.digest,
		.cipher = form.cipher,
		.recipient_key = request->signer_key,
		.recipient = &request->signer,
	};
	struct blob der;

	if (scep_reply_encode(&der, reply, &seal, err) == -1)
		return -1;
	mscep_answer_cert_rep(ex, &ex->snapshot->state, reply, der);
	return 0;
}

static void
answer_request(struct exchange *ex, const struct scep_request *request,
    enum scep_flaw flaw)
{
	const struct snapshot *s = ex->snapshot;
	struct blob certificate = { NULL, 0 };
	uint8_t nonce[NONCE_SIZE];
	struct error err = { 0 };
	enum refusal refusal;
	struct scep_reply reply = {
		.transaction_id = request->transaction_id,
		.sender_nonce = span_of(nonce, sizeof(nonce)),
		.recipient_nonce = request->sender_nonce,
	};

	refusal = judge(ex, request, flaw, &err);
	if (refusal == REFUSAL_NONE)
		refusal = issue(ex, request, &certificate, &err);
	if (refusal == REFUSAL_NONE) {
		if (mscep_reply_form(&s->state, request->digest,
			request->cipher)
			.microsoft)
			reply.ms_message = "Issued";
		reply.certificate = blob_span(&certificate);
	} else {
		mscep_refuse(ex, &s->state, refusal, &reply);
	}
	if (crypto_random(s->credentials->crypto, nonce, sizeof(nonce)) == -1 ||
	    reply_to(ex, request, &reply, &err) == -1)
		iis_answer(ex, &s->state, LAYER_MSCEP, 500, 0, 0);
	if (err.text[0] != '\0')
		copy_printable(ex->scep.why, sizeof(ex->scep.why), err.text);
	blob_free(&certificate);
}

static void
answer_pki_operation(struct exchange *ex)
{
	const struct credentials *cred = ex->snapshot->credentials;
	const struct scep_recipient us = { cred->crypto,
		cred->keys[CA_RA_ENCRYPTION], &cred->certs[CA_RA_ENCRYPTION] };
	struct scep_request *request = NULL;
	enum scep_flaw flaw = SCEP_NOT_CMS;
	struct error err = { 0 };
	struct blob decoded;
	struct span message;

	if (!mscep_has_message(&ex->snapshot->state, &ex->request)) {
		mscep_answer_no_message(ex, &ex->snapshot->state);
		return;
	}
	if (mscep_message(&ex->request, &decoded, &message) == -1)
		error_set(&err, "RFC 8894 4.1: no base64 in \"message\"");
	else
		flaw = scep_request_decode(&request, message, &us, &err);
	note_request(ex, request, &err);
	if (flaw == SCEP_NOT_CMS || flaw == SCEP_NO_INFO ||
	    flaw == SCEP_UNDECRYPTABLE)
		mscep_answer_unreadable(ex, &ex->snapshot->state, flaw);
	else
		answer_request(ex, request, flaw);
	scep_request_free(request);
	blob_free(&decoded);
}

static void
answer_admin(struct exchange *ex)
{
	const struct snapshot *s = ex->snapshot;
	char password[CHALLENGE_SIZE] = "";
	enum challenge_answer answer;

	/* Nobody sees the page of a HEAD: it must not cost a password. */
	if (strcmp(ex->request.method, "HEAD") == 0 &&
	    challenge_costs(&s->state)) {
		memset(password, '0',
		    2 * (size_t)s->state.mscep.challenge.length);
		answer = CHALLENGE_MADE;
	} else {
		answer = site_make_challenge(ex, password);
	}

	admin_page_answer(ex, &s->state, answer, password,
	    s->credentials->thumbprint);
}

static void
answer_bare_url(struct exchange *ex)
{
	policy_module_pass(ex, &ex->snapshot->state);
	if (!exchange_is_answered(ex))
		mscep_answer_general(ex, &ex->snapshot->state);
}

static void
begin(void *cls, struct exchange *ex)
{
	site_begin(cls, ex);
	http_sys_pass(ex, &ex->snapshot->state);
	if (!exchange_is_answered(ex))
		iis_pass(ex, &ex->snapshot->state);
}

static void
answer(void *cls, struct exchange *ex)
{
	const struct stack_state *state = &ex->snapshot->state;
	enum operation operation = mscep_operation(&ex->request);

	(void)cls;
	ex->scep.operation = mscep_operation_name(operation);
	iis_pass_body(ex, state);
	if (exchange_is_answered(ex))
		return;
	switch (operation) {
	case OPERATION_GET_CA_CAPS:
		mscep_answer_caps(ex, state);
		break;
	case OPERATION_GET_CA_CERT:
		mscep_answer_ca_cert(ex, state,
		    blob_span(&ex->snapshot->ca_certs));
		break;
	case OPERATION_PKI:
		answer_pki_operation(ex);
		break;
	case OPERATION_NONE:
		if (iis_place(&ex->request) == PLACE_ADMIN) {
			answer_admin(ex);
			break;
		}
		/* FALLTHROUGH */
	case OPERATION_UNKNOWN:
		answer_bare_url(ex);
		break;
	}
}

static bool
is_long(void *cls, const struct exchange *ex)
{
	(void)cls;
	return mscep_operation(&ex->request) == OPERATION_PKI;
}

static void
refuse(void *cls, struct exchange *ex, enum http_refusal why)
{
	if (ex->snapshot == NULL)
		site_begin(cls, ex);
	switch (why) {
	case HTTP_REFUSED_LIMIT:
		http_sys_answer(ex, HTTP_SYS_CONNECTION_LIMIT);
		break;
	case HTTP_EXPIRED_IDLE:
		http_sys_drop(ex, "Timer_ConnectionIdle");
		break;
	case HTTP_EXPIRED_HEAD:
		http_sys_drop(ex, "Timer_HeaderWait");
		break;
	case HTTP_EXPIRED_BODY:
		http_sys_drop(ex, "Timer_EntityBody");
		break;
	case HTTP_EXPIRED_SEND:
		http_sys_drop(ex, "Timer_MinBytesPerSecond");
		break;
	}
}

static struct http_limits
limits(void *cls)
{
	struct stack_state state;

	site_state(cls, &state);
	return (struct http_limits){
		.idle = state.http_sys.connection_timeout * 1000,
		.head = state.http_sys.header_wait * 1000,
		.body = state.http_sys.entity_body * 1000,
		.send = state.http_sys.connection_timeout * 1000,
	};
}

static void
finish(void *cls, struct exchange *ex)
{
	site_commit(cls, ex);
}

struct http_service
serve_service(struct sites *sites)
{
	return (struct http_service){ begin, answer, is_long, refuse, limits,
		finish, sites };
}
