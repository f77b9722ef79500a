#include "evidence/record.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

struct log_files {
	char dir[PATH_MAX - 64];
	pthread_mutex_t lock;
	struct iis_log_place place; /* of the IIS log */
	struct iis_log_place httperr;
};

/* With all that lead to it, like mkdir -p. */
static int
make_dir(const char *path, struct error *err)
{
	char part[PATH_MAX];

	for (size_t len = 1; len <= strlen(path); len++) {
		if (path[len] != '/' && path[len] != '\0')
			continue;
		snprintf(part, sizeof(part), "%.*s", (int)len, path);
		if (mkdir(part, 0755) == -1 && errno != EEXIST)
			return error_set(err, "%s: %s", part, strerror(errno));
	}
	if (access(path, W_OK | X_OK) == -1)
		return error_set(err, "%s: %s", path, strerror(errno));
	return 0;
}

int
log_files_open(const char *dir, struct log_files **out, struct error *err)
{
	struct log_files *f = calloc(1, sizeof(*f));
	char path[PATH_MAX];

	*out = NULL;
	if (f == NULL)
		return error_set(err, "out of memory");
	if (strlen(dir) >= sizeof(f->dir)) {
		free(f);
		return error_set(err, "%s: %s", dir, strerror(ENAMETOOLONG));
	}
	strcpy(f->dir, dir);
	if (make_dir(f->dir, err) == -1)
		goto fail;
	snprintf(path, sizeof(path), "%s/W3SVC1", f->dir);
	if (make_dir(path, err) == -1)
		goto fail;
	snprintf(path, sizeof(path), "%s/HTTPERR", f->dir);
	if (make_dir(path, err) == -1)
		goto fail;
	pthread_mutex_init(&f->lock, NULL);
	*out = f;
	return 0;
fail:
	free(f);
	return -1;
}

/*
 * For one line: many sites would need many descriptors. Somebody may have
 * cleared the directory away.
 */
static int
open_file(const struct log_files *f, const char *folder, const char *name,
    bool *is_empty, struct error *err)
{
	const int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC;
	char dir[PATH_MAX - 32], path[PATH_MAX];
	struct stat st;
	int fd;

	snprintf(dir, sizeof(dir), "%s/%s", f->dir, folder);
	snprintf(path, sizeof(path), "%s%s", dir, name);
	fd = open(path, flags, 0644);
	if (fd == -1 && errno == ENOENT) {
		if (make_dir(dir, err) == -1)
			return -1;
		fd = open(path, flags, 0644);
	}
	if (fd == -1)
		return error_set(err, "%s: %s", path, strerror(errno));
	*is_empty = fstat(fd, &st) == 0 && st.st_size == 0;
	return fd;
}

/* One write() a line, so that lines never mingle. Takes the descriptor. */
static int
put(const struct log_files *f, int fd, struct buffer *b, struct error *err)
{
	size_t at = 0;
	ssize_t len;
	int ret = 0;

	while (ret == 0 && !b->failed && at < b->len) {
		len = write(fd, b->data + at, b->len - at);
		if (len == -1 && errno != EINTR)
			ret = error_set(err, "%s: %s", f->dir, strerror(errno));
		at += len > 0 ? (size_t)len : 0;
	}
	buffer_free(b);
	close(fd);
	return ret;
}

/* The same, behind what a header has. Takes the line, which lacks its end. */
static int
put_line(const struct log_files *f, int fd, struct buffer *header,
    struct buffer *line, struct error *err)
{
	buffer_add_span(header, buffer_span(line));
	buffer_add_text(header, "\r\n");
	header->failed |= line->failed;
	buffer_free(line);
	if (fd != -1)
		return put(f, fd, header, err);
	buffer_free(header);
	return -1;
}

static int
write_iis(struct log_files *f, struct buffer *line, int64_t at,
    const struct iis_log_form *form, struct error *err)
{
	struct tm tm = clock_utc(at);
	bool header = iis_log_turns(&f->place, form, at), is_empty;
	struct buffer b = { 0 };
	char name[40];
	int fd;

	snprintf(name, sizeof(name), "u_ex%02d%02d%02d.log", tm.tm_year % 100,
	    tm.tm_mon + 1, tm.tm_mday);
	fd = open_file(f, "W3SVC1/", name, &is_empty, err);
	if (fd != -1 && (header || is_empty))
		iis_log_header(form, at, &b);
	return put_line(f, fd, &b, line, err);
}

static int
write_httperr(struct log_files *f, struct buffer *line, int64_t at,
    const struct iis_log_form *form, struct error *err)
{
	bool header = httperr_turns(&f->httperr, form), is_empty;
	struct buffer b = { 0 };
	int fd = open_file(f, "HTTPERR/", "httperr1.log", &is_empty, err);

	if (fd != -1 && (header || is_empty))
		httperr_header(form, at, &b);
	return put_line(f, fd, &b, line, err);
}

/* As it is copied from the Event Viewer, or a line of a text. */
static int
write_plain(struct log_files *f, enum evidence e, const struct event *event,
    int64_t at, struct error *err)
{
	struct buffer b = { 0 };
	bool is_empty;
	int fd = open_file(f, "", evidence_file(e), &is_empty, err);

	if (fd == -1)
		return -1;
	if (event->source != NULL)
		event_print(event, at, &b);
	else
		line_print(event->text, at, &b);
	return put(f, fd, &b, err);
}

static int
write_event(struct log_files *f, const struct event *event, int64_t at,
    const struct iis_log_form *form, struct error *err)
{
	enum evidence e = evidence_of(event);
	struct buffer line = { 0 };

	if (e == EVIDENCE_LOGS)
		return 0;
	if (!evidence_is_w3c(e))
		return write_plain(f, e, event, at, err);
	buffer_add_text(&line, event->text);
	return e == EVIDENCE_IIS_LOG ? write_iis(f, &line, at, form, err) :
				       write_httperr(f, &line, at, form, err);
}

/* Under the lock. */
static int
write_events(struct log_files *f, const struct event *events, int64_t at,
    const struct iis_log_form *form, struct error *err)
{
	int ret = 0;

	for (const struct event *e = events; e != NULL; e = e->next)
		if (write_event(f, e, at - e->ago, form, err) == -1)
			ret = -1;
	return ret;
}

int
log_files_write_events(struct log_files *f, const struct event *events,
    int64_t at, const struct iis_log_form *form, struct error *err)
{
	int ret;

	if (f == NULL)
		return 0;
	pthread_mutex_lock(&f->lock);
	ret = write_events(f, events, at, form, err);
	pthread_mutex_unlock(&f->lock);
	return ret;
}

int
log_files_write(struct log_files *f, const struct exchange *ex,
    const struct iis_log_form *form, struct error *err)
{
	struct buffer line = { 0 };
	int ret;

	if (f == NULL)
		return 0;
	pthread_mutex_lock(&f->lock);
	ret = write_events(f, ex->events, ex->at, form, err);
	if (iis_log_wants(ex)) {
		iis_log_line(ex, form, &line);
		if (write_iis(f, &line, ex->at, form, err) == -1)
			ret = -1;
	} else if (httperr_wants(ex)) {
		httperr_line(ex, form, &line);
		if (write_httperr(f, &line, ex->at, form, err) == -1)
			ret = -1;
	}
	pthread_mutex_unlock(&f->lock);
	return ret;
}

void
log_files_close(struct log_files *f)
{
	if (f == NULL)
		return;
	pthread_mutex_destroy(&f->lock);
	free(f);
}
