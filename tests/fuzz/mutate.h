/*
 * Changes of DER that keep the lengths around them right, so that a change
 * deep inside is not lost to a length further out.
 */
#ifndef FUZZ_MUTATE_H
#define FUZZ_MUTATE_H

#include "base/blob.h"

/* Chance that comes from libFuzzer's seed alone. */
struct chance {
	uint64_t state;
};
unsigned chance_below(struct chance *, unsigned limit);

/* One change, or whatever LLVMFuzzerMutate() does to what is not DER. */
void mutate_der(struct chance *, struct span in, struct buffer *out);
/* The same, for LLVMFuzzerCustomMutator(). */
size_t mutate_der_input(uint8_t *data, size_t size, size_t max, unsigned seed);

#endif
