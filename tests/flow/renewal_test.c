/* Renewal: who may, and who may not (RFC 8894 2.4, ndes-facts 3.6). */
#include "support/test.h"

#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "support/ndes.h"

#define TRANSACTION "renewal"
#define DAY (24 * 60 * 60L)
#define NO_MATCH "server.mscep.renewal.subject_match=false"
#define OTHER_SUBJECT "device-2"

/* Whose certificate signs; the request is for another key. */
enum signer {
	ISSUED,
	ISSUED_TO_EC,
	RENEWED,     /* by a renewal */
	EXPIRED,     /* the clock is a year on */
	NEARLY,	     /* an hour less */
	REVOKED,     /* by the CA */
	SELF_SIGNED, /* as for a first enrolment */
	FOREIGN,     /* issued by a CA of the same name */
	FORGED,	     /* self-signed, with issuer and serial number of ours */
	RA,	     /* of the RA, with a key that is not the RA's */
	SIGNERS,
};

static struct fixture {
	struct ndes ndes;
	struct ndes foreign;
	struct device device, ec, fresh;
} fixture;

static int
start(void **state)
{
	/* Another key with the same name: those of the fixtures differ. */
	static const char *const set[] = { "server.ca.key=ec-p256", NULL };
	struct fixture *f = *state = &fixture;

	web_start();
	ndes_start(&f->foreign, set);
	return device_make(&f->device) &&
		device_make_with(&f->ec, DEVICE_P256) &&
		device_make_with(&f->fresh, DEVICE_P384) ?
	    0 :
	    -1;
}

static int
stop(void **state)
{
	struct fixture *f = *state;

	device_clear(&f->device);
	device_clear(&f->ec);
	device_clear(&f->fresh);
	ndes_stop(&f->foreign);
	return 0;
}

static X509 *
enrol_by(const struct ndes *n, const struct device *d)
{
	return ndes_enrol(n, d,
	    &(struct device_order){ .challenge = NDES_CHALLENGE });
}

static X509 *
renew_by(const struct ndes *n, const struct device *signer)
{
	return ndes_enrol(n, signer,
	    &(struct device_order){ .type = DEVICE_RENEWAL_REQ,
		.signer = signer });
}

/* Looks as if `of` was issued for the device's key; but by itself. */
static X509 *
forge(const struct device *d, const X509 *of)
{
	X509 *cert = X509_dup(of);

	assert_non_null(cert);
	assert_true(X509_set_pubkey(cert, d->key));
	assert_true(X509_sign(cert, d->key, EVP_sha256()) > 0);
	return cert;
}

static X509 *
renewed(const struct ndes *n, const struct device *d)
{
	struct device before;
	X509 *first = enrol_by(n, d), *second;

	device_make_renewing(&before, d, first);
	second = renew_by(n, &before);
	assert_int_not_equal(X509_cmp(first, second), 0);
	device_clear(&before);
	X509_free(first);
	return second;
}

static X509 *
forged(const struct ndes *n, const struct device *d, const X509 *model)
{
	X509 *issued = model == NULL ? enrol_by(n, d) : NULL, *out;

	out = forge(d, model == NULL ? issued : model);
	X509_free(issued);
	return out;
}

static const struct device *
key_of(const struct fixture *f, enum signer who)
{
	return who == ISSUED_TO_EC ? &f->ec : &f->device;
}

/* The certificate, and the world as its row wants it. */
static X509 *
prepare(struct fixture *f, enum signer who)
{
	struct ndes *n = &f->ndes;
	X509 *cert = NULL;

	switch (who) {
	case SELF_SIGNED:
		cert = f->device.signer;
		X509_up_ref(cert);
		return cert;
	case FOREIGN:
		return enrol_by(&f->foreign, &f->device);
	case RENEWED:
		return renewed(n, &f->device);
	case FORGED:
		return forged(n, &f->device, NULL);
	case RA:
		return forged(n, &f->device,
		    device_ra(n->ca_certs, KU_DIGITAL_SIGNATURE));
	default:
		cert = enrol_by(n, key_of(f, who));
	}
	if (who == EXPIRED)
		server_advance_clock(&n->server, 365 * DAY);
	if (who == NEARLY)
		server_advance_clock(&n->server, 365 * DAY - 3600);
	if (who == REVOKED)
		ndes_revoke(n, cert);
	return cert;
}

#define ISSUED_NOW NDES_SUCCESS, 0
#define REFUSED NDES_FAILURE, NDES_BAD_REQUEST
#define TOO_LATE NDES_FAILURE, NDES_BAD_TIME

static const struct row {
	const char *row;
	enum signer signer;
	int type;
	const char *challenge, *subject, *set;
	int pki_status;
	int fail_info; /* in profile rfc8894; in ndes always badRequest */
} rows[] = {
	{ "RenewalReq", ISSUED, DEVICE_RENEWAL_REQ, NULL, NULL, NULL,
	    ISSUED_NOW },
	{ "PKCSReq by the certificate", ISSUED, DEVICE_PKCS_REQ, NULL, NULL,
	    NULL, ISSUED_NOW },
	{ "a challenge in a renewal is not looked at", ISSUED,
	    DEVICE_RENEWAL_REQ, "a wrong one", NULL, NULL, ISSUED_NOW },
	{ "by an EC certificate", ISSUED_TO_EC, DEVICE_RENEWAL_REQ, NULL, NULL,
	    NULL, ISSUED_NOW },
	{ "by a certificate that came of a renewal", RENEWED,
	    DEVICE_RENEWAL_REQ, NULL, NULL, NULL, ISSUED_NOW },
	{ "in the last hour", NEARLY, DEVICE_RENEWAL_REQ, NULL, NULL, NULL,
	    ISSUED_NOW },
	{ "expired", EXPIRED, DEVICE_RENEWAL_REQ, NULL, NULL, NULL, TOO_LATE },
	{ "expired, PKCSReq", EXPIRED, DEVICE_PKCS_REQ, NULL, NULL, NULL,
	    TOO_LATE },
	{ "revoked", REVOKED, DEVICE_RENEWAL_REQ, NULL, NULL, NULL, REFUSED },
	{ "revoked, PKCSReq", REVOKED, DEVICE_PKCS_REQ, NULL, NULL, NULL,
	    REFUSED },
	{ "another subject", ISSUED, DEVICE_RENEWAL_REQ, NULL, OTHER_SUBJECT,
	    NULL, REFUSED },
	{ "another subject, PKCSReq", ISSUED, DEVICE_PKCS_REQ, NULL,
	    OTHER_SUBJECT, NULL, REFUSED },
	{ "another subject is allowed", ISSUED, DEVICE_RENEWAL_REQ, NULL,
	    OTHER_SUBJECT, NO_MATCH, ISSUED_NOW },
	{ "another subject is allowed, PKCSReq", ISSUED, DEVICE_PKCS_REQ, NULL,
	    OTHER_SUBJECT, NO_MATCH, ISSUED_NOW },
	{ "self-signed", SELF_SIGNED, DEVICE_RENEWAL_REQ, NULL, NULL, NULL,
	    REFUSED },
	{ "self-signed, with a challenge", SELF_SIGNED, DEVICE_RENEWAL_REQ,
	    NDES_CHALLENGE, NULL, NULL, REFUSED },
	{ "of a foreign CA", FOREIGN, DEVICE_RENEWAL_REQ, NULL, NULL, NULL,
	    REFUSED },
	{ "of a foreign CA, PKCSReq", FOREIGN, DEVICE_PKCS_REQ, NULL, NULL,
	    NULL, REFUSED },
	{ "of a foreign CA, PKCSReq with a challenge", FOREIGN, DEVICE_PKCS_REQ,
	    NDES_CHALLENGE, NULL, NULL, ISSUED_NOW },
	{ "forged", FORGED, DEVICE_RENEWAL_REQ, NULL, NULL, NULL, REFUSED },
	{ "forged, PKCSReq", FORGED, DEVICE_PKCS_REQ, NULL, NULL, NULL,
	    REFUSED },
	{ "forged after the RA's", RA, DEVICE_RENEWAL_REQ, NULL, NULL, NULL,
	    REFUSED },
	{ "renewals are off", ISSUED, DEVICE_RENEWAL_REQ, NULL, NULL,
	    "server.mscep.accept.renewal=false", REFUSED },
	{ "renewals are off, PKCSReq", ISSUED, DEVICE_PKCS_REQ, NULL, NULL,
	    "server.mscep.accept.renewal=false", REFUSED },
	{ "renewals are off, not enrolment", SELF_SIGNED, DEVICE_PKCS_REQ,
	    NDES_CHALLENGE, NULL, "server.mscep.accept.renewal=false",
	    ISSUED_NOW },
};

static bool
has_subject(const X509 *cert, const char *wanted)
{
	char name[64] = "";

	X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName,
	    name, sizeof(name));
	return strcmp(name, wanted) == 0;
}

/* Who has signed the certificate that signs, as the journal has it. */
static const char *
signed_by(enum signer who)
{
	return who == SELF_SIGNED			 ? "self" :
	    who == FOREIGN || who == FORGED || who == RA ? "other" :
							   "this-ca";
}

static void
is_in_journal(struct fixture *f, const struct row *r)
{
	const struct journal_filter filter = { .transaction_id = TRANSACTION };
	struct journal *j = site_journal(site_default(f->ndes.server.sites));
	struct journal_entry *e = journal_wait(j, 0, &filter,
	    SERVER_WAIT_SECONDS * 1000);

	assert_non_null(e);
	if (strcmp(e->scep.signed_by, signed_by(r->signer)) != 0)
		fail_msg("%s: signed by %s", r->row, e->scep.signed_by);
	journal_entry_free(e);
}

static void
is_answered(struct fixture *f, const struct row *r, const char *profile,
    int fail_info)
{
	const char *const set[] = { profile, r->set, NULL };
	struct device_order order = { .type = r->type,
		.transaction_id = TRANSACTION,
		.challenge = r->challenge,
		.subject = r->subject };
	struct device signer;
	struct device_answer a;
	X509 *cert;

	ndes_start(&f->ndes, NULL);
	cert = prepare(f, r->signer);
	assert_int_equal(server_use_scenario(&f->ndes.server, set), 0);
	device_make_renewing(&signer, key_of(f, r->signer), cert);
	order.signer = &signer;
	if (!device_ask(&f->fresh, f->ndes.server.url, &order, f->ndes.ca_certs,
		&a) ||
	    a.pki_status != r->pki_status ||
	    (r->pki_status == NDES_FAILURE && a.fail_info != fail_info))
		fail_msg("%s, %s: pkiStatus %d failInfo %d %s", r->row, profile,
		    a.pki_status, a.fail_info, a.why);
	if (a.certificate != NULL &&
	    (!has_subject(a.certificate,
		 r->subject == NULL ? DEVICE_SUBJECT : r->subject) ||
		device_chain(f->ndes.ca_certs, a.certificate,
		    X509_PURPOSE_SSL_CLIENT, ndes_now(&f->ndes)) == 0))
		fail_msg("%s, %s: another certificate", r->row, profile);
	is_in_journal(f, r);
	device_answer_clear(&a);
	device_clear(&signer);
	X509_free(cert);
	ndes_stop(&f->ndes);
}

static void
who_may_renew_does_and_nobody_else(void **state)
{
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		is_answered(*state, &rows[i], "server.mscep.reply.profile=ndes",
		    NDES_BAD_REQUEST);
		is_answered(*state, &rows[i],
		    "server.mscep.reply.profile=rfc8894", rows[i].fail_info);
	}
}

/* What the device has is good until the new one is installed. */
static void
the_old_certificate_is_still_good_after_its_renewal(void **state)
{
	struct fixture *f = *state;
	struct ndes *n = &f->ndes;
	struct device renewing;
	X509 *old, *first, *second;

	ndes_start(n, NULL);
	old = enrol_by(n, &f->device);
	device_make_renewing(&renewing, &f->device, old);
	first = renew_by(n, &renewing);
	second = renew_by(n, &renewing);
	assert_string_equal(device_judge(&f->device, n->ca_certs, old), "");
	assert_int_not_equal(X509_cmp(first, second), 0);
	X509_free(second);
	X509_free(first);
	device_clear(&renewing);
	X509_free(old);
	ndes_stop(n);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_may_renew_does_and_nobody_else),
		cmocka_unit_test(
		    the_old_certificate_is_still_good_after_its_renewal),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
