/*
 * A real deployment, top to bottom: http.sys, IIS, mscep.dll, the policy
 * module, the CA. Each layer consults its own state and behaves as that
 * layer would; the first that cannot go on answers.
 *
 * What real NDES does is cited as [C] (confirmed, ndes-facts.md), or said
 * to be assumed.
 */
#ifndef STACK_STACK_H
#define STACK_STACK_H

#include "base/clock.h"
#include "base/error.h"
#include "ca/ca.h"
#include "exchange/exchange.h"
#include "scep/scep.h"

enum windows {
	WINDOWS_2008R2,
	WINDOWS_2012,
	WINDOWS_2012R2,
	WINDOWS_2016,
	WINDOWS_2019,
	WINDOWS_2022,
	WINDOWS_2025,
};

/* Which page a client gets for an IIS error (ndes-facts 6.2). */
enum error_pages {
	PAGES_ARTICLE, /* 403.0 detailed, the others static */
	PAGES_DETAILED,
	PAGES_REMOTE, /* what IIS sends to another machine */
};

enum log_fields {
	LOG_FIELDS_DEFAULT,
	LOG_FIELDS_ARTICLE, /* sc-bytes too: five trailing numbers */
};

#define CAPABILITIES_SIZE 512

/*
 * The state of all layers: plain data, so that a copy is a snapshot. The
 * keys of `server:` in a scenario are the names of these fields.
 */
struct stack_state {
	enum windows windows;
	struct {
		int64_t max_field_length, max_request_bytes; /* octets */
		/* seconds: without a request, of a head, of a body */
		int64_t connection_timeout, header_wait, entity_body;
		bool require_content_length; /* chunked bodies get 411 */
	} http_sys;
	struct {
		enum error_pages error_pages;
		enum log_fields log_fields;
		bool x_powered_by;
		int64_t max_url, max_query_string; /* octets */
		int64_t max_allowed_content_length;
	} iis;
	struct {
		char capabilities[CAPABILITIES_SIZE]; /* as sent */
		bool bom, odd_byte; /* of the admin site's pages */
		struct {
			int64_t length;	  /* octets; two digits each */
			int64_t validity; /* seconds */
			int64_t cache;	  /* unused passwords */
		} challenge;
	} mscep;
	struct {
		bool installed;
	} policy_module;
	struct {
		int64_t minimum_key_size; /* bits, of an RSA key */
		int64_t subject_max;	  /* octets of the DER Name */
	} ca;
};

/* Everything as in a deployment that works. */
void stack_healthy(struct stack_state *);

const char *windows_server_header(enum windows); /* of IIS */
int windows_build(enum windows);

/* http.sys: the kernel's own answers (ndes-facts 6.6). */
enum http_sys_refusal {
	HTTP_SYS_SERVICE_UNAVAILABLE,
	HTTP_SYS_CONNECTION_LIMIT,
	HTTP_SYS_QUEUE_FULL,
	HTTP_SYS_URL_TOO_LONG,
	HTTP_SYS_FIELD_TOO_LONG,
	HTTP_SYS_REQUEST_TOO_LONG,
	HTTP_SYS_INVALID_URL,
	HTTP_SYS_INVALID_VERB,
	HTTP_SYS_INVALID_HOSTNAME,
	HTTP_SYS_LENGTH_REQUIRED,
	HTTP_SYS_BAD_REQUEST,
	HTTP_SYS_BAD_ENCODING,
};
void http_sys_answer(struct exchange *, enum http_sys_refusal);
/* Closes without a word; `reason` is for the HTTPERR log, static. */
void http_sys_drop(struct exchange *, const char *reason);
void http_sys_pass(struct exchange *, const struct stack_state *);

/*
 * What is odd or wrong in a request to mscep.dll, to whichever layer it came;
 * of other requests nothing. To be called when the body is there, or never
 * comes.
 */
void http_find(const struct request *, const struct stack_state *,
    struct findings *out);
/* The table of all that can be found; row 0 is none. NULL: no count. */
const struct finding *http_findings(size_t *count);

/* Where a path of the web site leads. */
enum place {
	PLACE_NOWHERE,
	PLACE_MSCEP,	/* the service */
	PLACE_ADMIN,	/* /certsrv/mscep_admin/ */
	PLACE_REDIRECT, /* a folder without its slash */
};
/* IIS: request filtering, paths, error pages. */
enum place iis_place(const struct request *);
void iis_pass(struct exchange *, const struct stack_state *);
/* After the body: too large, or no room for it. */
void iis_pass_body(struct exchange *, const struct stack_state *);
/* An error page as the settings want it. */
void iis_answer(struct exchange *, const struct stack_state *, enum layer,
    int status, int substatus, uint32_t win32);
void iis_redirect_to_folder(struct exchange *, const struct stack_state *);
/* A body with its type; takes it. Adds the headers that IIS adds. */
void iis_send(struct exchange *, const struct stack_state *,
    const char *content_type, struct blob body);

/* mscep.dll: which operation, and the answers without a request inside. */
enum operation {
	OPERATION_NONE,
	OPERATION_UNKNOWN,
	OPERATION_GET_CA_CAPS,
	OPERATION_GET_CA_CERT,
	OPERATION_PKI,
};
enum operation mscep_operation(const struct request *);
const char *mscep_operation_name(enum operation);
/* The pkiMessage: the body of a POST, else `message=`. -1: neither. */
int mscep_message(const struct request *, struct blob *decoded,
    struct span *out);
/* What GetCACert answers: both RAs and the CA, in this order. */
int mscep_ca_certs(const struct credentials *, struct blob *out);
void mscep_answer_caps(struct exchange *, const struct stack_state *);
void mscep_answer_ca_cert(struct exchange *, const struct stack_state *,
    struct span ca_certs);
/* The page for browsers: "allows you to obtain certificates ...". */
void mscep_answer_general(struct exchange *, const struct stack_state *);
/* A message that cannot be read: HTTP 200, the general page, an event. */
void mscep_answer_unreadable(struct exchange *, const struct stack_state *,
    enum scep_flaw);
/* Sends a CertRep. */
void mscep_answer_cert_rep(struct exchange *, const struct stack_state *,
    const struct scep_reply *, struct blob der);
/* The digest and cipher that answer these. */
enum digest mscep_reply_digest(enum digest);
enum cipher mscep_reply_cipher(enum cipher);

/* Why NDES says FAILURE. */
enum refusal {
	REFUSAL_NONE,
	REFUSAL_WRONG_CHALLENGE,
	REFUSAL_USED_CHALLENGE,
	REFUSAL_EXPIRED_CHALLENGE,
	REFUSAL_NO_CHALLENGE,
	REFUSAL_BAD_SIGNATURE,
	REFUSAL_BAD_ALGORITHM,
	REFUSAL_BAD_CSR,
	REFUSAL_BAD_PROOF,
	REFUSAL_MESSAGE_TYPE,
	REFUSAL_KEY_SIZE,
	REFUSAL_SUBJECT,
	REFUSAL_CA_FAILED,
};
/* Fills status, failInfo and Microsoft's error; leaves the event. */
void mscep_refuse(struct exchange *, const struct stack_state *, enum refusal,
    struct scep_reply *);

/* The CA's policy: what it denies although NDES asks. */
enum refusal ca_judge(const struct stack_state *, const struct scep_csr *);

/* Policy module: it forbids browsing, which is how health looks [C]. */
void policy_module_pass(struct exchange *, const struct stack_state *);

/*
 * One-time passwords: a cache of unused ones, and a memory of those gone,
 * to tell wrong, used and expired apart. Not thread-safe: the site's lock.
 */
#define CHALLENGE_SIZE 65 /* hex digits and NUL */
#define CHALLENGES_GONE 256
struct challenge {
	char password[CHALLENGE_SIZE];
	int64_t expires;
	bool used;
};
struct challenge_cache {
	struct challenge *unused; /* at most the setting `cache` */
	size_t count, room;
	struct challenge gone[CHALLENGES_GONE];
	size_t gone_next;
};
enum challenge_answer {
	CHALLENGE_MADE,
	CHALLENGE_CACHE_FULL,
	CHALLENGE_FAILED
};
enum challenge_answer challenge_make(struct challenge_cache *,
    const struct stack_state *, struct crypto *, int64_t now,
    char out[CHALLENGE_SIZE]);
/* REFUSAL_NONE: it is good; with `spend`, it is used from now on. */
enum refusal challenge_judge(struct challenge_cache *, const char *password,
    int64_t now, bool spend);
void challenge_clear(struct challenge_cache *);

/* The page of /certsrv/mscep_admin/ for what challenge_make() said. */
void admin_page_answer(struct exchange *, const struct stack_state *,
    enum challenge_answer, const char *password, const char *thumbprint);
/* Head and foot of NDES's pages around `body` (HTML), in UTF-16LE. */
int admin_page_build(const struct stack_state *, const char *body,
    struct blob *out);

#endif
