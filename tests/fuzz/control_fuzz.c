/*
 * A call of the control API, "PUT /v1/sites/x/scenario application/yaml" and
 * its body from the next line on; or the target of a SCEP request, "SITE
 * /s/healthy/x/".
 */
#include "fuzz/fuzz.h"

#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/control.h"

#define MOST 8	       /* sites */
#define RESET_EVERY 64 /* calls */
#define WORD_MAX 64    /* of a method and a type */
#define TARGET_MAX 2048

static struct control control;
static struct doors *doors;

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static struct authority a;
	const struct http_options http = { .workers = 1 };
	struct sites_options sites = { .most = MOST };
	struct doors_options options = { 0 };
	struct scenario *healthy;
	struct errors errors = { 0 };
	struct error err = { 0 };
	struct site *site;

	(void)argc, (void)argv;
	authority_open(&a);
	sites.keys = a.keys;
	sites.crypto = a.crypto;
	REQUIRE(scenario_find("healthy", NULL, &healthy, &errors) == 0);
	REQUIRE(sites_new(&control.sites, &sites, &err) == 0);
	REQUIRE(site_make(control.sites, SITE_DEFAULT, healthy, &site, &err) ==
	    SITE_OK);
	site_unref(site);
	scenario_free(healthy);
	REQUIRE(http_start(&control.http, &http, &err) == 0);
	options.http = control.http;
	options.sites = control.sites;
	REQUIRE(http_parse_address("127.0.0.1:1", &options.at, &err) == 0);
	REQUIRE(doors_new(&doors, &options, &err) == 0);
	control.doors = doors;
	control.version = "fuzz";
	control.url = "http://127.0.0.1:1/certsrv/mscep/mscep.dll";
	return 0;
}

/* A copy of the next word of the line; what follows it stays. */
static struct span
next_word(struct span *line)
{
	const uint8_t *blank = memchr(line->data, ' ', line->len);
	size_t len = blank == NULL ? line->len : (size_t)(blank - line->data);
	struct span word = span_of(line->data, len);

	len += blank != NULL;
	*line = span_of(line->data + len, line->len - len);
	return word;
}

static void
copy(char *out, size_t size, struct span word)
{
	size_t len = word.len < size ? word.len : size - 1;

	memcpy(out, word.data, len);
	out[len] = '\0';
}

static void
check_reply(const struct control_reply *reply)
{
	const struct span body = buffer_span(&reply->body);
	json_t *json;

	REQUIRE(reply->waiting.key == NULL);
	REQUIRE(reply->status >= 200 && reply->status < 600);
	REQUIRE(reply->status != 500);
	REQUIRE((reply->content_type == NULL) == (reply->status == 204));
	if (reply->content_type == NULL ||
	    strcmp(reply->content_type, "application/json") != 0)
		return;
	json = json_loadb((const char *)body.data, body.len, 0, NULL);
	REQUIRE(json != NULL);
	REQUIRE((reply->status >= 400) ==
	    json_is_string(
		json_object_get(json_object_get(json, "error"), "code")));
	json_decref(json);
}

static void
call(const char *method, struct span target, const char *type, struct span body)
{
	const uint8_t *mark = target.len == 0 ?
	    NULL :
	    memchr(target.data, '?', target.len);
	size_t len = mark == NULL ? target.len : (size_t)(mark - target.data);
	const struct control_request request = {
		.method = method,
		.path = span_of(target.data, len),
		.query = mark == NULL ? SPAN_EMPTY :
					span_of(mark + 1, target.len - len - 1),
		.body = body,
		.content_type = *type == '\0' ? NULL : type,
	};
	struct control_reply reply;

	REQUIRE(control_call(&control, &request, &reply) == 0);
	check_reply(&reply);
	control_reply_clear(&reply);
}

/* What a prefix may do to a request. */
static void
visit(struct span target)
{
	const struct door door = { .sites = control.sites };
	char text[TARGET_MAX];
	struct exchange ex;
	struct request *r = &ex.request;
	struct error err = { 0 };
	size_t len;

	copy(text, sizeof(text), target);
	exchange_init(&ex);
	len = strlen(text);
	REQUIRE((r->asked = strdup(text)) != NULL);
	r->head_size = len;
	request_split_target(r);
	if (site_begin(&door, &ex, &err) == SITE_OK) {
		REQUIRE(site_of(&ex) != NULL);
		REQUIRE(
		    strlen(r->target) <= len || strcmp(r->target, "/") == 0);
		REQUIRE(r->head_size == strlen(r->target));
		REQUIRE(r->path.len > 0);
	} else {
		REQUIRE(err.text[0] != '\0');
	}
	site_commit(&ex);
	exchange_clear(&ex);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = size == 0 ? NULL : memchr(data, '\n', size);
	size_t len = end == NULL ? size : (size_t)(end - data);
	struct span line = span_of(data, len), target;
	struct span body = end == NULL ? SPAN_EMPTY :
					 span_of(end + 1, size - len - 1);
	char method[WORD_MAX], type[WORD_MAX];
	static unsigned calls;
	struct error err = { 0 };

	if (size == 0)
		return 0;
	copy(method, sizeof(method), next_word(&line));
	target = next_word(&line);
	copy(type, sizeof(type), line);
	if (strcmp(method, "SITE") == 0)
		visit(target);
	else
		call(method, target, type, body);
	if (++calls % RESET_EVERY == 0)
		REQUIRE(site_reset(site_default(control.sites), &err) == 0);
	return 0;
}
