/*
 * The http room alone, with a service that answers as the headers of a
 * request ask:
 *   X-Body: TEXT, X-Fill: COUNT of octets     the body
 *   X-Delay: MS, X-Hang: MS (0: for ever), X-Drip: OCTETS, X-Cut: AT,
 *   X-Pause: AT, X-Prefix: TEXT, X-Reset: yes, X-Chunked: yes     the wire
 *   X-Long: yes     on a worker
 *   X-Limit: OCTETS     of the body
 *   X-Wait: MS, X-Key: NUMBER     until there is news of the key; the body
 *       is then "news" or, if the time is over, "over"
 *   X-Stubborn: yes     it waits even then
 */
#ifndef SUPPORT_SERVICE_H
#define SUPPORT_SERVICE_H

#include <pthread.h>

#include "http/http.h"

#define SERVICE_HOST "Host: x\r\n"
#define SERVICE_KEYS 4
#define SERVICE_GET "GET / HTTP/1.1\r\n" SERVICE_HOST

/* How the last exchange ended. */
struct service_end {
	enum ending ending;
	uint64_t sent;
	struct buffer octets, body; /* of the answer, of the request */
};

struct service {
	struct http *http;
	struct http_service calls; /* for http_listen() */
	struct listener *listener; /* the first one, not reserved */
	char base[HTTP_URL_SIZE];  /* of that */
	/* In the middle of an answer() that has seen no news; or NULL. */
	void (*meanwhile)(struct service *);
	pthread_mutex_t lock; /* what follows */
	pthread_cond_t changed;
	struct service_counts {
		unsigned begun, asked, finished, refused, released;
	} is;
	unsigned news[SERVICE_KEYS];
	struct service_end last;
};

/* Fails the test if it does not start; options may be NULL. */
void service_start(struct service *, const struct http_options *);
void service_stop(struct service *, int grace_ms);
/* One more port, of the same calls but reserved or not. */
struct listener *service_listen(struct service *, const char *address,
    bool reserved, char base[HTTP_URL_SIZE]);
#define service_count(s, member) service_read(s, &(s)->is.member)
unsigned service_read(struct service *, const unsigned *member);
/* Waits until that count is reached; fails the test if it never is. */
#define service_wait(s, member, count) \
	service_wait_for(s, &(s)->is.member, #member, count)
void service_wait_for(struct service *, const unsigned *member,
    const char *name, unsigned count);
/* There is news of this key: who waits for it is told. Any thread. */
void service_tell(struct service *, unsigned key);
/* Whether this is answered with 200. */
bool service_answers(const char *base);

#endif
