/* OBJECT IDENTIFIERs in digits, held against OpenSSL's. */
#include "unit/hex.h"

#include <openssl/objects.h>

#include "base/der.h"

static const struct good {
	const char *row;
} goods[] = {
	{ "1.3.6.1.5.5.7.3.2" },
	{ "0.0" },
	{ "0.39" },
	{ "1.39.1" },
	{ "2.5.29.37.0" },
	{ "2.40" },
	{ "2.999.3" },
	{ "1.2.127" },
	{ "1.2.128" },
	{ "1.2.16383.16384" },
	{ "1.3.6.1.4.1.311.20.2.2" },
	{ "2.16.840.1.113733.1.9.7" },
	{ "1.2.9223372036854775807" },
	{ "1.2.9223372036854775808" },
	{ "1.2.18446744073709551615.1" },
	{ "2.18446744073709551535" },
};

static void
as_openssl(void **state)
{
	const struct good *t = *state;
	ASN1_OBJECT *object = OBJ_txt2obj(t->row, 1);
	struct buffer b = { 0 };

	assert_non_null(object);
	assert_int_equal(der_oid_from_text(t->row, &b), 0);
	assert_octets(buffer_span(&b), OBJ_get0_data(object),
	    OBJ_length(object));
	assert_true(der_oid_is_valid(buffer_span(&b)));
	ASN1_OBJECT_free(object);
	buffer_free(&b);
}

static const struct bad {
	const char *row, *text;
} bads[] = {
	{ "nothing", "" },
	{ "one number", "1" },
	{ "a dot behind", "1.2." },
	{ "a dot before", ".1.2" },
	{ "two dots", "1..2" },
	{ "only dots", "." },
	{ "a name", "clientAuth" },
	{ "a name behind", "1.2.x" },
	{ "a first number beyond 2", "3.1" },
	{ "a second number beyond 39", "1.40" },
	{ "a sign", "1.-2" },
	{ "a plus", "+1.2" },
	{ "a blank", "1. 2" },
	{ "a blank behind", "1.2 " },
	{ "a line end", "1.2\n" },
	{ "a zero in front", "1.02" },
	{ "hex", "1.0x2" },
	{ "a number beyond numbers", "1.2.18446744073709551616" },
	{ "a second number beyond numbers", "2.18446744073709551536" },
};

static void
refuses(void **state)
{
	const struct bad *t = *state;
	struct buffer b = { 0 };

	assert_int_equal(der_oid_from_text(t->text, &b), -1);
	buffer_free(&b);
}

int
main(void)
{
	static const struct table tables[] = {
		ROWS(as_openssl, goods),
		ROWS(refuses, bads),
	};

	return ROWS_RUN(tables, NULL, NULL);
}
