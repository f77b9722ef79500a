/*
 * certmonger: its real daemon, told what to do by its getcert. The daemon
 * listens on a private socket only (-L), so it needs no D-Bus daemon, and
 * keeps all that it writes in a directory of the test's own.
 */
#ifndef SUPPORT_CERTMONGER_H
#define SUPPORT_CERTMONGER_H

#include "support/child.h"
#include "support/files.h"

#define CERTMONGER_ENV_MAX 12
#define CERTMONGER_WAIT "20" /* less than CHILD_SECONDS: getcert says more */

struct certmonger {
	struct child daemon;
	char dir[FILE_PATH_SIZE], socket[80];
	char texts[CERTMONGER_ENV_MAX][FILE_PATH_SIZE + 40];
	const char *env[CERTMONGER_ENV_MAX];
};

/* What is said of it that it cannot do is said of 0.79.17 alone. */
bool certmonger_is_known(void);

/* It knows one CA, "NDES", at that URL, and has asked it already. */
void certmonger_start(struct certmonger *, const char *dir, const char *url);
/*
 * The same in TLS, with add-scep-ca -R CA, a PEM file. 0.79.17 does not go by
 * that for PKIOperation, so it may have to be `trusted`; see trust.h.
 */
void certmonger_start_tls(struct certmonger *, const char *dir, const char *url,
    const char *ca, bool trusted);
/* After a start that failed, too. */
void certmonger_stop(struct certmonger *);

/* Runs getcert with these arguments, NULL ended. */
void certmonger_run(const struct certmonger *, const char *const argv[],
    struct child_result *said);
#define GETCERT(...) ((const char *const[]){ "getcert", __VA_ARGS__, NULL })
/* It succeeds and says this; NULL: whatever it says. */
void certmonger_must(const struct certmonger *, const char *const argv[],
    const char *words);
/* It says this in the end, if it is asked often enough. */
void certmonger_wait(const struct certmonger *, const char *const argv[],
    const char *words);

/*
 * Until it knows the CA at this URL, as it is now; of several, certmonger
 * shows the root.
 */
void certmonger_wait_for_ca(const struct certmonger *, const char *url);

/* DIR/ID.key and DIR/ID.pem */
char *certmonger_key(const struct certmonger *, const char *id,
    char out[FILE_PATH_SIZE]);
char *certmonger_cert(const struct certmonger *, const char *id,
    char out[FILE_PATH_SIZE]);
/*
 * Asks for a certificate for CN=DEVICE_SUBJECT; `more`: words for getcert,
 * such as "-w", NULL ended, or NULL. challenge: or NULL. The exit status.
 */
int certmonger_request(const struct certmonger *, const char *id,
    const char *challenge, const char *const more[]);
/* Words for that: waits for the end of it, whatever it is. */
extern const char *const certmonger_to_the_end[];

#endif
