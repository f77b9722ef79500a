#include "support/ndes.h"

#include "support/test.h"

static struct site *
its_site(const struct ndes *n)
{
	return site_default(n->server.sites);
}

void
ndes_start(struct ndes *n, const char *const *set)
{
	server_start(&n->server,
	    &(struct server_options){ .challenge = NDES_CHALLENGE,
		.set = set });
	n->ca_certs = NULL;
	ndes_look_again(n);
}

void
ndes_stop(struct ndes *n)
{
	device_ca_certs_free(n->ca_certs);
	server_stop(&n->server);
}

int64_t
ndes_now(const struct ndes *n)
{
	return clock_now(site_clock(its_site(n)));
}

void
ndes_look_again(struct ndes *n)
{
	device_ca_certs_free(n->ca_certs);
	n->ca_certs = device_ca_certs(n->server.url);
	assert_non_null(device_ca(n->ca_certs));
}

void
ndes_ask(const struct ndes *n, const struct device *d,
    const struct device_order *order, struct device_answer *out)
{
	if (!device_ask(d, n->server.url, order, n->ca_certs, out))
		fail_msg("type %d: %s", order->type, out->why);
}

void
ndes_expect(const struct ndes *n, const char *row, const struct device *d,
    const struct device_order *order, int pki_status, int fail_info)
{
	struct device_answer a;

	if (!device_ask(d, n->server.url, order, n->ca_certs, &a) ||
	    a.pki_status != pki_status ||
	    (pki_status == NDES_FAILURE && a.fail_info != fail_info))
		fail_msg("%s: pkiStatus %d failInfo %d %s", row, a.pki_status,
		    a.fail_info, a.why);
	device_answer_clear(&a);
}

X509 *
ndes_enrol(const struct ndes *n, const struct device *d,
    const struct device_order *order)
{
	struct device_answer a;

	ndes_ask(n, d, order, &a);
	if (a.certificate == NULL)
		fail_msg("type %d: pkiStatus %d failInfo %d %s", order->type,
		    a.pki_status, a.fail_info, a.ms_message);
	assert_string_equal(device_judge_at(d, n->ca_certs, a.certificate,
				ndes_now(n)),
	    "");
	return a.certificate;
}

void
ndes_settle(const struct ndes *n, const char *transaction_id, bool approve)
{
	assert_int_equal(site_settle(its_site(n), transaction_id, approve), 0);
}

void
ndes_revoke(const struct ndes *n, const X509 *cert)
{
	const ASN1_INTEGER *serial = X509_get0_serialNumber(cert);
	struct error err = { 0 };

	assert_int_equal(site_revoke(its_site(n),
			     span_of(ASN1_STRING_get0_data(serial),
				 (size_t)ASN1_STRING_length(serial)),
			     NDES_KEY_COMPROMISE, &err),
	    0);
}
