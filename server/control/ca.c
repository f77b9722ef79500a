/* What the CA's manager does, and who gives out passwords. */
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"
#include "ca/ca.h"
#include "control/inside.h"

#define PEM "application/x-pem-file"
#define REASONS 11 /* RFC 5280 5.3.1: from 0 on */

void
make_challenge(struct call *call)
{
	static const struct {
		enum failure failure;
		const char *why;
	} refusals[] = {
		[CHALLENGE_NOT_NEEDED] = { FAIL_CHALLENGE_REFUSED,
		    "no password is needed: server.mscep.challenge.mode is "
		    "none" },
		[CHALLENGE_CACHE_FULL] = { FAIL_CHALLENGE_REFUSED,
		    "too many passwords are unused" },
		[CHALLENGE_NO_PERMISSION] = { FAIL_CHALLENGE_REFUSED,
		    "NDES gives out no passwords" },
		[CHALLENGE_FAILED] = { FAIL_INTERNAL, "out of memory" },
	};
	struct stack_state state;
	enum challenge_answer answer;
	char *password = NULL;
	int64_t expires, size;

	site_state(call->site, &state);
	/* As long as NDES's own: two digits an octet. */
	size = call_number(call, "size", 2 * state.mscep.challenge.length);
	answer = site_challenge(call->site, (size_t)size, &password, &expires);
	if (password == NULL)
		call_fail(call, refusals[answer].failure, "%s",
		    refusals[answer].why);
	else
		call_json(call, 200,
		    json_pack("{ss, so}", "password", password, "expires",
			time_json(expires)));
	free(password);
}

static json_t *
pending_json(const struct site_pending *p)
{
	return json_pack("{so, ss, ss, so}", "transaction_id",
	    text_json(p->transaction_id), "subject", p->subject, "state",
	    p->state, "expires", time_json(p->expires));
}

void
list_pending(struct call *call)
{
	json_t *list = json_array();
	struct site_pending *all;
	size_t count = 0;
	int ret = site_list_pending(call->site, &all, &count);

	for (size_t i = 0; ret == 0 && i < count; i++)
		ret = json_array_append_new(list, pending_json(&all[i]));
	site_list_pending_free(all, count);
	call_list(call, "pending", list, ret);
}

static void
settle(struct call *call, bool approve)
{
	const char *id = call->values[1];

	if (site_settle(call->site, id, approve) == -1)
		call_fail(call, FAIL_TRANSACTION_UNKNOWN,
		    "no request with the transactionID \"%.80s\" waits", id);
	else
		call_json(call, 200,
		    json_pack("{so, ss}", "transaction_id", text_json(id),
			"state", approve ? "approved" : "denied"));
}

void
approve_request(struct call *call)
{
	settle(call, true);
}

void
deny_request(struct call *call)
{
	settle(call, false);
}

static json_t *
certificate_json(const struct site_certificate *c)
{
	const char *reason = ca_reason_name(c->reason);

	return json_pack("{ss, ss, so, so, so, ss?}", "serial", c->serial,
	    "subject", c->subject, "not_before", time_json(c->not_before),
	    "not_after", time_json(c->not_after), "revoked_at",
	    time_json(c->revoked_at), "reason",
	    c->revoked_at == 0 ? NULL : reason);
}

void
list_certificates(struct call *call)
{
	json_t *list = json_array();
	struct site_certificate *all;
	size_t count = 0;
	int ret = site_list_certificates(call->site, &all, &count);

	for (size_t i = 0; ret == 0 && i < count; i++)
		ret = json_array_append_new(list, certificate_json(&all[i]));
	free(all);
	call_list(call, "certificates", list, ret);
}

/* Octets from hexadecimal digits; -1: they are none. */
static int
read_hex(const char *text, struct buffer *out)
{
	struct span digits = span_text(text);
	int octet;

	for (size_t i = 0; i < digits.len; i += 2) {
		if ((octet = span_hex_pair(digits, i)) == -1)
			return -1;
		buffer_add_byte(out, (uint8_t)octet);
	}
	return out->len == 0 || out->failed ? -1 : 0;
}

/* The one of the path. */
struct found {
	struct buffer serial;
	struct site_certificate is;
	struct blob der;
};

static void
found_clear(struct found *f)
{
	buffer_free(&f->serial);
	blob_free(&f->der);
}

/*
 * As they stand in the list; others write no zero where a positive number has
 * one in DER (X.690 8.3).
 */
static int
find_by_octets(struct site *site, struct found *f)
{
	struct buffer other = { 0 };

	if (site_certificate(site, buffer_span(&f->serial), &f->is, &f->der) ==
	    0)
		return 0;
	buffer_add_byte(&other, 0);
	buffer_add_span(&other, buffer_span(&f->serial));
	buffer_free(&f->serial);
	f->serial = other;
	return other.failed ?
	    -1 :
	    site_certificate(site, buffer_span(&other), &f->is, &f->der);
}

/* False: it has answered. The caller clears *out in any case. */
static bool
find_certificate(struct call *call, struct found *out)
{
	const char *text = call->values[1];

	*out = (struct found){ .der = { NULL, 0 } };
	if (read_hex(text, &out->serial) == 0 &&
	    find_by_octets(call->site, out) == 0)
		return true;
	call_fail(call, FAIL_CERTIFICATE_UNKNOWN,
	    "no certificate has the serial number \"%.80s\"", text);
	return false;
}

static void
add_pem(struct buffer *out, struct span der,
    int (*to_pem)(struct span der, struct blob *pem))
{
	struct blob pem = { 0 };

	if (to_pem(der, &pem) == -1)
		out->failed = true;
	buffer_add_span(out, blob_span(&pem));
	blob_free(&pem);
}

/* Frees it. */
static void
answer_pem(struct call *call, struct buffer *pem)
{
	call_octets(call, 200, PEM, buffer_span(pem));
	call->reply->body.failed |= pem->failed;
	buffer_free(pem);
}

void
get_certificate(struct call *call)
{
	struct buffer pem = { 0 };
	struct found f;

	if (find_certificate(call, &f)) {
		add_pem(&pem, blob_span(&f.der), x509_to_pem);
		answer_pem(call, &pem);
	}
	found_clear(&f);
}

/* -1: there is none; it has answered. */
static int
read_reason(struct call *call)
{
	const char *said = call_text(call, "reason"), *name;
	struct nearest n = { .asked = said };

	if (said == NULL)
		return CA_REASON_UNSPECIFIED;
	for (int i = 0; i < REASONS; i++) {
		if ((name = ca_reason_name(i)) == NULL)
			continue;
		if (strcmp(said, name) == 0)
			return i;
		nearest_consider(&n, name);
	}
	call_fail(call, FAIL_MEMBER,
	    "\"reason\": unknown value \"%.60s\", did you mean \"%s\"?", said,
	    n.best);
	return -1;
}

static void
revoke(struct call *call, struct found *f, int reason)
{
	struct error err = { 0 };
	int ret = site_revoke(call->site, buffer_span(&f->serial), reason,
	    &err);

	if (ret == 0)
		ret = site_certificate(call->site, buffer_span(&f->serial),
		    &f->is, NULL);
	if (ret == 0)
		call_json(call, 200, certificate_json(&f->is));
	else
		call_fail(call,
		    f->is.revoked_at != 0 ? FAIL_CERTIFICATE_REVOKED :
					    FAIL_INTERNAL,
		    "%s", err.text);
}

void
revoke_certificate(struct call *call)
{
	int reason = read_reason(call);
	struct found f;

	if (reason == -1)
		return;
	if (find_certificate(call, &f))
		revoke(call, &f, reason);
	found_clear(&f);
}

void
get_ca(struct call *call)
{
	struct error err = { 0 };
	struct credentials *cred = site_credentials(call->site, &err);
	struct buffer pem = { 0 };

	if (cred == NULL) {
		call_fail(call, FAIL_INTERNAL, "%s", err.text);
		return;
	}
	add_pem(&pem, blob_span(&cred->der[CA_ISSUING]), x509_to_pem);
	for (size_t i = 0; i < cred->chain_count; i++)
		add_pem(&pem, blob_span(&cred->chain[i]), x509_to_pem);
	credentials_free(cred);
	answer_pem(call, &pem);
}

void
get_crl(struct call *call)
{
	struct buffer pem = { 0 };
	struct error err = { 0 };
	struct blob der = { 0 };

	if (site_crl(call->site, &der, &err) == -1) {
		call_fail(call, FAIL_INTERNAL, "%s", err.text);
	} else {
		add_pem(&pem, blob_span(&der), x509_crl_to_pem);
		answer_pem(call, &pem);
	}
	blob_free(&der);
}
