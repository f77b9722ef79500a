/* CertRep, every byte by our own hand. */
#include "scep/cms.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/der.h"

static void
add_number(struct buffer *b, struct span oid, int32_t number)
{
	char text[12];

	snprintf(text, sizeof(text), "%d", (int)number);
	cms_add_attribute(b, oid, DER_PRINTABLE_STRING, span_text(text));
}

static void
add_text(struct buffer *b, struct span oid, int tag, const char *text)
{
	if (text != NULL)
		cms_add_attribute(b, oid, tag, span_text(text));
}

/* Those of SCEP (3.2.1) and of Microsoft. */
static void
add_attributes(struct buffer *b, const struct scep_reply *reply)
{
	add_number(b, oid_scep_message_type, SCEP_CERT_REP);
	add_number(b, oid_scep_pki_status, reply->status);
	if (reply->status == SCEP_FAILURE)
		add_number(b, oid_scep_fail_info, reply->fail_info);
	add_text(b, oid_scep_fail_info_text, DER_UTF8_STRING,
	    reply->fail_info_text);
	if (reply->ms_error != 0)
		add_number(b, oid_ms_scep_error, reply->ms_error);
	add_text(b, oid_ms_scep_server_message, DER_UTF8_STRING,
	    reply->ms_message);
	cms_add_attribute(b, oid_scep_sender_nonce, DER_OCTET_STRING,
	    reply->sender_nonce);
	if (reply->recipient_nonce.len > 0)
		cms_add_attribute(b, oid_scep_recipient_nonce, DER_OCTET_STRING,
		    reply->recipient_nonce);
	add_text(b, oid_scep_transaction_id, DER_PRINTABLE_STRING,
	    reply->transaction_id);
}

/* The leaf, then what else there is. */
static int
add_certificates(struct buffer *b, const struct scep_reply *reply)
{
	size_t count = 1 + reply->more_count;
	struct span *certs = calloc(count, sizeof(*certs));
	int ret;

	if (certs == NULL)
		return -1;
	certs[0] = reply->certificate;
	for (size_t i = 1; i < count; i++)
		certs[i] = reply->more[i - 1];
	ret = scep_degenerate(b, certs, count);
	free(certs);
	return ret;
}

static int
build_envelope(struct buffer *b, const struct scep_reply *reply,
    const struct scep_seal *seal, struct error *err)
{
	struct buffer bag = { 0 };
	int ret;

	if ((reply->crl.len > 0 ? scep_degenerate_crl(&bag, reply->crl) :
				  add_certificates(&bag, reply)) == -1)
		ret = error_set(err, "out of memory");
	else
		ret = envelope_add(b, seal, buffer_span(&bag), err);
	buffer_free(&bag);
	return ret;
}

int
scep_reply_encode(struct blob *out, const struct scep_reply *reply,
    const struct scep_seal *seal, struct error *err)
{
	const struct cms_signer signer = { seal->crypto, seal->signer_key,
		seal->signer, seal->digest };
	struct buffer b = { 0 }, envelope = { 0 }, attributes = { 0 };
	struct span content = SPAN_EMPTY;
	bool absent = false;
	int ret = -1;

	*out = (struct blob){ NULL, 0 };
	if (reply->status == SCEP_SUCCESS) {
		if (build_envelope(&envelope, reply, seal, err) == -1)
			goto out;
		content = buffer_span(&envelope);
	} else if (reply->no_content == SCEP_CONTENT_ZERO) {
		content = span_of("", 1);
	} else {
		absent = reply->no_content == SCEP_CONTENT_ABSENT;
	}
	add_attributes(&attributes, reply);
	if (attributes.failed)
		error_set(err, "out of memory");
	else if (cms_add_signed(&b, &signer, absent ? NULL : &content,
		     buffer_span(&attributes), err) == 0)
		ret = buffer_finish(&b, out);
out:
	buffer_free(&b);
	buffer_free(&envelope);
	buffer_free(&attributes);
	return ret;
}

const char *
scep_type_name(int type)
{
	switch (type) {
	case SCEP_CERT_REP:
		return "CertRep";
	case SCEP_RENEWAL_REQ:
		return "RenewalReq";
	case SCEP_PKCS_REQ:
		return "PKCSReq";
	case SCEP_CERT_POLL:
		return "CertPoll";
	case SCEP_GET_CERT:
		return "GetCert";
	case SCEP_GET_CRL:
		return "GetCRL";
	}
	return "unknown";
}

const char *
scep_fail_info_name(int fail_info)
{
	static const char *const names[] = { "badAlg", "badMessageCheck",
		"badRequest", "badTime", "badCertId" };

	return fail_info >= 0 && fail_info <= SCEP_BAD_CERT_ID ?
	    names[fail_info] :
	    "unknown";
}
