#include "evidence/evidence.h"

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
	int iis, httperr; /* descriptors, -1: not open yet */
	struct iis_log_place place;
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
	f->iis = f->httperr = -1;
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

/* Somebody may have cleared the directory away. */
static bool
is_gone(int fd)
{
	struct stat st;

	return fd == -1 || fstat(fd, &st) == -1 || st.st_nlink == 0;
}

static int
reopen(struct log_files *f, int *fd, const char *folder, const char *name,
    struct error *err)
{
	char path[PATH_MAX];

	if (*fd != -1)
		close(*fd);
	*fd = -1;
	snprintf(path, sizeof(path), "%s/%s", f->dir, folder);
	if (make_dir(path, err) == -1)
		return -1;
	snprintf(path, sizeof(path), "%s/%s/%s", f->dir, folder, name);
	*fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	return *fd != -1 ? 0 : error_set(err, "%s: %s", path, strerror(errno));
}

/* One write() a line, so that lines never mingle. */
static int
put(const struct log_files *f, int fd, const struct buffer *b,
    struct error *err)
{
	size_t at = 0;
	ssize_t len;

	while (!b->failed && at < b->len) {
		len = write(fd, b->data + at, b->len - at);
		if (len == -1 && errno != EINTR)
			return error_set(err, "%s: %s", f->dir,
			    strerror(errno));
		at += len > 0 ? (size_t)len : 0;
	}
	return 0;
}

static int
write_iis(struct log_files *f, const struct exchange *ex,
    const struct iis_log_form *form, struct error *err)
{
	struct tm tm = clock_utc(ex->at);
	int day = f->place.day, ret;
	bool header = iis_log_turns(&f->place, form, ex->at);
	struct buffer b = { 0 };
	char name[40];

	if (f->place.day != day || is_gone(f->iis)) {
		snprintf(name, sizeof(name), "u_ex%02d%02d%02d.log",
		    tm.tm_year % 100, tm.tm_mon + 1, tm.tm_mday);
		if (reopen(f, &f->iis, "W3SVC1", name, err) == -1)
			return -1;
		header = true;
	}
	if (header)
		iis_log_header(form, ex->at, &b);
	iis_log_line(ex, form, &b);
	buffer_add_text(&b, "\r\n");
	ret = put(f, f->iis, &b, err);
	buffer_free(&b);
	return ret;
}

static int
write_httperr(struct log_files *f, const struct exchange *ex, struct error *err)
{
	struct buffer b = { 0 };
	int ret;

	if (is_gone(f->httperr)) {
		if (reopen(f, &f->httperr, "HTTPERR", "httperr1.log", err) ==
		    -1)
			return -1;
		httperr_header(ex->at, &b);
	}
	httperr_line(ex, &b);
	buffer_add_text(&b, "\r\n");
	ret = put(f, f->httperr, &b, err);
	buffer_free(&b);
	return ret;
}

int
log_files_write(struct log_files *f, const struct exchange *ex,
    const struct iis_log_form *form, struct error *err)
{
	int ret = 0;

	if (f == NULL)
		return 0;
	pthread_mutex_lock(&f->lock);
	if (iis_log_wants(ex))
		ret = write_iis(f, ex, form, err);
	else if (httperr_wants(ex))
		ret = write_httperr(f, ex, err);
	pthread_mutex_unlock(&f->lock);
	return ret;
}

void
log_files_close(struct log_files *f)
{
	if (f == NULL)
		return;
	if (f->iis != -1)
		close(f->iis);
	if (f->httperr != -1)
		close(f->httperr);
	pthread_mutex_destroy(&f->lock);
	free(f);
}
