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
	struct log_text texts[EVIDENCES];
	struct log_memory *prev, *next;
};

struct log_memories {
	struct log_memories_options options;
	pthread_mutex_t lock; /* everything below, and all logs */
	struct log_memory *list;
	size_t octets;
};

static const struct evidence_row {
	const char *name, *title, *log; /* log: of the events in it */
} rows[EVIDENCES] = {
	[EVIDENCE_IIS_LOG] = { "iis-log", "The log of IIS, W3C extended",
	    NULL },
	[EVIDENCE_HTTPERR_LOG] = { "httperr-log",
	    "The HTTPERR log of http.sys: what never reached IIS", NULL },
	[EVIDENCE_APPLICATION_LOG] = { "application-log",
	    "The Application log of Windows: the events of NDES",
	    "Application" },
};

const char *
evidence_name(enum evidence e)
{
	return rows[e].name;
}

const char *
evidence_title(enum evidence e)
{
	return rows[e].title;
}

const char *
evidence_events(enum evidence e)
{
	return rows[e].log;
}

enum evidence
evidence_find(const char *name)
{
	int e = 0;

	while (e < EVIDENCES && strcmp(rows[e].name, name) != 0)
		e++;
	return (enum evidence)e;
}

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
detach(struct log_memory *m, struct log_text out[EVIDENCES])
{
	memcpy(out, m->texts, sizeof(m->texts));
	for (int e = 0; e < EVIDENCES; e++)
		m->all->octets -= m->texts[e].octets;
	memset(m->texts, 0, sizeof(m->texts));
}

static void
free_texts(struct log_text texts[EVIDENCES])
{
	for (int e = 0; e < EVIDENCES; e++) {
		free_records(texts[e].records.first);
		free(texts[e].head);
	}
}

void
log_memory_clear(struct log_memory *m)
{
	struct log_text texts[EVIDENCES];

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
	struct log_text texts[EVIDENCES];

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
record_new(struct span text, int64_t at)
{
	size_t len = text.len < RECORD_MAX ? text.len : RECORD_MAX;
	struct record *r = calloc(1, sizeof(*r) + len);

	if (r == NULL)
		return NULL;
	r->at = at;
	r->len = len;
	memcpy(r->text, text.data, len);
	return r;
}

static size_t
size_of(const struct record *r)
{
	return sizeof(*r) + r->len;
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
		for (int e = 0; e < EVIDENCES; e++)
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
put_header(struct log_memory *m, enum evidence e, const struct exchange *ex,
    const struct iis_log_form *form)
{
	struct log_text *t = &m->texts[e];
	struct buffer b = { 0 };
	struct record *r;

	if (e == EVIDENCE_IIS_LOG ? !iis_log_turns(&t->place, form, ex->at) :
				    t->records.first != NULL || t->head != NULL)
		return;
	if (e == EVIDENCE_IIS_LOG)
		iis_log_header(form, ex->at, &b);
	else
		httperr_header(ex->at, &b);
	r = b.failed ? NULL : record_new(buffer_span(&b), ex->at);
	buffer_free(&b);
	if (r == NULL)
		return;
	r->is_header = true;
	put(m, e, r);
}

/* From here on without. */

static void
add_line(struct log_memory *m, const struct exchange *ex,
    const struct iis_log_form *form)
{
	enum evidence e = iis_log_wants(ex) ? EVIDENCE_IIS_LOG :
					      EVIDENCE_HTTPERR_LOG;
	struct buffer b = { 0 };
	struct record *r;

	if (e == EVIDENCE_IIS_LOG)
		iis_log_line(ex, form, &b);
	else
		httperr_line(ex, &b);
	buffer_add_text(&b, "\r\n");
	r = b.failed ? NULL : record_new(buffer_span(&b), ex->at);
	buffer_free(&b);
	pthread_mutex_lock(&m->all->lock);
	put_header(m, e, ex, form);
	put(m, e, r);
	pthread_mutex_unlock(&m->all->lock);
}

static void
add_event(struct log_memory *m, const struct exchange *ex,
    const struct event *event)
{
	struct record *r;

	for (int e = 0; e < EVIDENCES; e++) {
		if (rows[e].log == NULL || strcmp(rows[e].log, event->log) != 0)
			continue;
		if ((r = record_new(span_text(event->text), ex->at)) != NULL) {
			r->source = event->source;
			r->level = event->level;
			r->id = event->id;
		}
		pthread_mutex_lock(&m->all->lock);
		put(m, (enum evidence)e, r);
		pthread_mutex_unlock(&m->all->lock);
	}
}

void
log_memory_add(struct log_memory *m, const struct exchange *ex,
    const struct iis_log_form *form)
{
	if (m == NULL)
		return;
	if (iis_log_wants(ex) || httperr_wants(ex))
		add_line(m, ex, form);
	for (const struct event *e = ex->events; e != NULL; e = e->next)
		add_event(m, ex, e);
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
