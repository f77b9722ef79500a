/* Numbers by which the rest of the folder speaks of tunnels. */
#include "http/tls.h"

#include <sys/socket.h>

#define INDEX_BITS 24

static struct slot *
slot_find(const struct tls *t, uint64_t id)
{
	struct slot *slot;
	uint64_t index = id & ((1U << INDEX_BITS) - 1);

	if (t == NULL || index >= t->slots.room)
		return NULL;
	slot = &t->slots.list[index];
	return atomic_load(&slot->word) >> 8 == id ? slot : NULL;
}

struct slot *
slot_take(struct slots *s)
{
	uint32_t index = s->free;
	struct slot *slot;
	uint64_t id;

	if (index > 0)
		s->free = s->list[--index].next;
	else if (s->used < s->room)
		index = s->used++;
	else
		return NULL;
	slot = &s->list[index];
	id = (atomic_load(&slot->word) >> 8 >> INDEX_BITS) + 1;
	id = id << INDEX_BITS | index;
	atomic_store(&slot->received, 0);
	atomic_store(&slot->word, id << 8 | CONNECTION_END_NOTIFY);
	return slot;
}

void
slot_give_back(struct slots *s, struct slot *slot)
{
	if (slot == NULL)
		return;
	/* Its number is nobody's until the next one has it. */
	atomic_fetch_add(&slot->word, 1ULL << 8 << INDEX_BITS);
	slot->next = s->free;
	s->free = (uint32_t)(slot - s->list) + 1;
}

uint64_t
slot_id(const struct slot *slot)
{
	return atomic_load(&slot->word) >> 8;
}

uint64_t
tls_received(const struct tls *t, uint64_t id)
{
	const struct slot *slot = slot_find(t, id);

	return slot == NULL ? 0 : atomic_load(&slot->received);
}

bool
tls_has_left(const struct tls *t, uint64_t id)
{
	const struct slot *slot = slot_find(t, id);

	return slot == NULL || (atomic_load(&slot->word) & SLOT_LEFT) != 0;
}

void
connection_end(struct http *http, int fd, uint64_t id, enum connection_end how)
{
	const struct linger none = { .l_onoff = 1 };
	struct slot *slot = slot_find(http->tls, id);
	uint64_t word, said;

	if (id == 0 && how == CONNECTION_END_RESET)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	if (id == 0 || slot == NULL)
		return;
	word = atomic_load(&slot->word);
	do {
		/* It has gone, and the slot may be another's. */
		if (word >> 8 != id)
			return;
		said = (word & ~(uint64_t)SLOT_END) | how;
	} while (!atomic_compare_exchange_weak(&slot->word, &word, said));
}
