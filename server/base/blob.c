#include "base/blob.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct span
span_of(const void *data, size_t len)
{
	return (struct span){ data, len };
}

struct span
span_text(const char *s)
{
	return span_of(s, s == NULL ? 0 : strlen(s));
}

struct span
blob_span(const struct blob *b)
{
	return span_of(b->data, b->len);
}

struct span
buffer_span(const struct buffer *b)
{
	return span_of(b->data, b->len);
}

bool
span_equal(struct span a, struct span b)
{
	return a.len == b.len &&
	    (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

bool
span_is(struct span s, const char *text)
{
	return span_equal(s, span_text(text));
}

bool
span_is_nocase(struct span s, const char *text)
{
	return s.len == strlen(text) &&
	    (s.len == 0 || strncasecmp((const char *)s.data, text, s.len) == 0);
}

static int
hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int
span_hex_pair(struct span s, size_t at)
{
	int high, low;

	if (at >= s.len || s.len - at < 2 ||
	    (high = hex_digit(s.data[at])) == -1 ||
	    (low = hex_digit(s.data[at + 1])) == -1)
		return -1;
	return high << 4 | low;
}

char *
span_dup_text(struct span s)
{
	char *copy = malloc(s.len + 1);

	if (copy == NULL)
		return NULL;
	if (s.len > 0)
		memcpy(copy, s.data, s.len);
	copy[s.len] = '\0';
	return copy;
}

int
blob_copy(struct blob *out, struct span s)
{
	*out = (struct blob){ NULL, 0 };
	if ((out->data = (uint8_t *)span_dup_text(s)) == NULL)
		return -1;
	out->len = s.len;
	return 0;
}

void
blob_free(struct blob *b)
{
	free(b->data);
	*b = (struct blob){ NULL, 0 };
}

uint8_t *
buffer_extend(struct buffer *b, size_t len)
{
	uint8_t *grown, *at;
	size_t cap = b->cap == 0 ? 256 : b->cap;

	if (b->failed || len > SIZE_MAX / 4 - b->len) {
		b->failed = true;
		return NULL;
	}
	while (cap < b->len + len)
		cap *= 2;
	if (cap != b->cap) {
		if ((grown = realloc(b->data, cap)) == NULL) {
			b->failed = true;
			return NULL;
		}
		b->data = grown;
		b->cap = cap;
	}
	at = b->data + b->len;
	b->len += len;
	return at;
}

void
buffer_add(struct buffer *b, const void *data, size_t len)
{
	uint8_t *at = buffer_extend(b, len);

	if (at != NULL && len > 0)
		memcpy(at, data, len);
}

void
buffer_add_span(struct buffer *b, struct span s)
{
	buffer_add(b, s.data, s.len);
}

void
buffer_add_text(struct buffer *b, const char *s)
{
	buffer_add(b, s, strlen(s));
}

void
buffer_add_byte(struct buffer *b, uint8_t byte)
{
	buffer_add(b, &byte, 1);
}

void
buffer_printf(struct buffer *b, const char *fmt, ...)
{
	va_list ap;
	uint8_t *at;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	/* vsnprintf writes a NUL, which is room but not content. */
	if (len < 0 || (at = buffer_extend(b, (size_t)len + 1)) == NULL) {
		b->failed = true;
		return;
	}
	va_start(ap, fmt);
	vsnprintf((char *)at, (size_t)len + 1, fmt, ap);
	va_end(ap);
	b->len--;
}

int
buffer_finish(struct buffer *b, struct blob *out)
{
	*out = (struct blob){ NULL, 0 };
	if (b->failed) {
		buffer_free(b);
		return -1;
	}
	*out = (struct blob){ b->data, b->len };
	*b = (struct buffer){ 0 };
	return 0;
}

void
buffer_free(struct buffer *b)
{
	free(b->data);
	*b = (struct buffer){ 0 };
}
