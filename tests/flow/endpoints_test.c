/* Every URL of NDES: status, type, words. */
#include "support/test.h"

#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "support/device.h"
#include "support/server.h"
#include "support/tcp.h"
#include "support/web.h"

#define DLL "/certsrv/mscep/mscep.dll"
#define IIS_10 "Microsoft-IIS/10.0"

/* What an answer looks like from outside. */
enum look {
	CAPS,
	CERTS,
	FORBIDDEN,
	GENERAL,
	ADMIN,
	ADMIN_SECRET,
	ADMIN_FREE,
	ADMIN_FORBIDDEN,
	NOTHING,
	UNAUTHORIZED,
	NOT_FOUND,
	NOT_ALLOWED,
	MOVED,
};
static const struct {
	long status;
	const char *type, *words;
	bool wide; /* UTF-16LE */
} looks[] = {
	[CAPS] = { 200, "text/plain", "POSTPKIOperation\nRenewal\n", false },
	[CERTS] = { 200, "application/x-x509-ca-ra-cert", "\x30\x82", false },
	[FORBIDDEN] = { 403, "text/html; charset=utf-8",
	    "HTTP Error 403.0 - Forbidden", false },
	[GENERAL] = { 200, "text/html",
	    "Network Device Enrollment Service allows you to obtain "
	    "certificates",
	    true },
	[ADMIN] = { 200, "text/html",
	    "The enrollment challenge password is: <B> ", true },
	[ADMIN_SECRET] = { 200, "text/html",
	    "password is: <B> SECRET </B> </P><P> This password can be used "
	    "multiple times and will not expire. ",
	    true },
	[ADMIN_FREE] = { 200, "text/html",
	    "No enrollment challenge password is required.", true },
	[ADMIN_FORBIDDEN] = { 200, "text/html",
	    "You do not have sufficient permission to enroll with SCEP.  "
	    "Please contact your system administrator.",
	    true },
	[UNAUTHORIZED] = { 401, "text/html",
	    "401 - Unauthorized: Access is denied due to invalid credentials.",
	    false },
	[NOTHING] = { 200, "", "", false },
	[NOT_FOUND] = { 404, "text/html", "404 - File or directory not found.",
	    false },
	[NOT_ALLOWED] = { 405, "text/html",
	    "405 - HTTP verb used to access this page is not allowed.", false },
	[MOVED] = { 301, "text/html; charset=UTF-8", "Object Moved", false },
};

/* What Microsoft's Validate-NDESConfiguration.ps1 sends. */
#define FAKE "NDESLongUrlValidatorFakeChallenge"
#define FAKE4 FAKE FAKE FAKE FAKE
#define FAKE16 FAKE4 FAKE4 FAKE4 FAKE4
#define LONG_FAKE FAKE16 FAKE16 FAKE16 FAKE16 FAKE16

static const struct row {
	const char *method, *target;
	enum look look;
} rows[] = {
	{ "GET", DLL "?operation=GetCACaps", CAPS },
	{ "GET", DLL "?operation=GetCACaps&message=", CAPS },
	{ "GET", DLL "?operation=GetCACaps&message=ca", CAPS },
	{ "GET", DLL "?operation=GetCACaps&message=%00%ff+&&=", CAPS },
	{ "GET", DLL "?message=default&operation=GetCACaps", CAPS },
	{ "GET", DLL "?OPERATION=getcacaps", CAPS },
	{ "GET", DLL "/pkiclient.exe?operation=GetCACaps&message=default",
	    CAPS },
	{ "GET", DLL "/a/b.c/d?operation=GetCACaps", CAPS },
	{ "GET", DLL "/?operation=GetCACaps", CAPS },
	{ "GET", "/CertSrv/MSCEP/MsCep.DLL?operation=GetCACaps", CAPS },
	{ "GET", "/certsrv/%6Dscep/mscep.dll?operation=GetCACaps", CAPS },
	{ "GET", "/certsrv/mscep/?operation=GetCACaps", CAPS },
	{ "GET", "/certsrv/mscep?operation=GetCACaps&message=test", CAPS },
	{ "GET", "/certsrv/mscep_admin/?operation=GetCACaps", CAPS },
	{ "GET", "/certsrv/mscep_admin/mscep.dll?operation=GetCACaps", CAPS },
	{ "GET", DLL "?operation=GetCACert", CERTS },
	{ "GET", DLL "?operation=GetCACert&message=", CERTS },
	{ "GET", DLL "?operation=GetCACert&message=anything", CERTS },
	{ "GET", DLL "/pkiclient.exe?operation=GetCACert", CERTS },
	{ "GET", "/certsrv/mscep/?operation=GetCACert", CERTS },
	{ "GET", DLL "?operation=GetCACerts&message=test", CERTS },
	{ "GET", DLL, FORBIDDEN },
	{ "GET", DLL "/pkiclient.exe", FORBIDDEN },
	{ "GET", DLL "?operation=", FORBIDDEN },
	{ "GET", DLL "?operation=GetNextCACert", FORBIDDEN },
	{ "GET", DLL "?nonsense", FORBIDDEN },
	{ "GET", "/certsrv/mscep/", FORBIDDEN },
	{ "GET", "/certsrv/mscep?", FORBIDDEN },
	{ "GET", "/certsrv/mscep_admin/", ADMIN },
	{ "GET", "/certsrv/mscep_admin/mscep.dll", ADMIN },
	{ "GET", "/CERTSRV/MSCEP_ADMIN/", ADMIN },
	{ "GET", DLL "?operation=PKIOperation", GENERAL },
	{ "GET", DLL "?operation=PKIOperation&message=", GENERAL },
	{ "GET", DLL "?operation=PKIOperation&message=%%%", GENERAL },
	{ "GET", DLL "?operation=PKIOperation&message=AAAA", GENERAL },
	{ "GET", DLL "?operation=PKIOperation&message=" FAKE, GENERAL },
	{ "GET", DLL "?operation=PKIOperation&message=" LONG_FAKE, GENERAL },
	{ "POST", DLL "?operation=PKIOperation", GENERAL },
	{ "POST", DLL "/pkiclient.exe?operation=PKIOperation", GENERAL },
	{ "POST", "/certsrv/mscep?operation=PKIOperation", GENERAL },
	{ "GET", "/", NOT_FOUND },
	{ "GET", "/certsrv", NOT_FOUND },
	{ "GET", "/certsrv/", NOT_FOUND },
	{ "GET", "/certsrv/mscep.dll", NOT_FOUND },
	{ "GET", "/certsrv/mscep/mscep.dllx", NOT_FOUND },
	{ "GET", "/certsrv/mscep/other", NOT_FOUND },
	{ "GET", "/certsrv/mscepx/mscep.dll", NOT_FOUND },
	{ "GET", "/certsrv/mscep_admin/other", NOT_FOUND },
	{ "POST", "/elsewhere?operation=PKIOperation", NOT_FOUND },
	{ "PUT", DLL, NOT_ALLOWED },
	{ "DELETE", DLL "?operation=GetCACaps", NOT_ALLOWED },
	{ "OPTIONS", "/certsrv/mscep/", NOT_ALLOWED },
	{ "PATCH", "/certsrv/mscep_admin/", NOT_ALLOWED },
	{ "FROBNICATE", DLL, NOT_ALLOWED },
	{ "GET", "/certsrv/mscep", MOVED },
	{ "GET", "/certsrv/mscep_admin", MOVED },
	{ "GET", "/CertSrv/Mscep_Admin", MOVED },
};

static bool
says(const struct web_reply *reply, enum look look)
{
	const char *words = looks[look].words;
	struct buffer text;
	bool found;

	if (look == NOTHING)
		return reply->body.len == 0;
	if (!looks[look].wide)
		return memmem(reply->body.data, reply->body.len, words,
			   strlen(words)) != NULL;
	found = web_page_text(reply, &text) &&
	    strstr((char *)text.data, words) != NULL;
	buffer_free(&text);
	return found;
}

static void
looks_like(const struct server *s, const char *method, const char *target,
    enum look look)
{
	struct web_request request = { .method = method };
	struct buffer url = { 0 };
	struct web_reply reply;

	buffer_printf(&url, "%s%s", s->base, target);
	buffer_add_byte(&url, 0);
	request.url = (char *)url.data;
	if (strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0) {
		request.body = "this is no message";
		request.length = strlen(request.body);
	}
	if (!web_ask(&request, &reply) || reply.status != looks[look].status ||
	    strcmp(reply.content_type, looks[look].type) != 0 ||
	    strcmp(reply.server, IIS_10) != 0 || !says(&reply, look))
		fail_msg("%s %.80s: %ld \"%s\" \"%s\" %.80s", method, target,
		    reply.status, reply.content_type, reply.server,
		    (char *)reply.body.data);
	web_reply_clear(&reply);
	buffer_free(&url);
}

static void
each_url_answers_as_ndes_does(void **state)
{
	static const char *const room[] = { "server.mscep.challenge.cache=100",
		NULL };
	struct server s;

	(void)state;
	server_start(&s, &(struct server_options){ .set = room });
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		looks_like(&s, rows[i].method, rows[i].target, rows[i].look);
	server_stop(&s);
}

static void
without_the_policy_module_a_browser_sees_the_general_page(void **state)
{
	static const char *const none[] = {
		"server.policy_module.installed=false", NULL
	};
	struct server s;

	(void)state;
	server_start(&s, &(struct server_options){ .set = none });
	looks_like(&s, "GET", DLL, GENERAL);
	looks_like(&s, "GET", DLL "?operation=GetNextCACert", GENERAL);
	looks_like(&s, "GET", "/certsrv/mscep/", GENERAL);
	looks_like(&s, "GET", DLL "?operation=GetCACaps", CAPS);
	server_stop(&s);
}

static void
capabilities_are_sent_as_they_are_set(void **state)
{
	static const char *const set[] = {
		"server.mscep.capabilities=[AES, SHA-256]",
		"server.mscep.capabilities_separator=crlf",
		"server.mscep.capabilities_final_newline=true",
		"server.mscep.capabilities_content_type=\"\"", NULL
	};
	struct web_reply reply;
	struct server s;
	char url[SERVER_URL_SIZE];

	(void)state;
	server_start(&s, &(struct server_options){ .set = set });
	assert_true(
	    web_get(server_url(url, s.base, "operation=GetCACaps"), &reply));
	assert_string_equal((char *)reply.body.data, "AES\r\nSHA-256\r\n");
	assert_string_equal(reply.content_type, "");
	web_reply_clear(&reply);
	server_stop(&s);
}

static void
what_is_not_accepted_is_no_message(void **state)
{
	static const char *const no_post[] = { "server.mscep.accept.post=false",
		"server.mscep.unreadable=empty", NULL };
	static const char *const no_get[] = { "server.mscep.accept.get=false",
		"server.mscep.unreadable=empty", NULL };
	static const char get[] = DLL "?operation=PKIOperation&message=AAAA";
	static const char post[] = DLL "?operation=PKIOperation";
	struct server s;

	(void)state;
	server_start(&s, &(struct server_options){ .set = no_post });
	looks_like(&s, "POST", post, GENERAL);
	looks_like(&s, "GET", get, NOTHING);
	looks_like(&s, "GET", DLL "?operation=PKIOperation", GENERAL);
	assert_int_equal(server_use_scenario(&s, no_get), 0);
	looks_like(&s, "POST", post, NOTHING);
	looks_like(&s, "GET", get, GENERAL);
	server_stop(&s);
}

static void
a_folder_without_its_slash_moves_with_its_spelling(void **state)
{
	char url[SERVER_URL_SIZE], wanted[SERVER_URL_SIZE + 1];
	struct web_reply reply;
	struct server s;

	(void)state;
	server_start(&s, NULL);
	snprintf(url, sizeof(url), "%s/CertSrv/mscep_ADMIN", s.base);
	snprintf(wanted, sizeof(wanted), "%s/", url);
	assert_true(web_get(url, &reply));
	assert_string_equal(reply.location, wanted);
	web_reply_clear(&reply);
	server_stop(&s);
}

static void
the_sixth_unused_password_is_not_given_out(void **state)
{
	struct web_reply reply;
	struct buffer text;
	struct server s;

	(void)state;
	server_start(&s, NULL);
	for (int i = 0; i < 5; i++)
		looks_like(&s, "GET", SERVER_ADMIN_PATH, ADMIN);
	assert_true(web_get(s.admin, &reply));
	assert_int_equal(reply.status, 200);
	assert_true(web_page_text(&reply, &text));
	assert_non_null(
	    strstr((char *)text.data, "The password cache is full."));
	assert_null(strstr((char *)text.data, looks[ADMIN].words));
	buffer_free(&text);
	web_reply_clear(&reply);
	/* Each of the five is worth an hour. */
	server_advance_clock(&s, 61 * 60);
	looks_like(&s, "GET", SERVER_ADMIN_PATH, ADMIN);
	server_stop(&s);
}

#define SECRET "server.mscep.challenge.password=SECRET"

static void
the_admin_page_is_that_of_the_mode(void **state)
{
	static const struct {
		const char *set[3];
		enum look look;
	} modes[] = {
		{ { SECRET, "server.mscep.challenge.mode=single", NULL },
		    ADMIN_SECRET },
		{ { SECRET, "server.mscep.challenge.mode=static", NULL },
		    ADMIN_SECRET },
		{ { "server.mscep.challenge.mode=none", NULL }, ADMIN_FREE },
		{ { "server.mscep.admin.permission=false", NULL },
		    ADMIN_FORBIDDEN },
		{ { "server.mscep.challenge.mode=one-time", NULL }, ADMIN },
	};
	struct web_request head = { .method = "HEAD" };
	struct web_reply reply;
	struct server s;

	(void)state;
	server_start(&s, NULL);
	for (size_t i = 0; i < COUNT_OF(modes); i++) {
		assert_int_equal(server_use_scenario(&s, modes[i].set), 0);
		for (int n = 0; n < 5; n++)
			looks_like(&s, "GET", SERVER_ADMIN_PATH, modes[i].look);
		head.url = s.admin;
		assert_true(web_ask(&head, &reply));
		assert_int_equal(reply.status, 200);
		assert_int_equal(reply.body.len, 0);
		web_reply_clear(&reply);
	}
	server_stop(&s);
}

static void
the_admin_site_asks_for_basic_credentials(void **state)
{
	static const char *const set[] = {
		"server.mscep.admin.authentication=basic",
		"server.mscep.admin.user=admin",
		"server.mscep.admin.password=secret", NULL
	};
	/* admin:secret, admin:wrong */
	static const char *const good[] = { "Authorization: Basic "
					    "YWRtaW46c2VjcmV0",
		NULL };
	static const char *const bad[] = { "Authorization: Basic "
					   "YWRtaW46d3Jvbmc=",
		NULL };
	struct web_request request = { .method = "GET" };
	struct web_reply reply;
	struct server s;

	(void)state;
	server_start(&s, &(struct server_options){ .set = set });
	looks_like(&s, "GET", SERVER_ADMIN_PATH, UNAUTHORIZED);
	looks_like(&s, "POST", SERVER_ADMIN_PATH, UNAUTHORIZED);
	looks_like(&s, "GET", "/certsrv/mscep_admin", UNAUTHORIZED);
	looks_like(&s, "GET", DLL "?operation=GetCACaps", CAPS);
	request.url = s.admin;
	request.headers = bad;
	assert_true(web_ask(&request, &reply));
	assert_int_equal(reply.status, 401);
	web_reply_clear(&reply);
	request.headers = good;
	assert_true(web_ask(&request, &reply));
	assert_int_equal(reply.status, 200);
	assert_true(says(&reply, ADMIN));
	web_reply_clear(&reply);
	server_stop(&s);
}

/* Five passwords would fill the cache. */
static void
a_head_of_the_admin_page_costs_no_password(void **state)
{
	static const char head[] = "HEAD " SERVER_ADMIN_PATH " HTTP/1.1\r\n"
				   "Host: ndes.example\r\n\r\n";
	char length[16], wanted[16];
	struct web_reply reply;
	struct answer a;
	struct server s;
	int fd;

	(void)state;
	server_start(&s, NULL);
	fd = tcp_connect(s.base);
	for (int i = 0; i < 10; i++) {
		assert_true(tcp_send_text(fd, head));
		assert_true(answer_read(fd, false, &a));
		assert_int_equal(a.status, 200);
		assert_non_null(answer_header(&a, "Content-Length", length,
		    sizeof(length)));
		answer_clear(&a);
	}
	close(fd);
	assert_true(web_get(s.admin, &reply));
	assert_true(says(&reply, ADMIN));
	snprintf(wanted, sizeof(wanted), "%zu", reply.body.len);
	assert_string_equal(length, wanted);
	web_reply_clear(&reply);
	for (int i = 0; i < 4; i++)
		looks_like(&s, "GET", SERVER_ADMIN_PATH, ADMIN);
	server_stop(&s);
}

static void
the_server_header_tells_the_windows(void **state)
{
	static const struct {
		const char *set, *server;
	} versions[] = {
		{ "server.windows=2008r2", "Microsoft-IIS/7.5" },
		{ "server.windows=2012", "Microsoft-IIS/8.0" },
		{ "server.windows=2012r2", "Microsoft-IIS/8.5" },
		{ "server.windows=2025", IIS_10 },
	};
	const char *set[2] = { NULL, NULL };
	struct web_reply reply;
	struct server s;

	(void)state;
	server_start(&s, NULL);
	for (size_t i = 0; i < COUNT_OF(versions); i++) {
		set[0] = versions[i].set;
		assert_int_equal(server_use_scenario(&s, set), 0);
		assert_true(web_get(s.url, &reply));
		assert_string_equal(reply.server, versions[i].server);
		web_reply_clear(&reply);
	}
	server_stop(&s);
}

/* What clients choose the recipient by (ndes-facts 2.3). */
static void
get_ca_cert_holds_a_ca_and_two_ras_that_it_has_issued(void **state)
{
	static const uint32_t usages[] = { KU_DIGITAL_SIGNATURE,
		KU_KEY_ENCIPHERMENT };
	STACK_OF(X509) * ca_certs;
	struct server s;
	EVP_PKEY *ca_key;
	X509 *ra;

	(void)state;
	server_start(&s, NULL);
	ca_certs = device_ca_certs(s.url);
	assert_int_equal(sk_X509_num(ca_certs), 3);
	ca_key = X509_get0_pubkey(device_ca(ca_certs));
	assert_int_equal(X509_verify(device_ca(ca_certs), ca_key), 1);
	for (size_t i = 0; i < COUNT_OF(usages); i++) {
		ra = device_ra(ca_certs, usages[i]);
		assert_non_null(ra);
		assert_int_equal(X509_verify(ra, ca_key), 1);
		assert_true(X509_cmp_current_time(X509_get0_notBefore(ra)) < 0);
		assert_true(X509_cmp_current_time(X509_get0_notAfter(ra)) > 0);
	}
	device_ca_certs_free(ca_certs);
	server_stop(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_url_answers_as_ndes_does),
		cmocka_unit_test(
		    without_the_policy_module_a_browser_sees_the_general_page),
		cmocka_unit_test(capabilities_are_sent_as_they_are_set),
		cmocka_unit_test(what_is_not_accepted_is_no_message),
		cmocka_unit_test(
		    a_folder_without_its_slash_moves_with_its_spelling),
		cmocka_unit_test(the_sixth_unused_password_is_not_given_out),
		cmocka_unit_test(the_admin_page_is_that_of_the_mode),
		cmocka_unit_test(the_admin_site_asks_for_basic_credentials),
		cmocka_unit_test(a_head_of_the_admin_page_costs_no_password),
		cmocka_unit_test(the_server_header_tells_the_windows),
		cmocka_unit_test(
		    get_ca_cert_holds_a_ca_and_two_ras_that_it_has_issued),
	};

	web_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
