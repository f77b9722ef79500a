/* Requests that no device makes, but somebody can: an answer, and service. */
#include "support/test.h"

#include <openssl/cms.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "support/device.h"
#include "support/server.h"
#include "support/tcp.h"

#define LASTING "lasting"
#define ATTRIBUTE(n) "2.16.840.1.113733.1.9." #n
#define KEY_LENGTH (-2146875375)  /* 0x80094811 CERTSRV_E_KEY_LENGTH */
#define BAD_SUBJECT (-2146877439) /* 0x80094001 CERTSRV_E_BAD_REQUESTSUBJECT */
#define NONE (-1)

static struct fixture {
	struct server server;
	STACK_OF(X509) * ca_certs;
	struct device device;
} fixture;

/* How odd a request is; 0: not. */
struct oddity {
	const char *row;
	int subject_parts;	/* of 64 letters */
	int attributes;		/* of the CSR */
	int signed_attributes;	/* of the message */
	int certificates;	/* in the message */
	int status, fail_info;	/* wanted; NONE: any fitting answer */
	long ms_error;		/* wanted */
	const char *ms_message; /* wanted; NULL: those of a success */
};

static X509 *
self_sign(EVP_PKEY *key, long serial)
{
	X509 *cert = X509_new();
	X509_NAME *name = X509_get_subject_name(cert);

	assert_true(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
	    (const unsigned char *)DEVICE_SUBJECT, -1, -1, 0));
	assert_true(X509_set_issuer_name(cert, name));
	assert_true(X509_set_version(cert, X509_VERSION_3));
	assert_true(ASN1_INTEGER_set(X509_get_serialNumber(cert), serial));
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(cert), -60));
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(cert), 86400));
	assert_true(X509_set_pubkey(cert, key));
	assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
	return cert;
}

static BIO *
make_csr(const struct device *d, const struct oddity *o)
{
	unsigned char part[64];
	X509_REQ *req = X509_REQ_new();
	X509_NAME *name = X509_REQ_get_subject_name(req);
	BIO *out = BIO_new(BIO_s_mem());
	char oid[64];

	memset(part, 'x', sizeof(part));
	assert_true(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
	    (const unsigned char *)DEVICE_SUBJECT, -1, -1, 0));
	for (int i = 0; i < o->subject_parts; i++)
		assert_true(X509_NAME_add_entry_by_txt(name, "O", MBSTRING_ASC,
		    part, sizeof(part), -1, 0));
	assert_true(X509_REQ_set_pubkey(req, d->key));
	assert_true(X509_REQ_add1_attr_by_NID(req, NID_pkcs9_challengePassword,
	    V_ASN1_UTF8STRING, (const unsigned char *)LASTING,
	    (int)strlen(LASTING)));
	for (int i = 0; i < o->attributes; i++) {
		snprintf(oid, sizeof(oid), "1.3.6.1.4.1.32473.1.%d", i);
		assert_true(X509_REQ_add1_attr_by_txt(req, oid,
		    V_ASN1_UTF8STRING, part, 8));
	}
	assert_true(X509_REQ_sign(req, d->key, EVP_sha256()) > 0);
	assert_true(i2d_X509_REQ_bio(out, req));
	X509_REQ_free(req);
	return out;
}

static BIO *
seal(BIO *csr)
{
	STACK_OF(X509) *recipients = sk_X509_new_null();
	BIO *out = BIO_new(BIO_s_mem());
	CMS_ContentInfo *cms;

	sk_X509_push(recipients,
	    device_ra(fixture.ca_certs, KU_KEY_ENCIPHERMENT));
	cms = CMS_encrypt(recipients, csr, EVP_aes_128_cbc(), CMS_BINARY);
	assert_non_null(cms);
	assert_true(i2d_CMS_bio(out, cms));
	CMS_ContentInfo_free(cms);
	sk_X509_free(recipients);
	BIO_free(csr);
	return out;
}

static void
add_attributes(CMS_SignerInfo *si, const struct device_message *m, int more)
{
	char oid[64];

	assert_true(CMS_signed_add1_attr_by_txt(si, ATTRIBUTE(2),
	    V_ASN1_PRINTABLESTRING, "19", 2));
	assert_true(CMS_signed_add1_attr_by_txt(si, ATTRIBUTE(7),
	    V_ASN1_PRINTABLESTRING, m->transaction_id,
	    (int)strlen(m->transaction_id)));
	assert_true(CMS_signed_add1_attr_by_txt(si, ATTRIBUTE(5),
	    V_ASN1_OCTET_STRING, m->nonce, sizeof(m->nonce)));
	for (int i = 0; i < more; i++) {
		snprintf(oid, sizeof(oid), "1.3.6.1.4.1.32473.2.%d", i);
		assert_true(CMS_signed_add1_attr_by_txt(si, oid,
		    V_ASN1_UTF8STRING, "odd", 3));
	}
}

static void
add_certificates(CMS_ContentInfo *cms, int count)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert;

	for (int i = 0; i < count; i++) {
		cert = self_sign(key, 1000 + i);
		assert_true(CMS_add1_cert(cms, cert));
		X509_free(cert);
	}
	EVP_PKEY_free(key);
}

static void
write_message(const struct device *d, const struct oddity *o,
    struct device_message *out)
{
	BIO *content = seal(make_csr(d, o));
	CMS_ContentInfo *cms = CMS_sign(NULL, NULL, NULL, NULL,
	    CMS_PARTIAL | CMS_BINARY);
	CMS_SignerInfo *si = CMS_add1_signer(cms, d->signer, d->key,
	    EVP_sha256(), CMS_BINARY | CMS_NOSMIMECAP);
	uint8_t *der = NULL;
	int len;

	*out = (struct device_message){ .transaction_id = "0DD",
		.nonce = "fifteen letters" };
	assert_non_null(si);
	add_attributes(si, out, o->signed_attributes);
	add_certificates(cms, o->certificates);
	assert_true(CMS_final(cms, content, NULL, CMS_BINARY));
	assert_true((len = i2d_CMS_ContentInfo(cms, &der)) > 0);
	buffer_add(&out->der, der, (size_t)len);
	OPENSSL_free(der);
	CMS_ContentInfo_free(cms);
	BIO_free(content);
}

static void
check_answer(const struct device *d, const struct oddity *o,
    const struct device_message *m, const struct web_reply *reply)
{
	struct device_answer a;

	if (!device_answer_read(d, m, fixture.ca_certs,
		buffer_span(&reply->body), &a))
		fail_msg("%s: %s", o->row, a.why);
	if (a.pki_status != o->status || a.fail_info != o->fail_info ||
	    a.ms_error != o->ms_error ||
	    (a.certificate != NULL) != (o->status == 0) ||
	    strcmp(a.ms_message,
		o->ms_message == NULL ? "Issued" : o->ms_message) != 0)
		fail_msg("%s: status %d failInfo %d error %ld \"%s\"", o->row,
		    a.pki_status, a.fail_info, a.ms_error, a.ms_message);
	device_answer_clear(&a);
}

static void
is_answered(const struct device *d, const struct oddity *o)
{
	struct device_message m;
	struct web_reply reply;

	write_message(d, o, &m);
	if (!device_post(fixture.server.url, &m, &reply) || reply.status != 200)
		fail_msg("%s: %ld", o->row, reply.status);
	if (o->status != NONE)
		check_answer(d, o, &m, &reply);
	web_reply_clear(&reply);
	device_message_clear(&m);
	if (!tcp_is_served(fixture.server.base))
		fail_msg("no service after: %s", o->row);
}

static const struct oddity oddities[] = {
	{ .row = "nothing odd", .fail_info = NONE },
	{ .row = "a subject of 64 kB",
	    .subject_parts = 900,
	    .status = 2,
	    .fail_info = 2,
	    .ms_error = BAD_SUBJECT,
	    .ms_message = "The request subject name is invalid or too long. "
			  "0x80094001 (-2146877439 "
			  "CERTSRV_E_BAD_REQUESTSUBJECT) "
			  "Denied by Policy Module" },
	{ .row = "10000 attributes", .attributes = 10000, .fail_info = NONE },
	{ .row = "10000 signed attributes",
	    .signed_attributes = 10000,
	    .status = NONE },
	{ .row = "60 signed attributes",
	    .signed_attributes = 54,
	    .fail_info = NONE },
	{ .row = "200 certificates", .certificates = 200, .fail_info = NONE },
};

static void
an_odd_request_is_answered_and_service_goes_on(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(oddities); i++)
		is_answered(&fixture.device, &oddities[i]);
}

static void
a_key_of_512_bits_is_refused_in_the_words_of_the_ca(void **state)
{
	static const struct oddity small = { .row = "RSA of 512 bits",
		.status = 2,
		.fail_info = 2,
		.ms_error = KEY_LENGTH,
		.ms_message =
		    "The public key does not meet the minimum size required "
		    "by the specified certificate template. "
		    "0x80094811 (-2146875375 CERTSRV_E_KEY_LENGTH) "
		    "Denied by Policy Module" };
	struct device d = { .key = EVP_RSA_gen(512) };

	(void)state;
	assert_non_null(d.key);
	d.signer = self_sign(d.key, 1);
	is_answered(&d, &small);
	device_clear(&d);
}

/* 2^bits - 1 */
static BIGNUM *
mersenne(int bits)
{
	BIGNUM *n = BN_new();

	assert_true(BN_set_bit(n, bits));
	assert_true(BN_sub_word(n, 1));
	return n;
}

static EVP_PKEY *
key_from(BIGNUM *part[8])
{
	static const char *const names[8] = { OSSL_PKEY_PARAM_RSA_N,
		OSSL_PKEY_PARAM_RSA_E, OSSL_PKEY_PARAM_RSA_D,
		OSSL_PKEY_PARAM_RSA_FACTOR1, OSSL_PKEY_PARAM_RSA_FACTOR2,
		OSSL_PKEY_PARAM_RSA_EXPONENT1, OSSL_PKEY_PARAM_RSA_EXPONENT2,
		OSSL_PKEY_PARAM_RSA_COEFFICIENT1 };
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	EVP_PKEY *key = NULL;
	OSSL_PARAM *params;

	for (size_t i = 0; i < 8; i++)
		assert_true(OSSL_PARAM_BLD_push_BN(builder, names[i], part[i]));
	assert_non_null(params = OSSL_PARAM_BLD_to_param(builder));
	assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
	assert_int_equal(EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, params),
	    1);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(builder);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

/* To look for primes of that size takes minutes; these are well known. */
static EVP_PKEY *
large_key(int p_bits, int q_bits)
{
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *p = mersenne(p_bits), *q = mersenne(q_bits), *n = BN_new(),
	       *e = BN_new(), *d = BN_new(), *dp = BN_new(), *dq = BN_new(),
	       *p1 = BN_dup(p), *q1 = BN_dup(q), *phi = BN_new(), *qi;
	BIGNUM *part[8];
	EVP_PKEY *key;

	assert_true(BN_sub_word(p1, 1) && BN_sub_word(q1, 1) &&
	    BN_set_word(e, 65537) && BN_mul(n, p, q, ctx) &&
	    BN_mul(phi, p1, q1, ctx) && BN_mod_inverse(d, e, phi, ctx) &&
	    BN_mod(dp, d, p1, ctx) && BN_mod(dq, d, q1, ctx));
	assert_non_null(qi = BN_mod_inverse(NULL, q, p, ctx));
	memcpy(part, ((BIGNUM *[]){ n, e, d, p, q, dp, dq, qi }), sizeof(part));
	key = key_from(part);
	for (size_t i = 0; i < 8; i++)
		BN_free(part[i]);
	BN_free(p1);
	BN_free(q1);
	BN_free(phi);
	BN_CTX_free(ctx);
	return key;
}

static void
a_key_of_nearly_16384_bits_is_certified(void **state)
{
	static const struct oddity large = { .row = "RSA of 15636 bits",
		.fail_info = NONE };
	struct device d = { .key = large_key(11213, 4423) };

	(void)state;
	assert_int_equal(EVP_PKEY_get_bits(d.key), 15636);
	d.signer = self_sign(d.key, 1);
	is_answered(&d, &large);
	device_clear(&d);
}

static const struct nest {
	const char *row, *open;
	size_t open_len;
	bool closed;
} nests[] = {
	{ "sequences that are not closed", "\x30\x80", 2, false },
	{ "sequences", "\x30\x80", 2, true },
	{ "sets", "\x31\x80", 2, true },
	{ "strings", "\x24\x80", 2, true },
	{ "explicit tags", "\xa0\x80", 2, true },
};

static void
ber_100000_deep_gets_the_general_page(void **state)
{
	static const uint8_t end[2] = { 0, 0 };
	struct device_message m;
	struct web_reply reply;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(nests); i++) {
		m = (struct device_message){ .nonce = "" };
		for (int j = 0; j < 100000; j++)
			buffer_add(&m.der, nests[i].open, nests[i].open_len);
		for (int j = 0; j < 100000 && nests[i].closed; j++)
			buffer_add(&m.der, end, sizeof(end));
		if (!device_post(fixture.server.url, &m, &reply) ||
		    reply.status != 200 ||
		    strcmp(reply.content_type, "text/html") != 0)
			fail_msg("%s: %ld %s", nests[i].row, reply.status,
			    reply.content_type);
		web_reply_clear(&reply);
		device_message_clear(&m);
		assert_true(tcp_is_served(fixture.server.base));
	}
}

static int
start(void **state)
{
	(void)state;
	web_start();
	server_start(&fixture.server,
	    &(struct server_options){ .challenge = LASTING });
	fixture.ca_certs = device_ca_certs(fixture.server.url);
	return fixture.ca_certs != NULL && device_make(&fixture.device) ? 0 :
									  -1;
}

static int
stop(void **state)
{
	(void)state;
	device_ca_certs_free(fixture.ca_certs);
	device_clear(&fixture.device);
	server_stop(&fixture.server);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    an_odd_request_is_answered_and_service_goes_on),
		cmocka_unit_test(
		    a_key_of_512_bits_is_refused_in_the_words_of_the_ca),
		cmocka_unit_test(a_key_of_nearly_16384_bits_is_certified),
		cmocka_unit_test(ber_100000_deep_gets_the_general_page),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
