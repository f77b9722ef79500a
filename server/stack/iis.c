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

#define STATUS_LEAST 400
#define STATUS_MOST 599
#define SUBSTATUS_MOST 999

/* Digits up to a dot or the end; -1: something else, or too much. */
static int
read_part(const char **at, uint64_t most, uint64_t *out)
{
	const char *digits = *at;

	for (*out = 0; **at >= '0' && **at <= '9'; ++*at)
		if ((*out = *out * 10 + (uint64_t)(**at - '0')) > most)
			return -1;
	return *at == digits || (**at != '.' && **at != '\0') ? -1 : 0;
}

/* Of 401.2 [C] (7.4), of the others assumed. */
static const struct iis_status usual[] = {
	{ 401, 1, 1326 },
	{ 401, 2, 5 },
	{ 403, 7, 5 },
	{ 404, 0, 2 },
	{ 405, 0, 1 },
};

static uint32_t
usual_win32(int status, int substatus)
{
	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
		if (usual[i].status == status &&
		    usual[i].substatus == substatus)
			return usual[i].win32;
	return 0;
}

int
iis_read_status(const char *text, struct iis_status *out, struct error *err)
{
	static const uint64_t most[] = { STATUS_MOST, SUBSTATUS_MOST,
		UINT32_MAX };
	uint64_t parts[3] = { 0 };
	const char *at = text;
	size_t count = 0;
	bool good;

	do {
		at += count > 0;
		good = read_part(&at, most[count], &parts[count]) == 0;
	} while (good && ++count < 3 && *at == '.');
	if (!good || *at != '\0' || parts[0] < STATUS_LEAST)
		return error_set(err,
		    "\"%s\" is not of the form 401.2 or 500.0.1346: a status "
		    "from %d to %d, a substatus up to %d, a win32 status",
		    text, STATUS_LEAST, STATUS_MOST, SUBSTATUS_MOST);
	out->status = (int)parts[0];
	out->substatus = (int)parts[1];
	out->win32 = count == 3 ? (uint32_t)parts[2] :
				  usual_win32(out->status, out->substatus);
	return 0;
}

static bool
account_fails(const struct stack_state *s, enum pool_identity how)
{
	return s->app_pool.identity == how &&
	    s->app_pool.identity_failure == IDENTITY_FAILS_500;
}

static bool
account_is_locked(const struct stack_state *s)
{
	return account_fails(s, IDENTITY_LOCKED);
}

static bool
password_has_expired(const struct stack_state *s)
{
	return account_fails(s, IDENTITY_PASSWORD_EXPIRED);
}

static bool
right_is_missing(const struct stack_state *s)
{
	return !s->iis.impersonation_right;
}

/* What keeps IIS from handing on a request for NDES; outermost first. */
static const struct obstacle {
	bool (*stands)(const struct stack_state *);
	struct iis_status answer;
} obstacles[] = {
	/* Assumed: ERROR_ACCOUNT_LOCKED_OUT, ERROR_PASSWORD_EXPIRED. */
	{ account_is_locked, { 500, 0, 1909 } },
	{ password_has_expired, { 500, 0, 1330 } },
	/* ERROR_BAD_IMPERSONATION_LEVEL [C] (7.4) */
	{ right_is_missing, { 500, 0, 1346 } },
};

static void
answer_status(struct exchange *ex, const struct stack_state *state,
    const struct iis_status *s)
{
	iis_answer(ex, state, LAYER_IIS, s->status, s->substatus, s->win32);
}

static void
pass_obstacles(struct exchange *ex, const struct stack_state *state)
{
	for (size_t i = 0; i < sizeof(obstacles) / sizeof(obstacles[0]) &&
	     !exchange_is_answered(ex);
	     i++)
		if (obstacles[i].stands(state))
			answer_status(ex, state, &obstacles[i].answer);
}

/* KB2800975 [C]: 500.0 and the event; the win32 status is assumed. */
static void
pass_handlers(struct exchange *ex, const struct stack_state *state)
{
	if (state->iis.handlers_ordered || state->windows != WINDOWS_2012)
		return;
	exchange_event(ex, "Application", MSCEP_EVENT_SOURCE, 2, "Error",
	    "The Network Device Enrollment Service cannot be started "
	    "(0x800700ea).  More data is available.");
	iis_answer(ex, state, LAYER_IIS, 500, 0, 234);
}

/* Beyond the filter: who asks (5.1: before the redirect [C]), and how. */
static void
pass_place(struct exchange *ex, const struct stack_state *state,
    enum place place)
{
	if (place == PLACE_ADMIN || place == PLACE_ADMIN_REDIRECT)
		authentication_pass(ex, state);
	pass_obstacles(ex, state);
	if (exchange_is_answered(ex))
		return;
	if (!verb_is_allowed(ex->request.method))
		iis_answer(ex, state, LAYER_IIS, 405, 0, 1);
	else if (place == PLACE_REDIRECT || place == PLACE_ADMIN_REDIRECT)
		iis_redirect_to_folder(ex, state);
	else if (place == PLACE_ADMIN)
		pass_handlers(ex, state);
}

/* The substatus is [C] (6.5), the line of 414 in the log assumed. */
static void
refuse_length(struct exchange *ex, const struct stack_state *state,
    int substatus)
{
	if (state->iis.too_long == TOO_LONG_ARTICLE)
		iis_answer(ex, state, LAYER_IIS, 414, 0, 0);
	else
		iis_answer(ex, state, LAYER_IIS, 404, substatus, 0);
}

static void
pass_filter(struct exchange *ex, const struct stack_state *state)
{
	const struct request *r = &ex->request;

	if (r->content_length > r->body_limit)
		iis_answer(ex, state, LAYER_IIS, 413, 1, 0);
	else if ((int64_t)r->path.len > state->iis.max_url)
		refuse_length(ex, state, 14);
	else if ((int64_t)r->query.len > state->iis.max_query_string)
		refuse_length(ex, state, 15);
}

void
iis_pass(struct exchange *ex, const struct stack_state *state)
{
	enum place place = iis_place(&ex->request);
	struct iis_status status;

	ex->request.body_limit = state->iis.max_allowed_content_length;
	if (place != PLACE_NOWHERE &&
	    iis_read_status(state->iis.status, &status, NULL) == 0) {
		answer_status(ex, state, &status);
		return;
	}
	pass_filter(ex, state);
	if (exchange_is_answered(ex))
		return;
	if (place == PLACE_NOWHERE)
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
