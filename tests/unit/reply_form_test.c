/* How a CertRep is said, by profile and by single settings. */
#include "unit/rows.h"

#include "stack/stack.h"

#define P AS_PROFILE
#define NDES                                   \
	{                                      \
		PROFILE_NDES, P, P, P, P, P, P \
	}
#define RFC8894                                   \
	{                                         \
		PROFILE_RFC8894, P, P, P, P, P, P \
	}

static const struct formed {
	const char *row;
	struct reply_settings set;
	enum digest asked;
	enum cipher asked_cipher;
	struct reply_form form;
} formeds[] = {
	{ "as asked", NDES, DIGEST_SHA256, CIPHER_AES128,
	    { DIGEST_SHA256, CIPHER_AES128, TRANSPORT_PKCS1, SCEP_CONTENT_ZERO,
		false, true } },
	{ "as asked with the strongest", NDES, DIGEST_SHA512, CIPHER_AES256,
	    { DIGEST_SHA512, CIPHER_AES256, TRANSPORT_PKCS1, SCEP_CONTENT_ZERO,
		false, true } },
	{ "MD5 and DES are not answered", NDES, DIGEST_MD5, CIPHER_DES,
	    { DIGEST_SHA1, CIPHER_DES3, TRANSPORT_PKCS1, SCEP_CONTENT_ZERO,
		false, true } },
	{ "unknown algorithms are not answered", NDES, DIGEST_COUNT,
	    CIPHER_COUNT,
	    { DIGEST_SHA1, CIPHER_DES3, TRANSPORT_PKCS1, SCEP_CONTENT_ZERO,
		false, true } },
	{ "3DES is answered", NDES, DIGEST_SHA1, CIPHER_DES3,
	    { DIGEST_SHA1, CIPHER_DES3, TRANSPORT_PKCS1, SCEP_CONTENT_ZERO,
		false, true } },
	{ "the RFC's whatever was asked", RFC8894, DIGEST_SHA1, CIPHER_DES3,
	    { DIGEST_SHA256, CIPHER_AES128, TRANSPORT_PKCS1,
		SCEP_CONTENT_ABSENT, true, false } },
	{ "the RFC's whatever was asked, more", RFC8894, DIGEST_SHA512,
	    CIPHER_AES256,
	    { DIGEST_SHA256, CIPHER_AES128, TRANSPORT_PKCS1,
		SCEP_CONTENT_ABSENT, true, false } },
	{ "the RFC's, but as asked",
	    { PROFILE_RFC8894, AS_REQUEST, AS_REQUEST, P, P, P, P }, DIGEST_MD5,
	    CIPHER_AES256,
	    { DIGEST_SHA1, CIPHER_AES256, TRANSPORT_PKCS1, SCEP_CONTENT_ABSENT,
		true, false } },
	{ "single DES when it is set",
	    { PROFILE_NDES, DIGEST_SHA1, CIPHER_DES, P, P, P, P },
	    DIGEST_SHA512, CIPHER_AES256,
	    { DIGEST_SHA1, CIPHER_DES, TRANSPORT_PKCS1, SCEP_CONTENT_ZERO,
		false, true } },
	{ "as the sample of a real NDES",
	    { PROFILE_NDES, DIGEST_SHA1, CIPHER_AES128, TRANSPORT_OAEP, P, P,
		P },
	    DIGEST_SHA512, CIPHER_DES3,
	    { DIGEST_SHA1, CIPHER_AES128, TRANSPORT_OAEP, SCEP_CONTENT_ZERO,
		false, true } },
	{ "NDES's with the RFC's content",
	    { PROFILE_NDES, P, P, P, SCEP_CONTENT_ABSENT, true, false },
	    DIGEST_SHA256, CIPHER_AES192,
	    { DIGEST_SHA256, CIPHER_AES192, TRANSPORT_PKCS1,
		SCEP_CONTENT_ABSENT, true, false } },
	{ "the RFC's with NDES's content",
	    { PROFILE_RFC8894, P, P, TRANSPORT_PKCS1, SCEP_CONTENT_ZERO, false,
		true },
	    DIGEST_SHA256, CIPHER_AES192,
	    { DIGEST_SHA256, CIPHER_AES128, TRANSPORT_PKCS1, SCEP_CONTENT_ZERO,
		false, true } },
	{ "an empty content",
	    { PROFILE_RFC8894, DIGEST_SHA512, CIPHER_AES256, P,
		SCEP_CONTENT_EMPTY, P, P },
	    DIGEST_SHA1, CIPHER_DES3,
	    { DIGEST_SHA512, CIPHER_AES256, TRANSPORT_PKCS1, SCEP_CONTENT_EMPTY,
		true, false } },
};

static void
form(void **state)
{
	const struct formed *t = *state;
	struct reply_form got;
	struct stack_state s;

	stack_healthy(&s);
	s.mscep.reply = t->set;
	got = mscep_reply_form(&s, t->asked, t->asked_cipher);
	assert_int_equal(got.digest, t->form.digest);
	assert_int_equal(got.cipher, t->form.cipher);
	assert_int_equal(got.transport, t->form.transport);
	assert_int_equal(got.content, t->form.content);
	assert_int_equal(got.fail_info_text, t->form.fail_info_text);
	assert_int_equal(got.microsoft, t->form.microsoft);
}

int
main(void)
{
	static const struct table tables[] = {
		ROWS(form, formeds),
	};

	return ROWS_RUN(tables, NULL, NULL);
}
