/* Threads that compute answers, so that the loop never does RSA. */
#include "http/inside.h"

#include <stdlib.h>
#include <unistd.h>

struct worker {
	struct workers *pool;
	pthread_t thread;
	pthread_cond_t wake;
	bool idle; /* on the list */
	struct worker *next;
};

struct workers {
	pthread_mutex_t lock;
	struct call *first, **last;
	/* The one that slept last goes first: its caches are warm. */
	struct worker *idle;
	bool stopping;
	unsigned count;
	struct worker list[];
};

static void
sleep_until_woken(struct worker *self)
{
	struct workers *w = self->pool;

	if (!self->idle) {
		self->idle = true;
		self->next = w->idle;
		w->idle = self;
	}
	pthread_cond_wait(&self->wake, &w->lock);
}

static void
wake_one(struct workers *w)
{
	struct worker *worker = w->idle;

	if (worker == NULL)
		return;
	w->idle = worker->next;
	worker->idle = false;
	pthread_cond_signal(&worker->wake);
}

static struct call *
take(struct worker *self)
{
	struct workers *w = self->pool;
	struct call *call;

	pthread_mutex_lock(&w->lock);
	while (w->first == NULL && !w->stopping)
		sleep_until_woken(self);
	if ((call = w->first) != NULL && (w->first = call->next) == NULL)
		w->last = &w->first;
	pthread_mutex_unlock(&w->lock);
	return call;
}

static void *
work(void *cls)
{
	struct worker *self = cls;
	struct call *call;

	while ((call = take(self)) != NULL) {
		waiting_answer(call);
		loop_resume(call->http->loop, call);
	}
	return NULL;
}

int
workers_start(unsigned count, struct workers **out, struct error *err)
{
	long online = sysconf(_SC_NPROCESSORS_ONLN);
	struct worker *worker;
	struct workers *w;

	if (count == 0)
		count = online > 0 ? (unsigned)online : 1;
	w = calloc(1, sizeof(*w) + count * sizeof(w->list[0]));
	if ((*out = w) == NULL)
		return error_set(err, "out of memory");
	pthread_mutex_init(&w->lock, NULL);
	w->last = &w->first;
	for (; w->count < count; w->count++) {
		worker = &w->list[w->count];
		worker->pool = w;
		pthread_cond_init(&worker->wake, NULL);
		if (thread_start(&worker->thread, work, worker) == -1)
			return error_set(err, "cannot start a thread");
	}
	return 0;
}

int
workers_add(struct workers *w, struct call *call)
{
	bool stopping;

	pthread_mutex_lock(&w->lock);
	stopping = w->stopping;
	if (!stopping) {
		call->next = NULL;
		*w->last = call;
		w->last = &call->next;
		wake_one(w);
	}
	pthread_mutex_unlock(&w->lock);
	return stopping ? -1 : 0;
}

void
workers_halt(struct workers *w)
{
	struct call *call;

	if (w == NULL)
		return;
	pthread_mutex_lock(&w->lock);
	call = w->first;
	w->first = NULL;
	w->last = &w->first;
	w->stopping = true;
	while (w->idle != NULL)
		wake_one(w);
	pthread_mutex_unlock(&w->lock);
	while (call != NULL) {
		struct call *next = call->next;

		loop_resume(call->http->loop, call);
		call = next;
	}
	for (unsigned i = 0; i < w->count; i++) {
		pthread_join(w->list[i].thread, NULL);
		pthread_cond_destroy(&w->list[i].wake);
	}
	w->count = 0;
}

void
workers_free(struct workers *w)
{
	if (w == NULL)
		return;
	workers_halt(w);
	pthread_mutex_destroy(&w->lock);
	free(w);
}
