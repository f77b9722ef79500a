/* `do: scep`: a CertRep; what is signed stays correctly signed. */
#include "fault/inside.h"

const struct fault_section fault_scep = { NULL, 0 };
