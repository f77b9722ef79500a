/* Names in one line, and CRLs in PEM, held against OpenSSL. */
#include "unit/authority.h"

static struct authority ra;

static const struct name {
	const char *row, *hex;
	const char *line; /* for the eyes; OpenSSL has the last word */
} names[] = {
	{ "nothing in it", "3000", "" },
	{ "two parts",
	    "3019 310b 3009 0603550406 1302 4e4c 310a 3008 0603550403 0c01 61",
	    "/C=NL/CN=a" },
	{ "two attributes in one part",
	    "301c 311a 3008 0603550403 0c01 61 "
	    "300e 0603550405 1307 31323334353637",
	    "/CN=a+serialNumber=1234567" },
	{ "UTF-8", "300e 310c 300a 0603550403 0c03 e282ac",
	    "/CN=\\xE2\\x82\\xAC" },
	{ "a BMPString", "3011 310f 300d 0603550403 1e06 006100e420ac",
	    "/CN=\\x00a\\x00\\xE4 \\xAC" },
	{ "tab and newline", "300e 310c 300a 0603550403 0c03 090a41",
	    "/CN=\\x09\\x0AA" },
	{ "a backslash at the end", "300d 310b 3009 0603550403 0c02 415c",
	    "/CN=A\\" },
	{ "signs with a meaning", "300f 310d 300b 0603550403 0c04 2f2b3d41",
	    "/CN=\\/\\+=A" },
	{ "a NUL and a DEL", "300d 310b 3009 0603550403 0c02 007f",
	    "/CN=\\x00\\x7F" },
	{ "an e-mail address",
	    "3014 3112 3010 06092a864886f70d010901 1603 614062",
	    "/emailAddress=a@b" },
	{ "a type that OpenSSL has no name for",
	    "300e 310c 300a 06052b0601047f 0c01 61", "/1.3.6.1.4.127=a" },
	{ "a type of more digits than OpenSSL writes",
	    "303b 3139 3037 0632 2b"
	    "ffffffff7fffffffff7fffffffff7fffffffff7fffffffff7fffffffff7f"
	    "ffffffff7fffffffff7fffffffff7f01010101 0c01 61",
	    NULL },
	{ "a BIT STRING with unused bits",
	    "300e 310c 300a 060355042d 0303 04 41ff",
	    "/x500UniqueIdentifier=A"
	    "\\xF0" },
	{ "a BIT STRING of nothing", "300c 310a 3008 060355042d 0301 00",
	    "/x500UniqueIdentifier=" },
	{ "a sequence as value", "300e 310c 300a 0603550403 3003 020101",
	    "/CN=0\\x03\\x02\\x01\\x01" },
	{ "an empty value", "300b 3109 3007 0603550403 0c00", "/CN=" },
};

static void
names_in_a_line(void **state)
{
	const struct name *t = *state;
	struct blob der = hex_blob(t->hex);
	const uint8_t *at = der.data;
	X509_NAME *name = d2i_X509_NAME(NULL, &at, (long)der.len);
	struct buffer line = { 0 };
	char *theirs;

	assert_non_null(name);
	assert_non_null(theirs = X509_NAME_oneline(name, NULL, 0));
	assert_int_equal(x509_name_line(blob_span(&der), &line), 0);
	buffer_add_byte(&line, 0);
	assert_string_equal((char *)line.data, theirs);
	if (t->line != NULL)
		assert_string_equal(theirs, t->line);
	OPENSSL_free(theirs);
	X509_NAME_free(name);
	buffer_free(&line);
	blob_free(&der);
}

static const struct no_name {
	const char *row, *hex;
} no_names[] = {
	{ "nothing", "" },
	{ "a SET", "3100" },
	{ "a part that is no SET", "3002 3000" },
	{ "an attribute that is no SEQUENCE", "3004 3102 0500" },
	{ "an attribute without a value", "3009 3107 3005 0603550403" },
	{ "an attribute without a type", "3007 3105 3003 0c0161" },
	{ "less than it says", "300d 310b 3009 0603550406 1302 4e" },
};

static void
refused_names(void **state)
{
	const struct no_name *t = *state;
	struct blob der = hex_blob(t->hex);
	struct buffer line = { 0 };

	assert_int_equal(x509_name_line(blob_span(&der), &line), -1);
	buffer_free(&line);
	blob_free(&der);
}

static void
crl_in_pem(void **state)
{
	X509_CRL *crl = X509_CRL_new(), *read;
	uint8_t *der = NULL;
	struct blob pem, octets;
	BIO *bio;
	int len;

	(void)state;
	assert_true(X509_CRL_set_version(crl, X509_CRL_VERSION_2));
	assert_true(X509_CRL_set_issuer_name(crl,
	    X509_get_subject_name(ra.certs[CA_ISSUING])));
	assert_true(X509_CRL_set1_lastUpdate(crl,
	    X509_get0_notBefore(ra.certs[CA_ISSUING])));
	assert_true(
	    X509_CRL_sign(crl, ra.credentials->keys[0], EVP_sha256()) > 0);
	len = i2d_X509_CRL(crl, &der);
	octets = device_take(der, len);
	assert_int_equal(x509_crl_to_pem(blob_span(&octets), &pem), 0);
	bio = BIO_new_mem_buf(pem.data, (int)pem.len);
	assert_non_null(read = PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL));
	der = NULL;
	len = i2d_X509_CRL(read, &der);
	assert_same_der(blob_span(&octets), der, len);
	assert_true(BIO_eof(bio));
	BIO_free(bio);
	X509_CRL_free(read);
	X509_CRL_free(crl);
	blob_free(&octets);
	blob_free(&pem);
}

static int
set_up(void **state)
{
	(void)state;
	ra = authority_open();
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	authority_close(&ra);
	return 0;
}

int
main(void)
{
	static const struct table tables[] = {
		ROWS(names_in_a_line, names),
		ROWS(refused_names, no_names),
		ONE(crl_in_pem, "OpenSSL reads a CRL in our PEM"),
	};

	return ROWS_RUN(tables, set_up, tear_down);
}
