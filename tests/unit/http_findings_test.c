/* What is odd in an HTTP request, a row for everything that can be found. */
#include "unit/exchanges.h"
#include "unit/findings.h"
#include "unit/folder.h"

#include "stack/stack.h"

#define DLL "/certsrv/mscep/mscep.dll"
#define CAPS DLL "?operation=GetCACaps&message=ca"
#define CERT DLL "?operation=GetCACert&message=ca"
#define PKI DLL "?operation=PKIOperation"
#define GET_PKI PKI "&message="
#define NO_POST "Renewal\nSHA-256\nDES3"

static const struct asked {
	const char *row, *found;
	const char *method; /* NULL: GET */
	const char *target;
	const char *version;	  /* NULL: HTTP/1.1 */
	const char *capabilities; /* NULL: of a healthy site */
	const char *type;	  /* Content-Type; NULL: none */
	const char *expect;
	bool no_host, no_agent, chunked;
	int64_t length;		    /* of the body; 0: none */
	size_t path, query, header; /* octets to fill up to; 0: as it is */
} askeds[] = {
	{ "GetCACaps", "", .target = CAPS },
	{ "GetCACert", "", .target = CERT },
	{ "GetNextCACert", "", .target = DLL "?operation=GetNextCACert" },
	{ "a message by POST", "", .method = "POST", .target = PKI,
	    .type = "application/x-pki-message", .length = 2000 },
	{ "a message by GET, where it must be", "", .target = GET_PKI "MIIB",
	    .capabilities = NO_POST },
	{ "through pkiclient.exe", "",
	    .target = DLL "/pkiclient.exe?operation=GetCACaps&message=ca" },
	{ "without mscep.dll", "",
	    .target = "/certsrv/mscep?operation=GetCACaps&message=ca" },
	{ "without mscep.dll, with a slash", "",
	    .target = "/certsrv/mscep/?operation=GetCACaps&message=ca" },
	/* Nobody of SCEP. */
	{ "a browser", "", .target = DLL, .no_agent = true,
	    .version = "HTTP/1.0" },
	{ "the admin site", "", .target = "/certsrv/mscep_admin/?operation=x",
	    .no_agent = true },
	{ "another site", "", .target = "/?operation=getcacaps" },
	/* Methods and operations. */
	{ "a message by GET although POST is offered", "get-although-post",
	    .target = GET_PKI "MIIB" },
	{ "a message by GET although SCEPStandard is offered",
	    "get-although-post", .target = GET_PKI "MIIB",
	    .capabilities = "SCEPStandard" },
	{ "GetCACaps by POST", "post-of-get", .method = "POST", .target = CAPS,
	    .type = "application/x-pki-message", .length = 5 },
	{ "GetNextCACert by POST", "post-of-get", .method = "POST",
	    .target = DLL "?operation=GetNextCACert",
	    .type = "application/x-pki-message", .length = 5 },
	{ "POST without a body", "post-without-body", .method = "POST",
	    .target = PKI, .type = "application/x-pki-message" },
	{ "POST without an operation", "no-operation", .method = "POST",
	    .target = DLL, .type = "application/x-pki-message", .length = 5 },
	{ "an operation of Microsoft's script", "unknown-operation",
	    .target = DLL "?operation=GetCACerts&message=ca" },
	{ "an empty operation", "unknown-operation",
	    .target = DLL "?operation=" },
	{ "an operation in small letters", "operation-case",
	    .target = DLL "?operation=getcacaps&message=ca" },
	/* The message. */
	{ "message first", "message-first",
	    .target = DLL "?message=ca&operation=GetCACaps" },
	{ "another parameter first", "",
	    .target = DLL "?a=b&operation=GetCACaps&c&message=ca" },
	{ "GetCACaps without message", "no-message",
	    .target = DLL "?operation=GetCACaps" },
	{ "GetCACert without message", "no-message",
	    .target = DLL "?operation=GetCACert" },
	{ "GetCACert with an empty message", "empty-message",
	    .target = DLL "?operation=GetCACert&message=" },
	{ "PKIOperation without message", "no-pki-message", .target = PKI,
	    .capabilities = NO_POST },
	{ "an empty message", "not-base64", .target = GET_PKI,
	    .capabilities = NO_POST },
	{ "a message in words", "not-base64", .target = GET_PKI "Ho!a",
	    .capabilities = NO_POST },
	{ "a broken escape", "not-base64", .target = GET_PKI "MII%4",
	    .capabilities = NO_POST },
	{ "one digit too many", "not-base64", .target = GET_PKI "MIIBM",
	    .capabilities = NO_POST },
	{ "digits after the padding", "not-base64",
	    .target = GET_PKI "MI%3D%3DMI%3D%3D", .capabilities = NO_POST },
	{ "escapes as they should be", "",
	    .target = GET_PKI "%2B%2F%2f%2bMA%3D%3D", .capabilities = NO_POST },
	{ "escaped letters", "", .target = GET_PKI "%4dI%49B",
	    .capabilities = NO_POST },
	{ "the URL-safe alphabet", "base64-url", .target = GET_PKI "-_AB",
	    .capabilities = NO_POST },
	{ "the URL-safe alphabet, unpadded", "base64-url base64-unpadded",
	    .target = GET_PKI "-_A", .capabilities = NO_POST },
	{ "no padding", "base64-unpadded", .target = GET_PKI "MIIBMA",
	    .capabilities = NO_POST },
	{ "half of the padding", "base64-unpadded",
	    .target = GET_PKI "MIIBMA%3D", .capabilities = NO_POST },
	{ "line ends", "base64-line-ends",
	    .target = GET_PKI "MIIB%0AMIIB%0D%0a", .capabilities = NO_POST },
	{ "blanks", "base64-blanks", .target = GET_PKI "MII%20B",
	    .capabilities = NO_POST },
	{ "blanks that were plus signs", "base64-unpadded base64-blanks",
	    .target = GET_PKI "MII%20MII", .capabilities = NO_POST },
	{ "plus signs as they are", "raw-plus", .target = GET_PKI "MI+B",
	    .capabilities = NO_POST },
	{ "slashes as they are", "raw-reserved", .target = GET_PKI "MI/B",
	    .capabilities = NO_POST },
	{ "equals signs as they are", "raw-reserved",
	    .target = GET_PKI "MIIBMA==", .capabilities = NO_POST },
	/* The lengths. */
	{ "a path of 4096", "", .target = CAPS, .path = 4096 },
	{ "a path of 4097", "path-too-long", .target = CAPS, .path = 4097 },
	{ "a query of 2048", "", .target = CAPS, .query = 2048 },
	{ "a query of 2049", "query-too-long", .target = CAPS, .query = 2049 },
	{ "a target of 16384", "query-too-long head-too-long", .target = CAPS,
	    .query = 16384 - sizeof(DLL) },
	{ "a target of 16385", "query-too-long target-too-long head-too-long",
	    .target = CAPS, .query = 16385 - sizeof(DLL) },
	{ "a header of 16000", "", .target = CAPS, .header = 16000 },
	{ "a header of 16384", "head-too-long", .target = CAPS,
	    .header = 16384 },
	{ "a header of 16385", "header-too-long head-too-long", .target = CAPS,
	    .header = 16385 },
	/* The headers. */
	{ "POST without Content-Type", "no-content-type", .method = "POST",
	    .target = PKI, .length = 5 },
	{ "octets", "other-content-type", .method = "POST", .target = PKI,
	    .type = "application/octet-stream", .length = 5 },
	{ "a longer type", "other-content-type", .method = "POST",
	    .target = PKI, .type = "application/x-pki-messages", .length = 5 },
	{ "the type in capitals, with a parameter", "", .method = "POST",
	    .target = PKI, .type = "Application/X-PKI-Message; a=b",
	    .length = 5 },
	{ "chunks", "chunked", .method = "POST", .target = PKI,
	    .type = "application/x-pki-message", .chunked = true,
	    .length = -1 },
	{ "an expectation", "expect-continue", .method = "POST", .target = PKI,
	    .type = "application/x-pki-message", .length = 5,
	    .expect = "100-Continue" },
	{ "another expectation", "", .method = "POST", .target = PKI,
	    .type = "application/x-pki-message", .length = 5,
	    .expect = "miracles" },
	{ "HTTP/1.0", "http-1.0", .target = CAPS, .version = "HTTP/1.0" },
	{ "no Host", "no-host", .target = CAPS, .no_host = true },
	{ "no User-Agent", "no-user-agent", .target = CAPS, .no_agent = true },
	/* The path. */
	{ "the whole URL", "absolute-target",
	    .target = "http://ndes:8080" CAPS },
	{ "a path as Microsoft shows it", "path-case",
	    .target =
		"/CertSrv/mscep/mscep.dll?operation=GetCACaps&message=a" },
	{ "the DLL in capitals", "path-case",
	    .target =
		"/certsrv/mscep/MSCEP.DLL?operation=GetCACaps&message=a" },
	{ "pkiclient.exe twice", "path-twice",
	    .target = DLL "/pkiclient.exe/PkiClient.exe?operation=GetCACaps"
			  "&message=a" },
};

/* Filled up with zeros where it says so. */
static char *
make_target(const struct asked *t)
{
	size_t path = strcspn(t->target, "?");
	struct buffer b = { 0 };
	char *target;

	buffer_add(&b, t->target, path);
	if (b.len < t->path)
		buffer_add_byte(&b, '/');
	while (b.len < t->path)
		buffer_add_byte(&b, '0');
	path = b.len;
	buffer_add_text(&b, t->target + strcspn(t->target, "?"));
	while (b.len < path + 1 + t->query && t->query > 0)
		buffer_add_byte(&b, '0');
	target = span_dup_text(buffer_span(&b));
	buffer_free(&b);
	return target;
}

static void
add_headers(struct exchange *ex, const struct asked *t, char *filler)
{
	if (!t->no_host)
		exchange_header(ex, "host", "ndes:8080");
	if (!t->no_agent)
		exchange_header(ex, "User-Agent", "unit/1");
	if (t->type != NULL)
		exchange_header(ex, "Content-type", t->type);
	if (t->expect != NULL)
		exchange_header(ex, "Expect", t->expect);
	if (t->header > 0)
		exchange_header(ex, "Cookie", filler);
	exchange_header(ex, "Connection", "close");
}

static void
finds(void **state)
{
	const struct asked *t = *state;
	char *target = make_target(t), *filler = calloc(1, t->header + 1);
	struct stack_state healthy;
	struct findings found;
	char names[FINDINGS_TEXT];
	struct exchange ex;

	memset(filler, 'x', t->header);
	stack_healthy(&healthy);
	if (t->capabilities != NULL)
		strcpy(healthy.mscep.capabilities, t->capabilities);
	exchange_make(&ex, t->method == NULL ? "GET" : t->method, target);
	if (t->version != NULL)
		ex.request.version = exchange_text(t->version);
	ex.request.chunked = t->chunked;
	ex.request.content_length = t->length == 0 ? -1 : t->length;
	add_headers(&ex, t, filler);
	http_find(&ex.request, &healthy, &found);
	assert_string_equal(findings_names(&found, names), t->found);
	exchange_clear(&ex);
	free(filler);
	free(target);
}

static const struct recorded {
	const char *row, *name, *found;
} recordeds[] = {
	{ "certmonger 0.79.17", "certmonger", "query-too-long" },
	{ "as sscep would", "sscep-like", "query-too-long base64-line-ends" },
};

/* What came after `message=`, tests/fixtures/recorded. */
static void
recorded_get(void **state)
{
	const struct recorded *t = *state;
	const char *source = getenv("MOCKNDES_SOURCE");
	struct asked asked = { .row = t->row,
		.found = t->found,
		.capabilities = NO_POST };
	void *row = &asked;
	char path[4096], *target;
	struct blob message;

	snprintf(path, sizeof(path), "%s/tests/fixtures/recorded/%s-get.txt",
	    source == NULL ? "." : source, t->name);
	message = folder_read(path);
	assert_int_not_equal(asprintf(&target, "%s%s", GET_PKI,
				 (char *)message.data),
	    -1);
	asked.target = target;
	finds(&row);
	free(target);
	blob_free(&message);
}

static void
nothing_was_read(void **state)
{
	struct stack_state healthy;
	struct findings found;
	struct exchange ex;
	unsigned at = 0;

	(void)state;
	stack_healthy(&healthy);
	exchange_init(&ex);
	http_find(&ex.request, &healthy, &found);
	assert_null(findings_next(&found, &at));
	exchange_clear(&ex);
}

static bool
has_row(const char *name)
{
	for (size_t i = 0; i < sizeof(askeds) / sizeof(askeds[0]); i++)
		if (findings_mention(askeds[i].found, name))
			return true;
	return false;
}

static void
table_is_whole(void **state)
{
	size_t count;
	const struct finding *table = http_findings(&count);

	(void)state;
	assert_in_range(count, 2, FINDINGS_MAX);
	for (size_t i = 1; i < count; i++) {
		findings_must_be_told(&table[i]);
		for (size_t j = 1; j < i; j++)
			assert_string_not_equal(table[i].name, table[j].name);
		if (!has_row(table[i].name))
			fail_msg("%s has no row", table[i].name);
	}
}

int
main(void)
{
	static const struct table tables[] = {
		ROWS(finds, askeds),
		ROWS(recorded_get, recordeds),
		ONE(nothing_was_read, "of nothing nothing is said"),
		ONE(table_is_whole, "all that can be found has a row here"),
	};

	return ROWS_RUN(tables, NULL, NULL);
}
