/* Listeners and the connections that came by them: who counts, who frees. */
#include "http/inside.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct listener *
listener_new(struct http *http, const struct http_service *service,
    const struct tls_service *tls)
{
	struct listener *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return NULL;
	l->service = *service;
	l->tls = tls;
	l->places = service->reserved ? &http->reserved : &http->common;
	l->refs = 1;
	l->fd = -1;
	return l;
}

struct listener *
listener_ref(struct listener *l)
{
	atomic_fetch_add(&l->refs, 1);
	return l;
}

void
listener_unref(struct listener *l)
{
	if (atomic_fetch_sub(&l->refs, 1) > 1)
		return;
	if (l->service.release != NULL)
		l->service.release(l->service.cls);
	free(l);
}

struct connection *
connection_new(struct http *http, struct listener *l, int fd,
    const struct endpoint *source)
{
	struct connection *conn = calloc(1, sizeof(*conn));
	socklen_t len = sizeof(conn->local.address);

	if (conn == NULL) {
		close(fd);
		return NULL;
	}
	conn->http = http;
	conn->listener = listener_ref(l);
	conn->limits = l->service.limits(l->service.cls);
	conn->fd = fd;
	conn->source = *source;
	getsockname(fd, &conn->local.address.any, &len);
	return conn;
}

struct connection *
connection_copy(const struct connection *conn, int fd)
{
	struct connection *copy = malloc(sizeof(*copy));

	if (copy == NULL) {
		close(fd);
		return NULL;
	}
	*copy = *conn;
	copy->fd = fd;
	copy->is_counted = false;
	listener_ref(copy->listener);
	return copy;
}

void
connection_count(struct connection *conn)
{
	conn->is_counted = true;
	atomic_fetch_add(&conn->listener->places->connections, 1);
}

void
connection_free(struct connection *conn)
{
	if (conn == NULL)
		return;
	if (conn->fd != -1)
		close(conn->fd);
	if (conn->is_counted)
		atomic_fetch_sub(&conn->listener->places->connections, 1);
	listener_unref(conn->listener);
	free(conn);
}

unsigned
places_taken(const struct places *p)
{
	return atomic_load(&p->connections) + atomic_load(&p->descriptors);
}

bool
places_are_scarce(const struct places *p)
{
	return places_taken(p) > p->limit - p->limit / 8;
}
