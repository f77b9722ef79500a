/* What is signed, and how a signature is named. */
#include "crypto/context.h"

#include <openssl/err.h>
#include <openssl/rsa.h>

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

static int
use_pss(EVP_PKEY_CTX *pkey)
{
	return EVP_PKEY_CTX_set_rsa_padding(pkey, RSA_PKCS1_PSS_PADDING) == 1 &&
		EVP_PKEY_CTX_set_rsa_pss_saltlen(pkey,
		    RSA_PSS_SALTLEN_DIGEST) == 1 ?
	    0 :
	    -1;
}

static int
sign(struct crypto *c, EVP_PKEY *key, enum digest d, bool pss, struct span data,
    struct buffer *signature)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pkey = NULL; /* part of ctx */
	size_t max = (size_t)EVP_PKEY_get_size(key), len = max;
	uint8_t *to = buffer_extend(signature, max);
	int ret = -1;

	if (ctx != NULL && to != NULL &&
	    EVP_DigestSignInit_ex(ctx, &pkey, EVP_MD_get0_name(c->digests[d]),
		c->lib, NULL, key, NULL) == 1 &&
	    (!pss || use_pss(pkey) == 0) &&
	    EVP_DigestSign(ctx, to, &len, data.data, data.len) == 1) {
		signature->len -= max - len;
		ret = 0;
	}
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return ret;
}

int
crypto_sign(struct crypto *c, EVP_PKEY *key, enum digest d, struct span data,
    struct buffer *signature)
{
	return sign(c, key, d, false, data, signature);
}

int
crypto_sign_pss(struct crypto *c, EVP_PKEY *key, enum digest d,
    struct span data, struct buffer *signature)
{
	return crypto_key_is_rsa(key) ? sign(c, key, d, true, data, signature) :
					-1;
}

/* SEQUENCE { digest, NULL }, RFC 4055 2.1 */
static void
add_digest(struct buffer *b, enum digest d)
{
	size_t seq = der_begin(b, DER_SEQUENCE);

	der_add_oid(b, digest_oid(d));
	der_add_null(b);
	der_end(b, seq);
}

void
crypto_add_pss_algorithm(struct buffer *b, const EVP_PKEY *key, enum digest d)
{
	size_t whole = der_begin(b, DER_SEQUENCE), params, field, mgf;

	der_add_oid(b, oid_rsa_pss);
	params = der_begin(b, DER_SEQUENCE);
	field = der_begin(b, DER_CONTEXT_CONSTRUCTED(0));
	add_digest(b, d);
	der_end(b, field);
	field = der_begin(b, DER_CONTEXT_CONSTRUCTED(1));
	mgf = der_begin(b, DER_SEQUENCE);
	der_add_oid(b, oid_mgf1);
	add_digest(b, d);
	der_end(b, mgf);
	der_end(b, field);
	field = der_begin(b, DER_CONTEXT_CONSTRUCTED(2));
	der_add_small_integer(b, (unsigned)digest_size(d));
	der_end(b, field);
	der_end(b, params);
	der_end(b, whole);
	b->failed |= !crypto_key_is_rsa(key);
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
