/* From a node to a value: one reader for each type. */
#include "scenario/inside.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/der.h"
#include "base/nearest.h"

#define MS 1LL
#define SECOND (1000 * MS)
#define DAY (86400 * SECOND)
#define YEAR (31557600 * SECOND) /* a Julian one */
#define MILLION 1000000
#define FILE_MAX (16UL << 20)

typedef int reader(struct loading *, const struct key *, const struct yaml *,
    struct value *);

static const struct unit {
	const char *name;
	int64_t ms;
} units[] = { { "y", YEAR }, { "d", DAY }, { "h", 3600 * SECOND },
	{ "m", 60 * SECOND }, { "s", SECOND }, { "ms", MS } };
#define UNITS (sizeof(units) / sizeof(units[0]))

const char *
duration_print(int64_t ms, char out[DURATION_SIZE])
{
	const struct unit *u = units;

	while (ms == 0 ? u->ms > SECOND : ms % u->ms != 0)
		u++;
	snprintf(out, DURATION_SIZE, "%lld%s", (long long)(ms / u->ms),
	    u->name);
	return out;
}

/* "-12", to the end or to what `rest` then is. */
static bool
read_integer(const char *text, int64_t *out, const char **rest)
{
	const char *digits = text + (*text == '-' || *text == '+');
	char *end;

	errno = 0;
	*out = strtoll(text, &end, 10);
	if (*digits < '0' || *digits > '9' || errno != 0)
		return false;
	if (rest != NULL)
		*rest = end;
	return rest != NULL || *end == '\0';
}

static bool
read_ms(const char *text, int64_t *out)
{
	const char *unit;
	int64_t number;

	if (!read_integer(text, &number, &unit))
		return false;
	for (size_t i = 0; i < UNITS; i++) {
		if (strcmp(unit, units[i].name) != 0)
			continue;
		if (number > INT64_MAX / units[i].ms ||
		    number < -(INT64_MAX / units[i].ms))
			return false;
		*out = number * units[i].ms;
		return true;
	}
	return false;
}

int
scenario_duration(const char *text, int64_t *ms)
{
	return read_ms(text, ms) ? 0 : -1;
}

static const struct word *
find_word(const struct key *key, const char *text, struct nearest *n)
{
	*n = (struct nearest){ .asked = text };
	for (const struct word *w = key->words; w != NULL && w->text != NULL;
	     w++) {
		if (strcmp(w->text, text) == 0)
			return w;
		nearest_consider(n, w->text);
	}
	return NULL;
}

static int
read_word(struct loading *l, const struct key *key, const struct yaml *node,
    struct value *out)
{
	struct nearest n;
	const struct word *w = find_word(key, node->text, &n);

	if (w == NULL)
		return errors_at(l->errors, &node->at,
		    "unknown value \"%.60s\", did you mean \"%s\"?", node->text,
		    n.best);
	out->number = w->value;
	out->is_word = true;
	return 0;
}

static int
read_bool(struct loading *l, const struct key *key, const struct yaml *node,
    struct value *out)
{
	(void)key;
	out->number = strcmp(node->text, "true") == 0;
	if (out->number || strcmp(node->text, "false") == 0)
		return 0;
	return errors_at(l->errors, &node->at,
	    "\"%.60s\" is neither true nor false", node->text);
}

/* One of the words that may stand in place of a number. */
static bool
is_word(const struct key *key, const struct yaml *node, struct value *out,
    struct nearest *n)
{
	const struct word *w = find_word(key, node->text, n);

	if (w == NULL)
		return false;
	out->number = w->value;
	out->is_word = true;
	return true;
}

/* What it is not, in words. */
static int
refuse(struct loading *l, const struct yaml *node, const char *what,
    const struct nearest *n)
{
	if (n->best[0] == '\0')
		return errors_at(l->errors, &node->at, "\"%.60s\" is not %s",
		    node->text, what);
	return errors_at(l->errors, &node->at,
	    "\"%.60s\" is not %s, nor \"%s\"", node->text, what, n->best);
}

static int
check_range(struct loading *l, const struct key *key, const struct yaml *node,
    int64_t number)
{
	if (number >= key->min && number <= key->max)
		return 0;
	return errors_at(l->errors, &node->at,
	    "%.60s is not between %lld and %lld", node->text,
	    (long long)key->min, (long long)key->max);
}

static int
read_number(struct loading *l, const struct key *key, const struct yaml *node,
    struct value *out)
{
	struct nearest n;

	if (is_word(key, node, out, &n))
		return 0;
	if (!read_integer(node->text, &out->number, NULL))
		return refuse(l, node, "a number", &n);
	return check_range(l, key, node, out->number);
}

/* "0.25", at most six digits behind the point; "1". */
static int
read_fraction(struct loading *l, const struct key *key, const struct yaml *node,
    struct value *out)
{
	const char *at = node->text;
	int64_t unit = MILLION;

	(void)key;
	if (*at == '0' || *at == '1')
		out->number = (*at++ - '0') * MILLION;
	else
		unit = 0;
	if (unit > 0 && *at == '.')
		while (*++at >= '0' && *at <= '9')
			out->number += (*at - '0') * (unit /= 10);
	if (unit > 0 && *at == '\0' && at[-1] != '.' && out->number <= MILLION)
		return 0;
	return errors_at(l->errors, &node->at,
	    "\"%.60s\" is not a number from 0 to 1 such as 0.25", node->text);
}

static int
read_duration(struct loading *l, const struct key *key, const struct yaml *node,
    struct value *out)
{
	char min[DURATION_SIZE], max[DURATION_SIZE];
	struct nearest n;

	if (is_word(key, node, out, &n))
		return 0;
	if (!read_ms(node->text, &out->number))
		return refuse(l, node,
		    "a duration such as 250ms, 90s, 60m, 2h, 2d or 1y", &n);
	if (out->number >= key->min && out->number <= key->max)
		return 0;
	return errors_at(l->errors, &node->at, "%.60s is not between %s and %s",
	    node->text, duration_print(key->min, min),
	    duration_print(key->max, max));
}

static int
read_amount(struct loading *l, const struct key *key, const struct yaml *node,
    struct value *out)
{
	int least = key->min > 0 ? 1 : 0; /* of a hundred */
	const char *rest;
	struct nearest n;

	if (is_word(key, node, out, &n))
		return 0;
	if (!read_integer(node->text, &out->number, &rest) ||
	    (*rest != '\0' && strcmp(rest, "%") != 0))
		return refuse(l, node,
		    "a number of octets or a share such as 50%", &n);
	out->is_percent = *rest == '%';
	if (!out->is_percent)
		return check_range(l, key, node, out->number);
	if (out->number >= least && out->number <= 100)
		return 0;
	return errors_at(l->errors, &node->at,
	    "%.60s is not between %d%% and 100%%", node->text, least);
}

static int
check_ascii(struct loading *l, const struct yaml *node)
{
	for (const char *c = node->text; *c != '\0'; c++)
		if (*c < ' ' || *c > '~')
			return errors_at(l->errors, &node->at,
			    "only printable ASCII is taken here");
	return 0;
}

static int
check_length(struct loading *l, const struct key *key, const struct yaml *node)
{
	size_t len = strlen(node->text);

	if (key->max > 0 && len > (size_t)key->max)
		return errors_at(l->errors, &node->at,
		    "the text is longer than %lld octets", (long long)key->max);
	if (key->min > 0 && len < (size_t)key->min)
		return errors_at(l->errors, &node->at,
		    "the text is shorter than %lld octets",
		    (long long)key->min);
	return 0;
}

static int
read_body(struct loading *l, const struct key *key, const struct yaml *node,
    struct value *out)
{
	if (check_length(l, key, node) == -1)
		return -1;
	out->length = strlen(node->text);
	if ((out->text = strdup(node->text)) == NULL)
		return errors_at(l->errors, &node->at, "out of memory");
	return 0;
}

/* It may become a header, a log's field, a name in ASCII. */
static int
read_text(struct loading *l, const struct key *key, const struct yaml *node,
    struct value *out)
{
	return check_ascii(l, node) == -1 ? -1 : read_body(l, key, node, out);
}

static int
read_content(struct loading *l, const struct key *key, const struct yaml *node,
    struct value *out)
{
	size_t max = key->max > 0 ? (size_t)key->max : FILE_MAX;
	char *path = NULL;
	struct error why = { 0 };
	struct blob content;

	if (l->dir == NULL)
		return errors_at(l->errors, &node->at,
		    "a scenario that is not a file cannot name one");
	if ((path = path_beside(l, node->text)) == NULL)
		error_set(&why, "out of memory");
	else if (read_file(path, max, &content, &why) == 0)
		out->length = content.len;
	free(path);
	if (why.text[0] != '\0')
		return errors_at(l->errors, &node->at, "%.200s", why.text);
	if ((out->text = realloc(content.data, content.len + 1)) == NULL) {
		blob_free(&content);
		return errors_at(l->errors, &node->at, "out of memory");
	}
	out->text[content.len] = '\0';
	return 0;
}

static int
make_numbers(struct loading *l, const struct yaml *node, size_t count,
    struct value *out)
{
	/* Not NULL, so that an empty list is one too. */
	out->numbers = calloc(count + 1, sizeof(*out->numbers));
	if (out->numbers == NULL)
		return errors_at(l->errors, &node->at, "out of memory");
	return 0;
}

static int
read_status(struct loading *l, const struct key *key, const struct yaml *node,
    struct value *out)
{
	static const struct {
		int64_t min, max;
	} parts[] = { { 200, 999 }, { 0, 999 }, { 0, UINT32_MAX } };
	const char *at = node->text;

	(void)key;
	if (make_numbers(l, node, 3, out) == -1)
		return -1;
	while (out->count < 3 && *at >= '0' && *at <= '9' &&
	    read_integer(at, &out->numbers[out->count], &at) &&
	    out->numbers[out->count] >= parts[out->count].min &&
	    out->numbers[out->count] <= parts[out->count].max) {
		out->count++;
		if (*at == '\0') {
			out->count = 3;
			return 0;
		}
		if (*at++ != '.')
			break;
	}
	return errors_at(l->errors, &node->at,
	    "\"%.60s\" is not a status such as 503, 500.0 or 500.0.1346",
	    node->text);
}

/* The items of a list; one that stands alone is a list of one. */
static const struct yaml *
item_at(const struct yaml *node, size_t i)
{
	return node->kind == YAML_LIST ? node->items[i] : node;
}

static size_t
item_count(const struct yaml *node)
{
	return node->kind == YAML_LIST ? node->count : 1;
}

static int
read_item(struct loading *l, const struct key *key, const struct yaml *item,
    reader *read, struct value *out)
{
	if (item->kind == YAML_BROKEN)
		return -1;
	if (item->kind != YAML_SCALAR)
		return errors_at(l->errors, &item->at, "a word is wanted here");
	return read(l, key, item, out);
}

static int
read_items(struct loading *l, const struct key *key, const struct yaml *node,
    reader *read, struct value *out)
{
	int ret = 0;

	for (size_t i = 0; i < item_count(node); i++)
		if (read_item(l, key, item_at(node, i), read, out) == -1)
			ret = -1;
	return ret;
}

static int
check_count(struct loading *l, const struct key *key, const struct yaml *node)
{
	size_t count = item_count(node);

	if (node->kind == YAML_MAP)
		count = node->count;
	if (key->min > 0 && count < (size_t)key->min)
		return errors_at(l->errors, &node->at,
		    "\"%s\" takes at least %lld", key->name,
		    (long long)key->min);
	if (key->max > 0 && count > (size_t)key->max)
		return errors_at(l->errors, &node->at,
		    "\"%s\" takes at most %lld", key->name,
		    (long long)key->max);
	return 0;
}

static int
add_word(struct loading *l, const struct key *key, const struct yaml *item,
    struct value *out)
{
	struct value word = { 0 };

	if (read_word(l, key, item, &word) == -1)
		return -1;
	out->numbers[out->count++] = word.number;
	return 0;
}

static int
read_words(struct loading *l, const struct key *key, const struct yaml *node,
    struct value *out)
{
	if (check_count(l, key, node) == -1 ||
	    make_numbers(l, node, item_count(node), out) == -1)
		return -1;
	return read_items(l, key, node, add_word, out);
}

static int
add_number(struct loading *l, const struct key *key, const struct yaml *item,
    struct value *out)
{
	struct value number = { 0 };

	if (read_number(l, key, item, &number) == -1)
		return -1;
	out->numbers[out->count++] = number.number;
	return 0;
}

static int
read_numbers(struct loading *l, const struct key *key, const struct yaml *node,
    struct value *out)
{
	if (item_count(node) == 0)
		return errors_at(l->errors, &node->at, "the list is empty");
	if (make_numbers(l, node, item_count(node), out) == -1)
		return -1;
	return read_items(l, key, node, add_number, out);
}

static int
make_texts(struct loading *l, const struct yaml *node, size_t count,
    struct value *out)
{
	out->texts = calloc(count + 1, sizeof(*out->texts));
	if (out->texts == NULL)
		return errors_at(l->errors, &node->at, "out of memory");
	return 0;
}

static int
add_text(struct loading *l, const struct key *key, const struct yaml *item,
    struct value *out)
{
	(void)key;
	if (check_ascii(l, item) == -1)
		return -1;
	if ((out->texts[out->count] = strdup(item->text)) == NULL)
		return errors_at(l->errors, &item->at, "out of memory");
	out->count++;
	return 0;
}

static int
read_texts(struct loading *l, const struct key *key, const struct yaml *node,
    struct value *out)
{
	if (check_count(l, key, node) == -1 ||
	    make_texts(l, node, item_count(node), out) == -1)
		return -1;
	return read_items(l, key, node, add_text, out);
}

static int
add_oid(struct loading *l, const struct key *key, const struct yaml *item,
    struct value *out)
{
	struct buffer oid = { 0 };
	int ret = der_oid_from_text(item->text, &oid);

	buffer_free(&oid);
	if (ret == -1)
		return errors_at(l->errors, &item->at,
		    "\"%.60s\" is not an OID such as 1.3.6.1.5.5.7.3.2",
		    item->text);
	return add_text(l, key, item, out);
}

static int
read_oids(struct loading *l, const struct key *key, const struct yaml *node,
    struct value *out)
{
	if (check_count(l, key, node) == -1 ||
	    make_texts(l, node, item_count(node), out) == -1)
		return -1;
	return read_items(l, key, node, add_oid, out);
}

static int
read_pairs(struct loading *l, const struct key *key, const struct yaml *node,
    struct value *out)
{
	int ret = 0;

	if (check_count(l, key, node) == -1 ||
	    make_texts(l, node, 2 * node->count, out) == -1)
		return -1;
	for (size_t i = 0; i < node->count; i++)
		if (read_item(l, key, node->keys[i], add_text, out) == -1 ||
		    read_item(l, key, node->items[i], add_text, out) == -1)
			ret = -1;
	return ret;
}

static int
add_ms(struct loading *l, const struct key *key, const struct yaml *item,
    struct value *out)
{
	struct value ms = { 0 };
	const struct key plain = { .name = key->name, .max = key->max };

	if (read_duration(l, &plain, item, &ms) == -1)
		return -1;
	out->numbers[out->count++] = ms.number;
	return 0;
}

static int
read_period(struct loading *l, const struct key *key, const struct yaml *node,
    struct value *out)
{
	if (item_count(node) != 2)
		return errors_at(l->errors, &node->at,
		    "a period has two ends, such as [1m, 2m]");
	if (make_numbers(l, node, 2, out) == -1 ||
	    read_items(l, key, node, add_ms, out) == -1)
		return -1;
	if (out->numbers[0] < out->numbers[1])
		return 0;
	return errors_at(l->errors, &node->at,
	    "the period ends before it begins");
}

#define ONE (1 << YAML_SCALAR)
#define LIST (1 << YAML_LIST)
#define MAP (1 << YAML_MAP)
static const struct form {
	reader *read;
	unsigned kinds;
	const char *takes;
} forms[] = {
	[VALUE_WORD] = { read_word, ONE, "one value" },
	[VALUE_BOOL] = { read_bool, ONE, "one value" },
	[VALUE_NUMBER] = { read_number, ONE, "one value" },
	[VALUE_FRACTION] = { read_fraction, ONE, "one value" },
	[VALUE_DURATION] = { read_duration, ONE, "one value" },
	[VALUE_AMOUNT] = { read_amount, ONE, "one value" },
	[VALUE_TEXT] = { read_text, ONE, "one value" },
	[VALUE_BODY] = { read_body, ONE, "one value" },
	[VALUE_FILE] = { read_content, ONE, "one value" },
	[VALUE_STATUS] = { read_status, ONE, "one value" },
	[VALUE_WORDS] = { read_words, ONE | LIST, "a list, [a, b]" },
	[VALUE_NUMBERS] = { read_numbers, ONE | LIST, "a list, [a, b]" },
	[VALUE_TEXTS] = { read_texts, ONE | LIST, "a list, [a, b]" },
	[VALUE_OIDS] = { read_oids, ONE | LIST, "a list, [a, b]" },
	[VALUE_PAIRS] = { read_pairs, MAP, "a map, {name: text}" },
	[VALUE_PERIOD] = { read_period, LIST, "a list, [a, b]" },
};

int
value_read(struct loading *l, const struct key *key, const struct yaml *node,
    struct value *out)
{
	const struct form *form = &forms[key->type];
	int ret;

	*out = (struct value){ .at = node->at };
	if (node->kind == YAML_BROKEN)
		return -1;
	if ((form->kinds & 1U << node->kind) == 0)
		return errors_at(l->errors, &node->at, "\"%s\" takes %s",
		    key->name, form->takes);
	ret = form->read(l, key, node, out);
	if (ret == -1)
		value_clear(out);
	return ret;
}
