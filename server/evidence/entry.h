/* What an entry of a journal is made of; for this folder alone. */
#ifndef EVIDENCE_ENTRY_H
#define EVIDENCE_ENTRY_H

#include "evidence/evidence.h"

/* An entry of `most` octets; without its raw octets if that is too little. */
struct journal_entry *entry_new(const struct exchange *, size_t most);
bool entry_matches(const struct journal_entry *, const struct journal_filter *);
/* The status that was sent; 0: none. */
int entry_status(const struct exchange *);
/* Printable ASCII, cut at `size` with its NUL. */
char *entry_printable(char *out, size_t size, struct span text);
/* names.c: RFC 8894 3.2.1.3 and 3.2.1.4, or "unknown" */
const char *pki_status_name(int status);   /* "SUCCESS" */
const char *fail_info_name(int fail_info); /* "badRequest" */

#endif
