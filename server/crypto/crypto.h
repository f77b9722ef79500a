/*
 * Algorithms, keys and certificates by their bytes. OpenSSL does the
 * arithmetic; the DER around it is read and written by hand, because
 * OpenSSL's decoder chains cost more than the RSA operation they serve.
 */
#ifndef CRYPTO_CRYPTO_H
#define CRYPTO_CRYPTO_H

#include "base/blob.h"
#include "base/error.h"

struct evp_pkey_st;	/* OpenSSL's EVP_PKEY */
struct ossl_lib_ctx_st; /* and OSSL_LIB_CTX */

/* Ordered by strength; the numbers are indices of the tables. */
enum digest {
	DIGEST_MD5,
	DIGEST_SHA1,
	DIGEST_SHA224,
	DIGEST_SHA256,
	DIGEST_SHA384,
	DIGEST_SHA512,
	DIGEST_COUNT, /* unknown */
};

enum cipher {
	CIPHER_DES, /* needs OpenSSL's legacy provider */
	CIPHER_DES3,
	CIPHER_AES128,
	CIPHER_AES192,
	CIPHER_AES256,
	CIPHER_COUNT, /* unknown */
};

#define DIGEST_MAX_SIZE 64
#define CIPHER_MAX_KEY 32
#define CIPHER_MAX_BLOCK 16

const char *digest_name(enum digest); /* "sha256" */
size_t digest_size(enum digest);
struct span digest_oid(enum digest);
/* shaXWithRSAEncryption (RFC 8017 A.2.4). */
struct span digest_rsa_oid(enum digest);
/* ecdsa-with-SHAx (RFC 5758 3.2); empty: there is none with MD5. */
struct span digest_ecdsa_oid(enum digest);
enum digest digest_by_oid(struct span oid);
/* From a signature algorithm that names one, e.g. sha256WithRSAEncryption. */
enum digest digest_by_signature_oid(struct span oid);

const char *cipher_name(enum cipher); /* "aes-128-cbc" */
size_t cipher_key_size(enum cipher);
size_t cipher_block_size(enum cipher); /* also the size of the IV */
struct span cipher_oid(enum cipher);
enum cipher cipher_by_oid(struct span oid);
/*
 * The AES key wrap under which a key of this cipher travels to the owner of
 * an EC key: as strong as the cipher (RFC 5753 7.1.5), AES-128 at the least.
 * A key of DES is too short for RFC 3394 and takes that of RFC 5649.
 */
struct span cipher_wrap_oid(enum cipher);
size_t cipher_wrap_size(enum cipher); /* of the wrapping key */

/*
 * An OpenSSL library context of our own: what an embedder has configured
 * does not reach it. Safe for use by several threads.
 */
struct crypto;
int crypto_new(struct crypto **out, struct error *);
void crypto_free(struct crypto *);
/* For those who do TLS; lives as long as it does. */
struct ossl_lib_ctx_st *crypto_library(struct crypto *);

int crypto_random(struct crypto *, void *out, size_t len);
int crypto_digest(struct crypto *, enum digest, struct span data,
    uint8_t out[DIGEST_MAX_SIZE]);

enum key_type {
	KEY_RSA_2048,
	KEY_RSA_3072,
	KEY_RSA_4096,
	KEY_EC_P256,
	KEY_EC_P384,
	KEY_TYPES, /* unknown */
};
const char *crypto_key_type_name(enum key_type); /* "rsa-2048", "ec-p256" */

/* Keys. The caller frees them with crypto_key_free(). */
int crypto_key_generate(struct crypto *, enum key_type,
    struct evp_pkey_st **out, struct error *);
/* PKCS#8 or traditional, PEM; `name` is for the message. */
int crypto_key_from_pem(struct crypto *, struct span pem, const char *name,
    struct evp_pkey_st **out, struct error *);
/* PKCS#8 PEM. */
int crypto_key_to_pem(const struct evp_pkey_st *, struct blob *out,
    struct error *);
/* SubjectPublicKeyInfo: RSA of 512 to 16384 bits, EC P-256/384/521. */
int crypto_key_from_spki(struct crypto *, struct span spki,
    struct evp_pkey_st **out, struct error *);
int crypto_key_to_spki(const struct evp_pkey_st *, struct blob *out,
    struct error *);
int crypto_key_bits(const struct evp_pkey_st *);
bool crypto_key_is_rsa(const struct evp_pkey_st *);
void crypto_key_free(struct evp_pkey_st *);

/* PKCS#1 v1.5 with RSA, ECDSA with EC. 0 if it verifies, else -1. */
int crypto_verify(struct crypto *, struct evp_pkey_st *, enum digest,
    struct span data, struct span signature);
int crypto_sign(struct crypto *, struct evp_pkey_st *, enum digest,
    struct span data, struct buffer *signature);
/*
 * The AlgorithmIdentifier of such a signature in a certificate or CRL:
 * shaXWithRSAEncryption with NULL (RFC 4055 5), or ecdsa-with-SHAx without
 * parameters (RFC 5758 3.2). EC with MD5 has none: the buffer fails.
 */
void crypto_add_signature_algorithm(struct buffer *, const struct evp_pkey_st *,
    enum digest);
/*
 * RSASSA-PSS (RFC 4055 3.1): MGF1 with the same digest, a salt of its size.
 * An EC key has none: -1, and the buffer fails.
 */
int crypto_sign_pss(struct crypto *, struct evp_pkey_st *, enum digest,
    struct span data, struct buffer *signature);
void crypto_add_pss_algorithm(struct buffer *, const struct evp_pkey_st *,
    enum digest);

/* How a content key is encrypted to an RSA key (RFC 5652 6.2.1). */
enum key_transport {
	TRANSPORT_PKCS1, /* RSAES-PKCS1-v1_5 */
	TRANSPORT_OAEP,	 /* RSAES-OAEP, RFC 3560 */
};
/* RSAES-OAEP-params (RFC 8017 A.2.1), always with an empty label. */
struct oaep {
	enum digest hash, mgf1;
};
/* OAEP with its defaults, SHA-1 and MGF1 with SHA-1, as NDES sends it. */
int crypto_wrap(struct crypto *, struct evp_pkey_st *, enum key_transport,
    struct span cek, struct buffer *out);
/* NULL: PKCS#1. cek holds `size` bytes; returns how many it were, or -1. */
int crypto_unwrap(struct crypto *, struct evp_pkey_st *, const struct oaep *,
    struct span wrapped, uint8_t *cek, size_t size);
/*
 * Key agreement with the owner of an EC key, RFC 5753 3.1: ephemeral-static
 * ECDH, the KDF of X9.63 with SHA-256 over `shared_info`, then the key wrap
 * of the cipher that the content key is for. `point` becomes the ephemeral
 * public key, uncompressed.
 */
int crypto_wrap_ec(struct crypto *, struct evp_pkey_st *, enum cipher,
    struct span shared_info, struct span cek, struct buffer *point,
    struct buffer *out);

/* CBC with PKCS#7 padding; key and iv have the sizes of the cipher. */
int crypto_encrypt(struct crypto *, enum cipher, const uint8_t *key,
    const uint8_t *iv, struct span plain, struct buffer *out);
int crypto_decrypt(struct crypto *, enum cipher, const uint8_t *key,
    const uint8_t *iv, struct span sealed, struct buffer *out);

/* The first octet of a keyUsage (RFC 5280 4.2.1.3). */
#define KEY_USAGE_DIGITAL_SIGNATURE 0x80
#define KEY_USAGE_KEY_ENCIPHERMENT 0x20
#define KEY_USAGE_KEY_AGREEMENT 0x08
#define KEY_USAGE_CERT_SIGN 0x04
#define KEY_USAGE_CRL_SIGN 0x02

/* A certificate, RFC 5280 4.1; all spans borrow from the DER it was read of. */
struct x509 {
	struct span whole, tbs;
	struct span signature_oid, signature;
	struct span serial;	     /* content of the INTEGER */
	struct span issuer, subject; /* whole Names */
	struct span spki;	     /* whole SubjectPublicKeyInfo */
	struct span key_id;	     /* subjectKeyIdentifier, or empty */
	struct span key_usage;	     /* content of the BIT STRING, or empty */
	struct span validity;	     /* content of the SEQUENCE */
	int64_t not_before, not_after;
};
int x509_read(struct span der, struct x509 *out);
/* UTCTime or GeneralizedTime in the form RFC 5280 4.1.2.5 demands. */
int x509_time(struct span *rest, int64_t *out);
/* The first CERTIFICATE of a PEM text, as DER owned by the caller. */
int x509_from_pem(struct span pem, const char *name, struct blob *der,
    struct error *);
int x509_to_pem(struct span der, struct blob *pem);
/* The same with a CRL. */
int x509_crl_to_pem(struct span der, struct blob *pem);
/* Whether others could read a certificate with this in it (RFC 5280). */
bool x509_name_is_sound(struct span name);
/* `list`: the content of Extensions; looks into subjectAltName. */
bool x509_extensions_are_sound(struct span list);
/* A Name as "C=US, CN=x", printable ASCII, cut to `size`. */
char *x509_name_text(struct span name, char *out, size_t size);
/*
 * A Name from "C=US, O=Example + CN=x\, y", in the order as written: types as
 * OpenSSL names them or in digits, a backslash before what has a meaning.
 * Strings are PrintableString where that will do, else UTF8String; or what
 * their type demands.
 */
int x509_name_from_text(const char *, struct buffer *out, struct error *);
/* The same Name with strings of this tag, where they can be. */
int x509_name_retype(struct span name, int tag, struct buffer *out);
/*
 * A Name as OpenSSL's own files have it, "/C=US/CN=x": what
 * X509_NAME_oneline() makes of it, to the octet; printable ASCII. -1: no Name.
 */
int x509_name_line(struct span name, struct buffer *out);
/* Whether a SubjectPublicKeyInfo names this algorithm. */
bool x509_key_is(struct span spki, struct span algorithm);
/* SHA-1 over the key's bits: RFC 5280 4.2.1.2 (1). */
int x509_key_id(struct crypto *, struct span spki, uint8_t out[20]);
/* A size at which x509_name_text() cuts nothing. */
#define X509_NAME_TEXT_SIZE(name) (2 * (name).len + 32)
/* Of the content of Extensions, the value of this one, or empty. */
struct span x509_extension(struct span extensions, struct span oid);
/* Whether they have an extKeyUsage with this purpose. */
bool x509_asks_for_usage(struct span extensions, struct span purpose);
/*
 * Their subjectAltName as openssl.cnf has it, printable ASCII: "DNS:a.example,
 * IP:10.0.0.1, email:a@b, UPN:a@b, URI:urn:x, dirName:CN=x"; else nothing.
 */
void x509_alt_name_text(struct span extensions, struct buffer *out);

/* The content octets of the OIDs in use. */
extern const struct span oid_data, oid_signed_data, oid_enveloped_data;
extern const struct span oid_content_type, oid_message_digest;
extern const struct span oid_signing_time;
extern const struct span oid_challenge_password, oid_extension_request;
extern const struct span oid_rsa_encryption, oid_ec_public_key;
extern const struct span oid_rsa_oaep, oid_mgf1, oid_p_specified, oid_rsa_pss;
extern const struct span oid_ecdh_sha256_kdf;
extern const struct span oid_scep_message_type, oid_scep_pki_status;
extern const struct span oid_scep_fail_info, oid_scep_sender_nonce;
extern const struct span oid_scep_recipient_nonce, oid_scep_transaction_id;
extern const struct span oid_scep_fail_info_text;
extern const struct span oid_ms_scep_error, oid_ms_scep_server_message;
extern const struct span oid_ms_template_name, oid_ms_request_agent;
extern const struct span oid_ms_upn;
extern const struct span oid_ext_subject_key_id, oid_ext_key_usage;
extern const struct span oid_ext_subject_alt_name, oid_ext_basic_constraints;
extern const struct span oid_ext_authority_key_id, oid_ext_extended_key_usage;
extern const struct span oid_ext_crl_number, oid_ext_crl_reason;
extern const struct span oid_server_auth, oid_client_auth;
extern const struct span oid_common_name, oid_country, oid_organization;

#endif
