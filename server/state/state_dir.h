/*
 * A certification authority that outlives its process, in the layout of
 * openssl-ca(1), so that `openssl ca -gencrl`, `openssl ocsp -index` and
 * `openssl verify` work on it:
 *
 *	ca.pem ra-signing.pem ra-encryption.pem
 *	private/ca.key private/ra-signing.key private/ra-encryption.key
 *	index.txt index.txt.attr serial crlnumber openssl.cnf
 *	newcerts/SERIAL.pem
 *	crl.pem			once there was one
 *	.lock			holds the id of the process that uses it
 *
 * Other programs may change it while no server uses it. What one of them
 * does to index.txt while a server runs is seen, unless both write at once.
 */
#ifndef STATE_STATE_DIR_H
#define STATE_STATE_DIR_H

#include "ca/ca.h"

struct state_dir;

struct state_dir_options {
	const char *path;
	struct crypto *crypto; /* borrowed */
	/* Borrowed; for an empty directory. NULL: generates them. */
	struct key_set *keys;
	/* Is told what was recovered, a line each; or NULL. */
	void (*note)(void *cls, const char *line);
	void *cls;
};

/*
 * Makes a directory, with all of it, of one that is empty or is not there;
 * completes one whose first start was cut short; or opens one. Slow where it
 * makes keys, and where there are many certificates: each is verified.
 *
 * Recovered are a torn last line of index.txt, certificates without a line
 * (nobody has them, but they were signed), and temporary files. Everything
 * else that is wrong is refused, before anything was written:
 * "DIR/index.txt:12: ...", "DIR: in use by process 34".
 */
int state_dir_open(struct state_dir **out, const struct state_dir_options *,
    struct error *);
/* When no other call is running. NULL is fine. */
void state_dir_close(struct state_dir *);

/* A reference; the caller frees it with key_set_free(). Has certificates. */
struct key_set *state_dir_keys(struct state_dir *);

/* All that follows is safe for use by several threads. */

/* A line of index.txt, and the certificate in newcerts/. Borrowed. */
struct state_entry {
	struct span serial;  /* content octets of the INTEGER */
	const char *subject; /* in one line, see x509_name_line() */
	int64_t not_after;
	int64_t revoked_at; /* 0: is not */
	int reason;	    /* RFC 5280 5.3.1; 0: not said */
	struct span der;
};
/* In the order they were issued. Ends with -1 when `each` returns -1. */
int state_dir_each(struct state_dir *,
    int (*each)(void *cls, const struct state_entry *), void *cls,
    struct error *);
/* Beyond the request number of every serial number in it (ca_serial()). */
uint32_t state_dir_next_request(const struct state_dir *);

/*
 * On disk when it returns 0: the file in newcerts/ before the line in
 * index.txt. It waits for the disk, three flushes in a row, of which those
 * who add at the same time share two: many threads are no slower than one.
 * If it fails the certificate must not be given away. There is neither file
 * nor line then, unless a flush has failed; nothing more is written after
 * that.
 */
int state_dir_add(struct state_dir *, struct span certificate, struct error *);
/*
 * Rewrites index.txt. `serial` is the content of the INTEGER; refused are
 * what is revoked already, and what OpenSSL could not read: dates after
 * 2049, and the reasons 7, 9 and 10.
 */
int state_dir_revoke(struct state_dir *, struct span serial, int64_t at,
    int reason, struct error *);

/* The number of the next CRL: beyond all that were written. */
uint32_t state_dir_next_crl(struct state_dir *);
/* Writes crl.pem, and to crlnumber the number after `number`. */
int state_dir_write_crl(struct state_dir *, struct span crl, uint32_t number,
    struct error *);

#endif
