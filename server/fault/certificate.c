/* `do: certificate`: what is issued, as the client gets it. */
#include "fault/inside.h"

const struct fault_section fault_certificate = { NULL, 0 };
