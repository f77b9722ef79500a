/* Settings in JSON, as the texts that the scenario language reads. */
#include <stdlib.h>
#include <string.h>

#include "control/inside.h"

#define SETTINGS_MAX 256
#define DEPTH_MAX 8
#define NAME_SIZE 128

/* Where in the object it is: "server.iis.status". */
struct position {
	char name[NAME_SIZE];
	int depth;
};

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

static bool
enter(struct call *call, const struct position *above, const char *key,
    struct position *out)
{
	/* Either way of writing begins below "server". */
	const char *prefix = above->depth > 0 ? above->name :
	    strncmp(key, "server.", 7) == 0   ? "" :
	    strcmp(key, "server") == 0	      ? "" :
						"server";
	int len = snprintf(out->name, sizeof(out->name), "%s%s%s", prefix,
	    *prefix == '\0' ? "" : ".", key);

	out->depth = above->depth + 1;
	if (is_name(key) && len < NAME_SIZE && out->depth <= DEPTH_MAX)
		return true;
	call_fail(call, FAIL_SETTING,
	    "there is no setting \"%.60s\" below \"%s\"", key,
	    above->depth == 0 ? "server" : above->name);
	return false;
}

/* JSON in one line is YAML too, and a text in quotes stays a text. */
static bool
add(struct call *call, const char *name, const json_t *value,
    struct settings *out)
{
	char *json, **texts = NULL, *text = NULL;

	if (json_is_null(value) || out->count == SETTINGS_MAX) {
		call_fail(call, FAIL_SETTING,
		    json_is_null(value) ? "%s: null is no value" :
					  "%s: one setting too many",
		    name);
		return false;
	}
	json = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
	texts = reallocarray(out->texts, out->count + 1, sizeof(*texts));
	if (texts != NULL)
		out->texts = texts;
	if (json == NULL || texts == NULL ||
	    asprintf(&text, "%s=%s", name, json) == -1)
		call_fail(call, FAIL_INTERNAL, "out of memory");
	else
		out->texts[out->count++] = text;
	free(json);
	return text != NULL;
}

static bool
read_below(struct call *call, const struct position *above, json_t *object,
    struct settings *out)
{
	struct position here;
	const char *key;
	json_t *value;

	json_object_foreach(object, key, value)
	{
		if (!enter(call, above, key, &here))
			return false;
		if (json_is_object(value) ?
			!read_below(call, &here, value, out) :
			!add(call, here.name, value, out))
			return false;
	}
	return true;
}

bool
settings_read(struct call *call, json_t *from, struct settings *out)
{
	static const struct position top = { "", 0 };

	*out = (struct settings){ 0 };
	if (from == NULL || read_below(call, &top, from, out))
		return true;
	settings_clear(out);
	return false;
}
