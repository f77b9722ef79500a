/*
 * Clients that take too long. Whoever sends nothing, or half a request, or
 * does not read its answer, is shut down; libmicrohttpd then sees it leave.
 */
#include "http/inside.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/clock.h"

#define NOTICED_MS 500	  /* by then libmicrohttpd has, or will not */
#define TCP_ESTABLISHED 1 /* netinet/tcp.h clashes with linux/tcp.h */

static struct tcp_info
tcp_state(const struct connection *c)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);

	getsockopt(c->fd, IPPROTO_TCP, TCP_INFO, &info, &len);
	return info;
}

/* Octets the client has sent on this connection, for whatever they are. */
static uint64_t
octets_received(const struct connection *c)
{
	return c->tls != 0 ? tls_received(c->http->tls, c->tls) :
			     tcp_state(c).tcpi_bytes_received;
}

uint64_t
watch_taken(const struct connection *c)
{
	uint64_t received = octets_received(c);
	int unread = 0;

	return ioctl(c->fd, FIONREAD, &unread) == 0 &&
		(uint64_t)unread < received ?
	    received - (uint64_t)unread :
	    0;
}

void
watch_phase(struct connection *c, enum phase phase)
{
	if (phase == PHASE_REQUEST)
		c->received = octets_received(c);
	else if (phase == PHASE_BODY)
		c->received = 0;
	c->since = clock_ticks_ms();
	c->phase = phase;
}

void
watch_begin(struct http *http, struct connection *c)
{
	uint64_t taken = c->received;

	c->expired = -1;
	watch_phase(c, PHASE_REQUEST);
	/* What has come since belongs to the first request. */
	c->received = taken;
	c->previous = NULL;
	if ((c->next = http->watched) != NULL)
		c->next->previous = c;
	http->watched = c;
}

void
watch_end(struct http *http, struct connection *c)
{
	if (c->previous != NULL)
		c->previous->next = c->next;
	else
		http->watched = c->next;
	if (c->next != NULL)
		c->next->previous = c->previous;
}

/* Why it has expired, or -1. */
static int
expiry(struct connection *c, int64_t now)
{
	int64_t waited = now - c->since;
	uint64_t received;

	switch (c->phase) {
	case PHASE_REQUEST:
		if (waited <= c->limits.idle && waited <= c->limits.head)
			return -1;
		if (octets_received(c) > c->received)
			return waited > c->limits.head ? HTTP_EXPIRED_HEAD : -1;
		return waited > c->limits.idle ? HTTP_EXPIRED_IDLE : -1;
	case PHASE_BODY:
		/* As long as something comes, it may go on. */
		received = octets_received(c);
		if (received != c->received) {
			c->received = received;
			c->since = now;
			return -1;
		}
		return waited > c->limits.body ? HTTP_EXPIRED_BODY : -1;
	case PHASE_SENDING:
		return waited > c->limits.send ? HTTP_EXPIRED_SEND : -1;
	case PHASE_ANSWER:
		break;
	}
	return -1;
}

bool
watch_has_left(const struct connection *c)
{
	return c->tls != 0 ? tls_has_left(c->http->tls, c->tls) :
			     tcp_state(c).tcpi_state != TCP_ESTABLISHED;
}

/*
 * libmicrohttpd 0.9.75 overlooks a FIN that comes together with the last
 * octets: a client that left half-way would be kept until a timer ends.
 */
static bool
is_overlooked(const struct connection *c, int64_t now)
{
	return (c->phase == PHASE_REQUEST || c->phase == PHASE_BODY) &&
	    now - c->since >= NOTICED_MS && watch_has_left(c);
}

void
watch_sweep(struct http *http)
{
	int64_t now = clock_ticks_ms();
	int why;

	for (struct connection *c = http->watched; c != NULL; c = c->next) {
		if ((why = expiry(c, now)) != -1)
			c->expired = why;
		else if (!is_overlooked(c, now))
			continue;
		shutdown(c->fd, SHUT_RDWR);
	}
}
