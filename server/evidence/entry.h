/* What an entry of a journal is made of; for this folder alone. */
#ifndef EVIDENCE_ENTRY_H
#define EVIDENCE_ENTRY_H

#include "evidence/evidence.h"

/* An entry of `most` octets; without its raw octets if that is too little. */
struct journal_entry *entry_new(const struct exchange *, size_t most);
bool entry_matches(const struct journal_entry *, const struct journal_filter *);

#endif
