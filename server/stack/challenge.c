/* One-time enrolment passwords (ndes-facts 5.5). */
#include "stack/stack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Equal, in a time that says nothing about where they differ. */
static bool
same_password(const char *a, const char *b)
{
	size_t len = strlen(a);
	unsigned char differs = 0;

	if (len != strlen(b))
		return false;
	for (size_t i = 0; i < len; i++)
		differs |= (unsigned char)(a[i] ^ b[i]);
	return differs == 0;
}

static void
retire(struct challenge_cache *cache, size_t i, bool used)
{
	struct challenge *gone = &cache->gone[cache->gone_next];

	*gone = cache->unused[i];
	gone->used = used;
	cache->gone_next = (cache->gone_next + 1) % CHALLENGES_GONE;
	cache->unused[i] = cache->unused[--cache->count];
}

static void
retire_expired(struct challenge_cache *cache, int64_t now)
{
	for (size_t i = cache->count; i-- > 0;)
		if (cache->unused[i].expires <= now)
			retire(cache, i, false);
}

enum challenge_answer
challenge_make(struct challenge_cache *cache, const struct stack_state *state,
    struct crypto *crypto, int64_t now, char out[CHALLENGE_SIZE])
{
	uint8_t bytes[CHALLENGE_SIZE / 2];
	size_t length = (size_t)state->mscep.challenge.length;
	struct challenge *grown;

	retire_expired(cache, now);
	if ((int64_t)cache->count >= state->mscep.challenge.cache)
		return CHALLENGE_CACHE_FULL;
	if (cache->count == cache->room) {
		grown = reallocarray(cache->unused, cache->room * 2 + 5,
		    sizeof(*grown));
		if (grown == NULL)
			return CHALLENGE_FAILED;
		cache->unused = grown;
		cache->room = cache->room * 2 + 5;
	}
	if (length > sizeof(bytes) ||
	    crypto_random(crypto, bytes, length) == -1)
		return CHALLENGE_FAILED;
	for (size_t i = 0; i < length; i++)
		sprintf(out + 2 * i, "%02X", bytes[i]);
	cache->unused[cache->count].expires = now +
	    state->mscep.challenge.validity;
	cache->unused[cache->count].used = false;
	strcpy(cache->unused[cache->count++].password, out);
	return CHALLENGE_MADE;
}

enum refusal
challenge_judge(struct challenge_cache *cache, const char *password,
    int64_t now, bool spend)
{
	if (password == NULL || *password == '\0')
		return REFUSAL_NO_CHALLENGE;
	retire_expired(cache, now);
	for (size_t i = 0; i < cache->count; i++)
		if (same_password(cache->unused[i].password, password)) {
			if (spend)
				retire(cache, i, true);
			return REFUSAL_NONE;
		}
	for (size_t i = 0; i < CHALLENGES_GONE; i++)
		if (same_password(cache->gone[i].password, password))
			return cache->gone[i].used ? REFUSAL_USED_CHALLENGE :
						     REFUSAL_EXPIRED_CHALLENGE;
	return REFUSAL_WRONG_CHALLENGE;
}

void
challenge_clear(struct challenge_cache *cache)
{
	free(cache->unused);
	memset(cache, 0, sizeof(*cache));
}
