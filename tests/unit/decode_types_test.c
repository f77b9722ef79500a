/* Requests of every type, as OpenSSL writes them, read by us. */
#include "unit/authority.h"

#include <limits.h>
#include <openssl/asn1t.h>
#include <openssl/rsa.h>

#include "scep/scep.h"

/* RFC 8894 3.3.3. */
typedef struct {
	X509_NAME *issuer, *subject;
} ISSUER_AND_SUBJECT;

/* clang-format off */
ASN1_SEQUENCE(ISSUER_AND_SUBJECT) = {
	ASN1_SIMPLE(ISSUER_AND_SUBJECT, issuer, X509_NAME),
	ASN1_SIMPLE(ISSUER_AND_SUBJECT, subject, X509_NAME)
} static_ASN1_SEQUENCE_END(ISSUER_AND_SUBJECT)
    /* clang-format on */

    static struct authority ra;
static struct blob poll, query, issuer, subject;

#define SERIAL "\x00\x9a\x00\x17\x80"
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct {
	const char *name, *text;
	enum scep_type type;
	const struct blob *content; /* NULL: the signer's PKCS#10 */
} types[] = {
	{ "RenewalReq", "17", SCEP_RENEWAL_REQ, NULL },
	{ "PKCSReq", "19", SCEP_PKCS_REQ, NULL },
	{ "CertPoll", "20", SCEP_CERT_POLL, &poll },
	{ "GetCert", "21", SCEP_GET_CERT, &query },
	{ "GetCRL", "22", SCEP_GET_CRL, &query },
};

static struct {
	const char *name, *curve; /* NULL: RSA */
	const EVP_MD *(*md)(void);
	enum digest digest;
	int signature_nid; /* what is said of it; 0: as OpenSSL does */
	EVP_PKEY *key;
	X509 *cert;
	struct blob request;
} signers[] = {
	{ "RSA", NULL, EVP_sha256, DIGEST_SHA256, 0, NULL, NULL, { 0 } },
	{ "P-256", "P-256", EVP_sha256, DIGEST_SHA256, 0, NULL, NULL, { 0 } },
	{ "P-384", "P-384", EVP_sha384, DIGEST_SHA384, 0, NULL, NULL, { 0 } },
	{ "P-521", "P-521", EVP_sha512, DIGEST_SHA512, 0, NULL, NULL, { 0 } },
	{ "P-256 named id-ecPublicKey", "P-256", EVP_sha1, DIGEST_SHA1,
	    NID_X9_62_id_ecPublicKey, NULL, NULL, { 0 } },
};

static void
wrap_oaep(EVP_PKEY_CTX *ctx)
{
	assert_true(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING));
}

static void
wrap_oaep_sha256(EVP_PKEY_CTX *ctx)
{
	wrap_oaep(ctx);
	assert_true(EVP_PKEY_CTX_set_rsa_oaep_md(ctx, EVP_sha256()));
	assert_true(EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_sha256()));
}

static const struct {
	const char *name;
	void (*wrap)(EVP_PKEY_CTX *);
	enum key_transport transport;
} transports[] = {
	{ "PKCS#1", NULL, TRANSPORT_PKCS1 },
	{ "OAEP", wrap_oaep, TRANSPORT_OAEP },
	{ "OAEP with SHA-256", wrap_oaep_sha256, TRANSPORT_OAEP },
};

static const struct {
	const char *name;
	bool inner, outer;
} forms[] = {
	{ "DER", false, false },
	{ "BER", true, true },
};

#define COMBINATIONS \
	(COUNT(types) * COUNT(signers) * COUNT(transports) * COUNT(forms))

static struct combination {
	char *row;
	size_t type, signer, transport, form;
} combinations[COMBINATIONS];

static size_t
take(size_t *i, size_t count)
{
	size_t at = *i % count;

	*i /= count;
	return at;
}

static void
combine(void)
{
	for (size_t i = 0; i < COMBINATIONS; i++) {
		struct combination *c = &combinations[i];
		size_t rest = i;

		c->form = take(&rest, COUNT(forms));
		c->transport = take(&rest, COUNT(transports));
		c->signer = take(&rest, COUNT(signers));
		c->type = take(&rest, COUNT(types));
		assert_int_not_equal(asprintf(&c->row, "%s, %s, %s, %s",
					 types[c->type].name,
					 signers[c->signer].name,
					 transports[c->transport].name,
					 forms[c->form].name),
		    -1);
	}
}

static const struct blob *
content_of(const struct combination *c)
{
	return types[c->type].content == NULL ? &signers[c->signer].request :
						types[c->type].content;
}

static struct letter
letter_by(size_t signer, const char *type)
{
	return (struct letter){ .type = type,
		.transaction = "9CB1CB998B7FCC0142297B492988AFB4",
		.text_type = V_ASN1_PRINTABLESTRING,
		.key = signers[signer].key,
		.signer = signers[signer].cert,
		.md = signers[signer].md(),
		.signature_nid = signers[signer].signature_nid,
		.cipher = EVP_aes_256_cbc(),
		.recipients = { ra.certs[CA_RA_ENCRYPTION] } };
}

static enum scep_flaw
decode(struct scep_request **out, struct span message, struct error *err)
{
	const struct scep_recipient us = { ra.crypto,
		ra.credentials->keys[CA_RA_ENCRYPTION],
		&ra.credentials->certs[CA_RA_ENCRYPTION], NULL };

	return scep_request_decode(out, message, &us, err);
}

/* What a query asks for, or nothing. */
static void
check_query(const struct scep_request *r, bool is_poll, bool is_query)
{
	bool any = is_poll || is_query;

	assert_octets(r->issuer, issuer.data, any ? issuer.len : 0);
	assert_octets(r->subject, subject.data, is_poll ? subject.len : 0);
	assert_octets(r->serial, SERIAL, is_query ? 5 : 0);
}

static void
check_request(const struct scep_request *r, const struct combination *c)
{
	const struct blob *content = content_of(c);

	assert_int_equal(r->type, types[c->type].type);
	assert_int_equal(r->digest, signers[c->signer].digest);
	assert_int_equal(r->transport, transports[c->transport].transport);
	assert_int_equal(r->cipher, CIPHER_AES256);
	assert_int_equal(r->ber, forms[c->form].inner || forms[c->form].outer);
	assert_int_equal(EVP_PKEY_eq(r->signer_key, signers[c->signer].key), 1);
	assert_octets(blob_span(&r->plain), content->data, content->len);
	assert_octets(r->sender_nonce, DEVICE_NONCE, 16);
	check_query(r, content == &poll, content == &query);
	if (types[c->type].content == NULL)
		assert_string_equal(r->csr.challenge, "8CE317021F690069");
	else
		assert_int_equal(r->csr.subject.len, 0);
}

static void
reads(void **state)
{
	const struct combination *c = *state;
	const struct blob *content = content_of(c);
	struct letter l = letter_by(c->signer, types[c->type].text);
	struct scep_request *r = NULL;
	struct error err = { 0 };
	enum scep_flaw flaw;
	struct blob message;

	l.wrap = transports[c->transport].wrap;
	l.stream_inner = forms[c->form].inner;
	/* OpenSSL signs as it streams: too late to name it otherwise. */
	l.stream_outer = forms[c->form].outer && l.signature_nid == 0;
	message = letter_write(&l, blob_span(content));
	flaw = decode(&r, blob_span(&message), &err);
	assert_string_equal(err.text, "");
	assert_int_equal(flaw, SCEP_SOUND);
	check_request(r, c);
	scep_request_free(r);
	blob_free(&message);
}

static void
invite_by_agreement(CMS_ContentInfo *cms)
{
	assert_non_null(
	    CMS_add1_recipient_cert(cms, signers[1].cert, CMS_BINARY));
}

static void
invite_by_key(CMS_ContentInfo *cms)
{
	uint8_t *key = OPENSSL_zalloc(16), *id = OPENSSL_zalloc(4);

	assert_non_null(CMS_add0_recipient_key(cms, NID_id_aes128_wrap, key, 16,
	    id, 4, NULL, NULL, NULL));
}

static void
invite_by_password(CMS_ContentInfo *cms)
{
	uint8_t *password = (uint8_t *)OPENSSL_strdup("secret");

	assert_non_null(CMS_add0_recipient_password(cms, -1, NID_undef,
	    NID_id_alg_PWRI_KEK, password, 6, NULL));
}

static void
invite_all(CMS_ContentInfo *cms)
{
	invite_by_password(cms);
	invite_by_agreement(cms);
	invite_by_key(cms);
	invite_by_agreement(cms);
}

static const struct guests {
	const char *row;
	void (*invite)(CMS_ContentInfo *);
} guests[] = {
	{ "one by key agreement", invite_by_agreement },
	{ "one by a key of both", invite_by_key },
	{ "one by password", invite_by_password },
	{ "all of these", invite_all },
};

static void
other_recipients(void **state)
{
	const struct guests *t = *state;
	struct letter l = letter_by(0, "20");

	l.invite = t->invite;
	/* Whatever the order: DER sorts the SET, BER leaves it. */
	for (int ber = 0; ber < 2; ber++) {
		struct scep_request *r = NULL;
		struct error err = { 0 };
		struct blob message;

		l.stream_inner = ber;
		message = letter_write(&l, blob_span(&poll));
		assert_int_equal(decode(&r, blob_span(&message), &err),
		    SCEP_SOUND);
		check_query(r, true, false);
		scep_request_free(r);
		blob_free(&message);
	}
	/* Without us none of them is ours. */
	l.recipients[0] = NULL;
	{
		struct blob message = letter_write(&l, blob_span(&poll));
		struct scep_request *r = NULL;
		struct error err = { 0 };

		assert_int_equal(decode(&r, blob_span(&message), &err),
		    SCEP_UNDECRYPTABLE);
		assert_string_equal(err.text,
		    "RFC 8894 3.1: no recipient is the RA's encryption "
		    "certificate");
		scep_request_free(r);
		blob_free(&message);
	}
}

#define NO_SUBJECT "RFC 8894 3.3.3: the content is not an IssuerAndSubject"
#define NO_SERIAL "RFC 8894 3.3.4: the content is not an IssuerAndSerialNumber"
#define NO_REQUEST "RFC 2986 4.1: the content is not a CertificationRequest"
#define NO_ASN1 "RFC 8894 3.3: the content is not ASN.1"
#define CN_A "30 0c 31 0a 30 08 06 03 55 04 03 0c 01 41"
#define TEXT_PLEASE "70 6c 65 61 73 65"

static const struct odd {
	const char *row, *type;
	const char *content; /* NULL: a PKCS#10 */
	enum scep_flaw flaw;
	const char *why;
} odds[] = {
	{ "a poll of two empty Names", "20", "30 04 30 00 30 00", SCEP_SOUND,
	    "" },
	{ "a poll in BER", "20", "30 80 30 80 00 00 " CN_A " 00 00", SCEP_SOUND,
	    "" },
	{ "a line end after a poll", "20", "30 04 30 00 30 00 0d 0a",
	    SCEP_SOUND, "" },
	{ "a poll that is a text", "20", TEXT_PLEASE, SCEP_BAD_QUERY,
	    NO_SUBJECT },
	{ "a poll without a word", "20", "", SCEP_BAD_QUERY, NO_SUBJECT },
	{ "a poll with the whole request", "20", NULL, SCEP_BAD_QUERY,
	    NO_SUBJECT },
	{ "a poll with a number", "20", "30 05 30 00 02 01 05", SCEP_BAD_QUERY,
	    NO_SUBJECT },
	{ "a poll with one Name", "20", "30 02 30 00", SCEP_BAD_QUERY,
	    NO_SUBJECT },
	{ "a poll with three Names", "20", "30 06 30 00 30 00 30 00",
	    SCEP_BAD_QUERY, NO_SUBJECT },
	{ "a poll that is a Name", "20", CN_A, SCEP_BAD_QUERY, NO_SUBJECT },
	{ "a poll with a SET", "20", "31 04 30 00 30 00", SCEP_BAD_QUERY,
	    NO_SUBJECT },
	{ "GetCert in BER", "21", "30 80 30 00 02 01 05 00 00", SCEP_SOUND,
	    "" },
	{ "GetCert of a negative number", "21", "30 05 30 00 02 01 85",
	    SCEP_SOUND, "" },
	{ "GetCert with a subject", "21", "30 04 30 00 30 00", SCEP_BAD_QUERY,
	    NO_SERIAL },
	{ "GetCert with the whole request", "21", NULL, SCEP_BAD_QUERY,
	    NO_SERIAL },
	{ "GetCert that is a text", "21", TEXT_PLEASE, SCEP_BAD_QUERY,
	    NO_SERIAL },
	{ "GetCert without a number", "21", "30 02 30 00", SCEP_BAD_QUERY,
	    NO_SERIAL },
	{ "GetCert of a number without digits", "21", "30 04 30 00 02 00",
	    SCEP_BAD_QUERY, NO_SERIAL },
	{ "GetCert of two numbers", "21", "30 08 30 00 02 01 05 02 01 06",
	    SCEP_BAD_QUERY, NO_SERIAL },
	{ "GetCert of a number in octets", "21", "30 05 30 00 04 01 05",
	    SCEP_BAD_QUERY, NO_SERIAL },
	{ "GetCert with no Name", "21", "30 05 31 00 02 01 05", SCEP_BAD_QUERY,
	    NO_SERIAL },
	{ "GetCRL without a word", "22", "", SCEP_BAD_QUERY, NO_SERIAL },
	{ "GetCRL with a subject", "22", "30 04 30 00 30 00", SCEP_BAD_QUERY,
	    NO_SERIAL },
	{ "PKCSReq with a poll", "19", "30 04 30 00 30 00", SCEP_BAD_CSR,
	    NO_REQUEST },
	{ "RenewalReq with a number", "17", "30 05 30 00 02 01 05",
	    SCEP_BAD_CSR, NO_REQUEST },
	{ "RenewalReq without a word", "17", "", SCEP_BAD_CSR, NO_ASN1 },
	{ "a type of no RFC, with a text", "41", TEXT_PLEASE, SCEP_SOUND, "" },
	{ "a type of no RFC, with a request", "18", NULL, SCEP_SOUND, "" },
	{ "a CertRep without a word", "3", "", SCEP_SOUND, "" },
};

static void
judges_content(void **state)
{
	const struct odd *t = *state;
	struct blob content = t->content == NULL ?
	    exact_copy(signers[0].request.data, signers[0].request.len) :
	    hex_blob(t->content);
	struct letter l = letter_by(1, t->type);
	struct blob message = letter_write(&l, blob_span(&content));
	struct scep_request *r = NULL;
	struct error err = { 0 };
	enum scep_flaw flaw = decode(&r, blob_span(&message), &err);

	assert_string_equal(err.text, t->why);
	assert_int_equal(flaw, t->flaw);
	assert_int_equal(r->type, atoi(t->type));
	assert_non_null(r->signer_key);
	if (flaw == SCEP_BAD_QUERY)
		check_query(r, false, false);
	/* Nobody looks into what has no type of ours. */
	if (flaw == SCEP_SOUND && r->type != 20 && r->type != 21)
		assert_octets(blob_span(&r->plain), content.data, content.len);
	scep_request_free(r);
	blob_free(&message);
	blob_free(&content);
}

static void
assert_inside(struct span part, const struct blob *whole)
{
	if (part.len > 0) {
		assert_true(part.data >= whole->data);
		assert_true(part.data + part.len <= whole->data + whole->len);
	}
}

static enum scep_flaw
decode_content(const char *type, struct span content)
{
	struct letter l = letter_by(1, type);
	struct blob message = letter_write(&l, content);
	struct scep_request *r = NULL;
	struct error err = { 0 };
	enum scep_flaw flaw = decode(&r, blob_span(&message), &err);

	assert_int_equal(flaw == SCEP_SOUND, err.text[0] == '\0');
	if (flaw == SCEP_BAD_QUERY)
		check_query(r, false, false);
	assert_inside(r->issuer, &r->plain);
	assert_inside(r->subject, &r->plain);
	assert_inside(r->serial, &r->plain);
	scep_request_free(r);
	blob_free(&message);
	return flaw;
}

static const struct damaged {
	const char *row, *type;
	const struct blob *content;
} damaged[] = {
	{ "CertPoll", "20", &poll },
	{ "GetCert", "21", &query },
	{ "GetCRL", "22", &query },
};

/* Cut to every length, then sealed and signed as if it were whole. */
static void
truncated(void **state)
{
	const struct damaged *t = *state;

	for (size_t len = 0; len < t->content->len; len++)
		assert_int_equal(decode_content(t->type,
				     span_of(t->content->data, len)),
		    SCEP_BAD_QUERY);
}

static void
flipped(void **state)
{
	const struct damaged *t = *state;
	struct blob copy = exact_copy(t->content->data, t->content->len);
	int sound = 0, bad = 0;

	for (size_t i = 0; i < 2 * copy.len; i++) {
		uint8_t flip = i % 2 == 0 ? 0x01 : 0x80;
		enum scep_flaw flaw;

		copy.data[i / 2] ^= flip;
		flaw = decode_content(t->type, blob_span(&copy));
		assert_true(flaw == SCEP_SOUND || flaw == SCEP_BAD_QUERY);
		sound += flaw == SCEP_SOUND;
		bad += flaw == SCEP_BAD_QUERY;
		copy.data[i / 2] ^= flip;
	}
	assert_in_range(sound, 1, INT_MAX);
	assert_in_range(bad, 4, INT_MAX);
	blob_free(&copy);
}

static struct blob
name_der(X509_NAME *name)
{
	const uint8_t *der;
	size_t len;

	assert_true(X509_NAME_get0_der(name, &der, &len));
	return exact_copy(der, len);
}

static void
make_contents(void)
{
	X509_NAME *ca = X509_get_subject_name(ra.certs[CA_ISSUING]);
	X509_NAME *own = X509_get_subject_name(signers[0].cert);
	ISSUER_AND_SUBJECT by_subject = { ca, own };
	ASN1_INTEGER *serial = d2i_ASN1_INTEGER(NULL,
	    &(const uint8_t *){ (const uint8_t *)"\x02\x05" SERIAL }, 7);
	PKCS7_ISSUER_AND_SERIAL by_serial = { ca, serial };
	uint8_t *der = NULL;
	int len;

	issuer = name_der(ca);
	subject = name_der(own);
	len = ASN1_item_i2d((ASN1_VALUE *)&by_subject, &der,
	    ASN1_ITEM_rptr(ISSUER_AND_SUBJECT));
	poll = device_take(der, len);
	der = NULL;
	len = i2d_PKCS7_ISSUER_AND_SERIAL(&by_serial, &der);
	query = device_take(der, len);
	ASN1_INTEGER_free(serial);
}

static int
set_up(void **state)
{
	(void)state;
	ra = authority_open();
	for (size_t i = 0; i < COUNT(signers); i++) {
		signers[i].key = signers[i].curve == NULL ?
		    device_key("device/device.key") :
		    EVP_EC_gen(signers[i].curve);
		signers[i].cert = device_cert(signers[i].key, "device-0001");
		signers[i].request = device_plain_request(signers[i].key,
		    "8CE317021F690069");
	}
	make_contents();
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(signers); i++) {
		blob_free(&signers[i].request);
		X509_free(signers[i].cert);
		EVP_PKEY_free(signers[i].key);
	}
	blob_free(&poll);
	blob_free(&query);
	blob_free(&issuer);
	blob_free(&subject);
	authority_close(&ra);
	return 0;
}

int
main(void)
{
	static const struct table tables[] = {
		ROWS(reads, combinations),
		ROWS(other_recipients, guests),
		ROWS(judges_content, odds),
		ROWS(truncated, damaged),
		ROWS(flipped, damaged),
	};
	int ret;

	combine();
	ret = ROWS_RUN(tables, set_up, tear_down);
	for (size_t i = 0; i < COMBINATIONS; i++)
		free(combinations[i].row);
	return ret;
}
