/* What an administrator can do, when it shows, and what it does to a site. */
#include "unit/authority.h"
#include "unit/exchanges.h"
#include "unit/folder.h"
#include "unit/scenarios.h"

#include <pthread.h>

#include "site/site.h"
#include "state/state_dir.h"

#define DAY 86400LL
#define YEAR 31557600LL
#define SETS_MAX 3
#define STEPS_MAX 6
#define WORDS_MAX 4

static struct authority a;

/* A site that is not as it should be, and what is done to it. */
static const struct walk {
	const char *row;
	const char *sets[SETS_MAX];
	int64_t later; /* seconds, before the first step */
	struct {
		const char *action; /* and its arguments, "NAME A=1 B=2" */
		const char *waits_for, *changed;
		const char *why; /* begins with; NULL: it is healthy then */
	} steps[STEPS_MAX];
} walks[] = {
	{ "request filtering waits for the restart",
	    { "iis.max_query_string=2048", "iis.max_url=4096" }, 0,
	    { { "set-request-filtering-limits", "restart-server", "",
		  "iis.max_url is 4096" },
		{ "iisreset", "", "", "iis.max_url is 4096" },
		{ "restart-server", "", "iis.max_url iis.max_query_string",
		    NULL } } },
	{ "a restart alone cures no limits", { "iis.max_query_string=2048" }, 0,
	    { { "restart-server", "", "", "iis.max_query_string is 2048" } } },
	{ "http.sys waits for it too",
	    { "http_sys.max_field_length=16384",
		"http_sys.max_request_bytes=16384" },
	    0,
	    { { "set-http-sys-limits", "restart-server", "",
		  "http_sys.max_field_length" },
		{ "restart-server", "",
		    "http_sys.max_field_length http_sys.max_request_bytes",
		    NULL } } },
	{ "one of the two places is not enough",
	    { "http_sys.max_field_length=16384", "iis.max_query_string=2048" },
	    0,
	    { { "set-request-filtering-limits", "restart-server", "",
		  "http_sys.max_field_length" },
		{ "restart-server", "", "iis.max_query_string",
		    "http_sys.max_field_length" },
		{ "set-http-sys-limits", "restart-server", "",
		    "http_sys.max_field_length" },
		{ "restart-server", "", "http_sys.max_field_length", NULL } } },
	{ "limits that are too small", { NULL }, 0,
	    { { "set-http-sys-limits max_field_length=64", "restart-server", "",
		  NULL },
		{ "restart-server", "", "http_sys.max_field_length",
		    "http_sys.max_field_length is 64" } } },
	{ "the last word counts", { NULL }, 0,
	    { { "set-request-filtering-limits max_url=1", "restart-server", "",
		  NULL },
		{ "set-request-filtering-limits max_url=70000 "
		  "max_allowed_content_length=40000000",
		    "restart-server", "", NULL },
		{ "restart-server", "",
		    "iis.max_url iis.max_allowed_content_length", NULL } } },
	{ "and nothing of the one before", { NULL }, 0,
	    { { "set-request-filtering-limits max_allowed_content_length=5",
		  "restart-server", "", NULL },
		{ "set-request-filtering-limits", "restart-server", "", NULL },
		{ "restart-server", "", "", NULL } } },
	{ "bodies stay as they are", { "iis.max_allowed_content_length=1000" },
	    0,
	    { { "set-request-filtering-limits", "restart-server", "",
		  "iis.max_allowed_content_length" },
		{ "restart-server", "", "",
		    "iis.max_allowed_content_length" } } },
	{ "the connector", { "policy_module.installed=false" }, 0,
	    { { "iisreset", "", "", "policy_module.installed" },
		{ "reinstall-connector", "", "policy_module.installed",
		    NULL } } },
	{ "permission to enrol", { "mscep.admin.permission=false" }, 0,
	    { { "grant-enroll-permission", "", "mscep.admin.permission",
		NULL } } },
	{ "room for passwords", { "mscep.challenge.cache=0" }, 0,
	    { { "set-password-max passwords=50", "iisreset", "",
		  "mscep.challenge.cache" },
		{ "iisreset", "", "mscep.challenge.cache", NULL } } },
	{ "a certificate for the web site",
	    { "tls.certificate=wrong-host", "tls.chain=incomplete" }, 0,
	    { { "bind-server-certificate", "", "tls.certificate tls.chain",
		NULL } } },
	{ "one RA certificate is not both",
	    { "ra.signing.not_after=-2d", "ra.encryption.not_after=-2d" }, 0,
	    { { "request-cep-encryption-certificate", "iisreset", "",
		  "the certificate of the signing RA has expired" },
		{ "iisreset", "",
		    "ra.encryption.not_before ra.encryption.not_after "
		    "ra.encryption.key_readable",
		    "ra.encryption.key_readable" },
		{ "request-enrollment-agent-certificate",
		    "import-enrollment-agent-to-machine iisreset", "",
		    "ra.encryption.key_readable" },
		{ "import-enrollment-agent-to-machine", "iisreset", "",
		    "ra.encryption.key_readable" },
		{ "grant-read-on-ra-keys", "iisreset", "",
		    "ra.encryption.key_readable" },
		{ "iisreset", "",
		    "ra.signing.not_before ra.signing.not_after "
		    "ra.encryption.key_readable",
		    NULL } } },
	{ "the user's store is not the computer's",
	    { "ra.signing.not_after=-2d" }, 0,
	    { { "request-enrollment-agent-certificate",
		  "import-enrollment-agent-to-machine iisreset", "",
		  "the certificate of the signing RA" },
		{ "iisreset", "", "", "the certificate of the signing RA" },
		{ "restart-server", "", "",
		    "the certificate of the signing RA" },
		{ "import-enrollment-agent-to-machine", "iisreset", "",
		    "the certificate of the signing RA" },
		{ "grant-read-on-ra-keys", "iisreset", "",
		    "the certificate of the signing RA" },
		{ "restart-server", "",
		    "ra.signing.not_before ra.signing.not_after", NULL } } },
	{ "nothing to import", { "ra.signing.not_after=-2d" }, 0,
	    { { "import-enrollment-agent-to-machine", "", "",
		  "the certificate of the signing RA" },
		{ "iisreset", "", "", "the certificate of the signing RA" } } },
	{ "three years pass", { NULL }, 3 * YEAR,
	    { { "restart-server", "", "",
		  "the certificate of the signing RA has expired" },
		{ "renew-ra-certificates", "iisreset", "",
		    "the certificate of the signing RA has expired" },
		{ "iisreset", "",
		    "ra.signing.not_before ra.signing.not_after "
		    "ra.encryption.not_before ra.encryption.not_after",
		    NULL } } },
	{ "the role anew", { "ra.encryption.key_usage=none" }, YEAR,
	    { { "reinstall-ndes-role", "",
		"ra.signing.not_before ra.signing.not_after "
		"ra.encryption.not_before ra.encryption.not_after "
		"ra.encryption.key_usage",
		NULL } } },
	{ "two causes, one after the other",
	    { "policy_module.installed=false", "mscep.admin.permission=false" },
	    0,
	    { { "reinstall-connector", "", "policy_module.installed",
		  "mscep.admin.permission" },
		{ "grant-enroll-permission", "", "mscep.admin.permission",
		    NULL } } },
};

static struct scenario *
scenario_with(const char *const *sets)
{
	struct scenario_options options = { .sets = sets };
	struct errors errors = { 0 };
	struct scenario *scenario;

	while (options.set_count < SETS_MAX && sets[options.set_count] != NULL)
		options.set_count++;
	if (scenario_find("healthy", &options, &scenario, &errors) == -1)
		fail_msg("%s", errors.list[0].text);
	return scenario;
}

static struct sites *
open_sites(struct state_dir *kept, const char *const *sets)
{
	const struct sites_options options = { .keys = a.keys,
		.crypto = a.crypto,
		.state = kept };
	static const char *with[SETS_MAX];
	struct scenario *scenario;
	struct sites *sites;
	struct site *site = NULL;
	struct error err = { 0 };
	size_t i;

	memset(with, 0, sizeof(with));
	for (i = 0; i < SETS_MAX && sets != NULL && sets[i] != NULL; i++)
		assert_true(asprintf((char **)(uintptr_t)&with[i], "server.%s",
				sets[i]) > 0);
	scenario = scenario_with(with);
	if (sites_new(&sites, &options, &err) == -1 ||
	    site_make(sites, SITE_DEFAULT, scenario, &site, &err) != SITE_OK)
		fail_msg("%s", err.text);
	site_unref(site);
	scenario_free(scenario);
	while (i-- > 0)
		free((char *)(uintptr_t)with[i]);
	return sites;
}

/* "NAME A=1 B=2"; -1: it is refused. */
static int
act(struct site *site, const char *line, struct site_acted *out,
    struct error *err)
{
	char words[256], *save = NULL, *name, *word;
	const char *arguments[WORDS_MAX];
	const struct action *action;
	struct action_call call;
	size_t count = 0;

	snprintf(words, sizeof(words), "%s", line);
	name = strtok_r(words, " ", &save);
	while ((word = strtok_r(NULL, " ", &save)) != NULL) {
		assert_in_range(count, 0, WORDS_MAX - 1);
		arguments[count++] = word;
	}
	*out = (struct site_acted){ .healthy = false };
	if ((action = action_find(name, err)) == NULL ||
	    action_read(action, arguments, count, &call, err) == -1)
		return -1;
	return site_act(site, action, &call, out, err);
}

static void
names_must_be(const char *const *names, size_t count, const char *wanted)
{
	char text[512] = "";

	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(text);

		snprintf(text + len, sizeof(text) - len, "%s%s",
		    i > 0 ? " " : "", names[i]);
	}
	assert_string_equal(text, wanted);
}

static void
must_begin(const char *text, const char *begin)
{
	if (begin == NULL)
		assert_string_equal(text, "");
	else if (strncmp(text, begin, strlen(begin)) != 0)
		fail_msg("\"%s\" does not begin with \"%s\"", text, begin);
}

static void
shows_when_it_should(void **state)
{
	const struct walk *t = *state;
	struct sites *sites = open_sites(NULL, t->sets);
	struct site *site = site_default(sites);
	struct site_acted acted;
	struct error err = { 0 };

	clock_advance(site_clock(site), t->later);
	for (size_t i = 0; i < STEPS_MAX && t->steps[i].action != NULL; i++) {
		if (act(site, t->steps[i].action, &acted, &err) == -1)
			fail_msg("%s", err.text);
		names_must_be(acted.waits_for.names, acted.waits_for.count,
		    t->steps[i].waits_for);
		names_must_be(acted.changed, acted.changed_count,
		    t->steps[i].changed);
		assert_int_equal(acted.healthy, t->steps[i].why == NULL);
		must_begin(acted.why.text, t->steps[i].why);
		assert_int_equal(site_is_healthy(site, NULL), acted.healthy);
		site_acted_clear(&acted);
	}
	sites_free(sites);
}

static const struct wrong {
	const char *row, *line, *error;
} wrongs[] = {
	{ "no such action", "iis-reset",
	    "there is no action \"iis-reset\", did you mean \"iisreset\"?" },
	{ "no such argument", "set-request-filtering-limits max_uri=1",
	    "set-request-filtering-limits has no argument \"max_uri\", did you "
	    "mean \"max_url\"?" },
	{ "no arguments at all", "iisreset now=1",
	    "iisreset takes no arguments" },
	{ "no number", "set-http-sys-limits max_field_length=many",
	    "max_field_length: \"many\" is not a number" },
	{ "half a number", "set-http-sys-limits max_field_length=100k",
	    "max_field_length: \"100k\" is not a number" },
	{ "nothing", "set-http-sys-limits max_field_length=",
	    "max_field_length: \"\" is not a number" },
	{ "a sign", "set-http-sys-limits max_field_length=+100",
	    "max_field_length: \"+100\" is not a number" },
	{ "only a sign", "set-http-sys-limits max_field_length=-",
	    "max_field_length: \"-\" is not a number" },
	{ "too much", "set-http-sys-limits max_field_length=65535",
	    "max_field_length: 65535 is not between 64 and 65534" },
	{ "too little", "set-http-sys-limits max_request_bytes=255",
	    "max_request_bytes: 255 is not between 256 and 16777216" },
	{ "far too much",
	    "set-http-sys-limits max_field_length=99999999999999999999",
	    "max_field_length: 99999999999999999999 is not between 64 and "
	    "65534" },
	{ "twice",
	    "set-http-sys-limits max_field_length=64 "
	    "max_field_length=65",
	    "\"max_field_length\" is given twice" },
	{ "no value", "set-http-sys-limits max_field_length",
	    "\"max_field_length\" is not of the form NAME=VALUE" },
	{ "wanted", "set-password-max",
	    "set-password-max wants \"passwords\"" },
};

static void
is_refused(void **state)
{
	const struct wrong *t = *state;
	struct sites *sites = open_sites(NULL, NULL);
	struct site_acted acted;
	struct error err = { 0 };

	assert_int_equal(act(site_default(sites), t->line, &acted, &err), -1);
	assert_string_equal(err.text, t->error);
	assert_int_equal(acted.changed_count, 0);
	for (size_t i = 0; action_at(i) != NULL; i++)
		assert_false(site_waits(site_default(sites), action_at(i)));
	sites_free(sites);
}

/* Bounds are those of the keys: whatever can be done can be set. */
static void
arguments_take_what_keys_do(void **state)
{
	static const struct {
		const char *action, *argument, *key;
	} same[] = {
		{ "set-request-filtering-limits", "max_url", "iis.max_url" },
		{ "set-request-filtering-limits", "max_query_string",
		    "iis.max_query_string" },
		{ "set-request-filtering-limits", "max_allowed_content_length",
		    "iis.max_allowed_content_length" },
		{ "set-http-sys-limits", "max_field_length",
		    "http_sys.max_field_length" },
		{ "set-http-sys-limits", "max_request_bytes",
		    "http_sys.max_request_bytes" },
	};
	struct error err = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		const struct action *action = action_find(same[i].action, &err);
		const struct action_argument *argument = action->arguments;
		const struct server_key *key;
		size_t row = 0;

		while (strcmp(argument->key.name, same[i].argument) != 0)
			argument++;
		while ((key = server_key_at(row++)) != NULL &&
		    strcmp(key->key.name, same[i].key) != 0)
			;
		assert_non_null(key);
		assert_true(argument->key.min == key->key.min);
		assert_true(argument->key.max == key->key.max);
	}
}

/* What is waited for can be done. */
static void
steps_are_actions(void **state)
{
	const struct action *action;
	struct error err = { 0 };

	(void)state;
	for (size_t i = 0; (action = action_at(i)) != NULL; i++) {
		for (size_t j = 0; action->waits_for[j] != NULL; j++)
			assert_non_null(
			    action_find(action->waits_for[j], &err));
		if (action->also != NULL)
			assert_non_null(action_find(action->also, &err));
	}
}

static void
begin(struct sites *sites, struct exchange *ex)
{
	const struct door door = { .sites = sites };
	struct error err = { 0 };

	exchange_make(ex, "GET", "/certsrv/mscep_admin/");
	assert_int_equal(site_begin(&door, ex, &err), SITE_OK);
}

static void
end(struct exchange *ex)
{
	site_commit(ex);
	exchange_clear(ex);
}

static void
must_act(struct sites *sites, const char *line)
{
	struct site_acted acted;
	struct error err = { 0 };

	if (act(site_default(sites), line, &acted, &err) == -1)
		fail_msg("%s", err.text);
	site_acted_clear(&acted);
}

static enum refusal
spend(struct sites *sites, const char *password)
{
	enum refusal refusal;
	struct exchange ex;

	begin(sites, &ex);
	refusal = site_spend_challenge(&ex, password);
	end(&ex);
	return refusal;
}

/* ndes-facts 5.5: the cache is memory [C]. */
static const struct restart {
	const char *row, *line;
	bool loses;
} restarts[] = {
	{ "iisreset", "iisreset", true },
	{ "a restart of the server", "restart-server", true },
	{ "the role anew", "reinstall-ndes-role", true },
	{ "not the connector", "reinstall-connector", false },
	{ "not limits", "set-http-sys-limits", false },
};

static void
forgets_passwords(void **state)
{
	const struct restart *t = *state;
	struct sites *sites = open_sites(NULL, NULL);
	char password[CHALLENGE_SIZE], *outside;
	struct exchange ex;
	int64_t expires;

	begin(sites, &ex);
	assert_int_equal(site_make_challenge(&ex, password), CHALLENGE_MADE);
	end(&ex);
	assert_int_equal(site_challenge(site_default(sites), 16, &outside,
			     &expires),
	    CHALLENGE_MADE);
	must_act(sites, t->line);
	assert_int_equal(spend(sites, password),
	    t->loses ? REFUSAL_WRONG_CHALLENGE : REFUSAL_NONE);
	/* Intune's are not NDES's to lose. */
	assert_int_equal(spend(sites, outside), REFUSAL_NONE);
	free(outside);
	sites_free(sites);
}

/* An exchange ends as what it began in; the next one meets the cure. */
static void
exchanges_keep_their_state(void **state)
{
	static const char *const sets[SETS_MAX] = {
		"policy_module.installed=false"
	};
	struct sites *sites = open_sites(NULL, sets);
	struct exchange before, after;
	uint64_t generation;

	(void)state;
	begin(sites, &before);
	generation = before.snapshot->generation;
	clock_advance(site_clock(site_default(sites)), DAY);
	must_act(sites, "reinstall-connector");
	begin(sites, &after);
	assert_false(before.snapshot->state.policy_module.installed);
	assert_true(after.snapshot->state.policy_module.installed);
	/* The scenario is the same: its counters go on. */
	assert_int_equal(after.snapshot->generation, generation);
	assert_int_equal(after.snapshot->began, before.snapshot->began);
	end(&before);
	end(&after);
	sites_free(sites);
}

static const char *const too_short[SETS_MAX] = { "iis.max_url=4096" };

static void
prepare_and_forget(bool reset)
{
	struct sites *sites = open_sites(NULL, too_short);
	struct site *site = site_default(sites);
	struct scenario *scenario = site_scenario(site);
	const struct action *limits;
	struct error err = { 0 };
	struct stack_state now;

	limits = action_find("set-request-filtering-limits", &err);
	must_act(sites, limits->name);
	assert_true(site_waits(site, limits));
	if (reset)
		assert_int_equal(site_reset(site, &err), 0);
	else
		assert_int_equal(site_use_scenario(site, scenario, &err), 0);
	assert_false(site_waits(site, limits));
	must_act(sites, "restart-server");
	site_state(site, &now);
	assert_int_equal(now.iis.max_url, 4096);
	scenario_free(scenario);
	sites_free(sites);
}

static void
a_reset_forgets_what_waits(void **state)
{
	(void)state;
	prepare_and_forget(true);
}

static void
another_scenario_forgets_what_waits(void **state)
{
	(void)state;
	prepare_and_forget(false);
}

static void
settings_leave_what_waits(void **state)
{
	static const char *const other[] = { "iis.error_pages=detailed" };
	struct sites *sites = open_sites(NULL, too_short);
	struct errors errors = { 0 };
	struct stack_state now;

	(void)state;
	must_act(sites, "set-request-filtering-limits");
	assert_int_equal(site_set(site_default(sites), other, 1, &errors), 0);
	must_act(sites, "restart-server");
	site_state(site_default(sites), &now);
	assert_int_equal(now.iis.max_url, 65534);
	assert_int_equal(now.iis.error_pages, PAGES_DETAILED);
	sites_free(sites);
}

/* However often it is done: there is room for each action once. */
static void
what_waits_is_bounded(void **state)
{
	struct sites *sites = open_sites(NULL, too_short);

	(void)state;
	for (int i = 0; i < 3 * ACTION_WAITS_MAX; i++) {
		must_act(sites, "set-request-filtering-limits");
		must_act(sites, "renew-ra-certificates");
	}
	must_act(sites, "restart-server");
	assert_true(site_is_healthy(site_default(sites), NULL));
	sites_free(sites);
}

static void
rules_are_not_healthy(void **state)
{
	struct sites *sites = open_sites(NULL, NULL);
	struct scenario *hang;
	struct errors errors = { 0 };
	struct error err = { 0 };

	(void)state;
	assert_true(site_is_healthy(site_default(sites), &err));
	assert_int_equal(scenario_find("hang", NULL, &hang, &errors), 0);
	assert_int_equal(site_use_scenario(site_default(sites), hang, &err), 0);
	assert_false(site_is_healthy(site_default(sites), &err));
	assert_string_equal(err.text, "the scenario \"hang\" has faults");
	scenario_free(hang);
	sites_free(sites);
}

/* The RA is renewed on the day of the request, not of the restart. */
static void
certificates_begin_when_requested(void **state)
{
	struct sites *sites = open_sites(NULL, NULL);
	struct site *site = site_default(sites);
	struct credentials *cred;
	struct error err = { 0 };
	int64_t requested;

	(void)state;
	clock_advance(site_clock(site), YEAR);
	requested = clock_now(site_clock(site));
	must_act(sites, "renew-ra-certificates");
	clock_advance(site_clock(site), 30 * DAY);
	must_act(sites, "iisreset");
	assert_non_null(cred = site_credentials(site, &err));
	for (int role = CA_RA_SIGNING; role < CA_ROLES; role++) {
		assert_in_range(cred->certs[role].not_before, requested - 900,
		    requested);
		assert_in_range(cred->certs[role].not_after,
		    requested + 2 * YEAR - DAY, requested + 2 * YEAR);
	}
	credentials_free(cred);
	sites_free(sites);
}

/* A disk keeps the RAs as they are. */
static void
kept_ras_are_not_renewed(void **state)
{
	const struct state_dir_options options = { .path = folder_new().path,
		.crypto = a.crypto,
		.keys = a.keys };
	struct state_dir *kept;
	struct sites *sites;
	struct site_acted acted;
	struct error err = { 0 };

	(void)state;
	if (state_dir_open(&kept, &options, &err) == -1)
		fail_msg("%s", err.text);
	sites = open_sites(kept, NULL);
	assert_int_equal(act(site_default(sites), "renew-ra-certificates",
			     &acted, &err),
	    -1);
	assert_non_null(strstr(err.text, "--state-dir keeps the RAs"));
	must_act(sites, "iisreset");
	sites_free(sites);
	state_dir_close(kept);
}

#define AT_ONCE 8

static void *
work(void *cls)
{
	struct sites *sites = cls;

	for (int i = 0; i < 20; i++) {
		must_act(sites, "set-request-filtering-limits");
		must_act(sites, "set-http-sys-limits");
		must_act(sites, "grant-enroll-permission");
		must_act(sites, "restart-server");
	}
	return NULL;
}

static void
administrators_lose_nothing(void **state)
{
	static const char *const sets[SETS_MAX] = { "iis.max_url=4096",
		"http_sys.max_field_length=100",
		"mscep.admin.permission=false" };
	struct sites *sites = open_sites(NULL, sets);
	pthread_t threads[AT_ONCE];

	(void)state;
	for (int i = 0; i < AT_ONCE; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, work, sites),
		    0);
	for (int i = 0; i < AT_ONCE; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_true(site_is_healthy(site_default(sites), NULL));
	sites_free(sites);
}

static int
prepare(void **state)
{
	(void)state;
	a = authority_open();
	return 0;
}

static int
clean(void **state)
{
	(void)state;
	authority_close(&a);
	return 0;
}

int
main(void)
{
	const struct table tables[] = {
		ROWS(shows_when_it_should, walks),
		ROWS(is_refused, wrongs),
		ROWS(forgets_passwords, restarts),
		ONE(arguments_take_what_keys_do, "arguments take what keys do"),
		ONE(steps_are_actions, "what is waited for can be done"),
		ONE(exchanges_keep_their_state, "exchanges keep their state"),
		ONE(a_reset_forgets_what_waits, "a reset forgets what waits"),
		ONE(another_scenario_forgets_what_waits,
		    "another scenario forgets what waits"),
		ONE(settings_leave_what_waits, "settings leave what waits"),
		ONE(what_waits_is_bounded, "what waits is bounded"),
		ONE(rules_are_not_healthy, "rules are not healthy"),
		ONE(certificates_begin_when_requested,
		    "certificates begin when they were requested"),
		ONE(kept_ras_are_not_renewed, "kept RAs are not renewed"),
		ONE(administrators_lose_nothing,
		    "several administrators lose nothing"),
	};

	return ROWS_RUN(tables, prepare, clean);
}
