/*
 * Descriptors taken over from libmicrohttpd: one loop with timers. An entry
 * sends its bytes, closes its side, and drains what the client still sends,
 * so that the answer is not lost to a reset.
 */
#include "http/inside.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

#define SEND_MS 30000  /* for the whole answer */
#define LINGER_MS 2000 /* for the client's close after it */
#define EVENTS 64

struct entry {
	int fd;
	struct blob bytes;
	size_t sent;
	bool lingering;
	struct call *call;
	int64_t deadline;
	size_t at;	    /* place in the heap */
	struct entry *next; /* among the new ones */
};

struct held {
	struct http *http;
	int epoll, wake;
	pthread_t thread;
	bool running;
	pthread_mutex_t lock; /* fresh, stopping */
	struct entry *fresh;
	bool stopping;
	struct entry **heap; /* by deadline, smallest first */
	size_t count, room;
};

static void
heap_place(struct held *h, size_t at, struct entry *e)
{
	h->heap[at] = e;
	e->at = at;
}

static void
heap_up(struct held *h, size_t at)
{
	struct entry *e = h->heap[at];

	for (; at > 0 && h->heap[(at - 1) / 2]->deadline > e->deadline;
	     at = (at - 1) / 2)
		heap_place(h, at, h->heap[(at - 1) / 2]);
	heap_place(h, at, e);
}

static void
heap_down(struct held *h, size_t at)
{
	struct entry *e = h->heap[at];
	size_t child;

	while ((child = 2 * at + 1) < h->count) {
		if (child + 1 < h->count &&
		    h->heap[child + 1]->deadline < h->heap[child]->deadline)
			child++;
		if (h->heap[child]->deadline >= e->deadline)
			break;
		heap_place(h, at, h->heap[child]);
		at = child;
	}
	heap_place(h, at, e);
}

static int
heap_add(struct held *h, struct entry *e)
{
	struct entry **grown;

	if (h->count == h->room) {
		grown = reallocarray(h->heap, h->room * 2 + 16, sizeof(*grown));
		if (grown == NULL)
			return -1;
		h->heap = grown;
		h->room = h->room * 2 + 16;
	}
	heap_place(h, h->count++, e);
	heap_up(h, e->at);
	return 0;
}

static void
heap_remove(struct held *h, struct entry *e)
{
	struct entry *last = h->heap[--h->count];

	if (last == e)
		return;
	heap_place(h, e->at, last);
	heap_up(h, last->at);
	heap_down(h, last->at);
}

static void
set_deadline(struct held *h, struct entry *e, int64_t deadline)
{
	e->deadline = deadline;
	heap_up(h, e->at);
	heap_down(h, e->at);
}

static void
tell(struct entry *e, enum ending ending)
{
	if (e->call == NULL)
		return;
	e->call->exchange.sent = e->sent;
	call_finish(e->call, ending);
	e->call = NULL;
}

static void
entry_free(struct held *h, struct entry *e, enum ending ending)
{
	tell(e, ending);
	/* close() is not enough while libmicrohttpd has its copy open. */
	epoll_ctl(h->epoll, EPOLL_CTL_DEL, e->fd, NULL);
	close(e->fd);
	atomic_fetch_sub(&h->http->connections, 1);
	blob_free(&e->bytes);
	free(e);
}

/* 1: there is more to do, 0: it is over. */
static int
drain(struct entry *e)
{
	char chunk[16384];
	ssize_t len;

	do
		len = recv(e->fd, chunk, sizeof(chunk), MSG_DONTWAIT);
	while (len > 0);
	return len == -1 && errno == EAGAIN;
}

static int
go_on(struct held *h, struct entry *e)
{
	ssize_t len;

	while (e->sent < e->bytes.len) {
		len = send(e->fd, e->bytes.data + e->sent,
		    e->bytes.len - e->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (len == -1 && errno == EAGAIN)
			return 1;
		if (len == -1)
			return 0;
		e->sent += (size_t)len;
	}
	if (!e->lingering) {
		e->lingering = true;
		tell(e, ENDED_SENT);
		shutdown(e->fd, SHUT_WR);
		set_deadline(h, e, clock_ticks_ms() + LINGER_MS);
	}
	return drain(e);
}

static void
run_entry(struct held *h, struct entry *e)
{
	if (go_on(h, e))
		return;
	heap_remove(h, e);
	entry_free(h, e, ENDED_CLIENT_LEFT);
}

static void
adopt(struct held *h, struct entry *e)
{
	struct epoll_event ev = { .data.ptr = e,
		.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET };

	e->deadline = clock_ticks_ms() + SEND_MS;
	if (heap_add(h, e) == -1) {
		entry_free(h, e, ENDED_CUT);
		return;
	}
	if (epoll_ctl(h->epoll, EPOLL_CTL_ADD, e->fd, &ev) == -1) {
		heap_remove(h, e);
		entry_free(h, e, ENDED_CUT);
		return;
	}
	run_entry(h, e);
}

/* False once the loop is to end. */
static bool
adopt_fresh(struct held *h)
{
	struct entry *e, *next;
	uint64_t count;
	bool stopping;

	if (read(h->wake, &count, sizeof(count)) == -1 && errno != EAGAIN)
		return false;
	pthread_mutex_lock(&h->lock);
	e = h->fresh;
	h->fresh = NULL;
	stopping = h->stopping;
	pthread_mutex_unlock(&h->lock);
	for (; e != NULL; e = next) {
		next = e->next;
		adopt(h, e);
	}
	return !stopping;
}

static int
time_left(const struct held *h)
{
	int64_t left;

	if (h->count == 0)
		return -1;
	left = h->heap[0]->deadline - clock_ticks_ms();
	return left < 0 ? 0 : left > 60000 ? 60000 : (int)left;
}

static void
expire(struct held *h)
{
	struct entry *e;

	while (h->count > 0 && h->heap[0]->deadline <= clock_ticks_ms()) {
		e = h->heap[0];
		heap_remove(h, e);
		entry_free(h, e, ENDED_CLIENT_LEFT);
	}
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
				run_entry(h, events[i].data.ptr);
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

void
held_send(struct held *h, int fd, struct blob bytes, struct call *call)
{
	struct entry *e = calloc(1, sizeof(*e));

	atomic_fetch_add(&h->http->connections, 1);
	if (e == NULL) {
		call_finish(call, ENDED_CUT);
		blob_free(&bytes);
		close(fd);
		atomic_fetch_sub(&h->http->connections, 1);
		return;
	}
	e->fd = fd;
	e->bytes = bytes;
	e->call = call;
	pthread_mutex_lock(&h->lock);
	e->next = h->fresh;
	h->fresh = e;
	pthread_mutex_unlock(&h->lock);
	wake(h);
}

void
held_send_once(int fd, struct blob bytes, struct call *call)
{
	struct entry e = { .fd = fd, .bytes = bytes, .call = call };
	ssize_t len = send(fd, bytes.data, bytes.len,
	    MSG_NOSIGNAL | MSG_DONTWAIT);

	e.sent = len > 0 ? (size_t)len : 0;
	tell(&e, e.sent == bytes.len ? ENDED_SENT : ENDED_CUT);
	shutdown(fd, SHUT_WR);
	/* What is unread at close() would turn the answer into a reset. */
	drain(&e);
	close(fd);
	blob_free(&bytes);
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
	while (h->count > 0) {
		e = h->heap[--h->count];
		entry_free(h, e, ENDED_CUT);
	}
	while ((e = h->fresh) != NULL) {
		h->fresh = e->next;
		entry_free(h, e, ENDED_CUT);
	}
	if (h->epoll != -1)
		close(h->epoll);
	if (h->wake != -1)
		close(h->wake);
	pthread_mutex_destroy(&h->lock);
	free(h->heap);
	free(h);
}
