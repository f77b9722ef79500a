/* What the files of this folder know of each other. */
#ifndef HTTP_INSIDE_H
#define HTTP_INSIDE_H

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "base/thread.h"
#include "http/http.h"

struct MHD_Daemon;
struct acceptor;
struct held;
struct loop;
struct tls;
struct waiters;
struct workers;

/* timers.c */
struct timer {
	int64_t deadline; /* ticks */
	size_t at;	  /* place in the heap */
};
struct timers {
	struct timer **heap; /* the first to end on top */
	size_t count, room;
};
/* -1: no memory. */
int timers_add(struct timers *, struct timer *, int64_t deadline);
void timers_set(struct timers *, struct timer *, int64_t deadline);
void timers_remove(struct timers *, struct timer *);

/* Room for connections of one kind. */
struct places {
	unsigned limit;
	atomic_uint connections; /* libmicrohttpd's and held ones */
	atomic_uint descriptors; /* beside one a connection */
};
unsigned places_taken(const struct places *);
/* Some are left, but only for those who do not stay. */
bool places_are_scarce(const struct places *);

/* A port. Counted: it lives until nobody can call its service any more. */
struct listener {
	struct http_service service;
	const struct tls_service *tls; /* borrowed; NULL: plain */
	struct places *places;
	atomic_uint refs;

	/* Of accept.c, under its lock. */
	int fd;	       /* -1: gone for good */
	bool is_shut;  /* connect() is refused for now */
	bool is_extra; /* its descriptor has a place */
	struct listener *next;
};
struct listener *listener_new(struct http *, const struct http_service *,
    const struct tls_service *);
struct listener *listener_ref(struct listener *);
void listener_unref(struct listener *);

/* A client's connection, from accept() until it is closed. */
struct connection {
	struct http *http;
	struct listener *listener; /* counted */
	bool is_counted;	   /* it has one of the listener's places */
	struct endpoint source, local;
	struct http_limits limits;
	int fd; /* -1: closed by whoever has it */
	/* Names what is behind fd, for connection_end(); 0: the client. */
	uint64_t tls;
	uint64_t asked; /* octets of its requests so far */
#define ASKED_UNKNOWN UINT64_MAX
	/* What is waited for. */
	enum phase {
		PHASE_REQUEST,
		PHASE_BODY,
		PHASE_ANSWER,
		PHASE_SENDING
	} phase;
	int64_t since;	   /* ticks: when the phase began */
	uint64_t received; /* octets by then, or of the body */
	int expired;	   /* enum http_refusal, or -1 */
	struct connection *previous, *next;
};
/* Both take the descriptor; NULL: no memory. */
struct connection *connection_new(struct http *, struct listener *, int fd,
    const struct endpoint *source);
struct connection *connection_copy(const struct connection *, int fd);
/* Gives it a place, until it is freed. */
void connection_count(struct connection *);
/* With its descriptor; NULL is fine. */
void connection_free(struct connection *);

struct http {
	struct MHD_Daemon *daemon;
	struct acceptor *acceptor;
	struct held *held;
	struct loop *loop;
	struct waiters *waiters;
	struct workers *workers;
	struct tls *tls; /* NULL: no listener for it */
	struct ossl_lib_ctx_st *library;
	struct places common, reserved;
	atomic_uint faulted;	     /* answers that are not honest */
	atomic_uint active;	     /* calls that a stop waits for */
	atomic_bool stopping;	     /* no new requests */
	atomic_size_t body_bytes;    /* of all bodies being collected */
	struct connection *watched;  /* of the loop: libmicrohttpd has them */
	struct connection *arriving; /* of the loop: on its way there */
};

/* How a client is to see the end of its connection. */
enum connection_end {
	CONNECTION_END_NOTIFY,	 /* in TLS with close_notify; a FIN */
	CONNECTION_END_TRUNCATE, /* a FIN and nothing else */
	CONNECTION_END_RESET,	 /* after all that has been written */
};
/* To be called before fd is closed; it also says what happens if not. */
void connection_end(struct http *, int fd, uint64_t tls, enum connection_end);

/* One exchange on its way through this folder. */
struct call {
	struct timer timer; /* of waiting.c, while it waits */
	struct exchange exchange;
	struct http *http;
	struct listener *listener;     /* counted */
	struct connection *connection; /* borrowed; NULL: none left */
	struct MHD_Connection *mhd;    /* NULL once taken over */
	bool active;		       /* http_stop() waits for it */
	bool is_told;		       /* how it ended */
	enum { CALL_HEAD, CALL_BODY, CALL_READY } stage;
	/* Of waiting.c. */
	bool is_last; /* it must be answered now */
	atomic_bool is_woken;
	unsigned wakes; /* so far, when it was asked */
	struct call *next;
};
struct call *call_new(const struct connection *);
/* The request is whole: a stop waits for its end. */
void call_activate(struct call *);
/* Frees what it does not need while its answer goes out. */
void call_trim(struct call *);
/* What was sent, if it is known, and how much of it. */
void call_sent(struct call *, struct span octets, uint64_t sent);
/* Says how it ended, once. */
void call_tell(struct call *, enum ending);
/* The same, and frees it. */
void call_finish(struct call *, enum ending);

/* What http_cut() has others do. */
struct cut {
	bool (*which)(void *cls, const struct exchange *);
	void *cls;
	sem_t done;
	struct cut *next;
};

/* parse.c: all but start and stop belongs to the loop's thread. */
int parse_start(struct http *, struct error *);
void parse_stop(struct http *);
/* Takes the connection, or closes it. */
void parse_add(struct http *, struct connection *);
/* The answer is there: libmicrohttpd goes on. */
void parse_resume(struct call *);
/* Readable when there is something to do. */
int parse_descriptor(struct http *);
/* There is something to do already. */
bool parse_has_work(struct http *);
void parse_run(struct http *);

/* loop.c */
int loop_start(struct http *, struct loop **, struct error *);
/* Takes an accepted connection. */
void loop_add(struct loop *, struct connection *);
/* Takes a call back from a worker. */
void loop_resume(struct loop *, struct call *);
/* Calls that wait. */
void loop_cut(struct loop *, struct cut *);
/* It looks at what there is to do. */
void loop_wake(struct loop *);
/* Ends the thread; what is added from then on is closed by loop_free(). */
void loop_halt(struct loop *);
void loop_free(struct loop *);

/* waiting.c: all but answer, wake and end belongs to the loop's thread. */
int waiting_start(struct http *, struct waiters **, struct error *);
/* Calls the service, on any thread. */
void waiting_answer(struct call *);
/* After that. True: libmicrohttpd is to go on; else it comes back some time. */
bool waiting_go_on(struct call *);
/* Both, there or on a worker. */
bool waiting_ask(struct call *);
/* Asks again who is to be asked. */
void waiting_run(struct waiters *);
/* ms until then, or -1. */
int waiting_time_left(const struct waiters *);
/* Ends those whose clients have left. */
void waiting_sweep(struct waiters *);
void waiting_cut(struct waiters *, struct cut *);
void waiting_wake(struct waiters *, const void *key);
unsigned waiting_count(const struct waiters *); /* any thread */
/* Nobody waits any more. */
void waiting_end(struct waiters *);
void waiting_free(struct waiters *);

/* accept.c */
int acceptor_start(struct http *, struct acceptor **, struct error *);
int acceptor_run(struct acceptor *, struct error *);
/* `tls`: NULL, plain. */
int acceptor_listen(struct acceptor *, const struct endpoint *,
    const struct http_service *, const struct tls_service *tls,
    struct endpoint *bound, struct listener **out, struct error *);
void acceptor_close(struct acceptor *, struct listener *);
/* Closes and opens ports, as the services have it. */
void acceptor_look(struct acceptor *);
void acceptor_stop(struct acceptor *);

/* tls.c: from an accepted connection to one that the loop takes. */
int tls_start(struct http *, struct tls **, struct error *);
/* Takes an accepted connection. */
void tls_add(struct tls *, const struct tls_service *, struct connection *);
/* Gives the loop no more. */
void tls_shut(struct tls *);
/* When nobody else has a descriptor of its connections. */
void tls_stop(struct tls *);
/* Of a connection's `tls`: octets that came out of it; no request can come. */
uint64_t tls_received(const struct tls *, uint64_t id);
bool tls_has_left(const struct tls *, uint64_t id);

/* watch.c: clients that take too long. */
void watch_begin(struct http *, struct connection *);
void watch_end(struct http *, struct connection *);
void watch_phase(struct connection *, enum phase);
/* Whether the client has closed its side, or reset. */
bool watch_has_left(const struct connection *);
/* Ends what has expired. */
void watch_sweep(struct http *);
/* Octets that have been read from it; 0 if that is not known. */
uint64_t watch_taken(const struct connection *);

/* workers.c */
int workers_start(unsigned count, struct workers **, struct error *);
/* -1: they have been halted. */
int workers_add(struct workers *, struct call *);
/* Ends the threads; what still waits goes back unanswered. */
void workers_halt(struct workers *);
void workers_free(struct workers *);

/* held.c: the only code that writes to a descriptor. */
int held_start(struct http *, struct held **, struct error *);
/*
 * Takes all of them: the connection, whose fd nobody else uses, the octets of
 * the answer, and the call, which it finishes when the last octet is out. They
 * go out as the wire of its exchange says; `goes_on`: then the connection goes
 * back to the loop, unless the wire has another end.
 */
void held_send(struct held *, struct connection *, struct blob bytes,
    struct call *, bool goes_on);
/* Without waiting for anything: what does not go out now is lost. */
void held_send_once(struct connection *, struct blob bytes, struct call *);
void held_cut(struct held *, struct cut *);
/* Ends all that is not honest, now and from now on. */
void held_cut_all(struct held *);
void held_stop(struct held *);

/* render.c */
int render_reply(const struct exchange *, struct blob *out);
/* How many octets that are, whoever sends them. */
uint64_t render_size(const struct exchange *);
/* Whether libmicrohttpd would send these very bytes. */
bool reply_is_ordinary(const struct exchange *);
/* Whether another request can follow it. */
bool reply_keeps_connection(const struct exchange *);

#endif
