/* `do: caps`: the answer to GetCACaps. */
#include "fault/inside.h"

const struct fault_section fault_caps = { NULL, 0 };
