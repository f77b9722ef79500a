/* PKCS#10, the key in it, and the certificate that would come of it. */
#include "fuzz/fuzz.h"
#include "fuzz/mutate.h"

#include <jansson.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "base/der.h"
#include "stack/stack.h"

static struct authority ca;
static struct stack_state state;

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	authority_open(&ca);
	stack_healthy(&state);
	return 0;
}

size_t
LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
	return mutate_der_input(data, size, max, seed);
}

/* What is copied into it is the client's: whoever gets it must read it. */
static void
check_certificate(const struct scep_csr *csr, struct span der)
{
	const uint8_t *at = der.data, *name;
	struct x509 ours;
	X509 *theirs;
	size_t len;

	REQUIRE(x509_read(der, &ours) == 0 && ours.whole.len == der.len);
	REQUIRE(span_equal(ours.subject, csr->subject));
	REQUIRE(span_equal(ours.spki, csr->spki));
	theirs = d2i_X509(NULL, &at, (long)der.len);
	REQUIRE(theirs != NULL && at == der.data + der.len);
	REQUIRE(X509_NAME_get0_der(X509_get_subject_name(theirs), &name,
		    &len) == 1 &&
	    span_equal(span_of(name, len), csr->subject));
	REQUIRE(X509_get0_pubkey(theirs) != NULL);
	REQUIRE(X509_verify(theirs, ca.credentials->keys[CA_ISSUING]) == 1);
	X509_free(theirs);
}

static void
issue(const struct scep_csr *csr)
{
	static const uint8_t serial[CA_SERIAL_SIZE] = { 0x47, 1 };
	struct error err = { 0 };
	struct blob der;

	ca_judge(&state, csr, &(struct error){ 0 });
	if (ca_issue(ca.credentials, csr->subject, csr->spki, csr->extensions,
		span_of(serial, sizeof(serial)), AUTHORITY_NOW, &der,
		&err) == 0)
		check_certificate(csr, blob_span(&der));
	blob_free(&der);
}

/* It goes into JSON, whose library is strict. */
static void
check_challenge(const char *challenge)
{
	json_t *text = json_string(challenge == NULL ? "" : challenge);

	REQUIRE(text != NULL);
	json_decref(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, size);
	struct error err = { 0 }, proof = { 0 }, key_err = { 0 };
	struct evp_pkey_st *key;
	struct scep_csr csr;
	char text[128];

	if (scep_csr_read(in, &csr, &err) == -1) {
		REQUIRE(err.text[0] != '\0' && csr.challenge == NULL);
		return 0;
	}
	check_challenge(csr.challenge);
	REQUIRE(strlen(x509_name_text(csr.subject, text, sizeof(text))) <
	    sizeof(text));
	if (crypto_key_from_spki(ca.crypto, csr.spki, &key, &key_err) == 0) {
		csr.key_bits = crypto_key_bits(key);
		if (scep_csr_verify(ca.crypto, in, key, &proof) == -1)
			REQUIRE(proof.text[0] != '\0');
		issue(&csr);
	}
	crypto_key_free(key);
	free(csr.challenge);
	ERR_clear_error();
	return 0;
}
