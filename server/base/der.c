#include "base/der.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define CONSTRUCTED 0x20
#define SET_MAX 64 /* attributes we would ever sort */

/* Tag and length octets. Indefinite length: *indefinite, *len = 0. */
static int
read_head(struct span in, int *tag, size_t *head, size_t *len, bool *indefinite)
{
	size_t count;

	*indefinite = false;
	if (in.len < 2 || (in.data[0] & 0x1f) == 0x1f)
		return -1;
	*tag = in.data[0];
	*head = 2;
	*len = in.data[1];
	if (*len < 0x80)
		return 0;
	if (*len == 0x80) {
		*indefinite = true;
		*len = 0;
		return 0;
	}
	count = *len & 0x7f;
	if (count > 8 || in.len < 2 + count)
		return -1;
	for (*len = 0; *head < 2 + count; (*head)++) {
		if (*len > SIZE_MAX >> 9)
			return -1;
		*len = *len << 8 | in.data[*head];
	}
	return 0;
}

int
der_next(struct span *rest, struct der *out)
{
	size_t head, len;
	bool indefinite;
	int tag;

	if (read_head(*rest, &tag, &head, &len, &indefinite) == -1 ||
	    indefinite || len > rest->len - head)
		return -1;
	out->tag = tag;
	out->whole = span_of(rest->data, head + len);
	out->content = span_of(rest->data + head, len);
	rest->data += head + len;
	rest->len -= head + len;
	return 0;
}

int
der_expect(struct span *rest, int tag, struct span *content)
{
	struct span at = *rest;
	struct der d;

	if (der_next(&at, &d) == -1 || d.tag != tag)
		return -1;
	*rest = at;
	*content = d.content;
	return 0;
}

int
der_optional(struct span *rest, int tag, struct der *out)
{
	if (rest->len == 0 || rest->data[0] != tag)
		return 0;
	return der_next(rest, out) == 0;
}

int32_t
der_small_integer(struct span content)
{
	int64_t value = 0;

	if (content.len == 0 || content.len > 5 || content.data[0] & 0x80)
		return -1;
	for (size_t i = 0; i < content.len; i++)
		value = value << 8 | content.data[i];
	return value > INT32_MAX ? -1 : (int32_t)value;
}

bool
der_oid_is(struct span content, struct span oid)
{
	return span_equal(content, oid);
}

bool
der_oid_is_valid(struct span content)
{
	bool first = true;

	for (size_t i = 0; i < content.len; i++) {
		if (first && content.data[i] == 0x80)
			return false;
		first = !(content.data[i] & 0x80);
	}
	return content.len > 0 && first;
}

static bool
is_string(int tag)
{
	switch (tag & ~CONSTRUCTED) {
	case DER_BIT_STRING:
	case DER_OCTET_STRING:
	case DER_UTF8_STRING:
	case DER_PRINTABLE_STRING:
	case DER_T61_STRING:
	case DER_IA5_STRING:
	case DER_UNIVERSAL_STRING:
	case DER_BMP_STRING:
		return true;
	}
	return false;
}

/* X.690 8.6.4, 8.7.3, 8.23: segments are of the same kind, or octets. */
static bool
is_segment(int tag, int string)
{
	tag &= ~CONSTRUCTED;
	return tag == string ||
	    (tag == DER_OCTET_STRING && string != DER_BIT_STRING);
}

static int convert(struct span *, struct buffer *, size_t string, int depth);

/* The elements of a constructed one, up to its end or its end-of-contents. */
static int
convert_content(struct span *rest, size_t len, bool indefinite,
    struct buffer *out, size_t string, int depth)
{
	struct span inner = indefinite ? *rest : span_of(rest->data, len);

	for (;;) {
		if (indefinite && inner.len >= 2 && inner.data[0] == 0 &&
		    inner.data[1] == 0) {
			inner.data += 2;
			inner.len -= 2;
			break;
		}
		if (inner.len == 0) {
			if (indefinite)
				return -1;
			break;
		}
		if (convert(&inner, out, string, depth + 1) == -1)
			return -1;
	}
	rest->len -= (size_t)(inner.data - rest->data);
	rest->data = inner.data;
	return 0;
}

/* A primitive; of a segment of a string only the content. */
static int
convert_primitive(struct span content, struct buffer *out, int tag,
    size_t string)
{
	/* Each segment of a BIT STRING says how many bits it does not use. */
	if (string > 0 && tag == DER_BIT_STRING) {
		if (content.len == 0 || out->failed)
			return -1;
		out->data[string] = content.data[0];
		content = span_of(content.data + 1, content.len - 1);
	}
	buffer_add_span(out, content);
	return 0;
}

/* One element; `string`: where the string began that it is a segment of. */
static int
convert(struct span *rest, struct buffer *out, size_t string, int depth)
{
	size_t head, len, begun = 0;
	bool indefinite, joins;
	int tag, ret;

	if (depth > DER_MAX_DEPTH ||
	    read_head(*rest, &tag, &head, &len, &indefinite) == -1 ||
	    len > rest->len - head || (indefinite && !(tag & CONSTRUCTED)) ||
	    (string > 0 && !is_segment(tag, out->data[string - 1])))
		return -1;
	*rest = span_of(rest->data + head, rest->len - head);
	joins = (tag & CONSTRUCTED) && is_string(tag);
	if (string == 0) {
		begun = der_begin(out, joins ? tag & ~CONSTRUCTED : tag);
		if (joins && (tag & ~CONSTRUCTED) == DER_BIT_STRING)
			buffer_add_byte(out, 0);
	}
	if (tag & CONSTRUCTED) {
		ret = convert_content(rest, len, indefinite, out,
		    string > 0 || !joins ? string : begun, depth);
	} else {
		ret = convert_primitive(span_of(rest->data, len), out, tag,
		    string);
		*rest = span_of(rest->data + len, rest->len - len);
	}
	if (string == 0)
		der_end(out, begun);
	return ret == -1 || out->failed ? -1 : 0;
}

int
der_next_ber(struct span *rest, struct blob *out)
{
	struct span at = *rest;
	struct buffer b = { 0 };

	*out = (struct blob){ NULL, 0 };
	if (convert(&at, &b, 0, 0) == -1) {
		buffer_free(&b);
		return -1;
	}
	if (buffer_finish(&b, out) == -1)
		return -1;
	*rest = at;
	return 0;
}

int
der_from_ber(struct span ber, struct blob *out)
{
	return der_next_ber(&ber, out);
}

size_t
der_begin(struct buffer *b, int tag)
{
	buffer_add_byte(b, (uint8_t)tag);
	return b->len;
}

static size_t
put_length(uint8_t out[9], size_t len)
{
	size_t count = 0;

	if (len < 0x80) {
		out[0] = (uint8_t)len;
		return 1;
	}
	for (size_t l = len; l > 0; l >>= 8)
		count++;
	out[0] = (uint8_t)(0x80 | count);
	for (size_t i = 0; i < count; i++)
		out[count - i] = (uint8_t)(len >> 8 * i);
	return count + 1;
}

void
der_end(struct buffer *b, size_t begun)
{
	uint8_t length[9];
	size_t len, count;

	if (b->failed)
		return;
	len = b->len - begun;
	count = put_length(length, len);
	if (buffer_extend(b, count) == NULL)
		return;
	memmove(b->data + begun + count, b->data + begun, len);
	memcpy(b->data + begun, length, count);
}

void
der_add(struct buffer *b, int tag, struct span content)
{
	uint8_t length[9];

	buffer_add_byte(b, (uint8_t)tag);
	buffer_add(b, length, put_length(length, content.len));
	buffer_add_span(b, content);
}

void
der_add_oid(struct buffer *b, struct span oid)
{
	der_add(b, DER_OID, oid);
}

void
der_add_null(struct buffer *b)
{
	der_add(b, DER_NULL, SPAN_EMPTY);
}

void
der_add_unsigned(struct buffer *b, struct span n)
{
	size_t begun;

	while (n.len > 1 && n.data[0] == 0) {
		n.data++;
		n.len--;
	}
	begun = der_begin(b, DER_INTEGER);
	if (n.len == 0 || n.data[0] & 0x80)
		buffer_add_byte(b, 0);
	buffer_add_span(b, n);
	der_end(b, begun);
}

void
der_add_small_integer(struct buffer *b, unsigned value)
{
	uint8_t n[4] = { (uint8_t)(value >> 24), (uint8_t)(value >> 16),
		(uint8_t)(value >> 8), (uint8_t)value };

	der_add_unsigned(b, span_of(n, sizeof(n)));
}

void
der_add_bit_string(struct buffer *b, struct span bytes)
{
	size_t begun = der_begin(b, DER_BIT_STRING);

	buffer_add_byte(b, 0);
	buffer_add_span(b, bytes);
	der_end(b, begun);
}

void
der_add_time(struct buffer *b, int64_t at)
{
	struct tm tm = clock_utc(at);
	int year = tm.tm_year + 1900;
	bool utc = year >= 1950 && year < 2050;
	char text[40];

	snprintf(text, sizeof(text),
	    utc ? "%02d%02d%02d%02d%02d%02dZ" : "%04d%02d%02d%02d%02d%02dZ",
	    utc ? year % 100 : year, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
	    tm.tm_min, tm.tm_sec);
	der_add(b, utc ? DER_UTC_TIME : DER_GENERALIZED_TIME, span_text(text));
}

/* X.690 11.6: as octet strings, the shorter padded with zeros. */
static int
compare_encodings(const void *a, const void *b)
{
	const struct span *x = a, *y = b;
	size_t len = x->len < y->len ? x->len : y->len;
	int order = memcmp(x->data, y->data, len);

	return order != 0 ? order : (x->len > y->len) - (x->len < y->len);
}

bool
der_is_sorted(struct span elements)
{
	struct span last = SPAN_EMPTY;
	struct der d;

	while (der_next(&elements, &d) == 0) {
		if (last.len > 0 && compare_encodings(&last, &d.whole) > 0)
			return false;
		last = d.whole;
	}
	return true;
}

void
der_sort_set(struct buffer *b, size_t begun)
{
	struct span items[SET_MAX], rest;
	struct buffer sorted = { 0 };
	struct der d;
	size_t count = 0;

	if (b->failed)
		return;
	rest = span_of(b->data + begun, b->len - begun);
	for (; rest.len > 0; count++) {
		if (count == SET_MAX || der_next(&rest, &d) == -1) {
			b->failed = true;
			return;
		}
		items[count] = d.whole;
	}
	qsort(items, count, sizeof(items[0]), compare_encodings);
	for (size_t i = 0; i < count; i++)
		buffer_add_span(&sorted, items[i]);
	if (sorted.failed)
		b->failed = true;
	else if (sorted.len > 0)
		memcpy(b->data + begun, sorted.data, sorted.len);
	buffer_free(&sorted);
}
