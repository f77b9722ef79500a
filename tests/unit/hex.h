/* Octets as a test row writes them: "30 80 00 00". */
#ifndef UNIT_HEX_H
#define UNIT_HEX_H

#include "unit/rows.h"

#include <string.h>

#include <openssl/crypto.h>

#include "base/blob.h"

/* The caller frees it with blob_free(). */
static inline struct blob
hex_blob(const char *text)
{
	struct blob out = { calloc(strlen(text) / 2 + 1, 1), 0 };
	char digits[3] = "";

	for (const char *p = text; *p != '\0'; p++) {
		if (*p == ' ')
			continue;
		digits[0] = *p++;
		digits[1] = *p;
		out.data[out.len++] = (uint8_t)strtoul(digits, NULL, 16);
	}
	return out;
}

/* A copy without a spare octet, so that ASan sees a read too many. */
static inline struct blob
exact_copy(const void *data, size_t len)
{
	struct blob out = { malloc(len == 0 ? 1 : len), len };

	assert_non_null(out.data);
	if (len > 0)
		memcpy(out.data, data, len);
	return out;
}

static inline void
assert_octets(struct span got, const void *wanted, size_t len)
{
	assert_int_equal(got.len, len);
	if (len > 0)
		assert_memory_equal(got.data, wanted, len);
}

static inline void
assert_hex(struct span got, const char *wanted)
{
	struct blob octets = hex_blob(wanted);

	assert_octets(got, octets.data, octets.len);
	blob_free(&octets);
}

/* Takes what an i2d function made. */
static inline void
assert_same_der(struct span got, uint8_t *der, int len)
{
	assert_true(len >= 0);
	assert_octets(got, der, (size_t)len);
	OPENSSL_free(der);
}

#endif
