/*
 * ASN.1 as a test row writes it: octets in hex, the content of an element in
 * braces, texts in quotes. "30{ 02{00} 13{'ab'} }" is 30 07 02 01 00 13 02
 * 61 62. The lengths are counted by the builder of the server.
 */
#ifndef UNIT_NOTATION_H
#define UNIT_NOTATION_H

#include "unit/hex.h"

#include <ctype.h>

#include "base/der.h"

/* Up to the end, or to the brace that closes. */
static inline const char *
notation_add(struct buffer *b, const char *at)
{
	char digits[3] = "";
	size_t begun;

	while (*at != '\0' && *at != '}') {
		if (isspace((unsigned char)*at)) {
			at++;
		} else if (*at == '\'') {
			for (at++; *at != '\''; at++)
				buffer_add_byte(b, (uint8_t)*at);
			at++;
		} else {
			assert_true(isxdigit((unsigned char)at[0]) &&
			    isxdigit((unsigned char)at[1]));
			memcpy(digits, at, 2);
			at += 2;
			begun = der_begin(b, (int)strtoul(digits, NULL, 16));
			if (*at != '{')
				continue;
			at = notation_add(b, at + 1);
			assert_int_equal(*at, '}');
			der_end(b, begun);
			at++;
		}
	}
	return at;
}

/* The caller frees it with blob_free(). */
static inline struct blob
notation_blob(const char *text)
{
	struct buffer b = { 0 };
	struct blob out;

	assert_int_equal(*notation_add(&b, text), '\0');
	out = exact_copy(b.data, b.len);
	buffer_free(&b);
	return out;
}

#define OID(bytes) "06{" bytes "}"
#define PKCS7(last) OID("2a 86 48 86 f7 0d 01 07 " last)
#define PKCS9(last) OID("2a 86 48 86 f7 0d 01 09 " last)
#define SCEP(last) OID("60 86 48 01 86 f8 45 01 09 " last)
/* An Attribute. */
#define HAS(oid, values) "30{" oid "31{" values "}}"

#endif
