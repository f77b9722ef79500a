/*
 * libmockndes: a mock of Microsoft's Network Device Enrollment Service
 * (NDES), for tests of SCEP clients. TEST ONLY: its certification authority
 * is made at start and worth nothing.
 *
 * Several instances may live in one process. The library never exits, never
 * prints, and does not touch signals or the embedder's OpenSSL
 * configuration. All functions may be called from any thread; one instance
 * must not be stopped while another thread still uses it.
 */
#ifndef MOCKNDES_H
#define MOCKNDES_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define MOCKNDES_API __attribute__((visibility("default")))
#else
#define MOCKNDES_API
#endif

/*
 * Room for any error message of this library, NUL included. One about a
 * scenario may have up to 21 lines.
 */
#define MOCKNDES_ERROR_SIZE 8192

struct mockndes;

/*
 * How to start. Set it to MOCKNDES_OPTIONS_INIT and change what matters;
 * everything is copied, strings are UTF-8. Addresses are numeric,
 * "127.0.0.1:8080" or "[::1]:8080"; port 0 takes any free port.
 */
struct mockndes_options {
	size_t size;	     /* of this struct; it can grow */
	const char *listen;  /* SCEP; NULL: "127.0.0.1:0" */
	const char *control; /* control API; NULL: none */
	/*
	 * Of the default site: a name, the path of a file (with a "/", or
	 * .yaml or .yml at its end), or "-", standard input; NULL: healthy.
	 */
	const char *scenario;
	/* "server.KEY=VALUE", "server." may be left out everywhere; or NULL */
	const char *const *set;
	size_t set_count;
	const char *challenge; /* good any number of times; or NULL */
	const char *keys;      /* directory of mockndes_make_keys() */
	const char *log_dir;   /* log files below it; NULL: none */
	uint64_t seed;	       /* of chance; 0: a random one */
	int allow_remote;      /* other addresses than loopback */
	/* Called with one line at a time, from several threads; or NULL. */
	void (*narrate)(void *cls, const char *line);
	void *narrate_cls;
	/*
	 * Keeps CA, keys and certificates of the default site, in the layout
	 * of `openssl ca`; NULL: they are gone at the end. A new one begins
	 * with `keys`, if there are any.
	 */
	const char *state_dir;
	/* Told what was recovered in it, a line each; NULL: narrate is. */
	void (*warn)(void *cls, const char *line);
	void *warn_cls;
	/* Scenarios found by name here, DIR/NAME.yaml, go first; or NULL. */
	const char *scenario_dir;
	/* SCEP inside TLS, with a certificate of the CA; NULL: none. */
	const char *tls_listen;
	/*
	 * Hosts and numeric addresses that this certificate is for; none:
	 * localhost, 127.0.0.1 and ::1.
	 */
	const char *const *tls_names;
	size_t tls_name_count;
	/*
	 * What URLs begin with, in place of where `listen` is: scheme, host,
	 * maybe port and path. Ports of sites, and of TLS, have its host. A
	 * path is for the proxy in front to take away.
	 */
	const char *public_url;
	/* From which to which sites get ports of their own; 0: any free ones. */
	unsigned site_port_first, site_port_last;
	unsigned max_sites; /* 0: 1024 */
	/* Exchanges that the journal of a site keeps; 0: 256, -1: none. */
	int journal;
	/* What HTTP clients of the control API have to show; NULL: nothing. */
	const char *control_token;
};
#ifdef __cplusplus
#define MOCKNDES_OPTIONS_INIT mockndes_options_init()
static inline struct mockndes_options
mockndes_options_init(void)
{
	struct mockndes_options options = {};

	options.size = sizeof(options);
	return options;
}
#else
#define MOCKNDES_OPTIONS_INIT                           \
	{                                               \
		.size = sizeof(struct mockndes_options) \
	}
#endif

/*
 * Starts a server. When it returns, keys exist and every URL answers.
 * 0, or with *out NULL and the reason in `error` (NULL, or
 * MOCKNDES_ERROR_SIZE octets): MOCKNDES_USAGE if the options cannot be meant
 * so, -1 if they could not be followed.
 */
#define MOCKNDES_USAGE (-2)
MOCKNDES_API int mockndes_start(const struct mockndes_options *options,
    struct mockndes **out, char *error);

/*
 * Accepts no more connections, lets exchanges in progress finish for five
 * seconds at most, and frees everything. NULL is fine.
 */
MOCKNDES_API void mockndes_stop(struct mockndes *);

/*
 * Opens one more port for the default site while the server runs. Its base
 * URL, "http://127.0.0.1:40001", is written to `url`, of `size` octets; with
 * less than MOCKNDES_URL_SIZE no port is opened.
 */
#define MOCKNDES_URL_SIZE 80
MOCKNDES_API int mockndes_listen(struct mockndes *, const char *address,
    char *url, size_t size, char *error);

/* The URL for SCEP clients; lives as long as the instance. */
MOCKNDES_API const char *mockndes_url(const struct mockndes *);

/*
 * One line of JSON: url, admin_url, base_url, listen (base_url were there no
 * public_url), control, tls_url, scenario, ca_sha256, seed, pid. Lives as long
 * as the instance.
 */
MOCKNDES_API const char *mockndes_ready(const struct mockndes *);

/* The CA certificate in PEM; lives as long as the instance. */
MOCKNDES_API const char *mockndes_ca_pem(const struct mockndes *);

/*
 * A site: an isolated NDES of its own in the same server, with its own URL,
 * scenario, counters, clock, passwords, certificates and journal. The handle is
 * good until mockndes_close_site() or mockndes_stop(); several threads may use
 * it. But for the calls that say otherwise, 0, or -1 and the reason in `error`
 * (NULL, or MOCKNDES_ERROR_SIZE octets). Once the control API has deleted the
 * site, what would change it returns -1.
 */
struct mockndes_site;

/* Set it to MOCKNDES_SITE_OPTIONS_INIT; everything is copied. */
struct mockndes_site_options {
	size_t size; /* of this struct; it can grow */
	/*
	 * 1 to 64 of A-Z a-z 0-9 . _ -, not only dots, not "certsrv", and not
	 * the name of a scenario; NULL: one that nobody can guess.
	 */
	const char *id;
	const char *scenario;	/* as in mockndes_options; NULL: healthy */
	const char *yaml;	/* in its place: the text of one; or NULL */
	const char *const *set; /* "server.KEY=VALUE", or NULL */
	size_t set_count;
	/*
	 * One that reaches this site alone; 0: none, it has a path;
	 * MOCKNDES_ANY_PORT.
	 */
	int port;
};
#define MOCKNDES_ANY_PORT (-1) /* any that is free */
#ifdef __cplusplus
#define MOCKNDES_SITE_OPTIONS_INIT mockndes_site_options_init()
static inline struct mockndes_site_options
mockndes_site_options_init(void)
{
	struct mockndes_site_options options = {};

	options.size = sizeof(options);
	return options;
}
#else
#define MOCKNDES_SITE_OPTIONS_INIT                           \
	{                                                    \
		.size = sizeof(struct mockndes_site_options) \
	}
#endif

/* `options` NULL: a healthy one. *out is NULL on failure. */
MOCKNDES_API int mockndes_open_site(struct mockndes *,
    const struct mockndes_site_options *options, struct mockndes_site **out,
    char *error);
/*
 * Its URLs are gone, its port is closed, what is in progress there is cut, and
 * the handle is freed. NULL is fine; the default site stays.
 */
MOCKNDES_API void mockndes_close_site(struct mockndes_site *);
/* The one at the root; it needs not be closed. */
MOCKNDES_API struct mockndes_site *mockndes_default_site(struct mockndes *);

/*
 * Texts that live as long as the handle. The URL for SCEP clients, the page
 * with one-time passwords, and what both begin with, without a slash at its
 * end.
 */
MOCKNDES_API const char *mockndes_site_id(const struct mockndes_site *);
MOCKNDES_API const char *mockndes_site_url(const struct mockndes_site *);
MOCKNDES_API const char *mockndes_site_admin_url(const struct mockndes_site *);
MOCKNDES_API const char *mockndes_site_base_url(const struct mockndes_site *);

/*
 * Another scenario, from the next exchange on: settings, rules and counters are
 * its own. CA, certificates, passwords, requests that wait, clock and journal
 * stay.
 */
MOCKNDES_API int mockndes_use_scenario(struct mockndes_site *,
    const char *scenario, const char *const *set, size_t set_count,
    char *error);
/* The text of one. Errors name it "yaml": "yaml:3:5: unknown key ...". */
MOCKNDES_API int mockndes_use_yaml(struct mockndes_site *, const char *yaml,
    char *error);
/* One key, "server.windows=2012r2"; rules and counters stay. */
MOCKNDES_API int mockndes_set(struct mockndes_site *, const char *setting,
    char *error);
/*
 * All is as when its scenario began: the settings given with it, counters, the
 * machine's clock; passwords, certificates, requests that wait, logs in memory
 * and the journal are empty. The CA stays, and numbers of the journal go on.
 * With state_dir, the certificates of the default site stay.
 */
MOCKNDES_API int mockndes_reset(struct mockndes_site *, char *error);

/*
 * A new challenge password of `length` characters, 1 to 8192; 0: as many as
 * NDES's own have, 16 unless set otherwise. It is good once, for the 60 minutes
 * of server.mscep.challenge.validity; no cache of five limits it. Where a site
 * has a lasting one, it is that.
 */
#define MOCKNDES_CHALLENGE_SIZE 8193
MOCKNDES_API int mockndes_challenge(struct mockndes_site *, size_t length,
    char out[MOCKNDES_CHALLENGE_SIZE], char *error);
/* The certificate of the CA that issues, in PEM. */
#define MOCKNDES_PEM_SIZE 16384
MOCKNDES_API int mockndes_site_ca_pem(struct mockndes_site *,
    char out[MOCKNDES_PEM_SIZE], char *error);
/*
 * Passwords, certificates, rollovers and requests that wait grow older by so
 * many seconds; nobody sleeps. Returns the site's time then, in seconds since
 * 1970; 0 seconds, or less, only ask for it.
 */
MOCKNDES_API int64_t mockndes_advance_clock(struct mockndes_site *,
    int64_t seconds);

/* Of requests that wait (server.ca.approval=manual): issue, or refuse. */
MOCKNDES_API int mockndes_approve(struct mockndes_site *,
    const char *transaction_id, char *error);
MOCKNDES_API int mockndes_deny(struct mockndes_site *,
    const char *transaction_id, char *error);

/*
 * What an administrator does, right or wrong: one of `mockndes actions`, with
 * its arguments as "NAME=VALUE" (or NULL). Some of it shows after "iisreset" or
 * "restart-server" alone, which are actions too.
 */
MOCKNDES_API int mockndes_action(struct mockndes_site *, const char *name,
    const char *const *arguments, size_t count, char *error);
/* 1: nothing is wrong with it; 0: `why` has the first reason, as an error. */
MOCKNDES_API int mockndes_healthy(struct mockndes_site *, char *why);

/*
 * One exchange of the site's journal, once it is over. Texts are printable
 * ASCII, cut where they are very long, and never NULL: what was not said or is
 * not known is empty. New members come at the end.
 */
struct mockndes_request {
	uint64_t seq;  /* from 1, in the order in which they ended */
	uint64_t lost; /* before it: gone for lack of room, not told */
	int64_t at;    /* seconds since 1970, by the site's clock */
	int64_t duration_ms;
	const char *source; /* "127.0.0.1" */
	const char *method; /* "GET" */
	const char *target; /* "/certsrv/mscep/mscep.dll?operation=..." */
	const char *user_agent;
	const char *operation; /* "PKIOperation" */
	/* What a PKIOperation says, if it could be decoded. */
	const char *message_type; /* "PKCSReq" */
	const char *transaction_id;
	const char *subject;   /* "CN=device" */
	const char *challenge; /* "good", "used", ... */
	/* The answer. */
	const char *layer; /* that gave it: "http-sys", "iis", "mscep" */
	int status;	   /* of HTTP; 0: none was sent */
	int substatus;
	uint32_t win32;	    /* as in the IIS log */
	int pki_status;	    /* 0 SUCCESS, 2 FAILURE, 3 PENDING; -1: none */
	int fail_info;	    /* RFC 8894 3.2.1.4.3; -1: none */
	const char *serial; /* of the certificate that was issued; hex */
	const char *why;    /* it failed, for a developer */
	const char *ended;  /* "sent", "client-left", "fault", "cut" */
	/*
	 * Rules of the scenario that applied, by the lines of their first
	 * keys: "flaky.yaml:6 flaky.yaml:9"; of a text "yaml:4".
	 */
	const char *rules;
	unsigned rule_turn; /* of the first of them: 1, 2, ...; 0: none */
	const char *json;   /* all that is known, as the control API has it */
};
/*
 * Takes the next one: each call tells of one that no call has told of before.
 * With an operation ("PKIOperation"), others are passed over; NULL: any. An
 * exchange may end an instant after its client has the answer, so this waits
 * for it, so long at most. NULL: none came in this time (or no memory).
 */
MOCKNDES_API struct mockndes_request *
mockndes_next_request(struct mockndes_site *, const char *operation,
    unsigned timeout_ms);
MOCKNDES_API void mockndes_request_free(struct mockndes_request *);
/* Those in the journal now, taken or not; does not wait. */
MOCKNDES_API size_t mockndes_count_requests(struct mockndes_site *,
    const char *operation);
/* Empties the journal: what follows is told, what was is not. */
MOCKNDES_API void mockndes_forget_requests(struct mockndes_site *);

/* An answer of mockndes_control(); free it with mockndes_reply_clear(). */
struct mockndes_reply {
	int status;		  /* as in HTTP */
	const char *content_type; /* static; NULL: there is no body */
	char *body;		  /* NUL terminated */
	size_t length;		  /* without the NUL */
};

/*
 * The control API without a socket: `path` as in HTTP, query included; body
 * may be NULL, and is JSON if it begins with "{", else YAML where that is taken.
 * No token is needed. A path that says ?wait= waits here. Every call fills
 * *reply; -1 only without memory.
 */
MOCKNDES_API int mockndes_control(struct mockndes *, const char *method,
    const char *path, const char *body, size_t length,
    struct mockndes_reply *reply);
MOCKNDES_API void mockndes_reply_clear(struct mockndes_reply *);

/* What can be told without a server. */
enum mockndes_topic {
	MOCKNDES_SCENARIOS,	 /* a line each: name, title */
	MOCKNDES_SCENARIOS_JSON, /* [{name, title, description, reference}] */
	MOCKNDES_SCENARIO,	 /* the YAML of the one called `name` */
	MOCKNDES_FAULTS,	 /* every key of a rule, for a terminal */
	MOCKNDES_SCHEMA,	 /* the language as JSON Schema */
	MOCKNDES_MANUAL,	 /* all its keys in mdoc */
	MOCKNDES_ACTIONS,	 /* what an administrator can do */
};
/*
 * Scenarios of `scenario_dir` go before those built in. It may be NULL, and
 * so may `name` but for MOCKNDES_SCENARIO. *reply as of mockndes_control().
 */
MOCKNDES_API int mockndes_describe(enum mockndes_topic topic, const char *name,
    const char *scenario_dir, struct mockndes_reply *reply, char *error);

/*
 * Reads a scenario (a name, a file or "-") as mockndes_start() does: 0, or -1
 * and a line for each error.
 */
MOCKNDES_API int mockndes_check(const char *scenario, const char *scenario_dir,
    char *error);

/*
 * Makes a key set in `dir` (created with mode 0700): the keys and the
 * certificates of the CA and of both RAs. Refuses to overwrite.
 */
MOCKNDES_API int mockndes_make_keys(const char *dir, char *error);

/* "0.1.0" */
MOCKNDES_API const char *mockndes_version(void);

#ifdef __cplusplus
}
#endif

#endif
