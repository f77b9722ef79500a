#include <string.h>

#include "base/der.h"
#include "fuzz/letter.h"

/* What was in the envelope, once it has been opened. */
static void
check_content(struct span request, const struct scep_request *r,
    enum scep_flaw flaw)
{
	bool is_csr = r->type == SCEP_PKCS_REQ || r->type == SCEP_RENEWAL_REQ;
	bool is_query = r->type == SCEP_CERT_POLL || r->type == SCEP_GET_CERT ||
	    r->type == SCEP_GET_CRL;
	struct blob der;

	if (!is_csr && !is_query) {
		REQUIRE(flaw == SCEP_SOUND);
		REQUIRE(span_equal(request, blob_span(&r->plain)));
		return;
	}
	if (der_from_ber(request, &der) == -1) {
		REQUIRE(flaw == (is_csr ? SCEP_BAD_CSR : SCEP_BAD_QUERY));
		return;
	}
	REQUIRE(flaw == SCEP_SOUND ||
	    (is_query ? flaw == SCEP_BAD_QUERY :
			flaw == SCEP_BAD_CSR || flaw == SCEP_BAD_PROOF));
	REQUIRE(span_equal(blob_span(&der), blob_span(&r->plain)));
	blob_free(&der);
}

void
letter_check(const struct letter *l, const struct authority *a,
    const struct client *client, const struct scep_request *r,
    enum scep_flaw flaw)
{
	struct span attributes = l->parts[PART_ATTRIBUTES];
	struct buffer request = { 0 };

	/* These can break the message around them, or name another signer. */
	if (l->parts[PART_CERTIFICATES].len > 0 ||
	    (attributes.len > 0 &&
		memmem(attributes.data, attributes.len, oid_message_digest.data,
		    oid_message_digest.len) != NULL))
		return;
	REQUIRE(flaw != SCEP_BAD_SIGNATURE);
	/* And these the envelope. */
	if (flaw == SCEP_NOT_CMS || flaw == SCEP_NO_INFO ||
	    l->flags & LETTER_ENVELOPE || l->parts[PART_OAEP].len > 0 ||
	    l->parts[PART_RECIPIENTS].len > 0)
		return;
	REQUIRE(r->digest == l->digest && r->cipher == l->cipher);
	REQUIRE(r->transport ==
	    (l->flags & LETTER_OAEP ? TRANSPORT_OAEP : TRANSPORT_PKCS1));
	letter_add_request(l, a, client, &request);
	check_content(buffer_span(&request), r, flaw);
	buffer_free(&request);
}
