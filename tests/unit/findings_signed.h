/*
 * Messages whose SignedData is written by hand, because OpenSSL would not
 * write it so; the envelope in them is OpenSSL's.
 */
#ifndef UNIT_FINDINGS_SIGNED_H
#define UNIT_FINDINGS_SIGNED_H

#include "unit/findings.h"
#include "unit/notation.h"

enum { CONTENT_TYPE = 1, MESSAGE_DIGEST, SIGNING_TIME, TYPE, NONCE, ID };
#define HANDS_ATTRIBUTES 6

enum hands_order {
	IN_ORDER,
	BACKWARDS, /* but signed in order */
	BACKWARDS_SIGNED,
};

static const struct hand {
	const char *row, *found;
	int which;	     /* of the attributes is another, */
	const char *instead; /* this one; NULL: none */
	const char *more;    /* attribute */
	/* Other elements in place of the usual ones. */
	const char *version, *info_version, *digests, *content_type, *digest,
	    *signature;
	enum hands_order order;
	bool bare;	/* no attributes */
	bool long_form; /* the length of the attributes is not DER's */
	bool two_signers, spoilt;
	const char *after;
	bool unreadable; /* to OpenSSL */
} hands[] = {
	{ "a plain message by hand", .found = "" },
	{ "bytes after it", "trailing", .after = "0d 0a" },
	{ "SignedData of version 3", "version", .version = "02{03}" },
	{ "SignerInfo of version 3", "version", .info_version = "02{03}" },
	{ "SignerInfo of version 256", "version", .info_version = "02{01 00}" },
	{ "another eContentType", "content-not-data content-type-differs",
	    .version = "02{03}", .content_type = PKCS7("03") },
	{ "an empty list of digests", "digest-not-listed", .digests = "31{}" },
	{ "another digest in the list", "digest-not-listed",
	    .digests = "31{30{" OID("2b 0e 03 02 1a") "}}" },
	{ "two digests in the list", "",
	    .digests = "31{30{" OID("2b 0e 03 02 1a") "} 30{" OID(
		"60 86 48 01 65 03 04 02 01") "}}" },
	{ "two signers", "several-signers", .two_signers = true },
	{ "no signed attributes", "no-attributes", .bare = true },
	{ "attributes with a long length", "outer-ber attributes-not-der",
	    .long_form = true },
	{ "attributes backwards, signed in order", "attributes-unsorted",
	    .order = BACKWARDS },
	{ "attributes backwards, signed so",
	    "attributes-unsorted signed-unsorted", .order = BACKWARDS_SIGNED },
	{ "contentType twice", "attribute-twice",
	    .more = HAS(PKCS9("03"), PKCS7("01")) },
	{ "messageType twice", "attribute-twice",
	    .more = HAS(SCEP("02"), "13{'19'}") },
	{ "two values of senderNonce", "attribute-values", .which = NONCE,
	    .instead = HAS(SCEP("05"),
		"04{'0123456789abcdef'} 04{'fedcba9876543210'}") },
	{ "no value of senderNonce", "attribute-values", .which = NONCE,
	    .instead = HAS(SCEP("05"), "") },
	{ "cmsAlgorithmProtection", "other-attributes",
	    .more = HAS(PKCS9("34"), "30{}") },
	{ "two attributes that nobody knows", "other-attributes",
	    .more = HAS(PKCS9("34"), "30{}") HAS(PKCS9("34"), "30{} 30{}") },
	{ "no contentType", "no-content-type", .which = CONTENT_TYPE },
	{ "another contentType", "content-type-differs", .which = CONTENT_TYPE,
	    .instead = HAS(PKCS9("03"), PKCS7("03")) },
	{ "contentType as a text", "content-type-differs",
	    .which = CONTENT_TYPE, .instead = HAS(PKCS9("03"), "13{'data'}") },
	{ "no messageDigest", "no-message-digest", .which = MESSAGE_DIGEST },
	{ "another messageDigest", "wrong-message-digest",
	    .which = MESSAGE_DIGEST,
	    .instead = HAS(PKCS9("04"),
		"04{'01234567890123456789012345678901'}") },
	{ "messageDigest as a text", "wrong-message-digest",
	    .which = MESSAGE_DIGEST,
	    .instead = HAS(PKCS9("04"),
		"13{'01234567890123456789012345678901'}") },
	{ "a spoilt signature", "bad-signature", .spoilt = true },
	{ "no signingTime", "", .which = SIGNING_TIME },
	{ "signingTime five minutes ago", "", .which = SIGNING_TIME,
	    .instead = HAS(PKCS9("05"), "17{'220615115500Z'}") },
	{ "signingTime more than five minutes ago", "signing-time-far",
	    .which = SIGNING_TIME,
	    .instead = HAS(PKCS9("05"), "17{'220615115459Z'}") },
	{ "signingTime in more than five minutes", "signing-time-far",
	    .which = SIGNING_TIME,
	    .instead = HAS(PKCS9("05"), "17{'220615120501Z'}") },
	{ "signingTime without seconds", "signing-time-form",
	    .which = SIGNING_TIME,
	    .instead = HAS(PKCS9("05"), "17{'2206151200Z'}") },
	{ "signingTime of another zone", "signing-time-form",
	    .which = SIGNING_TIME,
	    .instead = HAS(PKCS9("05"), "17{'220615140000+0200'}"),
	    .unreadable = true },
	{ "signingTime as GeneralizedTime", "signing-time-form",
	    .which = SIGNING_TIME,
	    .instead = HAS(PKCS9("05"), "18{'20220615120000Z'}") },
	{ "signingTime as GeneralizedTime in 2050", "signing-time-far",
	    .which = SIGNING_TIME,
	    .instead = HAS(PKCS9("05"), "18{'20500101000000Z'}") },
	{ "signingTime without Z", "signing-time-form", .which = SIGNING_TIME,
	    .instead = HAS(PKCS9("05"), "17{'2206151200000'}") },
	{ "signingTime as a number", "signing-time-form", .which = SIGNING_TIME,
	    .instead = HAS(PKCS9("05"), "02{01}") },
	{ "no messageType", "no-message-type", .which = TYPE },
	{ "messageType as UTF8String", "message-type-string", .which = TYPE,
	    .instead = HAS(SCEP("02"), "0c{'19'}") },
	{ "messageType as INTEGER", "message-type-string", .which = TYPE,
	    .instead = HAS(SCEP("02"), "02{13}") },
	{ "messageType 019", "message-type-zeros", .which = TYPE,
	    .instead = HAS(SCEP("02"), "13{'019'}") },
	{ "messageType with a blank", "message-type-not-number", .which = TYPE,
	    .instead = HAS(SCEP("02"), "13{'19 '}") },
	{ "messageType in words", "message-type-not-number", .which = TYPE,
	    .instead = HAS(SCEP("02"), "13{'PKCSReq'}") },
	{ "messageType 18", "message-type-unknown", .which = TYPE,
	    .instead = HAS(SCEP("02"), "13{'18'}") },
	{ "messageType of a CertRep", "message-type-unknown", .which = TYPE,
	    .instead = HAS(SCEP("02"), "13{'3'}") },
	{ "messageType 0 as UTF8String",
	    "message-type-string message-type-unknown", .which = TYPE,
	    .instead = HAS(SCEP("02"), "0c{'0'}") },
	{ "no transactionID", "no-transaction-id", .which = ID },
	{ "an empty transactionID", "no-transaction-id", .which = ID,
	    .instead = HAS(SCEP("07"), "13{}") },
	{ "transactionID as IA5String", "transaction-id-string", .which = ID,
	    .instead = HAS(SCEP("07"), "16{'0123'}") },
	{ "transactionID as OCTET STRING", "transaction-id-string", .which = ID,
	    .instead = HAS(SCEP("07"), "04{'0123'}") },
	{ "transactionID in base64", "", .which = ID,
	    .instead = HAS(SCEP("07"), "13{'hNedRe1b/WMm+8W9ADvORrkcWw='}") },
	{ "transactionID with an underscore", "transaction-id-characters",
	    .which = ID, .instead = HAS(SCEP("07"), "13{'device_1'}") },
	{ "transactionID with a line end", "transaction-id-unprintable",
	    .which = ID, .instead = HAS(SCEP("07"), "13{'0123' 0a}") },
	{ "transactionID with a zero byte", "transaction-id-unprintable",
	    .which = ID, .instead = HAS(SCEP("07"), "13{'0123' 00}") },
	{ "transactionID in UTF-8",
	    "transaction-id-string transaction-id-unprintable", .which = ID,
	    .instead = HAS(SCEP("07"), "0c{c3 a9}") },
	{ "transactionID with a blank", "transaction-id-blanks", .which = ID,
	    .instead = HAS(SCEP("07"), "13{'device 1'}") },
	{ "transactionID of 128 characters", "", .which = ID,
	    .instead = HAS(SCEP("07"),
		"13{'0123456789abcdef0123456789abcdef"
		"0123456789abcdef0123456789abcdef"
		"0123456789abcdef0123456789abcdef"
		"0123456789abcdef0123456789abcdef'}") },
	{ "transactionID of 129 characters", "transaction-id-long", .which = ID,
	    .instead = HAS(SCEP("07"),
		"13{'0123456789abcdef0123456789abcdef"
		"0123456789abcdef0123456789abcdef"
		"0123456789abcdef0123456789abcdef"
		"0123456789abcdef0123456789abcdef0'}") },
	{ "no senderNonce", "no-sender-nonce", .which = NONCE },
	{ "senderNonce as a text", "sender-nonce-string", .which = NONCE,
	    .instead = HAS(SCEP("05"), "13{'0123456789abcdef'}") },
	{ "senderNonce of 8 bytes", "sender-nonce-length", .which = NONCE,
	    .instead = HAS(SCEP("05"), "04{'01234567'}") },
	{ "an empty senderNonce", "sender-nonce-length", .which = NONCE,
	    .instead = HAS(SCEP("05"), "04{}") },
	{ "recipientNonce", "recipient-nonce",
	    .more = HAS(SCEP("06"), "04{'0123456789abcdef'}") },
	{ "pkiStatus", "reply-attributes", .more = HAS(SCEP("03"), "13{'0'}") },
	{ "failInfo", "reply-attributes", .more = HAS(SCEP("04"), "13{'2'}") },
	{ "SHA-256 with NULL", "digest-parameters",
	    .digest = "30{" OID("60 86 48 01 65 03 04 02 01") "05{}}" },
	{ "SHA-256 by the name of the signature",
	    "digest-not-listed digest-is-signature",
	    .digest = "30{" OID("2a 86 48 86 f7 0d 01 01 0b") "05{}}" },
	{ "a digest that nobody knows", "digest-not-listed unknown-digest",
	    .digest = "30{" OID("2a 03 04") "}" },
	{ "sha256WithRSAEncryption", "signature-names-digest",
	    .signature = "30{" OID("2a 86 48 86 f7 0d 01 01 0b") "05{}}" },
	{ "sha1WithRSAEncryption of SHA-256",
	    "signature-names-digest signature-differs",
	    .signature = "30{" OID("2a 86 48 86 f7 0d 01 01 05") "05{}}" },
	{ "rsaEncryption without NULL", "signature-parameters",
	    .signature = "30{" OID("2a 86 48 86 f7 0d 01 01 01") "}" },
	{ "ecdsa-with-SHA256 of an RSA key", "signature-algorithm",
	    .signature = "30{" OID("2a 86 48 ce 3d 04 03 02") "}" },
	{ "a signature that nobody knows", "signature-algorithm",
	    .signature = "30{" OID("2a 03 04") "}" },
};

static inline void
hands_digest(struct span data, uint8_t out[32])
{
	assert_true(
	    EVP_Digest(data.data, data.len, out, NULL, EVP_sha256(), NULL));
}

/* The contents of signedAttrs, in the order of DER. */
static inline struct buffer
hands_attributes(const struct hand *t, struct span content)
{
	static const char *const usual[] = {
		[CONTENT_TYPE] = HAS(PKCS9("03"), PKCS7("01")),
		[SIGNING_TIME] = HAS(PKCS9("05"), "17{'220615120000Z'}"),
		[TYPE] = HAS(SCEP("02"), "13{'19'}"),
		[NONCE] = HAS(SCEP("05"), "04{'0123456789abcdef'}"),
		[ID] = HAS(SCEP("07"),
		    "13{'9CB1CB998B7FCC0142297B492988AFB4'}"),
	};
	struct buffer b = { 0 };
	uint8_t digest[32];
	size_t whole, set;

	for (int i = 1; i <= HANDS_ATTRIBUTES; i++) {
		if (i == t->which) {
			if (t->instead != NULL)
				notation_add(&b, t->instead);
		} else if (i != MESSAGE_DIGEST) {
			notation_add(&b, usual[i]);
		} else {
			hands_digest(content, digest);
			whole = der_begin(&b, DER_SEQUENCE);
			notation_add(&b, PKCS9("04"));
			set = der_begin(&b, DER_SET);
			der_add(&b, DER_OCTET_STRING,
			    span_of(digest, sizeof(digest)));
			der_end(&b, set);
			der_end(&b, whole);
		}
	}
	if (t->more != NULL)
		notation_add(&b, t->more);
	der_sort_set(&b, 0);
	assert_false(b.failed);
	return b;
}

/* The last first. */
static inline struct buffer
hands_backwards(struct span in)
{
	struct span list[HANDS_ATTRIBUTES + 2];
	struct buffer b = { 0 };
	struct der d;
	size_t count = 0;

	for (; in.len > 0; list[count++] = d.whole) {
		assert_in_range(count, 0, HANDS_ATTRIBUTES + 1);
		assert_int_equal(der_next(&in, &d), 0);
	}
	while (count > 0)
		buffer_add_span(&b, list[--count]);
	return b;
}

static inline void
hands_sign(struct buffer *out, struct span attributes, EVP_PKEY *key,
    bool spoilt)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	struct buffer set = { 0 };
	uint8_t signature[512];
	size_t size = sizeof(signature);

	der_add(&set, DER_SET, attributes);
	assert_true(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key));
	assert_true(EVP_DigestSign(ctx, signature, &size, set.data, set.len));
	signature[size - 1] ^= spoilt;
	der_add(out, DER_OCTET_STRING, span_of(signature, size));
	EVP_MD_CTX_free(ctx);
	buffer_free(&set);
}

static inline void
hands_add(struct buffer *b, const char *other, const char *usual)
{
	notation_add(b, other == NULL ? usual : other);
}

static inline void
hands_add_attributes(struct buffer *b, const struct hand *t,
    struct span attributes)
{
	uint8_t head[4] = { 0xa0, 0x82, (uint8_t)(attributes.len >> 8),
		(uint8_t)attributes.len };

	if (t->bare)
		return;
	if (t->long_form) {
		buffer_add(b, head, sizeof(head));
		buffer_add_span(b, attributes);
	} else {
		der_add(b, DER_CONTEXT_CONSTRUCTED(0), attributes);
	}
}

static inline struct buffer
hands_signer(const struct hand *t, struct span content, X509 *cert,
    EVP_PKEY *key)
{
	struct buffer b = { 0 }, sorted = hands_attributes(t, content);
	struct buffer back = hands_backwards(buffer_span(&sorted));
	const struct buffer *sent = t->order == IN_ORDER ? &sorted : &back;
	struct blob whole = device_cert_der(cert);
	struct x509 read;
	size_t info, id;

	assert_int_equal(x509_read(blob_span(&whole), &read), 0);
	info = der_begin(&b, DER_SEQUENCE);
	hands_add(&b, t->info_version, "02{01}");
	id = der_begin(&b, DER_SEQUENCE);
	buffer_add_span(&b, read.issuer);
	der_add(&b, DER_INTEGER, read.serial);
	der_end(&b, id);
	hands_add(&b, t->digest, "30{" OID("60 86 48 01 65 03 04 02 01") "}");
	hands_add_attributes(&b, t, buffer_span(sent));
	hands_add(&b, t->signature,
	    "30{" OID("2a 86 48 86 f7 0d 01 01 01") "05{}}");
	hands_sign(&b,
	    buffer_span(t->order == BACKWARDS_SIGNED ? &back : &sorted), key,
	    t->spoilt);
	der_end(&b, info);
	blob_free(&whole);
	buffer_free(&sorted);
	buffer_free(&back);
	return b;
}

static inline struct blob
hands_write(const struct hand *t, struct span content, X509 *cert,
    EVP_PKEY *key)
{
	struct buffer b = { 0 }, signer = hands_signer(t, content, cert, key);
	struct blob der = device_cert_der(cert), out;
	size_t info, explicit, data, encap, octets, set;

	info = der_begin(&b, DER_SEQUENCE);
	notation_add(&b, PKCS7("02"));
	explicit = der_begin(&b, DER_CONTEXT_CONSTRUCTED(0));
	data = der_begin(&b, DER_SEQUENCE);
	hands_add(&b, t->version, "02{01}");
	hands_add(&b, t->digests,
	    "31{30{" OID("60 86 48 01 65 03 04 02 01") "}}");
	encap = der_begin(&b, DER_SEQUENCE);
	hands_add(&b, t->content_type, PKCS7("01"));
	octets = der_begin(&b, DER_CONTEXT_CONSTRUCTED(0));
	der_add(&b, DER_OCTET_STRING, content);
	der_end(&b, octets);
	der_end(&b, encap);
	der_add(&b, DER_CONTEXT_CONSTRUCTED(0), blob_span(&der));
	set = der_begin(&b, DER_SET);
	for (int i = 0; i < 1 + t->two_signers; i++)
		buffer_add_span(&b, buffer_span(&signer));
	der_end(&b, set);
	der_end(&b, data);
	der_end(&b, explicit);
	der_end(&b, info);
	if (t->after != NULL)
		notation_add(&b, t->after);
	out = exact_copy(b.data, b.len);
	assert_false(b.failed);
	buffer_free(&b);
	buffer_free(&signer);
	blob_free(&der);
	return out;
}

#endif
