/*
 * TLS ends here, on one epoll thread: a client's descriptor on one side, on
 * the other a pair of sockets whose far end goes where accepted connections
 * go. There it is made only after the handshake, so that nothing behind this
 * knows of TLS, and wire faults are plain octets.
 */
#include "http/inside.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utlist.h>

#include "base/clock.h"

#define STOP_MS 500 /* for what is on its way to clients when all ends */
#define CHUNK 16384 /* a record of TLS */
#define TURNS 64    /* chunks in a row, then it is another's turn */
#define EVENTS 64
#define DESCRIPTORS 2 /* of a tunnel, beside that of its connection */

/*
 * What others may ask and say of a tunnel, by a number that no other has had.
 * Slots are never freed while there is anybody who could ask.
 */
struct slot {
	_Atomic uint64_t word; /* id << 8 | SLOT_LEFT | enum connection_end */
	_Atomic uint64_t received;
	uint32_t next; /* free one; index + 1 */
};
#define SLOT_END 0x03
#define SLOT_LEFT 0x80
#define SLOT_INDEX_BITS 24

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
	STAGE_LINGERING, /* told the client so: what it sends is dropped */
	STAGES,
	STAGE_DEAD = STAGES,
};
/* 0: for ever. In STAGE_ENDING without an octet going out. */
static const int64_t patience_ms[STAGES] = {
	[STAGE_HANDSHAKE] = 10000,
	[STAGE_ENDING] = 30000,
	[STAGE_LINGERING] = 2000,
};

struct tunnel {
	struct tls *tls;
	struct connection *connection; /* until it is handed over */
	struct hello hello;
	SSL *ssl;
	struct side client, server;
	struct store up, down; /* to the server, to the client */
	bool up_ended;	       /* nothing more comes from the client */
	bool up_shut;	       /* and the server has been told */
	bool up_refused;       /* the server takes no more */
	struct slot *slot;
	enum stage stage;
	int64_t since;
	bool queued;
	struct tunnel *prev, *next; /* of its stage, by `since`; or dead */
	struct tunnel *next_queued;
};

struct arrival {
	struct connection *connection;
	const struct tls_service *service;
	struct arrival *next;
};

struct tls {
	struct http *http;
	SSL_CTX *ctx;
	int epoll, wake;
	pthread_t thread;
	bool running;
	pthread_mutex_t lock; /* what follows, up to the empty line */
	struct arrival *arrivals;
	bool shut, stopping;

	/* Of the thread. */
	struct tunnel *stages[STAGES + 1];
	struct tunnel *queue; /* have more to do */
	bool ending;
	struct slot *slots;
	uint32_t slots_used, slots_room, free_slot;
};

static struct slot *
slot_find(const struct tls *t, uint64_t id)
{
	struct slot *slot;
	uint64_t index = id & ((1U << SLOT_INDEX_BITS) - 1);

	if (t == NULL || index >= t->slots_room)
		return NULL;
	slot = &t->slots[index];
	return atomic_load(&slot->word) >> 8 == id ? slot : NULL;
}

static struct slot *
slot_take(struct tls *t)
{
	uint32_t index = t->free_slot;
	struct slot *slot;
	uint64_t id;

	if (index > 0)
		t->free_slot = t->slots[--index].next;
	else if (t->slots_used < t->slots_room)
		index = t->slots_used++;
	else
		return NULL;
	slot = &t->slots[index];
	id = (atomic_load(&slot->word) >> 8 >> SLOT_INDEX_BITS) + 1;
	id = id << SLOT_INDEX_BITS | index;
	atomic_store(&slot->received, 0);
	atomic_store(&slot->word, id << 8 | CONNECTION_END_NOTIFY);
	return slot;
}

static void
slot_give_back(struct tls *t, struct slot *slot)
{
	if (slot == NULL)
		return;
	/* Its number is nobody's until the next one has it. */
	atomic_fetch_add(&slot->word, 1ULL << 8 << SLOT_INDEX_BITS);
	slot->next = t->free_slot;
	t->free_slot = (uint32_t)(slot - t->slots) + 1;
}

static uint64_t
slot_id(const struct slot *slot)
{
	return atomic_load(&slot->word) >> 8;
}

uint64_t
tls_received(const struct tls *t, uint64_t id)
{
	const struct slot *slot = slot_find(t, id);

	return slot == NULL ? 0 : atomic_load(&slot->received);
}

bool
tls_has_left(const struct tls *t, uint64_t id)
{
	const struct slot *slot = slot_find(t, id);

	return slot == NULL || (atomic_load(&slot->word) & SLOT_LEFT) != 0;
}

void
connection_end(struct http *http, int fd, uint64_t id, enum connection_end how)
{
	const struct linger none = { .l_onoff = 1 };
	struct slot *slot = slot_find(http->tls, id);
	uint64_t word, said;

	if (id == 0 && how == CONNECTION_END_RESET)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	if (id == 0 || slot == NULL)
		return;
	word = atomic_load(&slot->word);
	do {
		/* It has gone, and the slot may be another's. */
		if (word >> 8 != id)
			return;
		said = (word & ~(uint64_t)SLOT_END) | how;
	} while (!atomic_compare_exchange_weak(&slot->word, &word, said));
}

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

/* Both ends at once; its memory stays until no event can speak of it. */
static void
drop(struct tunnel *n)
{
	struct http *http = n->tls->http;

	if (n->stage == STAGE_DEAD)
		return;
	close_side(&n->client);
	close_side(&n->server);
	SSL_free(n->ssl);
	store_free(&n->up);
	store_free(&n->down);
	if (n->slot != NULL)
		atomic_fetch_sub(&http->descriptors, DESCRIPTORS);
	if (n->connection != NULL)
		atomic_fetch_sub(&http->connections, 1);
	slot_give_back(n->tls, n->slot);
	free(n->connection);
	set_stage(n, STAGE_DEAD);
}

static void
reset(struct tunnel *n)
{
	const struct linger none = { .l_onoff = 1 };

	setsockopt(n->client.fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	drop(n);
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
			drop(n);
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
		reset(n);
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

static void
queue(struct tunnel *n)
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
			drop(n);
			return;
		}
	}
	if (n->stage == STAGE_ENDING && store_is_empty(&n->down))
		end(n);
	else if (up == 1 || down == 1)
		queue(n);
}

/* The far end of a pair becomes the connection. */
static int
open_pair(struct tunnel *n)
{
	int fds[2];

	if ((n->slot = slot_take(n->tls)) == NULL)
		return -1;
	atomic_fetch_add(&n->tls->http->descriptors, DESCRIPTORS);
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
		drop(n);
		return;
	}
	pthread_mutex_lock(&t->lock);
	if (!(shut = t->shut))
		loop_add(t->http->loop, n->connection);
	pthread_mutex_unlock(&t->lock);
	if (shut) {
		close(n->connection->fd);
		drop(n);
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
		reset(n);
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

static void
step(struct tunnel *n)
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
	case STAGE_PARKED:
	case STAGE_DEAD:
		break;
	}
}

static void
on_event(struct side *s, uint32_t events)
{
	struct tunnel *n = s->of;

	if (n->stage == STAGE_DEAD || s->fd == -1)
		return;
	/* A reset of the client's: nothing can be said any more. */
	if (s == &n->client && (events & EPOLLERR) != 0) {
		drop(n);
		return;
	}
	if (s->is_blocked && (events & EPOLLOUT) != 0) {
		s->is_blocked = false;
		watch_side(s, EPOLL_CTL_MOD);
	}
	step(n);
	if (n->stage == STAGE_PARKED && (events & (EPOLLRDHUP | EPOLLHUP)) != 0)
		drop(n);
}

static void
adopt(struct tls *t, const struct arrival *a)
{
	struct tunnel *n = calloc(1, sizeof(*n));
	struct tls_settings settings = { 0 };

	if (n == NULL) {
		close(a->connection->fd);
		free(a->connection);
		atomic_fetch_sub(&t->http->connections, 1);
		return;
	}
	n->tls = t;
	n->connection = a->connection;
	n->hello.service = a->service;
	n->client = (struct side){ n, a->connection->fd, false };
	n->server = (struct side){ n, -1, false };
	n->since = clock_ticks_ms();
	DL_APPEND(t->stages[STAGE_HANDSHAKE], n);
	if (a->service->settings(a->service->cls, false, NULL, &settings) ==
		-1 ||
	    (n->ssl = hello_new(t->ctx, n->client.fd, &n->hello)) == NULL) {
		drop(n);
		return;
	}
	if (settings.handshake != TLS_GOES_ON)
		obey(n, settings.handshake);
	if (n->stage != STAGE_DEAD)
		watch_side(&n->client, EPOLL_CTL_ADD);
}

static void
take_arrivals(struct tls *t)
{
	struct arrival *a, *next;
	eventfd_t count;

	eventfd_read(t->wake, &count);
	pthread_mutex_lock(&t->lock);
	a = t->arrivals;
	t->arrivals = NULL;
	t->ending = t->stopping;
	pthread_mutex_unlock(&t->lock);
	for (; a != NULL; a = next) {
		next = a->next;
		adopt(t, a);
		free(a);
	}
}

static void
run_queue(struct tls *t)
{
	struct tunnel *n, *next = t->queue;

	t->queue = NULL;
	while ((n = next) != NULL) {
		next = n->next_queued;
		n->queued = false;
		step(n);
	}
}

/* A tunnel on the queue is dead or not; it is freed once it is off. */
static void
bury(struct tls *t)
{
	struct tunnel *n, *next;

	DL_FOREACH_SAFE(t->stages[STAGE_DEAD], n, next) {
		if (n->queued)
			continue;
		DL_DELETE(t->stages[STAGE_DEAD], n);
		free(n);
	}
}

/* Until the next deadline, after it has dropped those that are over. */
static int
wait_ms(struct tls *t)
{
	int64_t now = clock_ticks_ms(), least = -1, left;
	struct tunnel *n;

	for (enum stage stage = 0; stage < STAGES; stage++) {
		if (patience_ms[stage] == 0)
			continue;
		while ((n = t->stages[stage]) != NULL &&
		    n->since + patience_ms[stage] <= now)
			drop(n);
		if (n == NULL)
			continue;
		left = n->since + patience_ms[stage] - now;
		if (least == -1 || left < least)
			least = left;
	}
	return t->queue != NULL ? 0 : (int)least;
}

/* All that is open finds out that its server has gone. */
static void
wind_up(struct tls *t)
{
	struct tunnel *n, *next;

	while ((n = t->stages[STAGE_HANDSHAKE]) != NULL)
		drop(n);
	while ((n = t->stages[STAGE_PARKED]) != NULL)
		drop(n);
	for (enum stage stage = STAGE_OPEN; stage < STAGES; stage++)
		DL_FOREACH_SAFE(t->stages[stage], n, next)
			queue(n);
}

static bool
is_empty(const struct tls *t)
{
	for (enum stage stage = 0; stage < STAGES; stage++)
		if (t->stages[stage] != NULL)
			return false;
	return true;
}

/* One batch of events. */
static void
turn(struct tls *t, int most_ms)
{
	struct epoll_event events[EVENTS];
	int wait = wait_ms(t), count;

	if (most_ms >= 0 && (wait < 0 || wait > most_ms))
		wait = most_ms;
	count = epoll_wait(t->epoll, events, EVENTS, wait);
	run_queue(t);
	for (int i = 0; i < count; i++)
		if (events[i].data.ptr != NULL)
			on_event(events[i].data.ptr, events[i].events);
		else
			take_arrivals(t);
	bury(t);
}

static void *
run(void *cls)
{
	struct tls *t = cls;
	int64_t until, left;

	while (!t->ending)
		turn(t, -1);
	wind_up(t);
	until = clock_ticks_ms() + STOP_MS;
	while (!is_empty(t) && (left = until - clock_ticks_ms()) > 0)
		turn(t, (int)left);
	return NULL;
}

int
tls_start(struct http *http, struct tls **out, struct error *err)
{
	struct epoll_event ev = { .data.ptr = NULL, .events = EPOLLIN };
	struct tls *t = calloc(1, sizeof(*t));

	if ((*out = t) == NULL)
		return error_set(err, "out of memory");
	t->http = http;
	pthread_mutex_init(&t->lock, NULL);
	t->epoll = epoll_create1(EPOLL_CLOEXEC);
	t->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	t->slots_room = http->connection_limit;
	t->slots = calloc(t->slots_room, sizeof(*t->slots));
	if (t->slots == NULL)
		return error_set(err, "out of memory");
	if (hello_start(http->library, &t->ctx, err) == -1)
		return -1;
	if (t->epoll == -1 || t->wake == -1 ||
	    epoll_ctl(t->epoll, EPOLL_CTL_ADD, t->wake, &ev) == -1 ||
	    thread_start(&t->thread, run, t) == -1)
		return error_set(err, "cannot start the thread for TLS");
	t->running = true;
	return 0;
}

void
tls_add(struct tls *t, const struct tls_service *service,
    struct connection *conn)
{
	struct arrival *a = malloc(sizeof(*a));

	if (a == NULL) {
		close(conn->fd);
		free(conn);
		atomic_fetch_sub(&t->http->connections, 1);
		return;
	}
	a->connection = conn;
	a->service = service;
	pthread_mutex_lock(&t->lock);
	a->next = t->arrivals;
	t->arrivals = a;
	pthread_mutex_unlock(&t->lock);
	eventfd_write(t->wake, 1);
}

void
tls_shut(struct tls *t)
{
	if (t == NULL)
		return;
	pthread_mutex_lock(&t->lock);
	t->shut = true;
	pthread_mutex_unlock(&t->lock);
}

static void
free_arrivals(struct tls *t)
{
	struct arrival *a;

	while ((a = t->arrivals) != NULL) {
		t->arrivals = a->next;
		close(a->connection->fd);
		free(a->connection);
		free(a);
	}
}

void
tls_stop(struct tls *t)
{
	struct tunnel *n;

	if (t == NULL)
		return;
	if (t->running) {
		pthread_mutex_lock(&t->lock);
		t->stopping = true;
		pthread_mutex_unlock(&t->lock);
		eventfd_write(t->wake, 1);
		pthread_join(t->thread, NULL);
	}
	for (enum stage stage = 0; stage < STAGES; stage++)
		while ((n = t->stages[stage]) != NULL)
			reset(n);
	run_queue(t);
	bury(t);
	free_arrivals(t);
	SSL_CTX_free(t->ctx);
	if (t->epoll != -1)
		close(t->epoll);
	if (t->wake != -1)
		close(t->wake);
	pthread_mutex_destroy(&t->lock);
	free(t->slots);
	free(t);
}
