/* What a PKCS#10 request shows (RFC 2986). */
#include "scep/findings.h"

#include <string.h>

#define CHALLENGE_USUAL 16 /* ndes-facts 5.5: eight octets in hex */
#define CHALLENGE_MAX 255  /* RFC 2985: pkcs-9-ub-challengePassword */
#define EXTENSIONS_MAX 32  /* that are told apart; more are not met */
#define RSA_BITS 2048

/* n and e of RFC 8017 A.1.1. */
static void
inspect_key(struct findings *f, struct span spki)
{
	struct span seq, algorithm, bits, numbers, n, e;
	size_t len;

	if (!x509_key_is(spki, oid_rsa_encryption) ||
	    der_expect(&spki, DER_SEQUENCE, &seq) == -1 ||
	    der_expect(&seq, DER_SEQUENCE, &algorithm) == -1 ||
	    der_expect(&seq, DER_BIT_STRING, &bits) == -1 || bits.len < 1)
		return;
	bits = span_of(bits.data + 1, bits.len - 1);
	if (der_expect(&bits, DER_SEQUENCE, &numbers) == -1 ||
	    der_expect(&numbers, DER_INTEGER, &n) == -1 ||
	    der_expect(&numbers, DER_INTEGER, &e) == -1)
		return;
	while (n.len > 0 && n.data[0] == 0)
		n = span_of(n.data + 1, n.len - 1);
	len = n.len * 8;
	for (int top = n.len > 0 ? n.data[0] : 0x80; !(top & 0x80); top <<= 1)
		len--;
	if (len < RSA_BITS)
		findings_add(f, FOUND_SHORT_KEY);
	if (!span_equal(e, span_of("\x01\x00\x01", 3)))
		findings_add(f, FOUND_EXPONENT);
}

/* RFC 2985 5.4.1: a PrintableString, else a UTF8String. */
static void
inspect_challenge(struct findings *f, const struct der *value)
{
	size_t len = finding_characters(value);

	switch (value->tag) {
	case DER_PRINTABLE_STRING:
		if (!finding_is_printable(value->content))
			findings_add(f, FOUND_CHALLENGE_CHARACTERS);
		break;
	case DER_UTF8_STRING:
		if (len > 0 && finding_is_printable(value->content))
			findings_add(f, FOUND_CHALLENGE_STRING);
		break;
	case DER_T61_STRING:
	case DER_BMP_STRING:
	case DER_UNIVERSAL_STRING:
		findings_add(f, FOUND_CHALLENGE_STRING);
		break;
	default:
		findings_add(f, FOUND_CHALLENGE_NOT_DIRECTORY);
	}
	if (len == 0)
		findings_add(f, FOUND_CHALLENGE_EMPTY);
	else if (len > CHALLENGE_MAX)
		findings_add(f, FOUND_CHALLENGE_OVER_255);
	else if (len > CHALLENGE_USUAL)
		findings_add(f, FOUND_CHALLENGE_LONG);
}

/* True: subjectAltName is among them. */
static bool
inspect_extensions(struct findings *f, struct span list)
{
	struct span seen[EXTENSIONS_MAX], extension, oid;
	bool alt_name = false;
	size_t count = 0;

	while (der_expect(&list, DER_SEQUENCE, &extension) == 0) {
		if (der_expect(&extension, DER_OID, &oid) == -1)
			continue;
		alt_name |= der_oid_is(oid, oid_ext_subject_alt_name);
		if (der_oid_is(oid, oid_challenge_password))
			findings_add(f, FOUND_CHALLENGE_IN_EXTENSION);
		for (size_t i = 0; i < count; i++)
			if (span_equal(seen[i], oid))
				findings_add(f, FOUND_EXTENSION_TWICE);
		if (count < EXTENSIONS_MAX)
			seen[count++] = oid;
	}
	return alt_name;
}

struct attributes_seen {
	int challenges, extensions;
	bool alt_name;
};

static void
inspect_attribute(struct findings *f, struct span oid, struct span values,
    struct attributes_seen *seen)
{
	bool challenge = der_oid_is(oid, oid_challenge_password);
	struct der value;

	if (!challenge && !der_oid_is(oid, oid_extension_request)) {
		findings_add(f, FOUND_CSR_OTHER_ATTRIBUTES);
		return;
	}
	if (++*(challenge ? &seen->challenges : &seen->extensions) > 1)
		findings_add(f, FOUND_CSR_ATTRIBUTE_TWICE);
	if (challenge && seen->extensions > 0)
		findings_add(f, FOUND_CHALLENGE_AFTER_EXTENSIONS);
	if (der_next(&values, &value) == -1 || values.len > 0)
		findings_add(f, FOUND_CSR_ATTRIBUTE_VALUES);
	else if (challenge)
		inspect_challenge(f, &value);
	else
		seen->alt_name |= inspect_extensions(f, value.content);
}

static void
inspect_attributes(struct scep_request *r, struct span rest)
{
	struct findings *f = &r->found;
	struct attributes_seen seen = { 0 };
	struct span attribute, oid, values;

	if (!der_is_sorted(rest))
		findings_add(f, FOUND_CSR_ATTRIBUTES_UNSORTED);
	while (der_expect(&rest, DER_SEQUENCE, &attribute) == 0)
		if (der_expect(&attribute, DER_OID, &oid) == 0 &&
		    der_expect(&attribute, DER_SET, &values) == 0)
			inspect_attribute(f, oid, values, &seen);
	r->has_challenge = seen.challenges > 0;
	if (!seen.alt_name)
		findings_add(f, FOUND_NO_ALT_NAME);
}

static void
inspect_signature(struct findings *f, struct span algorithm)
{
	struct span oid;

	if (der_expect(&algorithm, DER_OID, &oid) == -1)
		return;
	if (digest_by_signature_oid(oid) == DIGEST_MD5)
		findings_add(f, FOUND_CSR_MD5);
	else if (digest_by_signature_oid(oid) == DIGEST_SHA1)
		findings_add(f, FOUND_CSR_SHA1);
}

void
inspect_csr(struct scep_request *r, const struct cms_form *form,
    struct span der)
{
	struct findings *f = &r->found;
	struct der subject, spki, attributes = { 0 };
	struct span csr, info, version, algorithm;

	if (form->trailing)
		findings_add(f, FOUND_CONTENT_TRAILING);
	if (der_expect(&der, DER_SEQUENCE, &csr) == -1 ||
	    der_expect(&csr, DER_SEQUENCE, &info) == -1 ||
	    der_expect(&info, DER_INTEGER, &version) == -1 ||
	    der_next(&info, &subject) == -1 || subject.tag != DER_SEQUENCE ||
	    der_next(&info, &spki) == -1 || spki.tag != DER_SEQUENCE) {
		findings_add(f, FOUND_CONTENT_MISMATCH);
		return;
	}
	if (form->ber)
		findings_add(f, FOUND_CONTENT_BER);
	if (der_small_integer(version) != 0)
		findings_add(f, FOUND_CSR_VERSION);
	inspect_subject(f, subject.whole);
	inspect_key(f, spki.whole);
	if (!der_optional(&info, DER_CONTEXT_CONSTRUCTED(0), &attributes))
		findings_add(f, FOUND_CSR_NO_ATTRIBUTES);
	inspect_attributes(r, attributes.content);
	if (der_expect(&csr, DER_SEQUENCE, &algorithm) == 0)
		inspect_signature(f, algorithm);
}
