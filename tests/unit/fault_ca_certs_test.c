/*
 * `do: ca_certs`: which certificates GetCACert shows, in which order and in
 * which form. OpenSSL reads the answer.
 */
#include "unit/chain.h"
#include "unit/edits.h"
#include "unit/exchanges.h"
#include "unit/parts.h"

#include "stack/stack.h"

#define DAY 86400LL
#define RA_TYPE "application/x-x509-ca-ra-cert"
#define CA_TYPE "application/x-x509-ca-cert"
#define TIERS 3

static struct authority ca;
static struct credentials *tiers[TIERS + 1]; /* by the number of them */
static EVP_PKEY *stranger;		     /* of its CA */

/* An answer as a client has it: the certificates in the order of the wire. */
struct answer {
	struct exchange ex;
	STACK_OF(X509) * certs;
	bool is_bag; /* else one in DER, or nothing */
};

static STACK_OF(X509) * read_bag(struct span body)
{
	const uint8_t *at = body.data;
	PKCS7 *bag = d2i_PKCS7(NULL, &at, (long)body.len);
	STACK_OF(X509) * certs;

	if (bag == NULL)
		return NULL;
	assert_ptr_equal(at, body.data + body.len);
	assert_true(PKCS7_type_is_signed(bag));
	assert_int_equal(sk_PKCS7_SIGNER_INFO_num(bag->d.sign->signer_info), 0);
	certs = bag->d.sign->cert == NULL ?
	    sk_X509_new_null() :
	    X509_chain_up_ref(bag->d.sign->cert);
	PKCS7_free(bag);
	return certs;
}

/* As serve.c does; without a rule that applies, as without any. */
static void
ask(struct answer *a, const struct credentials *cred, const char *edits,
    uint32_t count)
{
	struct faults f = edits_make(edits);
	struct ca_certs_plan plan;
	struct error err = { 0 };
	struct stack_state state;
	struct span body;

	stack_healthy(&state);
	exchange_make(&a->ex, "GET", "/x?operation=GetCACert");
	a->ex.at = DEVICE_NOW;
	ca_certs_plan(cred, &plan);
	if (edits_apply_count(&f, &a->ex, cred, FAULT_CA_CERTS, count, &plan,
		&err) == -1)
		fail_msg("%s", err.text);
	mscep_answer_ca_certs_plan(&a->ex, &state, &plan);
	exchange_must_say(&a->ex, LAYER_MSCEP, 200, 0, 0);
	exchange_must_be_measured(&a->ex);
	faults_clear(&f);
	body = blob_span(&a->ex.reply.body);
	a->is_bag = (a->certs = read_bag(body)) != NULL;
	ERR_clear_error();
	if (!a->is_bag) {
		a->certs = sk_X509_new_null();
		if (body.len > 0)
			sk_X509_push(a->certs, authority_read(body));
	}
}

static void
done(struct answer *a)
{
	sk_X509_pop_free(a->certs, X509_free);
	exchange_clear(&a->ex);
}

static bool
is_der(X509 *cert, struct span der)
{
	struct blob own = device_cert_der(cert);
	bool same = span_equal(blob_span(&own), der);

	blob_free(&own);
	return same;
}

/* Its own name of the role: by the template, which all RAs have. */
static char
ra_letter(X509 *cert, const char *letters)
{
	struct blob ext = parts_extension(cert, "1.3.6.1.4.1.311.20.2");
	char letter = '?';

	/* "EnrollmentAgentOffline" and "CEPEncryption" as BMPStrings. */
	if (memmem(ext.data, ext.len, "\0O\0f\0f", 6) != NULL)
		letter = letters[0];
	else if (memmem(ext.data, ext.len, "\0C\0E\0P", 6) != NULL)
		letter = letters[1];
	blob_free(&ext);
	return letter;
}

/*
 * S, E: the RAs; C: the CA; P, R: those above. s, e, c: a stranger's; 1, 2:
 * other certificates of the RAs, which our CA has signed.
 */
static char
letter_of(X509 *cert, const struct credentials *cred)
{
	static const char own[] = { 'C', 'S', 'E' };
	X509 *issuer = authority_read(blob_span(&cred->der[CA_ISSUING]));
	char letter = '?';

	for (int role = 0; role < CA_ROLES; role++)
		if (is_der(cert, blob_span(&cred->der[role])))
			letter = own[role];
	for (size_t i = 0; i < cred->chain_count; i++)
		if (is_der(cert, blob_span(&cred->chain[i])))
			letter = i + 1 == cred->chain_count ? 'R' : 'P';
	if (letter == '?' && X509_verify(cert, stranger) == 1)
		letter = X509_check_ca(cert) == 1 ? 'c' : ra_letter(cert, "se");
	else if (letter == '?' &&
	    X509_verify(cert, X509_get0_pubkey(issuer)) == 1)
		letter = ra_letter(cert, "12");
	X509_free(issuer);
	return letter;
}

static char *
letters_of(const struct answer *a, const struct credentials *cred, char out[40])
{
	int i;

	for (i = 0; i < sk_X509_num(a->certs); i++)
		out[i] = letter_of(sk_X509_value(a->certs, i), cred);
	out[i] = '\0';
	return out;
}

static const struct shown {
	const char *row, *edits;
	int tiers;
	const char *wanted;
	const char *type; /* NULL: that of RAs; empty: none */
	bool is_der;
} showns[] = {
	{ "nothing is changed", "", 1, "SEC", NULL, false },
	{ "nothing is changed in a chain", "", 3, "SECPR", NULL, false },
	{ "without RAs", "ca_certs.exclude=ra", 3, "CPR", NULL, false },
	{ "without the signing RA", "ca_certs.exclude=ra-signing", 1, "EC",
	    NULL, false },
	{ "without the encryption RA", "ca_certs.exclude=ra-encryption", 1,
	    "SC", NULL, false },
	{ "without the CA", "ca_certs.exclude=ca", 3, "SEPR", NULL, false },
	{ "without the chain", "ca_certs.exclude=chain", 3, "SEC", NULL,
	    false },
	{ "without the root", "ca_certs.exclude=root", 3, "SECP", NULL, false },
	{ "without the root that issues", "ca_certs.exclude=root", 1, "SE",
	    NULL, false },
	{ "without all", "ca_certs.exclude=ra,ca,chain", 2, "", NULL, false },
	{ "with a strange CA", "ca_certs.include=stranger-ca", 1, "SECc", NULL,
	    false },
	{ "with strange RAs", "ca_certs.include=stranger-ra", 2, "SECRse", NULL,
	    false },
	{ "with expired RAs", "ca_certs.include=expired-ra", 1, "SEC12", NULL,
	    false },
	{ "with a chain that is there", "ca_certs.include=chain", 3, "SECPR",
	    NULL, false },
	{ "with a chain that was not there",
	    "ca_certs.exclude=ra,root,chain; ca_certs.include=chain", 3, "CPR",
	    NULL, false },
	{ "with the root alone above it",
	    "ca_certs.exclude=chain; ca_certs.include=root", 3, "SECR", NULL,
	    false },
	{ "with a root that is there", "ca_certs.include=root", 1, "SEC", NULL,
	    false },
	{ "all twice", "ca_certs.include=twice", 2, "SECRSECR", NULL, false },
	{ "twice, and others",
	    "ca_certs.include=twice,stranger-ra,stranger-ca,expired-ra", 3,
	    "SECPRSECPRsec12", NULL, false },
	{ "all that can be, twice",
	    "ca_certs.include=stranger-ca,stranger-ra,expired-ra,twice", 3,
	    "SECPRcse12SECPRcse12", NULL, false },
	{ "and no more", "ca_certs.include=twice,twice,twice", 3,
	    "SECPRSECPRSECPRSECPRSECPRSECPRSE", NULL, false },
	{ "reversed", "ca_certs.order=reversed", 3, "RPCES", NULL, false },
	{ "the CA first", "ca_certs.order=ca-first", 3, "CPRSE", NULL, false },
	{ "the root first", "ca_certs.order=root-first", 3, "RSECP", NULL,
	    false },
	{ "the root that issues first", "ca_certs.order=root-first", 1, "CSE",
	    NULL, false },
	{ "a stranger before all",
	    "ca_certs.include=stranger-ca; ca_certs.order=reversed", 1, "cCES",
	    NULL, false },
	{ "expired", "ca_certs.ra=expired", 2, "12CR", NULL, false },
	{ "not yet valid", "ca_certs.ra=not-yet-valid", 1, "12C", NULL, false },
	{ "EC", "ca_certs.ra=ec", 1, "12C", NULL, false },
	{ "strangers", "ca_certs.ra=stranger", 2, "seCR", NULL, false },
	{ "one stranger", "ca_certs.exclude=ra-signing; ca_certs.ra=stranger",
	    1, "eC", NULL, false },
	{ "strangers keep their usage",
	    "ca_certs.ra=stranger; ca_certs.ra_key_usage=none", 1, "seC", NULL,
	    false },
	{ "no usage", "ca_certs.ra_key_usage=none", 1, "12C", NULL, false },
	{ "a PKCS#7, as it is", "ca_certs.form=pkcs7", 1, "SEC", NULL, false },
	{ "the CA alone", "ca_certs.form=der", 3, "C", CA_TYPE, true },
	{ "the CA alone, as another type",
	    "ca_certs.form=der; ca_certs.content_type=text/html", 1, "C",
	    "text/html", true },
	{ "the first one, if there is no CA",
	    "ca_certs.exclude=ca; ca_certs.form=der", 1, "S", CA_TYPE, true },
	{ "an empty bag", "ca_certs.empty=true", 3, "", NULL, false },
	{ "a bag that is not empty", "ca_certs.empty=false", 1, "SEC", NULL,
	    false },
	{ "nothing at all", "ca_certs.empty=true; ca_certs.form=der", 1, "",
	    CA_TYPE, true },
	{ "another type", "ca_certs.content_type=application/pkcs7-mime", 1,
	    "SEC", "application/pkcs7-mime", false },
	{ "no type", "ca_certs.content_type=", 1, "SEC", "", false },
};

static void
is_shown(void **state)
{
	const struct shown *t = *state;
	const struct credentials *cred = tiers[t->tiers];
	char letters[40];
	struct answer a;

	ask(&a, cred, t->edits, 1);
	assert_string_equal(letters_of(&a, cred, letters), t->wanted);
	assert_int_equal(a.is_bag, !t->is_der);
	if (t->type != NULL && *t->type == '\0')
		assert_null(reply_header_value(&a.ex.reply, "Content-Type"));
	else
		exchange_must_have_header(&a.ex, "Content-Type",
		    t->type == NULL ? RA_TYPE : t->type);
	exchange_must_have_headers(&a.ex,
	    t->type != NULL && *t->type == '\0' ?
		"Server X-Powered-By Date" :
		"Content-Type Server X-Powered-By Date");
	done(&a);
}

static const struct remade {
	const char *row, *edits;
	int changed; /* beside the number and the signature */
	uint32_t usage[2];
	int error; /* what OpenSSL has against them */
} remades[] = {
	{ "expired", "ca_certs.ra=expired", PART_BEGIN | PART_END,
	    { KU_DIGITAL_SIGNATURE, KU_KEY_ENCIPHERMENT },
	    X509_V_ERR_CERT_HAS_EXPIRED },
	{ "not yet valid", "ca_certs.ra=not-yet-valid", PART_BEGIN | PART_END,
	    { KU_DIGITAL_SIGNATURE, KU_KEY_ENCIPHERMENT },
	    X509_V_ERR_CERT_NOT_YET_VALID },
	{ "EC", "ca_certs.ra=ec", PART_KEY | PART_KEY_ID,
	    { KU_DIGITAL_SIGNATURE, KU_KEY_ENCIPHERMENT }, X509_V_OK },
	{ "no usage", "ca_certs.ra_key_usage=none", PART_KEY_USAGE,
	    { UINT32_MAX, UINT32_MAX }, X509_V_OK },
	{ "swapped usages", "ca_certs.ra_key_usage=swapped", PART_KEY_USAGE,
	    { KU_KEY_ENCIPHERMENT, KU_DIGITAL_SIGNATURE }, X509_V_OK },
	{ "both usages", "ca_certs.ra_key_usage=both", PART_KEY_USAGE,
	    { KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT,
		KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT },
	    X509_V_OK },
	{ "expired without usage",
	    "ca_certs.ra=expired; ca_certs.ra_key_usage=none",
	    PART_BEGIN | PART_END | PART_KEY_USAGE, { UINT32_MAX, UINT32_MAX },
	    X509_V_ERR_CERT_HAS_EXPIRED },
	{ "the same, the other way round",
	    "ca_certs.ra_key_usage=none; ca_certs.ra=expired",
	    PART_BEGIN | PART_END | PART_KEY_USAGE, { UINT32_MAX, UINT32_MAX },
	    X509_V_ERR_CERT_HAS_EXPIRED },
	{ "EC with both usages", "ca_certs.ra_key_usage=both; ca_certs.ra=ec",
	    PART_KEY | PART_KEY_ID | PART_KEY_USAGE,
	    { KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT,
		KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT },
	    X509_V_OK },
};

/* Changed in this alone, and signed by the CA. */
static void
is_remade(void **state)
{
	const struct remade *t = *state;
	struct answer a;

	ask(&a, ca.credentials, t->edits, 1);
	for (int i = 0; i < 2; i++) {
		X509 *cert = sk_X509_value(a.certs, i);
		struct path p = { cert, ca.credentials, NULL, NULL,
			DEVICE_NOW };

		parts_must_differ(ca.certs[CA_RA_SIGNING + i], cert,
		    PART_SERIAL | t->changed);
		assert_int_equal(X509_get_key_usage(cert), t->usage[i]);
		assert_int_equal(chain_verify(&p), t->error);
		if (t->changed & PART_KEY)
			assert_int_equal(EVP_PKEY_get_base_id(
					     X509_get0_pubkey(cert)),
			    EVP_PKEY_EC);
	}
	done(&a);
}

static const struct usage {
	const char *row, *edits;
	uint32_t usage;
	int unchanged; /* the RA that is like this anyway, but for its number */
} usages[] = {
	{ "signing only", "ca_certs.ra_key_usage=signing-only",
	    KU_DIGITAL_SIGNATURE, 0 },
	{ "encryption only", "ca_certs.ra_key_usage=encryption-only",
	    KU_KEY_ENCIPHERMENT, 1 },
};

static void
is_for_one_use(void **state)
{
	const struct usage *t = *state;
	struct answer a;

	ask(&a, ca.credentials, t->edits, 1);
	for (int i = 0; i < 2; i++) {
		X509 *cert = sk_X509_value(a.certs, i);

		parts_must_differ(ca.certs[CA_RA_SIGNING + i], cert,
		    PART_SERIAL | (i == t->unchanged ? 0 : PART_KEY_USAGE));
		assert_int_equal(X509_get_key_usage(cert), t->usage);
		assert_int_equal(X509_verify(cert,
				     X509_get0_pubkey(ca.certs[CA_ISSUING])),
		    1);
	}
	done(&a);
}

/* When it was wrong, to the second. */
static void
is_timed(void **state)
{
	struct answer a;

	(void)state;
	ask(&a, ca.credentials, "ca_certs.ra=expired", 1);
	assert_int_equal(ASN1_TIME_cmp_time_t(X509_get0_notAfter(
						  sk_X509_value(a.certs, 0)),
			     DEVICE_NOW - DAY),
	    0);
	done(&a);
	ask(&a, ca.credentials, "ca_certs.ra=not-yet-valid", 1);
	assert_int_equal(ASN1_TIME_cmp_time_t(X509_get0_notBefore(
						  sk_X509_value(a.certs, 1)),
			     DEVICE_NOW + DAY),
	    0);
	done(&a);
	ask(&a, ca.credentials, "ca_certs.include=expired-ra", 1);
	for (int i = 3; i < 5; i++)
		assert_int_equal(ASN1_TIME_cmp_time_t(X509_get0_notAfter(
							  sk_X509_value(a.certs,
							      i)),
				     DEVICE_NOW - DAY),
		    0);
	done(&a);
}

static int
compare_der(const struct blob *a, const struct blob *b)
{
	size_t len = a->len < b->len ? a->len : b->len;

	return memcmp(a->data, b->data, len);
}

/* X.690 11.6, of however many there are. */
static void
is_sorted(void **state)
{
	struct blob last = { NULL, 0 }, der;
	struct answer a;

	(void)state;
	ask(&a, tiers[3],
	    "ca_certs.include=stranger-ra,stranger-ca,expired-ra; "
	    "ca_certs.order=sorted",
	    1);
	assert_int_equal(sk_X509_num(a.certs), 10);
	for (int i = 0; i < 10; i++) {
		der = device_cert_der(sk_X509_value(a.certs, i));
		if (i > 0)
			assert_true(compare_der(&last, &der) < 0);
		blob_free(&last);
		last = der;
	}
	blob_free(&last);
	done(&a);
}

/* Of 24 orders some come, each time the same for the same count. */
static void
is_shuffled(void **state)
{
	char first[40] = "", letters[40], again[40];
	int others = 0;
	struct answer a;

	(void)state;
	for (uint32_t count = 1; count <= 20; count++) {
		ask(&a, tiers[2], "ca_certs.order=shuffled", count);
		letters_of(&a, tiers[2], letters);
		done(&a);
		ask(&a, tiers[2], "ca_certs.order=shuffled", count);
		letters_of(&a, tiers[2], again);
		done(&a);
		assert_string_equal(letters, again);
		if (count == 1)
			strcpy(first, letters);
		others += strcmp(first, letters) != 0;
		for (const char *c = "SECR"; *c != '\0'; c++)
			assert_non_null(strchr(letters, *c));
		assert_int_equal(strlen(letters), 4);
	}
	assert_in_range(others, 10, 20);
}

static void
all_are_tested(void **state)
{
	(void)state;
	edits_must_be_complete("ca_certs.");
}

static int
set_up(void **state)
{
	struct credentials *other;
	struct error err = { 0 };

	(void)state;
	ca = authority_open();
	tiers[1] = ca.credentials;
	for (int i = 2; i <= TIERS; i++) {
		const struct ca_shape shape = { KEY_EC_P256, i, 0 };

		if (credentials_new(ca.keys, &shape, DEVICE_NOW, &tiers[i],
			&err) == -1)
			fail_msg("%s", err.text);
	}
	if (credentials_stranger(ca.credentials, &other, &err) == -1)
		fail_msg("%s", err.text);
	stranger = other->keys[CA_ISSUING];
	credentials_free(other);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	for (int i = 2; i <= TIERS; i++)
		credentials_free(tiers[i]);
	authority_close(&ca);
	return 0;
}

int
main(void)
{
	static const struct table tables[] = {
		ROWS(is_shown, showns),
		ROWS(is_remade, remades),
		ROWS(is_for_one_use, usages),
		ONE(is_timed, "times are told from the site's"),
		ONE(is_sorted, "they are sorted as a SET OF"),
		ONE(is_shuffled, "they are shuffled, and can be replayed"),
		ONE(all_are_tested, "every key and every word is tested"),
	};

	return ROWS_RUN(tables, set_up, tear_down);
}
