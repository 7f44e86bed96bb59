// SPDX-License-Identifier: BSD-3-Clause
// virtio_steps.c - the virtio driver under a device whose every write is scripted by the input
//
// The input is a list of steps: the device (virtio_device.c) writes used rings, flags, headers,
// frames, descriptors and configuration as it likes, between bursts and, when it asks for a
// doorbell, in the middle of one; the driver receives, sends and polls. Whatever happens, packets
// that come out are well formed, what is given is counted, and every buffer is home when the port
// has closed.
#include "tests/fuzz/virtio_steps.h"

#include "pmd/offload.h"
#include "pmd/virtio/net.h"
#include "tests/fuzz/virtio_device.h"

#define BURST 32u
#define OFFLOADS                                                                                   \
	(PORT_RX_CSUM | PORT_TX_CSUM | PORT_TX_TSO4 | PORT_TX_TSO6 | PORT_TX_USO | PORT_RX_LRO)

// 5.1.3: checksums 0 and 1, GUEST_TSO4, TSO6 and ECN 7 to 9, HOST_ 11 to 13, USO 54 to 56.
#define OFFLOAD_FEATURES (3ull | 7ull << 7 | 7ull << 11 | 7ull << 54)

static struct port port;
static struct clock clock_now;
static struct mbuf *hoard[FUZZ_POOL]; // packets the application holds
static unsigned hoarded;
static uint64_t received, sent;
static struct input *bell_input; // what the device does when a doorbell rings

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
	device_begin(&port, is_packed);
	model.features |= is_packed ? MODEL_F_RING_PACKED : 0;
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
		device_begin(&port, ((const struct virtio_net *)port.priv)->pair[0].rx.vq.packed);
	}
	bell_input = NULL;
	books();
	fuzz_close(&port);
	while (hoarded)
		mbuf_free(hoard[--hoarded]);
	fuzz_all_home();
	return 0;
}
