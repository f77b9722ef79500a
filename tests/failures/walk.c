#include "failures/walk.h"

#include <stdio.h>
#include <string.h>

#include "support/test.h"

/* Sites that clients cannot tell from one another, and how they came to be. */
#define KINDS_MAX 32
struct kind {
	struct look look;
	bool healthy;
	struct buffer actions;
	int count;
};

static const char *
text_at(const json_t *json, const char *name)
{
	json_t *value = json_object_get(json, name);

	if (json_is_array(value))
		value = json_array_get(value, 0);
	return json_string_value(value);
}

/* What the others are told from. */
static bool
is_base(const char *name)
{
	return strcmp(name, "healthy") == 0;
}

bool
walk_wants(const json_t *scenario)
{
	const json_t *reference = json_object_get(scenario, "reference");

	return json_array_size(json_object_get(scenario, "cure")) > 0 ||
	    json_object_get(reference, "article") != NULL ||
	    is_base(json_at(scenario, "name"));
}

static void
print_reference(const json_t *scenario, struct buffer *out)
{
	const json_t *r = json_object_get(scenario, "reference");
	const char *article = text_at(r, "article");
	const char *section = text_at(r, "section");
	const char *cause = text_at(r, "cause"), *thread = text_at(r, "thread");

	if (article != NULL)
		buffer_printf(out, "%s", article);
	else if (thread != NULL)
		buffer_printf(out, "%s", thread);
	else if (!is_base(json_at(scenario, "name")))
		buffer_add_text(out, "assumed");
	if (section != NULL)
		buffer_printf(out, ", \"%s\"", section);
	if (cause != NULL)
		buffer_printf(out, ", cause %s", cause);
}

static void
check_healthy(struct lab *lab, struct look *seen, struct look *healthy,
    const char *what)
{
	for (int p = 0; p < PROBES; p++)
		if (!look_says_the_same(seen, healthy, p))
			lab_complain(lab, "%s: said to be healthy, but: %s",
			    what, (char *)seen->client[p].data);
}

static void
print_health(struct site_under_test *site, struct buffer *out)
{
	struct buffer why = { 0 };

	if (lab_is_healthy(site, &why))
		buffer_add_text(out, "healthy");
	else
		buffer_printf(out, "unhealthy: %s", text_of(&why));
	buffer_free(&why);
}

/* Those lines that are not there yet, and that no healthy site has. */
static void
add_new_lines(const char *lines, const char *healthy, struct buffer *out)
{
	char line[512];

	for (size_t len; *lines != '\0'; lines += len + 1) {
		len = strcspn(lines, "\n");
		snprintf(line, sizeof(line), "%.*s\n", (int)len, lines);
		if (strstr(healthy, line) != NULL)
			continue;
		snprintf(line, sizeof(line), "`%.*s`", (int)len, lines);
		if (strstr(text_of(out), line) == NULL)
			buffer_printf(out, "%s%s", out->len > 0 ? "<br>" : "",
			    line);
	}
}

static void
fill_logs(struct look *before, struct look *healthy, struct buffer *out)
{
	bool iis = false, differs = false;

	add_new_lines((char *)before->past.data, (char *)healthy->past.data,
	    out);
	for (int p = 0; p < PROBES; p++) {
		add_new_lines((char *)before->logs[p].data,
		    (char *)healthy->logs[p].data, out);
		if (look_says_the_same(before, healthy, p))
			continue;
		differs = true;
		iis |= strstr((char *)before->logs[p].data, "IIS ") != NULL;
	}
	if (differs && !iis)
		buffer_printf(out, "%sno line in the IIS log",
		    out->len > 0 ? "<br>" : "");
}

/* What a site without exchanges has in its logs, but for what all have. */
static void
print_past(struct look *before, struct look *healthy, struct buffer *out)
{
	const char *past = (char *)before->past.data;

	if (healthy != NULL && strcmp(past, (char *)healthy->past.data) == 0)
		return;
	buffer_add_text(out, "    already there:\n");
	print_logs(past, healthy == NULL ? NULL : (char *)healthy->past.data,
	    "        ", out);
}

/* How it is before anybody does something. */
static void
look_before(struct lab *lab, const char *name, struct look *before,
    struct look *healthy, struct walk *out)
{
	struct look *usual = is_base(name) ? NULL : healthy;
	struct site_under_test site;

	lab_open(lab, name, NULL, &site);
	buffer_add_text(&out->text, "  before: ");
	print_health(&site, &out->text);
	buffer_add_text(&out->text, "\n");
	look_at(&site, true, before);
	print_past(before, usual, &out->text);
	look_print(before, usual, "    ", &out->text);
	fill_logs(before, healthy, &out->row.logs);
	if (lab_is_healthy(&site, NULL))
		check_healthy(lab, before, healthy, name);
	lab_close(&site);
}

static void
file_as(struct kind kinds[KINDS_MAX], size_t *count, struct look *look,
    bool is_healthy, const char *action)
{
	struct kind *k = kinds;

	while (k < kinds + *count &&
	    (k->healthy != is_healthy || !look_is_same(&k->look, look)))
		k++;
	if (k == kinds + *count) {
		assert_true(*count < KINDS_MAX);
		++*count;
		k->look = *look;
		k->healthy = is_healthy;
	} else {
		look_clear(look);
	}
	buffer_printf(&k->actions, "%s%s", k->count++ > 0 ? ", " : "", action);
}

static void
try_action(struct site_under_test *site, const char *action, bool was_healthy,
    struct look *before, struct look *healthy, struct look *out,
    struct acted *acted)
{
	char what[128];

	lab_act(site, action, acted);
	buffer_free(&acted->waits_for);
	if (acted->changed || acted->healthy != was_healthy)
		look_at(site, false, out);
	else
		look_again(site, before, out);
	snprintf(what, sizeof(what), "%s after %s", site->scenario, action);
	if (acted->healthy)
		check_healthy(site->lab, out, healthy, what);
	lab_reset(site);
}

/* A reset forgets everything, or what follows would be worth nothing. */
static void
check_reset(struct site_under_test *site, struct look *before)
{
	struct buffer was = { 0 }, is = { 0 };
	struct look look;

	look_at(site, true, &look);
	print_past(before, NULL, &was);
	print_past(&look, NULL, &is);
	look_print(before, NULL, "", &was);
	look_print(&look, NULL, "", &is);
	if (strcmp(text_of(&is), text_of(&was)) != 0)
		lab_complain(site->lab, "after a reset: %s", text_of(&is));
	buffer_free(&was);
	buffer_free(&is);
	look_clear(&look);
}

static void
print_kind(struct kind *k, bool as_before, struct look *healthy,
    struct buffer *out)
{
	buffer_printf(out, "    %s: %s",
	    as_before ? "any other action" : text_of(&k->actions),
	    k->healthy ? "healthy" : "unhealthy");
	if (as_before) {
		buffer_add_text(out, ", as before");
	} else if (!k->healthy) {
		buffer_add_text(out, "; ");
		look_print_short(&k->look, healthy, out);
	}
	buffer_add_text(out, "\n");
}

/* Those that change nothing come last. */
static void
print_kinds(struct kind *kinds, size_t count, bool was_healthy,
    struct look *before, struct look *healthy, struct buffer *out)
{
	buffer_add_text(out, "  one action:\n");
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < count; i++) {
			bool as_before = kinds[i].healthy == was_healthy &&
			    look_is_same(&kinds[i].look, before);

			if (as_before == (pass == 1))
				print_kind(&kinds[i], as_before, healthy, out);
		}
}

/* What one action makes of it, and nothing else is done. */
static void
try_actions(struct lab *lab, const char *name, struct look *before,
    struct look *healthy, struct walk *out)
{
	struct kind kinds[KINDS_MAX] = { 0 };
	struct site_under_test site;
	struct acted acted;
	bool was_healthy;
	size_t count = 0, i;
	struct look look;
	json_t *action;

	lab_open(lab, name, NULL, &site);
	was_healthy = lab_is_healthy(&site, NULL);
	json_array_foreach(lab->actions, i, action)
	{
		const char *is = json_at(action, "name");

		try_action(&site, is, was_healthy, before, healthy, &look,
		    &acted);
		file_as(kinds, &count, &look, acted.healthy, is);
	}
	check_reset(&site, before);
	lab_close(&site);
	print_kinds(kinds, count, was_healthy, before, healthy, &out->text);
	for (i = 0; i < count; i++) {
		look_clear(&kinds[i].look);
		buffer_free(&kinds[i].actions);
	}
}

/* A pool that crashed: with everything looked at, while it does so again. */
static void
try_once_more(struct lab *lab, const char *name, struct look *healthy,
    struct buffer *out)
{
	static const char *const steps[] = { "enable-capi2-log",
		"start-app-pool" };
	struct site_under_test site;
	struct acted acted;
	struct look look;

	lab_open(lab, name, NULL, &site);
	buffer_add_text(out, "  once more, after");
	for (size_t i = 0; i < COUNT_OF(steps); i++) {
		lab_act(&site, steps[i], &acted);
		buffer_free(&acted.waits_for);
		buffer_printf(out, " %s", steps[i]);
	}
	buffer_add_text(out, ":\n");
	look_at(&site, true, &look);
	look_print(&look, healthy, "    ", out);
	look_clear(&look);
	lab_close(&site);
}

static void
print_step(struct site_under_test *site, const char *action, struct look *last,
    struct look *healthy, struct buffer *out)
{
	struct acted acted;
	struct look look;

	lab_act(site, action, &acted);
	buffer_printf(out, "    %s: %s", action,
	    acted.healthy ? "healthy" : "unhealthy");
	if (acted.waits_for.len > 0)
		buffer_printf(out, ", waits for %s", text_of(&acted.waits_for));
	look_at(site, false, &look);
	if (!acted.healthy && look_is_same(&look, last)) {
		buffer_add_text(out, ", as before");
	} else if (!acted.healthy) {
		buffer_add_text(out, "; ");
		look_print_short(&look, healthy, out);
	}
	buffer_add_text(out, "\n");
	look_clear(last);
	*last = look;
	buffer_free(&acted.waits_for);
}

/* Whether what seems healthy stays so. */
static bool
restart(struct site_under_test *site, struct look *healthy, struct buffer *out)
{
	struct acted acted;
	struct look look;

	lab_act(site, "restart-server", &acted);
	buffer_free(&acted.waits_for);
	look_at(site, false, &look);
	if (acted.healthy) {
		buffer_add_text(out, "and after restart-server");
		check_healthy(site->lab, &look, healthy, site->scenario);
	} else {
		buffer_add_text(out, "but after restart-server unhealthy; ");
		look_print_short(&look, healthy, out);
	}
	look_clear(&look);
	return acted.healthy;
}

static void
try_cure(struct lab *lab, const char *name, const json_t *cure,
    struct look *healthy, struct buffer *out)
{
	struct site_under_test site;
	struct buffer why = { 0 };
	struct look last;
	json_t *step;
	size_t i;

	lab_open(lab, name, NULL, &site);
	look_at(&site, false, &last);
	buffer_add_text(out, "  cure:\n");
	json_array_foreach(cure, i, step)
	    print_step(&site, json_string_value(step), &last, healthy, out);
	if (!lab_is_healthy(&site, &why))
		lab_complain(lab, "%s: its cure does not help: %s", name,
		    text_of(&why));
	check_healthy(lab, &last, healthy, name);
	if (lab_real_client_enrols(&site, &why))
		buffer_add_text(out, "    scepclient enrols, ");
	else
		lab_complain(lab, "%s is cured, but scepclient: %s", name,
		    text_of(&why));
	if (!restart(&site, healthy, out))
		lab_complain(lab, "%s is cured until the restart", name);
	buffer_add_text(out, "\n");
	buffer_free(&why);
	look_clear(&last);
	lab_close(&site);
}

/* All steps of a cure but one: whether that is needed, and for what. */
static void
leave_out(struct lab *lab, const char *name, const json_t *cure, size_t left,
    struct look *healthy, struct buffer *out)
{
	const char *what = json_string_value(json_array_get(cure, left));
	struct site_under_test site;
	struct acted acted;
	struct look look;
	json_t *step;
	size_t i;

	lab_open(lab, name, NULL, &site);
	json_array_foreach(cure, i, step)
	{
		if (i == left)
			continue;
		lab_act(&site, json_string_value(step), &acted);
		buffer_free(&acted.waits_for);
	}
	buffer_printf(out, "    without %s: ", what);
	look_at(&site, false, &look);
	if (lab_is_healthy(&site, NULL)) {
		buffer_printf(out, "healthy, ");
		check_healthy(lab, &look, healthy, name);
		restart(&site, healthy, out);
	} else {
		buffer_add_text(out, "unhealthy; ");
		look_print_short(&look, healthy, out);
	}
	buffer_add_text(out, "\n");
	look_clear(&look);
	lab_close(&site);
}

static void
leave_out_each(struct lab *lab, const char *name, const json_t *cure,
    struct look *healthy, struct buffer *out)
{
	size_t count = json_array_size(cure);

	for (size_t i = 0; count > 1 && i < count; i++)
		leave_out(lab, name, cure, i, healthy, out);
}

/* "a, b; or c" */
static void
fill_cure(const json_t *cures, struct buffer *out)
{
	json_t *cure, *step;
	size_t i, k;

	json_array_foreach(cures, i, cure)
	{
		json_array_foreach(cure, k, step) buffer_printf(out, "%s`%s`",
		    k > 0     ? ", " :
			i > 0 ? "; or " :
				"",
		    json_string_value(step));
	}
}

void
walk(struct lab *lab, const json_t *scenario, struct look *healthy,
    struct walk *out)
{
	const char *name = json_at(scenario, "name");
	struct look before;
	json_t *cure;
	size_t i;

	*out = (struct walk){ 0 };
	print_reference(scenario, &out->row.documented);
	buffer_printf(&out->text, "%s (%s)\n", name,
	    text_of(&out->row.documented));
	buffer_printf(&out->row.name, "%s", name);
	look_before(lab, name, &before, healthy, out);
	look_print_short(&before, is_base(name) ? NULL : healthy,
	    &out->row.client);
	fill_cure(json_object_get(scenario, "cure"), &out->row.cure);
	try_actions(lab, name, &before, healthy, out);
	if (strstr(text_of(&out->text), "Application: 1000") != NULL)
		try_once_more(lab, name, healthy, &out->text);
	json_array_foreach(json_object_get(scenario, "cure"), i, cure)
	{
		try_cure(lab, name, cure, healthy, &out->text);
		leave_out_each(lab, name, cure, healthy, &out->text);
	}
	text_of(&out->text);
	look_clear(&before);
}

void
walk_clear(struct walk *w)
{
	buffer_free(&w->text);
	buffer_free(&w->row.name);
	buffer_free(&w->row.documented);
	buffer_free(&w->row.client);
	buffer_free(&w->row.logs);
	buffer_free(&w->row.cure);
}
