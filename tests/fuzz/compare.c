#include "fuzz/compare.h"

#include <openssl/cms.h>
#include <openssl/err.h>
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
