/* What lies between a device and the server: nothing, or no way through. */
#include "stack/stack.h"

bool
network_refuses(const struct stack_state *state)
{
	/* A URL that leads nowhere: nobody listens where it leads. */
	return state->network.device == DEVICE_REFUSED ||
	    (state->network.device == DEVICE_REACHES &&
		state->app_proxy.external_url == EXTERNAL_URL_WRONG);
}

void
network_pass(struct exchange *ex, const struct stack_state *state)
{
	if (state->network.device == DEVICE_REACHES)
		return;
	exchange_answer(ex, LAYER_NETWORK, 0, 0, 0);
	ex->wire.is_cut = true;
	ex->wire.end = state->network.device == DEVICE_SILENT ? WIRE_END_HANG :
								WIRE_END_RESET;
}
