/* The Intune policy module (ndes-facts 6.1, 10). */
#include "stack/stack.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/der.h"

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
