// SPDX-License-Identifier: BSD-3-Clause
// fuzz_virtio_pci.c - opening a virtio device whose configuration space and registers lie
//
// The device hangs on PCI or on MMIO. The input changes bytes of an honest device's configuration space
// (capability list, BARs named, offsets, lengths), then its registers. The driver opens it or refuses it by name; it never goes
// beyond a BAR (the model ends the run if it does), and no buffer stays away.
#include "tests/fuzz/virtio_port.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void registers(struct input *in)
{
	uint32_t flags = take(in, 1);

	if (flags & 1)
		model.features = (uint64_t)take(in, 4) << 32 | take(in, 4);
	if (flags & 2)
		for (unsigned i = 0; i < 6; i++)
			model.mac[i] = (uint8_t)take(in, 1);
	if (flags & 4)
		model.mtu = (uint16_t)take(in, 2);
	if (flags & 8)
		for (unsigned i = 0; i < 2; i++)
			model.q[i].max = (uint16_t)take(in, 2);
	if (flags & 16)
		for (unsigned i = 0; i < 2; i++)
			model.q[i].notify_off = (uint16_t)take(in, 2);
	if (flags & 32)
		model.bar_len = take(in, 2) % 0x4001u;
	if (flags & 64)
		model.queues = (uint16_t)take(in, 2);
	if (flags & 128) {
		model.restless = take(in, 1) & 1;
		model.mmio = take(in, 1) & 1;
		model.refuse_features = take(in, 1) & 1;
	}
}

static void use(struct port *port, struct clock *clock)
{
	struct mbuf *m[32];
	struct mbuf *p = mbuf_alloc(fuzz_pool());

	for (unsigned i = 0; i < 3; i++) {
		mbuf_free_bulk(m, port_rx_burst(port, 0, m, 32));
		clock->now += NSEC_PER_SEC;
		virtio_pmd.poll_queue(port, 0);
		virtio_pmd.poll(port);
	}
	if (!p)
		return;
	mbuf_append(p, 60);
	if (!port_tx_burst(port, 0, &p, 1))
		mbuf_free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, data + size};
	struct clock clock;
	struct port port;
	unsigned edits;

	fuzz_pool();
	model_init();
	model.lenient = true;
	registers(&in);
	edits = take(&in, 1) % 64;
	for (unsigned i = 0; i < edits && in.p < in.end; i++) {
		uint32_t at = take(&in, 1);

		model.pci[at] = (uint8_t)take(&in, 1);
	}
	if (fuzz_open(&port, &clock, 256, 256, 0) == 0) {
		use(&port, &clock);
		fuzz_close(&port);
	}
	fuzz_all_home();
	return 0;
}
