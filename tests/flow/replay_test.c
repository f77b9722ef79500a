/*
 * What real clients sent, kept in tests/fixtures/recorded (its README says
 * how): whole, cut at every octet, and with every octet damaged in two ways;
 * then every 16th of these through HTTP.
 */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/key_set.h"
#include "scep/scep.h"
#include "serve.h"
#include "support/files.h"
#include "support/server.h"
#include "support/tcp.h"
#include "support/web.h"

#define RECORDED "tests/fixtures/recorded/"
#define KEYS RECORDED "keys/"
#define SECRET "secret"
#define HTTP_STRIDE 16

static const struct row {
	const char *name;
	enum digest digest;
	enum cipher cipher;
	bool ber;
	const char *subject, *transaction_id;
	bool get; /* NAME-get.txt is how it came */
} rows[] = {
	{ "certmonger", DIGEST_SHA256, CIPHER_DES3, false, "CN=certmonger-1",
	    "206777872755649239696297580819520624181758196093633188143501307"
	    "00393764100558",
	    true },
	{ "strongswan", DIGEST_SHA256, CIPHER_DES3, false, "CN=strongswan-1",
	    "ABEB27F4A557EA87743D1B488581350549B22ED0", false },
	{ "scepclient", DIGEST_SHA1, CIPHER_DES, false,
	    "C=US, O=scep-client, OU=MDM, CN=scepclient-1",
	    "hNedRe1b/WMmtQ8W9ADvORrkcWw=", false },
	{ "ios-like", DIGEST_SHA512, CIPHER_DES3, true, "CN=ios-like",
	    "0123456789ABCDEF0123456789ABCDEF", false },
	{ "sscep-like", DIGEST_MD5, CIPHER_DES, false, "CN=sscep-like",
	    "0123456789ABCDEF0123456789ABCDEF", true },
};

static struct fixture {
	struct server server; /* whose RA the messages are for */
	struct buffer messages[COUNT_OF(rows)], gets[COUNT_OF(rows)];
} fixture;

static void
must(int ret, const struct error *err)
{
	char text[256];

	if (ret == -1)
		fail_msg("%s", error_print(err, text, sizeof(text)));
}

static void
read_recorded(const char *name, const char *ending, struct buffer *out)
{
	char file[80], path[FILE_PATH_SIZE];

	snprintf(file, sizeof(file), "%s%s", name, ending);
	if (!file_read(path_in_source(path, file), out))
		fail_msg("%s: is missing", path);
}

/* By hand: key_set_load() refuses certificates once they have expired. */
static struct key_set *
load_keys(struct crypto *crypto)
{
	static const char *const names[CA_ROLES] = {
		[CA_ISSUING] = KEYS "ca",
		[CA_RA_SIGNING] = KEYS "ra-signing",
		[CA_RA_ENCRYPTION] = KEYS "ra-encryption",
	};
	struct key_set *set = key_set_new(crypto);
	struct error err = { 0 };
	struct buffer pem;

	assert_non_null(set);
	for (int role = 0; role < CA_ROLES; role++) {
		read_recorded(names[role], ".key", &pem);
		must(crypto_key_from_pem(crypto, buffer_span(&pem), names[role],
			 &set->keys[role], &err),
		    &err);
		buffer_free(&pem);
		read_recorded(names[role], ".pem", &pem);
		must(x509_from_pem(buffer_span(&pem), names[role],
			 &set->certs[role], &err),
		    &err);
		buffer_free(&pem);
	}
	return set;
}

/* As server_start() does it, but with the keys of the recordings. */
static void
start_server(struct server *s)
{
	const struct http_options http = { 0 };
	struct sites_options sites = { .challenge = SECRET };
	struct scenario *scenario;
	struct site *site;
	struct errors errors = { 0 };
	struct error err = { 0 };

	must(crypto_new(&s->crypto, &err), &err);
	s->keys = load_keys(s->crypto);
	sites.crypto = s->crypto;
	sites.keys = s->keys;
	must(sites_new(&s->sites, &sites, &err), &err);
	must(scenario_find("healthy", NULL, &scenario, &errors),
	    &errors.list[0]);
	if (site_make(s->sites, SITE_DEFAULT, scenario, &site, &err) != SITE_OK)
		must(-1, &err);
	site_unref(site);
	scenario_free(scenario);
	assert_non_null(s->door = calloc(1, sizeof(*s->door)));
	s->door->sites = s->sites;
	must(http_start(&s->http, &http, &err), &err);
	assert_int_equal(server_listen(s, "127.0.0.1:0", s->base), 0);
	must(http_accept(s->http, &err), &err);
}

/*
 * A copy of exactly this size is decoded, so that ASan sees a read too many.
 * The caller frees *out.
 */
static enum scep_flaw
decode(const struct fixture *f, struct span message, struct scep_request **out,
    struct error *err)
{
	const struct key_set *keys = f->server.keys;
	const struct blob *der = &keys->certs[CA_RA_ENCRYPTION];
	struct scep_recipient us = { f->server.crypto,
		keys->keys[CA_RA_ENCRYPTION], NULL, NULL };
	struct x509 cert;
	enum scep_flaw flaw;
	uint8_t *copy = malloc(message.len == 0 ? 1 : message.len);

	assert_non_null(copy);
	memcpy(copy, message.data, message.len);
	assert_int_equal(x509_read(blob_span(der), &cert), 0);
	us.cert = &cert;
	*err = (struct error){ 0 };
	flaw = scep_request_decode(out, span_of(copy, message.len), &us, err);
	free(copy);
	return flaw;
}

static int
start(void **state)
{
	struct fixture *f = *state = &fixture;
	char path[80];

	web_start();
	start_server(&f->server);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		snprintf(path, sizeof(path), RECORDED "%s", rows[i].name);
		read_recorded(path, "-pkcsreq.der", &f->messages[i]);
		if (rows[i].get)
			read_recorded(path, "-get.txt", &f->gets[i]);
	}
	return 0;
}

static int
stop(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		buffer_free(&f->messages[i]);
		buffer_free(&f->gets[i]);
	}
	server_stop(&f->server);
	return 0;
}

static void
each_message_is_sound(void **state)
{
	const struct fixture *f = *state;

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct row *t = &rows[i];
		struct scep_request *r;
		struct error err;
		char subject[128];

		if (decode(f, buffer_span(&f->messages[i]), &r, &err) !=
		    SCEP_SOUND)
			fail_msg("%s: %s", t->name, err.text);
		assert_int_equal(r->type, SCEP_PKCS_REQ);
		assert_int_equal(r->digest, t->digest);
		assert_int_equal(r->cipher, t->cipher);
		assert_int_equal(r->ber, t->ber);
		assert_string_equal(r->transaction_id, t->transaction_id);
		assert_string_equal(r->csr.challenge, SECRET);
		assert_string_equal(x509_name_text(r->csr.subject, subject,
					sizeof(subject)),
		    t->subject);
		scep_request_free(r);
	}
}

static void
each_get_is_the_same_message(void **state)
{
	const struct fixture *f = *state;

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct blob message;

		if (!rows[i].get)
			continue;
		assert_int_equal(scep_get_message(buffer_span(&f->gets[i]),
				     &message),
		    0);
		assert_true(span_equal(blob_span(&message),
		    buffer_span(&f->messages[i])));
		blob_free(&message);
	}
}

static void
each_cut_message_is_flawed(void **state)
{
	const struct fixture *f = *state;

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		for (size_t len = 0; len < f->messages[i].len; len++) {
			struct scep_request *r;
			struct error err;

			if (decode(f, span_of(f->messages[i].data, len), &r,
				&err) == SCEP_SOUND ||
			    err.text[0] == '\0')
				fail_msg("%s cut to %zu: no flaw", rows[i].name,
				    len);
			scep_request_free(r);
		}
}

/* It is refused for a reason, or it says what the whole one says. */
static void
check_damaged(const struct fixture *f, struct span message,
    const struct scep_request *whole, const char *name, size_t at)
{
	struct scep_request *r;
	struct error err;
	enum scep_flaw flaw = decode(f, message, &r, &err);

	if (flaw > SCEP_BAD_PROOF ||
	    (flaw == SCEP_SOUND) != (err.text[0] == '\0'))
		fail_msg("%s: octet %zu: flaw %d: \"%s\"", name, at, flaw,
		    err.text);
	if (flaw == SCEP_SOUND &&
	    (r->type != whole->type ||
		strcmp(r->transaction_id, whole->transaction_id) != 0 ||
		!span_equal(r->sender_nonce, whole->sender_nonce) ||
		!span_equal(blob_span(&r->plain), blob_span(&whole->plain))))
		fail_msg("%s: octet %zu: what is signed is another", name, at);
	scep_request_free(r);
}

static void
each_damaged_octet_is_found_or_means_nothing(void **state)
{
	static const uint8_t damages[] = { 0xff, 0x01 };
	const struct fixture *f = *state;

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct span message = buffer_span(&f->messages[i]);
		uint8_t *copy = malloc(message.len);
		struct scep_request *whole;
		struct error err;

		assert_non_null(copy);
		assert_int_equal(decode(f, message, &whole, &err), SCEP_SOUND);
		memcpy(copy, message.data, message.len);
		for (size_t at = 0; at < 2 * message.len; at++) {
			copy[at / 2] ^= damages[at % 2];
			check_damaged(f, span_of(copy, message.len), whole,
			    rows[i].name, at / 2);
			copy[at / 2] ^= damages[at % 2];
		}
		scep_request_free(whole);
		free(copy);
	}
}

/* It is answered with 200 and one of two types; true: a CertRep. */
static bool
gets_reply(const struct web_request *request, const char *name)
{
	struct web_reply reply;
	bool is_one;

	assert_true(web_ask(request, &reply));
	is_one = strcmp(reply.content_type, "application/x-pki-message") == 0;
	if (reply.status != 200 ||
	    (!is_one && strcmp(reply.content_type, "text/html") != 0))
		fail_msg("%s: %ld %s", name, reply.status, reply.content_type);
	web_reply_clear(&reply);
	return is_one;
}

static bool
post_gets_reply(const struct fixture *f, struct span message, const char *name)
{
	char url[SERVER_URL_SIZE];
	const struct web_request request = {
		.url = server_url(url, f->server.base,
		    "operation=PKIOperation"),
		.body = message.data,
		.length = message.len,
	};

	return gets_reply(&request, name);
}

static bool
get_gets_reply(const struct fixture *f, struct span text, const char *name)
{
	struct buffer url = { 0 };
	struct web_request request = { 0 };
	bool is_one;

	buffer_printf(&url,
	    "%s" SERVER_SCEP_PATH "?operation=PKIOperation&message=%.*s",
	    f->server.base, (int)text.len, (const char *)text.data);
	buffer_add_byte(&url, 0);
	request.url = (char *)url.data;
	is_one = gets_reply(&request, name);
	buffer_free(&url);
	return is_one;
}

static void
each_post_is_answered_with_200(void **state)
{
	const struct fixture *f = *state;

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct span message = buffer_span(&f->messages[i]);
		uint8_t *copy = malloc(message.len);

		assert_non_null(copy);
		memcpy(copy, message.data, message.len);
		assert_true(post_gets_reply(f, message, rows[i].name));
		for (size_t at = 0; at < message.len; at += HTTP_STRIDE) {
			assert_false(post_gets_reply(f, span_of(copy, at),
			    rows[i].name));
			copy[at] ^= 0xff;
			post_gets_reply(f, span_of(copy, message.len),
			    rows[i].name);
			copy[at] ^= 0xff;
		}
		free(copy);
	}
	assert_true(tcp_is_served(f->server.base));
}

static void
each_get_is_answered_with_200(void **state)
{
	const struct fixture *f = *state;

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct span text = buffer_span(&f->gets[i]);

		if (!rows[i].get)
			continue;
		assert_true(get_gets_reply(f, text, rows[i].name));
		/* Some cuts fall into an escape; the last octets are padding. */
		for (size_t len = 0; len < text.len - HTTP_STRIDE;
		     len += HTTP_STRIDE)
			assert_false(get_gets_reply(f, span_of(text.data, len),
			    rows[i].name));
	}
	assert_true(tcp_is_served(f->server.base));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_message_is_sound),
		cmocka_unit_test(each_get_is_the_same_message),
		cmocka_unit_test(each_cut_message_is_flawed),
		cmocka_unit_test(each_damaged_octet_is_found_or_means_nothing),
		cmocka_unit_test(each_post_is_answered_with_200),
		cmocka_unit_test(each_get_is_answered_with_200),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
