#include "fuzz/compare.h"

#include <openssl/asn1t.h>
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/pkcs7.h>
#include <string.h>

#define SCEP "2.16.840.1.113733.1.9."
#define TRANSACTION_ID_MAX 1024

/* OpenSSL would write it as it stands in the message: both read the same. */
static bool
is_plain(X509_ATTRIBUTE *attribute, struct span message)
{
	uint8_t *der = NULL;
	int len = i2d_X509_ATTRIBUTE(attribute, &der);
	bool plain = len > 0 &&
	    memmem(message.data, message.len, der, (size_t)len) != NULL;

	OPENSSL_free(der);
	return plain;
}

/* The only value of the only such attribute; false: none, or several. */
static bool
only_value(CMS_SignerInfo *si, const char *oid, int type, struct span message,
    struct span *out)
{
	ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
	ASN1_STRING *s = CMS_signed_get0_data_by_OBJ(si, object, -3, type);
	int at = CMS_signed_get_attr_by_OBJ(si, object, -1);

	ASN1_OBJECT_free(object);
	if (s == NULL || !is_plain(CMS_signed_get_attr(si, at), message))
		return false;
	*out = span_of(ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s));
	return true;
}

static void
compare(CMS_SignerInfo *si, struct span message, const struct scep_request *r)
{
	struct span text;

	if (only_value(si, SCEP "7", V_ASN1_PRINTABLESTRING, message, &text)) {
		if (text.len == 0 || text.len > TRANSACTION_ID_MAX ||
		    memchr(text.data, 0, text.len) != NULL)
			REQUIRE(r->transaction_id == NULL);
		else
			REQUIRE(r->transaction_id != NULL &&
			    span_is(text, r->transaction_id));
	}
	if (only_value(si, SCEP "2", V_ASN1_PRINTABLESTRING, message, &text) &&
	    text.len == 2 && memchr("123456789", text.data[0], 9) != NULL &&
	    memchr("0123456789", text.data[1], 10) != NULL)
		REQUIRE(
		    r->type == (text.data[0] - '0') * 10 + text.data[1] - '0');
	if (only_value(si, SCEP "5", V_ASN1_OCTET_STRING, message, &text))
		REQUIRE(span_equal(r->sender_nonce, text));
}

void
compare_attributes(struct span message, const struct scep_request *r)
{
	const uint8_t *at = message.data;
	CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &at,
	    (long)message.len);
	STACK_OF(CMS_SignerInfo) *list = cms == NULL ?
	    NULL :
	    CMS_get0_SignerInfos(cms);

	if (sk_CMS_SignerInfo_num(list) > 0)
		compare(sk_CMS_SignerInfo_value(list, 0), message, r);
	CMS_ContentInfo_free(cms);
	ERR_clear_error();
}

/* RFC 8894 3.3.3. */
typedef struct {
	X509_NAME *issuer, *subject;
} ISSUER_AND_SUBJECT;

/* clang-format off */
ASN1_SEQUENCE(ISSUER_AND_SUBJECT) = {
	ASN1_SIMPLE(ISSUER_AND_SUBJECT, issuer, X509_NAME),
	ASN1_SIMPLE(ISSUER_AND_SUBJECT, subject, X509_NAME)
} static_ASN1_SEQUENCE_END(ISSUER_AND_SUBJECT)
    /* clang-format on */

    static void compare_name(struct span ours, X509_NAME *name)
{
	const uint8_t *theirs;
	size_t len;

	REQUIRE(X509_NAME_get0_der(name, &theirs, &len) == 1);
	REQUIRE(span_equal(ours, span_of(theirs, len)));
}

/* OpenSSL takes a SET without the constructed bit for one. */
static bool
is_der(X509_NAME *name)
{
	const uint8_t *der;
	size_t len;

	return X509_NAME_get0_der(name, &der, &len) == 1 &&
	    x509_name_is_sound(span_of(der, len));
}

static void
compare_subject(const struct scep_request *r, enum scep_flaw flaw)
{
	const ASN1_ITEM *it = ASN1_ITEM_rptr(ISSUER_AND_SUBJECT);
	const uint8_t *at = r->plain.data;
	ISSUER_AND_SUBJECT *theirs = (ISSUER_AND_SUBJECT *)ASN1_item_d2i(NULL,
	    &at, (long)r->plain.len, it);

	if (theirs != NULL && is_der(theirs->issuer) &&
	    is_der(theirs->subject)) {
		REQUIRE(flaw == SCEP_SOUND);
		compare_name(r->issuer, theirs->issuer);
		compare_name(r->subject, theirs->subject);
	}
	ASN1_item_free((ASN1_VALUE *)theirs, it);
}

static void
compare_serial(const struct scep_request *r, enum scep_flaw flaw)
{
	const uint8_t *at = r->plain.data;
	PKCS7_ISSUER_AND_SERIAL *theirs = d2i_PKCS7_ISSUER_AND_SERIAL(NULL, &at,
	    (long)r->plain.len);
	uint8_t *der = NULL;
	int len;

	if (theirs != NULL && is_der(theirs->issuer)) {
		REQUIRE(flaw == SCEP_SOUND);
		compare_name(r->issuer, theirs->issuer);
		len = i2d_ASN1_INTEGER(theirs->serial, &der);
		REQUIRE(len > 2 && (size_t)len >= r->serial.len + 2);
		REQUIRE(span_equal(r->serial,
		    span_of(der + len - r->serial.len, r->serial.len)));
		OPENSSL_free(der);
	}
	PKCS7_ISSUER_AND_SERIAL_free(theirs);
}

void
compare_query(const struct scep_request *r, enum scep_flaw flaw)
{
	if (r->plain.len == 0)
		return;
	if (r->type == SCEP_CERT_POLL)
		compare_subject(r, flaw);
	else if (r->type == SCEP_GET_CERT || r->type == SCEP_GET_CRL)
		compare_serial(r, flaw);
	ERR_clear_error();
}
