#include "scep/scep.h"

#include <stdlib.h>
#include <string.h>

#include "base/der.h"

static int
read_attribute(struct span attribute, struct scep_csr *out, struct error *err)
{
	struct span oid, values, list;
	struct der value;

	if (der_expect(&attribute, DER_OID, &oid) == -1 ||
	    der_expect(&attribute, DER_SET, &values) == -1)
		return error_set(err, "RFC 2986 4.1: a broken attribute");
	if (der_oid_is(oid, oid_challenge_password)) {
		if (out->challenge != NULL)
			return error_set(err,
			    "RFC 2985 5.4.1: two challengePasswords");
		if (der_next(&values, &value) == -1 ||
		    (out->challenge = der_string_utf8(&value)) == NULL)
			return error_set(err,
			    "RFC 2985 5.4.1: the "
			    "challengePassword is not a DirectoryString");
	} else if (der_oid_is(oid, oid_extension_request)) {
		if (der_expect(&values, DER_SEQUENCE, &list) == -1)
			return error_set(err,
			    "RFC 2985 5.4.2: the "
			    "extensionRequest is not Extensions");
		if (!x509_extensions_are_sound(list))
			return error_set(err,
			    "RFC 5280 4.2: the extensions asked for are broken");
		out->extensions = list;
	}
	return 0;
}

int
scep_csr_read(struct span der, struct scep_csr *out, struct error *err)
{
	struct span csr, info, version, attribute;
	struct der subject, spki, attributes;

	*out = (struct scep_csr){ 0 };
	if (der_expect(&der, DER_SEQUENCE, &csr) == -1 ||
	    der_expect(&csr, DER_SEQUENCE, &info) == -1 ||
	    der_expect(&info, DER_INTEGER, &version) == -1 ||
	    der_next(&info, &subject) == -1 || subject.tag != DER_SEQUENCE ||
	    der_next(&info, &spki) == -1 || spki.tag != DER_SEQUENCE)
		return error_set(err,
		    "RFC 2986 4.1: the content is not a "
		    "CertificationRequest");
	if (!x509_name_is_sound(subject.whole))
		return error_set(err,
		    "RFC 5280 4.1.2.4: the subject of the CSR is broken");
	out->subject = subject.whole;
	out->spki = spki.whole;
	/* They are not optional, but some clients leave them out. */
	if (info.len == 0)
		return 0;
	if (!der_optional(&info, DER_CONTEXT_CONSTRUCTED(0), &attributes))
		return error_set(err,
		    "RFC 2986 4.1: the attributes are broken");
	while (attributes.content.len > 0)
		if (der_expect(&attributes.content, DER_SEQUENCE, &attribute) ==
			-1 ||
		    read_attribute(attribute, out, err) == -1) {
			free(out->challenge);
			out->challenge = NULL;
			return error_set(err,
			    "RFC 2986 4.1: the attributes "
			    "are broken");
		}
	return 0;
}

int
scep_csr_verify(struct crypto *c, struct span der, struct evp_pkey_st *key,
    struct error *err)
{
	struct span csr, algorithm, oid, signature;
	struct der info;
	enum digest digest;

	if (der_expect(&der, DER_SEQUENCE, &csr) == -1 ||
	    der_next(&csr, &info) == -1 ||
	    der_expect(&csr, DER_SEQUENCE, &algorithm) == -1 ||
	    der_expect(&algorithm, DER_OID, &oid) == -1 ||
	    der_expect(&csr, DER_BIT_STRING, &signature) == -1 ||
	    signature.len < 1)
		return error_set(err, "RFC 2986 4.2: no signature");
	signature = span_of(signature.data + 1, signature.len - 1);
	if ((digest = digest_by_signature_oid(oid)) == DIGEST_COUNT)
		return error_set(err,
		    "RFC 2986 4.2: the CSR is signed with "
		    "an unknown algorithm");
	if (crypto_verify(c, key, digest, info.whole, signature) == -1)
		return error_set(err,
		    "RFC 2986 4.2: the signature of the CSR "
		    "does not verify with its own key");
	return 0;
}
