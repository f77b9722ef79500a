/* Challenge passwords, and requests that wait. */
#include "site/inside.h"

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

enum refusal
site_hold(struct exchange *ex, const struct scep_request *request)
{
	struct site *site = ex->snapshot->site;
	enum refusal refusal = REFUSAL_NONE;

	pthread_mutex_lock(&site->lock);
	if (site_is_current(ex))
		refusal = transaction_hold(&site->transactions, request,
		    ex->snapshot->state.ca.pending_lifetime, ex->at);
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
