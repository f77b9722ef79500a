/* The public interface: an instance, and what can be asked of it. */
#include "mockndes.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "control/control.h"
#include "doors.h"
#include "handles.h"
#include "serve.h"
#include "serve_tls.h"
#include "state/state_dir.h"

#define GRACE_MS 5000
#define SCEP_PATH "/certsrv/mscep/mscep.dll"
#define ADMIN_PATH "/certsrv/mscep_admin/"

struct mockndes {
	struct crypto *crypto;
	struct key_set *keys;
	struct state_dir *state; /* then keys are its own */
	struct sites *sites;
	struct door door; /* of the shared ports */
	struct http *http;
	struct doors *doors;
	struct handles *handles;
	struct control control;
	struct serve_tls *serve_tls; /* NULL: no TLS */
	struct tls_service tls;
	struct endpoint scep_at, control_at, tls_at;
	/* copies of the options */
	char *challenge, *log_dir, *scenario, *scenario_dir, *control_token;
	uint64_t seed;
	bool allow_remote, has_control, has_tls;
	char *url, *ready, *ca_pem;
};

static int
fail(const struct error *err, char *out)
{
	if (out != NULL)
		error_print(err, out, MOCKNDES_ERROR_SIZE);
	return -1;
}

/* All that is wrong with a scenario. */
static int
load(const struct mockndes_options *o, struct scenario **out, char *error)
{
	const struct scenario_options options = { o->set, o->set_count,
		o->scenario_dir };
	struct errors errors = { 0 };
	int ret = scenario_load(o->scenario, &options, out, &errors);

	if (ret == -1 && error != NULL)
		errors_print(&errors, error, MOCKNDES_ERROR_SIZE);
	errors_clear(&errors);
	return ret;
}

/* Options of an older caller end earlier. */
static int
take_options(const struct mockndes_options *given, struct mockndes_options *out,
    struct error *err)
{
	const char **texts[] = { &out->challenge, &out->keys, &out->log_dir,
		&out->state_dir, &out->scenario_dir, &out->tls_listen,
		&out->public_url, &out->control_token };

	memset(out, 0, sizeof(*out));
	if (given->size < offsetof(struct mockndes_options, set))
		return error_set(err,
		    "mockndes_options.size is not set: "
		    "begin with MOCKNDES_OPTIONS_INIT");
	memcpy(out, given,
	    given->size < sizeof(*out) ? given->size : sizeof(*out));
	/* An empty path or password is a variable that was not set. */
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (*texts[i] != NULL && **texts[i] == '\0')
			*texts[i] = NULL;
	if (out->listen == NULL)
		out->listen = "127.0.0.1:0";
	if (out->scenario == NULL)
		out->scenario = "healthy";
	return 0;
}

static int
dup_option(char **out, const char *text, struct error *err)
{
	if (text != NULL && (*out = strdup(text)) == NULL)
		return error_set(err, "out of memory");
	return 0;
}

static int
parse_address(const struct mockndes *m, const char *text, struct endpoint *out,
    struct error *err)
{
	if (http_parse_address(text, out, err) == -1)
		return -1;
	if (!m->allow_remote && !http_is_loopback(out))
		return error_set(err,
		    "%s is not a loopback address: add "
		    "--allow-remote if others may reach this test CA",
		    text);
	return 0;
}

/* RFC 6750 2.1. A wrong one is not shown: it may be right elsewhere. */
static int
check_token(const char *token, struct error *err)
{
	size_t len = strspn(token,
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	    "-._~+/");

	if (len > 0 && strspn(token + len, "=") == strlen(token + len))
		return 0;
	return error_set(err,
	    "--control-token: a token has letters, digits and -._~+/ alone, "
	    "and may end in =");
}

static int
check_site_ports(const struct mockndes_options *o, struct error *err)
{
	unsigned first = o->site_port_first, last = o->site_port_last;

	if ((first == 0 && last == 0) ||
	    (first >= 1 && first <= last && last <= 65535))
		return 0;
	return error_set(err,
	    "ports of sites from %u to %u: they go up from 1 or more to 65535 "
	    "or less, as --site-ports 40000-40100 does",
	    first, last);
}

/* Everything that can be wrong about the options themselves. */
static int
check(struct mockndes *m, const struct mockndes_options *o, struct error *err)
{
	m->allow_remote = o->allow_remote != 0;
	m->has_control = o->control != NULL;
	m->has_tls = o->tls_listen != NULL;
	if (parse_address(m, o->listen, &m->scep_at, err) == -1 ||
	    (m->has_control &&
		parse_address(m, o->control, &m->control_at, err) == -1) ||
	    (m->has_tls &&
		parse_address(m, o->tls_listen, &m->tls_at, err) == -1))
		return -1;
	for (size_t i = 0; i < o->tls_name_count; i++)
		if (serve_tls_check_name(o->tls_names[i], err) == -1)
			return -1;
	if ((o->public_url != NULL &&
		doors_check_public_url(o->public_url, err) == -1) ||
	    (o->control_token != NULL &&
		check_token(o->control_token, err) == -1))
		return -1;
	return check_site_ports(o, err);
}

/* Ports first: a taken one is said before a second goes into keys. */
static int
open_ports(struct mockndes *m, bool keeps_state, struct error *err)
{
	/* Those that wait for a disk do not compute. */
	const struct http_options options = { .workers = keeps_state ? 16 : 0,
		.library = crypto_library(m->crypto) };
	const struct http_service scep = serve_service(&m->door),
				  control = control_service(&m->control,
				      http_is_loopback(&m->control_at));

	if (http_start(&m->http, &options, err) == -1 ||
	    http_listen(m->http, &m->scep_at, &scep, &m->scep_at, NULL, err) ==
		-1)
		return -1;
	if (m->has_control &&
	    http_listen(m->http, &m->control_at, &control, &m->control_at, NULL,
		err) == -1)
		return -1;
	return m->has_tls ? http_listen_tls(m->http, &m->tls_at, &scep, &m->tls,
				&m->tls_at, err) :
			    0;
}

static int
open_tls(struct mockndes *m, const struct mockndes_options *o,
    struct error *err)
{
	const struct serve_tls_options options = {
		.sites = m->sites,
		.crypto = m->crypto,
		.scenario_dir = o->scenario_dir,
		.names = o->tls_names,
		.name_count = o->tls_name_count,
		.narrate = o->narrate,
		.cls = o->narrate_cls,
	};

	if (!m->has_tls)
		return 0;
	if (ca_tls_prepare(m->keys, err) == -1 ||
	    serve_tls_new(&m->serve_tls, &options, err) == -1)
		return -1;
	m->tls = serve_tls_service(m->serve_tls);
	return 0;
}

/* Who waits for the next request of a site is asked again. */
static void
journal_has_grown(void *cls, const struct journal *journal)
{
	struct mockndes *m = cls;

	http_wake(m->http, journal);
}

static int
open_sites(struct mockndes *m, const struct mockndes_options *o,
    struct scenario *scenario, struct error *err)
{
	const struct sites_options options = {
		.keys = m->keys,
		.crypto = m->crypto,
		.challenge = m->challenge,
		.log_dir = m->log_dir,
		.scenario_dir = m->scenario_dir,
		.state = m->state,
		.seed = m->seed,
		.most = o->max_sites,
		.journals.entries = o->journal < 0 ? JOURNAL_NONE :
						     (unsigned)o->journal,
		.journals.grown = journal_has_grown,
		.journals.cls = m,
		.narrate = o->narrate,
		.cls = o->narrate_cls,
		.cut = doors_cut_lost,
		.cut_cls = m->http,
	};
	struct site *site;

	if (sites_new(&m->sites, &options, err) == -1 ||
	    site_make(m->sites, SITE_DEFAULT, scenario, &site, err) != SITE_OK)
		return -1;
	site_unref(site);
	m->door.sites = m->sites;
	return 0;
}

static int
open_doors(struct mockndes *m, const struct mockndes_options *o,
    struct error *err)
{
	const struct doors_options options = {
		.http = m->http,
		.sites = m->sites,
		.at = m->scep_at,
		.first_port = o->site_port_first,
		.last_port = o->site_port_last,
		.public_url = o->public_url,
	};

	return doors_new(&m->doors, &options, err);
}

static int
open_handles(struct mockndes *m, struct error *err)
{
	const struct handles_options options = {
		.sites = m->sites,
		.doors = m->doors,
		.scenario_dir = m->scenario_dir,
	};

	return handles_new(&m->handles, &options, err);
}

static void
open_control(struct mockndes *m)
{
	m->control = (struct control){
		.sites = m->sites,
		.http = m->http,
		.doors = m->doors,
		.scenario_dir = m->scenario_dir,
		.token = m->control_token,
		.version = mockndes_version(),
		.url = m->url,
	};
}

/* What is told once everything stands. */
static int
describe(struct mockndes *m, struct error *err)
{
	struct credentials *cred = site_credentials(site_default(m->sites),
	    err);
	char base[DOORS_URL_SIZE], control[HTTP_URL_SIZE], here[HTTP_URL_SIZE];
	char tls_base[DOORS_URL_SIZE], tls[DOORS_URL_SIZE + 32];
	char url[DOORS_URL_SIZE + 32], admin[DOORS_URL_SIZE + 32];
	struct blob pem;
	json_t *json;

	if (cred == NULL)
		return -1;
	doors_url(m->doors, site_default(m->sites), base);
	http_url(&m->control_at, control);
	http_url(&m->scep_at, here);
	snprintf(url, sizeof(url), "%s%s", base, SCEP_PATH);
	snprintf(admin, sizeof(admin), "%s%s", base, ADMIN_PATH);
	snprintf(tls, sizeof(tls), "%s%s",
	    doors_url_tls(m->doors, &m->tls_at, tls_base), SCEP_PATH);
	json = json_pack("{ss, ss, ss, ss, ss?, ss?, ss, ss, sI, si}", "url",
	    url, "admin_url", admin, "base_url", base, "listen", here,
	    "control", m->has_control ? control : NULL, "tls_url",
	    m->has_tls ? tls : NULL, "scenario", m->scenario, "ca_sha256",
	    cred->ca_sha256, "seed", (json_int_t)m->seed, "pid", (int)getpid());
	m->ready = json == NULL ? NULL : json_dumps(json, JSON_COMPACT);
	json_decref(json);
	m->url = strdup(url);
	if (x509_to_pem(blob_span(&cred->der[CA_ISSUING]), &pem) == 0)
		m->ca_pem = span_dup_text(blob_span(&pem));
	blob_free(&pem);
	credentials_free(cred);
	return m->ready != NULL && m->url != NULL && m->ca_pem != NULL ?
	    0 :
	    error_set(err, "out of memory");
}

/* What bounds the memory and the patience of the server. */
static void
tell_limits(const struct mockndes *m, const struct mockndes_options *o,
    const struct stack_state *state)
{
	char line[256];

	if (o->narrate == NULL)
		return;
	snprintf(line, sizeof(line),
	    "limits: %u connections; request line and each header %lld "
	    "octets, all headers %lld, body %lld, all bodies together %u MiB; "
	    "idle %lld s, head %lld s, body %lld s",
	    http_connection_limit(m->http),
	    (long long)state->http_sys.max_field_length,
	    (long long)state->http_sys.max_request_bytes,
	    (long long)state->iis.max_allowed_content_length,
	    HTTP_BODIES_MAX_MIB, (long long)state->http_sys.connection_timeout,
	    (long long)state->http_sys.header_wait,
	    (long long)state->http_sys.entity_body);
	o->narrate(o->narrate_cls, line);
}

static int
choose_seed(struct mockndes *m, uint64_t asked, struct error *err)
{
	uint32_t random;

	m->seed = asked;
	if (asked != 0)
		return 0;
	if (crypto_random(m->crypto, &random, sizeof(random)) == -1)
		return error_set(err, "no random numbers");
	m->seed = random == 0 ? 1 : random;
	return 0;
}

static int
open_keys(struct mockndes *m, const struct mockndes_options *o,
    struct error *err)
{
	struct state_dir_options state = {
		.path = o->state_dir,
		.crypto = m->crypto,
		.note = o->warn != NULL ? o->warn : o->narrate,
		.cls = o->warn != NULL ? o->warn_cls : o->narrate_cls,
	};

	if (o->keys != NULL &&
	    key_set_load(m->crypto, o->keys, &m->keys, err) == -1)
		return -1;
	if (o->state_dir == NULL)
		return m->keys != NULL ?
		    0 :
		    key_set_generate(m->crypto, &m->keys, err);
	state.keys = m->keys;
	if (state_dir_open(&m->state, &state, err) == -1)
		return -1;
	key_set_free(m->keys);
	m->keys = state_dir_keys(m->state);
	return 0;
}

static int
run(struct mockndes *m, const struct mockndes_options *o,
    struct scenario *scenario, struct error *err)
{
	m->door.keeps = o->journal >= 0;
	if (dup_option(&m->challenge, o->challenge, err) == -1 ||
	    dup_option(&m->log_dir, o->log_dir, err) == -1 ||
	    dup_option(&m->scenario, scenario->name, err) == -1 ||
	    dup_option(&m->scenario_dir, o->scenario_dir, err) == -1 ||
	    dup_option(&m->control_token, o->control_token, err) == -1 ||
	    crypto_new(&m->crypto, err) == -1 ||
	    choose_seed(m, o->seed, err) == -1 ||
	    open_ports(m, o->state_dir != NULL, err) == -1)
		return -1;
	if (open_keys(m, o, err) == -1)
		return -1;
	if (open_sites(m, o, scenario, err) == -1 ||
	    open_doors(m, o, err) == -1 || open_handles(m, err) == -1 ||
	    open_tls(m, o, err) == -1 || describe(m, err) == -1)
		return -1;
	open_control(m);
	tell_limits(m, o, &scenario->state);
	return http_accept(m->http, err);
}

int
mockndes_start(const struct mockndes_options *given, struct mockndes **out,
    char *error)
{
	struct mockndes *m = calloc(1, sizeof(*m));
	struct scenario *scenario = NULL;
	struct mockndes_options options;
	struct error err = { 0 };
	int ret = MOCKNDES_USAGE;

	*out = NULL;
	if (m == NULL) {
		error_set(&err, "out of memory");
		return fail(&err, error);
	}
	if (take_options(given, &options, &err) == 0 &&
	    check(m, &options, &err) == 0) {
		if (load(&options, &scenario, error) == -1) {
			mockndes_stop(m);
			return ret;
		}
		if (options.state_dir == NULL ||
		    site_check_state(&scenario->state, &err) == 0)
			ret = run(m, &options, scenario, &err);
	}
	scenario_free(scenario);
	if (ret == 0) {
		*out = m;
		return 0;
	}
	mockndes_stop(m);
	fail(&err, error);
	return ret;
}

void
mockndes_stop(struct mockndes *m)
{
	if (m == NULL)
		return;
	http_stop(m->http, GRACE_MS);
	handles_free(m->handles);
	doors_free(m->doors);
	serve_tls_free(m->serve_tls);
	sites_free(m->sites);
	key_set_free(m->keys);
	state_dir_close(m->state);
	crypto_free(m->crypto);
	free(m->challenge);
	free(m->log_dir);
	free(m->scenario);
	free(m->scenario_dir);
	free(m->control_token);
	free(m->url);
	free(m->ready);
	free(m->ca_pem);
	free(m);
}

int
mockndes_listen(struct mockndes *m, const char *address, char *url, size_t size,
    char *error)
{
	const struct http_service scep = serve_service(&m->door);
	char text[HTTP_URL_SIZE];
	struct error err = { 0 };
	struct endpoint bound;

	if (size < sizeof(text))
		error_set(&err, "the URL needs room for %zu octets",
		    sizeof(text));
	else if (parse_address(m, address, &bound, &err) == 0 &&
	    http_listen(m->http, &bound, &scep, &bound, NULL, &err) == 0) {
		snprintf(url, size, "%s", http_url(&bound, text));
		return 0;
	}
	return fail(&err, error);
}

int
mockndes_open_site(struct mockndes *m,
    const struct mockndes_site_options *options, struct mockndes_site **out,
    char *error)
{
	return handles_open(m->handles, options, out, error);
}

struct mockndes_site *
mockndes_default_site(struct mockndes *m)
{
	return handles_default(m->handles);
}

const char *
mockndes_url(const struct mockndes *m)
{
	return m->url;
}

const char *
mockndes_ready(const struct mockndes *m)
{
	return m->ready;
}

const char *
mockndes_ca_pem(const struct mockndes *m)
{
	return m->ca_pem;
}

const char *
mockndes_version(void)
{
	return MOCKNDES_VERSION;
}

int
mockndes_make_keys(const char *dir, char *error)
{
	struct key_set *keys = NULL;
	struct crypto *crypto = NULL;
	struct error err = { 0 };
	int ret = -1;

	if (crypto_new(&crypto, &err) == 0 &&
	    key_set_generate(crypto, &keys, &err) == 0)
		ret = key_set_save(keys, dir, (int64_t)time(NULL), &err);
	key_set_free(keys);
	crypto_free(crypto);
	return ret == 0 ? 0 : fail(&err, error);
}

int
mockndes_control(struct mockndes *m, const char *method, const char *path,
    const char *body, size_t length, struct mockndes_reply *reply)
{
	return control_ask(&m->control, method, path, span_of(body, length),
	    reply);
}

void
mockndes_reply_clear(struct mockndes_reply *reply)
{
	free(reply->body);
	*reply = (struct mockndes_reply){ 0 };
}
