/* The application pool, what its process dies of, and what is left of that. */
#include "unit/exchanges.h"
#include "unit/scenarios.h"

#include "stack/stack.h"

#define SETS_MAX 4
#define MSCEP_PATH "/certsrv/mscep/mscep.dll"
#define YEAR 31557600LL

static void
make_state(struct stack_state *s, const char *const *sets)
{
	struct errors errors = { 0 };
	size_t count = 0;

	while (count < SETS_MAX && sets[count] != NULL)
		count++;
	stack_healthy(s);
	if (scenario_set(s, sets, count, &errors) == -1)
		fail_msg("%s", errors.list[0].text);
}

/* "53 41 11 1000 5009" */
static void
must_have_events(const struct event *e, const char *wanted)
{
	char got[256] = "";

	for (; e != NULL; e = e->next)
		snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%d",
		    got[0] == '\0' ? "" : " ", e->id);
	assert_string_equal(got, wanted);
}

static const struct event *
find_event(const struct event *e, int id)
{
	while (e != NULL && e->id != id)
		e = e->next;
	if (e == NULL)
		fail_msg("there is no event %d", id);
	return e;
}

static const struct pass {
	const char *row, *sets[SETS_MAX], *target;
	const char *reason; /* of a 503; NULL: it goes on */
	bool lacks_identity;
} passes[] = {
	{ "a pool that is started", { NULL }, MSCEP_PATH, NULL, false },
	{ "stopped by an administrator", { "app_pool.state=stopped" },
	    MSCEP_PATH, "Disabled", false },
	{ "so is the admin site", { "app_pool.state=stopped" },
	    "/certsrv/mscep_admin/", "Disabled", false },
	{ "but nothing else", { "app_pool.state=stopped" }, "/", NULL, false },
	{ "disabled by Windows", { "app_pool.state=disabled" }, MSCEP_PATH,
	    "AppOffline", false },
	{ "an account that may not log on",
	    { "app_pool.identity=no-logon-right" }, MSCEP_PATH, "AppOffline",
	    true },
	{ "but nothing else needs it", { "app_pool.identity=no-logon-right" },
	    "/x", NULL, false },
	{ "it may not, and the pool is stopped",
	    { "app_pool.identity=no-logon-right", "app_pool.state=stopped" },
	    MSCEP_PATH, "Disabled", false },
	{ "it may not, and the pool is disabled",
	    { "app_pool.identity=no-logon-right", "app_pool.state=disabled" },
	    MSCEP_PATH, "AppOffline", false },
	{ "a locked account, as the article has it",
	    { "app_pool.identity=locked" }, MSCEP_PATH, NULL, false },
	{ "a locked account, as WAS has it",
	    { "app_pool.identity=locked", "app_pool.identity_failure=was" },
	    MSCEP_PATH, "AppOffline", true },
	{ "an expired password, as WAS has it",
	    { "app_pool.identity=password-expired",
		"app_pool.identity_failure=was" },
	    MSCEP_PATH, "AppOffline", true },
	{ "a good account cannot fail", { "app_pool.identity_failure=was" },
	    MSCEP_PATH, NULL, false },
};

static void
pass_pool(void **state)
{
	const struct pass *t = *state;
	struct stack_state s;
	struct exchange ex;

	make_state(&s, t->sets);
	exchange_make(&ex, "GET", t->target);
	app_pool_pass(&ex, &s);
	if (t->reason == NULL) {
		assert_false(exchange_is_answered(&ex));
	} else {
		exchange_must_say(&ex, LAYER_HTTP_SYS, 503, 0, 0);
		exchange_must_have_header(&ex, "Server",
		    "Microsoft-HTTPAPI/2.0");
		assert_int_equal(ex.reply.body.len, 326);
		assert_string_equal(ex.verdict.reason, t->reason);
	}
	assert_int_equal(app_pool_lacks_identity(&ex), t->lacks_identity);
	if (iis_place(&ex.request) != PLACE_NOWHERE)
		assert_int_equal(app_pool_runs(&s), t->reason == NULL);
	assert_null(ex.events);
	exchange_clear(&ex);
}

/* ndes-facts 8.3 */
static const struct told {
	const char *row;
	int id;
	const char *level, *begins;
} tolds[] = {
	{ "5021", 5021, "Warning",
	    "The identity of application pool SCEP is invalid. The user name "
	    "or password that is specified for the identity may be incorrect, "
	    "or the user may not have batch logon rights." },
	{ "5057", 5057, "Warning",
	    "Application pool SCEP has been disabled. Windows Process "
	    "Activation Service (WAS) did not create a worker process to serve "
	    "the application pool because the application pool identity is "
	    "invalid." },
	{ "5059", 5059, "Error",
	    "Application pool SCEP has been disabled. Windows Process "
	    "Activation Service (WAS) encountered a failure when it started a "
	    "worker process to serve the application pool." },
};

static void
tell_identity(void **state)
{
	const struct told *t = *state;
	const struct event *e;
	struct exchange ex;

	exchange_make(&ex, "GET", MSCEP_PATH);
	app_pool_tell_identity(&ex);
	must_have_events(ex.events, "5021 5057 5059");
	e = find_event(ex.events, t->id);
	assert_string_equal(e->log, "System");
	assert_string_equal(e->source, "Microsoft-Windows-WAS");
	assert_string_equal(e->level, t->level);
	assert_memory_equal(e->text, t->begins, strlen(t->begins));
	exchange_clear(&ex);
}

#define JOY "app_pool.failure=status-500"
#define LOG "certificates.capi2_log=true"

static const struct cause {
	const char *row, *sets[SETS_MAX];
	int64_t elapsed;
	const char *why; /* what it begins with; NULL: nothing is wrong */
	uint32_t win32;	 /* of a 500; 0: it crashes */
	const char *events;
} causes[] = {
	{ "a site as it comes", { NULL }, 0, NULL, 0, NULL },
	{ "an intermediate in Trusted Root",
	    { "certificates.intermediates_in_root=1" }, 0,
	    "certificates.intermediates_in_root: ", 0, "1000 5009" },
	{ "nobody has seen a 500 of that",
	    { "certificates.intermediates_in_root=8", JOY }, 0,
	    "certificates.intermediates_in_root: ", 0, "1000 5009" },
	{ "nor any event of CAPI2",
	    { "certificates.intermediates_in_root=8", LOG }, 0,
	    "certificates.intermediates_in_root: ", 0, "1000 5009" },
	{ "without the module there is nothing to crash",
	    { "certificates.intermediates_in_root=1",
		"policy_module.installed=false" },
	    0, NULL, 0, NULL },
	{ "CRLs that cannot be got", { "certificates.crl_urls=unreachable" }, 0,
	    "certificates.crl_urls: ", 0, "1000 5009" },
	{ "CRLs, and the CAPI2 log is on",
	    { "certificates.crl_urls=unreachable", LOG }, 0,
	    "certificates.crl_urls: ", 0, "53 41 11 1000 5009" },
	{ "CRLs as a 500", { "certificates.crl_urls=unreachable", JOY }, 0,
	    "certificates.crl_urls: ", 0x80092013, NULL },
	{ "Windows authentication",
	    { "iis.certificate_registration.windows=true", LOG }, 0,
	    "iis.certificate_registration.windows: ", 0, "1000 5009" },
	{ "no anonymous authentication",
	    { "iis.certificate_registration.anonymous=false" }, 0,
	    "iis.certificate_registration.anonymous: ", 0, "1000 5009" },
	{ "Windows authentication as a 500",
	    { "iis.certificate_registration.windows=true", JOY }, 0,
	    "iis.certificate_registration.windows: ", 0x80070005, NULL },
	{ "the outer of two causes",
	    { "iis.certificate_registration.windows=true",
		"certificates.intermediates_in_root=1", JOY },
	    0, "certificates.intermediates_in_root: ", 0, "1000 5009" },
	{ "an expired certificate",
	    { "policy_module.certificate.not_after=-1d" }, 0,
	    "policy_module.certificate.not_after: ", 0, "1000 5009" },
	{ "an expired certificate, and the CAPI2 log is on",
	    { "policy_module.certificate.not_after=-1d", LOG }, 0,
	    "policy_module.certificate.not_after: ", 0, "30 1000 5009" },
	{ "one that expires later",
	    { "policy_module.certificate.not_after=1d" }, 86400, NULL, 0,
	    NULL },
	{ "and has by now", { "policy_module.certificate.not_after=1d", JOY },
	    86401, "policy_module.certificate.not_after: ", 0, "1000 5009" },
	{ "the usual one after three years", { NULL }, 3 * YEAR, NULL, 0,
	    NULL },
	{ "a thumbprint of nothing, which nobody verifies",
	    { "policy_module.thumbprint=1234", LOG }, 0,
	    "policy_module.thumbprint: ", 0, "1000 5009" },
};

/* 500 0 1346 means something else. */
static void
enter(const struct cause *t, const struct stack_state *s)
{
	struct exchange ex;

	exchange_make(&ex, "GET", MSCEP_PATH);
	app_pool_enter(&ex, s, t->elapsed);
	if (t->win32 != 0) {
		exchange_must_say(&ex, LAYER_MSCEP, 500, 0, t->win32);
		assert_true(app_pool_has_answered(&ex));
	} else {
		assert_false(exchange_is_answered(&ex));
	}
	assert_int_equal(ex.is_fatal, t->events != NULL);
	if (t->why == NULL)
		assert_string_equal(ex.scep.why, "");
	else
		assert_memory_equal(ex.scep.why, t->why, strlen(t->why));
	exchange_clear(&ex);
}

static void
cause(void **state)
{
	const struct cause *t = *state;
	struct event *events = NULL;
	struct error why = { 0 };
	struct stack_state s;

	make_state(&s, t->sets);
	assert_int_equal(app_pool_is_broken(&s, t->elapsed, &why),
	    t->why != NULL);
	if (t->why != NULL)
		assert_memory_equal(why.text, t->why, strlen(t->why));
	assert_int_equal(app_pool_would_crash(&s, t->elapsed, NULL),
	    t->events != NULL);
	enter(t, &s);
	if (t->events == NULL)
		return;
	app_pool_tell_crash(&events, &s, t->elapsed, 0);
	must_have_events(events, t->events);
	events_free(events);
}

/* ndes-facts 8.4: to the octet for 2012 R2 alone. */
static const struct version {
	const char *row, *set, *text;
} versions[] = {
	{ "2012 R2", "windows=2012r2",
	    "Faulting application name: w3wp.exe, version: 8.5.9600.16384, "
	    "time stamp: 0x5215df96\r\n"
	    "Faulting module name: ntdll.dll, version: 6.3.9600.18821, time "
	    "stamp: 0x59ba86db\r\n"
	    "Exception code: 0xc0000005" },
	{ "2008 R2", "windows=2008r2", "w3wp.exe, version: 7.5.7601." },
	{ "2012", "windows=2012", "w3wp.exe, version: 8.0.9200." },
	{ "2016", "windows=2016", "w3wp.exe, version: 10.0.14393." },
	{ "2019", "windows=2019", "w3wp.exe, version: 10.0.17763." },
	{ "2022", "windows=2022", "w3wp.exe, version: 10.0.20348." },
	{ "2025", "windows=2025", "w3wp.exe, version: 10.0.26100." },
};

static void
event_1000(void **state)
{
	const struct version *t = *state;
	const char *const sets[SETS_MAX] = { t->set,
		"certificates.intermediates_in_root=1" };
	struct event *events = NULL;
	const struct event *e;
	struct stack_state s;

	make_state(&s, sets);
	app_pool_tell_crash(&events, &s, 0, 7);
	e = find_event(events, 1000);
	assert_string_equal(e->log, "Application");
	assert_string_equal(e->source, "Application Error");
	assert_string_equal(e->level, "Error");
	assert_non_null(strstr(e->text, t->text));
	if (s.windows == WINDOWS_2012R2)
		assert_string_equal(e->text, t->text);
	else
		assert_null(strstr(e->text, "0x5215df96"));
	assert_non_null(strstr(e->text, "\r\nException code: 0xc0000005"));
	events_free(events);
}

static void
event_5009(void **state)
{
	static const char *const sets[][SETS_MAX] = {
		{ "certificates.intermediates_in_root=1" },
		{ "policy_module.verify_request=temp-folder" },
	};
	static const char *const codes[] = { "0xc0000005", "0x0000374" };
	struct event *events;
	struct stack_state s;
	char text[256];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		events = NULL;
		make_state(&s, sets[i]);
		app_pool_tell_crash(&events, &s, 0, 3);
		must_have_events(events, i == 0 ? "1000 5009" : "5009");
		snprintf(text, sizeof(text),
		    "A process serving application pool 'SCEP' terminated "
		    "unexpectedly. The process id was '%u'. The process exit "
		    "code was '%s'.",
		    app_pool_process_id(3), codes[i]);
		assert_string_equal(find_event(events, 5009)->text, text);
		events_free(events);
	}
}

/* The certificate that the registry names is the one that is told about. */
static void
capi2_names_the_certificate(void **state)
{
	static const char *const sets[SETS_MAX] = {
		"policy_module.certificate.not_after=-1d", LOG
	};
	struct policy_certificate list[POLICY_CERTIFICATES];
	struct event *events = NULL;
	const struct event *e;
	struct stack_state s;

	(void)state;
	make_state(&s, sets);
	policy_module_certificates(&s, list);
	app_pool_tell_crash(&events, &s, 0, 3);
	e = find_event(events, 30);
	assert_string_equal(e->log, "Microsoft-Windows-CAPI2/Operational");
	assert_string_equal(e->source, "Microsoft-Windows-CAPI2");
	assert_non_null(strstr(e->text, list[0].thumbprint));
	assert_non_null(strstr(e->text,
	    "For more details for this event, please refer to the \"Details\" "
	    "section"));
	assert_non_null(strstr(e->text,
	    "[0x800B0101] A required certificate is not within its validity "
	    "period when verifying against the current system clock or the "
	    "timestamp in the signed file."));
	events_free(events);
}

static void
process_ids(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 100; i++) {
		assert_int_equal(app_pool_process_id(i) % 4, 0);
		for (uint64_t j = 0; j < i; j++)
			assert_int_not_equal(app_pool_process_id(i),
			    app_pool_process_id(j));
	}
}

#define DEATHS 8
static const struct series {
	const char *row, *sets[SETS_MAX];
	int64_t times[DEATHS]; /* -1 ends them */
	int disables;	       /* which of them; -1: none */
} serieses[] = {
	{ "five at once", { NULL }, { 0, 0, 0, 0, 0, -1 }, 4 },
	{ "four", { NULL }, { 0, 1, 2, 3, -1 }, -1 },
	{ "five within five minutes", { NULL }, { 1, 100, 200, 250, 300, -1 },
	    4 },
	{ "five in five minutes and no less", { NULL },
	    { 0, 100, 200, 250, 300, -1 }, -1 },
	{ "the sixth", { NULL }, { 0, 100, 200, 250, 300, 301, -1 }, 5 },
	{ "one a minute and a quarter", { NULL },
	    { 0, 75, 150, 225, 300, 375, 450, 525 }, -1 },
	{ "two are too many", { "app_pool.rapid_fail_max_crashes=2" },
	    { 7, 8, -1 }, 1 },
	{ "within a second", { "app_pool.rapid_fail_interval=1s" },
	    { 0, 0, 0, 0, 1, 1, 1, -1 }, -1 },
	{ "without protection", { "app_pool.rapid_fail_protection=false" },
	    { 0, 0, 0, 0, 0, 0, 0, 0 }, -1 },
};

static void
disables(void **state)
{
	const struct series *t = *state;
	struct pool_worker w = { 0 };
	struct event *events = NULL;
	struct stack_state s;
	int i;

	make_state(&s, t->sets);
	for (i = 0; i < DEATHS && t->times[i] != -1; i++)
		if (app_pool_die(&w, &s, t->times[i], &events) !=
		    (i == t->disables))
			fail_msg("death %d", i);
	assert_int_equal(w.process, i);
	assert_int_equal(w.died, i);
	must_have_events(events, t->disables == -1 ? "" : "5002");
	if (events != NULL)
		assert_string_equal(events->text,
		    "Application pool 'SCEP' is being automatically disabled "
		    "due to a series of failures in the process(es) serving "
		    "that application pool.");
	events_free(events);
}

static void
deaths_are_forgotten(void **state)
{
	static const char *const most[SETS_MAX] = {
		"app_pool.rapid_fail_max_crashes=100",
		"app_pool.rapid_fail_interval=30d",
		"app_pool.rapid_fail_protection=false"
	};
	struct pool_worker w = { 0 };
	struct event *events = NULL;
	struct stack_state s;

	(void)state;
	stack_healthy(&s);
	for (int i = 0; i < 4; i++)
		assert_false(app_pool_die(&w, &s, 0, &events));
	app_pool_restart(&w);
	assert_int_equal(w.process, 5);
	assert_int_equal(w.died, 4);
	for (int i = 0; i < 4; i++)
		assert_false(app_pool_die(&w, &s, 0, &events));
	assert_true(app_pool_die(&w, &s, 0, &events));
	/* There is room for those that count. */
	make_state(&s, most);
	for (int i = 0; i < 1000; i++)
		assert_false(app_pool_die(&w, &s, i, &events));
	s.app_pool.rapid_fail_protection = true;
	assert_true(app_pool_die(&w, &s, 1000, &events));
	/* However many there are in one second. */
	s.app_pool.rapid_fail_protection = false;
	for (int i = 0; i < 1000; i++)
		assert_false(app_pool_die(&w, &s, 1000, &events));
	s.app_pool.rapid_fail_protection = true;
	assert_true(app_pool_die(&w, &s, 1000, &events));
	events_free(events);
}

static const struct past {
	const char *row, *sets[SETS_MAX];
	size_t crashes;
	int64_t first; /* so long ago */
} pasts[] = {
	{ "a site as it comes", { NULL }, 0, 0 },
	{ "a cause that has not shown yet",
	    { "certificates.intermediates_in_root=1" }, 0, 0 },
	{ "a pool that is disabled for no reason",
	    { "app_pool.state=disabled" }, 0, 0 },
	{ "a pool that was stopped",
	    { "app_pool.state=stopped",
		"certificates.intermediates_in_root=1" },
	    0, 0 },
	{ "one that has crashed",
	    { "app_pool.state=disabled",
		"certificates.intermediates_in_root=1" },
	    5, 300 },
	{ "for an expired certificate",
	    { "app_pool.state=disabled",
		"policy_module.certificate.not_after=-1d" },
	    5, 300 },
	{ "with other limits",
	    { "app_pool.state=disabled", "certificates.crl_urls=unreachable",
		"app_pool.rapid_fail_max_crashes=2",
		"app_pool.rapid_fail_interval=10s" },
	    2, 65 },
};

static void
past(void **state)
{
	const struct past *t = *state;
	struct stack_past p = { 0 };
	char wanted[128] = "";
	struct stack_state s;
	int64_t before = INT64_MAX;

	make_state(&s, t->sets);
	p.state = &s;
	stack_past(&p);
	for (size_t i = 0; i < t->crashes; i++)
		strcat(wanted, "1000 5009 ");
	strcat(wanted, t->crashes > 0 ? "5002" : "");
	must_have_events(p.events, wanted);
	if (p.events != NULL)
		assert_int_equal(p.events->ago, t->first);
	for (const struct event *e = p.events; e != NULL; e = e->next) {
		assert_in_range(e->ago, 1, before);
		before = e->ago;
	}
	events_free(p.events);
}

/* As they ship: the pool has been disabled, and would crash again. */
static const struct shipped {
	const char *name, *why; /* NULL: there is nothing to crash of */
} shippeds[] = {
	{ "app-pool-stopped", NULL },
	{ "service-account-rights-missing", NULL },
	{ "app-pool-crash-intermediate-in-root",
	    "certificates.intermediates_in_root: " },
	{ "app-pool-crash-group-policy",
	    "certificates.intermediates_in_root: " },
	{ "app-pool-crash-crl-unreachable", "certificates.crl_urls: " },
	{ "app-pool-crash-windows-authentication",
	    "iis.certificate_registration.windows: " },
	{ "app-pool-crash-policy-certificate-expired",
	    "policy_module.certificate.not_after: " },
	{ "thumbprint-mistyped", "policy_module.thumbprint: " },
};

static struct scenario *
find_shipped(const char *name)
{
	struct scenario *scenario = NULL;
	struct errors errors = { 0 };
	char text[TEXT_SIZE];

	if (scenario_find(name, NULL, &scenario, &errors) == -1)
		fail_msg("%s", errors_print(&errors, text, sizeof(text)));
	assert_non_null(scenario);
	return scenario;
}

static void
shipped(void **state)
{
	const struct shipped *t = *state;
	struct scenario *scenario = find_shipped(t->name);
	const struct stack_state *s = &scenario->state;
	struct stack_past p = { .state = s };
	struct error why = { 0 };

	assert_int_equal(app_pool_would_crash(s, 0, &why), t->why != NULL);
	stack_past(&p);
	if (t->why != NULL) {
		assert_memory_equal(why.text, t->why, strlen(t->why));
		assert_int_equal(s->app_pool.state, POOL_DISABLED);
		must_have_events(p.events,
		    "1000 5009 1000 5009 1000 5009 1000 5009 1000 5009 5002");
	} else {
		assert_null(p.events);
	}
	events_free(p.events);
	scenario_free(scenario);
}

/* But for its blanks it would be right. */
static void
mistyped(void **state)
{
	struct scenario *scenario = find_shipped("thumbprint-mistyped");
	struct policy_certificate list[POLICY_CERTIFICATES];
	char named[THUMBPRINT_SIZE], *to = named;

	(void)state;
	for (const char *at = scenario->state.policy_module.thumbprint;
	     *at != '\0'; at++)
		if (*at != ' ')
			*to++ = *at;
	*to = '\0';
	assert_int_equal(policy_module_certificates(&scenario->state, list), 1);
	assert_string_equal(named, list[0].thumbprint);
	scenario_free(scenario);
}

#define MESSAGE MSCEP_PATH "?operation=PKIOperation&message=x"

/* What NDESPlugin.log has of a request that the process dies of (12 B10). */
static const struct called {
	const char *row, *sets[SETS_MAX], *target;
	bool begins;
} calleds[] = {
	{ "a message, and the certificate has expired",
	    { "policy_module.certificate.not_after=-1d" }, MESSAGE, true },
	{ "without a message nothing is called",
	    { "policy_module.certificate.not_after=-1d" },
	    MSCEP_PATH "?operation=GetCACert", false },
	{ "without a certificate neither", { "policy_module.thumbprint=1234" },
	    MESSAGE, false },
	{ "of intermediates nobody has shown it",
	    { "certificates.intermediates_in_root=1" }, MESSAGE, false },
	{ "a healthy one does so later", { NULL }, MESSAGE, false },
};

static void
begin_call(void **state)
{
	const struct called *t = *state;
	const struct event *e;
	struct stack_state s;
	struct exchange ex;

	make_state(&s, t->sets);
	exchange_make(&ex, "GET", t->target);
	app_pool_enter(&ex, &s, 0);
	e = ex.events;
	if (t->begins) {
		assert_non_null(e);
		assert_string_equal(e->log, "NDESPlugin.log");
		assert_string_equal(e->text, "Calling VerifyRequest ...");
		e = e->next;
		assert_non_null(e);
		assert_string_equal(e->text,
		    "Sending request to certificate registration point.");
		e = e->next;
	}
	assert_null(e);
	exchange_clear(&ex);
}

/* Nothing of an answer is left, however it was to be sent. */
static void
dropped(void **state)
{
	struct exchange ex;

	(void)state;
	exchange_make(&ex, "GET", MSCEP_PATH);
	exchange_answer(&ex, LAYER_MSCEP, 200, 0, 0);
	ex.wire = (struct wire){ .delay_ms = 1000, .prefix = span_text("x") };
	assert_true(app_pool_has_answered(&ex));
	app_pool_drop(&ex);
	exchange_must_say(&ex, LAYER_HTTP_SYS, 0, 0, 0);
	assert_string_equal(ex.verdict.reason,
	    "Connection_Abandoned_By_ReqQueue");
	assert_int_equal(ex.wire.delay_ms, 0);
	assert_int_equal(ex.wire.prefix.len, 0);
	assert_false(app_pool_has_answered(&ex));
	exchange_clear(&ex);
}

int
main(void)
{
	static const struct table tables[] = {
		ROWS(pass_pool, passes),
		ROWS(tell_identity, tolds),
		ROWS(cause, causes),
		ROWS(event_1000, versions),
		ONE(event_5009, "event 5009 and its exit code"),
		ONE(capi2_names_the_certificate,
		    "CAPI2 names the certificate of the registry"),
		ONE(process_ids, "process ids differ"),
		ROWS(disables, serieses),
		ONE(deaths_are_forgotten, "who starts the pool forgets"),
		ROWS(past, pasts),
		ROWS(shipped, shippeds),
		ONE(mistyped, "a thumbprint with blanks"),
		ROWS(begin_call, calleds),
		ONE(dropped, "what was in a process that died"),
	};

	return ROWS_RUN(tables, NULL, NULL);
}
