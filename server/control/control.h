/* The control API over HTTP: a skin over mockndes_control(). */
#ifndef CONTROL_CONTROL_H
#define CONTROL_CONTROL_H

#include "http/http.h"
#include "mockndes.h"

/* `instance` is borrowed. */
/* With `loopback`, a Host that is not loopback is refused (DNS rebinding). */
struct http_service control_service(struct mockndes *instance, bool loopback);

#endif
