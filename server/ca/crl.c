/* The list of what the CA has revoked (RFC 5280 5). */
#include "ca/signed.h"

#include "base/der.h"

const char *
ca_reason_name(int reason)
{
	/* 7 is not used, 8 is for delta CRLs. */
	static const char *const names[] = { "unspecified", "keyCompromise",
		"cACompromise", "affiliationChanged", "superseded",
		"cessationOfOperation", "certificateHold", NULL, NULL,
		"privilegeWithdrawn", "aACompromise" };
	int count = (int)(sizeof(names) / sizeof(names[0]));

	return reason >= 0 && reason < count ? names[reason] : NULL;
}

static void
add_revocation(struct buffer *b, const struct ca_revocation *r)
{
	uint8_t reason = (uint8_t)r->reason;
	size_t entry = der_begin(b, DER_SEQUENCE), list;
	struct extension ext;

	der_add_unsigned(b, r->serial);
	der_add_time(b, r->at);
	/* 5.3.1: rather no extension than "unspecified". */
	if (r->reason != CA_REASON_UNSPECIFIED) {
		list = der_begin(b, DER_SEQUENCE);
		ext = extension_begin(b, oid_ext_crl_reason, false);
		der_add(b, DER_ENUMERATED, span_of(&reason, 1));
		extension_end(b, ext);
		der_end(b, list);
	}
	der_end(b, entry);
}

static void
add_extensions(struct buffer *b, struct span key_id, uint32_t number)
{
	size_t outer = der_begin(b, DER_CONTEXT_CONSTRUCTED(0));
	size_t list = der_begin(b, DER_SEQUENCE);
	struct extension ext;

	extension_add_authority(b, key_id);
	ext = extension_begin(b, oid_ext_crl_number, false);
	der_add_small_integer(b, number);
	extension_end(b, ext);
	der_end(b, list);
	der_end(b, outer);
}

int
ca_crl(const struct credentials *cred, const struct ca_revocation *list,
    size_t count, uint32_t number, int64_t now, int64_t lifetime,
    struct blob *out, struct error *err)
{
	const struct x509 *issuer = &cred->certs[CA_ISSUING];
	struct evp_pkey_st *signer = cred->keys[CA_ISSUING];
	const struct ca_signature usual = { 0 };
	struct buffer tbs = { 0 };
	size_t seq, revoked;
	int ret;

	*out = (struct blob){ NULL, 0 };
	for (size_t i = 0; i < count; i++)
		if (ca_reason_name(list[i].reason) == NULL)
			return error_set(err,
			    "RFC 5280 5.3.1: %d is no reason on a CRL",
			    list[i].reason);
	seq = der_begin(&tbs, DER_SEQUENCE);
	der_add_small_integer(&tbs, 1);
	signed_add_algorithm(&tbs, signer, &usual);
	buffer_add_span(&tbs, issuer->subject);
	der_add_time(&tbs, now - BACK_DATE);
	der_add_time(&tbs, now + lifetime);
	/* 5.1.2.6: without entries there is no list. */
	if (count > 0) {
		revoked = der_begin(&tbs, DER_SEQUENCE);
		for (size_t i = 0; i < count; i++)
			add_revocation(&tbs, &list[i]);
		der_end(&tbs, revoked);
	}
	add_extensions(&tbs, issuer->key_id, number);
	der_end(&tbs, seq);
	ret = signed_build(cred->crypto, &tbs, signer, &usual, out);
	buffer_free(&tbs);
	return ret == 0 ? 0 : error_set(err, "cannot build a CRL");
}
