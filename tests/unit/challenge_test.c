/* One-time passwords (ndes-facts 5.5), at times that stand still. */
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
	assert_int_equal(challenge_judge(&cache, out, NOW, true), REFUSAL_NONE);
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
		assert_int_equal(challenge_judge(&cache, first, NOW, true),
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
		assert_int_equal(challenge_judge(&cache, made[i], NOW, true),
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
		assert_int_equal(challenge_judge(&cache,
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
	assert_int_equal(challenge_judge(&cache, other, NOW, true),
	    REFUSAL_WRONG_CHALLENGE);
	snprintf(other, sizeof(other), "%s0", password);
	assert_int_equal(challenge_judge(&cache, other, NOW, true),
	    REFUSAL_WRONG_CHALLENGE);
	for (int i = 0; i < 16; i++) {
		strcpy(other, password);
		other[i] ^= 0x01;
		assert_int_equal(challenge_judge(&cache, other, NOW, true),
		    REFUSAL_WRONG_CHALLENGE);
	}
	assert_int_equal(challenge_judge(&cache, password, NOW, true),
	    REFUSAL_NONE);
	challenge_clear(&cache);
}

static void
nothing_was_made(void **state)
{
	struct challenge_cache cache = { 0 };

	(void)state;
	assert_int_equal(challenge_judge(&cache, NULL, NOW, true),
	    REFUSAL_NO_CHALLENGE);
	assert_int_equal(challenge_judge(&cache, "", NOW, true),
	    REFUSAL_NO_CHALLENGE);
	assert_int_equal(challenge_judge(&cache, "8CE317021F690069", NOW, true),
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
	assert_int_equal(challenge_judge(&cache, made[0], NOW + HOUR + 60,
			     true),
	    REFUSAL_EXPIRED_CHALLENGE);
	assert_int_equal(challenge_judge(&cache, made[1], NOW + HOUR + 60,
			     true),
	    REFUSAL_EXPIRED_CHALLENGE);
	assert_int_equal(challenge_judge(&cache, made[2], NOW + HOUR + 60,
			     true),
	    REFUSAL_NONE);
	challenge_clear(&cache);
}

/* What was decided when it was made holds for a password. */
static void
validity_is_of_its_making(void **state)
{
	struct stack_state brief = state_with(8, 60, 5);
	struct stack_state lasting = state_with(8, 24 * HOUR, 5);
	struct challenge_cache cache = { 0 };
	char first[CHALLENGE_SIZE], second[CHALLENGE_SIZE];

	(void)state;
	make(&cache, &lasting, NOW, first);
	make(&cache, &brief, NOW, second);
	assert_int_equal(challenge_judge(&cache, second, NOW + 60, false),
	    REFUSAL_EXPIRED_CHALLENGE);
	assert_int_equal(challenge_judge(&cache, first, NOW + 60, false),
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
		assert_int_equal(challenge_judge(&cache, used[i], NOW, true),
		    REFUSAL_NONE);
	}
	assert_int_equal(challenge_judge(&cache, used[0], NOW, true),
	    REFUSAL_WRONG_CHALLENGE);
	for (size_t i = 1; i <= CHALLENGES_GONE; i++)
		assert_int_equal(challenge_judge(&cache, used[i], NOW, true),
		    REFUSAL_USED_CHALLENGE);
	challenge_clear(&cache);
	assert_int_equal(challenge_judge(&cache, used[5], NOW, true),
	    REFUSAL_WRONG_CHALLENGE);
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
	};

	return ROWS_RUN(tables, set_up, tear_down);
}
