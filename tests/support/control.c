#include "support/control.h"

#include <stdarg.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "support/files.h"
#include "support/test.h"

void
controlled_start(struct controlled *c, const struct mockndes_options *given)
{
	struct mockndes_options options = MOCKNDES_OPTIONS_INIT;
	char keys[FILE_PATH_SIZE], error[MOCKNDES_ERROR_SIZE];

	if (given != NULL)
		options = *given;
	options.keys = path_in_source(keys, "tests/fixtures/keys");
	if (options.control == NULL)
		options.control = "127.0.0.1:0";
	if (mockndes_start(&options, &c->mockndes, error) != 0)
		fail_msg("%s", error);
	c->ready = json_loads(mockndes_ready(c->mockndes), 0, NULL);
	c->base = json_at(c->ready, "control");
	c->url = mockndes_url(c->mockndes);
}

void
controlled_stop(struct controlled *c)
{
	if (c == NULL) /* its setup failed */
		return;
	mockndes_stop(c->mockndes);
	json_decref(c->ready);
}

static void
read_json(struct said *said)
{
	const struct buffer *b = &said->http.body;

	if (strcmp(said->content_type, CONTROL_JSON) == 0)
		said->json = json_loadb((const char *)b->data, b->len, 0, NULL);
}

void
said_clear(struct said *said)
{
	web_reply_clear(&said->http);
	json_decref(said->json);
	*said = (struct said){ 0 };
}

static size_t
length_of(const struct saying *s)
{
	return s->length > 0 || s->body == NULL ? s->length : strlen(s->body);
}

bool
control_try(const struct controlled *c, const struct saying *s,
    struct said *said)
{
	char url[CONTROL_URL_SIZE];
	const struct web_request request = {
		.url = url,
		.method = s->method,
		.body = s->body,
		.length = length_of(s),
		.content_type = s->type == NULL ? CONTROL_JSON : s->type,
		.headers = s->header,
	};

	snprintf(url, sizeof(url), "%s%s", c->base, s->path);
	*said = (struct said){ 0 };
	if (!web_ask(&request, &said->http))
		return false;
	said->status = (int)said->http.status;
	snprintf(said->content_type, sizeof(said->content_type), "%s",
	    said->http.content_type);
	read_json(said);
	return true;
}

bool
control_try_inside(const struct controlled *c, const struct saying *s,
    struct said *said)
{
	struct mockndes_reply reply;

	*said = (struct said){ 0 };
	if (mockndes_control(c->mockndes, s->method, s->path, s->body,
		length_of(s), &reply) == -1)
		return false;
	said->status = reply.status;
	snprintf(said->content_type, sizeof(said->content_type), "%s",
	    reply.content_type == NULL ? "" : reply.content_type);
	buffer_add(&said->http.body, reply.body, reply.length);
	buffer_add_byte(&said->http.body, 0);
	said->http.body.len--;
	mockndes_reply_clear(&reply);
	read_json(said);
	return true;
}

json_t *
control_do(const struct controlled *c, int status, const char *method,
    const char *body, const char *path, ...)
{
	char full[CONTROL_URL_SIZE];
	struct saying saying = { .method = method, .path = full, .body = body };
	struct said said;
	json_t *json;
	va_list ap;

	va_start(ap, path);
	vsnprintf(full, sizeof(full), path, ap);
	va_end(ap);
	if (!control_try(c, &saying, &said) || said.status != status)
		fail_msg("%s %s: %d %s", method, full, said.status,
		    said.http.body.data == NULL ?
			"" :
			(const char *)said.http.body.data);
	json = json_incref(said.json);
	said_clear(&said);
	return json;
}

void
control_await(const struct controlled *c, const char *id, int64_t count)
{
	int64_t last;
	json_t *json;

	do {
		json = control_do(c, 200, "GET", NULL, "/v1/sites/%s", id);
		last = json_number_at(json, "last");
		json_decref(json);
	} while (last < count);
}

double
control_metric(const struct controlled *c, const char *name)
{
	const struct saying ask = { .method = "GET", .path = "/metrics" };
	size_t len = strlen(name);
	double value = -1;
	struct said said;

	assert_true(control_try(c, &ask, &said));
	assert_int_equal(said.status, 200);
	assert_string_equal(said.content_type,
	    "text/plain; version=0.0.4; charset=utf-8");
	for (const char *at = (char *)said.http.body.data; *at != '\0';
	     at += strcspn(at, "\n"), at += *at == '\n')
		if (strncmp(at, name, len) == 0 && at[len] == ' ')
			value = atof(at + len);
	said_clear(&said);
	return value;
}

static const json_t *
find(const json_t *json, const char *path)
{
	char name[64];
	size_t len;

	for (; json != NULL && *path != '\0';
	     path += len + (path[len] == '.')) {
		len = strcspn(path, ".");
		snprintf(name, sizeof(name), "%.*s", (int)len, path);
		json = json_is_array(json) ?
		    json_array_get(json, (size_t)atoi(name)) :
		    json_object_get(json, name);
	}
	return json;
}

const char *
json_at(const json_t *json, const char *path)
{
	const char *text = json_string_value(find(json, path));

	if (text == NULL)
		fail_msg("no text at %s: %s", path,
		    json_dumps(json, JSON_ENCODE_ANY));
	return text;
}

int64_t
json_number_at(const json_t *json, const char *path)
{
	const json_t *number = find(json, path);

	if (!json_is_integer(number))
		fail_msg("no number at %s: %s", path,
		    json_dumps(json, JSON_ENCODE_ANY));
	return json_integer_value(number);
}
