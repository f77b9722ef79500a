/*
 * A row for everything that can be found: a message that has it, and of all
 * else nothing. OpenSSL writes the messages, or reads those written by hand.
 */
#include "unit/findings_csr.h"
#include "unit/findings_signed.h"
#include "unit/findings_signers.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static OSSL_PROVIDER *standard, *legacy;

static void
sign_in_time(CMS_SignerInfo *si)
{
	ASN1_TIME *now = ASN1_TIME_set(NULL, DEVICE_NOW);

	assert_true(CMS_signed_add1_attr_by_NID(si, NID_pkcs9_signingTime,
	    now->type, now, -1));
	ASN1_TIME_free(now);
}

static struct letter
plain_letter(const char *type)
{
	return (struct letter){ .type = type == NULL ? "19" : type,
		.transaction = "9CB1CB998B7FCC0142297B492988AFB4",
		.text_type = V_ASN1_PRINTABLESTRING,
		.key = key,
		.signer = cert,
		.md = EVP_sha256(),
		.cipher = EVP_aes_128_cbc(),
		.recipients = { ra.certs[CA_RA_ENCRYPTION] },
		.add = sign_in_time };
}

/* Of the device, as the row has it. */
static X509 *
make_cert(const struct letter_row *t)
{
	EVP_PKEY *own = t->other_key ? other : key, *issuer = own;
	X509 *x = device_cert(own, "device-0001");

	if (t->signer == ISSUED) {
		issuer = ra.credentials->keys[CA_ISSUING];
		assert_true(X509_set_issuer_name(x,
		    X509_get_subject_name(ra.certs[CA_ISSUING])));
	} else if (t->signer == ISSUED_ELSEWHERE) {
		assert_true(
		    X509_set_issuer_name(x, X509_get_subject_name(others_ca)));
	}
	if (t->certify != NULL)
		t->certify(x);
	assert_true(X509_sign(x, issuer, EVP_sha256()) > 0);
	return x;
}

static struct blob
make_request(void (*ask)(X509_REQ *))
{
	X509_REQ *r = device_request(key, "device-0001");
	X509_EXTENSION *name = X509V3_EXT_conf_nid(NULL, NULL,
	    NID_subject_alt_name, "DNS:device-0001.example");
	STACK_OF(X509_EXTENSION) *list = sk_X509_EXTENSION_new_null();
	struct blob der;

	assert_true(sk_X509_EXTENSION_push(list, name) > 0);
	assert_true(X509_REQ_add_extensions(r, list));
	sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
	device_add_challenge(r, V_ASN1_PRINTABLESTRING, "8CE317021F690069", 16);
	if (ask != NULL)
		ask(r);
	assert_true(X509_REQ_sign(r, key, EVP_sha256()) > 0);
	der = device_request_der(r);
	X509_REQ_free(r);
	return der;
}

static struct blob
write_letter(const struct letter_row *t, struct letter *l)
{
	struct blob content = make_request(t->ask), sealed, message;
	struct buffer b = { 0 };

	buffer_add_span(&b, blob_span(&content));
	if (t->pack != NULL)
		t->pack(&b);
	sealed = letter_seal(l, buffer_span(&b));
	if (t->envelop != NULL)
		t->envelop(&sealed);
	message = letter_sign(l, blob_span(&sealed));
	if (t->post != NULL)
		t->post(&message);
	blob_free(&sealed);
	blob_free(&content);
	buffer_free(&b);
	return message;
}

static void
must_find(struct span message, int64_t now, const char *wanted)
{
	char found[FINDINGS_TEXT];

	findings_of(message, ra.crypto, ra.credentials->keys[CA_RA_ENCRYPTION],
	    ra.credentials->certs, now, found);
	assert_string_equal(found, wanted);
}

static void
finds(void **state)
{
	const struct letter_row *t = *state;
	struct letter l = plain_letter(t->type);
	X509 *own = make_cert(t);
	struct blob message;

	l.signer = own;
	if (t->other_key)
		l.key = other;
	if (t->write != NULL)
		t->write(&l);
	message = write_letter(t, &l);
	must_find(blob_span(&message), DEVICE_NOW + t->after, t->found);
	blob_free(&message);
	X509_free(own);
}

/* OpenSSL's opinion of what was written by hand. */
static void
must_be_cms(struct span message, EVP_PKEY *signer, bool sound)
{
	const uint8_t *at = message.data;
	CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &at,
	    (long)message.len);
	CMS_SignerInfo *si;

	assert_non_null(cms);
	if (sound) {
		si = sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(cms), 0);
		CMS_SignerInfo_set1_signer_cert(si, cert);
		assert_ptr_equal(signer, key);
		assert_int_equal(CMS_SignerInfo_verify(si), 1);
	}
	CMS_ContentInfo_free(cms);
}

static void
finds_signed(void **state)
{
	const struct hand *t = *state;
	struct letter l = plain_letter(NULL);
	struct blob sealed = letter_seal(&l, blob_span(&request));
	struct blob message = hands_write(t, blob_span(&sealed), cert, key);

	if (!t->unreadable)
		must_be_cms(blob_span(&message), key,
		    t == &hands[0] || t->order == BACKWARDS_SIGNED);
	must_find(blob_span(&message), DEVICE_NOW, t->found);
	blob_free(&message);
	blob_free(&sealed);
}

static void
must_be_request(struct span content, bool sound)
{
	const uint8_t *at = content.data;
	X509_REQ *r = d2i_X509_REQ(NULL, &at, (long)content.len);

	assert_non_null(r);
	if (sound)
		assert_int_equal(X509_REQ_verify(r, X509_REQ_get0_pubkey(r)),
		    1);
	X509_REQ_free(r);
}

/* The signer has the subject of the request, whatever it is. */
static X509 *
namesake_of(const struct csr *t, EVP_PKEY *own)
{
	struct blob der = csrs_subject(t);
	const uint8_t *at = der.data;
	X509_NAME *name = d2i_X509_NAME(NULL, &at, (long)der.len);
	X509 *x = device_cert(own, "device-0001");

	assert_non_null(name);
	assert_true(X509_set_subject_name(x, name));
	assert_true(X509_set_issuer_name(x, name));
	assert_true(X509_sign(x, own, EVP_sha256()) > 0);
	X509_NAME_free(name);
	blob_free(&der);
	return x;
}

static void
finds_requested(void **state)
{
	const struct csr *t = *state;
	EVP_PKEY *own = t->key == NULL ? key : t->key();
	struct letter l = plain_letter(NULL);
	struct blob content = csrs_write(t, own), message;

	if (!t->unreadable)
		must_be_request(blob_span(&content),
		    !t->spoilt && !t->indefinite);
	l.key = own;
	l.signer = namesake_of(t, own);
	message = letter_write(&l, blob_span(&content));
	must_find(blob_span(&message), DEVICE_NOW, t->found);
	blob_free(&message);
	blob_free(&content);
	X509_free(l.signer);
	if (own != key)
		EVP_PKEY_free(own);
}

/* Of a message of which nothing is known but itself. */
static void
without_surroundings(void **state)
{
	static const struct scep_surroundings nothing = { 0 };
	const struct scep_recipient us = { ra.crypto,
		ra.credentials->keys[CA_RA_SIGNING],
		&ra.credentials->certs[CA_RA_SIGNING], NULL };
	const struct letter_row row = { .row = "issued", .signer = ISSUED };
	struct letter l = plain_letter("17");
	char found[FINDINGS_TEXT];
	struct scep_request *r;
	struct error err = { 0 };
	struct blob message;

	(void)state;
	l.signer = make_cert(&row);
	to_signing_ra(&l);
	message = write_letter(&row, &l);
	assert_int_equal(scep_request_decode(&r, blob_span(&message), &us,
			     &err),
	    SCEP_SOUND);
	scep_request_inspect(r, &nothing);
	assert_string_equal(findings_names(&r->found, found),
	    "renewal-other-ca renewal-same-key challenge-in-renewal");
	scep_request_free(r);
	X509_free(l.signer);
	blob_free(&message);
}

static void
finds_nothing_in_noise(void **state)
{
	(void)state;
	must_find(SPAN_EMPTY, DEVICE_NOW, "");
	must_find(span_text("GET / HTTP/1.0"), DEVICE_NOW, "");
	must_find(span_of("\x30\x80\x00\x00", 4), DEVICE_NOW, "");
}

static bool
has_row(const char *name)
{
	for (size_t i = 0; i < COUNT(letters); i++)
		if (findings_mention(letters[i].found, name))
			return true;
	for (size_t i = 0; i < COUNT(signers); i++)
		if (findings_mention(signers[i].found, name))
			return true;
	for (size_t i = 0; i < COUNT(hands); i++)
		if (findings_mention(hands[i].found, name))
			return true;
	for (size_t i = 0; i < COUNT(csrs); i++)
		if (findings_mention(csrs[i].found, name))
			return true;
	return false;
}

static void
table_is_whole(void **state)
{
	size_t count;
	const struct finding *table = scep_findings(&count);

	(void)state;
	assert_in_range(count, 2, FINDINGS_MAX);
	for (size_t i = 1; i < count; i++) {
		findings_must_be_told(&table[i]);
		for (size_t j = 1; j < i; j++)
			assert_string_not_equal(table[i].name, table[j].name);
		if (!has_row(table[i].name))
			fail_msg("%s has no row", table[i].name);
	}
}

static int
set_up(void **state)
{
	const struct letter_row plain = { .row = "plain" };

	(void)state;
	standard = OSSL_PROVIDER_load(NULL, "default");
	legacy = OSSL_PROVIDER_load(NULL, "legacy");
	ra = authority_open();
	key = device_key("device/device.key");
	other = device_key("device/other.key");
	curve = EVP_EC_gen("P-256");
	others_ca = device_cert(other, "somebody else's CA");
	curve_cert = device_cert(curve, "device-0001");
	cert = make_cert(&plain);
	request = make_request(NULL);
	return standard == NULL || legacy == NULL;
}

static int
tear_down(void **state)
{
	(void)state;
	blob_free(&request);
	X509_free(misspelt);
	X509_free(cert);
	X509_free(curve_cert);
	X509_free(others_ca);
	EVP_PKEY_free(key);
	EVP_PKEY_free(other);
	EVP_PKEY_free(curve);
	authority_close(&ra);
	OSSL_PROVIDER_unload(legacy);
	OSSL_PROVIDER_unload(standard);
	return 0;
}

int
main(void)
{
	static const struct table tables[] = {
		ROWS(finds, letters),
		ROWS(finds, signers),
		ROWS(finds_signed, hands),
		ROWS(finds_requested, csrs),
		ONE(without_surroundings, "what is not known is not judged"),
		ONE(finds_nothing_in_noise, "what is no message has nothing"),
		ONE(table_is_whole, "all that can be found has a row here"),
	};

	return ROWS_RUN(tables, set_up, tear_down);
}
