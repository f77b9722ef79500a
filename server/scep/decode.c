/*
 * From the bytes of a client to a struct scep_request: SignedData, its
 * attributes and signature, and what was in the envelope.
 */
#include "scep/findings.h"

#include <stdlib.h>
#include <string.h>

#define TRANSACTION_ID_MAX 1024 /* longest seen: 78 characters */

static int
read_signer_info(struct span infos, struct signed_parts *out)
{
	struct span info, *digest = &out->digest_parameters;
	struct span *signature = &out->signature_parameters;

	if (der_expect(&infos, DER_SEQUENCE, &info) == -1 ||
	    der_expect(&info, DER_INTEGER, &out->info_version) == -1 ||
	    cms_read_identifier(&info, &out->sid_issuer, &out->sid_serial,
		&out->sid_key_id) == -1 ||
	    der_expect(&info, DER_SEQUENCE, digest) == -1 ||
	    der_expect(digest, DER_OID, &out->digest_oid) == -1)
		return -1;
	der_optional(&info, DER_CONTEXT_CONSTRUCTED(0), &out->attributes);
	if (der_expect(&info, DER_SEQUENCE, signature) == -1 ||
	    der_expect(signature, DER_OID, &out->signature_oid) == -1)
		return -1;
	out->more_signers = infos;
	return der_expect(&info, DER_OCTET_STRING, &out->signature);
}

static int
read_signed_data(struct span in, struct signed_parts *out)
{
	struct span encap, signers;
	struct der content, field;

	*out = (struct signed_parts){ 0 };
	if (cms_open(in, oid_signed_data, &in) == -1 ||
	    der_expect(&in, DER_INTEGER, &out->version) == -1 ||
	    der_expect(&in, DER_SET, &out->digests) == -1 ||
	    der_expect(&in, DER_SEQUENCE, &encap) == -1 ||
	    der_expect(&encap, DER_OID, &out->content_type) == -1)
		return -1;
	if (der_optional(&encap, DER_CONTEXT_CONSTRUCTED(0), &content) &&
	    der_expect(&content.content, DER_OCTET_STRING, &out->content) == -1)
		return -1;
	if (der_optional(&in, DER_CONTEXT_CONSTRUCTED(0), &field))
		out->certificates = field.content;
	der_optional(&in, DER_CONTEXT_CONSTRUCTED(1), &field);
	if (der_expect(&in, DER_SET, &signers) == -1)
		return -1;
	return read_signer_info(signers, out);
}

static int
number(struct span text)
{
	int value = 0;

	if (text.len == 0 || text.len > 3)
		return -1;
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return -1;
		value = value * 10 + text.data[i] - '0';
	}
	return value;
}

static void
read_attribute(struct span oid, const struct der *value,
    struct signed_parts *parts, struct scep_request *out)
{
	struct span text = cms_text(value);

	if (der_oid_is(oid, oid_scep_message_type)) {
		out->type = number(text);
	} else if (der_oid_is(oid, oid_scep_transaction_id)) {
		if (out->transaction_id == NULL && text.len > 0 &&
		    text.len <= TRANSACTION_ID_MAX &&
		    memchr(text.data, 0, text.len) == NULL)
			out->transaction_id = span_dup_text(text);
	} else if (der_oid_is(oid, oid_scep_sender_nonce)) {
		if (value->tag == DER_OCTET_STRING)
			out->sender_nonce = value->content;
	} else if (der_oid_is(oid, oid_message_digest)) {
		if (value->tag == DER_OCTET_STRING)
			parts->message_digest = value->content;
	}
}

static void
read_attributes(struct signed_parts *parts, struct scep_request *out)
{
	struct span rest = parts->attributes.content, attribute, oid, values;
	struct der value;

	while (der_expect(&rest, DER_SEQUENCE, &attribute) == 0)
		if (der_expect(&attribute, DER_OID, &oid) == 0 &&
		    der_expect(&attribute, DER_SET, &values) == 0 &&
		    der_next(&values, &value) == 0)
			read_attribute(oid, &value, parts, out);
}

static int
find_signer(const struct signed_parts *parts, struct x509 *out)
{
	struct span rest = parts->certificates;
	struct der cert;

	while (der_next(&rest, &cert) == 0)
		if (cert.tag == DER_SEQUENCE &&
		    x509_read(cert.whole, out) == 0 &&
		    cms_identifies(out, parts->sid_issuer, parts->sid_serial,
			parts->sid_key_id))
			return 0;
	*out = (struct x509){ 0 };
	return -1;
}

/* RFC 5652 5.4: the attributes are signed as a SET OF, not as [0]. */
static int
verify_attributes(struct crypto *c, const struct signed_parts *parts,
    struct evp_pkey_st *key, enum digest digest, bool sort)
{
	struct buffer set = { 0 };
	int ret;

	size_t begun = der_begin(&set, DER_SET);
	buffer_add_span(&set, parts->attributes.content);
	if (sort)
		der_sort_set(&set, begun);
	der_end(&set, begun);
	ret = set.failed ?
	    -1 :
	    crypto_verify(c, key, digest, buffer_span(&set), parts->signature);
	buffer_free(&set);
	return ret;
}

/* As sent, then as DER would order it: both are met (quirk 51). */
static int
verify(struct crypto *c, const struct signed_parts *parts,
    struct scep_request *out, struct error *err)
{
	if (verify_attributes(c, parts, out->signer_key, out->digest, false) ==
	    0) {
		if (!der_is_sorted(parts->attributes.content))
			findings_add(&out->found, FOUND_SIGNED_UNSORTED);
		return 0;
	}
	if (verify_attributes(c, parts, out->signer_key, out->digest, true) ==
	    0)
		return 0;
	findings_add(&out->found, FOUND_BAD_SIGNATURE);
	return error_set(err,
	    "RFC 5652 5.6: the signature does not verify "
	    "with the signer's certificate");
}

static enum scep_flaw
check_signature(struct crypto *c, const struct signed_parts *parts,
    struct scep_request *out, struct error *err)
{
	uint8_t digest[DIGEST_MAX_SIZE];

	out->digest = digest_by_oid(parts->digest_oid);
	if (out->digest == DIGEST_COUNT) {
		/* Some name the signature algorithm in its place. */
		out->digest = digest_by_signature_oid(parts->digest_oid);
		if (out->digest == DIGEST_COUNT) {
			error_set(err, "RFC 5652 5.3: unknown digest");
			return SCEP_UNKNOWN_ALGORITHM;
		}
	}
	if (crypto_key_from_spki(c, out->signer.spki, &out->signer_key, err) ==
	    -1)
		return SCEP_UNKNOWN_ALGORITHM;
	/* Under any other name it is tried as PKCS#1: clients name it oddly. */
	if (der_oid_is(parts->signature_oid, oid_rsa_pss)) {
		error_set(err, "RFC 5652 5.3: RSASSA-PSS is not supported");
		return SCEP_UNKNOWN_ALGORITHM;
	}
	if (crypto_digest(c, out->digest, parts->content, digest) == -1 ||
	    !span_equal(parts->message_digest,
		span_of(digest, digest_size(out->digest)))) {
		if (parts->message_digest.len > 0)
			findings_add(&out->found, FOUND_WRONG_MESSAGE_DIGEST);
		error_set(err,
		    "RFC 5652 11.2: messageDigest is not the %s "
		    "of the content",
		    digest_name(out->digest));
		return SCEP_BAD_SIGNATURE;
	}
	return verify(c, parts, out, err) == 0 ? SCEP_SOUND :
						 SCEP_BAD_SIGNATURE;
}

static enum scep_flaw
read_csr(struct crypto *c, struct scep_request *out, struct error *err)
{
	struct evp_pkey_st *key = NULL;
	enum scep_flaw flaw = SCEP_SOUND;
	bool same;

	if (scep_csr_read(blob_span(&out->plain), &out->csr, err) == -1)
		return SCEP_BAD_CSR;
	/* Nearly always the signer's own key, which is open already. */
	same = span_equal(out->csr.spki, out->signer.spki);
	if (!same && crypto_key_from_spki(c, out->csr.spki, &key, err) == -1)
		return SCEP_BAD_CSR;
	out->csr.key_bits = crypto_key_bits(same ? out->signer_key : key);
	if (scep_csr_verify(c, blob_span(&out->plain),
		same ? out->signer_key : key, err) == -1) {
		findings_add(&out->found, FOUND_CSR_SIGNATURE);
		flaw = SCEP_BAD_PROOF;
	}
	crypto_key_free(key);
	return flaw;
}

static enum scep_flaw
read_request(struct crypto *c, struct scep_request *out, struct span plain,
    struct error *err)
{
	struct cms_form form;
	struct span in;

	if (cms_to_der(plain, &out->plain, &form, &in) == -1) {
		findings_add(&out->found, FOUND_CONTENT_MISMATCH);
		error_set(err, "RFC 8894 3.3: the content is not ASN.1");
		return SCEP_BAD_CSR;
	}
	inspect_csr(out, &form, in);
	return read_csr(c, out, err);
}

static enum scep_flaw
read_query(struct scep_request *out, struct span plain, struct error *err)
{
	bool poll = out->type == SCEP_CERT_POLL;
	struct cms_form form;
	struct span in;

	if (cms_to_der(plain, &out->plain, &form, &in) == 0) {
		if (form.trailing)
			findings_add(&out->found, FOUND_CONTENT_TRAILING);
		if (poll ?
			query_read_subject(in, &out->issuer, &out->subject) ==
			    0 :
			query_read_serial(in, &out->issuer, &out->serial) == 0)
			return SCEP_SOUND;
	}
	findings_add(&out->found, FOUND_CONTENT_MISMATCH);
	error_set(err,
	    poll ? "RFC 8894 3.3.3: the content is not an IssuerAndSubject" :
		   "RFC 8894 3.3.4: the content is not an "
		   "IssuerAndSerialNumber");
	return SCEP_BAD_QUERY;
}

/* What stands in a message of another type is nobody's to judge (3.2.1.2). */
static enum scep_flaw
read_content(struct crypto *c, struct scep_request *out, struct span plain,
    struct error *err)
{
	switch (out->type) {
	case SCEP_PKCS_REQ:
	case SCEP_RENEWAL_REQ:
		return read_request(c, out, plain, err);
	case SCEP_CERT_POLL:
	case SCEP_GET_CERT:
	case SCEP_GET_CRL:
		return read_query(out, plain, err);
	}
	if (blob_copy(&out->plain, plain) == 0)
		return SCEP_SOUND;
	error_set(err, "out of memory");
	return SCEP_UNDECRYPTABLE;
}

static enum scep_flaw
decode(struct scep_request *out, struct span message,
    const struct scep_recipient *us, struct error *err)
{
	struct signed_parts parts;
	struct buffer plain = { 0 };
	struct cms_form form = { 0 };
	enum scep_flaw flaw;
	struct span in;
	bool signer;
	int ret;

	ret = cms_to_der(message, &out->outer, &form, &in);
	out->ber = form.ber;
	if (ret == -1 || read_signed_data(in, &parts) == -1) {
		error_set(err, "RFC 8894 3: not a SignedData");
		return SCEP_NOT_CMS;
	}
	read_attributes(&parts, out);
	signer = find_signer(&parts, &out->signer) == 0;
	inspect_outer(out, message, &form, &parts);
	if (out->type == -1 || out->transaction_id == NULL || !signer) {
		error_set(err, "RFC 8894 3.2.1: no %s",
		    out->type == -1 ? "messageType" :
			out->transaction_id == NULL ?
				      "transactionID" :
				      "certificate of the signer");
		return SCEP_NO_INFO;
	}
	if ((flaw = check_signature(us->crypto, &parts, out, err)) !=
	    SCEP_SOUND)
		return flaw;
	flaw = envelope_open(us, parts.content, out, &plain, err);
	if (flaw == SCEP_SOUND)
		flaw = read_content(us->crypto, out, buffer_span(&plain), err);
	buffer_free(&plain);
	return flaw;
}

enum scep_flaw
scep_request_decode(struct scep_request **out, struct span message,
    const struct scep_recipient *us, struct error *err)
{
	if ((*out = calloc(1, sizeof(**out))) == NULL) {
		error_set(err, "out of memory");
		return SCEP_NOT_CMS;
	}
	(*out)->type = -1;
	(*out)->digest = DIGEST_COUNT;
	(*out)->cipher = CIPHER_COUNT;
	(*out)->found.table = scep_findings(NULL);
	return decode(*out, message, us, err);
}

void
scep_request_free(struct scep_request *r)
{
	if (r == NULL)
		return;
	free(r->transaction_id);
	free(r->csr.challenge);
	crypto_key_free(r->signer_key);
	blob_free(&r->outer);
	blob_free(&r->envelope);
	blob_free(&r->sealed);
	blob_free(&r->plain);
	free(r);
}
