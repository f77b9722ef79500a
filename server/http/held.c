/*
 * Descriptors taken over from libmicrohttpd: one loop with timers, which does
 * what struct wire says. An entry waits, sends its octets, and ends: it goes
 * back to libmicrohttpd, is reset, stays open for nothing, or closes its side
 * and drains what the client still sends, so that the answer is not lost to a
 * reset.
 */
#include "http/inside.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

#define SEND_MS 30000  /* for what is sent in a row */
#define ARRIVE_MS 5000 /* for it to arrive, before a reset */
#define ARRIVE_LOOK_MS 5
#define LINGER_MS 2000 /* for the client's close after it */
#define NEVER INT64_MAX
#define EVENTS 64

struct entry {
	struct timer timer;
	struct connection *conn;
	struct call *call; /* NULL: its end has been told */
	struct wire wire;
	struct blob bytes;
	size_t sent;
	size_t stop;	 /* what is sent in a row ends here */
	size_t pause_at; /* after so many octets; 0: nowhere */
	size_t end_at;	 /* and here all that is sent ends */
	int64_t since;	 /* when the last octet was sent */
	enum step {
		STEP_WAIT, /* before the next octet */
		STEP_SEND,
		STEP_ARRIVE, /* until the client has it all */
		STEP_HANG,
		STEP_DRAIN, /* our side is closed */
	} step;
	bool whole;	    /* the answer goes out from end to end */
	bool goes_on;	    /* another request may come after it */
	bool left;	    /* the client has closed its side, or reset */
	bool is_counted;    /* among those that are not honest */
	struct entry *next; /* among the new ones, or those to be cut */
};

struct held {
	struct http *http;
	int epoll, wake;
	pthread_t thread;
	bool running;
	pthread_mutex_t lock; /* what follows, up to the timers */
	struct entry *fresh;
	struct cut *cuts;
	bool cutting, stopping;
	struct timers timers; /* of all entries but the fresh ones */
};

static struct entry *
entry_of(struct timer *timer)
{
	return (struct entry *)timer;
}

static void
set_timer(struct held *h, struct entry *e, int64_t ms)
{
	timers_set(&h->timers, &e->timer, clock_ticks_ms() + ms);
}

static void
tell(struct entry *e, enum ending ending)
{
	if (e->call == NULL)
		return;
	call_sent(e->call, blob_span(&e->bytes), e->sent);
	call_finish(e->call, ending);
	e->call = NULL;
}

static bool
is_faulted(const struct entry *e)
{
	struct wire wire = e->wire;

	wire.exact = false;
	return !wire_is_ordinary(&wire);
}

static void
set_counted(struct held *h, struct entry *e, bool counted)
{
	if (counted && !e->is_counted)
		atomic_fetch_add(&h->http->faulted, 1);
	else if (!counted && e->is_counted)
		atomic_fetch_sub(&h->http->faulted, 1);
	e->is_counted = counted;
}

/* close() is not enough while libmicrohttpd has its copy open. */
static void
forget(struct held *h, struct entry *e)
{
	set_counted(h, e, false);
	epoll_ctl(h->epoll, EPOLL_CTL_DEL, e->conn->fd, NULL);
	blob_free(&e->bytes);
}

static void
entry_free(struct held *h, struct entry *e, enum ending ending)
{
	tell(e, ending);
	forget(h, e);
	connection_free(e->conn);
	free(e);
}

static void
end(struct held *h, struct entry *e, enum ending ending)
{
	timers_remove(&h->timers, &e->timer);
	entry_free(h, e, ending);
}

/* False: nothing more can come. */
static bool
drain(int fd)
{
	char chunk[16384];
	ssize_t len;

	do
		len = recv(fd, chunk, sizeof(chunk), MSG_DONTWAIT);
	while (len > 0);
	return len == -1 && errno == EAGAIN;
}

/*
 * Whether the client is gone, while nothing is sent. A next request stays where
 * it is; what else comes would keep us from seeing the end of it.
 */
static bool
has_left(const struct entry *e)
{
	return e->left || (!e->goes_on && !drain(e->conn->fd));
}

static void
close_side(struct held *h, struct entry *e)
{
	connection_end(h->http, e->conn->fd, e->conn->tls,
	    e->whole ? CONNECTION_END_NOTIFY : CONNECTION_END_TRUNCATE);
	shutdown(e->conn->fd, SHUT_WR);
	set_counted(h, e, false);
	e->step = STEP_DRAIN;
	set_timer(h, e, LINGER_MS);
	if (!drain(e->conn->fd))
		end(h, e, ENDED_CLIENT_LEFT);
}

/* libmicrohttpd waits for the next request. */
static void
give_back(struct held *h, struct entry *e)
{
	struct connection *conn = e->conn;

	timers_remove(&h->timers, &e->timer);
	forget(h, e);
	free(e);
	conn->received = watch_taken(conn);
	loop_add(h->http->loop, conn);
}

/* A reset takes with it what has not arrived. */
static void
reset_when_arrived(struct held *h, struct entry *e)
{
	int fd = e->conn->fd, unsent = 0;

	if (e->conn->tls == 0 && ioctl(fd, SIOCOUTQ, &unsent) == 0 &&
	    unsent > 0 && clock_ticks_ms() - e->since < ARRIVE_MS) {
		set_timer(h, e, ARRIVE_LOOK_MS);
		return;
	}
	connection_end(h->http, fd, e->conn->tls, CONNECTION_END_RESET);
	end(h, e, ENDED_FAULT);
}

/* All that was to be sent is. */
static void
finish(struct held *h, struct entry *e)
{
	e->since = clock_ticks_ms();
	if (e->wire.end == WIRE_END_RESET) {
		e->step = STEP_ARRIVE;
		reset_when_arrived(h, e);
		return;
	}
	if (e->whole)
		tell(e, ENDED_SENT);
	if (e->wire.end == WIRE_END_HANG) {
		e->step = STEP_HANG;
		timers_set(&h->timers, &e->timer,
		    e->wire.hang_ms == 0 ? NEVER : e->since + e->wire.hang_ms);
		if (has_left(e))
			end(h, e, ENDED_CLIENT_LEFT);
	} else if (e->goes_on) {
		give_back(h, e);
	} else {
		tell(e, ENDED_FAULT);
		close_side(h, e);
	}
}

static void
wait_ms(struct held *h, struct entry *e, int64_t ms)
{
	e->step = STEP_WAIT;
	set_timer(h, e, ms);
	if (has_left(e))
		end(h, e, ENDED_CLIENT_LEFT);
}

static void
go_on_sending(struct held *h, struct entry *e)
{
	ssize_t len;

	while (e->sent < e->stop) {
		len = send(e->conn->fd, e->bytes.data + e->sent,
		    e->stop - e->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (len == -1 && errno == EAGAIN)
			return;
		if (len == -1) {
			end(h, e, ENDED_CLIENT_LEFT);
			return;
		}
		e->sent += (size_t)len;
	}
	if (e->sent == e->end_at)
		finish(h, e);
	else if (e->sent == e->pause_at)
		wait_ms(h, e, e->wire.pause_ms);
	else
		wait_ms(h, e, e->wire.drip_ms);
}

static void
send_in_a_row(struct held *h, struct entry *e)
{
	e->stop = e->end_at;
	if (e->sent < e->pause_at && e->pause_at < e->stop)
		e->stop = e->pause_at;
	if (e->wire.drip_octets > 0 &&
	    (size_t)e->wire.drip_octets < e->stop - e->sent)
		e->stop = e->sent + (size_t)e->wire.drip_octets;
	e->step = STEP_SEND;
	set_timer(h, e, SEND_MS);
	go_on_sending(h, e);
}

static void
on_event(struct held *h, struct entry *e, uint32_t events)
{
	e->left |= (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
	switch (e->step) {
	case STEP_SEND:
		go_on_sending(h, e);
		break;
	case STEP_WAIT:
	case STEP_HANG:
		if (has_left(e))
			end(h, e, ENDED_CLIENT_LEFT);
		break;
	case STEP_DRAIN:
		if (!drain(e->conn->fd))
			end(h, e, ENDED_CLIENT_LEFT);
		break;
	case STEP_ARRIVE:
		break;
	}
}

static void
on_timer(struct held *h, struct entry *e)
{
	switch (e->step) {
	case STEP_WAIT:
		send_in_a_row(h, e);
		break;
	case STEP_ARRIVE:
		reset_when_arrived(h, e);
		break;
	case STEP_HANG:
		tell(e, ENDED_FAULT);
		close_side(h, e);
		break;
	case STEP_SEND:
	case STEP_DRAIN:
		end(h, e, ENDED_CLIENT_LEFT);
		break;
	}
}

static void
adopt(struct held *h, struct entry *e)
{
	struct epoll_event ev = { .data.ptr = e,
		.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET };
	int on = 1;

	if (timers_add(&h->timers, &e->timer, NEVER) == -1) {
		entry_free(h, e, ENDED_CUT);
		return;
	}
	if (epoll_ctl(h->epoll, EPOLL_CTL_ADD, e->conn->fd, &ev) == -1) {
		end(h, e, ENDED_CUT);
		return;
	}
	/* What has to wait does so here, not in the kernel. */
	setsockopt(e->conn->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (e->wire.delay_ms > 0)
		wait_ms(h, e, e->wire.delay_ms);
	else
		send_in_a_row(h, e);
}

/* Those that are not honest need not end well. NULL: all of them. */
static void
cut_faulted(struct held *h, const struct cut *cut)
{
	struct entry *e, *list = NULL;

	for (size_t i = 0; i < h->timers.count; i++) {
		e = entry_of(h->timers.heap[i]);
		if (!is_faulted(e) ||
		    (cut != NULL &&
			(e->call == NULL ||
			    !cut->which(cut->cls, &e->call->exchange))))
			continue;
		e->next = list;
		list = e;
	}
	while ((e = list) != NULL) {
		list = e->next;
		end(h, e, ENDED_CUT);
	}
}

static void
obey(struct held *h, struct cut *cut)
{
	struct cut *next;

	for (; cut != NULL; cut = next) {
		next = cut->next;
		cut_faulted(h, cut);
		sem_post(&cut->done);
	}
}

/* False once the loop is to end. */
static bool
adopt_fresh(struct held *h)
{
	struct entry *e, *next;
	struct cut *cuts;
	uint64_t count;
	bool cutting, stopping;

	if (read(h->wake, &count, sizeof(count)) == -1 && errno != EAGAIN)
		return false;
	pthread_mutex_lock(&h->lock);
	e = h->fresh;
	h->fresh = NULL;
	cuts = h->cuts;
	h->cuts = NULL;
	cutting = h->cutting;
	stopping = h->stopping;
	pthread_mutex_unlock(&h->lock);
	for (; e != NULL; e = next) {
		next = e->next;
		adopt(h, e);
	}
	if (cutting)
		cut_faulted(h, NULL);
	obey(h, cuts);
	return !stopping;
}

static int
time_left(const struct held *h)
{
	int64_t left;

	if (h->timers.count == 0)
		return -1;
	left = h->timers.heap[0]->deadline - clock_ticks_ms();
	return left < 0 ? 0 : left > 60000 ? 60000 : (int)left;
}

static void
expire(struct held *h)
{
	int64_t now = clock_ticks_ms();

	while (h->timers.count > 0 && h->timers.heap[0]->deadline <= now)
		on_timer(h, entry_of(h->timers.heap[0]));
}

static void *
run(void *cls)
{
	struct held *h = cls;
	struct epoll_event events[EVENTS];
	bool woken, going = true;

	while (going) {
		int count = epoll_wait(h->epoll, events, EVENTS, time_left(h));

		woken = false;
		for (int i = 0; i < count; i++) {
			if (events[i].data.ptr == NULL)
				woken = true;
			else
				on_event(h, events[i].data.ptr,
				    events[i].events);
		}
		expire(h);
		if (woken)
			going = adopt_fresh(h);
	}
	return NULL;
}

int
held_start(struct http *http, struct held **out, struct error *err)
{
	struct epoll_event ev = { .data.ptr = NULL, .events = EPOLLIN };
	struct held *h = calloc(1, sizeof(*h));

	if ((*out = h) == NULL)
		return error_set(err, "out of memory");
	h->http = http;
	pthread_mutex_init(&h->lock, NULL);
	h->epoll = epoll_create1(EPOLL_CLOEXEC);
	h->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (h->epoll == -1 || h->wake == -1 ||
	    epoll_ctl(h->epoll, EPOLL_CTL_ADD, h->wake, &ev) == -1 ||
	    thread_start(&h->thread, run, h) == -1)
		return error_set(err,
		    "cannot start the loop for held "
		    "connections");
	h->running = true;
	return 0;
}

static void
wake(struct held *h)
{
	uint64_t one = 1;

	if (write(h->wake, &one, sizeof(one)) == -1)
		return; /* full: it is awake already */
}

/* Where in `len` octets something is; not beyond them. */
static size_t
position(size_t len, int64_t at, bool percent)
{
	uint64_t octets = at < 0 ? 0 : (uint64_t)at;

	if (percent)
		octets = octets >= 100 ?
		    len :
		    len / 100 * octets + len % 100 * octets / 100;
	return octets < len ? (size_t)octets : len;
}

/* In the middle of the head that comes after the prefix. */
static size_t
half_head(const struct blob *bytes, size_t prefix)
{
	const uint8_t *end;

	if (bytes->len <= prefix)
		return bytes->len;
	end = memmem(bytes->data + prefix, bytes->len - prefix, "\r\n\r\n", 4);
	return end == NULL ?
	    bytes->len :
	    prefix + (size_t)(end + 4 - bytes->data - prefix) / 2;
}

static void
plan(struct entry *e, size_t prefix)
{
	const struct wire *w = &e->wire;
	size_t len = e->bytes.len;

	e->end_at = len;
	if (w->is_cut && w->cut_at == WIRE_HALF_HEAD)
		e->end_at = half_head(&e->bytes, prefix);
	else if (w->is_cut)
		e->end_at = position(len, w->cut_at, w->cut_percent);
	if (w->pause_ms > 0)
		e->pause_at = position(len, w->pause_at, w->pause_percent);
	e->whole = len > prefix && e->end_at == len;
	e->goes_on &= e->whole && w->end == WIRE_END_USUAL;
}

static int
prepend(struct blob *bytes, struct span prefix)
{
	struct buffer b = { 0 };

	if (prefix.len == 0)
		return 0;
	buffer_add_span(&b, prefix);
	buffer_add_span(&b, blob_span(bytes));
	blob_free(bytes);
	return buffer_finish(&b, bytes);
}

void
held_send(struct held *h, struct connection *conn, struct blob bytes,
    struct call *call, bool goes_on)
{
	struct entry *e = calloc(1, sizeof(*e));
	size_t prefix = call->exchange.wire.prefix.len;

	connection_count(conn);
	if (e == NULL || prepend(&bytes, call->exchange.wire.prefix) == -1) {
		call_finish(call, ENDED_CUT);
		blob_free(&bytes);
		connection_free(conn);
		free(e);
		return;
	}
	e->conn = conn;
	e->call = call;
	e->wire = call->exchange.wire;
	e->bytes = bytes;
	e->goes_on = goes_on;
	set_counted(h, e, is_faulted(e));
	plan(e, prefix);
	call_trim(call);
	pthread_mutex_lock(&h->lock);
	e->next = h->fresh;
	h->fresh = e;
	pthread_mutex_unlock(&h->lock);
	wake(h);
}

void
held_send_once(struct connection *conn, struct blob bytes, struct call *call)
{
	struct entry e = { .call = call, .bytes = bytes };
	ssize_t len = send(conn->fd, bytes.data, bytes.len,
	    MSG_NOSIGNAL | MSG_DONTWAIT);

	e.sent = len > 0 ? (size_t)len : 0;
	tell(&e, e.sent == bytes.len ? ENDED_SENT : ENDED_CUT);
	shutdown(conn->fd, SHUT_WR);
	/* What is unread at close() would turn the answer into a reset. */
	drain(conn->fd);
	connection_free(conn);
	blob_free(&bytes);
}

void
held_cut(struct held *h, struct cut *cut)
{
	pthread_mutex_lock(&h->lock);
	cut->next = h->cuts;
	h->cuts = cut;
	pthread_mutex_unlock(&h->lock);
	wake(h);
}

void
held_cut_all(struct held *h)
{
	if (h == NULL || !h->running)
		return;
	pthread_mutex_lock(&h->lock);
	h->cutting = true;
	pthread_mutex_unlock(&h->lock);
	wake(h);
}

void
held_stop(struct held *h)
{
	struct entry *e;

	if (h == NULL)
		return;
	if (h->running) {
		pthread_mutex_lock(&h->lock);
		h->stopping = true;
		pthread_mutex_unlock(&h->lock);
		wake(h);
		pthread_join(h->thread, NULL);
	}
	while (h->timers.count > 0)
		end(h, entry_of(h->timers.heap[0]), ENDED_CUT);
	while ((e = h->fresh) != NULL) {
		h->fresh = e->next;
		entry_free(h, e, ENDED_CUT);
	}
	if (h->epoll != -1)
		close(h->epoll);
	if (h->wake != -1)
		close(h->wake);
	pthread_mutex_destroy(&h->lock);
	free(h->timers.heap);
	free(h);
}
