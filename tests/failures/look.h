/* What clients see of a site: of browsing, asking and enrolling. */
#ifndef FAILURES_LOOK_H
#define FAILURES_LOOK_H

#include "failures/lab.h"

enum probe {
	PROBE_BROWSE,
	PROBE_CAPS,
	PROBE_CA_CERT,
	PROBE_POST, /* PKIOperation, a real PKCSReq each */
	PROBE_GET,
	PROBE_LONG_GET,
	PROBE_ADMIN,
	PROBES,
};

struct look {
	struct buffer past;	      /* what the logs had before, lines */
	struct buffer client[PROBES]; /* what it gets, in a line */
	struct buffer logs[PROBES];   /* what it leaves, lines */
};
/* With logs, or only as a client. The caller clears *out. */
void look_at(struct site_under_test *, bool with_logs, struct look *out);
/*
 * The same of a site with which nothing is said to have changed: only some are
 * asked again, the others say what they have said before.
 */
void look_again(struct site_under_test *, struct look *before,
    struct look *out);
void look_clear(struct look *);
/* As clients see them. */
bool look_is_same(struct look *, struct look *);
/* Of one probe; the version of the server is no difference. */
bool look_says_the_same(struct look *, struct look *, int probe);
/*
 * Lines, each with this in front; repeated ones once, and what the policy
 * module writes for a healthy site, too (or NULL), is only counted.
 */
void print_logs(const char *lines, const char *healthy, const char *indent,
    struct buffer *out);
/*
 * Those that say the same stand together; those that say what a healthy site
 * says, unless that is NULL, are only named.
 */
void look_print(struct look *, struct look *healthy, const char *indent,
    struct buffer *out);
/* In one line, as clients see it; without those. */
void look_print_short(struct look *, struct look *healthy, struct buffer *out);

#endif
