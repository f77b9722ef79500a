#include "support/certmonger.h"

#include <openssl/x509.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "support/device.h"
#include "support/test.h"
#include "support/trust.h"

#define DAEMON "/usr/sbin/certmonger" /* not in everybody's PATH */
#define VERSION "certmonger 0.79.17\n"
#define START_SECONDS 20
#define STOP_SECONDS 5
#define SAY_SECONDS 20
#define WORDS_MAX 32
#define SHA1_SIZE 64

const char *const certmonger_to_the_end[] = { "-w", "--wait-timeout",
	CERTMONGER_WAIT, NULL };

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

bool
certmonger_is_known(void)
{
	const char *const argv[] = { DAEMON, "-v", NULL };
	struct child_result said;
	bool known;

	child_run(argv, NULL, &said);
	known = child_has_said(&said, VERSION);
	child_result_clear(&said);
	return known;
}

static void
make_env(struct certmonger *c)
{
	size_t count = COUNT_OF(places);

	/* Abstract: no limit on the length of $TMPDIR, nothing to remove. */
	snprintf(c->socket, sizeof(c->socket), "abstract=mockndes-%ld-%s",
	    (long)getpid(), strrchr(c->dir, '-') + 1);
	for (size_t i = 0; i < count; i++)
		snprintf(c->texts[i], sizeof(c->texts[i]), "%s=%s/%s",
		    places[i].variable, c->dir, places[i].name);
	snprintf(c->texts[count], sizeof(c->texts[count]),
	    "CERTMONGER_PVT_ADDRESS=unix:%s", c->socket);
	for (size_t i = 0; i <= count; i++)
		c->env[i] = c->texts[i];
	c->env[count + 1] = "LC_ALL=C";
	c->env[count + 2] = "no_proxy=*";
	c->env[count + 3] = NULL;
}

static void
make_dirs(const struct certmonger *c)
{
	char cas[FILE_PATH_SIZE], path[FILE_PATH_SIZE], text[256];

	for (size_t i = 0; i < COUNT_OF(places); i++)
		if (strchr(places[i].name, '/') == NULL)
			assert_int_equal(
			    mkdir(path_in(path, c->dir, places[i].name), 0700),
			    0);
	path_in(cas, c->dir, "cas");
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
start_daemon(struct certmonger *c, const char *trusted)
{
	/*
	 * setsid: a process group, to end its helpers with it. It says more
	 * than a pipe that nobody reads can hold.
	 */
	const char *const argv[] = { "sh", "-c",
		"exec setsid \"$@\" >\"$HOME/daemon.log\" 2>&1", "sh", DAEMON,
		"-L", "-P", c->socket, "-n", NULL };
	const char *words[WORDS_MAX];

	trust(trusted, argv, words, WORDS_MAX);
	child_start(&c->daemon, words, c->env);
	for (int i = 0; i < START_SECONDS * 50; i++) {
		if (is_listening(c->socket))
			return;
		if (has_ended(&c->daemon))
			break;
		poll(NULL, 0, 20);
	}
	fail_msg("the daemon does not listen; is certmonger installed?");
}

void
certmonger_stop(struct certmonger *c)
{
	if (c->daemon.pid == 0)
		return;
	kill(-c->daemon.pid, SIGTERM);
	for (int i = 0; i < STOP_SECONDS * 50 && !has_ended(&c->daemon); i++)
		poll(NULL, 0, 20);
	/* What heeds no SIGTERM, the daemon or a helper that outlives it. */
	kill(-c->daemon.pid, SIGKILL);
	waitpid(c->daemon.pid, NULL, 0);
	close(c->daemon.out);
	close(c->daemon.err);
	c->daemon.pid = 0;
}

void
certmonger_start_tls(struct certmonger *c, const char *dir, const char *url,
    const char *ca, bool trusted)
{
	memset(c, 0, sizeof(*c));
	strcpy(c->dir, dir);
	make_env(c);
	make_dirs(c);
	start_daemon(c, trusted ? ca : NULL);
	certmonger_must(c,
	    GETCERT("add-scep-ca", "-c", "NDES", "-u", url,
		ca == NULL ? NULL : "-R", ca),
	    NULL);
	certmonger_wait_for_ca(c, url);
}

void
certmonger_start(struct certmonger *c, const char *dir, const char *url)
{
	certmonger_start_tls(c, dir, url, NULL, false);
}

void
certmonger_run(const struct certmonger *c, const char *const argv[],
    struct child_result *said)
{
	child_run(argv, c->env, said);
}

void
certmonger_must(const struct certmonger *c, const char *const argv[],
    const char *words)
{
	struct child_result said;

	certmonger_run(c, argv, &said);
	if (said.status != 0 ||
	    (words != NULL && strstr((char *)said.out.data, words) == NULL))
		fail_msg("getcert %s: %d: %s%s", argv[1], said.status,
		    (char *)said.out.data, (char *)said.err.data);
	child_result_clear(&said);
}

void
certmonger_wait(const struct certmonger *c, const char *const argv[],
    const char *words)
{
	int64_t until = clock_ticks_ms() + SAY_SECONDS * 1000;
	struct child_result said;
	bool good;

	do {
		certmonger_run(c, argv, &said);
		good = said.status == 0 && child_has_said(&said, words);
		if (!good && clock_ticks_ms() > until)
			fail_msg("not \"%s\": getcert %s: %s%s", words, argv[1],
			    (char *)said.out.data, (char *)said.err.data);
		child_result_clear(&said);
		poll(NULL, 0, good ? 0 : 20);
	} while (!good);
}

/* As list-cas has it: "0123ABCD 4567..." */
static void
thumbprint(X509 *cert, char out[SHA1_SIZE])
{
	uint8_t sha1[20];

	X509_digest(cert, EVP_sha1(), sha1, NULL);
	for (size_t i = 0; i < sizeof(sha1); i++)
		out += sprintf(out, "%s%02X", i > 0 && i % 4 == 0 ? " " : "",
		    sha1[i]);
}

static X509 *
root_of(STACK_OF(X509) * certs)
{
	X509 *cert;

	for (int i = 0; i < sk_X509_num(certs); i++) {
		cert = sk_X509_value(certs, i);
		if (X509_self_signed(cert, 1) == 1)
			return cert;
	}
	fail_msg("GetCACert has no root");
	return NULL;
}

void
certmonger_wait_for_ca(const struct certmonger *c, const char *url)
{
	STACK_OF(X509) *certs = device_ca_certs(url);
	char sha1[SHA1_SIZE];

	/* Until then it refuses requests: it knows nobody to encrypt to. */
	thumbprint(root_of(certs), sha1);
	certmonger_wait(c, GETCERT("list-cas", "-v", "-c", "NDES"), sha1);
	device_ca_certs_free(certs);
}

char *
certmonger_key(const struct certmonger *c, const char *id,
    char out[FILE_PATH_SIZE])
{
	char name[64];

	snprintf(name, sizeof(name), "%s.key", id);
	return path_in(out, c->dir, name);
}

char *
certmonger_cert(const struct certmonger *c, const char *id,
    char out[FILE_PATH_SIZE])
{
	char name[64];

	snprintf(name, sizeof(name), "%s.pem", id);
	return path_in(out, c->dir, name);
}

int
certmonger_request(const struct certmonger *c, const char *id,
    const char *challenge, const char *const more[])
{
	char key[FILE_PATH_SIZE], cert[FILE_PATH_SIZE];
	const char *argv[WORDS_MAX] = { "getcert", "request", "-c", "NDES",
		"-I", id, "-k", certmonger_key(c, id, key), "-f",
		certmonger_cert(c, id, cert), "-N", "CN=" DEVICE_SUBJECT, "-D",
		DEVICE_DNS_NAME };
	struct child_result said;
	size_t count = 14;
	int status;

	if (challenge != NULL) {
		argv[count++] = "-L";
		argv[count++] = challenge;
	}
	for (; more != NULL && *more != NULL; more++) {
		assert_true(count < WORDS_MAX - 1);
		argv[count++] = *more;
	}
	certmonger_run(c, argv, &said);
	status = said.status;
	child_result_clear(&said);
	return status;
}
