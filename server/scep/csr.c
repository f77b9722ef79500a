#include "scep/scep.h"

#include <stdlib.h>
#include <string.h>

#include "base/der.h"

#define REPLACEMENT 0xfffd /* for what is not Unicode */

static void
add_utf8(struct buffer *b, uint32_t c)
{
	if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		c = REPLACEMENT;
	if (c < 0x80) {
		buffer_add_byte(b, (uint8_t)c);
	} else if (c < 0x800) {
		buffer_add_byte(b, (uint8_t)(0xc0 | c >> 6));
		buffer_add_byte(b, (uint8_t)(0x80 | (c & 0x3f)));
	} else if (c < 0x10000) {
		buffer_add_byte(b, (uint8_t)(0xe0 | c >> 12));
		buffer_add_byte(b, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
		buffer_add_byte(b, (uint8_t)(0x80 | (c & 0x3f)));
	} else {
		buffer_add_byte(b, (uint8_t)(0xf0 | (c >> 18 & 7)));
		buffer_add_byte(b, (uint8_t)(0x80 | (c >> 12 & 0x3f)));
		buffer_add_byte(b, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
		buffer_add_byte(b, (uint8_t)(0x80 | (c & 0x3f)));
	}
}

/* The next character of UTF-8; what is not one is taken octet by octet. */
static uint32_t
next_utf8(struct span *s)
{
	static const uint32_t least[] = { 0, 0x80, 0x800, 0x10000 };
	uint32_t c = s->data[0];
	size_t more = c < 0xc0 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;

	if (c >= 0x80 && c < 0xc0)
		c = REPLACEMENT;
	else if (more > 0)
		c &= 0x3fU >> more;
	for (size_t i = 1; i <= more; i++) {
		if (i >= s->len || (s->data[i] & 0xc0) != 0x80) {
			c = REPLACEMENT;
			more = 0;
			break;
		}
		c = c << 6 | (s->data[i] & 0x3f);
	}
	if (c < least[more])
		c = REPLACEMENT;
	*s = span_of(s->data + 1 + more, s->len - 1 - more);
	return c;
}

/* The next character of `width` octets; UTF-16 pairs become one. */
static uint32_t
next_wide(struct span *s, size_t width)
{
	uint32_t c = 0, low;

	for (size_t i = 0; i < width; i++)
		c = c << 8 | s->data[i];
	*s = span_of(s->data + width, s->len - width);
	if (width != 2 || c < 0xd800 || c > 0xdbff || s->len < 2)
		return c;
	low = (uint32_t)s->data[0] << 8 | s->data[1];
	if (low < 0xdc00 || low > 0xdfff)
		return c;
	*s = span_of(s->data + 2, s->len - 2);
	return 0x10000 + ((c & 0x3ff) << 10) + (low & 0x3ff);
}

/* Octets of a character in this kind of string; 0: not a DirectoryString. */
static size_t
character_width(int tag)
{
	switch (tag) {
	case DER_UTF8_STRING:
	case DER_PRINTABLE_STRING:
	case DER_IA5_STRING:
	case DER_T61_STRING:
		return 1;
	case DER_BMP_STRING:
		return 2;
	case DER_UNIVERSAL_STRING:
		return 4;
	}
	return 0;
}

/*
 * A DirectoryString as UTF-8. T61 is read as Latin-1, which is what its
 * senders mean. NULL: another type, a NUL inside, or no memory.
 */
static char *
string_utf8(const struct der *d)
{
	size_t width = character_width(d->tag);
	struct span rest = d->content;
	struct buffer b = { 0 };
	struct blob text;

	if (width == 0 || rest.len % width != 0)
		return NULL;
	while (rest.len > 0)
		add_utf8(&b,
		    width == 1 && d->tag != DER_T61_STRING ?
			next_utf8(&rest) :
			next_wide(&rest, width));
	if (b.len > 0 && memchr(b.data, 0, b.len) != NULL)
		b.failed = true;
	buffer_add_byte(&b, 0);
	return buffer_finish(&b, &text) == 0 ? (char *)text.data : NULL;
}

static int
read_attribute(struct span attribute, struct scep_csr *out, struct error *err)
{
	struct span oid, values, list;
	struct der value;

	if (der_expect(&attribute, DER_OID, &oid) == -1 ||
	    der_expect(&attribute, DER_SET, &values) == -1)
		return error_set(err, "RFC 2986 4.1: a broken attribute");
	if (der_oid_is(oid, oid_challenge_password)) {
		if (out->challenge != NULL)
			return error_set(err,
			    "RFC 2985 5.4.1: two challengePasswords");
		if (der_next(&values, &value) == -1 ||
		    (out->challenge = string_utf8(&value)) == NULL)
			return error_set(err,
			    "RFC 2985 5.4.1: the "
			    "challengePassword is not a DirectoryString");
	} else if (der_oid_is(oid, oid_extension_request)) {
		if (der_expect(&values, DER_SEQUENCE, &list) == -1)
			return error_set(err,
			    "RFC 2985 5.4.2: the "
			    "extensionRequest is not Extensions");
		out->extensions = list;
	}
	return 0;
}

int
scep_csr_read(struct span der, struct scep_csr *out, struct error *err)
{
	struct span csr, info, version, attribute;
	struct der subject, spki, attributes;

	*out = (struct scep_csr){ 0 };
	if (der_expect(&der, DER_SEQUENCE, &csr) == -1 ||
	    der_expect(&csr, DER_SEQUENCE, &info) == -1 ||
	    der_expect(&info, DER_INTEGER, &version) == -1 ||
	    der_next(&info, &subject) == -1 || subject.tag != DER_SEQUENCE ||
	    der_next(&info, &spki) == -1 || spki.tag != DER_SEQUENCE)
		return error_set(err,
		    "RFC 2986 4.1: the content is not a "
		    "CertificationRequest");
	out->subject = subject.whole;
	out->spki = spki.whole;
	/* They are not optional, but some clients leave them out. */
	if (info.len == 0)
		return 0;
	if (!der_optional(&info, DER_CONTEXT_CONSTRUCTED(0), &attributes))
		return error_set(err,
		    "RFC 2986 4.1: the attributes are broken");
	while (attributes.content.len > 0)
		if (der_expect(&attributes.content, DER_SEQUENCE, &attribute) ==
			-1 ||
		    read_attribute(attribute, out, err) == -1) {
			free(out->challenge);
			out->challenge = NULL;
			return error_set(err,
			    "RFC 2986 4.1: the attributes "
			    "are broken");
		}
	return 0;
}

int
scep_csr_verify(struct crypto *c, struct span der, struct evp_pkey_st *key,
    struct error *err)
{
	struct span csr, algorithm, oid, signature;
	struct der info;
	enum digest digest;

	if (der_expect(&der, DER_SEQUENCE, &csr) == -1 ||
	    der_next(&csr, &info) == -1 ||
	    der_expect(&csr, DER_SEQUENCE, &algorithm) == -1 ||
	    der_expect(&algorithm, DER_OID, &oid) == -1 ||
	    der_expect(&csr, DER_BIT_STRING, &signature) == -1 ||
	    signature.len < 1)
		return error_set(err, "RFC 2986 4.2: no signature");
	signature = span_of(signature.data + 1, signature.len - 1);
	if ((digest = digest_by_signature_oid(oid)) == DIGEST_COUNT)
		return error_set(err,
		    "RFC 2986 4.2: the CSR is signed with "
		    "an unknown algorithm");
	if (crypto_verify(c, key, digest, info.whole, signature) == -1)
		return error_set(err,
		    "RFC 2986 4.2: the signature of the CSR "
		    "does not verify with its own key");
	return 0;
}
