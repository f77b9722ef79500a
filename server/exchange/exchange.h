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

struct snapshot; /* what the site was when it began: site.h */

/* The stack of a real deployment, outermost first. */
enum layer {
	LAYER_NONE,
	LAYER_HTTP_SYS,
	LAYER_IIS,
	LAYER_MSCEP,
	LAYER_POLICY_MODULE,
	LAYER_CA,
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
	char *target;		 /* as it came; owned */
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
/* Splits target into path and query; absolute-form loses its authority. */
void request_split_target(struct request *);

/* Which layer spoke, and what its log will say. */
struct verdict {
	enum layer layer; /* NONE: nobody has, yet */
	int status, substatus;
	uint32_t win32;
	const char *reason; /* http.sys's s-reason; static */
};

/* What is to be sent; the HTTP room makes bytes of it. */
#define REPLY_HEADERS_MAX 8
struct reply {
	int status;	    /* 0: nothing, close the connection */
	const char *reason; /* static; NULL: the usual one */
	struct {
		const char *name; /* static */
		char *value;
	} headers[REPLY_HEADERS_MAX];
	size_t header_count;
	struct blob body;
	bool close; /* the connection ends with it */
};
/* Appends a header, in the order in which an exact answer has them. */
void reply_header(struct reply *, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
const char *reply_header_value(const struct reply *, const char *name);
/* "Not Found"; "Unknown" where there is none. */
const char *reason_phrase(int status);

/* How it is to be sent. */
enum wire {
	WIRE_ORDINARY, /* by libmicrohttpd, keep-alive */
	WIRE_EXACT,    /* octet by octet, then closed */
};

/* How it ended, as far as a server can know. */
enum ending {
	ENDED_SENT,
	ENDED_CLIENT_LEFT,
	ENDED_CUT, /* by us, at stop */
};

/* A line of an event log: what a layer leaves for the administrator. */
struct event {
	struct event *next;
	const char *log;    /* "Application"; static */
	const char *source; /* static */
	int id;
	const char *level; /* "Error"; static */
	char *text;
};

/* The SCEP facts of an exchange, for logs and journal. */
struct scep_facts {
	const char *operation;	     /* "PKIOperation", or NULL; static */
	const char *type_name;	     /* "PKCSReq"; static */
	int message_type;	     /* 0: none */
	char transaction_id[80];     /* cut; printable */
	char subject[128];	     /* RFC 4514-like, cut; printable */
	const char *challenge;	     /* "good", "used" ...; static */
	const char *digest, *cipher; /* of the request; static */
	bool ber;
	int pki_status, fail_info; /* -1: none */
	char serial[48];	   /* of what was issued, hex */
	char why[160];		   /* why not, for the developer */
	/* What was odd or wrong in the HTTP request, and in the message. */
	struct findings http_findings, message_findings;
};

#define USER_SIZE 65
struct exchange {
	struct request request;
	char user[USER_SIZE]; /* whom IIS knows; empty: nobody */
	struct reply reply;
	enum wire wire;
	struct verdict verdict;
	struct event *events;
	struct scep_facts scep;
	struct snapshot *snapshot;
	int64_t at;			 /* site's time at its start */
	int64_t started_ms, duration_ms; /* ticks */
	uint64_t sent;			 /* octets, head included */
	enum ending ending;
};

void exchange_init(struct exchange *);
void exchange_clear(struct exchange *);
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
