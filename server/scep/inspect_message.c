/* What a SignedData shows (RFC 5652 5, RFC 8894 3.2). */
#include "scep/findings.h"

#include <string.h>

#define TRANSACTION_ID_LONG 128 /* octets; longest seen: 78 */
#define NONCE_SIZE 16		/* RFC 8894 3.2.1.5 */

static void
inspect_content_type(struct scep_request *r, const struct signed_parts *parts,
    const struct der *value)
{
	if (!span_equal(value->content, parts->content_type))
		findings_add(&r->found, FOUND_CONTENT_TYPE_DIFFERS);
}

/* RFC 5652 11.3: UTCTime where it reaches, else GeneralizedTime. */
static void
inspect_signing_time(struct scep_request *r, const struct signed_parts *parts,
    const struct der *value)
{
	struct span rest = value->whole;

	(void)parts;
	if (x509_time(&rest, &r->signing_time) == -1) {
		findings_add(&r->found, FOUND_SIGNING_TIME_FORM);
		return;
	}
	r->has_signing_time = true;
	if (value->content.data[value->content.len - 1] != 'Z' ||
	    (value->tag == DER_GENERALIZED_TIME &&
		r->signing_time < FINDING_2050))
		findings_add(&r->found, FOUND_SIGNING_TIME_FORM);
}

static void
inspect_message_type(struct scep_request *r, const struct signed_parts *parts,
    const struct der *value)
{
	struct span text = cms_text(value);

	(void)parts;
	if (r->type == -1)
		findings_add(&r->found, FOUND_MESSAGE_TYPE_NOT_NUMBER);
	else if (strcmp(scep_type_name(r->type), "unknown") == 0 ||
	    r->type == SCEP_CERT_REP)
		findings_add(&r->found, FOUND_MESSAGE_TYPE_UNKNOWN);
	if (text.len > 1 && text.data[0] == '0')
		findings_add(&r->found, FOUND_MESSAGE_TYPE_ZEROS);
}

static void
inspect_transaction_id(struct scep_request *r, const struct signed_parts *parts,
    const struct der *value)
{
	struct span text = value->content;
	bool ascii = true;

	(void)parts;
	if (text.len == 0) {
		findings_add(&r->found, FOUND_NO_TRANSACTION_ID);
		return;
	}
	for (size_t i = 0; i < text.len; i++)
		ascii = ascii && text.data[i] >= ' ' && text.data[i] < 0x7f;
	if (!ascii)
		findings_add(&r->found, FOUND_TRANSACTION_ID_UNPRINTABLE);
	else if (!finding_is_printable(text))
		findings_add(&r->found, FOUND_TRANSACTION_ID_CHARACTERS);
	if (memchr(text.data, ' ', text.len) != NULL)
		findings_add(&r->found, FOUND_TRANSACTION_ID_BLANKS);
	if (text.len > TRANSACTION_ID_LONG)
		findings_add(&r->found, FOUND_TRANSACTION_ID_LONG);
}

static void
inspect_nonce(struct scep_request *r, const struct signed_parts *parts,
    const struct der *value)
{
	(void)parts;
	if (value->content.len != NONCE_SIZE)
		findings_add(&r->found, FOUND_SENDER_NONCE_LENGTH);
}

/* The signed attributes that SCEP and CMS know. */
static const struct attribute {
	const struct span *oid;
	int tag; /* of its value; 0: `inspect` sees to it */
	enum scep_finding mistagged;
	enum scep_finding absent, present; /* FOUND_NOTHING: may be */
	void (*inspect)(struct scep_request *, const struct signed_parts *,
	    const struct der *value); /* well tagged, or a text; or NULL */
} attributes[] = {
	{ &oid_content_type, DER_OID, FOUND_CONTENT_TYPE_DIFFERS,
	    FOUND_NO_CONTENT_TYPE, FOUND_NOTHING, inspect_content_type },
	{ &oid_message_digest, DER_OCTET_STRING, FOUND_WRONG_MESSAGE_DIGEST,
	    FOUND_NO_MESSAGE_DIGEST, FOUND_NOTHING, NULL },
	{ &oid_signing_time, 0, FOUND_NOTHING, FOUND_NOTHING, FOUND_NOTHING,
	    inspect_signing_time },
	{ &oid_scep_message_type, DER_PRINTABLE_STRING,
	    FOUND_MESSAGE_TYPE_STRING, FOUND_NO_MESSAGE_TYPE, FOUND_NOTHING,
	    inspect_message_type },
	{ &oid_scep_transaction_id, DER_PRINTABLE_STRING,
	    FOUND_TRANSACTION_ID_STRING, FOUND_NO_TRANSACTION_ID, FOUND_NOTHING,
	    inspect_transaction_id },
	{ &oid_scep_sender_nonce, DER_OCTET_STRING, FOUND_SENDER_NONCE_STRING,
	    FOUND_NO_SENDER_NONCE, FOUND_NOTHING, inspect_nonce },
	{ &oid_scep_recipient_nonce, 0, FOUND_NOTHING, FOUND_NOTHING,
	    FOUND_RECIPIENT_NONCE, NULL },
	{ &oid_scep_pki_status, 0, FOUND_NOTHING, FOUND_NOTHING,
	    FOUND_REPLY_ATTRIBUTES, NULL },
	{ &oid_scep_fail_info, 0, FOUND_NOTHING, FOUND_NOTHING,
	    FOUND_REPLY_ATTRIBUTES, NULL },
};
#define ATTRIBUTES (sizeof(attributes) / sizeof(attributes[0]))

/* Which of the table it is, or ATTRIBUTES. */
static size_t
inspect_attribute(struct scep_request *r, const struct signed_parts *parts,
    struct span oid, struct span values)
{
	const struct attribute *a;
	struct der value;
	size_t i = 0;

	while (i < ATTRIBUTES && !der_oid_is(oid, *attributes[i].oid))
		i++;
	if (i == ATTRIBUTES) {
		findings_add(&r->found, FOUND_OTHER_ATTRIBUTES);
		return i;
	}
	a = &attributes[i];
	findings_add(&r->found, a->present);
	if (der_next(&values, &value) == -1) {
		findings_add(&r->found, FOUND_ATTRIBUTE_VALUES);
		return i;
	}
	if (values.len > 0)
		findings_add(&r->found, FOUND_ATTRIBUTE_VALUES);
	if (a->tag != 0 && a->tag != value.tag) {
		findings_add(&r->found, a->mistagged);
		if (cms_text(&value).len == 0)
			return i;
	}
	if (a->inspect != NULL)
		a->inspect(r, parts, &value);
	return i;
}

static void
inspect_attributes(struct scep_request *r, const struct signed_parts *parts)
{
	struct span rest = parts->attributes.content, attribute, oid, values;
	bool seen[ATTRIBUTES + 1] = { false };
	size_t which;

	if (parts->attributes.whole.len == 0) {
		findings_add(&r->found, FOUND_NO_ATTRIBUTES);
		return;
	}
	if (!der_is_sorted(rest))
		findings_add(&r->found, FOUND_ATTRIBUTES_UNSORTED);
	while (der_expect(&rest, DER_SEQUENCE, &attribute) == 0) {
		if (der_expect(&attribute, DER_OID, &oid) == -1 ||
		    der_expect(&attribute, DER_SET, &values) == -1)
			continue;
		which = inspect_attribute(r, parts, oid, values);
		if (seen[which] && which < ATTRIBUTES)
			findings_add(&r->found, FOUND_ATTRIBUTE_TWICE);
		seen[which] = true;
	}
	for (size_t i = 0; i < ATTRIBUTES; i++)
		if (!seen[i])
			findings_add(&r->found, attributes[i].absent);
}

/* RFC 5652 5.1 and 5.3, of a SignedData with one signer. */
static void
inspect_versions(struct findings *f, const struct signed_parts *parts)
{
	int info = parts->sid_key_id.len > 0 ? 3 : 1;
	int data = span_equal(parts->content_type, oid_data) ? info : 3;

	if (der_small_integer(parts->info_version) != info ||
	    (parts->more_signers.len == 0 &&
		der_small_integer(parts->version) != data))
		findings_add(f, FOUND_VERSION);
}

static void
inspect_certificates(struct scep_request *r, const struct signed_parts *parts)
{
	struct span rest = parts->certificates;
	struct der cert;
	size_t count = 0;

	while (der_next(&rest, &cert) == 0)
		count++;
	if (r->signer.whole.len == 0)
		findings_add(&r->found, FOUND_NO_SIGNER_CERTIFICATE);
	else if (count > 1)
		findings_add(&r->found, FOUND_EXTRA_CERTIFICATES);
}

bool
finding_is_null(struct span parameters)
{
	return parameters.len == 2 && parameters.data[0] == DER_NULL;
}

static bool
is_listed(struct span digests, struct span oid)
{
	struct span algorithm, listed;

	while (der_expect(&digests, DER_SEQUENCE, &algorithm) == 0)
		if (der_expect(&algorithm, DER_OID, &listed) == 0 &&
		    span_equal(listed, oid))
			return true;
	return false;
}

static enum digest
inspect_digest(struct findings *f, const struct signed_parts *parts)
{
	static const enum scep_finding rows[] = {
		[DIGEST_MD5] = FOUND_MD5,
		[DIGEST_SHA1] = FOUND_SHA1,
		[DIGEST_SHA224] = FOUND_OTHER_SHA2,
		[DIGEST_SHA256] = FOUND_NOTHING,
		[DIGEST_SHA384] = FOUND_OTHER_SHA2,
		[DIGEST_SHA512] = FOUND_OTHER_SHA2,
		[DIGEST_COUNT] = FOUND_UNKNOWN_DIGEST,
	};
	enum digest digest = digest_by_oid(parts->digest_oid);

	if (!is_listed(parts->digests, parts->digest_oid))
		findings_add(f, FOUND_DIGEST_NOT_LISTED);
	if (digest >= DIGEST_SHA224 && digest < DIGEST_COUNT &&
	    parts->digest_parameters.len > 0)
		findings_add(f, FOUND_DIGEST_PARAMETERS);
	if (digest == DIGEST_COUNT &&
	    (digest = digest_by_signature_oid(parts->digest_oid)) !=
		DIGEST_COUNT)
		findings_add(f, FOUND_DIGEST_IS_SIGNATURE);
	findings_add(f, rows[digest]);
	return digest;
}

/* RFC 3370 3.2, RFC 5754 3, RFC 5753 2.1.1. */
static void
inspect_signature(struct findings *f, const struct signed_parts *parts,
    enum digest digest, bool rsa)
{
	struct span oid = parts->signature_oid;
	enum digest named = digest_by_signature_oid(oid);
	bool for_rsa = der_oid_is(oid, oid_rsa_encryption) ||
	    (named != DIGEST_COUNT && span_equal(oid, digest_rsa_oid(named)));

	if (for_rsa != rsa || (!for_rsa && named == DIGEST_COUNT)) {
		findings_add(f, FOUND_SIGNATURE_ALGORITHM);
		return;
	}
	if (rsa && named != DIGEST_COUNT)
		findings_add(f, FOUND_SIGNATURE_NAMES_DIGEST);
	if (named != DIGEST_COUNT && named != digest && digest != DIGEST_COUNT)
		findings_add(f, FOUND_SIGNATURE_DIFFERS);
	if (rsa && !finding_is_null(parts->signature_parameters))
		findings_add(f, FOUND_SIGNATURE_PARAMETERS);
}

/* RFC 5652 5.3: whatever the form of the rest. */
static bool
attributes_are_der(struct span message, const struct signed_parts *parts)
{
	struct span as_der = parts->attributes.whole;

	return as_der.len == 0 ||
	    memmem(message.data, message.len, as_der.data, as_der.len) != NULL;
}

void
inspect_outer(struct scep_request *r, struct span message,
    const struct cms_form *form, const struct signed_parts *parts)
{
	struct findings *f = &r->found;
	enum digest digest;
	bool rsa;

	if (form->ber)
		findings_add(f, FOUND_OUTER_BER);
	if (form->ber && !attributes_are_der(message, parts))
		findings_add(f, FOUND_ATTRIBUTES_NOT_DER);
	if (form->trailing)
		findings_add(f, FOUND_TRAILING);
	if (!der_oid_is(parts->content_type, oid_data))
		findings_add(f, FOUND_CONTENT_NOT_DATA);
	if (parts->more_signers.len > 0)
		findings_add(f, FOUND_SEVERAL_SIGNERS);
	if (parts->sid_key_id.len > 0)
		findings_add(f, FOUND_SIGNER_BY_KEY_ID);
	inspect_versions(f, parts);
	inspect_certificates(r, parts);
	inspect_attributes(r, parts);
	digest = inspect_digest(f, parts);
	if (r->signer.whole.len == 0)
		return;
	rsa = x509_key_is(r->signer.spki, oid_rsa_encryption);
	if (x509_key_is(r->signer.spki, oid_ec_public_key))
		findings_add(f, FOUND_EC_KEY);
	inspect_signature(f, parts, digest, rsa);
}
