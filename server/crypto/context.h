/* The inside of struct crypto, for this folder alone. */
#ifndef CRYPTO_CONTEXT_H
#define CRYPTO_CONTEXT_H

#include "crypto/crypto.h"

#include <pthread.h>

#include <openssl/evp.h>

struct crypto {
	OSSL_LIB_CTX *lib;
	OSSL_PROVIDER *standard, *legacy;
	EVP_MD *digests[DIGEST_COUNT];
	EVP_CIPHER *ciphers[CIPHER_COUNT];
	pthread_mutex_t lock; /* legacy provider and its ciphers */
};

const char *cipher_wrap_name(enum cipher); /* as OpenSSL has it */

#endif
