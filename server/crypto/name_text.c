/* Names made of what people write, and of other strings. */
#include "crypto/crypto.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/objects.h>

#include "base/der.h"

#define TYPE_SIZE 80

/* As this server writes them, and as Microsoft does. */
static const struct {
	const char *written, *openssl;
} aliases[] = {
	{ "SERIALNUMBER", "serialNumber" },
	{ "E", "emailAddress" },
	{ "S", "ST" },
};

static const struct {
	int tag;
	unsigned long mask;
} strings[] = {
	{ DER_UTF8_STRING, B_ASN1_UTF8STRING },
	{ DER_PRINTABLE_STRING, B_ASN1_PRINTABLESTRING },
	{ DER_T61_STRING, B_ASN1_T61STRING },
	{ DER_IA5_STRING, B_ASN1_IA5STRING },
	{ DER_UNIVERSAL_STRING, B_ASN1_UNIVERSALSTRING },
	{ DER_BMP_STRING, B_ASN1_BMPSTRING },
};

/* -1: it has characters that no string of the mask can hold. */
static int
add_string(struct buffer *b, const char *utf8, unsigned long mask)
{
	ASN1_STRING *string = NULL;
	int tag = ASN1_mbstring_copy(&string, (const unsigned char *)utf8, -1,
	    MBSTRING_UTF8, mask);

	if (tag > 0)
		der_add(b, tag,
		    span_of(ASN1_STRING_get0_data(string),
			(size_t)ASN1_STRING_length(string)));
	ASN1_STRING_free(string);
	ERR_clear_error();
	return tag > 0 ? 0 : -1;
}

static ASN1_OBJECT *
type_of(const char *written)
{
	const char *name = written;
	ASN1_OBJECT *object;

	for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++)
		if (strcasecmp(aliases[i].written, written) == 0)
			name = aliases[i].openssl;
	object = OBJ_txt2obj(name, 0);
	ERR_clear_error();
	return object;
}

static unsigned long
strings_of(int nid)
{
	switch (nid) {
	case NID_countryName:
	case NID_serialNumber:
	case NID_dnQualifier:
		return B_ASN1_PRINTABLESTRING;
	case NID_domainComponent:
	case NID_pkcs9_emailAddress:
		return B_ASN1_IA5STRING;
	}
	return B_ASN1_PRINTABLESTRING | B_ASN1_UTF8STRING;
}

/* Up to the comma or plus that ends it; what was escaped is itself. */
static const char *
read_value(const char *at, struct buffer *value)
{
	size_t end = 0; /* of what is no blank, or was escaped */
	int pair;

	for (at += strspn(at, " "); *at != '\0' && *at != ',' && *at != '+';) {
		bool escaped = at[0] == '\\' && at[1] != '\0';

		at += escaped;
		pair = escaped ? span_hex_pair(span_text(at), 0) : -1;
		buffer_add_byte(value, pair > 0 ? (uint8_t)pair : (uint8_t)*at);
		at += pair > 0 ? 2 : 1;
		if (escaped || at[-1] != ' ')
			end = value->len;
	}
	if (!value->failed)
		value->len = end;
	buffer_add_byte(value, 0);
	return at;
}

static int
add_part(struct buffer *b, const char *type, const char *value,
    struct error *err)
{
	ASN1_OBJECT *object = type_of(type);
	size_t seq = der_begin(b, DER_SEQUENCE);
	int ret = 0;

	if (object == NULL) {
		ret = error_set(err, "\"%.40s\" is no part of a name", type);
	} else {
		der_add_oid(b,
		    span_of(OBJ_get0_data(object), OBJ_length(object)));
		if (add_string(b, value, strings_of(OBJ_obj2nid(object))) == -1)
			ret = error_set(err, "\"%.40s\" cannot be %.40s", type,
			    value);
	}
	der_end(b, seq);
	ASN1_OBJECT_free(object);
	return ret;
}

/* "CN=x", up to what stands between it and the next one. */
static int
read_part(const char **text, struct buffer *b, struct error *err)
{
	const char *at = *text + strspn(*text, " ");
	size_t len = strcspn(at, "=,+");
	struct buffer value = { 0 };
	char type[TYPE_SIZE];
	int ret;

	if (at[len] != '=')
		return error_set(err, "\"%.40s\" is not of the form CN=x, O=y",
		    at);
	*text = read_value(at + len + 1, &value);
	while (len > 0 && at[len - 1] == ' ')
		len--;
	snprintf(type, sizeof(type), "%.*s", (int)len, at);
	ret = value.failed ? error_set(err, "out of memory") :
			     add_part(b, type, (char *)value.data, err);
	buffer_free(&value);
	return ret;
}

int
x509_name_from_text(const char *text, struct buffer *out, struct error *err)
{
	size_t list = der_begin(out, DER_SEQUENCE), set;
	const char *at = text + strspn(text, " ");
	char between = ',';

	while (*at != '\0' || between == '+') {
		set = der_begin(out, DER_SET);
		do {
			if (read_part(&at, out, err) == -1)
				return -1;
			between = *at;
			at += *at != '\0';
		} while (between == '+');
		der_sort_set(out, set);
		der_end(out, set);
		if (between == ',' && *at == '\0')
			return error_set(err, "a name ends with a comma");
	}
	der_end(out, list);
	return out->failed ? error_set(err, "out of memory") : 0;
}

static void
retype_value(struct buffer *out, const struct der *value, int tag)
{
	char *utf8 = der_string_utf8(value);
	size_t i = 0;

	while (
	    i < sizeof(strings) / sizeof(strings[0]) && strings[i].tag != tag)
		i++;
	if (utf8 == NULL || i == sizeof(strings) / sizeof(strings[0]) ||
	    add_string(out, utf8, strings[i].mask) == -1)
		buffer_add_span(out, value->whole);
	free(utf8);
}

int
x509_name_retype(struct span name, int tag, struct buffer *out)
{
	size_t list = der_begin(out, DER_SEQUENCE), set, seq;
	struct span content, parts, part, oid;
	struct der value;

	if (der_expect(&name, DER_SEQUENCE, &content) == -1)
		return -1;
	while (content.len > 0) {
		if (der_expect(&content, DER_SET, &parts) == -1)
			return -1;
		set = der_begin(out, DER_SET);
		while (parts.len > 0) {
			if (der_expect(&parts, DER_SEQUENCE, &part) == -1 ||
			    der_expect(&part, DER_OID, &oid) == -1 ||
			    der_next(&part, &value) == -1)
				return -1;
			seq = der_begin(out, DER_SEQUENCE);
			der_add_oid(out, oid);
			retype_value(out, &value, tag);
			der_end(out, seq);
		}
		der_end(out, set);
	}
	der_end(out, list);
	return out->failed ? -1 : 0;
}
