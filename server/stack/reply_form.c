/* How a CertRep is said, by profile and by single settings. */
#include "stack/stack.h"

/*
 * NDES (3.3, 3.4): one octet 00, Microsoft's attributes, no failInfoText
 * [C]. That digest and cipher follow the request and that the key goes by
 * PKCS#1 is assumed: one sample has OAEP, nobody knows the rule, and every
 * client can read this. RFC 8894: 2.9, 3.2.1.4, 3.3.2.
 */
static const struct reply_settings profiles[] = {
	[PROFILE_NDES] = { PROFILE_NDES, AS_REQUEST, AS_REQUEST,
	    TRANSPORT_PKCS1, SCEP_CONTENT_ZERO, false, true },
	[PROFILE_RFC8894] = { PROFILE_RFC8894, DIGEST_SHA256, CIPHER_AES128,
	    TRANSPORT_PKCS1, SCEP_CONTENT_ABSENT, true, false },
};

/* A request with MD5 was answered with SHA-1 (3.3 [C]); else as asked. */
static enum digest
digest_for(enum digest asked)
{
	return asked == DIGEST_MD5 || asked == DIGEST_COUNT ? DIGEST_SHA1 :
							      asked;
}

/* Assumed: as asked, but nobody gets single DES. */
static enum cipher
cipher_for(enum cipher asked)
{
	return asked == CIPHER_DES || asked == CIPHER_COUNT ? CIPHER_DES3 :
							      asked;
}

static int
either(int setting, int of_profile)
{
	return setting == AS_PROFILE ? of_profile : setting;
}

enum unreadable
mscep_unreadable(const struct stack_state *state)
{
	/* NDES sends no CertRep (3.5 [C]); what it sends is assumed. */
	return (enum unreadable)either(state->mscep.unreadable,
	    state->mscep.reply.profile == PROFILE_RFC8894 ?
		UNREADABLE_CERT_REP :
		UNREADABLE_GENERAL);
}

struct reply_form
mscep_reply_form(const struct stack_state *state, enum digest asked,
    enum cipher asked_cipher)
{
	const struct reply_settings *set = &state->mscep.reply;
	const struct reply_settings *p = &profiles[set->profile];
	int digest = either(set->digest, p->digest);
	int cipher = either(set->cipher, p->cipher);

	return (struct reply_form){
		.digest = digest == AS_REQUEST ? digest_for(asked) :
						 (enum digest)digest,
		.cipher = cipher == AS_REQUEST ? cipher_for(asked_cipher) :
						 (enum cipher)cipher,
		.transport = (enum key_transport)either(set->key_transport,
		    p->key_transport),
		.content = (enum scep_content)either(set->content, p->content),
		.fail_info_text = either(set->fail_info_text,
		    p->fail_info_text),
		.microsoft = either(set->microsoft_attributes,
		    p->microsoft_attributes),
	};
}
