/*
 * The walk of a failure: how it looks, what each action alone makes of it,
 * where its documented cures lead. What must be so everywhere is complained of
 * if it is not: who is said to be healthy lets every client enrol, after a cure
 * it is, and a reset forgets everything.
 */
#ifndef FAILURES_WALK_H
#define FAILURES_WALK_H

#include "failures/look.h"

struct row { /* of the table in the README */
	struct buffer name, documented, client, logs, cure;
};
struct walk {
	struct buffer text;
	struct row row;
};

/* Whether it is one: it has a way out, or its story is in an article. */
bool walk_wants(const json_t *scenario);
/* As the list of scenarios has it. The caller clears *out. */
void walk(struct lab *, const json_t *scenario, struct look *healthy,
    struct walk *out);
void walk_clear(struct walk *);

#endif
