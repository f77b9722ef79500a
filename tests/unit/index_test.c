/* Lines of index.txt. What is right is also read by OpenSSL's own reader. */
#include "unit/hex.h"

#include <openssl/bio.h>
#include <openssl/txt_db.h>

#include "state/index.h"

#define Y27 "271122123456Z"
#define GOOD "V\t" Y27 "\t\t4701\tunknown\t/CN=a"
#define REVOKED(field) "R\t" Y27 "\t" field "\t4701\tunknown\t/CN=a"
#define AT_27 1826886896LL
#define AT_26 1795350896LL

static const struct good {
	const char *row, *text;
	struct index_line line; /* without its spans */
	const char *revocation, *serial, *subject;
} goods[] = {
	{ "valid", GOOD, { .status = 'V', .not_after = AT_27 }, "", "4701",
	    "/CN=a" },
	{ "expired", "E\t491231235959Z\t\t00\tunknown\t/CN=a",
	    { .status = 'E', .not_after = 2524607999LL }, "", "00", "/CN=a" },
	{ "after 2049", "V\t20500101000000Z\t\t4701\tunknown\t",
	    { .status = 'V', .not_after = 2524608000LL }, "", "4701", "" },
	{ "in the last second there is",
	    "V\t99991231235959Z\t\t4701\tunknown\t/CN=a",
	    { .status = 'V', .not_after = 253402300799LL }, "", "4701",
	    "/CN=a" },
	{ "before 1970", "V\t500101000000Z\t\t4701\tunknown\t/CN=a",
	    { .status = 'V', .not_after = -631152000LL }, "", "4701", "/CN=a" },
	{ "revoked", REVOKED("261122123456Z"),
	    { .status = 'R', .not_after = AT_27, .revoked_at = AT_26 },
	    "261122123456Z", "4701", "/CN=a" },
	{ "revoked with a reason", REVOKED("261122123456Z,superseded"),
	    { .status = 'R',
		.not_after = AT_27,
		.revoked_at = AT_26,
		.reason = 4 },
	    "261122123456Z,superseded", "4701", "/CN=a" },
	{ "revoked in capitals", REVOKED("261122123456Z,KEYCOMPROMISE"),
	    { .status = 'R',
		.not_after = AT_27,
		.revoked_at = AT_26,
		.reason = 1 },
	    "261122123456Z,KEYCOMPROMISE", "4701", "/CN=a" },
	{ "on hold, with an instruction",
	    REVOKED("261122123456Z,holdInstruction,1.2.840.10040.2.1"),
	    { .status = 'R',
		.not_after = AT_27,
		.revoked_at = AT_26,
		.reason = 6 },
	    "261122123456Z,holdInstruction,1.2.840.10040.2.1", "4701",
	    "/CN=a" },
	{ "of twenty octets",
	    "V\t" Y27 "\t\tFF0102030405060708090A0B0C0D0E0F10111213\tunknown\t"
	    "/CN=a",
	    { .status = 'V', .not_after = AT_27 }, "",
	    "FF0102030405060708090A0B0C0D0E0F10111213", "/CN=a" },
	{ "with escapes", "V\t" Y27 "\t\t4701\tunknown\t/CN=\\x09\\/b\\",
	    { .status = 'V', .not_after = AT_27 }, "", "4701",
	    "/CN=\\x09\\/b\\" },
};

static void
assert_line(const struct index_line *line, const struct good *t)
{
	char serial[INDEX_SERIAL_SIZE];

	assert_int_equal(line->status, t->line.status);
	assert_int_equal(line->not_after, t->line.not_after);
	assert_int_equal(line->revoked_at, t->line.revoked_at);
	assert_int_equal(line->reason, t->line.reason);
	assert_true(span_is(line->revocation, t->revocation));
	assert_string_equal(index_serial_text(line, serial), t->serial);
	assert_true(span_is(line->file, "unknown"));
	assert_true(span_is(line->subject, t->subject));
}

static void
reads_a_line(void **state)
{
	const struct good *t = *state;
	struct buffer text = { 0 }, again = { 0 };
	struct index_reader reader = { 0 };
	struct error err = { 0 };
	struct index_line line;
	struct blob exact;

	buffer_printf(&text, "# a comment\n%s\n", t->text);
	exact = exact_copy(text.data, text.len);
	reader.rest = blob_span(&exact);
	assert_int_equal(index_next(&reader, &line, &err), 1);
	assert_int_equal(reader.line, 2);
	assert_true(span_is(line.whole, t->text));
	assert_line(&line, t);
	index_add(&again, &line);
	assert_octets(buffer_span(&again), text.data + 12, text.len - 12);
	assert_int_equal(index_next(&reader, &line, &err), 0);
	assert_int_equal(reader.rest.len, 0);
	assert_string_equal(err.text, "");
	buffer_free(&text);
	buffer_free(&again);
	blob_free(&exact);
}

/* crypto/txt_db in OpenSSL, of which `openssl ca` is made. */
static void
is_read_by_openssl(void **state)
{
	const struct good *t = *state;
	BIO *bio = BIO_new(BIO_s_mem());
	char **row;
	TXT_DB *db;

	BIO_printf(bio, "# a comment\n%s\n", t->text);
	assert_non_null(db = TXT_DB_read(bio, INDEX_FIELDS));
	assert_int_equal(sk_OPENSSL_PSTRING_num(db->data), 1);
	row = sk_OPENSSL_PSTRING_value(db->data, 0);
	assert_int_equal(row[0][0], t->line.status);
	assert_string_equal(row[2], t->revocation);
	assert_string_equal(row[3], t->serial);
	assert_string_equal(row[5], t->subject);
	TXT_DB_free(db);
	BIO_free(bio);
}

/* The same number in other words. */
static const struct spelling {
	const char *row, *text;
} spellings[] = {
	{ "in small letters", "V\t" Y27 "\t\t47ab01\tunknown\t/CN=a" },
	{ "with zeros before it", "V\t" Y27 "\t\t000047AB01\tunknown\t/CN=a" },
	{ "with a century before 2050",
	    "V\t20" Y27 "\t\t47AB01\tunknown\t/CN=a" },
};

static void
reads_other_spellings(void **state)
{
	const struct spelling *t = *state;
	struct index_reader reader = { 0 };
	struct buffer text = { 0 }, again = { 0 };
	struct error err = { 0 };
	struct index_line line;

	buffer_printf(&text, "%s\n", t->text);
	reader.rest = buffer_span(&text);
	assert_int_equal(index_next(&reader, &line, &err), 1);
	index_add(&again, &line);
	buffer_add_byte(&again, 0);
	assert_string_equal((char *)again.data,
	    "V\t" Y27 "\t\t47AB01\tunknown\t/CN=a\n");
	buffer_free(&text);
	buffer_free(&again);
}

static const struct bad {
	const char *row, *text, *error;
} bads[] = {
	{ "nothing in it", "", "\"\" is no status: V, R or E" },
	{ "a word", "hello", "\"hello\" is no status: V, R or E" },
	{ "only a status", "V", "has less than six fields" },
	{ "five fields", "V\t" Y27 "\t\t4701\tunknown",
	    "has less than six fields" },
	{ "seven fields", GOOD "\tx", "has more than six fields" },
	{ "blanks in place of tabs", "V " Y27 "  4701 unknown /CN=a",
	    "\"V 271122123456Z  4701 unknown /CN=a\" is no status: V, R or "
	    "E" },
	{ "a small status", "v\t" Y27 "\t\t4701\tunknown\t/CN=a",
	    "\"v\" is no status: V, R or E" },
	{ "suspended", "S\t" Y27 "\t\t4701\tunknown\t/CN=a",
	    "\"S\" is no status: V, R or E" },
	{ "no date", "V\t\t\t4701\tunknown\t/CN=a", "\"\" is no date" },
	{ "a date without its end", "V\t271122123456\t\t4701\tunknown\t/CN=a",
	    "\"271122123456\" is no date" },
	{ "a date without seconds", "V\t2711221234Z\t\t4701\tunknown\t/CN=a",
	    "\"2711221234Z\" is no date" },
	{ "the 31st of June", "V\t270631123456Z\t\t4701\tunknown\t/CN=a",
	    "\"270631123456Z\" is no date" },
	{ "the hour 24", "V\t271122240000Z\t\t4701\tunknown\t/CN=a",
	    "\"271122240000Z\" is no date" },
	{ "a letter in the date", "V\t27112212345xZ\t\t4701\tunknown\t/CN=a",
	    "\"27112212345xZ\" is no date" },
	{ "a sign in the date", "V\t-71122123456Z\t\t4701\tunknown\t/CN=a",
	    "\"-71122123456Z\" is no date" },
	{ "an offset in the date", "V\t271122123456+\t\t4701\tunknown\t/CN=a",
	    "\"271122123456+\" is no date" },
	{ "valid, with a revocation",
	    "V\t" Y27 "\t261122123456Z\t4701\tunknown\t/CN=a",
	    "has a revocation date, but is not revoked" },
	{ "revoked, nobody knows when", REVOKED(""),
	    "\"\" is no revocation date" },
	{ "revoked, with a reason alone", REVOKED(",superseded"),
	    "\"\" is no revocation date" },
	{ "revoked for no known reason", REVOKED("261122123456Z,boredom"),
	    "\"boredom\" is no reason for a revocation" },
	{ "revoked for an empty reason", REVOKED("261122123456Z,"),
	    "\"\" is no reason for a revocation" },
	{ "revoked, with one word too many",
	    REVOKED("261122123456Z,superseded,x"),
	    "\"superseded,x\" is no reason for a revocation" },
	{ "on hold without the instruction",
	    REVOKED("261122123456Z,holdInstruction"),
	    "\"holdInstruction\" is no reason for a revocation" },
	{ "no serial number", "V\t" Y27 "\t\t\tunknown\t/CN=a",
	    "\"\" is no serial number" },
	{ "half an octet", "V\t" Y27 "\t\t471\tunknown\t/CN=a",
	    "\"471\" is no serial number" },
	{ "a negative number", "V\t" Y27 "\t\t-4701\tunknown\t/CN=a",
	    "\"-4701\" is no serial number" },
	{ "a number in other letters", "V\t" Y27 "\t\t47O1\tunknown\t/CN=a",
	    "\"47O1\" is no serial number" },
	{ "a number of 21 octets",
	    "V\t" Y27 "\t\t010102030405060708090A0B0C0D0E0F1011121314\tunknown"
	    "\t/CN=a",
	    "\"010102030405060708090A0B0C0D0E0F10111213...\" is no serial "
	    "number" },
	{ "a tab behind a backslash", "V\t" Y27 "\t\t4701\tun\\\tknown\t/CN=a",
	    "has a tab within a field" },
	{ "a carriage return", GOOD "\r",
	    "has an octet that is not printable: 0x0d" },
	{ "UTF-8", GOOD "\xc3\xa4",
	    "has an octet that is not printable: 0xc3" },
};

static void
refuses_a_line(void **state)
{
	const struct bad *t = *state;
	struct index_reader reader = { 0 };
	struct error err = { 0 };
	struct index_line line;
	struct blob exact;
	struct buffer text = { 0 };

	buffer_printf(&text, GOOD "\n%s\n" GOOD "\n", t->text);
	exact = exact_copy(text.data, text.len);
	reader.rest = blob_span(&exact);
	assert_int_equal(index_next(&reader, &line, &err), 1);
	assert_int_equal(index_next(&reader, &line, &err), -1);
	assert_int_equal(reader.line, 2);
	assert_string_equal(err.text, t->error);
	blob_free(&exact);
	buffer_free(&text);
}

static void
longest_line(void **state)
{
	struct index_reader reader = { 0 };
	struct error err = { 0 };
	struct buffer text = { 0 };
	struct index_line line;

	(void)state;
	buffer_add_text(&text, GOOD);
	while (text.len < INDEX_LINE_MAX)
		buffer_add_text(&text, "a");
	buffer_add_text(&text, "\n" GOOD);
	while (text.len < 2 * INDEX_LINE_MAX + 2)
		buffer_add_text(&text, "a");
	buffer_add_text(&text, "\n");
	reader.rest = buffer_span(&text);
	assert_int_equal(index_next(&reader, &line, &err), 1);
	assert_int_equal(line.whole.len, INDEX_LINE_MAX);
	assert_int_equal(index_next(&reader, &line, &err), -1);
	assert_string_equal(err.text, "longer than 32768 octets");
	buffer_free(&text);
}

/* Every beginning of a good line is one of a torn line. */
static void
torn_lines(void **state)
{
	const struct good *t = *state;
	struct error err = { 0 };
	struct index_line line;
	int fields = 0;

	for (size_t len = 0; len <= strlen(t->text); len++) {
		struct blob exact = exact_copy(t->text, len);

		if (len > 0 && t->text[len - 1] == '\t')
			fields++;
		assert_int_equal(index_read_torn(blob_span(&exact), &line,
				     &err),
		    0);
		assert_int_equal(line.fields, fields);
		blob_free(&exact);
	}
	assert_string_equal(err.text, "");
}

static const struct bad no_beginnings[] = {
	{ "a word", "hello", "\"hello\" is no part of a line" },
	{ "another status", "X", "\"X\" is no part of a line" },
	{ "a wrong date", "V\t270631123456Z\t",
	    "\"270631123456Z\" is no date" },
	{ "a date in letters", "V\tMonday", "\"Monday\" is no part of a line" },
	{ "a number in letters", "V\t" Y27 "\t\tx",
	    "\"x\" is no part of a line" },
	{ "a seventh field", GOOD "\t", "has more than six fields" },
	{ "a control character", "V\t\x01",
	    "has an octet that is not printable: 0x01" },
};

static void
refuses_a_beginning(void **state)
{
	const struct bad *t = *state;
	struct error err = { 0 };
	struct index_line line;

	assert_int_equal(index_read_torn(span_text(t->text), &line, &err), -1);
	assert_string_equal(err.text, t->error);
}

static const struct revocation {
	const char *row;
	int64_t at;
	int reason;
	const char *field, *error;
} revocations[] = {
	{ "no reason", AT_26, 0, "261122123456Z", "" },
	{ "key compromise", AT_26, 1, "261122123456Z,keyCompromise", "" },
	{ "CA compromise", AT_26, 2, "261122123456Z,CACompromise", "" },
	{ "affiliation", AT_26, 3, "261122123456Z,affiliationChanged", "" },
	{ "superseded", AT_26, 4, "261122123456Z,superseded", "" },
	{ "cessation", AT_26, 5, "261122123456Z,cessationOfOperation", "" },
	{ "hold", AT_26, 6, "261122123456Z,certificateHold", "" },
	{ "a reason that is not used", AT_26, 7, NULL,
	    "OpenSSL knows no reason 7 for a revocation" },
	{ "removed", AT_26, 8, "261122123456Z,removeFromCRL", "" },
	{ "a reason that OpenSSL 3.0 does not know", AT_26, 9, NULL,
	    "OpenSSL knows no reason 9 for a revocation" },
	{ "another one", AT_26, 10, NULL,
	    "OpenSSL knows no reason 10 for a revocation" },
	{ "a negative one", AT_26, -1, NULL,
	    "OpenSSL knows no reason -1 for a revocation" },
	{ "in the last second of 2049", 2524607999LL, 0, "491231235959Z", "" },
	{ "in 2050", 2524608000LL, 0, NULL,
	    "OpenSSL knows no revocations before 1950 and after 2049" },
};

static void
writes_a_revocation(void **state)
{
	const struct revocation *t = *state;
	char field[INDEX_REVOCATION_SIZE] = "";
	struct error err = { 0 };

	assert_int_equal(index_revocation(t->at, t->reason, field, &err),
	    t->field == NULL ? -1 : 0);
	assert_string_equal(err.text, t->error);
	if (t->field != NULL)
		assert_string_equal(field, t->field);
}

static const struct serial {
	const char *row, *content, *text, *error;
} serials[] = {
	{ "one octet", "01", "01", "" },
	{ "zero", "00", "00", "" },
	{ "a zero for the sign", "0080", "80", "" },
	{ "twenty octets and the sign",
	    "00ff0102030405060708090a0b0c0d0e0f10111213",
	    "FF0102030405060708090A0B0C0D0E0F10111213", "" },
	{ "nothing", "", NULL,
	    "RFC 5280 4.1.2.2: a serial number that is not positive" },
	{ "a negative number", "80", NULL,
	    "RFC 5280 4.1.2.2: a serial number that is not positive" },
	{ "21 octets", "010102030405060708090a0b0c0d0e0f1011121314", NULL,
	    "RFC 5280 4.1.2.2: a serial number of more than 20 octets" },
};

static void
reads_a_serial(void **state)
{
	const struct serial *t = *state;
	struct blob content = hex_blob(t->content);
	struct index_line line = { 0 };
	char text[INDEX_SERIAL_SIZE];
	struct error err = { 0 };

	assert_int_equal(index_serial(blob_span(&content), &line, &err),
	    t->text == NULL ? -1 : 0);
	assert_string_equal(err.text, t->error);
	if (t->text != NULL)
		assert_string_equal(index_serial_text(&line, text), t->text);
	blob_free(&content);
}

int
main(void)
{
	static const struct table tables[] = {
		ROWS(reads_a_line, goods),
		ROWS(is_read_by_openssl, goods),
		ROWS(reads_other_spellings, spellings),
		ROWS(refuses_a_line, bads),
		ONE(longest_line, "a line has 32768 octets at most"),
		ROWS(torn_lines, goods),
		ROWS(refuses_a_beginning, no_beginnings),
		ROWS(writes_a_revocation, revocations),
		ROWS(reads_a_serial, serials),
	};

	return ROWS_RUN(tables, NULL, NULL);
}
