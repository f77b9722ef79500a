#include <stdlib.h>

#include "bench/bench.h"

double
seconds(clockid_t clock)
{
	struct timespec t;

	if (clock_gettime(clock, &t) == -1)
		die("a clock cannot be read");
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void
samples_add(struct samples *s, double value)
{
	if (s->count == s->cap) {
		s->cap = s->cap == 0 ? 64 : 2 * s->cap;
		s->at = realloc(s->at, s->cap * sizeof(s->at[0]));
		if (s->at == NULL)
			die("out of memory");
	}
	s->at[s->count++] = value;
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

double
samples_quantile(struct samples *s, double part)
{
	if (s->count == 0)
		return 0;
	qsort(s->at, s->count, sizeof(s->at[0]), compare);
	return s->at[(size_t)(part * (double)(s->count - 1) + 0.5)];
}

double
samples_median(struct samples *s)
{
	return samples_quantile(s, 0.5);
}

void
samples_free(struct samples *s)
{
	free(s->at);
	*s = (struct samples){ 0 };
}
