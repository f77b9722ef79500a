/*
 * Another program: what it said, how it ended. It is killed, and the test
 * fails, when it does not end in time; it never outlives the test program.
 */
#ifndef SUPPORT_CHILD_H
#define SUPPORT_CHILD_H

#include <sys/types.h>

#include "base/blob.h"

#define CHILD_SECONDS 30

struct child {
	pid_t pid;
	int out, err; /* our ends of its pipes */
};

struct child_result {
	int status;		/* of exit; minus the signal that ended it */
	struct buffer out, err; /* each with a NUL that is not counted */
};

/*
 * argv[0] is looked up in PATH. env: "NAME=VALUE", NULL ended, beside our
 * own environment; or NULL.
 */
void child_start(struct child *, const char *const argv[],
    const char *const env[]);
/* The next line of its stdout without the line's end; false: none came. */
bool child_read_line(struct child *, struct buffer *line);
void child_signal(const struct child *, int signal);
/* Waits for its end. The caller clears *result. */
void child_finish(struct child *, struct child_result *result);

/* All of it: start and finish. */
void child_run(const char *const argv[], const char *const env[],
    struct child_result *result);
/* On its stdout or its stderr. */
bool child_has_said(const struct child_result *, const char *words);
void child_result_clear(struct child_result *);

#endif
