/* What the policy module expects of a request (ndes-facts 10). */
#include "unit/device.h"

#include <ctype.h>

#include "stack/stack.h"

static EVP_PKEY *rsa, *ec;

/* A request of "C=NL, CN=device-0001" with these. */
static struct blob
request_with(EVP_PKEY *key, const char *challenge, const char *alt_name,
    const char *usage)
{
	STACK_OF(X509_EXTENSION) *list = sk_X509_EXTENSION_new_null();
	X509_REQ *request = device_request(key, "device-0001");
	struct blob der;

	if (challenge != NULL)
		device_add_challenge(request, V_ASN1_UTF8STRING, challenge,
		    (int)strlen(challenge));
	if (alt_name != NULL)
		sk_X509_EXTENSION_push(list,
		    X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name,
			alt_name));
	if (usage != NULL)
		sk_X509_EXTENSION_push(list,
		    X509V3_EXT_conf_nid(NULL, NULL, NID_ext_key_usage, usage));
	if (sk_X509_EXTENSION_num(list) > 0)
		assert_true(X509_REQ_add_extensions(request, list));
	assert_true(X509_REQ_sign(request, key, EVP_sha256()) > 0);
	der = device_request_der(request);
	sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
	X509_REQ_free(request);
	return der;
}

enum field { SUBJECT, SAN, EKU, KEY_SIZE, CHALLENGE };

static const struct expected {
	const char *row;
	enum field field;
	const char *value; /* of KEY_SIZE: digits */
	bool ec;
	const char *challenge, *alt_name, *usage; /* or NULL */
	const char *error;			  /* NULL: as expected */
} expecteds[] = {
	{ "the subject", SUBJECT, "C=NL, CN=device-0001", false, NULL, NULL,
	    NULL, NULL },
	{ "a subject like this", SUBJECT, "*CN=device-[0-9]*", false, NULL,
	    NULL, NULL, NULL },
	{ "any subject", SUBJECT, "*", false, NULL, NULL, NULL, NULL },
	{ "another subject", SUBJECT, "CN=*", false, NULL, NULL, NULL,
	    "policy_module.expect.subject: \"C=NL, CN=device-0001\" is not "
	    "like \"CN=*\"" },
	{ "the alternative name", SAN, "DNS:a.example", false, NULL,
	    "DNS:a.example", NULL, NULL },
	{ "one among alternative names", SAN, "*UPN:*", false, NULL,
	    "DNS:a.example,otherName:1.3.6.1.4.1.311.20.2.3;UTF8:x@y", NULL,
	    NULL },
	{ "another alternative name", SAN, "DNS:*.example", false, NULL,
	    "DNS:a.test", NULL,
	    "policy_module.expect.san: \"DNS:a.test\" is not like "
	    "\"DNS:*.example\"" },
	{ "an alternative name that is not there", SAN, "?*", false, NULL, NULL,
	    NULL, "policy_module.expect.san: \"\" is not like \"?*\"" },
	{ "a purpose", EKU, "1.3.6.1.5.5.7.3.2", false, NULL, NULL,
	    "clientAuth", NULL },
	{ "two purposes of three", EKU,
	    "1.3.6.1.5.5.7.3.2\n1.3.6.1.4.1.311.20.2.2", false, NULL, NULL,
	    "serverAuth,1.3.6.1.4.1.311.20.2.2,clientAuth", NULL },
	{ "two purposes and one is missing", EKU,
	    "1.3.6.1.5.5.7.3.2\n1.3.6.1.4.1.311.20.2.2", false, NULL, NULL,
	    "serverAuth,clientAuth",
	    "policy_module.expect.eku: 1.3.6.1.4.1.311.20.2.2 is not asked "
	    "for" },
	{ "a purpose and nothing is asked for", EKU, "1.3.6.1.5.5.7.3.2", false,
	    NULL, NULL, NULL,
	    "policy_module.expect.eku: 1.3.6.1.5.5.7.3.2 is not asked for" },
	{ "a key that is large enough", KEY_SIZE, "2048", false, NULL, NULL,
	    NULL, NULL },
	{ "a key one bit larger", KEY_SIZE, "2049", false, NULL, NULL, NULL,
	    "policy_module.expect.key_size: 2048 bits" },
	{ "an EC key has a measure of its own", KEY_SIZE, "4096", true, NULL,
	    NULL, NULL, NULL },
	{ "the challenge", CHALLENGE, "ey*.*.*", false, "eyJ0.eyJz.x-_", NULL,
	    NULL, NULL },
	{ "another challenge", CHALLENGE, "ey*", false, "8CE317021F690069",
	    NULL, NULL,
	    "policy_module.expect.challenge: it is not like \"ey*\"" },
	{ "a challenge that is not there", CHALLENGE, "?*", false, NULL, NULL,
	    NULL, "policy_module.expect.challenge: it is not like \"?*\"" },
};

static void
expect(struct stack_state *s, enum field field, const char *value)
{
	switch (field) {
	case SUBJECT:
		strcpy(s->policy_module.expect.subject, value);
		break;
	case SAN:
		strcpy(s->policy_module.expect.san, value);
		break;
	case EKU:
		strcpy(s->policy_module.expect.eku, value);
		break;
	case KEY_SIZE:
		s->policy_module.expect.key_size = atoi(value);
		break;
	case CHALLENGE:
		strcpy(s->policy_module.expect.challenge, value);
		break;
	}
}

static enum refusal
judged(const struct stack_state *s, const struct blob *der, struct error *why)
{
	struct error err = { 0 };
	struct scep_csr csr;
	enum refusal refusal;

	assert_int_equal(scep_csr_read(blob_span(der), &csr, &err), 0);
	csr.key_bits = 2048;
	refusal = policy_module_judge(s, &csr, false, why);
	/* That of a renewal is nobody's business. */
	if (refusal == REFUSAL_EXPECTATION && why != NULL &&
	    strstr(why->text, ".challenge:") != NULL)
		assert_int_equal(policy_module_judge(s, &csr, true, &err),
		    REFUSAL_NONE);
	free(csr.challenge);
	return refusal;
}

static void
expects(void **state)
{
	const struct expected *t = *state;
	struct blob der = request_with(t->ec ? ec : rsa, t->challenge,
	    t->alt_name, t->usage);
	struct error why = { 0 };
	struct stack_state s;

	stack_healthy(&s);
	assert_int_equal(judged(&s, &der, &why), REFUSAL_NONE);
	expect(&s, t->field, t->value);
	assert_int_equal(judged(&s, &der, &why),
	    t->error == NULL ? REFUSAL_NONE : REFUSAL_EXPECTATION);
	assert_string_equal(why.text, t->error == NULL ? "" : t->error);
	/* Without the module nobody looks. */
	s.policy_module.installed = false;
	why.text[0] = '\0';
	assert_int_equal(judged(&s, &der, &why), REFUSAL_NONE);
	assert_string_equal(why.text, "");
	blob_free(&der);
}

/* Of Intune's length; the last octet counts. */
static void
long_challenge(void **state)
{
	char *challenge = malloc(CHALLENGE_LONGEST + 1);
	struct error why = { 0 };
	struct stack_state s;
	struct blob der;

	(void)state;
	memset(challenge, 'A', CHALLENGE_LONGEST);
	challenge[CHALLENGE_LONGEST] = '\0';
	challenge[CHALLENGE_LONGEST - 1] = 'Z';
	der = request_with(rsa, challenge, NULL, NULL);
	stack_healthy(&s);
	expect(&s, CHALLENGE, "A*A*A*A*A*A*A*Z");
	assert_int_equal(judged(&s, &der, &why), REFUSAL_NONE);
	expect(&s, CHALLENGE, "A*A*A*A*A*A*A*Y");
	assert_int_equal(judged(&s, &der, &why), REFUSAL_EXPECTATION);
	blob_free(&der);
	free(challenge);
}

/* NDESCertThumbprint and what it names (ndes-facts 11, 12 A5.4). */
enum typed { RIGHT, TYPED, RENEWED, BLANKS, CAPITALS, OTHER };

static const struct named {
	const char *row;
	int64_t begins, ends, elapsed;
	bool renewed; /* there is a second one, from 100 to 2000 */
	enum typed typed;
	const char *why; /* NULL: good */
} nameds[] = {
	{ "the usual one", RA_USUAL, RA_USUAL, 0, false, RIGHT, NULL },
	{ "the usual one after nine years", RA_USUAL, RA_USUAL,
	    9 * 366 * 86400LL, false, RIGHT, NULL },
	{ "the usual one after eleven", RA_USUAL, RA_USUAL, 11 * 366 * 86400LL,
	    false, RIGHT, "policy_module.certificate.not_after: " },
	{ "one that has ended", RA_USUAL, -86400, 0, false, RIGHT,
	    "policy_module.certificate.not_after: " },
	{ "in its last second", -1000, 500, 500, false, RIGHT, NULL },
	{ "a second later", -1000, 500, 501, false, RIGHT,
	    "policy_module.certificate.not_after: " },
	{ "one that has not begun", 10, RA_USUAL, 9, false, RIGHT,
	    "policy_module.certificate.not_before: " },
	{ "its thumbprint, typed", RA_USUAL, RA_USUAL, 0, false, TYPED, NULL },
	{ "a new one that nobody names", RA_USUAL, -1, 200, true, TYPED,
	    "policy_module.certificate.not_after: " },
	{ "the new one", RA_USUAL, -1, 200, true, RENEWED, NULL },
	{ "the new one before it begins", RA_USUAL, -1, 99, true, RENEWED,
	    "policy_module.certificate.not_before: " },
	{ "with blanks", RA_USUAL, RA_USUAL, 200, true, BLANKS,
	    "policy_module.thumbprint: " },
	{ "in capitals", RA_USUAL, RA_USUAL, 200, true, CAPITALS,
	    "policy_module.thumbprint: " },
	{ "of no certificate", RA_USUAL, RA_USUAL, 200, true, OTHER,
	    "policy_module.thumbprint: " },
};

static void
type(struct stack_state *s, enum typed typed)
{
	struct policy_certificate list[POLICY_CERTIFICATES];
	char *to = s->policy_module.thumbprint;

	policy_module_certificates(s, list);
	strcpy(to, list[typed >= RENEWED && typed != OTHER].thumbprint);
	if (typed == BLANKS)
		snprintf(to, THUMBPRINT_SIZE, "%.2s %s", list[1].thumbprint,
		    list[1].thumbprint + 2);
	for (; typed == CAPITALS && *to != '\0'; to++)
		*to = (char)toupper((unsigned char)*to);
	if (typed == OTHER)
		to[0] = to[0] == '0' ? '1' : '0';
}

static void
names(void **state)
{
	const struct named *t = *state;
	char text[THUMBPRINT_SIZE];
	struct error why = { 0 };
	struct stack_state s;

	stack_healthy(&s);
	s.policy_module.certificate.not_before = t->begins;
	s.policy_module.certificate.not_after = t->ends;
	if (t->renewed) {
		s.policy_module.renewed.not_before = 100;
		s.policy_module.renewed.not_after = 2000;
	}
	if (t->typed != RIGHT)
		type(&s, t->typed);
	assert_int_equal(policy_module_certificate_is_good(&s, t->elapsed,
			     &why),
	    t->why == NULL);
	assert_int_equal(strncmp(why.text, t->why == NULL ? "" : t->why,
			     t->why == NULL ? 1 : strlen(t->why)),
	    0);
	policy_module_thumbprint(&s, text);
	if (t->typed != RIGHT)
		assert_string_equal(text, s.policy_module.thumbprint);
	s.policy_module.installed = false;
	assert_true(policy_module_certificate_is_good(&s, t->elapsed, &why));
}

/* Forty digits in lower case, as PowerShell shows them but for the case. */
static void
thumbprints(void **state)
{
	struct policy_certificate list[POLICY_CERTIFICATES];
	char text[THUMBPRINT_SIZE];
	struct stack_state s;

	(void)state;
	stack_healthy(&s);
	assert_int_equal(policy_module_certificates(&s, list), 1);
	s.policy_module.renewed.not_after = 2000;
	assert_int_equal(policy_module_certificates(&s, list), 2);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(strlen(list[i].thumbprint), 40);
		assert_int_equal(strspn(list[i].thumbprint, "0123456789abcdef"),
		    40);
	}
	assert_string_not_equal(list[0].thumbprint, list[1].thumbprint);
	assert_string_equal(policy_module_thumbprint(&s, text),
	    list[0].thumbprint);
	s.policy_module.installed = false;
	assert_int_equal(policy_module_certificates(&s, list), 0);
}

static int
set_up(void **state)
{
	(void)state;
	rsa = device_key("device/device.key");
	ec = EVP_EC_gen("P-256");
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(ec);
	return 0;
}

int
main(void)
{
	static const struct table tables[] = {
		ROWS(expects, expecteds),
		ONE(long_challenge, "a challenge of 8192 octets"),
		ROWS(names, nameds),
		ONE(thumbprints, "thumbprints of its certificates"),
	};

	return ROWS_RUN(tables, set_up, tear_down);
}
