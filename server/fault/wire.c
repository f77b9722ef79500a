/* `do: wire`, `do: delay`: how the octets go out. */
#include "fault/inside.h"

const struct fault_section fault_wire = { NULL, 0 };
