/* What both W3C logs share; for this folder alone. */
#ifndef EVIDENCE_W3C_H
#define EVIDENCE_W3C_H

#include "evidence/evidence.h"

#define W3C_LINE_MAX 65536

/* "2017-08-08 20:22:16" */
void w3c_time(struct buffer *, int64_t at);
/* A field after a blank: blanks and controls become '+', nothing '-'. */
void w3c_field(struct buffer *, struct span);
void w3c_text(struct buffer *, const char *);
/* Cut at the longest line there is; it began at `start`. */
void w3c_cut(struct buffer *, size_t start);

#endif
