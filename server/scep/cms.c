#include "scep/cms.h"

int
cms_to_der(struct span in, struct blob *store, struct cms_form *form,
    struct span *out)
{
	struct span rest = in;

	if (der_next_ber(&rest, store) == -1)
		return -1;
	*out = blob_span(store);
	form->ber = !span_equal(span_of(in.data, in.len - rest.len), *out);
	form->trailing = rest.len > 0;
	return 0;
}

struct span
cms_text(const struct der *value)
{
	switch (value->tag) {
	case DER_PRINTABLE_STRING:
	case DER_UTF8_STRING:
	case DER_IA5_STRING:
	case DER_T61_STRING:
		return value->content;
	}
	return SPAN_EMPTY;
}

int
cms_open(struct span in, struct span type, struct span *content)
{
	struct span info, oid;

	if (der_expect(&in, DER_SEQUENCE, &info) == -1 ||
	    der_expect(&info, DER_OID, &oid) == -1 || !der_oid_is(oid, type) ||
	    der_expect(&info, DER_CONTEXT_CONSTRUCTED(0), &info) == -1)
		return -1;
	return der_expect(&info, DER_SEQUENCE, content);
}

int
cms_read_identifier(struct span *rest, struct span *issuer, struct span *serial,
    struct span *key_id)
{
	struct der id, name;

	if (der_next(rest, &id) == -1)
		return -1;
	if (id.tag == DER_CONTEXT(0)) {
		*key_id = id.content;
		return 0;
	}
	if (id.tag != DER_SEQUENCE || der_next(&id.content, &name) == -1)
		return -1;
	*issuer = name.whole;
	return der_expect(&id.content, DER_INTEGER, serial);
}

bool
cms_identifies(const struct x509 *cert, struct span issuer, struct span serial,
    struct span key_id)
{
	if (key_id.len > 0)
		return span_equal(cert->key_id, key_id);
	return span_equal(cert->issuer, issuer) &&
	    span_equal(cert->serial, serial);
}

struct cms_frame
cms_begin(struct buffer *b, struct span type)
{
	struct cms_frame f;

	f.info = der_begin(b, DER_SEQUENCE);
	der_add_oid(b, type);
	f.explicit = der_begin(b, DER_CONTEXT_CONSTRUCTED(0));
	f.data = der_begin(b, DER_SEQUENCE);
	return f;
}

void
cms_end(struct buffer *b, struct cms_frame f)
{
	der_end(b, f.data);
	der_end(b, f.explicit);
	der_end(b, f.info);
}

void
cms_add_algorithm(struct buffer *b, struct span oid)
{
	size_t seq = der_begin(b, DER_SEQUENCE);

	der_add_oid(b, oid);
	der_add_null(b);
	der_end(b, seq);
}

void
cms_add_identifier(struct buffer *b, const struct x509 *cert)
{
	size_t seq = der_begin(b, DER_SEQUENCE);

	buffer_add_span(b, cert->issuer);
	der_add(b, DER_INTEGER, cert->serial);
	der_end(b, seq);
}

void
cms_list_content(struct scep_signed *how)
{
	how->attributes[how->count++] = (struct scep_attribute){
		oid_content_type, DER_OID, oid_data, 1
	};
	how->attributes[how->count++] = (struct scep_attribute){
		oid_message_digest, DER_OCTET_STRING, SPAN_EMPTY, 1
	};
}

static void
add_attribute(struct buffer *b, const struct scep_attribute *a,
    struct span digest)
{
	bool own = a->value.len == 0 && span_equal(a->oid, oid_message_digest);
	size_t seq = der_begin(b, DER_SEQUENCE), set;

	der_add_oid(b, a->oid);
	set = der_begin(b, DER_SET);
	for (unsigned i = 0; i < a->values; i++)
		der_add(b, a->tag, own ? digest : a->value);
	der_end(b, set);
	der_end(b, seq);
}

static void
reverse(struct buffer *b)
{
	struct der items[SCEP_ATTRIBUTES_MAX];
	struct span rest = buffer_span(b);
	struct buffer out = { 0 };
	size_t count = 0;

	while (
	    count < SCEP_ATTRIBUTES_MAX && der_next(&rest, &items[count]) == 0)
		count++;
	while (count-- > 0)
		buffer_add_span(&out, items[count].whole);
	out.failed |= b->failed;
	buffer_free(b);
	*b = out;
}

/* Content of the signedAttrs. */
static int
build_attributes(struct buffer *b, const struct cms_signer *signer,
    struct span content, const struct scep_signed *how)
{
	uint8_t digest[DIGEST_MAX_SIZE];

	if (crypto_digest(signer->crypto, signer->digest, content, digest) ==
	    -1)
		return -1;
	digest[0] ^= how->wrong_digest;
	for (size_t i = 0; i < how->count; i++)
		add_attribute(b, &how->attributes[i],
		    span_of(digest, digest_size(signer->digest)));
	if (how->order != SCEP_ORDER_LISTED)
		der_sort_set(b, 0);
	if (how->order == SCEP_ORDER_REVERSED)
		reverse(b);
	return b->failed ? -1 : 0;
}

static void
add_signature_algorithm(struct buffer *b, const struct cms_signer *signer,
    bool names_digest)
{
	if (crypto_key_is_rsa(signer->key) && !names_digest)
		cms_add_algorithm(b, oid_rsa_encryption);
	else
		crypto_add_signature_algorithm(b, signer->key, signer->digest);
}

/*
 * The attributes are signed as SET OF and sent as [0] (5.4). The algorithm of
 * an RSA key is named rsaEncryption, as NDES does (quirks.md 1).
 */
static int
add_signer_info(struct buffer *b, const struct cms_signer *signer,
    struct span attributes, const struct scep_signed *how)
{
	struct buffer set = { 0 }, signature = { 0 };
	size_t info = der_begin(b, DER_SEQUENCE);
	int ret;

	der_add(&set, DER_SET, attributes);
	ret = set.failed ? -1 :
			   crypto_sign(signer->crypto, signer->key,
			       signer->digest, buffer_span(&set), &signature);
	if (ret == 0)
		signature.data[signature.len - 1] ^= how->wrong_signature;
	der_add_small_integer(b, 1);
	cms_add_identifier(b, signer->cert);
	cms_add_algorithm(b, digest_oid(signer->digest));
	der_add(b, DER_CONTEXT_CONSTRUCTED(0), attributes);
	add_signature_algorithm(b, signer, how->names_digest);
	der_add(b, DER_OCTET_STRING, buffer_span(&signature));
	der_end(b, info);
	buffer_free(&set);
	buffer_free(&signature);
	return ret;
}

static void
add_content(struct buffer *b, const struct span *content)
{
	size_t encap = der_begin(b, DER_SEQUENCE), explicit;

	der_add_oid(b, oid_data);
	if (content != NULL) {
		explicit = der_begin(b, DER_CONTEXT_CONSTRUCTED(0));
		der_add(b, DER_OCTET_STRING, *content);
		der_end(b, explicit);
	}
	der_end(b, encap);
}

int
cms_add_signed(struct buffer *b, const struct cms_signer *signer,
    const struct span *content, const struct scep_signed *how,
    struct error *err)
{
	struct buffer attributes = { 0 };
	struct cms_frame frame = cms_begin(b, oid_signed_data);
	size_t set;
	int ret;

	der_add_small_integer(b, 1);
	set = der_begin(b, DER_SET);
	cms_add_algorithm(b, digest_oid(signer->digest));
	der_end(b, set);
	add_content(b, content);
	if (how->certificates.len > 0)
		der_add(b, DER_CONTEXT_CONSTRUCTED(0), how->certificates);
	set = der_begin(b, DER_SET);
	ret = build_attributes(&attributes, signer,
	    content == NULL ? SPAN_EMPTY : *content, how);
	if (ret == 0)
		ret = add_signer_info(b, signer, buffer_span(&attributes), how);
	der_end(b, set);
	cms_end(b, frame);
	buffer_free(&attributes);
	return ret == 0 && !b->failed ? 0 : error_set(err, "cannot sign");
}
