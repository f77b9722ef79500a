#include "support/openssl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/child.h"
#include "support/files.h"
#include "support/test.h"
#include "support/web.h"

#define WORDS_MAX 24

char *
openssl_run(const char *const words[])
{
	const char *argv[WORDS_MAX] = { "openssl" };
	struct child_result r;
	size_t count = 1;

	while (*words != NULL && count < WORDS_MAX - 1)
		argv[count++] = *words++;
	assert_null(*words);
	child_run(argv, NULL, &r);
	if (r.status != 0)
		fail_msg("openssl %s: %d %s%s", argv[1], r.status,
		    (char *)r.out.data, (char *)r.err.data);
	buffer_free(&r.err);
	return (char *)r.out.data;
}

void
openssl_get_ca_certs(const char *url, const char *file)
{
	char query[512], der[FILE_PATH_SIZE];
	struct web_reply reply;

	snprintf(query, sizeof(query), "%s?operation=GetCACert&message=x", url);
	snprintf(der, sizeof(der), "%s.der", file);
	assert_true(web_get(query, &reply));
	file_write(der, reply.body.data, reply.body.len);
	web_reply_clear(&reply);
	free(OPENSSL("pkcs7", "-inform", "DER", "-in", der, "-print_certs",
	    "-out", file));
}

static int
count_words(const char *text, const char *words)
{
	int count = 0;

	for (; (text = strstr(text, words)) != NULL; text++)
		count++;
	return count;
}

void
openssl_judge(const char *cert, const char *key, const char *subject,
    const char *cas, int tiers)
{
	char expected[128];
	char *of_cert = OPENSSL("x509", "-in", cert, "-noout", "-pubkey");
	char *of_key = OPENSSL("pkey", "-in", key, "-pubout");
	char *name = OPENSSL("x509", "-in", cert, "-noout", "-subject",
	    "-nameopt", "RFC2253");
	char *chain = OPENSSL("verify", "-show_chain", "-purpose", "sslclient",
	    "-CAfile", cas, cert);

	assert_string_equal(of_cert, of_key);
	snprintf(expected, sizeof(expected), "subject=%s\n", subject);
	assert_string_equal(name, expected);
	/* "depth=0: ..." is the certificate's own. */
	if (count_words(chain, "depth=") != tiers + 1)
		fail_msg("not %d CAs: %s", tiers, chain);
	free(of_cert);
	free(of_key);
	free(name);
	free(chain);
}

void
openssl_serial(const char *cert, char out[OPENSSL_SERIAL_SIZE])
{
	char *text = OPENSSL("x509", "-in", cert, "-noout", "-serial");
	const char *digits = strchr(text, '=');

	assert_non_null(digits);
	snprintf(out, OPENSSL_SERIAL_SIZE, "%.*s",
	    (int)strcspn(digits + 1, "\n"), digits + 1);
	free(text);
}
