#include "pki_operation.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "site/site.h"

#define NONCE_SIZE 16 /* RFC 8894 3.2.1.5 */

/* Whose the certificate is that signed a message. */
static const char by_itself[] = "self", by_this_ca[] = "this-ca",
		  by_another[] = "other";

/* What a request comes to; who answers fills it. */
struct outcome {
	enum refusal refusal;
	bool pending;
	bool verified; /* the policy module is told how it ends */
	struct blob certificate, crl; /* if neither refused nor pending */
	struct error err;	      /* why, for the developer */
};

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

static struct span
request_subject(const struct scep_request *request)
{
	return request->csr.subject.len > 0 ? request->csr.subject :
					      request->subject;
}

/* As openssl has it; DER's zero before a positive one is none of its digits. */
static void
write_serial(char *out, size_t size, struct span serial)
{
	size_t i = serial.len > 1 && serial.data[0] == 0;

	for (char *end = out + size; i < serial.len && end - out > 2; out += 2)
		sprintf(out, "%02X", serial.data[i++]);
}

static void
note_alt_names(struct scep_facts *f, struct span extensions)
{
	struct buffer b = { 0 };

	x509_alt_name_text(extensions, &b);
	buffer_add_byte(&b, 0);
	if (!b.failed)
		copy_printable(f->sans, sizeof(f->sans), (char *)b.data);
	buffer_free(&b);
}

/* Whose it is, its issuer says; judge_renewal() knows better. */
static void
note_signer(struct exchange *ex, const struct x509 *signer)
{
	const struct x509 *ca = &ex->snapshot->credentials->certs[CA_ISSUING];
	struct scep_facts *f = &ex->scep;

	if (signer->whole.len == 0)
		return;
	x509_name_text(signer->subject, f->signer, sizeof(f->signer));
	write_serial(f->signer_serial, sizeof(f->signer_serial),
	    signer->serial);
	f->signed_by = span_equal(signer->issuer, signer->subject) ? by_itself :
	    span_equal(signer->issuer, ca->subject) ? by_this_ca :
						      by_another;
}

static void
note_request(struct exchange *ex, const struct scep_request *request)
{
	struct scep_facts *f = &ex->scep;
	struct span subject = request_subject(request);

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
	f->message_findings = request->found;
	if (subject.len > 0)
		x509_name_text(subject, f->subject, sizeof(f->subject));
	note_alt_names(f, request->csr.extensions);
	note_signer(ex, &request->signer);
}

/* Signs the plan of a certificate; its record keeps what was meant. */
static int
sign(struct exchange *ex, struct issue_plan *plan, struct outcome *out)
{
	struct crypto *crypto = ex->snapshot->credentials->crypto;

	if (certificate_build(crypto, &plan->certificate, plan->signer,
		&out->certificate, &out->err) == -1 ||
	    site_keep_certificate(ex, blob_span(&out->certificate),
		&out->err) == -1)
		return -1;
	if (!site_edits(ex, FAULT_CERTIFICATE))
		return 0;
	blob_free(&out->certificate);
	if (site_edit(ex, FAULT_CERTIFICATE, plan) == -1)
		return -1;
	return certificate_build(crypto, &plan->certificate, plan->signer,
	    &out->certificate, &out->err);
}

static enum refusal
issue(struct exchange *ex, const struct scep_csr *csr, struct outcome *out)
{
	uint8_t serial[CA_SERIAL_SIZE];
	struct issue_plan plan;

	if (site_next_serial(ex, serial) == -1 ||
	    ca_plan_issue(ex->snapshot->credentials, csr->subject, csr->spki,
		csr->extensions, span_of(serial, sizeof(serial)), ex->at, &plan,
		&out->err) == -1 ||
	    sign(ex, &plan, out) == -1) {
		blob_free(&out->certificate);
		return REFUSAL_CA_FAILED;
	}
	write_serial(ex->scep.serial, sizeof(ex->scep.serial),
	    span_of(serial, sizeof(serial)));
	return REFUSAL_NONE;
}

static enum refusal
hold(struct exchange *ex, const struct scep_request *request,
    struct outcome *out)
{
	const struct stack_state *state = &ex->snapshot->state;
	enum refusal refusal = site_hold(ex, request);

	/* Told to wait, but decided: issued to who asks once it is not told so. */
	if (refusal == REFUSAL_NONE && state->ca.approval == APPROVAL_AUTOMATIC)
		site_settle(ex->snapshot->site, request->transaction_id, true);
	out->pending = true;
	return refusal;
}

/*
 * RFC 8894 2.4: whoever signs with a certificate of ours renews, whatever
 * the type says; NDES asks for no challenge then (3.6 [C]).
 */
static enum refusal
judge_renewal(struct exchange *ex, const struct scep_request *request,
    bool *renews)
{
	const struct stack_state *state = &ex->snapshot->state;
	enum refusal refusal = site_judge_signer(ex, &request->signer);

	*renews = refusal != REFUSAL_RENEWAL_SIGNER;
	if (*renews)
		ex->scep.signed_by = by_this_ca;
	else if (ex->scep.signed_by == by_this_ca)
		ex->scep.signed_by = by_another;
	if (!*renews)
		return request->type == SCEP_RENEWAL_REQ ? refusal :
							   REFUSAL_NONE;
	if (!state->mscep.accept.renewal)
		return REFUSAL_RENEWAL_OFF;
	if (refusal == REFUSAL_NONE && state->mscep.renewal.subject_match &&
	    !span_equal(request->signer.subject, request->csr.subject))
		return REFUSAL_RENEWAL_SUBJECT;
	return refusal;
}

static enum refusal
judge_challenge(struct exchange *ex, const struct scep_request *request)
{
	static const char *const names[] = {
		[REFUSAL_NONE] = "good",
		[REFUSAL_WRONG_CHALLENGE] = "wrong",
		[REFUSAL_USED_CHALLENGE] = "used",
		[REFUSAL_EXPIRED_CHALLENGE] = "expired",
		[REFUSAL_NO_CHALLENGE] = "missing",
	};
	enum refusal refusal = site_spend_challenge(ex, request->csr.challenge);

	ex->scep.challenge = names[refusal];
	return refusal;
}

/* By VerifyRequest, if the policy module is there and has what it judges. */
static enum refusal
judge_challenged(struct exchange *ex, const struct scep_request *request,
    struct outcome *out)
{
	const struct stack_state *state = &ex->snapshot->state;
	bool calls = state->policy_module.installed &&
	    request->csr.challenge != NULL;
	enum refusal refusal = REFUSAL_NONE;
	bool dies = false;

	if (calls)
		refusal = policy_module_call(ex, state, &out->err, &dies);
	if (dies)
		site_crash(ex);
	if (refusal != REFUSAL_NONE)
		return refusal;
	refusal = judge_challenge(ex, request);
	if (refusal == REFUSAL_NONE)
		refusal = policy_module_judge(state, &request->csr, false,
		    &out->err);
	if (calls)
		policy_module_answered(ex, state, refusal);
	out->verified = calls;
	return refusal;
}

static enum refusal
judge(struct exchange *ex, const struct scep_request *request,
    struct outcome *out)
{
	const struct stack_state *state = &ex->snapshot->state;
	enum refusal refusal;
	bool renews;

	refusal = judge_renewal(ex, request, &renews);
	if (refusal != REFUSAL_NONE)
		return refusal;
	return renews ?
	    policy_module_judge(state, &request->csr, renews, &out->err) :
	    judge_challenged(ex, request, out);
}

static enum refusal
submit(struct exchange *ex, const struct scep_request *request,
    struct outcome *out)
{
	const struct stack_state *state = &ex->snapshot->state;
	enum refusal refusal = ca_judge(state, &request->csr, &out->err);

	if (ca_has_denied(state, refusal))
		ca_leave_event(ex, state, refusal, site_next_request(ex));
	if (refusal != REFUSAL_NONE)
		return refusal;
	if (state->ca.approval == APPROVAL_AUTOMATIC && !out->pending)
		return issue(ex, &request->csr, out);
	return hold(ex, request, out);
}

static enum refusal
answer_new(struct exchange *ex, const struct scep_request *request,
    struct outcome *out)
{
	const struct stack_state *state = &ex->snapshot->state;
	enum refusal refusal;

	if (state->mscep.repeat == REPEAT_SAME &&
	    site_certificate_of_key(ex, request->csr.spki, &request->signer,
		&out->certificate))
		return out->pending ? hold(ex, request, out) : REFUSAL_NONE;
	refusal = judge(ex, request, out);
	if (refusal != REFUSAL_NONE)
		return refusal;
	refusal = submit(ex, request, out);
	if (out->verified)
		policy_module_notify(ex, state,
		    refusal != REFUSAL_NONE ? SCEP_FAILURE :
			out->pending	    ? SCEP_PENDING :
					      SCEP_SUCCESS);
	return refusal;
}

/* What waited is issued to the one who asks first after the approval. */
static enum refusal
answer_approved(struct exchange *ex, const struct scep_request *request,
    const struct ruling *ruling, struct outcome *out)
{
	struct scep_csr csr;
	enum refusal refusal = REFUSAL_CA_FAILED;

	if (scep_csr_read(blob_span(&ruling->csr), &csr, &out->err) == 0) {
		refusal = issue(ex, &csr, out);
		free(csr.challenge);
	}
	site_end_transaction(ex, request->transaction_id,
	    blob_span(&out->certificate));
	return refusal;
}

/* PKCSReq, RenewalReq, CertPoll: which it is depends on what was before. */
static enum refusal
answer_enrolment(struct exchange *ex, const struct scep_request *request,
    struct outcome *out)
{
	enum refusal refusal = REFUSAL_NONE;
	struct ruling ruling;

	if (request->type == SCEP_CERT_POLL)
		refusal = ca_reach(&ex->snapshot->state, &out->err);
	if (refusal != REFUSAL_NONE)
		return refusal;
	site_edit(ex, FAULT_APPROVAL, &out->pending);
	site_ask(ex, request, out->pending, &ruling);
	switch (ruling.kind) {
	case RULING_NEW:
		refusal = answer_new(ex, request, out);
		break;
	case RULING_WAIT:
		out->pending = true;
		break;
	case RULING_ISSUE:
		refusal = answer_approved(ex, request, &ruling, out);
		break;
	case RULING_AGAIN:
		out->certificate = ruling.certificate;
		ruling.certificate = (struct blob){ NULL, 0 };
		break;
	case RULING_REFUSE:
		refusal = ruling.why;
		break;
	}
	blob_free(&ruling.csr);
	blob_free(&ruling.certificate);
	return refusal;
}

/* quirk 76: the issuer that clients must name is the CA, not an RA. */
static enum refusal
judge_query(const struct exchange *ex, const struct scep_request *request,
    struct outcome *out)
{
	const struct snapshot *s = ex->snapshot;
	enum refusal refusal = ca_reach(&s->state, &out->err);

	if (s->state.mscep.queries == QUERIES_REFUSED)
		return REFUSAL_QUERIES_OFF;
	if (refusal != REFUSAL_NONE)
		return refusal;
	if (!span_equal(request->issuer,
		s->credentials->certs[CA_ISSUING].subject))
		return REFUSAL_UNKNOWN_ISSUER;
	return REFUSAL_NONE;
}

static enum refusal
answer_get_cert(struct exchange *ex, const struct scep_request *request,
    struct outcome *out)
{
	enum refusal refusal = judge_query(ex, request, out);

	if (refusal == REFUSAL_QUERIES_OFF || refusal == REFUSAL_CA_OFFLINE)
		return refusal;
	/* What was issued before a rollover has another issuer. */
	if (site_find_certificate(ex, request->issuer, request->serial,
		&out->certificate))
		return REFUSAL_NONE;
	return refusal == REFUSAL_NONE ? REFUSAL_UNKNOWN_CERT : refusal;
}

static enum refusal
answer_get_crl(struct exchange *ex, const struct scep_request *request,
    struct outcome *out)
{
	enum refusal refusal = judge_query(ex, request, out);

	if (refusal == REFUSAL_NONE &&
	    site_make_crl(ex, &out->crl, &out->err) == -1)
		refusal = REFUSAL_CA_FAILED;
	return refusal;
}

static const struct {
	int type;
	enum refusal (*answer)(struct exchange *, const struct scep_request *,
	    struct outcome *);
} types[] = {
	{ SCEP_PKCS_REQ, answer_enrolment },
	{ SCEP_RENEWAL_REQ, answer_enrolment },
	{ SCEP_CERT_POLL, answer_enrolment },
	{ SCEP_GET_CERT, answer_get_cert },
	{ SCEP_GET_CRL, answer_get_crl },
};

static enum refusal
answer_type(struct exchange *ex, const struct scep_request *request,
    struct outcome *out)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (types[i].type == request->type)
			return types[i].answer(ex, request, out);
	return REFUSAL_UNKNOWN_TYPE;
}

static enum refusal
refusal_of(enum scep_flaw flaw)
{
	static const enum refusal refusals[] = {
		[SCEP_SOUND] = REFUSAL_NONE,
		[SCEP_NOT_CMS] = REFUSAL_UNREADABLE,
		[SCEP_NO_INFO] = REFUSAL_NO_INFO,
		[SCEP_BAD_SIGNATURE] = REFUSAL_BAD_SIGNATURE,
		[SCEP_UNKNOWN_ALGORITHM] = REFUSAL_BAD_ALGORITHM,
		[SCEP_UNDECRYPTABLE] = REFUSAL_UNDECRYPTABLE,
		[SCEP_BAD_CSR] = REFUSAL_BAD_CSR,
		[SCEP_BAD_PROOF] = REFUSAL_BAD_PROOF,
		[SCEP_BAD_QUERY] = REFUSAL_BAD_QUERY,
	};

	return refusals[flaw];
}

static int
seal(struct exchange *ex, const struct scep_request *request,
    const struct reply_form *form, struct scep_reply *reply, struct error *err)
{
	const struct credentials *cred = ex->snapshot->credentials;
	struct scep_seal how = {
		.crypto = cred->crypto,
		.signer_key = cred->keys[CA_RA_SIGNING],
		.signer = &cred->certs[CA_RA_SIGNING],
		.digest = form->digest,
		.cipher = form->cipher,
		.transport = form->transport,
		.recipient_key = request->signer_key,
		.recipient = &request->signer,
	};
	struct scep_message message;
	uint8_t nonce[NONCE_SIZE];
	struct blob der;

	if (crypto_random(cred->crypto, nonce, sizeof(nonce)) == -1)
		return error_set(err, "no random numbers");
	reply->sender_nonce = span_of(nonce, sizeof(nonce));
	scep_message_plan(&message, reply, &how);
	if (site_edit(ex, FAULT_SCEP, &message) == -1 ||
	    scep_message_encode(&der, &message, err) == -1)
		return -1;
	mscep_answer_cert_rep(ex, &ex->snapshot->state, reply, der);
	return 0;
}

static void
send_reply(struct exchange *ex, const struct scep_request *request,
    struct outcome *out)
{
	const struct stack_state *state = &ex->snapshot->state;
	const struct reply_form form = mscep_reply_form(state, request->digest,
	    request->cipher);
	struct scep_reply reply = {
		.status = out->pending ? SCEP_PENDING : SCEP_SUCCESS,
		.fail_info = SCEP_BAD_REQUEST, /* should it come to that */
		.transaction_id = request->transaction_id,
		.recipient_nonce = request->sender_nonce,
		.no_content = form.content,
		.certificate = blob_span(&out->certificate),
		.crl = blob_span(&out->crl),
	};
	const char *text = NULL;

	if (out->refusal != REFUSAL_NONE)
		text = mscep_refuse(ex, state, out->refusal, &reply);
	else if (!out->pending && form.microsoft)
		reply.ms_message = "Issued";
	if (form.fail_info_text)
		reply.fail_info_text = text;
	if (seal(ex, request, &form, &reply, &out->err) == 0)
		return;
	if (out->refusal != REFUSAL_NONE) {
		iis_answer(ex, state, LAYER_MSCEP, 500, 0, 0);
		return;
	}
	/* Where the signer's key cannot take an envelope, FAILURE needs none. */
	out->refusal = REFUSAL_CA_FAILED;
	send_reply(ex, request, out);
}

static bool
is_unreadable(enum scep_flaw flaw)
{
	return flaw == SCEP_NOT_CMS || flaw == SCEP_NO_INFO ||
	    flaw == SCEP_UNDECRYPTABLE;
}

/* What NDES makes of a message that it cannot read is a setting. */
static bool
goes_unanswered(const struct exchange *ex, enum scep_flaw flaw)
{
	return is_unreadable(flaw) &&
	    mscep_unreadable(&ex->snapshot->state) != UNREADABLE_CERT_REP;
}

static void
answer(struct exchange *ex, const struct scep_request *request,
    enum scep_flaw flaw, struct outcome *out)
{
	const struct stack_state *state = &ex->snapshot->state;

	/* 3.3.3: what a poll is for, its transactionID says. */
	if (flaw != SCEP_BAD_QUERY || request->type != SCEP_CERT_POLL)
		out->refusal = refusal_of(flaw);
	if (out->refusal == REFUSAL_NONE)
		out->refusal = mscep_judge_algorithms(state, request->digest,
		    request->cipher);
	if (out->refusal == REFUSAL_NONE)
		out->refusal = answer_type(ex, request, out);
	/* Nobody is left to reply if the process has died of it. */
	if (!exchange_is_answered(ex))
		send_reply(ex, request, out);
}

/* Rules may want to know what the message says. true: nothing else is done. */
static bool
decide(struct exchange *ex, const struct scep_request *request,
    enum scep_flaw flaw)
{
	struct span name = request_subject(request);
	struct fault_message facts = {
		.type_name = scep_type_name(request->type),
		.transaction_id = request->transaction_id,
	};
	char *subject = NULL;
	bool ordered;

	if (flaw == SCEP_NOT_CMS || flaw == SCEP_NO_INFO)
		return site_decide(ex, NULL);
	if (name.len > 0 && site_decides_late(ex) &&
	    (subject = malloc(X509_NAME_TEXT_SIZE(name))) != NULL)
		facts.subject = x509_name_text(name, subject,
		    X509_NAME_TEXT_SIZE(name));
	ordered = site_decide(ex, &facts);
	free(subject);
	return ordered;
}

void
pki_operation_answer(struct exchange *ex)
{
	const struct credentials *cred = ex->snapshot->credentials;
	const struct x509 *before = &cred->encryption_before;
	const struct scep_recipient us = {
		.crypto = cred->crypto,
		.key = cred->keys[CA_RA_ENCRYPTION],
		.cert = &cred->certs[CA_RA_ENCRYPTION],
		.before = before->whole.len > 0 ? before : NULL,
	};
	struct scep_request *request = NULL;
	struct outcome out = { 0 };
	enum scep_flaw flaw;
	struct blob decoded;
	struct span message = SPAN_EMPTY;

	/* A HEAD must not cost a password (RFC 9110 9.2.1). */
	if (strcmp(ex->request.method, "HEAD") == 0) {
		mscep_answer_general(ex, &ex->snapshot->state);
		return;
	}
	if (!mscep_has_message(&ex->snapshot->state, &ex->request)) {
		mscep_answer_no_message(ex, &ex->snapshot->state);
		return;
	}
	if (mscep_message(&ex->request, &decoded, &message) == -1)
		error_set(&out.err, "RFC 8894 4.1: no base64 in \"message\"");
	flaw = scep_request_decode(&request, message, &us, &out.err);
	if (request == NULL) {
		iis_answer(ex, &ex->snapshot->state, LAYER_MSCEP, 500, 0, 14);
	} else {
		scep_request_inspect(request,
		    &(const struct scep_surroundings){
			.ca = &cred->certs[CA_ISSUING],
			.signing = &cred->certs[CA_RA_SIGNING],
			.encryption = &cred->certs[CA_RA_ENCRYPTION],
			.now = ex->at });
		note_request(ex, request);
		if (decide(ex, request, flaw))
			;
		else if (goes_unanswered(ex, flaw))
			mscep_answer_unreadable(ex, &ex->snapshot->state, flaw);
		else
			answer(ex, request, flaw, &out);
	}
	copy_printable(ex->scep.why, sizeof(ex->scep.why), out.err.text);
	scep_request_free(request);
	blob_free(&decoded);
	blob_free(&out.certificate);
	blob_free(&out.crl);
}
