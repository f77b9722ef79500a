/*
 * Writes a PKCSReq for the server at URL to a file, for clients that make no
 * messages themselves: message URL CHALLENGE FILE.
 */
#include <openssl/x509v3.h>
#include <stdio.h>

#include "support/device.h"

static int
write_file(const char *path, const struct buffer *b)
{
	FILE *f = fopen(path, "wb");
	size_t written = f == NULL ? 0 : fwrite(b->data, 1, b->len, f);

	return f == NULL || fclose(f) != 0 || written != b->len ? 1 : 0;
}

int
main(int argc, char **argv)
{
	struct device_order order = { 0 };
	struct device_message message;
	STACK_OF(X509) * ca_certs;
	struct device device;
	X509 *ra;
	int status = 1;

	if (argc != 4)
		return 2;
	web_start();
	order.challenge = argv[2];
	ca_certs = device_ca_certs(argv[1]);
	ra = device_ra(ca_certs, KU_KEY_ENCIPHERMENT);
	if (ra == NULL || !device_make(&device))
		return 1;
	order.recipients = sk_X509_new_null();
	sk_X509_push(order.recipients, ra);
	if (device_message_make(&device, &order, &message))
		status = write_file(argv[3], &message.der);
	device_message_clear(&message);
	device_clear(&device);
	sk_X509_free(order.recipients);
	device_ca_certs_free(ca_certs);
	return status;
}
