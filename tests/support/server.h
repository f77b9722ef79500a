/*
 * A server in this process, put together from the parts that mockndes.c
 * uses, so that a test reaches its clock and its scenario.
 */
#ifndef SUPPORT_SERVER_H
#define SUPPORT_SERVER_H

#include "doors.h"
#include "http/http.h"
#include "serve_tls.h"
#include "site/site.h"

#define SERVER_URL_SIZE 128
#define SERVER_SCEP_PATH "/certsrv/mscep/mscep.dll"
#define SERVER_ADMIN_PATH "/certsrv/mscep_admin/"

struct server {
	struct crypto *crypto;
	struct key_set *keys;
	struct sites *sites;
	struct http *http;
	struct doors *doors;
	int64_t started; /* by the machine's clock */
	/* Owned: the threads of a test that failed still use it. */
	struct door *door;
	struct tls_service *tls; /* NULL: none */
	struct serve_tls *serve_tls;
	char base[HTTP_URL_SIZE];     /* "http://127.0.0.1:40001" */
	char url[SERVER_URL_SIZE];    /* of mscep.dll */
	char admin[SERVER_URL_SIZE];  /* of mscep_admin */
	char tls_base[HTTP_URL_SIZE]; /* "https://127.0.0.1:40002" */
	char tls_url[SERVER_URL_SIZE];
};

struct server_options {
	const char *challenge, *log_dir; /* or NULL */
	const char *yaml;		 /* the scenario; NULL: healthy */
	const char *const *set;		 /* "server.KEY=VALUE", NULL ended */
	bool tls;
	const char *scenario_dir;	/* or NULL */
	unsigned connection_limit;	/* 0: the usual one */
	unsigned first_port, last_port; /* of single sites; 0: any */
};

/* On a free port, with the keys of tests/fixtures; options may be NULL. */
void server_start(struct server *, const struct server_options *);
/* As mockndes_stop() does it. */
void server_stop(struct server *);
/* Without the time that exchanges in progress have to finish. */
void server_cut(struct server *);

void server_advance_clock(struct server *, int64_t seconds);
/* Switches the default site to healthy with this changed; any thread. */
int server_use_scenario(struct server *, const char *const *set);
/* Switches it to this text; fails the test if that is no scenario. */
void server_use_yaml(struct server *, const char *yaml);
/*
 * The first entry of the default site's journal from `seq` on, copied; its
 * target is good until the next call of this thread, other texts are empty.
 */
bool server_entry(const struct server *, uint64_t seq,
    struct journal_entry *out);
/*
 * The next exchange from *seq on whose CertRep says this, moving *seq behind
 * it. Fails the test if there is none in SERVER_WAIT_SECONDS.
 */
#define SERVER_WAIT_SECONDS 20
void server_wait(struct server *, uint64_t *seq, enum scep_status,
    struct journal_entry *out);
/* What the manager of the CA does; fails the test if nothing waits. */
void server_settle(struct server *, const char *transaction_id, bool approve);
/*
 * Its CA is another from now on, by the machine's clock, which clients go by;
 * waits until the first is a second old. `set` as in server_use_scenario().
 */
void server_roll_over(struct server *, const char *const *set);
/* One more port; its base URL goes to `base`; any thread. */
int server_listen(struct server *, const char *address,
    char base[HTTP_URL_SIZE]);
/* "BASE/certsrv/mscep/mscep.dll?QUERY" */
char *server_url(char out[SERVER_URL_SIZE], const char *base,
    const char *query);

#endif
