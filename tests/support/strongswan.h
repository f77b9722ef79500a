/*
 * strongSwan's pki --scepca and pki --scep. Version 5.9.8 looks for another
 * bit than the one that a keyword sets (quirk 19): it finds "DES3" only where
 * "AES" is listed, and AES never. So the server must list AES, which healthy
 * NDES does not, and the client is told to use 3DES.
 */
#ifndef SUPPORT_STRONGSWAN_H
#define SUPPORT_STRONGSWAN_H

#include "support/child.h"
#include "support/files.h"

#define STRONGSWAN_CAPABILITIES                         \
	"server.mscep.capabilities=[POSTPKIOperation, " \
	"Renewal, SHA-512, SHA-256, SHA-1, DES3, AES]"
#define STRONGSWAN_CAS_MAX 3

struct strongswan {
	char dir[FILE_PATH_SIZE], config[FILE_PATH_SIZE];
	/* What --scepca has got last: the root first; and the RAs. */
	char cas[STRONGSWAN_CAS_MAX][FILE_PATH_SIZE];
	int tiers, gets;
	char encryption_ra[FILE_PATH_SIZE], signing_ra[FILE_PATH_SIZE];
	const char *trusted; /* who signs for servers, see trust.h; or NULL */
};

/* What is said of it that it cannot do is said of 5.9.8 alone. */
bool strongswan_is_known(void);

/* It keeps its files in this directory. */
void strongswan_make(struct strongswan *, const char *dir);
/* Its strongswan.conf; empty at first. */
void strongswan_configure(const struct strongswan *, const char *text);
/* Runs pki with these arguments, NULL ended. */
void strongswan_run(const struct strongswan *, const char *const argv[],
    struct child_result *said);
#define PKI(...) ((const char *const[]){ "pki", __VA_ARGS__, NULL })

/* --scepca must succeed; so often as there is another CA. */
void strongswan_get_ca(struct strongswan *, const char *url);
/* A new RSA key in a file NAME. */
void strongswan_make_key(const struct strongswan *, const char *name,
    char path[FILE_PATH_SIZE]);

/* What is NULL is left out. */
struct strongswan_order {
	const char *key, *password;
	const char *old_cert, *old_key; /* to renew with */
	const char *digest, *padding;	/* "pss" */
};
/* --scep for CN=DEVICE_SUBJECT, polling every second. */
void strongswan_start(const struct strongswan *, const char *url,
    const struct strongswan_order *, struct child *);
/* To its end; stdout is the certificate, or nothing. */
void strongswan_enrol(const struct strongswan *, const char *url,
    const struct strongswan_order *, struct child_result *said);

#endif
