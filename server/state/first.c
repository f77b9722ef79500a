/*
 * The first start. Everything is made in a directory beside, which then gets
 * another name in one step; what is in it moves out of it, one by one, now
 * or at the next start.
 */
#include "state/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MAKING ".mockndes-making"
#define MADE ".mockndes-made"

#define ATTRIBUTES "index.txt.attr"
#define CONFIGURATION "openssl.cnf"

static const struct fixed {
	const char *name, *text;
} fixed[] = {
	{ STATE_INDEX,
	    "# TEST ONLY: what the CA of mockndes has issued, see "
	    "openssl-ca(1)\n" },
	{ STATE_CRL_NUMBER, "01\n" },
	{ ATTRIBUTES, "# TEST ONLY\nunique_subject = no\n" },
	{ CONFIGURATION,
	    "# TEST ONLY: the CA of mockndes, for openssl-ca(1). In this\n"
	    "# directory, while no server uses it:\n"
	    "#\topenssl ca -config openssl.cnf -gencrl -out crl.pem\n"
	    "[ca]\n"
	    "default_ca = mockndes\n"
	    "preserve = yes\n"
	    "\n"
	    "[mockndes]\n"
	    "dir = .\n"
	    "certificate = $dir/ca.pem\n"
	    "private_key = $dir/private/ca.key\n"
	    "database = $dir/index.txt\n"
	    "serial = $dir/serial\n"
	    "crlnumber = $dir/crlnumber\n"
	    "new_certs_dir = $dir/newcerts\n"
	    "unique_subject = no\n"
	    "default_md = sha256\n"
	    "default_days = 365\n"
	    "default_crl_days = 7\n"
	    "policy = any\n"
	    "copy_extensions = copy\n"
	    "x509_extensions = device\n"
	    "crl_extensions = crl\n"
	    "\n"
	    "[any]\n"
	    "commonName = optional\n"
	    "\n"
	    "[device]\n"
	    "keyUsage = critical, digitalSignature, keyEncipherment\n"
	    "extendedKeyUsage = clientAuth\n"
	    "subjectKeyIdentifier = hash\n"
	    "authorityKeyIdentifier = keyid\n"
	    "\n"
	    "[crl]\n"
	    "authorityKeyIdentifier = keyid\n" },
};
#define FIXED (sizeof(fixed) / sizeof(fixed[0]))

/* A directory in the state directory. */
struct part {
	struct disk_dir dir;
	char path[512];
};

static void
part_close(struct part *p)
{
	if (p->dir.fd != -1)
		close(p->dir.fd);
}

static int
part_open(const struct disk_dir *above, const char *name, struct part *out,
    struct error *err)
{
	snprintf(out->path, sizeof(out->path), "%s/%s", above->path, name);
	out->dir.path = out->path;
	out->dir.fd = openat(above->fd, name,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return out->dir.fd == -1 ? disk_error(above, name, err) : 0;
}

static int
part_make(const struct disk_dir *above, const char *name, struct part *out,
    struct error *err)
{
	out->dir.fd = -1;
	if (mkdirat(above->fd, name, 0700) == -1)
		return disk_error(above, name, err);
	return part_open(above, name, out, err);
}

static int
remove_tree(const struct disk_dir *above, const char *name, struct error *err)
{
	const char *below;
	struct part p;
	int ret = 0;
	DIR *list;

	if (part_open(above, name, &p, err) == -1)
		return -1;
	if ((list = disk_list(&p.dir, err)) == NULL)
		ret = -1;
	while (ret == 0 && (below = disk_next(list)) != NULL)
		if (unlinkat(p.dir.fd, below, 0) == -1)
			ret = errno == EISDIR ?
			    remove_tree(&p.dir, below, err) :
			    disk_error(&p.dir, below, err);
	if (list != NULL)
		closedir(list);
	part_close(&p);
	if (ret == 0 && unlinkat(above->fd, name, AT_REMOVEDIR) == -1)
		ret = disk_error(above, name, err);
	return ret;
}

/* Files called *`suffix`; what is there already stays as it is. */
static int
move_all(const struct disk_dir *from, const struct disk_dir *to,
    const char *suffix, struct error *err)
{
	DIR *list = disk_list(from, err);
	const char *name;
	int ret = list == NULL ? -1 : 0;
	size_t len, tail = strlen(suffix);

	while (ret == 0 && (name = disk_next(list)) != NULL) {
		len = strlen(name);
		if (len < tail || strcmp(name + len - tail, suffix) != 0)
			continue;
		errno = EEXIST;
		if (disk_has(to, name) ||
		    renameat(from->fd, name, to->fd, name) == -1)
			ret = disk_error(to, name, err);
	}
	if (list != NULL)
		closedir(list);
	return ret == 0 ? disk_flush(to, err) : -1;
}

static int
make_keys(struct state_dir *d, struct key_set *given, const struct part *to,
    struct error *err)
{
	struct key_set *made = NULL;
	struct part private = { .dir.fd = -1 };
	int ret = -1;

	if (given == NULL && key_set_generate(d->crypto, &made, err) == -1)
		return -1;
	if (key_set_save(given == NULL ? made : given, to->path,
		(int64_t)time(NULL), err) == 0 &&
	    disk_flush_all(&to->dir, err) == 0 &&
	    part_make(&to->dir, "private", &private, err) == 0)
		ret = move_all(&to->dir, &private.dir, ".key", err);
	part_close(&private);
	key_set_free(made);
	return ret;
}

static int
make_files(struct state_dir *d, const struct disk_dir *to, struct error *err)
{
	struct buffer serial = { 0 };
	int ret = state_serial_file(d, &serial, err);

	if (ret == 0)
		ret = disk_create(to, STATE_SERIAL, 0644, buffer_span(&serial),
		    err);
	buffer_free(&serial);
	for (size_t i = 0; ret == 0 && i < FIXED; i++)
		ret = disk_create(to, fixed[i].name, 0644,
		    span_text(fixed[i].text), err);
	return ret;
}

static int
make(struct state_dir *d, struct key_set *given, struct error *err)
{
	struct part making, newcerts = { .dir.fd = -1 };
	int ret = -1;

	if (part_make(&d->top, MAKING, &making, err) == 0 &&
	    make_keys(d, given, &making, err) == 0 &&
	    make_files(d, &making.dir, err) == 0 &&
	    part_make(&making.dir, "newcerts", &newcerts, err) == 0 &&
	    disk_flush(&making.dir, err) == 0) {
		ret = renameat(d->top.fd, MAKING, d->top.fd, MADE);
		if (ret == -1)
			disk_error(&d->top, MADE, err);
		else
			ret = disk_flush(&d->top, err);
	}
	part_close(&newcerts);
	part_close(&making);
	if (ret == -1)
		remove_tree(&d->top, MAKING, NULL);
	return ret;
}

static int
move_out(struct state_dir *d, struct error *err)
{
	struct part made;
	int ret;

	if (part_open(&d->top, MADE, &made, err) == -1)
		return -1;
	ret = move_all(&made.dir, &d->top, "", err);
	part_close(&made);
	if (ret == 0 && unlinkat(d->top.fd, MADE, AT_REMOVEDIR) == -1)
		ret = disk_error(&d->top, MADE, err);
	return ret;
}

/* But for what may lie in an empty one. */
static bool
is_empty(const struct state_dir *d)
{
	static const char *const nothing[] = { STATE_LOCK, MAKING,
		"lost+found" };
	DIR *list = disk_list(&d->top, NULL);
	bool empty = list != NULL;
	const char *name;

	while (empty && (name = disk_next(list)) != NULL) {
		empty = false;
		for (size_t i = 0; i < sizeof(nothing) / sizeof(nothing[0]);
		     i++)
			empty |= strcmp(name, nothing[i]) == 0;
	}
	if (list != NULL)
		closedir(list);
	return empty;
}

bool
state_is_foreign(const struct state_dir *d)
{
	/* In this order: another process may be making it just now. */
	return !is_empty(d) && !disk_has(&d->top, MADE) &&
	    !disk_has(&d->top, STATE_INDEX) && !disk_has(&d->top, "ca.pem") &&
	    !disk_has(&d->top, "private");
}

int
state_first(struct state_dir *d, struct key_set *given, struct error *err)
{
	if (disk_has(&d->top, MADE)) {
		if (move_out(d, err) == -1)
			return -1;
		state_note(d, "%s: its first start was cut short; completed",
		    d->path);
		return 0;
	}
	if (!is_empty(d))
		return 0;
	if (disk_has(&d->top, MAKING)) {
		if (remove_tree(&d->top, MAKING, err) == -1)
			return -1;
		state_note(d, "%s: its first start was cut short; begun again",
		    d->path);
	}
	return make(d, given, err) == 0 ? move_out(d, err) : -1;
}

/* Those that hold state are there by now, or were refused. */
int
state_restore(struct state_dir *d, struct error *err)
{
	for (size_t i = 0; i < FIXED; i++) {
		if (disk_has(&d->top, fixed[i].name))
			continue;
		if (disk_replace(&d->top, fixed[i].name,
			span_text(fixed[i].text), err) == -1)
			return -1;
		state_note(d, "%s/%s: was missing, written anew", d->path,
		    fixed[i].name);
	}
	return 0;
}
