/* Changes of a letter that leave it one, and of a message that is none. */
#include <string.h>

#include "fuzz/letter.h"
#include "fuzz/mutate.h"

/* Another message type, where one is written with two digits. */
static void
mutate_type(struct chance *c, struct letter *l, struct buffer *to)
{
	static const char types[][3] = { "17", "19", "20", "21", "22", "41" };
	const struct span oid = oid_scep_message_type;
	struct span attributes = l->parts[PART_ATTRIBUTES];
	uint8_t *at;

	buffer_add_span(to, attributes);
	at = to->len == 0 ? NULL : memmem(to->data, to->len, oid.data, oid.len);
	/* Behind the OID: SET, string, digits. */
	if (at == NULL || (size_t)(to->data + to->len - at) < oid.len + 6)
		return;
	memcpy(at + oid.len + 4, types[chance_below(c, 6)], 2);
	l->parts[PART_ATTRIBUTES] = buffer_span(to);
}

static void
mutate_choice(struct chance *c, struct letter *l, struct buffer *to)
{
	switch (chance_below(c, 4)) {
	case 0:
		l->digest = chance_below(c, DIGEST_COUNT);
		break;
	case 1:
		l->cipher = chance_below(c, CIPHER_COUNT);
		break;
	case 2:
		mutate_type(c, l, to);
		break;
	default:
		l->flags ^= 1U << chance_below(c, LETTER_FLAGS);
	}
}

/* What would be encrypted now, to be changed from now on as it stands. */
static void
freeze_envelope(struct letter *l, const struct authority *a,
    const struct client *client, struct buffer *to)
{
	letter_add_envelope(l, a, client, to);
	l->parts[PART_ENVELOPE] = buffer_span(to);
	l->parts[PART_REQUEST] = SPAN_EMPTY;
	l->flags |= LETTER_ENVELOPE;
}

static void
mutate_part(struct chance *c, struct letter *l, struct buffer *to)
{
	/* What lies deepest is the least worn. */
	static const enum part often[] = { PART_REQUEST, PART_REQUEST,
		PART_REQUEST, PART_ATTRIBUTES, PART_ATTRIBUTES,
		PART_CERTIFICATES, PART_OAEP, PART_RECIPIENTS };
	enum part part = often[chance_below(c, 8)];

	/* Nothing comes of these where they are not in use. */
	if ((part == PART_OAEP && !(l->flags & LETTER_OAEP)) ||
	    (part == PART_RECIPIENTS && l->parts[part].len == 0))
		part = PART_REQUEST;
	if (part != PART_ATTRIBUTES && part != PART_CERTIFICATES &&
	    l->flags & LETTER_ENVELOPE)
		part = PART_ENVELOPE;
	if (part == PART_OAEP && l->parts[part].len == 0)
		l->parts[part] = span_of(LETTER_OAEP_OF_SHA256,
		    sizeof(LETTER_OAEP_OF_SHA256) - 1);
	mutate_der(c, l->parts[part], to);
	l->parts[part] = buffer_span(to);
}

size_t
letter_mutate_input(const struct authority *a, const struct client *client,
    uint8_t *data, size_t size, size_t max, unsigned seed)
{
	struct chance c = { seed };
	struct buffer changed = { 0 };
	struct blob copy;
	struct letter l;
	size_t len;

	/* The spans of the letter must outlive the data they came in. */
	if (blob_copy(&copy, span_of(data, size)) == -1)
		return 0;
	if (!letter_read(blob_span(&copy), &l)) {
		blob_free(&copy);
		return mutate_der_input(data, size, max, seed);
	}
	switch (chance_below(&c, 16)) {
	case 0:
	case 1:
		mutate_choice(&c, &l, &changed);
		break;
	case 2:
		if (!(l.flags & LETTER_ENVELOPE)) {
			freeze_envelope(&l, a, client, &changed);
			break;
		}
		/* FALLTHROUGH */
	default:
		mutate_part(&c, &l, &changed);
	}
	len = changed.failed ? 0 : letter_write(&l, data, max);
	buffer_free(&changed);
	blob_free(&copy);
	return len > 0 ? len : LLVMFuzzerMutate(data, size, max);
}

/* Some parts of the one, the others of the other. */
size_t
letter_cross_inputs(struct span one, struct span other, uint8_t *out,
    size_t max, unsigned seed)
{
	struct chance c = { seed };
	struct letter l, from;

	if (!letter_read(one, &l) || !letter_read(other, &from))
		return 0;
	for (int i = 0; i < PARTS; i++)
		if (chance_below(&c, 2) == 0)
			l.parts[i] = from.parts[i];
	if (chance_below(&c, 2) == 0)
		l.flags = from.flags;
	return letter_write(&l, out, max);
}
