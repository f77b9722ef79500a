/* An entry of a journal as the control API shows it. */
#include "unit/exchanges.h"

#include <jansson.h>

#include "evidence/evidence.h"

static const struct finding http_table[] = {
	[1] = { "no-user-agent", FINDING_UNUSUAL, "no User-Agent",
	    "RFC 9110 10.1.5", NULL },
};
static const struct finding message_table[] = {
	[1] = { "md5", FINDING_WEAK, "MD5", "RFC 8894 2.9", "old" },
	[70] = { "long", FINDING_WRONG, "100% long", "RFC 1 2", NULL },
};

static void
fill_request(struct exchange *ex)
{
	struct scep_facts *f = &ex->scep;

	f->operation = "PKIOperation";
	f->type_name = "PKCSReq";
	f->message_type = 19;
	strcpy(f->transaction_id, "AB\"C");
	strcpy(f->subject, "CN=device");
	strcpy(f->sans, "DNS:a.example, IP:10.0.0.1");
	strcpy(f->signer, "CN=me");
	strcpy(f->signer_serial, "01ff");
	f->signed_by = "self";
	f->challenge = "used";
	f->digest = "sha256";
	f->cipher = "aes-128-cbc";
	f->ber = true;
	f->pki_status = 2;
	f->fail_info = 2;
	strcpy(f->serial, "61aa");
	strcpy(f->why, "because");
	f->http_findings.table = http_table;
	findings_add(&f->http_findings, 1);
	f->message_findings.table = message_table;
	findings_add(&f->message_findings, 1);
	findings_add(&f->message_findings, 70);
}

static void
fill_notes(struct rule_notes *n)
{
	strcpy(n->files[1], "flaky.yaml");
	n->count = 2;
	n->more = 3;
	n->list[0] = (struct rule_note){ "nth", 4, 0, 1 };
	n->list[1] = (struct rule_note){ NULL, 9, 7, 1 };
}

static void
fill(struct exchange *ex)
{
	exchange_make(ex, "POST", "/x?operation=PKIOperation");
	exchange_header(ex, "User-Agent", "profiled/1.0");
	ex->request.source = exchange_endpoint("10.5.14.22", 50123);
	ex->verdict = (struct verdict){ LAYER_MSCEP, 200, 1, 2148204809,
		"AppOffline", NULL, 0 };
	ex->reply.status = 200;
	ex->octets = span_text("HTTP/1.1 200 OK\r\nContent-Type: a/b\r\n\r\n");
	ex->sent = ex->octets.len + 1000;
	ex->ending = ENDED_CLIENT_LEFT;
	ex->duration_ms = 31;
	fill_request(ex);
	fill_notes(&ex->notes);
}

static const char filled[] =
    "{\"seq\":1,\"time\":\"2013-04-29T09:15:51Z\",\"duration_ms\":31,"
    "\"source\":\"10.5.14.22:50123\",\"method\":\"POST\","
    "\"target\":\"/x?operation=PKIOperation\",\"target_length\":25,"
    "\"user_agent\":\"profiled/1.0\",\"operation\":\"PKIOperation\","
    "\"request\":{\"message_type\":\"PKCSReq\",\"transaction_id\":\"AB\\\"C\","
    "\"subject\":\"CN=device\",\"sans\":\"DNS:a.example, IP:10.0.0.1\","
    "\"signer\":\"CN=me\",\"signer_serial\":\"01ff\",\"signed_by\":\"self\","
    "\"digest\":\"sha256\",\"cipher\":\"aes-128-cbc\",\"encoding\":\"BER\","
    "\"challenge\":\"used\"},"
    "\"findings\":[{\"name\":\"no-user-agent\",\"kind\":\"unusual\","
    "\"text\":\"no User-Agent\",\"rule\":\"RFC 9110 10.1.5\",\"note\":null},"
    "{\"name\":\"md5\",\"kind\":\"weak\",\"text\":\"MD5\","
    "\"rule\":\"RFC 8894 2.9\",\"note\":\"old\"},"
    "{\"name\":\"long\",\"kind\":\"wrong\",\"text\":\"100% long\","
    "\"rule\":\"RFC 1 2\",\"note\":null}],"
    "\"rules\":[{\"file\":\"flaky.yaml\",\"line\":4,\"applies\":false,"
    "\"turn\":null,\"unmet\":\"nth\"},"
    "{\"file\":\"flaky.yaml\",\"line\":9,\"applies\":true,"
    "\"turn\":7,\"unmet\":null}],\"more_rules\":3,"
    "\"verdict\":{\"layer\":\"mscep\",\"status\":200,\"substatus\":1,"
    "\"win32\":2148204809,\"reason\":\"AppOffline\"},"
    "\"reply\":{\"status\":200,\"content_type\":\"a/b\","
    "\"pki_status\":\"FAILURE\",\"fail_info\":\"badRequest\","
    "\"fail_info_number\":2,\"serial\":\"61aa\",\"bytes\":1038,"
    "\"ended\":\"client-left\"},\"why\":\"because\","
    "\"raw\":{\"request_bytes\":69,\"request_cut\":false,"
    "\"reply_bytes\":38,\"reply_cut\":true}}";

/* Of a connection that was closed before a request was there. */
static const char empty[] =
    "{\"seq\":1,\"time\":\"1970-01-01T00:00:00Z\",\"duration_ms\":0,"
    "\"source\":null,\"method\":null,\"target\":null,\"target_length\":0,"
    "\"user_agent\":null,\"operation\":null,"
    "\"request\":{\"message_type\":null,\"transaction_id\":null,"
    "\"subject\":null,\"sans\":null,\"signer\":null,\"signer_serial\":null,"
    "\"signed_by\":null,\"digest\":null,\"cipher\":null,\"encoding\":null,"
    "\"challenge\":null},\"findings\":[],\"rules\":[],\"more_rules\":0,"
    "\"verdict\":{\"layer\":null,\"status\":null,\"substatus\":null,"
    "\"win32\":null,\"reason\":null},"
    "\"reply\":{\"status\":null,\"content_type\":null,\"pki_status\":null,"
    "\"fail_info\":null,\"fail_info_number\":null,\"serial\":null,"
    "\"bytes\":0,\"ended\":\"sent\"},\"why\":null,"
    "\"raw\":{\"request_bytes\":0,\"request_cut\":false,"
    "\"reply_bytes\":0,\"reply_cut\":false}}";

/* What the only entry of a journal looks like. The caller frees it. */
static json_t *
shown(struct exchange *ex)
{
	const struct journals_options options = { 0 };
	struct journals *all;
	struct journal *j;
	struct journal_entry *e;
	json_t *json;

	assert_int_equal(journals_new(&all, &options, NULL), 0);
	assert_int_equal(journal_open(all, &j, NULL), 0);
	journal_add(j, ex);
	exchange_clear(ex);
	e = journal_find(j, 0, NULL);
	json = journal_entry_json(e);
	assert_non_null(json);
	journal_entry_free(e);
	journal_close(j);
	journals_free(all);
	return json;
}

static void
must_be(struct exchange *ex, const char *wanted)
{
	json_t *json = shown(ex);
	char *text = json_dumps(json, JSON_COMPACT);

	assert_string_equal(text, wanted);
	free(text);
	json_decref(json);
}

static void
knows_all(void **state)
{
	struct exchange ex;

	(void)state;
	fill(&ex);
	must_be(&ex, filled);
}

static void
knows_nothing(void **state)
{
	struct exchange ex;

	(void)state;
	exchange_init(&ex);
	must_be(&ex, empty);
}

static const struct source {
	const char *row, *address, *text;
} sources[] = {
	{ "IPv4", "10.5.14.22", "10.5.14.22:7" },
	{ "IPv6", "fe80::1", "[fe80::1]:7" },
	{ "IPv4 in IPv6", "::ffff:10.5.14.22", "10.5.14.22:7" },
};

static void
source(void **state)
{
	const struct source *t = *state;
	struct exchange ex;
	json_t *json;

	exchange_make(&ex, "GET", "/");
	ex.request.source = exchange_endpoint(t->address, 7);
	json = shown(&ex);
	assert_string_equal(json_string_value(json_object_get(json, "source")),
	    t->text);
	json_decref(json);
}

static const struct odd {
	const char *row, *file, *shown;
} odds[] = {
	{ "UTF-8 stays", "\xc3\xa4.yaml", "\xc3\xa4.yaml" },
	{ "a character that was cut", "a\xc3", "a?" },
	{ "what is none", "\xff\xc3\xa4\x01", "????" },
	{ "one that is too long", "\xc0\xaf", "??" },
	{ "half of a pair", "\xed\xa0\x80", "???" },
};

static void
odd_text(void **state)
{
	const struct odd *t = *state;
	struct exchange ex;
	json_t *json, *rule;

	exchange_make(&ex, "GET", "/");
	strcpy(ex.notes.files[0], t->file);
	strcpy(ex.scep.why, t->file);
	ex.notes.count = 1;
	json = shown(&ex);
	rule = json_array_get(json_object_get(json, "rules"), 0);
	assert_string_equal(json_string_value(json_object_get(rule, "file")),
	    t->shown);
	assert_string_equal(json_string_value(json_object_get(json, "why")),
	    t->shown);
	json_decref(json);
}

static const struct name {
	const char *row;
	enum layer layer;
	const char *name;
} names[] = {
	{ "none", LAYER_NONE, NULL },
	{ "silence", LAYER_NETWORK, "network" },
	{ "the proxy", LAYER_APP_PROXY, "app-proxy" },
	{ "the kernel", LAYER_HTTP_SYS, "http-sys" },
	{ "IIS", LAYER_IIS, "iis" },
	{ "NDES", LAYER_MSCEP, "mscep" },
	{ "its module", LAYER_POLICY_MODULE, "policy-module" },
	{ "the CA", LAYER_CA, "ca" },
	{ "what no NDES says", LAYER_MOCK, "mockndes" },
};

static void
layer(void **state)
{
	const struct name *t = *state;
	struct exchange ex;
	json_t *json, *name;

	exchange_make(&ex, "GET", "/");
	ex.verdict.layer = t->layer;
	json = shown(&ex);
	name = json_object_get(json_object_get(json, "verdict"), "layer");
	if (t->name == NULL)
		assert_true(json_is_null(name));
	else
		assert_string_equal(json_string_value(name), t->name);
	json_decref(json);
}

/* Memory that ends somewhere: never half an object, nothing leaks. */
static size_t left;

static void *
scarce(size_t size)
{
	return left == 0 ? NULL : (left--, malloc(size));
}

static void
without_memory(void **state)
{
	const struct journals_options options = { 0 };
	struct journals *all;
	struct journal *j;
	struct journal_entry *e;
	struct exchange ex;
	json_malloc_t usual_malloc;
	json_free_t usual_free;
	json_t *json = NULL;
	size_t many;

	(void)state;
	assert_int_equal(journals_new(&all, &options, NULL), 0);
	assert_int_equal(journal_open(all, &j, NULL), 0);
	fill(&ex);
	journal_add(j, &ex);
	exchange_clear(&ex);
	e = journal_find(j, 0, NULL);
	json_get_alloc_funcs(&usual_malloc, &usual_free);
	json_set_alloc_funcs(scarce, free);
	for (many = 0; json == NULL && many < 10000; many++) {
		left = many;
		json = journal_entry_json(e);
	}
	left = SIZE_MAX;
	assert_in_range(many, 100, 9999);
	assert_int_equal(json_object_size(json), 17);
	json_decref(json);
	json_set_alloc_funcs(usual_malloc, usual_free);
	journal_entry_free(e);
	journal_close(j);
	journals_free(all);
}

int
main(void)
{
	static const struct table tables[] = {
		ONE(knows_all, "an entry has these names and values"),
		ONE(knows_nothing, "what is not known is null"),
		ROWS(source, sources),
		ROWS(odd_text, odds),
		ROWS(layer, names),
		ONE(without_memory, "all of it, or nothing"),
	};

	return ROWS_RUN(tables, NULL, NULL);
}
