/* `do: scep: attributes`: which signed attributes a CertRep has, and how. */
#include "fault/scep.h"

#include "base/der.h"

/* 1.3.6.1.4.1.32473.1: of the number that IANA keeps for examples. */
#define OID_UNKNOWN "\x2b\x06\x01\x04\x01\x81\xfd\x59\x01"
/* 1.2.840.113549.1.9.25.3 */
#define OID_RANDOM_NONCE "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x19\x03"

#define OIDS_OF_A_NAME 2
static const struct span *const named[][OIDS_OF_A_NAME] = {
	{ &oid_scep_message_type },
	{ &oid_scep_pki_status },
	{ &oid_scep_fail_info },
	{ &oid_scep_fail_info_text },
	{ &oid_scep_transaction_id },
	{ &oid_scep_sender_nonce },
	{ &oid_scep_recipient_nonce },
	{ &oid_content_type },
	{ &oid_message_digest },
	{ &oid_ms_scep_error, &oid_ms_scep_server_message },
};
static const struct word names[] = {
	{ "messageType", 0, NULL },
	{ "pkiStatus", 1, NULL },
	{ "failInfo", 2, NULL },
	{ "failInfoText", 3, NULL },
	{ "transactionID", 4, NULL },
	{ "senderNonce", 5, NULL },
	{ "recipientNonce", 6, NULL },
	{ "contentType", 7, NULL },
	{ "messageDigest", 8, NULL },
	{ "microsoft", 9, "Both of Microsoft's" },
	{ NULL, 0, NULL },
};

enum { ADD_SIGNING_TIME, ADD_RANDOM_NONCE, ADD_FAIL_INFO_TEXT, ADD_UNKNOWN };
static const struct word additions[] = {
	{ "signingTime", ADD_SIGNING_TIME, "The site's time" },
	{ "randomNonce", ADD_RANDOM_NONCE, "1.2.840.113549.1.9.25.3" },
	{ "failInfoText", ADD_FAIL_INFO_TEXT, NULL },
	{ "unknown", ADD_UNKNOWN, "1.3.6.1.4.1.32473.1, which nobody knows" },
	{ NULL, 0, NULL },
};
static const struct word orders[] = {
	{ "unsorted", SCEP_ORDER_LISTED,
	    "Those of SCEP, then those of CMS; signed as sent" },
	{ "reversed", SCEP_ORDER_REVERSED,
	    "DER's from the end to the beginning; signed as sent" },
	{ NULL, 0, NULL },
};
static const struct word strings[] = {
	{ "utf8", DER_UTF8_STRING, NULL },
	{ "ia5", DER_IA5_STRING, NULL },
	{ "t61", DER_T61_STRING, NULL },
	{ "bmp", DER_BMP_STRING, "Two octets a character" },
	{ NULL, 0, NULL },
};

static bool
is_named(const struct value *v, struct span oid)
{
	for (size_t i = 0; i < v->count; i++)
		for (size_t k = 0; k < OIDS_OF_A_NAME; k++) {
			const struct span *one = named[v->numbers[i]][k];

			if (one != NULL && span_equal(*one, oid))
				return true;
		}
	return false;
}

static int
apply_drop(struct fault_context *ctx, const struct value *v, void *plan)
{
	struct scep_signed *s = &((struct scep_message *)plan)->sign;
	size_t kept = 0;

	(void)ctx;
	for (size_t i = 0; i < s->count; i++)
		if (!is_named(v, s->attributes[i].oid))
			s->attributes[kept++] = s->attributes[i];
	s->count = kept;
	return 0;
}

/* A value that is made here. */
static int
add(struct fault_context *ctx, struct scep_message *m, struct span oid, int tag,
    struct span value)
{
	uint8_t *copy = fault_copy(ctx, value);

	return copy == NULL ? -1 :
			      fault_attribute_add(&m->sign,
				  (struct scep_attribute){ oid, tag,
				      span_of(copy, value.len), 1 });
}

static int
add_signing_time(struct fault_context *ctx, struct scep_message *m)
{
	struct buffer b = { 0 };
	struct span rest;
	struct der d;
	int ret = -1;

	der_add_time(&b, ctx->exchange->at);
	rest = buffer_span(&b);
	if (!b.failed && der_next(&rest, &d) == 0)
		ret = add(ctx, m, oid_signing_time, d.tag, d.content);
	buffer_free(&b);
	return ret;
}

static int
add_random_nonce(struct fault_context *ctx, struct scep_message *m)
{
	uint8_t nonce[16];

	for (size_t i = 0; i < sizeof(nonce); i++)
		nonce[i] = (uint8_t)fault_draw(ctx);
	return add(ctx, m,
	    span_of(OID_RANDOM_NONCE, sizeof(OID_RANDOM_NONCE) - 1),
	    DER_OCTET_STRING, span_of(nonce, sizeof(nonce)));
}

static int
apply_add(struct fault_context *ctx, const struct value *v, void *plan)
{
	struct scep_message *m = plan;
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < v->count; i++)
		switch (v->numbers[i]) {
		case ADD_SIGNING_TIME:
			ret = add_signing_time(ctx, m);
			break;
		case ADD_RANDOM_NONCE:
			ret = add_random_nonce(ctx, m);
			break;
		case ADD_FAIL_INFO_TEXT:
			ret = add(ctx, m, oid_scep_fail_info_text,
			    DER_UTF8_STRING, span_text("as ordered"));
			break;
		case ADD_UNKNOWN:
			ret = add(ctx, m,
			    span_of(OID_UNKNOWN, sizeof(OID_UNKNOWN) - 1),
			    DER_UTF8_STRING, span_text("mockndes"));
			break;
		}
	return ret;
}

static int
apply_duplicate(struct fault_context *ctx, const struct value *v, void *plan)
{
	struct scep_signed *s = &((struct scep_message *)plan)->sign;
	size_t count = s->count;
	int ret = 0;

	(void)ctx;
	for (size_t i = 0; ret == 0 && i < count; i++)
		if (is_named(v, s->attributes[i].oid))
			ret = fault_attribute_add(s, s->attributes[i]);
	return ret;
}

static void
repeat(void *plan, const struct value *v, unsigned values)
{
	struct scep_signed *s = &((struct scep_message *)plan)->sign;

	for (size_t i = 0; i < s->count; i++)
		if (is_named(v, s->attributes[i].oid))
			s->attributes[i].values = values;
}

static int
apply_no_value(struct fault_context *ctx, const struct value *v, void *plan)
{
	(void)ctx;
	repeat(plan, v, 0);
	return 0;
}

static int
apply_two_values(struct fault_context *ctx, const struct value *v, void *plan)
{
	(void)ctx;
	repeat(plan, v, 2);
	return 0;
}

static int
apply_order(struct fault_context *ctx, const struct value *v, void *plan)
{
	(void)ctx;
	((struct scep_message *)plan)->sign.order = (enum scep_order)v->number;
	return 0;
}

/* Two octets a character, the first of them zero. */
static int
widen(struct fault_context *ctx, struct span *value)
{
	uint8_t *wide = exchange_alloc(ctx->exchange, 2 * value->len + 1);

	if (wide == NULL)
		return -1;
	for (size_t i = 0; i < value->len; i++)
		wide[2 * i + 1] = value->data[i];
	*value = span_of(wide, 2 * value->len);
	return 0;
}

static int
apply_strings(struct fault_context *ctx, const struct value *v, void *plan)
{
	struct scep_signed *s = &((struct scep_message *)plan)->sign;

	for (size_t i = 0; i < s->count; i++) {
		struct scep_attribute *a = &s->attributes[i];

		if (a->tag != DER_PRINTABLE_STRING)
			continue;
		if (v->number == DER_BMP_STRING && widen(ctx, &a->value) == -1)
			return -1;
		a->tag = (int)v->number;
	}
	return 0;
}

#define NAMES(name, words, help)                                        \
	{                                                               \
		"scep.attributes." name, VALUE_WORDS, words, 0, 0, help \
	}
#define WORD(name, words, help)                                        \
	{                                                              \
		"scep.attributes." name, VALUE_WORD, words, 0, 0, help \
	}

/* In this order. */
static const struct fault_kind kinds[] = {
	{ NAMES("drop", names, "Signed attributes that are left out"),
	    FAULT_SCEP, NULL, apply_drop },
	{ NAMES("add", additions, "Signed attributes that are there too"),
	    FAULT_SCEP, NULL, apply_add },
	{ NAMES("duplicate", names, "Signed attributes that are there twice"),
	    FAULT_SCEP, NULL, apply_duplicate },
	{ NAMES("no_value", names, "Signed attributes with an empty SET"),
	    FAULT_SCEP, NULL, apply_no_value },
	{ NAMES("two_values", names,
	      "Signed attributes with the same value twice in their SET"),
	    FAULT_SCEP, NULL, apply_two_values },
	{ WORD("strings", strings,
	      "Type of the strings in them, in place of PrintableString"),
	    FAULT_SCEP, NULL, apply_strings },
	{ WORD("order", orders, "In which order they are, in place of DER's"),
	    FAULT_SCEP, NULL, apply_order },
};

const struct fault_section fault_scep_attributes = FAULT_SECTION(kinds);
