/* What the files of `do: scep` share. */
#ifndef FAULT_SCEP_H
#define FAULT_SCEP_H

#include "fault/inside.h"

/* A copy that lives as long as the exchange, and one octet more; or NULL. */
void *fault_copy(struct fault_context *, struct span);
/* -1: there are too many. */
int fault_attribute_add(struct scep_signed *, struct scep_attribute);

#endif
