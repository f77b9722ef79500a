/*
 * Writing. Whoever finds index.txt free takes it for himself, and writes what
 * all who wait have brought: a flush for all of them, while the next ones
 * write their files.
 */
#include "state/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct addition {
	struct buffer line;
	bool done, uncertain; /* whether the line is there */
	int result;
	struct error err;
	struct addition *next;
};

static void
take_index(struct state_dir *d)
{
	pthread_mutex_lock(&d->mutex);
	while (d->writing)
		pthread_cond_wait(&d->changed, &d->mutex);
	d->writing = true;
	pthread_mutex_unlock(&d->mutex);
}

static void
leave_index(struct state_dir *d)
{
	pthread_mutex_lock(&d->mutex);
	d->writing = false;
	pthread_cond_broadcast(&d->changed);
	pthread_mutex_unlock(&d->mutex);
}

/* What was not flushed may be lost even if it can be read. */
static int
give_up(struct state_dir *d, const char *file, struct error *err)
{
	error_set(&d->broken, "%s/%s: %s; nothing more is written", d->path,
	    file, strerror(errno));
	return error_set(err, "%s", d->broken.text);
}

/* `openssl ca -revoke` puts another file in its place. */
static int
follow_index(struct state_dir *d, off_t *size, struct error *err)
{
	struct stat own, named;
	char last;

	if (fstat(d->index, &own) == -1 ||
	    fstatat(d->top.fd, STATE_INDEX, &named, 0) == -1)
		return disk_error(&d->top, STATE_INDEX, err);
	*size = named.st_size;
	if ((own.st_dev != named.st_dev || own.st_ino != named.st_ino) &&
	    state_open_index(d, err) == -1)
		return -1;
	if (*size > 0 &&
	    (pread(d->index, &last, 1, *size - 1) != 1 || last != '\n'))
		return error_set(err,
		    "%s/" STATE_INDEX ": was changed, its last line is torn",
		    d->path);
	return 0;
}

static int
append(struct state_dir *d, struct span lines, struct error *err)
{
	off_t size = 0;
	int why;

	if (d->broken.text[0] != '\0')
		return error_set(err, "%s", d->broken.text);
	if (fsync(d->newcerts.fd) == -1)
		return give_up(d, "newcerts", err);
	if (follow_index(d, &size, err) == -1)
		return -1;
	if (size + (off_t)lines.len > STATE_INDEX_MAX)
		return error_set(err, "%s/" STATE_INDEX ": full, %d octets",
		    d->path, STATE_INDEX_MAX);
	if (disk_write(d->index, lines) == -1) {
		why = errno;
		if (ftruncate(d->index, size) == -1)
			return give_up(d, STATE_INDEX, err);
		errno = why;
		return disk_error(&d->top, STATE_INDEX, err);
	}
	return fdatasync(d->index) == -1 ? give_up(d, STATE_INDEX, err) : 0;
}

static void
append_all(struct state_dir *d, struct addition *list)
{
	struct buffer lines = { 0 };
	struct error err = { 0 };
	int ret = -1;

	for (struct addition *a = list; a != NULL; a = a->next)
		buffer_add_span(&lines, buffer_span(&a->line));
	if (lines.failed)
		error_set(&err, "out of memory");
	else
		ret = append(d, buffer_span(&lines), &err);
	buffer_free(&lines);
	for (struct addition *a = list; a != NULL; a = a->next) {
		a->result = ret;
		a->err = err;
		a->uncertain = d->broken.text[0] != '\0';
	}
}

/* By us, or by somebody who was first. */
static int
add_to_index(struct state_dir *d, struct addition *own, struct error *err)
{
	struct addition *list;

	pthread_mutex_lock(&d->mutex);
	*d->last = own;
	d->last = &own->next;
	while (!own->done && d->writing)
		pthread_cond_wait(&d->changed, &d->mutex);
	if (!own->done) {
		list = d->waiting;
		d->waiting = NULL;
		d->last = &d->waiting;
		d->writing = true;
		pthread_mutex_unlock(&d->mutex);
		append_all(d, list);
		pthread_mutex_lock(&d->mutex);
		for (; list != NULL; list = list->next)
			list->done = true;
		d->writing = false;
		pthread_cond_broadcast(&d->changed);
	}
	pthread_mutex_unlock(&d->mutex);
	return own->result == 0 ? 0 : error_set(err, "%s", own->err.text);
}

/* No half of it is ever seen under this name. */
static int
put_certificate(struct state_dir *d, const char *name, struct span pem,
    struct error *err)
{
	char temporary[STATE_NAME_SIZE + 8];

	snprintf(temporary, sizeof(temporary), ".%.*s" DISK_TEMPORARY,
	    (int)strcspn(name, "."), name);
	if (disk_create(&d->newcerts, temporary, 0644, pem, err) == -1)
		return -1;
	errno = EEXIST;
	if (!disk_has(&d->newcerts, name) &&
	    renameat(d->newcerts.fd, temporary, d->newcerts.fd, name) == 0)
		return 0;
	disk_error(&d->newcerts, name, err);
	unlinkat(d->newcerts.fd, temporary, 0);
	return -1;
}

static int
describe(const struct state_dir *d, struct span der, struct index_line *line,
    struct buffer *text, struct error *err)
{
	struct x509 cert;

	if (x509_read(der, &cert) == -1)
		return error_set(err, "not a certificate");
	if (!span_equal(cert.issuer, d->ca->certs[CA_ISSUING].subject))
		return error_set(err, "not a certificate of the CA in %s",
		    d->path);
	*line = (struct index_line){ .status = 'V' };
	if (index_serial(cert.serial, line, err) == -1)
		return -1;
	return state_add_line(text, line, &cert, err);
}

static int
write_both(struct state_dir *d, struct span der, const struct index_line *line,
    struct addition *a, struct error *err)
{
	char name[STATE_NAME_SIZE];
	struct blob pem;
	int ret;

	if (x509_to_pem(der, &pem) == -1)
		return error_set(err, "out of memory");
	state_name(line, name);
	if (pem.len > STATE_FILE_MAX)
		ret = error_set(err, "%s/%s: larger than %d octets",
		    d->newcerts_path, name, STATE_FILE_MAX);
	else
		ret = put_certificate(d, name, blob_span(&pem), err);
	blob_free(&pem);
	if (ret == -1)
		return -1;
	ret = add_to_index(d, a, err);
	/* Where the line may be there after all, so must the file. */
	if (ret == -1 && !a->uncertain)
		unlinkat(d->newcerts.fd, name, 0);
	return ret;
}

int
state_dir_add(struct state_dir *d, struct span der, struct error *err)
{
	struct addition a = { 0 };
	struct index_line line;
	int ret = -1;

	if (describe(d, der, &line, &a.line, err) == 0)
		ret = write_both(d, der, &line, &a, err);
	buffer_free(&a.line);
	if (ret == 0)
		state_count_serial(d, &line);
	return ret;
}

static int
add_revoked(const struct state_dir *d, const struct index_line *line,
    const char *revocation, struct buffer *out, struct error *err)
{
	struct index_line revoked = *line;
	char serial[INDEX_SERIAL_SIZE];

	if (line->status == 'R')
		return error_set(err, "%s: %s is revoked already", d->path,
		    index_serial_text(line, serial));
	revoked.status = 'R';
	revoked.revocation = span_text(revocation);
	index_add(out, &revoked);
	return 1;
}

/* A copy of index.txt, in which this one is revoked. */
static int
copy_revoked(const struct state_dir *d, const struct index_line *wanted,
    const char *revocation, struct buffer *out, struct error *err)
{
	struct index_reader reader = { 0 };
	struct span serial = span_of(wanted->serial, wanted->serial_len);
	char digits[INDEX_SERIAL_SIZE];
	struct error why = { 0 };
	struct index_line line;
	struct blob text;
	const uint8_t *before;
	int ret, found = 0;

	if (disk_read(&d->top, STATE_INDEX, STATE_INDEX_MAX, &text, err) == -1)
		return -1;
	reader.rest = blob_span(&text);
	before = text.data;
	while ((ret = index_next(&reader, &line, &why)) == 1 && found != -1) {
		size_t len = (size_t)(line.whole.data - before);

		/* Comments stand before it. */
		buffer_add(out, before, len);
		if (span_equal(span_of(line.serial, line.serial_len), serial))
			found = add_revoked(d, &line, revocation, out, err);
		else
			buffer_add(out, line.whole.data, line.whole.len + 1);
		before = line.whole.data + line.whole.len + 1;
	}
	if (ret == -1)
		found = state_wrong_line(d, reader.line, why.text, err);
	if (found == 0)
		error_set(err, "%s: there is no certificate %s", d->path,
		    index_serial_text(wanted, digits));
	buffer_add(out, before, (size_t)(text.data + text.len - before));
	blob_free(&text);
	return found == 1 ? 0 : -1;
}

static int
rewrite_index(struct state_dir *d, const struct index_line *wanted,
    const char *revocation, struct error *err)
{
	struct buffer text = { 0 };
	int ret;

	if (d->broken.text[0] != '\0')
		return error_set(err, "%s", d->broken.text);
	ret = copy_revoked(d, wanted, revocation, &text, err);
	if (ret == 0 && text.failed)
		ret = error_set(err, "out of memory");
	if (ret == 0 &&
	    (ret = disk_replace(&d->top, STATE_INDEX, buffer_span(&text),
		 err)) == 0)
		ret = state_open_index(d, err);
	buffer_free(&text);
	return ret;
}

int
state_dir_revoke(struct state_dir *d, struct span serial, int64_t at,
    int reason, struct error *err)
{
	char revocation[INDEX_REVOCATION_SIZE];
	struct index_line wanted = { 0 };
	int ret;

	if (index_revocation(at, reason, revocation, err) == -1 ||
	    index_serial(serial, &wanted, err) == -1)
		return -1;
	take_index(d);
	ret = rewrite_index(d, &wanted, revocation, err);
	leave_index(d);
	return ret;
}

/* The number first: rather a gap than the same number twice. */
static int
write_crl(struct state_dir *d, struct span pem, uint32_t number,
    struct error *err)
{
	char text[16];

	if (number < atomic_load(&d->next_crl) || number == UINT32_MAX)
		return error_set(err,
		    "RFC 5280 5.2.3: the number of the next CRL is %u, not %u",
		    atomic_load(&d->next_crl), number);
	number++;
	snprintf(text, sizeof(text),
	    number < 0x100	   ? "%02X\n" :
		number < 0x10000   ? "%04X\n" :
		number < 0x1000000 ? "%06X\n" :
				     "%08X\n",
	    number);
	if (disk_replace(&d->top, STATE_CRL_NUMBER, span_text(text), err) == -1)
		return -1;
	atomic_store(&d->next_crl, number);
	return disk_replace(&d->top, STATE_CRL, pem, err);
}

int
state_dir_write_crl(struct state_dir *d, struct span crl, uint32_t number,
    struct error *err)
{
	struct blob pem;
	int ret;

	if (x509_crl_to_pem(crl, &pem) == -1)
		return error_set(err, "out of memory");
	take_index(d);
	ret = write_crl(d, blob_span(&pem), number, err);
	leave_index(d);
	blob_free(&pem);
	return ret;
}
