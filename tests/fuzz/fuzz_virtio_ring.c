// SPDX-License-Identifier: BSD-3-Clause
// fuzz_virtio_ring.c - the virtio driver under a device whose every write is scripted by the input
//
// The input is a list of steps: the device writes used rings, headers, descriptors and
// configuration as it likes; the driver receives, sends and polls. Whatever happens, packets that
// come out are well formed and every buffer is home when the port has closed.
#include "pmd/virtio/net.h"
#include "tests/fuzz/virtio_port.h"

#define BURST 32u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct port port;
static struct clock clock_now;
static struct mbuf *hoard[FUZZ_POOL]; // packets the application holds
static unsigned hoarded;

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

static void device_used_idx(struct input *in)
{
	struct model_queue *q = pick_queue(in);
	uint16_t v = (uint16_t)take(in, 2);

	if (queue_lives(q))
		memcpy(ring(q->used) + 2, &v, sizeof(v));
}

// An element at the honest place, with any id and length, and the index after it.
static void device_uses(struct input *in, int honest_id)
{
	struct model_queue *q = pick_queue(in);
	uint32_t elem[2] = {take(in, 2), take(in, 2)};

	if (!queue_lives(q))
		return;
	if (honest_id)
		elem[0] = q->used_idx % q->size;
	memcpy(ring(q->used) + 4 + 8u * (q->used_idx % q->size), elem, sizeof(elem));
	q->used_idx++;
	memcpy(ring(q->used) + 2, &q->used_idx, sizeof(q->used_idx));
}

static void device_scribbles(struct input *in)
{
	struct model_queue *q = pick_queue(in);
	uint32_t where = take(in, 1) % 3, at = take(in, 2), v = take(in, 4);
	uint32_t len[3] = {16u * q->size, 4u + 2u * q->size, 4u + 8u * q->size};
	uint64_t base[3] = {q->desc, q->avail, q->used};

	if (queue_lives(q))
		memcpy(ring(base[where]) + at % (len[where] - 3), &v, sizeof(v));
}

// The header of a posted buffer, as the driver's own shadow has it: the rings say what they like,
// and a write into a buffer that is back in the pool would end the run as the driver's write after
// free.
static void write_header(unsigned id, uint16_t num_buffers)
{
	const struct virtq *vq = &((const struct virtio_net *)port.priv)->pair[0].rx.vq;
	struct mbuf *m = vq->buf[id & vq->mask];
	uint8_t *header;

	if (!m)
		return;
	header = (uint8_t *)(m + 1) + MBUF_HEADROOM - 12;
	memset(header, (int)id, 12 + 60);
	memcpy(header + 10, &num_buffers, sizeof(num_buffers));
}

static void device_writes_header(struct input *in)
{
	uint32_t id = take(in, 2);

	if (queue_lives(&model.q[MODEL_RX]))
		write_header(id, (uint16_t)take(in, 1));
}

// A packet as an honest device gives it, over up to 15 buffers; what it then says may still be a
// lie.
static void device_receives(struct input *in)
{
	struct model_queue *q = &model.q[MODEL_RX];
	uint32_t buffers = take(in, 1) % 16, len = 12 + take(in, 2) % 2049;

	if (!queue_lives(q))
		return;
	write_header(q->used_idx % q->size, (uint16_t)buffers);
	for (uint32_t i = 0; i < buffers; i++, q->used_idx++) {
		uint32_t elem[2] = {q->used_idx % q->size, len};

		memcpy(ring(q->used) + 4 + 8u * (q->used_idx % q->size), elem, sizeof(elem));
	}
	memcpy(ring(q->used) + 2, &q->used_idx, sizeof(q->used_idx));
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

static void driver_receives(struct input *in)
{
	unsigned n = take(in, 1) % (BURST + 1), got;
	struct mbuf *m[BURST];

	got = port_rx_burst(&port, 0, m, (uint16_t)n);
	require(got <= n, "no more packets than asked for");
	for (unsigned i = 0; i < got; i++) {
		require(mbuf_check(m[i]) == 0, "a received packet is well formed");
		require(m[i]->len >= 14, "it has an Ethernet header");
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

	if (hoarded && shape % 3 == 0)
		return hoard[--hoarded]; // back where it came from
	m = mbuf_from_bytes(fuzz_pool(), bytes, len);
	if (m && shape % 5 == 0)
		m->data = m->buf + shape % MBUF_HEADROOM;
	return m;
}

static void driver_sends(struct input *in)
{
	unsigned want = take(in, 1) % (BURST + 1), n = 0, sent;
	struct mbuf *m[BURST];

	while (n < want && (m[n] = some_packet(in)))
		n++;
	if (n && (want & 1)) { // one with two owners
		mbuf_ref(m[0]);
		sent = port_tx_burst(&port, 0, m, (uint16_t)n);
		mbuf_free(m[0]);
	} else {
		sent = port_tx_burst(&port, 0, m, (uint16_t)n);
	}
	require(sent <= n, "no more sent than given");
	for (unsigned i = sent; i < n; i++)
		mbuf_free(m[i]);
}

static void step(struct input *in)
{
	switch (take(in, 1) % 16) {
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
	case 14:
		device_receives(in);
		break;
	case 7:
		device_configures(in);
		break;
	case 8:
		model.status = (uint8_t)take(in, 1);
		break;
	case 9:
		model.reset_reads = take(in, 1) & 1 ? 3 : 0;
		break;
	case 10:
		driver_sends(in);
		break;
	case 11:
		clock_now.now += (uint64_t)take(in, 2) << 14; // up to a second
		virtio_pmd.poll_queue(&port, 0);
		virtio_pmd.poll(&port);
		break;
	default:
		driver_receives(in);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, data + size};

	fuzz_pool();
	model_init();
	model.lenient = true;
	model.q[MODEL_RX].max = (uint16_t)(2u << take(&in, 1) % 8);
	model.q[MODEL_TX].max = (uint16_t)(2u << take(&in, 1) % 8);
	if (take(&in, 1) & 1)
		model.features &= ~MODEL_F_MRG_RXBUF;
	if (fuzz_open(&port, &clock_now, 0, 0))
		require(0, "an honest device opens");
	for (unsigned i = 0; i < 2000 && in.p < in.end; i++)
		step(&in);
	fuzz_close(&port);
	while (hoarded)
		mbuf_free(hoard[--hoarded]);
	fuzz_all_home();
	return 0;
}
