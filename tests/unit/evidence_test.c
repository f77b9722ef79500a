/* Logs, to the octet (ndes-facts 7). */
#include "unit/exchanges.h"
#include "unit/folder.h"

#include "evidence/evidence.h"

#define SERVICE "/certsrv/mscep/mscep.dll"
#define LINE_MAX_OCTETS 65536

static const struct iis_log_form plain = { .version = "10.0", .referer = true };
static const struct iis_log_form article = { .version = "10.0",
	.referer = true,
	.bytes = true };
static const struct iis_log_form windows_2008r2 = { .version = "7.5" };
static const struct iis_log_form elsewhere = { .version = "10.0",
	.referer = true,
	.bytes = true,
	.c_ip = "fe80::f53d:89b8:c3e8:5fec%13",
	.s_port = 80 };

static const struct line {
	const char *row;
	const struct iis_log_form *form;
	const char *method, *target, *agent, *referer, *source;
	struct verdict verdict;
	enum ending ending;
	uint64_t sent;
	int64_t duration;
	const char *line; /* after date, time and s-ip */
} lines[] = {
	{ "the 500 of the article", &plain, "GET",
	    SERVICE "?operation=GetCACert&message=SCEP%20Authority",
	    "profiled/1.0 CFNetwork/811.5.4 Darwin/16.6.0", NULL, "10.5.14.22",
	    { LAYER_MSCEP, 500, 0, 1346, NULL, NULL, 0 }, ENDED_SENT, 1500, 31,
	    "GET " SERVICE
	    " operation=GetCACert&message=SCEP%20Authority 443 - "
	    "10.5.14.22 profiled/1.0+CFNetwork/811.5.4+Darwin/16.6.0 - "
	    "500 0 1346 31" },
	{ "five trailing numbers as in the article", &article, "GET",
	    SERVICE "/pkiclient.exe?operation=GetCACaps&message=default",
	    "Mozilla/4.0 (compatible; Win32; NDES client)", NULL,
	    "fe80::f53d:89b8:c3e8:5fec",
	    { LAYER_MSCEP, 200, 0, 0, NULL, NULL, 0 }, ENDED_SENT, 186, 0,
	    "GET " SERVICE "/pkiclient.exe operation=GetCACaps&message=default "
	    "443 - fe80::f53d:89b8:c3e8:5fec "
	    "Mozilla/4.0+(compatible;+Win32;+NDES+client) - 200 0 0 186 0" },
	{ "an address with a zone, as in the article", &elsewhere, "GET",
	    SERVICE "/pkiclient.exe?operation=GetCACert&message=default",
	    "Mozilla/4.0 (compatible; Win32; NDES client)", NULL, "10.5.14.22",
	    { LAYER_MSCEP, 200, 0, 0, NULL, NULL, 0 }, ENDED_SENT, 3567, 0,
	    "GET " SERVICE "/pkiclient.exe operation=GetCACert&message=default "
	    "80 - fe80::f53d:89b8:c3e8:5fec%13 "
	    "Mozilla/4.0+(compatible;+Win32;+NDES+client) - 200 0 0 3567 0" },
	{ "2008 R2 has no referer", &windows_2008r2, "POST",
	    SERVICE "?operation=PKIOperation", "sscep", "http://x/",
	    "10.5.14.22", { LAYER_MSCEP, 200, 0, 0, NULL, NULL, 0 }, ENDED_SENT,
	    2067, 1296,
	    "POST " SERVICE " operation=PKIOperation 443 - 10.5.14.22 sscep "
	    "200 0 0 1296" },
	{ "with a referer, without an agent", &plain, "GET", "/", NULL,
	    "http://ndes/a b", "10.5.14.22",
	    { LAYER_IIS, 404, 15, 0, NULL, NULL, 0 }, ENDED_SENT, 0, 5,
	    "GET / - 443 - 10.5.14.22 - http://ndes/a+b 404 15 0 5" },
	{ "plus signs and escapes of a query stay", &plain, "GET",
	    "/x?message=MIAG+Cg/Sq%2B%0A=", "a", NULL, "10.5.14.22",
	    { LAYER_IIS, 404, 0, 2, NULL, NULL, 0 }, ENDED_SENT, 0, 0,
	    "GET /x message=MIAG+Cg/Sq%2B%0A= 443 - 10.5.14.22 a - 404 0 2 0" },
	{ "an empty query is none", &plain, "GET", "/x?", "a", NULL,
	    "10.5.14.22", { LAYER_IIS, 404, 0, 2, NULL, NULL, 0 }, ENDED_SENT,
	    0, 0, "GET /x - 443 - 10.5.14.22 a - 404 0 2 0" },
	{ "escapes of a path are resolved", &plain, "GET",
	    "/%43ertSrv/%6Dscep/", "a", NULL, "10.5.14.22",
	    { LAYER_POLICY_MODULE, 403, 0, 0, NULL, NULL, 0 }, ENDED_SENT, 0, 0,
	    "GET /CertSrv/mscep/ - 443 - 10.5.14.22 a - 403 0 0 0" },
	{ "a path cannot begin a new line", &plain, "GET",
	    "/a%0d%0a2013-04-29%2009:15:51%09x%00y", "a", NULL, "10.5.14.22",
	    { LAYER_IIS, 404, 0, 2, NULL, NULL, 0 }, ENDED_SENT, 0, 0,
	    "GET /a++2013-04-29+09:15:51+x+y - 443 - 10.5.14.22 a - "
	    "404 0 2 0" },
	{ "nor can a header", &plain, "GET", "/", "a\r\nb\x01\x7f c\td",
	    "\n- 200 0 0", "10.5.14.22",
	    { LAYER_IIS, 404, 0, 2, NULL, NULL, 0 }, ENDED_SENT, 0, 0,
	    "GET / - 443 - 10.5.14.22 a++b+++c+d +-+200+0+0 404 0 2 0" },
	{ "nor can a query", &plain, "GET", "/?a b\nc", "a", NULL, "10.5.14.22",
	    { LAYER_IIS, 404, 0, 2, NULL, NULL, 0 }, ENDED_SENT, 0, 0,
	    "GET / a+b+c 443 - 10.5.14.22 a - 404 0 2 0" },
	{ "a client that left", &plain, "GET", "/", "a", NULL, "10.5.14.22",
	    { LAYER_MSCEP, 200, 0, 0, NULL, NULL, 0 }, ENDED_CLIENT_LEFT, 0, 7,
	    "GET / - 443 - 10.5.14.22 a - 200 0 64 7" },
	{ "a client that left after an error of ours", &plain, "GET", "/", "a",
	    NULL, "10.5.14.22", { LAYER_MSCEP, 500, 0, 1346, NULL, NULL, 0 },
	    ENDED_CLIENT_LEFT, 0, 7,
	    "GET / - 443 - 10.5.14.22 a - 500 0 1346 7" },
	{ "who waited for it took another's answer", &article, "GET", "/", "a",
	    NULL, "10.5.14.22", { LAYER_MSCEP, 200, 0, 0, NULL, NULL, 186 },
	    ENDED_CLIENT_LEFT, 307, 7,
	    "GET / - 443 - 10.5.14.22 a - 200 0 0 186 7" },
	{ "an exchange that we cut", &plain, "GET", "/", "a", NULL,
	    "10.5.14.22", { LAYER_MSCEP, 200, 0, 0, NULL, NULL, 0 }, ENDED_CUT,
	    0, 7, "GET / - 443 - 10.5.14.22 a - 200 0 0 7" },
	{ "an HRESULT is an unsigned number", &plain, "GET", "/", "a", NULL,
	    "10.5.14.22", { LAYER_IIS, 403, 16, 0x800b0109, NULL, NULL, 0 },
	    ENDED_SENT, 0, 7,
	    "GET / - 443 - 10.5.14.22 a - 403 16 2148204809 7" },
	{ "IPv4 in IPv6 is IPv4", &plain, "GET", "/", "a", NULL,
	    "::ffff:10.5.14.22", { LAYER_IIS, 404, 0, 2, NULL, NULL, 0 },
	    ENDED_SENT, 0, 7, "GET / - 443 - 10.5.14.22 a - 404 0 2 7" },
};

static void
fill(struct exchange *ex, const struct line *t)
{
	exchange_make(ex, t->method, t->target);
	if (t->agent != NULL)
		exchange_header(ex, "User-Agent", t->agent);
	if (t->referer != NULL)
		exchange_header(ex, "Referer", t->referer);
	ex->request.source = exchange_endpoint(t->source, 50123);
	ex->request.local = exchange_endpoint("10.1.2.5", 443);
	ex->verdict = t->verdict;
	ex->ending = t->ending;
	ex->sent = t->sent;
	ex->duration_ms = t->duration;
}

static void
iis_line(void **state)
{
	const struct line *t = *state;
	struct buffer b = { 0 };
	struct exchange ex;

	fill(&ex, t);
	assert_true(iis_log_wants(&ex));
	assert_false(httperr_wants(&ex));
	iis_log_line(&ex, t->form, &b);
	buffer_add_byte(&b, 0);
	assert_memory_equal(b.data, "2013-04-29 09:15:51 10.1.2.5 ", 29);
	assert_string_equal((char *)b.data + 29, t->line);
	buffer_free(&b);
	exchange_clear(&ex);
}

/* The whole of the article's line, but for the date that it leaves out. */
static void
other_addresses(void **state)
{
	struct iis_log_form form = elsewhere;
	struct buffer b = { 0 };
	struct exchange ex;

	(void)state;
	form.s_ip = "fe80::f53d:89b8:c3e8:5fec%13";
	fill(&ex, &lines[2]);
	iis_log_line(&ex, &form, &b);
	buffer_add_byte(&b, 0);
	assert_string_equal((char *)b.data,
	    "2013-04-29 09:15:51 fe80::f53d:89b8:c3e8:5fec%13 GET " SERVICE
	    "/pkiclient.exe operation=GetCACert&message=default 80 - "
	    "fe80::f53d:89b8:c3e8:5fec%13 "
	    "Mozilla/4.0+(compatible;+Win32;+NDES+client) - 200 0 0 3567 0");
	buffer_free(&b);
	exchange_clear(&ex);
}

static const struct head {
	const char *row;
	const struct iis_log_form *form;
	bool httperr;
	const char *text;
} heads[] = {
	{ "the default fields", &plain, false,
	    "#Software: Microsoft Internet Information Services 10.0\r\n"
	    "#Version: 1.0\r\n#Date: 2013-04-29 09:15:51\r\n"
	    "#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port "
	    "cs-username c-ip cs(User-Agent) cs(Referer) sc-status "
	    "sc-substatus sc-win32-status time-taken\r\n" },
	{ "those of the article", &article, false,
	    "#Software: Microsoft Internet Information Services 10.0\r\n"
	    "#Version: 1.0\r\n#Date: 2013-04-29 09:15:51\r\n"
	    "#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port "
	    "cs-username c-ip cs(User-Agent) cs(Referer) sc-status "
	    "sc-substatus sc-win32-status sc-bytes time-taken\r\n" },
	{ "those of 2008 R2", &windows_2008r2, false,
	    "#Software: Microsoft Internet Information Services 7.5\r\n"
	    "#Version: 1.0\r\n#Date: 2013-04-29 09:15:51\r\n"
	    "#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port "
	    "cs-username c-ip cs(User-Agent) sc-status sc-substatus "
	    "sc-win32-status time-taken\r\n" },
	{ "those of HTTPERR", &plain, true,
	    "#Software: Microsoft HTTP API 2.0\r\n"
	    "#Version: 1.0\r\n#Date: 2013-04-29 09:15:51\r\n"
	    "#Fields: date time c-ip c-port s-ip s-port cs-version cs-method "
	    "cs-uri streamid sc-status s-siteid s-reason s-queuename\r\n" },
	{ "those of HTTPERR before HTTP/2", &windows_2008r2, true,
	    "#Software: Microsoft HTTP API 2.0\r\n"
	    "#Version: 1.0\r\n#Date: 2013-04-29 09:15:51\r\n"
	    "#Fields: date time c-ip c-port s-ip s-port cs-version cs-method "
	    "cs-uri sc-status s-siteid s-reason s-queuename\r\n" },
};

static void
log_header(void **state)
{
	const struct head *t = *state;
	struct buffer b = { 0 };

	if (t->httperr)
		httperr_header(t->form, EXCHANGE_AT, &b);
	else
		iis_log_header(t->form, EXCHANGE_AT, &b);
	buffer_add_byte(&b, 0);
	assert_string_equal((char *)b.data, t->text);
	buffer_free(&b);
}

#define ENDS "2013-04-29 09:15:51 10.5.14.22 50123 10.1.2.5 443 "

static const struct error_line {
	const char *row, *method, *target; /* NULL: nothing was read */
	int status;
	const char *reason, *queue, *line;
	bool is_old; /* Windows */
} error_lines[] = {
	{ "refused", "GET", "/x?a=b%20c", 400, "FieldLength", NULL,
	    ENDS "HTTP/1.1 GET /x?a=b%20c - 400 - FieldLength -", false },
	{ "nothing was read", NULL, NULL, 503, "ConnLimit", NULL,
	    ENDS "- - - - 503 - ConnLimit -", false },
	{ "dropped without a word", "POST", "/x", 0, "Timer_EntityBody", NULL,
	    ENDS "HTTP/1.1 POST /x - - - Timer_EntityBody -", false },
	{ "a hostile target", "GET", "/a b\r\nc\x01", 400, "URL", NULL,
	    ENDS "HTTP/1.1 GET /a+b++c+ - 400 - URL -", false },
	{ "a hostile verb", "G\nT", "/", 400, "Verb", NULL,
	    ENDS "HTTP/1.1 G+T / - 400 - Verb -", false },
	{ "it was for a pool", "GET", "/x", 503, "QueueFull", "SCEP",
	    ENDS "HTTP/1.1 GET /x - 503 1 QueueFull SCEP", false },
	{ "its process died", "POST", "/x", 0,
	    "Connection_Abandoned_By_ReqQueue", "SCEP",
	    ENDS "HTTP/1.1 POST /x - - 1 Connection_Abandoned_By_ReqQueue "
		 "SCEP",
	    false },
	/* The sample of KB820729, and its columns (7.2). */
	{ "before HTTP/2", "GET", "/", 503, "N/A", NULL,
	    ENDS "HTTP/1.1 GET / 503 - N/A -", true },
};

static void
httperr(void **state)
{
	const struct error_line *t = *state;
	struct buffer b = { 0 };
	struct exchange ex;

	if (t->method == NULL) {
		exchange_init(&ex);
		ex.at = EXCHANGE_AT;
	} else {
		exchange_make(&ex, t->method, t->target);
	}
	ex.request.source = exchange_endpoint("10.5.14.22", 50123);
	ex.request.local = exchange_endpoint("10.1.2.5", 443);
	exchange_answer(&ex, LAYER_HTTP_SYS, t->status, 0, 0);
	ex.verdict.reason = t->reason;
	ex.verdict.queue = t->queue;
	assert_true(httperr_wants(&ex));
	assert_false(iis_log_wants(&ex));
	httperr_line(&ex, t->is_old ? &windows_2008r2 : &plain, &b);
	buffer_add_byte(&b, 0);
	assert_string_equal((char *)b.data, t->line);
	buffer_free(&b);
	exchange_clear(&ex);
}

static void
nobody_answered(void **state)
{
	struct exchange ex;

	(void)state;
	exchange_make(&ex, "GET", "/");
	assert_false(iis_log_wants(&ex));
	assert_false(httperr_wants(&ex));
	exchange_clear(&ex);
}

static const struct cut {
	const char *row;
	size_t before; /* octets that stand in the buffer already */
	size_t agent;  /* octets */
	size_t len;    /* of the line */
} cuts[] = {
	{ "a long line stays", 0, 60000, 29 + 25 + 60000 + 12 },
	{ "a longer line is cut", 0, 70000, LINE_MAX_OCTETS },
	{ "what stands before is not of the line", 1000, 70000,
	    LINE_MAX_OCTETS },
};

static void
cuts_line(void **state)
{
	const struct cut *t = *state;
	struct buffer b = { 0 };
	struct exchange ex;
	char *agent = calloc(1, t->agent + 1);

	memset(agent, 'x', t->agent);
	exchange_make(&ex, "GET", "/");
	exchange_header(&ex, "User-Agent", agent);
	ex.request.source = exchange_endpoint("10.5.14.22", 50123);
	ex.request.local = exchange_endpoint("10.1.2.5", 443);
	exchange_answer(&ex, LAYER_IIS, 404, 0, 2);
	memset(buffer_extend(&b, t->before), '#', t->before);
	iis_log_line(&ex, &plain, &b);
	assert_int_equal(b.len - t->before, t->len);
	buffer_free(&b);
	exchange_clear(&ex);
	free(agent);
}

static void
cuts_uri(void **state)
{
	char target[5000];
	struct buffer b = { 0 };
	struct exchange ex;

	(void)state;
	memset(target, 'x', sizeof(target) - 1);
	target[0] = '/';
	target[sizeof(target) - 1] = '\0';
	exchange_make(&ex, "GET", target);
	ex.request.source = exchange_endpoint("10.5.14.22", 50123);
	ex.request.local = exchange_endpoint("10.1.2.5", 443);
	exchange_answer(&ex, LAYER_HTTP_SYS, 414, 0, 0);
	ex.verdict.reason = "URL_Length";
	httperr_line(&ex, &plain, &b);
	assert_int_equal(b.len,
	    strlen(ENDS "HTTP/1.1 GET ") + 4096 +
		strlen(" - 414 - URL_Length -"));
	buffer_free(&b);
	exchange_clear(&ex);
}

static int
try_write_at(struct log_files *files, int64_t at, enum layer layer, int status,
    struct error *err)
{
	struct exchange ex;
	int ret;

	exchange_make(&ex, "GET", "/");
	ex.at = at;
	ex.request.source = exchange_endpoint("10.5.14.22", 50123);
	ex.request.local = exchange_endpoint("10.1.2.5", 443);
	if (layer != LAYER_NONE)
		exchange_answer(&ex, layer, status, 0, 0);
	ex.verdict.reason = "QueueFull";
	ret = log_files_write(files, &ex, &plain, err);
	exchange_clear(&ex);
	return ret;
}

static void
write_at(struct log_files *files, int64_t at, enum layer layer, int status)
{
	struct error err = { 0 };

	assert_int_equal(try_write_at(files, at, layer, status, &err), 0);
	assert_string_equal(err.text, "");
}

static void
file_must_be(const struct folder *f, const char *name, const char *wanted)
{
	char path[FOLDER_PATH];
	struct blob text = folder_read(folder_path(f, name, path));

	assert_string_equal((char *)text.data, wanted);
	blob_free(&text);
}

#define HEAD(date)                                                           \
	"#Software: Microsoft Internet Information Services 10.0\r\n"        \
	"#Version: 1.0\r\n#Date: " date "\r\n"                               \
	"#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port " \
	"cs-username c-ip cs(User-Agent) cs(Referer) sc-status "             \
	"sc-substatus sc-win32-status time-taken\r\n"
#define LINE(date, status) \
	date " 10.1.2.5 GET / - 443 - 10.5.14.22 - - " status " 0 0 0\r\n"
#define ERROR_HEAD(date)                                                     \
	"#Software: Microsoft HTTP API 2.0\r\n#Version: 1.0\r\n#Date: " date \
	"\r\n#Fields: date time c-ip c-port s-ip s-port cs-version "         \
	"cs-method cs-uri streamid sc-status s-siteid s-reason "             \
	"s-queuename\r\n"
#define ERROR_LINE(date)                                              \
	date " 10.5.14.22 50123 10.1.2.5 443 HTTP/1.1 GET / - 503 - " \
	     "QueueFull -\r\n"

static void
log_folder(void **state)
{
	const int64_t midnight = 1367280000; /* 2013-04-30 00:00:00 */
	struct folder f = folder_new();
	struct log_files *files = NULL;
	struct error err = { 0 };
	char dir[FOLDER_PATH];

	(void)state;
	folder_path(&f, "a/b", dir);
	assert_int_equal(log_files_open(dir, &files, &err), 0);
	write_at(files, midnight - 2, LAYER_IIS, 404);
	write_at(files, midnight - 1, LAYER_MSCEP, 200);
	write_at(files, midnight - 1, LAYER_NONE, 0);
	write_at(files, midnight - 1, LAYER_HTTP_SYS, 503);
	write_at(files, midnight, LAYER_MSCEP, 200);
	write_at(files, midnight, LAYER_HTTP_SYS, 503);
	/* Lines are there at once, not only when the files are closed. */
	file_must_be(&f, "a/b/W3SVC1/u_ex130429.log",
	    HEAD("2013-04-29 23:59:58") LINE("2013-04-29 23:59:58", "404")
		LINE("2013-04-29 23:59:59", "200"));
	file_must_be(&f, "a/b/W3SVC1/u_ex130430.log",
	    HEAD("2013-04-30 00:00:00") LINE("2013-04-30 00:00:00", "200"));
	file_must_be(&f, "a/b/HTTPERR/httperr1.log",
	    ERROR_HEAD("2013-04-29 23:59:59") ERROR_LINE("2013-04-29 23:59:59")
		ERROR_LINE("2013-04-30 00:00:00"));
	log_files_close(files);

	assert_int_equal(log_files_open(dir, &files, &err), 0);
	write_at(files, midnight + 60, LAYER_IIS, 404);
	log_files_close(files);
	file_must_be(&f, "a/b/W3SVC1/u_ex130430.log",
	    HEAD("2013-04-30 00:00:00") LINE("2013-04-30 00:00:00", "200")
		HEAD("2013-04-30 00:01:00") LINE("2013-04-30 00:01:00", "404"));
}

static void
log_folder_gone(void **state)
{
	static const char *const gone[] = { "a/b/W3SVC1", "a/b" };
	struct folder f = folder_new();
	struct log_files *files = NULL;
	struct error err = { 0 };
	char dir[FOLDER_PATH], path[FOLDER_PATH];

	(void)state;
	assert_int_equal(log_files_open(folder_path(&f, "a/b", dir), &files,
			     &err),
	    0);
	for (size_t i = 0; i < 2; i++) {
		write_at(files, EXCHANGE_AT, LAYER_IIS, 404);
		write_at(files, EXCHANGE_AT, LAYER_HTTP_SYS, 503);
		folder_remove(folder_path(&f, gone[i], path));
		write_at(files, EXCHANGE_AT, LAYER_IIS, 404);
		write_at(files, EXCHANGE_AT, LAYER_MSCEP, 200);
		file_must_be(&f, "a/b/W3SVC1/u_ex130429.log",
		    HEAD("2013-04-29 09:15:51") LINE("2013-04-29 09:15:51",
			"404") LINE("2013-04-29 09:15:51", "200"));
	}
	write_at(files, EXCHANGE_AT, LAYER_HTTP_SYS, 503);
	file_must_be(&f, "a/b/HTTPERR/httperr1.log",
	    ERROR_HEAD("2013-04-29 09:15:51")
		ERROR_LINE("2013-04-29 09:15:51"));
	log_files_close(files);
}

static const struct blocked {
	const char *row;
	enum layer layer;
	const char *gone;
} blockeds[] = {
	{ "of IIS", LAYER_IIS, "logs/W3SVC1" },
	{ "of http.sys", LAYER_HTTP_SYS, "logs/HTTPERR" },
	{ "all of it", LAYER_IIS, "logs" },
};

/* A file has come where the folder was. */
static void
log_folder_blocked(void **state)
{
	const struct blocked *t = *state;
	struct folder f = folder_new();
	struct log_files *files = NULL;
	struct error err = { 0 };
	char dir[FOLDER_PATH], path[FOLDER_PATH];

	assert_int_equal(log_files_open(folder_path(&f, "logs", dir), &files,
			     &err),
	    0);
	write_at(files, EXCHANGE_AT, t->layer, 503);
	folder_remove(folder_path(&f, t->gone, path));
	folder_write(&f, t->gone, span_text("mine"));
	for (int i = 0; i < 2; i++) {
		err = (struct error){ 0 };
		assert_int_equal(try_write_at(files, EXCHANGE_AT, t->layer, 503,
				     &err),
		    -1);
		assert_int_equal(strncmp(err.text, path, strlen(path)), 0);
	}
	assert_int_equal(try_write_at(files, EXCHANGE_AT, t->layer, 503, NULL),
	    -1);
	file_must_be(&f, t->gone, "mine");
	assert_int_equal(unlink(path), 0);
	write_at(files, EXCHANGE_AT, t->layer, 503);
	log_files_close(files);
}

static void
no_log_folder(void **state)
{
	struct log_files *files = (void *)&state;
	struct error err = { 0 };

	assert_int_equal(log_files_open("/dev/null/logs", &files, &err), -1);
	assert_string_equal(err.text, "/dev/null/logs: Not a directory");
	assert_null(files);
	write_at(NULL, EXCHANGE_AT, LAYER_IIS, 404);
	log_files_close(NULL);
}

static void
collect(void *cls, const char *line)
{
	buffer_printf(cls, "%s\n", line);
}

static void
narrated(void **state)
{
	struct buffer b = { 0 };
	struct exchange ex;

	(void)state;
	fill(&ex, &lines[12]);
	ex.scep.message_type = 19;
	ex.scep.type_name = "PKCSReq";
	strcpy(ex.scep.transaction_id, "ABC");
	strcpy(ex.scep.subject, "CN=device");
	ex.scep.challenge = "used";
	ex.scep.digest = "sha256";
	ex.scep.cipher = "aes-128-cbc";
	ex.scep.ber = true;
	ex.scep.pki_status = 2;
	ex.scep.fail_info = 1;
	exchange_event(&ex, "Application", "NDES", 29, "Error", "No: %d", 5);
	exchange_event(&ex, "System", "WAS", 2, "Error", "It is\r\nlong.\n");
	exchange_event(&ex, "NDESPlugin.log", NULL, 0, "", "Calling ...");
	narrate(&ex, &plain, collect, &b);
	buffer_add_byte(&b, 0);
	assert_string_equal((char *)b.data,
	    "2013-04-29 09:15:51 10.1.2.5 GET / - 443 - 10.5.14.22 a - "
	    "500 0 1346 7\n"
	    "  scep: PKCSReq transaction ABC subject \"CN=device\" challenge "
	    "used digest sha256 cipher aes-128-cbc BER -> FAILURE failInfo 1\n"
	    "  event: Application NDES 29 Error: No: 5\n"
	    "  event: System WAS 2 Error: It is long.\n"
	    "  event: NDESPlugin.log: Calling ...\n");
	buffer_free(&b);
	exchange_clear(&ex);
}

static const struct finding http_table[] = {
	[1] = { "no-user-agent", FINDING_UNUSUAL, "no User-Agent",
	    "RFC 9110 10.1.5", NULL },
};
static const struct finding message_table[] = {
	[1] = { "md5", FINDING_WEAK, "MD5", "RFC 8894 2.9", "old" },
	[2] = { "no-sender-nonce", FINDING_WRONG, "no senderNonce",
	    "RFC 8894 3.2.1.5", NULL },
	[70] = { "long", FINDING_UNUSUAL, "100% long", "RFC 1 2", NULL },
};

#define SAYS_FINDINGS                                           \
	"  finding: unusual: no User-Agent (RFC 9110 10.1.5)\n" \
	"  finding: weak: MD5 (RFC 8894 2.9; old)\n"            \
	"  finding: unusual: 100% long (RFC 1 2)\n"

static void
find_all(struct exchange *ex)
{
	ex->scep.http_findings.table = http_table;
	findings_add(&ex->scep.http_findings, 1);
	ex->scep.message_findings.table = message_table;
	findings_add(&ex->scep.message_findings, 1);
	findings_add(&ex->scep.message_findings, 70);
}

static void
narrates_findings(void **state)
{
	struct buffer b = { 0 };
	struct exchange ex;

	(void)state;
	fill(&ex, &lines[12]);
	find_all(&ex);
	narrate(&ex, &plain, collect, &b);
	buffer_add_byte(&b, 0);
	assert_string_equal((char *)b.data,
	    "2013-04-29 09:15:51 10.1.2.5 GET / - 443 - 10.5.14.22 a - "
	    "500 0 1346 7\n" SAYS_FINDINGS);
	buffer_free(&b);
	exchange_clear(&ex);
}

int
main(void)
{
	static const struct table tables[] = {
		ROWS(iis_line, lines),
		ONE(other_addresses, "who stands in the log may be another"),
		ROWS(log_header, heads),
		ROWS(httperr, error_lines),
		ONE(nobody_answered, "what nobody answered is in no log"),
		ROWS(cuts_line, cuts),
		ONE(cuts_uri, "HTTPERR has 4096 octets of a target"),
		ONE(log_folder, "a new day has a file and a header of its own"),
		ONE(log_folder_gone, "a log folder that is gone is made anew"),
		ROWS(log_folder_blocked, blockeds),
		ONE(no_log_folder, "a log folder that cannot be is named"),
		ONE(narrated, "who watches reads lines"),
		ONE(narrates_findings, "who watches reads what is odd"),
	};

	return ROWS_RUN(tables, NULL, NULL);
}
