/*
 * What an administrator finds where he looks: services, application pools, the
 * registry, the certificate stores. It is told of the state, as it is
 * configured: what waits for a restart is shown already.
 *
 * Names of things are those of the article and of ndes-facts; what they do not
 * name (the domain, accounts, how a tool lays out its answer) is assumed.
 */
#ifndef ADMIN_ADMIN_H
#define ADMIN_ADMIN_H

#include "base/evidence_names.h"
#include "stack/stack.h"

struct json_t;

/* Who looks; all borrowed. */
struct admin_look {
	const struct stack_state *state;
	const struct credentials *credentials; /* see admin_needs_... */
	int64_t opened, now;		       /* by the site's clock */
};
/* Of evidence that is no log; the others are in evidence/. */
bool admin_needs_credentials(enum evidence);
/* -1 without memory. */
int admin_print(enum evidence, const struct admin_look *, struct buffer *out);
/*
 * {name, lost: 0, entries: [...]}: an object for each row, its columns as
 * texts. NULL without memory.
 */
struct json_t *admin_json(enum evidence, const struct admin_look *);

#endif
