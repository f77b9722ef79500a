#include "ca/signed.h"

#include "base/der.h"

#define DAY 86400LL

static void
add_basic_constraints(struct buffer *b, unsigned path_tiers)
{
	struct extension ext = extension_begin(b, oid_ext_basic_constraints,
	    true);
	size_t seq = der_begin(b, DER_SEQUENCE);

	der_add(b, DER_BOOLEAN, span_of("\xff", 1));
	if (path_tiers > 0)
		der_add_small_integer(b, path_tiers - 1);
	der_end(b, seq);
	extension_end(b, ext);
}

static void
add_key_usage(struct buffer *b, uint8_t usage)
{
	uint8_t bits[2] = { 0, usage };
	struct extension ext;

	while (!(usage >> bits[0] & 1))
		bits[0]++;
	ext = extension_begin(b, oid_ext_key_usage, true);
	der_add(b, DER_BIT_STRING, span_of(bits, sizeof(bits)));
	extension_end(b, ext);
}

static void
add_extended_key_usage(struct buffer *b, struct span usage, struct span more)
{
	struct extension ext = extension_begin(b, oid_ext_extended_key_usage,
	    false);
	size_t seq = der_begin(b, DER_SEQUENCE);

	if (usage.len > 0)
		der_add_oid(b, usage);
	buffer_add_span(b, more);
	der_end(b, seq);
	extension_end(b, ext);
}

/* szOID_ENROLL_CERTTYPE_EXTENSION: the template's name as a BMPString. */
static void
add_template_name(struct buffer *b, const char *name)
{
	struct extension ext = extension_begin(b, oid_ms_template_name, false);
	size_t text = der_begin(b, DER_BMP_STRING);

	for (; *name != '\0'; name++) {
		buffer_add_byte(b, 0);
		buffer_add_byte(b, (uint8_t)*name);
	}
	der_end(b, text);
	extension_end(b, ext);
}

static void
add_key_id(struct buffer *b, struct span key_id)
{
	struct extension ext = extension_begin(b, oid_ext_subject_key_id,
	    false);

	der_add(b, DER_OCTET_STRING, key_id);
	extension_end(b, ext);
}

static void
add_extensions(struct buffer *b, const struct certificate_plan *plan,
    struct span key_id)
{
	size_t outer = der_begin(b, DER_CONTEXT_CONSTRUCTED(3));
	size_t list = der_begin(b, DER_SEQUENCE);

	if (plan->is_ca)
		add_basic_constraints(b, plan->path_tiers);
	if (plan->key_usage != 0)
		add_key_usage(b, plan->key_usage);
	if (plan->extended_key_usage.len > 0 ||
	    plan->more_extended_key_usage.len > 0)
		add_extended_key_usage(b, plan->extended_key_usage,
		    plan->more_extended_key_usage);
	if (plan->template_name != NULL)
		add_template_name(b, plan->template_name);
	buffer_add_span(b, plan->subject_alt_name);
	add_key_id(b, key_id);
	extension_add_authority(b, plan->authority_key_id);
	der_end(b, list);
	der_end(b, outer);
}

/* RFC 5280 4.1.2.1: the first version is not said. */
static void
add_version(struct buffer *b, int version)
{
	size_t field;

	if (version == 1)
		return;
	field = der_begin(b, DER_CONTEXT_CONSTRUCTED(0));
	der_add_small_integer(b, (unsigned)version - 1);
	der_end(b, field);
}

static void
add_tbs(struct buffer *b, const struct certificate_plan *plan,
    const struct evp_pkey_st *signer, struct span key_id)
{
	int version = plan->version == 0 ? 3 : plan->version;
	size_t tbs = der_begin(b, DER_SEQUENCE), field;

	add_version(b, version);
	if (plan->serial_as_is)
		der_add(b, DER_INTEGER, plan->serial);
	else
		der_add_unsigned(b, plan->serial);
	signed_add_algorithm(b, signer, &plan->signature);
	buffer_add_span(b, plan->issuer);
	field = der_begin(b, DER_SEQUENCE);
	der_add_time(b, plan->not_before);
	der_add_time(b, plan->not_after);
	der_end(b, field);
	buffer_add_span(b, plan->subject);
	buffer_add_span(b, plan->spki);
	if (version == 3)
		add_extensions(b, plan, key_id);
	der_end(b, tbs);
}

int
certificate_build(struct crypto *c, const struct certificate_plan *plan,
    struct evp_pkey_st *signer, struct blob *out, struct error *err)
{
	struct buffer tbs = { 0 };
	uint8_t key_id[20];
	int ret = -1;

	*out = (struct blob){ NULL, 0 };
	if (x509_key_id(c, plan->spki, key_id) == 0) {
		add_tbs(&tbs, plan, signer, span_of(key_id, sizeof(key_id)));
		ret = signed_build(c, &tbs, signer, &plan->signature, out);
	}
	buffer_free(&tbs);
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

/* RFC 5480 3: an EC key enciphers no keys, it agrees on them. */
static uint8_t
device_key_usage(struct span spki)
{
	if (x509_key_is(spki, oid_ec_public_key))
		return KEY_USAGE_DIGITAL_SIGNATURE | KEY_USAGE_KEY_AGREEMENT;
	return KEY_USAGE_DIGITAL_SIGNATURE | KEY_USAGE_KEY_ENCIPHERMENT;
}

static int64_t
later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t
earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int
ca_plan_issue(const struct credentials *cred, struct span subject,
    struct span spki, struct span extensions, struct span serial, int64_t now,
    struct issue_plan *out, struct error *err)
{
	const struct x509 *issuer = &cred->certs[CA_ISSUING];

	if (now > issuer->not_after)
		return error_set(err, "the certificate of the CA has expired");
	out->signer = cred->keys[CA_ISSUING];
	out->certificate = (struct certificate_plan){
		.serial = serial,
		.issuer = issuer->subject,
		.subject = subject,
		.spki = spki,
		.not_before = later(now - BACK_DATE, issuer->not_before),
		.not_after = earlier(now - BACK_DATE + 365 * DAY,
		    issuer->not_after),
		.key_usage = device_key_usage(spki),
		.extended_key_usage = oid_client_auth,
		.subject_alt_name = ca_alt_name(extensions),
		.authority_key_id = issuer->key_id,
	};
	return 0;
}

int
ca_issue(const struct credentials *cred, struct span subject, struct span spki,
    struct span extensions, struct span serial, int64_t now, struct blob *out,
    struct error *err)
{
	struct issue_plan plan;

	*out = (struct blob){ NULL, 0 };
	if (ca_plan_issue(cred, subject, spki, extensions, serial, now, &plan,
		err) == -1)
		return -1;
	return certificate_build(cred->crypto, &plan.certificate, plan.signer,
	    out, err);
}

bool
ca_has_signed(const struct credentials *cred, const struct x509 *cert)
{
	enum digest digest = digest_by_signature_oid(cert->signature_oid);

	return span_equal(cert->issuer, cred->certs[CA_ISSUING].subject) &&
	    digest != DIGEST_COUNT &&
	    crypto_verify(cred->crypto, cred->keys[CA_ISSUING], digest,
		cert->tbs, cert->signature) == 0;
}
