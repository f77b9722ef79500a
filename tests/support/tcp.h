/*
 * Raw TCP and HTTP, octet by octet. Every wait has an end; nothing here
 * fails a test, so that threads can use it.
 */
#ifndef SUPPORT_TCP_H
#define SUPPORT_TCP_H

#include "base/blob.h"

#define TCP_SECONDS 15

/* To host and port of "http://127.0.0.1:8080...", https too; -1: it is not. */
int tcp_connect(const char *url);
/* false: not all of it could be sent. */
bool tcp_send(int fd, const void *data, size_t len);
bool tcp_send_text(int fd, const char *text);
/* A socket that listens on this port of 127.0.0.1; -1: somebody has it. */
int tcp_take_port(unsigned port);
/*
 * The first of so many ports in a row that nobody had just now, 16 at most,
 * below those that the kernel gives and others than before; 0: none.
 */
unsigned tcp_free_ports(unsigned count);
/* We have nothing more to say. */
void tcp_half_close(int fd);
/* The other side sees a reset, not an orderly end. */
void tcp_abort(int fd);

enum tcp_end {
	TCP_CLOSED,
	TCP_RESET,
	TCP_SILENT, /* TCP_SECONDS without an octet */
};
/* Everything until the other side ends; the NUL after it is not counted. */
enum tcp_end tcp_read_all(int fd, struct buffer *out);

/* An answer in HTTP/1; texts end in NULs that are not counted. */
struct answer {
	int status;
	struct buffer head; /* with the empty line */
	struct buffer body; /* as Content-Length says */
	size_t octets;	    /* received, head included */
};
/* One answer and not an octet more. false: it was none. */
bool answer_read(int fd, bool has_body, struct answer *);
/* The value, cut to `size`, or NULL. */
char *answer_header(const struct answer *, const char *name, char *out,
    size_t size);
void answer_clear(struct answer *);
/* Connects, sends, reads one answer, closes. */
bool answer_ask(const char *url, const char *request, struct answer *);
/* Whether GetCACaps is answered, on a connection of its own. */
bool tcp_is_served(const char *url);

#endif
