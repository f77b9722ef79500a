/*
 * DER as lax BER (X.690 8.1.3.6, 8.7.3). What a signature covers by its bytes
 * stays as it is: certificates, and signed attributes (RFC 5652 5.4).
 */
#include "fault/inside.h"

#include "base/der.h"

#define CONSTRUCTED 0x20
#define SEGMENT_MAX 1000 /* octets */

static bool
is_next(struct span *rest, int tag, struct der *out)
{
	return der_next(rest, out) == 0 && out->tag == tag;
}

/* X.509's SIGNED: a certificate or a CRL. */
static bool
is_signed(const struct der *d)
{
	struct span rest = d->content;
	struct der x;

	return d->tag == DER_SEQUENCE && is_next(&rest, DER_SEQUENCE, &x) &&
	    is_next(&rest, DER_SEQUENCE, &x) &&
	    is_next(&rest, DER_BIT_STRING, &x) && rest.len == 0;
}

/* RFC 5652 5.3: [0] or [1], of Attributes. */
static bool
is_attributes(const struct der *d)
{
	struct span rest = d->content, inner;
	struct der x;

	if ((d->tag != DER_CONTEXT_CONSTRUCTED(0) &&
		d->tag != DER_CONTEXT_CONSTRUCTED(1)) ||
	    !is_next(&rest, DER_SEQUENCE, &x))
		return false;
	inner = x.content;
	return is_next(&inner, DER_OID, &x) && is_next(&inner, DER_SET, &x) &&
	    inner.len == 0;
}

/* A tag and what ends it; `begun` as of der_begin(). */
static size_t
begin(struct buffer *b, int tag, unsigned how)
{
	size_t begun = der_begin(b, tag);

	if (how & BER_INDEFINITE)
		buffer_add_byte(b, 0x80);
	return begun;
}

static void
end(struct buffer *b, size_t begun, unsigned how)
{
	if (how & BER_INDEFINITE)
		buffer_add(b, "\0", 2);
	else
		der_end(b, begun);
}

/* At least two segments, where there are two octets. */
static void
add_segments(struct buffer *b, struct span content, unsigned how)
{
	size_t begun = begin(b, DER_OCTET_STRING | CONSTRUCTED, how);
	size_t len = content.len / 2 + 1;

	if (len > SEGMENT_MAX)
		len = SEGMENT_MAX;
	for (size_t at = 0; at < content.len; at += len)
		der_add(b, DER_OCTET_STRING,
		    span_of(content.data + at,
			content.len - at < len ? content.len - at : len));
	end(b, begun, how);
}

static bool
is_well(struct span content)
{
	struct der d;

	while (content.len > 0)
		if (der_next(&content, &d) == -1)
			return false;
	return true;
}

static void
add(struct buffer *b, const struct der *d, unsigned how, int depth)
{
	struct span rest = d->content;
	struct der inner;
	size_t begun;

	if (d->tag == DER_OCTET_STRING && (how & BER_CONSTRUCTED)) {
		add_segments(b, d->content, how);
	} else if ((d->tag & CONSTRUCTED) == 0 || depth > DER_MAX_DEPTH ||
	    is_attributes(d) || (is_signed(d) && depth > 0) || !is_well(rest)) {
		buffer_add_span(b, d->whole);
	} else {
		begun = begin(b, d->tag, how);
		while (der_next(&rest, &inner) == 0) {
			/* Of a certificate alone only the frame is ours. */
			if (is_signed(d))
				buffer_add_span(b, inner.whole);
			else
				add(b, &inner, how, depth + 1);
		}
		end(b, begun, how);
	}
}

int
ber_from_der(struct span der, unsigned how, struct blob *out)
{
	struct buffer b = { 0 };
	struct der d;

	if (der_next(&der, &d) == -1 || der.len > 0)
		return -1;
	add(&b, &d, how, 0);
	return buffer_finish(&b, out);
}
