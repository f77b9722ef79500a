/*
 * One request and its answer. It flows down through the layers once, every
 * stage filling its own part, and up once; logs are written from it when it
 * is over. Forward declarations only, so that nothing hangs on everything.
 */
#ifndef EXCHANGE_EXCHANGE_H
#define EXCHANGE_EXCHANGE_H

#include <netinet/in.h>

#include "base/blob.h"
#include "base/finding.h"

struct snapshot; /* what the site was when it began: site/site.h */

/* The stack of a real deployment, outermost first. */
enum layer {
	LAYER_NONE,
	LAYER_NETWORK, /* answers with silence, a close or a reset */
	LAYER_APP_PROXY,
	LAYER_HTTP_SYS,
	LAYER_IIS,
	LAYER_MSCEP,
	LAYER_POLICY_MODULE,
	LAYER_CA,
	LAYER_MOCK, /* none of them: what no NDES says */
};

/* An end of a connection; family AF_UNSPEC: not known. */
struct endpoint {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} address;
};
/* "10.5.14.22", "::1"; IPv4 in IPv6 is shown as IPv4. */
#define ENDPOINT_TEXT_SIZE INET6_ADDRSTRLEN
char *endpoint_text(const struct endpoint *, char out[ENDPOINT_TEXT_SIZE]);
unsigned endpoint_port(const struct endpoint *);

struct header {
	char *name, *value;
};

/* How collecting a body came to its end. */
enum body_end {
	BODY_WHOLE,
	BODY_TOO_LARGE, /* beyond body_limit */
	BODY_NO_ROOM,	/* beyond what all bodies may hold */
};

struct request {
	char *method, *version;	 /* "GET", "HTTP/1.1" */
	char *asked;		 /* the target as it came; owned */
	const char *target;	 /* as its site sees it: the end of `asked` */
	struct span path, query; /* in target; query without the "?" */
	bool has_query;
	struct header *headers; /* texts in memory */
	size_t header_count;
	size_t head_size;	/* octets of request line and headers */
	size_t longest_header;	/* octets of its value */
	int64_t content_length; /* -1: none said */
	bool chunked, broken;	/* broken: header list not understood */
	int64_t body_limit;	/* octets; set before the body comes */
	enum body_end body_end;
	struct buffer body;
	struct endpoint source, local;
	char *memory; /* where the texts above live */
};
/* How many such headers there are, without regard to case. */
size_t request_header_count(const struct request *, const char *name);
/* The value of the first such header, without regard to case, or NULL. */
const char *request_header(const struct request *, const char *name);
/*
 * Fills target, path and query from `asked`; the path of an absolute-form one
 * begins behind its authority.
 */
void request_split_target(struct request *);
/*
 * Takes the first `len` octets from the path: they say which site is meant, and
 * no layer sees them. An absolute-form target loses its authority as well.
 */
void request_hide_prefix(struct request *, size_t len);

/* Which layer spoke, and what its log will say. */
struct verdict {
	enum layer layer; /* NONE: nobody has, yet */
	int status, substatus;
	uint32_t win32;
	const char *reason; /* http.sys's s-reason; static */
	const char *queue;  /* its s-queuename, or NULL; static */
	/* Of its answer, if a layer above has sent another; else 0. */
	uint64_t octets;
};

/* What is to be sent; the HTTP room makes bytes of it. */
#define REPLY_HEADERS_MAX 24
#define REPLY_LENGTH_TRUE (-1)	 /* Content-Length is that of the body */
#define REPLY_LENGTH_ABSENT (-2) /* there is none */
struct reply {
	int status;	    /* 0: nothing, close the connection */
	const char *reason; /* static; NULL: the usual one */
	struct {
		const char *name; /* static, or the snapshot's */
		char *value;
	} headers[REPLY_HEADERS_MAX];
	size_t header_count;
	struct blob body;
	bool close; /* the connection ends with it */
	/* Framing that is no longer honest; see http/render.c. */
	const char *version; /* "HTTP/1.0"; NULL: the usual one */
	/* What Connection says; NULL: the truth; empty: there is none. */
	const char *connection;
	int64_t length; /* octets said, or REPLY_LENGTH_... */
	bool chunked;
};
/*
 * Appends a header. Connection, Content-Length and Transfer-Encoding are the
 * HTTP room's to say: here they are something beside the truth.
 */
void reply_header(struct reply *, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* As it was before anybody answered. */
void reply_clear(struct reply *);
const char *reply_header_value(const struct reply *, const char *name);
/* "Not Found"; "Unknown" where there is none. */
const char *reason_phrase(int status);

/*
 * How the octets of an answer go out, and how the connection ends. Zeroed: all
 * at once, and as HTTP has it.
 */
struct wire {
	bool exact; /* the head as `reply` has it, then closed */
	int64_t delay_ms;
	/* Of `prefix` and answer; WIRE_HALF_HEAD, or from 0 if `is_cut`. */
	bool is_cut, cut_percent;
	int64_t cut_at;
	/* A pause within, at this octet. */
	int64_t pause_at, pause_ms;
	bool pause_percent;
	/* So many octets at a time; 0: no drip. */
	int64_t drip_octets, drip_ms;
	struct span prefix; /* octets before the status line */
	enum wire_end {
		WIRE_END_USUAL,
		WIRE_END_CLOSE, /* a FIN */
		WIRE_END_RESET,
		WIRE_END_HANG, /* stays open */
	} end;
	int64_t hang_ms; /* then closed; 0: until the client leaves */
};
#define WIRE_HALF_HEAD (-1) /* cut_at: in the middle of the head */
/* Whether it is zeroed. */
bool wire_is_ordinary(const struct wire *);

/* The pages that a scenario can order; what they are is in stack/ordered.c. */
enum ordered_page {
	PAGE_BY_STATUS, /* what fits layer and status */
	/* mscep.dll */
	PAGE_GENERAL,
	PAGE_ADMIN_PASSWORD,
	PAGE_ADMIN_CACHE_FULL,
	PAGE_ADMIN_NO_PERMISSION,
	/* IIS */
	PAGE_401_STATIC,
	PAGE_403_STATIC,
	PAGE_403_DETAILED,
	PAGE_404_STATIC,
	PAGE_404_DETAILED,
	PAGE_404_15_DETAILED,
	PAGE_405_STATIC,
	PAGE_406_STATIC,
	PAGE_412_STATIC,
	PAGE_413_PLAIN,
	PAGE_500_STATIC,
	PAGE_500_DETAILED,
	PAGE_500_PLAIN,
	PAGE_501_STATIC,
	PAGE_502_STATIC,
	/* http.sys */
	PAGE_SERVICE_UNAVAILABLE,
	PAGE_REQUEST_TOO_LONG,
	PAGE_INVALID_URL,
	PAGE_INVALID_HOSTNAME,
	PAGE_NOT_FOUND,
	PAGE_INVALID_VERB,
	PAGE_URL_TOO_LONG,
	/* the application proxy */
	PAGE_GATEWAY_TIMEOUT,
	PAGE_NO_CONNECTORS,
	PAGE_BAD_GATEWAY,
	PAGE_PROXY_FORBIDDEN,
	PAGE_CONNECTOR_ERROR,
	ORDERED_PAGES
};

/*
 * An answer that a scenario orders; the stack makes it, in the words and with
 * the log line of the layer that it is said to come from.
 */
struct ordered_answer {
	enum layer as; /* NONE: none was named */
	int status;    /* 0: none, the connection only ends */
	int substatus;
	uint32_t win32;
	enum ordered_page page;
	const char *location; /* a redirect; NULL: none */
	bool has_body;
	struct span body;	  /* literal */
	const char *content_type; /* of that body */
	const char *thumbprint;	  /* that a page for the admin shows */
};

/* How it ended, as far as a server can know. */
enum ending {
	ENDED_SENT,
	ENDED_CLIENT_LEFT,
	ENDED_CUT,   /* by us: a stop, or its site is gone */
	ENDED_FAULT, /* by us, as the scenario says */
};

/*
 * What a layer leaves for the administrator: an event, or, without a source, a
 * line of a log that is a text.
 */
struct event {
	struct event *next;
	const char *log;    /* "Application", "NDESPlugin.log"; static */
	const char *source; /* static; NULL: a line */
	int id;
	const char *level; /* "Error"; static */
	int64_t ago; /* seconds that it is older than what it is part of */
	char *text;
};
/* Text is formatted; an event lost for lack of memory is lost, and NULL. */
struct event *events_add(struct event **, const char *log, const char *source,
    int id, const char *level, const char *fmt, ...)
    __attribute__((format(printf, 6, 7)));
void events_free(struct event *);

/* The SCEP facts of an exchange, for logs and journal. */
struct scep_facts {
	/* As `when: operation` has it, "browse"; NULL: no request; static. */
	const char *operation;
	const char *type_name;	 /* "PKCSReq"; static */
	int message_type;	 /* 0: none */
	char transaction_id[80]; /* cut; printable */
	char subject[128];	 /* RFC 4514-like, cut; printable */
	char sans[256];		 /* "DNS:a.example, IP:10.0.0.1", the same */
	/* The certificate that signed it: subject, serial number in hex. */
	char signer[128], signer_serial[48];
	const char *signed_by; /* whose it is: "self", "this-ca", "other" */
	const char *challenge; /* "good", "used" ...; static */
	const char *digest, *cipher; /* of the request; static */
	bool ber;
	int pki_status, fail_info; /* -1: none */
	char serial[48];	   /* of what was issued, hex */
	char why[160];		   /* why not, for the developer */
	/* What was odd or wrong in the HTTP request, and in the message. */
	struct findings http_findings, message_findings;
};

/* What the scenario has decided about an exchange: exactly once. */
#define FAULT_RULES_MAX 64
#define RULE_UNSEEN 0	 /* one before it has won */
#define RULE_APPLIES 255 /* else 1 + the condition that failed first */
struct decision {
	bool made;
	bool instead;	/* an answer is ordered */
	bool processed; /* but the server does its work all the same */
	uint8_t rules[FAULT_RULES_MAX];
	uint32_t counts[FAULT_RULES_MAX]; /* which exchange of its rule */
};

/* What is kept of it when the scenario is gone. */
#define RULE_NOTES_MAX 16
#define RULE_FILES_MAX 3
struct rule_notes {
	char files[RULE_FILES_MAX][48]; /* "x.yaml", cut */
	struct rule_note {
		const char *unmet; /* condition, static; NULL: it applies */
		int line;
		uint32_t turn; /* which exchange of the rule; 0: none */
		uint8_t file;
	} list[RULE_NOTES_MAX];
	uint8_t count, more; /* more: that found no room */
};

/*
 * Of a service that cannot answer yet: its answer() sets both, leaves the
 * exchange unanswered, and is called again when http_wake() names the key; when
 * it did so while answer() was looking; when the time is over; when the server
 * stops, or too many wait. It may also be called for no reason.
 */
struct waiting {
	const void *key; /* an address; NULL each time it is asked */
	/*
	 * When it waits: how long at most, from now. When it is asked: what is
	 * left of that; WAITING_NEW the first time; 0: it must answer now.
	 */
	int64_t ms;
};
#define WAITING_NEW (-1)

/* How much of a request's body and of an answer is kept for the journal. */
#define EXCHANGE_KEPT_MAX 65536

#define USER_SIZE 65
struct exchange {
	struct request request;
	char user[USER_SIZE]; /* whom IIS knows; empty: nobody */
	struct reply reply;
	struct wire wire;
	struct verdict verdict;
	struct decision decision;
	struct rule_notes notes; /* once it is over */
	struct event *events;
	uint64_t process; /* the worker process that it came to */
	bool is_fatal;	  /* which dies of it */
	struct scep_facts scep;
	struct snapshot *snapshot;
	int64_t at;			 /* site's time at its start */
	int64_t started_ms, duration_ms; /* ticks */
	uint64_t sent;			 /* octets, head included */
	/* At its end: the first octets of what was sent; borrowed. */
	struct span octets;
	struct waiting waiting;
	void *own; /* of its service, which gives it back at finish() */
	enum ending ending;
	struct exchange_block *blocks; /* of exchange_alloc() */
};

void exchange_init(struct exchange *);
void exchange_clear(struct exchange *);
/* Zeroed memory that lives until exchange_trim(); NULL without any. */
void *exchange_alloc(struct exchange *, size_t);
/*
 * Frees what is not needed once the octets of the answer exist: the body of the
 * request, headers and body of the answer, what was allocated here.
 */
void exchange_trim(struct exchange *);
/* Text is formatted; an event lost for lack of memory is lost. */
void exchange_event(struct exchange *, const char *log, const char *source,
    int id, const char *level, const char *fmt, ...)
    __attribute__((format(printf, 6, 7)));
/* The layer that cannot go on answers. */
void exchange_answer(struct exchange *, enum layer, int status, int substatus,
    uint32_t win32);
static inline bool
exchange_is_answered(const struct exchange *ex)
{
	return ex->verdict.layer != LAYER_NONE;
}

#endif
