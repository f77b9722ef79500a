#include <stdlib.h>

#include "bench/bench.h"

#define JOURNAL_ROUNDS 11
#define JOURNAL_SHARE 150 /* enrolments a round */
#define JOURNAL_CLIENTS 8

/* A server with a journal, or one without. */
struct side {
	const char *entries;
	struct mock mock;
	struct clients *clients;
	struct batch batch;
};

static void
side_start(struct side *s, const char *program, const char *keys)
{
	const char *const flags[] = { "--journal", s->entries, NULL };

	mock_start(&s->mock, program, keys, flags);
	s->clients = clients_new(&s->mock);
	batch_bake(&s->batch, s->clients, &s->mock, false,
	    JOURNAL_ROUNDS * JOURNAL_SHARE);
}

/* How many answers were wrong. */
static size_t
side_stop(struct side *s)
{
	size_t wrong;

	mock_stop(&s->mock);
	wrong = batch_check(&s->batch, s->clients) +
	    clients_duplicates(s->clients);
	batch_free(&s->batch);
	clients_free(s->clients);
	return wrong;
}

/* Seconds of CPU for one enrolment. */
static double
side_enrol(struct side *s, size_t round)
{
	const struct errand errand = {
		.requests = s->batch.requests + round * JOURNAL_SHARE,
		.count = JOURNAL_SHARE,
		.answered = batch_keep,
		.cls = s->batch.answers + round * JOURNAL_SHARE,
	};
	struct load *load = load_open(&s->mock.at, JOURNAL_CLIENTS);
	double cpu = seconds(s->mock.process.clock);
	struct outcome out;

	load_run(load, &errand, &out);
	cpu = seconds(s->mock.process.clock) - cpu;
	load_close(load);
	samples_free(&out.latencies);
	return cpu / JOURNAL_SHARE;
}

void
journal_measure(const char *program, const char *keys, struct journal_cost *out)
{
	struct side with = { .entries = "256" }, without = { .entries = "0" };

	side_start(&with, program, keys);
	side_start(&without, program, keys);
	for (size_t round = 0; round < JOURNAL_ROUNDS; round++) {
		samples_add(&out->with, side_enrol(&with, round));
		samples_add(&out->without, side_enrol(&without, round));
	}
	out->wrong = side_stop(&with) + side_stop(&without);
}
