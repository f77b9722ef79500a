/* Enrolment passwords (ndes-facts 5.5), and who knows which. */
#include "stack/stack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SINGLE_OCTETS 16 /* 32 digits (quirks 1) */

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
retire(struct challenge_list *list, size_t i, bool used)
{
	struct challenge *gone = &list->gone[list->gone_next];

	free(gone->password);
	*gone = list->unused[i];
	gone->used = used;
	list->gone_next = (list->gone_next + 1) % CHALLENGES_GONE;
	list->unused[i] = list->unused[--list->count];
}

static void
retire_expired(struct challenge_list *list, int64_t now)
{
	for (size_t i = list->count; i-- > 0;)
		if (list->unused[i].expires <= now)
			retire(list, i, false);
}

static void
clear_list(struct challenge_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->unused[i].password);
	for (size_t i = 0; i < CHALLENGES_GONE; i++)
		free(list->gone[i].password);
	free(list->unused);
	memset(list, 0, sizeof(*list));
}

static int
make_room(struct challenge_list *list)
{
	size_t room = list->room * 2 + 5;
	struct challenge *grown;

	if (list->count < list->room)
		return 0;
	grown = reallocarray(list->unused, room, sizeof(*grown));
	if (grown == NULL)
		return -1;
	list->unused = grown;
	list->room = room;
	return 0;
}

/* `size` random hex digits, owned by the caller; NULL: no luck. */
static char *
random_password(struct crypto *crypto, size_t size)
{
	size_t half = (size + 1) / 2;
	char *text = malloc(2 * half + 1);
	uint8_t *bytes;

	if (text == NULL)
		return NULL;
	/* Each octet lies where its second digit will be, or behind it. */
	bytes = (uint8_t *)text + half;
	if (crypto_random(crypto, bytes, half) == -1) {
		free(text);
		return NULL;
	}
	for (size_t i = 0; i < half; i++) {
		uint8_t byte = bytes[i];

		text[2 * i] = "0123456789ABCDEF"[byte >> 4];
		text[2 * i + 1] = "0123456789ABCDEF"[byte & 15];
	}
	text[size] = '\0';
	return text;
}

/* The password, borrowed, or NULL. */
static const char *
make_one(struct challenge_list *list, const struct stack_state *state,
    struct crypto *crypto, size_t size, int64_t now)
{
	char *password;

	if (make_room(list) == -1 ||
	    (password = random_password(crypto, size)) == NULL)
		return NULL;
	list->unused[list->count++] = (struct challenge){
		.password = password,
		.expires = now + state->mscep.challenge.validity,
	};
	return password;
}

static enum challenge_answer
make_one_time(struct challenge_cache *cache, const struct stack_state *state,
    struct crypto *crypto, int64_t now, char out[CHALLENGE_SIZE])
{
	size_t size = 2 * (size_t)state->mscep.challenge.length;
	const char *password;

	retire_expired(&cache->ndes, now);
	if ((int64_t)cache->ndes.count >= state->mscep.challenge.cache)
		return CHALLENGE_CACHE_FULL;
	if (size >= CHALLENGE_SIZE ||
	    (password = make_one(&cache->ndes, state, crypto, size, now)) ==
		NULL)
		return CHALLENGE_FAILED;
	strcpy(out, password);
	return CHALLENGE_MADE;
}

/* That of the settings, else the one made before; empty: none. */
static const char *
lasting_password(const struct challenge_cache *cache,
    const struct stack_state *state)
{
	if (state->mscep.challenge.password[0] != '\0' ||
	    state->mscep.challenge.mode == CHALLENGES_STATIC)
		return state->mscep.challenge.password;
	return cache->single;
}

static enum challenge_answer
show_lasting(struct challenge_cache *cache, const struct stack_state *state,
    struct crypto *crypto, char out[CHALLENGE_SIZE])
{
	char *made;

	if (state->mscep.challenge.mode == CHALLENGES_SINGLE &&
	    *lasting_password(cache, state) == '\0') {
		made = random_password(crypto, 2 * SINGLE_OCTETS);
		if (made == NULL)
			return CHALLENGE_FAILED;
		strcpy(cache->single, made);
		free(made);
	}
	strcpy(out, lasting_password(cache, state));
	return CHALLENGE_LASTING;
}

bool
challenge_costs(const struct stack_state *state)
{
	return state->mscep.admin.permission &&
	    state->mscep.challenge.mode == CHALLENGES_ONE_TIME;
}

enum challenge_answer
challenge_make(struct challenge_cache *cache, const struct stack_state *state,
    struct crypto *crypto, int64_t now, char out[CHALLENGE_SIZE])
{
	out[0] = '\0';
	if (!state->mscep.admin.permission)
		return CHALLENGE_NO_PERMISSION;
	switch (state->mscep.challenge.mode) {
	case CHALLENGES_SINGLE:
	case CHALLENGES_STATIC:
		return show_lasting(cache, state, crypto, out);
	case CHALLENGES_NONE:
		return CHALLENGE_NOT_NEEDED;
	case CHALLENGES_ONE_TIME:
		break;
	}
	return make_one_time(cache, state, crypto, now, out);
}

enum challenge_answer
challenge_make_outside(struct challenge_cache *cache,
    const struct stack_state *state, struct crypto *crypto, size_t size,
    int64_t now, char **out)
{
	const char *password;

	*out = NULL;
	retire_expired(&cache->outside, now);
	if (cache->outside.count >= CHALLENGES_OUTSIDE)
		return CHALLENGE_CACHE_FULL;
	if (size == 0 || size > CHALLENGE_LONGEST ||
	    (password = make_one(&cache->outside, state, crypto, size, now)) ==
		NULL ||
	    (*out = strdup(password)) == NULL)
		return CHALLENGE_FAILED;
	return CHALLENGE_MADE;
}

static enum refusal
judge_list(struct challenge_list *list, const char *password, int64_t now,
    bool spend)
{
	retire_expired(list, now);
	for (size_t i = 0; i < list->count; i++)
		if (same_password(list->unused[i].password, password)) {
			if (spend)
				retire(list, i, true);
			return REFUSAL_NONE;
		}
	for (size_t i = 0; i < CHALLENGES_GONE; i++)
		if (list->gone[i].password != NULL &&
		    same_password(list->gone[i].password, password))
			return list->gone[i].used ? REFUSAL_USED_CHALLENGE :
						    REFUSAL_EXPIRED_CHALLENGE;
	return REFUSAL_WRONG_CHALLENGE;
}

enum refusal
challenge_judge(struct challenge_cache *cache, const struct stack_state *state,
    const char *password, int64_t now, bool spend)
{
	enum refusal refusal = REFUSAL_WRONG_CHALLENGE;

	if (state->mscep.challenge.mode == CHALLENGES_NONE)
		return REFUSAL_NONE;
	if (password == NULL || *password == '\0')
		return REFUSAL_NO_CHALLENGE;
	if (state->mscep.challenge.mode == CHALLENGES_ONE_TIME)
		refusal = judge_list(&cache->ndes, password, now, spend);
	else if (same_password(lasting_password(cache, state), password))
		refusal = REFUSAL_NONE;
	if (refusal == REFUSAL_WRONG_CHALLENGE &&
	    state->policy_module.installed)
		refusal = judge_list(&cache->outside, password, now, spend);
	return refusal;
}

void
challenge_restart(struct challenge_cache *cache)
{
	clear_list(&cache->ndes);
}

void
challenge_clear(struct challenge_cache *cache)
{
	clear_list(&cache->ndes);
	clear_list(&cache->outside);
	memset(cache->single, 0, sizeof(cache->single));
}
