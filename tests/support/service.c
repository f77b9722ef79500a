#include "support/service.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "support/tcp.h"
#include "support/test.h"

#define FOR_LONG_MS 3600000

static void
count(struct service *s, unsigned *member)
{
	pthread_mutex_lock(&s->lock);
	++*member;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
}

/* The number that a header says, or -1. */
static int64_t
number(const struct exchange *ex, const char *name)
{
	const char *text = request_header(&ex->request, name);

	return text == NULL ? -1 : atoll(text);
}

static void
begin(void *cls, struct exchange *ex)
{
	struct service *s = cls;

	if (number(ex, "X-Limit") >= 0)
		ex->request.body_limit = number(ex, "X-Limit");
	count(s, &s->is.begun);
}

static void
set_wire(struct exchange *ex)
{
	const char *prefix = request_header(&ex->request, "X-Prefix");
	struct wire *w = &ex->wire;

	if (number(ex, "X-Delay") > 0)
		w->delay_ms = number(ex, "X-Delay");
	if (number(ex, "X-Drip") > 0) {
		w->drip_octets = number(ex, "X-Drip");
		w->drip_ms = 1;
	}
	if (number(ex, "X-Cut") >= 0) {
		w->is_cut = true;
		w->cut_at = number(ex, "X-Cut");
	}
	if (number(ex, "X-Pause") >= 0) {
		w->pause_at = number(ex, "X-Pause");
		w->pause_ms = FOR_LONG_MS;
	}
	if (prefix != NULL)
		w->prefix = span_text(prefix);
	if (request_header(&ex->request, "X-Reset") != NULL)
		w->end = WIRE_END_RESET;
	if (number(ex, "X-Hang") >= 0) {
		w->end = WIRE_END_HANG;
		w->hang_ms = number(ex, "X-Hang");
	}
}

static void
set_body(struct exchange *ex, const char *text)
{
	int64_t fill = number(ex, "X-Fill");
	struct buffer b = { 0 };

	if (text != NULL)
		buffer_add_text(&b, text);
	for (int64_t i = 0; i < fill; i++)
		buffer_add_byte(&b, (uint8_t)('a' + i % 26));
	assert_int_equal(buffer_finish(&b, &ex->reply.body), 0);
	ex->reply.chunked = request_header(&ex->request, "X-Chunked") != NULL;
}

/* True: it waits. Else `text` says why not. */
static bool
waits(struct service *s, struct exchange *ex, const char **text)
{
	int64_t ms = number(ex, "X-Wait"), key = number(ex, "X-Key");
	const unsigned *news = &s->news[key < 0 ? 0 : key];
	struct waiting *w = &ex->waiting;

	if (ms < 0)
		return false;
	assert_null(w->key);
	if (service_read(s, news) > 0) {
		*text = "news";
		return false;
	}
	if (w->ms == 0 && request_header(&ex->request, "X-Stubborn") == NULL) {
		*text = "over";
		return false;
	}
	if (s->meanwhile != NULL)
		s->meanwhile(s);
	w->key = news;
	if (w->ms == WAITING_NEW)
		w->ms = ms;
	return true;
}

static void
answer(void *cls, struct exchange *ex)
{
	const char *text = request_header(&ex->request, "X-Body");
	struct service *s = cls;

	if (!waits(s, ex, &text)) {
		exchange_answer(ex, LAYER_MOCK, 200, 0, 0);
		set_body(ex, text);
		set_wire(ex);
	}
	count(s, &s->is.asked);
}

static bool
is_long(void *cls, const struct exchange *ex)
{
	(void)cls;
	return request_header(&ex->request, "X-Long") != NULL;
}

static void
refuse(void *cls, struct exchange *ex, enum http_refusal why)
{
	struct service *s = cls;

	if (why == HTTP_REFUSED_LIMIT)
		exchange_answer(ex, LAYER_MOCK, 503, 0, 0);
	count(s, &s->is.refused);
}

static struct http_limits
limits(void *cls)
{
	(void)cls;
	return (struct http_limits){ 60000, 60000, 60000, 60000 };
}

static void
replace(struct buffer *b, struct span with)
{
	buffer_free(b);
	buffer_add_span(b, with);
}

static void
finish(void *cls, struct exchange *ex)
{
	struct service *s = cls;

	pthread_mutex_lock(&s->lock);
	s->last.ending = ex->ending;
	s->last.sent = ex->sent;
	replace(&s->last.octets, ex->octets);
	replace(&s->last.body, buffer_span(&ex->request.body));
	pthread_mutex_unlock(&s->lock);
	count(s, &s->is.finished);
}

static void
release(void *cls)
{
	struct service *s = cls;

	count(s, &s->is.released);
}

void
service_start(struct service *s, const struct http_options *given)
{
	const struct http_options usual = { .workers = 2 };
	struct error err = { 0 };

	memset(s, 0, sizeof(*s));
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->changed, NULL);
	s->calls = (struct http_service){ .begin = begin,
		.answer = answer,
		.is_long = is_long,
		.refuse = refuse,
		.limits = limits,
		.finish = finish,
		.release = release,
		.cls = s };
	assert_int_equal(http_start(&s->http, given != NULL ? given : &usual,
			     &err),
	    0);
	s->listener = service_listen(s, "127.0.0.1:0", false, s->base);
	assert_int_equal(http_accept(s->http, &err), 0);
}

void
service_stop(struct service *s, int grace_ms)
{
	http_stop(s->http, grace_ms);
	buffer_free(&s->last.octets);
	buffer_free(&s->last.body);
	pthread_cond_destroy(&s->changed);
	pthread_mutex_destroy(&s->lock);
}

struct listener *
service_listen(struct service *s, const char *address, bool reserved,
    char base[HTTP_URL_SIZE])
{
	struct http_service calls = s->calls;
	struct listener *listener = NULL;
	struct error err = { 0 };
	struct endpoint at;

	calls.reserved = reserved;
	if (http_parse_address(address, &at, &err) == -1 ||
	    http_listen(s->http, &at, &calls, &at, &listener, &err) == -1)
		fail_msg("%s", err.text);
	http_url(&at, base);
	return listener;
}

unsigned
service_read(struct service *s, const unsigned *member)
{
	unsigned is;

	pthread_mutex_lock(&s->lock);
	is = *member;
	pthread_mutex_unlock(&s->lock);
	return is;
}

void
service_wait_for(struct service *s, const unsigned *member, const char *name,
    unsigned least)
{
	struct timespec until;
	int ret = 0;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += TCP_SECONDS;
	pthread_mutex_lock(&s->lock);
	while (*member < least && ret == 0)
		ret = pthread_cond_timedwait(&s->changed, &s->lock, &until);
	pthread_mutex_unlock(&s->lock);
	if (ret != 0)
		fail_msg("%s is %u, not %u", name, *member, least);
}

void
service_tell(struct service *s, unsigned key)
{
	count(s, &s->news[key]);
	http_wake(s->http, &s->news[key]);
}

bool
service_answers(const char *base)
{
	struct answer a;
	bool good = answer_ask(base, SERVICE_GET "\r\n", &a) && a.status == 200;

	answer_clear(&a);
	return good;
}
