/* What the CA of a site has issued. */
#include "site/inside.h"

#include <stdio.h>
#include <stdlib.h>

uint32_t
site_next_request(struct exchange *ex)
{
	struct site *site = ex->snapshot->site;
	uint32_t number;

	pthread_mutex_lock(&site->lock);
	number = site->next_request++;
	pthread_mutex_unlock(&site->lock);
	return number;
}

int
site_next_serial(struct exchange *ex, uint8_t out[CA_SERIAL_SIZE])
{
	return ca_serial(ex->snapshot->site->sites->options.crypto,
	    site_next_request(ex), out);
}

static int
remember(struct site *site, struct span der, struct error *err)
{
	const struct holding held = site_holding(site);
	int ret;

	site->issued.octets_max = held.room ? 0 : site->issued.octets + 1;
	ret = issued_add(&site->issued, der, err);
	site_held(site, &held);
	return ret;
}

/* The disk first: what a client has must be there after a crash. */
int
site_keep_certificate(struct exchange *ex, struct span der, struct error *err)
{
	struct site *site = ex->snapshot->site;
	int ret = 0;

	if (site->state != NULL && state_dir_add(site->state, der, err) == -1)
		return -1;
	pthread_mutex_lock(&site->lock);
	if (site->state != NULL || site_is_current(ex))
		ret = remember(site, der, err);
	pthread_mutex_unlock(&site->lock);
	return ret;
}

bool
site_certificate_of_key(struct exchange *ex, struct span spki,
    const struct x509 *signer, struct blob *out)
{
	struct site *site = ex->snapshot->site;
	const struct issued_cert *entry;
	bool found;

	pthread_mutex_lock(&site->lock);
	entry = issued_newest(&site->issued, spki);
	found = entry != NULL && !entry->revoked &&
	    ex->at <= entry->cert.not_after &&
	    !span_equal(entry->cert.whole, signer->whole) &&
	    blob_copy(out, entry->cert.whole) == 0;
	pthread_mutex_unlock(&site->lock);
	return found;
}

static const struct x509 *
find_own(const struct credentials *cred, struct span issuer, struct span serial)
{
	for (int role = 0; role < CA_ROLES; role++)
		if (span_equal(cred->certs[role].serial, serial) &&
		    span_equal(cred->certs[role].issuer, issuer))
			return &cred->certs[role];
	return NULL;
}

bool
site_find_certificate(struct exchange *ex, struct span issuer,
    struct span serial, struct blob *out)
{
	const struct x509 *own = find_own(ex->snapshot->credentials, issuer,
	    serial);
	struct site *site = ex->snapshot->site;
	const struct issued_cert *entry;
	bool found;

	if (own != NULL)
		return blob_copy(out, own->whole) == 0;
	pthread_mutex_lock(&site->lock);
	entry = issued_find(&site->issued, serial);
	found = entry != NULL && span_equal(entry->cert.issuer, issuer) &&
	    blob_copy(out, entry->cert.whole) == 0;
	pthread_mutex_unlock(&site->lock);
	return found;
}

/* Known here, or signed by this CA, as by a server with the same keys. */
enum refusal
site_judge_signer(struct exchange *ex, const struct x509 *signer)
{
	const struct credentials *cred = ex->snapshot->credentials;
	struct site *site = ex->snapshot->site;
	const struct issued_cert *entry;
	bool known, revoked;

	pthread_mutex_lock(&site->lock);
	entry = issued_find(&site->issued, signer->serial);
	known = entry != NULL && span_equal(entry->cert.whole, signer->whole);
	revoked = known && entry->revoked;
	pthread_mutex_unlock(&site->lock);
	if (!known &&
	    (find_own(cred, signer->issuer, signer->serial) != NULL ||
		!ca_has_signed(cred, signer)))
		return REFUSAL_RENEWAL_SIGNER;
	if (revoked)
		return REFUSAL_RENEWAL_REVOKED;
	return signer->not_before <= ex->at && ex->at <= signer->not_after ?
	    REFUSAL_NONE :
	    REFUSAL_RENEWAL_EXPIRED;
}

/*
 * On disk before anybody gets it, so that its number is nobody else's after a
 * crash; unless a later one is there by now.
 */
static int
keep_crl(struct site *site, struct span crl, uint32_t number, struct error *err)
{
	struct error why = { 0 };

	if (site->state == NULL ||
	    state_dir_write_crl(site->state, crl, number, &why) == 0 ||
	    state_dir_next_crl(site->state) > number)
		return 0;
	return error_set(err, "%s", why.text);
}

static int
make_crl(struct site *site, const struct snapshot *snapshot, int64_t at,
    struct blob *out, struct error *err)
{
	struct ca_revocation *list;
	uint32_t number, least = 0;
	size_t count;
	int ret;

	if (site->state != NULL)
		least = state_dir_next_crl(site->state);
	pthread_mutex_lock(&site->lock);
	number = site->crl_number + 1 > least ? site->crl_number + 1 : least;
	site->crl_number = number;
	count = site->issued.revoked;
	ret = issued_revocations(&site->issued, &list);
	pthread_mutex_unlock(&site->lock);
	if (ret == -1)
		return error_set(err, "out of memory");
	ret = ca_crl(snapshot->credentials, list, count, number, at,
	    snapshot->state.ca.crl_lifetime, out, err);
	free(list);
	if (ret == 0 &&
	    (ret = keep_crl(site, blob_span(out), number, err)) == -1)
		blob_free(out);
	return ret;
}

int
site_make_crl(struct exchange *ex, struct blob *out, struct error *err)
{
	return make_crl(ex->snapshot->site, ex->snapshot, ex->at, out, err);
}

int
site_crl(struct site *site, struct blob *out, struct error *err)
{
	struct snapshot *s = site_caught_up(site, err);
	int ret;

	if (s == NULL)
		return -1;
	ret = make_crl(site, s, clock_now(&site->clock), out, err);
	snapshot_free(s);
	return ret;
}

/* The disk first: what it refuses must not be on a CRL until the next start. */
int
site_revoke(struct site *site, struct span serial, int reason,
    struct error *err)
{
	int64_t now = clock_now(&site->clock);
	int ret;

	if (site->state != NULL &&
	    state_dir_revoke(site->state, serial, now, reason, err) == -1)
		return -1;
	pthread_mutex_lock(&site->lock);
	ret = issued_revoke(&site->issued, serial, now, reason, err);
	pthread_mutex_unlock(&site->lock);
	return ret;
}

static void
describe(const struct issued_cert *cert, struct site_certificate *out)
{
	const struct span serial = cert->cert.serial;
	char *to = out->serial;
	/* DER's zero before a positive number is none of its digits. */
	size_t i = serial.len > 1 && serial.data[0] == 0;

	for (; i < serial.len && i < sizeof(out->serial) / 2 - 1; i++)
		to += sprintf(to, "%02X", serial.data[i]);
	x509_name_text(cert->cert.subject, out->subject, sizeof(out->subject));
	out->not_before = cert->cert.not_before;
	out->not_after = cert->cert.not_after;
	if (!cert->revoked)
		return;
	out->revoked_at = cert->revoked_at;
	out->reason = cert->reason;
}

int
site_list_certificates(struct site *site, struct site_certificate **out,
    size_t *count)
{
	const struct issued_cert *cert = NULL;
	struct site_certificate *to;

	pthread_mutex_lock(&site->lock);
	*count = site->issued.count;
	if ((*out = to = calloc(*count + 1, sizeof(**out))) != NULL)
		while ((cert = issued_next(&site->issued, cert)) != NULL)
			describe(cert, to++);
	pthread_mutex_unlock(&site->lock);
	return *out == NULL ? -1 : 0;
}

int
site_certificate(struct site *site, struct span serial,
    struct site_certificate *out, struct blob *der)
{
	const struct issued_cert *cert;
	int ret = -1;

	*out = (struct site_certificate){ 0 };
	pthread_mutex_lock(&site->lock);
	if ((cert = issued_find(&site->issued, serial)) != NULL) {
		describe(cert, out);
		ret = der == NULL ? 0 : blob_copy(der, cert->cert.whole);
	}
	pthread_mutex_unlock(&site->lock);
	return ret;
}
