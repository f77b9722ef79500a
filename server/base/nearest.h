/* The known word that is most like one that is not known. */
#ifndef BASE_NEAREST_H
#define BASE_NEAREST_H

#include <stddef.h>

struct nearest {
	const char *asked; /* set before the first candidate; borrowed */
	char best[65];	   /* empty: no candidate yet */
	size_t distance;
};

void nearest_consider(struct nearest *, const char *candidate);

#endif
