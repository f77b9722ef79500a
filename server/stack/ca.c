/* The policy of the CA (ndes-facts 3.5, 9.2): it has the last word. */
#include "stack/stack.h"

#include "base/der.h"

enum refusal
ca_judge(const struct stack_state *state, const struct scep_csr *csr)
{
	static const uint8_t empty[] = { DER_SEQUENCE, 0 };

	if (x509_key_is(csr->spki, oid_rsa_encryption) &&
	    csr->key_bits < state->ca.minimum_key_size)
		return REFUSAL_KEY_SIZE;
	/* That a name is needed if there is no SAN is assumed. */
	if ((int64_t)csr->subject.len > state->ca.subject_max ||
	    (ca_alt_name(csr->extensions).len == 0 &&
		span_equal(csr->subject, span_of(empty, sizeof(empty)))))
		return REFUSAL_SUBJECT;
	return REFUSAL_NONE;
}
