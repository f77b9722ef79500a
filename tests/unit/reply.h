/* What a client makes of a reply, by OpenSSL alone. */
#ifndef UNIT_REPLY_H
#define UNIT_REPLY_H

#include "unit/device.h"

/* One element of ASN.1: the first octet of its tag, and its content. */
struct element {
	int tag;
	struct span content;
};

/* Takes the next of *rest, which must be there. */
static inline struct element
reply_next(struct span *rest)
{
	const uint8_t *at = rest->data;
	struct element e;
	int tag, class;
	long len;

	assert_true(rest->len > 0);
	e.tag = at[0];
	assert_false(
	    ASN1_get_object(&at, &len, &tag, &class, (long)rest->len) & 0x80);
	e.content = span_of(at, (size_t)len);
	rest->len -= (size_t)(at + len - rest->data);
	rest->data = at + len;
	return e;
}

/* The i-th element in a constructed one. */
static inline struct element
reply_inside(struct span content, int i)
{
	struct element e = reply_next(&content);

	while (i-- > 0)
		e = reply_next(&content);
	return e;
}

/* The i-th field of what a ContentInfo holds. */
static inline struct element
reply_field(struct span content_info, int i)
{
	struct span info = reply_next(&content_info).content;
	struct span field = reply_inside(info, 1).content;

	return reply_inside(reply_next(&field).content, i);
}

/* The whole of it, in DER: what OpenSSL writes of it is the same. */
static inline CMS_ContentInfo *
reply_cms(struct span der)
{
	const uint8_t *at = der.data;
	CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &at, (long)der.len);
	uint8_t *again = NULL;
	int len;

	assert_non_null(cms);
	assert_ptr_equal(at, der.data + der.len);
	len = i2d_CMS_ContentInfo(cms, &again);
	assert_same_der(der, again, len);
	return cms;
}

static inline struct blob
reply_take_bio(BIO *bio)
{
	struct blob out;
	char *data;
	long len = BIO_get_mem_data(bio, &data);

	out = exact_copy(data, (size_t)len);
	BIO_free(bio);
	return out;
}

/*
 * What was signed, verified with a certificate that is not inside. `absent`:
 * no content is there, and what was signed is nothing.
 */
static inline struct blob
reply_verify(struct span reply, X509 *signer, bool absent)
{
	CMS_ContentInfo *cms = reply_cms(reply);
	STACK_OF(X509) *certs = sk_X509_new_null();
	BIO *out = BIO_new(BIO_s_mem());
	BIO *nothing = BIO_new_mem_buf("", 0);

	sk_X509_push(certs, signer);
	assert_int_equal(*CMS_get0_content(cms) == NULL, absent);
	assert_int_equal(CMS_verify(cms, certs, NULL, absent ? nothing : NULL,
			     out, CMS_NO_SIGNER_CERT_VERIFY | CMS_BINARY),
	    1);
	assert_null(CMS_get1_certs(cms));
	assert_null(CMS_get1_crls(cms));
	sk_X509_free(certs);
	BIO_free(nothing);
	CMS_ContentInfo_free(cms);
	return reply_take_bio(out);
}

/* A degenerate SignedData with these parts in this order, and no more. */
static inline void
reply_check_bag(struct span der, const struct span *certs, int count,
    struct span crl)
{
	const uint8_t *at = der.data;
	PKCS7 *p7 = d2i_PKCS7(NULL, &at, (long)der.len);
	PKCS7_SIGNED *sign;
	uint8_t *one = NULL;
	int len;

	assert_non_null(p7);
	assert_ptr_equal(at, der.data + der.len);
	assert_true(PKCS7_type_is_signed(p7));
	sign = p7->d.sign;
	assert_int_equal(ASN1_INTEGER_get(sign->version), 1);
	assert_int_equal(sk_X509_ALGOR_num(sign->md_algs), 0);
	assert_int_equal(sk_PKCS7_SIGNER_INFO_num(sign->signer_info), 0);
	assert_true(PKCS7_type_is_data(sign->contents));
	assert_null(sign->contents->d.data);
	/* -1: the field itself is not there. */
	assert_int_equal(sk_X509_num(sign->cert), count == 0 ? -1 : count);
	assert_int_equal(sk_X509_CRL_num(sign->crl), crl.len == 0 ? -1 : 1);
	for (int i = 0; i < count; i++, one = NULL) {
		len = i2d_X509(sk_X509_value(sign->cert, i), &one);
		assert_same_der(certs[i], one, len);
	}
	if (crl.len > 0) {
		len = i2d_X509_CRL(sk_X509_CRL_value(sign->crl, 0), &one);
		assert_same_der(crl, one, len);
	}
	PKCS7_free(p7);
}

static inline void
reply_check_algorithm(const X509_ALGOR *algorithm, int nid, int type)
{
	const ASN1_OBJECT *oid;
	int parameters;

	X509_ALGOR_get0(&oid, &parameters, NULL, algorithm);
	assert_int_equal(OBJ_obj2nid(oid), nid);
	assert_int_equal(parameters, type);
}

#endif
