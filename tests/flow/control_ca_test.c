/* Passwords, requests that wait, certificates and CRLs, judged by OpenSSL. */
#include "support/test.h"

#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/child.h"
#include "support/control.h"
#include "support/device.h"
#include "support/files.h"
#include "support/ndes.h"
#include "support/openssl.h"

#define SITE "/v1/sites/ca"

static struct fixture {
	struct controlled c;
	struct device device;
	char dir[FILE_PATH_SIZE];
	/* Of the test's site. */
	json_t *site;
	const char *url;
	STACK_OF(X509) * cas;
} fixture;

static int
start(void **state)
{
	struct fixture *f = *state = &fixture;

	web_start();
	dir_make(f->dir);
	controlled_start(&f->c, NULL);
	return device_make(&f->device) ? 0 : -1;
}

static int
stop(void **state)
{
	struct fixture *f = *state;

	controlled_stop(&f->c);
	device_clear(&f->device);
	dir_remove(f->dir);
	return 0;
}

static void
open_site(struct fixture *f, const char *set)
{
	char body[512];

	snprintf(body, sizeof(body), "{\"id\": \"ca\", \"set\": %s}", set);
	f->site = control_do(&f->c, 201, "POST", body, "/v1/sites");
	f->url = json_at(f->site, "url");
	f->cas = device_ca_certs(f->url);
	assert_non_null(f->cas);
}

static void
delete_site(struct fixture *f)
{
	control_do(&f->c, 204, "DELETE", NULL, SITE);
	device_ca_certs_free(f->cas);
	json_decref(f->site);
}

/* A password of the control API; the caller frees the answer. */
static json_t *
challenge(const struct fixture *f, const char *body)
{
	return control_do(&f->c, 200, "POST", body, SITE "/challenge");
}

static X509 *
enrol(const struct fixture *f)
{
	json_t *json = challenge(f, NULL);
	struct device_answer a;

	if (!device_enrol(&f->device, f->url, json_at(json, "password"), f->cas,
		&a))
		fail_msg("pkiStatus %d: %s", a.pki_status, a.why);
	json_decref(json);
	return a.certificate;
}

/* What is served there as PEM goes to a file. */
static const char *
save(const struct fixture *f, const char *what, const char *name,
    char path[FILE_PATH_SIZE])
{
	char full[CONTROL_URL_SIZE];
	const struct saying saying = { .method = "GET", .path = full };
	struct said said;

	snprintf(full, sizeof(full), SITE "/%s", what);
	assert_true(control_try(&f->c, &saying, &said));
	assert_int_equal(said.status, 200);
	assert_string_equal(said.content_type, "application/x-pem-file");
	file_write(path_in(path, f->dir, name), said.http.body.data,
	    said.http.body.len);
	said_clear(&said);
	return path;
}

static void
passwords_are_good_once_and_as_long_as_asked_for(void **state)
{
	static const struct {
		const char *body;
		size_t size;
	} rows[] = { { NULL, 16 }, { "{}", 16 }, { "{\"size\": 8}", 8 },
		{ "{\"size\": 2048}", 2048 }, { "{\"size\": 8192}", 8192 } };
	struct fixture *f = *state;
	struct device_answer a;
	json_t *json;

	open_site(f, "{}");
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct device_order order = { 0 };

		json = challenge(f, rows[i].body);
		order.challenge = json_at(json, "password");
		assert_int_equal(strlen(order.challenge), rows[i].size);
		for (int times = 0; times < 2; times++) {
			assert_true(
			    device_ask(&f->device, f->url, &order, f->cas, &a));
			assert_int_equal(a.pki_status,
			    times == 0 ? NDES_SUCCESS : NDES_FAILURE);
			device_answer_clear(&a);
		}
		json_decref(json);
	}
	delete_site(f);
}

/* The cache of NDES's own page holds five. */
static void
passwords_are_not_bound_by_the_cache(void **state)
{
	struct fixture *f = *state;

	open_site(f, "{}");
	for (int i = 0; i < 50; i++)
		json_decref(challenge(f, NULL));
	delete_site(f);
}

static void
passwords_expire_by_the_clock_of_their_site(void **state)
{
	struct fixture *f = *state;
	struct device_order order = { 0 };
	struct device_answer a;
	json_t *json;

	open_site(f, "{}");
	json = challenge(f, NULL);
	order.challenge = json_at(json, "password");
	json_decref(control_do(&f->c, 200, "POST", "{\"advance\": \"61m\"}",
	    SITE "/clock"));
	assert_true(
	    strcmp(json_at(json, "expires"), json_at(f->site, "now")) > 0);
	assert_true(device_ask(&f->device, f->url, &order, f->cas, &a));
	assert_int_equal(a.pki_status, NDES_FAILURE);
	device_answer_clear(&a);
	json_decref(json);
	delete_site(f);
}

static void
where_none_is_wanted_there_is_none(void **state)
{
	struct fixture *f = *state;
	json_t *json;

	open_site(f, "{\"mscep.challenge.mode\": \"none\"}");
	json = control_do(&f->c, 409, "POST", NULL, SITE "/challenge");
	assert_string_equal(json_at(json, "error.code"), "challenge_refused");
	json_decref(json);
	delete_site(f);
}

static void
the_chain_is_what_verifies(void **state)
{
	static const char *const tiers[] = { "{\"ca.tiers\": 1}",
		"{\"ca.tiers\": 3}", "{\"ca\": {\"key\": \"ec-p256\"}}" };
	char ca[FILE_PATH_SIZE], cert[FILE_PATH_SIZE], what[256];
	struct fixture *f = *state;
	json_t *json;

	for (size_t i = 0; i < COUNT_OF(tiers); i++) {
		open_site(f, tiers[i]);
		X509_free(enrol(f));
		json = control_do(&f->c, 200, "GET", NULL,
		    SITE "/certificates");
		snprintf(what, sizeof(what), "certificates/%s.pem",
		    json_at(json, "certificates.0.serial"));
		free(OPENSSL("verify", "-CAfile", save(f, "ca.pem", "ca", ca),
		    save(f, what, "cert", cert)));
		json_decref(json);
		delete_site(f);
	}
}

static void
certificates_are_listed_as_they_are(void **state)
{
	char path[FILE_PATH_SIZE], serial[OPENSSL_SERIAL_SIZE], what[256];
	struct fixture *f = *state;
	X509 *issued;
	json_t *json;
	FILE *file;
	X509 *read;

	open_site(f, "{}");
	json = control_do(&f->c, 200, "GET", NULL, SITE "/certificates");
	assert_int_equal(json_array_size(json_object_get(json, "certificates")),
	    0);
	json_decref(json);
	issued = enrol(f);
	json = control_do(&f->c, 200, "GET", NULL, SITE "/certificates");
	snprintf(what, sizeof(what), "certificates/%s.pem",
	    json_at(json, "certificates.0.serial"));
	save(f, what, "cert", path);
	openssl_serial(path, serial);
	assert_string_equal(json_at(json, "certificates.0.serial"), serial);
	assert_string_equal(json_at(json, "certificates.0.subject"),
	    "CN=" DEVICE_SUBJECT);
	assert_non_null(file = fopen(path, "r"));
	assert_non_null(read = PEM_read_X509(file, NULL, NULL, NULL));
	fclose(file);
	assert_int_equal(X509_cmp(read, issued), 0);
	X509_free(read);
	X509_free(issued);
	json_decref(json);
	/* Digits of either case. */
	for (char *at = what; *at != '.'; at++)
		*at = (char)(*at >= 'A' && *at <= 'F' ? *at + 32 : *at);
	save(f, what, "cert", path);
	delete_site(f);
}

/* One that `openssl ca` issued: its number has a zero before it in DER. */
static void
one_with_a_high_number_is_found(void **state)
{
	static const char serial[] = "8F00000000000000000000000000000000000A";
	static const char *const written[] = { serial,
		"8f00000000000000000000000000000000000a",
		"008F00000000000000000000000000000000000A" };
	static const char script[] =
	    "cd \"$0\" && echo \"$1\" >serial && openssl req -new -subj /CN=x "
	    "-key private/ra-signing.key -out q && openssl ca -config "
	    "openssl.cnf -batch -in q -out c";
	struct mockndes_options options = MOCKNDES_OPTIONS_INIT;
	char dir[FILE_PATH_SIZE];
	const char *const words[] = { "sh", "-c", script, dir, serial, NULL };
	struct fixture *f = *state;
	struct controlled c;
	struct child_result r;
	json_t *json;

	options.state_dir = path_in(dir, f->dir, "state");
	controlled_start(&c, &options);
	controlled_stop(&c);
	child_run(words, NULL, &r);
	if (r.status != 0)
		fail_msg("%s", (char *)r.err.data);
	controlled_start(&c, &options);
	json = control_do(&c, 200, "GET", NULL,
	    "/v1/sites/default/certificates");
	assert_string_equal(json_at(json, "certificates.0.serial"), serial);
	json_decref(json);
	for (size_t i = 0; i < COUNT_OF(written); i++)
		control_do(&c, 200, "GET", NULL,
		    "/v1/sites/default/certificates/%s.pem", written[i]);
	controlled_stop(&c);
	buffer_free(&r.out);
	buffer_free(&r.err);
}

static void
revoked_ones_are_on_the_crl(void **state)
{
	static const struct {
		const char *body, *reason, *text;
		int again;
	} rows[] = {
		{ NULL, "unspecified", NULL, 409 },
		{ "{\"reason\": \"keyCompromise\"}", "keyCompromise",
		    "Key Compromise", 409 },
		{ "{\"reason\": \"certificateHold\"}", "certificateHold",
		    "Certificate Hold", 200 },
	};
	char ca[FILE_PATH_SIZE], crl[FILE_PATH_SIZE];
	struct fixture *f = *state;
	char *text, serial[64], at[64];
	json_t *json;

	open_site(f, "{\"mscep.repeat\": \"new\"}");
	save(f, "ca.pem", "ca", ca);
	free(OPENSSL("crl", "-in", save(f, "crl.pem", "crl", crl), "-CAfile",
	    ca, "-noout"));
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		X509_free(enrol(f));
		json = control_do(&f->c, 200, "GET", NULL,
		    SITE "/certificates");
		snprintf(at, sizeof(at), "certificates.%zu.serial", i);
		snprintf(serial, sizeof(serial), "%s", json_at(json, at));
		json_decref(json);
		json = control_do(&f->c, 200, "POST", rows[i].body,
		    SITE "/certificates/%s/revoke", serial);
		assert_string_equal(json_at(json, "serial"), serial);
		assert_string_equal(json_at(json, "reason"), rows[i].reason);
		assert_non_null(json_at(json, "revoked_at"));
		json_decref(json);
		text = OPENSSL("crl", "-in", save(f, "crl.pem", "crl", crl),
		    "-CAfile", ca, "-text");
		assert_non_null(strstr(text, serial));
		assert_true(
		    rows[i].text == NULL || strstr(text, rows[i].text) != NULL);
		free(text);
		json = control_do(&f->c, rows[i].again, "POST", NULL,
		    SITE "/certificates/%s/revoke", serial);
		if (rows[i].again == 409)
			assert_string_equal(json_at(json, "error.code"),
			    "certificate_revoked");
		json_decref(json);
	}
	delete_site(f);
}

static void
requests_wait_for_a_decision(void **state)
{
	static const struct {
		const char *id, *path, *verb, *state;
		int status;
	} rows[] = {
		{ "plain", "plain", "approve", "approved", NDES_SUCCESS },
		{ "a/b+c=", "a%2Fb+c=", "approve", "approved", NDES_SUCCESS },
		{ "denied", "denied", "deny", "denied", NDES_FAILURE },
	};
	struct fixture *f = *state;
	struct device_answer a;
	json_t *json;

	open_site(f,
	    "{\"ca.approval\": \"manual\", "
	    "\"mscep.challenge.mode\": \"none\"}");
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct device_order order = { .transaction_id = rows[i].id };
		char path[64];

		assert_true(device_ask(&f->device, f->url, &order, f->cas, &a));
		assert_int_equal(a.pki_status, NDES_PENDING);
		device_answer_clear(&a);
		json = control_do(&f->c, 200, "GET", NULL, SITE "/pending");
		snprintf(path, sizeof(path), "pending.%zu.transaction_id", i);
		assert_string_equal(json_at(json, path), rows[i].id);
		snprintf(path, sizeof(path), "pending.%zu.state", i);
		assert_string_equal(json_at(json, path), "waiting");
		snprintf(path, sizeof(path), "pending.%zu.subject", i);
		assert_string_equal(json_at(json, path), "CN=" DEVICE_SUBJECT);
		json_decref(json);
		json = control_do(&f->c, 200, "POST", NULL,
		    SITE "/pending/%s/%s", rows[i].path, rows[i].verb);
		assert_string_equal(json_at(json, "transaction_id"),
		    rows[i].id);
		assert_string_equal(json_at(json, "state"), rows[i].state);
		json_decref(json);
		/* Nobody can decide on it twice. */
		json_decref(control_do(&f->c, 404, "POST", NULL,
		    SITE "/pending/%s/approve", rows[i].path));
		order.type = DEVICE_CERT_POLL;
		assert_true(device_ask(&f->device, f->url, &order, f->cas, &a));
		assert_int_equal(a.pki_status, rows[i].status);
		device_answer_clear(&a);
	}
	delete_site(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    passwords_are_good_once_and_as_long_as_asked_for),
		cmocka_unit_test(passwords_are_not_bound_by_the_cache),
		cmocka_unit_test(passwords_expire_by_the_clock_of_their_site),
		cmocka_unit_test(where_none_is_wanted_there_is_none),
		cmocka_unit_test(the_chain_is_what_verifies),
		cmocka_unit_test(certificates_are_listed_as_they_are),
		cmocka_unit_test(one_with_a_high_number_is_found),
		cmocka_unit_test(revoked_ones_are_on_the_crl),
		cmocka_unit_test(requests_wait_for_a_decision),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
