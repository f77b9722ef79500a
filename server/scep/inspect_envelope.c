/* What an EnvelopedData shows (RFC 5652 6, RFC 8894 3.2.2). */
#include "scep/findings.h"

/* RFC 5652 6.2.1; true: of version 0. */
static bool
inspect_key_transport(struct findings *f, struct span info)
{
	struct span version, algorithm, oid;
	struct der id;

	if (der_expect(&info, DER_INTEGER, &version) == -1 ||
	    der_next(&info, &id) == -1)
		return true;
	if (id.tag != DER_SEQUENCE)
		findings_add(f, FOUND_RECIPIENT_BY_KEY_ID);
	if (der_small_integer(version) != (id.tag == DER_SEQUENCE ? 0 : 2))
		findings_add(f, FOUND_VERSION);
	if (der_expect(&info, DER_SEQUENCE, &algorithm) == 0 &&
	    der_expect(&algorithm, DER_OID, &oid) == 0) {
		if (der_oid_is(oid, oid_rsa_oaep))
			findings_add(f, FOUND_OAEP);
		else if (der_oid_is(oid, oid_rsa_encryption) &&
		    !finding_is_null(algorithm))
			findings_add(f, FOUND_KEY_PARAMETERS);
	}
	return id.tag == DER_SEQUENCE;
}

/* RFC 5652 6.1, 6.2; the version that the EnvelopedData must have. */
static int
inspect_recipients(struct findings *f, const struct envelope *e)
{
	struct span rest = e->recipients;
	struct der info;
	size_t count = 0;
	int version = e->rest.len > 0 ? 2 : 0;

	for (; der_next(&rest, &info) == 0; count++) {
		if (info.tag == DER_SEQUENCE) {
			if (!inspect_key_transport(f, info.content) &&
			    version < 2)
				version = 2;
			continue;
		}
		findings_add(f, FOUND_RECIPIENT_KIND);
		/* pwri [3] and ori [4] */
		if (info.tag >= DER_CONTEXT_CONSTRUCTED(3))
			version = 3;
		else if (version < 2)
			version = 2;
	}
	if (count > 1)
		findings_add(f, FOUND_SEVERAL_RECIPIENTS);
	return version;
}

void
inspect_envelope(struct findings *f, const struct cms_form *form,
    const struct envelope *e)
{
	static const enum scep_finding rows[] = {
		[CIPHER_DES] = FOUND_SINGLE_DES,
		[CIPHER_DES3] = FOUND_TRIPLE_DES,
		[CIPHER_AES128] = FOUND_NOTHING,
		[CIPHER_AES192] = FOUND_OTHER_AES,
		[CIPHER_AES256] = FOUND_OTHER_AES,
		[CIPHER_COUNT] = FOUND_UNKNOWN_CIPHER,
	};
	int version = inspect_recipients(f, e);

	/* What an originatorInfo asks for depends on what is in it. */
	if (!e->originator && der_small_integer(e->version) != version)
		findings_add(f, FOUND_VERSION);
	if (form->ber)
		findings_add(f, FOUND_INNER_BER);
	if (form->trailing)
		findings_add(f, FOUND_INNER_TRAILING);
	if (!der_oid_is(e->type, oid_data))
		findings_add(f, FOUND_INNER_NOT_DATA);
	findings_add(f, rows[cipher_by_oid(e->cipher)]);
}
