/* Which digest and which cipher an OID means, and the plain uses of both. */
#include "crypto/context.h"

#include <limits.h>
#include <stdlib.h>

#include <openssl/provider.h>
#include <openssl/rand.h>

/* clang-format off */
#define SPAN(bytes) { (const uint8_t *)(bytes), sizeof(bytes) - 1 }
/* clang-format on */

static const struct {
	const char *name, *openssl;
	size_t size;
	struct span oid, rsa, ecdsa;
} digests[DIGEST_COUNT] = {
	[DIGEST_MD5] = { "md5", "MD5", 16,
	    SPAN("\x2a\x86\x48\x86\xf7\x0d\x02\x05"),
	    SPAN("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04"), { NULL, 0 } },
	[DIGEST_SHA1] = { "sha1", "SHA1", 20, SPAN("\x2b\x0e\x03\x02\x1a"),
	    SPAN("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05"),
	    SPAN("\x2a\x86\x48\xce\x3d\x04\x01") },
	[DIGEST_SHA224] = { "sha224", "SHA224", 28,
	    SPAN("\x60\x86\x48\x01\x65\x03\x04\x02\x04"),
	    SPAN("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0e"),
	    SPAN("\x2a\x86\x48\xce\x3d\x04\x03\x01") },
	[DIGEST_SHA256] = { "sha256", "SHA256", 32,
	    SPAN("\x60\x86\x48\x01\x65\x03\x04\x02\x01"),
	    SPAN("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b"),
	    SPAN("\x2a\x86\x48\xce\x3d\x04\x03\x02") },
	[DIGEST_SHA384] = { "sha384", "SHA384", 48,
	    SPAN("\x60\x86\x48\x01\x65\x03\x04\x02\x02"),
	    SPAN("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c"),
	    SPAN("\x2a\x86\x48\xce\x3d\x04\x03\x03") },
	[DIGEST_SHA512] = { "sha512", "SHA512", 64,
	    SPAN("\x60\x86\x48\x01\x65\x03\x04\x02\x03"),
	    SPAN("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d"),
	    SPAN("\x2a\x86\x48\xce\x3d\x04\x03\x04") },
};

static const struct {
	const char *name, *openssl;
	size_t key, block;
	struct span oid;
	const char *wrap;
	size_t wrap_size;
	struct span wrap_oid;
} ciphers[CIPHER_COUNT] = {
	[CIPHER_DES] = { "des-cbc", "DES-CBC", 8, 8,
	    SPAN("\x2b\x0e\x03\x02\x07"), "AES-128-WRAP-PAD", 16,
	    SPAN("\x60\x86\x48\x01\x65\x03\x04\x01\x08") },
	[CIPHER_DES3] = { "des-ede3-cbc", "DES-EDE3-CBC", 24, 8,
	    SPAN("\x2a\x86\x48\x86\xf7\x0d\x03\x07"), "AES-128-WRAP", 16,
	    SPAN("\x60\x86\x48\x01\x65\x03\x04\x01\x05") },
	[CIPHER_AES128] = { "aes-128-cbc", "AES-128-CBC", 16, 16,
	    SPAN("\x60\x86\x48\x01\x65\x03\x04\x01\x02"), "AES-128-WRAP", 16,
	    SPAN("\x60\x86\x48\x01\x65\x03\x04\x01\x05") },
	[CIPHER_AES192] = { "aes-192-cbc", "AES-192-CBC", 24, 16,
	    SPAN("\x60\x86\x48\x01\x65\x03\x04\x01\x16"), "AES-192-WRAP", 24,
	    SPAN("\x60\x86\x48\x01\x65\x03\x04\x01\x19") },
	[CIPHER_AES256] = { "aes-256-cbc", "AES-256-CBC", 32, 16,
	    SPAN("\x60\x86\x48\x01\x65\x03\x04\x01\x2a"), "AES-256-WRAP", 32,
	    SPAN("\x60\x86\x48\x01\x65\x03\x04\x01\x2d") },
};

const char *
digest_name(enum digest d)
{
	return d < DIGEST_COUNT ? digests[d].name : "unknown";
}

size_t
digest_size(enum digest d)
{
	return digests[d].size;
}

struct span
digest_oid(enum digest d)
{
	return digests[d].oid;
}

struct span
digest_rsa_oid(enum digest d)
{
	return digests[d].rsa;
}

struct span
digest_ecdsa_oid(enum digest d)
{
	return digests[d].ecdsa;
}

enum digest
digest_by_oid(struct span oid)
{
	enum digest d;

	for (d = 0; d < DIGEST_COUNT; d++)
		if (span_equal(digests[d].oid, oid))
			break;
	return d;
}

enum digest
digest_by_signature_oid(struct span oid)
{
	enum digest d;

	for (d = 0; d < DIGEST_COUNT; d++)
		if (oid.len > 0 &&
		    (span_equal(digests[d].rsa, oid) ||
			span_equal(digests[d].ecdsa, oid)))
			break;
	return d;
}

const char *
cipher_name(enum cipher c)
{
	return c < CIPHER_COUNT ? ciphers[c].name : "unknown";
}

size_t
cipher_key_size(enum cipher c)
{
	return ciphers[c].key;
}

size_t
cipher_block_size(enum cipher c)
{
	return ciphers[c].block;
}

struct span
cipher_oid(enum cipher c)
{
	return ciphers[c].oid;
}

enum cipher
cipher_by_oid(struct span oid)
{
	enum cipher c;

	for (c = 0; c < CIPHER_COUNT; c++)
		if (span_equal(ciphers[c].oid, oid))
			break;
	return c;
}

struct span
cipher_wrap_oid(enum cipher c)
{
	return ciphers[c].wrap_oid;
}

size_t
cipher_wrap_size(enum cipher c)
{
	return ciphers[c].wrap_size;
}

const char *
cipher_wrap_name(enum cipher c)
{
	return ciphers[c].wrap;
}

int
crypto_new(struct crypto **out, struct error *err)
{
	struct crypto *c = calloc(1, sizeof(*c));

	*out = NULL;
	if (c == NULL)
		return error_set(err, "out of memory");
	pthread_mutex_init(&c->lock, NULL);
	if ((c->lib = OSSL_LIB_CTX_new()) == NULL ||
	    (c->standard = OSSL_PROVIDER_load(c->lib, "default")) == NULL) {
		crypto_free(c);
		return error_set(err, "OpenSSL has no default provider");
	}
	for (enum digest d = 0; d < DIGEST_COUNT; d++)
		c->digests[d] = EVP_MD_fetch(c->lib, digests[d].openssl, NULL);
	for (enum cipher i = CIPHER_DES3; i < CIPHER_COUNT; i++)
		c->ciphers[i] = EVP_CIPHER_fetch(c->lib, ciphers[i].openssl,
		    NULL);
	*out = c;
	return 0;
}

void
crypto_free(struct crypto *c)
{
	if (c == NULL)
		return;
	for (enum digest d = 0; d < DIGEST_COUNT; d++)
		EVP_MD_free(c->digests[d]);
	for (enum cipher i = 0; i < CIPHER_COUNT; i++)
		EVP_CIPHER_free(c->ciphers[i]);
	OSSL_PROVIDER_unload(c->legacy);
	OSSL_PROVIDER_unload(c->standard);
	OSSL_LIB_CTX_free(c->lib);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

OSSL_LIB_CTX *
crypto_library(struct crypto *c)
{
	return c->lib;
}

/* Single DES is rare and its provider costs a dlopen(): on first use. */
static const EVP_CIPHER *
get_cipher(struct crypto *c, enum cipher i)
{
	const EVP_CIPHER *cipher;

	if (i != CIPHER_DES)
		return c->ciphers[i];
	pthread_mutex_lock(&c->lock);
	if (c->legacy == NULL)
		c->legacy = OSSL_PROVIDER_load(c->lib, "legacy");
	if (c->ciphers[i] == NULL)
		c->ciphers[i] = EVP_CIPHER_fetch(c->lib, ciphers[i].openssl,
		    NULL);
	cipher = c->ciphers[i];
	pthread_mutex_unlock(&c->lock);
	return cipher;
}

int
crypto_random(struct crypto *c, void *out, size_t len)
{
	return RAND_bytes_ex(c->lib, out, len, 0) == 1 ? 0 : -1;
}

int
crypto_digest(struct crypto *c, enum digest d, struct span data,
    uint8_t out[DIGEST_MAX_SIZE])
{
	unsigned len;

	return c->digests[d] != NULL &&
		EVP_Digest(data.data, data.len, out, &len, c->digests[d],
		    NULL) == 1 ?
	    0 :
	    -1;
}

static int
run_cipher(struct crypto *c, enum cipher i, bool encrypt, const uint8_t *key,
    const uint8_t *iv, struct span in, struct buffer *out)
{
	const EVP_CIPHER *cipher = get_cipher(c, i);
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t *to;
	int len = 0, last = 0, ret = -1;

	if (cipher == NULL || ctx == NULL || in.len > INT_MAX / 2)
		goto out;
	if ((to = buffer_extend(out, in.len + CIPHER_MAX_BLOCK)) == NULL)
		goto out;
	if (EVP_CipherInit_ex2(ctx, cipher, key, iv, encrypt, NULL) == 1 &&
	    EVP_CipherUpdate(ctx, to, &len, in.data, (int)in.len) == 1 &&
	    EVP_CipherFinal_ex(ctx, to + len, &last) == 1)
		ret = 0;
	out->len -= in.len + CIPHER_MAX_BLOCK;
	if (ret == 0)
		out->len += (size_t)len + (size_t)last;
out:
	EVP_CIPHER_CTX_free(ctx);
	return ret;
}

int
crypto_encrypt(struct crypto *c, enum cipher i, const uint8_t *key,
    const uint8_t *iv, struct span plain, struct buffer *out)
{
	return run_cipher(c, i, true, key, iv, plain, out);
}

int
crypto_decrypt(struct crypto *c, enum cipher i, const uint8_t *key,
    const uint8_t *iv, struct span sealed, struct buffer *out)
{
	return run_cipher(c, i, false, key, iv, sealed, out);
}
