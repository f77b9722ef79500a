/*
 * A TLS client of OpenSSL's, octet by octet. Every wait has an end; nothing
 * here fails a test, so that threads can use it.
 */
#ifndef SUPPORT_TLS_H
#define SUPPORT_TLS_H

#include <openssl/ssl.h>

#include "support/tcp.h"

/* What is 0 is left out, or is the usual one. */
struct tls_client_options {
	const char *ca;	  /* PEM file; NULL: nobody is trusted */
	const char *host; /* that the certificate has to be for */
	const char *name; /* that the server is asked for (SNI) */
	int newest;	  /* TLS1_2_VERSION ... */
	bool is_old;	  /* takes what nobody takes today */
	X509 *cert;	  /* of the client */
	EVP_PKEY *key;
	SSL_SESSION *session;
	int wait_ms; /* for the server, in place of TCP_SECONDS */
};

struct tls_client {
	int fd; /* -1: not connected */
	SSL_CTX *ctx;
	SSL *ssl;
	bool shaken;	/* hands; whatever the certificate */
	bool was_asked; /* for a certificate */
	long verified;	/* X509_V_... */
	int reason;	/* ERR_GET_REASON() of what went wrong, or 0 */
	enum tls_end {
		TLS_OPEN,
		TLS_NOTIFIED,  /* close_notify, then a FIN */
		TLS_TRUNCATED, /* a FIN alone */
		TLS_RESET,
		TLS_SILENT, /* nothing came in the time to wait */
		TLS_FAILED, /* `reason` says how */
	} end;
};

/* Connects and shakes hands; the caller closes it in any case. */
bool tls_connect(struct tls_client *, const char *url,
    const struct tls_client_options *);
bool tls_send(struct tls_client *, const void *data, size_t len);
bool tls_send_text(struct tls_client *, const char *text);
/* We have nothing more to say, and say so. */
void tls_half_close(struct tls_client *);
/* So many octets at most, 0 at the end. */
size_t tls_read(struct tls_client *, void *out, size_t size);
/* Everything until the end, which `end` tells; a NUL that is not counted. */
void tls_read_all(struct tls_client *, struct buffer *out);
/* Up to and with an empty line and what Content-Length says after it. */
bool tls_read_answer(struct tls_client *, struct answer *);
void tls_close(struct tls_client *);
/* The server sees a reset. */
void tls_abort(struct tls_client *);

#endif
