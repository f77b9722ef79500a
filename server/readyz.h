/* Is a running server ready? For container health checks. */
#ifndef READYZ_H
#define READYZ_H

#include "base/error.h"

/*
 * Asks GET /healthz of `where`: "http://HOST:PORT[/...]" or "HOST:PORT".
 * 0: it said 200 within five seconds.
 */
int readyz(const char *where, struct error *);

#endif
