// SPDX-License-Identifier: BSD-3-Clause
// ring_split.c - split virtqueues from the device's side (virtio 1.2, 2.7)
#include <string.h>

#include "device.h"

#define F_NEXT		 1u
#define F_WRITE		 2u
#define F_INDIRECT_TABLE 4u

struct desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags, next;
};

static uint16_t *avail_at(const struct queue *q, unsigned i)
{
	return (uint16_t *)(void *)(q->avail + 2 * i);
}

static bool add_table(struct device *d, struct chain *c, const struct desc *at)
{
	const struct desc *table = (const void *)vhost_guest(d, at->addr, at->len);
	unsigned i = 0, n = at->len / sizeof(*table);

	if (!table)
		return false;
	for (unsigned steps = 0; steps < n && i < n; steps++) {
		if (!chain_add(d, c, table[i].addr, table[i].len, table[i].flags & F_WRITE))
			return false;
		if (!(table[i].flags & F_NEXT))
			return true;
		i = table[i].next;
	}
	return false;
}

int split_pop(struct device *d, struct queue *q, struct chain *c)
{
	uint16_t i;

	if (__atomic_load_n(avail_at(q, 1), __ATOMIC_ACQUIRE) == q->avail_at)
		return 0;
	memset(c, 0, offsetof(struct chain, seg));
	c->room = 0;
	i = c->id = *avail_at(q, 2 + q->avail_at++ % q->num);
	for (unsigned steps = 0; steps < q->num && i < q->num; steps++) {
		struct desc at;

		memcpy(&at, q->desc + 16u * i, sizeof(at));
		if (at.flags & F_INDIRECT_TABLE)
			return add_table(d, c, &at) ? 1 : -1;
		if (!chain_add(d, c, at.addr, at.len, at.flags & F_WRITE))
			return -1;
		if (!(at.flags & F_NEXT))
			return 1;
		i = at.next;
	}
	return -1;
}

void split_put(struct queue *q, uint32_t id, uint32_t len)
{
	uint32_t elem[2] = {id, len};

	memcpy(q->used + 4 + 8u * (q->used_at++ % q->num), elem, sizeof(elem));
}

void split_publish(struct queue *q)
{
	__atomic_store_n((uint16_t *)(void *)(q->used + 2), q->used_at, __ATOMIC_RELEASE);
}
