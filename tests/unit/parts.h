/* What two certificates differ in, as OpenSSL reads them. */
#ifndef UNIT_PARTS_H
#define UNIT_PARTS_H

#include "unit/device.h"

#define PART_VERSION (1 << 0)
#define PART_SERIAL (1 << 1)
#define PART_ALGORITHM (1 << 2)
#define PART_ISSUER (1 << 3)
#define PART_BEGIN (1 << 4)
#define PART_END (1 << 5)
#define PART_SUBJECT (1 << 6)
#define PART_KEY (1 << 7)
#define PART_KEY_USAGE (1 << 8)
#define PART_PURPOSES (1 << 9)
#define PART_SAN (1 << 10)
#define PART_KEY_ID (1 << 11)
#define PART_AUTHORITY (1 << 12)
#define PART_BASIC (1 << 13)
#define PART_TEMPLATE (1 << 14)
#define PARTS 15
#define PART_EXTENSIONS                                            \
	(PART_KEY_USAGE | PART_PURPOSES | PART_SAN | PART_KEY_ID | \
	    PART_AUTHORITY)

static const char *const part_extensions[PARTS] = {
	[8] = "2.5.29.15",
	[9] = "2.5.29.37",
	[10] = "2.5.29.17",
	[11] = "2.5.29.14",
	[12] = "2.5.29.35",
	[13] = "2.5.29.19",
	[14] = "1.3.6.1.4.1.311.20.2",
};

static inline struct blob
parts_extension(X509 *cert, const char *oid)
{
	ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
	int at = X509_get_ext_by_OBJ(cert, object, -1), len;
	uint8_t *der = NULL;

	if (at != -1)
		assert_int_equal(X509_get_ext_by_OBJ(cert, object, at), -1);
	ASN1_OBJECT_free(object);
	if (at == -1)
		return (struct blob){ NULL, 0 };
	len = i2d_X509_EXTENSION(X509_get_ext(cert, at), &der);
	return device_take(der, len);
}

static inline struct blob
parts_der(X509 *cert, int part)
{
	const X509_ALGOR *algorithm = X509_get0_tbs_sigalg(cert);
	uint8_t *der = NULL;
	int len = 0;

	switch (1 << part) {
	case PART_VERSION:
		assert_non_null(der = OPENSSL_zalloc(1));
		der[0] = (uint8_t)X509_get_version(cert);
		len = 1;
		break;
	case PART_SERIAL:
		len = i2d_ASN1_INTEGER(X509_get0_serialNumber(cert), &der);
		break;
	case PART_ALGORITHM:
		len = i2d_X509_ALGOR(algorithm, &der);
		break;
	case PART_ISSUER:
		len = i2d_X509_NAME(X509_get_issuer_name(cert), &der);
		break;
	case PART_BEGIN:
		len = i2d_ASN1_TIME(X509_get0_notBefore(cert), &der);
		break;
	case PART_END:
		len = i2d_ASN1_TIME(X509_get0_notAfter(cert), &der);
		break;
	case PART_SUBJECT:
		len = i2d_X509_NAME(X509_get_subject_name(cert), &der);
		break;
	case PART_KEY:
		len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
		break;
	default:
		return parts_extension(cert, part_extensions[part]);
	}
	return device_take(der, len);
}

/* Exactly these parts differ. */
static inline void
parts_must_differ(X509 *meant, X509 *made, int changed)
{
	for (int part = 0; part < PARTS; part++) {
		struct blob a = parts_der(meant, part),
			    b = parts_der(made, part);
		bool same = span_equal(blob_span(&a), blob_span(&b));

		if (same == ((changed >> part & 1) != 0))
			fail_msg("part %d is %s", part,
			    same ? "the same" : "another");
		blob_free(&a);
		blob_free(&b);
	}
}

#endif
