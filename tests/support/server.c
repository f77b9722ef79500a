#include "support/server.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "serve.h"
#include "support/files.h"
#include "support/test.h"
#include "support/web.h"

#define GRACE_MS 5000
#define SCENARIO "healthy"

static void
must(int ret, const struct error *err)
{
	char text[256];

	if (ret == -1)
		fail_msg("the server does not start: %s",
		    error_print(err, text, sizeof(text)));
}

static struct scenario_options
options_of(const char *const *list)
{
	struct scenario_options options = { list, 0, NULL };

	while (list != NULL && list[options.set_count] != NULL)
		options.set_count++;
	return options;
}

/* `yaml` NULL: healthy. */
static struct scenario *
load(const char *yaml, const char *const *set)
{
	const struct scenario_options options = options_of(set);
	const struct scenario_text text = { span_text(yaml), "test.yaml",
		NULL };
	struct errors errors = { 0 };
	struct scenario *scenario;
	char said[4096];
	int ret = yaml != NULL ?
	    scenario_parse(&text, &options, &scenario, &errors) :
	    scenario_find(SCENARIO, &options, &scenario, &errors);

	if (ret == -1)
		fail_msg("%s", errors_print(&errors, said, sizeof(said)));
	return scenario;
}

static void
open_site(struct server *s, const struct server_options *options)
{
	const struct sites_options sites = {
		.keys = s->keys,
		.crypto = s->crypto,
		.challenge = options->challenge,
		.log_dir = options->log_dir,
		.scenario_dir = options->scenario_dir,
		.cut = doors_cut_lost,
		.cut_cls = s->http,
	};
	struct scenario *scenario;
	struct site *site;
	struct error err = { 0 };

	must(sites_new(&s->sites, &sites, &err), &err);
	scenario = load(options->yaml, options->set);
	if (site_make(s->sites, SITE_DEFAULT, scenario, &site, &err) != SITE_OK)
		must(-1, &err);
	site_unref(site);
	scenario_free(scenario);
}

static void
open_tls(struct server *s, const char *scenario_dir)
{
	const struct serve_tls_options options = { .sites = s->sites,
		.crypto = s->crypto,
		.scenario_dir = scenario_dir };
	const struct http_service service = serve_service(s->door);
	struct endpoint at;
	struct error err = { 0 };

	must(ca_tls_prepare(s->keys, &err), &err);
	must(serve_tls_new(&s->serve_tls, &options, &err), &err);
	assert_non_null(s->tls = malloc(sizeof(*s->tls)));
	*s->tls = serve_tls_service(s->serve_tls);
	must(http_parse_address("127.0.0.1:0", &at, &err), &err);
	must(http_listen_tls(s->http, &at, &service, s->tls, &at, &err), &err);
	server_url(s->tls_url, http_url_tls(&at, s->tls_base), NULL);
}

static void
open_doors(struct server *s, const struct server_options *given)
{
	struct doors_options options = { .http = s->http, .sites = s->sites };
	struct error err = { 0 };

	if (given != NULL) {
		options.first_port = given->first_port;
		options.last_port = given->last_port;
	}
	must(http_parse_address(s->base + strlen("http://"), &options.at, &err),
	    &err);
	must(doors_new(&s->doors, &options, &err), &err);
}

void
server_start(struct server *s, const struct server_options *given)
{
	const struct server_options none = { 0 };
	struct http_options http = { 0 };
	struct error err = { 0 };
	char keys[FILE_PATH_SIZE];

	memset(s, 0, sizeof(*s));
	path_in_source(keys, "tests/fixtures/keys");
	must(crypto_new(&s->crypto, &err), &err);
	must(key_set_load(s->crypto, keys, &s->keys, &err), &err);
	http.library = crypto_library(s->crypto);
	http.connection_limit = given == NULL ? 0 : given->connection_limit;
	must(http_start(&s->http, &http, &err), &err);
	open_site(s, given == NULL ? &none : given);
	assert_non_null(s->door = calloc(1, sizeof(*s->door)));
	s->door->sites = s->sites;
	s->door->keeps = true;
	s->started = time(NULL);
	assert_int_equal(server_listen(s, "127.0.0.1:0", s->base), 0);
	open_doors(s, given);
	if (given != NULL && given->tls)
		open_tls(s, given->scenario_dir);
	must(http_accept(s->http, &err), &err);
	server_url(s->url, s->base, NULL);
	snprintf(s->admin, sizeof(s->admin), "%s%s", s->base,
	    SERVER_ADMIN_PATH);
}

static void
stop(struct server *s, int grace_ms)
{
	http_stop(s->http, grace_ms);
	doors_free(s->doors);
	serve_tls_free(s->serve_tls);
	sites_free(s->sites);
	key_set_free(s->keys);
	crypto_free(s->crypto);
	free(s->door);
	free(s->tls);
	memset(s, 0, sizeof(*s));
}

void
server_stop(struct server *s)
{
	stop(s, GRACE_MS);
}

void
server_cut(struct server *s)
{
	stop(s, 0);
}

void
server_advance_clock(struct server *s, int64_t seconds)
{
	clock_advance(site_clock(site_default(s->sites)), seconds);
	http_look(s->http);
}

static int
use(struct server *s, struct scenario *scenario)
{
	struct error err = { 0 };
	int ret = site_use_scenario(site_default(s->sites), scenario, &err);

	scenario_free(scenario);
	http_look(s->http);
	return ret;
}

int
server_use_scenario(struct server *s, const char *const *list)
{
	const struct scenario_options options = options_of(list);
	struct errors errors = { 0 };
	struct scenario *scenario;

	if (scenario_find(SCENARIO, &options, &scenario, &errors) == 0)
		return use(s, scenario);
	errors_clear(&errors);
	return -1;
}

void
server_use_yaml(struct server *s, const char *yaml)
{
	assert_int_equal(use(s, load(yaml, NULL)), 0);
}

bool
server_entry(const struct server *s, uint64_t seq, struct journal_entry *out)
{
	static _Thread_local char target[512];
	struct journal_entry *e = journal_find(site_journal(
						   site_default(s->sites)),
	    seq - 1, NULL);

	if (e == NULL)
		return false;
	snprintf(target, sizeof(target), "%s", e->target);
	*out = *e;
	out->target = target;
	out->method = out->user_agent = out->content_type = "";
	out->request = out->reply = SPAN_EMPTY;
	journal_entry_free(e);
	return true;
}

void
server_wait(struct server *s, uint64_t *seq, enum scep_status status,
    struct journal_entry *out)
{
	int64_t until = clock_ticks_ms() + SERVER_WAIT_SECONDS * 1000;

	while (clock_ticks_ms() < until) {
		while (server_entry(s, *seq, out)) {
			*seq = out->seq + 1;
			if (out->scep.pki_status == (int)status)
				return;
		}
		poll(NULL, 0, 10);
	}
	fail_msg("no CertRep with pkiStatus %d within %d s", (int)status,
	    SERVER_WAIT_SECONDS);
}

void
server_settle(struct server *s, const char *transaction_id, bool approve)
{
	if (site_settle(site_default(s->sites), transaction_id, approve) == -1)
		fail_msg("%s does not wait", transaction_id);
}

void
server_roll_over(struct server *s, const char *const *set)
{
	char after[64], query[SERVER_URL_SIZE];
	struct web_reply reply;

	while (time(NULL) <= s->started)
		poll(NULL, 0, 10);
	snprintf(after, sizeof(after), "server.ca.rollover_after=%llds",
	    (long long)(time(NULL) - s->started));
	server_use_scenario(s, (const char *const[]){ after, NULL });
	assert_true(
	    web_get(server_url(query, s->base, "operation=GetCACert"), &reply));
	web_reply_clear(&reply);
	/* No other after that: it never goes back. */
	server_use_scenario(s, set);
}

int
server_listen(struct server *s, const char *address, char base[HTTP_URL_SIZE])
{
	const struct http_service service = serve_service(s->door);
	struct endpoint at;
	struct error err = { 0 };

	if (http_parse_address(address, &at, &err) == -1 ||
	    http_listen(s->http, &at, &service, &at, NULL, &err) == -1)
		return -1;
	http_url(&at, base);
	return 0;
}

char *
server_url(char out[SERVER_URL_SIZE], const char *base, const char *query)
{
	snprintf(out, SERVER_URL_SIZE, "%s%s%s%s", base, SERVER_SCEP_PATH,
	    query == NULL ? "" : "?", query == NULL ? "" : query);
	return out;
}
