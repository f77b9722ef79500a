/* IIS: who is at the admin site (ndes-facts 5.1). */
#include "stack/stack.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define ACCESS_DENIED 5	   /* 401.2 [C] */
#define LOGON_FAILURE 1326 /* 401.1, assumed */

/* The host that was asked for; that it is the realm is assumed. */
static void
offer_basic(struct exchange *ex)
{
	const char *host = request_header(&ex->request, "Host");
	char ip[ENDPOINT_TEXT_SIZE];
	size_t len;

	if (host == NULL || *host == '\0' || strpbrk(host, "\"\\") != NULL)
		host = endpoint_text(&ex->request.local, ip);
	len = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
	reply_header(&ex->reply, "WWW-Authenticate", "Basic realm=\"%.*s\"",
	    (int)len, host);
}

/* RFC 7617 2: base64 of user, colon, password. */
static bool
admit_basic(struct exchange *ex, const struct stack_state *state,
    struct span credentials)
{
	struct span user, password;
	const uint8_t *colon;
	struct blob plain;
	bool admitted = false;

	if (scep_get_message(credentials, &plain) == -1)
		return false;
	colon = memchr(plain.data, ':', plain.len);
	if (colon != NULL) {
		user = span_of(plain.data, (size_t)(colon - plain.data));
		password = span_of(colon + 1, plain.len - user.len - 1);
		/* Windows does not care for the case of names. */
		admitted = span_is_nocase(user, state->mscep.admin.user) &&
		    span_is(password, state->mscep.admin.password);
		if (admitted)
			snprintf(ex->user, sizeof(ex->user), "%.*s",
			    (int)user.len, (const char *)user.data);
	}
	blob_free(&plain);
	return admitted;
}

static const struct scheme {
	enum authentication which;
	const char *name; /* RFC 9110 11.1 */
	void (*offer)(struct exchange *);
	/* Whether these are good; fills in the user. */
	bool (*admit)(struct exchange *, const struct stack_state *,
	    struct span credentials);
} schemes[] = {
	{ AUTHENTICATION_BASIC, "Basic", offer_basic, admit_basic },
};

static const struct scheme *
find_scheme(const struct stack_state *state)
{
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (schemes[i].which == state->mscep.admin.authentication)
			return &schemes[i];
	return NULL;
}

void
authentication_offer(struct exchange *ex, const struct stack_state *state)
{
	const struct scheme *s = find_scheme(state);

	if (s != NULL)
		s->offer(ex);
}

void
authentication_pass(struct exchange *ex, const struct stack_state *state)
{
	const char *sent = request_header(&ex->request, "Authorization");
	const struct scheme *s = find_scheme(state);
	size_t len;

	if (s == NULL)
		return;
	len = strlen(s->name);
	if (sent == NULL || strncasecmp(sent, s->name, len) != 0 ||
	    sent[len] != ' ')
		iis_answer(ex, state, LAYER_IIS, 401, 2, ACCESS_DENIED);
	else if (!s->admit(ex, state, span_text(sent + len + 1)))
		iis_answer(ex, state, LAYER_IIS, 401, 1, LOGON_FAILURE);
}
