/* What a request says, in its body and in its query, held against tables. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"
#include "control/inside.h"

/* Of one table: whose names they are, and which failure it is. */
struct kind {
	enum failure failure;
	const char *word;
};
static const struct kind body_kind = { FAIL_MEMBER, "member" };
static const struct kind query_kind = { FAIL_PARAMETER, "parameter" };

static const struct member no_members[] = { { .name = NULL } };

const char *
call_text(const struct call *call, const char *name)
{
	return json_string_value(json_object_get(call->members, name));
}

int64_t
call_number(const struct call *call, const char *name, int64_t otherwise)
{
	const json_t *json = json_object_get(call->members, name);

	return json == NULL ? otherwise : json_integer_value(json);
}

const char *
call_parameter(const struct call *call, const char *name)
{
	return json_string_value(json_object_get(call->parameters, name));
}

int64_t
call_parameter_number(const struct call *call, const char *name,
    int64_t otherwise)
{
	const json_t *json = json_object_get(call->parameters, name);

	return json == NULL ? otherwise : json_integer_value(json);
}

static const struct member *
find(const struct member *table, const char *name)
{
	for (; table->name != NULL; table++)
		if (strcmp(table->name, name) == 0)
			return table;
	return NULL;
}

static bool
is_unknown(struct call *call, const struct kind *kind,
    const struct member *table, const char *name)
{
	struct nearest n = { .asked = name };

	for (const struct member *m = table; m->name != NULL; m++)
		nearest_consider(&n, m->name);
	if (n.best[0] == '\0')
		call_fail(call, kind->failure,
		    "unknown %s \"%.60s\": there are none here", kind->word,
		    name);
	else
		call_fail(call, kind->failure,
		    "unknown %s \"%.60s\", did you mean \"%s\"?", kind->word,
		    name, n.best);
	return false;
}

static bool
check_text(struct call *call, const struct kind *kind, const struct member *m,
    const json_t *json)
{
	if (m->min == 0 || json_string_length(json) > 0)
		return true;
	call_fail(call, kind->failure, "\"%s\" is empty", m->name);
	return false;
}

static bool
check_number(struct call *call, const struct kind *kind, const struct member *m,
    const json_t *json)
{
	int64_t number = json_integer_value(json);

	if (number >= m->min && number <= m->max)
		return true;
	call_fail(call, kind->failure, "\"%s\" is not between %lld and %lld",
	    m->name, (long long)m->min, (long long)m->max);
	return false;
}

static bool
check_object(struct call *call, const struct kind *kind, const struct member *m,
    const json_t *json)
{
	(void)call, (void)kind, (void)m, (void)json;
	return true;
}

static const struct {
	json_type type;
	const char *takes;
	bool (*check)(struct call *, const struct kind *, const struct member *,
	    const json_t *);
} types[] = {
	[MEMBER_TEXT] = { JSON_STRING, "a text", check_text },
	[MEMBER_NUMBER] = { JSON_INTEGER, "a whole number", check_number },
	[MEMBER_OBJECT] = { JSON_OBJECT, "an object, {...}", check_object },
};

static bool
check_one(struct call *call, const struct kind *kind, const struct member *m,
    const json_t *json)
{
	if (json_typeof(json) == types[m->type].type)
		return types[m->type].check(call, kind, m, json);
	call_fail(call, kind->failure, "\"%s\" takes %s", m->name,
	    types[m->type].takes);
	return false;
}

static bool
check_all(struct call *call, const struct kind *kind,
    const struct member *table, json_t *object)
{
	const struct member *m;
	const char *name;
	json_t *json;

	json_object_foreach(object, name,
	    json) if ((m = find(table, name)) == NULL ?
		!is_unknown(call, kind, table, name) :
		!check_one(call, kind, m, json)) return false;
	for (m = table; m->name != NULL; m++)
		if (m->required && json_object_get(object, m->name) == NULL) {
			call_fail(call, kind->failure, "\"%s\" is missing",
			    m->name);
			return false;
		}
	return true;
}

/* "application/json; charset=utf-8" */
static bool
is_type(const char *said, const char *type)
{
	size_t len = strcspn(said, ";");

	while (len > 0 && (said[len - 1] == ' ' || said[len - 1] == '\t'))
		len--;
	return span_is_nocase(span_of(said, len), type);
}

static bool
begins_object(struct span body)
{
	while (body.len > 0 && strchr(" \t\r\n", *body.data) != NULL)
		body = span_of(body.data + 1, body.len - 1);
	return body.len > 0 && *body.data == '{';
}

/* Says so in call->is_yaml, or has answered. */
static bool
choose_type(struct call *call)
{
	const struct control_request *r = call->request;
	const char *said = r->content_type;
	bool takes_yaml = (call->route->flags & ROUTE_YAML) != 0;

	call->is_yaml = takes_yaml &&
	    (said == NULL ? !begins_object(r->body) :
			    is_type(said, "application/yaml"));
	if (call->is_yaml || said == NULL || is_type(said, "application/json"))
		return true;
	call_fail(call, FAIL_CONTENT_TYPE,
	    "Content-Type is application/json%s here, not \"%.60s\"",
	    takes_yaml ? " or application/yaml" : "", said);
	return false;
}

static bool
read_object(struct call *call)
{
	struct span body = call->request->body;
	json_error_t error;
	json_t *json = json_loadb((const char *)body.data, body.len,
	    JSON_REJECT_DUPLICATES, &error);

	if (json == NULL || !json_is_object(json)) {
		if (json == NULL)
			call_fail(call, FAIL_JSON, "body:%d:%d: %s", error.line,
			    error.column, error.text);
		else
			call_fail(call, FAIL_JSON,
			    "body:1:1: an object, {...}, is wanted here");
		json_decref(json);
		return false;
	}
	json_decref(call->members);
	call->members = json;
	return true;
}

/* An empty one that is said to be YAML is an empty scenario. */
static bool
has_body(const struct control_request *r)
{
	return r->body.len > 0 ||
	    (r->content_type != NULL &&
		is_type(r->content_type, "application/yaml"));
}

bool
members_read(struct call *call)
{
	const struct route *route = call->route;

	/* What a body of a GET would mean is not defined (RFC 9110 9.3.1). */
	if (strcmp(route->method, "GET") == 0)
		return true;
	if (has_body(call->request) &&
	    (!choose_type(call) || (!call->is_yaml && !read_object(call))))
		return false;
	return call->is_yaml || (route->flags & ROUTE_FREE) != 0 ||
	    check_all(call, &body_kind,
		route->members == NULL ? no_members : route->members,
		call->members);
}

char *
percent_decode(struct span text, bool plus_is_space)
{
	char *out = malloc(text.len + 1);
	size_t len = 0;
	int c;

	for (size_t i = 0; out != NULL && i < text.len; i++) {
		c = text.data[i];
		if (c == '+' && plus_is_space)
			c = ' ';
		if (c == '%') {
			c = span_hex_pair(text, i + 1);
			i += 2;
		}
		if (c <= 0) { /* a NUL would hide what is behind it */
			free(out);
			return NULL;
		}
		out[len++] = (char)c;
	}
	if (out != NULL)
		out[len] = '\0';
	return out;
}

/* The text as what the table wants; the text itself if it is none. */
static json_t *
parameter_json(const struct member *table, const char *name, const char *text)
{
	const struct member *m = find(table, name);
	long long number;
	char *end;

	if (m == NULL || m->type != MEMBER_NUMBER || *text < '0' || *text > '9')
		return json_string(text);
	errno = 0;
	number = strtoll(text, &end, 10);
	return *end == '\0' && errno == 0 ? json_integer(number) :
					    json_string(text);
}

static bool
add_parameter(struct call *call, const struct member *table, struct span pair)
{
	const uint8_t *equals = memchr(pair.data, '=', pair.len);
	size_t len = equals == NULL ? pair.len : (size_t)(equals - pair.data);
	size_t begin = equals == NULL ? len : len + 1;
	char *name = percent_decode(span_of(pair.data, len), true);
	char *text = percent_decode(span_of(pair.data + begin,
					pair.len - begin),
	    true);
	const char *why = NULL;

	if (name == NULL || text == NULL)
		why = "not of the form %XX";
	else if (json_object_get(call->parameters, name) != NULL)
		why = "said twice";
	else if (json_object_set_new(call->parameters, name,
		     parameter_json(table, name, text)) == -1)
		why = "not UTF-8";
	if (why != NULL)
		call_fail(call, FAIL_PARAMETER, "\"%.*s\" in the query: %s",
		    pair.len > 60 ? 60 : (int)pair.len, (const char *)pair.data,
		    why);
	free(name);
	free(text);
	return why == NULL;
}

bool
parameters_read(struct call *call)
{
	const struct member *table = call->route->parameters == NULL ?
	    no_members :
	    call->route->parameters;
	struct span rest = call->request->query;

	while (rest.len > 0) {
		const uint8_t *end = memchr(rest.data, '&', rest.len);
		size_t len = end == NULL ? rest.len : (size_t)(end - rest.data);

		if (len > 0 &&
		    !add_parameter(call, table, span_of(rest.data, len)))
			return false;
		len += end != NULL;
		rest = span_of(rest.data + len, rest.len - len);
	}
	return check_all(call, &query_kind, table, call->parameters);
}
