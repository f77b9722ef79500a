/* The way of one SCEP exchange through the stack. */
#ifndef SERVE_H
#define SERVE_H

#include "http/http.h"
#include "site/site.h"

/* The service of a SCEP listener; `sites` is borrowed. */
struct http_service serve_service(struct sites *);

#endif
