/*
 * What is odd or wrong in a request, said to whoever writes the client: a
 * set of findings out of one table. Plain data, so that a copy is a copy.
 */
#ifndef BASE_FINDING_H
#define BASE_FINDING_H

#include <stdbool.h>
#include <stdint.h>

enum finding_kind {
	FINDING_WRONG,	 /* against the rule */
	FINDING_WEAK,	 /* cryptography that holds no longer */
	FINDING_UNUSUAL, /* allowed or tolerated, but not by every server */
};
const char *finding_kind_name(enum finding_kind); /* "wrong" */

/* A row of a table; all texts are static. */
struct finding {
	const char *name; /* "single-des" */
	enum finding_kind kind;
	const char *text; /* what it is */
	const char *rule; /* "RFC 8894 2.9" */
	const char *note; /* what comes of it; NULL: no more is known */
};

/* Which rows hold. Zeroed, it is empty. */
#define FINDINGS_MAX 128 /* rows of a table */
struct findings {
	const struct finding *table; /* static; NULL: empty */
	uint64_t bits[FINDINGS_MAX / 64];
};
/* Row 0 stands for nothing and is never added. */
void findings_add(struct findings *, unsigned row);
bool findings_has(const struct findings *, unsigned row);
/* Goes through the set: *at begins with 0; NULL: no more. */
const struct finding *findings_next(const struct findings *, unsigned *at);

#endif
