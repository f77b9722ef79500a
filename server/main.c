/* The command line; the only code that prints usage or exits. */
#include "mockndes.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/nearest.h"
#include "flags.h"
#include "readyz.h"

static void
print_help(void)
{
	printf(
	    "mockndes: a mock Microsoft NDES (SCEP) server for tests. "
	    "TEST ONLY.\n\n"
	    "usage: mockndes serve [flags]      run a server until SIGTERM\n"
	    "       mockndes scenarios [--json] list the scenarios\n"
	    "       mockndes show NAME          print one, in YAML\n"
	    "       mockndes check FILE...      say what is wrong with them\n"
	    "       mockndes faults             list what a rule can do\n"
	    "       mockndes actions            list what an administrator can do\n"
	    "       mockndes schema             print a JSON Schema for editors\n"
	    "       mockndes keys --out DIR     make a key set for --keys\n"
	    "       mockndes readyz [URL]       exit 0 if a server is ready\n"
	    "       mockndes --version | --help\n\n"
	    "flags of serve; each has a twin in the environment, e.g. "
	    "MOCKNDES_LOG_DIR:\n");
	flags_print();
	printf("\nWhen it is ready it prints one line: READY and JSON with "
	       "the URLs.\nExit status: 0 stopped or done, 1 could not, 2 "
	       "bad usage.\n");
}

static void
narrate(void *cls, const char *line)
{
	(void)cls;
	fprintf(stderr, "%s\n", line);
}

/* Atomic: a reader sees the whole file or none. */
static int
write_file(const char *path, const char *text, const char *end)
{
	char temporary[4096];
	FILE *f;
	int len;

	len = snprintf(temporary, sizeof(temporary), "%s.%ld.tmp", path,
	    (long)getpid());
	if (len < 0 || (size_t)len >= sizeof(temporary)) {
		errno = ENAMETOOLONG;
	} else if ((f = fopen(temporary, "we")) != NULL) {
		bool good = fprintf(f, "%s%s", text, end) >= 0;

		good &= fclose(f) == 0;
		if (good && rename(temporary, path) == 0)
			return 0;
		len = errno;
		unlink(temporary);
		errno = len;
	}
	fprintf(stderr, "mockndes: %s: %s\n", path, strerror(errno));
	return -1;
}

/* Connections are bounded by descriptors: take all that we may have. */
static void
raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static int
announce(const struct serve_flags *flag, const struct mockndes *server)
{
	if (flag->ca_out != NULL &&
	    write_file(flag->ca_out, mockndes_ca_pem(server), "") == -1)
		return -1;
	if (flag->ready_file != NULL &&
	    write_file(flag->ready_file, mockndes_ready(server), "\n") == -1)
		return -1;
	fprintf(stderr,
	    "mockndes %s: TEST ONLY. Its CA certifies whoever "
	    "asks; trust it nowhere else.\n",
	    mockndes_version());
	printf("READY %s\n", mockndes_ready(server));
	fflush(stdout);
	return 0;
}

/* Until it is ready there is nothing to finish. */
static void
leave(int sig)
{
	(void)sig;
	_exit(EXIT_SUCCESS);
}

static void
on_stop(void (*handler)(int))
{
	const struct sigaction action = { .sa_handler = handler };

	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
}

/* Each line says whose it is. */
static void
print_error(const char *text)
{
	const char *end;

	for (; (end = strchr(text, '\n')) != NULL; text = end + 1)
		fprintf(stderr, "mockndes: %.*s\n", (int)(end - text), text);
	fprintf(stderr, "mockndes: %s\n", text);
}

static void
set_options(struct mockndes_options *out, const struct serve_flags *flag)
{
	out->listen = flag->listen;
	out->control = strcmp(flag->control, "off") == 0 ? NULL : flag->control;
	out->scenario = flag->scenario;
	out->scenario_dir = flag->scenario_dir;
	out->set = flag->sets.items;
	out->set_count = flag->sets.count;
	out->tls_listen = flag->tls_listen;
	out->tls_names = flag->tls_names.items;
	out->tls_name_count = flag->tls_names.count;
	out->seed = flag->seed;
	out->public_url = flag->public_url;
	out->site_port_first = flag->site_ports.first;
	out->site_port_last = flag->site_ports.last;
	out->max_sites = (unsigned)flag->max_sites;
	out->journal = flag->journal == 0 ? -1 : (int)flag->journal;
	out->control_token = flag->control_token;
	out->challenge = flag->challenge;
	out->keys = flag->keys;
	out->state_dir = flag->state_dir;
	out->log_dir = flag->log_dir;
	out->allow_remote = flag->allow_remote;
	out->narrate = flag->verbose ? narrate : NULL;
	out->warn = narrate;
}

static int
serve(char **argv)
{
	struct mockndes_options options = MOCKNDES_OPTIONS_INIT;
	char error[MOCKNDES_ERROR_SIZE];
	struct mockndes *server;
	struct serve_flags flag;
	sigset_t stop;
	int status, sig;

	if ((status = flags_read(&flag, argv)) != 0)
		return status;
	set_options(&options, &flag);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	sigaddset(&stop, SIGINT);
	on_stop(leave);
	sigprocmask(SIG_UNBLOCK, &stop, NULL);
	raise_descriptor_limit();
	/* One of an earlier run would tell a lie. */
	if (flag.ready_file != NULL)
		unlink(flag.ready_file);
	if ((status = mockndes_start(&options, &server, error)) != 0) {
		print_error(error);
		return status == MOCKNDES_USAGE ? EXIT_USAGE : EXIT_FAILURE;
	}
	sigprocmask(SIG_BLOCK, &stop, NULL);
	if ((status = announce(&flag, server)) == 0)
		sigwait(&stop, &sig);
	mockndes_stop(server);
	return status == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int
make_keys(char **argv)
{
	const char *dir = getenv("MOCKNDES_OUT");
	char error[MOCKNDES_ERROR_SIZE];

	if (argv[0] != NULL && strncmp(argv[0], "--out=", 6) == 0)
		dir = (argv++)[0] + 6;
	else if (argv[0] != NULL && strcmp(argv[0], "--out") == 0 &&
	    argv[1] != NULL)
		dir = argv[1], argv += 2;
	if (argv[0] != NULL)
		return usage("unexpected argument \"%s\"", argv[0]);
	if (dir == NULL || *dir == '\0')
		return usage("keys wants --out DIR");
	if (mockndes_make_keys(dir, error) == -1) {
		fprintf(stderr, "mockndes: %s\n", error);
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}

/*
 * Takes --scenario-dir, --json where there is one, and leaves the rest in
 * `argv`, at most so many.
 */
static int
read_words(char **argv, size_t most, const char **dir, bool *json)
{
	static const char name[] = "--scenario-dir";
	size_t len = strlen(name), kept = 0;

	*dir = getenv("MOCKNDES_SCENARIO_DIR");
	for (char **at = argv; *at != NULL; at++) {
		if (strncmp(*at, name, len) == 0 && (*at)[len] == '=')
			*dir = *at + len + 1;
		else if (strcmp(*at, name) == 0)
			*dir = at[1] == NULL ? "" : *++at;
		else if (json != NULL && strcmp(*at, "--json") == 0)
			*json = true;
		else if (strncmp(*at, "--", 2) == 0)
			return usage("unknown flag %s", *at);
		else if (kept == most)
			return usage("unexpected argument \"%s\"", *at);
		else
			argv[kept++] = *at;
		if (*dir != NULL && **dir == '\0' &&
		    strncmp(*at, name, len) == 0)
			return usage("%s wants a value", name);
	}
	argv[kept] = NULL;
	if (*dir != NULL && **dir == '\0')
		*dir = NULL;
	return 0;
}

static int
print_topic(enum mockndes_topic topic, const char *name, const char *dir)
{
	char error[MOCKNDES_ERROR_SIZE];
	struct mockndes_reply reply;
	size_t written;

	if (mockndes_describe(topic, name, dir, &reply, error) == -1) {
		print_error(error);
		return EXIT_FAILURE;
	}
	written = fwrite(reply.body, 1, reply.length, stdout);
	if (written > 0 && reply.body[written - 1] != '\n')
		putchar('\n');
	written -= reply.length;
	mockndes_reply_clear(&reply);
	if (written == 0 && fflush(stdout) == 0)
		return EXIT_SUCCESS;
	fprintf(stderr, "mockndes: standard output: %s\n", strerror(errno));
	return EXIT_FAILURE;
}

static int
list_scenarios(char **argv)
{
	bool json = false;
	const char *dir;
	int status = read_words(argv, 0, &dir, &json);

	if (status != 0)
		return status;
	return print_topic(json ? MOCKNDES_SCENARIOS_JSON : MOCKNDES_SCENARIOS,
	    NULL, dir);
}

static int
show(char **argv)
{
	const char *dir;
	int status = read_words(argv, 1, &dir, NULL);

	if (status == 0 && argv[0] == NULL)
		status = usage("show wants the name of a scenario");
	return status != 0 ? status :
			     print_topic(MOCKNDES_SCENARIO, argv[0], dir);
}

static int
check(char **argv)
{
	char error[MOCKNDES_ERROR_SIZE];
	const char *dir;
	int status = read_words(argv, SIZE_MAX, &dir, NULL);

	if (status == 0 && argv[0] == NULL)
		status = usage("check wants a file, or - for standard input");
	if (status != 0)
		return status;
	for (; *argv != NULL; argv++) {
		if (mockndes_check(*argv, dir, error) == 0) {
			printf("%s: ok\n", *argv);
			continue;
		}
		fprintf(stderr, "%s\n", error);
		status = EXIT_FAILURE;
	}
	return status;
}

/* Those that take no argument. */
static int
print_tables(char **argv, enum mockndes_topic topic)
{
	const char *dir;
	int status = read_words(argv, 0, &dir, NULL);

	return status != 0 ? status : print_topic(topic, NULL, dir);
}

static int
list_faults(char **argv)
{
	return print_tables(argv, MOCKNDES_FAULTS);
}

static int
list_actions(char **argv)
{
	return print_tables(argv, MOCKNDES_ACTIONS);
}

static int
print_schema(char **argv)
{
	return print_tables(argv, MOCKNDES_SCHEMA);
}

/* For the build, which makes a manual page of it. */
static int
print_manual(char **argv)
{
	return print_tables(argv, MOCKNDES_MANUAL);
}

static int
ask_readyz(char **argv)
{
	const char *where = getenv("MOCKNDES_CONTROL");
	char text[MOCKNDES_ERROR_SIZE];
	struct error err = { 0 };

	if (argv[0] != NULL && argv[1] != NULL)
		return usage("unexpected argument \"%s\"", argv[1]);
	if (argv[0] != NULL)
		where = argv[0];
	else if (where == NULL || *where == '\0')
		where = CONTROL_DEFAULT;
	if (readyz(where, &err) == 0)
		return EXIT_SUCCESS;
	fprintf(stderr, "mockndes: %s\n",
	    error_print(&err, text, sizeof(text)));
	return EXIT_FAILURE;
}

static bool
asks_for_help(char **argv)
{
	for (; *argv != NULL; argv++)
		if (strcmp(*argv, "--help") == 0 || strcmp(*argv, "-h") == 0)
			return true;
	return false;
}

static const struct verb {
	const char *name;
	int (*run)(char **argv);
} verbs[] = {
	{ "serve", serve },
	{ "scenarios", list_scenarios },
	{ "show", show },
	{ "check", check },
	{ "faults", list_faults },
	{ "actions", list_actions },
	{ "schema", print_schema },
	{ "keys", make_keys },
	{ "readyz", ask_readyz },
	{ "manual", print_manual },
};
#define VERBS (sizeof(verbs) / sizeof(verbs[0]))

int
main(int argc, char **argv)
{
	struct nearest n = { .asked = argc > 1 ? argv[1] : "" };

	if (argc > 1 && asks_for_help(argv + 1)) {
		print_help();
		return EXIT_SUCCESS;
	}
	if (argc < 2)
		return usage("no command, such as serve");
	if (strcmp(argv[1], "--version") == 0) {
		printf("mockndes %s\n", mockndes_version());
		return EXIT_SUCCESS;
	}
	for (size_t i = 0; i < VERBS; i++) {
		if (strcmp(argv[1], verbs[i].name) == 0)
			return verbs[i].run(argv + 2);
		nearest_consider(&n, verbs[i].name);
	}
	return usage("unknown command \"%s\", did you mean \"%s\"?", argv[1],
	    n.best);
}
