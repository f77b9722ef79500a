/* Keys: made, read, written, and what is done with them. */
#include "crypto/context.h"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/der.h"

#define RSA_MIN_BITS 512
#define RSA_MAX_BITS 16384
#define EXPONENT_MAX_BYTES 8

static const struct {
	const char *name;
	const char *oid;
	size_t oid_len, field;
} curves[] = {
	{ "prime256v1", "\x2a\x86\x48\xce\x3d\x03\x01\x07", 8, 32 },
	{ "secp384r1", "\x2b\x81\x04\x00\x22", 5, 48 },
	{ "secp521r1", "\x2b\x81\x04\x00\x23", 5, 66 },
};

int
crypto_key_generate_rsa(struct crypto *c, int bits, EVP_PKEY **out,
    struct error *err)
{
	*out = EVP_PKEY_Q_keygen(c->lib, NULL, "RSA", (size_t)bits);
	return *out != NULL ?
	    0 :
	    error_set(err, "cannot make an RSA key of %d bits", bits);
}

static int
no_passphrase(char *buf, int size, int writing, void *cls)
{
	(void)buf, (void)size, (void)writing, (void)cls;
	return -1;
}

int
crypto_key_from_pem(struct crypto *c, struct span pem, const char *name,
    EVP_PKEY **out, struct error *err)
{
	BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.len);

	*out = bio == NULL ? NULL :
			     PEM_read_bio_PrivateKey_ex(bio, NULL,
				 no_passphrase, NULL, c->lib, NULL);
	BIO_free(bio);
	ERR_clear_error();
	return *out != NULL ?
	    0 :
	    error_set(err, "%s: no unencrypted private key in PEM", name);
}

int
crypto_key_to_pem(const EVP_PKEY *key, struct blob *out, struct error *err)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long len;
	int ret = -1;

	*out = (struct blob){ NULL, 0 };
	if (bio != NULL &&
	    PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL,
		NULL) == 1 &&
	    (len = BIO_get_mem_data(bio, &text)) > 0)
		ret = blob_copy(out, span_of(text, (size_t)len));
	BIO_free(bio);
	return ret == 0 ? 0 : error_set(err, "cannot write a key as PEM");
}

static EVP_PKEY *
key_from_params(struct crypto *c, const char *type, OSSL_PARAM *params)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(c->lib, type, NULL);
	EVP_PKEY *key = NULL;

	if (ctx != NULL &&
	    (EVP_PKEY_fromdata_init(ctx) != 1 ||
		EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1))
		key = NULL;
	EVP_PKEY_CTX_free(ctx);
	ERR_clear_error();
	return key;
}

/* A positive INTEGER of at most `max` bytes, in the machine's byte order. */
static int
native_number(struct span *rest, uint8_t *out, size_t max, size_t *len)
{
	struct span n;

	if (der_expect(rest, DER_INTEGER, &n) == -1 || n.len == 0 ||
	    n.data[0] & 0x80)
		return -1;
	while (n.len > 0 && n.data[0] == 0) {
		n.data++;
		n.len--;
	}
	if (n.len == 0 || n.len > max)
		return -1;
	for (size_t i = 0; i < n.len; i++)
		out[__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? n.len - 1 - i :
								i] = n.data[i];
	*len = n.len;
	return 0;
}

static EVP_PKEY *
read_rsa(struct crypto *c, struct span bits)
{
	uint8_t n[RSA_MAX_BITS / 8], e[EXPONENT_MAX_BYTES];
	OSSL_PARAM params[3];
	struct span key;
	size_t n_len, e_len;

	if (der_expect(&bits, DER_SEQUENCE, &key) == -1 ||
	    native_number(&key, n, sizeof(n), &n_len) == -1 ||
	    native_number(&key, e, sizeof(e), &e_len) == -1 || key.len > 0 ||
	    bits.len > 0 || n_len < RSA_MIN_BITS / 8)
		return NULL;
	params[0] = OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_N, n, n_len);
	params[1] = OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_E, e, e_len);
	params[2] = OSSL_PARAM_construct_end();
	return key_from_params(c, "RSA", params);
}

static EVP_PKEY *
read_ec(struct crypto *c, struct span curve, struct span point)
{
	OSSL_PARAM params[3];

	for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++) {
		if (!span_equal(curve,
			span_of(curves[i].oid, curves[i].oid_len)) ||
		    point.len != 2 * curves[i].field + 1)
			continue;
		params[0] = OSSL_PARAM_construct_utf8_string(
		    OSSL_PKEY_PARAM_GROUP_NAME, (char *)curves[i].name, 0);
		params[1] = OSSL_PARAM_construct_octet_string(
		    OSSL_PKEY_PARAM_PUB_KEY, (void *)point.data, point.len);
		params[2] = OSSL_PARAM_construct_end();
		return key_from_params(c, "EC", params);
	}
	return NULL;
}

/* RFC 3279 2.3.1: NULL, or, as some write it, nothing. */
static bool
rsa_parameters_are_sound(struct span rest)
{
	struct der null;

	return rest.len == 0 ||
	    (der_optional(&rest, DER_NULL, &null) && null.content.len == 0 &&
		rest.len == 0);
}

int
crypto_key_from_spki(struct crypto *c, struct span spki, EVP_PKEY **out,
    struct error *err)
{
	struct span seq, algorithm, oid, bits, curve = SPAN_EMPTY;

	*out = NULL;
	if (der_expect(&spki, DER_SEQUENCE, &seq) == -1 ||
	    der_expect(&seq, DER_SEQUENCE, &algorithm) == -1 ||
	    der_expect(&algorithm, DER_OID, &oid) == -1 ||
	    der_expect(&seq, DER_BIT_STRING, &bits) == -1 || bits.len < 2 ||
	    bits.data[0] != 0 || seq.len > 0)
		return error_set(err,
		    "RFC 5280 4.1.2.7: the public key is "
		    "not a SubjectPublicKeyInfo");
	bits = span_of(bits.data + 1, bits.len - 1);
	if (der_oid_is(oid, oid_rsa_encryption) &&
	    rsa_parameters_are_sound(algorithm))
		*out = read_rsa(c, bits);
	else if (der_oid_is(oid, oid_ec_public_key) &&
	    der_expect(&algorithm, DER_OID, &curve) == 0 && algorithm.len == 0)
		*out = read_ec(c, curve, bits);
	return *out != NULL ?
	    0 :
	    error_set(err,
		"the public key is neither "
		"RSA of %d to %d bits nor EC P-256, P-384 or P-521",
		RSA_MIN_BITS, RSA_MAX_BITS);
}

int
crypto_key_to_spki(const EVP_PKEY *key, struct blob *out, struct error *err)
{
	uint8_t *der = NULL;
	int len = i2d_PUBKEY(key, &der), ret = -1;

	*out = (struct blob){ NULL, 0 };
	if (len > 0)
		ret = blob_copy(out, span_of(der, (size_t)len));
	OPENSSL_free(der);
	return ret == 0 ? 0 : error_set(err, "cannot write a public key");
}

int
crypto_key_bits(const EVP_PKEY *key)
{
	return EVP_PKEY_get_bits(key);
}

bool
crypto_key_is_rsa(const EVP_PKEY *key)
{
	return EVP_PKEY_is_a(key, "RSA") == 1;
}

void
crypto_key_free(EVP_PKEY *key)
{
	EVP_PKEY_free(key);
}

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
	uint8_t plain[RSA_MAX_BITS / 8];
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
