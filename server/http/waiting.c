/*
 * Exchanges whose service cannot answer yet. They are the loop's thread's,
 * which asks them again; other threads only mark those that a key names.
 * libmicrohttpd has their connections suspended until there is an answer.
 */
#include "http/inside.h"

#include <stdlib.h>

#include "base/clock.h"

struct waiters {
	struct http *http;
	/* How often http_wake() was called, and how many could hear it. */
	atomic_uint wakes, count;
	atomic_bool has_ended; /* nobody may wait any more */
	pthread_mutex_t lock;  /* what follows */
	struct timers timers;  /* changed by the loop's thread alone */
	bool is_due;	       /* somebody has been woken */
};

static struct call *
call_of(struct timer *timer)
{
	return (struct call *)timer;
}

/* Some places are left, so that others can ask while all of these wait. */
static unsigned
most(const struct http *http)
{
	return http->reserved.limit - http->reserved.limit / 8;
}

/*
 * False: it may not wait. Whoever wakes counts first and then looks for those
 * that wait; here it is the other way round, so that no wake is lost which came
 * after the service had looked.
 */
static bool
park(struct waiters *w, struct call *call)
{
	int64_t ms = call->exchange.waiting.ms;
	bool parked, woken = false;

	if (ms > INT32_MAX)
		ms = INT32_MAX;
	pthread_mutex_lock(&w->lock);
	parked = !atomic_load(&w->has_ended) && ms > 0 &&
	    w->timers.count < most(w->http) &&
	    !places_are_scarce(&w->http->reserved) &&
	    timers_add(&w->timers, &call->timer, clock_ticks_ms() + ms) == 0;
	if (parked) {
		atomic_fetch_add(&w->count, 1);
		woken = atomic_load(&w->wakes) != call->wakes;
		atomic_store(&call->is_woken, woken);
		w->is_due |= woken;
	}
	pthread_mutex_unlock(&w->lock);
	if (woken)
		loop_wake(w->http->loop);
	return parked;
}

static void
unpark(struct waiters *w, struct call *call)
{
	struct waiting *waiting = &call->exchange.waiting;
	int64_t left = call->timer.deadline - clock_ticks_ms();

	timers_remove(&w->timers, &call->timer);
	atomic_fetch_sub(&w->count, 1);
	waiting->key = NULL;
	waiting->ms = left > 0 && !atomic_load(&w->has_ended) ? left : 0;
}

/* A list of those; they no longer wait. */
static struct call *
take(struct waiters *w, bool (*which)(void *cls, const struct call *),
    void *cls)
{
	struct call *call, *list = NULL;

	for (size_t i = 0; i < w->timers.count; i++) {
		call = call_of(w->timers.heap[i]);
		if (!which(cls, call))
			continue;
		call->next = list;
		list = call;
	}
	pthread_mutex_lock(&w->lock);
	for (call = list; call != NULL; call = call->next)
		unpark(w, call);
	pthread_mutex_unlock(&w->lock);
	return list;
}

void
waiting_answer(struct call *call)
{
	const struct http_service *s = &call->listener->service;
	struct exchange *ex = &call->exchange;

	call->wakes = atomic_load(&call->http->waiters->wakes);
	call->is_last = ex->waiting.ms == 0;
	s->answer(s->cls, ex);
}

bool
waiting_go_on(struct call *call)
{
	struct exchange *ex = &call->exchange;

	if (exchange_is_answered(ex) || ex->waiting.key == NULL ||
	    call->is_last)
		return true;
	if (park(call->http->waiters, call))
		return false;
	ex->waiting = (struct waiting){ NULL, 0 };
	return waiting_ask(call);
}

bool
waiting_ask(struct call *call)
{
	const struct http_service *s = &call->listener->service;

	if (s->is_long(s->cls, &call->exchange))
		return workers_add(call->http->workers, call) == -1;
	waiting_answer(call);
	return waiting_go_on(call);
}

static bool
is_due(void *cls, const struct call *call)
{
	const struct waiters *w = cls;

	return atomic_load(&w->has_ended) || atomic_load(&call->is_woken) ||
	    call->timer.deadline <= clock_ticks_ms();
}

void
waiting_run(struct waiters *w)
{
	struct call *call, *next;
	bool due;

	if (w->timers.count == 0)
		return;
	pthread_mutex_lock(&w->lock);
	due = w->is_due || atomic_load(&w->has_ended) ||
	    waiting_time_left(w) == 0;
	w->is_due = false;
	pthread_mutex_unlock(&w->lock);
	for (call = due ? take(w, is_due, w) : NULL; call != NULL;
	     call = next) {
		next = call->next;
		if (waiting_ask(call))
			parse_resume(call);
	}
}

int
waiting_time_left(const struct waiters *w)
{
	int64_t left;

	if (w->timers.count == 0)
		return -1;
	left = w->timers.heap[0]->deadline - clock_ticks_ms();
	return left < 0 ? 0 : (int)left;
}

static bool
has_left(void *cls, const struct call *call)
{
	(void)cls;
	return watch_has_left(call->connection);
}

void
waiting_sweep(struct waiters *w)
{
	struct call *call = take(w, has_left, NULL), *next;

	for (; call != NULL; call = next) {
		next = call->next;
		parse_resume(call);
	}
}

static bool
is_cut(void *cls, const struct call *call)
{
	const struct cut *cut = cls;

	return cut->which(cut->cls, &call->exchange);
}

void
waiting_cut(struct waiters *w, struct cut *cut)
{
	struct call *call = take(w, is_cut, cut), *next;

	for (; call != NULL; call = next) {
		next = call->next;
		call_tell(call, ENDED_CUT);
		parse_resume(call);
	}
}

void
waiting_wake(struct waiters *w, const void *key)
{
	bool woken = false;

	atomic_fetch_add(&w->wakes, 1);
	if (atomic_load(&w->count) == 0)
		return;
	pthread_mutex_lock(&w->lock);
	for (size_t i = 0; i < w->timers.count; i++) {
		struct call *call = call_of(w->timers.heap[i]);

		if (call->exchange.waiting.key != key)
			continue;
		atomic_store(&call->is_woken, true);
		woken = true;
	}
	w->is_due |= woken;
	pthread_mutex_unlock(&w->lock);
	if (woken)
		loop_wake(w->http->loop);
}

unsigned
waiting_count(const struct waiters *w)
{
	return atomic_load(&w->count);
}

int
waiting_start(struct http *http, struct waiters **out, struct error *err)
{
	struct waiters *w = calloc(1, sizeof(*w));

	if ((*out = w) == NULL)
		return error_set(err, "out of memory");
	w->http = http;
	pthread_mutex_init(&w->lock, NULL);
	return 0;
}

void
waiting_end(struct waiters *w)
{
	if (w == NULL || w->http->loop == NULL)
		return;
	atomic_store(&w->has_ended, true);
	loop_wake(w->http->loop);
}

void
waiting_free(struct waiters *w)
{
	if (w == NULL)
		return;
	pthread_mutex_destroy(&w->lock);
	free(w->timers.heap);
	free(w);
}
