/* A state directory at work, and in the hands of openssl(1). */
#include "unit/state.h"

#include <signal.h>
#include <sys/wait.h>

#include "base/der.h"
#include "state/index.h"

#define YEAR (365 * 86400LL)
#define RUN_CA "openssl ca -config openssl.cnf "
#define REQUEST(cert) \
	"openssl ocsp -issuer ca.pem -cert " cert " -no_nonce -reqout q"
#define RESPOND                                              \
	"openssl ocsp -index index.txt -CA ca.pem -rsigner " \
	"ca.pem -rkey private/ca.key -reqin q -respout r"
#define READ_RESPONSE(cert)                           \
	"openssl ocsp -issuer ca.pem -CAfile ca.pem " \
	"-cert " cert " -respin r"

/* Four certificates: good, odd (its subject), revoked, and expired. */
static char template[FILE_PATH_SIZE];
static const char *const kinds[] = { "GOOD", "ODD", "REVOKED", "EXPIRED" };
#define FIRST_FREE (CA_FIRST_REQUEST + 4)
static void
add_kind(struct state_dir *d, int kind)
{
	struct credentials *cred = state_credentials(d);
	int64_t now = time(NULL) - (kind == 3 ? 2 * YEAR : 0);
	struct blob odd = hex_blob("301b 3119 3009 0603550405 0c02 2f2b "
				   "300c 0603550403 0c05 c3ab 09 5c 62");
	struct error err = { 0 };
	uint8_t subject[32];
	struct state_issued i;

	assert_int_equal(state_issue(cred, CA_FIRST_REQUEST + (uint32_t)kind,
			     kind == 1 ? blob_span(&odd) :
					 state_subject(kind, subject),
			     now, &i),
	    0);
	if (state_dir_add(d, blob_span(&i.der), &err) == -1 ||
	    (kind == 2 &&
		state_dir_revoke(d, span_of(i.serial, sizeof(i.serial)),
		    now - 60, 4, &err) == -1))
		fail_msg("%s", err.text);
	setenv(kinds[kind], i.text, 1);
	blob_free(&i.der);
	blob_free(&odd);
	credentials_free(cred);
}

static void
make_template(void)
{
	struct state_dir *d = state_open(dir_make(template));

	for (int kind = 0; kind < 4; kind++)
		add_kind(d, kind);
	state_dir_close(d);
}

static const struct kept {
	const char *row;
	mode_t mode;
	const char *marked; /* what it begins with; NULL: no comments there */
} kepts[] = {
	{ "ca.pem", 0100644, NULL },
	{ "ra-signing.pem", 0100644, NULL },
	{ "ra-encryption.pem", 0100644, NULL },
	{ "private", 0040700, NULL },
	{ "private/ca.key", 0100600, NULL },
	{ "private/ra-signing.key", 0100600, NULL },
	{ "private/ra-encryption.key", 0100600, NULL },
	{ "newcerts", 0040700, NULL },
	{ "index.txt", 0100644, "# TEST ONLY" },
	{ "index.txt.attr", 0100644, "# TEST ONLY" },
	{ "openssl.cnf", 0100644, "# TEST ONLY" },
	{ "serial", 0100644, NULL },
	{ "crlnumber", 0100644, "01\n" },
	{ ".lock", 0100600, NULL },
};

static void
layout(void **state)
{
	const struct kept *t = *state;
	char path[FILE_PATH_SIZE];
	struct buffer text;
	struct stat st;

	assert_int_equal(stat(path_in(path, template, t->row), &st), 0);
	assert_int_equal(st.st_mode, t->mode);
	if (t->marked == NULL)
		return;
	assert_true(file_read(path, &text));
	assert_memory_equal(text.data, t->marked, strlen(t->marked));
	buffer_free(&text);
}

static const struct tool {
	const char *row, *line;
	int status;
	/* What it says, and what it does not; $X is a serial number. */
	const char *says[4], *never;
	const char *notes; /* of the next start */
} tools[] = {
	{ "verify: certificates",
	    "openssl verify -CAfile ca.pem newcerts/$GOOD.pem "
	    "newcerts/$ODD.pem newcerts/$REVOKED.pem",
	    0, { "$GOOD.pem: OK", "$ODD.pem: OK", "$REVOKED.pem: OK" }, NULL,
	    "" },
	{ "verify: the RAs",
	    "openssl verify -CAfile ca.pem ra-signing.pem ra-encryption.pem", 0,
	    { "ra-signing.pem: OK", "ra-encryption.pem: OK" }, NULL, "" },
	{ "ca -gencrl",
	    RUN_CA "-gencrl -out crl.pem && "
		   "openssl crl -in crl.pem -CAfile ca.pem -noout -text",
	    0,
	    { "verify OK", "Serial Number: $REVOKED", "Superseded",
		"X509v3 CRL Number: \n                1\n" },
	    "$GOOD", "" },
	{ "ca -gencrl, twice",
	    RUN_CA "-gencrl -out crl.pem && " RUN_CA "-gencrl -out crl.pem &&"
		   "openssl crl -in crl.pem -noout -text",
	    0, { "X509v3 CRL Number: \n                2\n" }, NULL, "" },
	{ "verify -crl_check: good",
	    RUN_CA "-gencrl -out crl.pem && openssl verify -crl_check "
		   "-CAfile ca.pem -CRLfile crl.pem newcerts/$ODD.pem",
	    0, { "$ODD.pem: OK" }, NULL, "" },
	{ "verify -crl_check: revoked",
	    RUN_CA "-gencrl -out crl.pem && openssl verify -crl_check "
		   "-CAfile ca.pem -CRLfile crl.pem newcerts/$REVOKED.pem",
	    2, { "certificate revoked" }, NULL, "" },
	{ "ocsp: good",
	    REQUEST("newcerts/$GOOD.pem") " && " RESPOND " && " READ_RESPONSE(
		"newcerts/$GOOD.pem"),
	    0, { "Response verify OK", "$GOOD.pem: good" }, NULL, "" },
	{ "ocsp: revoked",
	    REQUEST("newcerts/$REVOKED.pem") " && " RESPOND
					     " && " READ_RESPONSE(
						 "newcerts/$REVOKED.pem"),
	    0,
	    { "Response verify OK", "$REVOKED.pem: revoked",
		"Reason: superseded" },
	    NULL, "" },
	{ "ocsp: not in index.txt",
	    REQUEST("ra-signing.pem") " && " RESPOND
				      " && " READ_RESPONSE("ra-signing.pem"),
	    0, { "Response verify OK", "ra-signing.pem: unknown" }, NULL, "" },
	{ "ca -status: valid", RUN_CA "-status $GOOD; :", 0,
	    { "$GOOD=Valid (V)" }, NULL, "" },
	{ "ca -status: revoked", RUN_CA "-status $REVOKED; :", 0,
	    { "$REVOKED=Revoked (R)" }, NULL, "" },
	{ "ca -revoke: by its certificate, whose subject must be the same",
	    RUN_CA "-revoke newcerts/$ODD.pem -crl_reason keyCompromise && " //
	    RUN_CA "-status $ODD; :",
	    0, { "$ODD=Revoked (R)" }, NULL, "" },
	{ "ca -revoke: it was revoked here",
	    RUN_CA "-revoke newcerts/$REVOKED.pem", 1,
	    { "ERROR:Already revoked" }, NULL, "" },
	{ "ca -updatedb", RUN_CA "-updatedb && grep ^E index.txt", 0,
	    { "$EXPIRED=Expired", "E\t" }, NULL, "" },
	{ "ca -in",
	    "openssl req -new -key private/ra-signing.key -out q "
	    "-subj /C=NL/CN=x && " RUN_CA "-batch -in q -out c && "
	    "openssl verify -CAfile ca.pem c && grep CN=x index.txt",
	    0, { "c: OK", "unknown\t/C=NL/CN=x\n" }, NULL, "" },
};

/* "x $GOOD.pem" becomes "x 4700....pem". */
static char *
expand(const char *text, char out[256])
{
	size_t before = strcspn(text, "$"), len;
	char name[16];

	snprintf(out, 256, "%s", text);
	if (text[before] == '\0')
		return out;
	len = strspn(text + before + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
	snprintf(name, sizeof(name), "%.*s", (int)len, text + before + 1);
	snprintf(out, 256, "%.*s%s%s", (int)before, text, getenv(name),
	    text + before + 1 + len);
	return out;
}

/* And it is a state directory still. */
static void
openssl_works(void **state)
{
	const struct tool *t = *state;
	char dir[FILE_PATH_SIZE], wanted[256];
	struct buffer said;

	state_copy(template, dir);
	state_shell(dir, t->line, t->status, &said);
	for (int i = 0; i < 4 && t->says[i] != NULL; i++)
		if (strstr((char *)said.data, expand(t->says[i], wanted)) ==
		    NULL)
			fail_msg("no \"%s\" in: %s", wanted, (char *)said.data);
	if (t->never != NULL)
		assert_null(
		    strstr((char *)said.data, expand(t->never, wanted)));
	buffer_free(&said);
	state_dir_close(state_open(dir));
	assert_string_equal(state_notes, t->notes);
	dir_remove(dir);
}

/* What is told of each, "NAME subject reason|". */
struct told {
	char text[1024];
	int count;
	const struct blob *der; /* of the last one; or NULL */
};

static int
tell(void *cls, const struct state_entry *e)
{
	struct told *told = cls;
	X509 *cert = authority_read(e->der);
	const ASN1_INTEGER *serial = X509_get0_serialNumber(cert);
	size_t at = strlen(told->text);

	assert_octets(e->serial, serial->data, (size_t)serial->length);
	assert_int_equal(ASN1_TIME_cmp_time_t(X509_get0_notAfter(cert),
			     e->not_after),
	    0);
	if (told->der != NULL)
		assert_octets(e->der, told->der->data, told->der->len);
	snprintf(told->text + at, sizeof(told->text) - at, "%s %s%d|",
	    e->subject, e->revoked_at == 0 ? "" : "revoked ", e->reason);
	told->count++;
	X509_free(cert);
	return 0;
}

#define TOLD_TEMPLATE                                   \
	"/CN=device-0000 0|"                            \
	"/serialNumber=\\/\\++CN=\\xC3\\xAB\\x09\\b 0|" \
	"/CN=device-0002 revoked 4|"                    \
	"/CN=device-0003 0|"

static void
tells_all(void **state)
{
	struct state_dir *d = state_open(template);
	struct told told = { .text = "" };
	struct error err = { 0 };

	(void)state;
	assert_string_equal(state_notes, "");
	assert_int_equal(state_dir_each(d, tell, &told, &err), 0);
	assert_string_equal(told.text, TOLD_TEMPLATE);
	assert_int_equal(state_dir_next_request(d), FIRST_FREE);
	assert_int_equal(state_dir_next_crl(d), 1);
	state_dir_close(d);
}

static int
stop(void *cls, const struct state_entry *e)
{
	(void)e;
	return ++*(int *)cls == 2 ? -1 : 0;
}

static void
tells_no_more(void **state)
{
	struct state_dir *d = state_open(template);
	struct error err = { 0 };
	int count = 0;

	(void)state;
	assert_int_equal(state_dir_each(d, stop, &count, &err), -1);
	assert_int_equal(count, 2);
	state_dir_close(d);
}

static void
what_openssl_did(void **state)
{
	char dir[FILE_PATH_SIZE];
	struct told told = { .text = "" };
	struct error err = { 0 };
	struct state_dir *d;
	struct buffer said;

	(void)state;
	state_copy(template, dir);
	state_shell(dir,
	    RUN_CA "-updatedb && " RUN_CA "-revoke newcerts/$GOOD.pem "
		   "-crl_compromise 20260101000000Z && "
		   "openssl req -new -key private/ra-signing.key -out q "
		   "-subj /CN=x && " RUN_CA "-batch -in q -out c",
	    0, &said);
	buffer_free(&said);
	d = state_open(dir);
	assert_string_equal(state_notes, "");
	assert_int_equal(state_dir_each(d, tell, &told, &err), 0);
	assert_string_equal(told.text,
	    "/CN=device-0000 revoked 1|"
	    "/serialNumber=\\/\\++CN=\\xC3\\xAB\\x09\\b 0|"
	    "/CN=device-0002 revoked 4|"
	    "/CN=device-0003 0|"
	    "/CN=x 0|");
	/* It took the number that "serial" gave it. */
	assert_int_equal(state_dir_next_request(d), FIRST_FREE + 1);
	state_dir_close(d);
	dir_remove(dir);
}

/* Another process puts another index.txt in place of ours. */
static void
openssl_meanwhile(void **state)
{
	struct told told = { .text = "" };
	char dir[FILE_PATH_SIZE];
	struct error err = { 0 };
	struct state_dir *d;
	struct buffer said;
	struct state_issued i;

	(void)state;
	d = state_open(state_copy(template, dir));
	state_shell(dir,
	    RUN_CA "-revoke newcerts/$GOOD.pem && " //
	    RUN_CA "-gencrl -out crl.pem",
	    0, &said);
	buffer_free(&said);
	state_add(d, 77, &i);
	blob_free(&i.der);
	assert_int_equal(state_dir_next_request(d), 78);
	assert_int_equal(state_dir_next_crl(d), 2);
	state_dir_close(d);
	d = state_open(dir);
	assert_string_equal(state_notes, "");
	assert_int_equal(state_dir_each(d, tell, &told, &err), 0);
	assert_int_equal(told.count, 5);
	assert_int_equal(strncmp(told.text, "/CN=device-0000 revoked 0|", 26),
	    0);
	assert_non_null(strstr(told.text, "/CN=device-0077 0|"));
	state_dir_close(d);
	dir_remove(dir);
}

static const struct revoked {
	const char *row, *kind; /* or hex of a serial number */
	int64_t at;
	int reason;
	const char *error; /* behind the directory, if it begins with ':' */
} revokeds[] = {
	{ "a good one", "GOOD", 1700000000, 1, NULL },
	{ "without a reason", "ODD", 1700000000, 0, NULL },
	{ "an expired one", "EXPIRED", 1700000000, 5, NULL },
	{ "a revoked one", "REVOKED", 1700000000, 1,
	    ": $REVOKED is revoked already" },
	{ "one that is not there", "4711", 1700000000, 1,
	    ": there is no certificate 4711" },
	{ "a number that is none", "", 1700000000, 1,
	    "RFC 5280 4.1.2.2: a serial number that is not positive" },
	{ "for a reason that OpenSSL does not know", "GOOD", 1700000000, 9,
	    "OpenSSL knows no reason 9 for a revocation" },
	{ "too late for OpenSSL", "GOOD", 2600000000, 1,
	    "OpenSSL knows no revocations before 1950 and after 2049" },
};

static void
read_index(const char *dir, struct buffer *out)
{
	char path[FILE_PATH_SIZE];

	assert_true(file_read(path_in(path, dir, "index.txt"), out));
}

/* Only its own line is another one. */
static void
assert_revoked(const char *before, const char *after, const char *serial,
    const char *field)
{
	const char *line = strstr(before, serial);
	struct buffer wanted = { 0 };
	const char *end = strchr(line, '\n');

	while (line[-1] != '\n')
		line--;
	buffer_add(&wanted, before, (size_t)(line - before));
	buffer_printf(&wanted, "R\t%.13s\t%s\t", line + 2, field);
	line = strstr(line, serial);
	buffer_add(&wanted, line, (size_t)(end - line));
	buffer_add(&wanted, end, strlen(end) + 1);
	assert_string_equal(after, (char *)wanted.data);
	buffer_free(&wanted);
}

static void
revokes(void **state)
{
	const struct revoked *t = *state;
	const char *digits = getenv(t->kind) == NULL ? t->kind :
						       getenv(t->kind);
	struct blob serial = hex_blob(digits);
	char dir[FILE_PATH_SIZE], wanted[2 * FILE_PATH_SIZE], words[256];
	static const char *const fields[] = { "231114221320Z",
		"231114221320Z,keyCompromise", "", "", "",
		"231114221320Z,cessationOfOperation" };
	struct error err = { 0 };
	struct buffer before, after;
	struct state_dir *d;

	d = state_open(state_copy(template, dir));
	read_index(dir, &before);
	assert_int_equal(state_dir_revoke(d, blob_span(&serial), t->at,
			     t->reason, &err),
	    t->error == NULL ? 0 : -1);
	state_dir_close(d);
	read_index(dir, &after);
	if (t->error == NULL) {
		assert_revoked((char *)before.data, (char *)after.data, digits,
		    fields[t->reason]);
	} else {
		snprintf(wanted, sizeof(wanted), "%s%s",
		    t->error[0] == ':' ? dir : "", expand(t->error, words));
		assert_string_equal(err.text, wanted);
		assert_string_equal((char *)after.data, (char *)before.data);
	}
	state_dir_close(state_open(dir));
	assert_string_equal(state_notes, "");
	blob_free(&serial);
	buffer_free(&before);
	buffer_free(&after);
	dir_remove(dir);
}

/* Later ones go behind it. */
static void
adds_after_revoking(void **state)
{
	struct told told = { .text = "" };
	char dir[FILE_PATH_SIZE];
	struct error err = { 0 };
	struct state_issued a, b;
	struct state_dir *d;

	(void)state;
	d = state_open(dir_make(dir));
	state_add(d, 4, &a);
	assert_int_equal(state_dir_revoke(d,
			     span_of(a.serial, sizeof(a.serial)), time(NULL), 6,
			     &err),
	    0);
	state_add(d, 5, &b);
	assert_int_equal(state_dir_each(d, tell, &told, &err), 0);
	assert_string_equal(told.text,
	    "/CN=device-0004 revoked 6|/CN=device-0005 0|");
	state_dir_close(d);
	blob_free(&a.der);
	blob_free(&b.der);
	dir_remove(dir);
}

/* What is made for a row of the table below; the caller frees it. */
static struct blob
make_nothing(struct state_dir *d)
{
	(void)d;
	return (struct blob){ calloc(1, 1), 1 };
}

/* Of a CA that has another name. */
static struct blob
make_other(struct state_dir *d)
{
	X509 *cert = device_cert(state_key, "another CA");
	struct blob der = device_cert_der(cert);

	(void)d;
	X509_free(cert);
	return der;
}

/* With this serial number, and a subject of so many octets to be escaped. */
static struct blob
make_with(struct state_dir *d, struct span serial, size_t tabs)
{
	struct credentials *cred = state_credentials(d);
	struct buffer name = { 0 };
	size_t seq = der_begin(&name, DER_SEQUENCE);
	size_t set = der_begin(&name, DER_SET);
	size_t part = der_begin(&name, DER_SEQUENCE);
	size_t text;
	struct blob der;

	der_add_oid(&name, oid_common_name);
	text = der_begin(&name, DER_UTF8_STRING);
	memset(buffer_extend(&name, tabs), '\t', tabs);
	der_end(&name, text);
	der_end(&name, part);
	der_end(&name, set);
	der_end(&name, seq);
	assert_int_equal(ca_issue(cred, buffer_span(&name),
			     cred->certs[CA_RA_SIGNING].spki, SPAN_EMPTY,
			     serial, time(NULL), &der, NULL),
	    0);
	buffer_free(&name);
	credentials_free(cred);
	return der;
}

static struct blob
make_twice(struct state_dir *d)
{
	struct blob serial = hex_blob(getenv("GOOD")), der;

	der = make_with(d, blob_span(&serial), 1);
	blob_free(&serial);
	return der;
}

static struct blob
make_long_serial(struct state_dir *d)
{
	return make_with(d, span_of("abcdefghijklmnopqrstu", 21), 1);
}

/* V, 13 of date, 2 of serial, "unknown", "/CN=", and five tabs: 32. */
#define TABS_MAX ((INDEX_LINE_MAX - 32) / 4)

static struct blob
make_longest_subject(struct state_dir *d)
{
	return make_with(d, span_of("\x47", 1), TABS_MAX);
}

static struct blob
make_long_subject(struct state_dir *d)
{
	return make_with(d, span_of("\x47", 1), TABS_MAX + 1);
}

static const struct refused {
	const char *row;
	struct blob (*make)(struct state_dir *);
	const char *error; /* DIR is the directory; NULL: is added */
} refuseds[] = {
	{ "no certificate", make_nothing, "not a certificate" },
	{ "of another CA", make_other, "not a certificate of the CA in DIR" },
	{ "a serial number that was given", make_twice,
	    "DIR/newcerts/$GOOD.pem: File exists" },
	{ "a serial number of 21 octets", make_long_serial,
	    "RFC 5280 4.1.2.2: a serial number of more than 20 octets" },
	{ "the longest subject", make_longest_subject, NULL },
	{ "a longer subject", make_long_subject,
	    "the subject is too long for index.txt" },
};

static void
assert_error(const struct error *err, const char *wanted, const char *dir)
{
	char text[FILE_PATH_SIZE], words[256];
	const char *at = strstr(wanted, "DIR");

	if (at == NULL)
		snprintf(text, sizeof(text), "%s", wanted);
	else
		snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - wanted),
		    wanted, dir, expand(at + 3, words));
	assert_string_equal(err->text, text);
}

static void
adds(void **state)
{
	const struct refused *t = *state;
	char dir[FILE_PATH_SIZE];
	struct error err = { 0 };
	struct told told = { .text = "" };
	struct state_dir *d;
	struct blob der;

	d = state_open(state_copy(template, dir));
	der = t->make(d);
	assert_int_equal(state_dir_add(d, blob_span(&der), &err),
	    t->error == NULL ? 0 : -1);
	if (t->error != NULL)
		assert_error(&err, t->error, dir);
	state_dir_close(d);
	d = state_open(dir);
	assert_string_equal(state_notes, "");
	assert_int_equal(state_dir_each(d, tell, &told, &err), 0);
	assert_int_equal(told.count, t->error == NULL ? 5 : 4);
	state_dir_close(d);
	blob_free(&der);
	dir_remove(dir);
}

/* A comment of almost 100 MB stands in for a million certificates. */
static void
full(void **state)
{
	char dir[FILE_PATH_SIZE];
	struct error err = { 0 };
	struct told told = { .text = "" };
	struct buffer said;
	struct state_dir *d;
	struct blob der;

	(void)state;
	state_copy(template, dir);
	state_shell(dir,
	    "printf '#' >>index.txt && "
	    "truncate -s $((100 * 1048576 - 60)) index.txt && "
	    "echo >>index.txt",
	    0, &said);
	buffer_free(&said);
	d = state_open(dir);
	der = make_with(d, span_of("\x47", 1), 10);
	assert_int_equal(state_dir_add(d, blob_span(&der), &err), -1);
	assert_error(&err, "DIR/index.txt: full, 104857600 octets", dir);
	blob_free(&der);
	/* Something smaller still has its place. */
	der = make_with(d, span_of("\x47", 1), 1);
	assert_int_equal(state_dir_add(d, blob_span(&der), &err), 0);
	blob_free(&der);
	state_dir_close(d);
	d = state_open(dir);
	assert_string_equal(state_notes, "");
	assert_int_equal(state_dir_each(d, tell, &told, &err), 0);
	assert_int_equal(told.count, 5);
	state_dir_close(d);
	dir_remove(dir);
}

static void
keeps_certificates(void **state)
{
	char dir[FILE_PATH_SIZE];
	struct error err = { 0 };
	struct state_dir *d;
	struct state_issued i;
	struct told told = { .der = &i.der };

	(void)state;
	d = state_open(dir_make(dir));
	state_add(d, 4, &i);
	state_dir_close(d);
	d = state_open(dir);
	assert_int_equal(state_dir_each(d, tell, &told, &err), 0);
	assert_string_equal(told.text, "/CN=device-0004 0|");
	state_dir_close(d);
	blob_free(&i.der);
	dir_remove(dir);
}

static void
keeps_the_ca(void **state)
{
	char dir[FILE_PATH_SIZE], path[FILE_PATH_SIZE];
	struct credentials *first, *second;
	struct state_dir *d;

	(void)state;
	/* It is not there yet. */
	d = state_open(path_in(path, dir_make(dir), "new"));
	assert_string_equal(state_notes, "");
	first = state_credentials(d);
	state_dir_close(d);
	d = state_open(path);
	assert_string_equal(state_notes, "");
	second = state_credentials(d);
	state_dir_close(d);
	for (int role = 0; role < CA_ROLES; role++) {
		assert_int_equal(EVP_PKEY_eq(second->keys[role],
				     ra.credentials->keys[role]),
		    1);
		assert_octets(blob_span(&second->der[role]),
		    first->der[role].data, first->der[role].len);
	}
	credentials_free(first);
	credentials_free(second);
	dir_remove(dir);
}

static void
makes_keys(void **state)
{
	struct state_dir_options options = { .crypto = ra.crypto };
	struct credentials *cred;
	char dir[FILE_PATH_SIZE];
	struct error err = { 0 };
	struct state_dir *d;

	(void)state;
	options.path = dir_make(dir);
	assert_int_equal(state_dir_open(&d, &options, &err), 0);
	cred = state_credentials(d);
	for (int role = 0; role < CA_ROLES; role++)
		assert_int_equal(EVP_PKEY_eq(cred->keys[role],
				     ra.credentials->keys[role]),
		    0);
	credentials_free(cred);
	state_dir_close(d);
	dir_remove(dir);
}

/* Nothing of an open one is looked for by its path. */
static void
changes_directory(void **state)
{
	char dir[FILE_PATH_SIZE], before[FILE_PATH_SIZE];
	struct told told = { .text = "" };
	struct error err = { 0 };
	struct state_dir *d;
	struct state_issued i;

	(void)state;
	assert_non_null(getcwd(before, sizeof(before)));
	assert_int_equal(chdir(dir_make(dir)), 0);
	d = state_open("state");
	assert_int_equal(chdir("/"), 0);
	state_add(d, 4, &i);
	blob_free(&i.der);
	assert_int_equal(state_dir_each(d, tell, &told, &err), 0);
	assert_int_equal(told.count, 1);
	state_dir_close(d);
	assert_int_equal(chdir(dir), 0);
	state_dir_close(state_open("state"));
	assert_int_equal(chdir(before), 0);
	dir_remove(dir);
}

static const struct crl {
	const char *row, *file;	   /* crlnumber before; NULL: as it is made */
	uint32_t number, next;	   /* of the CRL; the next one, before it */
	const char *after, *error; /* crlnumber then */
} crls[] = {
	{ "the first", NULL, 1, 1, "02\n", NULL },
	{ "two digits", "FE\n", 0xfe, 0xfe, "FF\n", NULL },
	{ "four digits", "ff\n", 0xff, 0xff, "0100\n", NULL },
	{ "six digits", "FFFF", 0xffff, 0xffff, "010000\n", NULL },
	{ "eight digits", "FFFFFF\n", 0xffffff, 0xffffff, "01000000\n", NULL },
	{ "with a gap", "10\n", 0x20, 0x10, "21\n", NULL },
	{ "a number that was used", "10\n", 0xf, 0x10, "10\n",
	    "RFC 5280 5.2.3: the number of the next CRL is 16, not 15" },
	{ "the last number there is", "FFFFFFFF\n", 0xffffffff, 0xffffffff,
	    "FFFFFFFF\n",
	    "RFC 5280 5.2.3: the number of the next CRL is 4294967295, not "
	    "4294967295" },
};

static struct blob
make_crl(void)
{
	X509_CRL *crl = X509_CRL_new();
	uint8_t *der = NULL;
	int len;

	assert_true(X509_CRL_set_version(crl, X509_CRL_VERSION_2));
	assert_true(X509_CRL_set_issuer_name(crl,
	    X509_get_subject_name(ra.certs[CA_ISSUING])));
	assert_true(X509_CRL_set1_lastUpdate(crl,
	    X509_get0_notBefore(ra.certs[CA_ISSUING])));
	assert_true(X509_CRL_sign(crl, ra.credentials->keys[CA_ISSUING],
			EVP_sha256()) > 0);
	len = i2d_X509_CRL(crl, &der);
	X509_CRL_free(crl);
	return device_take(der, len);
}

static void
writes_a_crl(void **state)
{
	char dir[FILE_PATH_SIZE], path[FILE_PATH_SIZE];
	struct blob der = make_crl();
	const struct crl *t = *state;
	struct error err = { 0 };
	struct buffer text;
	struct state_dir *d;

	state_copy(template, dir);
	if (t->file != NULL)
		file_write(path_in(path, dir, "crlnumber"), t->file,
		    strlen(t->file));
	d = state_open(dir);
	assert_int_equal(state_dir_next_crl(d), t->next);
	assert_int_equal(state_dir_write_crl(d, blob_span(&der), t->number,
			     &err),
	    t->error == NULL ? 0 : -1);
	assert_string_equal(err.text, t->error == NULL ? "" : t->error);
	assert_int_equal(state_dir_next_crl(d),
	    t->error == NULL ? t->number + 1 : t->next);
	state_dir_close(d);
	assert_true(file_read(path_in(path, dir, "crlnumber"), &text));
	assert_string_equal((char *)text.data, t->after);
	buffer_free(&text);
	assert_int_equal(access(path_in(path, dir, "crl.pem"), F_OK),
	    t->error == NULL ? 0 : -1);
	if (t->error == NULL) {
		state_shell(dir, "openssl crl -CAfile ca.pem -in crl.pem", 0,
		    &text);
		assert_non_null(strstr((char *)text.data, "verify OK"));
		buffer_free(&text);
	}
	blob_free(&der);
	dir_remove(dir);
}

static void
in_use_here(void **state)
{
	struct state_dir *first = state_open(template), *second;
	struct error err = { 0 };
	char wanted[64];

	(void)state;
	assert_int_equal(state_try(&second, template, &err), -1);
	assert_null(second);
	snprintf(wanted, sizeof(wanted), "DIR: in use by process %d",
	    (int)getpid());
	assert_error(&err, wanted, template);
	state_dir_close(first);
	state_dir_close(state_open(template));
}

static void
in_use_elsewhere(void **state)
{
	struct error err = { 0 };
	struct state_dir *d;
	int ready[2], status;
	char wanted[64];
	pid_t pid;

	(void)state;
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	if ((pid = fork()) == 0) {
		d = state_open(template);
		if (write(ready[1], "", 1) == 1)
			pause();
		_exit(1);
	}
	assert_int_equal(read(ready[0], &status, 1), 1);
	assert_int_equal(state_try(&d, template, &err), -1);
	snprintf(wanted, sizeof(wanted), "DIR: in use by process %d", (int)pid);
	assert_error(&err, wanted, template);
	/* The lock goes with the process. */
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	state_dir_close(state_open(template));
	assert_string_equal(state_notes, "");
	close(ready[0]);
	close(ready[1]);
}

static const struct number {
	const char *row, *serial; /* the file; NULL: as it is */
	uint32_t added, next;
	const char *notes;
} numbers[] = {
	{ "as many as there are", NULL, 0, FIRST_FREE, "" },
	{ "beyond the last", NULL, 1000, 1001, "" },
	{ "a lower one", NULL, 5, FIRST_FREE, "" },
	{ "the last one there is", NULL, 0xfffffffe, 0xffffffff, "" },
	{ "the file is beyond", "470000006400112233445566770000000064\n", 0,
	    FIRST_FREE, "" },
	{ "the file is beyond, in our form",
	    "47000000640011223344556677000000000064\n", 0, 100, "" },
	{ "the file is behind", "47000000040011223344556677000000000004\n", 0,
	    FIRST_FREE, "" },
	{ "a number of another form", "01\n", 0, FIRST_FREE, "" },
	{ "the file is not there", "", 0, FIRST_FREE,
	    "serial: was missing, written anew|" },
};

static void
request_numbers(void **state)
{
	const struct number *t = *state;
	char dir[FILE_PATH_SIZE], path[FILE_PATH_SIZE], wanted[16];
	struct buffer text;
	struct state_dir *d;
	struct state_issued i;

	path_in(path, state_copy(template, dir), "serial");
	if (t->serial != NULL)
		file_write(path, t->serial, strlen(t->serial));
	if (t->serial != NULL && t->serial[0] == '\0')
		unlink(path);
	d = state_open(dir);
	assert_string_equal(state_notes, t->notes);
	if (t->added > 0) {
		state_add(d, t->added, &i);
		blob_free(&i.der);
	}
	assert_int_equal(state_dir_next_request(d), t->next);
	state_dir_close(d);
	/* OpenSSL reads the file, too. */
	assert_true(file_read(path, &text));
	assert_int_equal(text.len, 2 * CA_SERIAL_SIZE + 1);
	snprintf(wanted, sizeof(wanted), "47%08X", t->next);
	assert_memory_equal(text.data, wanted, 10);
	buffer_free(&text);
	d = state_open(dir);
	assert_int_equal(state_dir_next_request(d), t->next);
	assert_string_equal(state_notes, "");
	state_dir_close(d);
	dir_remove(dir);
}

static int
set_up(void **state)
{
	(void)state;
	state_set_up();
	make_template();
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	dir_remove(template);
	state_tear_down();
	return 0;
}

int
main(void)
{
	static const struct table tables[] = {
		ROWS(layout, kepts),
		ROWS(openssl_works, tools),
		ONE(tells_all, "every line is told, in its order"),
		ONE(tells_no_more, "telling ends when it is told to"),
		ONE(what_openssl_did, "what openssl ca did is told"),
		ONE(openssl_meanwhile, "openssl ca may change it meanwhile"),
		ROWS(revokes, revokeds),
		ONE(adds_after_revoking, "there is more after a revocation"),
		ROWS(adds, refuseds),
		ONE(full, "index.txt does not outgrow its limit"),
		ONE(keeps_certificates, "a certificate comes back as it was"),
		ONE(keeps_the_ca, "the CA comes back as it was"),
		ONE(makes_keys, "without keys it makes its own"),
		ONE(changes_directory, "the working directory may change"),
		ROWS(writes_a_crl, crls),
		ONE(in_use_here, "one at a time in a process"),
		ONE(in_use_elsewhere, "one process at a time"),
		ROWS(request_numbers, numbers),
	};

	return ROWS_RUN(tables, set_up, tear_down);
}
