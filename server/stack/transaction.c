/* Requests that wait for the CA's manager (RFC 8894 3.3.3, 4.4). */
#include "stack/stack.h"

#include <stdlib.h>
#include <string.h>

static struct transaction *
find(struct transactions *all, const char *id)
{
	struct transaction *t;

	HASH_FIND_STR(all->by_id, id, t);
	return t;
}

static void
transaction_free(struct transaction *t)
{
	blob_free(&t->csr);
	blob_free(&t->signer_key);
	blob_free(&t->certificate);
	free(t->id);
	free(t);
}

static void
drop(struct transactions *all, struct transaction *t)
{
	HASH_DEL(all->by_id, t);
	all->octets -= t->csr.len;
	transaction_free(t);
}

void
transactions_clear(struct transactions *all)
{
	while (all->by_id != NULL)
		drop(all, all->by_id);
}

static bool
is_open(const struct transaction *t)
{
	return t->state == TRANSACTION_WAITING ||
	    t->state == TRANSACTION_APPROVED || t->state == TRANSACTION_ISSUING;
}

/*
 * A request must be for the same key: whoever renews signs with the same old
 * one each time. Who polls must hold that key, or, as those with a throw-away
 * signer do, the one that the request was signed with.
 */
static bool
is_owner(const struct transaction *t, const struct scep_request *r)
{
	if (r->csr.spki.len > 0)
		return span_equal(t->key, r->csr.spki);
	return span_equal(t->key, r->signer.spki) ||
	    span_equal(blob_span(&t->signer_key), r->signer.spki);
}

static void
expire(struct transaction *t, int64_t now)
{
	if (t->state != TRANSACTION_WAITING || now < t->expires)
		return;
	t->state = TRANSACTION_REFUSED;
	t->why = REFUSAL_PENDING_EXPIRED;
}

/* Somebody else's, or none. */
static enum ruling_kind
rule_stranger(const struct transaction *t, bool poll, struct ruling *out)
{
	if (t != NULL && is_open(t)) {
		out->why = REFUSAL_TRANSACTION_KEY;
		return RULING_REFUSE;
	}
	if (!poll)
		return RULING_NEW;
	out->why = REFUSAL_UNKNOWN_TRANSACTION;
	return RULING_REFUSE;
}

static enum ruling_kind
rule_owner(struct transaction *t, bool poll, bool hold, struct ruling *out)
{
	switch (t->state) {
	case TRANSACTION_WAITING:
	case TRANSACTION_ISSUING:
		return RULING_WAIT;
	case TRANSACTION_APPROVED:
		if (hold || blob_copy(&out->csr, blob_span(&t->csr)) == -1)
			return RULING_WAIT;
		t->state = TRANSACTION_ISSUING;
		return RULING_ISSUE;
	case TRANSACTION_ISSUED:
		if (!poll)
			return RULING_NEW;
		return hold ||
			blob_copy(&out->certificate,
			    blob_span(&t->certificate)) == -1 ?
		    RULING_WAIT :
		    RULING_AGAIN;
	case TRANSACTION_REFUSED:
		/* A request sent again is a poll until it has been told. */
		if (!poll && t->told)
			return RULING_NEW;
		t->told = true;
		out->why = t->why;
		return RULING_REFUSE;
	}
	return RULING_WAIT;
}

void
transaction_ask(struct transactions *all, const struct scep_request *r,
    bool hold, int64_t now, struct ruling *out)
{
	struct transaction *t = find(all, r->transaction_id);
	bool poll = r->type == SCEP_CERT_POLL;

	*out = (struct ruling){ .why = REFUSAL_NONE };
	if (t != NULL)
		expire(t, now);
	out->kind = t == NULL || !is_owner(t, r) ?
	    rule_stranger(t, poll, out) :
	    rule_owner(t, poll, hold, out);
}

static bool
has_room(const struct transactions *all, size_t size)
{
	return HASH_COUNT(all->by_id) < TRANSACTIONS_MAX &&
	    all->octets + size <= TRANSACTIONS_OCTETS_MAX;
}

/* Approved, and not fetched in the time that it may have waited. */
static bool
is_forgotten(const struct transaction *t, int64_t now)
{
	return t->state == TRANSACTION_APPROVED && now >= t->expires;
}

/* For a PKCS#10 of this size. The table is in the order of arrival. */
static bool
make_room(struct transactions *all, size_t size, int64_t now)
{
	struct transaction *t, *next;

	HASH_ITER(hh, all->by_id, t, next) {
		if (has_room(all, size))
			break;
		expire(t, now);
		if (!is_open(t) || is_forgotten(t, now))
			drop(all, t);
	}
	return has_room(all, size);
}

static struct transaction *
transaction_new(const struct scep_request *r, int64_t expires)
{
	struct transaction *t = calloc(1, sizeof(*t));
	struct scep_csr csr;
	struct error err = { 0 };

	if (t == NULL)
		return NULL;
	t->expires = expires;
	t->id = strdup(r->transaction_id);
	if (t->id != NULL && blob_copy(&t->csr, blob_span(&r->plain)) == 0 &&
	    blob_copy(&t->signer_key, r->signer.spki) == 0 &&
	    scep_csr_read(blob_span(&t->csr), &csr, &err) == 0) {
		free(csr.challenge);
		t->key = csr.spki;
		t->subject = csr.subject;
		return t;
	}
	transaction_free(t);
	return NULL;
}

enum refusal
transaction_hold(struct transactions *all, const struct scep_request *r,
    int64_t lifetime, int64_t now)
{
	struct transaction *t = find(all, r->transaction_id);

	/* Between its ruling and this, another may have come. */
	if (t != NULL && is_open(t))
		return is_owner(t, r) ? REFUSAL_NONE : REFUSAL_TRANSACTION_KEY;
	if (t != NULL)
		drop(all, t);
	if (!make_room(all, r->plain.len, now))
		return REFUSAL_TOO_MANY_PENDING;
	if ((t = transaction_new(r, now + lifetime)) == NULL)
		return REFUSAL_CA_FAILED;
	HASH_ADD_KEYPTR(hh, all->by_id, t->id, strlen(t->id), t);
	all->octets += t->csr.len;
	return REFUSAL_NONE;
}

int
transaction_settle(struct transactions *all, const char *id, bool approve,
    int64_t now)
{
	struct transaction *t = find(all, id);

	if (t != NULL)
		expire(t, now);
	if (t == NULL || t->state != TRANSACTION_WAITING)
		return -1;
	t->state = approve ? TRANSACTION_APPROVED : TRANSACTION_REFUSED;
	t->why = REFUSAL_DENIED;
	return 0;
}

void
transaction_end(struct transactions *all, const char *id,
    struct span certificate)
{
	struct transaction *t = find(all, id);

	if (t == NULL || t->state != TRANSACTION_ISSUING)
		return;
	if (certificate.len > 0 &&
	    blob_copy(&t->certificate, certificate) == 0) {
		t->state = TRANSACTION_ISSUED;
		return;
	}
	t->state = TRANSACTION_REFUSED;
	t->why = REFUSAL_CA_FAILED;
}
