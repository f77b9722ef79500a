/* What a site does with a state directory, by its clock, and with a switch. */
#include "unit/rows.h"
#include "unit/state.h"

#include <pthread.h>

#include "site/site.h"

#define CRLS_AT_ONCE 8

struct fixture {
	char dir[FILE_PATH_SIZE];
	struct state_dir *state; /* NULL: in memory */
	struct key_set *keys;	 /* of the state, or the authority's */
	struct sites *sites;
	struct exchange ex; /* one that has begun */
};

static struct scenario *
scenario_with(const char *const list[], size_t count)
{
	const struct scenario_options options = { list, count, NULL };
	struct scenario *scenario;
	struct errors errors = { 0 };

	if (scenario_find("healthy", &options, &scenario, &errors) == -1)
		fail_msg("%s", errors.list[0].text);
	return scenario;
}

static void
begin(struct fixture *f)
{
	const struct door door = { .sites = f->sites };

	exchange_init(&f->ex);
	site_begin_unasked(&door, &f->ex);
}

static void
end(struct fixture *f)
{
	site_commit(&f->ex);
	exchange_clear(&f->ex);
}

/* Without credentials yet. */
static void
open_fresh(struct fixture *f, const char *const list[], size_t count)
{
	const struct sites_options options = {
		.keys = f->keys = f->state != NULL ? state_dir_keys(f->state) :
						     key_set_ref(ra.keys),
		.crypto = ra.crypto,
		.state = f->state,
	};
	struct scenario *scenario = scenario_with(list, count);
	struct site *site = NULL;
	struct error err = { 0 };

	if (sites_new(&f->sites, &options, &err) == -1 ||
	    site_make(f->sites, SITE_DEFAULT, scenario, &site, &err) != SITE_OK)
		fail_msg("%s", err.text);
	site_unref(site);
	scenario_free(scenario);
	begin(f);
}

static void
open_sites(struct fixture *f, const char *const list[], size_t count)
{
	open_fresh(f, list, count);
	assert_int_equal(site_catch_up(&f->ex), 0);
}

static void
close_sites(struct fixture *f)
{
	end(f);
	sites_free(f->sites);
	key_set_free(f->keys);
}

static void
open_kept(struct fixture *f)
{
	f->state = state_open(f->dir);
	open_sites(f, NULL, 0);
}

static void
close_kept(struct fixture *f)
{
	close_sites(f);
	state_dir_close(f->state);
	f->state = NULL;
}

static X509_CRL *
make_crl(struct exchange *ex)
{
	struct error err = { 0 };
	const uint8_t *at;
	X509_CRL *crl;
	struct blob der;

	if (site_make_crl(ex, &der, &err) == -1)
		return NULL;
	at = der.data;
	crl = d2i_X509_CRL(NULL, &at, (long)der.len);
	blob_free(&der);
	return crl;
}

/* 0: there is none. */
static long
number_of(X509_CRL *crl)
{
	ASN1_INTEGER *n = crl == NULL ?
	    NULL :
	    X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL, NULL);
	long number = n == NULL ? 0 : ASN1_INTEGER_get(n);

	ASN1_INTEGER_free(n);
	X509_CRL_free(crl);
	return number;
}

static void *
ask_for_crl(void *cls)
{
	struct fixture *f = cls;
	const struct door door = { .sites = f->sites };
	struct exchange ex;
	uintptr_t number;

	exchange_init(&ex);
	site_begin_unasked(&door, &ex);
	number = (uintptr_t)number_of(make_crl(&ex));
	site_commit(&ex);
	exchange_clear(&ex);
	return (void *)number;
}

/* RFC 5280 5.2.3 */
static void
no_crl_has_the_number_of_another(void **state)
{
	struct fixture f = { 0 };
	pthread_t threads[CRLS_AT_ONCE];
	unsigned seen = 0;
	struct buffer said;
	void *number;

	(void)state;
	dir_make(f.dir);
	open_kept(&f);
	assert_int_equal(number_of(make_crl(&f.ex)), 1);
	assert_int_equal(number_of(make_crl(&f.ex)), 2);
	for (int i = 0; i < CRLS_AT_ONCE; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, ask_for_crl,
				     &f),
		    0);
	for (int i = 0; i < CRLS_AT_ONCE; i++) {
		assert_int_equal(pthread_join(threads[i], &number), 0);
		assert_in_range((uintptr_t)number, 3, 2 + CRLS_AT_ONCE);
		assert_false(seen >> (uintptr_t)number & 1);
		seen |= 1U << (uintptr_t)number;
	}
	close_kept(&f);
	state_shell(f.dir,
	    "openssl crl -CAfile ca.pem -in crl.pem -noout -crlnumber && "
	    "cat crlnumber && openssl ca -config openssl.cnf -gencrl "
	    "-out crl.pem && cat crlnumber",
	    0, &said);
	assert_non_null(strstr((char *)said.data, "verify OK"));
	assert_non_null(strstr((char *)said.data, "crlNumber=0x0A\n0B\n"));
	assert_non_null(strstr((char *)said.data, "\n0C\n"));
	buffer_free(&said);
	open_kept(&f);
	assert_int_equal(number_of(make_crl(&f.ex)), 12);
	close_kept(&f);
	dir_remove(f.dir);
}

/* How many a CRL made now has. */
static int
count_revoked(struct fixture *f)
{
	X509_CRL *crl = make_crl(&f->ex);
	int count;

	assert_non_null(crl);
	count = sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl));
	X509_CRL_free(crl);
	return count == -1 ? 0 : count;
}

/* OpenSSL 3.0 could not read it in index.txt. */
#define PRIVILEGE_WITHDRAWN 9

static void
what_the_disk_refuses_is_not_revoked(void **state)
{
	struct fixture f = { 0 };
	struct state_issued i;
	struct error err = { 0 };
	struct site *site = NULL;
	struct span serial;

	(void)state;
	dir_make(f.dir);
	f.state = state_open(f.dir);
	state_add(f.state, 4, &i);
	open_sites(&f, NULL, 0);
	site = site_default(f.sites);
	serial = span_of(i.serial, CA_SERIAL_SIZE);
	assert_int_equal(site_revoke(site, serial, PRIVILEGE_WITHDRAWN, &err),
	    -1);
	assert_int_equal(count_revoked(&f), 0);
	assert_int_equal(site_revoke(site, serial, CA_REASON_KEY_COMPROMISE,
			     &err),
	    0);
	assert_int_equal(count_revoked(&f), 1);
	blob_free(&i.der);
	close_kept(&f);
	open_kept(&f);
	assert_int_equal(count_revoked(&f), 1);
	close_kept(&f);
	dir_remove(f.dir);
}

/* Each way of `openssl ca -revoke` to say why. */
static const struct way {
	const char *row, *option;
	int reason; /* on our CRL */
} ways[] = {
	{ "without a reason", "", -1 },
	{ "unspecified", "-crl_reason unspecified", -1 },
	{ "keyCompromise", "-crl_reason keyCompromise", 1 },
	{ "cessationOfOperation", "-crl_reason cessationOfOperation", 5 },
	{ "certificateHold", "-crl_reason certificateHold", 6 },
	{ "removeFromCRL", "-crl_reason removeFromCRL", -1 },
	{ "on hold", "-crl_hold holdInstructionReject", 6 },
	{ "compromised at", "-crl_compromise 20260101000000Z", 1 },
	{ "CA compromised at", "-crl_CA_compromise 20260101000000Z", 2 },
};

static void
starts_after_openssl_has_revoked(void **state)
{
	const struct way *t = *state;
	struct fixture f = { 0 };
	struct state_issued i;
	struct buffer said;
	X509_REVOKED *entry;
	X509_CRL *crl;
	char line[256];

	dir_make(f.dir);
	f.state = state_open(f.dir);
	state_add(f.state, 4, &i);
	state_dir_close(f.state);
	blob_free(&i.der);
	snprintf(line, sizeof(line),
	    "openssl ca -config openssl.cnf -revoke newcerts/%s.pem %s", i.text,
	    t->option);
	state_shell(f.dir, line, 0, &said);
	buffer_free(&said);
	open_kept(&f);
	assert_non_null(crl = make_crl(&f.ex));
	assert_int_equal(sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl)), 1);
	entry = sk_X509_REVOKED_value(X509_CRL_get_REVOKED(crl), 0);
	if (t->reason == -1) {
		assert_int_equal(X509_REVOKED_get_ext_count(entry), 0);
	} else {
		ASN1_ENUMERATED *reason = X509_REVOKED_get_ext_d2i(entry,
		    NID_crl_reason, NULL, NULL);

		assert_non_null(reason);
		assert_int_equal(ASN1_ENUMERATED_get(reason), t->reason);
		ASN1_ENUMERATED_free(reason);
	}
	X509_CRL_free(crl);
	close_kept(&f);
	dir_remove(f.dir);
}

#define DAY 86400

/* Of the CA of this exchange. */
static unsigned
generation(const struct fixture *f)
{
	return f->ex.snapshot->credentials->shape.generation;
}

static void
advance(struct fixture *f, int64_t seconds)
{
	clock_advance(site_clock(site_default(f->sites)), seconds);
}

/* An exchange begins in the loop, where nothing else goes on meanwhile. */
static void
beginning_makes_no_ca(void **state)
{
	static const char *const set[] = { "server.ca.rollover_after=1d" };
	struct fixture f = { 0 };

	(void)state;
	open_sites(&f, set, 1);
	assert_false(site_is_behind(&f.ex));
	advance(&f, DAY);
	end(&f);
	begin(&f);
	assert_int_equal(generation(&f), 0);
	assert_true(site_is_behind(&f.ex));
	site_catch_up(&f.ex);
	assert_int_equal(generation(&f), 1);
	assert_false(site_is_behind(&f.ex));
	end(&f);
	begin(&f);
	assert_int_equal(generation(&f), 1);
	close_sites(&f);
}

static int
use(struct fixture *f, const char *const list[], size_t count,
    struct error *err)
{
	struct scenario *scenario = scenario_with(list, count);
	int ret = site_use_scenario(site_default(f->sites), scenario, err);

	scenario_free(scenario);
	end(f);
	begin(f);
	site_catch_up(&f->ex);
	return ret;
}

/* Who needs no certificate waits for none, unless they may be out of time. */
static const struct doubt {
	const char *row, *set; /* or NULL */
	int64_t after;	       /* seconds */
	bool doubted;
} doubts[] = {
	{ "at once", NULL, 0, false },
	{ "after some months", NULL, 300 * DAY, false },
	{ "after years", NULL, 400 * DAY, true },
	{ "an RA that ends", "server.ra.signing.not_after=30d", 0, true },
	{ "an RA that begins", "server.ra.encryption.not_before=-1d", 0, true },
	{ "an RA of another use", "server.ra.signing.key_usage=both", 0,
	    false },
};

static void
doubts_ras(void **state)
{
	const struct doubt *t = *state;
	struct fixture f = { 0 };

	open_fresh(&f, &t->set, t->set != NULL);
	advance(&f, t->after);
	end(&f);
	begin(&f);
	assert_null(f.ex.snapshot->credentials);
	assert_int_equal(site_doubts_ras(&f.ex), t->doubted);
	assert_int_equal(site_catch_up(&f.ex), 0);
	assert_false(site_doubts_ras(&f.ex));
	close_sites(&f);
}

/* The next CA is announced by one scenario; then another takes its place. */
static const struct change {
	const char *row, *first, *second[2];
	size_t count;
	int64_t after; /* seconds, between announcement and switch */
	unsigned generation;
} changes[] = {
	{ "sooner than announced", "server.ca.rollover_after=10y",
	    { "server.ca.rollover_after=1d" }, 1, DAY, 1 },
	{ "later than announced", "server.ca.rollover_after=1d",
	    { "server.ca.rollover_after=10y" }, 1, DAY / 2, 0 },
	{ "not any more", "server.ca.rollover_after=1d", { NULL }, 0, DAY / 2,
	    0 },
	{ "with another key, after it", "server.ca.rollover_after=1d",
	    { "server.ca.rollover_after=10y", "server.ca.key=ec-p256" }, 2, DAY,
	    1 },
};

static void
no_ca_is_in_use_before_its_time(void **state)
{
	const struct change *t = *state;
	struct credentials *next;
	const struct x509 *ca;
	struct fixture f = { 0 };
	struct error err = { 0 };

	open_sites(&f, &t->first, 1);
	assert_int_equal(site_next_ca(&f.ex, &next, &err), 0);
	credentials_free(next);
	advance(&f, t->after);
	end(&f);
	begin(&f);
	site_catch_up(&f.ex);
	assert_int_equal(use(&f, t->second, t->count, &err), 0);
	assert_int_equal(generation(&f), t->generation);
	ca = &f.ex.snapshot->credentials->certs[CA_ISSUING];
	assert_true(ca->not_before <= f.ex.at);
	assert_true(f.ex.at < ca->not_after);
	close_sites(&f);
}

/* What index.txt could not hold, a switch must not lead to either. */
static const struct foreign {
	const char *row, *set;
	int result;
} foreigns[] = {
	{ "another key", "server.ca.key=ec-p256", -1 },
	{ "a root above", "server.ca.tiers=2", -1 },
	{ "a rollover", "server.ca.rollover_after=1d", -1 },
	{ "nothing about the CA", "server.windows=2016", 0 },
};

static void
a_kept_ca_stays(void **state)
{
	const struct foreign *t = *state;
	struct fixture f = { 0 };
	struct credentials *kept;
	struct error err = { 0 };

	dir_make(f.dir);
	open_kept(&f);
	kept = site_credentials(site_default(f.sites), &err);
	assert_int_equal(use(&f, &t->set, 1, &err), t->result);
	advance(&f, 2 * DAY);
	end(&f);
	begin(&f);
	site_catch_up(&f.ex);
	assert_ptr_equal(f.ex.snapshot->credentials, kept);
	credentials_free(kept);
	close_kept(&f);
	dir_remove(f.dir);
}

/* A certificate by the CA of now, kept. The caller frees out->der. */
static void
issue(struct fixture *f, struct state_issued *out)
{
	struct error err = { 0 };
	uint8_t subject[32];

	assert_int_equal(state_issue(f->ex.snapshot->credentials, 4,
			     state_subject(4, subject), f->ex.at, out),
	    0);
	assert_int_equal(site_keep_certificate(&f->ex, blob_span(&out->der),
			     &err),
	    0);
}

/* Nobody renews with a certificate of the CA or of an RA. */
static void
the_own_renew_nobody(void **state)
{
	struct fixture f = { 0 };
	struct state_issued out;
	struct x509 cert;

	(void)state;
	open_sites(&f, NULL, 0);
	issue(&f, &out);
	assert_int_equal(x509_read(blob_span(&out.der), &cert), 0);
	assert_int_equal(site_judge_signer(&f.ex, &cert), REFUSAL_NONE);
	for (int role = 0; role < CA_ROLES; role++)
		assert_int_equal(site_judge_signer(&f.ex,
				     &f.ex.snapshot->credentials->certs[role]),
		    REFUSAL_RENEWAL_SIGNER);
	blob_free(&out.der);
	close_sites(&f);
}

#define YEAR (365 * DAY)

/* What server.mscep.repeat=same gives out a second time. */
static void
is_the_same_again(void **state)
{
	const struct x509 none = { 0 };
	struct fixture f = { 0 };
	struct state_issued i;
	struct blob found = { NULL, 0 };
	struct x509 cert;
	struct error err = { 0 };

	(void)state;
	open_sites(&f, NULL, 0);
	issue(&f, &i);
	assert_int_equal(x509_read(blob_span(&i.der), &cert), 0);
	assert_true(site_certificate_of_key(&f.ex, cert.spki, &none, &found));
	assert_octets(blob_span(&found), i.der.data, i.der.len);
	blob_free(&found);
	/* Who signs with it wants a new one for the same key. */
	assert_false(site_certificate_of_key(&f.ex, cert.spki, &cert, &found));
	f.ex.at += YEAR;
	assert_false(site_certificate_of_key(&f.ex, cert.spki, &none, &found));
	f.ex.at -= YEAR;
	assert_int_equal(site_revoke(site_default(f.sites), cert.serial,
			     CA_REASON_UNSPECIFIED, &err),
	    0);
	assert_false(site_certificate_of_key(&f.ex, cert.spki, &none, &found));
	blob_free(&i.der);
	close_sites(&f);
}

/* IssuerAndSerialNumber is the name of a certificate: both parts count. */
static void
is_found_by_its_issuer(void **state)
{
	static const char *const set[] = { "server.ca.rollover_after=1d" };
	struct fixture f = { 0 };
	struct state_issued i;
	struct credentials *before;
	struct blob found = { NULL, 0 };
	struct span serial, old;
	struct error err = { 0 };

	(void)state;
	open_sites(&f, set, 1);
	issue(&f, &i);
	serial = span_of(i.serial, CA_SERIAL_SIZE);
	before = site_credentials(site_default(f.sites), &err);
	old = before->certs[CA_ISSUING].subject;
	for (int rolled = 0; rolled < 2; rolled++) {
		const struct x509 *ca =
		    &f.ex.snapshot->credentials->certs[CA_ISSUING];

		assert_true(site_find_certificate(&f.ex, old, serial, &found));
		assert_octets(blob_span(&found), i.der.data, i.der.len);
		blob_free(&found);
		assert_int_equal(site_find_certificate(&f.ex, ca->subject,
				     serial, &found),
		    rolled == 0);
		blob_free(&found);
		assert_true(site_find_certificate(&f.ex, ca->issuer, ca->serial,
		    &found));
		blob_free(&found);
		advance(&f, DAY);
		end(&f);
		begin(&f);
		site_catch_up(&f.ex);
	}
	credentials_free(before);
	blob_free(&i.der);
	close_sites(&f);
}

/* Its scenario stays, though it gets the CA that all others have by now. */
static void
a_rollover_switches_no_scenario(void **state)
{
	static const char *const before[] = { "server.ca.rollover_after=1d",
		"server.windows=2016" };
	static const char *const after[] = { "server.ca.rollover_after=1d" };
	struct fixture f = { 0 };
	struct scenario *other = scenario_with(after, 1);
	struct credentials *now;
	struct error err = { 0 };

	(void)state;
	open_sites(&f, before, 2);
	advance(&f, DAY);
	end(&f);
	begin(&f);
	assert_int_equal(site_use_scenario(site_default(f.sites), other, &err),
	    0);
	site_catch_up(&f.ex);
	assert_int_equal(f.ex.snapshot->state.windows, WINDOWS_2016);
	assert_int_equal(f.ex.snapshot->credentials->shape.generation, 1);
	now = credentials_ref(f.ex.snapshot->credentials);
	end(&f);
	begin(&f);
	site_catch_up(&f.ex);
	assert_int_equal(f.ex.snapshot->state.windows, other->state.windows);
	assert_ptr_equal(f.ex.snapshot->credentials, now);
	credentials_free(now);
	scenario_free(other);
	close_sites(&f);
}

static int
prepare(void **state)
{
	(void)state;
	state_set_up();
	return 0;
}

static int
clean(void **state)
{
	(void)state;
	state_tear_down();
	return 0;
}

int
main(void)
{
	static const struct table tables[] = {
		ROWS(doubts_ras, doubts),
		ONE(no_crl_has_the_number_of_another,
		    "no CRL has the number of another"),
		ONE(what_the_disk_refuses_is_not_revoked,
		    "what the disk refuses is not revoked"),
		ROWS(starts_after_openssl_has_revoked, ways),
		ONE(the_own_renew_nobody, "CA and RAs renew nobody"),
		ONE(beginning_makes_no_ca, "beginning makes no CA"),
		ROWS(no_ca_is_in_use_before_its_time, changes),
		ROWS(a_kept_ca_stays, foreigns),
		ONE(a_rollover_switches_no_scenario,
		    "a rollover switches no scenario"),
		ONE(is_the_same_again, "the same certificate again"),
		ONE(is_found_by_its_issuer,
		    "a certificate is found by its own issuer"),
	};

	return ROWS_RUN(tables, prepare, clean);
}
