/* The key of a message's content, for the one who may open it. */
#include "crypto/context.h"

#include <openssl/err.h>
#include <openssl/rsa.h>

#define RSA_MAX_BYTES 2048

int
crypto_wrap(struct crypto *c, EVP_PKEY *key, struct span cek,
    struct buffer *out)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(c->lib, key, NULL);
	size_t len = (size_t)EVP_PKEY_get_size(key);
	uint8_t *to = buffer_extend(out, len);
	int ret = -1;

	if (ctx != NULL && to != NULL && EVP_PKEY_encrypt_init(ctx) == 1 &&
	    EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1 &&
	    EVP_PKEY_encrypt(ctx, to, &len, cek.data, cek.len) == 1)
		ret = 0;
	EVP_PKEY_CTX_free(ctx);
	ERR_clear_error();
	return ret;
}

int
crypto_unwrap(struct crypto *c, EVP_PKEY *key, struct span wrapped,
    uint8_t *cek, size_t size)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(c->lib, key, NULL);
	uint8_t plain[RSA_MAX_BYTES];
	size_t len = sizeof(plain);
	int ret = -1;

	if (ctx != NULL && EVP_PKEY_decrypt_init(ctx) == 1 &&
	    EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1 &&
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
