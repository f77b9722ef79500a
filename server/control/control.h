/*
 * The control API: everything that can be seen and changed from outside, as
 * calls in the process (mockndes_control()) and, by the same table of routes,
 * over HTTP.
 */
#ifndef CONTROL_CONTROL_H
#define CONTROL_CONTROL_H

#include "doors.h"
#include "http/http.h"
#include "mockndes.h"
#include "site/site.h"

/* What it is about; everything borrowed, and there from http_accept() on. */
struct control {
	struct sites *sites;
	struct http *http;
	struct doors *doors;
	const char *scenario_dir; /* where NAME.yaml is looked for, or NULL */
	const char *token;	  /* that HTTP clients must bear, or NULL */
	const char *version;
	const char *url; /* of the default site, for SCEP clients */
};

/* What is asked; everything borrowed. */
struct control_request {
	const char *method;
	struct span path, query; /* as in a URL, query without the "?" */
	struct span body;
	const char *content_type; /* NULL: JSON if it begins with "{" */
	const char *accept;	  /* or NULL */
	int64_t started_ms;	  /* clock_ticks_ms() when it was first asked */
	/* What to do where it asks to wait: the call waits ... */
	bool may_block;
	/* ... or is made again, see reply.waiting; neither: it answers. */
	bool may_return;
};

#define CONTROL_HEADERS_MAX 4
struct control_reply {
	/*
	 * Its key not NULL: nothing can be answered yet, ask again. The key
	 * lives as long as the reference to the site does.
	 */
	struct waiting waiting;
	struct site *waits_for;
	int status;
	const char *content_type; /* static; NULL: there is no body */
	struct {
		const char *name; /* static */
		char *value;
	} headers[CONTROL_HEADERS_MAX];
	size_t header_count;
	struct buffer body;
};
/* Every call fills *reply, for control_reply_clear(); -1: no memory. */
int control_call(const struct control *, const struct control_request *,
    struct control_reply *reply);
void control_reply_clear(struct control_reply *);

/* The same as mockndes_control() has it; `target`: path and query. */
int control_ask(const struct control *, const char *method, const char *target,
    struct span body, struct mockndes_reply *);

/*
 * Over HTTP, guarded against pages of other web sites. `loopback`: a Host that
 * is not loopback is refused too (DNS rebinding).
 */
struct http_service control_service(const struct control *, bool loopback);

/* The table, for who checks it: false: there are no more. */
bool control_route_at(size_t, const char **method, const char **path);

#endif
