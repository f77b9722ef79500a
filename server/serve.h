/* The way of one SCEP exchange through the stack. */
#ifndef SERVE_H
#define SERVE_H

#include "http/http.h"
#include "site/site.h"

/* The service of a SCEP listener; the door is borrowed. */
struct http_service serve_service(const struct door *);

#endif
