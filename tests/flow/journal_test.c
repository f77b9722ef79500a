/* What the journal has of exchanges, held against what went over the wire. */
#include "support/test.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/ndes.h"
#include "support/tcp.h"

#define PATIENCE_MS 20000
#define LAST "Host: a\r\nConnection: close\r\n\r\n"
#define POST_TO(target) "POST " target "?operation=PKIOperation HTTP/1.1\r\n"
#define FAULTS "mockndes: 1\nname: test\nfaults:\n  - "

static struct fixture {
	struct ndes ndes;
	struct device device;
} fixture;

static int
start(void **state)
{
	struct fixture *f = *state = &fixture;

	web_start();
	ndes_start(&f->ndes, NULL);
	return device_make(&f->device) ? 0 : -1;
}

static int
stop(void **state)
{
	struct fixture *f = *state;

	device_clear(&f->device);
	ndes_stop(&f->ndes);
	return 0;
}

/* By its path; the caller gives it back. */
static struct site *
find_site(struct fixture *f, const char *id)
{
	struct error err = { 0 };
	struct site *site = NULL;

	assert_int_equal(site_get(f->ndes.server.sites, id, &site, &err),
	    SITE_OK);
	return site;
}

static struct journal_entry *
wait_for(struct fixture *f, const char *id, uint64_t since)
{
	struct site *site = find_site(f, id);
	struct journal_entry *e = journal_wait(site_journal(site), since, NULL,
	    PATIENCE_MS);

	site_unref(site);
	if (e == NULL)
		fail_msg("nothing new in the journal of %s", id);
	return e;
}

static uint64_t
last_of(struct fixture *f, const char *id)
{
	struct site *site = find_site(f, id);
	uint64_t last = journal_last(site_journal(site));

	site_unref(site);
	return last;
}

static void
must_be_octets(const char *row, const char *what, struct span got,
    struct span wanted)
{
	if (!span_equal(got, wanted))
		fail_msg("%s: the %s is not what was %s:\n%.*s", row, what,
		    strcmp(what, "reply") == 0 ? "received" : "sent",
		    (int)got.len, (const char *)got.data);
}

static const struct raw {
	const char *row;
	const char *edits; /* of a rule for all; NULL: none */
	const char *asked;
	const char *kept; /* NULL: the same */
	const char *operation;
	int status;
	const char *target;
} raws[] = {
	{ "an answer of mscep.dll", NULL,
	    "GET " SERVER_SCEP_PATH "?operation=GetCACaps HTTP/1.1\r\n"
	    "X-Odd: 1\r\nx-odd: 2\r\nEmpty: \r\n" LAST,
	    NULL, "GetCACaps", 200, SERVER_SCEP_PATH "?operation=GetCACaps" },
	{ "blanks behind a colon become one", NULL,
	    "GET /x HTTP/1.1\r\nA:b\r\nC:   d  \r\n" LAST,
	    "GET /x HTTP/1.1\r\nA: b\r\nC: d  \r\n" LAST, "other", 404, "/x" },
	{ "no answer to HEAD but a head", NULL,
	    "HEAD " SERVER_SCEP_PATH " HTTP/1.1\r\n" LAST, NULL, "browse", 403,
	    SERVER_SCEP_PATH },
	{ "a method that nobody knows", NULL,
	    "WHAT /certsrv/mscep_admin/ HTTP/1.1\r\n" LAST, NULL, "admin", 405,
	    "/certsrv/mscep_admin/" },
	{ "a body", NULL,
	    POST_TO(SERVER_SCEP_PATH) "Content-Length: 5\r\n" LAST "a\0b\r\n",
	    NULL, "PKIOperation", 200,
	    SERVER_SCEP_PATH "?operation=PKIOperation" },
	{ "a body in chunks", NULL,
	    POST_TO(SERVER_SCEP_PATH) "Transfer-Encoding: chunked\r\n" LAST
				      "2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n",
	    POST_TO(SERVER_SCEP_PATH) "Transfer-Encoding: chunked\r\n" LAST
				      "abcde",
	    "PKIOperation", 200, SERVER_SCEP_PATH "?operation=PKIOperation" },
	{ "a body that nobody wants", "http: {status: 503, as: http-sys}",
	    POST_TO("/certsrv/mscep/") "Content-Length: 5\r\n" LAST "abcde",
	    NULL, "PKIOperation", 503,
	    "/certsrv/mscep/?operation=PKIOperation" },
	{ "a body, and an answer octet by octet",
	    "wire: {drip: {octets: 90, every: 1ms}}",
	    POST_TO(SERVER_SCEP_PATH) "Content-Length: 5\r\n" LAST "abcde",
	    NULL, "PKIOperation", 200,
	    SERVER_SCEP_PATH "?operation=PKIOperation" },
	{ "an answer that was cut", "wire: {close: 77}",
	    "GET " SERVER_SCEP_PATH "?operation=GetCACert HTTP/1.1\r\n" LAST,
	    NULL, "GetCACert", 200, SERVER_SCEP_PATH "?operation=GetCACert" },
	{ "garbage before an answer", "wire: {garbage: \"xyz\\r\\n\"}",
	    "GET " SERVER_SCEP_PATH "?operation=GetCACert HTTP/1.1\r\n" LAST,
	    NULL, "GetCACert", 200, SERVER_SCEP_PATH "?operation=GetCACert" },
	{ "no answer at all", "wire: {close: before}",
	    "GET " SERVER_SCEP_PATH
	    "?operation=GetNextCACert HTTP/1.1\r\n" LAST,
	    NULL, "GetNextCACert", 0,
	    SERVER_SCEP_PATH "?operation=GetNextCACert" },
};

/* A body may have a NUL: its length is that of the head and of five octets. */
static struct span
asked_octets(const char *asked)
{
	const char *end = strstr(asked, "\r\n\r\n") + 4;

	return strstr(asked, "Content-Length: 5") == NULL ?
	    span_text(asked) :
	    span_of(asked, (size_t)(end - asked) + 5);
}

static void
ask(struct fixture *f, struct span asked, struct buffer *got)
{
	int fd = tcp_connect(f->ndes.server.base);

	assert_true(tcp_send(fd, asked.data, asked.len));
	*got = (struct buffer){ 0 };
	assert_int_equal(tcp_read_all(fd, got), TCP_CLOSED);
	close(fd);
}

static void
use_edits(struct fixture *f, const char *edits)
{
	char yaml[512];

	snprintf(yaml, sizeof(yaml), FAULTS "do: {%s}\n", edits);
	if (edits == NULL)
		server_use_scenario(&f->ndes.server, NULL);
	else
		server_use_yaml(&f->ndes.server, yaml);
}

static void
must_be_raw(const struct raw *t, const struct journal_entry *e,
    const struct buffer *got)
{
	const char *kept = t->kept == NULL ? t->asked : t->kept;

	must_be_octets(t->row, "request", e->request, asked_octets(kept));
	must_be_octets(t->row, "reply", e->reply, buffer_span(got));
	assert_false(e->request_cut);
	assert_false(e->reply_cut);
	assert_int_equal(e->sent, got->len);
	assert_int_equal(e->status, t->status);
	assert_string_equal(e->scep.operation, t->operation);
	assert_string_equal(e->target, t->target);
}

static void
keeps_what_went_over_the_wire(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT_OF(raws); i++) {
		const struct raw *t = &raws[i];
		uint64_t last = last_of(f, SITE_DEFAULT);
		struct journal_entry *e;
		struct buffer got;

		print_message("%s\n", t->row);
		use_edits(f, t->edits);
		ask(f, asked_octets(t->asked), &got);
		e = wait_for(f, SITE_DEFAULT, last);
		must_be_raw(t, e, &got);
		journal_entry_free(e);
		buffer_free(&got);
	}
	use_edits(f, NULL);
}

/* The prefix of a site came with the request, but its site never saw it. */
static void
knows_the_prefix_of_a_site(void **state)
{
	static const char asked[] = "GET /s/healthy/mine" SERVER_SCEP_PATH
				    "?operation=GetCACaps HTTP/1.1\r\n" LAST;
	struct fixture *f = *state;
	struct journal_entry *e;
	struct buffer got;

	ask(f, span_text(asked), &got);
	e = wait_for(f, "healthy~mine", 0);
	must_be_octets("prefix", "request", e->request, span_text(asked));
	assert_int_equal(e->seq, 1);
	assert_string_equal(e->target, SERVER_SCEP_PATH "?operation=GetCACaps");
	assert_string_equal(e->content_type, "text/plain");
	journal_entry_free(e);
	buffer_free(&got);
}

#define LONG 100000 /* octets */

static struct buffer
long_text(const char *before, const char *after)
{
	struct buffer b = { 0 };

	buffer_add_text(&b, before);
	memset(buffer_extend(&b, LONG), 'x', LONG);
	buffer_add_text(&b, after);
	return b;
}

/* More than is kept of a request, and of a reply. */
static void
cuts_what_is_long(void **state)
{
	struct fixture *f = *state;
	uint64_t last = last_of(f, SITE_DEFAULT);
	struct buffer got,
	    yaml = long_text(FAULTS "do: {http: {body: '", "'}}\n");
	struct buffer asked = long_text(
	    POST_TO(SERVER_SCEP_PATH) "Content-Length: 100000\r\n" LAST, "");
	struct journal_entry *e;

	buffer_add_byte(&yaml, 0);
	server_use_yaml(&f->ndes.server, (char *)yaml.data);
	ask(f, buffer_span(&asked), &got);
	e = wait_for(f, SITE_DEFAULT, last);
	assert_in_range(got.len, LONG, 2 * LONG);
	must_be_octets("long", "request", e->request,
	    span_of(asked.data, EXCHANGE_KEPT_MAX));
	must_be_octets("long", "reply", e->reply,
	    span_of(got.data, EXCHANGE_KEPT_MAX));
	assert_true(e->request_cut);
	assert_true(e->reply_cut);
	assert_int_equal(e->sent, got.len);
	use_edits(f, NULL);
	journal_entry_free(e);
	buffer_free(&yaml);
	buffer_free(&asked);
	buffer_free(&got);
}

static const char *
text_in(json_t *json, const char *object, const char *name)
{
	return json_string_value(
	    json_object_get(json_object_get(json, object), name));
}

/* Of an enrolment, as an API shows it. */
static void
knows_an_enrolment(void **state)
{
	struct fixture *f = *state;
	uint64_t last = last_of(f, SITE_DEFAULT);
	X509 *cert = ndes_enrol(&f->ndes, &f->device,
	    &(struct device_order){ .challenge = NDES_CHALLENGE,
		.transaction_id = "my-own" });
	struct journal_entry *e = wait_for(f, SITE_DEFAULT, last);
	BIGNUM *serial = ASN1_INTEGER_to_BN(X509_get0_serialNumber(cert), NULL);
	json_t *json = journal_entry_json(e);
	BIGNUM *shown = NULL;

	assert_string_equal(text_in(json, "request", "message_type"),
	    "PKCSReq");
	assert_string_equal(text_in(json, "request", "transaction_id"),
	    "my-own");
	assert_string_equal(text_in(json, "request", "subject"),
	    "CN=" DEVICE_SUBJECT);
	assert_string_equal(text_in(json, "request", "sans"),
	    "DNS:" DEVICE_DNS_NAME);
	assert_string_equal(text_in(json, "request", "signer"),
	    "CN=" DEVICE_SUBJECT);
	assert_string_equal(text_in(json, "request", "signed_by"), "self");
	assert_string_equal(text_in(json, "request", "digest"), "sha256");
	assert_string_equal(text_in(json, "request", "cipher"), "aes-128-cbc");
	assert_string_equal(text_in(json, "request", "challenge"), "good");
	assert_string_equal(text_in(json, "verdict", "layer"), "mscep");
	assert_string_equal(text_in(json, "reply", "content_type"),
	    "application/x-pki-message");
	assert_string_equal(text_in(json, "reply", "pki_status"), "SUCCESS");
	assert_string_equal(text_in(json, "reply", "ended"), "sent");
	assert_true(BN_hex2bn(&shown, text_in(json, "reply", "serial")) > 0);
	assert_int_equal(BN_cmp(shown, serial), 0);
	json_decref(json);
	journal_entry_free(e);
	BN_free(shown);
	BN_free(serial);
	X509_free(cert);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_what_went_over_the_wire),
		cmocka_unit_test(knows_the_prefix_of_a_site),
		cmocka_unit_test(cuts_what_is_long),
		cmocka_unit_test(knows_an_enrolment),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
