/*
 * State directories whose process is killed, or whose disk is full: at every
 * single step, and at random moments.
 */
#include "unit/state.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define WORKERS 4
#define RESTARTS 30
#define SHARING 16 /* threads that add at the same time */

/* The calls that change a disk, each a step; these stand before libc's. */
static struct {
	_Atomic int left; /* steps until it happens; 0: never */
	int kind;	  /* an errno; 0: SIGKILL */
	_Atomic bool happened;
	bool slow; /* flushes are real */
	/* fsync() waits until so many files were renamed; 0: it does not. */
	_Atomic int renames, awaited, flushes;
} fault;

static void
arm(int left, int kind)
{
	fault.kind = kind;
	fault.happened = false;
	atomic_store(&fault.left, left);
}

/* 0: go on. */
static int
step(void)
{
	if (atomic_load(&fault.left) == 0 ||
	    atomic_fetch_sub(&fault.left, 1) != 1)
		return 0;
	fault.happened = true;
	if (fault.kind == 0)
		raise(SIGKILL);
	errno = fault.kind;
	return -1;
}

ssize_t
write(int fd, const void *data, size_t len)
{
	/* Of a full disk, half a write is seen first. */
	if (atomic_load(&fault.left) == 1 && len > 1 && fault.kind != 0) {
		atomic_store(&fault.left, 2);
		len /= 2;
	} else if (atomic_load(&fault.left) == 1 && len > 1) {
		syscall(SYS_write, fd, data, len / 2);
	}
	return step() == -1 ? -1 : syscall(SYS_write, fd, data, len);
}

int
ftruncate(int fd, off_t len)
{
	return step() == -1 ? -1 : (int)syscall(SYS_ftruncate, fd, len);
}

int
mkdirat(int dir, const char *name, mode_t mode)
{
	return step() == -1 ? -1 : (int)syscall(SYS_mkdirat, dir, name, mode);
}

int
unlinkat(int dir, const char *name, int flags)
{
	return step() == -1 ? -1 : (int)syscall(SYS_unlinkat, dir, name, flags);
}

int
renameat(int from, const char *name, int to, const char *other)
{
	int ret = step() == -1 ?
	    -1 :
	    (int)syscall(SYS_renameat, from, name, to, other);

	atomic_fetch_add(&fault.renames, 1);
	return ret;
}

int
fdatasync(int fd)
{
	if (step() == -1)
		return -1;
	return fault.slow ? (int)syscall(SYS_fdatasync, fd) : 0;
}

int
fsync(int fd)
{
	atomic_fetch_add(&fault.flushes, 1);
	while (atomic_load(&fault.renames) < atomic_load(&fault.awaited))
		sched_yield();
	if (step() == -1)
		return -1;
	return fault.slow ? (int)syscall(SYS_fsync, fd) : 0;
}

/* Three certificates, 4 to 6. */
static char template[FILE_PATH_SIZE];
static struct state_issued issued[3], fresh;
#define FRESH_NUMBER 7

static void
make_template(void)
{
	struct state_dir *d = state_open(dir_make(template));
	struct credentials *cred = state_credentials(d);
	struct error err = { 0 };
	uint8_t subject[32];

	for (uint32_t i = 0; i < 3; i++)
		state_add(d, CA_FIRST_REQUEST + i, &issued[i]);
	assert_int_equal(state_dir_revoke(d,
			     span_of(issued[1].serial, CA_SERIAL_SIZE),
			     time(NULL), 4, &err),
	    0);
	assert_int_equal(state_issue(cred, FRESH_NUMBER,
			     state_subject(FRESH_NUMBER, subject), time(NULL),
			     &fresh),
	    0);
	credentials_free(cred);
	state_dir_close(d);
	setenv("A", issued[0].text, 1);
	setenv("C", issued[2].text, 1);
}

/* What is done while it happens; -1: it failed, and says why. */

static int
open_only(const char *dir, struct error *err)
{
	struct state_dir *d;

	if (state_try(&d, dir, err) == -1)
		return -1;
	state_dir_close(d);
	return 0;
}

static int
add_one(const char *dir, struct error *err)
{
	struct state_dir *d;
	int ret;

	if (state_try(&d, dir, err) == -1)
		return -1;
	ret = state_dir_add(d, blob_span(&fresh.der), err);
	state_dir_close(d);
	return ret;
}

static int
revoke_one(const char *dir, struct error *err)
{
	struct state_dir *d;
	int ret;

	if (state_try(&d, dir, err) == -1)
		return -1;
	ret = state_dir_revoke(d, span_of(issued[2].serial, CA_SERIAL_SIZE),
	    time(NULL), 1, err);
	state_dir_close(d);
	return ret;
}

static int
write_one_crl(const char *dir, struct error *err)
{
	struct state_dir *d;
	int ret;

	if (state_try(&d, dir, err) == -1)
		return -1;
	ret = state_dir_write_crl(d, span_text("not looked at"), 1, err);
	state_dir_close(d);
	return ret;
}

static const struct act {
	const char *row;
	const char *prepare; /* NULL: in an empty directory */
	int (*act)(const char *dir, struct error *);
	/* Of the certificates, in any order: before it, and after it. */
	const char *before, *after;
} acts[] = {
	{ "the first start", NULL, open_only, "", "" },
	{ "a start", "rm serial openssl.cnf", open_only, "RVV", "RVV" },
	{ "a start that recovers",
	    "sed -i 2d index.txt && truncate -s -9 index.txt && "
	    ": >newcerts/.47.new && : >.index.txt.new && "
	    ": >newcerts/4711.pem",
	    open_only, "RVV", "RVV" },
	{ "adding", ":", add_one, "RVV", "RVVV" },
	{ "adding to an empty one", "", add_one, "", "V" },
	{ "revoking", ":", revoke_one, "RVV", "RRV" },
	{ "writing a CRL", ":", write_one_crl, "RVV", "RVV" },
};

static void
prepare(const struct act *t, char dir[FILE_PATH_SIZE])
{
	struct buffer said;

	dir_make(dir);
	if (t->prepare == NULL)
		return;
	if (t->prepare[0] == '\0') {
		state_dir_close(state_open(dir));
		return;
	}
	state_copy_into(template, dir);
	if (strcmp(t->prepare, ":") == 0)
		return;
	state_shell(dir, t->prepare, 0, &said);
	buffer_free(&said);
}

static int
tell(void *cls, const struct state_entry *e)
{
	char *told = cls;
	size_t len = strlen(told);

	if (len == 15)
		return -1;
	/* The revoked ones first. */
	told[len] = 'V';
	if (e->revoked_at != 0) {
		memmove(told + 1, told, len);
		told[0] = 'R';
	}
	return 0;
}

/* Whole after one start, which then has no more to say. */
static void
assert_whole(const struct act *t, const char *dir, bool done)
{
	struct error err = { 0 };
	struct state_dir *d;
	char told[17] = "";

	state_dir_close(state_open(dir));
	d = state_open(dir);
	assert_string_equal(state_notes, "");
	assert_int_equal(state_dir_each(d, tell, told, &err), 0);
	if (done || strcmp(told, t->before) != 0)
		assert_string_equal(told, t->after);
	state_dir_close(d);
}

/* True: it was killed. */
static bool
run_and_kill(const struct act *t, const char *dir, int at)
{
	struct error err = { 0 };
	int status;
	pid_t pid;

	if ((pid = fork()) == 0) {
		arm(at, 0);
		_exit(t->act(dir, &err) == -1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status)) {
		assert_int_equal(WTERMSIG(status), SIGKILL);
		return true;
	}
	assert_int_equal(WEXITSTATUS(status), 0);
	return false;
}

static void
killed_at_each_step(void **state)
{
	const struct act *t = *state;
	char dir[FILE_PATH_SIZE];
	bool killed = true;

	for (int at = 1; killed; at++) {
		prepare(t, dir);
		killed = run_and_kill(t, dir, at);
		assert_true(killed || at > 4);
		assert_whole(t, dir, !killed);
		dir_remove(dir);
	}
}

/* And the start after it at some step, too. Not all pairs: it takes long. */
static void
killed_twice(void **state)
{
	const struct act *t = *state;
	static const struct act start = { .act = open_only };
	char dir[FILE_PATH_SIZE];
	bool killed = true;

	for (int at = 2; killed; at += 3) {
		prepare(t, dir);
		killed = run_and_kill(t, dir, at);
		run_and_kill(&start, dir, 1 + at * 7 % 19);
		assert_whole(t, dir, !killed);
		dir_remove(dir);
	}
}

static const struct full {
	const char *row;
	int kind;
} fulls[] = {
	{ "the disk is full", ENOSPC },
	{ "the disk fails", EIO },
};

/* It says so, and the next start finds nothing that is not whole. */
static void
fails_at_each_step(void **state)
{
	const struct full *full = *state;
	char dir[FILE_PATH_SIZE];
	struct error err;

	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
		fault.happened = true;
		for (int at = 1; fault.happened; at++) {
			int ret;

			prepare(&acts[i], dir);
			err = (struct error){ 0 };
			arm(at, full->kind);
			ret = acts[i].act(dir, &err);
			atomic_store(&fault.left, 0);
			if (ret == -1) {
				/* The latter by key_set_save(). */
				if (strstr(err.text, strerror(full->kind)) ==
					NULL &&
				    strstr(err.text,
					"could not be written whole") == NULL)
					fail_msg("%s", err.text);
				assert_int_equal(strncmp(err.text, dir,
						     strlen(dir)),
				    0);
			}
			assert_whole(&acts[i], dir, ret == 0);
			dir_remove(dir);
		}
	}
}

/* What has failed once can go on, unless a flush has. */
static void
goes_on(void **state)
{
	const struct full *full = *state;
	char dir[FILE_PATH_SIZE], told[17];
	struct error err;
	int failed = 0, again = 0;

	fault.happened = true;
	for (int at = 1; fault.happened; at++) {
		struct state_dir *d = state_open(dir_make(dir));
		int first, second;

		err = (struct error){ 0 };
		arm(at, full->kind);
		first = state_dir_add(d, blob_span(&fresh.der), &err);
		atomic_store(&fault.left, 0);
		failed += first == -1;
		err = (struct error){ 0 };
		second = state_dir_add(d, blob_span(&issued[0].der), &err);
		again += second == 0;
		if (second == -1)
			assert_non_null(
			    strstr(err.text, "nothing more is written"));
		state_dir_close(d);
		d = state_open(dir);
		told[0] = '\0';
		memset(told, 0, sizeof(told));
		assert_int_equal(state_dir_each(d, tell, told, &err), 0);
		/* A line of what failed is there where nobody can know. */
		assert_in_range(strlen(told), (first == 0) + (second == 0),
		    second == 0 ? 1 + (first == 0) : 2);
		state_dir_close(d);
		dir_remove(dir);
	}
	assert_in_range(failed, 5, 20);
	assert_in_range(again, 3, failed + 1);
}

/* Threads of a process that adds until it is killed. */

static struct {
	struct state_dir *dir;
	struct credentials *cred;
	_Atomic uint32_t number;
	int out; /* where a serial number is told once it is on disk */
} work;

static void *
add_for_ever(void *cls)
{
	uint8_t subject[32];
	char line[2 * CA_SERIAL_SIZE + 2];
	struct error err = { 0 };
	struct state_issued i;

	(void)cls;
	for (;;) {
		uint32_t number = atomic_fetch_add(&work.number, 1);

		if (state_issue(work.cred, number,
			state_subject(number, subject), time(NULL), &i) == -1 ||
		    state_dir_add(work.dir, blob_span(&i.der), &err) == -1)
			_exit(1);
		snprintf(line, sizeof(line), "%s\n", i.text);
		if (write(work.out, line, strlen(line)) == -1)
			_exit(1);
		blob_free(&i.der);
	}
	return NULL;
}

static _Noreturn void
be_killed(const char *dir, int out)
{
	struct error err = { 0 };
	pthread_t thread;

	if (state_try(&work.dir, dir, &err) == -1) {
		dprintf(out, "%s\n", err.text);
		_exit(1);
	}
	work.cred = state_credentials(work.dir);
	work.number = state_dir_next_request(work.dir);
	work.out = out;
	for (int i = 1; i < WORKERS; i++)
		pthread_create(&thread, NULL, add_for_ever, NULL);
	add_for_ever(NULL);
	_exit(1);
}

/* Kills it after so many lines; takes all that it said before. */
static void
kill_after(const char *dir, unsigned lines, struct buffer *said)
{
	size_t wanted = said->len + lines * (2 * CA_SERIAL_SIZE + 1);
	int out[2], status;
	uint8_t chunk[4096];
	ssize_t len;
	pid_t pid;

	assert_int_equal(pipe(out), 0);
	if ((pid = fork()) == 0) {
		close(out[0]);
		be_killed(dir, out[1]);
	}
	close(out[1]);
	while (said->len < wanted &&
	    (len = read(out[0], chunk, sizeof(chunk))) > 0)
		buffer_add(said, chunk, (size_t)len);
	assert_int_equal(kill(pid, SIGKILL), 0);
	while ((len = read(out[0], chunk, sizeof(chunk))) > 0)
		buffer_add(said, chunk, (size_t)len);
	close(out[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFSIGNALED(status))
		fail_msg("%.*s", (int)said->len, (char *)said->data);
}

/* All from there on, before anything is recovered. */
static void
assert_there(const char *dir, const struct buffer *said, size_t from)
{
	char path[FILE_PATH_SIZE], name[80], field[80];
	struct buffer index;

	/* Killed before the directory was complete: nothing was said. */
	if (!file_read(path_in(path, dir, "index.txt"), &index))
		assert_int_equal(said->len, from);
	for (size_t at = from; at < said->len; at += 2 * CA_SERIAL_SIZE + 1) {
		const char *serial = (const char *)said->data + at;
		char *line;
		X509 *cert;
		BIO *bio;

		snprintf(field, sizeof(field), "\t%.*s\tunknown\t",
		    2 * CA_SERIAL_SIZE, serial);
		assert_non_null(line = strstr((char *)index.data, field));
		assert_null(strstr(line + 1, field));
		snprintf(name, sizeof(name), "newcerts/%.*s.pem",
		    2 * CA_SERIAL_SIZE, serial);
		bio = BIO_new_file(path_in(path, dir, name), "r");
		assert_non_null(bio);
		assert_non_null(
		    cert = PEM_read_bio_X509(bio, NULL, NULL, NULL));
		X509_free(cert);
		BIO_free(bio);
	}
	buffer_free(&index);
}

static void
killed_at_random(void **state)
{
	unsigned seed = (unsigned)time(NULL) ^ (unsigned)getpid();
	struct buffer said = { 0 }, out;
	char dir[FILE_PATH_SIZE];

	(void)state;
	print_message("seed %u\n", seed);
	fault.slow = true;
	dir_make(dir);
	for (int i = 0; i < RESTARTS; i++) {
		size_t before = said.len;

		kill_after(dir, (unsigned)rand_r(&seed) % 40, &said);
		assert_there(dir, &said, before);
	}
	assert_there(dir, &said, 0);
	fault.slow = false;
	/* No serial number is there twice, and OpenSSL agrees with all. */
	state_dir_close(state_open(dir));
	state_shell(dir,
	    "! grep -v '^#' index.txt | cut -f 4 | sort | uniq -d | grep . && "
	    "openssl verify -CAfile ca.pem newcerts/*.pem >v && "
	    "test $(grep -c OK v) = $(grep -c unknown index.txt) && "
	    "test $(grep -c OK v) = $(ls newcerts | wc -l) && "
	    "openssl ca -config openssl.cnf -gencrl -out crl.pem",
	    0, &out);
	buffer_free(&out);
	buffer_free(&said);
	dir_remove(dir);
}

static void *
add_once(void *cls)
{
	uint32_t number = atomic_fetch_add(&work.number, 1);
	struct error err = { 0 };
	uint8_t subject[32];
	struct state_issued i;
	int *ret = cls;

	*ret = -1;
	if (state_issue(work.cred, number, state_subject(number, subject),
		time(NULL), &i) == -1)
		return NULL;
	*ret = state_dir_add(work.dir, blob_span(&i.der), &err);
	blob_free(&i.der);
	return NULL;
}

/* While the first one flushes, all others write their files. */
static void
flushes_are_shared(void **state)
{
	char dir[FILE_PATH_SIZE], told[17] = "";
	pthread_t threads[SHARING];
	int ret[SHARING];
	struct state_dir *d;

	(void)state;
	work.dir = state_open(dir_make(dir));
	work.cred = state_credentials(work.dir);
	work.number = CA_FIRST_REQUEST;
	atomic_store(&fault.renames, 0);
	atomic_store(&fault.flushes, 0);
	atomic_store(&fault.awaited, SHARING);
	for (int i = 0; i < SHARING; i++)
		pthread_create(&threads[i], NULL, add_once, &ret[i]);
	for (int i = 0; i < SHARING; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(ret[i], 0);
	}
	atomic_store(&fault.awaited, 0);
	assert_in_range(fault.flushes, 1, SHARING / 2);
	credentials_free(work.cred);
	state_dir_close(work.dir);
	d = state_open(dir);
	assert_string_equal(state_notes, "");
	assert_int_equal(state_dir_next_request(d), CA_FIRST_REQUEST + SHARING);
	assert_int_equal(state_dir_each(d, tell, told, NULL), -1);
	assert_string_equal(told, "VVVVVVVVVVVVVVV");
	state_dir_close(d);
	dir_remove(dir);
}

static int
set_up(void **state)
{
	(void)state;
	state_set_up();
	make_template();
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++)
		blob_free(&issued[i].der);
	blob_free(&fresh.der);
	dir_remove(template);
	state_tear_down();
	return 0;
}

int
main(void)
{
	static const struct table tables[] = {
		ROWS(killed_at_each_step, acts),
		ROWS(killed_twice, acts),
		ROWS(fails_at_each_step, fulls),
		ROWS(goes_on, fulls),
		ONE(killed_at_random,
		    "nothing is lost, nothing is there twice"),
		ONE(flushes_are_shared, "those who add share their flushes"),
	};

	return ROWS_RUN(tables, set_up, tear_down);
}
