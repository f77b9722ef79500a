/* mscep.dll: operations, and its own answers. */
#include "stack/stack.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define CA_RA_CERT_TYPE "application/x-x509-ca-ra-cert"
#define CA_CERT_TYPE "application/x-x509-ca-cert"

struct mscep_parameters
mscep_read_parameters(struct span query)
{
	struct mscep_parameters out = { SPAN_EMPTY, SPAN_EMPTY, false };
	const uint8_t *at = query.data, *next, *equals;
	struct span name, *value;

	for (; query.len > 0 && at < query.data + query.len; at = next + 1) {
		size_t left = query.len - (size_t)(at - query.data);

		if ((next = memchr(at, '&', left)) == NULL)
			next = at + left;
		equals = memchr(at, '=', (size_t)(next - at));
		if (equals == NULL)
			continue;
		name = span_of(at, (size_t)(equals - at));
		value = span_is_nocase(name, "operation") ? &out.operation :
		    span_is_nocase(name, "message")	  ? &out.message :
							    NULL;
		if (value == NULL || value->data != NULL)
			continue;
		*value = span_of(equals + 1, (size_t)(next - equals - 1));
		if (value == &out.message && out.operation.data == NULL)
			out.message_first = true;
	}
	return out;
}

static const struct {
	const char *name;
	enum operation operation;
} operations[] = {
	{ "GetCACaps", OPERATION_GET_CA_CAPS },
	{ "GetCACert", OPERATION_GET_CA_CERT },
	/* Microsoft's own script asks for this and expects an answer [C]. */
	{ "GetCACerts", OPERATION_GET_CA_CERT },
	{ "GetNextCACert", OPERATION_GET_NEXT_CA },
	{ "PKIOperation", OPERATION_PKI },
};

enum operation
mscep_operation_by_name(struct span value)
{
	if (value.len == 0)
		return OPERATION_NONE;
	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
		if (span_is_nocase(value, operations[i].name))
			return operations[i].operation;
	return OPERATION_UNKNOWN;
}

enum operation
mscep_operation(const struct request *r)
{
	return mscep_operation_by_name(
	    mscep_read_parameters(r->query).operation);
}

const char *
mscep_operation_name(enum operation operation)
{
	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
		if (operations[i].operation == operation)
			return operations[i].name;
	return operation == OPERATION_NONE ? NULL : "unknown";
}

bool
mscep_has_message(const struct stack_state *state, const struct request *r)
{
	if (strcmp(r->method, "POST") == 0)
		return state->mscep.accept.post;
	return state->mscep.accept.get &&
	    mscep_read_parameters(r->query).message.data != NULL;
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
	value = mscep_read_parameters(r->query).message;
	if (value.data == NULL || scep_get_message(value, decoded) == -1)
		return -1;
	*out = blob_span(decoded);
	return 0;
}

int
mscep_ca_certs(const struct credentials *cred, struct blob *out)
{
	struct buffer b = { 0 };

	if (scep_degenerate(&b, cred->ca_certs, cred->ca_cert_count) == -1) {
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
mscep_plan_caps(const struct stack_state *state, struct scep_caps *out)
{
	const char *word = state->mscep.capabilities;
	size_t len;

	*out = (struct scep_caps){
		.separator = state->mscep.capabilities_separator ==
			LINE_END_CRLF ?
		    "\r\n" :
		    "\n",
		.final_separator = state->mscep.capabilities_final_newline,
		.content_type = state->mscep.capabilities_content_type,
	};
	for (; *word != '\0' && out->count < SCEP_CAPS_MAX;
	     word += len + (word[len] == '\n')) {
		len = strcspn(word, "\n");
		out->words[out->count++] = span_of(word, len);
	}
}

void
mscep_answer_caps(struct exchange *ex, const struct stack_state *state,
    const struct scep_caps *caps)
{
	const char *type = caps->content_type;
	struct blob body;

	if (caps->form == SCEP_CAPS_PAGE) {
		mscep_answer_general(ex, state);
	} else if (caps->form == SCEP_CAPS_ABSENT) {
		iis_answer(ex, state, LAYER_MSCEP, 404, 0, 0);
	} else if (scep_caps_encode(&body, caps) == -1) {
		iis_answer(ex, state, LAYER_MSCEP, 500, 0, 14);
	} else {
		exchange_answer(ex, LAYER_MSCEP, 200, 0, 0);
		iis_send(ex, state, *type == '\0' ? NULL : type, body);
	}
}

void
mscep_answer_ca_cert(struct exchange *ex, const struct stack_state *state,
    struct span ca_certs)
{
	send_copy(ex, state, CA_RA_CERT_TYPE, ca_certs);
}

void
mscep_answer_ca_certs_plan(struct exchange *ex, const struct stack_state *state,
    const struct ca_certs_plan *plan)
{
	const char *type = plan->bare ? CA_CERT_TYPE : CA_RA_CERT_TYPE;
	struct span certs[CA_CERTS_PLAN_MAX];
	struct buffer b = { 0 };

	for (size_t i = 0; i < plan->count; i++)
		certs[i] = plan->certs[i].der;
	if (plan->content_type != NULL)
		type = plan->content_type;
	if (!plan->bare)
		scep_degenerate(&b, certs, plan->count);
	else if (plan->count > 0)
		buffer_add_span(&b, certs[0]);
	send_copy(ex, state, *type == '\0' ? NULL : type, buffer_span(&b));
	buffer_free(&b);
}

/* RFC 8894 4.7.1; what NDES does is unknown (3.8). */
void
mscep_answer_next_ca(struct exchange *ex, const struct stack_state *state,
    const struct credentials *cred, const struct credentials *next)
{
	const size_t count = next->ca_cert_count - CA_CERTS_CAS;
	struct error err = { 0 };
	struct blob der;

	if (scep_next_ca_encode(&der, cred->crypto, cred->keys[CA_ISSUING],
		&cred->certs[CA_ISSUING], DIGEST_SHA256,
		next->ca_certs + CA_CERTS_CAS, count, &err) == -1) {
		iis_answer(ex, state, LAYER_MSCEP, 500, 0, 14);
		return;
	}
	exchange_answer(ex, LAYER_MSCEP, 200, 0, 0);
	iis_send(ex, state, "application/x-x509-next-ca-cert", der);
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

/* The event's words are [C] (1.1); its number and the page are assumed. */
void
mscep_answer_no_message(struct exchange *ex, const struct stack_state *state)
{
	exchange_event(ex, "Application", MSCEP_EVENT_SOURCE, 15, "Error",
	    "The Network Device Enrollment Service received an http message "
	    "without the \"Message\" tag.");
	mscep_answer_general(ex, state);
}

/* What is no base64 is assumed to be event 16's, whose words are [C] (9.1). */
static bool
is_no_message(const struct request *r)
{
	struct blob decoded;
	struct span message;
	bool no = mscep_message(r, &decoded, &message) == -1;

	blob_free(&decoded);
	return no;
}

/* Events 16 to 18 (9.1 [C]); that octets which are no message get 17: 12 C7. */
void
mscep_answer_unreadable(struct exchange *ex, const struct stack_state *state,
    enum scep_flaw flaw)
{
	if (flaw == SCEP_NOT_CMS && is_no_message(&ex->request))
		exchange_event(ex, "Application", MSCEP_EVENT_SOURCE, 16,
		    "Error",
		    "The Network Device Enrollment Service cannot decode the "
		    "http message from the client (0x8009310b).  ASN1 bad tag "
		    "value met.");
	else if (flaw == SCEP_NOT_CMS)
		mscep_leave_event(ex, state, REFUSAL_UNREADABLE);
	else if (flaw == SCEP_NO_INFO)
		mscep_leave_event(ex, state, REFUSAL_NO_INFO);
	else
		mscep_leave_event(ex, state, REFUSAL_UNDECRYPTABLE);
	if (mscep_unreadable(state) == UNREADABLE_EMPTY) {
		exchange_answer(ex, LAYER_MSCEP, 200, 0, 0);
		iis_send(ex, state, NULL, (struct blob){ NULL, 0 });
	} else {
		mscep_answer_general(ex, state);
	}
}

enum refusal
mscep_judge_algorithms(const struct stack_state *state, enum digest digest,
    enum cipher cipher)
{
	return digest < state->mscep.accept.weakest_digest ||
		cipher < state->mscep.accept.weakest_cipher ?
	    REFUSAL_BAD_ALGORITHM :
	    REFUSAL_NONE;
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
