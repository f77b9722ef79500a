/* Sites: made, shown, changed, deleted. */
#include <stdio.h>
#include <string.h>

#include "control/inside.h"

#define SCEP_PATH "/certsrv/mscep/mscep.dll"
#define ADMIN_PATH "/certsrv/mscep_admin/"
/* The last of the year 9998: what is issued then ends before 10000. */
#define CLOCK_END 253370764799
#define URL_SIZE (DOORS_URL_SIZE + sizeof(SCEP_PATH))

static const char *const kinds[] = {
	[SITE_IS_DEFAULT] = "default",
	[SITE_OF_SCENARIO] = "scenario",
	[SITE_OF_LABEL] = "label",
	[SITE_MADE] = "made",
};

static json_t *
urls_json(const struct call *call, const struct site *site)
{
	char base[DOORS_URL_SIZE], scep[URL_SIZE], admin[URL_SIZE];
	char path[SITE_PATH_SIZE];

	doors_url(call->control->doors, site, base);
	snprintf(scep, sizeof(scep), "%s%s", base, SCEP_PATH);
	snprintf(admin, sizeof(admin), "%s%s", base, ADMIN_PATH);
	return json_pack("{ss, ss, ss, ss, ss, ss}", "id", site_id(site),
	    "kind", kinds[site_kind(site)], "path", site_path(site, path),
	    "url", scep, "admin_url", admin, "base_url", base);
}

static json_t *
site_json(const struct call *call, struct site *site)
{
	struct scenario *scenario = site_scenario(site);
	json_t *json = urls_json(call, site), *more;
	unsigned port = site_port(site);
	struct error why = { 0 };
	bool healthy = site_is_healthy(site, &why);

	more = json_pack("{sb, ss, so, sI}", "healthy", healthy, "scenario",
	    scenario->name, "now", time_json(clock_now(site_clock(site))),
	    "last", (json_int_t)journal_last(site_journal(site)));
	scenario_free(scenario);
	if (port != 0)
		json_object_set_new(more, "port", json_integer(port));
	if (!healthy)
		json_object_set_new(more, "why", text_json(why.text));
	if (json_object_update_new(json, more) == 0)
		return json;
	json_decref(json);
	return NULL;
}

static void
call_site(struct call *call, int status, struct site *site)
{
	call_json(call, status, site_json(call, site));
}

void
list_sites(struct call *call)
{
	json_t *list = json_array();
	struct site **sites;
	size_t count;
	int ret = sites_list(call->control->sites, &sites, &count);

	for (size_t i = 0; ret == 0 && i < count; i++)
		ret = json_array_append_new(list, site_json(call, sites[i]));
	sites_list_free(sites, count);
	call_list(call, "sites", list, ret);
}

void
get_site(struct call *call)
{
	call_site(call, 200, call->site);
}

/* What the body says: a name, or YAML of its own, and settings. */
static int
load(struct call *call, const struct settings *settings, struct scenario **out,
    struct errors *errors)
{
	const struct scenario_options options = {
		.sets = (const char *const *)settings->texts,
		.set_count = settings->count,
		.dir = call->control->scenario_dir,
	};
	const char *name = call_text(call, "scenario");
	const char *yaml = call_text(call, "yaml");
	const struct scenario_text text = {
		call->is_yaml ? call->request->body : span_text(yaml),
		call->is_yaml ? "body" : "yaml",
		NULL,
	};

	if (call->is_yaml || yaml != NULL)
		return scenario_parse(&text, &options, out, errors);
	return scenario_find(name == NULL ? "healthy" : name, &options, out,
	    errors);
}

/* A reference; NULL: it has answered. */
static struct scenario *
load_scenario(struct call *call)
{
	struct errors errors = { 0 };
	struct scenario *scenario = NULL;
	struct settings settings;

	if (call_text(call, "yaml") != NULL &&
	    call_text(call, "scenario") != NULL) {
		call_fail(call, FAIL_MEMBER,
		    "\"scenario\" and \"yaml\" say the same thing twice");
		return NULL;
	}
	if (!settings_read(call, json_object_get(call->members, "set"),
		&settings))
		return NULL;
	if (load(call, &settings, &scenario, &errors) == -1)
		call_fail_errors(call, FAIL_SCENARIO, &errors);
	errors_clear(&errors);
	settings_clear(&settings);
	return scenario;
}

/* False: it has answered, and the site is gone again. */
static bool
open_port(struct call *call, struct site *site)
{
	static const enum failure of[] = {
		[SITE_OK] = FAIL_INTERNAL,
		[SITE_BAD_ID] = FAIL_PORT_RANGE,
		[SITE_UNKNOWN] = FAIL_INTERNAL,
		[SITE_GONE] = FAIL_SITE_TAKEN, /* and deleted, meanwhile */
		[SITE_TAKEN] = FAIL_PORT_TAKEN,
		[SITE_NO_ROOM] = FAIL_PORTS_FULL,
		[SITE_SCENARIO] = FAIL_INTERNAL,
		[SITE_FAILED] = FAIL_INTERNAL,
	};
	int64_t port = call_number(call, "port", -1);
	struct error err = { 0 }, unused = { 0 };
	enum site_answer answer;

	if (port == -1)
		return true;
	answer = doors_open(call->control->doors, site, (unsigned)port, &err);
	if (answer == SITE_OK)
		return true;
	doors_close_site(call->control->doors, site_id(site), &unused);
	call_fail(call, of[answer], "%s", err.text);
	return false;
}

void
make_site(struct call *call)
{
	struct scenario *scenario = load_scenario(call);
	struct error err = { 0 };
	struct site *site = NULL;
	enum site_answer answer;

	if (scenario == NULL)
		return;
	answer = site_make(call->control->sites, call_text(call, "id"),
	    scenario, &site, &err);
	scenario_free(scenario);
	if (answer != SITE_OK) {
		call_fail_site(call, answer, &err);
	} else if (open_port(call, site)) {
		call_header(call, "Location", "/v1/sites/%s", site_id(site));
		call_site(call, 201, site);
	}
	site_unref(site);
}

void
delete_site(struct call *call)
{
	struct error err = { 0 };
	enum site_answer answer = doors_close_site(call->control->doors,
	    site_id(call->site), &err);

	if (answer == SITE_TAKEN) {
		call_fail(call, FAIL_SITE_DEFAULT, "%s", err.text);
	} else if (answer != SITE_OK) {
		call_fail_site(call, answer, &err);
	} else {
		/* Who waits for its next request hears that it is gone. */
		http_wake(call->control->http, site_journal(call->site));
		call_nothing(call);
	}
}

/* What refuses connections may be another thing now. */
static void
changed(struct call *call)
{
	http_look(call->control->http);
	call_site(call, 200, call->site);
}

void
use_scenario(struct call *call)
{
	struct scenario *scenario;
	struct error err = { 0 };

	if (!call->is_yaml && call_text(call, "scenario") == NULL &&
	    call_text(call, "yaml") == NULL) {
		call_fail(call, FAIL_MEMBER,
		    "\"scenario\" is missing, or \"yaml\"");
		return;
	}
	if ((scenario = load_scenario(call)) == NULL)
		return;
	if (site_use_scenario(call->site, scenario, &err) == -1)
		call_fail(call, FAIL_REFUSED, "%s", err.text);
	else
		changed(call);
	scenario_free(scenario);
}

/* What the language refuses is the caller's error, the rest is the site's. */
static void
set(struct call *call, const struct settings *settings)
{
	const char *const *texts = (const char *const *)settings->texts;
	struct errors errors = { 0 };
	struct stack_state state;

	site_state(call->site, &state);
	if (scenario_set(&state, texts, settings->count, &errors) == -1)
		call_fail_errors(call, FAIL_SETTING, &errors);
	else if (site_set(call->site, texts, settings->count, &errors) == -1)
		call_fail_errors(call, FAIL_REFUSED, &errors);
	else
		changed(call);
	errors_clear(&errors);
}

void
change_server(struct call *call)
{
	struct settings settings;

	if (settings_read(call, call->members, &settings)) {
		set(call, &settings);
		settings_clear(&settings);
	}
}

void
reset_site(struct call *call)
{
	struct error err = { 0 };

	if (site_reset(call->site, &err) == -1)
		call_fail(call, FAIL_REFUSED, "%s", err.text);
	else
		changed(call);
}

void
get_clock(struct call *call)
{
	struct clock *clock = site_clock(call->site);

	call_json(call, 200,
	    json_pack("{so, sI}", "now", time_json(clock_now(clock)), "offset",
		(json_int_t)atomic_load(&clock->offset)));
}

/* False: it has answered. */
static bool
read_advance(struct call *call, int64_t *seconds)
{
	const char *text = call_text(call, "advance"), *why = NULL;
	int64_t ms;

	if (scenario_duration(text, &ms) == -1)
		why = "is not a duration such as 90s, 60m, 2h, 2d or 1y";
	else if (ms < 0)
		why = "goes back, which a clock does not; a reset sets it back";
	else if (ms % 1000 != 0)
		why = "is not a number of whole seconds";
	else if (ms / 1000 > CLOCK_END - clock_now(site_clock(call->site)))
		why = "goes beyond the year 9999";
	if (why != NULL)
		call_fail(call, FAIL_MEMBER, "\"advance\": \"%.60s\" %s", text,
		    why);
	*seconds = ms / 1000;
	return why == NULL;
}

void
advance_clock(struct call *call)
{
	int64_t seconds;

	if (!read_advance(call, &seconds))
		return;
	clock_advance(site_clock(call->site), seconds);
	http_look(call->control->http);
	get_clock(call);
}
