#include "handles.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#define SCEP_PATH "/certsrv/mscep/mscep.dll"
#define ADMIN_PATH "/certsrv/mscep_admin/"
#define URL_SIZE (DOORS_URL_SIZE + 32)
#define YEAR_9999 253402300799LL

struct mockndes_site {
	struct handles *all;
	struct site *site; /* a reference */
	_Atomic uint64_t taken;
	char base_url[DOORS_URL_SIZE], url[URL_SIZE], admin_url[URL_SIZE];
	struct mockndes_site *prev, *next;
};

struct handles {
	struct handles_options options;
	struct mockndes_site *root; /* the default site's; not in the list */
	pthread_mutex_t lock;	    /* the list */
	struct mockndes_site *list;
};

static int
fail(const struct error *err, char *out)
{
	if (out != NULL)
		error_print(err, out, MOCKNDES_ERROR_SIZE);
	return -1;
}

static int
fail_all(struct errors *errors, char *out)
{
	if (out != NULL)
		errors_print(errors, out, MOCKNDES_ERROR_SIZE);
	errors_clear(errors);
	return -1;
}

/* Somebody else may have deleted it: nothing would come of the call. */
static int
must_be_there(const struct mockndes_site *h, struct error *err)
{
	return !site_is_closed(h->site) ?
	    0 :
	    error_set(err, "the site was deleted");
}

/* The handle takes over the reference. */
static struct mockndes_site *
handle_new(struct handles *all, struct site *site)
{
	struct mockndes_site *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return NULL;
	h->all = all;
	h->site = site;
	return h;
}

static void
handle_free(struct mockndes_site *h)
{
	site_unref(h->site);
	free(h);
}

/* Once it has the port that it may have. */
static void
name_urls(struct mockndes_site *h)
{
	doors_url(h->all->options.doors, h->site, h->base_url);
	snprintf(h->url, sizeof(h->url), "%s%s", h->base_url, SCEP_PATH);
	snprintf(h->admin_url, sizeof(h->admin_url), "%s%s", h->base_url,
	    ADMIN_PATH);
}

int
handles_new(struct handles **out, const struct handles_options *options,
    struct error *err)
{
	struct handles *all = calloc(1, sizeof(*all));
	struct site *site = site_default(options->sites);

	if ((*out = all) == NULL)
		return error_set(err, "out of memory");
	all->options = *options;
	pthread_mutex_init(&all->lock, NULL);
	if ((all->root = handle_new(all, site_ref(site))) != NULL) {
		name_urls(all->root);
		return 0;
	}
	site_unref(site);
	handles_free(all);
	*out = NULL;
	return error_set(err, "out of memory");
}

void
handles_free(struct handles *all)
{
	struct mockndes_site *h, *next;

	if (all == NULL)
		return;
	DL_FOREACH_SAFE(all->list, h, next)
		handle_free(h);
	if (all->root != NULL)
		handle_free(all->root);
	pthread_mutex_destroy(&all->lock);
	free(all);
}

struct mockndes_site *
handles_default(struct handles *all)
{
	return all->root;
}

/* Options of an older caller end earlier. */
static int
take_options(const struct mockndes_site_options *given,
    struct mockndes_site_options *out, struct error *err)
{
	size_t size = given == NULL ? 0 : given->size;

	memset(out, 0, sizeof(*out));
	if (given != NULL && size < offsetof(struct mockndes_site_options, set))
		return error_set(err,
		    "mockndes_site_options.size is not set: "
		    "begin with MOCKNDES_SITE_OPTIONS_INIT");
	if (size > 0)
		memcpy(out, given, size < sizeof(*out) ? size : sizeof(*out));
	if (out->scenario != NULL && out->yaml != NULL)
		return error_set(err,
		    "mockndes_site_options has a scenario and the YAML of "
		    "another one: set one of them");
	if (out->port < MOCKNDES_ANY_PORT || out->port > 65535)
		return error_set(err,
		    "mockndes_site_options.port is %d: it is 1 to 65535, 0 for "
		    "none of its own, or MOCKNDES_ANY_PORT",
		    out->port);
	return 0;
}

static int
load(struct handles *all, const struct mockndes_site_options *o,
    struct scenario **out, char *error)
{
	const struct scenario_options options = { o->set, o->set_count,
		all->options.scenario_dir };
	const char *name = o->scenario == NULL ? "healthy" : o->scenario;
	struct errors errors = { 0 };
	int ret;

	if (o->yaml != NULL)
		ret = scenario_parse(
		    &(struct scenario_text){ span_text(o->yaml), "yaml", NULL },
		    &options, out, &errors);
	else
		ret = scenario_load(name, &options, out, &errors);
	return ret == 0 ? 0 : fail_all(&errors, error);
}

static int
open_port(struct mockndes_site *h, int port, struct error *err)
{
	unsigned wanted = port == MOCKNDES_ANY_PORT ? 0 : (unsigned)port;

	if (port == 0)
		return 0;
	return doors_open(h->all->options.doors, h->site, wanted, err) ==
		SITE_OK ?
	    0 :
	    -1;
}

int
handles_open(struct handles *all, const struct mockndes_site_options *given,
    struct mockndes_site **out, char *error)
{
	struct mockndes_site_options options;
	struct scenario *scenario = NULL;
	struct mockndes_site *h = NULL;
	struct site *site = NULL;
	struct error err = { 0 };
	enum site_answer made;

	*out = NULL;
	if (take_options(given, &options, &err) == -1)
		return fail(&err, error);
	if (load(all, &options, &scenario, error) == -1)
		return -1;
	made = site_make(all->options.sites, options.id, scenario, &site, &err);
	scenario_free(scenario);
	if (made != SITE_OK)
		return fail(&err, error);
	if ((h = handle_new(all, site)) == NULL) {
		site_close(all->options.sites, site_id(site), &err);
		site_unref(site);
		error_set(&err, "out of memory");
		return fail(&err, error);
	}
	pthread_mutex_lock(&all->lock);
	DL_APPEND(all->list, h);
	pthread_mutex_unlock(&all->lock);
	if (open_port(h, options.port, &err) == -1) {
		mockndes_close_site(h);
		return fail(&err, error);
	}
	name_urls(h);
	*out = h;
	return 0;
}

/* Another one may have its id by now. */
void
mockndes_close_site(struct mockndes_site *h)
{
	struct error unused = { 0 };

	if (h == NULL || h == h->all->root)
		return;
	if (!site_is_closed(h->site))
		doors_close_site(h->all->options.doors, site_id(h->site),
		    &unused);
	pthread_mutex_lock(&h->all->lock);
	DL_DELETE(h->all->list, h);
	pthread_mutex_unlock(&h->all->lock);
	handle_free(h);
}

const char *
mockndes_site_id(const struct mockndes_site *h)
{
	return site_id(h->site);
}

const char *
mockndes_site_url(const struct mockndes_site *h)
{
	return h->url;
}

const char *
mockndes_site_admin_url(const struct mockndes_site *h)
{
	return h->admin_url;
}

const char *
mockndes_site_base_url(const struct mockndes_site *h)
{
	return h->base_url;
}

static int
use(struct mockndes_site *h, const struct mockndes_site_options *options,
    char *error)
{
	struct scenario *scenario = NULL;
	struct error err = { 0 };
	int ret;

	if (must_be_there(h, &err) == -1)
		return fail(&err, error);
	if (load(h->all, options, &scenario, error) == -1)
		return -1;
	ret = site_use_scenario(h->site, scenario, &err);
	scenario_free(scenario);
	doors_look(h->all->options.doors);
	return ret == 0 ? 0 : fail(&err, error);
}

int
mockndes_use_scenario(struct mockndes_site *h, const char *scenario,
    const char *const *set, size_t set_count, char *error)
{
	const struct mockndes_site_options options = {
		.scenario = scenario,
		.set = set,
		.set_count = set_count,
	};

	return use(h, &options, error);
}

int
mockndes_use_yaml(struct mockndes_site *h, const char *yaml, char *error)
{
	const struct mockndes_site_options options = { .yaml = yaml };

	return use(h, &options, error);
}

int
mockndes_set(struct mockndes_site *h, const char *setting, char *error)
{
	struct errors errors = { 0 };
	struct error err = { 0 };

	if (must_be_there(h, &err) == -1)
		return fail(&err, error);
	if (site_set(h->site, &setting, 1, &errors) == -1)
		return fail_all(&errors, error);
	doors_look(h->all->options.doors);
	return 0;
}

int
mockndes_reset(struct mockndes_site *h, char *error)
{
	struct error err = { 0 };

	if (must_be_there(h, &err) == -1 || site_reset(h->site, &err) == -1)
		return fail(&err, error);
	doors_look(h->all->options.doors);
	return 0;
}

int
mockndes_challenge(struct mockndes_site *h, size_t length,
    char out[MOCKNDES_CHALLENGE_SIZE], char *error)
{
	static const char *const refusals[] = {
		[CHALLENGE_NOT_NEEDED] = "no password is needed: "
					 "server.mscep.challenge.mode is none",
		[CHALLENGE_CACHE_FULL] = "too many passwords are unused",
		[CHALLENGE_NO_PERMISSION] = "NDES gives out no passwords",
		[CHALLENGE_FAILED] = "out of memory",
	};
	enum challenge_answer answer;
	struct error err = { 0 };
	struct stack_state state;
	char *password = NULL;
	int64_t expires;

	out[0] = '\0';
	if (must_be_there(h, &err) == -1)
		return fail(&err, error);
	site_state(h->site, &state);
	if (length == 0)
		length = 2 * (size_t)state.mscep.challenge.length;
	if (length > CHALLENGE_LONGEST) {
		error_set(&err, "a password has %d characters at most",
		    CHALLENGE_LONGEST);
		return fail(&err, error);
	}
	answer = site_challenge(h->site, length, &password, &expires);
	if (password == NULL) {
		error_set(&err, "%s", refusals[answer]);
		return fail(&err, error);
	}
	snprintf(out, MOCKNDES_CHALLENGE_SIZE, "%s", password);
	free(password);
	return 0;
}

int
mockndes_site_ca_pem(struct mockndes_site *h, char out[MOCKNDES_PEM_SIZE],
    char *error)
{
	struct error err = { 0 };
	struct credentials *cred = site_credentials(h->site, &err);
	struct blob pem = { 0 };

	out[0] = '\0';
	if (cred == NULL)
		return fail(&err, error);
	if (x509_to_pem(blob_span(&cred->der[CA_ISSUING]), &pem) == -1)
		error_set(&err, "out of memory");
	else if (pem.len >= MOCKNDES_PEM_SIZE)
		error_set(&err, "the certificate of the CA has %zu octets",
		    pem.len);
	else
		snprintf(out, MOCKNDES_PEM_SIZE, "%.*s", (int)pem.len,
		    (const char *)pem.data);
	blob_free(&pem);
	credentials_free(cred);
	return out[0] != '\0' ? 0 : fail(&err, error);
}

int64_t
mockndes_advance_clock(struct mockndes_site *h, int64_t seconds)
{
	struct clock *clock = site_clock(h->site);
	int64_t now = clock_now(clock);

	if (seconds > YEAR_9999 - now)
		seconds = YEAR_9999 - now;
	if (seconds > 0) {
		clock_advance(clock, seconds);
		doors_look(h->all->options.doors);
	}
	return clock_now(clock);
}

static int
settle(struct mockndes_site *h, const char *transaction_id, bool approve,
    char *error)
{
	struct error err = { 0 };

	if (must_be_there(h, &err) == -1)
		return fail(&err, error);
	if (site_settle(h->site, transaction_id, approve) == 0)
		return 0;
	error_set(&err, "no request with the transactionID \"%.80s\" waits",
	    transaction_id);
	return fail(&err, error);
}

int
mockndes_approve(struct mockndes_site *h, const char *transaction_id,
    char *error)
{
	return settle(h, transaction_id, true, error);
}

int
mockndes_deny(struct mockndes_site *h, const char *transaction_id, char *error)
{
	return settle(h, transaction_id, false, error);
}

int
mockndes_action(struct mockndes_site *h, const char *name,
    const char *const *arguments, size_t count, char *error)
{
	struct error err = { 0 };
	const struct action *action = action_find(name, &err);
	struct action_call call;
	struct site_acted acted;
	int ret;

	if (action == NULL || must_be_there(h, &err) == -1 ||
	    action_read(action, arguments, count, &call, &err) == -1)
		return fail(&err, error);
	ret = site_act(h->site, action, &call, &acted, &err);
	site_acted_clear(&acted);
	doors_look(h->all->options.doors);
	return ret == 0 ? 0 : fail(&err, error);
}

int
mockndes_healthy(struct mockndes_site *h, char *why)
{
	struct error err = { 0 };

	if (site_is_healthy(h->site, &err))
		return 1;
	fail(&err, why);
	return 0;
}

struct journal *
handle_journal(struct mockndes_site *h)
{
	return site_journal(h->site);
}

_Atomic uint64_t *
handle_taken(struct mockndes_site *h)
{
	return &h->taken;
}
