/* Answers that a scenario orders, in the words of the layer it names. */
#include "stack/stack.h"

#include <stdlib.h>

static void
forget(struct reply *r)
{
	for (size_t i = 0; i < r->header_count; i++)
		free(r->headers[i].value);
	blob_free(&r->body);
	*r = (struct reply){ .length = REPLY_LENGTH_TRUE };
}

void
stack_answer_ordered(struct exchange *ex, const struct stack_state *state,
    const struct ordered_answer *order)
{
	enum layer as = order->as != LAYER_NONE ? order->as : LAYER_IIS;

	forget(&ex->reply);
	ex->wire = (struct wire){ 0 };
	if (order->status == 0)
		exchange_answer(ex, LAYER_NETWORK, 0, 0, 0);
	else
		iis_answer(ex, state, as, order->status, order->substatus,
		    order->win32);
}
