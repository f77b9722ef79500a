/*
 * What the server costs on this machine: speed, CPU, memory, start. Not a
 * test: `./dev bench` builds and runs it. Whatever hinders it ends it, and
 * every process that it started.
 */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <netinet/in.h>
#include <sys/types.h>
#include <time.h>

#include "base/blob.h"
#include "support/device.h"
#include "support/files.h"

/* Says why on standard error, and exits. */
_Noreturn void die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* samples.c: numbers, and what is in the middle of them. */
struct samples {
	double *at;
	size_t count, cap;
};
void samples_add(struct samples *, double);
/* The one with `part` of them (0 to 1) below it; 0 if there are none. */
double samples_quantile(struct samples *, double part);
double samples_median(struct samples *);
void samples_free(struct samples *);
/* Seconds by a clock. */
double seconds(clockid_t);

/* process.c: children, and what they use. */
struct process {
	pid_t pid;
	int out;	 /* our end of its standard output; -1: none */
	clockid_t clock; /* its CPU time, that of all threads */
};
/* Looks argv[0] up in PATH. */
void process_start(struct process *, const char *const argv[]);
/* Waits for its end, which must be a success. */
void process_finish(struct process *);
long process_rss_kib(const struct process *);
/* Seconds of CPU that all processes of this machine, and ours, have used. */
void machine_cpu(double *all, double *ours);

/* A server on a free port. */
struct mock {
	struct process process;
	struct sockaddr_in at;
	char url[64]; /* of mscep.dll */
};
#define MOCK_CHALLENGE "bench"
/* Returns when it is ready; keys: a key set, flags: NULL ended; or NULL. */
#define MOCK_FLAGS_MAX 4
void mock_start(struct mock *, const char *program, const char *keys,
    const char *const *flags);
void mock_stop(struct mock *);

/* floor.c: the least that there is to do. */
struct rsa_floor;
struct rsa_floor *rsa_floor_new(void);
void rsa_floor_free(struct rsa_floor *);
/*
 * Seconds of CPU for the RSA of one enrolment and nothing else: 3 private
 * and 3 public operations with keys of 2048 bits.
 */
double rsa_floor_measure(struct rsa_floor *);
/* Starts a process that says `answer` whenever it reads something. */
void echo_start(struct process *, struct sockaddr_in *at, struct span answer);
void echo_stop(struct process *);

/* load.c: keep-alive connections that ask, each one thing at a time. */
struct load;
struct load *load_open(const struct sockaddr_in *, size_t connections);
void load_close(struct load *);

struct errand {
	const struct buffer *requests; /* asked in turn */
	size_t count;
	double seconds; /* round and round for so long; 0: each once */
	/* An answer with status 200; false: it is wrong. */
	bool (*answered)(void *cls, size_t nth, struct span whole,
	    struct span body);
	void *cls;
};
struct outcome {
	size_t asked, wrong;	  /* wrong: any other status, no answer */
	double seconds;		  /* from the first question on */
	struct samples latencies; /* in seconds; only when each once */
};
/* The caller frees the latencies. */
void load_run(struct load *, const struct errand *, struct outcome *);

/* enrol.c: PKCSReq messages, and whether their answers are right. */
struct clients;
/* As many keys as make a difference; asks the server for its certificates. */
struct clients *clients_new(const struct mock *);
void clients_free(struct clients *);

struct batch {
	size_t count;
	struct device_message *messages;
	struct buffer *requests; /* the octets of HTTP */
	struct buffer *answers;	 /* CertReps; empty: none */
};
void batch_bake(struct batch *, const struct clients *, const struct mock *,
    bool get, size_t count);
void batch_free(struct batch *);
/* For struct errand: an answer is looked at later, when no clock runs. */
bool batch_keep(void *answers, size_t nth, struct span whole, struct span body);
/*
 * Opens every answer as its device would. How many are not what was asked
 * for; the serial numbers of the others are kept.
 */
size_t batch_check(const struct batch *, struct clients *);
/* How many certificates of all batches bear a serial number of another. */
size_t clients_duplicates(struct clients *);

/* held.c: clients that hang, or get an octet a second. */
extern const char held_scenario[];
struct crowd;
/* Returns when the server holds them all. */
struct crowd *crowd_come(const struct mock *, size_t count);
/* Some leave: seconds until the server has closed as many descriptors. */
double crowd_shrink(struct crowd *, size_t to);
void crowd_free(struct crowd *);

/* journal.c: what it costs to keep what happened. */
struct journal_cost {
	struct samples with, without; /* seconds of CPU for an enrolment */
	size_t wrong;
};
void journal_measure(const char *program, const char *keys,
    struct journal_cost *);

/* main.c: what is measured, and what was found. */
#define ROWS 4
extern const struct row {
	const char *name;
	size_t connections;
	bool get;
	size_t share; /* enrolments a round */
} rows[ROWS];

/* As it is, and as a multiple of what it is held against. */
struct figure {
	struct samples absolute, relative;
};

struct results {
	struct samples floor; /* seconds, as all times here */
	struct row_figures {
		struct figure rate, cpu, latency;
		size_t wrong;
	} rows[ROWS];
	size_t duplicates; /* serial numbers */
	struct figure caps_rate, caps_cpu, echo_rate, echo_cpu;
	size_t caps_wrong;
	struct figure openssl, start, start_without_keys;
	long rss_start, rss_end; /* KiB */
	size_t idle_count;
	double idle_kib, answered_kib; /* for each connection */
	size_t held_count, held_wrong;
	struct figure held_rate; /* against that without them */
	double held_kib;	 /* for each */
	struct samples noticed, released, stopped; /* seconds */
	struct journal_cost journal;
	double others; /* part of the CPUs that was not ours */
};

/* table.c */
void table_print(struct results *);

#endif
