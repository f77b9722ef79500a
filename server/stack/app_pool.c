/* The application pool SCEP, and its worker process (ndes-facts 8). */
#include "stack/stack.h"

#include <string.h>

#define POOL "SCEP"
#define SYSTEM "System", "Microsoft-Windows-WAS"

/* http.sys's reasons: ndes-facts 7.3. */
static const char abandoned[] = "Connection_Abandoned_By_ReqQueue";
static const char disabled[] = "Disabled";
static const char no_identity[] = "AppOffline";

/* Then no process can be started. */
static bool
lacks_identity(const struct stack_state *state)
{
	enum pool_identity identity = state->app_pool.identity;

	return identity == IDENTITY_NO_LOGON_RIGHT ||
	    (identity != IDENTITY_GOOD &&
		state->app_pool.identity_failure == IDENTITY_FAILS_503);
}

bool
app_pool_runs(const struct stack_state *state)
{
	return state->app_pool.state == POOL_STARTED && !lacks_identity(state);
}

void
app_pool_pass(struct exchange *ex, const struct stack_state *state)
{
	if (iis_place(&ex->request) == PLACE_NOWHERE || app_pool_runs(state))
		return;
	http_sys_answer(ex, HTTP_SYS_SERVICE_UNAVAILABLE);
	if (state->app_pool.state == POOL_STOPPED)
		ex->verdict.reason = disabled;
	else if (state->app_pool.state == POOL_STARTED)
		ex->verdict.reason = no_identity;
}

bool
app_pool_lacks_identity(const struct exchange *ex)
{
	return ex->verdict.reason == no_identity;
}

/* 8.3; of 5021 the end of the source is not known. */
void
app_pool_tell_identity(struct exchange *ex)
{
	exchange_event(ex, SYSTEM, 5021, "Warning",
	    "The identity of application pool " POOL " is invalid. The user "
	    "name or password that is specified for the identity may be "
	    "incorrect, or the user may not have batch logon rights. If the "
	    "identity is not corrected, the application pool will be disabled "
	    "when the application pool receives its first request.  If batch "
	    "logon rights are causing the problem, the identity in the IIS "
	    "configuration store must be changed after rights have been "
	    "granted before Windows Process Activation Service (WAS) can "
	    "retry the logon.");
	exchange_event(ex, SYSTEM, 5057, "Warning",
	    "Application pool " POOL " has been disabled. Windows Process "
	    "Activation Service (WAS) did not create a worker process to "
	    "serve the application pool because the application pool identity "
	    "is invalid.");
	exchange_event(ex, SYSTEM, 5059, "Error",
	    "Application pool " POOL " has been disabled. Windows Process "
	    "Activation Service (WAS) encountered a failure when it started a "
	    "worker process to serve the application pool.");
}

/* A process id of Windows is a multiple of 4. */
unsigned
app_pool_process_id(uint64_t process)
{
	return 4 * (unsigned)(257 + process * 1117 % 1999);
}

static void
forget(struct pool_worker *w, size_t oldest)
{
	w->count -= oldest;
	memmove(w->deaths, w->deaths + oldest, w->count * sizeof(w->deaths[0]));
}

/* Deaths that are too long ago count no more. */
static void
forget_old(struct pool_worker *w, int64_t before)
{
	size_t old = 0;

	while (old < w->count && w->deaths[old] <= before)
		old++;
	forget(w, old);
}

bool
app_pool_die(struct pool_worker *w, const struct stack_state *state, int64_t at,
    struct event **events)
{
	w->died = ++w->process;
	forget_old(w, at - state->app_pool.rapid_fail_interval);
	if (w->count == RAPID_FAIL_MOST)
		forget(w, 1);
	w->deaths[w->count++] = at;
	if (!state->app_pool.rapid_fail_protection ||
	    (int64_t)w->count < state->app_pool.rapid_fail_max_crashes)
		return false;
	w->count = 0;
	events_add(events, SYSTEM, 5002, "Error",
	    "Application pool '" POOL "' is being automatically disabled due "
	    "to a series of failures in the process(es) serving that "
	    "application pool.");
	return true;
}

void
app_pool_restart(struct pool_worker *w)
{
	w->process++;
	w->count = 0;
	w->told_identity = false;
}

/* 7.3: no line in the IIS log, and no octet for the client. */
void
app_pool_drop(struct exchange *ex)
{
	http_sys_drop(ex, abandoned);
	ex->wire = (struct wire){ .end = WIRE_END_CLOSE };
}

bool
app_pool_has_answered(const struct exchange *ex)
{
	return ex->verdict.layer >= LAYER_IIS && ex->verdict.layer <= LAYER_CA;
}
