/* Sites with ports of their own, and the URLs of all. */
#include "support/test.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "support/ndes.h"
#include "support/tcp.h"

#define DLL "/certsrv/mscep/mscep.dll"
#define HOST "Host: ndes.example\r\n"
#define GET_CAPS "GET " DLL "?operation=GetCACaps HTTP/1.1\r\n" HOST "\r\n"
#define REFUSING \
	"mockndes: 1\nname: test\nfaults:\n  - do: {wire: {refuse: true}}\n"
#define HANGING \
	"mockndes: 1\nname: test\nfaults:\n  - do: {wire: {hang: forever}}\n"
#define HEALTHY "mockndes: 1\nname: test\n"
#define WINDOWS(which) HEALTHY "server: {windows: " which "}\n"
#define PATIENCE_MS 30000
#define CYCLES 2000
#define THREADS 4
#define ROUNDS 100
#define ID_SIZE 32

static struct scenario *
load(const char *yaml)
{
	const struct scenario_options options = { 0 };
	const struct scenario_text text = { span_text(yaml), "test.yaml",
		NULL };
	struct errors errors = { 0 };
	struct scenario *scenario;
	char said[1024];

	if (scenario_parse(&text, &options, &scenario, &errors) == -1)
		fail_msg("%s", errors_print(&errors, said, sizeof(said)));
	return scenario;
}

/* A reference. */
static struct site *
make_site(struct server *s, const char *id, const char *yaml)
{
	struct scenario *scenario = load(yaml);
	struct error err = { 0 };
	struct site *site;

	if (site_make(s->sites, id, scenario, &site, &err) != SITE_OK)
		fail_msg("%s: %s", id, err.text);
	scenario_free(scenario);
	return site;
}

static void
use_yaml(struct server *s, struct site *site, const char *yaml)
{
	struct scenario *scenario = load(yaml);
	struct error err = { 0 };

	assert_int_equal(site_use_scenario(site, scenario, &err), 0);
	scenario_free(scenario);
	http_look(s->http);
}

/* Its base URL. */
static char *
open_door(struct server *s, struct site *site, unsigned port,
    char url[DOORS_URL_SIZE])
{
	struct error err = { 0 };

	if (doors_open(s->doors, site, port, &err) != SITE_OK)
		fail_msg("%s: %s", site_id(site), err.text);
	return doors_url(s->doors, site, url);
}

/* A site that is open, on any port. */
static struct site *
open_site(struct server *s, const char *id, const char *yaml,
    char url[DOORS_URL_SIZE])
{
	struct site *site = make_site(s, id, yaml);

	open_door(s, site, 0, url);
	return site;
}

static void
close_site(struct server *s, const char *id)
{
	struct error err = { 0 };

	if (doors_close_site(s->doors, id, &err) != SITE_OK)
		fail_msg("%s: %s", id, err.text);
}

static void
assert_not_opened(struct server *s, struct site *site, unsigned port,
    enum site_answer wanted, const char *why)
{
	struct error err = { 0 };
	enum site_answer answer = doors_open(s->doors, site, port, &err);

	if (answer != wanted || strstr(err.text, why) == NULL)
		fail_msg("port %u: %d, %s", port, (int)answer, err.text);
}

static bool
is_refused(const char *url)
{
	int fd = tcp_connect(url);

	if (fd == -1)
		return errno == ECONNREFUSED;
	close(fd);
	return false;
}

static void
assert_server_header(const char *url, const char *wanted)
{
	struct answer a;
	char server[64];

	assert_true(answer_ask(url, GET_CAPS, &a));
	assert_int_equal(a.status, 200);
	assert_non_null(answer_header(&a, "Server", server, sizeof(server)));
	assert_string_equal(server, wanted);
	answer_clear(&a);
}

static unsigned
start_with_range(struct server *s, unsigned count)
{
	unsigned first = tcp_free_ports(count);

	assert_int_not_equal(first, 0);
	server_start(s,
	    &(struct server_options){ .first_port = first,
		.last_port = first + count - 1 });
	return first;
}

/* They come to it once their clients have all of their answers. */
static bool
has_exchanges(struct site *site, uint64_t count)
{
	const struct journal_filter all = { 0 };
	struct journal_entry *last = journal_wait(site_journal(site), count - 1,
	    &all, PATIENCE_MS);

	journal_entry_free(last);
	return last != NULL && journal_last(site_journal(site)) == count;
}

static void
each_has_its_own(void **state)
{
	char one[DOORS_URL_SIZE], two[DOORS_URL_SIZE], path[256];
	struct site *a, *b;
	struct answer answer;
	struct server s;

	(void)state;
	server_start(&s, NULL);
	a = open_site(&s, "one", WINDOWS("2008r2"), one);
	b = open_site(&s, "two", WINDOWS("2012r2"), two);
	assert_string_not_equal(one, two);
	assert_server_header(one, "Microsoft-IIS/7.5");
	assert_server_header(two, "Microsoft-IIS/8.5");
	assert_server_header(s.base, "Microsoft-IIS/10.0");
	/* It is found on the shared port as well. */
	snprintf(path, sizeof(path),
	    "GET /t/one" DLL "?operation=GetCACaps HTTP/1.1\r\n" HOST "\r\n");
	assert_true(answer_ask(s.base, path, &answer));
	assert_int_equal(answer.status, 200);
	answer_clear(&answer);
	/* No other one is found on this port. */
	assert_true(answer_ask(two, path, &answer));
	assert_int_equal(answer.status, 404);
	answer_clear(&answer);
	assert_true(has_exchanges(a, 2));
	assert_true(has_exchanges(b, 2));
	assert_true(has_exchanges(site_default(s.sites), 1));
	site_unref(a);
	site_unref(b);
	server_stop(&s);
	assert_true(is_refused(one));
}

static void
a_device_enrols_there(void **state)
{
	char url[DOORS_URL_SIZE], dll[DOORS_URL_SIZE + sizeof(DLL)];
	struct device_answer answer;
	STACK_OF(X509) * certs;
	struct device device;
	struct server s;

	(void)state;
	server_start(&s, &(struct server_options){ .challenge = "lasting" });
	site_unref(open_site(&s, "one", HEALTHY, url));
	snprintf(dll, sizeof(dll), "%s%s", url, DLL);
	certs = device_ca_certs(dll);
	assert_true(device_make(&device));
	if (!device_enrol(&device, dll, "lasting", certs, &answer))
		fail_msg("%s", answer.why);
	assert_non_null(answer.certificate);
	device_answer_clear(&answer);
	device_clear(&device);
	device_ca_certs_free(certs);
	server_stop(&s);
}

/* Nobody gets in, and the next one gets the port. */
static void
a_closed_one_is_refused(void **state)
{
	char url[DOORS_URL_SIZE], other[DOORS_URL_SIZE];
	struct error err = { 0 };
	struct site *site;
	struct server s;
	unsigned port;

	(void)state;
	server_start(&s, NULL);
	site = open_site(&s, "one", HEALTHY, url);
	port = site_port(site);
	assert_true(tcp_is_served(url));
	close_site(&s, "one");
	assert_true(is_refused(url));
	assert_int_equal(site_port(site), 0);
	assert_not_opened(&s, site, 0, SITE_GONE, "\"one\" was closed");
	assert_int_equal(doors_close_site(s.doors, "one", &err), SITE_GONE);
	site_unref(site);
	site = make_site(&s, "one", WINDOWS("2008r2"));
	open_door(&s, site, port, other);
	assert_string_equal(other, url);
	assert_server_header(url, "Microsoft-IIS/7.5");
	site_unref(site);
	server_stop(&s);
}

static void
some_cannot_be_closed(void **state)
{
	struct error err = { 0 }, unknown = { 0 };
	struct server s;

	(void)state;
	server_start(&s, NULL);
	assert_int_equal(doors_close_site(s.doors, SITE_DEFAULT, &err),
	    SITE_TAKEN);
	assert_int_equal(doors_close_site(s.doors, "nobody", &unknown),
	    SITE_UNKNOWN);
	assert_true(tcp_is_served(s.base));
	server_stop(&s);
}

static void
a_range_has_an_end(void **state)
{
	char url[DOORS_URL_SIZE], text[64];
	struct site *sites[3], *late;
	struct server s;
	unsigned first;

	(void)state;
	first = start_with_range(&s, 3);
	for (unsigned i = 0; i < 3; i++) {
		snprintf(text, sizeof(text), "site-%u", i);
		sites[i] = open_site(&s, text, HEALTHY, url);
		assert_int_equal(site_port(sites[i]), first + i);
		assert_true(tcp_is_served(url));
	}
	late = make_site(&s, "late", HEALTHY);
	snprintf(text, sizeof(text), "no port from %u to %u is free: close",
	    first, first + 2);
	assert_not_opened(&s, late, 0, SITE_NO_ROOM, text);
	assert_int_equal(site_port(late), 0);
	close_site(&s, "site-1");
	open_door(&s, late, 0, url);
	assert_int_equal(site_port(late), first + 1);
	assert_true(tcp_is_served(url));
	for (unsigned i = 0; i < 3; i++)
		site_unref(sites[i]);
	site_unref(late);
	server_stop(&s);
}

/* The next one does not meet the clients of the last one. */
static void
ports_of_a_range_go_round(void **state)
{
	char url[DOORS_URL_SIZE];
	struct site *site;
	struct server s;
	unsigned first;

	(void)state;
	first = start_with_range(&s, 3);
	for (unsigned i = 0; i < 7; i++) {
		site = open_site(&s, "x", HEALTHY, url);
		assert_int_equal(site_port(site), first + i % 3);
		close_site(&s, "x");
		site_unref(site);
	}
	server_stop(&s);
}

static void
ports_of_others_are_passed_over(void **state)
{
	char url[DOORS_URL_SIZE], text[64];
	struct site *a, *b;
	struct server s;
	unsigned first;
	int fd;

	(void)state;
	first = start_with_range(&s, 2);
	assert_int_not_equal(fd = tcp_take_port(first), -1);
	a = open_site(&s, "a", HEALTHY, url);
	assert_int_equal(site_port(a), first + 1);
	assert_true(tcp_is_served(url));
	b = make_site(&s, "b", HEALTHY);
	snprintf(text, sizeof(text), "port %u: Address already in use", first);
	assert_not_opened(&s, b, 0, SITE_NO_ROOM, text);
	assert_not_opened(&s, b, first, SITE_TAKEN, text);
	close(fd);
	open_door(&s, b, first, url);
	assert_true(tcp_is_served(url));
	site_unref(a);
	site_unref(b);
	server_stop(&s);
}

static void
a_port_can_be_chosen(void **state)
{
	char url[DOORS_URL_SIZE];
	struct site *a, *b;
	struct server s;
	unsigned port;

	(void)state;
	server_start(&s, NULL);
	port = tcp_free_ports(1);
	a = make_site(&s, "a", HEALTHY);
	b = make_site(&s, "b", HEALTHY);
	open_door(&s, a, port, url);
	assert_int_equal(site_port(a), port);
	assert_true(tcp_is_served(url));
	assert_not_opened(&s, a, 0, SITE_TAKEN,
	    "site \"a\" has a port of its own already");
	assert_not_opened(&s, b, port, SITE_TAKEN, "another site has port");
	assert_not_opened(&s, b, (unsigned)atoi(strrchr(s.base, ':') + 1),
	    SITE_TAKEN, "the one that all sites share");
	assert_not_opened(&s, b, 65536, SITE_BAD_ID, "they go up to 65535");
	assert_true(tcp_is_served(url));
	site_unref(a);
	site_unref(b);
	server_stop(&s);
}

static void
a_chosen_port_is_of_the_range(void **state)
{
	char url[DOORS_URL_SIZE], text[64];
	struct site *site;
	struct server s;
	unsigned first;

	(void)state;
	first = start_with_range(&s, 2);
	site = make_site(&s, "x", HEALTHY);
	snprintf(text, sizeof(text), "is not from %u to %u", first, first + 1);
	assert_not_opened(&s, site, first - 1, SITE_BAD_ID, text);
	assert_not_opened(&s, site, first + 2, SITE_BAD_ID, text);
	open_door(&s, site, first + 1, url);
	assert_int_equal(site_port(site), first + 1);
	assert_true(tcp_is_served(url));
	site_unref(site);
	server_stop(&s);
}

static void
a_scenario_closes_its_port(void **state)
{
	char url[DOORS_URL_SIZE], other[DOORS_URL_SIZE];
	struct site *a, *b, *c;
	struct server s;

	(void)state;
	server_start(&s, NULL);
	a = open_site(&s, "a", HEALTHY, url);
	b = open_site(&s, "b", HEALTHY, other);
	c = make_site(&s, "c", HEALTHY);
	for (int i = 0; i < 3; i++) {
		use_yaml(&s, a, REFUSING);
		assert_true(is_refused(url));
		assert_true(tcp_is_served(other));
		assert_true(tcp_is_served(s.base));
		use_yaml(&s, a, HEALTHY);
		assert_true(tcp_is_served(url));
	}
	/* It is still its own. */
	use_yaml(&s, a, REFUSING);
	assert_not_opened(&s, c, site_port(a), SITE_TAKEN, "another site");
	/* A shared port is the default site's to close. */
	use_yaml(&s, site_default(s.sites), REFUSING);
	assert_true(is_refused(s.base));
	assert_true(tcp_is_served(other));
	use_yaml(&s, a, HEALTHY);
	assert_true(tcp_is_served(url));
	use_yaml(&s, a, REFUSING);
	close_site(&s, "a");
	assert_true(is_refused(url));
	site_unref(a);
	site_unref(b);
	site_unref(c);
	server_stop(&s);
}

/* Where the port is shared, it is a reset, and nobody else sees it. */
static void
a_path_is_reset(void **state)
{
	static const char *const paths[] = { "/t/x", "/s/connection-refused",
		"/s/connection-refused/mine" };
	struct buffer got;
	char request[256];
	struct server s;
	int fd;

	(void)state;
	server_start(&s, NULL);
	site_unref(make_site(&s, "x", REFUSING));
	http_look(s.http);
	for (size_t i = 0; i < COUNT_OF(paths); i++) {
		snprintf(request, sizeof(request),
		    "GET %s" DLL "?operation=GetCACaps HTTP/1.1\r\n" HOST
		    "\r\n",
		    paths[i]);
		assert_int_not_equal(fd = tcp_connect(s.base), -1);
		assert_true(tcp_send_text(fd, request));
		assert_int_equal(tcp_read_all(fd, &got), TCP_RESET);
		assert_int_equal(got.len, 0);
		buffer_free(&got);
		close(fd);
		http_look(s.http);
		assert_true(tcp_is_served(s.base));
	}
	server_stop(&s);
}

/* Its connections may stay, but nothing is there any more. */
static void
a_connection_outlives_its_site(void **state)
{
	char url[DOORS_URL_SIZE];
	struct site *fresh;
	struct answer a;
	struct server s;
	int fd;

	(void)state;
	server_start(&s, NULL);
	site_unref(open_site(&s, "x", HEALTHY, url));
	assert_int_not_equal(fd = tcp_connect(url), -1);
	assert_true(tcp_send_text(fd, GET_CAPS));
	assert_true(answer_read(fd, true, &a));
	assert_int_equal(a.status, 200);
	answer_clear(&a);
	close_site(&s, "x");
	/* Not even if there is another one of this name. */
	fresh = make_site(&s, "x", HEALTHY);
	for (int i = 0; i < 2; i++) {
		assert_true(tcp_send_text(fd, GET_CAPS));
		assert_true(answer_read(fd, true, &a));
		assert_int_equal(a.status, 410);
		assert_string_equal((char *)a.body.data,
		    "mockndes: the site \"x\" was deleted\n");
		answer_clear(&a);
	}
	assert_int_equal(journal_last(site_journal(fresh)), 0);
	close(fd);
	site_unref(fresh);
	server_stop(&s);
}

/* Waits until so many answers are being held. */
static void
wait_for_held(struct server *s, unsigned count)
{
	int64_t until = clock_ticks_ms() + PATIENCE_MS;

	while (http_held(s->http) != count) {
		assert_true(clock_ticks_ms() < until);
		poll(NULL, 0, 5);
	}
}

static int
ask_one_that_hangs(const char *url, const char *request)
{
	int fd = tcp_connect(url);

	assert_int_not_equal(fd, -1);
	assert_true(tcp_send_text(fd, request));
	return fd;
}

/* At either of its doors; those of others go on. */
static void
what_hangs_ends_with_its_site(void **state)
{
	char url[DOORS_URL_SIZE], other[DOORS_URL_SIZE];
	struct buffer got;
	struct site *site;
	struct server s;
	int fds[2], left;

	(void)state;
	server_start(&s, NULL);
	site = open_site(&s, "x", HANGING, url);
	site_unref(open_site(&s, "y", HANGING, other));
	fds[0] = ask_one_that_hangs(url, GET_CAPS);
	fds[1] = ask_one_that_hangs(s.base,
	    "GET /t/x" DLL " HTTP/1.1\r\n" HOST "\r\n");
	left = ask_one_that_hangs(other, GET_CAPS);
	wait_for_held(&s, 3);
	close_site(&s, "x");
	/* They are over when it is closed. */
	assert_int_equal(journal_last(site_journal(site)), 2);
	for (int i = 0; i < 2; i++) {
		assert_int_not_equal(tcp_read_all(fds[i], &got), TCP_SILENT);
		assert_int_equal(got.len, 0);
		buffer_free(&got);
		close(fds[i]);
	}
	wait_for_held(&s, 1);
	close(left);
	site_unref(site);
	server_stop(&s);
}

static int
descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		count++;
	closedir(dir);
	return count;
}

/* Neither descriptors nor exchanges, which only sites that are left keep. */
static bool
is_as_before(struct server *s, int count)
{
	struct journals_count kept;

	journals_count(sites_journals(s->sites), &kept);
	return kept.entries == 0 && descriptors() == count;
}

/* A range of one: each has to wait for nothing that the last one had. */
static void
none_is_left_of_many(void **state)
{
	char url[DOORS_URL_SIZE];
	struct site *site;
	struct server s;
	int64_t until;
	int before;

	(void)state;
	start_with_range(&s, 1);
	before = descriptors();
	for (int i = 0; i < CYCLES; i++) {
		site = open_site(&s, "x", HEALTHY, url);
		if (i % 100 == 0)
			assert_true(tcp_is_served(url));
		close_site(&s, "x");
		site_unref(site);
	}
	until = clock_ticks_ms() + PATIENCE_MS;
	while (!is_as_before(&s, before) && clock_ticks_ms() < until)
		poll(NULL, 0, 5);
	assert_true(is_as_before(&s, before));
	server_stop(&s);
}

struct opener {
	struct server *server;
	char own[ID_SIZE]; /* nobody else has it */
	const char *shared;
	atomic_int failed;
};

/* Sites of one's own, and one that all of them open and close. */
static void *
open_and_close(void *cls)
{
	struct opener *o = cls;
	struct doors *d = o->server->doors;
	struct scenario *scenario = load(HEALTHY);
	char url[DOORS_URL_SIZE];
	struct site *site;

	for (int i = 0; i < ROUNDS; i++) {
		struct error err = { 0 }, unused = { 0 };

		if (site_make(o->server->sites, o->own, scenario, &site,
			&err) != SITE_OK ||
		    doors_open(d, site, 0, &err) != SITE_OK ||
		    !tcp_is_served(doors_url(d, site, url)) ||
		    !has_exchanges(site, 1) ||
		    doors_close_site(d, o->own, &err) != SITE_OK ||
		    site_port(site) != 0)
			atomic_fetch_add(&o->failed, 1);
		site_unref(site);
		if (site_make(o->server->sites, o->shared, scenario, &site,
			&unused) == SITE_OK ||
		    site_get(o->server->sites, o->shared, &site, &unused) ==
			SITE_OK) {
			doors_open(d, site, 0, &unused);
			doors_close_site(d, o->shared, &unused);
		}
		site_unref(site);
	}
	scenario_free(scenario);
	return NULL;
}

static void
many_open_and_close_at_once(void **state)
{
	/* Its threads go on when a check has failed. */
	static struct opener openers[THREADS];
	static struct server s;
	pthread_t threads[THREADS];
	struct error err = { 0 };
	struct site *site;
	unsigned first;
	char url[64];

	(void)state;
	first = start_with_range(&s, 2 * THREADS);
	for (size_t i = 0; i < THREADS; i++) {
		openers[i] = (struct opener){ .server = &s,
			.shared = "of-all" };
		snprintf(openers[i].own, ID_SIZE, "own-%zu", i);
		assert_int_equal(pthread_create(&threads[i], NULL,
				     open_and_close, &openers[i]),
		    0);
	}
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(atomic_load(&openers[i].failed), 0);
	assert_int_not_equal(site_get(s.sites, "of-all", &site, &err), SITE_OK);
	for (unsigned port = first; port < first + 2 * THREADS; port++) {
		snprintf(url, sizeof(url), "http://127.0.0.1:%u", port);
		assert_true(is_refused(url));
	}
	server_stop(&s);
}

/* What is shown of sites, whatever they can be reached by. */
static const struct {
	const char *at, *public_url; /* NULL: none */
	const char *root, *made, *own, *tls;
} urls[] = {
	{ "127.0.0.1:8080", NULL, "http://127.0.0.1:8080",
	    "http://127.0.0.1:8080/t/x", "http://127.0.0.1:40001",
	    "https://127.0.0.1:8443" },
	{ "[::1]:8080", NULL, "http://[::1]:8080", "http://[::1]:8080/t/x",
	    "http://[::1]:40001", "https://127.0.0.1:8443" },
	{ "0.0.0.0:8080", "http://ndes.example.com", "http://ndes.example.com",
	    "http://ndes.example.com/t/x", "http://ndes.example.com:40001",
	    "https://ndes.example.com:8443" },
	{ "127.0.0.1:8080", "https://ndes.example.com:444/lab//",
	    "https://ndes.example.com:444/lab",
	    "https://ndes.example.com:444/lab/t/x",
	    "https://ndes.example.com:40001", "https://ndes.example.com:8443" },
	{ "127.0.0.1:8080", "HTTP://[2001:db8::1]:80/",
	    "HTTP://[2001:db8::1]:80", "HTTP://[2001:db8::1]:80/t/x",
	    "HTTP://[2001:db8::1]:40001", "https://[2001:db8::1]:8443" },
	{ "127.0.0.1:8080", "http://[2001:db8::1]", "http://[2001:db8::1]",
	    "http://[2001:db8::1]/t/x", "http://[2001:db8::1]:40001",
	    "https://[2001:db8::1]:8443" },
	{ "127.0.0.1:8080", "http://192.0.2.1/a%20b/~c",
	    "http://192.0.2.1/a%20b/~c", "http://192.0.2.1/a%20b/~c/t/x",
	    "http://192.0.2.1:40001", "https://192.0.2.1:8443" },
};

static void
urls_are_shown(void **state)
{
	char url[DOORS_URL_SIZE];
	struct endpoint tls;
	struct error err = { 0 };
	struct site *site;
	struct server s;

	(void)state;
	server_start(&s, NULL);
	site = make_site(&s, "x", HEALTHY);
	assert_int_equal(http_parse_address("127.0.0.1:8443", &tls, &err), 0);
	for (size_t i = 0; i < COUNT_OF(urls); i++) {
		struct doors_options options = { .http = s.http,
			.sites = s.sites,
			.public_url = urls[i].public_url };
		struct doors *d;

		assert_int_equal(http_parse_address(urls[i].at, &options.at,
				     &err),
		    0);
		assert_int_equal(doors_new(&d, &options, &err), 0);
		assert_string_equal(doors_url(d, site_default(s.sites), url),
		    urls[i].root);
		assert_string_equal(doors_url(d, site, url), urls[i].made);
		site_set_port(site, 40001);
		assert_string_equal(doors_url(d, site, url), urls[i].own);
		site_set_port(site, 0);
		assert_string_equal(doors_url_tls(d, &tls, url), urls[i].tls);
		doors_free(d);
	}
	site_unref(site);
	server_stop(&s);
}

static const struct {
	const char *url, *wrong;
} bad_urls[] = {
	{ "", "begins with neither http:// nor https://" },
	{ "ndes.example.com", "begins with neither" },
	{ "http:/ndes.example.com", "begins with neither" },
	{ "ftp://ndes.example.com", "begins with neither" },
	{ "http://", "names no host" },
	{ "http:///lab", "names no host" },
	{ "http://:8080", "names no host" },
	{ "http://[]", "names no host" },
	{ "http://[::1", "names no host" },
	{ "http://[ndes]", "names no host" },
	{ "http://[127.0.0.1]", "names no host" },
	{ "http://[fe80::1%25eth0]", "names no host" },
	{ "http://[1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:c]",
	    "names no host" },
	{ "http://::1:8080", "names no host" },
	{ "http://ndes:0", "has a port that is not from 1 to 65535" },
	{ "http://ndes:", "has a port that is not" },
	{ "http://ndes:65536", "has a port that is not" },
	{ "http://ndes:18446744073709551617", "has a port that is not" },
	{ "http://ndes:80x", "has something other than" },
	{ "http://user@ndes", "has something other than" },
	{ "http://nd\xc3\xa9s", "has something other than" },
	{ "http://ndes/a b", "has something other than" },
	{ "http://ndes/a%2", "has something other than" },
	{ "http://ndes/\"", "has something other than" },
	{ "http://ndes/?a", "has a query or a fragment" },
	{ "http://ndes#a", "has a query or a fragment" },
};

static void
a_bad_public_url_is_told(void **state)
{
	struct doors_options options = { 0 };
	struct doors *d;
	char text[600];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad_urls); i++) {
		struct error err = { 0 };

		options.public_url = bad_urls[i].url;
		if (doors_check_public_url(bad_urls[i].url, &err) != -1 ||
		    strncmp(err.text, "--public-url: \"", 15) != 0 ||
		    strstr(err.text, bad_urls[i].wrong) == NULL ||
		    strstr(err.text, "such as http") == NULL)
			fail_msg("\"%s\": %s", bad_urls[i].url, err.text);
		assert_int_equal(doors_new(&d, &options, &err), -1);
		assert_null(d);
	}
	snprintf(text, sizeof(text), "http://ndes/%0500d", 1);
	assert_int_equal(strlen(text), 512);
	assert_int_equal(doors_check_public_url(text, &(struct error){ 0 }), 0);
	strcat(text, "2");
	assert_int_equal(doors_check_public_url(text, &(struct error){ 0 }),
	    -1);
	snprintf(text, sizeof(text), "http://%0254d", 1);
	assert_int_equal(doors_check_public_url(text, &(struct error){ 0 }),
	    -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_has_its_own),
		cmocka_unit_test(a_device_enrols_there),
		cmocka_unit_test(a_closed_one_is_refused),
		cmocka_unit_test(some_cannot_be_closed),
		cmocka_unit_test(a_range_has_an_end),
		cmocka_unit_test(ports_of_a_range_go_round),
		cmocka_unit_test(ports_of_others_are_passed_over),
		cmocka_unit_test(a_port_can_be_chosen),
		cmocka_unit_test(a_chosen_port_is_of_the_range),
		cmocka_unit_test(a_scenario_closes_its_port),
		cmocka_unit_test(a_path_is_reset),
		cmocka_unit_test(a_connection_outlives_its_site),
		cmocka_unit_test(what_hangs_ends_with_its_site),
		cmocka_unit_test(none_is_left_of_many),
		cmocka_unit_test(many_open_and_close_at_once),
		cmocka_unit_test(urls_are_shown),
		cmocka_unit_test(a_bad_public_url_is_told),
	};

	web_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
