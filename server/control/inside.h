/* What the files of this folder know of each other. */
#ifndef CONTROL_INSIDE_H
#define CONTROL_INSIDE_H

#include <jansson.h>

#include "control/control.h"

/* The errors that there are; their codes and statuses are in reply.c. */
enum failure {
	FAIL_PATH,
	FAIL_PARAMETER,
	FAIL_JSON,
	FAIL_MEMBER,
	FAIL_SCENARIO,
	FAIL_SETTING,
	FAIL_SITE_ID,
	FAIL_PORT_RANGE,
	FAIL_TOKEN,
	FAIL_ORIGIN,
	FAIL_HOST,
	FAIL_PATH_UNKNOWN,
	FAIL_SITE_UNKNOWN,
	FAIL_SCENARIO_UNKNOWN,
	FAIL_REQUEST_UNKNOWN,
	FAIL_TRANSACTION_UNKNOWN,
	FAIL_CERTIFICATE_UNKNOWN,
	FAIL_EVIDENCE_UNKNOWN,
	FAIL_ACTION_UNKNOWN,
	FAIL_METHOD,
	FAIL_SITE_TAKEN,
	FAIL_SITE_DEFAULT,
	FAIL_PORT_TAKEN,
	FAIL_REFUSED,
	FAIL_CHALLENGE_REFUSED,
	FAIL_CERTIFICATE_REVOKED,
	FAIL_SITE_GONE,
	FAIL_REQUEST_GONE,
	FAIL_BODY_TOO_LARGE,
	FAIL_CONTENT_TYPE,
	FAIL_INTERNAL,
	FAIL_TRANSFER_ENCODING,
	FAIL_BUSY,
	FAIL_SITES_FULL,
	FAIL_PORTS_FULL,
	FAILURES
};

/* A member of a JSON body, or a parameter of a query. */
struct member {
	const char *name; /* NULL ends a table */
	enum member_type {
		MEMBER_TEXT,   /* min to max octets; max 0: any */
		MEMBER_NUMBER, /* an integer, min to max */
		MEMBER_OBJECT,
	} type;
	int64_t min, max;
	bool required;
};

/* How a body is taken, and who computes. */
#define ROUTE_LONG 1U	/* it signs, or it reads much: not on the loop */
#define ROUTE_YAML 2U	/* application/yaml too: call->body is YAML */
#define ROUTE_FREE 4U	/* any members: the handler knows them */
#define ROUTE_PUBLIC 8U /* needs no token */

struct call;
typedef void handler(struct call *);
struct route {
	const char *method;
	/*
	 * "{x}" is a value of call->values, also with a literal end:
	 * "{serial}.pem". The one after /v1/sites/ names a site, which is
	 * found before the handler is called.
	 */
	const char *path;
	handler *handle;
	unsigned flags;
	const struct member *members;	 /* of the body; NULL: none */
	const struct member *parameters; /* of the query; NULL: none */
};

#define ROUTE_VALUES_MAX 3
struct call {
	const struct control *control;
	const struct control_request *request;
	const struct route *route;
	char *values[ROUTE_VALUES_MAX]; /* of the path, decoded */
	struct site *site;		/* a reference, or NULL */
	/* Checked against the tables of the route; never NULL. */
	json_t *members, *parameters;
	bool is_yaml; /* request->body is YAML, and there are no members */
	struct control_reply *reply;
};

/* NULL: it was not said. */
const char *call_text(const struct call *, const char *member);
/* `otherwise`: it was not said. */
int64_t call_number(const struct call *, const char *member, int64_t otherwise);
/* The same of the query. */
const char *call_parameter(const struct call *, const char *name);
int64_t call_parameter_number(const struct call *, const char *name,
    int64_t otherwise);

/*
 * reply.c. A handler ends with one of these. json: taken over; NULL: there was
 * no memory for it.
 */
void call_json(struct call *, int status, json_t *json);
/* {NAME: [...]}; ret -1: there was no memory. */
void call_list(struct call *, const char *name, json_t *list, int ret);
void call_octets(struct call *, int status, const char *content_type,
    struct span octets);
void call_nothing(struct call *); /* 204 */
/* Also replaces what was said before. */
void call_fail(struct call *, enum failure, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void call_header(struct call *, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Lines of where and what, as the scenario language has them. */
void call_fail_errors(struct call *, enum failure, struct errors *);
/* What site.h says. */
void call_fail_site(struct call *, enum site_answer, const struct error *);
int failure_status(enum failure);
/* The body of such an answer; NULL: no memory. */
json_t *failure_json(enum failure, const char *message);
/* One that may be cut within a character, or no UTF-8 at all. */
json_t *text_json(const char *);
/* "2026-03-01T08:00:00Z"; 0: null. */
json_t *time_json(int64_t at);

/* members.c: false: it has answered. */
bool members_read(struct call *);
bool parameters_read(struct call *);
/* "%2F" becomes "/"; NULL: it cannot be. The caller frees it. */
char *percent_decode(struct span, bool plus_is_space);

/*
 * settings.c: an object, nested or with dots, as texts "server.KEY=VALUE" for
 * struct scenario_options and site_set(). NULL is an empty one. false: it has
 * answered; else the caller clears *out.
 */
struct settings {
	char **texts;
	size_t count;
};
bool settings_read(struct call *, json_t *from, struct settings *out);
void settings_clear(struct settings *);

/*
 * routes.c. `values`: those of the path, not decoded. NULL: there is none;
 * `other_methods`: but there is such a path.
 */
const struct route *route_find(const char *method, struct span path,
    struct span values[ROUTE_VALUES_MAX], bool *other_methods);
/* "GET, HEAD, DELETE" */
void routes_allow(struct span path, struct buffer *out);

/* Handlers, by file. */
handler get_health, get_metrics, get_openapi;	      /* server.c */
handler list_scenarios, get_scenario;		      /* scenarios.c */
handler list_sites, make_site, get_site, delete_site; /* sites.c */
handler use_scenario, change_server, reset_site;      /* sites.c */
handler get_clock, advance_clock;		      /* sites.c */
handler list_requests, clear_requests, get_request;   /* requests.c */
handler get_request_octets, get_reply_octets;	      /* requests.c */
handler make_challenge;				      /* ca.c */
handler list_pending, approve_request, deny_request;  /* ca.c */
handler list_certificates, get_certificate;	      /* ca.c */
handler revoke_certificate, get_ca, get_crl;	      /* ca.c */
handler list_evidence, get_evidence;		      /* lab.c */
handler list_actions, do_action;		      /* lab.c */

#endif
