/* A pkiMessage: as it comes, or in parts that are encrypted and signed. */
#include "fuzz/compare.h"
#include "fuzz/letter.h"

#include <openssl/cms.h>
#include <openssl/err.h>
#include <string.h>

#include "base/der.h"
#include "scep/scep.h"

static struct authority ra;
static struct client client;

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	authority_open(&ra);
	client_open(&client, ra.crypto);
	return 0;
}

size_t
LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
	return letter_mutate_input(&ra, &client, data, size, max, seed);
}

size_t
LLVMFuzzerCustomCrossOver(const uint8_t *one, size_t one_size,
    const uint8_t *other, size_t other_size, uint8_t *out, size_t max,
    unsigned seed)
{
	return letter_cross_inputs(span_of(one, one_size),
	    span_of(other, other_size), out, max, seed);
}

static bool
is_inside(struct span part, struct span whole)
{
	return part.len == 0 ||
	    (part.data >= whole.data &&
		part.data + part.len <= whole.data + whole.len);
}

static void
check_request(const struct scep_request *r, enum scep_flaw flaw)
{
	struct span outer = blob_span(&r->outer), plain = blob_span(&r->plain);

	REQUIRE(is_inside(r->sender_nonce, outer));
	REQUIRE(is_inside(r->signer.whole, outer));
	REQUIRE(is_inside(r->signer.spki, r->signer.whole));
	REQUIRE(is_inside(r->recipients, blob_span(&r->envelope)));
	REQUIRE(is_inside(r->csr.subject, plain));
	REQUIRE(is_inside(r->csr.spki, plain));
	REQUIRE(is_inside(r->csr.extensions, plain));
	REQUIRE(is_inside(r->issuer, plain));
	REQUIRE(is_inside(r->subject, plain));
	REQUIRE(is_inside(r->serial, plain));
	REQUIRE(scep_type_name(r->type)[0] != '\0');
	REQUIRE(scep_fail_info_name(r->type)[0] != '\0');
	if (flaw == SCEP_SOUND) {
		REQUIRE(r->type != -1 && r->transaction_id != NULL);
		REQUIRE(r->signer_key != NULL);
	}
}

/* A reply is CMS to OpenSSL, whatever of the client's is repeated in it. */
static void
answer(const struct scep_request *r, enum scep_flaw flaw, const char *why)
{
	const struct span ca = blob_span(&ra.credentials->der[CA_ISSUING]);
	const struct scep_reply reply = {
		.status = flaw == SCEP_SOUND ? SCEP_SUCCESS : SCEP_FAILURE,
		.fail_info = SCEP_BAD_REQUEST,
		.transaction_id = r->transaction_id,
		.sender_nonce = span_of("0123456789abcdef", 16),
		.recipient_nonce = r->sender_nonce,
		.ms_error = flaw == SCEP_SOUND ? 0 : -2147024809,
		.ms_message = flaw == SCEP_SOUND ? "Issued" : NULL,
		.fail_info_text = r->ber ? why : NULL,
		.no_content = (enum scep_content)(flaw % 3),
		.certificate = r->signer.whole,
		.more = &ca,
		.more_count = r->csr.challenge != NULL,
		.crl = r->type == SCEP_GET_CRL ? r->signer.tbs : SPAN_EMPTY,
	};
	const struct scep_seal seal = {
		.crypto = ra.crypto,
		.signer_key = client.key, /* because it is fast */
		.signer = &ra.credentials->certs[CA_RA_SIGNING],
		.digest = r->digest,
		.cipher = r->cipher,
		.transport = r->transport,
		.recipient_key = r->signer_key,
		.recipient = &r->signer,
	};
	struct error err = { 0 };
	CMS_ContentInfo *cms;
	struct blob der;
	const uint8_t *at;

	if (r->digest == DIGEST_COUNT ||
	    (flaw == SCEP_SOUND && r->cipher == CIPHER_COUNT))
		return;
	if (scep_reply_encode(&der, &reply, &seal, &err) == -1) {
		REQUIRE(flaw == SCEP_SOUND && err.text[0] != '\0');
		return;
	}
	at = der.data;
	cms = d2i_CMS_ContentInfo(NULL, &at, (long)der.len);
	REQUIRE(cms != NULL && at == der.data + der.len);
	CMS_ContentInfo_free(cms);
	blob_free(&der);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct scep_recipient us = { ra.crypto,
		ra.credentials->keys[CA_RA_ENCRYPTION],
		&ra.credentials->certs[CA_RA_ENCRYPTION], NULL };
	const struct scep_surroundings around = {
		&ra.credentials->certs[CA_ISSUING],
		&ra.credentials->certs[CA_RA_SIGNING],
		&ra.credentials->certs[CA_RA_ENCRYPTION], AUTHORITY_NOW
	};
	struct span message = span_of(data, size);
	struct buffer built = { 0 };
	struct blob exact = { NULL, 0 };
	struct scep_request *r;
	struct error err = { 0 };
	enum scep_flaw flaw;
	struct letter l;
	bool in_parts;

	if ((in_parts = letter_read(message, &l))) {
		letter_add_message(&l, &ra, &client, &built);
		REQUIRE(buffer_finish(&built, &exact) == 0);
		message = blob_span(&exact);
	}
	flaw = scep_request_decode(&r, message, &us, &err);
	REQUIRE(r != NULL && (flaw == SCEP_SOUND) == (err.text[0] == '\0'));
	scep_request_inspect(r, &around);
	check_request(r, flaw);
	if (flaw != SCEP_NOT_CMS)
		compare_attributes(message, r);
	if (in_parts)
		letter_check(&l, &ra, &client, r, flaw);
	if (flaw == SCEP_SOUND || flaw == SCEP_BAD_QUERY)
		compare_query(r, flaw);
	answer(r, flaw, err.text);
	scep_request_free(r);
	blob_free(&exact);
	ERR_clear_error();
	return 0;
}
