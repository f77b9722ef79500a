/*
 * Ordinary HTTP, by libcurl. Nothing here fails a test, so that threads can
 * use it; web_start() must have been called once before there are any.
 */
#ifndef SUPPORT_WEB_H
#define SUPPORT_WEB_H

#include "base/blob.h"

#define WEB_SECONDS 30

struct web_request {
	const char *url;
	const char *method;	    /* NULL: GET, or POST with a body */
	const void *body;	    /* NULL: none */
	size_t length;		    /* of the body */
	const char *content_type;   /* of the body; NULL: pki-message */
	const char *const *headers; /* NULL ended, or NULL */
};

struct web_reply {
	long status;   /* 0: no answer */
	bool is_reset; /* the connection; there is no answer */
	char content_type[80], server[80], location[256];
	struct buffer head; /* lines of its header fields, NUL ended */
	struct buffer body; /* with a NUL that is not counted */
};

void web_start(void);
/*
 * Who may have signed the certificates of servers: a PEM file, borrowed, from
 * now on. NULL: those whom this machine trusts.
 */
void web_trust(const char *ca);
/* true: there was an answer. The caller clears *reply in any case. */
bool web_ask(const struct web_request *, struct web_reply *reply);
bool web_get(const char *url, struct web_reply *reply);
void web_reply_clear(struct web_reply *);
/* Whether it has this line, "Allow: GET, HEAD". */
bool web_reply_has(const struct web_reply *, const char *line);

/*
 * The ASCII in a page in UTF-16LE, with a NUL; false: it is anything else.
 * The caller frees it.
 */
bool web_page_text(const struct web_reply *, struct buffer *out);

#endif
