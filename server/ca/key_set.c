/* Keys: made in parallel, and further ones when somebody asks for them. */
#include "ca/key_set.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/thread.h"

#define PARALLEL_MAX 4

struct key_set *
key_set_new(struct crypto *c)
{
	struct key_set *set = calloc(1, sizeof(*set));

	if (set == NULL)
		return NULL;
	set->crypto = c;
	set->refs = 1;
	pthread_mutex_init(&set->lock, NULL);
	pthread_cond_init(&set->ready, NULL);
	return set;
}

bool
key_set_has_certificates(const struct key_set *set)
{
	bool has = false;

	for (int role = 0; role < CA_ROLES; role++)
		has |= set->certs[role].len > 0;
	return has;
}

struct key_set *
key_set_ref(struct key_set *set)
{
	atomic_fetch_add(&set->refs, 1);
	return set;
}

void
key_set_free(struct key_set *set)
{
	struct made_key *made;

	if (set == NULL || atomic_fetch_sub(&set->refs, 1) > 1)
		return;
	for (int role = 0; role < CA_ROLES; role++) {
		crypto_key_free(set->keys[role]);
		blob_free(&set->certs[role]);
	}
	while ((made = set->made) != NULL) {
		set->made = made->next;
		crypto_key_free(made->is.key);
		free(made);
	}
	pthread_cond_destroy(&set->ready);
	pthread_mutex_destroy(&set->lock);
	free(set);
}

/* What one thread of several does; `key` is an RA's, or `wanted` is a CA's. */
struct making {
	struct key_set *set;
	struct evp_pkey_st **key;
	struct ca_key *wanted;
	struct error err;
	int ret;
};

/* The first cause of those that failed. */
static int
in_parallel(void *(*run)(void *), struct making *list, size_t count,
    struct error *err)
{
	pthread_t threads[PARALLEL_MAX];
	bool running[PARALLEL_MAX] = { false };
	int ret = 0;

	for (size_t i = 1; i < count; i++)
		running[i] = thread_start(&threads[i], run, &list[i]) == 0;
	for (size_t i = 0; i < count; i++) {
		if (running[i])
			pthread_join(threads[i], NULL);
		else
			run(&list[i]);
		if (list[i].ret == -1)
			ret = error_set(err, "%s", list[i].err.text);
	}
	return ret;
}

static void *
make_key(void *cls)
{
	struct making *m = cls;

	m->ret = crypto_key_generate(m->set->crypto, KEY_RSA_2048, m->key,
	    &m->err);
	return NULL;
}

int
key_set_generate(struct crypto *c, struct key_set **out, struct error *err)
{
	struct making making[CA_ROLES] = { 0 };
	struct key_set *set;

	if ((*out = set = key_set_new(c)) == NULL)
		return error_set(err, "out of memory");
	for (int role = 0; role < CA_ROLES; role++) {
		making[role].set = set;
		making[role].key = &set->keys[role];
	}
	if (in_parallel(make_key, making, CA_ROLES, err) == 0)
		return 0;
	key_set_free(set);
	*out = NULL;
	return -1;
}

/* Of the curves that can be read back one has 256 bits, and one 384. */
static bool
is_named_curve(struct crypto *c, const struct evp_pkey_st *key)
{
	struct evp_pkey_st *again = NULL;
	struct blob spki;

	if (crypto_key_to_spki(key, &spki, NULL) == -1)
		return false;
	crypto_key_from_spki(c, blob_span(&spki), &again, NULL);
	crypto_key_free(again);
	blob_free(&spki);
	return again != NULL;
}

enum key_type
key_type_of(struct crypto *c, const struct evp_pkey_st *key)
{
	static const struct {
		bool rsa;
		int bits;
	} types[KEY_TYPES] = {
		[KEY_RSA_2048] = { true, 2048 },
		[KEY_RSA_3072] = { true, 3072 },
		[KEY_RSA_4096] = { true, 4096 },
		[KEY_EC_P256] = { false, 256 },
		[KEY_EC_P384] = { false, 384 },
	};
	bool rsa = crypto_key_is_rsa(key);
	enum key_type type;

	for (type = 0; type < KEY_TYPES; type++)
		if (types[type].rsa == rsa &&
		    types[type].bits == crypto_key_bits(key) &&
		    (rsa || is_named_curve(c, key)))
			break;
	return type;
}

static struct made_key *
find_made(struct key_set *set, const struct ca_key *wanted)
{
	struct made_key *made;

	for (made = set->made; made != NULL; made = made->next)
		if (made->is.tier == wanted->tier &&
		    made->is.type == wanted->type &&
		    made->is.generation == wanted->generation)
			break;
	return made;
}

static struct made_key *
add_made(struct key_set *set, const struct ca_key *is)
{
	struct made_key *made = calloc(1, sizeof(*made));

	if (made == NULL)
		return NULL;
	made->is = *is;
	made->next = set->made;
	return set->made = made;
}

static void
remove_made(struct key_set *set, struct made_key *gone)
{
	struct made_key **at = &set->made;

	while (*at != gone)
		at = &(*at)->next;
	*at = gone->next;
	free(gone);
}

/* Makes it, or waits for another thread that does. */
static int
find_or_make(struct key_set *set, struct ca_key *wanted, struct error *err)
{
	struct made_key *made;

	wanted->key = NULL;
	pthread_mutex_lock(&set->lock);
	while ((made = find_made(set, wanted)) != NULL && made->is.key == NULL)
		pthread_cond_wait(&set->ready, &set->lock);
	if (made != NULL)
		wanted->key = made->is.key;
	else if ((made = add_made(set, wanted)) == NULL)
		error_set(err, "out of memory");
	pthread_mutex_unlock(&set->lock);
	if (made == NULL || wanted->key != NULL)
		return made == NULL ? -1 : 0;
	crypto_key_generate(set->crypto, (enum key_type)wanted->type,
	    &wanted->key, err);
	pthread_mutex_lock(&set->lock);
	if (wanted->key != NULL)
		made->is.key = wanted->key;
	else
		remove_made(set, made);
	pthread_cond_broadcast(&set->ready);
	pthread_mutex_unlock(&set->lock);
	return wanted->key != NULL ? 0 : -1;
}

static void *
find_key(void *cls)
{
	struct making *m = cls;
	struct ca_key *wanted = m->wanted;
	struct evp_pkey_st *own = m->set->keys[CA_ISSUING];
	enum key_type given = key_type_of(m->set->crypto, own);

	if (wanted->tier == TIER_ISSUING && wanted->generation == 0 &&
	    (wanted->type == CA_KEY_GIVEN || wanted->type == (int)given)) {
		wanted->key = own;
		return NULL;
	}
	if (wanted->type == CA_KEY_GIVEN)
		wanted->type = given < KEY_TYPES ? (int)given : KEY_RSA_2048;
	m->ret = find_or_make(m->set, wanted, &m->err);
	return NULL;
}

int
key_set_find(struct key_set *set, struct ca_key *list, size_t count,
    struct error *err)
{
	struct making making[PARALLEL_MAX] = { 0 };

	for (size_t i = 0; i < count; i++) {
		if (list[i].type < CA_KEY_GIVEN || list[i].type >= KEY_TYPES)
			return error_set(err, "no type of key has number %d",
			    list[i].type);
		making[i].set = set;
		making[i].wanted = &list[i];
	}
	return in_parallel(find_key, making, count, err);
}

int
key_set_put(struct key_set *set, const struct ca_key *key)
{
	int ret = -1;

	pthread_mutex_lock(&set->lock);
	if (find_made(set, key) == NULL && add_made(set, key) != NULL)
		ret = 0;
	pthread_mutex_unlock(&set->lock);
	return ret;
}
