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
	};

	return ROWS_RUN(tables, NULL, NULL);
}
