/* IIS: its paths, its filter, its error pages (design B3, ndes-facts 6). */
#include "unit/exchanges.h"

#include "stack/stack.h"

static const struct path {
	const char *row, *target;
	enum place place;
} paths[] = {
	{ "the service", "/certsrv/mscep/mscep.dll", PLACE_MSCEP },
	{ "with a query", "/certsrv/mscep/mscep.dll?operation=GetCACaps",
	    PLACE_MSCEP },
	{ "as Windows asks", "/certsrv/mscep/mscep.dll/pkiclient.exe",
	    PLACE_MSCEP },
	{ "as Windows asks, with a query",
	    "/certsrv/mscep/mscep.dll/pkiclient.exe?operation=GetCACert",
	    PLACE_MSCEP },
	{ "as Windows asks twice over",
	    "/certsrv/mscep/mscep.dll/pkiclient.exe/pkiclient.exe",
	    PLACE_MSCEP },
	{ "with a slash behind", "/certsrv/mscep/mscep.dll/", PLACE_MSCEP },
	{ "the folder", "/certsrv/mscep/", PLACE_MSCEP },
	{ "the folder with a query", "/certsrv/mscep/?operation=GetCACaps",
	    PLACE_MSCEP },
	{ "the folder with a query and no slash",
	    "/certsrv/mscep?operation=GetCACaps&message=test", PLACE_MSCEP },
	{ "the folder with an empty query and no slash", "/certsrv/mscep?",
	    PLACE_MSCEP },
	{ "the folder without its slash", "/certsrv/mscep", PLACE_REDIRECT },
	{ "the admin folder", "/certsrv/mscep_admin/", PLACE_ADMIN },
	{ "the admin folder without its slash", "/certsrv/mscep_admin",
	    PLACE_ADMIN_REDIRECT },
	{ "the admin folder as the policy module asks",
	    "/certsrv/mscep_admin?operation=NDESGenerateChallenge",
	    PLACE_ADMIN },
	{ "the service below the admin folder",
	    "/certsrv/mscep_admin/mscep.dll?operation=GetCACaps&message=ca",
	    PLACE_ADMIN },
	{ "in capitals", "/CERTSRV/MSCEP/MSCEP.DLL", PLACE_MSCEP },
	{ "in mixed case", "/CertSrv/mscep_Admin/", PLACE_ADMIN },
	{ "in escapes", "/%63ertsrv/mscep/mscep%2Edll", PLACE_MSCEP },
	{ "all in escapes",
	    "%2f%63%65%72%74%73%72%76%2f%6d%73%63%65%70%5f%61%64%6d%69%6e%2f"
	    "%6d%73%63%65%70%2e%64%6c%6c",
	    PLACE_ADMIN },
	{ "a capital in an escape", "/certsrv/%4dscep/mscep.dll", PLACE_MSCEP },
	{ "an escaped slash", "/certsrv/mscep%2Fmscep.dll", PLACE_MSCEP },
	{ "absolute", "http://ndes.example/certsrv/mscep/mscep.dll",
	    PLACE_MSCEP },
	{ "absolute and secure",
	    "HTTPS://ndes.example:443/certsrv/mscep_admin/", PLACE_ADMIN },
	{ "path information of any length",
	    "/certsrv/mscep/mscep.dll/"
	    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
	    PLACE_MSCEP },
	{ "the root", "/", PLACE_NOWHERE },
	{ "the folder above", "/certsrv/", PLACE_NOWHERE },
	{ "the folder above without its slash", "/certsrv", PLACE_NOWHERE },
	{ "another client's path", "/cgi-bin/pkiclient.exe", PLACE_NOWHERE },
	{ "a file beside the service", "/certsrv/mscep/pkiclient.exe",
	    PLACE_NOWHERE },
	{ "the service and a letter", "/certsrv/mscep/mscep.dllx",
	    PLACE_NOWHERE },
	{ "the service less a letter", "/certsrv/mscep/mscep.dl",
	    PLACE_NOWHERE },
	{ "the service without its folder", "/certsrv/mscep.dll",
	    PLACE_NOWHERE },
	{ "the service alone", "/mscep.dll", PLACE_NOWHERE },
	{ "the folder and a letter", "/certsrv/mscepx/mscep.dll",
	    PLACE_NOWHERE },
	{ "the folder and an underscore", "/certsrv/mscep_/", PLACE_NOWHERE },
	{ "the admin folder and a letter", "/certsrv/mscep_admins/",
	    PLACE_NOWHERE },
	{ "a folder before", "/x/certsrv/mscep/mscep.dll", PLACE_NOWHERE },
	{ "a star", "*", PLACE_NOWHERE },
	{ "escaped twice", "/%2563ertsrv/mscep/mscep.dll", PLACE_NOWHERE },
	{ "only the query is right", "/x?/certsrv/mscep/mscep.dll",
	    PLACE_NOWHERE },
};

static void
leads_to(void **state)
{
	const struct path *t = *state;
	struct exchange ex;

	exchange_make(&ex, "GET", t->target);
	assert_int_equal(iis_place(&ex.request), t->place);
	exchange_clear(&ex);
}

#define PASSES 0
#define SERVICE "/certsrv/mscep/mscep.dll"

static const struct filtered {
	const char *row, *method, *target;
	int64_t content_length;
	int status, substatus;
	uint32_t win32;
} filtereds[] = {
	{ "a GET", "GET", SERVICE, -1, PASSES, 0, 0 },
	{ "a HEAD", "HEAD", SERVICE, -1, PASSES, 0, 0 },
	{ "a POST as large as allowed", "POST", SERVICE, 1000, PASSES, 0, 0 },
	{ "a POST one octet larger", "POST", SERVICE, 1001, 413, 1, 0 },
	{ "a path as long as allowed", "GET", SERVICE "/2345678901234567890123",
	    -1, PASSES, 0, 0 },
	{ "a path one octet longer", "GET", SERVICE "/23456789012345678901234",
	    -1, 404, 14, 0 },
	{ "a query as long as allowed", "GET",
	    SERVICE "?operation=GetCACaps12345678901234567890", -1, PASSES, 0,
	    0 },
	{ "a query one octet longer", "GET",
	    SERVICE "?operation=GetCACaps123456789012345678901", -1, 404, 15,
	    0 },
	{ "a path that leads nowhere", "GET", "/", -1, 404, 0, 2 },
	{ "another verb", "PUT", SERVICE, 5, 405, 0, 1 },
	{ "a verb in small letters", "get", SERVICE, -1, 405, 0, 1 },
	{ "another verb that leads nowhere", "DELETE", "/", -1, 404, 0, 2 },
	{ "a folder without its slash", "GET", "/certsrv/mscep_admin", -1, 301,
	    0, 0 },
	{ "too large a POST that leads nowhere", "POST", "/", 1001, 413, 1, 0 },
};

static void
filters(void **state)
{
	const struct filtered *t = *state;
	struct stack_state s;
	struct exchange ex;

	stack_healthy(&s);
	s.iis.max_url = 47;
	s.iis.max_query_string = 39;
	s.iis.max_allowed_content_length = 1000;
	s.iis.too_long = TOO_LONG_FILTERING;
	exchange_make(&ex, t->method, t->target);
	exchange_header(&ex, "Host", "ndes");
	ex.request.content_length = t->content_length;
	iis_pass(&ex, &s);
	assert_int_equal(ex.request.body_limit, 1000);
	if (t->status == PASSES)
		assert_false(exchange_is_answered(&ex));
	else
		exchange_must_say(&ex, LAYER_IIS, t->status, t->substatus,
		    t->win32);
	if (t->status == 405)
		exchange_must_have_header(&ex, "Allow", "GET, HEAD, POST");
	exchange_clear(&ex);
}

/* The other way of saying it, which is the one that comes unasked. */
static void
too_long(void **state)
{
	static const char *const targets[] = { SERVICE "?0123", SERVICE "/",
		"/certsrv/mscep_admin?01234",
		"/certsrv/nowhere/which-is-long" };
	struct stack_state s;
	struct exchange ex;

	(void)state;
	stack_healthy(&s);
	s.iis.max_url = sizeof(SERVICE) - 1;
	s.iis.max_query_string = 3;
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		exchange_make(&ex, "GET", targets[i]);
		iis_pass(&ex, &s);
		exchange_must_say(&ex, LAYER_IIS, 414, 0, 0);
		assert_string_equal(reason_phrase(ex.reply.status),
		    "Request-URI Too Long");
		exchange_must_have_header(&ex, "Server", "Microsoft-IIS/10.0");
		exchange_body_must_have(&ex,
		    "The page was not displayed because the request URI is too "
		    "long.");
		assert_false(exchange_body_has(&ex, "<"));
		exchange_clear(&ex);
	}
}

static const struct read_status {
	const char *row, *text;
	struct iis_status wanted; /* status 0: none */
} read_statuses[] = {
	{ "a status", "500", { 500, 0, 0 } },
	{ "with its substatus", "403.16", { 403, 16, 0 } },
	{ "and its win32 status", "500.0.1346", { 500, 0, 1346 } },
	{ "an HRESULT", "403.16.2148204809", { 403, 16, 0x800b0109 } },
	{ "the longest", "599.999.4294967295", { 599, 999, UINT32_MAX } },
	{ "the usual one of a refusal", "401.2", { 401, 2, 5 } },
	{ "unless another is given", "401.2.0", { 401, 2, 0 } },
	{ "the usual one of what is missing", "404", { 404, 0, 2 } },
	{ "nothing", "", { 0, 0, 0 } },
	{ "no error", "200", { 0, 0, 0 } },
	{ "a redirect without a place", "302", { 0, 0, 0 } },
	{ "beyond all", "600", { 0, 0, 0 } },
	{ "a word", "gone", { 0, 0, 0 } },
	{ "a dot too many", "401.", { 0, 0, 0 } },
	{ "a dot before", ".401", { 0, 0, 0 } },
	{ "two dots", "401..5", { 0, 0, 0 } },
	{ "four parts", "401.2.5.1", { 0, 0, 0 } },
	{ "a sign", "-401", { 0, 0, 0 } },
	{ "a blank", "401.2 ", { 0, 0, 0 } },
	{ "a large substatus", "401.1000", { 0, 0, 0 } },
	{ "a large win32 status", "401.2.4294967296", { 0, 0, 0 } },
	{ "larger than any number", "401.2.99999999999999999999999",
	    { 0, 0, 0 } },
};

static void
reads_status(void **state)
{
	const struct read_status *t = *state;
	struct iis_status got = { 0, 0, 0 };
	struct error err = { 0 };
	bool good = t->wanted.status != 0;

	assert_int_equal(iis_read_status(t->text, &got, &err), good ? 0 : -1);
	assert_int_equal(got.status, t->wanted.status);
	assert_int_equal(got.substatus, t->wanted.substatus);
	assert_int_equal(got.win32, t->wanted.win32);
	if (!good)
		assert_non_null(strstr(err.text, "of the form 401.2"));
}

static void
break_account(struct stack_state *s)
{
	s->app_pool.identity = IDENTITY_LOCKED;
}

static void
break_password(struct stack_state *s)
{
	s->app_pool.identity = IDENTITY_PASSWORD_EXPIRED;
}

static void
break_account_for_was(struct stack_state *s)
{
	s->app_pool.identity = IDENTITY_LOCKED;
	s->app_pool.identity_failure = IDENTITY_FAILS_503;
}

static void
break_right(struct stack_state *s)
{
	s->iis.impersonation_right = false;
}

static void
break_right_and_account(struct stack_state *s)
{
	break_right(s);
	break_password(s);
}

static void
order_status(struct stack_state *s)
{
	strcpy(s->iis.status, "403.16.2148204809");
	break_right(s);
	s->iis.max_query_string = 0;
}

static void
break_handlers(struct stack_state *s)
{
	s->windows = WINDOWS_2012;
	s->iis.handlers_ordered = false;
}

static void
break_handlers_of_another(struct stack_state *s)
{
	s->windows = WINDOWS_2012R2;
	s->iis.handlers_ordered = false;
}

static void
protect_admin(struct stack_state *s)
{
	break_handlers(s);
	s->mscep.admin.authentication = AUTHENTICATION_BASIC;
	strcpy(s->mscep.admin.user, "admin");
}

#define FOLDER "/certsrv/mscep"
#define ADMIN_SITE "/certsrv/mscep_admin/"

static const struct broken {
	const char *row, *target;
	void (*break_it)(struct stack_state *);
	int status, substatus; /* PASSES */
	uint32_t win32;
	int event; /* 0: none */
} brokens[] = {
	{ "the article's right", SERVICE "?operation=GetCACert&message=x",
	    break_right, 500, 0, 1346, 0 },
	{ "it is that of browsers too", SERVICE, break_right, 500, 0, 1346, 0 },
	{ "and of who wants a password", ADMIN_SITE, break_right, 500, 0, 1346,
	    0 },
	{ "and of folders", FOLDER, break_right, 500, 0, 1346, 0 },
	{ "but of NDES alone", "/", break_right, 404, 0, 2, 0 },
	{ "the account is locked", SERVICE, break_account, 500, 0, 1909, 0 },
	{ "its password has expired", SERVICE, break_password, 500, 0, 1330,
	    0 },
	{ "both", SERVICE, break_right_and_account, 500, 0, 1330, 0 },
	{ "what WAS sees is not for IIS", SERVICE, break_account_for_was,
	    PASSES, 0, 0, 0 },
	{ "a status that is ordered", SERVICE "?operation=GetCACert",
	    order_status, 403, 16, 0x800b0109, 0 },
	{ "also for the admin site", ADMIN_SITE, order_status, 403, 16,
	    0x800b0109, 0 },
	{ "but not for others", "/x", order_status, 404, 0, 2, 0 },
	{ "the handlers of 2012", ADMIN_SITE, break_handlers, 500, 0, 234, 2 },
	{ "with a file", ADMIN_SITE "mscep.dll", break_handlers, 500, 0, 234,
	    2 },
	{ "not of the service", SERVICE, break_handlers, PASSES, 0, 0, 0 },
	{ "not of another Windows", ADMIN_SITE, break_handlers_of_another,
	    PASSES, 0, 0, 0 },
	{ "after who comes is known", ADMIN_SITE, protect_admin, 401, 2, 5, 0 },
};

static void
is_broken(void **state)
{
	const struct broken *t = *state;
	struct stack_state s;
	struct exchange ex;

	stack_healthy(&s);
	t->break_it(&s);
	exchange_make(&ex, "GET", t->target);
	exchange_header(&ex, "Host", "ndes");
	iis_pass(&ex, &s);
	assert_int_equal(ex.request.body_limit, 30000000);
	if (t->status == PASSES)
		assert_false(exchange_is_answered(&ex));
	else
		exchange_must_say(&ex, LAYER_IIS, t->status, t->substatus,
		    t->win32);
	if (t->status == 500)
		exchange_body_must_have(&ex, "500 - Internal server error.");
	assert_int_equal(ex.events == NULL ? 0 : ex.events->id, t->event);
	if (t->event != 0)
		assert_string_equal(ex.events->text,
		    "The Network Device Enrollment Service cannot be started "
		    "(0x800700ea).  More data is available.");
	exchange_clear(&ex);
}

static const struct ended {
	const char *row;
	enum body_end end;
	enum layer layer;
	int status, substatus;
} endeds[] = {
	{ "a whole body", BODY_WHOLE, LAYER_NONE, 0, 0 },
	{ "a body beyond the limit", BODY_TOO_LARGE, LAYER_IIS, 413, 1 },
	{ "a body for which there is no room", BODY_NO_ROOM, LAYER_HTTP_SYS,
	    503, 0 },
};

static void
body_ends(void **state)
{
	const struct ended *t = *state;
	struct stack_state s;
	struct exchange ex;

	stack_healthy(&s);
	exchange_make(&ex, "POST", SERVICE);
	ex.request.body_end = t->end;
	iis_pass_body(&ex, &s);
	exchange_must_say(&ex, t->layer, t->status, t->substatus, 0);
	exchange_clear(&ex);
}

#define CREDENTIALS                                                        \
	"You do not have permission to view this directory or page using " \
	"the credentials that you supplied."
#define REMOVED                                                          \
	"The resource you are looking for might have been removed, had " \
	"its name changed, or is temporarily unavailable."

static const struct page {
	const char *row;
	enum error_pages mode;
	int status, substatus;
	const char *title, *sentence; /* title NULL: a plain line */
	bool detailed;
} pages[] = {
	{ "401 of the article", PAGES_ARTICLE, 401, 2,
	    "401 - Unauthorized: Access is denied due to invalid credentials.",
	    CREDENTIALS, false },
	{ "404 of the article", PAGES_ARTICLE, 404, 0,
	    "404 - File or directory not found.", REMOVED, false },
	{ "404.15 of the article", PAGES_ARTICLE, 404, 15,
	    "404 - File or directory not found.", REMOVED, false },
	{ "414 has one line", PAGES_ARTICLE, 414, 0, NULL,
	    "The page was not displayed because the request URI is too long.",
	    false },
	{ "414 in detail", PAGES_DETAILED, 414, 0,
	    "IIS 10.0 Detailed Error - 414.0 - Request-URI Too Long", NULL,
	    true },
	{ "500 of the article", PAGES_ARTICLE, 500, 0,
	    "500 - Internal server error.",
	    "There is a problem with the resource you are looking for, and it "
	    "cannot be displayed.",
	    false },
	{ "405 of the article", PAGES_ARTICLE, 405, 0,
	    "405 - HTTP verb used to access this page is not allowed.",
	    "The page you are looking for cannot be displayed because an "
	    "invalid method (HTTP verb) was used to attempt access.",
	    false },
	{ "403.0 of the article", PAGES_ARTICLE, 403, 0,
	    "IIS 10.0 Detailed Error - 403.0 - Forbidden",
	    "You do not have permission to view this directory or page.",
	    true },
	{ "403.16, which the article does not show", PAGES_ARTICLE, 403, 16,
	    "403 - Forbidden: Access is denied.", CREDENTIALS, false },
	{ "403 for a remote client", PAGES_REMOTE, 403, 0,
	    "403 - Forbidden: Access is denied.", CREDENTIALS, false },
	{ "403.16 for a remote client", PAGES_REMOTE, 403, 16,
	    "403 - Forbidden: Access is denied.", CREDENTIALS, false },
	{ "404 for a remote client", PAGES_REMOTE, 404, 0,
	    "404 - File or directory not found.", REMOVED, false },
	{ "500 for a remote client", PAGES_REMOTE, 500, 0,
	    "500 - Internal server error.",
	    "There is a problem with the resource you are looking for, and it "
	    "cannot be displayed.",
	    false },
	{ "403.0 in detail", PAGES_DETAILED, 403, 0,
	    "IIS 10.0 Detailed Error - 403.0 - Forbidden",
	    "You do not have permission to view this directory or page.",
	    true },
	{ "404.15 in detail", PAGES_DETAILED, 404, 15,
	    "IIS 10.0 Detailed Error - 404.15 - Not Found",
	    "The request filtering module is configured to deny a request "
	    "where the query string is too long.",
	    true },
	{ "404.0 in detail", PAGES_DETAILED, 404, 0,
	    "IIS 10.0 Detailed Error - 404.0 - Not Found",
	    "The resource you are looking for has been removed, had its name "
	    "changed, or is temporarily unavailable.",
	    true },
	{ "500.0 in detail", PAGES_DETAILED, 500, 0,
	    "IIS 10.0 Detailed Error - 500.0 - Internal Server Error",
	    "The page cannot be displayed because an internal server error "
	    "has occurred.",
	    true },
	{ "413.1 has one line", PAGES_ARTICLE, 413, 1, NULL,
	    "The page was not displayed because the request entity is too "
	    "large.",
	    false },
	{ "413.1 has one line for a remote client", PAGES_REMOTE, 413, 1, NULL,
	    "The page was not displayed because the request entity is too "
	    "large.",
	    false },
};

/* IIS's pages end their lines with CR LF, every one of them. */
static void
check_line_ends(struct span body)
{
	for (size_t i = 0; i < body.len; i++)
		if (body.data[i] == '\n')
			assert_true(i > 0 && body.data[i - 1] == '\r');
}

static void
error_page(void **state)
{
	const struct page *t = *state;
	char heading[200];
	struct stack_state s;
	struct exchange ex;

	stack_healthy(&s);
	s.iis.error_pages = t->mode;
	exchange_make(&ex, "GET", SERVICE);
	iis_answer(&ex, &s, LAYER_MSCEP, t->status, t->substatus, 0);
	exchange_must_say(&ex, LAYER_MSCEP, t->status, t->substatus, 0);
	exchange_must_be_measured(&ex);
	exchange_must_have_header(&ex, "Content-Type",
	    t->detailed ? "text/html; charset=utf-8" : "text/html");
	check_line_ends(blob_span(&ex.reply.body));
	if (t->title == NULL) {
		assert_octets(blob_span(&ex.reply.body), t->sentence,
		    strlen(t->sentence));
	} else {
		snprintf(heading, sizeof(heading), "<title>%s</title>",
		    t->title);
		exchange_body_must_have(&ex, heading);
		if (t->sentence != NULL)
			snprintf(heading, sizeof(heading), ">%s</h%c>",
			    t->sentence, t->detailed ? '4' : '3');
		exchange_body_must_have(&ex, heading);
	}
	if (t->title != NULL && !t->detailed) {
		snprintf(heading, sizeof(heading), "<h2>%s</h2>", t->title);
		exchange_body_must_have(&ex, heading);
		exchange_body_must_have(&ex, ">Server Error</");
		exchange_body_must_have(&ex, "charset=iso-8859-1");
	}
	exchange_clear(&ex);
}

static const struct coded {
	uint32_t win32;
	const char *cell;
} codes[] = {
	{ 0, "<td>0x00000000</td>" },
	{ 5, "<td>0x80070005</td>" },
	{ 1346, "<td>0x80070542</td>" },
	{ 0x800b0109, "<td>0x800b0109</td>" },
};

static void
error_codes(void **state)
{
	struct stack_state s;
	struct exchange ex;

	(void)state;
	stack_healthy(&s);
	s.iis.error_pages = PAGES_DETAILED;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		exchange_make(&ex, "GET", SERVICE);
		iis_answer(&ex, &s, LAYER_IIS, 403, 16, codes[i].win32);
		exchange_body_must_have(&ex, codes[i].cell);
		exchange_clear(&ex);
	}
}

static void
detailed_texts(void **state)
{
	struct stack_state s;
	struct exchange ex;

	(void)state;
	stack_healthy(&s);
	s.iis.error_pages = PAGES_DETAILED;
	exchange_make(&ex, "GET", SERVICE "?x=1");
	exchange_header(&ex, "Host", "ndes.example:8080");
	iis_answer(&ex, &s, LAYER_POLICY_MODULE, 403, 0, 0);
	exchange_body_must_have(&ex, "<h3>HTTP Error 403.0 - Forbidden</h3>");
	exchange_body_must_have(&ex, "Most likely causes:");
	exchange_body_must_have(&ex,
	    "This is a generic 403 error and means the authenticated user is "
	    "not authorized to view the page.");
	exchange_body_must_have(&ex, "0x00000000");
	exchange_body_must_have(&ex,
	    "LinkID=62293&amp;IIS70Error=403,0,0x00000000,20348\"");
	exchange_body_must_have(&ex,
	    "http://ndes.example:8080" SERVICE "?x=1<");
	exchange_clear(&ex);

	exchange_make(&ex, "GET", SERVICE);
	iis_answer(&ex, &s, LAYER_IIS, 404, 15, 0);
	exchange_body_must_have(&ex, "Things you can try:");
	exchange_body_must_have(&ex,
	    "Verify the configuration/system.webServer/security/"
	    "requestFiltering/requestLimits@maxQueryString setting in the "
	    "applicationhost.config or web.config file.");
	exchange_clear(&ex);

	exchange_make(&ex, "GET", SERVICE);
	iis_answer(&ex, &s, LAYER_IIS, 500, 0, 1346);
	exchange_body_must_have(&ex, "0x80070542");
	exchange_clear(&ex);
}

static const struct generation {
	const char *row;
	enum windows windows;
	const char *server, *title;
	int build;
} generations[] = {
	{ "2008 R2", WINDOWS_2008R2, "Microsoft-IIS/7.5",
	    "<title>IIS 7.5 Detailed Error - 403.0 - Forbidden</title>", 7601 },
	{ "2012", WINDOWS_2012, "Microsoft-IIS/8.0",
	    "<title>IIS 8.0 Detailed Error - 403.0 - Forbidden</title>", 9200 },
	{ "2012 R2", WINDOWS_2012R2, "Microsoft-IIS/8.5",
	    "<title>IIS 8.5 Detailed Error - 403.0 - Forbidden</title>", 9600 },
	{ "2016", WINDOWS_2016, "Microsoft-IIS/10.0",
	    "<title>IIS 10.0 Detailed Error - 403.0 - Forbidden</title>",
	    14393 },
	{ "2019", WINDOWS_2019, "Microsoft-IIS/10.0",
	    "<title>IIS 10.0 Detailed Error - 403.0 - Forbidden</title>",
	    17763 },
	{ "2022", WINDOWS_2022, "Microsoft-IIS/10.0",
	    "<title>IIS 10.0 Detailed Error - 403.0 - Forbidden</title>",
	    20348 },
	{ "2025", WINDOWS_2025, "Microsoft-IIS/10.0",
	    "<title>IIS 10.0 Detailed Error - 403.0 - Forbidden</title>",
	    26100 },
};

static void
windows_says(void **state)
{
	const struct generation *t = *state;
	struct stack_state s;
	struct exchange ex;
	char build[60];

	stack_healthy(&s);
	s.windows = t->windows;
	exchange_make(&ex, "GET", SERVICE);
	iis_answer(&ex, &s, LAYER_IIS, 403, 0, 0);
	exchange_must_have_headers(&ex,
	    "Content-Type Server X-Powered-By Date");
	exchange_must_have_header(&ex, "Server", t->server);
	exchange_must_have_header(&ex, "X-Powered-By", "ASP.NET");
	exchange_must_have_header(&ex, "Date", EXCHANGE_DATE);
	exchange_body_must_have(&ex, t->title);
	snprintf(build, sizeof(build), "IIS70Error=403,0,0x00000000,%d\"",
	    t->build);
	exchange_body_must_have(&ex, build);
	exchange_clear(&ex);
}

static void
without_asp_net(void **state)
{
	struct stack_state s;
	struct exchange ex;

	(void)state;
	stack_healthy(&s);
	s.iis.x_powered_by = false;
	exchange_make(&ex, "GET", SERVICE);
	iis_answer(&ex, &s, LAYER_IIS, 404, 0, 2);
	exchange_must_have_headers(&ex, "Content-Type Server Date");
	exchange_clear(&ex);
}

static void
hostile_request(void **state)
{
	struct stack_state s;
	struct exchange ex;

	(void)state;
	stack_healthy(&s);
	s.iis.error_pages = PAGES_DETAILED;
	exchange_make(&ex, "GET",
	    "/x<script>alert(1)</script>?a=\"><img src=x>&b='");
	exchange_header(&ex, "Host", "evil\"><script>");
	iis_answer(&ex, &s, LAYER_IIS, 404, 0, 2);
	assert_false(exchange_body_has(&ex, "<script"));
	assert_false(exchange_body_has(&ex, "<img"));
	assert_false(exchange_body_has(&ex, "evil\""));
	exchange_body_must_have(&ex,
	    "http://evil&quot;&gt;&lt;script&gt;/x&lt;script&gt;alert(1)"
	    "&lt;/script&gt;?a=&quot;&gt;&lt;img src=x&gt;&amp;b='");
	exchange_clear(&ex);
}

static const struct redirect {
	const char *row, *target, *host, *local, *location, *link;
} redirects[] = {
	{ "to the admin folder", "/certsrv/mscep_admin", "ndes.example",
	    "10.1.2.5", "http://ndes.example/certsrv/mscep_admin/",
	    "<a HREF=\"http://ndes.example/certsrv/mscep_admin/\">" },
	{ "to the folder of the service", "/certsrv/mscep", "ndes:8080",
	    "10.1.2.5", "http://ndes:8080/certsrv/mscep/",
	    "<a HREF=\"http://ndes:8080/certsrv/mscep/\">" },
	{ "in the client's spelling", "/CertSrv/%6dscep_Admin", "ndes",
	    "10.1.2.5", "http://ndes/CertSrv/%6dscep_Admin/",
	    "<a HREF=\"http://ndes/CertSrv/%6dscep_Admin/\">" },
	{ "of an absolute target", "http://ndes/certsrv/mscep", "ndes",
	    "10.1.2.5", "http://ndes/certsrv/mscep/",
	    "<a HREF=\"http://ndes/certsrv/mscep/\">" },
	{ "without a Host", "/certsrv/mscep", NULL, "10.1.2.5",
	    "http://10.1.2.5:8080/certsrv/mscep/",
	    "<a HREF=\"http://10.1.2.5:8080/certsrv/mscep/\">" },
	{ "without a Host on IPv6", "/certsrv/mscep", NULL, "fe80::5",
	    "http://[fe80::5]:8080/certsrv/mscep/",
	    "<a HREF=\"http://[fe80::5]:8080/certsrv/mscep/\">" },
	{ "without a Host, IPv4 in IPv6", "/certsrv/mscep", NULL,
	    "::ffff:10.1.2.5", "http://10.1.2.5:8080/certsrv/mscep/",
	    "<a HREF=\"http://10.1.2.5:8080/certsrv/mscep/\">" },
	{ "of a hostile Host", "/certsrv/mscep", "a\"><b>", "10.1.2.5", NULL,
	    "<a HREF=\"http://a&quot;&gt;&lt;b&gt;/certsrv/mscep/\">" },
};

static void
redirects_to(void **state)
{
	const struct redirect *t = *state;
	struct stack_state s;
	struct exchange ex;

	stack_healthy(&s);
	exchange_make(&ex, "GET", t->target);
	if (t->host != NULL)
		exchange_header(&ex, "Host", t->host);
	ex.request.local = exchange_endpoint(t->local, 8080);
	iis_redirect_to_folder(&ex, &s);
	exchange_must_say(&ex, LAYER_IIS, 301, 0, 0);
	if (t->location != NULL)
		exchange_must_have_header(&ex, "Location", t->location);
	exchange_body_must_have(&ex, t->link);
	exchange_must_be_measured(&ex);
	exchange_clear(&ex);
}

int
main(void)
{
	static const struct table tables[] = {
		ROWS(leads_to, paths),
		ROWS(filters, filtereds),
		ONE(too_long, "too long a URL, in the article's words"),
		ROWS(reads_status, read_statuses),
		ROWS(is_broken, brokens),
		ROWS(body_ends, endeds),
		ROWS(error_page, pages),
		ONE(detailed_texts, "a detailed page says cause and remedy"),
		ONE(error_codes,
		    "Error Code: an HRESULT, of a win32 status too"),
		ROWS(windows_says, generations),
		ONE(without_asp_net, "without ASP.NET a header less"),
		ONE(hostile_request, "a request never becomes markup"),
		ROWS(redirects_to, redirects),
	};

	return ROWS_RUN(tables, NULL, NULL);
}
