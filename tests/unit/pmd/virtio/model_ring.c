// SPDX-License-Identifier: BSD-3-Clause
// model_ring.c - the device of model.h: its side of the split rings (virtio 1.2 section 2.7)
#include "model_ring.h"

#include <string.h>

#include "model.h"

#define DESC_BYTES  16u
#define F_NEXT	    1u
#define F_WRITE	    2u
#define HDR_BYTES   12u
#define NUM_BUFFERS 10u // offset in the header
#define MERGED	    (1ull << 15)

struct desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags, next;
};

static uint8_t *at(uint64_t iova)
{
	return (uint8_t *)(uintptr_t)iova; // hosted: iova = va
}

static uint16_t load16(uint64_t iova)
{
	return __atomic_load_n((uint16_t *)(void *)at(iova), __ATOMIC_ACQUIRE);
}

static void store16(uint64_t iova, uint16_t v)
{
	__atomic_store_n((uint16_t *)(void *)at(iova), v, __ATOMIC_RELEASE);
}

static struct desc read_desc(const struct model_queue *q, unsigned id)
{
	struct desc d;

	memcpy(&d, at(q->desc + id * DESC_BYTES), sizeof(d));
	return d;
}

int model_take(unsigned queue)
{
	struct model_queue *q = &model.q[queue];
	uint16_t idx = load16(q->avail + 2), id;

	if (load16(q->avail) != 1)
		model_fatal("asks for interrupts");
	if ((uint16_t)(idx - q->next_avail) > q->size)
		model_fatal("makes more buffers available than the queue has");
	if (idx == q->next_avail)
		return -1;
	id = load16(q->avail + 4 + 2 * (q->next_avail % q->size));
	if (id >= q->size)
		model_fatal("names a descriptor beyond the queue");
	q->next_avail++;
	return id % q->size;
}

void model_put_used(unsigned queue, uint16_t idx, uint32_t id, uint32_t len)
{
	struct model_queue *q = &model.q[queue];
	uint32_t elem[2] = {id, len};

	memcpy(at(q->used + 4 + 8u * (idx % q->size)), elem, sizeof(elem));
}

void model_set_used_idx(unsigned queue, uint16_t idx)
{
	model.q[queue].used_idx = idx;
	store16(model.q[queue].used + 2, idx);
}

void model_use(unsigned queue, uint32_t id, uint32_t len)
{
	struct model_queue *q = &model.q[queue];

	model_put_used(queue, q->used_idx, id, len);
	model_set_used_idx(queue, (uint16_t)(q->used_idx + 1));
}

void model_set_no_notify(unsigned queue, bool on)
{
	store16(model.q[queue].used, on);
}

void model_write(int id, const void *data, size_t len)
{
	struct desc d = read_desc(&model.q[MODEL_RX], (unsigned)id);

	if (d.flags != F_WRITE || d.len < HDR_BYTES)
		model_fatal("posts a receive buffer that cannot be written");
	memcpy(at(d.addr), data, len < d.len ? len : d.len);
}

static size_t room_of(int id)
{
	return read_desc(&model.q[MODEL_RX], (unsigned)id).len;
}

// How many buffers a packet of n bytes takes, when all are as long as the next one.
static unsigned buffers_for(size_t n)
{
	const struct model_queue *q = &model.q[MODEL_RX];
	uint16_t id = load16(q->avail + 4 + 2 * (q->next_avail % q->size));
	size_t room = room_of(id % q->size);

	return (unsigned)((n + room - 1) / room);
}

bool model_receive_as(const void *frame, size_t len, uint16_t num_buffers)
{
	static uint8_t packet[1 << 17];
	struct model_queue *q = &model.q[MODEL_RX];
	size_t left = HDR_BYTES + len, done = 0;
	uint16_t idx = q->used_idx;

	if (buffers_for(left) > (uint16_t)(load16(q->avail + 2) - q->next_avail))
		return false;
	memset(packet, 0, HDR_BYTES);
	memcpy(packet + NUM_BUFFERS, &num_buffers, sizeof(num_buffers));
	memcpy(packet + HDR_BYTES, frame, len);
	while (left) {
		int id = model_take(MODEL_RX);
		size_t part = left < room_of(id) ? left : room_of(id);

		model_write(id, packet + done, part);
		model_put_used(MODEL_RX, idx++, (uint32_t)id, (uint32_t)part);
		done += part;
		left -= part;
	}
	model_set_used_idx(MODEL_RX, idx); // 5.1.6.4: all of a packet at once
	return true;
}

bool model_receive(const void *frame, size_t len)
{
	const struct model_queue *q = &model.q[MODEL_RX];

	if (load16(q->avail + 2) == q->next_avail)
		return false;
	return model_receive_as(frame, len, (uint16_t)buffers_for(HDR_BYTES + len));
}

size_t model_gather(int head, void *dst, size_t cap)
{
	const struct model_queue *q = &model.q[MODEL_TX];
	uint8_t *out = dst;
	size_t done = 0;

	for (unsigned n = 0, id = (unsigned)head;; n++) {
		struct desc d = read_desc(q, id);

		if (n >= q->size) {
			model_fatal("makes a descriptor loop");
			return done;
		}
		if (!d.len || (d.flags & ~F_NEXT))
			model_fatal("describes something that cannot be sent");
		if (done + d.len <= cap)
			memcpy(out + done, at(d.addr), d.len);
		done += d.len;
		if (!(d.flags & F_NEXT))
			return done;
		id = d.next;
		if (id >= q->size) {
			model_fatal("chains to a descriptor beyond the queue");
			return done;
		}
	}
}

int model_transmit(void *frame, size_t cap)
{
	static const uint8_t zeros[HDR_BYTES];
	static uint8_t packet[1 << 17];
	int head = model_take(MODEL_TX);
	size_t n;

	if (head < 0)
		return -1;
	n = model_gather(head, packet, sizeof(packet));
	if (n <= HDR_BYTES || n - HDR_BYTES > cap || memcmp(packet, zeros, HDR_BYTES))
		model_fatal("sends a packet with a bad header");
	memcpy(frame, packet + HDR_BYTES, n - HDR_BYTES);
	model_use(MODEL_TX, (uint32_t)head, 0);
	return (int)(n - HDR_BYTES);
}
