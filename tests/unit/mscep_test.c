/* mscep.dll: operations and its own answers (ndes-facts 1, 3). */
#include "unit/authority.h"
#include "unit/exchanges.h"

#include "stack/stack.h"

#define PATH "/certsrv/mscep/mscep.dll"

static const struct asked {
	const char *row, *target;
	enum operation operation;
	const char *name; /* for logs */
} askeds[] = {
	{ "GetCACaps", PATH "?operation=GetCACaps", OPERATION_GET_CA_CAPS,
	    "GetCACaps" },
	{ "GetCACert", PATH "?operation=GetCACert", OPERATION_GET_CA_CERT,
	    "GetCACert" },
	{ "GetCACerts, as Microsoft's script asks",
	    PATH "?operation=GetCACerts", OPERATION_GET_CA_CERT, "GetCACert" },
	{ "PKIOperation", PATH "?operation=PKIOperation", OPERATION_PKI,
	    "PKIOperation" },
	{ "small letters", PATH "?operation=pkioperation", OPERATION_PKI,
	    "PKIOperation" },
	{ "capitals", PATH "?OPERATION=GETCACAPS", OPERATION_GET_CA_CAPS,
	    "GetCACaps" },
	{ "the message behind", PATH "?operation=GetCACaps&message=default",
	    OPERATION_GET_CA_CAPS, "GetCACaps" },
	{ "the message before",
	    PATH "?message=SCEP%20Authority&operation=GetCACert",
	    OPERATION_GET_CA_CERT, "GetCACert" },
	{ "an empty message", PATH "?operation=GetCACaps&message=",
	    OPERATION_GET_CA_CAPS, "GetCACaps" },
	{ "a message that speaks of operations",
	    PATH "?message=operation=GetCACert&operation=GetCACaps",
	    OPERATION_GET_CA_CAPS, "GetCACaps" },
	{ "empty parameters around", PATH "?&&operation=GetCACaps&&",
	    OPERATION_GET_CA_CAPS, "GetCACaps" },
	{ "of two the first", PATH "?operation=GetCACaps&operation=GetCACert",
	    OPERATION_GET_CA_CAPS, "GetCACaps" },
	{ "no query", PATH, OPERATION_NONE, NULL },
	{ "an empty query", PATH "?", OPERATION_NONE, NULL },
	{ "an empty operation", PATH "?operation=", OPERATION_NONE, NULL },
	{ "an operation without a value", PATH "?operation", OPERATION_NONE,
	    NULL },
	{ "only a message", PATH "?message=default", OPERATION_NONE, NULL },
	{ "another parameter that ends alike", PATH "?xoperation=GetCACaps",
	    OPERATION_NONE, NULL },
	{ "another parameter that begins alike", PATH "?operations=GetCACaps",
	    OPERATION_NONE, NULL },
	{ "the next CA", PATH "?operation=GetNextCACert", OPERATION_GET_NEXT_CA,
	    "GetNextCACert" },
	{ "the beginning of an operation", PATH "?operation=GetCA",
	    OPERATION_UNKNOWN, "unknown" },
	{ "an operation and a letter", PATH "?operation=GetCACapsX",
	    OPERATION_UNKNOWN, "unknown" },
	{ "an operation and a blank", PATH "?operation=GetCACaps%20",
	    OPERATION_UNKNOWN, "unknown" },
};

static void
asks_for(void **state)
{
	const struct asked *t = *state;
	struct exchange ex;
	const char *name;

	exchange_make(&ex, "GET", t->target);
	assert_int_equal(mscep_operation(&ex.request), t->operation);
	name = mscep_operation_name(t->operation);
	if (t->name == NULL)
		assert_null(name);
	else
		assert_string_equal(name, t->name);
	exchange_clear(&ex);
}

static const struct carried {
	const char *row, *method, *target, *body;
	const char *message; /* NULL: none */
} carrieds[] = {
	{ "a GET", "GET", PATH "?operation=PKIOperation&message=QUJD", NULL,
	    "ABC" },
	{ "a GET with its message first", "GET",
	    PATH "?message=QUI%3D&operation=PKIOperation", NULL, "AB" },
	{ "a GET with a plus sign as it is", "GET",
	    PATH "?operation=PKIOperation&message=++++", NULL, "\xfb\xef\xbe" },
	{ "a GET with padding as it is", "GET",
	    PATH "?operation=PKIOperation&message=QQ==", NULL, "A" },
	{ "a GET with a name in capitals", "GET",
	    PATH "?operation=PKIOperation&MESSAGE=QUJD", NULL, "ABC" },
	{ "a GET without a message", "GET", PATH "?operation=PKIOperation",
	    NULL, NULL },
	{ "a GET with an empty message", "GET",
	    PATH "?operation=PKIOperation&message=", NULL, NULL },
	{ "what Microsoft's script sends", "GET",
	    PATH "?operation=PKIOperation&message=NDESLongUrlValidatorFake%zz",
	    NULL, NULL },
	{ "a POST", "POST", PATH "?operation=PKIOperation", "0\x03\x02\x01\x05",
	    "0\x03\x02\x01\x05" },
	{ "a POST is not base64", "POST", PATH "?operation=PKIOperation",
	    "QUJD", "QUJD" },
	{ "a POST with a message in its query too", "POST",
	    PATH "?operation=PKIOperation&message=QUJD", "body", "body" },
	{ "an empty POST", "POST", PATH "?operation=PKIOperation", "", "" },
};

static void
carries(void **state)
{
	const struct carried *t = *state;
	struct blob decoded;
	struct exchange ex;
	struct span message;
	int ret;

	exchange_make(&ex, t->method, t->target);
	if (t->body != NULL)
		buffer_add_text(&ex.request.body, t->body);
	ret = mscep_message(&ex.request, &decoded, &message);
	assert_int_equal(ret, t->message == NULL ? -1 : 0);
	if (t->message != NULL)
		assert_octets(message, t->message, strlen(t->message));
	blob_free(&decoded);
	exchange_clear(&ex);
}

static const struct listed {
	const char *row, *words;
	enum line_end separator;
	bool final_newline;
	const char *type; /* NULL: as in health */
	const char *wanted;
} listeds[] = {
	{ "health", NULL, LINE_END_LF, false, NULL,
	    "POSTPKIOperation\nRenewal\nSHA-512\nSHA-256\nSHA-1\nDES3" },
	{ "CR LF", "AES\nRenewal", LINE_END_CRLF, false, NULL,
	    "AES\r\nRenewal" },
	{ "a final LF", "AES\nRenewal", LINE_END_LF, true, NULL,
	    "AES\nRenewal\n" },
	{ "a final CR LF", "AES\nRenewal", LINE_END_CRLF, true, NULL,
	    "AES\r\nRenewal\r\n" },
	{ "one word", "SCEPStandard", LINE_END_CRLF, false, NULL,
	    "SCEPStandard" },
	{ "nothing has no line to end", "", LINE_END_CRLF, true, NULL, "" },
	{ "another type", "AES", LINE_END_LF, false, "text/html; charset=x",
	    "AES" },
	{ "no type", "AES", LINE_END_LF, false, "", "AES" },
};

static void
capabilities(void **state)
{
	const struct listed *t = *state;
	struct stack_state s;
	struct scep_caps caps;
	struct exchange ex;

	stack_healthy(&s);
	if (t->words != NULL)
		strcpy(s.mscep.capabilities, t->words);
	s.mscep.capabilities_separator = t->separator;
	s.mscep.capabilities_final_newline = t->final_newline;
	if (t->type != NULL)
		strcpy(s.mscep.capabilities_content_type, t->type);
	exchange_make(&ex, "GET", PATH "?operation=GetCACaps");
	mscep_plan_caps(&s, &caps);
	mscep_answer_caps(&ex, &s, &caps);
	exchange_must_say(&ex, LAYER_MSCEP, 200, 0, 0);
	if (t->type != NULL && *t->type == '\0') {
		exchange_must_have_headers(&ex, "Server X-Powered-By Date");
	} else {
		exchange_must_have_headers(&ex,
		    "Content-Type Server X-Powered-By Date");
		exchange_must_have_header(&ex, "Content-Type",
		    t->type == NULL ? "text/plain" : t->type);
	}
	exchange_must_be_measured(&ex);
	assert_octets(blob_span(&ex.reply.body), t->wanted, strlen(t->wanted));
	exchange_clear(&ex);
}

static const struct accepted {
	const char *row, *method, *target;
	bool no_post, no_get;
	bool has;
} accepteds[] = {
	{ "a POST", "POST", PATH "?operation=PKIOperation", false, true, true },
	{ "a POST that is not accepted", "POST",
	    PATH "?operation=PKIOperation&message=QUJD", true, false, false },
	{ "a GET", "GET", PATH "?operation=PKIOperation&message=QUJD", true,
	    false, true },
	{ "a GET with a broken message", "GET",
	    PATH "?operation=PKIOperation&message=%", false, false, true },
	{ "a GET with an empty message", "GET",
	    PATH "?operation=PKIOperation&message=", false, false, true },
	{ "a GET without a message", "GET", PATH "?operation=PKIOperation",
	    false, false, false },
	{ "a GET without even a value", "GET",
	    PATH "?operation=PKIOperation&message", false, false, false },
	{ "a GET that is not accepted", "GET",
	    PATH "?operation=PKIOperation&message=QUJD", false, true, false },
};

static void
accepts(void **state)
{
	const struct accepted *t = *state;
	struct stack_state s;
	struct exchange ex;

	stack_healthy(&s);
	s.mscep.accept.post = !t->no_post;
	s.mscep.accept.get = !t->no_get;
	exchange_make(&ex, t->method, t->target);
	assert_int_equal(mscep_has_message(&s, &ex.request), t->has);
	exchange_clear(&ex);
}

static void
accepts_algorithms(void **state)
{
	struct stack_state s;
	enum refusal wanted;

	(void)state;
	stack_healthy(&s);
	for (enum digest d = DIGEST_MD5; d <= DIGEST_COUNT; d++)
		for (enum cipher c = CIPHER_DES; c <= CIPHER_COUNT; c++)
			assert_int_equal(mscep_judge_algorithms(&s, d, c),
			    REFUSAL_NONE);
	s.mscep.accept.weakest_digest = DIGEST_SHA256;
	s.mscep.accept.weakest_cipher = CIPHER_AES128;
	for (enum digest d = DIGEST_MD5; d <= DIGEST_COUNT; d++)
		for (enum cipher c = CIPHER_DES; c <= CIPHER_COUNT; c++) {
			wanted = d == DIGEST_MD5 || d == DIGEST_SHA1 ||
				d == DIGEST_SHA224 || c == CIPHER_DES ||
				c == CIPHER_DES3 ?
			    REFUSAL_BAD_ALGORITHM :
			    REFUSAL_NONE;
			assert_int_equal(mscep_judge_algorithms(&s, d, c),
			    wanted);
		}
}

/* Both RAs, then the CA, as OpenSSL finds them. */
static void
ca_certificates(void **state)
{
	static const int order[] = { CA_RA_SIGNING, CA_RA_ENCRYPTION,
		CA_ISSUING };
	struct authority ca = authority_open();
	struct stack_state s;
	struct exchange ex;
	const uint8_t *at;
	struct blob der;
	PKCS7 *p7;

	(void)state;
	stack_healthy(&s);
	exchange_make(&ex, "GET", PATH "?operation=GetCACert");
	assert_int_equal(mscep_ca_certs(ca.credentials, &der), 0);
	mscep_answer_ca_cert(&ex, &s, blob_span(&der));
	exchange_must_say(&ex, LAYER_MSCEP, 200, 0, 0);
	exchange_must_have_header(&ex, "Content-Type",
	    "application/x-x509-ca-ra-cert");
	exchange_must_be_measured(&ex);
	at = ex.reply.body.data;
	p7 = d2i_PKCS7(NULL, &at, (long)ex.reply.body.len);
	assert_non_null(p7);
	assert_int_equal(sk_X509_num(p7->d.sign->cert), 3);
	for (int i = 0; i < 3; i++)
		assert_int_equal(X509_cmp(sk_X509_value(p7->d.sign->cert, i),
				     ca.certs[order[i]]),
		    0);
	PKCS7_free(p7);
	blob_free(&der);
	exchange_clear(&ex);
	authority_close(&ca);
}

/* The octets are UTF-16LE; the text in them is ASCII. */
static void
page_must_have(const struct exchange *ex, const char *text)
{
	struct buffer wide = { 0 };

	for (; *text != '\0'; text++) {
		buffer_add_byte(&wide, (uint8_t)*text);
		buffer_add_byte(&wide, 0);
	}
	assert_non_null(memmem(ex->reply.body.data, ex->reply.body.len,
	    wide.data, wide.len));
	buffer_free(&wide);
}

static const struct encoding {
	const char *row;
	bool bom, odd_byte;
	const char *begin;
	size_t begin_len;
} encodings[] = {
	{ "plain", false, false, "<\0H\0T\0M\0L\0>\0", 12 },
	{ "with a BOM", true, false, "\xff\xfe<\0H\0", 6 },
	{ "with an octet too many", false, true, "<\0H\0", 4 },
	{ "with both", true, true, "\xff\xfe<\0", 4 },
};

static void
general_page(void **state)
{
	const struct encoding *t = *state;
	struct stack_state s;
	struct exchange ex;

	stack_healthy(&s);
	s.mscep.bom = t->bom;
	s.mscep.odd_byte = t->odd_byte;
	exchange_make(&ex, "GET", PATH);
	mscep_answer_general(&ex, &s);
	exchange_must_say(&ex, LAYER_MSCEP, 200, 0, 0);
	exchange_must_have_header(&ex, "Content-Type", "text/html");
	exchange_must_be_measured(&ex);
	assert_memory_equal(ex.reply.body.data, t->begin, t->begin_len);
	assert_int_equal(ex.reply.body.len % 2, t->odd_byte);
	page_must_have(&ex,
	    "Network Device Enrollment Service allows you to obtain "
	    "certificates for routers or other network devices using the "
	    "Simple Certificate Enrollment Protocol (SCEP).");
	page_must_have(&ex,
	    "This URL is used by network devices to submit certificate "
	    "requests.");
	page_must_have(&ex,
	    "To obtain an enrollment challenge password, go to the admin URL. "
	    "By default, the admin URL is ");
	page_must_have(&ex, "http://NDESServer01/CertSrv/mscep_admin");
	page_must_have(&ex, "charset=UTF-8");
	exchange_clear(&ex);
}

static const struct flawed {
	const char *row;
	const char *method, *query;
	enum scep_flaw flaw;
	int event;
	const char *text;
} flaweds[] = {
	{ "not a SignedData", "POST", "", SCEP_NOT_CMS, 17,
	    "The Network Device Enrollment Service cannot retrieve required "
	    "information, such as the transaction ID, message type, or signing "
	    "certificate, from the client's PKCS7 message (0x8009310b).  ASN1 "
	    "bad tag value met." },
	{ "nor is this, by GET", "GET", "&message=AAAA", SCEP_NOT_CMS, 17,
	    "The Network Device Enrollment Service cannot retrieve required "
	    "information, such as the transaction ID, message type, or signing "
	    "certificate, from the client's PKCS7 message (0x8009310b).  ASN1 "
	    "bad tag value met." },
	{ "not even base64", "GET", "&message=!!!", SCEP_NOT_CMS, 16,
	    "The Network Device Enrollment Service cannot decode the http "
	    "message from the client (0x8009310b).  ASN1 bad tag value met." },
	{ "without the parts that matter", "POST", "", SCEP_NO_INFO, 17,
	    "The Network Device Enrollment Service cannot retrieve required "
	    "information, such as the transaction ID, message type, or signing "
	    "certificate, from the client's PKCS7 message (0x8009310b).  ASN1 "
	    "bad tag value met." },
	{ "not for us", "POST", "", SCEP_UNDECRYPTABLE, 18,
	    "The Network Device Enrollment Service cannot decrypt the client's "
	    "PKCS7 message (0x80090005).  Bad Data." },
};

static void
check_event(const struct exchange *ex, int id)
{
	const struct event *e = ex->events;

	assert_non_null(e);
	assert_null(e->next);
	assert_int_equal(e->id, id);
	assert_string_equal(e->log, "Application");
	assert_string_equal(e->level, "Error");
	assert_non_null(strstr(e->source, "NetworkDeviceEnrollmentService"));
}

static void
cannot_read(void **state)
{
	const struct flawed *t = *state;
	struct stack_state s;
	struct exchange ex;
	char target[128];

	stack_healthy(&s);
	snprintf(target, sizeof(target), PATH "?operation=PKIOperation%s",
	    t->query);
	exchange_make(&ex, t->method, target);
	mscep_answer_unreadable(&ex, &s, t->flaw);
	exchange_must_say(&ex, LAYER_MSCEP, 200, 0, 0);
	exchange_must_have_header(&ex, "Content-Type", "text/html");
	check_event(&ex, t->event);
	assert_string_equal(ex.events->text, t->text);
	exchange_clear(&ex);
}

/* The words and the status are known, the body is a setting. */
static const struct body {
	const char *row;
	enum reply_profile profile;
	int unreadable;
	enum unreadable means;
	bool empty;
} bodies[] = {
	{ "NDES's own page", PROFILE_NDES, AS_PROFILE, UNREADABLE_GENERAL,
	    false },
	{ "nothing", PROFILE_NDES, UNREADABLE_EMPTY, UNREADABLE_EMPTY, true },
	{ "a CertRep as NDES", PROFILE_NDES, UNREADABLE_CERT_REP,
	    UNREADABLE_CERT_REP, false },
	{ "a CertRep as the RFC says", PROFILE_RFC8894, AS_PROFILE,
	    UNREADABLE_CERT_REP, false },
	{ "nothing although the RFC says more", PROFILE_RFC8894,
	    UNREADABLE_EMPTY, UNREADABLE_EMPTY, true },
	{ "a page although the RFC says more", PROFILE_RFC8894,
	    UNREADABLE_GENERAL, UNREADABLE_GENERAL, false },
};

static void
unreadable_gets(void **state)
{
	const struct body *t = *state;
	struct stack_state s;
	struct exchange ex;

	stack_healthy(&s);
	s.mscep.reply.profile = t->profile;
	s.mscep.unreadable = t->unreadable;
	assert_int_equal(mscep_unreadable(&s), t->means);
	exchange_make(&ex, "POST", PATH "?operation=PKIOperation");
	mscep_answer_unreadable(&ex, &s, SCEP_UNDECRYPTABLE);
	exchange_must_say(&ex, LAYER_MSCEP, 200, 0, 0);
	exchange_must_be_measured(&ex);
	check_event(&ex, 18);
	if (t->empty) {
		assert_int_equal(ex.reply.body.len, 0);
		exchange_must_have_headers(&ex, "Server X-Powered-By Date");
	} else {
		exchange_must_have_header(&ex, "Content-Type", "text/html");
		page_must_have(&ex, "This URL is used by network devices");
	}
	exchange_clear(&ex);
}

static void
no_message(void **state)
{
	struct stack_state s;
	struct exchange ex;

	(void)state;
	stack_healthy(&s);
	exchange_make(&ex, "POST", PATH "?operation=PKIOperation");
	mscep_answer_no_message(&ex, &s);
	exchange_must_say(&ex, LAYER_MSCEP, 200, 0, 0);
	exchange_must_have_header(&ex, "Content-Type", "text/html");
	page_must_have(&ex, "This URL is used by network devices");
	check_event(&ex, 15);
	assert_string_equal(ex.events->text,
	    "The Network Device Enrollment Service received an http message "
	    "without the \"Message\" tag.");
	exchange_clear(&ex);
}

static void
cert_rep(void **state)
{
	struct scep_reply reply = { .status = SCEP_FAILURE,
		.fail_info = SCEP_BAD_MESSAGE_CHECK };
	struct blob der = exact_copy("0\x03\x02\x01\x05", 5);
	struct stack_state s;
	struct exchange ex;

	(void)state;
	stack_healthy(&s);
	exchange_make(&ex, "POST", PATH "?operation=PKIOperation");
	mscep_answer_cert_rep(&ex, &s, &reply, der);
	exchange_must_say(&ex, LAYER_MSCEP, 200, 0, 0);
	exchange_must_have_header(&ex, "Content-Type",
	    "application/x-pki-message");
	exchange_must_be_measured(&ex);
	assert_octets(blob_span(&ex.reply.body), "0\x03\x02\x01\x05", 5);
	assert_int_equal(ex.scep.pki_status, 2);
	assert_int_equal(ex.scep.fail_info, 1);
	exchange_clear(&ex);
	reply.status = SCEP_SUCCESS;
	exchange_make(&ex, "POST", PATH "?operation=PKIOperation");
	mscep_answer_cert_rep(&ex, &s, &reply, exact_copy("x", 1));
	assert_int_equal(ex.scep.pki_status, 0);
	assert_int_equal(ex.scep.fail_info, -1);
	exchange_clear(&ex);
}

int
main(void)
{
	static const struct table tables[] = {
		ROWS(asks_for, askeds),
		ROWS(carries, carrieds),
		ROWS(accepts, accepteds),
		ONE(accepts_algorithms, "what is weaker is not accepted"),
		ROWS(capabilities, listeds),
		ONE(ca_certificates, "GetCACert has both RAs and the CA"),
		ROWS(general_page, encodings),
		ROWS(cannot_read, flaweds),
		ROWS(unreadable_gets, bodies),
		ONE(no_message, "without a message there is an event"),
		ONE(cert_rep, "a CertRep is sent as it is"),
	};

	return ROWS_RUN(tables, NULL, NULL);
}
