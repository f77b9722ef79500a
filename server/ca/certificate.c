#include "ca/ca.h"

#include <string.h>

#include "base/der.h"

#define BACK_DATE 600 /* as AD CS does, for clocks that differ */
#define DAY 86400LL

static void
add_algorithm(struct buffer *b)
{
	size_t seq = der_begin(b, DER_SEQUENCE);

	der_add_oid(b, digest_rsa_oid(DIGEST_SHA256));
	der_add_null(b);
	der_end(b, seq);
}

static size_t
begin_extension(struct buffer *b, struct span oid, bool critical, size_t *value)
{
	size_t seq = der_begin(b, DER_SEQUENCE);

	der_add_oid(b, oid);
	if (critical)
		der_add(b, DER_BOOLEAN, span_of("\xff", 1));
	*value = der_begin(b, DER_OCTET_STRING);
	return seq;
}

static void
add_basic_constraints(struct buffer *b)
{
	size_t value, seq;
	size_t ext = begin_extension(b, oid_ext_basic_constraints, true,
	    &value);

	seq = der_begin(b, DER_SEQUENCE);
	der_add(b, DER_BOOLEAN, span_of("\xff", 1));
	der_end(b, seq);
	der_end(b, value);
	der_end(b, ext);
}

static void
add_key_usage(struct buffer *b, uint8_t usage)
{
	size_t value, ext;
	uint8_t bits[2] = { 0, usage };

	while (!(usage >> bits[0] & 1))
		bits[0]++;
	ext = begin_extension(b, oid_ext_key_usage, true, &value);
	der_add(b, DER_BIT_STRING, span_of(bits, sizeof(bits)));
	der_end(b, value);
	der_end(b, ext);
}

static void
add_extended_key_usage(struct buffer *b, struct span usage)
{
	size_t value, seq, ext;

	ext = begin_extension(b, oid_ext_extended_key_usage, false, &value);
	seq = der_begin(b, DER_SEQUENCE);
	der_add_oid(b, usage);
	der_end(b, seq);
	der_end(b, value);
	der_end(b, ext);
}

/* szOID_ENROLL_CERTTYPE_EXTENSION: the template's name as a BMPString. */
static void
add_template_name(struct buffer *b, const char *name)
{
	size_t value, text, ext;

	ext = begin_extension(b, oid_ms_template_name, false, &value);
	text = der_begin(b, DER_BMP_STRING);
	for (; *name != '\0'; name++) {
		buffer_add_byte(b, 0);
		buffer_add_byte(b, (uint8_t)*name);
	}
	der_end(b, text);
	der_end(b, value);
	der_end(b, ext);
}

static void
add_key_ids(struct buffer *b, struct span own, struct span authority)
{
	size_t value, seq, ext;

	ext = begin_extension(b, oid_ext_subject_key_id, false, &value);
	der_add(b, DER_OCTET_STRING, own);
	der_end(b, value);
	der_end(b, ext);
	if (authority.len == 0)
		return;
	ext = begin_extension(b, oid_ext_authority_key_id, false, &value);
	seq = der_begin(b, DER_SEQUENCE);
	der_add(b, DER_CONTEXT(0), authority);
	der_end(b, seq);
	der_end(b, value);
	der_end(b, ext);
}

static void
add_extensions(struct buffer *b, const struct certificate_plan *plan,
    struct span key_id)
{
	size_t outer = der_begin(b, DER_CONTEXT_CONSTRUCTED(3));
	size_t list = der_begin(b, DER_SEQUENCE);

	if (plan->is_ca)
		add_basic_constraints(b);
	if (plan->key_usage != 0)
		add_key_usage(b, plan->key_usage);
	if (plan->extended_key_usage.len > 0)
		add_extended_key_usage(b, plan->extended_key_usage);
	if (plan->template_name != NULL)
		add_template_name(b, plan->template_name);
	buffer_add_span(b, plan->subject_alt_name);
	add_key_ids(b, key_id, plan->authority_key_id);
	der_end(b, list);
	der_end(b, outer);
}

static void
add_tbs(struct buffer *b, const struct certificate_plan *plan,
    struct span key_id)
{
	size_t tbs = der_begin(b, DER_SEQUENCE);
	size_t field = der_begin(b, DER_CONTEXT_CONSTRUCTED(0));

	der_add_small_integer(b, 2);
	der_end(b, field);
	der_add_unsigned(b, plan->serial);
	add_algorithm(b);
	buffer_add_span(b, plan->issuer);
	field = der_begin(b, DER_SEQUENCE);
	der_add_time(b, plan->not_before);
	der_add_time(b, plan->not_after);
	der_end(b, field);
	buffer_add_span(b, plan->subject);
	buffer_add_span(b, plan->spki);
	add_extensions(b, plan, key_id);
	der_end(b, tbs);
}

int
certificate_build(struct crypto *c, const struct certificate_plan *plan,
    struct evp_pkey_st *signer, struct blob *out, struct error *err)
{
	struct buffer cert = { 0 }, tbs = { 0 }, signature = { 0 };
	uint8_t key_id[20];
	size_t seq;
	int ret = -1;

	*out = (struct blob){ NULL, 0 };
	if (x509_key_id(c, plan->spki, key_id) == -1)
		goto out;
	add_tbs(&tbs, plan, span_of(key_id, sizeof(key_id)));
	if (tbs.failed ||
	    crypto_sign(c, signer, DIGEST_SHA256, buffer_span(&tbs),
		&signature) == -1)
		goto out;
	seq = der_begin(&cert, DER_SEQUENCE);
	buffer_add_span(&cert, buffer_span(&tbs));
	add_algorithm(&cert);
	der_add_bit_string(&cert, buffer_span(&signature));
	der_end(&cert, seq);
	ret = buffer_finish(&cert, out);
out:
	buffer_free(&cert);
	buffer_free(&tbs);
	buffer_free(&signature);
	return ret == 0 ? 0 : error_set(err, "cannot build a certificate");
}

struct span
ca_alt_name(struct span extensions)
{
	struct span content, oid;
	struct der ext;

	while (der_next(&extensions, &ext) == 0 && ext.tag == DER_SEQUENCE) {
		content = ext.content;
		if (der_expect(&content, DER_OID, &oid) == 0 &&
		    der_oid_is(oid, oid_ext_subject_alt_name))
			return ext.whole;
	}
	return SPAN_EMPTY;
}

int
ca_issue(const struct credentials *cred, struct span subject, struct span spki,
    struct span extensions, struct span serial, int64_t now, struct blob *out,
    struct error *err)
{
	const struct x509 *root = &cred->certs[CA_ISSUING];
	const struct certificate_plan plan = {
		.serial = serial,
		.issuer = root->subject,
		.subject = subject,
		.spki = spki,
		.not_before = now - BACK_DATE,
		.not_after = now - BACK_DATE + 365 * DAY,
		.key_usage = KEY_USAGE_DIGITAL_SIGNATURE |
		    KEY_USAGE_KEY_ENCIPHERMENT,
		.extended_key_usage = oid_client_auth,
		.subject_alt_name = ca_alt_name(extensions),
		.authority_key_id = root->key_id,
	};

	return certificate_build(cred->crypto, &plan, cred->keys[CA_ISSUING],
	    out, err);
}
