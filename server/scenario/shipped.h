#ifndef SCENARIO_SHIPPED_H
#define SCENARIO_SHIPPED_H

#include <stddef.h>

/*
 * The scenarios that were embedded when the program was built: every file
 * scenarios/NAME.yaml. They live as long as the program.
 */
struct shipped_scenario {
	const char *name; /* the file's name without .yaml */
	const char *text; /* the file's bytes; text[size] is a NUL */
	size_t size;
};

/* Sorted by name as strcmp() does; a row of NULLs follows the last one. */
extern const struct shipped_scenario shipped_scenarios[];
extern const size_t shipped_scenario_count;

#endif
