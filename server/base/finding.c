#include "base/finding.h"

#include <stddef.h>

const char *
finding_kind_name(enum finding_kind kind)
{
	static const char *const names[] = {
		[FINDING_WRONG] = "wrong",
		[FINDING_WEAK] = "weak",
		[FINDING_UNUSUAL] = "unusual",
	};

	return names[kind];
}

void
findings_add(struct findings *f, unsigned row)
{
	if (row != 0)
		f->bits[row / 64] |= UINT64_C(1) << row % 64;
}

bool
findings_has(const struct findings *f, unsigned row)
{
	return f->bits[row / 64] >> row % 64 & 1;
}

const struct finding *
findings_next(const struct findings *f, unsigned *at)
{
	unsigned row;

	while (f->table != NULL && *at < FINDINGS_MAX) {
		row = (*at)++;
		if (findings_has(f, row))
			return &f->table[row];
	}
	return NULL;
}
