/*
 * What is found in the messages of real clients (tests/fixtures/recorded),
 * each looked at by hand with `openssl asn1parse`, `openssl cms -cmsout
 * -print` and `openssl cms -decrypt`. What is not listed here must not be
 * found.
 */
#include "unit/findings.h"
#include "unit/folder.h"

#define RECORDED_AT 1795343000LL /* 2026-11-22 10:23:20, the real ones */
#define MADE_AT 1795343900LL	 /* 2026-11-22 10:38:20, the others */

static struct crypto *crypto;
static struct blob ders[CA_ROLES];
static struct x509 certs[CA_ROLES];
static EVP_PKEY *key;

static const struct client {
	const char *row, *name, *found;
	int64_t at; /* the time of the site */
} clients[] = {
	/*
	 * Its certificate, of version 1, has GeneralizedTime for 2026 and a
	 * serial number of 32 octets; sha256 with NULL; a friendlyName.
	 */
	{ "certmonger 0.79.17", "certmonger",
	    "digest-parameters triple-des signer-time signer-serial "
	    "signer-no-key-usage csr-other-attributes",
	    RECORDED_AT },
	/*
	 * 00 AB EB ... are 21 octets. Its CSR has extensionRequest first, and
	 * the challengePassword "secret" as UTF8String.
	 */
	{ "strongSwan 5.9.8", "strongswan",
	    "digest-parameters signature-names-digest triple-des "
	    "signer-serial signer-no-key-usage csr-attributes-unsorted "
	    "challenge-string challenge-after-extensions",
	    RECORDED_AT },
	/*
	 * sha1WithRSAEncryption and the rsaEncryption of its content keys
	 * are without NULL; CN=SCEP SIGNER has the key of the CSR.
	 */
	{ "scepclient 2.1.0", "scepclient",
	    "sha1 signature-names-digest signature-parameters single-des "
	    "key-parameters several-recipients signer-subject no-alt-name",
	    RECORDED_AT },
	/* OpenSSL, as the README of the folder has it. */
	{ "as sscep would", "sscep-like",
	    "md5 single-des signer-no-key-usage challenge-string no-alt-name",
	    MADE_AT },
	{ "as iOS would", "ios-like",
	    "outer-ber inner-ber other-sha2 triple-des signer-no-key-usage "
	    "challenge-string no-alt-name",
	    MADE_AT },
	/* The certificate of scepclient is good for an hour. */
	{ "scepclient, two hours ahead", "scepclient",
	    "signing-time-far sha1 signature-names-digest "
	    "signature-parameters single-des key-parameters "
	    "several-recipients signer-expired signer-subject no-alt-name",
	    RECORDED_AT + 7200 },
	{ "scepclient, an hour behind", "scepclient",
	    "signing-time-far sha1 signature-names-digest "
	    "signature-parameters single-des key-parameters "
	    "several-recipients signer-not-yet-valid signer-subject "
	    "no-alt-name",
	    RECORDED_AT - 3600 },
};

static struct blob
read_recorded(const char *name)
{
	const char *source = getenv("MOCKNDES_SOURCE");
	char path[4096];

	snprintf(path, sizeof(path), "%s/tests/fixtures/recorded/%s",
	    source == NULL ? "." : source, name);
	return folder_read(path);
}

static void
client_has(void **state)
{
	const struct client *t = *state;
	char path[64], found[FINDINGS_TEXT];
	struct blob message;

	snprintf(path, sizeof(path), "%s-pkcsreq.der", t->name);
	message = read_recorded(path);
	findings_of(blob_span(&message), crypto, key, certs, t->at, found);
	assert_string_equal(found, t->found);
	blob_free(&message);
}

static int
set_up(void **state)
{
	static const char *const names[CA_ROLES] = {
		[CA_ISSUING] = "keys/ca.pem",
		[CA_RA_SIGNING] = "keys/ra-signing.pem",
		[CA_RA_ENCRYPTION] = "keys/ra-encryption.pem",
	};
	struct error err = { 0 };

	(void)state;
	if (crypto_new(&crypto, &err) == -1)
		return -1;
	for (int role = 0; role < CA_ROLES; role++) {
		struct blob pem = read_recorded(names[role]);

		if (x509_from_pem(blob_span(&pem), names[role], &ders[role],
			&err) == -1 ||
		    x509_read(blob_span(&ders[role]), &certs[role]) == -1)
			return -1;
		blob_free(&pem);
	}
	key = device_key("recorded/keys/ra-encryption.key");
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	for (int role = 0; role < CA_ROLES; role++)
		blob_free(&ders[role]);
	EVP_PKEY_free(key);
	crypto_free(crypto);
	return 0;
}

int
main(void)
{
	static const struct table tables[] = {
		ROWS(client_has, clients),
	};

	return ROWS_RUN(tables, set_up, tear_down);
}
