/*
 * What is measured, in which order. What is compared is measured by turns, so
 * that both see the same machine, whose speed may change by half in a minute.
 */
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench/bench.h"

#define LIMIT_SECONDS 600 /* something hangs */
#define ROUNDS 7
#define CAPS_CONNECTIONS 64
#define CAPS_SECONDS 0.4
#define IDLE_CONNECTIONS 2000
#define HELD_CONNECTIONS 5000
#define HELD_ROUNDS 9
#define HELD_SHARE 300 /* enrolments a round, with and without */
#define HELD_CLIENTS 8
#define STARTS 20
#define STARTS_WITHOUT_KEYS 5
#define CAPS_TARGET "/certsrv/mscep/mscep.dll?operation=GetCACaps"

const struct row rows[ROWS] = {
	{ "POST  c=1", 1, false, 120 },
	{ "POST  c=8", 8, false, 200 },
	{ "GET   c=8", 8, true, 120 },
	{ "POST  c=64", 64, false, 320 },
};

static struct bench {
	const char *program;
	char dir[FILE_PATH_SIZE], keys[FILE_PATH_SIZE];
	struct rsa_floor *rsa;
	struct batch batches[ROWS];
	struct buffer caps_request, caps_answer;
	struct results found;
} bench;

void
die(const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "bench: ");
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\n");
	exit(2);
}

static void
figure_add(struct figure *f, double absolute, double unit)
{
	samples_add(&f->absolute, absolute);
	samples_add(&f->relative, absolute / unit);
}

static void
figure_free(struct figure *f)
{
	samples_free(&f->absolute);
	samples_free(&f->relative);
}

static void
measure_row(size_t nth, size_t round, const struct mock *mock)
{
	struct row_figures *f = &bench.found.rows[nth];
	struct batch *batch = &bench.batches[nth];
	size_t share = rows[nth].share;
	const struct errand errand = {
		.requests = batch->requests + round * share,
		.count = share,
		.answered = batch_keep,
		.cls = batch->answers + round * share,
	};
	struct load *load = load_open(&mock->at, rows[nth].connections);
	double before = rsa_floor_measure(bench.rsa), cpu, after, floor;
	struct outcome out;

	cpu = seconds(mock->process.clock);
	load_run(load, &errand, &out);
	cpu = seconds(mock->process.clock) - cpu;
	/* The last row has the most connections. */
	bench.found.rss_end = process_rss_kib(&mock->process);
	load_close(load);
	after = rsa_floor_measure(bench.rsa);
	floor = (before + after) / 2;
	samples_add(&bench.found.floor, floor);
	figure_add(&f->rate, (double)share / out.seconds, 1 / floor);
	figure_add(&f->cpu, cpu / (double)share, floor);
	for (size_t i = 0; i < out.latencies.count; i++)
		figure_add(&f->latency, out.latencies.at[i], floor);
	samples_free(&out.latencies);
}

static void
measure_enrolments(void)
{
	struct clients *clients;
	struct mock mock;

	mock_start(&mock, bench.program, bench.keys, NULL);
	bench.found.rss_start = process_rss_kib(&mock.process);
	clients = clients_new(&mock);
	for (size_t i = 0; i < ROWS; i++)
		batch_bake(&bench.batches[i], clients, &mock, rows[i].get,
		    ROUNDS * rows[i].share);
	for (size_t round = 0; round < ROUNDS; round++)
		for (size_t i = 0; i < ROWS; i++)
			measure_row(i, round, &mock);
	mock_stop(&mock);
	for (size_t i = 0; i < ROWS; i++) {
		bench.found.rows[i].wrong = batch_check(&bench.batches[i],
		    clients);
		batch_free(&bench.batches[i]);
	}
	bench.found.duplicates = clients_duplicates(clients);
	clients_free(clients);
}

/* All answers must be as the first one. */
static bool
check_caps(void *cls, size_t nth, struct span whole, struct span body)
{
	static const char word[] = "POSTPKIOperation";
	struct buffer *first = cls;

	(void)nth;
	if (first->len == 0 &&
	    memmem(body.data, body.len, word, strlen(word)) != NULL)
		buffer_add_span(first, whole);
	/* The head has a date: only its size is the same. */
	return whole.len == first->len &&
	    memcmp(first->data + first->len - body.len, body.data, body.len) ==
	    0;
}

static void
ask_caps(struct load *load, size_t count, double for_seconds,
    struct outcome *out)
{
	struct buffer *requests = calloc(count, sizeof(requests[0]));
	const struct errand errand = {
		.requests = requests,
		.count = count,
		.seconds = for_seconds,
		.answered = check_caps,
		.cls = &bench.caps_answer,
	};

	if (requests == NULL)
		die("out of memory");
	for (size_t i = 0; i < count; i++)
		requests[i] = bench.caps_request;
	load_run(load, &errand, out);
	samples_free(&out->latencies);
	free(requests);
}

/* GetCACaps from each of some new connections. */
static struct load *
greet(const struct sockaddr_in *at, size_t connections)
{
	struct load *load = load_open(at, connections);
	struct outcome out;

	ask_caps(load, connections, 0, &out);
	if (out.wrong > 0)
		die("GetCACaps has no good answer");
	return load;
}

/* Returns seconds of CPU for one request. */
static double
measure_caps(const struct process *process, const struct sockaddr_in *at,
    double *rate)
{
	struct load *load = greet(at, CAPS_CONNECTIONS);
	double cpu = seconds(process->clock);
	struct outcome out;

	ask_caps(load, 1, CAPS_SECONDS, &out);
	cpu = seconds(process->clock) - cpu;
	load_close(load);
	bench.found.caps_wrong += out.wrong;
	*rate = (double)out.asked / out.seconds;
	return cpu / (double)out.asked;
}

static void
measure_all_caps(void)
{
	struct process echo;
	struct sockaddr_in echo_at;
	struct mock mock;
	double echo_cpu, echo_rate, cpu, rate;

	mock_start(&mock, bench.program, bench.keys, NULL);
	load_close(greet(&mock.at, 1));
	echo_start(&echo, &echo_at, buffer_span(&bench.caps_answer));
	for (int round = 0; round < ROUNDS; round++) {
		echo_cpu = measure_caps(&echo, &echo_at, &echo_rate);
		cpu = measure_caps(&mock.process, &mock.at, &rate);
		figure_add(&bench.found.echo_rate, echo_rate, echo_rate);
		figure_add(&bench.found.echo_cpu, echo_cpu, echo_cpu);
		figure_add(&bench.found.caps_rate, rate, echo_rate);
		figure_add(&bench.found.caps_cpu, cpu, echo_cpu);
	}
	echo_stop(&echo);
	mock_stop(&mock);
}

static size_t
raise_limit(size_t wanted)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	return limit.rlim_cur > 2 * wanted ? wanted : limit.rlim_cur / 2;
}

static void
measure_idle(void)
{
	struct load *idle;
	struct outcome out;
	struct mock mock;
	long before;

	bench.found.idle_count = raise_limit(IDLE_CONNECTIONS);
	mock_start(&mock, bench.program, bench.keys, NULL);
	load_close(greet(&mock.at, 1));
	before = process_rss_kib(&mock.process);
	idle = load_open(&mock.at, bench.found.idle_count);
	/* When the last one is answered, all have been accepted. */
	load_close(greet(&mock.at, 1));
	bench.found.idle_kib = (double)(process_rss_kib(&mock.process) -
				   before) /
	    (double)bench.found.idle_count;
	ask_caps(idle, bench.found.idle_count, 0, &out);
	bench.found.caps_wrong += out.wrong;
	bench.found.answered_kib = (double)(process_rss_kib(&mock.process) -
				       before) /
	    (double)bench.found.idle_count;
	load_close(idle);
	mock_stop(&mock);
}

/* Enrolments a second, of the nth share of the batch. */
static double
enrol_share(const struct mock *mock, struct batch *batch, size_t nth)
{
	const struct errand errand = {
		.requests = batch->requests + nth * HELD_SHARE,
		.count = HELD_SHARE,
		.answered = batch_keep,
		.cls = batch->answers + nth * HELD_SHARE,
	};
	struct load *load = load_open(&mock->at, HELD_CLIENTS);
	struct outcome out;

	load_run(load, &errand, &out);
	load_close(load);
	samples_free(&out.latencies);
	return HELD_SHARE / out.seconds;
}

static void
measure_held_round(const struct mock *mock, struct batch *batch, size_t round)
{
	struct results *r = &bench.found;
	long before = process_rss_kib(&mock->process);
	double without, with;
	struct crowd *crowd;

	without = enrol_share(mock, batch, 2 * round);
	crowd = crowd_come(mock, r->held_count);
	if (round == 0)
		r->held_kib = (double)(process_rss_kib(&mock->process) -
				  before) /
		    (double)r->held_count;
	with = enrol_share(mock, batch, 2 * round + 1);
	figure_add(&r->held_rate, with, without);
	samples_add(&r->noticed, crowd_shrink(crowd, r->held_count - 1));
	samples_add(&r->released, crowd_shrink(crowd, 0));
	crowd_free(crowd);
}

static void
measure_held(void)
{
	struct results *r = &bench.found;
	char scenario[FILE_PATH_SIZE];
	const char *const flags[] = { "--scenario", scenario, NULL };
	struct batch batch = { 0 };
	struct clients *clients;
	struct crowd *crowd;
	struct mock mock;
	double start;

	path_in(scenario, bench.dir, "held.yaml");
	file_write(scenario, held_scenario, strlen(held_scenario));
	r->held_count = raise_limit(HELD_CONNECTIONS);
	mock_start(&mock, bench.program, bench.keys, flags);
	clients = clients_new(&mock);
	batch_bake(&batch, clients, &mock, false, 2 * HELD_ROUNDS * HELD_SHARE);
	for (size_t round = 0; round < HELD_ROUNDS; round++)
		measure_held_round(&mock, &batch, round);
	r->held_wrong = batch_check(&batch, clients) +
	    clients_duplicates(clients);
	batch_free(&batch);
	clients_free(clients);
	crowd = crowd_come(&mock, r->held_count);
	start = seconds(CLOCK_MONOTONIC);
	mock_stop(&mock);
	samples_add(&r->stopped, seconds(CLOCK_MONOTONIC) - start);
	crowd_free(crowd);
}

/* Seconds from exec to the first answer to GetCACaps. */
static double
start_once(const char *keys)
{
	double start = seconds(CLOCK_MONOTONIC), end;
	struct load *load;
	struct mock mock;

	mock_start(&mock, bench.program, keys, NULL);
	load = greet(&mock.at, 1);
	end = seconds(CLOCK_MONOTONIC);
	load_close(load);
	mock_stop(&mock);
	return end - start;
}

static void
measure_starts(void)
{
	static const char *const version[] = { "openssl", "version", NULL };
	struct process p;
	double start, bare;

	for (int i = 0; i < STARTS; i++) {
		start = seconds(CLOCK_MONOTONIC);
		process_start(&p, version);
		process_finish(&p);
		bare = seconds(CLOCK_MONOTONIC) - start;
		figure_add(&bench.found.openssl, bare, bare);
		figure_add(&bench.found.start, start_once(bench.keys), bare);
		if (i < STARTS_WITHOUT_KEYS)
			figure_add(&bench.found.start_without_keys,
			    start_once(NULL), bare);
	}
}

static void
remove_dir(void)
{
	dir_remove(bench.dir);
}

/* Not exit(): other threads still use what its handlers take apart. */
static void *
wait_for_signal(void *cls)
{
	int sig;

	if (sigwait(cls, &sig) != 0)
		return NULL;
	fprintf(stderr, "bench: %s\n",
	    sig == SIGALRM ? "it takes too long" : "interrupted");
	remove_dir();
	_exit(2);
}

static void
prepare(const char *program)
{
	const char *const make_keys[] = { program, "keys", "--out", bench.keys,
		NULL };
	static sigset_t signals;
	struct process p;
	pthread_t thread;

	sigemptyset(&signals);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGALRM);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	alarm(LIMIT_SECONDS);
	dir_make(bench.dir);
	if (atexit(remove_dir) != 0 ||
	    pthread_create(&thread, NULL, wait_for_signal, &signals) != 0)
		die("cannot prepare to end");
	bench.program = program;
	path_in(bench.keys, bench.dir, "keys");
	process_start(&p, make_keys);
	process_finish(&p);
	bench.rsa = rsa_floor_new();
	buffer_add_text(&bench.caps_request,
	    "GET " CAPS_TARGET " HTTP/1.1\r\nHost: localhost\r\n\r\n");
}

static size_t
finish(void)
{
	size_t wrong = bench.found.caps_wrong + bench.found.duplicates +
	    bench.found.held_wrong + bench.found.journal.wrong;

	for (size_t i = 0; i < ROWS; i++) {
		wrong += bench.found.rows[i].wrong;
		figure_free(&bench.found.rows[i].rate);
		figure_free(&bench.found.rows[i].cpu);
		figure_free(&bench.found.rows[i].latency);
	}
	figure_free(&bench.found.caps_rate);
	figure_free(&bench.found.caps_cpu);
	figure_free(&bench.found.echo_rate);
	figure_free(&bench.found.echo_cpu);
	figure_free(&bench.found.openssl);
	figure_free(&bench.found.start);
	figure_free(&bench.found.start_without_keys);
	figure_free(&bench.found.held_rate);
	samples_free(&bench.found.journal.with);
	samples_free(&bench.found.journal.without);
	samples_free(&bench.found.noticed);
	samples_free(&bench.found.released);
	samples_free(&bench.found.stopped);
	samples_free(&bench.found.floor);
	buffer_free(&bench.caps_request);
	buffer_free(&bench.caps_answer);
	rsa_floor_free(bench.rsa);
	return wrong;
}

int
main(int argc, char **argv)
{
	double start, all_before, ours_before, all, ours, others;

	if (argc != 2) {
		fprintf(stderr, "usage: bench MOCKNDES\n");
		return 2;
	}
	fprintf(stderr, "bench: measuring, which takes some two minutes\n");
	prepare(argv[1]);
	start = seconds(CLOCK_MONOTONIC);
	machine_cpu(&all_before, &ours_before);
	measure_starts();
	measure_enrolments();
	measure_all_caps();
	measure_idle();
	measure_held();
	journal_measure(bench.program, bench.keys, &bench.found.journal);
	machine_cpu(&all, &ours);
	others = (all - all_before - (ours - ours_before)) /
	    (seconds(CLOCK_MONOTONIC) - start) /
	    (double)sysconf(_SC_NPROCESSORS_ONLN);
	bench.found.others = others < 0 ? 0 : others;
	table_print(&bench.found);
	return finish() == 0 ? 0 : 1;
}
