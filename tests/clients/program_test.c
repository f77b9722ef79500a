/* The program as a shell, a supervisor or a container sees it. */
#include "support/test.h"

#include <openssl/pem.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/child.h"
#include "support/device.h"
#include "support/files.h"
#include "support/program.h"
#include "support/tcp.h"

#define WORDS_MAX 8
#define PATIENCE 1000
/* Below a regular file nobody, not even root, can make anything. */
#define IMPOSSIBLE "/proc/version/x"
#define ANYWHERE "--listen", "127.0.0.1:0", "--control", "off"

/* What cannot be meant so is 2, what could not be done is 1. */
static const struct row {
	const char *row, *words[WORDS_MAX], *env[1];
	int status;
	const char *says;
} refusals[] = {
	{ "no command", { NULL }, { NULL }, 2, "no command" },
	{ "unknown command", { "sreve" }, { NULL }, 2,
	    "unknown command \"sreve\"" },
	{ "unknown flag", { "serve", "--lisen", "127.0.0.1:0" }, { NULL }, 2,
	    "unknown flag --lisen, did you mean --listen?" },
	{ "unknown flag with a value", { "serve", "--log-dri=x" }, { NULL }, 2,
	    "did you mean --log-dir?" },
	{ "flag without its value", { "serve", "--listen" }, { NULL }, 2,
	    "--listen wants a value" },
	{ "flag with an empty value", { "serve", "--log-dir=" }, { NULL }, 2,
	    "--log-dir wants a value" },
	{ "flag with an empty word", { "serve", "--keys", "" }, { NULL }, 2,
	    "--keys wants a value" },
	{ "something else", { "serve", "healthy" }, { NULL }, 2,
	    "unexpected argument \"healthy\"" },
	{ "foreign address", { "serve", "--listen", "0.0.0.0:0" }, { NULL }, 2,
	    "0.0.0.0:0 is not a loopback address: add --allow-remote" },
	{ "foreign control", { "serve", "--control", "192.0.2.1:0" }, { NULL },
	    2, "192.0.2.1:0 is not a loopback address" },
	{ "no address", { "serve", "--listen", "here" }, { NULL }, 2,
	    "\"here\" is not an address and port" },
	{ "seed", { "serve", "--seed", "-1" }, { NULL }, 2,
	    "--seed: \"-1\" is not a number from 1 to" },
	{ "public URL of another scheme",
	    { "serve", "--public-url", "ftp://ndes.example" }, { NULL }, 2,
	    "--public-url: \"ftp://ndes.example\" begins with neither http:// "
	    "nor https://; say what clients are to use, such as http://" },
	{ "public URL without a host", { "serve", "--public-url=http:///lab" },
	    { NULL }, 2, "names no host" },
	{ "half a range of ports", { "serve", "--site-ports", "5-" }, { NULL },
	    2, "--site-ports: \"5-\" is not FROM-TO, such as 40000-40100" },
	{ "the other half", { "serve", "--site-ports", "-5" }, { NULL }, 2,
	    "--site-ports: \"-5\" is not FROM-TO" },
	{ "a word in a range", { "serve", "--site-ports", "1-2x" }, { NULL }, 2,
	    "\"1-2x\" is not FROM-TO" },
	{ "a range that goes down", { "serve", "--site-ports", "9-8" },
	    { NULL }, 2, "--site-ports: \"9-8\" does not go up from 1" },
	{ "a range from 0", { "serve", "--site-ports", "0-8" }, { NULL }, 2,
	    "\"0-8\" does not go up from 1 or more to 65535 or less" },
	{ "a range beyond all ports",
	    { "serve", "--site-ports", "1-18446744073709551617" }, { NULL }, 2,
	    "does not go up from 1 or more to 65535 or less" },
	{ "no site", { "serve", "--max-sites", "0" }, { NULL }, 2,
	    "--max-sites: \"0\" is not a number from 1 to 1000000" },
	{ "sites that are no number", { "serve", "--max-sites", "4k" },
	    { NULL }, 2, "--max-sites: \"4k\" is not a number from 1" },
	{ "less than no journal", { "serve", "--journal", "-1" }, { NULL }, 2,
	    "--journal: \"-1\" is not a number from 0 to 1000000" },
	{ "too long a journal", { "serve", "--journal", "1000001" }, { NULL },
	    2, "--journal: \"1000001\" is not a number from 0" },
	{ "token with a space", { "serve", "--control-token", "a b" }, { NULL },
	    2, "--control-token: a token has letters, digits" },
	{ "token of = alone", { "serve", "--control-token", "==" }, { NULL }, 2,
	    "--control-token: a token has letters, digits" },
	{ "scenario", { "serve", "--scenario", "helthy" }, { NULL }, 2,
	    "unknown scenario \"helthy\", did you mean \"healthy\"?" },
	{ "set without a value", { "serve", "--set", "windows" }, { NULL }, 2,
	    "\"windows\" is not of the form KEY=VALUE" },
	{ "set of an unknown key", { "serve", "--set", "server.widnows=2016" },
	    { NULL }, 2,
	    "server.widnows=2016:1:1: unknown key \"widnows\", "
	    "did you mean \"windows\"?" },
	{ "set to a bad value", { "serve", "--set", "server.windows=2O16" },
	    { NULL }, 2,
	    ":1:1: unknown value \"2O16\", did you mean \"2016\"" },
	{ "no keys", { "serve", ANYWHERE, "--keys", "/nonexistent" }, { NULL },
	    1, "/nonexistent/ca.key: No such file or directory" },
	{ "log directory", { "serve", ANYWHERE, "--log-dir", IMPOSSIBLE },
	    { NULL }, 1, IMPOSSIBLE },
	{ "keys without a place", { "keys" }, { NULL }, 2, "--out" },
	{ "keys nowhere", { "keys", "--out", IMPOSSIBLE }, { NULL }, 1,
	    IMPOSSIBLE },
	{ "readyz of nobody", { "readyz", "127.0.0.1:1" }, { NULL }, 1,
	    "nobody listens there" },
	{ "readyz of nonsense", { "readyz", "ftp://x" }, { NULL }, 1,
	    "\"ftp://x\" is not a URL" },
	{ "readyz of two", { "readyz", "127.0.0.1:1", "127.0.0.1:2" }, { NULL },
	    2, "unexpected argument" },
	{ "twin of --listen", { "serve" }, { "MOCKNDES_LISTEN=here" }, 2,
	    "\"here\" is not an address and port" },
	{ "twin of --control", { "serve" }, { "MOCKNDES_CONTROL=here" }, 2,
	    "\"here\" is not an address and port" },
	{ "twin of --scenario", { "serve" }, { "MOCKNDES_SCENARIO=helthy" }, 2,
	    "unknown scenario" },
	{ "twin of --set", { "serve" },
	    { "MOCKNDES_SET=server.windows=2016;server.x=1" }, 2,
	    "unknown key \"x\"" },
	{ "twin of --public-url", { "serve" }, { "MOCKNDES_PUBLIC_URL=here" },
	    2, "--public-url: \"here\"" },
	{ "twin of --site-ports", { "serve" }, { "MOCKNDES_SITE_PORTS=8" }, 2,
	    "--site-ports: \"8\"" },
	{ "twin of --max-sites", { "serve" }, { "MOCKNDES_MAX_SITES=-" }, 2,
	    "--max-sites: \"-\"" },
	{ "twin of --journal", { "serve" }, { "MOCKNDES_JOURNAL=all" }, 2,
	    "--journal: \"all\"" },
	{ "twin of --control-token", { "serve" },
	    { "MOCKNDES_CONTROL_TOKEN=\"x\"" }, 2,
	    "--control-token: a token has" },
	{ "twin of --seed", { "serve" }, { "MOCKNDES_SEED=x" }, 2, "x" },
	{ "twin of --keys", { "serve", ANYWHERE },
	    { "MOCKNDES_KEYS=/nonexistent" }, 1, "/nonexistent/ca.key" },
	{ "twin of --log-dir", { "serve", ANYWHERE },
	    { "MOCKNDES_LOG_DIR=" IMPOSSIBLE }, 1, IMPOSSIBLE },
	{ "twin of --ready-file", { "serve", ANYWHERE },
	    { "MOCKNDES_READY_FILE=" IMPOSSIBLE }, 1, IMPOSSIBLE },
	{ "twin of --ca-out", { "serve", ANYWHERE },
	    { "MOCKNDES_CA_OUT=" IMPOSSIBLE }, 1, IMPOSSIBLE },
	{ "twin of --allow-remote", { "serve" },
	    { "MOCKNDES_ALLOW_REMOTE=maybe" }, 2, "maybe" },
	{ "twin of --verbose", { "serve" }, { "MOCKNDES_VERBOSE=maybe" }, 2,
	    "maybe" },
	{ "twin of keys --out", { "keys" }, { "MOCKNDES_OUT=" IMPOSSIBLE }, 1,
	    IMPOSSIBLE },
	{ "readyz asks where --control is", { "readyz" },
	    { "MOCKNDES_CONTROL=127.0.0.1:1" }, 1, "127.0.0.1:1" },
};

static void
is_refused(const struct row *r)
{
	/* Keys are not what most rows are about, and making them is slow. */
	char keys[FILE_PATH_SIZE], twin[FILE_PATH_SIZE + 16];
	const char *env[] = { twin, NULL, NULL };
	struct child_result result;
	const char *err;

	snprintf(twin, sizeof(twin), "MOCKNDES_KEYS=%s",
	    path_in_source(keys, "tests/fixtures/keys"));
	if (r->env[0] != NULL && strncmp(r->env[0], twin, 14) == 0)
		env[0] = r->env[0];
	else
		env[1] = r->env[0];
	program_run(r->words, env, &result);
	err = (char *)result.err.data;
	if (result.status != r->status || result.out.len != 0 ||
	    strncmp(err, "mockndes: ", 10) != 0 ||
	    strstr(err, r->says) == NULL ||
	    strchr(err, '\n') != err + strlen(err) - 1)
		fail_msg("%s: %d \"%s\" \"%s\"", r->row, result.status,
		    (char *)result.out.data, err);
	child_result_clear(&result);
}

static void
what_is_wrong_is_said_in_one_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(refusals); i++)
		is_refused(&refusals[i]);
}

static void
a_port_in_use_is_said_in_one_line(void **state)
{
	char wanted[64];
	struct program p;
	struct row row = { "port in use",
		{ "serve", "--control", "off", "--listen" }, { NULL }, 1,
		wanted };

	(void)state;
	program_start(&p, NULL, NULL);
	row.words[4] = p.base + strlen("http://");
	snprintf(wanted, sizeof(wanted), "port %s: Address already in use",
	    strchr(row.words[4], ':') + 1);
	is_refused(&row);
	row.words[2] = row.words[4];
	row.words[4] = "127.0.0.1:0";
	is_refused(&row);
	program_stop(&p, SIGTERM);
}

static void
a_broken_key_set_is_named(void **state)
{
	char dir[FILE_PATH_SIZE], path[FILE_PATH_SIZE], from[FILE_PATH_SIZE];
	struct row row = { "broken key", { "serve", ANYWHERE, "--keys", dir },
		{ NULL }, 1, path };
	struct buffer key;

	(void)state;
	dir_make(dir);
	assert_true(
	    file_read(path_in_source(from, "tests/fixtures/keys/ca.key"),
		&key));
	file_write(path_in(path, dir, "ca.key"), key.data, key.len);
	path_in(path, dir, "ra-signing.key");
	is_refused(&row);
	file_write(path, key.data, key.len / 2);
	is_refused(&row);
	buffer_free(&key);
	dir_remove(dir);
}

static void
assert_text(const json_t *ready, const char *key, const char *wanted)
{
	assert_string_equal(json_string_value(json_object_get(ready, key)),
	    wanted);
}

/* SHA-256 of the certificate in a PEM file. */
static void
pem_sha256(const char *path, char out[65])
{
	unsigned char digest[32];
	FILE *f = fopen(path, "re");
	X509 *cert;

	assert_non_null(f);
	cert = PEM_read_X509(f, NULL, NULL, NULL);
	fclose(f);
	assert_non_null(cert);
	assert_int_equal(X509_digest(cert, EVP_sha256(), digest, NULL), 1);
	for (size_t i = 0; i < sizeof(digest); i++)
		sprintf(out + 2 * i, "%02x", digest[i]);
	X509_free(cert);
}

static void
the_ready_line_and_file_say_all_there_is_to_know(void **state)
{
	char dir[FILE_PATH_SIZE], file[FILE_PATH_SIZE], ca[FILE_PATH_SIZE];
	const char *const arguments[] = { "--ready-file", file, "--ca-out", ca,
		"--seed", "42", NULL };
	char url[256], sha256[65];
	struct child_result result;
	json_t *in_file;
	struct program p;

	(void)state;
	dir_make(dir);
	path_in(file, dir, "ready.json");
	path_in(ca, dir, "ca.pem");
	program_start(&p, arguments, NULL);
	in_file = json_load_file(file, 0, NULL);
	assert_true(json_equal(in_file, p.ready));
	json_decref(in_file);
	assert_int_equal(json_object_size(p.ready), 10);
	assert_text(p.ready, "listen", p.base);
	snprintf(url, sizeof(url), "%s/certsrv/mscep/mscep.dll", p.base);
	assert_text(p.ready, "url", url);
	snprintf(url, sizeof(url), "%s/certsrv/mscep_admin/", p.base);
	assert_text(p.ready, "admin_url", url);
	assert_int_equal(strncmp(p.base, "http://127.0.0.1:", 17), 0);
	assert_int_equal(strncmp(p.control, "http://127.0.0.1:", 17), 0);
	assert_true(json_is_null(json_object_get(p.ready, "tls_url")));
	assert_text(p.ready, "scenario", "healthy");
	pem_sha256(ca, sha256);
	assert_text(p.ready, "ca_sha256", sha256);
	assert_int_equal(json_integer_value(json_object_get(p.ready, "seed")),
	    42);
	assert_int_equal(json_integer_value(json_object_get(p.ready, "pid")),
	    p.child.pid);
	assert_true(tcp_is_served(p.url));
	program_finish(&p, SIGTERM, &result);
	assert_int_equal(result.status, 0);
	assert_int_equal(result.out.len, 0);
	assert_non_null(strstr((char *)result.err.data, "TEST ONLY"));
	child_result_clear(&result);
	/* Nothing else was left, no temporary file either. */
	assert_int_equal(unlink(file), 0);
	assert_int_equal(unlink(ca), 0);
	assert_int_equal(rmdir(dir), 0);
}

/* What is only listened on keeps its number. */
static void
the_urls_begin_with_the_public_one(void **state)
{
	static const char *const arguments[] = { "--public-url",
		"http://ndes.example.com:444/lab/", "--tls-listen",
		"127.0.0.1:0", NULL };
	static const char base[] = "http://ndes.example.com:444/lab",
			  tls[] = "https://ndes.example.com:";
	char url[256];
	struct web_reply reply;
	struct program p;

	(void)state;
	program_start(&p, arguments, NULL);
	assert_string_equal(p.base, base);
	snprintf(url, sizeof(url), "%s/certsrv/mscep/mscep.dll", base);
	assert_string_equal(p.url, url);
	snprintf(url, sizeof(url), "%s/certsrv/mscep_admin/", base);
	assert_string_equal(p.admin, url);
	assert_int_equal(strncmp(p.tls, tls, strlen(tls)), 0);
	assert_int_not_equal(atoi(p.tls + strlen(tls)), 0);
	assert_int_equal(strncmp(p.control, "http://127.0.0.1:", 17), 0);
	snprintf(url, sizeof(url), "%s/healthz", p.control);
	assert_true(web_get(url, &reply));
	assert_non_null(strstr((char *)reply.body.data, p.url));
	web_reply_clear(&reply);
	program_stop(&p, SIGTERM);
}

/* The status of GetCACaps at a site with a label. */
static long
ask_label(const struct program *p, const char *label)
{
	struct web_reply reply;
	char url[256];

	snprintf(url, sizeof(url),
	    "%s/s/healthy/%s/certsrv/mscep/mscep.dll?operation=GetCACaps",
	    p->base, label);
	/* Those before it may be about to end: until then, no site may go. */
	for (int i = 0; i < PATIENCE; i++) {
		assert_true(web_get(url, &reply));
		web_reply_clear(&reply);
		if (reply.status != 503)
			break;
		poll(NULL, 0, 5);
	}
	return reply.status;
}

static void
there_are_so_many_sites_at_most(void **state)
{
	static const char *const flag[] = { "--max-sites", "3", NULL };
	static const char *const env[] = { "MOCKNDES_MAX_SITES=2", NULL };
	struct program p;

	(void)state;
	/* The default one is one of them. */
	program_start(&p, NULL, env);
	assert_int_equal(ask_label(&p, "a"), 200);
	assert_int_equal(ask_label(&p, "b"), 200);
	assert_int_equal(ask_label(&p, "a"), 410);
	program_stop(&p, SIGTERM);
	program_start(&p, flag, env);
	assert_int_equal(ask_label(&p, "a"), 200);
	assert_int_equal(ask_label(&p, "b"), 200);
	assert_int_equal(ask_label(&p, "a"), 200);
	assert_int_equal(ask_label(&p, "c"), 200);
	assert_int_equal(ask_label(&p, "b"), 410);
	program_stop(&p, SIGTERM);
}

/* What the control API answers; NULL: another status, or no JSON. */
static json_t *
call(const struct program *p, const char *method, const char *path,
    const char *body, const char *token, long status)
{
	char url[256], authorization[64];
	const char *const headers[] = { authorization, NULL };
	const struct web_request request = { .url = url,
		.method = method,
		.body = body,
		.length = body == NULL ? 0 : strlen(body),
		.content_type = "application/json",
		.headers = token == NULL ? NULL : headers };
	struct web_reply reply;
	json_t *json = NULL;

	snprintf(url, sizeof(url), "%s%s", p->control, path);
	snprintf(authorization, sizeof(authorization), "Authorization: %s",
	    token == NULL ? "" : token);
	assert_true(web_ask(&request, &reply));
	if (reply.status == status)
		json = json_loads((char *)reply.body.data, 0, NULL);
	else
		print_message("%s: %ld\n", url, reply.status);
	web_reply_clear(&reply);
	return json;
}

static bool
is_let_in(const struct program *p, const char *token)
{
	json_t *json = call(p, "GET", "/v1/sites", NULL, token, 200);

	json_decref(json);
	return json != NULL;
}

static void
the_control_api_wants_its_token(void **state)
{
	static const char *const env[] = { "MOCKNDES_CONTROL_TOKEN=aB0-._~+/=",
		NULL };
	static const char *const flag[] = { "--control-token", "other", NULL };
	struct program p;
	json_t *json;

	(void)state;
	program_start(&p, NULL, env);
	assert_true(is_let_in(&p, "Bearer aB0-._~+/="));
	assert_false(is_let_in(&p, "Bearer aB0-._~+/"));
	assert_false(is_let_in(&p, NULL));
	json = call(&p, "GET", "/v1/sites", NULL, NULL, 401);
	assert_non_null(json);
	json_decref(json);
	json = call(&p, "GET", "/healthz", NULL, NULL, 200);
	assert_non_null(json);
	json_decref(json);
	program_stop(&p, SIGTERM);
	program_start(&p, flag, env);
	assert_true(is_let_in(&p, "Bearer other"));
	assert_false(is_let_in(&p, "Bearer aB0-._~+/="));
	program_stop(&p, SIGTERM);
	program_start(&p, NULL, NULL);
	assert_true(is_let_in(&p, NULL));
	program_stop(&p, SIGTERM);
}

/* After three exchanges, one of which had a second to be written down. */
static void
journal_has(const char *const arguments[], const char *const env[],
    size_t wanted)
{
	struct program p;
	json_t *json;

	program_start(&p, arguments, env);
	for (int i = 0; i < 3; i++)
		assert_true(tcp_is_served(p.url));
	json = call(&p, "GET", "/v1/sites/default/requests?since=2&wait=1",
	    NULL, NULL, 200);
	assert_non_null(json);
	json_decref(json);
	json = call(&p, "GET", "/v1/sites/default/requests", NULL, NULL, 200);
	assert_non_null(json);
	assert_int_equal(json_array_size(json_object_get(json, "requests")),
	    wanted);
	json_decref(json);
	program_stop(&p, SIGTERM);
}

static void
journals_are_as_long_as_wanted(void **state)
{
	static const char *const flag[] = { "--journal", "2", NULL };
	static const char *const env[] = { "MOCKNDES_JOURNAL=0", NULL };

	(void)state;
	journal_has(NULL, NULL, 3);
	journal_has(NULL, env, 0);
	journal_has(flag, env, 2);
}

static void
sites_get_ports_of_the_range(void **state)
{
	static const char public_url[] = "https://ndes.example.com";
	char range[32], url[256], shown[256];
	const char *arguments[] = { "--site-ports", range, NULL, NULL, NULL };
	unsigned port = tcp_free_ports(1);
	struct program p;
	json_t *json;

	(void)state;
	assert_int_not_equal(port, 0);
	snprintf(range, sizeof(range), "%u-%u", port, port);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u", port);
	for (int i = 0; i < 2; i++) {
		program_start(&p, arguments, NULL);
		json = call(&p, "POST", "/v1/sites",
		    "{\"id\": \"x\", \"port\": 0}", NULL, 201);
		assert_int_equal(json_integer_value(
				     json_object_get(json, "port")),
		    port);
		snprintf(shown, sizeof(shown), "%s:%u/certsrv/mscep/mscep.dll",
		    i == 0 ? "http://127.0.0.1" : public_url, port);
		assert_text(json, "url", shown);
		json_decref(json);
		assert_true(tcp_is_served(url));
		json = call(&p, "POST", "/v1/sites",
		    "{\"id\": \"y\", \"port\": 0}", NULL, 503);
		assert_non_null(json);
		json_decref(json);
		json = call(&p, "DELETE", "/v1/sites/x", NULL, NULL, 204);
		json_decref(json);
		assert_int_equal(tcp_connect(url), -1);
		program_stop(&p, SIGTERM);
		arguments[2] = "--public-url";
		arguments[3] = public_url;
	}
}

static void
control_can_be_off(void **state)
{
	static const char *const arguments[] = { "--control", "off", NULL };
	struct program p;

	(void)state;
	program_start(&p, arguments, NULL);
	assert_true(json_is_null(json_object_get(p.ready, "control")));
	assert_true(tcp_is_served(p.url));
	program_stop(&p, SIGTERM);
}

static void
assert_server_header(const struct program *p, const char *wanted)
{
	struct web_reply reply;

	assert_true(web_get(p->url, &reply));
	assert_string_equal(reply.server, wanted);
	web_reply_clear(&reply);
}

static int
pki_status(const struct program *p, const char *challenge)
{
	STACK_OF(X509) *certs = device_ca_certs(p->url);
	struct device_answer answer;
	struct device device;

	assert_true(device_make(&device));
	if (!device_enrol(&device, p->url, challenge, certs, &answer))
		fail_msg("%s", answer.why);
	device_answer_clear(&answer);
	device_clear(&device);
	device_ca_certs_free(certs);
	return answer.pki_status;
}

static void
a_flag_beats_its_twin(void **state)
{
	static const char *const env[] = { "MOCKNDES_CHALLENGE=from there",
		"MOCKNDES_SEED=7",
		"MOCKNDES_SET=server.windows=2012r2;server.iis.max_url=4096",
		"MOCKNDES_VERBOSE=true", NULL };
	static const char *const flags[] = { "--challenge=from here", "--seed",
		"8", "--set", "server.windows=2008r2", "--verbose=false",
		NULL };
	struct child_result result;
	struct program p;

	(void)state;
	program_start(&p, NULL, env);
	assert_int_equal(json_integer_value(json_object_get(p.ready, "seed")),
	    7);
	assert_server_header(&p, "Microsoft-IIS/8.5");
	assert_int_equal(pki_status(&p, "from there"), 0);
	program_finish(&p, SIGTERM, &result);
	assert_non_null(strstr((char *)result.err.data, " 403 0 0 "));
	child_result_clear(&result);
	program_start(&p, flags, env);
	assert_int_equal(json_integer_value(json_object_get(p.ready, "seed")),
	    8);
	assert_server_header(&p, "Microsoft-IIS/7.5");
	assert_int_equal(pki_status(&p, "from here"), 0);
	assert_int_equal(pki_status(&p, "from there"), 2);
	program_finish(&p, SIGTERM, &result);
	assert_null(strstr((char *)result.err.data, " 403 0 0 "));
	child_result_clear(&result);
}

static void
a_key_set_makes_the_same_ca_each_time(void **state)
{
	char dir[FILE_PATH_SIZE], keys[FILE_PATH_SIZE], sha256[2][65];
	const char *const make[] = { "keys", "--out", keys, NULL };
	const char *const arguments[] = { "--keys", keys, NULL };
	const struct row again = { "keys again", { "keys", "--out", keys },
		{ NULL }, 1, keys };
	struct child_result result;
	struct program p;
	struct stat st;

	(void)state;
	dir_make(dir);
	path_in(keys, dir, "set");
	program_run(make, NULL, &result);
	assert_int_equal(result.status, 0);
	assert_int_equal(result.out.len + result.err.len, 0);
	child_result_clear(&result);
	assert_int_equal(stat(keys, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	is_refused(&again);
	for (int i = 0; i < 2; i++) {
		program_start(&p, arguments, NULL);
		snprintf(sha256[i], sizeof(sha256[i]), "%s",
		    json_string_value(json_object_get(p.ready, "ca_sha256")));
		program_stop(&p, SIGTERM);
	}
	assert_string_equal(sha256[0], sha256[1]);
	/* Of these keys alone the certificates are made anew. */
	program_start(&p, NULL, NULL);
	assert_string_not_equal(sha256[0],
	    json_string_value(json_object_get(p.ready, "ca_sha256")));
	program_stop(&p, SIGTERM);
	dir_remove(dir);
}

static void
an_empty_variable_is_not_set(void **state)
{
	static const char *const env[] = { "MOCKNDES_LOG_DIR=",
		"MOCKNDES_CHALLENGE=", "MOCKNDES_SCENARIO=", "MOCKNDES_LISTEN=",
		"MOCKNDES_READY_FILE=", "MOCKNDES_CA_OUT=", "MOCKNDES_SEED=",
		"MOCKNDES_SET=", "MOCKNDES_VERBOSE=", "MOCKNDES_PUBLIC_URL=",
		"MOCKNDES_SITE_PORTS=", "MOCKNDES_MAX_SITES=",
		"MOCKNDES_JOURNAL=", "MOCKNDES_CONTROL_TOKEN=", NULL };
	struct program p;

	(void)state;
	program_start(&p, NULL, env);
	assert_text(p.ready, "scenario", "healthy");
	assert_true(tcp_is_served(p.url));
	program_stop(&p, SIGTERM);
}

/* Whoever waits for the file must not take the old one for the new. */
static void
a_ready_file_of_an_earlier_run_goes_first(void **state)
{
	char dir[FILE_PATH_SIZE], file[FILE_PATH_SIZE];
	const struct row row = { "stale ready file",
		{ "serve", ANYWHERE, "--ready-file", file },
		{ "MOCKNDES_KEYS=/nonexistent" }, 1, "/nonexistent/ca.key" };

	(void)state;
	dir_make(dir);
	file_write(path_in(file, dir, "ready.json"), "{}", 2);
	is_refused(&row);
	assert_int_equal(access(file, F_OK), -1);
	assert_int_equal(rmdir(dir), 0);
}

/* What a start has come to, as /proc shows it. */
enum stage {
	STAGE_FORKED,
	STAGE_RUNNING, /* the program, no longer we */
	STAGE_HANDLING,
	STAGE_TWO_THREADS, /* keys are being made */
	STAGE_THREE_THREADS,
	STAGES,
};

/* The number behind `name` in /proc/PID/status; 0: it is over. */
static unsigned long
status_number(pid_t pid, const char *name, int base)
{
	char path[64], line[256];
	unsigned long number = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	if ((f = fopen(path, "re")) == NULL)
		return 0;
	while (fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, name, strlen(name)) == 0)
			number = strtoul(line + strlen(name), NULL, base);
	fclose(f);
	return number;
}

static bool
is_running(pid_t pid)
{
	char path[64], ours[512], its[512];
	ssize_t len;

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	len = readlink(path, its, sizeof(its));
	return len != readlink("/proc/self/exe", ours, sizeof(ours)) ||
	    len < 0 || memcmp(its, ours, (size_t)len) != 0;
}

static bool
has_reached(pid_t pid, enum stage stage)
{
	switch (stage) {
	case STAGE_FORKED:
		return true;
	case STAGE_RUNNING:
		return is_running(pid);
	case STAGE_HANDLING:
		return is_running(pid) &&
		    (status_number(pid, "SigCgt:", 16) & 1UL << (SIGTERM - 1));
	default:
		return is_running(pid) &&
		    status_number(pid, "Threads:", 10) + STAGE_HANDLING > stage;
	}
}

static void
is_ended_at(enum stage stage)
{
	const char *const argv[] = { program_path(), "serve", ANYWHERE, NULL };
	struct child_result result;
	struct child child;
	struct pollfd ready;

	child_start(&child, argv, NULL);
	ready = (struct pollfd){ .fd = child.out, .events = POLLIN };
	while (!has_reached(child.pid, stage) && poll(&ready, 1, 0) == 0)
		sched_yield();
	child_signal(&child, SIGTERM);
	child_finish(&child, &result);
	/* All of the line, if it was ready already; else not an octet. */
	if ((result.status != 0 &&
		(result.status != -SIGTERM || stage >= STAGE_HANDLING)) ||
	    (result.out.len > 0 &&
		(strncmp((char *)result.out.data, "READY {", 7) != 0 ||
		    result.out.data[result.out.len - 1] != '\n')))
		fail_msg("stage %d: %d \"%s\" \"%s\"", (int)stage,
		    result.status, (char *)result.out.data,
		    (char *)result.err.data);
	child_result_clear(&result);
}

static void
a_signal_ends_a_start_too(void **state)
{
	(void)state;
	assert_null(getenv("MOCKNDES_KEYS"));
	for (int i = 0; i < 2 * STAGES; i++)
		is_ended_at((enum stage)(i % STAGES));
}

static void
readyz_tells_whether_it_is_up(void **state)
{
	char url[128], at[128];
	const char *words[] = { "readyz", NULL, NULL };
	struct row down = { "readyz after the end", { "readyz", at }, { NULL },
		1, "nobody listens there" };
	struct child_result result;
	struct program p;

	(void)state;
	program_start(&p, NULL, NULL);
	snprintf(at, sizeof(at), "%s", p.control + strlen("http://"));
	snprintf(url, sizeof(url), "%s/", p.control);
	for (int i = 0; i < 3; i++) {
		words[1] = i == 0 ? p.control : i == 1 ? url : at;
		program_run(words, NULL, &result);
		assert_int_equal(result.status, 0);
		assert_int_equal(result.out.len + result.err.len, 0);
		child_result_clear(&result);
	}
	/* Somebody listens there, but it is not the control API. */
	words[1] = p.base;
	program_run(words, NULL, &result);
	assert_int_equal(result.status, 1);
	child_result_clear(&result);
	program_stop(&p, SIGTERM);
	is_refused(&down);
}

static void
a_signal_ends_it_whoever_is_connected(void **state)
{
	static const int signals[] = { SIGTERM, SIGINT };
	static const char *const said[] = { "", "GET /certsrv/",
		"GET /certsrv/mscep/mscep.dll HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /certsrv/mscep/mscep.dll HTTP/1.1\r\n\r\n" };
	int fds[2 * COUNT_OF(said)];
	struct program p;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(signals); i++) {
		program_start(&p, NULL, NULL);
		for (size_t j = 0; j < COUNT_OF(fds); j++) {
			fds[j] = tcp_connect(j % 2 ? p.base : p.control);
			tcp_send_text(fds[j], said[j / 2]);
		}
		assert_true(tcp_is_served(p.base));
		program_stop(&p, signals[i]);
		for (size_t j = 0; j < COUNT_OF(fds); j++)
			close(fds[j]);
	}
}

/* Those who ask while it sleeps are found by one look of libmicrohttpd. */
static void
all_who_ask_at_once_are_answered(void **state)
{
	static const size_t counts[] = { 127, 128, 129, 256 };
	static int fds[256];
	struct answer answer;
	struct program p;

	(void)state;
	program_start(&p, NULL, NULL);
	for (size_t i = 0; i < COUNT_OF(counts); i++) {
		for (size_t j = 0; j < counts[i]; j++)
			fds[j] = tcp_connect(p.base);
		assert_true(tcp_is_served(p.base));
		child_signal(&p.child, SIGSTOP);
		for (size_t j = 0; j < counts[i]; j++)
			tcp_send_text(fds[j],
			    "GET /certsrv/mscep/mscep.dll?operation=GetCACaps "
			    "HTTP/1.1\r\nHost: x\r\n\r\n");
		child_signal(&p.child, SIGCONT);
		for (size_t j = 0; j < counts[i]; j++) {
			if (!answer_read(fds[j], true, &answer))
				fail_msg("client %zu of %zu", j, counts[i]);
			answer_clear(&answer);
			close(fds[j]);
		}
	}
	program_stop(&p, SIGTERM);
}

/* What a client's developer reads. */
static void
verbose_says_what_is_odd(void **state)
{
	static const char *const words[] = { "--verbose", NULL };
	static const char *const said[] = {
		"  finding: wrong: message comes before operation (RFC 8894 ",
		"  finding: weak: SHA-1 (RFC 8894 ",
	};
	const struct device_order order = { .digest = EVP_sha1() };
	STACK_OF(X509) * ca_certs;
	struct child_result result;
	struct device_answer ask;
	struct answer answer;
	struct device device;
	struct program p;

	(void)state;
	assert_true(device_make(&device));
	program_start(&p, words, NULL);
	assert_non_null(ca_certs = device_ca_certs(p.url));
	device_ask(&device, p.url, &order, ca_certs, &ask);
	assert_int_equal(ask.pki_status, 2);
	assert_true(answer_ask(p.base,
	    "GET /certsrv/mscep/mscep.dll?message=MIIB&operation=PKIOperation "
	    "HTTP/1.1\r\nHost: x\r\n\r\n",
	    &answer));
	program_finish(&p, SIGTERM, &result);
	for (size_t i = 0; i < COUNT_OF(said); i++)
		if (strstr((char *)result.err.data, said[i]) == NULL)
			fail_msg("not \"%s\" in: %s", said[i],
			    (char *)result.err.data);
	child_result_clear(&result);
	answer_clear(&answer);
	device_answer_clear(&ask);
	device_ca_certs_free(ca_certs);
	device_clear(&device);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_wrong_is_said_in_one_line),
		cmocka_unit_test(a_port_in_use_is_said_in_one_line),
		cmocka_unit_test(a_broken_key_set_is_named),
		cmocka_unit_test(
		    the_ready_line_and_file_say_all_there_is_to_know),
		cmocka_unit_test(the_urls_begin_with_the_public_one),
		cmocka_unit_test(there_are_so_many_sites_at_most),
		cmocka_unit_test(the_control_api_wants_its_token),
		cmocka_unit_test(journals_are_as_long_as_wanted),
		cmocka_unit_test(sites_get_ports_of_the_range),
		cmocka_unit_test(control_can_be_off),
		cmocka_unit_test(a_flag_beats_its_twin),
		cmocka_unit_test(a_key_set_makes_the_same_ca_each_time),
		cmocka_unit_test(an_empty_variable_is_not_set),
		cmocka_unit_test(a_ready_file_of_an_earlier_run_goes_first),
		cmocka_unit_test(a_signal_ends_a_start_too),
		cmocka_unit_test(readyz_tells_whether_it_is_up),
		cmocka_unit_test(a_signal_ends_it_whoever_is_connected),
		cmocka_unit_test(all_who_ask_at_once_are_answered),
		cmocka_unit_test(verbose_says_what_is_odd),
	};

	web_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
