/* `do: bytes`: the body of an answer, whatever it is. */
#include "fault/inside.h"

const struct fault_section fault_bytes = { NULL, 0 };
