#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/bench.h"

#define PATIENCE_MS 10000 /* without any answer */
#define EVENTS 64

struct client {
	int fd; /* -1: it was lost */
	bool waits;
	size_t nth; /* the request that it waits for */
	double since;
	struct buffer in;
};

struct load {
	int epoll;
	size_t count;
	struct client clients[];
};

struct run {
	const struct errand *errand;
	struct outcome *outcome;
	double start, end;
	size_t waiting;
};

static int
open_socket(const struct sockaddr_in *to)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	if (fd == -1 ||
	    connect(fd, (const struct sockaddr *)to, sizeof(*to)) == -1)
		die("cannot connect: %s", strerror(errno));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

struct load *
load_open(const struct sockaddr_in *to, size_t connections)
{
	struct load *l = calloc(1,
	    sizeof(*l) + connections * sizeof(l->clients[0]));
	struct epoll_event ev = { .events = EPOLLIN };

	if (l == NULL || (l->epoll = epoll_create1(EPOLL_CLOEXEC)) == -1)
		die("no epoll: %s", strerror(errno));
	for (; l->count < connections; l->count++) {
		struct client *c = &l->clients[l->count];

		c->fd = open_socket(to);
		ev.data.ptr = c;
		if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &ev) == -1)
			die("epoll: %s", strerror(errno));
	}
	return l;
}

void
load_close(struct load *l)
{
	for (size_t i = 0; i < l->count; i++) {
		if (l->clients[i].fd != -1)
			close(l->clients[i].fd);
		buffer_free(&l->clients[i].in);
	}
	close(l->epoll);
	free(l);
}

/* The request that it waits for has no good answer, nor will the next. */
static void
lose(struct run *run, struct client *c)
{
	run->outcome->wrong++;
	run->waiting--;
	close(c->fd);
	c->fd = -1;
}

/* The next request, if there is one. */
static void
ask(struct run *run, struct client *c)
{
	const struct errand *e = run->errand;
	const struct buffer *request;

	c->waits = false;
	c->since = seconds(CLOCK_MONOTONIC);
	if (e->seconds > 0 ? c->since >= run->start + e->seconds :
			     run->outcome->asked == e->count)
		return;
	c->nth = run->outcome->asked++ % e->count;
	c->waits = true;
	run->waiting++;
	request = &e->requests[c->nth];
	/* A request is smaller than the empty buffer of a socket. */
	if (send(c->fd, request->data, request->len, MSG_NOSIGNAL) !=
	    (ssize_t)request->len)
		lose(run, c);
}

/* The octets of a body, from the head that holds it; -1: not said. */
static long
content_length(const char *head, const char *end)
{
	static const char name[] = "\r\nContent-Length:";

	for (const char *at = head; at != NULL && at < end;
	     at = memchr(at + 1, '\r', (size_t)(end - at)))
		if (strncasecmp(at, name, strlen(name)) == 0)
			return strtol(at + strlen(name), NULL, 10);
	return -1;
}

/* Octets of the whole answer; 0: it is not all there; -1: not HTTP. */
static long
find_answer(const struct buffer *in, int *status, struct span *body)
{
	static const char version[] = "HTTP/1.1 ";
	const char *text = (const char *)in->data, *end;
	long len, head;

	if ((end = memmem(text, in->len, "\r\n\r\n", 4)) == NULL)
		return 0;
	head = end + 4 - text;
	len = content_length(text, end);
	if (len < 0 || strncmp(text, version, strlen(version)) != 0)
		return -1;
	*status = (int)strtol(text + strlen(version), NULL, 10);
	*body = span_of(text + head, (size_t)len);
	return (size_t)(head + len) > in->len ? 0 : head + len;
}

static void
judge(struct run *run, struct client *c, int status, struct span whole,
    struct span body)
{
	const struct errand *e = run->errand;

	if (e->seconds == 0)
		samples_add(&run->outcome->latencies, run->end - c->since);
	if (status != 200 || !e->answered(e->cls, c->nth, whole, body))
		run->outcome->wrong++;
}

static void
on_readable(struct run *run, struct client *c)
{
	char chunk[16384];
	ssize_t got = recv(c->fd, chunk, sizeof(chunk), 0);
	struct span body;
	int status;
	long len;

	if (got > 0)
		buffer_add(&c->in, chunk, (size_t)got);
	/* What nobody asked for is as wrong as an end. */
	len = got <= 0 || !c->waits ? -1 : find_answer(&c->in, &status, &body);
	if (len == -1 || (len > 0 && (size_t)len != c->in.len)) {
		if (!c->waits)
			die("the server spoke, or hung up, unasked");
		lose(run, c);
		return;
	}
	if (len == 0)
		return;
	run->end = seconds(CLOCK_MONOTONIC);
	run->waiting--;
	judge(run, c, status, span_of(c->in.data, (size_t)len), body);
	c->in.len = 0;
	ask(run, c);
}

void
load_run(struct load *l, const struct errand *errand, struct outcome *out)
{
	struct run run = { .errand = errand, .outcome = out };
	struct epoll_event events[EVENTS];

	*out = (struct outcome){ 0 };
	run.start = run.end = seconds(CLOCK_MONOTONIC);
	for (size_t i = 0; i < l->count; i++)
		ask(&run, &l->clients[i]);
	while (run.waiting > 0) {
		int count = epoll_wait(l->epoll, events, EVENTS, PATIENCE_MS);

		if (count == 0)
			die("%zu of %zu connections have waited %d s for an "
			    "answer",
			    run.waiting, l->count, PATIENCE_MS / 1000);
		for (int i = 0; i < count; i++)
			on_readable(&run, events[i].data.ptr);
	}
	/* Those that no connection was left for. */
	if (errand->seconds == 0)
		out->wrong += errand->count - out->asked;
	out->seconds = run.end - run.start;
}
