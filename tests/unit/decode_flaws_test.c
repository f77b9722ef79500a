/* Messages that are wrong in one thing: how far they can be read. */
#include "unit/authority.h"

#include "scep/scep.h"

static struct authority ra;
static EVP_PKEY *key, *other;
static X509 *cert, *other_cert;
static struct blob request;

static struct letter
plain_letter(void)
{
	return (struct letter){ .type = "19",
		.transaction = "9CB1CB998B7FCC0142297B492988AFB4",
		.text_type = V_ASN1_PRINTABLESTRING,
		.key = key,
		.signer = cert,
		.md = EVP_sha256(),
		.cipher = EVP_aes_128_cbc(),
		.recipients = { ra.certs[CA_RA_ENCRYPTION] } };
}

static struct blob
write_plain(const struct letter *l)
{
	return letter_write(l, blob_span(&request));
}

static struct blob
text(void)
{
	return exact_copy("certificate, please", 19);
}

static struct blob
nothing(void)
{
	return exact_copy("", 0);
}

static struct blob
only_envelope(void)
{
	struct letter l = plain_letter();

	return letter_seal(&l, blob_span(&request));
}

static struct blob
only_request(void)
{
	return exact_copy(request.data, request.len);
}

static struct blob
no_signers(void)
{
	PKCS7 *p7 = PKCS7_new();
	uint8_t *der = NULL;
	int len;

	assert_true(PKCS7_set_type(p7, NID_pkcs7_signed));
	assert_true(PKCS7_content_new(p7, NID_pkcs7_data));
	assert_true(PKCS7_add_certificate(p7, cert));
	len = i2d_PKCS7(p7, &der);
	PKCS7_free(p7);
	return device_take(der, len);
}

static struct blob
no_type(void)
{
	struct letter l = plain_letter();

	l.type = NULL;
	return write_plain(&l);
}

static struct blob
type_in_words(void)
{
	struct letter l = plain_letter();

	l.type = "PKCSReq";
	return write_plain(&l);
}

static struct blob
type_as_octets(void)
{
	struct letter l = plain_letter();

	l.text_type = V_ASN1_OCTET_STRING;
	return write_plain(&l);
}

static struct blob
no_transaction(void)
{
	struct letter l = plain_letter();

	l.transaction = NULL;
	return write_plain(&l);
}

static struct blob
long_transaction(void)
{
	struct letter l = plain_letter();
	char id[2000];

	memset(id, 'A', sizeof(id) - 1);
	id[sizeof(id) - 1] = '\0';
	l.transaction = id;
	return write_plain(&l);
}

static void
add_nul_transaction(CMS_SignerInfo *si)
{
	letter_add(si, "2.16.840.1.113733.1.9.7", V_ASN1_PRINTABLESTRING,
	    span_of("AB\0CD", 5));
}

static struct blob
nul_transaction(void)
{
	struct letter l = plain_letter();

	l.transaction = NULL;
	l.add = add_nul_transaction;
	return write_plain(&l);
}

static struct blob
no_certificate(void)
{
	struct letter l = plain_letter();

	l.signer_flags = CMS_NOCERTS;
	return write_plain(&l);
}

static struct blob
other_certificate(void)
{
	struct letter l = plain_letter();

	l.signer_flags = CMS_NOCERTS;
	l.extra = other_cert;
	return write_plain(&l);
}

/* Damages the first octet of a part that is known to stand there. */
static struct blob
damage(struct blob message, struct span part)
{
	uint8_t *at = memmem(message.data, message.len, part.data, part.len);

	assert_non_null(at);
	at[0] ^= 0x01;
	return message;
}

static struct blob
changed_transaction(void)
{
	struct letter l = plain_letter();

	return damage(write_plain(&l), span_text(l.transaction));
}

static struct blob
changed_content(void)
{
	struct letter l = plain_letter();
	struct blob sealed = letter_seal(&l, blob_span(&request));
	struct blob message = letter_sign(&l, blob_span(&sealed));

	message = damage(message, span_of(sealed.data + sealed.len - 16, 16));
	blob_free(&sealed);
	return message;
}

static struct blob
changed_signature(void)
{
	struct letter l = plain_letter();
	struct blob message = write_plain(&l);

	/* The signature is what a message ends with. */
	message.data[message.len - 1] ^= 0x01;
	return message;
}

static struct blob
other_digest(void)
{
	struct letter l = plain_letter();

	l.digest_nid = NID_sha512;
	return write_plain(&l);
}

/* Signed with a key that is not the one in the signer's certificate. */
static struct blob
other_key(void)
{
	struct letter l = plain_letter();
	X509 *lie = X509_dup(cert);
	struct blob message;

	assert_true(X509_set_pubkey(lie, other));
	l.signer = lie;
	l.key = other;
	l.signer_flags = CMS_NOCERTS;
	l.extra = cert;
	message = write_plain(&l);
	X509_free(lie);
	return message;
}

static struct blob
unknown_digest(void)
{
	struct letter l = plain_letter();

	l.md = EVP_sha3_256();
	return write_plain(&l);
}

static void
sign_by_pss(CMS_SignerInfo *si)
{
	assert_int_equal(
	    EVP_PKEY_CTX_set_rsa_padding(CMS_SignerInfo_get0_pkey_ctx(si),
		RSA_PKCS1_PSS_PADDING),
	    1);
}

static struct blob
pss_signature(void)
{
	struct letter l = plain_letter();

	l.signer_flags = CMS_KEY_PARAM;
	l.add = sign_by_pss;
	return write_plain(&l);
}

static struct blob
unknown_curve(void)
{
	struct letter l = plain_letter();
	struct blob message;

	l.key = EVP_EC_gen("secp256k1");
	l.signer = device_cert(l.key, "device-0001");
	message = write_plain(&l);
	X509_free(l.signer);
	EVP_PKEY_free(l.key);
	return message;
}

static struct blob
unknown_cipher(void)
{
	struct letter l = plain_letter();

	l.cipher = EVP_camellia_128_cbc();
	return write_plain(&l);
}

static struct blob
not_for_us(void)
{
	struct letter l = plain_letter();

	l.recipients[0] = ra.certs[CA_ISSUING];
	l.recipients[1] = ra.certs[CA_RA_SIGNING];
	return write_plain(&l);
}

static struct blob
not_for_us_by_key_id(void)
{
	struct letter l = plain_letter();

	l.recipients[0] = ra.certs[CA_ISSUING];
	l.recipient_flags = CMS_USE_KEYID;
	return write_plain(&l);
}

static struct blob
sign_content(const void *content, size_t len)
{
	struct letter l = plain_letter();

	return letter_sign(&l, span_of(content, len));
}

static struct blob
text_for_envelope(void)
{
	return sign_content("certificate, please", 19);
}

static struct blob
no_content(void)
{
	return sign_content("", 0);
}

static struct blob
request_for_envelope(void)
{
	return sign_content(request.data, request.len);
}

static struct blob
authenticated_envelope(void)
{
	struct letter l = plain_letter();

	l.cipher = EVP_aes_128_gcm();
	return write_plain(&l);
}

/* A part of a sealed envelope is damaged, and then it is signed. */
static struct blob
sign_damaged(size_t from_end)
{
	struct letter l = plain_letter();
	struct blob sealed = letter_seal(&l, blob_span(&request)), message;

	sealed.data[sealed.len - from_end] ^= 0x80;
	message = letter_sign(&l, blob_span(&sealed));
	blob_free(&sealed);
	return message;
}

/* The key that is wrapped ends before the sealed content begins. */
static struct blob
damaged_key(void)
{
	return sign_damaged(request.len + 200);
}

static struct blob
short_iv(void)
{
	struct letter l = plain_letter();
	struct blob sealed = letter_seal(&l, blob_span(&request)), message;
	/* aes128-CBC and the head of its IV: a tag that is no IV's. */
	uint8_t *at = memmem(sealed.data, sealed.len,
	    "\x60\x86\x48\x01\x65\x03\x04\x01\x02\x04\x10", 11);

	assert_non_null(at);
	at[9] = V_ASN1_NULL;
	message = letter_sign(&l, blob_span(&sealed));
	blob_free(&sealed);
	return message;
}

static struct blob
seal_content(const char *type, const void *content, size_t len)
{
	struct letter l = plain_letter();

	l.type = type;
	return letter_write(&l, span_of(content, len));
}

static struct blob
text_for_request(void)
{
	return seal_content("19", "certificate, please", 19);
}

static struct blob
sequence_for_request(void)
{
	return seal_content("19", "\x30\x02\x05\x00", 4);
}

static struct blob
poll_for_request(void)
{
	return seal_content("17", "\x30\x04\x30\x00\x30\x00", 6);
}

static struct blob
unknown_request_key(void)
{
	EVP_PKEY *strange = EVP_EC_gen("secp256k1");
	struct blob content = device_plain_request(strange, "secret");
	struct letter l = plain_letter();
	struct blob message = letter_write(&l, blob_span(&content));

	blob_free(&content);
	EVP_PKEY_free(strange);
	return message;
}

static struct blob
changed_request(void)
{
	struct letter l = plain_letter();
	struct blob content = exact_copy(request.data, request.len), message;

	content = damage(content, span_text("8CE317021F690069"));
	message = letter_write(&l, blob_span(&content));
	blob_free(&content);
	return message;
}

static struct blob
request_of_another_key(void)
{
	X509_REQ *lie = device_request(other, "device-0001");
	struct letter l = plain_letter();
	struct blob content, message;

	assert_true(X509_REQ_sign(lie, key, EVP_sha256()) > 0);
	content = device_request_der(lie);
	message = letter_write(&l, blob_span(&content));
	X509_REQ_free(lie);
	blob_free(&content);
	return message;
}

#define NOT_CMS "RFC 8894 3: not a SignedData"
#define NOT_ENVELOPE "RFC 8894 3.1: the content is not an EnvelopedData"
#define NO_DECRYPT "RFC 8894 3.1: the envelope does not decrypt"
#define NOT_VERIFIED                                        \
	"RFC 5652 5.6: the signature does not verify with " \
	"the signer's certificate"
#define NOT_KEY                                                             \
	"the public key is neither RSA of 512 to 16384 bits nor EC P-256, " \
	"P-384 or P-521"

static const struct flawed {
	const char *row;
	enum scep_flaw flaw;
	struct blob (*make)(void);
	const char *why;
} flaws[] = {
	{ "nothing", SCEP_NOT_CMS, nothing, NOT_CMS },
	{ "a text", SCEP_NOT_CMS, text, NOT_CMS },
	{ "an envelope that nobody signed", SCEP_NOT_CMS, only_envelope,
	    NOT_CMS },
	{ "a bare request", SCEP_NOT_CMS, only_request, NOT_CMS },
	{ "a SignedData without signers", SCEP_NOT_CMS, no_signers, NOT_CMS },
	{ "no messageType", SCEP_NO_INFO, no_type,
	    "RFC 8894 3.2.1: no messageType" },
	{ "a messageType in words", SCEP_NO_INFO, type_in_words,
	    "RFC 8894 3.2.1: no messageType" },
	{ "a messageType in octets", SCEP_NO_INFO, type_as_octets,
	    "RFC 8894 3.2.1: no messageType" },
	{ "no transactionID", SCEP_NO_INFO, no_transaction,
	    "RFC 8894 3.2.1: no transactionID" },
	{ "a transactionID without end", SCEP_NO_INFO, long_transaction,
	    "RFC 8894 3.2.1: no transactionID" },
	{ "a NUL in the transactionID", SCEP_NO_INFO, nul_transaction,
	    "RFC 8894 3.2.1: no transactionID" },
	{ "no certificate", SCEP_NO_INFO, no_certificate,
	    "RFC 8894 3.2.1: no certificate of the signer" },
	{ "somebody else's certificate", SCEP_NO_INFO, other_certificate,
	    "RFC 8894 3.2.1: no certificate of the signer" },
	{ "a changed attribute", SCEP_BAD_SIGNATURE, changed_transaction,
	    NOT_VERIFIED },
	{ "a changed signature", SCEP_BAD_SIGNATURE, changed_signature,
	    NOT_VERIFIED },
	{ "another key than the certificate's", SCEP_BAD_SIGNATURE, other_key,
	    NOT_VERIFIED },
	{ "changed content", SCEP_BAD_SIGNATURE, changed_content,
	    "RFC 5652 11.2: messageDigest is not the sha256 of the content" },
	{ "another digest than said", SCEP_BAD_SIGNATURE, other_digest,
	    "RFC 5652 11.2: messageDigest is not the sha512 of the content" },
	{ "an unknown digest", SCEP_UNKNOWN_ALGORITHM, unknown_digest,
	    "RFC 5652 5.3: unknown digest" },
	{ "a signature by RSASSA-PSS", SCEP_UNKNOWN_ALGORITHM, pss_signature,
	    "RFC 5652 5.3: RSASSA-PSS is not supported" },
	{ "a signer's key that nobody knows", SCEP_UNKNOWN_ALGORITHM,
	    unknown_curve, NOT_KEY },
	{ "an unknown cipher", SCEP_UNKNOWN_ALGORITHM, unknown_cipher,
	    "RFC 5652 6.1: unknown content encryption" },
	{ "an envelope for CA and signing RA", SCEP_UNDECRYPTABLE, not_for_us,
	    "RFC 8894 3.1: no recipient is the RA's encryption certificate" },
	{ "an envelope for another key id", SCEP_UNDECRYPTABLE,
	    not_for_us_by_key_id,
	    "RFC 8894 3.1: no recipient is the RA's encryption certificate" },
	{ "a text for an envelope", SCEP_UNDECRYPTABLE, text_for_envelope,
	    NOT_ENVELOPE },
	{ "no content", SCEP_UNDECRYPTABLE, no_content, NOT_ENVELOPE },
	{ "a request that nobody sealed", SCEP_UNDECRYPTABLE,
	    request_for_envelope, NOT_ENVELOPE },
	{ "an AuthEnvelopedData", SCEP_UNDECRYPTABLE, authenticated_envelope,
	    NOT_ENVELOPE },
	{ "a damaged key", SCEP_UNDECRYPTABLE, damaged_key, NO_DECRYPT },
	{ "an IV that is none", SCEP_UNDECRYPTABLE, short_iv, NOT_ENVELOPE },
	{ "a text for a request", SCEP_BAD_CSR, text_for_request,
	    "RFC 8894 3.3: the content is not ASN.1" },
	{ "a sequence for a request", SCEP_BAD_CSR, sequence_for_request,
	    "RFC 2986 4.1: the content is not a CertificationRequest" },
	{ "a poll in a RenewalReq", SCEP_BAD_CSR, poll_for_request,
	    "RFC 2986 4.1: the content is not a CertificationRequest" },
	{ "a request for a key that nobody knows", SCEP_BAD_CSR,
	    unknown_request_key, NOT_KEY },
	{ "a changed request", SCEP_BAD_PROOF, changed_request,
	    "RFC 2986 4.2: the signature of the CSR does not verify with its "
	    "own key" },
	{ "a request of another key", SCEP_BAD_PROOF, request_of_another_key,
	    "RFC 2986 4.2: the signature of the CSR does not verify with its "
	    "own key" },
};

static enum scep_flaw
decode(struct scep_request **out, struct span message, struct error *err)
{
	const struct scep_recipient us = { ra.crypto,
		ra.credentials->keys[CA_RA_ENCRYPTION],
		&ra.credentials->certs[CA_RA_ENCRYPTION], NULL };

	return scep_request_decode(out, message, &us, err);
}

/* What a flaw at a later stage leaves is there, for the answer. */
static void
check_stages(enum scep_flaw flaw, const struct scep_request *r)
{
	assert_non_null(r);
	if (flaw == SCEP_NOT_CMS)
		assert_int_equal(r->type, -1);
	if (flaw != SCEP_SOUND && flaw < SCEP_BAD_SIGNATURE)
		return;
	assert_in_range(r->type, 0, 999);
	assert_non_null(r->transaction_id);
	assert_true(r->signer.spki.len > 0);
	if (flaw == SCEP_SOUND || flaw >= SCEP_UNDECRYPTABLE) {
		assert_in_range(r->digest, DIGEST_MD5, DIGEST_SHA512);
		assert_non_null(r->signer_key);
	}
	if (flaw == SCEP_BAD_PROOF)
		assert_true(r->csr.subject.len > 0);
}

static void
finds_flaw(void **state)
{
	const struct flawed *t = *state;
	struct scep_request *r = NULL;
	struct blob message = t->make();
	struct error err = { 0 };
	enum scep_flaw flaw = decode(&r, blob_span(&message), &err);

	assert_string_equal(err.text, t->why);
	assert_int_equal(flaw, t->flaw);
	check_stages(flaw, r);
	scep_request_free(r);
	blob_free(&message);
}

static int
set_up(void **state)
{
	(void)state;
	ra = authority_open();
	key = device_key("device/device.key");
	other = device_key("device/other.key");
	cert = device_cert(key, "device-0001");
	other_cert = device_cert(other, "device-0002");
	request = device_plain_request(key, "8CE317021F690069");
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	blob_free(&request);
	X509_free(cert);
	X509_free(other_cert);
	EVP_PKEY_free(key);
	EVP_PKEY_free(other);
	authority_close(&ra);
	return 0;
}

int
main(void)
{
	static const struct table tables[] = {
		ROWS(finds_flaw, flaws),
	};

	return ROWS_RUN(tables, set_up, tear_down);
}
