/*
 * What an administrator can look at afterwards: views on the verdicts and
 * records of exchanges that are over.
 */
#ifndef EVIDENCE_EVIDENCE_H
#define EVIDENCE_EVIDENCE_H

#include <limits.h>

#include "base/error.h"
#include "base/evidence_names.h"
#include "exchange/exchange.h"

struct json_t;

/* The IIS log, W3C extended (ndes-facts 7.1). */
struct iis_log_form {
	const char *version; /* "10.0"; static */
	bool referer;	     /* IIS 8.0 and later */
	bool bytes;	     /* sc-bytes, as the article shows */
	/* What is shown in place of the truth; NULL, 0: the truth. Borrowed. */
	const char *s_ip, *c_ip;
	unsigned s_port;
};
/* One line without its end, of at most 64 KiB. */
void iis_log_line(const struct exchange *, const struct iis_log_form *,
    struct buffer *out);
/* Whether IIS saw it at all. */
bool iis_log_wants(const struct exchange *);
void iis_log_header(const struct iis_log_form *, int64_t at,
    struct buffer *out);
/* Somewhere that lines go to; zeroed: none yet. */
struct iis_log_place {
	struct iis_log_form form;
	int day; /* of its last line: year * 1000 + yday */
};
/*
 * Whether a header is due before the next line: at the start, on a new day, or
 * if the fields are others. It counts as written.
 */
bool iis_log_turns(struct iis_log_place *, const struct iis_log_form *,
    int64_t at);

/*
 * http.sys's HTTPERR log (7.2): what never reached IIS. The version of IIS says
 * which Windows it is: streamid came with HTTP/2, in 10.0 (assumed).
 */
void httperr_line(const struct exchange *, const struct iis_log_form *,
    struct buffer *out);
bool httperr_wants(const struct exchange *);
void httperr_header(const struct iis_log_form *, int64_t at,
    struct buffer *out);
/* As iis_log_turns(), but not for a new day. */
bool httperr_turns(struct iis_log_place *, const struct iis_log_form *);

/*
 * The files of a site: DIR/W3SVC1/u_exYYMMDD.log, DIR/HTTPERR/httperr1.log
 * and the other logs as DIR/Application.log and so on. Lines are written at
 * once; a W3C header comes with each start, each new day and other fields. Safe
 * for use by several threads.
 */
struct log_files;
/* Makes the directories; the error names the one that cannot be written. */
int log_files_open(const char *dir, struct log_files **out, struct error *);
/* Directories that went away are made anew. -1: the line is lost. */
int log_files_write(struct log_files *, const struct exchange *,
    const struct iis_log_form *, struct error *);
/* What happened without an exchange, each so long before `at` as it says. */
int log_files_write_events(struct log_files *, const struct event *, int64_t at,
    const struct iis_log_form *, struct error *);
void log_files_close(struct log_files *);

/*
 * The same in memory: those of the evidence that are logs. The
 * oldest lines go when a text, or all of all sites together, is too large; a
 * text then says how many. Safe for use by several threads.
 */
/*
 * What `log` of the events in it says, and of the lines; NULL: it has none. The
 * W3C logs are "W3SVC1" and "HTTPERR".
 */
const char *evidence_events(enum evidence);
const char *evidence_lines(enum evidence);
struct log_memory; /* of a site; NULL is one that keeps nothing */
struct log_memories;
struct log_memories_options {
	size_t each;   /* octets of one text; 0: LOG_MEMORY_EACH */
	size_t octets; /* of all; 0: LOG_MEMORY_OCTETS */
};
#define LOG_MEMORY_EACH ((size_t)256 << 10)
#define LOG_MEMORY_OCTETS ((size_t)32 << 20)
int log_memories_new(struct log_memories **out,
    const struct log_memories_options *, struct error *);
void log_memories_free(struct log_memories *); /* after all of its logs */
size_t log_memories_octets(struct log_memories *);
int log_memory_open(struct log_memories *, struct log_memory **out,
    struct error *);
void log_memory_close(struct log_memory *);
/* The exchange as it is at its end. What finds no memory is lost, counted. */
void log_memory_add(struct log_memory *, const struct exchange *,
    const struct iis_log_form *);
/* What happened without an exchange, each so long before `at` as it says. */
void log_memory_add_events(struct log_memory *, const struct event *,
    int64_t at, const struct iis_log_form *);
/* -1 without memory. The W3C logs are to the octet those of the files. */
int log_memory_print(struct log_memory *, enum evidence, struct buffer *out);
/*
 * {name, lost, entries: [...]}: the fields of a W3C line, an event or another
 * line, each.
 */
struct json_t *log_memory_json(struct log_memory *, enum evidence);
/* Forgets all. */
void log_memory_clear(struct log_memory *);

/* For a person who watches: several lines, each to `say`. */
void narrate(const struct exchange *, const struct iis_log_form *,
    void (*say)(void *cls, const char *line), void *cls);

/*
 * The journals of all sites: the last exchanges of each, oldest first, under
 * one bound on their memory. Who holds most loses its oldest first, so a busy
 * site takes nothing from a quiet one. Safe for use by several threads.
 */
struct journal; /* of a site; NULL is one that keeps nothing */
struct journals;
struct journals_options {
	unsigned entries; /* of a site; 0: JOURNAL_ENTRIES; or JOURNAL_NONE */
	size_t octets;	  /* of all; 0: JOURNAL_OCTETS */
	/* Called when a journal has grown; no lock is held. NULL: nobody. */
	void (*grown)(void *cls, const struct journal *);
	void *cls;
};
#define JOURNAL_ENTRIES 256
#define JOURNAL_NONE UINT_MAX /* nothing is kept, of any site */
#define JOURNAL_OCTETS ((size_t)64 << 20)
int journals_new(struct journals **out, const struct journals_options *,
    struct error *);
void journals_free(struct journals *); /* after all of its journals */
struct journals_count {
	size_t octets, octets_max, entries;
	uint64_t lost; /* for lack of room, since the start */
};
void journals_count(struct journals *, struct journals_count *out);

/* NULL with JOURNAL_NONE. Nothing is ever waited for in that one. */
int journal_open(struct journals *, struct journal **out, struct error *);
void journal_close(struct journal *); /* nobody uses it, or waits */

/*
 * One exchange that is over; const, counted. Texts are printable ASCII, cut,
 * and never NULL.
 *
 * The raw octets are cut at EXCHANGE_KEPT_MAX, each. Of the request they are
 * its head as it was understood (request line and header fields in their order
 * as they came, a site's prefix included, with one blank after each colon) and
 * its body without the framing of chunks; of a request that was not
 * understood there are none. Of the reply they are what was sent. Cut also
 * means that some of it did not come, was not read or was not kept; an entry
 * that is too large for the bound of all journals is kept without them.
 */
struct journal_entry {
	uint64_t seq; /* from 1; grows by one, never used again */
	int64_t at, duration_ms;
	struct endpoint source;
	const char *method, *user_agent;
	const char *target;	  /* as its site sees it */
	size_t target_length;	  /* of all of it */
	const char *content_type; /* that was sent */
	struct verdict verdict;
	int status; /* that was sent; 0: none */
	struct scep_facts scep;
	struct rule_notes notes;
	uint64_t sent;
	enum ending ending;
	struct span request, reply; /* raw */
	bool request_cut, reply_cut;
	size_t size; /* octets in memory */
	_Atomic int refs;
};
struct journal_entry *journal_entry_ref(struct journal_entry *);
void journal_entry_free(struct journal_entry *);
const char *ending_name(enum ending); /* "sent", "client-left" */
/* As `as:` of a scenario has it: "http-sys", "iis". */
const char *layer_name(enum layer);

/* The exchange as it is at finish(). What finds no memory is lost, counted. */
void journal_add(struct journal *, const struct exchange *);

/*
 * What is asked for; zeroed: everything. Names match without regard to case,
 * "" those that have none; a transactionID matches as its entry shows it.
 */
struct journal_filter {
	const char *operation, *message_type, *transaction_id; /* or NULL */
	int status; /* that was sent; 0: any */
};
/* A reference to the first one after `since` that matches; NULL: none yet. */
struct journal_entry *journal_find(struct journal *, uint64_t since,
    const struct journal_filter *);
/*
 * To read on from *since, which becomes the number of that entry, or without one
 * of the newest. Adds to *lost how many in between were gone by then.
 */
struct journal_entry *journal_next(struct journal *, uint64_t *since,
    const struct journal_filter *, uint64_t *lost);
/* As journal_find(), after waiting for it so long at most. */
struct journal_entry *journal_wait(struct journal *, uint64_t since,
    const struct journal_filter *, int64_t ms);
uint64_t journal_last(struct journal *); /* number of the newest; 0: none */
/* How many after `since` are gone for lack of room, since it was cleared. */
uint64_t journal_lost(struct journal *, uint64_t since);
/* How many there are now that match. */
size_t journal_count(struct journal *, const struct journal_filter *);
/* Forgets all; numbers go on. They do not count as lost. */
void journal_clear(struct journal *);

/*
 * What the control API says of it; NULL without memory. All names are always
 * there; what is not known, or is not, is null. Texts are printable; those of
 * a scenario may be UTF-8. An object, in this order:
 *
 * seq		its number
 * time		when it began, by its site's clock: "2013-04-29T09:15:51Z"
 * duration_ms	until its end, by the machine's clock
 * source	"10.5.14.22:50123", "[::1]:50123"
 * method, target, user_agent	of the request; the target is cut at 1024
 *		octets, and has no prefix of a site
 * target_length	of all of it
 * operation	as `when: operation` of a scenario has it: GetCACaps, GetCACert,
 *		GetNextCACert, PKIOperation, browse, admin, other
 * request	what the pkiMessage says, as far as it could be read:
 *   message_type	"PKCSReq"; "unknown": one that there is not, or none
 *   transaction_id
 *   subject		of the CSR, or of a CertPoll: "C=US, CN=x"
 *   sans		subjectAltName of the CSR: "DNS:a.example, IP:10.0.0.1"
 *   signer		subject of the certificate that signed the message
 *   signer_serial	its serial number, as openssl has it: "61AA"
 *   signed_by		whose it is: "self", "this-ca", "other"
 *   digest		"sha256"
 *   cipher		"aes-128-cbc"
 *   encoding		"DER", "BER"
 *   challenge		"good", "wrong", "used", "expired", "missing"; null
 *			also where none is needed
 * findings	a list of what is odd or wrong in the request:
 *   name		"single-des"
 *   kind		"wrong", "weak", "unusual"
 *   text, rule, note	what it is, against what, and what comes of it
 * rules	a list of the rules of the scenario, as far as they were looked at:
 *   file, line		where it stands
 *   applies		whether it was applied
 *   turn		which exchange of the rule this is, from 1
 *   unmet		the first condition that does not hold
 * more_rules	how many there are beyond those of the list
 * verdict	which layer spoke, and what its log says:
 *   layer		"network", "app-proxy", "http-sys", "iis", "mscep",
 *			"policy-module", "ca", "mockndes"
 *   status, substatus, win32
 *   reason		s-reason of http.sys: "AppOffline"
 * reply	what was sent:
 *   status, content_type
 *   pki_status		"SUCCESS", "FAILURE", "PENDING", "unknown"
 *   fail_info		"badAlg", "badMessageCheck", "badRequest", "badTime",
 *			"badCertId", "unknown"
 *   fail_info_number	the same, 0 to 4
 *   serial		of the certificate that was issued, the same
 *   bytes		octets sent, head included
 *   ended		"sent", "client-left", "cut" (at stop), "fault"
 * why		what went wrong, said to whoever writes the client
 * raw		what there is of the octets; see struct journal_entry:
 *   request_bytes, request_cut, reply_bytes, reply_cut
 */
struct json_t *journal_entry_json(const struct journal_entry *);

/* Counts of the whole server since its start, for Prometheus. Thread-safe. */
struct metrics;
int metrics_new(struct metrics **out, struct error *);
void metrics_free(struct metrics *);
/* An exchange that is over. */
void metrics_add(struct metrics *, const struct exchange *);
/* Those of the exchanges, in the text format 0.0.4. */
void metrics_print(struct metrics *, struct buffer *out);
/* One more gauge or counter, with its HELP and TYPE. */
void metrics_value(struct buffer *out, const char *name, const char *type,
    const char *help, double value);

#endif
