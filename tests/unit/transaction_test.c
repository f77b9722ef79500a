/* What a message means under its transactionID, after those before it. */
#include "unit/rows.h"

#include "stack/stack.h"
#include "unit/device.h"

#define NOW DEVICE_NOW
#define LIFETIME 3600
#define STEPS 9

/* Two devices; each signs with its key, or with another's: a throw-away. */
static EVP_PKEY *keys[3];
static struct blob csrs[3], spkis[3];

enum act {
	END, /* of the row */
	SEND,
	POLL,
	SEND_HELD, /* but nobody is to get a certificate */
	POLL_HELD,
	APPROVE,
	DENY,
	TOO_LATE, /* an approval that is */
	ISSUED,
	FAILED,
};

struct step {
	enum act act;
	int key, signer; /* of SEND and POLL */
	int64_t after;	 /* seconds since the row's start */
	enum ruling_kind kind;
	enum refusal why;
};

#define NEW RULING_NEW, REFUSAL_NONE
#define WAIT RULING_WAIT, REFUSAL_NONE
#define ISSUE RULING_ISSUE, REFUSAL_NONE
#define AGAIN RULING_AGAIN, REFUSAL_NONE
#define NO(why) RULING_REFUSE, REFUSAL_##why

/* A SEND that is NEW is held, as a manager's CA does it. */
static const struct row {
	const char *row;
	struct step steps[STEPS];
} rows[] = {
	{ "approved, then polled",
	    { { SEND, 0, 0, 0, NEW }, { POLL, 0, 0, 1, WAIT },
		{ .act = APPROVE }, { POLL, 0, 0, 2, ISSUE }, { .act = ISSUED },
		{ POLL, 0, 0, 3, AGAIN }, { SEND, 0, 0, 4, NEW } } },
	{ "approved, then sent again",
	    { { SEND, 0, 0, 0, NEW }, { SEND, 0, 0, 1, WAIT },
		{ .act = APPROVE }, { SEND, 0, 0, 2, ISSUE }, { .act = ISSUED },
		{ SEND, 0, 0, 3, NEW }, { POLL, 0, 0, 4, WAIT } } },
	{ "denied, then polled",
	    { { SEND, 0, 0, 0, NEW }, { .act = DENY },
		{ POLL, 0, 0, 1, NO(DENIED) }, { POLL, 0, 0, 2, NO(DENIED) },
		{ SEND, 0, 0, 3, NEW } } },
	{ "denied, then sent again",
	    { { SEND, 0, 0, 0, NEW }, { .act = DENY },
		{ SEND, 0, 0, 1, NO(DENIED) }, { SEND, 0, 0, 2, NEW },
		{ SEND, 0, 0, 3, WAIT } } },
	{ "nobody decides",
	    { { SEND, 0, 0, 0, NEW }, { POLL, 0, 0, LIFETIME - 1, WAIT },
		{ POLL, 0, 0, LIFETIME, NO(PENDING_EXPIRED) },
		{ POLL, 0, 0, LIFETIME + 1, NO(PENDING_EXPIRED) },
		{ SEND, 0, 0, LIFETIME + 2, NEW },
		{ POLL, 0, 0, LIFETIME + 3, WAIT } } },
	{ "nobody decides, and it is sent again",
	    { { SEND, 0, 0, 0, NEW },
		{ SEND, 0, 0, LIFETIME, NO(PENDING_EXPIRED) },
		{ SEND, 0, 0, LIFETIME + 1, NEW } } },
	{ "approved in time, fetched late",
	    { { SEND, 0, 0, 0, NEW }, { .act = APPROVE },
		{ POLL, 0, 0, LIFETIME + 1, ISSUE } } },
	{ "approved too late",
	    { { SEND, 0, 0, 0, NEW }, { .act = TOO_LATE, .after = LIFETIME },
		{ POLL, 0, 0, LIFETIME, NO(PENDING_EXPIRED) } } },
	{ "two ask at the same time",
	    { { SEND, 0, 0, 0, NEW }, { .act = APPROVE },
		{ POLL, 0, 0, 1, ISSUE }, { POLL, 0, 0, 1, WAIT },
		{ SEND, 0, 0, 1, WAIT }, { .act = ISSUED },
		{ POLL, 0, 0, 2, AGAIN } } },
	{ "the CA fails",
	    { { SEND, 0, 0, 0, NEW }, { .act = APPROVE },
		{ POLL, 0, 0, 1, ISSUE }, { .act = FAILED },
		{ POLL, 0, 0, 2, NO(CA_FAILED) } } },
	{ "approved, but told to wait",
	    { { SEND_HELD, 0, 0, 0, NEW }, { .act = APPROVE },
		{ POLL_HELD, 0, 0, 1, WAIT }, { SEND_HELD, 0, 0, 1, WAIT },
		{ POLL, 0, 0, 2, ISSUE }, { .act = ISSUED },
		{ POLL_HELD, 0, 0, 3, WAIT }, { POLL, 0, 0, 4, AGAIN },
		{ SEND_HELD, 0, 0, 5, NEW } } },
	{ "refused, however long it is told to wait",
	    { { SEND, 0, 0, 0, NEW }, { .act = DENY },
		{ POLL_HELD, 0, 0, 1, NO(DENIED) }, { SEND_HELD, 1, 1, 2, NEW },
		{ POLL_HELD, 0, 0, 3, NO(TRANSACTION_KEY) } } },
	{ "a poll of nothing", { { POLL, 0, 0, 0, NO(UNKNOWN_TRANSACTION) } } },
	{ "another key while it waits",
	    { { SEND, 0, 0, 0, NEW }, { SEND, 1, 1, 1, NO(TRANSACTION_KEY) },
		{ POLL, 1, 1, 2, NO(TRANSACTION_KEY) },
		{ POLL, 0, 0, 3, WAIT } } },
	{ "another key once it is approved",
	    { { SEND, 0, 0, 0, NEW }, { .act = APPROVE },
		{ POLL, 1, 1, 1, NO(TRANSACTION_KEY) },
		{ POLL, 0, 0, 2, ISSUE } } },
	{ "another key after its end",
	    { { SEND, 0, 0, 0, NEW }, { .act = APPROVE },
		{ POLL, 0, 0, 1, ISSUE }, { .act = ISSUED },
		{ POLL, 1, 1, 2, NO(UNKNOWN_TRANSACTION) },
		{ SEND, 1, 1, 3, NEW }, { POLL, 1, 1, 4, WAIT },
		{ POLL, 0, 0, 5, NO(TRANSACTION_KEY) } } },
	{ "a throw-away signer polls",
	    { { SEND, 0, 2, 0, NEW }, { POLL, 0, 2, 1, WAIT },
		{ .act = APPROVE }, { POLL, 0, 2, 2, ISSUE } } },
	{ "another key by the same signer",
	    { { SEND, 0, 2, 0, NEW }, { SEND, 1, 2, 1, NO(TRANSACTION_KEY) },
		{ POLL, 0, 2, 2, WAIT }, { .act = APPROVE },
		{ SEND, 1, 2, 3, NO(TRANSACTION_KEY) },
		{ SEND, 0, 2, 4, ISSUE } } },
	{ "another key by the same signer after a denial",
	    { { SEND, 0, 2, 0, NEW }, { .act = DENY }, { SEND, 1, 2, 1, NEW },
		{ POLL, 0, 2, 2, WAIT } } },
	{ "a new throw-away signer sends again",
	    { { SEND, 0, 2, 0, NEW }, { SEND, 0, 1, 1, WAIT } } },
};

/* What decode.c would have made of it. */
static struct scep_request
request_of(const struct step *s)
{
	struct scep_request r = {
		.type = s->act == POLL || s->act == POLL_HELD ? SCEP_CERT_POLL :
								SCEP_PKCS_REQ,
		.transaction_id = (char *)(uintptr_t) "constant",
		.signer.spki = blob_span(&spkis[s->signer]),
	};

	if (s->act == SEND || s->act == SEND_HELD) {
		r.plain = csrs[s->key];
		r.csr.spki = blob_span(&spkis[s->key]);
	}
	return r;
}

static void
ask(struct transactions *all, const struct step *s, int at)
{
	const struct scep_request r = request_of(s);
	struct ruling ruling;

	transaction_ask(all, &r, s->act == SEND_HELD || s->act == POLL_HELD,
	    NOW + s->after, &ruling);
	if (ruling.kind != s->kind || ruling.why != s->why)
		fail_msg("step %d: ruling %d, refusal %d", at, ruling.kind,
		    ruling.why);
	if (ruling.kind == RULING_ISSUE)
		assert_octets(blob_span(&ruling.csr), csrs[s->key].data,
		    csrs[s->key].len);
	if (ruling.kind == RULING_AGAIN)
		assert_octets(blob_span(&ruling.certificate), "leaf", 4);
	blob_free(&ruling.csr);
	blob_free(&ruling.certificate);
	if (ruling.kind == RULING_NEW)
		assert_int_equal(transaction_hold(all, &r, LIFETIME,
				     NOW + s->after),
		    REFUSAL_NONE);
}

static void
step(struct transactions *all, const struct step *s, int at)
{
	switch (s->act) {
	case APPROVE:
	case DENY:
		assert_int_equal(transaction_settle(all, "constant",
				     s->act == APPROVE, NOW),
		    0);
		assert_int_equal(transaction_settle(all, "constant", true, NOW),
		    -1);
		break;
	case TOO_LATE:
		assert_int_equal(transaction_settle(all, "constant", true,
				     NOW + s->after),
		    -1);
		break;
	case ISSUED:
	case FAILED:
		transaction_end(all, "constant",
		    s->act == ISSUED ? span_text("leaf") : SPAN_EMPTY);
		break;
	default:
		ask(all, s, at);
	}
}

static void
rules(void **state)
{
	const struct row *row = *state;
	struct transactions all = { 0 };

	for (int i = 0; i < STEPS && row->steps[i].act != END; i++)
		step(&all, &row->steps[i], i);
	transactions_clear(&all);
}

/* As many as fit; those that ended make room, those that wait do not yet. */
static void
bounded(void **state)
{
	const struct step send = { .act = SEND };
	struct transactions all = { 0 };
	struct scep_request r = request_of(&send);
	char id[24];

	(void)state;
	r.transaction_id = id;
	for (int i = 0; i < TRANSACTIONS_MAX; i++) {
		snprintf(id, sizeof(id), "%d", i);
		assert_int_equal(transaction_hold(&all, &r, LIFETIME, NOW),
		    REFUSAL_NONE);
	}
	strcpy(id, "one more");
	assert_int_equal(transaction_hold(&all, &r, LIFETIME, NOW + 1),
	    REFUSAL_TOO_MANY_PENDING);
	assert_int_equal(transaction_settle(&all, "500", false, NOW + 1), 0);
	assert_int_equal(transaction_hold(&all, &r, LIFETIME, NOW + 1),
	    REFUSAL_NONE);
	assert_int_equal(transaction_settle(&all, "500", true, NOW + 1), -1);
	assert_int_equal(transaction_settle(&all, "one more", true, NOW + 1),
	    0);
	assert_int_equal(transaction_settle(&all, "nobody's", true, NOW + 1),
	    -1);
	strcpy(id, "all others expired");
	assert_int_equal(transaction_hold(&all, &r, LIFETIME, NOW + LIFETIME),
	    REFUSAL_NONE);
	transactions_clear(&all);
}

/* What is behind a PKCS#10 counts as well. */
static void
large_ones_have_less_room(void **state)
{
	const struct step send = { .act = SEND };
	const size_t size = TRANSACTIONS_OCTETS_MAX / 2;
	struct transactions all = { 0 };
	struct scep_request r = request_of(&send);
	struct blob large = { calloc(1, size), size };

	(void)state;
	assert_non_null(large.data);
	memcpy(large.data, r.plain.data, r.plain.len);
	r.plain = large;
	for (int i = 0; i < 2; i++) {
		r.transaction_id = (char *)(uintptr_t)(i == 0 ? "1" : "2");
		assert_int_equal(transaction_hold(&all, &r, LIFETIME, NOW),
		    REFUSAL_NONE);
	}
	r.transaction_id = (char *)(uintptr_t) "3";
	assert_int_equal(transaction_hold(&all, &r, LIFETIME, NOW),
	    REFUSAL_TOO_MANY_PENDING);
	assert_int_equal(transaction_settle(&all, "2", false, NOW), 0);
	assert_int_equal(transaction_hold(&all, &r, LIFETIME, NOW),
	    REFUSAL_NONE);
	assert_int_equal(all.octets, 2 * size);
	transactions_clear(&all);
	assert_int_equal(all.octets, 0);
	blob_free(&large);
}

/* Approved ones stay as long as there is room, and go when there is none. */
static void
approved_and_forgotten(void **state)
{
	const struct step send = { .act = SEND };
	struct transactions all = { 0 };
	struct scep_request r = request_of(&send);
	char id[24];

	(void)state;
	r.transaction_id = id;
	for (int i = 0; i < TRANSACTIONS_MAX; i++) {
		snprintf(id, sizeof(id), "%d", i);
		assert_int_equal(transaction_hold(&all, &r, LIFETIME, NOW),
		    REFUSAL_NONE);
		assert_int_equal(transaction_settle(&all, id, true, NOW), 0);
	}
	strcpy(id, "one more");
	assert_int_equal(transaction_hold(&all, &r, LIFETIME,
			     NOW + LIFETIME - 1),
	    REFUSAL_TOO_MANY_PENDING);
	assert_int_equal(transaction_hold(&all, &r, LIFETIME, NOW + LIFETIME),
	    REFUSAL_NONE);
	transactions_clear(&all);
}

static int
prepare(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		uint8_t *der = NULL;
		int len;

		keys[i] = EVP_EC_gen("P-256");
		assert_non_null(keys[i]);
		csrs[i] = device_plain_request(keys[i], "secret");
		len = i2d_PUBKEY(keys[i], &der);
		spkis[i] = device_take(der, len);
	}
	return 0;
}

static int
clean(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		EVP_PKEY_free(keys[i]);
		blob_free(&csrs[i]);
		blob_free(&spkis[i]);
	}
	return 0;
}

int
main(void)
{
	static const struct table tables[] = {
		ROWS(rules, rows),
		ONE(bounded, "a thousand wait at most"),
		ONE(approved_and_forgotten, "what nobody fetches makes room"),
		ONE(large_ones_have_less_room, "large ones have less room"),
	};

	return ROWS_RUN(tables, prepare, clean);
}
