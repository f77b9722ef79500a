/*
 * The worker process of the application pool crashes: what clients get, what
 * is in the logs, and when Windows has had enough of it.
 */
#include "support/test.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/device.h"
#include "support/server.h"
#include "support/tcp.h"

#define SECRET "lasting"
#define CAUSE "certificates.intermediates_in_root=1"
#define NO_CAUSE "certificates.intermediates_in_root=0"
#define STOP "app_pool.state=stopped"
#define START "app_pool.state=started"
#define STAYS_UP "app_pool.rapid_fail_protection=false"
#define TOP "mockndes: 1\nname: x\n"
#define CRASHES                                        \
	TOP "server:\n  app_pool: {state: disabled}\n" \
	    "  certificates: {intermediates_in_root: 1, capi2_log: true}\n"

struct fixture {
	struct server server;
	struct site *site;
	struct device device;
	uint64_t asked; /* requests of the site */
};

static void
set_up(struct fixture *f, const char *yaml)
{
	const struct server_options options = { .challenge = SECRET,
		.yaml = yaml };

	server_start(&f->server, &options);
	f->site = site_default(f->server.sites);
	assert_true(device_make(&f->device));
	f->asked = 0;
}

static void
tear_down(struct fixture *f)
{
	device_clear(&f->device);
	server_stop(&f->server);
}

static bool
change(struct site *site, const char *set)
{
	struct errors errors = { 0 };
	bool done = site_set(site, &set, 1, &errors) == 0;

	errors_clear(&errors);
	return done;
}

static void
set(struct fixture *f, const char *text)
{
	if (!change(f->site, text))
		fail_msg("%s", text);
}

/* Until so many have left everything that they leave. */
static void
settle(struct fixture *f)
{
	struct journal *journal = site_journal(f->site);
	struct journal_entry *e;

	while (journal_last(journal) < f->asked) {
		e = journal_wait(journal, journal_last(journal), NULL,
		    SERVER_WAIT_SECONDS * 1000);
		if (e == NULL)
			fail_msg("%llu requests, not %llu",
			    (unsigned long long)journal_last(journal),
			    (unsigned long long)f->asked);
		journal_entry_free(e);
	}
}

/* 0: the connection was closed without a word. */
static long
visit(struct fixture *f, const char *path)
{
	char url[SERVER_URL_SIZE];
	struct web_reply reply;
	long status;

	snprintf(url, sizeof(url), "%s%s", f->server.base, path);
	web_get(url, &reply);
	status = reply.status;
	if (status == 503)
		assert_string_equal(reply.server, "Microsoft-HTTPAPI/2.0");
	web_reply_clear(&reply);
	f->asked++;
	settle(f);
	return status;
}

static long
browse(struct fixture *f)
{
	return visit(f, SERVER_SCEP_PATH);
}

/* pkiStatus, or -1. */
static int
enrol(struct fixture *f, const char *challenge)
{
	const struct device_order order = { .challenge = challenge };
	STACK_OF(X509) *ca_certs = device_ca_certs(f->server.url);
	struct device_answer answer = { .pki_status = -1 };

	f->asked++;
	if (ca_certs != NULL) {
		device_ask(&f->device, f->server.url, &order, ca_certs,
		    &answer);
		f->asked++;
	}
	device_answer_clear(&answer);
	device_ca_certs_free(ca_certs);
	settle(f);
	return answer.pki_status;
}

static unsigned
count_in(struct site *site, enum evidence log, const char *words)
{
	struct buffer text = { 0 };
	unsigned count = 0;

	assert_int_equal(log_memory_print(site_evidence(site), log, &text), 0);
	buffer_add_byte(&text, 0);
	for (const char *at = (char *)text.data;
	     (at = strstr(at, words)) != NULL; at += strlen(words))
		count++;
	buffer_free(&text);
	return count;
}

static unsigned
count_event(struct fixture *f, enum evidence log, int id)
{
	char line[64];

	snprintf(line, sizeof(line), "\r\nEvent ID:      %d\r\n", id);
	return count_in(f->site, log, line);
}

static void
must_have_crashed(struct fixture *f, unsigned crashes, unsigned disabled)
{
	assert_int_equal(count_event(f, EVIDENCE_APPLICATION_LOG, 1000),
	    crashes);
	assert_int_equal(count_event(f, EVIDENCE_SYSTEM_LOG, 5009), crashes);
	assert_int_equal(count_event(f, EVIDENCE_SYSTEM_LOG, 5002), disabled);
}

static bool
is_healthy(const struct fixture *f)
{
	return site_is_healthy(f->site, NULL);
}

/* As the scenarios app-pool-crash-... have it. */
static void
disabled_started_and_cured(void **state)
{
	struct fixture f;

	(void)state;
	set_up(&f, CRASHES);
	must_have_crashed(&f, 5, 1);
	assert_int_equal(browse(&f), 503);
	assert_int_equal(visit(&f, SERVER_ADMIN_PATH), 503);
	assert_int_equal(enrol(&f, SECRET), -1);
	assert_int_equal(count_in(f.site, EVIDENCE_HTTPERR_LOG, " AppOffline "),
	    3);
	must_have_crashed(&f, 5, 1);
	assert_false(is_healthy(&f));
	/* The pool is not all that is wrong. */
	set(&f, START);
	assert_false(is_healthy(&f));
	for (int i = 0; i < 5; i++)
		assert_int_equal(browse(&f), 0);
	assert_int_equal(browse(&f), 503);
	must_have_crashed(&f, 10, 2);
	assert_int_equal(count_in(f.site, EVIDENCE_HTTPERR_LOG,
			     " Connection_Abandoned_By_ReqQueue "),
	    5);
	assert_int_equal(count_in(f.site, EVIDENCE_IIS_LOG, "mscep"), 0);
	/* Neither is enough alone. */
	set(&f, NO_CAUSE);
	assert_int_equal(browse(&f), 503);
	assert_false(is_healthy(&f));
	set(&f, START);
	assert_int_equal(browse(&f), 403);
	assert_true(is_healthy(&f));
	assert_int_equal(enrol(&f, SECRET), 0);
	must_have_crashed(&f, 10, 2);
	tear_down(&f);
}

/* Whatever reaches mscep.dll, and nothing else. */
static void
all_requests_to_the_process_crash(void **state)
{
	static const struct {
		const char *path;
		long status;
	} rows[] = {
		{ SERVER_SCEP_PATH, 0 },
		{ SERVER_SCEP_PATH "/pkiclient.exe?operation=GetCACert", 0 },
		{ SERVER_SCEP_PATH "?operation=GetCACaps&message=x", 0 },
		{ SERVER_SCEP_PATH "?operation=PKIOperation&message=AAAA", 0 },
		{ SERVER_ADMIN_PATH, 0 },
		{ "/nowhere", 404 },
	};
	struct fixture f;

	(void)state;
	set_up(&f, NULL);
	set(&f, STAYS_UP);
	set(&f, CAUSE);
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (visit(&f, rows[i].path) != rows[i].status)
			fail_msg("%s", rows[i].path);
	must_have_crashed(&f, 5, 0);
	tear_down(&f);
}

static void
spread_crashes_do_not_disable(void **state)
{
	struct fixture f;

	(void)state;
	set_up(&f, NULL);
	set(&f, CAUSE);
	for (int i = 0; i < 12; i++) {
		assert_int_equal(browse(&f), 0);
		server_advance_clock(&f.server, 75);
	}
	must_have_crashed(&f, 12, 0);
	server_advance_clock(&f.server, 300);
	for (int i = 0; i < 4; i++)
		assert_int_equal(browse(&f), 0);
	server_advance_clock(&f.server, 301);
	for (int i = 0; i < 5; i++)
		assert_int_equal(browse(&f), 0);
	assert_int_equal(browse(&f), 503);
	must_have_crashed(&f, 21, 1);
	tear_down(&f);
}

/* What is wrong is not known before some time has gone by. */
static void
a_certificate_expires(void **state)
{
	struct fixture f;

	(void)state;
	set_up(&f,
	    TOP "server:\n  policy_module: {certificate: {not_after: 1d}}\n"
		"  certificates: {capi2_log: true}\n");
	assert_int_equal(browse(&f), 403);
	assert_true(is_healthy(&f));
	server_advance_clock(&f.server, 86500);
	assert_false(is_healthy(&f));
	assert_int_equal(browse(&f), 0);
	must_have_crashed(&f, 1, 0);
	assert_int_equal(count_event(&f, EVIDENCE_CAPI2_LOG, 30), 1);
	tear_down(&f);
}

static void
passwords_are_forgotten(void **state)
{
	char password[DEVICE_PASSWORD_SIZE];
	struct fixture f;

	(void)state;
	set_up(&f, NULL);
	assert_true(device_password(f.server.admin, password));
	f.asked++;
	set(&f, CAUSE);
	set(&f, NO_CAUSE);
	assert_int_equal(enrol(&f, password), 0);
	assert_true(device_password(f.server.admin, password));
	f.asked++;
	set(&f, CAUSE);
	assert_int_equal(browse(&f), 0);
	set(&f, NO_CAUSE);
	assert_int_equal(enrol(&f, password), 2);
	tear_down(&f);
}

/* Of requests with a challenge alone, in the middle of their work (8.5). */
static void
verify_request_crashes_it(void **state)
{
	struct fixture f;

	(void)state;
	set_up(&f,
	    TOP "server: {policy_module: {verify_request: temp-folder}}\n");
	for (int i = 0; i < 5; i++) {
		assert_int_equal(browse(&f), 403);
		assert_int_equal(enrol(&f, SECRET), -1);
	}
	assert_int_equal(browse(&f), 503);
	assert_int_equal(count_in(f.site, EVIDENCE_HTTPERR_LOG,
			     " Connection_Abandoned_By_ReqQueue "),
	    5);
	assert_int_equal(count_in(f.site, EVIDENCE_SYSTEM_LOG, "'0x0000374'"),
	    5);
	assert_int_equal(count_in(f.site, EVIDENCE_IIS_LOG, "PKIOperation"), 0);
	assert_int_equal(count_event(&f, EVIDENCE_SYSTEM_LOG, 5002), 1);
	set(&f, "policy_module.verify_request=works");
	set(&f, START);
	assert_int_equal(enrol(&f, SECRET), 0);
	tear_down(&f);
}

/* Nothing is signed anew when Windows disables the pool. */
static void
the_ca_stays(void **state)
{
	STACK_OF(X509) * before, *after;
	struct fixture f;

	(void)state;
	set_up(&f, NULL);
	assert_non_null(before = device_ca_certs(f.server.url));
	f.asked++;
	set(&f, CAUSE);
	for (int i = 0; i < 5; i++)
		assert_int_equal(browse(&f), 0);
	assert_int_equal(browse(&f), 503);
	set(&f, NO_CAUSE);
	set(&f, START);
	assert_non_null(after = device_ca_certs(f.server.url));
	f.asked++;
	assert_int_equal(sk_X509_num(before), sk_X509_num(after));
	for (int i = 0; i < sk_X509_num(before); i++)
		assert_int_equal(X509_cmp(sk_X509_value(before, i),
				     sk_X509_value(after, i)),
		    0);
	assert_int_equal(enrol(&f, SECRET), 0);
	device_ca_certs_free(before);
	device_ca_certs_free(after);
	tear_down(&f);
}

#define HOLDS                                                         \
	TOP "faults:\n"                                               \
	    "  - when: {operation: GetCACaps}\n"                      \
	    "    do: {wire: {hang: forever}}\n"                       \
	    "  - when: {operation: GetCACert}\n"                      \
	    "    do: {wire: {drip: {octets: 1, every: 1h}}}\n"        \
	    "  - when: {operation: browse, header: {X-Who: proxy}}\n" \
	    "    do: {http: {page: gateway-timeout}, delay: 1h}\n"    \
	    "  - when: {operation: browse, header: {X-Who: late}}\n"  \
	    "    do: {delay: 1h}\n"                                   \
	    "  - when: {operation: browse, header: {X-Who: pause}}\n" \
	    "    do: {wire: {pause: {at: 4, time: 1h}}}\n"

static int
hold(const char *base, const char *path, const char *header)
{
	char request[256];
	int fd = tcp_connect(base);

	snprintf(request, sizeof(request),
	    "GET %s HTTP/1.1\r\nHost: x\r\n%s\r\n", path, header);
	assert_int_not_equal(fd, -1);
	assert_true(tcp_send_text(fd, request));
	return fd;
}

static void
must_have_ended(int fd, size_t most)
{
	struct buffer got;

	assert_int_not_equal(tcp_read_all(fd, &got), TCP_SILENT);
	assert_in_range(got.len, 0, most);
	buffer_free(&got);
	close(fd);
}

static void
must_be_open(int fd)
{
	char some[16];
	ssize_t len;

	do
		len = recv(fd, some, sizeof(some), MSG_DONTWAIT);
	while (len > 0);
	assert_int_equal(len, -1);
	close(fd);
}

static void
wait_for_held(struct server *s, unsigned count)
{
	for (int i = 0; http_held(s->http) != count; i++) {
		assert_in_range(i, 0, 2000);
		poll(NULL, 0, 10);
	}
}

/* Where the same scenario goes on. */
static void
open_other(struct fixture *f)
{
	struct scenario *scenario = site_scenario(f->site);
	struct site *other;
	struct error err = { 0 };

	assert_int_equal(site_make(f->server.sites, "other", scenario, &other,
			     &err),
	    SITE_OK);
	site_unref(other);
	scenario_free(scenario);
}

/* What the network and the proxy hold has nothing to do with it. */
static void
all_that_is_in_the_process_dies(void **state)
{
	struct fixture f;
	int held[5];

	(void)state;
	set_up(&f, HOLDS);
	open_other(&f);
	held[0] = hold(f.server.base, SERVER_SCEP_PATH "?operation=GetCACaps",
	    "");
	held[1] = hold(f.server.base, SERVER_SCEP_PATH "?operation=GetCACert",
	    "");
	held[2] = hold(f.server.base, SERVER_SCEP_PATH, "X-Who: late\r\n");
	held[3] = hold(f.server.base, SERVER_SCEP_PATH, "X-Who: proxy\r\n");
	held[4] = hold(f.server.base,
	    "/t/other" SERVER_SCEP_PATH "?operation=GetCACert", "");
	wait_for_held(&f.server, 5);
	set(&f, CAUSE);
	f.asked = 2;
	assert_int_equal(browse(&f), 0);
	must_have_ended(held[1], 1);
	must_have_ended(held[2], 0);
	wait_for_held(&f.server, 3);
	assert_int_equal(count_in(f.site, EVIDENCE_HTTPERR_LOG,
			     " Connection_Abandoned_By_ReqQueue "),
	    3);
	assert_int_equal(count_in(f.site, EVIDENCE_IIS_LOG, "mscep"), 0);
	must_have_crashed(&f, 1, 0);
	must_be_open(held[0]);
	must_be_open(held[3]);
	must_be_open(held[4]);
	tear_down(&f);
}

/* A body comes to an end when its process is no more. */
static void
a_body_comes_too_late(void **state)
{
	struct fixture f;
	int fd;

	(void)state;
	set_up(&f, NULL);
	fd = tcp_connect(f.server.base);
	assert_true(tcp_send_text(fd,
	    "POST " SERVER_SCEP_PATH
	    "?operation=PKIOperation HTTP/1.1\r\nHost: x\r\n"
	    "Content-Length: 4\r\n\r\nAB"));
	/* One loop has dealt with all before it. */
	assert_int_equal(browse(&f), 403);
	set(&f, CAUSE);
	assert_int_equal(browse(&f), 0);
	set(&f, NO_CAUSE);
	assert_int_equal(browse(&f), 403);
	assert_true(tcp_send_text(fd, "CD"));
	must_have_ended(fd, 0);
	f.asked++;
	settle(&f);
	must_have_crashed(&f, 1, 0);
	assert_int_equal(count_in(f.site, EVIDENCE_HTTPERR_LOG,
			     " Connection_Abandoned_By_ReqQueue "),
	    2);
	tear_down(&f);
}

static void
a_reset_brings_it_all_back(void **state)
{
	struct error err = { 0 };
	struct fixture f;

	(void)state;
	set_up(&f, CRASHES);
	set(&f, START);
	assert_int_equal(browse(&f), 0);
	must_have_crashed(&f, 6, 1);
	assert_int_equal(site_reset(f.site, &err), 0);
	f.asked = 0;
	must_have_crashed(&f, 5, 1);
	assert_int_equal(browse(&f), 503);
	server_use_yaml(&f.server, TOP);
	assert_int_equal(browse(&f), 403);
	server_use_yaml(&f.server, CRASHES);
	assert_int_equal(browse(&f), 503);
	must_have_crashed(&f, 10, 2);
	tear_down(&f);
}

/* A scenario begins without the deaths of the one before. */
static void
a_switch_forgets_deaths(void **state)
{
	struct fixture f;

	(void)state;
	set_up(&f, NULL);
	for (int i = 0; i < 3; i++) {
		server_use_yaml(&f.server,
		    TOP "server: {certificates: {crl_urls: unreachable}}\n");
		for (int j = 0; j < 4; j++)
			assert_int_equal(browse(&f), 0);
	}
	must_have_crashed(&f, 12, 0);
	tear_down(&f);
}

static void
no_identity(void **state)
{
	struct fixture f;

	(void)state;
	set_up(&f, TOP "server: {app_pool: {identity: no-logon-right}}\n");
	assert_false(is_healthy(&f));
	assert_int_equal(visit(&f, "/nowhere"), 404);
	assert_int_equal(count_event(&f, EVIDENCE_SYSTEM_LOG, 5059), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(browse(&f), 503);
	assert_int_equal(count_event(&f, EVIDENCE_SYSTEM_LOG, 5021), 1);
	assert_int_equal(count_event(&f, EVIDENCE_SYSTEM_LOG, 5057), 1);
	assert_int_equal(count_event(&f, EVIDENCE_SYSTEM_LOG, 5059), 1);
	set(&f, STOP);
	assert_int_equal(browse(&f), 503);
	assert_int_equal(count_event(&f, EVIDENCE_SYSTEM_LOG, 5059), 1);
	set(&f, START);
	assert_int_equal(browse(&f), 503);
	assert_int_equal(count_event(&f, EVIDENCE_SYSTEM_LOG, 5059), 2);
	set(&f, "app_pool.identity=good");
	assert_int_equal(browse(&f), 403);
	assert_true(is_healthy(&f));
	tear_down(&f);
}

/* In the field, not a crash (12 C17). */
static void
status_500(void **state)
{
	struct fixture f;

	(void)state;
	set_up(&f,
	    TOP "server:\n  app_pool: {failure: status-500}\n"
		"  iis: {certificate_registration: {windows: true}}\n");
	assert_int_equal(browse(&f), 500);
	assert_int_equal(enrol(&f, SECRET), -1);
	must_have_crashed(&f, 0, 0);
	assert_int_equal(count_in(f.site, EVIDENCE_IIS_LOG,
			     " 500 0 2147942405 "),
	    2);
	assert_false(is_healthy(&f));
	set(&f, "iis.certificate_registration.windows=false");
	assert_int_equal(browse(&f), 403);
	assert_true(is_healthy(&f));
	tear_down(&f);
}

#define THREADS 12
#define ROUNDS 8

struct crowd {
	struct fixture f;
	atomic_bool stop;
	atomic_uint asked, odd;
	/* Of the logs: they are read at the end alone. */
	unsigned disabled;
};

/* Everything that there is, at once. */
static void *
ask_on(void *cls)
{
	static const char *const queries[] = { NULL, "operation=GetCACaps",
		"operation=GetCACert", "operation=PKIOperation&message=AAAA" };
	struct crowd *c = cls;
	char url[SERVER_URL_SIZE];
	struct web_reply reply;

	for (unsigned i = 0; !atomic_load(&c->stop); i++) {
		web_get(server_url(url, c->f.server.base, queries[i % 4]),
		    &reply);
		atomic_fetch_add(&c->asked, 1);
		if (reply.status != 0 && reply.status != 503)
			atomic_fetch_add(&c->odd, 1);
		web_reply_clear(&reply);
	}
	return NULL;
}

static void
wait_until_disabled(struct crowd *c)
{
	struct stack_state state;

	do {
		poll(NULL, 0, 1);
		site_state(c->f.site, &state);
	} while (state.app_pool.state != POOL_DISABLED);
	c->disabled++;
}

/* With its cause in place, a pool dies five times each time it is started. */
static void
a_crowd_crashes_it_as_one(void **state)
{
	struct crowd c = { .disabled = 1 };
	pthread_t threads[THREADS];

	(void)state;
	set_up(&c.f, CRASHES);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, ask_on, &c),
		    0);
	for (int i = 0; i < ROUNDS; i++) {
		set(&c.f, START);
		/* Other changes come between, and none is lost. */
		set(&c.f,
		    i % 2 == 0 ? "http_sys.header_wait=30s" :
				 "http_sys.header_wait=60s");
		wait_until_disabled(&c);
	}
	atomic_store(&c.stop, true);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	c.f.asked = atomic_load(&c.asked);
	settle(&c.f);
	assert_int_equal(atomic_load(&c.odd), 0);
	must_have_crashed(&c.f, 5 * c.disabled, c.disabled);
	tear_down(&c.f);
}

#define HELD_EACH 25

struct holders {
	struct fixture f;
	atomic_uint done, wrong;
};

/* Answers that would stop on their way, did their process not die. */
static void *
hold_on(void *cls)
{
	static const char request[] = "GET " SERVER_SCEP_PATH
				      " HTTP/1.1\r\nHost: x\r\n"
				      "X-Who: pause\r\n\r\n";
	struct holders *h = cls;
	struct buffer got = { 0 };
	int fd;

	for (int i = 0; i < HELD_EACH; i++) {
		fd = tcp_connect(h->f.server.base);
		if (fd == -1 || !tcp_send_text(fd, request) ||
		    tcp_read_all(fd, &got) == TCP_SILENT || got.len > 4)
			atomic_fetch_add(&h->wrong, 1);
		buffer_free(&got);
		if (fd != -1)
			close(fd);
	}
	atomic_fetch_add(&h->done, 1);
	return NULL;
}

/* None slips through between what is computed and what is held. */
static void
no_held_answer_outlives_its_process(void **state)
{
	struct holders h = { .done = 0 };
	pthread_t threads[THREADS];
	char url[SERVER_URL_SIZE];
	struct web_reply reply;

	(void)state;
	set_up(&h.f, HOLDS);
	set(&h.f, STAYS_UP);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, hold_on, &h),
		    0);
	do {
		set(&h.f, CAUSE);
		web_get(server_url(url, h.f.server.base, NULL), &reply);
		web_reply_clear(&reply);
		set(&h.f, NO_CAUSE);
		h.f.asked++;
	} while (atomic_load(&h.done) < THREADS);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(atomic_load(&h.wrong), 0);
	h.f.asked += THREADS * HELD_EACH;
	settle(&h.f);
	wait_for_held(&h.f.server, 0);
	assert_int_equal(count_in(h.f.site, EVIDENCE_IIS_LOG, "mscep"), 0);
	tear_down(&h.f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(disabled_started_and_cured),
		cmocka_unit_test(all_requests_to_the_process_crash),
		cmocka_unit_test(spread_crashes_do_not_disable),
		cmocka_unit_test(a_certificate_expires),
		cmocka_unit_test(passwords_are_forgotten),
		cmocka_unit_test(the_ca_stays),
		cmocka_unit_test(verify_request_crashes_it),
		cmocka_unit_test(all_that_is_in_the_process_dies),
		cmocka_unit_test(a_body_comes_too_late),
		cmocka_unit_test(a_reset_brings_it_all_back),
		cmocka_unit_test(a_switch_forgets_deaths),
		cmocka_unit_test(no_identity),
		cmocka_unit_test(status_500),
		cmocka_unit_test(a_crowd_crashes_it_as_one),
		cmocka_unit_test(no_held_answer_outlives_its_process),
	};

	web_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
