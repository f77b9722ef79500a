/* What is found in a message, as names in the order of the table. */
#ifndef UNIT_FINDINGS_H
#define UNIT_FINDINGS_H

#include "unit/authority.h"

#include "scep/scep.h"

#define FINDINGS_TEXT 2048

/* "md5 single-des"; "": nothing. */
static inline char *
findings_names(const struct findings *f, char out[FINDINGS_TEXT])
{
	const struct finding *found;
	size_t len = 0;

	out[0] = '\0';
	for (unsigned at = 0; (found = findings_next(f, &at)) != NULL;)
		len += (size_t)snprintf(out + len, FINDINGS_TEXT - len, "%s%s",
		    len > 0 ? " " : "", found->name);
	assert_in_range(len, 0, FINDINGS_TEXT - 1);
	return out;
}

/* Decoded for the encryption RA, and held against all of them. */
static inline enum scep_flaw
findings_of(struct span message, struct crypto *crypto, EVP_PKEY *key,
    const struct x509 certs[CA_ROLES], int64_t now, char out[FINDINGS_TEXT])
{
	const struct scep_recipient us = { crypto, key,
		&certs[CA_RA_ENCRYPTION], NULL };
	const struct scep_surroundings around = { &certs[CA_ISSUING],
		&certs[CA_RA_SIGNING], &certs[CA_RA_ENCRYPTION], now };
	struct scep_request *r = NULL;
	struct error err = { 0 };
	enum scep_flaw flaw = scep_request_decode(&r, message, &us, &err);

	assert_non_null(r);
	scep_request_inspect(r, &around);
	findings_names(&r->found, out);
	scep_request_free(r);
	return flaw;
}

/* Whether one of the names in `list` is `name`. */
static inline bool
findings_mention(const char *list, const char *name)
{
	size_t len = strlen(name);

	for (; *list != '\0'; list += strspn(list, " ")) {
		if (strcspn(list, " ") == len && strncmp(list, name, len) == 0)
			return true;
		list += strcspn(list, " ");
	}
	return false;
}

/* A row of a table says everything, in one line, and names its rule. */
static inline void
findings_must_be_told(const struct finding *f)
{
	static const char *const rules[] = { "RFC ", "X.680 ", "FIPS ", "NIST ",
		"NDES ", "IIS ", "http.sys " };
	bool named = false;

	assert_non_null(f->name);
	assert_int_equal(strspn(f->name,
			     "abcdefghijklmnopqrstuvwxyz0123456789-."),
	    strlen(f->name));
	assert_true(f->text[0] != '\0');
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		named |= strncmp(f->rule, rules[i], strlen(rules[i])) == 0;
	if (!named)
		fail_msg("%s: \"%s\" is no rule", f->name, f->rule);
	assert_in_range(strlen(f->text) + strlen(f->rule) +
		(f->note == NULL ? 0 : strlen(f->note)),
	    1, 230);
}

#endif
