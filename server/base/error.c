#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>

static void __attribute__((format(printf, 3, 0)))
set(struct error *err, const struct mark *at, const char *fmt, va_list ap)
{
	if (err == NULL || err->text[0] != '\0')
		return;
	if (at != NULL)
		err->at = *at;
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
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
