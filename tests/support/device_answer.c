/* How a device reads a CertRep. */
#include <openssl/cms.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/device.h"

#define ATTRIBUTE(n) "2.16.840.1.113733.1.9." #n
#define MESSAGE_TYPE ATTRIBUTE(2)
#define PKI_STATUS ATTRIBUTE(3)
#define FAIL_INFO ATTRIBUTE(4)
#define SENDER_NONCE ATTRIBUTE(5)
#define RECIPIENT_NONCE ATTRIBUTE(6)
#define TRANSACTION_ID ATTRIBUTE(7)
#define FAIL_INFO_TEXT "1.3.6.1.5.5.7.24.1"
#define MS_ERROR "1.3.6.1.4.1.311.21.33"
#define MS_MESSAGE "1.3.6.1.4.1.311.21.38"

#define SUCCESS 0
#define FAILURE 2
#define PENDING 3
#define NUMBER_SIZE 16

static bool
not_good(struct device_answer *a, const char *why)
{
	snprintf(a->why, sizeof(a->why), "%s", why);
	return false;
}

/* The only value of a signed attribute; NULL: there is none such. */
static ASN1_STRING *
attribute(CMS_SignerInfo *si, const char *oid, int type)
{
	ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
	ASN1_STRING *s = CMS_signed_get0_data_by_OBJ(si, object, -3, type);

	ASN1_OBJECT_free(object);
	return s;
}

static bool
has_attribute(CMS_SignerInfo *si, const char *oid)
{
	ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
	bool found = CMS_signed_get_attr_by_OBJ(si, object, -1) >= 0;

	ASN1_OBJECT_free(object);
	return found;
}

static bool
is_bytes(const ASN1_STRING *s, const void *data, size_t len)
{
	return s != NULL && (size_t)ASN1_STRING_length(s) == len &&
	    memcmp(ASN1_STRING_get0_data(s), data, len) == 0;
}

/* false: it is there, but not as it has to be. "": it is not. */
static bool
read_text(CMS_SignerInfo *si, const char *oid, int type, char *out, size_t size)
{
	const ASN1_STRING *s;

	*out = '\0';
	if (!has_attribute(si, oid))
		return true;
	s = attribute(si, oid, type);
	if (s == NULL || ASN1_STRING_length(s) == 0 ||
	    (size_t)ASN1_STRING_length(s) >= size)
		return false;
	snprintf(out, size, "%.*s", ASN1_STRING_length(s),
	    (const char *)ASN1_STRING_get0_data(s));
	return true;
}

/* In decimal; *out stays as it is if there is none. */
static bool
read_number(CMS_SignerInfo *si, const char *oid, long *out)
{
	char text[NUMBER_SIZE], *end;

	if (!read_text(si, oid, V_ASN1_PRINTABLESTRING, text, sizeof(text)))
		return false;
	if (text[0] == '\0')
		return true;
	*out = strtol(text, &end, 10);
	return *end == '\0';
}

static bool
read_names(CMS_SignerInfo *si, const struct device_message *m,
    struct device_answer *a)
{
	const ASN1_STRING *nonce = attribute(si, SENDER_NONCE,
	    V_ASN1_OCTET_STRING);

	if (!is_bytes(attribute(si, MESSAGE_TYPE, V_ASN1_PRINTABLESTRING), "3",
		1))
		return not_good(a, "messageType is not 3");
	if (!is_bytes(attribute(si, TRANSACTION_ID, V_ASN1_PRINTABLESTRING),
		m->transaction_id, strlen(m->transaction_id)))
		return not_good(a, "another transactionID");
	if (!is_bytes(attribute(si, RECIPIENT_NONCE, V_ASN1_OCTET_STRING),
		m->nonce, sizeof(m->nonce)))
		return not_good(a, "recipientNonce is not our nonce");
	if (nonce == NULL || ASN1_STRING_length(nonce) != DEVICE_NONCE_SIZE ||
	    is_bytes(nonce, m->nonce, sizeof(m->nonce)))
		return not_good(a, "no fresh senderNonce");
	return true;
}

/* RFC 8894 3.2.1: which of them go together. */
static bool
read_verdict(CMS_SignerInfo *si, struct device_answer *a)
{
	long status = -1, fail_info = -1;

	if (!read_number(si, PKI_STATUS, &status) ||
	    (status != SUCCESS && status != FAILURE && status != PENDING))
		return not_good(a, "no pkiStatus");
	if (!read_number(si, FAIL_INFO, &fail_info) || fail_info > 4 ||
	    (fail_info >= 0) != (status == FAILURE))
		return not_good(a, "failInfo does not go with pkiStatus");
	a->pki_status = (int)status;
	a->fail_info = (int)fail_info;
	if (!read_text(si, FAIL_INFO_TEXT, V_ASN1_UTF8STRING, a->fail_info_text,
		sizeof(a->fail_info_text)) ||
	    (a->fail_info_text[0] != '\0' && status != FAILURE))
		return not_good(a, "a wrong failInfoText");
	if (!read_number(si, MS_ERROR, &a->ms_error) ||
	    !read_text(si, MS_MESSAGE, V_ASN1_UTF8STRING, a->ms_message,
		sizeof(a->ms_message)))
		return not_good(a, "a wrong attribute of Microsoft");
	a->has_signing_time = CMS_signed_get_attr_by_NID(si,
				  NID_pkcs9_signingTime, -1) >= 0;
	return true;
}

static int
cipher_of(CMS_ContentInfo *envelope)
{
	static const int known[] = { NID_aes_128_cbc, NID_aes_192_cbc,
		NID_aes_256_cbc, NID_des_ede3_cbc, NID_des_cbc };
	unsigned char *der = NULL, oid[32], *to;
	int len = i2d_CMS_ContentInfo(envelope, &der), found = NID_undef;

	/* OpenSSL has no call for it: its object identifier is in there. */
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		to = oid;
		int size = i2d_ASN1_OBJECT(OBJ_nid2obj(known[i]), &to);

		if (len > 0 && memmem(der, (size_t)len, oid, (size_t)size))
			found = known[i];
	}
	OPENSSL_free(der);
	return found;
}

static int
transport_of(CMS_ContentInfo *envelope)
{
	STACK_OF(CMS_RecipientInfo) *all = CMS_get0_RecipientInfos(envelope);
	CMS_RecipientInfo *ri = sk_CMS_RecipientInfo_value(all, 0);
	X509_ALGOR *how = NULL;

	if (sk_CMS_RecipientInfo_num(all) != 1)
		return NID_undef;
	if (CMS_RecipientInfo_type(ri) == CMS_RECIPINFO_TRANS)
		CMS_RecipientInfo_ktri_get0_algs(ri, NULL, NULL, &how);
	else if (CMS_RecipientInfo_type(ri) == CMS_RECIPINFO_AGREE)
		CMS_RecipientInfo_kari_get0_alg(ri, &how, NULL);
	return how == NULL ? NID_undef : OBJ_obj2nid(how->algorithm);
}

/* Degenerate, RFC 8894 3.4: no signers, no content. */
static bool
take_inside(CMS_ContentInfo *cms, bool is_crl, struct device_answer *a)
{
	STACK_OF(X509) *certs = CMS_get1_certs(cms);
	STACK_OF(X509_CRL) *crls = CMS_get1_crls(cms);
	ASN1_OCTET_STRING **content = CMS_get0_content(cms);
	bool good = OBJ_obj2nid(CMS_get0_type(cms)) == NID_pkcs7_signed &&
	    sk_CMS_SignerInfo_num(CMS_get0_SignerInfos(cms)) <= 0 &&
	    content != NULL && *content == NULL &&
	    (certs == NULL ? 0 : sk_X509_num(certs)) == (is_crl ? 0 : 1) &&
	    (crls == NULL ? 0 : sk_X509_CRL_num(crls)) == (is_crl ? 1 : 0);

	if (good && is_crl)
		a->crl = sk_X509_CRL_shift(crls);
	else if (good)
		a->certificate = sk_X509_shift(certs);
	sk_X509_pop_free(certs, X509_free);
	sk_X509_CRL_pop_free(crls, X509_CRL_free);
	return good;
}

static bool
open_envelope(const struct device *d, BIO *content, bool is_crl,
    struct device_answer *a)
{
	CMS_ContentInfo *envelope = d2i_CMS_bio(content, NULL), *cms = NULL;
	BIO *plain = BIO_new(BIO_s_mem());
	bool good = false;

	if (envelope == NULL ||
	    CMS_decrypt(envelope, d->key, d->signer, NULL, plain, CMS_BINARY) !=
		1) {
		not_good(a, "the envelope is not for us");
		goto out;
	}
	a->cipher = cipher_of(envelope);
	a->transport = transport_of(envelope);
	cms = d2i_CMS_bio(plain, NULL);
	good = (cms != NULL && take_inside(cms, is_crl, a)) ||
	    not_good(a, "not the one thing that was asked for");
out:
	CMS_ContentInfo_free(cms);
	BIO_free(plain);
	CMS_ContentInfo_free(envelope);
	return good;
}

static bool
read_content(const struct device *d, const struct device_message *m,
    BIO *content, struct device_answer *a)
{
	bool is_query = m->type == DEVICE_GET_CERT || m->type == DEVICE_GET_CRL;

	if (a->pki_status != SUCCESS)
		return a->content != DEVICE_CONTENT_OTHER ||
		    not_good(a, "content, although it is no SUCCESS");
	if (!open_envelope(m->signer == NULL ? d : m->signer, content,
		m->type == DEVICE_GET_CRL, a))
		return false;
	return is_query ||
	    X509_check_private_key(a->certificate, d->key) == 1 ||
	    not_good(a, "nothing for our key");
}

static enum device_content
content_of(CMS_ContentInfo *cms)
{
	ASN1_OCTET_STRING **at = CMS_get0_content(cms);

	if (at == NULL || *at == NULL)
		return DEVICE_CONTENT_ABSENT;
	if (ASN1_STRING_length(*at) == 0)
		return DEVICE_CONTENT_EMPTY;
	return is_bytes(*at, "", 1) ? DEVICE_CONTENT_ZERO :
				      DEVICE_CONTENT_OTHER;
}

/* Whom the RA's own certificate is by is asked elsewhere. */
static bool
verify(CMS_ContentInfo *cms, STACK_OF(X509) * ca_certs, BIO *content,
    struct device_answer *a)
{
	STACK_OF(X509) *inside = CMS_get1_certs(cms);
	BIO *nothing = BIO_new_mem_buf("", 0);
	bool good;

	a->content = content_of(cms);
	a->has_certificates = sk_X509_num(inside) > 0;
	good = CMS_verify(cms, ca_certs, NULL,
		   a->content == DEVICE_CONTENT_ABSENT ? nothing : NULL,
		   content, CMS_BINARY | CMS_NO_SIGNER_CERT_VERIFY) == 1 &&
	    sk_CMS_SignerInfo_num(CMS_get0_SignerInfos(cms)) == 1;
	BIO_free(nothing);
	sk_X509_pop_free(inside, X509_free);
	return good || not_good(a, "no SignedData that verifies");
}

/* Which are said to have been used: that they were has been verified. */
static bool
read_signer(CMS_SignerInfo *si, STACK_OF(X509) * ca_certs,
    struct device_answer *a)
{
	X509 *ra = device_ra(ca_certs, KU_DIGITAL_SIGNATURE), *signer = NULL;
	X509_ALGOR *digest = NULL, *signature = NULL;

	CMS_SignerInfo_get0_algs(si, NULL, &signer, &digest, &signature);
	a->digest = OBJ_obj2nid(digest->algorithm);
	a->signature = OBJ_obj2nid(signature->algorithm);
	return (ra != NULL && signer != NULL && X509_cmp(signer, ra) == 0) ||
	    not_good(a, "the signer is not the RA");
}

bool
device_answer_read(const struct device *d, const struct device_message *m,
    STACK_OF(X509) * ca_certs, struct span reply, struct device_answer *a)
{
	CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &reply.data,
	    (long)reply.len);
	BIO *content = BIO_new(BIO_s_mem());
	CMS_SignerInfo *si;
	bool good;

	*a = (struct device_answer){ .pki_status = -1, .fail_info = -1 };
	if (cms == NULL || OBJ_obj2nid(CMS_get0_type(cms)) != NID_pkcs7_signed)
		good = not_good(a, "no SignedData");
	else
		good = verify(cms, ca_certs, content, a);
	if (good) {
		si = sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(cms), 0);
		good = read_signer(si, ca_certs, a) && read_names(si, m, a) &&
		    read_verdict(si, a) && read_content(d, m, content, a);
	}
	BIO_free(content);
	CMS_ContentInfo_free(cms);
	return good;
}

void
device_answer_clear(struct device_answer *a)
{
	X509_free(a->certificate);
	X509_CRL_free(a->crl);
	a->certificate = NULL;
	a->crl = NULL;
}
