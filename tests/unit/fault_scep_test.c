/* `do: scep`: each word changes exactly what it says, and nothing else. */
#include "unit/authority.h"
#include "unit/cert_rep.h"

#include <ctype.h>

#include "fault/fault.h"

#define SENDER_NONCE "0123456789abcdef"
#define TRANSACTION "9cB1CB998B7FCC0142297b492988AFB4"
#define SEED 1
#define TIERS ((struct ca_shape){ CA_KEY_GIVEN, 2, 0 })

static struct authority ra;
static struct credentials *tiers, *stranger; /* with a root above the CA */
static OSSL_PROVIDER *standard, *legacy;
static EVP_PKEY *key;
static X509 *device;
static struct blob device_der, leaf, crl;
static struct x509 recipient;
static uint8_t fingerprint[EVP_MAX_MD_SIZE];
static struct known known[16];
static struct cert_rep_view view;

enum base { SUCCESS, FAILURE, PENDING, WITH_CRL };

static struct scep_reply
reply_of(enum base base)
{
	struct scep_reply r = { .status = SCEP_SUCCESS,
		.fail_info = SCEP_BAD_REQUEST,
		.transaction_id = TRANSACTION,
		.sender_nonce = span_of(SENDER_NONCE, 16),
		.recipient_nonce = span_of(DEVICE_NONCE, 16) };

	switch (base) {
	case SUCCESS:
		r.ms_message = "Issued";
		r.certificate = blob_span(&leaf);
		break;
	case FAILURE:
		r.status = SCEP_FAILURE;
		r.ms_error = -2147024809;
		break;
	case PENDING:
		r.status = SCEP_PENDING;
		break;
	case WITH_CRL:
		r.ms_message = "Issued";
		r.crl = blob_span(&crl);
		break;
	}
	return r;
}

static struct scep_seal
plain_seal(void)
{
	return (struct scep_seal){ .crypto = ra.crypto,
		.signer_key = tiers->keys[CA_RA_SIGNING],
		.signer = &tiers->certs[CA_RA_SIGNING],
		.digest = DIGEST_SHA256,
		.cipher = CIPHER_AES128,
		.recipient_key = key,
		.recipient = &recipient };
}

/* What differs is all of it: "name=value; ...". */
static const struct row {
	const char *row; /* the edits: "key: value, ..." */
	enum base base;
	const char *diff;
} rows[] = {
	{ "status: failure", SUCCESS,
	    "content=00; pkiStatus=PRINTABLESTRING 2; "
	    "failInfo=PRINTABLESTRING 2; message=-" },
	{ "status: failure", PENDING,
	    "pkiStatus=PRINTABLESTRING 2; failInfo=PRINTABLESTRING 2" },
	{ "status: failure", FAILURE, "" },
	{ "status: failure", WITH_CRL,
	    "content=00; pkiStatus=PRINTABLESTRING 2; "
	    "failInfo=PRINTABLESTRING 2; message=-" },
	{ "status: pending", SUCCESS,
	    "content=00; pkiStatus=PRINTABLESTRING 3; message=-" },
	{ "status: pending", PENDING, "" },
	{ "status: pending", FAILURE, "" },
	{ "fail_info: badAlg", FAILURE, "failInfo=PRINTABLESTRING 0" },
	{ "fail_info: badMessageCheck", FAILURE, "failInfo=PRINTABLESTRING 1" },
	{ "fail_info: badRequest", FAILURE, "" },
	{ "fail_info: badTime", FAILURE, "failInfo=PRINTABLESTRING 3" },
	{ "fail_info: badCertId", FAILURE, "failInfo=PRINTABLESTRING 4" },
	{ "fail_info: 99", FAILURE, "failInfo=PRINTABLESTRING 99" },
	{ "fail_info: -1", FAILURE, "failInfo=PRINTABLESTRING -1" },
	{ "fail_info: badAlg", SUCCESS, "" },
	{ "fail_info: badTime, status: failure", SUCCESS,
	    "content=00; pkiStatus=PRINTABLESTRING 2; "
	    "failInfo=PRINTABLESTRING 3; message=-" },
	{ "fail_info_text: Störung", FAILURE,
	    "failInfoText=UTF8STRING Störung" },
	{ "microsoft.error: missing", FAILURE, "error=-" },
	{ "microsoft.error: -5", FAILURE, "error=PRINTABLESTRING -5" },
	{ "microsoft.error: 7", SUCCESS, "error=PRINTABLESTRING 7" },
	{ "microsoft.message: Denied", SUCCESS, "message=UTF8STRING Denied" },
	{ "message_type: missing", SUCCESS, "messageType=-" },
	{ "message_type: 19", FAILURE, "messageType=PRINTABLESTRING 19" },
	{ "pki_status: missing", SUCCESS, "pkiStatus=-" },
	{ "pki_status: 7", SUCCESS, "pkiStatus=PRINTABLESTRING 7" },
	{ "pki_status: 3", SUCCESS, "pkiStatus=PRINTABLESTRING 3" },
	{ "sender_nonce: missing", SUCCESS, "senderNonce=-" },
	{ "sender_nonce: reused", SUCCESS, "senderNonce=fingerprint" },
	{ "sender_nonce: echo", PENDING, "senderNonce=client's" },
	{ "sender_nonce: short", SUCCESS, "senderNonce=3031323334353637" },
	{ "sender_nonce: empty", FAILURE, "senderNonce=" },
	{ "recipient_nonce: missing", SUCCESS, "recipientNonce=-" },
	{ "recipient_nonce: wrong", SUCCESS,
	    "recipientNonce=fffefdfcfbfaf9f80706050403020100" },
	{ "recipient_nonce: reused", SUCCESS, "recipientNonce=fingerprint" },
	{ "recipient_nonce: sender", SUCCESS, "recipientNonce=server's" },
	{ "recipient_nonce: short", FAILURE,
	    "recipientNonce=0001020304050607" },
	{ "recipient_nonce: empty", SUCCESS, "recipientNonce=" },
	{ "transaction_id: missing", SUCCESS, "transactionID=-" },
	{ "transaction_id: wrong", SUCCESS,
	    "transactionID=PRINTABLESTRING 9cB1CB998B7FCC0142297b492988AFB0" },
	{ "transaction_id: upper", FAILURE,
	    "transactionID=PRINTABLESTRING 9CB1CB998B7FCC0142297B492988AFB4" },
	{ "transaction_id: lower", PENDING,
	    "transactionID=PRINTABLESTRING 9cb1cb998b7fcc0142297b492988afb4" },
	{ "transaction_id: empty", SUCCESS, "transactionID=PRINTABLESTRING " },
	{ "digest: md5", SUCCESS, "digests=MD5; digest=MD5" },
	{ "digest: sha1", SUCCESS, "digests=SHA1; digest=SHA1" },
	{ "digest: sha224", SUCCESS, "digests=SHA224; digest=SHA224" },
	{ "digest: sha256", SUCCESS, "" },
	{ "digest: sha384", SUCCESS, "digests=SHA384; digest=SHA384" },
	{ "digest: sha512", FAILURE, "digests=SHA512; digest=SHA512" },
	{ "cipher: des", SUCCESS, "cipher=DES-CBC iv 8" },
	{ "cipher: des3", SUCCESS, "cipher=DES-EDE3-CBC iv 8" },
	{ "cipher: aes-128-cbc", SUCCESS, "" },
	{ "cipher: aes-192-cbc", SUCCESS, "cipher=AES-192-CBC iv 16" },
	{ "cipher: aes-256-cbc", WITH_CRL, "cipher=AES-256-CBC iv 16" },
	{ "key_transport: pkcs1", SUCCESS, "" },
	{ "key_transport: oaep", SUCCESS, "key transport=RSAES-OAEP 30:" },
	{ "recipient: ra-encryption", SUCCESS,
	    "recipient=ra-encryption; opened by=ra-encryption" },
	{ "recipient: ra-encryption", FAILURE, "" },
	{ "recipient: stranger", SUCCESS,
	    "recipient=by stranger-ca; opened by=stranger-encryption" },
	{ "recipient: issuer-reencoded", SUCCESS, "recipient=device 0c 13" },
	{ "recipient: other-serial", SUCCESS, "recipient=by device 5ce8" },
	{ "signer: ca", SUCCESS, "signer=ca; signature=ca" },
	{ "signer: ra-encryption", FAILURE,
	    "signer=ra-encryption; signature=ra-encryption" },
	{ "signer: expired", SUCCESS, "signer=by ca; CMS_verify=bad" },
	{ "signer: expired, certificates: signer", SUCCESS,
	    "certificates=ra-signing'; signer=by ca" },
	{ "signer: stranger", SUCCESS,
	    "signer=by stranger-ca; signature=stranger-signing; "
	    "CMS_verify=bad" },
	{ "certificates: signer, signer: stranger", SUCCESS,
	    "certificates=stranger-signing'; signer=by stranger-ca; "
	    "signature=stranger-signing" },
	{ "signature: wrong", SUCCESS, "signature=; CMS_verify=bad" },
	{ "message_digest: wrong", FAILURE,
	    "messageDigest=6f340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511"
	    "a30617afa01d; CMS_verify=bad" },
	{ "signature_algorithm: rsa", SUCCESS, "" },
	{ "signature_algorithm: with-digest", SUCCESS,
	    "signature algorithm=RSA-SHA256" },
	{ "digest: sha1, signature_algorithm: with-digest", FAILURE,
	    "digests=SHA1; digest=SHA1; signature algorithm=RSA-SHA1" },
	{ "certificates: signer", SUCCESS, "certificates=ra-signing" },
	{ "certificates: ra", FAILURE,
	    "certificates=ra-signing ra-encryption" },
	{ "certificates: ca", PENDING, "certificates=ca" },
	{ "certificates: all", SUCCESS,
	    "certificates=ra-signing ra-encryption ca root" },
	{ "certificates: stranger", SUCCESS, "certificates=stranger-signing'" },
	{ "certificates: ca signer", SUCCESS, "certificates=ca ra-signing" },
	{ "bag: leaf", SUCCESS, "" },
	{ "bag: chain", SUCCESS, "bag=leaf ca root" },
	{ "bag: ca-first", SUCCESS, "bag=ca root leaf" },
	{ "bag: ca", SUCCESS, "bag=ca" },
	{ "bag: empty", SUCCESS, "bag=empty" },
	{ "bag: empty", WITH_CRL, "bag=empty" },
	{ "bag: chain", WITH_CRL, "" },
	{ "bag: chain", FAILURE, "" },
	{ "bag: twice", SUCCESS, "bag=leaf leaf" },
	{ "content: absent", FAILURE, "content=absent" },
	{ "content: empty", PENDING, "content=empty" },
	{ "content: zero", FAILURE, "" },
	{ "content: empty", SUCCESS, "" },
	{ "envelope: plain", SUCCESS, "content=plain" },
	{ "envelope: empty", SUCCESS, "content=empty" },
	{ "envelope: zero", SUCCESS, "content=00" },
	{ "envelope: absent", SUCCESS, "content=absent" },
	{ "envelope: empty", FAILURE, "" },
	{ "attributes.drop: messageType", SUCCESS, "messageType=-" },
	{ "attributes.drop: pkiStatus failInfo", FAILURE,
	    "pkiStatus=-; failInfo=-" },
	{ "attributes.drop: transactionID senderNonce", SUCCESS,
	    "senderNonce=-; transactionID=-" },
	{ "attributes.drop: recipientNonce", SUCCESS, "recipientNonce=-" },
	{ "attributes.drop: contentType", SUCCESS,
	    "CMS_verify=bad; contentType=-" },
	{ "attributes.drop: messageDigest", SUCCESS,
	    "CMS_verify=bad; messageDigest=-" },
	{ "attributes.drop: microsoft", SUCCESS, "message=-" },
	{ "attributes.drop: microsoft", FAILURE, "error=-" },
	{ "attributes.drop: failInfoText, fail_info_text: gone", FAILURE, "" },
	{ "attributes.add: signingTime", SUCCESS,
	    "signingTime=UTCTIME 220615120000Z" },
	{ "attributes.add: failInfoText", SUCCESS,
	    "failInfoText=UTF8STRING as ordered" },
	{ "attributes.add: unknown signingTime", FAILURE,
	    "unknown=UTF8STRING mockndes; signingTime=UTCTIME 220615120000Z" },
	{ "attributes.duplicate: messageType", SUCCESS,
	    "messageType=PRINTABLESTRING 3 + PRINTABLESTRING 3" },
	{ "attributes.duplicate: pkiStatus failInfo", FAILURE,
	    "pkiStatus=PRINTABLESTRING 2 + PRINTABLESTRING 2; "
	    "failInfo=PRINTABLESTRING 2 + PRINTABLESTRING 2" },
	{ "attributes.duplicate: transactionID", SUCCESS,
	    "transactionID=PRINTABLESTRING " TRANSACTION
	    " + PRINTABLESTRING " TRANSACTION },
	{ "attributes.duplicate: senderNonce recipientNonce", SUCCESS,
	    "senderNonce=server's + server's; "
	    "recipientNonce=client's + client's" },
	{ "attributes.duplicate: contentType", SUCCESS,
	    "contentType=pkcs7-data + pkcs7-data; CMS_verify=bad" },
	{ "attributes.duplicate: messageDigest", SUCCESS,
	    "messageDigest=of the content + of the content; CMS_verify=bad" },
	{ "attributes.duplicate: microsoft", SUCCESS,
	    "message=UTF8STRING Issued + UTF8STRING Issued" },
	{ "attributes.duplicate: failInfoText, fail_info_text: x", FAILURE,
	    "failInfoText=UTF8STRING x + UTF8STRING x" },
	{ "attributes.no_value: messageType pkiStatus", SUCCESS,
	    "messageType=nothing; pkiStatus=nothing" },
	{ "attributes.no_value: failInfo", FAILURE, "failInfo=nothing" },
	{ "attributes.no_value: failInfoText, fail_info_text: x", FAILURE,
	    "failInfoText=nothing" },
	{ "attributes.no_value: transactionID senderNonce recipientNonce",
	    SUCCESS,
	    "senderNonce=nothing; recipientNonce=nothing; "
	    "transactionID=nothing" },
	{ "attributes.no_value: contentType", SUCCESS,
	    "contentType=nothing; CMS_verify=bad" },
	{ "attributes.no_value: messageDigest", SUCCESS,
	    "messageDigest=nothing; CMS_verify=bad" },
	{ "attributes.no_value: microsoft", SUCCESS, "message=nothing" },
	{ "attributes.two_values: messageType", SUCCESS,
	    "messageType=PRINTABLESTRING 3, PRINTABLESTRING 3" },
	{ "attributes.two_values: pkiStatus failInfo", FAILURE,
	    "pkiStatus=PRINTABLESTRING 2, PRINTABLESTRING 2; "
	    "failInfo=PRINTABLESTRING 2, PRINTABLESTRING 2" },
	{ "attributes.two_values: failInfoText, fail_info_text: x", FAILURE,
	    "failInfoText=UTF8STRING x, UTF8STRING x" },
	{ "attributes.two_values: transactionID", SUCCESS,
	    "transactionID=PRINTABLESTRING " TRANSACTION
	    ", PRINTABLESTRING " TRANSACTION },
	{ "attributes.two_values: senderNonce recipientNonce", SUCCESS,
	    "senderNonce=server's, server's; "
	    "recipientNonce=client's, client's" },
	{ "attributes.two_values: contentType", SUCCESS,
	    "contentType=pkcs7-data, pkcs7-data; CMS_verify=bad" },
	{ "attributes.two_values: messageDigest", SUCCESS,
	    "messageDigest=of the content, of the content; CMS_verify=bad" },
	{ "attributes.two_values: microsoft", FAILURE,
	    "error=PRINTABLESTRING -2147024809, "
	    "PRINTABLESTRING -2147024809" },
	{ "attributes.order: unsorted", SUCCESS,
	    "order=messageType pkiStatus message senderNonce recipientNonce "
	    "transactionID contentType messageDigest" },
	{ "attributes.order: reversed", SUCCESS, "order=reversed" },
	{ "attributes.order: reversed", FAILURE, "order=reversed" },
	{ "attributes.strings: utf8", FAILURE,
	    "messageType=UTF8STRING 3; pkiStatus=UTF8STRING 2; "
	    "failInfo=UTF8STRING 2; error=UTF8STRING -2147024809; "
	    "transactionID=UTF8STRING " TRANSACTION },
	{ "attributes.strings: ia5", PENDING,
	    "messageType=IA5STRING 3; pkiStatus=IA5STRING 3; "
	    "transactionID=IA5STRING " TRANSACTION },
	{ "attributes.strings: t61", SUCCESS,
	    "messageType=T61STRING 3; pkiStatus=T61STRING 0; "
	    "transactionID=T61STRING " TRANSACTION },
	{ "attributes.strings: bmp, attributes.drop: transactionID", SUCCESS,
	    "messageType=bmp 0033; pkiStatus=bmp 0030; transactionID=-" },
	{ "recipient_nonce: wrong, sender_nonce: echo, digest: sha512, "
	  "attributes.order: reversed",
	    SUCCESS,
	    "digests=SHA512; digest=SHA512; "
	    "recipientNonce=fffefdfcfbfaf9f80706050403020100; "
	    "senderNonce=client's; order=reversed" },
};

static const struct fault_kind *
kind_of(const char *name)
{
	const struct fault_kind *kind;

	for (size_t i = 0; (kind = fault_kind_at(i)) != NULL; i++)
		if (strncmp(kind->key.name, "scep.", 5) == 0 &&
		    strcmp(kind->key.name + 5, name) == 0)
			return kind;
	fail_msg("there is no row \"%s\"", name);
	return NULL;
}

static const struct word *
word_of(const struct key *k, const char *text)
{
	for (const struct word *w = k->words; w != NULL && w->text != NULL; w++)
		if (strcmp(w->text, text) == 0)
			return w;
	return NULL;
}

/* What the loader would make of it. Cuts `text`. */
static struct value
value_of(const struct key *k, char *text)
{
	const struct word *w = word_of(k, text);
	struct value v = { .number = 0 };
	char *rest = text, *one, *end = text;

	switch (k->type) {
	case VALUE_WORD:
	case VALUE_NUMBER:
		v.is_word = w != NULL;
		v.number = w != NULL ? w->value : strtoll(text, &end, 10);
		assert_int_equal(k->type == VALUE_WORD,
		    k->type == VALUE_WORD && w != NULL);
		assert_true(w != NULL || (end != text && *end == '\0'));
		assert_true(
		    w != NULL || (v.number >= k->min && v.number <= k->max));
		break;
	case VALUE_BODY:
		assert_non_null(v.text = strdup(text));
		v.length = strlen(text);
		break;
	case VALUE_WORDS:
		v.numbers = calloc(strlen(text), sizeof(v.numbers[0]));
		assert_non_null(v.numbers);
		while ((one = strsep(&rest, " ")) != NULL) {
			assert_non_null(w = word_of(k, one));
			v.numbers[v.count++] = w->value;
		}
		break;
	default:
		fail_msg("%s: no test knows such values", k->name);
	}
	return v;
}

#define EDITS_MAX 4

/* "key: value, key: value" */
static struct faults
faults_of(const char *text)
{
	char *copy = strdup(text), *rest = copy, *edit;
	struct faults faults = { calloc(1, sizeof(struct fault_rule)), 1, 0,
		false };
	struct fault_rule *rule = faults.rules;
	struct errors errors = { .count = 0 };

	assert_non_null(copy);
	assert_non_null(rule);
	rule->edits = calloc(EDITS_MAX, sizeof(rule->edits[0]));
	assert_non_null(rule->edits);
	while ((edit = strsep(&rest, ",")) != NULL) {
		struct fault_edit *e = &rule->edits[rule->edit_count++];
		char *value = strstr(edit, ": ");

		assert_in_range(rule->edit_count, 1, EDITS_MAX);
		assert_non_null(value);
		*value = '\0';
		e->kind = kind_of(edit + strspn(edit, " "));
		e->value = value_of(&e->kind->key, value + 2);
	}
	free(copy);
	faults_finish(&faults, &errors);
	assert_int_equal(errors.count, 0);
	assert_int_equal(faults.stages & ~(FAULT_SCEP | FAULT_APPROVAL), 0);
	assert_false(faults.rules[0].instead);
	return faults;
}

static struct exchange
exchange_with_decision(uint32_t count)
{
	struct exchange ex;

	exchange_init(&ex);
	ex.at = DEVICE_NOW;
	ex.decision.made = true;
	ex.decision.rules[0] = RULE_APPLIES;
	ex.decision.counts[0] = count;
	return ex;
}

/* `count`: which exchange of its rule it is. */
static struct blob
make_reply(enum base base, const struct faults *faults, uint32_t count)
{
	struct exchange ex = exchange_with_decision(count);
	struct scep_reply reply = reply_of(base);
	struct scep_seal seal = plain_seal();
	struct error err = { 0 };
	struct fault_context ctx = { .exchange = &ex,
		.credentials = tiers,
		.stage = FAULT_SCEP,
		.err = &err };
	struct scep_message message;
	struct blob der;

	scep_message_plan(&message, &reply, &seal);
	if (faults != NULL && faults_apply(faults, SEED, &ctx, &message) == -1)
		fail_msg("%s", err.text);
	if (scep_message_encode(&der, &message, &err) == -1)
		fail_msg("%s", err.text);
	exchange_clear(&ex);
	return der;
}

static void
differs(void **state)
{
	const struct row *t = *state;
	struct faults faults = faults_of(t->row);
	struct blob honest = make_reply(t->base, NULL, 1);
	struct blob faulted = make_reply(t->base, &faults, 1);
	struct cert_rep was, is;
	char diff[2048];

	cert_rep_read(&was, &view, blob_span(&honest));
	cert_rep_read(&is, &view, blob_span(&faulted));
	cert_rep_diff(&was, &is, diff, sizeof(diff));
	assert_string_equal(diff, t->diff);
	blob_free(&honest);
	blob_free(&faulted);
	faults_clear(&faults);
}

/* So that "the same" means something. */
static const struct honest {
	const char *row;
	enum base base;
	const char *names[8], *values[8];
} honest_rows[] = {
	{ "SUCCESS", SUCCESS,
	    { "content", "opened by", "bag", "signer", "signature",
		"CMS_verify", "certificates", "recipient" },
	    { "sealed", "device", "leaf", "ra-signing", "ra-signing", "good",
		"", "device" } },
	{ "FAILURE", FAILURE,
	    { "content", "signer", "signature", "CMS_verify", "order",
		"senderNonce", "recipientNonce", "messageDigest" },
	    { "00", "ra-signing", "ra-signing", "good", "DER", "server's",
		"client's", "of the content" } },
	{ "PENDING", PENDING,
	    { "content", "signer", "signature", "CMS_verify", "pkiStatus",
		"digest", "signature algorithm", "content type" },
	    { "00", "ra-signing", "ra-signing", "good", "PRINTABLESTRING 3",
		"SHA256", "rsaEncryption", "pkcs7-data" } },
	{ "a CRL", WITH_CRL,
	    { "content", "opened by", "bag", "CMS_verify", "cipher",
		"key transport", "recipient version", "envelope version" },
	    { "sealed", "device", "CRL", "good", "AES-128-CBC iv 16",
		"rsaEncryption", "00", "00" } },
};

static const char *
value_at(struct cert_rep *r, const char *name)
{
	const struct field *f = cert_rep_find(r, name);

	return f == NULL ? "-" : f->value;
}

static void
unfaulted(void **state)
{
	const struct honest *t = *state;
	struct blob der = make_reply(t->base, NULL, 1);
	struct cert_rep r;

	cert_rep_read(&r, &view, blob_span(&der));
	for (size_t i = 0; i < 8; i++)
		assert_string_equal(value_at(&r, t->names[i]), t->values[i]);
	blob_free(&der);
}

/* Only this is other, the same at each replay, and seldom twice the same. */
static const struct chance {
	const char *row, *field;
	const char *values[6]; /* all that can be; none: 16 octets */
} chances[] = {
	{ "bag: shuffled", "bag",
	    { "leaf ca root", "leaf root ca", "ca leaf root", "ca root leaf",
		"root leaf ca", "root ca leaf" } },
	{ "attributes.add: randomNonce", "randomNonce", { NULL } },
};
#define DRAWS 64

static void
read_reply(struct cert_rep *r, const struct faults *faults, uint32_t count)
{
	struct blob der = make_reply(SUCCESS, faults, count);

	cert_rep_read(r, &view, blob_span(&der));
	blob_free(&der);
}

/* Which of the values it is, or at least whether it is new. */
static unsigned
which(const struct chance *t, const char *value, const char *last)
{
	if (t->values[0] == NULL) {
		assert_int_equal(strlen(value), 2 * 16);
		assert_string_not_equal(value, last);
		return 0;
	}
	for (unsigned i = 0; i < 6; i++)
		if (strcmp(t->values[i], value) == 0)
			return 1U << i;
	fail_msg("%s", value);
	return 0;
}

static void
drawn(void **state)
{
	const struct chance *t = *state;
	struct faults faults = faults_of(t->row);
	struct cert_rep honest, one, again;
	char diff[1024], wanted[1024], last[1024] = "";
	unsigned seen = 0;

	read_reply(&honest, NULL, 1);
	for (uint32_t count = 1; count <= DRAWS; count++) {
		read_reply(&one, &faults, count);
		read_reply(&again, &faults, count);
		assert_true(cert_rep_same(&one, &again, t->field));
		snprintf(wanted, sizeof(wanted), "%s=%s", t->field,
		    value_at(&one, t->field));
		cert_rep_diff(&honest, &one, diff, sizeof(diff));
		assert_string_equal(diff,
		    cert_rep_same(&honest, &one, t->field) ? "" : wanted);
		seen |= which(t, value_at(&one, t->field), last);
		snprintf(last, sizeof(last), "%s", value_at(&one, t->field));
	}
	assert_int_equal(seen, t->values[0] == NULL ? 0 : 0x3f);
	faults_clear(&faults);
}

/* Whether these edits have this key with this word; NULL: with no word. */
static bool
has(const char *row, const struct fault_kind *kind, const struct word *word)
{
	struct faults faults = faults_of(row);
	bool found = false;

	for (size_t e = 0; e < faults.rules[0].edit_count; e++) {
		const struct fault_edit *edit = &faults.rules[0].edits[e];
		const struct value *v = &edit->value;

		if (edit->kind != kind)
			continue;
		if (kind->key.type != VALUE_WORDS)
			found |= word == NULL ?
			    !v->is_word :
			    v->is_word && v->number == word->value;
		for (size_t n = 0; word != NULL && n < v->count; n++)
			found |= v->numbers[n] == word->value;
	}
	faults_clear(&faults);
	return found;
}

static bool
is_tested(const struct fault_kind *kind, const struct word *word)
{
	bool found = false;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		found = found || has(rows[i].row, kind, word);
	for (size_t i = 0; i < sizeof(chances) / sizeof(chances[0]); i++)
		found = found || has(chances[i].row, kind, word);
	return found;
}

static void
all_are_tested(void **state)
{
	const struct fault_kind *kind;
	size_t seen = 0;

	(void)state;
	for (size_t i = 0; (kind = fault_kind_at(i)) != NULL; i++) {
		const struct word *w = kind->key.words;

		if (strncmp(kind->key.name, "scep.", 5) != 0)
			continue;
		seen++;
		if (w == NULL || kind->key.type == VALUE_NUMBER)
			if (!is_tested(kind, NULL))
				fail_msg("%s", kind->key.name);
		for (; w != NULL && w->text != NULL; w++)
			if (!is_tested(kind, w))
				fail_msg("%s: %s", kind->key.name, w->text);
	}
	assert_int_equal(seen, 29);
}

static X509 *
known_cert(const char *name)
{
	for (const struct known *k = known; k->name != NULL; k++)
		if (strcmp(k->name, name) == 0)
			return k->cert;
	fail_msg("nobody knows %s", name);
	return NULL;
}

/* The RA's own key and name; by the CA; ended a day ago. */
static void
expired(void **state)
{
	struct faults faults = faults_of("signer: expired, "
					 "certificates: signer");
	struct blob der = make_reply(FAILURE, &faults, 1);
	CMS_ContentInfo *cms = reply_cms(blob_span(&der));
	STACK_OF(X509) *certs = CMS_get1_certs(cms);
	X509 *cert = sk_X509_value(certs, 0);
	X509 *ca = known_cert("ca"), *usual = known_cert("ra-signing");
	time_t ended = DEVICE_NOW - 86400, before = ended - 1;

	(void)state;
	assert_int_equal(sk_X509_num(certs), 1);
	assert_int_equal(X509_verify(cert, X509_get0_pubkey(ca)), 1);
	assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(cert),
			     X509_get0_pubkey(usual)),
	    1);
	assert_int_equal(X509_cmp_time(X509_get0_notAfter(cert), &ended), -1);
	assert_int_equal(X509_cmp_time(X509_get0_notAfter(cert), &before), 1);
	assert_int_equal(X509_NAME_cmp(X509_get_subject_name(cert),
			     X509_get_subject_name(usual)),
	    0);
	assert_int_equal(CMS_verify(cms, NULL, NULL, NULL, NULL,
			     CMS_NO_SIGNER_CERT_VERIFY | CMS_BINARY),
	    1);
	sk_X509_pop_free(certs, X509_free);
	CMS_ContentInfo_free(cms);
	blob_free(&der);
	faults_clear(&faults);
}

static const struct approval {
	const char *row;
	bool before, after;
} approvals[] = {
	{ "status: pending", false, true },
	{ "status: pending", true, true },
	{ "status: failure", false, false },
	{ "status: failure", true, true },
};

static void
approves(void **state)
{
	const struct approval *t = *state;
	struct faults faults = faults_of(t->row);
	struct exchange ex = exchange_with_decision(1);
	struct error err = { 0 };
	struct fault_context ctx = { .exchange = &ex,
		.credentials = tiers,
		.stage = FAULT_APPROVAL,
		.err = &err };
	bool pending = t->before;

	assert_int_equal(faults_apply(&faults, SEED, &ctx, &pending), 0);
	assert_int_equal(pending, t->after);
	exchange_clear(&ex);
	faults_clear(&faults);
}

/* There is room for so many attributes, and no more. */
static void
bounded(void **state)
{
	struct faults faults = faults_of(
	    "attributes.duplicate: messageType pkiStatus transactionID "
	    "senderNonce recipientNonce contentType messageDigest microsoft");
	struct exchange ex = exchange_with_decision(1);
	struct scep_reply reply = reply_of(SUCCESS);
	struct scep_seal seal = plain_seal();
	struct error err = { 0 };
	struct fault_context ctx = { .exchange = &ex,
		.credentials = tiers,
		.stage = FAULT_SCEP,
		.err = &err };
	struct scep_message message;
	int times = 0;

	(void)state;
	scep_message_plan(&message, &reply, &seal);
	while (faults_apply(&faults, SEED, &ctx, &message) == 0)
		times++;
	assert_int_equal(times, 2);
	assert_string_equal(err.text,
	    "scep.attributes.duplicate could not be done");
	exchange_clear(&ex);
	faults_clear(&faults);
}

static void
know(const char *name, struct span der, EVP_PKEY *private)
{
	size_t i = 0;

	while (known[i].name != NULL)
		i++;
	assert_in_range(i, 0, sizeof(known) / sizeof(known[0]) - 2);
	known[i] = (struct known){ name, authority_read(der), private };
}

static void
know_all(void)
{
	know("device", blob_span(&device_der), key);
	know("ra-signing", blob_span(&tiers->der[CA_RA_SIGNING]), NULL);
	know("ra-encryption", blob_span(&tiers->der[CA_RA_ENCRYPTION]),
	    tiers->keys[CA_RA_ENCRYPTION]);
	know("ca", blob_span(&tiers->der[CA_ISSUING]), NULL);
	know("root", blob_span(&tiers->chain[0]), NULL);
	know("leaf", blob_span(&leaf), NULL);
	know("stranger-ca", blob_span(&stranger->der[CA_ISSUING]), NULL);
	know("stranger-signing", blob_span(&stranger->der[CA_RA_SIGNING]),
	    NULL);
	know("stranger-encryption", blob_span(&stranger->der[CA_RA_ENCRYPTION]),
	    stranger->keys[CA_RA_ENCRYPTION]);
}

static void
issue(void)
{
	uint8_t serial[CA_SERIAL_SIZE];
	struct error err = { 0 };

	if (ca_serial(ra.crypto, CA_FIRST_REQUEST, serial) == -1 ||
	    ca_issue(tiers, recipient.subject, recipient.spki, SPAN_EMPTY,
		span_of(serial, sizeof(serial)), DEVICE_NOW, &leaf,
		&err) == -1 ||
	    ca_crl(tiers, NULL, 0, 1, DEVICE_NOW, 86400, &crl, &err) == -1)
		fail_msg("%s", err.text);
}

static int
set_up(void **state)
{
	struct error err = { 0 };

	(void)state;
	standard = OSSL_PROVIDER_load(NULL, "default");
	legacy = OSSL_PROVIDER_load(NULL, "legacy");
	ra = authority_open();
	key = device_key("device/device.key");
	device = device_cert(key, "device-0001");
	device_der = device_cert_der(device);
	if (credentials_new(ra.keys, &TIERS, DEVICE_NOW, &tiers, &err) == -1 ||
	    credentials_stranger(tiers, &stranger, &err) == -1 ||
	    x509_read(blob_span(&device_der), &recipient) == -1)
		fail_msg("%s", err.text);
	issue();
	know_all();
	X509_digest(known_cert("ca"), EVP_sha256(), fingerprint, NULL);
	view = (struct cert_rep_view){ known,
		{ span_of(DEVICE_NONCE, 16), span_of(SENDER_NONCE, 16),
		    span_of(fingerprint, 16) } };
	return standard == NULL || legacy == NULL;
}

static int
tear_down(void **state)
{
	(void)state;
	for (struct known *k = known; k->name != NULL; k++)
		X509_free(k->cert);
	blob_free(&leaf);
	blob_free(&crl);
	blob_free(&device_der);
	X509_free(device);
	EVP_PKEY_free(key);
	credentials_free(tiers);
	credentials_free(stranger);
	authority_close(&ra);
	OSSL_PROVIDER_unload(legacy);
	OSSL_PROVIDER_unload(standard);
	return 0;
}

int
main(void)
{
	static const struct table tables[] = {
		ROWS(unfaulted, honest_rows),
		ROWS(differs, rows),
		ROWS(drawn, chances),
		ROWS(approves, approvals),
		ONE(expired, "an expired RA is the RA"),
		ONE(bounded, "attributes are bounded"),
		ONE(all_are_tested, "each key and each word has a row"),
	};

	return ROWS_RUN(tables, set_up, tear_down);
}
