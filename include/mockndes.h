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
	const char *const *set; /* "server.KEY=VALUE", or NULL */
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
	 * maybe port and path. Ports of sites, and of TLS, have its host.
	 */
	const char *public_url;
	/* From which to which sites get ports of their own; 0: any free ones. */
	unsigned site_port_first, site_port_last;
	unsigned max_sites; /* 0: 1024 */
	/* Exchanges that the journal of a site keeps; 0: 256, -1: none. */
	int journal;
	/* What the control API wants as a bearer token; NULL: nothing. */
	const char *control_token;
};
#define MOCKNDES_OPTIONS_INIT                           \
	{                                               \
		.size = sizeof(struct mockndes_options) \
	}

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
 * URL, "http://127.0.0.1:40001", is written to `url`, of `size` octets.
 */
MOCKNDES_API int mockndes_listen(struct mockndes *, const char *address,
    char *url, size_t size, char *error);

/* The URL for SCEP clients; lives as long as the instance. */
MOCKNDES_API const char *mockndes_url(const struct mockndes *);

/*
 * One line of JSON: url, admin_url, base_url, control, tls_url, scenario,
 * ca_sha256, seed, pid. Lives as long as the instance.
 */
MOCKNDES_API const char *mockndes_ready(const struct mockndes *);

/* The CA certificate in PEM; lives as long as the instance. */
MOCKNDES_API const char *mockndes_ca_pem(const struct mockndes *);

/* An answer of mockndes_control(); free it with mockndes_reply_clear(). */
struct mockndes_reply {
	int status;		  /* as in HTTP */
	const char *content_type; /* static */
	char *body;		  /* NUL terminated */
	size_t length;		  /* without the NUL */
};

/*
 * The control API without a socket: `path` as in HTTP, query included; body
 * may be NULL. Every call fills *reply; -1 only without memory.
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
 * so may `name` unless one is asked for. *reply as of mockndes_control().
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
