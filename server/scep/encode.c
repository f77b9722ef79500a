/* CertRep and degenerate SignedData, every byte by our own hand. */
#include "scep/scep.h"

#include <stdio.h>

#include "base/der.h"

static void
add_algorithm(struct buffer *b, struct span oid)
{
	size_t seq = der_begin(b, DER_SEQUENCE);

	der_add_oid(b, oid);
	der_add_null(b);
	der_end(b, seq);
}

static size_t
begin_attribute(struct buffer *b, struct span oid, size_t *set)
{
	size_t seq = der_begin(b, DER_SEQUENCE);

	der_add_oid(b, oid);
	*set = der_begin(b, DER_SET);
	return seq;
}

static void
add_attribute(struct buffer *b, struct span oid, int tag, struct span value)
{
	size_t set, seq = begin_attribute(b, oid, &set);

	der_add(b, tag, value);
	der_end(b, set);
	der_end(b, seq);
}

static void
add_number(struct buffer *b, struct span oid, int32_t number)
{
	char text[12];

	snprintf(text, sizeof(text), "%d", (int)number);
	add_attribute(b, oid, DER_PRINTABLE_STRING, span_text(text));
}

static void
add_identifier(struct buffer *b, const struct x509 *cert)
{
	size_t seq = der_begin(b, DER_SEQUENCE);

	buffer_add_span(b, cert->issuer);
	der_add(b, DER_INTEGER, cert->serial);
	der_end(b, seq);
}

/* Content of the signedAttrs, in the order of a DER SET OF. */
static int
build_attributes(struct buffer *b, const struct scep_reply *reply,
    const struct scep_seal *seal, struct span content)
{
	uint8_t digest[DIGEST_MAX_SIZE];

	if (crypto_digest(seal->crypto, seal->digest, content, digest) == -1)
		return -1;
	add_number(b, oid_scep_message_type, SCEP_CERT_REP);
	add_number(b, oid_scep_pki_status, reply->status);
	if (reply->status == SCEP_FAILURE)
		add_number(b, oid_scep_fail_info, reply->fail_info);
	add_attribute(b, oid_content_type, DER_OID, oid_data);
	if (reply->ms_error != 0)
		add_number(b, oid_ms_scep_error, reply->ms_error);
	if (reply->ms_message != NULL)
		add_attribute(b, oid_ms_scep_server_message, DER_UTF8_STRING,
		    span_text(reply->ms_message));
	add_attribute(b, oid_scep_sender_nonce, DER_OCTET_STRING,
	    reply->sender_nonce);
	if (reply->recipient_nonce.len > 0)
		add_attribute(b, oid_scep_recipient_nonce, DER_OCTET_STRING,
		    reply->recipient_nonce);
	add_attribute(b, oid_message_digest, DER_OCTET_STRING,
	    span_of(digest, digest_size(seal->digest)));
	if (reply->transaction_id != NULL)
		add_attribute(b, oid_scep_transaction_id, DER_PRINTABLE_STRING,
		    span_text(reply->transaction_id));
	der_sort_set(b, 0);
	return b->failed ? -1 : 0;
}

/*
 * The attributes are signed as SET OF and sent as [0] (RFC 5652 5.4); the
 * algorithm is named rsaEncryption, as NDES does (quirks.md 1).
 */
static int
add_signer_info(struct buffer *b, const struct scep_reply *reply,
    const struct scep_seal *seal, struct span content)
{
	struct buffer attributes = { 0 }, set = { 0 }, signature = { 0 };
	size_t infos, info;
	int ret = -1;

	if (build_attributes(&attributes, reply, seal, content) == -1)
		goto out;
	der_add(&set, DER_SET, buffer_span(&attributes));
	if (set.failed ||
	    crypto_sign(seal->crypto, seal->signer_key, seal->digest,
		buffer_span(&set), &signature) == -1)
		goto out;
	infos = der_begin(b, DER_SET);
	info = der_begin(b, DER_SEQUENCE);
	der_add_small_integer(b, 1);
	add_identifier(b, seal->signer);
	add_algorithm(b, digest_oid(seal->digest));
	der_add(b, DER_CONTEXT_CONSTRUCTED(0), buffer_span(&attributes));
	add_algorithm(b, oid_rsa_encryption);
	der_add(b, DER_OCTET_STRING, buffer_span(&signature));
	der_end(b, info);
	der_end(b, infos);
	ret = b->failed ? -1 : 0;
out:
	buffer_free(&attributes);
	buffer_free(&set);
	buffer_free(&signature);
	return ret;
}

static int
add_recipient(struct buffer *b, const struct scep_seal *seal, struct span cek)
{
	struct buffer wrapped = { 0 };
	size_t set, info;
	int ret = crypto_wrap(seal->crypto, seal->recipient_key, cek, &wrapped);

	set = der_begin(b, DER_SET);
	info = der_begin(b, DER_SEQUENCE);
	der_add_small_integer(b, 0);
	add_identifier(b, seal->recipient);
	add_algorithm(b, oid_rsa_encryption);
	der_add(b, DER_OCTET_STRING, buffer_span(&wrapped));
	der_end(b, info);
	der_end(b, set);
	buffer_free(&wrapped);
	return ret;
}

/* EnvelopedData around `plain`, for the client (RFC 5652 6.1). */
static int
build_envelope(struct buffer *b, const struct scep_seal *seal,
    struct span plain, struct error *err)
{
	uint8_t cek[CIPHER_MAX_KEY], iv[CIPHER_MAX_BLOCK];
	size_t key_size = cipher_key_size(seal->cipher);
	size_t iv_size = cipher_block_size(seal->cipher);
	size_t info, explicit, data, content, algorithm, sealed;

	if (!crypto_key_is_rsa(seal->recipient_key))
		return error_set(err,
		    "RFC 8894 3.1: the client's key is not "
		    "RSA, nothing can be encrypted to it");
	if (crypto_random(seal->crypto, cek, key_size) == -1 ||
	    crypto_random(seal->crypto, iv, iv_size) == -1)
		return error_set(err, "no random numbers");
	info = der_begin(b, DER_SEQUENCE);
	der_add_oid(b, oid_enveloped_data);
	explicit = der_begin(b, DER_CONTEXT_CONSTRUCTED(0));
	data = der_begin(b, DER_SEQUENCE);
	der_add_small_integer(b, 0);
	if (add_recipient(b, seal, span_of(cek, key_size)) == -1)
		return error_set(err, "cannot encrypt to the client's key");
	content = der_begin(b, DER_SEQUENCE);
	der_add_oid(b, oid_data);
	algorithm = der_begin(b, DER_SEQUENCE);
	der_add_oid(b, cipher_oid(seal->cipher));
	der_add(b, DER_OCTET_STRING, span_of(iv, iv_size));
	der_end(b, algorithm);
	sealed = der_begin(b, DER_CONTEXT(0));
	if (crypto_encrypt(seal->crypto, seal->cipher, cek, iv, plain, b) == -1)
		return error_set(err, "cannot encrypt with %s",
		    cipher_name(seal->cipher));
	der_end(b, sealed);
	der_end(b, content);
	der_end(b, data);
	der_end(b, explicit);
	der_end(b, info);
	return 0;
}

int
scep_degenerate(struct buffer *b, const struct span *certs, size_t count)
{
	size_t info, explicit, data, encap, bag;

	info = der_begin(b, DER_SEQUENCE);
	der_add_oid(b, oid_signed_data);
	explicit = der_begin(b, DER_CONTEXT_CONSTRUCTED(0));
	data = der_begin(b, DER_SEQUENCE);
	der_add_small_integer(b, 1);
	der_add(b, DER_SET, SPAN_EMPTY);
	encap = der_begin(b, DER_SEQUENCE);
	der_add_oid(b, oid_data);
	der_end(b, encap);
	bag = der_begin(b, DER_CONTEXT_CONSTRUCTED(0));
	for (size_t i = 0; i < count; i++)
		buffer_add_span(b, certs[i]);
	der_end(b, bag);
	der_add(b, DER_SET, SPAN_EMPTY);
	der_end(b, data);
	der_end(b, explicit);
	der_end(b, info);
	return b->failed ? -1 : 0;
}

/*
 * What is signed: the envelope, or, where there is none, the one zero byte
 * of NDES (RFC 8894 would leave it out; three clients need it present).
 */
static int
build_content(struct buffer *b, const struct scep_reply *reply,
    const struct scep_seal *seal, struct error *err)
{
	struct buffer bag = { 0 };
	int ret;

	if (reply->status != SCEP_SUCCESS) {
		buffer_add_byte(b, 0);
		return 0;
	}
	if (scep_degenerate(&bag, &reply->certificate, 1) == -1)
		ret = error_set(err, "out of memory");
	else
		ret = build_envelope(b, seal, buffer_span(&bag), err);
	buffer_free(&bag);
	return ret;
}

int
scep_reply_encode(struct blob *out, const struct scep_reply *reply,
    const struct scep_seal *seal, struct error *err)
{
	struct buffer b = { 0 }, content = { 0 };
	size_t info, explicit, data, set, encap, wrap;
	int ret = -1;

	*out = (struct blob){ NULL, 0 };
	if (build_content(&content, reply, seal, err) == -1)
		goto out;
	info = der_begin(&b, DER_SEQUENCE);
	der_add_oid(&b, oid_signed_data);
	explicit = der_begin(&b, DER_CONTEXT_CONSTRUCTED(0));
	data = der_begin(&b, DER_SEQUENCE);
	der_add_small_integer(&b, 1);
	set = der_begin(&b, DER_SET);
	add_algorithm(&b, digest_oid(seal->digest));
	der_end(&b, set);
	encap = der_begin(&b, DER_SEQUENCE);
	der_add_oid(&b, oid_data);
	wrap = der_begin(&b, DER_CONTEXT_CONSTRUCTED(0));
	der_add(&b, DER_OCTET_STRING, buffer_span(&content));
	der_end(&b, wrap);
	der_end(&b, encap);
	if (add_signer_info(&b, reply, seal, buffer_span(&content)) == -1) {
		error_set(err, "cannot sign the reply");
		goto out;
	}
	der_end(&b, data);
	der_end(&b, explicit);
	der_end(&b, info);
	ret = buffer_finish(&b, out);
out:
	buffer_free(&b);
	buffer_free(&content);
	return ret;
}

const char *
scep_type_name(int type)
{
	switch (type) {
	case SCEP_CERT_REP:
		return "CertRep";
	case SCEP_RENEWAL_REQ:
		return "RenewalReq";
	case SCEP_PKCS_REQ:
		return "PKCSReq";
	case SCEP_CERT_POLL:
		return "CertPoll";
	case SCEP_GET_CERT:
		return "GetCert";
	case SCEP_GET_CRL:
		return "GetCRL";
	}
	return "unknown";
}

const char *
scep_fail_info_name(int fail_info)
{
	static const char *const names[] = { "badAlg", "badMessageCheck",
		"badRequest", "badTime", "badCertId" };

	return fail_info >= 0 && fail_info <= SCEP_BAD_CERT_ID ?
	    names[fail_info] :
	    "unknown";
}
