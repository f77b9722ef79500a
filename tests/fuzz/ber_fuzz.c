/* BER becomes DER, and stays it. */
#include "fuzz/fuzz.h"
#include "fuzz/mutate.h"

#include <openssl/asn1.h>
#include <openssl/err.h>

#include "base/der.h"

#define CONSTRUCTED 0x20

size_t
LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
	return mutate_der_input(data, size, max, seed);
}

static size_t
shortest_head(size_t len)
{
	size_t octets = 0;

	for (size_t l = len; l > 0; l >>= 8)
		octets++;
	return len < 0x80 ? 2 : 2 + octets;
}

/* What is read is written as it was, if that was as short as can be. */
static void
check_integer(struct span content)
{
	int32_t value = der_small_integer(content);
	bool minimal = content.len == 1 ||
	    (content.len > 1 &&
		(content.data[0] != 0 || content.data[1] & 0x80));
	struct buffer b = { 0 };
	struct span rest, again;

	if (value == -1)
		return;
	der_add_small_integer(&b, (unsigned)value);
	rest = buffer_span(&b);
	REQUIRE(der_expect(&rest, DER_INTEGER, &again) == 0);
	REQUIRE(der_small_integer(again) == value);
	REQUIRE(again.len <= content.len);
	REQUIRE(!minimal || span_equal(again, content));
	buffer_free(&b);
}

/* Every element is whole, of definite and of shortest length. */
static void
walk(struct span rest, int depth)
{
	struct der d;

	REQUIRE(depth <= DER_MAX_DEPTH + 1);
	while (rest.len > 0) {
		REQUIRE(der_next(&rest, &d) == 0);
		REQUIRE(d.whole.len - d.content.len ==
		    shortest_head(d.content.len));
		REQUIRE(d.content.data + d.content.len ==
		    d.whole.data + d.whole.len);
		if (d.tag == DER_INTEGER)
			check_integer(d.content);
		if (!(d.tag & CONSTRUCTED))
			continue;
		REQUIRE(d.tag != (DER_OCTET_STRING | CONSTRUCTED) &&
		    d.tag != (DER_UTF8_STRING | CONSTRUCTED));
		walk(d.content, depth + 1);
	}
}

/* Of whatever comes, only what is there. */
static void
read_raw(struct span rest, int depth)
{
	struct span before = rest;
	struct der d;

	for (; der_next(&rest, &d) == 0; before = rest) {
		REQUIRE(d.whole.data == before.data);
		REQUIRE(d.whole.len + rest.len == before.len);
		REQUIRE(d.content.len < d.whole.len);
		if (depth < DER_MAX_DEPTH)
			read_raw(d.content, depth + 1);
	}
	REQUIRE(span_equal(rest, before));
}

/* Segments are joined as OpenSSL joins them. */
static void
compare_string(struct span in, struct span out)
{
	const uint8_t *at = in.data;
	ASN1_OCTET_STRING *s = d2i_ASN1_OCTET_STRING(NULL, &at, (long)in.len);
	struct span content;

	if (s != NULL) {
		REQUIRE(der_expect(&out, DER_OCTET_STRING, &content) == 0);
		REQUIRE(span_equal(content,
		    span_of(ASN1_STRING_get0_data(s),
			(size_t)ASN1_STRING_length(s))));
	}
	ASN1_OCTET_STRING_free(s);
	ERR_clear_error();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, size);
	struct blob der, again;

	read_raw(in, 0);
	if (der_from_ber(in, &der) == -1) {
		REQUIRE(der.data == NULL && der.len == 0);
		return 0;
	}
	/* A BIT STRING without segments gets an octet: 23 00, 03 01 00. */
	REQUIRE(der.len <= size + size / 2);
	walk(blob_span(&der), 0);
	REQUIRE(der_from_ber(blob_span(&der), &again) == 0);
	REQUIRE(span_equal(blob_span(&der), blob_span(&again)));
	if (data[0] == (DER_OCTET_STRING | CONSTRUCTED))
		compare_string(in, blob_span(&der));
	blob_free(&der);
	blob_free(&again);
	return 0;
}
