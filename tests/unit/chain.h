/* Paths of certificates, judged by OpenSSL alone. */
#ifndef UNIT_CHAIN_H
#define UNIT_CHAIN_H

#include "unit/authority.h"

/* What a client has and what it asks; all of it is borrowed. */
struct path {
	X509 *cert;
	const struct credentials *trusted; /* their root is its anchor */
	const struct credentials *given;   /* their CAs are known; or NULL */
	X509_CRL *crl;			   /* to be checked; or NULL */
	int64_t at;
};

static inline struct span
chain_root(const struct credentials *c)
{
	return blob_span(c->chain_count == 0 ? &c->der[CA_ISSUING] :
					       &c->chain[c->chain_count - 1]);
}

/* X509_V_OK, or what X.509 in earnest has against it. */
static inline int
chain_verify(const struct path *p)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	STACK_OF(X509) *given = sk_X509_new_null();
	X509 *root = authority_read(chain_root(p->trusted));
	X509_VERIFY_PARAM *param;
	int error;

	assert_true(X509_STORE_add_cert(store, root));
	if (p->crl != NULL)
		assert_true(X509_STORE_add_crl(store, p->crl));
	for (size_t i = CA_CERTS_CAS;
	     p->given != NULL && i < p->given->ca_cert_count; i++)
		sk_X509_push(given, authority_read(p->given->ca_certs[i]));
	assert_true(X509_STORE_CTX_init(ctx, store, p->cert, given));
	param = X509_STORE_CTX_get0_param(ctx);
	X509_VERIFY_PARAM_set_time(param, p->at);
	X509_VERIFY_PARAM_set_flags(param,
	    X509_V_FLAG_X509_STRICT | X509_V_FLAG_CHECK_SS_SIGNATURE |
		(p->crl != NULL ? X509_V_FLAG_CRL_CHECK : 0));
	X509_verify_cert(ctx);
	error = X509_STORE_CTX_get_error(ctx);
	sk_X509_pop_free(given, X509_free);
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	X509_free(root);
	return error;
}

/* What a device with this key gets. */
static inline X509 *
chain_issue(const struct credentials *c, EVP_PKEY *key, uint32_t number,
    int64_t now)
{
	static const uint8_t name[] = { 0x30, 0x0d, 0x31, 0x0b, 0x30, 0x09,
		0x06, 0x03, 0x55, 0x04, 0x03, 0x0c, 0x02, 'd', '1' };
	uint8_t serial[CA_SERIAL_SIZE], *der = NULL;
	int len = i2d_PUBKEY(key, &der);
	struct blob spki = device_take(der, len), out;
	struct error err = { 0 };
	X509 *cert;

	assert_int_equal(ca_serial(c->crypto, number, serial), 0);
	if (ca_issue(c, span_of(name, sizeof(name)), blob_span(&spki),
		SPAN_EMPTY, span_of(serial, sizeof(serial)), now, &out,
		&err) == -1)
		fail_msg("%s", err.text);
	cert = authority_read(blob_span(&out));
	blob_free(&spki);
	blob_free(&out);
	return cert;
}

#endif
