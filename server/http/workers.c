/* Threads that compute answers, so that the loop never does RSA. */
#include "http/inside.h"

#include <stdlib.h>
#include <unistd.h>

struct workers {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct call *first, **last;
	bool stopping;
	unsigned count;
	pthread_t threads[];
};

static struct call *
take(struct workers *w)
{
	struct call *call;

	pthread_mutex_lock(&w->lock);
	while (w->first == NULL && !w->stopping)
		pthread_cond_wait(&w->wake, &w->lock);
	if ((call = w->first) != NULL && (w->first = call->next) == NULL)
		w->last = &w->first;
	pthread_mutex_unlock(&w->lock);
	return call;
}

static void *
work(void *cls)
{
	struct workers *w = cls;
	struct call *call;

	while ((call = take(w)) != NULL) {
		call->service->answer(call->service->cls, &call->exchange);
		loop_resume(call->http->loop, call);
	}
	return NULL;
}

int
workers_start(unsigned count, struct workers **out, struct error *err)
{
	long online = sysconf(_SC_NPROCESSORS_ONLN);
	struct workers *w;

	if (count == 0)
		count = online > 0 ? (unsigned)online : 1;
	w = calloc(1, sizeof(*w) + count * sizeof(w->threads[0]));
	if ((*out = w) == NULL)
		return error_set(err, "out of memory");
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->wake, NULL);
	w->last = &w->first;
	for (; w->count < count; w->count++)
		if (thread_start(&w->threads[w->count], work, w) == -1)
			return error_set(err, "cannot start a thread");
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
		pthread_cond_signal(&w->wake);
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
	pthread_cond_broadcast(&w->wake);
	pthread_mutex_unlock(&w->lock);
	while (call != NULL) {
		struct call *next = call->next;

		loop_resume(call->http->loop, call);
		call = next;
	}
	for (unsigned i = 0; i < w->count; i++)
		pthread_join(w->threads[i], NULL);
	w->count = 0;
}

void
workers_free(struct workers *w)
{
	if (w == NULL)
		return;
	workers_halt(w);
	pthread_cond_destroy(&w->wake);
	pthread_mutex_destroy(&w->lock);
	free(w);
}
