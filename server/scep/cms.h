/* The inside of this folder: CMS (RFC 5652) as both directions need it. */
#ifndef SCEP_CMS_H
#define SCEP_CMS_H

#include "base/der.h"
#include "scep/scep.h"

/* How the bytes of a message came. */
struct cms_form {
	bool ber;      /* not as DER */
	bool trailing; /* others follow them */
};
/* BER rewritten as DER into *store, on which *out lies. */
int cms_to_der(struct span in, struct blob *store, struct cms_form *,
    struct span *out);
/* A PrintableString, or what clients send in its place; else empty. */
struct span cms_text(const struct der *);

/* The parts of a SignedData that matter, RFC 5652 5.1 and 5.3. */
struct signed_parts {
	struct span version, digests;
	struct span content_type, content; /* eContent, joined */
	struct span certificates;	   /* content of [0] */
	struct span more_signers;	   /* after the first, which is read */
	struct span info_version;
	struct span sid_issuer, sid_serial, sid_key_id;
	struct der attributes; /* [0] signedAttrs */
	/* Their parameters: all that follows the OIDs. */
	struct span digest_oid, digest_parameters;
	struct span signature_oid, signature_parameters;
	struct span signature;
	struct span message_digest;
};

/* The parts of an EnvelopedData that matter, RFC 5652 6.1. */
struct envelope {
	struct span version;
	bool originator;
	struct span recipients;
	struct span type;
	struct span cipher, parameters; /* parameters: all that follows */
	struct span sealed;
	struct span rest; /* unprotectedAttrs */
};
/* ContentInfo (3) of this type, down to its content. */
int cms_open(struct span in, struct span type, struct span *content);
/* IssuerAndSerialNumber or [0] SubjectKeyIdentifier; what is not there stays. */
int cms_read_identifier(struct span *rest, struct span *issuer,
    struct span *serial, struct span *key_id);
bool cms_identifies(const struct x509 *, struct span issuer, struct span serial,
    struct span key_id);

/* ContentInfo of a SEQUENCE; cms_end() closes what cms_begin() has opened. */
struct cms_frame {
	size_t info, explicit, data;
};
struct cms_frame cms_begin(struct buffer *, struct span type);
void cms_end(struct buffer *, struct cms_frame);
/* AlgorithmIdentifier with NULL. */
void cms_add_algorithm(struct buffer *, struct span oid);
/* IssuerAndSerialNumber. */
void cms_add_identifier(struct buffer *, const struct x509 *);
struct cms_signer {
	struct crypto *crypto;
	struct evp_pkey_st *key;
	const struct x509 *cert;
	enum digest digest;
};
/* contentType and messageDigest (11.1, 11.2), which every SignedData has. */
void cms_list_content(struct scep_signed *);
/*
 * A whole SignedData (5.1) of one signer around id-data. `content` NULL:
 * eContent is left out.
 */
int cms_add_signed(struct buffer *, const struct cms_signer *,
    const struct span *content, const struct scep_signed *, struct error *);

/* The EnvelopedData that is `content`, decrypted; fills its part of *out. */
enum scep_flaw envelope_open(const struct scep_recipient *, struct span content,
    struct scep_request *out, struct buffer *plain, struct error *);
/* EnvelopedData around `plain`, for the recipient of the seal. */
int envelope_add(struct buffer *, const struct scep_seal *, struct span plain,
    struct error *);

/* IssuerAndSubject (RFC 8894 3.3.3); the spans borrow. -1: not one. */
int query_read_subject(struct span der, struct span *issuer,
    struct span *subject);
/* IssuerAndSerialNumber (RFC 8894 3.3.4). */
int query_read_serial(struct span der, struct span *issuer,
    struct span *serial);

#endif
