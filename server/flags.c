#include "flags.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/nearest.h"

#define COUNT_MAX 1000000

static const struct serve_flags defaults = {
	.listen = "127.0.0.1:8080",
	.control = CONTROL_DEFAULT,
	.max_sites = 1024,
	.journal = 256,
};

enum flag_kind { FLAG_TEXT, FLAG_LIST, FLAG_NUMBER, FLAG_PORTS, FLAG_SWITCH };

static const struct flag {
	const char *name, *value, *help;
	enum flag_kind kind;
	size_t offset;
	uint64_t least, most; /* of a number */
} flags[] = {
#define AT(member) .offset = offsetof(struct serve_flags, member)
	{ "scenario", "NAME|FILE|-",
	    "what is wrong with the server (healthy);\n"
	    "-: read it from standard input",
	    FLAG_TEXT, AT(scenario) },
	{ "scenario-dir", "DIR", "look for NAME.yaml in DIR first", FLAG_TEXT,
	    AT(scenario_dir) },
	{ "set", "KEY=VALUE",
	    "change a key of the scenario, e.g.\n"
	    "server.iis.error_pages=detailed; may be repeated",
	    FLAG_LIST, AT(sets) },
	{ "listen", "ADDR:PORT",
	    "where SCEP is answered (127.0.0.1:8080);\n"
	    "port 0: any free one; IPv6: [::1]:8080",
	    FLAG_TEXT, AT(listen) },
	{ "control", "ADDR:PORT",
	    "where the control API is (127.0.0.1:8081),"
	    "\nor \"off\"",
	    FLAG_TEXT, AT(control) },
	{ "tls-listen", "ADDR:PORT",
	    "where SCEP is answered in TLS, with a\n"
	    "certificate of the CA (nowhere)",
	    FLAG_TEXT, AT(tls_listen) },
	{ "tls-name", "NAME",
	    "host or address that this certificate is\n"
	    "for (localhost, 127.0.0.1, ::1); may be repeated",
	    FLAG_LIST, AT(tls_names) },
	{ "challenge", "PASSWORD",
	    "accept this challenge password any number"
	    "\nof times, beside the one-time ones",
	    FLAG_TEXT, AT(challenge) },
	{ "keys", "DIR", "use the key set in DIR (see mockndes keys)",
	    FLAG_TEXT, AT(keys) },
	{ "state-dir", "DIR",
	    "keep the CA and every certificate in DIR,\n"
	    "which `openssl ca` can work on",
	    FLAG_TEXT, AT(state_dir) },
	{ "log-dir", "DIR",
	    "write DIR/SITE/W3SVC1/u_exYYMMDD.log and\n"
	    "DIR/SITE/HTTPERR/httperr1.log",
	    FLAG_TEXT, AT(log_dir) },
	{ "ready-file", "FILE", "write the JSON of the READY line to FILE",
	    FLAG_TEXT, AT(ready_file) },
	{ "ca-out", "FILE", "write the CA certificate to FILE, in PEM",
	    FLAG_TEXT, AT(ca_out) },
	{ "public-url", "URL",
	    "what shown URLs begin with, if clients come\n"
	    "by another way, e.g. http://ndes.example.com",
	    FLAG_TEXT, AT(public_url) },
	{ "site-ports", "FROM-TO",
	    "ports that sites get for themselves, e.g.\n"
	    "40000-40100 (any free ones)",
	    FLAG_PORTS, AT(site_ports) },
	{ "max-sites", "N", "so many sites at most (1024)", FLAG_NUMBER,
	    AT(max_sites), .least = 1, .most = COUNT_MAX },
	{ "journal", "N",
	    "exchanges that the journal of each site keeps\n"
	    "(256); 0: none",
	    FLAG_NUMBER, AT(journal), .least = 0, .most = COUNT_MAX },
	{ "seed", "N", "seed of everything that happens by chance", FLAG_NUMBER,
	    AT(seed), .least = 1, .most = INT64_MAX },
	{ "control-token", "TOKEN",
	    "what the control API wants to be shown, as a\n"
	    "bearer token; others see it on a command line: better\n"
	    "set MOCKNDES_CONTROL_TOKEN",
	    FLAG_TEXT, AT(control_token) },
	{ "allow-remote", NULL,
	    "let --listen, --control and --tls-listen be\n"
	    "other than loopback: anybody who reaches it gets a "
	    "certificate",
	    FLAG_SWITCH, AT(allow_remote) },
	{ "verbose", NULL, "say on stderr what happens, request by request",
	    FLAG_SWITCH, AT(verbose) },
};
#undef AT
#define FLAGS (sizeof(flags) / sizeof(flags[0]))

void
flags_print(void)
{
	for (size_t i = 0; i < FLAGS; i++) {
		const char *help = flags[i].help, *end;
		char left[40];

		snprintf(left, sizeof(left), "--%s %s", flags[i].name,
		    flags[i].value == NULL ? "" : flags[i].value);
		for (; (end = strchr(help, '\n')) != NULL; help = end + 1) {
			printf("  %-24s %.*s\n", left, (int)(end - help), help);
			left[0] = '\0';
		}
		printf("  %-24s %s\n", left, help);
	}
}

int
usage(const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "mockndes: ");
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, " (see mockndes --help)\n");
	return EXIT_USAGE;
}

static int
unknown_flag(const char *arg)
{
	struct nearest n = { .asked = arg + 2 };

	for (size_t i = 0; i < FLAGS; i++)
		nearest_consider(&n, flags[i].name);
	return usage("unknown flag %s, did you mean --%s?", arg, n.best);
}

static int
set_number(uint64_t *to, const struct flag *flag, const char *value)
{
	char *end;

	errno = 0;
	*to = strtoull(value, &end, 10);
	if (*value >= '0' && *value <= '9' && *end == '\0' && errno == 0 &&
	    *to >= flag->least && *to <= flag->most)
		return 0;
	return usage("--%s: \"%s\" is not a number from %llu to %llu",
	    flag->name, value, (unsigned long long)flag->least,
	    (unsigned long long)flag->most);
}

/* Behind the number, or NULL; 65536: more than a port can be. */
static const char *
read_port(const char *text, unsigned *out)
{
	const char *at = text;

	for (*out = 0; *at >= '0' && *at <= '9'; at++)
		if ((*out = *out * 10 + (unsigned)(*at - '0')) > 65535)
			*out = 65536;
	return at == text ? NULL : at;
}

static int
set_ports(struct flag_ports *to, const struct flag *flag, const char *value)
{
	const char *at = read_port(value, &to->first);

	if (at == NULL || *at != '-' ||
	    (at = read_port(at + 1, &to->last)) == NULL || *at != '\0')
		return usage("--%s: \"%s\" is not FROM-TO, such as "
			     "40000-40100",
		    flag->name, value);
	if (to->first < 1 || to->last > 65535 || to->first > to->last)
		return usage("--%s: \"%s\" does not go up from 1 or more to "
			     "65535 or less, as 40000-40100 does",
		    flag->name, value);
	return 0;
}

static int
set_flag(struct serve_flags *to, const struct flag *flag, const char *value)
{
	char *at = (char *)to + flag->offset;
	struct flag_list *list = (struct flag_list *)(void *)at;

	switch (flag->kind) {
	case FLAG_TEXT:
		*(const char **)at = value;
		return 0;
	case FLAG_LIST:
		if (list->count == FLAG_LIST_MAX)
			return usage("too many --%s: \"%s\"", flag->name,
			    value);
		list->items[list->count++] = value;
		return 0;
	case FLAG_NUMBER:
		return set_number((uint64_t *)(void *)at, flag, value);
	case FLAG_PORTS:
		return set_ports((struct flag_ports *)(void *)at, flag, value);
	case FLAG_SWITCH:
		break;
	}
	if (strcmp(value, "1") == 0 || strcasecmp(value, "true") == 0)
		*(bool *)at = true;
	else if (strcmp(value, "") == 0 || strcmp(value, "0") == 0 ||
	    strcasecmp(value, "false") == 0)
		*(bool *)at = false;
	else
		return usage("--%s: \"%s\" is neither true nor false",
		    flag->name, value);
	return 0;
}

/* A list holds several, with ";" between them. */
static int
read_environment(struct serve_flags *to)
{
	char name[64], *value, *at;
	int ret;

	for (size_t i = 0; i < FLAGS; i++) {
		snprintf(name, sizeof(name), "MOCKNDES_%s", flags[i].name);
		for (at = name; *at != '\0'; at++)
			*at = *at == '-'	     ? '_' :
			    *at >= 'a' && *at <= 'z' ? *at - 'a' + 'A' :
						       *at;
		if ((value = getenv(name)) == NULL || *value == '\0')
			continue;
		if (flags[i].kind == FLAG_LIST) {
			for (at = strtok(value, ";"); at != NULL;
			     at = strtok(NULL, ";"))
				if ((ret = set_flag(to, &flags[i], at)) != 0)
					return ret;
		} else if ((ret = set_flag(to, &flags[i], value)) != 0) {
			return ret;
		}
	}
	return 0;
}

/* "--name value", "--name=value", "--switch". Returns how many it took. */
static int
read_flag(struct serve_flags *to, char **argv, int *status)
{
	const char *arg = argv[0], *equals = strchr(arg, '=');
	size_t len = equals == NULL ? strlen(arg) : (size_t)(equals - arg);

	for (size_t i = 0; i < FLAGS; i++) {
		const char *value = equals == NULL ? argv[1] : equals + 1;

		if (strncmp(arg, "--", 2) != 0 ||
		    strlen(flags[i].name) != len - 2 ||
		    strncmp(arg + 2, flags[i].name, len - 2) != 0)
			continue;
		if (flags[i].kind == FLAG_SWITCH) {
			*status = set_flag(to, &flags[i],
			    equals == NULL ? "1" : value);
			return 1;
		}
		if (value == NULL || *value == '\0')
			*status = usage("--%s wants a value", flags[i].name);
		else
			*status = set_flag(to, &flags[i], value);
		return equals == NULL ? 2 : 1;
	}
	*status = strncmp(arg, "--", 2) == 0 ?
	    unknown_flag(arg) :
	    usage("unexpected argument \"%s\"", arg);
	return 1;
}

int
flags_read(struct serve_flags *to, char **argv)
{
	int status;

	*to = defaults;
	status = read_environment(to);
	while (status == 0 && *argv != NULL)
		argv += read_flag(to, argv, &status);
	return status;
}
