/*
 * Scenarios: YAML files that say what is wrong with the server. Loaded once,
 * const from then on, counted by reference.
 */
#ifndef SCENARIO_SCENARIO_H
#define SCENARIO_SCENARIO_H

#include "base/error.h"
#include "fault/fault.h"
#include "stack/stack.h"

struct scenario {
	char *name, *title, *description;
	struct stack_state state; /* what the site starts with */
	struct faults faults;
	_Atomic int refs;
};

/* A KEY=VALUE of --set, e.g. "server.iis.error_pages=detailed". */
struct scenario_set {
	const char *const *list; /* borrowed */
	size_t count;
};

/* `file` is for messages; errors come as file:line:col. */
int scenario_parse(struct span yaml, const char *file,
    const struct scenario_set *, struct scenario **out, struct error *);
/* One of those built in; the error names the nearest. */
int scenario_find(const char *name, const struct scenario_set *,
    struct scenario **out, struct error *);
struct scenario *scenario_ref(struct scenario *);
void scenario_free(struct scenario *);

#endif
