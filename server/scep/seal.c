/* EnvelopedData for a client, RFC 5652 6.1. */
#include "scep/cms.h"

#include "base/der.h"

static void
add_bare_algorithm(struct buffer *b, struct span oid)
{
	size_t seq = der_begin(b, DER_SEQUENCE);

	der_add_oid(b, oid);
	der_end(b, seq);
}

/* All of RSAES-OAEP-params at its default, as real NDES (quirks.md 1). */
static void
add_oaep(struct buffer *b)
{
	size_t seq = der_begin(b, DER_SEQUENCE);

	der_add_oid(b, oid_rsa_oaep);
	der_add(b, DER_SEQUENCE, SPAN_EMPTY);
	der_end(b, seq);
}

/* KeyTransRecipientInfo (6.2.1). */
static int
add_key_transport(struct buffer *b, const struct scep_seal *seal,
    struct span cek)
{
	struct buffer wrapped = { 0 };
	size_t info = der_begin(b, DER_SEQUENCE);
	int ret = crypto_wrap(seal->crypto, seal->recipient_key,
	    seal->transport, cek, &wrapped);

	der_add_small_integer(b, 0);
	cms_add_identifier(b, seal->recipient);
	if (seal->transport == TRANSPORT_OAEP)
		add_oaep(b);
	else
		cms_add_algorithm(b, oid_rsa_encryption);
	der_add(b, DER_OCTET_STRING, buffer_span(&wrapped));
	der_end(b, info);
	buffer_free(&wrapped);
	return ret;
}

/* ECC-CMS-SharedInfo (RFC 5753 7.2): key wrap and size of its key in bits. */
static void
add_shared_info(struct buffer *b, enum cipher cipher)
{
	size_t bits = cipher_wrap_size(cipher) * 8;
	const uint8_t size[4] = { 0, 0, (uint8_t)(bits >> 8), (uint8_t)bits };
	size_t seq = der_begin(b, DER_SEQUENCE), field;

	add_bare_algorithm(b, cipher_wrap_oid(cipher));
	field = der_begin(b, DER_CONTEXT_CONSTRUCTED(2));
	der_add(b, DER_OCTET_STRING, span_of(size, sizeof(size)));
	der_end(b, field);
	der_end(b, seq);
}

/* originator [0] with originatorKey [1]; the curve is the recipient's. */
static void
add_originator(struct buffer *b, struct span point)
{
	size_t field = der_begin(b, DER_CONTEXT_CONSTRUCTED(0));
	size_t key = der_begin(b, DER_CONTEXT_CONSTRUCTED(1));

	add_bare_algorithm(b, oid_ec_public_key);
	der_add_bit_string(b, point);
	der_end(b, key);
	der_end(b, field);
}

static void
add_agreement_algorithm(struct buffer *b, enum cipher cipher)
{
	size_t seq = der_begin(b, DER_SEQUENCE);

	der_add_oid(b, oid_ecdh_sha256_kdf);
	add_bare_algorithm(b, cipher_wrap_oid(cipher));
	der_end(b, seq);
}

/* KeyAgreeRecipientInfo [1] (6.2.2, RFC 5753 3.1.1). */
static int
add_key_agreement(struct buffer *b, const struct scep_seal *seal,
    struct span cek)
{
	struct buffer info = { 0 }, point = { 0 }, wrapped = { 0 };
	size_t kari = der_begin(b, DER_CONTEXT_CONSTRUCTED(1)), keys, key;
	int ret;

	add_shared_info(&info, seal->cipher);
	ret = info.failed ?
	    -1 :
	    crypto_wrap_ec(seal->crypto, seal->recipient_key, seal->cipher,
		buffer_span(&info), cek, &point, &wrapped);
	der_add_small_integer(b, 3);
	add_originator(b, buffer_span(&point));
	add_agreement_algorithm(b, seal->cipher);
	keys = der_begin(b, DER_SEQUENCE);
	key = der_begin(b, DER_SEQUENCE);
	cms_add_identifier(b, seal->recipient);
	der_add(b, DER_OCTET_STRING, buffer_span(&wrapped));
	der_end(b, key);
	der_end(b, keys);
	der_end(b, kari);
	buffer_free(&info);
	buffer_free(&point);
	buffer_free(&wrapped);
	return ret;
}

static int
add_sealed(struct buffer *b, const struct scep_seal *seal, const uint8_t *cek,
    struct span iv, struct span plain)
{
	size_t content = der_begin(b, DER_SEQUENCE), part;
	int ret;

	der_add_oid(b, oid_data);
	part = der_begin(b, DER_SEQUENCE);
	der_add_oid(b, cipher_oid(seal->cipher));
	der_add(b, DER_OCTET_STRING, iv);
	der_end(b, part);
	part = der_begin(b, DER_CONTEXT(0));
	ret = crypto_encrypt(seal->crypto, seal->cipher, cek, iv.data, plain,
	    b);
	der_end(b, part);
	der_end(b, content);
	return ret;
}

int
envelope_add(struct buffer *b, const struct scep_seal *seal, struct span plain,
    struct error *err)
{
	bool rsa = crypto_key_is_rsa(seal->recipient_key);
	size_t cek_size = cipher_key_size(seal->cipher);
	size_t iv_size = cipher_block_size(seal->cipher), set;
	uint8_t cek[CIPHER_MAX_KEY], iv[CIPHER_MAX_BLOCK];
	struct cms_frame frame;

	if (crypto_random(seal->crypto, cek, cek_size) == -1 ||
	    crypto_random(seal->crypto, iv, iv_size) == -1)
		return error_set(err, "no random numbers");
	frame = cms_begin(b, oid_enveloped_data);
	der_add_small_integer(b, rsa ? 0 : 2);
	set = der_begin(b, DER_SET);
	if ((rsa ? add_key_transport : add_key_agreement)(b, seal,
		span_of(cek, cek_size)) == -1)
		return error_set(err, "cannot encrypt to the client's key");
	der_end(b, set);
	if (add_sealed(b, seal, cek, span_of(iv, iv_size), plain) == -1)
		return error_set(err, "cannot encrypt with %s",
		    cipher_name(seal->cipher));
	cms_end(b, frame);
	return b->failed ? error_set(err, "out of memory") : 0;
}
