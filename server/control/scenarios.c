/* The scenarios that can be had by name. */
#include <stdlib.h>
#include <string.h>

#include "control/inside.h"

/* A text of malloc() or NULL, which is freed. */
static json_t *
parse(char *text)
{
	json_t *json = text == NULL ? NULL : json_loads(text, 0, NULL);

	free(text);
	return json;
}

void
list_scenarios(struct call *call)
{
	const struct scenario_options options = {
		.dir = call->control->scenario_dir
	};
	struct errors errors = { 0 };
	char *text = scenario_list(&options, true, &errors);

	if (text == NULL)
		call_fail_errors(call, FAIL_INTERNAL, &errors);
	else
		call_json(call, 200,
		    json_pack("{so}", "scenarios", parse(text)));
	errors_clear(&errors);
}

/* Of several types that it would take, in any order and of any quality. */
static bool
wants_yaml(const struct call *call)
{
	const char *accept = call->request->accept;
	const char *format = call_parameter(call, "format");

	if (format != NULL)
		return strcmp(format, "yaml") == 0;
	return accept != NULL && strcasestr(accept, "application/yaml") != NULL;
}

static void
tell(struct call *call, const struct scenario_options *options,
    struct span yaml)
{
	json_t *json;

	if (wants_yaml(call)) {
		call_octets(call, 200, "application/yaml", yaml);
		return;
	}
	json = parse(scenario_tell(call->values[0], options));
	if (json != NULL &&
	    json_object_set_new(json, "yaml",
		json_stringn((const char *)yaml.data, yaml.len)) == -1) {
		/* A file that is no text is told without it. */
		json_object_set_new(json, "yaml", json_null());
	}
	call_json(call, 200, json);
}

void
get_scenario(struct call *call)
{
	const struct scenario_options options = {
		.dir = call->control->scenario_dir
	};
	const char *format = call_parameter(call, "format");
	struct errors errors = { 0 };
	struct blob yaml = { 0 };

	if (format != NULL && strcmp(format, "yaml") != 0 &&
	    strcmp(format, "json") != 0)
		call_fail(call, FAIL_PARAMETER,
		    "\"format\" is json or yaml, not \"%.60s\"", format);
	else if (scenario_source(call->values[0], &options, &yaml, &errors) ==
	    -1)
		call_fail_errors(call, FAIL_SCENARIO_UNKNOWN, &errors);
	else
		tell(call, &options, blob_span(&yaml));
	blob_free(&yaml);
	errors_clear(&errors);
}
