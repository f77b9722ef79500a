/* `do: scep`: how a CertRep is said, by whom and to whom. */
#include "fault/scep.h"

#include "base/der.h"

#define CERTS_MAX (1 + CA_CERTS_MAX)

enum {
	BAG_LEAF,
	BAG_CHAIN,
	BAG_CA_FIRST,
	BAG_CA,
	BAG_EMPTY,
	BAG_SHUFFLED,
	BAG_TWICE
};
enum { CERT_SIGNER, CERT_RA, CERT_CA, CERT_ALL, CERT_STRANGER };
enum {
	WHO_CA,
	WHO_RA_ENCRYPTION,
	WHO_EXPIRED,
	WHO_STRANGER,
	WHO_REENCODED,
	WHO_OTHER_SERIAL,
};
enum { WRONG };
enum { SIGNATURE_RSA, SIGNATURE_WITH_DIGEST };

static const struct word digests[] = {
	{ "md5", DIGEST_MD5, NULL },
	{ "sha1", DIGEST_SHA1, NULL },
	{ "sha224", DIGEST_SHA224, NULL },
	{ "sha256", DIGEST_SHA256, NULL },
	{ "sha384", DIGEST_SHA384, NULL },
	{ "sha512", DIGEST_SHA512, NULL },
	{ NULL, 0, NULL },
};
static const struct word ciphers[] = {
	{ "des", CIPHER_DES, NULL },
	{ "des3", CIPHER_DES3, NULL },
	{ "aes-128-cbc", CIPHER_AES128, NULL },
	{ "aes-192-cbc", CIPHER_AES192, NULL },
	{ "aes-256-cbc", CIPHER_AES256, NULL },
	{ NULL, 0, NULL },
};
static const struct word transports[] = {
	{ "pkcs1", TRANSPORT_PKCS1, NULL },
	{ "oaep", TRANSPORT_OAEP, "With its defaults: SHA-1, MGF1 with SHA-1" },
	{ NULL, 0, NULL },
};
static const struct word recipients[] = {
	{ "ra-encryption", WHO_RA_ENCRYPTION,
	    "The server's own: its certificate and its key" },
	{ "stranger", WHO_STRANGER, "An RA of another CA, and its key" },
	{ "issuer-reencoded", WHO_REENCODED,
	    "The client's key, but its certificate's issuer has UTF8String for "
	    "PrintableString, and the other way round" },
	{ "other-serial", WHO_OTHER_SERIAL,
	    "The client's key, but its certificate has another number" },
	{ NULL, 0, NULL },
};
static const struct word signers[] = {
	{ "ca", WHO_CA, "The CA itself" },
	{ "ra-encryption", WHO_RA_ENCRYPTION, "The RA that must not sign" },
	{ "expired", WHO_EXPIRED,
	    "The RA, by a certificate of its key that ended a day ago" },
	{ "stranger", WHO_STRANGER, "The signing RA of another CA" },
	{ NULL, 0, NULL },
};
static const struct word wrong[] = {
	{ "wrong", WRONG, "One bit of it is another" },
	{ NULL, 0, NULL },
};
static const struct word signature_algorithms[] = {
	{ "rsa", SIGNATURE_RSA, "rsaEncryption, as NDES has it" },
	{ "with-digest", SIGNATURE_WITH_DIGEST,
	    "Such as sha256WithRSAEncryption" },
	{ NULL, 0, NULL },
};
static const struct word certificates[] = {
	{ "signer", CERT_SIGNER, "The one that the reply is signed with" },
	{ "ra", CERT_RA, "Both RAs" },
	{ "ca", CERT_CA, "The issuing CA" },
	{ "all", CERT_ALL, "What GetCACert gives" },
	{ "stranger", CERT_STRANGER, "The signing RA of another CA" },
	{ NULL, 0, NULL },
};
static const struct word bags[] = {
	{ "leaf", BAG_LEAF, "What has been asked for, alone" },
	{ "chain", BAG_CHAIN, "And after it the CA and those above" },
	{ "ca-first", BAG_CA_FIRST, "The same, but it comes last" },
	{ "ca", BAG_CA, "The CA in its place" },
	{ "empty", BAG_EMPTY, "No certificate; nor a CRL" },
	{ "shuffled", BAG_SHUFFLED, "The chain in an order left to chance" },
	{ "twice", BAG_TWICE, "The same certificate two times" },
	{ NULL, 0, NULL },
};
static const struct word contents[] = {
	{ "absent", SCEP_CONTENT_ABSENT, "As RFC 8894 says" },
	{ "empty", SCEP_CONTENT_EMPTY, "An OCTET STRING of no octets" },
	{ "zero", SCEP_CONTENT_ZERO, "One zero octet, as NDES has it" },
	{ NULL, 0, NULL },
};
static const struct word envelopes[] = {
	{ "plain", SCEP_ENVELOPE_PLAIN,
	    "The certificates are there, but not encrypted" },
	{ "empty", SCEP_ENVELOPE_EMPTY, "An OCTET STRING of no octets" },
	{ "zero", SCEP_ENVELOPE_ZERO, "One zero octet" },
	{ "absent", SCEP_ENVELOPE_ABSENT, "No eContent" },
	{ NULL, 0, NULL },
};

static int
apply_digest(struct fault_context *ctx, const struct value *v, void *plan)
{
	struct scep_message *m = plan;

	(void)ctx;
	m->seal->digest = (enum digest)v->number;
	return 0;
}

static int
apply_cipher(struct fault_context *ctx, const struct value *v, void *plan)
{
	struct scep_message *m = plan;

	(void)ctx;
	m->seal->cipher = (enum cipher)v->number;
	return 0;
}

static int
apply_key_transport(struct fault_context *ctx, const struct value *v,
    void *plan)
{
	struct scep_message *m = plan;

	(void)ctx;
	m->seal->transport = (enum key_transport)v->number;
	return 0;
}

/* Reads a certificate that lives as long as the exchange does. */
static const struct x509 *
borrow(struct fault_context *ctx, struct span der)
{
	uint8_t *copy = fault_copy(ctx, der);
	struct x509 *cert = exchange_alloc(ctx->exchange, sizeof(*cert));

	return copy != NULL && cert != NULL &&
		x509_read(span_of(copy, der.len), cert) == 0 ?
	    cert :
	    NULL;
}

/* The key belongs to the key set, which the credentials hold. */
static const struct x509 *
borrow_stranger(struct fault_context *ctx, enum ca_role role,
    struct evp_pkey_st **key)
{
	const struct x509 *cert;
	struct credentials *other;

	if (credentials_stranger(ctx->credentials, &other, ctx->err) == -1)
		return NULL;
	cert = borrow(ctx, blob_span(&other->der[role]));
	*key = other->keys[role];
	credentials_free(other);
	return cert;
}

static const struct x509 *
borrow_expired(struct fault_context *ctx)
{
	const struct x509 *cert;
	struct blob der;

	if (credentials_expired_ra(ctx->credentials, CA_RA_SIGNING,
		ctx->exchange->at, &der, ctx->err) == -1)
		return NULL;
	cert = borrow(ctx, blob_span(&der));
	blob_free(&der);
	return cert;
}

/* Of one attribute of a Name. */
static int
reencoded_tag(const struct der *value)
{
	switch (value->tag) {
	case DER_PRINTABLE_STRING:
		return DER_UTF8_STRING;
	case DER_UTF8_STRING:
		return DER_PRINTABLE_STRING;
	}
	return value->tag;
}

/* A Name in as many octets: Name, RDN, type and value, then the strings. */
static void
reencode(uint8_t *name, struct span rest, int depth)
{
	struct der d;

	while (der_next(&rest, &d) == 0) {
		size_t at = (size_t)(d.content.data - d.whole.data);

		if (depth < 3)
			reencode(name + at, d.content, depth + 1);
		else
			*name = (uint8_t)reencoded_tag(&d);
		name += d.whole.len;
	}
}

static int
misname(struct fault_context *ctx, struct scep_seal *seal, int64_t how)
{
	struct x509 *cert = exchange_alloc(ctx->exchange, sizeof(*cert));
	const struct x509 *is = seal->recipient;
	uint8_t *issuer = fault_copy(ctx, is->issuer),
		*serial = fault_copy(ctx, is->serial);

	if (cert == NULL || issuer == NULL || serial == NULL)
		return -1;
	*cert = *is;
	if (how == WHO_REENCODED)
		reencode(issuer, is->issuer, 0);
	else if (is->serial.len > 0)
		serial[is->serial.len - 1] ^= 1;
	cert->issuer.data = issuer;
	cert->serial.data = serial;
	seal->recipient = cert;
	return 0;
}

static int
apply_recipient(struct fault_context *ctx, const struct value *v, void *plan)
{
	struct scep_seal *seal = ((struct scep_message *)plan)->seal;
	const struct credentials *cred = ctx->credentials;

	switch (v->number) {
	case WHO_RA_ENCRYPTION:
		seal->recipient = &cred->certs[CA_RA_ENCRYPTION];
		seal->recipient_key = cred->keys[CA_RA_ENCRYPTION];
		break;
	case WHO_STRANGER:
		seal->recipient = borrow_stranger(ctx, CA_RA_ENCRYPTION,
		    &seal->recipient_key);
		break;
	default:
		return seal->recipient == NULL ? 0 :
						 misname(ctx, seal, v->number);
	}
	return seal->recipient == NULL ? -1 : 0;
}

static int
apply_signer(struct fault_context *ctx, const struct value *v, void *plan)
{
	struct scep_seal *seal = ((struct scep_message *)plan)->seal;
	const struct credentials *cred = ctx->credentials;

	switch (v->number) {
	case WHO_CA:
		seal->signer = &cred->certs[CA_ISSUING];
		seal->signer_key = cred->keys[CA_ISSUING];
		break;
	case WHO_RA_ENCRYPTION:
		seal->signer = &cred->certs[CA_RA_ENCRYPTION];
		seal->signer_key = cred->keys[CA_RA_ENCRYPTION];
		break;
	case WHO_EXPIRED:
		seal->signer = borrow_expired(ctx);
		seal->signer_key = cred->keys[CA_RA_SIGNING];
		break;
	case WHO_STRANGER:
		seal->signer = borrow_stranger(ctx, CA_RA_SIGNING,
		    &seal->signer_key);
		break;
	}
	return seal->signer == NULL ? -1 : 0;
}

static int
apply_signature(struct fault_context *ctx, const struct value *v, void *plan)
{
	(void)ctx, (void)v;
	((struct scep_message *)plan)->sign.wrong_signature = true;
	return 0;
}

static int
apply_message_digest(struct fault_context *ctx, const struct value *v,
    void *plan)
{
	(void)ctx, (void)v;
	((struct scep_message *)plan)->sign.wrong_digest = true;
	return 0;
}

static int
apply_signature_algorithm(struct fault_context *ctx, const struct value *v,
    void *plan)
{
	(void)ctx;
	((struct scep_message *)plan)->sign.names_digest = v->number ==
	    SIGNATURE_WITH_DIGEST;
	return 0;
}

static int
add_certificate(struct fault_context *ctx, const struct scep_message *m,
    int64_t which, struct buffer *b)
{
	const struct credentials *cred = ctx->credentials;
	struct evp_pkey_st *key;
	const struct x509 *other;

	switch (which) {
	case CERT_SIGNER:
		buffer_add_span(b, m->seal->signer->whole);
		break;
	case CERT_RA:
		buffer_add_span(b, cred->certs[CA_RA_SIGNING].whole);
		buffer_add_span(b, cred->certs[CA_RA_ENCRYPTION].whole);
		break;
	case CERT_CA:
		buffer_add_span(b, cred->certs[CA_ISSUING].whole);
		break;
	case CERT_ALL:
		for (size_t i = 0; i < cred->ca_cert_count; i++)
			buffer_add_span(b, cred->ca_certs[i]);
		break;
	case CERT_STRANGER:
		other = borrow_stranger(ctx, CA_RA_SIGNING, &key);
		if (other == NULL)
			return -1;
		buffer_add_span(b, other->whole);
		break;
	}
	return b->failed ? -1 : 0;
}

static int
apply_certificates(struct fault_context *ctx, const struct value *v, void *plan)
{
	struct scep_message *m = plan;
	struct buffer b = { 0 };
	uint8_t *copy = NULL;
	size_t i = 0;

	while (i < v->count && add_certificate(ctx, m, v->numbers[i], &b) == 0)
		i++;
	if (i == v->count)
		copy = fault_copy(ctx, buffer_span(&b));
	m->sign.certificates = span_of(copy, b.len);
	buffer_free(&b);
	return copy == NULL ? -1 : 0;
}

static void
swap(struct span *a, struct span *b)
{
	struct span was = *a;

	*a = *b;
	*b = was;
}

/* Fisher and Yates. */
static void
shuffle(struct fault_context *ctx, struct span *list, size_t count)
{
	while (count > 1) {
		size_t at = fault_draw(ctx) % count--;

		swap(&list[at], &list[count]);
	}
}

/* The leaf, the CA, those above; then in the order that is asked for. */
static size_t
fill_bag(struct fault_context *ctx, int64_t how, struct span leaf,
    struct span *to)
{
	const struct credentials *cred = ctx->credentials;
	size_t count = 0;

	if (how == BAG_EMPTY)
		return 0;
	if (how != BAG_CA)
		to[count++] = leaf;
	if (how == BAG_TWICE)
		to[count++] = leaf;
	if (how == BAG_LEAF || how == BAG_TWICE)
		return count;
	to[count++] = blob_span(&cred->der[CA_ISSUING]);
	for (size_t i = 0; how != BAG_CA && i < cred->chain_count; i++)
		to[count++] = blob_span(&cred->chain[i]);
	for (size_t i = 1; how == BAG_CA_FIRST && i < count; i++)
		swap(&to[i - 1], &to[i]);
	if (how == BAG_SHUFFLED)
		shuffle(ctx, to, count);
	return count;
}

static int
apply_bag(struct fault_context *ctx, const struct value *v, void *plan)
{
	struct scep_reply *reply = ((struct scep_message *)plan)->reply;
	struct span *list;
	size_t count;

	if (v->number == BAG_EMPTY)
		reply->crl = SPAN_EMPTY;
	if (reply->certificate.len == 0)
		return 0;
	list = exchange_alloc(ctx->exchange, CERTS_MAX * sizeof(*list));
	if (list == NULL)
		return -1;
	count = fill_bag(ctx, v->number, reply->certificate, list);
	reply->certificate = list[0];
	reply->more = list + 1;
	reply->more_count = count > 1 ? count - 1 : 0;
	return 0;
}

static int
apply_content(struct fault_context *ctx, const struct value *v, void *plan)
{
	(void)ctx;
	((struct scep_message *)plan)->reply->no_content = (enum scep_content)
							       v->number;
	return 0;
}

static int
apply_envelope(struct fault_context *ctx, const struct value *v, void *plan)
{
	(void)ctx;
	((struct scep_message *)plan)->envelope = (enum scep_envelope)v->number;
	return 0;
}

#define WORD(name, words, help)                             \
	{                                                   \
		"scep." name, VALUE_WORD, words, 0, 0, help \
	}

/* In this order: what comes later sees what came before. */
static const struct fault_kind kinds[] = {
	{ WORD("digest", digests,
	      "Digest of the signature; an EC key cannot with md5, and the "
	      "answer is a 500"),
	    FAULT_SCEP, NULL, apply_digest },
	{ WORD("cipher", ciphers, "Cipher of the envelope"), FAULT_SCEP, NULL,
	    apply_cipher },
	{ WORD("key_transport", transports,
	      "How the envelope's key is encrypted to an RSA key"),
	    FAULT_SCEP, NULL, apply_key_transport },
	{ WORD("recipient", recipients, "Whom the envelope is for"), FAULT_SCEP,
	    NULL, apply_recipient },
	{ WORD("signer", signers, "Who signs the reply"), FAULT_SCEP, NULL,
	    apply_signer },
	{ WORD("signature", wrong, "The signature"), FAULT_SCEP, NULL,
	    apply_signature },
	{ WORD("message_digest", wrong,
	      "The attribute messageDigest; the signature is good"),
	    FAULT_SCEP, NULL, apply_message_digest },
	{ WORD("signature_algorithm", signature_algorithms,
	      "The name of the signature's algorithm, if the signer has an RSA "
	      "key"),
	    FAULT_SCEP, NULL, apply_signature_algorithm },
	{ { "scep.certificates", VALUE_WORDS, certificates, 0, 0,
	      "Certificates beside the signature, in this order; NDES sends "
	      "none" },
	    FAULT_SCEP, NULL, apply_certificates },
	{ WORD("bag", bags,
	      "Certificates in the envelope; NDES sends the leaf alone"),
	    FAULT_SCEP, NULL, apply_bag },
	{ WORD("content", contents, "eContent of FAILURE and PENDING"),
	    FAULT_SCEP, NULL, apply_content },
	{ WORD("envelope", envelopes, "eContent of SUCCESS"), FAULT_SCEP, NULL,
	    apply_envelope },
};

const struct fault_section fault_scep_seal = FAULT_SECTION(kinds);
