/* The Intune policy module (ndes-facts 6.1, 10). */
#include "stack/stack.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/der.h"

#define YEAR 31557600LL	       /* a Julian one */
#define BACK_DATED (10 * 60LL) /* seconds, as all that the CA issues */
#define RENEWED_YEARS 2
#define USUAL_YEARS 10 /* assumed, so that those of the RAs end first */

/*
 * With the module, a bare URL is answered 403.0: the documented sign that
 * the server is healthy. Its win32 status is unknown, 0 is assumed.
 */
void
policy_module_pass(struct exchange *ex, const struct stack_state *state)
{
	if (state->policy_module.installed)
		iis_answer(ex, state, LAYER_POLICY_MODULE, 403, 0, 0);
}

/* splitmix64 */
static uint64_t
mix(uint64_t *seed)
{
	uint64_t z = *seed += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* Of a certificate that there is not: from all that is known of it. */
static void
make_thumbprint(struct policy_certificate *c)
{
	uint64_t seed = (uint64_t)c->not_before;

	seed = mix(&seed) ^ (uint64_t)c->not_after;
	for (size_t at = 0; at + 8 < sizeof(c->thumbprint); at += 8)
		snprintf(c->thumbprint + at, sizeof(c->thumbprint) - at,
		    "%08" PRIx32, (uint32_t)mix(&seed));
}

static struct policy_certificate
first_certificate(const struct stack_state *state)
{
	struct policy_certificate c = {
		.not_before = state->policy_module.certificate.not_before,
		.not_after = state->policy_module.certificate.not_after,
	};
	bool begins = c.not_before != RA_USUAL;

	if (!begins)
		c.not_before = -BACK_DATED;
	if (c.not_after == RA_USUAL)
		c.not_after = c.not_before + USUAL_YEARS * YEAR;
	if (!begins && c.not_after <= c.not_before)
		c.not_before = c.not_after - RENEWED_YEARS * YEAR;
	return c;
}

size_t
policy_module_certificates(const struct stack_state *state,
    struct policy_certificate out[POLICY_CERTIFICATES])
{
	size_t count = 1;

	if (!state->policy_module.installed)
		return 0;
	out[0] = first_certificate(state);
	if (state->policy_module.renewed.not_after != 0)
		out[count++] = (struct policy_certificate){
			.not_before = state->policy_module.renewed.not_before,
			.not_after = state->policy_module.renewed.not_after,
		};
	for (size_t i = 0; i < count; i++)
		make_thumbprint(&out[i]);
	return count;
}

const char *
policy_module_thumbprint(const struct stack_state *state,
    char out[THUMBPRINT_SIZE])
{
	struct policy_certificate first = first_certificate(state);

	if (*state->policy_module.thumbprint == '\0')
		make_thumbprint(&first);
	snprintf(out, THUMBPRINT_SIZE, "%s",
	    *state->policy_module.thumbprint == '\0' ?
		first.thumbprint :
		state->policy_module.thumbprint);
	return out;
}

/* POLICY_CERTIFICATES: the registry names none. Blanks and capitals count. */
static size_t
named_certificate(const struct stack_state *state,
    struct policy_certificate *out)
{
	struct policy_certificate list[POLICY_CERTIFICATES];
	size_t count;

	/* What nobody has changed need not be computed for each request. */
	if (*state->policy_module.thumbprint == '\0') {
		*out = first_certificate(state);
		return 0;
	}
	count = policy_module_certificates(state, list);
	for (size_t i = 0; i < count; i++)
		if (strcmp(list[i].thumbprint,
			state->policy_module.thumbprint) == 0) {
			*out = list[i];
			return i;
		}
	return POLICY_CERTIFICATES;
}

bool
policy_module_shows_first(const struct stack_state *state)
{
	struct policy_certificate named;

	return named_certificate(state, &named) == 0;
}

bool
policy_module_certificate_is_good(const struct stack_state *state,
    int64_t elapsed, struct error *why)
{
	struct policy_certificate named;

	if (!state->policy_module.installed)
		return true;
	if (named_certificate(state, &named) == POLICY_CERTIFICATES)
		error_set(why,
		    "policy_module.thumbprint: no certificate has exactly the "
		    "thumbprint of NDESCertThumbprint");
	else if (elapsed > named.not_after)
		error_set(why,
		    "policy_module.certificate.not_after: the certificate of "
		    "the policy module has expired");
	else if (elapsed < named.not_before)
		error_set(why,
		    "policy_module.certificate.not_before: the certificate of "
		    "the policy module is not valid yet");
	else
		return true;
	return false;
}

static int
must_be_like(const char *what, const char *text, const char *glob,
    struct error *why)
{
	if (*glob == '\0' || fnmatch(glob, text, 0) == 0)
		return 0;
	return error_set(why,
	    "policy_module.expect.%s: \"%.80s\" is not like \"%.80s\"", what,
	    text, glob);
}

static int
check_subject(const struct stack_state *state, const struct scep_csr *csr,
    struct error *why)
{
	size_t size = X509_NAME_TEXT_SIZE(csr->subject);
	char *text = malloc(size);
	int ret;

	if (text == NULL)
		return error_set(why, "out of memory");
	ret = must_be_like("subject", x509_name_text(csr->subject, text, size),
	    state->policy_module.expect.subject, why);
	free(text);
	return ret;
}

static int
check_alt_name(const struct stack_state *state, const struct scep_csr *csr,
    struct error *why)
{
	struct buffer text = { 0 };
	int ret;

	x509_alt_name_text(csr->extensions, &text);
	buffer_add_byte(&text, 0);
	ret = text.failed ? error_set(why, "out of memory") :
			    must_be_like("san", (char *)text.data,
				state->policy_module.expect.san, why);
	buffer_free(&text);
	return ret;
}

/* Each line of the setting must be among the purposes asked for. */
static int
check_usages(const struct stack_state *state, const struct scep_csr *csr,
    struct error *why)
{
	char lines[EXPECT_SIZE], *save = NULL;
	struct buffer oid = { 0 };
	bool found = true;
	char *line;

	strcpy(lines, state->policy_module.expect.eku);
	for (line = strtok_r(lines, "\n", &save); line != NULL && found;
	     line = strtok_r(NULL, "\n", &save)) {
		oid.len = 0;
		found = der_oid_from_text(line, &oid) == 0 &&
		    x509_asks_for_usage(csr->extensions, buffer_span(&oid));
		if (!found)
			error_set(why,
			    "policy_module.expect.eku: %s is not asked for",
			    line);
	}
	buffer_free(&oid);
	return found ? 0 : -1;
}

/* Other keys than RSA have a measure of their own. */
static int
check_key(const struct stack_state *state, const struct scep_csr *csr,
    struct error *why)
{
	if (!x509_key_is(csr->spki, oid_rsa_encryption) ||
	    csr->key_bits >= state->policy_module.expect.key_size)
		return 0;
	return error_set(why, "policy_module.expect.key_size: %d bits",
	    csr->key_bits);
}

/* A password is nobody's business: the reason does not show it. */
static int
check_challenge(const struct stack_state *state, const struct scep_csr *csr,
    struct error *why)
{
	const char *glob = state->policy_module.expect.challenge;

	if (*glob == '\0' ||
	    fnmatch(glob, csr->challenge == NULL ? "" : csr->challenge, 0) == 0)
		return 0;
	return error_set(why,
	    "policy_module.expect.challenge: it is not like \"%.80s\"", glob);
}

enum refusal
policy_module_judge(const struct stack_state *state, const struct scep_csr *csr,
    bool renews, struct error *why)
{
	if (!state->policy_module.installed)
		return REFUSAL_NONE;
	if ((!renews && check_challenge(state, csr, why) == -1) ||
	    check_subject(state, csr, why) == -1 ||
	    check_alt_name(state, csr, why) == -1 ||
	    check_usages(state, csr, why) == -1 ||
	    check_key(state, csr, why) == -1)
		return REFUSAL_EXPECTATION;
	return REFUSAL_NONE;
}
