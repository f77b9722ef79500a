/*
 * Programs that cannot be told whom to trust in TLS: they are run where a PEM
 * file stands in the place of those whom this machine trusts.
 */
#ifndef SUPPORT_TRUST_H
#define SUPPORT_TRUST_H

#include <stdbool.h>
#include <stddef.h>

/* Whether we may have mounts of our own; says so if not. */
bool trust_is_possible(void);

/*
 * "unshare ... ARGV", NULL ended; `ca` NULL: ARGV as it is. Borrows all of
 * them. Fails the test if it does not fit.
 */
void trust(const char *ca, const char *const argv[], const char *words[],
    size_t size);

#endif
