/* The last exchanges of every site, and the bound on all of them together. */
#include "evidence/entry.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define RING_FIRST 8			/* what a ring begins with */
#define WAIT_MAX INT64_C(1000000000000) /* ms, some thirty years */

struct journals {
	struct journals_options options;
	pthread_mutex_t lock;  /* everything below, and all journals */
	struct journal **heap; /* who holds more stands before who holds less */
	size_t count, cap;
	size_t octets, entries;
	uint64_t lost;
};

struct journal {
	struct journals *all;
	size_t place;		     /* in the heap */
	struct journal_entry **ring; /* by their numbers, which may have gaps */
	size_t first, count, cap;
	size_t octets; /* of entries and ring */
	uint64_t last, cleared;
	pthread_cond_t grown;
};

int
journals_new(struct journals **out, const struct journals_options *options,
    struct error *err)
{
	struct journals *all = calloc(1, sizeof(*all));

	if ((*out = all) == NULL)
		return error_set(err, "out of memory");
	all->options = *options;
	if (all->options.entries == 0)
		all->options.entries = JOURNAL_ENTRIES;
	if (all->options.octets == 0)
		all->options.octets = JOURNAL_OCTETS;
	pthread_mutex_init(&all->lock, NULL);
	return 0;
}

void
journals_free(struct journals *all)
{
	if (all == NULL)
		return;
	pthread_mutex_destroy(&all->lock);
	free(all->heap);
	free(all);
}

void
journals_count(struct journals *all, struct journals_count *out)
{
	pthread_mutex_lock(&all->lock);
	*out = (struct journals_count){
		.octets = all->octets,
		.octets_max = all->options.octets,
		.entries = all->entries,
		.lost = all->lost,
	};
	pthread_mutex_unlock(&all->lock);
}

static void
heap_put(struct journals *all, struct journal *j, size_t place)
{
	all->heap[place] = j;
	j->place = place;
}

/* The one of the two below a place that holds more; NULL: none is there. */
static struct journal *
heap_below(const struct journals *all, size_t place)
{
	size_t left = 2 * place + 1;

	if (left >= all->count)
		return NULL;
	return left + 1 < all->count &&
		all->heap[left + 1]->octets > all->heap[left]->octets ?
	    all->heap[left + 1] :
	    all->heap[left];
}

/* What it holds has changed. */
static void
heap_move(struct journals *all, struct journal *j)
{
	struct journal *other;
	size_t place = j->place;

	for (; place > 0; place = (place - 1) / 2) {
		other = all->heap[(place - 1) / 2];
		if (other->octets >= j->octets)
			break;
		heap_put(all, other, place);
	}
	while ((other = heap_below(all, place)) != NULL &&
	    other->octets > j->octets) {
		size_t next = other->place;

		heap_put(all, other, place);
		place = next;
	}
	heap_put(all, j, place);
}

static int
heap_add(struct journals *all, struct journal *j)
{
	size_t cap = all->cap == 0 ? RING_FIRST : 2 * all->cap;
	struct journal **heap;

	if (all->count == all->cap) {
		heap = realloc(all->heap, cap * sizeof(*heap));
		if (heap == NULL)
			return -1;
		all->heap = heap;
		all->cap = cap;
	}
	heap_put(all, j, all->count++);
	heap_move(all, j);
	return 0;
}

static void
heap_remove(struct journals *all, struct journal *j)
{
	struct journal *other = all->heap[--all->count];

	if (other == j)
		return;
	heap_put(all, other, j->place);
	heap_move(all, other);
}

static struct journal_entry *
at(const struct journal *j, size_t i)
{
	return j->ring[(j->first + i) % j->cap];
}

/* It holds so much more than before, or less. */
static void
hold(struct journal *j, size_t more, size_t less)
{
	j->octets += more - less;
	j->all->octets += more - less;
	heap_move(j->all, j);
}

static int
ring_resize(struct journal *j, size_t cap)
{
	struct journal_entry **ring = cap == 0 ? NULL :
						 calloc(cap, sizeof(*ring));

	if (ring == NULL && cap > 0)
		return -1;
	for (size_t i = 0; i < j->count; i++)
		ring[i] = at(j, i);
	free(j->ring);
	hold(j, cap * sizeof(*ring), j->cap * sizeof(*ring));
	j->ring = ring;
	j->first = 0;
	j->cap = cap;
	return 0;
}

/* An empty journal holds nothing, so that it is never asked for its oldest. */
static void
ring_shrink(struct journal *j)
{
	if (j->count == 0)
		ring_resize(j, 0);
	else if (j->cap > RING_FIRST && j->count <= j->cap / 4)
		ring_resize(j, j->cap / 2);
}

static int
ring_add(struct journal *j, struct journal_entry *e)
{
	if (j->count == j->cap &&
	    ring_resize(j, j->cap == 0 ? RING_FIRST : 2 * j->cap) == -1)
		return -1;
	j->ring[(j->first + j->count++) % j->cap] = e;
	j->all->entries++;
	hold(j, e->size, 0);
	return 0;
}

static void
lose_oldest(struct journal *j)
{
	struct journal_entry *e = at(j, 0);

	j->first = (j->first + 1) % j->cap;
	j->count--;
	j->all->entries--;
	j->all->lost++;
	hold(j, 0, e->size);
	ring_shrink(j);
	journal_entry_free(e);
}

int
journal_open(struct journals *all, struct journal **out, struct error *err)
{
	pthread_condattr_t attr;
	struct journal *j;
	int ret;

	*out = NULL;
	if (all->options.entries == JOURNAL_NONE)
		return 0;
	if ((j = calloc(1, sizeof(*j))) == NULL)
		return error_set(err, "out of memory");
	j->all = all;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&j->grown, &attr);
	pthread_condattr_destroy(&attr);
	pthread_mutex_lock(&all->lock);
	ret = heap_add(all, j);
	pthread_mutex_unlock(&all->lock);
	if (ret == 0) {
		*out = j;
		return 0;
	}
	pthread_cond_destroy(&j->grown);
	free(j);
	return error_set(err, "out of memory");
}

/* Takes all that it has; the ring is freed by who gets it. */
static void
detach(struct journal *j, struct journal *out)
{
	*out = *j;
	j->all->entries -= j->count;
	hold(j, 0, j->octets);
	j->ring = NULL;
	j->first = j->count = j->cap = 0;
	j->cleared = j->last;
}

static void
free_entries(struct journal *detached)
{
	for (size_t i = 0; i < detached->count; i++)
		journal_entry_free(at(detached, i));
	free(detached->ring);
}

void
journal_clear(struct journal *j)
{
	struct journal detached;

	if (j == NULL)
		return;
	pthread_mutex_lock(&j->all->lock);
	detach(j, &detached);
	pthread_mutex_unlock(&j->all->lock);
	free_entries(&detached);
}

void
journal_close(struct journal *j)
{
	if (j == NULL)
		return;
	journal_clear(j);
	pthread_mutex_lock(&j->all->lock);
	heap_remove(j->all, j);
	pthread_mutex_unlock(&j->all->lock);
	pthread_cond_destroy(&j->grown);
	free(j);
}

void
journal_add(struct journal *j, const struct exchange *ex)
{
	struct journals *all;
	struct journal_entry *e;

	if (j == NULL)
		return;
	all = j->all;
	e = entry_new(ex, all->options.octets);
	pthread_mutex_lock(&all->lock);
	j->last++;
	if (e != NULL) {
		e->seq = j->last;
		if (j->count == all->options.entries)
			lose_oldest(j);
	}
	if (e == NULL || ring_add(j, e) == -1) {
		all->lost++;
		journal_entry_free(e);
	}
	while (all->octets > all->options.octets)
		lose_oldest(all->heap[0]);
	pthread_cond_broadcast(&j->grown);
	pthread_mutex_unlock(&all->lock);
	if (all->options.grown != NULL)
		all->options.grown(all->options.cls, j);
}

/* The first one behind this number: its place, or the count. */
static size_t
first_after(const struct journal *j, uint64_t since)
{
	size_t low = 0, high = j->count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (at(j, middle)->seq > since)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/* Under the lock. */
static struct journal_entry *
find(const struct journal *j, uint64_t since, const struct journal_filter *f)
{
	for (size_t i = first_after(j, since); i < j->count; i++)
		if (entry_matches(at(j, i), f))
			return journal_entry_ref(at(j, i));
	return NULL;
}

struct journal_entry *
journal_find(struct journal *j, uint64_t since, const struct journal_filter *f)
{
	struct journal_entry *e;

	if (j == NULL)
		return NULL;
	pthread_mutex_lock(&j->all->lock);
	e = find(j, since, f);
	pthread_mutex_unlock(&j->all->lock);
	return e;
}

/* Under the lock. */
static uint64_t
lost_since(const struct journal *j, uint64_t since)
{
	if (since < j->cleared)
		since = j->cleared;
	return since >= j->last ?
	    0 :
	    j->last - since - (j->count - first_after(j, since));
}

struct journal_entry *
journal_next(struct journal *j, uint64_t *since, const struct journal_filter *f,
    uint64_t *lost)
{
	struct journal_entry *e;

	if (j == NULL)
		return NULL;
	/* Under one lock: what goes between two looks would not be counted. */
	pthread_mutex_lock(&j->all->lock);
	*lost += lost_since(j, *since);
	e = find(j, *since, f);
	if (e != NULL)
		*since = e->seq;
	else if (*since < j->last)
		*since = j->last;
	pthread_mutex_unlock(&j->all->lock);
	return e;
}

static struct timespec
deadline(int64_t ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	ms = ms < 0 ? 0 : ms > WAIT_MAX ? WAIT_MAX : ms;
	ms += t.tv_nsec / 1000000;
	t.tv_sec += (time_t)(ms / 1000);
	t.tv_nsec = t.tv_nsec % 1000000 + ms % 1000 * 1000000;
	return t;
}

struct journal_entry *
journal_wait(struct journal *j, uint64_t since, const struct journal_filter *f,
    int64_t ms)
{
	const struct timespec until = deadline(ms);
	struct journal_entry *e;
	int over = 0;

	if (j == NULL)
		return NULL;
	pthread_mutex_lock(&j->all->lock);
	while ((e = find(j, since, f)) == NULL && over == 0) {
		/* Not those again that have been looked at. */
		if (since < j->last)
			since = j->last;
		over = pthread_cond_timedwait(&j->grown, &j->all->lock, &until);
	}
	pthread_mutex_unlock(&j->all->lock);
	return e;
}

uint64_t
journal_last(struct journal *j)
{
	uint64_t last;

	if (j == NULL)
		return 0;
	pthread_mutex_lock(&j->all->lock);
	last = j->last;
	pthread_mutex_unlock(&j->all->lock);
	return last;
}

uint64_t
journal_lost(struct journal *j, uint64_t since)
{
	uint64_t lost;

	if (j == NULL)
		return 0;
	pthread_mutex_lock(&j->all->lock);
	lost = lost_since(j, since);
	pthread_mutex_unlock(&j->all->lock);
	return lost;
}

size_t
journal_count(struct journal *j, const struct journal_filter *f)
{
	size_t count = 0;

	if (j == NULL)
		return 0;
	pthread_mutex_lock(&j->all->lock);
	for (size_t i = 0; i < j->count; i++)
		count += entry_matches(at(j, i), f);
	pthread_mutex_unlock(&j->all->lock);
	return count;
}
