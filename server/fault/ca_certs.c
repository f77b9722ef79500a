/* `do: ca_certs`: the answer to GetCACert. */
#include "fault/inside.h"

const struct fault_section fault_ca_certs = { NULL, 0 };
