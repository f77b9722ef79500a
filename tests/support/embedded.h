/*
 * A server as an embedder has it, by mockndes.h alone; what cannot be done
 * fails the test.
 */
#ifndef SUPPORT_EMBEDDED_H
#define SUPPORT_EMBEDDED_H

#include "mockndes.h"

/* With the keys of tests/fixtures. `journal` as in the options. */
struct mockndes *embedded_start(int journal);
/* `yaml`: what a scenario has behind its name; NULL: healthy. */
struct mockndes_site *embedded_open(struct mockndes *, const char *yaml);
/* The status of GetCACaps at this URL; 0: no answer. Fails nothing. */
long embedded_get(const char *url);
/* The next of its requests; it comes soon. */
#define EMBEDDED_WAIT_MS 20000
struct mockndes_request *embedded_next(struct mockndes_site *,
    const char *operation);

#endif
