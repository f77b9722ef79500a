/*
 * What an administrator can do: the table, and what comes of a row. Where a
 * source does not say when something takes effect, that is assumed.
 */
#include "stack/stack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"

#define YEAR 31557600LL	       /* a Julian one */
#define RA_YEARS 2	       /* ndes-facts 2.3 */
#define BACK_DATED (10 * 60LL) /* seconds, as all that the CA issues */

#define IISRESET "iisreset"
#define RESTART "restart-server"
#define IMPORT "import-enrollment-agent-to-machine"

static void
put(int64_t *field, int64_t number)
{
	if (number != ACTION_STAYS)
		*field = number;
}

static void
set_request_filtering(struct stack_state *s, const struct action_call *c)
{
	put(&s->iis.max_url, c->numbers[0]);
	put(&s->iis.max_query_string, c->numbers[1]);
	put(&s->iis.max_allowed_content_length, c->numbers[2]);
}

static void
set_http_sys(struct stack_state *s, const struct action_call *c)
{
	put(&s->http_sys.max_field_length, c->numbers[0]);
	put(&s->http_sys.max_request_bytes, c->numbers[1]);
}

static void
set_password_max(struct stack_state *s, const struct action_call *c)
{
	put(&s->mscep.challenge.cache, c->numbers[0]);
}

static void
install_connector(struct stack_state *s, const struct action_call *c)
{
	(void)c;
	s->policy_module.installed = true;
}

/* As the template has it, from the moment of the request on. */
static void
renew(struct ra_settings *ra, const struct action_call *c)
{
	ra->not_before = c->elapsed - BACK_DATED;
	ra->not_after = ra->not_before + RA_YEARS * YEAR;
	ra->key_usage = RA_USAGE_USUAL;
}

static void
renew_encryption(struct stack_state *s, const struct action_call *c)
{
	renew(&s->ra.encryption, c);
}

static void
renew_signing(struct stack_state *s, const struct action_call *c)
{
	renew(&s->ra.signing, c);
}

static void
renew_both(struct stack_state *s, const struct action_call *c)
{
	renew_signing(s, c);
	renew_encryption(s, c);
}

static void
grant_enroll(struct stack_state *s, const struct action_call *c)
{
	(void)c;
	s->mscep.admin.permission = true;
}

static void
bind_certificate(struct stack_state *s, const struct action_call *c)
{
	(void)c;
	s->tls.certificate = SERVER_CERTIFICATE_GOOD;
	s->tls.chain = TLS_CHAIN_COMPLETE;
}

#define ARTICLE "article device-to-ndes, "

static const struct action actions[] = {
	{ .name = IISRESET,
	    .title = "Restart IIS: iisreset, in an elevated prompt. NDES "
		     "begins anew and forgets its unused passwords",
	    .source = ARTICLE "\"HTTP Error 503\"; the admin page itself" },
	{ .name = RESTART,
	    .title = "Restart the server, and IIS with it",
	    .source = ARTICLE "\"Status code 500\" and others",
	    .also = IISRESET },
	{ .name = "set-request-filtering-limits",
	    .title = "Set the limits of IIS request filtering: IIS Manager, "
		     "Default Web Site, Request Filtering, Edit Feature "
		     "Settings",
	    .source = ARTICLE "\"HTTP 414 Request-URI Too Long\", step 5",
	    .waits_for = { RESTART },
	    .arguments = { { { "max_url", VALUE_NUMBER, NULL, 0, INT32_MAX,
				 "Octets of the path" },
			       65534 },
		{ { "max_query_string", VALUE_NUMBER, NULL, 0, INT32_MAX,
		      "Octets of the query" },
		    65534 },
		{ { "max_allowed_content_length", VALUE_NUMBER, NULL, 0,
		      UINT32_MAX, "Octets of a body" },
		    ACTION_STAYS } },
	    .apply = set_request_filtering },
	{ .name = "set-http-sys-limits",
	    .title = "Set the limits of http.sys in the registry, below "
		     "HKLM\\SYSTEM\\CurrentControlSet\\Services\\HTTP\\"
		     "Parameters",
	    .source = ARTICLE "\"HTTP 414 Request-URI Too Long\", step 5",
	    .waits_for = { RESTART },
	    .arguments = { { { "max_field_length", VALUE_NUMBER, NULL, 64,
				 65534,
				 "MaxFieldLength: octets of the request line, or of one header" },
			       65534 },
		{ { "max_request_bytes", VALUE_NUMBER, NULL, 256, 16777216,
		      "MaxRequestBytes: octets of request line and headers" },
		    65534 } },
	    .apply = set_http_sys },
	{ .name = "reinstall-connector",
	    .title = "Uninstall and reinstall the Microsoft Intune Connector, "
		     "with its policy module for NDES",
	    .source = ARTICLE "\"General NDES message\"",
	    .apply = install_connector },
	{ .name = "request-cep-encryption-certificate",
	    .title = "Request a new CEP Encryption certificate, in the "
		     "computer's store",
	    .source = ARTICLE "\"500 - Internal server error\", steps 3 to 7 "
			      "and 16",
	    .waits_for = { IISRESET },
	    .apply = renew_encryption },
	{ .name = "request-enrollment-agent-certificate",
	    .title = "Request a new Exchange Enrollment Agent (Offline "
		     "request) certificate, in the user's store",
	    .source = ARTICLE "\"500 - Internal server error\", steps 8 to 16",
	    .waits_for = { IMPORT, IISRESET },
	    .apply = renew_signing },
	{ .name = IMPORT,
	    .title = "Export the Exchange Enrollment Agent certificate from "
		     "the user's store with its key, and import it into the "
		     "computer's",
	    .source = ARTICLE "\"500 - Internal server error\", steps 13 and "
			      "14" },
	{ .name = "renew-ra-certificates",
	    .title = "Request both new RA certificates, and bring them into "
		     "the computer's store",
	    .source = ARTICLE "\"500 - Internal server error\", steps 1 to 16",
	    .waits_for = { IISRESET },
	    .apply = renew_both },
	{ .name = "reinstall-ndes-role",
	    .title = "Remove the NDES role and add it again: its setup "
		     "requests new RA certificates, and NDES begins anew",
	    .source = ARTICLE "\"500 - Internal server error\", cause 2",
	    .also = IISRESET,
	    .apply = renew_both },
	{ .name = "grant-enroll-permission",
	    .title = "Give who asks for passwords Enroll on the template of "
		     "NDES",
	    .source = "event 6 of NDES; that it takes effect at once is "
		      "assumed",
	    .apply = grant_enroll },
	{ .name = "set-password-max",
	    .title = "Let NDES keep so many unused passwords: PasswordMax, "
		     "below HKLM\\SOFTWARE\\Microsoft\\Cryptography\\MSCEP",
	    .source = "the admin page \"The password cache is full.\"; that "
		      "NDES reads it when it begins is assumed",
	    .waits_for = { IISRESET },
	    .arguments = { { { "passwords", VALUE_NUMBER, NULL, 1, 100000,
				 "How many" },
		ACTION_WANTED } },
	    .apply = set_password_max },
	{ .name = "bind-server-certificate",
	    .title = "Bind a certificate to the web site that is good for its "
		     "name, and install the CAs above it",
	    .source = "article ndes-policy-module; that "
		      "it takes effect at once is assumed",
	    .apply = bind_certificate },
};
#define ACTIONS (sizeof(actions) / sizeof(actions[0]))
_Static_assert(ACTIONS <= ACTIONS_MAX, "each can wait");

const struct action *
action_at(size_t row)
{
	return row < ACTIONS ? &actions[row] : NULL;
}

const struct action *
action_find(const char *name, struct error *err)
{
	struct nearest n = { .asked = name };

	for (size_t i = 0; i < ACTIONS; i++) {
		if (strcmp(actions[i].name, name) == 0)
			return &actions[i];
		nearest_consider(&n, actions[i].name);
	}
	error_set(err, "there is no action \"%.64s\", did you mean \"%s\"?",
	    name, n.best);
	return NULL;
}

bool
action_does(const struct action *a, const char *name)
{
	return strcmp(a->name, name) == 0 ||
	    (a->also != NULL && strcmp(a->also, name) == 0);
}

static size_t
count_arguments(const struct action *a)
{
	size_t count = 0;

	while (count < ACTION_ARGUMENTS_MAX &&
	    a->arguments[count].key.name != NULL)
		count++;
	return count;
}

/* Which one "NAME=VALUE" is for; the count: none. */
static size_t
find_argument(const struct action *a, const char *text, size_t len,
    struct error *err)
{
	size_t count = count_arguments(a);
	struct nearest n = { 0 };
	char asked[65] = "";

	memcpy(asked, text, len < sizeof(asked) ? len : sizeof(asked) - 1);
	n.asked = asked;
	for (size_t i = 0; i < count; i++) {
		if (strcmp(a->arguments[i].key.name, asked) == 0)
			return i;
		nearest_consider(&n, a->arguments[i].key.name);
	}
	if (count == 0)
		error_set(err, "%s takes no arguments", a->name);
	else
		error_set(err,
		    "%s has no argument \"%s\", did you mean \"%s\"?", a->name,
		    asked, n.best);
	return count;
}

static int
read_number(const struct key *key, const char *text, int64_t *out,
    struct error *err)
{
	char *end;

	errno = 0;
	*out = strtoll(text, &end, 10);
	if (strchr("-0123456789", *text) == NULL || end == text || *end != '\0')
		return error_set(err, "%s: \"%.40s\" is not a number",
		    key->name, text);
	if (errno != 0 || *out < key->min || *out > key->max)
		return error_set(err, "%s: %.40s is not between %lld and %lld",
		    key->name, text, (long long)key->min, (long long)key->max);
	return 0;
}

int
action_read(const struct action *a, const char *const *texts, size_t count,
    struct action_call *out, struct error *err)
{
	size_t known = count_arguments(a), row;
	bool given[ACTION_ARGUMENTS_MAX] = { false };
	const char *equals;

	for (row = 0; row < known; row++)
		out->numbers[row] = a->arguments[row].standard;
	for (size_t i = 0; i < count; i++) {
		if ((equals = strchr(texts[i], '=')) == NULL)
			return error_set(err,
			    "\"%.64s\" is not of the form NAME=VALUE",
			    texts[i]);
		row = find_argument(a, texts[i], (size_t)(equals - texts[i]),
		    err);
		if (row == known)
			return -1;
		if (given[row])
			return error_set(err, "\"%s\" is given twice",
			    a->arguments[row].key.name);
		given[row] = true;
		if (read_number(&a->arguments[row].key, equals + 1,
			&out->numbers[row], err) == -1)
			return -1;
	}
	for (row = 0; row < known; row++)
		if (out->numbers[row] == ACTION_WANTED)
			return error_set(err, "%s wants \"%s\"", a->name,
			    a->arguments[row].key.name);
	return 0;
}

static void
name_steps(const struct waiting_action *w, struct action_steps *out)
{
	const char *const *step = &w->action->waits_for[w->step];
	size_t i;

	for (; *step != NULL; step++) {
		for (i = 0; i < out->count; i++)
			if (strcmp(out->names[i], *step) == 0)
				break;
		if (i == out->count && i < ACTION_STEPS_MAX)
			out->names[out->count++] = *step;
	}
}

/* True: nothing keeps it from showing any more. */
static bool
step_on(struct waiting_action *w, const struct action *done)
{
	const char *next = w->action->waits_for[w->step];

	if (next != NULL && action_does(done, next))
		next = w->action->waits_for[++w->step];
	return next == NULL;
}

/* Those that `done` was needed for, in the order in which they came. */
static void
step_all_on(struct action_waits *waits, const struct action *done,
    struct stack_state *state, struct action_steps *out)
{
	size_t kept = 0;

	for (size_t i = 0; i < waits->count; i++) {
		struct waiting_action w = waits->list[i];
		size_t before = w.step;

		if (step_on(&w, done)) {
			w.action->apply(state, &w.call);
			continue;
		}
		if (w.step != before)
			name_steps(&w, out);
		waits->list[kept++] = w;
	}
	waits->count = kept;
}

/* In place of what was done before of the same kind. */
static void
wait_for_it(struct action_waits *waits, const struct waiting_action *w)
{
	size_t kept = 0;

	for (size_t i = 0; i < waits->count; i++)
		if (waits->list[i].action != w->action)
			waits->list[kept++] = waits->list[i];
	waits->list[kept] = *w;
	waits->count = kept + 1;
}

void
action_do(const struct action *a, const struct action_call *call,
    struct stack_state *state, struct action_waits *waits,
    struct action_steps *out)
{
	const struct waiting_action w = { a, *call, 0 };

	*out = (struct action_steps){ 0 };
	step_all_on(waits, a, state, out);
	if (a->waits_for[0] != NULL) {
		wait_for_it(waits, &w);
		name_steps(&w, out);
	} else if (a->apply != NULL) {
		a->apply(state, call);
	}
}
