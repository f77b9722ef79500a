/* What an administrator can look at, and what he can do. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/admin.h"
#include "control/inside.h"

#define NAMES_SIZE 512

void
list_evidence(struct call *call)
{
	json_t *list = json_array();

	for (int e = 0; e < EVIDENCES; e++)
		json_array_append_new(list,
		    json_pack("{ss, ss}", "name",
			evidence_name((enum evidence)e), "title",
			evidence_title((enum evidence)e)));
	call_json(call, 200, json_pack("{so}", "evidence", list));
}

static void
no_such_evidence(struct call *call, const char *name)
{
	char names[NAMES_SIZE] = "";

	for (int e = 0; e < EVIDENCES; e++) {
		size_t len = strlen(names);

		snprintf(names + len, sizeof(names) - len, "%s%s",
		    e > 0 ? ", " : "", evidence_name((enum evidence)e));
	}
	call_fail(call, FAIL_EVIDENCE_UNKNOWN,
	    "there is no evidence \"%.60s\"; there is: %s", name, names);
}

/* Takes either; NULL: no memory for it. */
static void
show(struct call *call, json_t *json, struct buffer *text)
{
	if (text == NULL)
		call_json(call, 200, json);
	else if (text->failed)
		call_fail(call, FAIL_INTERNAL, "out of memory");
	else
		call_octets(call, 200, "text/plain; charset=utf-8",
		    buffer_span(text));
}

static void
show_log(struct call *call, enum evidence e, bool as_json)
{
	struct log_memory *memory = site_evidence(call->site);
	struct buffer text = { 0 };

	if (as_json) {
		show(call, log_memory_json(memory, e), NULL);
		return;
	}
	text.failed |= log_memory_print(memory, e, &text) == -1;
	show(call, NULL, &text);
	buffer_free(&text);
}

/* What the scenario has of it, behind the rest; each line is an entry. */
static void
add_told(const struct scenario *scenario, enum evidence e, json_t *json,
    struct buffer *text)
{
	json_t *entries = json_object_get(json, "entries");

	for (size_t i = 0; i < scenario->evidence_count; i++) {
		const struct scenario_evidence *told = &scenario->evidence[i];

		if (told->in != e)
			continue;
		buffer_printf(text, "%s\n", told->text);
		json_array_append_new(entries,
		    json_pack("{ss}", "text", told->text));
	}
}

static void
show_view(struct call *call, enum evidence e, bool as_json,
    const struct admin_look *look)
{
	struct scenario *scenario = site_scenario(call->site);
	struct buffer text = { 0 };
	json_t *json = NULL;

	if (as_json)
		json = admin_json(e, look);
	else
		admin_print(e, look, &text);
	add_told(scenario, e, json, &text);
	show(call, json, as_json ? NULL : &text);
	buffer_free(&text);
	scenario_free(scenario);
}

static void
look_at(struct call *call, enum evidence e, bool as_json)
{
	struct credentials *credentials = NULL;
	struct stack_state state;
	struct error err = { 0 };
	struct admin_look look = { .state = &state,
		.opened = site_opened(call->site),
		.now = clock_now(site_clock(call->site)) };

	if (admin_needs_credentials(e) &&
	    (credentials = site_credentials(call->site, &err)) == NULL) {
		call_fail(call, FAIL_INTERNAL, "%s", err.text);
		return;
	}
	site_configured(call->site, &state);
	look.credentials = credentials;
	show_view(call, e, as_json, &look);
	credentials_free(credentials);
}

void
get_evidence(struct call *call)
{
	const char *format = call_parameter(call, "format");
	enum evidence e = evidence_find(call->values[1]);
	bool as_json = format != NULL && strcmp(format, "json") == 0;

	if (e == EVIDENCES)
		no_such_evidence(call, call->values[1]);
	else if (format != NULL && !as_json && strcmp(format, "text") != 0)
		call_fail(call, FAIL_PARAMETER,
		    "\"format\" is text or json, not \"%.60s\"", format);
	else if (e < EVIDENCE_LOGS)
		show_log(call, e, as_json);
	else
		look_at(call, e, as_json);
}

static json_t *
argument_json(const struct action_argument *a)
{
	const bool text = a->key.type == VALUE_TEXT;
	json_t *json = json_pack("{ss, ss, ss, sI, sI, sb}", "name",
	    a->key.name, "help", a->key.help, "type",
	    text ? "string" : "integer", text ? "minLength" : "minimum",
	    (json_int_t)a->key.min, text ? "maxLength" : "maximum",
	    (json_int_t)a->key.max, "required", a->standard == ACTION_WANTED);

	if (a->standard != ACTION_WANTED && a->standard != ACTION_STAYS)
		json_object_set_new(json, "default", json_integer(a->standard));
	return json;
}

static json_t *
names_json(const char *const *names, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, json_string(names[i]));
	return list;
}

static json_t *
action_json(struct site *site, const struct action *a)
{
	json_t *arguments = json_array(), *json;
	size_t steps = 0;

	while (a->waits_for[steps] != NULL)
		steps++;
	for (size_t i = 0; i < ACTION_ARGUMENTS_MAX; i++)
		if (a->arguments[i].key.name != NULL)
			json_array_append_new(arguments,
			    argument_json(&a->arguments[i]));
	json = json_pack("{ss, ss, ss, so, so, sb}", "name", a->name, "title",
	    a->title, "source", a->source, "arguments", arguments, "waits_for",
	    names_json(a->waits_for, steps), "waiting", site_waits(site, a));
	if (a->also != NULL)
		json_object_set_new(json, "also", json_string(a->also));
	return json;
}

void
list_actions(struct call *call)
{
	json_t *list = json_array();
	const struct action *a;

	for (size_t i = 0; (a = action_at(i)) != NULL; i++)
		json_array_append_new(list, action_json(call->site, a));
	call_json(call, 200, json_pack("{so}", "actions", list));
}

/* "NAME=VALUE", each; the caller frees them. */
struct texts {
	char **list;
	size_t count;
};

static void
texts_clear(struct texts *t)
{
	for (size_t i = 0; i < t->count; i++)
		free(t->list[i]);
	free(t->list);
}

/* NULL: it can be none; or, as `*no_memory` says, there is none for it. */
static char *
argument_text(const char *name, const json_t *value, bool *no_memory)
{
	char *text = NULL;
	int len = 0;

	if (json_is_integer(value))
		len = asprintf(&text, "%s=%" JSON_INTEGER_FORMAT, name,
		    json_integer_value(value));
	else if (json_is_string(value))
		len = asprintf(&text, "%s=%s", name, json_string_value(value));
	*no_memory = len == -1;
	return len == -1 ? NULL : text;
}

static bool
read_arguments(struct call *call, struct texts *out)
{
	bool no_memory;
	const char *name;
	json_t *value;
	char *text;

	out->list = calloc(json_object_size(call->members) + 1, sizeof(char *));
	no_memory = out->list == NULL;
	json_object_foreach(call->members, name, value)
	{
		if (no_memory)
			break;
		if (strchr(name, '=') != NULL) { /* "NAME=VALUE" hides it */
			call_fail(call, FAIL_MEMBER, "\"%.60s\" is no argument",
			    name);
			return false;
		}
		if ((text = argument_text(name, value, &no_memory)) != NULL) {
			out->list[out->count++] = text;
		} else if (!no_memory) {
			call_fail(call, FAIL_MEMBER,
			    "\"%.60s\" is neither a number nor a text", name);
			return false;
		}
	}
	if (no_memory)
		call_fail(call, FAIL_INTERNAL, "out of memory");
	return !no_memory;
}

static void
call_acted(struct call *call, const struct site_acted *acted)
{
	const struct action_steps *waits = &acted->waits_for;
	json_t *json = json_pack("{sb, so}", "healthy", acted->healthy,
	    "changed", names_json(acted->changed, acted->changed_count));

	if (!acted->healthy)
		json_object_set_new(json, "why", json_string(acted->why.text));
	if (waits->count > 0)
		json_object_set_new(json, "waits_for",
		    names_json(waits->names, waits->count));
	call_json(call, 200, json);
}

static void
do_it(struct call *call, const struct action *action, const struct texts *texts)
{
	struct site_acted acted;
	struct action_call how;
	struct error err = { 0 };

	if (action_read(action, (const char *const *)texts->list, texts->count,
		&how, &err) == -1) {
		call_fail(call, FAIL_MEMBER, "%s", err.text);
		return;
	}
	if (site_act(call->site, action, &how, &acted, &err) == -1)
		call_fail(call, FAIL_REFUSED, "%s", err.text);
	else
		call_acted(call, &acted);
	/* What refuses connections may be another thing now. */
	http_look(call->control->http);
	site_acted_clear(&acted);
}

void
do_action(struct call *call)
{
	struct error err = { 0 };
	const struct action *action = action_find(call->values[1], &err);
	struct texts texts = { NULL, 0 };

	if (action == NULL)
		call_fail(call, FAIL_ACTION_UNKNOWN, "%s", err.text);
	else if (read_arguments(call, &texts))
		do_it(call, action, &texts);
	texts_clear(&texts);
}
