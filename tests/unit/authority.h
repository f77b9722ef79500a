/* The server's side of a message, from the keys in tests/fixtures/keys. */
#ifndef UNIT_AUTHORITY_H
#define UNIT_AUTHORITY_H

#include "unit/device.h"

#include "ca/ca.h"

struct authority {
	struct crypto *crypto;
	struct key_set *keys;
	struct credentials *credentials;
	X509 *certs[CA_ROLES]; /* as OpenSSL reads them */
};

static inline X509 *
authority_read(struct span der)
{
	const uint8_t *at = der.data;
	X509 *cert = d2i_X509(NULL, &at, (long)der.len);

	assert_non_null(cert);
	assert_ptr_equal(at, der.data + der.len);
	return cert;
}

static inline struct authority
authority_open(void)
{
	const char *source = getenv("MOCKNDES_SOURCE");
	struct authority a = { 0 };
	struct error err = { 0 };
	char dir[4096];

	snprintf(dir, sizeof(dir), "%s/tests/fixtures/keys",
	    source == NULL ? "." : source);
	if (crypto_new(&a.crypto, &err) == -1 ||
	    key_set_load(a.crypto, dir, &a.keys, &err) == -1 ||
	    credentials_new(a.keys, &CA_SHAPE_GIVEN, DEVICE_NOW, &a.credentials,
		&err) == -1)
		fail_msg("%s", err.text);
	for (int role = 0; role < CA_ROLES; role++)
		a.certs[role] = authority_read(
		    blob_span(&a.credentials->der[role]));
	return a;
}

static inline void
authority_close(struct authority *a)
{
	for (int role = 0; role < CA_ROLES; role++)
		X509_free(a->certs[role]);
	credentials_free(a->credentials);
	key_set_free(a->keys);
	crypto_free(a->crypto);
}

#endif
