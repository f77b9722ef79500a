#include "scenario/yaml.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#define NODE_LIMIT 10000
#define DEPTH_LIMIT 32

struct reading {
	yaml_parser_t parser;
	const char *file;
	size_t nodes;
	struct errors *errors;
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
	return errors_at(r->errors, &at, "not YAML: %s",
	    r->parser.problem != NULL ? r->parser.problem : "out of memory");
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
	if (keys == NULL || items == NULL)
		return -1;
	node->keys[node->count] = key;
	node->items[node->count++] = item;
	return 0;
}

/* Whether the item of this key is to be kept. */
static bool
is_good_key(struct reading *r, const struct yaml *map, const struct yaml *key)
{
	if (key->kind == YAML_BROKEN)
		return false;
	if (key->kind != YAML_SCALAR)
		errors_at(r->errors, &key->at, "a key must be plain text");
	else if (yaml_get(map, key->text) != NULL)
		errors_at(r->errors, &key->at,
		    "key \"%.60s\" stands here twice", key->text);
	else
		return true;
	return false;
}

/* Takes the event. */
static int
read_item(struct reading *r, struct yaml *node, yaml_event_t *event, int depth)
{
	struct yaml *key = NULL, *item;
	int ret;

	if (node->kind == YAML_MAP &&
	    ((key = read_node(r, event, depth)) == NULL ||
		next_event(r, event) == -1)) {
		yaml_node_free(key);
		return -1;
	}
	item = read_node(r, event, depth);
	ret = item == NULL ? -1 : 0;
	if (item != NULL && (key == NULL || is_good_key(r, node, key))) {
		if (append(node, key, item) == 0)
			return 0;
		ret = errors_at(r->errors, &item->at, "out of memory");
	}
	yaml_node_free(key);
	yaml_node_free(item);
	return ret;
}

static int
read_items(struct reading *r, struct yaml *node, int depth)
{
	yaml_event_type_t end = node->kind == YAML_MAP ?
	    YAML_MAPPING_END_EVENT :
	    YAML_SEQUENCE_END_EVENT;
	yaml_event_t event;

	for (;;) {
		if (next_event(r, &event) == -1)
			return -1;
		if (event.type == end) {
			yaml_event_delete(&event);
			return 0;
		}
		if (read_item(r, node, &event, depth) == -1)
			return -1;
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

/* What kind of node it begins; a broken one's items are still read. */
static int
begin_node(struct reading *r, const yaml_event_t *event, struct yaml *node)
{
	const char *text;

	node->kind = event->type == YAML_MAPPING_START_EVENT ? YAML_MAP :
	    event->type == YAML_SEQUENCE_START_EVENT	     ? YAML_LIST :
							       YAML_SCALAR;
	if (event->type != YAML_SCALAR_EVENT)
		return 0;
	text = (const char *)event->data.scalar.value;
	if (strlen(text) == event->data.scalar.length)
		return (node->text = strdup(text)) != NULL ? 0 : -1;
	errors_at(r->errors, &node->at, "a NUL in the text");
	node->kind = YAML_BROKEN;
	return 0;
}

/* Takes the event. */
static struct yaml *
read_node(struct reading *r, yaml_event_t *event, int depth)
{
	struct yaml *node = calloc(1, sizeof(*node));
	struct mark at = mark_of(r, event->start_mark);
	bool plain = is_plain(event);
	int ret = -1;

	if (node != NULL)
		node->at = at;
	if (node == NULL || begin_node(r, event, node) == -1)
		errors_at(r->errors, &at, "out of memory");
	else if (depth > DEPTH_LIMIT || ++r->nodes > NODE_LIMIT)
		errors_at(r->errors, &at,
		    "deeper or larger than a scenario is");
	else
		ret = 0;
	if (ret == 0 && !plain)
		errors_at(r->errors, &at,
		    "anchors, aliases and tags are not part of the scenario "
		    "language");
	yaml_event_delete(event);
	if (ret == 0 && (node->kind == YAML_MAP || node->kind == YAML_LIST))
		ret = read_items(r, node, depth + 1);
	if (ret == -1) {
		yaml_node_free(node);
		return NULL;
	}
	if (!plain)
		node->kind = YAML_BROKEN;
	return node;
}

/* Up to the start of the first document's content, or past its end. */
static int
skip(struct reading *r, yaml_event_type_t type)
{
	yaml_event_t event;
	bool found;
	struct mark at;

	if (next_event(r, &event) == -1)
		return -1;
	found = event.type == type;
	at = mark_of(r, event.start_mark);
	yaml_event_delete(&event);
	if (found)
		return 0;
	if (type == YAML_STREAM_END_EVENT)
		return errors_at(r->errors, &at, "a second document");
	return errors_at(r->errors, &at, "the file is empty");
}

static struct yaml *
read_document(struct reading *r)
{
	yaml_event_t event;
	struct yaml *root;

	if (skip(r, YAML_STREAM_START_EVENT) == -1 ||
	    skip(r, YAML_DOCUMENT_START_EVENT) == -1 ||
	    next_event(r, &event) == -1 ||
	    (root = read_node(r, &event, 0)) == NULL)
		return NULL;
	if (skip(r, YAML_DOCUMENT_END_EVENT) == 0)
		skip(r, YAML_STREAM_END_EVENT);
	return root;
}

/* Octets of the UTF-8 sequence that begins there, 0: none. */
static size_t
sequence(const uint8_t *at, size_t left)
{
	static const struct {
		uint8_t mask, lead;
		uint32_t least;
	} forms[] = { { 0x80, 0x00, 0 }, { 0xe0, 0xc0, 0x80 },
		{ 0xf0, 0xe0, 0x800 }, { 0xf8, 0xf0, 0x10000 } };
	uint32_t c;

	for (size_t n = 0; n < sizeof(forms) / sizeof(forms[0]); n++) {
		if ((*at & forms[n].mask) != forms[n].lead || n >= left)
			continue;
		c = *at & (uint8_t)~forms[n].mask;
		for (size_t i = 1; i <= n; i++) {
			if ((at[i] & 0xc0) != 0x80)
				return 0;
			c = c << 6 | (at[i] & 0x3f);
		}
		return c >= forms[n].least && c <= 0x10ffff &&
			(c < 0xd800 || c > 0xdfff) ?
		    n + 1 :
		    0;
	}
	return 0;
}

/* libyaml finds this too, but does not say where. */
static int
check_characters(struct span text, const char *file, struct errors *errors)
{
	struct mark at = { file, 1, 1 };
	size_t len;

	for (size_t i = 0; i < text.len; i += len) {
		const uint8_t c = text.data[i];

		if ((len = sequence(text.data + i, text.len - i)) == 0)
			return errors_at(errors, &at, "this is not UTF-8");
		if ((c < ' ' && c != '\t' && c != '\n' && c != '\r') ||
		    c == 0x7f)
			return errors_at(errors, &at,
			    "a control character, 0x%02x", c);
		at.col++;
		if (c == '\n') {
			at.line++;
			at.col = 1;
		}
	}
	return 0;
}

struct yaml *
yaml_read(struct span text, const char *file, struct errors *errors)
{
	struct reading r = { .file = file, .errors = errors };
	struct mark at = { file, 1, 1 };
	struct yaml *root;

	if (text.len > YAML_SIZE_MAX) {
		errors_at(errors, &at,
		    "more than the 1 MiB that a scenario may have");
		return NULL;
	}
	if (check_characters(text, file, errors) == -1)
		return NULL;
	if (yaml_parser_initialize(&r.parser) != 1) {
		errors_at(errors, &at, "out of memory");
		return NULL;
	}
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	/* An empty text may be nowhere, which libyaml does not take. */
	yaml_parser_set_input_string(&r.parser,
	    text.len == 0 ? (const uint8_t *)"" : text.data, text.len);
	root = read_document(&r);
	yaml_parser_delete(&r.parser);
	return root;
}

void
yaml_node_free(struct yaml *node)
{
	if (node == NULL)
		return;
	for (size_t i = 0; i < node->count; i++) {
		yaml_node_free(node->keys[i]);
		yaml_node_free(node->items[i]);
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
