/* CertReps, read and verified by OpenSSL alone. */
#include "unit/authority.h"

#include "scep/scep.h"

static struct authority ra;
static OSSL_PROVIDER *standard, *legacy;
static EVP_PKEY *key;
static X509 *cert;
static struct blob cert_der;
static struct x509 recipient;

#define SENDER_NONCE "0123456789abcdef"

static struct scep_seal
plain_seal(void)
{
	return (struct scep_seal){ .crypto = ra.crypto,
		.signer_key = ra.credentials->keys[CA_RA_SIGNING],
		.signer = &ra.credentials->certs[CA_RA_SIGNING],
		.digest = DIGEST_SHA256,
		.cipher = CIPHER_AES128,
		.recipient_key = key,
		.recipient = &recipient };
}

static struct scep_reply
success(void)
{
	return (struct scep_reply){ .status = SCEP_SUCCESS,
		.transaction_id = "9CB1CB998B7FCC0142297B492988AFB4",
		.sender_nonce = span_of(SENDER_NONCE, 16),
		.recipient_nonce = span_of(DEVICE_NONCE, 16),
		.ms_message = "Issued",
		.certificate = blob_span(&ra.credentials->der[CA_ISSUING]) };
}

static struct scep_reply
failure(void)
{
	return (struct scep_reply){ .status = SCEP_FAILURE,
		.fail_info = SCEP_BAD_REQUEST,
		.transaction_id = "9CB1CB998B7FCC0142297B492988AFB4",
		.sender_nonce = span_of(SENDER_NONCE, 16),
		.recipient_nonce = span_of(DEVICE_NONCE, 16),
		.ms_error = -2147024809 };
}

static struct blob
encode(const struct scep_reply *reply, const struct scep_seal *seal)
{
	struct error err = { 0 };
	struct blob out;

	assert_int_equal(scep_reply_encode(&out, reply, seal, &err), 0);
	assert_string_equal(err.text, "");
	return out;
}

/* The whole of it, in DER: what OpenSSL writes of it is the same. */
static CMS_ContentInfo *
read_cms(struct span der)
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

static struct blob
take_bio(BIO *bio)
{
	struct blob out;
	char *data;
	long len = BIO_get_mem_data(bio, &data);

	out = exact_copy(data, (size_t)len);
	BIO_free(bio);
	return out;
}

/* Verified with the signing RA's certificate, which is not inside. */
static struct blob
verify(struct span reply)
{
	CMS_ContentInfo *cms = read_cms(reply);
	STACK_OF(X509) *certs = sk_X509_new_null();
	BIO *out = BIO_new(BIO_s_mem());

	sk_X509_push(certs, ra.certs[CA_RA_SIGNING]);
	assert_int_equal(CMS_verify(cms, certs, NULL, NULL, out,
			     CMS_NO_SIGNER_CERT_VERIFY | CMS_BINARY),
	    1);
	assert_null(CMS_get1_certs(cms));
	assert_null(CMS_get1_crls(cms));
	sk_X509_free(certs);
	CMS_ContentInfo_free(cms);
	return take_bio(out);
}

/* A degenerate SignedData: these certificates, in this order, no more. */
static void
check_bag(struct span der, const struct span *wanted, int count)
{
	const uint8_t *at = der.data;
	PKCS7 *p7 = d2i_PKCS7(NULL, &at, (long)der.len);
	PKCS7_SIGNED *sign;

	assert_non_null(p7);
	assert_ptr_equal(at, der.data + der.len);
	assert_true(PKCS7_type_is_signed(p7));
	sign = p7->d.sign;
	assert_int_equal(ASN1_INTEGER_get(sign->version), 1);
	assert_int_equal(sk_X509_ALGOR_num(sign->md_algs), 0);
	assert_int_equal(sk_PKCS7_SIGNER_INFO_num(sign->signer_info), 0);
	assert_true(PKCS7_type_is_data(sign->contents));
	assert_null(sign->contents->d.data);
	assert_true(sk_X509_CRL_num(sign->crl) <= 0);
	assert_int_equal(sk_X509_num(sign->cert), count);
	for (int i = 0; i < count; i++) {
		struct blob one = device_cert_der(sk_X509_value(sign->cert, i));

		assert_octets(wanted[i], one.data, one.len);
		blob_free(&one);
	}
	PKCS7_free(p7);
}

/* Opened with the client's key; exactly one certificate is inside. */
static void
check_envelope(struct span envelope, struct span leaf)
{
	CMS_ContentInfo *cms = read_cms(envelope);
	STACK_OF(CMS_RecipientInfo) *recipients = CMS_get0_RecipientInfos(cms);
	BIO *out = BIO_new(BIO_s_mem());
	struct blob bag;
	X509_ALGOR *transport;
	const ASN1_OBJECT *oid;
	int type;

	assert_int_equal(sk_CMS_RecipientInfo_num(recipients), 1);
	assert_int_equal(CMS_RecipientInfo_ktri_cert_cmp(
			     sk_CMS_RecipientInfo_value(recipients, 0), cert),
	    0);
	CMS_RecipientInfo_ktri_get0_algs(sk_CMS_RecipientInfo_value(recipients,
					     0),
	    NULL, NULL, &transport);
	X509_ALGOR_get0(&oid, &type, NULL, transport);
	assert_int_equal(OBJ_obj2nid(oid), NID_rsaEncryption);
	assert_int_equal(type, V_ASN1_NULL);
	assert_int_equal(CMS_decrypt(cms, key, cert, NULL, out, CMS_BINARY), 1);
	bag = take_bio(out);
	check_bag(blob_span(&bag), &leaf, 1);
	blob_free(&bag);
	CMS_ContentInfo_free(cms);
}

static const struct digest_row {
	const char *row;
	enum digest digest;
	int nid;
} digest_rows[] = {
	{ "MD5", DIGEST_MD5, NID_md5 },
	{ "SHA-1", DIGEST_SHA1, NID_sha1 },
	{ "SHA-224", DIGEST_SHA224, NID_sha224 },
	{ "SHA-256", DIGEST_SHA256, NID_sha256 },
	{ "SHA-384", DIGEST_SHA384, NID_sha384 },
	{ "SHA-512", DIGEST_SHA512, NID_sha512 },
};

static void
check_algorithm(const X509_ALGOR *algorithm, int nid)
{
	const ASN1_OBJECT *oid;
	int type;

	X509_ALGOR_get0(&oid, &type, NULL, algorithm);
	assert_int_equal(OBJ_obj2nid(oid), nid);
	assert_int_equal(type, V_ASN1_NULL);
}

/* What names algorithms and signer, in OpenSSL's older and open structs. */
static void
check_frame(struct span reply, int digest_nid)
{
	const uint8_t *at = reply.data;
	PKCS7 *p7 = d2i_PKCS7(NULL, &at, (long)reply.len);
	PKCS7_SIGNED *sign;
	PKCS7_SIGNER_INFO *si;

	assert_non_null(p7);
	sign = p7->d.sign;
	assert_int_equal(ASN1_INTEGER_get(sign->version), 1);
	assert_int_equal(sk_X509_ALGOR_num(sign->md_algs), 1);
	check_algorithm(sk_X509_ALGOR_value(sign->md_algs, 0), digest_nid);
	assert_true(PKCS7_type_is_data(sign->contents));
	assert_int_equal(sk_PKCS7_SIGNER_INFO_num(sign->signer_info), 1);
	si = sk_PKCS7_SIGNER_INFO_value(sign->signer_info, 0);
	assert_int_equal(ASN1_INTEGER_get(si->version), 1);
	assert_int_equal(X509_NAME_cmp(si->issuer_and_serial->issuer,
			     X509_get_issuer_name(ra.certs[CA_RA_SIGNING])),
	    0);
	assert_int_equal(ASN1_INTEGER_cmp(si->issuer_and_serial->serial,
			     X509_get0_serialNumber(ra.certs[CA_RA_SIGNING])),
	    0);
	check_algorithm(si->digest_alg, digest_nid);
	check_algorithm(si->digest_enc_alg, NID_rsaEncryption);
	assert_int_equal(si->enc_digest->length, 256);
	assert_null(si->unauth_attr);
	PKCS7_free(p7);
}

/* With each cipher. */
static void
success_with_digest(void **state)
{
	const struct digest_row *t = *state;
	struct scep_reply reply = success();
	struct scep_seal seal = plain_seal();

	seal.digest = t->digest;
	for (enum cipher c = CIPHER_DES; c < CIPHER_COUNT; c++) {
		struct blob der, envelope;

		seal.cipher = c;
		der = encode(&reply, &seal);
		envelope = verify(blob_span(&der));
		check_envelope(blob_span(&envelope), reply.certificate);
		check_frame(blob_span(&der), t->nid);
		blob_free(&envelope);
		blob_free(&der);
	}
}

static const struct cipher_row {
	const char *row;
	enum cipher cipher;
	const char *head; /* the AlgorithmIdentifier up to the IV */
} cipher_rows[] = {
	{ "DES", CIPHER_DES, "30 11 06 05 2b 0e 03 02 07 04 08" },
	{ "triple DES", CIPHER_DES3,
	    "30 14 06 08 2a 86 48 86 f7 0d 03 07 04 08" },
	{ "AES-128", CIPHER_AES128,
	    "30 1d 06 09 60 86 48 01 65 03 04 01 02 04 10" },
	{ "AES-192", CIPHER_AES192,
	    "30 1d 06 09 60 86 48 01 65 03 04 01 16 04 10" },
	{ "AES-256", CIPHER_AES256,
	    "30 1d 06 09 60 86 48 01 65 03 04 01 2a 04 10" },
};

/* And key, IV and content are fresh each time. */
static void
names_cipher(void **state)
{
	const struct cipher_row *t = *state;
	struct blob head = hex_blob(t->head), envelopes[2];
	struct scep_reply reply = success();
	struct scep_seal seal = plain_seal();
	uint8_t *at[2];

	seal.cipher = t->cipher;
	for (int i = 0; i < 2; i++) {
		struct blob der = encode(&reply, &seal);

		envelopes[i] = verify(blob_span(&der));
		at[i] = memmem(envelopes[i].data, envelopes[i].len, head.data,
		    head.len);
		assert_non_null(at[i]);
		blob_free(&der);
	}
	assert_memory_not_equal(at[0] + head.len, at[1] + head.len, 8);
	assert_memory_not_equal(envelopes[0].data + envelopes[0].len - 16,
	    envelopes[1].data + envelopes[1].len - 16, 16);
	blob_free(&envelopes[0]);
	blob_free(&envelopes[1]);
	blob_free(&head);
}

#define SCEP "2.16.840.1.113733.1.9."
#define MICROSOFT "1.3.6.1.4.1.311.21."
#define MESSAGE_TYPE                                     \
	{                                                \
		SCEP "2", V_ASN1_PRINTABLESTRING, "3", 1 \
	}
#define CONTENT_TYPE                                           \
	{                                                      \
		"1.2.840.113549.1.9.3", V_ASN1_OBJECT, NULL, 0 \
	}
#define OWN_NONCE                                               \
	{                                                       \
		SCEP "5", V_ASN1_OCTET_STRING, SENDER_NONCE, 16 \
	}
#define THEIR_NONCE                                             \
	{                                                       \
		SCEP "6", V_ASN1_OCTET_STRING, DEVICE_NONCE, 16 \
	}
#define MESSAGE_DIGEST                                               \
	{                                                            \
		"1.2.840.113549.1.9.4", V_ASN1_OCTET_STRING, NULL, 0 \
	}
#define TRANSACTION                                        \
	{                                                  \
		SCEP "7", V_ASN1_PRINTABLESTRING,          \
		    "9CB1CB998B7FCC0142297B492988AFB4", 32 \
	}

/* In DER's order, in which real NDES sends them (ndes-facts 3.3). */
static const struct said {
	const char *row;
	enum scep_status status;
	enum scep_fail_info fail_info;
	int32_t ms_error;
	const char *ms_message;
	bool no_transaction, no_nonce;
	struct attribute {
		const char *oid;
		int type;
		const char *value; /* NULL: not compared here */
		int len;
	} attributes[12];
} saids[] = {
	{ "SUCCESS", SCEP_SUCCESS, 0, 0, "Issued", false, false,
	    { MESSAGE_TYPE, { SCEP "3", V_ASN1_PRINTABLESTRING, "0", 1 },
		{ MICROSOFT "38", V_ASN1_UTF8STRING, "Issued", 6 },
		CONTENT_TYPE, OWN_NONCE, THEIR_NONCE, MESSAGE_DIGEST,
		TRANSACTION } },
	{ "the FAILURE of Windows 2012", SCEP_FAILURE, SCEP_BAD_REQUEST,
	    -2147024809, NULL, false, false,
	    { MESSAGE_TYPE, { SCEP "3", V_ASN1_PRINTABLESTRING, "2", 1 },
		{ SCEP "4", V_ASN1_PRINTABLESTRING, "2", 1 }, CONTENT_TYPE,
		{ MICROSOFT "33", V_ASN1_PRINTABLESTRING, "-2147024809", 11 },
		OWN_NONCE, THEIR_NONCE, MESSAGE_DIGEST, TRANSACTION } },
	{ "badAlg", SCEP_FAILURE, SCEP_BAD_ALG, 0, NULL, false, false,
	    { MESSAGE_TYPE, { SCEP "3", V_ASN1_PRINTABLESTRING, "2", 1 },
		{ SCEP "4", V_ASN1_PRINTABLESTRING, "0", 1 }, CONTENT_TYPE,
		OWN_NONCE, THEIR_NONCE, MESSAGE_DIGEST, TRANSACTION } },
	{ "badCertId and a longer text", SCEP_FAILURE, SCEP_BAD_CERT_ID, 5,
	    "Denied by Policy Module", false, false,
	    { { MICROSOFT "33", V_ASN1_PRINTABLESTRING, "5", 1 }, MESSAGE_TYPE,
		{ SCEP "3", V_ASN1_PRINTABLESTRING, "2", 1 },
		{ SCEP "4", V_ASN1_PRINTABLESTRING, "4", 1 }, CONTENT_TYPE,
		OWN_NONCE, THEIR_NONCE, MESSAGE_DIGEST,
		{ MICROSOFT "38", V_ASN1_UTF8STRING, "Denied by Policy Module",
		    23 },
		TRANSACTION } },
	{ "PENDING", SCEP_PENDING, 0, 0, NULL, false, false,
	    { MESSAGE_TYPE, { SCEP "3", V_ASN1_PRINTABLESTRING, "3", 1 },
		CONTENT_TYPE, OWN_NONCE, THEIR_NONCE, MESSAGE_DIGEST,
		TRANSACTION } },
	{ "no transaction and no nonce to answer", SCEP_FAILURE,
	    SCEP_BAD_MESSAGE_CHECK, 0, NULL, true, true,
	    { MESSAGE_TYPE, { SCEP "3", V_ASN1_PRINTABLESTRING, "2", 1 },
		{ SCEP "4", V_ASN1_PRINTABLESTRING, "1", 1 }, CONTENT_TYPE,
		OWN_NONCE, MESSAGE_DIGEST } },
};

static void
check_attribute(X509_ATTRIBUTE *attribute, const struct attribute *wanted)
{
	ASN1_TYPE *value;
	char oid[80];

	OBJ_obj2txt(oid, sizeof(oid), X509_ATTRIBUTE_get0_object(attribute), 1);
	assert_string_equal(oid, wanted->oid);
	assert_int_equal(X509_ATTRIBUTE_count(attribute), 1);
	value = X509_ATTRIBUTE_get0_type(attribute, 0);
	assert_int_equal(ASN1_TYPE_get(value), wanted->type);
	if (wanted->type == V_ASN1_OBJECT)
		assert_int_equal(OBJ_obj2nid(value->value.object),
		    NID_pkcs7_data);
	else if (wanted->value != NULL)
		assert_octets(span_of(value->value.asn1_string->data,
				  (size_t)value->value.asn1_string->length),
		    wanted->value, (size_t)wanted->len);
}

static void
says(void **state)
{
	const struct said *t = *state;
	struct scep_reply reply = t->status == SCEP_SUCCESS ? success() :
							      failure();
	struct scep_seal seal = plain_seal();
	CMS_SignerInfo *si;
	CMS_ContentInfo *cms;
	struct blob der, content;
	int count = 0;

	reply.status = t->status;
	reply.fail_info = t->fail_info;
	reply.ms_error = t->ms_error;
	reply.ms_message = t->ms_message;
	if (t->no_transaction)
		reply.transaction_id = NULL;
	if (t->no_nonce)
		reply.recipient_nonce = SPAN_EMPTY;
	seal.digest = DIGEST_SHA1;
	der = encode(&reply, &seal);
	content = verify(blob_span(&der));
	if (t->status != SCEP_SUCCESS)
		assert_hex(blob_span(&content), "00");
	cms = read_cms(blob_span(&der));
	si = sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(cms), 0);
	for (; t->attributes[count].oid != NULL; count++) {
		assert_in_range(count, 0, CMS_signed_get_attr_count(si) - 1);
		check_attribute(CMS_signed_get_attr(si, count),
		    &t->attributes[count]);
	}
	assert_int_equal(CMS_signed_get_attr_count(si), count);
	assert_int_equal(CMS_unsigned_get_attr_count(si), -1);
	CMS_ContentInfo_free(cms);
	blob_free(&content);
	blob_free(&der);
}

/* 670 octets as the real one, but for the issuer's name. */
static void
failure_size(void **state)
{
	struct scep_reply reply = failure();
	struct scep_seal seal = plain_seal();
	struct blob der;

	(void)state;
	seal.digest = DIGEST_SHA1;
	der = encode(&reply, &seal);
	check_frame(blob_span(&der), NID_sha1);
	/* CN=SRV2012-CA is a Name of 23 octets. */
	assert_int_equal(der.len - seal.signer->issuer.len, 670 - 23);
	blob_free(&der);
}

static void
ec_recipient(void **state)
{
	EVP_PKEY *ec = EVP_EC_gen("P-256");
	struct scep_reply reply = success();
	struct scep_seal seal = plain_seal();
	struct error err = { 0 };
	struct blob out = { (uint8_t *)"x", 1 };

	(void)state;
	seal.recipient_key = ec;
	assert_int_equal(scep_reply_encode(&out, &reply, &seal, &err), -1);
	assert_string_equal(err.text,
	    "RFC 8894 3.1: the client's key is not RSA, nothing can be "
	    "encrypted to it");
	assert_null(out.data);
	reply = failure();
	err = (struct error){ 0 };
	assert_int_equal(scep_reply_encode(&out, &reply, &seal, &err), 0);
	blob_free(&out);
	EVP_PKEY_free(ec);
}

static void
degenerate(void **state)
{
	const struct span certs[] = { blob_span(
					  &ra.credentials->der[CA_RA_SIGNING]),
		blob_span(&ra.credentials->der[CA_RA_ENCRYPTION]),
		blob_span(&ra.credentials->der[CA_ISSUING]) };
	struct buffer b = { 0 };

	(void)state;
	assert_int_equal(scep_degenerate(&b, certs, 3), 0);
	check_bag(buffer_span(&b), certs, 3);
	buffer_free(&b);
}

static const struct name {
	const char *row;
	const char *(*function)(int);
	int number;
} names[] = {
	{ "CertRep", scep_type_name, 3 },
	{ "RenewalReq", scep_type_name, 17 },
	{ "PKCSReq", scep_type_name, 19 },
	{ "CertPoll", scep_type_name, 20 },
	{ "GetCert", scep_type_name, 21 },
	{ "GetCRL", scep_type_name, 22 },
	{ "unknown", scep_type_name, 18 },
	{ "badAlg", scep_fail_info_name, 0 },
	{ "badMessageCheck", scep_fail_info_name, 1 },
	{ "badRequest", scep_fail_info_name, 2 },
	{ "badTime", scep_fail_info_name, 3 },
	{ "badCertId", scep_fail_info_name, 4 },
	{ "unknown", scep_fail_info_name, 5 },
	{ "unknown", scep_fail_info_name, -1 },
};

static void
number_is_called(void **state)
{
	const struct name *t = *state;

	assert_string_equal(t->function(t->number), t->row);
}

static int
set_up(void **state)
{
	(void)state;
	/* In the test's own context; the server has one to itself. */
	standard = OSSL_PROVIDER_load(NULL, "default");
	legacy = OSSL_PROVIDER_load(NULL, "legacy");
	ra = authority_open();
	key = device_key("device/device.key");
	cert = device_cert(key, "device-0001");
	cert_der = device_cert_der(cert);
	return x509_read(blob_span(&cert_der), &recipient) == -1 ||
	    standard == NULL || legacy == NULL;
}

static int
tear_down(void **state)
{
	(void)state;
	blob_free(&cert_der);
	X509_free(cert);
	EVP_PKEY_free(key);
	authority_close(&ra);
	OSSL_PROVIDER_unload(legacy);
	OSSL_PROVIDER_unload(standard);
	return 0;
}

int
main(void)
{
	static const struct table tables[] = {
		ROWS(success_with_digest, digest_rows),
		ROWS(names_cipher, cipher_rows),
		ROWS(says, saids),
		ONE(failure_size, "a FAILURE is as long as that of NDES"),
		ONE(ec_recipient, "nothing can be sealed to an EC key"),
		ONE(degenerate, "a bag keeps the order of its certificates"),
		ROWS(number_is_called, names),
	};

	return ROWS_RUN(tables, set_up, tear_down);
}
