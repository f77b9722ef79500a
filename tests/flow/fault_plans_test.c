/*
 * Faults that edit what the server has to say before it becomes bytes: the
 * capabilities, the CA's certificates, the certificate that is issued.
 */
#include "support/test.h"

#include <openssl/pkcs7.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "support/ndes.h"

#define RULES "mockndes: 1\nname: test\nfaults:\n"
#define HEALTHY "mockndes: 1\nname: test\n"
#define PLAIN "text/plain"
#define RA_TYPE "application/x-x509-ca-ra-cert"
#define CA_TYPE "application/x-x509-ca-cert"

static struct fixture {
	struct ndes ndes;
	struct device device;
	struct buffer caps, ca_certs; /* as they are without faults */
} fixture;

static void
get(const struct fixture *f, const char *operation, struct web_reply *reply)
{
	char url[SERVER_URL_SIZE + 40];

	snprintf(url, sizeof(url), "%s?operation=%s", f->ndes.server.url,
	    operation);
	assert_true(web_get(url, reply));
}

static int
start(void **state)
{
	struct fixture *f = *state = &fixture;
	struct web_reply reply;

	web_start();
	ndes_start(&f->ndes, NULL);
	if (!device_make(&f->device))
		return -1;
	get(f, "GetCACaps", &reply);
	buffer_add_span(&f->caps, buffer_span(&reply.body));
	web_reply_clear(&reply);
	get(f, "GetCACert", &reply);
	buffer_add_span(&f->ca_certs, buffer_span(&reply.body));
	web_reply_clear(&reply);
	return 0;
}

static int
stop(void **state)
{
	struct fixture *f = *state;

	buffer_free(&f->caps);
	buffer_free(&f->ca_certs);
	device_clear(&f->device);
	ndes_stop(&f->ndes);
	return 0;
}

static void
use(struct fixture *f, const char *when, const char *edits)
{
	char yaml[1000];

	snprintf(yaml, sizeof(yaml), RULES "  - when: %s\n    do: %s\n", when,
	    edits);
	server_use_yaml(&f->ndes.server, yaml);
}

static void
must_be(const struct web_reply *reply, const char *type, struct span body)
{
	assert_int_equal(reply->status, 200);
	assert_string_equal(reply->content_type, type);
	assert_int_equal(reply->body.len, body.len);
	assert_memory_equal(reply->body.data, body.data, body.len);
}

static const struct caps_row {
	const char *edits, *type, *body;
} caps_rows[] = {
	{ "{caps: {list: [AES, Renewal], separator: crlf}}", PLAIN,
	    "AES\r\nRenewal" },
	{ "{caps: {list: [A, B], noise: [blank-lines], bom: true}}", PLAIN,
	    "\xef\xbb\xbf"
	    "A\n\nB\n" },
	{ "{caps: {list: A, case: lower, content_type: \"\"}}", "", "a" },
	{ "{caps: {answer: empty}}", PLAIN, "" },
};

/* The second time it is what it was, and other operations are all the time. */
static void
capabilities_are_edited(void **state)
{
	struct fixture *f = *state;
	struct web_reply reply;

	for (size_t i = 0; i < COUNT_OF(caps_rows); i++) {
		const struct caps_row *t = &caps_rows[i];

		use(f, "{operation: GetCACaps, first: 1}", t->edits);
		get(f, "GetCACert", &reply);
		must_be(&reply, RA_TYPE, buffer_span(&f->ca_certs));
		web_reply_clear(&reply);
		get(f, "GetCACaps", &reply);
		must_be(&reply, t->type, span_text(t->body));
		web_reply_clear(&reply);
		get(f, "GetCACaps", &reply);
		must_be(&reply, PLAIN, buffer_span(&f->caps));
		web_reply_clear(&reply);
	}
}

static void
capabilities_are_absent(void **state)
{
	struct fixture *f = *state;
	struct web_reply reply;

	use(f, "{operation: GetCACaps}", "{caps: {answer: absent}}");
	get(f, "GetCACaps", &reply);
	assert_int_equal(reply.status, 404);
	web_reply_clear(&reply);
	ndes_look_again(&f->ndes);
	use(f, "{operation: GetCACaps}", "{caps: {answer: html}}");
	get(f, "GetCACaps", &reply);
	assert_int_equal(reply.status, 200);
	assert_non_null(strstr(reply.content_type, "text/html"));
	web_reply_clear(&reply);
}

static STACK_OF(X509) * read_bag(const struct web_reply *reply)
{
	const uint8_t *at = reply->body.data;
	PKCS7 *bag = d2i_PKCS7(NULL, &at, (long)reply->body.len);
	STACK_OF(X509) * certs;

	assert_non_null(bag);
	certs = bag->d.sign->cert == NULL ?
	    sk_X509_new_null() :
	    X509_chain_up_ref(bag->d.sign->cert);
	PKCS7_free(bag);
	return certs;
}

static const struct bag_row {
	const char *edits, *type;
	int count;
	int ca; /* where it is; -1: nowhere */
} bag_rows[] = {
	{ "{ca_certs: {exclude: ra}}", RA_TYPE, 1, 0 },
	{ "{ca_certs: {order: ca-first}}", RA_TYPE, 3, 0 },
	{ "{ca_certs: {order: reversed, include: stranger-ra}}", RA_TYPE, 5,
	    2 },
	{ "{ca_certs: {ra: ec, exclude: [ca]}}", RA_TYPE, 2, -1 },
	{ "{ca_certs: {ra_key_usage: none}}", RA_TYPE, 3, 2 },
	{ "{ca_certs: {empty: true, content_type: text/html}}", "text/html", 0,
	    -1 },
};

static void
certificates_of_the_ca_are_edited(void **state)
{
	struct fixture *f = *state;
	X509 *ca = device_ca(f->ndes.ca_certs);
	STACK_OF(X509) * certs;
	struct web_reply reply;

	for (size_t i = 0; i < COUNT_OF(bag_rows); i++) {
		const struct bag_row *t = &bag_rows[i];

		use(f, "{operation: GetCACert, first: 1}", t->edits);
		get(f, "GetCACert", &reply);
		assert_string_equal(reply.content_type, t->type);
		certs = read_bag(&reply);
		assert_int_equal(sk_X509_num(certs), t->count);
		for (int at = 0; at < t->count; at++)
			if ((X509_cmp(sk_X509_value(certs, at), ca) == 0) !=
			    (at == t->ca))
				fail_msg("%s: %d", t->edits, at);
		sk_X509_pop_free(certs, X509_free);
		web_reply_clear(&reply);
		get(f, "GetCACert", &reply);
		must_be(&reply, RA_TYPE, buffer_span(&f->ca_certs));
		web_reply_clear(&reply);
	}
}

static void
the_ca_comes_alone(void **state)
{
	struct fixture *f = *state;
	struct web_reply reply;
	uint8_t *der = NULL;
	int len = i2d_X509(device_ca(f->ndes.ca_certs), &der);

	use(f, "{operation: GetCACert}", "{ca_certs: {form: der}}");
	get(f, "GetCACert", &reply);
	must_be(&reply, CA_TYPE, span_of(der, (size_t)len));
	web_reply_clear(&reply);
	OPENSSL_free(der);
}

static bool
has_expired(X509 *cert)
{
	return X509_cmp_current_time(X509_get0_notAfter(cert)) < 0;
}

static bool
has_no_san(X509 *cert)
{
	return X509_get_ext_by_NID(cert, NID_subject_alt_name, -1) == -1;
}

static bool
has_no_extensions(X509 *cert)
{
	return X509_get_version(cert) == X509_VERSION_1 &&
	    X509_get_ext_count(cert) == 0;
}

static bool
is_pss(X509 *cert)
{
	return X509_get_signature_nid(cert) == NID_rsassaPss;
}

static bool
is_for_servers(X509 *cert)
{
	return X509_get_extended_key_usage(cert) == XKU_SSL_SERVER;
}

static bool
is_another(X509 *cert)
{
	char text[100];

	X509_NAME_oneline(X509_get_subject_name(cert), text, sizeof(text));
	return strcmp(text, "/O=Other/CN=another") == 0;
}

static bool
is_a_ca(X509 *cert)
{
	return X509_check_ca(cert) == 1;
}

static const struct issued_row {
	const char *edits;
	bool (*is)(X509 *);
} issued_rows[] = {
	{ "{certificate: {not_after: -1d, not_before: -2d}}", has_expired },
	{ "{certificate: {san: dropped}}", has_no_san },
	{ "{certificate: {version: 1}}", has_no_extensions },
	{ "{certificate: {signature: pss}}", is_pss },
	{ "{certificate: {extended_key_usage: [1.3.6.1.5.5.7.3.1]}}",
	    is_for_servers },
	{ "{certificate: {subject: \"O=Other, CN=another\"}}", is_another },
	{ "{certificate: {ca: true, key_usage: keyCertSign}}", is_a_ca },
};

/* The reply is sound; later the server gives what it meant. */
static void
certificates_are_edited(void **state)
{
	struct fixture *f = *state;
	EVP_PKEY *ca = X509_get0_pubkey(device_ca(f->ndes.ca_certs));
	struct device_answer a, b;

	for (size_t i = 0; i < COUNT_OF(issued_rows); i++) {
		const struct issued_row *t = &issued_rows[i];

		use(f, "{message_type: PKCSReq}", t->edits);
		ndes_ask(&f->ndes, &f->device,
		    &(struct device_order){ .challenge = NDES_CHALLENGE }, &a);
		if (a.certificate == NULL || !t->is(a.certificate))
			fail_msg("%s", t->edits);
		assert_int_equal(X509_verify(a.certificate, ca), 1);
		ndes_ask(&f->ndes, &f->device,
		    &(struct device_order){ .type = DEVICE_GET_CERT,
			.serial = X509_get0_serialNumber(a.certificate) },
		    &b);
		assert_non_null(b.certificate);
		assert_false(t->is(b.certificate));
		assert_string_equal(device_judge(&f->device, f->ndes.ca_certs,
					b.certificate),
		    "");
		device_answer_clear(&a);
		device_answer_clear(&b);
	}
}

/* Two requests, one number; what is honest has numbers of its own. */
static void
numbers_are_used_twice(void **state)
{
	struct fixture *f = *state;
	const struct device_order order = { .challenge = NDES_CHALLENGE };
	X509 *certs[3];

	for (int i = 0; i < 3; i++) {
		struct device_answer a;

		if (i != 1)
			use(f, "{message_type: PKCSReq}",
			    i == 0 ? "{certificate: {serial: duplicate}}" :
				     "{certificate: {san: dropped}}");
		ndes_ask(&f->ndes, &f->device, &order, &a);
		assert_non_null(a.certificate);
		certs[i] = X509_dup(a.certificate);
		device_answer_clear(&a);
	}
	assert_int_equal(ASN1_INTEGER_cmp(X509_get0_serialNumber(certs[0]),
			     X509_get0_serialNumber(certs[1])),
	    0);
	assert_int_not_equal(ASN1_INTEGER_cmp(X509_get0_serialNumber(certs[0]),
				 X509_get0_serialNumber(certs[2])),
	    0);
	for (int i = 0; i < 3; i++)
		X509_free(certs[i]);
}

/* What could not be made is a refusal, and nothing else. */
static void
an_ec_key_signs_no_pss(void **state)
{
	struct fixture *f = *state;
	struct device_order order = { .challenge = NDES_CHALLENGE };

	server_use_yaml(&f->ndes.server,
	    HEALTHY "server: {ca: {key: ec-p256}}\n"
		    "faults:\n"
		    "  - {when: {message_type: PKCSReq, first: 1},\n"
		    "     do: {certificate: {signature: pss}}}\n");
	ndes_look_again(&f->ndes);
	ndes_expect(&f->ndes, "PSS", &f->device, &order, NDES_FAILURE,
	    NDES_BAD_REQUEST);
	ndes_expect(&f->ndes, "ECDSA", &f->device, &order, NDES_SUCCESS, 0);
	server_use_yaml(&f->ndes.server, HEALTHY);
	ndes_look_again(&f->ndes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(capabilities_are_edited),
		cmocka_unit_test(capabilities_are_absent),
		cmocka_unit_test(certificates_of_the_ca_are_edited),
		cmocka_unit_test(the_ca_comes_alone),
		cmocka_unit_test(certificates_are_edited),
		cmocka_unit_test(numbers_are_used_twice),
		cmocka_unit_test(an_ec_key_signs_no_pss),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
