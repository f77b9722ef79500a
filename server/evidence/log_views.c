/* Logs in memory as texts and as JSON. */
#include "evidence/record.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "evidence/w3c.h"

static void
print_lost(const struct reading *reading, const char *log, struct buffer *out)
{
	if (reading->lost > 0)
		buffer_printf(out,
		    log == NULL ? "#Remark: %llu older lines are gone\r\n" :
				  "(%llu older events are gone)\r\n\r\n",
		    (unsigned long long)reading->lost);
}

static void
print_record(struct record *r, enum evidence e, struct buffer *out)
{
	const struct event event = record_event(r, e);

	if (r->is_event)
		event_print(&event, r->at, out);
	else if (evidence_is_w3c(e))
		buffer_add(out, r->text, r->len);
	else
		line_print(event.text, r->at, out);
}

int
log_memory_print(struct log_memory *m, enum evidence e, struct buffer *out)
{
	const char *log = evidence_events(e);
	struct reading reading;
	struct record *r;
	bool told = false;

	if (log_memory_read(m, e, &reading) == -1)
		return -1;
	for (r = reading.records.first; r != NULL; r = r->next) {
		if (!told && !r->is_header)
			print_lost(&reading, log, out);
		told |= !r->is_header;
		print_record(r, e, out);
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

/* An event, or a line of a log that has no fields. */
static json_t *
event_json(struct record *r, enum evidence e)
{
	const struct event event = record_event(r, e);
	struct tm tm = clock_utc(r->at);
	json_t *json;
	char time[32];

	strftime(time, sizeof(time), "%Y-%m-%dT%H:%M:%SZ", &tm);
	json = json_pack("{ss, ss, so}", "log", event.log, "time", time, "text",
	    json_text(r->text, r->len));
	if (!r->is_event)
		return json;
	json_object_set_new(json, "source", json_string(event.source));
	json_object_set_new(json, "id", json_integer(event.id));
	json_object_set_new(json, "level", json_string(event.level));
	return json;
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

static json_t *
record_json(struct record *r, enum evidence e, struct span names)
{
	return evidence_is_w3c(e) ? line_json(r, names) : event_json(r, e);
}

json_t *
log_memory_json(struct log_memory *m, enum evidence e)
{
	struct span names = SPAN_EMPTY;
	struct reading reading;
	json_t *list;

	if (log_memory_read(m, e, &reading) == -1)
		return NULL;
	list = json_array();
	for (struct record *r = reading.records.first; r != NULL; r = r->next)
		if (r->is_header)
			names = field_names(r);
		else
			json_array_append_new(list, record_json(r, e, names));
	reading_clear(&reading);
	return json_pack("{ss, sI, so}", "name", evidence_name(e), "lost",
	    (json_int_t)reading.lost, "entries", list);
}
