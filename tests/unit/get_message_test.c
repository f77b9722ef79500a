#include "unit/hex.h"

#include <openssl/evp.h>

#include "scep/scep.h"

/* How a client spells the base64 of a GET (quirks 23-25). */
enum spelling {
	ESCAPED_PLUS = 1,
	ESCAPED_SLASH = 2,
	ESCAPED_PADDING = 4,
	LOWER_ESCAPES = 8,
	ESCAPED_LETTERS = 16,
	URL_SAFE = 32,
	NO_PADDING = 64,
};

static const struct writing {
	const char *row;
	int spelling;
	const char *line_end; /* every 64 characters */
	const char *before, *after;
} writings[] = {
	{ "all as it is", 0, "", "", "" },
	{ "only padding escaped", ESCAPED_PADDING, "", "", "" },
	{ "all escaped", ESCAPED_PLUS | ESCAPED_SLASH | ESCAPED_PADDING, "", "",
	    "" },
	{ "escapes in small letters",
	    ESCAPED_PLUS | ESCAPED_SLASH | ESCAPED_PADDING | LOWER_ESCAPES, "",
	    "", "" },
	{ "letters escaped too", ESCAPED_LETTERS, "", "", "" },
	{ "escaped line feeds", ESCAPED_PLUS | ESCAPED_PADDING, "%0A", "",
	    "%0A" },
	{ "escaped CR LF", ESCAPED_PLUS | ESCAPED_PADDING, "%0D%0A", "",
	    "%0D%0A" },
	{ "bare line feeds", 0, "\n", "", "\n" },
	{ "URL-safe with padding", URL_SAFE, "", "", "" },
	{ "URL-safe without padding", URL_SAFE | NO_PADDING, "", "", "" },
	{ "standard alphabet without padding", NO_PADDING, "", "", "" },
	{ "blanks", 0, " ", " ", "  " },
	{ "escaped blanks and a tab", 0, "%20", "%20", "%09" },
};

static void
spell(const struct writing *t, char c, struct buffer *out)
{
	bool escape = (c == '+' && t->spelling & ESCAPED_PLUS) ||
	    (c == '/' && t->spelling & ESCAPED_SLASH) ||
	    (c == '=' && t->spelling & ESCAPED_PADDING) ||
	    (c >= 'a' && c <= 'f' && t->spelling & ESCAPED_LETTERS);

	if (t->spelling & URL_SAFE)
		c = c == '+' ? '-' : c == '/' ? '_' : c;
	if (c == '=' && t->spelling & NO_PADDING)
		return;
	if (escape)
		buffer_printf(out,
		    t->spelling & LOWER_ESCAPES ? "%%%02x" : "%%%02X",
		    (unsigned)c);
	else
		buffer_add_byte(out, (uint8_t)c);
}

static void
reads_spelling(void **state)
{
	const struct writing *t = *state;
	uint8_t octets[304], text[512];

	for (size_t i = 0; i < sizeof(octets); i++)
		octets[i] = (uint8_t)(i * 7 + (i >> 8) + 251);
	for (int len = 300; len <= (int)sizeof(octets); len++) {
		int count = EVP_EncodeBlock(text, octets, len);
		struct buffer b = { 0 };
		struct blob value, out;

		assert_non_null(memchr(text, '+', (size_t)count));
		assert_non_null(memchr(text, '/', (size_t)count));
		buffer_add_text(&b, t->before);
		for (int i = 0; i < count; i++) {
			if (i > 0 && i % 64 == 0)
				buffer_add_text(&b, t->line_end);
			spell(t, (char)text[i], &b);
		}
		buffer_add_text(&b, t->after);
		value = exact_copy(b.data, b.len);
		buffer_free(&b);
		assert_int_equal(scep_get_message(blob_span(&value), &out), 0);
		assert_octets(blob_span(&out), octets, (size_t)len);
		blob_free(&value);
		blob_free(&out);
	}
}

static const struct value {
	const char *row, *value, *out; /* out NULL: refused */
} values[] = {
	{ "two characters of padding", "QQ==", "A" },
	{ "one character of padding", "QUI=", "AB" },
	{ "no need of padding", "QUJD", "ABC" },
	{ "padding missing", "QQ", "A" },
	{ "half of the padding missing", "QQ=", "A" },
	{ "a line end between the padding", "QQ=%0A=", "A" },
	{ "a line end after the padding", "QQ==%0D%0A", "A" },
	{ "a letter after the padding", "QQ==QQ==", NULL },
	{ "a letter amid the padding", "QQ=Q=", NULL },
	{ "an escape of no hex digits", "QU%zzJD", NULL },
	{ "an escape with one hex digit", "QU%4zJD", NULL },
	{ "an escape cut after a digit", "QUJD%4", NULL },
	{ "an escape cut at once", "QUJD%", NULL },
	{ "escaped twice", "QQ%253D%253D", NULL },
	{ "one digit more than whole groups", "QUJDQ", NULL },
	{ "one digit alone", "Q", NULL },
	{ "nothing", "", NULL },
	{ "only blanks", " %0A", NULL },
	{ "only padding", "==", NULL },
	{ "an escaped NUL", "QUJD%00", NULL },
	{ "a character of no alphabet", "QU*JD", NULL },
	{ "an escaped character of no alphabet", "QU%2AJD", NULL },
	{ "a character above ASCII", "QU\xc3\xa4JD", NULL },
	{ "both alphabets at once", "-_+/", "\xfb\xff\xbf" },
};

static void
reads_value(void **state)
{
	const struct value *t = *state;
	struct blob value = exact_copy(t->value, strlen(t->value)), out;
	int ret = scep_get_message(blob_span(&value), &out);

	assert_int_equal(ret, t->out == NULL ? -1 : 0);
	if (t->out != NULL)
		assert_octets(blob_span(&out), t->out, strlen(t->out));
	else
		assert_null(out.data);
	blob_free(&value);
	blob_free(&out);
}

static void
raw_nul(void **state)
{
	struct blob out;

	(void)state;
	assert_int_equal(scep_get_message(span_of("QUJD\0QUJD", 9), &out), -1);
	assert_null(out.data);
}

static void
every_octet(void **state)
{
	static const char good[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	    "0123456789+/-_ \t\r\n";
	uint8_t value[] = "QU.JD";
	struct blob out;

	(void)state;
	for (int c = 1; c < 256; c++) {
		bool fine = strchr(good, c) != NULL;

		value[2] = (uint8_t)c;
		/* Four digits, or three and a blank. */
		assert_int_equal(scep_get_message(span_of(value, 4), &out),
		    fine ? 0 : -1);
		blob_free(&out);
	}
}

int
main(void)
{
	static const struct table tables[] = {
		ROWS(reads_spelling, writings),
		ROWS(reads_value, values),
		ONE(raw_nul, "a NUL is refused"),
		ONE(every_octet, "of all octets only the alphabets are read"),
	};

	return ROWS_RUN(tables, NULL, NULL);
}
