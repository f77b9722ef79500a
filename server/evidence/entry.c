/* What is kept of an exchange, in one piece of memory. */
#include "evidence/entry.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CONTENT_TYPE "Content-Type:"

/* How much of a text is kept; the raw octets have the rest. */
#define METHOD_MAX 32
#define TARGET_MAX 1024
#define USER_AGENT_MAX 256
#define CONTENT_TYPE_MAX 128

/* Writes octets, or counts them if there is nowhere to put them. */
struct pen {
	uint8_t *to;
	size_t len, max;
	bool cut; /* there was more */
};

static void
put(struct pen *p, const void *data, size_t len)
{
	if (len > p->max - p->len) {
		len = p->max - p->len;
		p->cut = true;
	}
	if (p->to != NULL && len > 0)
		memcpy(p->to + p->len, data, len);
	p->len += len;
}

static void
put_text(struct pen *p, const char *text)
{
	put(p, text, strlen(text));
}

static void
put_head(struct pen *p, const struct request *r)
{
	put_text(p, r->method);
	put_text(p, " ");
	put_text(p, r->asked == NULL ? "" : r->asked);
	put_text(p, " ");
	put_text(p, r->version);
	put_text(p, "\r\n");
	for (size_t i = 0; i < r->header_count; i++) {
		put_text(p, r->headers[i].name);
		put_text(p, ": ");
		put_text(p, r->headers[i].value);
		put_text(p, "\r\n");
	}
	put_text(p, "\r\n");
}

static void
put_request(struct pen *p, const struct request *r)
{
	if (r->method == NULL)
		return;
	put_head(p, r);
	put(p, r->body.data, r->body.len);
	/* The rest was not read, or never came. */
	if (r->body_end != BODY_WHOLE ||
	    (r->content_length > 0 && r->body.len < (size_t)r->content_length))
		p->cut = true;
}

static void
put_reply(struct pen *p, const struct exchange *ex)
{
	put(p, ex->octets.data, ex->octets.len);
	if (ex->sent > ex->octets.len)
		p->cut = true;
}

/* Of the head that was sent. */
static struct span
sent_content_type(struct span octets)
{
	size_t name = strlen(CONTENT_TYPE), len;
	const char *at = (const char *)octets.data, *end;

	for (; octets.len > 0 && (end = memchr(at, '\n', octets.len)) != NULL;
	     at = end + 1) {
		len = (size_t)(end - at);
		octets.len -= len + 1;
		if (len > 0 && at[len - 1] == '\r')
			len--;
		if (len == 0)
			break;
		if (len < name || strncasecmp(at, CONTENT_TYPE, name) != 0)
			continue;
		for (; name < len && at[name] == ' '; name++)
			continue;
		return span_of(at + name, len - name);
	}
	return SPAN_EMPTY;
}

/* The texts of an entry, in the order in which they lie there. */
enum { METHOD, TARGET, USER_AGENT, CONTENT, TEXTS };

struct texts {
	struct span list[TEXTS];
	size_t size; /* of all, with a NUL each */
};

static struct span
text_of(const char *text, size_t max)
{
	return text == NULL ? SPAN_EMPTY : span_of(text, strnlen(text, max));
}

static void
find_texts(const struct exchange *ex, struct texts *out)
{
	const struct request *r = &ex->request;
	struct span *list = out->list;

	list[METHOD] = text_of(r->method, METHOD_MAX);
	list[TARGET] = text_of(r->target, TARGET_MAX);
	list[USER_AGENT] = text_of(request_header(r, "User-Agent"),
	    USER_AGENT_MAX);
	list[CONTENT] = sent_content_type(ex->octets);
	if (list[CONTENT].len > CONTENT_TYPE_MAX)
		list[CONTENT].len = CONTENT_TYPE_MAX;
	out->size = TEXTS;
	for (size_t i = 0; i < TEXTS; i++)
		out->size += list[i].len;
}

char *
entry_printable(char *out, size_t size, struct span text)
{
	size_t len = text.len < size ? text.len : size - 1;

	for (size_t i = 0; i < len; i++)
		out[i] = text.data[i] >= ' ' && text.data[i] <= '~' ?
		    (char)text.data[i] :
		    '?';
	out[len] = '\0';
	return out;
}

static const char *
copy_printable(struct pen *p, struct span text)
{
	char *start = (char *)p->to + p->len;

	p->len += text.len + 1;
	return entry_printable(start, text.len + 1, text);
}

int
entry_status(const struct exchange *ex)
{
	return ex->sent > 0 ? ex->reply.status : 0;
}

static void
fill_facts(struct journal_entry *e, const struct exchange *ex)
{
	const char *target = ex->request.target;

	e->at = ex->at;
	e->duration_ms = ex->duration_ms;
	e->source = ex->request.source;
	e->target_length = target == NULL ? 0 : strlen(target);
	e->verdict = ex->verdict;
	e->status = entry_status(ex);
	e->scep = ex->scep;
	e->notes = ex->notes;
	e->sent = ex->sent;
	e->ending = ex->ending;
}

static void
fill_octets(struct journal_entry *e, struct pen *p, const struct exchange *ex,
    const struct pen *request, const struct pen *reply)
{
	struct pen part = { .to = p->to, .max = request->len };

	put_request(&part, &ex->request);
	e->request = span_of(part.to, part.len);
	e->request_cut = request->cut;
	part = (struct pen){ .to = p->to + part.len, .max = reply->len };
	put_reply(&part, ex);
	e->reply = span_of(part.to, part.len);
	e->reply_cut = reply->cut;
	p->len = request->len + reply->len;
}

static void
fill_texts(struct journal_entry *e, struct pen *p, const struct texts *texts)
{
	e->method = copy_printable(p, texts->list[METHOD]);
	e->target = copy_printable(p, texts->list[TARGET]);
	e->user_agent = copy_printable(p, texts->list[USER_AGENT]);
	e->content_type = copy_printable(p, texts->list[CONTENT]);
}

struct journal_entry *
entry_new(const struct exchange *ex, size_t most)
{
	struct pen request = { .max = EXCHANGE_KEPT_MAX }, reply = request, all;
	struct journal_entry *e;
	struct texts texts;
	size_t size;

	find_texts(ex, &texts);
	size = sizeof(*e) + texts.size;
	put_request(&request, &ex->request);
	put_reply(&reply, ex);
	if (size + request.len + reply.len > most) {
		request.cut = request.cut || request.len > 0;
		reply.cut = reply.cut || reply.len > 0;
		request.len = reply.len = 0;
	}
	size += request.len + reply.len;
	if ((e = malloc(size)) == NULL)
		return NULL;
	*e = (struct journal_entry){ .size = size, .refs = 1 };
	all = (struct pen){ .to = (uint8_t *)(e + 1),
		.max = size - sizeof(*e) };
	fill_facts(e, ex);
	fill_octets(e, &all, ex, &request, &reply);
	fill_texts(e, &all, &texts);
	return e;
}

struct journal_entry *
journal_entry_ref(struct journal_entry *e)
{
	atomic_fetch_add(&e->refs, 1);
	return e;
}

void
journal_entry_free(struct journal_entry *e)
{
	if (e != NULL && atomic_fetch_sub(&e->refs, 1) == 1)
		free(e);
}

/* NULL matches all; what an entry does not have is empty. */
static bool
is_name(const char *wanted, const char *name)
{
	return wanted == NULL ||
	    strcasecmp(wanted, name == NULL ? "" : name) == 0;
}

bool
entry_matches(const struct journal_entry *e, const struct journal_filter *f)
{
	if (f == NULL)
		return true;
	return is_name(f->operation, e->scep.operation) &&
	    is_name(f->message_type, e->scep.type_name) &&
	    (f->transaction_id == NULL ||
		strcmp(f->transaction_id, e->scep.transaction_id) == 0) &&
	    (f->status == 0 || f->status == e->status);
}
