/* The Intune policy module (ndes-facts 6.1, 10). */
#include "stack/stack.h"

/*
 * With the module, a bare URL is answered 403.0: the documented sign that
 * the server is healthy. Its win32 status is unknown, 0 is assumed.
 */
void
policy_module_pass(struct exchange *ex, const struct stack_state *state)
{
	if (state->policy_module.installed)
		iis_answer(ex, state, LAYER_POLICY_MODULE, 403, 0, 0);
}
