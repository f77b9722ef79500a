/*
 * Files that outlive a crash. They are named within an open directory, so
 * that a program which changes its working directory loses nothing. All
 * return 0, or -1 with a message that names the file.
 */
#ifndef STATE_DISK_H
#define STATE_DISK_H

#include <dirent.h>
#include <sys/types.h>

#include "base/blob.h"
#include "base/error.h"

struct disk_dir {
	int fd;
	const char *path; /* for messages; borrowed */
};

/* "DIR/NAME: what errno says" */
int disk_error(const struct disk_dir *, const char *name, struct error *);
bool disk_has(const struct disk_dir *, const char *name);
/* A regular file of at most `max` octets; the caller frees *out. */
int disk_read(const struct disk_dir *, const char *name, size_t max,
    struct blob *out, struct error *);
/* All of it; -1: errno says why not, and how much is there is not known. */
int disk_write(int fd, struct span);
/* Refuses to overwrite; if it fails there is no file. Flushed. */
int disk_create(const struct disk_dir *, const char *name, mode_t,
    struct span text, struct error *);
/*
 * Whoever looks, now or after a crash, sees the old file or the new one.
 * Flushed. What is written first has a name that ends in DISK_TEMPORARY.
 */
#define DISK_TEMPORARY ".new"
int disk_replace(const struct disk_dir *, const char *name, struct span text,
    struct error *);
/* Flushes the names in a directory. */
int disk_flush(const struct disk_dir *, struct error *);
/* The same, and all files in it. */
int disk_flush_all(const struct disk_dir *, struct error *);

/* The caller closes what disk_list() opened; NULL: an error. */
DIR *disk_list(const struct disk_dir *, struct error *);
/* The next name that is neither "." nor "..", or NULL at the end. */
const char *disk_next(DIR *);

#endif
