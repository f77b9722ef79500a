/* Messages that were cut or damaged on their way. */
#include "unit/authority.h"

#include "scep/scep.h"

static struct authority ra;
static EVP_PKEY *key, *ec;
static X509 *cert, *ec_cert;
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

static const struct form {
	const char *row;
	bool ber;
} forms[] = {
	{ "a message in DER", false },
	{ "a message in BER", true },
};

static struct blob
write_form(const struct form *t)
{
	struct letter l = plain_letter();

	l.stream_inner = l.stream_outer = t->ber;
	return write_plain(&l);
}

static void
truncated(void **state)
{
	struct blob message = write_form(*state);

	for (size_t len = 0; len < message.len; len++) {
		struct blob cut = exact_copy(message.data, len);
		struct scep_request *r = NULL;
		struct error err = { 0 };

		assert_int_equal(decode(&r, blob_span(&cut), &err),
		    SCEP_NOT_CMS);
		assert_string_equal(err.text, "RFC 8894 3: not a SignedData");
		scep_request_free(r);
		blob_free(&cut);
	}
	blob_free(&message);
}

/* Whatever was damaged: no crash, a reason, or else nothing that was signed. */
static enum scep_flaw
decode_damaged(const struct blob *message)
{
	struct blob copy = exact_copy(message->data, message->len);
	struct scep_request *r = NULL;
	struct error err = { 0 };
	enum scep_flaw flaw = decode(&r, blob_span(&copy), &err);

	assert_in_range(flaw, SCEP_SOUND, SCEP_BAD_PROOF);
	check_stages(flaw, r);
	if (flaw != SCEP_SOUND) {
		assert_string_not_equal(err.text, "");
	} else {
		assert_string_equal(err.text, "");
		assert_string_equal(r->transaction_id,
		    "9CB1CB998B7FCC0142297B492988AFB4");
		assert_octets(r->sender_nonce, DEVICE_NONCE, 16);
		assert_octets(blob_span(&r->plain), request.data, request.len);
	}
	scep_request_free(r);
	blob_free(&copy);
	return flaw;
}

static void
flipped(void **state)
{
	static const uint8_t flips[] = { 0x01, 0x80 };
	const struct form *t = *state;
	struct blob message = write_form(t);
	bool seen[SCEP_BAD_PROOF + 1] = { false };

	/* Every octet both ways in DER; in BER two of three, one way. */
	for (size_t i = 0; i < 2 * message.len; i += t->ber ? 3 : 1) {
		message.data[i / 2] ^= flips[i % 2];
		seen[decode_damaged(&message)] = true;
		message.data[i / 2] ^= flips[i % 2];
	}
	/* The damage went through the whole of the outer message. */
	for (int flaw = SCEP_NOT_CMS; flaw <= SCEP_UNKNOWN_ALGORITHM; flaw++)
		assert_true(seen[flaw]);
	blob_free(&message);
}

/*
 * The damage is under a good signature, by EC because RSA would take long:
 * thus it reaches the envelope and what is in it.
 */
static void
flipped_envelope(void **state)
{
	struct letter l = plain_letter();
	const struct form *t = *state;
	bool seen[SCEP_BAD_PROOF + 1] = { false };
	struct blob sealed, message;

	l.key = ec;
	l.signer = ec_cert;
	l.stream_inner = t->ber;
	sealed = letter_seal(&l, blob_span(&request));
	for (size_t i = 0; i < sealed.len; i += t->ber ? 3 : 1) {
		uint8_t flip = i % 2 == 0 ? 0x01 : 0x80;

		sealed.data[i] ^= flip;
		message = letter_sign(&l, blob_span(&sealed));
		seen[decode_damaged(&message)] = true;
		blob_free(&message);
		sealed.data[i] ^= flip;
	}
	for (int flaw = SCEP_UNKNOWN_ALGORITHM; flaw <= SCEP_BAD_PROOF; flaw++)
		assert_true(seen[flaw]);
	blob_free(&sealed);
}

/* Cut to every length, then sealed and signed as if it were whole. */
static void
truncated_request(void **state)
{
	struct letter l = plain_letter();

	(void)state;
	l.key = ec;
	l.signer = ec_cert;
	for (size_t len = 0; len < request.len; len += 7) {
		struct blob message = letter_write(&l,
		    span_of(request.data, len));

		assert_int_equal(decode_damaged(&message), SCEP_BAD_CSR);
		blob_free(&message);
	}
}

static int
set_up(void **state)
{
	(void)state;
	ra = authority_open();
	key = device_key("device/device.key");
	ec = EVP_EC_gen("P-256");
	cert = device_cert(key, "device-0001");
	ec_cert = device_cert(ec, "SCEP SIGNER");
	request = device_plain_request(key, "8CE317021F690069");
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	blob_free(&request);
	X509_free(cert);
	X509_free(ec_cert);
	EVP_PKEY_free(key);
	EVP_PKEY_free(ec);
	authority_close(&ra);
	return 0;
}

int
main(void)
{
	static const struct table tables[] = {
		ROWS(truncated, forms),
		ROWS(flipped, forms),
		ROWS(flipped_envelope, forms),
		ONE(truncated_request, "no beginning of a request is one"),
	};

	return ROWS_RUN(tables, set_up, tear_down);
}
