/* Enrolment passwords (ndes-facts 5.5), at times that stand still. */
#include "unit/rows.h"

#include "stack/stack.h"

#define NOW 1655294400LL
#define HOUR 3600

static struct crypto *crypto;

static struct stack_state
state_with(int64_t length, int64_t validity, int64_t cache)
{
	struct stack_state s;

	stack_healthy(&s);
	s.mscep.challenge.length = length;
	s.mscep.challenge.validity = validity;
	s.mscep.challenge.cache = cache;
	return s;
}

static void
make(struct challenge_cache *cache, const struct stack_state *state, int64_t at,
    char out[CHALLENGE_SIZE])
{
	assert_int_equal(challenge_make(cache, state, crypto, at, out),
	    CHALLENGE_MADE);
}

static void
healthy(void **state)
{
	struct challenge_cache cache = { 0 };
	struct stack_state s;
	char out[CHALLENGE_SIZE];

	(void)state;
	stack_healthy(&s);
	assert_true(challenge_costs(&s));
	make(&cache, &s, NOW, out);
	assert_int_equal(strlen(out), 16);
	assert_int_equal(strspn(out, "0123456789ABCDEF"), 16);
	for (int i = 1; i < 5; i++)
		make(&cache, &s, NOW, out);
	assert_int_equal(challenge_make(&cache, &s, crypto, NOW + HOUR - 1,
			     out),
	    CHALLENGE_CACHE_FULL);
	assert_int_equal(challenge_make(&cache, &s, crypto, NOW + HOUR, out),
	    CHALLENGE_MADE);
	challenge_clear(&cache);
}

static const struct length {
	const char *row;
	int64_t length;
} lengths[] = {
	{ "one octet", 1 },
	{ "eight octets", 8 },
	{ "sixteen octets", 16 },
	{ "as many as there are", (CHALLENGE_SIZE - 1) / 2 },
};

static void
has_length(void **state)
{
	const struct length *t = *state;
	struct stack_state s = state_with(t->length, HOUR, 5);
	struct challenge_cache cache = { 0 };
	char out[CHALLENGE_SIZE];

	memset(out, '#', sizeof(out));
	make(&cache, &s, NOW, out);
	assert_int_equal(strlen(out), 2 * t->length);
	assert_int_equal(challenge_judge(&cache, &s, out, NOW, true),
	    REFUSAL_NONE);
	challenge_clear(&cache);
}

static const struct size {
	const char *row;
	int64_t cache;
} sizes[] = {
	{ "none at all", 0 },
	{ "one", 1 },
	{ "five", 5 },
	{ "more than were made room for at first", 400 },
};

static void
cache_holds(void **state)
{
	const struct size *t = *state;
	struct stack_state s = state_with(8, HOUR, t->cache);
	struct challenge_cache cache = { 0 };
	char first[CHALLENGE_SIZE] = "", out[CHALLENGE_SIZE];

	for (int64_t i = 0; i < t->cache; i++)
		make(&cache, &s, NOW, i == 0 ? first : out);
	assert_int_equal(challenge_make(&cache, &s, crypto, NOW, out),
	    CHALLENGE_CACHE_FULL);
	if (t->cache > 0) {
		assert_int_equal(challenge_judge(&cache, &s, first, NOW, true),
		    REFUSAL_NONE);
		make(&cache, &s, NOW, out);
		assert_int_equal(challenge_make(&cache, &s, crypto, NOW, out),
		    CHALLENGE_CACHE_FULL);
	}
	challenge_clear(&cache);
}

static void
all_differ(void **state)
{
	struct stack_state s = state_with(8, HOUR, 200);
	struct challenge_cache cache = { 0 };
	char made[200][CHALLENGE_SIZE];

	(void)state;
	for (size_t i = 0; i < 200; i++) {
		make(&cache, &s, NOW, made[i]);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(made[i], made[k]);
	}
	/* In any order, and each by itself. */
	for (size_t i = 200; i-- > 0;)
		assert_int_equal(challenge_judge(&cache, &s, made[i], NOW,
				     true),
		    REFUSAL_NONE);
	challenge_clear(&cache);
}

/* What is presented, one after the other. */
static const struct judgement {
	const char *row;
	struct {
		const char *password; /* NULL: the good one */
		int64_t after;	      /* seconds since it was made */
		bool spend;
		enum refusal refusal;
	} steps[4];
	size_t count;
} judgements[] = {
	{ "a good one", { { NULL, 0, true, REFUSAL_NONE } }, 1 },
	{ "a good one at its last second",
	    { { NULL, HOUR - 1, true, REFUSAL_NONE } }, 1 },
	{ "an expired one", { { NULL, HOUR, true, REFUSAL_EXPIRED_CHALLENGE } },
	    1 },
	{ "an expired one again",
	    { { NULL, HOUR, true, REFUSAL_EXPIRED_CHALLENGE },
		{ NULL, 9 * HOUR, true, REFUSAL_EXPIRED_CHALLENGE } },
	    2 },
	{ "a used one",
	    { { NULL, 0, true, REFUSAL_NONE },
		{ NULL, 1, true, REFUSAL_USED_CHALLENGE },
		{ NULL, 2, true, REFUSAL_USED_CHALLENGE } },
	    3 },
	{ "a used one stays used when its time is over",
	    { { NULL, 0, true, REFUSAL_NONE },
		{ NULL, 2 * HOUR, true, REFUSAL_USED_CHALLENGE } },
	    2 },
	{ "one that is only looked at",
	    { { NULL, 0, false, REFUSAL_NONE },
		{ NULL, 0, false, REFUSAL_NONE },
		{ NULL, 0, true, REFUSAL_NONE },
		{ NULL, 0, false, REFUSAL_USED_CHALLENGE } },
	    4 },
	{ "an expired one that is only looked at",
	    { { NULL, HOUR, false, REFUSAL_EXPIRED_CHALLENGE },
		{ NULL, HOUR, true, REFUSAL_EXPIRED_CHALLENGE } },
	    2 },
	{ "a wrong one", { { "0123", 0, true, REFUSAL_WRONG_CHALLENGE } }, 1 },
	{ "a wrong one spends nothing",
	    { { "0000000000000000", 0, true, REFUSAL_WRONG_CHALLENGE },
		{ NULL, 0, true, REFUSAL_NONE } },
	    2 },
	{ "the empty one", { { "", 0, true, REFUSAL_NO_CHALLENGE } }, 1 },
};

static void
judges(void **state)
{
	const struct judgement *t = *state;
	struct stack_state s = state_with(8, HOUR, 5);
	struct challenge_cache cache = { 0 };
	char password[CHALLENGE_SIZE];

	make(&cache, &s, NOW, password);
	for (size_t i = 0; i < t->count; i++)
		assert_int_equal(challenge_judge(&cache, &s,
				     t->steps[i].password == NULL ?
					 password :
					 t->steps[i].password,
				     NOW + t->steps[i].after,
				     t->steps[i].spend),
		    t->steps[i].refusal);
	challenge_clear(&cache);
}

/* Neither a beginning, nor more, nor one digit changed. */
static void
nearly_right(void **state)
{
	struct stack_state s = state_with(8, HOUR, 5);
	struct challenge_cache cache = { 0 };
	char password[CHALLENGE_SIZE], other[CHALLENGE_SIZE + 1];

	(void)state;
	make(&cache, &s, NOW, password);
	snprintf(other, sizeof(other), "%.15s", password);
	assert_int_equal(challenge_judge(&cache, &s, other, NOW, true),
	    REFUSAL_WRONG_CHALLENGE);
	snprintf(other, sizeof(other), "%s0", password);
	assert_int_equal(challenge_judge(&cache, &s, other, NOW, true),
	    REFUSAL_WRONG_CHALLENGE);
	for (int i = 0; i < 16; i++) {
		strcpy(other, password);
		other[i] ^= 0x01;
		assert_int_equal(challenge_judge(&cache, &s, other, NOW, true),
		    REFUSAL_WRONG_CHALLENGE);
	}
	assert_int_equal(challenge_judge(&cache, &s, password, NOW, true),
	    REFUSAL_NONE);
	challenge_clear(&cache);
}

static void
nothing_was_made(void **state)
{
	struct stack_state s = state_with(8, HOUR, 5);
	struct challenge_cache cache = { 0 };

	(void)state;
	assert_int_equal(challenge_judge(&cache, &s, NULL, NOW, true),
	    REFUSAL_NO_CHALLENGE);
	assert_int_equal(challenge_judge(&cache, &s, "", NOW, true),
	    REFUSAL_NO_CHALLENGE);
	assert_int_equal(challenge_judge(&cache, &s, "8CE317021F690069", NOW,
			     true),
	    REFUSAL_WRONG_CHALLENGE);
	challenge_clear(&cache);
	challenge_clear(&cache);
}

/* Each by its own time, and only those whose time is over. */
static void
expiry_frees_places(void **state)
{
	struct stack_state s = state_with(8, HOUR, 3);
	struct challenge_cache cache = { 0 };
	char made[3][CHALLENGE_SIZE], out[CHALLENGE_SIZE];

	(void)state;
	for (int i = 0; i < 3; i++)
		make(&cache, &s, NOW + 60 * i, made[i]);
	assert_int_equal(challenge_make(&cache, &s, crypto, NOW + HOUR - 1,
			     out),
	    CHALLENGE_CACHE_FULL);
	make(&cache, &s, NOW + HOUR + 60, out);
	make(&cache, &s, NOW + HOUR + 60, out);
	assert_int_equal(challenge_make(&cache, &s, crypto, NOW + HOUR + 60,
			     out),
	    CHALLENGE_CACHE_FULL);
	assert_int_equal(challenge_judge(&cache, &s, made[0], NOW + HOUR + 60,
			     true),
	    REFUSAL_EXPIRED_CHALLENGE);
	assert_int_equal(challenge_judge(&cache, &s, made[1], NOW + HOUR + 60,
			     true),
	    REFUSAL_EXPIRED_CHALLENGE);
	assert_int_equal(challenge_judge(&cache, &s, made[2], NOW + HOUR + 60,
			     true),
	    REFUSAL_NONE);
	challenge_clear(&cache);
}

/* What was decided when it was made holds for a password. */
static void
validity_is_of_its_making(void **state)
{
	struct stack_state brief = state_with(8, 60, 5);
	struct stack_state s = state_with(8, 24 * HOUR, 5);
	struct challenge_cache cache = { 0 };
	char first[CHALLENGE_SIZE], second[CHALLENGE_SIZE];

	(void)state;
	make(&cache, &s, NOW, first);
	make(&cache, &brief, NOW, second);
	assert_int_equal(challenge_judge(&cache, &s, second, NOW + 60, false),
	    REFUSAL_EXPIRED_CHALLENGE);
	assert_int_equal(challenge_judge(&cache, &s, first, NOW + 60, false),
	    REFUSAL_NONE);
	challenge_clear(&cache);
}

/* The oldest of those gone are forgotten; the last 256 are not. */
static void
memory_of_the_gone(void **state)
{
	static char used[CHALLENGES_GONE + 1][CHALLENGE_SIZE];
	struct stack_state s = state_with(8, HOUR, 5);
	struct challenge_cache cache = { 0 };

	(void)state;
	for (size_t i = 0; i <= CHALLENGES_GONE; i++) {
		make(&cache, &s, NOW, used[i]);
		assert_int_equal(challenge_judge(&cache, &s, used[i], NOW,
				     true),
		    REFUSAL_NONE);
	}
	assert_int_equal(challenge_judge(&cache, &s, used[0], NOW, true),
	    REFUSAL_WRONG_CHALLENGE);
	for (size_t i = 1; i <= CHALLENGES_GONE; i++)
		assert_int_equal(challenge_judge(&cache, &s, used[i], NOW,
				     true),
		    REFUSAL_USED_CHALLENGE);
	challenge_clear(&cache);
	assert_int_equal(challenge_judge(&cache, &s, used[5], NOW, true),
	    REFUSAL_WRONG_CHALLENGE);
	challenge_clear(&cache);
}

#define STATIC "correct horse <battery> staple"

/* What each mode makes of what, on a server with and without the module. */
static const struct moded {
	const char *row;
	enum challenge_mode mode;
	const char *set, *presented; /* presented NULL: none at all */
	enum refusal refusal;
} modeds[] = {
	{ "single: the password that is set", CHALLENGES_SINGLE, "S3CRET",
	    "S3CRET", REFUSAL_NONE },
	{ "single: another", CHALLENGES_SINGLE, "S3CRET", "S3CREt",
	    REFUSAL_WRONG_CHALLENGE },
	{ "single: none", CHALLENGES_SINGLE, "S3CRET", NULL,
	    REFUSAL_NO_CHALLENGE },
	{ "single: before anybody has seen it", CHALLENGES_SINGLE, "", "S3CRET",
	    REFUSAL_WRONG_CHALLENGE },
	{ "single: an empty one before anybody has seen it", CHALLENGES_SINGLE,
	    "", "", REFUSAL_NO_CHALLENGE },
	{ "static: the password", CHALLENGES_STATIC, STATIC, STATIC,
	    REFUSAL_NONE },
	{ "static: a beginning of it", CHALLENGES_STATIC, STATIC, "correct",
	    REFUSAL_WRONG_CHALLENGE },
	{ "static: none", CHALLENGES_STATIC, STATIC, NULL,
	    REFUSAL_NO_CHALLENGE },
	{ "static: an empty one", CHALLENGES_STATIC, STATIC, "",
	    REFUSAL_NO_CHALLENGE },
	{ "none: any", CHALLENGES_NONE, "", "anything", REFUSAL_NONE },
	{ "none: none", CHALLENGES_NONE, "", NULL, REFUSAL_NONE },
	{ "none: an empty one", CHALLENGES_NONE, "", "", REFUSAL_NONE },
	{ "one-time: a password of other modes", CHALLENGES_ONE_TIME, "S3CRET",
	    "S3CRET", REFUSAL_WRONG_CHALLENGE },
};

static void
mode_judges(void **state)
{
	const struct moded *t = *state;
	struct stack_state s = state_with(8, HOUR, 5);
	struct challenge_cache cache = { 0 };

	s.mscep.challenge.mode = t->mode;
	strcpy(s.mscep.challenge.password, t->set);
	for (int i = 0; i < 4; i++) {
		s.policy_module.installed = i % 2 == 0;
		/* It neither expires nor is it spent. */
		assert_int_equal(challenge_judge(&cache, &s, t->presented,
				     NOW + i * 1000 * HOUR, true),
		    t->refusal);
	}
	challenge_clear(&cache);
}

static const struct shown {
	const char *row;
	enum challenge_mode mode;
	const char *set;
	bool forbidden;
	enum challenge_answer answer;
	const char *out;
} showns[] = {
	{ "single", CHALLENGES_SINGLE, "S3CRET", false, CHALLENGE_LASTING,
	    "S3CRET" },
	{ "static", CHALLENGES_STATIC, STATIC, false, CHALLENGE_LASTING,
	    STATIC },
	{ "none", CHALLENGES_NONE, "S3CRET", false, CHALLENGE_NOT_NEEDED, "" },
	{ "one-time without permission", CHALLENGES_ONE_TIME, "", true,
	    CHALLENGE_NO_PERMISSION, "" },
	{ "single without permission", CHALLENGES_SINGLE, "", true,
	    CHALLENGE_NO_PERMISSION, "" },
	{ "none without permission", CHALLENGES_NONE, "", true,
	    CHALLENGE_NO_PERMISSION, "" },
};

static void
mode_shows(void **state)
{
	const struct shown *t = *state;
	struct stack_state s = state_with(8, HOUR, 5);
	struct challenge_cache cache = { 0 };
	char out[CHALLENGE_SIZE];

	s.mscep.challenge.mode = t->mode;
	s.mscep.admin.permission = !t->forbidden;
	strcpy(s.mscep.challenge.password, t->set);
	assert_false(challenge_costs(&s));
	for (int i = 0; i < 20; i++) {
		memset(out, '#', sizeof(out));
		assert_int_equal(challenge_make(&cache, &s, crypto, NOW, out),
		    t->answer);
		assert_string_equal(out, t->out);
	}
	assert_int_equal(cache.ndes.count, 0);
	challenge_clear(&cache);
}

static void
single_is_made_once(void **state)
{
	struct stack_state s = state_with(8, HOUR, 5);
	struct challenge_cache cache = { 0 };
	char first[CHALLENGE_SIZE], again[CHALLENGE_SIZE];

	(void)state;
	s.mscep.challenge.mode = CHALLENGES_SINGLE;
	assert_int_equal(challenge_make(&cache, &s, crypto, NOW, first),
	    CHALLENGE_LASTING);
	assert_int_equal(strlen(first), 32);
	assert_int_equal(strspn(first, "0123456789ABCDEF"), 32);
	/* It is in the registry. */
	challenge_restart(&cache);
	assert_int_equal(challenge_make(&cache, &s, crypto, NOW + 999 * HOUR,
			     again),
	    CHALLENGE_LASTING);
	assert_string_equal(again, first);
	for (int i = 0; i < 3; i++)
		assert_int_equal(challenge_judge(&cache, &s, first,
				     NOW + 9999 * HOUR, true),
		    REFUSAL_NONE);
	/* Only this mode knows it. */
	s.mscep.challenge.mode = CHALLENGES_ONE_TIME;
	assert_int_equal(challenge_judge(&cache, &s, first, NOW, true),
	    REFUSAL_WRONG_CHALLENGE);
	challenge_clear(&cache);
	s.mscep.challenge.mode = CHALLENGES_SINGLE;
	assert_int_equal(challenge_judge(&cache, &s, first, NOW, true),
	    REFUSAL_WRONG_CHALLENGE);
	challenge_clear(&cache);
}

static char *
make_outside(struct challenge_cache *cache, const struct stack_state *s,
    size_t size, int64_t at)
{
	char *out;

	assert_int_equal(challenge_make_outside(cache, s, crypto, size, at,
			     &out),
	    CHALLENGE_MADE);
	assert_int_equal(strlen(out), size);
	assert_int_equal(strspn(out, "0123456789ABCDEF"), size);
	return out;
}

/* Sizes in octets of the password. */
static const struct outside {
	const char *row;
	size_t size;
} outsides[] = {
	{ "one octet", 1 },
	{ "an odd number of octets", 17 },
	{ "as long as NDES's", 16 },
	{ "as long as Intune's", CHALLENGE_LONGEST },
};

static void
module_knows_outside(void **state)
{
	const struct outside *t = *state;
	struct stack_state s = state_with(8, HOUR, 5);
	struct challenge_cache cache = { 0 };
	char *password = make_outside(&cache, &s, t->size, NOW);

	s.policy_module.installed = false;
	assert_int_equal(challenge_judge(&cache, &s, password, NOW, true),
	    REFUSAL_WRONG_CHALLENGE);
	s.policy_module.installed = true;
	/* Not in NDES's memory. */
	challenge_restart(&cache);
	assert_int_equal(challenge_judge(&cache, &s, password, NOW + HOUR - 1,
			     true),
	    REFUSAL_NONE);
	assert_int_equal(challenge_judge(&cache, &s, password, NOW, true),
	    REFUSAL_USED_CHALLENGE);
	s.policy_module.installed = false;
	assert_int_equal(challenge_judge(&cache, &s, password, NOW, true),
	    REFUSAL_WRONG_CHALLENGE);
	free(password);
	challenge_clear(&cache);
}

static void
outside_expires(void **state)
{
	struct stack_state s = state_with(8, HOUR, 5);
	struct challenge_cache cache = { 0 };
	char *password = make_outside(&cache, &s, 40, NOW);

	(void)state;
	assert_int_equal(challenge_judge(&cache, &s, password, NOW + HOUR,
			     true),
	    REFUSAL_EXPIRED_CHALLENGE);
	free(password);
	/* In every mode that has passwords. */
	password = make_outside(&cache, &s, 40, NOW);
	s.mscep.challenge.mode = CHALLENGES_STATIC;
	strcpy(s.mscep.challenge.password, STATIC);
	assert_int_equal(challenge_judge(&cache, &s, password, NOW, true),
	    REFUSAL_NONE);
	assert_int_equal(challenge_judge(&cache, &s, password, NOW, true),
	    REFUSAL_USED_CHALLENGE);
	free(password);
	challenge_clear(&cache);
}

/* Neither in NDES's cache of five, nor without a bound. */
static void
outside_has_room(void **state)
{
	struct stack_state s = state_with(8, HOUR, 1);
	struct challenge_cache cache = { 0 };
	char *last = NULL, out[CHALLENGE_SIZE];

	(void)state;
	make(&cache, &s, NOW, out);
	for (int i = 0; i < CHALLENGES_OUTSIDE; i++) {
		free(last);
		last = make_outside(&cache, &s, 16, NOW);
	}
	assert_int_equal(challenge_judge(&cache, &s, out, NOW, true),
	    REFUSAL_NONE);
	assert_int_equal(challenge_judge(&cache, &s, last, NOW, false),
	    REFUSAL_NONE);
	free(last);
	assert_int_equal(challenge_make_outside(&cache, &s, crypto, 16, NOW,
			     &last),
	    CHALLENGE_CACHE_FULL);
	assert_null(last);
	free(make_outside(&cache, &s, 16, NOW + HOUR));
	challenge_clear(&cache);
}

static void
outside_has_sizes(void **state)
{
	struct stack_state s = state_with(8, HOUR, 1);
	struct challenge_cache cache = { 0 };
	char *out;

	(void)state;
	assert_int_equal(challenge_make_outside(&cache, &s, crypto, 0, NOW,
			     &out),
	    CHALLENGE_FAILED);
	assert_null(out);
	assert_int_equal(challenge_make_outside(&cache, &s, crypto,
			     CHALLENGE_LONGEST + 1, NOW, &out),
	    CHALLENGE_FAILED);
	assert_null(out);
	challenge_clear(&cache);
}

/* An iisreset: who held a password is left with a wrong one. */
static void
restart_forgets(void **state)
{
	struct stack_state s = state_with(8, HOUR, 2);
	struct challenge_cache cache = { 0 };
	char unused[CHALLENGE_SIZE], used[CHALLENGE_SIZE];

	(void)state;
	make(&cache, &s, NOW, used);
	assert_int_equal(challenge_judge(&cache, &s, used, NOW, true),
	    REFUSAL_NONE);
	make(&cache, &s, NOW, unused);
	challenge_restart(&cache);
	assert_int_equal(challenge_judge(&cache, &s, unused, NOW, true),
	    REFUSAL_WRONG_CHALLENGE);
	assert_int_equal(challenge_judge(&cache, &s, used, NOW, true),
	    REFUSAL_WRONG_CHALLENGE);
	make(&cache, &s, NOW, unused);
	make(&cache, &s, NOW, unused);
	challenge_clear(&cache);
}

static int
set_up(void **state)
{
	struct error err = { 0 };

	(void)state;
	return crypto_new(&crypto, &err);
}

static int
tear_down(void **state)
{
	(void)state;
	crypto_free(crypto);
	return 0;
}

int
main(void)
{
	static const struct table tables[] = {
		ONE(healthy, "sixteen digits, five of them, for an hour"),
		ROWS(has_length, lengths),
		ROWS(cache_holds, sizes),
		ONE(all_differ, "no password is made twice"),
		ROWS(judges, judgements),
		ONE(nearly_right, "nearly right is wrong"),
		ONE(nothing_was_made, "an empty cache knows no password"),
		ONE(expiry_frees_places, "what expires leaves its place"),
		ONE(validity_is_of_its_making, "a validity is not changed"),
		ONE(memory_of_the_gone, "256 of those gone are remembered"),
		ROWS(mode_judges, modeds),
		ROWS(mode_shows, showns),
		ONE(single_is_made_once, "the single password stays the same"),
		ROWS(module_knows_outside, outsides),
		ONE(outside_expires, "one from outside has its hour too"),
		ONE(outside_has_room, "there is room for 10,000 from outside"),
		ONE(outside_has_sizes, "one from outside has a length"),
		ONE(restart_forgets, "an iisreset loses all passwords"),
	};

	return ROWS_RUN(tables, set_up, tear_down);
}
