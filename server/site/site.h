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
	struct site *site; /* borrowed: outlives its exchanges */
	uint64_t generation;
	struct scenario *scenario;
	struct stack_state state;
	struct credentials *credentials;
	struct blob ca_certs; /* the answer to GetCACert */
	int64_t began;	      /* when the scenario took effect */
	_Atomic int refs;
};

struct sites_options {
	struct key_set *keys;
	struct crypto *crypto;
	const char *challenge;	 /* good any number of times, or NULL */
	const char *log_dir;	 /* NULL: no files */
	struct state_dir *state; /* of the default site; NULL: in memory */
	uint64_t seed;		 /* of chance */
	void (*narrate)(void *cls, const char *line); /* NULL: silent */
	void *cls;
};
/* Everything in the options is borrowed and must outlive the table. */
int sites_new(struct sites **out, const struct sites_options *, struct error *);
void sites_free(struct sites *);

#define SITE_DEFAULT "default"
/* Takes a reference to the scenario. The id must not be taken. */
int site_open(struct sites *, const char *id, struct scenario *,
    struct error *);
/*
 * Causes and settings become the scenario's; passwords, certificates, requests
 * that wait and clock stay, and so does the CA unless ca.key or ca.tiers differ.
 * RAs keep their keys, and their certificates unless `ra` differs.
 */
int site_use_scenario(struct sites *, const char *id, struct scenario *,
    struct error *);
/* -1: a site with a state directory could not be like this. */
int site_check_state(const struct stack_state *, struct error *);
struct site *site_find(struct sites *, const char *id);

/* Which site an exchange is for; fills snapshot and time. */
void site_begin(struct sites *, struct exchange *);
/*
 * Whether the CA has had its time since the snapshot was made. Then
 * site_catch_up() puts the next one in its place: slow, it signs and may make
 * keys; for others it does nothing.
 */
bool site_is_behind(const struct exchange *);
void site_catch_up(struct exchange *);
/* What the layers of the default site are like now. */
void site_state(struct sites *, struct stack_state *out);
/* Whether nobody reaches its ports; may_change: by the clock alone. */
bool site_refuses(struct sites *, bool *may_change);
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
/* Its end: logs, journal. The snapshot is given back. */
void site_commit(struct sites *, struct exchange *);

/* Effects. */
enum challenge_answer site_make_challenge(struct exchange *,
    char out[CHALLENGE_SIZE]);
enum refusal site_spend_challenge(struct exchange *, const char *password);
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

/* For tests and the control API. */
struct clock *site_clock(struct site *);
struct credentials *site_credentials(struct site *); /* a reference */
/* The first entry of at least `seq`; false: none. */
bool site_journal(struct site *, uint64_t seq, struct journal_entry *out);

#endif
