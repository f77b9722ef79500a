/* The flags of `serve`, as the command line and the environment have them. */
#ifndef FLAGS_H
#define FLAGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXIT_USAGE 2
#define CONTROL_DEFAULT "127.0.0.1:8081"

#define FLAG_LIST_MAX 64
struct flag_list {
	const char *items[FLAG_LIST_MAX];
	size_t count;
};

struct flag_ports {
	unsigned first, last; /* 0: not said */
};

/* What `serve` was told; strings are borrowed from argv and environment. */
struct serve_flags {
	const char *scenario, *scenario_dir, *listen, *control, *challenge,
	    *keys, *state_dir, *log_dir;
	const char *ready_file, *ca_out, *tls_listen, *public_url,
	    *control_token;
	struct flag_list sets, tls_names;
	struct flag_ports site_ports;
	uint64_t seed; /* 0: not said */
	uint64_t max_sites, journal;
	bool allow_remote, verbose;
};

/* 0, or EXIT_USAGE once it has been said why. */
int flags_read(struct serve_flags *, char **argv);
/* All of them, as --help shows them. */
void flags_print(void);
/* Says what is wrong with the command line; EXIT_USAGE. */
int usage(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
