/* How a device sends what it has to say. */
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/device.h"

bool
device_post(const char *url, const struct device_message *m,
    struct web_reply *reply)
{
	char with_query[512];
	const struct web_request request = { .url = with_query,
		.body = m->der.data,
		.length = m->der.len };

	snprintf(with_query, sizeof(with_query), "%s?operation=PKIOperation",
	    url);
	return web_ask(&request, reply);
}

static void
add_escaped(struct buffer *out, const char *text, const char *escaped)
{
	for (; *text != '\0'; text++)
		if (strchr(escaped, *text) != NULL)
			buffer_printf(out, "%%%02X", *text);
		else
			buffer_add_byte(out, (uint8_t)*text);
	buffer_add_byte(out, 0);
}

bool
device_get(const char *url, const struct device_message *m, const char *escaped,
    struct web_reply *reply)
{
	char *base64 = malloc(m->der.len * 4 / 3 + 8);
	struct buffer with_query = { 0 };
	bool good = false;

	*reply = (struct web_reply){ 0 };
	if (base64 != NULL &&
	    EVP_EncodeBlock((unsigned char *)base64, m->der.data,
		(int)m->der.len) > 0) {
		buffer_printf(&with_query,
		    "%s?operation=PKIOperation&message=", url);
		add_escaped(&with_query, base64, escaped);
		good = !with_query.failed &&
		    web_get((char *)with_query.data, reply);
	}
	buffer_free(&with_query);
	free(base64);
	return good;
}

static bool
send_order(const char *url, const struct device_order *order,
    const struct device_message *m, struct web_reply *reply,
    struct device_answer *out)
{
	if (!(order->by_get ? device_get(url, m, "+/=", reply) :
			      device_post(url, m, reply)))
		snprintf(out->why, sizeof(out->why), "no answer");
	else if (reply->status != 200 ||
	    strcmp(reply->content_type, "application/x-pki-message") != 0)
		snprintf(out->why, sizeof(out->why), "%ld %s", reply->status,
		    reply->content_type);
	else
		return true;
	return false;
}

bool
device_ask(const struct device *d, const char *url,
    const struct device_order *given, STACK_OF(X509) * ca_certs,
    struct device_answer *out)
{
	STACK_OF(X509) *ra = sk_X509_new_null();
	struct device_order order = *given;
	struct device_message m = { 0 };
	struct web_reply reply = { 0 };
	bool good;

	*out = (struct device_answer){ .pki_status = -1, .fail_info = -1 };
	if (order.recipients == NULL)
		order.recipients = ra;
	good = sk_X509_push(ra, device_ra(ca_certs, KU_KEY_ENCIPHERMENT)) > 0 &&
	    device_message_make(d, &order, &m);
	if (!good)
		snprintf(out->why, sizeof(out->why), "no message");
	else
		good = send_order(url, &order, &m, &reply, out) &&
		    device_answer_read(d, &m, ca_certs,
			buffer_span(&reply.body), out);
	web_reply_clear(&reply);
	device_message_clear(&m);
	sk_X509_free(ra);
	return good;
}

bool
device_enrol(const struct device *d, const char *url, const char *challenge,
    STACK_OF(X509) * ca_certs, struct device_answer *out)
{
	const struct device_order order = { .challenge = challenge };

	if (!device_ask(d, url, &order, ca_certs, out))
		return false;
	if (out->certificate != NULL)
		snprintf(out->why, sizeof(out->why), "%s",
		    device_judge(d, ca_certs, out->certificate));
	return out->why[0] == '\0';
}
