#include "unit/hex.h"

#include "base/clock.h"
#include "base/der.h"
#include "base/error.h"
#include "base/nearest.h"

static const struct date {
	const char *row;
	int64_t at;
	const char *text;
} dates[] = {
	{ "the example of RFC 9110", 784111777,
	    "Sun, 06 Nov 1994 08:49:37 GMT" },
	{ "a reply that a real NDES sent", 1367226951,
	    "Mon, 29 Apr 2013 09:15:51 GMT" },
	{ "the beginning", 0, "Thu, 01 Jan 1970 00:00:00 GMT" },
	{ "before the beginning", -1, "Wed, 31 Dec 1969 23:59:59 GMT" },
	{ "a leap day", 1709251199, "Thu, 29 Feb 2024 23:59:59 GMT" },
	{ "the last second of 9999", 253402300799,
	    "Fri, 31 Dec 9999 23:59:59 GMT" },
	{ "a year of five digits is clamped", 253402300800,
	    "Fri, 31 Dec 9999 23:59:59 GMT" },
	{ "the end of time is clamped", INT64_MAX,
	    "Fri, 31 Dec 9999 23:59:59 GMT" },
	{ "years before 0 are clamped", INT64_MIN,
	    "Sat, 01 Jan 0000 00:00:00 GMT" },
};

static void
http_date(void **state)
{
	const struct date *t = *state;
	char out[CLOCK_HTTP_SIZE];

	assert_ptr_equal(clock_http_date(t->at, out), out);
	assert_string_equal(out, t->text);
}

static void
advanced_clock(void **state)
{
	struct clock clock = { 0 };
	int64_t before = (int64_t)time(NULL);

	(void)state;
	clock_advance(&clock, 86400);
	clock_advance(&clock, -3600);
	assert_in_range(clock_now(&clock) - before, 82800, 82802);
}

static void
first_cause_wins(void **state)
{
	const struct mark at = { "a.yaml", 12, 9 };
	struct error err = { 0 };

	(void)state;
	assert_int_equal(error_at(&err, &at, "\"%s\" is no number", "3s"), -1);
	assert_int_equal(error_set(&err, "later"), -1);
	assert_int_equal(error_at(&err, &(struct mark){ "b", 1, 1 }, "x"), -1);
	assert_string_equal(err.text, "\"3s\" is no number");
	assert_string_equal(err.at.file, "a.yaml");
	assert_int_equal(err.at.line, 12);
	assert_int_equal(err.at.col, 9);
}

static void
no_error_struct(void **state)
{
	(void)state;
	assert_int_equal(error_set(NULL, "nobody asks"), -1);
	assert_int_equal(error_at(NULL, NULL, "nobody asks"), -1);
}

static void
cut_error(void **state)
{
	struct error err = { 0 };
	char all[400];

	(void)state;
	memset(all, 'x', sizeof(all) - 1);
	all[sizeof(all) - 1] = '\0';
	assert_int_equal(error_set(&err, "%s", all), -1);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
}

static const struct printing {
	const char *row;
	struct error err;
	int size;
	const char *text;
} printings[] = {
	{ "a place and a text", { { "pki.yaml", 12, 9 }, "no number" }, 64,
	    "pki.yaml:12:9: no number" },
	{ "line 0 is no place", { { "pki.yaml", 0, 9 }, "no number" }, 64,
	    "no number" },
	{ "a small buffer cuts", { { "pki.yaml", 12, 9 }, "no number" }, 12,
	    "pki.yaml:12" },
};

static void
prints_error(void **state)
{
	const struct printing *t = *state;
	char out[64];

	memset(out, '#', sizeof(out));
	assert_ptr_equal(error_print(&t->err, out, t->size), out);
	assert_string_equal(out, t->text);
}

static const struct nearness {
	const char *row, *asked, *candidates[4], *best;
} nearnesses[] = {
	{ "a letter too many", "windowss", { "window", "windows", "wind" },
	    "windows" },
	{ "two letters swapped", "helathy", { "device-blocked", "healthy" },
	    "healthy" },
	{ "of equals the first", "bat", { "cat", "rat" }, "cat" },
	{ "the word itself", "cat", { "cut", "cat", "cart" }, "cat" },
	{ "the empty word", "", { "abc", "ab" }, "ab" },
	{ "no candidate", "cat", { NULL }, NULL },
};

static void
nearest_word(void **state)
{
	const struct nearness *t = *state;
	struct nearest n = { .asked = t->asked };

	for (size_t i = 0; t->candidates[i] != NULL; i++)
		nearest_consider(&n, t->candidates[i]);
	if (t->best == NULL)
		assert_string_equal(n.best, "");
	else
		assert_string_equal(n.best, t->best);
}

static void
overlong_words(void **state)
{
	struct nearest n = { 0 };
	char overlong[1000];

	(void)state;
	memset(overlong, 'a', sizeof(overlong) - 1);
	overlong[sizeof(overlong) - 1] = '\0';
	n.asked = overlong;
	nearest_consider(&n, "b");
	assert_string_equal(n.best, "b");
	n = (struct nearest){ .asked = "bc" };
	nearest_consider(&n, overlong);
	nearest_consider(&n, "b");
	assert_string_equal(n.best, "b");
}

static void
failed_buffer(void **state)
{
	struct buffer b = { 0 };
	struct blob out = { (uint8_t *)"x", 1 };
	size_t begun;

	(void)state;
	buffer_add_text(&b, "kept until then");
	assert_null(buffer_extend(&b, SIZE_MAX / 2));
	assert_true(b.failed);
	begun = der_begin(&b, DER_SEQUENCE);
	buffer_add_byte(&b, 1);
	buffer_add_text(&b, "more");
	buffer_printf(&b, "%d", 17);
	der_add_small_integer(&b, 5);
	der_add_time(&b, 0);
	der_sort_set(&b, begun);
	der_end(&b, begun);
	assert_true(b.failed);
	assert_int_equal(buffer_finish(&b, &out), -1);
	assert_null(out.data);
	assert_int_equal(out.len, 0);
	assert_false(b.failed);
	assert_null(b.data);
}

static void
grown_buffer(void **state)
{
	struct buffer b = { 0 };
	struct blob out;

	(void)state;
	for (int i = 0; i < 1000; i++)
		buffer_printf(&b, "%03d,", i);
	assert_int_equal(buffer_finish(&b, &out), 0);
	assert_int_equal(out.len, 4000);
	assert_memory_equal(out.data, "000,001,002,", 12);
	assert_memory_equal(out.data + 3996, "999,", 4);
	assert_null(b.data);
	blob_free(&out);
	assert_null(out.data);
}

static void
empty_spans(void **state)
{
	struct blob copy;
	char *text;

	(void)state;
	assert_true(span_equal(SPAN_EMPTY, span_text("")));
	assert_true(span_is(SPAN_EMPTY, ""));
	assert_int_equal(span_text(NULL).len, 0);
	assert_int_equal(blob_copy(&copy, SPAN_EMPTY), 0);
	assert_int_equal(copy.len, 0);
	blob_free(&copy);
	assert_non_null(text = span_dup_text(SPAN_EMPTY));
	assert_string_equal(text, "");
	free(text);
}

static const struct comparison {
	const char *row, *a, *b;
	bool is, is_nocase;
} comparisons[] = {
	{ "the same", "GetCACaps", "GetCACaps", true, true },
	{ "another case", "getcacaps", "GetCACaps", false, true },
	{ "the beginning of it", "GetCA", "GetCACaps", false, false },
	{ "more than it", "GetCACapsX", "GetCACaps", false, false },
	{ "nothing", "", "GetCACaps", false, false },
	{ "a bit apart from a letter", "@", "`", false, false },
};

static void
compares(void **state)
{
	const struct comparison *t = *state;

	assert_int_equal(span_is(span_text(t->a), t->b), t->is);
	assert_int_equal(span_is_nocase(span_text(t->a), t->b), t->is_nocase);
}

static const struct hex_pair {
	const char *row, *text;
	size_t at;
	int value;
} hex_pairs[] = {
	{ "digits", "%41", 1, 0x41 },
	{ "letters of either case", "aF", 0, 0xaf },
	{ "the last value", "ff", 0, 0xff },
	{ "the first value", "00", 0, 0 },
	{ "the second is no digit", "4g", 0, -1 },
	{ "the first is no digit", "G4", 0, -1 },
	{ "a sign is no digit", "+4", 0, -1 },
	{ "a blank is no digit", " 4", 0, -1 },
	{ "a prefix is no digit", "0x4", 0, -1 },
	{ "what lies between the digits and the letters", ":@", 0, -1 },
	{ "one digit alone", "%4", 1, -1 },
	{ "at the end", "41", 2, -1 },
	{ "beyond the end", "41", 9, -1 },
	{ "so far that it overflows", "41", SIZE_MAX, -1 },
	{ "nothing", "", 0, -1 },
};

static void
hex_pair(void **state)
{
	const struct hex_pair *t = *state;
	struct blob text = exact_copy(t->text, strlen(t->text));

	assert_int_equal(span_hex_pair(blob_span(&text), t->at), t->value);
	blob_free(&text);
}

static const struct oid_row {
	const char *row, *hex;
	bool valid;
} oids[] = {
	{ "commonName", "55 04 03", true },
	{ "one octet", "2a", true },
	{ "a zero", "00", true },
	{ "two octets of one number", "2a 81 00", true },
	{ "a number beyond 64 bits", "2a ff ff ff ff ff ff ff ff ff ff 7f",
	    true },
	{ "80 inside a number", "2a 81 80 01", true },
	{ "nothing", "", false },
	{ "a needless 80 at the beginning", "80 01", false },
	{ "a needless 80 later", "2a 80 01", false },
	{ "80 alone", "80", false },
	{ "a number that is cut", "2a 81", false },
	{ "a number that is cut at 80", "2a 81 80", false },
};

static void
oid_is_valid(void **state)
{
	const struct oid_row *t = *state;
	struct blob octets = hex_blob(t->hex);

	assert_int_equal(der_oid_is_valid(blob_span(&octets)), t->valid);
	blob_free(&octets);
}

static const struct string_row {
	const char *row;
	int tag;
	const char *hex;
	bool is_unicode;
} strings[] = {
	{ "an empty UTF8String", DER_UTF8_STRING, "", true },
	{ "an empty BMPString", DER_BMP_STRING, "", true },
	{ "ASCII", DER_PRINTABLE_STRING, "61 7f", true },
	{ "two octets", DER_UTF8_STRING, "c2 80 df bf", true },
	{ "three octets", DER_UTF8_STRING, "e0 a0 80 ed 9f bf ee 80 80", true },
	{ "four octets", DER_UTF8_STRING, "f0 90 80 80 f4 8f bf bf", true },
	{ "Latin-1 for UTF-8", DER_UTF8_STRING, "70 e4 73", false },
	{ "cut in two octets", DER_UTF8_STRING, "c3", false },
	{ "cut in four octets", DER_UTF8_STRING, "f0 90 80", false },
	{ "a continuation alone", DER_UTF8_STRING, "80", false },
	{ "overlong in two octets", DER_UTF8_STRING, "c1 bf", false },
	{ "overlong in three octets", DER_UTF8_STRING, "e0 9f bf", false },
	{ "overlong in four octets", DER_UTF8_STRING, "f0 8f bf bf", false },
	{ "a surrogate in UTF-8", DER_UTF8_STRING, "ed a0 80", false },
	{ "beyond Unicode in UTF-8", DER_UTF8_STRING, "f4 90 80 80", false },
	{ "five octets", DER_UTF8_STRING, "f8 88 80 80 80", false },
	{ "T61 is Latin-1", DER_T61_STRING, "e4 ff", true },
	{ "BMP", DER_BMP_STRING, "00 e4 20 ac", true },
	{ "a surrogate pair in BMP", DER_BMP_STRING, "d8 3d dd 11", true },
	{ "half a pair", DER_BMP_STRING, "d8 3d 00 61", false },
	{ "half a pair at the end", DER_BMP_STRING, "d8 3d", false },
	{ "the other half", DER_BMP_STRING, "dd 11", false },
	{ "BMP of odd length", DER_BMP_STRING, "00 61 00", false },
	{ "Universal", DER_UNIVERSAL_STRING, "00 10 ff ff", true },
	{ "Universal beyond Unicode", DER_UNIVERSAL_STRING, "00 11 00 00",
	    false },
	{ "a surrogate in Universal", DER_UNIVERSAL_STRING, "00 00 d8 00",
	    false },
	{ "Universal of six octets", DER_UNIVERSAL_STRING, "00 00 00 61 00 00",
	    false },
	{ "an INTEGER", DER_INTEGER, "05", false },
	{ "an OCTET STRING", DER_OCTET_STRING, "61", false },
};

static void
string_is_unicode(void **state)
{
	const struct string_row *t = *state;
	struct blob octets = hex_blob(t->hex);
	struct blob exact = exact_copy(octets.data, octets.len);
	const struct der d = { .tag = t->tag, .content = blob_span(&exact) };

	assert_int_equal(der_string_is_unicode(&d), t->is_unicode);
	blob_free(&exact);
	blob_free(&octets);
}

int
main(void)
{
	static const struct table tables[] = {
		ROWS(http_date, dates),
		ONE(advanced_clock, "a clock is ahead by what it was advanced"),
		ONE(first_cause_wins, "the first cause of an error wins"),
		ONE(no_error_struct, "an error that nobody wants is dropped"),
		ONE(cut_error, "a long error is cut"),
		ROWS(prints_error, printings),
		ROWS(nearest_word, nearnesses),
		ONE(overlong_words, "an overlong word is never the nearest"),
		ONE(failed_buffer, "a buffer that failed stays failed"),
		ONE(grown_buffer, "a buffer grows"),
		ONE(empty_spans, "empty spans are equal, and can be copied"),
		ROWS(compares, comparisons),
		ROWS(hex_pair, hex_pairs),
		ROWS(oid_is_valid, oids),
		ROWS(string_is_unicode, strings),
	};

	return ROWS_RUN(tables, NULL, NULL);
}
