/* Opening and closing; what is read of a state directory while it is open. */
#include "state/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

void
state_note(const struct state_dir *d, const char *fmt, ...)
{
	char line[512];
	va_list ap;

	if (d->note == NULL)
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	d->note(d->cls, line);
}

int
state_wrong_line(const struct state_dir *d, int line, const char *what,
    struct error *err)
{
	return error_set(err, "%s/" STATE_INDEX ":%d: %s", d->path, line, what);
}

char *
state_name(const struct index_line *line, char out[STATE_NAME_SIZE])
{
	char serial[INDEX_SERIAL_SIZE];

	snprintf(out, STATE_NAME_SIZE, "%s.pem",
	    index_serial_text(line, serial));
	return out;
}

int
state_read_certificate(const struct state_dir *d, const struct index_line *line,
    struct state_certificate *out, struct error *err)
{
	struct index_line own = { 0 };
	char path[512];
	struct blob pem;
	int ret;

	state_name(line, out->name);
	out->der = (struct blob){ NULL, 0 };
	out->damaged = false;
	if (disk_read(&d->newcerts, out->name, STATE_FILE_MAX, &pem, err) == -1)
		return -1;
	snprintf(path, sizeof(path), "%s/%s", d->newcerts_path, out->name);
	ret = x509_from_pem(blob_span(&pem), path, &out->der, err);
	blob_free(&pem);
	out->damaged = true;
	if (ret == -1)
		return -1;
	x509_read(blob_span(&out->der), &out->x509);
	if (index_serial(out->x509.serial, &own, NULL) == 0 &&
	    span_equal(span_of(own.serial, own.serial_len),
		span_of(line->serial, line->serial_len))) {
		out->damaged = false;
		return 0;
	}
	blob_free(&out->der);
	return error_set(err, "%s: bears another serial number than its name",
	    path);
}

int
state_add_line(struct buffer *b, const struct index_line *like,
    const struct x509 *x509, struct error *err)
{
	struct index_line line = *like;
	struct buffer subject = { 0 };
	size_t before = b->len;
	int ret = 0;

	line.not_after = x509->not_after;
	if (x509_name_line(x509->subject, &subject) == -1) {
		ret = error_set(err, "the subject is not a Name");
	} else {
		line.subject = buffer_span(&subject);
		index_add(b, &line);
		/* The newline is no part of it. */
		if (b->len - before > INDEX_LINE_MAX + 1)
			ret = error_set(err,
			    "the subject is too long for " STATE_INDEX);
	}
	buffer_free(&subject);
	return b->failed ? error_set(err, "out of memory") : ret;
}

int
state_open_index(struct state_dir *d, struct error *err)
{
	int fd = openat(d->top.fd, STATE_INDEX, O_RDWR | O_APPEND | O_CLOEXEC);

	if (fd == -1)
		return disk_error(&d->top, STATE_INDEX, err);
	if (d->index != -1)
		close(d->index);
	d->index = fd;
	return 0;
}

static int
open_dir(int at, const char *name, struct disk_dir *out, struct error *err)
{
	out->fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (out->fd == -1)
		return error_set(err, "%s: %s", out->path, strerror(errno));
	return 0;
}

static int
check_writable(const struct state_dir *d, struct error *err)
{
	struct stat st;
	int why;

	if (faccessat(d->top.fd, ".", R_OK | W_OK | X_OK, AT_EACCESS) == 0)
		return 0;
	why = errno;
	if (fstat(d->top.fd, &st) == 0 && st.st_uid != geteuid())
		return error_set(err,
		    "%s: belongs to user %u, user %u cannot write to it: %s",
		    d->path, st.st_uid, geteuid(), strerror(why));
	return error_set(err, "%s: cannot be written to: %s", d->path,
	    strerror(why));
}

static int
say_who_has_it(const struct state_dir *d, struct error *err)
{
	char pid[16] = "";
	ssize_t len = pread(d->lock, pid, sizeof(pid) - 1, 0);

	if (len <= 0 || strspn(pid, "0123456789") + 1 != (size_t)len)
		return error_set(err, "%s: in use by another process", d->path);
	return error_set(err, "%s: in use by process %.*s", d->path,
	    (int)len - 1, pid);
}

/* Gone with the process, however it ends. */
static int
lock(struct state_dir *d, struct error *err)
{
	char pid[16];

	d->lock = openat(d->top.fd, STATE_LOCK, O_RDWR | O_CREAT | O_CLOEXEC,
	    0600);
	if (d->lock == -1)
		return disk_error(&d->top, STATE_LOCK, err);
	if (flock(d->lock, LOCK_EX | LOCK_NB) == -1)
		return errno == EWOULDBLOCK ?
		    say_who_has_it(d, err) :
		    disk_error(&d->top, STATE_LOCK, err);
	snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
	if (ftruncate(d->lock, 0) == -1 ||
	    disk_write(d->lock, span_text(pid)) == -1)
		return disk_error(&d->top, STATE_LOCK, err);
	return 0;
}

/* A directory that was made just now is lost with the one that names it. */
static void
flush_above(const struct state_dir *d)
{
	int fd = openat(d->top.fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd == -1)
		return;
	fsync(fd);
	close(fd);
}

static int
open_top(struct state_dir *d, struct error *err)
{
	bool made = mkdir(d->path, 0700) == 0;

	if (!made && errno != EEXIST)
		return error_set(err, "%s: %s", d->path, strerror(errno));
	if (open_dir(AT_FDCWD, d->path, &d->top, err) == -1)
		return -1;
	if (made)
		flush_above(d);
	return 0;
}

static int
open_all(struct state_dir *d, const struct state_dir_options *o,
    struct error *err)
{
	if (open_top(d, err) == -1)
		return -1;
	if (state_is_foreign(d))
		return error_set(err,
		    "%s: is neither empty nor a state directory", d->path);
	if (check_writable(d, err) == -1 || lock(d, err) == -1 ||
	    state_first(d, o->keys, err) == -1 ||
	    open_dir(d->top.fd, "newcerts", &d->newcerts, err) == -1 ||
	    state_check(d, err) == -1 || state_restore(d, err) == -1)
		return -1;
	return state_open_index(d, err);
}

static struct state_dir *new (const struct state_dir_options *o)
{
	struct state_dir *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return NULL;
	d->crypto = o->crypto;
	d->note = o->note;
	d->cls = o->cls;
	d->top.fd = d->newcerts.fd = d->lock = d->index = -1;
	d->next_request = CA_FIRST_REQUEST;
	d->last = &d->waiting;
	pthread_mutex_init(&d->mutex, NULL);
	pthread_cond_init(&d->changed, NULL);
	if ((d->path = strdup(o->path)) == NULL ||
	    asprintf(&d->newcerts_path, "%s/newcerts", o->path) == -1) {
		d->newcerts_path = NULL;
		state_dir_close(d);
		return NULL;
	}
	d->top.path = d->path;
	d->newcerts.path = d->newcerts_path;
	return d;
}

int
state_dir_open(struct state_dir **out, const struct state_dir_options *o,
    struct error *err)
{
	struct state_dir *d = new (o);

	*out = NULL;
	if (d == NULL)
		return error_set(err, "out of memory");
	if (open_all(d, o, err) == -1) {
		state_dir_close(d);
		return -1;
	}
	*out = d;
	return 0;
}

static void
close_one(int fd)
{
	if (fd != -1)
		close(fd);
}

void
state_dir_close(struct state_dir *d)
{
	if (d == NULL)
		return;
	/* Only a courtesy to `openssl ca`: the next start finds it by itself. */
	if (d->index != -1 && d->serial_request != state_dir_next_request(d))
		state_write_serial(d, NULL);
	close_one(d->index);
	close_one(d->newcerts.fd);
	close_one(d->lock);
	close_one(d->top.fd);
	credentials_free(d->ca);
	pthread_cond_destroy(&d->changed);
	pthread_mutex_destroy(&d->mutex);
	free(d->path);
	free(d->newcerts_path);
	free(d);
}

struct key_set *
state_dir_keys(struct state_dir *d)
{
	return key_set_ref(d->ca->key_set);
}

static int
tell_entry(const struct state_dir *d, const struct index_line *line,
    int (*each)(void *cls, const struct state_entry *), void *cls,
    struct error *err)
{
	char *subject = span_dup_text(line->subject);
	struct state_certificate cert = { 0 };
	int ret;

	if (subject == NULL)
		return error_set(err, "out of memory");
	if ((ret = state_read_certificate(d, line, &cert, err)) == 0) {
		const struct state_entry entry = {
			.serial = cert.x509.serial,
			.subject = subject,
			.not_after = line->not_after,
			.revoked_at = line->revoked_at,
			.reason = line->reason,
			.der = blob_span(&cert.der),
		};

		ret = each(cls, &entry);
	}
	blob_free(&cert.der);
	free(subject);
	return ret == -1 ? -1 : 0;
}

int
state_dir_each(struct state_dir *d,
    int (*each)(void *cls, const struct state_entry *), void *cls,
    struct error *err)
{
	struct index_reader reader = { 0 };
	struct error why = { 0 };
	struct index_line line;
	struct blob text;
	int ret;

	if (disk_read(&d->top, STATE_INDEX, STATE_INDEX_MAX, &text, err) == -1)
		return -1;
	reader.rest = blob_span(&text);
	/* What another thread is writing just now is no whole line yet. */
	while ((ret = index_next(&reader, &line, &why)) == 1)
		if ((ret = tell_entry(d, &line, each, cls, err)) == -1)
			break;
	if (why.text[0] != '\0')
		state_wrong_line(d, reader.line, why.text, err);
	blob_free(&text);
	return ret;
}
