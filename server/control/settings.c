/* Settings in JSON, as the texts that the scenario language reads. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/inside.h"

#define SETTINGS_MAX 256
#define REAL_DIGITS 15 /* with more, 401.2 is 401.19999999999999 */

void
settings_clear(struct settings *s)
{
	for (size_t i = 0; i < s->count; i++)
		free(s->texts[i]);
	free(s->texts);
	*s = (struct settings){ 0 };
}

/* A key of the language, or some of them with dots between. */
static bool
is_name(const char *text)
{
	size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_.");

	return len > 0 && text[len] == '\0';
}

/* In YAML it would be a text that reads "null". */
static bool
has_null(json_t *json)
{
	const char *key;
	json_t *item;
	size_t i;

	json_object_foreach(json, key, item) if (has_null(item)) return true;
	json_array_foreach(json, i, item) if (has_null(item)) return true;
	return json_is_null(json);
}

/* JSON in one line is YAML too: sections in it are those of the language. */
static bool
add(struct call *call, const char *key, const json_t *value,
    struct settings *out)
{
	bool is_whole = strncmp(key, "server.", 7) == 0;
	char *json = json_dumps(value,
	    JSON_ENCODE_ANY | JSON_REAL_PRECISION(REAL_DIGITS));
	char **texts = reallocarray(out->texts, out->count + 1, sizeof(*texts));
	char *text = NULL;

	if (texts != NULL)
		out->texts = texts;
	if (json == NULL || texts == NULL ||
	    asprintf(&text, "%s%s=%s", is_whole ? "" : "server.", key, json) ==
		-1)
		call_fail(call, FAIL_INTERNAL, "out of memory");
	else
		out->texts[out->count++] = text;
	free(json);
	return text != NULL;
}

static bool
read_all(struct call *call, json_t *object, struct settings *out)
{
	const char *key, *why;
	json_t *value;

	json_object_foreach(object, key, value)
	{
		why = !is_name(key)	       ? "is no setting" :
		    has_null(value)	       ? "cannot be null" :
		    out->count == SETTINGS_MAX ? "is one too many" :
						 NULL;
		if (why != NULL) {
			call_fail(call, FAIL_SETTING, "\"%.60s\" %s", key, why);
			return false;
		}
		if (strcmp(key, "server") == 0 && json_is_object(value) ?
			!read_all(call, value, out) :
			!add(call, key, value, out))
			return false;
	}
	return true;
}

bool
settings_read(struct call *call, json_t *from, struct settings *out)
{
	*out = (struct settings){ 0 };
	if (from == NULL || read_all(call, from, out))
		return true;
	settings_clear(out);
	return false;
}
