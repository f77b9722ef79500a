/* EnvelopedData that somebody has sent us. */
#include "scep/findings.h"

/* That of them which is for us, RFC 5652 6.2.1. */
struct wrapped {
	struct span transport, parameters;
	struct span key;
};

/* encryptedContent, [0] IMPLICIT: one piece, or BER's several. */
static int
read_sealed(struct span *info, struct scep_request *out, struct span *sealed)
{
	struct buffer joined = { 0 };
	struct span segment;
	struct der field;

	if (der_next(info, &field) == -1)
		return -1;
	*sealed = field.content;
	if (field.tag == DER_CONTEXT(0))
		return 0;
	if (field.tag != DER_CONTEXT_CONSTRUCTED(0))
		return -1;
	while (der_expect(&field.content, DER_OCTET_STRING, &segment) == 0)
		buffer_add_span(&joined, segment);
	if (buffer_finish(&joined, &out->sealed) == -1 || field.content.len > 0)
		return -1;
	*sealed = blob_span(&out->sealed);
	return 0;
}

static int
read_envelope(struct span in, struct scep_request *out, struct envelope *e)
{
	struct cms_form form = { 0 };
	struct der originator;
	struct span info;
	int ret;

	ret = cms_to_der(in, &out->envelope, &form, &in);
	out->ber |= form.ber;
	if (ret == -1 || cms_open(in, oid_enveloped_data, &in) == -1) {
		findings_add(&out->found, FOUND_NO_ENVELOPE);
		return -1;
	}
	if (der_expect(&in, DER_INTEGER, &e->version) == -1)
		return -1;
	e->originator = der_optional(&in, DER_CONTEXT_CONSTRUCTED(0),
	    &originator);
	if (der_expect(&in, DER_SET, &e->recipients) == -1 ||
	    der_expect(&in, DER_SEQUENCE, &info) == -1 ||
	    der_expect(&info, DER_OID, &e->type) == -1 ||
	    der_expect(&info, DER_SEQUENCE, &e->parameters) == -1 ||
	    der_expect(&e->parameters, DER_OID, &e->cipher) == -1)
		return -1;
	e->rest = in;
	out->recipients = e->recipients;
	inspect_envelope(&out->found, &form, e);
	return read_sealed(&info, out, &e->sealed);
}

static bool
is_ours(const struct scep_recipient *us, struct span issuer, struct span serial,
    struct span key_id)
{
	return cms_identifies(us->cert, issuer, serial, key_id) ||
	    (us->before != NULL &&
		cms_identifies(us->before, issuer, serial, key_id));
}

/* Other kinds than KeyTransRecipientInfo have other tags: not for us. */
static int
find_recipient(struct span infos, const struct scep_recipient *us,
    struct wrapped *out)
{
	struct span issuer, serial, key_id, version;
	struct der info;

	while (der_next(&infos, &info) == 0) {
		issuer = serial = key_id = SPAN_EMPTY;
		if (info.tag == DER_SEQUENCE &&
		    der_expect(&info.content, DER_INTEGER, &version) == 0 &&
		    cms_read_identifier(&info.content, &issuer, &serial,
			&key_id) == 0 &&
		    is_ours(us, issuer, serial, key_id) &&
		    der_expect(&info.content, DER_SEQUENCE, &out->parameters) ==
			0 &&
		    der_expect(&out->parameters, DER_OID, &out->transport) ==
			0 &&
		    der_expect(&info.content, DER_OCTET_STRING, &out->key) == 0)
			return 0;
	}
	return -1;
}

/* HashAlgorithm (RFC 4055 2.1): its parameters are NULL, or left out. */
static int
read_hash(struct span in, enum digest *out, struct error *err)
{
	struct span algorithm, oid;

	if (der_expect(&in, DER_SEQUENCE, &algorithm) == -1 ||
	    der_expect(&algorithm, DER_OID, &oid) == -1)
		return -1;
	*out = digest_by_oid(oid);
	return *out != DIGEST_COUNT && *out != DIGEST_MD5 ?
	    0 :
	    error_set(err, "RFC 4055 2.1: unknown hash of RSAES-OAEP");
}

static int
read_mask(struct span in, enum digest *out, struct error *err)
{
	struct span algorithm, oid;

	if (der_expect(&in, DER_SEQUENCE, &algorithm) == -1 ||
	    der_expect(&algorithm, DER_OID, &oid) == -1 ||
	    !der_oid_is(oid, oid_mgf1))
		return -1;
	return read_hash(algorithm, out, err);
}

static int
read_label(struct span in, struct error *err)
{
	struct span source, oid, label;

	if (der_expect(&in, DER_SEQUENCE, &source) == -1 ||
	    der_expect(&source, DER_OID, &oid) == -1 ||
	    !der_oid_is(oid, oid_p_specified) ||
	    der_expect(&source, DER_OCTET_STRING, &label) == -1)
		return -1;
	return label.len == 0 ?
	    0 :
	    error_set(err, "RFC 4055 4.1: a label of RSAES-OAEP");
}

/* RSAES-OAEP-params (RFC 8017 A.2.1); left out, or NULL: the defaults. */
static int
read_oaep(struct span in, struct oaep *out, struct error *err)
{
	struct span params;
	struct der field;

	*out = (struct oaep){ DIGEST_SHA1, DIGEST_SHA1 };
	if (in.len == 0 || der_optional(&in, DER_NULL, &field))
		return 0;
	if (der_expect(&in, DER_SEQUENCE, &params) == 0 &&
	    (!der_optional(&params, DER_CONTEXT_CONSTRUCTED(0), &field) ||
		read_hash(field.content, &out->hash, err) == 0) &&
	    (!der_optional(&params, DER_CONTEXT_CONSTRUCTED(1), &field) ||
		read_mask(field.content, &out->mgf1, err) == 0) &&
	    (!der_optional(&params, DER_CONTEXT_CONSTRUCTED(2), &field) ||
		read_label(field.content, err) == 0) &&
	    params.len == 0)
		return 0;
	/* Unless something has been said: the first cause wins. */
	return error_set(err,
	    "RFC 8017 A.2.1: the parameters of RSAES-OAEP are broken");
}

static enum scep_flaw
unwrap(const struct scep_recipient *us, const struct wrapped *wrapped,
    struct scep_request *out, uint8_t key[CIPHER_MAX_KEY], struct error *err)
{
	struct oaep oaep;
	int size;

	if (der_oid_is(wrapped->transport, oid_rsa_oaep)) {
		out->transport = TRANSPORT_OAEP;
		if (read_oaep(wrapped->parameters, &oaep, err) == -1)
			return SCEP_UNKNOWN_ALGORITHM;
	} else if (!der_oid_is(wrapped->transport, oid_rsa_encryption)) {
		error_set(err, "RFC 5652 6.2.1: unknown key encryption");
		return SCEP_UNKNOWN_ALGORITHM;
	}
	size = crypto_unwrap(us->crypto, us->key,
	    out->transport == TRANSPORT_OAEP ? &oaep : NULL, wrapped->key, key,
	    CIPHER_MAX_KEY);
	if (size == (int)cipher_key_size(out->cipher))
		return SCEP_SOUND;
	error_set(err, "RFC 8894 3.1: the envelope does not decrypt");
	return SCEP_UNDECRYPTABLE;
}

static enum scep_flaw
decrypt(const struct scep_recipient *us, const struct envelope *e,
    struct span iv, struct scep_request *out, struct buffer *plain,
    struct error *err)
{
	uint8_t key[CIPHER_MAX_KEY];
	struct wrapped wrapped;
	enum scep_flaw flaw;

	if (find_recipient(e->recipients, us, &wrapped) == -1) {
		error_set(err,
		    "RFC 8894 3.1: no recipient is the RA's "
		    "encryption certificate");
		return SCEP_UNDECRYPTABLE;
	}
	if ((flaw = unwrap(us, &wrapped, out, key, err)) != SCEP_SOUND)
		return flaw;
	if (crypto_decrypt(us->crypto, out->cipher, key, iv.data, e->sealed,
		plain) == 0)
		return SCEP_SOUND;
	error_set(err, "RFC 8894 3.1: the envelope does not decrypt");
	return SCEP_UNDECRYPTABLE;
}

enum scep_flaw
envelope_open(const struct scep_recipient *us, struct span content,
    struct scep_request *out, struct buffer *plain, struct error *err)
{
	struct envelope e;
	struct span iv;

	if (read_envelope(content, out, &e) == -1)
		goto broken;
	if ((out->cipher = cipher_by_oid(e.cipher)) == CIPHER_COUNT) {
		error_set(err, "RFC 5652 6.1: unknown content encryption");
		return SCEP_UNKNOWN_ALGORITHM;
	}
	if (der_expect(&e.parameters, DER_OCTET_STRING, &iv) == -1 ||
	    iv.len != cipher_block_size(out->cipher))
		goto broken;
	return decrypt(us, &e, iv, out, plain, err);
broken:
	error_set(err, "RFC 8894 3.1: the content is not an EnvelopedData");
	return SCEP_UNDECRYPTABLE;
}
