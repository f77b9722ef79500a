/* IIS: error pages, and the headers of all that it sends (ndes-facts 6). */
#include "stack/stack.h"

#include <string.h>

#define INTERNAL_ERROR                                                   \
	"The page cannot be displayed because an internal server error " \
	"has occurred."

/* What the pages say (6.3, 6.4); no page of its own: a plain line. */
static const struct page {
	int status, substatus;		     /* substatus -1: any */
	const char *title, *text;	     /* static page */
	const char *detail, *cause, *remedy; /* detailed page */
	const char *plain;		     /* NULL: none, or `text` */
} pages[] = {
	{ 401, -1,
	    "401 - Unauthorized: Access is denied due to invalid "
	    "credentials.",
	    "You do not have permission to view this "
	    "directory or page using the credentials that you supplied.",
	    "You are not authorized to view this page due to invalid "
	    "authentication headers.",
	    NULL, NULL, NULL },
	{ 403, -1, "403 - Forbidden: Access is denied.",
	    "You do not have "
	    "permission to view this directory or page using the "
	    "credentials that you supplied.",
	    "You do not have permission "
	    "to view this directory or page.",
	    "This is a generic 403 error "
	    "and means the authenticated user is not authorized to view the "
	    "page.",
	    NULL, NULL },
	{ 404, 15, "404 - File or directory not found.",
	    "The resource you "
	    "are looking for might have been removed, had its name changed, "
	    "or is temporarily unavailable.",
	    "The request filtering module "
	    "is configured to deny a request where the query string is too "
	    "long.",
	    NULL,
	    "Verify the configuration/system.webServer/"
	    "security/requestFiltering/requestLimits@maxQueryString setting "
	    "in the applicationhost.config or web.config file.",
	    NULL },
	{ 404, -1, "404 - File or directory not found.",
	    "The resource you "
	    "are looking for might have been removed, had its name changed, "
	    "or is temporarily unavailable.",
	    "The resource you are looking "
	    "for has been removed, had its name changed, or is temporarily "
	    "unavailable.",
	    NULL, NULL, NULL },
	{ 405, -1,
	    "405 - HTTP verb used to access this page is not "
	    "allowed.",
	    "The page you are looking for cannot be displayed "
	    "because an invalid method (HTTP verb) was used to attempt "
	    "access.",
	    "The page you are looking for cannot be displayed "
	    "because an invalid method (HTTP verb) is being used.",
	    NULL, NULL, NULL },
	/* That there are these two is [C] (6.2), their words are assumed. */
	{ 406, -1,
	    "406 - Client browser does not accept the MIME type of the "
	    "requested page.",
	    "The page you are looking for cannot be opened by your browser "
	    "because it has a file name extension that your browser does not "
	    "accept.",
	    NULL, NULL, NULL, NULL },
	{ 412, -1,
	    "412 - Precondition set by the client failed when evaluated on "
	    "the Web server.",
	    "The request was not completed due to preconditions that are set "
	    "in the request header. Preconditions prevent the requested "
	    "method from being applied to a resource other than the one "
	    "intended.",
	    NULL, NULL, NULL, NULL },
	{ 413, -1, NULL,
	    "The page was not displayed because the request "
	    "entity is too large.",
	    NULL, NULL, NULL, NULL },
	/* Assumed: the article has the status line alone. */
	{ 414, -1, NULL,
	    "The page was not displayed because the request URI is too long.",
	    NULL, NULL, NULL, NULL },
	{ 500, -1, "500 - Internal server error.",
	    "There is a problem with "
	    "the resource you are looking for, and it cannot be displayed.",
	    INTERNAL_ERROR, NULL, NULL, INTERNAL_ERROR },
	/* Assumed, as 406 and 412. */
	{ 501, -1,
	    "501 - Header values specify a method that is not implemented.",
	    "The page you are looking for cannot be displayed because a "
	    "header value in the request does not match certain configuration "
	    "settings on the Web server.",
	    NULL, NULL, NULL, NULL },
	{ 502, -1,
	    "502 - Web server received an invalid response while acting as a "
	    "gateway or proxy server.",
	    "There is a problem with the page you are looking for, and it "
	    "cannot be displayed. When the Web server (while acting as a "
	    "gateway or proxy) contacted the upstream content server, it "
	    "received an invalid response from the content server.",
	    NULL, NULL, NULL, NULL },
};

static const struct page *
find_page(int status, int substatus)
{
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
		if (pages[i].status == status &&
		    (pages[i].substatus == -1 ||
			pages[i].substatus == substatus))
			return &pages[i];
	return NULL;
}

static void
build_static(struct buffer *b, const struct page *p)
{
	buffer_printf(b,
	    "<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 "
	    "Strict//EN\" \"http://www.w3.org/TR/xhtml1/DTD/"
	    "xhtml1-strict.dtd\">\r\n"
	    "<html xmlns=\"http://www.w3.org/1999/xhtml\">\r\n<head>\r\n"
	    "<meta http-equiv=\"Content-Type\" content=\"text/html; "
	    "charset=iso-8859-1\"/>\r\n<title>%s</title>\r\n"
	    "<style type=\"text/css\">\r\n"
	    "body { margin: 0; background: #eee; "
	    "font: .8em Verdana, Arial, sans-serif; }\r\n"
	    "#banner { background: #555; color: #fff; padding: 6px 2%%; "
	    "font-size: 1.8em; }\r\n"
	    "#box { background: #fff; margin: 12px 2%%; padding: 10px; }\r\n"
	    "h2 { color: #c00; font-size: 1.4em; margin: 0 0 8px; }\r\n"
	    "</style>\r\n</head>\r\n<body>\r\n"
	    "<div id=\"banner\">Server Error</div>\r\n<div id=\"box\">\r\n"
	    "<h2>%s</h2>\r\n<h3>%s</h3>\r\n</div>\r\n</body>\r\n</html>\r\n",
	    p->title, p->title, p->text);
}

void
iis_add_escaped(struct buffer *b, const char *text)
{
	for (; *text != '\0'; text++) {
		switch (*text) {
		case '<':
			buffer_add_text(b, "&lt;");
			break;
		case '>':
			buffer_add_text(b, "&gt;");
			break;
		case '&':
			buffer_add_text(b, "&amp;");
			break;
		case '"':
			buffer_add_text(b, "&quot;");
			break;
		default:
			buffer_add_byte(b, (uint8_t)*text);
		}
	}
}

static void
add_section(struct buffer *b, const char *heading, const char *item)
{
	if (item != NULL)
		buffer_printf(b,
		    "<div class=\"box\"><h5>%s</h5>\r\n<ul><li>"
		    "%s</li></ul></div>\r\n",
		    heading, item);
}

/* A win32 status as an HRESULT; one that is an HRESULT already stays. */
static unsigned
error_code(const struct verdict *v)
{
	return v->win32 == 0 || v->win32 > UINT16_MAX ? v->win32 :
							0x80070000U | v->win32;
}

static void
build_detailed(struct buffer *b, const struct exchange *ex,
    const struct stack_state *state, const struct page *p)
{
	const struct verdict *v = &ex->verdict;
	const char *iis = windows_server_header(state->windows) +
	    strlen("Microsoft-IIS/");
	const char *host = request_header(&ex->request, "Host");

	buffer_printf(b,
	    "<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 "
	    "Strict//EN\" \"http://www.w3.org/TR/xhtml1/DTD/"
	    "xhtml1-strict.dtd\">\r\n"
	    "<html xmlns=\"http://www.w3.org/1999/xhtml\">\r\n<head>\r\n"
	    "<title>IIS %s Detailed Error - %d.%d - %s</title>\r\n"
	    "<style type=\"text/css\">\r\n"
	    "body { margin: 0; background: #cbe1ef; "
	    "font: .8em Verdana, Arial, sans-serif; }\r\n"
	    "h3 { font-size: 1.4em; color: #c00; margin: 8px 0; }\r\n"
	    "h4 { margin: 4px 0; }\r\nh5 { margin: 8px 0 0; }\r\n"
	    ".box { background: #fff; margin: 8px 2%%; padding: 8px; }\r\n"
	    "th { text-align: left; padding-right: 16px; }\r\n"
	    "</style>\r\n</head>\r\n<body>\r\n<div class=\"box\">\r\n"
	    "<h3>HTTP Error %d.%d - %s</h3>\r\n",
	    iis, v->status, v->substatus, reason_phrase(v->status), v->status,
	    v->substatus, reason_phrase(v->status));
	if (p != NULL && p->detail != NULL)
		buffer_printf(b, "<h4>%s</h4>\r\n", p->detail);
	buffer_add_text(b, "</div>\r\n");
	add_section(b, "Most likely causes:", p == NULL ? NULL : p->cause);
	add_section(b, "Things you can try:", p == NULL ? NULL : p->remedy);
	buffer_printf(b,
	    "<div class=\"box\"><h5>Detailed Error Information:"
	    "</h5>\r\n<table>\r\n<tr><th>Error Code</th><td>0x%08x</td></tr>"
	    "\r\n<tr><th>Requested URL</th><td>http://",
	    error_code(v));
	iis_add_escaped(b, host == NULL ? "localhost" : host);
	iis_add_escaped(b, ex->request.target);
	buffer_printf(b,
	    "</td></tr>\r\n</table></div>\r\n<div class=\"box\">"
	    "<a href=\"http://go.microsoft.com/fwlink/?LinkID=62293&amp;"
	    "IIS70Error=%d,%d,0x%08x,%d\">View more information &raquo;</a>"
	    "</div>\r\n</body>\r\n</html>\r\n",
	    v->status, v->substatus, error_code(v),
	    windows_build(state->windows));
}

void
iis_send(struct exchange *ex, const struct stack_state *state,
    const char *content_type, struct blob body)
{
	struct reply *r = &ex->reply;
	char date[CLOCK_HTTP_SIZE];

	r->body = body;
	if (r->status == 405)
		reply_header(r, "Allow", "GET, HEAD, POST");
	if (content_type != NULL)
		reply_header(r, "Content-Type", "%s", content_type);
	reply_header(r, "Server", "%s", windows_server_header(state->windows));
	if (r->status == 401)
		authentication_offer(ex, state);
	if (state->iis.x_powered_by)
		reply_header(r, "X-Powered-By", "ASP.NET");
	reply_header(r, "Date", "%s", clock_http_date(ex->at, date));
}

/* The article shows 403.0 in detail, and no other (6.1). */
static bool
is_detailed(const struct stack_state *state, int status, int substatus)
{
	switch (state->iis.error_pages) {
	case PAGES_DETAILED:
		return true;
	case PAGES_REMOTE:
		return false;
	case PAGES_ARTICLE:
		break;
	}
	return status == 403 && substatus == 0;
}

static void
build_plain(struct buffer *b, const struct page *p)
{
	const char *text = p == NULL ? NULL :
	    p->plain != NULL	     ? p->plain :
	    p->title == NULL	     ? p->text :
				       NULL;

	buffer_add_text(b,
	    text != NULL ? text : "The page cannot be displayed.");
}

void
iis_answer_form(struct exchange *ex, const struct stack_state *state,
    enum iis_form form, enum layer layer, int status, int substatus,
    uint32_t win32)
{
	const struct page *p = find_page(status, substatus);
	struct buffer b = { 0 };
	struct blob body;
	const char *type = "text/html";

	exchange_answer(ex, layer, status, substatus, win32);
	if (form == IIS_FORM_SET)
		form = is_detailed(state, status, substatus) ?
		    IIS_FORM_DETAILED :
		    IIS_FORM_STATIC;
	if (form == IIS_FORM_DETAILED) {
		build_detailed(&b, ex, state, p);
		type = "text/html; charset=utf-8";
	} else if (form == IIS_FORM_STATIC && p != NULL && p->title != NULL) {
		build_static(&b, p);
	} else {
		build_plain(&b, p);
	}
	buffer_finish(&b, &body);
	iis_send(ex, state, type, body);
}

void
iis_answer(struct exchange *ex, const struct stack_state *state,
    enum layer layer, int status, int substatus, uint32_t win32)
{
	iis_answer_form(ex, state, IIS_FORM_SET, layer, status, substatus,
	    win32);
}

void
iis_build_moved(const char *url, struct blob *out)
{
	struct buffer b = { 0 };

	buffer_add_text(&b,
	    "<head><title>Document Moved</title></head>\n"
	    "<body><h1>Object Moved</h1>This document may be found <a "
	    "HREF=\"");
	iis_add_escaped(&b, url);
	buffer_add_text(&b, "\">here</a></body>");
	buffer_finish(&b, out);
}
