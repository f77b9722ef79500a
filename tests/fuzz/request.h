/* A struct request of octets, without a network. */
#ifndef FUZZ_REQUEST_H
#define FUZZ_REQUEST_H

#include "fuzz/fuzz.h"
#include "stack/stack.h"

/* One of 256 ways to set up a server. */
struct stack_state request_settings(unsigned choice);
/* Request line, headers and body as on the wire; exchange_clear() frees. */
void request_read(struct request *, struct span);

#endif
