/*
 * micromdm's scepclient. In one directory it keeps what belongs to one
 * device: its key, its certificate, and its CSR, which it would use again.
 */
#ifndef SUPPORT_SCEPCLIENT_H
#define SUPPORT_SCEPCLIENT_H

#include "support/child.h"
#include "support/files.h"

#define SCEPCLIENT_SUBJECT "CN=printer 1,OU=MDM,O=Office,C=US"

struct scepclient {
	char dir[FILE_PATH_SIZE], key[FILE_PATH_SIZE], cert[FILE_PATH_SIZE];
};

/* What is said of it that it cannot do is said of 2.1.0 alone. */
bool scepclient_is_known(void);

/* A new device in a new directory NAME below `parent`. */
void scepclient_make(struct scepclient *, const char *parent, const char *name);
/* Leaves it only its key. */
void scepclient_forget(const struct scepclient *);
/* The challenge password of its last run is in that. */
void scepclient_forget_csr(const struct scepclient *);

/*
 * With a certificate it renews, else it enrols. challenge: or NULL; more:
 * words for it, NULL ended, or NULL.
 */
void scepclient_run(const struct scepclient *, const char *url,
    const char *challenge, const char *const more[],
    struct child_result *result);
/*
 * The same until it has heard PENDING and would wait 30 s before it asks
 * again; then it is killed.
 */
void scepclient_run_to_pending(const struct scepclient *, const char *url,
    const char *challenge);

#endif
