/* Names as clients spell them (RFC 5280 4.1.2.4, A.1). */
#include "scep/findings.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NAME_PARTS_MAX 32 /* of a name that is compared with another */

static bool
is_printable(uint8_t c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	    (c >= '0' && c <= '9') ||
	    (c != 0 && strchr(" '()+,-./:=?", c) != NULL);
}

bool
finding_is_printable(struct span text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!is_printable(text.data[i]))
			return false;
	return true;
}

size_t
finding_characters(const struct der *d)
{
	size_t count = 0;

	switch (d->tag) {
	case DER_BMP_STRING:
		return d->content.len / 2;
	case DER_UNIVERSAL_STRING:
		return d->content.len / 4;
	case DER_UTF8_STRING:
		for (size_t i = 0; i < d->content.len; i++)
			count += (d->content.data[i] & 0xc0) != 0x80;
		return count;
	}
	return d->content.len;
}

/* AttributeTypeAndValue. */
struct part {
	struct span oid;
	struct der value;
};

/* The next of a Name; `set` is what its RelativeDistinguishedName has left. */
static bool
next_part(struct span *names, struct span *set, struct part *out)
{
	struct span part;

	while (set->len == 0)
		if (der_expect(names, DER_SET, set) == -1)
			return false;
	return der_expect(set, DER_SEQUENCE, &part) == 0 &&
	    der_expect(&part, DER_OID, &out->oid) == 0 &&
	    der_next(&part, &out->value) == 0;
}

enum strings {
	STRINGS_DIRECTORY,
	STRINGS_PRINTABLE,
	STRINGS_IA5,
};

/* RFC 5280 A.1 */
static const struct kind {
	const char *oid;
	size_t oid_len;
	enum strings strings;
	size_t max; /* characters; 0: no bound that matters */
} kinds[] = {
	{ "\x55\x04\x03", 3, STRINGS_DIRECTORY, 64 },  /* CN */
	{ "\x55\x04\x04", 3, STRINGS_DIRECTORY, 0 },   /* surname */
	{ "\x55\x04\x05", 3, STRINGS_PRINTABLE, 64 },  /* serialNumber */
	{ "\x55\x04\x06", 3, STRINGS_PRINTABLE, 2 },   /* C */
	{ "\x55\x04\x07", 3, STRINGS_DIRECTORY, 128 }, /* L */
	{ "\x55\x04\x08", 3, STRINGS_DIRECTORY, 128 }, /* ST */
	{ "\x55\x04\x0a", 3, STRINGS_DIRECTORY, 64 },  /* O */
	{ "\x55\x04\x0b", 3, STRINGS_DIRECTORY, 64 },  /* OU */
	{ "\x55\x04\x0c", 3, STRINGS_DIRECTORY, 64 },  /* title */
	{ "\x55\x04\x2a", 3, STRINGS_DIRECTORY, 0 },   /* givenName */
	{ "\x55\x04\x2b", 3, STRINGS_DIRECTORY, 0 },   /* initials */
	{ "\x55\x04\x2c", 3, STRINGS_DIRECTORY, 0 },   /* generation */
	{ "\x55\x04\x2e", 3, STRINGS_PRINTABLE, 0 },   /* dnQualifier */
	{ "\x55\x04\x41", 3, STRINGS_DIRECTORY, 128 }, /* pseudonym */
	{ "\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19", 10, STRINGS_IA5,
	    0 }, /* DC */
	{ "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01", 9, STRINGS_IA5,
	    255 }, /* emailAddress */
};

static const struct kind *
find_kind(struct span oid)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (span_equal(oid, span_of(kinds[i].oid, kinds[i].oid_len)))
			return &kinds[i];
	return NULL;
}

static bool
string_fits(enum strings strings, int tag)
{
	switch (tag) {
	case DER_PRINTABLE_STRING:
		return strings != STRINGS_IA5;
	case DER_IA5_STRING:
		return strings == STRINGS_IA5;
	case DER_UTF8_STRING:
	case DER_T61_STRING:
	case DER_BMP_STRING:
	case DER_UNIVERSAL_STRING:
		return strings == STRINGS_DIRECTORY;
	}
	return false;
}

static void
inspect_part(struct findings *f, const struct part *p)
{
	const struct kind *kind = find_kind(p->oid);
	int tag = p->value.tag;

	if (tag == DER_PRINTABLE_STRING &&
	    !finding_is_printable(p->value.content))
		findings_add(f, FOUND_SUBJECT_CHARACTERS);
	if (kind == NULL)
		return;
	if (!string_fits(kind->strings, tag))
		findings_add(f, FOUND_SUBJECT_STRING);
	else if (tag == DER_T61_STRING || tag == DER_BMP_STRING ||
	    tag == DER_UNIVERSAL_STRING)
		findings_add(f, FOUND_SUBJECT_OLD_STRING);
	if (kind->max > 0 && finding_characters(&p->value) > kind->max)
		findings_add(f, FOUND_SUBJECT_LONG);
}

void
inspect_subject(struct findings *f, struct span name)
{
	struct span names, set = SPAN_EMPTY;
	struct part p;

	if (der_expect(&name, DER_SEQUENCE, &names) == -1)
		return;
	if (names.len == 0)
		findings_add(f, FOUND_SUBJECT_EMPTY);
	while (next_part(&names, &set, &p))
		inspect_part(f, &p);
}

static bool
parts_mean_same(const struct part *a, const struct part *b)
{
	char *one, *other;
	bool same;

	if (!span_equal(a->oid, b->oid))
		return false;
	one = der_string_utf8(&a->value);
	other = der_string_utf8(&b->value);
	same = one != NULL && other != NULL && strcasecmp(one, other) == 0;
	free(one);
	free(other);
	return same;
}

/* -1: more than there is room for, or no Name. */
static int
list_parts(struct span name, struct part out[NAME_PARTS_MAX])
{
	struct span names, set = SPAN_EMPTY;
	int count = 0;

	if (der_expect(&name, DER_SEQUENCE, &names) == -1)
		return -1;
	while (count < NAME_PARTS_MAX && next_part(&names, &set, &out[count]))
		count++;
	return names.len == 0 && set.len == 0 ? count : -1;
}

bool
name_means_same(struct span one, struct span other)
{
	struct part a[NAME_PARTS_MAX], b[NAME_PARTS_MAX];
	int count = list_parts(one, a), left = list_parts(other, b), j;

	if (count == -1 || count != left)
		return false;
	for (int i = 0; i < count; i++) {
		for (j = 0; j < left && !parts_mean_same(&a[i], &b[j]); j++)
			;
		if (j == left)
			return false;
		b[j] = b[--left];
	}
	return true;
}
