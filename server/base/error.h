/*
 * Where something went wrong, then what. The first cause wins: an error that
 * is already set is not overwritten, so a caller may add its own words
 * without losing the reason.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stddef.h>

/* Where in a file something was said: 1-based; line 0 means "no place". */
struct mark {
	const char *file; /* borrowed */
	int line, col;
};

struct error {
	struct mark at;
	char text[256]; /* empty: no error */
};

/* Both return -1, so a failing function can end in `return error_at(...)`. */
int error_set(struct error *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
int error_at(struct error *, const struct mark *, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* "file:line:col: text", or only the text; cut at `size`. Returns `out`. */
char *error_print(const struct error *, char *out, int size);

/*
 * All that is wrong with a file and those that it builds on, in the order in
 * which it was found; what is beyond the limit is counted. Zeroed: none.
 */
#define ERRORS_MAX 20
struct errors {
	struct error list[ERRORS_MAX];
	size_t count;
	char **names; /* owned: of errors_keep() */
	size_t name_count;
};
/* `at` may be NULL. Returns -1. */
int errors_at(struct errors *, const struct mark *, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* By file, in the order in which they came up, and by place. */
void errors_sort(struct errors *);
/* Those whose file is `name` keep a copy of it. */
void errors_keep(struct errors *, const char *name);
/* A line each, without the last newline; cut at `size`. Returns `out`. */
char *errors_print(const struct errors *, char *out, size_t size);
void errors_clear(struct errors *);

#endif
