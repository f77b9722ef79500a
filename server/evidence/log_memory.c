/* Logs of sites in memory: the newest lines of each, under one bound. */
#include "evidence/record.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "evidence/w3c.h"

#define RECORD_MAX (W3C_LINE_MAX + 2)

struct log_text {
	struct record_list records;
	struct record *head; /* the header of those that are gone, or NULL */
	size_t octets;
	uint64_t lost; /* records, headers apart */
	struct iis_log_place place;
};

struct log_memory {
	struct log_memories *all;
	struct log_text texts[EVIDENCE_LOGS];
	struct log_memory *prev, *next;
};

struct log_memories {
	struct log_memories_options options;
	pthread_mutex_t lock; /* everything below, and all logs */
	struct log_memory *list;
	size_t octets;
};

int
log_memories_new(struct log_memories **out,
    const struct log_memories_options *options, struct error *err)
{
	struct log_memories *all = calloc(1, sizeof(*all));

	if ((*out = all) == NULL)
		return error_set(err, "out of memory");
	all->options = *options;
	if (all->options.each == 0)
		all->options.each = LOG_MEMORY_EACH;
	if (all->options.octets == 0)
		all->options.octets = LOG_MEMORY_OCTETS;
	pthread_mutex_init(&all->lock, NULL);
	return 0;
}

void
log_memories_free(struct log_memories *all)
{
	if (all == NULL)
		return;
	pthread_mutex_destroy(&all->lock);
	free(all);
}

size_t
log_memories_octets(struct log_memories *all)
{
	size_t octets;

	pthread_mutex_lock(&all->lock);
	octets = all->octets;
	pthread_mutex_unlock(&all->lock);
	return octets;
}

int
log_memory_open(struct log_memories *all, struct log_memory **out,
    struct error *err)
{
	struct log_memory *m = calloc(1, sizeof(*m));

	if ((*out = m) == NULL)
		return error_set(err, "out of memory");
	m->all = all;
	pthread_mutex_lock(&all->lock);
	DL_APPEND(all->list, m);
	pthread_mutex_unlock(&all->lock);
	return 0;
}

static void
free_records(struct record *r)
{
	struct record *next;

	for (; r != NULL; r = next) {
		next = r->next;
		free(r);
	}
}

/* Takes all that there is; who gets it frees it. */
static void
detach(struct log_memory *m, struct log_text out[EVIDENCE_LOGS])
{
	memcpy(out, m->texts, sizeof(m->texts));
	for (int e = 0; e < EVIDENCE_LOGS; e++)
		m->all->octets -= m->texts[e].octets;
	memset(m->texts, 0, sizeof(m->texts));
}

static void
free_texts(struct log_text texts[EVIDENCE_LOGS])
{
	for (int e = 0; e < EVIDENCE_LOGS; e++) {
		free_records(texts[e].records.first);
		free(texts[e].head);
	}
}

void
log_memory_clear(struct log_memory *m)
{
	struct log_text texts[EVIDENCE_LOGS];

	if (m == NULL)
		return;
	pthread_mutex_lock(&m->all->lock);
	detach(m, texts);
	pthread_mutex_unlock(&m->all->lock);
	free_texts(texts);
}

void
log_memory_close(struct log_memory *m)
{
	struct log_text texts[EVIDENCE_LOGS];

	if (m == NULL)
		return;
	pthread_mutex_lock(&m->all->lock);
	detach(m, texts);
	DL_DELETE(m->all->list, m);
	pthread_mutex_unlock(&m->all->lock);
	free_texts(texts);
	free(m);
}

static struct record *
record_new(struct span text, int64_t at, size_t more)
{
	size_t len = text.len < RECORD_MAX ? text.len : RECORD_MAX;
	struct record *r = calloc(1, sizeof(*r) + len + 1 + more);

	if (r == NULL)
		return NULL;
	r->at = at;
	r->len = len;
	r->room = len + 1 + more;
	memcpy(r->text, text.data, len);
	return r;
}

static struct record *
record_of_event(const struct event *event, int64_t at)
{
	size_t source = strlen(event->source) + 1;
	size_t level = strlen(event->level) + 1;
	struct record *r = record_new(span_text(event->text), at,
	    source + level);

	if (r == NULL)
		return NULL;
	r->log = event->log;
	r->is_event = true;
	r->id = event->id;
	memcpy(r->text + r->len + 1, event->source, source);
	memcpy(r->text + r->len + 1 + source, event->level, level);
	return r;
}

struct event
record_event(struct record *r, enum evidence e)
{
	struct event event = { .id = r->id, .text = r->text };

	if (!r->is_event) {
		event.log = evidence_lines(e);
		return event;
	}
	event.log = r->log;
	event.source = r->text + r->len + 1;
	event.level = event.source + strlen(event.source) + 1;
	return event;
}

static size_t
size_of(const struct record *r)
{
	return sizeof(*r) + r->room;
}

static void
append(struct record_list *list, struct record *r)
{
	if (list->last == NULL)
		list->first = r;
	else
		list->last->next = r;
	list->last = r;
}

/* What is under the lock, until it says otherwise. */

static void
hold(struct log_memory *m, struct log_text *t, size_t more, size_t less)
{
	t->octets += more - less;
	m->all->octets += more - less;
}

/* A header stays until the next one goes: what follows is read by it. */
static void
lose_oldest(struct log_memory *m, struct log_text *t)
{
	struct record *r = t->records.first;

	if ((t->records.first = r->next) == NULL)
		t->records.last = NULL;
	r->next = NULL;
	if (r->is_header) {
		if (t->head != NULL)
			hold(m, t, 0, size_of(t->head));
		free(t->head);
		t->head = r;
		return;
	}
	t->lost++;
	hold(m, t, 0, size_of(r));
	free(r);
}

/* Down to so many octets, if that many can go. */
static void
shrink(struct log_memory *m, struct log_text *t, size_t octets)
{
	while (t->octets > octets && t->records.first != NULL)
		lose_oldest(m, t);
}

/* Half of the largest of all goes, so that it is not looked for each time. */
static void
shrink_all(struct log_memories *all)
{
	struct log_memory *m, *whose = NULL;
	struct log_text *largest = NULL;

	DL_FOREACH(all->list, m)
		for (int e = 0; e < EVIDENCE_LOGS; e++)
			if (m->texts[e].records.first != NULL &&
			    (largest == NULL ||
				m->texts[e].octets > largest->octets)) {
				largest = &m->texts[e];
				whose = m;
			}
	if (largest != NULL)
		shrink(whose, largest, largest->octets / 2);
}

static void
put(struct log_memory *m, enum evidence e, struct record *r)
{
	struct log_memories *all = m->all;
	struct log_text *t = &m->texts[e];

	if (r == NULL) {
		t->lost++;
		return;
	}
	append(&t->records, r);
	hold(m, t, size_of(r), 0);
	shrink(m, t, all->options.each);
	for (size_t before = SIZE_MAX;
	     all->octets > all->options.octets && all->octets < before;) {
		before = all->octets;
		shrink_all(all);
	}
}

static void
put_header(struct log_memory *m, enum evidence e, int64_t at,
    const struct iis_log_form *form)
{
	struct log_text *t = &m->texts[e];
	struct buffer b = { 0 };
	struct record *r;

	if (e == EVIDENCE_IIS_LOG ? !iis_log_turns(&t->place, form, at) :
				    !httperr_turns(&t->place, form))
		return;
	if (e == EVIDENCE_IIS_LOG)
		iis_log_header(form, at, &b);
	else
		httperr_header(form, at, &b);
	r = b.failed ? NULL : record_new(buffer_span(&b), at, 0);
	buffer_free(&b);
	if (r == NULL)
		return;
	r->is_header = true;
	put(m, e, r);
}

/* From here on without. */

/* Takes the line, which lacks its end. */
static void
add_line(struct log_memory *m, enum evidence e, struct buffer *line, int64_t at,
    const struct iis_log_form *form)
{
	struct record *r;

	buffer_add_text(line, "\r\n");
	r = line->failed ? NULL : record_new(buffer_span(line), at, 0);
	buffer_free(line);
	pthread_mutex_lock(&m->all->lock);
	put_header(m, e, at, form);
	put(m, e, r);
	pthread_mutex_unlock(&m->all->lock);
}

void
log_memory_add_events(struct log_memory *m, const struct event *events,
    int64_t at, const struct iis_log_form *form)
{
	struct buffer line;
	struct record *r;
	enum evidence e;

	for (; m != NULL && events != NULL; events = events->next) {
		if ((e = evidence_of(events)) == EVIDENCE_LOGS)
			continue;
		if (evidence_is_w3c(e)) {
			line = (struct buffer){ 0 };
			buffer_add_text(&line, events->text);
			add_line(m, e, &line, at - events->ago, form);
			continue;
		}
		r = events->source != NULL ?
		    record_of_event(events, at - events->ago) :
		    record_new(span_text(events->text), at - events->ago, 0);
		pthread_mutex_lock(&m->all->lock);
		put(m, e, r);
		pthread_mutex_unlock(&m->all->lock);
	}
}

void
log_memory_add(struct log_memory *m, const struct exchange *ex,
    const struct iis_log_form *form)
{
	struct buffer line = { 0 };

	if (m == NULL)
		return;
	/* A request that the server made meanwhile ended before. */
	log_memory_add_events(m, ex->events, ex->at, form);
	if (iis_log_wants(ex)) {
		iis_log_line(ex, form, &line);
		add_line(m, EVIDENCE_IIS_LOG, &line, ex->at, form);
	} else if (httperr_wants(ex)) {
		httperr_line(ex, form, &line);
		add_line(m, EVIDENCE_HTTPERR_LOG, &line, ex->at, form);
	}
}

static int
read_one(struct reading *out, const struct record *r)
{
	struct record *copy = malloc(size_of(r));

	if (copy == NULL)
		return -1;
	memcpy(copy, r, size_of(r));
	copy->next = NULL;
	append(&out->records, copy);
	return 0;
}

int
log_memory_read(struct log_memory *m, enum evidence e, struct reading *out)
{
	const struct log_text *t;
	int ret = 0;

	*out = (struct reading){ { NULL, NULL }, 0 };
	if (m == NULL)
		return 0;
	t = &m->texts[e];
	pthread_mutex_lock(&m->all->lock);
	out->lost = t->lost;
	if (t->head != NULL)
		ret = read_one(out, t->head);
	for (const struct record *r = t->records.first; r != NULL && ret == 0;
	     r = r->next)
		ret = read_one(out, r);
	pthread_mutex_unlock(&m->all->lock);
	if (ret == -1)
		reading_clear(out);
	return ret;
}

void
reading_clear(struct reading *r)
{
	free_records(r->records.first);
	r->records.first = r->records.last = NULL;
}
