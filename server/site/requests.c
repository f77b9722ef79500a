/* Challenge passwords, and requests that wait. */
#include "site/inside.h"

#include <stdlib.h>
#include <string.h>

/*
 * What follows outlives a switch of the scenario, so that exchanges which
 * began before it count as well; those that began before a reset do not.
 */
enum challenge_answer
site_make_challenge(struct exchange *ex, char out[CHALLENGE_SIZE])
{
	struct site *site = ex->snapshot->site;
	enum challenge_answer answer;

	pthread_mutex_lock(&site->lock);
	if (!site_is_current(ex)) {
		pthread_mutex_unlock(&site->lock);
		return CHALLENGE_FAILED;
	}
	answer = challenge_make(&site->challenges, &ex->snapshot->state,
	    site->sites->options.crypto, ex->at, out);
	pthread_mutex_unlock(&site->lock);
	return answer;
}

enum refusal
site_spend_challenge(struct exchange *ex, const char *password)
{
	struct site *site = ex->snapshot->site;
	const char *lasting = site->sites->options.challenge;
	enum refusal refusal;

	/* Unless the scenario sets the challenge itself. */
	if (lasting != NULL && password != NULL &&
	    ex->snapshot->state.mscep.challenge.mode == CHALLENGES_ONE_TIME &&
	    strcmp(lasting, password) == 0)
		return REFUSAL_NONE;
	pthread_mutex_lock(&site->lock);
	refusal = challenge_judge(&site->challenges, &ex->snapshot->state,
	    password, ex->at, true);
	pthread_mutex_unlock(&site->lock);
	return refusal;
}

void
site_ask(struct exchange *ex, const struct scep_request *request, bool hold,
    struct ruling *out)
{
	struct site *site = ex->snapshot->site;

	pthread_mutex_lock(&site->lock);
	transaction_ask(&site->transactions, request, hold, ex->at, out);
	pthread_mutex_unlock(&site->lock);
}

static enum refusal
hold(struct site *site, const struct exchange *ex,
    const struct scep_request *request)
{
	const struct holding held = site_holding(site);
	enum refusal refusal;

	if (!held.room)
		return REFUSAL_TOO_MANY_PENDING;
	refusal = transaction_hold(&site->transactions, request,
	    ex->snapshot->state.ca.pending_lifetime, ex->at);
	site_held(site, &held);
	return refusal;
}

enum refusal
site_hold(struct exchange *ex, const struct scep_request *request)
{
	struct site *site = ex->snapshot->site;
	enum refusal refusal = REFUSAL_NONE;

	pthread_mutex_lock(&site->lock);
	if (site_is_current(ex))
		refusal = hold(site, ex, request);
	pthread_mutex_unlock(&site->lock);
	return refusal;
}

void
site_end_transaction(struct exchange *ex, const char *id,
    struct span certificate)
{
	struct site *site = ex->snapshot->site;

	pthread_mutex_lock(&site->lock);
	if (site_is_current(ex))
		transaction_end(&site->transactions, id, certificate);
	pthread_mutex_unlock(&site->lock);
}

int
site_settle(struct site *site, const char *transaction_id, bool approve)
{
	int ret;

	pthread_mutex_lock(&site->lock);
	ret = transaction_settle(&site->transactions, transaction_id, approve,
	    clock_now(&site->clock));
	pthread_mutex_unlock(&site->lock);
	return ret;
}

enum challenge_answer
site_challenge(struct site *site, size_t size, char **out, int64_t *expires)
{
	struct crypto *crypto = site->sites->options.crypto;
	int64_t now = clock_now(&site->clock);
	char lasting[CHALLENGE_SIZE];
	enum challenge_answer answer;
	struct snapshot *s = site_now(site);

	*out = NULL;
	*expires = 0;
	pthread_mutex_lock(&site->lock);
	if (s->state.mscep.challenge.mode == CHALLENGES_ONE_TIME) {
		answer = challenge_make_outside(&site->challenges, &s->state,
		    crypto, size, now, out);
		*expires = now + s->state.mscep.challenge.validity;
	} else {
		answer = challenge_make(&site->challenges, &s->state, crypto,
		    now, lasting);
	}
	pthread_mutex_unlock(&site->lock);
	snapshot_free(s);
	if (answer == CHALLENGE_LASTING && (*out = strdup(lasting)) == NULL)
		answer = CHALLENGE_FAILED;
	return answer;
}

static const char *
state_of(const struct transaction *t, int64_t now)
{
	switch (t->state) {
	case TRANSACTION_WAITING:
		return now < t->expires ? "waiting" : "expired";
	case TRANSACTION_APPROVED:
		return "approved";
	case TRANSACTION_ISSUING:
		return "issuing";
	case TRANSACTION_ISSUED:
		return "issued";
	case TRANSACTION_REFUSED:
		break;
	}
	return t->why == REFUSAL_DENIED	      ? "denied" :
	    t->why == REFUSAL_PENDING_EXPIRED ? "expired" :
						"failed";
}

int
site_list_pending(struct site *site, struct site_pending **out, size_t *count)
{
	int64_t now = clock_now(&site->clock);
	struct transaction *t, *next;
	struct site_pending *to;

	pthread_mutex_lock(&site->lock);
	*count = HASH_COUNT(site->transactions.by_id);
	if ((*out = to = calloc(*count + 1, sizeof(**out))) != NULL)
		HASH_ITER(hh, site->transactions.by_id, t, next) {
			to->transaction_id = strdup(t->id);
			x509_name_text(t->subject, to->subject,
			    sizeof(to->subject));
			to->expires = t->expires;
			to++->state = state_of(t, now);
		}
	pthread_mutex_unlock(&site->lock);
	return *out == NULL ? -1 : 0;
}

void
site_list_pending_free(struct site_pending *list, size_t count)
{
	for (size_t i = 0; list != NULL && i < count; i++)
		free(list[i].transaction_id);
	free(list);
}
