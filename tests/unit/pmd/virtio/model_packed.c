// SPDX-License-Identifier: BSD-3-Clause
// model_packed.c - the device of model.h: its side of the packed rings (virtio 1.2 section 2.8)
#include "model_ring.h"

#define F_AVAIL	     (1u << 7)
#define F_USED	     (1u << 15)
#define CHAIN_MAX    257u
#define IDS	     1024u
#define OFFSET_LEN   8u
#define OFFSET_ID    12u
#define OFFSET_FLAGS 14u
#define AREA_FLAGS   2u
#define DISABLE	     1u

static struct taken {
	unsigned n;
	bool out; // taken, and not used yet
	struct desc d[CHAIN_MAX];
} taken[2][IDS];

static uint64_t desc_at(const struct model_queue *q, uint16_t idx)
{
	return q->desc + (uint64_t)(idx % q->size) * DESC_BYTES;
}

// 2.8.1: 1 in the first round of the ring.
static bool wrap(const struct model_queue *q, uint16_t idx)
{
	return idx / q->size % 2 == 0;
}

static bool is_available(const struct model_queue *q, uint16_t idx)
{
	uint16_t flags = load16(desc_at(q, idx) + OFFSET_FLAGS);

	return !!(flags & F_AVAIL) == wrap(q, idx) && !!(flags & F_USED) != wrap(q, idx);
}

static struct desc read_at(const struct model_queue *q, uint16_t idx)
{
	struct desc d = {.flags = load16(desc_at(q, idx) + OFFSET_FLAGS)};

	memcpy(&d.addr, at(desc_at(q, idx)), sizeof(d.addr));
	memcpy(&d.len, at(desc_at(q, idx) + OFFSET_LEN), sizeof(d.len));
	memcpy(&d.next, at(desc_at(q, idx) + OFFSET_ID), sizeof(d.next)); // the id
	d.flags &= (uint16_t) ~(F_AVAIL | F_USED);
	return d;
}

unsigned packed_waiting(unsigned queue)
{
	const struct model_queue *q = &model.q[queue];
	unsigned n = 0;

	while (n < q->size && is_available(q, (uint16_t)(q->next_avail + n)))
		n++;
	return n;
}

uint32_t packed_next_len(unsigned queue)
{
	return read_at(&model.q[queue], model.q[queue].next_avail).len;
}

static void remember(unsigned queue, uint16_t id, const struct desc *d, unsigned n)
{
	struct model_queue *q = &model.q[queue];
	struct taken *t = &taken[queue][id % IDS];

	if (id >= q->size || id >= IDS)
		model_fatal("gives a buffer an id beyond the queue");
	if (model_in_order() && id != q->next_id % q->size)
		model_fatal("gives a buffer an id that is not the next, with IN_ORDER");
	if (!q->packets_taken)
		memset(taken[queue], 0, sizeof(taken[queue]));
	q->packets_taken++;
	if (t->out && !model_in_order())
		model_fatal("gives two buffers the same id");
	t->n = n;
	t->out = true;
	memcpy(t->d, d, n * sizeof(*d));
	q->next_id++;
}

int packed_take(unsigned queue)
{
	static struct desc chain[CHAIN_MAX];
	struct model_queue *q = &model.q[queue];
	unsigned n = 0;

	if (load16(q->avail + AREA_FLAGS) != DISABLE && q->vector == MODEL_NO_VECTOR)
		model_fatal("asks for interrupts");
	if (!is_available(q, q->next_avail))
		return -1;
	do {
		if (n == CHAIN_MAX || !is_available(q, (uint16_t)(q->next_avail + n))) {
			model_fatal("makes a part of a chain available");
			break;
		}
		chain[n] = read_at(q, (uint16_t)(q->next_avail + n));
	} while (chain[n++].flags & F_NEXT);
	q->next_avail = (uint16_t)(q->next_avail + n);
	remember(queue, chain[n - 1].next, chain, n); // 2.8.6: the last one's id counts
	return chain[n - 1].next % q->size;
}

void packed_put_used(unsigned queue, uint16_t idx, uint32_t id, uint32_t len)
{
	const struct model_queue *q = &model.q[queue];
	uint16_t id16 = (uint16_t)id;

	memcpy(at(desc_at(q, idx) + OFFSET_LEN), &len, sizeof(len));
	memcpy(at(desc_at(q, idx) + OFFSET_ID), &id16, sizeof(id16));
	if (id16 < IDS)
		taken[queue][id16].out = false;
}

// From the last to the first: the driver sees them together.
void packed_set_used_idx(unsigned queue, uint16_t idx)
{
	struct model_queue *q = &model.q[queue];
	uint16_t n = (uint16_t)(idx - q->used_idx);

	for (unsigned i = n < 0x8000 ? n : 0; i-- > 0;) {
		uint16_t at = (uint16_t)(q->used_idx + i);

		store16(desc_at(q, at) + OFFSET_FLAGS, wrap(q, at) ? F_AVAIL | F_USED : 0);
	}
	q->used_idx = idx;
}

void packed_set_no_notify(unsigned queue, bool on)
{
	store16(model.q[queue].used + AREA_FLAGS, on ? DISABLE : 0);
}

struct desc packed_desc(unsigned queue, unsigned id, unsigned i)
{
	return taken[queue][id % IDS].d[i % CHAIN_MAX];
}

unsigned packed_count(unsigned queue, unsigned id)
{
	const struct taken *t = &taken[queue][id % IDS];

	return id < IDS && model.q[queue].packets_taken && t->n ? t->n : 1;
}
