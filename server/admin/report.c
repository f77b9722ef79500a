/* Columns and rows, as text and as JSON. */
#include "admin/inside.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
report_begin(struct report *r, enum form form, const char *what,
    const char *title, const char *const *columns)
{
	struct section *s = calloc(1, sizeof(*s));

	if (s == NULL) {
		r->failed = true;
		return;
	}
	s->form = form;
	s->what = what;
	if (title != NULL && (s->title = strdup(title)) == NULL)
		r->failed = true;
	for (size_t i = 0; i < COLUMNS_MAX && columns[i] != NULL; i++)
		s->columns[i] = columns[i];
	if (r->last == NULL)
		r->first = s;
	else
		r->last->next = s;
	r->last = s;
}

void
report_cell(struct report *r, const char *fmt, ...)
{
	struct section *s = r->last;
	char **cells, *text;
	va_list ap;
	int len;

	if (r->failed)
		return;
	cells = reallocarray(s->cells, s->count + 1, sizeof(*cells));
	if (cells == NULL) {
		r->failed = true;
		return;
	}
	s->cells = cells;
	va_start(ap, fmt);
	len = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (len == -1)
		r->failed = true;
	else
		cells[s->count++] = text;
}

size_t
section_columns(const struct section *s)
{
	size_t count = 0;

	while (s->columns[count] != NULL)
		count++;
	return count;
}

void
report_row(struct report *r, const char *const *cells)
{
	for (size_t i = 0; !r->failed && i < section_columns(r->last); i++)
		report_cell(r, "%s", cells[i]);
}

void
report_clear(struct report *r)
{
	struct section *s, *next;

	for (s = r->first; s != NULL; s = next) {
		next = s->next;
		for (size_t i = 0; i < s->count; i++)
			free(s->cells[i]);
		free(s->cells);
		free(s->title);
		free(s);
	}
	*r = (struct report){ .first = NULL };
}

#define LINE_END "\r\n"

static void
add_title(const struct section *s, struct buffer *out)
{
	if (s->title != NULL)
		buffer_printf(out, "%s" LINE_END LINE_END, s->title);
}

static size_t
width_of(const struct section *s, size_t column)
{
	size_t columns = section_columns(s);
	size_t width = strlen(s->columns[column]), len;

	for (size_t i = column; i < s->count; i += columns)
		if ((len = strlen(s->cells[i])) > width)
			width = len;
	return width;
}

/* Nothing is behind the last one. */
static void
add_padded(const char *text, size_t width, bool last, struct buffer *out)
{
	buffer_add_text(out, text);
	for (size_t i = strlen(text); !last && i <= width; i++)
		buffer_add_byte(out, ' ');
	if (last)
		buffer_add_text(out, LINE_END);
}

static void
add_grid(const struct section *s, struct buffer *out)
{
	size_t columns = section_columns(s), i;

	for (i = 0; i < columns; i++)
		add_padded(s->columns[i], width_of(s, i), i + 1 == columns,
		    out);
	for (i = 0; i < columns; i++) {
		for (size_t k = 0; k < strlen(s->columns[i]); k++)
			buffer_add_byte(out, '-');
		add_padded("", width_of(s, i) - strlen(s->columns[i]),
		    i + 1 == columns, out);
	}
	for (i = 0; i < s->count; i++)
		add_padded(s->cells[i], width_of(s, i % columns),
		    (i + 1) % columns == 0, out);
}

static void
print_table(const struct section *s, struct buffer *out)
{
	add_title(s, out);
	add_grid(s, out);
	buffer_add_text(out, LINE_END);
}

static void
print_list(const struct section *s, struct buffer *out)
{
	size_t columns = section_columns(s), width = 0, len;

	add_title(s, out);
	for (size_t i = 0; i < columns; i++)
		if ((len = strlen(s->columns[i])) > width)
			width = len;
	for (size_t i = 0; i < s->count; i++) {
		buffer_printf(out, "%-*s : %s" LINE_END, (int)width,
		    s->columns[i % columns], s->cells[i]);
		if ((i + 1) % columns == 0)
			buffer_add_text(out, LINE_END);
	}
}

/* As reg.exe: an empty line, the key, four blanks between what it holds. */
static void
print_registry(const struct section *s, struct buffer *out)
{
	size_t columns = section_columns(s);

	buffer_printf(out, LINE_END "%s" LINE_END, s->title);
	for (size_t i = 0; i < s->count; i++)
		buffer_printf(out, "    %s%s", s->cells[i],
		    (i + 1) % columns == 0 ? LINE_END : "");
}

static void
print_lines(const struct section *s, struct buffer *out)
{
	for (size_t i = 0; i < s->count; i++)
		buffer_printf(out, "%s" LINE_END, s->cells[i]);
}

/* How PowerShell shows certificates is assumed; nothing found: nothing. */
static void
print_powershell(const struct section *s, struct buffer *out)
{
	buffer_printf(out, "PS C:\\> %s" LINE_END, s->title);
	if (s->count > 0) {
		buffer_add_text(out,
		    LINE_END LINE_END
		    "   PSParentPath: Microsoft.PowerShell.Security\\"
		    "Certificate::LocalMachine\\root" LINE_END LINE_END);
		add_grid(s, out);
	}
	buffer_add_text(out, LINE_END);
}

void
report_print(const struct report *r, struct buffer *out)
{
	static void (*const print[FORMS])(const struct section *,
	    struct buffer *) = {
		[FORM_TABLE] = print_table,
		[FORM_LIST] = print_list,
		[FORM_REGISTRY] = print_registry,
		[FORM_LINES] = print_lines,
		[FORM_POWERSHELL] = print_powershell,
	};

	for (const struct section *s = r->first; s != NULL; s = s->next)
		print[s->form](s, out);
	out->failed |= r->failed;
}

static void
add_rows(json_t *list, const struct section *s)
{
	size_t columns = section_columns(s);
	json_t *row = NULL;

	for (size_t i = 0; i < s->count; i++) {
		if (i % columns == 0) {
			row = json_object();
			if (s->title != NULL)
				json_object_set_new(row, s->what,
				    json_string(s->title));
		}
		json_object_set_new(row, s->columns[i % columns],
		    json_string(s->cells[i]));
		if ((i + 1) % columns == 0)
			json_array_append_new(list, row);
	}
}

json_t *
report_json(const struct report *r, const char *name)
{
	json_t *list = json_array();

	if (r->failed) {
		json_decref(list);
		return NULL;
	}
	for (const struct section *s = r->first; s != NULL; s = s->next)
		add_rows(list, s);
	return json_pack("{ss, si, so}", "name", name, "lost", 0, "entries",
	    list);
}
