/*
 * index.txt of a state directory: what we accept, OpenSSL reads the same,
 * and we write the same again.
 */
#include "fuzz/fuzz.h"

#include <openssl/err.h>
#include <openssl/txt_db.h>
#include <string.h>

#include "state/index.h"

#define COMMENT_MAX 500 /* OpenSSL takes the rest of a longer one for a line */

/* Other spellings of a number or of a date apart. */
static void
check_line(const struct index_line *line)
{
	struct index_reader reader = { 0 };
	struct buffer first = { 0 }, second = { 0 };
	struct index_line again;

	REQUIRE(strchr("VRE", line->status) != NULL);
	REQUIRE((line->status == 'R') == (line->revoked_at != 0));
	REQUIRE(line->reason >= 0 && line->reason <= 10);
	REQUIRE(line->fields == INDEX_FIELDS);
	REQUIRE(line->serial_len > 0 && line->serial_len <= INDEX_SERIAL_MAX);
	index_add(&first, line);
	reader.rest = buffer_span(&first);
	if (first.len > INDEX_LINE_MAX + 1)
		goto out; /* an empty file name became "unknown" */
	REQUIRE(index_next(&reader, &again, NULL) == 1);
	REQUIRE(reader.rest.len == 0 && reader.line == 1);
	REQUIRE(again.status == line->status);
	REQUIRE(again.not_after == line->not_after);
	REQUIRE(again.revoked_at == line->revoked_at);
	REQUIRE(again.reason == line->reason);
	REQUIRE(span_equal(again.subject, line->subject));
	REQUIRE(span_equal(span_of(again.serial, again.serial_len),
	    span_of(line->serial, line->serial_len)));
	index_add(&second, &again);
	REQUIRE(span_equal(buffer_span(&first), buffer_span(&second)));
out:
	buffer_free(&first);
	buffer_free(&second);
}

/* Wherever it is torn, it is the beginning of a line. */
static void
check_torn(const struct index_line *line)
{
	struct index_line torn;

	for (size_t len = 0; len <= line->whole.len; len += 1 + len / 3)
		REQUIRE(index_read_torn(span_of(line->whole.data, len), &torn,
			    NULL) == 0);
}

/* The next row that OpenSSL has read. */
static void
compare(const struct index_line *line, char **row)
{
	REQUIRE(row[0][0] == line->status && row[0][1] == '\0');
	REQUIRE(span_is(line->revocation, row[2]));
	REQUIRE(span_is(line->file, row[4]));
	REQUIRE(span_is(line->subject, row[5]));
}

static void
compare_all(struct span whole)
{
	BIO *bio = BIO_new_mem_buf(whole.data, (int)whole.len);
	struct index_reader reader = { .rest = whole };
	TXT_DB *db = TXT_DB_read(bio, INDEX_FIELDS);
	struct index_line line;
	int count = 0;

	REQUIRE(db != NULL);
	while (index_next(&reader, &line, NULL) == 1) {
		REQUIRE(count < sk_OPENSSL_PSTRING_num(db->data));
		compare(&line, sk_OPENSSL_PSTRING_value(db->data, count++));
	}
	REQUIRE(count == sk_OPENSSL_PSTRING_num(db->data));
	TXT_DB_free(db);
	BIO_free(bio);
	ERR_clear_error();
}

static bool
has_long_comment(struct span text)
{
	const uint8_t *end;

	for (; text.len > 0; text = span_of(end, text.len)) {
		size_t len;

		end = memchr(text.data, '\n', text.len);
		len = end == NULL ? text.len : (size_t)(end - text.data) + 1;
		if (text.data[0] == '#' && len > COMMENT_MAX)
			return true;
		end = text.data + len;
		text.len -= len;
	}
	return false;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct index_reader reader = { .rest = span_of(data, size) };
	struct error err = { 0 };
	struct index_line line;
	struct span whole;
	int ret;

	while ((ret = index_next(&reader, &line, &err)) == 1) {
		check_line(&line);
		check_torn(&line);
	}
	REQUIRE((ret == -1) == (err.text[0] != '\0'));
	if (ret == -1)
		return 0;
	whole = span_of(data, size - reader.rest.len);
	if (!has_long_comment(whole))
		compare_all(whole);
	if (index_read_torn(reader.rest, &line, &err) == 0)
		REQUIRE(line.fields < INDEX_FIELDS);
	else
		REQUIRE(err.text[0] != '\0');
	return 0;
}
