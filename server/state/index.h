/*
 * index.txt, the database of openssl-ca(1), as bytes. A line is a
 * certificate: status, expiry, revocation, serial number, file and subject,
 * with tabs between them. The form is that of apps/lib/apps.c and
 * crypto/txt_db/txt_db.c in OpenSSL 3.0.
 */
#ifndef STATE_INDEX_H
#define STATE_INDEX_H

#include "base/blob.h"
#include "base/error.h"

/* Octets of a line; four for each of a subject of 4096, and the rest. */
#define INDEX_LINE_MAX 32768
#define INDEX_SERIAL_MAX 20 /* octets, RFC 5280 4.1.2.2 */
#define INDEX_FIELDS 6

struct index_line {
	struct span whole; /* without the newline */
	char status;	   /* V valid, R revoked, E expired */
	int64_t not_after;
	struct span revocation; /* DATE[,REASON[,ARGUMENT]], or empty */
	int64_t revoked_at;	/* 0: is not */
	int reason;		/* RFC 5280 5.3.1; 0: not said */
	uint8_t serial[INDEX_SERIAL_MAX];
	size_t serial_len; /* without leading zeros */
	struct span file;  /* "unknown" */
	struct span subject;
	int fields; /* how many of these are there, of a torn line */
};

/* All spans borrow from `rest`. Comments are skipped, as OpenSSL does. */
struct index_reader {
	struct span rest;
	int line; /* the one read last, from 1 on */
};
/*
 * 1: a line; 0: no whole line is left, but `rest` may hold a torn one, which
 * would be line + 1; -1: not what OpenSSL writes. The message does not say
 * where.
 */
int index_next(struct index_reader *, struct index_line *, struct error *);
/* What stands in the fields that are whole; -1: not how a line begins. */
int index_read_torn(struct span, struct index_line *, struct error *);

/* A line with its newline; `file` may be empty. */
void index_add(struct buffer *, const struct index_line *);
/* The revocation field; -1: OpenSSL 3.0 could not read it. */
#define INDEX_REVOCATION_SIZE 48
int index_revocation(int64_t at, int reason, char out[INDEX_REVOCATION_SIZE],
    struct error *);

/* The octets of a serial number from its INTEGER; -1: negative, or longer. */
int index_serial(struct span content, struct index_line *, struct error *);
/* In upper case, as in file names. */
#define INDEX_SERIAL_SIZE (2 * INDEX_SERIAL_MAX + 1)
char *index_serial_text(const struct index_line *, char out[INDEX_SERIAL_SIZE]);
/* The same back: an even number of digits, in any case. */
int index_serial_read(struct span digits, struct index_line *, struct error *);

#endif
