#include "scenario/yaml.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#define SIZE_LIMIT (1UL << 20)
#define NODE_LIMIT 10000
#define DEPTH_LIMIT 32

struct reading {
	yaml_parser_t parser;
	const char *file;
	size_t nodes;
	struct error *err;
};

static struct mark
mark_of(const struct reading *r, yaml_mark_t at)
{
	return (struct mark){ r->file, (int)at.line + 1, (int)at.column + 1 };
}

static int
next_event(struct reading *r, yaml_event_t *event)
{
	struct mark at;

	if (yaml_parser_parse(&r->parser, event) == 1)
		return 0;
	at = mark_of(r, r->parser.problem_mark);
	return error_at(r->err, &at, "%s",
	    r->parser.problem != NULL ? r->parser.problem : "not YAML");
}

static struct yaml *read_node(struct reading *, yaml_event_t *, int depth);

static int
append(struct yaml *node, struct yaml *key, struct yaml *item)
{
	struct yaml **keys, **items;

	keys = reallocarray(node->keys, node->count + 1, sizeof(*keys));
	if (keys != NULL)
		node->keys = keys;
	items = reallocarray(node->items, node->count + 1, sizeof(*items));
	if (items != NULL)
		node->items = items;
	if (keys == NULL || items == NULL) {
		yaml_free(key);
		yaml_free(item);
		return -1;
	}
	node->keys[node->count] = key;
	node->items[node->count++] = item;
	return 0;
}

static struct yaml *
read_key(struct reading *r, const struct yaml *map, yaml_event_t *event,
    int depth)
{
	struct yaml *key = read_node(r, event, depth);

	if (key == NULL)
		return NULL;
	if (key->kind != YAML_SCALAR)
		error_at(r->err, &key->at, "a key must be plain text");
	else if (yaml_get(map, key->text) != NULL)
		error_at(r->err, &key->at, "key \"%s\" stands here twice",
		    key->text);
	else
		return key;
	yaml_free(key);
	return NULL;
}

static int
read_items(struct reading *r, struct yaml *node, int depth)
{
	yaml_event_type_t end = node->kind == YAML_MAP ?
	    YAML_MAPPING_END_EVENT :
	    YAML_SEQUENCE_END_EVENT;
	struct yaml *key, *item;
	yaml_event_t event;

	for (;;) {
		if (next_event(r, &event) == -1)
			return -1;
		if (event.type == end) {
			yaml_event_delete(&event);
			return 0;
		}
		key = NULL;
		if (node->kind == YAML_MAP &&
		    ((key = read_key(r, node, &event, depth)) == NULL ||
			next_event(r, &event) == -1)) {
			yaml_free(key);
			return -1;
		}
		if ((item = read_node(r, &event, depth)) == NULL) {
			yaml_free(key);
			return -1;
		}
		if (append(node, key, item) == -1)
			return error_set(r->err, "out of memory");
	}
}

static bool
is_plain(const yaml_event_t *e)
{
	switch (e->type) {
	case YAML_SCALAR_EVENT:
		return e->data.scalar.anchor == NULL &&
		    e->data.scalar.tag == NULL;
	case YAML_SEQUENCE_START_EVENT:
		return e->data.sequence_start.anchor == NULL &&
		    e->data.sequence_start.tag == NULL;
	case YAML_MAPPING_START_EVENT:
		return e->data.mapping_start.anchor == NULL &&
		    e->data.mapping_start.tag == NULL;
	default:
		return false;
	}
}

/* Takes the event. */
static struct yaml *
read_node(struct reading *r, yaml_event_t *event, int depth)
{
	struct yaml *node = calloc(1, sizeof(*node));
	struct mark at = mark_of(r, event->start_mark);

	if (node == NULL) {
		error_set(r->err, "out of memory");
	} else if (depth > DEPTH_LIMIT || ++r->nodes > NODE_LIMIT) {
		error_at(r->err, &at, "deeper or larger than a scenario is");
	} else if (!is_plain(event)) {
		error_at(r->err, &at,
		    "anchors, aliases and tags are not "
		    "part of the scenario language");
	} else if (event->type == YAML_SCALAR_EVENT &&
	    (strlen((char *)event->data.scalar.value) !=
		    event->data.scalar.length ||
		(node->text = strdup((char *)event->data.scalar.value)) ==
		    NULL)) {
		error_at(r->err, &at, "a NUL in the text");
	} else {
		node->at = at;
		node->kind = event->type == YAML_SCALAR_EVENT ? YAML_SCALAR :
		    event->type == YAML_MAPPING_START_EVENT   ? YAML_MAP :
								YAML_LIST;
		yaml_event_delete(event);
		if (node->kind == YAML_SCALAR ||
		    read_items(r, node, depth + 1) == 0)
			return node;
		yaml_free(node);
		return NULL;
	}
	yaml_event_delete(event);
	free(node);
	return NULL;
}

/* Up to the start of the first document's content, or past its end. */
static int
skip(struct reading *r, yaml_event_type_t type, yaml_event_t *event)
{
	struct mark at;

	if (next_event(r, event) == -1)
		return -1;
	if (event->type == type)
		return 0;
	at = mark_of(r, event->start_mark);
	yaml_event_delete(event);
	return error_at(r->err, &at,
	    type == YAML_STREAM_END_EVENT ? "a second document" :
					    "the file is empty");
}

static struct yaml *
read_document(struct reading *r)
{
	yaml_event_t event;
	struct yaml *root;

	if (skip(r, YAML_STREAM_START_EVENT, &event) == -1)
		return NULL;
	yaml_event_delete(&event);
	if (skip(r, YAML_DOCUMENT_START_EVENT, &event) == -1)
		return NULL;
	yaml_event_delete(&event);
	if (next_event(r, &event) == -1 ||
	    (root = read_node(r, &event, 0)) == NULL)
		return NULL;
	if (skip(r, YAML_DOCUMENT_END_EVENT, &event) == 0) {
		yaml_event_delete(&event);
		if (skip(r, YAML_STREAM_END_EVENT, &event) == 0) {
			yaml_event_delete(&event);
			return root;
		}
	}
	yaml_free(root);
	return NULL;
}

int
yaml_read(struct span text, const char *file, struct yaml **out,
    struct error *err)
{
	struct reading r = { .file = file, .err = err };

	*out = NULL;
	if (text.len > SIZE_LIMIT)
		return error_set(err,
		    "%s: %zu octets, more than the 1 MiB "
		    "that a scenario may have",
		    file, text.len);
	if (yaml_parser_initialize(&r.parser) != 1)
		return error_set(err, "out of memory");
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r.parser, text.data, text.len);
	*out = read_document(&r);
	yaml_parser_delete(&r.parser);
	return *out != NULL ? 0 : error_set(err, "%s: not a scenario", file);
}

void
yaml_free(struct yaml *node)
{
	if (node == NULL)
		return;
	for (size_t i = 0; i < node->count; i++) {
		yaml_free(node->keys[i]);
		yaml_free(node->items[i]);
	}
	free(node->keys);
	free(node->items);
	free(node->text);
	free(node);
}

struct yaml *
yaml_get(const struct yaml *map, const char *key)
{
	for (size_t i = 0; map->kind == YAML_MAP && i < map->count; i++)
		if (strcmp(map->keys[i]->text, key) == 0)
			return map->items[i];
	return NULL;
}
