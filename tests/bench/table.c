/* 80 columns. */
#include <openssl/crypto.h>
#include <stdio.h>
#include <unistd.h>

#include "bench/bench.h"

/* "   123  1.05": a figure in some unit, and as a multiple. */
static void
print_figure(struct figure *f, double part, double unit, int decimals)
{
	double x = samples_quantile(&f->relative, part);

	printf(" %8.*f %6.*f", decimals,
	    samples_quantile(&f->absolute, part) * unit,
	    x < 10	? 2 :
		x < 100 ? 1 :
			  0,
	    x);
}

static void
print_enrolments(struct results *r)
{
	double floor = samples_median(&r->floor);

	printf("%-11s %7s %6s %8s %6s %8s %6s %8s %6s %5s\n", "PKCSReq",
	    "per s", "x", "CPU us", "x", "p50 ms", "x", "p99 ms", "x", "wrong");
	for (size_t i = 0; i < ROWS; i++) {
		struct row_figures *f = &r->rows[i];

		printf("%-10s", rows[i].name);
		print_figure(&f->rate, 0.5, 1, 0);
		print_figure(&f->cpu, 0.5, 1e6, 0);
		print_figure(&f->latency, 0.5, 1e3, 2);
		print_figure(&f->latency, 0.99, 1e3, 2);
		printf(" %5zu\n", f->wrong);
	}
	printf("x: against the 3 private and 3 public RSA-2048 operations of "
	       "an enrolment,\n"
	       "%.0f us or %.0f a second of one core. Every answer was "
	       "verified and decrypted;\n"
	       "serial numbers that came twice: %zu.\n\n",
	    floor * 1e6, 1 / floor, r->duplicates);
}

static void
print_caps(struct results *r)
{
	printf("%-26s %7s %6s %8s %6s %5s\n", "GetCACaps c=64", "per s", "x",
	    "CPU us", "x", "wrong");
	printf("%-25s", "mockndes");
	print_figure(&r->caps_rate, 0.5, 1, 0);
	print_figure(&r->caps_cpu, 0.5, 1e6, 1);
	printf(" %5zu\n%-25s", r->caps_wrong, "a bare epoll loop");
	print_figure(&r->echo_rate, 0.5, 1, 0);
	print_figure(&r->echo_cpu, 0.5, 1e6, 1);
	printf("\nx: against the epoll loop, which only reads, and sends the "
	       "same octets.\n\n");
}

static void
print_starts(struct results *r)
{
	printf("%-26s %7s %6s\n", "From exec to first answer", "ms", "x");
	printf("%-25s", "mockndes --keys");
	print_figure(&r->start, 0.5, 1e3, 1);
	printf("\n%-25s", "mockndes, making keys");
	print_figure(&r->start_without_keys, 0.5, 1e3, 1);
	printf("\n%-25s", "openssl version");
	print_figure(&r->openssl, 0.5, 1e3, 1);
	printf("\nx: against `openssl version`, from exec to its end.\n\n");
}

static void
print_memory(struct results *r)
{
	char text[64];

	printf("%-42s %7s\n", "Resident memory", "KiB");
	printf("%-42s %7ld\n", "at start", r->rss_start);
	printf("%-42s %7ld\n", "after enrolling, 64 connections still open",
	    r->rss_end);
	snprintf(text, sizeof(text), "each of %zu idle connections",
	    r->idle_count);
	printf("%-42s %7.1f\n", text, r->idle_kib);
	printf("%-42s %7.1f\n\n", "the same, after an answer each",
	    r->answered_kib);
}

static void
print_held(struct results *r)
{
	char text[64];

	snprintf(text, sizeof(text), "%zu held connections", r->held_count);
	printf("%-41s %8s %6s\n", text, "", "x");
	printf("%-41s", "PKCSReq POST c=8 beside them, per s");
	print_figure(&r->held_rate, 0.5, 1, 0);
	printf(" %5zu wrong\n%-41s %8.1f\n", r->held_wrong,
	    "resident memory of each, KiB", r->held_kib);
	printf("%-41s %8.1f\n", "one leaves: until that is noticed, ms",
	    samples_median(&r->noticed) * 1e3);
	printf("%-41s %8.1f\n", "all leave: until all are released, ms",
	    samples_median(&r->released) * 1e3);
	printf("%-41s %8.1f\n", "all are there: SIGTERM to exit, ms",
	    samples_median(&r->stopped) * 1e3);
	printf("x: against the rate without them, by turns. Half of them hang, "
	       "half get an\noctet a second.\n\n");
}

static void
print_journal(struct results *r)
{
	/* What disturbs only ever adds. */
	double with = samples_quantile(&r->journal.with, 0),
	       without = samples_quantile(&r->journal.without, 0);

	printf("%-41s %8s %6s\n", "PKCSReq POST c=8", "CPU us", "x");
	printf("%-41s %8.0f %6.3f %5zu wrong\n", "with a journal of 256",
	    with * 1e6, with / without, r->journal.wrong);
	printf("%-41s %8.0f %6.3f\n", "without a journal", without * 1e6, 1.0);
	printf("x: against the server without one, by turns; of each the "
	       "least of all rounds.\nIt is meant to be 1.05 at most.\n\n");
}

void
table_print(struct results *r)
{
	printf("mockndes on this machine: %ld CPUs, %s\n\n",
	    sysconf(_SC_NPROCESSORS_ONLN), OpenSSL_version(OPENSSL_VERSION));
	print_enrolments(r);
	print_caps(r);
	print_starts(r);
	print_memory(r);
	print_held(r);
	print_journal(r);
	printf("Only ratios (x) can be held against those of another "
	       "machine.\n");
	printf("Meanwhile other processes took %.0f %% of its CPUs%s\n",
	    r->others * 100,
	    r->others < 0.1 ? "." : ": do it again on an idle one.");
}
