/*
 * What an administrator can look at afterwards: views on the verdicts and
 * records of exchanges that are over.
 */
#ifndef EVIDENCE_EVIDENCE_H
#define EVIDENCE_EVIDENCE_H

#include "base/error.h"
#include "exchange/exchange.h"

/* The IIS log, W3C extended (ndes-facts 7.1). */
struct iis_log_form {
	const char *version; /* "10.0"; static */
	bool referer;	     /* IIS 8.0 and later */
	bool bytes;	     /* sc-bytes, as the article shows */
};
/* One line without its end, of at most 64 KiB. */
void iis_log_line(const struct exchange *, const struct iis_log_form *,
    struct buffer *out);
/* Whether IIS saw it at all. */
bool iis_log_wants(const struct exchange *);
void iis_log_header(const struct iis_log_form *, int64_t at,
    struct buffer *out);

/* http.sys's HTTPERR log (7.2): what never reached IIS. */
void httperr_line(const struct exchange *, struct buffer *out);
bool httperr_wants(const struct exchange *);
void httperr_header(int64_t at, struct buffer *out);

/*
 * The files of a site: DIR/W3SVC1/u_exYYMMDD.log and
 * DIR/HTTPERR/httperr1.log. Lines are written at once; a header comes with
 * each start and each new day. Safe for use by several threads.
 */
struct log_files;
/* Makes the directories; the error names the one that cannot be written. */
int log_files_open(const char *dir, struct log_files **out, struct error *);
/* Directories that went away are made anew. -1: the line is lost. */
int log_files_write(struct log_files *, const struct exchange *,
    const struct iis_log_form *, struct error *);
void log_files_close(struct log_files *);

/* For a person who watches: several lines, each to `say`. */
void narrate(const struct exchange *, const struct iis_log_form *,
    void (*say)(void *cls, const char *line), void *cls);

/* The last exchanges of a site, oldest first. Not thread-safe. */
#define JOURNAL_SIZE 256
struct journal_entry {
	uint64_t seq; /* from 1; 0: empty */
	int64_t at, duration_ms;
	struct endpoint source;
	char method[16], target[256]; /* cut */
	struct verdict verdict;
	struct scep_facts scep;
	struct rule_notes notes;
	uint64_t sent;
	enum ending ending;
};
struct journal {
	struct journal_entry *ring; /* JOURNAL_SIZE; made on first use */
	uint64_t next;
};
void journal_add(struct journal *, const struct exchange *);
/* The first entry of at least this number, or NULL. */
const struct journal_entry *journal_from(const struct journal *, uint64_t seq);
void journal_clear(struct journal *);

#endif
