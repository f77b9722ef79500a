#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void __attribute__((format(printf, 3, 0)))
set(struct error *err, const struct mark *at, const char *fmt, va_list ap)
{
	if (err == NULL || err->text[0] != '\0')
		return;
	if (at != NULL)
		err->at = *at;
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
}

/* Octets of the UTF-8 sequence that begins there, 0: none. */
static size_t
sequence(const unsigned char *at)
{
	size_t n = *at < 0x80 ? 1 :
	    *at < 0xc2	      ? 0 :
	    *at < 0xe0	      ? 2 :
	    *at < 0xf0	      ? 3 :
	    *at < 0xf5	      ? 4 :
				0;

	for (size_t i = 1; i < n; i++)
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

/* What was quoted may have been cut within a character, or lead a terminal. */
static void
make_printable(char *text)
{
	unsigned char *at = (unsigned char *)text;
	size_t n;

	for (; *at != '\0'; at += n) {
		n = sequence(at);
		if (n > 1)
			continue;
		if (n == 0 || *at < ' ' || *at == 0x7f)
			*at = '?';
		n = 1;
	}
}

int
error_set(struct error *err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	set(err, NULL, fmt, ap);
	va_end(ap);
	return -1;
}

int
error_at(struct error *err, const struct mark *at, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	set(err, at, fmt, ap);
	va_end(ap);
	return -1;
}

int
errors_at(struct errors *errors, const struct mark *at, const char *fmt, ...)
{
	va_list ap;

	if (errors->count++ >= ERRORS_MAX)
		return -1;
	va_start(ap, fmt);
	set(&errors->list[errors->count - 1], at, fmt, ap);
	va_end(ap);
	make_printable(errors->list[errors->count - 1].text);
	return -1;
}

char *
error_print(const struct error *err, char *out, int size)
{
	if (err->at.line > 0)
		snprintf(out, (size_t)size, "%s:%d:%d: %s", err->at.file,
		    err->at.line, err->at.col, err->text);
	else
		snprintf(out, (size_t)size, "%s", err->text);
	return out;
}

static size_t
listed(const struct errors *errors)
{
	return errors->count < ERRORS_MAX ? errors->count : ERRORS_MAX;
}

/* The first error of the same file; those without one are of one. */
static size_t
first_of_file(const struct errors *errors, const struct error *err)
{
	const char *file = err->at.file, *other;
	size_t i = 0;

	for (; &errors->list[i] != err; i++) {
		other = errors->list[i].at.file;
		if (file == other ||
		    (file != NULL && other != NULL && strcmp(file, other) == 0))
			break;
	}
	return i;
}

void
errors_sort(struct errors *errors)
{
	size_t file[ERRORS_MAX], key, at, count = listed(errors);
	struct error err;

	for (size_t i = 0; i < count; i++)
		file[i] = first_of_file(errors, &errors->list[i]);
	for (size_t i = 1; i < count; i++) {
		err = errors->list[i];
		key = file[i];
		for (at = i; at > 0; at--) {
			const struct mark *m = &errors->list[at - 1].at;

			if (file[at - 1] < key ||
			    (file[at - 1] == key &&
				(m->line < err.at.line ||
				    (m->line == err.at.line &&
					m->col <= err.at.col))))
				break;
			errors->list[at] = errors->list[at - 1];
			file[at] = file[at - 1];
		}
		errors->list[at] = err;
		file[at] = key;
	}
}

static const char *
keep(struct errors *errors, const char *name)
{
	char **names = reallocarray(errors->names, errors->name_count + 1,
	    sizeof(*names));

	if (names == NULL)
		return NULL;
	errors->names = names;
	if ((names[errors->name_count] = strdup(name)) == NULL)
		return NULL;
	return names[errors->name_count++];
}

void
errors_keep(struct errors *errors, const char *name)
{
	const char *copy = NULL;

	for (size_t i = 0; i < listed(errors); i++) {
		struct mark *at = &errors->list[i].at;

		if (at->file != name || name == NULL)
			continue;
		if (copy == NULL && (copy = keep(errors, name)) == NULL)
			copy = "?";
		at->file = copy;
	}
}

char *
errors_print(const struct errors *errors, char *out, size_t size)
{
	size_t at = 0;

	out[0] = '\0';
	for (size_t i = 0; i < listed(errors) && at + 1 < size; i++) {
		if (i > 0)
			out[at++] = '\n';
		error_print(&errors->list[i], out + at, (int)(size - at));
		at += strlen(out + at);
	}
	if (errors->count > ERRORS_MAX && at < size)
		snprintf(out + at, size - at, "\nand %zu more",
		    errors->count - ERRORS_MAX);
	return out;
}

void
errors_clear(struct errors *errors)
{
	for (size_t i = 0; i < errors->name_count; i++)
		free(errors->names[i]);
	free(errors->names);
	*errors = (struct errors){ 0 };
}
