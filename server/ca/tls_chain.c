/* Certificates that the server shows to TLS clients, good and other ones. */
#include "ca/key_set.h"
#include "ca/signed.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/der.h"

#define DAY 86400LL
#define YEAR (365 * DAY)
#define NAME_MAX_X520 64 /* RFC 5280 A.1, ub-common-name */
#define WRONG_HOST "another-host.invalid"

/* RSA, as IIS has it: clients that know no other are still about. */
static struct ca_key
key_of_server(void)
{
	return (struct ca_key){ TIER_TLS, KEY_RSA_2048, 0, NULL };
}

static struct ca_key
key_above(void)
{
	return (struct ca_key){ TIER_TLS_ABOVE, KEY_EC_P256, 0, NULL };
}

static int
find_keys(struct key_set *set, struct evp_pkey_st **own,
    struct evp_pkey_st **above, struct error *err)
{
	struct ca_key keys[] = { key_of_server(), key_above() };

	if (key_set_find(set, keys, 2, err) == -1)
		return -1;
	*own = keys[0].key;
	*above = keys[1].key;
	return 0;
}

int
ca_tls_prepare(struct key_set *set, struct error *err)
{
	struct evp_pkey_st *own, *above;

	return find_keys(set, &own, &above, err);
}

static void
add_name(struct buffer *b, const char *common_name)
{
	size_t seq = der_begin(b, DER_SEQUENCE);

	signed_add_name_part(b, oid_organization, SIGNED_ORGANIZATION);
	if (strlen(common_name) <= NAME_MAX_X520)
		signed_add_name_part(b, oid_common_name, common_name);
	der_end(b, seq);
}

/* GeneralName, RFC 5280 4.2.1.6. */
static void
add_alt_name(struct buffer *b, const char *name)
{
	uint8_t address[16];

	if (inet_pton(AF_INET, name, address) == 1)
		der_add(b, DER_CONTEXT(7), span_of(address, 4));
	else if (inet_pton(AF_INET6, name, address) == 1)
		der_add(b, DER_CONTEXT(7), span_of(address, 16));
	else
		der_add(b, DER_CONTEXT(2), span_text(name));
}

static void
add_alt_names(struct buffer *b, const struct tls_order *order)
{
	struct extension ext = extension_begin(b, oid_ext_subject_alt_name,
	    false);
	size_t seq = der_begin(b, DER_SEQUENCE);

	if (order->is == SERVER_CERTIFICATE_WRONG_HOST)
		add_alt_name(b, WRONG_HOST);
	else
		for (size_t i = 0; i < order->name_count; i++)
			add_alt_name(b, order->names[i]);
	der_end(b, seq);
	extension_end(b, ext);
}

static void
set_period(const struct tls_order *order, struct certificate_plan *plan)
{
	plan->not_before = order->earliest - BACK_DATE;
	plan->not_after = order->latest + YEAR;
	if (order->is == SERVER_CERTIFICATE_EXPIRED) {
		plan->not_before = order->earliest - YEAR;
		plan->not_after = order->earliest - DAY;
	} else if (order->is == SERVER_CERTIFICATE_NOT_YET_VALID) {
		plan->not_before = order->latest + DAY;
	}
}

/* Who signs, what they are called, and what their key is. */
struct issuer {
	struct evp_pkey_st *key;
	struct buffer name;
	struct blob spki;
	uint8_t key_id[20];
};

static int
issuer_finish(struct crypto *c, struct issuer *i, struct error *err)
{
	if (i->name.failed || crypto_key_to_spki(i->key, &i->spki, err) == -1)
		return -1;
	return x509_key_id(c, blob_span(&i->spki), i->key_id);
}

static void
issuer_clear(struct issuer *i)
{
	buffer_free(&i->name);
	blob_free(&i->spki);
}

/* The serial number of a certificate that no request has led to. */
static int
sign(const struct credentials *cred, struct certificate_plan *plan,
    struct evp_pkey_st *signer, struct tls_chain *out, struct error *err)
{
	uint8_t serial[CA_SERIAL_SIZE];

	if (ca_serial(cred->crypto, 0, serial) == -1)
		return error_set(err, "no random numbers");
	plan->serial = span_of(serial, sizeof(serial));
	return certificate_build(cred->crypto, plan, signer,
	    &out->certs[out->count++], err);
}

/* Of its own: the one that nobody knows. */
static int
add_root(const struct credentials *cred, const struct issuer *root,
    const struct tls_order *order, struct tls_chain *out, struct error *err)
{
	struct certificate_plan plan = {
		.issuer = buffer_span(&root->name),
		.subject = buffer_span(&root->name),
		.spki = blob_span(&root->spki),
		.not_before = order->earliest - YEAR,
		.not_after = order->latest + 10 * YEAR,
		.is_ca = true,
		.key_usage = KEY_USAGE_CERT_SIGN | KEY_USAGE_CRL_SIGN,
	};

	return sign(cred, &plan, root->key, out, err);
}

/* The CAs between the server and the root, which its clients must have. */
static int
add_chain(const struct credentials *cred, struct tls_chain *out)
{
	struct span ders[1 + CA_CHAIN_MAX] = { blob_span(
	    &cred->der[CA_ISSUING]) };

	for (size_t i = 0; i < cred->chain_count; i++)
		ders[1 + i] = blob_span(&cred->chain[i]);
	for (size_t i = 0; i < cred->chain_count; i++)
		if (blob_copy(&out->certs[out->count++], ders[i]) == -1)
			return -1;
	return 0;
}

static int
build(const struct credentials *cred, const struct tls_order *order,
    const struct issuer *own, const struct issuer *above, struct tls_chain *out,
    struct error *err)
{
	const struct x509 *ca = &cred->certs[CA_ISSUING];
	bool alone = order->is == SERVER_CERTIFICATE_SELF_SIGNED;
	bool stranger = order->is == SERVER_CERTIFICATE_UNTRUSTED;
	bool other = alone || stranger || order->incomplete;
	const struct issuer *issuer = alone ? own : above;
	struct buffer names = { 0 };
	struct certificate_plan plan = {
		.issuer = other ? buffer_span(&issuer->name) : ca->subject,
		.subject = buffer_span(&own->name),
		.spki = blob_span(&own->spki),
		.key_usage = KEY_USAGE_DIGITAL_SIGNATURE |
		    KEY_USAGE_KEY_ENCIPHERMENT,
		.extended_key_usage = oid_server_auth,
		.authority_key_id = other ?
		    span_of(issuer->key_id, sizeof(issuer->key_id)) :
		    ca->key_id,
	};
	int ret = -1;

	add_alt_names(&names, order);
	plan.subject_alt_name = buffer_span(&names);
	set_period(order, &plan);
	if (!names.failed)
		ret = sign(cred, &plan,
		    other ? issuer->key : cred->keys[CA_ISSUING], out, err);
	buffer_free(&names);
	if (ret == 0 && stranger && !order->incomplete)
		return add_root(cred, above, order, out, err);
	return ret == 0 && !other ? add_chain(cred, out) : ret;
}

int
ca_tls_chain(const struct credentials *cred, const struct tls_order *order,
    struct tls_chain *out, struct error *err)
{
	bool stranger = order->is == SERVER_CERTIFICATE_UNTRUSTED;
	struct issuer own = { 0 }, above = { 0 };
	int ret = -1;

	*out = (struct tls_chain){ 0 };
	if (find_keys(cred->key_set, &own.key, &above.key, err) == -1)
		return -1;
	add_name(&own.name,
	    order->is == SERVER_CERTIFICATE_WRONG_HOST ? WRONG_HOST :
							 order->names[0]);
	add_name(&above.name,
	    stranger ? "mockndes TEST ONLY Untrusted CA" :
		       "mockndes TEST ONLY TLS CA");
	if (issuer_finish(cred->crypto, &own, err) == 0 &&
	    issuer_finish(cred->crypto, &above, err) == 0)
		ret = build(cred, order, &own, &above, out, err);
	out->key = own.key;
	issuer_clear(&own);
	issuer_clear(&above);
	if (ret == 0)
		return 0;
	ca_tls_clear(out);
	return error_set(err, "cannot make a certificate for TLS");
}

void
ca_tls_clear(struct tls_chain *chain)
{
	for (size_t i = 0; i < chain->count; i++)
		blob_free(&chain->certs[i]);
	*chain = (struct tls_chain){ 0 };
}
