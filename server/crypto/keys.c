/* Keys: made, read, written. */
#include "crypto/context.h"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

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

static const struct {
	const char *name, *curve; /* NULL: RSA */
	size_t bits;
} types[KEY_TYPES] = {
	[KEY_RSA_2048] = { "rsa-2048", NULL, 2048 },
	[KEY_RSA_3072] = { "rsa-3072", NULL, 3072 },
	[KEY_RSA_4096] = { "rsa-4096", NULL, 4096 },
	[KEY_EC_P256] = { "ec-p256", "P-256", 256 },
	[KEY_EC_P384] = { "ec-p384", "P-384", 384 },
};

const char *
crypto_key_type_name(enum key_type type)
{
	return type < KEY_TYPES ? types[type].name : "unknown";
}

int
crypto_key_generate(struct crypto *c, enum key_type type, EVP_PKEY **out,
    struct error *err)
{
	*out = types[type].curve == NULL ?
	    EVP_PKEY_Q_keygen(c->lib, NULL, "RSA", types[type].bits) :
	    EVP_PKEY_Q_keygen(c->lib, NULL, "EC", types[type].curve);
	return *out != NULL ?
	    0 :
	    error_set(err, "cannot make a key of type %s", types[type].name);
}

static int
no_passphrase(char *buf, int size, int writing, void *cls)
{
	(void)buf, (void)size, (void)writing, (void)cls;
	return -1;
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
key_from_params(struct crypto *c, const char *type, int selection,
    OSSL_PARAM *params)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(c->lib, type, NULL);
	EVP_PKEY *key = NULL;

	if (ctx != NULL &&
	    (EVP_PKEY_fromdata_init(ctx) != 1 ||
		EVP_PKEY_fromdata(ctx, &key, selection, params) != 1))
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
	return key_from_params(c, "RSA", EVP_PKEY_PUBLIC_KEY, params);
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
		return key_from_params(c, "EC", EVP_PKEY_PUBLIC_KEY, params);
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

/* Of RSAPrivateKey (RFC 8017 A.1.2), after its version, in this order. */
static const char *const rsa_private[] = {
	OSSL_PKEY_PARAM_RSA_N,
	OSSL_PKEY_PARAM_RSA_E,
	OSSL_PKEY_PARAM_RSA_D,
	OSSL_PKEY_PARAM_RSA_FACTOR1,
	OSSL_PKEY_PARAM_RSA_FACTOR2,
	OSSL_PKEY_PARAM_RSA_EXPONENT1,
	OSSL_PKEY_PARAM_RSA_EXPONENT2,
	OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
};
#define RSA_NUMBERS (sizeof(rsa_private) / sizeof(rsa_private[0]))

static EVP_PKEY *
read_rsa_private(struct crypto *c, struct span der)
{
	uint8_t numbers[RSA_NUMBERS][RSA_MAX_BITS / 8];
	OSSL_PARAM params[RSA_NUMBERS + 1];
	struct span key, version;
	EVP_PKEY *pkey;
	size_t len;

	if (der_expect(&der, DER_SEQUENCE, &key) == -1 ||
	    der_expect(&key, DER_INTEGER, &version) == -1 ||
	    der_small_integer(version) != 0)
		return NULL;
	for (size_t i = 0; i < RSA_NUMBERS; i++) {
		if (native_number(&key, numbers[i], sizeof(numbers[i]), &len) ==
		    -1)
			return NULL;
		params[i] = OSSL_PARAM_construct_BN(rsa_private[i], numbers[i],
		    len);
	}
	params[RSA_NUMBERS] = OSSL_PARAM_construct_end();
	pkey = key_from_params(c, "RSA", EVP_PKEY_KEYPAIR, params);
	OPENSSL_cleanse(numbers, sizeof(numbers));
	return pkey;
}

/* RFC 5958, of RSA keys: without OpenSSL's decoders, for a quick start. */
static EVP_PKEY *
read_pkcs8(struct crypto *c, struct span der)
{
	struct span info, version, algorithm, oid, key;

	if (der_expect(&der, DER_SEQUENCE, &info) == -1 ||
	    der_expect(&info, DER_INTEGER, &version) == -1 ||
	    der_expect(&info, DER_SEQUENCE, &algorithm) == -1 ||
	    der_expect(&algorithm, DER_OID, &oid) == -1 ||
	    der_expect(&info, DER_OCTET_STRING, &key) == -1 ||
	    !der_oid_is(oid, oid_rsa_encryption))
		return NULL;
	return read_rsa_private(c, key);
}

static EVP_PKEY *
read_first_pem(struct crypto *c, BIO *bio)
{
	char *name = NULL, *header = NULL;
	unsigned char *der = NULL;
	EVP_PKEY *key = NULL;
	long len;

	if (PEM_read_bio(bio, &name, &header, &der, &len) == 1 &&
	    strcmp(name, PEM_STRING_PKCS8INF) == 0)
		key = read_pkcs8(c, span_of(der, (size_t)len));
	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_clear_free(der, (size_t)len);
	return key;
}

int
crypto_key_from_pem(struct crypto *c, struct span pem, const char *name,
    EVP_PKEY **out, struct error *err)
{
	BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.len);

	*out = bio == NULL ? NULL : read_first_pem(c, bio);
	if (bio != NULL && *out == NULL && BIO_reset(bio) == 1)
		*out = PEM_read_bio_PrivateKey_ex(bio, NULL, no_passphrase,
		    NULL, c->lib, NULL);
	BIO_free(bio);
	ERR_clear_error();
	return *out != NULL ?
	    0 :
	    error_set(err, "%s: no unencrypted private key in PEM", name);
}

static void
add_number(struct buffer *b, const EVP_PKEY *key, const char *name)
{
	uint8_t octets[RSA_MAX_BITS / 8];
	BIGNUM *n = NULL;
	int len = -1;

	if (EVP_PKEY_get_bn_param(key, name, &n) == 1 &&
	    (size_t)BN_num_bytes(n) <= sizeof(octets))
		len = BN_bn2bin(n, octets);
	BN_free(n);
	if (len == -1)
		b->failed = true;
	else
		der_add_unsigned(b, span_of(octets, (size_t)len));
}

/* RFC 8017 A.1.1. */
static void
add_rsa_spki(struct buffer *b, const EVP_PKEY *key)
{
	struct buffer numbers = { 0 };
	size_t seq = der_begin(b, DER_SEQUENCE);
	size_t inner = der_begin(b, DER_SEQUENCE);

	der_add_oid(b, oid_rsa_encryption);
	der_add_null(b);
	der_end(b, inner);
	inner = der_begin(&numbers, DER_SEQUENCE);
	add_number(&numbers, key, OSSL_PKEY_PARAM_RSA_N);
	add_number(&numbers, key, OSSL_PKEY_PARAM_RSA_E);
	der_end(&numbers, inner);
	der_add_bit_string(b, buffer_span(&numbers));
	der_end(b, seq);
	b->failed |= numbers.failed;
	buffer_free(&numbers);
}

int
crypto_key_to_spki(const EVP_PKEY *key, struct blob *out, struct error *err)
{
	struct buffer b = { 0 };
	uint8_t *der = NULL;
	int len;

	if (crypto_key_is_rsa(key)) {
		add_rsa_spki(&b, key);
	} else if ((len = i2d_PUBKEY(key, &der)) > 0) {
		buffer_add(&b, der, (size_t)len);
		OPENSSL_free(der);
	}
	if (b.len > 0 && buffer_finish(&b, out) == 0)
		return 0;
	*out = (struct blob){ NULL, 0 };
	return error_set(err, "cannot write a public key");
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
