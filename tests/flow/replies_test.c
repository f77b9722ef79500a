/* How a CertRep is said: profiles, settings, and the sample of a real one. */
#include "support/test.h"

#include <openssl/objects.h>
#include <openssl/provider.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/files.h"
#include "support/ndes.h"

#define SAMPLE \
	"tests/fixtures/recorded/ndes-CertRep_NoCertificatesForSigners.der"

static struct fixture {
	struct ndes ndes; /* every row changes its scenario */
	struct device device;
	OSSL_PROVIDER *usual, *legacy; /* single DES */
} fixture;

static int
start(void **state)
{
	struct fixture *f = *state = &fixture;

	web_start();
	f->usual = OSSL_PROVIDER_load(NULL, "default");
	f->legacy = OSSL_PROVIDER_load(NULL, "legacy");
	ndes_start(&f->ndes, NULL);
	return device_make(&f->device) ? 0 : -1;
}

static int
stop(void **state)
{
	struct fixture *f = *state;

	device_clear(&f->device);
	ndes_stop(&f->ndes);
	OSSL_PROVIDER_unload(f->legacy);
	OSSL_PROVIDER_unload(f->usual);
	return 0;
}

#define REPLY(setting) "server.mscep.reply." setting
#define RFC8894 REPLY("profile=rfc8894")
#define SETTINGS 2

/* What a SHA-512 and AES-256 request gets under these settings. */
static const struct row {
	const char *row, *set[SETTINGS + 1];
	int digest, cipher, transport;
	enum device_content content; /* of FAILURE and PENDING */
	bool text, microsoft;
} rows[] = {
	{ "profile ndes", { NULL }, NID_sha512, NID_aes_256_cbc,
	    NID_rsaEncryption, DEVICE_CONTENT_ZERO, false, true },
	{ "profile rfc8894", { RFC8894 }, NID_sha256, NID_aes_128_cbc,
	    NID_rsaEncryption, DEVICE_CONTENT_ABSENT, true, false },
	{ "empty content", { REPLY("content=empty") }, NID_sha512,
	    NID_aes_256_cbc, NID_rsaEncryption, DEVICE_CONTENT_EMPTY, false,
	    true },
	{ "absent content", { REPLY("content=absent") }, NID_sha512,
	    NID_aes_256_cbc, NID_rsaEncryption, DEVICE_CONTENT_ABSENT, false,
	    true },
	{ "rfc8894, but one zero octet", { RFC8894, REPLY("content=zero") },
	    NID_sha256, NID_aes_128_cbc, NID_rsaEncryption, DEVICE_CONTENT_ZERO,
	    true, false },
	{ "ndes with failInfoText", { REPLY("fail_info_text=true") },
	    NID_sha512, NID_aes_256_cbc, NID_rsaEncryption, DEVICE_CONTENT_ZERO,
	    true, true },
	{ "rfc8894 without failInfoText",
	    { RFC8894, REPLY("fail_info_text=false") }, NID_sha256,
	    NID_aes_128_cbc, NID_rsaEncryption, DEVICE_CONTENT_ABSENT, false,
	    false },
	{ "ndes without Microsoft's attributes",
	    { REPLY("microsoft_attributes=false") }, NID_sha512,
	    NID_aes_256_cbc, NID_rsaEncryption, DEVICE_CONTENT_ZERO, false,
	    false },
	{ "rfc8894 with Microsoft's attributes",
	    { RFC8894, REPLY("microsoft_attributes=true") }, NID_sha256,
	    NID_aes_128_cbc, NID_rsaEncryption, DEVICE_CONTENT_ABSENT, true,
	    true },
	{ "OAEP", { REPLY("key_transport=oaep") }, NID_sha512, NID_aes_256_cbc,
	    NID_rsaesOaep, DEVICE_CONTENT_ZERO, false, true },
	{ "OAEP and AES-128",
	    { REPLY("key_transport=oaep"), REPLY("cipher=aes-128-cbc") },
	    NID_sha512, NID_aes_128_cbc, NID_rsaesOaep, DEVICE_CONTENT_ZERO,
	    false, true },
	{ "SHA-1 and 3DES", { REPLY("digest=sha1"), REPLY("cipher=des3") },
	    NID_sha1, NID_des_ede3_cbc, NID_rsaEncryption, DEVICE_CONTENT_ZERO,
	    false, true },
	{ "SHA-256 and AES-192",
	    { REPLY("digest=sha256"), REPLY("cipher=aes-192-cbc") }, NID_sha256,
	    NID_aes_192_cbc, NID_rsaEncryption, DEVICE_CONTENT_ZERO, false,
	    true },
	{ "rfc8894, but as the request", { RFC8894, REPLY("digest=request") },
	    NID_sha512, NID_aes_128_cbc, NID_rsaEncryption,
	    DEVICE_CONTENT_ABSENT, true, false },
	{ "SHA-512 and single DES",
	    { REPLY("digest=sha512"), REPLY("cipher=des") }, NID_sha512,
	    NID_des_cbc, NID_rsaEncryption, DEVICE_CONTENT_ZERO, false, true },
};

static void
use(struct fixture *f, const struct row *r, const char *more)
{
	const char *set[SETTINGS + 2] = { NULL };
	int count = 0;

	while (r->set[count] != NULL) {
		set[count] = r->set[count];
		count++;
	}
	set[count] = more;
	if (server_use_scenario(&f->ndes.server, set) != 0)
		fail_msg("%s: these settings are not taken", r->row);
}

static void
is_said_so(struct fixture *f, const struct row *r, const char *challenge,
    int pki_status, struct device_answer *a)
{
	ndes_ask(&f->ndes, &f->device,
	    &(struct device_order){ .challenge = challenge,
		.digest = EVP_sha512(),
		.cipher = EVP_aes_256_cbc() },
	    a);
	if (a->pki_status != pki_status || a->digest != r->digest ||
	    a->signature != NID_rsaEncryption || a->has_certificates ||
	    a->has_signing_time)
		fail_msg("%s: pkiStatus %d, %s, %s%s%s", r->row, a->pki_status,
		    OBJ_nid2sn(a->digest), OBJ_nid2sn(a->signature),
		    a->has_certificates ? ", certificates" : "",
		    a->has_signing_time ? ", signingTime" : "");
}

static void
success_is_said_so(struct fixture *f, const struct row *r)
{
	struct device_answer a;

	is_said_so(f, r, NDES_CHALLENGE, NDES_SUCCESS, &a);
	if (a.cipher != r->cipher || a.transport != r->transport)
		fail_msg("%s: %s, %s", r->row, OBJ_nid2sn(a.cipher),
		    OBJ_nid2sn(a.transport));
	if (strcmp(a.ms_message, r->microsoft ? "Issued" : "") != 0)
		fail_msg("%s: \"%s\"", r->row, a.ms_message);
	device_answer_clear(&a);
}

static void
failure_is_said_so(struct fixture *f, const struct row *r)
{
	struct device_answer a;

	is_said_so(f, r, "a wrong one", NDES_FAILURE, &a);
	if (a.content != r->content ||
	    (a.fail_info_text[0] != '\0') != r->text ||
	    (a.ms_error != 0) != r->microsoft)
		fail_msg("%s: FAILURE: content %d \"%s\" %ld", r->row,
		    a.content, a.fail_info_text, a.ms_error);
	assert_int_equal(a.fail_info, NDES_BAD_REQUEST);
	device_answer_clear(&a);
}

static void
pending_is_said_so(struct fixture *f, const struct row *r)
{
	struct device_answer a;

	is_said_so(f, r, NDES_CHALLENGE, NDES_PENDING, &a);
	if (a.content != r->content || a.ms_error != 0)
		fail_msg("%s: PENDING: content %d %ld", r->row, a.content,
		    a.ms_error);
	if (!r->microsoft)
		assert_string_equal(a.ms_message, "");
	device_answer_clear(&a);
}

static void
each_setting_changes_what_it_says(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		use(f, &rows[i], NULL);
		success_is_said_so(f, &rows[i]);
		failure_is_said_so(f, &rows[i]);
		use(f, &rows[i], "server.ca.approval=manual");
		pending_is_said_so(f, &rows[i]);
	}
}

/* What RFC 8894 wants to know of a reason, NDES says in its own way. */
static void
a_failure_in_rfc8894_says_why(void **state)
{
	static const struct row strict = { .set = { RFC8894 } };
	struct fixture *f = *state;
	struct device_answer a;

	use(f, &strict, NULL);
	ndes_ask(&f->ndes, &f->device, &(struct device_order){ 0 }, &a);
	assert_int_equal(a.fail_info, NDES_BAD_REQUEST);
	assert_string_equal(a.fail_info_text,
	    "The request has no challenge password.");
	device_answer_clear(&a);
}

/* For the CA alone: NDES does not hold its key. */
static void
a_message_that_cannot_be_opened_gets_a_cert_rep_in_rfc8894(void **state)
{
	static const struct row strict = { .set = { RFC8894 } };
	STACK_OF(X509) *ca = sk_X509_new_null();
	struct fixture *f = *state;

	use(f, &strict, NULL);
	sk_X509_push(ca, device_ca(f->ndes.ca_certs));
	ndes_expect(&f->ndes, "for the CA", &f->device,
	    &(struct device_order){ .challenge = NDES_CHALLENGE,
		.recipients = ca },
	    NDES_FAILURE, NDES_BAD_REQUEST);
	sk_X509_free(ca);
}

/*
 * The shape of DER, a line for each element: its class and tag, the value of
 * an OBJECT IDENTIFIER, of a PrintableString and UTF8String that has the same
 * in every SUCCESS, and of a version, and how long an OCTET STRING is. Of
 * Names and of what is encrypted there is no more than that they are there.
 */
static void draw(struct buffer *out, const uint8_t *at, long len, int depth);

static void
draw_value(struct buffer *out, int tag, const uint8_t *element,
    const uint8_t *value, long len, int depth)
{
	ASN1_OBJECT *oid;
	char text[80];

	if (tag == V_ASN1_OBJECT) {
		oid = d2i_ASN1_OBJECT(NULL, &element, value + len - element);
		OBJ_obj2txt(text, sizeof(text), oid, 1);
		buffer_printf(out, " %s", text);
		ASN1_OBJECT_free(oid);
	} else if (tag == V_ASN1_OCTET_STRING && len <= 256) {
		buffer_printf(out, " of %ld", len);
	} else if (tag == V_ASN1_OCTET_STRING) {
		buffer_add_byte(out, '\n');
		draw(out, value, len, depth + 1);
	} else if (tag == V_ASN1_INTEGER && len == 1 && *value < 4) {
		buffer_printf(out, " %d", *value);
	} else if ((tag == V_ASN1_PRINTABLESTRING ||
		       tag == V_ASN1_UTF8STRING) &&
	    len < 10) {
		buffer_printf(out, " \"%.*s\"", (int)len, (const char *)value);
	}
}

/* Where there is a SEQUENCE that begins with a SET. */
static bool
is_name(int tag, const uint8_t *value)
{
	return tag == V_ASN1_SEQUENCE &&
	    *value == (V_ASN1_CONSTRUCTED | V_ASN1_SET);
}

static void
draw(struct buffer *out, const uint8_t *at, long len, int depth)
{
	const uint8_t *element = at, *end = at + len;
	int form, tag, class;
	long size;

	for (; element < end; element = at + size, at = element) {
		form = ASN1_get_object(&at, &size, &tag, &class, end - at);
		/* DER: neither an error nor an indefinite length. */
		assert_true((form & 0x81) == 0);
		buffer_printf(out, "%*s%d/%d", depth, "", class, tag);
		if (class == V_ASN1_UNIVERSAL && size > 0 && is_name(tag, at)) {
			buffer_add_text(out, " Name");
		} else if (form == V_ASN1_CONSTRUCTED) {
			buffer_add_byte(out, '\n');
			draw(out, at, size, depth + 1);
			continue;
		} else if (class == V_ASN1_UNIVERSAL) {
			draw_value(out, tag, element, at, size, depth);
		}
		buffer_add_byte(out, '\n');
	}
}

static void
draw_all(struct buffer *out, const struct buffer *der)
{
	*out = (struct buffer){ 0 };
	draw(out, der->data, (long)der->len, 0);
	buffer_add_byte(out, 0);
	assert_false(out->failed);
}

/* The sample answers a base64 transactionID, with SHA-1, OAEP and AES-128. */
static void
a_success_has_the_shape_of_a_real_one(void **state)
{
	static const struct row as_seen = { .row = "as in the sample",
		.set = { REPLY("key_transport=oaep"),
		    REPLY("cipher=aes-128-cbc") } };
	STACK_OF(X509) *ra = sk_X509_new_null();
	const struct device_order order = { .challenge = NDES_CHALLENGE,
		.transaction_id = "HVvzN0228V+AW+dUuDe8OPyDXD0=",
		.digest = EVP_sha1(),
		.recipients = ra };
	struct fixture *f = *state;
	struct buffer sample, wanted, shape;
	struct device_message m;
	struct web_reply reply;
	char path[FILE_PATH_SIZE];

	use(f, &as_seen, NULL);
	sk_X509_push(ra, device_ra(f->ndes.ca_certs, KU_KEY_ENCIPHERMENT));
	assert_true(device_message_make(&f->device, &order, &m));
	assert_true(device_post(f->ndes.server.url, &m, &reply));
	assert_true(file_read(path_in_source(path, SAMPLE), &sample));
	draw_all(&wanted, &sample);
	draw_all(&shape, &reply.body);
	assert_string_equal((char *)shape.data, (char *)wanted.data);
	buffer_free(&shape);
	buffer_free(&wanted);
	buffer_free(&sample);
	web_reply_clear(&reply);
	device_message_clear(&m);
	sk_X509_free(ra);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_setting_changes_what_it_says),
		cmocka_unit_test(a_failure_in_rfc8894_says_why),
		cmocka_unit_test(
		    a_message_that_cannot_be_opened_gets_a_cert_rep_in_rfc8894),
		cmocka_unit_test(a_success_has_the_shape_of_a_real_one),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
