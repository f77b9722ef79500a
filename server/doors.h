/*
 * Where sites are reached: ports of their own, and the URLs of all. Those ports
 * have no TLS. Any thread, unless it says otherwise.
 */
#ifndef DOORS_H
#define DOORS_H

#include "http/http.h"
#include "site/site.h"

struct doors_options {
	struct http *http;
	struct sites *sites;
	/* Of the shared port; those of single sites are on this address. */
	struct endpoint at;
	/* Ports that a site may have; 0: any that are free. */
	unsigned first_port, last_port;
	/* What URLs begin with instead of the shared port's; or NULL. */
	const char *public_url;
};

struct doors;
/* http and sites are borrowed, and outlive it. */
int doors_new(struct doors **out, const struct doors_options *, struct error *);
void doors_free(struct doors *); /* after http_stop() */

/*
 * Opens a port for this site alone, where no prefix is needed; 0: any one.
 * SITE_TAKEN: it has one already, or somebody else has that one. SITE_NO_ROOM:
 * all of the range are taken. SITE_BAD_ID: not in the range.
 */
enum site_answer doors_open(struct doors *, struct site *, unsigned port,
    struct error *);
/*
 * site_close(), and its port is closed, and what is held of its exchanges is
 * cut. Not on a thread of http.
 */
enum site_answer doors_close_site(struct doors *, const char *id,
    struct error *);

/*
 * For struct sites_options, with the struct http: those go that were being
 * held for a process which has died.
 */
void doors_cut_lost(void *http, struct site *);

/* The scenario of a site, its state or clock, is another: it may refuse now. */
void doors_look(struct doors *);

/* "http://127.0.0.1:8080/s/flaky/x", without a slash at its end. */
#define DOORS_URL_SIZE 1024
char *doors_url(const struct doors *, const struct site *,
    char out[DOORS_URL_SIZE]);
/* Of a port in TLS; no site has one of its own there. */
char *doors_url_tls(const struct doors *, const struct endpoint *,
    char out[DOORS_URL_SIZE]);
/* A URL that --public-url can be: http or https, a host, maybe a path. */
int doors_check_public_url(const char *, struct error *);

#endif
