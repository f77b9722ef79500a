/* The store of what was issued. */
#include "unit/chain.h"

#define DAY 86400LL
#define KEYS 500

static struct authority ca;
static struct blob pattern; /* its serial number and key are overwritten */
static struct issued store;

/* As many octets as ca_serial() makes; the number stands at their end. */
static struct span
serial_of(uint32_t number)
{
	static uint8_t serial[CA_SERIAL_SIZE];

	memset(serial, 0x11, sizeof(serial));
	for (int i = 0; i < 4; i++)
		serial[CA_SERIAL_SIZE - 1 - i] = (uint8_t)(number >> 8 * i);
	return span_of(serial, sizeof(serial));
}

/* Numbers the last octets of an EC point. */
static struct blob
certificate(uint32_t number, int key)
{
	struct blob der;
	struct x509 cert;
	uint8_t *end;

	assert_int_equal(blob_copy(&der, blob_span(&pattern)), 0);
	assert_int_equal(x509_read(blob_span(&der), &cert), 0);
	assert_int_equal(cert.serial.len, CA_SERIAL_SIZE);
	memcpy(der.data + (cert.serial.data - der.data), serial_of(number).data,
	    CA_SERIAL_SIZE);
	end = der.data + (cert.spki.data - der.data) + cert.spki.len;
	end[-2] = (uint8_t)(key >> 8);
	end[-1] = (uint8_t)key;
	return der;
}

static int
add(uint32_t number, int key, struct error *err)
{
	struct blob der = certificate(number, key);
	int ret = issued_add(&store, blob_span(&der), err);

	/* The store has a copy of its own. */
	memset(der.data, 0xee, der.len);
	blob_free(&der);
	return ret;
}

static void
add_good(uint32_t number, int key)
{
	struct error err = { 0 };

	if (add(number, key, &err) == -1)
		fail_msg("%s", err.text);
}

static void
revoke(uint32_t number, int64_t at, int reason)
{
	struct error err = { 0 };

	if (issued_revoke(&store, serial_of(number), at, reason, &err) == -1)
		fail_msg("%s", err.text);
}

static const struct issued_cert *
find(uint32_t number)
{
	return issued_find(&store, serial_of(number));
}

static void
assert_is(const struct issued_cert *got, uint32_t number, int key)
{
	struct blob der = certificate(number, key);

	assert_non_null(got);
	assert_octets(got->cert.whole, der.data, der.len);
	blob_free(&der);
}

static void
assert_newest(int key, uint32_t number)
{
	struct blob der = certificate(1, key);
	const struct issued_cert *got;
	struct x509 cert;

	assert_int_equal(x509_read(blob_span(&der), &cert), 0);
	got = issued_newest(&store, cert.spki);
	if (number == 0)
		assert_null(got);
	else
		assert_is(got, number, key);
	blob_free(&der);
}

static int
empty(void **state)
{
	(void)state;
	issued_clear(&store);
	return 0;
}

static void
is_found(void **state)
{
	(void)state;
	empty(NULL);
	assert_null(find(1));
	assert_newest(0, 0);
	assert_null(issued_next(&store, NULL));
	for (uint32_t i = 1; i <= 100; i++)
		add_good(i, i % 2);
	for (uint32_t i = 1; i <= 100; i++)
		assert_is(find(i), i, i % 2);
	assert_null(find(101));
	assert_null(issued_find(&store, SPAN_EMPTY));
	assert_null(issued_find(&store,
	    span_of(serial_of(1).data, CA_SERIAL_SIZE - 1)));
	assert_newest(0, 100);
	assert_newest(1, 99);
	assert_newest(2, 0);
	assert_null(issued_newest(&store, SPAN_EMPTY));
	assert_int_equal(store.count, 100);
	assert_int_equal(store.forgotten, 0);
}

static void
is_ordered(void **state)
{
	const struct issued_cert *c = NULL;
	uint32_t numbers[] = { 7, 3, 9, 1 };

	(void)state;
	empty(NULL);
	for (size_t i = 0; i < 4; i++)
		add_good(numbers[i], 0);
	revoke(7, DEVICE_NOW, 0);
	for (size_t i = 0; i < 4; i++)
		assert_is(c = issued_next(&store, c), numbers[i], 0);
	assert_null(issued_next(&store, c));
}

static const struct refused {
	const char *row;
	const char *der; /* in hex; NULL: a certificate that is there */
	const char *error;
} refuseds[] = {
	{ "a serial number twice", NULL,
	    "RFC 5280 4.1.2.2: the serial number is in use" },
	{ "nothing", "", "RFC 5280 4.1: not a certificate" },
	{ "what is no certificate", "30 03 02 01 00",
	    "RFC 5280 4.1: not a certificate" },
};

static void
refuses(void **state)
{
	const struct refused *t = *state;
	struct error err = { 0 };
	struct blob der;

	empty(NULL);
	add_good(1, 0);
	der = t->der == NULL ? certificate(1, 1) : hex_blob(t->der);
	assert_int_equal(issued_add(&store, blob_span(&der), &err), -1);
	assert_string_equal(err.text, t->error);
	assert_int_equal(store.count, 1);
	assert_newest(0, 1);
	assert_newest(1, 0);
	blob_free(&der);
}

static const struct revoking {
	const char *row;
	int before, reason; /* before: a first reason, or -1 */
	uint32_t number;    /* 1 is there */
	const char *error;
} revokings[] = {
	{ "for a reason", -1, CA_REASON_KEY_COMPROMISE, 1, NULL },
	{ "for no reason", -1, CA_REASON_UNSPECIFIED, 1, NULL },
	{ "one that is held", CA_REASON_HOLD, CA_REASON_KEY_COMPROMISE, 1,
	    NULL },
	{ "twice", CA_REASON_UNSPECIFIED, CA_REASON_KEY_COMPROMISE, 1,
	    "the certificate is revoked already" },
	{ "one that is not there", -1, CA_REASON_KEY_COMPROMISE, 2,
	    "no certificate has this serial number" },
	{ "for a reason that is none", -1, 7, 1,
	    "RFC 5280 5.3.1: 7 is no reason on a CRL" },
};

static void
revokes(void **state)
{
	const struct revoking *t = *state;
	bool revoked = t->before != -1 || t->error == NULL;
	struct error err = { 0 };

	empty(NULL);
	add_good(1, 0);
	assert_false(find(1)->revoked);
	if (t->before != -1)
		revoke(1, DEVICE_NOW - DAY, t->before);
	assert_int_equal(issued_revoke(&store, serial_of(t->number), DEVICE_NOW,
			     t->reason, &err),
	    t->error == NULL ? 0 : -1);
	assert_string_equal(err.text, t->error == NULL ? "" : t->error);
	assert_int_equal(find(1)->revoked, revoked);
	assert_int_equal(store.revoked, revoked);
	assert_int_equal(store.count, 1);
	if (revoked) {
		assert_int_equal(find(1)->reason,
		    t->error == NULL ? t->reason : t->before);
		assert_int_equal(find(1)->revoked_at,
		    t->error == NULL ? DEVICE_NOW : DEVICE_NOW - DAY);
	}
	assert_newest(0, 1);
}

/* The list lives without the store, and makes a CRL. */
static void
revocations(void **state)
{
	static const uint32_t numbers[] = { 3, 1, 5 };
	struct ca_revocation *list;
	struct error err = { 0 };
	struct blob der;
	size_t count;

	(void)state;
	empty(NULL);
	assert_int_equal(issued_revocations(&store, &list), 0);
	free(list);
	for (uint32_t i = 1; i <= 5; i++)
		add_good(i, 0);
	for (int i = 0; i < 3; i++)
		revoke(numbers[i], DEVICE_NOW + i, i + 1);
	count = store.revoked;
	assert_int_equal(count, 3);
	assert_int_equal(issued_revocations(&store, &list), 0);
	empty(NULL);
	for (int i = 0; i < 3; i++) {
		assert_octets(list[i].serial, serial_of(numbers[i]).data,
		    CA_SERIAL_SIZE);
		assert_int_equal(list[i].at, DEVICE_NOW + i);
		assert_int_equal(list[i].reason, i + 1);
	}
	assert_int_equal(ca_crl(ca.credentials, list, count, 1, DEVICE_NOW, DAY,
			     &der, &err),
	    0);
	blob_free(&der);
	free(list);
}

/* The oldest first; one that is revoked stays, as the CRL needs it. */
static void
forgets(void **state)
{
	(void)state;
	empty(NULL);
	for (uint32_t i = 1; i <= ISSUED_MAX; i++)
		add_good(i, i <= 3 ? 0 : 1);
	revoke(1, DEVICE_NOW, 1);
	revoke(4, DEVICE_NOW, 1);
	assert_int_equal(store.forgotten, 0);
	add_good(ISSUED_MAX + 1, 2);
	assert_int_equal(store.count, ISSUED_MAX);
	assert_int_equal(store.forgotten, 1);
	assert_null(find(2));
	assert_newest(0, 3);
	/* Then the newest of its key goes: an older one is that again. */
	add_good(ISSUED_MAX + 2, 2);
	assert_null(find(3));
	assert_newest(0, 1);
	/* The next is not the fourth but the fifth. */
	add_good(ISSUED_MAX + 3, 2);
	assert_non_null(find(4));
	assert_null(find(5));
	assert_newest(1, ISSUED_MAX);
	assert_newest(2, ISSUED_MAX + 3);
	assert_int_equal(store.forgotten, 3);
	assert_int_equal(store.count, ISSUED_MAX);
	assert_int_equal(store.revoked, 2);
	/* At last the first of all, which had newer ones of its key. */
	for (uint32_t i = 1; i <= ISSUED_MAX + 3; i++)
		if (find(i) != NULL && !find(i)->revoked)
			revoke(i, DEVICE_NOW, 1);
	add_good(ISSUED_MAX + 4, 2);
	assert_null(find(1));
	assert_newest(0, 0);
	/* What was forgotten may come again. */
	add_good(2, 0);
	assert_newest(0, 2);
}

static void
forgets_revoked(void **state)
{
	(void)state;
	empty(NULL);
	for (uint32_t i = 1; i <= ISSUED_MAX; i++)
		add_good(i, 0);
	for (uint32_t i = ISSUED_MAX; i >= 1; i--)
		revoke(i, DEVICE_NOW, 0);
	add_good(ISSUED_MAX + 1, 0);
	assert_null(find(ISSUED_MAX));
	assert_int_equal(store.revoked, ISSUED_MAX - 1);
	assert_int_equal(store.count, ISSUED_MAX);
	assert_newest(0, ISSUED_MAX + 1);
}

/* A CSR may ask for a large one; what is behind it counts as well. */
static void
forgets_large_ones(void **state)
{
	const size_t size = ISSUED_OCTETS_MAX / 4;
	struct error err = { 0 };
	struct blob der;

	(void)state;
	empty(NULL);
	for (uint32_t i = 1; i <= 6; i++) {
		der = certificate(i, (int)i);
		assert_non_null(der.data = realloc(der.data, size));
		memset(der.data + der.len, 0, size - der.len);
		der.len = size;
		assert_int_equal(issued_add(&store, blob_span(&der), &err), 0);
		blob_free(&der);
		assert_int_equal(store.octets, (i < 4 ? i : 4) * size);
	}
	assert_null(find(2));
	assert_non_null(find(3));
	add_good(7, 7);
	assert_null(find(3));
	assert_int_equal(store.count, 4);
	assert_true(store.octets < ISSUED_OCTETS_MAX);
	issued_clear(&store);
	assert_int_equal(store.octets, 0);
}

/* Many devices with three certificates each. */
static void
renewals(void **state)
{
	(void)state;
	empty(NULL);
	for (uint32_t round = 0; round < 3; round++)
		for (uint32_t i = 0; i < KEYS; i++)
			add_good(round * KEYS + i + 1, (int)i);
	for (uint32_t i = 0; i < KEYS; i++)
		assert_newest((int)i, 2 * KEYS + i + 1);
	assert_int_equal(store.count, 3 * KEYS);
}

/* The old ones of a key go first, and the key has the new one still. */
static void
same_key(void **state)
{
	(void)state;
	empty(NULL);
	add_good(1, 0);
	assert_newest(0, 1);
	add_good(2, 0);
	assert_newest(0, 2);
	for (uint32_t i = 3; i <= ISSUED_MAX + 1; i++)
		add_good(i, 1);
	assert_null(find(1));
	assert_newest(0, 2);
	add_good(ISSUED_MAX + 2, 1);
	assert_null(find(2));
	assert_newest(0, 0);
}

static int
set_up(void **state)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert;

	(void)state;
	ca = authority_open();
	cert = chain_issue(ca.credentials, key, 4, DEVICE_NOW);
	pattern = device_cert_der(cert);
	X509_free(cert);
	EVP_PKEY_free(key);
	return 0;
}

static int
tear_down(void **state)
{
	empty(state);
	blob_free(&pattern);
	authority_close(&ca);
	return 0;
}

int
main(void)
{
	static const struct table tables[] = {
		ONE(is_found, "by number, and the newest by key"),
		ONE(is_ordered, "in the order of their coming"),
		ROWS(refuses, refuseds),
		ROWS(revokes, revokings),
		ONE(revocations, "the revoked, in the order of revocation"),
		ONE(forgets, "the oldest that is not revoked is forgotten"),
		ONE(forgets_revoked, "the first revoked, if all are"),
		ONE(forgets_large_ones, "large ones have less room"),
		ONE(renewals, "the newest of many keys"),
		ONE(same_key, "of one key the old ones are forgotten first"),
	};

	return ROWS_RUN(tables, set_up, tear_down);
}
