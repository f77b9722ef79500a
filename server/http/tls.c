/*
 * TLS ends here, on one epoll thread: a client's descriptor on one side, on
 * the other a pair of sockets whose far end goes where accepted connections
 * go. There it is made only after the handshake, so that nothing behind this
 * knows of TLS, and wire faults are plain octets.
 */
#include "http/tls.h"

#include <errno.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utlist.h>

#include "base/clock.h"

#define STOP_MS 500 /* for what is on its way to clients when all ends */
#define EVENTS 64

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
		tunnel_open(t, a->service, a->connection);
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
		tunnel_step(n);
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

/* All that is open finds out that its server has gone. */
static void
wind_up(struct tls *t)
{
	struct tunnel *n, *next;

	while ((n = t->stages[STAGE_HANDSHAKE]) != NULL)
		tunnel_drop(n);
	while ((n = t->stages[STAGE_PARKED]) != NULL)
		tunnel_drop(n);
	for (enum stage stage = STAGE_OPEN; stage < STAGES; stage++)
		DL_FOREACH_SAFE(t->stages[stage], n, next)
			tunnel_queue(n);
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
	int64_t wait = tunnels_expire(t);
	int count;

	if (most_ms >= 0 && (wait < 0 || wait > most_ms))
		wait = most_ms;
	count = epoll_wait(t->epoll, events, EVENTS,
	    t->queue != NULL ? 0 : (int)wait);
	run_queue(t);
	for (int i = 0; i < count; i++)
		if (events[i].data.ptr != NULL)
			tunnel_on_event(events[i].data.ptr, events[i].events);
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
	t->slots.room = http->common.limit + http->reserved.limit;
	t->slots.list = calloc(t->slots.room, sizeof(*t->slots.list));
	if (t->slots.list == NULL)
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
		connection_free(conn);
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
		connection_free(a->connection);
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
			tunnel_reset(n);
	run_queue(t);
	bury(t);
	free_arrivals(t);
	SSL_CTX_free(t->ctx);
	if (t->epoll != -1)
		close(t->epoll);
	if (t->wake != -1)
		close(t->wake);
	pthread_mutex_destroy(&t->lock);
	free(t->slots.list);
	free(t);
}
