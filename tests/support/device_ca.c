/* What a device makes of a CA and of what the CA has signed. */
#include <openssl/cms.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "support/device.h"

#define NEXT_CA_TYPE "application/x-x509-next-ca-cert"

static CMS_ContentInfo *
read_cms(const struct buffer *b)
{
	const uint8_t *at = b->data;

	return d2i_CMS_ContentInfo(NULL, &at, (long)b->len);
}

static bool
ask(const char *url, const char *operation, struct web_reply *reply)
{
	char with_query[512];

	snprintf(with_query, sizeof(with_query), "%s?operation=%s&message=ca",
	    url, operation);
	return web_get(with_query, reply) && reply->status == 200;
}

STACK_OF(X509) * device_ca_certs_in(const struct web_reply *reply)
{
	CMS_ContentInfo *cms = read_cms(&reply->body);
	STACK_OF(X509) *certs = cms == NULL ? NULL : CMS_get1_certs(cms);

	CMS_ContentInfo_free(cms);
	return certs;
}

STACK_OF(X509) * device_ca_certs(const char *url)
{
	STACK_OF(X509) *certs = NULL;
	struct web_reply reply;

	if (ask(url, "GetCACert", &reply))
		certs = device_ca_certs_in(&reply);
	web_reply_clear(&reply);
	return certs;
}

/* A CA may sign this although its keyUsage is not that of S/MIME. */
static bool
is_signed_by(CMS_ContentInfo *cms, X509 *ca, BIO *content)
{
	STACK_OF(X509) *certs = sk_X509_new_null(), *signers = NULL;
	bool good = ca != NULL && sk_X509_push(certs, ca) > 0 &&
	    CMS_verify(cms, certs, NULL, NULL, content,
		CMS_BINARY | CMS_NOINTERN | CMS_NO_SIGNER_CERT_VERIFY) == 1 &&
	    (signers = CMS_get0_signers(cms)) != NULL &&
	    sk_X509_num(signers) == 1;

	sk_X509_free(signers);
	sk_X509_free(certs);
	return good;
}

STACK_OF(X509) * device_next_ca_certs(const char *url, STACK_OF(X509) * now)
{
	CMS_ContentInfo *cms = NULL, *inner = NULL;
	BIO *content = BIO_new(BIO_s_mem());
	STACK_OF(X509) *certs = NULL;
	struct web_reply reply;

	if (ask(url, "GetNextCACert", &reply) &&
	    strcmp(reply.content_type, NEXT_CA_TYPE) == 0 &&
	    (cms = read_cms(&reply.body)) != NULL &&
	    is_signed_by(cms, device_ca(now), content) &&
	    (inner = d2i_CMS_bio(content, NULL)) != NULL &&
	    OBJ_obj2nid(CMS_get0_type(inner)) == NID_pkcs7_signed &&
	    sk_CMS_SignerInfo_num(CMS_get0_SignerInfos(inner)) <= 0)
		certs = CMS_get1_certs(inner);
	CMS_ContentInfo_free(inner);
	CMS_ContentInfo_free(cms);
	BIO_free(content);
	web_reply_clear(&reply);
	return certs;
}

void
device_ca_certs_free(STACK_OF(X509) * certs)
{
	sk_X509_pop_free(certs, X509_free);
}

static bool
has_issued_an_ra(X509 *ca, STACK_OF(X509) * certs)
{
	X509 *cert;

	for (int i = 0; i < sk_X509_num(certs); i++) {
		cert = sk_X509_value(certs, i);
		if (X509_check_ca(cert) == 0 &&
		    X509_check_issued(ca, cert) == X509_V_OK)
			return true;
	}
	return false;
}

X509 *
device_ca(STACK_OF(X509) * certs)
{
	X509 *cert;

	for (int i = 0; i < sk_X509_num(certs); i++) {
		cert = sk_X509_value(certs, i);
		if (X509_check_ca(cert) == 1 && has_issued_an_ra(cert, certs))
			return cert;
	}
	return NULL;
}

X509 *
device_ra(STACK_OF(X509) * certs, uint32_t key_usage)
{
	X509 *cert;

	for (int i = 0; i < sk_X509_num(certs); i++) {
		cert = sk_X509_value(certs, i);
		if (X509_check_ca(cert) == 0 &&
		    X509_get_key_usage(cert) == key_usage)
			return cert;
	}
	return NULL;
}

/* Roots are trusted, the others may be needed on the way. */
static int
chain_length(X509_STORE *roots, STACK_OF(X509) * certs, X509 *cert, int purpose,
    int64_t at)
{
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	int length = 0;

	if (ctx != NULL && X509_STORE_CTX_init(ctx, roots, cert, certs) == 1 &&
	    X509_STORE_CTX_set_purpose(ctx, purpose) == 1) {
		if (at != 0)
			X509_STORE_CTX_set_time(ctx, 0, (time_t)at);
		if (X509_verify_cert(ctx) == 1)
			length = sk_X509_num(X509_STORE_CTX_get0_chain(ctx));
	}
	X509_STORE_CTX_free(ctx);
	return length;
}

int
device_chain(STACK_OF(X509) * certs, X509 *cert, int purpose, int64_t at)
{
	X509_STORE *roots = X509_STORE_new();
	int length = 0;
	X509 *ca;

	for (int i = 0; roots != NULL && i < sk_X509_num(certs); i++) {
		ca = sk_X509_value(certs, i);
		if (X509_check_ca(ca) == 1 && X509_self_signed(ca, 1) == 1)
			X509_STORE_add_cert(roots, ca);
	}
	if (roots != NULL)
		length = chain_length(roots, certs, cert, purpose, at);
	X509_STORE_free(roots);
	return length;
}

bool
device_crl_verifies(STACK_OF(X509) * certs, X509_CRL *crl, int64_t at)
{
	time_t when = at == 0 ? time(NULL) : (time_t)at;
	X509 *ca = device_ca(certs);

	return ca != NULL &&
	    X509_NAME_cmp(X509_CRL_get_issuer(crl),
		X509_get_subject_name(ca)) == 0 &&
	    X509_CRL_verify(crl, X509_get0_pubkey(ca)) == 1 &&
	    X509_cmp_time(X509_CRL_get0_lastUpdate(crl), &when) < 0 &&
	    X509_CRL_get0_nextUpdate(crl) != NULL &&
	    X509_cmp_time(X509_CRL_get0_nextUpdate(crl), &when) > 0;
}

bool
device_password(const char *admin_url, char out[DEVICE_PASSWORD_SIZE])
{
	static const char before[] = "challenge password is: <B> ";
	struct buffer text = { 0 };
	struct web_reply reply;
	const char *at = NULL;

	if (web_get(admin_url, &reply) && reply.status == 200 &&
	    web_page_text(&reply, &text) &&
	    (at = strstr((char *)text.data, before)) != NULL)
		snprintf(out, DEVICE_PASSWORD_SIZE, "%.*s",
		    (int)strcspn(at + strlen(before), " "),
		    at + strlen(before));
	buffer_free(&text);
	web_reply_clear(&reply);
	return at != NULL;
}

const char *
device_judge_at(const struct device *d, STACK_OF(X509) * ca_certs, X509 *cert,
    int64_t at)
{
	char name[64] = "";

	if (device_chain(ca_certs, cert, X509_PURPOSE_SSL_CLIENT, at) == 0)
		return "it does not verify";
	if (X509_check_private_key(cert, d->key) != 1)
		return "it is for another key";
	X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName,
	    name, sizeof(name));
	if (strcmp(name, DEVICE_SUBJECT) != 0)
		return "it has another subject";
	if (X509_check_host(cert, DEVICE_DNS_NAME, 0, 0, NULL) != 1)
		return "it has another subjectAltName";
	return "";
}

const char *
device_judge(const struct device *d, STACK_OF(X509) * ca_certs, X509 *cert)
{
	return device_judge_at(d, ca_certs, cert, 0);
}
