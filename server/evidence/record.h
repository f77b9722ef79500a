/* What a log in memory is made of; for this folder alone. */
#ifndef EVIDENCE_RECORD_H
#define EVIDENCE_RECORD_H

#include "evidence/evidence.h"

/* One line, the header of a log, or an event. */
struct record {
	struct record *next;
	bool is_header;
	/* Of an event; static. */
	const char *source, *level;
	int id;
	int64_t at;
	size_t len;
	char text[]; /* with its line ends */
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
/* The log that its events are in, "Application"; NULL: it has lines. */
const char *evidence_events(enum evidence);

#endif
