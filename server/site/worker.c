/* The worker process of a site's application pool: what comes of its end. */
#include "site/inside.h"

int64_t
site_elapsed(const struct exchange *ex)
{
	return ex->at - atomic_load(&ex->snapshot->site->opened);
}

/* Under the lock. */
static bool
is_there(const struct exchange *ex)
{
	return site_is_current(ex) &&
	    ex->process == ex->snapshot->site->worker.process;
}

bool
site_process_died(const struct exchange *ex)
{
	return ex->process < atomic_load(&ex->snapshot->site->died);
}

void
site_tell_identity(struct exchange *ex)
{
	struct site *site = ex->snapshot->site;
	bool tells = false;

	pthread_mutex_lock(&site->lock);
	if (is_there(ex) && !site->worker.told_identity)
		tells = site->worker.told_identity = true;
	pthread_mutex_unlock(&site->lock);
	if (tells)
		app_pool_tell_identity(ex);
}

/*
 * As it is now, but with the pool disabled. Since nothing has to be signed for
 * that, it needs no second try as in change.c. What is to be freed.
 */
static struct snapshot *
disable(struct site *site)
{
	struct snapshot *old = site->now;
	struct snapshot *fresh = snapshot_disabled(old);

	if (fresh == NULL)
		return NULL;
	site->now = fresh;
	return old;
}

/* Whether it was the first to go of those that were in the process. */
static bool
die(struct exchange *ex)
{
	struct site *site = ex->snapshot->site;
	struct snapshot *unused = NULL;
	bool first;

	pthread_mutex_lock(&site->lock);
	if ((first = is_there(ex))) {
		app_pool_tell_crash(&ex->events, &ex->snapshot->state,
		    site_elapsed(ex), site->worker.process);
		if (app_pool_die(&site->worker, &site->now->state, ex->at,
			&ex->events))
			unused = disable(site);
		atomic_store(&site->died, site->worker.died);
		challenge_restart(&site->challenges);
	}
	pthread_mutex_unlock(&site->lock);
	snapshot_free(unused);
	return first;
}

void
site_crash(struct exchange *ex)
{
	struct site *site = ex->snapshot->site;
	const struct sites_options *options = &site->sites->options;

	if (die(ex) && options->cut != NULL)
		options->cut(options->cut_cls, site);
	app_pool_drop(ex);
}

bool
site_lost(const struct site *site, const struct exchange *ex)
{
	return ex->snapshot != NULL && ex->snapshot->site == site &&
	    app_pool_has_answered(ex) && site_process_died(ex);
}
