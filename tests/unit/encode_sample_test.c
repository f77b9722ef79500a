/*
 * Replies of real NDES (tests/fixtures/recorded), written again: the same
 * octets but where chance, a key or the certificate decides.
 */
#include "unit/authority.h"
#include "unit/reply.h"

#include "scep/scep.h"

/* The padded SUCCESS has 1600 octets encrypted, 47 of them around the leaf. */
#define LEAF_SIZE 1545

static struct authority ra;
static EVP_PKEY *key;

static struct blob
read_sample(const char *name)
{
	const char *source = getenv("MOCKNDES_SOURCE");
	static uint8_t octets[4096];
	char path[4096];
	size_t len;
	FILE *f;

	snprintf(path, sizeof(path), "%s/tests/fixtures/recorded/%s",
	    source == NULL ? "." : source, name);
	assert_non_null(f = fopen(path, "r"));
	len = fread(octets, 1, sizeof(octets), f);
	fclose(f);
	return exact_copy(octets, len);
}

static struct span
string(const ASN1_STRING *s)
{
	return span_of(ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s));
}

/* A sample, as OpenSSL's older and open structs show it. */
struct sample {
	struct blob der;
	PKCS7 *signed_data, *enveloped; /* enveloped: NULL if FAILURE */
	PKCS7_SIGNER_INFO *signer;
};

static struct sample
open_sample(const char *name)
{
	struct sample s = { .der = read_sample(name) };
	const uint8_t *at = s.der.data;
	struct span content;

	s.signed_data = d2i_PKCS7(NULL, &at, (long)s.der.len);
	assert_non_null(s.signed_data);
	s.signer =
	    sk_PKCS7_SIGNER_INFO_value(s.signed_data->d.sign->signer_info, 0);
	content = string(s.signed_data->d.sign->contents->d.data);
	at = content.data;
	if (content.len > 1)
		assert_non_null(
		    s.enveloped = d2i_PKCS7(NULL, &at, (long)content.len));
	return s;
}

static void
close_sample(struct sample *s)
{
	PKCS7_free(s->signed_data);
	PKCS7_free(s->enveloped);
	blob_free(&s->der);
}

static PKCS7_RECIP_INFO *
recipient_of(const struct sample *s)
{
	return sk_PKCS7_RECIP_INFO_value(
	    s->enveloped->d.enveloped->recipientinfo, 0);
}

/* Who is named; nothing else of a certificate goes into a reply. */
static struct x509
name_of(PKCS7_ISSUER_AND_SERIAL *id)
{
	struct x509 cert = { .serial = string(id->serial) };

	assert_true(X509_NAME_get0_der(id->issuer, &cert.issuer.data,
	    &cert.issuer.len));
	return cert;
}

static struct span
attribute(const struct sample *s, const char *oid)
{
	int nid = OBJ_txt2nid(oid);

	if (nid == NID_undef)
		nid = OBJ_create(oid, NULL, NULL);
	return string(
	    PKCS7_get_signed_attribute(s->signer, nid)->value.asn1_string);
}

static void
mask_octets(const struct sample *s, struct span part, uint8_t *ours)
{
	uint8_t *at = memmem(s->der.data, s->der.len, part.data, part.len);

	assert_non_null(at);
	/* Chance does not repeat: we have made something else of it. */
	assert_memory_not_equal(ours + (at - s->der.data), at, part.len);
	memcpy(ours + (at - s->der.data), at, part.len);
}

#define SCEP "2.16.840.1.113733.1.9."

static void
compare(const struct sample *s, struct blob *ours)
{
	assert_int_equal(ours->len, s->der.len);
	mask_octets(s, string(s->signer->enc_digest), ours->data);
	if (s->enveloped != NULL) {
		PKCS7_ENC_CONTENT *sealed = s->enveloped->d.enveloped->enc_data;

		mask_octets(s, attribute(s, "1.2.840.113549.1.9.4"),
		    ours->data);
		mask_octets(s, string(recipient_of(s)->enc_key), ours->data);
		mask_octets(s,
		    string(sealed->algorithm->parameter->value.octet_string),
		    ours->data);
		mask_octets(s, string(sealed->enc_data), ours->data);
	}
	assert_octets(blob_span(ours), s->der.data, s->der.len);
}

static const struct recorded {
	const char *row, *file;
	struct scep_reply reply;
} samples[] = {
	{ "SUCCESS, sealed with OAEP and AES-128",
	    "ndes-CertRep_NoCertificatesForSigners.der",
	    { .status = SCEP_SUCCESS, .ms_message = "Issued" } },
	{ "FAILURE of Windows 2012, the challenge was wrong",
	    "ndes-ws2012-certrep-failure.der",
	    { .status = SCEP_FAILURE,
		.fail_info = SCEP_BAD_REQUEST,
		.ms_error = -2147024809 } },
};

static void
writes_again(void **state)
{
	static const uint8_t leaf[LEAF_SIZE];
	const struct recorded *t = *state;
	struct sample s = open_sample(t->file);
	struct x509 signer = name_of(s.signer->issuer_and_serial), recipient;
	struct scep_reply reply = t->reply;
	struct scep_seal seal = { .crypto = ra.crypto,
		.signer_key = ra.credentials->keys[CA_RA_SIGNING],
		.signer = &signer,
		.digest = DIGEST_SHA1,
		.cipher = CIPHER_AES128,
		.transport = TRANSPORT_OAEP,
		.recipient_key = key,
		.recipient = &recipient };
	struct error err = { 0 };
	char transaction[80];
	struct blob ours;
	struct span text = attribute(&s, SCEP "7");

	snprintf(transaction, sizeof(transaction), "%.*s", (int)text.len,
	    text.data);
	reply.transaction_id = transaction;
	reply.sender_nonce = attribute(&s, SCEP "5");
	reply.recipient_nonce = attribute(&s, SCEP "6");
	reply.certificate = span_of(leaf, sizeof(leaf));
	if (s.enveloped != NULL)
		recipient = name_of(recipient_of(&s)->issuer_and_serial);
	assert_int_equal(scep_reply_encode(&ours, &reply, &seal, &err), 0);
	compare(&s, &ours);
	blob_free(&ours);
	close_sample(&s);
}

static int
set_up(void **state)
{
	(void)state;
	ra = authority_open();
	key = device_key("device/device.key");
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	EVP_PKEY_free(key);
	authority_close(&ra);
	return 0;
}

int
main(void)
{
	static const struct table tables[] = { ROWS(writes_again, samples) };

	return ROWS_RUN(tables, set_up, tear_down);
}
