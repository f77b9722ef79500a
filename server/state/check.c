/*
 * What a state directory holds, held against itself. Nothing is written
 * before everything was found to be whole or to be recoverable.
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

/* A serial number that has a line. */
struct known {
	uint8_t octets[INDEX_SERIAL_MAX + 1]; /* the first is the length */
	int line;
};

static int
check_private(const struct state_dir *d, struct error *err)
{
	struct stat st;

	if (fstatat(d->top.fd, "private", &st, 0) == -1)
		return disk_error(&d->top, "private", err);
	if (geteuid() != 0 && st.st_uid != geteuid())
		return error_set(err,
		    "%s/private: belongs to user %u, not to user %u", d->path,
		    st.st_uid, geteuid());
	return 0;
}

/* A key set could do without certificates; this is no key set. */
static int
check_ca_file(const struct state_dir *d, const char *name, struct error *err)
{
	char path[512];
	struct x509 cert;
	struct blob pem, der;
	int ret;

	if (disk_read(&d->top, name, STATE_FILE_MAX, &pem, err) == -1)
		return -1;
	snprintf(path, sizeof(path), "%s/%s", d->path, name);
	ret = x509_from_pem(blob_span(&pem), path, &der, err);
	blob_free(&pem);
	if (ret == -1)
		return -1;
	x509_read(blob_span(&der), &cert);
	blob_free(&der);
	if (cert.not_after < (int64_t)time(NULL))
		return error_set(err,
		    "%s: has expired; begin with an empty directory", path);
	return 0;
}

static int
load_keys(struct survey *s, struct error *err)
{
	static const char *const files[] = { "ca.pem", "ra-signing.pem",
		"ra-encryption.pem" };
	struct state_dir *d = s->d;
	struct index_line line;
	struct key_set *keys;
	int ret;

	if (check_private(d, err) == -1)
		return -1;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (check_ca_file(d, files[i], err) == -1)
			return -1;
	if (key_set_load_from(d->crypto, d->path, "private/", &keys, err) == -1)
		return -1;
	/* They have certificates: what time it is does not matter. */
	ret = credentials_new(keys, &CA_SHAPE_GIVEN, 0, &d->ca, err);
	key_set_free(keys);
	for (int role = 0; ret == 0 && role < CA_ROLES; role++)
		if (index_serial(d->ca->certs[role].serial, &line, NULL) == 0)
			state_count_serial(d, &line);
	return ret;
}

int
survey_issued(const struct survey *s, const struct state_certificate *cert,
    struct error *err)
{
	if (ca_has_signed(s->d->ca, &cert->x509))
		return 0;
	return error_set(err, "%s/%s: was not issued by the CA in ca.pem",
	    s->d->newcerts_path, cert->name);
}

static struct known
key_of(const struct index_line *line)
{
	struct known k = { .octets = { (uint8_t)line->serial_len } };

	memcpy(k.octets + 1, line->serial, line->serial_len);
	return k;
}

static int
compare_octets(const void *a, const void *b)
{
	return memcmp(((const struct known *)a)->octets,
	    ((const struct known *)b)->octets, INDEX_SERIAL_MAX + 1);
}

static int
compare_known(const void *a, const void *b)
{
	int order = compare_octets(a, b);

	return order != 0 ?
	    order :
	    ((const struct known *)a)->line - ((const struct known *)b)->line;
}

void
survey_add_known(struct survey *s, const struct index_line *line, int number)
{
	struct known k = key_of(line);

	k.line = number;
	buffer_add(&s->known, &k, sizeof(k));
}

/* Sorts them, so that from now on they are found. */
static int
check_twice(struct survey *s, struct error *err)
{
	struct known *list = (struct known *)(void *)s->known.data;
	size_t count = s->known.len / sizeof(*list);
	char what[80];

	if (count > 0)
		qsort(list, count, sizeof(*list), compare_known);
	for (size_t i = 1; i < count; i++) {
		if (compare_octets(&list[i - 1], &list[i]) != 0)
			continue;
		snprintf(what, sizeof(what),
		    "has the serial number of line %d again", list[i - 1].line);
		return state_wrong_line(s->d, list[i].line, what, err);
	}
	return 0;
}

bool
survey_is_known(const struct survey *s, const struct index_line *line)
{
	struct known k = key_of(line);

	return s->known.len > 0 &&
	    bsearch(&k, s->known.data, s->known.len / sizeof(k), sizeof(k),
		compare_octets) != NULL;
}

static int
check_line(struct survey *s, const struct index_line *line, int number,
    struct error *err)
{
	struct state_certificate cert;
	char name[STATE_NAME_SIZE];
	char what[128];
	int ret;

	if (!disk_has(&s->d->newcerts, state_name(line, name))) {
		snprintf(what, sizeof(what), "there is no newcerts/%s", name);
		return state_wrong_line(s->d, number, what, err);
	}
	if (state_read_certificate(s->d, line, &cert, err) == -1)
		return -1;
	ret = survey_issued(s, &cert, err);
	if (ret == 0 && cert.x509.not_after != line->not_after) {
		snprintf(what, sizeof(what),
		    "has another date of expiry than newcerts/%s", name);
		ret = state_wrong_line(s->d, number, what, err);
	}
	blob_free(&cert.der);
	if (ret == 0) {
		survey_add_known(s, line, number);
		state_count_serial(s->d, line);
	}
	return ret;
}

static int
read_index(struct survey *s, struct error *err)
{
	struct index_reader reader = { 0 };
	struct error why = { 0 };
	struct index_line line;
	int ret;

	if (disk_read(&s->d->top, STATE_INDEX, STATE_INDEX_MAX, &s->index,
		err) == -1)
		return -1;
	reader.rest = blob_span(&s->index);
	while ((ret = index_next(&reader, &line, &why)) == 1)
		if (check_line(s, &line, reader.line, err) == -1)
			return -1;
	if (ret == -1)
		return state_wrong_line(s->d, reader.line, why.text, err);
	s->whole = s->index.len - reader.rest.len;
	if (survey_torn(s, reader.rest, reader.line + 1, err) == -1)
		return -1;
	if (s->known.failed)
		return error_set(err, "out of memory");
	return check_twice(s, err);
}

static int
read_numbers(struct survey *s, struct error *err)
{
	int ret = state_read_crl_number(s->d, err);

	if (ret == 0)
		ret = state_read_serial(s->d, err);
	s->stale_serial = ret == 1;
	return ret == -1 ? -1 : 0;
}

int
state_check(struct state_dir *d, struct error *err)
{
	struct survey s = { .d = d };
	int ret = -1;

	if (load_keys(&s, err) == 0 && read_index(&s, err) == 0 &&
	    survey_newcerts(&s, err) == 0 && read_numbers(&s, err) == 0)
		ret = survey_recover(&s, err);
	blob_free(&s.index);
	buffer_free(&s.known);
	buffer_free(&s.added);
	buffer_free(&s.notes);
	buffer_free(&s.stray);
	return ret;
}
