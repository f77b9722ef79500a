/* Exchanges as the HTTP room hands them over, made by hand. */
#ifndef UNIT_EXCHANGES_H
#define UNIT_EXCHANGES_H

#include "unit/hex.h"

#include <arpa/inet.h>

#include "exchange/exchange.h"

#define EXCHANGE_AT 1367226951LL /* 2013-04-29 09:15:51 */
#define EXCHANGE_DATE "Mon, 29 Apr 2013 09:15:51 GMT"
#define EXCHANGE_HEADERS 8

static inline char *
exchange_text(const char *text)
{
	return (char *)(uintptr_t)text;
}

/* Everything but the target is borrowed. No Host header yet. */
static inline void
exchange_make(struct exchange *ex, const char *method, const char *target)
{
	struct request *r = &ex->request;

	exchange_init(ex);
	ex->at = EXCHANGE_AT;
	r->method = exchange_text(method);
	r->version = exchange_text("HTTP/1.1");
	assert_non_null(r->asked = strdup(target));
	r->headers = calloc(EXCHANGE_HEADERS, sizeof(r->headers[0]));
	assert_non_null(r->headers);
	r->head_size = strlen(method) + strlen(target) +
	    strlen("  HTTP/1.1\r\n\r\n");
	request_split_target(r);
}

static inline void
exchange_header(struct exchange *ex, const char *name, const char *value)
{
	struct request *r = &ex->request;
	size_t len = strlen(value);

	assert_in_range(r->header_count, 0, EXCHANGE_HEADERS - 1);
	r->headers[r->header_count].name = exchange_text(name);
	r->headers[r->header_count++].value = exchange_text(value);
	r->head_size += strlen(name) + strlen(": \r\n") + len;
	if (len > r->longest_header)
		r->longest_header = len;
}

/* IPv4 or IPv6, numeric. */
static inline struct endpoint
exchange_endpoint(const char *address, unsigned port)
{
	struct endpoint e;

	memset(&e, 0, sizeof(e));
	if (inet_pton(AF_INET, address, &e.address.v4.sin_addr) == 1) {
		e.address.v4.sin_family = AF_INET;
		e.address.v4.sin_port = htons((uint16_t)port);
		return e;
	}
	assert_int_equal(inet_pton(AF_INET6, address, &e.address.v6.sin6_addr),
	    1);
	e.address.v6.sin6_family = AF_INET6;
	e.address.v6.sin6_port = htons((uint16_t)port);
	return e;
}

static inline bool
exchange_body_has(const struct exchange *ex, const char *text)
{
	return memmem(ex->reply.body.data, ex->reply.body.len, text,
		   strlen(text)) != NULL;
}

static inline void
exchange_body_must_have(const struct exchange *ex, const char *text)
{
	if (!exchange_body_has(ex, text))
		fail_msg("\"%s\" is not in:\n%.*s", text,
		    (int)ex->reply.body.len, (char *)ex->reply.body.data);
}

/* The names of the headers, in their order: "A B C". */
static inline void
exchange_must_have_headers(const struct exchange *ex, const char *wanted)
{
	struct buffer names = { 0 };

	for (size_t i = 0; i < ex->reply.header_count; i++)
		buffer_printf(&names, "%s%s", i > 0 ? " " : "",
		    ex->reply.headers[i].name);
	buffer_add_byte(&names, 0);
	assert_string_equal((char *)names.data, wanted);
	buffer_free(&names);
}

static inline void
exchange_must_have_header(const struct exchange *ex, const char *name,
    const char *value)
{
	const char *got = reply_header_value(&ex->reply, name);

	if (got == NULL)
		fail_msg("no header %s", name);
	else
		assert_string_equal(got, value);
}

/* The length said is that of the body. */
static inline void
exchange_must_be_measured(const struct exchange *ex)
{
	assert_int_equal(ex->reply.length, REPLY_LENGTH_TRUE);
	assert_null(reply_header_value(&ex->reply, "Content-Length"));
}

static inline void
exchange_must_say(const struct exchange *ex, enum layer layer, int status,
    int substatus, uint32_t win32)
{
	assert_int_equal(ex->verdict.layer, layer);
	assert_int_equal(ex->verdict.status, status);
	assert_int_equal(ex->verdict.substatus, substatus);
	assert_int_equal(ex->verdict.win32, win32);
	assert_int_equal(ex->reply.status, status);
}

#endif
