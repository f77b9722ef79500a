/*
 * Many tests on one server, each with a label and a scenario of its own, at
 * the same time: what one does is never seen by another.
 */
#include "support/test.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/device.h"
#include "support/files.h"
#include "support/server.h"

#define TESTS 64
#define ROUNDS 20
#define FAILURES(test) (1 + (test) % 4) /* before an answer is good */
#define STATUS(test) (500 + (test))
#define OTHER_STATUS(test) (400 + (test))
#define ENROLS(test, round) (((test) + (round)) % 16 == 0)

/* Counted failures with a status of its own, then words of its own. */
#define YAML                                                        \
	"mockndes: 1\n"                                             \
	"name: own-%d\n"                                            \
	"server:\n"                                                 \
	"  mscep: {capabilities: [POSTPKIOperation, SHA-256, AES, " \
	"Own-%d]}\n"                                                \
	"faults:\n"                                                 \
	"  - when: {operation: GetCACaps, first: %d}\n"             \
	"    do: {http: {status: %d}}\n"

static struct device device;
static struct server server;
static char dir[FILE_PATH_SIZE];

/* What follows is of one thread; it must not fail the test by itself. */
struct test {
	int number, round;
	char base[SERVER_URL_SIZE], label[32];
	struct site *site;
	uint64_t seen; /* of its journal */
	unsigned asked;
	char ca[65]; /* of the round before */
	pthread_t thread;
	char why[512];
};

static bool
complain(struct test *t, const char *what, long value)
{
	if (t->why[0] == '\0')
		snprintf(t->why, sizeof(t->why), "test %d, round %d: %s: %ld",
		    t->number, t->round, what, value);
	return false;
}

static bool
is_own_entry(struct test *t, const struct journal_entry *e, int status)
{
	char agent[64];

	snprintf(agent, sizeof(agent), "test-%d-%d-%u", t->number, t->round,
	    t->asked);
	if (strcmp(e->user_agent, agent) != 0)
		return complain(t, e->user_agent, (long)e->seq);
	if (e->status != status)
		return complain(t, "the journal has the status", e->status);
	return true;
}

/* The next entry is about this very request, and there is no other. */
static bool
check_journal(struct test *t, int status)
{
	struct journal *journal = site_journal(t->site);
	struct journal_entry *e = journal_wait(journal, t->seen, NULL,
	    SERVER_WAIT_SECONDS * 1000);
	bool good;

	if (e == NULL)
		return complain(t, "no entry after", (long)t->seen);
	good = is_own_entry(t, e, status);
	t->seen = e->seq;
	journal_entry_free(e);
	if (good && journal_last(journal) != t->seen)
		return complain(t, "more entries than requests",
		    (long)journal_last(journal));
	return good;
}

static bool
ask(struct test *t, const char *operation, struct web_reply *reply)
{
	char url[512], agent[96];
	const char *headers[] = { agent, NULL };
	const struct web_request request = { .url = url, .headers = headers };

	t->asked++;
	snprintf(url, sizeof(url),
	    "%s" SERVER_SCEP_PATH "?operation=%s&message=%d", t->base,
	    operation, t->number);
	snprintf(agent, sizeof(agent), "User-Agent: test-%d-%d-%u", t->number,
	    t->round, t->asked);
	return web_ask(&request, reply) || complain(t, "no answer", 0);
}

static bool
ends_in(const struct buffer *text, const char *word)
{
	size_t len = strlen(word);

	return text->len >= len &&
	    memcmp(text->data + text->len - len, word, len) == 0;
}

static bool
expect(struct test *t, int status, const char *word)
{
	struct web_reply reply;
	bool good = ask(t, "GetCACaps", &reply);

	if (good && reply.status != status)
		good = complain(t, "status", reply.status);
	if (good && word != NULL && !ends_in(&reply.body, word))
		good = complain(t, "not its own words", status);
	web_reply_clear(&reply);
	return good && check_journal(t, status);
}

static bool
expect_failures_then(struct test *t, int status, const char *word)
{
	for (int i = 0; i < FAILURES(t->number); i++)
		if (!expect(t, status, NULL))
			return false;
	return expect(t, 200, word) && expect(t, 200, word);
}

static struct scenario *
other_scenario(const struct test *t)
{
	const struct scenario_text text = { .file = "other.yaml" };
	struct scenario_text other = text;
	struct scenario *scenario;
	struct errors errors = { 0 };
	char yaml[1024];

	snprintf(yaml, sizeof(yaml), YAML, t->number, 1000 + t->number,
	    FAILURES(t->number), OTHER_STATUS(t->number));
	other.yaml = span_text(yaml);
	scenario_parse(&other, NULL, &scenario, &errors);
	errors_clear(&errors);
	return scenario;
}

static bool
switch_scenario(struct test *t)
{
	struct scenario *other = other_scenario(t);
	struct error err = { 0 };
	bool good = other != NULL &&
	    site_use_scenario(t->site, other, &err) == 0;

	scenario_free(other);
	return good || complain(t, "the scenario is not switched", 0);
}

static bool
change_settings(struct test *t)
{
	char set[96];
	const char *const sets[] = { set };
	struct errors errors = { 0 };

	snprintf(set, sizeof(set), "mscep.capabilities=[SHA-1, Set-%d]",
	    t->number);
	if (site_set(t->site, sets, 1, &errors) == 0)
		return true;
	errors_clear(&errors);
	return complain(t, "the settings do not change", 0);
}

static bool
reset(struct test *t)
{
	struct error err = { 0 };

	return site_reset(t->site, &err) == 0 || complain(t, err.text, 0);
}

/* A password of this site, which no other would take. */
static bool
enrol(struct test *t)
{
	char url[SERVER_URL_SIZE + 32], admin[SERVER_URL_SIZE + 32];
	char password[DEVICE_PASSWORD_SIZE];
	struct device_answer answer = { 0 };
	struct journal_entry *last;
	STACK_OF(X509) * certs;
	bool good;

	snprintf(url, sizeof(url), "%s" SERVER_SCEP_PATH, t->base);
	snprintf(admin, sizeof(admin), "%s" SERVER_ADMIN_PATH, t->base);
	certs = device_ca_certs(url);
	good = certs != NULL && device_password(admin, password) &&
	    device_enrol(&device, url, password, certs, &answer) &&
	    answer.certificate != NULL;
	if (!good)
		complain(t, answer.why[0] == '\0' ? "not enrolled" : answer.why,
		    answer.pki_status);
	device_answer_clear(&answer);
	device_ca_certs_free(certs);
	/* Certificates, page and request. */
	last = journal_wait(site_journal(t->site), t->seen + 2, NULL,
	    SERVER_WAIT_SECONDS * 1000);
	t->seen += 3;
	if (last == NULL)
		return complain(t, "no entry of the enrolment", 0);
	journal_entry_free(last);
	return good;
}

/* Each round has a site of its own, and so has a CA of its own. */
static bool
has_new_ca(struct test *t)
{
	struct error err = { 0 };
	struct credentials *cred = site_credentials(t->site, &err);
	bool good = cred != NULL && strcmp(cred->ca_sha256, t->ca) != 0;

	if (cred != NULL)
		strcpy(t->ca, cred->ca_sha256);
	credentials_free(cred);
	return good || complain(t, "the CA of another round", 0);
}

static bool
find_site(struct test *t)
{
	char id[SITE_ID_SIZE];
	struct error err = { 0 };

	snprintf(id, sizeof(id), "own-%d~%s", t->number, t->label);
	return site_get(server.sites, id, &t->site, &err) == SITE_OK ||
	    complain(t, err.text, 0);
}

/* The first request makes the site, and meets the first failure. */
static bool
open_by_asking(struct test *t)
{
	struct web_reply reply;
	bool good = ask(t, "GetCACaps", &reply);

	if (good && reply.status != STATUS(t->number))
		good = complain(t, "first status", reply.status);
	web_reply_clear(&reply);
	return good && find_site(t) && check_journal(t, STATUS(t->number));
}

static bool
run_round(struct test *t)
{
	char own[32], other[32], set[32];

	snprintf(own, sizeof(own), "\nOwn-%d", t->number);
	snprintf(other, sizeof(other), "\nOwn-%d", 1000 + t->number);
	snprintf(set, sizeof(set), "\nSet-%d", t->number);
	for (int i = 1; i < FAILURES(t->number); i++)
		if (!expect(t, STATUS(t->number), NULL))
			return false;
	return expect(t, 200, own) && has_new_ca(t) &&
	    (!ENROLS(t->number, t->round) || enrol(t)) && switch_scenario(t) &&
	    expect_failures_then(t, OTHER_STATUS(t->number), other) &&
	    change_settings(t) && expect(t, 200, set) && reset(t) &&
	    expect_failures_then(t, OTHER_STATUS(t->number), other);
}

static void *
run_rounds(void *cls)
{
	struct test *t = cls;

	for (t->round = 0; t->round < ROUNDS && t->why[0] == '\0'; t->round++) {
		snprintf(t->label, sizeof(t->label), "test-%d.%d", t->number,
		    t->round);
		snprintf(t->base, sizeof(t->base), "%s/s/own-%d/%s",
		    server.base, t->number, t->label);
		t->seen = 0;
		if (open_by_asking(t))
			run_round(t);
		site_unref(t->site);
		t->site = NULL;
	}
	return NULL;
}

static void
nothing_crosses_over(void **state)
{
	static struct test tests[TESTS];
	struct sites_count count;

	(void)state;
	for (int i = 0; i < TESTS; i++) {
		tests[i].number = i;
		assert_int_equal(pthread_create(&tests[i].thread, NULL,
				     run_rounds, &tests[i]),
		    0);
	}
	for (int i = 0; i < TESTS; i++)
		pthread_join(tests[i].thread, NULL);
	for (int i = 0; i < TESTS; i++)
		if (tests[i].why[0] != '\0')
			fail_msg("%s", tests[i].why);
	/* More labels than there may be sites: the oldest had to go. */
	sites_count(server.sites, &count);
	assert_int_equal(count.opened, 1 + TESTS * ROUNDS);
	assert_int_equal(count.evicted, count.opened - SITES_MOST);
	/* Nobody has asked the default site. */
	assert_int_equal(journal_last(site_journal(site_default(server.sites))),
	    0);
}

static int
start(void **state)
{
	char path[FILE_PATH_SIZE], name[32], yaml[1024];

	(void)state;
	web_start();
	dir_make(dir);
	for (int i = 0; i < TESTS; i++) {
		snprintf(name, sizeof(name), "own-%d.yaml", i);
		snprintf(yaml, sizeof(yaml), YAML, i, i, FAILURES(i),
		    STATUS(i));
		file_write(path_in(path, dir, name), yaml, strlen(yaml));
	}
	server_start(&server, &(struct server_options){ .scenario_dir = dir });
	return device_make(&device) ? 0 : -1;
}

static int
stop(void **state)
{
	(void)state;
	server_stop(&server);
	device_clear(&device);
	dir_remove(dir);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_crosses_over),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
