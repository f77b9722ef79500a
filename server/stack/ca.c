/* The CA (ndes-facts 3.5, 9.1, 9.2): it has the last word. */
#include "stack/stack.h"

#include "base/der.h"

enum refusal
ca_reach(const struct stack_state *state, struct error *why)
{
	if (state->ca.online)
		return REFUSAL_NONE;
	error_set(why, "ca.online: the CA's service does not run");
	return REFUSAL_CA_OFFLINE;
}

static enum refusal
judge_request(const struct stack_state *state, struct error *why)
{
	if (!state->ca.grants_request) {
		error_set(why,
		    "ca.grants_request: NDES may not request certificates");
		return REFUSAL_CA_ACCESS;
	}
	if (state->ca.crl == UNREACHABLE) {
		error_set(why, "ca.crl: the CA's own CRL cannot be got");
		return REFUSAL_CA_REVOCATION;
	}
	if (state->ca.template_published &&
	    state->mscep.templates == TEMPLATES_RIGHT)
		return REFUSAL_NONE;
	error_set(why,
	    state->ca.template_published ?
		"mscep.templates: the CA knows no template of this name" :
		"ca.template_published: the CA does not issue by the template");
	return REFUSAL_TEMPLATE;
}

enum refusal
ca_judge(const struct stack_state *state, const struct scep_csr *csr,
    struct error *why)
{
	static const uint8_t empty[] = { DER_SEQUENCE, 0 };
	enum refusal refusal = ca_reach(state, why);

	if (refusal == REFUSAL_NONE)
		refusal = judge_request(state, why);
	if (refusal != REFUSAL_NONE)
		return refusal;
	if (x509_key_is(csr->spki, oid_rsa_encryption) &&
	    csr->key_bits < state->ca.minimum_key_size) {
		error_set(why, "ca.minimum_key_size: %d bits", csr->key_bits);
		return REFUSAL_KEY_SIZE;
	}
	/* That a name is needed if there is no SAN is assumed. */
	if ((int64_t)csr->subject.len > state->ca.subject_max ||
	    (ca_alt_name(csr->extensions).len == 0 &&
		span_equal(csr->subject, span_of(empty, sizeof(empty)))))
		return REFUSAL_SUBJECT;
	return REFUSAL_NONE;
}
