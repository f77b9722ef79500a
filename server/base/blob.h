/*
 * Bytes: borrowed (span), owned (blob), and growing (buffer).
 * A buffer remembers that it ran out of memory or was asked for nonsense, so
 * that a long run of additions is checked once, at its end.
 */
#ifndef BASE_BLOB_H
#define BASE_BLOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Somebody else's bytes. */
struct span {
	const uint8_t *data;
	size_t len;
};

/* Owned bytes, from malloc(). */
struct blob {
	uint8_t *data;
	size_t len;
};

struct buffer {
	uint8_t *data;
	size_t len, cap;
	bool failed;
};

#define SPAN_EMPTY ((struct span){ NULL, 0 })

struct span span_of(const void *data, size_t len);
struct span span_text(const char *);
struct span blob_span(const struct blob *);
struct span buffer_span(const struct buffer *);
bool span_equal(struct span, struct span);
bool span_is(struct span, const char *text);
/* Without regard to ASCII case. */
bool span_is_nocase(struct span, const char *text);
/* The value of the two hex digits that begin there, or -1. */
int span_hex_pair(struct span, size_t at);
/* A NUL terminated copy, or NULL without memory. The caller frees it. */
char *span_dup_text(struct span);

/* 0, or -1 without memory (then *out is empty). */
int blob_copy(struct blob *out, struct span);
void blob_free(struct blob *);

void buffer_add(struct buffer *, const void *, size_t);
void buffer_add_span(struct buffer *, struct span);
void buffer_add_text(struct buffer *, const char *);
void buffer_add_byte(struct buffer *, uint8_t);
void buffer_printf(struct buffer *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Room for `len` more bytes, which the caller fills; NULL on failure. */
uint8_t *buffer_extend(struct buffer *, size_t len);
/* Moves the bytes into *out and empties the buffer; -1 if it had failed. */
int buffer_finish(struct buffer *, struct blob *out);
void buffer_free(struct buffer *);

#endif
