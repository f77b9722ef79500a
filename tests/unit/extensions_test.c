/* What a CSR asks for, as OpenSSL writes it. */
#include "unit/device.h"

#include <openssl/objects.h>

#include "base/der.h"
#include "crypto/crypto.h"

/* The content of Extensions with these; the caller frees *der. */
static struct span
extensions(const char *alt_name, const char *usage, const char *section,
    struct blob *der)
{
	STACK_OF(X509_EXTENSION) *list = sk_X509_EXTENSION_new_null();
	CONF *conf = NCONF_new(NULL);
	struct span rest, content;
	X509_EXTENSION *ext;
	uint8_t *out = NULL;
	X509V3_CTX ctx;
	BIO *bio;
	int len;

	bio = BIO_new_mem_buf(section, -1);
	assert_true(NCONF_load_bio(conf, bio, NULL) > 0);
	X509V3_set_ctx(&ctx, NULL, NULL, NULL, NULL, 0);
	X509V3_set_nconf(&ctx, conf);
	for (int i = 0; i < 2; i++) {
		const char *value = i == 0 ? usage : alt_name;

		if (value == NULL)
			continue;
		ext = X509V3_EXT_nconf_nid(conf, &ctx,
		    i == 0 ? NID_ext_key_usage : NID_subject_alt_name, value);
		assert_non_null(ext);
		sk_X509_EXTENSION_push(list, ext);
	}
	len = i2d_X509_EXTENSIONS(list, &out);
	*der = device_take(out, len);
	rest = blob_span(der);
	assert_int_equal(der_expect(&rest, DER_SEQUENCE, &content), 0);
	sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
	NCONF_free(conf);
	BIO_free(bio);
	return content;
}

static const struct named {
	const char *row, *alt_name, *section, *text;
} nameds[] = {
	{ "none at all", NULL, "", "" },
	{ "DNS", "DNS:device-1.example", "", "DNS:device-1.example" },
	{ "two of a kind", "DNS:a.example,DNS:b.example", "",
	    "DNS:a.example, DNS:b.example" },
	{ "IPv4", "IP:192.0.2.7", "", "IP:192.0.2.7" },
	{ "IPv6", "IP:2001:db8::7", "", "IP:2001:db8::7" },
	{ "mail", "email:a@example", "", "email:a@example" },
	{ "a URI", "URI:urn:uuid:0", "", "URI:urn:uuid:0" },
	{ "Microsoft's principal name",
	    "otherName:1.3.6.1.4.1.311.20.2.3;UTF8:a@example", "",
	    "UPN:a@example" },
	{ "another other name", "otherName:1.2.3;UTF8:x", "", "otherName:?" },
	{ "a registered number", "RID:1.2.3.4", "", "?" },
	{ "a directory name", "dirName:dn", "[dn]\nC=NL\nCN=x\n",
	    "dirName:C=NL, CN=x" },
	{ "all kinds",
	    "URI:urn:x,DNS:a,IP:10.0.0.1,email:b@c,"
	    "otherName:1.3.6.1.4.1.311.20.2.3;UTF8:d@e,dirName:dn",
	    "[dn]\nCN=f\n",
	    "URI:urn:x, DNS:a, IP:10.0.0.1, email:b@c, UPN:d@e, dirName:CN=f" },
};

static void
names(void **state)
{
	const struct named *t = *state;
	struct buffer text = { 0 };
	struct blob der;
	struct span list;

	list = extensions(t->alt_name, "clientAuth", t->section, &der);
	x509_alt_name_text(list, &text);
	buffer_add_byte(&text, 0);
	assert_string_equal((char *)text.data, t->text);
	buffer_free(&text);
	blob_free(&der);
}

/* What OpenSSL would not write. */
static const struct odd {
	const char *row, *value;
	size_t len;
	const char *text;
} odds[] = {
#define ODD(value) value, sizeof(value) - 1
	{ "no list", ODD("\x04\x01x"), "" },
	{ "an empty list", ODD("\x30\x00"), "" },
	{ "a list that is cut", ODD("\x30\x05\x82\x01x"), "" },
	{ "a name that is cut", ODD("\x30\x03\x82\x05x"), "" },
	{ "an address of five octets",
	    ODD("\x30\x07\x87\x05\x01\x02\x03\x04"
		"\x05"),
	    "IP:?" },
	{ "an address of none", ODD("\x30\x02\x87\x00"), "IP:?" },
	{ "controls",
	    ODD("\x30\x05\x82\x03"
		"a\n\xe4"),
	    "DNS:a??" },
	{ "a NUL",
	    ODD("\x30\x05\x82\x03"
		"a\0b"),
	    "DNS:a?b" },
	{ "an other name of nothing", ODD("\x30\x02\xa0\x00"), "otherName:?" },
	{ "a principal name of nothing",
	    ODD("\x30\x0e\xa0\x0c\x06\x0a\x2b\x06\x01\x04\x01\x82\x37\x14\x02"
		"\x03"),
	    "otherName:?" },
	{ "a directory name of nothing", ODD("\x30\x02\xa4\x00"), "dirName:" },
#undef ODD
};

static void
odd_names(void **state)
{
	const struct odd *t = *state;
	struct buffer b = { 0 }, text = { 0 };
	struct blob exact;
	size_t ext;

	ext = der_begin(&b, DER_SEQUENCE);
	der_add_oid(&b, oid_ext_subject_alt_name);
	der_add(&b, DER_OCTET_STRING, span_of(t->value, t->len));
	der_end(&b, ext);
	exact = exact_copy(b.data, b.len);
	x509_alt_name_text(blob_span(&exact), &text);
	buffer_add_byte(&text, 0);
	assert_string_equal((char *)text.data, t->text);
	buffer_free(&b);
	buffer_free(&text);
	blob_free(&exact);
}

static const struct purpose {
	const char *row, *usage;
	const char *asked;
	bool found;
} purposes[] = {
	{ "the only one", "clientAuth", "1.3.6.1.5.5.7.3.2", true },
	{ "the last one", "serverAuth,clientAuth", "1.3.6.1.5.5.7.3.2", true },
	{ "another one", "serverAuth", "1.3.6.1.5.5.7.3.2", false },
	{ "one by its digits", "1.3.6.1.4.1.311.20.2.2",
	    "1.3.6.1.4.1.311.20.2.2", true },
	{ "a beginning", "1.3.6.1.4.1.311.20.2.2", "1.3.6.1.4.1.311.20.2",
	    false },
	{ "any is not each", "anyExtendedKeyUsage", "1.3.6.1.5.5.7.3.2",
	    false },
	{ "none", NULL, "1.3.6.1.5.5.7.3.2", false },
};

static void
usages(void **state)
{
	const struct purpose *t = *state;
	struct buffer oid = { 0 };
	struct blob der;
	struct span list;

	list = extensions("DNS:a", t->usage, "", &der);
	assert_int_equal(der_oid_from_text(t->asked, &oid), 0);
	assert_int_equal(x509_asks_for_usage(list, buffer_span(&oid)),
	    t->found);
	buffer_free(&oid);
	blob_free(&der);
}

static void
no_extensions(void **state)
{
	struct buffer text = { 0 };

	(void)state;
	x509_alt_name_text(SPAN_EMPTY, &text);
	assert_int_equal(text.len, 0);
	assert_false(x509_asks_for_usage(SPAN_EMPTY, oid_client_auth));
	assert_int_equal(x509_extension(SPAN_EMPTY, oid_client_auth).len, 0);
	buffer_free(&text);
}

int
main(void)
{
	static const struct table tables[] = {
		ROWS(names, nameds),
		ROWS(odd_names, odds),
		ROWS(usages, purposes),
		ONE(no_extensions, "who asks for nothing gets nothing"),
	};

	return ROWS_RUN(tables, NULL, NULL);
}
