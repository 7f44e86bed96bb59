// SPDX-License-Identifier: BSD-3-Clause
// ring.c - a ring, whichever kind the front end took
#include <unistd.h>

#include "device.h"

bool chain_add(struct device *d, struct chain *c, uint64_t addr, uint32_t len, bool writable)
{
	uint8_t *p = vhost_guest(d, addr, len);

	if (!p || c->segs == SEGS)
		return false;
	c->seg[c->segs].p = p;
	c->seg[c->segs].len = len;
	c->seg[c->segs++].writable = writable;
	c->room += writable ? len : 0;
	return true;
}

int ring_pop(struct device *d, unsigned queue, struct chain *c)
{
	struct queue *q = &d->q[queue];

	if (!q->works)
		return 0;
	return ring_packed(d) ? packed_pop(d, q, c) : split_pop(d, q, c);
}

void ring_put(struct device *d, unsigned queue, uint32_t id, uint32_t len, uint16_t descs)
{
	struct queue *q = &d->q[queue];

	if (!q->works)
		return;
	if (ring_packed(d))
		packed_put(q, id, len, descs);
	else
		split_put(q, id, len);
}

// An interrupt, when the driver wants them: split, avail.flags; packed, the driver event area.
static void interrupt(const struct device *d, const struct queue *q)
{
	const uint64_t one = 1;
	uint16_t flags = *(const volatile uint16_t *)(void *)(q->avail + (ring_packed(d) ? 2 : 0));

	if (!(flags & 1) && q->call >= 0 && write(q->call, &one, sizeof(one)) < 0)
		return; // nobody reads it: it is full
}

void ring_publish(struct device *d, unsigned queue)
{
	struct queue *q = &d->q[queue];

	if (!q->works)
		return;
	if (ring_packed(d))
		packed_publish(q);
	else
		split_publish(q);
	interrupt(d, q);
}
