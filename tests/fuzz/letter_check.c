#include <string.h>

#include "base/der.h"
#include "fuzz/letter.h"

void
letter_check(const struct letter *l, const struct authority *a,
    const struct client *client, const struct scep_request *r,
    enum scep_flaw flaw)
{
	struct span attributes = l->parts[PART_ATTRIBUTES];
	struct buffer request = { 0 };
	struct blob der;

	/* These can break the message around them, or name another signer. */
	if (l->parts[PART_CERTIFICATES].len > 0 ||
	    (attributes.len > 0 &&
		memmem(attributes.data, attributes.len, oid_message_digest.data,
		    oid_message_digest.len) != NULL))
		return;
	REQUIRE(flaw != SCEP_BAD_SIGNATURE);
	if (flaw == SCEP_NOT_CMS || flaw == SCEP_NO_INFO ||
	    l->flags & LETTER_ENVELOPE)
		return;
	letter_add_request(l, a, client, &request);
	if (der_from_ber(buffer_span(&request), &der) == 0) {
		REQUIRE(flaw == SCEP_SOUND || flaw == SCEP_BAD_CSR ||
		    flaw == SCEP_BAD_PROOF);
		REQUIRE(span_equal(blob_span(&der), blob_span(&r->plain)));
		REQUIRE(r->digest == l->digest && r->cipher == l->cipher);
		blob_free(&der);
	} else {
		REQUIRE(flaw == SCEP_BAD_CSR);
	}
	buffer_free(&request);
}
