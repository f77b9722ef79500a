/*
 * A CertRep as a list of fields, each a line "name=value", read by OpenSSL
 * alone; and in which fields two of them differ.
 */
#ifndef UNIT_CERT_REP_H
#define UNIT_CERT_REP_H

#include "unit/reply.h"

/* Certificates that a CertRep may name, contain, be signed with or be for. */
struct known {
	const char *name;
	X509 *cert;
	EVP_PKEY *key; /* NULL: not ours */
};
struct cert_rep_view {
	const struct known *known; /* a NULL name ends them */
	struct span nonces[3];	   /* client's, server's, CA's fingerprint */
};

#define FIELDS_MAX 48
struct cert_rep {
	struct field {
		char name[32], value[512];
	} fields[FIELDS_MAX];
	size_t count;
};

static inline char *
cert_rep_value(struct cert_rep *r, const char *name)
{
	struct field *f = &r->fields[r->count++];

	assert_in_range(r->count, 1, FIELDS_MAX);
	snprintf(f->name, sizeof(f->name), "%s", name);
	f->value[0] = '\0';
	return f->value;
}

static inline void __attribute__((format(printf, 2, 3)))
cert_rep_append(char *value, const char *fmt, ...)
{
	size_t len = strlen(value);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(value + len, sizeof(((struct field *)0)->value) - len, fmt,
	    ap);
	va_end(ap);
}

static inline void
cert_rep_append_hex(char *value, struct span octets)
{
	for (size_t i = 0; i < octets.len; i++)
		cert_rep_append(value, "%02x", octets.data[i]);
}

/* An OID by its short name, or in digits. */
static inline void
cert_rep_append_oid(char *value, struct span content)
{
	uint8_t der[64] = { 0x06, (uint8_t)content.len };
	const uint8_t *at = der;
	ASN1_OBJECT *oid;
	char text[80];

	assert_in_range(content.len, 1, sizeof(der) - 2);
	memcpy(der + 2, content.data, content.len);
	assert_non_null(oid = d2i_ASN1_OBJECT(NULL, &at, sizeof(der)));
	if (OBJ_obj2nid(oid) == NID_undef)
		OBJ_obj2txt(text, sizeof(text), oid, 1);
	cert_rep_append(value, "%s",
	    OBJ_obj2nid(oid) == NID_undef ? text :
					    OBJ_nid2sn(OBJ_obj2nid(oid)));
	ASN1_OBJECT_free(oid);
}

/* AlgorithmIdentifier; `iv`: its parameter differs each time. */
static inline void
cert_rep_append_algorithm(char *value, struct span content, bool iv)
{
	struct element e = reply_next(&content);

	cert_rep_append_oid(value, e.content);
	if (content.len == 0) {
		cert_rep_append(value, " without parameters");
		return;
	}
	e = reply_next(&content);
	if (e.tag == V_ASN1_OCTET_STRING && iv)
		cert_rep_append(value, " iv %zu", e.content.len);
	else if (e.tag != V_ASN1_NULL || e.content.len > 0) {
		cert_rep_append(value, " %02x:", e.tag);
		cert_rep_append_hex(value, e.content);
	}
	assert_int_equal(content.len, 0);
}

/* "'": another certificate of this issuer and key. */
static inline void
cert_rep_append_cert(char *value, const struct cert_rep_view *v, X509 *cert)
{
	const char *separator = value[0] == '\0' ? "" : " ";

	for (const struct known *k = v->known; k->name != NULL; k++)
		if (X509_cmp(k->cert, cert) == 0) {
			cert_rep_append(value, "%s%s", separator, k->name);
			return;
		}
	for (const struct known *k = v->known; k->name != NULL; k++)
		if (X509_NAME_cmp(X509_get_issuer_name(k->cert),
			X509_get_issuer_name(cert)) == 0 &&
		    EVP_PKEY_eq(X509_get0_pubkey(k->cert),
			X509_get0_pubkey(cert)) == 1) {
			cert_rep_append(value, "%s%s'", separator, k->name);
			return;
		}
	cert_rep_append(value, "%s?", separator);
}

/* Whole certificates, one after another. */
static inline void
cert_rep_append_certs(char *value, const struct cert_rep_view *v,
    struct span list)
{
	const uint8_t *at = list.data;

	while (at < list.data + list.len) {
		X509 *cert = d2i_X509(NULL, &at,
		    (long)(list.data + list.len - at));

		assert_non_null(cert);
		cert_rep_append_cert(value, v, cert);
		X509_free(cert);
	}
}

static inline bool
cert_rep_is(struct span got, uint8_t *der, int len)
{
	bool same = len >= 0 && (size_t)len == got.len &&
	    memcmp(der, got.data, got.len) == 0;

	OPENSSL_free(der);
	return same;
}

/* The types of the strings in a Name: "13 0c". */
static inline void
cert_rep_append_name_types(char *value, struct span name)
{
	struct span rdns = reply_next(&name).content;

	while (rdns.len > 0) {
		struct span set = reply_next(&rdns).content;
		struct span pair = reply_next(&set).content;

		reply_next(&pair);
		cert_rep_append(value, " %02x", reply_next(&pair).tag);
	}
}

/* IssuerAndSerialNumber: of which certificate, or at least by whom. */
static inline void
cert_rep_append_identifier(char *value, const struct cert_rep_view *v,
    struct span content)
{
	struct span issuer = content, serial;
	const uint8_t *at = content.data;
	X509_NAME *name;

	reply_next(&content);
	issuer.len -= content.len;
	serial = reply_next(&content).content;
	assert_int_equal(content.len, 0);
	assert_non_null(name = d2i_X509_NAME(NULL, &at, (long)issuer.len));
	for (const struct known *k = v->known; k->name != NULL; k++) {
		const ASN1_INTEGER *n = X509_get0_serialNumber(k->cert);
		uint8_t *der = NULL;
		int len = i2d_X509_NAME(X509_get_issuer_name(k->cert), &der);
		bool same = cert_rep_is(issuer, der, len);

		if (value[0] != '\0' || (size_t)n->length != serial.len ||
		    memcmp(n->data, serial.data, serial.len) != 0 ||
		    X509_NAME_cmp(name, X509_get_issuer_name(k->cert)) != 0)
			continue;
		cert_rep_append(value, "%s", k->name);
		if (!same)
			cert_rep_append_name_types(value, issuer);
	}
	for (const struct known *k = v->known; k->name != NULL; k++) {
		if (value[0] != '\0' ||
		    X509_NAME_cmp(name, X509_get_subject_name(k->cert)) != 0)
			continue;
		cert_rep_append(value, "by %s", k->name);
		if (serial.len > 2)
			continue;
		cert_rep_append(value, " ");
		cert_rep_append_hex(value, serial);
	}
	X509_NAME_free(name);
}

static const struct attribute_name {
	const char *oid, *name;
} attribute_names[] = {
	{ "2.16.840.1.113733.1.9.2", "messageType" },
	{ "2.16.840.1.113733.1.9.3", "pkiStatus" },
	{ "2.16.840.1.113733.1.9.4", "failInfo" },
	{ "2.16.840.1.113733.1.9.5", "senderNonce" },
	{ "2.16.840.1.113733.1.9.6", "recipientNonce" },
	{ "2.16.840.1.113733.1.9.7", "transactionID" },
	{ "1.3.6.1.5.5.7.24.1", "failInfoText" },
	{ "1.3.6.1.4.1.311.21.33", "error" },
	{ "1.3.6.1.4.1.311.21.38", "message" },
	{ "1.2.840.113549.1.9.25.3", "randomNonce" },
	{ "1.3.6.1.4.1.32473.1", "unknown" },
};

static inline void
cert_rep_attribute_name(char out[32], struct span oid)
{
	char text[512] = "";

	cert_rep_append_oid(text, oid);
	snprintf(out, 32, "%.31s", text);
	for (size_t i = 0;
	     i < sizeof(attribute_names) / sizeof(attribute_names[0]); i++)
		if (strcmp(attribute_names[i].oid, text) == 0)
			snprintf(out, 32, "%s", attribute_names[i].name);
}

static inline void
cert_rep_append_octets(char *value, const struct cert_rep_view *v,
    struct span octets, struct span digest)
{
	static const char *const names[] = { "client's", "server's",
		"fingerprint" };

	for (size_t i = 0; i < 3; i++)
		if (span_equal(octets, v->nonces[i])) {
			cert_rep_append(value, "%s", names[i]);
			return;
		}
	if (span_equal(octets, digest))
		cert_rep_append(value, "of the content");
	else
		cert_rep_append_hex(value, octets);
}

static inline void
cert_rep_append_value(char *value, const struct cert_rep_view *v,
    struct element e, struct span digest)
{
	switch (e.tag) {
	case V_ASN1_OCTET_STRING:
		cert_rep_append_octets(value, v, e.content, digest);
		break;
	case V_ASN1_OBJECT:
		cert_rep_append_oid(value, e.content);
		break;
	case V_ASN1_BMPSTRING:
		cert_rep_append(value, "bmp ");
		cert_rep_append_hex(value, e.content);
		break;
	default:
		cert_rep_append(value, "%s %.*s", ASN1_tag2str(e.tag),
		    (int)e.content.len, (const char *)e.content.data);
	}
}

static inline struct field *
cert_rep_find(struct cert_rep *r, const char *name)
{
	for (size_t i = 0; i < r->count; i++)
		if (strcmp(r->fields[i].name, name) == 0)
			return &r->fields[i];
	return NULL;
}

/* "messageType:PRINTABLESTRING 3"; a second one of a name adds to it. */
static inline void
cert_rep_attribute(struct cert_rep *r, const struct cert_rep_view *v,
    struct span attribute, struct span digest)
{
	struct element oid = reply_next(&attribute);
	struct element set = reply_next(&attribute);
	struct field *f;
	char name[32], *value;

	assert_int_equal(set.tag, 0x31);
	cert_rep_attribute_name(name, oid.content);
	f = cert_rep_find(r, name);
	value = f == NULL ? cert_rep_value(r, name) : f->value;
	if (f != NULL)
		cert_rep_append(value, " + ");
	if (set.content.len == 0)
		cert_rep_append(value, "nothing");
	while (set.content.len > 0) {
		cert_rep_append_value(value, v, reply_next(&set.content),
		    digest);
		if (set.content.len > 0)
			cert_rep_append(value, ", ");
	}
}

/* X.690 11.6 */
static inline int
cert_rep_compare(struct span a, struct span b)
{
	size_t len = a.len < b.len ? a.len : b.len;
	int order = memcmp(a.data, b.data, len);

	return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

/* Those of DER and its reverse by name, else who comes when. */
static inline void
cert_rep_order(struct cert_rep *r, struct span attributes)
{
	struct span rest = attributes, last = SPAN_EMPTY;
	char *value = cert_rep_value(r, "order"), names[512] = "", name[32];
	bool sorted = true, reversed = true;

	while (rest.len > 0) {
		struct span whole = rest, content = reply_next(&rest).content;

		whole.len -= rest.len;
		cert_rep_attribute_name(name, reply_next(&content).content);
		cert_rep_append(names, "%s%s", names[0] == '\0' ? "" : " ",
		    name);
		if (last.len > 0) {
			sorted &= cert_rep_compare(last, whole) <= 0;
			reversed &= cert_rep_compare(last, whole) >= 0;
		}
		last = whole;
	}
	cert_rep_append(value, "%s",
	    sorted	 ? "DER" :
		reversed ? "reversed" :
			   names);
}

/* Whose key the signature is by, over what was sent (RFC 5652 5.4). */
static inline void
cert_rep_signature(struct cert_rep *r, const struct cert_rep_view *v,
    const EVP_MD *md, struct span attributes, struct span signature)
{
	char *value = cert_rep_value(r, "signature");
	uint8_t *set = malloc(attributes.len + 8), *to = set;

	assert_non_null(set);
	ASN1_put_object(&to, 1, (int)attributes.len, V_ASN1_SET,
	    V_ASN1_UNIVERSAL);
	memcpy(to, attributes.data, attributes.len);
	to += attributes.len;
	for (const struct known *k = v->known; k->name != NULL; k++) {
		EVP_MD_CTX *ctx = EVP_MD_CTX_new();
		bool good = EVP_DigestVerifyInit(ctx, NULL, md, NULL,
				X509_get0_pubkey(k->cert)) == 1 &&
		    EVP_DigestVerify(ctx, signature.data, signature.len, set,
			(size_t)(to - set)) == 1;

		EVP_MD_CTX_free(ctx);
		if (!good)
			continue;
		cert_rep_append(value, "%s", k->name);
		break;
	}
	ERR_clear_error();
	free(set);
}

static inline void
cert_rep_signer(struct cert_rep *r, const struct cert_rep_view *v,
    struct span info, struct span content)
{
	struct element version = reply_next(&info), sid = reply_next(&info),
		       digest = reply_next(&info),
		       attributes = reply_next(&info),
		       algorithm = reply_next(&info),
		       signature = reply_next(&info);
	struct span rest = attributes.content;
	uint8_t hash[EVP_MAX_MD_SIZE];
	const EVP_MD *md;
	unsigned len;
	char *value;

	assert_int_equal(info.len, 0); /* no unsignedAttrs */
	cert_rep_append_hex(cert_rep_value(r, "info version"), version.content);
	cert_rep_append_identifier(cert_rep_value(r, "signer"), v, sid.content);
	value = cert_rep_value(r, "digest");
	cert_rep_append_algorithm(value, digest.content, false);
	assert_non_null(md = EVP_get_digestbyname(value));
	assert_true(
	    EVP_Digest(content.data, content.len, hash, &len, md, NULL));
	assert_int_equal(attributes.tag, 0xa0);
	while (rest.len > 0)
		cert_rep_attribute(r, v, reply_next(&rest).content,
		    span_of(hash, len));
	cert_rep_order(r, attributes.content);
	cert_rep_append_algorithm(cert_rep_value(r, "signature algorithm"),
	    algorithm.content, false);
	cert_rep_signature(r, v, md, attributes.content, signature.content);
}

/* What a degenerate SignedData holds. */
static inline void
cert_rep_bag(struct cert_rep *r, const struct cert_rep_view *v, struct span der)
{
	struct element certs = reply_field(der, 3);
	char *value = cert_rep_value(r, "bag");

	if (certs.tag == 0xa1)
		cert_rep_append(value, "CRL");
	else if (certs.tag == 0xa0 && certs.content.len > 0)
		cert_rep_append_certs(value, v, certs.content);
	else
		cert_rep_append(value, "empty");
}

static inline bool
cert_rep_is_cms(struct span der, int nid)
{
	const uint8_t *at = der.data;
	CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &at, (long)der.len);
	bool is = cms != NULL && OBJ_obj2nid(CMS_get0_type(cms)) == nid;

	CMS_ContentInfo_free(cms);
	ERR_clear_error();
	return is;
}

/* Who can open the envelope, and what is in it. */
static inline void
cert_rep_open(struct cert_rep *r, const struct cert_rep_view *v,
    struct span der)
{
	char *value = cert_rep_value(r, "opened by");

	for (const struct known *k = v->known; k->name != NULL; k++) {
		CMS_ContentInfo *cms;
		BIO *out = BIO_new(BIO_s_mem());
		struct blob plain;

		if (k->key == NULL || value[0] != '\0') {
			BIO_free(out);
			continue;
		}
		cms = reply_cms(der);
		CMS_decrypt(cms, k->key, NULL, NULL, out, CMS_BINARY);
		CMS_ContentInfo_free(cms);
		plain = reply_take_bio(out);
		/* A wrong key gives noise, and seldom no error. */
		if (plain.len > 0 &&
		    cert_rep_is_cms(blob_span(&plain), NID_pkcs7_signed)) {
			cert_rep_append(value, "%s", k->name);
			cert_rep_bag(r, v, blob_span(&plain));
		}
		blob_free(&plain);
		ERR_clear_error();
	}
}

static inline void
cert_rep_envelope(struct cert_rep *r, const struct cert_rep_view *v,
    struct span der)
{
	struct span sealed = reply_field(der, 2).content;
	struct span recipients = reply_field(der, 1).content, info;

	cert_rep_append_hex(cert_rep_value(r, "envelope version"),
	    reply_field(der, 0).content);
	info = reply_next(&recipients).content;
	assert_int_equal(recipients.len, 0);
	cert_rep_append_hex(cert_rep_value(r, "recipient version"),
	    reply_next(&info).content);
	cert_rep_append_identifier(cert_rep_value(r, "recipient"), v,
	    reply_next(&info).content);
	cert_rep_append_algorithm(cert_rep_value(r, "key transport"),
	    reply_next(&info).content, false);
	cert_rep_append_oid(cert_rep_value(r, "sealed type"),
	    reply_next(&sealed).content);
	cert_rep_append_algorithm(cert_rep_value(r, "cipher"),
	    reply_next(&sealed).content, true);
	cert_rep_open(r, v, der);
}

static inline void
cert_rep_content(struct cert_rep *r, const struct cert_rep_view *v,
    const struct span *content)
{
	char *value = cert_rep_value(r, "content");

	if (content == NULL) {
		cert_rep_append(value, "absent");
	} else if (content->len == 0) {
		cert_rep_append(value, "empty");
	} else if (cert_rep_is_cms(*content, NID_pkcs7_enveloped)) {
		cert_rep_append(value, "sealed");
		cert_rep_envelope(r, v, *content);
	} else if (cert_rep_is_cms(*content, NID_pkcs7_signed)) {
		cert_rep_append(value, "plain");
		cert_rep_bag(r, v, *content);
	} else {
		cert_rep_append_hex(value, *content);
	}
}

/* What OpenSSL's own verifier makes of it; it knows all certificates. */
static inline void
cert_rep_verify(struct cert_rep *r, const struct cert_rep_view *v,
    struct span der, bool absent)
{
	const uint8_t *at = der.data;
	CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &at, (long)der.len);
	STACK_OF(X509) *certs = sk_X509_new_null();
	BIO *nothing = BIO_new_mem_buf("", 0);

	assert_non_null(cms);
	assert_ptr_equal(at, der.data + der.len);
	for (const struct known *k = v->known; k->name != NULL; k++)
		sk_X509_push(certs, k->cert);
	cert_rep_append(cert_rep_value(r, "CMS_verify"), "%s",
	    CMS_verify(cms, certs, NULL, absent ? nothing : NULL, NULL,
		CMS_NO_SIGNER_CERT_VERIFY | CMS_BINARY) == 1 ?
		"good" :
		"bad");
	ERR_clear_error();
	BIO_free(nothing);
	sk_X509_free(certs);
	CMS_ContentInfo_free(cms);
}

static inline void
cert_rep_read(struct cert_rep *r, const struct cert_rep_view *v,
    struct span der)
{
	struct span digests = reply_field(der, 1).content;
	struct span encap = reply_field(der, 2).content, content = SPAN_EMPTY;
	struct element next = reply_field(der, 3);
	bool absent;
	char *value;

	r->count = 0;
	cert_rep_append_hex(cert_rep_value(r, "version"),
	    reply_field(der, 0).content);
	value = cert_rep_value(r, "digests");
	while (digests.len > 0)
		cert_rep_append_algorithm(value, reply_next(&digests).content,
		    false);
	cert_rep_append_oid(cert_rep_value(r, "content type"),
	    reply_next(&encap).content);
	absent = encap.len == 0;
	if (!absent) {
		struct span explicit = reply_next(&encap).content;

		content = reply_next(&explicit).content;
	}
	cert_rep_content(r, v, absent ? NULL : &content);
	value = cert_rep_value(r, "certificates");
	if (next.tag == 0xa0) {
		cert_rep_append_certs(value, v, next.content);
		next = reply_field(der, 4);
	}
	assert_int_equal(next.tag, 0x31); /* no CRLs: signerInfos */
	cert_rep_signer(r, v, reply_next(&next.content).content, content);
	assert_int_equal(next.content.len, 0);
	cert_rep_verify(r, v, der, absent);
}

/* Missing in both is the same too. */
static inline bool
cert_rep_same(struct cert_rep *a, struct cert_rep *b, const char *name)
{
	const struct field *x = cert_rep_find(a, name),
			   *y = cert_rep_find(b, name);

	if (x == NULL || y == NULL)
		return x == y;
	return strcmp(x->value, y->value) == 0;
}

/*
 * "name=value; ...": what is other in `now`. Where the content is of another
 * kind, what is not in it any more goes without saying.
 */
static inline void
cert_rep_diff(struct cert_rep *was, struct cert_rep *now, char *out,
    size_t size)
{
	static const char *const inside[] = { "envelope version",
		"recipient version", "recipient", "key transport",
		"sealed type", "cipher", "opened by", "bag" };
	bool other_content = !cert_rep_same(was, now, "content");
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; i < now->count; i++) {
		if (!cert_rep_same(was, now, now->fields[i].name))
			len += (size_t)snprintf(out + len, size - len,
			    "%s%s=%s", len == 0 ? "" : "; ",
			    now->fields[i].name, now->fields[i].value);
		assert_in_range(len, 0, size - 1);
	}
	for (size_t i = 0; i < was->count; i++) {
		bool silent = false;

		for (size_t k = 0; k < sizeof(inside) / sizeof(inside[0]); k++)
			silent |= other_content &&
			    strcmp(was->fields[i].name, inside[k]) == 0;
		if (silent || cert_rep_find(now, was->fields[i].name) != NULL)
			continue;
		len += (size_t)snprintf(out + len, size - len, "%s%s=-",
		    len == 0 ? "" : "; ", was->fields[i].name);
		assert_in_range(len, 0, size - 1);
	}
}

#endif
