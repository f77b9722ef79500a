/* What there is to be asked, for programs. */
#ifndef CONTROL_OPENAPI_H
#define CONTROL_OPENAPI_H

#include "base/blob.h"

/*
 * openapi.json, embedded when the program was built: OpenAPI 3.1. The paths in
 * it are those of the table of routes, and tests hold every answer to it.
 */
struct span control_openapi(void);

#endif
