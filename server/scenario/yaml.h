/* YAML as nodes that keep their place; for this folder alone. */
#ifndef SCENARIO_YAML_H
#define SCENARIO_YAML_H

#include "base/blob.h"
#include "base/error.h"

#define YAML_SIZE_MAX (1UL << 20)

enum yaml_kind {
	YAML_SCALAR,
	YAML_LIST,
	YAML_MAP,
	YAML_BROKEN, /* said already: no more of it */
};

struct yaml {
	enum yaml_kind kind;
	struct mark at;
	char *text;	     /* SCALAR */
	struct yaml **keys;  /* MAP: scalars */
	struct yaml **items; /* MAP and LIST */
	size_t count;
};

/*
 * One document of at most 1 MiB, 10000 nodes and a depth of 32; no anchors,
 * no tags, no key twice. NULL: there is none, or its form is broken; what is
 * wrong beside that leaves a node. `file` is borrowed by the marks.
 */
struct yaml *yaml_read(struct span text, const char *file, struct errors *);
void yaml_node_free(struct yaml *);
struct yaml *yaml_get(const struct yaml *map, const char *key);

#endif
