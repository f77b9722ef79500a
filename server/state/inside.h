/* The inside of struct state_dir, for this folder alone. */
#ifndef STATE_INSIDE_H
#define STATE_INSIDE_H

#include <pthread.h>
#include <stdatomic.h>

#include "state/disk.h"
#include "state/index.h"
#include "state/state_dir.h"

#define STATE_INDEX "index.txt"
#define STATE_SERIAL "serial"
#define STATE_CRL_NUMBER "crlnumber"
#define STATE_CRL "crl.pem"
#define STATE_LOCK ".lock"
#define STATE_INDEX_MAX (100 << 20) /* octets */
#define STATE_FILE_MAX (1 << 20)    /* any other file */

struct addition;

struct state_dir {
	struct crypto *crypto;	/* borrowed */
	struct credentials *ca; /* with its key set */
	char *path, *newcerts_path;
	struct disk_dir top, newcerts;
	int lock;
	void (*note)(void *cls, const char *line);
	void *cls;
	_Atomic uint32_t next_request, next_crl;
	uint32_t serial_request; /* in the file "serial" */

	pthread_mutex_t mutex; /* what follows */
	pthread_cond_t changed;
	struct addition *waiting, **last;
	bool writing;	     /* somebody has index.txt for himself */
	int index;	     /* his; open for appending */
	struct error broken; /* his; what made index.txt uncertain */
};

void state_note(const struct state_dir *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* "DIR/index.txt:LINE: what" */
int state_wrong_line(const struct state_dir *, int line, const char *what,
    struct error *);

/* "SERIAL.pem" */
#define STATE_NAME_SIZE (INDEX_SERIAL_SIZE + 4)
char *state_name(const struct index_line *, char out[STATE_NAME_SIZE]);
/* A certificate of newcerts/; the caller frees *der. */
struct state_certificate {
	char name[STATE_NAME_SIZE];
	struct blob der;
	struct x509 x509;
	bool damaged; /* it was read, but is not what its name says */
};
int state_read_certificate(const struct state_dir *, const struct index_line *,
    struct state_certificate *out, struct error *);
/* The line that is for it in index.txt, into `b`. */
int state_add_line(struct buffer *b, const struct index_line *,
    const struct x509 *, struct error *);

/* Raises next_request beyond this serial number. */
void state_count_serial(struct state_dir *, const struct index_line *);
/* Raises next_crl to what the file says. */
int state_read_crl_number(struct state_dir *, struct error *);
/* The same with next_request; 1: the file is behind it, or missing. */
int state_read_serial(struct state_dir *, struct error *);
/* What is to stand in the file "serial". */
int state_serial_file(const struct state_dir *, struct buffer *out,
    struct error *);
int state_write_serial(struct state_dir *, struct error *);
int state_open_index(struct state_dir *, struct error *);

/* Makes what is not there yet. */
int state_first(struct state_dir *, struct key_set *, struct error *);
/* Whether it is no state directory and cannot become one. */
bool state_is_foreign(const struct state_dir *);
/* Files that hold no state, written anew when they are missing. */
int state_restore(struct state_dir *, struct error *);

/* What opening finds; nothing is written before all of it is known. */
struct survey {
	struct state_dir *d;
	struct blob index;   /* as it is in the file */
	size_t whole;	     /* octets of it that are whole lines */
	struct buffer known; /* serial numbers that have a line */
	struct buffer added; /* lines behind the whole ones */
	struct buffer notes; /* of what is recovered; lines */
	struct buffer stray; /* names in newcerts/, each with a NUL */
	bool torn, stale_serial;
};
/* Reads and checks everything, then recovers what can be. */
int state_check(struct state_dir *, struct error *);
int survey_issued(const struct survey *, const struct state_certificate *,
    struct error *);
void survey_add_known(struct survey *, const struct index_line *, int number);
/* Not before all are added. */
bool survey_is_known(const struct survey *, const struct index_line *);
/* What is behind the last newline; `number`: its line. */
int survey_torn(struct survey *, struct span, int number, struct error *);
int survey_newcerts(struct survey *, struct error *);
/* Writes. */
int survey_recover(struct survey *, struct error *);

#endif
