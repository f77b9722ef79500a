/* What comes of what an administrator does, and what waits for what. */
#include "stack/stack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"

const struct action *
action_find(const char *name, struct error *err)
{
	struct nearest n = { .asked = name };
	const struct action *a;

	for (size_t i = 0; (a = action_at(i)) != NULL; i++) {
		if (strcmp(a->name, name) == 0)
			return a;
		nearest_consider(&n, a->name);
	}
	error_set(err, "there is no action \"%.64s\", did you mean \"%s\"?",
	    name, n.best);
	return NULL;
}

bool
action_does(const struct action *a, const char *name)
{
	struct error unasked = { 0 };

	while (strcmp(a->name, name) != 0) {
		if (a->also == NULL)
			return false;
		a = action_find(a->also, &unasked);
	}
	return true;
}

bool
action_is_idle(const struct action *a, const struct stack_state *state)
{
	return a->idle != NULL && a->idle(state);
}

static size_t
count_arguments(const struct action *a)
{
	size_t count = 0;

	while (count < ACTION_ARGUMENTS_MAX &&
	    a->arguments[count].key.name != NULL)
		count++;
	return count;
}

/* Which one "NAME=VALUE" is for; the count: none. */
static size_t
find_argument(const struct action *a, const char *text, size_t len,
    struct error *err)
{
	size_t count = count_arguments(a);
	struct nearest n = { 0 };
	char asked[65] = "";

	memcpy(asked, text, len < sizeof(asked) ? len : sizeof(asked) - 1);
	n.asked = asked;
	for (size_t i = 0; i < count; i++) {
		if (strcmp(a->arguments[i].key.name, asked) == 0)
			return i;
		nearest_consider(&n, a->arguments[i].key.name);
	}
	if (count == 0)
		error_set(err, "%s takes no arguments", a->name);
	else
		error_set(err,
		    "%s has no argument \"%s\", did you mean \"%s\"?", a->name,
		    asked, n.best);
	return count;
}

static int
read_number(const struct key *key, const char *text, int64_t *out,
    struct error *err)
{
	char *end;

	errno = 0;
	*out = strtoll(text, &end, 10);
	if (strchr("-0123456789", *text) == NULL || end == text || *end != '\0')
		return error_set(err, "%s: \"%.40s\" is not a number",
		    key->name, text);
	if (errno != 0 || *out < key->min || *out > key->max)
		return error_set(err, "%s: %.40s is not between %lld and %lld",
		    key->name, text, (long long)key->min, (long long)key->max);
	return 0;
}

static int
read_text(const struct key *key, const char *text, char *out, struct error *err)
{
	size_t len = strlen(text);

	if ((int64_t)len < key->min || (int64_t)len > key->max)
		return error_set(err, "%s: it has to have %lld to %lld octets",
		    key->name, (long long)key->min, (long long)key->max);
	for (size_t i = 0; i < len; i++)
		if (text[i] < ' ' || text[i] > '~')
			return error_set(err,
			    "%s: only printable ASCII is taken here",
			    key->name);
	memcpy(out, text, len + 1);
	return 0;
}

static int
read_argument(const struct key *key, const char *text, int64_t *number,
    struct action_call *out, struct error *err)
{
	if (key->type != VALUE_TEXT)
		return read_number(key, text, number, err);
	*number = 0;
	return read_text(key, text, out->text, err);
}

int
action_read(const struct action *a, const char *const *texts, size_t count,
    struct action_call *out, struct error *err)
{
	size_t known = count_arguments(a), row;
	bool given[ACTION_ARGUMENTS_MAX] = { false };
	const char *equals;

	out->text[0] = '\0';
	for (row = 0; row < known; row++)
		out->numbers[row] = a->arguments[row].standard;
	for (size_t i = 0; i < count; i++) {
		if ((equals = strchr(texts[i], '=')) == NULL)
			return error_set(err,
			    "\"%.64s\" is not of the form NAME=VALUE",
			    texts[i]);
		row = find_argument(a, texts[i], (size_t)(equals - texts[i]),
		    err);
		if (row == known)
			return -1;
		if (given[row])
			return error_set(err, "\"%s\" is given twice",
			    a->arguments[row].key.name);
		given[row] = true;
		if (read_argument(&a->arguments[row].key, equals + 1,
			&out->numbers[row], out, err) == -1)
			return -1;
	}
	for (row = 0; row < known; row++)
		if (out->numbers[row] == ACTION_WANTED)
			return error_set(err, "%s wants \"%s\"", a->name,
			    a->arguments[row].key.name);
	return 0;
}

static void
name_steps(const struct waiting_action *w, struct action_steps *out)
{
	const char *const *step = &w->action->waits_for[w->step];
	size_t i;

	for (; *step != NULL; step++) {
		for (i = 0; i < out->count; i++)
			if (strcmp(out->names[i], *step) == 0)
				break;
		if (i == out->count && i < ACTION_STEPS_MAX)
			out->names[out->count++] = *step;
	}
}

/* True: nothing keeps it from showing any more. */
static bool
step_on(struct waiting_action *w, const struct action *done)
{
	const char *next = w->action->waits_for[w->step];

	if (next != NULL && action_does(done, next))
		next = w->action->waits_for[++w->step];
	return next == NULL;
}

/*
 * Those that `done` was needed for, in the order in which they came. What has
 * come a step further is as if it were done now: a key that is imported is new
 * where it is imported to.
 */
static void
step_all_on(struct action_waits *waits, const struct action *done,
    struct stack_state *state, struct action_steps *out)
{
	struct waiting_action moved[ACTION_WAITS_MAX];
	size_t kept = 0, count = 0;

	for (size_t i = 0; i < waits->count; i++) {
		struct waiting_action w = waits->list[i];
		size_t before = w.step;

		if (step_on(&w, done)) {
			w.action->apply(state, &w.call);
		} else if (w.step == before) {
			waits->list[kept++] = w;
		} else {
			name_steps(&w, out);
			moved[count++] = w;
		}
	}
	memcpy(&waits->list[kept], moved, count * sizeof(moved[0]));
	waits->count = kept + count;
}

/* In place of what was done before of the same kind. */
static void
wait_for_it(struct action_waits *waits, const struct waiting_action *w)
{
	size_t kept = 0;

	for (size_t i = 0; i < waits->count; i++)
		if (waits->list[i].action != w->action)
			waits->list[kept++] = waits->list[i];
	waits->list[kept] = *w;
	waits->count = kept + 1;
}

void
action_do(const struct action *a, const struct action_call *call,
    struct stack_state *state, struct action_waits *waits,
    struct action_steps *out)
{
	const struct waiting_action w = { a, *call, 0 };

	*out = (struct action_steps){ 0 };
	if (action_is_idle(a, state))
		return;
	step_all_on(waits, a, state, out);
	if (a->waits_for[0] != NULL) {
		wait_for_it(waits, &w);
		name_steps(&w, out);
	} else if (a->apply != NULL) {
		a->apply(state, call);
	}
}

/* Whether nothing but starting something anew is left to do. */
static bool
waits_for_a_start(const struct waiting_action *w)
{
	const char *const *step = &w->action->waits_for[w->step];
	struct error unasked = { 0 };

	while (*step != NULL &&
	    action_does(action_find(*step, &unasked), ACTION_START))
		step++;
	return *step == NULL;
}

void
action_configured(const struct stack_state *state,
    const struct action_waits *waits, struct stack_state *out)
{
	*out = *state;
	for (size_t i = 0; i < waits->count; i++)
		if (waits_for_a_start(&waits->list[i]))
			waits->list[i].action->apply(out, &waits->list[i].call);
}
