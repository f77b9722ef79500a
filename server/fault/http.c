/* `do: http`: the answer as HTTP has it, ordered or edited. */
#include "fault/inside.h"

const struct fault_section fault_http = { NULL, 0 };
