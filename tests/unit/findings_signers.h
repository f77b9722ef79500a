/* Who signs, for what, and what polls and queries hold; by OpenSSL. */
#ifndef UNIT_FINDINGS_SIGNERS_H
#define UNIT_FINDINGS_SIGNERS_H

#include "unit/findings_letters.h"

#define DAY 86400

static void
set_serial(X509 *x, const char *number)
{
	BIGNUM *n = NULL;

	assert_true(BN_hex2bn(&n, number) > 0);
	assert_non_null(BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x)));
	BN_free(n);
}

static void
serial_zero(X509 *x)
{
	set_serial(x, "0");
}

static void
serial_negative(X509 *x)
{
	set_serial(x, "-5ce9");
}

static void
serial_of_20_octets(X509 *x)
{
	set_serial(x, "7fffffffffffffffffffffffffffffffffffffff");
}

static void
serial_of_21_octets(X509 *x)
{
	set_serial(x, "80ffffffffffffffffffffffffffffffffffffff");
}

static void
generalized_time(X509 *x)
{
	assert_true(ASN1_GENERALIZEDTIME_set_string(X509_getm_notAfter(x),
	    "20491231235959Z"));
}

static void
generalized_time_in_2050(X509 *x)
{
	assert_true(
	    ASN1_TIME_set_string(X509_getm_notAfter(x), "20500101000000Z"));
}

static void
drop_key_usage(X509 *x)
{
	int at = X509_get_ext_by_NID(x, NID_key_usage, -1);

	X509_EXTENSION_free(X509_delete_ext(x, at));
}

static void
version_1(X509 *x)
{
	while (X509_get_ext_count(x) > 0)
		X509_EXTENSION_free(X509_delete_ext(x, 0));
	assert_true(X509_set_version(x, X509_VERSION_1));
}

static void
usage_signature(X509 *x)
{
	drop_key_usage(x);
	device_extension(x, NID_key_usage, "digitalSignature");
}

static void
usage_encipherment(X509 *x)
{
	drop_key_usage(x);
	device_extension(x, NID_key_usage, "keyEncipherment");
}

static void
usage_all(X509 *x)
{
	drop_key_usage(x);
	device_extension(x, NID_key_usage,
	    "digitalSignature,nonRepudiation,keyEncipherment,decipherOnly");
}

static void
name_again(X509 *x, int type, const char *common_name)
{
	bool itself = X509_NAME_cmp(X509_get_issuer_name(x),
			  X509_get_subject_name(x)) == 0;
	X509_NAME *name = X509_NAME_new();

	assert_true(X509_NAME_add_entry_by_txt(name, "C",
	    V_ASN1_PRINTABLESTRING, (const uint8_t *)"NL", -1, -1, 0));
	assert_true(X509_NAME_add_entry_by_txt(name, "CN", type,
	    (const uint8_t *)common_name, -1, -1, 0));
	assert_true(X509_set_subject_name(x, name));
	if (itself)
		assert_true(X509_set_issuer_name(x, name));
	X509_NAME_free(name);
}

static void
another_name(X509 *x)
{
	name_again(x, V_ASN1_UTF8STRING, "SCEP Protocol Certificate");
}

static void
name_in_capitals(X509 *x)
{
	name_again(x, V_ASN1_UTF8STRING, "DEVICE-0001");
}

static void
name_retyped(X509 *x)
{
	name_again(x, V_ASN1_PRINTABLESTRING, "device-0001");
}

/* The request. */

static void
without_challenge(X509_REQ *r)
{
	int at = X509_REQ_get_attr_by_NID(r, NID_pkcs9_challengePassword, -1);

	X509_ATTRIBUTE_free(X509_REQ_delete_attr(r, at));
}

/* The contents of polls and queries. */

static void
add_name(struct buffer *b, const X509_NAME *name)
{
	const uint8_t *der;
	size_t len;

	assert_true(
	    X509_NAME_get0_der((X509_NAME *)(uintptr_t)name, &der, &len));
	buffer_add(b, der, len);
}

static void
poll_with(struct buffer *b, const X509 *issuer, const X509 *subject)
{
	size_t all;

	buffer_free(b);
	all = der_begin(b, DER_SEQUENCE);
	add_name(b, X509_get_subject_name(issuer));
	add_name(b, X509_get_subject_name(subject));
	der_end(b, all);
}

static void
poll(struct buffer *b)
{
	poll_with(b, ra.certs[CA_ISSUING], cert);
}

static void
poll_for_another(struct buffer *b)
{
	poll_with(b, ra.certs[CA_ISSUING], others_ca);
}

static void
poll_ra(struct buffer *b)
{
	poll_with(b, ra.certs[CA_RA_SIGNING], cert);
}

static void
poll_and_more(struct buffer *b)
{
	poll(b);
	buffer_add_byte(b, '\n');
}

static void
query_with(struct buffer *b, const X509_NAME *issuer)
{
	size_t all;

	buffer_free(b);
	all = der_begin(b, DER_SEQUENCE);
	add_name(b, issuer);
	der_add_small_integer(b, 5);
	der_end(b, all);
}

static void
query(struct buffer *b)
{
	query_with(b, X509_get_subject_name(ra.certs[CA_ISSUING]));
}

static void
query_ra(struct buffer *b)
{
	query_with(b, X509_get_subject_name(ra.certs[CA_RA_ENCRYPTION]));
}

static void
query_others(struct buffer *b)
{
	query_with(b, X509_get_subject_name(others_ca));
}

static void
query_reordered(struct buffer *b)
{
	struct letter l;

	/* Of the encryption RA, by the CA. */
	to_reordered(&l);
	query_with(b, X509_get_issuer_name(misspelt));
}

static void
nothing_of_the_kind(struct buffer *b)
{
	buffer_free(b);
	notation_add(b, "30{30{} 30{} 30{}}");
}

static const struct letter_row signers[] = {
	/* The signer's certificate. */
	{ "a signer that expired", "signing-time-far signer-expired",
	    .after = DAY + 1 },
	{ "a signer in its last second", "signing-time-far", .after = DAY },
	{ "a signer in its first second", "signing-time-far", .after = -DAY },
	{ "a signer of tomorrow", "signing-time-far signer-not-yet-valid",
	    .after = -DAY - 1 },
	{ "GeneralizedTime for 2049", "signer-time",
	    .certify = generalized_time },
	{ "GeneralizedTime for 2050", "", .certify = generalized_time_in_2050 },
	{ "a serial number of zero", "signer-serial", .certify = serial_zero },
	{ "a negative serial number", "signer-serial",
	    .certify = serial_negative },
	{ "a serial number of 20 octets", "", .certify = serial_of_20_octets },
	{ "a serial number of 21 octets", "signer-serial",
	    .certify = serial_of_21_octets },
	{ "no key usage", "signer-no-key-usage", .certify = drop_key_usage },
	{ "a certificate of version 1", "signer-no-key-usage",
	    .certify = version_1 },
	{ "digitalSignature alone", "signer-key-usage",
	    .certify = usage_signature },
	{ "keyEncipherment alone", "signer-key-usage",
	    .certify = usage_encipherment },
	{ "more usages", "", .certify = usage_all },
	{ "a signer of another name", "signer-subject",
	    .certify = another_name },
	{ "a signer of the same name in capitals", "signer-subject-form",
	    .certify = name_in_capitals },
	{ "a signer of the same name in another string type",
	    "signer-subject-form", .certify = name_retyped },
	{ "a signer with another key", "signer-key", .other_key = true },
	{ "a signer to be thrown away", "signer-subject signer-key",
	    .certify = another_name, .other_key = true },
	{ "a PKCSReq by somebody else's certificate", "signer-not-self-signed",
	    .signer = ISSUED_ELSEWHERE },
	/* Renewals. */
	{ "a plain renewal", "", .type = "17", .signer = ISSUED,
	    .other_key = true, .ask = without_challenge },
	{ "a self-signed renewal", "renewal-self-signed", .type = "17" },
	{ "a renewal by somebody else's certificate", "renewal-other-ca",
	    .type = "17", .signer = ISSUED_ELSEWHERE, .other_key = true,
	    .ask = without_challenge },
	{ "a renewal as PKCSReq", "renewal-as-pkcsreq", .signer = ISSUED,
	    .other_key = true, .ask = without_challenge },
	{ "a renewal under another name", "renewal-subject", .type = "17",
	    .signer = ISSUED, .other_key = true, .ask = without_challenge,
	    .certify = another_name },
	{ "a renewal under the same name in another string type",
	    "signer-subject-form", .type = "17", .signer = ISSUED,
	    .other_key = true, .ask = without_challenge,
	    .certify = name_retyped },
	{ "a renewal for the same key", "renewal-same-key", .type = "17",
	    .signer = ISSUED, .ask = without_challenge },
	{ "a renewal with challenge", "challenge-in-renewal", .type = "17",
	    .signer = ISSUED, .other_key = true },
	{ "a renewal by a certificate without key usage", "", .type = "17",
	    .signer = ISSUED, .other_key = true, .ask = without_challenge,
	    .certify = drop_key_usage },
	/* Polls and queries. */
	{ "a plain poll", "", .type = "20", .pack = poll },
	{ "a poll with a line end", "content-trailing", .type = "20",
	    .pack = poll_and_more },
	{ "a poll for another", "poll-subject", .type = "20",
	    .pack = poll_for_another },
	{ "a poll of the RA", "query-issuer-ra", .type = "20",
	    .pack = poll_ra },
	{ "a poll with a request", "content-mismatch", .type = "20" },
	{ "a poll with nothing of the kind", "content-mismatch", .type = "20",
	    .pack = nothing_of_the_kind },
	{ "a plain query", "", .type = "21", .pack = query },
	{ "a plain query for a CRL", "", .type = "22", .pack = query },
	{ "a query of the RA", "query-issuer-ra", .type = "21",
	    .pack = query_ra },
	{ "a query of another CA", "query-issuer", .type = "22",
	    .pack = query_others },
	{ "a query of the CA in another order", "query-issuer-form",
	    .type = "21", .pack = query_reordered },
	{ "a query with a poll", "content-mismatch", .type = "21",
	    .pack = poll },
};

#endif
