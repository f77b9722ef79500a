#include "base/nearest.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define WORD_MAX 64

/* Levenshtein's edit distance; longer words are not worth it. */
static size_t
distance(const char *a, const char *b)
{
	size_t row[WORD_MAX + 1], before, here, n = strlen(b);

	if (strlen(a) > WORD_MAX || n > WORD_MAX)
		return SIZE_MAX;
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1] != '\0'; i++) {
		before = row[0];
		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			here = before + (a[i - 1] != b[j - 1]);
			before = row[j];
			if (row[j] + 1 < here)
				here = row[j] + 1;
			if (row[j - 1] + 1 < here)
				here = row[j - 1] + 1;
			row[j] = here;
		}
	}
	return row[n];
}

void
nearest_consider(struct nearest *n, const char *candidate)
{
	size_t d = distance(n->asked, candidate);

	if (n->best[0] == '\0' || d < n->distance) {
		snprintf(n->best, sizeof(n->best), "%s", candidate);
		n->distance = d;
	}
}
