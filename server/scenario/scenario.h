/*
 * Scenarios: YAML files that say what is wrong with the server. Loaded once,
 * const from then on, counted by reference.
 */
#ifndef SCENARIO_SCENARIO_H
#define SCENARIO_SCENARIO_H

#include "base/error.h"
#include "base/evidence_names.h"
#include "fault/fault.h"
#include "stack/stack.h"

/* Where the story comes from: texts, for who reads it. */
enum reference {
	REFERENCE_ARTICLE,
	REFERENCE_SECTION,
	REFERENCE_CAUSE,
	REFERENCE_QUIRK,
	REFERENCE_THREAD,
	REFERENCE_RFC,
	REFERENCE_COUNT
};
/* One or more `texts` each. */
const struct key *scenario_reference(enum reference);

/* What an administrator finds beyond what the layers leave by themselves. */
#define EVIDENCE_MAX 64
#define EVIDENCE_TEXT_MAX 16384
struct scenario_evidence {
	enum evidence in;
	char *text;   /* without a line end at its end */
	char *source; /* NULL: not an event, but lines */
	int id;
	const char *level; /* static */
};
/* A documented way out: actions, one after the other. */
#define CURES_MAX 8
#define CURE_STEPS_MAX 16
struct scenario_cure {
	const struct action *steps[CURE_STEPS_MAX];
	size_t count;
};

struct scenario {
	char *name, *title, *description; /* title, description: or NULL */
	struct value reference[REFERENCE_COUNT];
	struct stack_state state; /* what the site starts with */
	struct faults faults;
	struct scenario_evidence *evidence;
	size_t evidence_count;
	struct scenario_cure cures[CURES_MAX]; /* one of them is enough */
	size_t cure_count;
	char **files; /* those that marks of the rules are in */
	size_t file_count;
	_Atomic int refs;
};

/* A row: one key below `server:`, and its field of struct stack_state. */
struct server_key {
	struct key key;
	/*
	 * WORD: int. BOOL: bool. NUMBER: int64_t. DURATION: int64_t, seconds.
	 * TEXT: char[]. TEXTS, OIDS: char[], one a line. WORDS: int, or'ed.
	 */
	size_t offset, room; /* room: octets of the field */
};
/* The rows, from 0 on; NULL: no more. */
const struct server_key *server_key_at(size_t);
/* "90m", "-1d" as a scenario has it. -1: it is none. */
int scenario_duration(const char *text, int64_t *ms);

/* How to load; zeroed, or NULL: nothing special. */
struct scenario_options {
	/* "server.iis.error_pages=detailed", or without "server."; borrowed. */
	const char *const *sets;
	size_t set_count;
	const char *dir; /* where NAME.yaml is looked for first, or NULL */
};

/* A text, and where it comes from; borrowed. */
struct scenario_text {
	struct span yaml;
	const char *file; /* for messages: file:line:col */
	/*
	 * The directory that the file lies in; NULL: it does not lie on a
	 * disk (standard input, HTTP), and may not name files.
	 */
	const char *dir;
};
/*
 * A scenario may extend another one: it begins with its state of the server,
 * and its rules come after its own. What else it says stays its own.
 *
 * All three: -1, *out NULL and up to 20 errors, sorted; errors_clear() is for
 * the caller.
 */
int scenario_parse(const struct scenario_text *,
    const struct scenario_options *, struct scenario **out, struct errors *);
/* NAME.yaml of the directory, read now; else one of those built in. */
int scenario_find(const char *name, const struct scenario_options *,
    struct scenario **out, struct errors *);
/*
 * What --scenario says: "-", standard input; with a "/" or .yaml or .yml at
 * its end a path; else a name.
 */
int scenario_load(const char *what, const struct scenario_options *,
    struct scenario **out, struct errors *);
/* The YAML that scenario_find() would load. */
int scenario_source(const char *name, const struct scenario_options *,
    struct blob *yaml, struct errors *);
/*
 * Changes keys of `server:` in a state: sets as in the options, with or without
 * "server." in front. -1: the errors say why, and it is as before.
 */
int scenario_set(struct stack_state *, const char *const *sets, size_t count,
    struct errors *);
struct scenario *scenario_ref(struct scenario *);
void scenario_free(struct scenario *);

/*
 * All that can be found by name, those that are broken with their first error.
 * A text of malloc(), or NULL.
 */
char *scenario_list(const struct scenario_options *, bool json,
    struct errors *);
/* One of that list, as an object. */
char *scenario_tell(const char *name, const struct scenario_options *);

/* Texts made of the tables; of malloc(), NULL without memory. */
char *scenario_json_schema(void);
/* Keys of `when:` and `do:`, and actions, for a terminal; all keys, in mdoc. */
char *scenario_faults_text(void);
char *scenario_actions_text(void);
char *scenario_manual(void);

#endif
