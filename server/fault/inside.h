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
    fault_certificate, fault_scep, fault_scep_seal, fault_scep_attributes,
    fault_bytes, fault_wire;
#define FAULT_SECTION(table)                              \
	{                                                 \
		table, sizeof(table) / sizeof((table)[0]) \
	}

/* Whether certificate.subject is a Name. */
int fault_check_subject(const struct value *, struct error *);

/* A copy that lives as long as the exchange needs it; -1 without memory. */
int fault_keep(struct fault_context *, struct span, struct span *out);
/* The same of a buffer that is freed. */
int fault_keep_buffer(struct fault_context *, struct buffer *,
    struct span *out);

/*
 * One DER element, written laxly; signatures in it still verify. -1: it is
 * none, or there is no memory.
 */
#define BER_INDEFINITE 1U  /* lengths */
#define BER_CONSTRUCTED 2U /* OCTET STRINGs in segments */
int ber_from_der(struct span der, unsigned how, struct blob *out);

/* Of these three, a number that is the same at each replay. */
uint64_t fault_mix(uint64_t seed, size_t rule, uint32_t count);

/* The rows of `when:`, in their order. */
enum fault_when {
	WHEN_OPERATION,
	WHEN_METHOD,
	WHEN_PATH,
	WHEN_QUERY,
	WHEN_SOURCE,
	WHEN_USER_AGENT,
	WHEN_HEADER,
	WHEN_LONGER_THAN,
	WHEN_BETWEEN,
	WHEN_MESSAGE_TYPE,
	WHEN_ENCODING,
	WHEN_TRANSACTION_ID,
	WHEN_SUBJECT,
	WHEN_PER,
	WHEN_AFTER, /* it and what follows count */
	WHEN_FIRST,
	WHEN_NTH,
	WHEN_EVERY,
	WHEN_FOR,
	WHEN_CHANCE,
};
enum fault_when fault_when(const struct fault_condition *);
/* What the rule says there, or NULL. */
const struct value *fault_when_value(const struct fault_rule *,
    enum fault_when);
/* Puts the tests into the order of the rows, and says what never holds. */
void fault_when_finish(struct fault_rule *, struct errors *);

/* Which exchange of its rule it is, for what counts. */
struct fault_turn {
	int64_t count;	/* of those after `after`, from 1 on */
	int64_t age_ms; /* since the first of them */
	int64_t draw;	/* 0 up to FAULT_CERTAIN */
};
#define FAULT_CERTAIN 1000000 /* a chance of 1 */

/* relations.c: what cannot be meant, of one rule and of all. */
void fault_check_rule(const struct fault_rule *, struct errors *);
void fault_check_order(const struct faults *, struct errors *);

#endif
