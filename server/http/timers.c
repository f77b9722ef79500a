/* Timers in a heap, the first to end on top. */
#include "http/inside.h"

#include <stdlib.h>

static void
place(struct timers *t, size_t at, struct timer *timer)
{
	t->heap[at] = timer;
	timer->at = at;
}

static void
move_up(struct timers *t, size_t at)
{
	struct timer *timer = t->heap[at];

	for (; at > 0 && t->heap[(at - 1) / 2]->deadline > timer->deadline;
	     at = (at - 1) / 2)
		place(t, at, t->heap[(at - 1) / 2]);
	place(t, at, timer);
}

static void
move_down(struct timers *t, size_t at)
{
	struct timer *timer = t->heap[at];
	size_t child;

	while ((child = 2 * at + 1) < t->count) {
		if (child + 1 < t->count &&
		    t->heap[child + 1]->deadline < t->heap[child]->deadline)
			child++;
		if (t->heap[child]->deadline >= timer->deadline)
			break;
		place(t, at, t->heap[child]);
		at = child;
	}
	place(t, at, timer);
}

int
timers_add(struct timers *t, struct timer *timer, int64_t deadline)
{
	struct timer **grown;

	if (t->count == t->room) {
		grown = reallocarray(t->heap, t->room * 2 + 16, sizeof(*grown));
		if (grown == NULL)
			return -1;
		t->heap = grown;
		t->room = t->room * 2 + 16;
	}
	timer->deadline = deadline;
	place(t, t->count++, timer);
	move_up(t, timer->at);
	return 0;
}

void
timers_set(struct timers *t, struct timer *timer, int64_t deadline)
{
	timer->deadline = deadline;
	move_up(t, timer->at);
	move_down(t, timer->at);
}

void
timers_remove(struct timers *t, struct timer *timer)
{
	struct timer *last = t->heap[--t->count];

	if (last == timer)
		return;
	place(t, timer->at, last);
	move_up(t, last->at);
	move_down(t, last->at);
}
