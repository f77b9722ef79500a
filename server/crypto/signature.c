/* What is signed, and how a signature is named. */
#include "crypto/context.h"

#include <openssl/err.h>

#include "base/der.h"

int
crypto_verify(struct crypto *c, EVP_PKEY *key, enum digest d, struct span data,
    struct span signature)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int ret = -1;

	if (ctx != NULL &&
	    EVP_DigestVerifyInit_ex(ctx, NULL, EVP_MD_get0_name(c->digests[d]),
		c->lib, NULL, key, NULL) == 1 &&
	    EVP_DigestVerify(ctx, signature.data, signature.len, data.data,
		data.len) == 1)
		ret = 0;
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return ret;
}

int
crypto_sign(struct crypto *c, EVP_PKEY *key, enum digest d, struct span data,
    struct buffer *signature)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t max = (size_t)EVP_PKEY_get_size(key), len = max;
	uint8_t *to = buffer_extend(signature, max);
	int ret = -1;

	if (ctx != NULL && to != NULL &&
	    EVP_DigestSignInit_ex(ctx, NULL, EVP_MD_get0_name(c->digests[d]),
		c->lib, NULL, key, NULL) == 1 &&
	    EVP_DigestSign(ctx, to, &len, data.data, data.len) == 1) {
		signature->len -= max - len;
		ret = 0;
	}
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return ret;
}

void
crypto_add_signature_algorithm(struct buffer *b, const EVP_PKEY *key,
    enum digest d)
{
	bool rsa = crypto_key_is_rsa(key);
	struct span oid = rsa ? digest_rsa_oid(d) : digest_ecdsa_oid(d);
	size_t seq = der_begin(b, DER_SEQUENCE);

	der_add_oid(b, oid);
	if (rsa)
		der_add_null(b);
	der_end(b, seq);
	b->failed |= oid.len == 0;
}
