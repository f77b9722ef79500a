/*
 * The http room alone, with a service that answers as the headers of a
 * request ask:
 *   X-Body: TEXT, X-Fill: COUNT of octets     the body
 *   X-Delay: MS, X-Hang: MS (0: for ever), X-Drip: OCTETS, X-Cut: AT,
 *   X-Prefix: TEXT, X-Reset: yes, X-Chunked: yes     the wire
 *   X-Long: yes     on a worker
 */
#ifndef SUPPORT_SERVICE_H
#define SUPPORT_SERVICE_H

#include <pthread.h>

#include "http/http.h"

#define SERVICE_HOST "Host: x\r\n"
#define SERVICE_GET "GET / HTTP/1.1\r\n" SERVICE_HOST

struct service {
	struct http *http;
	struct http_service calls; /* for http_listen() */
	struct listener *listener; /* the first one, not reserved */
	char base[HTTP_URL_SIZE];  /* of that */
	pthread_mutex_t lock;	   /* what follows */
	pthread_cond_t changed;
	struct service_counts {
		unsigned begun, asked, finished, refused, released;
	} is;
};

/* Fails the test if it does not start; options may be NULL. */
void service_start(struct service *, const struct http_options *);
void service_stop(struct service *, int grace_ms);
/* One more port, of the same calls but reserved or not. */
struct listener *service_listen(struct service *, const char *address,
    bool reserved, char base[HTTP_URL_SIZE]);
/* Waits until that count is reached; fails the test if it never is. */
#define service_wait(s, member, count) \
	service_wait_for(s, &(s)->is.member, #member, count)
void service_wait_for(struct service *, const unsigned *member,
    const char *name, unsigned count);
/* Whether this is answered with 200. */
bool service_answers(const char *base);

#endif
