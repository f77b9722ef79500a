/*
 * What a worker process dies of, and what that leaves in the logs: the policy
 * module brings down the process that it is loaded into (ndes-facts 8, 12 A5).
 */
#include "stack/stack.h"

#include <stdio.h>
#include <string.h>

#define MORE                                                                \
	"For more details for this event, please refer to the \"Details\" " \
	"section\r\n"
#define CAPI2 "Microsoft-Windows-CAPI2/Operational", "Microsoft-Windows-CAPI2"

/* The same store makes 403.16 of VerifyRequest, which is another article's. */
static bool
has_intermediates(const struct stack_state *s, int64_t elapsed,
    struct error *why)
{
	bool has = s->certificates.intermediates_in_root > 0 &&
	    s->policy_module.verify_request != VERIFY_REQUEST_UNTRUSTED;

	(void)elapsed;
	if (has)
		error_set(why,
		    "certificates.intermediates_in_root: certificates of "
		    "intermediate CAs lie in the store of Trusted Root CAs");
	return has;
}

static bool
lacks_crls(const struct stack_state *s, int64_t elapsed, struct error *why)
{
	(void)elapsed;
	if (s->certificates.crl_urls == UNREACHABLE)
		error_set(why,
		    "certificates.crl_urls: the CRLs of the connector's "
		    "certificates cannot be got");
	return s->certificates.crl_urls == UNREACHABLE;
}

static bool
asks_who(const struct stack_state *s, int64_t elapsed, struct error *why)
{
	bool windows = s->iis.certificate_registration.windows;
	bool asks = windows || !s->iis.certificate_registration.anonymous;

	(void)elapsed;
	if (asks)
		error_set(why,
		    "iis.certificate_registration.%s: the policy module gets "
		    "no answer from CertificateRegistrationSvc",
		    windows ? "windows" : "anonymous");
	return asks;
}

static bool
lacks_certificate(const struct stack_state *s, int64_t elapsed,
    struct error *why)
{
	return !policy_module_certificate_is_good(s, elapsed, why);
}

/* The certificate that the registry names, if there is one. */
static bool
find_certificate(const struct stack_state *s, struct policy_certificate *out)
{
	struct policy_certificate list[POLICY_CERTIFICATES];
	size_t count = policy_module_certificates(s, list);
	char named[THUMBPRINT_SIZE];

	policy_module_thumbprint(s, named);
	for (size_t i = 0; i < count; i++)
		if (strcmp(list[i].thumbprint, named) == 0) {
			*out = list[i];
			return true;
		}
	return false;
}

/* Of the ids what they are for is known, of details their kind (9.3). */
static void
tell_offline(struct event **events, const struct stack_state *s)
{
	struct policy_certificate c = { .thumbprint = "" };

	find_certificate(s, &c);
	events_add(events, CAPI2, 53, "Error",
	    MORE "CryptRetrieveObjectByUrlWire\r\n"
		 "  Object: CONTEXT_OID_CRL\r\n"
		 "  Result: [0x80092013] The revocation function was unable to "
		 "check revocation because the revocation server was offline.");
	events_add(events, CAPI2, 41, "Error",
	    MORE "CertVerifyRevocation\r\n"
		 "  Certificate: fileRef=%s.cer\r\n"
		 "  Result: [0x80092013] The revocation function was unable to "
		 "check revocation because the revocation server was offline.",
	    c.thumbprint);
	events_add(events, CAPI2, 11, "Error",
	    MORE "CertGetCertificateChain\r\n"
		 "  Certificate: fileRef=%s.cer\r\n"
		 "  Result: [0x80092013] The revocation function was unable to "
		 "check revocation because the revocation server was offline.",
	    c.thumbprint);
}

/* The sentence is quoted by the article on the expired certificate (9.3). */
static void
tell_outside(struct event **events, const struct stack_state *s)
{
	struct policy_certificate c;

	/* One that is not there is not verified. */
	if (!find_certificate(s, &c))
		return;
	events_add(events, CAPI2, 30, "Error",
	    MORE "CertVerifyCertificateChainPolicy\r\n"
		 "  Certificate: fileRef=%s.cer\r\n"
		 "  Result: [0x800B0101] A required certificate is not within "
		 "its validity period when verifying against the current "
		 "system clock or the timestamp in the signed file.",
	    c.thumbprint);
}

static const struct cause {
	bool (
	    *has)(const struct stack_state *, int64_t elapsed, struct error *);
	/* What CAPI2 logs of it; NULL: nothing that is known. */
	void (*tell)(struct event **, const struct stack_state *);
	/*
	 * Of its 500 (12 C17), assumed: E_ACCESSDENIED and
	 * CRYPT_E_REVOCATION_OFFLINE. 0: nobody has seen one.
	 */
	uint32_t win32;
} causes[] = {
	{ has_intermediates, NULL, 0 },
	{ lacks_crls, tell_offline, 0x80092013 },
	{ asks_who, NULL, 0x80070005 },
	{ lacks_certificate, tell_outside, 0 },
};

/* NULL: none. `why` may be NULL. */
static const struct cause *
find_cause(const struct stack_state *s, int64_t elapsed, struct error *why)
{
	struct error unasked = { 0 };

	if (why == NULL)
		why = &unasked;
	if (!s->policy_module.installed)
		return NULL;
	for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++)
		if (causes[i].has(s, elapsed, why))
			return &causes[i];
	return NULL;
}

static bool
is_500(const struct stack_state *s, const struct cause *cause)
{
	return s->app_pool.failure == POOL_ANSWERS_500 && cause->win32 != 0;
}

bool
app_pool_is_broken(const struct stack_state *s, int64_t elapsed,
    struct error *why)
{
	return find_cause(s, elapsed, why) != NULL;
}

bool
app_pool_would_crash(const struct stack_state *s, int64_t elapsed,
    struct error *why)
{
	const struct cause *cause = find_cause(s, elapsed, why);

	return cause != NULL && !is_500(s, cause);
}

/*
 * NDESPlugin.log ends in the middle of the call, if it is the certificate that
 * has expired (12 B10 [C]). A process dies of other requests without one.
 */
static void
begin_call(struct exchange *ex, const struct stack_state *s,
    const struct cause *cause)
{
	struct policy_certificate c;

	if (cause->tell == tell_outside && find_certificate(s, &c) &&
	    mscep_operation(&ex->request) == OPERATION_PKI)
		policy_module_begin_call(ex);
}

void
app_pool_enter(struct exchange *ex, const struct stack_state *s,
    int64_t elapsed)
{
	struct error why = { 0 };
	const struct cause *cause = find_cause(s, elapsed, &why);

	if (cause == NULL)
		return;
	snprintf(ex->scep.why, sizeof(ex->scep.why), "%.150s", why.text);
	if (is_500(s, cause)) {
		iis_answer(ex, s, LAYER_MSCEP, 500, 0, cause->win32);
		return;
	}
	begin_call(ex, s, cause);
	ex->is_fatal = true;
}

/*
 * Files as event 1000 shows them. That of 2012 R2 is the article's [C] (8.4).
 * The others are assumed: versions follow from the build, and of when the files
 * were linked nothing is known, which 0x00000000 says.
 */
static const struct {
	const char *w3wp, *w3wp_linked, *ntdll, *ntdll_linked;
} files[] = {
	[WINDOWS_2008R2] = { "7.5.7601.1", "0x00000000", "6.1.7601.1",
	    "0x00000000" },
	[WINDOWS_2012] = { "8.0.9200.16384", "0x00000000", "6.2.9200.16384",
	    "0x00000000" },
	[WINDOWS_2012R2] = { "8.5.9600.16384", "0x5215df96", "6.3.9600.18821",
	    "0x59ba86db" },
	[WINDOWS_2016] = { "10.0.14393.1", "0x00000000", "10.0.14393.1",
	    "0x00000000" },
	[WINDOWS_2019] = { "10.0.17763.1", "0x00000000", "10.0.17763.1",
	    "0x00000000" },
	[WINDOWS_2022] = { "10.0.20348.1", "0x00000000", "10.0.20348.1",
	    "0x00000000" },
	[WINDOWS_2025] = { "10.0.26100.1", "0x00000000", "10.0.26100.1",
	    "0x00000000" },
};

static void
tell_fault(struct event **events, enum windows w)
{
	/* Nothing follows in the article; real ones go on (8.4). */
	events_add(events, "Application", "Application Error", 1000, "Error",
	    "Faulting application name: w3wp.exe, version: %s, time stamp: "
	    "%s\r\n"
	    "Faulting module name: ntdll.dll, version: %s, time stamp: %s\r\n"
	    "Exception code: 0xc0000005",
	    files[w].w3wp, files[w].w3wp_linked, files[w].ntdll,
	    files[w].ntdll_linked);
}

/*
 * Whatever else a process dies of is the connector's trouble with its temporary
 * folder, of which an article shows 5009 alone, with this exit code (8.5 [C]).
 */
#define EXIT_OF_ARTICLE "0000374"

void
app_pool_tell_crash(struct event **events, const struct stack_state *s,
    int64_t elapsed, uint64_t process)
{
	const struct cause *cause = find_cause(s, elapsed, NULL);

	if (cause != NULL && cause->tell != NULL && s->certificates.capi2_log)
		cause->tell(events, s);
	if (cause != NULL)
		tell_fault(events, s->windows);
	events_add(events, "System", "Microsoft-Windows-WAS", 5009, "Warning",
	    "A process serving application pool 'SCEP' terminated "
	    "unexpectedly. The process id was '%u'. The process exit code was "
	    "'0x%s'.",
	    app_pool_process_id(process),
	    cause != NULL ? "c0000005" : EXIT_OF_ARTICLE);
}

#define PAST_LAST 60 /* seconds from the last crash to the opening; assumed */

/* One crash: its events, older than the opening by `ago`. */
static void
crash_ago(struct stack_past *p, struct pool_worker *w, int64_t ago)
{
	struct event *list = NULL, **end = &p->events;

	app_pool_tell_crash(&list, p->state, 0, w->process);
	app_pool_die(w, p->state, -ago, &list);
	for (struct event *e = list; e != NULL; e = e->next)
		e->ago = ago;
	while (*end != NULL)
		end = &(*end)->next;
	*end = list;
}

void
stack_past(struct stack_past *p)
{
	const struct stack_state *s = p->state;
	int64_t crashes = s->app_pool.rapid_fail_max_crashes;
	/* Those of the site come after them. */
	struct pool_worker w = { .process = UINT32_MAX - (uint64_t)crashes };

	p->events = NULL;
	if (s->app_pool.state != POOL_DISABLED ||
	    !app_pool_would_crash(s, 0, NULL))
		return;
	for (int64_t i = crashes - 1; i >= 0; i--)
		crash_ago(p, &w,
		    PAST_LAST + i * s->app_pool.rapid_fail_interval / crashes);
}
