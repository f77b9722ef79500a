/* What OpenSSL reads in a message, held against what we read. */
#ifndef FUZZ_COMPARE_H
#define FUZZ_COMPARE_H

#include "fuzz/fuzz.h"
#include "scep/scep.h"

/* The signed attributes; aborts where they differ. */
void compare_attributes(struct span message, const struct scep_request *);
/* What a CertPoll, GetCert or GetCRL asks for. */
void compare_query(const struct scep_request *, enum scep_flaw);

#endif
