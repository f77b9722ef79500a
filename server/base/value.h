/*
 * What a key of a scenario takes, and what it was given. One description
 * serves the loader, the JSON Schema, `mockndes faults` and the manual.
 */
#ifndef BASE_VALUE_H
#define BASE_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum value_type {
	VALUE_WORD,	/* one of `words` */
	VALUE_BOOL,	/* true or false */
	VALUE_NUMBER,	/* min to max; or one of `words`, if there are any */
	VALUE_FRACTION, /* "0.25", from 0 to 1: millionths */
	VALUE_DURATION, /* "250ms", "-1d": milliseconds, the same */
	VALUE_AMOUNT,	/* octets or "50%", the same */
	VALUE_TEXT,	/* printable ASCII, min to max octets */
	VALUE_BODY,	/* any UTF-8, at most max octets */
	VALUE_FILE,	/* a path beside the scenario's; max octets in it */
	VALUE_STATUS,	/* "503", "500.0" or "500.0.1346" */
	VALUE_WORDS,	/* a list of `words`; one may stand alone */
	VALUE_NUMBERS,	/* a list of numbers, min to max; the same */
	VALUE_TEXTS,	/* a list of at most max texts; the same */
	VALUE_OIDS,	/* the same, each an OID in digits */
	VALUE_PAIRS,	/* a map of at most max texts */
	VALUE_PERIOD,	/* [from, to]: two durations since the scenario began */
};

struct word {
	const char *text; /* NULL ends the list */
	int value;
	const char *help; /* NULL: the word says it all */
};

struct key {
	const char *name; /* dotted, below its section */
	enum value_type type;
	const struct word *words;
	int64_t min, max; /* max 0, of texts and files: as the file has room */
	const char *help; /* a sentence without its full stop */
};

struct value {
	struct mark at;
	/*
	 * WORD: its value. BOOL: 0 or 1. NUMBER, FRACTION (millionths),
	 * DURATION (ms), AMOUNT: itself, or the word's value if is_word.
	 */
	int64_t number;
	bool is_word, is_percent;
	/* TEXT, BODY; FILE: its content, which may hold NULs. NUL ended. */
	char *text;
	size_t length;
	/* TEXTS, OIDS; PAIRS: name, value, name, value ... */
	char **texts;
	/* WORDS: their values; NUMBERS; STATUS: three; PERIOD: two, in ms. */
	int64_t *numbers;
	size_t count; /* of texts, or of numbers */
};
void value_clear(struct value *);

#endif
