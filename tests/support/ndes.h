/*
 * A server in this process and what its devices know of it; what is not as
 * it has to be fails the test.
 */
#ifndef SUPPORT_NDES_H
#define SUPPORT_NDES_H

#include "support/device.h"
#include "support/server.h"

/* Good any number of times, at every NDES that is started here. */
#define NDES_CHALLENGE "lasting"

/* As RFC 8894 3.2.1 has them. */
#define NDES_SUCCESS 0
#define NDES_FAILURE 2
#define NDES_PENDING 3
#define NDES_BAD_ALG 0
#define NDES_BAD_MESSAGE_CHECK 1
#define NDES_BAD_REQUEST 2
#define NDES_BAD_TIME 3
#define NDES_BAD_CERT_ID 4

struct ndes {
	struct server server;
	STACK_OF(X509) * ca_certs;
};

/* `set`: "server.KEY=VALUE", NULL ended, or NULL. */
void ndes_start(struct ndes *, const char *const *set);
void ndes_stop(struct ndes *);
/* Of its site. */
int64_t ndes_now(const struct ndes *);
/* Asks GetCACert again. */
void ndes_look_again(struct ndes *);

/* The CertRep is sound, whatever it says. The caller clears *out. */
void ndes_ask(const struct ndes *, const struct device *,
    const struct device_order *, struct device_answer *out);
/* The same, and it says this; failInfo counts for FAILURE alone. */
void ndes_expect(const struct ndes *, const char *row, const struct device *,
    const struct device_order *, int pki_status, int fail_info);
/* A certificate for the device's key, which verifies; the caller frees it. */
X509 *ndes_enrol(const struct ndes *, const struct device *,
    const struct device_order *);

/* What the manager of the CA does. */
#define NDES_KEY_COMPROMISE 1 /* RFC 5280 5.3.1 */
void ndes_settle(const struct ndes *, const char *transaction_id, bool approve);
void ndes_revoke(const struct ndes *, const X509 *);

#endif
