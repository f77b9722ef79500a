/* The policy of the CA (ndes-facts 3.5, 9.2): it has the last word. */
#include "stack/stack.h"

#include "base/der.h"

bool
ca_key_is_rsa(struct span spki)
{
	struct span seq, algorithm, oid;

	return der_expect(&spki, DER_SEQUENCE, &seq) == 0 &&
	    der_expect(&seq, DER_SEQUENCE, &algorithm) == 0 &&
	    der_expect(&algorithm, DER_OID, &oid) == 0 &&
	    der_oid_is(oid, oid_rsa_encryption);
}

enum refusal
ca_judge(const struct stack_state *state, const struct scep_csr *csr)
{
	static const uint8_t empty[] = { DER_SEQUENCE, 0 };

	if (ca_key_is_rsa(csr->spki) &&
	    csr->key_bits < state->ca.minimum_key_size)
		return REFUSAL_KEY_SIZE;
	/* That a name is needed if there is no SAN is assumed. */
	if ((int64_t)csr->subject.len > state->ca.subject_max ||
	    (ca_alt_name(csr->extensions).len == 0 &&
		span_equal(csr->subject, span_of(empty, sizeof(empty)))))
		return REFUSAL_SUBJECT;
	return REFUSAL_NONE;
}
