/* What a log in memory is made of; for this folder alone. */
#ifndef EVIDENCE_RECORD_H
#define EVIDENCE_RECORD_H

#include "evidence/evidence.h"

/* One line, the header of a log, or an event. */
struct record {
	struct record *next;
	bool is_header;
	int64_t at;
	size_t len; /* of the text, with its line ends if it is of a W3C log */
	/* Of an event, which has its source and level, each with a NUL. */
	bool is_event;
	int id;
	const char *log; /* static */
	size_t room;
	char text[]; /* text, NUL, source, level */
};

struct record_list {
	struct record *first, *last;
};

/* Copies, so that nobody waits while they are read. */
struct reading {
	struct record_list records; /* copies */
	uint64_t lost;
};

/* 0, or -1 without memory. */
int log_memory_read(struct log_memory *, enum evidence, struct reading *out);
void reading_clear(struct reading *);
/* What a record was made of; borrowed. */
struct event record_event(struct record *, enum evidence);

/* events.c: where it is kept; EVIDENCE_LOGS: nowhere. */
enum evidence evidence_of(const struct event *);
/* Its file in the directory of a site; NULL: W3C logs have folders. */
const char *evidence_file(enum evidence);
static inline bool
evidence_is_w3c(enum evidence e)
{
	return e == EVIDENCE_IIS_LOG || e == EVIDENCE_HTTPERR_LOG;
}
/* As the Event Viewer copies it, with an empty line behind. */
void event_print(const struct event *, int64_t at, struct buffer *out);
/* A line of a text log, with its time and its end. */
void line_print(const char *text, int64_t at, struct buffer *out);

#endif
