/* What is kept of exchanges, and how much of it. */
#include "unit/exchanges.h"

#include <pthread.h>
#include <stdatomic.h>

#include "evidence/evidence.h"

#define LONG 100000 /* octets, more than is kept of a text or a body */
#define BOUND ((size_t)256 << 10)
#define QUIET 30 /* journals */
#define BUSY 4
#define STEPS 4000
#define PATIENCE 30000 /* ms, for what must come */

struct fixture {
	struct journals *all;
	struct journal *journal;
};

static void
open_journals(struct fixture *f, unsigned entries, size_t octets)
{
	const struct journals_options options = { .entries = entries,
		.octets = octets };
	struct error err = { 0 };

	assert_int_equal(journals_new(&f->all, &options, &err), 0);
	assert_int_equal(journal_open(f->all, &f->journal, &err), 0);
}

/* All memory must have come back. */
static void
close_journals(struct fixture *f)
{
	struct journals_count count;

	journal_close(f->journal);
	journals_count(f->all, &count);
	assert_int_equal(count.octets, 0);
	assert_int_equal(count.entries, 0);
	journals_free(f->all);
}

static void
add(struct journal *j, const char *target)
{
	struct exchange ex;

	exchange_make(&ex, "GET", target);
	journal_add(j, &ex);
	exchange_clear(&ex);
}

static void
add_many(struct journal *j, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		add(j, "/");
}

/* The number of the first after `since`; 0: there is none. */
static uint64_t
next(struct journal *j, uint64_t since, const struct journal_filter *filter)
{
	struct journal_entry *e = journal_find(j, since, filter);
	uint64_t seq = e == NULL ? 0 : e->seq;

	journal_entry_free(e);
	return seq;
}

static const struct ring {
	const char *row;
	unsigned entries, added;
	uint64_t since;
	uint64_t first, lost; /* after that */
	size_t count;
} rings[] = {
	{ "an empty one has none", 3, 0, 0, 0, 0, 0 },
	{ "the first is number 1", 3, 1, 0, 1, 0, 1 },
	{ "a full one keeps all", 3, 3, 0, 1, 0, 3 },
	{ "one more costs the oldest", 3, 4, 0, 2, 1, 3 },
	{ "what was seen before it went is not lost", 3, 5, 1, 3, 1, 3 },
	{ "the first of those that follow", 3, 5, 3, 4, 0, 3 },
	{ "nothing follows the newest", 3, 5, 5, 0, 0, 3 },
	{ "nor what is yet to come", 3, 5, 77, 0, 0, 3 },
	{ "one entry is enough for a ring", 1, 9, 0, 9, 8, 1 },
	{ "a long one grows", 1000, 700, 350, 351, 0, 700 },
	{ "a long one goes round", 1000, 2500, 1600, 1601, 0, 1000 },
	{ "256 are kept where nothing is said", 0, 300, 0, 45, 44, 256 },
};

static void
ring(void **state)
{
	const struct ring *t = *state;
	struct journals_count count;
	struct fixture f;

	open_journals(&f, t->entries, 0);
	add_many(f.journal, t->added);
	assert_int_equal(next(f.journal, t->since, NULL), t->first);
	assert_int_equal(journal_lost(f.journal, t->since), t->lost);
	assert_int_equal(journal_last(f.journal), t->added);
	assert_int_equal(journal_count(f.journal, NULL), t->count);
	journals_count(f.all, &count);
	assert_int_equal(count.entries, t->count);
	assert_int_equal(count.lost, t->added - t->count);
	for (uint64_t seq = t->first; seq != 0 && seq < t->added; seq++)
		assert_int_equal(next(f.journal, seq, NULL), seq + 1);
	close_journals(&f);
}

static void
cleared(void **state)
{
	struct fixture f;

	(void)state;
	open_journals(&f, 4, 0);
	add_many(f.journal, 6);
	journal_clear(f.journal);
	assert_int_equal(next(f.journal, 0, NULL), 0);
	assert_int_equal(journal_count(f.journal, NULL), 0);
	assert_int_equal(journal_lost(f.journal, 0), 0);
	assert_int_equal(journal_last(f.journal), 6);
	add_many(f.journal, 5);
	assert_int_equal(next(f.journal, 0, NULL), 8);
	assert_int_equal(journal_lost(f.journal, 0), 1);
	assert_int_equal(journal_lost(f.journal, 7), 0);
	close_journals(&f);
}

/* Reads on until nothing follows; how many entries there were. */
static size_t
read_on(struct journal *j, uint64_t *since, const struct journal_filter *filter,
    uint64_t *lost)
{
	struct journal_entry *e;
	size_t count = 0;

	for (; (e = journal_next(j, since, filter, lost)) != NULL; count++)
		journal_entry_free(e);
	return count;
}

static void
read_in_steps(void **state)
{
	const struct journal_filter none = { .operation = "GetCACert" };
	uint64_t since = 0, lost = 0;
	struct fixture f;

	(void)state;
	open_journals(&f, 3, 0);
	assert_int_equal(read_on(f.journal, &since, NULL, &lost), 0);
	assert_int_equal(since, 0);
	add_many(f.journal, 5);
	assert_int_equal(read_on(f.journal, &since, NULL, &lost), 3);
	assert_int_equal(since, 5);
	assert_int_equal(lost, 2);
	add_many(f.journal, 4);
	/* What was looked at is not lost later. */
	assert_int_equal(read_on(f.journal, &since, &none, &lost), 0);
	assert_int_equal(since, 9);
	assert_int_equal(lost, 3);
	add_many(f.journal, 3);
	journal_clear(f.journal);
	assert_int_equal(read_on(f.journal, &since, NULL, &lost), 0);
	assert_int_equal(since, 12);
	assert_int_equal(lost, 3);
	since = 77;
	assert_int_equal(read_on(f.journal, &since, NULL, &lost), 0);
	assert_int_equal(since, 77);
	close_journals(&f);
}

static void
kept_by_nobody(void **state)
{
	struct journals_count count;
	uint64_t since = 0;
	struct fixture f;

	(void)state;
	open_journals(&f, JOURNAL_NONE, 0);
	assert_null(f.journal);
	add_many(f.journal, 3);
	assert_null(journal_find(f.journal, 0, NULL));
	assert_int_equal(read_on(f.journal, &since, NULL, &since), 0);
	assert_int_equal(since, 0);
	assert_null(journal_wait(f.journal, 0, NULL, INT64_MAX));
	assert_int_equal(journal_last(f.journal), 0);
	assert_int_equal(journal_lost(f.journal, 0), 0);
	assert_int_equal(journal_count(f.journal, NULL), 0);
	journal_clear(f.journal);
	journals_count(f.all, &count);
	assert_int_equal(count.lost, 0);
	close_journals(&f);
	journal_entry_free(NULL);
	journals_free(NULL);
}

/* The one entry of a journal that gets this exchange, which ends. */
static struct journal_entry *
keep(struct fixture *f, struct exchange *ex)
{
	struct journal_entry *e;

	journal_add(f->journal, ex);
	exchange_clear(ex);
	assert_non_null(e = journal_find(f->journal, 0, NULL));
	return e;
}

static void
facts(void **state)
{
	struct journal_entry *e;
	struct exchange ex;
	struct fixture f;

	(void)state;
	open_journals(&f, 0, 0);
	exchange_make(&ex, "GET", "/x?operation=GetCACert");
	exchange_header(&ex, "user-agent", "profiled/1.0");
	ex.request.source = exchange_endpoint("10.5.14.22", 50123);
	ex.verdict = (struct verdict){ LAYER_MSCEP, 500, 0, 1346, NULL, NULL,
		0 };
	ex.reply.status = 500;
	ex.sent = 1500;
	ex.ending = ENDED_FAULT;
	ex.duration_ms = 31;
	ex.scep.pki_status = 2;
	ex.notes.count = 1;
	ex.notes.list[0].line = 7;
	strcpy(ex.scep.transaction_id, "ABC");
	e = keep(&f, &ex);
	assert_int_equal(e->seq, 1);
	assert_int_equal(e->at, EXCHANGE_AT);
	assert_int_equal(e->duration_ms, 31);
	assert_int_equal(endpoint_port(&e->source), 50123);
	assert_string_equal(e->method, "GET");
	assert_string_equal(e->target, "/x?operation=GetCACert");
	assert_int_equal(e->target_length, strlen(e->target));
	assert_string_equal(e->user_agent, "profiled/1.0");
	assert_int_equal(e->verdict.layer, LAYER_MSCEP);
	assert_int_equal(e->verdict.win32, 1346);
	assert_int_equal(e->status, 500);
	assert_int_equal(e->sent, 1500);
	assert_int_equal(e->ending, ENDED_FAULT);
	assert_int_equal(e->scep.pki_status, 2);
	assert_string_equal(e->scep.transaction_id, "ABC");
	assert_int_equal(e->notes.list[0].line, 7);
	journal_entry_free(e);
	close_journals(&f);
}

/* Of a connection that was closed before a request was there. */
static void
nothing_was_read(void **state)
{
	struct journal_entry *e;
	struct exchange ex;
	struct fixture f;

	(void)state;
	open_journals(&f, 0, 0);
	exchange_init(&ex);
	ex.reply.status = 503; /* but not an octet of it was sent */
	e = keep(&f, &ex);
	assert_string_equal(e->method, "");
	assert_string_equal(e->target, "");
	assert_string_equal(e->user_agent, "");
	assert_string_equal(e->content_type, "");
	assert_int_equal(e->status, 0);
	assert_int_equal(e->request.len, 0);
	assert_int_equal(e->reply.len, 0);
	assert_false(e->request_cut);
	assert_false(e->reply_cut);
	journal_entry_free(e);
	close_journals(&f);
}

static const struct text {
	const char *row, *method, *target, *agent;
	const char *shown_method, *shown_target, *shown_agent;
} texts[] = {
	{ "ordinary ones stay", "GET", "/a?b=%20", "x y/1.0", "GET", "/a?b=%20",
	    "x y/1.0" },
	{ "controls become question marks", "G\x01T", "/\t\x7f", "a\r\nb",
	    "G?T", "/??", "a??b" },
	{ "so does what is not ASCII", "GET", "/\xc3\xa4\xff", "\xe2\x98\x83",
	    "GET", "/???", "???" },
};

static void
shown(void **state)
{
	const struct text *t = *state;
	struct journal_entry *e;
	struct exchange ex;
	struct fixture f;

	open_journals(&f, 0, 0);
	exchange_make(&ex, t->method, t->target);
	exchange_header(&ex, "User-Agent", t->agent);
	e = keep(&f, &ex);
	assert_string_equal(e->method, t->shown_method);
	assert_string_equal(e->target, t->shown_target);
	assert_string_equal(e->user_agent, t->shown_agent);
	journal_entry_free(e);
	close_journals(&f);
}

static char *
long_text(size_t len)
{
	char *text = malloc(len + 1);

	assert_non_null(text);
	memset(text, 'x', len);
	text[0] = '/';
	text[len] = '\0';
	return text;
}

static void
long_texts(void **state)
{
	char *text = long_text(LONG);
	struct journal_entry *e;
	struct exchange ex;
	struct fixture f;

	(void)state;
	open_journals(&f, 0, 0);
	exchange_make(&ex, text, text);
	exchange_header(&ex, "User-Agent", text);
	e = keep(&f, &ex);
	assert_in_range(strlen(e->method), 10, 100);
	assert_in_range(strlen(e->target), 1000, 5000);
	assert_in_range(strlen(e->user_agent), 100, 500);
	assert_memory_equal(e->target, text, strlen(e->target));
	assert_int_equal(e->target_length, LONG);
	assert_int_equal(e->request.len, EXCHANGE_KEPT_MAX);
	assert_memory_equal(e->request.data, text, EXCHANGE_KEPT_MAX);
	assert_true(e->request_cut);
	journal_entry_free(e);
	close_journals(&f);
	free(text);
}

static const struct raw {
	const char *row, *method, *asked;
	size_t prefix; /* of the site, in it */
	const char *headers[5];
	const char *body;
	int64_t content_length;
	enum body_end body_end;
	bool cut;
	const char *octets;
} raws[] = {
	{ "a head without fields", "GET", "/x?y", 0, { NULL }, NULL, -1,
	    BODY_WHOLE, false, "GET /x?y HTTP/1.1\r\n\r\n" },
	{ "fields in their order, twice and empty", "GET", "/", 0,
	    { "b: 2", "A: 1", "b: 1", "c: " }, NULL, -1, BODY_WHOLE, false,
	    "GET / HTTP/1.1\r\nb: 2\r\nA: 1\r\nb: 1\r\nc: \r\n\r\n" },
	{ "octets that are no text", "GET", "/\xff", 0, { "a: \x80\x01" }, NULL,
	    -1, BODY_WHOLE, false,
	    "GET /\xff HTTP/1.1\r\na: \x80\x01\r\n\r\n" },
	{ "the prefix of a site", "GET", "/s/healthy/certsrv/", 10, { NULL },
	    NULL, -1, BODY_WHOLE, false,
	    "GET /s/healthy/certsrv/ HTTP/1.1\r\n\r\n" },
	{ "a body", "POST", "/", 0, { "Content-Length: 3" }, "abc", 3,
	    BODY_WHOLE, false,
	    "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc" },
	{ "a body in chunks", "POST", "/", 0, { "Transfer-Encoding: chunked" },
	    "abc", -1, BODY_WHOLE, false,
	    "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nabc" },
	{ "a body that did not come", "POST", "/", 0, { NULL }, "ab", 3,
	    BODY_WHOLE, true, "POST / HTTP/1.1\r\n\r\nab" },
	{ "a body that was not read", "POST", "/", 0, { NULL }, "ab", -1,
	    BODY_TOO_LARGE, true, "POST / HTTP/1.1\r\n\r\nab" },
};

static void
add_headers(struct exchange *ex, const char *const *list)
{
	for (; *list != NULL; list++) {
		char name[64];
		const char *colon = strchr(*list, ':');

		snprintf(name, sizeof(name), "%.*s", (int)(colon - *list),
		    *list);
		exchange_header(ex, strdup(name), colon + 2);
	}
}

static void
raw_request(void **state)
{
	const struct raw *t = *state;
	struct journal_entry *e;
	struct exchange ex;
	struct fixture f;
	char *names[5];
	size_t count;

	open_journals(&f, 0, 0);
	exchange_make(&ex, t->method, t->asked);
	request_hide_prefix(&ex.request, t->prefix);
	add_headers(&ex, t->headers);
	for (count = 0; count < ex.request.header_count; count++)
		names[count] = ex.request.headers[count].name;
	if (t->body != NULL)
		buffer_add_text(&ex.request.body, t->body);
	ex.request.content_length = t->content_length;
	ex.request.body_end = t->body_end;
	e = keep(&f, &ex);
	assert_octets(e->request, t->octets, strlen(t->octets));
	assert_int_equal(e->request_cut, t->cut);
	assert_string_equal(e->target,
	    t->prefix == 0 ? e->target : t->asked + t->prefix);
	while (count > 0)
		free(names[--count]);
	journal_entry_free(e);
	close_journals(&f);
}

static void
long_body(void **state)
{
	static const char head[] = "POST / HTTP/1.1\r\n\r\n";
	char *text = long_text(LONG);
	struct journal_entry *e;
	struct exchange ex;
	struct fixture f;

	(void)state;
	open_journals(&f, 0, 0);
	exchange_make(&ex, "POST", "/");
	buffer_add_text(&ex.request.body, text);
	e = keep(&f, &ex);
	assert_int_equal(e->request.len, EXCHANGE_KEPT_MAX);
	assert_memory_equal(e->request.data, head, strlen(head));
	assert_memory_equal(e->request.data + strlen(head), text,
	    EXCHANGE_KEPT_MAX - strlen(head));
	assert_true(e->request_cut);
	journal_entry_free(e);
	close_journals(&f);
	free(text);
}

static const struct answer {
	const char *row, *octets;
	uint64_t more; /* was sent than these */
	bool cut;
	const char *content_type;
} answers[] = {
	{ "none", "", 0, false, "" },
	{ "a page",
	    "HTTP/1.1 200 OK\r\nDate: x\r\nContent-Type: text/html\r\n\r\nabc",
	    0, false, "text/html" },
	{ "the spelling of a field does not matter",
	    "HTTP/1.1 200 OK\ncontent-TYPE:text/plain; a=b\n\n", 0, false,
	    "text/plain; a=b" },
	{ "a body is not its head",
	    "HTTP/1.1 200 OK\r\n\r\nContent-Type: text/html\r\n", 0, false,
	    "" },
	{ "a field that was cut says nothing",
	    "HTTP/1.1 200 OK\r\nContent-Type: text/ht", 0, false, "" },
	{ "an empty field", "HTTP/1.1 200 OK\r\nContent-Type: \r\n\r\n", 0,
	    false, "" },
	{ "garbage in front",
	    "xx\r\nHTTP/1.1 200 OK\r\nContent-Type: a\r\n\r\n", 0, false, "a" },
	{ "a type that is no text",
	    "HTTP/1.1 200 OK\r\nContent-Type: \xff\x01\r\n\r\n", 0, false,
	    "??" },
	{ "one of which the end was not kept", "HTTP/1.1 200 OK\r\n\r\n", 1,
	    true, "" },
	{ "one that was not kept", "", 77, true, "" },
};

static void
raw_reply(void **state)
{
	const struct answer *t = *state;
	struct journal_entry *e;
	struct exchange ex;
	struct fixture f;

	open_journals(&f, 0, 0);
	exchange_make(&ex, "GET", "/");
	ex.octets = span_text(t->octets);
	ex.sent = ex.octets.len + t->more;
	ex.reply.status = 200;
	e = keep(&f, &ex);
	assert_octets(e->reply, t->octets, strlen(t->octets));
	assert_int_equal(e->reply_cut, t->cut);
	assert_string_equal(e->content_type, t->content_type);
	assert_int_equal(e->status, ex.sent > 0 ? 200 : 0);
	journal_entry_free(e);
	close_journals(&f);
}

static void
long_reply(void **state)
{
	char *text = long_text(LONG);
	struct journal_entry *e;
	struct exchange ex;
	struct fixture f;

	(void)state;
	open_journals(&f, 0, 0);
	exchange_make(&ex, "GET", "/");
	ex.octets = span_text(text);
	ex.sent = LONG;
	e = keep(&f, &ex);
	assert_octets(e->reply, text, EXCHANGE_KEPT_MAX);
	assert_true(e->reply_cut);
	journal_entry_free(e);
	close_journals(&f);
	free(text);
}

static void
add_reply(struct journal *j, const char *text, size_t len)
{
	struct exchange ex;

	exchange_make(&ex, "GET", "/");
	ex.octets = span_of(text, len);
	ex.sent = len;
	journal_add(j, &ex);
	exchange_clear(&ex);
}

/* One alone that is too large has its facts, and no octets. */
static void
too_large(void **state)
{
	char *text = long_text(LONG);
	struct journals_count count;
	struct journal_entry *e;
	struct fixture f;

	(void)state;
	open_journals(&f, 0, 32 << 10);
	add_reply(f.journal, text, LONG);
	assert_non_null(e = journal_find(f.journal, 0, NULL));
	assert_string_equal(e->target, "/");
	assert_int_equal(e->sent, LONG);
	assert_int_equal(e->request.len, 0);
	assert_int_equal(e->reply.len, 0);
	assert_true(e->request_cut);
	assert_true(e->reply_cut);
	assert_int_equal(journal_lost(f.journal, 0), 0);
	journals_count(f.all, &count);
	assert_in_range(count.octets, e->size, 32 << 10);
	journal_entry_free(e);
	close_journals(&f);
	/* Where there is room for nothing, nothing is kept, and all goes on. */
	open_journals(&f, 0, 1);
	add_many(f.journal, 3);
	assert_int_equal(journal_last(f.journal), 3);
	assert_int_equal(journal_lost(f.journal, 0), 3);
	close_journals(&f);
	free(text);
}

static void
open_more(struct journals *all, struct journal **list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		assert_int_equal(journal_open(all, &list[i], NULL), 0);
}

/* Numbers that look random, the same each time. */
static unsigned
chance(unsigned *seed, unsigned below)
{
	*seed = *seed * 1103515245 + 12345;
	return (*seed >> 8) % below;
}

/*
 * Who holds less than an even share of the bound cannot hold most when it is
 * passed, whatever the others do.
 */
static void
quiet_lose_nothing(void **state)
{
	struct journal *quiet[QUIET], *busy[BUSY];
	char *text = long_text(LONG);
	struct journals_count count;
	unsigned seed = 1, quiet_count = 0;
	struct fixture f;

	(void)state;
	open_journals(&f, 10000, BOUND);
	open_more(f.all, quiet, QUIET);
	open_more(f.all, busy, BUSY);
	for (unsigned step = 0; step < STEPS; step++) {
		add_reply(busy[chance(&seed, BUSY)], text,
		    chance(&seed, 20000));
		if (step % (STEPS / QUIET) == 0 && quiet_count < QUIET)
			add(quiet[quiet_count++], "/quiet");
		journals_count(f.all, &count);
		assert_in_range(count.octets, 0, BOUND);
	}
	assert_int_equal(quiet_count, QUIET);
	/* The bound is used, not only kept. */
	assert_in_range(count.octets, BOUND - 25000, BOUND);
	assert_in_range(count.lost, STEPS / 2, STEPS);
	for (size_t i = 0; i < QUIET; i++) {
		assert_int_equal(next(quiet[i], 0, NULL), 1);
		assert_int_equal(journal_lost(quiet[i], 0), 0);
		journal_close(quiet[i]);
	}
	for (size_t i = 0; i < BUSY; i++) {
		assert_in_range(journal_lost(busy[i], 0), 1, STEPS);
		journal_close(busy[i]);
	}
	close_journals(&f);
	free(text);
}

/* The one that is full of large ones pays, not the one that adds. */
static void
largest_pays(void **state)
{
	struct journal *other;
	char *text = long_text(LONG);
	struct fixture f;

	(void)state;
	open_journals(&f, 0, BOUND);
	open_more(f.all, &other, 1);
	for (int i = 0; i < 8; i++)
		add_reply(f.journal, text, 28 << 10);
	assert_int_equal(journal_lost(f.journal, 0), 0);
	add_reply(other, text, 28 << 10);
	assert_int_equal(journal_lost(f.journal, 0), 1);
	assert_int_equal(next(f.journal, 0, NULL), 2);
	assert_int_equal(journal_lost(other, 0), 0);
	/* What is cleared makes room. */
	journal_clear(f.journal);
	for (int i = 0; i < 7; i++)
		add_reply(other, text, 28 << 10);
	assert_int_equal(journal_lost(other, 0), 0);
	journal_close(other);
	close_journals(&f);
	free(text);
}

#define MODELS 40
#define MODEL_BOUND ((size_t)1 << 20)
#define RINGS 2048 /* octets that a ring may hold beside its entries */

/* A journal as it should be. */
struct model {
	struct journal *journal;
	size_t sizes[STEPS]; /* of its entries */
	uint64_t added, lost;
	size_t held;
};

static void
model_open(struct journals *all, struct model *m)
{
	journal_close(m->journal);
	memset(m, 0, sizeof(*m));
	open_more(all, &m->journal, 1);
}

static void
model_add(struct model *m, const char *text, size_t len)
{
	struct journal_entry *e;

	add_reply(m->journal, text, len);
	e = journal_find(m->journal, m->added, NULL);
	assert_non_null(e);
	m->held += m->sizes[m->added++] = e->size;
	journal_entry_free(e);
}

/* What it held before it lost something the last time; 0: it did not. */
static size_t
model_lose(struct model *m)
{
	uint64_t lost = journal_lost(m->journal, 0);

	if (lost == m->lost)
		return 0;
	while (m->lost < lost)
		m->held -= m->sizes[m->lost++];
	return m->held + m->sizes[lost - 1];
}

/* Nobody holds more than who has lost something did before. */
static void
model_check(struct model *models)
{
	size_t least = SIZE_MAX;

	for (size_t i = 0; i < MODELS; i++) {
		size_t before = model_lose(&models[i]);

		if (before > 0 && before < least)
			least = before;
	}
	for (size_t i = 0; i < MODELS && least < SIZE_MAX; i++)
		assert_in_range(models[i].held, 0, least + RINGS);
}

static void
most_pays(void **state)
{
	static struct model models[MODELS];
	char *text = long_text(LONG);
	struct journals_count count;
	unsigned seed = 7;
	struct fixture f;

	(void)state;
	open_journals(&f, 10000, MODEL_BOUND);
	for (size_t i = 0; i < MODELS; i++)
		model_open(f.all, &models[i]);
	for (unsigned step = 0; step < STEPS; step++) {
		struct model *m = &models[chance(&seed, MODELS)];

		if (chance(&seed, 8) == 0)
			model_open(f.all, m);
		model_add(m, text, chance(&seed, 20000));
		model_check(models);
	}
	journals_count(f.all, &count);
	assert_in_range(count.octets, MODEL_BOUND / 2, MODEL_BOUND);
	for (size_t i = 0; i < MODELS; i++)
		journal_close(models[i].journal);
	close_journals(&f);
	free(text);
}

#define BIG 7000 /* octets */
#define SMALL_ONES 10

/* Another one takes its place among them, and is not forgotten there. */
static void
one_goes(void **state)
{
	static const unsigned had[] = { 10, 2, 9, 1, 1, 8 };
	static const unsigned left[] = { 6, 2, 6, 0, 1, 6 };
	struct journal *list[6], *small[SMALL_ONES];
	char *text = long_text(BIG);
	struct fixture f;

	(void)state;
	/* Room for 31 of them, and not for 32. */
	open_journals(&f, 0, 31 * (BIG + sizeof(struct journal_entry) + 150));
	list[0] = f.journal;
	open_more(f.all, list + 1, 5);
	for (size_t i = 0; i < 6; i++)
		for (unsigned n = 0; n < had[i]; n++)
			add_reply(list[i], text, BIG);
	journal_close(list[3]);
	list[3] = NULL;
	open_more(f.all, small, SMALL_ONES);
	for (size_t i = 0; i < SMALL_ONES; i++)
		add_reply(small[i], text, BIG);
	f.journal = NULL;
	for (size_t i = 0; i < 6; i++) {
		assert_int_equal(journal_count(list[i], NULL), left[i]);
		journal_close(list[i]);
	}
	for (size_t i = 0; i < SMALL_ONES; i++)
		journal_close(small[i]);
	close_journals(&f);
	free(text);
}

static void
outlives(void **state)
{
	struct journal_entry *e, *same;
	struct fixture f;

	(void)state;
	open_journals(&f, 1, 0);
	add(f.journal, "/first");
	e = journal_find(f.journal, 0, NULL);
	same = journal_entry_ref(e);
	add(f.journal, "/second");
	close_journals(&f);
	journal_entry_free(e);
	assert_string_equal(same->target, "/first");
	journal_entry_free(same);
}

static const struct filtered {
	const char *row;
	struct journal_filter filter;
	uint64_t first;
	size_t count;
} filters[] = {
	{ "nothing asked is everything", { NULL, NULL, NULL, 0 }, 1, 5 },
	{ "an operation", { "PKIOperation", NULL, NULL, 0 }, 2, 3 },
	{ "in any case", { "pkioperation", NULL, NULL, 0 }, 2, 3 },
	{ "not the beginning of one", { "PKIOp", NULL, NULL, 0 }, 0, 0 },
	{ "no operation", { "", NULL, NULL, 0 }, 1, 1 },
	{ "a message type", { NULL, "PKCSReq", NULL, 0 }, 3, 2 },
	{ "no message type", { NULL, "", NULL, 0 }, 1, 2 },
	{ "a transaction", { NULL, NULL, "AB", 0 }, 3, 1 },
	{ "its case counts", { NULL, NULL, "ab", 0 }, 4, 1 },
	{ "a status", { NULL, NULL, NULL, 500 }, 4, 1 },
	{ "not one that was not sent", { NULL, NULL, NULL, 503 }, 0, 0 },
	{ "all of them", { "PKIOperation", "PKCSReq", "AB", 200 }, 3, 1 },
	{ "all of them must fit", { "PKIOperation", "PKCSReq", "AB", 500 }, 0,
	    0 },
};

static void
add_filtered(struct journal *j)
{
	static const struct {
		const char *operation, *type, *transaction;
		int status;
	} list[] = {
		{ NULL, NULL, "", 403 },
		{ "PKIOperation", "GetCRL", "", 200 },
		{ "PKIOperation", "PKCSReq", "AB", 200 },
		{ "PKIOperation", "PKCSReq", "ab", 500 },
		{ "GetCACert", NULL, "", 503 },
	};

	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		struct exchange ex;

		exchange_make(&ex, "GET", "/");
		ex.scep.operation = list[i].operation;
		ex.scep.type_name = list[i].type;
		strcpy(ex.scep.transaction_id, list[i].transaction);
		ex.verdict.status = ex.reply.status = list[i].status;
		ex.sent = list[i].status == 503 ? 0 : 1;
		journal_add(j, &ex);
		exchange_clear(&ex);
	}
}

static void
filtered(void **state)
{
	const struct filtered *t = *state;
	struct fixture f;

	open_journals(&f, 0, 0);
	add_filtered(f.journal);
	assert_int_equal(next(f.journal, 0, &t->filter), t->first);
	assert_int_equal(journal_count(f.journal, &t->filter), t->count);
	close_journals(&f);
}

static void *
add_later(void *cls)
{
	struct fixture *f = cls;

	/* What does not match must not end the wait. */
	add_filtered(f->journal);
	return NULL;
}

static void
waited_for(void **state)
{
	const struct journal_filter filter = { .status = 500 };
	struct journal_entry *e;
	struct fixture f;
	pthread_t thread;

	(void)state;
	open_journals(&f, 0, 0);
	assert_null(journal_wait(f.journal, 0, NULL, 0));
	assert_null(journal_wait(f.journal, 0, NULL, -5));
	assert_null(journal_wait(f.journal, 0, NULL, 1));
	assert_int_equal(pthread_create(&thread, NULL, add_later, &f), 0);
	e = journal_wait(f.journal, 0, &filter, INT64_MAX);
	assert_int_equal(e->seq, 4);
	journal_entry_free(e);
	assert_int_equal(pthread_join(thread, NULL), 0);
	/* What is there already is not waited for. */
	e = journal_wait(f.journal, 1, &filter, 0);
	assert_int_equal(e->seq, 4);
	journal_entry_free(e);
	assert_null(journal_wait(f.journal, 4, &filter, 1));
	close_journals(&f);
}

static struct told {
	struct fixture f;
	uint64_t last;
} told;

/* It would wait for ever if a lock were held. */
static void
ask(void *cls, const struct journal *grown)
{
	struct told *t = cls;

	assert_ptr_equal(grown, t->f.journal);
	t->last = journal_last(t->f.journal);
}

static void
tells(void **state)
{
	const struct journals_options options = { .grown = ask, .cls = &told };

	(void)state;
	assert_int_equal(journals_new(&told.f.all, &options, NULL), 0);
	assert_int_equal(journal_open(told.f.all, &told.f.journal, NULL), 0);
	add_many(told.f.journal, 2);
	assert_int_equal(told.last, 2);
	close_journals(&told.f);
}

#define ROUNDS 300

/* Two who wait for each other: each entry must end a wait. */
static struct pair {
	struct fixture f;
	struct journal *other;
	unsigned answered;
} pair;

static void *
answer_each(void *cls)
{
	struct journal_entry *e;

	(void)cls;
	for (; pair.answered < ROUNDS; pair.answered++) {
		e = journal_wait(pair.f.journal, pair.answered, NULL, PATIENCE);
		if (e == NULL)
			return NULL;
		journal_entry_free(e);
		add(pair.other, "/");
	}
	return NULL;
}

static void
wakes_at_once(void **state)
{
	struct journal_entry *e;
	pthread_t thread;

	(void)state;
	open_journals(&pair.f, 0, 0);
	open_more(pair.f.all, &pair.other, 1);
	assert_int_equal(pthread_create(&thread, NULL, answer_each, NULL), 0);
	for (unsigned i = 0; i < ROUNDS; i++) {
		add(pair.f.journal, "/");
		e = journal_wait(pair.other, i, NULL, PATIENCE);
		assert_non_null(e);
		assert_int_equal(e->seq, i + 1);
		journal_entry_free(e);
	}
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(pair.answered, ROUNDS);
	journal_close(pair.other);
	close_journals(&pair.f);
}

#define WRITERS 6
#define READERS 6
#define SHARED 3  /* journals */
#define EACH 1500 /* entries of a writer */
#define SHARED_BOUND ((size_t)128 << 10)

/* Below, what threads use is static: they go on when a check has failed. */
static struct crowd {
	struct fixture f;
	struct journal *journals[SHARED];
	atomic_int wrong;
	pthread_t writers[WRITERS], readers[READERS], clearer;
} crowd;

static void *
write_some(void *cls)
{
	const size_t nth = *(const size_t *)cls;
	static const char octets[4096];
	struct exchange ex;

	for (unsigned i = 0; i < EACH; i++) {
		exchange_init(&ex);
		ex.octets = span_of(octets, i % sizeof(octets));
		ex.sent = ex.octets.len;
		ex.duration_ms = (int64_t)nth;
		journal_add(crowd.journals[nth], &ex);
		exchange_clear(&ex);
	}
	return NULL;
}

/* Sees every number once, as an entry or as a gap, and none of another. */
static void *
read_all(void *cls)
{
	const size_t nth = *(const size_t *)cls;
	struct journal *j = crowd.journals[nth];
	const uint64_t end = WRITERS / SHARED * EACH;
	struct journal_entry *e;
	uint64_t since = 0;

	while (since < end &&
	    (e = journal_wait(j, since, NULL, PATIENCE)) != NULL) {
		if (e->seq <= since || e->duration_ms != (int64_t)nth ||
		    e->reply.len != e->sent)
			crowd.wrong++;
		since = e->seq;
		journal_entry_free(e);
		journal_count(j, NULL);
		journal_lost(j, since / 2);
	}
	if (since != end)
		crowd.wrong++;
	return NULL;
}

static void *
open_and_clear(void *cls)
{
	struct journals_count count;
	struct journal *j;

	(void)cls;
	for (int i = 0; i < EACH; i++) {
		if (journal_open(crowd.f.all, &j, NULL) == -1) {
			crowd.wrong++;
			break;
		}
		add_many(j, 3);
		journal_clear(j);
		add_many(j, 2);
		journals_count(crowd.f.all, &count);
		if (count.octets > SHARED_BOUND)
			crowd.wrong++;
		journal_close(j);
	}
	return NULL;
}

static void
start(pthread_t *thread, void *(*run)(void *), size_t nth)
{
	static size_t numbers[SHARED] = { 0, 1, 2 };

	assert_int_equal(pthread_create(thread, NULL, run, &numbers[nth]), 0);
}

static void
many_at_once(void **state)
{
	(void)state;
	open_journals(&crowd.f, 50, SHARED_BOUND);
	open_more(crowd.f.all, crowd.journals, SHARED);
	for (size_t i = 0; i < READERS; i++)
		start(&crowd.readers[i], read_all, i % SHARED);
	for (size_t i = 0; i < WRITERS; i++)
		start(&crowd.writers[i], write_some, i % SHARED);
	start(&crowd.clearer, open_and_clear, 0);
	for (size_t i = 0; i < WRITERS; i++)
		pthread_join(crowd.writers[i], NULL);
	for (size_t i = 0; i < READERS; i++)
		pthread_join(crowd.readers[i], NULL);
	pthread_join(crowd.clearer, NULL);
	assert_int_equal(crowd.wrong, 0);
	for (size_t i = 0; i < SHARED; i++) {
		assert_int_equal(journal_last(crowd.journals[i]),
		    WRITERS / SHARED * EACH);
		assert_int_equal(journal_lost(crowd.journals[i], 0) +
			journal_count(crowd.journals[i], NULL),
		    WRITERS / SHARED * EACH);
		journal_close(crowd.journals[i]);
	}
	close_journals(&crowd.f);
}

/* A ring of one entry, so that almost everything is lost. */
static void
none_is_missed(void **state)
{
	uint64_t since = 0, lost = 0;
	size_t count = 0;

	(void)state;
	open_journals(&crowd.f, 1, 0);
	open_more(crowd.f.all, crowd.journals, 1);
	for (size_t i = 0; i < WRITERS; i++)
		start(&crowd.writers[i], write_some, 0);
	while (since < WRITERS * EACH)
		count += read_on(crowd.journals[0], &since, NULL, &lost);
	for (size_t i = 0; i < WRITERS; i++)
		pthread_join(crowd.writers[i], NULL);
	assert_int_equal(count + lost, WRITERS * EACH);
	journal_close(crowd.journals[0]);
	close_journals(&crowd.f);
}

int
main(void)
{
	static const struct table tables[] = {
		ROWS(ring, rings),
		ONE(cleared, "what is cleared is not lost; numbers go on"),
		ONE(read_in_steps, "who reads on learns what went before"),
		ONE(kept_by_nobody, "a journal that is none keeps nothing"),
		ONE(facts, "an entry has the facts of its exchange"),
		ONE(nothing_was_read, "without a request texts are empty"),
		ROWS(shown, texts),
		ONE(long_texts, "texts are cut"),
		ROWS(raw_request, raws),
		ONE(long_body, "raw octets are cut"),
		ROWS(raw_reply, answers),
		ONE(long_reply, "those of a reply, too"),
		ONE(too_large, "one that is too large has no octets"),
		ONE(quiet_lose_nothing,
		    "busy sites take nothing of quiet ones"),
		ONE(largest_pays, "who holds most loses"),
		ONE(one_goes, "also when others are gone"),
		ONE(most_pays, "also among many that come and go"),
		ONE(outlives, "who has a reference keeps the entry"),
		ROWS(filtered, filters),
		ONE(waited_for, "what is to come can be waited for"),
		ONE(wakes_at_once, "who waits is woken by the next one"),
		ONE(tells, "it tells when it has grown, without a lock"),
		ONE(many_at_once, "many write, read, open and clear at once"),
		ONE(none_is_missed, "each is read or lost, whoever writes"),
	};

	return ROWS_RUN(tables, NULL, NULL);
}
