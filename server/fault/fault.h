/*
 * Faults: what a scenario does to which exchange. A rule has conditions and
 * edits. The conditions decide, once, whether it applies; an edit then
 * changes a plan, or bytes between two stages, at its stage of the way. Honest
 * code only offers its plan and goes on with what comes back.
 */
#ifndef FAULT_FAULT_H
#define FAULT_FAULT_H

#include "base/value.h"
#include "ca/ca.h"
#include "exchange/exchange.h"
#include "scep/scep.h"

/* The stages, and the plan that each one edits. */
enum fault_stage {
	FAULT_CAPS = 1 << 0,	    /* struct scep_caps */
	FAULT_CA_CERTS = 1 << 1,    /* struct ca_certs_plan */
	FAULT_APPROVAL = 1 << 2,    /* bool: answer PENDING, issue later */
	FAULT_CERTIFICATE = 1 << 3, /* struct issue_plan */
	FAULT_SCEP = 1 << 4,	    /* struct scep_message */
	FAULT_ORDER = 1 << 5,	    /* struct ordered_answer; instead */
	FAULT_BYTES = 1 << 6,	    /* struct blob: the body, of malloc() */
	FAULT_HTTP = 1 << 7,	    /* struct reply */
	FAULT_WIRE = 1 << 8,	    /* struct wire */
};

/* What an edit may need to know. */
struct fault_context {
	struct exchange *exchange; /* exchange_alloc() for what plans borrow */
	const struct credentials *credentials;
	enum fault_stage stage; /* of those that the kind has */
	/* fault_draw(): the same for seed, site, rule and count. */
	uint64_t draw;
	struct error *err;
};
uint64_t fault_draw(struct fault_context *);

/* A row: one key below `do:`. */
struct fault_kind {
	struct key key; /* "scep.recipient_nonce" */
	unsigned stages;
	/* With this value, the rule is an "instead"; NULL: never. */
	bool (*instead)(const struct value *);
	/* Changes the plan of the stage. -1: it could not, err says why. */
	int (*apply)(struct fault_context *, const struct value *, void *plan);
};
/* The rows, section by section, from 0 on; NULL: no more. */
const struct fault_kind *fault_kind_at(size_t);
/* For rows whose every value is an "instead". */
bool fault_always(const struct value *);

/* Facts that only the decoded message has; NULL: it says none. */
struct fault_message {
	const char *type_name;	    /* "PKCSReq" */
	const char *subject;	    /* "C=US, CN=x" */
	const char *transaction_id; /* as sent */
};
struct fault_facts {
	const struct exchange *exchange;     /* request, operation, at */
	const struct fault_message *message; /* NULL: none, or not decoded */
	int64_t began;	       /* site's time when the scenario took effect */
	const char *operation; /* a word of `when: operation`; static */
};

/* A row: one key below `when:`. */
struct fault_turn; /* which exchange of the rule it is */
struct fault_condition {
	struct key key;
	bool needs_message;
	/* NULL: it counts, and is looked at last. */
	bool (*holds)(const struct fault_facts *, const struct value *);
	bool (*counts)(const struct fault_turn *, const struct value *);
};
/* The rows, from 0 on; NULL: no more. */
const struct fault_condition *fault_condition_at(size_t);

/*
 * Which keys cannot be meant together in a rule. Names are globs with "when."
 * or "do." in front, several with blanks between them; "=word" behind one:
 * only if its value is this word. What is false is not there.
 */
struct fault_relation {
	enum {
		ONE_OF,	  /* at most one of `keys` */
		EXCLUDES, /* each of `keys` excludes all of `others` */
		NEEDS,	  /* each of `keys` needs `others`, one name */
	} kind;
	const char *keys, *others;
	const char *why;
};
/* The rows, from 0 on; NULL: no more. */
const struct fault_relation *fault_relation_at(size_t);

/* Filled by the loader, const once faults_finish() is through with it. */
struct fault_rule {
	struct mark at;
	struct fault_test {
		const struct fault_condition *kind;
		struct value value;
	} * tests;
	size_t test_count;
	struct fault_edit {
		const struct fault_kind *kind;
		struct value value;
	} * edits;
	size_t edit_count;
	bool goes_on;	/* `continue: true`: rules after it may apply too */
	bool processed; /* the server does its work, "instead" or not */
	/* Of faults_finish(). */
	bool instead, needs_message;
	unsigned stages;
};
struct faults {
	struct fault_rule *rules; /* at most FAULT_RULES_MAX */
	size_t count;
	unsigned stages;    /* of any rule */
	bool needs_message; /* some rule has to wait for the message */
};
/* Fills in what follows from the rest, and says what cannot be meant. */
void faults_finish(struct faults *, struct errors *);
void faults_clear(struct faults *);

/*
 * Which exchange of a rule it is, by transaction if the rule says so. Bounded;
 * not thread-safe: the site's lock.
 */
#define FAULT_TRANSACTIONS_MAX 4096 /* of all rules of a site */
struct fault_counters;
struct fault_counters *fault_counters_new(const struct faults *);
void fault_counters_free(struct fault_counters *);

/*
 * `seed`: of the server and the site. An exchange counts for a rule if all
 * that does not count holds and no rule before it has won. Without counters,
 * as for an exchange that outlived its scenario, rules that count do not apply:
 * whose turn it would have been, nobody knows.
 */
void faults_decide(const struct faults *, struct fault_counters *,
    const struct fault_facts *, uint64_t seed, struct decision *out);
/* What outlives the scenario: those that apply, then the others. */
void faults_note(const struct faults *, const struct decision *,
    struct rule_notes *out);

/*
 * Whether everybody is refused now, so that the ports of the site are closed:
 * by a rule without conditions, or with one on the time alone.
 */
bool faults_refuse(const struct faults *, int64_t began, int64_t now);
/* Whether that may ever be. */
bool faults_may_refuse(const struct faults *);

/*
 * Applies the edits of this stage, of all rules that apply; an answer in place
 * of the server's is ordered by the first of them that has one.
 */
int faults_apply(const struct faults *, uint64_t seed, struct fault_context *,
    void *plan);

#endif
