#include "ca/signed.h"

#include <string.h>

#include "base/der.h"

static enum digest
digest_of(const struct evp_pkey_st *signer, const struct ca_signature *how)
{
	if (how->other)
		return how->digest;
	return !crypto_key_is_rsa(signer) && crypto_key_bits(signer) == 384 ?
	    DIGEST_SHA384 :
	    DIGEST_SHA256;
}

void
signed_add_algorithm(struct buffer *b, const struct evp_pkey_st *signer,
    const struct ca_signature *how)
{
	enum digest digest = digest_of(signer, how);

	if (how->other && how->pss)
		crypto_add_pss_algorithm(b, signer, digest);
	else
		crypto_add_signature_algorithm(b, signer, digest);
}

static int
sign(struct crypto *c, struct evp_pkey_st *signer,
    const struct ca_signature *how, struct span data, struct buffer *out)
{
	enum digest digest = digest_of(signer, how);

	return (how->other && how->pss ? crypto_sign_pss : crypto_sign)(c,
	    signer, digest, data, out);
}

int
signed_build(struct crypto *c, const struct buffer *tbs,
    struct evp_pkey_st *signer, const struct ca_signature *how,
    struct blob *out)
{
	struct buffer b = { 0 }, signature = { 0 };
	size_t seq;
	int ret = -1;

	*out = (struct blob){ NULL, 0 };
	if (tbs->failed ||
	    sign(c, signer, how, buffer_span(tbs), &signature) == -1)
		goto out;
	seq = der_begin(&b, DER_SEQUENCE);
	buffer_add_span(&b, buffer_span(tbs));
	signed_add_algorithm(&b, signer, how);
	der_add_bit_string(&b, buffer_span(&signature));
	der_end(&b, seq);
	ret = buffer_finish(&b, out);
out:
	buffer_free(&b);
	buffer_free(&signature);
	return ret;
}

/* X.680 41.4; what is not in it is said in UTF-8 (RFC 5280 4.1.2.4). */
static bool
is_printable_string(const char *text)
{
	for (; *text != '\0'; text++)
		if ((*text < '0' || *text > '9') &&
		    (*text < 'A' || *text > 'Z') &&
		    (*text < 'a' || *text > 'z') &&
		    strchr(" '()+,-./:=?", *text) == NULL)
			return false;
	return true;
}

void
signed_add_name_part(struct buffer *b, struct span oid, const char *text)
{
	size_t set, seq;

	if (text == NULL)
		return;
	set = der_begin(b, DER_SET);
	seq = der_begin(b, DER_SEQUENCE);
	der_add_oid(b, oid);
	der_add(b,
	    is_printable_string(text) ? DER_PRINTABLE_STRING : DER_UTF8_STRING,
	    span_text(text));
	der_end(b, seq);
	der_end(b, set);
}

struct extension
extension_begin(struct buffer *b, struct span oid, bool critical)
{
	struct extension ext = { .whole = der_begin(b, DER_SEQUENCE) };

	der_add_oid(b, oid);
	if (critical)
		der_add(b, DER_BOOLEAN, span_of("\xff", 1));
	ext.value = der_begin(b, DER_OCTET_STRING);
	return ext;
}

void
extension_end(struct buffer *b, struct extension ext)
{
	der_end(b, ext.value);
	der_end(b, ext.whole);
}

void
extension_add_authority(struct buffer *b, struct span key_id)
{
	struct extension ext;
	size_t seq;

	if (key_id.len == 0)
		return;
	ext = extension_begin(b, oid_ext_authority_key_id, false);
	seq = der_begin(b, DER_SEQUENCE);
	der_add(b, DER_CONTEXT(0), key_id);
	der_end(b, seq);
	extension_end(b, ext);
}
