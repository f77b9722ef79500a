/*
 * A tunnel: the handshake, then octets up and down, then the end that the
 * client is to see. Descriptors are edge-triggered, so that each step goes on
 * until nothing more can be done.
 */
#include "http/tls.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utlist.h>

#include "base/clock.h"

#define ARRIVE_MS 5000 /* for all to arrive, before a reset */
#define CHUNK 16384    /* a record of TLS */
#define TURNS 64       /* chunks in a row, then it is another's turn */
#define DESCRIPTORS 2  /* of a tunnel, beside that of its connection */

/*
 * 0: for ever. In STAGE_ENDING without an octet going out; in STAGE_ARRIVING
 * until it is looked at again.
 */
static const int64_t patience_ms[STAGES] = {
	[STAGE_HANDSHAKE] = 10000,
	[STAGE_ENDING] = 30000,
	[STAGE_ARRIVING] = 5,
	[STAGE_LINGERING] = 2000,
};

static void
set_stage(struct tunnel *n, enum stage stage)
{
	struct tls *t = n->tls;

	DL_DELETE(t->stages[n->stage], n);
	n->stage = stage;
	n->since = clock_ticks_ms();
	DL_APPEND(t->stages[stage], n);
}

/* With EPOLLOUT only while it waits for that, else each read would wake us. */
static void
watch_side(struct side *s, int operation)
{
	struct epoll_event ev = { .data.ptr = s,
		.events = EPOLLIN | EPOLLRDHUP | EPOLLET };

	if (s->is_blocked)
		ev.events |= EPOLLOUT;
	epoll_ctl(s->of->tls->epoll, operation, s->fd, &ev);
}

static void
block(struct side *s)
{
	if (s->is_blocked)
		return;
	s->is_blocked = true;
	watch_side(s, EPOLL_CTL_MOD);
}

static void
close_side(struct side *s)
{
	if (s->fd != -1)
		close(s->fd);
	s->fd = -1;
}

static void
store_free(struct store *s)
{
	free(s->data);
	*s = (struct store){ NULL, 0, 0 };
}

void
tunnel_drop(struct tunnel *n)
{
	if (n->stage == STAGE_DEAD)
		return;
	close_side(&n->client);
	close_side(&n->server);
	SSL_free(n->ssl);
	store_free(&n->up);
	store_free(&n->down);
	if (n->slot != NULL)
		atomic_fetch_sub(&n->places->descriptors, DESCRIPTORS);
	slot_give_back(&n->tls->slots, n->slot);
	connection_free(n->connection);
	set_stage(n, STAGE_DEAD);
}

void
tunnel_reset(struct tunnel *n)
{
	const struct linger none = { .l_onoff = 1 };

	setsockopt(n->client.fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	tunnel_drop(n);
}

/* A reset takes with it what has not arrived. */
static void
reset_when_arrived(struct tunnel *n)
{
	int unsent = 0;

	if (ioctl(n->client.fd, SIOCOUTQ, &unsent) == 0 && unsent > 0 &&
	    clock_ticks_ms() < n->reset_by && !n->tls->ending)
		set_stage(n, STAGE_ARRIVING);
	else
		tunnel_reset(n);
}

/* What the client sends is dropped until it closes. */
static void
drain(struct tunnel *n)
{
	uint8_t chunk[CHUNK];
	ssize_t len;

	for (int i = 0; i < TURNS; i++) {
		len = recv(n->client.fd, chunk, sizeof(chunk), MSG_DONTWAIT);
		if (len > 0)
			continue;
		if (len == 0 || errno != EAGAIN || n->tls->ending)
			tunnel_drop(n);
		return;
	}
	watch_side(&n->client, EPOLL_CTL_MOD);
}

/* Closed at once, the client could lose what has been sent to it. */
static void
linger(struct tunnel *n)
{
	close_side(&n->server);
	shutdown(n->client.fd, SHUT_WR);
	set_stage(n, STAGE_LINGERING);
	drain(n);
}

static bool
store_is_empty(const struct store *s)
{
	return s->data == NULL;
}

/* Keeps what has not gone of these octets, which may lie in the store. */
static int
keep(struct store *s, const uint8_t *data, size_t len, size_t gone)
{
	if (gone == len) {
		store_free(s);
		return 0;
	}
	if (s->data != NULL) {
		s->from += gone;
		return 0;
	}
	if ((s->data = malloc(CHUNK)) == NULL)
		return -1;
	memcpy(s->data, data + gone, len - gone);
	s->from = 0;
	s->to = len - gone;
	return 0;
}

/* What follows returns 1: something moved, 0: nothing can, -1: broken. */

static int
give_up(struct tunnel *n, const uint8_t *data, size_t len)
{
	ssize_t sent = (ssize_t)len;

	/* Before anybody can have it. */
	atomic_fetch_add(&n->slot->received, len);
	if (!n->up_refused)
		sent = send(n->server.fd, data, len,
		    MSG_NOSIGNAL | MSG_DONTWAIT);
	if (sent == -1 && errno == EAGAIN) {
		atomic_fetch_sub(&n->slot->received, len);
		block(&n->server);
		return keep(&n->up, data, len, 0);
	}
	/* The server has closed; its answer may still be on its way. */
	if (sent == -1) {
		n->up_refused = true;
		sent = (ssize_t)len;
	}
	atomic_fetch_sub(&n->slot->received, len - (size_t)sent);
	return keep(&n->up, data, len, (size_t)sent) == -1 ? -1 : 1;
}

/* SSL_read() gave nothing. */
static int
read_nothing(struct tunnel *n, int ret)
{
	switch (SSL_get_error(n->ssl, ret)) {
	case SSL_ERROR_WANT_READ:
		return 0;
	case SSL_ERROR_WANT_WRITE:
		block(&n->client);
		return 0;
	case SSL_ERROR_ZERO_RETURN:
		n->up_ended = true;
		return 1;
	}
	return -1;
}

static int
move_up(struct tunnel *n)
{
	uint8_t chunk[CHUNK];
	int len;

	if (!store_is_empty(&n->up))
		return give_up(n, n->up.data + n->up.from,
		    n->up.to - n->up.from);
	if (!n->up_ended) {
		ERR_clear_error();
		len = SSL_read(n->ssl, chunk, sizeof(chunk));
		return len > 0 ? give_up(n, chunk, (size_t)len) :
				 read_nothing(n, len);
	}
	if (!n->up_shut) {
		shutdown(n->server.fd, SHUT_WR);
		atomic_fetch_or(&n->slot->word, SLOT_LEFT);
		n->up_shut = true;
	}
	return 0;
}

static int
give_down(struct tunnel *n, const uint8_t *data, size_t len)
{
	int sent;

	ERR_clear_error();
	sent = SSL_write(n->ssl, data, (int)len);
	if (sent > 0) {
		if (n->stage == STAGE_ENDING)
			set_stage(n, STAGE_ENDING);
		return keep(&n->down, data, len, (size_t)sent) == -1 ? -1 : 1;
	}
	switch (SSL_get_error(n->ssl, sent)) {
	case SSL_ERROR_WANT_WRITE:
		block(&n->client);
		/* FALLTHROUGH */
	case SSL_ERROR_WANT_READ:
		return keep(&n->down, data, len, 0);
	}
	return -1;
}

static int
move_down(struct tunnel *n)
{
	uint8_t chunk[CHUNK];
	ssize_t len;

	if (!store_is_empty(&n->down))
		return give_down(n, n->down.data + n->down.from,
		    n->down.to - n->down.from);
	if (n->stage == STAGE_ENDING)
		return 0;
	len = recv(n->server.fd, chunk, sizeof(chunk), MSG_DONTWAIT);
	if (len > 0)
		return give_down(n, chunk, (size_t)len);
	if (len == -1 && errno == EAGAIN)
		return 0;
	/*
	 * A pair says once that the other end closed with octets unread; after
	 * that comes what was sent before, or the end.
	 */
	if (len == 0 || errno != ECONNRESET)
		set_stage(n, STAGE_ENDING);
	return 1;
}

/* The server has closed, and all that it sent is out. */
static void
end(struct tunnel *n)
{
	int ret;

	switch (atomic_load(&n->slot->word) & SLOT_END) {
	case CONNECTION_END_RESET:
		close_side(&n->server);
		n->reset_by = clock_ticks_ms() + ARRIVE_MS;
		reset_when_arrived(n);
		return;
	case CONNECTION_END_NOTIFY:
		ERR_clear_error();
		ret = SSL_shutdown(n->ssl);
		if (ret < 0 &&
		    SSL_get_error(n->ssl, ret) == SSL_ERROR_WANT_WRITE) {
			block(&n->client);
			return;
		}
	}
	linger(n);
}

void
tunnel_queue(struct tunnel *n)
{
	if (n->queued)
		return;
	n->queued = true;
	n->next_queued = n->tls->queue;
	n->tls->queue = n;
}

static void
pump(struct tunnel *n)
{
	int up = 1, down = 1;

	for (int i = 0; i < TURNS && (up == 1 || down == 1); i++) {
		if (up == 1)
			up = move_up(n);
		if (down == 1)
			down = move_down(n);
		if (up == -1 || down == -1) {
			/* There may be an alert on its way. */
			linger(n);
			return;
		}
	}
	if (n->stage == STAGE_ENDING && store_is_empty(&n->down))
		end(n);
	else if (up == 1 || down == 1)
		tunnel_queue(n);
}

/* The far end of a pair becomes the connection. */
static int
open_pair(struct tunnel *n)
{
	int fds[2];

	if ((n->slot = slot_take(&n->tls->slots)) == NULL)
		return -1;
	atomic_fetch_add(&n->places->descriptors, DESCRIPTORS);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
		fds) == -1)
		return -1;
	n->server.fd = fds[0];
	n->connection->fd = fds[1];
	n->connection->tls = slot_id(n->slot);
	watch_side(&n->server, EPOLL_CTL_ADD);
	return 0;
}

static void
hand_over(struct tunnel *n)
{
	struct tls *t = n->tls;
	bool shut;

	if (open_pair(n) == -1) {
		tunnel_drop(n);
		return;
	}
	pthread_mutex_lock(&t->lock);
	if (!(shut = t->shut))
		loop_add(t->http->loop, n->connection);
	pthread_mutex_unlock(&t->lock);
	if (shut) {
		tunnel_drop(n);
		return;
	}
	n->connection = NULL;
	set_stage(n, STAGE_OPEN);
	pump(n);
}

static void
obey(struct tunnel *n, enum tls_handshake verdict)
{
	if (verdict == TLS_RESETS)
		tunnel_reset(n);
	else
		set_stage(n, STAGE_PARKED);
}

static void
fail(struct tunnel *n)
{
	const struct tls_service *s = n->hello.service;
	const char *why = ERR_reason_error_string(ERR_peek_error());

	s->failed(s->cls, &n->connection->source,
	    why != NULL ? why : "the client left");
	/* There may be an alert on its way. */
	linger(n);
}

static void
shake_hands(struct tunnel *n)
{
	int ret;

	ERR_clear_error();
	if ((ret = SSL_accept(n->ssl)) == 1) {
		hand_over(n);
		return;
	}
	switch (SSL_get_error(n->ssl, ret)) {
	case SSL_ERROR_WANT_READ:
		break;
	case SSL_ERROR_WANT_WRITE:
		block(&n->client);
		break;
	case SSL_ERROR_WANT_CLIENT_HELLO_CB:
		obey(n, n->hello.verdict);
		break;
	default:
		fail(n);
	}
}

void
tunnel_step(struct tunnel *n)
{
	switch (n->stage) {
	case STAGE_HANDSHAKE:
		shake_hands(n);
		break;
	case STAGE_OPEN:
	case STAGE_ENDING:
		pump(n);
		break;
	case STAGE_LINGERING:
		drain(n);
		break;
	case STAGE_ARRIVING:
	case STAGE_PARKED:
	case STAGE_DEAD:
		break;
	}
}

void
tunnel_on_event(struct side *s, uint32_t events)
{
	struct tunnel *n = s->of;

	if (n->stage == STAGE_DEAD || s->fd == -1)
		return;
	/* A reset of the client's: nothing can be said any more. */
	if (s == &n->client && (events & EPOLLERR) != 0) {
		tunnel_drop(n);
		return;
	}
	if (s->is_blocked && (events & EPOLLOUT) != 0) {
		s->is_blocked = false;
		watch_side(s, EPOLL_CTL_MOD);
	}
	tunnel_step(n);
	if (n->stage == STAGE_PARKED && (events & (EPOLLRDHUP | EPOLLHUP)) != 0)
		tunnel_drop(n);
}

void
tunnel_open(struct tls *t, const struct tls_service *service,
    struct connection *conn)
{
	struct tunnel *n = calloc(1, sizeof(*n));
	struct tls_settings settings = { 0 };
	int on = 1;

	if (n == NULL) {
		connection_free(conn);
		return;
	}
	n->tls = t;
	n->connection = conn;
	n->places = conn->listener->places;
	n->hello.service = service;
	n->client = (struct side){ n, conn->fd, false };
	conn->fd = -1;
	n->server = (struct side){ n, -1, false };
	n->since = clock_ticks_ms();
	DL_APPEND(t->stages[STAGE_HANDSHAKE], n);
	/* Small octets that others wait with should not wait here too. */
	setsockopt(n->client.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (service->settings(service->cls, false, NULL, &settings) == -1 ||
	    (n->ssl = hello_new(t->ctx, n->client.fd, &n->hello)) == NULL) {
		tunnel_drop(n);
		return;
	}
	if (settings.handshake != TLS_GOES_ON)
		obey(n, settings.handshake);
	if (n->stage != STAGE_DEAD)
		watch_side(&n->client, EPOLL_CTL_ADD);
}

static void
expire(struct tunnel *n)
{
	if (n->stage == STAGE_ARRIVING)
		reset_when_arrived(n);
	else
		tunnel_drop(n);
}

int64_t
tunnels_expire(struct tls *t)
{
	int64_t now = clock_ticks_ms(), least = -1, left;
	struct tunnel *n;

	for (enum stage stage = 0; stage < STAGES; stage++) {
		if (patience_ms[stage] == 0)
			continue;
		while ((n = t->stages[stage]) != NULL &&
		    n->since + patience_ms[stage] <= now)
			expire(n);
		if (n == NULL)
			continue;
		left = n->since + patience_ms[stage] - now;
		if (least == -1 || left < least)
			least = left;
	}
	return least;
}
