/* X.690, with OpenSSL as the other opinion wherever it has one. */
#include "unit/device.h"

#include "base/der.h"

#define REFUSED (-1)

static const struct reading {
	const char *row, *in;
	int tag; /* or REFUSED */
	const char *content, *rest;
} readings[] = {
	{ "nothing", "", REFUSED, NULL, NULL },
	{ "a tag alone", "04", REFUSED, NULL, NULL },
	{ "an empty element", "05 00", 0x05, "", "" },
	{ "an element and what follows", "04 01 41 05 00", 0x04, "41",
	    "05 00" },
	{ "a constructed element", "30 03 02 01 07", 0x30, "02 01 07", "" },
	{ "a context tag", "a0 02 05 00", 0xa0, "05 00", "" },
	{ "content that is one octet short", "04 02 41", REFUSED, NULL, NULL },
	{ "a long form that says little", "04 81 01 41", 0x04, "41", "" },
	{ "a long form without its octet", "04 81", REFUSED, NULL, NULL },
	{ "a long form cut in its length", "04 82 00", REFUSED, NULL, NULL },
	{ "a long form cut in its content", "04 82 00 02 41", REFUSED, NULL,
	    NULL },
	{ "a length in eight octets", "04 88 00 00 00 00 00 00 00 01 41", 0x04,
	    "41", "" },
	{ "a length in nine octets", "04 89 00 00 00 00 00 00 00 00 01 41",
	    REFUSED, NULL, NULL },
	{ "a length of 4 GiB", "04 85 01 00 00 00 00 41", REFUSED, NULL, NULL },
	{ "a length of 2^63", "04 88 80 00 00 00 00 00 00 00 41", REFUSED, NULL,
	    NULL },
	{ "a length of 2^64-1", "04 88 ff ff ff ff ff ff ff ff 41", REFUSED,
	    NULL, NULL },
	{ "a length that comes round to nothing with its head",
	    "04 88 ff ff ff ff ff ff ff f6 41", REFUSED, NULL, NULL },
	{ "the reserved length octet", "04 ff 41", REFUSED, NULL, NULL },
	{ "an indefinite length", "30 80 05 00 00 00", REFUSED, NULL, NULL },
	{ "a tag of several octets", "1f 81 01 00", REFUSED, NULL, NULL },
	{ "a constructed tag of several octets", "bf 01 00", REFUSED, NULL,
	    NULL },
};

static void
next_element(void **state)
{
	const struct reading *t = *state;
	struct blob given = hex_blob(t->in);
	struct blob in = exact_copy(given.data, given.len);
	struct span rest = blob_span(&in);
	struct der d;

	assert_int_equal(der_next(&rest, &d), t->tag == REFUSED ? -1 : 0);
	if (t->tag == REFUSED) {
		assert_ptr_equal(rest.data, in.data);
		assert_int_equal(rest.len, in.len);
	} else {
		assert_int_equal(d.tag, t->tag);
		assert_hex(d.content, t->content);
		assert_hex(rest, t->rest);
		assert_ptr_equal(d.whole.data, in.data);
		assert_int_equal(d.whole.len + rest.len, in.len);
	}
	blob_free(&given);
	blob_free(&in);
}

static void
expected_tag(void **state)
{
	struct span in = span_of("\x02\x01\x07\x05\x00", 5), content;
	struct span rest = in;

	(void)state;
	assert_int_equal(der_expect(&rest, DER_OCTET_STRING, &content), -1);
	assert_ptr_equal(rest.data, in.data);
	assert_int_equal(der_expect(&rest, DER_INTEGER, &content), 0);
	assert_hex(content, "07");
	assert_int_equal(rest.len, 2);
}

static void
optional_element(void **state)
{
	struct span rest = span_of("\xa0\x02\x05\x00\x02\x01\x07", 7);
	struct der d;

	(void)state;
	assert_int_equal(der_optional(&rest, DER_CONTEXT(0), &d), 0);
	assert_int_equal(rest.len, 7);
	assert_int_equal(der_optional(&rest, 0xa0, &d), 1);
	assert_hex(d.content, "05 00");
	assert_int_equal(der_optional(&rest, 0xa0, &d), 0);
	assert_int_equal(rest.len, 3);
	rest = SPAN_EMPTY;
	assert_int_equal(der_optional(&rest, 0xa0, &d), 0);
}

static const struct small {
	const char *row, *content;
	int32_t value;
} smalls[] = {
	{ "zero", "00", 0 },
	{ "one octet", "7f", 127 },
	{ "a zero before a high bit", "00 80", 128 },
	{ "the largest", "7f ff ff ff", INT32_MAX },
	{ "the largest with a zero", "00 7f ff ff ff", INT32_MAX },
	{ "one more than the largest", "00 80 00 00 00", -1 },
	{ "negative", "80", -1 },
	{ "negative in four octets", "ff ff ff ff", -1 },
	{ "six octets", "00 00 00 00 00 01", -1 },
	{ "no octets", "", -1 },
};

static void
small_integer(void **state)
{
	const struct small *t = *state;
	struct blob content = hex_blob(t->content);

	assert_int_equal(der_small_integer(blob_span(&content)), t->value);
	blob_free(&content);
}

static const struct conversion {
	const char *row, *ber, *der; /* der NULL: refused */
} conversions[] = {
	{ "DER stays", "30 03 04 01 41", "30 03 04 01 41" },
	{ "an indefinite length", "30 80 04 01 41 00 00", "30 03 04 01 41" },
	{ "indefinite in indefinite", "30 80 30 80 05 00 00 00 00 00",
	    "30 04 30 02 05 00" },
	{ "definite in indefinite", "30 80 30 02 05 00 02 01 07 00 00",
	    "30 07 30 02 05 00 02 01 07" },
	{ "indefinite in definite", "30 06 30 80 05 00 00 00",
	    "30 04 30 02 05 00" },
	{ "nothing at all inside", "30 80 00 00", "30 00" },
	{ "a length longer than need be", "04 84 00 00 00 01 41", "04 01 41" },
	{ "a definite constructed string", "24 06 04 01 41 04 01 42",
	    "04 02 41 42" },
	{ "an indefinite constructed string", "24 80 04 01 41 04 01 42 00 00",
	    "04 02 41 42" },
	{ "constructed strings in each other",
	    "24 80 24 80 04 01 41 24 03 04 01 42 00 00 04 01 43 00 00",
	    "04 03 41 42 43" },
	{ "a constructed string of no segments", "24 80 00 00", "04 00" },
	{ "a segment of no octets", "24 80 04 00 04 01 41 00 00", "04 01 41" },
	{ "zeros inside of a segment", "24 80 04 02 00 00 00 00",
	    "04 02 00 00" },
	{ "a constructed UTF8String of octets", "2c 80 04 01 41 00 00",
	    "0c 01 41" },
	{ "a constructed UTF8String of its like", "2c 80 0c 01 41 00 00",
	    "0c 01 41" },
	{ "a constructed BIT STRING", "23 80 03 02 00 41 03 03 04 42 50 00 00",
	    "03 04 04 41 42 50" },
	{ "a context tag keeps what it holds", "a0 80 04 01 41 00 00",
	    "a0 03 04 01 41" },
	{ "segments under a context tag",
	    "a0 80 24 80 04 01 41 00 00 04 01 42 00 00",
	    "a0 06 04 01 41 04 01 42" },
	{ "constructed BIT STRINGs in each other",
	    "23 80 23 80 03 02 00 41 00 00 03 02 04 50 00 00",
	    "03 03 04 41 50" },
	{ "a BIT STRING of no segments", "23 80 00 00", "03 01 00" },
	{ "the order of a SET stays", "31 80 04 01 42 04 01 41 00 00",
	    "31 06 04 01 42 04 01 41" },
	{ "what follows is dropped", "04 01 41 ff ff ff", "04 01 41" },
	{ "nothing", "", NULL },
	{ "no end-of-contents", "30 80 04 01 41", NULL },
	{ "half an end-of-contents", "30 80 04 01 41 00", NULL },
	{ "only the inner end-of-contents", "30 80 30 80 05 00 00 00", NULL },
	{ "an indefinite primitive", "04 80 41 00 00", NULL },
	{ "an inner length beyond the outer", "30 03 04 05 41 42 43 44 45",
	    NULL },
	{ "an indefinite one beyond its outer", "30 04 30 80 05 00 00 00",
	    NULL },
	{ "a number as a segment", "24 80 02 01 41 00 00", NULL },
	{ "a BIT STRING as a segment of octets",
	    "24 80 04 01 41 03 02 00 42 00 00", NULL },
	{ "octets as a segment of a BIT STRING", "23 80 04 02 00 41 00 00",
	    NULL },
	{ "a segment of a BIT STRING without its first octet",
	    "23 80 03 00 00 00", NULL },
	{ "a sequence as a segment", "24 80 30 03 04 01 41 00 00", NULL },
	{ "a cut element inside", "30 02 04 01", NULL },
	{ "an inner tag of several octets", "30 80 1f 81 01 00 00 00", NULL },
};

static void
from_ber(void **state)
{
	const struct conversion *t = *state;
	struct blob given = hex_blob(t->ber), out;
	struct blob in = exact_copy(given.data, given.len);

	assert_int_equal(der_from_ber(blob_span(&in), &out),
	    t->der == NULL ? -1 : 0);
	if (t->der == NULL)
		assert_null(out.data);
	else
		assert_hex(blob_span(&out), t->der);
	blob_free(&given);
	blob_free(&in);
	blob_free(&out);
}

static const struct follower {
	const char *row, *ber, *der, *rest; /* der NULL: none */
} followers[] = {
	{ "nothing", "04 01 41", "04 01 41", "" },
	{ "a line end after DER", "30 00 0d 0a", "30 00", "0d 0a" },
	{ "zeros after an indefinite length", "30 80 05 00 00 00 00 00",
	    "30 02 05 00", "00 00" },
	{ "a cut element", "30 80 05 00", NULL, "30 80 05 00" },
};

static void
next_ber(void **state)
{
	const struct follower *t = *state;
	struct blob in = hex_blob(t->ber), out;
	struct span rest = blob_span(&in);

	assert_int_equal(der_next_ber(&rest, &out), t->der == NULL ? -1 : 0);
	if (t->der != NULL)
		assert_hex(blob_span(&out), t->der);
	assert_hex(rest, t->rest);
	blob_free(&in);
	blob_free(&out);
}

static const struct order {
	const char *row, *elements;
	bool sorted;
} orders[] = {
	{ "nothing", "", true },
	{ "one", "30 00", true },
	{ "two that are the same", "05 00 05 00", true },
	{ "by length", "04 01 42 04 02 41 41", true },
	{ "by length, backwards", "04 02 41 41 04 01 42", false },
	{ "by content, backwards", "04 01 42 04 01 41", false },
	{ "the last of three", "04 01 41 04 01 43 04 01 42", false },
};

static void
is_sorted(void **state)
{
	const struct order *t = *state;
	struct blob elements = hex_blob(t->elements);

	assert_int_equal(der_is_sorted(blob_span(&elements)), t->sorted);
	blob_free(&elements);
}

/* So many SEQUENCEs in each other. */
static int
convert_nested(size_t levels, bool indefinite)
{
	struct buffer ber = { 0 };
	struct blob out;
	int ret;

	for (size_t i = 0; i < levels; i++) {
		buffer_add_byte(&ber, 0x30);
		buffer_add_byte(&ber,
		    indefinite ? 0x80 : (uint8_t)(2 * (levels - i - 1)));
	}
	for (size_t i = 0; indefinite && i < 2 * levels; i++)
		buffer_add_byte(&ber, 0);
	ret = der_from_ber(buffer_span(&ber), &out);
	if (ret == 0)
		assert_int_equal(out.len, 2 * levels);
	buffer_free(&ber);
	blob_free(&out);
	return ret;
}

static void
depth(void **state)
{
	(void)state;
	for (int indefinite = 0; indefinite < 2; indefinite++) {
		assert_int_equal(convert_nested(DER_MAX_DEPTH, indefinite), 0);
		assert_int_equal(convert_nested(DER_MAX_DEPTH + 2, indefinite),
		    -1);
	}
	assert_int_equal(convert_nested(1000000, true), -1);
}

/*
 * Strings that begin wherever a buffer may have its end: ASan would see a
 * write behind it.
 */
static void
strings_anywhere(void **state)
{
	static const char *const tails[] = {
		"24 80 03 02 00 41 00 00",
		"24 80 04 01 41 00 00",
		"23 80 03 02 00 41 00 00",
		"24 80 00 00",
	};
	struct blob out;

	(void)state;
	for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
		struct blob tail = hex_blob(tails[i]);

		for (size_t len = 0; len < 600; len++) {
			struct buffer ber = { 0 };

			buffer_add(&ber, "\x30\x80\x04\x82", 4);
			buffer_add_byte(&ber, (uint8_t)(len >> 8));
			buffer_add_byte(&ber, (uint8_t)len);
			memset(buffer_extend(&ber, len), 'x', len);
			buffer_add_span(&ber, blob_span(&tail));
			buffer_add(&ber, "\0\0", 2);
			assert_int_equal(der_from_ber(buffer_span(&ber), &out),
			    i == 0 ? -1 : 0);
			blob_free(&out);
			buffer_free(&ber);
		}
		blob_free(&tail);
	}
}

/* A message that OpenSSL streams, and the same as OpenSSL reads it. */
static void
streamed_message(void **state)
{
	EVP_PKEY *key = device_key("device/device.key");
	X509 *cert = device_cert(key, "device-0001");
	const struct letter letter = { .type = "19",
		.transaction = "1",
		.text_type = V_ASN1_PRINTABLESTRING,
		.key = key,
		.signer = cert,
		.md = EVP_sha256(),
		.stream_outer = true };
	uint8_t content[5000] = { 0 }, *der = NULL;
	struct blob ber, out;
	const uint8_t *at;
	CMS_ContentInfo *cms;
	int len;

	(void)state;
	ber = letter_sign(&letter, span_of(content, sizeof(content)));
	assert_int_equal(ber.data[1], 0x80);
	at = ber.data;
	assert_non_null(cms = d2i_CMS_ContentInfo(NULL, &at, (long)ber.len));
	assert_int_equal(der_from_ber(blob_span(&ber), &out), 0);
	len = i2d_CMS_ContentInfo(cms, &der);
	assert_same_der(blob_span(&out), der, len);
	blob_free(&out);
	blob_free(&ber);
	CMS_ContentInfo_free(cms);
	X509_free(cert);
	EVP_PKEY_free(key);
}

static void
truncated_certificate(void **state)
{
	EVP_PKEY *key = device_key("device/device.key");
	X509 *cert = device_cert(key, "device-0001");
	struct blob der = device_cert_der(cert), out;
	struct span rest = blob_span(&der);
	struct der d;

	(void)state;
	for (size_t len = 0; len < der.len; len++) {
		struct blob cut = exact_copy(der.data, len);

		rest = blob_span(&cut);
		assert_int_equal(der_next(&rest, &d), -1);
		assert_int_equal(der_from_ber(blob_span(&cut), &out), -1);
		blob_free(&cut);
	}
	rest = blob_span(&der);
	assert_int_equal(der_next(&rest, &d), 0);
	assert_int_equal(rest.len, 0);
	assert_int_equal(der_from_ber(blob_span(&der), &out), 0);
	assert_octets(blob_span(&out), der.data, der.len);
	blob_free(&out);
	blob_free(&der);
	X509_free(cert);
	EVP_PKEY_free(key);
}

static const struct length {
	const char *row;
	int len;
} lengths[] = {
	{ "no octets", 0 },
	{ "one octet", 1 },
	{ "the longest short form", 127 },
	{ "the first long form", 128 },
	{ "the last of one octet", 255 },
	{ "the first of two octets", 256 },
	{ "the last of two octets", 65535 },
	{ "the first of three octets", 65536 },
};

static void
writes_length(void **state)
{
	const struct length *t = *state;
	ASN1_OCTET_STRING *string = ASN1_OCTET_STRING_new();
	struct buffer added = { 0 }, framed = { 0 };
	uint8_t *content = calloc(1, (size_t)t->len + 1), *der = NULL;
	size_t outer, inner;
	int len;

	memset(content, 0x5a, (size_t)t->len);
	assert_true(ASN1_OCTET_STRING_set(string, content, t->len));
	len = i2d_ASN1_OCTET_STRING(string, &der);
	der_add(&added, DER_OCTET_STRING, span_of(content, (size_t)t->len));
	assert_octets(buffer_span(&added), der, (size_t)len);

	outer = der_begin(&framed, DER_SEQUENCE);
	inner = der_begin(&framed, DER_OCTET_STRING);
	buffer_add(&framed, content, (size_t)t->len);
	der_end(&framed, inner);
	der_end(&framed, outer);
	assert_int_equal(ASN1_object_size(1, len, V_ASN1_SEQUENCE), framed.len);
	assert_octets(span_of(framed.data + framed.len - len, (size_t)len), der,
	    (size_t)len);
	OPENSSL_free(der);
	ASN1_OCTET_STRING_free(string);
	buffer_free(&added);
	buffer_free(&framed);
	free(content);
}

static const struct number {
	const char *row, *octets;
} numbers[] = {
	{ "nothing is zero", "" },
	{ "zero", "00" },
	{ "many zeros", "00 00 00" },
	{ "a small one", "07" },
	{ "a high bit gets a zero", "80" },
	{ "zeros before a low bit go", "00 00 7f" },
	{ "of zeros before a high bit one stays", "00 00 ff" },
	{ "a serial number of 19 octets",
	    "79 00 00 00 02 48 98 49 2e 88 fa fe fa 00 00 00 00 00 02" },
	{ "a serial number with a high bit",
	    "f9 00 00 00 02 48 98 49 2e 88 fa fe fa 00 00 00 00 00 02" },
};

static void
writes_unsigned(void **state)
{
	const struct number *t = *state;
	struct blob octets = hex_blob(t->octets);
	BIGNUM *bn = BN_bin2bn(octets.data, (int)octets.len, NULL);
	ASN1_INTEGER *integer = BN_to_ASN1_INTEGER(bn, NULL);
	struct buffer b = { 0 };
	uint8_t *der = NULL;
	int len = i2d_ASN1_INTEGER(integer, &der);

	der_add_unsigned(&b, blob_span(&octets));
	assert_same_der(buffer_span(&b), der, len);
	ASN1_INTEGER_free(integer);
	BN_free(bn);
	blob_free(&octets);
	buffer_free(&b);
}

static void
writes_small_integer(void **state)
{
	static const unsigned values[] = { 0, 1, 127, 128, 255, 256, 32767,
		32768, 65536, INT32_MAX };

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		ASN1_INTEGER *integer = ASN1_INTEGER_new();
		struct buffer b = { 0 };
		uint8_t *der = NULL;
		int len;

		assert_true(ASN1_INTEGER_set_uint64(integer, values[i]));
		len = i2d_ASN1_INTEGER(integer, &der);
		der_add_small_integer(&b, values[i]);
		assert_same_der(buffer_span(&b), der, len);
		ASN1_INTEGER_free(integer);
		buffer_free(&b);
	}
}

static const struct instant {
	const char *row;
	int64_t at;
} instants[] = {
	{ "the last second of 1949", -631152001 },
	{ "the first second of 1950", -631152000 },
	{ "1999", 946684799 },
	{ "2000", 946684800 },
	{ "a leap day", 1709251199 },
	{ "the last second of 2049", 2524607999 },
	{ "the first second of 2050", 2524608000 },
	{ "the last second of 9999", 253402300799 },
};

static void
writes_time(void **state)
{
	const struct instant *t = *state;
	ASN1_TIME *time = ASN1_TIME_set(NULL, t->at);
	struct buffer b = { 0 };
	uint8_t *der = NULL;
	int len = i2d_ASN1_TIME(time, &der);

	der_add_time(&b, t->at);
	assert_same_der(buffer_span(&b), der, len);
	ASN1_TIME_free(time);
	buffer_free(&b);
}

static void
writes_bit_string(void **state)
{
	struct buffer b = { 0 };

	(void)state;
	der_add_bit_string(&b, span_of("\x41\x42", 2));
	der_add_null(&b);
	der_add_oid(&b, span_of("\x55\x04\x03", 3));
	assert_hex(buffer_span(&b), "03 03 00 41 42 05 00 06 03 55 04 03");
	buffer_free(&b);
}

static const struct set {
	const char *row;
	struct {
		int type;
		const char *text;
	} items[6];
} sets[] = {
	{ "one element", { { V_ASN1_OCTET_STRING, "a" } } },
	{ "already in order",
	    { { V_ASN1_OCTET_STRING, "a" }, { V_ASN1_OCTET_STRING, "b" } } },
	{ "by content",
	    { { V_ASN1_OCTET_STRING, "c" }, { V_ASN1_OCTET_STRING, "a" },
		{ V_ASN1_OCTET_STRING, "b" } } },
	{ "by tag",
	    { { V_ASN1_IA5STRING, "a" }, { V_ASN1_OCTET_STRING, "a" },
		{ V_ASN1_PRINTABLESTRING, "a" } } },
	{ "by length before content",
	    { { V_ASN1_OCTET_STRING, "aaa" }, { V_ASN1_OCTET_STRING, "z" },
		{ V_ASN1_OCTET_STRING, "bb" }, { V_ASN1_OCTET_STRING, "" } } },
	{ "octets with a high bit come last",
	    { { V_ASN1_OCTET_STRING, "\x80" }, { V_ASN1_OCTET_STRING, "\x7f" },
		{ V_ASN1_OCTET_STRING, "\xff" },
		{ V_ASN1_OCTET_STRING, "\x01" } } },
	{ "equal ones stay",
	    { { V_ASN1_OCTET_STRING, "b" }, { V_ASN1_OCTET_STRING, "a" },
		{ V_ASN1_OCTET_STRING, "b" } } },
};

/* Its values, in OpenSSL's order: the SET OF of an attribute. */
static struct span
attribute_values(uint8_t *der, int len)
{
	const uint8_t *at = der;
	int tag, class;
	long size;

	assert_int_equal(ASN1_get_object(&at, &size, &tag, &class, len), 0x20);
	ASN1_get_object(&at, &size, &tag, &class, len - (at - der));
	assert_int_equal(tag, V_ASN1_OBJECT);
	at += size;
	ASN1_get_object(&at, &size, &tag, &class, len - (at - der));
	assert_int_equal(tag, V_ASN1_SET);
	return span_of(at, (size_t)size);
}

static void
sorts_set(void **state)
{
	const struct set *t = *state;
	X509_ATTRIBUTE *attribute = X509_ATTRIBUTE_new();
	struct buffer b = { 0 };
	uint8_t *der = NULL;
	struct span wanted;
	size_t begun;
	int len;

	X509_ATTRIBUTE_set1_object(attribute, OBJ_nid2obj(NID_friendlyName));
	buffer_add_text(&b, "kept");
	begun = b.len;
	for (size_t i = 0; t->items[i].text != NULL; i++) {
		struct span text = span_text(t->items[i].text);

		assert_true(X509_ATTRIBUTE_set1_data(attribute,
		    t->items[i].type, text.data, (int)text.len));
		der_add(&b, t->items[i].type, text);
	}
	len = i2d_X509_ATTRIBUTE(attribute, &der);
	wanted = attribute_values(der, len);
	der_sort_set(&b, begun);
	assert_false(b.failed);
	assert_memory_equal(b.data, "kept", 4);
	assert_octets(span_of(b.data + begun, b.len - begun), wanted.data,
	    wanted.len);
	OPENSSL_free(der);
	X509_ATTRIBUTE_free(attribute);
	buffer_free(&b);
}

static void
sorts_nonsense(void **state)
{
	struct buffer b = { 0 };

	(void)state;
	der_sort_set(&b, der_begin(&b, DER_SET));
	assert_false(b.failed);
	buffer_add_text(&b, "\x04\x09 cut");
	der_sort_set(&b, 1);
	assert_true(b.failed);
	buffer_free(&b);
}

int
main(void)
{
	static const struct table tables[] = {
		ROWS(next_element, readings),
		ONE(expected_tag, "another tag than expected stays unread"),
		ONE(optional_element, "an optional element may be absent"),
		ROWS(small_integer, smalls),
		ROWS(next_ber, followers),
		ROWS(is_sorted, orders),
		ROWS(from_ber, conversions),
		ONE(depth, "what is nested too deep is refused"),
		ONE(strings_anywhere, "a string may begin anywhere"),
		ONE(streamed_message, "BER becomes the DER that OpenSSL makes"),
		ONE(truncated_certificate, "no beginning of DER is an element"),
		ROWS(writes_length, lengths),
		ROWS(writes_unsigned, numbers),
		ONE(writes_small_integer, "numbers are as OpenSSL writes them"),
		ROWS(writes_time, instants),
		ONE(writes_bit_string, "a BIT STRING has no unused bits"),
		ROWS(sorts_set, sets),
		ONE(sorts_nonsense, "an empty set can be sorted, a cut not"),
	};

	return ROWS_RUN(tables, NULL, NULL);
}
