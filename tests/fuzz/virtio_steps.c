// SPDX-License-Identifier: BSD-3-Clause
// virtio_steps.c - the virtio driver under a device whose every write is scripted by the input
//
// The input is a list of steps: the device writes used rings, flags, headers, frames, descriptors
// and configuration as it likes, between bursts and, when it asks for a doorbell, in the middle of
// one; the driver receives, sends and polls. Whatever happens, packets that come out are well
// formed, what is given is counted, and every buffer is home when the port has closed.
#include "tests/fuzz/virtio_steps.h"

#include "pmd/offload.h"
#include "pmd/virtio/net.h"
#include "tests/fuzz/virtio_port.h"

#define BURST  32u
#define HEADER 12u
#define OFFLOADS                                                                                   \
	(PORT_RX_CSUM | PORT_TX_CSUM | PORT_TX_TSO4 | PORT_TX_TSO6 | PORT_TX_USO | PORT_RX_LRO)

// 5.1.3: checksums 0 and 1, GUEST_TSO4, TSO6 and ECN 7 to 9, HOST_ 11 to 13, USO 54 to 56.
#define OFFLOAD_FEATURES (3ull | 7ull << 7 | 7ull << 11 | 7ull << 54)

static struct port port;
static struct clock clock_now;
static struct mbuf *hoard[FUZZ_POOL]; // packets the application holds
static unsigned hoarded;
static uint64_t received, sent;
static bool packed;
static struct input *bell_input; // what the device does when a doorbell rings

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
	const struct virtio_pair *p = &((const struct virtio_net *)port.priv)->pair[0];

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

// What the flags say is what the contract of mbuf.h lets everyone rely on.
static void check_offloads(const struct mbuf *m)
{
	require(!(m->flags & ~(MBUF_RX_L3_OK | MBUF_RX_L4_OK | MBUF_RX_L3_BAD | MBUF_RX_L4_BAD |
			       MBUF_TX_L4_CSUM | MBUF_TSO | MBUF_USO)),
		"no flags but what a port may set");
	if (m->flags & (MBUF_TSO | MBUF_USO)) {
		require(m->mss && (m->flags & MBUF_TX_L4_CSUM), "what is to be cut says how");
		require(offload_piece_bytes(m) <= m->pkt_len, "and is longer than a piece");
	}
	if (m->flags & MBUF_TX_L4_CSUM)
		require(m->l3 < m->l4 && offload_csum_at(m) + 2 <= m->len,
			"a checksum has its place");
}

static void driver_receives(struct input *in)
{
	unsigned n = take(in, 1) % (BURST + 1), got;
	struct mbuf *m[BURST];

	got = port_rx_burst(&port, 0, m, (uint16_t)n);
	require(got <= n, "no more packets than asked for");
	received += got;
	for (unsigned i = 0; i < got; i++) {
		require(mbuf_check(m[i]) == 0, "a received packet is well formed");
		require(m[i]->len >= 14, "it has an Ethernet header");
		check_offloads(m[i]);
		if (hoarded < FUZZ_POOL - 64 && in->p < in->end && (*in->p & 1))
			hoard[hoarded++] = m[i];
		else
			mbuf_free(m[i]);
	}
}

static struct mbuf *some_packet(struct input *in)
{
	static const uint8_t bytes[20000];
	uint32_t shape = take(in, 2), len = shape % 8 ? 14 + shape % 100 : shape % 20000;
	struct mbuf *m;

	if (hoarded && shape % 3 == 0) { // back where it came from
		m = hoard[--hoarded];
		if (!(port.grant.offloads & PORT_TX_CSUM) || (m->flags & (MBUF_TSO | MBUF_USO)))
			m->flags = 0; // the transmit node's to see to
		return m;
	}
	m = mbuf_from_bytes(fuzz_pool(), bytes, len);
	if (m && shape % 5 == 0)
		m->data = m->buf + shape % MBUF_HEADROOM;
	return m;
}

static void driver_sends(struct input *in)
{
	unsigned want = take(in, 1) % (BURST + 1), n = 0, taken;
	struct mbuf *m[BURST];

	while (n < want && (m[n] = some_packet(in)))
		n++;
	if (n && (want & 1)) { // one with two owners
		mbuf_ref(m[0]);
		taken = port_tx_burst(&port, 0, m, (uint16_t)n);
		mbuf_free(m[0]);
	} else {
		taken = port_tx_burst(&port, 0, m, (uint16_t)n);
	}
	require(taken <= n, "no more sent than given");
	sent += taken;
	for (unsigned i = taken; i < n; i++)
		mbuf_free(m[i]);
}

static void device_step(struct input *in, unsigned which)
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

static void bell(unsigned q)
{
	struct input *in = bell_input;

	if (!in || in->p == in->end)
		return;
	bell_input = NULL;		  // what the device does now rings no other bell
	device_step(in, take(in, 1) % 8); // no registers: a driver reads none in a burst
	bell_input = in;
}

static void step(struct input *in)
{
	unsigned which = take(in, 1) % 16;

	switch (which) {
	case 12:
		driver_sends(in);
		break;
	case 13:
		clock_now.now += (uint64_t)take(in, 2) << 14; // up to a second
		virtio_pmd.poll_queue(&port, 0);
		virtio_pmd.poll(&port);
		break;
	case 14:
	case 15:
		driver_receives(in);
		break;
	default:
		device_step(in, which);
	}
}

static uint64_t counter(const struct port_stats *s, const char *name)
{
	for (unsigned i = 0; i < s->counters; i++)
		if (!strcmp(s->counter[i].name, name))
			return s->counter[i].value;
	require(0, name);
	return 0;
}

static void books(void)
{
	struct port_stats s = {0};

	virtio_pmd.stats(&port, &s);
	require(s.rx_packets == received, "every packet received is counted");
	require(s.tx_packets + counter(&s, "tx-refused") == sent, "every packet sent is counted");
}

int virtio_steps_run(const uint8_t *data, size_t size, bool is_packed)
{
	struct input in = {data, data + size};
	uint32_t knobs;

	fuzz_pool();
	model_init();
	model.lenient = true;
	model.q[MODEL_RX].max = (uint16_t)(2u << take(&in, 1) % 8);
	model.q[MODEL_TX].max = (uint16_t)(2u << take(&in, 1) % 8);
	knobs = take(&in, 1);
	packed = is_packed;
	model.features |= packed ? MODEL_F_RING_PACKED : 0;
	model.features |= knobs & 2 ? MODEL_F_IN_ORDER : 0;
	model.features |= knobs & 4 ? 0 : OFFLOAD_FEATURES;
	model.bell = bell;
	bell_input = NULL;
	received = sent = 0;
	if (knobs & 1)
		model.features &= ~MODEL_F_MRG_RXBUF;
	if (fuzz_open(&port, &clock_now, 0, 0, knobs & 8 ? 0 : OFFLOADS))
		require(0, "an honest device opens");
	bell_input = &in;
	for (unsigned i = 0; i < 2000 && in.p < in.end; i++) {
		step(&in);
		// The features, and so the kind of ring, are the device's to change at a reset.
		packed = ((const struct virtio_net *)port.priv)->pair[0].rx.vq.packed;
	}
	bell_input = NULL;
	books();
	fuzz_close(&port);
	while (hoarded)
		mbuf_free(hoard[--hoarded]);
	fuzz_all_home();
	return 0;
}
