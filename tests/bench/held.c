#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/bench.h"

#define PATIENCE 20.0 /* seconds, for a server to notice */

const char held_scenario[] =
    "mockndes: 1\n"
    "name: held\n"
    "faults:\n"
    "- {when: {user_agent: hang}, do: {wire: {hang: forever}}}\n"
    "- {when: {user_agent: drip},"
    " do: {wire: {drip: {octets: 1, every: 1s}}}}\n";

struct crowd {
	const struct process *server;
	size_t base; /* descriptors of the server without them */
	size_t count;
	int fds[];
};

static size_t
count_descriptors(const struct process *p)
{
	char path[64];
	size_t count = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%ld/fd", (long)p->pid);
	if ((dir = opendir(path)) == NULL)
		die("%s cannot be read", path);
	while (readdir(dir) != NULL)
		count++;
	closedir(dir);
	return count;
}

/* Those before may still be on their way out. */
static size_t
count_when_settled(const struct process *p)
{
	size_t before, count = count_descriptors(p);

	do {
		before = count;
		poll(NULL, 0, 50);
		count = count_descriptors(p);
	} while (count != before);
	return count;
}

/* Until the server has so many descriptors; seconds that took. */
static double
wait_for_descriptors(const struct process *p, size_t count)
{
	double start = seconds(CLOCK_MONOTONIC), now = start;

	while (count_descriptors(p) != count) {
		now = seconds(CLOCK_MONOTONIC);
		if (now - start > PATIENCE)
			die("the server has %zu descriptors, not %zu",
			    count_descriptors(p), count);
		poll(NULL, 0, 1);
	}
	return now - start;
}

static int
ask(const struct sockaddr_in *to, const char *agent)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), len;
	char request[256];

	len = snprintf(request, sizeof(request),
	    "GET /certsrv/mscep/mscep.dll?operation=GetCACert HTTP/1.1\r\n"
	    "Host: localhost\r\nUser-Agent: %s\r\n\r\n",
	    agent);
	if (fd == -1 ||
	    connect(fd, (const struct sockaddr *)to, sizeof(*to)) == -1 ||
	    send(fd, request, (size_t)len, MSG_NOSIGNAL) != len)
		die("cannot connect: %s", strerror(errno));
	return fd;
}

struct crowd *
crowd_come(const struct mock *mock, size_t count)
{
	struct crowd *c = calloc(1, sizeof(*c) + count * sizeof(c->fds[0]));
	char octet;

	if (c == NULL)
		die("out of memory");
	c->server = &mock->process;
	c->base = count_when_settled(c->server);
	for (; c->count < count; c->count++)
		c->fds[c->count] = ask(&mock->at,
		    c->count % 2 == 0 ? "hang" : "drip");
	/* When the last one has an octet, all have been read. */
	if (recv(c->fds[count - 1], &octet, 1, 0) != 1)
		die("nothing drips");
	wait_for_descriptors(c->server, c->base + count);
	return c;
}

double
crowd_shrink(struct crowd *c, size_t to)
{
	while (c->count > to)
		close(c->fds[--c->count]);
	return wait_for_descriptors(c->server, c->base + to);
}

void
crowd_free(struct crowd *c)
{
	while (c->count > 0)
		close(c->fds[--c->count]);
	free(c);
}
