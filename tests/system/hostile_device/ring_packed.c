// SPDX-License-Identifier: BSD-3-Clause
// ring_packed.c - packed virtqueues from the device's side (virtio 1.2, 2.8)
#include <string.h>

#include "device.h"

#define F_NEXT		 1u
#define F_WRITE		 2u
#define F_INDIRECT_TABLE 4u
#define F_AVAIL		 (1u << 7)
#define F_USED		 (1u << 15)

struct desc {
	uint64_t addr;
	uint32_t len;
	uint16_t id, flags;
};

static uint16_t *flags_at(const struct queue *q, unsigned i)
{
	return (uint16_t *)(void *)(q->desc + 16u * i + 14);
}

static bool is_avail(const struct queue *q)
{
	uint16_t f = __atomic_load_n(flags_at(q, q->avail_at), __ATOMIC_ACQUIRE);

	return !!(f & F_AVAIL) == q->avail_wrap && !!(f & F_USED) != q->avail_wrap;
}

static void step(uint16_t *at, bool *wrap, uint16_t by, uint16_t num)
{
	*at = (uint16_t)(*at + by);
	if (*at >= num) {
		*at = (uint16_t)(*at - num);
		*wrap = !*wrap;
	}
}

static bool add_table(struct device *d, struct chain *c, const struct desc *at)
{
	const struct desc *table = (const void *)vhost_guest(d, at->addr, at->len);

	for (unsigned i = 0; table && i < at->len / sizeof(*table); i++)
		if (!chain_add(d, c, table[i].addr, table[i].len, table[i].flags & F_WRITE))
			return false;
	return table != NULL;
}

int packed_pop(struct device *d, struct queue *q, struct chain *c)
{
	struct desc at;

	if (!is_avail(q))
		return 0;
	memset(c, 0, offsetof(struct chain, seg));
	c->room = 0;
	do {
		if (q->avail_at >= q->num || c->descs >= q->num)
			return -1;
		memcpy(&at, q->desc + 16u * q->avail_at, sizeof(at));
		c->id = at.id; // of the last one
		c->descs++;
		step(&q->avail_at, &q->avail_wrap, 1, q->num);
		if (at.flags & F_INDIRECT_TABLE) {
			if (!add_table(d, c, &at))
				return -1;
		} else if (!chain_add(d, c, at.addr, at.len, at.flags & F_WRITE)) {
			return -1;
		}
	} while (at.flags & F_NEXT);
	return 1;
}

// The flags of the first of a batch are written last, by packed_publish().
void packed_put(struct queue *q, uint32_t id, uint32_t len, uint16_t descs)
{
	uint16_t flags = q->used_wrap ? F_AVAIL | F_USED : 0, small = (uint16_t)id;

	memcpy(q->desc + 16u * q->used_at + 8, &len, sizeof(len));
	memcpy(q->desc + 16u * q->used_at + 12, &small, sizeof(small));
	if (q->held) {
		__atomic_store_n(flags_at(q, q->used_at), flags, __ATOMIC_RELEASE);
	} else {
		q->held = true;
		q->held_at = q->used_at;
		q->held_flags = flags;
	}
	step(&q->used_at, &q->used_wrap, descs, q->num);
}

void packed_publish(struct queue *q)
{
	if (q->held)
		__atomic_store_n(flags_at(q, q->held_at), q->held_flags, __ATOMIC_RELEASE);
	q->held = false;
}
