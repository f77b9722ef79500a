/*
 * usage: cycles STARTS SITES
 * Starts and stops so many servers, then opens and closes so many sites of one
 * server, and uses each tenth. The second half must not hold more memory than
 * the first: what a cycle leaves behind would be there as often. What the heap
 * cannot tell (glibc's alone counts), a leak checker around this does.
 */
#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "mockndes.h"
#include "support/files.h"
#include "support/web.h"

/* What allocators keep for later, and less than a leak in each cycle. */
#define SLACK_PER_CYCLE 64
#define SLACK (256 << 10)
#define REMEMBERED 5000 /* more than a server does of sites that are gone */

static size_t
heap(void)
{
	return mallinfo2().uordblks;
}

static long
resident_kib(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	long pages = 0;

	if (file == NULL || fscanf(file, "%*s %ld", &pages) != 1)
		pages = 0;
	if (file != NULL)
		fclose(file);
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void
die(const char *what, const char *error)
{
	fprintf(stderr, "cycles: %s: %s\n", what, error);
	exit(1);
}

static struct mockndes *
start(void)
{
	struct mockndes_options options = MOCKNDES_OPTIONS_INIT;
	char keys[FILE_PATH_SIZE], error[MOCKNDES_ERROR_SIZE];
	struct mockndes *m;

	options.keys = path_in_source(keys, "tests/fixtures/keys");
	if (mockndes_start(&options, &m, error) != 0)
		die("start", error);
	return m;
}

static void
ask(const struct mockndes_site *site, const char *operation)
{
	struct web_reply reply;
	char url[1024];

	snprintf(url, sizeof(url), "%s?operation=%s", mockndes_site_url(site),
	    operation);
	if (!web_get(url, &reply) || reply.status != 200)
		die(url, "no answer");
	web_reply_clear(&reply);
}

/* With a request that is told of: an exchange, its entry, its copy. */
static void
use(struct mockndes_site *site, const char *operation)
{
	struct mockndes_request *request;

	ask(site, operation);
	request = mockndes_next_request(site, NULL, 20000);
	if (request == NULL)
		die(operation, "is not in the journal");
	mockndes_request_free(request);
}

static void
cycle_start(struct mockndes *unused, unsigned i)
{
	struct mockndes *m = start();

	(void)unused;
	if (i % 10 == 0)
		use(mockndes_default_site(m), "GetCACert");
	mockndes_stop(m);
}

static void
cycle_site(struct mockndes *m, unsigned i)
{
	struct mockndes_site_options options = MOCKNDES_SITE_OPTIONS_INIT;
	char error[MOCKNDES_ERROR_SIZE];
	struct mockndes_site *site;

	options.port = i % 100 == 0 ? MOCKNDES_ANY_PORT : 0;
	if (mockndes_open_site(m, &options, &site, error) != 0)
		die("open_site", error);
	if (i % 10 == 0)
		use(site, i % 100 == 0 ? "GetCACert" : "GetCACaps");
	mockndes_close_site(site);
}

static bool
run(const char *name, unsigned count, struct mockndes *m,
    void (*cycle)(struct mockndes *, unsigned))
{
	size_t half, end;
	long half_kib;

	for (unsigned i = 0; i < count / 2; i++)
		cycle(m, i);
	half = heap();
	half_kib = resident_kib();
	for (unsigned i = count / 2; i < count; i++)
		cycle(m, i);
	end = heap();
	printf("%u %s: heap %zu octets after half of them, %zu at the end; "
	       "resident %ld and %ld KiB\n",
	    count, name, half, end, half_kib, resident_kib());
	if (end <= half + SLACK + (size_t)count / 2 * SLACK_PER_CYCLE)
		return true;
	fprintf(stderr, "cycles: the %s leave memory behind\n", name);
	return false;
}

int
main(int argc, char **argv)
{
	struct mockndes *m;
	bool good;

	if (argc != 3)
		die("usage", "cycles STARTS SITES");
	web_start();
	good = run("starts", (unsigned)atoi(argv[1]), NULL, cycle_start);
	m = start();
	/* Whose ids it remembers is bounded, and that is reached first. */
	for (unsigned i = 0; heap() != 0 && i < REMEMBERED; i++)
		cycle_site(m, 1);
	if (!run("sites", (unsigned)atoi(argv[2]), m, cycle_site))
		good = false;
	mockndes_stop(m);
	return good ? 0 : 1;
}
