/* What lies in front of the server: the network, the application proxy. */
#include "unit/exchanges.h"

#include "stack/stack.h"

#define PATH "/certsrv/mscep/mscep.dll"
#define PASSES LAYER_NONE

/* In the order in which a request meets them. */
static const struct met {
	const char *row;
	enum device_network device;
	enum external_url url;
	enum service_state service;
	enum back_end back_end;
	enum layer layer;
	int status;
	const char *says;  /* in the body; NULL: there is none */
	enum wire_end end; /* without an octet, if it is not the usual one */
	bool refused;	   /* at connect(), on a port of its own */
} mets[] = {
	{ .row = "all is well", .layer = PASSES },
	{ .row = "a device is refused",
	    .device = DEVICE_REFUSED,
	    .layer = LAYER_NETWORK,
	    .end = WIRE_END_RESET,
	    .refused = true },
	{ .row = "a device hears nothing",
	    .device = DEVICE_SILENT,
	    .layer = LAYER_NETWORK,
	    .end = WIRE_END_HANG },
	{ .row = "the external URL is another one",
	    .url = EXTERNAL_URL_WRONG,
	    .layer = LAYER_NETWORK,
	    .end = WIRE_END_CLOSE,
	    .refused = true },
	{ .row = "a device hears nothing of a wrong URL",
	    .device = DEVICE_SILENT,
	    .url = EXTERNAL_URL_WRONG,
	    .layer = LAYER_NETWORK,
	    .end = WIRE_END_HANG },
	{ .row = "the connector's service is stopped",
	    .service = SERVICE_STOPPED,
	    .layer = LAYER_APP_PROXY,
	    .status = 504,
	    .says = "GatewayTimeout: The corporate app cannot be accessed" },
	{ .row = "the connector reaches nobody",
	    .back_end = BACK_END_UNREACHABLE,
	    .layer = LAYER_APP_PROXY,
	    .status = 502,
	    .says = "BadGateway: This corporate app can't be accessed." },
	{ .row = "nor could it, stopped",
	    .service = SERVICE_STOPPED,
	    .back_end = BACK_END_UNREACHABLE,
	    .layer = LAYER_APP_PROXY,
	    .status = 504,
	    .says = "GatewayTimeout:" },
	{ .row = "who goes elsewhere meets no connector",
	    .url = EXTERNAL_URL_WRONG,
	    .service = SERVICE_STOPPED,
	    .layer = LAYER_NETWORK,
	    .end = WIRE_END_CLOSE,
	    .refused = true },
};

static void
meets(void **state)
{
	const struct met *t = *state;
	struct stack_state s;
	struct exchange ex;

	stack_healthy(&s);
	s.network.device = t->device;
	s.app_proxy.external_url = t->url;
	s.app_proxy.connector_service = t->service;
	s.app_proxy.back_end = t->back_end;
	assert_int_equal(network_refuses(&s), t->refused);
	exchange_make(&ex, "GET", PATH);
	network_pass(&ex, &s);
	if (!exchange_is_answered(&ex))
		app_proxy_pass(&ex, &s);
	exchange_must_say(&ex, t->layer, t->status, 0, 0);
	assert_int_equal(ex.wire.end, t->end);
	assert_int_equal(ex.wire.is_cut, t->end != WIRE_END_USUAL);
	assert_int_equal(ex.wire.cut_at, 0);
	if (t->says != NULL)
		assert_true(exchange_body_has(&ex, t->says));
	else
		assert_int_equal(ex.reply.body.len, 0);
	exchange_clear(&ex);
}

#define S INT64_C(1000)

/* The proxy waits for 85 seconds. */
static const struct wait {
	const char *row;
	struct wire wire;
	bool is_late;
	enum layer layer; /* NONE: that of NDES */
	int64_t timeout;  /* 0: 85 */
	bool blocked;	  /* the device, which hears nothing */
} waits[] = {
	{ .row = "at once", .is_late = false },
	{ .row = "as late as may be", .wire = { .delay_ms = 85 * S } },
	{ .row = "later", .wire = { .delay_ms = 85 * S + 1 }, .is_late = true },
	{ .row = "later, in pieces",
	    .wire = { .delay_ms = 90 * S, .drip_octets = 1, .drip_ms = 1 },
	    .is_late = true },
	{ .row = "in pieces, from now on",
	    .wire = { .drip_octets = 1, .drip_ms = 3600 * S } },
	{ .row = "later, and then a reset",
	    .wire = { .delay_ms = 90 * S,
		.is_cut = true,
		.end = WIRE_END_RESET },
	    .is_late = true },
	{ .row = "a reset", .wire = { .is_cut = true, .end = WIRE_END_RESET } },
	{ .row = "never",
	    .wire = { .is_cut = true, .end = WIRE_END_HANG },
	    .is_late = true },
	{ .row = "never, closed soon",
	    .wire = { .is_cut = true,
		.end = WIRE_END_HANG,
		.hang_ms = 5 * S } },
	{ .row = "never, closed late",
	    .wire = { .delay_ms = 5 * S,
		.is_cut = true,
		.end = WIRE_END_HANG,
		.hang_ms = 81 * S },
	    .is_late = true },
	{ .row = "half a head, never the rest",
	    .wire = { .is_cut = true,
		.cut_at = WIRE_HALF_HEAD,
		.end = WIRE_END_HANG },
	    .is_late = true },
	{ .row = "the beginning, never the rest",
	    .wire = { .is_cut = true, .cut_at = 400, .end = WIRE_END_HANG } },
	{ .row = "all of it, and the connection stays",
	    .wire = { .end = WIRE_END_HANG } },
	{ .row = "it waits longer",
	    .wire = { .delay_ms = 90 * S },
	    .timeout = 180 },
	{ .row = "it waits for ever",
	    .wire = { .is_cut = true, .end = WIRE_END_HANG },
	    .timeout = -1 },
	{ .row = "its own page, later",
	    .wire = { .delay_ms = 90 * S },
	    .layer = LAYER_APP_PROXY },
	{ .row = "http.sys, later",
	    .wire = { .exact = true, .delay_ms = 90 * S },
	    .layer = LAYER_HTTP_SYS,
	    .is_late = true },
	{ .row = "what no NDES says",
	    .wire = { .delay_ms = 90 * S },
	    .layer = LAYER_MOCK },
	{ .row = "the network keeps it from all",
	    .wire = { .is_cut = true, .end = WIRE_END_HANG },
	    .layer = LAYER_NETWORK,
	    .blocked = true },
};

static void
proxy_waits(void **state)
{
	const struct wait *t = *state;
	struct stack_state s;
	struct exchange ex;
	enum layer layer = t->layer == LAYER_NONE ? LAYER_MSCEP : t->layer;

	stack_healthy(&s);
	s.app_proxy.back_end_timeout = t->timeout == 0 ? 85 :
	    t->timeout == -1			       ? 0 :
							 t->timeout;
	if (t->blocked)
		s.network.device = DEVICE_SILENT;
	exchange_make(&ex, "GET", PATH);
	iis_answer(&ex, &s, layer, 500, 0, 1346);
	ex.wire = t->wire;
	assert_int_equal(app_proxy_pass_answer(&ex, &s), t->is_late);
	/* What the server's own logs say. */
	assert_int_equal(ex.verdict.layer, layer);
	assert_int_equal(ex.verdict.status, 500);
	assert_int_equal(ex.verdict.win32, 1346);
	assert_int_equal(ex.reply.status, t->is_late ? 504 : 500);
	assert_int_equal(exchange_body_has(&ex, "GatewayTimeout:"), t->is_late);
	if (t->is_late) {
		const struct wire wire = { .delay_ms = 85 * S };

		assert_memory_equal(&ex.wire, &wire, sizeof(wire));
		assert_null(reply_header_value(&ex.reply, "Server"));
	} else {
		assert_memory_equal(&ex.wire, &t->wire, sizeof(t->wire));
	}
	exchange_clear(&ex);
}

int
main(void)
{
	static const struct table tables[] = {
		ROWS(meets, mets),
		ROWS(proxy_waits, waits),
	};

	return ROWS_RUN(tables, NULL, NULL);
}
