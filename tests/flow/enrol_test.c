/* Enrolment as a device sees it, with OpenSSL's CMS on the other side. */
#include "support/test.h"

#include <openssl/objects.h>
#include <openssl/provider.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "support/device.h"
#include "support/server.h"
#include "support/tcp.h"

static struct device device;

struct fixture {
	struct server server;
	STACK_OF(X509) * ca_certs;
	STACK_OF(X509) * encryption_ra; /* a recipient list: borrowed */
};

static int
make_device(void **state)
{
	(void)state;
	web_start();
	return device_make(&device) ? 0 : -1;
}

static int
clear_device(void **state)
{
	(void)state;
	device_clear(&device);
	return 0;
}

static void
set_up(struct fixture *f, const struct server_options *options)
{
	X509 *ra;

	server_start(&f->server, options);
	f->ca_certs = device_ca_certs(f->server.url);
	assert_int_equal(sk_X509_num(f->ca_certs), 3);
	ra = device_ra(f->ca_certs, KU_KEY_ENCIPHERMENT);
	assert_non_null(ra);
	f->encryption_ra = sk_X509_new_null();
	sk_X509_push(f->encryption_ra, ra);
}

static void
tear_down(struct fixture *f)
{
	sk_X509_free(f->encryption_ra);
	device_ca_certs_free(f->ca_certs);
	server_stop(&f->server);
}

/* Sends an order by POST and reads a sound CertRep. */
static void
post(struct fixture *f, const struct device_order *order,
    struct device_answer *answer)
{
	struct device_message m;
	struct web_reply reply;

	assert_true(device_message_make(&device, order, &m));
	assert_true(device_post(f->server.url, &m, &reply));
	assert_int_equal(reply.status, 200);
	assert_string_equal(reply.content_type, "application/x-pki-message");
	if (!device_answer_read(&device, &m, f->ca_certs,
		buffer_span(&reply.body), answer))
		fail_msg("CertRep: %s", answer->why);
	web_reply_clear(&reply);
	device_message_clear(&m);
}

static void
assert_issued(struct fixture *f, struct device_answer *answer)
{
	assert_int_equal(answer->pki_status, 0);
	assert_int_equal(answer->fail_info, -1);
	assert_non_null(answer->certificate);
	assert_string_equal(device_judge(&device, f->ca_certs,
				answer->certificate),
	    "");
}

static void
get_password(struct fixture *f, char out[DEVICE_PASSWORD_SIZE])
{
	assert_true(device_password(f->server.admin, out));
}

static void
a_password_from_the_admin_page_enrols_by_post(void **state)
{
	char password[DEVICE_PASSWORD_SIZE];
	struct device_answer answer;
	struct fixture f;

	(void)state;
	set_up(&f, NULL);
	get_password(&f, password);
	assert_int_equal(strlen(password), 16);
	post(&f,
	    &(struct device_order){ .challenge = password,
		.recipients = f.encryption_ra },
	    &answer);
	assert_issued(&f, &answer);
	device_answer_clear(&answer);
	tear_down(&f);
}

/* HEAD is safe (RFC 9110 9.2.1): it gets no certificate, and costs nothing. */
static void
a_head_spends_no_password(void **state)
{
	char password[DEVICE_PASSWORD_SIZE], *base64, *request;
	struct device_message m;
	struct device_answer answer;
	struct answer head;
	struct fixture f;
	int fd;

	(void)state;
	set_up(&f, NULL);
	get_password(&f, password);
	assert_true(device_message_make(&device,
	    &(struct device_order){ .challenge = password,
		.recipients = f.encryption_ra },
	    &m));
	base64 = calloc(1, m.der.len * 4 / 3 + 8);
	EVP_EncodeBlock((unsigned char *)base64, m.der.data, (int)m.der.len);
	for (char *at = base64; *at != '\0'; at++)
		*at = *at == '+' ? '-' : *at == '/' ? '_' : *at;
	assert_true(asprintf(&request,
			"HEAD " SERVER_SCEP_PATH
			"?operation=PKIOperation&message=%s HTTP/1.1\r\n"
			"Host: x\r\n\r\n",
			base64) > 0);
	fd = tcp_connect(f.server.url);
	assert_true(tcp_send_text(fd, request));
	assert_true(answer_read(fd, false, &head));
	assert_int_equal(head.status, 200);
	post(&f,
	    &(struct device_order){ .challenge = password,
		.recipients = f.encryption_ra },
	    &answer);
	assert_issued(&f, &answer);
	close(fd);
	free(base64);
	free(request);
	answer_clear(&head);
	device_answer_clear(&answer);
	device_message_clear(&m);
	tear_down(&f);
}

static void
get_enrols(struct fixture *f, const char *escaped)
{
	const struct device_order order = { .challenge = "lasting",
		.recipients = f->encryption_ra };
	struct device_message m;
	struct device_answer answer;
	struct web_reply reply;

	assert_true(device_message_make(&device, &order, &m));
	assert_true(device_get(f->server.url, &m, escaped, &reply));
	assert_int_equal(reply.status, 200);
	assert_string_equal(reply.content_type, "application/x-pki-message");
	if (!device_answer_read(&device, &m, f->ca_certs,
		buffer_span(&reply.body), &answer))
		fail_msg("escaped \"%s\": %s", escaped, answer.why);
	assert_issued(f, &answer);
	device_answer_clear(&answer);
	web_reply_clear(&reply);
	device_message_clear(&m);
}

static void
a_get_enrols_however_its_base64_is_escaped(void **state)
{
	static const char *const escaped[] = { "+/=", "+=", "" };
	struct fixture f;

	(void)state;
	set_up(&f, &(struct server_options){ .challenge = "lasting" });
	for (size_t i = 0; i < COUNT_OF(escaped); i++)
		get_enrols(&f, escaped[i]);
	tear_down(&f);
}

static void
the_reply_uses_the_algorithms_of_the_request(void **state)
{
	static const struct {
		const char *digest, *cipher;
		int reply_digest, reply_cipher;
	} rows[] = {
		{ "SHA1", "DES-EDE3-CBC", NID_sha1, NID_des_ede3_cbc },
		{ "SHA256", "AES-128-CBC", NID_sha256, NID_aes_128_cbc },
		{ "SHA512", "AES-256-CBC", NID_sha512, NID_aes_256_cbc },
		{ "MD5", "DES-EDE3-CBC", NID_sha1, NID_des_ede3_cbc },
		{ "MD5", "DES-CBC", NID_sha1, NID_des_ede3_cbc },
	};
	OSSL_PROVIDER *usual = OSSL_PROVIDER_load(NULL, "default");
	OSSL_PROVIDER *legacy = OSSL_PROVIDER_load(NULL, "legacy");
	struct device_answer answer;
	struct fixture f;

	(void)state;
	assert_non_null(legacy);
	set_up(&f, &(struct server_options){ .challenge = "lasting" });
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		post(&f,
		    &(struct device_order){ .challenge = "lasting",
			.digest = EVP_get_digestbyname(rows[i].digest),
			.cipher = EVP_get_cipherbyname(rows[i].cipher),
			.recipients = f.encryption_ra },
		    &answer);
		assert_issued(&f, &answer);
		assert_int_equal(answer.digest, rows[i].reply_digest);
		assert_int_equal(answer.cipher, rows[i].reply_cipher);
		device_answer_clear(&answer);
	}
	tear_down(&f);
	OSSL_PROVIDER_unload(legacy);
	OSSL_PROVIDER_unload(usual);
}

enum kind { WRONG, USED, EXPIRED, MISSING, EMPTY };

#define E_INVALIDARG (-2147024809L)
#define E_NOT_FOUND (-2147023728L)
#define E_WRONG_USAGE (-2146762480L)
#define E_TRUST_SIGNATURE (-2146869244L)

/* ndes-facts 3.5 */
static const struct row {
	const char *row, *windows;
	enum kind challenge;
	int fail_info;
	long ms_error;
} refusals[] = {
	{ "wrong", "2022", WRONG, 2, E_NOT_FOUND },
	{ "used", "2022", USED, 1, E_WRONG_USAGE },
	{ "expired", "2022", EXPIRED, 2, E_NOT_FOUND },
	{ "missing", "2022", MISSING, 2, E_TRUST_SIGNATURE },
	{ "empty", "2022", EMPTY, 2, E_TRUST_SIGNATURE },
	{ "used", "2012r2", USED, 1, E_WRONG_USAGE },
	{ "wrong", "2012", WRONG, 2, E_INVALIDARG },
	{ "used", "2012", USED, 2, E_INVALIDARG },
	{ "expired", "2008r2", EXPIRED, 2, E_INVALIDARG },
	{ "missing", "2008r2", MISSING, 2, E_INVALIDARG },
};

/* What to send; NULL: nothing. */
static const char *
prepare(struct fixture *f, enum kind what, char password[DEVICE_PASSWORD_SIZE])
{
	struct device_answer answer;

	get_password(f, password);
	switch (what) {
	case WRONG:
		return "0123456789ABCDEF";
	case USED:
		post(f,
		    &(struct device_order){ .challenge = password,
			.recipients = f->encryption_ra },
		    &answer);
		assert_issued(f, &answer);
		device_answer_clear(&answer);
		return password;
	case EXPIRED:
		server_advance_clock(&f->server, 61 * 60L);
		return password;
	case MISSING:
		return NULL;
	case EMPTY:
		return "";
	}
	return NULL;
}

static void
is_refused(const struct row *r)
{
	char set[64], password[DEVICE_PASSWORD_SIZE];
	const char *const sets[] = { set, NULL };
	struct device_order order = { 0 };
	struct device_answer answer;
	struct fixture f;

	snprintf(set, sizeof(set), "server.windows=%s", r->windows);
	set_up(&f, &(struct server_options){ .set = sets });
	order.recipients = f.encryption_ra;
	order.challenge = prepare(&f, r->challenge, password);
	post(&f, &order, &answer);
	if (answer.pki_status != 2 || answer.fail_info != r->fail_info ||
	    answer.ms_error != r->ms_error || answer.certificate != NULL)
		fail_msg("%s on %s: pkiStatus %d failInfo %d error %ld", r->row,
		    r->windows, answer.pki_status, answer.fail_info,
		    answer.ms_error);
	device_answer_clear(&answer);
	tear_down(&f);
}

static void
a_challenge_that_is_not_good_is_refused_as_that_windows_does(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(refusals); i++)
		is_refused(&refusals[i]);
}

static void
a_password_is_good_until_its_hour_is_over(void **state)
{
	char password[DEVICE_PASSWORD_SIZE];
	struct device_answer answer;
	struct fixture f;

	(void)state;
	set_up(&f, NULL);
	get_password(&f, password);
	server_advance_clock(&f.server, 59 * 60L);
	post(&f,
	    &(struct device_order){ .challenge = password,
		.recipients = f.encryption_ra },
	    &answer);
	assert_int_equal(answer.pki_status, 0);
	device_answer_clear(&answer);
	tear_down(&f);
}

/* Sends an order whose bytes are spoiled on the way. */
static void
post_spoiled(struct fixture *f, const struct device_order *order,
    struct device_answer *answer)
{
	struct device_message m;
	struct web_reply reply;

	assert_true(device_message_make(&device, order, &m));
	/* The signature of the message is the last thing in it. */
	m.der.data[m.der.len - 1] ^= 1;
	assert_true(device_post(f->server.url, &m, &reply));
	if (!device_answer_read(&device, &m, f->ca_certs,
		buffer_span(&reply.body), answer))
		fail_msg("CertRep: %s", answer->why);
	web_reply_clear(&reply);
	device_message_clear(&m);
}

/* What is refused before the password is looked at leaves it alone. */
static void
a_request_with_a_wrong_signature_spends_nothing(void **state)
{
	char password[DEVICE_PASSWORD_SIZE];
	struct device_answer answer;
	struct device_order order = { .challenge = password,
		.spoil_proof = true };
	struct fixture f;

	(void)state;
	set_up(&f, NULL);
	get_password(&f, password);
	order.recipients = f.encryption_ra;
	post(&f, &order, &answer);
	assert_int_equal(answer.pki_status, 2);
	assert_int_equal(answer.fail_info, 2);
	order.spoil_proof = false;
	post_spoiled(&f, &order, &answer);
	assert_int_equal(answer.pki_status, 2);
	assert_int_equal(answer.fail_info, 1);
	post(&f, &order, &answer);
	assert_issued(&f, &answer);
	device_answer_clear(&answer);
	post(&f, &order, &answer);
	assert_int_equal(answer.pki_status, 2);
	tear_down(&f);
}

static void
a_chunked_post_enrols(void **state)
{
	static const char *const headers[] = { "Transfer-Encoding: chunked",
		NULL };
	struct device_order order = { .challenge = "lasting" };
	struct web_request request = { .headers = headers };
	struct device_answer answer;
	struct device_message m;
	struct web_reply reply;
	char url[SERVER_URL_SIZE];
	struct fixture f;

	(void)state;
	set_up(&f, &(struct server_options){ .challenge = "lasting" });
	order.recipients = f.encryption_ra;
	assert_true(device_message_make(&device, &order, &m));
	request.url = server_url(url, f.server.base, "operation=PKIOperation");
	request.body = m.der.data;
	request.length = m.der.len;
	assert_true(web_ask(&request, &reply));
	assert_true(device_answer_read(&device, &m, f.ca_certs,
	    buffer_span(&reply.body), &answer));
	assert_issued(&f, &answer);
	device_answer_clear(&answer);
	web_reply_clear(&reply);
	device_message_clear(&m);
	tear_down(&f);
}

static void
a_lasting_challenge_enrols_again_and_again(void **state)
{
	struct device_answer answer;
	ASN1_INTEGER *serials[3];
	struct fixture f;

	(void)state;
	set_up(&f, &(struct server_options){ .challenge = "p\xc3\xa4ss word" });
	for (size_t i = 0; i < COUNT_OF(serials); i++) {
		if (!device_enrol(&device, f.server.url, "p\xc3\xa4ss word",
			f.ca_certs, &answer) ||
		    answer.certificate == NULL)
			fail_msg("enrolment %zu: %s", i, answer.why);
		serials[i] = ASN1_INTEGER_dup(
		    X509_get_serialNumber(answer.certificate));
		for (size_t j = 0; j < i; j++)
			assert_int_not_equal(ASN1_INTEGER_cmp(serials[i],
						 serials[j]),
			    0);
		device_answer_clear(&answer);
	}
	for (size_t i = 0; i < COUNT_OF(serials); i++)
		ASN1_INTEGER_free(serials[i]);
	tear_down(&f);
}

/* 512 bits: RSAES-OAEP has no room in it for a key of AES-256. */
static void
a_key_too_small_for_the_envelope_gets_failure(void **state)
{
	static const char *const set[] = { "server.ca.minimum_key_size=512",
		"server.mscep.reply.key_transport=oaep",
		"server.mscep.reply.cipher=aes-256-cbc", NULL };
	struct device small, usual = device;
	struct device_answer answer;
	struct fixture f;

	(void)state;
	set_up(&f, &(struct server_options){ .challenge = "x", .set = set });
	assert_true(device_make(&small));
	EVP_PKEY_free(small.key);
	assert_non_null(small.key = EVP_RSA_gen(512));
	assert_true(X509_set_pubkey(small.signer, small.key));
	assert_true(X509_sign(small.signer, small.key, EVP_sha256()) > 0);
	device = small;
	post(&f,
	    &(struct device_order){ .challenge = "x",
		.recipients = f.encryption_ra },
	    &answer);
	device = usual;
	assert_int_equal(answer.pki_status, 2);
	device_answer_clear(&answer);
	device_clear(&small);
	tear_down(&f);
}

/* micromdm's scepclient encrypts to everybody in GetCACert. */
static void
several_recipients_are_fine_with_the_ca_first(void **state)
{
	STACK_OF(X509) *all = sk_X509_new_null();
	struct device_answer answer;
	struct fixture f;
	X509 *ca;

	(void)state;
	set_up(&f, &(struct server_options){ .challenge = "lasting" });
	ca = device_ca(f.ca_certs);
	sk_X509_push(all, ca);
	for (int i = 0; i < sk_X509_num(f.ca_certs); i++)
		if (sk_X509_value(f.ca_certs, i) != ca)
			sk_X509_push(all, sk_X509_value(f.ca_certs, i));
	post(&f,
	    &(struct device_order){ .challenge = "lasting", .recipients = all },
	    &answer);
	assert_issued(&f, &answer);
	device_answer_clear(&answer);
	sk_X509_free(all);
	tear_down(&f);
}

static void
a_message_for_the_ca_alone_gets_the_general_page(void **state)
{
	STACK_OF(X509) *ca = sk_X509_new_null();
	struct device_order order = { .challenge = "lasting" };
	struct device_message m;
	struct web_reply reply;
	struct buffer text;
	struct fixture f;

	(void)state;
	set_up(&f, &(struct server_options){ .challenge = "lasting" });
	sk_X509_push(ca, device_ca(f.ca_certs));
	order.recipients = ca;
	assert_true(device_message_make(&device, &order, &m));
	assert_true(device_post(f.server.url, &m, &reply));
	assert_int_equal(reply.status, 200);
	assert_string_equal(reply.content_type, "text/html");
	assert_true(web_page_text(&reply, &text));
	assert_non_null(strstr((char *)text.data, "obtain certificates"));
	buffer_free(&text);
	web_reply_clear(&reply);
	device_message_clear(&m);
	sk_X509_free(ca);
	tear_down(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_password_from_the_admin_page_enrols_by_post),
		cmocka_unit_test(a_get_enrols_however_its_base64_is_escaped),
		cmocka_unit_test(a_head_spends_no_password),
		cmocka_unit_test(the_reply_uses_the_algorithms_of_the_request),
		cmocka_unit_test(
		    a_challenge_that_is_not_good_is_refused_as_that_windows_does),
		cmocka_unit_test(a_password_is_good_until_its_hour_is_over),
		cmocka_unit_test(
		    a_request_with_a_wrong_signature_spends_nothing),
		cmocka_unit_test(a_chunked_post_enrols),
		cmocka_unit_test(a_lasting_challenge_enrols_again_and_again),
		cmocka_unit_test(a_key_too_small_for_the_envelope_gets_failure),
		cmocka_unit_test(several_recipients_are_fine_with_the_ca_first),
		cmocka_unit_test(
		    a_message_for_the_ca_alone_gets_the_general_page),
	};

	return cmocka_run_group_tests(tests, make_device, clear_device);
}
