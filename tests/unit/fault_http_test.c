/* Edits of an answer, and the octets that they come to. */
#include "unit/edit_text.h"

#include "http/inside.h"

#define CLOSE "Connection: close\r\n"
#define STATUS "HTTP/1.1 200 OK\r\n"
#define TYPE "Content-Type: a/b\r\n"
#define SERVER "Server: S\r\n"
#define DATE "Date: D\r\n"
#define HEADERS TYPE SERVER DATE
#define LENGTH "Content-Length: 11\r\n"
#define BODY "\r\nhello world"

static const struct edited {
	const char *row;
	struct edit edits[4];
	const char *wanted;
	/* By libmicrohttpd; and whether another request may follow. */
	bool ordinary, keeps;
} editeds[] = {
	{ "nothing", { { 0 } }, STATUS HEADERS LENGTH BODY, true, true },
	/* content_type */
	{ "a type", { { "http.content_type", "text/html" } },
	    STATUS "Content-Type: text/html\r\n" SERVER DATE LENGTH BODY, true,
	    true },
	{ "a type with a parameter",
	    { { "http.content_type", "x/y; charset=utf-8" } },
	    STATUS
	    "Content-Type: x/y; charset=utf-8\r\n" SERVER DATE LENGTH BODY,
	    true, true },
	{ "no type", { { "http.content_type", "" } },
	    STATUS SERVER DATE LENGTH BODY, true, true },
	{ "a type once more",
	    { { "http.remove", "content-type" },
		{ "http.content_type", "x/y" } },
	    STATUS SERVER DATE "Content-Type: x/y\r\n" LENGTH BODY, true,
	    true },
	/* headers */
	{ "a header set in its place", { { "http.headers", "server: T" } },
	    STATUS TYPE "server: T\r\n" DATE LENGTH BODY, true, true },
	{ "new headers", { { "http.headers", "X: 1, Y: 2" } },
	    STATUS HEADERS "X: 1\r\nY: 2\r\n" LENGTH BODY, true, true },
	{ "a name with a blank", { { "http.headers", "X y: 1" } },
	    STATUS HEADERS "X y: 1\r\n" LENGTH BODY, false, true },
	{ "a length set to no number",
	    { { "http.headers", "Content-Length: x" } },
	    STATUS CLOSE HEADERS "Content-Length: x\r\n" BODY, false, false },
	{ "a coding that is a lie",
	    { { "http.headers", "Transfer-Encoding: chunked" } },
	    STATUS HEADERS "Transfer-Encoding: chunked\r\n" LENGTH BODY, false,
	    true },
	{ "another word for the connection",
	    { { "http.headers", "Connection: Upgrade" } },
	    STATUS "Connection: Upgrade\r\n" HEADERS LENGTH BODY, false, true },
	{ "a connection that is to end",
	    { { "http.headers", "Connection: Close" } },
	    STATUS "Connection: Close\r\n" HEADERS LENGTH BODY, false, false },
	/* add */
	{ "a header twice", { { "http.add", "Server: T" } },
	    STATUS HEADERS "Server: T\r\n" LENGTH BODY, true, true },
	{ "a second date", { { "http.add", "Date: E" } },
	    STATUS HEADERS "Date: E\r\n" LENGTH BODY, false, true },
	{ "a second length", { { "http.add", "Content-Length: 5" } },
	    STATUS HEADERS "Content-Length: 5\r\n" LENGTH BODY, false, true },
	{ "a header without a value", { { "http.add", "X: " } },
	    STATUS HEADERS "X: \r\n" LENGTH BODY, false, true },
	/* remove */
	{ "headers left out", { { "http.remove", "Server, DATE, X" } },
	    STATUS TYPE LENGTH BODY, true, true },
	{ "the length left out", { { "http.remove", "Content-Length" } },
	    STATUS CLOSE HEADERS BODY, false, false },
	/* duplicate */
	{ "a duplicate", { { "http.duplicate", "Content-Type" } },
	    STATUS HEADERS TYPE LENGTH BODY, true, true },
	{ "a duplicate of the length",
	    { { "http.duplicate", "Content-Length" } },
	    STATUS HEADERS LENGTH LENGTH BODY, false, true },
	{ "a duplicate of a lie",
	    { { "http.length", "5" }, { "http.duplicate", "Content-Length" } },
	    STATUS CLOSE HEADERS "Content-Length: 5\r\n"
				 "Content-Length: 5\r\n" BODY,
	    false, false },
	{ "a duplicate of the connection",
	    { { "http.duplicate", "Connection" } },
	    STATUS CLOSE HEADERS CLOSE LENGTH BODY, false, false },
	{ "a duplicate of the coding",
	    { { "http.chunked", "true" },
		{ "http.duplicate", "Transfer-Encoding" } },
	    STATUS HEADERS "Transfer-Encoding: chunked\r\n"
			   "Transfer-Encoding: chunked\r\n\r\n"
			   "b\r\nhello world\r\n0\r\n\r\n",
	    false, true },
	{ "a duplicate of nothing", { { "http.duplicate", "X" } },
	    STATUS HEADERS LENGTH BODY, true, true },
	/* chunked */
	{ "chunks", { { "http.chunked", "true" } },
	    STATUS HEADERS "Transfer-Encoding: chunked\r\n\r\n"
			   "b\r\nhello world\r\n0\r\n\r\n",
	    false, true },
	{ "no chunks", { { "http.chunked", "false" } },
	    STATUS HEADERS LENGTH BODY, true, true },
	{ "chunks and a length",
	    { { "http.chunked", "true" }, { "http.length", "11" } },
	    STATUS CLOSE HEADERS "Transfer-Encoding: chunked\r\n" LENGTH "\r\n"
				 "b\r\nhello world\r\n0\r\n\r\n",
	    false, false },
	/* length */
	{ "too short a length", { { "http.length", "0" } },
	    STATUS CLOSE HEADERS "Content-Length: 0\r\n" BODY, false, false },
	{ "too long a length", { { "http.length", "1099511627776" } },
	    STATUS CLOSE HEADERS "Content-Length: 1099511627776\r\n" BODY,
	    false, false },
	{ "a length that is true", { { "http.length", "11" } },
	    STATUS HEADERS LENGTH BODY, false, true },
	{ "no length", { { "http.length", "absent" } },
	    STATUS CLOSE HEADERS BODY, false, false },
	/* length_off */
	{ "a longer length", { { "http.length_off", "10" } },
	    STATUS CLOSE HEADERS "Content-Length: 21\r\n" BODY, false, false },
	{ "a shorter length", { { "http.length_off", "-1" } },
	    STATUS CLOSE HEADERS "Content-Length: 10\r\n" BODY, false, false },
	{ "no shorter than nothing", { { "http.length_off", "-12" } },
	    STATUS CLOSE HEADERS "Content-Length: 0\r\n" BODY, false, false },
	/* version */
	{ "HTTP/1.0", { { "http.version", "1.0" } },
	    "HTTP/1.0 200 OK\r\n" CLOSE HEADERS LENGTH BODY, false, false },
	{ "HTTP/1.1", { { "http.version", "1.1" } }, STATUS HEADERS LENGTH BODY,
	    true, true },
	/* connection */
	{ "a connection that says it stays",
	    { { "http.connection", "keep-alive" } },
	    STATUS "Connection: keep-alive\r\n" HEADERS LENGTH BODY, false,
	    false },
	{ "a connection that says it ends", { { "http.connection", "close" } },
	    STATUS CLOSE HEADERS LENGTH BODY, false, false },
	{ "a connection that ends without a word",
	    { { "http.connection", "absent" } }, STATUS HEADERS LENGTH BODY,
	    false, false },
	/* reason */
	{ "another phrase", { { "http.reason", "Fine by me" } },
	    "HTTP/1.1 200 Fine by me\r\n" HEADERS LENGTH BODY, false, true },
	{ "no phrase", { { "http.reason", "" } },
	    "HTTP/1.1 200 \r\n" HEADERS LENGTH BODY, false, true },
	/* Several at a time. */
	{ "an old answer without an end",
	    { { "http.version", "1.0" }, { "http.length", "absent" },
		{ "http.connection", "absent" } },
	    "HTTP/1.0 200 OK\r\n" HEADERS BODY, false, false },
};

static void
make(struct exchange *ex)
{
	exchange_make(ex, "GET", "/");
	exchange_answer(ex, LAYER_MSCEP, 200, 0, 0);
	reply_header(&ex->reply, "Content-Type", "a/b");
	reply_header(&ex->reply, "Server", "S");
	reply_header(&ex->reply, "Date", "D");
	assert_int_equal(blob_copy(&ex->reply.body, span_text("hello world")),
	    0);
}

static struct edits
apply(struct exchange *ex, const struct edit *edits)
{
	struct error err = { 0 };
	struct fault_context ctx = { .exchange = ex, .err = &err };

	return edits_apply(edits, &ctx, FAULT_HTTP, &ex->reply);
}

static void
must_render(const struct exchange *ex, const char *wanted)
{
	struct blob bytes;

	assert_int_equal(render_reply(ex, &bytes), 0);
	assert_octets(blob_span(&bytes), wanted, strlen(wanted));
	assert_int_equal(render_size(ex), bytes.len);
	blob_free(&bytes);
}

static void
comes_to(void **state)
{
	const struct edited *t = *state;
	struct exchange ex;
	struct edits done;

	make(&ex);
	done = apply(&ex, t->edits);
	assert_int_equal(reply_is_ordinary(&ex), t->ordinary);
	assert_int_equal(reply_keeps_connection(&ex), t->keeps);
	must_render(&ex, t->wanted);
	edits_clear(&done);
	exchange_clear(&ex);
}

/* What has no body has none, and its length is no lie that matters. */
static void
head_request(void **state)
{
	struct exchange ex;
	struct edits done;

	(void)state;
	make(&ex);
	ex.request.method = exchange_text("HEAD");
	must_render(&ex, STATUS HEADERS LENGTH "\r\n");
	done = apply(&ex,
	    (const struct edit[]){ { "http.chunked", "true" }, { 0 } });
	must_render(&ex, STATUS HEADERS "Transfer-Encoding: chunked\r\n\r\n");
	edits_clear(&done);
	done = apply(&ex,
	    (const struct edit[]){ { "http.length", "5" }, { 0 } });
	assert_true(reply_keeps_connection(&ex));
	edits_clear(&done);
	exchange_clear(&ex);
}

/* RFC 9112 7.1: sizes are hexadecimal, the last chunk is empty. */
static void
large_chunks(void **state)
{
	struct buffer wanted = { 0 }, body = { 0 };
	struct exchange ex;

	(void)state;
	make(&ex);
	blob_free(&ex.reply.body);
	for (int i = 0; i < 1025; i++)
		buffer_add_byte(&body, (uint8_t)('a' + i % 26));
	buffer_add_text(&wanted,
	    STATUS HEADERS "Transfer-Encoding: chunked\r\n\r\n200\r\n");
	buffer_add(&wanted, body.data, 512);
	buffer_add_text(&wanted, "\r\n200\r\n");
	buffer_add(&wanted, body.data + 512, 512);
	buffer_add_text(&wanted, "\r\n1\r\n");
	buffer_add(&wanted, body.data + 1024, 1);
	buffer_add(&wanted, "\r\n0\r\n\r\n", 8);
	ex.reply.chunked = true;
	assert_int_equal(buffer_finish(&body, &ex.reply.body), 0);
	must_render(&ex, (char *)wanted.data);
	blob_free(&ex.reply.body);
	must_render(&ex,
	    STATUS HEADERS "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
	buffer_free(&wanted);
	exchange_clear(&ex);
}

static void
without_a_body(void **state)
{
	struct exchange ex;

	(void)state;
	make(&ex);
	blob_free(&ex.reply.body);
	ex.reply.status = 204;
	must_render(&ex, "HTTP/1.1 204 No Content\r\n" HEADERS "\r\n");
	assert_false(reply_is_ordinary(&ex));
	assert_true(reply_keeps_connection(&ex));
	ex.reply.status = 304;
	must_render(&ex, "HTTP/1.1 304 Not Modified\r\n" HEADERS "\r\n");
	ex.reply.status = 205;
	must_render(&ex,
	    "HTTP/1.1 205 Unknown\r\n" HEADERS "Content-Length: 0\r\n\r\n");
	exchange_clear(&ex);
}

/* No client reads that far: it would be taken for the next answer. */
static const struct bodiless {
	const char *row;
	int status;
	const char *body;
	struct edit edits[2];
	const char *wanted;
} bodilesses[] = {
	{ "304 with a body", 304, "x", { { 0 } },
	    "HTTP/1.1 304 Not Modified\r\n" CLOSE HEADERS
	    "Content-Length: 1\r\n\r\nx" },
	{ "204 with the last chunk", 204, "", { { "http.chunked", "true" } },
	    "HTTP/1.1 204 No Content\r\n" CLOSE HEADERS
	    "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" },
	{ "204 with a length", 204, "", { { "http.length", "5" } },
	    "HTTP/1.1 204 No Content\r\n" CLOSE HEADERS
	    "Content-Length: 5\r\n\r\n" },
};

static void
all_the_same(void **state)
{
	const struct bodiless *t = *state;
	struct exchange ex;
	struct edits done;

	make(&ex);
	blob_free(&ex.reply.body);
	assert_int_equal(blob_copy(&ex.reply.body, span_text(t->body)), 0);
	ex.reply.status = t->status;
	done = apply(&ex, t->edits);
	assert_false(reply_keeps_connection(&ex));
	must_render(&ex, t->wanted);
	edits_clear(&done);
	exchange_clear(&ex);
}

/* The order of http.sys, with edits. */
static void
exact(void **state)
{
	struct exchange ex;
	struct edits done;

	(void)state;
	make(&ex);
	ex.wire.exact = true;
	must_render(&ex, STATUS HEADERS CLOSE LENGTH BODY);
	assert_false(reply_keeps_connection(&ex));
	done = apply(&ex,
	    (const struct edit[]){ { "http.length_off", "1" },
		{ "http.connection", "keep-alive" }, { 0 } });
	must_render(&ex,
	    STATUS HEADERS
	    "Connection: keep-alive\r\nContent-Length: 12\r\n" BODY);
	edits_clear(&done);
	exchange_clear(&ex);
}

static void
room(void **state)
{
	struct value v = { 0 };
	struct error err = { 0 };
	struct exchange ex;
	struct fault_context ctx = { .exchange = &ex, .err = &err };
	char *pair[] = { exchange_text("X"), exchange_text("1") };

	(void)state;
	make(&ex);
	v.texts = pair;
	v.count = 2;
	while (ex.reply.header_count < REPLY_HEADERS_MAX)
		assert_int_equal(edit_try(&ctx, "http.add", &v, &ex.reply), 0);
	assert_int_equal(edit_try(&ctx, "http.add", &v, &ex.reply), -1);
	assert_non_null(strstr(err.text, "room for 24 headers"));
	assert_int_equal(edit_try(&ctx, "http.headers", &v, &ex.reply), 0);
	assert_int_equal(ex.reply.header_count, REPLY_HEADERS_MAX);
	exchange_clear(&ex);
}

static bool
has_row(const char *key, const char *word)
{
	if (edit_kind(key)->stages != FAULT_HTTP)
		return true;
	for (size_t i = 0; i < sizeof(editeds) / sizeof(editeds[0]); i++)
		for (const struct edit *e = editeds[i].edits; e->key != NULL;
		     e++)
			if (strcmp(e->key, key) == 0 &&
			    (word == NULL || strcmp(e->value, word) == 0))
				return true;
	return false;
}

static void
all_have_rows(void **state)
{
	(void)state;
	edits_must_have_rows("http.", has_row);
}

int
main(void)
{
	static const struct table tables[] = {
		ROWS(comes_to, editeds),
		ONE(head_request, "an answer to HEAD has no body"),
		ONE(large_chunks, "many chunks, and one"),
		ONE(without_a_body, "204 and 304 have no body"),
		ROWS(all_the_same, bodilesses),
		ONE(exact, "http.sys's order stays"),
		ONE(room, "there is room for so many headers"),
		ONE(all_have_rows, "every key and word has a row here"),
	};

	return ROWS_RUN(tables, NULL, NULL);
}
