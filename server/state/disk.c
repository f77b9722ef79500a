#include "state/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int
disk_error(const struct disk_dir *dir, const char *name, struct error *err)
{
	return error_set(err, "%s/%s: %s", dir->path, name, strerror(errno));
}

bool
disk_has(const struct disk_dir *dir, const char *name)
{
	struct stat st;

	return fstatat(dir->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static int
read_all(int fd, size_t size, struct blob *out)
{
	struct buffer b = { 0 };
	uint8_t *to = buffer_extend(&b, size);
	ssize_t len = 0;
	size_t got = 0;

	while (to != NULL && got < size) {
		len = read(fd, to + got, size - got);
		if (len > 0)
			got += (size_t)len;
		else if (len == 0 || errno != EINTR)
			break;
	}
	if (to == NULL || len == -1) {
		buffer_free(&b);
		return -1;
	}
	b.len = got;
	return buffer_finish(&b, out);
}

int
disk_read(const struct disk_dir *dir, const char *name, size_t max,
    struct blob *out, struct error *err)
{
	int fd = openat(dir->fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	int ret = -1;

	*out = (struct blob){ NULL, 0 };
	if (fd == -1)
		return disk_error(dir, name, err);
	if (fstat(fd, &st) == -1)
		disk_error(dir, name, err);
	else if (!S_ISREG(st.st_mode))
		error_set(err, "%s/%s: not a regular file", dir->path, name);
	else if ((size_t)st.st_size > max)
		error_set(err, "%s/%s: larger than %zu octets", dir->path, name,
		    max);
	else if ((ret = read_all(fd, (size_t)st.st_size, out)) == -1)
		disk_error(dir, name, err);
	close(fd);
	return ret;
}

int
disk_write(int fd, struct span s)
{
	ssize_t len;

	while (s.len > 0) {
		len = write(fd, s.data, s.len);
		if (len == -1 && errno != EINTR)
			return -1;
		if (len > 0)
			s = span_of(s.data + len, s.len - (size_t)len);
	}
	return 0;
}

int
disk_create(const struct disk_dir *dir, const char *name, mode_t mode,
    struct span text, struct error *err)
{
	int fd = openat(dir->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
	    mode);
	int ret = 0;

	if (fd == -1)
		return disk_error(dir, name, err);
	if (disk_write(fd, text) == -1 || fdatasync(fd) == -1)
		ret = disk_error(dir, name, err);
	if (close(fd) == -1 && ret == 0)
		ret = disk_error(dir, name, err);
	if (ret == -1)
		unlinkat(dir->fd, name, 0);
	return ret;
}

int
disk_replace(const struct disk_dir *dir, const char *name, struct span text,
    struct error *err)
{
	char temporary[NAME_MAX + 1];

	snprintf(temporary, sizeof(temporary), ".%s" DISK_TEMPORARY, name);
	/* Of somebody who was killed: there is one of us at a time. */
	unlinkat(dir->fd, temporary, 0);
	if (disk_create(dir, temporary, 0644, text, err) == -1)
		return -1;
	if (renameat(dir->fd, temporary, dir->fd, name) == -1) {
		disk_error(dir, name, err);
		unlinkat(dir->fd, temporary, 0);
		return -1;
	}
	return disk_flush(dir, err);
}

int
disk_flush(const struct disk_dir *dir, struct error *err)
{
	if (fsync(dir->fd) == -1)
		return error_set(err, "%s: %s", dir->path, strerror(errno));
	return 0;
}

static int
flush_file(const struct disk_dir *dir, const char *name, struct error *err)
{
	int fd = openat(dir->fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int ret = 0;

	if (fd == -1 || fsync(fd) == -1)
		ret = disk_error(dir, name, err);
	if (fd != -1)
		close(fd);
	return ret;
}

int
disk_flush_all(const struct disk_dir *dir, struct error *err)
{
	DIR *list = disk_list(dir, err);
	const char *name;
	int ret = 0;

	if (list == NULL)
		return -1;
	while (ret == 0 && (name = disk_next(list)) != NULL)
		ret = flush_file(dir, name, err);
	closedir(list);
	return ret == 0 ? disk_flush(dir, err) : -1;
}

DIR *
disk_list(const struct disk_dir *dir, struct error *err)
{
	int fd = openat(dir->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = fd == -1 ? NULL : fdopendir(fd);

	if (list == NULL) {
		error_set(err, "%s: %s", dir->path, strerror(errno));
		if (fd != -1)
			close(fd);
	}
	return list;
}

const char *
disk_next(DIR *list)
{
	struct dirent *entry;

	while ((entry = readdir(list)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0)
			return entry->d_name;
	return NULL;
}
