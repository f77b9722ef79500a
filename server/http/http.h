/*
 * HTTP over TCP. An acceptor of our own owns the listeners; libmicrohttpd
 * parses, collects bodies and sends the ordinary answers on one epoll
 * thread; workers compute; answers that must be exact to the octet, slow or
 * broken leave on a descriptor taken over from libmicrohttpd. No thread waits for a client.
 * TLS ends in a thread of its own, in front of all that.
 */
#ifndef HTTP_HTTP_H
#define HTTP_HTTP_H

#include "base/error.h"
#include "exchange/exchange.h"

struct http;

/* Why a connection is ended without a request of its own. */
enum http_refusal {
	HTTP_REFUSED_LIMIT, /* too many connections: nothing was read */
	HTTP_EXPIRED_IDLE,  /* no request began */
	HTTP_EXPIRED_HEAD,  /* a request line or headers did not end */
	HTTP_EXPIRED_BODY,  /* a body stopped coming */
	HTTP_EXPIRED_SEND,  /* the client does not take its answer */
};

/* How long a client may take, in milliseconds; checked once a second. */
struct http_limits {
	int64_t idle, head, body, send;
};

/* What answers on a listener. Any of the calls may come on any thread. */
struct http_service {
	/* The head has been read. May answer; may set request.body_limit. */
	void (*begin)(void *cls, struct exchange *);
	/*
	 * The body has been read as far as body_end says. Must answer, or wait
	 * (struct waiting): then it is called again. Seven eighths of
	 * HTTP_RESERVED may wait at a time, of all services.
	 */
	void (*answer)(void *cls, struct exchange *);
	/* True: answer() takes long and belongs on a worker. Each time. */
	bool (*is_long)(void *cls, const struct exchange *);
	/*
	 * It is answered, and goes out now; the last moment to take that back.
	 * NULL: no call. It comes on the thread that looks first at what
	 * http_cut() is for: what is not seen here is seen there.
	 */
	void (*leave)(void *cls, struct exchange *);
	/*
	 * There is no request, or no whole one. Says who refuses; its answer
	 * is sent at HTTP_REFUSED_LIMIT, else the connection is closed in
	 * silence.
	 */
	void (*refuse)(void *cls, struct exchange *, enum http_refusal);
	/* Asked at each accept(). */
	struct http_limits (*limits)(void *cls);
	/* It is over: sent and ending say how. The last sight of it. */
	void (*finish)(void *cls, struct exchange *);
	/*
	 * Whether connect() is refused, the ports being closed; NULL: never.
	 * Asked at http_look(), and again and again if it may change.
	 */
	bool (*refuses)(void *cls, bool *may_change);
	/*
	 * Its listener is closed, and its last connection and exchange are
	 * gone: the last of all calls. NULL: no call.
	 */
	void (*release)(void *cls);
	/*
	 * finish() wants to see the octets of the answer, and a beginning of
	 * the request's body, EXCHANGE_KEPT_MAX of each.
	 */
	bool keeps;
	/*
	 * It has HTTP_RESERVED connections beside the limit of all others, so
	 * that it answers while they hang. Of the last eighth none waits, or is
	 * kept after its answer.
	 */
	bool reserved;
	void *cls;
};
/* What the answer of an exchange comes to; 0: there is none. */
uint64_t http_answer_size(const struct exchange *);

#define HTTP_RESERVED 256U /* an eighth of the descriptors at most */

struct evp_pkey_st;
struct ossl_lib_ctx_st;

/* What the server shows of itself in TLS; const, counted. */
struct tls_identity;
/*
 * The server's certificate first, then those that it shows with it, in DER.
 * The key is counted by OpenSSL.
 */
int tls_identity_new(struct tls_identity **out, struct evp_pkey_st *key,
    const struct span *certs, size_t count, struct ossl_lib_ctx_st *library,
    struct error *);
struct tls_identity *tls_identity_ref(struct tls_identity *);
void tls_identity_free(struct tls_identity *);

/* How the server's end of TLS is to be. */
#define TLS_1_0 0x0301 /* as on the wire */
#define TLS_1_1 0x0302
#define TLS_1_2 0x0303
#define TLS_1_3 0x0304
struct tls_settings {
	enum tls_handshake {
		TLS_GOES_ON,
		TLS_HANGS, /* until the client leaves */
		TLS_RESETS,
	} handshake;
	int oldest, newest; /* versions */
	/* Any certificate will do. */
	bool asks_for_certificate, needs_certificate;
	struct tls_identity *identity; /* whoever asked frees it */
};

/* Says so; asked by one thread. */
struct tls_service {
	/*
	 * Asked twice: at the accept(), when only `handshake` counts, and when
	 * the ClientHello is there. `name`: of the server, as the client has
	 * it, or NULL. -1: no handshake can be.
	 */
	int (*settings)(void *cls, bool hello, const char *name,
	    struct tls_settings *out);
	/* A handshake failed; `why` is OpenSSL's word for it. */
	void (
	    *failed)(void *cls, const struct endpoint *source, const char *why);
	void *cls;
};

struct http_options {
	unsigned workers;	   /* threads; 0: one per processor */
	unsigned connection_limit; /* 0: from RLIMIT_NOFILE */
	/* Where OpenSSL's algorithms come from; NULL: the default one. */
	struct ossl_lib_ctx_st *library;
};

int http_start(struct http **out, const struct http_options *, struct error *);

/*
 * Opens a listener, now or while running. The service is copied; none of its
 * calls come before http_accept(), and on failure none at all. *bound says
 * where; *out, which may be NULL, is for http_close().
 */
struct listener;
int http_listen(struct http *, const struct endpoint *,
    const struct http_service *, struct endpoint *bound, struct listener **out,
    struct error *);
/*
 * The port is anybody's from now on, and whoever waits to be accepted is reset;
 * connections that came by it go on. Any thread; once, and not after
 * http_stop(), which closes all.
 */
void http_close(struct http *, struct listener *);
/* The same as http_listen(), inside TLS; the second service is borrowed. */
int http_listen_tls(struct http *, const struct endpoint *,
    const struct http_service *, const struct tls_service *,
    struct endpoint *bound, struct error *);
/* "ADDR:PORT" or "[ADDR]:PORT", numeric. */
int http_parse_address(const char *text, struct endpoint *out, struct error *);
bool http_is_loopback(const struct endpoint *);
/* "http://127.0.0.1:8080" */
#define HTTP_URL_SIZE 80
char *http_url(const struct endpoint *, char out[HTTP_URL_SIZE]);
/* "https://127.0.0.1:8443" */
char *http_url_tls(const struct endpoint *, char out[HTTP_URL_SIZE]);

/* Listeners opened so far, and those to come, begin to be answered. */
int http_accept(struct http *, struct error *);
/* After http_accept(): what a service says of its ports may have changed. */
void http_look(struct http *);
/*
 * Exchanges that wait for this key are asked again. Any thread; cheap when
 * nobody waits.
 */
void http_wake(struct http *, const void *key);
/*
 * Ends those that are being held, or wait, and that `which` knows: the client
 * gets no more, and finish() has been called when it returns. Untouched are
 * those being answered, and those that were over before their connection.
 * `which` comes on threads of http. Not in a call of a service, but for an
 * answer() that is_long() has sent to a worker.
 */
void http_cut(struct http *, bool (*which)(void *cls, const struct exchange *),
    void *cls);

/*
 * Accepts no more, cuts what is held, lets honest exchanges finish for
 * `grace_ms` at most, frees everything. NULL is fine.
 */
void http_stop(struct http *, int grace_ms);

/* What the bodies of all requests may hold together; beyond it, 503. */
#define HTTP_BODIES_MAX_MIB 64U

unsigned http_connection_limit(const struct http *);
/* Without those of services that have places of their own. */
unsigned http_connections(const struct http *);
/* Answers that are being held: delayed, dripped, hung. */
unsigned http_held(const struct http *);
/* Exchanges whose service waits, see struct waiting. */
unsigned http_waiting(const struct http *);

#endif
