/* What the files of this folder know of each other. */
#ifndef ADMIN_INSIDE_H
#define ADMIN_INSIDE_H

#include "admin/admin.h"

/*
 * A view on its way: sections of rows. A section has columns and, maybe, a
 * title, which in JSON is one column more.
 */
enum form {
	FORM_TABLE,	 /* columns under each other, as Format-Table has it */
	FORM_LIST,	 /* "Name : value" lines, a paragraph for each row */
	FORM_REGISTRY,	 /* a key, and below it name, type and data */
	FORM_LINES,	 /* one column: lines of a file */
	FORM_POWERSHELL, /* title: a command; then what it answers */
	FORMS,
};
#define COLUMNS_MAX 10
struct section {
	enum form form;
	const char *what; /* the title's name in JSON */
	char *title;
	const char *columns[COLUMNS_MAX + 1]; /* static, NULL ended */
	char **cells;			      /* row by row */
	size_t count;
	struct section *next;
};
struct report {
	struct section *first, *last;
	bool failed; /* for lack of memory */
};
/* `columns`: static, NULL ended; `title` may be NULL, or is copied. */
void report_begin(struct report *, enum form, const char *what,
    const char *title, const char *const *columns);
/* The next one of the section that was begun last. */
void report_cell(struct report *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* All cells of a row that has as many as the section has columns. */
void report_row(struct report *, const char *const *cells);
void report_clear(struct report *);
size_t section_columns(const struct section *);
void report_print(const struct report *, struct buffer *out);
struct json_t *report_json(const struct report *, const char *name);

/* Who and what there is in this deployment; assumed, but for the server. */
#define SERVER "NDESServer01" /* as in the pages of NDES */
#define DOMAIN "CONTOSO"
#define ACCOUNT DOMAIN "\\NDESService"
#define CA_HOST "CA01.contoso.com"
#define PROXY_SERVICE "Microsoft AAD Application Proxy Connector"

/* "2026-03-01 08:00:00" */
#define MOMENT_SIZE 32
char *moment(int64_t at, char out[MOMENT_SIZE]);
static inline const char *
either(bool yes, const char *one, const char *other)
{
	return yes ? one : other;
}
/* The common name of the CA. */
#define CA_NAME_SIZE 128
char *ca_name(const struct admin_look *, char out[CA_NAME_SIZE]);
/* The subject of an intermediate that is in the wrong store, from 0 on. */
#define INTERMEDIATE_SIZE 64
char *intermediate_name(size_t which, char out[INTERMEDIATE_SIZE]);

typedef void view(const struct admin_look *, struct report *);
view view_services, view_app_pools, view_service_account, view_user_rights;
view view_request_filtering, view_iis_authentication;
view view_registry, view_certificates, view_group_policy;
view view_app_proxy, view_network, view_setup_log;

#endif
