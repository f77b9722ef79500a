/* The CA's policy: what it denies although NDES asks. */
#include "unit/device.h"

#include "stack/stack.h"

#define SAN "DNS:device-0001.example"

static EVP_PKEY *rsa, *ec;

static const struct judged {
	const char *row;
	bool ec, empty_name;
	const char *alt_name;
	bool other_extension; /* asks for a keyUsage */
	int64_t minimum;
	int64_t subject_change; /* of the limit, from the name's own length */
	enum refusal refusal;
} judgeds[] = {
	{ "a key of the smallest size", false, false, NULL, false, 2048, 0,
	    REFUSAL_NONE },
	{ "a key one bit smaller", false, false, NULL, false, 2049, 0,
	    REFUSAL_KEY_SIZE },
	{ "an EC key has a measure of its own", true, false, NULL, false, 2048,
	    0, REFUSAL_NONE },
	{ "a subject one octet too long", false, false, NULL, false, 1024, -1,
	    REFUSAL_SUBJECT },
	{ "no subject", false, true, NULL, false, 1024, 0, REFUSAL_SUBJECT },
	{ "no subject but another name", false, true, SAN, false, 1024, 0,
	    REFUSAL_NONE },
	{ "no subject, and an extension that is no name", false, true, NULL,
	    true, 1024, 0, REFUSAL_SUBJECT },
	{ "no subject but another name among extensions", false, true, SAN,
	    true, 1024, 0, REFUSAL_NONE },
	{ "a subject and another name", false, false, SAN, true, 1024, 0,
	    REFUSAL_NONE },
};

static void
add_extensions(X509_REQ *request, const struct judged *t)
{
	STACK_OF(X509_EXTENSION) *list = sk_X509_EXTENSION_new_null();

	if (t->other_extension)
		sk_X509_EXTENSION_push(list,
		    X509V3_EXT_conf_nid(NULL, NULL, NID_key_usage,
			"digitalSignature"));
	if (t->alt_name != NULL)
		sk_X509_EXTENSION_push(list,
		    X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name,
			t->alt_name));
	if (sk_X509_EXTENSION_num(list) > 0)
		assert_true(X509_REQ_add_extensions(request, list));
	sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
}

static void
judges(void **state)
{
	const struct judged *t = *state;
	EVP_PKEY *key = t->ec ? ec : rsa;
	X509_REQ *request = device_request(key, "device-0001");
	X509_NAME *empty = X509_NAME_new();
	struct error err = { 0 };
	struct stack_state s;
	struct scep_csr csr;
	struct blob der;

	if (t->empty_name)
		assert_true(X509_REQ_set_subject_name(request, empty));
	add_extensions(request, t);
	assert_true(X509_REQ_sign(request, key, EVP_sha256()) > 0);
	der = device_request_der(request);
	assert_int_equal(scep_csr_read(blob_span(&der), &csr, &err), 0);
	csr.key_bits = EVP_PKEY_get_bits(key);
	stack_healthy(&s);
	s.ca.minimum_key_size = t->minimum;
	s.ca.subject_max = (int64_t)csr.subject.len + t->subject_change;
	assert_int_equal(ca_judge(&s, &csr, &err), t->refusal);
	X509_NAME_free(empty);
	X509_REQ_free(request);
	blob_free(&der);
}

/* What the state alone decides, outermost first. */
enum ill { OFFLINE, ACCESS, CRL, UNPUBLISHED, TEMPLATES, KEY_SIZE, ILLS };

static const struct {
	enum refusal refusal;
	const char *why;
} ills[ILLS] = {
	[OFFLINE] = { REFUSAL_CA_OFFLINE, "ca.online: " },
	[ACCESS] = { REFUSAL_CA_ACCESS, "ca.grants_request: " },
	[CRL] = { REFUSAL_CA_REVOCATION, "ca.crl: " },
	[UNPUBLISHED] = { REFUSAL_TEMPLATE, "ca.template_published: " },
	[TEMPLATES] = { REFUSAL_TEMPLATE, "mscep.templates: " },
	[KEY_SIZE] = { REFUSAL_KEY_SIZE, "ca.minimum_key_size: 2048 bits" },
};

static void
make_ill(struct stack_state *s, enum ill ill)
{
	s->ca.online &= ill != OFFLINE;
	s->ca.grants_request &= ill != ACCESS;
	s->ca.template_published &= ill != UNPUBLISHED;
	if (ill == CRL)
		s->ca.crl = UNREACHABLE;
	if (ill == TEMPLATES)
		s->mscep.templates = TEMPLATES_WRONG;
	if (ill == KEY_SIZE)
		s->ca.minimum_key_size = 2049;
}

/* Each alone, and together with all that come after it. */
static void
outermost_first(void **state)
{
	X509_REQ *request = device_request(rsa, "device-0001");
	struct error err = { 0 };
	struct stack_state one, all;
	struct scep_csr csr;
	struct blob der;

	(void)state;
	assert_true(X509_REQ_sign(request, rsa, EVP_sha256()) > 0);
	der = device_request_der(request);
	assert_int_equal(scep_csr_read(blob_span(&der), &csr, &err), 0);
	csr.key_bits = 2048;
	stack_healthy(&all);
	for (int i = ILLS - 1; i >= 0; i--) {
		struct error why = { 0 }, reach = { 0 };

		stack_healthy(&one);
		make_ill(&one, (enum ill)i);
		make_ill(&all, (enum ill)i);
		assert_int_equal(ca_judge(&one, &csr, &why), ills[i].refusal);
		assert_int_equal(strncmp(why.text, ills[i].why,
				     strlen(ills[i].why)),
		    0);
		assert_int_equal(ca_judge(&all, &csr, &why), ills[i].refusal);
		assert_int_equal(ca_reach(&one, &reach),
		    i == OFFLINE ? REFUSAL_CA_OFFLINE : REFUSAL_NONE);
	}
	X509_REQ_free(request);
	blob_free(&der);
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
		ROWS(judges, judgeds),
		ONE(outermost_first, "what the state decides, in its order"),
	};

	return ROWS_RUN(tables, set_up, tear_down);
}
