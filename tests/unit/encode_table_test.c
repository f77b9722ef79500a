/*
 * Every CertRep there can be: whom it is for, how it is signed and sealed,
 * and what it says. Opened by OpenSSL's CMS alone.
 */
#include "unit/authority.h"
#include "unit/reply.h"

#include "scep/scep.h"

#define SENDER_NONCE "0123456789abcdef"
#define TRANSACTION "9CB1CB998B7FCC0142297B492988AFB4"
#define MORE 2

static struct authority ra;
static OSSL_PROVIDER *standard, *legacy;
static struct blob crl;
static struct span more[MORE];

static struct device {
	const char *name;
	int bits;
	const char *file, *curve; /* neither: made, RSA */
	EVP_PKEY *key;
	X509 *cert;
	struct blob der;
	struct x509 read;
} devices[] = {
	{ "RSA 1024", .bits = 1024 },
	{ "RSA 2048", .bits = 2048, .file = "device/device.key" },
	{ "RSA 4096", .bits = 4096, .file = "device/rsa-4096.key" },
	{ "P-256", .bits = 256, .curve = "P-256" },
	{ "P-384", .bits = 384, .curve = "P-384" },
	{ "P-521", .bits = 521, .curve = "P-521" },
};

static const struct {
	const char *name;
	enum cipher cipher;
	int nid, wrap_nid, wrap_len; /* for an EC key */
} ciphers[] = {
	{ "DES", CIPHER_DES, NID_des_cbc, NID_id_aes128_wrap_pad, 16 },
	{ "3DES", CIPHER_DES3, NID_des_ede3_cbc, NID_id_aes128_wrap, 32 },
	{ "AES-128", CIPHER_AES128, NID_aes_128_cbc, NID_id_aes128_wrap, 24 },
	{ "AES-192", CIPHER_AES192, NID_aes_192_cbc, NID_id_aes192_wrap, 32 },
	{ "AES-256", CIPHER_AES256, NID_aes_256_cbc, NID_id_aes256_wrap, 40 },
};

static const struct {
	const char *name;
	enum digest digest;
	int nid;
} digests[] = {
	{ "SHA-1", DIGEST_SHA1, NID_sha1 },
	{ "SHA-256", DIGEST_SHA256, NID_sha256 },
	{ "SHA-512", DIGEST_SHA512, NID_sha512 },
};

static const struct {
	const char *name;
	enum key_transport transport;
} transports[] = {
	{ "PKCS#1", TRANSPORT_PKCS1 },
	{ "OAEP", TRANSPORT_OAEP },
};

static const struct content {
	const char *name;
	enum scep_status status;
	enum scep_content no_content;
	int certificates;
	bool crl;
} contents[] = {
	{ "SUCCESS, a certificate", SCEP_SUCCESS, SCEP_CONTENT_ABSENT, 1,
	    false },
	{ "SUCCESS, three certificates", SCEP_SUCCESS, SCEP_CONTENT_ZERO,
	    1 + MORE, false },
	{ "SUCCESS, a CRL", SCEP_SUCCESS, SCEP_CONTENT_ZERO, 0, true },
	{ "PENDING", SCEP_PENDING, SCEP_CONTENT_ZERO, 0, false },
	{ "PENDING, no content", SCEP_PENDING, SCEP_CONTENT_ABSENT, 0, false },
	{ "FAILURE, a zero", SCEP_FAILURE, SCEP_CONTENT_ZERO, 0, false },
	{ "FAILURE, empty", SCEP_FAILURE, SCEP_CONTENT_EMPTY, 0, false },
	{ "FAILURE, no content", SCEP_FAILURE, SCEP_CONTENT_ABSENT, 0, false },
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define COMBINATIONS                                        \
	(COUNT(devices) * COUNT(ciphers) * COUNT(digests) * \
	    COUNT(transports) * COUNT(contents))

static struct combination {
	char *row;
	size_t device, cipher, digest, transport, content;
} combinations[COMBINATIONS];

static size_t
take(size_t *i, size_t count)
{
	size_t at = *i % count;

	*i /= count;
	return at;
}

static void
combine(void)
{
	for (size_t i = 0; i < COMBINATIONS; i++) {
		struct combination *c = &combinations[i];
		size_t rest = i;

		c->content = take(&rest, COUNT(contents));
		c->transport = take(&rest, COUNT(transports));
		c->digest = take(&rest, COUNT(digests));
		c->cipher = take(&rest, COUNT(ciphers));
		c->device = take(&rest, COUNT(devices));
		assert_int_not_equal(asprintf(&c->row, "%s, %s, %s, %s, %s",
					 devices[c->device].name,
					 ciphers[c->cipher].name,
					 digests[c->digest].name,
					 transports[c->transport].name,
					 contents[c->content].name),
		    -1);
	}
}

static struct blob
encode(const struct combination *c)
{
	const struct device *device = &devices[c->device];
	const struct content *content = &contents[c->content];
	const struct scep_seal seal = {
		.crypto = ra.crypto,
		.signer_key = ra.credentials->keys[CA_RA_SIGNING],
		.signer = &ra.credentials->certs[CA_RA_SIGNING],
		.digest = digests[c->digest].digest,
		.cipher = ciphers[c->cipher].cipher,
		.transport = transports[c->transport].transport,
		.recipient_key = device->key,
		.recipient = &device->read,
	};
	const struct scep_reply reply = {
		.status = content->status,
		.fail_info = SCEP_BAD_CERT_ID,
		.fail_info_text = content->status == SCEP_FAILURE ?
		    "no such certificate \xe2\x80\x93 sorry" :
		    NULL,
		.transaction_id = TRANSACTION,
		.sender_nonce = span_of(SENDER_NONCE, 16),
		.recipient_nonce = span_of(DEVICE_NONCE, 16),
		.no_content = content->no_content,
		.certificate = content->certificates > 0 ?
		    blob_span(&device->der) :
		    SPAN_EMPTY,
		.more = more,
		.more_count = content->certificates > 1 ? MORE : 0,
		.crl = content->crl ? blob_span(&crl) : SPAN_EMPTY,
	};
	struct error err = { 0 };
	struct blob out;

	assert_int_equal(scep_reply_encode(&out, &reply, &seal, &err), 0);
	assert_string_equal(err.text, "");
	return out;
}

/* The only value of an attribute that is there once. */
static void
check_attribute(CMS_SignerInfo *si, const char *oid, int type,
    const char *value, size_t len)
{
	ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
	/* -3: neither several of them nor several values. */
	const ASN1_STRING *s = CMS_signed_get0_data_by_OBJ(si, object, -3,
	    type);

	assert_non_null(s);
	assert_octets(span_of(ASN1_STRING_get0_data(s),
			  (size_t)ASN1_STRING_length(s)),
	    value, len);
	ASN1_OBJECT_free(object);
}

#define SCEP "2.16.840.1.113733.1.9."
#define TEXT V_ASN1_PRINTABLESTRING

/* Beside contentType and messageDigest, which CMS_verify() has read. */
static void
check_attributes(struct span der, const struct combination *c)
{
	static const char *const statuses[] = { [SCEP_SUCCESS] = "0",
		[SCEP_FAILURE] = "2",
		[SCEP_PENDING] = "3" };
	const struct content *content = &contents[c->content];
	CMS_ContentInfo *cms = reply_cms(der);
	CMS_SignerInfo *si = sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(cms),
	    0);
	X509_ALGOR *digest, *signature;
	int count = 7;

	check_attribute(si, SCEP "2", TEXT, "3", 1);
	check_attribute(si, SCEP "3", TEXT, statuses[content->status], 1);
	check_attribute(si, SCEP "5", V_ASN1_OCTET_STRING, SENDER_NONCE, 16);
	check_attribute(si, SCEP "6", V_ASN1_OCTET_STRING, DEVICE_NONCE, 16);
	check_attribute(si, SCEP "7", TEXT, TRANSACTION, strlen(TRANSACTION));
	if (content->status == SCEP_FAILURE) {
		check_attribute(si, SCEP "4", TEXT, "4", 1);
		check_attribute(si, "1.3.6.1.5.5.7.24.1", V_ASN1_UTF8STRING,
		    "no such certificate \xe2\x80\x93 sorry", 29);
		count += 2;
	}
	assert_int_equal(CMS_signed_get_attr_count(si), count);
	assert_int_equal(CMS_unsigned_get_attr_count(si), -1);
	CMS_SignerInfo_get0_algs(si, NULL, NULL, &digest, &signature);
	reply_check_algorithm(digest, digests[c->digest].nid, V_ASN1_NULL);
	reply_check_algorithm(signature, NID_rsaEncryption, V_ASN1_NULL);
	CMS_ContentInfo_free(cms);
}

static void
check_transport(CMS_RecipientInfo *ri, const struct combination *c)
{
	X509_ALGOR *algorithm;
	const void *parameters;
	int type;

	assert_int_equal(CMS_RecipientInfo_type(ri), CMS_RECIPINFO_TRANS);
	assert_int_equal(CMS_RecipientInfo_ktri_cert_cmp(ri,
			     devices[c->device].cert),
	    0);
	CMS_RecipientInfo_ktri_get0_algs(ri, NULL, NULL, &algorithm);
	if (transports[c->transport].transport == TRANSPORT_PKCS1) {
		reply_check_algorithm(algorithm, NID_rsaEncryption,
		    V_ASN1_NULL);
		return;
	}
	reply_check_algorithm(algorithm, NID_rsaesOaep, V_ASN1_SEQUENCE);
	X509_ALGOR_get0(NULL, &type, &parameters, algorithm);
	assert_octets(span_of(((const ASN1_STRING *)parameters)->data,
			  (size_t)((const ASN1_STRING *)parameters)->length),
	    "\x30\x00", 2);
}

/* The key wrap stands in the parameters of the agreement. */
static void
check_wrap(const X509_ALGOR *agreement, int nid)
{
	const void *parameters;
	const uint8_t *at;
	X509_ALGOR *wrap;
	int type;

	reply_check_algorithm(agreement,
	    NID_dhSinglePass_stdDH_sha256kdf_scheme, V_ASN1_SEQUENCE);
	X509_ALGOR_get0(NULL, &type, &parameters, agreement);
	at = ((const ASN1_STRING *)parameters)->data;
	wrap = d2i_X509_ALGOR(NULL, &at,
	    ((const ASN1_STRING *)parameters)->length);
	assert_non_null(wrap);
	reply_check_algorithm(wrap, nid, V_ASN1_UNDEF);
	X509_ALGOR_free(wrap);
}

static void
check_agreement(CMS_RecipientInfo *ri, const struct combination *c)
{
	STACK_OF(CMS_RecipientEncryptedKey) * keys;
	X509_ALGOR *agreement, *originator;
	ASN1_OCTET_STRING *ukm;
	ASN1_BIT_STRING *point;
	int size = (devices[c->device].bits + 7) / 8;

	assert_int_equal(CMS_RecipientInfo_type(ri), CMS_RECIPINFO_AGREE);
	assert_true(CMS_RecipientInfo_kari_get0_alg(ri, &agreement, &ukm));
	assert_null(ukm);
	check_wrap(agreement, ciphers[c->cipher].wrap_nid);
	assert_true(CMS_RecipientInfo_kari_get0_orig_id(ri, &originator, &point,
	    NULL, NULL, NULL));
	reply_check_algorithm(originator, NID_X9_62_id_ecPublicKey,
	    V_ASN1_UNDEF);
	assert_int_equal(point->length, 1 + 2 * size);
	assert_int_equal(point->data[0], 4);
	keys = CMS_RecipientInfo_kari_get0_reks(ri);
	assert_int_equal(sk_CMS_RecipientEncryptedKey_num(keys), 1);
	assert_int_equal(CMS_RecipientEncryptedKey_cert_cmp(
			     sk_CMS_RecipientEncryptedKey_value(keys, 0),
			     devices[c->device].cert),
	    0);
}

/* What OpenSSL's structs do not show: version, length of keys, the cipher. */
static void
check_fields(struct span envelope, const struct combination *c, bool rsa)
{
	const ASN1_OBJECT *cipher = OBJ_nid2obj(ciphers[c->cipher].nid);
	struct span info = reply_field(envelope, 1).content, keys;
	struct span sealed = reply_field(envelope, 2).content;
	struct span algorithm = reply_inside(sealed, 1).content;

	assert_hex(reply_field(envelope, 0).content, rsa ? "00" : "02");
	assert_octets(reply_inside(algorithm, 0).content, OBJ_get0_data(cipher),
	    OBJ_length(cipher));
	assert_int_equal(reply_inside(sealed, 2).tag, 0x80);
	info = reply_inside(info, 0).content;
	assert_hex(reply_inside(info, 0).content, rsa ? "00" : "03");
	if (rsa) {
		assert_int_equal(reply_inside(info, 3).content.len,
		    devices[c->device].bits / 8);
		return;
	}
	keys = reply_inside(reply_inside(info, 3).content, 0).content;
	assert_int_equal(reply_inside(keys, 1).content.len,
	    ciphers[c->cipher].wrap_len);
}

static struct blob
open_envelope(struct span envelope, const struct combination *c)
{
	struct device *device = &devices[c->device];
	bool rsa = device->curve == NULL;
	CMS_ContentInfo *cms = reply_cms(envelope);
	STACK_OF(CMS_RecipientInfo) *list = CMS_get0_RecipientInfos(cms);
	BIO *out = BIO_new(BIO_s_mem());

	assert_int_equal(sk_CMS_RecipientInfo_num(list), 1);
	(rsa ? check_transport :
	       check_agreement)(sk_CMS_RecipientInfo_value(list, 0), c);
	check_fields(envelope, c, rsa);
	assert_int_equal(CMS_decrypt(cms, device->key, device->cert, NULL, out,
			     CMS_BINARY),
	    1);
	CMS_ContentInfo_free(cms);
	return reply_take_bio(out);
}

static void
check_success(struct span envelope, const struct combination *c)
{
	const struct content *content = &contents[c->content];
	const struct span certs[1 + MORE] = {
		blob_span(&devices[c->device].der), more[0], more[1]
	};
	struct blob bag = open_envelope(envelope, c);

	reply_check_bag(blob_span(&bag), certs, content->certificates,
	    content->crl ? blob_span(&crl) : SPAN_EMPTY);
	blob_free(&bag);
}

static void
opens(void **state)
{
	static const char *const forms[] = { [SCEP_CONTENT_ZERO] = "00",
		[SCEP_CONTENT_EMPTY] = "",
		[SCEP_CONTENT_ABSENT] = "" };
	const struct combination *c = *state;
	const struct content *content = &contents[c->content];
	bool absent = content->status != SCEP_SUCCESS &&
	    content->no_content == SCEP_CONTENT_ABSENT;
	struct blob der = encode(c), inside;

	inside = reply_verify(blob_span(&der), ra.certs[CA_RA_SIGNING], absent);
	check_attributes(blob_span(&der), c);
	if (content->status == SCEP_SUCCESS)
		check_success(blob_span(&inside), c);
	else
		assert_hex(blob_span(&inside), forms[content->no_content]);
	blob_free(&inside);
	blob_free(&der);
}

static struct blob
make_crl(void)
{
	X509_CRL *list = X509_CRL_new();
	X509_REVOKED *entry = X509_REVOKED_new();
	ASN1_TIME *at = ASN1_TIME_set(NULL, DEVICE_NOW);
	uint8_t *der = NULL;
	struct blob out;
	int len;

	assert_true(X509_CRL_set_version(list, X509_CRL_VERSION_2));
	assert_true(X509_CRL_set_issuer_name(list,
	    X509_get_subject_name(ra.certs[CA_ISSUING])));
	assert_true(X509_CRL_set1_lastUpdate(list, at));
	assert_true(X509_CRL_set1_nextUpdate(list, at));
	assert_true(X509_REVOKED_set_serialNumber(entry,
	    X509_get_serialNumber(devices[0].cert)));
	assert_true(X509_REVOKED_set_revocationDate(entry, at));
	assert_true(X509_CRL_add0_revoked(list, entry));
	assert_true(X509_CRL_sign(list, ra.credentials->keys[CA_ISSUING],
			EVP_sha256()) > 0);
	len = i2d_X509_CRL(list, &der);
	out = device_take(der, len);
	ASN1_TIME_free(at);
	X509_CRL_free(list);
	return out;
}

static int
set_up(void **state)
{
	(void)state;
	/* In the test's own context; the server has one to itself. */
	standard = OSSL_PROVIDER_load(NULL, "default");
	legacy = OSSL_PROVIDER_load(NULL, "legacy");
	ra = authority_open();
	for (size_t i = 0; i < COUNT(devices); i++) {
		struct device *d = &devices[i];

		d->key = d->file != NULL ? device_key(d->file) :
		    d->curve != NULL	 ? EVP_EC_gen(d->curve) :
					   EVP_RSA_gen((unsigned)d->bits);
		d->cert = device_cert(d->key, d->name);
		d->der = device_cert_der(d->cert);
		if (x509_read(blob_span(&d->der), &d->read) == -1)
			return -1;
	}
	more[0] = blob_span(&ra.credentials->der[CA_ISSUING]);
	more[1] = blob_span(&ra.credentials->der[CA_RA_SIGNING]);
	crl = make_crl();
	return standard == NULL || legacy == NULL;
}

static int
tear_down(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(devices); i++) {
		blob_free(&devices[i].der);
		X509_free(devices[i].cert);
		EVP_PKEY_free(devices[i].key);
	}
	blob_free(&crl);
	authority_close(&ra);
	OSSL_PROVIDER_unload(legacy);
	OSSL_PROVIDER_unload(standard);
	return 0;
}

int
main(void)
{
	static const struct table tables[] = { ROWS(opens, combinations) };
	int ret;

	combine();
	ret = ROWS_RUN(tables, set_up, tear_down);
	for (size_t i = 0; i < COMBINATIONS; i++)
		free(combinations[i].row);
	return ret;
}
