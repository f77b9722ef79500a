/* The keys of a table, as they lie in sections of a file. */
#include "scenario/inside.h"

#include <stdio.h>
#include <string.h>

#include "base/nearest.h"

#define NAME_SIZE 128

/* True if some key lies below this dotted name. */
static bool
is_section(const struct key_table *table, const char *name)
{
	size_t len = strlen(name);
	const struct key *key;

	for (size_t i = 0; (key = table->at(i)) != NULL; i++)
		if (strncmp(key->name, name, len) == 0 && key->name[len] == '.')
			return true;
	return false;
}

/* Every dotted beginning of a key is a name too. */
static void
consider(const struct key_table *table, struct nearest *n)
{
	char section[NAME_SIZE];
	const struct key *key;
	const char *dot;

	for (size_t i = 0; (key = table->at(i)) != NULL; i++) {
		nearest_consider(n, key->name);
		if ((dot = strrchr(key->name, '.')) == NULL)
			continue;
		snprintf(section, sizeof(section), "%.*s",
		    (int)(dot - key->name), key->name);
		nearest_consider(n, section);
	}
}

static void
unknown(struct loading *l, const struct mark *at, const struct nearest *n)
{
	errors_at(l->errors, at, "unknown key \"%.60s\", did you mean \"%s\"?",
	    n->asked, n->best);
}

void
keys_unknown(struct loading *l, const struct mark *at, const char *asked,
    const char *const *known)
{
	struct nearest n = { .asked = asked };

	for (; *known != NULL; known++)
		nearest_consider(&n, *known);
	unknown(l, at, &n);
}

static void
read_map(struct loading *l, const struct key_table *table, const char *prefix,
    const struct yaml *map, void *to)
{
	char name[NAME_SIZE];

	for (size_t i = 0; i < map->count; i++) {
		const struct yaml *key = map->keys[i];

		if (strchr(key->text, '.') != NULL) {
			errors_at(l->errors, &key->at,
			    "\"%.60s\": a dot is written as a key within a "
			    "key, {a: {b: ...}}",
			    key->text);
			continue;
		}
		snprintf(name, sizeof(name), "%s%s%s", prefix,
		    *prefix == '\0' ? "" : ".", key->text);
		keys_read_one(l, table, name, &key->at, map->items[i], to);
	}
}

void
keys_read_one(struct loading *l, const struct key_table *table,
    const char *name, const struct mark *at, const struct yaml *node, void *to)
{
	struct nearest n = { .asked = name };
	const struct key *key;
	struct value value;

	if (node->kind == YAML_BROKEN)
		return;
	if (is_section(table, name) && node->kind == YAML_MAP) {
		read_map(l, table, name, node, to);
		return;
	}
	for (size_t i = 0; (key = table->at(i)) != NULL; i++) {
		if (strcmp(key->name, name) != 0)
			continue;
		if (value_read(l, key, node, &value) == 0)
			table->put(l, to, i, &value);
		return;
	}
	if (is_section(table, name)) {
		errors_at(l->errors, &node->at, "\"%s\" takes keys of its own",
		    name);
		return;
	}
	if (l->errors->count < ERRORS_MAX)
		consider(table, &n);
	unknown(l, at, &n);
}

void
keys_read(struct loading *l, const struct key_table *table,
    const struct yaml *map, void *to)
{
	read_map(l, table, "", map, to);
}
