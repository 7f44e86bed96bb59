// SPDX-License-Identifier: BSD-3-Clause
// virtq_bench.c - the virtio rings alone: driver on one core, a device in software on the other, in
// turns
//
// The device works as DPDK's vhost does with 64-byte frames (headers written where they change,
// used elements in bursts of 32, packed ones by fours). It fills or empties many buffers, then the
// driver's bursts are timed, so every cache line that crosses between the two is paid for, and
// nobody need have a core to himself. Prints the median over the bursts of 32 packets, cycles a
// packet.
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "pmd/virtio/packed.h"
#include "pmd/virtio/rx.h"
#include "pmd/virtio/split.h"
#include "pmd/virtio/tx.h"

#define RING	1024u
#define BURST	32u
#define BURSTS	12u // of a turn
#define TURNS	400u
#define WARM_UP 40u
#define FRAME	64u

enum job { RX, TX, ECHO };

static struct {
	struct virtio_rxq rx;
	struct virtio_txq tx;
	struct mempool *pool;
	enum job job;
	unsigned turn;		   // whose: 0 driver, 1 device, 2 end
	uint16_t rx_next, tx_next; // the device's indices
	uint8_t sink[BURST][128];
} b cache_aligned;

static void no_doorbell(struct virtio_transport *t, uint16_t index)
{
}

static const struct virtio_transport_ops ops = {.notify = no_doorbell};
static struct virtio_transport transport = {.ops = &ops};

static void wait_for(unsigned turn)
{
	unsigned spins = 0;

	while (__atomic_load_n(&b.turn, __ATOMIC_ACQUIRE) < turn)
		if (++spins % 1000 == 0)
			sched_yield();
}

// --- the device ---

static void device_write(uint64_t addr)
{
	static const uint8_t frame[FRAME] = {2, 0, 0, 0, 0, 1, 2};
	struct virtio_net_hdr *h = (void *)(uintptr_t)addr;

	if (h->flags)
		h->flags = 0;
	if (h->gso_type)
		h->gso_type = 0;
	if (h->num_buffers != 1)
		h->num_buffers = 1;
	memcpy(h + 1, frame, FRAME);
}

static void device_read(unsigned i, uint64_t addr, uint32_t len)
{
	memcpy(b.sink[i % BURST], (const uint8_t *)(uintptr_t)addr + VIRTIO_NET_HDR_LEN,
	       len - VIRTIO_NET_HDR_LEN);
}

static void device_split(struct virtq *vq, uint16_t *next, unsigned n, bool receives)
{
	uint16_t most = (uint16_t)(__atomic_load_n(&vq->avail->idx, __ATOMIC_ACQUIRE) - *next);

	if (n > most)
		n = most;
	for (unsigned i = 0; i < n; i++, (*next)++) {
		uint16_t at = *next & (RING - 1), id = vq->avail->ring[at];
		struct virtq_desc d = vq->desc[id];

		if (receives)
			device_write(d.addr);
		else
			device_read(i, d.addr, d.len);
		vq->used->ring[at] =
			(struct virtq_used_elem){id, receives ? FRAME + VIRTIO_NET_HDR_LEN : 0};
	}
	__atomic_store_n(&vq->used->idx, *next, __ATOMIC_RELEASE);
}

static void device_packed(struct virtq *vq, uint16_t *next, unsigned n, bool receives)
{
	for (unsigned i = 0; i < n; i++, (*next)++) {
		struct virtq_packed_desc *d = &vq->ring[*next & (RING - 1)];
		bool wrap = !(*next & RING);
		uint64_t word = __atomic_load_n(&d->word, __ATOMIC_ACQUIRE);

		if (((word >> 48) & VIRTQ_PACKED_BOTH) !=
		    (wrap ? VIRTQ_DESC_F_AVAIL : VIRTQ_DESC_F_USED))
			return;
		if (receives)
			device_write(d->addr);
		else
			device_read(i, d->addr, virtq_packed_len(word));
		__atomic_store_n(&d->word,
				 virtq_packed_word(receives ? FRAME + VIRTIO_NET_HDR_LEN : 0,
						   virtq_packed_id(word),
						   wrap ? VIRTQ_PACKED_BOTH : 0),
				 __ATOMIC_RELEASE);
	}
}

static void device_queue(struct virtq *vq, uint16_t *next, bool receives)
{
	for (unsigned i = 0; i < BURSTS; i++) {
		if (vq->packed)
			device_packed(vq, next, BURST, receives);
		else
			device_split(vq, next, BURST, receives);
	}
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
}

static void *device(void *arg)
{
	pin(getenv("SAME") ? 0 : 1);
	for (;;) {
		wait_for(1);
		if (b.turn == 2)
			return NULL;
		if (b.job != TX)
			device_queue(&b.rx.vq, &b.rx_next, true);
		if (b.job != RX)
			device_queue(&b.tx.vq, &b.tx_next, false);
		__atomic_store_n(&b.turn, 0, __ATOMIC_RELEASE);
	}
}

// --- the driver ---

static unsigned driver_burst(void)
{
	struct mbuf *m[BURST];
	unsigned n = BURST;

	if (b.job == TX) {
		static const uint8_t header[42] = {2, 0, 0, 0, 0, 1, 2};

		if (mempool_get_bulk(b.pool, m, BURST))
			return 0;
		for (unsigned i = 0; i < BURST; i++) {
			mbuf_reset(m[i]);
			memcpy(mbuf_append(m[i], FRAME), header, sizeof(header));
		}
	} else {
		n = virtio_rx_burst(&b.rx, m, BURST);
	}
	if (b.job == RX) {
		mbuf_free_bulk(m, n);
		return n;
	}
	unsigned sent = virtio_tx_burst(&b.tx, m, (uint16_t)n);

	mbuf_free_bulk(m + sent, n - sent);
	return sent;
}

static void measure(const char *name, enum job job, uint64_t features)
{
	static double cycles[TURNS];
	unsigned samples = 0, cut = 0;
	pthread_t thread;
	struct err err;

	b.job = job;
	b.turn = 0;
	b.rx_next = b.tx_next = 0;
	if (virtq_create(&b.rx.vq, 0, RING, &err) || virtio_tx_create(&b.tx, 1, RING, &err))
		exit(1);
	virtq_clear(&b.rx.vq, RING, features);
	virtq_clear(&b.tx.vq, RING, features);
	b.rx.vq.transport = b.tx.vq.transport = &transport;
	b.rx.pool = b.tx.pool = b.pool;
	b.rx.posted = virtio_rx_posted(b.pool);
	b.rx.merge = features & VIRTIO_NET_F_MRG_RXBUF;
	virtio_rx_start(&b.rx);
	virtio_tx_start(&b.tx);
	b.rx.vq.fault = b.tx.vq.fault = VIRTQ_SOUND;
	while (b.rx.target < RING)
		virtio_rx_grow(&b.rx);
	// No doorbells, as DPDK's back end wants it.
	if (features & VIRTIO_F_RING_PACKED)
		b.rx.vq.device_area->flags = b.tx.vq.device_area->flags = VIRTQ_EVENT_F_DISABLE;
	else
		b.rx.vq.used->flags = b.tx.vq.used->flags = VIRTQ_USED_F_NO_NOTIFY;
	pthread_create(&thread, NULL, device, NULL);
	for (unsigned turn = 0; turn < WARM_UP + TURNS; turn++) {
		__atomic_store_n(&b.turn, 1, __ATOMIC_RELEASE);
		while (__atomic_load_n(&b.turn, __ATOMIC_ACQUIRE))
			sched_yield();
		uint64_t total = 0, packets = 0;

		for (unsigned i = 0; i < BURSTS; i++) {
			uint64_t t0 = tsc_read();
			unsigned n = driver_burst();

			total += tsc_read() - t0;
			packets += n;
		}
		cut += packets != BURSTS * BURST;
		if (turn >= WARM_UP && packets)
			cycles[samples++] = (double)total / (double)packets;
	}
	b.turn = 2;
	pthread_join(thread, NULL);
	virtio_rx_drain(&b.rx);
	virtio_tx_drain(&b.tx);
	virtq_destroy(&b.rx.vq);
	virtio_tx_destroy(&b.tx);
	if (!samples)
		return;
	printf("%-28s %6.1f  (quartiles %.1f %.1f; %u turns cut short)\n", name,
	       bench_quantile(cycles, samples, 0.5), bench_quantile(cycles, samples, 0.25),
	       bench_quantile(cycles, samples, 0.75), cut);
	memset(&b.rx, 0, sizeof(b.rx));
	memset(&b.tx, 0, sizeof(b.tx));
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		uint64_t features;
	} kinds[] = {
		{"split", VIRTIO_NET_F_MRG_RXBUF},
		{"split-bare", 0},
		{"split-inorder", VIRTIO_F_IN_ORDER},
		{"packed", VIRTIO_NET_F_MRG_RXBUF | VIRTIO_F_RING_PACKED},
		{"packed-bare", VIRTIO_F_RING_PACKED},
		{"packed-inorder", VIRTIO_F_RING_PACKED | VIRTIO_F_IN_ORDER},
	};
	static const char *const jobs[] = {"rx", "tx", "echo"};
	const struct mempool_conf conf = {.name = "bench", .count = 4096};
	char name[64];

	b.pool = mempool_create(&conf, NULL);
	if (!b.pool)
		return 1;
	pin(0);
	for (unsigned job = 0; job < 3; job++)
		for (unsigned k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
			snprintf(name, sizeof(name), "virtq-%s-%s", jobs[job], kinds[k].name);
			if (argc < 2 || strstr(name, argv[1]))
				measure(name, (enum job)job, kinds[k].features);
		}
	return mempool_report(b.pool, stderr) != 0;
}
