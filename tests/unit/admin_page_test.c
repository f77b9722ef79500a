/* The admin page, by what scrapers match in it (ndes-facts 5.2 to 5.4). */
#include "unit/exchanges.h"

#include "stack/stack.h"

#define THUMBPRINT "A656FA66 AB12B433 A2DA5CF7 CC153D9A"

/* The page as ASCII; every second octet of it is zero, as in UTF-16LE. */
static struct buffer
read_page(const struct exchange *ex)
{
	struct span body = blob_span(&ex->reply.body);
	struct buffer text = { 0 };

	assert_int_equal(body.len % 2, 0);
	for (size_t i = 0; i < body.len; i += 2) {
		assert_in_range(body.data[i], 0x20, 0x7e);
		assert_int_equal(body.data[i + 1], 0);
		buffer_add_byte(&text, body.data[i]);
	}
	buffer_add_byte(&text, 0);
	return text;
}

static const struct page {
	const char *row;
	enum challenge_answer answer;
	int64_t validity, cache;
	const char *sentences[4];
	const char *absent;
} pages[] = {
	{ "a password", CHALLENGE_MADE, 3600, 5,
	    { "The thumbprint (hash value) for the CA certificate is: "
	      "<B> " THUMBPRINT " </B>",
		"The enrollment challenge password is: "
		"<B> 8CE317021F690069 </B>",
		"This password can be used only once and will expire within "
		"60 minutes." },
	    "The password cache is full." },
	{ "a password of another validity", CHALLENGE_MADE, 7200, 5,
	    { "will expire within 120 minutes." }, "60 minutes" },
	{ "a full cache", CHALLENGE_CACHE_FULL, 3600, 5,
	    { "The password cache is full.", "by default 60 minutes",
		"Configure the service to cache more than 5 passwords." },
	    "The enrollment challenge password is" },
	{ "another full cache", CHALLENGE_CACHE_FULL, 3600, 50,
	    { "cache more than 50 passwords." }, THUMBPRINT },
	{ "a single password", CHALLENGE_LASTING, 3600, 5,
	    { "The thumbprint (hash value) for the CA certificate is: "
	      "<B> " THUMBPRINT " </B>",
		"The enrollment challenge password is: "
		"<B> 8CE317021F690069 </B>",
		"This password can be used multiple times and will not "
		"expire." },
	    "only once" },
	{ "no password", CHALLENGE_NOT_NEEDED, 3600, 5,
	    { "<B> " THUMBPRINT " </B>",
		"No enrollment challenge password is required." },
	    "8CE317021F690069" },
	{ "no permission", CHALLENGE_NO_PERMISSION, 3600, 5,
	    { "You do not have sufficient permission to enroll with SCEP.  "
	      "Please contact your system administrator." },
	    "assword" },
};

static void
says(void **state)
{
	const struct page *t = *state;
	struct stack_state s;
	struct exchange ex;
	struct buffer text;

	stack_healthy(&s);
	s.mscep.challenge.validity = t->validity;
	s.mscep.challenge.cache = t->cache;
	exchange_make(&ex, "GET", "/certsrv/mscep_admin/");
	admin_page_answer(&ex, &s, t->answer, "8CE317021F690069", THUMBPRINT);
	exchange_must_say(&ex, LAYER_MSCEP, 200, 0, 0);
	exchange_must_have_header(&ex, "Content-Type", "text/html");
	exchange_must_be_measured(&ex);
	text = read_page(&ex);
	for (size_t i = 0; i < 4 && t->sentences[i] != NULL; i++)
		assert_non_null(strstr((char *)text.data, t->sentences[i]));
	assert_null(strstr((char *)text.data, t->absent));
	assert_non_null(strstr((char *)text.data,
	    "<Title>Network Device Enrollment Service</Title>"));
	assert_non_null(strstr((char *)text.data, "charset=UTF-8"));
	assert_non_null(strstr((char *)text.data, "#008080"));
	assert_non_null(strstr((char *)text.data,
	    ">Using Network Device Enrollment Service</A>"));
	assert_int_equal(ex.events != NULL,
	    t->answer == CHALLENGE_NO_PERMISSION);
	buffer_free(&text);
	exchange_clear(&ex);
}

static void
event_of_permission(void **state)
{
	struct stack_state s;
	struct exchange ex;

	(void)state;
	stack_healthy(&s);
	exchange_make(&ex, "GET", "/certsrv/mscep_admin/");
	admin_page_answer(&ex, &s, CHALLENGE_NO_PERMISSION, "", THUMBPRINT);
	assert_non_null(ex.events);
	assert_null(ex.events->next);
	assert_int_equal(ex.events->id, 6);
	assert_string_equal(ex.events->log, "Application");
	assert_string_equal(ex.events->level, "Error");
	assert_string_equal(ex.events->text,
	    "The Network Device Enrollment Service cannot provide its password "
	    "because the user does not have enroll permissions on the "
	    "configured certificate template, or the certification authority "
	    "is not enabled to issue certificates based on the configured "
	    "certificate template.");
	exchange_clear(&ex);
}

/* A browser shows what a client has to send. */
static void
password_is_no_markup(void **state)
{
	struct stack_state s;
	struct exchange ex;
	struct buffer text;

	(void)state;
	stack_healthy(&s);
	exchange_make(&ex, "GET", "/certsrv/mscep_admin/");
	admin_page_answer(&ex, &s, CHALLENGE_LASTING, "a<b>&\"c d", THUMBPRINT);
	text = read_page(&ex);
	assert_non_null(strstr((char *)text.data,
	    "password is: <B> a&lt;b&gt;&amp;&quot;c d </B>"));
	buffer_free(&text);
	exchange_clear(&ex);
}

static void
failed(void **state)
{
	struct stack_state s;
	struct exchange ex;

	(void)state;
	stack_healthy(&s);
	exchange_make(&ex, "GET", "/certsrv/mscep_admin/");
	admin_page_answer(&ex, &s, CHALLENGE_FAILED, "", THUMBPRINT);
	exchange_must_say(&ex, LAYER_MSCEP, 500, 0, 0);
	exchange_clear(&ex);
}

int
main(void)
{
	static const struct table tables[] = {
		ROWS(says, pages),
		ONE(event_of_permission, "event 6 is in Microsoft's words"),
		ONE(password_is_no_markup, "a password is text, not markup"),
		ONE(failed, "without a random number there is no page"),
	};

	return ROWS_RUN(tables, NULL, NULL);
}
