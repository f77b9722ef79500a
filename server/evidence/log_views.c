/* Logs in memory as texts and as JSON. */
#include "evidence/record.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "evidence/w3c.h"

#define COMPUTER "NDESServer01" /* as in the pages of NDES */

/* As the article shows one (ndes-facts 8.4), with what a copy also has. */
static void
print_event(const struct record *r, const char *log, struct buffer *out)
{
	buffer_printf(out,
	    "Log Name:      %s\r\n"
	    "Source:        %s\r\n"
	    "Date:          ",
	    log, r->source);
	w3c_time(out, r->at);
	buffer_printf(out,
	    "\r\nEvent ID:      %d\r\n"
	    "Task Category: None\r\n"
	    "Level:         %s\r\n"
	    "Keywords:      \r\n"
	    "Computer:      " COMPUTER "\r\n"
	    "Description:\r\n",
	    r->id, r->level);
	buffer_add(out, r->text, r->len);
	buffer_add_text(out, "\r\n\r\n");
}

static void
print_lost(const struct reading *reading, const char *log, struct buffer *out)
{
	if (reading->lost > 0)
		buffer_printf(out,
		    log == NULL ? "#Remark: %llu older lines are gone\r\n" :
				  "(%llu older events are gone)\r\n\r\n",
		    (unsigned long long)reading->lost);
}

int
log_memory_print(struct log_memory *m, enum evidence e, struct buffer *out)
{
	const char *log = evidence_events(e);
	const struct record *r;
	struct reading reading;
	bool told = false;

	if (log_memory_read(m, e, &reading) == -1)
		return -1;
	for (r = reading.records.first; r != NULL; r = r->next) {
		if (!told && !r->is_header)
			print_lost(&reading, log, out);
		told |= !r->is_header;
		if (r->source != NULL)
			print_event(r, log, out);
		else
			buffer_add(out, r->text, r->len);
	}
	if (!told)
		print_lost(&reading, log, out);
	reading_clear(&reading);
	return out->failed ? -1 : 0;
}

/* A request may hold octets that are no UTF-8. */
static json_t *
json_text(const char *text, size_t len)
{
	static const char unknown[] = "\xef\xbf\xbd"; /* U+FFFD */
	json_t *json = json_stringn(text, len);
	struct buffer b = { 0 };

	if (json != NULL)
		return json;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < 0x80)
			buffer_add_byte(&b, (uint8_t)text[i]);
		else
			buffer_add_text(&b, unknown);
	if (!b.failed)
		json = json_stringn((char *)b.data, b.len);
	buffer_free(&b);
	return json;
}

static json_t *
event_json(const struct record *r, const char *log)
{
	struct tm tm = clock_utc(r->at);
	char time[32];

	strftime(time, sizeof(time), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return json_pack("{ss, ss, si, ss, ss, so}", "log", log, "source",
	    r->source, "id", r->id, "level", r->level, "time", time, "text",
	    json_text(r->text, r->len));
}

/* The next word, or one that is empty at the end. */
static struct span
next_word(struct span *rest)
{
	const uint8_t *blank = memchr(rest->data, ' ', rest->len);
	size_t len = blank == NULL ? rest->len : (size_t)(blank - rest->data);
	struct span word = span_of(rest->data, len);

	len += blank != NULL;
	*rest = span_of(rest->data + len, rest->len - len);
	return word;
}

static struct span
without_end(const char *text, size_t len)
{
	return span_of(text, len - (len >= 2 ? 2 : len));
}

/* The names of the fields, from the last line of a header. */
static struct span
field_names(const struct record *r)
{
	static const char begin[] = "#Fields: ";
	struct span all = without_end(r->text, r->len);
	const uint8_t *at = memmem(all.data, all.len, begin, strlen(begin));

	if (at == NULL)
		return SPAN_EMPTY;
	at += strlen(begin);
	return span_of(at, all.len - (size_t)(at - all.data));
}

static json_t *
line_json(const struct record *r, struct span names)
{
	struct span line = without_end(r->text, r->len), name, value;
	json_t *json = json_object();
	char key[32];

	while (names.len > 0 && line.len > 0) {
		name = next_word(&names);
		value = next_word(&line);
		snprintf(key, sizeof(key), "%.*s", (int)name.len,
		    (const char *)name.data);
		json_object_set_new(json, key,
		    json_text((const char *)value.data, value.len));
	}
	return json;
}

json_t *
log_memory_json(struct log_memory *m, enum evidence e)
{
	const char *log = evidence_events(e);
	struct span names = SPAN_EMPTY;
	struct reading reading;
	json_t *list;

	if (log_memory_read(m, e, &reading) == -1)
		return NULL;
	list = json_array();
	for (const struct record *r = reading.records.first; r != NULL;
	     r = r->next)
		if (r->is_header)
			names = field_names(r);
		else
			json_array_append_new(list,
			    r->source != NULL ? event_json(r, log) :
						line_json(r, names));
	reading_clear(&reading);
	return json_pack("{ss, sI, so}", "name", evidence_name(e), "lost",
	    (json_int_t)reading.lost, "entries", list);
}
