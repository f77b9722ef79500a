/* Every type of message in every way to send it, read by OpenSSL's CMS. */
#include "support/test.h"

#include <openssl/objects.h>
#include <openssl/provider.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/ndes.h"

enum kind { PKCS_REQ, RENEWAL_REQ, OLD_RENEWAL, CERT_POLL, GET_CERT, GET_CRL };
enum profile { NDES, RFC8894 };
#define PROFILES 2
#define KEYS (DEVICE_P521 + 1)

static const struct {
	const char *name;
	int type;
} kinds[] = {
	[PKCS_REQ] = { "PKCSReq", DEVICE_PKCS_REQ },
	[RENEWAL_REQ] = { "RenewalReq", DEVICE_RENEWAL_REQ },
	[OLD_RENEWAL] = { "PKCSReq by an issued certificate", DEVICE_PKCS_REQ },
	[CERT_POLL] = { "CertPoll", DEVICE_CERT_POLL },
	[GET_CERT] = { "GetCert", DEVICE_GET_CERT },
	[GET_CRL] = { "GetCRL", DEVICE_GET_CRL },
};
static const char *const methods[] = { "POST", "GET" };
static const char *const profiles[PROFILES] = { "ndes", "rfc8894" };
static const struct {
	const char *name;
	int nid;
} digests[] = {
	{ "MD5", NID_md5 },
	{ "SHA1", NID_sha1 },
	{ "SHA224", NID_sha224 },
	{ "SHA256", NID_sha256 },
	{ "SHA384", NID_sha384 },
	{ "SHA512", NID_sha512 },
};
static const struct {
	const char *name;
	int nid;
} ciphers[] = {
	{ "DES-CBC", NID_des_cbc },
	{ "DES-EDE3-CBC", NID_des_ede3_cbc },
	{ "AES-128-CBC", NID_aes_128_cbc },
	{ "AES-192-CBC", NID_aes_192_cbc },
	{ "AES-256-CBC", NID_aes_256_cbc },
};
static const char *const key_names[KEYS] = {
	[DEVICE_RSA_2048] = "RSA-2048",
	[DEVICE_RSA_1024] = "RSA-1024",
	[DEVICE_RSA_4096] = "RSA-4096",
	[DEVICE_P256] = "P-256",
	[DEVICE_P384] = "P-384",
	[DEVICE_P521] = "P-521",
};

/* One NDES that issues at once and one that waits, for each profile. */
static struct fixture {
	struct ndes issuing[PROFILES], waiting[PROFILES];
	struct device devices[KEYS];
	struct device issued[PROFILES][KEYS]; /* by the one that issues */
	OSSL_PROVIDER *usual, *legacy;	      /* single DES */
} fixture;

static int
start(void **state)
{
	char profile[64];
	const char *set[] = { profile, NULL, NULL };
	struct fixture *f = *state = &fixture;

	web_start();
	f->usual = OSSL_PROVIDER_load(NULL, "default");
	f->legacy = OSSL_PROVIDER_load(NULL, "legacy");
	for (int k = 0; k < KEYS; k++)
		if (!device_make_with(&f->devices[k], k))
			return -1;
	for (int p = 0; p < PROFILES; p++) {
		snprintf(profile, sizeof(profile),
		    "server.mscep.reply.profile=%s", profiles[p]);
		set[1] = NULL;
		ndes_start(&f->issuing[p], set);
		set[1] = "server.ca.approval=manual";
		ndes_start(&f->waiting[p], set);
	}
	return f->legacy == NULL ? -1 : 0;
}

static int
stop(void **state)
{
	struct fixture *f = *state;

	for (int p = 0; p < PROFILES; p++) {
		for (int k = 0; k < KEYS; k++)
			device_clear(&f->issued[p][k]);
		ndes_stop(&f->issuing[p]);
		ndes_stop(&f->waiting[p]);
	}
	for (int k = 0; k < KEYS; k++)
		device_clear(&f->devices[k]);
	OSSL_PROVIDER_unload(f->legacy);
	OSSL_PROVIDER_unload(f->usual);
	return 0;
}

/* The same key with a certificate that this NDES has issued for it. */
static const struct device *
issued_for(struct fixture *f, int p, int k)
{
	struct device *out = &f->issued[p][k];
	X509 *cert;

	if (out->key == NULL) {
		cert = ndes_enrol(&f->issuing[p], &f->devices[k],
		    &(struct device_order){ .challenge = NDES_CHALLENGE });
		device_make_renewing(out, &f->devices[k], cert);
		X509_free(cert);
	}
	return out;
}

/* A way to ask: one value of each column. */
enum column { KIND, METHOD, PROFILE, DIGEST, CIPHER, KEY, COLUMNS };
struct way {
	int value[COLUMNS];
};
static const int counts[COLUMNS] = { COUNT_OF(kinds), COUNT_OF(methods),
	PROFILES, COUNT_OF(digests), COUNT_OF(ciphers), KEYS };
#define COUNT_MAX 6

static const char *
describe(const struct way *w)
{
	static char out[160];

	snprintf(out, sizeof(out), "%s by %s, %s, %s, %s, %s",
	    kinds[w->value[KIND]].name, methods[w->value[METHOD]],
	    profiles[w->value[PROFILE]], digests[w->value[DIGEST]].name,
	    ciphers[w->value[CIPHER]].name, key_names[w->value[KEY]]);
	return out;
}

/*
 * There are 3960 ways, too many for every run; with MOCKNDES_EVERY_WAY set, all
 * of them are tried. Else as many as bring every combination of values of any
 * three columns together, a covering array of strength 3. It is found greedily:
 * all ways in their order, again and again, of which those are taken that bring
 * `wanted` new combinations, and `wanted` goes down from all 20 to one.
 */
static bool covered[COLUMNS][COLUMNS][COLUMNS][COUNT_MAX][COUNT_MAX][COUNT_MAX];

static int
cover(const struct way *w, bool mark)
{
	const int *v = w->value;
	int fresh = 0;
	bool *at;

	for (int a = 0; a < COLUMNS; a++)
		for (int b = a + 1; b < COLUMNS; b++)
			for (int c = b + 1; c < COLUMNS; c++) {
				at = &covered[a][b][c][v[a]][v[b]][v[c]];
				fresh += *at ? 0 : 1;
				*at = *at || mark;
			}
	return fresh;
}

/* ECDSA with MD5 has no name (RFC 3279 2.2.3, RFC 5758 3.2). */
static bool
is_possible(const struct way *w)
{
	return w->value[KEY] < DEVICE_P256 ||
	    digests[w->value[DIGEST]].nid != NID_md5;
}

/* false: it was the last. */
static bool
next(struct way *w)
{
	for (int i = 0; i < COLUMNS; i++) {
		if (++w->value[i] < counts[i])
			return true;
		w->value[i] = 0;
	}
	return false;
}

static bool
is_rsa(const struct way *w)
{
	return w->value[KEY] < DEVICE_P256;
}

/* What the profile makes of the algorithms that the request has used. */
static void
is_said_as_the_profile_says(const struct way *w, const struct device_answer *a)
{
	bool ndes = w->value[PROFILE] == NDES;
	int digest = digests[w->value[DIGEST]].nid,
	    cipher = ciphers[w->value[CIPHER]].nid;

	digest = !ndes ? NID_sha256 : digest == NID_md5 ? NID_sha1 : digest;
	cipher = !ndes		  ? NID_aes_128_cbc :
	    cipher == NID_des_cbc ? NID_des_ede3_cbc :
				    cipher;
	if (a->digest != digest || a->signature != NID_rsaEncryption)
		fail_msg("%s: signed with %s, %s", describe(w),
		    OBJ_nid2sn(a->digest), OBJ_nid2sn(a->signature));
	if (a->cipher != cipher ||
	    a->transport !=
		(is_rsa(w) ? NID_rsaEncryption :
			     NID_dhSinglePass_stdDH_sha256kdf_scheme))
		fail_msg("%s: sealed with %s, %s", describe(w),
		    OBJ_nid2sn(a->cipher), OBJ_nid2sn(a->transport));
	if (a->has_certificates || a->has_signing_time || a->ms_error != 0 ||
	    strcmp(a->ms_message, ndes ? "Issued" : "") != 0)
		fail_msg("%s: %s, %s, %ld \"%s\"", describe(w),
		    a->has_certificates ? "certificates" : "",
		    a->has_signing_time ? "signingTime" : "", a->ms_error,
		    a->ms_message);
}

/* A request that was approved, and is still to be fetched. */
static void
leave_request(struct fixture *f, const struct way *w, const char *transaction)
{
	const struct ndes *n = &f->waiting[w->value[PROFILE]];
	const struct device_order order = { .challenge = NDES_CHALLENGE,
		.transaction_id = transaction };

	ndes_expect(n, describe(w), &f->devices[w->value[KEY]], &order,
	    NDES_PENDING, 0);
	ndes_settle(n, transaction, true);
}

static void
ask(struct fixture *f, const struct way *w, struct device_order *order,
    struct device_answer *a)
{
	int p = w->value[PROFILE], k = w->value[KEY];
	const struct ndes *n = &f->issuing[p];
	static int polls;
	char transaction[40];

	switch ((enum kind)w->value[KIND]) {
	case PKCS_REQ:
		order->challenge = NDES_CHALLENGE;
		break;
	case RENEWAL_REQ:
	case OLD_RENEWAL:
		order->signer = issued_for(f, p, k);
		break;
	case CERT_POLL:
		n = &f->waiting[p];
		snprintf(transaction, sizeof(transaction), "poll %d", polls++);
		leave_request(f, w, transaction);
		order->transaction_id = transaction;
		break;
	case GET_CERT:
	case GET_CRL:
		order->serial = X509_get0_serialNumber(
		    issued_for(f, p, k)->signer);
		break;
	}
	if (!device_ask(&f->devices[k], n->server.url, order, n->ca_certs, a) ||
	    a->pki_status != NDES_SUCCESS)
		fail_msg("%s: pkiStatus %d failInfo %d %s %s%s", describe(w),
		    a->pki_status, a->fail_info, a->why, a->ms_message,
		    a->fail_info_text);
}

static void
holds_what_was_asked_for(struct fixture *f, const struct way *w,
    const struct device_answer *a)
{
	int p = w->value[PROFILE], k = w->value[KEY];
	const struct ndes *n = w->value[KIND] == CERT_POLL ? &f->waiting[p] :
							     &f->issuing[p];
	const char *why = "";

	if (w->value[KIND] == GET_CRL)
		why = device_crl_verifies(n->ca_certs, a->crl, 0) ?
		    "" :
		    "the CRL does not verify";
	else
		why = device_judge(&f->devices[k], n->ca_certs, a->certificate);
	if (w->value[KIND] == GET_CERT &&
	    X509_cmp(a->certificate, f->issued[p][k].signer) != 0)
		why = "not the certificate that was asked for";
	if (*why != '\0')
		fail_msg("%s: %s", describe(w), why);
}

static void
is_answered(struct fixture *f, const struct way *w)
{
	struct device_order order = {
		.type = kinds[w->value[KIND]].type,
		.by_get = w->value[METHOD] == 1,
		.digest = EVP_get_digestbyname(digests[w->value[DIGEST]].name),
		.cipher = EVP_get_cipherbyname(ciphers[w->value[CIPHER]].name),
	};
	struct device_answer a;

	ask(f, w, &order, &a);
	is_said_as_the_profile_says(w, &a);
	holds_what_was_asked_for(f, w, &a);
	device_answer_clear(&a);
}

static void
every_type_is_answered_in_every_way(void **state)
{
	int wanted = getenv("MOCKNDES_EVERY_WAY") == NULL ? 20 : 0, asked = 0;
	struct way w;

	do {
		w = (struct way){ { 0 } };
		do {
			if (!is_possible(&w) || cover(&w, false) < wanted)
				continue;
			cover(&w, true);
			is_answered(*state, &w);
			asked++;
		} while (next(&w));
	} while (--wanted > 0);
	print_message("%d ways\n", asked);
}

/* Where the answers come from does not matter for these. */
static struct ndes *
any_ndes(struct fixture *f)
{
	return &f->issuing[NDES];
}

static void
each_spelling_of_a_transaction_id_comes_back(void **state)
{
	static const char *const texts[] = { "1", "client constant id",
		"0123456789abcdef0123456789abcdef01234567",
		"a+b/c==", "'()+,-./:=?" };
	struct fixture *f = *state;
	char id[DEVICE_TRANSACTION_SIZE];
	struct device_order order = { .challenge = NDES_CHALLENGE };

	/* That it does is among the things that every answer is read for. */
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		order.transaction_id = texts[i];
		ndes_expect(any_ndes(f), texts[i], &f->devices[0], &order,
		    NDES_SUCCESS, 0);
	}
	order.transaction_id = id;
	for (int form = DEVICE_ID_HEX_MD5; form <= DEVICE_ID_DECIMAL; form++) {
		assert_true(device_transaction_id(&f->devices[0], form, id));
		ndes_expect(any_ndes(f), id, &f->devices[0], &order,
		    NDES_SUCCESS, 0);
	}
}

static void
an_envelope_by_oaep_is_opened(void **state)
{
	static const char *const names[] = { "SHA1", "SHA256", "SHA512" };
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT_OF(names); i++)
		ndes_expect(any_ndes(f), names[i], &f->devices[0],
		    &(struct device_order){ .challenge = NDES_CHALLENGE,
			.oaep = EVP_get_digestbyname(names[i]) },
		    NDES_SUCCESS, 0);
}

/* 41 is ClaimChallengeAnswer of Microsoft's, which NDES alone may know. */
static void
a_type_that_no_client_sends_is_a_bad_request(void **state)
{
	static const int types[] = { 1, 3, 16, 18, 23, 41, 999 };
	struct fixture *f = *state;
	char row[32];

	for (size_t i = 0; i < COUNT_OF(types); i++)
		for (int p = 0; p < PROFILES; p++) {
			snprintf(row, sizeof(row), "%d", types[i]);
			ndes_expect(&f->issuing[p], row, &f->devices[0],
			    &(struct device_order){ .type = types[i],
				.challenge = NDES_CHALLENGE },
			    NDES_FAILURE, NDES_BAD_REQUEST);
		}
}

/* What is enforced, whatever GetCACaps says. */
static const struct limit {
	const char *row, *set;
	const char *digest, *cipher;
	bool good;
} limits[] = {
	{ "SHA-1 is too weak", "server.mscep.accept.weakest_digest=sha256",
	    "SHA1", "AES-128-CBC", false },
	{ "SHA-256 is not", "server.mscep.accept.weakest_digest=sha256",
	    "SHA256", "AES-128-CBC", true },
	{ "MD5 is too weak", "server.mscep.accept.weakest_digest=sha1", "MD5",
	    "AES-128-CBC", false },
	{ "SHA-384 is too weak", "server.mscep.accept.weakest_digest=sha512",
	    "SHA384", "AES-128-CBC", false },
	{ "DES is too weak", "server.mscep.accept.weakest_cipher=des3",
	    "SHA256", "DES-CBC", false },
	{ "3DES is too weak", "server.mscep.accept.weakest_cipher=aes-128-cbc",
	    "SHA256", "DES-EDE3-CBC", false },
	{ "AES-128 is not", "server.mscep.accept.weakest_cipher=aes-128-cbc",
	    "SHA256", "AES-128-CBC", true },
};

static void
weak_algorithms_are_refused_in_every_type_of_message(void **state)
{
	static const enum kind to_try[] = { PKCS_REQ, RENEWAL_REQ, GET_CERT,
		GET_CRL };
	struct fixture *f = *state;
	struct ndes *n = any_ndes(f);
	const struct device *issued = issued_for(f, NDES, DEVICE_RSA_2048);

	for (size_t i = 0; i < COUNT_OF(limits); i++) {
		const struct limit *l = &limits[i];
		const char *const set[] = { l->set, NULL };

		assert_int_equal(server_use_scenario(&n->server, set), 0);
		for (size_t j = 0; j < COUNT_OF(to_try); j++)
			ndes_expect(n, l->row, &f->devices[DEVICE_RSA_2048],
			    &(struct device_order){
				.type = kinds[to_try[j]].type,
				.signer = issued,
				.serial = X509_get0_serialNumber(
				    issued->signer),
				.digest = EVP_get_digestbyname(l->digest),
				.cipher = EVP_get_cipherbyname(l->cipher) },
			    l->good ? NDES_SUCCESS : NDES_FAILURE,
			    NDES_BAD_ALG);
	}
	assert_int_equal(server_use_scenario(&n->server,
			     (const char *[]){ NULL }),
	    0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_is_answered_in_every_way),
		cmocka_unit_test(each_spelling_of_a_transaction_id_comes_back),
		cmocka_unit_test(an_envelope_by_oaep_is_opened),
		cmocka_unit_test(a_type_that_no_client_sends_is_a_bad_request),
		cmocka_unit_test(
		    weak_algorithms_are_refused_in_every_type_of_message),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
