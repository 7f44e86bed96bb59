// SPDX-License-Identifier: BSD-3-Clause
// virtio_device.c - what the device does of virtio_steps.c: whatever the input says
#include "tests/fuzz/virtio_device.h"

#include "pmd/virtio/net.h"

#define HEADER 12u

static const struct port *port;
static bool packed;

void device_begin(const struct port *p, bool is_packed)
{
	port = p;
	packed = is_packed;
}

static struct model_queue *pick_queue(struct input *in)
{
	return &model.q[take(in, 1) & 1];
}

static int queue_lives(const struct model_queue *q)
{
	return q->enable && q->desc && q->avail && q->used;
}

static uint8_t *ring(uint64_t iova)
{
	return (uint8_t *)(uintptr_t)iova;
}

static const struct virtq *driver_queue(const struct model_queue *q)
{
	const struct virtio_pair *p = &((const struct virtio_net *)port->priv)->pair[0];

	return q == &model.q[MODEL_TX] ? &p->tx.vq : &p->rx.vq;
}

// Used entry number idx says id and len; packed: with flags of its lap, or others.
static void put_used(const struct model_queue *q, uint16_t idx, uint32_t id, uint32_t len,
		     bool flip)
{
	uint32_t elem[2] = {id, len};
	uint64_t word = len | (uint64_t)(uint16_t)id << 32;
	bool wrap = !(idx & q->size);

	if (!packed) {
		memcpy(ring(q->used) + 4 + 8u * (idx % q->size), elem, sizeof(elem));
		return;
	}
	word |= (wrap != flip) ? 0x8080ull << 48 : 0;
	memcpy(ring(q->desc) + 16u * (idx % q->size) + 8, &word, sizeof(word));
}

static void publish(const struct model_queue *q, uint16_t idx)
{
	if (!packed)
		memcpy(ring(q->used) + 2, &idx, sizeof(idx));
}

static void device_used_idx(struct input *in)
{
	struct model_queue *q = pick_queue(in);
	uint16_t v = (uint16_t)take(in, 2);

	if (!queue_lives(q))
		return;
	if (packed) { // the device's place in the ring, from now on
		q->used_idx = v & 1 ? driver_queue(q)->used_idx : v;
		return;
	}
	memcpy(ring(q->used) + 2, &v, sizeof(v));
}

// An id that the driver waits for at used entry idx, by its own notes: rings say what they like.
static uint32_t awaited(const struct model_queue *q, uint16_t idx, uint32_t otherwise)
{
	const struct virtq *vq = driver_queue(q);

	if (vq->slot && (q == &model.q[MODEL_RX] || !packed))
		return vq->slot[idx & vq->mask];
	for (uint32_t i = 0; i <= vq->mask; i++)
		if (vq->buf[(otherwise + i) & vq->mask])
			return (otherwise + i) & vq->mask;
	return otherwise;
}

// An element at the honest place, with any id and length, and the index after it.
static void device_uses(struct input *in, int honest_id)
{
	struct model_queue *q = pick_queue(in);
	uint32_t id = take(in, 2), len = take(in, 2), how = take(in, 1);

	if (!queue_lives(q))
		return;
	if (honest_id)
		id = awaited(q, q->used_idx, id);
	put_used(q, q->used_idx, id, how & 0x40 ? len << 16 | 0xffff : len, how & 0x80);
	q->used_idx = (uint16_t)(q->used_idx + (packed && how & 0x20 ? how & 7 : 1));
	publish(q, q->used_idx);
}

static void device_scribbles(struct input *in)
{
	struct model_queue *q = pick_queue(in);
	uint32_t where = take(in, 1) % 3, at = take(in, 2), v = take(in, 4);
	uint32_t len[3] = {16u * q->size, packed ? 4 : 4u + 2u * q->size,
			   packed ? 4 : 4u + 8u * q->size};
	uint64_t base[3] = {q->desc, q->avail, q->used};

	if (queue_lives(q))
		memcpy(ring(base[where]) + at % (len[where] - 3), &v, sizeof(v));
}

// A frame that checksum and segmentation fields can be true of.
static void write_frame(uint8_t *f, uint32_t kind)
{
	static const uint8_t tcp4[54] = {2,  0,	   0, 0, 0,    1, 2, 0,	   0,	 0,  0, 2,  8,
					 0,  0x45, 0, 7, 0xf4, 0, 0, 0,	   0,	 64, 6, 0,  0,
					 10, 0,	   0, 1, 10,   0, 0, 2,	   0,	 80, 0, 81, 0,
					 0,  0,	   1, 0, 0,    0, 1, 0x50, 0x18, 1,  0};
	static const uint8_t udp6[62] = {2,    0,	 0, 0,	  0,	1,    2,    0,
					 0,    0,	 0, 2,	  0x86, 0xdd, 0x60, 0,
					 0,    0,	 7, 0xd2, 17,	64,   0xfd, [37] = 1,
					 0xfd, [53] = 2, 0, 53,	  0,	53,   7,    0xd2};

	memset(f, (int)kind, 64);
	if (kind % 3 == 1)
		memcpy(f, tcp4, sizeof(tcp4));
	else if (kind % 3 == 2)
		memcpy(f, udp6, sizeof(udp6));
}

// Header and frame of a posted buffer, as the driver's own notes have it: the rings say what they
// like, and a write into a buffer that is back in the pool would end the run as the driver's write
// after free.
static void write_header(struct input *in, unsigned id, uint16_t num_buffers)
{
	const struct virtq *vq = driver_queue(&model.q[MODEL_RX]);
	struct mbuf *m = vq->buf[id & vq->mask];
	uint32_t how = take(in, 1);
	uint8_t *header;

	if (!m)
		return;
	header = (uint8_t *)(m + 1) + MBUF_HEADROOM - HEADER;
	memset(header, 0, HEADER);
	for (unsigned i = 0; how & 0x80 && i < 10; i++)
		header[i] = (uint8_t)take(in, 1);
	memcpy(header + 10, &num_buffers, sizeof(num_buffers));
	write_frame(header + HEADER, how & 0x7f);
}

static void device_writes_header(struct input *in)
{
	uint32_t id = take(in, 2);

	if (queue_lives(&model.q[MODEL_RX]))
		write_header(in, id, (uint16_t)take(in, 1));
}

// A packet as an honest device gives it, over up to 15 buffers; what it then says may still be a
// lie.
static void device_receives(struct input *in)
{
	struct model_queue *q = &model.q[MODEL_RX];
	uint32_t buffers = take(in, 1) % 16, len = HEADER + take(in, 2) % 2049;

	if (!queue_lives(q))
		return;
	write_header(in, awaited(q, q->used_idx, 0), (uint16_t)buffers);
	for (uint32_t i = 0; i < buffers; i++, q->used_idx++)
		put_used(q, q->used_idx, awaited(q, q->used_idx, 0), len, false);
	publish(q, q->used_idx);
}

// Doorbells wanted, or not. When one rings the device takes its next steps at once, mid-burst.
static void device_wants_doorbells(struct input *in)
{
	struct model_queue *q = pick_queue(in);
	uint16_t flags = (uint16_t)(take(in, 1) & 3);

	if (queue_lives(q))
		memcpy(ring(q->used) + (packed ? 2 : 0), &flags, sizeof(flags));
}

static void device_configures(struct input *in)
{
	uint32_t v = take(in, 2);

	switch (take(in, 1) % 8) {
	case 0:
		model.mac[v % 6] = (uint8_t)(v >> 8);
		break;
	case 1:
		model.net_status = (uint16_t)v;
		break;
	case 2:
		model.mtu = (uint16_t)v;
		break;
	case 3:
		model.q[v & 1].max = v & 2 ? (uint16_t)(v >> 2) : (uint16_t)(1u << (v >> 4) % 8);
		break;
	case 4:
		model.features ^= 1ull << v % 40;
		break;
	case 5:
		model.queues = v % 4;
		break;
	case 6:
		model.q[v & 1].notify_off = (uint16_t)(v >> 1);
		break;
	default:
		model.refuse_features = v % 5 == 0;
	}
	model.generation++;
}

void device_step(struct input *in, unsigned which)
{
	switch (which) {
	case 0:
		device_used_idx(in);
		break;
	case 1:
		device_uses(in, 0);
		break;
	case 2:
	case 3:
		device_uses(in, 1);
		break;
	case 4:
		device_scribbles(in);
		break;
	case 5:
		device_writes_header(in);
		break;
	case 6:
	case 7:
		device_receives(in);
		break;
	case 8:
		device_configures(in);
		break;
	case 9:
		model.status = (uint8_t)take(in, 1);
		break;
	case 10:
		model.reset_reads = take(in, 1) & 1 ? 3 : 0;
		break;
	default:
		device_wants_doorbells(in);
	}
}
