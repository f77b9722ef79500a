#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"

#define KEYS 4 /* what each device costs the server is the same */
#define SERIAL_SIZE 21

struct serial {
	uint8_t octets[SERIAL_SIZE]; /* the length first */
};

struct clients {
	struct device devices[KEYS];
	STACK_OF(X509) * ca_certs, *recipients;
	struct serial *serials;
	size_t serial_count;
};

struct clients *
clients_new(const struct mock *mock)
{
	struct clients *c = calloc(1, sizeof(*c));
	X509 *ra;

	if (c == NULL || (c->recipients = sk_X509_new_null()) == NULL)
		die("out of memory");
	c->ca_certs = device_ca_certs(mock->url);
	ra = device_ra(c->ca_certs, KU_KEY_ENCIPHERMENT);
	if (ra == NULL || sk_X509_push(c->recipients, ra) == 0)
		die("GetCACert does not name an RA to encrypt for");
	for (size_t i = 0; i < KEYS; i++)
		if (!device_make(&c->devices[i]))
			die("no RSA key could be made");
	return c;
}

void
clients_free(struct clients *c)
{
	for (size_t i = 0; i < KEYS; i++)
		device_clear(&c->devices[i]);
	device_ca_certs_free(c->ca_certs);
	sk_X509_free(c->recipients);
	free(c->serials);
	free(c);
}

static void
add_post(struct buffer *to, const char *target, const char *host,
    struct span message)
{
	buffer_printf(to,
	    "POST %s?operation=PKIOperation HTTP/1.1\r\nHost: %s\r\n"
	    "Content-Type: application/x-pki-message\r\n"
	    "Content-Length: %zu\r\n\r\n",
	    target, host, message.len);
	buffer_add_span(to, message);
}

static void
add_get(struct buffer *to, const char *target, const char *host,
    struct span message)
{
	uint8_t *base64 = malloc(message.len / 3 * 4 + 5);

	if (base64 == NULL)
		die("out of memory");
	EVP_EncodeBlock(base64, message.data, (int)message.len);
	buffer_printf(to, "GET %s?operation=PKIOperation&message=", target);
	for (const uint8_t *at = base64; *at != '\0'; at++) {
		if (strchr("+/=", *at) != NULL)
			buffer_printf(to, "%%%02X", *at);
		else
			buffer_add_byte(to, *at);
	}
	buffer_printf(to, " HTTP/1.1\r\nHost: %s\r\n\r\n", host);
	free(base64);
}

void
batch_bake(struct batch *b, const struct clients *c, const struct mock *mock,
    bool get, size_t count)
{
	const struct device_order order = { .challenge = MOCK_CHALLENGE,
		.recipients = c->recipients };
	const char *host = mock->url + strlen("http://"),
		   *target = strchr(host, '/');
	char name[32];

	snprintf(name, sizeof(name), "%.*s", (int)(target - host), host);
	b->count = count;
	b->messages = calloc(count, sizeof(b->messages[0]));
	b->requests = calloc(count, sizeof(b->requests[0]));
	b->answers = calloc(count, sizeof(b->answers[0]));
	if (b->messages == NULL || b->requests == NULL || b->answers == NULL)
		die("out of memory");
	for (size_t i = 0; i < count; i++) {
		if (!device_message_make(&c->devices[i % KEYS], &order,
			&b->messages[i]))
			die("a PKCSReq could not be made");
		(get ? add_get : add_post)(&b->requests[i], target, name,
		    buffer_span(&b->messages[i].der));
		if (b->requests[i].failed)
			die("out of memory");
		device_message_clear(&b->messages[i]);
	}
}

bool
batch_keep(void *cls, size_t nth, struct span whole, struct span body)
{
	struct buffer *answers = cls;

	(void)whole;
	buffer_add_span(&answers[nth], body);
	return !answers[nth].failed;
}

void
batch_free(struct batch *b)
{
	for (size_t i = 0; i < b->count; i++) {
		buffer_free(&b->requests[i]);
		buffer_free(&b->answers[i]);
	}
	free(b->messages);
	free(b->requests);
	free(b->answers);
	*b = (struct batch){ 0 };
}

static void
keep_serial(struct clients *c, const X509 *cert)
{
	const ASN1_INTEGER *number = X509_get0_serialNumber(cert);
	struct serial *s = &c->serials[c->serial_count++];
	int len = ASN1_STRING_length(number);

	memset(s, 0, sizeof(*s));
	if (len >= SERIAL_SIZE)
		die("a serial number is longer than RFC 5280 4.1.2.2 allows");
	s->octets[0] = (uint8_t)len;
	memcpy(s->octets + 1, ASN1_STRING_get0_data(number), (size_t)len);
}

size_t
batch_check(const struct batch *b, struct clients *c)
{
	size_t wrong = 0;

	c->serials = realloc(c->serials,
	    (c->serial_count + b->count) * sizeof(c->serials[0]));
	if (c->serials == NULL)
		die("out of memory");
	for (size_t i = 0; i < b->count; i++) {
		const struct device *d = &c->devices[i % KEYS];
		struct device_answer answer;

		if (device_answer_read(d, &b->messages[i], c->ca_certs,
			buffer_span(&b->answers[i]), &answer) &&
		    answer.certificate != NULL &&
		    device_judge(d, c->ca_certs, answer.certificate)[0] == '\0')
			keep_serial(c, answer.certificate);
		else
			wrong++;
		device_answer_clear(&answer);
	}
	return wrong;
}

static int
compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct serial));
}

size_t
clients_duplicates(struct clients *c)
{
	size_t count = 0;

	if (c->serial_count == 0)
		return 0;
	qsort(c->serials, c->serial_count, sizeof(c->serials[0]), compare);
	for (size_t i = 1; i < c->serial_count; i++)
		count += compare(&c->serials[i - 1], &c->serials[i]) == 0;
	return count;
}
