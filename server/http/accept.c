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
#define LOOK_MS 100	 /* whether ports are to be closed or opened */

struct acceptor {
	struct http *http;
	int epoll, wake;
	pthread_t thread;
	bool running;
	pthread_mutex_t lock; /* what follows */
	struct listener *listeners;
	struct listener *gone; /* closed; an event may still name them */
	bool may_change;       /* whether some are shut */
	bool stopping;
};

/*
 * Nothing of the client has been read: it gets the refusal, then a close; in
 * TLS it could not read that.
 */
static void
refuse(struct http *http, struct connection *conn)
{
	const struct listener *l = conn->listener;
	struct call *call = call_new(conn);
	struct blob bytes;

	if (call == NULL) {
		connection_free(conn);
		return;
	}
	call_activate(call);
	l->service.refuse(l->service.cls, &call->exchange, HTTP_REFUSED_LIMIT);
	if (l->tls != NULL || call->exchange.reply.status == 0 ||
	    render_reply(&call->exchange, &bytes) == -1) {
		call_finish(call, ENDED_CUT);
		connection_free(conn);
		return;
	}
	/* Those told to go still linger: they too need a bound. */
	if (places_taken(l->places) < l->places->limit + LINGERING_MAX)
		held_send(http->held, conn, bytes, call, false);
	else
		held_send_once(conn, bytes, call);
}

static void
hand_over(struct http *http, struct listener *l, int fd,
    const struct endpoint *source)
{
	struct connection *conn = connection_new(http, l, fd, source);

	if (conn == NULL)
		return;
	if (places_taken(l->places) >= l->places->limit) {
		refuse(http, conn);
		return;
	}
	connection_count(conn);
	if (l->tls != NULL)
		tls_add(http->tls, l->tls, conn);
	else
		loop_add(http->loop, conn);
}

/* -1: errno says why. Under the lock, because the port may be closed. */
static int
accept_one(struct acceptor *a, const struct listener *l,
    struct endpoint *source)
{
	socklen_t len = sizeof(source->address);
	int fd, why = EBADF;

	memset(source, 0, sizeof(*source));
	pthread_mutex_lock(&a->lock);
	fd = l->fd == -1 ? -1 :
			   accept4(l->fd, &source->address.any, &len,
			       SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (l->fd != -1)
		why = errno;
	pthread_mutex_unlock(&a->lock);
	errno = why;
	return fd;
}

static void
accept_some(struct acceptor *a, struct listener *l)
{
	struct endpoint source;
	int fd;

	for (int i = 0; i < BATCH; i++) {
		fd = accept_one(a, l, &source);
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

/*
 * A socket that no longer listens still has its port: connect() is refused, and
 * nobody else gets it. Who waits to be accepted is reset.
 */
static void
shut_port(struct acceptor *a, struct listener *l)
{
	epoll_ctl(a->epoll, EPOLL_CTL_DEL, l->fd, NULL);
	shutdown(l->fd, SHUT_RD);
	l->is_shut = true;
}

static void
open_port(struct acceptor *a, struct listener *l)
{
	struct epoll_event ev = { .data.ptr = l, .events = EPOLLIN };

	if (listen(l->fd, BACKLOG) == 0 &&
	    epoll_ctl(a->epoll, EPOLL_CTL_ADD, l->fd, &ev) == 0)
		l->is_shut = false;
}

/* Under the lock. */
static void
look(struct acceptor *a)
{
	a->may_change = false;
	for (struct listener *l = a->listeners; l != NULL; l = l->next) {
		const struct http_service *s = &l->service;
		bool may_change = false;
		bool shut = s->refuses != NULL &&
		    s->refuses(s->cls, &may_change);

		a->may_change |= may_change;
		if (shut && !l->is_shut)
			shut_port(a, l);
		else if (!shut && l->is_shut)
			open_port(a, l);
	}
}

static void
wake(struct acceptor *a)
{
	/* It fails only if the thread has been woken 2^64 times. */
	eventfd_write(a->wake, 1);
}

void
acceptor_look(struct acceptor *a)
{
	pthread_mutex_lock(&a->lock);
	look(a);
	pthread_mutex_unlock(&a->lock);
	/* How long it may sleep is another matter now. */
	wake(a);
}

/* False: it is to end. Else how long to wait for clients. */
static bool
may_wait(struct acceptor *a, int *ms)
{
	bool stopping;

	pthread_mutex_lock(&a->lock);
	if (a->may_change)
		look(a);
	*ms = a->may_change ? LOOK_MS : -1;
	stopping = a->stopping;
	pthread_mutex_unlock(&a->lock);
	return !stopping;
}

/* On the acceptor's thread, which has no event left of them; or without it. */
static void
forget_gone(struct acceptor *a)
{
	struct listener *l, *next;

	pthread_mutex_lock(&a->lock);
	l = a->gone;
	a->gone = NULL;
	pthread_mutex_unlock(&a->lock);
	for (; l != NULL; l = next) {
		next = l->next;
		listener_unref(l);
	}
}

static void *
run(void *cls)
{
	struct acceptor *a = cls;
	struct epoll_event events[EVENTS];
	eventfd_t woken;
	int ms;

	while (may_wait(a, &ms)) {
		int count;

		forget_gone(a);
		count = epoll_wait(a->epoll, events, EVENTS, ms);
		for (int i = 0; i < count; i++)
			if (events[i].data.ptr == NULL)
				eventfd_read(a->wake, &woken);
			else
				accept_some(a, events[i].data.ptr);
	}
	return NULL;
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
	pthread_mutex_lock(&a->lock);
	look(a);
	a->running = thread_start(&a->thread, run, a) == 0;
	pthread_mutex_unlock(&a->lock);
	return a->running ? 0 : error_set(err, "cannot start a thread");
}

/* -1: errno says why. */
static int
bind_socket(const struct endpoint *at)
{
	socklen_t size = at->address.any.sa_family == AF_INET ?
	    sizeof(at->address.v4) :
	    sizeof(at->address.v6);
	int fd, on = 1;

	fd = socket(at->address.any.sa_family,
	    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, &at->address.any, size) == 0)
		return fd;
	close(fd);
	return -1;
}

/*
 * A port that the kernel has chosen is lost to a socket that no longer listens;
 * one that was asked for by its number is not.
 */
static int
bind_port(const struct endpoint *at, struct endpoint *bound)
{
	bool chosen = endpoint_port(at) == 0;
	int fd = bind_socket(at), named;
	socklen_t size;

	if (fd == -1)
		return -1;
	/* `at` may be `bound`. */
	memset(bound, 0, sizeof(*bound));
	size = sizeof(bound->address);
	getsockname(fd, &bound->address.any, &size);
	if (!chosen)
		return fd;
	named = bind_socket(bound);
	close(fd);
	return named;
}

static int
open_socket(const struct endpoint *at, struct endpoint *bound,
    struct error *err)
{
	const struct endpoint asked = *at;
	char text[ENDPOINT_TEXT_SIZE];
	int fd = bind_port(at, bound);

	if (fd != -1 && listen(fd, BACKLOG) == 0)
		return fd;
	error_set(err, "cannot listen on %s port %u: %s",
	    endpoint_text(&asked, text), endpoint_port(&asked),
	    strerror(errno));
	if (fd != -1)
		close(fd);
	return -1;
}

/* Takes the socket and the listener in; -1: errno says why. */
static int
watch(struct acceptor *a, struct listener *l)
{
	struct epoll_event ev = { .data.ptr = l, .events = EPOLLIN };
	int ret;

	pthread_mutex_lock(&a->lock);
	ret = epoll_ctl(a->epoll, EPOLL_CTL_ADD, l->fd, &ev);
	if (ret == 0) {
		l->next = a->listeners;
		a->listeners = l;
		/* Those of the start are among the files that all have. */
		if ((l->is_extra = a->running))
			atomic_fetch_add(&a->http->common.descriptors, 1);
		if (a->running)
			look(a);
	}
	pthread_mutex_unlock(&a->lock);
	return ret;
}

int
acceptor_listen(struct acceptor *a, const struct endpoint *at,
    const struct http_service *service, const struct tls_service *tls,
    struct endpoint *bound, struct listener **out, struct error *err)
{
	struct listener *l = listener_new(a->http, service, tls);

	if (l == NULL)
		return error_set(err, "out of memory");
	if ((l->fd = open_socket(at, bound, err)) == -1) {
		free(l);
		return -1;
	}
	if (watch(a, l) == 0) {
		if (out != NULL)
			*out = l;
		return 0;
	}
	error_set(err, "cannot watch a listener: %s", strerror(errno));
	close(l->fd);
	free(l);
	return -1;
}

/* Under the lock: the port is anybody's. */
static void
give_up_port(struct acceptor *a, struct listener *l)
{
	shut_port(a, l);
	close(l->fd);
	l->fd = -1;
	if (l->is_extra)
		atomic_fetch_sub(&a->http->common.descriptors, 1);
}

void
acceptor_close(struct acceptor *a, struct listener *l)
{
	struct listener **at = &a->listeners;

	pthread_mutex_lock(&a->lock);
	while (*at != l)
		at = &(*at)->next;
	*at = l->next;
	give_up_port(a, l);
	l->next = a->gone;
	a->gone = l;
	pthread_mutex_unlock(&a->lock);
	wake(a);
}

void
acceptor_stop(struct acceptor *a)
{
	if (a == NULL)
		return;
	if (a->running) {
		pthread_mutex_lock(&a->lock);
		a->stopping = true;
		pthread_mutex_unlock(&a->lock);
		wake(a);
		pthread_join(a->thread, NULL);
	}
	while (a->listeners != NULL)
		acceptor_close(a, a->listeners);
	forget_gone(a);
	if (a->epoll != -1)
		close(a->epoll);
	if (a->wake != -1)
		close(a->wake);
	pthread_mutex_destroy(&a->lock);
	free(a);
}
