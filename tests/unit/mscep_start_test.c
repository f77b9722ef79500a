/* The start of mscep.dll: what keeps it from beginning (ndes-facts 9.1, 12). */
#include "unit/authority.h"
#include "unit/exchanges.h"

#include "stack/stack.h"

#define DAY 86400LL
#define YEAR 31557600LL
#define STARTS 0

static struct authority a;

static void
nothing(struct stack_state *s)
{
	(void)s;
}

static void
lock_signing_key(struct stack_state *s)
{
	s->ra.signing.key_readable = false;
}

static void
lock_encryption_key(struct stack_state *s)
{
	s->ra.encryption.key_readable = false;
}

static void
break_registry(struct stack_state *s)
{
	s->mscep.registry = REGISTRY_INCONSISTENT;
}

static void
seal_password(struct stack_state *s)
{
	s->mscep.encrypted_password = ENCRYPTED_PASSWORD_UNDECRYPTABLE;
}

static void
forbid_password(struct stack_state *s)
{
	s->mscep.encrypted_password = ENCRYPTED_PASSWORD_NOT_WRITABLE;
}

static void
forbid_single_password(struct stack_state *s)
{
	forbid_password(s);
	s->mscep.challenge.mode = CHALLENGES_SINGLE;
}

static void
break_all(struct stack_state *s)
{
	break_registry(s);
	seal_password(s);
	lock_signing_key(s);
}

#define PARAMETER "(0x80070057).  The parameter is incorrect."
#define NO_FILE "(0x80070002).  The system cannot find the file specified."
#define KEY_STATE "(0x8009000b).  Key not valid for use in specified state."

static const struct start {
	const char *row;
	void (*break_it)(struct stack_state *);
	int64_t after;	   /* seconds from the begin of the CA on */
	uint32_t win32;	   /* STARTS */
	int event;	   /* beside event 2 */
	const char *words; /* of both */
} starts[] = {
	{ "as it comes", nothing, 0, STARTS, 0, NULL },
	{ "the last second of the RAs", nothing, 2 * YEAR - DAY, STARTS, 0,
	    NULL },
	{ "RAs that have expired", nothing, 3 * YEAR, 87, 10, PARAMETER },
	{ "RAs that are not valid yet", nothing, -DAY, 87, 10, PARAMETER },
	{ "the key of the signing RA", lock_signing_key, 0, 87, 10, PARAMETER },
	{ "the key of the encryption RA", lock_encryption_key, 0, 87, 10,
	    PARAMETER },
	{ "the registry", break_registry, 0, 2, 10, NO_FILE },
	{ "a password that another account has sealed", seal_password, 0,
	    0x8009000b, 49, KEY_STATE },
	{ "no password is written", forbid_password, 0, STARTS, 0, NULL },
	{ "but a single one", forbid_single_password, 0, 2, 10, NO_FILE },
	{ "the registry is read first", break_all, 3 * YEAR, 2, 10, NO_FILE },
};

static const struct event *
event_of(const struct exchange *ex, int id)
{
	const struct event *e = ex->events;

	while (e != NULL && e->id != id)
		e = e->next;
	if (e == NULL)
		fail_msg("there is no event %d", id);
	assert_string_equal(e->log, "Application");
	assert_string_equal(e->source, MSCEP_EVENT_SOURCE);
	assert_string_equal(e->level, "Error");
	return e;
}

static void
must_end_with(const char *text, const char *words)
{
	assert_true(strlen(text) > strlen(words));
	assert_string_equal(text + strlen(text) - strlen(words), words);
}

static void
begins(void **state)
{
	const struct start *t = *state;
	struct stack_state s;
	struct exchange ex;

	stack_healthy(&s);
	t->break_it(&s);
	exchange_make(&ex, "GET", "/certsrv/mscep/mscep.dll");
	ex.at = DEVICE_NOW + t->after;
	mscep_pass(&ex, &s, a.credentials);
	if (t->win32 == STARTS) {
		assert_false(exchange_is_answered(&ex));
		assert_null(ex.events);
		exchange_clear(&ex);
		return;
	}
	exchange_must_say(&ex, LAYER_MSCEP, 500, 0, t->win32);
	exchange_body_must_have(&ex, "500 - Internal server error.");
	must_end_with(event_of(&ex, 2)->text, t->words);
	must_end_with(event_of(&ex, t->event)->text, t->words);
	assert_null(ex.events->next->next);
	exchange_clear(&ex);
}

/* The article's, to the letter. */
static void
whole_texts(void **state)
{
	struct stack_state s;
	struct exchange ex;

	(void)state;
	stack_healthy(&s);
	exchange_make(&ex, "GET", "/certsrv/mscep/mscep.dll");
	ex.at = DEVICE_NOW + 3 * YEAR;
	mscep_pass(&ex, &s, a.credentials);
	assert_string_equal(event_of(&ex, 2)->text,
	    "The Network Device Enrollment Service cannot be started "
	    "(0x80070057).  The parameter is incorrect.");
	assert_string_equal(event_of(&ex, 10)->text,
	    "The Network Device Enrollment Service cannot retrieve one of its "
	    "required certificates (0x80070057).  The parameter is incorrect.");
	exchange_clear(&ex);
}

/* Nobody has made any yet: nothing can be said of them. */
static void
without_certificates(void **state)
{
	struct stack_state s;
	struct exchange ex;

	(void)state;
	stack_healthy(&s);
	exchange_make(&ex, "GET", "/certsrv/mscep/mscep.dll");
	ex.at = DEVICE_NOW + 3 * YEAR;
	mscep_pass(&ex, &s, NULL);
	assert_false(exchange_is_answered(&ex));
	break_registry(&s);
	mscep_pass(&ex, &s, NULL);
	exchange_must_say(&ex, LAYER_MSCEP, 500, 0, 2);
	exchange_clear(&ex);
}

static int
prepare(void **state)
{
	(void)state;
	a = authority_open();
	return 0;
}

static int
clean(void **state)
{
	(void)state;
	authority_close(&a);
	return 0;
}

int
main(void)
{
	const struct table tables[] = {
		ROWS(begins, starts),
		ONE(whole_texts, "events 2 and 10, to the letter"),
		ONE(without_certificates, "of no certificates nothing is said"),
	};

	return ROWS_RUN(tables, prepare, clean);
}
