/*
 * usage: fuzz_seeds CORPUS KEYS
 * Writes the seeds that OpenSSL makes below CORPUS, and to KEYS the key set
 * that the recorded messages are for. See record.sh.
 */
#include <openssl/cms.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/der.h"
#include "fuzz/letter.h"

#define SCEP "2.16.840.1.113733.1.9."

static const char *corpus;
static struct authority ra;
static struct client client;
static EVP_PKEY *key; /* the client's */
static X509 *signer, *certs[CA_ROLES];

/* Is libFuzzer's elsewhere; nothing is mutated here. */
size_t
LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max)
{
	(void)data, (void)max;
	return size;
}

static void
save(const char *harness, const char *name, struct span s)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s/%s", corpus, harness, name);
	REQUIRE((f = fopen(path, "w")) != NULL);
	REQUIRE(fwrite(s.data, 1, s.len, f) == s.len);
	fclose(f);
}

static struct blob
take(uint8_t *der, int len)
{
	struct blob out;

	REQUIRE(len > 0);
	REQUIRE(blob_copy(&out, span_of(der, (size_t)len)) == 0);
	OPENSSL_free(der);
	return out;
}

static X509 *
read_cert(struct span der)
{
	const uint8_t *at = der.data;

	return d2i_X509(NULL, &at, (long)der.len);
}

/* PKCS#10 */

static const struct request {
	const char *name, *challenge;
	int type, len; /* of the challenge */
	const char *curve, *san;
	bool many; /* attributes, and parts of the name */
	const EVP_MD *(*md)(void);
} requests[] = {
	{ "printable", "8CE317021F690069", V_ASN1_PRINTABLESTRING, -1, NULL,
	    NULL, false, EVP_sha256 },
	{ "utf8-san", "geh\xc3\xa9im", V_ASN1_UTF8STRING, -1, NULL,
	    "DNS:device-1.example,IP:10.1.2.3,email:a@b.example,"
	    "otherName:1.3.6.1.4.1.311.20.2.3;UTF8:a@b.example",
	    false, EVP_sha1 },
	{ "bmp", "\0s\0e\xd8\x3d\xdd\x11\0t", V_ASN1_BMPSTRING, 10, NULL, NULL,
	    false, EVP_md5 },
	{ "universal", "\0\0\0s\0\x01\xf5\x11", V_ASN1_UNIVERSALSTRING, 8, NULL,
	    NULL, false, EVP_sha512 },
	{ "t61",
	    "s\xe9"
	    "cret",
	    V_ASN1_T61STRING, -1, NULL, NULL, false, EVP_sha384 },
	{ "none", NULL, 0, 0, NULL, "DNS:device-1.example", false, EVP_sha224 },
	{ "many", "secret", V_ASN1_IA5STRING, -1, NULL, "DNS:x.example", true,
	    EVP_sha256 },
	{ "p256", "secret", V_ASN1_UTF8STRING, -1, "P-256",
	    "URI:urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6", false,
	    EVP_sha256 },
	{ "p384", "secret", V_ASN1_UTF8STRING, -1, "P-384", NULL, false,
	    EVP_sha384 },
	{ "p521", "secret", V_ASN1_UTF8STRING, -1, "P-521", NULL, false,
	    EVP_sha512 },
};

static void
add_to_name(X509_NAME *name, const char *field, const char *text, int set)
{
	REQUIRE(X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8,
		    (const uint8_t *)text, -1, -1, set) == 1);
}

static void
add_extensions(X509_REQ *req, const char *san)
{
	STACK_OF(X509_EXTENSION) *list = sk_X509_EXTENSION_new_null();

	sk_X509_EXTENSION_push(list,
	    X509V3_EXT_conf_nid(NULL, NULL, NID_key_usage,
		"critical,digitalSignature"));
	sk_X509_EXTENSION_push(list,
	    X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, san));
	REQUIRE(X509_REQ_add_extensions(req, list) == 1);
	sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
}

static struct blob
make_request(const struct request *r)
{
	EVP_PKEY *own = r->curve == NULL ? key : EVP_EC_gen(r->curve);
	X509_REQ *req = X509_REQ_new();
	X509_NAME *name = X509_REQ_get_subject_name(req);
	uint8_t *der = NULL;
	int len;

	add_to_name(name, "C", "NL", 0);
	add_to_name(name, "CN", "device-1", 0);
	if (r->many) {
		add_to_name(name, "serialNumber", "FOC1234", -1);
		add_to_name(name, "unstructuredName", "router.example", 0);
		add_to_name(name, "O", "\xe2\x82\xac bank", 0);
		X509_REQ_add1_attr_by_NID(req, NID_friendlyName,
		    V_ASN1_BMPSTRING, (const uint8_t *)"\0a\0b", 4);
	}
	X509_REQ_set_pubkey(req, own);
	if (r->challenge != NULL)
		X509_REQ_add1_attr_by_NID(req, NID_pkcs9_challengePassword,
		    r->type, (const uint8_t *)r->challenge,
		    r->len == -1 ? (int)strlen(r->challenge) : r->len);
	if (r->san != NULL)
		add_extensions(req, r->san);
	REQUIRE(X509_REQ_sign(req, own, r->md()) > 0);
	len = i2d_X509_REQ(req, &der);
	X509_REQ_free(req);
	if (own != key)
		EVP_PKEY_free(own);
	return take(der, len);
}

/* Messages as OpenSSL writes them. */

static const struct message {
	const char *name, *type;
	const EVP_MD *(*md)(void);
	const EVP_CIPHER *(*cipher)(void);
	unsigned signer_flags, recipient_flags, stream;
	int text_type;
	bool three, ec, oaep, guests;
} messages[] = {
	{ "des-md5", "19", EVP_md5, EVP_des_cbc, 0, 0, 0,
	    V_ASN1_PRINTABLESTRING, false, false, false, false },
	{ "des3-sha1", "19", EVP_sha1, EVP_des_ede3_cbc, 0, 0, 0,
	    V_ASN1_IA5STRING, true, false, false, false },
	{ "aes128-sha256-keyids", "17", EVP_sha256, EVP_aes_128_cbc,
	    CMS_USE_KEYID, CMS_USE_KEYID, 0, V_ASN1_UTF8STRING, true, false,
	    false, false },
	{ "aes256-sha512", "19", EVP_sha512, EVP_aes_256_cbc, 0, 0, 0,
	    V_ASN1_T61STRING, false, false, false, false },
	{ "ber-aes192-sha384", "19", EVP_sha384, EVP_aes_192_cbc, 0, 0,
	    CMS_STREAM, V_ASN1_PRINTABLESTRING, false, false, false, false },
	{ "p256", "19", EVP_sha256, EVP_aes_128_cbc, 0, 0, 0,
	    V_ASN1_PRINTABLESTRING, false, true, false, false },
	{ "poll", "20", EVP_sha224, EVP_aes_128_cbc, 0, 0, 0,
	    V_ASN1_PRINTABLESTRING, false, false, false, false },
	{ "poll-oaep", "20", EVP_sha256, EVP_aes_128_cbc, 0, 0, 0,
	    V_ASN1_PRINTABLESTRING, false, true, true, false },
	{ "get-cert", "21", EVP_sha256, EVP_aes_128_cbc, 0, 0, CMS_STREAM,
	    V_ASN1_PRINTABLESTRING, false, false, false, false },
	{ "get-crl-guests", "22", EVP_sha256, EVP_aes_128_cbc, 0, 0, 0,
	    V_ASN1_PRINTABLESTRING, false, false, false, true },
};

static struct blob
finish(CMS_ContentInfo *cms, BIO *in, unsigned stream)
{
	BIO *out = BIO_new(BIO_s_mem());
	struct blob bytes;
	char *data;
	long len;

	REQUIRE((stream ? i2d_CMS_bio_stream(out, cms, in,
			      (int)(CMS_BINARY | stream)) :
			  i2d_CMS_bio(out, cms)) == 1);
	len = BIO_get_mem_data(out, &data);
	REQUIRE(blob_copy(&bytes, span_of(data, (size_t)len)) == 0);
	BIO_free(out);
	BIO_free(in);
	CMS_ContentInfo_free(cms);
	return bytes;
}

static X509 *
ec_signer(EVP_PKEY *own)
{
	X509 *cert = X509_new();
	X509_NAME *name = X509_get_subject_name(cert);

	X509_set_version(cert, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), 0);
	ASN1_TIME_set_string(X509_getm_notAfter(cert), "21000101000000Z");
	add_to_name(name, "CN", "SCEP SIGNER", 0);
	X509_set_issuer_name(cert, name);
	X509_set_pubkey(cert, own);
	REQUIRE(X509_sign(cert, own, EVP_sha256()) > 0);
	return cert;
}

/* One by key agreement, one by password: not for us. */
static void
add_guests(CMS_ContentInfo *cms)
{
	EVP_PKEY *own = EVP_EC_gen("P-256");
	X509 *cert = ec_signer(own);

	REQUIRE(CMS_add1_recipient_cert(cms, cert, CMS_BINARY) != NULL);
	REQUIRE(
	    CMS_add0_recipient_password(cms, -1, NID_undef, NID_id_alg_PWRI_KEK,
		(unsigned char *)OPENSSL_strdup("secret"), 6, NULL) != NULL);
	X509_free(cert);
	EVP_PKEY_free(own);
}

static void
add_recipient(const struct message *m, CMS_ContentInfo *cms, X509 *cert)
{
	CMS_RecipientInfo *ri = CMS_add1_recipient_cert(cms, cert,
	    CMS_BINARY | CMS_KEY_PARAM | m->recipient_flags);
	EVP_PKEY_CTX *ctx = CMS_RecipientInfo_get0_pkey_ctx(ri);

	if (m->oaep)
		REQUIRE(EVP_PKEY_CTX_set_rsa_padding(ctx,
			    RSA_PKCS1_OAEP_PADDING) == 1 &&
		    EVP_PKEY_CTX_set_rsa_oaep_md(ctx, EVP_sha256()) == 1 &&
		    EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_sha1()) == 1);
}

static struct blob
make_envelope(const struct message *m, struct span content)
{
	BIO *in = BIO_new_mem_buf(content.data, (int)content.len);
	unsigned flags = CMS_BINARY | CMS_PARTIAL | m->stream;
	CMS_ContentInfo *cms = CMS_encrypt(NULL, NULL, m->cipher(), flags);

	REQUIRE(cms != NULL);
	if (m->guests)
		add_guests(cms);
	for (int i = m->three ? CA_ISSUING : CA_RA_ENCRYPTION; i < CA_ROLES;
	     i++)
		add_recipient(m, cms, certs[i]);
	if (!m->stream)
		REQUIRE(CMS_final(cms, in, NULL, flags) == 1);
	return finish(cms, in, m->stream);
}

static void
make_message(const struct message *m, struct span content)
{
	struct blob sealed = make_envelope(m, content), out;
	BIO *in = BIO_new_mem_buf(sealed.data, (int)sealed.len);
	unsigned flags = CMS_BINARY | CMS_PARTIAL | CMS_NOSMIMECAP | m->stream;
	CMS_ContentInfo *cms = CMS_sign(NULL, NULL, NULL, NULL, flags);
	EVP_PKEY *own = m->ec ? EVP_EC_gen("P-256") : key;
	X509 *by = m->ec ? ec_signer(own) : signer;
	CMS_SignerInfo *si = CMS_add1_signer(cms, by, own, m->md(),
	    flags | m->signer_flags);

	CMS_signed_add1_attr_by_txt(si, SCEP "2", m->text_type, m->type, 2);
	CMS_signed_add1_attr_by_txt(si, SCEP "7", m->text_type,
	    "9CB1CB998B7FCC0142297B492988AFB4", 32);
	CMS_signed_add1_attr_by_txt(si, SCEP "5", V_ASN1_OCTET_STRING,
	    "0123456789abcdef", 16);
	if (!m->stream)
		REQUIRE(CMS_final(cms, in, NULL, flags) == 1);
	out = finish(cms, in, m->stream);
	save("message", m->name, blob_span(&out));
	/* What is BER in it is also a seed of the converter. */
	if (m->stream)
		save("ber", m->name, blob_span(&out));
	blob_free(&out);
	blob_free(&sealed);
	if (m->ec) {
		X509_free(by);
		EVP_PKEY_free(own);
	}
}

/* RFC 8894 3.3.3 and 3.3.4; the names are the CA's and the client's. */

static struct blob poll, query;

static void
make_queries(void)
{
	X509_NAME *ca = X509_get_subject_name(certs[CA_ISSUING]);
	PKCS7_ISSUER_AND_SERIAL id = { ca,
		X509_get_serialNumber(certs[CA_RA_SIGNING]) };
	struct buffer names = { 0 };
	const uint8_t *name;
	uint8_t *der = NULL;
	size_t len, seq = der_begin(&names, DER_SEQUENCE);
	int size;

	REQUIRE(X509_NAME_get0_der(ca, &name, &len) == 1);
	buffer_add(&names, name, len);
	REQUIRE(X509_NAME_get0_der(X509_get_subject_name(signer), &name,
		    &len) == 1);
	buffer_add(&names, name, len);
	der_end(&names, seq);
	REQUIRE(buffer_finish(&names, &poll) == 0);
	size = i2d_PKCS7_ISSUER_AND_SERIAL(&id, &der);
	query = take(der, size);
}

/* NULL: a PKCS#10. */
static const struct blob *
query_of(const char *type)
{
	if (strcmp(type, "20") == 0)
		return &poll;
	return strcmp(type, "21") == 0 || strcmp(type, "22") == 0 ? &query :
								    NULL;
}

/* Letters in parts; the attributes are type 19, a transaction, a nonce. */

static const char attributes[] =
    "\x30\x12\x06\x0a\x60\x86\x48\x01\x86\xf8\x45\x01\x09\x02\x31\x04\x13\x02"
    "19\x30\x16\x06\x0a\x60\x86\x48\x01\x86\xf8\x45\x01\x09\x07\x31\x08\x13\x06"
    "A/+=b \x30\x16\x06\x0a\x60\x86\x48\x01\x86\xf8\x45\x01\x09\x05\x31\x08\x04"
    "\x06nonce!\x30\x18\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x03\x31\x0b\x06"
    "\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01";

static const struct {
	const char *name, *type;
	enum digest digest;
	enum cipher cipher;
	unsigned flags;
} letters[] = {
	{ "letter-plain", "19", DIGEST_SHA256, CIPHER_AES128, 0 },
	{ "letter-old", "19", DIGEST_MD5, CIPHER_DES, LETTER_SORT },
	{ "letter-ber", "19", DIGEST_SHA512, CIPHER_AES256,
	    LETTER_BER_OUTSIDE | LETTER_BER_INSIDE | LETTER_PROOF },
	{ "letter-ber-inside", "19", DIGEST_SHA384, CIPHER_AES192,
	    LETTER_BER_INSIDE | LETTER_THREE | LETTER_SIGNATURE_OID },
	{ "letter-keyids", "19", DIGEST_SHA1, CIPHER_DES3,
	    LETTER_SIGNER_KEY_ID | LETTER_RECIPIENT_KEY_ID | LETTER_PROOF },
	{ "letter-envelope", "19", DIGEST_SHA256, CIPHER_AES128,
	    LETTER_ENVELOPE },
	{ "letter-certificates", "19", DIGEST_SHA224, CIPHER_AES128,
	    LETTER_PROOF },
	{ "letter-renewal", "17", DIGEST_SHA256, CIPHER_AES256, 0 },
	{ "letter-poll", "20", DIGEST_SHA256, CIPHER_AES128, 0 },
	{ "letter-get-cert", "21", DIGEST_SHA256, CIPHER_AES128, 0 },
	{ "letter-get-crl", "22", DIGEST_SHA1, CIPHER_DES3, LETTER_BER_INSIDE },
	{ "letter-poll-oaep", "20", DIGEST_SHA256, CIPHER_AES128, LETTER_OAEP },
	{ "letter-get-cert-oaep", "21", DIGEST_SHA512, CIPHER_AES256,
	    LETTER_OAEP | LETTER_OAEP_SHA256 },
	{ "letter-oaep-parameters", "22", DIGEST_SHA256, CIPHER_AES128,
	    LETTER_OAEP | LETTER_OAEP_SHA256 },
	{ "letter-recipients", "20", DIGEST_SHA256, CIPHER_AES128, 0 },
	{ "letter-unknown", "41", DIGEST_SHA256, CIPHER_AES128, LETTER_OAEP },
};

static void
save_letter(const char *name, const struct letter *l)
{
	uint8_t out[8192];

	save("message", name, span_of(out, letter_write(l, out, sizeof(out))));
}

/* Those of add_guests(), as they stand in an envelope. */
static struct blob
make_recipients(void)
{
	static const struct message m = { "", "20", EVP_sha256, EVP_aes_128_cbc,
		.guests = true };
	struct blob envelope = make_envelope(&m, blob_span(&poll)), out;
	struct span rest = blob_span(&envelope), content, skipped;
	struct der info;
	struct buffer b = { 0 };

	REQUIRE(der_expect(&rest, DER_SEQUENCE, &rest) == 0 &&
	    der_expect(&rest, DER_OID, &skipped) == 0 &&
	    der_expect(&rest, DER_CONTEXT_CONSTRUCTED(0), &rest) == 0 &&
	    der_expect(&rest, DER_SEQUENCE, &rest) == 0 &&
	    der_expect(&rest, DER_INTEGER, &skipped) == 0 &&
	    der_expect(&rest, DER_SET, &content) == 0);
	while (der_next(&content, &info) == 0)
		if (info.tag != DER_SEQUENCE)
			buffer_add_span(&b, info.whole);
	REQUIRE(buffer_finish(&b, &out) == 0);
	blob_free(&envelope);
	return out;
}

static void
make_letter(size_t i)
{
	const size_t kinds = sizeof(requests) / sizeof(requests[0]);
	struct letter l = { letters[i].digest, letters[i].cipher,
		letters[i].flags, { { NULL, 0 } } };
	struct blob request = make_request(&requests[i % kinds]);
	struct blob guests = make_recipients();
	const struct blob *asks = query_of(letters[i].type);
	struct buffer said = { 0 }, envelope = { 0 };

	/* The digits are the last of the first attribute. */
	buffer_add(&said, attributes, sizeof(attributes) - 1);
	said.data[18] = (uint8_t)letters[i].type[0];
	said.data[19] = (uint8_t)letters[i].type[1];
	l.parts[PART_REQUEST] = blob_span(asks != NULL ? asks : &request);
	l.parts[PART_ATTRIBUTES] = buffer_span(&said);
	if (strstr(letters[i].name, "certificates") != NULL)
		l.parts[PART_CERTIFICATES] = blob_span(
		    &ra.credentials->der[CA_ISSUING]);
	if (strstr(letters[i].name, "parameters") != NULL)
		l.parts[PART_OAEP] = span_of(LETTER_OAEP_OF_SHA256,
		    sizeof(LETTER_OAEP_OF_SHA256) - 1);
	if (strstr(letters[i].name, "recipients") != NULL)
		l.parts[PART_RECIPIENTS] = blob_span(&guests);
	if (l.flags & LETTER_ENVELOPE) {
		letter_add_envelope(&l, &ra, &client, &envelope);
		l.parts[PART_ENVELOPE] = buffer_span(&envelope);
		l.parts[PART_REQUEST] = SPAN_EMPTY;
	}
	save_letter(letters[i].name, &l);
	buffer_free(&said);
	buffer_free(&envelope);
	blob_free(&request);
	blob_free(&guests);
}

static void
make_letters(void)
{
	for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++)
		make_letter(i);
}

/* More attributes than the server sorts, and a signature that is wrong. */
static void
make_crowded(void)
{
	struct letter l = { DIGEST_SHA256, CIPHER_AES128, LETTER_ENVELOPE,
		{ { NULL, 0 } } };
	struct buffer crowd = { 0 }, message = { 0 };

	buffer_add(&crowd, attributes, sizeof(attributes) - 1);
	for (int i = 0; i < 70; i++)
		buffer_add(&crowd, "\x30", 2);
	l.parts[PART_ATTRIBUTES] = buffer_span(&crowd);
	letter_add_message(&l, &ra, &client, &message);
	message.data[message.len - 1] ^= 1;
	save("message", "crowded", buffer_span(&message));
	buffer_free(&crowd);
	buffer_free(&message);
}

/* Certificates and keys */

static void
make_certificates(void)
{
	EVP_PKEY *own = EVP_EC_gen("P-256");
	X509 *cert = ec_signer(own);
	uint8_t *der = NULL;
	struct blob text;
	int len = i2d_X509(cert, &der);

	text = take(der, len);
	save("x509", "p256-to-2100", blob_span(&text));
	blob_free(&text);
	save("x509", "ra", blob_span(&ra.credentials->der[CA_RA_ENCRYPTION]));
	save("x509", "client", blob_span(&client.der));
	save("x509", "spki-rsa", client.cert.spki);
	der = NULL;
	len = i2d_PUBKEY(own, &der);
	text = take(der, len);
	save("x509", "spki-p256", blob_span(&text));
	blob_free(&text);
	REQUIRE(x509_to_pem(blob_span(&client.der), &text) == 0);
	save("x509", "client.pem", blob_span(&text));
	blob_free(&text);
	REQUIRE(crypto_key_to_pem(key, &text, NULL) == 0);
	save("x509", "rsa.key", blob_span(&text));
	blob_free(&text);
	REQUIRE(crypto_key_to_pem(own, &text, NULL) == 0);
	save("x509", "p256.key", blob_span(&text));
	blob_free(&text);
	X509_free(cert);
	EVP_PKEY_free(own);
}

int
main(int argc, char **argv)
{
	struct blob request, first = { NULL, 0 };
	struct error err = { 0 };

	REQUIRE(argc == 3);
	corpus = argv[1];
	OSSL_PROVIDER_load(NULL, "default");
	OSSL_PROVIDER_load(NULL, "legacy");
	authority_open(&ra);
	client_open(&client, ra.crypto);
	if (key_set_save(ra.keys, argv[2], AUTHORITY_NOW, &err) == -1)
		fuzz_broken(err.text, argv[2], 0);
	key = client.key;
	signer = read_cert(blob_span(&client.der));
	for (int i = 0; i < CA_ROLES; i++)
		certs[i] = read_cert(blob_span(&ra.credentials->der[i]));
	make_queries();
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		request = make_request(&requests[i]);
		save("csr", requests[i].name, blob_span(&request));
		if (i == 0)
			first = request;
		else
			blob_free(&request);
	}
	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++)
		make_message(&messages[i],
		    blob_span(query_of(messages[i].type) != NULL ?
			    query_of(messages[i].type) :
			    &first));
	make_letters();
	make_crowded();
	make_certificates();
	blob_free(&first);
	blob_free(&poll);
	blob_free(&query);
	return 0;
}
