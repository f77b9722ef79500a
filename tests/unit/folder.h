/* Directories of a test's own, gone when the program ends. */
#ifndef UNIT_FOLDER_H
#define UNIT_FOLDER_H

#include "unit/hex.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER_PATH 512
#define FOLDERS 64

struct folder {
	char path[FOLDER_PATH / 2];
};

static inline void
folder_remove(const char *path)
{
	char below[FOLDER_PATH];
	struct dirent *entry;
	DIR *dir = opendir(path);

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		if (snprintf(below, sizeof(below), "%s/%s", path,
			entry->d_name) < FOLDER_PATH &&
		    unlink(below) == -1)
			folder_remove(below);
	}
	if (dir != NULL)
		closedir(dir);
	rmdir(path);
}

static struct folder folders[FOLDERS];
static size_t folder_count;

static inline void
folder_remove_all(void)
{
	for (size_t i = 0; i < folder_count; i++)
		folder_remove(folders[i].path);
}

static inline struct folder
folder_new(void)
{
	const char *base = getenv("TMPDIR");
	struct folder *f = &folders[folder_count];

	assert_in_range(folder_count, 0, FOLDERS - 1);
	if (folder_count == 0)
		atexit(folder_remove_all);
	snprintf(f->path, sizeof(f->path), "%s/mockndes-unit-XXXXXX",
	    base == NULL ? "/tmp" : base);
	assert_non_null(mkdtemp(f->path));
	folder_count++;
	return *f;
}

static inline char *
folder_path(const struct folder *f, const char *name, char out[FOLDER_PATH])
{
	int len = snprintf(out, FOLDER_PATH, "%s/%s", f->path, name);

	assert_in_range(len, 1, FOLDER_PATH - 1);
	return out;
}

static inline void
folder_write(const struct folder *f, const char *name, struct span text)
{
	char path[FOLDER_PATH];
	FILE *file = fopen(folder_path(f, name, path), "w");

	assert_non_null(file);
	if (text.len > 0)
		assert_int_equal(fwrite(text.data, 1, text.len, file),
		    text.len);
	assert_int_equal(fclose(file), 0);
}

/* With a NUL behind it. */
static inline struct blob
folder_read(const char *path)
{
	FILE *file = fopen(path, "r");
	struct blob out = { NULL, 0 };
	struct stat st;

	assert_non_null(file);
	assert_int_equal(fstat(fileno(file), &st), 0);
	out.len = (size_t)st.st_size;
	assert_non_null(out.data = calloc(1, out.len + 1));
	assert_int_equal(fread(out.data, 1, out.len, file), out.len);
	fclose(file);
	return out;
}

#endif
