#include "evidence/w3c.h"

#include "base/clock.h"

void
w3c_time(struct buffer *b, int64_t at)
{
	struct tm tm = clock_utc(at);

	buffer_printf(b, "%04d-%02d-%02d %02d:%02d:%02d", tm.tm_year + 1900,
	    tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

void
w3c_field(struct buffer *b, struct span s)
{
	buffer_add_byte(b, ' ');
	if (s.len == 0)
		buffer_add_byte(b, '-');
	for (size_t i = 0; i < s.len; i++)
		buffer_add_byte(b,
		    s.data[i] <= ' ' || s.data[i] == 0x7f ? '+' : s.data[i]);
}

void
w3c_text(struct buffer *b, const char *s)
{
	w3c_field(b, span_text(s));
}

void
w3c_cut(struct buffer *b, size_t start)
{
	if (b->len - start > W3C_LINE_MAX)
		b->len = start + W3C_LINE_MAX;
}
