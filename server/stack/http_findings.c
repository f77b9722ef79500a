/* What is odd in an HTTP request for SCEP; see quirks 12, 21-28, 33-39. */
#include "stack/stack.h"

#include <string.h>
#include <strings.h>

/* The defaults of IIS and http.sys (ndes-facts 6.5), whatever is set here. */
#define IIS_MAX_URL 4096
#define IIS_MAX_QUERY_STRING 2048
#define HTTP_SYS_MAX 16384

#define MSCEP "/certsrv/mscep"
#define MSCEP_DLL MSCEP "/mscep.dll"
#define PKI_MESSAGE "application/x-pki-message"

enum {
	HTTP_NOTHING,
	HTTP_GET_ALTHOUGH_POST,
	HTTP_PATH_TOO_LONG,
	HTTP_QUERY_TOO_LONG,
	HTTP_TARGET_TOO_LONG,
	HTTP_HEADER_TOO_LONG,
	HTTP_HEAD_TOO_LONG,
	HTTP_POST_OF_GET,
	HTTP_POST_WITHOUT_BODY,
	HTTP_NO_OPERATION,
	HTTP_UNKNOWN_OPERATION,
	HTTP_OPERATION_CASE,
	HTTP_MESSAGE_FIRST,
	HTTP_NO_MESSAGE,
	HTTP_EMPTY_MESSAGE,
	HTTP_NO_PKI_MESSAGE,
	HTTP_NOT_BASE64,
	HTTP_BASE64_URL,
	HTTP_BASE64_UNPADDED,
	HTTP_BASE64_LINE_ENDS,
	HTTP_BASE64_BLANKS,
	HTTP_RAW_PLUS,
	HTTP_RAW_RESERVED,
	HTTP_NO_CONTENT_TYPE,
	HTTP_OTHER_CONTENT_TYPE,
	HTTP_CHUNKED,
	HTTP_EXPECT_CONTINUE,
	HTTP_HTTP_1_0,
	HTTP_NO_HOST,
	HTTP_NO_USER_AGENT,
	HTTP_ABSOLUTE_TARGET,
	HTTP_PATH_CASE,
	HTTP_PATH_TWICE,
	HTTP_COUNT,
};

static const struct finding table[HTTP_COUNT] = {
	[HTTP_GET_ALTHOUGH_POST] = { "get-although-post", FINDING_WRONG,
	    "a message by GET, although GetCACaps offers POST", "RFC 8894 4.1",
	    "long URLs are cut or refused on the way" },
	[HTTP_PATH_TOO_LONG] = { "path-too-long", FINDING_UNUSUAL,
	    "the path is longer than 4096 octets",
	    "IIS maxUrl 4096, the default", "404.14" },
	[HTTP_QUERY_TOO_LONG] = { "query-too-long", FINDING_UNUSUAL,
	    "the query is longer than 2048 octets",
	    "IIS maxQueryString 2048, the default",
	    "404.15, for which the message by GET is the usual reason" },
	[HTTP_TARGET_TOO_LONG] = { "target-too-long", FINDING_UNUSUAL,
	    "the URL is longer than 16384 octets",
	    "http.sys MaxFieldLength 16384, the default", "414" },
	[HTTP_HEADER_TOO_LONG] = { "header-too-long", FINDING_UNUSUAL,
	    "a header is longer than 16384 octets",
	    "http.sys MaxFieldLength 16384, the default", "400" },
	[HTTP_HEAD_TOO_LONG] = { "head-too-long", FINDING_UNUSUAL,
	    "request line and headers are longer than 16384 octets",
	    "http.sys MaxRequestBytes 16384, the default", "400" },
	[HTTP_POST_OF_GET] = { "post-of-get", FINDING_WRONG,
	    "an operation by POST that is one of GET",
	    "RFC 8894 3.5.1, 4.2, 4.7", NULL },
	[HTTP_POST_WITHOUT_BODY] = { "post-without-body", FINDING_WRONG,
	    "POST without a body", "RFC 8894 4.3",
	    "seen where a client sends its body too early or not at all: micromdm/scep issue 155" },
	[HTTP_NO_OPERATION] = { "no-operation", FINDING_WRONG,
	    "POST without an operation", "RFC 8894 4.1, 4.3",
	    "many CAs do not notice" },
	[HTTP_UNKNOWN_OPERATION] = { "unknown-operation", FINDING_WRONG,
	    "an operation that RFC 8894 does not have",
	    "RFC 8894 3.5.1, 4.2, 4.3, 4.7", NULL },
	[HTTP_OPERATION_CASE] = { "operation-case", FINDING_WRONG,
	    "the operation is spelled in another case",
	    "RFC 8894 3.5.1, 4.2, 4.3, 4.7",
	    "that NDES does not mind is assumed" },
	[HTTP_MESSAGE_FIRST] = { "message-first", FINDING_WRONG,
	    "message comes before operation", "RFC 8894 4.1", NULL },
	[HTTP_NO_MESSAGE] = { "no-message", FINDING_UNUSUAL,
	    "GetCACaps or GetCACert without message",
	    "RFC 8894 3.5.1 and 4.2 ask for none",
	    "old NDES logged an http message without the \"Message\" tag: micromdm/scep issue 5" },
	[HTTP_EMPTY_MESSAGE] = { "empty-message", FINDING_UNUSUAL,
	    "GetCACaps or GetCACert with an empty message", "RFC 8894 4.1",
	    "other servers take it for the name of a CA: certnanny/sscep issue 160" },
	[HTTP_NO_PKI_MESSAGE] = { "no-pki-message", FINDING_WRONG,
	    "PKIOperation by GET without message", "RFC 8894 4.1", NULL },
	[HTTP_NOT_BASE64] = { "not-base64", FINDING_WRONG,
	    "message is not base64", "RFC 8894 4.1, RFC 4648 4", NULL },
	[HTTP_BASE64_URL] = { "base64-url", FINDING_WRONG,
	    "message is in the URL-safe alphabet", "RFC 8894 4.1, RFC 4648 5",
	    "strict servers refuse it: micromdm/scep issue 249" },
	[HTTP_BASE64_UNPADDED] = { "base64-unpadded", FINDING_WRONG,
	    "message is base64 without all of its padding", "RFC 4648 3.2",
	    NULL },
	[HTTP_BASE64_LINE_ENDS] = { "base64-line-ends", FINDING_WRONG,
	    "message is base64 with line ends", "RFC 4648 3.1",
	    "micromdm/scep issue 100" },
	[HTTP_BASE64_BLANKS] = { "base64-blanks", FINDING_WRONG,
	    "message has blanks in its base64", "RFC 4648 3.3",
	    "perhaps plus signs that were decoded as in a form" },
	[HTTP_RAW_PLUS] = { "raw-plus", FINDING_WRONG,
	    "message has plus signs that are not escaped",
	    "RFC 8894 4.1, RFC 3986 2.2",
	    "read as in a form they are blanks: smallstep/certificates issue 1570" },
	[HTTP_RAW_RESERVED] = { "raw-reserved", FINDING_WRONG,
	    "message has slashes or equals signs that are not escaped",
	    "RFC 8894 4.1, RFC 3986 2.2", NULL },
	[HTTP_NO_CONTENT_TYPE] = { "no-content-type", FINDING_WRONG,
	    "POST without Content-Type", "RFC 8894 4.3",
	    "NDES does not insist" },
	[HTTP_OTHER_CONTENT_TYPE] = { "other-content-type", FINDING_WRONG,
	    "the Content-Type is not application/x-pki-message", "RFC 8894 4.3",
	    "NDES does not insist" },
	[HTTP_CHUNKED] = { "chunked", FINDING_UNUSUAL,
	    "a body in chunks, without Content-Length",
	    "RFC 9112 7.1 allows it",
	    "IIS is reported to want a length: micromdm's scepclient sets one for that" },
	[HTTP_EXPECT_CONTINUE] = { "expect-continue", FINDING_UNUSUAL,
	    "Expect: 100-continue", "RFC 9110 10.1.1 allows it", NULL },
	[HTTP_HTTP_1_0] = { "http-1.0", FINDING_UNUSUAL, "HTTP/1.0",
	    "RFC 8894 4.1 has HTTP/1.1", NULL },
	[HTTP_NO_HOST] = { "no-host", FINDING_UNUSUAL, "no Host",
	    "RFC 9112 3.2",
	    "a web server with several sites does not know which: certnanny/sscep issue 70" },
	[HTTP_NO_USER_AGENT] = { "no-user-agent", FINDING_UNUSUAL,
	    "no User-Agent", "RFC 9110 10.1.5 (SHOULD)",
	    "it is what IIS's log tells clients apart by" },
	[HTTP_ABSOLUTE_TARGET] = { "absolute-target", FINDING_UNUSUAL,
	    "the whole URL as target, as to a proxy", "RFC 9112 3.2.2",
	    "certnanny/sscep issue 186" },
	[HTTP_PATH_CASE] = { "path-case", FINDING_UNUSUAL,
	    "the path spells /certsrv/mscep/mscep.dll otherwise",
	    "RFC 3986 6.2.2.1", "IIS does not mind, other servers do" },
	[HTTP_PATH_TWICE] = { "path-twice", FINDING_UNUSUAL,
	    "pkiclient.exe twice in the path", "RFC 8894 4.1",
	    "Windows appends it by itself: micromdm/scep issue 238" },
};

const struct finding *
http_findings(size_t *count)
{
	if (count != NULL)
		*count = HTTP_COUNT;
	return table;
}

static void
find_limits(const struct request *r, struct findings *f)
{
	if (r->path.len > IIS_MAX_URL)
		findings_add(f, HTTP_PATH_TOO_LONG);
	if (r->query.len > IIS_MAX_QUERY_STRING)
		findings_add(f, HTTP_QUERY_TOO_LONG);
	if (strlen(r->target) > HTTP_SYS_MAX)
		findings_add(f, HTTP_TARGET_TOO_LONG);
	if (r->longest_header > HTTP_SYS_MAX)
		findings_add(f, HTTP_HEADER_TOO_LONG);
	if (r->head_size > HTTP_SYS_MAX)
		findings_add(f, HTTP_HEAD_TOO_LONG);
}

static bool
is_pki_message(const char *type)
{
	size_t len = strlen(PKI_MESSAGE);

	return strncasecmp(type, PKI_MESSAGE, len) == 0 &&
	    strchr("; \t", type[len]) != NULL;
}

static void
find_headers(const struct request *r, bool post, struct findings *f)
{
	bool type = false, host = false, agent = false;

	for (size_t i = 0; i < r->header_count; i++) {
		const struct header *h = &r->headers[i];

		switch (h->name[0] | 0x20) {
		case 'c':
			if (!post || strcasecmp(h->name, "Content-Type") != 0)
				break;
			type = true;
			if (!is_pki_message(h->value))
				findings_add(f, HTTP_OTHER_CONTENT_TYPE);
			break;
		case 'e':
			if (strcasecmp(h->name, "Expect") == 0 &&
			    strcasecmp(h->value, "100-continue") == 0)
				findings_add(f, HTTP_EXPECT_CONTINUE);
			break;
		case 'h':
			host |= strcasecmp(h->name, "Host") == 0;
			break;
		case 'u':
			agent |= strcasecmp(h->name, "User-Agent") == 0;
		}
	}
	if (post && !type)
		findings_add(f, HTTP_NO_CONTENT_TYPE);
	if (!host)
		findings_add(f, HTTP_NO_HOST);
	if (!agent)
		findings_add(f, HTTP_NO_USER_AGENT);
}

static bool
starts_with(struct span path, const char *folder)
{
	size_t len = strlen(folder);

	return path.len >= len && memcmp(path.data, folder, len) == 0;
}

static void
find_path(const struct request *r, struct findings *f)
{
	static const char last[] = "pkiclient.exe";
	const size_t len = sizeof(last) - 1;
	int count = 0;

	if (r->asked[0] != '/')
		findings_add(f, HTTP_ABSOLUTE_TARGET);
	if (!starts_with(r->path, MSCEP) ||
	    (r->path.len > strlen(MSCEP "/") &&
		!starts_with(r->path, MSCEP_DLL)))
		findings_add(f, HTTP_PATH_CASE);
	for (size_t i = strlen(MSCEP); i + len <= r->path.len; i++)
		if (r->path.data[i - 1] == '/' &&
		    strncasecmp((const char *)r->path.data + i, last, len) == 0)
			count++;
	if (count > 1)
		findings_add(f, HTTP_PATH_TWICE);
}

static enum operation
find_operation(struct span value, struct findings *f)
{
	enum operation operation = mscep_operation_by_name(value);
	const char *name = mscep_operation_name(operation);

	/* NDES understands more than the RFC names. */
	if (operation <= OPERATION_UNKNOWN || !span_is_nocase(value, name)) {
		findings_add(f, HTTP_UNKNOWN_OPERATION);
		return OPERATION_UNKNOWN;
	}
	if (!span_is(value, name))
		findings_add(f, HTTP_OPERATION_CASE);
	return operation;
}

/* Which finding a character of base64 is; HTTP_NOTHING: a good digit. */
static unsigned
judge_digit(uint8_t c, bool escaped)
{
	if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	    (c >= '0' && c <= '9'))
		return HTTP_NOTHING;
	switch (c) {
	case '+':
		return escaped ? HTTP_NOTHING : HTTP_RAW_PLUS;
	case '/':
	case '=':
		return escaped ? HTTP_NOTHING : HTTP_RAW_RESERVED;
	case '-':
	case '_':
		return HTTP_BASE64_URL;
	case '\r':
	case '\n':
		return HTTP_BASE64_LINE_ENDS;
	case ' ':
	case '\t':
		return HTTP_BASE64_BLANKS;
	}
	return HTTP_NOT_BASE64;
}

/* RFC 8894 4.1: base64 of RFC 4648 4, escaped as RFC 3986 has it. */
static void
find_base64(struct span value, struct findings *f)
{
	size_t digits = 0, padding = 0;
	unsigned what;
	bool escaped;
	int c;

	for (size_t i = 0; i < value.len; i++) {
		c = value.data[i] == '%' ? span_hex_pair(value, i + 1) : -1;
		escaped = c != -1;
		if (escaped)
			i += 2;
		else
			c = value.data[i];
		what = judge_digit((uint8_t)c, escaped);
		findings_add(f, what);
		if (what == HTTP_BASE64_LINE_ENDS || what == HTTP_BASE64_BLANKS)
			continue;
		if (c == '=')
			padding++;
		else if (padding > 0)
			findings_add(f, HTTP_NOT_BASE64);
		else
			digits++;
	}
	if (digits == 0 || digits % 4 == 1)
		findings_add(f, HTTP_NOT_BASE64);
	if (!findings_has(f, HTTP_NOT_BASE64) && (digits + padding) % 4 != 0)
		findings_add(f, HTTP_BASE64_UNPADDED);
}

static void
find_get(const struct mscep_parameters *p, const struct stack_state *state,
    enum operation asked, struct findings *f)
{
	if (p->message_first)
		findings_add(f, HTTP_MESSAGE_FIRST);
	switch (asked) {
	case OPERATION_PKI:
		if (strstr(state->mscep.capabilities, "POSTPKIOperation") ||
		    strstr(state->mscep.capabilities, "SCEPStandard"))
			findings_add(f, HTTP_GET_ALTHOUGH_POST);
		if (p->message.data == NULL)
			findings_add(f, HTTP_NO_PKI_MESSAGE);
		else
			find_base64(p->message, f);
		break;
	case OPERATION_GET_CA_CAPS:
	case OPERATION_GET_CA_CERT:
		if (p->message.data == NULL)
			findings_add(f, HTTP_NO_MESSAGE);
		else if (p->message.len == 0)
			findings_add(f, HTTP_EMPTY_MESSAGE);
		break;
	default:
		break;
	}
}

/* A body in chunks may not have been read. */
static void
find_post(const struct request *r, enum operation asked, struct findings *f)
{
	if (asked > OPERATION_UNKNOWN && asked != OPERATION_PKI)
		findings_add(f, HTTP_POST_OF_GET);
	if (!r->chunked && r->content_length <= 0)
		findings_add(f, HTTP_POST_WITHOUT_BODY);
}

/* As nearly everybody spells it, or as only IIS would read it. */
static bool
is_mscep(const struct request *r)
{
	const size_t len = strlen(MSCEP_DLL);

	return (starts_with(r->path, MSCEP_DLL) &&
		   (r->path.len == len || r->path.data[len] == '/')) ||
	    iis_place(r) == PLACE_MSCEP;
}

void
http_find(const struct request *r, const struct stack_state *state,
    struct findings *f)
{
	enum operation asked = OPERATION_UNKNOWN;
	struct mscep_parameters p;
	bool post;

	*f = (struct findings){ .table = table };
	if (r->method == NULL || r->target == NULL || r->version == NULL ||
	    !is_mscep(r))
		return;
	post = strcmp(r->method, "POST") == 0;
	p = mscep_read_parameters(r->query);
	if (p.operation.data != NULL)
		asked = find_operation(p.operation, f);
	else if (post)
		findings_add(f, HTTP_NO_OPERATION);
	else
		return; /* somebody with a browser */
	find_limits(r, f);
	find_headers(r, post, f);
	find_path(r, f);
	if (r->chunked)
		findings_add(f, HTTP_CHUNKED);
	if (strcmp(r->version, "HTTP/1.0") == 0)
		findings_add(f, HTTP_HTTP_1_0);
	if (post)
		find_post(r, asked, f);
	else
		find_get(&p, state, asked, f);
}
