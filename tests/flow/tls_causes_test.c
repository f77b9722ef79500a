/* What each setting of server.tls looks like to OpenSSL and to curl. */
#include "support/test.h"

#include <curl/curl.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "support/device.h"
#include "support/files.h"
#include "support/server.h"
#include "support/tls.h"

#define HANG_MS 300 /* that a client waits for one that hangs */
#define PATIENCE_MS 30000
#define DAY 86400
#define ALERT(number) (SSL_AD_REASON_OFFSET + (number))
#define GET_CAPS                                        \
	"GET " SERVER_SCEP_PATH "?operation=GetCACaps " \
	"HTTP/1.1\r\nHost: x\r\n\r\n"

static struct fixture {
	struct server server;
	struct device device; /* the signer is the client's certificate */
	char dir[FILE_PATH_SIZE], ca[FILE_PATH_SIZE];
} fixture;

static int
prepare(void **state)
{
	struct fixture *f = *state = &fixture;
	STACK_OF(X509) * certs;
	FILE *file;

	web_start();
	assert_true(device_make(&f->device));
	path_in(f->ca, dir_make(f->dir), "ca.pem");
	server_start(&f->server,
	    &(struct server_options){ .tls = true, .scenario_dir = f->dir });
	certs = device_ca_certs(f->server.url);
	assert_non_null(file = fopen(f->ca, "w"));
	assert_int_equal(PEM_write_X509(file, device_ca(certs)), 1);
	fclose(file);
	device_ca_certs_free(certs);
	return 0;
}

static int
clear(void **state)
{
	struct fixture *f = *state;

	server_stop(&f->server);
	device_clear(&f->device);
	dir_remove(f->dir);
	return 0;
}

/* "certificate=expired" and another, or NULL. */
static void
use(struct server *s, const char *one, const char *two)
{
	char texts[2][80];
	const char *set[3] = { texts[0], two == NULL ? NULL : texts[1], NULL };

	snprintf(texts[0], sizeof(texts[0]), "server.tls.%s", one);
	if (two != NULL)
		snprintf(texts[1], sizeof(texts[1]), "server.tls.%s", two);
	assert_int_equal(server_use_scenario(s, set), 0);
}

static size_t
drop_body(char *data, size_t one, size_t len, void *cls)
{
	(void)data, (void)cls;
	return one * len;
}

/* What the command would exit with. */
static CURLcode
ask_by_curl(const struct fixture *f, long wait_ms)
{
	CURL *curl = curl_easy_init();
	char url[SERVER_URL_SIZE];
	CURLcode code;

	server_url(url, f->server.tls_base, "operation=GetCACaps");
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_CAINFO, f->ca);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, wait_ms);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, drop_body);
	code = curl_easy_perform(curl);
	curl_easy_cleanup(curl);
	return code;
}

/* A certificate is what it ought to be, or has one flaw. */
static const struct flaw {
	const char *one, *two;
	long verified; /* by OpenSSL, for the address asked */
	CURLcode curl;
} flaws[] = {
	{ "certificate=good", NULL, X509_V_OK, CURLE_OK },
	{ "certificate=expired", NULL, X509_V_ERR_CERT_HAS_EXPIRED,
	    CURLE_PEER_FAILED_VERIFICATION },
	{ "certificate=not-yet-valid", NULL, X509_V_ERR_CERT_NOT_YET_VALID,
	    CURLE_PEER_FAILED_VERIFICATION },
	{ "certificate=wrong-host", NULL, X509_V_ERR_IP_ADDRESS_MISMATCH,
	    CURLE_PEER_FAILED_VERIFICATION },
	{ "certificate=self-signed", NULL,
	    X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT,
	    CURLE_PEER_FAILED_VERIFICATION },
	{ "certificate=untrusted", NULL, X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN,
	    CURLE_PEER_FAILED_VERIFICATION },
	/* 20 and then 21 of s_client; it keeps the last. */
	{ "chain=incomplete", NULL, X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE,
	    CURLE_PEER_FAILED_VERIFICATION },
	{ "certificate=untrusted", "chain=incomplete",
	    X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE,
	    CURLE_PEER_FAILED_VERIFICATION },
	{ "certificate=good", "versions=tls1.2", X509_V_OK, CURLE_OK },
	{ "certificate=expired", "versions=tls1.2", X509_V_ERR_CERT_HAS_EXPIRED,
	    CURLE_PEER_FAILED_VERIFICATION },
};

static void
a_certificate_has_its_flaw(void **state)
{
	const struct flaw *t = *state;
	struct fixture *f = &fixture;
	const struct tls_client_options options = { .ca = f->ca,
		.host = "127.0.0.1" };
	struct tls_client c;

	use(&f->server, t->one, t->two);
	assert_true(tls_connect(&c, f->server.tls_url, &options));
	if (c.verified != t->verified)
		fail_msg("%ld: %s", c.verified,
		    X509_verify_cert_error_string(c.verified));
	tls_close(&c);
	assert_int_equal(ask_by_curl(f, 15000), t->curl);
}

/* By the site's clock as by the client's. */
static void
a_flaw_stays_when_the_clock_goes_on(void **state)
{
	struct fixture *f = &fixture;

	(void)state;
	for (int i = 0; i < 3; i++) {
		for (size_t j = 0; j < 3; j++) {
			use(&f->server, flaws[j].one, NULL);
			assert_int_equal(ask_by_curl(f, 15000), flaws[j].curl);
		}
		server_advance_clock(&f->server, 20 * DAY);
	}
}

static const struct version {
	const char *set;
	int newest; /* of the client */
	bool is_old;
	int got;    /* 0: none */
	int reason; /* OpenSSL's, then */
} versions[] = {
	{ "versions=modern", 0, false, TLS1_3_VERSION, 0 },
	{ "versions=modern", TLS1_2_VERSION, false, TLS1_2_VERSION, 0 },
	{ "versions=modern", TLS1_1_VERSION, true, 0,
	    ALERT(SSL_AD_PROTOCOL_VERSION) },
	{ "versions=tls1.0", 0, true, TLS1_VERSION, 0 },
	{ "versions=tls1.0", TLS1_VERSION, true, TLS1_VERSION, 0 },
	{ "versions=tls1.1", 0, true, TLS1_1_VERSION, 0 },
	{ "versions=tls1.1", TLS1_VERSION, true, 0,
	    ALERT(SSL_AD_PROTOCOL_VERSION) },
	{ "versions=tls1.2", 0, false, TLS1_2_VERSION, 0 },
	{ "versions=tls1.3", 0, false, TLS1_3_VERSION, 0 },
	{ "versions=tls1.3", TLS1_2_VERSION, false, 0,
	    ALERT(SSL_AD_PROTOCOL_VERSION) },
};

static void
a_version_is_spoken_or_refused(void **state)
{
	const struct version *t = *state;
	struct fixture *f = &fixture;
	const struct tls_client_options options = { .ca = f->ca,
		.newest = t->newest,
		.is_old = t->is_old };
	struct tls_client c;
	struct answer a;

	use(&f->server, t->set, NULL);
	tls_connect(&c, f->server.tls_url, &options);
	assert_int_equal(c.shaken ? SSL_version(c.ssl) : 0, t->got);
	if (!c.shaken) {
		assert_int_equal(c.reason, t->reason);
	} else {
		assert_int_equal(c.verified, X509_V_OK);
		assert_true(tls_send_text(&c, GET_CAPS));
		assert_true(tls_read_answer(&c, &a));
		assert_int_equal(a.status, 200);
		answer_clear(&a);
	}
	tls_close(&c);
}

/* One that is not told to speak with the old. */
static void
a_client_of_today_refuses_old_versions(void **state)
{
	static const char *const old[] = { "versions=tls1.0",
		"versions=tls1.1" };
	struct fixture *f = &fixture;
	struct tls_client c;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(old); i++) {
		use(&f->server, old[i], NULL);
		assert_false(tls_connect(&c, f->server.tls_url, NULL));
		tls_close(&c);
		assert_int_equal(ask_by_curl(f, 15000),
		    CURLE_SSL_CONNECT_ERROR);
	}
}

static const struct asking {
	const char *set;
	int newest; /* of the client */
	bool has_cert, was_asked;
	int status; /* of the answer; 0: none */
	int reason; /* then */
} askings[] = {
	{ "client_certificate=none", 0, true, false, 200, 0 },
	{ "client_certificate=asked", 0, false, true, 200, 0 },
	{ "client_certificate=asked", 0, true, true, 200, 0 },
	{ "client_certificate=asked", TLS1_2_VERSION, false, true, 200, 0 },
	{ "client_certificate=required", 0, true, true, 200, 0 },
	{ "client_certificate=required", TLS1_2_VERSION, true, true, 200, 0 },
	{ "client_certificate=required", 0, false, true, 0,
	    SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED },
	{ "client_certificate=required", TLS1_2_VERSION, false, true, 0,
	    ALERT(SSL_AD_HANDSHAKE_FAILURE) },
};

static void
a_certificate_is_asked_of_the_client(void **state)
{
	const struct asking *t = *state;
	struct fixture *f = &fixture;
	const struct tls_client_options options = { .newest = t->newest,
		.cert = t->has_cert ? f->device.signer : NULL,
		.key = f->device.key };
	struct tls_client c;
	struct answer a = { 0 };

	use(&f->server, t->set, NULL);
	if (tls_connect(&c, f->server.tls_url, &options)) {
		/* TLS 1.3 lets it begin before it has been refused. */
		tls_send_text(&c, GET_CAPS);
		tls_read_answer(&c, &a);
	}
	assert_int_equal(c.was_asked, t->was_asked);
	assert_int_equal(a.status, t->status);
	if (t->status == 0)
		assert_int_equal(c.reason, t->reason);
	answer_clear(&a);
	tls_close(&c);
}

static const struct handshake_row {
	const char *set;
	enum tls_end end;
	CURLcode curl, or_curl;
} handshakes[] = {
	{ "handshake=hang", TLS_SILENT, CURLE_OPERATION_TIMEDOUT,
	    CURLE_OPERATION_TIMEDOUT },
	{ "handshake=hang-after-hello", TLS_SILENT, CURLE_OPERATION_TIMEDOUT,
	    CURLE_OPERATION_TIMEDOUT },
	/* The reset may come before the kernel says that it has connected. */
	{ "handshake=reset", TLS_RESET, CURLE_SSL_CONNECT_ERROR,
	    CURLE_COULDNT_CONNECT },
	{ "handshake=reset-after-hello", TLS_RESET, CURLE_SSL_CONNECT_ERROR,
	    CURLE_SSL_CONNECT_ERROR },
};

static void
wait_until_gone(const struct server *s)
{
	int64_t until = clock_ticks_ms() + PATIENCE_MS;

	while (http_connections(s->http) > 0 && clock_ticks_ms() < until)
		poll(NULL, 0, 2);
	assert_int_equal(http_connections(s->http), 0);
}

static void
a_handshake_hangs_or_is_reset(void **state)
{
	const struct handshake_row *t = *state;
	struct fixture *f = &fixture;
	const struct tls_client_options options = { .wait_ms = HANG_MS };
	struct tls_client c;
	CURLcode code;

	use(&f->server, t->set, NULL);
	assert_false(tls_connect(&c, f->server.tls_url, &options));
	if (c.end != t->end)
		fail_msg("end %d, reason %d", c.end, c.reason);
	/* Without TLS all is well. */
	assert_true(tcp_is_served(f->server.base));
	tls_close(&c);
	code = ask_by_curl(f, t->end == TLS_SILENT ? HANG_MS : 15000);
	if (code != t->curl && code != t->or_curl)
		fail_msg("curl %d", code);
	wait_until_gone(&f->server);
}

/* At the accept nothing is read, so that the client's octets stay there. */
static void
a_hang_ends_when_the_client_leaves(void **state)
{
	static const char *const hangs[] = { "handshake=hang",
		"handshake=hang-after-hello" };
	struct fixture *f = &fixture;
	const struct tls_client_options options = { .wait_ms = 1 };
	struct tls_client clients[20];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(hangs); i++) {
		use(&f->server, hangs[i], NULL);
		for (size_t j = 0; j < COUNT_OF(clients); j++)
			tls_connect(&clients[j], f->server.tls_url, &options);
		assert_true(tcp_is_served(f->server.base));
		for (size_t j = 0; j < COUNT_OF(clients); j++)
			if (j % 2 == 0)
				tls_close(&clients[j]);
			else
				tls_abort(&clients[j]);
		wait_until_gone(&f->server);
	}
}

static void
write_scenario(const struct fixture *f, const char *name, const char *setting)
{
	char file[80], path[FILE_PATH_SIZE], text[200];

	snprintf(file, sizeof(file), "%s.yaml", name);
	snprintf(text, sizeof(text),
	    "mockndes: 1\nname: %s\nserver: {tls: {%s}}\n", name, setting);
	file_write(path_in(path, f->dir, file), text, strlen(text));
}

/* The name that the client asks for, and what it then gets. */
static const struct naming {
	const char *name;
	bool is_in_it; /* the certificate is for this name too */
	long verified;
	enum tls_end end;
} namings[] = {
	{ NULL, true, X509_V_ERR_CERT_NOT_YET_VALID, TLS_OPEN },
	{ "localhost", true, X509_V_ERR_CERT_NOT_YET_VALID, TLS_OPEN },
	{ "ndes.example", false, X509_V_ERR_CERT_NOT_YET_VALID, TLS_OPEN },
	{ "unheard-of.test", false, X509_V_ERR_CERT_NOT_YET_VALID, TLS_OPEN },
	{ "../old.test", false, X509_V_ERR_CERT_NOT_YET_VALID, TLS_OPEN },
	{ "old", false, X509_V_ERR_CERT_NOT_YET_VALID, TLS_OPEN },
	{ ".test", false, X509_V_ERR_CERT_NOT_YET_VALID, TLS_OPEN },
	{ "healthy.test", true, X509_V_OK, TLS_OPEN },
	{ "HEALTHY.Test", true, X509_V_OK, TLS_OPEN },
	{ "old.test", true, X509_V_ERR_CERT_HAS_EXPIRED, TLS_OPEN },
	{ "alone.test", true, X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT,
	    TLS_OPEN },
	{ "stuck.test", false, 0, TLS_SILENT },
	{ "cut.test", false, 0, TLS_RESET },
};

static void
a_name_stands_for_a_scenario(void **state)
{
	struct fixture *f = &fixture;
	struct tls_client_options options = { .ca = f->ca, .wait_ms = HANG_MS };
	struct tls_client c;

	(void)state;
	write_scenario(f, "old", "certificate: expired");
	write_scenario(f, "alone", "certificate: self-signed");
	write_scenario(f, "stuck", "handshake: hang");
	write_scenario(f, "cut", "handshake: reset");
	use(&f->server, "certificate=not-yet-valid", NULL);
	for (size_t i = 0; i < COUNT_OF(namings); i++) {
		const struct naming *t = &namings[i];

		options.name = t->name;
		options.host = NULL;
		tls_connect(&c, f->server.tls_url, &options);
		if (c.end != t->end || (c.shaken && c.verified != t->verified))
			fail_msg("%s: %ld, end %d", t->name, c.verified, c.end);
		tls_close(&c);
		if (t->name == NULL || t->end != TLS_OPEN)
			continue;
		/* The host comes first, where it does not fit. */
		options.host = t->name;
		tls_connect(&c, f->server.tls_url, &options);
		if ((SSL_get0_peername(c.ssl) != NULL) != t->is_in_it)
			fail_msg("%s: in the certificate or not", t->name);
		tls_close(&c);
	}
}

static SSL_SESSION *
get_session(struct fixture *f, SSL_SESSION *from, bool *resumed)
{
	const struct tls_client_options options = { .session = from };
	struct tls_client c;
	SSL_SESSION *session;
	struct answer a;

	assert_true(tls_connect(&c, f->server.tls_url, &options));
	*resumed = SSL_session_reused(c.ssl) == 1;
	/* The ticket comes before the answer. */
	assert_true(tls_send_text(&c, GET_CAPS));
	assert_true(tls_read_answer(&c, &a));
	answer_clear(&a);
	session = SSL_get1_session(c.ssl);
	SSL_shutdown(c.ssl);
	tls_close(&c);
	return session;
}

/* Or a client would not notice that the certificate is another. */
static void
a_session_is_resumed_while_nothing_changes(void **state)
{
	static const char *const sets[] = { "versions=modern",
		"versions=tls1.2" };
	struct fixture *f = &fixture;
	SSL_SESSION *sessions[3];
	bool resumed;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(sets); i++) {
		use(&f->server, sets[i], NULL);
		sessions[0] = get_session(f, NULL, &resumed);
		assert_false(resumed);
		sessions[1] = get_session(f, sessions[0], &resumed);
		assert_true(resumed);
		use(&f->server, sets[i], "certificate=expired");
		sessions[2] = get_session(f, sessions[1], &resumed);
		assert_false(resumed);
		for (size_t j = 0; j < COUNT_OF(sessions); j++)
			SSL_SESSION_free(sessions[j]);
	}
}

#define ROWS(list, test)                                \
	for (size_t i = 0; i < COUNT_OF(list); i++)     \
		tests[count++] = (struct CMUnitTest)    \
		{                                       \
			list[i].NAME, test, NULL, NULL, \
			    (void *)(uintptr_t)&list[i] \
		}

int
main(void)
{
	struct CMUnitTest tests[64] = {
		cmocka_unit_test(a_client_of_today_refuses_old_versions),
		cmocka_unit_test(a_hang_ends_when_the_client_leaves),
		cmocka_unit_test(a_name_stands_for_a_scenario),
		cmocka_unit_test(a_session_is_resumed_while_nothing_changes),
	};
	size_t count = 4;
	void *state = NULL;
	int failed;

#define NAME one
	ROWS(flaws, a_certificate_has_its_flaw);
#undef NAME
#define NAME set
	ROWS(versions, a_version_is_spoken_or_refused);
	ROWS(askings, a_certificate_is_asked_of_the_client);
	ROWS(handshakes, a_handshake_hangs_or_is_reset);
#undef NAME
	/* The clock never goes back. */
	tests[count++] = (struct CMUnitTest)cmocka_unit_test(
	    a_flaw_stays_when_the_clock_goes_on);
	prepare(&state);
	failed = _cmocka_run_group_tests("server.tls", tests, count, NULL,
	    NULL);
	clear(&state);
	return failed;
}
