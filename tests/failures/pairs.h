/*
 * Two causes in different layers: the outermost answers wherever it does alone,
 * its cure uncovers the inner one, and the cure of that one heals the site.
 */
#ifndef FAILURES_PAIRS_H
#define FAILURES_PAIRS_H

#include "failures/look.h"

void pairs_walk(struct lab *, struct look *healthy);

#endif
