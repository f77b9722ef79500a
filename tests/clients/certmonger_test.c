/*
 * certmonger: its real daemon, told what to do by its getcert. The daemon
 * listens on a private socket only (-L), so it needs no D-Bus daemon, and
 * keeps all that it writes in a directory of the test's own.
 */
#include "support/test.h"

#include <glob.h>
#include <openssl/pem.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/child.h"
#include "support/device.h"
#include "support/files.h"
#include "support/program.h"

#define DAEMON "/usr/sbin/certmonger" /* not in everybody's PATH */
#define START_SECONDS 20
#define STOP_SECONDS 5
#define LOG_SECONDS 10
#define WAIT_SECONDS "20" /* less than CHILD_SECONDS: getcert says more */
#define SOCKET_SIZE 80

/* Where the daemon and getcert keep things, below the test's directory. */
static const struct keeps {
	const char *variable, *name;
} places[] = {
	{ "CERTMONGER_CAS_DIR", "cas" },
	{ "CERTMONGER_REQUESTS_DIR", "requests" },
	{ "CERTMONGER_LOCAL_CA_DIR", "local" },
	{ "CERTMONGER_CONFIG_DIR", "config" },
	{ "CERTMONGER_TMPDIR", "tmp" },
	{ "HOME", "home" },
	{ "CERTMONGER_SYSTEM_LOCK_FILE", "home/lock" },
};
/* CAs that it knows by itself and would call, some over the network. */
static const char *const other_cas[] = { "IPA", "certmaster",
	"dogtag-ipa-renew-agent", "local" };

static struct fixture {
	struct program program;
	STACK_OF(X509) * ca_certs;
	struct child daemon;
	char dir[FILE_PATH_SIZE], socket[SOCKET_SIZE];
	char texts[COUNT_OF(places) + 1][FILE_PATH_SIZE + 40];
	const char *env[COUNT_OF(places) + 4];
} fixture;

static void
make_env(struct fixture *f)
{
	size_t count = COUNT_OF(places);

	/* Abstract: no limit on the length of $TMPDIR, nothing to remove. */
	snprintf(f->socket, sizeof(f->socket), "abstract=mockndes-%ld-%s",
	    (long)getpid(), strrchr(f->dir, '-') + 1);
	for (size_t i = 0; i < count; i++)
		snprintf(f->texts[i], sizeof(f->texts[i]), "%s=%s/%s",
		    places[i].variable, f->dir, places[i].name);
	snprintf(f->texts[count], sizeof(f->texts[count]),
	    "CERTMONGER_PVT_ADDRESS=unix:%s", f->socket);
	for (size_t i = 0; i <= count; i++)
		f->env[i] = f->texts[i];
	f->env[count + 1] = "LC_ALL=C";
	f->env[count + 2] = "no_proxy=*";
}

static void
make_dirs(const struct fixture *f)
{
	char cas[FILE_PATH_SIZE], path[FILE_PATH_SIZE], text[256];

	for (size_t i = 0; i < COUNT_OF(places); i++)
		if (strchr(places[i].name, '/') == NULL)
			assert_int_equal(
			    mkdir(path_in(path, f->dir, places[i].name), 0700),
			    0);
	path_in(cas, f->dir, "cas");
	for (size_t i = 0; i < COUNT_OF(other_cas); i++) {
		/* 6: it does not do that. */
		snprintf(text, sizeof(text),
		    "id=%s\nca_type=EXTERNAL\n"
		    "ca_external_helper=/bin/sh -c \"exit 6\"\n",
		    other_cas[i]);
		file_write(path_in(path, cas, other_cas[i]), text,
		    strlen(text));
	}
}

static bool
is_listening(const char *socket_name)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	const char *address = strchr(socket_name, '=') + 1;
	size_t len = strlen(address);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), failed;

	/* An abstract name has a NUL before it and none behind. */
	memcpy(at.sun_path + 1, address, len);
	failed = connect(fd, (struct sockaddr *)&at,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + len));
	close(fd);
	return failed == 0;
}

static bool
has_ended(const struct child *c)
{
	siginfo_t info = { 0 };

	/* WNOWAIT: while it is a zombie its process group stays ours. */
	return waitid(P_PID, (id_t)c->pid, &info,
		   WEXITED | WNOHANG | WNOWAIT) == 0 &&
	    info.si_pid != 0;
}

static void
start_daemon(struct fixture *f)
{
	/* setsid: a process group, to end its helpers with it. */
	const char *const argv[] = { "setsid", DAEMON, "-L", "-P", f->socket,
		"-n", NULL };

	child_start(&f->daemon, argv, f->env);
	for (int i = 0; i < START_SECONDS * 50; i++) {
		if (is_listening(f->socket))
			return;
		if (has_ended(&f->daemon))
			break;
		poll(NULL, 0, 20);
	}
	fail_msg("the daemon does not listen; is certmonger installed?");
}

static void
stop_daemon(struct fixture *f)
{
	if (f->daemon.pid == 0)
		return;
	kill(-f->daemon.pid, SIGTERM);
	for (int i = 0; i < STOP_SECONDS * 50 && !has_ended(&f->daemon); i++)
		poll(NULL, 0, 20);
	/* What heeds no SIGTERM, the daemon or a helper that outlives it. */
	kill(-f->daemon.pid, SIGKILL);
	waitpid(f->daemon.pid, NULL, 0);
	close(f->daemon.out);
	close(f->daemon.err);
}

/* Runs getcert with these arguments, NULL ended; its exit status. */
static int
getcert(const struct fixture *f, const char *const argv[],
    struct child_result *said)
{
	child_run(argv, f->env, said);
	return said->status;
}
#define GETCERT(...) ((const char *const[]){ "getcert", __VA_ARGS__, NULL })

/* It succeeds and says this; NULL: whatever it says. */
static void
must(const struct fixture *f, const char *const argv[], const char *words)
{
	struct child_result said;

	if (getcert(f, argv, &said) != 0 ||
	    (words != NULL && strstr((char *)said.out.data, words) == NULL))
		fail_msg("getcert %s: %d: %s%s", argv[1], said.status,
		    (char *)said.out.data, (char *)said.err.data);
	child_result_clear(&said);
}

/* "0123ABCD 4567..." as list-cas has it. */
static char *
thumbprint(X509 *cert, char out[64])
{
	uint8_t sha1[20];
	char *at = out;

	X509_digest(cert, EVP_sha1(), sha1, NULL);
	for (size_t i = 0; i < sizeof(sha1); i++)
		at += sprintf(at, "%s%02X", i > 0 && i % 4 == 0 ? " " : "",
		    sha1[i]);
	return out;
}

/* Until then it refuses requests: no certificate to encrypt to is known. */
static void
wait_for_ca(const struct fixture *f)
{
	const char *const argv[] = { "getcert", "list-cas", "-v", "-c", "NDES",
		NULL };
	struct child_result said;
	bool known = false;
	char sha1[64];

	thumbprint(device_ca(f->ca_certs), sha1);
	for (int i = 0; i < START_SECONDS * 10 && !known; i++) {
		known = getcert(f, argv, &said) == 0 &&
		    strstr((char *)said.out.data, sha1) != NULL;
		child_result_clear(&said);
		poll(NULL, 0, known ? 0 : 100);
	}
	if (!known)
		fail_msg("certmonger does not know the CA %s", sha1);
}

static int
start(void **state)
{
	struct fixture *f = *state = &fixture;
	char logs[FILE_PATH_SIZE];
	const char *const arguments[] = { "--challenge", "secret", "--log-dir",
		logs, NULL };

	web_start();
	dir_make(f->dir);
	make_env(f);
	make_dirs(f);
	path_in(logs, f->dir, "logs");
	program_start(&f->program, arguments, NULL);
	f->ca_certs = device_ca_certs(f->program.url);
	assert_non_null(device_ca(f->ca_certs));
	start_daemon(f);
	must(f, GETCERT("add-scep-ca", "-c", "NDES", "-u", f->program.url),
	    NULL);
	wait_for_ca(f);
	return 0;
}

/* After a start that failed, too: cmocka has no teardown for that. */
static void
stop(struct fixture *f)
{
	if (f->dir[0] == '\0')
		return;
	stop_daemon(f);
	device_ca_certs_free(f->ca_certs);
	if (f->program.ready != NULL)
		program_stop(&f->program, SIGTERM);
	dir_remove(f->dir);
}

/* Asks for a certificate and waits for the end of it. */
static int
request(const struct fixture *f, const char *id, const char *challenge)
{
	char key[FILE_PATH_SIZE], cert[FILE_PATH_SIZE], name[64];
	struct child_result said;
	int status;

	snprintf(name, sizeof(name), "%s.key", id);
	path_in(key, f->dir, name);
	snprintf(name, sizeof(name), "%s.pem", id);
	path_in(cert, f->dir, name);
	status = getcert(f,
	    GETCERT("request", "-c", "NDES", "-I", id, "-k", key, "-f", cert,
		"-N", "CN=" DEVICE_SUBJECT, "-D", DEVICE_DNS_NAME, "-w",
		"--wait-timeout", WAIT_SECONDS, challenge == NULL ? NULL : "-L",
		challenge),
	    &said);
	child_result_clear(&said);
	return status;
}

static bool
exists(const struct fixture *f, const char *name)
{
	char path[FILE_PATH_SIZE];

	return access(path_in(path, f->dir, name), F_OK) == 0;
}

/* key.pem and cert.pem are what was asked for, and fit together. */
static void
assert_enrolled(const struct fixture *f, const char *key, const char *cert)
{
	struct device device = { 0 };
	char path[FILE_PATH_SIZE];
	BIO *key_file = BIO_new_file(path_in(path, f->dir, key), "r");
	BIO *cert_file = BIO_new_file(path_in(path, f->dir, cert), "r");

	assert_non_null(key_file);
	assert_non_null(cert_file);
	device.key = PEM_read_bio_PrivateKey(key_file, NULL, NULL, NULL);
	device.signer = PEM_read_bio_X509(cert_file, NULL, NULL, NULL);
	assert_non_null(device.key);
	assert_non_null(device.signer);
	assert_string_equal(device_judge(&device, f->ca_certs, device.signer),
	    "");
	device_clear(&device);
	BIO_free(key_file);
	BIO_free(cert_file);
}

/* How often it asked for this, as the IIS log has it. */
static int
count_asked(const struct fixture *f, const char *verb, const char *operation)
{
	char pattern[FILE_PATH_SIZE], words[128];
	struct buffer log;
	glob_t found;
	int count = 0;

	path_in(pattern, f->dir, "logs/*/W3SVC1/*.log");
	snprintf(words, sizeof(words),
	    " %s /certsrv/mscep/mscep.dll operation=%s&", verb, operation);
	if (glob(pattern, 0, NULL, &found) != 0)
		return 0;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		assert_true(file_read(found.gl_pathv[i], &log));
		for (char *at = (char *)log.data;
		     (at = strstr(at, words)) != NULL; at++)
			count++;
		buffer_free(&log);
	}
	globfree(&found);
	return count;
}

/* A line is written when the client may have gone already. */
static bool
wait_for_asked(const struct fixture *f, const char *operation, int count)
{
	for (int i = 0; i < LOG_SECONDS * 50; i++) {
		if (count_asked(f, "GET", operation) >= count)
			return true;
		poll(NULL, 0, 20);
	}
	return false;
}

static void
the_right_challenge_enrols_by_get(void **state)
{
	const struct fixture *f = *state;
	int before = count_asked(f, "GET", "PKIOperation");

	request(f, "right", "secret");
	must(f, GETCERT("list", "-i", "right"), "status: MONITORING");
	must(f, GETCERT("list", "-i", "right"), "stuck: no");
	assert_enrolled(f, "right.key", "right.pem");
	/* POSTPKIOperation is listed, but it never posts. */
	assert_true(wait_for_asked(f, "PKIOperation", before + 1));
}

static void
a_wrong_challenge_is_rejected(void **state)
{
	const struct fixture *f = *state;

	assert_int_not_equal(request(f, "wrong", "other"), 0);
	must(f, GETCERT("list", "-i", "wrong"), "status: CA_REJECTED");
	/* scep-submit's words for failInfo badRequest. */
	must(f, GETCERT("list", "-i", "wrong"),
	    "ca-error: Transaction either is not permitted or is not "
	    "supported by server.");
	must(f, GETCERT("list", "-i", "wrong"), "stuck: yes");
	assert_false(exists(f, "wrong.pem"));
}

static void
no_challenge_is_rejected(void **state)
{
	const struct fixture *f = *state;

	assert_int_not_equal(request(f, "none", NULL), 0);
	must(f, GETCERT("list", "-i", "none"), "status: CA_REJECTED");
	assert_false(exists(f, "none.pem"));
}

static void
refreshing_asks_for_the_ca_and_leaves_what_was_issued(void **state)
{
	const struct fixture *f = *state;
	char sha1[64];
	int before;

	request(f, "fresh", "secret");
	before = count_asked(f, "GET", "GetCACert");
	must(f, GETCERT("refresh-ca", "-c", "NDES"), NULL);
	assert_true(wait_for_asked(f, "GetCACert", before + 1));
	must(f, GETCERT("refresh", "-i", "fresh"), NULL);
	must(f, GETCERT("list-cas", "-v", "-c", "NDES"),
	    thumbprint(device_ca(f->ca_certs), sha1));
	must(f, GETCERT("list", "-i", "fresh"), "status: MONITORING");
	assert_enrolled(f, "fresh.key", "fresh.pem");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_right_challenge_enrols_by_get),
		cmocka_unit_test(a_wrong_challenge_is_rejected),
		cmocka_unit_test(no_challenge_is_rejected),
		cmocka_unit_test(
		    refreshing_asks_for_the_ca_and_leaves_what_was_issued),
	};
	int failed = cmocka_run_group_tests(tests, start, NULL);

	stop(&fixture);
	return failed;
}
