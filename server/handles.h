/*
 * The sites that an embedder has a handle of: what mockndes.h says of
 * struct mockndes_site.
 */
#ifndef HANDLES_H
#define HANDLES_H

#include "doors.h"
#include "mockndes.h"
#include "site/site.h"

/* Everything is borrowed and must outlive the handles. */
struct handles_options {
	struct sites *sites;
	struct doors *doors;
	const char *scenario_dir; /* or NULL */
};

struct handles;
/* With one of the default site, which must be there. */
int handles_new(struct handles **out, const struct handles_options *,
    struct error *);
/* With all that are left; their sites stay. Before sites_free(). */
void handles_free(struct handles *);

int handles_open(struct handles *, const struct mockndes_site_options *,
    struct mockndes_site **out, char *error);
struct mockndes_site *handles_default(struct handles *);

/* For next_request.c: the journal, and the last number that was taken. */
struct journal *handle_journal(struct mockndes_site *);
_Atomic uint64_t *handle_taken(struct mockndes_site *);

#endif
