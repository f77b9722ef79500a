#include "state/index.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

#define UTC_TIME 13	    /* YYMMDDHHMMSSZ */
#define GENERALIZED_TIME 15 /* YYYYMMDDHHMMSSZ */
#define YEAR_1950 (-631152000LL)
#define YEAR_2050 2524608000LL
#define SHOWN 40 /* octets of a wrong field */

/* Of these OpenSSL 3.0 makes a CRL; what it cannot read comes later. */
static const struct reason {
	const char *name;
	int code;
	bool argument, later;
} reasons[] = {
	{ "unspecified", 0, false, false },
	{ "keyCompromise", 1, false, false },
	{ "CACompromise", 2, false, false },
	{ "affiliationChanged", 3, false, false },
	{ "superseded", 4, false, false },
	{ "cessationOfOperation", 5, false, false },
	{ "certificateHold", 6, false, false },
	{ "removeFromCRL", 8, false, false },
	{ "holdInstruction", 6, true, false },
	{ "keyTime", 1, true, false },
	{ "CAkeyTime", 2, true, false },
	{ "privilegeWithdrawn", 9, false, true },
	{ "AACompromise", 10, false, true },
};
#define REASONS (sizeof(reasons) / sizeof(reasons[0]))

static int
wrong(struct span field, const char *what, struct error *err)
{
	return error_set(err, "\"%.*s%s\" is no %s",
	    (int)(field.len < SHOWN ? field.len : SHOWN), field.data,
	    field.len > SHOWN ? "..." : "", what);
}

/* In the only form that comes of `at`, so that no 31st of June gets in. */
static int
time_text(int64_t at, char out[GENERALIZED_TIME + 1])
{
	struct tm tm = clock_utc(at);
	int year = tm.tm_year + 1900;
	bool utc = at >= YEAR_1950 && at < YEAR_2050;

	return snprintf(out, GENERALIZED_TIME + 1,
	    utc ? "%02u%02u%02u%02u%02u%02uZ" : "%04u%02u%02u%02u%02u%02uZ",
	    (unsigned)(utc ? year % 100 : year) % 10000,
	    (unsigned)(tm.tm_mon + 1) % 100, (unsigned)tm.tm_mday % 100,
	    (unsigned)tm.tm_hour % 100, (unsigned)tm.tm_min % 100,
	    (unsigned)tm.tm_sec % 100);
}

/* The number in two digits, or something that is no part of any date. */
static int
pair(struct span s, size_t at)
{
	int high = s.data[at] - '0', low = s.data[at + 1] - '0';

	return high < 0 || high > 9 || low < 0 || low > 9 ? -1000 :
							    10 * high + low;
}

static int
read_time(struct span s, int64_t *out)
{
	char again[GENERALIZED_TIME + 1];
	size_t at = s.len - 11;
	struct tm tm = { 0 };

	if (s.len == UTC_TIME)
		tm.tm_year = pair(s, 0) + (pair(s, 0) < 50 ? 100 : 0);
	else if (s.len == GENERALIZED_TIME)
		tm.tm_year = 100 * pair(s, 0) + pair(s, 2) - 1900;
	else
		return -1;
	tm.tm_mon = pair(s, at) - 1;
	tm.tm_mday = pair(s, at + 2);
	tm.tm_hour = pair(s, at + 4);
	tm.tm_min = pair(s, at + 6);
	tm.tm_sec = pair(s, at + 8);
	*out = timegm(&tm);
	time_text(*out, again);
	/* Before 2050 there are two forms of a date. */
	if (s.len == GENERALIZED_TIME && again[UTC_TIME] == '\0')
		s = span_of(s.data + 2, s.len - 2);
	return span_is(s, again) ? 0 : -1;
}

static int
read_status(struct span s, struct index_line *out, struct error *err)
{
	if (s.len != 1 || memchr("VRE", s.data[0], 3) == NULL)
		return wrong(s, "status: V, R or E", err);
	out->status = (char)s.data[0];
	return 0;
}

static int
read_expiry(struct span s, struct index_line *out, struct error *err)
{
	return read_time(s, &out->not_after) == 0 ? 0 : wrong(s, "date", err);
}

static int
read_reason(struct span s, struct index_line *out, struct error *err)
{
	const uint8_t *comma = memchr(s.data, ',', s.len);
	struct span name = s;

	if (comma != NULL)
		name.len = (size_t)(comma - s.data);
	for (size_t i = 0; i < REASONS; i++) {
		if (!span_is_nocase(name, reasons[i].name) ||
		    reasons[i].argument != (comma != NULL))
			continue;
		out->reason = reasons[i].code;
		return 0;
	}
	return wrong(s, "reason for a revocation", err);
}

static int
read_revocation(struct span s, struct index_line *out, struct error *err)
{
	const uint8_t *comma;
	struct span date = s;

	out->revocation = s;
	if (out->status != 'R')
		return s.len == 0 ? 0 :
				    error_set(err,
					"has a revocation date, but is not "
					"revoked");
	comma = s.len == 0 ? NULL : memchr(s.data, ',', s.len);
	if (comma != NULL)
		date.len = (size_t)(comma - s.data);
	if (read_time(date, &out->revoked_at) == -1 || out->revoked_at == 0)
		return wrong(date, "revocation date", err);
	if (comma == NULL)
		return 0;
	return read_reason(span_of(comma + 1, s.len - date.len - 1), out, err);
}

int
index_serial_read(struct span s, struct index_line *out, struct error *err)
{
	struct span digits = s;
	int octet;

	while (s.len > 2 && span_hex_pair(s, 0) == 0)
		s = span_of(s.data + 2, s.len - 2);
	out->serial_len = 0;
	if (s.len == 0 || s.len % 2 != 0 || s.len / 2 > INDEX_SERIAL_MAX)
		return wrong(digits, "serial number", err);
	for (size_t at = 0; at < s.len; at += 2) {
		if ((octet = span_hex_pair(s, at)) == -1)
			return wrong(digits, "serial number", err);
		out->serial[out->serial_len++] = (uint8_t)octet;
	}
	return 0;
}

static int
read_file(struct span s, struct index_line *out, struct error *err)
{
	(void)err;
	out->file = s;
	return 0;
}

static int
read_subject(struct span s, struct index_line *out, struct error *err)
{
	(void)err;
	out->subject = s;
	return 0;
}

static const struct field {
	const char *letters; /* that it is made of; NULL: any */
	int (*read)(struct span, struct index_line *, struct error *);
} fields[INDEX_FIELDS] = {
	{ "VRE", read_status },
	{ "0123456789Z", read_expiry },
	{ NULL, read_revocation },
	{ "0123456789abcdefABCDEF", index_serial_read },
	{ NULL, read_file },
	{ NULL, read_subject },
};

/* OpenSSL takes a tab behind a backslash for text, but never writes one. */
static int
check_octets(struct span line, struct error *err)
{
	for (size_t i = 0; i < line.len; i++) {
		uint8_t c = line.data[i];

		if (c == '\t' && i > 0 && line.data[i - 1] == '\\')
			return error_set(err, "has a tab within a field");
		if (c != '\t' && (c < ' ' || c > '~'))
			return error_set(err,
			    "has an octet that is not printable: 0x%02x", c);
	}
	return 0;
}

/* Up to the next tab, which it takes as well: 1; 0: there is none. */
static int
cut_field(struct span *rest, struct span *field)
{
	const uint8_t *tab = rest->len == 0 ?
	    NULL :
	    memchr(rest->data, '\t', rest->len);

	*field = *rest;
	if (tab == NULL) {
		*rest = SPAN_EMPTY;
		return 0;
	}
	field->len = (size_t)(tab - rest->data);
	*rest = span_of(tab + 1, rest->len - field->len - 1);
	return 1;
}

static int
read_line(struct span line, struct index_line *out, struct error *err)
{
	struct span rest = line, field;
	int more = 1;

	*out = (struct index_line){ .whole = line };
	if (check_octets(line, err) == -1)
		return -1;
	for (; more && out->fields < INDEX_FIELDS; out->fields++) {
		more = cut_field(&rest, &field);
		if (fields[out->fields].read(field, out, err) == -1)
			return -1;
	}
	if (more || out->fields < INDEX_FIELDS)
		return error_set(err, "has %s than six fields",
		    more ? "more" : "less");
	return 0;
}

int
index_next(struct index_reader *r, struct index_line *out, struct error *err)
{
	const uint8_t *end;
	struct span line;

	do {
		end = r->rest.len == 0 ?
		    NULL :
		    memchr(r->rest.data, '\n', r->rest.len);
		if (end == NULL)
			return 0;
		line = span_of(r->rest.data, (size_t)(end - r->rest.data));
		r->rest = span_of(end + 1, r->rest.len - line.len - 1);
		r->line++;
	} while (line.len > 0 && line.data[0] == '#');
	if (line.len > INDEX_LINE_MAX)
		return error_set(err, "longer than %d octets", INDEX_LINE_MAX);
	return read_line(line, out, err) == 0 ? 1 : -1;
}

int
index_read_torn(struct span s, struct index_line *out, struct error *err)
{
	struct span rest = s, field;
	const char *letters;

	*out = (struct index_line){ .whole = s };
	if (s.len > INDEX_LINE_MAX)
		return error_set(err, "longer than %d octets", INDEX_LINE_MAX);
	if (s.len > 0 && s.data[0] == '#')
		return 0;
	if (check_octets(s, err) == -1)
		return -1;
	while (out->fields < INDEX_FIELDS && cut_field(&rest, &field)) {
		if (fields[out->fields].read(field, out, err) == -1)
			return -1;
		out->fields++;
	}
	if (out->fields == INDEX_FIELDS)
		return error_set(err, "has more than six fields");
	letters = fields[out->fields].letters;
	for (size_t i = 0; letters != NULL && i < field.len; i++)
		if (strchr(letters, field.data[i]) == NULL)
			return wrong(field, "part of a line", err);
	return 0;
}

void
index_add(struct buffer *b, const struct index_line *line)
{
	char expiry[GENERALIZED_TIME + 1], serial[INDEX_SERIAL_SIZE];

	time_text(line->not_after, expiry);
	buffer_printf(b, "%c\t%s\t", line->status, expiry);
	buffer_add_span(b, line->revocation);
	buffer_printf(b, "\t%s\t", index_serial_text(line, serial));
	if (line->file.len > 0)
		buffer_add_span(b, line->file);
	else
		buffer_add_text(b, "unknown");
	buffer_add_text(b, "\t");
	buffer_add_span(b, line->subject);
	buffer_add_text(b, "\n");
}

int
index_revocation(int64_t at, int reason, char out[INDEX_REVOCATION_SIZE],
    struct error *err)
{
	char date[GENERALIZED_TIME + 1];
	size_t i;

	if (time_text(at, date) != UTC_TIME || at == 0)
		return error_set(err,
		    "OpenSSL knows no revocations before 1950 and after 2049");
	for (i = 0; i < REASONS; i++)
		if (reasons[i].code == reason && !reasons[i].later)
			break;
	if (i == REASONS)
		return error_set(err,
		    "OpenSSL knows no reason %d for a revocation", reason);
	/* RFC 5280 5.3.1: rather no reason than "unspecified". */
	snprintf(out, INDEX_REVOCATION_SIZE, "%s%s%s", date,
	    reason == 0 ? "" : ",", reason == 0 ? "" : reasons[i].name);
	return 0;
}

int
index_serial(struct span content, struct index_line *out, struct error *err)
{
	if (content.len == 0 || content.data[0] & 0x80)
		return error_set(err,
		    "RFC 5280 4.1.2.2: a serial number that is not positive");
	while (content.len > 1 && content.data[0] == 0)
		content = span_of(content.data + 1, content.len - 1);
	if (content.len > INDEX_SERIAL_MAX)
		return error_set(err,
		    "RFC 5280 4.1.2.2: a serial number of more than %d octets",
		    INDEX_SERIAL_MAX);
	memcpy(out->serial, content.data, content.len);
	out->serial_len = content.len;
	return 0;
}

char *
index_serial_text(const struct index_line *line, char out[INDEX_SERIAL_SIZE])
{
	out[0] = '\0';
	for (size_t i = 0; i < line->serial_len; i++)
		snprintf(out + 2 * i, 3, "%02X", line->serial[i]);
	return out;
}
