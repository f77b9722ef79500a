/*
 * The one thread that runs libmicrohttpd. What other threads have for it
 * waits in a queue, so that nothing in parse.c and watch.c needs a lock.
 * libmicrohttpd's own thread would do, but 0.9.75 sleeps on when it finds
 * exactly 128 events at once.
 */
#include "http/inside.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"

#define SWEEP_MS 1000

struct loop {
	struct http *http;
	int wake;
	pthread_t thread;
	bool running;
	pthread_mutex_t lock; /* what follows */
	struct connection *accepted, **last_accepted;
	struct call *answered;
	struct cut *cuts;
	bool stopping;
};

/* Under the lock. Whoever finds something waiting need not wake it again. */
static bool
is_quiet(const struct loop *l)
{
	return l->accepted == NULL && l->answered == NULL && l->cuts == NULL &&
	    !l->stopping;
}

void
loop_wake(struct loop *l)
{
	/* It fails only if the loop has been woken 2^64 times. */
	eventfd_write(l->wake, 1);
}

void
loop_add(struct loop *l, struct connection *conn)
{
	bool quiet;

	pthread_mutex_lock(&l->lock);
	quiet = is_quiet(l);
	conn->next = NULL;
	*l->last_accepted = conn;
	l->last_accepted = &conn->next;
	pthread_mutex_unlock(&l->lock);
	if (quiet)
		loop_wake(l);
}

void
loop_resume(struct loop *l, struct call *call)
{
	bool quiet;

	pthread_mutex_lock(&l->lock);
	quiet = is_quiet(l);
	call->next = l->answered;
	l->answered = call;
	pthread_mutex_unlock(&l->lock);
	if (quiet)
		loop_wake(l);
}

void
loop_cut(struct loop *l, struct cut *cut)
{
	pthread_mutex_lock(&l->lock);
	cut->next = l->cuts;
	l->cuts = cut;
	pthread_mutex_unlock(&l->lock);
	loop_wake(l);
}

static void
cut_waiting(struct loop *l, struct cut *cut)
{
	struct cut *next;

	for (; cut != NULL; cut = next) {
		next = cut->next;
		waiting_cut(l->http->waiters, cut);
		sem_post(&cut->done);
	}
}

/* Gives libmicrohttpd what has come for it; false: it is to stop. */
static bool
empty_queue(struct loop *l)
{
	struct connection *conn;
	struct call *call;
	struct cut *cuts;
	bool stopping;

	pthread_mutex_lock(&l->lock);
	conn = l->accepted;
	l->accepted = NULL;
	l->last_accepted = &l->accepted;
	call = l->answered;
	l->answered = NULL;
	cuts = l->cuts;
	l->cuts = NULL;
	stopping = l->stopping;
	pthread_mutex_unlock(&l->lock);
	while (conn != NULL) {
		struct connection *next = conn->next;

		parse_add(l->http, conn);
		conn = next;
	}
	while (call != NULL) {
		struct call *next = call->next;

		if (waiting_go_on(call))
			parse_resume(call);
		call = next;
	}
	cut_waiting(l, cuts);
	return !stopping;
}

/* Until the next sweep, which it does if it is due; -1: nobody is watched. */
static int
sweep_time_left(struct http *http, int64_t *next_sweep)
{
	int64_t now = clock_ticks_ms();

	if (http->watched == NULL)
		return -1;
	if (now >= *next_sweep) {
		watch_sweep(http);
		waiting_sweep(http->waiters);
		*next_sweep = now + SWEEP_MS;
	}
	return (int)(*next_sweep - now);
}

/* How long it may sleep. */
static int
time_left(struct http *http, int64_t *next_sweep)
{
	int sweep = sweep_time_left(http, next_sweep);
	int waiting = waiting_time_left(http->waiters);

	if (parse_has_work(http))
		return 0;
	return waiting != -1 && (sweep == -1 || waiting < sweep) ? waiting :
								   sweep;
}

static void *
run(void *cls)
{
	struct loop *l = cls;
	struct pollfd fds[] = {
		{ .fd = parse_descriptor(l->http), .events = POLLIN },
		{ .fd = l->wake, .events = POLLIN },
	};
	int64_t next_sweep = 0;
	bool going = true;
	eventfd_t count;

	while (going) {
		poll(fds, 2, time_left(l->http, &next_sweep));
		if (fds[1].revents != 0 && eventfd_read(l->wake, &count) == 0)
			going = empty_queue(l);
		waiting_run(l->http->waiters);
		parse_run(l->http);
	}
	return NULL;
}

int
loop_start(struct http *http, struct loop **out, struct error *err)
{
	struct loop *l = calloc(1, sizeof(*l));

	if ((*out = l) == NULL)
		return error_set(err, "out of memory");
	l->http = http;
	l->last_accepted = &l->accepted;
	pthread_mutex_init(&l->lock, NULL);
	if ((l->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) == -1)
		return error_set(err, "cannot open an eventfd: %s",
		    strerror(errno));
	if (thread_start(&l->thread, run, l) == -1)
		return error_set(err, "cannot start a thread");
	l->running = true;
	return 0;
}

void
loop_halt(struct loop *l)
{
	if (l == NULL || !l->running)
		return;
	pthread_mutex_lock(&l->lock);
	l->stopping = true;
	pthread_mutex_unlock(&l->lock);
	loop_wake(l);
	pthread_join(l->thread, NULL);
	l->running = false;
}

void
loop_free(struct loop *l)
{
	struct connection *conn;

	if (l == NULL)
		return;
	loop_halt(l);
	while ((conn = l->accepted) != NULL) {
		l->accepted = conn->next;
		connection_free(conn);
	}
	if (l->wake != -1)
		close(l->wake);
	pthread_mutex_destroy(&l->lock);
	free(l);
}
