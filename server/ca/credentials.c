/* The certificates of CA and RAs, as NDES has them (ndes-facts 2). */
#include "ca/key_set.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/der.h"

#define BACK_DATE 600
#define YEAR (365 * 86400LL + 86400 / 4)
#define ORGANIZATION "mockndes TEST ONLY"

static const struct role {
	const char *country, *common_name, *template_name;
	int years;
	uint8_t key_usage;
} roles[CA_ROLES] = {
	[CA_ISSUING] = { NULL, "mockndes TEST ONLY CA", NULL, 10,
	    KEY_USAGE_DIGITAL_SIGNATURE | KEY_USAGE_CERT_SIGN |
		KEY_USAGE_CRL_SIGN },
	[CA_RA_SIGNING] = { "US", "NDESServer01-MSCEP-RA",
	    "EnrollmentAgentOffline", 2, KEY_USAGE_DIGITAL_SIGNATURE },
	[CA_RA_ENCRYPTION] = { "US", "NDESServer01-MSCEP-RA", "CEPEncryption",
	    2, KEY_USAGE_KEY_ENCIPHERMENT },
};

static void
add_name_part(struct buffer *b, struct span oid, const char *text)
{
	size_t set, seq;

	if (text == NULL)
		return;
	set = der_begin(b, DER_SET);
	seq = der_begin(b, DER_SEQUENCE);
	der_add_oid(b, oid);
	der_add(b, DER_PRINTABLE_STRING, span_text(text));
	der_end(b, seq);
	der_end(b, set);
}

static void
add_name(struct buffer *b, const struct role *role)
{
	size_t seq = der_begin(b, DER_SEQUENCE);

	add_name_part(b, oid_country, role->country);
	add_name_part(b, oid_organization, ORGANIZATION);
	add_name_part(b, oid_common_name, role->common_name);
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

static int
build(struct credentials *cred, int role, int64_t now, struct error *err)
{
	struct certificate_plan plan = {
		.not_before = now - BACK_DATE,
		.not_after = now - BACK_DATE + roles[role].years * YEAR,
		.is_ca = role == CA_ISSUING,
		.key_usage = roles[role].key_usage,
		.template_name = roles[role].template_name,
		.authority_key_id = cred->certs[CA_ISSUING].key_id,
	};
	struct buffer issuer = { 0 }, subject = { 0 };
	uint8_t serial[CA_SERIAL_SIZE];
	struct blob spki = { NULL, 0 };
	int ret = -1;

	add_name(&issuer, &roles[CA_ISSUING]);
	add_name(&subject, &roles[role]);
	plan.issuer = buffer_span(&issuer);
	plan.subject = buffer_span(&subject);
	plan.serial = span_of(serial, sizeof(serial));
	if (role != CA_ISSUING)
		plan.extended_key_usage = oid_ms_request_agent;
	if (ca_serial(cred->crypto, (uint32_t)role + 1, serial) == 0 &&
	    crypto_key_to_spki(cred->keys[role], &spki, err) == 0) {
		plan.spki = blob_span(&spki);
		ret = certificate_build(cred->crypto, &plan,
		    cred->keys[CA_ISSUING], &cred->der[role], err);
	}
	blob_free(&spki);
	buffer_free(&issuer);
	buffer_free(&subject);
	return ret;
}

static int
take(struct credentials *cred, int role, int64_t now, struct error *err)
{
	struct key_set *set = cred->key_set;

	if (set->certs[role].len > 0) {
		if (blob_copy(&cred->der[role], blob_span(&set->certs[role])) ==
		    -1)
			return error_set(err, "out of memory");
	} else if (build(cred, role, now, err) == -1) {
		return -1;
	}
	return x509_read(blob_span(&cred->der[role]), &cred->certs[role]);
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

int
credentials_new(struct key_set *set, int64_t now, struct credentials **out,
    struct error *err)
{
	struct credentials *cred = calloc(1, sizeof(*cred));

	*out = NULL;
	if (cred == NULL)
		return error_set(err, "out of memory");
	cred->refs = 1;
	cred->crypto = set->crypto;
	cred->key_set = key_set_ref(set);
	for (int role = 0; role < CA_ROLES; role++) {
		cred->keys[role] = set->keys[role];
		if (take(cred, role, now, err) == -1)
			goto fail;
	}
	if (fingerprints(cred, err) == -1)
		goto fail;
	*out = cred;
	return 0;
fail:
	error_set(err, "cannot make the certificates of CA and RAs");
	credentials_free(cred);
	return -1;
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
	key_set_free(cred->key_set);
	free(cred);
}
