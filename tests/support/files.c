#include "support/files.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/test.h"

char *
dir_make(char out[FILE_PATH_SIZE])
{
	const char *base = getenv("TMPDIR");

	snprintf(out, FILE_PATH_SIZE, "%s/mockndes-test-XXXXXX",
	    base == NULL || *base == '\0' ? "/tmp" : base);
	if (mkdtemp(out) == NULL)
		fail_msg("%s: %s", out, strerror(errno));
	return out;
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st, (void)kind, (void)ftw;
	return remove(path);
}

void
dir_remove(const char *dir)
{
	if (nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS) == -1)
		fail_msg("%s: %s", dir, strerror(errno));
}

char *
path_in(char out[FILE_PATH_SIZE], const char *dir, const char *name)
{
	int len = snprintf(out, FILE_PATH_SIZE, "%s/%s", dir, name);

	assert_in_range(len, 1, FILE_PATH_SIZE - 1);
	return out;
}

char *
path_in_source(char out[FILE_PATH_SIZE], const char *name)
{
	const char *source = getenv("MOCKNDES_SOURCE");

	if (source == NULL)
		fail_msg("MOCKNDES_SOURCE is not set: run this with ctest");
	return path_in(out, source, name);
}

bool
file_read(const char *path, struct buffer *out)
{
	FILE *f = fopen(path, "re");
	char chunk[4096];
	size_t len;

	*out = (struct buffer){ 0 };
	if (f == NULL)
		return false;
	while ((len = fread(chunk, 1, sizeof(chunk), f)) > 0)
		buffer_add(out, chunk, len);
	fclose(f);
	buffer_add_byte(out, 0);
	assert_false(out->failed);
	out->len--;
	return true;
}

void
file_write(const char *path, const void *data, size_t len)
{
	FILE *f = fopen(path, "we");

	if (f == NULL)
		fail_msg("%s: %s", path, strerror(errno));
	assert_int_equal(fwrite(data, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}
