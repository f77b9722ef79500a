/* CertReps, read and verified by OpenSSL alone. */
#include "unit/authority.h"
#include "unit/reply.h"

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

/* Opened with the client's key; exactly one certificate is inside. */
static void
check_envelope(struct span envelope, struct span leaf)
{
	CMS_ContentInfo *cms = reply_cms(envelope);
	STACK_OF(CMS_RecipientInfo) *recipients = CMS_get0_RecipientInfos(cms);
	BIO *out = BIO_new(BIO_s_mem());
	struct blob bag;
	X509_ALGOR *transport;

	assert_int_equal(sk_CMS_RecipientInfo_num(recipients), 1);
	assert_int_equal(CMS_RecipientInfo_ktri_cert_cmp(
			     sk_CMS_RecipientInfo_value(recipients, 0), cert),
	    0);
	CMS_RecipientInfo_ktri_get0_algs(sk_CMS_RecipientInfo_value(recipients,
					     0),
	    NULL, NULL, &transport);
	reply_check_algorithm(transport, NID_rsaEncryption, V_ASN1_NULL);
	assert_int_equal(CMS_decrypt(cms, key, cert, NULL, out, CMS_BINARY), 1);
	bag = reply_take_bio(out);
	reply_check_bag(blob_span(&bag), &leaf, 1, SPAN_EMPTY);
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
	reply_check_algorithm(sk_X509_ALGOR_value(sign->md_algs, 0), digest_nid,
	    V_ASN1_NULL);
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
	reply_check_algorithm(si->digest_alg, digest_nid, V_ASN1_NULL);
	reply_check_algorithm(si->digest_enc_alg, NID_rsaEncryption,
	    V_ASN1_NULL);
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
		envelope = reply_verify(blob_span(&der),
		    ra.certs[CA_RA_SIGNING], false);
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

		envelopes[i] = reply_verify(blob_span(&der),
		    ra.certs[CA_RA_SIGNING], false);
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
	content = reply_verify(blob_span(&der), ra.certs[CA_RA_SIGNING], false);
	if (t->status != SCEP_SUCCESS)
		assert_hex(blob_span(&content), "00");
	cms = reply_cms(blob_span(&der));
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

/* A CEK of AES-256 and 42 octets of padding are more than 64. */
static void
small_recipient(void **state)
{
	EVP_PKEY *small = EVP_RSA_gen(512);
	struct scep_reply reply = success();
	struct scep_seal seal = plain_seal();
	struct error err = { 0 };
	struct blob out = { (uint8_t *)"x", 1 };

	(void)state;
	seal.recipient_key = small;
	seal.transport = TRANSPORT_OAEP;
	seal.cipher = CIPHER_AES256;
	assert_int_equal(scep_reply_encode(&out, &reply, &seal, &err), -1);
	assert_string_equal(err.text, "cannot encrypt to the client's key");
	assert_null(out.data);
	reply = failure();
	err = (struct error){ 0 };
	assert_int_equal(scep_reply_encode(&out, &reply, &seal, &err), 0);
	blob_free(&out);
	EVP_PKEY_free(small);
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
	reply_check_bag(buffer_span(&b), certs, 3, SPAN_EMPTY);
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
		ONE(small_recipient, "a key can be too small for OAEP"),
		ONE(degenerate, "a bag keeps the order of its certificates"),
		ROWS(number_is_called, names),
	};

	return ROWS_RUN(tables, set_up, tear_down);
}
