/* Files and directories of a test's own. What cannot be done fails it. */
#ifndef SUPPORT_FILES_H
#define SUPPORT_FILES_H

#include "base/blob.h"

#define FILE_PATH_SIZE 512

/* A new, empty directory below $TMPDIR or /tmp; its path goes to `out`. */
char *dir_make(char out[FILE_PATH_SIZE]);
/* With everything in it. */
void dir_remove(const char *dir);

/* "DIR/NAME" */
char *path_in(char out[FILE_PATH_SIZE], const char *dir, const char *name);
/* "NAME" below the source tree, from $MOCKNDES_SOURCE. */
char *path_in_source(char out[FILE_PATH_SIZE], const char *name);

/* The whole file, and a NUL that is not counted. false: there is none. */
bool file_read(const char *path, struct buffer *out);
void file_write(const char *path, const void *data, size_t len);

#endif
