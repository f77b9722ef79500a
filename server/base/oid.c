/* OBJECT IDENTIFIERs as people write them. */
#include "base/der.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

/* Takes digits and the dot behind them; no sign, no blank, no 0 in front. */
static int
next_arc(const char **text, uint64_t *arc)
{
	const char *at = *text;
	char *end;

	if (!isdigit((unsigned char)at[0]) ||
	    (at[0] == '0' && isdigit((unsigned char)at[1])))
		return -1;
	errno = 0;
	*arc = strtoull(at, &end, 10);
	if (errno != 0 || (*end != '.' && *end != '\0') ||
	    (*end == '.' && end[1] == '\0'))
		return -1;
	*text = *end == '.' ? end + 1 : end;
	return 0;
}

/* X.690 8.19.2: groups of seven bits, the last without the high one. */
static void
add_arc(struct buffer *b, uint64_t arc)
{
	int shift = 63;

	while (shift > 0 && arc >> shift == 0)
		shift -= 7;
	for (; shift > 0; shift -= 7)
		buffer_add_byte(b, (uint8_t)(0x80 | (arc >> shift & 0x7f)));
	buffer_add_byte(b, (uint8_t)(arc & 0x7f));
}

int
der_oid_from_text(const char *text, struct buffer *out)
{
	uint64_t first, arc;

	if (next_arc(&text, &first) == -1 || first > 2 ||
	    next_arc(&text, &arc) == -1 || (first < 2 && arc > 39) ||
	    arc > UINT64_MAX - 80)
		return -1;
	add_arc(out, first * 40 + arc);
	while (*text != '\0') {
		if (next_arc(&text, &arc) == -1)
			return -1;
		add_arc(out, arc);
	}
	return out->failed ? -1 : 0;
}
