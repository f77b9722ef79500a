/* `mockndes actions`: what an administrator can do, for a terminal. */
#include "scenario/tables.h"

#include <inttypes.h>

#include "scenario/scenario.h"

static const char intro[] =
    "What an administrator can do to a site, right or wrong: POST\n"
    "/v1/sites/ID/actions/NAME, with the arguments as members of a JSON "
    "object.\nSome of it shows at once; the rest waits for what its name is "
    "followed by,\nand is forgotten by a reset or another scenario.\n\n";

#define ARGUMENT_INDENT (TERMINAL_INDENT + 2)

/* Takes the text. */
static void
add_wrapped(struct buffer *text, size_t indent, struct buffer *out)
{
	buffer_add_byte(text, '\0');
	if (text->failed)
		out->failed = true;
	else
		terminal_wrap((char *)text->data, indent, 0, out);
	buffer_free(text);
}

/* "max_url: a number, 0 to 9; without it 5. Octets of the path" */
static void
list_argument(const struct action_argument *a, struct buffer *out)
{
	struct buffer text = { 0 };

	buffer_printf(&text, "%s: ", a->key.name);
	key_takes(&a->key, &text);
	if (a->standard == ACTION_WANTED)
		buffer_add_text(&text, "; it must be given");
	else if (a->standard == ACTION_STAYS)
		buffer_add_text(&text, "; without it, it stays as it is");
	else
		buffer_printf(&text, "; without it %" PRId64, a->standard);
	buffer_printf(&text, ". %s", a->key.help);
	add_wrapped(&text, ARGUMENT_INDENT, out);
}

static void
list_action(const struct action *a, struct buffer *out)
{
	struct buffer text = { 0 };

	buffer_add_text(&text, a->name);
	for (size_t i = 0; a->waits_for[i] != NULL; i++)
		buffer_printf(&text, "%s%s", i == 0 ? ", then " : " and ",
		    a->waits_for[i]);
	if (a->also != NULL)
		buffer_printf(&text, ", which is %s as well", a->also);
	add_wrapped(&text, 2, out);
	buffer_printf(&text, "%s. Source: %s", a->title, a->source);
	add_wrapped(&text, TERMINAL_INDENT, out);
	for (size_t i = 0; i < ACTION_ARGUMENTS_MAX; i++)
		if (a->arguments[i].key.name != NULL)
			list_argument(&a->arguments[i], out);
	buffer_add_byte(out, '\n');
}

char *
scenario_actions_text(void)
{
	const struct action *a;
	struct buffer out = { 0 };

	buffer_add_text(&out, intro);
	for (size_t i = 0; (a = action_at(i)) != NULL; i++)
		list_action(a, &out);
	buffer_add_byte(&out, '\0');
	if (!out.failed)
		return (char *)out.data;
	buffer_free(&out);
	return NULL;
}
