/*
 * ASN.1 as SCEP uses it (X.690): a reader of DER, a converter from BER to
 * DER for clients that send indefinite lengths, and a builder whose every
 * byte is ours.
 */
#ifndef BASE_DER_H
#define BASE_DER_H

#include "base/blob.h"

enum der_tag {
	DER_BOOLEAN = 0x01,
	DER_INTEGER = 0x02,
	DER_BIT_STRING = 0x03,
	DER_OCTET_STRING = 0x04,
	DER_NULL = 0x05,
	DER_OID = 0x06,
	DER_ENUMERATED = 0x0a,
	DER_UTF8_STRING = 0x0c,
	DER_NUMERIC_STRING = 0x12,
	DER_PRINTABLE_STRING = 0x13,
	DER_T61_STRING = 0x14,
	DER_IA5_STRING = 0x16,
	DER_UTC_TIME = 0x17,
	DER_GENERALIZED_TIME = 0x18,
	DER_UNIVERSAL_STRING = 0x1c,
	DER_BMP_STRING = 0x1e,
	DER_SEQUENCE = 0x30,
	DER_SET = 0x31,
};
/* Context specific tags. */
#define DER_CONTEXT(n) (0x80 | (n)) /* primitive */
#define DER_CONTEXT_CONSTRUCTED(n) (0xa0 | (n))

/* One element: its whole encoding and its content, both borrowed. */
struct der {
	int tag;
	struct span whole, content;
};

/*
 * Take the next element from *rest. -1 on anything that is not one complete
 * element with a definite length and a one-byte tag; *rest is then unchanged.
 */
int der_next(struct span *rest, struct der *out);
/* The same, and the tag must be this one. */
int der_expect(struct span *rest, int tag, struct span *content);
/* Takes the next element if it has this tag: 1 taken, 0 other or none. */
int der_optional(struct span *rest, int tag, struct der *out);
/* A small INTEGER 0..INT32_MAX from its content octets, or -1. */
int32_t der_small_integer(struct span content);
/* True if the content of an OID is these octets (see crypto/oid.h). */
bool der_oid_is(struct span content, struct span oid);

/* X.690 8.19.2: subidentifiers are whole and minimal. */
bool der_oid_is_valid(struct span content);
/* The content of the OID "1.3.6.1"; -1: the text is none. */
int der_oid_from_text(const char *text, struct buffer *out);

/*
 * A DirectoryString (X.520) as UTF-8, owned by the caller; what is not
 * Unicode becomes U+FFFD. T61 is read as Latin-1, which is what its senders
 * mean. NULL: another type, a NUL inside, or no memory.
 */
char *der_string_utf8(const struct der *);
/* Whether nothing in it had to be replaced. */
bool der_string_is_unicode(const struct der *);

/*
 * Rewrites BER as DER: indefinite lengths become definite, constructed
 * strings primitive, lengths minimal. Order of SETs and content of
 * primitives stay. Everything after the first element is dropped.
 * *out is owned by the caller; -1: not BER, deeper than DER_MAX_DEPTH, or no
 * memory.
 */
#define DER_MAX_DEPTH 24
int der_from_ber(struct span ber, struct blob *out);
/* The same, and *rest becomes what follows; on -1 it stays. */
int der_next_ber(struct span *rest, struct blob *out);

/*
 * Builder: der_begin() writes a tag, der_end() fills in the length of all
 * that came since. Ends must match begins, innermost first.
 */
size_t der_begin(struct buffer *, int tag);
void der_end(struct buffer *, size_t begun);
void der_add(struct buffer *, int tag, struct span content);
void der_add_oid(struct buffer *, struct span oid);
void der_add_null(struct buffer *);
void der_add_small_integer(struct buffer *, unsigned value); /* < 2^31 */
/* An unsigned big-endian number, made minimal and positive. */
void der_add_unsigned(struct buffer *, struct span big_endian);
void der_add_bit_string(struct buffer *, struct span bytes);
/* UTCTime through 2049, else GeneralizedTime (RFC 5280 4.1.2.5). */
void der_add_time(struct buffer *, int64_t at);
/* Whether these elements stand as in a DER SET OF (X.690 11.6). */
bool der_is_sorted(struct span elements);
/* Sort the elements between `begun` content and the end as a DER SET OF. */
void der_sort_set(struct buffer *, size_t begun);

#endif
