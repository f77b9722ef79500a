/* The document of the control API against what the program has. */
#include "support/test.h"

#include <jansson.h>
#include <string.h>

#include "control/control.h"
#include "control/inside.h"
#include "control/openapi.h"

static json_t *document;

/* In the form of the document: "get". */
static const char *
method_key(const char *method)
{
	static const char *const keys[] = { "get", "put", "post", "delete",
		"patch" };

	for (size_t i = 0; i < COUNT_OF(keys); i++)
		if (strcasecmp(keys[i], method) == 0)
			return keys[i];
	fail_msg("\"%s\"", method);
	return NULL;
}

static void
every_route_is_in_the_document(void **state)
{
	json_t *paths = json_object_get(document, "paths");
	const char *method, *path;
	size_t i = 0;

	(void)state;
	for (; control_route_at(i, &method, &path); i++)
		if (json_object_get(json_object_get(paths, path),
			method_key(method)) == NULL)
			fail_msg("%s %s is not in the document", method, path);
	assert_true(i > 0);
}

static bool
is_route(const char *key, const char *wanted)
{
	const char *method, *path;

	for (size_t i = 0; control_route_at(i, &method, &path); i++)
		if (strcmp(path, wanted) == 0 && strcasecmp(method, key) == 0)
			return true;
	return false;
}

static void
every_path_of_the_document_is_a_route(void **state)
{
	const char *path, *key;
	json_t *item, *operation;

	(void)state;
	json_object_foreach(json_object_get(document, "paths"), path, item)
	    json_object_foreach(item, key,
		operation) if (strcmp(key, "parameters") != 0 &&
		!is_route(key, path)) fail_msg("there is no %s %s", key, path);
}

/* The codes that an answer of the document names; NULL: none. */
static json_t *
codes_of(const json_t *response)
{
	json_t *codes = NULL;

	json_unpack((json_t *)response, "{s{s{s{s{s{s{s{so}}}}}}}}", "content",
	    "application/json", "schema", "properties", "error", "properties",
	    "code", "enum", &codes);
	return codes;
}

static bool
names(const json_t *codes, const char *wanted)
{
	json_t *code;
	size_t i;

	json_array_foreach(codes, i,
	    code) if (strcmp(json_string_value(code), wanted) == 0) return true;
	return false;
}

static json_t *
responses(void)
{
	return json_object_get(json_object_get(document, "components"),
	    "responses");
}

/* Its code, for json_decref(). */
static json_t *
code_of(enum failure failure)
{
	json_t *json = failure_json(failure, "x"), *code = NULL;

	assert_int_equal(json_unpack(json, "{s{sO}}", "error", "code", &code),
	    0);
	json_decref(json);
	return code;
}

static void
every_code_is_in_the_document_once(void **state)
{
	json_t *response, *code;
	const char *name;
	int found;

	(void)state;
	for (enum failure i = 0; i < FAILURES; i++) {
		code = code_of(i);
		found = 0;
		json_object_foreach(responses(), name, response)
		    found += names(codes_of(response), json_string_value(code));
		if (found != 1)
			fail_msg("%s is there %d times",
			    json_string_value(code), found);
		json_decref(code);
	}
}

static bool
is_code(const char *wanted)
{
	bool found = false;
	json_t *code;

	for (enum failure i = 0; i < FAILURES && !found; i++) {
		code = code_of(i);
		found = strcmp(json_string_value(code), wanted) == 0;
		json_decref(code);
	}
	return found;
}

static void
every_code_of_the_document_can_be_had(void **state)
{
	json_t *response, *code;
	const char *name;
	size_t i;

	(void)state;
	json_object_foreach(responses(), name, response)
	{
		assert_non_null(codes_of(response));
		json_array_foreach(codes_of(response), i,
		    code) if (!is_code(json_string_value(code)))
		    fail_msg("there is no code %s", json_string_value(code));
	}
}

/* In the order of the table, as `mockndes actions` has them. */
static void
actions_are_those_of_the_document(void **state)
{
	const struct action *action;
	json_t *listed = NULL;
	size_t i = 0;

	(void)state;
	assert_int_equal(json_unpack(document, "{s{s{s{so}}}}", "components",
			     "schemas", "ActionName", "enum", &listed),
	    0);
	for (; (action = action_at(i)) != NULL; i++)
		assert_string_equal(action->name,
		    json_string_value(json_array_get(listed, i)));
	assert_int_equal(json_array_size(listed), i);
}

static int
load(void **state)
{
	struct span text = control_openapi();
	json_error_t error;

	(void)state;
	document = json_loadb((const char *)text.data, text.len,
	    JSON_REJECT_DUPLICATES, &error);
	if (document == NULL)
		print_error("openapi.json:%d:%d: %s\n", error.line,
		    error.column, error.text);
	return document == NULL ? -1 : 0;
}

static int
unload(void **state)
{
	(void)state;
	json_decref(document);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_route_is_in_the_document),
		cmocka_unit_test(every_path_of_the_document_is_a_route),
		cmocka_unit_test(every_code_is_in_the_document_once),
		cmocka_unit_test(every_code_of_the_document_can_be_had),
		cmocka_unit_test(actions_are_those_of_the_document),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
