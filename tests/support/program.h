/* The program itself, $MOCKNDES_PROGRAM, serving. */
#ifndef SUPPORT_PROGRAM_H
#define SUPPORT_PROGRAM_H

#include <jansson.h>

#include "support/child.h"

#define PROGRAM_ARGUMENTS_MAX 32

/* From the environment; fails the test if it is not there. */
const char *program_path(void);

/* Runs it with these words, NULL ended, to its end. */
void program_run(const char *const words[], const char *const env[],
    struct child_result *result);

struct program {
	struct child child;
	json_t *ready;		     /* the JSON of the READY line */
	const char *base, *url;	     /* in ready */
	const char *admin, *control; /* in ready; control: NULL if off */
	const char *tls;	     /* in ready; NULL: none */
};

/*
 * "serve" on free ports with the keys of tests/fixtures, then `arguments`
 * (NULL ended, or NULL); `env` as in child_start(). Returns when it is
 * ready.
 */
void program_start(struct program *, const char *const arguments[],
    const char *const env[]);
/* The same, with words such as "sh", "-c", ... before it; or NULL. */
void program_start_by(struct program *, const char *const by[],
    const char *const arguments[], const char *const env[]);
/* Ends it by this signal, and expects exit status 0. */
void program_stop(struct program *, int signal);
/* The same; the caller clears *result, in which any status may be. */
void program_finish(struct program *, int signal, struct child_result *result);

#endif
