/* IIS: request filtering, the paths of NDES (ndes-facts 6). */
#include "stack/stack.h"

#include <ctype.h>
#include <string.h>

#define PATH_SIZE 512 /* of a path that could be one of ours */
#define MSCEP "/certsrv/mscep"
#define ADMIN "/certsrv/mscep_admin"

/* Percent escapes resolved, lower case; -1: too long to be known. */
static int
fold_path(struct span path, char out[PATH_SIZE])
{
	size_t len = 0;

	for (size_t i = 0; i < path.len; i++) {
		int c = path.data[i], escaped = span_hex_pair(path, i + 1);

		if (c == '%' && escaped != -1) {
			c = escaped;
			i += 2;
		}
		if (len == PATH_SIZE - 1)
			return -1;
		out[len++] = (char)tolower(c);
	}
	out[len] = '\0';
	return 0;
}

/* What follows the folder, "" or "/...", or NULL. */
static const char *
below(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	if (strncmp(path, folder, len) != 0 ||
	    (path[len] != '/' && path[len] != '\0'))
		return NULL;
	return path + len;
}

/* `/mscep.dll` with any path information, or the folder itself. */
static enum place
place_below(const char *rest, bool has_query, enum place place,
    enum place redirect)
{
	if (*rest == '\0')
		return has_query ? place : redirect;
	if (strcmp(rest, "/") == 0 || below(rest, "/mscep.dll") != NULL)
		return place;
	return PLACE_NOWHERE;
}

enum place
iis_place(const struct request *r)
{
	struct span known = r->path;
	const char *rest;
	char path[PATH_SIZE];

	/* Path information after mscep.dll may be of any length. */
	if (known.len > 128)
		known.len = 128;
	if (fold_path(known, path) == -1)
		return PLACE_NOWHERE;
	if ((rest = below(path, MSCEP)) != NULL)
		return place_below(rest, r->has_query, PLACE_MSCEP,
		    PLACE_REDIRECT);
	if ((rest = below(path, ADMIN)) != NULL)
		return place_below(rest, r->has_query, PLACE_ADMIN,
		    PLACE_ADMIN_REDIRECT);
	return PLACE_NOWHERE;
}

/*
 * Status, Location and the slash are [C] (5.1); the body is assumed. The
 * target's own spelling is kept.
 */
void
iis_redirect_to_folder(struct exchange *ex, const struct stack_state *state)
{
	const struct request *r = &ex->request;
	const char *host = request_header(r, "Host");
	struct buffer url = { 0 };
	char ip[ENDPOINT_TEXT_SIZE];
	struct blob body;

	endpoint_text(&r->local, ip);
	buffer_add_text(&url, "http://");
	if (host != NULL && *host != '\0')
		buffer_add_text(&url, host);
	else
		buffer_printf(&url, strchr(ip, ':') ? "[%s]:%u" : "%s:%u", ip,
		    endpoint_port(&r->local));
	buffer_add_span(&url, r->path);
	buffer_add(&url, "/", 2);
	iis_build_moved(url.failed ? "/" : (char *)url.data, &body);
	exchange_answer(ex, LAYER_IIS, 301, 0, 0);
	reply_header(&ex->reply, "Location", "%s",
	    url.failed ? "/" : (char *)url.data);
	iis_send(ex, state, IIS_MOVED_TYPE, body);
	buffer_free(&url);
}

static bool
verb_is_allowed(const char *verb)
{
	return strcmp(verb, "GET") == 0 || strcmp(verb, "POST") == 0 ||
	    strcmp(verb, "HEAD") == 0;
}

/* Beyond the filter: who asks (5.1: before the redirect [C]), and how. */
static void
pass_place(struct exchange *ex, const struct stack_state *state,
    enum place place)
{
	if (place == PLACE_ADMIN || place == PLACE_ADMIN_REDIRECT)
		authentication_pass(ex, state);
	if (exchange_is_answered(ex))
		return;
	if (!verb_is_allowed(ex->request.method))
		iis_answer(ex, state, LAYER_IIS, 405, 0, 1);
	else if (place == PLACE_REDIRECT || place == PLACE_ADMIN_REDIRECT)
		iis_redirect_to_folder(ex, state);
}

void
iis_pass(struct exchange *ex, const struct stack_state *state)
{
	struct request *r = &ex->request;
	enum place place = iis_place(r);

	r->body_limit = state->iis.max_allowed_content_length;
	if (r->content_length > r->body_limit)
		iis_answer(ex, state, LAYER_IIS, 413, 1, 0);
	else if ((int64_t)r->path.len > state->iis.max_url)
		iis_answer(ex, state, LAYER_IIS, 404, 14, 0);
	else if ((int64_t)r->query.len > state->iis.max_query_string)
		iis_answer(ex, state, LAYER_IIS, 404, 15, 0);
	else if (place == PLACE_NOWHERE)
		iis_answer(ex, state, LAYER_IIS, 404, 0, 2);
	else
		pass_place(ex, state, place);
}

void
iis_pass_body(struct exchange *ex, const struct stack_state *state)
{
	if (ex->request.body_end == BODY_TOO_LARGE)
		iis_answer(ex, state, LAYER_IIS, 413, 1, 0);
	else if (ex->request.body_end == BODY_NO_ROOM)
		http_sys_answer(ex, HTTP_SYS_QUEUE_FULL);
}
