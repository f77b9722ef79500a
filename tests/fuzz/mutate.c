#include "fuzz/mutate.h"

#include <string.h>

#include "base/der.h"
#include "fuzz/fuzz.h"

#define ITEMS_MAX 64
#define ROOM 64 /* octets that one change may add */
#define DEPTH_MAX 16

unsigned
chance_below(struct chance *c, unsigned limit)
{
	c->state = c->state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned)(c->state >> 33) % limit;
}

static void
mutate_octets(struct span in, struct buffer *out)
{
	uint8_t *at = buffer_extend(out, in.len + ROOM);

	if (at == NULL)
		return;
	if (in.len > 0)
		memcpy(at, in.data, in.len);
	out->len -= in.len + ROOM;
	out->len += LLVMFuzzerMutate(at, in.len, in.len + ROOM);
}

/*
 * The next element, not by der_next(): what is tested must not decide what
 * it is tested with.
 */
static bool
cut_element(struct span *rest, struct der *out)
{
	size_t head = 2, len;

	if (rest->len < 2)
		return false;
	len = rest->data[1];
	if (len >= 0x80) {
		head += len & 0x7f;
		if (head == 2 || head > 5 || rest->len < head)
			return false;
		len = 0;
		for (size_t i = 2; i < head; i++)
			len = len << 8 | rest->data[i];
	}
	if (rest->len - head < len)
		return false;
	out->tag = rest->data[0];
	out->whole = span_of(rest->data, head + len);
	out->content = span_of(rest->data + head, len);
	*rest = span_of(rest->data + head + len, rest->len - head - len);
	return true;
}

/* Mostly DER; else as BER may have it. */
static void
add_element(struct chance *c, int tag, struct span content, struct buffer *out)
{
	switch (chance_below(c, 24)) {
	case 0:
		buffer_add_byte(out, (uint8_t)(tag | 0x20));
		buffer_add_byte(out, 0x80);
		buffer_add_span(out, content);
		buffer_add(out, "\0\0", 2);
		return;
	case 1:
		buffer_add_byte(out, (uint8_t)tag);
		buffer_add(out, "\x83\0", 2);
		buffer_add_byte(out, (uint8_t)(content.len >> 8));
		buffer_add_byte(out, (uint8_t)content.len);
		buffer_add_span(out, content);
		return;
	}
	der_add(out, tag, content);
}

static bool
is_der(struct span s)
{
	struct der d;

	while (s.len > 0)
		if (!cut_element(&s, &d))
			return false;
	return true;
}

static void mutate_list(struct chance *, struct span, struct buffer *, int);

/* Changes what is inside: of a constructed one, or DER in a string. */
static void
mutate_content(struct chance *c, const struct der *d, struct buffer *out,
    int depth)
{
	struct span in = d->content;
	bool deep = d->tag & 0x20;

	if (d->tag == DER_BIT_STRING && in.len > 2 && in.data[0] == 0) {
		buffer_add_byte(out, 0);
		in = span_of(in.data + 1, in.len - 1);
	}
	if (d->tag == DER_BIT_STRING || d->tag == DER_OCTET_STRING)
		deep = in.len > 2 && is_der(in);
	if (deep)
		mutate_list(c, in, out, depth + 1);
	else
		mutate_octets(in, out);
}

static void
mutate_element(struct chance *c, const struct der *items, size_t count,
    size_t pick, struct buffer *out, int depth)
{
	static const uint8_t tags[] = { DER_INTEGER, DER_BIT_STRING,
		DER_OCTET_STRING, DER_NULL, DER_OID, DER_UTF8_STRING,
		DER_PRINTABLE_STRING, DER_T61_STRING, DER_IA5_STRING,
		DER_UTC_TIME, DER_GENERALIZED_TIME, DER_UNIVERSAL_STRING,
		DER_BMP_STRING, DER_SEQUENCE, DER_SET, 0x80, 0xa0, 0xa1, 0x24 };
	const struct der *d = &items[pick];
	struct buffer content = { 0 };

	switch (chance_below(c, 20)) {
	case 0: /* gone */
		return;
	case 1:
		buffer_add_span(out, d->whole);
		buffer_add_span(out, d->whole);
		return;
	case 2:
		buffer_add_span(out,
		    items[chance_below(c, (unsigned)count)].whole);
		return;
	case 3:
		add_element(c, tags[chance_below(c, sizeof(tags))], d->content,
		    out);
		return;
	case 4: /* only written in another way */
		add_element(c, d->tag, d->content, out);
		return;
	}
	mutate_content(c, d, &content, depth);
	add_element(c, d->tag, buffer_span(&content), out);
	buffer_free(&content);
}

static void
mutate_list(struct chance *c, struct span in, struct buffer *out, int depth)
{
	struct der items[ITEMS_MAX];
	struct span rest = in;
	size_t count = 0, pick;

	while (count < ITEMS_MAX && cut_element(&rest, &items[count]))
		count++;
	if (count == 0 || depth > DEPTH_MAX || chance_below(c, 12) == 0) {
		mutate_octets(in, out);
		return;
	}
	pick = chance_below(c, (unsigned)count);
	for (size_t i = 0; i < count; i++) {
		if (i == pick)
			mutate_element(c, items, count, pick, out, depth);
		else
			buffer_add_span(out, items[i].whole);
	}
	buffer_add_span(out, rest);
}

void
mutate_der(struct chance *c, struct span in, struct buffer *out)
{
	mutate_list(c, in, out, 0);
}

size_t
mutate_der_input(uint8_t *data, size_t size, size_t max, unsigned seed)
{
	struct chance c = { seed };
	struct buffer out = { 0 };

	/* Also what no reader of DER would think of. */
	if (chance_below(&c, 4) == 0)
		return LLVMFuzzerMutate(data, size, max);
	mutate_der(&c, span_of(data, size), &out);
	if (out.failed || out.len == 0 || out.len > max) {
		buffer_free(&out);
		return LLVMFuzzerMutate(data, size, max);
	}
	memcpy(data, out.data, out.len);
	size = out.len;
	buffer_free(&out);
	return size;
}
