/*
 * A pkiMessage in parts: what a fuzzer changes before it is encrypted and
 * signed, so that the change is met behind decryption and signature.
 *
 * As octets: 'P', digest, cipher, two octets of flags, then each part after
 * its length in two octets. What is missing is empty, a length that is too
 * large ends with the input: any input that begins with 'P' is such a
 * letter, any other is a message as it stands.
 */
#ifndef FUZZ_LETTER_H
#define FUZZ_LETTER_H

#include "fuzz/fuzz.h"
#include "scep/scep.h"

enum part {
	PART_REQUEST,	   /* what is encrypted: a PKCS#10, or a query */
	PART_ATTRIBUTES,   /* signed, beside messageDigest */
	PART_CERTIFICATES, /* before the signer's own */
	PART_ENVELOPE,	   /* what is signed, with LETTER_ENVELOPE */
	PART_OAEP,	   /* RSAES-OAEP-params; empty: the honest ones */
	PART_RECIPIENTS,   /* RecipientInfos before ours */
	PARTS,
};

enum letter_flag {
	LETTER_BER_OUTSIDE = 1 << 0, /* indefinite lengths, segments */
	LETTER_BER_INSIDE = 1 << 1,
	LETTER_SIGNER_KEY_ID = 1 << 2,
	LETTER_RECIPIENT_KEY_ID = 1 << 3,
	LETTER_SORT = 1 << 4,	  /* signed as DER orders a SET OF */
	LETTER_PROOF = 1 << 5,	  /* the request is signed afresh */
	LETTER_ENVELOPE = 1 << 6, /* PART_ENVELOPE in place of encrypting */
	LETTER_SIGNATURE_OID = 1 << 7, /* where the digest's OID belongs */
	LETTER_THREE = 1 << 8,	       /* recipients, the CA first */
	LETTER_OAEP = 1 << 9,	       /* the key is wrapped with it */
	LETTER_OAEP_SHA256 = 1 << 10,  /* and with SHA-256 in it */
	LETTER_FLAGS = 11,	       /* how many */
};

struct letter {
	enum digest digest;
	enum cipher cipher;
	unsigned flags;
	struct span parts[PARTS]; /* borrowed */
};
#define LETTER_MARK 'P'

/* RSAES-OAEP-params: SHA-256 twice, and an empty label (RFC 4055 4.1). */
#define LETTER_OAEP_OF_SHA256                              \
	"\x30\x40\xa0\x0f\x30\x0d\x06\x09\x60\x86\x48\x01" \
	"\x65\x03\x04\x02\x01\x05\x00\xa1\x1c\x30\x1a\x06" \
	"\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08\x30\x0d" \
	"\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05" \
	"\x00\xa2\x0f\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7" \
	"\x0d\x01\x01\x09\x04\x00"

/* false: not in parts. */
bool letter_read(struct span, struct letter *out);
/* How many octets; 0: more than `max`. */
size_t letter_write(const struct letter *, uint8_t *out, size_t max);

/* What is encrypted. */
void letter_add_request(const struct letter *, const struct authority *,
    const struct client *, struct buffer *out);
/* The EnvelopedData in its ContentInfo. */
void letter_add_envelope(const struct letter *, const struct authority *,
    const struct client *, struct buffer *out);
void letter_add_message(const struct letter *, const struct authority *,
    const struct client *, struct buffer *out);

/* What must be said of a letter whatever stands in its parts. */
void letter_check(const struct letter *, const struct authority *,
    const struct client *, const struct scep_request *, enum scep_flaw);

/* For LLVMFuzzerCustomMutator() and LLVMFuzzerCustomCrossOver(). */
size_t letter_mutate_input(const struct authority *, const struct client *,
    uint8_t *data, size_t size, size_t max, unsigned seed);
size_t letter_cross_inputs(struct span one, struct span other, uint8_t *out,
    size_t max, unsigned seed);

#endif
