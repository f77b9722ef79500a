/* The strings of ASN.1 as UTF-8. */
#include "base/der.h"

#include <string.h>

#define REPLACEMENT 0xfffd /* for what is not Unicode */
#define BROKEN UINT32_MAX  /* octets that are no character */

static bool
is_character(uint32_t c)
{
	return c <= 0x10ffff && (c < 0xd800 || c > 0xdfff);
}

static void
add_utf8(struct buffer *b, uint32_t c)
{
	if (!is_character(c))
		c = REPLACEMENT;
	if (c < 0x80) {
		buffer_add_byte(b, (uint8_t)c);
	} else if (c < 0x800) {
		buffer_add_byte(b, (uint8_t)(0xc0 | c >> 6));
		buffer_add_byte(b, (uint8_t)(0x80 | (c & 0x3f)));
	} else if (c < 0x10000) {
		buffer_add_byte(b, (uint8_t)(0xe0 | c >> 12));
		buffer_add_byte(b, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
		buffer_add_byte(b, (uint8_t)(0x80 | (c & 0x3f)));
	} else {
		buffer_add_byte(b, (uint8_t)(0xf0 | (c >> 18 & 7)));
		buffer_add_byte(b, (uint8_t)(0x80 | (c >> 12 & 0x3f)));
		buffer_add_byte(b, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
		buffer_add_byte(b, (uint8_t)(0x80 | (c & 0x3f)));
	}
}

/* The next character of UTF-8; what is not one is taken octet by octet. */
static uint32_t
next_utf8(struct span *s)
{
	static const uint32_t least[] = { 0, 0x80, 0x800, 0x10000 };
	uint32_t c = s->data[0];
	size_t more = c < 0xc0 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;

	if (c >= 0x80 && c < 0xc0)
		c = BROKEN;
	else if (more > 0)
		c &= 0x3fU >> more;
	for (size_t i = 1; i <= more; i++) {
		if (i >= s->len || (s->data[i] & 0xc0) != 0x80) {
			c = BROKEN;
			more = 0;
			break;
		}
		c = c << 6 | (s->data[i] & 0x3f);
	}
	if (c < least[more])
		c = BROKEN;
	*s = span_of(s->data + 1 + more, s->len - 1 - more);
	return c;
}

/* The next character of `width` octets; UTF-16 pairs become one. */
static uint32_t
next_wide(struct span *s, size_t width)
{
	uint32_t c = 0, low;

	for (size_t i = 0; i < width; i++)
		c = c << 8 | s->data[i];
	*s = span_of(s->data + width, s->len - width);
	if (width != 2 || c < 0xd800 || c > 0xdbff || s->len < 2)
		return c;
	low = (uint32_t)s->data[0] << 8 | s->data[1];
	if (low < 0xdc00 || low > 0xdfff)
		return c;
	*s = span_of(s->data + 2, s->len - 2);
	return 0x10000 + ((c & 0x3ff) << 10) + (low & 0x3ff);
}

/* Octets of a character in this kind of string; 0: not a DirectoryString. */
static size_t
character_width(int tag)
{
	switch (tag) {
	case DER_UTF8_STRING:
	case DER_PRINTABLE_STRING:
	case DER_IA5_STRING:
	case DER_T61_STRING:
		return 1;
	case DER_BMP_STRING:
		return 2;
	case DER_UNIVERSAL_STRING:
		return 4;
	}
	return 0;
}

static uint32_t
next_character(const struct der *d, size_t width, struct span *rest)
{
	return width == 1 && d->tag != DER_T61_STRING ? next_utf8(rest) :
							next_wide(rest, width);
}

char *
der_string_utf8(const struct der *d)
{
	size_t width = character_width(d->tag);
	struct span rest = d->content;
	struct buffer b = { 0 };
	struct blob text;

	if (width == 0 || rest.len % width != 0)
		return NULL;
	while (rest.len > 0)
		add_utf8(&b, next_character(d, width, &rest));
	if (b.len > 0 && memchr(b.data, 0, b.len) != NULL)
		b.failed = true;
	buffer_add_byte(&b, 0);
	return buffer_finish(&b, &text) == 0 ? (char *)text.data : NULL;
}

bool
der_string_is_unicode(const struct der *d)
{
	size_t width = character_width(d->tag);
	struct span rest = d->content;

	if (width == 0 || rest.len % width != 0)
		return false;
	while (rest.len > 0)
		if (!is_character(next_character(d, width, &rest)))
			return false;
	return true;
}
