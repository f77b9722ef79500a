/* Edits of a body; OpenSSL alone says what has become of it. */
#include "unit/authority.h"
#include "unit/edit_text.h"
#include "unit/reply.h"

#include <openssl/pem.h>

static struct authority ca;

static const struct edited {
	const char *row;
	struct edit edits[3];
	const char *before, *after;
} editeds[] = {
	{ "cut", { { "bytes.cut", "3" } }, "0123456789", "012" },
	{ "cut off", { { "bytes.cut", "0" } }, "0123456789", "" },
	{ "cut behind the end", { { "bytes.cut", "11" } }, "0123456789",
	    "0123456789" },
	{ "half", { { "bytes.cut", "50%" } }, "0123456789", "01234" },
	{ "a third, downwards", { { "bytes.cut", "33%" } }, "0123456789",
	    "012" },
	{ "all", { { "bytes.cut", "100%" } }, "0123456789", "0123456789" },
	{ "nothing cut", { { "bytes.cut", "5" } }, "", "" },
	{ "the first flipped", { { "bytes.flip", "0" } }, "012",
	    "\xcf"
	    "12" },
	{ "the last flipped", { { "bytes.flip", "2" } }, "012", "01\xcd" },
	{ "beyond the end", { { "bytes.flip", "3" } }, "012", "012" },
	{ "in the middle", { { "bytes.flip", "50%" } }, "012",
	    "0\xce"
	    "2" },
	{ "at the end", { { "bytes.flip", "100%" } }, "012", "01\xcd" },
	{ "nothing flipped", { { "bytes.flip", "0" } }, "", "" },
	{ "nothing flipped at random", { { "bytes.flip", "random" } }, "", "" },
	{ "appended", { { "bytes.append", "xyz" } }, "012", "012xyz" },
	{ "appended to nothing", { { "bytes.append", "xyz" } }, "", "xyz" },
	{ "nothing appended", { { "bytes.append", "" } }, "012", "012" },
	{ "one after another",
	    { { "bytes.cut", "1" }, { "bytes.append", "-" } }, "012", "0-" },
	{ "no DER, no BER", { { "bytes.ber", "both" } }, "<html>", "<html>" },
	{ "DER and more, no BER", { { "bytes.ber", "indefinite" } },
	    "\x05\x01 more", "\x05\x01 more" },
	{ "no DER, no PEM", { { "bytes.encoding", "pem" } }, "<html>",
	    "<html>" },
	{ "another element, no PEM", { { "bytes.encoding", "pem" } },
	    "\x04\x01x", "\x04\x01x" },
	{ "base64", { { "bytes.encoding", "base64" } }, "<html>",
	    "PGh0bWw+\n" },
	{ "base64 of nothing", { { "bytes.encoding", "base64" } }, "", "" },
};

static void
apply(const char *key, const char *text, uint64_t draw, struct blob *body)
{
	struct error err = { 0 };
	struct fault_context ctx = { .err = &err, .draw = draw };
	struct value v = edit_value(&edit_kind(key)->key, text);

	assert_int_equal(edit_try(&ctx, key, &v, body), 0);
	value_clear(&v);
}

static void
comes_to(void **state)
{
	const struct edited *t = *state;
	struct blob body;

	assert_int_equal(blob_copy(&body, span_text(t->before)), 0);
	for (const struct edit *e = t->edits; e->key != NULL; e++)
		apply(e->key, e->value, 0, &body);
	assert_octets(blob_span(&body), t->after, strlen(t->after));
	blob_free(&body);
}

/* One octet; the same for the same draw, and not always the same. */
static void
random_octet(void **state)
{
	char before[] = "0123456789abcdef0123456789abcdef";
	size_t first = SIZE_MAX, at, other = 0;
	struct blob body, again;

	(void)state;
	for (uint64_t draw = 0; draw < 16; draw++) {
		assert_int_equal(blob_copy(&body, span_text(before)), 0);
		assert_int_equal(blob_copy(&again, span_text(before)), 0);
		apply("bytes.flip", "random", draw, &body);
		apply("bytes.flip", "random", draw, &again);
		assert_octets(blob_span(&again), body.data, body.len);
		for (at = 0; body.data[at] == (uint8_t)before[at]; at++)
			assert_in_range(at, 0, 31);
		assert_memory_equal(body.data + at + 1, before + at + 1,
		    31 - at);
		if (first == SIZE_MAX)
			first = at;
		other += at != first;
		blob_free(&body);
		blob_free(&again);
	}
	assert_int_not_equal(other, 0);
}

/* Bodies as the server has them. */
enum kind { SIGNED, BAG, CRL_BAG, CERT, CRL, ENVELOPED, EMPTY_BAG };

static struct span
ca_der(void)
{
	return blob_span(&ca.credentials->der[CA_ISSUING]);
}

static struct blob
make_crl(void)
{
	struct error err = { 0 };
	struct blob crl;

	assert_int_equal(ca_crl(ca.credentials, NULL, 0, 1, DEVICE_NOW, 3600,
			     &crl, &err),
	    0);
	return crl;
}

static struct blob
make_enveloped(void)
{
	STACK_OF(X509) *to = sk_X509_new_null();
	BIO *in = BIO_new_mem_buf("hello", 5);
	struct blob out = { 0 };
	CMS_ContentInfo *cms;
	uint8_t *der = NULL;
	int len;

	sk_X509_push(to, ca.certs[CA_RA_ENCRYPTION]);
	cms = CMS_encrypt(to, in, EVP_aes_128_cbc(), CMS_BINARY);
	assert_non_null(cms);
	len = i2d_CMS_ContentInfo(cms, &der);
	assert_int_equal(blob_copy(&out, span_of(der, (size_t)len)), 0);
	OPENSSL_free(der);
	CMS_ContentInfo_free(cms);
	BIO_free(in);
	sk_X509_free(to);
	return out;
}

static struct blob
make_body(enum kind kind)
{
	struct buffer b = { 0 };
	struct error err = { 0 };
	struct blob out = { 0 }, crl = { 0 };

	switch (kind) {
	case SIGNED:
		assert_int_equal(scep_next_ca_encode(&out,
				     ca.credentials->crypto,
				     ca.credentials->keys[CA_ISSUING],
				     &ca.credentials->certs[CA_ISSUING],
				     DIGEST_SHA256, ca.credentials->ca_certs,
				     ca.credentials->ca_cert_count, &err),
		    0);
		return out;
	case BAG:
		scep_degenerate(&b, ca.credentials->ca_certs,
		    ca.credentials->ca_cert_count);
		break;
	case EMPTY_BAG:
		scep_degenerate(&b, NULL, 0);
		break;
	case CRL_BAG:
		crl = make_crl();
		scep_degenerate_crl(&b, blob_span(&crl));
		blob_free(&crl);
		break;
	case CERT:
		buffer_add_span(&b, ca_der());
		break;
	case CRL:
		return make_crl();
	case ENVELOPED:
		return make_enveloped();
	}
	assert_int_equal(buffer_finish(&b, &out), 0);
	return out;
}

static const struct lax {
	const char *row;
	enum kind kind;
	const char *word;
	bool constructed; /* it has OCTET STRINGs that become so */
} laxes[] = {
	{ "signed, indefinite", SIGNED, "indefinite", false },
	{ "signed, constructed", SIGNED, "constructed", true },
	{ "signed, both", SIGNED, "both", true },
	{ "a bag, indefinite", BAG, "indefinite", false },
	{ "a bag, constructed", BAG, "constructed", false },
	{ "a bag, both", BAG, "both", false },
	{ "a CRL in a bag, both", CRL_BAG, "both", false },
	{ "a certificate, indefinite", CERT, "indefinite", false },
	{ "a certificate, both", CERT, "both", false },
	{ "a CRL, both", CRL, "both", false },
	{ "an envelope, constructed", ENVELOPED, "constructed", true },
	{ "an envelope, both", ENVELOPED, "both", true },
};

/* A CMS as OpenSSL reads it, for OpenSSL to write it again. */
static CMS_ContentInfo *
read_cms(struct span in)
{
	const uint8_t *at = in.data;
	CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &at, (long)in.len);

	assert_non_null(cms);
	assert_ptr_equal(at, in.data + in.len);
	return cms;
}

static void
must_verify(CMS_ContentInfo *cms, struct span der)
{
	STACK_OF(X509) *certs = sk_X509_new_null();
	BIO *content = BIO_new(BIO_s_mem()), *wanted = BIO_new(BIO_s_mem());
	CMS_ContentInfo *before = read_cms(der);
	char *a, *b;
	long a_len, b_len;

	sk_X509_push(certs, ca.certs[CA_ISSUING]);
	assert_int_equal(CMS_verify(cms, certs, NULL, NULL, content,
			     CMS_NO_SIGNER_CERT_VERIFY | CMS_BINARY),
	    1);
	assert_int_equal(CMS_verify(before, certs, NULL, NULL, wanted,
			     CMS_NO_SIGNER_CERT_VERIFY | CMS_BINARY),
	    1);
	a_len = BIO_get_mem_data(content, &a);
	b_len = BIO_get_mem_data(wanted, &b);
	assert_octets(span_of(a, (size_t)a_len), b, (size_t)b_len);
	CMS_ContentInfo_free(before);
	BIO_free(content);
	BIO_free(wanted);
	sk_X509_free(certs);
}

static void
must_decrypt(CMS_ContentInfo *cms)
{
	EVP_PKEY *key = ca.credentials->keys[CA_RA_ENCRYPTION];
	BIO *out = BIO_new(BIO_s_mem());
	char *text;

	assert_int_equal(CMS_decrypt(cms, key, ca.certs[CA_RA_ENCRYPTION], NULL,
			     out, CMS_BINARY),
	    1);
	assert_int_equal(BIO_get_mem_data(out, &text), 5);
	assert_memory_equal(text, "hello", 5);
	BIO_free(out);
}

/* Every certificate in it is there to the octet. */
static void
must_have_certs(struct span bytes, CMS_ContentInfo *cms)
{
	STACK_OF(X509) *certs = CMS_get1_certs(cms);
	uint8_t *der;
	int len;

	for (int i = 0; i < sk_X509_num(certs); i++) {
		der = NULL;
		len = i2d_X509(sk_X509_value(certs, i), &der);
		assert_non_null(
		    memmem(bytes.data, bytes.len, der, (size_t)len));
		OPENSSL_free(der);
	}
	sk_X509_pop_free(certs, X509_free);
}

static void
check_cms(const struct lax *t, struct span lax, struct span der)
{
	CMS_ContentInfo *cms = read_cms(lax);

	if (t->kind == SIGNED)
		must_verify(cms, der);
	else if (t->kind == ENVELOPED)
		must_decrypt(cms);
	must_have_certs(lax, cms);
	CMS_ContentInfo_free(cms);
}

static void
check_cert(struct span lax)
{
	X509 *cert = authority_read(lax);

	assert_int_equal(X509_verify(cert,
			     X509_get0_pubkey(ca.certs[CA_ISSUING])),
	    1);
	assert_int_equal(X509_cmp(cert, ca.certs[CA_ISSUING]) == 0, 1);
	X509_free(cert);
}

static void
check_crl(struct span lax)
{
	const uint8_t *at = lax.data;
	X509_CRL *crl = d2i_X509_CRL(NULL, &at, (long)lax.len);

	assert_non_null(crl);
	assert_ptr_equal(at, lax.data + lax.len);
	assert_int_equal(X509_CRL_verify(crl,
			     X509_get0_pubkey(ca.certs[CA_ISSUING])),
	    1);
	X509_CRL_free(crl);
}

/* As `openssl asn1parse` lists it. */
static bool
has_constructed_string(struct span in)
{
	BIO *out = BIO_new(BIO_s_mem());
	bool found = false;
	char line[256];

	assert_int_equal(ASN1_parse(out, in.data, (long)in.len, 0), 1);
	while (!found && BIO_gets(out, line, sizeof(line)) > 0)
		found = strstr(line, "cons:") != NULL &&
		    strstr(line, "OCTET STRING") != NULL;
	BIO_free(out);
	return found;
}

static void
still_verifies(void **state)
{
	const struct lax *t = *state;
	struct blob body = make_body(t->kind), der;
	bool indefinite = strcmp(t->word, "constructed") != 0;

	assert_int_equal(blob_copy(&der, blob_span(&body)), 0);
	apply("bytes.ber", t->word, 0, &body);
	assert_int_equal(!span_equal(blob_span(&body), blob_span(&der)),
	    indefinite || t->constructed);
	assert_int_equal(body.data[0], 0x30);
	assert_int_equal(body.data[1] == 0x80, indefinite);
	if (indefinite)
		assert_memory_equal(body.data + body.len - 2, "\0", 2);
	assert_false(has_constructed_string(blob_span(&der)));
	assert_int_equal(has_constructed_string(blob_span(&body)),
	    t->constructed);
	if (t->kind == CERT)
		check_cert(blob_span(&body));
	else if (t->kind == CRL)
		check_crl(blob_span(&body));
	else
		check_cms(t, blob_span(&body), blob_span(&der));
	blob_free(&body);
	blob_free(&der);
}

/* RFC 5652 5.4: clients hash the signed attributes by their bytes. */
static void
attributes_stay(void **state)
{
	struct blob body = make_body(SIGNED), der = { 0 };
	const uint8_t *at, *start;
	long len;
	int tag, class;

	(void)state;
	assert_int_equal(blob_copy(&der, blob_span(&body)), 0);
	apply("bytes.ber", "both", 0, &body);
	/* contentType is the first of them: 1.2.840.113549.1.9.3. */
	at = memmem(der.data, der.len,
	    "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x03", 11);
	assert_non_null(at);
	for (start = at; *start != 0xa0; start--)
		assert_true(start > der.data);
	at = start;
	assert_false(ASN1_get_object(&at, &len, &tag, &class, 200) & 0x80);
	assert_int_equal(tag, 0);
	assert_non_null(memmem(body.data, body.len, start,
	    (size_t)(at - start) + (size_t)len));
	blob_free(&body);
	blob_free(&der);
}

static const struct text {
	const char *row;
	enum kind kind;
	const char *name; /* that OpenSSL writes; NULL: base64 */
	const char *before;
} texts[] = {
	{ "a signed message", SIGNED, PEM_STRING_PKCS7, NULL },
	{ "certificates", BAG, PEM_STRING_PKCS7, NULL },
	{ "no certificate", EMPTY_BAG, PEM_STRING_PKCS7, NULL },
	{ "an envelope", ENVELOPED, PEM_STRING_CMS, NULL },
	{ "a certificate", CERT, PEM_STRING_X509, NULL },
	{ "a CRL", CRL, PEM_STRING_X509_CRL, NULL },
	{ "a signed message in BER", SIGNED, PEM_STRING_PKCS7, "both" },
	{ "a certificate in BER", CERT, PEM_STRING_X509, "indefinite" },
	{ "a bag in base64", BAG, NULL, NULL },
	{ "a certificate in base64", CERT, NULL, NULL },
};

/* As OpenSSL writes it, octet for octet. */
static void
written_as(void **state)
{
	const struct text *t = *state;
	BIO *mem = BIO_new(BIO_s_mem()), *b64 = BIO_new(BIO_f_base64());
	struct blob body = make_body(t->kind);
	char *wanted;
	long len;

	if (t->before != NULL)
		apply("bytes.ber", t->before, 0, &body);
	if (t->name != NULL) {
		PEM_write_bio(mem, t->name, "", body.data, (long)body.len);
	} else {
		BIO_push(b64, mem);
		BIO_write(b64, body.data, (int)body.len);
		assert_int_equal(BIO_flush(b64), 1);
		BIO_pop(b64);
	}
	apply("bytes.encoding", t->name == NULL ? "base64" : "pem", 0, &body);
	len = BIO_get_mem_data(mem, &wanted);
	assert_octets(blob_span(&body), wanted, (size_t)len);
	blob_free(&body);
	BIO_free(b64);
	BIO_free(mem);
}

/* One, two and three octets at the end, full lines and not. */
static void
lengths(void **state)
{
	uint8_t octets[200], wanted[400];
	EVP_ENCODE_CTX *ctx = EVP_ENCODE_CTX_new();
	struct blob body;
	int len, rest;

	(void)state;
	for (int n = 1; n < 200; n++) {
		for (int i = 0; i < n; i++)
			octets[i] = (uint8_t)(i * 37 + n);
		EVP_EncodeInit(ctx);
		EVP_EncodeUpdate(ctx, wanted, &len, octets, n);
		EVP_EncodeFinal(ctx, wanted + len, &rest);
		assert_int_equal(blob_copy(&body, span_of(octets, (size_t)n)),
		    0);
		apply("bytes.encoding", "base64", 0, &body);
		assert_octets(blob_span(&body), wanted, (size_t)(len + rest));
		blob_free(&body);
	}
	EVP_ENCODE_CTX_free(ctx);
}

static bool
has_row(const char *key, const char *word)
{
	for (size_t i = 0; i < sizeof(editeds) / sizeof(editeds[0]); i++)
		for (const struct edit *e = editeds[i].edits; e->key != NULL;
		     e++)
			if (strcmp(e->key, key) == 0 &&
			    (word == NULL || strcmp(e->value, word) == 0))
				return true;
	for (size_t i = 0; i < sizeof(laxes) / sizeof(laxes[0]); i++)
		if (strcmp(key, "bytes.ber") == 0 &&
		    (word == NULL || strcmp(laxes[i].word, word) == 0))
			return true;
	return false;
}

static void
all_have_rows(void **state)
{
	(void)state;
	edits_must_have_rows("bytes.", has_row);
}

static int
open_authority(void **state)
{
	(void)state;
	ca = authority_open();
	return 0;
}

static int
close_authority(void **state)
{
	(void)state;
	authority_close(&ca);
	return 0;
}

int
main(void)
{
	static const struct table tables[] = {
		ROWS(comes_to, editeds),
		ONE(random_octet, "a random octet is the same at each replay"),
		ROWS(still_verifies, laxes),
		ONE(attributes_stay, "signed attributes stay DER"),
		ROWS(written_as, texts),
		ONE(lengths, "base64 of all lengths"),
		ONE(all_have_rows, "every key and word has a row here"),
	};

	return ROWS_RUN(tables, open_authority, close_authority);
}
