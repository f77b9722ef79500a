/* The certificates of CA and RAs, as NDES has them (ndes-facts 2). */
#include "ca/key_set.h"
#include "ca/signed.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/der.h"

#define DAY 86400LL
#define YEAR (365 * 86400LL + 86400 / 4)
#define ISSUING_YEARS 10

#define CA_USAGE \
	(KEY_USAGE_DIGITAL_SIGNATURE | KEY_USAGE_CERT_SIGN | KEY_USAGE_CRL_SIGN)

static const struct recipe {
	const char *country, *common_name, *template_name;
	int years;
	uint8_t key_usage;
	unsigned path_tiers;
} roles[CA_ROLES] = {
	[CA_ISSUING] = { NULL, "mockndes TEST ONLY CA", NULL, ISSUING_YEARS,
	    CA_USAGE, 1 },
	[CA_RA_SIGNING] = { "US", "NDESServer01-MSCEP-RA",
	    "EnrollmentAgentOffline", 2, KEY_USAGE_DIGITAL_SIGNATURE, 0 },
	[CA_RA_ENCRYPTION] = { "US", "NDESServer01-MSCEP-RA", "CEPEncryption",
	    2, KEY_USAGE_KEY_ENCIPHERMENT, 0 },
};
static const struct recipe policy = { NULL, "mockndes TEST ONLY Policy CA",
	NULL, 20, CA_USAGE, 2 };
static const struct recipe root = { NULL, "mockndes TEST ONLY Root CA", NULL,
	30, CA_USAGE, 0 };
static const struct recipe stranger = { NULL, "mockndes TEST ONLY Stranger CA",
	NULL, ISSUING_YEARS, CA_USAGE, 1 };

/* That the name of a renewed CA counts is assumed: AD CS keeps it. */
static void
add_name(struct buffer *b, const struct recipe *r, unsigned generation)
{
	size_t seq = der_begin(b, DER_SEQUENCE);
	char renewed[64];

	signed_add_name_part(b, oid_country, r->country);
	signed_add_name_part(b, oid_organization, SIGNED_ORGANIZATION);
	snprintf(renewed, sizeof(renewed), "%s (%u)", r->common_name,
	    generation);
	signed_add_name_part(b, oid_common_name,
	    generation > 0 ? renewed : r->common_name);
	der_end(b, seq);
}

int
ca_serial(struct crypto *c, uint32_t number, uint8_t out[CA_SERIAL_SIZE])
{
	uint8_t big_endian[4] = { (uint8_t)(number >> 24),
		(uint8_t)(number >> 16), (uint8_t)(number >> 8),
		(uint8_t)number };

	memset(out, 0, CA_SERIAL_SIZE);
	out[0] = 0x47;
	memcpy(out + 1, big_endian, sizeof(big_endian));
	memcpy(out + 15, big_endian, sizeof(big_endian));
	return crypto_random(c, out + 5, 8);
}

/* From the root down: who signs what is built next. */
struct building {
	struct credentials *cred;
	struct error *err;
	int64_t not_before;
	struct x509 issuer; /* empty: it signs itself */
	struct evp_pkey_st *signer;
	uint32_t number; /* of the last serial number */
	bool is_stranger;
};

/* What is not said follows from what is: no end before the begin. */
static void
shape_ra(const struct ra_shape *ra, const struct recipe *r,
    struct certificate_plan *plan)
{
	static const uint8_t usages[] = {
		[RA_USAGE_NONE] = 0,
		[RA_USAGE_SIGNING] = KEY_USAGE_DIGITAL_SIGNATURE,
		[RA_USAGE_ENCRYPTION] = KEY_USAGE_KEY_ENCIPHERMENT,
		[RA_USAGE_BOTH] = KEY_USAGE_DIGITAL_SIGNATURE |
		    KEY_USAGE_KEY_ENCIPHERMENT,
	};

	if (ra->not_before != 0)
		plan->not_before = ra->not_before;
	if (ra->not_after != 0)
		plan->not_after = ra->not_after;
	if (plan->not_before >= plan->not_after && ra->not_before == 0)
		plan->not_before = plan->not_after - r->years * YEAR;
	else if (plan->not_before >= plan->not_after && ra->not_after == 0)
		plan->not_after = plan->not_before + r->years * YEAR;
	if (ra->key_usage != RA_USAGE_USUAL)
		plan->key_usage = usages[ra->key_usage];
}

static int
build(struct building *b, const struct recipe *r, struct evp_pkey_st *key,
    unsigned generation, struct blob *out)
{
	struct credentials *cred = b->cred;
	bool own = b->issuer.whole.len == 0;
	uint8_t serial[CA_SERIAL_SIZE] = { 0 };
	struct certificate_plan plan = {
		.serial = span_of(serial, sizeof(serial)),
		.not_before = b->not_before,
		.not_after = b->not_before + r->years * YEAR,
		.is_ca = r->template_name == NULL,
		.path_tiers = own ? 0 : r->path_tiers,
		.key_usage = r->key_usage,
		.template_name = r->template_name,
		.authority_key_id = b->issuer.key_id,
	};
	struct blob spki = { NULL, 0 };
	struct buffer subject = { 0 };
	int ret = -1;

	add_name(&subject, r, generation);
	plan.subject = buffer_span(&subject);
	plan.issuer = own ? plan.subject : b->issuer.subject;
	if (!plan.is_ca) {
		plan.extended_key_usage = oid_ms_request_agent;
		shape_ra(&cred->ras[r - roles], r, &plan);
	}
	if (!subject.failed &&
	    ca_serial(cred->crypto, ++b->number, serial) == 0 &&
	    crypto_key_to_spki(key, &spki, b->err) == 0) {
		plan.spki = blob_span(&spki);
		ret = certificate_build(cred->crypto, &plan,
		    own ? key : b->signer, out, b->err);
	}
	blob_free(&spki);
	buffer_free(&subject);
	return ret;
}

static int
sign_with(struct building *b, const struct blob *issuer,
    struct evp_pkey_st *key)
{
	b->signer = key;
	return x509_read(blob_span(issuer), &b->issuer);
}

/* Whether these are still good when a CA that begins now ends. */
static bool
chain_lasts(const struct credentials *above, int64_t now)
{
	struct x509 cert;

	for (size_t i = 0; i < above->chain_count; i++)
		if (x509_read(blob_span(&above->chain[i]), &cert) == -1 ||
		    cert.not_after < now + ISSUING_YEARS * YEAR)
			return false;
	return true;
}

/* `keys` are those of the chain; `above`, if any, has had it before. */
static int
take_chain(struct building *b, const struct ca_key *keys,
    const struct credentials *above)
{
	struct credentials *cred = b->cred;
	bool again = above != NULL && chain_lasts(above, b->not_before);

	for (size_t i = cred->chain_count; i-- > 0;) {
		const struct recipe *r = keys[i].tier == TIER_ROOT ? &root :
								     &policy;
		struct blob *der = &cred->chain[i];

		if ((again ? blob_copy(der, blob_span(&above->chain[i])) :
			     build(b, r, keys[i].key, 0, der)) == -1 ||
		    sign_with(b, der, keys[i].key) == -1)
			return -1;
	}
	return 0;
}

static const struct recipe *
recipe_of(const struct building *b, int role)
{
	return role == CA_ISSUING && b->is_stranger ? &stranger : &roles[role];
}

static bool
is_usual(const struct ra_shape *ra)
{
	return ra->not_before == 0 && ra->not_after == 0 &&
	    ra->key_usage == RA_USAGE_USUAL;
}

/* Whether the key set's own certificate is meant. */
static bool
is_given(const struct building *b, int role)
{
	const struct ca_shape *shape = &b->cred->shape;

	return shape->key == CA_KEY_GIVEN && shape->tiers == 1 &&
	    shape->generation == 0 && !b->is_stranger &&
	    is_usual(&b->cred->ras[role]) &&
	    b->cred->key_set->certs[role].len > 0;
}

static int
take_role(struct building *b, int role)
{
	struct credentials *cred = b->cred;
	struct blob *der = &cred->der[role];

	b->number = (uint32_t)role;
	return (is_given(b, role) ?
		       blob_copy(der, blob_span(&cred->key_set->certs[role])) :
		       build(b, recipe_of(b, role), cred->keys[role],
			   role == CA_ISSUING ? cred->shape.generation : 0,
			   der)) == -1 ?
	    -1 :
	    x509_read(blob_span(der), &cred->certs[role]);
}

static int
take_roles(struct building *b)
{
	struct credentials *cred = b->cred;

	if (take_role(b, CA_ISSUING) == -1 ||
	    sign_with(b, &cred->der[CA_ISSUING], cred->keys[CA_ISSUING]) == -1)
		return -1;
	for (int role = CA_RA_SIGNING; role < CA_ROLES; role++)
		if (take_role(b, role) == -1)
			return -1;
	return 0;
}

/* The order in which a real NDES was seen to give them (2.2). */
static void
list_certs(struct credentials *cred)
{
	struct span *to = cred->ca_certs;

	*to++ = blob_span(&cred->der[CA_RA_SIGNING]);
	*to++ = blob_span(&cred->der[CA_RA_ENCRYPTION]);
	*to++ = blob_span(&cred->der[CA_ISSUING]);
	for (size_t i = 0; i < cred->chain_count; i++)
		*to++ = blob_span(&cred->chain[i]);
	cred->ca_cert_count = (size_t)(to - cred->ca_certs);
}

void
ca_certs_plan(const struct credentials *cred, struct ca_certs_plan *out)
{
	static const enum shown_as as[CA_ROLES] = { SHOWN_RA_SIGNING,
		SHOWN_RA_ENCRYPTION, SHOWN_CA };

	*out = (struct ca_certs_plan){ .count = cred->ca_cert_count };
	for (size_t i = 0; i < cred->ca_cert_count; i++) {
		out->certs[i].as = i < CA_ROLES ? as[i] : SHOWN_CHAIN;
		out->certs[i].der = cred->ca_certs[i];
	}
}

static int
fingerprints(struct credentials *cred, struct error *err)
{
	struct span der = blob_span(&cred->der[CA_ISSUING]);
	uint8_t md5[DIGEST_MAX_SIZE], sha256[DIGEST_MAX_SIZE];
	char *to = cred->thumbprint;

	if (crypto_digest(cred->crypto, DIGEST_MD5, der, md5) == -1 ||
	    crypto_digest(cred->crypto, DIGEST_SHA256, der, sha256) == -1)
		return error_set(err, "cannot hash the CA certificate");
	for (int i = 0; i < 16; i++)
		to += sprintf(to, "%s%02X", i > 0 && i % 4 == 0 ? " " : "",
		    md5[i]);
	for (int i = 0; i < 32; i++)
		sprintf(cred->ca_sha256 + 2 * i, "%02x", sha256[i]);
	return 0;
}

static int
make(struct credentials *cred, int64_t now, const struct credentials *above,
    struct error *err)
{
	const struct ca_shape *shape = &cred->shape;
	struct building b = {
		.cred = cred,
		.err = err,
		.not_before = shape->generation == 0 ? now - BACK_DATE : now,
	};
	struct ca_key keys[1 + CA_CHAIN_MAX] = {
		{ TIER_ISSUING, shape->key, shape->generation, NULL },
		{ TIER_POLICY, shape->key, 0, NULL },
		{ TIER_ROOT, shape->key, 0, NULL },
	};

	if (shape->tiers < 1 || shape->tiers > 1 + CA_CHAIN_MAX)
		return error_set(err, "a CA has 1 to %d tiers, not %d",
		    1 + CA_CHAIN_MAX, shape->tiers);
	cred->chain_count = (size_t)shape->tiers - 1;
	if (cred->chain_count == 1)
		keys[1].tier = TIER_ROOT;
	if (key_set_find(cred->key_set, keys, (size_t)shape->tiers, err) == -1)
		return -1;
	for (int role = 0; role < CA_ROLES; role++)
		cred->keys[role] = cred->key_set->keys[role];
	cred->keys[CA_ISSUING] = keys[0].key;
	if (take_chain(&b, keys + 1, above) == -1 || take_roles(&b) == -1)
		return -1;
	list_certs(cred);
	return fingerprints(cred, err);
}

/* NULL without memory. */
static struct credentials *
empty_credentials(struct key_set *set, const struct ca_shape *shape)
{
	struct credentials *cred = calloc(1, sizeof(*cred));

	if (cred == NULL)
		return NULL;
	cred->refs = 1;
	cred->crypto = set->crypto;
	cred->key_set = key_set_ref(set);
	cred->shape = *shape;
	return cred;
}

static int
new_credentials(struct key_set *set, const struct ca_shape *shape, int64_t now,
    const struct credentials *above, struct credentials **out,
    struct error *err)
{
	struct credentials *cred = empty_credentials(set, shape);

	*out = NULL;
	if (cred == NULL)
		return error_set(err, "out of memory");
	if (above != NULL)
		memcpy(cred->ras, above->ras, sizeof(cred->ras));
	if (make(cred, now, above, err) == 0) {
		*out = cred;
		return 0;
	}
	credentials_free(cred);
	return error_set(err, "cannot make the certificates of CA and RAs");
}

/* What it is to be found by; nothing if there was none. */
static int
keep_before(struct credentials *cred, struct span der)
{
	struct blob *to = &cred->encryption_before_der;

	if (der.len == 0)
		return 0;
	return blob_copy(to, der) == -1 ?
	    -1 :
	    x509_read(blob_span(to), &cred->encryption_before);
}

int
credentials_new(struct key_set *set, const struct ca_shape *shape, int64_t now,
    struct credentials **out, struct error *err)
{
	return new_credentials(set, shape, now, NULL, out, err);
}

int
credentials_next(const struct credentials *cred, int64_t rollover,
    struct credentials **out, struct error *err)
{
	struct ca_shape shape = cred->shape;

	shape.generation++;
	if (new_credentials(cred->key_set, &shape, rollover, cred, out, err) ==
	    -1)
		return -1;
	if (keep_before(*out, blob_span(&cred->der[CA_RA_ENCRYPTION])) == 0)
		return 0;
	credentials_free(*out);
	*out = NULL;
	return error_set(err, "out of memory");
}

static bool
same_ra(const struct ra_shape *a, const struct ra_shape *b)
{
	return a->not_before == b->not_before && a->not_after == b->not_after &&
	    a->key_usage == b->key_usage;
}

bool
credentials_have_ras(const struct credentials *cred,
    const struct ra_shape ras[CA_ROLES])
{
	return same_ra(&cred->ras[CA_RA_SIGNING], &ras[CA_RA_SIGNING]) &&
	    same_ra(&cred->ras[CA_RA_ENCRYPTION], &ras[CA_RA_ENCRYPTION]);
}

/* The certificates of the CAs, as they are. */
static int
copy_cas(struct credentials *to, const struct credentials *from)
{
	memcpy(to->keys, from->keys, sizeof(to->keys));
	to->chain_count = from->chain_count;
	for (size_t i = 0; i < from->chain_count; i++)
		if (blob_copy(&to->chain[i], blob_span(&from->chain[i])) == -1)
			return -1;
	if (blob_copy(&to->der[CA_ISSUING],
		blob_span(&from->der[CA_ISSUING])) == -1)
		return -1;
	return x509_read(blob_span(&to->der[CA_ISSUING]),
	    &to->certs[CA_ISSUING]);
}

/* Who knew it yesterday may not know it today. */
static struct span
encryption_before(const struct credentials *cred, const struct credentials *old)
{
	struct span was = blob_span(&old->der[CA_RA_ENCRYPTION]);

	return span_equal(blob_span(&cred->der[CA_RA_ENCRYPTION]), was) ?
	    blob_span(&old->encryption_before_der) :
	    was;
}

/* One that was there before stays, or comes back. */
static int
change_ra(struct building *b, int role, const struct credentials *old)
{
	struct credentials *cred = b->cred;
	struct blob *der = &cred->der[role];
	const struct credentials *from = same_ra(&cred->ras[role],
					     &old->ras[role]) ?
	    old :
	    cred->origin;

	if (!same_ra(&cred->ras[role], &from->ras[role]))
		return take_role(b, role);
	return blob_copy(der, blob_span(&from->der[role])) == -1 ?
	    -1 :
	    x509_read(blob_span(der), &cred->certs[role]);
}

static int
change_ras(struct credentials *cred, const struct credentials *old,
    struct error *err)
{
	struct building b = { .cred = cred,
		.err = err,
		.not_before = old->certs[CA_ISSUING].not_before };

	if (copy_cas(cred, old) == -1 ||
	    sign_with(&b, &cred->der[CA_ISSUING], cred->keys[CA_ISSUING]) == -1)
		return -1;
	for (int role = CA_RA_SIGNING; role < CA_ROLES; role++)
		if (change_ra(&b, role, old) == -1)
			return -1;
	list_certs(cred);
	return keep_before(cred, encryption_before(cred, old)) == -1 ?
	    -1 :
	    fingerprints(cred, err);
}

int
credentials_with_ras(struct credentials *old,
    const struct ra_shape ras[CA_ROLES], struct credentials **out,
    struct error *err)
{
	struct credentials *cred = empty_credentials(old->key_set, &old->shape);

	*out = NULL;
	if (cred == NULL)
		return error_set(err, "out of memory");
	cred->origin = credentials_ref(old->origin != NULL ? old->origin : old);
	memcpy(cred->ras + CA_RA_SIGNING, ras + CA_RA_SIGNING,
	    2 * sizeof(*ras));
	if (change_ras(cred, old, err) == 0) {
		*out = cred;
		return 0;
	}
	credentials_free(cred);
	return error_set(err, "cannot make the certificates of the RAs");
}

int
credentials_stranger(const struct credentials *cred, struct credentials **out,
    struct error *err)
{
	static const struct ca_shape shape = { KEY_RSA_2048, 1, 0 };
	struct credentials *other = empty_credentials(cred->key_set, &shape);
	struct building b = { .cred = other,
		.err = err,
		.not_before = cred->certs[CA_ISSUING].not_before,
		.is_stranger = true };
	struct ca_key keys[CA_ROLES];

	*out = NULL;
	if (other == NULL)
		return error_set(err, "out of memory");
	for (int role = 0; role < CA_ROLES; role++)
		keys[role] = (struct ca_key){ TIER_STRANGER + role,
			KEY_RSA_2048, 0, NULL };
	if (key_set_find(cred->key_set, keys, CA_ROLES, err) == 0) {
		for (int role = 0; role < CA_ROLES; role++)
			other->keys[role] = keys[role].key;
		if (take_roles(&b) == 0 && fingerprints(other, err) == 0) {
			list_certs(other);
			*out = other;
			return 0;
		}
	}
	credentials_free(other);
	return error_set(err, "cannot make the certificates of another CA");
}

int
credentials_other_key(const struct credentials *cred, enum key_type type,
    unsigned which, struct evp_pkey_st **out, struct error *err)
{
	struct ca_key key = { TIER_NOBODY, (int)type, which, NULL };

	if (key_set_find(cred->key_set, &key, 1, err) == -1)
		return -1;
	*out = key.key;
	return 0;
}

int
credentials_plan_ra(const struct credentials *cred, enum ca_role role,
    uint8_t serial[CA_SERIAL_SIZE], struct issue_plan *out, struct error *err)
{
	const struct x509 *cert = &cred->certs[role];
	struct span usage = cert->key_usage;

	if (ca_serial(cred->crypto, (uint32_t)role + 1, serial) == -1)
		return error_set(err, "no random numbers");
	out->signer = cred->keys[CA_ISSUING];
	out->certificate = (struct certificate_plan){
		.serial = span_of(serial, CA_SERIAL_SIZE),
		.issuer = cert->issuer,
		.subject = cert->subject,
		.spki = cert->spki,
		.not_before = cert->not_before,
		.not_after = cert->not_after,
		.key_usage = usage.len > 1 ? usage.data[1] : 0,
		.extended_key_usage = oid_ms_request_agent,
		.template_name = roles[role].template_name,
		.authority_key_id = cred->certs[CA_ISSUING].key_id,
	};
	return 0;
}

int
credentials_expired_ra(const struct credentials *cred, enum ca_role role,
    int64_t now, struct blob *out, struct error *err)
{
	uint8_t serial[CA_SERIAL_SIZE];
	struct issue_plan plan;

	*out = (struct blob){ NULL, 0 };
	if (credentials_plan_ra(cred, role, serial, &plan, err) == -1)
		return -1;
	plan.certificate.not_after = now - DAY;
	plan.certificate.not_before = now - DAY - roles[role].years * YEAR;
	return certificate_build(cred->crypto, &plan.certificate, plan.signer,
	    out, err);
}

struct credentials *
credentials_ref(struct credentials *cred)
{
	atomic_fetch_add(&cred->refs, 1);
	return cred;
}

void
credentials_free(struct credentials *cred)
{
	if (cred == NULL || atomic_fetch_sub(&cred->refs, 1) > 1)
		return;
	for (int role = 0; role < CA_ROLES; role++)
		blob_free(&cred->der[role]);
	for (size_t i = 0; i < cred->chain_count; i++)
		blob_free(&cred->chain[i]);
	blob_free(&cred->encryption_before_der);
	credentials_free(cred->origin);
	key_set_free(cred->key_set);
	free(cred);
}
