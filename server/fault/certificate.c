/* `do: certificate`: what is issued, as the client gets it. */
#include "fault/inside.h"

#include <string.h>

#include "base/der.h"

#define RENAMED "O=mockndes TEST ONLY, CN=mockndes TEST ONLY Renamed CA"
#define HUGE_SERIAL 40
#define SECOND_MS 1000
#define OIDS_MAX 16
#define NAMES_MAX 16
#define TEXT_MAX 1024
#define YEARS_MS (100LL * 31557600 * SECOND_MS) /* RFC 5280 ends in 9999 */

int
fault_keep(struct fault_context *ctx, struct span octets, struct span *out)
{
	uint8_t *copy = exchange_alloc(ctx->exchange, octets.len + 1);

	if (copy == NULL)
		return error_set(ctx->err, "out of memory");
	if (octets.len > 0)
		memcpy(copy, octets.data, octets.len);
	*out = span_of(copy, octets.len);
	return 0;
}

int
fault_keep_buffer(struct fault_context *ctx, struct buffer *b, struct span *out)
{
	int ret = b->failed ? error_set(ctx->err, "out of memory") :
			      fault_keep(ctx, buffer_span(b), out);

	buffer_free(b);
	return ret;
}

static int
set_key(struct fault_context *ctx, const struct value *value, void *plan)
{
	struct certificate_plan *cert =
	    &((struct issue_plan *)plan)->certificate;
	struct evp_pkey_st *key;
	struct blob spki;
	int ret;

	if (credentials_other_key(ctx->credentials,
		(enum key_type)value->number, 0, &key, ctx->err) == -1 ||
	    crypto_key_to_spki(key, &spki, ctx->err) == -1)
		return -1;
	ret = fault_keep(ctx, blob_span(&spki), &cert->spki);
	blob_free(&spki);
	return ret;
}

static int
keep_name(struct fault_context *ctx, const char *text, struct span *out)
{
	struct buffer name = { 0 };

	if (x509_name_from_text(text, &name, ctx->err) == 0)
		return fault_keep_buffer(ctx, &name, out);
	buffer_free(&name);
	return -1;
}

static int
set_subject(struct fault_context *ctx, const struct value *value, void *plan)
{
	struct issue_plan *issue = plan;

	return keep_name(ctx, value->text, &issue->certificate.subject);
}

int
fault_check_subject(const struct value *value, struct error *err)
{
	struct buffer name = { 0 };
	int ret = x509_name_from_text(value->text, &name, err);

	buffer_free(&name);
	return ret;
}

static int
set_subject_strings(struct fault_context *ctx, const struct value *value,
    void *plan)
{
	struct issue_plan *issue = plan;
	struct buffer name = { 0 };

	if (x509_name_retype(issue->certificate.subject, (int)value->number,
		&name) == 0)
		return fault_keep_buffer(ctx, &name,
		    &issue->certificate.subject);
	buffer_free(&name);
	return error_set(ctx->err, "the subject is no Name");
}

static int
drop_san(struct fault_context *ctx, const struct value *value, void *plan)
{
	(void)ctx;
	(void)value;
	((struct issue_plan *)plan)->certificate.subject_alt_name = SPAN_EMPTY;
	return 0;
}

static int
set_san_dns(struct fault_context *ctx, const struct value *value, void *plan)
{
	struct issue_plan *issue = plan;
	struct buffer b = { 0 };
	size_t ext = der_begin(&b, DER_SEQUENCE), octets, list;

	der_add_oid(&b, oid_ext_subject_alt_name);
	octets = der_begin(&b, DER_OCTET_STRING);
	list = der_begin(&b, DER_SEQUENCE);
	for (size_t i = 0; i < value->count; i++)
		der_add(&b, DER_CONTEXT(2), span_text(value->texts[i]));
	der_end(&b, list);
	der_end(&b, octets);
	der_end(&b, ext);
	return fault_keep_buffer(ctx, &b, &issue->certificate.subject_alt_name);
}

static int
set_extended_key_usage(struct fault_context *ctx, const struct value *value,
    void *plan)
{
	struct certificate_plan *cert =
	    &((struct issue_plan *)plan)->certificate;
	struct buffer b = { 0 };

	for (size_t i = 0; i < value->count; i++) {
		size_t oid = der_begin(&b, DER_OID);

		if (der_oid_from_text(value->texts[i], &b) == -1)
			b.failed = true;
		der_end(&b, oid);
	}
	cert->extended_key_usage = SPAN_EMPTY;
	return fault_keep_buffer(ctx, &b, &cert->more_extended_key_usage);
}

static int
set_key_usage(struct fault_context *ctx, const struct value *value, void *plan)
{
	struct certificate_plan *cert =
	    &((struct issue_plan *)plan)->certificate;

	(void)ctx;
	cert->key_usage = 0;
	for (size_t i = 0; i < value->count; i++)
		cert->key_usage |= (uint8_t)value->numbers[i];
	return 0;
}

static int64_t
moment(const struct fault_context *ctx, const struct value *value)
{
	return ctx->exchange->at + value->number / SECOND_MS;
}

static int
set_not_before(struct fault_context *ctx, const struct value *value, void *plan)
{
	((struct issue_plan *)plan)->certificate.not_before = moment(ctx,
	    value);
	return 0;
}

static int
set_not_after(struct fault_context *ctx, const struct value *value, void *plan)
{
	((struct issue_plan *)plan)->certificate.not_after = moment(ctx, value);
	return 0;
}

static int
set_version(struct fault_context *ctx, const struct value *value, void *plan)
{
	(void)ctx;
	((struct issue_plan *)plan)->certificate.version = (int)value->number;
	return 0;
}

enum { SIGNATURE_PSS = DIGEST_COUNT };

static int
set_signature(struct fault_context *ctx, const struct value *value, void *plan)
{
	struct issue_plan *issue = plan;
	bool pss = value->number == SIGNATURE_PSS;
	enum digest digest = pss ? DIGEST_SHA256 : (enum digest)value->number;

	if (!crypto_key_is_rsa(issue->signer) && (pss || digest == DIGEST_MD5))
		return error_set(ctx->err,
		    "the CA has an EC key, which signs neither with "
		    "RSASSA-PSS nor with MD5");
	issue->certificate.signature = (struct ca_signature){ true, digest,
		pss };
	return 0;
}

enum { ISSUER_STRANGER, ISSUER_RENAMED };

static int
set_stranger(struct fault_context *ctx, struct issue_plan *plan)
{
	struct credentials *other;
	const struct x509 *issuer;
	int ret = 0;

	if (credentials_stranger(ctx->credentials, &other, ctx->err) == -1)
		return -1;
	issuer = &other->certs[CA_ISSUING];
	/* The key is the key set's, and lives on. */
	plan->signer = other->keys[CA_ISSUING];
	if (fault_keep(ctx, issuer->subject, &plan->certificate.issuer) == -1 ||
	    fault_keep(ctx, issuer->key_id,
		&plan->certificate.authority_key_id) == -1)
		ret = -1;
	credentials_free(other);
	return ret;
}

static int
set_issuer(struct fault_context *ctx, const struct value *value, void *plan)
{
	struct issue_plan *issue = plan;

	if (value->number == ISSUER_STRANGER)
		return set_stranger(ctx, issue);
	return keep_name(ctx, RENAMED, &issue->certificate.issuer);
}

enum { SERIAL_DUPLICATE, SERIAL_NEGATIVE, SERIAL_HUGE, SERIAL_ZERO };

/* One of its form, and the same as long as there is this CA. */
static size_t
duplicate_serial(const struct credentials *cred, uint8_t out[HUGE_SERIAL])
{
	memcpy(out, "\x47\0\0\0\0", 5);
	for (size_t i = 0; i < CA_SERIAL_SIZE - 5; i++)
		out[5 + i] = i < 8 ?
		    (uint8_t)span_hex_pair(span_text(cred->ca_sha256), 2 * i) :
		    0;
	return CA_SERIAL_SIZE;
}

static int
set_serial(struct fault_context *ctx, const struct value *value, void *plan)
{
	struct certificate_plan *cert =
	    &((struct issue_plan *)plan)->certificate;
	struct span was = cert->serial;
	uint8_t octets[HUGE_SERIAL] = { 0 };
	size_t len = 1;

	switch (value->number) {
	case SERIAL_DUPLICATE:
		len = duplicate_serial(ctx->credentials, octets);
		break;
	case SERIAL_NEGATIVE:
		/* Still one of a kind; minimal, as DER wants it. */
		len = was.len < sizeof(octets) ? was.len : sizeof(octets);
		memcpy(octets, was.data, len);
		octets[0] = 0xb8;
		break;
	case SERIAL_HUGE:
		len = sizeof(octets);
		for (size_t i = 0; i < len; i++)
			octets[i] = was.data[i % was.len];
		octets[0] = 0x47;
		break;
	}
	cert->serial_as_is = true;
	return fault_keep(ctx, span_of(octets, len), &cert->serial);
}

static int
set_ca(struct fault_context *ctx, const struct value *value, void *plan)
{
	(void)ctx;
	((struct issue_plan *)plan)->certificate.is_ca = value->number != 0;
	return 0;
}

static const struct word key_words[] = {
	{ "other", KEY_RSA_2048, "an RSA key that nobody asked for" },
	{ "other-ec", KEY_EC_P256, "an EC key (P-256) that nobody asked for" },
	{ NULL, 0, NULL },
};
static const struct word string_words[] = {
	{ "utf8", DER_UTF8_STRING, NULL },
	{ "printable", DER_PRINTABLE_STRING, NULL },
	{ "ia5", DER_IA5_STRING, NULL },
	{ "t61", DER_T61_STRING, NULL },
	{ "bmp", DER_BMP_STRING, NULL },
	{ "universal", DER_UNIVERSAL_STRING, NULL },
	{ NULL, 0, NULL },
};
static const struct word san_words[] = {
	{ "dropped", 0, "no subjectAltName, whatever was asked for" },
	{ NULL, 0, NULL },
};
/* RFC 5280 4.2.1.3 */
static const struct word key_usage_words[] = {
	{ "none", 0, "no keyUsage at all" },
	{ "digitalSignature", KEY_USAGE_DIGITAL_SIGNATURE, NULL },
	{ "nonRepudiation", 0x40, NULL },
	{ "keyEncipherment", KEY_USAGE_KEY_ENCIPHERMENT, NULL },
	{ "dataEncipherment", 0x10, NULL },
	{ "keyAgreement", KEY_USAGE_KEY_AGREEMENT, NULL },
	{ "keyCertSign", KEY_USAGE_CERT_SIGN, NULL },
	{ "cRLSign", KEY_USAGE_CRL_SIGN, NULL },
	{ "encipherOnly", 0x01, NULL },
	{ NULL, 0, NULL },
};
static const struct word signature_words[] = {
	{ "md5", DIGEST_MD5, "md5WithRSAEncryption" },
	{ "sha1", DIGEST_SHA1, "sha1WithRSAEncryption, or ECDSA with SHA-1" },
	{ "sha384", DIGEST_SHA384, NULL },
	{ "sha512", DIGEST_SHA512, NULL },
	{ "pss", SIGNATURE_PSS, "RSASSA-PSS with SHA-256 (RFC 4055)" },
	{ NULL, 0, NULL },
};
static const struct word issuer_words[] = {
	{ "stranger", ISSUER_STRANGER,
	    "another CA, which signs it: its path ends elsewhere" },
	{ "renamed", ISSUER_RENAMED,
	    "another name than the CA has, whose key signs it all the same" },
	{ NULL, 0, NULL },
};
static const struct word serial_words[] = {
	{ "duplicate", SERIAL_DUPLICATE,
	    "the same number for all, as long as there is this CA" },
	{ "negative", SERIAL_NEGATIVE, NULL },
	{ "huge", SERIAL_HUGE, "40 octets; RFC 5280 4.1.2.2 allows 20" },
	{ "zero", SERIAL_ZERO, NULL },
	{ NULL, 0, NULL },
};

#define ROW(name, type, words, min, max, help, apply)                     \
	{                                                                 \
		{ name, type, words, min, max, help }, FAULT_CERTIFICATE, \
		    NULL, apply                                           \
	}

static const struct fault_kind kinds[] = {
	ROW("certificate.key", VALUE_WORD, key_words, 0, 0,
	    "Certifies another key than that of the request", set_key),
	ROW("certificate.subject", VALUE_TEXT, NULL, 0, TEXT_MAX,
	    "Another subject, such as \"CN=x, O=y\": parts in the order of "
	    "the certificate, a backslash before a comma or a plus that is "
	    "meant; empty for none",
	    set_subject),
	ROW("certificate.subject_strings", VALUE_WORD, string_words, 0, 0,
	    "The subject in strings of another type than the request has; "
	    "what they cannot hold stays as it is",
	    set_subject_strings),
	ROW("certificate.san", VALUE_WORD, san_words, 0, 0,
	    "The subjectAltName", drop_san),
	ROW("certificate.san_dns", VALUE_TEXTS, NULL, 1, NAMES_MAX,
	    "A subjectAltName of these DNS names in place of what was asked "
	    "for",
	    set_san_dns),
	ROW("certificate.extended_key_usage", VALUE_OIDS, NULL, 0, OIDS_MAX,
	    "The purposes, by their OIDs, in place of clientAuth; an empty "
	    "list for no such extension",
	    set_extended_key_usage),
	ROW("certificate.key_usage", VALUE_WORDS, key_usage_words, 0, 0,
	    "The keyUsage, in place of what fits the key", set_key_usage),
	ROW("certificate.not_before", VALUE_DURATION, NULL, -YEARS_MS, YEARS_MS,
	    "When it becomes valid, from now on the site's clock; 1d is not "
	    "yet valid",
	    set_not_before),
	ROW("certificate.not_after", VALUE_DURATION, NULL, -YEARS_MS, YEARS_MS,
	    "When it ends, from now on the site's clock; -1d has expired",
	    set_not_after),
	ROW("certificate.version", VALUE_NUMBER, NULL, 1, 3,
	    "The version; 1 and 2 are without any extension", set_version),
	ROW("certificate.issuer", VALUE_WORD, issuer_words, 0, 0,
	    "Whose name it bears as issuer", set_issuer),
	ROW("certificate.signature", VALUE_WORD, signature_words, 0, 0,
	    "How the CA signs it, in place of SHA-256; an EC key cannot with "
	    "md5 and pss, and the request fails",
	    set_signature),
	ROW("certificate.serial", VALUE_WORD, serial_words, 0, 0,
	    "The serial number", set_serial),
	ROW("certificate.ca", VALUE_BOOL, NULL, 0, 0,
	    "Says in its basicConstraints that it is a CA", set_ca),
};

const struct fault_section fault_certificate = FAULT_SECTION(kinds);
