#include "scep/scep.h"

#include <stdlib.h>
#include <string.h>

#include "base/der.h"

static void
add_utf8(struct buffer *b, uint32_t c)
{
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

/*
 * A DirectoryString as UTF-8. T61 is read as Latin-1, which is what its
 * senders mean. NULL: another type, a NUL inside, or no memory.
 */
static char *
string_utf8(const struct der *d)
{
	struct buffer b = { 0 };
	struct blob text;
	size_t width = d->tag == DER_BMP_STRING ? 2 :
	    d->tag == DER_UNIVERSAL_STRING	? 4 :
						  1;

	switch (d->tag) {
	case DER_UTF8_STRING:
	case DER_PRINTABLE_STRING:
	case DER_IA5_STRING:
		buffer_add_span(&b, d->content);
		break;
	case DER_T61_STRING:
	case DER_BMP_STRING:
	case DER_UNIVERSAL_STRING:
		if (d->content.len % width != 0)
			return NULL;
		for (size_t at = 0; at < d->content.len; at += width) {
			uint32_t c = 0;

			for (size_t i = 0; i < width; i++)
				c = c << 8 | d->content.data[at + i];
			add_utf8(&b, c);
		}
		break;
	default:
		return NULL;
	}
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
	if (!der_optional(&info, DER_CONTEXT_CONSTRUCTED(0), &attributes))
		return 0;
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
