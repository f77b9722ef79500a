/* What TLS clients are shown: the default site's, or that of a scenario. */
#ifndef SERVE_TLS_H
#define SERVE_TLS_H

#include "http/http.h"
#include "site/site.h"

struct serve_tls_options {
	struct sites *sites;
	struct crypto *crypto;
	/* Copied: where scenarios are looked for first, or NULL. */
	const char *scenario_dir;
	/* Copied: of the server; NULL: localhost, 127.0.0.1 and ::1. */
	const char *const *names;
	size_t name_count;
	void (*narrate)(void *cls, const char *line); /* NULL: silent */
	void *cls;
};

struct serve_tls;
int serve_tls_new(struct serve_tls **out, const struct serve_tls_options *,
    struct error *);
void serve_tls_free(struct serve_tls *);
struct tls_service serve_tls_service(struct serve_tls *);
/* Whether it can stand in a certificate: a host name or numeric address. */
int serve_tls_check_name(const char *, struct error *);

#endif
