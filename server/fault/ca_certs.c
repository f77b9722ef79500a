/* `do: ca_certs`: the answer to GetCACert. */
#include "fault/inside.h"

#include <string.h>

#define DAY 86400LL
#define TYPE_MAX 127

static bool
is_ra(const struct shown_cert *shown)
{
	return shown->as == SHOWN_RA_SIGNING ||
	    shown->as == SHOWN_RA_ENCRYPTION;
}

static enum ca_role
role_of(const struct shown_cert *shown)
{
	return shown->as == SHOWN_RA_SIGNING ? CA_RA_SIGNING : CA_RA_ENCRYPTION;
}

/* The topmost of our chain: the CA itself, if there is none above. */
static struct span
root_of(const struct credentials *cred)
{
	return cred->ca_certs[cred->ca_cert_count - 1];
}

static bool
is_root(const struct fault_context *ctx, const struct shown_cert *shown)
{
	return span_equal(shown->der, root_of(ctx->credentials));
}

/* What is beyond the plan's room is left out. */
static void
show(struct ca_certs_plan *plan, enum shown_as as, struct span der)
{
	if (plan->count < CA_CERTS_PLAN_MAX)
		plan->certs[plan->count++] = (struct shown_cert){ as, der };
}

static void
show_missing(struct ca_certs_plan *plan, struct span der)
{
	for (size_t i = 0; i < plan->count; i++)
		if (span_equal(plan->certs[i].der, der))
			return;
	show(plan, SHOWN_CHAIN, der);
}

static int
keep_blob(struct fault_context *ctx, struct blob *der, struct span *out)
{
	int ret = fault_keep(ctx, blob_span(der), out);

	blob_free(der);
	return ret;
}

enum excluded {
	EXCLUDE_RA,
	EXCLUDE_RA_SIGNING,
	EXCLUDE_RA_ENCRYPTION,
	EXCLUDE_CA,
	EXCLUDE_CHAIN,
	EXCLUDE_ROOT,
};

static bool
is_excluded(const struct fault_context *ctx, const struct shown_cert *shown,
    int64_t which)
{
	switch (which) {
	case EXCLUDE_RA:
		return is_ra(shown);
	case EXCLUDE_RA_SIGNING:
		return shown->as == SHOWN_RA_SIGNING;
	case EXCLUDE_RA_ENCRYPTION:
		return shown->as == SHOWN_RA_ENCRYPTION;
	case EXCLUDE_CA:
		return shown->as == SHOWN_CA;
	case EXCLUDE_CHAIN:
		return shown->as == SHOWN_CHAIN;
	case EXCLUDE_ROOT:
		return is_root(ctx, shown);
	}
	return false;
}

static int
exclude(struct fault_context *ctx, const struct value *value, void *plan)
{
	struct ca_certs_plan *certs = plan;
	size_t kept;

	for (size_t w = 0; w < value->count; w++) {
		kept = 0;
		for (size_t i = 0; i < certs->count; i++)
			if (!is_excluded(ctx, &certs->certs[i],
				value->numbers[w]))
				certs->certs[kept++] = certs->certs[i];
		certs->count = kept;
	}
	return 0;
}

enum included {
	INCLUDE_STRANGER_CA,
	INCLUDE_STRANGER_RA,
	INCLUDE_EXPIRED_RA,
	INCLUDE_CHAIN,
	INCLUDE_ROOT,
	INCLUDE_TWICE,
};

static int
include_stranger(struct fault_context *ctx, int64_t which,
    struct ca_certs_plan *plan)
{
	struct credentials *other;
	struct span der;
	int ret = 0;

	if (credentials_stranger(ctx->credentials, &other, ctx->err) == -1)
		return -1;
	for (int role = 0; role < CA_ROLES && ret == 0; role++) {
		if ((role == CA_ISSUING) != (which == INCLUDE_STRANGER_CA))
			continue;
		ret = fault_keep(ctx, blob_span(&other->der[role]), &der);
		if (ret == 0)
			show(plan, SHOWN_OTHER, der);
	}
	credentials_free(other);
	return ret;
}

static int
include_expired(struct fault_context *ctx, struct ca_certs_plan *plan)
{
	static const enum ca_role ras[] = { CA_RA_SIGNING, CA_RA_ENCRYPTION };
	struct span der;
	struct blob blob;

	for (size_t i = 0; i < sizeof(ras) / sizeof(ras[0]); i++) {
		if (credentials_expired_ra(ctx->credentials, ras[i],
			ctx->exchange->at, &blob, ctx->err) == -1 ||
		    keep_blob(ctx, &blob, &der) == -1)
			return -1;
		show(plan, SHOWN_OTHER, der);
	}
	return 0;
}

static void
include_chain(struct fault_context *ctx, struct ca_certs_plan *plan)
{
	const struct credentials *cred = ctx->credentials;

	for (size_t i = 0; i < cred->chain_count; i++)
		show_missing(plan, blob_span(&cred->chain[i]));
}

static void
include_twice(struct ca_certs_plan *plan)
{
	const size_t count = plan->count;

	for (size_t i = 0; i < count; i++)
		show(plan, SHOWN_OTHER, plan->certs[i].der);
}

static int
include_one(struct fault_context *ctx, int64_t which,
    struct ca_certs_plan *plan)
{
	switch (which) {
	case INCLUDE_STRANGER_CA:
	case INCLUDE_STRANGER_RA:
		return include_stranger(ctx, which, plan);
	case INCLUDE_EXPIRED_RA:
		return include_expired(ctx, plan);
	case INCLUDE_CHAIN:
		include_chain(ctx, plan);
		break;
	case INCLUDE_ROOT:
		show_missing(plan, root_of(ctx->credentials));
		break;
	case INCLUDE_TWICE:
		include_twice(plan);
		break;
	}
	return 0;
}

static int
include(struct fault_context *ctx, const struct value *value, void *plan)
{
	for (size_t i = 0; i < value->count; i++)
		if (include_one(ctx, value->numbers[i], plan) == -1)
			return -1;
	return 0;
}

/* Changes what an RA is shown to be like. */
typedef int remake(struct fault_context *, enum ca_role,
    struct certificate_plan *, int64_t how);

/* As it is shown by now, to be signed by the CA that has signed it. */
static int
remake_one(struct fault_context *ctx, struct shown_cert *shown, remake *change,
    int64_t how)
{
	const struct credentials *cred = ctx->credentials;
	uint8_t serial[CA_SERIAL_SIZE];
	struct issue_plan plan;
	struct x509 was;
	struct blob der;

	if (x509_read(shown->der, &was) == -1)
		return error_set(ctx->err, "an RA has no certificate");
	/* A stranger's stays what it is: who knows its usage does not care. */
	if (!span_equal(was.issuer, cred->certs[role_of(shown)].issuer))
		return 0;
	if (credentials_plan_ra(cred, role_of(shown), serial, &plan,
		ctx->err) == -1)
		return -1;
	plan.certificate.spki = was.spki;
	plan.certificate.not_before = was.not_before;
	plan.certificate.not_after = was.not_after;
	plan.certificate.key_usage = was.key_usage.len > 1 ?
	    was.key_usage.data[1] :
	    0;
	if (change(ctx, role_of(shown), &plan.certificate, how) == -1 ||
	    certificate_build(cred->crypto, &plan.certificate, plan.signer,
		&der, ctx->err) == -1)
		return -1;
	return keep_blob(ctx, &der, &shown->der);
}

static int
remake_ras(struct fault_context *ctx, struct ca_certs_plan *plan,
    remake *change, int64_t how)
{
	for (size_t i = 0; i < plan->count; i++)
		if (is_ra(&plan->certs[i]) &&
		    remake_one(ctx, &plan->certs[i], change, how) == -1)
			return -1;
	return 0;
}

enum { USAGE_NONE, USAGE_SWAPPED, USAGE_BOTH, USAGE_SIGNING, USAGE_ENCRYPTION };

static int
change_usage(struct fault_context *ctx, enum ca_role role,
    struct certificate_plan *cert, int64_t how)
{
	static const uint8_t usages[][CA_ROLES] = {
		[USAGE_NONE] = { 0, 0, 0 },
		[USAGE_SWAPPED] = { 0, KEY_USAGE_KEY_ENCIPHERMENT,
		    KEY_USAGE_DIGITAL_SIGNATURE },
		[USAGE_BOTH] = { 0,
		    KEY_USAGE_DIGITAL_SIGNATURE | KEY_USAGE_KEY_ENCIPHERMENT,
		    KEY_USAGE_DIGITAL_SIGNATURE | KEY_USAGE_KEY_ENCIPHERMENT },
		[USAGE_SIGNING] = { 0, KEY_USAGE_DIGITAL_SIGNATURE,
		    KEY_USAGE_DIGITAL_SIGNATURE },
		[USAGE_ENCRYPTION] = { 0, KEY_USAGE_KEY_ENCIPHERMENT,
		    KEY_USAGE_KEY_ENCIPHERMENT },
	};

	(void)ctx;
	cert->key_usage = usages[how][role];
	return 0;
}

static int
set_ra_key_usage(struct fault_context *ctx, const struct value *value,
    void *plan)
{
	return remake_ras(ctx, plan, change_usage, value->number);
}

enum { RA_EXPIRED, RA_NOT_YET_VALID, RA_EC, RA_STRANGER };

static int
change_time(struct fault_context *ctx, enum ca_role role,
    struct certificate_plan *cert, int64_t how)
{
	int64_t lasts = cert->not_after - cert->not_before,
		now = ctx->exchange->at;

	(void)role;
	if (how == RA_EXPIRED) {
		cert->not_after = now - DAY;
		cert->not_before = cert->not_after - lasts;
	} else {
		cert->not_before = now + DAY;
		cert->not_after = cert->not_before + lasts;
	}
	return 0;
}

static int
change_key(struct fault_context *ctx, enum ca_role role,
    struct certificate_plan *cert, int64_t how)
{
	struct evp_pkey_st *key;
	struct blob spki;

	(void)how;
	if (credentials_other_key(ctx->credentials, KEY_EC_P256, role, &key,
		ctx->err) == -1 ||
	    crypto_key_to_spki(key, &spki, ctx->err) == -1)
		return -1;
	return keep_blob(ctx, &spki, &cert->spki);
}

static int
show_strangers(struct fault_context *ctx, struct ca_certs_plan *plan)
{
	struct credentials *other;
	int ret = 0;

	if (credentials_stranger(ctx->credentials, &other, ctx->err) == -1)
		return -1;
	for (size_t i = 0; i < plan->count && ret == 0; i++)
		if (is_ra(&plan->certs[i]))
			ret = fault_keep(ctx,
			    blob_span(&other->der[role_of(&plan->certs[i])]),
			    &plan->certs[i].der);
	credentials_free(other);
	return ret;
}

static int
set_ra(struct fault_context *ctx, const struct value *value, void *plan)
{
	switch (value->number) {
	case RA_EC:
		return remake_ras(ctx, plan, change_key, RA_EC);
	case RA_STRANGER:
		return show_strangers(ctx, plan);
	}
	return remake_ras(ctx, plan, change_time, value->number);
}

enum { ORDER_REVERSED, ORDER_SORTED, ORDER_SHUFFLED, ORDER_CA, ORDER_ROOT };

static void
swap(struct shown_cert *a, struct shown_cert *b)
{
	struct shown_cert was = *a;

	*a = *b;
	*b = was;
}

static void
reverse(struct ca_certs_plan *plan)
{
	for (size_t i = 0; i < plan->count / 2; i++)
		swap(&plan->certs[i], &plan->certs[plan->count - 1 - i]);
}

static void
shuffle(struct fault_context *ctx, struct ca_certs_plan *plan)
{
	for (size_t i = plan->count; i > 1; i--)
		swap(&plan->certs[i - 1], &plan->certs[fault_draw(ctx) % i]);
}

/* X.690 11.6: as octets; no encoding is the beginning of another. */
static bool
comes_first(struct span a, struct span b)
{
	size_t len = a.len < b.len ? a.len : b.len;

	return memcmp(a.data, b.data, len) < 0;
}

static bool
is_before(const struct fault_context *ctx, int64_t order,
    const struct shown_cert *a, const struct shown_cert *b)
{
	static const int after_ca[] = { [SHOWN_CA] = 0,
		[SHOWN_CHAIN] = 1,
		[SHOWN_RA_SIGNING] = 2,
		[SHOWN_RA_ENCRYPTION] = 2,
		[SHOWN_OTHER] = 2 };

	if (order == ORDER_SORTED)
		return comes_first(a->der, b->der);
	if (order == ORDER_CA)
		return after_ca[a->as] < after_ca[b->as];
	return is_root(ctx, a) && !is_root(ctx, b);
}

/* Stable: what is alike keeps its order. */
static void
sort(struct fault_context *ctx, int64_t order, struct ca_certs_plan *plan)
{
	struct shown_cert *c = plan->certs;

	for (size_t i = 1; i < plan->count; i++)
		for (size_t j = i;
		     j > 0 && is_before(ctx, order, &c[j], &c[j - 1]); j--)
			swap(&c[j], &c[j - 1]);
}

static int
set_order(struct fault_context *ctx, const struct value *value, void *plan)
{
	if (value->number == ORDER_REVERSED)
		reverse(plan);
	else if (value->number == ORDER_SHUFFLED)
		shuffle(ctx, plan);
	else
		sort(ctx, value->number, plan);
	return 0;
}

enum { FORM_PKCS7, FORM_DER };

static int
set_form(struct fault_context *ctx, const struct value *value, void *plan)
{
	struct ca_certs_plan *certs = plan;

	(void)ctx;
	certs->bare = value->number == FORM_DER;
	for (size_t i = 0; certs->bare && i < certs->count; i++)
		if (certs->certs[i].as == SHOWN_CA) {
			swap(&certs->certs[0], &certs->certs[i]);
			break;
		}
	return 0;
}

static int
set_empty(struct fault_context *ctx, const struct value *value, void *plan)
{
	(void)ctx;
	if (value->number != 0)
		((struct ca_certs_plan *)plan)->count = 0;
	return 0;
}

static int
set_content_type(struct fault_context *ctx, const struct value *value,
    void *plan)
{
	(void)ctx;
	((struct ca_certs_plan *)plan)->content_type = value->text;
	return 0;
}

static const struct word exclude_words[] = {
	{ "ra", EXCLUDE_RA, "both RAs" },
	{ "ra-signing", EXCLUDE_RA_SIGNING, NULL },
	{ "ra-encryption", EXCLUDE_RA_ENCRYPTION, NULL },
	{ "ca", EXCLUDE_CA, "the CA that issues" },
	{ "chain", EXCLUDE_CHAIN, "all CAs above it" },
	{ "root", EXCLUDE_ROOT,
	    "the topmost CA, which may be the one that "
	    "issues" },
	{ NULL, 0, NULL },
};
static const struct word include_words[] = {
	{ "stranger-ca", INCLUDE_STRANGER_CA,
	    "a CA that has issued nothing "
	    "here" },
	{ "stranger-ra", INCLUDE_STRANGER_RA, "the RAs of that CA" },
	{ "expired-ra", INCLUDE_EXPIRED_RA,
	    "the RAs' certificates before "
	    "these, of the same keys" },
	{ "chain", INCLUDE_CHAIN, "the CAs above, unless they are there" },
	{ "root", INCLUDE_ROOT, "the topmost CA, unless it is there" },
	{ "twice", INCLUDE_TWICE, "all that is there, once more" },
	{ NULL, 0, NULL },
};
static const struct word usage_words[] = {
	{ "none", USAGE_NONE, "no keyUsage at all" },
	{ "swapped", USAGE_SWAPPED, "each has that of the other" },
	{ "both", USAGE_BOTH,
	    "both have digitalSignature and keyEncipherment" },
	{ "signing-only", USAGE_SIGNING, "both have digitalSignature" },
	{ "encryption-only", USAGE_ENCRYPTION, "both have keyEncipherment" },
	{ NULL, 0, NULL },
};
static const struct word ra_words[] = {
	{ "expired", RA_EXPIRED, "since a day, of the same keys" },
	{ "not-yet-valid", RA_NOT_YET_VALID,
	    "from tomorrow on, of the same "
	    "keys" },
	{ "ec", RA_EC, "with EC keys (P-256), which the server does not have" },
	{ "stranger", RA_STRANGER, "RAs of another CA, with other keys" },
	{ NULL, 0, NULL },
};
static const struct word order_words[] = {
	{ "reversed", ORDER_REVERSED, NULL },
	{ "sorted", ORDER_SORTED, "by their octets, as DER has a SET OF" },
	{ "shuffled", ORDER_SHUFFLED, "another order each time" },
	{ "ca-first", ORDER_CA, "the CA that issues, those above, the RAs" },
	{ "root-first", ORDER_ROOT, "the topmost CA, then the others" },
	{ NULL, 0, NULL },
};
static const struct word form_words[] = {
	{ "pkcs7", FORM_PKCS7, "a degenerate SignedData" },
	{ "der", FORM_DER,
	    "the certificate of the CA alone, application/x-x509-ca-cert; if "
	    "it is left out, the first one that is there" },
	{ NULL, 0, NULL },
};

#define ROW(name, type, words, min, max, help, apply)                        \
	{                                                                    \
		{ name, type, words, min, max, help }, FAULT_CA_CERTS, NULL, \
		    apply                                                    \
	}

static const struct fault_kind kinds[] = {
	ROW("ca_certs.exclude", VALUE_WORDS, exclude_words, 0, 0,
	    "Certificates that are left out", exclude),
	ROW("ca_certs.ra", VALUE_WORD, ra_words, 0, 0,
	    "Shows the RAs with other certificates than the server works with",
	    set_ra),
	ROW("ca_certs.ra_key_usage", VALUE_WORD, usage_words, 0, 0,
	    "Shows the RAs with another keyUsage than they have; a stranger's "
	    "stays",
	    set_ra_key_usage),
	ROW("ca_certs.include", VALUE_WORDS, include_words, 0, 0,
	    "Certificates that are there as well, at the end; what would be "
	    "more than 32 in all is left out",
	    include),
	ROW("ca_certs.order", VALUE_WORD, order_words, 0, 0,
	    "The order of the certificates, in place of signing RA, encryption "
	    "RA, CA, those above it",
	    set_order),
	ROW("ca_certs.empty", VALUE_BOOL, NULL, 0, 0,
	    "No certificate: a PKCS#7 of none, or no octet with form: der",
	    set_empty),
	ROW("ca_certs.form", VALUE_WORD, form_words, 0, 0,
	    "How the certificates are packed", set_form),
	ROW("ca_certs.content_type", VALUE_TEXT, NULL, 0, TYPE_MAX,
	    "The Content-Type; empty for none", set_content_type),
};

const struct fault_section fault_ca_certs = FAULT_SECTION(kinds);
