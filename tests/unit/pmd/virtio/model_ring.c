// SPDX-License-Identifier: BSD-3-Clause
// model_ring.c - the device of model.h: its side of the rings, split ones by itself (virtio 1.2
// section 2.7), packed ones by model_packed.c
#include "model_ring.h"

#define HDR_BYTES   12u
#define NUM_BUFFERS 10u // offset in the header

static struct desc read_desc(const struct model_queue *q, unsigned id)
{
	struct desc d;

	memcpy(&d, at(q->desc + id * DESC_BYTES), sizeof(d));
	return d;
}

static unsigned chain_length(const struct model_queue *q, unsigned id)
{
	unsigned n = 1;

	for (struct desc d = read_desc(q, id); (d.flags & F_NEXT) && n < q->size; n++) {
		if (model_in_order() && d.next != (id + n) % q->size)
			model_fatal("chains descriptors out of order, with IN_ORDER");
		d = read_desc(q, d.next % q->size);
	}
	return n;
}

int model_take(unsigned queue)
{
	struct model_queue *q = &model.q[queue];
	uint16_t idx, id;

	if (model_packed())
		return packed_take(queue);
	idx = load16(q->avail + 2);
	if (load16(q->avail) != 1 && q->vector == MODEL_NO_VECTOR)
		model_fatal("asks for interrupts");
	if ((uint16_t)(idx - q->next_avail) > q->size)
		model_fatal("makes more buffers available than the queue has");
	if (idx == q->next_avail)
		return -1;
	id = load16(q->avail + 4 + 2 * (q->next_avail % q->size));
	if (id >= q->size)
		model_fatal("names a descriptor beyond the queue");
	if (model_in_order() && id != q->next_id % q->size)
		model_fatal("does not take descriptors in order, with IN_ORDER");
	q->next_id = (uint16_t)(q->next_id + (queue == MODEL_RX ? 1 : chain_length(q, id)));
	q->next_avail++;
	return id % q->size;
}

void model_put_used(unsigned queue, uint16_t idx, uint32_t id, uint32_t len)
{
	struct model_queue *q = &model.q[queue];
	uint32_t elem[2] = {id, len};

	if (model_packed()) {
		packed_put_used(queue, idx, id, len);
		return;
	}
	memcpy(at(q->used + 4 + 8u * (idx % q->size)), elem, sizeof(elem));
}

void model_set_used_idx(unsigned queue, uint16_t idx)
{
	if (model_packed()) {
		packed_set_used_idx(queue, idx);
		return;
	}
	model.q[queue].used_idx = idx;
	store16(model.q[queue].used + 2, idx);
}

// Says that the element at the used index holds, and moves the index by what it stands for.
static void model_pass_used(unsigned queue, unsigned elements, unsigned n)
{
	struct model_queue *q = &model.q[queue];
	uint16_t end = (uint16_t)(q->used_idx + n);

	model_set_used_idx(queue, (uint16_t)(q->used_idx + elements));
	q->used_idx = end;
}

void model_skip_to(unsigned queue, uint32_t id, uint32_t len, unsigned n)
{
	model_put_used(queue, model.q[queue].used_idx, id, len);
	if (model_packed())
		model_pass_used(queue, 1, n);
	else
		model_set_used_idx(queue, (uint16_t)(model.q[queue].used_idx + n));
}

void model_use(unsigned queue, uint32_t id, uint32_t len)
{
	struct model_queue *q = &model.q[queue];
	unsigned n = model_packed() ? packed_count(queue, id) : 1;

	model_put_used(queue, q->used_idx, id, len);
	model_pass_used(queue, 1, n);
}

void model_set_no_notify(unsigned queue, bool on)
{
	if (model_packed())
		packed_set_no_notify(queue, on);
	else
		store16(model.q[queue].used, on);
}

// The first descriptor of a buffer taken.
static struct desc desc_of(unsigned queue, unsigned id)
{
	return model_packed() ? packed_desc(queue, id, 0) : read_desc(&model.q[queue], id);
}

static unsigned waiting(unsigned queue)
{
	const struct model_queue *q = &model.q[queue];

	return model_packed() ? packed_waiting(queue)
			      : (uint16_t)(load16(q->avail + 2) - q->next_avail);
}

bool model_interrupts(unsigned queue)
{
	uint64_t flags = model.q[queue].avail + (model_packed() ? 2 : 0); // 2.8.10: behind the offset

	return model.q[queue].vector != MODEL_NO_VECTOR && !(load16(flags) & 1);
}

void model_write(int id, const void *data, size_t len)
{
	struct desc d = desc_of(MODEL_RX, (unsigned)id);

	if (d.flags != F_WRITE || d.len < HDR_BYTES)
		model_fatal("posts a receive buffer that cannot be written");
	memcpy(at(d.addr), data, len < d.len ? len : d.len);
}

// How many buffers a packet of n bytes takes, when all are as long as the next one.
static unsigned buffers_for(size_t n)
{
	const struct model_queue *q = &model.q[MODEL_RX];
	size_t room;

	if (model_packed())
		room = packed_next_len(MODEL_RX);
	else
		room = read_desc(q, load16(q->avail + 4 + 2 * (q->next_avail % q->size)) % q->size)
			       .len;
	return (unsigned)((n + room - 1) / room);
}

bool model_receive_as(const void *frame, size_t len, uint16_t num_buffers)
{
	static uint8_t packet[1 << 17];
	struct model_queue *q = &model.q[MODEL_RX];
	size_t left = HDR_BYTES + len, done = 0;
	uint16_t idx = q->used_idx;

	if (!waiting(MODEL_RX) || buffers_for(left) > waiting(MODEL_RX))
		return false;
	memcpy(packet, model.rx_header, sizeof(model.rx_header));
	memcpy(packet + NUM_BUFFERS, &num_buffers, sizeof(num_buffers));
	memcpy(packet + HDR_BYTES, frame, len);
	while (left) {
		int id = model_take(MODEL_RX);
		size_t room = desc_of(MODEL_RX, (unsigned)id).len, part = left < room ? left : room;

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
	if (!waiting(MODEL_RX))
		return false;
	return model_receive_as(frame, len, (uint16_t)buffers_for(HDR_BYTES + len));
}

size_t model_gather(int head, void *dst, size_t cap)
{
	const struct model_queue *q = &model.q[MODEL_TX];
	uint8_t *out = dst;
	size_t done = 0;

	for (unsigned n = 0, id = (unsigned)head;; n++) {
		struct desc d = model_packed() ? packed_desc(MODEL_TX, (unsigned)head, n)
					       : read_desc(q, id);

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
		if (!model_packed() && id >= q->size) {
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
	if (n <= HDR_BYTES || n - HDR_BYTES > cap || 
	    (!model.offloads && memcmp(packet, zeros, HDR_BYTES)))
		model_fatal("sends a packet with a bad header");
	memcpy(model.tx_header, packet, HDR_BYTES);
	memcpy(frame, packet + HDR_BYTES, n - HDR_BYTES);
	model_use(MODEL_TX, (uint32_t)head, 0);
	return (int)(n - HDR_BYTES);
}
