#include "fuzz/fuzz.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/der.h"
#include "ca/key_set.h"

#define CERTIFICATES_FROM 1577836800LL /* 2020-01-01 */
#define CERTIFICATES_TO 2493072000LL   /* 2049-01-01 */

void
fuzz_broken(const char *property, const char *file, int line)
{
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, property);
	abort();
}

static void
source_path(char out[PATH_MAX], const char *name)
{
	const char *source = getenv("MOCKNDES_SOURCE");

	snprintf(out, PATH_MAX, "%s/tests/%s",
	    source == NULL ? MOCKNDES_SOURCE : source, name);
}

static const struct {
	uint8_t key_usage;
	const char *template_name;
} roles[CA_ROLES] = {
	[CA_ISSUING] = { KEY_USAGE_CERT_SIGN | KEY_USAGE_CRL_SIGN, NULL },
	[CA_RA_SIGNING] = { KEY_USAGE_DIGITAL_SIGNATURE,
	    "EnrollmentAgentOffline" },
	[CA_RA_ENCRYPTION] = { KEY_USAGE_KEY_ENCIPHERMENT, "CEPEncryption" },
};

/* As credentials_new() would make it, without chance and without now. */
static void
fix_certificate(const struct credentials *like, int role, struct blob *out)
{
	const uint8_t serial[] = { 0x47, 0x00, (uint8_t)role };
	const struct x509 *root = &like->certs[CA_ISSUING];
	const struct x509 *cert = &like->certs[role];
	const struct certificate_plan plan = {
		.serial = span_of(serial, sizeof(serial)),
		.issuer = root->subject,
		.subject = cert->subject,
		.spki = cert->spki,
		.not_before = CERTIFICATES_FROM,
		.not_after = CERTIFICATES_TO,
		.is_ca = role == CA_ISSUING,
		.key_usage = roles[role].key_usage,
		.extended_key_usage = role == CA_ISSUING ? SPAN_EMPTY :
							   oid_ms_request_agent,
		.template_name = roles[role].template_name,
		.authority_key_id = root->key_id,
	};

	REQUIRE(certificate_build(like->crypto, &plan, like->keys[CA_ISSUING],
		    out, NULL) == 0);
}

void
authority_open(struct authority *a)
{
	struct credentials *like;
	struct error err = { 0 };
	char dir[PATH_MAX];

	source_path(dir, "fixtures/keys");
	if (crypto_new(&a->crypto, &err) == -1 ||
	    key_set_load(a->crypto, dir, &a->keys, &err) == -1 ||
	    credentials_new(a->keys, &CA_SHAPE_GIVEN, AUTHORITY_NOW, &like,
		&err) == -1)
		fuzz_broken(err.text, __FILE__, __LINE__);
	for (int role = 0; role < CA_ROLES; role++)
		fix_certificate(like, role, &a->keys->certs[role]);
	credentials_free(like);
	REQUIRE(credentials_new(a->keys, &CA_SHAPE_GIVEN, AUTHORITY_NOW,
		    &a->credentials, &err) == 0);
}

void
authority_close(struct authority *a)
{
	credentials_free(a->credentials);
	key_set_free(a->keys);
	crypto_free(a->crypto);
}

static void
read_key(struct crypto *c, struct evp_pkey_st **out)
{
	char path[PATH_MAX], text[8192];
	struct error err = { 0 };
	size_t len;
	FILE *f;

	source_path(path, "fuzz/client.key");
	if ((f = fopen(path, "r")) == NULL)
		fuzz_broken(path, __FILE__, __LINE__);
	len = fread(text, 1, sizeof(text), f);
	fclose(f);
	if (crypto_key_from_pem(c, span_of(text, len), path, out, &err) == -1)
		fuzz_broken(err.text, __FILE__, __LINE__);
}

void
client_open(struct client *client, struct crypto *c)
{
	static const uint8_t name[] = { 0x30, 0x0f, 0x31, 0x0d, 0x30, 0x0b,
		0x06, 0x03, 0x55, 0x04, 0x03, 0x13, 0x04, 'f', 'u', 'z', 'z' };
	struct certificate_plan plan = {
		.serial = span_of("\x5c\xe9", 2),
		.issuer = span_of(name, sizeof(name)),
		.subject = span_of(name, sizeof(name)),
		.not_before = CERTIFICATES_FROM,
		.not_after = CERTIFICATES_TO,
		.key_usage = KEY_USAGE_DIGITAL_SIGNATURE,
	};
	struct blob spki;

	read_key(c, &client->key);
	REQUIRE(crypto_key_to_spki(client->key, &spki, NULL) == 0);
	plan.spki = blob_span(&spki);
	REQUIRE(
	    certificate_build(c, &plan, client->key, &client->der, NULL) == 0);
	REQUIRE(x509_read(blob_span(&client->der), &client->cert) == 0);
	blob_free(&spki);
}

void
client_close(struct client *client)
{
	crypto_key_free(client->key);
	blob_free(&client->der);
}
