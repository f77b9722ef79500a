/* What the files of this folder know of each other. */
#ifndef FAULT_INSIDE_H
#define FAULT_INSIDE_H

#include "fault/fault.h"

/* The table of a section; a file each. */
struct fault_section {
	const struct fault_kind *kinds;
	size_t count;
};
extern const struct fault_section fault_http, fault_caps, fault_ca_certs,
    fault_certificate, fault_scep, fault_bytes, fault_wire;
#define FAULT_SECTION(table)                              \
	{                                                 \
		table, sizeof(table) / sizeof((table)[0]) \
	}

/* Of these three, a number that is the same at each replay. */
uint64_t fault_mix(uint64_t seed, size_t rule, uint32_t count);

/* relations.c: what cannot be meant, of one rule and of all. */
void fault_check_rule(const struct fault_rule *, struct errors *);
void fault_check_order(const struct faults *, struct errors *);

#endif
