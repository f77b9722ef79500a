#include "evidence/evidence.h"

#include <stdio.h>
#include <stdlib.h>

void
journal_add(struct journal *j, const struct exchange *ex)
{
	struct journal_entry *e;

	if (j->ring == NULL &&
	    (j->ring = calloc(JOURNAL_SIZE, sizeof(*j->ring))) == NULL)
		return;
	e = &j->ring[j->next % JOURNAL_SIZE];
	e->seq = ++j->next;
	e->at = ex->at;
	e->duration_ms = ex->duration_ms;
	e->source = ex->request.source;
	snprintf(e->method, sizeof(e->method), "%s",
	    ex->request.method == NULL ? "" : ex->request.method);
	snprintf(e->target, sizeof(e->target), "%s",
	    ex->request.target == NULL ? "" : ex->request.target);
	e->verdict = ex->verdict;
	e->scep = ex->scep;
	e->notes = ex->notes;
	e->sent = ex->sent;
	e->ending = ex->ending;
}

const struct journal_entry *
journal_from(const struct journal *j, uint64_t seq)
{
	uint64_t oldest = j->next > JOURNAL_SIZE ? j->next - JOURNAL_SIZE + 1 :
						   1;

	if (seq < oldest)
		seq = oldest;
	return j->ring == NULL || seq > j->next ?
	    NULL :
	    &j->ring[(seq - 1) % JOURNAL_SIZE];
}

void
journal_clear(struct journal *j)
{
	free(j->ring);
	*j = (struct journal){ 0 };
}
