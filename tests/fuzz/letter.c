#include "fuzz/letter.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <string.h>

#include "base/der.h"

#define HEAD 5
#define WRAPPED 256 /* octets: RSA 2048 */

bool
letter_read(struct span in, struct letter *out)
{
	uint8_t head[HEAD] = { 0 };
	size_t len;

	*out = (struct letter){ 0 };
	if (in.len == 0 || in.data[0] != LETTER_MARK)
		return false;
	len = in.len < HEAD ? in.len : HEAD;
	memcpy(head, in.data, len);
	in = span_of(in.data + len, in.len - len);
	out->digest = head[1] % DIGEST_COUNT;
	out->cipher = head[2] % CIPHER_COUNT;
	out->flags = (unsigned)(head[3] << 8 | head[4]);
	for (int i = 0; i < PARTS && in.len >= 2; i++) {
		len = (size_t)in.data[0] << 8 | in.data[1];
		in = span_of(in.data + 2, in.len - 2);
		if (len > in.len)
			len = in.len;
		out->parts[i] = span_of(in.data, len);
		in = span_of(in.data + len, in.len - len);
	}
	return true;
}

size_t
letter_write(const struct letter *l, uint8_t *out, size_t max)
{
	uint8_t head[HEAD] = { LETTER_MARK, (uint8_t)l->digest,
		(uint8_t)l->cipher, (uint8_t)(l->flags >> 8),
		(uint8_t)l->flags };
	size_t size = HEAD;

	for (int i = 0; i < PARTS; i++)
		size += 2 + l->parts[i].len;
	if (size > max)
		return 0;
	memcpy(out, head, HEAD);
	out += HEAD;
	for (int i = 0; i < PARTS; i++) {
		*out++ = (uint8_t)(l->parts[i].len >> 8);
		*out++ = (uint8_t)l->parts[i].len;
		if (l->parts[i].len > 0)
			memcpy(out, l->parts[i].data, l->parts[i].len);
		out += l->parts[i].len;
	}
	return size;
}

/* An element of definite or of indefinite length. */
static size_t
begin(struct buffer *b, int tag, bool ber)
{
	if (!ber)
		return der_begin(b, tag);
	buffer_add_byte(b, (uint8_t)tag);
	buffer_add_byte(b, 0x80);
	return 0; /* no definite element begins there */
}

static void
end(struct buffer *b, size_t begun)
{
	if (begun != 0)
		der_end(b, begun);
	else
		buffer_add(b, "\0\0", 2);
}

/* An OCTET STRING, or what is IMPLICITly one; BER: in two segments. */
static void
add_octets(struct buffer *b, int tag, struct span content, bool ber)
{
	size_t half = content.len / 2;

	if (!ber) {
		der_add(b, tag, content);
		return;
	}
	begin(b, tag | 0x20, true);
	der_add(b, DER_OCTET_STRING, span_of(content.data, half));
	der_add(b, DER_OCTET_STRING,
	    span_of(content.data + half, content.len - half));
	end(b, 0);
}

static void
add_algorithm(struct buffer *b, struct span oid)
{
	size_t seq = der_begin(b, DER_SEQUENCE);

	der_add_oid(b, oid);
	der_add_null(b);
	der_end(b, seq);
}

static void
add_identifier(struct buffer *b, const struct x509 *cert, bool key_id)
{
	size_t seq;

	if (key_id) {
		der_add(b, DER_CONTEXT(0), cert->key_id);
		return;
	}
	seq = der_begin(b, DER_SEQUENCE);
	buffer_add_span(b, cert->issuer);
	der_add(b, DER_INTEGER, cert->serial);
	der_end(b, seq);
}

void
letter_add_request(const struct letter *l, const struct authority *a,
    const struct client *client, struct buffer *out)
{
	struct span rest = l->parts[PART_REQUEST], csr;
	struct buffer signature = { 0 };
	struct der info;
	size_t seq;

	if (!(l->flags & LETTER_PROOF) ||
	    der_expect(&rest, DER_SEQUENCE, &csr) == -1 ||
	    der_next(&csr, &info) == -1) {
		buffer_add_span(out, l->parts[PART_REQUEST]);
		return;
	}
	REQUIRE(crypto_sign(a->crypto, client->key, l->digest, info.whole,
		    &signature) == 0);
	seq = der_begin(out, DER_SEQUENCE);
	buffer_add_span(out, info.whole);
	add_algorithm(out, digest_rsa_oid(l->digest));
	der_add_bit_string(out, buffer_span(&signature));
	der_end(out, seq);
	buffer_free(&signature);
}

enum wrapping { WRAP_PKCS1, WRAP_OAEP, WRAP_OAEP_SHA256, WRAPPINGS };

static enum wrapping
wrapping_of(const struct letter *l)
{
	if (!(l->flags & LETTER_OAEP))
		return WRAP_PKCS1;
	return l->flags & LETTER_OAEP_SHA256 ? WRAP_OAEP_SHA256 : WRAP_OAEP;
}

/* A block for PKCS#1, with a padding that is always the same. */
static void
pad(const uint8_t *key, size_t size, uint8_t block[WRAPPED])
{
	memset(block, 0x5a, WRAPPED);
	block[0] = block[WRAPPED - size - 1] = 0;
	block[1] = 2;
	memcpy(block + WRAPPED - size, key, size);
}

static void
encrypt_key(EVP_PKEY *to, enum wrapping wrapping, const uint8_t *key,
    size_t size, uint8_t out[WRAPPED])
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(to, NULL);
	uint8_t block[WRAPPED];
	size_t len = WRAPPED;

	REQUIRE(EVP_PKEY_encrypt_init(ctx) == 1 &&
	    EVP_PKEY_CTX_set_rsa_padding(ctx,
		wrapping == WRAP_PKCS1 ? RSA_NO_PADDING :
					 RSA_PKCS1_OAEP_PADDING) == 1);
	if (wrapping == WRAP_OAEP_SHA256)
		REQUIRE(EVP_PKEY_CTX_set_rsa_oaep_md(ctx, EVP_sha256()) == 1 &&
		    EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_sha256()) == 1);
	if (wrapping == WRAP_PKCS1) {
		pad(key, size, block);
		key = block;
		size = WRAPPED;
	}
	REQUIRE(
	    EVP_PKEY_encrypt(ctx, out, &len, key, size) == 1 && len == WRAPPED);
	EVP_PKEY_CTX_free(ctx);
}

/* Made once for each cipher. */
static struct span
wrap(const struct authority *a, const struct letter *l, const uint8_t *key)
{
	static uint8_t wrapped[WRAPPINGS][CIPHER_COUNT][WRAPPED];
	static bool made[WRAPPINGS][CIPHER_COUNT];
	enum wrapping w = wrapping_of(l);

	if (!made[w][l->cipher])
		encrypt_key(a->credentials->keys[CA_RA_ENCRYPTION], w, key,
		    cipher_key_size(l->cipher), wrapped[w][l->cipher]);
	made[w][l->cipher] = true;
	return span_of(wrapped[w][l->cipher], WRAPPED);
}

/* As OpenSSL writes it, but for what PART_OAEP says instead. */
static void
add_transport(const struct letter *l, struct buffer *b)
{
	size_t seq;

	if (!(l->flags & LETTER_OAEP)) {
		add_algorithm(b, oid_rsa_encryption);
		return;
	}
	seq = der_begin(b, DER_SEQUENCE);
	der_add_oid(b, oid_rsa_oaep);
	if (l->parts[PART_OAEP].len > 0)
		buffer_add_span(b, l->parts[PART_OAEP]);
	else if (l->flags & LETTER_OAEP_SHA256)
		buffer_add(b, LETTER_OAEP_OF_SHA256,
		    sizeof(LETTER_OAEP_OF_SHA256) - 1);
	else
		der_add(b, DER_SEQUENCE, SPAN_EMPTY);
	der_end(b, seq);
}

static void
add_recipients(const struct letter *l, const struct authority *a,
    const uint8_t *key, struct buffer *b)
{
	int role = l->flags & LETTER_THREE ? CA_ISSUING : CA_RA_ENCRYPTION;
	size_t set = der_begin(b, DER_SET), info;

	buffer_add_span(b, l->parts[PART_RECIPIENTS]);
	for (; role <= CA_RA_ENCRYPTION; role++) {
		info = der_begin(b, DER_SEQUENCE);
		der_add_small_integer(b, 0);
		add_identifier(b, &a->credentials->certs[role],
		    l->flags & LETTER_RECIPIENT_KEY_ID);
		add_transport(l, b);
		der_add(b, DER_OCTET_STRING, wrap(a, l, key));
		der_end(b, info);
	}
	der_end(b, set);
}

void
letter_add_envelope(const struct letter *l, const struct authority *a,
    const struct client *client, struct buffer *b)
{
	static const uint8_t key[CIPHER_MAX_KEY] =
	    "a key that is always the same";
	static const uint8_t iv[CIPHER_MAX_BLOCK] = "so is the IV";
	struct buffer plain = { 0 }, sealed = { 0 };
	bool ber = l->flags & LETTER_BER_INSIDE;
	size_t info, explicit, data, content, algorithm;

	letter_add_request(l, a, client, &plain);
	REQUIRE(crypto_encrypt(a->crypto, l->cipher, key, iv,
		    buffer_span(&plain), &sealed) == 0);
	info = begin(b, DER_SEQUENCE, ber);
	der_add_oid(b, oid_enveloped_data);
	explicit = begin(b, DER_CONTEXT_CONSTRUCTED(0), ber);
	data = begin(b, DER_SEQUENCE, ber);
	der_add_small_integer(b, 0);
	add_recipients(l, a, key, b);
	content = begin(b, DER_SEQUENCE, ber);
	der_add_oid(b, oid_data);
	algorithm = der_begin(b, DER_SEQUENCE);
	der_add_oid(b, cipher_oid(l->cipher));
	der_add(b, DER_OCTET_STRING, span_of(iv, cipher_block_size(l->cipher)));
	der_end(b, algorithm);
	add_octets(b, DER_CONTEXT(0), buffer_span(&sealed), ber);
	end(b, content);
	end(b, data);
	end(b, explicit);
	end(b, info);
	buffer_free(&plain);
	buffer_free(&sealed);
}

/* The same in DER, which is what is signed whatever is sent. */
static void
canonical(struct span attributes, bool sort, struct buffer *set)
{
	struct span content = attributes;
	struct buffer sorted = { 0 };
	struct blob der = { NULL, 0 };
	struct span rest;

	der_add(set, DER_SET, attributes);
	if (der_from_ber(buffer_span(set), &der) == 0) {
		rest = blob_span(&der);
		REQUIRE(der_expect(&rest, DER_SET, &content) == 0);
	}
	buffer_add_span(&sorted, content);
	if (sort)
		der_sort_set(&sorted, 0);
	/* It fails for more attributes than anybody sends. */
	if (!sorted.failed)
		content = buffer_span(&sorted);
	set->len = 0;
	der_add(set, DER_SET, content);
	buffer_free(&sorted);
	blob_free(&der);
}

/* signedAttrs as they are sent, and the signature of them, RFC 5652 5.4. */
static void
sign(const struct letter *l, const struct authority *a,
    const struct client *client, struct span content, struct buffer *attributes,
    struct buffer *signature)
{
	uint8_t digest[DIGEST_MAX_SIZE];
	struct buffer set = { 0 };
	size_t seq, values;

	REQUIRE(crypto_digest(a->crypto, l->digest, content, digest) == 0);
	seq = der_begin(attributes, DER_SEQUENCE);
	der_add_oid(attributes, oid_message_digest);
	values = der_begin(attributes, DER_SET);
	der_add(attributes, DER_OCTET_STRING,
	    span_of(digest, digest_size(l->digest)));
	der_end(attributes, values);
	der_end(attributes, seq);
	buffer_add_span(attributes, l->parts[PART_ATTRIBUTES]);
	canonical(buffer_span(attributes), l->flags & LETTER_SORT, &set);
	REQUIRE(crypto_sign(a->crypto, client->key, l->digest,
		    buffer_span(&set), signature) == 0);
	buffer_free(&set);
}

static void
add_signer_infos(const struct letter *l, const struct authority *a,
    const struct client *client, struct span content, struct buffer *b)
{
	struct buffer attributes = { 0 }, signature = { 0 };
	bool ber = l->flags & LETTER_BER_OUTSIDE;
	size_t set, info, part;

	sign(l, a, client, content, &attributes, &signature);
	set = begin(b, DER_SET, ber);
	info = begin(b, DER_SEQUENCE, ber);
	der_add_small_integer(b, 1);
	add_identifier(b, &client->cert, l->flags & LETTER_SIGNER_KEY_ID);
	add_algorithm(b,
	    l->flags & LETTER_SIGNATURE_OID ? digest_rsa_oid(l->digest) :
					      digest_oid(l->digest));
	part = begin(b, DER_CONTEXT_CONSTRUCTED(0), ber);
	buffer_add_span(b, buffer_span(&attributes));
	end(b, part);
	add_algorithm(b, oid_rsa_encryption);
	der_add(b, DER_OCTET_STRING, buffer_span(&signature));
	end(b, info);
	end(b, set);
	buffer_free(&attributes);
	buffer_free(&signature);
}

void
letter_add_message(const struct letter *l, const struct authority *a,
    const struct client *client, struct buffer *b)
{
	bool ber = l->flags & LETTER_BER_OUTSIDE;
	size_t info, explicit, data, part, wrapped;
	struct buffer content = { 0 };

	if (l->flags & LETTER_ENVELOPE)
		buffer_add_span(&content, l->parts[PART_ENVELOPE]);
	else
		letter_add_envelope(l, a, client, &content);
	info = begin(b, DER_SEQUENCE, ber);
	der_add_oid(b, oid_signed_data);
	explicit = begin(b, DER_CONTEXT_CONSTRUCTED(0), ber);
	data = begin(b, DER_SEQUENCE, ber);
	der_add_small_integer(b, 1);
	part = der_begin(b, DER_SET);
	add_algorithm(b, digest_oid(l->digest));
	der_end(b, part);
	part = begin(b, DER_SEQUENCE, ber);
	der_add_oid(b, oid_data);
	wrapped = begin(b, DER_CONTEXT_CONSTRUCTED(0), ber);
	add_octets(b, DER_OCTET_STRING, buffer_span(&content), ber);
	end(b, wrapped);
	end(b, part);
	part = begin(b, DER_CONTEXT_CONSTRUCTED(0), ber);
	buffer_add_span(b, l->parts[PART_CERTIFICATES]);
	buffer_add_span(b, blob_span(&client->der));
	end(b, part);
	add_signer_infos(l, a, client, buffer_span(&content), b);
	end(b, data);
	end(b, explicit);
	end(b, info);
	buffer_free(&content);
}
