/* `when:`: which exchanges a rule is for. */
#include "fault/inside.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CENTURY_MS (100 * 365 * INT64_C(86400000))

static const struct word operations[] = {
	{ "GetCACaps", 0, NULL },
	{ "GetCACert", 1, "also asked for as GetCACerts" },
	{ "GetNextCACert", 2, NULL },
	{ "PKIOperation", 3, NULL },
	{ "browse", 4, "mscep.dll or its folder, without an operation" },
	{ "admin", 5, "the site with the passwords, without an operation" },
	{ "other", 6, "an unknown operation, or a path outside of NDES" },
	{ NULL, 0, NULL },
};

static const struct word message_types[] = {
	{ "PKCSReq", SCEP_PKCS_REQ, NULL },
	{ "RenewalReq", SCEP_RENEWAL_REQ, NULL },
	{ "CertPoll", SCEP_CERT_POLL, "GetCertInitial in older drafts" },
	{ "GetCert", SCEP_GET_CERT, NULL },
	{ "GetCRL", SCEP_GET_CRL, NULL },
	{ NULL, 0, NULL },
};

enum { ENCODING_DER, ENCODING_BER };
static const struct word encodings[] = {
	{ "der", ENCODING_DER, NULL },
	{ "ber", ENCODING_BER,
	    "indefinite lengths, constructed strings, or lengths that are "
	    "longer than they need to be" },
	{ NULL, 0, NULL },
};

static const struct word scopes[] = {
	{ "transaction", 1, "each transactionID has counters of its own" },
	{ NULL, 0, NULL },
};

static bool
matches(const struct value *glob, const char *text, int flags)
{
	return fnmatch(glob->text, text == NULL ? "" : text, flags) == 0;
}

/* Whether it is one of the words that were given. */
static bool
is_among(const struct word *words, const struct value *v, const char *text)
{
	for (size_t i = 0; text != NULL && i < v->count; i++)
		for (const struct word *w = words; w->text != NULL; w++)
			if (w->value == v->numbers[i] &&
			    strcmp(w->text, text) == 0)
				return true;
	return false;
}

static bool
operation_holds(const struct fault_facts *f, const struct value *v)
{
	return is_among(operations, v, f->operation);
}

static bool
method_holds(const struct fault_facts *f, const struct value *v)
{
	return matches(v, f->exchange->request.method, FNM_CASEFOLD);
}

static bool
path_holds(const struct fault_facts *f, const struct value *v)
{
	char *path = span_dup_text(f->exchange->request.path);
	bool holds = path != NULL && matches(v, path, FNM_CASEFOLD);

	free(path);
	return holds;
}

static bool
query_holds(const struct fault_facts *f, const struct value *v)
{
	char *query = span_dup_text(f->exchange->request.query);
	bool holds = query != NULL && matches(v, query, 0);

	free(query);
	return holds;
}

static bool
source_holds(const struct fault_facts *f, const struct value *v)
{
	char text[ENDPOINT_TEXT_SIZE];

	endpoint_text(&f->exchange->request.source, text);
	return matches(v, text, FNM_CASEFOLD);
}

static bool
user_agent_holds(const struct fault_facts *f, const struct value *v)
{
	return matches(v, request_header(&f->exchange->request, "User-Agent"),
	    FNM_CASEFOLD);
}

/* One of those of this name; an empty glob asks that there is none. */
static bool
has_header(const struct request *r, const char *name, const char *glob)
{
	if (*glob == '\0')
		return request_header_count(r, name) == 0;
	for (size_t i = 0; i < r->header_count; i++)
		if (strcasecmp(r->headers[i].name, name) == 0 &&
		    fnmatch(glob, r->headers[i].value, FNM_CASEFOLD) == 0)
			return true;
	return false;
}

static bool
header_holds(const struct fault_facts *f, const struct value *v)
{
	for (size_t i = 0; i + 1 < v->count; i += 2)
		if (!has_header(&f->exchange->request, v->texts[i],
			v->texts[i + 1]))
			return false;
	return true;
}

static bool
longer_than_holds(const struct fault_facts *f, const struct value *v)
{
	const struct request *r = &f->exchange->request;
	int64_t body = (int64_t)r->body.len;

	/* Who is refused by the head has sent no body yet. */
	if (r->content_length > body)
		body = r->content_length;
	return (int64_t)strlen(r->target) + body > v->number;
}

static bool
between_holds(const struct fault_facts *f, const struct value *v)
{
	int64_t ms = (f->exchange->at - f->began) * 1000;

	return v->numbers[0] <= ms && ms < v->numbers[1];
}

static bool
message_type_holds(const struct fault_facts *f, const struct value *v)
{
	return is_among(message_types, v, f->message->type_name);
}

static bool
encoding_holds(const struct fault_facts *f, const struct value *v)
{
	return f->exchange->scep.ber == (v->number == ENCODING_BER);
}

static bool
transaction_id_holds(const struct fault_facts *f, const struct value *v)
{
	return matches(v, f->message->transaction_id, 0);
}

static bool
subject_holds(const struct fault_facts *f, const struct value *v)
{
	return matches(v, f->message->subject, FNM_CASEFOLD);
}

/* It only says how to count; that needs somebody to count for. */
static bool
per_holds(const struct fault_facts *f, const struct value *v)
{
	(void)v;
	return f->message->transaction_id != NULL;
}

static bool
after_counts(const struct fault_turn *t, const struct value *v)
{
	(void)v; /* the turn knows it */
	return t->count > 0;
}

static bool
first_counts(const struct fault_turn *t, const struct value *v)
{
	return t->count <= v->number;
}

static bool
nth_counts(const struct fault_turn *t, const struct value *v)
{
	for (size_t i = 0; i < v->count; i++)
		if (t->count == v->numbers[i])
			return true;
	return false;
}

static bool
every_counts(const struct fault_turn *t, const struct value *v)
{
	return t->count % v->number == 0;
}

static bool
for_counts(const struct fault_turn *t, const struct value *v)
{
	return t->age_ms < v->number;
}

static bool
chance_counts(const struct fault_turn *t, const struct value *v)
{
	return t->draw < v->number;
}

/* In the order in which they are looked at: cheap ones first. */
static const struct fault_condition conditions[] = {
	[WHEN_OPERATION] = { .key = { "operation", VALUE_WORDS, operations, 1,
				 0, "What is asked for" },
	    .holds = operation_holds },
	[WHEN_METHOD] = { .key = { "method", VALUE_TEXT, NULL, 1, 64,
			      "The HTTP method: a glob, without regard to "
			      "case" },
	    .holds = method_holds },
	[WHEN_PATH] = { .key = { "path", VALUE_TEXT, NULL, 1, 1024,
			    "The path of the URL as it was sent, without the "
			    "query: a glob, without regard to case, as on IIS; "
			    "* also stands for slashes" },
	    .holds = path_holds },
	[WHEN_QUERY] = { .key = { "query", VALUE_TEXT, NULL, 0, 1024,
			     "What follows the ? of the URL, as it was sent, "
			     "escapes and all: a glob" },
	    .holds = query_holds },
	[WHEN_SOURCE] = { .key = { "source", VALUE_TEXT, NULL, 1, 64,
			      "The address of the client, such as 10.5.14.22 "
			      "or ::1: a glob" },
	    .holds = source_holds },
	[WHEN_USER_AGENT] = { .key = { "user_agent", VALUE_TEXT, NULL, 0, 1024,
				  "The header User-Agent: a glob, without "
				  "regard to case; one that is not there is "
				  "empty" },
	    .holds = user_agent_holds },
	[WHEN_HEADER] = { .key = { "header", VALUE_PAIRS, NULL, 1, 16,
			      "Headers of the request, each with a glob for "
			      "its value, both without regard to case; all of "
			      "them must be there, and an empty glob asks that "
			      "there is no such header" },
	    .holds = header_holds },
	[WHEN_LONGER_THAN] = { .key = { "longer_than", VALUE_NUMBER, NULL, 0,
				   INT32_MAX,
				   "The request's target and body have more "
				   "octets than this; of a body that was not "
				   "read, what Content-Length says" },
	    .holds = longer_than_holds },
	[WHEN_BETWEEN] = { .key = { "between", VALUE_PERIOD, NULL, 0,
			       CENTURY_MS,
			       "The time of the site since the scenario began: "
			       "not before the first of the two, and before "
			       "the second" },
	    .holds = between_holds },
	[WHEN_MESSAGE_TYPE] = { .key = { "message_type", VALUE_WORDS,
				    message_types, 1, 0,
				    "The messageType of the SCEP message" },
	    .needs_message = true,
	    .holds = message_type_holds },
	[WHEN_ENCODING] = { .key = { "encoding", VALUE_WORD, encodings, 0, 0,
				"How the SCEP message is encoded, its envelope "
				"and what is in it too" },
	    .needs_message = true,
	    .holds = encoding_holds },
	[WHEN_TRANSACTION_ID] = { .key = { "transaction_id", VALUE_TEXT, NULL,
				      0, 1024,
				      "The transactionID of the SCEP message: a "
				      "glob" },
	    .needs_message = true,
	    .holds = transaction_id_holds },
	[WHEN_SUBJECT] = { .key = { "subject", VALUE_TEXT, NULL, 0, 1024,
			       "The subject of the request, or that in a "
			       "CertPoll; GetCert and GetCRL have none. In the "
			       "order of its encoding, such as \"C=US, "
			       "CN=device\": a glob, without regard to case" },
	    .needs_message = true,
	    .holds = subject_holds },
	[WHEN_PER] = { .key = { "per", VALUE_WORD, scopes, 0, 0,
			   "For whom after, first, nth, every and for count; "
			   "without it, for all together. The transactions "
			   "that were not seen for the longest time are "
			   "forgotten when there are more than 4096" },
	    .needs_message = true,
	    .holds = per_holds },
	[WHEN_AFTER] = { .key = { "after", VALUE_NUMBER, NULL, 1, INT32_MAX,
			     "Not the first so many for which all that does "
			     "not count holds, and whom no earlier rule took. "
			     "first, nth, every and for begin to count after "
			     "them: after: 2 with first: 3 is the 3rd, 4th "
			     "and 5th" },
	    .counts = after_counts },
	[WHEN_FIRST] = { .key = { "first", VALUE_NUMBER, NULL, 1, INT32_MAX,
			     "Only the first so many" },
	    .counts = first_counts },
	[WHEN_NTH] = { .key = { "nth", VALUE_NUMBERS, NULL, 1, INT32_MAX,
			   "Only these: 1 is the first" },
	    .counts = nth_counts },
	[WHEN_EVERY] = { .key = { "every", VALUE_NUMBER, NULL, 1, INT32_MAX,
			     "Each time so many are full: every: 3 is the "
			     "3rd, the 6th and so on" },
	    .counts = every_counts },
	[WHEN_FOR] = { .key = { "for", VALUE_DURATION, NULL, 1, CENTURY_MS,
			   "Until so much time of the site has gone since the "
			   "first" },
	    .counts = for_counts },
	[WHEN_CHANCE] = { .key = { "chance", VALUE_FRACTION, NULL, 0, 1,
			      "With this probability, such as 0.25: for the "
			      "same seed, site and rule the same ones of those "
			      "for which all that does not count holds, "
			      "whatever transaction they belong to" },
	    .counts = chance_counts },
};

const struct fault_condition *
fault_condition_at(size_t at)
{
	return at < sizeof(conditions) / sizeof(conditions[0]) ?
	    &conditions[at] :
	    NULL;
}

enum fault_when
fault_when(const struct fault_condition *kind)
{
	return (enum fault_when)(kind - conditions);
}

const struct value *
fault_when_value(const struct fault_rule *rule, enum fault_when when)
{
	for (size_t i = 0; i < rule->test_count; i++)
		if (rule->tests[i].kind == &conditions[when])
			return &rule->tests[i].value;
	return NULL;
}

static int
compare(const void *a, const void *b)
{
	const struct fault_test *x = a, *y = b;

	return (x->kind > y->kind) - (x->kind < y->kind);
}

static bool
may_be_message(const struct fault_rule *rule)
{
	const struct value *v = fault_when_value(rule, WHEN_OPERATION);

	return v == NULL || is_among(operations, v, "PKIOperation");
}

/* Chance is drawn by rule, whatever `per` says. */
static bool
counts_by_transaction(const struct fault_rule *rule)
{
	for (size_t i = 0; i < rule->test_count; i++)
		if (rule->tests[i].kind->holds == NULL &&
		    fault_when(rule->tests[i].kind) != WHEN_CHANCE)
			return true;
	return false;
}

static void
check_test(const struct fault_rule *rule, const struct fault_test *t,
    struct errors *errors)
{
	enum fault_when when = fault_when(t->kind);
	const struct value *v = &t->value;

	if (t->kind->needs_message && !may_be_message(rule))
		errors_at(errors, &v->at, "%s: only PKIOperation has a message",
		    t->kind->key.name);
	if (when == WHEN_PER && !counts_by_transaction(rule))
		errors_at(errors, &v->at, "per: nothing counts in this rule");
}

void
fault_when_finish(struct fault_rule *rule, struct errors *errors)
{
	if (rule->test_count > 0)
		qsort(rule->tests, rule->test_count, sizeof(rule->tests[0]),
		    compare);
	for (size_t i = 0; i < rule->test_count; i++) {
		rule->needs_message |= rule->tests[i].kind->needs_message;
		check_test(rule, &rule->tests[i], errors);
	}
}
