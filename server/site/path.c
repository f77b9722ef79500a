/* From the path of a request to its site; a site with a label is made on first use. */
#include "site/inside.h"

#include <stdio.h>
#include <string.h>

/* Up to the next slash, which `rest` begins with, or to the end. */
static struct span
first_segment(struct span path, struct span *rest)
{
	const uint8_t *slash = memchr(path.data, '/', path.len);
	size_t len = slash == NULL ? path.len : (size_t)(slash - path.data);

	*rest = span_of(path.data + len, path.len - len);
	return span_of(path.data, len);
}

/* Which site the path of a request is for. */
struct address {
	enum site_kind kind;
	char id[SITE_ID_SIZE];
	char scenario[SITE_ID_SIZE]; /* empty: it must be there already */
	size_t prefix;		     /* octets of the path */
};

static bool
read_address(struct span path, struct address *out)
{
	struct span first, second, rest, after;
	char *id;

	*out = (struct address){ .id = SITE_DEFAULT };
	if (path.len < 3 || path.data[0] != '/' || path.data[2] != '/' ||
	    (path.data[1] != 's' && path.data[1] != 't'))
		return true;
	first = first_segment(span_of(path.data + 3, path.len - 3), &rest);
	if (first.len == 0 || first.len > SITE_ID_SIZE - SITE_LABEL_MAX - 2)
		return false;
	out->prefix = path.len - rest.len;
	if (path.data[1] == 't') {
		out->kind = SITE_MADE;
		snprintf(out->id, sizeof(out->id), "%.*s", (int)first.len,
		    (const char *)first.data);
		return true;
	}
	out->kind = SITE_OF_SCENARIO;
	snprintf(out->scenario, sizeof(out->scenario), "%.*s", (int)first.len,
	    (const char *)first.data);
	strcpy(out->id, out->scenario);
	if (rest.len == 0)
		return true;
	second = first_segment(span_of(rest.data + 1, rest.len - 1), &after);
	/* Without a slash behind it, it is a page that IIS does not have. */
	if (!site_is_label(second) || after.len == 0)
		return true;
	out->kind = SITE_OF_LABEL;
	id = out->id + strlen(out->id);
	*id++ = '~';
	memcpy(id, second.data, second.len);
	id[second.len] = '\0';
	out->prefix = path.len - after.len;
	return true;
}

static enum site_answer
tell_scenario(const struct errors *errors, struct error *err)
{
	char text[sizeof(err->text)];
	bool broken = errors->list[0].at.file != NULL;

	error_set(err, "%s",
	    error_print(&errors->list[0], text, (int)sizeof(text)));
	return broken ? SITE_SCENARIO : SITE_UNKNOWN;
}

static enum site_answer
open_by_scenario(struct sites *sites, const struct address *a,
    struct site **out, struct error *err)
{
	const struct scenario_options options = {
		.dir = sites->options.scenario_dir
	};
	struct errors errors = { 0 };
	struct scenario *scenario = NULL;
	enum site_answer answer;

	if (scenario_find(a->scenario, &options, &scenario, &errors) == 0)
		answer = site_open(sites, a->id, a->kind, scenario, out, err);
	else
		answer = tell_scenario(&errors, err);
	errors_clear(&errors);
	scenario_free(scenario);
	/* Another thread was faster. */
	return answer == SITE_TAKEN && (*out)->kind == a->kind ? SITE_OK :
								 answer;
}

static enum site_answer
by_path(struct sites *sites, struct request *r, struct site **out,
    struct error *err)
{
	struct error missing = { 0 };
	enum site_answer answer;
	struct address a;

	*out = NULL;
	if (!read_address(r->path, &a)) {
		error_set(err, "the path names no site");
		return SITE_UNKNOWN;
	}
	answer = site_get(sites, a.id, out, &missing);
	/* Of another kind, it is none here: there may be no such scenario. */
	if (answer == SITE_OK && (*out)->kind != a.kind) {
		site_unref(*out);
		*out = NULL;
		answer = SITE_UNKNOWN;
		error_set(&missing, "there is no such site");
	}
	/* One that was deleted begins anew; one that had to go does not. */
	if (answer != SITE_OK && a.scenario[0] != '\0' &&
	    !site_was_evicted(sites, a.id))
		answer = open_by_scenario(sites, &a, out, err);
	if (*out != NULL && (answer != SITE_OK || (*out)->kind != a.kind)) {
		site_unref(*out);
		*out = NULL;
		error_set(err, "there is no such site");
		return SITE_UNKNOWN;
	}
	if (answer != SITE_OK)
		error_set(err, "%s", missing.text);
	else if (a.prefix > 0)
		request_hide_prefix(r, a.prefix);
	return answer;
}

/* The beginning of an exchange. Takes the reference. */
static void
begin_at(struct site *site, struct exchange *ex)
{
	pthread_mutex_lock(&site->lock);
	ex->snapshot = snapshot_ref(site->now);
	ex->process = site->worker.process;
	pthread_mutex_unlock(&site->lock);
	ex->at = clock_now(&site->clock);
}

enum site_answer
site_begin(const struct door *door, struct exchange *ex, struct error *err)
{
	enum site_answer answer = SITE_OK;
	struct site *site = door->site;

	if (site == NULL) {
		answer = by_path(door->sites, &ex->request, &site, err);
	} else if (atomic_load(&site->closed)) {
		answer = SITE_GONE;
		error_set(err, "the site \"%s\" was deleted", site->id);
	} else {
		site_ref(site);
	}
	if (answer == SITE_OK) {
		begin_at(site, ex);
		ex->scep.operation = site_operation(&ex->request);
	}
	return answer;
}

void
site_begin_unasked(const struct door *door, struct exchange *ex)
{
	struct site *site = door->site != NULL ? door->site :
						 site_default(door->sites);

	begin_at(site_ref(site), ex);
}

struct site *
site_of(const struct exchange *ex)
{
	return ex->snapshot->site;
}
