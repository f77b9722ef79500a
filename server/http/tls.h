/* What the files about TLS know of each other. */
#ifndef HTTP_TLS_H
#define HTTP_TLS_H

#include "http/inside.h"

/*
 * What others may ask and say of a tunnel, by a number that no other has had.
 * Taken and given back by one thread; their memory stays while there is
 * anybody who could ask.
 */
struct slot {
	_Atomic uint64_t word; /* id << 8 | SLOT_LEFT | enum connection_end */
	_Atomic uint64_t received;
	uint32_t next; /* free one; index + 1 */
};
#define SLOT_END 0x03
#define SLOT_LEFT 0x80
struct slots {
	struct slot *list;
	uint32_t used, room, free;
};
/* NULL: there is none. */
struct slot *slot_take(struct slots *);
void slot_give_back(struct slots *, struct slot *);
uint64_t slot_id(const struct slot *);

/* Octets that the other side has had no room for. */
struct store {
	uint8_t *data;
	size_t from, to;
};

struct side {
	struct tunnel *of;
	int fd;
	bool is_blocked; /* waits for EPOLLOUT */
};

enum stage {
	STAGE_HANDSHAKE,
	STAGE_PARKED, /* hangs, as the scenario wants it */
	STAGE_OPEN,
	STAGE_ENDING,	 /* the server has ended: the rest goes out */
	STAGE_ARRIVING,	 /* it is out, and a reset would overtake it */
	STAGE_LINGERING, /* told the client so: what it sends is dropped */
	STAGES,
	STAGE_DEAD = STAGES,
};

/* tls_tunnel.c: between a client's descriptor and one end of a pair. */
struct tunnel {
	struct tls *tls;
	struct connection *connection; /* until it is handed over */
	struct places *places;
	struct hello {
		const struct tls_service *service;
		enum tls_handshake verdict; /* of the ClientHello */
	} hello;
	struct ssl_st *ssl;
	struct side client, server;
	struct store up, down; /* to the server, to the client */
	bool up_ended;	       /* nothing more comes from the client */
	bool up_shut;	       /* and the server has been told */
	bool up_refused;       /* the server takes no more */
	struct slot *slot;
	enum stage stage;
	int64_t since;
	int64_t reset_by; /* in STAGE_ARRIVING */
	bool queued;
	struct tunnel *prev, *next; /* of its stage, by `since`; or dead */
	struct tunnel *next_queued;
};
/* For an accepted connection, which it takes. */
void tunnel_open(struct tls *, const struct tls_service *, struct connection *);
/* Goes on as far as it can. */
void tunnel_step(struct tunnel *);
void tunnel_on_event(struct side *, uint32_t events);
/* Both ends at once; its memory stays until no event can speak of it. */
void tunnel_drop(struct tunnel *);
void tunnel_reset(struct tunnel *);
/* The next time that it has more to do than its share. */
void tunnel_queue(struct tunnel *);
/* Ends those whose time in their stage is over; ms to the next, or -1. */
int64_t tunnels_expire(struct tls *);

struct arrival {
	struct connection *connection;
	const struct tls_service *service;
	struct arrival *next;
};

struct tls {
	struct http *http;
	struct ssl_ctx_st *ctx;
	int epoll, wake;
	pthread_t thread;
	bool running;
	pthread_mutex_t lock; /* what follows, up to the empty line */
	struct arrival *arrivals;
	bool shut, stopping;

	/* Of the thread. */
	struct tunnel *stages[STAGES + 1];
	struct tunnel *queue;
	bool ending;
	struct slots slots;
};

/* tls_hello.c: what OpenSSL is to do. */
int hello_start(struct ossl_lib_ctx_st *, struct ssl_ctx_st **, struct error *);
/* For a client's descriptor; `hello` is borrowed. NULL: no memory. */
struct ssl_st *hello_new(struct ssl_ctx_st *, int fd, struct hello *);

#endif
