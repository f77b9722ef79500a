/*
 * The start of mscep.dll: IIS loads it for a request, and if it cannot begin,
 * tries again with the next one. The status is [C] (ndes-facts 12), substatus
 * and win32 status are assumed to say what the events say.
 */
#include "stack/stack.h"

#define EVENT_2 "The Network Device Enrollment Service cannot be started "
#define EVENT_10                                                            \
	"The Network Device Enrollment Service cannot retrieve one of its " \
	"required certificates "
/* That there is this one is [C], its words are assumed. */
#define EVENT_49                                                           \
	"The Network Device Enrollment Service cannot decrypt the stored " \
	"password "
#define BAD_PARAMETER "(0x80070057).  The parameter is incorrect."
#define NO_FILE "(0x80070002).  The system cannot find the file specified."
#define BAD_KEY_STATE "(0x8009000b).  Key not valid for use in specified state."

bool
mscep_has_ras(const struct credentials *cred, int64_t now, struct error *why)
{
	static const struct {
		enum ca_role role;
		const char *name;
	} ras[] = {
		{ CA_RA_SIGNING, "signing" },
		{ CA_RA_ENCRYPTION, "encryption" },
	};

	for (size_t i = 0; cred != NULL && i < sizeof(ras) / sizeof(ras[0]);
	     i++) {
		const struct x509 *cert = &cred->certs[ras[i].role];

		if (now <= cert->not_after && now >= cert->not_before)
			continue;
		error_set(why, "the certificate of the %s RA %s", ras[i].name,
		    now > cert->not_after ? "has expired" :
					    "is not valid yet");
		return false;
	}
	return true;
}

static bool
ras_are_out_of_time(const struct stack_state *s, const struct credentials *cred,
    int64_t now)
{
	struct error unasked = { 0 };

	(void)s;
	return !mscep_has_ras(cred, now, &unasked);
}

static bool
ra_keys_are_locked(const struct stack_state *s, const struct credentials *cred,
    int64_t now)
{
	(void)cred, (void)now;
	return !s->ra.signing.key_readable || !s->ra.encryption.key_readable;
}

static bool
registry_is_inconsistent(const struct stack_state *s,
    const struct credentials *cred, int64_t now)
{
	(void)cred, (void)now;
	return s->mscep.registry == REGISTRY_INCONSISTENT;
}

static bool
password_is_sealed(const struct stack_state *s, const struct credentials *cred,
    int64_t now)
{
	(void)cred, (void)now;
	return s->mscep.encrypted_password == ENCRYPTED_PASSWORD_UNDECRYPTABLE;
}

static bool
password_cannot_be_kept(const struct stack_state *s,
    const struct credentials *cred, int64_t now)
{
	(void)cred, (void)now;
	return s->mscep.encrypted_password == ENCRYPTED_PASSWORD_NOT_WRITABLE &&
	    s->mscep.challenge.mode == CHALLENGES_SINGLE;
}

/* What it meets first ends it: registry, then password, then RAs (assumed). */
static const struct failure {
	bool (*has)(const struct stack_state *, const struct credentials *,
	    int64_t now);
	uint32_t win32;
	int event; /* beside event 2 */
	const char *first, *second;
} failures[] = {
	{ registry_is_inconsistent, 2, 10, EVENT_2 NO_FILE, EVENT_10 NO_FILE },
	{ password_is_sealed, 0x8009000b, 49, EVENT_2 BAD_KEY_STATE,
	    EVENT_49 BAD_KEY_STATE },
	{ password_cannot_be_kept, 2, 10, EVENT_2 NO_FILE, EVENT_10 NO_FILE },
	{ ras_are_out_of_time, 87, 10, EVENT_2 BAD_PARAMETER,
	    EVENT_10 BAD_PARAMETER },
	{ ra_keys_are_locked, 87, 10, EVENT_2 BAD_PARAMETER,
	    EVENT_10 BAD_PARAMETER },
};

void
mscep_pass(struct exchange *ex, const struct stack_state *state,
    const struct credentials *cred)
{
	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
		const struct failure *f = &failures[i];

		if (!f->has(state, cred, ex->at))
			continue;
		exchange_event(ex, "Application", MSCEP_EVENT_SOURCE, f->event,
		    "Error", "%s", f->second);
		exchange_event(ex, "Application", MSCEP_EVENT_SOURCE, 2,
		    "Error", "%s", f->first);
		iis_answer(ex, state, LAYER_MSCEP, 500, 0, f->win32);
		return;
	}
}
