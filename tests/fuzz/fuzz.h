/* What the fuzzers share: who talks to whom, and a check that aborts. */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include "ca/ca.h"

/* A property that does not hold is a finding, in release builds too. */
#define REQUIRE(property) \
	((property) ? (void)0 : fuzz_broken(#property, __FILE__, __LINE__))
_Noreturn void fuzz_broken(const char *property, const char *file, int line);

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
size_t LLVMFuzzerCustomMutator(uint8_t *, size_t size, size_t max,
    unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *, size_t, const uint8_t *,
    size_t, uint8_t *out, size_t max, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *, size_t size, size_t max);

/*
 * The server's side, from tests/fixtures/keys. Its certificates have serial
 * numbers and dates that never change, so that recorded messages stay good.
 */
struct authority {
	struct crypto *crypto;
	struct key_set *keys;
	struct credentials *credentials;
};
#define AUTHORITY_NOW 1655294400LL /* 2022-06-15 */
void authority_open(struct authority *);
void authority_close(struct authority *);

/* The client's: tests/fuzz/client.key, small because it signs each time. */
struct client {
	struct evp_pkey_st *key;
	struct x509 cert; /* self-signed */
	struct blob der;
};
void client_open(struct client *, struct crypto *);
void client_close(struct client *);

#endif
