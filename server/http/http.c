#include "http/inside.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"

#define FD_RESERVE 64 /* files, libraries, our own loops */
#define FD_MAX (1UL << 20)

static unsigned
reserved_limit(rlim_t fds)
{
	return fds / 8 < HTTP_RESERVED ? (unsigned)(fds / 8) : HTTP_RESERVED;
}

/* A connection that is taken over has two descriptors for a moment. */
static unsigned
common_limit(rlim_t fds, unsigned reserved)
{
	return (unsigned)(fds > 4 * FD_RESERVE ? fds - FD_RESERVE - reserved :
						 fds / 2);
}

int
http_start(struct http **out, const struct http_options *options,
    struct error *err)
{
	struct http *http = calloc(1, sizeof(*http));
	struct rlimit limit = { .rlim_cur = 1024 };
	rlim_t fds;

	if ((*out = http) == NULL)
		return error_set(err, "out of memory");
	getrlimit(RLIMIT_NOFILE, &limit);
	fds = limit.rlim_cur < FD_MAX ? limit.rlim_cur : FD_MAX;
	http->library = options->library;
	http->reserved.limit = reserved_limit(fds);
	http->common.limit = options->connection_limit != 0 ?
	    options->connection_limit :
	    common_limit(fds, http->reserved.limit);
	if (held_start(http, &http->held, err) == 0 &&
	    acceptor_start(http, &http->acceptor, err) == 0 &&
	    workers_start(options->workers, &http->workers, err) == 0 &&
	    waiting_start(http, &http->waiters, err) == 0 &&
	    parse_start(http, err) == 0 &&
	    loop_start(http, &http->loop, err) == 0)
		return 0;
	http_stop(http, 0);
	*out = NULL;
	return -1;
}

int
http_accept(struct http *http, struct error *err)
{
	return acceptor_run(http->acceptor, err);
}

void
http_look(struct http *http)
{
	acceptor_look(http->acceptor);
}

int
http_parse_address(const char *text, struct endpoint *out, struct error *err)
{
	char host[ENDPOINT_TEXT_SIZE], rest;
	unsigned port;

	memset(out, 0, sizeof(*out));
	if (sscanf(text, "[%45[0-9a-fA-F:.]]:%5u%c", host, &port, &rest) == 2 &&
	    port <= 65535 &&
	    inet_pton(AF_INET6, host, &out->address.v6.sin6_addr) == 1) {
		out->address.v6.sin6_family = AF_INET6;
		out->address.v6.sin6_port = htons((uint16_t)port);
		return 0;
	}
	if (sscanf(text, "%45[0-9.]:%5u%c", host, &port, &rest) == 2 &&
	    port <= 65535 &&
	    inet_pton(AF_INET, host, &out->address.v4.sin_addr) == 1) {
		out->address.v4.sin_family = AF_INET;
		out->address.v4.sin_port = htons((uint16_t)port);
		return 0;
	}
	return error_set(err,
	    "\"%s\" is not an address and port such as "
	    "127.0.0.1:8080 or [::1]:8080",
	    text);
}

bool
http_is_loopback(const struct endpoint *e)
{
	if (e->address.any.sa_family == AF_INET)
		return ntohl(e->address.v4.sin_addr.s_addr) >> 24 == 127;
	return IN6_IS_ADDR_LOOPBACK(&e->address.v6.sin6_addr);
}

static char *
url(const char *scheme, const struct endpoint *e, char out[HTTP_URL_SIZE])
{
	char host[ENDPOINT_TEXT_SIZE];
	bool v6 = e->address.any.sa_family == AF_INET6;

	snprintf(out, HTTP_URL_SIZE, v6 ? "%s://[%s]:%u" : "%s://%s:%u", scheme,
	    endpoint_text(e, host), endpoint_port(e));
	return out;
}

char *
http_url(const struct endpoint *e, char out[HTTP_URL_SIZE])
{
	return url("http", e, out);
}

char *
http_url_tls(const struct endpoint *e, char out[HTTP_URL_SIZE])
{
	return url("https", e, out);
}

int
http_listen(struct http *http, const struct endpoint *at,
    const struct http_service *service, struct endpoint *bound,
    struct listener **out, struct error *err)
{
	return acceptor_listen(http->acceptor, at, service, NULL, bound, out,
	    err);
}

void
http_close(struct http *http, struct listener *l)
{
	acceptor_close(http->acceptor, l);
}

int
http_listen_tls(struct http *http, const struct endpoint *at,
    const struct http_service *service, const struct tls_service *tls,
    struct endpoint *bound, struct error *err)
{
	struct tls *started = NULL;

	if (http->tls == NULL) {
		if (tls_start(http, &started, err) == -1) {
			tls_stop(started);
			return -1;
		}
		http->tls = started;
	}
	return acceptor_listen(http->acceptor, at, service, tls, bound, NULL,
	    err);
}

void
http_wake(struct http *http, const void *key)
{
	waiting_wake(http->waiters, key);
}

static void
wait_for_cut(struct cut *cut)
{
	while (sem_wait(&cut->done) == -1)
		continue;
}

void
http_cut(struct http *http, bool (*which)(void *cls, const struct exchange *),
    void *cls)
{
	struct cut cut = { .which = which, .cls = cls };

	sem_init(&cut.done, 0, 0);
	/* In this order: what waits no more may be held next. */
	loop_cut(http->loop, &cut);
	wait_for_cut(&cut);
	held_cut(http->held, &cut);
	wait_for_cut(&cut);
	sem_destroy(&cut.done);
}

/* No connection may be suspended when libmicrohttpd stops: it aborts. */
void
http_stop(struct http *http, int grace_ms)
{
	int64_t until = clock_ticks_ms() + grace_ms;

	if (http == NULL)
		return;
	atomic_store(&http->stopping, true);
	acceptor_stop(http->acceptor);
	waiting_end(http->waiters);
	held_cut_all(http->held);
	tls_shut(http->tls);
	while (http->daemon != NULL && atomic_load(&http->active) > 0 &&
	    clock_ticks_ms() < until)
		poll(NULL, 0, 5);
	workers_halt(http->workers);
	loop_halt(http->loop);
	parse_stop(http);
	held_stop(http->held);
	loop_free(http->loop);
	tls_stop(http->tls);
	workers_free(http->workers);
	waiting_free(http->waiters);
	free(http);
}

unsigned
http_connection_limit(const struct http *http)
{
	return http->common.limit;
}

unsigned
http_connections(const struct http *http)
{
	return atomic_load(&http->common.connections);
}

unsigned
http_held(const struct http *http)
{
	return atomic_load(&http->faulted);
}

unsigned
http_waiting(const struct http *http)
{
	return waiting_count(http->waiters);
}
