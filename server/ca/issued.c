/* What was issued, found by its number and by its key. */
#include "ca/ca.h"

#include <stdlib.h>
#include <string.h>

/* The library must not exit: what found no memory has no table. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>
#include <utlist.h>

struct issued_entry {
	struct issued_cert is; /* first, see entry_of() */
	struct blob der;
	struct issued_entry *older, *newer; /* of the same key */
	struct issued_entry *prev, *next;   /* among good or bad */
	UT_hash_handle by_serial, by_key;
};

static struct issued_entry *
entry_of(const struct issued_cert *cert)
{
	return (struct issued_entry *)(uintptr_t)cert;
}

static struct issued_entry *
find_serial(const struct issued *s, struct span serial)
{
	struct issued_entry *e = NULL;

	HASH_FIND(by_serial, s->by_serial, serial.data, serial.len, e);
	return e;
}

static struct issued_entry *
find_key(const struct issued *s, struct span spki)
{
	struct issued_entry *e = NULL;

	HASH_FIND(by_key, s->by_key, spki.data, spki.len, e);
	return e;
}

static int
enter_serial(struct issued *s, struct issued_entry *e)
{
	HASH_ADD_KEYPTR(by_serial, s->by_serial, e->is.cert.serial.data,
	    e->is.cert.serial.len, e);
	return e->by_serial.tbl == NULL ? -1 : 0;
}

static void
leave_serial(struct issued *s, struct issued_entry *e)
{
	HASH_DELETE(by_serial, s->by_serial, e);
}

static int
enter_key(struct issued *s, struct issued_entry *e)
{
	HASH_ADD_KEYPTR(by_key, s->by_key, e->is.cert.spki.data,
	    e->is.cert.spki.len, e);
	return e->by_key.tbl == NULL ? -1 : 0;
}

static void
leave_key(struct issued *s, struct issued_entry *e)
{
	if (e->by_key.tbl == NULL)
		return;
	HASH_DELETE(by_key, s->by_key, e);
	e->by_key.tbl = NULL;
}

static void
entry_free(struct issued_entry *e)
{
	if (e == NULL)
		return;
	blob_free(&e->der);
	free(e);
}

/* Only the newest of a key is in the table; the others hang on it. */
static void
forget(struct issued *s, struct issued_entry *e)
{
	if (e->older != NULL)
		e->older->newer = e->newer;
	if (e->newer != NULL)
		e->newer->older = e->older;
	else if (e->older != NULL)
		enter_key(s, e->older);
	leave_key(s, e);
	leave_serial(s, e);
	if (e->is.revoked) {
		DL_DELETE(s->bad, e);
		s->revoked--;
	} else {
		DL_DELETE(s->good, e);
	}
	s->count--;
	s->octets -= e->der.len;
	entry_free(e);
}

static struct issued_entry *
entry_new(struct span der, struct error *err)
{
	struct issued_entry *e = calloc(1, sizeof(*e));

	if (e == NULL || blob_copy(&e->der, der) == -1)
		error_set(err, "out of memory");
	else if (x509_read(blob_span(&e->der), &e->is.cert) == -1)
		error_set(err, "RFC 5280 4.1: not a certificate");
	else
		return e;
	entry_free(e);
	return NULL;
}

int
issued_add(struct issued *s, struct span der, struct error *err)
{
	size_t most = s->octets_max > 0 ? s->octets_max : ISSUED_OCTETS_MAX;
	struct issued_entry *e = entry_new(der, err), *before;

	if (e == NULL)
		return -1;
	if (find_serial(s, e->is.cert.serial) != NULL) {
		entry_free(e);
		return error_set(err,
		    "RFC 5280 4.1.2.2: the serial number is in use");
	}
	while (s->count == ISSUED_MAX ||
	    (s->count > 0 && s->octets + der.len > most)) {
		forget(s, s->good != NULL ? s->good : s->bad);
		s->forgotten++;
	}
	before = find_key(s, e->is.cert.spki);
	if (enter_serial(s, e) == -1)
		goto fail;
	if (enter_key(s, e) == -1) {
		leave_serial(s, e);
		goto fail;
	}
	if ((e->older = before) != NULL) {
		before->newer = e;
		leave_key(s, before);
	}
	DL_APPEND(s->good, e);
	s->count++;
	s->octets += e->der.len;
	return 0;
fail:
	entry_free(e);
	return error_set(err, "out of memory");
}

const struct issued_cert *
issued_find(const struct issued *s, struct span serial)
{
	struct issued_entry *e = find_serial(s, serial);

	return e == NULL ? NULL : &e->is;
}

const struct issued_cert *
issued_newest(const struct issued *s, struct span spki)
{
	struct issued_entry *e = find_key(s, spki);

	return e == NULL ? NULL : &e->is;
}

const struct issued_cert *
issued_next(const struct issued *s, const struct issued_cert *cert)
{
	struct issued_entry *e = cert == NULL ? s->by_serial :
						entry_of(cert)->by_serial.next;

	return e == NULL ? NULL : &e->is;
}

int
issued_revoke(struct issued *s, struct span serial, int64_t at, int reason,
    struct error *err)
{
	struct issued_entry *e = find_serial(s, serial);

	if (e == NULL)
		return error_set(err, "no certificate has this serial number");
	if (ca_reason_name(reason) == NULL)
		return error_set(err,
		    "RFC 5280 5.3.1: %d is no reason on a CRL", reason);
	if (e->is.revoked && e->is.reason != CA_REASON_HOLD)
		return error_set(err, "the certificate is revoked already");
	if (!e->is.revoked) {
		DL_DELETE(s->good, e);
		DL_APPEND(s->bad, e);
		s->revoked++;
	}
	e->is.revoked = true;
	e->is.revoked_at = at;
	e->is.reason = reason;
	return 0;
}

int
issued_revocations(const struct issued *s, struct ca_revocation **out)
{
	struct ca_revocation *list;
	struct issued_entry *e;
	size_t size = 0, i = 0;
	uint8_t *octets;

	DL_FOREACH(s->bad, e)
		size += e->is.cert.serial.len;
	list = malloc((s->revoked + 1) * sizeof(*list) + size);
	if ((*out = list) == NULL)
		return -1;
	octets = (uint8_t *)(list + s->revoked);
	DL_FOREACH(s->bad, e) {
		struct span serial = e->is.cert.serial;

		memcpy(octets, serial.data, serial.len);
		list[i].serial = span_of(octets, serial.len);
		list[i].at = e->is.revoked_at;
		list[i++].reason = e->is.reason;
		octets += serial.len;
	}
	return 0;
}

void
issued_clear(struct issued *s)
{
	struct issued_entry *e, *next;

	HASH_CLEAR(by_key, s->by_key);
	e = s->by_serial;
	HASH_CLEAR(by_serial, s->by_serial);
	for (; e != NULL; e = next) {
		next = e->by_serial.next;
		entry_free(e);
	}
	*s = (struct issued){ 0 };
}
