/*
 * The listeners, on one epoll thread. New ones may come while running; each
 * connection is handed to the loop, or told that there is no room.
 */
#include "http/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define BACKLOG 1024
#define EVENTS 16
#define LINGERING_MAX 16 /* of those refused, at one time */
#define BATCH 64	 /* accepted from one listener in a row */

struct listener {
	int fd;
	const struct http_service *service;
	struct listener *next;
};

struct acceptor {
	struct http *http;
	int epoll, wake;
	pthread_t thread;
	bool running;
	pthread_mutex_t lock;
	struct listener *listeners;
};

/* Nothing of the client has been read: it gets the refusal, then a close. */
static void
refuse(struct http *http, int fd, const struct connection *conn)
{
	struct call *call = call_new(http, conn);
	struct blob bytes;

	if (call == NULL) {
		close(fd);
		return;
	}
	call_activate(call);
	conn->service->refuse(conn->service->cls, &call->exchange,
	    HTTP_REFUSED_LIMIT);
	if (render_reply(&call->exchange, &bytes) == -1) {
		call_finish(call, ENDED_CUT);
		close(fd);
		return;
	}
	/* Those told to go still linger: they too need a bound. */
	if (atomic_load(&http->connections) <
	    http->connection_limit + LINGERING_MAX)
		held_send(http->held, fd, bytes, call);
	else
		held_send_once(fd, bytes, call);
}

static void
hand_over(struct http *http, struct listener *l, int fd,
    const struct endpoint *source)
{
	struct connection *conn = calloc(1, sizeof(*conn));
	socklen_t len = sizeof(conn->local.address);

	if (conn == NULL) {
		close(fd);
		return;
	}
	conn->service = l->service;
	conn->limits = l->service->limits(l->service->cls);
	conn->fd = fd;
	conn->source = *source;
	getsockname(fd, &conn->local.address.any, &len);
	if (atomic_load(&http->connections) >= http->connection_limit) {
		refuse(http, fd, conn);
		free(conn);
		return;
	}
	atomic_fetch_add(&http->connections, 1);
	loop_add(http->loop, conn);
}

static void
accept_some(struct acceptor *a, struct listener *l)
{
	struct endpoint source;
	socklen_t len;
	int fd;

	for (int i = 0; i < BATCH; i++) {
		memset(&source, 0, sizeof(source));
		len = sizeof(source.address);
		fd = accept4(l->fd, &source.address.any, &len,
		    SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd == -1) {
			/* Out of descriptors: others must close first. */
			if (errno == EMFILE || errno == ENFILE ||
			    errno == ENOMEM || errno == ENOBUFS)
				poll(NULL, 0, 20);
			if (errno != EINTR && errno != ECONNABORTED)
				return;
			continue;
		}
		hand_over(a->http, l, fd, &source);
	}
}

static void *
run(void *cls)
{
	struct acceptor *a = cls;
	struct epoll_event events[EVENTS];

	for (;;) {
		int count = epoll_wait(a->epoll, events, EVENTS, -1);

		for (int i = 0; i < count; i++) {
			if (events[i].data.ptr == NULL)
				return NULL;
			accept_some(a, events[i].data.ptr);
		}
	}
}

int
acceptor_start(struct http *http, struct acceptor **out, struct error *err)
{
	struct epoll_event ev = { .data.ptr = NULL, .events = EPOLLIN };
	struct acceptor *a = calloc(1, sizeof(*a));

	if ((*out = a) == NULL)
		return error_set(err, "out of memory");
	a->http = http;
	pthread_mutex_init(&a->lock, NULL);
	a->epoll = epoll_create1(EPOLL_CLOEXEC);
	a->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (a->epoll == -1 || a->wake == -1 ||
	    epoll_ctl(a->epoll, EPOLL_CTL_ADD, a->wake, &ev) == -1)
		return error_set(err, "cannot start accepting: %s",
		    strerror(errno));
	return 0;
}

int
acceptor_run(struct acceptor *a, struct error *err)
{
	if (thread_start(&a->thread, run, a) == -1)
		return error_set(err, "cannot start a thread");
	a->running = true;
	return 0;
}

static int
open_socket(const struct endpoint *at, struct endpoint *bound,
    struct error *err)
{
	socklen_t size = at->address.any.sa_family == AF_INET ?
	    sizeof(at->address.v4) :
	    sizeof(at->address.v6);
	char text[ENDPOINT_TEXT_SIZE];
	int fd, on = 1;

	fd = socket(at->address.any.sa_family,
	    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return error_set(err, "cannot open a socket: %s",
		    strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, &at->address.any, size) == -1 ||
	    listen(fd, BACKLOG) == -1) {
		error_set(err, "cannot listen on %s port %u: %s",
		    endpoint_text(at, text), endpoint_port(at),
		    strerror(errno));
		close(fd);
		return -1;
	}
	/* `at` may be `bound`. */
	memset(bound, 0, sizeof(*bound));
	size = sizeof(bound->address);
	getsockname(fd, &bound->address.any, &size);
	return fd;
}

int
acceptor_listen(struct acceptor *a, const struct endpoint *at,
    const struct http_service *service, struct endpoint *bound,
    struct error *err)
{
	struct epoll_event ev = { .events = EPOLLIN };
	struct listener *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return error_set(err, "out of memory");
	l->service = service;
	if ((l->fd = open_socket(at, bound, err)) == -1) {
		free(l);
		return -1;
	}
	ev.data.ptr = l;
	if (epoll_ctl(a->epoll, EPOLL_CTL_ADD, l->fd, &ev) == -1) {
		close(l->fd);
		free(l);
		return error_set(err, "cannot watch a listener: %s",
		    strerror(errno));
	}
	pthread_mutex_lock(&a->lock);
	l->next = a->listeners;
	a->listeners = l;
	pthread_mutex_unlock(&a->lock);
	return 0;
}

void
acceptor_stop(struct acceptor *a)
{
	struct listener *l;
	uint64_t one = 1;

	if (a == NULL)
		return;
	if (a->running && write(a->wake, &one, sizeof(one)) != -1)
		pthread_join(a->thread, NULL);
	while ((l = a->listeners) != NULL) {
		a->listeners = l->next;
		close(l->fd);
		free(l);
	}
	if (a->epoll != -1)
		close(a->epoll);
	if (a->wake != -1)
		close(a->wake);
	pthread_mutex_destroy(&a->lock);
	free(a);
}
