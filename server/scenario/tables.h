/*
 * The keys of the language, table by table, and what can be said of one; for
 * this folder alone.
 */
#ifndef SCENARIO_TABLES_H
#define SCENARIO_TABLES_H

#include "base/blob.h"
#include "base/value.h"

/* From 0 on; NULL: no more. */
typedef const struct key *key_rows(size_t);
key_rows server_rows, when_rows, do_rows, reference_rows, evidence_rows;

/*
 * What a healthy server has for this key of `server:`, as it is written;
 * false: it is none of them.
 */
bool key_default(const struct key *, struct buffer *out);

/* What keys that begin so are about: "mscep.reply"; NULL: nobody says. */
const char *table_section_help(const char *section);

/* What a key takes, as a reader is told: "a number, 1 to 3". */
void key_takes(const struct key *, struct buffer *out);
/* Some of its words have a help of their own. */
bool key_explains_words(const struct key *);

/* faults.c: words of a text, from this column on; ends the line. */
#define TERMINAL_COLUMNS 80
#define TERMINAL_INDENT 6 /* of a help */
void terminal_wrap(const char *text, size_t indent, size_t column,
    struct buffer *out);

#endif
