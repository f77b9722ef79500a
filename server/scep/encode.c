/* CertRep, every byte by our own hand. */
#include "scep/cms.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/der.h"

static void
list(struct scep_signed *to, struct span oid, int tag, struct span value)
{
	to->attributes[to->count++] = (struct scep_attribute){ oid, tag, value,
		1 };
}

static void
list_number(struct scep_signed *to, char text[12], struct span oid,
    int32_t number)
{
	snprintf(text, 12, "%d", (int)number);
	list(to, oid, DER_PRINTABLE_STRING, span_text(text));
}

static void
list_text(struct scep_signed *to, struct span oid, int tag, const char *text)
{
	if (text != NULL)
		list(to, oid, tag, span_text(text));
}

/* Those of SCEP (3.2.1), of Microsoft, and of CMS. */
void
scep_message_plan(struct scep_message *m, struct scep_reply *reply,
    struct scep_seal *seal)
{
	struct scep_signed *to = &m->sign;

	*m = (struct scep_message){ .reply = reply, .seal = seal };
	list_number(to, m->numbers[0], oid_scep_message_type, SCEP_CERT_REP);
	list_number(to, m->numbers[1], oid_scep_pki_status,
	    (int32_t)reply->status);
	if (reply->status == SCEP_FAILURE)
		list_number(to, m->numbers[2], oid_scep_fail_info,
		    (int32_t)reply->fail_info);
	list_text(to, oid_scep_fail_info_text, DER_UTF8_STRING,
	    reply->fail_info_text);
	if (reply->ms_error != 0)
		list_number(to, m->numbers[3], oid_ms_scep_error,
		    reply->ms_error);
	list_text(to, oid_ms_scep_server_message, DER_UTF8_STRING,
	    reply->ms_message);
	list(to, oid_scep_sender_nonce, DER_OCTET_STRING, reply->sender_nonce);
	if (reply->recipient_nonce.len > 0)
		list(to, oid_scep_recipient_nonce, DER_OCTET_STRING,
		    reply->recipient_nonce);
	list_text(to, oid_scep_transaction_id, DER_PRINTABLE_STRING,
	    reply->transaction_id);
	cms_list_content(to);
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

/* What a SUCCESS is about, sealed or not. */
static int
build_bag(struct buffer *b, const struct scep_message *m, struct error *err)
{
	const struct scep_reply *reply = m->reply;
	struct buffer bag = { 0 };
	int ret = 0;

	if ((reply->crl.len > 0 ? scep_degenerate_crl(&bag, reply->crl) :
				  add_certificates(&bag, reply)) == -1)
		ret = error_set(err, "out of memory");
	else if (m->envelope == SCEP_ENVELOPE_PLAIN)
		buffer_add_span(b, buffer_span(&bag));
	else
		ret = envelope_add(b, m->seal, buffer_span(&bag), err);
	buffer_free(&bag);
	return ret;
}

/* The eContent; *absent: there is none. */
static int
build_content(struct buffer *b, const struct scep_message *m, bool *absent,
    struct error *err)
{
	static const enum scep_content contents[] = {
		[SCEP_ENVELOPE_EMPTY] = SCEP_CONTENT_EMPTY,
		[SCEP_ENVELOPE_ZERO] = SCEP_CONTENT_ZERO,
		[SCEP_ENVELOPE_ABSENT] = SCEP_CONTENT_ABSENT,
	};
	enum scep_content content = m->reply->no_content;

	*absent = false;
	if (m->reply->status == SCEP_SUCCESS) {
		if (m->envelope == SCEP_ENVELOPE_SEALED ||
		    m->envelope == SCEP_ENVELOPE_PLAIN)
			return build_bag(b, m, err);
		content = contents[m->envelope];
	}
	if (content == SCEP_CONTENT_ZERO)
		buffer_add_byte(b, 0);
	*absent = content == SCEP_CONTENT_ABSENT;
	return 0;
}

int
scep_message_encode(struct blob *out, const struct scep_message *m,
    struct error *err)
{
	const struct scep_seal *seal = m->seal;
	const struct cms_signer signer = { seal->crypto, seal->signer_key,
		seal->signer, seal->digest };
	struct buffer b = { 0 }, content = { 0 };
	struct span span;
	bool absent;
	int ret = -1;

	*out = (struct blob){ NULL, 0 };
	if (build_content(&content, m, &absent, err) == -1)
		goto out;
	span = buffer_span(&content);
	if (content.failed)
		error_set(err, "out of memory");
	else if (cms_add_signed(&b, &signer, absent ? NULL : &span, &m->sign,
		     err) == 0)
		ret = buffer_finish(&b, out);
out:
	buffer_free(&b);
	buffer_free(&content);
	return ret;
}

int
scep_reply_encode(struct blob *out, const struct scep_reply *reply,
    const struct scep_seal *seal, struct error *err)
{
	struct scep_reply said = *reply;
	struct scep_seal how = *seal;
	struct scep_message m;

	scep_message_plan(&m, &said, &how);
	return scep_message_encode(out, &m, err);
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
