/* The key of a message's content, for the one who may open it. */
#include "crypto/context.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#define RSA_MAX_BYTES 2048
#define WRAP_MAX_OVERHEAD 16 /* RFC 3394: 8; RFC 5649: up to 15 */

static int
set_padding(EVP_PKEY_CTX *ctx, const struct oaep *oaep)
{
	if (oaep == NULL)
		return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) ==
			1 ?
		    0 :
		    -1;
	return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) == 1 &&
		EVP_PKEY_CTX_set_rsa_oaep_md_name(ctx, digest_name(oaep->hash),
		    NULL) == 1 &&
		EVP_PKEY_CTX_set_rsa_mgf1_md_name(ctx, digest_name(oaep->mgf1),
		    NULL) == 1 ?
	    0 :
	    -1;
}

int
crypto_wrap(struct crypto *c, EVP_PKEY *key, enum key_transport transport,
    struct span cek, struct buffer *out)
{
	static const struct oaep plain = { DIGEST_SHA1, DIGEST_SHA1 };
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(c->lib, key, NULL);
	size_t len = (size_t)EVP_PKEY_get_size(key);
	uint8_t *to = buffer_extend(out, len);
	int ret = -1;

	if (ctx != NULL && to != NULL && EVP_PKEY_encrypt_init(ctx) == 1 &&
	    set_padding(ctx, transport == TRANSPORT_OAEP ? &plain : NULL) ==
		0 &&
	    EVP_PKEY_encrypt(ctx, to, &len, cek.data, cek.len) == 1)
		ret = 0;
	EVP_PKEY_CTX_free(ctx);
	ERR_clear_error();
	return ret;
}

int
crypto_unwrap(struct crypto *c, EVP_PKEY *key, const struct oaep *oaep,
    struct span wrapped, uint8_t *cek, size_t size)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(c->lib, key, NULL);
	uint8_t plain[RSA_MAX_BYTES];
	size_t len = sizeof(plain);
	int ret = -1;

	if (ctx != NULL && EVP_PKEY_decrypt_init(ctx) == 1 &&
	    set_padding(ctx, oaep) == 0 &&
	    EVP_PKEY_decrypt(ctx, plain, &len, wrapped.data, wrapped.len) ==
		1 &&
	    len <= size) {
		for (size_t i = 0; i < len; i++)
			cek[i] = plain[i];
		ret = (int)len;
	}
	EVP_PKEY_CTX_free(ctx);
	OPENSSL_cleanse(plain, sizeof(plain));
	ERR_clear_error();
	return ret;
}

/* A fresh key on the curve of theirs, and its point, uncompressed. */
static EVP_PKEY *
make_ephemeral(struct crypto *c, const EVP_PKEY *theirs, struct buffer *point)
{
	EVP_PKEY *key = NULL;
	uint8_t *octets = NULL;
	char curve[64];
	size_t len = 0;

	if (EVP_PKEY_get_group_name(theirs, curve, sizeof(curve), &len) != 1 ||
	    (key = EVP_PKEY_Q_keygen(c->lib, NULL, "EC", curve)) == NULL)
		return NULL;
	len = EVP_PKEY_get1_encoded_public_key(key, &octets);
	buffer_add(point, octets, len);
	OPENSSL_free(octets);
	if (len > 0)
		return key;
	EVP_PKEY_free(key);
	return NULL;
}

/* RFC 5753 3.1.1: the secret of both, through the KDF of X9.63. */
static int
agree(struct crypto *c, EVP_PKEY *own, EVP_PKEY *theirs, struct span info,
    uint8_t *kek, size_t size)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(c->lib, own, NULL);
	size_t len = size;
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_EXCHANGE_PARAM_KDF_TYPE,
		    (char *)OSSL_KDF_NAME_X963KDF, 0),
		OSSL_PARAM_construct_utf8_string(OSSL_EXCHANGE_PARAM_KDF_DIGEST,
		    (char *)"SHA256", 0),
		OSSL_PARAM_construct_size_t(OSSL_EXCHANGE_PARAM_KDF_OUTLEN,
		    &size),
		OSSL_PARAM_construct_octet_string(OSSL_EXCHANGE_PARAM_KDF_UKM,
		    (void *)(uintptr_t)info.data, info.len),
		OSSL_PARAM_construct_end(),
	};
	int ret = -1;

	if (ctx != NULL && EVP_PKEY_derive_init_ex(ctx, params) == 1 &&
	    EVP_PKEY_derive_set_peer(ctx, theirs) == 1 &&
	    EVP_PKEY_derive(ctx, kek, &len) == 1 && len == size)
		ret = 0;
	EVP_PKEY_CTX_free(ctx);
	return ret;
}

/* AES key wrap (RFC 3394), with padding (RFC 5649) for a key of DES. */
static int
wrap_by_key(struct crypto *c, enum cipher i, const uint8_t *kek,
    struct span cek, struct buffer *out)
{
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(c->lib, cipher_wrap_name(i),
	    NULL);
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	size_t room = cek.len + WRAP_MAX_OVERHEAD;
	uint8_t *to = buffer_extend(out, room);
	int len = 0, ret = -1;

	if (cipher != NULL && ctx != NULL && to != NULL) {
		EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
		if (EVP_EncryptInit_ex2(ctx, cipher, kek, NULL, NULL) == 1 &&
		    EVP_EncryptUpdate(ctx, to, &len, cek.data, (int)cek.len) ==
			1)
			ret = 0;
		out->len -= room - (size_t)len;
	}
	EVP_CIPHER_CTX_free(ctx);
	EVP_CIPHER_free(cipher);
	return ret;
}

int
crypto_wrap_ec(struct crypto *c, EVP_PKEY *theirs, enum cipher cipher,
    struct span shared_info, struct span cek, struct buffer *point,
    struct buffer *out)
{
	uint8_t kek[CIPHER_MAX_KEY];
	EVP_PKEY *own = make_ephemeral(c, theirs, point);
	int ret = -1;

	if (own != NULL &&
	    agree(c, own, theirs, shared_info, kek, cipher_wrap_size(cipher)) ==
		0)
		ret = wrap_by_key(c, cipher, kek, cek, out);
	EVP_PKEY_free(own);
	OPENSSL_cleanse(kek, sizeof(kek));
	ERR_clear_error();
	return ret;
}
