#include "scep/scep.h"

#include <stdlib.h>

/* The value of a base64 digit; -1: none, -2: white space, -3: padding. */
static int
digit(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	switch (c) {
	case '+':
	case '-':
		return 62;
	case '/':
	case '_':
		return 63;
	case ' ':
	case '\t':
	case '\r':
	case '\n':
		return -2;
	case '=':
		return -3;
	}
	return -1;
}

static int
next_char(struct span *in)
{
	size_t size = 1;
	int c = in->data[0];

	if (c == '%') {
		c = span_hex_pair(*in, 1);
		size = 3;
	}
	if (c != -1)
		*in = span_of(in->data + size, in->len - size);
	return c;
}

int
scep_get_message(struct span in, struct blob *out)
{
	uint32_t bits = 0;
	unsigned count = 0;
	bool padded = false;
	int c, value;

	*out = (struct blob){ malloc(in.len / 4 * 3 + 3), 0 };
	if (out->data == NULL)
		return -1;
	while (in.len > 0) {
		if ((c = next_char(&in)) == -1 ||
		    (value = digit((uint8_t)c)) == -1)
			goto bad;
		if (value == -2)
			continue;
		if (value == -3 || padded) {
			padded = true;
			if (value != -3)
				goto bad;
			continue;
		}
		bits = bits << 6 | (uint32_t)value;
		if (++count % 4 != 1)
			out->data[out->len++] = (uint8_t)(bits >>
			    (6 - 2 * ((count - 1) % 4)));
	}
	if (out->len == 0 || count % 4 == 1)
		goto bad;
	return 0;
bad:
	blob_free(out);
	return -1;
}
