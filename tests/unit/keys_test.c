/* Keys of every type, held against OpenSSL's own. */
#include "unit/device.h"

#include "crypto/crypto.h"

static struct crypto *crypto;

static const struct kind {
	const char *row; /* the name of the type */
	enum key_type type;
	const char *algorithm; /* as OpenSSL calls it */
	int bits;
} kinds[] = {
	{ "rsa-2048", KEY_RSA_2048, "RSA", 2048 },
	{ "rsa-3072", KEY_RSA_3072, "RSA", 3072 },
	{ "rsa-4096", KEY_RSA_4096, "RSA", 4096 },
	{ "ec-p256", KEY_EC_P256, "EC", 256 },
	{ "ec-p384", KEY_EC_P384, "EC", 384 },
};

static const EVP_MD *(*const mds[DIGEST_COUNT])(void) = {
	[DIGEST_MD5] = EVP_md5,
	[DIGEST_SHA1] = EVP_sha1,
	[DIGEST_SHA224] = EVP_sha224,
	[DIGEST_SHA256] = EVP_sha256,
	[DIGEST_SHA384] = EVP_sha384,
	[DIGEST_SHA512] = EVP_sha512,
};

/* What we write of it, OpenSSL reads as the same key. */
static void
check_forms(const EVP_PKEY *key)
{
	struct error err = { 0 };
	struct blob spki, pem;
	uint8_t *der = NULL;
	EVP_PKEY *again;
	BIO *bio;
	int len = i2d_PUBKEY(key, &der);

	assert_int_equal(crypto_key_to_spki(key, &spki, &err), 0);
	assert_same_der(blob_span(&spki), der, len);
	assert_int_equal(crypto_key_from_spki(crypto, blob_span(&spki), &again,
			     &err),
	    0);
	assert_int_equal(EVP_PKEY_eq(key, again), 1);
	EVP_PKEY_free(again);
	assert_int_equal(crypto_key_to_pem(key, &pem, &err), 0);
	bio = BIO_new_mem_buf(pem.data, (int)pem.len);
	again = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	assert_int_equal(EVP_PKEY_eq(key, again), 1);
	EVP_PKEY_free(again);
	assert_int_equal(crypto_key_from_pem(crypto, blob_span(&pem), "key",
			     &again, &err),
	    0);
	assert_int_equal(EVP_PKEY_eq(key, again), 1);
	EVP_PKEY_free(again);
	BIO_free(bio);
	blob_free(&pem);
	blob_free(&spki);
}

/* The algorithm as OpenSSL names it where it signs with this key. */
static struct blob
openssl_algorithm(EVP_PKEY *key, const EVP_MD *md)
{
	X509_REQ *request = device_request(key, "device-0001");
	const X509_ALGOR *algorithm;
	uint8_t *der = NULL;
	struct blob out = { NULL, 0 };

	if (X509_REQ_sign(request, key, md) > 0) {
		int len;

		X509_REQ_get0_signature(request, NULL, &algorithm);
		len = i2d_X509_ALGOR(algorithm, &der);
		out = device_take(der, len);
	}
	X509_REQ_free(request);
	return out;
}

static void
check_algorithm(EVP_PKEY *key, enum digest d)
{
	struct blob wanted = openssl_algorithm(key, mds[d]());
	struct buffer b = { 0 };
	struct span all, seq, oid;

	crypto_add_signature_algorithm(&b, key, d);
	assert_int_equal(b.failed, wanted.len == 0);
	if (!b.failed) {
		all = blob_span(&wanted);
		assert_octets(buffer_span(&b), all.data, all.len);
		/* And what OpenSSL names we understand. */
		seq = span_of(all.data + 2, all.len - 2);
		oid = span_of(seq.data + 2, seq.data[1]);
		assert_int_equal(digest_by_signature_oid(oid), d);
	}
	buffer_free(&b);
	blob_free(&wanted);
}

/* Signed by us and verified by OpenSSL, and the other way round. */
static void
check_signature(EVP_PKEY *key, enum digest d)
{
	const struct span text = span_text("to be signed");
	uint8_t theirs[1024];
	size_t len = sizeof(theirs);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	struct buffer ours = { 0 };

	assert_int_equal(crypto_sign(crypto, key, d, text, &ours), 0);
	assert_true(EVP_DigestVerifyInit(ctx, NULL, mds[d](), NULL, key));
	assert_int_equal(EVP_DigestVerify(ctx, ours.data, ours.len, text.data,
			     text.len),
	    1);
	assert_true(EVP_MD_CTX_reset(ctx));
	assert_true(EVP_DigestSignInit(ctx, NULL, mds[d](), NULL, key));
	assert_true(EVP_DigestSign(ctx, theirs, &len, text.data, text.len));
	assert_int_equal(crypto_verify(crypto, key, d, text,
			     span_of(theirs, len)),
	    0);
	theirs[len - 1] ^= 1;
	assert_int_equal(crypto_verify(crypto, key, d, text,
			     span_of(theirs, len)),
	    -1);
	buffer_free(&ours);
	EVP_MD_CTX_free(ctx);
}

static void
type_works(void **state)
{
	const struct kind *t = *state;
	struct error err = { 0 };
	EVP_PKEY *key;

	assert_string_equal(crypto_key_type_name(t->type), t->row);
	assert_int_equal(crypto_key_generate(crypto, t->type, &key, &err), 0);
	assert_int_equal(EVP_PKEY_is_a(key, t->algorithm), 1);
	assert_int_equal(crypto_key_bits(key), t->bits);
	check_forms(key);
	for (enum digest d = 0; d < DIGEST_COUNT; d++) {
		check_algorithm(key, d);
		check_signature(key, d);
	}
	crypto_key_free(key);
}

static void
unknown_type(void **state)
{
	(void)state;
	assert_string_equal(crypto_key_type_name(KEY_TYPES), "unknown");
	assert_int_equal(sizeof(kinds) / sizeof(kinds[0]), KEY_TYPES);
}

static int
set_up(void **state)
{
	(void)state;
	return crypto_new(&crypto, NULL);
}

static int
tear_down(void **state)
{
	(void)state;
	crypto_free(crypto);
	return 0;
}

int
main(void)
{
	static const struct table tables[] = {
		ROWS(type_works, kinds),
		ONE(unknown_type, "there are no other types"),
	};

	return ROWS_RUN(tables, set_up, tear_down);
}
