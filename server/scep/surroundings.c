/* A message held against what it does not tell itself. */
#include "scep/findings.h"

#define SIGNING_TIME_FAR 300 /* seconds; what servers allow is not known */
#define SERIAL_MAX 20	     /* octets, RFC 5280 4.1.2.2 */

/* Which of ours somebody else takes for the recipient. */
struct recipient {
	struct span issuer, serial, key_id;
};

static bool
is_meant(const struct x509 *ours, const struct recipient *r)
{
	return ours != NULL &&
	    cms_identifies(ours, r->issuer, r->serial, r->key_id);
}

/* quirk 61: the serial number and the words are right, the bytes are not. */
static bool
is_misspelt(const struct x509 *ours, const struct recipient *r)
{
	return ours != NULL && r->serial.len > 0 &&
	    span_equal(ours->serial, r->serial) &&
	    !span_equal(ours->issuer, r->issuer) &&
	    name_means_same(ours->issuer, r->issuer);
}

static enum scep_finding
judge_recipient(const struct scep_surroundings *s, const struct recipient *r)
{
	if (is_meant(s->encryption, r))
		return FOUND_NOTHING;
	if (is_meant(s->signing, r))
		return FOUND_RECIPIENT_SIGNING_RA;
	if (is_meant(s->ca, r))
		return FOUND_RECIPIENT_CA;
	if (is_misspelt(s->encryption, r) || is_misspelt(s->signing, r) ||
	    is_misspelt(s->ca, r))
		return FOUND_RECIPIENT_FORM;
	return FOUND_RECIPIENT_UNKNOWN;
}

/* Where ours is among several, the others do no harm. */
static void
inspect_recipients(struct scep_request *r, const struct scep_surroundings *s)
{
	struct span rest = r->recipients, version;
	struct findings others = { 0 };
	struct recipient recipient;
	enum scep_finding what;
	struct der info;
	bool known = false;

	if (s->encryption == NULL || rest.len == 0)
		return;
	while (der_next(&rest, &info) == 0) {
		recipient = (struct recipient){ 0 };
		if (info.tag != DER_SEQUENCE ||
		    der_expect(&info.content, DER_INTEGER, &version) == -1 ||
		    cms_read_identifier(&info.content, &recipient.issuer,
			&recipient.serial, &recipient.key_id) == -1)
			continue;
		if ((what = judge_recipient(s, &recipient)) == FOUND_NOTHING)
			return;
		known |= what != FOUND_RECIPIENT_UNKNOWN;
		findings_add(&others, what);
	}
	for (what = FOUND_RECIPIENT_FORM; what < FOUND_RECIPIENT_UNKNOWN;
	     what++)
		if (findings_has(&others, what))
			findings_add(&r->found, what);
	if (!known)
		findings_add(&r->found, FOUND_RECIPIENT_UNKNOWN);
}

/* RFC 5280 4.1.2.5: the content of a Validity. */
static bool
writes_time_late(const struct x509 *cert)
{
	struct span rest = cert->validity;
	struct der before, after;

	return der_next(&rest, &before) == 0 && der_next(&rest, &after) == 0 &&
	    ((before.tag == DER_GENERALIZED_TIME &&
		 cert->not_before < FINDING_2050) ||
		(after.tag == DER_GENERALIZED_TIME &&
		    cert->not_after < FINDING_2050));
}

static bool
serial_is_bad(struct span serial)
{
	size_t zeros = 0;

	while (zeros < serial.len && serial.data[zeros] == 0)
		zeros++;
	return zeros == serial.len || (serial.data[0] & 0x80) ||
	    serial.len > SERIAL_MAX;
}

static void
inspect_time(struct scep_request *r, int64_t now)
{
	int64_t off = r->signing_time - now;

	if (now == 0)
		return;
	if (r->has_signing_time &&
	    (off > SIGNING_TIME_FAR || off < -SIGNING_TIME_FAR))
		findings_add(&r->found, FOUND_SIGNING_TIME_FAR);
	if (r->signer.whole.len == 0)
		return;
	if (now < r->signer.not_before)
		findings_add(&r->found, FOUND_SIGNER_NOT_YET_VALID);
	if (now > r->signer.not_after)
		findings_add(&r->found, FOUND_SIGNER_EXPIRED);
}

/* RFC 8894 2.3: "if available", an EC key cannot. */
static void
inspect_key_usage(struct findings *f, const struct x509 *cert)
{
	uint8_t wanted = KEY_USAGE_DIGITAL_SIGNATURE;

	if (x509_key_is(cert->spki, oid_rsa_encryption))
		wanted |= KEY_USAGE_KEY_ENCIPHERMENT;
	if (cert->key_usage.len == 0)
		findings_add(f, FOUND_SIGNER_NO_KEY_USAGE);
	else if (cert->key_usage.len < 2 ||
	    (cert->key_usage.data[1] & wanted) != wanted)
		findings_add(f, FOUND_SIGNER_KEY_USAGE);
}

/* Who signs, as far as it matters what for. */
enum signer {
	SIGNER_ITSELF, /* self-signed */
	SIGNER_OF_OURS,
	SIGNER_OF_OTHERS,
};

static enum signer
inspect_signer(struct scep_request *r, const struct scep_surroundings *s)
{
	const struct x509 *cert = &r->signer;

	if (writes_time_late(cert))
		findings_add(&r->found, FOUND_SIGNER_TIME);
	if (serial_is_bad(cert->serial))
		findings_add(&r->found, FOUND_SIGNER_SERIAL);
	if (span_equal(cert->issuer, cert->subject)) {
		inspect_key_usage(&r->found, cert);
		return SIGNER_ITSELF;
	}
	return s->ca != NULL && span_equal(cert->issuer, s->ca->subject) ?
	    SIGNER_OF_OURS :
	    SIGNER_OF_OTHERS;
}

/* RFC 8894 2.3: which type goes with which certificate. */
static enum scep_finding
judge_type(int type, enum signer signer)
{
	if (type == SCEP_RENEWAL_REQ)
		return signer == SIGNER_ITSELF ? FOUND_RENEWAL_SELF_SIGNED :
		    signer == SIGNER_OF_OTHERS ? FOUND_RENEWAL_OTHER_CA :
						 FOUND_NOTHING;
	return signer == SIGNER_OF_OURS ? FOUND_RENEWAL_AS_PKCSREQ :
	    signer == SIGNER_OF_OTHERS	? FOUND_SIGNER_NOT_SELF_SIGNED :
					  FOUND_NOTHING;
}

static void
inspect_csr_signer(struct scep_request *r, enum signer signer)
{
	bool itself = signer == SIGNER_ITSELF;
	bool same_key = span_equal(r->signer.spki, r->csr.spki);
	bool renews = signer == SIGNER_OF_OURS ||
	    (!itself && r->type == SCEP_RENEWAL_REQ);

	findings_add(&r->found, judge_type(r->type, signer));
	if (!r->has_challenge && !renews && r->type == SCEP_PKCS_REQ)
		findings_add(&r->found, FOUND_NO_CHALLENGE);
	if (r->has_challenge && renews)
		findings_add(&r->found, FOUND_CHALLENGE_IN_RENEWAL);
	if (itself && !same_key)
		findings_add(&r->found, FOUND_SIGNER_KEY);
	if (renews && same_key)
		findings_add(&r->found, FOUND_RENEWAL_SAME_KEY);
	if ((!itself && !renews) ||
	    span_equal(r->signer.subject, r->csr.subject))
		return;
	if (name_means_same(r->signer.subject, r->csr.subject))
		findings_add(&r->found, FOUND_SIGNER_SUBJECT_FORM);
	else
		findings_add(&r->found,
		    itself ? FOUND_SIGNER_SUBJECT : FOUND_RENEWAL_SUBJECT);
}

static void
inspect_query(struct scep_request *r, const struct scep_surroundings *s)
{
	if (r->subject.len > 0 && !span_equal(r->subject, r->signer.subject) &&
	    !name_means_same(r->subject, r->signer.subject))
		findings_add(&r->found, FOUND_POLL_SUBJECT);
	if (s->ca == NULL || span_equal(r->issuer, s->ca->subject))
		return;
	if ((s->signing != NULL &&
		span_equal(r->issuer, s->signing->subject)) ||
	    (s->encryption != NULL &&
		span_equal(r->issuer, s->encryption->subject)))
		findings_add(&r->found, FOUND_QUERY_ISSUER_RA);
	else if (name_means_same(r->issuer, s->ca->subject))
		findings_add(&r->found, FOUND_QUERY_ISSUER_FORM);
	else
		findings_add(&r->found, FOUND_QUERY_ISSUER);
}

void
scep_request_inspect(struct scep_request *r, const struct scep_surroundings *s)
{
	enum signer signer;

	inspect_recipients(r, s);
	inspect_time(r, s->now);
	if (r->signer.whole.len == 0)
		return;
	signer = inspect_signer(r, s);
	if (r->csr.spki.len > 0)
		inspect_csr_signer(r, signer);
	if (r->issuer.len > 0)
		inspect_query(r, s);
}
