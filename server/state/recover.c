/* What a crash may leave behind, and how it is put right. */
#include "state/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The line that it would have become. */
static int
complete(struct survey *s, struct index_line *torn, int number,
    struct error *err)
{
	struct state_certificate cert;
	struct error why = { 0 };
	int ret;

	torn->subject = torn->file = SPAN_EMPTY;
	if (state_read_certificate(s->d, torn, &cert, &why) == -1)
		return 0;
	if ((ret = survey_issued(s, &cert, err)) == 0 &&
	    state_add_line(&s->added, torn, &cert.x509, &why) == -1)
		ret = state_wrong_line(s->d, number, why.text, err);
	if (ret == 0)
		buffer_printf(&s->notes,
		    "%s/" STATE_INDEX ":%d: torn last line, completed from "
		    "newcerts/%s\n",
		    s->d->path, number, cert.name);
	blob_free(&cert.der);
	survey_add_known(s, torn, number);
	state_count_serial(s->d, torn);
	return ret == 0 ? 1 : -1;
}

/* Zeros are what some file systems show where nothing was flushed. */
int
survey_torn(struct survey *s, struct span torn, int number, struct error *err)
{
	struct error why = { 0 };
	struct index_line line;
	int ret = 0;

	if (torn.len == 0)
		return 0;
	s->torn = true;
	while (torn.len > 0 && torn.data[torn.len - 1] == 0)
		torn.len--;
	if (index_read_torn(torn, &line, &why) == -1)
		return state_wrong_line(s->d, number, why.text, err);
	if (line.fields > 3)
		ret = complete(s, &line, number, err);
	/* What was revoked must not become good by itself. */
	if (ret == 0 && torn.len > 0 && torn.data[0] == 'R')
		return state_wrong_line(s->d, number,
		    "torn where a certificate was revoked; "
		    "complete or remove this line",
		    err);
	if (ret == 0)
		buffer_printf(&s->notes,
		    "%s/" STATE_INDEX ":%d: torn last line, cut off\n",
		    s->d->path, number);
	return ret == -1 ? -1 : 0;
}

/* SERIAL.pem, as we would write it. */
static bool
is_certificate_name(const char *name, struct index_line *line)
{
	struct span digits = span_of(name, strcspn(name, "."));
	char own[STATE_NAME_SIZE];

	return index_serial_read(digits, line, NULL) == 0 &&
	    strcmp(state_name(line, own), name) == 0;
}

static bool
is_temporary_name(const char *name)
{
	struct span digits = span_of(name + 1, strcspn(name + 1, "."));
	struct index_line line;

	return name[0] == '.' && index_serial_read(digits, &line, NULL) == 0 &&
	    strcmp(name + 1 + digits.len, DISK_TEMPORARY) == 0;
}

static void
add_stray(struct survey *s, const char *name, const char *what)
{
	buffer_add(&s->stray, name, strlen(name) + 1);
	buffer_printf(&s->notes, "%s/%s: %s\n", s->d->newcerts_path, name,
	    what);
}

static int
add_leftover(struct survey *s, const char *name, struct index_line *line,
    struct error *err)
{
	struct state_certificate cert;
	struct error why = { 0 };
	int ret;

	if (state_read_certificate(s->d, line, &cert, &why) == -1) {
		if (!cert.damaged)
			return error_set(err, "%s", why.text);
		add_stray(s, name,
		    "not in " STATE_INDEX
		    ", nor such a certificate; renamed to .bad");
		return 0;
	}
	line->status = 'V';
	if ((ret = survey_issued(s, &cert, err)) == 0 &&
	    state_add_line(&s->added, line, &cert.x509, &why) == -1)
		ret = error_set(err, "%s/%s: %s", s->d->newcerts_path, name,
		    why.text);
	if (ret == 0)
		buffer_printf(&s->notes,
		    "%s/%s: was not in " STATE_INDEX ", its line is added\n",
		    s->d->newcerts_path, name);
	state_count_serial(s->d, line);
	blob_free(&cert.der);
	return ret;
}

int
survey_newcerts(struct survey *s, struct error *err)
{
	DIR *list = disk_list(&s->d->newcerts, err);
	struct index_line line;
	const char *name;
	int ret = 0;

	if (list == NULL)
		return -1;
	while (ret == 0 && (name = disk_next(list)) != NULL) {
		line = (struct index_line){ 0 };
		if (is_temporary_name(name))
			add_stray(s, name, "left half-written, removed");
		else if (is_certificate_name(name, &line) &&
		    !survey_is_known(s, &line))
			ret = add_leftover(s, name, &line, err);
	}
	closedir(list);
	return ret;
}

static int
write_index(struct survey *s, struct error *err)
{
	struct buffer text = { 0 };
	int ret;

	if (!s->torn && s->added.len == 0)
		return 0;
	buffer_add(&text, s->index.data, s->whole);
	buffer_add_span(&text, buffer_span(&s->added));
	ret = text.failed || s->added.failed ?
	    error_set(err, "out of memory") :
	    disk_replace(&s->d->top, STATE_INDEX, buffer_span(&text), err);
	buffer_free(&text);
	return ret;
}

static int
clear_one(const struct disk_dir *dir, const char *name)
{
	char aside[NAME_MAX + 1];

	if (is_temporary_name(name))
		return unlinkat(dir->fd, name, 0);
	snprintf(aside, sizeof(aside), "%s.bad", name);
	errno = EEXIST;
	return disk_has(dir, aside) ? -1 :
				      renameat(dir->fd, name, dir->fd, aside);
}

static int
clear_stray(const struct survey *s, struct error *err)
{
	const char *name;

	for (size_t at = 0; at < s->stray.len; at += strlen(name) + 1) {
		name = (const char *)s->stray.data + at;
		if (clear_one(&s->d->newcerts, name) == -1)
			return disk_error(&s->d->newcerts, name, err);
	}
	return 0;
}

/* Of disk_replace(). */
static int
clear_temporary(struct survey *s, struct error *err)
{
	static const char *const names[] = { STATE_INDEX, STATE_SERIAL,
		STATE_CRL_NUMBER, STATE_CRL };
	char temporary[32];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(temporary, sizeof(temporary), ".%s" DISK_TEMPORARY,
		    names[i]);
		if (!disk_has(&s->d->top, temporary))
			continue;
		if (unlinkat(s->d->top.fd, temporary, 0) == -1)
			return disk_error(&s->d->top, temporary, err);
		buffer_printf(&s->notes, "%s/%s: left half-written, removed\n",
		    s->d->path, temporary);
	}
	return 0;
}

int
survey_recover(struct survey *s, struct error *err)
{
	const char *at;
	size_t len;

	if (s->notes.failed || s->stray.failed)
		return error_set(err, "out of memory");
	if (clear_temporary(s, err) == -1 || write_index(s, err) == -1 ||
	    clear_stray(s, err) == -1 ||
	    (s->stale_serial && state_write_serial(s->d, err) == -1))
		return -1;
	at = (const char *)s->notes.data;
	for (size_t left = s->notes.len; left > 0; left -= len) {
		len = (size_t)((const char *)memchr(at, '\n', left) - at) + 1;
		state_note(s->d, "%.*s", (int)len - 1, at);
		at += len;
	}
	return 0;
}
