/*
 * One server for all failures, each in sites of its own; and a site as an
 * administrator has it: its logs, actions and whether it is healthy. What
 * cannot be done fails the test.
 */
#ifndef FAILURES_LAB_H
#define FAILURES_LAB_H

#include "support/control.h"
#include "support/device.h"
#include "support/files.h"
#include "support/scepclient.h"

/* Good at every site, and as long as Intune's are. */
#define LAB_CHALLENGE LAB_WORDS LAB_WORDS LAB_WORDS LAB_WORDS LAB_WORDS
#define LAB_WORDS LAB_WORD LAB_WORD LAB_WORD LAB_WORD
#define LAB_WORD "A challenge that is good for as long as this test takes."
#define LAB_EVIDENCE_MAX 32
#define LAB_LETTERS_MAX 16

/* A request for a certificate, as the clients send it that there are. */
enum letter {
	LETTER_POST,
	LETTER_GET,  /* 4 kB, as certmonger's */
	LETTER_LONG, /* 20 kB, by GET: a large key, and all is escaped */
	LETTERS,
};
/* Those for the certificates of one GetCACert, made once. */
struct letters {
	struct buffer known_by; /* its answer */
	STACK_OF(X509) * ca_certs;
	struct device_message of[LETTERS];
};

void letters_clear(struct letters *);

struct lab {
	struct controlled server;
	struct device device, large;
	struct letters letters[LAB_LETTERS_MAX];
	size_t letter_count; /* that were made; the oldest go */
	char dir[FILE_PATH_SIZE];
	struct scepclient client; /* it keeps its key, and nothing else */
	int sites;
	json_t *actions; /* all that there are */
	struct buffer complaints;
};
void lab_start(struct lab *);
void lab_stop(struct lab *);

/* What must not be; the test goes on, for others, until it is checked. */
void lab_complain(struct lab *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void lab_check(struct lab *);

struct site_under_test {
	struct lab *lab;
	const char *scenario; /* borrowed */
	char id[32], url[256], admin[256];
	int64_t asked, awaited;	       /* exchanges that it has had */
	size_t read[LAB_EVIDENCE_MAX]; /* entries of each log */
};
/* `set`: NAME: VALUE in JSON, or NULL. Its logs have not been read. */
void lab_open(struct lab *, const char *scenario, const char *set,
    struct site_under_test *out);
void lab_close(struct site_under_test *);
/* As it was when it was opened. */
void lab_reset(struct site_under_test *);

/*
 * What its logs have that has not been read, a line each with this in front:
 * what it is, without times, ports and ids. First waits until everything that
 * was asked is in them.
 */
void lab_read_logs(struct site_under_test *, const char *indent,
    struct buffer *out);

/* `why` may be NULL. */
bool lab_is_healthy(struct site_under_test *, struct buffer *why);
/* What the answer to an action says. The caller frees `waits_for`. */
struct acted {
	bool healthy, changed;
	struct buffer waits_for; /* "a b" */
};
/* Does it, with what it needs to know. */
void lab_act(struct site_under_test *, const char *action, struct acted *out);

/* Whether scepclient gets a certificate that is good. */
bool lab_real_client_enrols(struct site_under_test *, struct buffer *why);

/* A text that ends with NUL; frees nothing. */
const char *text_of(struct buffer *);

#endif
