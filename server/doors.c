#include "doors.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "serve.h"

#define PUBLIC_URL_MAX 512
#define PUBLIC_HOST_MAX 253 /* of DNS */

/* The door of one site; freed when its last connection is gone. */
struct own_door {
	struct door door; /* first: all that its service is given */
	struct doors *doors;
	/* Under the lock of the doors. */
	struct listener *listener; /* NULL: it does not listen yet */
	unsigned port;		   /* 0: the kernel is to say */
	bool closed;		   /* its port is free again */
	struct own_door *next;
};

struct doors {
	struct doors_options options;  /* without public_url */
	char base[PUBLIC_URL_MAX + 1]; /* of the shared port */
	char host[PUBLIC_URL_MAX + 1]; /* the same up to the host */
	bool is_public;		       /* as --public-url says */
	pthread_mutex_t lock;	       /* what follows */
	struct own_door *list;
	unsigned last; /* port of the range that was tried */
};

/* What a public URL has, up to and without the slashes at its end. */
struct public_url {
	size_t host, whole; /* octets up to the end of each */
};

/* Behind the host, or NULL. */
static const char *
skip_host(const char *at)
{
	char address[INET6_ADDRSTRLEN];
	struct in6_addr unused;
	size_t len;

	if (*at != '[') {
		for (len = 0; isalnum((unsigned char)at[len]) ||
		     (at[len] != '\0' && strchr("-._", at[len]) != NULL);
		     len++)
			;
		return len > 0 && len <= PUBLIC_HOST_MAX ? at + len : NULL;
	}
	len = strcspn(++at, "]");
	if (at[len] == '\0' || len >= sizeof(address))
		return NULL;
	memcpy(address, at, len);
	address[len] = '\0';
	return inet_pton(AF_INET6, address, &unused) == 1 ? at + len + 1 : NULL;
}

/* Behind ":PORT", if there is one; NULL: it is none. */
static const char *
skip_port(const char *at)
{
	unsigned long port = 0;

	if (*at != ':')
		return at;
	for (at++; isdigit((unsigned char)*at) && port <= 65535; at++)
		port = 10 * port + (unsigned long)(*at - '0');
	return port >= 1 && port <= 65535 ? at : NULL;
}

/* RFC 3986 3.3: up to what belongs to no path. */
static const char *
skip_path(const char *at)
{
	if (*at != '/')
		return at;
	for (;; at++)
		if (*at == '%' && isxdigit((unsigned char)at[1]) &&
		    isxdigit((unsigned char)at[2]))
			at += 2;
		else if (*at == '\0' ||
		    (!isalnum((unsigned char)*at) &&
			strchr("-._~!$&'()*+,;=:@/", *at) == NULL))
			return at;
}

/* NULL, or what is wrong with it. */
static const char *
split_public_url(const char *url, struct public_url *out)
{
	const char *at;

	if (strlen(url) > PUBLIC_URL_MAX)
		return "has more than 512 characters";
	if (strncasecmp(url, "http://", 7) == 0)
		at = url + 7;
	else if (strncasecmp(url, "https://", 8) == 0)
		at = url + 8;
	else
		return "begins with neither http:// nor https://";
	if ((at = skip_host(at)) == NULL)
		return "names no host";
	out->host = (size_t)(at - url);
	if ((at = skip_port(at)) == NULL)
		return "has a port that is not from 1 to 65535";
	at = skip_path(at);
	if (*at != '\0')
		return *at == '?' || *at == '#' ?
		    "has a query or a fragment" :
		    "has something other than a host, a port and a path";
	while (at[-1] == '/')
		at--;
	out->whole = (size_t)(at - url);
	return NULL;
}

int
doors_check_public_url(const char *url, struct error *err)
{
	struct public_url unused;
	const char *wrong = split_public_url(url, &unused);

	if (wrong == NULL)
		return 0;
	return error_set(err,
	    "--public-url: \"%.120s\" %s; say what clients are to use, such "
	    "as http://ndes.example.com:8080",
	    url, wrong);
}

static void
name_shared(struct doors *d)
{
	const char *url = d->options.public_url;
	char own[HTTP_URL_SIZE];
	struct public_url parts = { 0 };

	if (url != NULL) {
		split_public_url(url, &parts);
	} else {
		url = http_url(&d->options.at, own);
		parts.whole = strlen(url);
		parts.host = (size_t)(strrchr(url, ':') - url);
	}
	snprintf(d->base, sizeof(d->base), "%.*s", (int)parts.whole, url);
	snprintf(d->host, sizeof(d->host), "%.*s", (int)parts.host, url);
}

int
doors_new(struct doors **out, const struct doors_options *options,
    struct error *err)
{
	struct doors *d;

	*out = NULL;
	if (options->public_url != NULL &&
	    doors_check_public_url(options->public_url, err) == -1)
		return -1;
	if ((d = calloc(1, sizeof(*d))) == NULL)
		return error_set(err, "out of memory");
	d->options = *options;
	d->last = options->last_port;
	name_shared(d);
	d->is_public = options->public_url != NULL;
	d->options.public_url = NULL;
	pthread_mutex_init(&d->lock, NULL);
	*out = d;
	return 0;
}

static void
free_door(struct own_door *o)
{
	site_unref(o->door.site);
	free(o);
}

void
doors_free(struct doors *d)
{
	struct own_door *o;

	if (d == NULL)
		return;
	while ((o = d->list) != NULL) {
		d->list = o->next;
		free_door(o);
	}
	pthread_mutex_destroy(&d->lock);
	free(d);
}

static void
forget(struct own_door *o)
{
	struct doors *d = o->doors;
	struct own_door **at = &d->list;

	pthread_mutex_lock(&d->lock);
	while (*at != o)
		at = &(*at)->next;
	*at = o->next;
	pthread_mutex_unlock(&d->lock);
	free_door(o);
}

static void
release(void *cls)
{
	forget(cls);
}

/* Under the lock: the one that is open, or about to be. */
static struct own_door *
find_door(struct doors *d, const struct site *site)
{
	struct own_door *o = d->list;

	while (o != NULL && (o->closed || o->door.site != site))
		o = o->next;
	return o;
}

/* Whether it was deleted, or another one has its id by now. */
static bool
is_gone(const struct doors *d, const struct site *site)
{
	struct error unused = { 0 };
	struct site *now = NULL;
	bool gone = site_get(d->options.sites, site_id(site), &now, &unused) !=
		SITE_OK ||
	    now != site;

	site_unref(now);
	return gone;
}

/* A site has one port at a time, from before it is opened. */
static enum site_answer
enter(struct doors *d, struct site *site, struct own_door **out,
    struct error *err)
{
	struct own_door *o = calloc(1, sizeof(*o)), *other;

	if ((*out = o) == NULL) {
		error_set(err, "out of memory");
		return SITE_FAILED;
	}
	o->door = (struct door){ d->options.sites, site_ref(site),
		site_journal(site) != NULL };
	o->doors = d;
	pthread_mutex_lock(&d->lock);
	if ((other = find_door(d, site)) == NULL) {
		o->next = d->list;
		d->list = o;
	}
	pthread_mutex_unlock(&d->lock);
	if (other == NULL)
		return SITE_OK;
	free_door(o);
	error_set(err, "site \"%s\" has a port of its own already",
	    site_id(site));
	return SITE_TAKEN;
}

/*
 * False: another site has it, or is about to. The kernel knows no better where
 * a scenario has closed that one's port.
 */
static bool
reserve(struct own_door *o, unsigned port)
{
	struct doors *d = o->doors;
	struct own_door *other;

	if (port == endpoint_port(&d->options.at))
		return false;
	pthread_mutex_lock(&d->lock);
	for (other = d->list; other != NULL; other = other->next)
		if (!other->closed && other->port == port)
			break;
	if (other == NULL)
		o->port = port;
	pthread_mutex_unlock(&d->lock);
	return other == NULL;
}

/* 0: any. -1: nobody gets this one now. */
static int
listen_at(struct own_door *o, unsigned port, struct error *err)
{
	struct endpoint at = o->doors->options.at;
	struct http_service service = serve_service(&o->door);
	struct doors *d = o->doors;
	struct listener *listener;

	service.release = release;
	if (at.address.any.sa_family == AF_INET6)
		at.address.v6.sin6_port = htons((uint16_t)port);
	else
		at.address.v4.sin_port = htons((uint16_t)port);
	if (http_listen(d->options.http, &at, &service, &at, &listener, err) ==
	    -1)
		return -1;
	pthread_mutex_lock(&d->lock);
	o->port = endpoint_port(&at);
	o->listener = listener;
	pthread_mutex_unlock(&d->lock);
	return 0;
}

static enum site_answer
listen_at_this(struct own_door *o, unsigned port, struct error *err)
{
	if (!reserve(o, port)) {
		error_set(err,
		    port == endpoint_port(&o->doors->options.at) ?
			"port %u is the one that all sites share" :
			"another site has port %u",
		    port);
		return SITE_TAKEN;
	}
	return listen_at(o, port, err) == 0 ? SITE_OK : SITE_TAKEN;
}

/* Those of before last: a client of the last one may not know that it went. */
static unsigned
next_port(struct doors *d)
{
	unsigned port;

	pthread_mutex_lock(&d->lock);
	if (d->last < d->options.last_port)
		d->last++;
	else
		d->last = d->options.first_port;
	port = d->last;
	pthread_mutex_unlock(&d->lock);
	return port;
}

static enum site_answer
listen_in_range(struct own_door *o, struct error *err)
{
	const struct doors_options *options = &o->doors->options;
	unsigned first = options->first_port, last = options->last_port;
	struct error why = { 0 };

	for (unsigned i = first; i <= last; i++) {
		unsigned port = next_port(o->doors);
		struct error failed = { 0 };

		if (!reserve(o, port))
			continue;
		if (listen_at(o, port, &failed) == 0)
			return SITE_OK;
		why = failed;
	}
	error_set(err,
	    "no port from %u to %u is free%s%s: close a site that has one, or "
	    "start with a wider --site-ports",
	    first, last, why.text[0] == '\0' ? "" : "; ", why.text);
	return SITE_NO_ROOM;
}

static enum site_answer
listen_anywhere(struct own_door *o, unsigned port, struct error *err)
{
	const struct doors_options *options = &o->doors->options;

	if (port != 0)
		return listen_at_this(o, port, err);
	if (options->last_port != 0)
		return listen_in_range(o, err);
	return listen_at(o, 0, err) == 0 ? SITE_OK : SITE_NO_ROOM;
}

static enum site_answer
check_port(const struct doors *d, unsigned port, struct error *err)
{
	unsigned first = d->options.first_port, last = d->options.last_port;

	if (port == 0 || (last == 0 && port <= 65535) ||
	    (port >= first && port <= last))
		return SITE_OK;
	if (last == 0)
		error_set(err, "%u is not a port: they go up to 65535", port);
	else
		error_set(err,
		    "port %u is not from %u to %u, as --site-ports says", port,
		    first, last);
	return SITE_BAD_ID;
}

/* The site may have been closed while nobody knew of this door. */
static enum site_answer
show(struct own_door *o, struct error *err)
{
	struct doors *d = o->doors;
	struct site *site = o->door.site;
	bool gone = is_gone(d, site);

	pthread_mutex_lock(&d->lock);
	gone |= o->closed;
	if (gone)
		o->closed = true;
	else
		site_set_port(site, o->port);
	pthread_mutex_unlock(&d->lock);
	if (!gone)
		return SITE_OK;
	error_set(err, "site \"%s\" was closed meanwhile", site_id(site));
	http_close(d->options.http, o->listener);
	return SITE_GONE;
}

enum site_answer
doors_open(struct doors *d, struct site *site, unsigned port, struct error *err)
{
	enum site_answer answer = check_port(d, port, err);
	struct own_door *o;

	if (answer != SITE_OK || (answer = enter(d, site, &o, err)) != SITE_OK)
		return answer;
	if ((answer = listen_anywhere(o, port, err)) == SITE_OK)
		return show(o, err);
	forget(o);
	return answer;
}

/* From then on others may have its port. */
static void
close_port(struct doors *d, struct site *site)
{
	struct listener *listener = NULL;
	struct own_door *o;

	pthread_mutex_lock(&d->lock);
	if ((o = find_door(d, site)) != NULL) {
		o->closed = true;
		/* Whoever is opening it closes it. */
		if (site_port(site) != 0)
			listener = o->listener;
		site_set_port(site, 0);
	}
	pthread_mutex_unlock(&d->lock);
	if (listener != NULL)
		http_close(d->options.http, listener);
}

static bool
is_of(void *cls, const struct exchange *ex)
{
	/* Those of the control API are of none. */
	return ex->snapshot != NULL && site_of(ex) == cls;
}

enum site_answer
doors_close_site(struct doors *d, const char *id, struct error *err)
{
	struct site *site = NULL;
	enum site_answer answer;

	/* No other one comes between that has the same id. */
	pthread_mutex_lock(&d->lock);
	answer = site_get(d->options.sites, id, &site, err);
	if (answer == SITE_OK)
		answer = site_close(d->options.sites, id, err);
	pthread_mutex_unlock(&d->lock);
	if (answer == SITE_OK) {
		close_port(d, site);
		http_cut(d->options.http, is_of, site);
	}
	site_unref(site);
	return answer;
}

static bool
is_lost(void *cls, const struct exchange *ex)
{
	return site_lost(cls, ex);
}

void
doors_cut_lost(void *http, struct site *site)
{
	http_cut(http, is_lost, site);
}

void
doors_look(struct doors *d)
{
	http_look(d->options.http);
}

char *
doors_url(const struct doors *d, const struct site *site,
    char out[DOORS_URL_SIZE])
{
	unsigned port = site_port(site);
	char path[SITE_PATH_SIZE];

	if (port != 0)
		snprintf(out, DOORS_URL_SIZE, "%s:%u", d->host, port);
	else
		snprintf(out, DOORS_URL_SIZE, "%s%s", d->base,
		    site_path(site, path));
	return out;
}

char *
doors_url_tls(const struct doors *d, const struct endpoint *at,
    char out[DOORS_URL_SIZE])
{
	const char *host = strstr(d->host, "://") + strlen("://");

	if (d->is_public)
		snprintf(out, DOORS_URL_SIZE, "https://%s:%u", host,
		    endpoint_port(at));
	else
		http_url_tls(at, out);
	return out;
}
