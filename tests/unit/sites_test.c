/* The table of sites: which path leads where, who goes, what a reset leaves. */
#include "unit/authority.h"
#include "unit/exchanges.h"
#include "unit/rows.h"

#include <pthread.h>

#include "site/site.h"

#define MOST 4
#define LABEL64 \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct authority a;

static struct scenario *
scenario_named(const char *name)
{
	struct scenario *scenario;
	struct errors errors = { 0 };

	if (scenario_find(name, NULL, &scenario, &errors) == -1)
		fail_msg("%s", errors.list[0].text);
	return scenario;
}

static struct sites *
open_bounded(unsigned most, size_t octets)
{
	const struct sites_options options = { .keys = a.keys,
		.crypto = a.crypto,
		.most = most,
		.octets = octets };
	struct scenario *healthy = scenario_named("healthy");
	struct sites *sites;
	struct site *site = NULL;
	struct error err = { 0 };

	if (sites_new(&sites, &options, &err) == -1 ||
	    site_make(sites, SITE_DEFAULT, healthy, &site, &err) != SITE_OK)
		fail_msg("%s", err.text);
	site_unref(site);
	scenario_free(healthy);
	return sites;
}

static struct sites *
open_sites(unsigned most)
{
	return open_bounded(most, 0);
}

/* An exchange that has begun, or not; to be ended in any case. */
static enum site_answer
begin(struct sites *sites, const char *target, struct exchange *ex,
    struct error *err)
{
	const struct door door = { .sites = sites };

	exchange_make(ex, "GET", target);
	return site_begin(&door, ex, err);
}

static void
end(struct exchange *ex)
{
	site_commit(ex);
	exchange_clear(ex);
}

static enum site_answer
visit(struct sites *sites, const char *target)
{
	struct exchange ex;
	struct error err = { 0 };
	enum site_answer answer = begin(sites, target, &ex, &err);

	end(&ex);
	return answer;
}

static struct site *
make(struct sites *sites, const char *id)
{
	struct scenario *healthy = scenario_named("healthy");
	struct site *site = NULL;
	struct error err = { 0 };

	if (site_make(sites, id, healthy, &site, &err) != SITE_OK)
		fail_msg("%s", err.text);
	scenario_free(healthy);
	return site;
}

static const struct address_row {
	const char *name, *target;
	enum site_answer answer;
	const char *id, *seen, *path; /* of the site; as the layers see it */
} addresses[] = {
	{ "root", "/certsrv/mscep/mscep.dll?a=b", SITE_OK, "default",
	    "/certsrv/mscep/mscep.dll?a=b", "" },
	{ "nothing", "/", SITE_OK, "default", "/", "" },
	{ "scenario", "/s/healthy/certsrv/mscep/?a", SITE_OK, "healthy",
	    "/certsrv/mscep/?a", "/s/healthy" },
	{ "label", "/s/healthy/x/certsrv/mscep/", SITE_OK, "healthy~x",
	    "/certsrv/mscep/", "/s/healthy/x" },
	{ "longest label", "/s/healthy/" LABEL64 "/", SITE_OK,
	    "healthy~" LABEL64, "/", "/s/healthy/" LABEL64 },
	{ "too long to be one", "/s/healthy/" LABEL64 "0/", SITE_OK, "healthy",
	    "/" LABEL64 "0/", "/s/healthy" },
	{ "all characters", "/s/healthy/aZ9._-/x", SITE_OK, "healthy~aZ9._-",
	    "/x", "/s/healthy/aZ9._-" },
	{ "CERTSRV is no label", "/s/healthy/CertSrv/mscep/", SITE_OK,
	    "healthy", "/CertSrv/mscep/", "/s/healthy" },
	{ "a tilde", "/s/healthy/a~b/x", SITE_OK, "healthy", "/a~b/x",
	    "/s/healthy" },
	{ "escaped", "/s/healthy/a%2e/x", SITE_OK, "healthy", "/a%2e/x",
	    "/s/healthy" },
	{ "no label without its slash", "/s/healthy/favicon.ico", SITE_OK,
	    "healthy", "/favicon.ico", "/s/healthy" },
	{ "no path at all", "/s/healthy", SITE_OK, "healthy", "/",
	    "/s/healthy" },
	{ "a query at once", "/s/healthy?operation=x", SITE_OK, "healthy",
	    "?operation=x", "/s/healthy" },
	{ "two slashes", "/s/healthy//certsrv/", SITE_OK, "healthy",
	    "//certsrv/", "/s/healthy" },
	{ "absolute", "http://a.example/s/healthy/x/certsrv/", SITE_OK,
	    "healthy~x", "/certsrv/", "/s/healthy/x" },
	{ "made", "/t/mine/certsrv/mscep/", SITE_OK, "mine", "/certsrv/mscep/",
	    "/t/mine" },
	{ "a page called s", "/s", SITE_OK, "default", "/s", "" },
	{ "upper case", "/S/healthy/certsrv/", SITE_OK, "default",
	    "/S/healthy/certsrv/", "" },
	{ "unknown scenario", "/s/healthi/certsrv/", SITE_UNKNOWN, NULL, NULL,
	    NULL },
	{ "no scenario", "/s//certsrv/", SITE_UNKNOWN, NULL, NULL, NULL },
	{ "file", "/s/..%2fhealthy/certsrv/", SITE_UNKNOWN, NULL, NULL, NULL },
	{ "parent", "/s/../certsrv/", SITE_UNKNOWN, NULL, NULL, NULL },
	{ "never made", "/t/yours/certsrv/", SITE_UNKNOWN, NULL, NULL, NULL },
	{ "by another way", "/t/healthy/certsrv/", SITE_UNKNOWN, NULL, NULL,
	    NULL },
	{ "default by its id", "/t/default/certsrv/", SITE_UNKNOWN, NULL, NULL,
	    NULL },
	{ "made by another way", "/s/mine/certsrv/", SITE_UNKNOWN, NULL, NULL,
	    NULL },
};

static void
leads_there(void **state)
{
	const struct address_row *t = *state;
	struct sites *sites = open_sites(0);
	struct site *made = make(sites, "mine");
	struct exchange ex, plain;
	struct error err = { 0 };
	char path[SITE_PATH_SIZE];

	visit(sites, "/s/healthy/certsrv/");
	assert_int_equal(begin(sites, t->target, &ex, &err), t->answer);
	if (t->answer == SITE_OK) {
		assert_string_equal(site_id(site_of(&ex)), t->id);
		assert_string_equal(ex.request.target, t->seen);
		assert_string_equal(site_path(site_of(&ex), path), t->path);
		/* As if there had never been a prefix. */
		exchange_make(&plain, "GET", t->seen);
		assert_int_equal(ex.request.path.len, plain.request.path.len);
		assert_memory_equal(ex.request.path.data,
		    plain.request.path.data, plain.request.path.len);
		assert_int_equal(ex.request.query.len, plain.request.query.len);
		assert_int_equal(ex.request.head_size, plain.request.head_size);
		exchange_clear(&plain);
	} else {
		assert_true(strlen(err.text) > 0);
		assert_null(ex.snapshot);
	}
	end(&ex);
	site_unref(made);
	sites_free(sites);
}

/* What has the id of a site that is found elsewhere is no scenario. */
static void
is_told_as_unknown(void **state)
{
	struct sites *sites = open_sites(0);
	struct site *made = make(sites, "healthi");
	struct error err = { 0 };
	struct exchange ex;

	(void)state;
	assert_int_equal(begin(sites, "/s/healthi/certsrv/", &ex, &err),
	    SITE_UNKNOWN);
	assert_string_equal(err.text,
	    "unknown scenario \"healthi\", did you mean \"healthy\"?");
	end(&ex);
	site_unref(made);
	sites_free(sites);
}

static const struct id_row {
	const char *name, *id;
	enum site_answer answer;
} ids[] = {
	{ "good", "my-test.1_A", SITE_OK },
	{ "longest", LABEL64, SITE_OK },
	{ "too long", LABEL64 "x", SITE_BAD_ID },
	{ "empty", "", SITE_BAD_ID },
	{ "dot", ".", SITE_BAD_ID },
	{ "dots", "..", SITE_BAD_ID },
	{ "slash", "a/b", SITE_BAD_ID },
	{ "tilde", "healthy~x", SITE_BAD_ID },
	{ "certsrv", "certsrv", SITE_BAD_ID },
	{ "taken", "mine", SITE_TAKEN },
	{ "default", "default", SITE_TAKEN },
	{ "a scenario's", "caps-empty", SITE_TAKEN },
};

static void
is_judged(void **state)
{
	const struct id_row *t = *state;
	struct sites *sites = open_sites(0);
	struct scenario *healthy = scenario_named("healthy");
	struct site *mine = make(sites, "mine"), *site;
	struct error err = { 0 };

	assert_int_equal(site_make(sites, t->id, healthy, &site, &err),
	    t->answer);
	assert_int_equal(site != NULL, t->answer == SITE_OK);
	assert_int_equal(strlen(err.text) == 0, t->answer == SITE_OK);
	site_unref(site);
	site_unref(mine);
	scenario_free(healthy);
	sites_free(sites);
}

static void
ids_that_nobody_asked_for_differ(void **state)
{
	struct sites *sites = open_sites(0);
	struct site *one = make(sites, NULL), *two = make(sites, NULL);

	(void)state;
	assert_int_equal(strlen(site_id(one)), 32);
	assert_string_not_equal(site_id(one), site_id(two));
	site_unref(one);
	site_unref(two);
	sites_free(sites);
}

/* The default site and three with labels are all that there may be. */
static void
the_least_recently_used_goes(void **state)
{
	struct sites *sites = open_sites(MOST);
	struct sites_count count;
	struct exchange busy;
	struct error err = { 0 };

	(void)state;
	assert_int_equal(begin(sites, "/s/healthy/1/", &busy, &err), SITE_OK);
	assert_int_equal(visit(sites, "/s/healthy/2/"), SITE_OK);
	assert_int_equal(visit(sites, "/s/healthy/3/"), SITE_OK);
	assert_int_equal(visit(sites, "/s/healthy/2/"), SITE_OK);
	/* 1 is oldest, but busy; 3 was used before 2. */
	assert_int_equal(visit(sites, "/s/healthy/4/"), SITE_OK);
	assert_int_equal(visit(sites, "/s/healthy/2/"), SITE_OK);
	assert_int_equal(visit(sites, "/s/healthy/1/"), SITE_OK);
	assert_int_equal(visit(sites, "/s/healthy/3/"), SITE_GONE);
	assert_int_equal(visit(sites, "/t/healthy~3/"), SITE_GONE);
	sites_count(sites, &count);
	assert_int_equal(count.now, MOST);
	assert_int_equal(count.evicted, 1);
	assert_int_equal(count.opened, MOST + 1);
	end(&busy);
	sites_free(sites);
}

static void
who_is_in_use_stays(void **state)
{
	struct sites *sites = open_sites(2);
	struct site *kept;
	struct error err = { 0 };

	(void)state;
	assert_int_equal(visit(sites, "/s/healthy/1/"), SITE_OK);
	assert_int_equal(site_get(sites, "healthy~1", &kept, &err), SITE_OK);
	assert_int_equal(visit(sites, "/s/healthy/2/"), SITE_NO_ROOM);
	site_unref(kept);
	assert_int_equal(visit(sites, "/s/healthy/2/"), SITE_OK);
	/* One without a label never goes. */
	assert_int_equal(visit(sites, "/s/healthy/"), SITE_OK);
	assert_int_equal(visit(sites, "/s/healthy/3/"), SITE_NO_ROOM);
	assert_int_equal(visit(sites, "/s/caps-empty/"), SITE_NO_ROOM);
	sites_free(sites);
}

static void
what_was_deleted_begins_anew(void **state)
{
	struct sites *sites = open_sites(0);
	struct site *site = NULL;
	struct exchange old;
	struct error err = { 0 };

	(void)state;
	assert_int_equal(begin(sites, "/s/healthy/1/", &old, &err), SITE_OK);
	assert_int_equal(site_close(sites, "healthy~1", &err), SITE_OK);
	assert_int_equal(site_get(sites, "healthy~1", &site, &err), SITE_GONE);
	assert_int_equal(site_close(sites, "healthy~1", &err), SITE_GONE);
	assert_int_equal(site_close(sites, "default", &err), SITE_TAKEN);
	assert_int_equal(site_close(sites, "other", &err), SITE_UNKNOWN);
	assert_int_equal(visit(sites, "/s/healthy/1/"), SITE_OK);
	assert_int_equal(site_get(sites, "healthy~1", &site, &err), SITE_OK);
	assert_ptr_not_equal(site, site_of(&old));
	site_unref(site);
	end(&old);
	site_unref(make(sites, "mine"));
	assert_int_equal(site_close(sites, "mine", &err), SITE_OK);
	assert_int_equal(visit(sites, "/t/mine/"), SITE_GONE);
	site_unref(make(sites, "mine"));
	assert_int_equal(visit(sites, "/t/mine/"), SITE_OK);
	sites_free(sites);
}

#define AT_ONCE 8
struct visitor {
	struct sites *sites;
	pthread_barrier_t *ready;
	struct site *site;
	struct credentials *credentials;
};

static void *
visit_at_once(void *cls)
{
	const struct door door = { .sites = ((struct visitor *)cls)->sites };
	struct visitor *v = cls;
	struct exchange ex;
	struct error err = { 0 };

	pthread_barrier_wait(v->ready);
	exchange_make(&ex, "GET", "/s/healthy/shared/");
	if (site_begin(&door, &ex, &err) == SITE_OK &&
	    site_catch_up(&ex) == 0) {
		v->site = site_of(&ex);
		v->credentials = credentials_ref(ex.snapshot->credentials);
	}
	end(&ex);
	return NULL;
}

/* Whoever is first: it is one site, with one CA. */
static void
first_visitors_meet(void **state)
{
	struct visitor visitors[AT_ONCE];
	pthread_t threads[AT_ONCE];
	pthread_barrier_t ready;
	struct sites *sites = open_sites(0);

	(void)state;
	pthread_barrier_init(&ready, NULL, AT_ONCE);
	for (int i = 0; i < AT_ONCE; i++) {
		visitors[i] = (struct visitor){ .sites = sites,
			.ready = &ready };
		assert_int_equal(pthread_create(&threads[i], NULL,
				     visit_at_once, &visitors[i]),
		    0);
	}
	for (int i = 0; i < AT_ONCE; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < AT_ONCE; i++) {
		assert_non_null(visitors[i].credentials);
		assert_ptr_equal(visitors[i].site, visitors[0].site);
		assert_string_equal(visitors[i].credentials->ca_sha256,
		    visitors[0].credentials->ca_sha256);
	}
	for (int i = 0; i < AT_ONCE; i++)
		credentials_free(visitors[i].credentials);
	pthread_barrier_destroy(&ready);
	sites_free(sites);
}

static void
sites_have_cas_of_their_own(void **state)
{
	struct sites *sites = open_sites(0);
	struct site *one = make(sites, "one"), *two = make(sites, "two");
	struct error err = { 0 };
	struct credentials *ca1 = site_credentials(one, &err),
			   *ca2 = site_credentials(two, &err);

	(void)state;
	assert_string_not_equal(ca1->ca_sha256, ca2->ca_sha256);
	credentials_free(ca1);
	credentials_free(ca2);
	site_unref(one);
	site_unref(two);
	sites_free(sites);
}

/* What a reset takes away, and what it leaves. */
static void
is_as_at_its_start(void **state)
{
	static const char *const sets[] = { "iis.error_pages=detailed" };
	struct sites *sites = open_sites(0);
	struct site *site = make(sites, "mine");
	struct journal_filter all = { 0 };
	struct credentials *before, *after;
	struct stack_state now;
	struct errors errors = { 0 };
	struct error err = { 0 };
	char *password;
	int64_t expires;
	struct exchange old, fresh;

	(void)state;
	before = site_credentials(site, &err);
	clock_advance(site_clock(site), 86400);
	assert_int_equal(site_set(site, sets, 1, &errors), 0);
	site_state(site, &now);
	assert_int_equal(now.iis.error_pages, PAGES_DETAILED);
	assert_int_equal(site_challenge(site, 16, &password, &expires),
	    CHALLENGE_MADE);
	assert_int_equal(visit(sites, "/t/mine/"), SITE_OK);
	assert_int_equal(journal_count(site_journal(site), &all), 1);
	assert_int_equal(begin(sites, "/t/mine/", &old, &err), SITE_OK);

	assert_int_equal(site_reset(site, &err), 0);
	site_state(site, &now);
	assert_int_equal(now.iis.error_pages, PAGES_ARTICLE);
	assert_in_range(clock_now(site_clock(site)), time(NULL) - 60,
	    time(NULL) + 60);
	assert_int_equal(journal_count(site_journal(site), &all), 0);
	assert_int_equal(begin(sites, "/t/mine/", &fresh, &err), SITE_OK);
	assert_int_equal(site_spend_challenge(&fresh, password),
	    REFUSAL_WRONG_CHALLENGE);
	after = site_credentials(site, &err);
	assert_string_equal(after->ca_sha256, before->ca_sha256);
	/* What began before it counts no more. */
	assert_int_equal(site_make_challenge(&old, (char[CHALLENGE_SIZE]){ 0 }),
	    CHALLENGE_FAILED);
	assert_int_equal(site_make_challenge(&fresh,
			     (char[CHALLENGE_SIZE]){ 0 }),
	    CHALLENGE_MADE);
	free(password);
	credentials_free(before);
	credentials_free(after);
	end(&old);
	end(&fresh);
	site_unref(site);
	sites_free(sites);
}

/* One certificate more for the site of this path. */
static void
issue(struct sites *sites, const char *target)
{
	const struct x509 *ra = &a.credentials->certs[CA_RA_SIGNING];
	uint8_t serial[CA_SERIAL_SIZE];
	struct exchange ex;
	struct blob der;
	struct error err = { 0 };

	assert_int_equal(begin(sites, target, &ex, &err), SITE_OK);
	assert_int_equal(site_catch_up(&ex), 0);
	assert_int_equal(site_next_serial(&ex, serial), 0);
	assert_int_equal(ca_issue(ex.snapshot->credentials, ra->subject,
			     ra->spki, SPAN_EMPTY,
			     span_of(serial, sizeof(serial)), ex.at, &der,
			     &err),
	    0);
	assert_int_equal(site_keep_certificate(&ex, blob_span(&der), &err), 0);
	blob_free(&der);
	end(&ex);
}

static size_t
count_certificates(struct site *site)
{
	struct site_certificate *list;
	size_t count;

	assert_int_equal(site_list_certificates(site, &list, &count), 0);
	free(list);
	return count;
}

/* Whoever issues when all is taken forgets its own, and nobody else's. */
static void
certificates_are_bounded(void **state)
{
	struct sites *sites = open_bounded(0, 8000);
	struct site *busy = make(sites, "busy"), *quiet = make(sites, "quiet");
	struct error err = { 0 };
	size_t most;

	(void)state;
	issue(sites, "/t/quiet/");
	for (int i = 0; i < 20; i++)
		issue(sites, "/t/busy/");
	most = count_certificates(busy);
	assert_in_range(most, 2, 10);
	assert_int_equal(count_certificates(quiet), 1);
	issue(sites, "/t/busy/");
	assert_in_range(count_certificates(busy), 1, most);
	assert_int_equal(count_certificates(quiet), 1);
	/* A reset makes room. */
	assert_int_equal(site_reset(busy, &err), 0);
	issue(sites, "/t/quiet/");
	issue(sites, "/t/quiet/");
	assert_int_equal(count_certificates(quiet), 3);
	site_unref(busy);
	site_unref(quiet);
	sites_free(sites);
}

static void
settings_that_cannot_be_change_nothing(void **state)
{
	static const char *const sets[] = { "iis.error_pages=detailed",
		"server.iis.eror_pages=remote" };
	struct sites *sites = open_sites(0);
	struct stack_state now;
	struct errors errors = { 0 };
	char text[1024];

	(void)state;
	assert_int_equal(site_set(site_default(sites), sets, 2, &errors), -1);
	errors_print(&errors, text, sizeof(text));
	assert_non_null(strstr(text, "error_pages\"?"));
	errors_clear(&errors);
	site_state(site_default(sites), &now);
	assert_int_equal(now.iis.error_pages, PAGES_ARTICLE);
	sites_free(sites);
}

static int
prepare(void **state)
{
	(void)state;
	a = authority_open();
	return 0;
}

static int
clean(void **state)
{
	(void)state;
	authority_close(&a);
	return 0;
}

int
main(void)
{
	static const struct table tables[] = {
		ROWS(leads_there, addresses),
		ONE(is_told_as_unknown, "made is not a scenario"),
		ROWS(is_judged, ids),
		ONE(ids_that_nobody_asked_for_differ,
		    "ids that nobody asked for differ"),
		ONE(the_least_recently_used_goes,
		    "the least recently used goes, unless it is busy"),
		ONE(who_is_in_use_stays, "who is in use stays"),
		ONE(what_was_deleted_begins_anew,
		    "what was deleted begins anew"),
		ONE(first_visitors_meet, "first visitors meet"),
		ONE(sites_have_cas_of_their_own, "sites have CAs of their own"),
		ONE(is_as_at_its_start, "a reset leads back to the start"),
		ONE(certificates_are_bounded, "certificates are bounded"),
		ONE(settings_that_cannot_be_change_nothing,
		    "settings that cannot be change nothing"),
	};

	return ROWS_RUN(tables, prepare, clean);
}
