/*
 * A server as its users have it, of mockndes_start(), and what its control API
 * says, over HTTP or in the process. What is not as it has to be fails the
 * test.
 */
#ifndef SUPPORT_CONTROL_H
#define SUPPORT_CONTROL_H

#include <jansson.h>

#include "mockndes.h"
#include "support/web.h"

#define CONTROL_JSON "application/json"
#define CONTROL_YAML "application/yaml"
#define CONTROL_URL_SIZE 512

struct controlled {
	struct mockndes *mockndes;
	json_t *ready;
	const char *base; /* of the control API */
	const char *url;  /* of mscep.dll of the default site */
};
/* On free ports, with the keys of tests/fixtures; options may be NULL. */
void controlled_start(struct controlled *, const struct mockndes_options *);
void controlled_stop(struct controlled *);

/* What was answered; json NULL: it is none. */
struct said {
	struct web_reply http; /* of a call in the process: body alone */
	int status;
	char content_type[80];
	json_t *json;
};
void said_clear(struct said *);

struct saying {
	const char *method, *path;
	const char *body;	   /* or NULL */
	size_t length;		   /* 0: the body is a text */
	const char *type;	   /* NULL: JSON */
	const char *const *header; /* NULL ended, or NULL */
};
/* Neither fails a test. */
bool control_try(const struct controlled *, const struct saying *,
    struct said *);
bool control_try_inside(const struct controlled *, const struct saying *,
    struct said *);

/*
 * Over HTTP; it must be answered with this status. Its JSON is the caller's to
 * free, NULL if there is none. The path is a format, the body as it is.
 */
json_t *control_do(const struct controlled *, int status, const char *method,
    const char *body, const char *path, ...)
    __attribute__((format(printf, 5, 6)));
/* Returns when the journal of the site has had so many: they come last. */
void control_await(const struct controlled *, const char *id, int64_t count);
/* Of /metrics, with its labels as written there; -1: it is not there. */
double control_metric(const struct controlled *, const char *name);
/* Text at this path of it ("error.code"); fails if there is none. */
const char *json_at(const json_t *, const char *path);
int64_t json_number_at(const json_t *, const char *path);

#endif
