/* `when:`: which rules apply, what else fails first, and what counts. */
#include "unit/rules.h"

#define RULES 4 /* of a row */

static const struct fault_message enrolment = { "PKCSReq", "C=NL, CN=device-1",
	"0A1B" };
static const struct fault_message other_enrolment = { "RenewalReq", "CN=x",
	"0a1b" };
static const struct fault_message query = { "GetCRL", NULL, "77" };
static const struct fault_message unnamed = { "PKCSReq", "CN=x", NULL };

static const struct single {
	const char *row, *rule;
	struct asked asked;
	const char *unmet; /* NULL: it applies */
} singles[] = {
	{ "no condition", "", { 0 }, NULL },
	{ "this operation", "operation=PKIOperation, GetCACert",
	    { .operation = "GetCACert" }, NULL },
	{ "another operation", "operation=PKIOperation, GetCACert",
	    { .operation = "GetCACaps" }, "operation" },
	{ "browsing", "operation=browse", { 0 }, NULL },
	{ "the admin site", "operation=admin", { .operation = "admin" }, NULL },
	{ "what is none of these", "operation=other", { .operation = "other" },
	    NULL },
	{ "this method", "method=p*", { .method = "POST" }, NULL },
	{ "another method", "method=p*", { .method = "GET" }, "method" },
	{ "this path, across slashes", "path=/certsrv/*/pkiclient.exe",
	    { .target = "/CertSrv/mscep/mscep.dll/PKIclient.exe?a=b" }, NULL },
	{ "the query is not of the path", "path=*operation*",
	    { .target = RULES_SERVICE "?operation=GetCACaps" }, "path" },
	{ "this query", "query=*%0A*",
	    { .target = RULES_SERVICE "?operation=PKIOperation&message=M%0A" },
	    NULL },
	{ "a query, as it is spelled", "query=*%0A*",
	    { .target = RULES_SERVICE "?operation=PKIOperation&message=M%0a" },
	    "query" },
	{ "no query", "query=?*", { 0 }, "query" },
	{ "this client", "source=10.5.*", { .source = "10.5.14.22" }, NULL },
	{ "another client", "source=10.5.*", { .source = "10.6.14.22" },
	    "source" },
	{ "a client by IPv6", "source=FE80::[0-9]", { .source = "fe80::1" },
	    NULL },
	{ "IPv4 in IPv6", "source=10.5.14.22",
	    { .source = "::ffff:10.5.14.22" }, NULL },
	{ "this user agent", "user_agent=*certmonger*",
	    { .name = "user-agent", .value = "CertMonger/0.79" }, NULL },
	{ "another user agent", "user_agent=*certmonger*",
	    { .name = "User-Agent", .value = "sscep" }, "user_agent" },
	{ "no user agent", "user_agent=?*", { 0 }, "user_agent" },
	{ "no user agent, wanted", "user_agent=", { 0 }, NULL },
	{ "this header", "header=x-a:one*",
	    { .name = "X-A", .value = "One two" }, NULL },
	{ "the header, not the value", "header=X-A:two",
	    { .name = "X-A", .value = "one" }, "header" },
	{ "no such header", "header=X-A:*", { .name = "X-B", .value = "" },
	    "header" },
	{ "an empty header is one", "header=X-A:*",
	    { .name = "X-A", .value = "" }, NULL },
	{ "one of two headers", "header=X-A:*, X-B:*",
	    { .name = "X-A", .value = "" }, "header" },
	{ "one, and the other absent",
	    "header=X-A:*, X-B:", { .name = "X-A", .value = "" }, NULL },
	{ "a header that should not be there",
	    "header=X-A:", { .name = "X-A", .value = "" }, "header" },
	{ "target and body are longer", "longer_than=11",
	    { .target = "/1", .body = 10 }, NULL },
	{ "target and body are as long", "longer_than=12",
	    { .target = "/1", .body = 10 }, "longer_than" },
	{ "a body that never came", "longer_than=1000000",
	    { .length = 1000000 }, NULL },
	{ "before the time", "between=2000, 5000", { .later = 1 }, "between" },
	{ "as it begins", "between=2000, 5000", { .later = 2 }, NULL },
	{ "within the time", "between=2000, 5000", { .later = 4 }, NULL },
	{ "as it ends", "between=2000, 5000", { .later = 5 }, "between" },
	{ "from the beginning on", "between=0, 5000", { 0 }, NULL },
	{ "this type of message", "message_type=CertPoll, PKCSReq",
	    { .message = &enrolment }, NULL },
	{ "another type of message", "message_type=CertPoll, PKCSReq",
	    { .message = &query }, "message_type" },
	{ "no message with a type", "message_type=PKCSReq",
	    { .operation = "PKIOperation" }, "message_type" },
	{ "in BER", "encoding=ber", { .message = &enrolment, .ber = true },
	    NULL },
	{ "not in BER", "encoding=ber", { .message = &enrolment }, "encoding" },
	{ "in DER", "encoding=der", { .message = &enrolment }, NULL },
	{ "not in DER", "encoding=der", { .message = &enrolment, .ber = true },
	    "encoding" },
	{ "no message that is encoded", "encoding=der", { 0 }, "encoding" },
	{ "this transaction", "transaction_id=0A*", { .message = &enrolment },
	    NULL },
	{ "a transaction in other letters", "transaction_id=0A*",
	    { .message = &other_enrolment }, "transaction_id" },
	{ "no message with a transaction", "transaction_id=*", { 0 },
	    "transaction_id" },
	{ "this subject", "subject=*, cn=device-?", { .message = &enrolment },
	    NULL },
	{ "another subject", "subject=CN=device-1", { .message = &enrolment },
	    "subject" },
	{ "no subject", "subject=?*", { .message = &query }, "subject" },
	{ "no message with a subject", "subject=*", { 0 }, "subject" },
	{ "by transaction, without a message", "per=transaction; first=1",
	    { 0 }, "per" },
	{ "by transaction, without its name", "per=transaction; first=1",
	    { .message = &unnamed }, "per" },
	{ "the first fails first, however it is written",
	    "first=1; subject=x; method=POST; operation=PKIOperation", { 0 },
	    "operation" },
	{ "then the second", "first=1; subject=x; method=POST", { 0 },
	    "method" },
	{ "what needs the message comes later",
	    "subject=x; message_type=GetCRL; longer_than=10000",
	    { .message = &enrolment }, "longer_than" },
	{ "and among it, this order", "subject=x; message_type=GetCRL",
	    { .message = &enrolment }, "message_type" },
	{ "what counts comes last", "after=1; subject=x",
	    { .message = &enrolment }, "subject" },
	{ "all of them hold",
	    "operation=PKIOperation; method=GET; path=*; source=*; "
	    "message_type=PKCSReq; subject=*; first=1; chance=1",
	    { .operation = "PKIOperation", .message = &enrolment }, NULL },
};

static void
single(void **state)
{
	const struct single *t = *state;
	struct errors errors = { 0 };
	struct faults faults = rules_make((const char *const[]){ t->rule,
					      NULL },
	    &errors);
	struct fault_counters *counters = fault_counters_new(&faults);
	struct exchange ex;
	const char *got;

	assert_int_equal(errors.count, 0);
	rules_decide(&faults, counters, &t->asked, RULES_SEED, &ex);
	got = rules_unmet(ex.decision.rules[0]);
	assert_string_equal(got == NULL ? "(applies)" : got,
	    t->unmet == NULL ? "(applies)" : t->unmet);
	/* Only what meets all that does not count is counted. */
	assert_int_equal(ex.decision.counts[0], t->unmet == NULL);
	exchange_clear(&ex);
	fault_counters_free(counters);
	faults_clear(&faults);
}

/*
 * One exchange a letter: a to d are PKIOperations of four transactions, C is a
 * GetCACaps, + lets a minute pass. What came of it: x applies, . not, - nobody
 * has asked.
 */
static const struct sequence {
	const char *row, *rules[RULES + 1], *asked, *result[RULES];
} sequences[] = {
	{ "the first two", { "first=2" }, "aaCa", { "xx.." } },
	{ "not the first two", { "after=2" }, "aaCa", { "..xx" } },
	{ "the second", { "nth=2" }, "aaaa", { ".x.." } },
	{ "the second and the fourth", { "nth=2, 4" }, "aaaaa", { ".x.x." } },
	{ "every third", { "every=3" }, "aaaaaaa", { "..x..x." } },
	{ "each", { "every=1" }, "aaa", { "xxx" } },
	{ "the first two after three", { "after=3; first=2" }, "aaaaaaa",
	    { "...xx.." } },
	{ "the second after two", { "after=2; nth=2" }, "aaaaaa",
	    { "...x.." } },
	{ "every second after one", { "after=1; every=2" }, "aaaaaaa",
	    { "..x.x.x" } },
	{ "every second of the first three", { "first=3; every=2" }, "aaaaaa",
	    { ".x...." } },
	{ "two minutes from the first on", { "for=120000" }, "a+a+a+a",
	    { "xx.." } },
	{ "from the first after one on", { "after=1; for=120000" }, "a+a+a+a",
	    { ".xx." } },
	{ "a minute, by transaction", { "per=transaction; for=60000" },
	    "aab+abc", { "xxx..x" } },
	{ "only what all else holds for counts",
	    { "operation=PKIOperation; first=2" }, "CaCaCa", { ".x.x.." } },
	{ "only what no rule before has taken counts",
	    { "operation=PKIOperation; first=2", "first=1" }, "aaCaa",
	    { "xx...", "--x.." } },
	{ "one after the other", { "first=1", "first=1", "" }, "aaaa",
	    { "x...", "-x..", "--xx" } },
	{ "they add up", { "continue first=1", "continue every=2", "" }, "aaaa",
	    { "x...", ".x.x", "xxxx" } },
	{ "those after the winner are not asked",
	    { "continue", "operation=GetCACaps", "every=2" }, "aCaCaC",
	    { "xxxxxx", ".x.x.x", ".-x-.-" } },
	{ "by transaction", { "per=transaction; first=1" }, "aabab",
	    { "x.x.." } },
	{ "after the first by transaction", { "per=transaction; after=1" },
	    "abaabb", { "..xxxx" } },
	{ "the nth by transaction", { "per=transaction; nth=2" }, "abcbab",
	    { "...xx." } },
	{ "every second by transaction", { "per=transaction; every=2" },
	    "abaabb", { "..x.x." } },
	{ "rules count transactions for themselves",
	    { "continue per=transaction; first=1", "per=transaction; first=2" },
	    "aabba", { "x.x..", "xxxx." } },
	{ "a chance of none", { "chance=0" }, "aaaa", { "...." } },
	{ "a chance of one", { "chance=1" }, "aaaa", { "xxxx" } },
};

static void
sequence(void **state)
{
	const struct sequence *t = *state;
	struct errors errors = { 0 };
	struct faults faults = rules_make(t->rules, &errors);
	struct fault_counters *counters = fault_counters_new(&faults);
	char got[RULES][32] = { { 0 } };
	struct exchange ex;
	struct asked asked;
	size_t at = 0;
	int64_t later = 0;

	assert_int_equal(errors.count, 0);
	for (const char *c = t->asked; *c != '\0'; c++) {
		if (*c == '+') {
			later += 60;
			continue;
		}
		asked = asked_by(*c, later);
		rules_decide(&faults, counters, &asked, RULES_SEED, &ex);
		for (size_t i = 0; i < faults.count; i++)
			got[i][at] = ex.decision.rules[i] == RULE_APPLIES ?
			    'x' :
			    ex.decision.rules[i] == RULE_UNSEEN ? '-' :
								  '.';
		at++;
		exchange_clear(&ex);
	}
	for (size_t i = 0; i < faults.count; i++)
		assert_string_equal(got[i], t->result[i]);
	fault_counters_free(counters);
	faults_clear(&faults);
}

static const struct misfit {
	const char *row, *rule, *text; /* text NULL: it is right */
} misfits[] = {
	{ "nothing to count by transaction", "per=transaction; method=GET",
	    "per: nothing counts in this rule" },
	{ "by transaction there is only one chance",
	    "per=transaction; chance=0.5", "per: nothing counts in this rule" },
	{ "a chance among what counts by transaction",
	    "chance=0.5; per=transaction; first=1", NULL },
	{ "a message to an operation without one",
	    "operation=GetCACaps, browse; subject=x",
	    "subject: only PKIOperation has a message" },
	{ "a message among other operations",
	    "operation=GetCACaps, PKIOperation; subject=x", NULL },
};

static void
says_what_cannot_be_meant(void **state)
{
	const struct misfit *t = *state;
	struct errors errors = { 0 };
	struct faults faults = rules_make((const char *const[]){ t->rule,
					      NULL },
	    &errors);

	assert_int_equal(errors.count, t->text == NULL ? 0 : 1);
	if (t->text != NULL) {
		assert_string_equal(errors.list[0].text, t->text);
		assert_int_equal(errors.list[0].at.line, 10);
	}
	faults_clear(&faults);
}

/* What a scenario is refused or documented with comes from the rows. */
static void
rows_are_whole(void **state)
{
	const struct fault_condition *c;
	bool counted = false;

	(void)state;
	for (size_t i = 0; (c = fault_condition_at(i)) != NULL; i++) {
		assert_int_equal(
		    rules_condition(c->key.name, strlen(c->key.name)) - c, 0);
		assert_non_null(c->key.help);
		assert_int_not_equal(c->key.help[strlen(c->key.help) - 1], '.');
		assert_int_not_equal(c->holds == NULL, c->counts == NULL);
		/* What counts comes last. */
		assert_true(!counted || c->holds == NULL);
		counted = c->holds == NULL;
	}
}

int
main(void)
{
	const struct table tables[] = {
		ROWS(single, singles),
		ROWS(sequence, sequences),
		ROWS(says_what_cannot_be_meant, misfits),
		ONE(rows_are_whole, "rows are whole"),
	};

	return ROWS_RUN(tables, NULL, NULL);
}
