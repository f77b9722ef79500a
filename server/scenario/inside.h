/* What the files of this folder know of each other. */
#ifndef SCENARIO_INSIDE_H
#define SCENARIO_INSIDE_H

#include "scenario/scenario.h"
#include "scenario/yaml.h"

#define EXTENDS_MAX 8

/* One document on its way to become a scenario. */
struct loading {
	const struct scenario_options *options;
	struct errors *errors;
	struct scenario *out;  /* of this document */
	struct scenario *root; /* what all of it becomes; owns the names */
	const char *file;      /* of the marks; owned by `root` */
	struct mark at;	       /* of the document */
	const char *dir;       /* what lies beside it; NULL: it is on no disk */
	const char *name;      /* what it has to be called; NULL: anything */
	/* Which document it is, whatever the way to it; NULL: on no disk. */
	const char *id;
	const struct loading *child; /* that extends this one, or NULL */
};

/* values.c: -1, and said why. A value that was refused is clear. */
int value_read(struct loading *, const struct key *, const struct yaml *,
    struct value *);

/* "90m": the largest unit that leaves nothing over. */
#define DURATION_SIZE 32
const char *duration_print(int64_t ms, char out[DURATION_SIZE]);

/* keys.c: the keys of a table, which may lie in sections. */
struct key_table {
	/* NULL: no more. */
	const struct key *(*at)(size_t row);
	/* Takes the value. */
	void (*put)(struct loading *, void *to, size_t row, struct value *);
};
void keys_read(struct loading *, const struct key_table *,
    const struct yaml *map, void *to);
/* One of them by its dotted name. */
void keys_read_one(struct loading *, const struct key_table *, const char *name,
    const struct mark *, const struct yaml *, void *to);
/* Says that there is no such key, and which is most like it. */
void keys_unknown(struct loading *, const struct mark *, const char *asked,
    const char *const *known);

/* server_keys.c: `server:`, which may be NULL, and the sets. */
void server_read(struct loading *, const struct yaml *);

/* rules.c: in front of the rules that are there already. */
void rules_read(struct loading *, const struct yaml *);

/* lab.c: either may be NULL. */
void evidence_read(struct loading *, const struct yaml *);
void cure_read(struct loading *, const struct yaml *);
void evidence_clear(struct scenario *);

/* find.c: what a name or a path leads to, for extends. */
void find_parent(struct loading *, const struct yaml *name);
/* The content of a regular file of at most `max` octets. */
int read_file(const char *path, size_t max, struct blob *out, struct error *);
/* Where a path leads that was said in the file; the caller frees it. */
char *path_beside(const struct loading *, const char *path);

bool scenario_is_name(const char *);

/* Sorted, NULL ended, the caller's; or NULL. */
char **find_names(const struct scenario_options *, struct errors *);

/* load.c: one document, into l->out. */
void load_text(struct loading *l, struct span yaml);
/* `name`, `id`: see struct loading. */
int load_scenario(const struct scenario_text *, const char *name,
    const char *id, const struct scenario_options *, struct scenario **out,
    struct errors *);
const char *keep_file(struct scenario *, const char *file);

#endif
