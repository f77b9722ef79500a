/*
 * The table of sites. A site is one isolated virtual NDES; everything that
 * changes while it runs changes here, under its lock, which is never held
 * over RSA or a socket.
 */
#ifndef SITE_H
#define SITE_H

#include "base/clock.h"
#include "evidence/evidence.h"
#include "exchange/exchange.h"
#include "scenario/scenario.h"
#include "stack/stack.h"

struct site;
struct sites;

/*
 * What a site was when an exchange began; const, counted. An action, a
 * switch or a reset builds a new one and raises the generation; effects of
 * exchanges of an older generation are journaled but change nothing.
 */
struct snapshot {
	struct site *site;   /* borrowed: outlives its exchanges */
	uint64_t generation; /* of scenario and counters */
	uint64_t changes;    /* of the site, before it */
	uint64_t resets;     /* of the site, before it */
	struct scenario *scenario;
	struct stack_state state;
	/* NULL: nobody has needed them yet, see site_catch_up(). */
	struct credentials *credentials;
	struct blob ca_certs; /* the answer to GetCACert */
	int64_t began;	      /* when the scenario took effect */
	_Atomic int refs;
};

struct sites_options {
	struct key_set *keys;
	struct crypto *crypto;
	const char *challenge;	  /* good any number of times, or NULL */
	const char *log_dir;	  /* NULL: no files */
	const char *scenario_dir; /* where NAME.yaml is looked for first */
	struct state_dir *state;  /* of the default site; NULL: in memory */
	uint64_t seed;		  /* of chance */
	unsigned most;		  /* sites; 0: SITES_MOST */
	size_t octets;		  /* 0: SITES_OCTETS_MAX */
	struct journals_options journals;
	void (*narrate)(void *cls, const char *line); /* NULL: silent */
	void *cls;
	/*
	 * The worker process of this site has died: site_lost() knows what was
	 * in it. On the thread of site_crash(). NULL: nobody has anything.
	 */
	void (*cut)(void *cls, struct site *);
	void *cut_cls;
};
#define SITES_MOST 1024
/*
 * What certificates and waiting requests of all sites may take, in octets.
 * Beyond it a site forgets its own oldest certificates, and holds no more.
 */
#define SITES_OCTETS_MAX ((size_t)256 << 20)
/* Everything in the options is borrowed and must outlive the table. */
int sites_new(struct sites **out, const struct sites_options *, struct error *);
void sites_free(struct sites *);
struct metrics *sites_metrics(struct sites *);
struct journals *sites_journals(struct sites *);
struct log_memories *sites_evidence(struct sites *);

/* How a site came to be, which says where it is found. */
enum site_kind {
	SITE_IS_DEFAULT,  /* at the root */
	SITE_OF_SCENARIO, /* /s/SCENARIO/: shared by all who use it */
	SITE_OF_LABEL,	  /* /s/SCENARIO/LABEL/: made on first use */
	SITE_MADE,	  /* /t/ID/: by the control API or the library */
};
#define SITE_DEFAULT "default"
#define SITE_ID_SIZE 256   /* SCENARIO~LABEL */
#define SITE_PATH_SIZE 260 /* "/s/SCENARIO/LABEL" */
#define SITE_LABEL_MAX 64

/* What becomes of asking for a site; but for OK, the error says why. */
enum site_answer {
	SITE_OK,
	SITE_BAD_ID,   /* no id that a site can have */
	SITE_UNKNOWN,  /* there never was one */
	SITE_GONE,     /* deleted, or evicted */
	SITE_TAKEN,    /* by another one */
	SITE_NO_ROOM,  /* there are --max-sites, none of which may go */
	SITE_SCENARIO, /* it is not to be had; `errors` say why */
	SITE_FAILED,   /* no memory, no directory for its logs */
};

/* All of these give a reference, for site_unref(). */
struct site *site_ref(struct site *);
void site_unref(struct site *); /* NULL is fine */
enum site_answer site_get(struct sites *, const char *id, struct site **out,
    struct error *);
/*
 * Opens one of the kind SITE_MADE, or the default one. `id` NULL: one that
 * nobody can guess. Takes a reference to the scenario. Signs nothing yet.
 */
enum site_answer site_make(struct sites *, const char *id, struct scenario *,
    struct site **out, struct error *);
/*
 * It is gone for everybody from now on; exchanges that it has end by
 * themselves. The default site stays: SITE_TAKEN.
 */
enum site_answer site_close(struct sites *, const char *id, struct error *);
/* All that there are, the default one first, the others as they came. */
int sites_list(struct sites *, struct site ***out, size_t *count);
void sites_list_free(struct site **, size_t count);
struct sites_count {
	unsigned now, most;
	uint64_t opened, evicted;
};
void sites_count(struct sites *, struct sites_count *out);
struct site *site_default(struct sites *); /* borrowed: it never goes */

/* What does not change. */
const char *site_id(const struct site *);
enum site_kind site_kind(const struct site *);
/* What its URLs begin with: "", "/s/flaky/x", "/t/ID". */
char *site_path(const struct site *, char out[SITE_PATH_SIZE]);
struct clock *site_clock(struct site *);
struct journal *site_journal(struct site *);
struct log_memory *site_evidence(struct site *);
/* By its clock: the start, or the reset. */
int64_t site_opened(const struct site *);
/* Whether it is gone; exchanges that it has still end. */
bool site_is_closed(const struct site *);
/* Where it has a port of its own; 0: nowhere. */
unsigned site_port(const struct site *);
void site_set_port(struct site *, unsigned port);

/* What it is like now. */
void site_state(struct site *, struct stack_state *out);
struct scenario *site_scenario(struct site *); /* a reference */
/* A reference. May sign, and make keys; NULL: the error says why. */
struct credentials *site_credentials(struct site *, struct error *);
/*
 * Whether nothing is wrong, by stack_is_healthy() and in its scenario; if not,
 * `why` (or NULL) says what. May sign.
 */
bool site_is_healthy(struct site *, struct error *why);

/*
 * Causes and settings become the scenario's, counters begin anew; passwords,
 * certificates, requests that wait, clock and journal stay, and so does the CA
 * unless ca.key or ca.tiers differ. RAs keep their keys, and their
 * certificates unless `ra` differs.
 */
int site_use_scenario(struct site *, struct scenario *, struct error *);
/* Changes keys of `server:`, "iis.status=401.2"; rules and counters stay. */
int site_set(struct site *, const char *const *sets, size_t count,
    struct errors *);
/*
 * All is as at the start of its scenario: settings, counters, clock, passwords,
 * requests, certificates, and the journal is empty. The CA stays unless it is
 * another by now. With a state directory, certificates stay too.
 */
int site_reset(struct site *, struct error *);
/*
 * What an administrator does. What waits for a restart is kept until then; a
 * reset and another scenario forget it.
 */
struct site_acted {
	bool healthy;
	struct error why;     /* if it is not */
	const char **changed; /* keys, "iis.max_url": what is other now */
	size_t changed_count;
	struct action_steps waits_for; /* what has to be done for the rest */
};
/* -1: it cannot be done; `out` is empty then. May sign. */
int site_act(struct site *, const struct action *, const struct action_call *,
    struct site_acted *out, struct error *);
void site_acted_clear(struct site_acted *);
/* What it is set to, see action_configured(); requests see site_state(). */
void site_configured(struct site *, struct stack_state *out);
/* Whether it was done and waits. */
bool site_waits(struct site *, const struct action *);
/* -1: a site with a state directory could not be like this. */
int site_check_state(const struct stack_state *, struct error *);

/* Where a connection came in; const. */
struct door {
	struct sites *sites;
	struct site *site; /* its port is this one's own; NULL: shared */
	bool keeps;	   /* the octets of exchanges, for a journal */
};
/*
 * Which site an exchange is for: fills snapshot and time and hides the prefix
 * of the path. SITE_OK, or why there is none.
 */
enum site_answer site_begin(const struct door *, struct exchange *,
    struct error *);
/* The same, when there is no request. */
void site_begin_unasked(const struct door *, struct exchange *);
/* The site of an exchange that has begun; borrowed. */
struct site *site_of(const struct exchange *);
/*
 * Whether there are no credentials yet, or the CA has had its time since. Then
 * site_catch_up() makes the next ones: slow, it signs and may make keys; for
 * others it does nothing. -1: it could not, and scep.why says why.
 */
bool site_is_behind(const struct exchange *);
int site_catch_up(struct exchange *);
/*
 * Whether the same is to be done before it is known if the certificates of the
 * RAs are good at the time of the exchange.
 */
bool site_doubts_ras(const struct exchange *);
/* Whether nobody reaches its ports; may_change: by the clock alone. */
bool site_refuses(const struct door *, bool *may_change);
/*
 * What the scenario does about it: decides, once. `message`: what it says, or
 * NULL if that is not known. true: an answer is ordered, and nothing else is to
 * be done.
 */
bool site_decide(struct exchange *, const struct fault_message *);
/* Whether rules want to know the message first. */
bool site_decides_late(const struct exchange *);
/*
 * Lets the rules that apply edit the plan of a stage. -1: they could not,
 * which is told in ex->scep.why.
 */
int site_edit(struct exchange *, enum fault_stage, void *plan);
/* Whether some rule that applies has edits at this stage. */
bool site_edits(const struct exchange *, enum fault_stage);
/* From the opening of its site, or the reset, to the exchange: seconds. */
int64_t site_elapsed(const struct exchange *);
/*
 * The worker process that the exchange is in dies of it: events, one-time
 * passwords forgotten, all that was in the process cut, maybe the application
 * pool disabled. The exchange is answered: nothing else is to be done. Not on a
 * thread of http, but for a worker.
 */
void site_crash(struct exchange *);
/* Whether that has happened to the process that the exchange came to. */
bool site_process_died(const struct exchange *);
/* The same, of this site, and it was to be answered by that process. */
bool site_lost(const struct site *, const struct exchange *);
/* The application pool has no identity: the first to see it leaves events. */
void site_tell_identity(struct exchange *);
/* Its end: logs, journal. The snapshot is given back. */
void site_commit(struct exchange *);

/* Effects. */
enum challenge_answer site_make_challenge(struct exchange *,
    char out[CHALLENGE_SIZE]);
enum refusal site_spend_challenge(struct exchange *, const char *password);
/* The CA counts what it denies as well [C] (9.2). */
uint32_t site_next_request(struct exchange *);
int site_next_serial(struct exchange *, uint8_t out[CA_SERIAL_SIZE]);
/* What a request means after those before it; see transaction_ask(). */
void site_ask(struct exchange *, const struct scep_request *, bool hold,
    struct ruling *);
enum refusal site_hold(struct exchange *, const struct scep_request *);
void site_end_transaction(struct exchange *, const char *id,
    struct span certificate);
/* An issued certificate: with a state directory, it is on disk now. */
int site_keep_certificate(struct exchange *, struct span der, struct error *);
/*
 * The newest of this SubjectPublicKeyInfo, if it is good now and another than
 * the request is signed with: to renew that one is no repetition.
 */
bool site_certificate_of_key(struct exchange *, struct span spki,
    const struct x509 *signer, struct blob *out);
/* Issued ones, also before a rollover, and those of CA and RAs. */
bool site_find_certificate(struct exchange *, struct span issuer,
    struct span serial, struct blob *out);
/*
 * Whether a message signed with this certificate renews it:
 * REFUSAL_RENEWAL_SIGNER if it is not of this CA.
 */
enum refusal site_judge_signer(struct exchange *, const struct x509 *signer);
int site_make_crl(struct exchange *, struct blob *out, struct error *);
/* A reference to the CA after the rollover; -1: none is planned. */
int site_next_ca(struct exchange *, struct credentials **out, struct error *);

/* What the manager of the CA does. -1: no such request waits. */
int site_settle(struct site *, const char *transaction_id, bool approve);
/* `reason`: RFC 5280 5.3.1. */
int site_revoke(struct site *, struct span serial, int reason, struct error *);

/* What the control API shows. */
struct site_pending {
	char *transaction_id; /* as the client has it; NULL without memory */
	char subject[128];
	int64_t expires;
	const char *state; /* "waiting", "approved", "denied" ...; static */
};
int site_list_pending(struct site *, struct site_pending **out, size_t *count);
void site_list_pending_free(struct site_pending *, size_t count);
struct site_certificate {
	char serial[48], subject[128]; /* serial: hex, as openssl has it */
	int64_t not_before, not_after, revoked_at; /* 0: it is not */
	int reason;
};
/* The list is of malloc(), for the caller. */
int site_list_certificates(struct site *, struct site_certificate **out,
    size_t *count);
/* `der` may be NULL. -1: none has this serial number, or no memory. */
int site_certificate(struct site *, struct span serial,
    struct site_certificate *out, struct blob *der);
/* As GetCRL has it, in DER. */
int site_crl(struct site *, struct blob *out, struct error *);
/*
 * One of `size` characters from outside of NDES, which no cache limits, or the
 * one that always is good; the caller frees *out. `expires`: 0: never.
 */
enum challenge_answer site_challenge(struct site *, size_t size, char **out,
    int64_t *expires);

#endif
