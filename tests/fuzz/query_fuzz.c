/*
 * A request without a network: what libmicrohttpd would hand over, through
 * http.sys, IIS and mscep.dll, into answer and logs. The first octet chooses
 * the settings, the rest is the request as on the wire.
 */
#include "fuzz/request.h"

#include <stdlib.h>
#include <string.h>

#include "evidence/evidence.h"
#include "http/inside.h"

/* serve.c without a site. */
static void
answer(struct exchange *ex, const struct stack_state *s)
{
	enum operation operation = mscep_operation(&ex->request);
	struct scep_caps caps;
	struct span message;
	struct blob decoded;

	ex->scep.operation = mscep_operation_name(operation);
	iis_pass_body(ex, s);
	if (exchange_is_answered(ex))
		return;
	if (operation == OPERATION_GET_CA_CAPS) {
		mscep_plan_caps(s, &caps);
		mscep_answer_caps(ex, s, &caps);
	} else if (operation == OPERATION_GET_CA_CERT)
		mscep_answer_ca_cert(ex, s, span_text("certificates"));
	else if (operation == OPERATION_PKI) {
		if (mscep_message(&ex->request, &decoded, &message) == 0)
			REQUIRE(message.len == 0 || message.data != NULL);
		mscep_answer_unreadable(ex, s,
		    ex->request.header_count % (SCEP_BAD_PROOF + 1));
		blob_free(&decoded);
	} else if (iis_place(&ex->request) == PLACE_ADMIN)
		admin_page_answer(ex, s,
		    ex->request.header_count % (CHALLENGE_FAILED + 1),
		    "8CE317021F690069", "thumbprint");
	else
		policy_module_pass(ex, s);
	if (!exchange_is_answered(ex))
		mscep_answer_general(ex, s);
}

static size_t
count(struct span s, uint8_t octet)
{
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++)
		n += s.data[i] == octet;
	return n;
}

/* A client can add neither a line nor a field to a log. */
static void
check_logs(const struct exchange *ex, const struct stack_state *s)
{
	const struct iis_log_form form = { .version = "10.0",
		.referer = s->windows > WINDOWS_2008R2,
		.bytes = s->iis.log_fields == LOG_FIELDS_ARTICLE };
	struct buffer line = { 0 };
	size_t blanks = 13 + form.referer + form.bytes;

	if (iis_log_wants(ex)) {
		iis_log_line(ex, &form, &line);
	} else {
		REQUIRE(httperr_wants(ex));
		httperr_line(ex, &form, &line);
		blanks = 13;
	}
	REQUIRE(!line.failed && count(buffer_span(&line), ' ') == blanks);
	for (size_t i = 0; i < line.len; i++)
		REQUIRE(line.data[i] >= ' ' && line.data[i] != 0x7f);
	buffer_free(&line);
}

/* Nor a header or markup to an answer. */
static void
check_reply(const struct exchange *ex)
{
	const struct reply *r = &ex->reply;
	struct blob bytes;

	REQUIRE(r->status >= 200 && r->status < 600);
	REQUIRE(r->status == ex->verdict.status);
	for (size_t i = 0; i < r->header_count; i++)
		REQUIRE(strpbrk(r->headers[i].value, "\r\n") == NULL);
	REQUIRE(r->body.data != NULL &&
	    memmem(r->body.data, r->body.len, "<script", 7) == NULL);
	REQUIRE(reply_header_value(r, "Content-Length") == NULL);
	REQUIRE(render_reply(ex, &bytes) == 0);
	REQUIRE(render_size(ex) == bytes.len);
	blob_free(&bytes);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct stack_state state;
	struct exchange ex;

	if (size == 0)
		return 0;
	state = request_settings(data[0]);
	exchange_init(&ex);
	ex.at = AUTHORITY_NOW;
	request_read(&ex.request, span_of(data + 1, size - 1));
	http_sys_pass(&ex, &state);
	if (!exchange_is_answered(&ex))
		iis_pass(&ex, &state);
	if ((int64_t)ex.request.body.len > ex.request.body_limit)
		ex.request.body_end = BODY_TOO_LARGE;
	if (!exchange_is_answered(&ex))
		answer(&ex, &state);
	check_reply(&ex);
	check_logs(&ex, &state);
	exchange_clear(&ex);
	return 0;
}
