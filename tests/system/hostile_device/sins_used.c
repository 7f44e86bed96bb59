// SPDX-License-Identifier: BSD-3-Clause
// sins_used.c - lies of which buffers are used: ids, lengths, order and the place in the ring
#include <string.h>
#include <time.h>

#include "sins.h"

// A chain that is outstanding: of RX there are; for TX the front end gets frames to send back.
// False too when the ring began anew meanwhile: chains taken before are none of its.
static bool take(struct device *d, unsigned queue, struct chain *c)
{
	uint64_t end = now_ms() + 100;
	unsigned began = d->q[queue].starts;

	if (queue == RX)
		return ring_pop(d, RX, c) > 0;
	while (now_ms() < end) {
		traffic_send(d, NULL, 0);
		vhost_turn(d);
		if (d->q[queue].starts != began)
			return false;
		if (ring_pop(d, TX, c) > 0)
			return true;
		nanosleep(&(struct timespec){.tv_nsec = 20000}, NULL);
	}
	return false;
}

// One chain given back with a wrong id or length.
static bool give(struct device *d, unsigned queue, const struct chain *c, uint32_t id, uint32_t len)
{
	ring_put(d, queue, id, len, c->descs ? c->descs : 1);
	ring_publish(d, queue);
	return true;
}

static uint32_t honest_len(unsigned queue)
{
	return queue == RX ? HEADER + 60 : 0;
}

bool sin_id_range(struct device *d, unsigned queue)
{
	struct chain c;
	uint16_t num = d->q[queue].num;

	return take(d, queue, &c) &&
	       give(d, queue, &c, num + rnd(d) % (0x10000u - num), honest_len(queue));
}

bool sin_id_huge(struct device *d, unsigned queue)
{
	struct chain c;

	return take(d, queue, &c) && give(d, queue, &c, 0xffff0000u | rnd(d), honest_len(queue));
}

bool sin_id_twice(struct device *d, unsigned queue)
{
	struct chain c, other;

	if (!take(d, queue, &c) || !take(d, queue, &other))
		return false;
	memset(c.seg[0].p, 0, queue == RX ? HEADER : 0);
	ring_put(d, queue, c.id, honest_len(queue), c.descs ? c.descs : 1);
	return give(d, queue, &c, c.id, honest_len(queue));
}

// Half a ring away nothing waits to be sent.
bool sin_id_idle(struct device *d, unsigned queue)
{
	struct chain c;
	uint16_t num = d->q[queue].num;

	return take(d, queue, &c) && give(d, queue, &c, (c.id + num / 2u) % num, 0);
}

bool sin_never_given(struct device *d, unsigned queue)
{
	struct chain c;
	bool some = false;

	for (unsigned i = 0; i < 8 && take(d, queue, &c); i++)
		some = true;
	return some;
}

// Allowed: buffers need not come back in the order in which they were given.
bool sin_backwards(struct device *d, unsigned queue)
{
	struct chain c[8];
	unsigned n = 0;

	while (n < 8 && take(d, queue, &c[n]))
		n++;
	for (unsigned i = n; i-- > 0;) {
		if (queue == RX) { // empty but for a header of one buffer
			memset(c[i].seg[0].p, 0, HEADER + 60);
			c[i].seg[0].p[10] = 1;
		}
		ring_put(d, queue, c[i].id, honest_len(queue), c[i].descs ? c[i].descs : 1);
	}
	ring_publish(d, queue);
	return n > 0;
}

static bool with_len(struct device *d, unsigned queue, uint32_t len)
{
	struct chain c;

	if (!take(d, queue, &c))
		return false;
	if (queue == RX) {
		memset(c.seg[0].p, 0, HEADER);
		c.seg[0].p[10] = 1;
	}
	return give(d, queue, &c, c.id, len == UINT32_MAX - 1 ? c.room + 1 : len);
}

bool sin_len_one_more(struct device *d, unsigned queue)
{
	return with_len(d, queue, UINT32_MAX - 1);
}

bool sin_len_31_bits(struct device *d, unsigned queue)
{
	return with_len(d, queue, 0x7fffffff);
}

bool sin_len_32_bits(struct device *d, unsigned queue)
{
	return with_len(d, queue, UINT32_MAX);
}

bool sin_len_0(struct device *d, unsigned queue)
{
	return with_len(d, queue, 0);
}

bool sin_len_below_header(struct device *d, unsigned queue)
{
	return with_len(d, queue, 1 + rnd(d) % (HEADER - 1));
}

bool sin_len_header_alone(struct device *d, unsigned queue)
{
	return with_len(d, queue, HEADER + rnd(d) % 14);
}

// The index of used buffers, n from where it honestly is (split alone).
static bool index_jumps(struct device *d, unsigned queue, uint16_t n)
{
	struct queue *q = &d->q[queue];
	uint16_t idx = (uint16_t)(q->used_at + n);

	__atomic_store_n((uint16_t *)(void *)(q->used + 2), idx, __ATOMIC_RELEASE);
	return true;
}

bool sin_index_1_on(struct device *d, unsigned queue)
{
	return index_jumps(d, queue, 1);
}

bool sin_index_ring_on(struct device *d, unsigned queue)
{
	return index_jumps(d, queue, d->q[queue].num);
}

bool sin_index_beyond(struct device *d, unsigned queue)
{
	return index_jumps(d, queue, (uint16_t)(d->q[queue].num + 1 + rnd(d) % 30000));
}

bool sin_index_back(struct device *d, unsigned queue)
{
	return index_jumps(d, queue, (uint16_t)-1);
}

static uint16_t *packed_flags(const struct queue *q, unsigned at)
{
	return (uint16_t *)(void *)(q->desc + 16u * (at % q->num) + 14);
}

// Used, as of the lap before: the driver sees nothing until it is put right.
bool sin_wrap_flipped(struct device *d, unsigned queue)
{
	struct queue *q = &d->q[queue];
	uint16_t was;

	was = *packed_flags(q, q->used_at);
	*(volatile uint16_t *)packed_flags(q, q->used_at) = q->used_wrap ? 0 : 1u << 7 | 1u << 15;
	device_run(d, 5);
	if (q->works)
		*(volatile uint16_t *)packed_flags(q, q->used_at) = was;
	return true;
}

// The descriptor after the next is marked as used, then those before it: ids that were never given.
bool sin_flags_ahead(struct device *d, unsigned queue)
{
	struct queue *q = &d->q[queue];
	struct chain c;

	if (!take(d, queue, &c)) // so that something is outstanding
		return false;
	for (unsigned i = 3; i-- > 0;) {
		unsigned at = q->used_at + i;
		bool wrap = at < q->num ? q->used_wrap : !q->used_wrap;

		memset(q->desc + 16u * (at % q->num) + 8, 0xff, 6);
		__atomic_store_n(packed_flags(q, at), wrap ? 1u << 7 | 1u << 15 : 0,
				 __ATOMIC_RELEASE);
	}
	return true;
}
