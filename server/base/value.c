#include "base/value.h"

#include <stdlib.h>

void
value_clear(struct value *v)
{
	for (size_t i = 0; v->texts != NULL && i < v->count; i++)
		free(v->texts[i]);
	free(v->texts);
	free(v->numbers);
	free(v->text);
	*v = (struct value){ 0 };
}
