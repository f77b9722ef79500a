/* Who comes to the admin site (ndes-facts 5.1, RFC 7617). */
#include "unit/exchanges.h"

#include <openssl/evp.h>

#include "evidence/evidence.h"
#include "stack/stack.h"

#define ADMIN "/certsrv/mscep_admin/"
#define USER "na\\sra_admin"
#define PASSWORD "pass: word"

static struct stack_state
basic(void)
{
	struct stack_state s;

	stack_healthy(&s);
	s.mscep.admin.authentication = AUTHENTICATION_BASIC;
	strcpy(s.mscep.admin.user, USER);
	strcpy(s.mscep.admin.password, PASSWORD);
	return s;
}

/* "Basic" and the base64 of `plain`, by OpenSSL; the caller frees it. */
static char *
basic_header(const char *scheme, const char *plain, size_t len)
{
	char *text = malloc(strlen(scheme) + len / 3 * 4 + 6);

	assert_non_null(text);
	strcpy(text, scheme);
	EVP_EncodeBlock((uint8_t *)text + strlen(scheme),
	    (const uint8_t *)plain, (int)len);
	return text;
}

static const struct credentials_of {
	const char *row;
	const char *scheme, *plain; /* plain NULL: as it is */
	int substatus;		    /* 0: admitted */
	const char *user;
} credentials[] = {
	{ "none", NULL, NULL, 2, NULL },
	{ "good ones", "Basic ", USER ":" PASSWORD, 0, USER },
	{ "a scheme in other letters", "bASIC ", USER ":" PASSWORD, 0, USER },
	{ "blanks before them", "Basic    ", USER ":" PASSWORD, 0, USER },
	{ "a user in other letters", "Basic ", "NA\\SRA_Admin:" PASSWORD, 0,
	    "NA\\SRA_Admin" },
	{ "a password in other letters", "Basic ", USER ":Pass: word", 1,
	    NULL },
	{ "a wrong password", "Basic ", USER ":wrong", 1, NULL },
	{ "the beginning of the password", "Basic ", USER ":pass", 1, NULL },
	{ "the password and more", "Basic ", USER ":" PASSWORD "x", 1, NULL },
	{ "no password", "Basic ", USER ":", 1, NULL },
	{ "a wrong user", "Basic ", "sra_admin:" PASSWORD, 1, NULL },
	{ "no user", "Basic ", ":" PASSWORD, 1, NULL },
	{ "neither", "Basic ", ":", 1, NULL },
	{ "no colon", "Basic ", USER, 1, NULL },
	{ "nothing at all", "Basic ", NULL, 1, NULL },
	{ "no base64", "Basic !!!!", NULL, 1, NULL },
	{ "base64 that is cut", "Basic QUJDR", NULL, 1, NULL },
	{ "padding first", "Basic =QUJD", NULL, 1, NULL },
	{ "a scheme alone", "Basic", NULL, 2, NULL },
	{ "another scheme", "NTLM TlRMTVNTUAABAAAA", NULL, 2, NULL },
	{ "a scheme that begins alike", "Basics QUJD", NULL, 2, NULL },
	{ "an empty header", "", NULL, 2, NULL },
};

static void
asks(void **state)
{
	const struct credentials_of *t = *state;
	struct stack_state s = basic();
	struct exchange ex;
	char *header = NULL;

	exchange_make(&ex, "GET", ADMIN);
	exchange_header(&ex, "Host", "ndes.example:8080");
	if (t->scheme != NULL) {
		header = basic_header(t->scheme,
		    t->plain == NULL ? "" : t->plain,
		    t->plain == NULL ? 0 : strlen(t->plain));
		exchange_header(&ex, "Authorization", header);
	}
	iis_pass(&ex, &s);
	if (t->substatus == 0) {
		assert_false(exchange_is_answered(&ex));
		assert_string_equal(ex.user, t->user);
	} else {
		exchange_must_say(&ex, LAYER_IIS, 401, t->substatus,
		    t->substatus == 2 ? 5 : 1326);
		exchange_must_have_header(&ex, "WWW-Authenticate",
		    "Basic realm=\"ndes.example\"");
		exchange_must_be_measured(&ex);
		exchange_body_must_have(&ex,
		    "<title>401 - Unauthorized: Access is denied due to "
		    "invalid credentials.</title>");
		assert_string_equal(ex.user, "");
	}
	free(header);
	exchange_clear(&ex);
}

/* A NUL ends neither name nor password. */
static void
nul_inside(void **state)
{
	static const struct {
		const char *plain;
		size_t len;
	} pairs[] = {
#define PAIR(text) { text, sizeof(text) - 1 }
		PAIR(USER "\0:" PASSWORD),
		PAIR(USER ":" PASSWORD "\0"),
		PAIR("\0" USER ":" PASSWORD),
#undef PAIR
	};
	struct stack_state s = basic();
	struct exchange ex;
	char *header;

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		header = basic_header("Basic ", pairs[i].plain, pairs[i].len);
		exchange_make(&ex, "GET", ADMIN);
		exchange_header(&ex, "Authorization", header);
		iis_pass(&ex, &s);
		exchange_must_say(&ex, LAYER_IIS, 401, 1, 1326);
		free(header);
		exchange_clear(&ex);
	}
}

/* As long as http.sys lets through. */
static void
very_long(void **state)
{
	struct stack_state s = basic();
	char *plain = malloc(48000), *header;
	struct exchange ex;

	(void)state;
	for (int colon = 0; colon < 2; colon++) {
		memset(plain, 'a', 48000);
		if (colon)
			plain[24000] = ':';
		header = basic_header("Basic ", plain, 48000);
		exchange_make(&ex, "GET", ADMIN);
		exchange_header(&ex, "Authorization", header);
		iis_pass(&ex, &s);
		exchange_must_say(&ex, LAYER_IIS, 401, 1, 1326);
		free(header);
		exchange_clear(&ex);
	}
	free(plain);
}

static const struct realm {
	const char *row, *host, *realm;
} realms[] = {
	{ "a name", "ndes", "ndes" },
	{ "a name and a port", "ndes.example:80", "ndes.example" },
	{ "IPv4", "10.0.0.1:8080", "10.0.0.1" },
	{ "IPv6", "[fe80::1]:8080", "[fe80::1]" },
	{ "IPv6 without a port", "[fe80::1]", "[fe80::1]" },
	{ "no name", NULL, "192.0.2.7" },
	{ "an empty name", "", "192.0.2.7" },
	{ "a name that would leave its quotes", "a\", x=\"b", "192.0.2.7" },
};

static void
realm_is(void **state)
{
	const struct realm *t = *state;
	struct stack_state s = basic();
	struct exchange ex;
	char wanted[80];

	exchange_make(&ex, "GET", ADMIN);
	ex.request.local = exchange_endpoint("192.0.2.7", 80);
	if (t->host != NULL)
		exchange_header(&ex, "Host", t->host);
	iis_pass(&ex, &s);
	exchange_must_have_headers(&ex,
	    "Content-Type Server WWW-Authenticate X-Powered-By "
	    "Date");
	snprintf(wanted, sizeof(wanted), "Basic realm=\"%s\"", t->realm);
	exchange_must_have_header(&ex, "WWW-Authenticate", wanted);
	exchange_clear(&ex);
}

/* What is asked first: the filter, the user, the verb, the slash. */
static const struct ordered {
	const char *row, *method, *target;
	bool authorized;
	int status, substatus; /* 0: passes */
} ordereds[] = {
	{ "the folder without its slash", "GET", "/certsrv/mscep_admin", false,
	    401, 2 },
	{ "the folder without its slash, admitted", "GET",
	    "/certsrv/mscep_admin", true, 301, 0 },
	{ "an operation below the folder", "GET",
	    "/certsrv/mscep_admin/mscep.dll?operation=GetCACaps", false, 401,
	    2 },
	{ "an operation below the folder, admitted", "GET",
	    "/certsrv/mscep_admin/mscep.dll?operation=GetCACaps", true, 0, 0 },
	{ "a HEAD", "HEAD", ADMIN, false, 401, 2 },
	{ "another verb", "PUT", ADMIN, false, 401, 2 },
	{ "another verb, admitted", "PUT", ADMIN, true, 405, 0 },
	{ "too long a query", "GET", ADMIN "?0123456789012345678901234567890",
	    false, 414, 0 },
	{ "the service", "GET", "/certsrv/mscep/mscep.dll", false, 0, 0 },
	{ "the service's folder", "GET", "/certsrv/mscep", false, 301, 0 },
	{ "nowhere", "GET", "/certsrv/mscep_admins/", false, 404, 0 },
};

static void
order(void **state)
{
	const struct ordered *t = *state;
	char *header = basic_header("Basic ", USER ":" PASSWORD,
	    strlen(USER ":" PASSWORD));
	struct stack_state s = basic();
	struct exchange ex;

	s.iis.max_query_string = 30;
	exchange_make(&ex, t->method, t->target);
	if (t->authorized)
		exchange_header(&ex, "Authorization", header);
	iis_pass(&ex, &s);
	assert_int_equal(ex.verdict.status, t->status);
	assert_int_equal(ex.verdict.substatus, t->substatus);
	assert_int_equal(reply_header_value(&ex.reply, "WWW-Authenticate") !=
		NULL,
	    t->status == 401);
	free(header);
	exchange_clear(&ex);
}

static void
nobody_asks(void **state)
{
	struct stack_state s = basic();
	struct exchange ex;

	(void)state;
	s.mscep.admin.authentication = AUTHENTICATION_NONE;
	exchange_make(&ex, "GET", ADMIN);
	exchange_header(&ex, "Authorization", "Basic !!!!");
	iis_pass(&ex, &s);
	assert_false(exchange_is_answered(&ex));
	assert_string_equal(ex.user, "");
	/* A 401 of another reason has nothing to offer. */
	iis_answer(&ex, &s, LAYER_IIS, 401, 2, 5);
	assert_null(reply_header_value(&ex.reply, "WWW-Authenticate"));
	exchange_clear(&ex);
}

/* As SS#144 shows it: 401 2 5, then the user and 301 (5.1). */
static void
logged(void **state)
{
	static const struct iis_log_form form = { .version = "10.0",
		.referer = true };
	char *header = basic_header("Basic ", USER ":" PASSWORD,
	    strlen(USER ":" PASSWORD));
	struct stack_state s = basic();
	struct buffer line = { 0 };
	struct exchange ex;

	(void)state;
	for (int i = 0; i < 2; i++) {
		exchange_make(&ex, "GET", "/certsrv/mscep_admin");
		ex.request.local = exchange_endpoint("192.0.2.7", 80);
		ex.request.source = exchange_endpoint("192.0.2.9", 4711);
		if (i == 1)
			exchange_header(&ex, "Authorization", header);
		iis_pass(&ex, &s);
		buffer_free(&line);
		iis_log_line(&ex, &form, &line);
		buffer_add_byte(&line, 0);
		assert_string_equal((char *)line.data,
		    i == 0 ? "2013-04-29 09:15:51 192.0.2.7 GET "
			     "/certsrv/mscep_admin - 80 - 192.0.2.9 - - "
			     "401 2 5 0" :
			     "2013-04-29 09:15:51 192.0.2.7 GET "
			     "/certsrv/mscep_admin - 80 " USER
			     " 192.0.2.9 - - 301 0 0 0");
		exchange_clear(&ex);
	}
	buffer_free(&line);
	free(header);
}

int
main(void)
{
	static const struct table tables[] = {
		ROWS(asks, credentials),
		ONE(nul_inside, "a NUL is a character like others"),
		ONE(very_long, "credentials may be very long"),
		ROWS(realm_is, realms),
		ROWS(order, ordereds),
		ONE(nobody_asks, "without authentication nobody is asked"),
		ONE(logged, "the IIS log has whom it knows"),
	};

	return ROWS_RUN(tables, NULL, NULL);
}
