/* Names and extensions of others, before they go into a certificate. */
#include "crypto/crypto.h"

#include <openssl/objects.h>

#include "base/der.h"

#define GENERAL_NAME_LAST 8 /* RFC 5280 4.2.1.6: registeredID [8] */

/* BMPString has no room for pairs: X.680 41.15. */
static bool
has_surrogates(struct span bmp)
{
	for (size_t i = 0; i + 1 < bmp.len; i += 2)
		if (bmp.data[i] >= 0xd8 && bmp.data[i] <= 0xdf)
			return true;
	return false;
}

/* What is not listed makes OpenSSL and others refuse the whole Name. */
static bool
value_is_sound(const struct der *value)
{
	switch (value->tag) {
	case DER_NUMERIC_STRING:
	case DER_PRINTABLE_STRING:
	case DER_IA5_STRING:
	case DER_T61_STRING:
	case DER_SEQUENCE:
		return true;
	case DER_UTF8_STRING:
	case DER_UNIVERSAL_STRING:
		return der_string_is_unicode(value);
	case DER_BMP_STRING:
		return der_string_is_unicode(value) &&
		    !has_surrogates(value->content);
	case DER_BIT_STRING:
		return value->content.len > 0 && value->content.data[0] < 8;
	}
	return false;
}

bool
x509_name_is_sound(struct span name)
{
	struct span list, set, part, oid;
	struct der value;

	if (der_expect(&name, DER_SEQUENCE, &list) == -1 || name.len > 0)
		return false;
	while (list.len > 0) {
		if (der_expect(&list, DER_SET, &set) == -1 || set.len == 0)
			return false;
		while (set.len > 0)
			if (der_expect(&set, DER_SEQUENCE, &part) == -1 ||
			    der_expect(&part, DER_OID, &oid) == -1 ||
			    !der_oid_is_valid(oid) ||
			    der_next(&part, &value) == -1 || part.len > 0 ||
			    !value_is_sound(&value))
				return false;
	}
	return true;
}

static bool
alt_names_are_sound(struct span value)
{
	struct span list;
	struct der name;
	int tag;

	if (der_expect(&value, DER_SEQUENCE, &list) == -1 || value.len > 0 ||
	    list.len == 0)
		return false;
	while (list.len > 0) {
		if (der_next(&list, &name) == -1)
			return false;
		tag = name.tag & ~0x20;
		if (tag < DER_CONTEXT(0) ||
		    tag > DER_CONTEXT(GENERAL_NAME_LAST))
			return false;
	}
	return true;
}

bool
x509_extensions_are_sound(struct span list)
{
	struct span ext, oid, value;
	struct der critical;

	while (list.len > 0) {
		if (der_expect(&list, DER_SEQUENCE, &ext) == -1 ||
		    der_expect(&ext, DER_OID, &oid) == -1 ||
		    !der_oid_is_valid(oid))
			return false;
		if (der_optional(&ext, DER_BOOLEAN, &critical) &&
		    critical.content.len != 1)
			return false;
		if (der_expect(&ext, DER_OCTET_STRING, &value) == -1 ||
		    ext.len > 0 ||
		    (der_oid_is(oid, oid_ext_subject_alt_name) &&
			!alt_names_are_sound(value)))
			return false;
	}
	return true;
}

/* As X509_NAME_oneline() names it: short, or in digits. */
static void
add_type(struct buffer *b, struct span oid, char before)
{
	ASN1_OBJECT *object = ASN1_OBJECT_create(NID_undef,
	    (uint8_t *)(uintptr_t)oid.data, (int)oid.len, NULL, NULL);
	int nid = object == NULL ? NID_undef : OBJ_obj2nid(object);
	const char *name = nid == NID_undef ? NULL : OBJ_nid2sn(nid);
	char digits[80] = "";

	if (object == NULL)
		b->failed = true;
	else if (name == NULL)
		OBJ_obj2txt(digits, sizeof(digits), object, 0);
	buffer_printf(b, "%c%s=", before, name == NULL ? digits : name);
	ASN1_OBJECT_free(object);
}

/* The octets that OpenSSL keeps of a value. */
static void
add_value(struct buffer *b, const struct der *value)
{
	struct span s = value->content;
	uint8_t octet, unused = 0;

	if (value->tag == DER_SEQUENCE)
		s = value->whole;
	if (value->tag == DER_BIT_STRING && s.len > 0) {
		unused = s.data[0] & 7;
		s = span_of(s.data + 1, s.len - 1);
	}
	for (size_t i = 0; i < s.len; i++) {
		octet = s.data[i];
		if (i == s.len - 1)
			octet &= (uint8_t)(0xff << unused);
		if (octet < ' ' || octet > '~')
			buffer_printf(b, "\\x%02X", octet);
		else
			buffer_printf(b,
			    octet == '/' || octet == '+' ? "\\%c" : "%c",
			    octet);
	}
}

int
x509_name_line(struct span name, struct buffer *out)
{
	struct span list, set, part, oid;
	struct der value;
	char before;

	if (der_expect(&name, DER_SEQUENCE, &list) == -1)
		return -1;
	while (list.len > 0) {
		if (der_expect(&list, DER_SET, &set) == -1)
			return -1;
		for (before = '/'; set.len > 0; before = '+') {
			if (der_expect(&set, DER_SEQUENCE, &part) == -1 ||
			    der_expect(&part, DER_OID, &oid) == -1 ||
			    der_next(&part, &value) == -1)
				return -1;
			add_type(out, oid, before);
			add_value(out, &value);
		}
	}
	return out->failed ? -1 : 0;
}
