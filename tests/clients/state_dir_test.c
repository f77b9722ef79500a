/* --state-dir: what a client has is there after a crash. */
#include "support/test.h"

#include <openssl/pem.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/child.h"
#include "support/device.h"
#include "support/files.h"
#include "support/program.h"

#define ROUNDS 30
#define CLIENTS 16
#define RECEIVED_MAX 8192
#define SERIAL_SIZE 48
#define KILL_AFTER_MAX 60 /* certificates received in a round */

static struct device device;

/* What clients have got, over all rounds. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t grown;
	X509 *certs[RECEIVED_MAX];
	size_t count;
	bool killed;
} received = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, { NULL }, 0,
	false };

static char url[128]; /* outlives the program */
static STACK_OF(X509) * ca_certs;

static bool
keep(X509 *cert)
{
	bool go_on;

	pthread_mutex_lock(&received.lock);
	if (cert != NULL && received.count < RECEIVED_MAX) {
		X509_up_ref(cert);
		received.certs[received.count++] = cert;
	}
	pthread_cond_signal(&received.grown);
	go_on = !received.killed && received.count < RECEIVED_MAX;
	pthread_mutex_unlock(&received.lock);
	return go_on;
}

static void *
enrol_until_killed(void *cls)
{
	struct device_answer answer;
	bool go_on;

	(void)cls;
	do {
		device_enrol(&device, url, "lasting", ca_certs, &answer);
		go_on = keep(answer.certificate);
		device_answer_clear(&answer);
	} while (go_on);
	return NULL;
}

/* After this many more have been received, in the middle of all others. */
static void
kill_after(struct program *p, size_t more)
{
	struct child_result result;
	size_t until;

	pthread_mutex_lock(&received.lock);
	until = received.count + more;
	while (received.count < until)
		pthread_cond_wait(&received.grown, &received.lock);
	pthread_mutex_unlock(&received.lock);
	child_signal(&p->child, SIGKILL);
	pthread_mutex_lock(&received.lock);
	received.killed = true;
	pthread_mutex_unlock(&received.lock);
	program_finish(p, SIGKILL, &result);
	assert_int_equal(result.status, -SIGKILL);
	child_result_clear(&result);
}

static void
start(struct program *p, const char *dir)
{
	const char *words[] = { "--state-dir", dir, "--challenge", "lasting",
		NULL };

	program_start(p, words, NULL);
}

static void
crash_once(const char *dir, unsigned round)
{
	pthread_t threads[CLIENTS];
	struct program p;

	start(&p, dir);
	snprintf(url, sizeof(url), "%s", p.url);
	if (ca_certs == NULL)
		assert_non_null(ca_certs = device_ca_certs(url));
	received.killed = false;
	for (int i = 0; i < CLIENTS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL,
				     enrol_until_killed, NULL),
		    0);
	kill_after(&p, 1 + round * 37 % KILL_AFTER_MAX);
	for (int i = 0; i < CLIENTS; i++)
		pthread_join(threads[i], NULL);
}

static char *
serial_text(const X509 *cert, char out[SERIAL_SIZE])
{
	const ASN1_INTEGER *n = X509_get0_serialNumber(cert);
	char *to = out;

	*to = '\0';
	for (int i = 0; i < n->length && i < (SERIAL_SIZE - 1) / 2; i++)
		to += sprintf(to, "%02X", n->data[i]);
	return out;
}

static void
is_on_disk(const char *dir, X509 *cert)
{
	char serial[SERIAL_SIZE], name[SERIAL_SIZE + 16], path[FILE_PATH_SIZE];
	X509 *kept;
	BIO *bio;

	snprintf(name, sizeof(name), "newcerts/%s.pem",
	    serial_text(cert, serial));
	if ((bio = BIO_new_file(path_in(path, dir, name), "r")) == NULL)
		fail_msg("%s is not there", path);
	kept = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	BIO_free(bio);
	if (kept == NULL || X509_cmp(kept, cert) != 0)
		fail_msg("%s is not what the client has", path);
	X509_free(kept);
}

static int
compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* The serial numbers in index.txt, sorted; every line must be whole. */
static size_t
read_index(const char *dir, char (**out)[SERIAL_SIZE])
{
	char path[FILE_PATH_SIZE], *line, *next, expires[32], subject[256];
	char(*serials)[SERIAL_SIZE] = NULL;
	struct buffer text = { 0 };
	size_t count = 0;

	assert_true(file_read(path_in(path, dir, "index.txt"), &text));
	for (line = (char *)text.data; *line != '\0'; line = next) {
		next = line + strcspn(line, "\n");
		assert_int_equal(*next, '\n');
		*next++ = '\0';
		if (*line == '#')
			continue;
		serials = realloc(serials, (count + 1) * sizeof(*serials));
		assert_non_null(serials);
		if (sscanf(line, "V\t%31[0-9Z]\t\t%47[0-9A-F]\tunknown\t%255s",
			expires, serials[count], subject) != 3)
			fail_msg("line %zu of %s: \"%s\"", count + 1, path,
			    line);
		count++;
	}
	buffer_free(&text);
	qsort(serials, count, sizeof(*serials), compare);
	*out = serials;
	return count;
}

static void
nothing_was_lost(const char *dir)
{
	char(*serials)[SERIAL_SIZE], serial[SERIAL_SIZE];
	size_t count = read_index(dir, &serials);

	for (size_t i = 1; i < count; i++)
		assert_string_not_equal(serials[i - 1], serials[i]);
	for (size_t i = 0; i < received.count; i++) {
		serial_text(received.certs[i], serial);
		if (bsearch(serial, serials, count, sizeof(*serials),
			compare) == NULL)
			fail_msg("certificate %zu is not in index.txt", i);
		is_on_disk(dir, received.certs[i]);
	}
	free(serials);
}

static void
openssl_works_on(const char *dir)
{
	const char *gencrl[] = { "sh", "-c",
		"cd \"$0\" && openssl ca -config openssl.cnf -gencrl "
		"-out crl.out && openssl crl -in crl.out -CAfile ca.pem "
		"-noout && openssl verify -CAfile ca.pem newcerts/*.pem "
		"ra-*.pem",
		dir, NULL };
	struct child_result result;

	child_run(gencrl, NULL, &result);
	if (result.status != 0)
		fail_msg("%d: %s", result.status, (char *)result.err.data);
	child_result_clear(&result);
}

static void
thirty_crashes_lose_nothing(void **state)
{
	char dir[FILE_PATH_SIZE];

	(void)state;
	dir_make(dir);
	for (unsigned round = 0; round < ROUNDS; round++)
		crash_once(dir, round);
	nothing_was_lost(dir);
	openssl_works_on(dir);
	dir_remove(dir);
	for (size_t i = 0; i < received.count; i++)
		X509_free(received.certs[i]);
	device_ca_certs_free(ca_certs);
}

/* A second process, and one after it that finds what the first has left. */
static void
one_process_at_a_time(void **state)
{
	char dir[FILE_PATH_SIZE], path[FILE_PATH_SIZE];
	const char *words[] = { "serve", "--listen", "127.0.0.1:0", "--control",
		"off", "--state-dir", dir, NULL };
	struct buffer before, after;
	struct child_result result;
	struct program p;

	(void)state;
	dir_make(dir);
	start(&p, dir);
	program_run(words, NULL, &result);
	assert_int_equal(result.status, 1);
	assert_non_null(strstr((char *)result.err.data, "in use by process"));
	child_result_clear(&result);
	assert_true(file_read(path_in(path, dir, "ca.pem"), &before));
	program_stop(&p, SIGTERM);
	start(&p, dir);
	program_stop(&p, SIGTERM);
	assert_true(file_read(path, &after));
	assert_string_equal((char *)before.data, (char *)after.data);
	buffer_free(&before);
	buffer_free(&after);
	dir_remove(dir);
}

/* What cannot be meant, or is broken, is said in one line; and stays. */
static void
what_is_wrong_is_said(void **state)
{
	static const struct {
		const char *set;
		int status;
		const char *says;
	} rows[] = {
		{ "server.ca.tiers=2", 2, "--state-dir keeps one CA" },
		{ "server.ca.key=ec-p256", 2, "--state-dir keeps one CA" },
		{ "server.ra.signing.not_after=-2d", 2,
		    "--state-dir keeps the RAs" },
		{ "server.ra.encryption.key_usage=none", 2,
		    "--state-dir keeps the RAs" },
		{ "server.windows=2016", 1, "index.txt:1: " },
	};
	char dir[FILE_PATH_SIZE], path[FILE_PATH_SIZE];
	const char *words[] = { "serve", "--listen", "127.0.0.1:0", "--control",
		"off", "--state-dir", dir, "--set", NULL, NULL };
	struct child_result result;
	struct buffer left;
	struct program p;

	(void)state;
	dir_make(dir);
	start(&p, dir);
	program_stop(&p, SIGTERM);
	file_write(path_in(path, dir, "index.txt"), "nonsense\n", 9);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		words[8] = rows[i].set;
		program_run(words, NULL, &result);
		if (result.status != rows[i].status ||
		    strstr((char *)result.err.data, rows[i].says) == NULL)
			fail_msg("%s: %d \"%s\"", rows[i].set, result.status,
			    (char *)result.err.data);
		child_result_clear(&result);
	}
	assert_true(file_read(path, &left));
	assert_string_equal((char *)left.data, "nonsense\n");
	buffer_free(&left);
	dir_remove(dir);
}

/* Without --verbose, too. */
static void
what_is_recovered_is_said(void **state)
{
	static const char torn[] = "# nothing of value\nV\t27";
	char dir[FILE_PATH_SIZE], path[FILE_PATH_SIZE];
	struct child_result result;
	struct program p;

	(void)state;
	dir_make(dir);
	start(&p, dir);
	program_stop(&p, SIGTERM);
	file_write(path_in(path, dir, "index.txt"), torn, sizeof(torn) - 1);
	start(&p, dir);
	program_finish(&p, SIGTERM, &result);
	assert_int_equal(result.status, 0);
	assert_non_null(strstr((char *)result.err.data,
	    "/index.txt:2: torn last line, cut off\n"));
	child_result_clear(&result);
	dir_remove(dir);
}

static int
prepare(void **state)
{
	(void)state;
	web_start();
	return device_make(&device) ? 0 : -1;
}

static int
clean(void **state)
{
	(void)state;
	device_clear(&device);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_process_at_a_time),
		cmocka_unit_test(what_is_wrong_is_said),
		cmocka_unit_test(what_is_recovered_is_said),
		cmocka_unit_test(thirty_crashes_lose_nothing),
	};

	return cmocka_run_group_tests(tests, prepare, clean);
}
