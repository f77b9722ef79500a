/* PKIOperation: from a message to its CertRep (RFC 8894 3, 4.3 to 4.6). */
#ifndef PKI_OPERATION_H
#define PKI_OPERATION_H

#include "exchange/exchange.h"

/* Slow: it decrypts and signs. */
void pki_operation_answer(struct exchange *);

#endif
