/*
 * `do: scep`: what a CertRep says. In all of it what is signed stays correctly
 * signed.
 */
#include "fault/scep.h"

#include <ctype.h>
#include <string.h>

#include "base/der.h"

#define NONCE_SIZE 16

enum {
	NONCE_MISSING,
	NONCE_REUSED,
	NONCE_SHORT,
	NONCE_EMPTY,
	NONCE_ECHO,   /* the client's */
	NONCE_SENDER, /* the server's */
	NONCE_WRONG,
};
enum { ID_MISSING, ID_WRONG, ID_UPPER, ID_LOWER, ID_EMPTY };
enum { NUMBER_MISSING };

static const struct word statuses[] = {
	{ "pending", SCEP_PENDING,
	    "The request waits, and gets its certificate as soon as no rule "
	    "says so any more; GetCert and GetCRL are only told so" },
	{ "failure", SCEP_FAILURE,
	    "Whatever has been done: a certificate may have been issued" },
	{ NULL, 0, NULL },
};
static const struct word fail_infos[] = {
	{ "badAlg", SCEP_BAD_ALG, NULL },
	{ "badMessageCheck", SCEP_BAD_MESSAGE_CHECK, NULL },
	{ "badRequest", SCEP_BAD_REQUEST, NULL },
	{ "badTime", SCEP_BAD_TIME, NULL },
	{ "badCertId", SCEP_BAD_CERT_ID, NULL },
	{ NULL, 0, NULL },
};
static const struct word sender_nonces[] = {
	{ "missing", NONCE_MISSING, NULL },
	{ "reused", NONCE_REUSED, "The same 16 octets in every reply" },
	{ "echo", NONCE_ECHO, "That of the client" },
	{ "short", NONCE_SHORT, "Half of it" },
	{ "empty", NONCE_EMPTY, "An OCTET STRING of no octets" },
	{ NULL, 0, NULL },
};
static const struct word recipient_nonces[] = {
	{ "missing", NONCE_MISSING, NULL },
	{ "wrong", NONCE_WRONG, "As long, but every bit is another" },
	{ "reused", NONCE_REUSED, "The same 16 octets in every reply" },
	{ "sender", NONCE_SENDER, "The senderNonce of the reply" },
	{ "short", NONCE_SHORT, "Half of it" },
	{ "empty", NONCE_EMPTY, "An OCTET STRING of no octets" },
	{ NULL, 0, NULL },
};
static const struct word transaction_ids[] = {
	{ "missing", ID_MISSING, NULL },
	{ "wrong", ID_WRONG, "As long, but its last character is another" },
	{ "upper", ID_UPPER, "In capital letters" },
	{ "lower", ID_LOWER, "In small letters" },
	{ "empty", ID_EMPTY, "A string of no characters" },
	{ NULL, 0, NULL },
};
static const struct word missing[] = {
	{ "missing", NUMBER_MISSING, NULL },
	{ NULL, 0, NULL },
};

static struct scep_attribute *
find(struct scep_signed *s, struct span oid)
{
	for (size_t i = 0; i < s->count; i++)
		if (span_equal(s->attributes[i].oid, oid))
			return &s->attributes[i];
	return NULL;
}

/* All with this OID. */
static void
drop(struct scep_signed *s, struct span oid)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->count; i++)
		if (!span_equal(s->attributes[i].oid, oid))
			s->attributes[kept++] = s->attributes[i];
	s->count = kept;
}

int
fault_attribute_add(struct scep_signed *s, struct scep_attribute added)
{
	if (s->count == SCEP_ATTRIBUTES_MAX)
		return -1;
	s->attributes[s->count++] = added;
	return 0;
}

/* In place of the one that there is, or as one more. */
static int
set(struct scep_message *m, struct span oid, int tag, struct span value)
{
	const struct scep_attribute one = { oid, tag, value, 1 };
	struct scep_attribute *is = find(&m->sign, oid);

	if (is == NULL)
		return fault_attribute_add(&m->sign, one);
	*is = one;
	return 0;
}

void *
fault_copy(struct fault_context *ctx, struct span bytes)
{
	uint8_t *copy = exchange_alloc(ctx->exchange, bytes.len + 1);

	if (copy != NULL && bytes.len > 0)
		memcpy(copy, bytes.data, bytes.len);
	return copy;
}

static int
set_copy(struct fault_context *ctx, struct scep_message *m, struct span oid,
    int tag, struct span value)
{
	uint8_t *copy = fault_copy(ctx, value);

	return copy == NULL ? -1 : set(m, oid, tag, span_of(copy, value.len));
}

static int
set_number(struct fault_context *ctx, struct scep_message *m, struct span oid,
    const struct value *v)
{
	struct buffer text = { 0 };
	int ret = -1;

	if (v->is_word && v->number == NUMBER_MISSING) {
		drop(&m->sign, oid);
		return 0;
	}
	buffer_printf(&text, "%lld", (long long)v->number);
	if (!text.failed)
		ret = set_copy(ctx, m, oid, DER_PRINTABLE_STRING,
		    buffer_span(&text));
	buffer_free(&text);
	return ret;
}

static int
set_plain_number(struct fault_context *ctx, struct scep_message *m,
    struct span oid, int64_t number)
{
	return set_number(ctx, m, oid, &(struct value){ .number = number });
}

/* What becomes of a request is decided before there is a reply. */
static int
apply_status(struct fault_context *ctx, const struct value *v, void *plan)
{
	struct scep_message *m = plan;
	struct scep_reply *reply;

	if (ctx->stage == FAULT_APPROVAL) {
		if (v->number == SCEP_PENDING)
			*(bool *)plan = true;
		return 0;
	}
	reply = m->reply;
	/* Who is refused does not wait. */
	if (reply->status == SCEP_FAILURE)
		return 0;
	reply->status = (enum scep_status)v->number;
	drop(&m->sign, oid_ms_scep_server_message);
	if (set_plain_number(ctx, m, oid_scep_pki_status, v->number) == -1)
		return -1;
	return reply->status != SCEP_FAILURE ?
	    0 :
	    set_plain_number(ctx, m, oid_scep_fail_info, (int)reply->fail_info);
}

static int
apply_fail_info(struct fault_context *ctx, const struct value *v, void *plan)
{
	struct scep_message *m = plan;

	if (m->reply->status != SCEP_FAILURE)
		return 0;
	m->reply->fail_info = (enum scep_fail_info)v->number;
	return set_plain_number(ctx, m, oid_scep_fail_info, v->number);
}

static int
apply_fail_info_text(struct fault_context *ctx, const struct value *v,
    void *plan)
{
	return set_copy(ctx, plan, oid_scep_fail_info_text, DER_UTF8_STRING,
	    span_of(v->text, v->length));
}

static int
apply_microsoft_error(struct fault_context *ctx, const struct value *v,
    void *plan)
{
	return set_number(ctx, plan, oid_ms_scep_error, v);
}

static int
apply_microsoft_message(struct fault_context *ctx, const struct value *v,
    void *plan)
{
	return set_copy(ctx, plan, oid_ms_scep_server_message, DER_UTF8_STRING,
	    span_of(v->text, v->length));
}

static int
apply_message_type(struct fault_context *ctx, const struct value *v, void *plan)
{
	return set_number(ctx, plan, oid_scep_message_type, v);
}

static int
apply_pki_status(struct fault_context *ctx, const struct value *v, void *plan)
{
	return set_number(ctx, plan, oid_scep_pki_status, v);
}

/* The fingerprint of the CA: one for a site, and another at the next. */
static void
reused_nonce(const struct credentials *cred, uint8_t out[NONCE_SIZE])
{
	for (size_t i = 0; i < NONCE_SIZE; i++)
		out[i] = (uint8_t)span_hex_pair(span_text(cred->ca_sha256),
		    2 * i);
}

/* `own`: what is there without the fault. */
static int
set_nonce(struct fault_context *ctx, struct scep_message *m, struct span oid,
    struct span own, int64_t how)
{
	uint8_t reused[NONCE_SIZE], *copy;
	struct span value = own;

	switch (how) {
	case NONCE_MISSING:
		drop(&m->sign, oid);
		return 0;
	case NONCE_REUSED:
		reused_nonce(ctx->credentials, reused);
		value = span_of(reused, sizeof(reused));
		break;
	case NONCE_SHORT:
		value.len /= 2;
		break;
	case NONCE_EMPTY:
		value.len = 0;
		break;
	case NONCE_ECHO:
		value = m->reply->recipient_nonce;
		break;
	case NONCE_SENDER:
		value = m->reply->sender_nonce;
		break;
	}
	if ((copy = fault_copy(ctx, value)) == NULL)
		return -1;
	for (size_t i = 0; how == NONCE_WRONG && i < value.len; i++)
		copy[i] = (uint8_t)~copy[i];
	return set(m, oid, DER_OCTET_STRING, span_of(copy, value.len));
}

static int
apply_sender_nonce(struct fault_context *ctx, const struct value *v, void *plan)
{
	struct scep_message *m = plan;

	return set_nonce(ctx, m, oid_scep_sender_nonce, m->reply->sender_nonce,
	    v->number);
}

static int
apply_recipient_nonce(struct fault_context *ctx, const struct value *v,
    void *plan)
{
	struct scep_message *m = plan;

	return set_nonce(ctx, m, oid_scep_recipient_nonce,
	    m->reply->recipient_nonce, v->number);
}

static int
apply_transaction_id(struct fault_context *ctx, const struct value *v,
    void *plan)
{
	struct scep_message *m = plan;
	const char *id = m->reply->transaction_id;
	struct span was = span_text(id == NULL ? "" : id);
	char *copy = fault_copy(ctx, was);

	if (copy == NULL)
		return -1;
	switch (v->number) {
	case ID_MISSING:
		drop(&m->sign, oid_scep_transaction_id);
		return 0;
	case ID_WRONG:
		if (was.len > 0)
			copy[was.len - 1] = copy[was.len - 1] == '0' ? '1' :
								       '0';
		break;
	case ID_EMPTY:
		was.len = 0;
		break;
	}
	for (size_t i = 0; i < was.len; i++)
		if (v->number == ID_UPPER)
			copy[i] = (char)toupper((unsigned char)copy[i]);
		else if (v->number == ID_LOWER)
			copy[i] = (char)tolower((unsigned char)copy[i]);
	return set(m, oid_scep_transaction_id, DER_PRINTABLE_STRING,
	    span_of(copy, was.len));
}

#define WORD(name, words, help)                             \
	{                                                   \
		"scep." name, VALUE_WORD, words, 0, 0, help \
	}
#define NUMBER(name, words, help)                                             \
	{                                                                     \
		"scep." name, VALUE_NUMBER, words, INT32_MIN, INT32_MAX, help \
	}

/* In this order: what comes later sees what came before. */
static const struct fault_kind kinds[] = {
	{ WORD("status", statuses, "What becomes of a request that is good"),
	    FAULT_APPROVAL | FAULT_SCEP, NULL, apply_status },
	{ NUMBER("fail_info", fail_infos,
	      "failInfo of a FAILURE, whoever has caused it, by name or as a "
	      "number; other replies have none"),
	    FAULT_SCEP, NULL, apply_fail_info },
	{ { "scep.fail_info_text", VALUE_BODY, NULL, 0, 1024,
	      "failInfoText (RFC 8894 3.2.1.4), whatever the status" },
	    FAULT_SCEP, NULL, apply_fail_info_text },
	{ NUMBER("microsoft.error", missing,
	      "Microsoft's attribute 1.3.6.1.4.1.311.21.33, an HRESULT"),
	    FAULT_SCEP, NULL, apply_microsoft_error },
	{ { "scep.microsoft.message", VALUE_BODY, NULL, 0, 1024,
	      "Microsoft's attribute 1.3.6.1.4.1.311.21.38" },
	    FAULT_SCEP, NULL, apply_microsoft_message },
	{ NUMBER("message_type", missing, "messageType: a CertRep is 3"),
	    FAULT_SCEP, NULL, apply_message_type },
	{ NUMBER("pki_status", missing,
	      "pkiStatus alone: the reply stays as it is (SUCCESS is 0, "
	      "FAILURE 2, PENDING 3)"),
	    FAULT_SCEP, NULL, apply_pki_status },
	{ WORD("sender_nonce", sender_nonces, "senderNonce, the server's"),
	    FAULT_SCEP, NULL, apply_sender_nonce },
	{ WORD("recipient_nonce", recipient_nonces,
	      "recipientNonce, the client's sent back"),
	    FAULT_SCEP, NULL, apply_recipient_nonce },
	{ WORD("transaction_id", transaction_ids, "transactionID"), FAULT_SCEP,
	    NULL, apply_transaction_id },
};

const struct fault_section fault_scep = FAULT_SECTION(kinds);
