/* The application pool SCEP, and its worker process (ndes-facts 8). */
#include "stack/stack.h"

void
app_pool_pass(struct exchange *ex, const struct stack_state *state)
{
	if (iis_place(&ex->request) != PLACE_NOWHERE &&
	    state->app_pool.state != POOL_STARTED)
		http_sys_answer(ex, HTTP_SYS_SERVICE_UNAVAILABLE);
}
