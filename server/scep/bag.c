/* What a server says of itself: capabilities, certificates, the next CA. */
#include "scep/cms.h"

#include "base/der.h"

static int
add_bag(struct buffer *b, int tag, const struct span *parts, size_t count)
{
	struct cms_frame frame = cms_begin(b, oid_signed_data);
	size_t field;

	der_add_small_integer(b, 1);
	der_add(b, DER_SET, SPAN_EMPTY);
	field = der_begin(b, DER_SEQUENCE);
	der_add_oid(b, oid_data);
	der_end(b, field);
	field = der_begin(b, tag);
	for (size_t i = 0; i < count; i++)
		buffer_add_span(b, parts[i]);
	der_end(b, field);
	der_add(b, DER_SET, SPAN_EMPTY);
	cms_end(b, frame);
	return b->failed ? -1 : 0;
}

int
scep_degenerate(struct buffer *b, const struct span *certs, size_t count)
{
	return add_bag(b, DER_CONTEXT_CONSTRUCTED(0), certs, count);
}

int
scep_degenerate_crl(struct buffer *b, struct span crl)
{
	return add_bag(b, DER_CONTEXT_CONSTRUCTED(1), &crl, 1);
}

int
scep_next_ca_encode(struct blob *out, struct crypto *c,
    struct evp_pkey_st *ca_key, const struct x509 *ca, enum digest digest,
    const struct span *certs, size_t count, struct error *err)
{
	const struct cms_signer signer = { c, ca_key, ca, digest };
	struct scep_signed how = { .count = 0 };
	struct buffer b = { 0 }, bag = { 0 };
	struct span content;
	int ret = -1;

	*out = (struct blob){ NULL, 0 };
	if (scep_degenerate(&bag, certs, count) == -1) {
		error_set(err, "out of memory");
	} else {
		content = buffer_span(&bag);
		cms_list_content(&how);
		ret = cms_add_signed(&b, &signer, &content, &how, err);
	}
	if (ret == 0)
		ret = buffer_finish(&b, out);
	buffer_free(&b);
	buffer_free(&bag);
	return ret;
}

int
scep_caps_encode(struct blob *out, const struct scep_caps *caps)
{
	struct buffer b = { 0 };

	buffer_add_span(&b, caps->prefix);
	for (size_t i = 0; i < caps->count; i++) {
		if (i > 0)
			buffer_add_text(&b, caps->separator);
		buffer_add_span(&b, caps->words[i]);
	}
	if (caps->final_separator && caps->count > 0)
		buffer_add_text(&b, caps->separator);
	return buffer_finish(&b, out);
}
