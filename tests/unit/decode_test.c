/* Messages that OpenSSL writes the way clients do (quirks 3), read by us. */
#include "unit/authority.h"

#include "scep/scep.h"

static struct authority ra;
static OSSL_PROVIDER *standard, *legacy;
static EVP_PKEY *key, *other;
static X509 *cert, *other_cert;
static struct blob request;

static const struct sound {
	const char *row;
	const EVP_MD *(*md)(void);	   /* NULL: SHA-256 */
	const EVP_CIPHER *(*cipher)(void); /* NULL: AES-128 */
	enum digest digest;
	enum cipher cipher_read;
	unsigned signer_flags, recipient_flags;
	bool stream_inner, stream_outer;
	bool thrown_away; /* the signer's key is not the request's */
	bool three;	  /* recipients: all of GetCACert, the CA first */
	bool extra, no_nonce;
	int text_type; /* 0: PrintableString */
	int digest_nid, signature_nid;
	const char *curve, *transaction;
} sounds[] = {
	{ "as RFC 8894 has it", .digest = DIGEST_SHA256,
	    .cipher_read = CIPHER_AES128 },
	{ "MD5", .md = EVP_md5, .digest = DIGEST_MD5,
	    .cipher_read = CIPHER_AES128 },
	{ "SHA-1", .md = EVP_sha1, .digest = DIGEST_SHA1,
	    .cipher_read = CIPHER_AES128 },
	{ "SHA-224", .md = EVP_sha224, .digest = DIGEST_SHA224,
	    .cipher_read = CIPHER_AES128 },
	{ "SHA-384", .md = EVP_sha384, .digest = DIGEST_SHA384,
	    .cipher_read = CIPHER_AES128 },
	{ "SHA-512", .md = EVP_sha512, .digest = DIGEST_SHA512,
	    .cipher_read = CIPHER_AES128 },
	{ "single DES", .cipher = EVP_des_cbc, .digest = DIGEST_SHA256,
	    .cipher_read = CIPHER_DES },
	{ "triple DES", .cipher = EVP_des_ede3_cbc, .digest = DIGEST_SHA256,
	    .cipher_read = CIPHER_DES3 },
	{ "AES-192", .cipher = EVP_aes_192_cbc, .digest = DIGEST_SHA256,
	    .cipher_read = CIPHER_AES192 },
	{ "AES-256", .cipher = EVP_aes_256_cbc, .digest = DIGEST_SHA256,
	    .cipher_read = CIPHER_AES256 },
	{ "MD5 and single DES, as old routers", .md = EVP_md5,
	    .cipher = EVP_des_cbc, .digest = DIGEST_MD5,
	    .cipher_read = CIPHER_DES },
	{ "three recipients, the CA first", .three = true,
	    .digest = DIGEST_SHA256, .cipher_read = CIPHER_AES128 },
	{ "the recipient by key id", .recipient_flags = CMS_USE_KEYID,
	    .digest = DIGEST_SHA256, .cipher_read = CIPHER_AES128 },
	{ "three recipients by key id", .recipient_flags = CMS_USE_KEYID,
	    .three = true, .digest = DIGEST_SHA256,
	    .cipher_read = CIPHER_AES128 },
	{ "the signer by key id", .signer_flags = CMS_USE_KEYID,
	    .digest = DIGEST_SHA256, .cipher_read = CIPHER_AES128 },
	{ "indefinite lengths outside", .stream_outer = true,
	    .digest = DIGEST_SHA256, .cipher_read = CIPHER_AES128 },
	{ "indefinite lengths inside", .stream_inner = true,
	    .digest = DIGEST_SHA256, .cipher_read = CIPHER_AES128 },
	{ "indefinite lengths in both", .stream_inner = true,
	    .stream_outer = true, .digest = DIGEST_SHA256,
	    .cipher_read = CIPHER_AES128 },
	{ "sha256WithRSAEncryption as signature algorithm",
	    .signature_nid = NID_sha256WithRSAEncryption,
	    .digest = DIGEST_SHA256, .cipher_read = CIPHER_AES128 },
	{ "a signature algorithm in place of the digest",
	    .digest_nid = NID_sha256WithRSAEncryption, .digest = DIGEST_SHA256,
	    .cipher_read = CIPHER_AES128 },
	{ "a signer that is thrown away afterwards", .thrown_away = true,
	    .digest = DIGEST_SHA256, .cipher_read = CIPHER_AES128 },
	{ "a signer with an EC key", .curve = "P-256", .digest = DIGEST_SHA256,
	    .cipher_read = CIPHER_AES128 },
	{ "an EC key by the name of id-ecPublicKey", .curve = "P-384",
	    .signature_nid = NID_X9_62_id_ecPublicKey, .digest = DIGEST_SHA256,
	    .cipher_read = CIPHER_AES128 },
	{ "a signer on P-521", .curve = "P-521", .md = EVP_sha512,
	    .digest = DIGEST_SHA512, .cipher_read = CIPHER_AES128 },
	{ "a second certificate", .extra = true, .digest = DIGEST_SHA256,
	    .cipher_read = CIPHER_AES128 },
	{ "no senderNonce", .no_nonce = true, .digest = DIGEST_SHA256,
	    .cipher_read = CIPHER_AES128 },
	{ "texts as UTF8String", .text_type = V_ASN1_UTF8STRING,
	    .digest = DIGEST_SHA256, .cipher_read = CIPHER_AES128 },
	{ "texts as IA5String", .text_type = V_ASN1_IA5STRING,
	    .digest = DIGEST_SHA256, .cipher_read = CIPHER_AES128 },
	{ "a transactionID in base64", .transaction = "+/mB9Vq1UjVkS0AzZQ0=",
	    .text_type = V_ASN1_T61STRING, .digest = DIGEST_SHA256,
	    .cipher_read = CIPHER_AES128 },
	{ "a transactionID with blanks", .transaction = "SCEP test client 1",
	    .digest = DIGEST_SHA256, .cipher_read = CIPHER_AES128 },
	{ "a transactionID of 78 digits",
	    .transaction = "10234567890123456789012345678901234567890123456789"
			   "0123456789012345678901234567",
	    .digest = DIGEST_SHA256, .cipher_read = CIPHER_AES128 },
};

static struct letter
letter_of(const struct sound *t)
{
	struct letter l = { .type = "19",
		.transaction = "9CB1CB998B7FCC0142297B492988AFB4",
		.text_type = t->text_type,
		.key = t->thrown_away ? other : key,
		.signer = t->thrown_away ? other_cert : cert,
		.md = t->md == NULL ? EVP_sha256() : t->md(),
		.cipher = t->cipher == NULL ? EVP_aes_128_cbc() : t->cipher(),
		.signer_flags = t->signer_flags,
		.recipient_flags = t->recipient_flags,
		.recipients = { ra.certs[CA_RA_ENCRYPTION] },
		.stream_inner = t->stream_inner,
		.stream_outer = t->stream_outer,
		.no_nonce = t->no_nonce,
		.extra = t->extra ? ra.certs[CA_ISSUING] : NULL,
		.digest_nid = t->digest_nid,
		.signature_nid = t->signature_nid };

	if (t->transaction != NULL)
		l.transaction = t->transaction;
	if (l.text_type == 0)
		l.text_type = V_ASN1_PRINTABLESTRING;
	if (t->three)
		memcpy(l.recipients, ra.certs, sizeof(l.recipients));
	return l;
}

static enum scep_flaw
decode(struct scep_request **out, struct span message, struct error *err)
{
	const struct scep_recipient us = { ra.crypto,
		ra.credentials->keys[CA_RA_ENCRYPTION],
		&ra.credentials->certs[CA_RA_ENCRYPTION], NULL };

	return scep_request_decode(out, message, &us, err);
}

static void
check_message(struct span message, const struct letter *l,
    const struct sound *t)
{
	struct blob signer = device_cert_der(l->signer);
	struct scep_request *r = NULL;
	struct error err = { 0 };
	enum scep_flaw flaw = decode(&r, message, &err);

	assert_string_equal(err.text, "");
	assert_int_equal(flaw, SCEP_SOUND);
	assert_int_equal(r->type, SCEP_PKCS_REQ);
	assert_string_equal(r->transaction_id, l->transaction);
	assert_octets(r->sender_nonce, DEVICE_NONCE, t->no_nonce ? 0 : 16);
	assert_int_equal(r->digest, t->digest);
	assert_int_equal(r->cipher, t->cipher_read);
	assert_int_equal(r->ber, t->stream_inner || t->stream_outer);
	assert_octets(r->signer.whole, signer.data, signer.len);
	assert_octets(blob_span(&r->plain), request.data, request.len);
	assert_string_equal(r->csr.challenge, "8CE317021F690069");
	assert_int_equal(EVP_PKEY_eq(r->signer_key, l->key), 1);
	scep_request_free(r);
	blob_free(&signer);
}

static void
decodes(void **state)
{
	const struct sound *t = *state;
	struct letter l = letter_of(t);
	struct blob message;

	if (t->curve != NULL) {
		l.key = EVP_EC_gen(t->curve);
		l.signer = device_cert(l.key, "SCEP SIGNER");
	}
	message = letter_write(&l, blob_span(&request));
	check_message(blob_span(&message), &l, t);
	if (t->curve != NULL) {
		X509_free(l.signer);
		EVP_PKEY_free(l.key);
	}
	blob_free(&message);
}

static void
ignores_what_follows(void **state)
{
	struct letter l = letter_of(&sounds[0]);
	struct blob message = letter_write(&l, blob_span(&request));
	struct buffer b = { 0 };

	(void)state;
	buffer_add_span(&b, blob_span(&message));
	buffer_add_text(&b, "\r\n");
	check_message(buffer_span(&b), &l, &sounds[0]);
	buffer_free(&b);
	blob_free(&message);
}

/* Where one string of octets stands in another. */
static uint8_t *
find(struct blob *in, struct span part)
{
	uint8_t *at = memmem(in->data, in->len, part.data, part.len);

	assert_non_null(at);
	return at;
}

/* The signed attributes of a message, each as DER, in the order sent. */
static size_t
list_attributes(CMS_SignerInfo *si, struct blob out[8])
{
	int count = CMS_signed_get_attr_count(si);

	assert_in_range(count, 2, 8);
	for (int i = 0; i < count; i++) {
		uint8_t *der = NULL;
		int len = i2d_X509_ATTRIBUTE(CMS_signed_get_attr(si, i), &der);

		out[i] = device_take(der, len);
	}
	return (size_t)count;
}

/*
 * The attributes backwards. OpenSSL signed them as DER orders them; with
 * `as_sent` they are signed again as they stand.
 */
static void
reverse_attributes(struct blob *message, bool as_sent)
{
	const uint8_t *at = message->data;
	CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &at,
	    (long)message->len);
	CMS_SignerInfo *si = sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(cms),
	    0);
	const ASN1_OCTET_STRING *old = CMS_SignerInfo_get0_signature(si);
	struct span old_signature = span_of(old->data, (size_t)old->length);
	struct buffer forth = { 0 }, back = { 0 }, set = { 0 };
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t head[8], *end = head, signature[512];
	size_t size = sizeof(signature), count;
	struct blob list[8];

	count = list_attributes(si, list);
	for (size_t i = 0; i < count; i++) {
		buffer_add_span(&forth, blob_span(&list[i]));
		buffer_add_span(&back, blob_span(&list[count - 1 - i]));
	}
	memcpy(find(message, buffer_span(&forth)), back.data, back.len);
	ASN1_put_object(&end, 1, (int)back.len, V_ASN1_SET, V_ASN1_UNIVERSAL);
	buffer_add(&set, head, (size_t)(end - head));
	buffer_add_span(&set, buffer_span(&back));
	assert_true(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key));
	assert_true(EVP_DigestSign(ctx, signature, &size, set.data, set.len));
	if (as_sent)
		memcpy(find(message, old_signature), signature, size);
	for (size_t i = 0; i < count; i++)
		blob_free(&list[i]);
	EVP_MD_CTX_free(ctx);
	buffer_free(&forth);
	buffer_free(&back);
	buffer_free(&set);
	CMS_ContentInfo_free(cms);
}

static const struct order {
	const char *row;
	bool as_sent;
} orders[] = {
	{ "signed as DER would order them", false },
	{ "signed as they stand", true },
};

static void
unsorted_attributes(void **state)
{
	const struct order *t = *state;
	struct letter l = letter_of(&sounds[0]);
	struct blob message = letter_write(&l, blob_span(&request));

	reverse_attributes(&message, t->as_sent);
	check_message(blob_span(&message), &l, &sounds[0]);
	blob_free(&message);
}

static void
add_pkcs7_text(PKCS7_SIGNER_INFO *si, const char *oid, const char *text)
{
	ASN1_PRINTABLESTRING *value = ASN1_PRINTABLESTRING_new();
	int nid = OBJ_txt2nid(oid);

	if (nid == NID_undef)
		nid = OBJ_create(oid, NULL, NULL);
	assert_true(ASN1_STRING_set(value, text, -1));
	assert_true(
	    PKCS7_add_signed_attribute(si, nid, V_ASN1_PRINTABLESTRING, value));
}

/*
 * OpenSSL's older interface, with which sscep and others write: it adds a
 * signingTime, and no contentType of itself.
 */
static void
pkcs7_without_content_type(void **state)
{
	struct letter l = letter_of(&sounds[0]);
	struct blob sealed = letter_seal(&l, blob_span(&request)), message;
	PKCS7 *p7 = PKCS7_new();
	PKCS7_SIGNER_INFO *si;
	uint8_t *der = NULL;
	const struct sound t = { .digest = DIGEST_SHA256,
		.no_nonce = true,
		.cipher_read = CIPHER_AES128 };
	BIO *bio;
	int len;

	(void)state;
	assert_true(PKCS7_set_type(p7, NID_pkcs7_signed));
	assert_non_null(si = PKCS7_add_signature(p7, cert, key, EVP_sha256()));
	assert_true(PKCS7_add_certificate(p7, cert));
	add_pkcs7_text(si, "2.16.840.1.113733.1.9.2", "19");
	add_pkcs7_text(si, "2.16.840.1.113733.1.9.7", l.transaction);
	assert_true(PKCS7_content_new(p7, NID_pkcs7_data));
	assert_non_null(bio = PKCS7_dataInit(p7, NULL));
	assert_int_equal(BIO_write(bio, sealed.data, (int)sealed.len),
	    sealed.len);
	assert_true(PKCS7_dataFinal(p7, bio));
	assert_null(PKCS7_get_signed_attribute(si, NID_pkcs9_contentType));
	len = i2d_PKCS7(p7, &der);
	message = device_take(der, len);
	check_message(blob_span(&message), &l, &t);
	blob_free(&message);
	blob_free(&sealed);
	BIO_free_all(bio);
	PKCS7_free(p7);
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
	other = device_key("device/other.key");
	cert = device_cert(key, "device-0001");
	other_cert = device_cert(other, "SCEP Protocol Certificate");
	request = device_plain_request(key, "8CE317021F690069");
	return standard == NULL || legacy == NULL;
}

static int
tear_down(void **state)
{
	(void)state;
	blob_free(&request);
	X509_free(cert);
	X509_free(other_cert);
	EVP_PKEY_free(key);
	EVP_PKEY_free(other);
	authority_close(&ra);
	OSSL_PROVIDER_unload(legacy);
	OSSL_PROVIDER_unload(standard);
	return 0;
}

int
main(void)
{
	static const struct table tables[] = {
		ROWS(decodes, sounds),
		ONE(ignores_what_follows, "what follows a message is ignored"),
		ROWS(unsorted_attributes, orders),
		ONE(pkcs7_without_content_type,
		    "the older interface of OpenSSL, without contentType"),
	};

	return ROWS_RUN(tables, set_up, tear_down);
}
