/* `do: bytes`: the body of an answer, whatever it is. */
#include "fault/inside.h"

#include "base/der.h"

#define AMOUNT_MAX (1 << 30)
#define APPEND_MAX (1 << 20)
#define COLUMNS 64

enum { FLIP_RANDOM };
static const struct word flips[] = {
	{ "random", FLIP_RANDOM, "Any of them; the same at each replay" },
	{ 0 },
};

enum { ENCODING_PEM, ENCODING_BASE64 };
static const struct word encodings[] = {
	{ "pem", ENCODING_PEM,
	    "PKCS7, CMS, CERTIFICATE or X509 CRL, as fits; a body that is no "
	    "ASN.1 stays" },
	{ "base64", ENCODING_BASE64, "In lines of 64, without a frame" },
	{ 0 },
};

static const struct word bers[] = {
	{ "indefinite", BER_INDEFINITE, "Indefinite lengths" },
	{ "constructed", BER_CONSTRUCTED,
	    "OCTET STRINGs in segments, definite lengths" },
	{ "both", BER_INDEFINITE | BER_CONSTRUCTED, NULL },
	{ 0 },
};

/* Which octet an amount comes to. */
static uint64_t
octets(const struct value *v, size_t len)
{
	return v->is_percent ? (uint64_t)len * (uint64_t)v->number / 100 :
			       (uint64_t)v->number;
}

static int
cut(struct fault_context *ctx, const struct value *v, void *plan)
{
	struct blob *body = plan;
	uint64_t at = octets(v, body->len);

	(void)ctx;
	if (at < body->len)
		body->len = (size_t)at;
	return 0;
}

static int
flip(struct fault_context *ctx, const struct value *v, void *plan)
{
	struct blob *body = plan;
	uint64_t at;

	if (body->len == 0)
		return 0;
	at = v->is_word ? fault_draw(ctx) % body->len : octets(v, body->len);
	if (v->is_percent && at == body->len)
		at--;
	if (at < body->len)
		body->data[at] ^= 0xff;
	return 0;
}

/* In place of what was there; -1: no memory. */
static int
replace(struct blob *body, struct buffer *b)
{
	struct blob out;

	if (buffer_finish(b, &out) == -1)
		return -1;
	blob_free(body);
	*body = out;
	return 0;
}

static int
append(struct fault_context *ctx, const struct value *v, void *plan)
{
	struct blob *body = plan;
	struct buffer b = { 0 };

	buffer_add_span(&b, blob_span(body));
	buffer_add(&b, v->text, v->length);
	return replace(body, &b) == -1 ? error_set(ctx->err, "out of memory") :
					 0;
}

/* RFC 4648 4, of at most three octets. */
static void
add_base64(struct buffer *b, const uint8_t *in, size_t len)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz0123456789+/";
	uint32_t bits = (uint32_t)in[0] << 16;

	if (len > 1)
		bits |= (uint32_t)in[1] << 8;
	if (len > 2)
		bits |= in[2];
	buffer_add_byte(b, (uint8_t)letters[bits >> 18]);
	buffer_add_byte(b, (uint8_t)letters[bits >> 12 & 63]);
	buffer_add_byte(b, len > 1 ? (uint8_t)letters[bits >> 6 & 63] : '=');
	buffer_add_byte(b, len > 2 ? (uint8_t)letters[bits & 63] : '=');
}

static void
add_lines(struct buffer *b, struct span in)
{
	for (size_t at = 0; at < in.len; at += 3) {
		add_base64(b, in.data + at, in.len - at < 3 ? in.len - at : 3);
		if ((at / 3 + 1) % (COLUMNS / 4) == 0 || at + 3 >= in.len)
			buffer_add_byte(b, '\n');
	}
}

/* RFC 7468: a ContentInfo, a certificate, a CRL; NULL: nothing of these. */
static const char *
label_of_der(struct span der)
{
	struct span inner, list;
	struct x509 cert;
	struct der d, tbs;

	if (x509_read(der, &cert) == 0)
		return "CERTIFICATE";
	if (der_next(&der, &d) == -1 || d.tag != DER_SEQUENCE || der.len > 0)
		return NULL;
	inner = d.content;
	if (der_next(&inner, &tbs) == -1)
		return NULL;
	if (tbs.tag == DER_OID)
		return span_equal(tbs.content, oid_signed_data) ? "PKCS7" :
								  "CMS";
	list = tbs.content;
	return tbs.tag == DER_SEQUENCE && der_next(&list, &d) == 0 &&
		d.tag == DER_INTEGER && der_next(&list, &d) == 0 &&
		d.tag == DER_SEQUENCE ?
	    "X509 CRL" :
	    NULL;
}

static const char *
label_of(struct span body)
{
	struct blob der;
	const char *label;

	if (der_from_ber(body, &der) == -1)
		return NULL;
	label = label_of_der(blob_span(&der));
	blob_free(&der);
	return label;
}

static int
encode(struct fault_context *ctx, const struct value *v, void *plan)
{
	struct blob *body = plan;
	struct buffer b = { 0 };
	const char *label = NULL;

	if (v->number == ENCODING_PEM &&
	    (label = label_of(blob_span(body))) == NULL)
		return 0;
	if (label != NULL)
		buffer_printf(&b, "-----BEGIN %s-----\n", label);
	add_lines(&b, blob_span(body));
	if (label != NULL)
		buffer_printf(&b, "-----END %s-----\n", label);
	return replace(body, &b) == -1 ? error_set(ctx->err, "out of memory") :
					 0;
}

static int
ber(struct fault_context *ctx, const struct value *v, void *plan)
{
	struct blob *body = plan, out;

	(void)ctx;
	if (ber_from_der(blob_span(body), (unsigned)v->number, &out) == 0) {
		blob_free(body);
		*body = out;
	}
	return 0;
}

static const struct fault_kind kinds[] = {
	{ { "bytes.ber", VALUE_WORD, bers, 0, 0,
	      "BER in place of DER; certificates and what is signed stay DER, "
	      "so that signatures verify" },
	    FAULT_BYTES, NULL, ber },
	{ { "bytes.encoding", VALUE_WORD, encodings, 0, 0,
	      "Text in place of DER; the content type stays" },
	    FAULT_BYTES, NULL, encode },
	{ { "bytes.cut", VALUE_AMOUNT, NULL, 0, AMOUNT_MAX,
	      "Keep so many octets of the body, and say its new length" },
	    FAULT_BYTES, NULL, cut },
	{ { "bytes.flip", VALUE_AMOUNT, flips, 0, AMOUNT_MAX,
	      "Turn all bits of the octet at this place, from 0; beyond the "
	      "end nothing happens" },
	    FAULT_BYTES, NULL, flip },
	{ { "bytes.append", VALUE_BODY, NULL, 0, APPEND_MAX,
	      "Put this behind the body" },
	    FAULT_BYTES, NULL, append },
};

const struct fault_section fault_bytes = FAULT_SECTION(kinds);
