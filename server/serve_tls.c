#include "serve_tls.h"

#include <ctype.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define NAMES_MAX 64
#define NAME_SIZE 254	/* of DNS, NUL included */
#define KEPT_MAX 64	/* certificates */
#define DRIFT_S 43200LL /* of the clocks, until one is made again */
#define SUFFIX ".test"	/* NAME.test is for scenario NAME */

static const char *const local_names[] = { "localhost", "127.0.0.1", "::1" };

/* What a certificate was made for. */
struct wanted {
	char ca_sha256[65];
	enum server_certificate is;
	bool incomplete;
	char name[NAME_SIZE]; /* beside those of the server; or empty */
	int64_t earliest, latest;
};

struct kept {
	struct wanted wanted;
	struct tls_identity *identity;
};

struct serve_tls {
	struct serve_tls_options options;
	char *names[NAMES_MAX + 1]; /* room for that of a scenario */
	size_t name_count;
	char *scenario_dir;
	pthread_mutex_t lock; /* what follows */
	struct kept kept[KEPT_MAX];
	size_t kept_count, oldest;
};

int
serve_tls_check_name(const char *name, struct error *err)
{
	size_t len = strlen(name);

	if (len == 0 || len >= NAME_SIZE)
		return error_set(err,
		    "a name of the server has 1 to %d "
		    "characters",
		    NAME_SIZE - 1);
	for (const char *c = name; *c != '\0'; c++)
		if (!isalnum((unsigned char)*c) && strchr("-._:*", *c) == NULL)
			return error_set(err,
			    "\"%.60s\" is neither the name of a host nor a "
			    "numeric address",
			    name);
	return 0;
}

static int
take_names(struct serve_tls *s, const char *const *names, size_t count,
    struct error *err)
{
	if (count == 0) {
		names = local_names;
		count = sizeof(local_names) / sizeof(local_names[0]);
	}
	if (count > NAMES_MAX)
		return error_set(err, "a server has %d names at most",
		    NAMES_MAX);
	for (; s->name_count < count; s->name_count++) {
		const char *name = names[s->name_count];

		if (serve_tls_check_name(name, err) == -1)
			return -1;
		if ((s->names[s->name_count] = strdup(name)) == NULL)
			return error_set(err, "out of memory");
	}
	return 0;
}

int
serve_tls_new(struct serve_tls **out, const struct serve_tls_options *options,
    struct error *err)
{
	struct serve_tls *s = calloc(1, sizeof(*s));

	if ((*out = s) == NULL)
		return error_set(err, "out of memory");
	s->options = *options;
	pthread_mutex_init(&s->lock, NULL);
	if (options->scenario_dir != NULL &&
	    (s->scenario_dir = strdup(options->scenario_dir)) == NULL)
		error_set(err, "out of memory");
	else if (take_names(s, options->names, options->name_count, err) == 0)
		return 0;
	serve_tls_free(s);
	*out = NULL;
	return -1;
}

void
serve_tls_free(struct serve_tls *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->name_count; i++)
		free(s->names[i]);
	for (size_t i = 0; i < s->kept_count; i++)
		tls_identity_free(s->kept[i].identity);
	pthread_mutex_destroy(&s->lock);
	free(s->scenario_dir);
	free(s);
}

/* "NAME" of "NAME.test"; false: it is none of those. */
static bool
scenario_name(const char *host, char out[NAME_SIZE])
{
	size_t len = host == NULL ? 0 : strlen(host), end = strlen(SUFFIX);

	if (len <= end || len >= NAME_SIZE ||
	    strcasecmp(host + len - end, SUFFIX) != 0)
		return false;
	for (size_t i = 0; i < len - end; i++) {
		out[i] = (char)tolower((unsigned char)host[i]);
		if (!isalnum((unsigned char)out[i]) && out[i] != '-')
			return false;
	}
	out[len - end] = '\0';
	return true;
}

/*
 * Whose state it is, by the name that the client asks for; the name if it has
 * to be in the certificate.
 */
static void
find_state(struct serve_tls *s, const char *host, struct stack_state *out,
    char name[NAME_SIZE])
{
	const struct scenario_options options = { .dir = s->scenario_dir };
	struct scenario *scenario = NULL;
	struct errors unknown = { 0 };
	int found = -1;

	if (scenario_name(host, name))
		found = scenario_find(name, &options, &scenario, &unknown);
	errors_clear(&unknown);
	if (found == 0) {
		*out = scenario->state;
		scenario_free(scenario);
		strcat(name, SUFFIX);
		return;
	}
	site_state(site_default(s->options.sites), out);
	name[0] = '\0';
}

/* Those of before serve while no clock has moved much. */
static bool
is_for(const struct wanted *kept, const struct wanted *w)
{
	return strcmp(kept->ca_sha256, w->ca_sha256) == 0 &&
	    kept->is == w->is && kept->incomplete == w->incomplete &&
	    strcmp(kept->name, w->name) == 0 &&
	    llabs(w->earliest - kept->earliest) < DRIFT_S &&
	    llabs(w->latest - kept->latest) < DRIFT_S;
}

static struct tls_identity *
find_kept(struct serve_tls *s, const struct wanted *w)
{
	struct tls_identity *found = NULL;

	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < s->kept_count && found == NULL; i++)
		if (is_for(&s->kept[i].wanted, w))
			found = tls_identity_ref(s->kept[i].identity);
	pthread_mutex_unlock(&s->lock);
	return found;
}

static void
keep(struct serve_tls *s, const struct wanted *w, struct tls_identity *identity)
{
	struct kept *to;

	pthread_mutex_lock(&s->lock);
	if (s->kept_count < KEPT_MAX) {
		to = &s->kept[s->kept_count++];
	} else {
		to = &s->kept[s->oldest++ % KEPT_MAX];
		tls_identity_free(to->identity);
	}
	*to = (struct kept){ *w, tls_identity_ref(identity) };
	pthread_mutex_unlock(&s->lock);
}

static struct tls_identity *
make_identity(struct serve_tls *s, const struct credentials *cred,
    const struct wanted *w, struct error *err)
{
	const char *names[NAMES_MAX + 1];
	struct tls_order order = { .is = w->is,
		.incomplete = w->incomplete,
		.names = names,
		.name_count = s->name_count,
		.earliest = w->earliest,
		.latest = w->latest };
	struct span certs[sizeof(((struct tls_chain *)NULL)->certs) /
	    sizeof(struct blob)];
	struct tls_identity *identity = NULL;
	struct tls_chain chain;

	memcpy(names, s->names, s->name_count * sizeof(names[0]));
	if (w->name[0] != '\0')
		names[order.name_count++] = w->name;
	if (ca_tls_chain(cred, &order, &chain, err) == -1)
		return NULL;
	for (size_t i = 0; i < chain.count; i++)
		certs[i] = blob_span(&chain.certs[i]);
	tls_identity_new(&identity, chain.key, certs, chain.count,
	    crypto_library(s->options.crypto), err);
	ca_tls_clear(&chain);
	return identity;
}

static void
tell(struct serve_tls *s, const char *what, const char *why)
{
	char line[320];

	if (s->options.narrate == NULL)
		return;
	snprintf(line, sizeof(line), "TLS: %s: %s", what, why);
	s->options.narrate(s->options.cls, line);
}

static struct tls_identity *
get_identity(struct serve_tls *s, const struct stack_state *state,
    const char *name)
{
	struct site *site = site_default(s->options.sites);
	struct error err = { 0 };
	struct credentials *cred = site_credentials(site, &err);
	int64_t now = clock_now(site_clock(site)), machine = time(NULL);
	struct wanted w = { .is = state->tls.certificate,
		.incomplete = state->tls.chain == TLS_CHAIN_INCOMPLETE,
		.earliest = now < machine ? now : machine,
		.latest = now < machine ? machine : now };
	struct tls_identity *identity;

	if (cred == NULL) {
		tell(s, "no certificate", err.text);
		return NULL;
	}
	strcpy(w.ca_sha256, cred->ca_sha256);
	strcpy(w.name, name);
	identity = find_kept(s, &w);
	if (identity == NULL) {
		if ((identity = make_identity(s, cred, &w, &err)) == NULL)
			tell(s, "no certificate", err.text);
		else
			keep(s, &w, identity);
	}
	credentials_free(cred);
	return identity;
}

static const struct {
	int oldest, newest;
} versions[] = {
	[TLS_VERSIONS_MODERN] = { TLS_1_2, TLS_1_3 },
	[TLS_VERSIONS_1_0] = { TLS_1_0, TLS_1_0 },
	[TLS_VERSIONS_1_1] = { TLS_1_1, TLS_1_1 },
	[TLS_VERSIONS_1_2] = { TLS_1_2, TLS_1_2 },
	[TLS_VERSIONS_1_3] = { TLS_1_3, TLS_1_3 },
};

static enum tls_handshake
handshake_of(const struct stack_state *state, bool hello)
{
	if (network_refuses(state))
		return TLS_RESETS;
	if (state->network.device == DEVICE_SILENT)
		return TLS_HANGS;
	switch (state->tls.handshake) {
	case HANDSHAKE_HANG:
		return TLS_HANGS;
	case HANDSHAKE_RESET:
		return TLS_RESETS;
	case HANDSHAKE_HANG_AFTER_HELLO:
		return hello ? TLS_HANGS : TLS_GOES_ON;
	case HANDSHAKE_RESET_AFTER_HELLO:
		return hello ? TLS_RESETS : TLS_GOES_ON;
	case HANDSHAKE_GOOD:
		break;
	}
	return TLS_GOES_ON;
}

static int
settings(void *cls, bool hello, const char *host, struct tls_settings *out)
{
	struct stack_state state;
	char name[NAME_SIZE];

	find_state(cls, host, &state, name);
	*out = (struct tls_settings){
		.handshake = handshake_of(&state, hello),
		.oldest = versions[state.tls.versions].oldest,
		.newest = versions[state.tls.versions].newest,
		.asks_for_certificate = state.tls.client_certificate !=
		    CLIENT_CERTIFICATE_NONE,
		.needs_certificate = state.tls.client_certificate ==
		    CLIENT_CERTIFICATE_REQUIRED,
	};
	if (!hello || out->handshake != TLS_GOES_ON)
		return 0;
	out->identity = get_identity(cls, &state, name);
	return out->identity == NULL ? -1 : 0;
}

static void
failed(void *cls, const struct endpoint *source, const char *why)
{
	char address[ENDPOINT_TEXT_SIZE], what[ENDPOINT_TEXT_SIZE + 40];

	snprintf(what, sizeof(what), "no handshake with %s",
	    endpoint_text(source, address));
	tell(cls, what, why);
}

struct tls_service
serve_tls_service(struct serve_tls *s)
{
	return (struct tls_service){ settings, failed, s };
}
